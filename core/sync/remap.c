#include "core/sync/counts.h"
#include "core/sync/land.h"
#include "core/sync/remap_report.h"
#include "core/sync/run.h"
#include "core/sync/take.h"

#include <stdlib.h>

enum { CONTEXT_LIMIT = 16 << 20 };

/* Records whose key the new mapping reads differently: they are landed again under it, and the former ones end. */
struct rekeyed {
  int64_t *raw_ids;
  size_t count, capacity;
};

struct remap {
  struct run_frame frame;
  struct lander lander;
  struct taker taker;
  struct parcel parcel;
  struct buffer context; /* that the taker's decoder was made from */
  int state;             /* -1: all */
  int64_t after;         /* last raw id that was visited */
  struct rekeyed rekeyed;
  size_t ended; /* record ids at the front of rekeyed.raw_ids that have to end, written over what was read */
};

static enum status remap_document(struct remap *remap, const struct raw_version *version, struct error *error) {
  const struct format *format = format_find(version->format);
  if (format == NULL) {
    return error_set(error, ERR_STORE, _("landed bytes of unknown format %s"), version->format);
  }
  if (remap->taker.format != format || !slice_equal(buffer_view(&remap->context), version->context)) {
    taker_begin(&remap->taker, format);
    buffer_reset(&remap->context);
    if (buffer_slice(&remap->context, version->context) != OK) {
      return error_memory(error);
    }
  }
  return OK;
}

static enum status remap_postpone(struct remap *remap, int64_t raw_id, struct error *error) {
  struct rekeyed *list = &remap->rekeyed;
  if (list->count == list->capacity) {
    size_t capacity = list->capacity == 0 ? 256 : list->capacity * 2;
    int64_t *grown = realloc(list->raw_ids, capacity * sizeof *grown);
    if (grown == NULL) {
      return error_memory(error);
    }
    list->raw_ids = grown;
    list->capacity = capacity;
  }
  list->raw_ids[list->count++] = raw_id;
  return OK;
}

static struct remap_report *remap_report(const struct remap *remap) {
  return remap->frame.options->report;
}

static enum status remap_visit(void *context, const struct raw_version *version, struct error *error) {
  struct remap *remap = context;
  struct parcel *parcel = &remap->parcel;
  int64_t only = remap->frame.options->record_id;
  if (!parcel_fits(parcel, version->bytes.len) || (only != 0 && record_of(version->raw_id) != only)) {
    return END;
  }
  remap->after = version->raw_id;
  bool mapped_so = version->plan_id == remap->frame.plan_id && version->state != RECORD_QUARANTINED;
  bool bare = version->bytes.len == 0; /* was taken out, or came without consent: there is nothing to map */
  if (version->state == RECORD_DISMISSED || mapped_so || bare) {
    remap->lander.pending.pulled++;
    remap->lander.pending.unchanged++;
    return OK;
  }
  enum status status = remap_document(remap, version, error);
  if (status != OK) {
    return status;
  }
  struct raw raw = {.bytes = version->bytes};
  enum taken taken = TAKEN;
  status = taker_take(&remap->taker, parcel, &raw, version->context, true, &taken, error);
  if (status != OK) {
    return status;
  }
  struct item *item = &parcel->items[parcel->count - 1];
  item->raw_id = version->raw_id;
  if (remap_report(remap) != NULL) {
    remap_report_former(remap_report(remap), version->plan_id);
  }
  if (slice_is(item->key, version->source_key)) {
    return OK;
  }
  item->replaces = record_of(version->raw_id);
  return remap_postpone(remap, version->raw_id, error);
}

/* What the parcel's items become: positions, landed, counts; `ended` are records that go. */
static size_t remap_classify(struct remap *remap, struct counts *counts, size_t *ended) {
  struct lander *lander = &remap->lander;
  size_t kept = 0;
  for (size_t i = 0; i < remap->parcel.count; i++) {
    const struct item *item = &remap->parcel.items[i];
    lander->position[i] = UINT32_MAX;
    if (item->replaces != 0) {
      continue;
    }
    counts->pulled++;
    if (gone_has(&lander->gone, &item->key_digest, &item->digest)) {
      counts->unchanged++;
      continue;
    }
    if (item->refused || item->tombstone) {
      lander->record_ids[(*ended)++] = record_of(item->raw_id);
      *(item->refused ? &counts->rejected : &counts->unchanged) += 1;
      counts->deleted++;
      continue;
    }
    lander->position[i] = (uint32_t)kept;
    lander->landed[kept++] = (struct landed){.record_id = record_of(item->raw_id),
                                             .raw_id = item->raw_id,
                                             .key_digest = item->key_digest,
                                             .source_key = item->key,
                                             .digest = item->digest,
                                             .len = item->len,
                                             .state = item->state};
    counts->changed++;
    counts_state(counts, item->state);
  }
  return kept;
}

