#include "tests/support/program.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char *folder;

static int make_folder(void **state) {
  (void)state;
  folder = temp_make();
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  program_forget();
  temp_remove(folder);
  return 0;
}

/* Weights that are fixed, so that a handful of records has a known outcome. */
static const char plan[] =
    "id: id\n"
    "compare:\n"
    "  document: {kind: document, from: dni, levels: [{same: {m: 0.9, u: 0.0001}}, slip, conflict]}\n"
    "  name: {kind: name, from: [name, surname], levels: [{same_set: {m: 0.8, u: 0.001}}, {subset: {m: 0.1, u: "
    "0.002}}]}\n"
    "  birth: {kind: date, from: birth, levels: [{full: {m: 0.9, u: 0.001}}, year]}\n"
    "block: [document, [name.any, birth]]\n"
    "rules:\n"
    "  - {name: same person, when: {document: same, name: [same_set, subset]}, then: merge}\n"
    "train: {deterministic: [document]}\n"
    "truth: {column: truth}\n";

static const char people[] = "id, name ,surname,dni,birth,truth\n"
                             "a-1,Ana María,Quispe,40718293,1999-03-05,1\n"
                             "a-2,\"ANA, MARIA\",QUISPE,40718293,1999-03-05,1\n"
                             "a-3,Rosa,Huamán,40123456,1988-01-02,2\n"
                             "a-4,Rosa,Huaman,,1988-01-02,2\n"
                             "\"a,5\",Luz,Mamani,41234568,2001-10-10,3\n"
                             "a-6,Juana,Flores,42345679,2002-11-11,4\n"
                             "a-7,Pedro,Rojas,43456780,1970-07-07,5\n"
                             "a-8,Elena,Torres,44517896,1971-08-08,6\n";

static void test_lines_of_one_person_are_one_cluster(void **state) {
  (void)state;
  program_write(folder, "people.csv", people);
  program_write(folder, "plan.yaml", plan);
  struct said said =
      program_run(folder, "link --csv people.csv --link plan.yaml --out clusters.csv --pairs-out pairs.csv");
  assert_int_equal(said.code, 0);
  assert_non_null(strstr(said.out, "           8  records\n           6  clusters\n"));
  assert_non_null(strstr(said.out, "measure        precision  recall      F1\n"));
  assert_non_null(strstr(said.out, "pairs             1.0000  1.0000  1.0000\n"));
  assert_non_null(strstr(said.out, "B³, by record     1.0000  1.0000  1.0000\n"));
  assert_non_null(strstr(said.out, "blocking proposes 1.0000 of the true pairs (2 looked at)"));
  char *clusters = program_read(folder, "clusters.csv");
  assert_string_equal(clusters, "source,record,cluster_id\n"
                                "people,a-1,1\npeople,a-2,1\npeople,a-3,2\npeople,a-4,2\n"
                                "people,\"a,5\",3\npeople,a-6,4\npeople,a-7,5\npeople,a-8,6\n");
  free(clusters);
  char *pairs = program_read(folder, "pairs.csv");
  assert_non_null(strstr(pairs,
                         "source_a,record_a,source_b,record_b,weight,probability,outcome,reason,blocking_rule,rule\n"
                         "people,a-1,people,a-2,"));
  assert_non_null(strstr(pairs, ",joined,rule,document,same person\n"));
  free(pairs);
}

static void test_several_files_are_linked(void **state) {
  (void)state;
  program_write(folder, "plan.yaml", plan);
  program_write(folder, "people.csv", people);
  program_write(folder, "police.csv",
                "\xef\xbb\xbf"
                "birth;dni;id;name;surname;truth\n1999-03-05;40718293;P1;Ana;Quispe;1\n1960-01-09;;P2;Eva;Soto;9\n");
  struct said said =
      program_run(folder, "--json link --csv people.csv --csv police.csv --link plan.yaml --out clusters.csv");
  assert_int_equal(said.code, 0);
  json_t *root = json_loads(said.out, 0, NULL);
  assert_non_null(root);
  assert_int_equal(json_integer_value(json_object_get(root, "records")), 10);
  assert_int_equal(json_integer_value(json_object_get(root, "clusters")), 7);
  assert_int_equal(json_integer_value(json_object_get(json_object_get(root, "truth"), "true_pairs")), 4);
  assert_int_equal(json_array_size(json_object_get(root, "blocks")), 2);
  json_decref(root);
  char *clusters = program_read(folder, "clusters.csv");
  assert_non_null(strstr(clusters, "\npolice,P1,1\npolice,P2,7\n"));
  free(clusters);
}

