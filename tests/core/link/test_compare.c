/* Records made ready and compared: levels as cases of text, each both ways; keys for blocking; the order by content;
 * what stands above weights; bad input. */
#include "core/base/file.h"
#include "core/link/prepare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define PLAN "tests/core/link/plans/compare.yaml"
enum { RECORDS_MOST = 64, CASE_BYTES_MOST = 1 << 20, LONG_NAME = 10000 };

struct table {
  struct link_plan *plan;
  struct link_records records;
  struct link_column columns[PLAN_COLUMNS_MOST];
  uint32_t values[PLAN_COLUMNS_MOST][RECORDS_MOST];
};

/* `count` records of nothing but missing values. */
static void table_begin(struct table *table, size_t count) {
  struct error error;
  *table = (struct table){0};
  if (link_plan_load(PLAN, &table->plan, &error) != OK) {
    fail_msg("%s %s", error.message, error.place);
  }
  for (size_t i = 0; i < table->plan->column_count; i++) {
    table->columns[i] =
        (struct link_column){.name = table->plan->columns[i], .values = table->values[i], .dictionary = map_new()};
    memset(table->values[i], 0xFF, sizeof table->values[i]);
  }
  table->records =
      (struct link_records){.count = count, .columns = table->columns, .column_count = table->plan->column_count};
}

static void table_end(struct table *table) {
  for (size_t i = 0; i < table->plan->column_count; i++) {
    map_free(table->columns[i].dictionary);
  }
  link_plan_free(table->plan);
}

static size_t comparison_of(const struct link_plan *plan, struct slice name) {
  for (size_t i = 0; i < plan->comparison_count; i++) {
    if (slice_is(name, plan->comparisons[i].name)) {
      return i;
    }
  }
  fail_msg("no comparison %.*s", SLICE_ARG(name));
  return 0;
}

static void set_column(struct table *table, unsigned column, size_t record, struct slice text) {
  table->values[column][record] = text.len == 0 ? LINK_MISSING : map_intern(table->columns[column].dictionary, text);
}

/* The text up to `mark`, trimmed; the rest stays in `text`. */
static struct slice cut(struct slice *text, char mark) {
  const char *at = text->len == 0 ? NULL : memchr(text->data, mark, text->len);
  size_t length = at == NULL ? text->len : (size_t)(at - text->data);
  struct slice head = slice_make(text->data, length);
  size_t taken = at == NULL ? length : length + 1;
  *text = slice_make(text->data + taken, text->len - taken);
  return slice_trim(head);
}

/* Fields parted by "," in the order of the comparison's columns. */
static void set_fields(struct table *table, const char *name, size_t record, struct slice fields) {
  const struct comparison *comparison = &table->plan->comparisons[comparison_of(table->plan, slice_of(name))];
  for (unsigned i = 0; i < comparison->column_count; i++) {
    set_column(table, comparison->columns[i], record, cut(&fields, ','));
  }
}

static void set(struct table *table, const char *name, size_t record, const char *fields) {
  set_fields(table, name, record, slice_of(fields));
}

static void prepare(struct table *table, struct prepared *prepared) {
  struct error error;
  if (prepared_init(prepared, table->plan, &table->records, 2, &error) != OK) {
    fail_msg("%s", error.message);
  }
}

static const char *level_of(const struct prepared *prepared, size_t comparison, size_t a, size_t b) {
  uint8_t levels[LINK_COMPARISONS_MOST];
  struct compare_cache *cache = compare_cache_new(prepared);
  assert_non_null(cache);
  const uint32_t *x = prepared->rows + a * prepared->width;
  const uint32_t *y = prepared->rows + b * prepared->width;
  compare_rows(prepared, cache, x, y, levels);
  uint8_t told = levels[comparison];
  /* Again, when the answer is remembered, and the other way round. */
  compare_rows(prepared, cache, y, x, levels);
  assert_int_equal(levels[comparison], told);
  compare_cache_free(cache);
  return prepared->plan->comparisons[comparison].levels[told];
}

/* One case, with the two records in either order of arrival. */
static bool check_case(struct slice line) {
  struct slice left = line;
  struct slice name = cut(&left, ':');
  struct slice first = cut(&left, '|');
  struct slice second = cut(&left, '|');
  struct slice expected = slice_trim(left);
  bool right = true;
  for (size_t turned = 0; turned < 2; turned++) {
    struct table table;
    struct prepared prepared;
    table_begin(&table, 2);
    size_t comparison = comparison_of(table.plan, name);
    set_fields(&table, table.plan->comparisons[comparison].name, turned, first);
    set_fields(&table, table.plan->comparisons[comparison].name, 1 - turned, second);
    prepare(&table, &prepared);
    const char *level = level_of(&prepared, comparison, 0, 1);
    if (!slice_is(expected, level)) {
      print_error("%.*s: it is %s\n", SLICE_ARG(line), level);
      right = false;
    }
    prepared_free(&prepared);
    table_end(&table);
  }
  return right;
}

