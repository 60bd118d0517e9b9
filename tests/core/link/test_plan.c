/* The language of config/link: what the shipped files compile to, every mistake with its place and hint, and no crash
 * on files that are cut or scribbled on. */
#include "core/base/file.h"
#include "core/link/plan_read.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define PERSONS "config/link/persons.yaml"
#define CASES "config/link/cases.yaml"
#define FEBRL "examples/link/febrl.yaml"
#define FAKE "examples/link/fake_1000.yaml"

static char *folder;
static char path[256];

static int open_folder(void **state) {
  (void)state;
  folder = temp_make();
  snprintf(path, sizeof path, "%s/plan.yaml", folder);
  return 0;
}

static int close_folder(void **state) {
  (void)state;
  temp_remove(folder);
  return 0;
}

static enum status load_text(struct slice text, struct link_plan **plan, struct error *error) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(text.data == NULL ? "" : text.data, 1, text.len, file), text.len);
  assert_int_equal(fclose(file), 0);
  return link_plan_load(path, plan, error);
}

static struct link_plan *load(const char *file) {
  struct link_plan *plan = NULL;
  struct error error;
  if (link_plan_load(file, &plan, &error) != OK) {
    print_error("%s: %s (%s)\n", error.place, error.message, error.hint);
    fail();
  }
  return plan;
}

static struct link_plan *plan_of(const char *text) {
  struct link_plan *plan = NULL;
  struct error error;
  if (load_text(slice_of(text), &plan, &error) != OK) {
    print_error("%s: %s (%s)\n", error.place, error.message, error.hint);
    fail();
  }
  return plan;
}

static void assert_near(double value, double expected) {
  assert_true(fabs(value - expected) < 1e-12);
}

static const struct comparison *comparison_of(const struct link_plan *plan, const char *name) {
  for (size_t i = 0; i < plan->comparison_count; i++) {
    if (strcmp(plan->comparisons[i].name, name) == 0) {
      return &plan->comparisons[i];
    }
  }
  fail_msg("no comparison %s", name);
  return NULL;
}

static unsigned position_of(const struct link_plan *plan, const char *name) {
  return (unsigned)(comparison_of(plan, name) - plan->comparisons);
}

static unsigned level_of(const struct comparison *comparison, const char *name) {
  for (unsigned i = 0; i < comparison->level_count; i++) {
    if (strcmp(comparison->levels[i], name) == 0) {
      return i;
    }
  }
  fail_msg("%s has no level %s", comparison->name, name);
  return 0;
}

/* ---- shipped files ---- */

/* What score and compare rely on, whatever the file. */
static void check_whole(const struct link_plan *plan) {
  assert_true(plan->comparison_count > 0 && plan->block_count > 0);
  assert_true(plan->train.deterministic_count > 0 && plan->train.round_count > 0);
  for (size_t i = 0; i < plan->comparison_count; i++) {
    const struct comparison *comparison = &plan->comparisons[i];
    size_t tells = plan_list_length(comparison_types[comparison->kind].levels);
    assert_string_equal(comparison->levels[0], "missing");
    assert_string_equal(comparison->levels[comparison->level_count - 1],
                        comparison_types[comparison->kind].levels[tells - 1]);
    assert_int_equal(comparison->to_level[TELL_MISSING], 0);
    assert_int_equal(comparison->to_level[tells - 1], comparison->level_count - 1);
    for (size_t tell = 1; tell < tells; tell++) {
      assert_in_range(comparison->to_level[tell], 1, comparison->level_count - 1);
    }
    for (unsigned j = 0; j < comparison->column_count; j++) {
      assert_true(comparison->columns[j] < plan->column_count);
    }
    assert_true(comparison->instead_of < UINT32_C(1) << i);
  }
  for (size_t i = 0; i < plan->block_count; i++) {
    assert_true(plan->blocks[i].key_count > 0);
    assert_true((plan->blocks[i].forced & UINT32_C(1) << plan->blocks[i].keys[0].comparison) != 0);
  }
}

/* Every comparison is left free by some round, so that its m can be learned. */
static void check_teachable(const struct link_plan *plan) {
  uint32_t untaught = UINT32_MAX;
  for (size_t i = 0; i < plan->train.round_count; i++) {
    untaught &= plan->blocks[plan->train.rounds[i]].forced;
  }
  assert_int_equal(untaught, 0);
}

static void test_shipped_files(void **state) {
  (void)state;
  static const char *const files[] = {PERSONS, CASES, FEBRL, FAKE};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    struct link_plan *plan = load(files[i]);
    check_whole(plan);
    check_teachable(plan);
    assert_true(link_plan_text(plan).len > 0);
    link_plan_free(plan);
  }
}

