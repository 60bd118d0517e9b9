#include "core/service/release_make.h"

#include "core/service/release_between.h"
#include "core/service/release_text.h"

#include <stdlib.h>
#include <string.h>

/* ---- settings ---- */

/* The newest plan of each source that was used up to the run, by code. */
static enum status put_plans(const struct workspace *workspace, int64_t run, struct buffer *out, struct error *error) {
  static const char *const columns[] = {"source", "run", "digest", "plan_id"};
  const struct selection selection = {.view = "plans", .columns = columns, .column_count = 4, .order = "-plan_id"};
  const struct config *config = workspace->config;
  char(*digests)[2 * SHA256_SIZE + 1] = calloc(config->source_count + 1, sizeof *digests);
  struct result *result = NULL;
  enum status status =
      digests == NULL ? error_memory(error) : store_select(workspace->store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    for (size_t i = 0; i < config->source_count && result_integer(result, 1) <= run; i++) {
      struct slice digest = result_text(result, 2);
      if (digests[i][0] == '\0' && slice_is(result_text(result, 0), config->sources[i].code)
          && digest.len == 2 * SHA256_SIZE) {
        memcpy(digests[i], digest.data, digest.len);
      }
    }
  }
  result_free(result);
  buffer_text(out, "\"plans\":{");
  bool first = true;
  for (size_t i = 0; digests != NULL && i < config->source_count; i++) {
    if (digests[i][0] != '\0') {
      buffer_printf(out, "%s\"%s\":\"%s\"", first ? "" : ",", config->sources[i].code, digests[i]);
      first = false;
    }
  }
  buffer_text(out, "}");
  free(digests);
  return status == END ? OK : status;
}

/* The order in which sources speak where they differ. */
static void put_sources(const struct config *config, struct buffer *out) {
  buffer_text(out, "\"sources\":[");
  for (size_t turn = 0, told = 0; told < config->source_count && turn <= 4 * config->source_count + 4096; turn++) {
    for (size_t i = 0; i < config->source_count; i++) {
      if (config_turn(config, &config->sources[i]) == (int)turn) {
        buffer_printf(out, "%s\"%s\"", told == 0 ? "" : ",", config->sources[i].code);
        told++;
      }
    }
  }
  buffer_text(out, "]");
}

static void put_codelists(const struct codelists *lists, struct buffer *out) {
  struct buffer all;
  buffer_init(&all, 1 << 20);
  for (size_t i = 0; i < codelists_count(lists); i++) {
    struct sha256 digest = codelist_digest(codelists_at(lists, i));
    buffer_text(&all, codelist_name(codelists_at(lists, i)));
    buffer_char(&all, '\0');
    buffer_append(&all, digest.bytes, SHA256_SIZE);
  }
  char text[2 * SHA256_SIZE + 1];
  struct sha256 digest = sha256_of(buffer_view(&all));
  hex_format(digest.bytes, SHA256_SIZE, text);
  buffer_printf(out, "\"codelists\":\"%s\"", text);
  if (all.failed != OK) {
    out->failed = all.failed;
  }
  buffer_free(&all);
}

enum status release_settings_write(const struct workspace *workspace, const struct release_plan *plan, int64_t run,
                                   struct disclosure_config disclosure, struct buffer *out, struct error *error) {
  buffer_char(out, '{');
  if (disclosure.base > 0) { /* suppression says nothing of itself */
    buffer_printf(out, "\"base\":%d,", disclosure.base);
  }
  put_codelists(workspace->lists, out);
  buffer_printf(out, ",\"k\":%d,\"label\":{\"en\":", disclosure.k);
  buffer_json(out, slice_of(plan->label_en));
  buffer_text(out, ",\"es\":");
  buffer_json(out, slice_of(plan->label_es));
  buffer_text(out, disclosure.base > 0 ? "},\"method\":\"round\"," : "},");
  enum status status = put_plans(workspace, run, out, error);
  buffer_text(out, ",\"release\":");
  buffer_json(out, slice_of(plan->name));
  buffer_char(out, ',');
  put_sources(workspace->config, out);
  buffer_char(out, ',');
  status = status == OK ? release_terms_write(workspace->config, out, error) : status;
  if (disclosure.width != 0) { /* where k says it, nothing is said */
    buffer_printf(out, ",\"width\":%d", disclosure.width);
  }
  buffer_char(out, '}');
  return status == OK ? buffer_check(out, "settings", error) : status;
}

enum status release_digest(const char *settings, const struct ledger_table *tables, size_t count, struct sha256 *digest,
                           struct error *error) {
  struct buffer all;
  buffer_init(&all, 1 << 20);
  buffer_append(&all, "puente release", sizeof "puente release");
  buffer_append(&all, settings, strlen(settings) + 1);
  for (size_t i = 0; i < count; i++) {
    buffer_append(&all, tables[i].name, strlen(tables[i].name) + 1);
    buffer_append(&all, tables[i].digest.bytes, SHA256_SIZE);
  }
  enum status status = buffer_check(&all, "release", error);
  if (status == OK) {
    *digest = sha256_of(buffer_view(&all));
  }
  buffer_free(&all);
  return status;
}

