#include "core/service/encode_file.h"

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/map.h"
#include "core/base/node.h"
#include "core/link/standard.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
  PIECE = 1 << 16,
  LINE_LIMIT = 64 << 20,
  WARNINGS_MOST = 20, /* told with their line; further ones are counted */
  WORD_LEAST = 3      /* shorter words of a name say nothing where they stand elsewhere */
};

enum fate { FATE_PASS, FATE_KEEP, FATE_DROP, FATE_CODE };

struct column {
  enum fate fate;
  struct slice name;
  size_t person; /* FATE_CODE: whose */
};

/* Which columns a person has. */
struct person_columns {
  size_t names[CLK_NAMES_MOST], birth_date;
};

enum { NO_COLUMN = ENCODE_COLUMNS_MOST };

struct encoding_file {
  const struct encode_request *request;
  struct encode_done *done;
  const struct format *format;
  struct splitter *splitter;
  struct decoder *decoder;    /* NULL before the header is known */
  struct arena *arena, *kept; /* of one line; of the file */
  struct column *columns;
  size_t column_count;
  struct person_columns persons[ENCODE_PERSONS_MOST];
  struct clk_maker *maker;
  struct buffer line;
  FILE *out;
  char beside[PATH_MAX];
  int64_t warnings;
};

static enum status place_line(const struct encoding_file *file, uint64_t line, struct error *error) {
  error_place(error, "%s:%" PRIu64, file->request->file, line);
  return error->code;
}

static void warn(struct encoding_file *file, uint64_t line, const char *words) {
  if (file->warnings++ < WARNINGS_MOST) {
    log_message(LEVEL_WARNING, "%s:%" PRIu64 ": %s", file->request->file, line, words);
  }
}

/* ---- columns ---- */

static enum status find_column(const struct encoding_file *file, const char *name, size_t *found, struct error *error) {
  const char *names[ENCODE_COLUMNS_MOST];
  size_t count = 0;
  for (size_t i = 0; i < file->column_count; i++) {
    names[i] = file->columns[i].name.data;
    if (strcmp(names[i], name) == 0) {
      *found = i;
      count++;
    }
  }
  if (count == 1) {
    return OK;
  }
  if (count > 1) {
    error_set(error, ERR_INPUT, _("there are %zu columns \"%s\""), count, name);
  } else {
    error_set(error, ERR_INPUT, _("there is no column \"%s\""), name);
    const char *nearest = text_nearest(slice_of(name), names, file->column_count);
    if (nearest != NULL) {
      error_hint(error, _("did you mean \"%s\"?"), nearest);
    }
  }
  error_place(error, "%s", file->request->file);
  return ERR_INPUT;
}

static enum status claim(struct encoding_file *file, const char *name, enum fate fate, size_t *at,
                         struct error *error) {
  enum status status = find_column(file, name, at, error);
  if (status == OK && file->columns[*at].fate != FATE_PASS) {
    status = error_set(error, ERR_USAGE, _("the column \"%s\" is named twice"), name);
  }
  if (status == OK) {
    file->columns[*at].fate = fate;
  }
  return status;
}

/* The code stands where the first name stood. */
static enum status claim_person(struct encoding_file *file, size_t number, struct error *error) {
  const struct encode_person *person = &file->request->persons[number];
  struct person_columns *columns = &file->persons[number];
  enum status status = OK;
  columns->birth_date = NO_COLUMN;
  for (size_t i = 0; i < person->name_count && status == OK; i++) {
    status = claim(file, person->names[i], i == 0 ? FATE_CODE : FATE_DROP, &columns->names[i], error);
  }
  if (status == OK && person->birth_date != NULL) {
    status = claim(file, person->birth_date, FATE_DROP, &columns->birth_date, error);
  }
  if (status == OK) {
    file->columns[columns->names[0]].person = number;
  }
  return status;
}

static enum status claim_all(struct encoding_file *file, struct error *error) {
  const struct encode_request *request = file->request;
  enum status status = OK;
  size_t at = 0;
  for (size_t i = 0; i < request->person_count && status == OK; i++) {
    status = claim_person(file, i, error);
  }
  for (size_t i = 0; i < request->drop_count && status == OK; i++) {
    status = claim(file, request->drop[i], FATE_DROP, &at, error);
  }
  for (size_t i = 0; i < request->keep_count && status == OK; i++) {
    status = claim(file, request->keep[i], FATE_KEEP, &at, error);
  }
  return status;
}

