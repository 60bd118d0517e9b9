#include "core/service/approved_log.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { FAULT_SIZE = 240, ENTRIES_FIRST = 64 };

/* ---- reading ---- */

static bool same(const char *one, const char *other) {
  return strcmp(one == NULL ? "" : one, other == NULL ? "" : other) == 0;
}

static const char *keep(struct arena *arena, const char *text) {
  return arena_text(arena, slice_of(text == NULL ? "" : text));
}

static bool grow(struct approval_log *log) {
  if (log->count < log->capacity) {
    return true;
  }
  size_t capacity = log->capacity == 0 ? ENTRIES_FIRST : 2 * log->capacity;
  struct approval_entry *more = arena_array(log->arena, capacity, sizeof *more);
  if (more == NULL) {
    return false;
  }
  if (log->count > 0) {
    memcpy(more, log->entries, log->count * sizeof *more);
  }
  log->entries = more;
  log->capacity = capacity;
  return true;
}

static enum status take_entry(void *context, const struct audit_row *row, struct error *error) {
  struct approval_log *log = context;
  json_t *body = json_loads(row->body, 0, NULL);
  static const char *const names[] = {"state", "kind", "name", "digest", "document"};
  const char *texts[5];
  bool whole = grow(log);
  for (size_t i = 0; i < 5; i++) {
    texts[i] = keep(log->arena, json_string_value(json_object_get(body, names[i])));
    whole = whole && texts[i] != NULL;
  }
  const struct approval_entry entry = {.sequence = row->sequence,
                                       .at = row->at,
                                       .id = json_integer_value(json_object_get(body, "id")),
                                       .state = texts[0],
                                       .kind = texts[1],
                                       .name = texts[2],
                                       .digest = texts[3],
                                       .document = texts[4],
                                       .actor = keep(log->arena, row->actor),
                                       .reason = keep(log->arena, row->purpose)};
  json_decref(body);
  if (!whole || entry.actor == NULL || entry.reason == NULL) {
    return error_memory(error);
  }
  log->entries[log->count++] = entry;
  return OK;
}

enum status approval_log_read(struct store *store, struct arena *arena, struct approval_log **log,
                              struct error *error) {
  struct approval_log *made = arena_alloc(arena, sizeof *made);
  *log = made;
  if (made == NULL) {
    return error_memory(error);
  }
  *made = (struct approval_log){.arena = arena};
  return store_visit_approval_entries(store, take_entry, made, error);
}

const struct approval_entry *approval_log_find(const struct approval_log *log, const char *state, const char *kind,
                                               const char *name, const char *digest) {
  for (size_t i = log->count; i > 0; i--) {
    const struct approval_entry *entry = &log->entries[i - 1];
    if (same(entry->state, state) && same(entry->kind, kind) && same(entry->name, name)
        && (digest == NULL || same(entry->digest, digest))) {
      return entry;
    }
  }
  return NULL;
}

/* ---- comparing ---- */

const struct approval_entry *approval_log_of(const struct approval_log *log, int64_t id, const char *state) {
  for (size_t i = log->count; i > 0; i--) {
    const struct approval_entry *entry = &log->entries[i - 1];
    if (entry->id == id && same(entry->state, state)) {
      return entry;
    }
  }
  return NULL;
}

/* Weights get their document when they are approved: their proposal has none. */
static bool same_document(const struct approval_entry *entry, const struct approval *row) {
  bool none = same(row->kind, text_kind_names[TEXT_WEIGHTS]) && same(entry->state, "proposed");
  return none || same(entry->document, row->document);
}

static bool same_text(const struct approval_entry *entry, const struct approval *row) {
  char hex[2 * SHA256_SIZE + 1];
  hex_format(row->digest.bytes, SHA256_SIZE, hex);
  return same(entry->kind, row->kind) && same(entry->name, row->name) && same(entry->digest, hex)
         && same_document(entry, row);
}

/* The proposal as the log has it. */
static bool check_proposal(const struct approval_log *log, const struct approval *row, char fault[FAULT_SIZE]) {
  const struct approval_entry *proposed = approval_log_of(log, row->id, "proposed");
  if (proposed == NULL) {
    snprintf(fault, FAULT_SIZE, _("proposal %lld in the store is not in the log"), (long long)row->id);
    return false;
  }
  if (!same_text(proposed, row) || !same(proposed->actor, row->proposed_by) || !same(proposed->reason, row->reason)) {
    snprintf(fault, FAULT_SIZE, _("proposal %lld in the store is not what entry %lld of the log says of it"),
             (long long)row->id, (long long)proposed->sequence);
    return false;
  }
  return true;
}

