/* Why a figure of a later release is another one: each cause alone, on both stores. */
#include "tests/support/office.h"
#include "tests/support/postgres.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#define MAPPING(codes)                                                                                                 \
  "source: demo\nformat: csv\ndelimiter: \";\"\n"                                                                      \
  "case:\n  key: id\n  denuncia_number: id\n"                                                                          \
  "person:\n  key: [id, victim]\n  role: victim\n  given_names: {from: name, clean: name}\n"                           \
  "  paternal_surname: {from: father, clean: name}\n  maternal_surname: {from: mother, clean: name}\n"                 \
  "  birth_date: born\n  document_number: {from: dni, dni: warn}\n"                                                    \
  "  sex: {from: sex, values: {" codes "}, else: quarantine}\n"
#define HEADER "id;filed;victim;name;father;mother;born;dni;sex\n"
#define ROSA(id, sex) id ";2022-03-01;a;ROSA;QUISPE;MAMANI;2003-04-05;70117410;" sex "\n"
#define LUZ(id, sex) id ";2022-03-02;a;LUZ;HUAMAN;ROJAS;1999-01-02;40117418;" sex "\n"
#define ANA(id, sex) id ";2022-03-03;a;ANA;TORRES;VEGA;2001-07-08;50117412;" sex "\n"

static struct office office;

static struct said done(const char *arguments) {
  return office_done(&office, "rosa", arguments);
}

static int setup(void **state) {
  (void)state;
  office_open(&office, office.dsn, "disclosure: {k: 1}\nreleases: releases\n");
  office_folder(&office, "releases");
  program_write(office.folder, "sources/demo.yaml", OFFICE_SOURCE("demo", "incoming"));
  program_write(office.folder, "mappings/demo.yaml", MAPPING("F: female, M: male"));
  program_write(office.folder, "releases/sexes.yaml",
                "release: sexes\ntables:\n  sex: {indicator: victims, by: [sex]}\n");
  program_write(office.folder, "incoming/1.csv",
                HEADER ROSA("D-1", "F") ROSA("D-2", "F") LUZ("D-3", "F") ANA("D-4", "M"));
  done("--quiet run");
  done("release create sexes --purpose test");
  return 0;
}

static int setup_postgres(void **state) {
  office.dsn = postgres_start();
  return setup(state);
}

static int teardown(void **state) {
  (void)state;
  unsetenv("PUENTE_CLOCK");
  office_close(&office);
  return 0;
}

/* The whole text of what was restated since the release before. */
static void restated(const char *wanted) {
  done("release create sexes --purpose test");
  struct said said = done("release show sexes restatements --csv");
  if (strcmp(said.out, wanted) != 0) {
    fail_msg("restated:\n%s\nwanted:\n%s", said.out, wanted);
  }
  assert_non_null(strstr(done("release verify sexes").out, "release ok:"));
}

/* A corrected field of a person is no linking: also where another record of the person is the one that stayed. */
static void test_changed_records(void **state) {
  (void)state;
  program_write(office.folder, "incoming/2.csv", HEADER LUZ("D-3", "M"));
  done("--quiet run");
  restated("table,cell,earlier,now,cause\n"
           "sex,sex=female,2,1,changed_records:demo\n"
           "sex,sex=male,1,2,changed_records:demo\n");
}

/* Two records are one person: the one that changed tells, the other does not speak of linking. */
static void test_changed_record_of_two(void **state) {
  (void)state;
  program_write(office.folder, "incoming/2.csv", HEADER ROSA("D-1", "M"));
  done("--quiet run");
  restated("table,cell,earlier,now,cause\n"
           "sex,sex=female,2,1,changed_records:demo\n"
           "sex,sex=male,1,2,changed_records:demo\n");
}

static void test_mapping(void **state) {
  (void)state;
  program_write(office.folder, "mappings/demo.yaml", MAPPING("F: female, M: non_conforming"));
  done("--quiet remap");
  done("--quiet link");
  restated("table,cell,earlier,now,cause\n"
           "sex,sex=non_conforming,0,1,mapping:demo\n"
           "sex,sex=male,1,0,mapping:demo\n");
}

