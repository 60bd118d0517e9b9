/* Every command × every role, by the program and on a real PostgreSQL: what is not granted is refused in words and is
 * in the log; what is granted works. The service syncs, links and backs up under forced row-level security. */
#include "core/command/commands.h"
#include "core/store/access.h"
#include "tests/support/peru.h"
#include "tests/support/postgres.h"
#include "tests/support/program.h"
#include "tests/support/says.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OPERATOR (1U << ROLE_OPERATOR)
#define ANALYST (1U << ROLE_ANALYST)
#define OFFICER (1U << ROLE_OFFICER)
#define AUDITOR (1U << ROLE_AUDITOR)
#define KEYS (1U << ROLE_KEYS)
#define EVERY ((1U << ROLE_COUNT) - 1)

static struct peru peru;
static char *service, *folders[ROLE_COUNT];
static long long person; /* one with a record of the prosecutor's */

/* What it says, errors too; freed by the caller. */
static char *say(const char *folder, int *code, const char *arguments) {
  return shell_output(code, "LANGUAGE=en PUENTE_ACTOR=tester %s/puente --config %s/puente.yaml %s 2>&1 </dev/null",
                      build_folder(), folder, arguments);
}

static void works(const char *folder, const char *arguments) {
  int code = 0;
  char *said = say(folder, &code, arguments);
  if (code != 0) {
    fail_msg("%s: %d: %s", arguments, code, said);
  }
  free(said);
}

/* The service's folder with the login in its dsn. */
static char *folder_as(const char *login) {
  char *folder = NULL;
  if (asprintf(&folder, "%s/%s", peru.folder, login) < 0) {
    abort();
  }
  shell("cp -r %s %s && sed -i 's/user=puente/user=%s/' %s/puente.yaml", service, folder, login, folder);
  return folder;
}

static int set_up(void **state) {
  (void)state;
  char store[512], name[32], line[160];
  snprintf(store, sizeof store, "{postgres: \"%s\", schema: trust}", postgres_start());
  peru_start(&peru, 40, 5, NULL);
  service = peru_workspace(&peru, "service", store);
  shell("printf 'releases: releases\\ndisclosure: {k: 1}\\n' >>%s/puente.yaml && mkdir %s/releases", service, service);
  program_write(service, "releases/small.yaml",
                "release: small\ntables:\n  sex: {indicator: victims, by: [year, sex]}\n"
                "  band: {indicator: victims, by: [age_band, purpose_group]}\n"
                "  place: {indicator: cases, by: [department]}\n");
  works(service, "store init");
  works(service, "access setup");
  works(service, "run --quiet");
  for (int role = 0; role < ROLE_COUNT; role++) {
    const char *of = role_name((enum store_role)role);
    snprintf(name, sizeof name, "c_%s", of);
    snprintf(line, sizeof line, "CREATE ROLE %s LOGIN", name);
    postgres_run(line);
    snprintf(line, sizeof line, "access grant %s %s%s", name, of, role == ROLE_OFFICER ? " --institution PE/MP" : "");
    works(service, line);
    folders[role] = folder_as(name);
  }
  person = (long long)workspace_number(service,
                                       "SELECT min(m.id) FROM members m JOIN person_records r ON r.row_id = m.row_id "
                                       "WHERE m.kind = 'person' AND r.institution = 'PE/MP'");
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  for (int role = 0; role < ROLE_COUNT; role++) {
    free(folders[role]);
  }
  free(service);
  peru_stop(&peru);
  return 0;
}

static int64_t refusals(void) {
  return workspace_number(service, "SELECT count(*) FROM audit WHERE event = 'refuse'");
}

