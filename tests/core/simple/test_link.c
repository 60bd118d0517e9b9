/* Linking by the shipped rules: cases as text, each in many orders of its records; and populations drawn at random, for
 * which the partition must not depend on the order and no constraint may be broken. */
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/simple/link.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIELDS_MOST = 16, RECORDS_MOST = 400, ORDERS = 25 };

/* A table of text: one case. */
struct table {
  struct slice title;
  struct slice fields[FIELDS_MOST];
  size_t field_count;
  struct slice cells[RECORDS_MOST][FIELDS_MOST];
  size_t count;
  struct slice expect;
};

static uint64_t random_state;

static uint32_t draw(uint32_t bound) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)(random_state >> 33) % bound;
}

static int field_of(const struct table *table, const char *name) {
  for (size_t i = 0; i < table->field_count; i++) {
    if (slice_is(table->fields[i], name)) {
      return (int)i;
    }
  }
  return -1;
}

static struct slice cell(const struct table *table, size_t record, const char *name) {
  int field = field_of(table, name);
  return field < 0 ? (struct slice){0} : table->cells[record][field];
}

/* Columns of one order of a table's records. */
struct input {
  struct link_records records;
  struct link_column columns[32];
  uint32_t values[32][RECORDS_MOST];
  uint32_t source[RECORDS_MOST], group[RECORDS_MOST], same[RECORDS_MOST];
  uint8_t role[RECORDS_MOST], sealed[RECORDS_MOST];
};

static uint32_t coded(struct map *map, struct slice text) {
  return text.len == 0 ? LINK_MISSING : map_intern(map, text);
}

static void fill_columns(struct input *input, const struct link_plan *plan, const struct table *table,
                         const uint32_t *order) {
  const char *const *names;
  size_t count = simple_link_plan_columns(plan, &names);
  for (size_t i = 0; i < count; i++) {
    input->columns[i] = (struct link_column){.name = names[i], .values = input->values[i], .dictionary = map_new()};
    for (size_t j = 0; j < table->count; j++) {
      input->values[i][j] = coded(input->columns[i].dictionary, cell(table, order[j], names[i]));
    }
  }
  input->records = (struct link_records){.count = table->count, .columns = input->columns, .column_count = count};
}

static void fill(struct input *input, const struct link_plan *plan, const struct table *table, const uint32_t *order) {
  struct map *groups = map_new();
  struct map *keys = map_new();
  char text[128];
  fill_columns(input, plan, table, order);
  for (size_t j = 0; j < table->count; j++) {
    struct slice source = cell(table, order[j], "source");
    struct slice group = cell(table, order[j], "group");
    struct slice same = cell(table, order[j], "same");
    input->source[j] = source.len == 0 ? 0 : (uint32_t)source.data[0];
    int length = snprintf(text, sizeof text, "%.*s/%.*s", SLICE_ARG(source), SLICE_ARG(group));
    input->group[j] = group.len == 0 ? LINK_MISSING : map_intern(groups, slice_make(text, (size_t)length));
    length = snprintf(text, sizeof text, "%.*s/%.*s", SLICE_ARG(source), SLICE_ARG(same));
    input->same[j] = same.len == 0 ? LINK_MISSING : map_intern(keys, slice_make(text, (size_t)length));
    input->role[j] = slice_is(cell(table, order[j], "role"), "1")   ? 1
                     : slice_is(cell(table, order[j], "role"), "2") ? 2
                                                                    : 0;
    input->sealed[j] = slice_is(cell(table, order[j], "sealed"), "1");
  }
  input->records.source = input->source;
  input->records.group = input->group;
  input->records.same = input->same;
  input->records.role = input->role;
  input->records.sealed = input->sealed;
  map_free(groups);
  map_free(keys);
}

static void empty(struct input *input) {
  for (size_t i = 0; i < input->records.column_count; i++) {
    map_free(input->columns[i].dictionary);
  }
}

