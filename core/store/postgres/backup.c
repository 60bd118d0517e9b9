/* pg_dump's custom format, and its table of contents read back. The views are left out: with the role of limited rights
 * that they belong to, `puente store migrate` makes them anew where a copy is restored. */
#include "core/base/date.h"
#include "core/store/postgres/postgres.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { OUTPUT_MOST = 16 << 20, VARIABLES_MOST = 1024 };

/* The environment with the password, which must not stand in the list of processes. */
static char **environment(const struct postgres *self, char **secret) {
  size_t count = 0;
  char **made = calloc(VARIABLES_MOST + 2, sizeof *made);
  *secret = NULL;
  if (made == NULL) {
    return NULL;
  }
  for (char **at = environ; *at != NULL && count < VARIABLES_MOST; at++) {
    if (strncmp(*at, "PGPASSWORD=", 11) != 0 || self->password == NULL) {
      made[count++] = *at;
    }
  }
  if (self->password != NULL) {
    if (asprintf(secret, "PGPASSWORD=%s", self->password) < 0) {
      free(made);
      return NULL;
    }
    made[count] = *secret;
  }
  return made;
}

static enum status not_found(const char *program, struct error *error) {
  error_set(error, ERR_CONFIG, _("the program %s is not installed"), program);
  error_hint(error, "%s", _("install the Debian package postgresql-client, of the server's version or newer"));
  return ERR_CONFIG;
}

/* The child with its output on the pipe's end; the errno of a failure, or 0. */
static int start(const struct postgres *self, char *const *arguments, int output, pid_t *child) {
  char *secret = NULL;
  char **variables = environment(self, &secret);
  if (variables == NULL) {
    return ENOMEM;
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_adddup2(&actions, output, 2);
  int failed = posix_spawnp(child, arguments[0], &actions, NULL, arguments, variables);
  posix_spawn_file_actions_destroy(&actions);
  if (secret != NULL) {
    explicit_bzero(secret, strlen(secret));
  }
  free(secret);
  free(variables);
  return failed;
}

static void read_all(int file, struct buffer *out) {
  char piece[4096];
  for (ssize_t got; (got = read(file, piece, sizeof piece)) > 0 || (got < 0 && errno == EINTR);) {
    if (got > 0 && out->failed == OK) {
      buffer_append(out, piece, (size_t)got);
    }
  }
}

static enum status ended(pid_t child, const char *program, const struct buffer *out, struct error *error) {
  int state = 0;
  while (waitpid(child, &state, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(state) && WEXITSTATUS(state) == 0) {
    return OK;
  }
  error_set(error, ERR_STORE, _("%s failed"), program);
  if (out->data != NULL && strstr(out->data, "version mismatch") != NULL) {
    error_hint(error, "%s", _("install the Debian package postgresql-client, of the server's version or newer"));
  } else {
    error_hint(error, "%s", _("run it by hand on the store's database to see why"));
  }
  return ERR_STORE;
}

/* Runs a program to its end with its output in `out`. */
static enum status run(const struct postgres *self, char *const *arguments, struct buffer *out, struct error *error) {
  int ends[2];
  pid_t child = 0;
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return error_set(error, ERR_IO, _("cannot run %s: %s"), arguments[0], strerror(errno));
  }
  int failed = start(self, arguments, ends[1], &child);
  close(ends[1]);
  if (failed == 0) {
    read_all(ends[0], out);
  }
  close(ends[0]);
  if (failed == ENOENT) {
    return not_found(arguments[0], error);
  }
  if (failed != 0) {
    return error_set(error, ERR_IO, _("cannot run %s: %s"), arguments[0], strerror(failed));
  }
  return ended(child, arguments[0], out, error);
}

static char text_dump[] = "pg_dump", text_custom[] = "--format=custom", text_restore[] = "pg_restore",
            text_list[] = "--list", text_quiet[] = "--no-password";

static enum status dump(const struct postgres *self, char *target, struct error *error) {
  char schema[96], *file = NULL, *database = NULL;
  struct buffer out;
  buffer_init(&out, OUTPUT_MOST);
  snprintf(schema, sizeof schema, "--schema=%s", self->schema);
  enum status status = OK;
  if (asprintf(&file, "--file=%s", target) < 0 || asprintf(&database, "--dbname=%s", self->dsn) < 0) {
    status = error_memory(error);
  } else {
    char *arguments[] = {text_dump, text_custom, text_quiet, schema, file, database, NULL};
    status = run(self, arguments, &out, error);
  }
  if (status == OK) {
    char *arguments[] = {text_restore, text_list, target, NULL};
    char wanted[96];
    buffer_reset(&out);
    status = run(self, arguments, &out, error);
    snprintf(wanted, sizeof wanted, "TABLE DATA %s audit_log", self->schema);
    if (status == OK && (out.data == NULL || strstr(out.data, wanted) == NULL)) {
      status = error_set(error, ERR_STORE, "%s", _("the backup does not read back as what was copied"));
      error_hint(error, "%s", _("it was removed; check the disk and try again"));
    }
  }
  free(file);
  free(database);
  buffer_free(&out);
  return status;
}

enum status postgres_backup_to(struct driver *driver, const char *target, struct error *error) {
  struct postgres *self = (struct postgres *)driver;
  char *part = NULL;
  enum status status = OK;
  if (asprintf(&part, "%s.part", target) < 0) {
    return error_memory(error);
  }
  int file = -1;
  if (access(target, F_OK) == 0) {
    status = error_set(error, ERR_IO, "%s", _("a backup never replaces a file that is there"));
    error_hint(error, "%s", _("give another name"));
  } else if ((file = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0) {
    status = error_set(error, errno == ENOSPC ? ERR_FULL : ERR_IO, _("cannot write the backup: %s"), strerror(errno));
  }
  if (status == OK) {
    status = dump(self, part, error);
  }
  if (status == OK && (fsync(file) != 0 || rename(part, target) != 0)) {
    status = error_set(error, ERR_IO, _("cannot write the backup: %s"), strerror(errno));
  }
  if (file >= 0) {
    close(file);
    if (status != OK) {
      unlink(part);
    }
  }
  if (status != OK) {
    error_place(error, "%s", target);
  }
  free(part);
  return status;
}

enum status postgres_backup_label(struct driver *driver, int version, struct buffer *name, struct error *error) {
  const struct postgres *self = (const struct postgres *)driver;
  char now[TIMESTAMP_TEXT_SIZE];
  clock_format(clock_now(), now);
  for (int number = 0; number < 100; number++) {
    buffer_reset(name);
    buffer_printf(name, "%s.v%d-%.10s", self->schema, version, now);
    if (number > 0) {
      buffer_printf(name, "-%d", number);
    }
    buffer_text(name, ".dump");
    enum status status = buffer_check(name, "backup", error);
    if (status != OK || access(name->data, F_OK) != 0) {
      return status;
    }
  }
  return error_set(error, ERR_LIMIT, "%s", _("a hundred backups of today lie in this folder"));
}
