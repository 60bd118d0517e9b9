/* The sql connector on a real PostgreSQL server. */
#include "tests/support/certificates.h"
#include "tests/support/postgres.h"
#include "tests/support/pulling.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static int port;
static const char *dsn;

static int start(void **state) {
  (void)state;
  dsn = postgres_start_tcp(&port);
  postgres_run("CREATE ROLE lector LOGIN PASSWORD 'clave-secreta';"
               "CREATE SCHEMA datamart AUTHORIZATION puente; GRANT USAGE ON SCHEMA datamart TO lector;"
               "CREATE TABLE datamart.defensa (id bigint PRIMARY KEY, nombre text, nota text, foto bytea,"
               " updated_at timestamptz);"
               "INSERT INTO datamart.defensa VALUES (1, 'a', NULL, NULL, '2024-01-01 00:00:00Z'),"
               " (2, 'b \"x\", y', '', '\\x0aff', '2024-01-03 05:00:00.25-05'), (3, 'ñ', E'two\\nlines', NULL,"
               " '2024-01-02 00:00:00Z');"
               "CREATE TABLE datamart.otra (id int);"
               "GRANT SELECT ON datamart.defensa TO lector; GRANT SELECT ON ALL TABLES IN SCHEMA datamart TO puente");
  return 0;
}

static void require_passwords(void) {
  postgres_run("DO $$ BEGIN EXECUTE format('COPY (VALUES (''local all all trust''),"
               " (''host all lector 127.0.0.1/32 scram-sha-256'')) TO %L', current_setting('hba_file')); END $$;"
               "SELECT pg_reload_conf()");
}

/* Options of the owner, who may read every table, before `more`. */
static void begin(struct pulling *pulling, const char *more) {
  char yaml[2000];
  snprintf(yaml, sizeof yaml, "dsn: \"%s\"\n%s", dsn, more);
  pulling_begin(pulling, "sql", yaml, "/");
}

/* The same by TCP as the reader. */
static void begin_reader(struct pulling *pulling, const char *password, const char *more) {
  char yaml[2000];
  setenv("PUENTE_TEST_PASSWORD", password, 1);
  snprintf(yaml, sizeof yaml,
           "host: 127.0.0.1\nport: %d\ndbname: puente\nuser: lector\nsslmode: disable\n"
           "password: env:PUENTE_TEST_PASSWORD\n%s",
           port, more);
  pulling_begin(pulling, "sql", yaml, "/");
}

static void seen_is(const struct pulling *pulling, const char *wanted) {
  assert_string_equal(pulling->seen.len > 0 ? pulling->seen.data : "", wanted);
}

static void passes(struct pulling *pulling) {
  if (pulling_pass(pulling, -1) != END)
    fail_msg("%s", pulling_error(pulling));
}

static void reads_rows_in_order(void **state) {
  (void)state;
  struct pulling pulling;
  begin(&pulling, "query: datamart.defensa\nkey: id\nwatermark: updated_at\n");
  passes(&pulling);
  seen_is(&pulling, "[page 1 begins ends]id,nombre,nota,foto,updated_at\n1,a,,,2024-01-01 00:00:00+00\n"
                    "3,ñ,\"two\nlines\",,2024-01-02 00:00:00+00\n"
                    "2,\"b \"\"x\"\", y\",\"\",\\x0aff,2024-01-03 10:00:00.25+00\n\n");
  assert_string_equal(pulling.page.watermark.data, "2024-01-03 10:00:00.25+00");
  pulling.pull.watermark = "2024-01-03 10:00:00.25+00";
  passes(&pulling);
  seen_is(&pulling, "[page 1 begins ends]id,nombre,nota,foto,updated_at\n"
                    "2,\"b \"\"x\"\", y\",\"\",\\x0aff,2024-01-03 10:00:00.25+00\n\n");
  pulling.pull.until = "2024-01-03"; /* with its whole day */
  passes(&pulling);
  seen_is(&pulling, "[page 1 begins ends]id,nombre,nota,foto,updated_at\n"
                    "2,\"b \"\"x\"\", y\",\"\",\\x0aff,2024-01-03 10:00:00.25+00\n\n");
  pulling.pull.watermark = "2024-01-03T10:00:01Z";
  passes(&pulling);
  seen_is(&pulling, "");
  pulling_end(&pulling);
}

