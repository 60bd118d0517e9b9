/* What tests of mappings share: the program's own model and code lists, and a record read from JSON text. */
#ifndef PUENTE_TESTS_MAPPING_MAPPING_BENCH_H
#define PUENTE_TESTS_MAPPING_MAPPING_BENCH_H

#include "core/base/node.h"
#include "core/service/maptest.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <setjmp.h>

#include <cmocka.h>

static inline int bench_setup(void **state) {
  static struct mapping_bench bench;
  static const char *const folders[] = {"config/codelists"};
  struct error error;
  if (model_load("config/model", &bench.model, &error) != OK
      || codelists_load(folders, 1, &bench.lists, &error) != OK) {
    print_error("%s %s\n", error.message, error.place);
    return -1;
  }
  *state = &bench;
  return 0;
}

static inline int bench_teardown(void **state) {
  struct mapping_bench *bench = *state;
  codelists_free(bench->lists);
  model_free(bench->model);
  return 0;
}

static inline struct plan *plan_of(const struct mapping_bench *bench, const char *text) {
  struct plan *plan = NULL;
  struct error error;
  if (plan_parse("mapping", slice_of(text), bench->model, bench->lists, &plan, NULL, &error) != OK) {
    print_error("%s %s\n", error.place, error.message);
    fail();
  }
  return plan;
}

static inline struct node *record_of(struct arena *arena, const char *text) {
  struct node *root = NULL;
  struct error error;
  assert_int_equal(json_read(slice_of(text), arena, &root, &error), OK);
  return root;
}

#endif
