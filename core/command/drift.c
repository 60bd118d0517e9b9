#include "core/sync/drift.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/moment.h"
#include "core/command/table.h"
#include "core/service/findings.h"
#include "core/service/overview.h"

#include <stdio.h>

/* ---- list ---- */

static const char *kind_label(enum drift_kind kind) {
  return kind == DRIFT_MISSING ? _("missing") : kind == DRIFT_RETYPED ? _("of another type") : _("new");
}

static void add_findings(struct table *table, const struct source_overview *source) {
  for (int64_t i = 0; i < source->drift; i++) {
    const struct drift *drift = &source->drifts[i];
    char was[96], is[96], since[MOMENT_SIZE];
    drift_kinds_text(drift->was, was);
    drift_kinds_text(drift->is, is);
    table_text(table, source->source->code);
    table_slice(table, drift->path);
    table_code(table, drift_names[drift->kind], kind_label(drift->kind));
    table_text(table, drift->kind == DRIFT_NEW ? "" : was);
    table_text(table, is);
    table_boolean(table, drift->mapped);
    table_text(table, moment_text(drift->since, since));
  }
}

static enum status print_findings(const struct globals *globals, const struct overview *overview, const char *code,
                                  struct error *error) {
  const struct table_column columns[] = {
      {.name = "source", .title = _("source")}, {.name = "field", .title = _("field")},
      {.name = "kind", .title = _("finding")},  {.name = "was_type", .title = _("type before")},
      {.name = "type", .title = _("type now")}, {.name = "mapped", .title = _("the mapping reads it")},
      {.name = "since", .title = _("since")}};
  struct table *table = table_new(columns, sizeof columns / sizeof *columns);
  if (table == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < overview->source_count; i++) {
    if (code == NULL || strcmp(overview->sources[i].source->code, code) == 0) {
      add_findings(table, &overview->sources[i]);
    }
  }
  bool empty = table_rows(table) == 0 && !globals->json;
  enum status status = empty ? OK : table_print(table, stdout, globals->json ? TABLE_JSON : TABLE_TEXT, error);
  if (empty) {
    puts(_("no field of a source has changed"));
  } else if (status == OK && !globals->json && !globals->quiet) {
    puts(_("adapt the mapping and run `puente remap SOURCE`, or, where it may stay so:\n"
           "`puente drift accept SOURCE [FIELD] --reason TEXT`"));
  }
  table_free(table);
  return status;
}

static int run_list(const struct globals *globals, const char *code) {
  struct workspace workspace;
  struct overview overview;
  struct error error;
  enum status status = service_overview(globals->config, &workspace, &overview, &error);
  if (status != OK) {
    return command_fail(&error);
  }
  moment_use_zone(workspace.config->serve.zone);
  if (code != NULL && config_source(workspace.config, code) == NULL) {
    status = error_set(&error, ERR_USAGE, _("there is no source \"%s\""), code);
  }
  status = status == OK ? print_findings(globals, &overview, code, &error) : status;
  overview_free(&overview);
  workspace_close(&workspace);
  return status == OK ? 0 : command_fail(&error);
}

/* ---- accept ---- */

static int run_accept(const struct globals *globals, const struct finding_acceptance *acceptance) {
  struct workspace workspace;
  struct error error;
  int64_t accepted = 0;
  enum status status = workspace_open(globals->config, WORKSPACE_WRITE, &workspace, &error);
  if (status != OK) {
    return command_fail(&error);
  }
  status = findings_accept(&workspace, acceptance, &accepted, &error);
  if (status == OK && globals->json) {
    printf("{\"accepted\": %lld}\n", (long long)accepted);
  } else if (status == OK && !globals->quiet) {
    printf(_("accepted: %lld; later passes are compared with this\n"), (long long)accepted);
  }
  workspace_close(&workspace);
  return status == OK ? 0 : command_fail(&error);
}

static int run(const struct globals *globals, int argc, char **argv) {
  struct finding_acceptance acceptance = {.source = NULL};
  const struct argument table[] = {{.name = "reason", .text = &acceptance.reason}, {.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_drift, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  const char *what = argc > 1 ? argv[1] : "list";
  if (strcmp(what, "list") == 0 && argc <= 3) {
    return run_list(globals, argc == 3 ? argv[2] : NULL);
  }
  if (strcmp(what, "accept") == 0 && (argc == 3 || argc == 4)) {
    acceptance.source = argv[2];
    acceptance.path = argc == 4 ? argv[3] : NULL;
    return run_accept(globals, &acceptance);
  }
  return command_misused(&command_drift, _("list [SOURCE] or accept SOURCE [FIELD] is expected"));
}

const struct command command_drift = {
    .name = "drift",
    .synopsis = "list [SOURCE] | accept SOURCE [FIELD] --reason TEXT",
    .summary = N_("look at fields that a source sends anew, no more or in another form; accept that"),
    .help = N_("  list [SOURCE]     which fields changed, since when, and whether the mapping reads them\n"
               "  accept SOURCE [FIELD] --reason TEXT\n"
               "                    it may stay so: all findings of the source, or those about one field. The source\n"
               "                    is `changed` by them no more, and later passes are compared with this; the log\n"
               "                    records who and why. Where the mapping has to follow, change it and run\n"
               "                    `puente remap SOURCE` instead, which settles them too.\n"
               "\n"
               "Example: puente drift accept sistra 'victims/zone' --reason 'announced by letter 12-2026'"),
    .run = run,
};
