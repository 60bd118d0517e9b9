/* What people may read: views without identifiers, one read-only statement, and the ways out of it. */
#include "core/audit/audit.h"
#include "tests/support/contract.h"
#include "tests/support/postgres.h"

#include <stdio.h>
#include <stdlib.h>

/* Two records of a case and a person each, joined to one person and one case. */
static void fill(struct stand *stand, int64_t rows[4]) {
  struct error error;
  struct sheet sheet;
  struct staged staged;
  const struct model *model = stand->model;
  contract_sources(stand);
  int64_t run = contract_run(stand, "sync", 1);
  sheet_open(&sheet, stand);
  const char *const keys[] = {"k1", "k2"};
  for (uint32_t i = 0; i < 2; i++) {
    uint32_t at = sheet_record(&sheet, stand, keys[i], "a", RECORD_MAPPED);
    struct cell *cells = batch_row(&sheet.batch, model, "case", at, keys[i], "", "");
    set_text(model, "case", cells, "place", "160101");
    cells = batch_row(&sheet.batch, model, "person", at, keys[i], keys[i], "");
    set_text(model, "person", cells, "given_names", "ROSA SECRETA");
    set_text(model, "person", cells, "address", "JR. SECRETO 123");
    set_text(model, "person", cells, "sex", "female");
    cells = batch_row(&sheet.batch, model, "involvement", at, keys[i], keys[i], keys[i]);
    set_integer(model, "involvement", cells, "age", 15 + i);
    cells = batch_row(&sheet.batch, model, "measure", at, keys[i], keys[i], "m");
    set_text(model, "measure", cells, "place", "250401"); /* where somebody is now */
  }
  sheet_store(&sheet, stand, 1, run, &staged);
  for (int64_t i = 0; i < 2; i++) {
    /* Row ids by the arithmetic of the head of store.h: entities are numbered as the model lists them. */
    int64_t record = sheet.records[i].record_id << 20;
    rows[i] = record + ((int64_t)model_entity(model, "person")->index << 16) + 1;
    rows[2 + i] = record + ((int64_t)model_entity(model, "case")->index << 16) + 1;
  }
  int64_t link = contract_run(stand, "link", 0), person = 0, crime = 0;
  MUST(store_begin(stand->store, &error));
  MUST(store_new_ids(stand->store, CLUSTER_PERSON, 1, &person, &error));
  MUST(store_new_ids(stand->store, CLUSTER_CASE, 2, &crime, &error));
  assert_int_equal(person, 1);
  struct member persons[] = {{rows[0], person}, {rows[1], person}}, cases[] = {{rows[2], crime}, {rows[3], crime + 1}};
  MUST(store_write_members(stand->store, CLUSTER_PERSON, link, NULL, 0, persons, 2, &error));
  MUST(store_write_members(stand->store, CLUSTER_CASE, link, NULL, 0, cases, 2, &error));
  MUST(store_commit(stand->store, &error));
  sheet_close(&sheet);
}

static void consolidate(struct stand *stand, int64_t run, int64_t id, int64_t row, const char *sex, const char *name) {
  struct error error;
  struct batch batch;
  batch_open(&batch, stand->model);
  struct cell *cells = batch_row(&batch, stand->model, "person", 0, "", "", "");
  set_text(stand->model, "person", cells, "sex", sex);
  set_text(stand->model, "person", cells, "given_names", name);
  const struct entity *person = model_entity(stand->model, "person");
  int column = 0;
  while (strcmp(person->columns[column].name, "sex") != 0) {
    column++;
  }
  struct origin origin = {.column = column, .row_id = row, .rule = "most \"recent\""};
  struct consolidated item = {.id = id, .records = 2, .cells = cells, .origins = &origin, .origin_count = 1};
  MUST(store_begin(stand->store, &error));
  MUST(store_write_consolidated(stand->store, CLUSTER_PERSON, run, &item, 1, &error));
  MUST(store_commit(stand->store, &error));
  batch_close(&batch);
}

static enum status count_member(void *context, const struct member *member, struct error *error) {
  (void)member;
  (void)error;
  ++*(int *)context;
  return OK;
}