static void levels_are_those_of_the_cases(void **state) {
  struct buffer file;
  struct error error;
  size_t cases = 0;
  size_t wrong = 0;
  (void)state;
  buffer_init(&file, CASE_BYTES_MOST);
  assert_int_equal(file_read("tests/core/link/cases/compare.txt", CASE_BYTES_MOST, &file, &error), OK);
  struct slice text = buffer_view(&file);
  while (text.len > 0) {
    struct slice line = cut(&text, '\n');
    if (line.len > 0 && line.data[0] != '#') {
      wrong += check_case(line) ? 0 : 1;
      cases++;
    }
  }
  buffer_free(&file);
  assert_true(cases > 100);
  assert_int_equal(wrong, 0);
}

static void what_stands_instead_of_another_counts_only_without_it(void **state) {
  struct table table;
  struct prepared prepared;
  (void)state;
  table_begin(&table, 3);
  size_t instead = comparison_of(table.plan, slice_of("instead"));
  for (size_t i = 0; i < 3; i++) {
    set(&table, "instead", i, "15");
  }
  set(&table, "date", 0, "1990");
  set(&table, "date", 1, "1990-05-17");
  prepare(&table, &prepared);
  assert_string_equal(level_of(&prepared, instead, 0, 1), "missing");
  assert_string_equal(level_of(&prepared, instead, 0, 2), "same");
  prepared_free(&prepared);
  table_end(&table);
}

/* Whether two records share a key. */
static bool meet(const struct prepared *prepared, const char *name, int part, uint32_t a, uint32_t b) {
  uint64_t left[PREPARED_PARTS_MOST];
  uint64_t right[PREPARED_PARTS_MOST];
  struct block_key key = {.comparison = (unsigned)comparison_of(prepared->plan, slice_of(name)), .part = part};
  size_t left_count = prepared_parts(prepared, &key, a, left, PREPARED_PARTS_MOST);
  size_t right_count = prepared_parts(prepared, &key, b, right, PREPARED_PARTS_MOST);
  for (size_t i = 0; i < left_count; i++) {
    assert_int_not_equal(left[i], 0);
    for (size_t j = 0; j < right_count; j++) {
      if (left[i] == right[j]) {
        return true;
      }
    }
  }
  return false;
}

