/* A SQLite store is one file, whatever paths lead to it and whoever puts another in its place. */
#include "core/store/backup.h"
#include "core/store/watch.h"
#include "tests/support/contract.h"
#include "tests/support/workspace.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

/* Two paths to one store: what one holds, the other is refused; a restore leaves the link. */
static void test_links(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct store_options by_link = stand->options;
  struct store *other = NULL;
  struct buffer aside;
  struct stat info;
  int version = 0;
  bool held = false;
  contract_sources(stand);
  contract_run(stand, "sync", 1);
  char path[400], copy[400];
  snprintf(path, sizeof path, "%s/a link", stand->folder);
  snprintf(copy, sizeof copy, "%s/copy", stand->folder);
  shell("ln -s %s '%s'", stand->options.path, path);
  by_link.path = path;
  MUST(store_open(&by_link, &other, &error));
  MUST(store_hold(stand->store, "sync:reta", &error));
  MUST(store_held(other, "sync:reta", &held, &error));
  assert_true(held);
  assert_int_equal(store_hold(other, "sync:reta", &error), ERR_BUSY);
  store_close(other);
  shell("sqlite3 %s '.backup %s'", stand->options.path, copy);
  store_close(stand->store);
  stand->store = NULL;
  buffer_init(&aside, 4096);
  MUST(store_restore(&by_link, copy, NULL, NULL, &aside, &version, &error));
  assert_int_equal(lstat(path, &info), 0);
  assert_true(S_ISLNK(info.st_mode));
  buffer_free(&aside);
}

static void *open_store(void *context) {
  struct stand *stand = context;
  struct error error;
  return store_open(&stand->options, &stand->store, &error) == OK ? stand : NULL;
}

/* Who opens the store while a restore has it alone gets the restored one, not the one that was put aside. */
static void test_open_during_restore(void **state) {
  struct stand *stand = *state;
  sqlite3 *alone = NULL;
  pthread_t thread;
  void *opened = NULL;
  contract_sources(stand);
  contract_run(stand, "sync", 1);
  char copy[400];
  snprintf(copy, sizeof copy, "%s/copy", stand->folder);
  shell("sqlite3 %s '.backup %s'", stand->options.path, copy);
  contract_run(stand, "sync", 1);
  store_close(stand->store);
  stand->store = NULL;
  assert_int_equal(sqlite3_open(stand->options.path, &alone), SQLITE_OK);
  assert_int_equal(sqlite3_exec(alone, "PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
  assert_int_equal(pthread_create(&thread, NULL, open_store, stand), 0);
  nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
  assert_int_equal(rename(copy, stand->options.path), 0);
  sqlite3_close(alone);
  pthread_join(thread, &opened);
  assert_non_null(opened);
  TEXT_IS(query_text(stand, "SELECT count(*) FROM runs"), "1");
}

#define SQLITE_ONLY(function)                                                                                          \
  { #function, function, contract_setup, contract_teardown, &contract_kinds[0] }

int main(void) {
  const struct CMUnitTest tests[] = {SQLITE_ONLY(test_links), SQLITE_ONLY(test_open_during_restore)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
