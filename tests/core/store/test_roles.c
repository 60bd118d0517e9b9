/* Roles on a real PostgreSQL, by SQL of their own logins: every role × every table and view × every kind of statement;
 * what officers see of their own and of others, and when; sights that are committed before the read; entries of the log
 * that nobody can forge; and the service under forced row-level security.
 * lint: long because every part needs the same scene and the logins of its roles. */
#include "core/audit/audit.h"
#include "core/store/access.h"
#include "tests/support/contract.h"
#include "tests/support/postgres.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

/* One login for each role; two more officers, of another institution and of another region. */
static const char *const LOGINS[] = {"r_operator", "r_analyst", "r_officer", "r_auditor", "r_keys"};
enum { PERSON_ONE = 1, PERSON_TWO, PERSON_MIXED };

struct scene {
  struct stand stand;
  int64_t mp_15, mp_08, pnp_15; /* records */
};

static PGconn *connect_as(const char *login) {
  char conninfo[640];
  snprintf(conninfo, sizeof conninfo, "%s user=%s", postgres_start(), login);
  PGconn *connection = PQconnectdb(conninfo);
  if (PQstatus(connection) != CONNECTION_OK) {
    fail_msg("%s: %s", login, PQerrorMessage(connection));
  }
  PQclear(PQexec(connection, "SET client_min_messages = error"));
  return connection;
}

/* Rows: columns by '|', rows by ';'; or the SQLSTATE of a refusal, "!42501". Freed by the caller. */
static char *answer(PGconn *connection, const char *sql) {
  struct buffer text;
  buffer_init(&text, 1 << 20);
  buffer_text(&text, "");
  PGresult *result = PQexec(connection, sql);
  ExecStatusType got = PQresultStatus(result);
  if (got != PGRES_TUPLES_OK && got != PGRES_COMMAND_OK) {
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    buffer_printf(&text, "!%s", state == NULL ? "lost" : state);
    if (getenv("ROLES_SAY") != NULL) {
      fprintf(stderr, "%s\n  %s", sql, PQerrorMessage(connection));
    }
  }
  for (int row = 0; got == PGRES_TUPLES_OK && row < PQntuples(result); row++) {
    for (int i = 0; i < PQnfields(result); i++) {
      buffer_printf(&text, "%s%s",
                    i > 0     ? "|"
                    : row > 0 ? ";"
                              : "",
                    PQgetisnull(result, row, i) ? "null" : PQgetvalue(result, row, i));
    }
  }
  PQclear(result);
  return text.data;
}

/* The same with the schema in the place of '@'. */
static char *ask(struct stand *stand, PGconn *connection, const char *form) {
  struct buffer sql;
  buffer_init(&sql, 1 << 16);
  for (; *form != '\0'; form++) {
    if (*form == '@') {
      buffer_text(&sql, stand->schema);
    } else {
      buffer_char(&sql, *form);
    }
  }
  char *text = answer(connection, sql.data);
  buffer_free(&sql);
  return text;
}

static void grant(struct stand *stand, const char *login, enum store_role role, const char *institution,
                  const char *region) {
  struct error error;
  const struct granted granted = {
      .login = login, .role = role, .institution = institution, .region = region, .granted_by = "tester"};
  MUST(store_begin(stand->store, &error));
  MUST(store_grant(stand->store, &granted, &error));
  MUST(store_commit(stand->store, &error));
}

static void revoke(struct stand *stand, const char *login, enum store_role role) {
  struct error error;
  MUST(store_begin(stand->store, &error));
  MUST(store_revoke(stand->store, login, role, &error));
  MUST(store_commit(stand->store, &error));
}

/* ---- a scene: three records of two institutions and regions ---- */