static void test_consolidated(void **state) {
  struct stand *stand = *state;
  struct error error;
  int64_t rows[4];
  fill(stand, rows);
  consolidate(stand, 2, 1, rows[0], "female", "ROSA");
  TEXT_IS(query_text(stand, "SELECT person_id, records, sources, sex, from_run FROM persons"), "1|2|1|female|2");
  TEXT_IS(query_text(stand, "SELECT kind, id, field, rule, source, institution FROM origins"),
          "person|1|sex|most \"recent\"|alpha|PE/MP");
  TEXT_IS(query_text(stand, "SELECT case_id, person_id, source, age, region FROM involvements ORDER BY age"),
          "1|1|alpha|15|null;2|1|alpha|16|null");
  TEXT_IS(query_text(stand, "SELECT case_id, person_id, sex FROM person_records ORDER BY case_id"),
          "1|1|female;2|1|female");
  /* Equal values are not written again, others begin a new interval. */
  consolidate(stand, 3, 1, rows[0], "female", "ROSA");
  TEXT_IS(query_text(stand, "SELECT from_run FROM persons"), "2");
  consolidate(stand, 4, 1, rows[0], "female", "ROSA MARÍA");
  TEXT_IS(query_text(stand, "SELECT from_run FROM persons"), "4");
  consolidate(stand, 4, 1, rows[1], "male", "ROSA MARÍA");
  TEXT_IS(query_text(stand, "SELECT from_run, sex FROM persons"), "4|male");
  int count = 0;
  MUST(store_visit_members(stand->store, CLUSTER_PERSON, count_member, &count, &error));
  assert_int_equal(count, 2);
}

static void test_split_and_redirect(void **state) {
  struct stand *stand = *state;
  struct error error;
  int64_t rows[4], id = 0;
  fill(stand, rows);
  consolidate(stand, 2, 1, rows[0], "female", "ROSA");
  MUST(store_begin(stand->store, &error));
  MUST(store_new_ids(stand->store, CLUSTER_PERSON, 1, &id, &error));
  struct member moved[] = {{rows[0], id}, {rows[1], id}};
  struct redirect redirect = {.id = 1, .into = id};
  struct link_pair_row pair = {rows[0], rows[1], 12.5, "document and name", .outcome = PAIR_APART, .reason = "group"};
  MUST(store_write_members(stand->store, CLUSTER_PERSON, 5, rows, 2, moved, 2, &error));
  MUST(store_write_redirects(stand->store, CLUSTER_PERSON, 5, &redirect, 1, &error));
  struct some_pairs given = {&pair, 1};
  MUST(store_replace_pairs(stand->store, CLUSTER_PERSON, 5, NULL, 0, contract_pair, &given, &error));
  MUST(store_commit(stand->store, &error));
  TEXT_IS(query_text(stand, "SELECT DISTINCT id FROM members WHERE kind = 'person'"), "2");
  TEXT_IS(query_text(stand, "SELECT id, count(*) FROM member_history WHERE kind = 'person' GROUP BY id ORDER BY id"),
          "1|2;2|2");
  TEXT_IS(query_text(stand, "SELECT id, into_id, run FROM redirects"), "1|2|5");
  TEXT_IS(query_text(stand, "SELECT weight, rule, verdict, outcome, reason, since FROM pairs"),
          "12.5|document and name|null|apart|group|null");
  TEXT_IS(query_text(stand, "SELECT count(*) FROM persons"), "0");
}

/* No identifier, key or local field stands in any view, nor can be found in any row of one. */
static void test_views_hold_no_identifier(void **state) {
  struct stand *stand = *state;
  int64_t rows[4];
  size_t count;
  fill(stand, rows);
  consolidate(stand, 2, 1, rows[0], "female", "ROSA SECRETA");
  const struct view *views = store_views(stand->store, &count);
  assert_true(count >= 20);
  for (size_t v = 0; v < count; v++) {
    char sql[128];
    assert_true(views[v].column_count > 0 && views[v].description[0] != '\0');
    for (size_t c = 0; c < views[v].column_count; c++) {
      const char *name = views[v].columns[c].name;
      assert_true(views[v].columns[c].description[0] != '\0');
      assert_string_not_equal(name, "key");
      assert_string_not_equal(name, "given_names");
      assert_string_not_equal(name, "address");
      assert_string_not_equal(name, "source_key");
    }
    snprintf(sql, sizeof sql, "SELECT * FROM %s", views[v].name);
    char *text = query_text(stand, sql);
    assert_null(strstr(text, "SECRET"));
    if (strcmp(views[v].name, "measures") == 0) { /* a region is the place's first digits: no column tells them */
      assert_int_equal(view_count(stand, "measures", NULL, NULL), 2);
      assert_null(strstr(text, "25"));
    }
    assert_null(strstr(text, ": ")); /* no failure */
    free(text);
    assert_true(view_count(stand, views[v].name, NULL, NULL) >= 0);
  }
}

