/* puente encode: an institution's own file with codes instead of names, before it leaves the house. */
#include "core/base/text.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/service/encode_file.h"

#include <stdio.h>
#include <string.h>

struct chosen {
  struct encode_request request;
  const char *columns, *delimiter, *encoding, *birth_date, *into;
  struct argument_list names, drop, keep;
};

static enum status read_delimiter(const char *text, char *delimiter, struct error *error) {
  if (text == NULL) {
    return OK;
  }
  bool tab = strcmp(text, "tab") == 0;
  if (!tab && (strlen(text) != 1 || (unsigned char)*text >= 128 || strchr("\r\n\"", *text) != NULL)) {
    return error_set(error, ERR_USAGE, "%s", _("--delimiter takes one ASCII character, or tab"));
  }
  *delimiter = tab ? '\t' : *text;
  return OK;
}

/* The person whom options tell. */
static enum status take_options(struct chosen *chosen, struct error *error) {
  struct encode_request *request = &chosen->request;
  if (chosen->encoding != NULL && !encoding_parse(slice_of(chosen->encoding), &request->format.encoding)) {
    error_set(error, ERR_USAGE, "%s", _("unknown encoding"));
    error_hint(error, "%s", _("one of: utf-8, windows-1252, latin-1"));
    return ERR_USAGE;
  }
  enum status status = read_delimiter(chosen->delimiter, &request->format.delimiter, error);
  if (status == OK && chosen->names.count > 0) {
    struct encode_person *person = &request->persons[request->person_count++];
    person->name_count = chosen->names.count;
    person->birth_date = chosen->birth_date;
    person->into = chosen->into;
    memcpy(person->names, chosen->names.items, chosen->names.count * sizeof *person->names);
  }
  request->drop_count = chosen->drop.count;
  request->keep_count = chosen->keep.count;
  return status;
}

static enum status check_options(const struct chosen *chosen, struct error *error) {
  if (chosen->request.key_file == NULL) {
    error_set(error, ERR_USAGE, "%s", _("--key FILE is needed: the linkage key"));
    error_hint(error, "%s", _("ask the centre for the file that its `puente key linkage FILE` writes"));
    return ERR_USAGE;
  }
  if ((chosen->columns == NULL) == (chosen->names.count == 0)) {
    error_set(error, ERR_USAGE, "%s", _("which columns tell the name? --name COLUMN, or --columns FILE"));
    return ERR_USAGE;
  }
  if (chosen->columns != NULL
      && (chosen->birth_date != NULL || chosen->delimiter != NULL || chosen->encoding != NULL
          || strcmp(chosen->into, ENCODE_INTO) != 0)) {
    return error_set(error, ERR_USAGE, "%s",
                     _("with --columns FILE, the file tells birth date, delimiter, encoding and new column"));
  }
  return OK;
}

static enum status encode(struct chosen *chosen, struct encode_done *done, struct error *error) {
  struct arena *arena = arena_new(0);
  enum status status = arena == NULL ? error_memory(error) : check_options(chosen, error);
  status = status == OK ? take_options(chosen, error) : status;
  if (status == OK && chosen->columns != NULL) {
    status = encode_request_read(chosen->columns, arena, &chosen->request, error);
  }
  status = status == OK ? service_encode_file(&chosen->request, done, error) : status;
  arena_free(arena);
  return status;
}

/* On standard error where the file goes to standard output. */
static void print_done(const struct globals *globals, const struct chosen *chosen, const struct encode_done *done) {
  FILE *to = chosen->request.out == NULL ? stderr : stdout;
  if (globals->json) {
    fprintf(to, "{\"lines\":%lld,\"codes\":%lld,\"nameless\":%lld,\"undated\":%lld,\"key\":\"%s\"}\n",
            (long long)done->lines, (long long)done->codes, (long long)done->nameless, (long long)done->undated,
            done->mark);
  } else if (!globals->quiet) {
    fprintf(to, _("lines: %lld, codes: %lld, persons without a code: %lld, birth dates not read: %lld\n"),
            (long long)done->lines, (long long)done->codes, (long long)done->nameless, (long long)done->undated);
    fprintf(to, _("linkage key: %s (%s)\n"), done->mark, CLK_VERSION);
  }
}

static int run(const struct globals *globals, int argc, char **argv) {
  struct chosen chosen = {.into = ENCODE_INTO};
  struct encode_request *request = &chosen.request;
  const char *names[CLK_NAMES_MOST];
  chosen.names = (struct argument_list){.items = names, .most = CLK_NAMES_MOST};
  chosen.drop = (struct argument_list){.items = request->drop, .most = ENCODE_COLUMNS_MOST};
  chosen.keep = (struct argument_list){.items = request->keep, .most = ENCODE_COLUMNS_MOST};
  const struct argument table[] = {{.name = "key", .text = &request->key_file},
                                   {.name = "out", .text = &request->out},
                                   {.name = "name", .list = &chosen.names},
                                   {.name = "birth-date", .text = &chosen.birth_date},
                                   {.name = "into", .text = &chosen.into},
                                   {.name = "drop", .list = &chosen.drop},
                                   {.name = "keep", .list = &chosen.keep},
                                   {.name = "delimiter", .text = &chosen.delimiter},
                                   {.name = "encoding", .text = &chosen.encoding},
                                   {.name = "columns", .text = &chosen.columns},
                                   {.name = NULL}};
  struct encode_done done;
  struct error error;
  int exit_code = 0;
  if (arguments_done(&command_encode, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  if (argc != 2) {
    return command_misused(&command_encode, "%s", _("the CSV file to encode is expected"));
  }
  request->file = argv[1];
  if (encode(&chosen, &done, &error) != OK) {
    return command_fail(&error);
  }
  print_done(globals, &chosen, &done);
  return 0;
}

const struct command command_encode = {
    .name = "encode",
    .synopsis = "FILE --key KEYFILE --name COLUMN… [--birth-date COLUMN] [--drop COLUMN…] [--out FILE]",
    .summary = N_("put codes instead of names into an institution's own CSV file, before it leaves the house"),
    .help =
        N_("Needs no workspace. Each person becomes a code (CLK, docs/terms.md) that can be compared and not read\n"
           "back; all other columns pass as they are, in UTF-8. A line that cannot be read, or another column that\n"
           "holds words of the name, stops it with FILE:LINE, and no file is left.\n\n"
           "  --key FILE         the linkage key, as `puente key linkage` of the centre writes it; mode 0600\n"
           "  --name COLUMN      a column with the name or a part of it; several times, up to 8\n"
           "  --birth-date COLUMN  any form with a year of four digits; day before month\n"
           "  --into COLUMN      name of the new column (name_encoding)\n"
           "  --drop COLUMN      leave a column out: documents, telephones, free text; several times\n"
           "  --keep COLUMN      let a column pass though it may repeat words of the name; several times\n"
           "  --delimiter C      of the file: one character, or tab (,)\n"
           "  --encoding NAME    of the file: utf-8, windows-1252, latin-1 (utf-8)\n"
           "  --columns FILE     all this as YAML, for several persons a line: docs/terms.md\n"
           "  --out FILE         a new file, mode 0600; default: standard output\n\n"
           "Example:\n"
           "  puente encode cases.csv --key linkage.key --name given --name surname --birth-date born \\\n"
           "    --drop dni --drop phone --out cases-encoded.csv"),
    .run = run,
};