static int64_t stage(struct scene *scene, int source_id, const char *institution, const char *key, const char *place,
                     const char *role, const char *sex) {
  struct sheet sheet;
  struct staged staged;
  struct stand *stand = &scene->stand;
  const struct model *model = stand->model;
  int64_t run = contract_run(stand, "sync", source_id);
  sheet_open(&sheet, stand);
  uint32_t at = sheet_record(&sheet, stand, key, "a", RECORD_MAPPED);
  struct cell *cells = batch_row(&sheet.batch, model, "case", at, key, "", "");
  set_text(model, "case", cells, "place", place);
  cells = batch_row(&sheet.batch, model, "person", at, key, key, "");
  set_text(model, "person", cells, "given_names", "ROSA SECRETA");
  set_text(model, "person", cells, "address", "JR. SECRETO 123");
  set_text(model, "person", cells, "sex", sex);
  set_text(model, "person", cells, "birth_date", "2004-05-06");
  cells = batch_row(&sheet.batch, model, "involvement", at, key, key, key);
  set_text(model, "involvement", cells, "role", role);
  cells = batch_row(&sheet.batch, model, "measure", at, key, key, key);
  set_text(model, "measure", cells, "shelter", "CAR SECRETO");
  set_text(model, "measure", cells, "place", "150101");
  sheet_store(&sheet, stand, source_id, run, &staged);
  int64_t record = sheet.records[0].record_id;
  char sql[512];
  for (size_t e = 0; e < model->entity_count; e++) {
    snprintf(sql, sizeof sql, "UPDATE st_%s SET institution = '%s' WHERE row_id >> 20 = %lld", model->entities[e].name,
             institution, (long long)record);
    contract_sql(stand, sql);
  }
  sheet_close(&sheet);
  return record;
}

static int64_t row_of(const struct scene *scene, const char *entity, int64_t record) {
  return record << 20 | ((int64_t)model_entity(scene->stand.model, entity)->index << 16) | 1;
}

static int column_of(const struct entity *entity, const char *name) {
  int column = 0;
  while (strcmp(entity->columns[column].name, name) != 0) {
    column++;
  }
  return column;
}

static void consolidate(struct scene *scene, int64_t id, int64_t record, int64_t foreign) {
  struct error error;
  struct stand *stand = &scene->stand;
  const struct entity *person = model_entity(stand->model, "person");
  struct batch batch;
  batch_open(&batch, stand->model);
  struct cell *cells = batch_row(&batch, stand->model, "person", 0, "", "", "");
  set_text(stand->model, "person", cells, "sex", "female");
  set_text(stand->model, "person", cells, "birth_date", "2004-05-06");
  struct origin origins[] = {
      {.column = column_of(person, "sex"), .row_id = row_of(scene, "person", record), .rule = "first"},
      {.column = column_of(person, "birth_date"), .row_id = row_of(scene, "person", foreign), .rule = "first"}};
  struct consolidated item = {.id = id, .records = 2, .cells = cells, .origins = origins, .origin_count = 2};
  MUST(store_begin(stand->store, &error));
  MUST(store_write_consolidated(stand->store, CLUSTER_PERSON, 9, &item, 1, &error));
  MUST(store_commit(stand->store, &error));
  batch_close(&batch);
}

/* Everything is written after the setup: by the owner, under forced row-level security. */
static void fill(struct scene *scene) {
  struct error error;
  struct stand *stand = &scene->stand;
  int64_t first = 0;
  contract_sources(stand);
  scene->mp_15 = stage(scene, 1, "PE/MP", "k1", "150101", "victim", "female");
  scene->mp_08 = stage(scene, 1, "PE/MP", "k2", "080101", "victim", "female");
  scene->pnp_15 = stage(scene, 2, "PE/PNP", "k3", "150102", "victim", "female");
  int64_t other = stage(scene, 2, "PE/PNP", "k4", "150102", "accused", "female");
  int64_t mine = stage(scene, 1, "PE/MP", "k5", "150101", "victim", "female");
  MUST(store_begin(stand->store, &error));
  MUST(store_new_ids(stand->store, CLUSTER_PERSON, 3, &first, &error));
  MUST(store_new_ids(stand->store, CLUSTER_CASE, 2, &first, &error));
  const struct member persons[] = {{row_of(scene, "person", scene->mp_15), PERSON_ONE},
                                   {row_of(scene, "person", scene->pnp_15), PERSON_ONE},
                                   {row_of(scene, "person", scene->mp_08), PERSON_TWO},
                                   {row_of(scene, "person", mine), PERSON_MIXED},
                                   {row_of(scene, "person", other), PERSON_MIXED}};
  const struct member cases[] = {{row_of(scene, "case", scene->mp_15), 1}, {row_of(scene, "case", scene->pnp_15), 2}};
  MUST(store_write_members(stand->store, CLUSTER_PERSON, 8, NULL, 0, persons, 5, &error));
  MUST(store_write_members(stand->store, CLUSTER_CASE, 8, NULL, 0, cases, 2, &error));
  MUST(store_commit(stand->store, &error));
  consolidate(scene, PERSON_ONE, scene->mp_15, scene->pnp_15);
  consolidate(scene, PERSON_MIXED, mine, other);
}