/* The partition by the table's own order: for each record the first one of its cluster. */
static void partition(const struct link_plan *plan, const struct table *table, const uint32_t *order,
                      uint32_t *clusters) {
  static struct input input;
  struct link_result result;
  struct error error;
  uint32_t first[RECORDS_MOST];
  uint32_t found[RECORDS_MOST];
  fill(&input, plan, table, order);
  if (simple_link_run(plan, &input.records, &result, &error) != OK) {
    fail_msg("%s", error.message);
  }
  memset(first, 0xFF, sizeof first);
  for (size_t j = 0; j < table->count; j++) {
    found[order[j]] = result.cluster[j];
  }
  for (uint32_t i = 0; i < table->count; i++) {
    if (first[found[i]] == LINK_MISSING) {
      first[found[i]] = i;
    }
    clusters[i] = first[found[i]];
  }
  simple_link_result_free(&result);
  empty(&input);
}

static void identity(uint32_t *order, size_t count) {
  for (uint32_t i = 0; i < count; i++) {
    order[i] = i;
  }
}

static void shuffle(uint32_t *order, size_t count) {
  for (size_t i = count; i > 1; i--) {
    uint32_t other = draw((uint32_t)i);
    uint32_t kept = order[i - 1];
    order[i - 1] = order[other];
    order[other] = kept;
  }
}

static void write_partition(const struct table *table, const uint32_t *clusters, struct buffer *out) {
  buffer_reset(out);
  for (uint32_t i = 0; i < table->count; i++) {
    if (clusters[i] != i) {
      continue;
    }
    buffer_text(out, out->len > 0 ? " / " : "");
    for (uint32_t j = i; j < table->count; j++) {
      if (clusters[j] == i) {
        buffer_text(out, j > i ? " " : "");
        buffer_slice(out, cell(table, j, "id"));
      }
    }
  }
}

static struct slice next_line(struct slice *text) {
  const char *end = text->len == 0 ? NULL : memchr(text->data, '\n', text->len);
  size_t length = end == NULL ? text->len : (size_t)(end - text->data);
  struct slice line = slice_make(text->data, length);
  text->data += end == NULL ? length : length + 1;
  text->len -= end == NULL ? length : length + 1;
  return slice_trim(line);
}

static size_t split(struct slice line, struct slice *cells) {
  size_t count = 0;
  for (;;) {
    const char *bar = memchr(line.data, '|', line.len);
    size_t length = bar == NULL ? line.len : (size_t)(bar - line.data);
    assert_true(count < FIELDS_MOST);
    cells[count++] = slice_trim(slice_make(line.data, length));
    if (bar == NULL) {
      return count;
    }
    line = slice_make(bar + 1, line.len - length - 1);
  }
}

static bool starts(struct slice line, const char *with, struct slice *rest) {
  size_t length = strlen(with);
  if (line.len < length || memcmp(line.data, with, length) != 0) {
    return false;
  }
  *rest = slice_trim(slice_make(line.data + length, line.len - length));
  return true;
}

static bool next_case(struct slice *text, struct table *table) {
  *table = (struct table){0};
  while (text->len > 0) {
    struct slice line = next_line(text);
    if (line.len == 0 || line.data[0] == '#' || starts(line, "case:", &table->title)) {
      continue;
    }
    if (starts(line, "expect:", &table->expect)) {
      return true;
    }
    if (table->field_count == 0) {
      table->field_count = split(line, table->fields);
    } else {
      assert_true(table->count < RECORDS_MOST);
      split(line, table->cells[table->count++]);
    }
  }
  return false;
}

static struct link_plan *load(const char *path) {
  struct link_plan *plan;
  struct error error;
  if (simple_link_plan_load(path, &plan, &error) != OK) {
    fail_msg("%s at %s (%s)", error.message, error.place, error.hint);
  }
  return plan;
}

