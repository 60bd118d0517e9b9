/* Releases of rounded figures, as a user makes them, beside exact ones and reports of the same store. */
#include "tests/support/program.h"
#include "tests/support/publishing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct peru peru;
static char *exact, *rounded[6]; /* by base */

static void configure(const char *folder, const char *disclosure) {
  shell("sed -i 's/^disclosure: .*/disclosure: {%s}/' %s/puente.yaml", disclosure, folder);
}

static void publish(const char *folder) {
  publishing_says(folder, 0, "release create small --purpose test", "of small is published");
}

static char *copy(const char *of, const char *name, const char *disclosure) {
  char *folder = NULL;
  if (asprintf(&folder, "%s/%s", peru.folder, name) < 0) {
    abort();
  }
  shell("cp -r %s %s", of, folder);
  configure(folder, disclosure);
  return folder;
}

static const struct publishing RELEASES[] = {{"small",
                                              "release: small\ntables:\n"
                                              "  sex: {indicator: victims, by: [year, sex]}\n"
                                              "  women: {indicator: victims, by: [year], where: {sex: female}}\n"
                                              "  group: {indicator: victims, by: [period, region, purpose_group]}\n"
                                              "  fine: {indicator: victims, by: [department, purposes]}\n"
                                              "  band: {indicator: victims, by: [age_band, sex]}\n"
                                              "  cases: {indicator: cases, by: [department]}\n"},
                                             {.name = NULL}};

static int set_up(void **state) {
  (void)state;
  peru_start(&peru, 60, 7, NULL);
  exact = publishing_workspace(&peru, "exact", "{sqlite: puente.db}", "disclosure: {k: 1}\n", RELEASES);
  rounded[3] = copy(exact, "three", "method: round, base: 3");
  rounded[5] = copy(exact, "five", "method: round, base: 5");
  publish(exact);
  publish(rounded[3]);
  publish(rounded[5]);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  free(exact);
  free(rounded[3]);
  free(rounded[5]);
  peru_stop(&peru);
  return 0;
}

/* A program of Python's over the exports of a release: `was` exact and `is` rounded, by table and values. */
static void check(int base, const char *program) {
  int code = 0;
  char *export = NULL;
  const char *folders[] = {exact, rounded[base]};
  for (int i = 0; i < 2; i++) {
    shell("rm -rf %s/out", folders[i]);
    if (asprintf(&export, "release export small %s/out", folders[i]) < 0) {
      abort();
    }
    publishing_says(folders[i], 0, export, "");
    free(export);
  }
  program_write(rounded[base], "check.py", program);
  char *said = shell_output(&code,
                            "puente=$(realpath %s/puente) && cd %s && cat >lib.py <<'END'\n"
                            "import csv, json, sys\n"
                            "base = %d\n"
                            "names = ['sex', 'women', 'group', 'fine', 'band', 'cases']\n"
                            "def read(folder, name):\n"
                            "  return list(csv.reader(open(folder + '/out/' + name + '.csv')))[1:]\n"
                            "def cells(folder):\n"
                            "  rows = [(n, r) for n in names for r in read(folder, n)]\n"
                            "  assert all(r[-1] == 'shown' for n, r in rows), 'hidden'\n"
                            "  return {(n, *r[:-2]): int(r[-2]) for n, r in rows}\n"
                            "was, now = cells('%s'), cells('.')\n"
                            "END\n"
                            "python3 check.py $puente 2>&1",
                            build_folder(), rounded[base], base, exact);
  print_message("base %d: %s", base, said);
  assert_int_equal(code, 0);
  free(said);
}

static void a_published_number_is_near_the_truth(void **state) {
  static const char program[] = "from lib import *\n"
                                "for key, figure in now.items(): assert key in was, ('zero', key)\n"
                                "for key, figure in was.items():\n"
                                "  number = now.get(key, 0)\n"
                                "  assert number % base == 0 and abs(number - figure) < base, (key, figure, number)\n"
                                "away = sum(now.get(k, 0) != was[k] for k in was)\n"
                                "gone = sum(k not in now for k in was)\n"
                                "assert away > 80 and gone > 20, (away, gone)\n"
                                "print('cells', len(was), 'rounded', away, 'to zero', gone)\n";
  (void)state;
  check(3, program);
  check(5, program);
}