static void set_up(struct stand *stand) {
  struct error error;
  MUST(store_begin(stand->store, &error));
  MUST(store_roles_setup(stand->store, &error));
  MUST(store_commit(stand->store, &error));
}

/* Rights that everybody has from elsewhere before the setup; r_nobody has no others. */
static void open_to_all(struct stand *stand) {
  PGconn *owner = connect_as("puente");
  TEXT_IS(ask(stand, owner,
              "GRANT USAGE, CREATE ON SCHEMA \"@\", \"@_views\" TO PUBLIC;"
              "GRANT ALL ON ALL TABLES IN SCHEMA \"@\", \"@_views\" TO PUBLIC;"
              "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC"),
          "");
  PQfinish(owner);
}

static int open_scene(void **state) {
  static bool made;
  struct scene *scene = calloc(1, sizeof *scene);
  stand_open(&scene->stand, STORE_POSTGRES);
  if (!made) {
    for (size_t i = 0; i < sizeof LOGINS / sizeof *LOGINS; i++) {
      char sql[96];
      snprintf(sql, sizeof sql, "CREATE ROLE %s LOGIN", LOGINS[i]);
      postgres_run(sql);
    }
    postgres_run("CREATE ROLE r_police LOGIN; CREATE ROLE r_cusco LOGIN; CREATE ROLE r_nobody LOGIN");
    made = true;
  }
  open_to_all(&scene->stand);
  set_up(&scene->stand);
  fill(scene);
  for (int role = 0; role < ROLE_COUNT; role++) {
    bool officer = role == ROLE_OFFICER;
    grant(&scene->stand, LOGINS[role], (enum store_role)role, officer ? "PE/MP" : NULL, officer ? "15" : NULL);
  }
  grant(&scene->stand, "r_police", ROLE_OFFICER, "PE/PNP", NULL);
  grant(&scene->stand, "r_cusco", ROLE_OFFICER, "PE/MP", "08");
  *state = scene;
  return 0;
}

static int close_scene(void **state) {
  struct scene *scene = *state;
  stand_close(&scene->stand);
  free(scene);
  return 0;
}

#define ASKED(connection, sql, wanted) TEXT_IS(ask(&scene->stand, connection, sql), wanted)

static void verified(struct stand *stand) {
  struct error error;
  struct audit_check check;
  MUST(audit_verify(stand->store, &check, &error));
  if (check.first_wrong != 0) {
    fail_msg("entry %lld: %s", (long long)check.first_wrong, check.what);
  }
}

/* ---- every role × every table and view × every statement ---- */

struct tries {
  unsigned tried, refused, wrong;
};

/* No right, a view over several tables that takes no writes, or no table at all. */
static bool is_refusal(const char *text) {
  return strcmp(text, "!42501") == 0 || strcmp(text, "!55000") == 0 || strcmp(text, "!42809") == 0
         || strcmp(text, "!0A000") == 0;
}

static void try_one(PGconn *connection, const char *sql, bool allowed, struct tries *tries) {
  char *text = answer(connection, sql);
  bool refused = is_refusal(text);
  tries->tried++;
  tries->refused += refused;
  if (refused == allowed || (!refused && text[0] == '!')) {
    fprintf(stderr, "%s: %s: %s\n", PQuser(connection), sql, text);
    tries->wrong++;
  }
  free(text);
}