/* Many people, most of them twice, some with a slip; no document. */
static void write_many(const char *name) {
  static const char *const given[] = {"Ana",   "Rosa",   "Luz",   "Juana", "Pedro",
                                      "Elena", "Carmen", "Julio", "Nelly", "Ruth"};
  static const char *const surnames[] = {"Quispe", "Mamani", "Flores", "Rojas",   "Torres", "Huanca",
                                         "Vargas", "Castro", "Ramos",  "Mendoza", "Chavez", "Silva"};
  size_t size = 1 << 20, len = 0;
  char *text = malloc(size);
  assert_non_null(text);
  len += (size_t)snprintf(text, size, "id,nombres,apellidos,fecha_nacimiento,distrito\n");
  for (unsigned i = 0; i < 3000; i++) {
    unsigned person = i % 1700, mix = person * 2654435761U;
    len += (size_t)snprintf(text + len, size - len, "%u,%s%s,%s %s,%04u-%02u-%02u,distrito %u\n", i, given[mix % 10],
                            i >= 1700 && i % 9 == 0 ? "a" : "", surnames[mix / 16 % 12], surnames[mix / 256 % 12],
                            1950 + mix / 4096 % 55, 1 + mix / 65536 % 12, 1 + mix / 1048576 % 28, mix / 64 % 40);
  }
  program_write(folder, name, text);
  free(text);
}

static void test_a_suggestion_runs_as_it_is_and_threads_change_nothing(void **state) {
  (void)state;
  write_many("many.csv");
  struct said said = program_run(folder, "link --suggest many.csv");
  assert_int_equal(said.code, 0);
  assert_non_null(strstr(said.out, "\nid: id\n"));
  assert_non_null(strstr(said.out, "  given: {kind: given_names, from: [nombres, apellidos]}\n"));
  assert_non_null(strstr(said.out, "  birth: {kind: date, from: fecha_nacimiento, spikes: [\"01-01\"]}\n"));
  assert_non_null(strstr(said.out, "  distrito: {kind: code, from: distrito}\n"));
  assert_null(strstr(said.out, "Quispe"));
  program_write(folder, "suggested.yaml", said.out);
  said = program_run(
      folder, "--quiet link --csv many.csv --link suggested.yaml --out one.csv --train-out model.json --threads 1");
  assert_int_equal(said.code, 0);
  assert_string_equal(said.out, "");
  said = program_run(folder, "--quiet link --csv many.csv --link suggested.yaml --out two.csv --threads 2");
  assert_int_equal(said.code, 0);
  said = program_run(folder, "--quiet link --csv many.csv --link suggested.yaml --out frozen.csv --model model.json");
  assert_int_equal(said.code, 0);
  char *one = program_read(folder, "one.csv"), *two = program_read(folder, "two.csv");
  char *frozen = program_read(folder, "frozen.csv");
  assert_string_equal(one, two);
  assert_string_equal(one, frozen);
  assert_null(strstr(one, ",3000\n")); /* something was joined */
  free(one);
  free(two);
  free(frozen);
}

static void test_columns_are_told_by_words_and_shapes(void **state) {
  (void)state;
  program_write(folder, "people.csv", people);
  struct said said = program_run(folder, "link --suggest people.csv");
  assert_int_equal(said.code, 0);
  assert_non_null(strstr(said.out, "# dni                6    12.5 %  document\n"));
  assert_non_null(strstr(said.out, "# birth              6     0.0 %  date of birth\n"));
  assert_non_null(strstr(said.out, "\n# truth: {column: truth}\n"));
  assert_non_null(
      strstr(said.out, "\nblock:\n  - document\n  - {name: names and birth, keys: [surname, given.first, birth]}\n"));
  said = program_run(folder, "--lang es link --suggest people.csv");
  assert_non_null(strstr(said.out, "# birth              6     0.0 %  fecha de nacimiento\n"));
  program_write(folder, "empty.csv", "a,b\n,x\n,x\n");
  said = program_run(folder, "link --suggest empty.csv");
  assert_int_equal(said.code, 1);
  assert_string_equal(said.err, "error: no column can be compared: each is empty, of one value, or very long\n"
                                "  at: empty.csv\n");
}