static void test_select(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct result *result;
  contract_sources(stand);
  struct selection selection = {.view = "source"};
  assert_int_equal(store_select(stand->store, &selection, &result, &error), ERR_USAGE);
  assert_string_equal(error.message, "there is no view source");
  assert_string_equal(error.hint, "did you mean sources?");
  const char *column = "codes";
  selection = (struct selection){.view = "sources", .columns = &column, .column_count = 1};
  assert_int_equal(store_select(stand->store, &selection, &result, &error), ERR_USAGE);
  assert_string_equal(error.message, "view sources has no column codes");
  assert_string_equal(error.hint, "did you mean code?");
  struct filter filter = {.column = "source_id", .text = "1 OR 1=1"};
  selection = (struct selection){.view = "sources", .filters = &filter, .filter_count = 1};
  assert_int_equal(store_select(stand->store, &selection, &result, &error), ERR_USAGE);
  assert_string_equal(error.message, "column source_id of view sources is a number");
  selection = (struct selection){.view = "sources", .order = "-code", .most = 1};
  MUST(store_select(stand->store, &selection, &result, &error));
  assert_int_equal(result_next(result, &error), OK);
  assert_true(slice_is(result_text(result, 0), "beta"));
  assert_int_equal(result_integer(result, 1), 2);
  assert_int_equal(result_next(result, &error), END);
  result_free(result);
  filter = (struct filter){.column = "contact", .text = NULL};
  TEXT_IS(view_text(stand, "sources", "code", "contact", NULL), "beta");
  TEXT_IS(view_text(stand, "sources", "code", "code", "x' OR 'a'='a"), "");
}

/* Text is ordered by its bytes, empty values stand first. */
static void test_order(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct source_config sources[] = {
      {.code = "b"}, {.code = "a", .title = "ñ"}, {.code = "_"}, {.code = "a1", .title = "Z"}};
  int ids[4];
  MUST(store_begin(stand->store, &error));
  MUST(store_sources(stand->store, sources, 4, ids, &error));
  MUST(store_commit(stand->store, &error));
  TEXT_IS(view_text(stand, "sources", "code", NULL, NULL), "_,a,a1,b");
  struct selection selection = {.view = "sources", .order = "title"};
  struct result *result;
  MUST(store_select(stand->store, &selection, &result, &error));
  struct buffer titles;
  buffer_init(&titles, 100);
  while (result_next(result, &error) == OK) {
    buffer_slice(&titles, result_text(result, 2));
    buffer_char(&titles, ';');
  }
  result_free(result);
  assert_string_equal(titles.data, ";;Z;ñ;");
  buffer_free(&titles);
}

static void test_query(void **state) {
  struct stand *stand = *state;
  contract_sources(stand);
  TEXT_IS(query_text(stand, "SELECT code, precedence AS p FROM sources ORDER BY 1 DESC;"), "beta|1;alpha|0");
  TEXT_IS(query_text(stand, "WITH x AS (SELECT code FROM sources) SELECT count(*) FROM x"), "2");
  TEXT_IS(query_text(stand, "SELECT count(*) FROM members"), "0");
  TEXT_IS(query_text(stand, "SELECT NULL, 1.5, 'ñ'"), "null|1.5|ñ");
  TEXT_IS(query_text(stand, "SELECT s.code FROM sources s JOIN runs r ON r.source = s.code"), "");
  char *text = query_text(stand, "SELECT coed FROM sources");
  assert_memory_equal(text, "usage: the statement cannot be read: ", 37);
  free(text);
}