static void run_cases(const char *plan_path, const char *case_path, size_t least) {
  static struct table table;
  struct link_plan *plan = load(plan_path);
  struct buffer file;
  struct buffer found;
  struct error error;
  uint32_t order[RECORDS_MOST];
  uint32_t clusters[RECORDS_MOST];
  size_t wrong = 0;
  size_t cases = 0;
  assert_int_equal(file_read(case_path, 1 << 20, &file, &error), OK);
  buffer_init(&found, 1 << 16);
  random_state = 7;
  for (struct slice text = buffer_view(&file); next_case(&text, &table); cases++) {
    identity(order, table.count);
    for (int i = 0; i < ORDERS; i++) {
      partition(plan, &table, order, clusters);
      write_partition(&table, clusters, &found);
      if (!slice_equal(buffer_view(&found), table.expect)) {
        print_error("%.*s: expected '%.*s', order %d gave '%s'\n", SLICE_ARG(table.title), SLICE_ARG(table.expect), i,
                    found.data);
        wrong++;
        break;
      }
      shuffle(order, table.count);
    }
  }
  buffer_free(&file);
  buffer_free(&found);
  simple_link_plan_free(plan);
  assert_int_equal(wrong, 0);
  assert_true(cases >= least);
}

static void persons_are_found(void **state) {
  (void)state;
  run_cases("config/link/persons.yaml", "tests/core/simple/cases/persons.txt", 20);
}

static void cases_are_found(void **state) {
  (void)state;
  run_cases("config/link/cases.yaml", "tests/core/simple/cases/cases.txt", 3);
}

/* Few names, dates and documents, so that everything collides with everything. */
static void draw_population(struct table *table, struct arena *arena) {
  static const char *const fields[] = {"id",
                                       "source",
                                       "group",
                                       "same",
                                       "role",
                                       "sealed",
                                       "document_number",
                                       "given_names",
                                       "paternal_surname",
                                       "maternal_surname",
                                       "birth_date",
                                       "case.denuncia_number"};
  static const char *const given[] = {"", "Rosa", "Rosa Maria", "Roza", "Juan", "Juana", "Maria", "Rosalia"};
  static const char *const surnames[] = {"", "Quispe", "Qespi", "Mamani", "Mamanni", "Rojas"};
  static const char *const dates[] = {"", "2001-02-03", "2001-03-02", "2001", "2001-02-04", "1990-05-06"};
  static const char *const documents[] = {"", "", "10117410", "10117411", "20456781", "00000000"};
  *table = (struct table){.field_count = sizeof fields / sizeof fields[0], .count = 120};
  for (size_t i = 0; i < table->field_count; i++) {
    table->fields[i] = slice_of(fields[i]);
  }
  for (size_t i = 0; i < table->count; i++) {
    struct slice *cells = table->cells[i];
    cells[0] = slice_of(arena_printf(arena, "r%zu", i));
    cells[1] = slice_of(arena_printf(arena, "%u", 1 + draw(3)));
    cells[2] = draw(3) == 0 ? (struct slice){0} : slice_of(arena_printf(arena, "c%u", draw(12)));
    cells[3] = draw(8) > 0 ? (struct slice){0} : slice_of(arena_printf(arena, "k%u", draw(10)));
    cells[4] = slice_of(draw(3) == 0 ? "" : draw(4) == 0 ? "2" : "1");
    cells[5] = slice_of(draw(20) == 0 ? "1" : "0");
    cells[6] = slice_of(documents[draw(6)]);
    cells[7] = slice_of(given[draw(8)]);
    cells[8] = slice_of(surnames[draw(6)]);
    cells[9] = slice_of(surnames[draw(6)]);
    cells[10] = slice_of(dates[draw(6)]);
    cells[11] = draw(3) > 0 ? (struct slice){0} : slice_of(arena_printf(arena, "D-%u", draw(9)));
  }
}