static void assert_fails(const char *arguments, int code, const char *err) {
  struct said said = program_run(folder, arguments);
  assert_string_equal(said.err, err);
  assert_int_equal(said.code, code);
}

static void test_what_is_wrong_is_told(void **state) {
  (void)state;
  program_write(folder, "plan.yaml", plan);
  program_write(folder, "people.csv", people);
  program_write(folder, "other.csv", "id,name,surnames,dni,birth,truth\n1,a,b,c,d,e\n");
  program_write(folder, "head.csv", "id,name,surname,dni,birth,truth\n");
  assert_fails("link --csv other.csv --link plan.yaml --out no.csv", 2,
               "error: there is no column \"surname\"\n  at: other.csv\n  hint: did you mean \"surnames\"?\n");
  assert_fails("link --csv head.csv --link plan.yaml --out no.csv", 1,
               "error: the file holds no record\n  at: head.csv\n");
  assert_fails("link --csv people.csv --link plan.yaml --out no/where.csv", 1,
               "error: cannot write the file: No such file or directory\n  at: no/where.csv\n"
               "  hint: the folder that it is to be in is not there: make it first, or name another place\n");
  assert_fails("link --csv people.csv --link plan.yaml --out no.csv --threads 0", 2,
               "error: --threads: a number between 1 and 256 is expected\n");
  assert_fails("link --csv people.csv --link plan.yaml --out no.csv --encoding utf-9", 2,
               "error: --encoding: \"utf-9\" is not known\n  hint: utf-8, windows-1252 or latin-1\n");
  struct said said = program_run(folder, "link --csv people.csv --link plan.yaml");
  assert_int_equal(said.code, 2);
  assert_non_null(strstr(said.err, "error: --out CLUSTERS.csv is missing\n"));
  assert_int_not_equal(access("no.csv", F_OK), 0);
}

/* Devices, folders, what is read, and two results in one file: refused before the work, and left as they are. */
static void test_results_take_no_other_place(void **state) {
  (void)state;
  program_write(folder, "people.csv", people);
  program_write(folder, "plan.yaml", plan);
  char path[512];
  snprintf(path, sizeof path, "%s/pipe", folder);
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_fails("link --csv people.csv --link plan.yaml --out pipe", 2,
               "error: this is a device or a pipe, which a file would replace\n  at: pipe\n"
               "  hint: name a file that is not there yet, or may be overwritten\n");
  assert_fails("link --csv people.csv --link plan.yaml --out clusters.csv --train-out pipe", 2,
               "error: this is a device or a pipe, which a file would replace\n  at: pipe\n"
               "  hint: name a file that is not there yet, or may be overwritten\n");
  assert_fails("link --csv people.csv --link plan.yaml --out .", 1,
               "error: cannot write the file: Is a directory\n  at: .\n"
               "  hint: a file stands where a folder is needed, or the other way round: name another place\n");
  assert_fails("link --csv people.csv --link plan.yaml --out ./people.csv", 2,
               "error: this file is read: the result would take its place\n  at: ./people.csv\n"
               "  hint: give each file that is written a name of its own\n");
  assert_fails("link --csv people.csv --link plan.yaml --out c.csv --pairs-out c.csv", 2,
               "error: two results would be written into this file\n  at: c.csv\n"
               "  hint: give each file that is written a name of its own\n");
  char *read = program_read(folder, "people.csv");
  assert_string_equal(read, people);
  free(read);
}

/* What a name of endless length leaves is not taken for a name with parts missing. */
static void test_an_overlong_name_is_missing(void **state) {
  char text[12000];
  int length = snprintf(text, sizeof text, "id,name,surname,dni,birth,truth\n1,Ana,Quispe,,1999-03-05,1\n2,");
  (void)state;
  memset(text + length, 'A', 10000);
  snprintf(text + length + 10000, sizeof text - (size_t)length - 10000, ",Quispe,,1999-03-05,2\n");
  program_write(folder, "people.csv", text);
  program_write(folder, "plan.yaml", plan);
  struct said said = program_run(folder, "link --csv people.csv --link plan.yaml --out clusters.csv");
  assert_int_equal(said.code, 0);
  assert_non_null(
      strstr(said.err, "warning: column name: 1 values are too long for a name and are taken as missing\n"));
}

