#include "core/sync/land.h"

#include "core/audit/audit.h"
#include "core/sync/counts.h"
#include "core/sync/mark.h"

#include <stdlib.h>

/* Many records in a transaction: the index over keys takes its entries in no order, so that a small one would write
 * most of its pages again. */
enum { BODY_LIMIT = 1 << 30, AUDIT_BODY_LIMIT = 4096, IDLE_MOST = 32, TRANSACTION_RECORDS = 1 << 16 };

enum status lander_init(struct lander *lander, struct error *error) {
  buffer_init(&lander->body, BODY_LIMIT);
  lander->keys = calloc(PARCEL_RECORDS, sizeof *lander->keys);
  lander->found = calloc(PARCEL_RECORDS, sizeof *lander->found);
  lander->landed = calloc(PARCEL_RECORDS, sizeof *lander->landed);
  lander->position = calloc(PARCEL_RECORDS, sizeof *lander->position);
  lander->record_ids = calloc((size_t)PARCEL_RECORDS * 2, sizeof *lander->record_ids);
  lander->counts.source_count = -1;
  lander->pending.source_count = -1;
  bool complete = lander->keys != NULL && lander->found != NULL && lander->landed != NULL && lander->position != NULL
                  && lander->record_ids != NULL;
  return complete ? gone_init(&lander->gone, error) : error_memory(error);
}

void lander_free(struct lander *lander) {
  buffer_free(&lander->body);
  free(lander->keys);
  free(lander->found);
  free(lander->landed);
  free(lander->position);
  free(lander->record_ids);
  pass_free(&lander->pass);
  revoking_free(&lander->revoking);
  gone_free(&lander->gone);
}

enum status pass_set(char **member, const char *text, struct error *error) {
  char *copy = text == NULL ? NULL : strdup(text);
  if (text != NULL && copy == NULL) {
    return error_memory(error);
  }
  free(*member);
  *member = copy;
  return OK;
}

/* What a parcel becomes, counted aside until it is committed. */
struct landing_step {
  struct counts counts;
  size_t kept;
  size_t tombstones;
  bool all_new;
};

/* A remap cannot reach what is kept without its bytes: another mapping takes it when it comes again. */
static bool lander_overtaken(const struct lander *lander, const struct record_state_found *found,
                             const struct item *item) {
  bool withheld = found->state == RECORD_WITHHELD && item->state == RECORD_WITHHELD;
  bool other = lander->plan_id != 0 && found->plan_id != lander->plan_id;
  return found->raw_id != 0 && found->bare && other && !withheld && item->len > 0 && found->from_run != lander->run;
}

static void lander_classify(struct lander *lander, const struct parcel *parcel, struct landing_step *step) {
  for (size_t i = 0; i < parcel->count; i++) {
    const struct item *item = &parcel->items[i];
    const struct record_state_found *found = &lander->found[i];
    bool current = found->raw_id != 0;
    bool same =
        item->tombstone ? !current : current && memcmp(found->digest.bytes, item->digest.bytes, KEYED_SIZE) == 0;
    same = same && !lander_overtaken(lander, found, item);
    lander->position[i] = UINT32_MAX;
    if (gone_has(&lander->gone, &item->key_digest, &item->digest)) {
      step->counts.rejected++;
      continue;
    }
    if (same) {
      bool again = current && found->from_run == lander->run;
      *(again ? &step->counts.repeated : &step->counts.unchanged) += 1;
      continue;
    }
    lander->position[i] = (uint32_t)step->kept++;
    step->tombstones += item->tombstone;
    step->all_new = step->all_new && found->record_id == 0;
    *(found->record_id == 0 ? &step->counts.fresh : &step->counts.changed) += 1;
    counts_state(&step->counts, item->state);
  }
  step->counts.deleted += (int64_t)step->tombstones;
}

static enum status lander_compare(struct lander *lander, struct parcel *parcel, struct landing_step *step,
                                  struct error *error) {
  *step = (struct landing_step){.counts = parcel->counts, .all_new = true};
  step->counts.source_count = parcel->source_count;
  if (parcel->count > 0) {
    for (size_t i = 0; i < parcel->count; i++) {
      lander->keys[i] = parcel->items[i].key_digest;
    }
    enum status status =
        store_find_records(lander->bench->store, lander->source_id, lander->keys, parcel->count, lander->found, error);
    if (status != OK) {
      return status;
    }
    lander_classify(lander, parcel, step);
  }
  return OK;
}

/* Persons who were taken out of a record that stays do not come back with it, and neither do its bytes, which hold
 * them. */
