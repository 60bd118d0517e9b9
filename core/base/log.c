#define SD_JOURNAL_SUPPRESS_LOCATION /* the place of a log line in the source tells an operator nothing */
#include "core/base/log.h"

#include "core/base/buffer.h"
#include "core/base/date.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

enum { LINE_LIMIT = 32768, JOURNAL_FIELDS = 48 };

static const char journal_socket[] = "/run/systemd/journal/socket";
static enum log_level most = LEVEL_INFO;
static enum log_form shape;
static bool prefixed; /* systemd reads standard error */

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static const char *const form_names[] = {"text", "json", "journal"};
static const int priorities[] = {3, 4, 6, 7}; /* of syslog(3) */

/* One thing to be said. */
struct entry {
  enum log_level level;
  const char *event; /* NULL: a message alone */
  const struct log_field *fields;
  size_t count;
  const char *message;
  const char *status, *detail, *place, *hint; /* of an error; "": none */
  bool labelled;                              /* text begins with the level */
};

bool log_form_parse(const char *name, enum log_form *form) {
  for (size_t i = 0; i < sizeof form_names / sizeof *form_names; i++) {
    if (strcmp(name, form_names[i]) == 0) {
      *form = (enum log_form)i;
      return true;
    }
  }
  return false;
}

bool log_journal_there(void) {
  return access(journal_socket, W_OK) == 0;
}

/* $JOURNAL_STREAM is "device:inode" of the stream that systemd gave; standard error may be another one by now. */
static bool systemd_reads(void) {
  const char *stream = getenv("JOURNAL_STREAM");
  struct stat about;
  char mine[64];
  if (stream == NULL || fstat(STDERR_FILENO, &about) != 0) {
    return false;
  }
  snprintf(mine, sizeof mine, "%llu:%llu", (unsigned long long)about.st_dev, (unsigned long long)about.st_ino);
  return strcmp(stream, mine) == 0;
}

void log_configure(enum log_level level, enum log_form form) {
  most = level;
  shape = form;
  prefixed = form == LOG_TEXT && systemd_reads();
}

enum log_form log_form(void) {
  return shape;
}

static const char *level_label(enum log_level level) {
  static const char *const labels[] = {N_("error"), N_("warning"), N_("info"), N_("debug")};
  return gettext(labels[level]);
}

static void write_whole(const char *text, size_t length) {
  while (length > 0) {
    ssize_t written = write(STDERR_FILENO, text, length);
    if (written < 0 && errno != EINTR) {
      return; /* there is nobody to tell */
    }
    text += written > 0 ? written : 0;
    length -= written > 0 ? (size_t)written : 0;
  }
}

/* ---- JSON ---- */

static void member(struct buffer *line, const char *name, const char *value) {
  if (value[0] != '\0') {
    buffer_printf(line, ",\"%s\":", name);
    buffer_json(line, slice_of(value));
  }
}

static void put_json(struct buffer *line, const struct entry *entry) {
  char now[TIMESTAMP_TEXT_SIZE];
  clock_format(clock_now(), now);
  buffer_printf(line, "{\"time\":\"%s\",\"level\":\"%s\"", now, level_names[entry->level]);
  if (entry->event != NULL) {
    member(line, "event", entry->event);
  }
  for (size_t i = 0; i < entry->count; i++) {
    const struct log_field *field = &entry->fields[i];
    if (field->text != NULL) {
      member(line, field->name, field->text);
    } else {
      buffer_printf(line, ",\"%s\":%lld", field->name, (long long)field->number);
    }
  }
  member(line, "status", entry->status);
  member(line, "message", entry->message);
  member(line, "error", entry->detail);
  member(line, "place", entry->place);
  member(line, "hint", entry->hint);
  buffer_text(line, "}\n");
}

/* ---- text ---- */

static void put_prefix(struct buffer *line, enum log_level level) {
  if (prefixed) {
    buffer_printf(line, "<%d>", priorities[level]);
  }
}

static void put_text(struct buffer *line, const struct entry *entry) {
  put_prefix(line, entry->level);
  if (entry->labelled) {
    buffer_printf(line, "%s: ", level_label(entry->level));
  }
  buffer_printf(line, "%s%s%s\n", entry->message, entry->detail[0] != '\0' ? ": " : "", entry->detail);
  if (entry->place[0] != '\0') {
    put_prefix(line, entry->level);
    buffer_printf(line, _("  at: %s\n"), entry->place);
  }
  if (entry->hint[0] != '\0') {
    put_prefix(line, entry->level);
    buffer_printf(line, _("  hint: %s\n"), entry->hint);
  }
}

