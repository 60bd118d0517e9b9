/* Fields that a source sends anew, no more, or in another form; on whole syncs from a scripted source. */
#include "core/sync/drift.h"
#include "core/sync/health.h"
#include "tests/support/bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MAPPING                                                                                                        \
  "source: demo\nformat: json\n"                                                                                       \
  "case:\n  key: id\n  denuncia_number: id\n  reported_on: date\n"                                                     \
  "person:\n  each: victims\n  key: [../id, n]\n  role: victim\n  paternal_surname: surname\n"
#define MAPPING_OTHER                                                                                                  \
  "source: demo\nformat: json\n"                                                                                       \
  "case:\n  key: id\n  denuncia_number: id\n  reported_on: date\n"                                                     \
  "person:\n  each: victims\n  key: [../id, n]\n  role: victim\n  paternal_surname: lastname\n"
#define CSV_MAPPING                                                                                                    \
  "source: demo\nformat: csv\n"                                                                                        \
  "case:\n  key: id\n  denuncia_number: id\n  reported_on: date\n"

#define PAGES(...)                                                                                                     \
  (const struct scripted_page[]){__VA_ARGS__},                                                                         \
      sizeof((const struct scripted_page[]){__VA_ARGS__}) / sizeof(struct scripted_page)

static int setup(void **state) {
  *state = fixture_make(MAPPING);
  return 0;
}

static int setup_csv(void **state) {
  *state = fixture_make(CSV_MAPPING);
  return 0;
}

static int teardown(void **state) {
  fixture_free(*state);
  return 0;
}

/* Records number `first` … as JSON; `format` has one %d for the number. */
static const char *records(const char *format, int first, int count) {
  static struct buffer texts[4];
  static size_t turn;
  struct buffer *text = &texts[turn++ % 4];
  if (text->limit == 0) {
    buffer_init(text, 1 << 20);
  }
  buffer_reset(text);
  for (int i = 0; i < count; i++) {
    char number[12];
    const char *mark = strstr(format, "%d");
    snprintf(number, sizeof number, "%d", first + i);
    buffer_printf(text, "%.*s%s%s\n", (int)(mark - format), format, number, mark + 2);
  }
  return text->data;
}

#define PLAIN "{\"id\":\"%d\",\"date\":\"2024-01-01\",\"victims\":[{\"n\":1,\"surname\":\"QUISPE\"}]}"
#define WITH_ZONE                                                                                                      \
  "{\"id\":\"%d\",\"date\":\"2024-01-01\",\"zone\":{\"code\":5},\"victims\":[{\"n\":1,\"surname\":\"QUISPE\"}]}"
#define NO_SURNAME "{\"id\":\"%d\",\"date\":\"2024-01-01\",\"victims\":[{\"n\":1,\"lastname\":\"QUISPE\"}]}"
#define TEXT_NUMBER "{\"id\":\"%d\",\"date\":\"2024-01-01\",\"victims\":[{\"n\":\"1\",\"surname\":\"QUISPE\"}]}"
#define NOBODY "{\"id\":\"%d\",\"date\":\"2024-01-01\",\"victims\":[]}"

static void sync_once(struct fixture *f, const char *bytes) {
  if (fixture_sync(f, PAGES({.bytes = bytes})) != OK) {
    fail_msg("%s (%s)", f->error.message, f->error.place);
  }
}

static enum status join(void *context, const struct drift *drift, struct error *error) {
  (void)error;
  char was[96], is[96];
  drift_kinds_text(drift->was, was);
  drift_kinds_text(drift->is, is);
  buffer_printf(context, "%s %.*s [%s > %s]%s run %d; ", drift_names[drift->kind], SLICE_ARG(drift->path), was, is,
                drift->mapped ? " mapped" : "", (int)drift->run);
  return OK;
}

static void open_is(struct fixture *f, const char *wanted) {
  struct buffer text;
  buffer_init(&text, 1 << 16);
  buffer_text(&text, "");
  assert_int_equal(store_visit_drift(f->store, f->source_id, join, &text, &f->error), OK);
  assert_string_equal(text.data, wanted);
  buffer_free(&text);
}

static const char *health(struct fixture *f) {
  struct source_health found;
  struct arena *arena = arena_new(0);
  assert_int_equal(store_health(f->store, f->source_id, arena, &found, &f->error), OK);
  arena_free(arena);
  return health_names[found.health];
}

