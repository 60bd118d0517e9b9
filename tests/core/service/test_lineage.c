/* Runs as OpenLineage events and as W3C PROV: every member that the specifications require, references that resolve,
 * and the same bytes each time. The required members are those of OpenLineage.json 2-0-2 and of PROV-JSON's grammar. */
#include "tests/support/program.h"
#include "tests/support/reviewing.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct reviewing place;

static int setup(void **state) {
  (void)state;
  char line[256];
  reviewing_open(&place, 1);
  snprintf(line, sizeof line, "review accept %lld-%lld --reason seen", (long long)place.persons[0],
           (long long)place.persons[1]);
  assert_int_equal(program_run_as(place.folder, "Ana Rojas", line).code, 0);
  assert_int_equal(program_run(place.folder, "explain record demo:D-1 --reveal --purpose secret-purpose").code, 0);
  assert_int_equal(program_run(place.folder, "link").code, 0);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  program_forget();
  reviewing_close(&place);
  return 0;
}

static char *exported(const char *format) {
  char line[128];
  snprintf(line, sizeof line, "--quiet audit export out --format %s", format);
  struct said said = program_run(place.folder, line);
  assert_string_equal(said.err, "");
  assert_int_equal(said.code, 0);
  return program_read(place.folder, "out");
}

static const char *text_in(const json_t *object, const char *name) {
  const char *text = json_string_value(json_object_get(object, name));
  if (text == NULL) {
    fail_msg("\"%s\" is missing", name);
  }
  return text;
}

/* 2026-11-22T04:45:17.974Z, with any number of decimals */
static void assert_time(const char *text) {
  int year, month, day, hour, minute, end = 0;
  double second;
  assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%lfZ%n", &year, &month, &day, &hour, &minute, &second, &end), 6);
  assert_int_equal(strlen(text), end);
}

static void assert_uuid(const char *text) {
  assert_int_equal(strlen(text), 36);
  for (size_t i = 0; i < 36; i++) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    assert_true(dash ? text[i] == '-' : strchr("0123456789abcdef", text[i]) != NULL);
  }
  assert_true(text[14] == '8' && strchr("89ab", text[19]) != NULL); /* RFC 9562: version 8, variant 10 */
}

/* Each facet tells who made it and by which schema (BaseFacet). */
static void assert_facets(json_t *facets) {
  const char *name;
  json_t *facet;
  json_object_foreach(facets, name, facet) {
    assert_non_null(strstr(text_in(facet, "_producer"), ":"));
    assert_non_null(strstr(text_in(facet, "_schemaURL"), ":"));
  }
}

static void assert_datasets(const json_t *datasets, const char *facets) {
  size_t i;
  json_t *dataset;
  assert_true(json_is_array(datasets));
  json_array_foreach(datasets, i, dataset) {
    assert_non_null(strstr(text_in(dataset, "namespace"), "puente://"));
    assert_string_not_equal(text_in(dataset, "name"), "");
    assert_facets(json_object_get(dataset, facets));
  }
}

static void assert_event(const json_t *event) {
  static const char *const types[] = {"START", "COMPLETE", "FAIL", "ABORT"};
  const char *type = text_in(event, "eventType");
  bool known = false;
  for (size_t i = 0; i < 4; i++) {
    known = known || strcmp(types[i], type) == 0;
  }
  assert_true(known);
  assert_time(text_in(event, "eventTime"));
  assert_non_null(strstr(text_in(event, "producer"), ":"));
  assert_string_equal(text_in(event, "schemaURL"),
                      "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent");
  const json_t *run = json_object_get(event, "run"), *job = json_object_get(event, "job");
  assert_uuid(text_in(run, "runId"));
  assert_facets(json_object_get(run, "facets"));
  assert_string_not_equal(text_in(job, "name"), "");
  assert_string_not_equal(text_in(job, "namespace"), "");
  assert_datasets(json_object_get(event, "inputs"), "inputFacets");
  assert_datasets(json_object_get(event, "outputs"), "outputFacets");
}