/* No two columns of the new file have one name. */
static enum status check_names(struct encoding_file *file, struct error *error) {
  struct map *names = map_new();
  enum status status = names == NULL ? error_memory(error) : OK;
  for (size_t i = 0; i < file->column_count && status == OK; i++) {
    const struct column *column = &file->columns[i];
    struct slice name =
        column->fate == FATE_CODE ? slice_of(file->request->persons[column->person].into) : column->name;
    bool stays = column->fate != FATE_DROP;
    bool ours = stays && map_get(names, name) != MAP_NONE;
    if (ours) {
      status = error_set(error, ERR_USAGE, _("two columns of the new file would be \"%.*s\""), SLICE_ARG(name));
      error_hint(error, "%s", _("--into names the column of the code"));
    } else if (stays && map_put(names, name, 0) != OK) {
      status = error_memory(error);
    }
  }
  map_free(names);
  return status;
}

static enum status read_columns(struct encoding_file *file, struct error *error) {
  struct node *root = NULL;
  struct slice context = arena_copy(file->kept, file->format->context(file->splitter));
  enum status status = context.data == NULL ? error_memory(error) : json_read(context, file->kept, &root, error);
  const struct node *columns = status == OK ? node_at(root, "columns") : NULL;
  if (columns == NULL) {
    return status == OK ? error_set(error, ERR_INPUT, "%s", _("the file has no header")) : status;
  }
  if (columns->count > ENCODE_COLUMNS_MOST) {
    return error_set(error, ERR_LIMIT, _("more than %d columns"), ENCODE_COLUMNS_MOST);
  }
  file->columns = arena_array(file->kept, columns->count + 1, sizeof *file->columns);
  file->column_count = columns->count;
  for (size_t i = 0; i < columns->count && file->columns != NULL; i++) {
    const char *name = arena_text(file->kept, columns->children[i].text);
    if (name == NULL) {
      return error_memory(error);
    }
    file->columns[i].name = slice_of(name);
  }
  status = file->columns == NULL ? error_memory(error) : claim_all(file, error);
  status = status == OK ? check_names(file, error) : status;
  return status == OK ? file->format->decoder_new(context, &file->decoder, error) : status;
}

/* ---- a line ---- */

static void put_cell(struct encoding_file *file, struct slice text) {
  const struct format_options *format = &file->request->format;
  char delimiter = format->delimiter == 0 ? ',' : format->delimiter, quote = format->quote == 0 ? '"' : format->quote;
  bool quoted = false;
  buffer_append(&file->line, &delimiter, file->line.len == 0 ? 0 : 1);
  for (size_t i = 0; i < text.len && !quoted; i++) {
    char c = text.data[i];
    quoted = c == delimiter || c == quote || c == '\r' || c == '\n';
  }
  /* An empty first cell would not be told from the beginning of the line. */
  quoted = quoted || (file->line.len == 0 && text.len == 0);
  if (!quoted) {
    buffer_slice(&file->line, text);
    return;
  }
  buffer_char(&file->line, quote);
  for (size_t i = 0; i < text.len; i++) {
    buffer_append(&file->line, &quote, text.data[i] == quote ? 1 : 0);
    buffer_char(&file->line, text.data[i]);
  }
  buffer_char(&file->line, quote);
}

static enum status put_line(struct encoding_file *file, struct error *error) {
  buffer_char(&file->line, '\n');
  enum status status = buffer_check(&file->line, _("line"), error);
  if (status == OK && fwrite(file->line.data, 1, file->line.len, file->out) != file->line.len) {
    status = error_set(error, errno == ENOSPC ? ERR_FULL : ERR_IO, _("cannot write the file: %s"), strerror(errno));
  }
  buffer_reset(&file->line);
  return status;
}

static enum status put_header(struct encoding_file *file, struct error *error) {
  if (file->request->format.header_row < 0) {
    return OK;
  }
  for (size_t i = 0; i < file->column_count; i++) {
    const struct column *column = &file->columns[i];
    if (column->fate != FATE_DROP) {
      put_cell(file, column->fate == FATE_CODE ? slice_of(file->request->persons[column->person].into) : column->name);
    }
  }
  return put_line(file, error);
}

/* The next word of a folded text, of letters. */
static struct slice next_word(struct slice *rest) {
  size_t from = 0, to = 0;
  while (from < rest->len && (rest->data[from] < 'A' || rest->data[from] > 'Z')) {
    from++;
  }
  for (to = from; to < rest->len && rest->data[to] >= 'A' && rest->data[to] <= 'Z'; to++) {
  }
  struct slice word = slice_make(rest->data + from, to - from);
  *rest = slice_make(rest->data + to, rest->len - to);
  return word;
}

/* What stands in names and in any text. */
static bool is_particle(struct slice word) {
  static const char *const particles[] = {"DEL", "LAS", "LOS", "VDA", "SAN", "SANTA", "SANTO"};
  bool found = false;
  for (size_t i = 0; i < sizeof particles / sizeof *particles; i++) {
    found = found || slice_is(word, particles[i]);
  }
  return found;
}

