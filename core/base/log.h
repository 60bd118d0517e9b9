/* What the program says to its operator: on standard error as text for a person or as JSON lines, or straight to the
 * system's journal with its fields. Each line is one write, so that lines of threads do not mix. No function here takes
 * a value of a record; places are sources, keys of runs, fields. */
#ifndef PUENTE_BASE_LOG_H
#define PUENTE_BASE_LOG_H

#include "core/base/error.h"

#include <stddef.h>
#include <stdint.h>

enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG };
enum log_form { LOG_TEXT, LOG_JSON, LOG_JOURNAL };

/* "text", "json", "journal"; false for another name. */
bool log_form_parse(const char *name, enum log_form *form);
/* Whether this machine has a journal to write to. */
bool log_journal_there(void);
/* Once, before threads begin. Lines of text that systemd takes from standard error ($JOURNAL_STREAM) begin with their
 * priority, <3> to <7>. */
void log_configure(enum log_level level, enum log_form form);
enum log_form log_form(void);

void log_message(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);
/* "error: message", then "  at: place" and "  hint: hint" where they are set. */
void log_error(enum log_level level, const struct error *error);

/* What programs that read logs look for: an event with a stable name, and numbers and codes as fields of their own.
 * Text shows the sentence alone, JSON adds "event" and the fields, the journal PUENTE_EVENT and PUENTE_NAME. */
struct log_field {
  const char *name; /* "source", "pulled": lower case, '_' */
  const char *text; /* NULL: the number */
  int64_t number;
};
#define LOG_WORD(word, value) ((struct log_field){.name = (word), .text = (value) == NULL ? "" : (value)})
#define LOG_COUNT(word, value) ((struct log_field){.name = (word), .number = (value)})
/* `error` NULL: none; else its status, message, place and hint are told besides. `sentence` is translated. */
void log_event(enum log_level level, const char *event, const struct log_field *fields, size_t count,
               const struct error *error, const char *sentence);

#endif
