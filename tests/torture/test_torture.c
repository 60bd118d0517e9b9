/* Every allocation, read, write and libpq call of Puente's own fails in turn, over small fixed scenarios; see
 * torture.h. The quick run takes a few of each; `make check-long` all of them. By hand:
 * TORTURE=paths|all|N TORTURE_ONLY=part of a name TORTURE_PASS=fails TORTURE_AT=17 TORTURE_JOBS=2. */
#include "tests/torture/torture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A file of the source hojas without a column that its mapping reads. */
#define FEWER_COLUMNS "$ printf 'id;victim;date;surname;name\\nD-4;a;03/02/2024;Rojas;Ana\\n' >incoming/hojas/two.csv"

static const struct scenario scenarios[] = {
    {.name = "check", .command = "check"},
    {.name = "init", .command = "init made", .once = true},
    {.name = "map", .command = "map run mappings/fichas.yaml incoming/fichas/one.json"},
    {.name = "store init", .command = "store init", .once = true, .slow = true},
    {.name = "sync csv", .prepare = {"store init"}, .command = "sync hojas"},
    {.name = "sync json", .prepare = {"sync hojas"}, .command = "sync fichas"},
    {.name = "sync xml", .prepare = {"sync hojas"}, .command = "sync actas"},
    {.name = "sync again", .prepare = {"sync"}, .command = "sync"},
    {.name = "sync full", .prepare = {"sync"}, .command = "sync --full", .slow = true},
    {.name = "sync reload", .prepare = {"sync"}, .command = "sync fichas --reload", .slow = true},
    {.name = "sync drift", .prepare = {"sync", FEWER_COLUMNS}, .command = "sync hojas", .slow = true},
    {.name = "drift list", .prepare = {"sync", FEWER_COLUMNS, "sync hojas"}, .command = "drift list", .slow = true},
    {.name = "drift accept",
     .prepare = {"sync", FEWER_COLUMNS, "sync hojas"},
     .command = "drift accept hojas document --reason test",
     .once = true},
    {.name = "link", .prepare = {"sync"}, .command = "link"},
    {.name = "remap", .prepare = {"sync"}, .command = "remap"},
    {.name = "quarantine list", .prepare = {"sync"}, .command = "quarantine list", .slow = true},
    {.name = "quarantine show", .prepare = {"sync"}, .command = "quarantine show hojas:D-3 --reveal --purpose test"},
    {.name = "quarantine dismiss",
     .prepare = {"sync"},
     .command = "quarantine dismiss hojas:D-3 --reason test",
     .once = true},
    {.name = "dismiss by reason",
     .prepare = {"sync"},
     .command = "quarantine dismiss --source hojas --because date_impossible --reason test",
     .slow = true},
    {.name = "quarantine retry",
     .prepare = {"sync", "$ sed -i 's/else: quarantine/else: null/' mappings/hojas.yaml"},
     .command = "quarantine retry hojas",
     .slow = true},
    {.name = "erase record",
     .prepare = {"sync", "link"},
     .command = "erase hojas:D-1 --reason test --document 'Carta 1'"},
    {.name = "erase person",
     .prepare = {"sync", "link"},
     .command = "erase person 1 --reason test --document 'Carta 1'",
     .slow = true,
     .once = true},
    {.name = "erase list",
     .prepare = {"sync", "erase hojas:D-1 --reason test --document 'Carta 1'"},
     .command = "erase list",
     .slow = true},
    {.name = "erase expired",
     .prepare = {"sync", "$ echo 'terms: {retention: 1y}' >>sources/hojas.yaml"},
     .command = "erase expired",
     .slow = true},
    {.name = "status", .prepare = {"sync", "link"}, .command = "status --json"},
    {.name = "explain", .prepare = {"sync", "link"}, .command = "explain person 1"},
    {.name = "review", .prepare = {"sync", "link"}, .command = "review list", .slow = true},
    {.name = "review accept",
     .prepare = {"sync", "link"},
     .command = "review accept 9007199256182785-13510798883553281 --reason test",
     .slow = true,
     .once = true},
    {.name = "report", .prepare = {"sync", "link"}, .command = "report crosstab --indicator victims --by sex"},
    {.name = "export", .prepare = {"sync", "link"}, .command = "export htcds --purpose test --out out"},
    {.name = "query",
     .prepare = {"sync", "link"},
     .command = "query --purpose x 'SELECT * FROM persons' --csv",
     .slow = true},
    {.name = "audit list", .prepare = {"sync", "link"}, .command = "audit list --person 1", .slow = true},
    {.name = "audit verify", .prepare = {"sync", "link"}, .command = "audit verify"},
    {.name = "audit export", .prepare = {"sync", "link"}, .command = "audit export log.jsonl", .slow = true},
    {.name = "audit openlineage",
     .prepare = {"sync", "link"},
     .command = "audit export o --format openlineage",
     .slow = true},
    {.name = "audit prov", .prepare = {"sync", "link"}, .command = "audit export p --format prov", .slow = true},
    {.name = "audit checkpoint", .prepare = {"sync", "link"}, .command = "audit checkpoint point"},
    {.name = "backup",
     .prepare = {"sync"},
     .command = "store backup copy.db",
     .again = "store backup other.db"}, /* the first may be whole, and only its words were lost */
    {.name = "restore", .prepare = {"sync", "store backup copy.db"}, .command = "store restore copy.db"},
    {.name = "verify",
     .prepare = {"sync", "store backup copy.db"},
     .command = "store verify copy.db --full",
     .slow = true},
    {.name = "key rotate", .prepare = {"sync"}, .command = "key rotate", .slow = true},
    {.name = "key split",
     .prepare = {"sync", "$ mkdir shares others"},
     .command = "key split shares",
     .again = "key split others",
     .slow = true},
    {.name = "handover", .prepare = {"sync", "link"}, .command = "handover --out handover.md", .slow = true},
    {.name = "approve propose",
     .prepare = {"sync", "$ echo 'approval: {required: [mapping]}' >>puente.yaml"},
     .command = "approve propose mapping hojas --reason test --document 'Carta 1'",
     .slow = true,
     .once = true},
    {.name = "release", .prepare = {"sync", "link"}, .command = "release create victims --purpose test", .slow = true},
    {.name = "postgres sync", .prepare = {"sync hojas"}, .command = "sync fichas", .postgres = true},
    {.name = "postgres link", .prepare = {"sync"}, .command = "link", .postgres = true},
    {.name = "postgres erase",
     .prepare = {"sync", "link"},
     .command = "erase hojas:D-1 --reason test --document 'Carta 1'",
     .postgres = true,
     .slow = true},
    {.name = "postgres backup", .prepare = {"sync"}, .command = "store backup copy.db", .postgres = true, .slow = true},
    {.name = "postgres restore",
     .prepare = {"sync", "store backup copy.db"},
     .command = "store restore copy.db",
     .postgres = true,
     .slow = true},
    {.name = "postgres access", .prepare = {"sync"}, .command = "access setup", .postgres = true, .slow = true},
    {.name = "postgres status", .prepare = {"sync"}, .command = "status", .postgres = true, .slow = true},
    {.name = "serve once",
     .prepare = {"store init",
                 "$ echo 'serve: {status: off, sources: {hojas: {schedule: \"@hourly\"}}}' >>puente.yaml"},
     .command = "serve --once",
     .again = "run hojas",
     .stays = 1,
     .slow = true},
};

static void test_scenarios(void **state) {
  (void)state;
  const char *only = getenv("TORTURE_ONLY");
  const struct scenario *chosen[sizeof scenarios / sizeof *scenarios];
  unsigned count = 0;
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
    bool left_out = scenarios[i].slow && getenv("TORTURE") == NULL;
    if (!left_out && (only == NULL || strstr(scenarios[i].name, only) != NULL)) {
      chosen[count++] = &scenarios[i];
    }
  }
  assert_int_not_equal(count, 0);
  assert_int_equal(torture_run(chosen, count), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_scenarios)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