static bool equal_cells(const struct table *table, size_t a, size_t b, const char *name) {
  struct slice x = cell(table, a, name);
  return x.len > 0 && slice_equal(x, cell(table, b, name));
}

static bool allowed(const struct table *table, size_t a, size_t b) {
  struct slice x = cell(table, a, "role");
  struct slice y = cell(table, b, "role");
  bool one_source = equal_cells(table, a, b, "source");
  if (x.len > 0 && y.len > 0 && !slice_equal(x, y)) {
    return false;
  }
  if (slice_is(cell(table, a, "sealed"), "1") || slice_is(cell(table, b, "sealed"), "1")) {
    return false;
  }
  if (!one_source || !equal_cells(table, a, b, "group") || equal_cells(table, a, b, "same")) {
    return true;
  }
  return equal_cells(table, a, b, "document_number") && !slice_is(cell(table, a, "document_number"), "00000000");
}

static void no_order_changes_the_partition(void **state) {
  (void)state;
  static struct table table;
  struct link_plan *plan = load("config/link/persons.yaml");
  struct arena *arena = arena_new(0);
  uint32_t order[RECORDS_MOST];
  uint32_t clusters[RECORDS_MOST];
  uint32_t again[RECORDS_MOST];
  size_t joined = 0;
  for (uint64_t seed = 1; seed <= 40; seed++) {
    random_state = seed * 0x9E3779B97F4A7C15U;
    arena_reset(arena);
    draw_population(&table, arena);
    identity(order, table.count);
    partition(plan, &table, order, clusters);
    for (int i = 0; i < 5; i++) {
      shuffle(order, table.count);
      partition(plan, &table, order, again);
      assert_memory_equal(clusters, again, table.count * sizeof clusters[0]);
    }
    for (size_t a = 0; a < table.count; a++) {
      for (size_t b = a + 1; b < table.count; b++) {
        if (clusters[a] == clusters[b]) {
          assert_true(allowed(&table, a, b));
          joined++;
        }
      }
    }
  }
  assert_true(joined > 1000);
  arena_free(arena);
  simple_link_plan_free(plan);
}

static void pairs_name_their_rule(void **state) {
  (void)state;
  static struct table table;
  static struct input input;
  struct link_plan *plan = load("config/link/persons.yaml");
  struct link_result result;
  struct error error;
  uint32_t order[RECORDS_MOST];
  struct slice text = slice_of("id | group | document_number | given_names | paternal_surname | birth_date\n"
                               "a | c1 | 10117410 | Rosa | Quispe | 2001-02-03\n"
                               "b | c2 | 10117410 | Rosa | Quispe | 2001-02-03\n"
                               "c | c1 | 20456781 | Rosa | Quispe | 2001-02-03\n"
                               "expect: a b / c\n");
  assert_true(next_case(&text, &table));
  identity(order, table.count);
  fill(&input, plan, &table, order);
  assert_int_equal(simple_link_run(plan, &input.records, &result, &error), OK);
  assert_int_equal(result.cluster_count, 2);
  assert_int_equal(result.pair_count, 2);
  assert_int_equal(result.pairs[0].a, 0);
  assert_int_equal(result.pairs[0].b, 1);
  assert_string_equal(simple_link_plan_rule(plan, result.pairs[0].rule), "document and name");
  assert_true(isinf(result.pairs[0].weight));
  assert_int_equal(result.pairs[1].a, 1);
  assert_int_equal(result.pairs[1].b, 2);
  assert_string_equal(simple_link_plan_rule(plan, result.pairs[1].rule), "names and birth date");
  assert_true(result.pairs[1].weight < 1); /* kept apart: a and c are two people of one case */
  assert_true(result.compared > 0);
  simple_link_result_free(&result);
  empty(&input);
  simple_link_plan_free(plan);
}