static void test_persons(void **state) {
  (void)state;
  struct link_plan *plan = load(PERSONS);
  const char *const *names;
  assert_int_equal(link_plan_columns(plan, &names), 14);
  assert_string_equal(names[0], "document_type");
  assert_string_equal(plan->entity, "person");
  assert_null(link_plan_id(plan));
  const struct comparison *document = comparison_of(plan, "document");
  assert_int_equal(document->placeholder_count, 3);
  assert_string_equal(document->levels[document->level_count - 1], "conflict");
  assert_int_equal(comparison_of(plan, "name")->instead_of,
                   1U << position_of(plan, "surnames") | 1U << position_of(plan, "given"));
  assert_string_equal(comparison_of(plan, "birth")->spikes[0], "01-01");
  assert_true(comparison_of(plan, "surnames")->frequency && !comparison_of(plan, "sex")->frequency);
  const struct comparison *own_case = comparison_of(plan, "case");
  assert_near(own_case->m[1], 0.45);
  assert_near(own_case->u[2], 0.9775);
  assert_string_equal(link_plan_block(plan, 0), "document");
  assert_string_equal(link_plan_block(plan, 2), "surnames + given.first");
  assert_string_equal(link_plan_block(plan, LINK_NO_RULE), "");
  assert_string_equal(link_plan_rule(plan, 3), "equal document alone");
  assert_string_equal(link_plan_rule(plan, LINK_NO_RULE), "");
  assert_int_equal(plan->train.deterministic[0], 0);
  struct link_band band = link_plan_band(plan);
  assert_true(band.hold && band.from == 0.80 && band.to == 0.99);
  link_plan_free(plan);
}

/* An equal document merges only with an agreeing name or birth date; one in conflict is for a person. */
static void test_rules_above_weights(void **state) {
  (void)state;
  struct link_plan *plan = load(PERSONS);
  unsigned document = position_of(plan, "document");
  for (size_t i = 0; i < plan->rule_count; i++) {
    const struct verdict_rule *rule = &plan->rules[i];
    if (rule->verdict == VERDICT_MERGE) {
      assert_int_equal(rule->when[document], 1U << DOCUMENT_SAME);
      bool name = rule->when[position_of(plan, "given")] != 0 || rule->when[position_of(plan, "name")] != 0;
      assert_true(name || rule->when[position_of(plan, "birth")] != 0);
    }
  }
  const struct verdict_rule *birth = &plan->rules[2];
  const struct comparison *given = comparison_of(plan, "given");
  assert_true(birth->has_unless);
  assert_int_equal(birth->unless[position_of(plan, "given")], 1U << level_of(given, "else"));
  const struct verdict_rule *conflict = &plan->rules[4];
  assert_int_equal(conflict->verdict, VERDICT_REVIEW);
  assert_int_equal(conflict->when[document], 1U << DOCUMENT_CONFLICT);
  link_plan_free(plan);
}

static void test_examples(void **state) {
  (void)state;
  struct link_plan *plan = load(FEBRL);
  const char *column, *pattern;
  assert_string_equal(link_plan_id(plan), "rec_id");
  assert_true(link_plan_truth(plan, &column, &pattern));
  assert_string_equal(column, "rec_id");
  assert_string_equal(pattern, "^rec-([0-9]+)-");
  assert_false(link_plan_band(plan).hold);
  const struct comparison *street = comparison_of(plan, "street");
  assert_string_equal(street->levels[2], "jaro_winkler 0.92");
  assert_near(street->thresholds[2], 0.92);
  assert_near(street->thresholds[3], 0.80);
  assert_int_equal(street->measures[1], TEXT_EXACT);
  assert_int_equal(street->measures[3], TEXT_JARO_WINKLER);
  for (size_t i = 0; i < plan->column_count; i++) {
    assert_string_not_equal(plan->columns[i], "soc_sec_id");
  }
  link_plan_free(plan);
  plan = load(FAKE);
  assert_true(link_plan_truth(plan, &column, &pattern));
  assert_string_equal(column, "cluster");
  assert_null(pattern);
  link_plan_free(plan);
}

/* ---- the language ---- */

