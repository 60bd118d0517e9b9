#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/service/access.h"
#include "core/service/crosswalk.h"
#include "core/service/ctdc.h"
#include "core/service/outbound.h"
#include "core/service/outbound_reveal.h"
#include "core/service/releasing.h"

#include <jansson.h>
#include <stdio.h>

struct printing {
  const struct globals *globals;
  json_t *files;
};

static void on_file(void *context, const struct export_file *file) {
  struct printing *printing = context;
  if (printing->globals->json) {
    json_array_append_new(printing->files, json_pack("{ss ss sI}", "entity", file->entity, "path", file->path, "rows",
                                                     (json_int_t)file->rows));
  } else if (!printing->globals->quiet) {
    printf(_("%10lld rows  %s\n"), (long long)file->rows, file->path);
  }
}

struct typed {
  const char *folder, *purpose, *recipient, *format;
  bool reveal;
};

/* A release's tables, as `release export` writes them. */
static enum status export_release(const struct globals *globals, const char *reference, const char *folder,
                                  struct error *error) {
  const struct workspace_opening opening = {.path = globals->config, .mode = WORKSPACE_RELEASES};
  struct workspace workspace;
  struct released released;
  struct arena *arena = arena_new((size_t)4 << 30);
  enum status status = arena == NULL ? error_memory(error) : workspace_open_as(&opening, &workspace, error);
  if (status != OK) {
    arena_free(arena);
    return status;
  }
  status = access_require(&workspace, RIGHT_FIGURES, error);
  status = status == OK ? releasing_open(&workspace, reference, arena, &released, error) : status;
  status = status == OK ? releasing_export(&released, folder, arena, error) : status;
  if (status == OK && !globals->quiet && !globals->json) {
    printf(_("%zu files of release %lld are in %s\n"), released.count + 1, (long long)released.id, folder);
  }
  workspace_close(&workspace);
  arena_free(arena);
  return status;
}

static enum status export_rows(const struct globals *globals, enum export_form form, const struct typed *typed,
                               struct error *error) {
  const struct export_request request = {.form = form,
                                         .json = typed->format != NULL && strcmp(typed->format, "json") == 0,
                                         .folder = typed->folder,
                                         .purpose = typed->purpose,
                                         .recipient = typed->recipient};
  struct printing printing = {.globals = globals, .files = json_array()};
  struct workspace workspace;
  enum status status = workspace_open(globals->config, WORKSPACE_WRITE, &workspace, error);
  if (status == OK) {
    status = typed->reveal ? service_reveal(&workspace, &request, on_file, &printing, error)
                           : service_export(&workspace, &request, on_file, &printing, error);
    workspace_close(&workspace);
  }
  if (status == OK && globals->json) {
    json_dumpf(printing.files, stdout, JSON_INDENT(2));
    puts("");
  }
  json_decref(printing.files);
  return status;
}

static enum status export_crosswalk(const struct globals *globals, const struct typed *typed, struct error *error) {
  const struct export_request request = {.json = typed->format != NULL && strcmp(typed->format, "json") == 0,
                                         .folder = typed->folder,
                                         .purpose = typed->purpose,
                                         .recipient = typed->recipient};
  struct crosswalk_made made;
  struct workspace workspace;
  enum status status = workspace_open(globals->config, WORKSPACE_WRITE, &workspace, error);
  if (status == OK) {
    status = service_crosswalk(&workspace, &request, &made, error);
    workspace_close(&workspace);
  }
  if (status == OK && globals->json) {
    json_t *told =
        json_pack("{ss sI sI sI sI}", "path", made.path, "cases", (json_int_t)made.cases, "numbers",
                  (json_int_t)made.numbers, "shared", (json_int_t)made.shared, "not_shared", (json_int_t)made.held);
    json_dumpf(told, stdout, JSON_INDENT(2));
    puts("");
    json_decref(told);
  } else if (status == OK && !globals->quiet) {
    printf(_("%lld numbers of %lld cases, with %lld of others; %lld are not shared  %s\n"), (long long)made.numbers,
           (long long)made.cases, (long long)made.shared, (long long)made.held, made.path);
  }
  return status;
}

static const char *count_or_few(int64_t count, int k, char *text, size_t size) {
  if (count == CTDC_FEW) {
    snprintf(text, size, _("fewer than %d"), k);
  } else {
    snprintf(text, size, "%lld", (long long)count);
  }
  return text;
}

static json_t *count_or_null(int64_t count) {
  return count == CTDC_FEW ? json_null() : json_integer(count);
}