static enum status note_words(struct encoding_file *file, struct slice name, struct map *words, struct error *error) {
  struct slice rest = text_fold(file->arena, name, false), word;
  if (rest.data == NULL && name.len > 0) {
    return error_memory(error);
  }
  while ((word = next_word(&rest)).len > 0) {
    if (word.len >= WORD_LEAST && !is_particle(word) && map_put(words, word, 0) != OK) {
      return error_memory(error);
    }
  }
  return OK;
}

/* Whether two different words of the name stand in a cell. */
static enum status repeats(struct encoding_file *file, struct slice text, const struct map *words, bool *found,
                           struct error *error) {
  struct slice rest = text_fold(file->arena, text, false), word, first = {0};
  if (rest.data == NULL && text.len > 0) {
    return error_memory(error);
  }
  *found = false;
  while (!*found && (word = next_word(&rest)).len > 0) {
    bool named = word.len >= WORD_LEAST && map_get(words, word) != MAP_NONE;
    *found = named && first.len > 0 && !slice_equal(first, word);
    first = named && first.len == 0 ? word : first;
  }
  return OK;
}

/* A free text, or a name in a column that nobody thought of, must not leave beside the code. */
static enum status check_line(struct encoding_file *file, const struct node *root, size_t number, uint64_t line,
                              struct error *error) {
  const struct encode_person *person = &file->request->persons[number];
  struct map *words = map_new();
  enum status status = words == NULL ? error_memory(error) : OK;
  for (size_t i = 0; i < person->name_count && status == OK; i++) {
    status = note_words(file, root->children[file->persons[number].names[i]].text, words, error);
  }
  for (size_t i = 0; i < file->column_count && status == OK; i++) {
    bool found = false;
    if (file->columns[i].fate == FATE_PASS) {
      status = repeats(file, root->children[i].text, words, &found, error);
    }
    if (status == OK && found) {
      error_set(error, ERR_INPUT, _("the column \"%.*s\" holds words of the person's name"),
                SLICE_ARG(file->columns[i].name));
      error_hint(error, "%s", _("leave it out by --drop, or say by --keep that it may pass; nothing was written"));
      status = place_line(file, line, error);
    }
  }
  map_free(words);
  return status;
}

static enum status encode_person(struct encoding_file *file, const struct node *root, size_t number, uint64_t line,
                                 struct error *error) {
  const struct encode_person *person = &file->request->persons[number];
  const struct person_columns *columns = &file->persons[number];
  struct clk_person known = {.name_count = person->name_count};
  char text[CLK_TEXT_SIZE + 1] = "";
  struct date date;
  struct clk code;
  bool made = false;
  for (size_t i = 0; i < person->name_count; i++) {
    known.names[i] = root->children[columns->names[i]].text;
  }
  if (columns->birth_date != NO_COLUMN) {
    known.birth_date = slice_trim(root->children[columns->birth_date].text);
  }
  enum status status = clk_make(file->maker, &known, &code, &made, error);
  if (status != OK) {
    return status;
  }
  if (made) {
    clk_write(&code, text);
    file->done->codes++;
  } else {
    file->done->nameless++;
    warn(file, line, _("fewer than two words of a name: no code"));
  }
  if (made && known.birth_date.len > 0 && !standard_date(known.birth_date, &date)) {
    file->done->undated++;
    warn(file, line, _("the birth date cannot be read: the code has none"));
  }
  put_cell(file, slice_of(text));
  return OK;
}

static enum status encode_line(struct encoding_file *file, const struct raw *raw, struct error *error) {
  struct node *root = NULL;
  enum status status = OK;
  arena_reset(file->arena);
  if (raw->fault != RECORD_FINE) {
    status = error_set(error, ERR_INPUT, "%s", raw->reason);
  } else {
    status = file->format->parse(file->decoder, raw->bytes, file->arena, &root, error);
  }
  if (status != OK) {
    return status == ERR_MEMORY ? status : place_line(file, raw->line, error);
  }
  for (size_t i = 0; i < file->request->person_count && status == OK; i++) {
    status = check_line(file, root, i, raw->line, error);
  }
  for (size_t i = 0; i < file->column_count && status == OK; i++) {
    const struct column *column = &file->columns[i];
    if (column->fate == FATE_CODE) {
      status = encode_person(file, root, column->person, raw->line, error);
    } else if (column->fate != FATE_DROP) {
      put_cell(file, root->children[i].text);
    }
  }
  file->done->lines++;
  return status == OK ? put_line(file, error) : status;
}

/* ---- the file ---- */

static enum status begin_lines(struct encoding_file *file, struct error *error) {
  enum status status = read_columns(file, error);
  return status == OK ? put_header(file, error) : status;
}

