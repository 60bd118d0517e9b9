#include "core/base/date.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/moment.h"
#include "core/command/table.h"
#include "core/service/overview.h"

#include <jansson.h>
#include <stdio.h>

static const char *state_label(const char *state) {
  static const struct {
    const char *state, *label;
  } labels[] = {{"ok", N_("ok")},           {"never", N_("never pulled")},      {"failed", N_("FAILED")},
                {"running", N_("running")}, {"interrupted", N_("interrupted")}, {"paused", N_("paused")},
                {"retired", N_("retired")}};
  for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
    if (strcmp(labels[i].state, state) == 0) {
      return gettext(labels[i].label);
    }
  }
  return state;
}

static enum status print_sources(const struct overview *overview, struct error *error) {
  const struct table_column columns[] = {{.name = "source", .title = _("source")},
                                         {.name = "institution", .title = _("institution")},
                                         {.name = "state", .title = _("state")},
                                         {.name = "last", .title = _("last sync")},
                                         {.name = "records", .title = _("records"), .align = ALIGN_RIGHT},
                                         {.name = "quarantined", .title = _("quarantine"), .align = ALIGN_RIGHT},
                                         {.name = "withheld", .title = _("withheld"), .align = ALIGN_RIGHT},
                                         {.name = "watermark", .title = _("pulled up to"), .most = 26}};
  struct table *table = table_new(columns, sizeof columns / sizeof *columns);
  if (table == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < overview->source_count; i++) {
    const struct source_overview *source = &overview->sources[i];
    char text[MOMENT_SIZE];
    table_text(table, source->source->code);
    table_text(table, source->source->institution);
    table_text(table, state_label(source->state));
    table_text(table, moment_text(source->ended != 0 ? source->ended : source->started, text));
    table_integer(table, source->total);
    table_integer(table, source->quarantined);
    table_integer(table, source->withheld);
    table_text(table, source->watermark == NULL ? "-" : source->watermark);
  }
  enum status status = table_print(table, stdout, TABLE_TEXT, error);
  table_free(table);
  return status;
}

static int print_linking_needs(const struct overview *overview) {
  int needs = 0;
  if (overview->link_message != NULL) {
    printf(_("- the last linking failed: %s\n"), overview->link_message);
    if (overview->link_hint != NULL && overview->link_hint[0] != '\0') {
      printf(_("    %s\n"), overview->link_hint);
    }
    needs++;
  }
  if (overview->waiting > 0) {
    printf(_("- new, changed or gone since the last linking: %lld, join them by `puente link`\n"),
           (long long)overview->waiting);
    needs++;
  }
  if (overview->review > 0) {
    printf(_("- pairs that wait for a person: %lld, see `puente review list`\n"), (long long)overview->review);
    needs++;
  }
  if (overview->decided > 0) {
    printf(_("- decided pairs: %lld, apply them by `puente link`\n"), (long long)overview->decided);
    needs++;
  }
  return needs;
}

/* What needs a person, each with what to do. Gives their number. */
static int print_needs(const struct overview *overview) {
  int needs = 0;
  for (size_t i = 0; i < overview->source_count; i++) {
    const struct source_overview *source = &overview->sources[i];
    const char *code = source->source->code;
    bool failed = strcmp(source->state, "failed") == 0;
    if (failed || (source->message != NULL && strcmp(source->state, "ok") == 0)) {
      printf(_("- %s: %s\n"), code, source->message == NULL ? _("the last sync failed") : source->message);
      if (source->hint != NULL && source->hint[0] != '\0') {
        printf(_("    %s\n"), source->hint);
      }
      if (failed && source->source->contact[0] != '\0') {
        printf(_("    contact: %s\n"), source->source->contact);
      }
      needs++;
    }
    if (strcmp(source->state, "never") == 0 || strcmp(source->state, "interrupted") == 0) {
      printf(_("- %s: `puente sync %s`%s\n"), code, code, source->under_way ? _(" goes on where it stopped") : "");
      needs++;
    }
    if (source->quarantined > 0) {
      printf(_("- %s: in quarantine: %lld, see `puente quarantine list --source %s`\n"), code,
             (long long)source->quarantined, code);
      needs++;
    }
  }
  return needs + print_linking_needs(overview);
}

/* A count with what is not settled about it. */
static void print_linked(const char *what, int64_t figure, const struct linked_counts *last) {
  char numbers[5][32];
  number_group(figure, numbers[0]);
  number_group(last->rows, numbers[1]);
  number_group(last->accepted, numbers[2]);
  number_group(last->waiting, numbers[3]);
  number_group(last->unlinkable, numbers[4]);
  if (last->accepted < 0) { /* a linking that did not count what waits */
    printf("  %s: %s\n", what, numbers[0]);
  } else {
    printf(_("  %s: %s of %s records; %s if all waiting pairs (%s) were accepted; records that cannot be linked: %s\n"),
           what, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]);
  }
}

