#include "mapping/codelist.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/label.h"
#include "core/command/table.h"
#include "core/config.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* The workspace's lists over the program's; without a configuration file, the program's alone. */
static enum status open_lists(const struct globals *globals, struct config **config, struct codelists **lists,
                              struct error *error) {
  const char *folders[2] = {NULL, NULL};
  struct arena *arena = arena_new(1 << 16);
  *config = NULL;
  if (arena == NULL) {
    return error_memory(error);
  }
  enum status status = OK;
  if (globals->config != NULL && access(globals->config, F_OK) == 0) {
    status = config_load(globals->config, config, error);
  }
  if (status == OK && *config != NULL) {
    folders[0] = (*config)->codelist_folders[0];
    folders[1] = (*config)->codelist_folders[1];
  } else if (status == OK) {
    folders[0] = path_join(arena, path_data(), "config/codelists");
    status = folders[0] == NULL ? error_memory(error) : OK;
  }
  if (status == OK) {
    status = codelists_load(folders, 2, lists, error);
  }
  arena_free(arena);
  return status;
}

static void add_list(struct table *table, const struct codelist *list) {
  size_t count;
  char systems[256] = "";
  size_t used = 0;
  const char *const *names = codelist_systems(list, &count);
  for (size_t i = 0; i < count && used + 1 < sizeof systems; i++) {
    int len = snprintf(systems + used, sizeof systems - used, "%s%s", i == 0 ? "" : ", ", names[i]);
    used += len > 0 ? (size_t)len : 0;
  }
  table_text(table, codelist_name(list));
  table_text(table, label_of(codelist_label_en(list), codelist_label_es(list)));
  table_integer(table, (int64_t)codelist_size(list));
  table_text(table, systems);
}

static struct table *table_of_lists(const struct codelists *lists) {
  const struct table_column columns[] = {{.name = "list", .title = _("list")},
                                         {.name = "label", .title = _("what it holds")},
                                         {.name = "codes", .title = _("codes"), .align = ALIGN_RIGHT},
                                         {.name = "systems", .title = _("code systems")}};
  struct table *table = table_new(columns, 4);
  for (size_t i = 0; table != NULL && i < codelists_count(lists); i++) {
    add_list(table, codelists_at(lists, i));
  }
  return table;
}

static void add_date(struct table *table, struct date date) {
  char text[DATE_TEXT_SIZE];
  if (date.precision == DATE_NONE) {
    table_null(table);
  } else {
    table_slice(table, slice_make(text, date_format(date, text)));
  }
}

static struct table *table_of_codes(const struct codelist *list) {
  const struct table_column columns[] = {{.name = "code", .title = _("code")},
                                         {.name = "label", .title = _("label"), .most = 70},
                                         {.name = "parent", .title = _("within")},
                                         {.name = "from", .title = _("from")},
                                         {.name = "to", .title = _("to")}};
  struct table *table = table_new(columns, 5);
  for (size_t i = 0; table != NULL && i < codelist_size(list); i++) {
    const struct code *code = codelist_at(list, i);
    table_text(table, code->code);
    table_text(table, label_of(code->label_en, code->label_es));
    table_text(table, code->parent);
    add_date(table, code->valid_from);
    add_date(table, code->valid_to);
  }
  return table;
}

static enum status find_list(const struct codelists *lists, const char *name, const struct codelist **list,
                             struct error *error) {
  *list = codelists_find(lists, name);
  if (*list != NULL) {
    return OK;
  }
  const char *names[256];
  size_t count = codelists_count(lists) < 256 ? codelists_count(lists) : 256;
  for (size_t i = 0; i < count; i++) {
    names[i] = codelist_name(codelists_at(lists, i));
  }
  const char *nearest = text_nearest(slice_of(name), names, count);
  error_set(error, ERR_NOT_FOUND, _("there is no code list '%s'"), name);
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  } else {
    error_hint(error, "%s", _("`puente codelist list` shows them all"));
  }
  return ERR_NOT_FOUND;
}

static enum status list(const struct globals *globals, const char *name, bool csv, struct error *error) {
  struct config *config = NULL;
  struct codelists *lists = NULL;
  const struct codelist *found = NULL;
  struct table *table = NULL;
  enum status status = open_lists(globals, &config, &lists, error);
  if (status == OK && name != NULL) {
    status = find_list(lists, name, &found, error);
  }
  if (status == OK) {
    table = found == NULL ? table_of_lists(lists) : table_of_codes(found);
    status = table == NULL ? error_memory(error)
                           : table_print(table, stdout,
                                         globals->json ? TABLE_JSON
                                         : csv         ? TABLE_CSV
                                                       : TABLE_TEXT,
                                         error);
  }
  table_free(table);
  codelists_free(lists);
  config_free(config);
  return status;
}

