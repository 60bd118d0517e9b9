/* puente map: mappings checked, tried out, and tested. */
#include "core/base/file.h"
#include "core/base/folder.h"
#include "core/base/log.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/table.h"
#include "core/link/schema.h"
#include "core/service/config_schema.h"
#include "core/service/maptest.h"
#include "mapping/language.h"
#include "mapping/transform/transform.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { REPORT_MOST = 64 << 20, INPUT_MOST = 256 << 20 };

/* A workspace's model and code lists where there is one, else the program's own. */
static enum status open_bench(const struct globals *globals, struct mapping_bench *bench, struct error *error) {
  bool workspace = globals->config != NULL && access(globals->config, R_OK) == 0;
  return mapping_bench_open(workspace ? globals->config : NULL, bench, error);
}

/* ---- test ---- */

static void print_counts(const struct globals *globals, const struct maptest_counts *counts) {
  if (globals->json) {
    printf("{\"cases\":%zu,\"failed\":%zu}\n", counts->cases, counts->failed);
  } else {
    printf(_("cases: %zu, failed: %zu\n"), counts->cases, counts->failed);
  }
}

static enum status test_files(const struct mapping_bench *bench, const char *const *paths, size_t count,
                              struct maptest_counts *counts, struct error *error) {
  struct buffer report;
  buffer_init(&report, REPORT_MOST);
  enum status status = OK;
  for (size_t i = 0; status == OK && i < count; i++) {
    status = maptest_file(bench, paths[i], counts, &report, error);
  }
  if (report.len > 0) {
    fwrite(report.data, 1, report.len, stderr);
  }
  buffer_free(&report);
  return status;
}

/* Without files: the cases beside the workspace's mappings. */
static enum status own_cases(const struct globals *globals, struct arena *arena, const char *const **paths,
                             size_t *count, struct error *error) {
  const char *config = globals->config == NULL ? "puente.yaml" : globals->config;
  char *folder = path_folder(arena, config);
  char *mappings = folder == NULL ? NULL : path_join(arena, folder, "mappings");
  if (mappings == NULL) {
    return error_memory(error);
  }
  enum status status = folder_list(mappings, ".case", arena, paths, count, error);
  if (status == ERR_NOT_FOUND || (status == OK && *count == 0)) {
    error_set(error, ERR_USAGE, _("there are no cases to run"));
    error_place(error, "%s", mappings);
    error_hint(error, "%s", _("name the files, or keep cases as mappings/NAME.case"));
    return ERR_USAGE;
  }
  return status;
}

static int run_test(const struct globals *globals, int argc, char **argv) {
  struct mapping_bench bench;
  struct maptest_counts counts = {0};
  struct error error;
  struct arena *arena = arena_new(0);
  const char *const *paths = (const char *const *)argv;
  size_t count = (size_t)argc;
  enum status status = arena == NULL ? error_memory(&error) : OK;
  if (status == OK && count == 0) {
    status = own_cases(globals, arena, &paths, &count, &error);
  }
  if (status == OK) {
    status = open_bench(globals, &bench, &error);
  }
  if (status == OK) {
    status = test_files(&bench, paths, count, &counts, &error);
    mapping_bench_close(&bench);
  }
  arena_free(arena);
  if (status != OK) {
    return command_fail(&error);
  }
  print_counts(globals, &counts);
  return counts.failed > 0 ? 1 : 0;
}

/* ---- check ---- */

static void print_checked(const struct globals *globals, const char *path, const struct plan *plan) {
  char digest[2 * SHA256_SIZE + 1];
  struct sha256 sum = plan_digest(plan);
  hex_format(sum.bytes, sizeof sum.bytes, digest);
  if (globals->json) {
    struct buffer line;
    buffer_init(&line, 65536);
    buffer_text(&line, "{\"file\":");
    buffer_json(&line, slice_of(path));
    buffer_printf(&line, ",\"source\":");
    buffer_json(&line, slice_of(plan_source(plan)));
    buffer_printf(&line, ",\"digest\":\"%s\"}\n", digest);
    fwrite(line.data, 1, line.len, stdout);
    buffer_free(&line);
  } else {
    printf(_("%s: good, source %s, digest %.16s\n"), path, plan_source(plan), digest);
  }
}

static void warn_of_key(const char *path, const struct plan *plan) {
  const char *field = NULL;
  int line = 0;
  const char *key = plan_telling_key(plan, &field, &line);
  if (key != NULL) {
    log_message(LEVEL_WARNING,
                _("%s:%d: a key is read from '%s', as %s is: keys are not sealed, use one that tells nobody"), path,
                line, key, field);
  }
}

static int run_check(const struct globals *globals, int argc, char **argv) {
  struct mapping_bench bench;
  struct error error;
  int code = 0;
  if (argc == 0) {
    return command_misused(&command_map, "%s", _("map check: name the mapping files"));
  }
  if (open_bench(globals, &bench, &error) != OK) {
    return command_fail(&error);
  }
  for (int i = 0; i < argc; i++) {
    struct plan *plan = NULL;
    struct buffer mistakes;
    buffer_init(&mistakes, REPORT_MOST);
    enum status status = plan_load(argv[i], bench.model, bench.lists, &plan, &mistakes, &error);
    if (status == OK) {
      print_checked(globals, argv[i], plan);
      warn_of_key(argv[i], plan);
    } else if (mistakes.len > 0) {
      fwrite(mistakes.data, 1, mistakes.len, stderr);
      code = status_exit_code(status);
    } else {
      code = command_fail(&error);
    }
    plan_free(plan);
    buffer_free(&mistakes);
  }
  mapping_bench_close(&bench);
  return code;
}