static void records_meet_by_parts_of_their_values(void **state) {
  struct table table;
  struct prepared p;
  (void)state;
  table_begin(&table, 3);
  static const char *const rows[][3] = {
      {"surnames", "Quispe,Huamán", "Waman,Torres"},
      {"given", "Rosa Yesenia,", "Llesenia Rosa,"},
      {"name", ",,Rosa Quispe Huamán", ",,Huamán Rosa"},
      {"date", "1990-05-07", "1990-07-05"},
      {"document", "DNI,10117410", ",10117410"},
      {"text", "Los Pinos 123", "Pinos los"},
      {"code", "987654321;912345678", "912345678"},
      {"number", "2019-123", "2019-555"},
      {"age", "15", "15"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    set(&table, rows[i][0], 0, rows[i][1]);
    set(&table, rows[i][0], 1, rows[i][2]);
  }
  prepare(&table, &p);
  assert_false(meet(&p, "surnames", -1, 0, 1));
  assert_false(meet(&p, "surnames", PART_SURNAMES_ANY, 0, 1));
  assert_true(meet(&p, "surnames", PART_SURNAMES_SOUND, 0, 1));
  assert_false(meet(&p, "surnames", PART_SURNAMES_PATERNAL, 0, 1));
  assert_true(meet(&p, "surnames", PART_SURNAMES_MATERNAL, 1, 1));
  assert_false(meet(&p, "given", -1, 0, 1));
  assert_false(meet(&p, "given", PART_GIVEN_FIRST, 0, 1));
  assert_false(meet(&p, "given", PART_GIVEN_SOUND, 0, 1));
  assert_true(meet(&p, "given", PART_GIVEN_ANY, 0, 1));
  assert_true(meet(&p, "name", PART_NAME_ANY, 0, 1));
  assert_true(meet(&p, "name", PART_NAME_SOUND, 0, 1));
  assert_true(meet(&p, "name", PART_NAME_PAIR, 0, 1));
  assert_false(meet(&p, "name", -1, 0, 1));
  assert_false(meet(&p, "date", -1, 0, 1));
  assert_true(meet(&p, "date", PART_DATE_YEAR, 0, 1));
  assert_false(meet(&p, "date", PART_DATE_MONTH_AND_YEAR, 0, 1));
  assert_true(meet(&p, "date", PART_DATE_DAY_AND_MONTH, 0, 1));
  assert_true(meet(&p, "document", -1, 0, 1));
  assert_true(meet(&p, "document", PART_DOCUMENT_PREFIX, 0, 1));
  assert_true(meet(&p, "document", PART_DOCUMENT_SUFFIX, 0, 1));
  assert_false(meet(&p, "text", -1, 0, 1));
  assert_false(meet(&p, "text", PART_TEXT_PREFIX, 0, 1));
  assert_true(meet(&p, "text", PART_TEXT_TOKEN, 0, 1));
  assert_true(meet(&p, "text", PART_TEXT_SOUND, 0, 1));
  assert_false(meet(&p, "code", -1, 0, 1));
  assert_true(meet(&p, "code", PART_CODE_ANY, 0, 1));
  assert_false(meet(&p, "number", -1, 0, 1));
  assert_true(meet(&p, "number", PART_NUMBER_PREFIX, 0, 1));
  assert_true(meet(&p, "age", -1, 0, 1));
  assert_false(meet(&p, "age", -1, 0, 2));
  prepared_free(&p);
  table_end(&table);
}

static void texts_say_what_a_value_is(void **state) {
  static const char *const cases[][3] = {
      {"surnames", "de la Cruz,", "CRUZ / -"},
      {"surnames", "Peña,Núñez", "PENA / NUNEZ"},
      {"given", "Juan  Carlos,", "JUAN CARLOS"},
      {"date", "07/05/1990", "1990-05-07"},
      {"date", "1990-05", "1990-05"},
      {"date", "1990-01-01", "1990"},
      {"document", "dni,1011-7410", "10117410 / DNI"},
      {"document", ",10117410", "10117410"},
      {"age", "15", "15"},
      {"code", "b;a;b", "A;B"},
      {"number", "N° 2019-000123", "2019-123"},
      {"text", "Jr. Grau", "JR GRAU"},
  };
  (void)state;
  struct arena *arena = arena_new(0);
  assert_non_null(arena);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct table table;
    struct prepared prepared;
    table_begin(&table, 1);
    size_t comparison = comparison_of(table.plan, slice_of(cases[i][0]));
    set(&table, cases[i][0], 0, cases[i][1]);
    prepare(&table, &prepared);
    uint32_t value = prepared.rows[comparison];
    assert_true(value < prepared_value_count(&prepared, comparison));
    struct slice text = prepared_text(&prepared, comparison, value, arena);
    if (!slice_is(text, cases[i][2])) {
      fail_msg("%s is %.*s", cases[i][1], SLICE_ARG(text));
    }
    prepared_free(&prepared);
    table_end(&table);
  }
  arena_free(arena);
}

/* ---- order ---- */

static void rank_follows_from_content_alone(void **state) {
  static const char *const names[] = {"Rosa,", "Flor,", "Rosa,", "Juana,", "Ana,", "Ana,"};
  static const uint32_t groups[2][6] = {{7, 7, LINK_MISSING, 9, 9, 7}, {3, 1, 1, LINK_MISSING, 3, 3}};
  uint32_t ranks[2][6];
  (void)state;
  for (size_t turned = 0; turned < 2; turned++) {
    struct table table;
    struct prepared prepared;
    uint32_t group[6];
    table_begin(&table, 6);
    for (size_t i = 0; i < 6; i++) {
      set(&table, "given", turned == 0 ? i : 5 - i, names[i]);
      group[i] = groups[turned][i];
    }
    table.records.group = group;
    prepare(&table, &prepared);
    for (size_t i = 0; i < 6; i++) {
      ranks[turned][i] = prepared.rank[turned == 0 ? i : 5 - i];
    }
    prepared_free(&prepared);
    table_end(&table);
  }
  assert_memory_equal(ranks[0], ranks[1], sizeof ranks[0]);
  /* Two of equal values, one of which is in a case with others; two in cases with different people. */
  assert_int_not_equal(ranks[0][0], ranks[0][2]);
  assert_int_not_equal(ranks[0][4], ranks[0][5]);
}

