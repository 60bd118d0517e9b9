#include "core/model/model.h"

#include "core/base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A folder with one file thing.yaml of this text. */
static void write_model(char folder[64], const char *text) {
  struct error error;
  char path[128];
  snprintf(folder, 64, "%s", "/tmp/puente-model-XXXXXX");
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/thing.yaml", folder);
  assert_int_equal(file_write(path, slice_of(text), 0600, &error), OK);
}

static void remove_model(const char *folder) {
  char path[128];
  snprintf(path, sizeof path, "%s/thing.yaml", folder);
  unlink(path);
  rmdir(folder);
}

static void test_the_program_has_eight_entities(void **state) {
  (void)state;
  struct model *model = NULL;
  struct error error;
  assert_int_equal(model_load("config/model", &model, &error), OK);
  static const char *const names[] = {"aggregate",   "case",    "event",  "indicator",
                                      "involvement", "measure", "person", "proceeding"};
  assert_int_equal(model->entity_count, 8);
  for (size_t i = 0; i < 8; i++) {
    assert_string_equal(model->entities[i].name, names[i]);
    assert_int_equal(model->entities[i].index, i);
    assert_true(model->entities[i].column_count < ENTITY_COLUMNS_MOST);
  }
  assert_true(model_entity(model, "aggregate")->aggregate);
  assert_true(model_entity(model, "involvement")->has_case && model_entity(model, "involvement")->has_person);
  assert_true(model_entity(model, "person")->has_case && !model_entity(model, "person")->has_person);
  assert_null(model_entity(model, "victim"));
  model_free(model);
}

static void test_fields_have_columns_in_file_order(void **state) {
  (void)state;
  struct model *model = NULL;
  struct error error;
  assert_int_equal(model_load("config/model", &model, &error), OK);
  const struct entity *person = model_entity(model, "person");
  const struct field *type = entity_field(person, slice_of("document_type"));
  const struct field *number = entity_field(person, slice_of("document_number"));
  assert_int_equal(number->column, type->column + 2);
  assert_string_equal(person->columns[type->column].name, "document_type");
  assert_string_equal(person->columns[type->column + 1].name, "document_type_own");
  assert_true(person->columns[type->column + 1].own);
  assert_ptr_equal(person->columns[type->column + 1].field, type);
  assert_int_equal(number->sensitivity, SENSITIVITY_IDENTIFIER);
  assert_string_equal(number->htcds, "prs_IdentityNumber");
  assert_string_equal(number->label_es, "Número de documento");
  assert_true(entity_field(person, slice_of("address"))->local);
  assert_true(entity_field(person, slice_of("nationality"))->many);
  assert_string_equal(person->keys[0].name, "document");
  assert_int_equal(person->keys[0].count, 2);
  assert_ptr_equal(person->keys[0].fields[1], number);
  const struct field *age = entity_field(model_entity(model, "involvement"), slice_of("age"));
  assert_int_equal(age->least, 0);
  assert_int_equal(age->most, 120);
  model_free(model);
}

/* A mapping may write fields of person and involvement in one block. */
static void test_person_and_involvement_share_no_field(void **state) {
  (void)state;
  struct model *model = NULL;
  struct error error;
  assert_int_equal(model_load("config/model", &model, &error), OK);
  const struct entity *person = model_entity(model, "person"), *involvement = model_entity(model, "involvement");
  for (size_t i = 0; i < person->field_count; i++) {
    assert_null(entity_field(involvement, slice_of(person->fields[i].name)));
  }
  model_free(model);
}

/* Names of the Human Trafficking Case Data Standard 2.0 are those of its field list. */
static void test_standard_names_are_real(void **state) {
  (void)state;
  static const char *const list = "../shared/data/htcds_2_0_fields.csv";
  if (access(list, R_OK) != 0) {
    skip();
  }
  struct model *model = NULL;
  struct buffer text;
  struct error error;
  int count = 0;
  buffer_init(&text, 1 << 20);
  assert_int_equal(file_read(list, 1 << 20, &text, &error), OK);
  assert_int_equal(model_load("config/model", &model, &error), OK);
  for (size_t e = 0; e < model->entity_count; e++) {
    for (size_t f = 0; f < model->entities[e].field_count; f++) {
      const char *name = model->entities[e].fields[f].htcds;
      char cell[128];
      snprintf(cell, sizeof cell, ",%s,", name == NULL ? "" : name);
      if (name != NULL && strstr(text.data, cell) == NULL) {
        fail_msg("%s.%s: the standard has no %s", model->entities[e].name, model->entities[e].fields[f].name, name);
      }
      count += name != NULL;
    }
  }
  assert_true(count > 30);
  buffer_free(&text);
  model_free(model);
}

