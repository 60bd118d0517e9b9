#include "core/sync/revoke.h"

#include "core/audit/audit.h"
#include "core/sync/land.h"

#include <stdlib.h>

enum { BODY_LIMIT = 1 << 20, ENTRY_RECORDS = 4096 };

void revoking_clear(struct revoking *revoking) {
  for (int i = 0; i < ERASE_CAUSES; i++) {
    revoking->takings[i].count = 0;
    revoking->takings[i].erased = (struct erased){0};
  }
}

void revoking_free(struct revoking *revoking) {
  for (int i = 0; i < ERASE_CAUSES; i++) {
    free(revoking->takings[i].records);
  }
  *revoking = (struct revoking){0};
}

/* ---- the entry ---- */

static void put_counts(struct buffer *body, const struct erased *erased) {
  buffer_printf(body,
                "\"erased\":{\"bytes\":%lld,\"identities\":%lld,\"issues\":%lld,\"pairs\":%lld,\"records\":%lld,"
                "\"rows\":%lld,\"versions\":%lld,\"wholes\":%lld},",
                (long long)erased->bytes, (long long)erased->identities, (long long)erased->issues,
                (long long)erased->pairs, (long long)erased->records, (long long)erased->rows,
                (long long)erased->versions, (long long)erased->wholes);
}

enum status erase_log(struct store *store, const char *source, const struct erasing *erasing, const int64_t *records,
                      size_t count, const struct erased *erased, const struct erased_states *states,
                      struct error *error) {
  struct buffer body;
  buffer_init(&body, BODY_LIMIT);
  buffer_char(&body, '{');
  if (states != NULL) {
    buffer_printf(&body, "\"after\":\"%s\",\"before\":\"%s\",", states->after, states->before);
  }
  buffer_printf(&body, "\"cause\":\"%s\",\"document\":", erase_cause_names[erasing->cause]);
  buffer_json(&body, slice_of(erasing->document == NULL ? "" : erasing->document));
  buffer_char(&body, ',');
  put_counts(&body, erased);
  buffer_text(&body, "\"records\":[");
  for (size_t i = 0; i < count; i++) {
    buffer_printf(&body, "%s%lld", i == 0 ? "" : ",", (long long)records[i]);
  }
  buffer_text(&body, "]}");
  enum status status = buffer_check(&body, _("an audit entry"), error);
  if (status == OK) {
    const struct audit_event event = {.event = "erase",
                                      .source = source,
                                      .actor = erasing->actor,
                                      .purpose = erasing->reason,
                                      .run = erasing->run,
                                      .body = body.data};
    status = audit_append(store, &event, error);
  }
  buffer_free(&body);
  return status;
}

/* ---- taking out ---- */

static struct erasing erasing_of(const struct lander *lander, enum erase_cause cause) {
  return (struct erasing){.run = lander->run,
                          .cause = cause,
                          .actor = lander->options->actor,
                          .reason = cause == ERASE_WITHDRAWN ? "the source tells that consent was withdrawn"
                                                             : "the source tells of no consent"};
}

/* `person` without data: the whole record. */
static enum status take_out(struct lander *lander, int64_t record_id, enum erase_cause cause, struct slice person,
                            struct error *error) {
  struct store *store = lander->bench->store;
  struct taking *taking = &lander->revoking.takings[cause];
  const struct erasing erasing = erasing_of(lander, cause);
  int64_t before = taking->erased.records;
  enum status status = person.data == NULL
                           ? store_erase(store, &erasing, &record_id, 1, &taking->erased, error)
                           : store_erase_person(store, &erasing, record_id, person, &taking->erased, error);
  if (status != OK || taking->erased.records == before) {
    return status;
  }
  lander->revoked++;
  if (taking->count == taking->capacity) {
    size_t capacity = taking->capacity == 0 ? 64 : taking->capacity * 2;
    int64_t *grown = realloc(taking->records, capacity * sizeof *grown);
    if (grown == NULL) {
      return error_memory(error);
    }
    taking->records = grown;
    taking->capacity = capacity;
  }
  taking->records[taking->count++] = record_id;
  return OK;
}

/* Numbers under which an item's former versions stand; 0: it has none. */
struct former {
  int64_t record_id, replaced;
};
static struct former former_of(const struct lander *lander, const struct parcel *parcel, size_t position) {
  const struct item *item = &parcel->items[position];
  return (struct former){.record_id = item->raw_id != 0 ? record_of(item->raw_id) : lander->found[position].record_id,
                         .replaced = item->replaces};
}

static enum status take_record(struct lander *lander, const struct parcel *parcel, size_t position,
                               struct error *error) {
  const struct former former = former_of(lander, parcel, position);
  const struct slice whole = {0};
  enum erase_cause cause = parcel->items[position].cause;
  enum status status = former.record_id == 0 ? OK : take_out(lander, former.record_id, cause, whole, error);
  return status == OK && former.replaced != 0 ? take_out(lander, former.replaced, cause, whole, error) : status;
}

/* Who was counted before stands there under what hides the key. */
static enum status take_person(struct lander *lander, const struct parcel *parcel, const struct revoked *revoked,
                               struct error *error) {
  const struct former former = former_of(lander, parcel, revoked->record);
  const int64_t records[] = {former.record_id, former.replaced};
  char hidden[HIDDEN_KEY_SIZE];
  enum status status = OK;
  erase_hide_key(lander->bench->key, revoked->person, hidden);
  for (size_t i = 0; i < sizeof records / sizeof *records && status == OK; i++) {
    if (records[i] != 0) {
      status = take_out(lander, records[i], revoked->cause, revoked->person, error);
    }
    if (records[i] != 0 && status == OK && !revoked->counted) {
      status = take_out(lander, records[i], revoked->cause, slice_of(hidden), error);
    }
  }
  return status;
}

enum status revoke(struct lander *lander, const struct parcel *parcel, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < parcel->count && status == OK; i++) {
    if (parcel->items[i].unconsented && lander->position[i] != UINT32_MAX) {
      status = take_record(lander, parcel, i, error);
    }
  }
  for (size_t i = 0; i < parcel->revoked_count && status == OK; i++) {
    if (lander->position[parcel->revoked[i].record] != UINT32_MAX) {
      status = take_person(lander, parcel, &parcel->revoked[i], error);
    }
  }
  return status;
}

/* Not before the end of the transaction: the log's head, which others wait for, is locked last. */
enum status revoke_log(struct lander *lander, struct error *error) {
  enum status status = OK;
  for (int cause = 0; cause < ERASE_CAUSES; cause++) {
    struct taking *taking = &lander->revoking.takings[cause];
    const struct erasing erasing = erasing_of(lander, (enum erase_cause)cause);
    for (size_t done = 0; done < taking->count && status == OK; done += ENTRY_RECORDS) {
      size_t count = taking->count - done < ENTRY_RECORDS ? taking->count - done : ENTRY_RECORDS;
      const struct erased none = {0};
      status = erase_log(lander->bench->store, lander->source->code, &erasing, taking->records + done, count,
                         done == 0 ? &taking->erased : &none, NULL, error);
    }
  }
  return status;
}