static void try_relation(PGconn *connection, const char *relation, const char *column, bool allowed,
                         struct tries *tries) {
  static const char *const FORMS[] = {
      "SELECT * FROM %s LIMIT 1",       "SELECT count(*) FROM %s", "INSERT INTO %s (%s) VALUES (NULL)",
      "UPDATE %s SET %s = NULL",        "DELETE FROM %s",          "TRUNCATE %s",
      "LOCK TABLE %s IN EXCLUSIVE MODE"};
  for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
    char sql[400], within[420];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(sql, sizeof sql, FORMS[i], relation, column);
#pragma GCC diagnostic pop
    snprintf(within, sizeof within, "%s%s", i >= 6 ? "BEGIN;" : "", sql);
    try_one(connection, within, allowed && i < 2, tries);
    PQclear(PQexec(connection, "ROLLBACK"));
  }
}

static PGresult *relations_of(const struct scene *scene) {
  PGconn *admin = PQconnectdb(postgres_admin());
  char sql[512];
  snprintf(sql, sizeof sql,
           "SELECT n.nspname, quote_ident(n.nspname) || '.' || quote_ident(c.relname), "
           "(SELECT quote_ident(a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = 1) "
           "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v') AND "
           "(n.nspname = '%s' OR n.nspname LIKE '%s\\_%%') ORDER BY 2",
           scene->stand.schema, scene->stand.schema);
  PGresult *relations = PQexec(admin, sql);
  assert_int_equal(PQresultStatus(relations), PGRES_TUPLES_OK);
  assert_true(PQntuples(relations) > 150);
  PQfinish(admin);
  return relations;
}

static void test_every_relation(void **state) {
  struct scene *scene = *state;
  struct tries tries = {0};
  PGresult *relations = relations_of(scene);
  for (int role = 0; role < ROLE_COUNT; role++) {
    PGconn *connection = connect_as(LOGINS[role]);
    char own[96];
    snprintf(own, sizeof own, "%s_%s", scene->stand.schema, role_name((enum store_role)role));
    for (int i = 0; i < PQntuples(relations); i++) {
      bool allowed = strcmp(PQgetvalue(relations, i, 0), own) == 0;
      try_relation(connection, PQgetvalue(relations, i, 1), PQgetvalue(relations, i, 2), allowed, &tries);
    }
    PQfinish(connection);
  }
  printf("roles ok: roles=%d relations=%d tried=%u refused=%u wrong=%u\n", ROLE_COUNT, PQntuples(relations),
         tries.tried, tries.refused, tries.wrong);
  PQclear(relations);
  assert_int_equal(tries.wrong, 0);
}

/* What everybody could do before the setup, a login without a role cannot do after it: neither by the schemas nor,
 * let into them, by any table or view in them, also of those that come later. */
