/* The plan as its callers see it: digests, paths, keys, traces, batches used again. */
#include "core/base/file.h"
#include "mapping/language.h"
#include "tests/mapping/mapping_bench.h"

#include <jansson.h>

#define MAPPING                                                                                                        \
  "source: demo\nformat: json\nlet: {a: {from: x/y}}\nkey: [id, $a]\nwithhold: {path: c, equals: no}\n"                \
  "deleted: {path: estado, equals: BAJA}\ncase:\n  police_unit: u\nperson:\n  each: p\n  key: [../id, k]\n"            \
  "  given_names: {from: n, clean: name}\n  sex: {from: s, values: {M: male, F: female}}\n  role: victim\n"            \
  "  birth_date: {from: b, date: \"%d/%m/%Y\"}\n  case: /id\n"

static void test_digest(void **state) {
  const struct mapping_bench *bench = *state;
  struct plan *plan = plan_of(bench, MAPPING), *same = plan_of(bench, MAPPING), *other = plan_of(bench, MAPPING "\n");
  struct sha256 a = plan_digest(plan), b = plan_digest(same), c = plan_digest(other);
  assert_memory_equal(&a, &b, sizeof a);
  assert_memory_not_equal(&a, &c, sizeof a);
  assert_string_equal(plan_source(plan), "demo");
  assert_string_equal(plan_format(plan)->name, "json");
  assert_true(slice_is(plan_text(plan), MAPPING));
  plan_free(plan);
  plan_free(same);
  plan_free(other);
}

/* A code list that a plan uses is part of its digest; one that it does not use is not. */
static void test_digest_of_lists(void **state) {
  const struct mapping_bench *bench = *state;
  const char *const folders[] = {"config/codelists", "tests/mapping/lists"};
  const char *with = "source: d\nformat: csv\nkey: id\nperson:\n  sex: s\n";
  const char *without = "source: d\nformat: csv\nkey: id\nperson:\n  given_names: s\n";
  struct mapping_bench changed = {.model = bench->model};
  struct error error;
  assert_int_equal(codelists_load(folders, 2, &changed.lists, &error), OK);
  struct plan *plans[4] = {plan_of(bench, with), plan_of(&changed, with), plan_of(bench, without),
                           plan_of(&changed, without)};
  struct sha256 digests[4];
  for (int i = 0; i < 4; i++) {
    digests[i] = plan_digest(plans[i]);
  }
  assert_memory_not_equal(&digests[0], &digests[1], sizeof *digests);
  assert_memory_equal(&digests[2], &digests[3], sizeof *digests);
  for (int i = 0; i < 4; i++) {
    plan_free(plans[i]);
  }
  codelists_free(changed.lists);
}

static void test_paths(void **state) {
  static const char *const expected[] = {"x/y", "id", "c", "estado", "u", "p", "p/k", "p/n", "p/s", "p/b"};
  struct plan *plan = plan_of(*state, MAPPING);
  const char *const *paths = plan_paths(plan);
  size_t count = 0;
  for (; paths[count] != NULL; count++) {
    bool found = false;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
      found = found || strcmp(paths[count], expected[i]) == 0;
    }
    if (!found) {
      print_error("unexpected path %s\n", paths[count]);
    }
    assert_true(found);
  }
  assert_int_equal(count, sizeof expected / sizeof *expected);
  plan_free(plan);
}

struct fixture {
  struct plan *plan;
  struct batch batch;
  struct arena *arena;
};

static void fixture_open(struct fixture *fixture, const struct mapping_bench *bench, const char *mapping) {
  struct error error;
  fixture->plan = plan_of(bench, mapping);
  fixture->arena = arena_new(0);
  assert_int_equal(batch_init(&fixture->batch, bench->model, &error), OK);
}

static void fixture_close(struct fixture *fixture) {
  batch_free(&fixture->batch);
  arena_free(fixture->arena);
  plan_free(fixture->plan);
}

static void test_key(void **state) {
  struct fixture fixture;
  struct slice key;
  struct error error;
  fixture_open(&fixture, *state, MAPPING);
  const struct node *record = record_of(fixture.arena, "{\"id\": \"A/1\", \"x\": {\"y\": 7}}");
  assert_int_equal(plan_key(fixture.plan, &fixture.batch, record, &key, &error), OK);
  assert_true(slice_is(key, "A%2F1/7"));
  record = record_of(fixture.arena, "{\"id\": \" \", \"x\": {\"y\": 7}}");
  assert_int_equal(plan_key(fixture.plan, &fixture.batch, record, &key, &error), ERR_INPUT);
  assert_string_equal(error.message, "the record has no key");
  assert_string_equal(error.place, "id, $a");
  assert_string_equal(error.hint, "every record needs its own key at the source");
  record = record_of(fixture.arena, "{\"id\": 1, \"x\": {\"y\": 7}, \"estado\": \"baja\"}");
  assert_true(plan_deletes(fixture.plan, &fixture.batch, record));
  assert_false(plan_refuses(fixture.plan, &fixture.batch, record));
  assert_int_equal(fixture.batch.issue_count, 0);
  fixture_close(&fixture);
}