static void a_cell_has_one_number_in_all_tables(void **state) {
  static const char program[] = "from lib import *\n"
                                "same = 0\n"
                                "for key in was:\n"
                                "  if key[0] == 'sex' and key[2] == 'female':\n"
                                "    assert now.get(key, 0) == now.get(('women', key[1]), 0), key\n"
                                "    same += 1\n"
                                "  if key[0] == 'sex' and key[1] == 'total':\n"
                                "    assert now.get(key, 0) == now.get(('band', 'total', key[2]), 0), key\n"
                                "    same += 1\n"
                                "totals = {now[k] for k in now if k[0] not in ('women', 'cases')\n"
                                "          and all(v == 'total' for v in k[1:])}\n"
                                "assert len(totals) == 1 and same > 5, (totals, same)\n"
                                "print('cells of two tables', same)\n";
  (void)state;
  check(3, program);
  check(5, program);
}

/* The report's rows by code are those of the release, none besides. */
static void check_report(int base, const char *table, const char *by, const char *where) {
  int code = 0;
  char arguments[256], *said;
  snprintf(arguments, sizeof arguments, "report crosstab --by %s %s --csv", by, where);
  said = publishing_say(rounded[base], &code, arguments);
  assert_int_equal(code, 0);
  program_write(rounded[base], "report.csv", said);
  free(said);
  snprintf(arguments, sizeof arguments,
           "from lib import *\n"
           "rows = [r for r in csv.reader(open('report.csv'))][1:]\n"
           "report = {('%s', *(v or 'not_recorded' for v in r[:-1])): int(r[-1]) for r in rows}\n",
           table);
  char *program = NULL;
  if (asprintf(&program,
               "%s"
               "inner = {k: v for k, v in now.items() if k[0] == '%s' and 'total' not in k}\n"
               "report = {k: v for k, v in report.items() if v > 0 and 'total' not in k}\n"
               "assert report == inner and len(inner) > 4, set(report.items()) ^ set(inner.items())\n"
               "print('%s: cells as in the report', len(inner))\n",
               arguments, table, table)
      < 0) {
    abort();
  }
  check(base, program);
  free(program);
}

static void a_release_has_the_numbers_of_reports(void **state) {
  (void)state;
  check_report(5, "sex", "year,sex", "");
  check_report(5, "women", "year", "--where sex=female");
  check_report(3, "group", "period,region,purpose_group", "");
  check_report(3, "fine", "department,purposes", "");
  check_report(3, "band", "age_band,sex", "");
  check_report(5, "cases", "department", "--indicator cases");
}

/* What stands beside the figures tells neither counts nor what rounds to zero. */
static void the_texts_are_rounded_too(void **state) {
  static const char program[] =
      "from lib import *\n"
      "settings = json.load(open('out/release.json'))['settings']\n"
      "assert settings['method'] == 'round' and settings['base'] == base, settings\n"
      "words = read('.', 'dictionary')\n"
      "assert any(w[1] == 'rounding_base' and w[2] == str(base) and w[3].startswith('rounded to base %d' % base)\n"
      "           for w in words)\n"
      "fields = {'sex': ['year', 'sex'], 'fine': ['department', 'purposes'], 'cases': ['department']}\n"
      "named = 0\n"
      "for table, item, value, en, es in words:\n"
      "  if item in fields.get(table, []):\n"
      "    assert any(k[0] == table and k[1 + fields[table].index(item)] == value for k in now), (table, value)\n"
      "    named += 1\n"
      "for table, figure, least, waiting, records, unlinkable, status in read('.', 'linkage'):\n"
      "  total = [v for k, v in now.items() if k[0] == table and all(x == 'total' for x in k[1:])]\n"
      "  assert [int(figure)] == total and least + waiting + records + unlinkable == '', table\n"
      "assert {r[4] for r in read('.', 'coverage')} <= {'enough', 'few'}\n"
      "assert all(r[4] == 'enough' or r[0] == 'no_source' for r in read('.', 'coverage'))\n"
      "print('codes named', named)\n";
  (void)state;
  check(3, program);
  check(5, program);
  publishing_says(rounded[5], 0, "release show small sex", "rounded to base 5");
  publishing_says(rounded[5], 0, "release show small fine", "cells overlap and need not add up to their total");
  publishing_says(exact, 0, "release show small fine", "\nHidden: nothing (k = 1)\n");
  publishing_says(rounded[3], 0, "release show small sex", "rounded to base 3");
}

