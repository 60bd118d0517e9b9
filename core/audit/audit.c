#include "core/audit/audit.h"

#include "core/base/buffer.h"
#include "core/base/date.h"
#include "core/base/text.h"

#include <stdio.h>

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
static enum status hash_entry(const struct audit_row *row, struct buffer *form, struct sha256 *hash,
                              struct error *error) {
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
  enum status status = store_audit_head(store, &row.sequence, &row.previous, error);
  row.sequence++;
  if (status == OK) {
    status = hash_entry(&row, &form, &row.hash, error);
  }
  buffer_free(&form);
  return status == OK ? store_audit_append(store, &row, error) : status;
}

/* ---- verifying ---- */

struct verifier {
  struct audit_check *check;
  struct buffer form;
  int64_t expected;
};

static void found_wrong(struct audit_check *check, int64_t sequence, const char *what) {
  if (check->first_wrong == 0) {
    check->first_wrong = sequence;
    snprintf(check->what, sizeof check->what, "%s", what);
  }
}

static enum status verify_entry(void *context, const struct audit_row *row, struct error *error) {
  struct verifier *self = context;
  struct audit_check *check = self->check;
  struct sha256 hash;
  enum status status = hash_entry(row, &self->form, &hash, error);
  if (status != OK) {
    return status;
  }
  if (row->sequence != self->expected) {
    found_wrong(check, self->expected, _("the entry is missing"));
  } else if (memcmp(&row->previous, &check->head, sizeof check->head) != 0) {
    found_wrong(check, row->sequence, _("the entry does not follow the one before it"));
  } else if (memcmp(&row->hash, &hash, sizeof hash) != 0) {
    found_wrong(check, row->sequence, _("the entry was changed after it was written"));
  }
  check->entries++;
  check->head = row->hash;
  self->expected = row->sequence + 1;
  return OK;
}

enum status audit_verify(struct store *store, struct audit_check *check, struct error *error) {
  *check = (struct audit_check){0};
  struct verifier self = {.check = check, .expected = 1};
  struct sha256 head;
  int64_t sequence = 0;
  buffer_init(&self.form, ENTRY_LIMIT);
  /* The head is read first: entries that are appended meanwhile come after it. */
  enum status status = store_audit_peek(store, &sequence, &head, error);
  if (status == OK) {
    status = store_visit_audit(store, 1, verify_entry, &self, error);
  }
  buffer_free(&self.form);
  if (status == OK && self.expected <= sequence) {
    found_wrong(check, self.expected, _("the entry is missing: the log ends before its head"));
  }
  if (status == OK && self.expected == sequence + 1 && memcmp(&head, &check->head, sizeof head) != 0) {
    found_wrong(check, sequence, _("the last entry is not the head of the log"));
  }
  return status;
}