static void test_a_short_file(void **state) {
  (void)state;
  struct link_plan *plan = plan_of("compare:\n  given: {kind: given_names, from: given}\n"
                                   "  birth: {kind: date, from: birth}\n  town: {kind: text, from: town}\n"
                                   "  case: {kind: number, from: number}\n"
                                   "block: [[given.first, birth.year], birth, [given, town.prefix]]\n");
  check_whole(plan);
  check_teachable(plan);
  assert_int_equal(plan->block_most, 500);
  assert_int_equal(plan->rule_count, 0);
  assert_int_equal(plan->train.seed, 1);
  assert_int_equal(plan->train.random_pairs, 1000000);
  assert_near(plan->train.recall, 0.6);
  assert_int_equal(plan->train.round_count, 3);
  assert_int_equal(plan->train.rounds[1], 1);
  assert_int_equal(plan->cluster.method, PARTITION_AVERAGE);
  assert_true(plan->cluster.cap == 20 && plan->cluster.unproposed == -2 && plan->cluster.stop == 0);
  assert_int_equal(plan->cluster.giant, 500);
  struct link_band band = link_plan_band(plan);
  assert_true(band.hold && band.from == 0.80 && band.to == 0.99);
  const char *column, *pattern;
  assert_false(link_plan_truth(plan, &column, &pattern));
  assert_int_equal(comparison_of(plan, "given")->level_count, 8);
  assert_near(comparison_of(plan, "given")->fuzzy, 0.88);
  assert_string_equal(comparison_of(plan, "town")->levels[3], "damerau_levenshtein");
  assert_near(comparison_of(plan, "town")->thresholds[3], 2);
  assert_int_equal(comparison_of(plan, "case")->level_count, 3);
  assert_int_equal(plan->blocks[0].forced, 3);
  assert_int_equal(plan->blocks[2].keys[0].part, -1);
  assert_int_equal(plan->blocks[2].keys[1].part, PART_TEXT_PREFIX);
  link_plan_free(plan);
}

static void test_chosen_levels(void **state) {
  (void)state;
  struct link_plan *plan = plan_of(
      "compare:\n"
      "  given: {kind: given_names, from: given, levels: [{fuzzy: {at: 0.9, as: alike, m: 0.2}}, {else: {u: 0.99}}]}\n"
      "  birth: {kind: date, from: birth, levels: [month_and_year, slip]}\n"
      "  surnames: {kind: surnames, from: [a, b], levels: [both_exact, maternal_only]}\n"
      "  town: {kind: text, from: town, levels: [exact, {jaccard: 0.7}, {jaccard: {at: 0.4, as: some words}}]}\n"
      "block: [birth]\n"
      "rules: [{name: far, when: {given: [else, missing], town: some words}, unless: {birth: slip}, then: never}]\n"
      "band: tentative\ncluster: {method: best, cap: 12.5}\ntrain: {rounds: birth, seed: 7}\n");
  check_whole(plan);
  const struct comparison *given = comparison_of(plan, "given");
  assert_int_equal(given->level_count, 3);
  assert_string_equal(given->levels[1], "alike");
  assert_near(given->fuzzy, 0.9);
  assert_true(given->m[1] == 0.2 && given->u[1] == 0 && given->u[2] == 0.99);
  assert_int_equal(given->to_level[GIVEN_SAME_SET], 1);
  assert_int_equal(given->to_level[GIVEN_SUBSET], 1);
  assert_int_equal(given->to_level[GIVEN_DIMINUTIVE], 2);
  const struct comparison *birth = comparison_of(plan, "birth");
  assert_string_equal(birth->levels[1], "month_and_year");
  assert_int_equal(birth->to_level[DATE_FULL], 1);
  assert_int_equal(birth->to_level[DATE_SLIP], 2);
  assert_int_equal(birth->to_level[DATE_YEAR_ONLY], 3);
  const struct comparison *surnames = comparison_of(plan, "surnames");
  assert_int_equal(surnames->to_level[SURNAMES_BOTH_FUZZY], 3);
  assert_int_equal(surnames->to_level[SURNAMES_MATERNAL_ONLY], 2);
  assert_string_equal(comparison_of(plan, "town")->levels[3], "some words");
  assert_string_equal(link_plan_rule(plan, 0), "far");
  assert_int_equal(plan->rules[0].verdict, VERDICT_NEVER);
  assert_int_equal(plan->rules[0].when[0], 1U << 2 | 1U << 0);
  assert_int_equal(plan->rules[0].when[3], 1U << 3);
  assert_int_equal(plan->rules[0].unless[1], 1U << 2);
  assert_false(link_plan_band(plan).hold);
  assert_int_equal(plan->cluster.method, PARTITION_BEST);
  assert_true(plan->cluster.cap == 12.5F);
  link_plan_free(plan);
}

/* ---- mistakes ---- */

/* "LINE:COLUMN: message (hint)". */
static void describe(const struct error *error, char *text, size_t size) {
  size_t prefix = strlen(path);
  assert_memory_equal(error->place, path, prefix);
  int used = snprintf(text, size, "%s: %s", error->place + prefix + 1, error->message);
  if (error->hint[0] != '\0') {
    snprintf(text + used, size - (size_t)used, " (%s)", error->hint);
  }
}

