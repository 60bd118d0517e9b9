/* A case of the store's contract runs on both stores: EACH(name) stands for two cmocka tests of one function. */
#ifndef PUENTE_TESTS_SUPPORT_CONTRACT_H
#define PUENTE_TESTS_SUPPORT_CONTRACT_H

#include "tests/support/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

extern enum store_kind contract_kinds[2];
int contract_setup(void **state);
int contract_teardown(void **state);
#define EACH(function)                                                                                                 \
  {"sqlite: " #function, function, contract_setup, contract_teardown, &contract_kinds[0]}, {                           \
    "postgres: " #function, function, contract_setup, contract_teardown, &contract_kinds[1]                            \
  }

/* Compares a text that the call gives away, and frees it. */
#define TEXT_IS(call, wanted)                                                                                          \
  do {                                                                                                                 \
    char *text = (call);                                                                                               \
    assert_string_equal(text, wanted);                                                                                 \
    free(text);                                                                                                        \
  } while (0)

/* Statements against the store's own tables, beside its interface. */
void contract_sql(const struct stand *stand, const char *sql);

/* One record of source 1 … with its bytes "{key}" of the version given. */
struct sheet {
  struct landed records[64];
  struct batch batch;
  struct buffer body;
  size_t count;
};
void sheet_open(struct sheet *sheet, const struct stand *stand);
void sheet_close(struct sheet *sheet);
/* Adds a record; its position is given back. */
uint32_t sheet_record(struct sheet *sheet, const struct stand *stand, const char *key, const char *version,
                      enum record_state state);
/* Finds the records, lands those that are new or changed, stages them, and commits; fills raw ids. */
void sheet_store(struct sheet *sheet, struct stand *stand, int source_id, int64_t run, struct staged *staged);

/* Pairs for store_replace_pairs, from first to last. */
struct some_pairs {
  const struct link_pair_row *pairs;
  size_t left;
};
bool contract_pair(void *some_pairs, struct link_pair_row *pair);

/* Two declared sources "alpha" and "beta", numbered 1 and 2. */
void contract_sources(struct stand *stand);
int64_t contract_run(struct stand *stand, const char *kind, int source_id);
/* The first column of a view's rows, joined by ','; freed by the caller. */
char *view_text(struct stand *stand, const char *view, const char *column, const char *where, const char *is);
/* All rows of a query: columns by '|', rows by ';'. On failure "status: message". Freed by the caller. */
char *query_text(struct stand *stand, const char *sql);
int64_t view_count(struct stand *stand, const char *view, const char *where, const char *is);

#endif
