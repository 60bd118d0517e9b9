#include "core/service/releasing.h"

#include "core/audit/audit.h"
#include "core/base/date.h"
#include "core/base/text.h"
#include "core/service/access.h"
#include "core/service/release_make.h"
#include "core/store/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HOLD[] = "release";

/* ---- the run to count at ---- */

/* A run of a killed process says "running" for ever; what it held tells. */
static enum status is_running(struct store *store, const char *kind, struct slice source, bool *running,
                              struct error *error) {
  char name[160];
  if (source.len > 0) {
    snprintf(name, sizeof name, "sync:%.*s", SLICE_ARG(source));
  } else {
    snprintf(name, sizeof name, "%s", kind);
  }
  return store_held(store, name, running, error);
}

enum status releasing_run(const struct workspace *workspace, int64_t *run, struct error *error) {
  struct store *store = workspace->store;
  static const char *const columns[] = {"run_id", "kind", "source", "state"};
  const struct selection selection = {.view = "runs", .columns = columns, .column_count = 4, .order = "run_id"};
  struct result *result = NULL;
  bool running = false;
  *run = 0;
  enum status status = store_select(store, &selection, &result, error);
  while (status == OK && !running && (status = result_next(result, error)) == OK) {
    if (slice_is(result_text(result, 3), "running")) {
      char kind[32];
      snprintf(kind, sizeof kind, "%.*s", SLICE_ARG(result_text(result, 1)));
      struct slice source = result_null(result, 2) ? slice_of("") : result_text(result, 2);
      status = is_running(store, kind, source, &running, error);
    }
    *run = running ? *run : result_integer(result, 0);
  }
  result_free(result);
  status = status == END ? OK : status;
  if (status == OK && *run == 0) {
    error_set(error, ERR_USAGE, "%s", _("the store holds no run that has ended: there is nothing to publish"));
    error_hint(error, "%s", _("`puente run` pulls and links"));
    return ERR_USAGE;
  }
  return status;
}

/* ---- publishing ---- */

/* The newest release of the name, and of all. */
static enum status find_former(const struct workspace *workspace, const char *name, struct arena *arena,
                               int64_t *former, int64_t *newest, struct error *error) {
  struct released *all = NULL;
  size_t count = 0;
  enum status status = releasing_list(workspace, arena, &all, &count, error);
  *former = *newest = 0;
  for (size_t i = 0; i < count && status == OK; i++) {
    *former = strcmp(all[i].name, name) == 0 ? all[i].id : *former;
    *newest = all[i].id;
  }
  return status;
}

/* Together, releases of two methods or bases would tell what each conceals. */
static enum status check_method(const struct workspace *workspace, struct arena *arena, struct error *error) {
  struct released *all = NULL;
  size_t count = 0;
  enum status status = releasing_list(workspace, arena, &all, &count, error);
  for (size_t i = 0; i < count && status == OK; i++) {
    int base = 0;
    status = release_base_read(all[i].settings, arena, &base, error);
    if (status != OK || base == workspace->config->disclosure.base) {
      continue;
    }
    error_set(error, ERR_CONFIG, _("release %lld is published by another method or base than `disclosure:` now says"),
              (long long)all[i].id);
    if (base > 0) {
      error_hint(error,
                 _("the two together would tell what each conceals: keep {method: round, base: %d}, or publish"
                   " from a new store"),
                 base);
    } else {
      error_hint(error, "%s",
                 _("the two together would tell what each conceals: keep {method: suppress}, or publish"
                   " from a new store"));
    }
    status = ERR_CONFIG;
  }
  return status;
}

static void put_table_digest(const struct ledger_table *table, struct buffer *out) {
  char hex[2 * SHA256_SIZE + 1];
  hex_format(table->digest.bytes, SHA256_SIZE, hex);
  buffer_json(out, slice_of(table->name));
  buffer_printf(out, ":\"%s\"", hex);
}

static int by_name(const void *a, const void *b) {
  return strcmp((*(const struct ledger_table *const *)a)->name, (*(const struct ledger_table *const *)b)->name);
}