/* 20,000 rows, more than one FETCH, of which many share a watermark; one page a connection. */
static void resumes_after_every_page(void **state) {
  (void)state;
  struct pulling pulling;
  static bool had[20000];
  char cursor[200] = "";
  int rows = 0, pages = 0;
  postgres_run("CREATE TABLE t AS SELECT (i / 100)::text AS \"A\", i % 100 AS b, nullif(i % 7, 0) AS w"
               " FROM generate_series(0, 19999) i; GRANT SELECT ON t TO puente");
  begin(&pulling, "query: SELECT * FROM t -- all of it\nkey: [A, B]\nwatermark: w\npage: 32KiB\n");
  while (pulling.pull.cursor = cursor, pulling_pass(&pulling, 1) == OK) {
    const char *line = strchr(pulling.seen.data, '\n') + 1;
    rows += pulling_mark(line, had, 20000);
    snprintf(cursor, sizeof cursor, "%s", pulling.page.cursor.data);
    pages++;
  }
  assert_int_equal(rows, 20000);
  assert_true(pages > 4);
  pulling.pull.cursor = NULL;
  passes(&pulling); /* all pages of one connection: several FETCHes */
  assert_true(pulling.pages > 4);
  pulling_end(&pulling);
}

static void takes_one_snapshot(void **state) {
  (void)state;
  struct pulling pulling;
  postgres_run("CREATE TABLE s AS SELECT i AS a FROM generate_series(1, 30000) i; GRANT SELECT ON s TO puente");
  begin(&pulling, "query: s\nkey: a\npage: 4096\ncount: yes\n");
  assert_int_equal(pulling_pass(&pulling, 1), OK);
  assert_int_equal(pulling.page.source_count, 30000);
  postgres_run("INSERT INTO s VALUES (99999)");
  assert_int_equal(pulling_more(&pulling, -1), END);
  assert_null(strstr(pulling.seen.data, "99999"));
  assert_non_null(strstr(pulling.seen.data, "\n30000\n"));
  pulling_end(&pulling);
}

static void logs_in_with_a_password(void **state) {
  (void)state;
  struct pulling pulling;
  begin_reader(&pulling, "clave-secreta", "query: SELECT id FROM datamart.defensa\nkey: id\n");
  passes(&pulling);
  seen_is(&pulling, "[page 1 begins ends]id\n1\n2\n3\n\n");
  assert_int_equal(pulling_probe(&pulling), OK);
  assert_non_null(strstr(pulling.probed.data, "connect: ok: the database answers\nlogin: ok: accepted\n"));
  assert_non_null(strstr(pulling.probed.data, "clock: ok: the database's clock differs by "));
  assert_non_null(
      strstr(pulling.probed.data, "permission: ok: may read, and nothing else\nrecord: ok: one row was read\n"));
  pulling_end(&pulling);
  begin(&pulling, "query: SELECT id FROM datamart.defensa\nkey: id\n");
  postgres_run("CREATE TABLE escribible (a int); GRANT INSERT ON escribible TO puente");
  assert_int_equal(pulling_probe(&pulling), OK);
  assert_non_null(strstr(pulling.probed.data,
                         "permission: ok: may read, and may write too: a user who can only read would be safer\n"));
  pulling_end(&pulling);
}

static void refuses_a_wrong_password(void **state) {
  (void)state;
  struct pulling pulling;
  require_passwords();
  begin_reader(&pulling, "otra-clave", "query: datamart.defensa\n");
  for (int i = 0; i < 100 && pulling_pass(&pulling, -1) == END; i++)
    postgres_run("SELECT pg_sleep(0.05)"); /* the server reads its file when it comes to it */
  assert_int_equal(pulling.error.code, ERR_AUTH);
  assert_string_equal(pulling_error(&pulling), "the database refused the login (SQLSTATE 28P01) @ database on "
                                               "127.0.0.1 ! check \"user\" and \"password\", and that "
                                               "pg_hba.conf lets this machine in");
  assert_int_equal(pulling_probe(&pulling), ERR_AUTH);
  assert_string_equal(
      pulling.probed.data,
      "connect: ok: the database answers\nlogin: auth: the database refused the login (SQLSTATE 28P01)\n");
  pulling_end(&pulling);
}

