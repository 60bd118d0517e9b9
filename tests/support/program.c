#include "tests/support/program.h"

#include "core/base/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_LIMIT = 16 << 20, ARGUMENTS_MOST = 64, VARIABLES_MOST = 512 };

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

/* The test's environment without who acts, and with the actor and the language instead. */
struct surroundings {
  char actor[1024];
  char *variables[VARIABLES_MOST];
};

static void surround(struct surroundings *with, const char *actor) {
  static const char *const dropped[] = {"PUENTE_CONFIG=", "PUENTE_ACTOR=", "SUDO_USER=", "LC_ALL=", "LANGUAGE="};
  static char characters[] = "LC_ALL=C.UTF-8", language[] = "LANGUAGE=en";
  size_t count = 0;
  for (char **each = environ; *each != NULL && count < VARIABLES_MOST - 4; each++) {
    bool stays = true;
    for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++) {
      stays = stays && strncmp(*each, dropped[i], strlen(dropped[i])) != 0;
    }
    if (stays) {
      with->variables[count++] = *each;
    }
  }
  if (actor != NULL) {
    bool sudo = strncmp(actor, "sudo:", 5) == 0;
    snprintf(with->actor, sizeof with->actor, "%s=%s", sudo ? "SUDO_USER" : "PUENTE_ACTOR", actor + (sudo ? 5 : 0));
    with->variables[count++] = with->actor;
  }
  with->variables[count++] = characters;
  with->variables[count++] = language;
  with->variables[count] = NULL;
}

/* Between vfork and exec: it writes nothing that the test has. */
static void become(const char *folder, char *const *argv, char *const *environment) {
  if (chdir(folder) != 0) {
    _exit(126);
  }
  to_file(STDIN_FILENO, "/dev/null", O_RDONLY);
  to_file(STDOUT_FILENO, ".out", O_WRONLY | O_CREAT | O_TRUNC);
  to_file(STDERR_FILENO, ".err", O_WRONLY | O_CREAT | O_TRUNC);
  execve(argv[0], argv, environment);
  _exit(127);
}

struct said program_run(const char *folder, const char *arguments) {
  return program_run_as(folder, "tester", arguments);
}

struct said program_run_as(const char *folder, const char *actor, const char *arguments) {
  char path[PATH_MAX], *argv[ARGUMENTS_MOST] = {path}, *text = strdup(arguments);
  struct surroundings with;
  int status = 0;
  if (text == NULL) {
    fail("out of memory");
  }
  program_path(path);
  program_forget();
  split(text, argv);
  surround(&with, actor);
  fflush(NULL);
  pid_t child = vfork(); /* fork would copy the page tables of a test that sanitizers made large */
  if (child == 0) {
    become(folder, argv, with.variables);
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
