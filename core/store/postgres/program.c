#include "core/store/postgres/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { VARIABLES_MOST = 1024, ERRORS_MOST = 16 << 10, WAIT_NANOSECONDS = 20000000 };

/* The environment with the password, which must not stand in the list of processes; messages in the C locale are told
 * apart by their words. */
static char **environment(const char *password, char **secret) {
  static char plain[] = "LC_ALL=C.UTF-8";
  size_t count = 0;
  char **made = calloc(VARIABLES_MOST + 3, sizeof *made);
  *secret = NULL;
  if (made == NULL) {
    return NULL;
  }
  for (char **at = environ; *at != NULL && count < VARIABLES_MOST; at++) {
    if ((strncmp(*at, "PGPASSWORD=", 11) != 0 || password == NULL) && strncmp(*at, "LC_", 3) != 0
        && strncmp(*at, "LANGUAGE=", 9) != 0) {
      made[count++] = *at;
    }
  }
  made[count++] = plain;
  if (password != NULL) {
    if (asprintf(secret, "PGPASSWORD=%s", password) < 0) {
      free(made);
      return NULL;
    }
    made[count] = *secret;
  }
  return made;
}

static int spawn(const char *password, char *const *arguments, int output, struct program *program) {
  char *secret = NULL;
  char **variables = environment(password, &secret);
  if (variables == NULL) {
    return ENOMEM;
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, program->errors, STDERR_FILENO);
  int failed = posix_spawnp(&program->child, arguments[0], &actions, NULL, arguments, variables);
  posix_spawn_file_actions_destroy(&actions);
  if (secret != NULL) {
    explicit_bzero(secret, strlen(secret));
  }
  free(secret);
  free(variables);
  return failed;
}

enum status program_start(const char *password, char *const *arguments, struct program *program, struct error *error) {
  int ends[2];
  *program = (struct program){.name = arguments[0], .output = -1, .errors = memfd_create("errors", MFD_CLOEXEC)};
  if (program->errors < 0 || pipe2(ends, O_CLOEXEC) != 0) {
    error_set(error, ERR_IO, _("cannot run %s: %s"), program->name, strerror(errno));
    if (program->errors >= 0) {
      close(program->errors);
    }
    return ERR_IO;
  }
  int failed = spawn(password, arguments, ends[1], program);
  close(ends[1]);
  program->output = ends[0];
  if (failed == 0) {
    return OK;
  }
  close(program->output);
  close(program->errors);
  if (failed == ENOENT) {
    error_set(error, ERR_CONFIG, _("the program %s is not installed"), program->name);
    error_hint(error, "%s", _("install the Debian package postgresql-client, of the server's version or newer"));
    return ERR_CONFIG;
  }
  return error_set(error, ERR_IO, _("cannot run %s: %s"), program->name, strerror(failed));
}

/* Its words may quote values: they are looked at, and not passed on. */
static enum status failed(const struct program *program, struct error *error) {
  char words[ERRORS_MOST];
  ssize_t length = pread(program->errors, words, sizeof words - 1, 0);
  words[length < 0 ? 0 : length] = '\0';
  if (strstr(words, "No space left") != NULL || strstr(words, "quota exceeded") != NULL
      || strstr(words, "File too large") != NULL) {
    error_set(error, ERR_FULL, "%s", _("the disk is full"));
    error_hint(error, "%s", _("free space where the backup is written, then run the command again"));
    return ERR_FULL;
  }
  error_set(error, ERR_STORE, _("%s failed"), program->name);
  if (strstr(words, "version mismatch") != NULL || strstr(words, "unsupported version") != NULL) {
    error_hint(error, "%s", _("install the Debian package postgresql-client, of the server's version or newer"));
  } else if (strstr(words, "input file") != NULL || strstr(words, "archive") != NULL) {
    error_hint(error, "%s", _("the file is damaged, or is no backup of a PostgreSQL store: take another copy"));
  } else {
    error_hint(error, "%s", _("run it by hand on the store's database to see why"));
  }
  return ERR_STORE;
}

enum status program_end(struct program *program, const atomic_bool *stop, struct error *error) {
  int state = 0;
  bool stopped = false;
  if (program->output >= 0) {
    close(program->output);
  }
  for (pid_t got = 0; got != program->child;) {
    got = waitpid(program->child, &state, stop == NULL ? 0 : WNOHANG);
    if (got < 0 && errno != EINTR) {
      break;
    }
    if (got == 0) {
      if (!stopped && atomic_load(stop)) {
        stopped = true;
        kill(program->child, SIGTERM);
      }
      nanosleep(&(struct timespec){.tv_nsec = WAIT_NANOSECONDS}, NULL);
    }
  }
  enum status status = OK;
  if (stopped || (stop != NULL && atomic_load(stop))) {
    status = error_set(error, ERR_INTERRUPTED, "%s", _("stopped before the copy was whole"));
  } else if (!WIFEXITED(state) || WEXITSTATUS(state) != 0) {
    status = failed(program, error);
  }
  close(program->errors);
  return status;
}