/* The same for programs; null where the last linking did not say. */
static json_t *linked_json(int64_t figure, const struct linked_counts *last) {
  const int64_t numbers[] = {last->rows, last->accepted, last->waiting, last->unlinkable};
  static const char *const names[] = {"records", "least", "waiting", "unlinkable"};
  json_t *object = json_pack("{sI}", "figure", (json_int_t)figure);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    json_object_set_new(object, names[i], numbers[i] < 0 ? json_null() : json_integer(numbers[i]));
  }
  return object;
}

static enum status print_text(const struct workspace *workspace, const struct overview *overview, struct error *error) {
  char text[MOMENT_SIZE];
  if (overview->source_count == 0) {
    puts(_("this workspace has no source yet: copy sources/example.yaml.txt to sources/CODE.yaml and fill it in"));
    return OK;
  }
  enum status status = print_sources(overview, error);
  if (status != OK) {
    return status;
  }
  if (!overview->made) {
    puts(_("\nno store yet: `puente sync` makes it"));
    return OK;
  }
  const char *where =
      workspace->config->store == STORE_SQLITE ? workspace->config->store_path : workspace->config->store_dsn;
  printf(_("\nstore     %s (format %d)\n"), where, overview->version);
  if (overview->link_run == 0) {
    puts(_("linking   never"));
  } else {
    printf(_("linking   %s\n"), moment_text(overview->linked, text));
    print_linked(_("persons"), overview->persons, &overview->last.kinds[CLUSTER_PERSON]);
    print_linked(_("cases"), overview->cases, &overview->last.kinds[CLUSTER_CASE]);
  }
  puts(_("\nto do"));
  if (print_needs(overview) == 0) {
    puts(_("- nothing"));
  }
  return OK;
}

static json_t *moment_json(int64_t micros) {
  char text[TIMESTAMP_TEXT_SIZE];
  if (micros == 0) {
    return json_null();
  }
  clock_format(micros, text);
  return json_string(text);
}

static json_t *source_json(const struct source_overview *source) {
  return json_pack(
      "{ss ss ss ss ss ss sI so so so sb ss? sI sI sI sI ss? ss? ss?}", "source", source->source->code, "title",
      source->source->title, "institution", source->source->institution, "contact", source->source->contact, "unit",
      source->source->unit, "state", source->state, "run", (json_int_t)source->run, "started",
      moment_json(source->started), "ended", moment_json(source->ended), "complete", moment_json(source->complete),
      "under_way", (int)source->under_way, "watermark", source->watermark, "records", (json_int_t)source->total,
      "mapped", (json_int_t)source->mapped, "quarantined", (json_int_t)source->quarantined, "withheld",
      (json_int_t)source->withheld, "message", source->message, "place", source->place, "hint", source->hint);
}

static void print_json(const struct workspace *workspace, const struct overview *overview) {
  json_t *sources = json_array();
  for (size_t i = 0; i < overview->source_count; i++) {
    json_array_append_new(sources, source_json(&overview->sources[i]));
  }
  json_t *root = json_pack("{ss so sb sI sI sI sI so sI sI sI ss?}", "workspace", workspace->config->name, "sources",
                           sources, "store", (int)overview->made, "version", (json_int_t)overview->version, "persons",
                           (json_int_t)overview->persons, "cases", (json_int_t)overview->cases, "link_run",
                           (json_int_t)overview->link_run, "linked", moment_json(overview->linked), "waiting",
                           (json_int_t)overview->waiting, "review", (json_int_t)overview->review, "decided",
                           (json_int_t)overview->decided, "link_message", overview->link_message);
  if (overview->link_run != 0) {
    json_object_set_new(root, "linkage",
                        json_pack("{so so}", "persons",
                                  linked_json(overview->persons, &overview->last.kinds[CLUSTER_PERSON]), "cases",
                                  linked_json(overview->cases, &overview->last.kinds[CLUSTER_CASE])));
  }
  json_dumpf(root, stdout, JSON_INDENT(2));
  puts("");
  json_decref(root);
}

static int run(const struct globals *globals, int argc, char **argv) {
  const struct argument table[] = {{.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_status, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  if (argc > 1) {
    return command_misused(&command_status, _("\"%s\" was not expected"), argv[1]);
  }
  struct workspace workspace;
  struct overview overview;
  struct error error;
  enum status status = service_overview(globals->config, &workspace, &overview, &error);
  if (status == OK && globals->json) {
    print_json(&workspace, &overview);
  } else if (status == OK) {
    status = print_text(&workspace, &overview, &error);
  }
  if (status != OK) {
    exit_code = command_fail(&error);
  }
  overview_free(&overview);
  workspace_close(&workspace);
  return exit_code;
}

const struct command command_status = {
    .name = "status",
    .synopsis = "[--json]",
    .summary = N_("tell at a glance how sources, store and linking stand, and what needs a person"),
    .help = "",
    .run = run,
};
