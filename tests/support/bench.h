/* A workbench of a test's own: a folder with key, mapping and an SQLite store, and one source that a script feeds. Any
 * failure to make it ends the test program. */
#ifndef PUENTE_TESTS_SUPPORT_BENCH_H
#define PUENTE_TESTS_SUPPORT_BENCH_H

#include "core/sync/sync.h"
#include "tests/support/scripted.h"

struct fixture {
  char *folder;
  char mapping[256], store_path[256], key_path[256], schema[32];
  const char *dsn; /* NULL: SQLite */
  struct config config;
  struct source_config source;
  struct model *model;
  struct codelists *lists;
  struct key *key;
  struct store *store;
  int source_id;
  struct sync_options options;
  struct sync_result result;
  struct error error;
};

/* `mapping` is the text of the mapping file. */
struct fixture *fixture_make(const char *mapping);
/* The same with a store in PostgreSQL; every fixture takes a schema of its own. fixture_count and fixture_dump are for
 * SQLite. */
struct fixture *fixture_make_postgres(const char *mapping, const char *dsn);
void fixture_free(struct fixture *fixture);
void fixture_map(struct fixture *fixture, const char *mapping); /* writes another one */
struct workbench fixture_bench(const struct fixture *fixture);
void fixture_reopen(struct fixture *fixture);
/* Another handle on the same store, as another process has it; the caller closes it. */
struct store *fixture_another(struct fixture *fixture);
/* The script gives these pages; runs one sync. */
enum status fixture_sync(struct fixture *fixture, const struct scripted_page *pages, size_t count);
/* The first column of the first row that a statement gives on the store's file; -1 where there is none. */
int64_t fixture_count(const struct fixture *fixture, const char *sql);
/* All of it as text, lines of columns; freed by the caller. */
char *fixture_dump(const struct fixture *fixture, const char *const *statements);

#endif