static enum status export_ctdc(const struct globals *globals, const struct typed *typed, struct error *error) {
  const struct export_request request = {.json = typed->format != NULL && strcmp(typed->format, "json") == 0,
                                         .folder = typed->folder,
                                         .purpose = typed->purpose};
  struct ctdc_made made = {.k = 0};
  char left_out[64], withheld[64];
  struct workspace workspace;
  enum status status = workspace_open(globals->config, WORKSPACE_WRITE, &workspace, error);
  if (status == OK) {
    status = service_ctdc(&workspace, &request, &made, error);
    workspace_close(&workspace);
  }
  if (status == OK && globals->json) {
    json_t *told = json_pack("{ss si sI sI so so}", "path", made.path, "k", made.k, "rows", (json_int_t)made.rows,
                             "complete", (json_int_t)made.complete, "left_out", count_or_null(made.left_out),
                             "withheld", count_or_null(made.withheld));
    json_dumpf(told, stdout, JSON_INDENT(2));
    puts("");
    json_decref(told);
  } else if (status == OK && !globals->quiet) {
    printf(_("%lld rows (%lld with all that is recorded), each combination at least %d times  %s\n"
             "not in the file: %s victims of too few alike, %s by their consent (not for publication)\n"),
           (long long)made.rows, (long long)made.complete, made.k, made.path,
           count_or_few(made.left_out, made.k, left_out, sizeof left_out),
           count_or_few(made.withheld, made.k, withheld, sizeof withheld));
  }
  return status;
}

static bool is_format(const char *format) {
  return format == NULL || strcmp(format, "csv") == 0 || strcmp(format, "json") == 0;
}

static const char *const FORMS[] = {"csv", "json", "htcds", "crosswalk", "ctdc"};
enum { FORM_CROSSWALK = 3, FORM_CTDC, FORM_COUNT };

static size_t form_of(const char *word) {
  size_t form = 0;
  while (form < FORM_COUNT && strcmp(word, FORMS[form]) != 0) {
    form++;
  }
  return form;
}

static enum status export_as(const struct globals *globals, size_t form, const struct typed *typed,
                             struct error *error) {
  return form == FORM_CROSSWALK ? export_crosswalk(globals, typed, error)
         : form == FORM_CTDC    ? export_ctdc(globals, typed, error)
                                : export_rows(globals, (enum export_form)form, typed, error);
}

static int run(const struct globals *globals, int argc, char **argv) {
  struct typed typed = {.folder = "export"};
  const struct argument table[] = {
      {.name = "out", .text = &typed.folder},    {.name = "purpose", .text = &typed.purpose},
      {.name = "for", .text = &typed.recipient}, {.name = "format", .text = &typed.format},
      {.name = "reveal", .flag = &typed.reveal}, {.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_export, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  struct error error;
  size_t form = argc == 2 ? form_of(argv[1]) : FORM_COUNT;
  bool release = argc == 3 && strcmp(argv[1], "aggregate") == 0;
  if (!is_format(typed.format)) {
    return command_misused(&command_export, _("--format: csv or json is expected"));
  }
  if (typed.reveal && form != EXPORT_HTCDS) {
    return command_misused(&command_export, _("--reveal is for htcds"));
  }
  if (!release && form == FORM_COUNT) {
    return command_misused(&command_export, _("csv, json, htcds, crosswalk, ctdc or aggregate RELEASE is expected"));
  }
  enum status status =
      release ? export_release(globals, argv[2], typed.folder, &error) : export_as(globals, form, &typed, &error);
  return status == OK ? 0 : command_fail(&error);
}

const struct command command_export = {
    .name = "export",
    .synopsis = "csv|json|htcds --purpose TEXT [--for INSTITUTION] [--out FOLDER] | "
                "htcds --reveal --for INSTITUTION --purpose TEXT [--out FOLDER] | "
                "crosswalk --for INSTITUTION --purpose TEXT [--out FOLDER] | ctdc --purpose TEXT [--out FOLDER] | "
                "aggregate RELEASE [--out FOLDER]",
    .summary = N_("write persons, cases and what belongs to them to files, without names and documents"),
    .help =
        N_("  csv            one file an entity, RFC 4180\n"
           "  json           the same as JSON lines\n"
           "  htcds          fields and values of the Human Trafficking Case Data Standard 2.0\n"
           "  crosswalk      an institution's own case numbers, with those that others let it have\n"
           "  ctdc           victims with the columns and age bands of the Counter-Trafficking Data Collaborative,\n"
           "                 k-anonymous: no combination of values of fewer than k persons\n"
           "  aggregate NAME the tables of a release, suppressed or rounded: what may be published\n"
           "  --format json  htcds, crosswalk, ctdc as JSON lines; default: csv\n"
           "  --for CODE     institution that gets them: ids become its own pseudonyms, numbers of cases stay here\n"
           "  --reveal       htcds for the institution of --for: its own records, with names and documents\n"
           "  --out FOLDER   where; default: export\n"
           "  --purpose TEXT what they are for: the log records it\n\n"
           "The rows of csv, json and htcds are about single people: names and documents are left out, dates and\n"
           "places are not. Publish figures by `puente release`."),
    .run = run,
};
