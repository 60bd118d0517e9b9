#include "core/base/date.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/moment.h"
#include "core/command/table.h"
#include "core/service/overview.h"

#include "core/sync/drift.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* What a reader wants to know first: what runs, else how it stands. */
static const char *state_label(const struct source_overview *source) {
  if (source->running) {
    return _("running");
  }
  bool cut_off = strcmp(source->state, "interrupted") == 0 && !standing_needs_person(source->standing.standing);
  return cut_off ? _("interrupted") : standing_label(source->standing.standing);
}

static enum table_paint state_paint(const struct source_overview *source) {
  enum standing standing = source->standing.standing;
  if (standing_needs_person(standing)) {
    return PAINT_BAD;
  }
  if (strcmp(source->state, "interrupted") == 0 || standing == STANDING_NEVER || standing == STANDING_EMPTY) {
    return PAINT_WARNING;
  }
  return standing == STANDING_OK ? PAINT_GOOD : PAINT_FAINT;
}

/* "120 +7": those of the last run after the sign. */
static void add_quarantine(struct table *table, const struct source_overview *source) {
  char total[32], more[32], text[80];
  number_group(source->quarantined, total);
  number_group(source->counts.quarantined, more);
  bool grew = source->counts.quarantined > 0 && source->quarantined >= source->counts.quarantined;
  snprintf(text, sizeof text, grew ? "%s (+%s)" : "%s", total, more);
  table_text(table, text);
  table_paint(table, grew ? PAINT_WARNING : PAINT_NONE);
}

static const char *due_text(const struct source_overview *source, int64_t now, char text[MOMENT_SIZE]) {
  const struct source_standing *standing = &source->standing;
  if (standing->standing == STANDING_PAUSED || standing->standing == STANDING_RETIRED) {
    return "-";
  }
  int64_t next = standing->due;
  if (standing->retry != 0 && standing->retry < next) {
    next = standing->retry;
  }
  if (next == INT64_MAX) {
    return _("by hand");
  }
  return next <= now ? _("now") : moment_text(next, text);
}

/* Worst first; those that stand alike as the configuration has them. */
static int by_standing(const void *a, const void *b) {
  const struct source_overview *left = *(const struct source_overview *const *)a;
  const struct source_overview *right = *(const struct source_overview *const *)b;
  if (left->standing.standing != right->standing.standing) {
    return left->standing.standing < right->standing.standing ? -1 : 1;
  }
  return left < right ? -1 : left > right;
}

static const struct source_overview **sorted(const struct overview *overview) {
  const struct source_overview **order = calloc(overview->source_count + 1, sizeof *order);
  for (size_t i = 0; order != NULL && i < overview->source_count; i++) {
    order[i] = &overview->sources[i];
  }
  if (order != NULL) {
    qsort(order, overview->source_count, sizeof *order, by_standing);
  }
  return order;
}

static void add_source(struct table *table, const struct source_overview *source, int64_t now) {
  char text[MOMENT_SIZE];
  table_text(table, source->source->code);
  table_text(table, state_label(source));
  table_paint(table, state_paint(source));
  table_text(table, moment_text(source->running ? source->started : source->standing.since, text));
  table_text(table, moment_text(source->ended != 0 ? source->ended : source->started, text));
  table_text(table, due_text(source, now, text));
  table_integer(table, source->total);
  add_quarantine(table, source);
  table_integer(table, source->withheld);
  table_integer(table, source->drift);
  table_paint(table, source->drift > 0 ? PAINT_WARNING : PAINT_NONE);
}

static enum status print_sources(const struct overview *overview, const struct source_overview *const *order,
                                 struct error *error) {
  const struct table_column columns[] = {{.name = "source", .title = _("source")},
                                         {.name = "state", .title = _("state")},
                                         {.name = "since", .title = _("since")},
                                         {.name = "last", .title = _("last sync")},
                                         {.name = "next", .title = _("next")},
                                         {.name = "records", .title = _("records"), .align = ALIGN_RIGHT},
                                         {.name = "quarantined", .title = _("quarantine"), .align = ALIGN_RIGHT},
                                         {.name = "withheld", .title = _("withheld"), .align = ALIGN_RIGHT},
                                         {.name = "drift", .title = _("fields changed"), .align = ALIGN_RIGHT}};
  struct table *table = table_new(columns, sizeof columns / sizeof *columns);
  if (table == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < overview->source_count; i++) {
    add_source(table, order[i], overview->now);
  }
  enum status status = table_print(table, stdout, TABLE_TEXT, error);
  table_free(table);
  return status;
}

