#include "tests/support/program.h"

#include "core/base/file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_LIMIT = 16 << 20, COMMAND_SIZE = 8192 };

static struct said last;

static void fail(const char *what) {
  fprintf(stderr, "program: %s\n", what);
  abort();
}

/* BUILD/tests/…/test_name stands below BUILD. */
static void program_path(char path[PATH_MAX]) {
  ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 16);
  if (length <= 0) {
    fail("where this test is cannot be told");
  }
  path[length] = '\0';
  char *tests = strstr(path, "/tests/");
  for (char *next = tests; next != NULL; next = strstr(next + 1, "/tests/")) {
    tests = next;
  }
  if (tests == NULL) {
    fail("this test does not stand below a folder tests");
  }
  memcpy(tests, "/puente", sizeof "/puente");
}

static char *read_output(const char *folder, const char *name) {
  char path[PATH_MAX];
  struct buffer text;
  struct error error;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  if (file_read(path, OUTPUT_LIMIT, &text, &error) != OK) {
    fail(error.message);
  }
  unlink(path);
  return text.data;
}

struct said program_run(const char *folder, const char *arguments) {
  char path[PATH_MAX], command[COMMAND_SIZE];
  program_path(path);
  program_forget();
  int length = snprintf(command, sizeof command,
                        "cd '%s' && env -u PUENTE_CONFIG -u PUENTE_ACTOR LC_ALL=C.UTF-8 LANGUAGE=en "
                        "PUENTE_ACTOR=tester '%s' %s >.out 2>.err </dev/null",
                        folder, path, arguments);
  if (length < 0 || (size_t)length >= sizeof command) {
    fail("the command is too long");
  }
  int status = system(command);
  if (!WIFEXITED(status)) {
    fail("the program did not end by itself");
  }
  last = (struct said){
      .code = WEXITSTATUS(status), .out = read_output(folder, ".out"), .err = read_output(folder, ".err")};
  return last;
}

void program_forget(void) {
  free(last.out);
  free(last.err);
  last = (struct said){.code = 0};
}

void program_write(const char *folder, const char *name, const char *text) {
  char path[PATH_MAX];
  struct error error;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  if (file_write(path, slice_of(text), 0644, &error) != OK) {
    fail(error.message);
  }
}
