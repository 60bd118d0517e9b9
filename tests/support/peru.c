#include "tests/support/peru.h"
#include "tests/support/temp.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *build_folder(void) {
  const char *build = getenv("BUILD");
  return build == NULL || *build == '\0' ? "build/sanitized" : build;
}

static void give_up(const char *what) {
  fprintf(stderr, "test harness: %s\n", what);
  abort();
}

char *shell_output(int *code, const char *format, ...) {
  char *command = NULL, *text = NULL;
  size_t len = 0;
  va_list values;
  va_start(values, format);
  int made = vasprintf(&command, format, values);
  va_end(values);
  FILE *pipe = made < 0 ? NULL : popen(command, "r");
  FILE *out = open_memstream(&text, &len);
  if (pipe == NULL || out == NULL) {
    give_up("cannot run a shell command");
  }
  char piece[4096];
  for (size_t got; (got = fread(piece, 1, sizeof piece, pipe)) > 0;) {
    fwrite(piece, 1, got, out);
  }
  fclose(out);
  int status = pclose(pipe);
  *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  free(command);
  return text;
}

void shell(const char *format, ...) {
  char *command = NULL;
  va_list values;
  va_start(values, format);
  int made = vasprintf(&command, format, values);
  va_end(values);
  int code = 1;
  char *output = made < 0 ? NULL : shell_output(&code, "%s", command);
  if (code != 0) {
    fprintf(stderr, "%s\n%s\n", command, output);
    give_up("a shell command failed");
  }
  free(output);
  free(command);
}

static void pause_shortly(void) {
  nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

/* The number in a file that the simulator writes as a whole; 0 while it is not there. */
static int read_number(const char *folder, const char *name) {
  char path[4096], text[32] = "";
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *in = fopen(path, "rb");
  if (in != NULL) {
    if (fgets(text, sizeof text, in) == NULL) {
      text[0] = '\0';
    }
    fclose(in);
  }
  return (int)strtol(text, NULL, 10);
}

static int await_number(const struct peru *peru, const char *name, int least) {
  for (int tries = 0; tries < 3000; tries++) {
    int number = read_number(peru->folder, name);
    if (number >= least) {
      return number;
    }
    if (waitpid(peru->simulator, NULL, WNOHANG) != 0) {
      give_up("the simulator ended");
    }
    pause_shortly();
  }
  give_up("the simulator does not answer");
  return 0;
}

static pid_t start(char *const arguments[], int quiet) {
  pid_t child = fork();
  if (child < 0) {
    give_up("cannot fork");
  }
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (quiet && freopen("/dev/null", "w", stdout) == NULL) {
      _exit(126);
    }
    execv(arguments[0], arguments);
    _exit(127);
  }
  return child;
}

void peru_start(struct peru *peru, unsigned population, uint64_t seed, const char *more) {
  *peru = (struct peru){.folder = temp_make(), .round = 1};
  shell("mkdir -m 700 %s/secrets && for s in sistra reta mimp; do (umask 077; echo key-of-$s >%s/secrets/$s); done",
        peru->folder, peru->folder);
  char *command = NULL;
  int made = asprintf(
      &command,
      "exec %s/puente-simulator --dir %s --data examples/peru/data --secrets %s/secrets --population %u "
      "--seed %llu %s",
      build_folder(), peru->folder, peru->folder, population, (unsigned long long)seed, more == NULL ? "" : more);
  if (made < 0) {
    give_up("out of memory");
  }
  char program[] = "/bin/sh", flag[] = "-c";
  char *arguments[] = {program, flag, command, NULL};
  peru->simulator = start(arguments, 0);
  free(command);
  peru->port = await_number(peru, "port", 1);
}

void peru_advance(struct peru *peru) {
  kill(peru->simulator, SIGUSR1);
  peru->round++;
  await_number(peru, "round", peru->round);
}

void peru_stop(struct peru *peru) {
  kill(peru->simulator, SIGTERM);
  waitpid(peru->simulator, NULL, 0);
  temp_remove(peru->folder);
}

void workspace_key(const char *folder) {
  shell("(umask 077; printf '0123456789abcdefghijklmnopqrstuv' >%s/puente.key)", folder);
}

void peru_workspace(const struct peru *peru, const char *name, const char *store, const char *edit) {
  char folder[4096];
  snprintf(folder, sizeof folder, "%s/%s", peru->folder, name);
  shell("mkdir %s && cp -r examples/peru/config/. %s && ln -s ../secrets ../datamart.db ../siscalp %s", folder, folder,
        folder);
  shell("sed -i 's/127\\.0\\.0\\.1:8480/127.0.0.1:%d/' %s/sources/*.yaml", peru->port, folder);
  shell("printf 'name: %s\\nstore: %s\\n' >%s/puente.yaml", name, store, folder);
  if (edit != NULL) {
    shell("cd %s/sources && sed -i %s", folder, edit);
  }
  workspace_key(folder);
}

int peru_puente(const struct peru *peru, const char *name, const char *arguments, char **output) {
  int code = 0;
  char *text = shell_output(&code, "LANGUAGE=en PUENTE_ACTOR=tester %s/puente --config %s/%s/puente.yaml %s",
                            build_folder(), peru->folder, name, arguments);
  if (output != NULL) {
    *output = text;
  } else {
    free(text);
  }
  return code;
}

pid_t peru_puente_start(const struct peru *peru, const char *name, const char *arguments) {
  char *command = NULL;
  if (asprintf(&command, "LANGUAGE=en PUENTE_ACTOR=tester exec %s/puente --config %s/%s/puente.yaml %s", build_folder(),
               peru->folder, name, arguments)
      < 0) {
    give_up("out of memory");
  }
  char program[] = "/bin/sh", flag[] = "-c";
  char *list[] = {program, flag, command, NULL};
  pid_t child = start(list, 1);
  free(command);
  return child;
}

int64_t peru_number(const struct peru *peru, const char *name, const char *sql) {
  char *arguments = NULL, *output = NULL;
  if (asprintf(&arguments, "query --csv \"%s\"", sql) < 0) {
    give_up("out of memory");
  }
  int code = peru_puente(peru, name, arguments, &output);
  const char *line = output == NULL ? NULL : strchr(output, '\n');
  if (code != 0 || line == NULL) {
    fprintf(stderr, "%s\n", sql);
    give_up("a query failed");
  }
  int64_t number = strtoll(line + 1, NULL, 10);
  free(output);
  free(arguments);
  return number;
}