static void test_everybody_has_nothing(void **state) {
  struct scene *scene = *state;
  struct tries tries = {0};
  PGconn *owner = connect_as("puente"), *nobody = connect_as("r_nobody");
  ASKED(nobody, "SELECT has_schema_privilege('@', 'USAGE, CREATE'), has_schema_privilege('@_views', 'USAGE, CREATE')",
        "f|f");
  ASKED(owner,
        "GRANT USAGE ON SCHEMA \"@\", \"@_views\" TO r_nobody; CREATE TABLE \"@\".later (a int);"
        "CREATE FUNCTION \"@\".later() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "");
  ASKED(nobody, "SELECT \"@\".later()", "!42501");
  PGresult *relations = relations_of(scene);
  for (int i = 0; i < PQntuples(relations); i++) {
    try_relation(nobody, PQgetvalue(relations, i, 1), PQgetvalue(relations, i, 2), false, &tries);
  }
  PQclear(relations);
  PQfinish(nobody);
  PQfinish(owner);
  assert_int_equal(tries.wrong, 0);
}

/* ---- functions, and what is no one's ---- */

static void test_functions(void **state) {
  struct scene *scene = *state;
  struct stand *stand = &scene->stand;
  for (int role = 0; role < ROLE_COUNT; role++) {
    PGconn *connection = connect_as(LOGINS[role]);
    TEXT_IS(ask(stand, connection, "SELECT \"@_guard\".entry('land', NULL, '{}')"), "!42501");
    TEXT_IS(ask(stand, connection, "SELECT \"@_guard\".own(1)"), "!42501");
    TEXT_IS(ask(stand, connection, "SELECT \"@_guard\".mixed(1)"), "!42501");
    TEXT_IS(ask(stand, connection, "SELECT \"@_views\".run_query('SELECT 1')"), "!42501");
    TEXT_IS(ask(stand, connection, "SET ROLE \"@_guard\""), "!42501");
    TEXT_IS(ask(stand, connection, "SET ROLE puente"), "!42501");
    TEXT_IS(ask(stand, connection, "SET SESSION AUTHORIZATION puente"), "!42501");
    TEXT_IS(ask(stand, connection, "CREATE TABLE \"@\".x (a int)"), "!42501");
    TEXT_IS(ask(stand, connection, "CREATE FUNCTION \"@_guard\".x() RETURNS int LANGUAGE sql AS 'SELECT 1'"), "!42501");
    TEXT_IS(ask(stand, connection, "ALTER TABLE \"@\".st_person DISABLE ROW LEVEL SECURITY"), "!42501");
    TEXT_IS(ask(stand, connection, "DROP VIEW \"@_auditor\".audit_log"), "!42501");
    TEXT_IS(ask(stand, connection, "GRANT \"@_officer\" TO r_nobody"), "!42501");
    if (role != ROLE_OFFICER) {
      TEXT_IS(ask(stand, connection, "SELECT \"@_guard\".sight('person', 1, 'why')"), "!42501");
    }
    /* Row security cannot be asked to be off: what it would hide is an error then. */
    TEXT_IS(ask(stand, connection, "SET row_security = off"), "");
    PQfinish(connection);
  }
  PGconn *nobody = connect_as("r_nobody");
  ASKED(nobody, "SELECT * FROM \"@\".meta", "!42501");
  ASKED(nobody, "SELECT * FROM \"@_analyst\".release", "!42501");
  ASKED(nobody, "SELECT \"@_guard\".refuse('sight')", "!42501");
  PQfinish(nobody);
}

/* Names that somebody puts before the real ones are not taken. */
static void test_search_path(void **state) {
  struct scene *scene = *state;
  PGconn *officer = connect_as("r_officer");
  ASKED(officer,
        "CREATE TEMPORARY TABLE granted (login text, role text, institution text, region text, ended bigint);"
        "INSERT INTO granted VALUES ('r_officer', 'officer', NULL, NULL, 0);"
        "CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT ''x''::bytea';"
        "CREATE FUNCTION pg_temp.int8send(bigint) RETURNS bytea LANGUAGE sql AS 'SELECT ''x''::bytea';"
        "SET search_path = pg_temp, pg_catalog",
        "");
  char sql[128];
  snprintf(sql, sizeof sql, "SELECT \"@_guard\".sight('record', %lld, 'why')", (long long)scene->pnp_15);
  ASKED(officer, sql, "0");
  verified(&scene->stand);
  PQfinish(officer);
}

/* ---- officers ---- */

static void test_officer_sees_own_rows(void **state) {
  struct scene *scene = *state;
  PGconn *officer = connect_as("r_officer"), *police = connect_as("r_police"), *cusco = connect_as("r_cusco");
  ASKED(officer, "SELECT count(*) FROM \"@_officer\".st_person", "0");
  ASKED(officer, "SELECT count(*) FROM \"@_officer\".identity", "0");
  ASKED(officer, "SELECT \"@_guard\".sight('person', 1, 'hearing of 3 May') > 0", "t");
  char wanted[64];
  snprintf(wanted, sizeof wanted, "%lld|PE/MP|female", (long long)scene->mp_15);
  ASKED(officer, "SELECT row_id >> 20, institution, sex FROM \"@_officer\".st_person", wanted);
  ASKED(officer, "SELECT count(*) FROM \"@_officer\".identity WHERE body IS NOT NULL", "2");
  /* Also where the person is now: they supplied it. */
  ASKED(officer, "SELECT institution, place FROM \"@_officer\".st_measure", "PE/MP|150101");
  ASKED(officer, "SELECT count(*) FROM \"@_officer\".person_member", "1");
  /* Nobody else sees it for that, and each only what is theirs. */
  ASKED(police, "SELECT count(*) FROM \"@_officer\".st_person", "0");
  ASKED(cusco, "SELECT \"@_guard\".sight('person', 1, 'why')", "0");
  ASKED(cusco, "SELECT count(*) FROM \"@_officer\".st_person", "0");
  ASKED(police, "SELECT \"@_guard\".sight('person', 2, 'why')", "0");
  ASKED(police, "SELECT \"@_guard\".sight('person', 1, 'why') > 0", "t");
  ASKED(police, "SELECT DISTINCT institution FROM \"@_officer\".st_person", "PE/PNP");
  ASKED(cusco, "SELECT \"@_guard\".sight('person', 2, 'why') > 0", "t");
  ASKED(cusco, "SELECT count(*), min(institution) FROM \"@_officer\".st_person", "1|PE/MP");
  /* Sights are of what they name, and no more: the other persons stay unseen. */
  ASKED(officer, "SELECT person_id FROM \"@_officer\".person", "1");
  PQfinish(officer);
  PQfinish(police);
  PQfinish(cusco);
  verified(&scene->stand);
}

/* Of a consolidated person: own values, others' as their terms allow, and none across two roles. */
static void test_officer_sees_shared_values(void **state) {
  struct scene *scene = *state;
  struct error error;
  PGconn *officer = connect_as("r_officer");
  ASKED(officer, "SELECT \"@_guard\".sight('person', 1, 'a') > 0, \"@_guard\".sight('person', 3, 'a') > 0", "t|t");
  static const char look[] = "SELECT person_id, sex, birth_date, origins FROM \"@_officer\".person ORDER BY 1";
  ASKED(officer, look, "1|female|null|null;3|female|null|null");
  static const struct share others[] = {{"PE/INPE", "*"}, {"*", "person.sex"}},
                            all[] = {{"PE/MP", "person.birth_date"}};
  MUST(store_begin(scene->stand.store, &error));
  MUST(store_write_shares(scene->stand.store, 2, others, 2, &error));
  MUST(store_commit(scene->stand.store, &error));
  ASKED(officer, look, "1|female|null|null;3|female|null|null");
  MUST(store_begin(scene->stand.store, &error));
  MUST(store_write_shares(scene->stand.store, 2, all, 1, &error));
  MUST(store_commit(scene->stand.store, &error));
  ASKED(officer, look, "1|female|2004-05-06|null;3|female|null|null");
  PQfinish(officer);
}

static void test_sight_is_committed_first(void **state) {
  struct scene *scene = *state;
  PGconn *officer = connect_as("r_officer");
  static const char count[] = "SELECT count(*) FROM \"@_officer\".st_person",
                    entries[] = "SELECT count(*) FROM \"@_auditor\".audit_log WHERE event = 'reveal' "
                                "AND actor = 'r_officer' AND body = '{\"person_id\":1}' AND purpose = 'in one'";
  PGconn *auditor = connect_as("r_auditor");
  ASKED(officer, "BEGIN", "");
  ASKED(officer, "SELECT \"@_guard\".sight('person', 1, 'in one') > 0", "t");
  ASKED(officer, count, "0");
  ASKED(officer, "SAVEPOINT a; RELEASE a", "");
  ASKED(officer, count, "0");
  ASKED(officer, "ROLLBACK", "");
  ASKED(officer, count, "0");
  ASKED(auditor, entries, "0");
  ASKED(auditor, "SELECT count(*) FROM \"@_auditor\".sight", "0");
  ASKED(officer, "BEGIN", "");
  ASKED(officer, "SELECT \"@_guard\".sight('person', 1, 'in one') > 0", "t");
  ASKED(officer, "COMMIT", "");
  ASKED(officer, count, "1");
  ASKED(auditor, entries, "1");
  /* It ends with its time, with its grant, and is the login's alone. */
  contract_sql(&scene->stand, "UPDATE sight SET until = at");
  ASKED(officer, count, "0");
  ASKED(officer, "SELECT \"@_guard\".sight('person', 1, 'again') > 0", "t");
  ASKED(officer, count, "1");
  revoke(&scene->stand, "r_officer", ROLE_OFFICER);
  ASKED(officer, count, "!42501");
  grant(&scene->stand, "r_officer", ROLE_OFFICER, "PE/INPE", NULL);
  ASKED(officer, "SELECT \"@_guard\".sight('person', 1, 'again')", "0");
  PQfinish(officer);
  PQfinish(auditor);
  verified(&scene->stand);
}

static void test_sight_needs_its_words(void **state) {
  struct scene *scene = *state;
  PGconn *officer = connect_as("r_officer");
  ASKED(officer, "SELECT \"@_guard\".sight('person', 1, '  ')", "!22023");
  ASKED(officer, "SELECT \"@_guard\".sight('person', 1, NULL)", "!22023");
  ASKED(officer, "SELECT \"@_guard\".sight('person', NULL, 'why')", "!22023");
  ASKED(officer, "SELECT \"@_guard\".sight('source', 1, 'why')", "!22023");
  ASKED(officer, "SELECT \"@_guard\".sight('person', 1, repeat('x', 501))", "!22023");
  ASKED(officer, "SELECT \"@_guard\".refuse('{\"a\":1}')", "!22023");
  ASKED(officer, "SELECT \"@_guard\".sight('person', 99, 'why')", "0");
  verified(&scene->stand);
  PQfinish(officer);
}

/* ---- the log ---- */

static void test_entries_by_sql(void **state) {
  struct scene *scene = *state;
  PGconn *officer = connect_as("r_officer"), *analyst = connect_as("r_analyst"), *auditor = connect_as("r_auditor");
  ASKED(officer, "SELECT \"@_guard\".sight('person', 1, 'ñandú \"quoted\" \\ 日本') > 0", "t");
  ASKED(analyst, "SELECT \"@_guard\".refuse('exact') > 0", "t");
  ASKED(officer, "SELECT \"@_guard\".sight('person', 2, 'of another region')", "0");
  ASKED(auditor, "SELECT event, actor, purpose, body FROM \"@_auditor\".audit_log ORDER BY sequence DESC LIMIT 3",
        "refuse|r_officer|of another region|{\"person_id\":2,\"right\":\"sight\"};"
        "refuse|r_analyst|null|{\"right\":\"exact\"};"
        "reveal|r_officer|ñandú \"quoted\" \\ 日本|{\"person_id\":1}");
  verified(&scene->stand);
  /* And entries of the program go on from there. */
  struct error error;
  const struct audit_event event = {.event = "link", .actor = "tester"};
  MUST(store_begin(scene->stand.store, &error));
  MUST(audit_append(scene->stand.store, &event, &error));
  MUST(store_commit(scene->stand.store, &error));
  verified(&scene->stand);
  PQfinish(officer);
  PQfinish(analyst);
  PQfinish(auditor);
}

/* ---- what is masked ---- */

static void test_auditor_sees_shapes(void **state) {
  struct scene *scene = *state;
  PGconn *auditor = connect_as("r_auditor"), *watcher = connect_as("r_operator");
  ASKED(auditor, "SELECT DISTINCT key, sex, birth_date FROM \"@_auditor\".st_person", "Aaaa9|***|9999-99-99");
  ASKED(auditor, "SELECT DISTINCT place, region FROM \"@_auditor\".st_measure", "***|999999");
  ASKED(auditor, "SELECT count(*) FROM \"@_auditor\".identity", "0");
  ASKED(auditor, "SELECT count(*) > 4, count(source_key), count(key_digest) FROM \"@_auditor\".raw_record", "t|0|0");
  ASKED(auditor, "SELECT count(*) FROM \"@_auditor\".members", "7");
  ASKED(watcher, "SELECT count(*), count(row_key) FROM \"@_operator\".person_member", "5|0");
  ASKED(watcher, "SELECT count(*) FROM \"@_operator\".person", "2");
  PQfinish(auditor);
  PQfinish(watcher);
}

/* ---- the owner ---- */

/* A view or function of the owner's that somebody is given by mistake shows nothing, for the session is not its own. */
static void test_owner_is_forced(void **state) {
  struct scene *scene = *state;
  PGconn *owner = connect_as("puente"), *analyst = connect_as("r_analyst");
  ASKED(owner, "SELECT count(*) FROM \"@\".st_person", "5");
  ASKED(owner,
        "CREATE SCHEMA \"@_leak\"; CREATE VIEW \"@_leak\".v AS SELECT * FROM \"@\".st_person;"
        "CREATE FUNCTION \"@_leak\".f() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS "
        "'SELECT count(*) FROM \"@\".identity'; GRANT USAGE ON SCHEMA \"@_leak\" TO r_analyst;"
        "GRANT SELECT ON \"@_leak\".v TO r_analyst; GRANT EXECUTE ON FUNCTION \"@_leak\".f() TO r_analyst",
        "");
  ASKED(owner, "SELECT count(*), \"@_leak\".f() > 0 FROM \"@_leak\".v", "5|t");
  ASKED(analyst, "SELECT count(*) FROM \"@_leak\".v", "0");
  ASKED(analyst, "SELECT \"@_leak\".f()", "0");
  ASKED(owner, "SELECT pg_has_role('puente', '@_guard', 'MEMBER')", "f");
  PQfinish(owner);
  PQfinish(analyst);
}

static void test_state(void **state) {
  struct scene *scene = *state;
  struct error error;
  enum roles_state stands;
  MUST(store_roles_state(scene->stand.store, &stands, &error));
  assert_int_equal(stands, ROLES_STAND);
  contract_sql(&scene->stand, "ALTER TABLE st_person NO FORCE ROW LEVEL SECURITY");
  MUST(store_roles_state(scene->stand.store, &stands, &error));
  assert_int_equal(stands, ROLES_OLD);
  set_up(&scene->stand);
  MUST(store_roles_state(scene->stand.store, &stands, &error));
  assert_int_equal(stands, ROLES_STAND);
  /* What was granted stays. */
  PGconn *auditor = connect_as("r_auditor");
  ASKED(auditor, "SELECT count(*) > 0 FROM \"@_auditor\".audit_log", "f");
  PQfinish(auditor);
}

static void test_grants_are_checked(void **state) {
  struct scene *scene = *state;
  struct stand *stand = &scene->stand;
  struct error error;
  static const struct {
    const char *login;
    enum status status;
  } CASES[] = {{"postgres", ERR_CONFIG},
               {"puente", ERR_CONFIG},
               {"r_missing", ERR_NOT_FOUND},
               {"x\"; DROP SCHEMA public; --", ERR_NOT_FOUND},
               {"r_analyst", ERR_USAGE}};
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    const struct granted granted = {.login = CASES[i].login, .role = ROLE_ANALYST, .granted_by = "tester"};
    MUST(store_begin(stand->store, &error));
    assert_int_equal(store_grant(stand->store, &granted, &error), CASES[i].status);
    store_rollback(stand->store);
  }
  MUST(store_begin(stand->store, &error));
  assert_int_equal(store_revoke(stand->store, "r_analyst", ROLE_KEYS, &error), ERR_NOT_FOUND);
  store_rollback(stand->store);
}