/* ---- what was published before ---- */

struct ledger {
  struct release_before *before;
  size_t count;
};

static enum status read_table(const struct workspace *workspace, const struct released *release,
                              const struct released_table *table, struct arena *arena, struct ledger *ledger,
                              struct error *error) {
  struct release_table_plan *plan = arena_alloc(arena, sizeof *plan);
  struct ledger_cell *cells = NULL;
  struct release_before *before = &ledger->before[ledger->count++];
  if (plan == NULL) {
    return error_memory(error);
  }
  plan->name = table->name;
  enum status status = release_table_read(slice_of(table->settings), arena, plan, error);
  status = status == OK ? release_cells_read(workspace, release->id, table, arena, &cells, &before->cell_count, error)
                        : status;
  before->table = plan;
  before->run = release->run;
  before->cells = cells;
  return status;
}

enum status release_ledger_read(const struct workspace *workspace, int64_t before, struct arena *arena,
                                struct release_before **tables, size_t *count, struct error *error) {
  struct released *releases = NULL;
  struct ledger ledger = {.count = 0};
  size_t all = 0, most = 0;
  enum status status = releasing_list(workspace, arena, &releases, &all, error);
  for (size_t i = 0; i < all && status == OK; i++) {
    most += releases[i].count;
  }
  ledger.before = arena_array(arena, most + 1, sizeof *ledger.before);
  if (status == OK && ledger.before == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < all && status == OK; i++) {
    int base = 0; /* rounded figures tell of no exact one */
    status = release_base_read(releases[i].settings, arena, &base, error);
    for (size_t t = 0; t < releases[i].count && base == 0 && status == OK; t++) {
      bool counts = releases[i].tables[t].settings != NULL && (before == 0 || releases[i].id < before);
      status = counts ? read_table(workspace, &releases[i], &releases[i].tables[t], arena, &ledger, error) : OK;
    }
  }
  *tables = ledger.before;
  *count = ledger.count;
  return status;
}

/* ---- all ---- */

static enum status count_tables(const struct release_making *making, struct arena *arena,
                                struct release_counted *counted, struct error *error) {
  const struct release_table_plan *tables[RELEASE_TABLES_MOST];
  struct release_before *before = NULL;
  size_t before_count = 0;
  enum status status = making->settings.base > 0 ? OK
                                                 : release_ledger_read(making->workspace, making->before, arena,
                                                                       &before, &before_count, error);
  for (size_t i = 0; i < making->plan->count; i++) {
    tables[i] = &making->plan->tables[i];
  }
  const struct release_request request = {.workspace = making->workspace,
                                          .as_of_run = making->run,
                                          .settings = making->settings,
                                          .tables = tables,
                                          .count = making->plan->count,
                                          .before = before,
                                          .before_count = before_count,
                                          .stop = making->stop,
                                          .first = making->before == 0};
  return status == OK ? release_count(&request, arena, counted, error) : status;
}

static enum status add_texts(const struct release_making *making, const struct release_counted *counted,
                             struct arena *arena, struct release_made *made, struct error *error) {
  struct release_facts facts = {.workspace = making->workspace,
                                .plan = making->plan,
                                .counted = counted,
                                .tables = made->tables,
                                .run = making->run,
                                .k = making->settings.k,
                                .base = making->settings.base};
  struct release_restating restating = {.workspace = making->workspace,
                                        .plan = making->plan,
                                        .tables = made->tables,
                                        .run = making->run,
                                        .settings = making->frozen,
                                        .rounded = making->settings.base > 0};
  struct released earlier;
  enum status status = OK;
  if (making->replaces != NULL) {
    status = releasing_open(making->workspace, making->replaces, arena, &earlier, error);
    restating.earlier = &earlier;
  }
  facts.coverage = &made->tables[made->count++];
  status = status == OK ? release_text_coverage(&facts, arena, &made->tables[made->count - 1], error) : status;
  status =
      status == OK ? release_restate(&restating, arena, &made->tables[made->count++], &made->restated, error) : status;
  status = status == OK ? release_text_dictionary(&facts, arena, &made->tables[made->count++], error) : status;
  if (status == OK && making->linkage) {
    status = release_text_linkage(&facts, arena, &made->tables[made->count++], error);
  }
  return status;
}

enum status release_make(const struct release_making *making, struct arena *arena, struct release_made *made,
                         struct error *error) {
  const struct release_plan *plan = making->plan;
  struct release_counted *counted = arena_array(arena, plan->count, sizeof *counted);
  *made = (struct release_made){.tables = arena_array(arena, RELEASED_TABLES_MOST, sizeof *made->tables)};
  if (counted == NULL || made->tables == NULL) {
    return error_memory(error);
  }
  enum status status = count_tables(making, arena, counted, error);
  for (size_t i = 0; i < plan->count && status == OK; i++) {
    status = release_text_cells(&plan->tables[i], &counted[i], arena, &made->tables[made->count++], error);
  }
  return status == OK ? add_texts(making, counted, arena, made, error) : status;
}