static void test_new_records(void **state) {
  (void)state;
  program_write(office.folder, "incoming/2.csv", HEADER "D-9;2022-03-04;a;EVA;CONDORI;PAZ;1990-09-10;10117410;F\n");
  done("--quiet run");
  restated("table,cell,earlier,now,cause\n"
           "sex,sex=female,2,3,new_records:demo\n"
           "sex,sex=total,3,4,new_records:demo\n");
}

static void test_linking(void **state) {
  (void)state;
  char line[128];
  json_t *pairs =
      json_loads(done("--json query --purpose test 'SELECT row_a, row_b FROM pairs ORDER BY kind DESC'").out, 0, NULL);
  long long a = json_integer_value(json_object_get(json_array_get(pairs, 0), "row_a"));
  long long b = json_integer_value(json_object_get(json_array_get(pairs, 0), "row_b"));
  json_decref(pairs);
  snprintf(line, sizeof line, "review reject %lld-%lld --reason test", a, b);
  done(line);
  done("--quiet link");
  restated("table,cell,earlier,now,cause\n"
           "sex,sex=female,2,3,linking\n"
           "sex,sex=total,3,4,linking\n");
}

static void test_erasure(void **state) {
  (void)state;
  done("erase demo:D-3 --reason test --document RM-1");
  done("--quiet link");
  restated("table,cell,earlier,now,cause\n"
           "sex,sex=female,2,1,erasure\n"
           "sex,sex=total,3,2,erasure\n");
}

/* ---- sources that delete, and sharing terms ---- */

static void declare(const char *more) {
  char text[512];
  snprintf(text, sizeof text, OFFICE_SOURCE("demo", "incoming") "%s", more);
  program_write(office.folder, "sources/demo.yaml", text);
}

static void test_deleted_records(void **state) {
  (void)state;
  declare("deletes: sweep\nmax_drop: 1\n");
  shell("rm %s/incoming/1.csv", office.folder);
  program_write(office.folder, "incoming/2.csv", HEADER ROSA("D-1", "F") ROSA("D-2", "F") LUZ("D-3", "F"));
  done("--quiet sync --full");
  done("--quiet link");
  restated("table,cell,earlier,now,cause\n"
           "sex,sex=total,3,2,deleted_records:demo\n"
           "sex,sex=male,1,0,deleted_records:demo\n");
}

#define CONSENTING "id;filed;victim;name;father;mother;born;dni;sex;consent\n"
#define ANA_SAYS "D-4;2022-03-03;a;ANA;TORRES;VEGA;2001-07-08;50117412;M;share\n"
#define EVA_SAYS(filed, consent) "D-5;" filed ";a;EVA;CONDORI;PAZ;1990-09-10;10117410;F;" consent "\n"

/* The same people and another woman, whose consent the records tell. */
static void begin_consent(const char *scope) {
  program_write(office.folder, "mappings/demo.yaml",
                MAPPING("F: female, M: male") "  involvement:\n    consent: consent\n");
  program_write(office.folder, "incoming/2.csv", CONSENTING ANA_SAYS);
  char text[256];
  snprintf(text, sizeof text, CONSENTING EVA_SAYS("2022-03-04", "%s"), scope);
  program_write(office.folder, "incoming/3.csv", text);
  done("--quiet run");
  done("release create sexes --purpose test");
}

static void test_withdrawn(void **state) {
  (void)state;
  begin_consent("share");
  program_write(office.folder, "incoming/4.csv", CONSENTING EVA_SAYS("2022-03-04", "withdrawn"));
  done("--quiet run");
  restated("table,cell,earlier,now,cause\n"
           "sex,sex=female,3,2,withdrawn\n"
           "sex,sex=total,4,3,withdrawn\n");
}

/* Both in one interval: which of the two nobody can tell, since nothing of either is there any more. */
static void test_withdrawn_and_erased(void **state) {
  (void)state;
  begin_consent("share");
  program_write(office.folder, "incoming/4.csv", CONSENTING EVA_SAYS("2022-03-04", "withdrawn"));
  done("--quiet run");
  done("erase demo:D-3 --reason test --document RM-1");
  done("--quiet link");
  restated("table,cell,earlier,now,cause\n"
           "sex,sex=female,3,1,erasure;withdrawn\n"
           "sex,sex=total,4,2,erasure;withdrawn\n");
}

