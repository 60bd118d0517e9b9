#include "core/sync/range.h"

#include "core/base/date.h"
#include "core/base/text.h"
#include "core/sync/mark.h"

#include <stdio.h>

enum { DATE_LENGTH = DATE_TEXT_SIZE - 1, TIME_LENGTH = 19, ZONED_MOST = 64 };
#define DAY_MICROSECONDS (INT64_C(86400) * 1000000)

enum mark_kind { MARK_TIME, MARK_NUMBER, MARK_OTHER };

/* A date, RFC 3339, or a time without a zone, "2024-01-31 08:30:00.5", which counts as UTC. */
static bool read_moment(struct slice text, int64_t *micros) {
  if (clock_parse(text, micros)) {
    return true;
  }
  char zoned[ZONED_MOST];
  if (text.len < TIME_LENGTH || text.len + 2 > sizeof zoned) {
    return false;
  }
  memcpy(zoned, text.data, text.len);
  zoned[DATE_LENGTH] = zoned[DATE_LENGTH] == ' ' ? 'T' : zoned[DATE_LENGTH];
  zoned[text.len] = 'Z';
  return clock_parse(slice_make(zoned, text.len + 1), micros);
}

static enum mark_kind kind_of(const char *text, int64_t *value) {
  struct slice mark = slice_of(text);
  if (read_moment(mark, value)) {
    return MARK_TIME;
  }
  return text_to_int64(mark, value) && *value >= 0 ? MARK_NUMBER : MARK_OTHER;
}

static enum status refuse(const char *option, const char *text, enum mark_kind known, struct error *error) {
  if (known == MARK_NUMBER) {
    error_set(error, ERR_USAGE, _("--%s %s: the marks of this source are numbers"), option, text);
    error_hint(error, _("write a number, as the source counts"));
    return ERR_USAGE;
  }
  error_set(error, ERR_USAGE, _("--%s %s: that is neither a date nor a time"), option, text);
  error_hint(error,
             _("write 2024-01-31 or 2024-01-31T08:30:00Z; a number only where the marks of the source are numbers"));
  return ERR_USAGE;
}

/* `known`: what marks of the source are; MARK_OTHER where it has none yet. */
static enum status check_end(const char *option, const char *text, bool any, enum mark_kind known, int64_t *value,
                             enum mark_kind *kind, struct error *error) {
  *kind = kind_of(text, value);
  bool strange = *kind == MARK_OTHER || (known != MARK_OTHER && *kind != known);
  return strange && !any ? refuse(option, text, known, error) : OK;
}

static enum status check_order(const struct sync_options *options, enum mark_kind since, int64_t from,
                               enum mark_kind until, int64_t to, struct error *error) {
  if (options->since == NULL || options->until == NULL || since != until || since == MARK_OTHER) {
    return OK;
  }
  bool whole_day = until == MARK_TIME && strlen(options->until) == DATE_LENGTH;
  if (from <= to + (whole_day ? DAY_MICROSECONDS - 1 : 0)) {
    return OK;
  }
  return error_set(error, ERR_USAGE, _("--since %s lies after --until %s"), options->since, options->until);
}

static enum status check_narrows(const struct source_config *source, const struct sync_options *options,
                                 struct sync_result *result, struct error *error) {
  const struct connector *connector = source->connector;
  bool since = connector->narrows != NULL && connector->narrows(source->options, false);
  bool until = connector->narrows != NULL && connector->narrows(source->options, true);
  if (options->until != NULL && !until) {
    error_set(error, ERR_USAGE, _("the source cannot be asked for what changed up to a date"));
    if (connector->narrows == NULL) {
      error_hint(error, _("connector %s always gives everything: leave --until out; what is here does not land again"),
                 connector->name);
    } else {
      error_hint(error, _("`puente connectors %s` tells which options narrow a pass"), connector->name);
    }
    return ERR_USAGE;
  }
  if (options->since != NULL && !since) {
    snprintf(result->warning, sizeof result->warning, "%s",
             _("it cannot be asked for what changed since a date: everything was pulled"));
  }
  return OK;
}

enum status range_check(struct store *store, const struct source_config *source, int source_id,
                        const struct sync_options *options, struct sync_result *result, struct error *error) {
  if (options->since == NULL && options->until == NULL) {
    return OK;
  }
  struct pass pass;
  enum status status = store_pass(store, source_id, &pass, error);
  if (status != OK) {
    return status;
  }
  int64_t from = 0, to = 0, mark = 0;
  enum mark_kind since = MARK_OTHER, until = MARK_OTHER;
  enum mark_kind known = pass.watermark == NULL ? MARK_OTHER : kind_of(pass.watermark, &mark);
  bool any = pass.watermark != NULL && known == MARK_OTHER;
  pass_free(&pass);
  if (options->since != NULL) {
    status = check_end("since", options->since, any, known, &from, &since, error);
  }
  if (status == OK && options->until != NULL) {
    status = check_end("until", options->until, any, known, &to, &until, error);
  }
  if (status == OK) {
    status = check_order(options, since, from, until, to, error);
  }
  return status == OK ? check_narrows(source, options, result, error) : status;
}
