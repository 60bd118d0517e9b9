/* The digest beside a copy: of its bytes, read by sha256sum too, and what is said where it does not fit. */
#include "core/store/copy_digest.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char *folder, copy[256], digest[300];

static int setup(void **state) {
  (void)state;
  folder = temp_make();
  snprintf(copy, sizeof copy, "%s/a copy.db", folder);
  snprintf(digest, sizeof digest, "%s.sha256", copy);
  shell("head -c 300000 /dev/zero >'%s'", copy);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  temp_remove(folder);
  return 0;
}

static void found(enum status wanted, bool wanted_known, const char *what) {
  struct error error;
  bool known;
  enum status status = copy_digest_check(copy, &known, &error);
  assert_int_equal(status, wanted);
  assert_int_equal(known, wanted_known);
  if (what != NULL) {
    assert_non_null(strstr(error.message, what));
  }
}

static void test_digest(void **state) {
  (void)state;
  struct error error;
  found(OK, false, NULL);
  assert_int_equal(copy_digest_write(copy, copy, &error), OK);
  shell("cd %s && sha256sum --check --quiet 'a copy.db.sha256' && test $(stat -c %%a 'a copy.db.sha256') = 600",
        folder);
  found(OK, true, NULL);
  shell("printf 'x' | dd of='%s' bs=1 seek=299999 conv=notrunc status=none", copy);
  found(ERR_STORE, true, "the copy is not as it was made");
  copy_digest_forget(copy);
  assert_int_not_equal(access(digest, F_OK), 0);
  copy_digest_forget(copy);
  found(OK, false, NULL);
}

/* What holds no digest is no proof of a copy. */
static void test_odd_files(void **state) {
  (void)state;
  const char *const texts[] = {"", "abc", "zz3045022100",
                               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    shell("printf '%s' >'%s'", texts[i], digest);
    found(ERR_STORE, true, "the copy is not as it was made");
  }
  shell("rm '%s' && mkdir '%s'", digest, digest);
  found(ERR_IO, false, "cannot read the file");
}

/* A digest whose copy is not there: who opens the copy says so. */
static void test_no_copy(void **state) {
  (void)state;
  struct error error;
  assert_int_equal(copy_digest_write(copy, copy, &error), OK);
  unlink(copy);
  found(OK, false, NULL);
  assert_int_equal(copy_digest_write(copy, copy, &error), ERR_NOT_FOUND);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_digest, setup, teardown),
      cmocka_unit_test_setup_teardown(test_odd_files, setup, teardown),
      cmocka_unit_test_setup_teardown(test_no_copy, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