static enum status remap_states(struct remap *remap, size_t kept, struct error *error) {
  int64_t *raw_ids = arena_array(remap->parcel.mapped.arena, kept, sizeof *raw_ids);
  enum record_state *states = arena_array(remap->parcel.mapped.arena, kept, sizeof *states);
  if (raw_ids == NULL || states == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < kept; i++) {
    raw_ids[i] = remap->lander.landed[i].raw_id;
    states[i] = remap->lander.landed[i].state;
  }
  return store_record_states(remap->frame.bench->store, remap->frame.run, remap->frame.plan_id, raw_ids, states, kept,
                             error);
}

static enum status remap_write(struct remap *remap, const struct counts *counts, size_t kept, size_t ended,
                               struct error *error) {
  struct store *store = remap->frame.bench->store;
  struct lander *lander = &remap->lander;
  struct staged staged = {0};
  enum status status = lander_begin(lander, error);
  if (status == OK && kept > 0) {
    struct staging staging = {.source_id = remap->frame.source_id,
                              .run = remap->frame.run,
                              .plan_id = remap->frame.plan_id,
                              .institution = remap->frame.source->institution,
                              .records = lander->landed,
                              .count = kept,
                              .batch = &remap->parcel.mapped};
    status = remap_states(remap, kept, error);
    status = status == OK ? revoke(lander, &remap->parcel, error) : status;
    if (status == OK) {
      status = store_stage(store, &staging, &staged, error);
    }
  }
  if (status == OK && ended > 0) {
    status = store_delete_records(store, remap->frame.run, lander->record_ids, ended, error);
  }
  if (status != OK) {
    lander_abandon(lander);
    return status;
  }
  status = lander_note(lander, counts, kept, 0, error);
  if (status != OK) {
    lander_abandon(lander);
    return status;
  }
  lander->staging.opened += staged.opened;
  lander->staging.closed += staged.closed;
  lander->staging.same += staged.same;
  return OK;
}

/* Before anything is written; a dry run tells the same. */
static enum status remap_tell(struct remap *remap, size_t kept, size_t ended, struct error *error) {
  const struct lander *lander = &remap->lander;
  if (remap_report(remap) == NULL) {
    return OK;
  }
  int64_t *records = arena_array(remap->parcel.mapped.arena, kept + ended + 1, sizeof *records);
  if (records == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < kept; i++) {
    records[i] = lander->landed[i].record_id;
  }
  memcpy(records + kept, lander->record_ids, ended * sizeof *records);
  return remap_report_compare(remap_report(remap), remap->frame.bench->store, &remap->parcel.mapped, records,
                              kept + ended, false, error);
}

/* What is read here and taken out before it is written would come back. */
static enum status remap_guard(struct remap *remap, struct error *error) {
  struct lander *lander = &remap->lander;
  bool changed, writes = remap->parcel.count > 0 && !remap->frame.options->dry_run;
  enum status status = writes ? lander_begin(lander, error) : OK;
  return status == OK && writes
             ? gone_refresh(&lander->gone, remap->frame.bench->store, remap->frame.source_id, true, &changed, error)
             : status;
}

static enum status remap_flush(struct remap *remap, struct error *error) {
  struct parcel *parcel = &remap->parcel;
  struct counts counts = {.source_count = -1};
  enum status status = remap_guard(remap, error);
  if (status != OK) {
    lander_abandon(&remap->lander);
    parcel_reset(parcel);
    return status;
  }
  size_t ended = 0, kept = remap_classify(remap, &counts, &ended);
  if (kept < parcel->count) {
    parcel_compact(parcel, remap->lander.position);
  }
  for (size_t i = 0; i < parcel->mapped.issue_count; i++) {
    counts.warnings += parcel->mapped.issues[i].level == ISSUE_WARNING;
  }
  status = remap_tell(remap, kept, ended, error);
  if (status == OK && kept + ended > 0 && !remap->frame.options->dry_run) {
    status = remap_write(remap, &counts, kept, ended, error);
  }
  if (status == OK) {
    counts_add(&remap->lander.pending, &counts);
    status = lander_commit(&remap->lander, error);
  } else {
    lander_abandon(&remap->lander);
  }
  parcel_reset(parcel);
  return status;
}