static enum status print_import(const struct globals *globals, const struct codelist_import *result, const char *target,
                                struct error *error) {
  const struct {
    const char *name, *title;
    size_t value;
  } figures[] = {
      {"rows", _("lines read"), result->rows},
      {"accepted", _("districts accepted"), result->accepted},
      {"rejected", _("lines rejected"), result->rejected},
      {"without_inei", _("without an INEI code"), result->without_inei},
      {"without_reniec", _("without a RENIEC code"), result->without_reniec},
      {"differing", _("districts whose two codes differ"), result->differing},
      {"collisions", _("RENIEC codes that are another district's INEI code"), result->collisions},
  };
  const struct table_column columns[] = {{.name = "figure", .title = _("import")},
                                         {.name = "count", .title = _("count"), .align = ALIGN_RIGHT}};
  struct table *table = table_new(columns, 2);
  if (table == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
    table_text(table, globals->json ? figures[i].name : figures[i].title);
    table_integer(table, (int64_t)figures[i].value);
  }
  table_note(table, _("written: %s"), target);
  if (result->collisions > 0) {
    table_note(table, "%s", _("A code alone does not tell its district: every source declares inei or reniec."));
  }
  enum status status = table_print(table, stdout, globals->json ? TABLE_JSON : TABLE_TEXT, error);
  table_free(table);
  return status;
}

static enum status import(const struct globals *globals, const char *csv, const char *name, struct error *error) {
  struct config *config = NULL;
  struct codelist_import result;
  char folder[512], target[640];
  enum status status = config_load(globals->config, &config, error);
  if (status == OK) {
    const char *own = config->codelist_folders[1];
    snprintf(folder, sizeof folder, "%s%s", own == NULL ? config->folder : own, own == NULL ? "/codelists" : "");
    int len = snprintf(target, sizeof target, "%s/%s.yaml", folder, name);
    if (len <= 0 || (size_t)len >= sizeof target) {
      status = error_set(error, ERR_LIMIT, "%s", _("the path of the workspace is too long"));
    } else if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
      status = error_set(error, ERR_IO, _("%s: the folder cannot be made: %s"), folder, strerror(errno));
    }
  }
  if (status == OK) {
    status = codelist_import_ubigeo(csv, target, &result, error);
  }
  if (status == OK) {
    status = print_import(globals, &result, target, error);
  }
  config_free(config);
  return status;
}

static int run(const struct globals *globals, int argc, char **argv) {
  const char *name = "district";
  bool csv = false;
  const struct argument table[] = {{.name = "as", .text = &name}, {.name = "csv", .flag = &csv}, {.name = NULL}};
  int exit_code = 0;
  struct error error;
  enum status status;
  if (arguments_done(&command_codelist, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  const char *verb = argc > 1 ? argv[1] : "";
  if (strcmp(verb, "list") == 0 && argc <= 3) {
    status = list(globals, argc == 3 ? argv[2] : NULL, csv, &error);
  } else if (strcmp(verb, "import") == 0 && argc == 4 && strcmp(argv[2], "ubigeo") == 0) {
    status = import(globals, argv[3], name, &error);
  } else {
    return command_misused(&command_codelist, "%s", _("codelist: list [NAME], or import ubigeo FILE"));
  }
  return status == OK ? 0 : command_fail(&error);
}

const struct command command_codelist = {
    .name = "codelist",
    .synopsis = "list [NAME] | import ubigeo FILE [--as NAME]",
    .summary = N_("show code lists, or import a full list of districts"),
    .help = N_("  list               all lists: the program's, and the workspace's over them\n"
               "  list NAME          the codes of one list\n"
               "  --csv              as CSV\n"
               "  import ubigeo FILE reads a CSV with the columns inei, reniec, departamento, provincia, distrito,\n"
               "                     checks it, counts codes that mean another district in the other system, and\n"
               "                     writes it as a list of the workspace\n"
               "  --as NAME          its name; default: district\n\n"
               "Example: puente codelist list offence"),
    .run = run,
};
