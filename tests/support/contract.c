#include "tests/support/contract.h"

#include "tests/support/postgres.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum store_kind contract_kinds[2] = {STORE_SQLITE, STORE_POSTGRES};

int contract_setup(void **state) {
  enum store_kind kind = *(enum store_kind *)*state;
  struct stand *stand = calloc(1, sizeof *stand);
  stand_open(stand, kind);
  *state = stand;
  return 0;
}

int contract_teardown(void **state) {
  stand_close(*state);
  free(*state);
  return 0;
}

void contract_sources(struct stand *stand) {
  struct error error;
  int ids[2];
  struct source_config sources[2] = {
      {.code = "alpha", .title = "Alpha", .institution = "PE/MP", .contact = "alpha@example.org", .unit = "denuncia"},
      {.code = "beta", .title = "Beta", .institution = "PE/PNP", .deletes = DELETES_SWEEP, .precedence = 1}};
  MUST(store_begin(stand->store, &error));
  MUST(store_sources(stand->store, sources, 2, ids, &error));
  MUST(store_commit(stand->store, &error));
  assert_int_equal(ids[0], 1);
  assert_int_equal(ids[1], 2);
}

int64_t contract_run(struct stand *stand, const char *kind, int source_id) {
  struct error error;
  int64_t run = 0;
  MUST(store_begin(stand->store, &error));
  MUST(store_run_begin(stand->store, kind, source_id, "tester", "test", &run, &error));
  MUST(store_commit(stand->store, &error));
  return run;
}

void sheet_open(struct sheet *sheet, const struct stand *stand) {
  sheet->count = 0;
  buffer_init(&sheet->body, 1 << 20);
  batch_open(&sheet->batch, stand->model);
}

void sheet_close(struct sheet *sheet) {
  buffer_free(&sheet->body);
  batch_close(&sheet->batch);
}

uint32_t sheet_record(struct sheet *sheet, const struct stand *stand, const char *key, const char *version,
                      enum record_state state) {
  char *bytes = arena_printf(sheet->batch.arena, "{%s %s}", key, version);
  struct landed *record = &sheet->records[sheet->count];
  *record = (struct landed){.source_key = slice_of(arena_text(sheet->batch.arena, slice_of(key))),
                            .key_digest = key_digest(stand->key, "key", slice_of(key)),
                            .digest = key_digest(stand->key, "bytes", slice_of(bytes)),
                            .offset = (uint32_t)sheet->body.len,
                            .len = (uint32_t)strlen(bytes),
                            .state = state};
  buffer_text(&sheet->body, bytes);
  return (uint32_t)sheet->count++;
}

void sheet_store(struct sheet *sheet, struct stand *stand, int source_id, int64_t run, struct staged *staged) {
  struct error error;
  struct keyed_digest keys[64];
  struct record_state_found found[64];
  bool all_new = true;
  for (size_t i = 0; i < sheet->count; i++) {
    keys[i] = sheet->records[i].key_digest;
  }
  MUST(store_begin(stand->store, &error));
  MUST(store_find_records(stand->store, source_id, keys, sheet->count, found, &error));
  for (size_t i = 0; i < sheet->count; i++) {
    sheet->records[i].record_id = found[i].record_id;
    all_new = all_new && found[i].record_id == 0;
  }
  struct landing landing = {.source_id = source_id,
                            .run = run,
                            .plan_id = 1,
                            .origin = "page 1",
                            .format = "csv",
                            .context = slice_of("{\"header\":1}"),
                            .body = buffer_view(&sheet->body),
                            .records = sheet->records,
                            .count = sheet->count};
  MUST(store_land(stand->store, &landing, &error));
  struct staging staging = {.source_id = source_id,
                            .run = run,
                            .plan_id = 1,
                            .institution = "PE/MP",
                            .records = sheet->records,
                            .count = sheet->count,
                            .batch = &sheet->batch,
                            .all_new = all_new};
  MUST(store_stage(stand->store, &staging, staged, &error));
  MUST(store_commit(stand->store, &error));
}

bool contract_pair(void *some_pairs, struct link_pair_row *pair) {
  struct some_pairs *some = some_pairs;
  if (some->left == 0) {
    return false;
  }
  some->left--;
  *pair = *some->pairs++;
  return true;
}

static char *rows_text(struct result *result, const char *between) {
  struct buffer text;
  struct error error;
  enum status status;
  buffer_init(&text, 1 << 20);
  buffer_text(&text, "");
  for (bool first = true; (status = result_next(result, &error)) == OK; first = false) {
    buffer_text(&text, first ? "" : between);
    for (size_t i = 0; i < result_columns(result); i++) {
      buffer_text(&text, i == 0 ? "" : "|");
      if (result_null(result, i)) {
        buffer_text(&text, "null");
      } else {
        buffer_slice(&text, result_text(result, i));
      }
    }
  }
  if (status != END) {
    buffer_reset(&text);
    buffer_printf(&text, "%s: %s", status_name(status), error.message);
  }
  result_free(result);
  return text.data;
}

char *view_text(struct stand *stand, const char *view, const char *column, const char *where, const char *is) {
  struct error error;
  struct result *result;
  struct filter filter = {.column = where, .text = is};
  struct selection selection = {
      .view = view, .columns = &column, .column_count = 1, .filters = &filter, .filter_count = where != NULL};
  MUST(store_select(stand->store, &selection, &result, &error));
  return rows_text(result, ",");
}

int64_t view_count(struct stand *stand, const char *view, const char *where, const char *is) {
  struct error error;
  struct result *result;
  struct filter filter = {.column = where, .text = is};
  struct selection selection = {.view = view, .filters = &filter, .filter_count = where != NULL};
  int64_t count = 0;
  MUST(store_select(stand->store, &selection, &result, &error));
  while (result_next(result, &error) == OK) {
    count++;
  }
  result_free(result);
  return count;
}

char *query_text(struct stand *stand, const char *sql) {
  struct error error;
  struct result *result;
  enum status status = store_query(stand->store, sql, 20000000, &result, &error);
  if (status == OK) {
    return rows_text(result, ";");
  }
  char *text = NULL;
  if (asprintf(&text, "%s: %s", status_name(status), error.message) < 0) {
    abort();
  }
  return text;
}

void contract_sql(const struct stand *stand, const char *sql) {
  if (stand->options.kind == STORE_POSTGRES) {
    char text[1024];
    snprintf(text, sizeof text, "SET search_path = %s; %s", stand->schema, sql);
    postgres_run(text);
    return;
  }
  sqlite3 *handle = NULL;
  assert_int_equal(sqlite3_open(stand->path, &handle), SQLITE_OK);
  assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(handle);
}