/* The first pass is what all others are compared with. */
static void test_first(void **state) {
  struct fixture *f = *state;
  sync_once(f, records(PLAIN, 1, 40));
  assert_string_equal(f->result.warning, "");
  open_is(f, "");
  assert_string_equal(health(f), "ok");
  assert_int_equal(fixture_count(f, "SELECT records = looked AND kinds = 8 FROM field WHERE path = 'victims/surname'"),
                   1);
  assert_int_equal(fixture_count(f, "SELECT kinds FROM field WHERE path = 'victims'"), KIND_LIST | KIND_OBJECT);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM field"), 5);
}

/* What is in a new object is not told of by itself; the next pass knows it. */
static void test_new(void **state) {
  struct fixture *f = *state;
  sync_once(f, records(PLAIN, 1, 40));
  sync_once(f, records(WITH_ZONE, 100, 40));
  assert_string_equal(f->result.warning, "new fields: zone");
  open_is(f, "new zone [ > object] run 2; ");
  assert_string_equal(health(f), "ok"); /* nothing that is read has changed */
  sync_once(f, records(WITH_ZONE, 200, 40));
  assert_string_equal(f->result.warning, "");
  open_is(f, "");
}

/* A field that comes seldom was perhaps only not met before. */
static void test_seldom(void **state) {
  struct fixture *f = *state;
  sync_once(f, records(PLAIN, 1, 6));
  f->options.full = true;
  if (fixture_sync(f, PAGES({.bytes = records(PLAIN, 100, 40)}, {.bytes = records(WITH_ZONE, 200, 1)})) != OK) {
    fail_msg("%s", f->error.message);
  }
  assert_string_equal(f->result.warning, "");
  sync_once(f, records(PLAIN, 300, 3)); /* three records without it prove nothing */
  assert_string_equal(f->result.warning, "");
  open_is(f, "");
}

/* One that the mapping reads and that always came is missing with the first record that lacks it. */
static void test_missing(void **state) {
  struct fixture *f = *state;
  sync_once(f, records(PLAIN, 1, 40));
  sync_once(f, records(NOBODY, 50, 5)); /* nobody there who could have it */
  open_is(f, "");
  sync_once(f, records(NO_SURNAME, 100, 1));
  assert_string_equal(f->result.warning, "missing fields: victims/surname (the mapping reads it)");
  open_is(f, "missing victims/surname [text > ] mapped run 3; ");
  assert_string_equal(health(f), "changed");
  sync_once(f, records(NO_SURNAME, 200, 40));
  open_is(f, "missing victims/surname [text > ] mapped run 3; "); /* once */
  assert_string_equal(health(f), "changed");
  sync_once(f, records(NOBODY, 300, 5)); /* says nothing: it stands */
  open_is(f, "missing victims/surname [text > ] mapped run 3; ");
  sync_once(f, records(PLAIN, 400, 5)); /* as before: closed by itself */
  open_is(f, "missing victims/lastname [text > ] run 6; ");
  assert_string_equal(health(f), "ok");
  sync_once(f, records(PLAIN, 500, 5)); /* what nobody reads is told of once */
  open_is(f, "");
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM drift WHERE kind = 1 AND closed > 0"), 2);
}

/* The mapping was adapted: the finding is settled, by remap or by the next pass, and does not come again. */
static void test_mapping_adapted(void **state) {
  struct fixture *f = *state;
  sync_once(f, records(PLAIN, 1, 40));
  sync_once(f, records(NO_SURNAME, 100, 40));
  assert_string_equal(f->result.warning,
                      "missing fields: victims/surname (the mapping reads it); new fields: victims/lastname");
  assert_string_equal(health(f), "changed");
  fixture_map(f, MAPPING_OTHER);
  struct workbench bench = fixture_bench(f);
  assert_int_equal(sync_remap(&bench, &f->source, f->source_id, -1, &f->options, &f->result, &f->error), OK);
  open_is(f, "");
  assert_string_equal(health(f), "ok");
  sync_once(f, records(NO_SURNAME, 200, 40));
  assert_string_equal(f->result.warning, "");
  open_is(f, "");
  assert_string_equal(health(f), "ok");
}

static void test_retyped(void **state) {
  struct fixture *f = *state;
  sync_once(f, records(PLAIN, 1, 40));
  sync_once(f, records(TEXT_NUMBER, 100, 5));
  assert_string_equal(f->result.warning, "fields in another form: victims/n (the mapping reads it)");
  open_is(f, "retyped victims/n [number > text] mapped run 2; ");
  assert_string_equal(health(f), "changed");
  sync_once(f, records(TEXT_NUMBER, 200, 5));
  assert_string_equal(f->result.warning, ""); /* told once */
  open_is(f, "retyped victims/n [number > text] mapped run 2; ");
  sync_once(f, records(PLAIN, 300, 5));
  open_is(f, "");
  assert_string_equal(health(f), "ok");
}

