/* What reports told, and its entries: whatever is changed, taken out or put in behind the program's back is found, at
 * the entry that it was committed with. */
#include "core/audit/audit.h"
#include "core/audit/told.h"

#include "tests/support/contract.h"

#include <stdio.h>

static void tell(struct stand *stand, struct told_row *rows, size_t count) {
  struct told_state seen;
  struct error error;
  char body[TOLD_BODY_MOST];
  MUST(store_told_state(stand->store, &seen, &error));
  MUST(store_begin(stand->store, &error));
  MUST(store_tell(stand->store, rows, count, "ana", seen, &error));
  MUST(told_body(rows, count, body, &error));
  const struct audit_event event = {.event = "told", .actor = "ana", .body = body};
  MUST(audit_append(stand->store, &event, &error));
  MUST(store_commit(stand->store, &error));
}

static void append(struct stand *stand, const char *event, const char *body) {
  const struct audit_event entry = {.event = event, .actor = "ana", .body = body};
  struct error error;
  MUST(store_begin(stand->store, &error));
  MUST(audit_append(stand->store, &entry, &error));
  MUST(store_commit(stand->store, &error));
}

/* Entries 1 and 4 are of nothing told; 2 is of rows 1 and 2, 3 of row 3, 5 of rows 4 to 6. */
static void tell_some(struct stand *stand) {
  struct told_row rows[] = {{.definition = "{\"by\":[\"sex\"]}", .cells = "[12]"},
                            {.definition = "{\"by\":[]}", .cells = "[31]"},
                            {.definition = "{\"by\":[\"age\"]}", .cells = "[-1]"},
                            {.definition = "{\"by\":[\"sex\"]}", .cells = "[13]"},
                            {.definition = "{\"by\":[\"year\"]}", .cells = "[\"ñ\",20]"},
                            {.definition = "{\"by\":[\"month\"]}", .cells = ""}};
  append(stand, "land", NULL);
  tell(stand, rows, 2);
  tell(stand, rows + 2, 1);
  append(stand, "land", NULL);
  tell(stand, rows + 3, 3);
}

static void finds(struct stand *stand, int64_t first, const char *what) {
  struct audit_check check;
  struct error error;
  MUST(audit_verify(stand->store, &check, &error));
  assert_int_equal(check.first_wrong, first);
  assert_string_equal(check.what, what);
}

static const char CHANGED[] = "what a report told was changed or taken out of table `told`, or put in";
static const char UNNAMED[] = "table `told` has a row that no entry up to this one names: it was put in";

static void what_is_changed_is_found(void **state) {
  struct stand *stand = *state;
  static const struct {
    const char *sql, *what;
    int64_t first;
  } CASES[] = {
      {"UPDATE told SET cells = '[14]' WHERE told_id = 4", CHANGED, 5},
      {"UPDATE told SET cells = '[-1,1]' WHERE told_id = 3", CHANGED, 3},
      {"UPDATE told SET definition = 'x' WHERE told_id = 2", CHANGED, 2},
      {"UPDATE told SET definition = definition || cells, cells = '' WHERE told_id = 5", CHANGED, 5},
      {"DELETE FROM told WHERE told_id = 1", CHANGED, 2},
      {"DELETE FROM told WHERE told_id = 3", CHANGED, 3},
      {"DELETE FROM told WHERE told_id = 6", CHANGED, 5},
      {"DELETE FROM told", CHANGED, 2},
      {"UPDATE told SET told_id = 9 WHERE told_id = 3; UPDATE told SET told_id = 3 WHERE told_id = 4", CHANGED, 3},
      {"UPDATE told SET told_id = 8 WHERE told_id = 6", CHANGED, 5},
      {"INSERT INTO told (told_id, definition, cells, at, actor) VALUES (7, 'a', 'b', 1, 'ana')", UNNAMED, 5},
      {"INSERT INTO told (told_id, definition, cells, at, actor) VALUES (0, 'a', 'b', 1, 'ana')", UNNAMED, 5},
      {"INSERT INTO told (told_id, definition, cells, at, actor) VALUES (-9223372036854775807, 'a', 'b', 1, 'ana')",
       UNNAMED, 5},
  };
  tell_some(stand);
  finds(stand, 0, "");
  contract_sql(stand, "CREATE TABLE kept AS SELECT * FROM told");
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    contract_sql(stand, CASES[i].sql);
    finds(stand, CASES[i].first, CASES[i].what);
    contract_sql(stand, "DELETE FROM told; INSERT INTO told SELECT * FROM kept");
    finds(stand, 0, "");
  }
}

static void a_row_is_found_where_nothing_was_told(void **state) {
  struct stand *stand = *state;
  contract_sql(stand, "INSERT INTO told (told_id, definition, cells, at, actor) VALUES (1, 'a', 'b', 1, 'ana')");
  finds(stand, 1, UNNAMED);
  append(stand, "land", NULL);
  append(stand, "land", NULL);
  finds(stand, 2, UNNAMED);
}

/* A body that is none of the program's names no rows: it is wrong, and those of the others stay theirs. */
static void an_entry_that_names_nothing_is_found(void **state) {
  static const char *const BODIES[] = {
      "{}", "{\"digest\":\"\",\"from\":7,\"tables\":1}",
      "{\"digest\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\","
      "\"from\":-7,\"tables\":0}"};
  struct stand *stand = *state;
  struct told_row row = {.definition = "a", .cells = "b"};
  tell_some(stand);
  for (size_t i = 0; i < sizeof BODIES / sizeof *BODIES; i++) {
    append(stand, "told", BODIES[i]);
    tell(stand, &row, 1);
    finds(stand, 6, CHANGED);
  }
}

/* The program makes what the documentation says: `printf 'a\0b\0c\0d\0' | sha256sum`. */
static void the_body_is_as_documented(void **state) {
  struct told_row rows[] = {{.id = 7, .definition = "a", .cells = "b"}, {.id = 8, .definition = "c", .cells = "d"}};
  char body[TOLD_BODY_MOST];
  struct error error;
  (void)state;
  MUST(told_body(rows, 2, body, &error));
  assert_string_equal(body, "{\"digest\":\"5853dca2993b8cc094f73a74a962ee9cc733a8f6b44cc771735c643b34634c2b\","
                            "\"from\":7,\"tables\":2}");
}

int main(void) {
  const struct CMUnitTest tests[] = {EACH(what_is_changed_is_found), EACH(a_row_is_found_where_nothing_was_told),
                                     EACH(an_entry_that_names_nothing_is_found),
                                     cmocka_unit_test(the_body_is_as_documented)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
