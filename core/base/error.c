#include "core/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct status_entry {
  const char *name;
  int exit_code;
  bool transient;
} statuses[STATUS_COUNT] = {
    [OK] = {.name = "ok", .exit_code = 0},
    [END] = {.name = "end", .exit_code = 0},
    [ERR_USAGE] = {.name = "usage", .exit_code = 2},
    [ERR_CONFIG] = {.name = "config", .exit_code = 2},
    [ERR_INPUT] = {.name = "input", .exit_code = 1},
    [ERR_LIMIT] = {.name = "limit", .exit_code = 1},
    [ERR_NETWORK] = {.name = "network", .exit_code = 1, .transient = true},
    [ERR_AUTH] = {.name = "auth", .exit_code = 1},
    [ERR_REMOTE] = {.name = "remote", .exit_code = 1},
    [ERR_IO] = {.name = "io", .exit_code = 1},
    [ERR_FULL] = {.name = "full", .exit_code = 1},
    [ERR_STORE] = {.name = "store", .exit_code = 1},
    [ERR_BUSY] = {.name = "busy", .exit_code = 1, .transient = true},
    [ERR_VERSION] = {.name = "version", .exit_code = 1},
    [ERR_BALANCE] = {.name = "balance", .exit_code = 3},
    [ERR_NOT_FOUND] = {.name = "not_found", .exit_code = 1},
    [ERR_MEMORY] = {.name = "memory", .exit_code = 1},
    [ERR_INTERRUPTED] = {.name = "interrupted", .exit_code = 1},
    [ERR_INTERNAL] = {.name = "internal", .exit_code = 1},
};

enum status error_set(struct error *error, enum status code, const char *format, ...) {
  va_list arguments;
  error->code = code;
  error->place[0] = '\0';
  error->hint[0] = '\0';
  va_start(arguments, format);
  vsnprintf(error->message, sizeof error->message, format, arguments);
  va_end(arguments);
  return code;
}

void error_place(struct error *error, const char *format, ...) {
  char outer[sizeof error->place];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(outer, sizeof outer, format, arguments);
  va_end(arguments);
  size_t length = strlen(outer);
  size_t inner = strlen(error->place);
  if (inner > 0 && length + 2 < sizeof error->place) {
    size_t room = sizeof error->place - length - 3;
    size_t kept = inner < room ? inner : room;
    memcpy(outer + length, ", ", 2);
    memcpy(outer + length + 2, error->place, kept);
    outer[length + 2 + kept] = '\0';
  }
  memcpy(error->place, outer, sizeof error->place);
  error->place[sizeof error->place - 1] = '\0';
}

void error_hint(struct error *error, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->hint, sizeof error->hint, format, arguments);
  va_end(arguments);
}

enum status error_memory(struct error *error) {
  error_set(error, ERR_MEMORY, "%s", _("out of memory"));
  return ERR_MEMORY;
}

const char *status_name(enum status status) {
  return (unsigned)status < STATUS_COUNT ? statuses[status].name : "unknown";
}

int status_exit_code(enum status status) {
  return (unsigned)status < STATUS_COUNT ? statuses[status].exit_code : 1;
}

bool status_is_transient(enum status status) {
  return (unsigned)status < STATUS_COUNT && statuses[status].transient;
}