static void equal_contents_have_equal_ranks(void **state) {
  struct table table;
  struct prepared prepared;
  uint8_t role[3] = {1, 1, 2};
  (void)state;
  table_begin(&table, 3);
  for (size_t i = 0; i < 3; i++) {
    set(&table, "given", i, "Rosa,");
  }
  table.records.role = role;
  prepare(&table, &prepared);
  assert_int_equal(prepared.rank[0], prepared.rank[1]);
  assert_int_not_equal(prepared.rank[0], prepared.rank[2]);
  prepared_free(&prepared);
  table_end(&table);
}

/* ---- what stands above weights ---- */

static void check_standing(const struct prepared *p, uint32_t a, uint32_t b, enum link_reason reason, bool never) {
  for (int turned = 0; turned < 2; turned++) {
    bool found = !never;
    assert_int_equal(compare_standing(p, turned == 0 ? a : b, turned == 0 ? b : a, &found), reason);
    assert_int_equal(found, never);
  }
}

static void sources_and_reviewers_stand_above_weights(void **state) {
  static const struct link_decision decisions[] = {{12, 13, true}, {13, 14, true}, {14, 15, false},
                                                   {0, 1, true},   {16, 17, true}, {16, 17, false}};
  static const uint32_t source[18] = {0, 0, 0, 0, 0, 0, 0, 0, 1};
  uint32_t group[18];
  uint32_t same[18];
  uint8_t role[18] = {[4] = 1, [5] = 2};
  uint8_t sealed[18] = {1, 1, 1};
  uint8_t unique[18] = {[6] = 1, [7] = 1, [8] = 1};
  struct table table;
  struct prepared p;
  (void)state;
  table_begin(&table, 18);
  memset(group, 0xFF, sizeof group);
  memset(same, 0xFF, sizeof same);
  group[9] = group[10] = group[11] = 3;
  same[4] = same[5] = same[6] = same[7] = 1;
  set(&table, "document", 9, "DNI,10117410");
  set(&table, "document", 10, ",10117410");
  set(&table, "document", 11, "DNI,45871236");
  table.records.source = source;
  table.records.group = group;
  table.records.same = same;
  table.records.role = role;
  table.records.sealed = sealed;
  table.records.unique = unique;
  table.records.decisions = decisions;
  table.records.decision_count = sizeof decisions / sizeof decisions[0];
  prepare(&table, &p);
  check_standing(&p, 0, 1, REASON_DECISION, false);
  check_standing(&p, 0, 2, REASON_SEALED, true);
  check_standing(&p, 2, 3, REASON_SEALED, true);
  check_standing(&p, 4, 5, REASON_ROLES, true);
  check_standing(&p, 5, 6, REASON_SOURCE, false);
  check_standing(&p, 6, 7, REASON_SOURCE, false);
  check_standing(&p, 7, 8, REASON_WEIGHT, false);
  check_standing(&p, 9, 10, REASON_WEIGHT, false);
  check_standing(&p, 10, 11, REASON_GROUP, true);
  check_standing(&p, 12, 14, REASON_DECISION, false);
  check_standing(&p, 12, 15, REASON_DECISION, true);
  check_standing(&p, 14, 15, REASON_DECISION, true);
  check_standing(&p, 16, 17, REASON_DECISION, true);
  check_standing(&p, 3, 15, REASON_WEIGHT, false);
  same[6] = LINK_MISSING;
  check_standing(&p, 6, 7, REASON_UNIQUE, true);
  assert_true(compare_documents_agree(&p, 9, 10));
  assert_false(compare_documents_agree(&p, 9, 11));
  assert_false(compare_documents_agree(&p, 0, 9));
  prepared_free(&p);
  table_end(&table);
}

static const char *rule_of(const struct prepared *prepared, uint32_t a, uint32_t b) {
  uint8_t levels[LINK_COMPARISONS_MOST];
  struct compare_cache *cache = compare_cache_new(prepared);
  assert_non_null(cache);
  compare_rows(prepared, cache, prepared->rows + a * prepared->width, prepared->rows + b * prepared->width, levels);
  compare_cache_free(cache);
  uint16_t rule = compare_verdict(prepared->plan, levels);
  return rule == LINK_NO_RULE ? "none" : prepared->plan->rules[rule].name;
}

