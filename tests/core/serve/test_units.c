/* The units for systemd: what `systemd-analyze` says of them. */
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char *folder;

static int setup(void **state) {
  (void)state;
  char top[256];
  folder = temp_make();
  assert_non_null(getcwd(top, sizeof top));
  shell("for unit in config/systemd/*; do sed 's|@PREFIX@/bin/puente|%s/%s/puente|' $unit >%s/${unit##*/}; done", top,
        build_folder(), folder);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  temp_remove(folder);
  return 0;
}

static void are_understood(void **state) {
  (void)state;
  int code = 1;
  char *said = shell_output(&code,
                            "cd %s && systemd-analyze verify --man=no ./puente.service ./puente-once.service "
                            "./puente-once.timer 2>&1 | grep -F %s",
                            folder, folder);
  assert_string_equal(said, ""); /* a word that systemd does not know is told with the file's name */
  free(said);
  shell("cd %s && systemd-analyze verify --man=no ./puente.service ./puente-once.timer", folder);
}

static void leave_little_open(void **state) {
  (void)state;
  static const char *const units[] = {"puente.service", "puente-once.service"};
  for (size_t i = 0; i < 2; i++) {
    int code = 1;
    char *said =
        shell_output(&code, "systemd-analyze security --no-pager --offline=yes --threshold=25 %s/%s", folder, units[i]);
    if (code != 0) {
      fail_msg("%s: exposure is 2.5 or more:\n%s", units[i], said);
    }
    free(said);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(are_understood), cmocka_unit_test(leave_little_open)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