/* `logged` false: nothing of the program's asks before the database itself refuses. */
static const struct {
  const char *arguments;
  unsigned roles;
  bool unlogged;
} LINES[] = {
    {"check", EVERY, false},
    {"sync", 0, false},
    {"remap", 0, false},
    {"link", 0, false},
    {"run", 0, false},
    {"status", OPERATOR, false},
    {"quarantine list", OPERATOR, false},
    {"quarantine show 1", 0, false},
    {"quarantine retry", 0, false},
    {"quarantine dismiss 1 --reason x", 0, false},
    {"review list", 0, false},
    {"review accept 1 2 --reason x", 0, false},
    {"drift list", OPERATOR, false},
    {"drift accept sistra --reason x", 0, false},
    {"explain person 1", AUDITOR | OFFICER, false},
    {"report sources", 0, false},
    {"report crosstab --by year", 0, false},
    {"query --purpose x 'SELECT 1'", 0, false},
    {"query --purpose x 'SELECT * FROM persons'", 0, false},
    {"export csv --purpose x --out out", 0, false},
    {"export htcds --reveal --for PE/MP --purpose x --out build/given", OFFICER, false},
    {"export ctdc --purpose x --out build/given", 0, false},
    {"export crosswalk --for PE/MP --purpose x --out build/given", OFFICER, false},
    {"audit verify", AUDITOR, false},
    {"audit list", AUDITOR, false},
    {"audit export -", AUDITOR, false},
    {"access list", 0, false},
    {"access setup", 0, false},
    {"access grant c_analyst officer --institution PE/MP", 0, false},
    {"store backup out.dump", 0, false},
    {"store init", 0, true},
    {"key list", KEYS, false},
    {"key linkage build/given.key --for PE/MP --reason x", KEYS, false},
    {"key split build/given --shares 3 --needed 2", KEYS, false},
    {"key rotate", 0, false},
    {"key rotate --workspace-key", 0, false},
    {"handover", 0, false},
};

static void every_command(void **state) {
  (void)state;
  unsigned tried = 0, refused = 0, wrong = 0;
  int64_t before = refusals();
  shell("rm -rf build/given build/given.key && mkdir -p build/given");
  for (int role = 0; role < ROLE_COUNT; role++) {
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
      bool allowed = (LINES[i].roles >> role & 1) != 0;
      int code = 0;
      char *said = say(folders[role], &code, LINES[i].arguments);
      int64_t now = refusals();
      bool told = strstr(said, "your role may not do this") != NULL, logged = now == before + 1;
      bool right = allowed ? code == 0
                                 || (strstr(said, "nothing of this") == NULL && !told && code == 1
                                     && strstr(said, "there is no person") != NULL)
                           : code != 0 && ((told && logged) || LINES[i].unlogged);
      tried++;
      refused += code != 0 && !allowed;
      wrong += !right;
      if (!right) {
        fprintf(stderr, "%s: %s: %d, %s\n%s\n", role_name((enum store_role)role), LINES[i].arguments, code,
                logged ? "logged" : "not logged", said);
      }
      free(said);
      before = now;
    }
  }
  printf("commands ok: roles=%d commands=%zu tried=%u refused=%u wrong=%u\n", ROLE_COUNT, sizeof LINES / sizeof *LINES,
         tried, refused, wrong);
  assert_int_equal(wrong, 0);
}

static void an_officer_explains(void **state) {
  (void)state;
  char line[160];
  int code = 0;
  snprintf(line, sizeof line, "explain person %lld", person);
  char *said = say(folders[ROLE_OFFICER], &code, line);
  assert_non_null(strstr(said, "there is no person")); /* no sight yet */
  free(said);
  snprintf(line, sizeof line, "explain person %lld --reveal", person);
  said = say(folders[ROLE_OFFICER], &code, line);
  assert_non_null(strstr(said, "a purpose is needed"));
  free(said);
  snprintf(line, sizeof line, "--json explain person %lld --reveal --purpose hearing", person);
  said = say(folders[ROLE_OFFICER], &code, line);
  if (code != 0 || strstr(said, "\"given_names\"") == NULL || strstr(said, "PE/MP") == NULL) {
    fail_msg("%d: %s", code, said);
  }
  assert_null(strstr(said, "PE/MIMP"));
  assert_null(strstr(said, "PE/PNP"));
  free(said);
  char *rows = workspace_rows(service, "SELECT actor, purpose FROM audit WHERE event = 'reveal' AND purpose <> 'x'");
  assert_string_equal(rows, "c_officer|hearing\n");
  free(rows);
  /* An auditor sees the same person as shapes, and may not reveal. */
  snprintf(line, sizeof line, "explain person %lld --reveal --purpose x", person);
  said = say(folders[ROLE_AUDITOR], &code, line);
  assert_non_null(strstr(said, "your role may not do this: it needs the role officer"));
  free(said);
}

