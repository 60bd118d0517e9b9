#include "core/audit/audit.h"

#include "core/base/buffer.h"
#include "core/base/date.h"
#include "core/base/text.h"

enum { ENTRY_LIMIT = 16 << 20 };
static const char DOMAIN[] = "puente/audit/1\n";

static void put_integer(struct buffer *out, int64_t integer, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    buffer_char(out, (char)((uint64_t)integer >> shift & 255));
  }
}

static void put_text(struct buffer *out, const char *text) {
  struct slice slice = slice_of(text);
  put_integer(out, text == NULL ? UINT32_MAX : (int64_t)slice.len, 4);
  buffer_slice(out, slice);
}

/* The canonical form, as docs/audit-log.md specifies it. */
enum status audit_hash(const struct audit_row *row, struct buffer *form, struct sha256 *hash, struct error *error) {
  buffer_reset(form);
  buffer_append(form, DOMAIN, sizeof DOMAIN - 1);
  put_integer(form, row->sequence, 8);
  put_integer(form, row->at, 8);
  put_integer(form, row->run, 8);
  put_text(form, row->event);
  put_text(form, row->source);
  put_text(form, row->actor);
  put_text(form, row->purpose);
  put_text(form, row->body);
  buffer_append(form, row->outcomes.bytes, SHA256_SIZE);
  buffer_append(form, row->previous.bytes, SHA256_SIZE);
  enum status status = buffer_check(form, "audit entry", error);
  if (status == OK) {
    *hash = sha256_of(buffer_view(form));
  }
  return status;
}

static bool is_storable(const char *text) {
  return text == NULL || utf8_valid(slice_of(text));
}

static enum status write_shown(struct store *store, const struct shown *shown, struct error *error) {
  const struct shown_row row = {.digest = shown->digest, .persons = shown->persons, .ids = buffer_view(&shown->ids)};
  return store_write_shown(store, &row, error);
}

enum status audit_append(struct store *store, const struct audit_event *event, struct error *error) {
  struct audit_row row = {.at = clock_now(),
                          .run = event->run,
                          .event = event->event,
                          .source = event->source,
                          .actor = event->actor,
                          .purpose = event->purpose,
                          .body = event->body == NULL ? "{}" : event->body,
                          .outcomes = event->outcomes};
  if (!is_storable(row.actor) || !is_storable(row.purpose) || !is_storable(row.body)) {
    error_set(error, ERR_USAGE, "%s", _("actor and purpose of an audit entry must be UTF-8 text"));
    error_hint(error, "%s", _("set PUENTE_ACTOR to a name in UTF-8"));
    return ERR_USAGE;
  }
  struct buffer form;
  buffer_init(&form, ENTRY_LIMIT);
  enum status status = event->shown == NULL ? OK : write_shown(store, event->shown, error);
  status = status == OK ? store_audit_head(store, &row.sequence, &row.previous, error) : status;
  row.sequence++;
  if (status == OK) {
    status = audit_hash(&row, &form, &row.hash, error);
  }
  buffer_free(&form);
  return status == OK ? store_audit_append(store, &row, error) : status;
}