/* ---- whom a figure counts ---- */

#define SIGHT                                                                                                          \
  "error: the figure is rounded in its table: who is behind it is a sight of exact data\n"                             \
  "  hint: --exact --purpose \"why you have to see it\": the log records it\n"

/* Nothing but the refusal, which has no number. */
static void refuses(const char *folder, const char *arguments) {
  int code = 0;
  char *said = publishing_say(folder, &code, arguments);
  if (code != 1 || strcmp(said, SIGHT) != 0) {
    fail_msg("%s: %d: %s", arguments, code, said);
  }
  free(said);
}

/* A list of persons would be the exact count: of a release by its own method, of a figure of today by today's. */
static void who_is_behind_a_rounded_figure_is_not_listed(void **state) {
  const char *folder = rounded[5];
  char absent[160];
  (void)state;
  char *cell = workspace_rows(
      folder, "SELECT 'department=' || a.value_1 || ',purposes=' || b.value_2 FROM released_cells a, released_cells b "
              "WHERE a.name = 'fine' AND b.name = 'fine' AND a.release_id = 1 AND b.release_id = 1 AND NOT EXISTS "
              "(SELECT 1 FROM released_cells c WHERE c.name = 'fine' AND c.value_1 = a.value_1 AND c.value_2 = "
              "b.value_2) LIMIT 1");
  assert_true(strlen(cell) > 20);
  snprintf(absent, sizeof absent, "explain figure --release 1 fine --by %.*s", (int)strcspn(cell, "\n"), cell);
  free(cell);
  for (int now = 0; now < 2; now++) {
    configure(folder, now == 0 ? "method: round, base: 5" : "k: 1");
    refuses(folder, "explain figure --release small sex");
    refuses(folder, "--json explain figure --release small sex --by sex=female");
    refuses(folder, "explain figure --release 1 cases --by department=08");
    publishing_says(folder, 2, absent, "it counted nobody, or few who round to zero");
  }
  configure(folder, "method: round, base: 5");
  refuses(folder, "explain figure victims");
  refuses(folder, "explain figure victims --by sex=female");
  refuses(folder, "audit sample victims --n 1 --seed 1");
  refuses(folder, "audit sample victims --n 999 --seed 1");
}

/* Who may see it sees that the run still gives the published number. */
static void an_exact_sight_compares_rounded_figures(void **state) {
  static const char program[] =
      "from lib import *\n"
      "import subprocess\n"
      "fields = {'sex': ['year', 'sex'], 'group': ['period', 'region', 'purpose_group'], 'cases': ['department']}\n"
      "away = told = 0\n"
      "for key, number in list(now.items()):\n"
      "  if key[0] not in fields or told == 24: continue\n"
      "  by = ','.join(f + '=' + ('' if v == 'not_recorded' else v) for f, v in zip(fields[key[0]], key[1:])\n"
      "                if v != 'total')\n"
      "  said = json.loads(subprocess.run([sys.argv[1], '--config', 'puente.yaml', '--json', 'explain', 'figure',\n"
      "    '--release', 'small', key[0], *(['--by', by] if by else []), '--exact', '--purpose', 'test'],\n"
      "    env={'PUENTE_ACTOR': 'rosa', 'PATH': '/usr/bin:/bin'}, stdout=subprocess.PIPE, check=True).stdout)\n"
      "  assert said['release']['published'] == number and said['release']['rounded'] == base, (key, said['release'])\n"
      "  assert said['release']['same'] is True and 'findings' not in said['release'], (key, said['release'])\n"
      "  assert said['figure'] == was[key], (key, said['figure'], was[key])\n"
      "  away += said['figure'] != number\n"
      "  told += 1\n"
      "assert told > 15 and away > 8, (told, away)\n"
      "print('explained', told, 'rounded', away)\n";
  (void)state;
  check(3, program);
  check(5, program);
  publishing_says(rounded[5], 0, "explain figure --release small sex --exact --purpose test",
                  "rounded to base 5; counted again");
}