static bool remap_stopped(const struct remap *remap) {
  const atomic_bool *stop = remap->frame.options->stop;
  return stop != NULL && atomic_load(stop);
}

static enum status remap_all(struct remap *remap, struct error *error) {
  struct store *store = remap->frame.bench->store;
  int64_t before = -1;
  while (remap->after != before) {
    if (remap_stopped(remap)) {
      return error_set(error, ERR_INTERRUPTED, _("stopped by a signal; `puente remap` goes on with the rest"));
    }
    before = remap->after;
    enum status status = store_visit_raw(store, remap->frame.source_id, remap->state, remap->after, PARCEL_RECORDS,
                                         remap_visit, remap, error);
    if (status == OK || status == END) {
      status = remap_flush(remap, error);
    }
    if (status != OK) {
      return status;
    }
    progress_step(remap->frame.options->progress, remap->frame.source->code, remap->lander.counts.pulled, -1);
  }
  return OK;
}

/* ---- records that have another key now ---- */

static enum status remap_tell_rekeyed(struct remap *remap, struct error *error) {
  const struct parcel *parcel = &remap->parcel;
  if (remap_report(remap) == NULL || parcel->count == 0) {
    return OK;
  }
  int64_t *records = arena_array(parcel->mapped.arena, parcel->count, sizeof *records);
  if (records == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < parcel->count; i++) {
    records[i] = parcel->items[i].replaces;
  }
  return remap_report_compare(remap_report(remap), remap->frame.bench->store, &parcel->mapped, records, parcel->count,
                              true, error);
}

static enum status remap_land(struct remap *remap, struct error *error) {
  enum status status = remap_tell_rekeyed(remap, error);
  if (status == OK && remap->parcel.taken > 0) {
    status = lander_take(&remap->lander, &remap->parcel, error);
  }
  if (status == OK) {
    status = lander_commit(&remap->lander, error);
  }
  parcel_reset(&remap->parcel);
  return status;
}

static enum status remap_label(struct parcel *parcel, const struct raw_version *version, struct error *error) {
  parcel->format = format_find(version->format)->name;
  buffer_reset(&parcel->context);
  buffer_reset(&parcel->origin);
  bool kept =
      buffer_slice(&parcel->context, version->context) == OK && buffer_text(&parcel->origin, version->origin) == OK;
  return kept ? OK : error_memory(error);
}

static enum status remap_rekey(void *context, const struct raw_version *version, struct error *error) {
  struct remap *remap = context;
  struct parcel *parcel = &remap->parcel;
  enum status status = remap_document(remap, version, error);
  if (status != OK || !parcel_fits(parcel, version->bytes.len)) {
    return status != OK ? status : END;
  }
  if (parcel->format == NULL) {
    status = remap_label(parcel, version, error);
  } else if (!slice_equal(buffer_view(&parcel->context), version->context)
             || !slice_is(buffer_view(&parcel->origin), version->origin)) {
    return END;
  }
  struct raw raw = {.bytes = version->bytes};
  enum taken taken = TAKEN;
  if (status == OK) {
    status = taker_take(&remap->taker, parcel, &raw, version->context, false, &taken, error);
  }
  if (status != OK || taken == TAKE_LATER) {
    return status != OK ? status : END;
  }
  if (taken == TAKEN) {
    parcel->items[parcel->count - 1].replaces = record_of(version->raw_id);
    parcel->replaces = true;
  } else {
    remap->rekeyed.raw_ids[remap->ended++] = record_of(version->raw_id);
  }
  return OK;
}

/* Former records whose bytes turned out to repeat another one, or are refused now. */
static enum status remap_end_others(struct remap *remap, struct error *error) {
  enum status status = OK;
  if (remap->ended > 0 && remap_report(remap) != NULL) {
    status = remap_report_compare(remap_report(remap), remap->frame.bench->store, &remap->parcel.mapped,
                                  remap->rekeyed.raw_ids, remap->ended, false, error);
  }
  if (status != OK || remap->ended == 0 || remap->frame.options->dry_run) {
    return status;
  }
  struct counts counts = {.deleted = (int64_t)remap->ended, .source_count = -1};
  status = lander_begin(&remap->lander, error);
  if (status == OK) {
    status =
        store_delete_records(remap->frame.bench->store, remap->frame.run, remap->rekeyed.raw_ids, remap->ended, error);
  }
  if (status != OK) {
    lander_abandon(&remap->lander);
    return status;
  }
  status = lander_note(&remap->lander, &counts, 0, 0, error);
  if (status != OK) {
    lander_abandon(&remap->lander);
    return status;
  }
  counts_add(&remap->lander.pending, &counts);
  return lander_commit(&remap->lander, error);
}

