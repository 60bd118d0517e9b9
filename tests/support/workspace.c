#include "tests/support/workspace.h"

#include "core/service/workspace.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

const char *build_folder(void) {
  const char *build = getenv("BUILD");
  return build == NULL || *build == '\0' ? "build/sanitized" : build;
}

static void give_up(const char *what, const struct error *error) {
  fprintf(stderr, "test harness: %s\n", what);
  if (error != NULL) {
    fprintf(stderr, "  %s\n  at: %s\n  hint: %s\n", error->message, error->place, error->hint);
  }
  abort();
}

static char *format_text(const char *format, va_list values) {
  char *text = NULL;
  if (vasprintf(&text, format, values) < 0) {
    give_up("out of memory", NULL);
  }
  return text;
}

/* A shell command whose standard output goes to `out`. It dies with the test. By vfork: fork would copy the page
 * tables of a test that sanitizers made large, which took longer than many a command. */
static pid_t launch(const char *command, int out) {
  pid_t child = vfork();
  if (child < 0) {
    give_up("cannot fork", NULL);
  }
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (out != STDOUT_FILENO && dup2(out, STDOUT_FILENO) < 0) {
      _exit(126);
    }
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
  }
  return child;
}

char *shell_output(int *code, const char *format, ...) {
  char *text = NULL;
  size_t len = 0;
  int ends[2];
  va_list values;
  va_start(values, format);
  char *command = format_text(format, values);
  va_end(values);
  FILE *out = open_memstream(&text, &len);
  if (out == NULL || pipe2(ends, O_CLOEXEC) != 0) {
    give_up("cannot run a shell command", NULL);
  }
  pid_t child = launch(command, ends[1]);
  close(ends[1]);
  char piece[4096];
  for (ssize_t got; (got = read(ends[0], piece, sizeof piece)) > 0;) {
    fwrite(piece, 1, (size_t)got, out);
  }
  close(ends[0]);
  fclose(out);
  int status = 0;
  waitpid(child, &status, 0);
  *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  free(command);
  return text;
}

void shell(const char *format, ...) {
  va_list values;
  va_start(values, format);
  char *command = format_text(format, values);
  va_end(values);
  int code = 1;
  char *output = shell_output(&code, "%s", command);
  if (code != 0) {
    fprintf(stderr, "%s\n%s\n", command, output);
    give_up("a shell command failed", NULL);
  }
  free(output);
  free(command);
}

pid_t shell_start(int quiet, const char *format, ...) {
  va_list values;
  va_start(values, format);
  char *command = format_text(format, values);
  va_end(values);
  int out = quiet ? open("/dev/null", O_WRONLY | O_CLOEXEC) : STDOUT_FILENO;
  if (out < 0) {
    give_up("cannot open /dev/null", NULL);
  }
  pid_t child = launch(command, out);
  if (out != STDOUT_FILENO) {
    close(out);
  }
  free(command);
  return child;
}

void workspace_key(const char *folder) {
  shell("(umask 077; printf 0123456789abcdefghijklmnopqrstuv >%s/puente.key)", folder);
}

static const char settings[] = "LANGUAGE=en PUENTE_ACTOR=tester";

int workspace_run(const char *folder, const char *arguments, char **output) {
  int code = 0;
  char *text =
      shell_output(&code, "%s %s/puente --config %s/puente.yaml %s", settings, build_folder(), folder, arguments);
  if (output != NULL) {
    *output = text;
  } else {
    free(text);
  }
  return code;
}

pid_t workspace_start(const char *folder, const char *arguments) {
  return shell_start(1, "%s exec %s/puente --config %s/puente.yaml %s", settings, build_folder(), folder, arguments);
}

static void print_result(struct result *result, FILE *out) {
  struct error error = {0};
  enum status status;
  while ((status = result_next(result, &error)) == OK) {
    for (size_t i = 0; i < result_columns(result); i++) {
      struct slice text = result_null(result, i) ? slice_none() : result_text(result, i);
      fprintf(out, "%s%.*s", i == 0 ? "" : "|", (int)text.len, text.data == NULL ? "" : text.data);
    }
    putc('\n', out);
  }
  if (status != END) {
    give_up("a result cannot be read", &error);
  }
}

char *workspace_rows(const char *folder, const char *sql) {
  struct error error = {0};
  struct workspace workspace;
  struct result *result = NULL;
  char path[4096], *text = NULL;
  size_t len = 0;
  snprintf(path, sizeof path, "%s/puente.yaml", folder);
  if (workspace_open_bare(path, WORKSPACE_READ, &workspace, &error) != OK) {
    give_up(path, &error);
  }
  if (store_query(workspace.store, sql, 60000000, &result, &error) != OK) {
    give_up(sql, &error);
  }
  FILE *out = open_memstream(&text, &len);
  if (out == NULL) {
    give_up("out of memory", NULL);
  }
  print_result(result, out);
  fclose(out);
  result_free(result);
  workspace_close(&workspace);
  return text;
}

int64_t workspace_number(const char *folder, const char *sql) {
  char *text = workspace_rows(folder, sql);
  int64_t number = strtoll(text, NULL, 10);
  free(text);
  return number;
}
