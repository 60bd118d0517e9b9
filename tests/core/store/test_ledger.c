/* The ledger of releases on both stores: written whole or not at all, read by its two views. */
#include "core/store/ledger.h"
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

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sqlite), cmocka_unit_test(test_postgres),
                                     cmocka_unit_test(test_needs_transaction)};
  return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