/* Null is no form of its own, and an empty text neither. */
static void test_null(void **state) {
  struct fixture *f = *state;
  sync_once(f, records(PLAIN, 1, 40));
  sync_once(f, records("{\"id\":\"%d\",\"date\":\"2024-01-01\",\"victims\":[{\"n\":null,\"surname\":\"\"}]}", 100, 5));
  open_is(f, "");
  sync_once(f, records("{\"id\":\"%d\",\"date\":\"2024-01-01\",\"victims\":[{\"n\":\"\",\"surname\":\"Q\"}]}", 200, 5));
  open_is(f, "");
}

/* A pass that fails settles nothing. */
static void test_incomplete(void **state) {
  struct fixture *f = *state;
  sync_once(f, records(PLAIN, 1, 40));
  assert_int_equal(fixture_sync(f, PAGES({.bytes = records(NO_SURNAME, 100, 5)}, {.fails = ERR_NETWORK})), ERR_NETWORK);
  open_is(f, "");
}

/* A pass in two runs, as after a kill, knows of both what its records held. */
static void test_resumed(void **state) {
  struct fixture *f = *state;
  const char *first = records(WITH_ZONE, 1, 40), *second = records(PLAIN, 100, 40);
  assert_int_equal(fixture_sync(f, PAGES({.bytes = first}, {.fails = ERR_NETWORK})), ERR_NETWORK);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM field"), 0);
  assert_int_equal(fixture_sync(f, PAGES({.bytes = first}, {.bytes = second})), OK);
  assert_int_equal(f->result.counts.pulled, 40); /* the first page is not pulled again */
  assert_int_equal(fixture_count(f, "SELECT 2 * records = looked FROM field WHERE path = 'zone'"), 1);
  assert_int_equal(fixture_count(f, "SELECT records = looked AND kinds = 4 FROM field WHERE path = 'zone/code'"), 1);
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM source WHERE looks IS NOT NULL"), 0);
}

/* Keys of a map may be of persons: they are kept as "*". */
static void test_no_values(void **state) {
  struct fixture *f = *state;
  sync_once(f, "{\"id\":\"1\",\"date\":\"2024-01-01\",\"by_dni\":{\"40123456\":{\"n\":1},\"40123457\":{\"n\":2}},"
               "\"mail\":{\"ana@example.org\":1}}");
  assert_int_equal(fixture_count(f, "SELECT count(*) FROM field WHERE path LIKE '%4012%' OR path LIKE '%@%'"), 0);
  assert_int_equal(fixture_count(f, "SELECT records FROM field WHERE path = 'by_dni/*/n'"), 2);
}

/* A column that the header lost is found with the pass, with records and without. */
static void test_csv(void **state) {
  struct fixture *f = *state;
  sync_once(f, "id,date,zone\n1,2024-01-01,5\n");
  open_is(f, "");
  assert_string_equal(health(f), "ok");
  sync_once(f, "id,fecha,zone\n");
  assert_string_equal(f->result.warning, "missing fields: date (the mapping reads it)");
  open_is(f, "missing date [text > ] mapped run 2; ");
  assert_string_equal(health(f), "changed");
  sync_once(f, "id,date,zone\n2,2024-01-01,5\n");
  open_is(f, "");
  assert_string_equal(health(f), "ok");
}

/* The first file of all already lacks one. */
static void test_csv_first(void **state) {
  struct fixture *f = *state;
  sync_once(f, "id,fecha\n1,2024-01-01\n");
  assert_string_equal(f->result.warning, "missing fields: date (the mapping reads it)");
  assert_string_equal(health(f), "changed");
}

/* All records are looked at where there are few, and a sample of many. */
static void test_sample(void **state) {
  struct fixture *f = *state;
  sync_once(f, records(PLAIN, 1, 4000));
  assert_int_equal(fixture_count(f, "SELECT looked FROM field WHERE path = 'id'"), 8 + 4000 / 32 - 1);
}

int main(void) {
#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
  const struct CMUnitTest tests[] = {
      WITH(test_first),
      WITH(test_new),
      WITH(test_seldom),
      WITH(test_missing),
      WITH(test_mapping_adapted),
      WITH(test_retyped),
      WITH(test_null),
      WITH(test_incomplete),
      WITH(test_resumed),
      WITH(test_no_values),
      cmocka_unit_test_setup_teardown(test_csv, setup_csv, teardown),
      cmocka_unit_test_setup_teardown(test_csv_first, setup_csv, teardown),
      WITH(test_sample),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