/* END from a visit: the record waits for an empty parcel. */
static enum status remap_rekey_all(struct remap *remap, struct error *error) {
  for (size_t i = 0; i < remap->rekeyed.count; i++) {
    int64_t raw_id = remap->rekeyed.raw_ids[i];
    enum status status = store_raw(remap->frame.bench->store, raw_id, remap_rekey, remap, error);
    if (status == END) {
      status = remap_land(remap, error);
      if (status == OK) {
        status = store_raw(remap->frame.bench->store, raw_id, remap_rekey, remap, error);
      }
    }
    if (status != OK) {
      return status;
    }
  }
  enum status status = remap_land(remap, error);
  return status == OK ? remap_end_others(remap, error) : status;
}

static enum status remap_prepare(struct remap *remap, const char *event, struct error *error) {
  struct run_frame *frame = &remap->frame;
  remap->lander = (struct lander){.bench = frame->bench,
                                  .source = frame->source,
                                  .options = frame->options,
                                  .plan = frame->plan,
                                  .event = event,
                                  .source_id = frame->source_id,
                                  .run = frame->run,
                                  .plan_id = frame->plan_id};
  remap->after = frame->options->record_id == 0 ? 0 : (frame->options->record_id << ORDINAL_BITS) - 1;
  enum status status = lander_init(&remap->lander, error);
  if (status == OK && remap_report(remap) != NULL) {
    status = remap_report_begin(remap_report(remap), frame->bench->store, frame->source->code,
                                frame->options->record_id, frame->plan, error);
  }
  if (status == OK && frame->options->dry_run) {
    status = remap_plan_known(frame->bench->store, frame->source->code, frame->plan, &frame->plan_id, error);
  }
  if (status == OK) {
    status = taker_init(&remap->taker, frame->source, frame->plan, frame->bench->model, frame->bench->key, error);
    remap->taker.again = true;
  }
  return status == OK ? parcel_init(&remap->parcel, frame->bench->model, error) : status;
}

static enum status remap_finish(struct remap *remap, struct error *error) {
  char words[160];
  if (!counts_balance(&remap->lander.counts, false, words)) {
    return error_set(error, ERR_BALANCE, _("the counts of the run do not add up: %s"), words);
  }
  if (remap->frame.options->dry_run) {
    return OK;
  }
  struct store *store = remap->frame.bench->store;
  enum status status = store_begin(store, error);
  if (status == OK) {
    status = run_frame_close(&remap->frame, RUN_DONE, &remap->lander.counts, NULL, error);
  }
  if (status == OK) {
    status = store_commit(store, error);
  }
  if (status != OK) {
    store_rollback(store);
  }
  return status;
}

enum status sync_remap(const struct workbench *bench, const struct source_config *source, int source_id, int state,
                       const struct sync_options *options, struct sync_result *result, struct error *error) {
  struct remap remap = {.frame = {.bench = bench, .source = source, .source_id = source_id, .options = options},
                        .state = state};
  const char *kind = state == RECORD_QUARANTINED ? "retry" : "remap";
  *result = (struct sync_result){.counts = {.source_count = -1}};
  buffer_init(&remap.context, CONTEXT_LIMIT);
  enum status status = run_frame_open(&remap.frame, kind, false, error);
  if (status == OK) {
    status = remap_prepare(&remap, kind, error);
  }
  if (status == OK) {
    status = remap_all(&remap, error);
  }
  if (status == OK) {
    status = remap_rekey_all(&remap, error);
  }
  if (status == OK && remap_report(&remap) != NULL) {
    status = remap_report_end(remap_report(&remap), bench->store, source->code, error);
  }
  if (status == OK) {
    status = remap_finish(&remap, error);
  }
  result->run = remap.frame.run;
  result->counts = remap.lander.counts;
  result->staged = remap.lander.staged;
  result->revoked = remap.lander.revoked;
  result->complete = status == OK;
  result->nothing_new = result->counts.fresh + result->counts.changed + result->counts.deleted == 0;
  if (status != OK) {
    run_frame_fail(&remap.frame, &result->counts, error);
  }
  parcel_free(&remap.parcel);
  taker_free(&remap.taker);
  lander_free(&remap.lander);
  buffer_free(&remap.context);
  free(remap.rekeyed.raw_ids);
  run_frame_end(&remap.frame);
  return status;
}