/* ---- figures ---- */

/* The auditor is told what the service is; `reveal`: a name of the store that nothing of it may hold. */
static void same(const char *arguments, const char *wanted) {
  int code = 0, other = 0;
  char *theirs = say(folders[ROLE_AUDITOR], &code, arguments), *ours = say(service, &other, arguments);
  if (code != 0 || other != 0 || strcmp(theirs, ours) != 0 || strstr(theirs, wanted) == NULL) {
    fail_msg("%s: %d, %d, wanted %s\n%.3000s\n---- the service:\n%.3000s", arguments, code, other, wanted, theirs,
             ours);
  }
  free(theirs);
  free(ours);
}

static char *ask(const char *login, const char *sql) {
  char conninfo[640];
  snprintf(conninfo, sizeof conninfo, "%s user=%s", postgres_start(), login);
  PGconn *connection = PQconnectdb(conninfo);
  PGresult *result = PQexec(connection, sql);
  bool answered = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
  char *text = strdup(answered ? PQgetvalue(result, 0, 0) : PQerrorMessage(connection));
  PQclear(result);
  PQfinish(connection);
  return text;
}

static void answers(const char *sql, const char *wanted) {
  char *said = ask("c_auditor", sql);
  if (strstr(said, wanted) == NULL) {
    fail_msg("%s: %s, not %s", sql, said, wanted);
  }
  free(said);
}

#define COUNTABLE "SELECT count(sex) + count(birth_date) FROM trust_auditor.persons"

/* From a figure, of today or of a release, to its values as shapes. What it is made of can be read after the entry of
 * the log alone, and no identifier ever. */
static void an_auditor_follows_a_figure(void **state) {
  (void)state;
  answers(COUNTABLE, "0");
  answers("SELECT count(sex) + count(birth_date) FROM trust_auditor.persons_at(99)", "0");
  works(service, "release create small --purpose test");
  same("--json explain figure victims", "\"figure\": ");
  same("--json explain figure victims --by sex=female", "\"units\": [");
  same("explain figure --release small sex --by sex=female", "counted again as of run ");
  same("--json explain figure --release small band", "\"same\": true");
  same("--json explain figure --release small place", "\"same\": true");
  int code = 0;
  char *said = say(folders[ROLE_AUDITOR], &code, "release verify small");
  assert_non_null(strstr(said, "release ok: number=1"));
  free(said);
  said = say(folders[ROLE_AUDITOR], &code, "audit sample victims --by sex=female --n 3 --seed 7");
  if (code != 0 || strstr(said, "\n3. drawn by ") == NULL || strstr(said, "person_key: AAA") != NULL) {
    fail_msg("%d: %s", code, said);
  }
  free(said);
  said = say(folders[ROLE_AUDITOR], &code, "explain figure victims --exact --purpose x");
  assert_non_null(strstr(said, "your role may not do this: it needs the role officer"));
  free(said);
  char *rows = workspace_rows(service, "SELECT event, actor, body FROM audit WHERE event IN ('figure', 'sample') AND "
                                       "(event = 'sample' OR body LIKE '%small%' OR body LIKE '%female%') "
                                       "ORDER BY sequence LIMIT 2");
  assert_non_null(strstr(rows, "figure|c_auditor|{\"figure\":\"victims\",\"where\":{\"sex\":\"female\"}}\n"));
  free(rows);
  rows = workspace_rows(service, "SELECT actor, body FROM audit WHERE event = 'sample'");
  assert_non_null(strstr(rows, "c_auditor|{\"figure\":\"victims\",\"n\":3,\"run\":"));
  free(rows);
  char *counted = ask("c_auditor", COUNTABLE);
  assert_true(atoll(counted) > 20);
  free(counted);
  answers("SELECT given_names FROM trust_auditor.persons", "column \"given_names\" does not exist");
  answers("SELECT count(*) FROM trust_auditor.identity", "0");
  answers("SELECT count(denuncia_number) FROM trust_auditor.cases", "0");
  answers("SELECT trust_guard.figure('reveal', 'x', '{}')", "no figure");
  works(folders[ROLE_AUDITOR], "audit verify");
}