static void refused(struct stand *stand, const char *sql) {
  char *text = query_text(stand, sql);
  if (strncmp(text, "usage: ", 7) != 0 && strncmp(text, "store: ", 7) != 0) {
    fail_msg("%s was answered: %s", sql, text);
  }
  assert_null(strstr(text, "SECRET"));
  free(text);
}

static void test_query_keeps_to_the_views(void **state) {
  struct stand *stand = *state;
  int64_t rows[4];
  fill(stand, rows);
  static const char *const ATTEMPTS[] = {
      "SELECT * FROM identity",
      "SELECT count(*) FROM identity",
      "SELECT key FROM st_person",
      "SELECT (SELECT body FROM identity LIMIT 1) FROM sources",
      "WITH cases AS (SELECT * FROM identity) SELECT * FROM cases",
      "WITH persons AS (SELECT body FROM identity) SELECT * FROM persons",
      "WITH RECURSIVE persons AS (SELECT body FROM raw_chunk) SELECT * FROM persons",
      "SELECT * FROM (SELECT * FROM identity) AS cases",
      "SELECT code FROM sources UNION SELECT source_key FROM raw_record",
      "SELECT code FROM sources WHERE EXISTS (SELECT 1 FROM st_case WHERE key = 'k1')",
      "DELETE FROM sources",
      "UPDATE source SET code = 'x'",
      "INSERT INTO meta VALUES ('a', 'b')",
      "DROP TABLE identity",
      "CREATE TABLE x (a int)",
      "SELECT 1; SELECT 2",
      "SELECT 1; DROP TABLE identity",
      "BEGIN",
      "COMMIT",
      "",
      "-- nothing",
  };
  for (size_t i = 0; i < sizeof ATTEMPTS / sizeof *ATTEMPTS; i++) {
    refused(stand, ATTEMPTS[i]);
  }
  TEXT_IS(query_text(stand, "SELECT count(*) FROM case_records"), "2"); /* and nothing was harmed */
}

static void test_query_escapes_sqlite(void **state) {
  struct stand *stand = *state;
  int64_t rows[4];
  fill(stand, rows);
  static const char *const ATTEMPTS[] = {
      "SELECT * FROM main.cases c, main.identity",
      "SELECT sql FROM sqlite_schema",
      "SELECT name FROM sqlite_temp_schema",
      "SELECT sql FROM temp.sqlite_master",
      "PRAGMA table_info(identity)",
      "SELECT * FROM pragma_table_list",
      "SELECT * FROM pragma_database_list",
      "SELECT * FROM dbstat",
      "SELECT count(*) FROM dbstat",
      "SELECT count(*) FROM sqlite_schema",
      "SELECT count(*) FROM pragma_table_list",
      "SELECT count(*) FROM RAW_CHUNK",
      "SELECT count(*) FROM main.raw_chunk",
      "WITH x AS (SELECT count(*) AS n FROM identity) SELECT count(*) FROM x",
      "SELECT count(*) FROM identity AS x",
      "ATTACH DATABASE ':memory:' AS x",
      "SELECT load_extension('x')",
      "EXPLAIN SELECT * FROM cases",
      "EXPLAIN QUERY PLAN SELECT * FROM cases",
      "VACUUM INTO 'x'",
      "SELECT * FROM json_each((SELECT hex(body) FROM identity))",
      "WITH cases(a) AS (VALUES(1)), x AS (SELECT * FROM main.st_person) SELECT * FROM x",
      "WITH v_0000000000000000 AS (SELECT * FROM identity) SELECT * FROM v_0000000000000000",
  };
  for (size_t i = 0; i < sizeof ATTEMPTS / sizeof *ATTEMPTS; i++) {
    refused(stand, ATTEMPTS[i]);
  }
  refused(stand, "SELECT length(zeroblob(1000000000))");
  /* What a statement names itself may be counted. */
  TEXT_IS(query_text(stand, "WITH x AS MATERIALIZED (SELECT * FROM case_records) SELECT count(*) FROM x"), "2");
  TEXT_IS(query_text(stand, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) "
                            "SELECT count(*) FROM n"),
          "5");
  struct error error;
  struct result *result;
  MUST(store_query(stand->store, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
                   50000, &result, &error));
  assert_int_equal(result_next(result, &error), ERR_LIMIT);
  assert_string_equal(error.message, "the query took longer than allowed");
  result_free(result);
}