struct seen {
  char text[2048];
  int steps, stop_at;
};

static enum status note_step(void *context, const struct trace_step *step) {
  struct seen *seen = context;
  size_t len = strlen(seen->text);
  snprintf(seen->text + len, sizeof seen->text - len, "%.*s %s.%s %s [%s] %.*s -> %.*s :%d\n", SLICE_ARG(step->key),
           step->entity, step->field, step->path, step->transforms, SLICE_ARG(step->input), SLICE_ARG(step->output),
           step->line);
  return ++seen->steps == seen->stop_at ? ERR_INTERRUPTED : OK;
}

/* A key that says who somebody is is named; one that says where a record stands is not. */
static void test_telling_keys(void **state) {
#define HEAD "source: d\nformat: json\n"
  static const struct {
    const char *mapping, *path, *field;
    int line;
  } cases[] = {{HEAD "key: id\nperson:\n  key: doc\n  role: victim\n  document_number: doc\n", "doc",
                "person.document_number", 5},
               {HEAD "key: dni\nperson:\n  role: victim\n  document_number: dni\n", "dni", "person.document_number", 3},
               {HEAD "key: id\nperson:\n  each: p\n  key: [../id, name]\n  role: victim\n  full_name: name\n", "name",
                "person.full_name", 6},
               {HEAD "key: id\nperson:\n  each: p\n  key: [../id, n]\n  role: victim\n  full_name: name\n  sex: n\n",
                NULL, "", 0},
               {HEAD "key: name\nperson:\n  each: p\n  key: n\n  role: victim\n  full_name: name\n", NULL, "", 0}};
#undef HEAD
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct plan *plan = plan_of(*state, cases[i].mapping);
    const char *field = "";
    int line = 0;
    const char *path = plan_telling_key(plan, &field, &line);
    assert_string_equal(path == NULL ? "" : path, cases[i].path == NULL ? "" : cases[i].path);
    assert_string_equal(field, cases[i].field);
    assert_int_equal(line, cases[i].line);
    plan_free(plan);
  }
}

static void test_trace(void **state) {
  struct fixture fixture;
  struct error error;
  struct seen seen = {.stop_at = -1};
  fixture_open(&fixture, *state, MAPPING);
  const struct node *record =
      record_of(fixture.arena,
                "{\"id\": 1, \"x\": {\"y\": 7}, \"u\": \"Sur\", \"p\": [{\"k\": \"a\", \"n\": \"ana\", \"s\": \"F\","
                " \"b\": \"01/02/2003\"}]}");
  assert_int_equal(plan_trace(fixture.plan, &fixture.batch, record, note_step, &seen, &error), OK);
  assert_string_equal(seen.text, "1/7 case.police_unit u [] Sur -> Sur :8\n"
                                 "1/a person.given_names n [clean name] ana -> ANA :12\n"
                                 "1/a person.sex s [values] F -> female :13\n"
                                 "1/a person.birth_date b [date %d/%m/%Y] 01/02/2003 -> 2003-02-01 :15\n"
                                 "1/a involvement.role  [value victim]  -> victim :14\n");
  seen = (struct seen){.stop_at = 2};
  batch_reset(&fixture.batch);
  assert_int_equal(plan_trace(fixture.plan, &fixture.batch, record, note_step, &seen, &error), ERR_INTERRUPTED);
  fixture_close(&fixture);
}