/* What differs after an erasure is told in rounded figures; in a copy. */
static void verifying_tells_rounded_figures(void **state) {
  char line[160];
  int code = 0;
  (void)state;
  char *folder = copy(rounded[5], "verified", "method: round, base: 5");
  char *listed = publishing_say(folder, &code, "explain figure --release small sex --exact --purpose test");
  int persons = 0;
  for (const char *at = listed; persons < 12 && (at = strstr(at, "\n  person ")) != NULL; persons++) {
    at += strlen("\n  person ");
    snprintf(line, sizeof line, "erase person %lld --reason asked --document C-1", atoll(at));
    publishing_says(folder, 0, line, "");
  }
  free(listed);
  assert_int_equal(persons, 12);
  char *said = publishing_say(folder, &code, "release verify small");
  assert_int_equal(code, 1);
  int found = 0;
  for (const char *at = said; (at = strstr(at, "published '")) != NULL; found++) {
    at += strlen("published '");
    const char *now = strstr(at, "now makes '");
    assert_non_null(now);
    assert_int_equal((int)strtol(at, NULL, 10) % 5, 0);
    assert_int_equal((int)strtol(now + strlen("now makes '"), NULL, 10) % 5, 0);
  }
  print_message("verified: differences %d\n", found);
  assert_true(found > 3);
  free(said);
  free(folder);
}

/* ---- the settings are the release's own ---- */

static void a_release_is_made_again_whatever_the_method_now(void **state) {
  (void)state;
  for (int base = 3; base <= 5; base += 2) {
    configure(rounded[base], "k: 11");
    publishing_says(rounded[base], 0, "release verify small", "release ok: number=1 made_again=");
    configure(rounded[base], base == 3 ? "method: round, base: 5" : "method: round, base: 3");
    publishing_says(rounded[base], 0, "release verify small", "release ok: number=1 made_again=");
    configure(rounded[base], base == 3 ? "method: round, base: 3" : "method: round, base: 5");
  }
}

static void methods_do_not_mix(void **state) {
  static const char refused[] = "is published by another method or base";
  (void)state;
  configure(exact, "method: round, base: 5");
  publishing_says(exact, 2, "release create small --purpose test", refused);
  publishing_says(exact, 2, "release create small --purpose test", "keep {method: suppress}");
  configure(exact, "k: 1");
  configure(rounded[5], "k: 11");
  publishing_says(rounded[5], 2, "release create small --purpose test", refused);
  configure(rounded[5], "method: round, base: 3");
  publishing_says(rounded[5], 2, "release create small --purpose test", "keep {method: round, base: 5}");
  configure(rounded[5], "method: round, base: 5");
}

/* After more was pulled: changes are listed without a cause. Last, for the stores differ then. */
static void what_changed_is_told_without_cause(void **state) {
  static const char program[] = "from lib import *\n"
                                "lines = read('.', 'restatements')\n"
                                "assert len(lines) > 2 and {l[4] for l in lines} == {'rounded'}, lines\n"
                                "assert all(int(x) % base == 0 for l in lines for x in l[2:4]), lines\n"
                                "print('restated', len(lines))\n";
  (void)state;
  for (int i = 0; i < 3; i++) {
    peru_advance(&peru);
  }
  publishing_says(rounded[5], 0, "run --quiet", "");
  publish(rounded[5]);
  publishing_says(rounded[5], 0, "release verify small", "release ok: number=2");
  publishing_says(rounded[5], 0, "release verify 1", "release ok: number=1");
  check(5, program);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_published_number_is_near_the_truth),
                                     cmocka_unit_test(a_cell_has_one_number_in_all_tables),
                                     cmocka_unit_test(a_release_has_the_numbers_of_reports),
                                     cmocka_unit_test(the_texts_are_rounded_too),
                                     cmocka_unit_test(who_is_behind_a_rounded_figure_is_not_listed),
                                     cmocka_unit_test(an_exact_sight_compares_rounded_figures),
                                     cmocka_unit_test(verifying_tells_rounded_figures),
                                     cmocka_unit_test(a_release_is_made_again_whatever_the_method_now),
                                     cmocka_unit_test(methods_do_not_mix),
                                     cmocka_unit_test(what_changed_is_told_without_cause)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
