/* Linkage of the public files that the examples are written for, from CSV to clusters; skipped where they are absent.
 * Prints how well it agrees with their truth. */
#include "core/link/evaluate.h"
#include "core/service/sheet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct file {
  const char *csv, *config;
  double f1; /* least */
};

static void open_sheet(const struct file *file, const struct link_plan *plan, struct sheet *sheet) {
  struct error error = {0};
  const char *const *columns;
  struct sheet_options options = {.files = &file->csv, .file_count = 1, .id = link_plan_id(plan)};
  options.column_count = link_plan_columns(plan, &columns);
  options.columns = columns;
  assert_true(link_plan_truth(plan, &options.truth, &options.truth_pattern));
  if (sheet_read(&options, sheet, &error) != OK) {
    fail_msg("%s (%s)", error.message, error.place);
  }
}

static void print_score(const struct file *file, const struct link_result *result, const struct link_score *score) {
  print_message("%s: compared %llu, kept %zu, waiting %llu: precision %.4f recall %.4f F1 %.4f, B3 F1 %.4f\n",
                file->csv, (unsigned long long)result->compared, result->pair_count,
                (unsigned long long)result->waiting, score->precision, score->recall, score->f1, score->b3_f1);
}

static void link_file(const struct file *file) {
  struct error error = {0};
  struct link_plan *plan = NULL;
  struct sheet sheet;
  struct link_result result;
  struct link_score score;
  struct link_options options = {.threads = 2};
  if (access(file->csv, R_OK) != 0) {
    skip();
  }
  if (link_plan_load(file->config, &plan, &error) != OK) {
    fail_msg("%s (%s)", error.message, error.place);
  }
  open_sheet(file, plan, &sheet);
  struct link_records records = {.count = sheet.count, .columns = sheet.columns, .column_count = sheet.column_count};
  if (link_run(plan, &records, &options, &result, &error) != OK) {
    fail_msg("%s (%s)", error.message, error.place);
  }
  assert_int_equal(link_evaluate(sheet.truth, result.cluster, sheet.count, &score, &error), OK);
  print_score(file, &result, &score);
  assert_true(score.f1 >= file->f1);
  link_result_free(&result);
  sheet_free(&sheet);
  link_plan_free(plan);
}

static void test_febrl3(void **state) {
  (void)state;
  link_file(&(struct file){"../shared/data/febrl3.csv", "examples/link/febrl.yaml", 0.988});
}

static void test_fake_1000(void **state) {
  (void)state;
  link_file(&(struct file){"../shared/data/fake_1000.csv", "examples/link/fake_1000.yaml", 0.925});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_febrl3),
      cmocka_unit_test(test_fake_1000),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