static void test_mistakes_have_place_and_hint(void **state) {
  (void)state;
  static const struct {
    const char *text, *place, *message, *hint;
  } cases[] = {
      {"entity: thing\nfields:\n  sex: {typ: code}\n", "thing.yaml:3:9", "unknown key 'typ'", "did you mean 'type'?"},
      {"entity: thing\nfields:\n  sex: {type: cod}\n", "thing.yaml:3:15", "type: unknown value 'cod'",
       "did you mean 'code'?"},
      {"entity: thing\nfields:\n  sex: {type: zzz}\n", "thing.yaml:3:15", "type: unknown value 'zzz'",
       "one of: text, integer, decimal, date, boolean, code, encoding"},
      {"entity: thing\nfields:\n  sex: {type: code}\n", "thing.yaml:3:8",
       "field 'sex' is a code and names no code list", "add codelist: NAME"},
      {"entity: thing\nfields:\n  age: {type: text, codelist: sex}\n", "thing.yaml:3:8",
       "field 'age' names a code list and is no code", "use type: code, or remove codelist"},
      {"entity: thing\nfields:\n  age: {many: true}\n", "thing.yaml:3:8", "field 'age' has no type",
       "one of: text, integer, decimal, date, boolean, code, encoding"},
      {"entity: thing\nfields:\n  Age: {type: text}\n", "thing.yaml:3:3", "'Age' is no name for the model",
       "a name has lower-case letters, digits and '_', begins with a letter, and has at most 48"},
      {"entity: thing\nfields:\n  case_key: {type: text}\n", "thing.yaml:3:3",
       "'case_key' is the name of a column that every row has",
       "choose another name; names ending with _own are taken too"},
      {"entity: thing\nfields:\n  a: {type: integer, least: 5, most: 1}\n", "thing.yaml:3:6",
       "field 'a': least is greater than most", ""},
      {"entity: thing\nfields:\n  a: {type: encoding, of: [b], sensitivity: identifier}\n  b: {type: text}\n",
       "thing.yaml:3:27", "field 'a' cannot encode 'b'",
       "of: names, which are text and identifiers, and at most one date"},
      {"entity: thing\nfields:\n  a: {type: encoding, sensitivity: identifier}\n", "thing.yaml:3:6",
       "field 'a' is no proper encoding", "one of an entity: {type: encoding, of: [fields], sensitivity: identifier}"},
      {"entity: thing\nfields:\n  n: {type: text, sensitivity: identifier}\n  a: {type: encoding, of: [n]}\n",
       "thing.yaml:4:6", "field 'a' is no proper encoding",
       "one of an entity: {type: encoding, of: [fields], sensitivity: identifier}"},
      {"entity: thing\nfields:\n  a: {type: text, most: 1}\n", "thing.yaml:3:6",
       "field 'a': only an integer has least and most", ""},
      {"entity: thing\nfields:\n  name: {type: text}\nkeys:\n  k: [nme]\n", "thing.yaml:5:7",
       "entity 'thing' has no field 'nme'", "did you mean 'name'?"},
      {"entity: thin\nfields:\n  a: {type: text}\n", "thing.yaml:1:9", "entity 'thin' stands in the file of 'thing'",
       "write entity: thing, or rename the file"},
      {"entity: thing\nbelongs_to: [persn]\nfields:\n  a: {type: text}\n", "thing.yaml:2:14",
       "belongs_to: unknown value 'persn'", "did you mean 'person'?"},
      {"entity: thing\n", "thing.yaml", "entity 'thing' has no fields", "add fields: and under it name: {type: …}"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char folder[64], place[128];
    struct model *model = NULL;
    struct error error = {0};
    write_model(folder, cases[i].text);
    snprintf(place, sizeof place, "%s/%s", folder, cases[i].place);
    assert_int_equal(model_load(folder, &model, &error), ERR_CONFIG);
    assert_null(model);
    assert_string_equal(error.message, cases[i].message);
    assert_string_equal(error.place, place);
    assert_string_equal(error.hint, cases[i].hint);
    remove_model(folder);
  }
}

static void test_too_many_columns_are_refused(void **state) {
  (void)state;
  char folder[64], text[8192];
  int len = snprintf(text, sizeof text, "entity: thing\nfields:\n");
  for (int i = 0; i < 49; i++) {
    len += snprintf(text + len, sizeof text - (size_t)len, "  f%d: {type: code, codelist: sex}\n", i);
  }
  struct model *model = NULL;
  struct error error = {0};
  write_model(folder, text);
  assert_int_equal(model_load(folder, &model, &error), ERR_CONFIG);
  assert_string_equal(error.message, "entity 'thing' has more than 96 columns");
  assert_string_equal(error.hint, "a code takes two; move fields to an entity of their own");
  remove_model(folder);
}

static void test_an_empty_folder_is_no_model(void **state) {
  (void)state;
  char folder[64] = "/tmp/puente-model-XXXXXX";
  struct model *model = NULL;
  struct error error = {0};
  assert_non_null(mkdtemp(folder));
  assert_int_equal(model_load(folder, &model, &error), ERR_CONFIG);
  assert_string_equal(error.message, "the model has 0 files; it needs 1 to 16");
  rmdir(folder);
  assert_int_equal(model_load(folder, &model, &error), ERR_NOT_FOUND);
  assert_string_equal(error.message, "folder cannot be read: No such file or directory");
}

static void test_the_digest_is_of_the_bytes(void **state) {
  (void)state;
  struct error error;
  struct sha256 digests[2];
  for (int i = 0; i < 2; i++) {
    char folder[64];
    struct model *model = NULL;
    write_model(folder,
                i == 0 ? "entity: thing\nfields:\n  a: {type: text}\n" : "entity: thing\nfields:\n  a: {type: date}\n");
    assert_int_equal(model_load(folder, &model, &error), OK);
    digests[i] = model->digest;
    model_free(model);
    remove_model(folder);
  }
  assert_memory_not_equal(&digests[0], &digests[1], sizeof digests[0]);
}

/* No length tells which code it is. */
static void test_codes_are_masked_whole(void **state) {
  (void)state;
  struct error error;
  struct model *model = NULL;
  struct arena *arena = arena_new(1 << 16);
  assert_int_equal(model_load("config/model", &model, &error), OK);
  const struct entity *person = model_entity(model, "person");
  assert_true(slice_is(field_mask(entity_field(person, slice_of("sex")), arena, slice_of("female"), 60), "***"));
  assert_true(slice_is(field_mask(entity_field(person, slice_of("deceased")), arena, slice_of("1"), 60), "***"));
  assert_true(slice_is(field_mask(entity_field(person, slice_of("birth_date")), arena, slice_of("2001-02-03"), 60),
                       "9999-99-99"));
  assert_true(slice_is(field_mask(NULL, arena, slice_of("Rosa"), 60), "Aaaa"));
  model_free(model);
  arena_free(arena);
}

static void test_missing_reasons_go_both_ways(void **state) {
  (void)state;
  for (int i = 0; i < MISSING_COUNT; i++) {
    enum missing missing = MISSING_COUNT;
    assert_true(missing_parse(slice_of(missing_name((enum missing)i)), &missing));
    assert_int_equal(missing, i);
  }
  enum missing missing;
  assert_false(missing_parse(slice_of("zero"), &missing));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_program_has_eight_entities),
      cmocka_unit_test(test_codes_are_masked_whole),
      cmocka_unit_test(test_fields_have_columns_in_file_order),
      cmocka_unit_test(test_person_and_involvement_share_no_field),
      cmocka_unit_test(test_standard_names_are_real),
      cmocka_unit_test(test_mistakes_have_place_and_hint),
      cmocka_unit_test(test_too_many_columns_are_refused),
      cmocka_unit_test(test_an_empty_folder_is_no_model),
      cmocka_unit_test(test_the_digest_is_of_the_bytes),
      cmocka_unit_test(test_missing_reasons_go_both_ways),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