/* The same records give the same rows whatever the batch did before: kept results change nothing. */
static void test_batches_are_alike(void **state) {
  const struct mapping_bench *bench = *state;
  struct fixture used;
  struct error error;
  fixture_open(&used, bench, MAPPING);
  for (unsigned round = 0; round < 30; round++) {
    for (unsigned i = 0; i < 1500; i++) {
      char text[160];
      enum outcome outcome;
      snprintf(text, sizeof text,
               "{\"id\": %u, \"x\": {\"y\": 1}, \"p\": [{\"k\": 1, \"n\": \"n%c%c%c %c\", \"s\": \"F\"}]}", i,
               'a' + i % 26, 'a' + i / 26 % 26, 'a' + round % 26, 'a' + round / 26);
      const struct node *record = record_of(used.arena, text);
      assert_int_equal(plan_apply(used.plan, &used.batch, record, i, &outcome, &error), OK);
      assert_int_equal(outcome, OUTCOME_MAPPED);
    }
    const struct entity *person = model_entity(bench->model, "person");
    const struct rows *rows = &used.batch.rows[person->index];
    assert_int_equal(rows->count, 1500);
    for (unsigned i = 0; i < 1500; i++) {
      char expected[16];
      int column = entity_field(person, slice_of("given_names"))->column;
      snprintf(expected, sizeof expected, "N%c%c%c %c", 'A' + i % 26, 'A' + i / 26 % 26, 'A' + round % 26,
               'A' + round / 26);
      const struct cell *cell = &rows_cells(rows, i)[column];
      assert_true(slice_is(slice_make(cell->text, cell->len), expected));
      assert_int_equal(rows->heads[i].record, i);
    }
    batch_reset(&used.batch);
    arena_reset(used.arena);
  }
  fixture_close(&used);
}

/* An issue names field, path and line, and shows a shape. */
static void test_issue(void **state) {
  struct fixture fixture;
  struct error error;
  enum outcome outcome;
  fixture_open(&fixture, *state, MAPPING);
  const struct node *record =
      record_of(fixture.arena, "{\"id\": 1, \"x\": {\"y\": 7}, \"p\": {\"k\": \"a\", \"b\": \"31/02/2003\"}}");
  assert_int_equal(plan_apply(fixture.plan, &fixture.batch, record, 9, &outcome, &error), OK);
  assert_int_equal(outcome, OUTCOME_MAPPED);
  assert_int_equal(fixture.batch.issue_count, 1);
  const struct issue *issue = &fixture.batch.issues[0];
  assert_int_equal(issue->record, 9);
  assert_int_equal(issue->level, ISSUE_WARNING);
  assert_string_equal(issue->field, "person.birth_date");
  assert_string_equal(issue->reason, "date_impossible");
  assert_string_equal(issue->path, "b");
  assert_true(slice_is(issue->shape, "99/99/9999"));
  assert_string_equal(issue->hint, "there is no such day: correct it at the source");
  assert_int_equal(issue->line, 15);
  fixture_close(&fixture);
}

/* config/schema/mapping.schema.json is what the program writes, and knows the names that the compiler accepts. */
static void test_schema(void **state) {
  const struct mapping_bench *bench = *state;
  struct buffer written, kept;
  struct error error;
  buffer_init(&written, (size_t)1 << 22);
  buffer_init(&kept, (size_t)1 << 22);
  assert_int_equal(language_schema(bench->model, &written, &error), OK);
  assert_int_equal(file_read("config/schema/mapping.schema.json", (size_t)1 << 22, &kept, &error), OK);
  if (!slice_equal(buffer_view(&written), buffer_view(&kept))) {
    print_error("run: build/puente map schema > config/schema/mapping.schema.json\n");
    fail();
  }
  json_t *schema = json_loadb(kept.data, kept.len, 0, NULL);
  assert_non_null(schema);
  json_t *definitions = json_object_get(schema, "$defs");
  const struct {
    const char *where;
    json_t *properties;
  } parts[] = {
      {"head", json_object_get(schema, "properties")},
      {"rule", json_object_get(json_object_get(definitions, "rule"), "properties")},
      {"condition", json_object_get(json_object_get(definitions, "test"), "properties")},
      {"defaults", json_object_get(json_object_get(definitions, "defaults"), "properties")},
      {"block", json_object_get(json_object_get(definitions, "measure"), "properties")},
  };
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    size_t count = 0;
    for (const char *const *key = language_keys(parts[i].where); *key != NULL; key++, count++) {
      assert_non_null(json_object_get(parts[i].properties, *key));
    }
    size_t others = i == 0   ? bench->model->entity_count
                    : i == 4 ? model_entity(bench->model, "measure")->field_count
                             : 0;
    assert_int_equal(json_object_size(parts[i].properties), count + others);
  }
  json_decref(schema);
  buffer_free(&written);
  buffer_free(&kept);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_digest), cmocka_unit_test(test_digest_of_lists), cmocka_unit_test(test_paths),
      cmocka_unit_test(test_key),    cmocka_unit_test(test_trace),           cmocka_unit_test(test_issue),
      cmocka_unit_test(test_schema), cmocka_unit_test(test_telling_keys),    cmocka_unit_test(test_batches_are_alike),
  };
  return cmocka_run_group_tests_name("plan", tests, bench_setup, bench_teardown);
}