static enum status lander_spare(struct lander *lander, struct parcel *parcel, struct error *error) {
  const struct entity *person = model_entity(lander->bench->model, "person");
  if (!gone_has_persons(&lander->gone) || person == NULL) {
    return OK;
  }
  const struct rows *rows = &parcel->mapped.rows[person->index];
  for (size_t i = 0; i < rows->count;) {
    struct row_head head = rows->heads[i];
    if (!gone_has_person(&lander->gone, lander->bench->key, head.key)) {
      i++;
      continue;
    }
    struct slice key = arena_copy(parcel->mapped.arena, head.key);
    if (key.data == NULL) {
      return error_memory(error);
    }
    parcel->items[head.record].bare = true;
    parcel_drop_person(parcel, head.record, key);
  }
  return OK;
}

/* Rows and issues of what is not kept go. */
static void lander_settle(struct lander *lander, struct parcel *parcel, struct landing_step *step) {
  if (step->kept < parcel->count) {
    parcel_compact(parcel, lander->position);
  }
  for (size_t i = 0; i < parcel->mapped.issue_count; i++) {
    step->counts.warnings += parcel->mapped.issues[i].level == ISSUE_WARNING;
  }
}

/* What is written is compared again where something was taken out since: from here to the commit nothing more is. */
static enum status lander_guard(struct lander *lander, struct parcel *parcel, struct landing_step *step,
                                struct error *error) {
  bool changed = false;
  enum status status = lander_begin(lander, error);
  if (status == OK) {
    status = gone_refresh(&lander->gone, lander->bench->store, lander->source_id, true, &changed, error);
  }
  return status == OK && changed ? lander_compare(lander, parcel, step, error) : status;
}

/* The kept items as the store wants them, their bytes end to end. */
static enum status lander_pack(struct lander *lander, const struct parcel *parcel, const struct landing_step *step,
                               struct slice *body, struct error *error) {
  bool whole = step->kept == parcel->count;
  for (size_t i = 0; i < parcel->count; i++) {
    whole = whole && !parcel->items[i].bare;
  }
  buffer_reset(&lander->body);
  for (size_t i = 0; i < parcel->count; i++) {
    const struct item *item = &parcel->items[i];
    if (lander->position[i] == UINT32_MAX) {
      continue;
    }
    uint32_t len = item->bare ? 0 : item->len;
    uint32_t offset = whole ? item->offset : (uint32_t)lander->body.len;
    if (!whole && len > 0) {
      buffer_append(&lander->body, parcel->body.data + item->offset, len);
    }
    lander->landed[lander->position[i]] = (struct landed){.record_id = lander->found[i].record_id,
                                                          .key_digest = item->key_digest,
                                                          .source_key = item->unconsented ? item->hidden : item->key,
                                                          .digest = item->digest,
                                                          .offset = offset,
                                                          .len = len,
                                                          .state = item->state};
  }
  *body = buffer_view(whole ? &parcel->body : &lander->body);
  return buffer_check(&lander->body, _("a batch of records"), error);
}

static enum status lander_stage(struct lander *lander, const struct parcel *parcel, const struct landing_step *step,
                                struct staged *staged, int64_t *chunk, struct error *error) {
  struct slice body = {0};
  enum status status = lander_pack(lander, parcel, step, &body, error);
  if (status != OK) {
    return status;
  }
  struct landing landing = {.source_id = lander->source_id,
                            .run = lander->run,
                            .plan_id = lander->plan_id,
                            .origin = parcel->origin.len > 0 ? parcel->origin.data : "",
                            .format = parcel->format,
                            .context = buffer_view(&parcel->context),
                            .body = body,
                            .records = lander->landed,
                            .count = step->kept};
  status = store_land(lander->bench->store, &landing, error);
  *chunk = landing.chunk_id;
  if (status != OK) {
    return status;
  }
  struct staging staging = {.source_id = lander->source_id,
                            .run = lander->run,
                            .plan_id = lander->plan_id,
                            .institution = lander->source->institution,
                            .records = lander->landed,
                            .count = step->kept,
                            .batch = &parcel->mapped,
                            .all_new = step->all_new};
  return store_stage(lander->bench->store, &staging, staged, error);
}

/* Tombstones end the record, and so does another record in its place; of a swept source every record met is marked as
 * seen. */
