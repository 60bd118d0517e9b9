/* Every allocation, read, write and libpq call of Puente's own fails in turn, over small fixed scenarios; see
 * torture.h. The quick run takes a few of each; `make check-long` all of them. By hand:
 * TORTURE=all|N ONLY=part of a name TORTURE_PASS=fails TORTURE_AT=17. */
#include "tests/torture/torture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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
    {.name = "link", .prepare = {"sync"}, .command = "link"},
    {.name = "remap", .prepare = {"sync"}, .command = "remap"},
    {.name = "quarantine list", .prepare = {"sync"}, .command = "quarantine list", .slow = true},
    {.name = "quarantine show", .prepare = {"sync"}, .command = "quarantine show hojas:D-3 --reveal --purpose test"},
    {.name = "quarantine dismiss",
     .prepare = {"sync"},
     .command = "quarantine dismiss hojas:D-3 --reason test",
     .once = true},
    {.name = "status", .prepare = {"sync", "link"}, .command = "status --json"},
    {.name = "explain", .prepare = {"sync", "link"}, .command = "explain person 1"},
    {.name = "review", .prepare = {"sync", "link"}, .command = "review list", .slow = true},
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
    {.name = "backup", .prepare = {"sync"}, .command = "store backup copy.db"},
    {.name = "postgres sync", .prepare = {"sync hojas"}, .command = "sync fichas", .postgres = true},
    {.name = "postgres link", .prepare = {"sync"}, .command = "link", .postgres = true},
    {.name = "postgres status", .prepare = {"sync"}, .command = "status", .postgres = true, .slow = true},
};

static void test_scenarios(void **state) {
  (void)state;
  const char *only = getenv("TORTURE_ONLY");
  unsigned wrong = 0;
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
    bool left_out = scenarios[i].slow && getenv("TORTURE") == NULL;
    if (!left_out && (only == NULL || strstr(scenarios[i].name, only) != NULL)) {
      wrong += !torture_run(&scenarios[i]);
    }
  }
  torture_end();
  assert_int_equal(wrong, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_scenarios)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