static void the_first_rule_that_holds_decides(void **state) {
  struct table table;
  struct prepared p;
  (void)state;
  table_begin(&table, 5);
  static const char *const rows[5][3] = {{"DNI,10117410", "Rosa,", "1990-05-17"},
                                         {"DNI,10117410", "Rosa Luz,", "1990"},
                                         {"DNI,10117410", "Rosa,", "1960-11-23"},
                                         {"DNI,45871236", "Rosa,", "1990-05-17"},
                                         {",", "Rosa,", "1990-05-17"}};
  for (size_t i = 0; i < 5; i++) {
    set(&table, "document", i, rows[i][0]);
    set(&table, "given", i, rows[i][1]);
    set(&table, "date", i, rows[i][2]);
  }
  prepare(&table, &p);
  assert_string_equal(rule_of(&p, 0, 1), "equal document and name");
  assert_string_equal(rule_of(&p, 0, 2), "equal document");
  assert_string_equal(rule_of(&p, 0, 3), "document in conflict");
  assert_string_equal(rule_of(&p, 0, 4), "none");
  prepared_free(&p);
  table_end(&table);
}

/* ---- bad input ---- */

static void all_missing_and_one_value_are_told_apart(void **state) {
  struct table table;
  struct prepared p;
  uint8_t levels[LINK_COMPARISONS_MOST];
  (void)state;
  table_begin(&table, RECORDS_MOST);
  for (size_t i = 0; i < RECORDS_MOST; i++) {
    set(&table, "code", i, "F");
  }
  prepare(&table, &p);
  struct compare_cache *cache = compare_cache_new(&p);
  assert_non_null(cache);
  compare_rows(&p, cache, p.rows, p.rows + p.width, levels);
  for (size_t i = 0; i < table.plan->comparison_count; i++) {
    assert_int_equal(levels[i], i == comparison_of(table.plan, slice_of("code")) ? CODE_SAME : TELL_MISSING);
    assert_int_equal(prepared_value_count(&p, i), levels[i] == TELL_MISSING ? 0 : 1);
  }
  compare_cache_free(cache);
  prepared_free(&p);
  table_end(&table);
}

static void no_records_are_ready_at_once(void **state) {
  struct table table;
  struct prepared p;
  (void)state;
  table_begin(&table, 0);
  prepare(&table, &p);
  assert_int_equal(prepared_value_count(&p, 0), 0);
  prepared_free(&p);
  table_end(&table);
}

static void long_and_broken_texts_are_compared(void **state) {
  static char name[3][LONG_NAME];
  static const char *const kinds[] = {"surnames", "given", "name", "text", "code", "number", "document", "date", "age"};
  struct table table;
  struct prepared p;
  (void)state;
  for (size_t i = 0; i < LONG_NAME; i++) {
    name[0][i] = (char)(i % 7 == 6 ? ' ' : 'a' + i % 23);
    name[1][i] = 'x';
    name[2][i] = (char)(0x80 + i % 0x80);
  }
  table_begin(&table, 8);
  for (size_t i = 0; i < 8; i++) {
    for (size_t j = 0; j < sizeof kinds / sizeof kinds[0]; j++) {
      struct slice text = i < 6 ? slice_make(name[i % 3], LONG_NAME - i) : slice_of(i == 6 ? "\xFF\xFE" : "\xC3");
      set_fields(&table, kinds[j], i, text);
    }
  }
  prepare(&table, &p);
  for (size_t i = 0; i < 8; i++) {
    for (size_t j = 0; j < 8; j++) {
      for (size_t k = 0; k < table.plan->comparison_count; k++) {
        const char *level = level_of(&p, k, i, j);
        const char *known = table.plan->comparisons[k].levels[1];
        assert_true(i != j || strcmp(level, "missing") == 0 || strcmp(level, known) == 0);
      }
    }
  }
  prepared_free(&p);
  table_end(&table);
}

static void a_column_that_is_not_there_is_named(void **state) {
  struct table table;
  struct prepared p;
  struct error error;
  (void)state;
  table_begin(&table, 1);
  table.columns[0].name = "other";
  assert_int_equal(prepared_init(&p, table.plan, &table.records, 2, &error), ERR_CONFIG);
  assert_string_equal(error.message, "the records have no column 'document_type'");
  table_end(&table);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(levels_are_those_of_the_cases),
      cmocka_unit_test(what_stands_instead_of_another_counts_only_without_it),
      cmocka_unit_test(records_meet_by_parts_of_their_values),
      cmocka_unit_test(texts_say_what_a_value_is),
      cmocka_unit_test(rank_follows_from_content_alone),
      cmocka_unit_test(equal_contents_have_equal_ranks),
      cmocka_unit_test(sources_and_reviewers_stand_above_weights),
      cmocka_unit_test(the_first_rule_that_holds_decides),
      cmocka_unit_test(all_missing_and_one_value_are_told_apart),
      cmocka_unit_test(no_records_are_ready_at_once),
      cmocka_unit_test(long_and_broken_texts_are_compared),
      cmocka_unit_test(a_column_that_is_not_there_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