struct refusal {
  const char *yaml;
  enum status status;
  const char *words;
};

static void tells_what_is_wrong(void **state) {
  (void)state;
  static const struct refusal refusals[] = {
      {"query: datamart.defensas\n", ERR_INPUT,
       "the query cannot be run: relation \"datamart.defensas\" does not exist ! did you mean \"defensa\"?"},
      {"query: SELECT nombres FROM datamart.defensa\n", ERR_INPUT,
       "the query cannot be run: column \"nombres\" does not exist ! Perhaps you meant to reference the column "
       "\"defensa.nombre\"."},
      {"query: SELECT FROM WHERE\n", ERR_CONFIG,
       "the query cannot be run: syntax error at or near \"WHERE\" ! check \"query\" against the tables and columns of "
       "the database"},
      {"query: datamart.defensa\nkey: ids\n", ERR_CONFIG,
       "the query gives no column \"ids\", which \"key\" names ! did you mean \"id\"?"},
      {"query: datamart.otra\nkey: id\n", ERR_AUTH,
       "the user may not read a table of the query ! ask for GRANT SELECT on the tables, and USAGE on their schema"},
      {"query: SELECT nombre::int AS n FROM datamart.defensa\n", ERR_REMOTE,
       "the database could not compute or convert a value (SQLSTATE 22P02) ! check the casts of \"query\", and that "
       "the "
       "watermark fits its column"},
      {"query: SELECT pg_sleep(20)\ntimeout: 1s\n", ERR_NETWORK,
       "the database took longer than \"timeout\" ! an index on the watermark and key columns helps; or raise "
       "\"timeout\""},
      {"query: SELECT nextval('datamart.serie')\n", ERR_CONFIG,
       "the query tries to write, and a source is only read ! \"query\" must be a SELECT without functions that write"},
  };
  postgres_run("CREATE SEQUENCE datamart.serie; GRANT ALL ON SEQUENCE datamart.serie TO lector");
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
    struct pulling pulling;
    begin_reader(&pulling, "clave-secreta", refusals[i].yaml);
    enum status status = pulling_pass(&pulling, -1);
    char wanted[900], got[1200];
    const char *place = strstr(pulling_error(&pulling), " @ database on 127.0.0.1");
    snprintf(got, sizeof got, "%s", pulling_error(&pulling));
    if (place != NULL)
      snprintf(got, sizeof got, "%.*s%s", (int)(place - pulling_error(&pulling)), pulling_error(&pulling),
               place + strlen(" @ database on 127.0.0.1"));
    snprintf(wanted, sizeof wanted, "%s", refusals[i].words);
    assert_string_equal(got, wanted);
    assert_int_equal(status, refusals[i].status);
    pulling_end(&pulling);
  }
}

static void tells_what_cannot_be_reached(void **state) {
  (void)state;
  struct pulling pulling;
  pulling_begin(&pulling, "sql", "host: 127.0.0.1\nport: 1\ndbname: x\nquery: t\n", "/");
  assert_int_equal(pulling_pass(&pulling, -1), ERR_NETWORK);
  assert_string_equal(
      pulling_error(&pulling),
      "the database cannot be reached: connection to server at \"127.0.0.1\", port 1 failed: Connection "
      "refused @ database on 127.0.0.1 ! check \"host\" and \"port\", and that a firewall lets this machine through");
  assert_int_equal(pulling_probe(&pulling), ERR_NETWORK);
  pulling_end(&pulling);
  pulling_begin(&pulling, "sql", "dsn: host=h password=clave-secreta\nquery: t\n", "/");
  assert_int_equal(pulling_pass(&pulling, -1), ERR_CONFIG);
  assert_string_equal(pulling_error(&pulling),
                      "\"dsn\" holds a password ! take it out and set \"password: env:NAME\" or "
                      "\"password: file:PATH\"");
  pulling_end(&pulling);
  pulling_begin(&pulling, "sql", "dsn: host=h clave-secreta\nquery: t\n", "/");
  assert_int_equal(pulling_pass(&pulling, -1), ERR_CONFIG);
  assert_string_equal(pulling_error(&pulling), "\"dsn\" is no connection string ! write host=… dbname=… user=…, or "
                                               "postgresql://user@host/dbname");
  pulling_end(&pulling);
  char yaml[300];
  snprintf(yaml, sizeof yaml, "host: 127.0.0.1\nport: %d\ndbname: puente\nuser: lector\nquery: t\n", port);
  pulling_begin(&pulling, "sql", yaml, "/"); /* TLS by default, and this server has none */
  assert_int_equal(pulling_pass(&pulling, -1), ERR_AUTH);
  assert_non_null(strstr(pulling_error(&pulling), "no trusted TLS connection to the database: "));
  pulling_end(&pulling);
}