static void crowded_blocks_are_counted(void **state) {
  (void)state;
  static struct table table;
  static struct input input;
  struct link_plan *plan = load("config/link/persons.yaml");
  struct link_result result;
  struct error error;
  uint32_t order[RECORDS_MOST];
  table = (struct table){.field_count = 3, .count = 201};
  table.fields[0] = slice_of("document_number");
  table.fields[1] = slice_of("given_names");
  table.fields[2] = slice_of("paternal_surname");
  for (size_t i = 0; i < table.count; i++) {
    table.cells[i][0] = slice_of("45678912");
    table.cells[i][1] = slice_of("Rosa");
  }
  identity(order, table.count);
  fill(&input, plan, &table, order);
  assert_int_equal(simple_link_run(plan, &input.records, &result, &error), OK);
  assert_int_equal(result.cluster_count, table.count);
  assert_true(result.dropped >= 201 * 200 / 2);
  simple_link_result_free(&result);
  empty(&input);
  simple_link_plan_free(plan);
}

static void mistakes_have_a_place(void **state) {
  (void)state;
  static const struct {
    const char *text, *message, *place, *hint;
  } cases[] = {
      {"compares: {}\n", "unknown key 'compares'", ":1:1", "did you mean 'compare'?"},
      {"compare: {}\nrules: []\n", "'compare' has to be a map with at least one entry", ":1:10", ""},
      {"compare: {d: {kind: docment, from: x}}\nrules: [x]\n", "unknown kind 'docment'", ":1:21",
       "did you mean 'document'?"},
      {"compare: {d: {kind: surnames, from: x}}\nrules: [x]\n", "a comparison of kind surnames takes 2 to 2 columns",
       ":1:37", ""},
      {"compare: {d: {kind: code, from: x}}\nrules:\n- {name: r, block: e}\n", "unknown comparison 'e'", ":3:20", ""},
      {"compare: {d: {kind: code, from: x}}\nrules:\n- {name: r, block: d.year}\n", "'d.year' has no such part",
       ":3:20", ""},
      {"compare: {d: {kind: code, from: x}}\nrules:\n- {name: r, block: d, when: {d: [same, misssing]}}\n",
       "unknown level 'misssing'", ":3:40", "did you mean 'missing'?"},
      {"compare: {d: {kind: code, from: x}}\nrules:\n- {block: d}\n",
       "'name' is missing: explanations call the rule by it", ":3:3", ""},
      {"compare: {d: {kind: code, from: x}}\nrules:\n- {name: r}\n",
       "'block' is missing: the keys that are equal in both records", ":3:3", ""},
  };
  char *folder = temp_make();
  char path[512];
  snprintf(path, sizeof path, "%s/link.yaml", folder);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct link_plan *plan;
    struct error error;
    char place[600];
    snprintf(place, sizeof place, "%s%s", path, cases[i].place);
    assert_int_equal(file_write(path, slice_of(cases[i].text), 0600, &error), OK);
    assert_int_equal(simple_link_plan_load(path, &plan, &error), ERR_CONFIG);
    assert_string_equal(error.message, cases[i].message);
    assert_string_equal(error.place, place);
    assert_string_equal(error.hint, cases[i].hint);
  }
  temp_remove(folder);
}

static void a_missing_column_is_told(void **state) {
  (void)state;
  struct link_plan *plan = load("config/link/cases.yaml");
  struct link_result result;
  struct error error;
  struct link_records none = {0};
  assert_int_equal(simple_link_run(plan, &none, &result, &error), ERR_CONFIG);
  assert_string_equal(error.message, "the records have no column 'denuncia_number'");
  simple_link_plan_free(plan);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(persons_are_found),
      cmocka_unit_test(cases_are_found),
      cmocka_unit_test(no_order_changes_the_partition),
      cmocka_unit_test(pairs_name_their_rule),
      cmocka_unit_test(crowded_blocks_are_counted),
      cmocka_unit_test(mistakes_have_a_place),
      cmocka_unit_test(a_missing_column_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