/* {"digest":…,"id":…,"name":…,"run":…,"settings":…,"tables":{…}}: what the release was, in the log for ever. */
static enum status write_entry(struct workspace *workspace, const struct ledger_release *release, struct error *error) {
  const struct ledger_table *sorted[RELEASED_TABLES_MOST] = {NULL};
  char digest[2 * SHA256_SIZE + 1];
  struct buffer body;
  buffer_init(&body, 1 << 20);
  for (size_t i = 0; i < release->table_count; i++) {
    sorted[i] = &release->tables[i];
  }
  qsort(sorted, release->table_count, sizeof *sorted, by_name);
  hex_format(release->digest.bytes, SHA256_SIZE, digest);
  buffer_printf(&body, "{\"digest\":\"%s\",\"id\":%lld,\"name\":", digest, (long long)release->id);
  buffer_json(&body, slice_of(release->name));
  buffer_printf(&body, ",\"run\":%lld,\"settings\":%s,\"tables\":{", (long long)release->run, release->settings);
  for (size_t i = 0; i < release->table_count; i++) {
    buffer_text(&body, i == 0 ? "" : ",");
    put_table_digest(sorted[i], &body);
  }
  buffer_text(&body, "}}");
  enum status status = buffer_check(&body, "audit entry", error);
  if (status == OK) {
    const struct audit_event event = {.event = "release",
                                      .actor = release->actor,
                                      .purpose = release->purpose,
                                      .run = release->run,
                                      .body = body.data};
    status = audit_append(workspace->store, &event, error);
  }
  buffer_free(&body);
  return status;
}

/* All of it or nothing. */
static enum status publish(struct workspace *workspace, struct ledger_release *release, struct error *error) {
  enum status status = store_begin(workspace->store, error);
  if (status != OK) {
    return status;
  }
  status = store_publish(workspace->store, release, error);
  status = status == OK ? write_entry(workspace, release, error) : status;
  status = status == OK ? store_commit(workspace->store, error) : status;
  if (status != OK) {
    store_rollback(workspace->store);
  }
  return status;
}

static void tell(const struct release_plan *plan, const struct release_made *made, const struct ledger_release *release,
                 struct releasing_made *out) {
  *out = (struct releasing_made){
      .id = release->id, .run = release->run, .replaces = release->replaces, .restated = made->restated};
  hex_format(release->digest.bytes, SHA256_SIZE, out->digest);
  out->tables = plan->count;
  for (size_t i = 0; i < made->count; i++) {
    for (size_t c = 0; c < made->tables[i].cell_count; c++) {
      out->shown += !made->tables[i].cells[c].hidden;
      out->hidden += made->tables[i].cells[c].hidden;
    }
  }
}

static enum status tell_stopped(const char *name, struct error *error) {
  error_set(error, ERR_INTERRUPTED, _("release %s was stopped: nothing is published"), name);
  error_hint(error, "%s", _("`puente release create` begins anew"));
  return ERR_INTERRUPTED;
}

static enum status make_and_publish(struct workspace *workspace, const struct release_plan *plan, const char *purpose,
                                    const atomic_bool *stop, struct arena *arena, struct releasing_made *out,
                                    struct error *error) {
  struct release_making making = {
      .workspace = workspace, .plan = plan, .settings = workspace->config->disclosure, .linkage = true, .stop = stop};
  struct ledger_release release = {.name = plan->name, .actor = workspace->actor, .purpose = purpose};
  struct release_made made;
  struct buffer settings;
  int64_t newest = 0;
  buffer_init(&settings, 1 << 20);
  enum status status = check_method(workspace, arena, error);
  status = status == OK ? releasing_run(workspace, &making.run, error) : status;
  status = status == OK ? find_former(workspace, plan->name, arena, &release.replaces, &newest, error) : status;
  if (status == OK && release.replaces != 0) {
    making.replaces = arena_printf(arena, "%lld", (long long)release.replaces);
    status = making.replaces == NULL ? error_memory(error) : OK;
  }
  status =
      status == OK ? release_settings_write(workspace, plan, making.run, making.settings, &settings, error) : status;
  making.frozen = settings.data;
  status = status == OK ? release_make(&making, arena, &made, error) : status;
  if (status == ERR_INTERRUPTED || (status == OK && stop != NULL && atomic_load(stop))) {
    status = tell_stopped(plan->name, error);
  }
  if (status == OK) {
    release.run = making.run;
    release.made = clock_now();
    release.settings = settings.data;
    release.tables = made.tables;
    release.table_count = made.count;
    status = release_digest(settings.data, made.tables, made.count, &release.digest, error);
  }
  if (status == OK) {
    status = publish(workspace, &release, error);
  }
  if (status == OK) {
    tell(plan, &made, &release, out);
    out->rounded = making.settings.base;
  }
  buffer_free(&settings);
  return status;
}

enum status releasing_create(struct workspace *workspace, const char *name, const char *purpose,
                             const atomic_bool *stop, struct releasing_made *made, struct error *error) {
  struct release_plan plan;
  struct arena *arena = arena_new((size_t)8 << 30);
  enum status status = arena == NULL ? error_memory(error) : access_require(workspace, RIGHT_PUBLISH, error);
  status = status == OK ? access_person(workspace, error) : status;
  status = status == OK ? release_plan_load(workspace, name, arena, &plan, error) : status;
  if (status == OK && (status = store_hold(workspace->store, HOLD, error)) == OK) {
    status = make_and_publish(workspace, &plan, purpose, stop, arena, made, error);
    store_unhold(workspace->store, HOLD);
  }
  arena_free(arena);
  return status;
}