static void notices_a_server_that_dies(void **state) {
  (void)state;
  struct pulling pulling;
  begin(&pulling, "query: SELECT i, repeat('x', 1000) AS x FROM generate_series(1, 100000) i\npage: 4096\n");
  assert_int_equal(pulling_pass(&pulling, 1), OK);
  postgres_run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'puente'");
  assert_int_equal(pulling_more(&pulling, -1), ERR_NETWORK);
  assert_string_equal(pulling.error.hint, "try again later");
  pulling_end(&pulling);
}

static void stops_when_asked(void **state) {
  (void)state;
  struct pulling pulling;
  atomic_bool stop = false;
  begin(&pulling, "query: SELECT i FROM generate_series(1, 100000) i\npage: 4096\n");
  pulling.pull.stop = &stop;
  assert_int_equal(pulling_pass(&pulling, 1), OK);
  stop = true;
  assert_int_equal(pulling_more(&pulling, -1), ERR_INTERRUPTED);
  pulling_end(&pulling);
}

static int64_t certificate_of(const char *sslmode) {
  struct pulling pulling;
  struct certificates ends = {.server = -1};
  char yaml[400];
  snprintf(yaml, sizeof yaml,
           "host: 127.0.0.1\nport: %d\ndbname: puente\nuser: nobody_at_all\nsslmode: %s\n"
           "query: datamart.defensa\nkey: id\n",
           port, sslmode);
  pulling_begin(&pulling, "sql", yaml, "/");
  if (pulling.connector->certificate(&pulling.pull, &ends, &pulling.error) != OK) {
    fail_msg("%s", pulling_error(&pulling));
  }
  assert_int_equal(ends.token_server, 0);
  pulling_end(&pulling);
  return ends.server;
}

/* When the server's certificate ends is seen without a login: this user does not exist. */
static void sees_the_end_of_the_certificate(void **state) {
  (void)state;
  char *folder = temp_make(), sql[1200];
  certificates_make(folder);
  shell("chmod 755 %s && chmod 600 %s/*.key", folder, folder);
  if (geteuid() == 0) {
    shell("chown \"$(id -u postgres 2>/dev/null || id -u nobody)\" %s/*", folder);
  }
  assert_int_equal(certificate_of("disable"), 0);
  snprintf(sql, sizeof sql, "ALTER SYSTEM SET ssl_cert_file = '%s/ending.pem'", folder);
  postgres_run(sql);
  snprintf(sql, sizeof sql, "ALTER SYSTEM SET ssl_key_file = '%s/server.key'", folder);
  postgres_run(sql);
  postgres_run("ALTER SYSTEM SET ssl = on");
  postgres_run("SELECT pg_reload_conf(), pg_sleep(1)");
  int64_t left = certificate_of("require") / 1000000 - (int64_t)time(NULL);
  assert_in_range(left, 9 * 86400, 10 * 86400 + 60);
  assert_int_equal(certificate_of("disable"), 0);
  postgres_run("ALTER SYSTEM SET ssl = off");
  postgres_run("SELECT pg_reload_conf()");
  temp_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_rows_in_order),          cmocka_unit_test(resumes_after_every_page),
      cmocka_unit_test(takes_one_snapshot),           cmocka_unit_test(logs_in_with_a_password),
      cmocka_unit_test(refuses_a_wrong_password),     cmocka_unit_test(tells_what_is_wrong),
      cmocka_unit_test(tells_what_cannot_be_reached), cmocka_unit_test(sees_the_end_of_the_certificate),
      cmocka_unit_test(notices_a_server_that_dies),   cmocka_unit_test(stops_when_asked),
  };
  return cmocka_run_group_tests(tests, start, NULL);
}