static void test_openlineage(void **state) {
  (void)state;
  char *text = exported("openlineage"), *rest = text, *line;
  char open_run[64] = "";
  int events = 0, syncs = 0, links = 0, reviews = 0;
  while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
    json_t *event = json_loads(line, 0, NULL);
    assert_non_null(event);
    assert_event(event);
    events++;
    const char *id = text_in(json_object_get(event, "run"), "runId"), *type = text_in(event, "eventType");
    const char *job = text_in(json_object_get(event, "job"), "name");
    const json_t *outputs = json_object_get(event, "outputs");
    if (strcmp(type, "START") == 0) {
      snprintf(open_run, sizeof open_run, "%s", id);
    } else {
      assert_string_equal(id, open_run); /* what ended is what began */
      if (strcmp(job, "sync.demo") == 0) {
        syncs++;
        assert_string_equal(text_in(json_array_get(json_object_get(event, "inputs"), 0), "name"), "demo");
        const json_t *facets = json_object_get(json_array_get(outputs, 0), "outputFacets");
        assert_int_equal(json_integer_value(json_object_get(json_object_get(facets, "outputStatistics"), "rowCount")),
                         4);
      }
      links += strcmp(job, "link") == 0;
      reviews += strcmp(job, "review") == 0;
    }
    json_decref(event);
  }
  assert_true(events >= 6 && syncs == 1 && links >= 1 && reviews == 1);
  free(text);
}

/* Every name that a relation uses is declared, and each section is what PROV-JSON knows. */
static void assert_relations(const json_t *root, const char *name, const char *const member[2],
                             const char *const section[2], size_t least) {
  json_t *relations = json_object_get(root, name), *relation;
  const char *id;
  assert_true(json_object_size(relations) >= least);
  json_object_foreach(relations, id, relation) {
    assert_true(strncmp(id, "_:", 2) == 0);
    for (size_t i = 0; i < 2; i++) {
      if (json_object_get(json_object_get(root, section[i]), text_in(relation, member[i])) == NULL) {
        fail_msg("%s of %s: %s is declared nowhere", member[i], name, text_in(relation, member[i]));
      }
    }
  }
}

static void test_prov(void **state) {
  (void)state;
  char *text = exported("prov");
  json_t *root = json_loads(text, 0, NULL), *activity;
  const char *id;
  assert_non_null(root);
  assert_non_null(strstr(text_in(json_object_get(root, "prefix"), "puente"), "puente://"));
  assert_relations(root, "used", (const char *const[]){"prov:activity", "prov:entity"},
                   (const char *const[]){"activity", "entity"}, 3);
  assert_relations(root, "wasGeneratedBy", (const char *const[]){"prov:entity", "prov:activity"},
                   (const char *const[]){"entity", "activity"}, 4);
  assert_relations(root, "wasAssociatedWith", (const char *const[]){"prov:activity", "prov:agent"},
                   (const char *const[]){"activity", "agent"}, 6);
  assert_relations(root, "wasDerivedFrom", (const char *const[]){"prov:generatedEntity", "prov:usedEntity"},
                   (const char *const[]){"entity", "entity"}, 4);
  int reveals = 0;
  json_object_foreach(json_object_get(root, "activity"), id, activity) {
    assert_true(strncmp(id, "puente:", 7) == 0);
    assert_time(text_in(activity, "prov:startTime"));
    reveals += strcmp(text_in(activity, "puente:kind"), "reveal") == 0;
  }
  assert_int_equal(reveals, 1);
  const json_t *ana = json_object_get(json_object_get(root, "agent"), "puente:actor-Ana%20Rojas");
  assert_string_equal(text_in(ana, "prov:label"), "Ana Rojas");
  assert_null(strstr(text, "secret-purpose"));
  json_decref(root);
  free(text);
}

static void test_same_bytes(void **state) {
  (void)state;
  static const char *const formats[] = {"jsonl", "openlineage", "prov"};
  for (size_t i = 0; i < 3; i++) {
    char *one = exported(formats[i]), *other = exported(formats[i]);
    assert_string_equal(one, other);
    free(one);
    free(other);
  }
  struct said said = program_run(place.folder, "audit export out --format xml");
  assert_int_equal(said.code, 2);
  assert_string_equal(said.err,
                      "error: --format: \"xml\" is no format of the log\n  hint: jsonl, openlineage or prov\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_openlineage), cmocka_unit_test(test_prov),
                                     cmocka_unit_test(test_same_bytes)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
