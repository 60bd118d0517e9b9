/* What a changed mapping changes, on both stores: told before it is written, and just so after. */
#include "core/service/remapped.h"
#include "core/sync/sync.h"
#include "tests/support/bench.h"
#include "tests/support/postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEAD "source: demo\nformat: json\n"
#define DATES "  reported_on: {from: date, date: \"%Y-%m-%d\", else: quarantine}\n"
#define CASE "case:\n  key: id\n  denuncia_number: id\n"
#define PERSON "person:\n  key: [id, victim]\n  role: victim\n"
static const char BEFORE[] = HEAD CASE DATES PERSON "  sex: {from: sex, values: {F: female, M: male, H: trans_male}}\n"
                                                    "  paternal_surname: surname\n  document_number: document\n";
static const char AFTER[] =
    HEAD CASE "  reported_on: {from: date, date: [\"%Y-%m-%d\", \"%d/%m/%Y\"], else: quarantine}\n" PERSON
              "  sex: {from: sex, values: {F: female, M: male, H: male}}\n"
              "  paternal_surname: {from: surname, clean: name}\n  maternal_surname: mother\n";

#define RECORD(id, date, sex, surname)                                                                                 \
  "{\"id\":\"" id "\",\"victim\":\"a\",\"date\":\"" date "\",\"sex\":\"" sex "\",\"surname\":\"" surname               \
  "\",\"document\":\"45678901\"}\n"
static const struct scripted_page PAGES[] = {
    {.bytes = RECORD("1", "2024-01-01", "H", "quispe") RECORD("2", "2024-01-02", "H", "mamani")
         RECORD("3", "2024-01-03", "F", "ROJAS") RECORD("4", "01/02/2024", "M", "HUAMAN")
             RECORD("5", "soon", "M", "CONDORI")}};

static void assert_done(struct fixture *f, enum status status) {
  if (status != OK) {
    fail_msg("%s (%s)", f->error.message, f->error.place);
  }
}

/* The report of a remap as JSON text, freed by the caller. */
static char *remapped(struct fixture *f, bool dry_run) {
  struct remap_report report;
  struct workbench bench = fixture_bench(f);
  assert_done(f, remap_report_init(&report, f->model, &f->error));
  f->options.dry_run = dry_run;
  f->options.report = &report;
  assert_done(f, sync_remap(&bench, &f->source, f->source_id, -1, &f->options, &f->result, &f->error));
  json_t *root = remapped_json(&report);
  assert_non_null(root);
  remap_report_free(&report);
  f->options.dry_run = false;
  f->options.report = NULL;
  assert_string_not_equal(json_string_value(json_object_get(root, "plan")), "");
  json_object_set_new(root, "plan", json_string("new"));
  json_t *former = json_object_get(root, "former");
  for (size_t i = 0; i < json_array_size(former); i++) {
    json_t *one = json_array_get(former, i);
    assert_int_equal(json_string_length(json_object_get(one, "plan")), 12);
    json_object_set_new(one, "plan", json_string("old"));
  }
  char *text = json_dumps(root, JSON_INDENT(1));
  json_decref(root);
  return text;
}

static int64_t rows_of(struct fixture *f, const char *view) {
  struct selection selection = {.view = view};
  struct result *result = NULL;
  int64_t count = 0;
  assert_done(f, store_select(f->store, &selection, &result, &f->error));
  enum status status;
  for (; (status = result_next(result, &f->error)) == OK; count++) {
  }
  result_free(result);
  assert_int_equal(status, END);
  return count;
}

#define TRANSITION(from, from_missing, to, to_missing, rows)                                                           \
  "{\"from\":" from ",\"from_missing\":" from_missing ",\"to\":" to ",\"to_missing\":" to_missing ",\"rows\":" rows "}"
#define FIELD(name, masked, changed, appeared, vanished, often)                                                        \
  "{\"field\":\"" name "\",\"masked\":" masked ",\"crowded\":false,\"changed\":" changed ",\"appeared\":" appeared     \
  ",\"vanished\":" vanished ",\"most_frequent\":[" often "]}"

#define DOCUMENT TRANSITION("\"99999999\"", "null", "null", "null", "3")
#define SURNAME TRANSITION("\"aaaa\"", "null", "\"AAAA\"", "null", "2")
#define SEX TRANSITION("\"trans_male\"", "null", "\"male\"", "null", "2")
static const char EXPECTED[] =
    "{\"plan\":\"new\",\"former\":[{\"plan\":\"old\",\"records\":5}],\"rekeyed\":0,"
    "\"quarantine\":{\"before\":2,\"after\":1,\"reasons\":"
    "[{\"reason\":\"date_unreadable\",\"before\":2,\"after\":1}]},\"entities\":["
    "{\"entity\":\"case\",\"changed\":0,\"appeared\":1,\"vanished\":0,\"unchanged\":3,\"fields\":[]},"
    "{\"entity\":\"involvement\",\"changed\":0,\"appeared\":1,\"vanished\":0,\"unchanged\":3,\"fields\":[]},"
    "{\"entity\":\"person\",\"changed\":3,\"appeared\":1,\"vanished\":0,\"unchanged\":0,\"fields\":[" FIELD(
        "paternal_surname", "true", "2", "0", "0", SURNAME) "," FIELD("document_number", "true", "0", "0", "3",
                                                                      DOCUMENT) "," FIELD("sex", "false", "2", "0", "0",
                                                                                          SEX) "]}]}";

