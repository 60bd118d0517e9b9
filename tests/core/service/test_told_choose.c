/* Which told tables a report has to be protected with: what is left out cannot tell anything of it. */
#include "core/service/cube_told.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NODES_MOST = 8 };
static const char *const FIELDS[] = {"sex", "age_band", "year", "nationality", "purposes"};

/* "sex,year": a table by these; "!" before it: with no cell hidden; "=month": its months and years told apart; "total":
 * by none. A field's number is that of its family. */
static struct told_node node_of(const char *text) {
  struct told_node node = {.open = text[0] == '!'};
  char *copy = strdup(text + node.open), *rest = copy;
  static char names[64][32];
  static size_t used;
  for (char *name; (name = strsep(&rest, ",")) != NULL && strcmp(name, "total") != 0;) {
    bool dated = strstr(name, "month") != NULL || strcmp(name, "period") == 0;
    size_t field = 0;
    while (!dated && strcmp(FIELDS[field], name) != 0) {
      field++;
      assert_true(field < sizeof FIELDS / sizeof *FIELDS);
    }
    field = dated ? 2 : field;
    used = (used + 1) % 64;
    snprintf(names[used], sizeof names[used], "%s", name);
    node.levels[node.level_count++] = (struct told_level){.field = field, .name = names[used], .params = ""};
    node.fields |= (uint64_t)1 << field;
  }
  free(copy);
  return node;
}

struct choice {
  const char *nodes[NODES_MOST]; /* the first is asked for */
  const char *matter;            /* of those after it: "+" it does */
};
static const struct choice CHOICES[] = {
    /* nothing in common but the total */
    {{"sex,year", "!total", "nationality,purposes"}, "+-"},
    {{"sex,year", "total", "nationality,purposes"}, "++"},
    {{"sex,year", "nationality,purposes"}, "+"},
    /* one field, of which all is told, or not */
    {{"sex,year", "!total", "!sex", "sex,purposes"}, "++-"},
    {{"sex,year", "!total", "sex", "sex,purposes"}, "+++"},
    {{"sex,year", "!total", "sex,purposes"}, "++"},
    /* what lies behind it */
    {{"sex,year", "!total", "!sex", "sex,purposes", "purposes,nationality", "purposes"}, "++---"},
    {{"sex,year", "!total", "sex", "!purposes", "sex,purposes", "purposes,nationality"}, "++++-"},
    /* two fields, and a way round */
    {{"sex,year", "!total", "!sex", "!year", "sex,year,purposes"}, "++++"},
    {{"sex,year", "!total", "!sex", "!year", "sex,purposes", "year,purposes"}, "+++++"},
    {{"sex,age_band", "!total", "!sex", "sex,nationality", "age_band,nationality"}, "++++"},
    /* told more coarsely than a table has it */
    {{"sex,year", "!total", "!year", "year,purposes"}, "++-"},
    {{"sex,month,=month", "!total", "!year", "year,purposes"}, "+++"},
    {{"sex,year", "!total", "!year", "=month,purposes"}, "+++"},
    {{"sex,year", "!total", "!=month", "=month,purposes"}, "++-"},
    {{"sex,year", "!total", "!month", "month,purposes"}, "+++"},
    {{"sex,period", "!total", "!year", "year,purposes"}, "++-"}};

static void what_is_left_out_tells_nothing(void **unused) {
  (void)unused;
  for (size_t i = 0; i < sizeof CHOICES / sizeof *CHOICES; i++) {
    struct told_node nodes[NODES_MOST];
    char matter[NODES_MOST] = "";
    size_t count = 0;
    while (count < NODES_MOST && CHOICES[i].nodes[count] != NULL) {
      nodes[count] = node_of(CHOICES[i].nodes[count]);
      count++;
    }
    told_choose(nodes, count);
    for (size_t n = 1; n < count; n++) {
      matter[n - 1] = nodes[n].matters ? '+' : '-';
    }
    if (strcmp(matter, CHOICES[i].matter) != 0) {
      fail_msg("choice %zu: %s, not %s", i + 1, matter, CHOICES[i].matter);
    }
  }
}

/* Bands of other bounds do not tell each other. */
static void other_bands_do_not_close_a_field(void **unused) {
  struct told_node nodes[] = {node_of("sex,age_band"), node_of("!total"), node_of("!age_band"),
                              node_of("age_band,purposes")};
  (void)unused;
  told_choose(nodes, 4);
  assert_false(nodes[3].matters);
  nodes[3].levels[0].params = "0-14,15+";
  told_choose(nodes, 4);
  assert_true(nodes[3].matters);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_left_out_tells_nothing),
                                     cmocka_unit_test(other_bands_do_not_close_a_field)};
  return cmocka_run_group_tests_name("told", tests, NULL, NULL);
}
