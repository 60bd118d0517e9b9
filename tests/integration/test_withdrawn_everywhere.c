/* Consent that is withdrawn at all five simulated registries: two persons, whom all five know between them, are in no
 * person, case, export or release any more, and no later pull of whatever source brings them back. */
#include "tests/support/peru.h"
#include "tests/support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct peru peru;
static char *folder, *rows; /* of their records, for SQL: "1, 2" */
static long long persons[2];

/* How a source's mapping names a person's row: the paths of the parts of its key. */
static const struct {
  const char *source, *indent, *paths[2];
} SOURCES[] = {
    {"datamart", "    ", {"id_defensa"}},
    {"mimp", "    ", {"coAtencion"}},
    {"siscalp", "    ", {"CÓDIGO"}},
    {"reta", "      ", {"../../NumDenuncia", "Codigo"}},
    {"sistra", "      ", {"../id_caso", "id"}},
};
enum { COUNT = sizeof SOURCES / sizeof *SOURCES };

static struct said done(const char *arguments) {
  struct said said = program_run(folder, arguments);
  if (said.code != 0) {
    fail_msg("%s: exit %d\n%s%s", arguments, said.code, said.out, said.err);
  }
  return said;
}

static long long number(const char *format, ...) {
  char sql[2048];
  va_list list;
  va_start(list, format);
  vsnprintf(sql, sizeof sql, format, list);
  va_end(list);
  return workspace_number(folder, sql);
}

/* Who is known to most sources, among them this one. */
static long long known_to(const char *source) {
  return number("SELECT m.id FROM members m JOIN person_records r USING (row_id) WHERE m.kind = 'person' GROUP BY m.id "
                "HAVING max(r.source = '%s') = 1 ORDER BY count(DISTINCT r.source) DESC, m.id LIMIT 1",
                source);
}

/* Of tables that no view shows. Allocated. */
static char *within(const char *sql) {
  int code = 0;
  char *text = shell_output(&code, "sqlite3 %s/puente.db \"%s\"", folder, sql);
  assert_int_equal(code, 0);
  return text;
}

static void choose(void) {
  char sql[512];
  persons[0] = known_to("siscalp");
  persons[1] = known_to("datamart");
  snprintf(sql, sizeof sql, "SELECT group_concat(row_id) FROM members WHERE kind = 'person' AND id IN (%lld, %lld)",
           persons[0], persons[1]);
  rows = workspace_rows(folder, sql);
  rows[strcspn(rows, "\n")] = '\0';
  assert_int_equal(number("SELECT count(DISTINCT source) FROM person_records WHERE row_id IN (%s)", rows), COUNT);
}

/* `{all: [{path: …, equals: "…"}, …]}` of one row's key. */
static size_t put_condition(size_t at, char *key, char *out, size_t size) {
  size_t len = (size_t)snprintf(out, size, "{all: [");
  for (size_t part = 0; part < 2 && SOURCES[at].paths[part] != NULL; part++) {
    const char *value = strsep(&key, "/");
    assert_non_null(value);
    len += (size_t)snprintf(out + len, size - len, "%s{path: \"%s\", equals: \"%s\"}", part == 0 ? "" : ", ",
                            SOURCES[at].paths[part], value);
  }
  return len + (size_t)snprintf(out + len, size - len, "]}, ");
}

/* The source says from now on that they withdrew. */
static void withdraw_at(size_t at) {
  char sql[512], path[64], line[2048];
  snprintf(sql, sizeof sql,
           "SELECT s.key FROM st_person s JOIN source o ON o.source_id = s.row_id >> 52 WHERE o.code = '%s' AND "
           "s.row_id IN (%s)",
           SOURCES[at].source, rows);
  char *keys = within(sql), *rest = keys, *key;
  size_t len = (size_t)snprintf(line, sizeof line, "%sconsent: {value: withdrawn, when: {any: [", SOURCES[at].indent);
  while ((key = strsep(&rest, "\n")) != NULL && key[0] != '\0') {
    len += put_condition(at, key, line + len, sizeof line - len);
  }
  snprintf(line + len - 2, sizeof line - len + 2, "]}}\n");
  free(keys);
  snprintf(path, sizeof path, "mappings/%s.yaml", SOURCES[at].source);
  char *mapping = program_read(folder, path), *place = strstr(mapping, "involvement:\n");
  assert_non_null(place);
  place += strlen("involvement:\n");
  char *changed = NULL, *own = strstr(place, "    consent: CONSENTIMIENTO\n");
  const char *after = own == NULL ? "" : own + strlen("    consent: CONSENTIMIENTO\n");
  int before = (int)((own == NULL ? mapping + strlen(mapping) : own) - place);
  assert_true(asprintf(&changed, "%.*s%s%.*s%s", (int)(place - mapping), mapping, line, before, place, after) > 0);
  program_write(folder, path, changed);
  free(changed);
  free(mapping);
}