static void test_sqlite_has_none(void **state) {
  (void)state;
  struct stand stand;
  struct error error;
  enum roles_state stands;
  stand_open(&stand, STORE_SQLITE);
  assert_int_equal(store_roles(stand.store), ROLES_SERVICE);
  MUST(store_roles_state(stand.store, &stands, &error));
  assert_int_equal(stands, ROLES_NONE);
  MUST(store_begin(stand.store, &error));
  assert_int_equal(store_roles_setup(stand.store, &error), ERR_CONFIG);
  assert_string_equal(error.message, "this store is an SQLite file, which is for one trusted user: it has no roles");
  store_rollback(stand.store);
  stand_close(&stand);
}

#define SCENE(function) cmocka_unit_test_setup_teardown(function, open_scene, close_scene)
int main(void) {
  const struct CMUnitTest tests[] = {
      SCENE(test_every_relation),
      SCENE(test_everybody_has_nothing),
      SCENE(test_functions),
      SCENE(test_search_path),
      SCENE(test_officer_sees_own_rows),
      SCENE(test_officer_sees_shared_values),
      SCENE(test_sight_is_committed_first),
      SCENE(test_sight_needs_its_words),
      SCENE(test_entries_by_sql),
      SCENE(test_auditor_sees_shapes),
      SCENE(test_owner_is_forced),
      SCENE(test_state),
      SCENE(test_grants_are_checked),
      cmocka_unit_test(test_sqlite_has_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