/* What was decided, too; and that nothing of that name was approved later. */
static bool check_decision(const struct approval_log *log, const struct approval *row, char fault[FAULT_SIZE]) {
  bool counts = row->state == APPROVAL_APPROVED || row->state == APPROVAL_FORMER;
  const struct approval_entry *approved = approval_log_of(log, row->id, "approved");
  const struct approval_entry *decided = counts ? approved : approval_log_of(log, row->id, "rejected");
  const struct approval_entry *last = approval_log_find(log, "approved", row->kind, row->name, NULL);
  if (!counts && row->state != APPROVAL_REJECTED) {
    decided = approved != NULL ? approved : decided;
    snprintf(fault, FAULT_SIZE, _("proposal %lld in the store waits, but entry %lld of the log decided it"),
             (long long)row->id, decided == NULL ? 0LL : (long long)decided->sequence);
    return decided == NULL;
  }
  if (decided == NULL) {
    snprintf(fault, FAULT_SIZE,
             counts ? _("approval %lld in the store is not in the log")
                    : _("the rejection of proposal %lld in the store is not in the log"),
             (long long)row->id);
    return false;
  }
  if (!same_text(decided, row) || !same(decided->actor, row->approved_by) || !same(decided->reason, row->remark)) {
    snprintf(fault, FAULT_SIZE, _("approval %lld in the store is not what entry %lld of the log says of it"),
             (long long)row->id, (long long)decided->sequence);
    return false;
  }
  if (counts && (row->state == APPROVAL_APPROVED) != (last == decided)) {
    snprintf(fault, FAULT_SIZE,
             _("approval %lld in the store was put back or aside: entry %lld of the log is the last"),
             (long long)row->id, (long long)last->sequence);
    return false;
  }
  return true;
}

struct comparing {
  const struct approval_log *log;
  approval_visitor *visit;
  void *context;
};

static enum status compare(void *context, const struct approval *approval, struct error *error) {
  const struct comparing *comparing = context;
  struct approval row = *approval;
  char fault[FAULT_SIZE];
  bool whole = !row.changed;
  if (!whole) {
    snprintf(fault, sizeof fault,
             row.state == APPROVAL_APPROVED
                 ? _("approval %lld in the store was changed: its text is not the one that was approved")
                 : _("proposal %lld in the store was changed: its text is not the one that was proposed"),
             (long long)row.id);
  }
  whole = whole && check_proposal(comparing->log, &row, fault) && check_decision(comparing->log, &row, fault);
  row.changed = !whole;
  row.fault = whole ? NULL : fault;
  return comparing->visit(comparing->context, &row, error);
}

enum status approvals_visit(struct store *store, int64_t id, approval_visitor *visit, void *context,
                            struct error *error) {
  struct arena *arena = arena_new(0);
  struct approval_log *log = NULL;
  enum status status = arena == NULL ? error_memory(error) : approval_log_read(store, arena, &log, error);
  if (status == OK) {
    struct comparing comparing = {.log = log, .visit = visit, .context = context};
    status = store_visit_approvals(store, id, compare, &comparing, error);
  }
  arena_free(arena);
  return status;
}

/* ---- what is gone ---- */

static enum status strike(void *context, const struct approval *approval, struct error *error) {
  const struct approval_log *log = context;
  (void)error;
  for (size_t i = 0; i < log->count; i++) {
    if (log->entries[i].id == approval->id) {
      log->entries[i].id = 0;
    }
  }
  return OK;
}

enum status approvals_lost(struct store *store, int64_t *id, int64_t *entry, struct error *error) {
  struct arena *arena = arena_new(0);
  struct approval_log *log = NULL;
  *id = *entry = 0;
  enum status status = arena == NULL ? error_memory(error) : approval_log_read(store, arena, &log, error);
  status = status == OK ? store_visit_approvals(store, 0, strike, log, error) : status;
  for (size_t i = 0; status == OK && i < log->count && *id == 0; i++) {
    *id = log->entries[i].id;
    *entry = log->entries[i].sequence;
  }
  arena_free(arena);
  return status;
}