static void test_query_escapes_postgres(void **state) {
  struct stand *stand = *state;
  int64_t rows[4];
  char sql[512];
  fill(stand, rows);
  static const char *const ATTEMPTS[] = {
      "SELECT * FROM %s.identity",
      "SELECT set_config('role', 'puente', false)",
      "SELECT set_config('role', 'none', true), query_to_xml('SELECT body FROM %s.identity', true, true, '')",
      "SELECT set_config('session_authorization', 'puente', false)",
      "SELECT query_to_xml('SELECT * FROM %s.identity', true, true, '')",
      "SELECT query_to_xml('SET ROLE puente', true, true, '')",
      "SELECT query_to_xml('RESET ROLE', true, true, '')",
      "SELECT table_to_xml('%s.st_person', true, true, '')",
      "SELECT set_config('transaction_read_only', 'off', false)",
      "SELECT pg_read_file('postgresql.conf')",
      "SELECT pg_ls_dir('.')",
      "SELECT lo_import('/etc/passwd')",
      "COPY (SELECT 1) TO PROGRAM 'id'",
      "SET ROLE puente",
      "RESET ROLE",
      "DO $$ BEGIN PERFORM 1; END $$",
      "SELECT * FROM %s_views.run_query('SELECT body FROM %s.identity') AS t(a bytea)",
      "EXPLAIN ANALYZE SELECT * FROM %s.identity",
      "WITH x AS (DELETE FROM %s.identity RETURNING row_id) SELECT * FROM x",
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'puente'",
      "SELECT $1::text",
  };
  for (size_t i = 0; i < sizeof ATTEMPTS / sizeof *ATTEMPTS; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(sql, sizeof sql, ATTEMPTS[i], stand->schema, stand->schema);
#pragma GCC diagnostic pop
    refused(stand, sql);
  }
  TEXT_IS(query_text(stand, "SELECT current_user = 'puente', current_setting('transaction_read_only')"), "f|on");
  struct error error;
  struct result *result;
  assert_int_equal(store_query(stand->store, "SELECT 1 FROM pg_sleep(20)", 100000, &result, &error), ERR_LIMIT);
  assert_string_equal(error.message, "the query took longer than allowed");
  TEXT_IS(query_text(stand, "SELECT count(*) FROM case_records"), "2");
}

/* Where the user may not make roles, queries are refused and the rest works. */
static void test_query_without_role(void **state) {
  (void)state;
  struct stand stand;
  struct error error;
  struct result *result;
  stand_open(&stand, STORE_POSTGRES);
  postgres_run("CREATE ROLE plain LOGIN; GRANT CREATE ON DATABASE puente TO plain");
  char dsn[512];
  snprintf(dsn, sizeof dsn, "%s user=plain", postgres_start());
  store_close(stand.store);
  stand.options.dsn = dsn;
  stand.options.schema = "plain_one";
  MUST(store_create(&stand.options, &error));
  MUST(store_open(&stand.options, &stand.store, &error));
  assert_int_equal(store_query(stand.store, "SELECT 1", 0, &result, &error), ERR_AUTH);
  assert_string_equal(error.message, "the store's user could not make the role of limited rights that queries need");
  assert_int_equal(view_count(&stand, "sources", NULL, NULL), 0);
  stand_close(&stand);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      EACH(test_consolidated),
      EACH(test_split_and_redirect),
      EACH(test_views_hold_no_identifier),
      EACH(test_select),
      EACH(test_order),
      EACH(test_query),
      EACH(test_query_keeps_to_the_views),
      {"sqlite: escapes", test_query_escapes_sqlite, contract_setup, contract_teardown, &contract_kinds[0]},
      {"postgres: escapes", test_query_escapes_postgres, contract_setup, contract_teardown, &contract_kinds[1]},
      cmocka_unit_test(test_query_without_role),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