static void assert_not_in(const char *file, const char *column) {
  int code = 0;
  char *found = shell_output(&code,
                             "python3 -c \"import csv, sys; print(sum(r['%s'] in sys.argv[2:] for r in "
                             "csv.DictReader(open(sys.argv[1]))))\" %s/%s %lld %lld",
                             column, folder, file, persons[0], persons[1]);
  assert_int_equal(code, 0);
  assert_string_equal(found, "0\n");
  free(found);
}

static long long released(void) {
  done("release create victims --purpose test");
  return number("SELECT figure FROM released_cells WHERE name = 'year' AND value_1 = 'total' ORDER BY release_id DESC "
                "LIMIT 1");
}

static void assert_gone(void) {
  char line[64], sql[512];
  assert_int_equal(number("SELECT count(*) FROM persons WHERE person_id IN (%lld, %lld)", persons[0], persons[1]), 0);
  assert_int_equal(number("SELECT count(*) FROM members WHERE row_id IN (%s)", rows), 0);
  assert_int_equal(number("SELECT count(*) FROM person_records WHERE row_id IN (%s)", rows), 0);
  snprintf(sql, sizeof sql, "SELECT count(*) FROM identity WHERE row_id IN (%s)", rows);
  char *identities = within(sql);
  assert_string_equal(identities, "0\n");
  free(identities);
  assert_int_equal(number("SELECT count(*) FROM involvements WHERE person_id IN (%lld, %lld)", persons[0], persons[1]),
                   0);
  done("--quiet export csv --purpose test --out out");
  assert_not_in("out/person.csv", "person_id");
  assert_not_in("out/involvement.csv", "person_id");
  for (size_t i = 0; i < 2; i++) {
    snprintf(line, sizeof line, "explain person %lld", persons[i]);
    assert_non_null(strstr(done(line).out, "was erased on "));
  }
  assert_non_null(strstr(done("audit verify --records").out, "audit ok"));
}

static void test_withdrawn_at_all_five(void **state) {
  (void)state;
  peru_start(&peru, 300, 5, "");
  folder = peru_workspace(&peru, "withdrawn", "{sqlite: puente.db}");
  shell("echo 'disclosure: {k: 1}' >>%s/puente.yaml && cp -r %s/mappings %s/before", folder, folder, folder);
  done("--quiet sync");
  done("--quiet link");
  long long all = number("SELECT count(*) FROM persons"), published = released();
  choose();
  for (size_t at = 0; at < COUNT; at++) {
    withdraw_at(at);
  }
  done("--quiet remap");
  done("--quiet link");
  assert_int_equal(number("SELECT count(DISTINCT source) FROM audit WHERE event = 'erase'"), COUNT);
  assert_gone();
  assert_int_equal(number("SELECT count(*) FROM persons"), all - 2);
  assert_int_equal(released(), published - 2);
  /* The sources say nothing of it any more, and everything is pulled and mapped again. */
  shell("cp %s/before/* %s/mappings/", folder, folder);
  done("--quiet remap");
  done("--quiet sync --full");
  done("--quiet quarantine retry");
  for (size_t at = 0; at < COUNT; at++) {
    char line[64];
    snprintf(line, sizeof line, "--quiet sync %s --reload --max-drop 1", SOURCES[at].source);
    done(line);
  }
  done("--quiet link --full");
  assert_gone();
  assert_int_equal(number("SELECT count(*) FROM persons"), all - 2);
  assert_int_equal(released(), published - 2);
  program_forget();
  free(rows);
  free(folder);
  peru_stop(&peru);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_withdrawn_at_all_five)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