static void assert_report(const char *text) {
  json_error_t error;
  json_t *expected = json_loads(EXPECTED, 0, &error), *got = json_loads(text, 0, &error);
  assert_non_null(expected);
  if (!json_equal(expected, got)) {
    fputs(text, stderr);
    fail_msg("another report");
  }
  json_decref(expected);
  json_decref(got);
}

static void changed_mapping(struct fixture *f) {
  assert_done(f, fixture_sync(f, PAGES, 1));
  fixture_map(f, AFTER);
  int64_t entries = rows_of(f, "audit"), runs = rows_of(f, "runs"), plans = rows_of(f, "plans");
  char *before = remapped(f, true);
  assert_report(before);
  assert_int_equal(rows_of(f, "audit"), entries);
  assert_int_equal(rows_of(f, "runs"), runs);
  assert_int_equal(rows_of(f, "plans"), plans);
  char *done = remapped(f, false);
  assert_string_equal(before, done);
  free(before);
  free(done);
  /* The same mapping again: nothing but what is in quarantine is looked at, and nothing differs. */
  for (int dry_run = 1; dry_run >= 0; dry_run--) {
    char *again = remapped(f, dry_run);
    assert_non_null(strstr(again, "\"entities\": []"));
    assert_non_null(strstr(again, "\"records\": 1"));
    assert_int_equal(f->result.counts.unchanged, 4);
    free(again);
  }
}

static void test_sqlite(void **state) {
  (void)state;
  struct fixture *f = fixture_make(BEFORE);
  changed_mapping(f);
  fixture_free(f);
}

static void test_postgres(void **state) {
  (void)state;
  struct fixture *f = fixture_make_postgres(BEFORE, postgres_start());
  changed_mapping(f);
  fixture_free(f);
}

/* Records that have another key are the same rows all the same. */
static void test_another_key(void **state) {
  (void)state;
  struct fixture *f =
      fixture_make(HEAD CASE PERSON "  sex: {from: sex, values: {F: female, M: male, H: trans_male}}\n");
  assert_done(f, fixture_sync(f, PAGES, 1));
  fixture_map(f, HEAD "case:\n  key: [id, date]\n  denuncia_number: id\nperson:\n  key: [id, date, victim]\n"
                      "  role: victim\n  sex: {from: sex, values: {F: female, M: male, H: male}}\n");
  char *before = remapped(f, true), *done = remapped(f, false);
  assert_string_equal(before, done);
  json_error_t error;
  json_t *root = json_loads(done, 0, &error);
  assert_int_equal(json_integer_value(json_object_get(root, "rekeyed")), 5);
  json_t *entities = json_object_get(root, "entities");
  assert_int_equal(json_array_size(entities), 3);
  for (size_t i = 0; i < 3; i++) {
    json_t *entity = json_array_get(entities, i);
    assert_int_equal(json_integer_value(json_object_get(entity, "changed")), 5);
    assert_int_equal(json_integer_value(json_object_get(entity, "vanished")), 0);
    assert_int_equal(json_integer_value(json_object_get(entity, "appeared")), 0);
  }
  json_decref(root);
  free(before);
  free(done);
  fixture_free(f);
}

/* Hundreds of different changes of a field: memory stays, the frequent one is found, and is not told too often. */
static void test_crowded(void **state) {
  (void)state;
  enum { RECORDS = 400, SIZE = 64 };
  char *bytes = malloc((size_t)RECORDS * SIZE);
  size_t len = 0;
  assert_non_null(bytes);
  for (int i = 0; i < RECORDS; i++) {
    int number = i % 2 == 0 ? 0 : i;
    len += (size_t)snprintf(bytes + len, SIZE, "{\"id\":\"%d\",\"n\":\"%d\",\"o\":\"x%d\"}\n", i, number, number);
  }
  struct scripted_page page = {.bytes = bytes};
  struct fixture *f = fixture_make(HEAD "case:\n  key: id\n  police_unit: n\n");
  struct remap_report report;
  struct workbench bench = fixture_bench(f);
  assert_done(f, fixture_sync(f, &page, 1));
  fixture_map(f, HEAD "case:\n  key: id\n  police_unit: o\n");
  assert_done(f, remap_report_init(&report, f->model, &f->error));
  f->options.report = &report;
  assert_done(f, sync_remap(&bench, &f->source, f->source_id, -1, &f->options, &f->result, &f->error));
  const struct entity *entity = model_entity(f->model, "case");
  const struct remap_field *field =
      &report.entities[entity->index].fields[entity_field(entity, slice_of("police_unit"))->column];
  assert_int_equal(field->changed, RECORDS);
  assert_int_equal(field->transition_count, REMAP_KEPT);
  assert_true(field->crowded);
  assert_string_equal(field->transitions[0].to.text, "x0");
  assert_int_equal(field->transitions[0].rows, RECORDS / 2);
  assert_true(field->transitions[1].rows <= 1);
  remap_report_free(&report);
  fixture_free(f);
  free(bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sqlite),
      cmocka_unit_test(test_another_key),
      cmocka_unit_test(test_crowded),
      cmocka_unit_test(test_postgres),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