/* ---- the journal ---- */

/* Fields end to end, each remembered by its offset, since the buffer moves while it grows. */
struct journal_entry {
  struct buffer bytes;
  size_t begins[JOURNAL_FIELDS + 1];
  int count;
};

static void put_field(struct journal_entry *made, const char *prefix, const char *name, const char *value) {
  if (value[0] == '\0' || made->count == JOURNAL_FIELDS) {
    return;
  }
  buffer_text(&made->bytes, prefix);
  for (; *name != '\0'; name++) {
    buffer_char(&made->bytes, (char)toupper((unsigned char)*name));
  }
  buffer_printf(&made->bytes, "=%s", value);
  made->begins[++made->count] = made->bytes.len;
}

static void put_number(struct journal_entry *made, const char *prefix, const char *name, int64_t value) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)value);
  put_field(made, prefix, name, text);
}

static void put_journal(struct journal_entry *made, const struct entry *entry) {
  put_field(made, "", "message", entry->message);
  put_number(made, "", "priority", priorities[entry->level]);
  put_field(made, "", "syslog_identifier", "puente");
  put_field(made, "PUENTE_", "event", entry->event != NULL ? entry->event : "");
  for (size_t i = 0; i < entry->count; i++) {
    const struct log_field *field = &entry->fields[i];
    if (field->text != NULL) {
      put_field(made, "PUENTE_", field->name, field->text);
    } else {
      put_number(made, "PUENTE_", field->name, field->number);
    }
  }
  put_field(made, "PUENTE_", "status", entry->status);
  put_field(made, "PUENTE_", "error", entry->detail);
  put_field(made, "PUENTE_", "place", entry->place);
  put_field(made, "PUENTE_", "hint", entry->hint);
}

/* false: it was not taken. */
static bool send_journal(const struct entry *entry) {
  struct journal_entry made = {.count = 0};
  struct iovec fields[JOURNAL_FIELDS];
  buffer_init(&made.bytes, LINE_LIMIT);
  put_journal(&made, entry);
  bool sent = made.bytes.failed == OK;
  for (int i = 0; sent && i < made.count; i++) {
    fields[i].iov_base = made.bytes.data + made.begins[i];
    fields[i].iov_len = made.begins[i + 1] - made.begins[i];
  }
  sent = sent && sd_journal_sendv(fields, made.count) == 0;
  buffer_free(&made.bytes);
  return sent;
}

/* ---- all forms ---- */

static void say(const struct entry *entry) {
  struct buffer line;
  if (shape == LOG_JOURNAL && send_journal(entry)) {
    return;
  }
  buffer_init(&line, LINE_LIMIT);
  if (shape == LOG_JSON) {
    put_json(&line, entry);
  } else {
    put_text(&line, entry);
  }
  if (line.failed == OK) {
    write_whole(line.data, line.len);
  } else {
    static const char lost[] = "error: a line of the log could not be written\n";
    write_whole(lost, sizeof lost - 1);
  }
  buffer_free(&line);
}

void log_message(enum log_level level, const char *format, ...) {
  char sentence[1024];
  va_list arguments;
  if (level > most) {
    return;
  }
  va_start(arguments, format);
  vsnprintf(sentence, sizeof sentence, format, arguments);
  va_end(arguments);
  log_event(level, NULL, NULL, 0, NULL, sentence);
}

void log_error(enum log_level level, const struct error *error) {
  if (level <= most) {
    say(&(struct entry){.level = level,
                        .message = error->message,
                        .status = error->code != OK ? status_name(error->code) : "",
                        .detail = "",
                        .place = error->place,
                        .hint = error->hint,
                        .labelled = true});
  }
}

void log_event(enum log_level level, const char *event, const struct log_field *fields, size_t count,
               const struct error *error, const char *sentence) {
  static const struct error none = {.code = OK};
  if (level > most) {
    return;
  }
  error = error != NULL ? error : &none;
  say(&(struct entry){.level = level,
                      .event = event,
                      .fields = fields,
                      .count = count,
                      .message = sentence,
                      .status = error->code != OK ? status_name(error->code) : "",
                      .detail = error->message,
                      .place = error->place,
                      .hint = error->hint,
                      .labelled = level != LEVEL_INFO});
}
