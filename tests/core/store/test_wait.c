/* How long one writer of a SQLite store waits for another. */
#include "core/base/date.h"
#include "tests/support/bench.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

static const char MAPPING[] = "source: demo\nformat: json\ncase:\n  key: id\n";
static struct fixture *fixture;
static struct store *patient;
static atomic_bool stop;

static int setup(void **state) {
  (void)state;
  atomic_store(&stop, false);
  fixture = fixture_make(MAPPING);
  const struct store_options options = {
      .kind = STORE_SQLITE, .path = fixture->store_path, .model = fixture->model, .key = fixture->key, .stop = &stop};
  return store_open(&options, &patient, &fixture->error) != OK || store_begin(fixture->store, &fixture->error) != OK;
}

static int teardown(void **state) {
  (void)state;
  store_close(patient);
  fixture_free(fixture);
  return 0;
}

static void *after_a_while(void *work) {
  nanosleep(&(const struct timespec){.tv_nsec = 400000000}, NULL);
  if (work == fixture->store) {
    store_rollback(work);
  } else {
    atomic_store(&stop, true);
  }
  return NULL;
}

static enum status begin_while(void *work, int64_t *microseconds) {
  pthread_t thread;
  int64_t began = clock_monotonic();
  assert_int_equal(pthread_create(&thread, NULL, after_a_while, work), 0);
  enum status status = store_begin(patient, &fixture->error);
  *microseconds = clock_monotonic() - began;
  pthread_join(thread, NULL);
  return status;
}

static void waits_for_another_writer(void **state) {
  (void)state;
  int64_t waited;
  assert_int_equal(begin_while(fixture->store, &waited), OK);
  assert_true(waited > 300000);
  store_rollback(patient);
}

static void waits_no_longer_when_it_is_to_stop(void **state) {
  (void)state;
  int64_t waited;
  assert_int_equal(begin_while(NULL, &waited), ERR_INTERRUPTED);
  assert_string_equal(fixture->error.message, "stopped by a signal; the next sync goes on from here");
  assert_true(waited > 300000 && waited < 10000000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(waits_for_another_writer, setup, teardown),
      cmocka_unit_test_setup_teardown(waits_no_longer_when_it_is_to_stop, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