/* All records that the bytes so far hold. */
static enum status take_lines(struct encoding_file *file, struct error *error) {
  struct raw raw;
  enum status status;
  while ((status = file->format->next(file->splitter, &raw, error)) == OK) {
    status = file->decoder == NULL ? begin_lines(file, error) : OK;
    status = status == OK ? encode_line(file, &raw, error) : status;
    if (status != OK) {
      return status;
    }
  }
  if (status == ERR_INPUT) { /* the splitter's place is "line N" of a text without a name */
    const char *digits = strpbrk(error->place, "0123456789");
    uint64_t line = digits == NULL ? 0 : strtoull(digits, NULL, 10);
    error->place[0] = '\0';
    return place_line(file, line, error);
  }
  return status == END ? OK : status;
}

static enum status read_error(const struct encoding_file *file, struct error *error) {
  error_set(error, ERR_IO, _("cannot read the file: %s"), strerror(errno));
  error_place(error, "%s", file->request->file);
  return ERR_IO;
}

static enum status copy_file(struct encoding_file *file, struct error *error) {
  static char piece[PIECE];
  FILE *in = fopen(file->request->file, "rbe");
  if (in == NULL) {
    return read_error(file, error);
  }
  enum status status = OK;
  for (bool final = false; !final && status == OK;) {
    size_t got = fread(piece, 1, sizeof piece, in);
    if (ferror(in)) {
      status = read_error(file, error);
      break;
    }
    final = got < sizeof piece;
    status = file->format->feed(file->splitter, slice_make(piece, got), final, error);
    status = status == OK ? take_lines(file, error) : status;
  }
  sodium_memzero(piece, sizeof piece);
  fclose(in);
  return status == OK && file->decoder == NULL ? begin_lines(file, error) : status;
}

static enum status out_error(const struct encoding_file *file, int cause, struct error *error) {
  error_set(error, cause == ENOSPC ? ERR_FULL : ERR_IO, _("cannot write the file: %s"), strerror(cause));
  error_place(error, "%s", file->request->out);
  file_hint(cause, error);
  return error->code;
}

static enum status open_out(struct encoding_file *file, struct error *error) {
  const char *out = file->request->out;
  if (out == NULL) {
    file->out = stdout;
    return OK;
  }
  if (access(out, F_OK) == 0) {
    error_set(error, ERR_USAGE, "%s", _("a file of this name is there already"));
    error_place(error, "%s", out);
    return ERR_USAGE;
  }
  int len = snprintf(file->beside, sizeof file->beside, "%s.%ld.new", out, (long)getpid());
  int made = len < 0 || (size_t)len >= sizeof file->beside
                 ? -1
                 : open(file->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  file->out = made < 0 ? NULL : fdopen(made, "w");
  if (file->out == NULL) {
    file->beside[0] = '\0';
    return out_error(file, errno, error);
  }
  return OK;
}

/* The file takes its name once it is whole. */
static enum status close_out(struct encoding_file *file, enum status status, struct error *error) {
  const char *out = file->request->out;
  if (file->out == NULL) {
    return status;
  }
  bool whole = fflush(file->out) == 0 && (out == NULL || fsync(fileno(file->out)) == 0);
  int cause = errno;
  if (out == NULL) {
    return status == OK && !whole ? error_set(error, ERR_IO, _("cannot write the file: %s"), strerror(cause)) : status;
  }
  whole = fclose(file->out) == 0 && whole;
  if (status == OK && whole && rename(file->beside, out) == 0) {
    file_sync_folder(out);
    return OK;
  }
  cause = whole ? errno : cause;
  unlink(file->beside);
  return status == OK ? out_error(file, cause, error) : status;
}

static enum status prepare(struct encoding_file *file, struct error *error) {
  struct linkage_key key;
  enum status status = linkage_key_read(file->request->key_file, &key, error);
  status = status == OK ? clk_maker_new(key.bytes, &file->maker, error) : status;
  memcpy(file->done->mark, key.mark, sizeof key.mark);
  sodium_memzero(&key, sizeof key);
  file->arena = arena_new(0);
  file->kept = arena_new(0);
  if (status == OK && (file->arena == NULL || file->kept == NULL)) {
    status = error_memory(error);
  }
  return status == OK ? file->format->splitter_new(&file->request->format, &file->splitter, error) : status;
}

enum status service_encode_file(const struct encode_request *request, struct encode_done *done, struct error *error) {
  struct encoding_file file = {.request = request, .done = done, .format = format_find("csv")};
  *done = (struct encode_done){.lines = 0};
  buffer_init(&file.line, LINE_LIMIT);
  enum status status = prepare(&file, error);
  status = status == OK ? open_out(&file, error) : status;
  status = status == OK ? copy_file(&file, error) : status;
  status = close_out(&file, status, error);
  file.format->decoder_free(file.decoder);
  file.format->splitter_free(file.splitter);
  clk_maker_free(file.maker);
  arena_free(file.arena);
  arena_free(file.kept);
  buffer_free(&file.line);
  return status;
}