static enum status lander_mark(struct lander *lander, const struct parcel *parcel, struct error *error) {
  size_t deleted = 0;
  for (size_t i = 0; i < parcel->count; i++) {
    if (parcel->items[i].tombstone && lander->position[i] != UINT32_MAX) {
      lander->record_ids[deleted++] = record_of(lander->landed[lander->position[i]].raw_id);
    }
    if (parcel->items[i].replaces != 0) {
      lander->record_ids[deleted++] = parcel->items[i].replaces;
    }
  }
  enum status status = OK;
  if (deleted > 0) {
    status = store_delete_records(lander->bench->store, lander->run, lander->record_ids, deleted, error);
  }
  if (status != OK || !lander->keeps_seen || parcel->count == 0) {
    return status;
  }
  size_t seen = 0;
  for (size_t i = 0; i < parcel->count; i++) {
    uint32_t position = lander->position[i];
    int64_t id = position == UINT32_MAX ? lander->found[i].record_id : record_of(lander->landed[position].raw_id);
    lander->record_ids[seen] = id;
    seen += id != 0; /* one that was taken out need not be there */
  }
  return store_seen(lander->bench->store, lander->source_id, lander->record_ids, seen, error);
}

static enum status lander_pass(struct lander *lander, const struct parcel *parcel, struct error *error) {
  struct slice mark = buffer_view(&parcel->mark);
  enum status status = OK;
  if (lander->backfill) {
    return OK;
  }
  if (mark.len > 0 && (lander->pass.mark == NULL || mark_after(mark, slice_of(lander->pass.mark)))) {
    status = pass_set(&lander->pass.mark, parcel->mark.data, error);
  }
  if (status == OK && parcel->moves) {
    status = pass_set(&lander->pass.cursor, parcel->cursor.data, error);
  }
  if (status == OK && parcel->looks.len > 0 && parcel->looks.failed == OK) {
    status = pass_set(&lander->pass.looks, parcel->looks.data, error);
  }
  return status;
}

static int by_raw_id(const void *a, const void *b) {
  int64_t left = (*(const struct landed *const *)a)->raw_id, right = (*(const struct landed *const *)b)->raw_id;
  return left < right ? -1 : left > right;
}

/* Leaves by chunk and raw id, so that they can be made again from the store, where records have no other order. */
static enum status lander_outcomes(struct lander *lander, size_t kept, int64_t chunk, struct error *error) {
  struct sha256 plan = plan_digest(lander->plan);
  struct covered *covered = &lander->covered;
  const struct landed **order = malloc((kept + 1) * sizeof *order);
  if (order == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < kept; i++) {
    order[i] = &lander->landed[i];
  }
  if (kept > 0) {
    qsort(order, kept, sizeof *order, by_raw_id);
  }
  for (size_t i = 0; i < kept; i++) {
    const struct landed *landed = order[i];
    merkle_add_record(&lander->merkle, landed->raw_id, &landed->key_digest, &landed->digest, landed->state, &plan);
    bool first = covered->records++ == 0;
    covered->raw_first = first || landed->raw_id < covered->raw_first ? landed->raw_id : covered->raw_first;
    covered->raw_last = first || landed->raw_id > covered->raw_last ? landed->raw_id : covered->raw_last;
    covered->chunk_first = first ? chunk : covered->chunk_first;
    covered->chunk_last = chunk;
  }
  free(order);
  return OK;
}

static enum status lander_audit(struct lander *lander, struct error *error) {
  struct sha256 plan = plan_digest(lander->plan);
  struct buffer body;
  buffer_init(&body, AUDIT_BODY_LIMIT);
  counts_json(&lander->written, &plan, NULL, &lander->covered, &body);
  enum status status = buffer_check(&body, _("an audit entry"), error);
  if (status == OK) {
    struct audit_event event = {.event = lander->event,
                                .source = lander->source->code,
                                .actor = lander->options->actor,
                                .purpose = lander->options->purpose,
                                .run = lander->run,
                                .body = body.data,
                                .outcomes = merkle_root(&lander->merkle)};
    status = audit_append(lander->bench->store, &event, error);
  }
  buffer_free(&body);
  return status;
}

/* ---- the transaction, which may hold several parcels ---- */

enum status lander_begin(struct lander *lander, struct error *error) {
  if (lander->open) {
    return OK;
  }
  enum status status = store_begin(lander->bench->store, error);
  if (status == OK) {
    lander->open = true;
    lander->records = 0;
    lander->written = (struct counts){.source_count = -1};
    lander->covered = (struct covered){0};
    merkle_init(&lander->merkle);
  }
  return status;
}

