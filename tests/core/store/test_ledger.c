/* The ledger of releases on both stores: written whole or not at all, read by its two views. */
#include "core/store/ledger.h"
#include "core/store/told.h"
#include "tests/support/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct ledger_cell CELLS[] = {{.values = {"2022", "not_recorded"}, .figure = 12},
                                           {.values = {"2022", "total"}, .hidden = true}};
static const char BODY[] = "year,sex,figure,status\n2022,not_recorded,12,shown\n2022,total,,hidden\n";

static struct ledger_release release_made(struct ledger_table *table) {
  *table = (struct ledger_table){.name = "sex",
                                 .fields = "year,sex",
                                 .settings = "{}",
                                 .body = slice_of(BODY),
                                 .digest = sha256_of(slice_of(BODY)),
                                 .cells = CELLS,
                                 .cell_count = 2};
  return (struct ledger_release){.name = "victims",
                                 .actor = "ana",
                                 .purpose = "test",
                                 .made = 1,
                                 .run = 7,
                                 .settings = "{\"k\":11}",
                                 .tables = table,
                                 .table_count = 1};
}

/* Rows of a view, columns by '|', rows by ';'. */
static void view_is(struct store *store, const char *view, const char *const *columns, size_t count,
                    const char *wanted) {
  const struct selection selection = {.view = view, .columns = columns, .column_count = count};
  struct buffer text;
  struct result *result = NULL;
  struct error error;
  enum status status;
  buffer_init(&text, 1 << 16);
  buffer_text(&text, "");
  MUST(store_select(store, &selection, &result, &error));
  while ((status = result_next(result, &error)) == OK) {
    for (size_t i = 0; i < count; i++) {
      buffer_text(&text, i == 0 ? "" : "|");
      buffer_slice(&text, result_null(result, i) ? slice_of("-") : result_text(result, i));
    }
    buffer_char(&text, ';');
  }
  result_free(result);
  assert_int_equal(status, END);
  assert_string_equal(text.data, wanted);
  buffer_free(&text);
}

static void check_ledger(enum store_kind kind) {
  static const char *const cells[] = {"release_id", "name", "value_1", "value_2", "value_3", "figure", "status"};
  static const char *const tables[] = {"release", "run", "replaces", "fields", "body"};
  struct stand stand;
  struct ledger_table table;
  struct error error;
  stand_open(&stand, kind);
  struct ledger_release release = release_made(&table);
  MUST(store_begin(stand.store, &error));
  MUST(store_publish(stand.store, &release, &error));
  store_rollback(stand.store);
  view_is(stand.store, "released_tables", tables, 5, "");
  view_is(stand.store, "released_cells", cells, 7, "");
  MUST(store_begin(stand.store, &error));
  MUST(store_publish(stand.store, &release, &error));
  MUST(store_commit(stand.store, &error));
  assert_int_equal(release.id, 1);
  view_is(stand.store, "released_tables", tables, 5,
          "victims|7|-|year,sex|year,sex,figure,status\n2022,not_recorded,12,shown\n2022,total,,hidden\n;");
  view_is(stand.store, "released_cells", cells, 7, "1|sex|2022|not_recorded|-|12|shown;1|sex|2022|total|-|-|hidden;");
  stand_close(&stand);
}

static void test_sqlite(void **state) {
  (void)state;
  check_ledger(STORE_SQLITE);
}

static void test_postgres(void **state) {
  (void)state;
  check_ledger(STORE_POSTGRES);
}

/* Nothing is published outside a transaction. */
static void test_needs_transaction(void **state) {
  (void)state;
  struct stand stand;
  struct ledger_table table;
  struct error error;
  stand_open(&stand, STORE_SQLITE);
  struct ledger_release release = release_made(&table);
  assert_int_equal(store_publish(stand.store, &release, &error), ERR_INTERNAL);
  assert_string_equal(error.message, "the store is written outside a transaction");
  stand_close(&stand);
}

/* ---- what reports told ---- */

static void rows_are(struct store *store, const char *wanted) {
  struct arena *arena = arena_new(0);
  struct told_row *rows;
  struct buffer text;
  struct error error;
  size_t count = 0;
  buffer_init(&text, 1 << 16);
  buffer_text(&text, "");
  MUST(store_told(store, arena, &rows, &count, &error));
  for (size_t i = 0; i < count; i++) {
    buffer_printf(&text, "%d|%s|%s;", (int)rows[i].id, rows[i].definition, rows[i].cells);
  }
  assert_string_equal(text.data, wanted);
  buffer_free(&text);
  arena_free(arena);
}

static enum status tell(struct store *store, const char *definition, const char *cells, struct told_state seen,
                        struct error *refusal) {
  struct told_row row = {.definition = definition, .cells = cells};
  struct error error;
  MUST(store_begin(store, &error));
  enum status status = store_tell(store, &row, 1, "ana", seen, refusal);
  if (status != OK) {
    store_rollback(store);
    return status;
  }
  return store_commit(store, refusal);
}

/* The last row of a definition counts; who has not seen the last one, or the last release, writes none. */
static void check_told(enum store_kind kind) {
  struct stand stand;
  struct told_state first, second, third;
  struct ledger_table table;
  struct error error;
  stand_open(&stand, kind);
  struct ledger_release release = release_made(&table);
  MUST(store_told_state(stand.store, &first, &error));
  rows_are(stand.store, "");
  MUST(tell(stand.store, "a", "1", first, &error));
  assert_int_equal(tell(stand.store, "b", "2", first, &error), ERR_BUSY);
  assert_string_equal(error.message, "another report or release came in between");
  MUST(store_told_state(stand.store, &second, &error));
  MUST(tell(stand.store, "b", "2", second, &error));
  MUST(store_told_state(stand.store, &third, &error));
  MUST(store_begin(stand.store, &error));
  MUST(store_publish(stand.store, &release, &error));
  MUST(store_commit(stand.store, &error));
  assert_int_equal(tell(stand.store, "a", "3", third, &error), ERR_BUSY);
  rows_are(stand.store, "1|a|1;2|b|2;");
  MUST(store_told_state(stand.store, &third, &error));
  MUST(tell(stand.store, "a", "3", third, &error));
  rows_are(stand.store, "2|b|2;3|a|3;");
  stand_close(&stand);
}

static void test_told_sqlite(void **state) {
  (void)state;
  check_told(STORE_SQLITE);
}

static void test_told_postgres(void **state) {
  (void)state;
  check_told(STORE_POSTGRES);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sqlite), cmocka_unit_test(test_postgres),
                                     cmocka_unit_test(test_needs_transaction), cmocka_unit_test(test_told_sqlite),
                                     cmocka_unit_test(test_told_postgres)};
  return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