static bool tells_mistake(const char *title, struct slice yaml, struct slice expected) {
  struct link_plan *plan = NULL;
  struct error error;
  char text[1200];
  enum status status = load_text(yaml, &plan, &error);
  if (status == OK) {
    link_plan_free(plan);
    print_error("%s: no error\n", title);
    return false;
  }
  assert_null(plan);
  assert_int_equal(status, ERR_CONFIG);
  describe(&error, text, sizeof text);
  if (!slice_is(expected, text)) {
    print_error("%s:\n  told     %s\n  expected %.*s\n", title, text, SLICE_ARG(expected));
    return false;
  }
  return true;
}

static void test_mistakes(void **state) {
  (void)state;
  struct buffer file;
  struct error error;
  size_t count = 0;
  size_t wrong = 0;
  assert_int_equal(file_read("tests/core/link/plan_errors.txt", (size_t)1 << 20, &file, &error), OK);
  for (char *at = file.data; at != NULL && strncmp(at, "== ", 3) == 0; count++) {
    char *body = strchr(at, '\n') + 1;
    char *expected = strncmp(body, "=> ", 3) == 0 ? body : strstr(body, "\n=> ");
    assert_non_null(expected);
    expected += expected == body ? 0 : 1;
    char *end = strchr(expected, '\n');
    body[-1] = '\0';
    wrong += !tells_mistake(at + 3, slice_make(body, (size_t)(expected - body)),
                            slice_make(expected + 3, (size_t)(end - expected) - 3));
    at = end[1] == '\0' ? NULL : end + 2;
  }
  assert_int_equal(wrong, 0);
  assert_true(count > 70);
  buffer_free(&file);
}

static void test_a_file_that_is_not_there(void **state) {
  (void)state;
  struct link_plan *plan = NULL;
  struct error error;
  assert_int_equal(link_plan_load("config/link/nothing.yaml", &plan, &error), ERR_CONFIG);
  assert_null(plan);
}

static uint64_t random_state = 88172645463325252;

static size_t draw(size_t bound) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (size_t)(random_state >> 33) % bound;
}

static void load_any(const char *data, size_t len) {
  struct link_plan *plan = NULL;
  struct error error;
  enum status status = load_text(slice_make(data, len), &plan, &error);
  assert_true(status == OK ? plan != NULL : status == ERR_CONFIG && plan == NULL);
  if (plan != NULL) {
    check_whole(plan);
  }
  link_plan_free(plan);
}

/* Cut anywhere; with bytes and words in wrong places. */
static void test_broken_files(void **state) {
  (void)state;
  static const char *const scraps[] = {"[",  "]",    "{",       "}",    ":",     "\n",   "- ",          "''",
                                       ", ", "else", "missing", "0.5",  "birth", "name", "document",    "&a",
                                       "*a", "!x",   "\t",      "\xff", "\"",    "#",    "999999999999"};
  struct buffer file;
  struct error error;
  assert_int_equal(file_read(PERSONS, (size_t)1 << 20, &file, &error), OK);
  const char *text = strstr(file.data, "entity: ");
  assert_non_null(text);
  size_t len = file.len - (size_t)(text - file.data);
  char *broken = malloc(len * 2);
  assert_non_null(broken);
  for (size_t cut = 0; cut < len; cut += 7) {
    load_any(text, cut);
  }
  for (int i = 0; i < 1500; i++) {
    const char *scrap = scraps[draw(sizeof scraps / sizeof scraps[0])];
    size_t at = draw(len), skipped = draw(2) == 0 ? 0 : draw(len - at < 12 ? len - at : 12);
    size_t put = strlen(scrap), rest = len - at - skipped;
    memcpy(broken, text, at);
    memcpy(broken + at, scrap, put);
    memcpy(broken + at + put, text + at + skipped, rest);
    load_any(broken, at + put + rest);
  }
  free(broken);
  buffer_free(&file);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_shipped_files),
                                     cmocka_unit_test(test_persons),
                                     cmocka_unit_test(test_rules_above_weights),
                                     cmocka_unit_test(test_examples),
                                     cmocka_unit_test(test_a_short_file),
                                     cmocka_unit_test(test_chosen_levels),
                                     cmocka_unit_test(test_mistakes),
                                     cmocka_unit_test(test_a_file_that_is_not_there),
                                     cmocka_unit_test(test_broken_files)};
  return cmocka_run_group_tests_name("plans of linkage", tests, open_folder, close_folder);
}