static void test_lines_that_are_no_record_are_told_and_left_out(void **state) {
  (void)state;
  char text[sizeof people + 64];
  snprintf(text, sizeof text, "%sa-1,Eva\na-6,Eva,Soto,,1960-01-09,9\n", people);
  program_write(folder, "plan.yaml", plan);
  program_write(folder, "people.csv", text);
  struct said said = program_run(folder, "--quiet link --csv people.csv --link plan.yaml --out clusters.csv");
  assert_int_equal(said.code, 3);
  assert_non_null(strstr(said.err,
                         "warning: 1 lines are no record and were left out, the first because: 2 fields instead "
                         "of 6\n  at: people.csv, line 10\n"));
  assert_non_null(strstr(said.err, "warning: 1 records have an id that an earlier record has\n  at: people.csv\n"));
}

/* Of public files with a known truth; the benchmark has the floors. */
static void measure(const char *data, const char *config, double least) {
  char command[2048], here[512];
  assert_non_null(getcwd(here, sizeof here));
  snprintf(command, sizeof command, "../shared/data/%s", data);
  if (access(command, R_OK) != 0) {
    skip();
  }
  snprintf(command, sizeof command,
           "--json link --csv %.511s/../shared/data/%s --link %.511s/examples/link/%s --out public.csv", here, data,
           here, config);
  struct said said = program_run(folder, command);
  assert_int_equal(said.code, 0);
  json_t *root = json_loads(said.out, 0, NULL), *truth = json_object_get(root, "truth");
  double f1 = json_real_value(json_object_get(json_object_get(truth, "pairwise"), "f1"));
  printf("note: %s: pairwise F1 %.4f\n", data, f1);
  assert_true(f1 >= least);
  json_decref(root);
}

static void test_febrl(void **state) {
  (void)state;
  measure("febrl3.csv", "febrl.yaml", 0.988);
}

static void test_fake_1000(void **state) {
  (void)state;
  measure("fake_1000.csv", "fake_1000.yaml", 0.925);
}

static void test_simulated_persons(void **state) {
  (void)state;
  char command[2048], here[512];
  assert_non_null(getcwd(here, sizeof here));
  shell("%s/puente-simulator --persons-csv %s/persons.csv --population 2000 --seed 3", build_folder(), folder);
  snprintf(command, sizeof command,
           "--json link --csv persons.csv --link %.511s/examples/link/persons.yaml --out clusters.csv --among kin",
           here);
  struct said said = program_run(folder, command);
  assert_int_equal(said.code, 0);
  json_t *root = json_loads(said.out, 0, NULL);
  json_t *all = json_object_get(json_object_get(root, "truth"), "pairwise");
  json_t *kin = json_object_get(json_object_get(root, "among"), "pairwise");
  assert_true(json_integer_value(json_object_get(root, "records")) > 4000);
  /* One pair of twins of one first name is a third of a percent here; the benchmark has the floors. */
  assert_true(json_real_value(json_object_get(all, "precision")) >= 0.99);
  assert_true(json_real_value(json_object_get(all, "recall")) >= 0.90);
  assert_true(json_real_value(json_object_get(kin, "precision")) >= 0.95);
  json_decref(root);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lines_of_one_person_are_one_cluster),
      cmocka_unit_test(test_several_files_are_linked),
      cmocka_unit_test(test_a_suggestion_runs_as_it_is_and_threads_change_nothing),
      cmocka_unit_test(test_columns_are_told_by_words_and_shapes),
      cmocka_unit_test(test_what_is_wrong_is_told),
      cmocka_unit_test(test_lines_that_are_no_record_are_told_and_left_out),
      cmocka_unit_test(test_results_take_no_other_place),
      cmocka_unit_test(test_an_overlong_name_is_missing),
      cmocka_unit_test(test_febrl),
      cmocka_unit_test(test_fake_1000),
      cmocka_unit_test(test_simulated_persons),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