/* The line of the secret of a linkage key. */
static char *secret_of(const char *path) {
  int code = 0;
  char *line = shell_output(&code, "grep '^data: ' %s", path);
  assert_int_equal(code, 0);
  return line;
}

/* What an administrator of keys gives out is what the service would, also of a key file that took another's place: the
 * root of digests is in the store then, and every role finds it. */
static void keys_are_the_same(void **state) {
  (void)state;
  int code = 0;
  works(service, "key linkage build/given/service.key --for PE/MP --reason x");
  works(folders[ROLE_KEYS], "key check build/given/share-1-of-3.txt build/given/share-2-of-3.txt");
  works(service, "key rotate --workspace-key");
  works(service, "key rotate");
  for (int role = 0; role < ROLE_COUNT; role++) {
    shell("cp %s/puente.key %s/puente.key", service, folders[role]);
    works(folders[role], "check");
  }
  works(folders[ROLE_AUDITOR], "audit list");
  works(folders[ROLE_KEYS], "key linkage build/given/after.key --for PE/MP --reason x");
  char *before = secret_of("build/given/service.key"), *theirs = secret_of("build/given.key"),
       *after = secret_of("build/given/after.key");
  assert_string_equal(before, theirs);
  assert_string_equal(before, after);
  free(before);
  free(theirs);
  free(after);
  char *rows =
      workspace_rows(service, "SELECT actor, purpose, body FROM audit WHERE event = 'key' AND actor = 'c_keys' "
                              "ORDER BY sequence LIMIT 2");
  assert_int_equal(strncmp(rows, "c_keys|x|{\"for\":\"PE/MP\",\"key\":\"", 31), 0);
  assert_non_null(strstr(rows, "\nc_keys||{\"needed\":2,\"shares\":3,\"split\":\""));
  free(rows);
  /* By hand, too: of steps of theirs alone, and by nobody else. */
  char *said =
      shell_output(&code,
                   "psql -XAtq '%s user=c_keys' -c \"SELECT trust_guard.key('x', '{\\\"step\\\":\\\"replaced\\\"}')\" "
                   "-c 'SELECT count(wrapped) FROM trust_keys.data_key WHERE purpose <> '\\''digest'\\' 2>&1",
                   postgres_start());
  assert_non_null(strstr(said, "no step"));
  assert_non_null(strstr(said, "\n0\n"));
  free(said);
  said = shell_output(&code, "psql -XAtq '%s user=c_auditor' -c \"SELECT trust_guard.key('x', '{}')\" 2>&1",
                      postgres_start());
  assert_non_null(strstr(said, "permission denied"));
  free(said);
}

static void the_log_stands(void **state) {
  (void)state;
  int code = 0;
  char *said = say(folders[ROLE_AUDITOR], &code, "audit verify");
  assert_int_equal(code, 0);
  assert_non_null(strstr(said, "audit ok: entries="));
  free(said);
  works(service, "audit export log.jsonl --quiet");
  said = shell_output(&code, "cd %s && %s/audit-verify log.jsonl 2>&1; rm -f log.jsonl", ".", build_folder());
  if (code != 0 || strstr(said, "audit ok: entries=") == NULL) {
    fail_msg("%d: %s", code, said);
  }
  free(said);
}

