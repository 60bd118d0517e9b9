#include "core/base/log.h"

#include "core/base/buffer.h"
#include "core/base/date.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_LIMIT 8192

static enum log_level most = LEVEL_INFO;
static bool as_json;

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void log_configure(enum log_level level, bool json) {
  most = level;
  as_json = json;
}

static const char *level_label(enum log_level level) {
  static const char *const labels[] = {N_("error"), N_("warning"), N_("info"), N_("debug")};
  return gettext(labels[level]);
}

static void member(struct buffer *line, const char *name, const char *value) {
  if (value[0] != '\0') {
    buffer_printf(line, ",\"%s\":", name);
    buffer_json(line, slice_of(value));
  }
}

static void write_json(enum log_level level, const struct error *error) {
  struct buffer line;
  char now[TIMESTAMP_TEXT_SIZE];
  clock_format(clock_now(), now);
  buffer_init(&line, LINE_LIMIT);
  buffer_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\"", now, level_names[level]);
  if (error->code != OK) {
    member(&line, "status", status_name(error->code));
  }
  member(&line, "message", error->message);
  member(&line, "place", error->place);
  member(&line, "hint", error->hint);
  buffer_text(&line, "}\n");
  if (line.failed == OK) {
    fputs(line.data, stderr);
  }
  buffer_free(&line);
}

void log_message(enum log_level level, const char *format, ...) {
  if (level > most) {
    return;
  }
  struct error line = {.code = OK};
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line.message, sizeof line.message, format, arguments);
  va_end(arguments);
  if (as_json) {
    write_json(level, &line);
  } else if (level == LEVEL_INFO) {
    fprintf(stderr, "%s\n", line.message);
  } else {
    fprintf(stderr, "%s: %s\n", level_label(level), line.message);
  }
}

void log_error(enum log_level level, const struct error *error) {
  if (level > most) {
    return;
  }
  if (as_json) {
    write_json(level, error);
    return;
  }
  fprintf(stderr, "%s: %s\n", level_label(level), error->message);
  if (error->place[0] != '\0') {
    fprintf(stderr, _("  at: %s\n"), error->place);
  }
  if (error->hint[0] != '\0') {
    fprintf(stderr, _("  hint: %s\n"), error->hint);
  }
}