static void print_running(const struct overview *overview) {
  char text[MOMENT_SIZE], number[32];
  for (size_t i = 0; i < overview->source_count; i++) {
    const struct source_overview *source = &overview->sources[i];
    if (source->running) {
      printf(_("running   %s since %s, %s records so far\n"), source->source->code, moment_text(source->started, text),
             number_group(source->counts.pulled, number));
    }
  }
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

/* "missing: sex (the mapping reads it)", the first ones. */
static void print_drift(const struct source_overview *source) {
  enum { SHOWN = 5 };
  for (int64_t i = 0; i < source->drift && i < SHOWN; i++) {
    const struct drift *drift = &source->drifts[i];
    char was[96], is[96];
    drift_kinds_text(drift->was, was);
    drift_kinds_text(drift->is, is);
    if (drift->kind == DRIFT_RETYPED) {
      printf(_("    field %.*s was %s, and is %s now"), SLICE_ARG(drift->path), was, is);
    } else {
      printf(drift->kind == DRIFT_MISSING ? _("    field %.*s is missing") : _("    field %.*s is new"),
             SLICE_ARG(drift->path));
    }
    puts(drift->mapped ? _("; the mapping reads it") : "");
  }
  if (source->drift > SHOWN) {
    printf(_("    and %lld more: `puente drift list %s`\n"), (long long)(source->drift - SHOWN), source->source->code);
  }
  if (source->drift > 0) {
    printf(_("    where it may stay so: `puente drift accept %s --reason TEXT`\n"), source->source->code);
  }
}

/* What is wrong with one, since when, what to do, and whom to call. */
static void print_trouble(const struct source_overview *source) {
  const struct source_standing *standing = &source->standing;
  const struct source_health *health = &source->health;
  char text[MOMENT_SIZE];
  printf(_("- %s: %s since %s"), source->source->code, standing_label(standing->standing),
         moment_text(standing->since, text));
  if (health->failures > 1) {
    printf(_(", %d tries failed"), health->failures);
  }
  puts("");
  if (health->message != NULL && health->message[0] != '\0') {
    printf(_("    %s\n"), health->message);
  }
  if (health->place != NULL && health->place[0] != '\0') {
    printf(_("    at: %s\n"), health->place);
  }
  bool hinted = health->hint != NULL && health->hint[0] != '\0';
  const char *advice = hinted ? health->hint : standing_advice(standing->standing);
  if (advice[0] != '\0') {
    printf(_("    %s\n"), advice);
  }
  if (source->source->contact[0] != '\0' && standing->standing != STANDING_FAILED) {
    printf(_("    contact: %s\n"), source->source->contact);
  }
  if (standing->retry != 0 && standing->retry != INT64_MAX) {
    printf(_("    next try: %s\n"), moment_text(standing->retry, text));
  }
}

static int print_source_needs(const struct source_overview *source) {
  const char *code = source->source->code;
  int needs = 0;
  enum standing standing = source->standing.standing;
  if (standing == STANDING_RETIRED) {
    return 0;
  }
  if (standing_needs_person(standing)) {
    print_trouble(source);
    needs++;
  } else if (source->message != NULL && strcmp(source->state, "ok") == 0) {
    printf(_("- %s: %s\n"), code, source->message);
    needs++;
  } else if (source->drift > 0) {
    printf(_("- %s: its fields changed\n"), code);
    needs++;
  }
  print_drift(source);
  bool first = standing == STANDING_NEVER || strcmp(source->state, "interrupted") == 0;
  if (first && standing != STANDING_PAUSED) {
    printf(_("- %s: `puente sync %s`%s\n"), code, code, source->under_way ? _(" goes on where it stopped") : "");
    needs++;
  }
  if (source->plans > 1) {
    printf(_("- %s: some of its records were mapped before the mapping, a code list or the program changed: `puente "
             "remap %s`\n"),
           code, code);
    needs++;
  }
  if (source->quarantined > 0) {
    printf(_("- %s: in quarantine: %lld, see `puente quarantine list --source %s`\n"), code,
           (long long)source->quarantined, code);
    needs++;
  }
  return needs;
}

static int print_expiries(const struct overview *overview) {
  int needs = 0;
  for (size_t i = 0; i < overview->expiry_count && overview->expiries[i].level >= 0; i++) {
    const struct expiry *expiry = &overview->expiries[i];
    const char *whose = expiry->source == NULL ? _("store") : expiry->source;
    if (expiry->level == 0) {
      printf(_("- %s: %s has expired\n"), whose, expiry_label(expiry->what));
    } else if (expiry->days == 0) {
      printf(_("- %s: %s expires within a day\n"), whose, expiry_label(expiry->what));
    } else {
      printf(ngettext("- %s: %s expires in %d day\n", "- %s: %s expires in %d days\n", (unsigned long)expiry->days),
             whose, expiry_label(expiry->what), expiry->days);
    }
    needs++;
  }
  return needs;
}

static int print_holders(const struct overview *overview) {
  const struct holders_standing *holders = &overview->holders;
  char text[MOMENT_SIZE];
  if (!holders->stale) {
    return 0;
  }
  if (holders->last == 0) {
    puts(_("- no holder has a checkpoint of the audit log yet"));
  } else {
    printf(_("- no holder has a checkpoint of the audit log younger than 7 days: the last one is of %s\n"),
           moment_text(holders->last, text));
  }
  puts(holders->tried == 0
           ? _("    send one by `puente audit checkpoint --send`; `puente serve` does it by its schedule")
           : _("    see why by `puente audit receipts`, then `puente audit checkpoint --send`"));
  return 1;
}

static void print_weights(const struct waiting_text *item) {
  char text[MOMENT_SIZE];
  printf(_("- weights that linking learned wait for approval since %s"), moment_text(item->since, text));
  puts(item->first ? _("; until then those to start with are used") : _("; those approved before are used"));
  printf(_("    a second person: `puente approve show %lld`, `puente approve accept %lld --reason TEXT --document "
           "NUMBER`\n"),
         (long long)item->proposal, (long long)item->proposal);
}

/* Files that changed, and what acts meanwhile. */
static int print_texts(const struct overview *overview) {
  char text[MOMENT_SIZE];
  for (size_t i = 0; i < overview->text_count; i++) {
    const struct waiting_text *item = &overview->texts[i];
    const char *kind = text_kind_names[item->kind];
    if (item->kind == TEXT_WEIGHTS) {
      print_weights(item);
      continue;
    }
    if (item->missing) {
      printf(_("- %s %s: its file is missing"), kind, item->name);
    } else {
      printf(_("- %s %s: its file waits for approval since %s"), kind, item->name, moment_text(item->since, text));
    }
    puts(item->first ? _("; until then nothing is done with it") : _("; the version approved before is used"));
    if (item->proposal != 0 && !item->stale) {
      printf(_("    a second person: `puente approve show %lld`, `puente approve accept %lld`\n"),
             (long long)item->proposal, (long long)item->proposal);
    } else if (!item->missing) {
      printf(_("    `puente approve propose %s %s --reason TEXT --document NUMBER`\n"), kind, item->name);
    }
  }
  return (int)overview->text_count;
}

/* Sources that the store knows and the configuration does not: nothing else would tell of them. */
static int print_astray(const struct overview *overview) {
  char number[32];
  for (size_t i = 0; i < overview->astray_count; i++) {
    number_group(overview->astray[i].records, number);
    printf(_("- %s: no file of the configuration describes it any more, and records of it stay in the store: %s\n"),
           overview->astray[i].code, number);
    puts(_("    nothing pulls it, and nothing keeps to its terms: put its file back, with state: retired where it has "
           "ended"));
  }
  return (int)overview->astray_count;
}

static int print_backup_needs(const struct overview *overview) {
  char text[MOMENT_SIZE];
  if (!overview->backup_failed && !overview->backup_old) {
    return 0;
  }
  if (overview->backup_failed) {
    printf(_("- the last backup failed; the last good one: %s\n"),
           overview->backup == 0 ? _("none") : moment_text(overview->backup, text));
  } else {
    printf(_("- the last backup is of %s\n"), moment_text(overview->backup, text));
  }
  puts(_("    see that the folder of the backups has room, and try `puente store backup` by hand"));
  return 1;
}

/* What needs a person, each with what to do. Gives their number. */
static int print_needs(const struct overview *overview, const struct source_overview *const *order) {
  int needs = print_astray(overview);
  for (size_t i = 0; i < overview->source_count; i++) {
    needs += print_source_needs(order[i]);
  }
  return needs + print_texts(overview) + print_expiries(overview) + print_holders(overview)
         + print_backup_needs(overview) + print_linking_needs(overview);
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

static void print_store(const struct workspace *workspace, const struct overview *overview) {
  char text[MOMENT_SIZE];
  const char *where =
      workspace->config->store == STORE_SQLITE ? workspace->config->store_path : workspace->config->store_dsn;
  printf(_("\nstore     %s (format %d)\n"), where, overview->version);
  printf(_("times     %s\n"), workspace->config->serve.zone);
  if (overview->link_run == 0) {
    puts(_("linking   never"));
  } else {
    printf(_("linking   %s\n"), moment_text(overview->linked, text));
    print_linked(_("persons"), overview->persons, &overview->last.kinds[CLUSTER_PERSON]);
    print_linked(_("cases"), overview->cases, &overview->last.kinds[CLUSTER_CASE]);
  }
  printf(_("backup    %s"), overview->backup == 0 ? _("none") : moment_text(overview->backup, text));
  printf(_("; tried by restoring: %s\n"), overview->restored == 0 ? _("never") : moment_text(overview->restored, text));
  if (overview->holders.holders == 0) {
    puts(_("audit     no holder outside is configured: a log that is cut short goes unnoticed (`checkpoints:`)"));
  } else {
    printf(_("audit     last checkpoint with a holder: %s\n"),
           overview->holders.last == 0 ? _("none") : moment_text(overview->holders.last, text));
  }
  print_running(overview);
}

static enum status print_text(const struct workspace *workspace, const struct overview *overview, struct error *error) {
  if (overview->source_count == 0) {
    puts(_("this workspace has no source yet: copy sources/example.yaml.txt to sources/CODE.yaml and fill it in"));
    print_astray(overview);
    return OK;
  }
  moment_use_zone(workspace->config->serve.zone);
  const struct source_overview **order = sorted(overview);
  enum status status = order == NULL ? error_memory(error) : print_sources(overview, order, error);
  if (status == OK && overview->newest_copy != NULL) {
    puts(_("\nthe store is gone, and copies of it are there: look whether its disk is mounted"));
    printf(_("- `puente store restore %s` puts the newest back; `puente store init` begins a new one\n"),
           overview->newest_copy);
  } else if (status == OK && !overview->made) {
    puts(_("\nno store yet: `puente sync` makes it"));
  } else if (status == OK) {
    print_store(workspace, overview);
    puts(_("\nto do"));
    if (print_needs(overview, order) == 0) {
      puts(_("- nothing"));
    }
  }
  free(order);
  return status;
}

static json_t *moment_json(int64_t micros) {
  char text[TIMESTAMP_TEXT_SIZE];
  if (micros == 0) {
    return json_null();
  }
  clock_format(micros, text);
  return json_string(text);
}

static json_t *drifts_json(const struct source_overview *source) {
  json_t *list = json_array();
  for (int64_t i = 0; i < source->drift; i++) {
    const struct drift *drift = &source->drifts[i];
    json_array_append_new(list, json_pack("{ss% ss sb si si so}", "field", drift->path.data, drift->path.len, "kind",
                                          drift_names[drift->kind], "mapped", (int)drift->mapped, "was", drift->was,
                                          "is", drift->is, "since", moment_json(drift->since)));
  }
  return list;
}

static json_t *future_json(int64_t micros) {
  return micros == INT64_MAX ? json_null() : moment_json(micros);
}

static json_t *standing_json(const struct source_overview *source) {
  const struct source_standing *standing = &source->standing;
  const struct source_health *health = &source->health;
  return json_pack("{ss so so so so sb si so so ss ss? ss? ss?}", "state", standing_names[standing->standing], "since",
                   moment_json(standing->since), "due", future_json(standing->due), "overdue",
                   moment_json(standing->overdue), "retry", future_json(standing->retry), "circuit_open",
                   (int)standing->circuit_open, "failures", health->failures, "tried", moment_json(health->tried),
                   "succeeded", moment_json(health->succeeded), "error", status_name(health->error), "message",
                   health->message, "place", health->place, "hint", health->hint);
}

static json_t *source_json(const struct source_overview *source) {
  json_t *object = json_pack(
      "{ss ss ss ss ss ss sI so so so sb ss? sI sI sI sI ss? ss? ss?}", "source", source->source->code, "title",
      source->source->title, "institution", source->source->institution, "contact", source->source->contact, "unit",
      source->source->unit, "state", source->state, "run", (json_int_t)source->run, "started",
      moment_json(source->started), "ended", moment_json(source->ended), "complete", moment_json(source->complete),
      "under_way", (int)source->under_way, "watermark", source->watermark, "records", (json_int_t)source->total,
      "mapped", (json_int_t)source->mapped, "quarantined", (json_int_t)source->quarantined, "withheld",
      (json_int_t)source->withheld, "message", source->message, "place", source->place, "hint", source->hint);
  json_object_set_new(object, "running", json_boolean(source->running));
  json_object_set_new(object, "pulled", json_integer(source->counts.pulled));
  json_object_set_new(object, "mixed_mappings", json_boolean(source->plans > 1));
  json_object_set_new(object, "newly_quarantined", json_integer(source->counts.quarantined));
  json_object_set_new(object, "standing", standing_json(source));
  json_object_set_new(object, "drift", drifts_json(source));
  return object;
}

static json_t *texts_json(const struct overview *overview) {
  json_t *list = json_array();
  for (size_t i = 0; i < overview->text_count; i++) {
    const struct waiting_text *item = &overview->texts[i];
    json_array_append_new(
        list, json_pack("{ss ss so sb sb so}", "kind", text_kind_names[item->kind], "name", item->name, "proposal",
                        item->proposal == 0 ? json_null() : json_integer(item->proposal), "stale", (int)item->stale,
                        "first", (int)item->first, "since", moment_json(item->since)));
  }
  return list;
}

static json_t *expiries_json(const struct overview *overview) {
  json_t *list = json_array();
  for (size_t i = 0; i < overview->expiry_count; i++) {
    const struct expiry *expiry = &overview->expiries[i];
    json_array_append_new(list,
                          json_pack("{ss? ss so si sb}", "source", expiry->source, "what", expiry->what, "at",
                                    moment_json(expiry->at), "days", expiry->days, "warns", (int)(expiry->level >= 0)));
  }
  return list;
}

static json_t *astray_json(const struct overview *overview) {
  json_t *list = json_array();
  for (size_t i = 0; i < overview->astray_count; i++) {
    json_array_append_new(list, json_pack("{ss sI}", "source", overview->astray[i].code, "records",
                                          (json_int_t)overview->astray[i].records));
  }
  return list;
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
  json_object_set_new(root, "not_configured", astray_json(overview));
  json_object_set_new(root, "expiries", expiries_json(overview));
  json_object_set_new(root, "approvals", texts_json(overview));
  json_object_set_new(root, "backup", moment_json(overview->backup));
  json_object_set_new(root, "backup_failed", json_boolean(overview->backup_failed));
  json_object_set_new(root, "restored", moment_json(overview->restored));
  json_object_set_new(root, "checkpoint",
                      json_pack("{sI so sb}", "holders", (json_int_t)overview->holders.holders, "last",
                                moment_json(overview->holders.last), "stale", (int)overview->holders.stale));
  json_object_set_new(root, "newest_copy",
                      overview->newest_copy == NULL ? json_null() : json_string(overview->newest_copy));
  json_object_set_new(root, "needs_person", json_boolean(overview_alarms(overview)));
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
  bool check = false;
  const struct argument table[] = {{.name = "check", .flag = &check}, {.name = NULL}};
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
  } else if (check && overview_alarms(&overview)) {
    exit_code = status_exit_code(ERR_BALANCE);
  }
  overview_free(&overview);
  workspace_close(&workspace);
  return exit_code;
}

const struct command command_status = {
    .name = "status",
    .synopsis = "[--check] [--json]",
    .summary = N_("tell at a glance how sources, store and linking stand, and what needs a person"),
    .help =
        N_("Sources that need a person stand first: failed (this side), refused (credentials, permission), changed\n"
           "(its fields no longer fit the mapping), unreachable, late (no sync succeeded since it was due). Empty,\n"
           "never pulled, paused and retired are states of their own, none of them a zero. With --check the exit\n"
           "code is 3 where a source is in one of the five or has lost its file, something expires within 30 days,\n"
           "the last linking or backup failed, no backup is younger than 8 days where there are any, no holder got a\n"
           "checkpoint for 7 days, or the store is gone while copies of it are there; 0 else. Records in quarantine "
           "and pairs to review do not count: they are the daily work.\n"),
    .run = run,
};
