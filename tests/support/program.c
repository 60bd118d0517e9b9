#include "tests/support/program.h"

#include "core/base/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_LIMIT = 16 << 20, ARGUMENTS_MOST = 64 };

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

char *program_read(const char *folder, const char *name) {
  char path[PATH_MAX];
  struct buffer text;
  struct error error;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  if (file_read(path, OUTPUT_LIMIT, &text, &error) != OK) {
    fail(error.message);
  }
  return text.data;
}

/* Splits at spaces, in place; '…' keeps them. */
static void split(char *text, char *argv[ARGUMENTS_MOST]) {
  size_t count = 1;
  while (*text != '\0' && count < ARGUMENTS_MOST - 1) {
    char ends = *text == '\'' ? '\'' : ' ';
    text += ends == '\'';
    argv[count++] = text;
    text += strcspn(text, ends == '\'' ? "'" : " ");
    if (*text == ends) {
      *text++ = '\0';
    }
    while (*text == ' ') {
      *text++ = '\0';
    }
  }
  argv[count] = NULL;
}

static void to_file(int descriptor, const char *name, int flags) {
  int file = open(name, flags, 0600);
  if (file < 0 || dup2(file, descriptor) < 0) {
    _exit(126);
  }
}

static void become(const char *folder, const char *actor, char *const *argv) {
  if (chdir(folder) != 0) {
    _exit(126);
  }
  to_file(STDIN_FILENO, "/dev/null", O_RDONLY);
  to_file(STDOUT_FILENO, ".out", O_WRONLY | O_CREAT | O_TRUNC);
  to_file(STDERR_FILENO, ".err", O_WRONLY | O_CREAT | O_TRUNC);
  unsetenv("PUENTE_CONFIG");
  unsetenv("PUENTE_ACTOR");
  unsetenv("SUDO_USER");
  if (actor != NULL) {
    setenv(strncmp(actor, "sudo:", 5) == 0 ? "SUDO_USER" : "PUENTE_ACTOR",
           actor + (strncmp(actor, "sudo:", 5) == 0 ? 5 : 0), 1);
  }
  setenv("LC_ALL", "C.UTF-8", 1);
  setenv("LANGUAGE", "en", 1);
  execv(argv[0], argv);
  _exit(127);
}

struct said program_run(const char *folder, const char *arguments) {
  return program_run_as(folder, "tester", arguments);
}

struct said program_run_as(const char *folder, const char *actor, const char *arguments) {
  char path[PATH_MAX], *argv[ARGUMENTS_MOST] = {path}, *text = strdup(arguments);
  int status = 0;
  if (text == NULL) {
    fail("out of memory");
  }
  program_path(path);
  program_forget();
  split(text, argv);
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    become(folder, actor, argv);
  }
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
    fail("the program did not end by itself");
  }
  free(text);
  last = (struct said){
      .code = WEXITSTATUS(status), .out = program_read(folder, ".out"), .err = program_read(folder, ".err")};
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