/* ---- run ---- */

static enum status show(const struct mapping_bench *bench, const char *mapping, const char *input, bool reveal,
                        struct error *error) {
  struct plan *plan = NULL;
  struct buffer bytes, out;
  buffer_init(&bytes, INPUT_MOST);
  buffer_init(&out, REPORT_MOST);
  enum status status = plan_load(mapping, bench->model, bench->lists, &plan, NULL, error);
  if (status == OK) {
    status = file_read(input, INPUT_MOST, &bytes, error);
  }
  if (status == OK) {
    status = mapping_show(plan, bench->model, buffer_view(&bytes), reveal, &out, error);
  }
  if (out.len > 0) {
    fwrite(out.data, 1, out.len, stdout);
  }
  plan_free(plan);
  buffer_free(&bytes);
  buffer_free(&out);
  return status;
}

static int run_run(const struct globals *globals, bool reveal, int argc, char **argv) {
  struct mapping_bench bench;
  struct error error;
  if (argc != 2) {
    return command_misused(&command_map, "%s", _("map run: name a mapping and an input"));
  }
  if (open_bench(globals, &bench, &error) != OK) {
    return command_fail(&error);
  }
  enum status status = show(&bench, argv[0], argv[1], reveal, &error);
  mapping_bench_close(&bench);
  return status == OK ? 0 : command_fail(&error);
}

/* ---- transforms ---- */

static int run_transforms(const struct globals *globals) {
  static const struct table_column columns[] = {
      {.name = "name"}, {.name = "use"}, {.name = "arguments"}, {.name = "description"}};
  static const char *const uses[] = {"clean", "part", "implied"};
  size_t count;
  const struct transform *transforms = transform_table(&count);
  struct error error;
  struct table *table = table_new(columns, 4);
  if (table == NULL) {
    error_memory(&error);
    return command_fail(&error);
  }
  for (size_t i = 0; i < count; i++) {
    table_text(table, transforms[i].name);
    table_text(table, uses[transforms[i].use]);
    table_text(table, transforms[i].arguments);
    table_text(table, _(transforms[i].description));
  }
  enum status status = table_print(table, stdout, globals->json ? TABLE_JSON : TABLE_TEXT, &error);
  table_free(table);
  return status == OK ? 0 : command_fail(&error);
}

/* ---- schema ---- */

static enum status schema_of(const struct globals *globals, const char *name, struct buffer *out, struct error *error) {
  struct mapping_bench bench;
  if (strcmp(name, "puente") == 0) {
    return config_schema(out, error);
  }
  if (strcmp(name, "source") == 0) {
    return source_schema(out, error);
  }
  if (strcmp(name, "link") == 0) {
    return link_schema(out, error);
  }
  if (strcmp(name, "mapping") != 0) {
    error_set(error, ERR_USAGE, _("there is no schema '%.64s'"), name);
    error_hint(error, "%s", _("mapping, source, link or puente"));
    return ERR_USAGE;
  }
  enum status status = open_bench(globals, &bench, error);
  if (status == OK) {
    status = language_schema(bench.model, out, error);
    mapping_bench_close(&bench);
  }
  return status;
}

static int run_schema(const struct globals *globals, const char *name) {
  struct error error;
  struct buffer out;
  buffer_init(&out, REPORT_MOST);
  enum status status = schema_of(globals, name, &out, &error);
  if (status == OK) {
    fwrite(out.data, 1, out.len, stdout);
  }
  buffer_free(&out);
  return status == OK ? 0 : command_fail(&error);
}

static int run(const struct globals *globals, int argc, char **argv) {
  bool reveal = false;
  int exit_code = 0;
  const struct argument table[] = {{.name = "reveal", .flag = &reveal}, {.name = NULL}};
  if (arguments_done(&command_map, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  const char *verb = argc > 1 ? argv[1] : "";
  if (strcmp(verb, "run") == 0) {
    return run_run(globals, reveal, argc - 2, argv + 2);
  }
  if (reveal) {
    return command_misused(&command_map, "%s", _("map: --reveal is for run"));
  }
  if (strcmp(verb, "test") == 0) {
    return run_test(globals, argc - 2, argv + 2);
  }
  if (strcmp(verb, "check") == 0) {
    return run_check(globals, argc - 2, argv + 2);
  }
  if (strcmp(verb, "transforms") == 0 && argc == 2) {
    return run_transforms(globals);
  }
  if (strcmp(verb, "schema") == 0 && argc <= 3) {
    return run_schema(globals, argc == 3 ? argv[2] : "mapping");
  }
  return command_misused(&command_map, "%s", _("map: check, run, test, transforms or schema"));
}

const struct command command_map = {
    .name = "map",
    .synopsis = "check FILE… | run MAPPING INPUT [--reveal] | test [FILE…] | transforms | schema [NAME]",
    .summary = N_("check mappings, try them out, and run their cases"),
    .help = N_("  check FILE…        every mistake with file, line, column and the nearest name\n"
               "  run MAPPING INPUT  what the mapping makes of the input; lands nothing\n"
               "  --reveal           with its values; without, those of people are shown as shapes\n"
               "  test [FILE…]       runs cases (mapping, input, expected record); without files those in\n"
               "                     mappings/*.case beside the configuration\n"
               "  transforms         what a field rule can do with a value\n"
               "  schema [NAME]      the language as a JSON Schema, with the model's fields, for editors: mapping,\n"
               "                     source, link or puente; kept as config/schema/NAME.schema.json\n\n"
               "Example: puente map run mappings/siscalp.yaml siscalp_2024.csv"),
    .run = run,
};