static void who_has_none_is_told(void **state) {
  (void)state;
  int code = 0;
  postgres_run("CREATE ROLE c_nobody LOGIN");
  char *folder = folder_as("c_nobody"), *said = say(folder, &code, "status");
  assert_int_equal(code, 1);
  assert_non_null(strstr(said, "the login 'c_nobody' has no role in this store"));
  assert_non_null(strstr(said, "puente access grant LOGIN ROLE"));
  free(said);
  free(folder);
  said = say(service, &code, "access grant c_nobody officer");
  assert_int_equal(code, 2);
  assert_non_null(strstr(said, "--institution is needed"));
  free(said);
  said = say(service, &code, "access grant c_nobody auditr");
  assert_non_null(strstr(said, "did you mean \"auditor\"?"));
  free(said);
  said = say(service, &code, "access revoke c_keys keys");
  assert_string_equal(said, "c_keys has the role keys no more\n");
  free(said);
  said = say(folders[ROLE_KEYS], &code, "check");
  assert_non_null(strstr(said, "the login 'c_keys' has no role in this store"));
  free(said);
  char *rows = workspace_rows(service, "SELECT event, body FROM audit WHERE event IN ('roles', 'revoke') ORDER BY 1");
  assert_string_equal(rows, "revoke|{\"login\":\"c_keys\",\"role\":\"keys\"}\nroles|{}\n");
  free(rows);
}

/* A copy under row security is whole; what is restored shows roles nothing until the setup is run again. */
static void a_restore_keeps_roles_out(void **state) {
  (void)state;
  int code = 0;
  int64_t rows = workspace_number(service, "SELECT count(*) FROM person_records");
  char arguments[600];
  snprintf(arguments, sizeof arguments, "store backup %s/trust.dump --quiet", service);
  works(service, arguments);
  snprintf(arguments, sizeof arguments, "store restore %s/trust.dump --quiet", service);
  char *said = say(service, &code, arguments);
  assert_int_equal(code, 0);
  assert_non_null(strstr(said, "The roles are older than the store: run `puente access setup` again."));
  free(said);
  assert_int_equal(workspace_number(service, "SELECT count(*) FROM person_records"), rows);
  said = say(folders[ROLE_AUDITOR], &code, "audit list");
  assert_int_not_equal(code, 0);
  free(said);
  said = say(service, &code, "check");
  assert_non_null(strstr(said, "the roles are older than the store"));
  free(said);
  works(service, "access setup");
  works(folders[ROLE_AUDITOR], "audit verify");
}

static void tells_of_roles(const char *arguments) {
  int code = 0;
  char *said = say(service, &code, arguments);
  assert_int_equal(code, 0);
  assert_says(said, "The roles are older than the store: run `puente access setup` again.");
  free(said);
}

/* A field more is a column and views that no role knows; the way back is a restore. */
static void a_grown_model_keeps_roles_out(void **state) {
  (void)state;
  shell("cp -r config/model %s/model && sed -i 's/^fields:$/&\\n  clan: {type: text, en: Clan, es: Clan}/' "
        "%s/model/person.yaml && echo 'model: model' >>%s/puente.yaml",
        service, service, service);
  tells_of_roles("store migrate");
  works(service, "access setup");
  shell("sed -i '/^model: model$/d' %s/puente.yaml", service);
  tells_of_roles("store rollback");
  works(service, "access setup");
  works(folders[ROLE_AUDITOR], "audit verify");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_officer_explains), /* before an export opens all that is the officer's */
      cmocka_unit_test(an_auditor_follows_a_figure),
      cmocka_unit_test(every_command),
      cmocka_unit_test(keys_are_the_same),
      cmocka_unit_test(the_log_stands),
      cmocka_unit_test(who_has_none_is_told),
      cmocka_unit_test(a_restore_keeps_roles_out),
      cmocka_unit_test(a_grown_model_keeps_roles_out),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