/* Who says nothing of consent is taken out once the terms ask for it. */
static void test_terms_of_consent(void **state) {
  (void)state;
  begin_consent("");
  declare("terms: {consent: required}\n");
  program_write(office.folder, "incoming/4.csv", CONSENTING EVA_SAYS("2022-03-05", ""));
  done("--quiet run");
  restated("table,cell,earlier,now,cause\n"
           "sex,sex=female,3,2,terms\n"
           "sex,sex=total,4,3,terms\n");
}

/* Forty days later the time to keep is over of who was not told of again. */
static void test_terms_of_time(void **state) {
  char later[32];
  time_t then = time(NULL) + 40 * 86400;
  struct tm moment;
  (void)state;
  strftime(later, sizeof later, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&then, &moment));
  setenv("PUENTE_CLOCK", later, 1);
  declare("terms: {retention: {keep: 1m, then: erase}}\n");
  shell("sed '/^D-4/d; s/;2022-/;2023-/' %s/incoming/1.csv >%s/incoming/2.csv", office.folder, office.folder);
  done("--quiet sync");
  done("erase expired");
  done("--quiet link");
  restated("table,cell,earlier,now,cause\n"
           "sex,sex=total,3,2,terms\n"
           "sex,sex=male,1,0,terms\n");
}

/* A field that may not be kept any more; and the release is made again whatever the terms say since. */
static void test_terms_of_fields(void **state) {
  (void)state;
  declare("cut: [sex]\nterms: {shown_to: all}\n");
  done("--quiet sync demo --reload");
  done("--quiet link");
  restated("table,cell,earlier,now,cause\n"
           "sex,sex=not_recorded,0,3,changed_records:demo;terms:demo\n"
           "sex,sex=female,2,0,changed_records:demo;terms:demo\n"
           "sex,sex=male,1,0,changed_records:demo;terms:demo\n");
  declare("");
  assert_non_null(strstr(done("release verify sexes").out, "release ok:"));
}

/* Who sees a source's values by name, and in which order its terms are written, changes no figure. */
static void test_terms_that_steer_nothing(void **state) {
  (void)state;
  declare("cut: [other, phone]\nterms: {purposes: [protection]}\n");
  done("release create sexes --purpose test");
  declare("cut: [phone, other]\nterms: {shown_to: all}\n");
  program_write(office.folder, "incoming/2.csv", HEADER LUZ("D-3", "M"));
  done("--quiet run");
  restated("table,cell,earlier,now,cause\n"
           "sex,sex=female,2,1,changed_records:demo\n"
           "sex,sex=male,1,2,changed_records:demo\n");
}

/* Of nobody there is no figure to explain, and no nearest one either. */
static void test_empty_table(void **state) {
  (void)state;
  program_write(office.folder, "releases/sexes.yaml",
                "release: sexes\ntables:\n  sex: {indicator: victims, by: [sex]}\n"
                "  nobody: {indicator: accused, by: [sex]}\n");
  done("release create sexes --purpose test");
  struct said said = program_run(office.folder, "explain figure --release sexes nobody --by sex=female");
  assert_int_equal(said.code, 2);
  assert_string_equal(said.err, "error: table 'nobody' has no cell sex=female: it counted nobody\n");
}

#define BOTH(test)                                                                                                     \
  cmocka_unit_test_setup_teardown(test, setup, teardown), {                                                            \
#test " (postgres)", test, setup_postgres, teardown, NULL                                                          \
  }

int main(void) {
  const struct CMUnitTest tests[] = {
      BOTH(test_changed_records),
      BOTH(test_changed_record_of_two),
      BOTH(test_mapping),
      BOTH(test_new_records),
      BOTH(test_linking),
      BOTH(test_erasure),
      BOTH(test_deleted_records),
      BOTH(test_withdrawn),
      BOTH(test_withdrawn_and_erased),
      BOTH(test_terms_of_consent),
      BOTH(test_terms_of_time),
      BOTH(test_terms_of_fields),
      BOTH(test_terms_that_steer_nothing),
      BOTH(test_empty_table),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