enum status lander_note(struct lander *lander, const struct counts *counts, size_t kept, int64_t chunk,
                        struct error *error) {
  enum status status = lander_outcomes(lander, kept, chunk, error);
  counts_add(&lander->written, counts);
  lander->records += counts->pulled;
  return status;
}

void lander_abandon(struct lander *lander) {
  if (lander->open) {
    store_rollback(lander->bench->store);
    lander->open = false;
  }
  revoking_clear(&lander->revoking);
  lander->pending = lander->counts;
  lander->staging = lander->staged;
}

enum status lander_seal(struct lander *lander, struct error *error) {
  struct store *store = lander->bench->store;
  enum status status = lander->lease == NULL ? OK : store_pass_save(store, lander->lease, &lander->pass, error);
  if (status == OK) {
    status = store_run_counts(store, lander->run, &lander->pending, error);
  }
  status = status == OK ? revoke_log(lander, error) : status;
  return status == OK ? lander_audit(lander, error) : status;
}

enum status lander_commit(struct lander *lander, struct error *error) {
  if (lander->one_transaction) {
    return OK;
  }
  enum status status = lander->open ? lander_seal(lander, error) : OK;
  if (status == OK && lander->open) {
    status = store_commit(lander->bench->store, error);
  }
  if (status != OK) {
    lander_abandon(lander);
    return status;
  }
  lander->open = false;
  lander->counts = lander->pending;
  lander->staged = lander->staging;
  revoking_clear(&lander->revoking);
  return OK;
}

static enum status lander_write(struct lander *lander, const struct parcel *parcel, const struct landing_step *step,
                                struct error *error) {
  struct staged staged = {0};
  int64_t chunk = 0;
  enum status status = lander_begin(lander, error);
  status = status == OK ? revoke(lander, parcel, error) : status;
  if (status == OK && step->kept > 0) {
    status = lander_stage(lander, parcel, step, &staged, &chunk, error);
  }
  if (status == OK) {
    status = lander_mark(lander, parcel, error);
  }
  if (status == OK && parcel->memory.len > 0) {
    status = store_remember(lander->bench->store, lander->source_id, parcel->memory.data, lander->run, error);
  }
  if (status == OK) {
    status = lander_note(lander, &step->counts, step->kept, chunk, error);
  }
  if (status == OK) {
    lander->staging.opened += staged.opened;
    lander->staging.closed += staged.closed;
    lander->staging.same += staged.same;
  }
  return status;
}

/* A parcel that brings nothing waits for the next one that does; now and then the cursor is saved all the same. */
static bool lander_idle(struct lander *lander, const struct parcel *parcel, const struct landing_step *step) {
  if (lander->options->dry_run) {
    return true;
  }
  bool writes =
      step->kept > 0 || parcel->replaces || parcel->memory.len > 0 || (lander->keeps_seen && parcel->count > 0);
  lander->idle = writes || (parcel->moves && lander->idle >= IDLE_MOST) ? 0 : lander->idle + 1;
  return lander->idle > 0;
}

/* What of the parcel is kept, as the store stands at the commit. */
static enum status lander_choose(struct lander *lander, struct parcel *parcel, struct landing_step *step,
                                 struct error *error) {
  bool changed;
  enum status status = lander->gone.epoch >= 0 ? OK
                                               : gone_refresh(&lander->gone, lander->bench->store, lander->source_id,
                                                              false, &changed, error);
  status = status == OK ? lander_compare(lander, parcel, step, error) : status;
  if (status == OK && step->kept > 0 && !lander->options->dry_run) {
    status = lander_guard(lander, parcel, step, error);
  }
  return status == OK ? lander_spare(lander, parcel, error) : status;
}

enum status lander_take(struct lander *lander, struct parcel *parcel, struct error *error) {
  struct landing_step step;
  enum status status = lander_choose(lander, parcel, &step, error);
  if (status == OK) {
    lander_settle(lander, parcel, &step);
    status = lander_pass(lander, parcel, error);
  }
  bool idle = status == OK && lander_idle(lander, parcel, &step);
  if (status == OK && !idle) {
    status = lander_write(lander, parcel, &step, error);
  }
  if (status != OK) {
    lander_abandon(lander);
    return status;
  }
  counts_add(&lander->pending, &step.counts);
  lander->conflicts += parcel->conflicts;
  lander->unkeyed += parcel->unkeyed;
  bool due = !lander->open || parcel->moves || parcel->memory.len > 0 || lander->records >= TRANSACTION_RECORDS;
  return due ? lander_commit(lander, error) : OK;
}
