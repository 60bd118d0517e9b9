#include "core/sync/sync.h"

#include "core/audit/audit.h"
#include "core/sync/counts.h"
#include "core/sync/health.h"
#include "core/sync/land.h"
#include "core/sync/mark.h"
#include "core/sync/range.h"
#include "core/sync/reader.h"
#include "core/sync/run.h"
#include "core/sync/spool.h"
#include "core/sync/sweep.h"

#include <stdio.h>

enum { MARK_LIMIT = 1 << 16 };

/* One source's sync under way. */
struct sync {
  struct run_frame frame;
  struct lander lander;
  struct queue queue;
  struct taker taker;
  struct reader reader;
  pthread_mutex_t store_lock;
  atomic_bool stop;
  struct buffer cursor, watermark; /* as given to the connector; the lander's own move on */
  bool resumed;                    /* the pass was begun by a former run */
  bool queue_made;
  struct spool *spool; /* of a reload */
};

/* Whether the pass goes on where a former run stopped. */
static enum status sync_resume(struct sync *sync, struct error *error) {
  const struct sync_options *options = sync->frame.options;
  struct pass *pass = &sync->lander.pass;
  bool anew = options->full || options->reload || options->since != NULL || options->until != NULL;
  sync->resumed = pass->cursor != NULL && !anew;
  if (sync->resumed) {
    return buffer_text(&sync->cursor, pass->cursor) == OK ? OK : error_memory(error);
  }
  if (sync->lander.backfill) {
    return OK;
  }
  pass->first_run = sync->frame.run;
  enum status status = pass_set(&pass->cursor, NULL, error);
  status = status == OK ? pass_set(&pass->mark, NULL, error) : status;
  return status == OK && anew ? pass_set(&pass->looks, NULL, error) : status;
}

/* Marks of a former pass that did not end would keep deleted records alive; without them its cursor, too, is of no use,
 * or what came before it would be taken for deleted. */
static enum status sync_forget_seen(const struct sync *sync, struct error *error) {
  struct store *store = sync->frame.bench->store;
  enum status status = store_begin(store, error);
  if (status == OK) {
    status = store_forget_seen(store, sync->frame.source_id, error);
  }
  if (status == OK) {
    status = store_pass_save(store, sync->lander.lease, &sync->lander.pass, error);
  }
  if (status == OK) {
    status = store_commit(store, error);
  }
  if (status != OK) {
    store_rollback(store);
  }
  return status;
}

/* What the pass is of: everything, what is new, or a range; and whether what it does not bring is deleted. */
static const char *sync_extent(struct sync *sync) {
  const struct sync_options *options = sync->frame.options;
  bool swept = sync->frame.source->deletes == DELETES_SWEEP;
  bool ranged = options->since != NULL || options->until != NULL;
  sync->lander.keeps_seen = options->reload || (swept && !ranged);
  sync->lander.one_transaction = options->reload && !options->dry_run;
  if (ranged) {
    return options->since;
  }
  return options->full || options->reload || swept ? NULL : sync->lander.pass.watermark;
}

static enum status sync_begin_pass(struct sync *sync, struct error *error) {
  const struct run_frame *frame = &sync->frame;
  const struct sync_options *options = frame->options;
  sync->lander.backfill = options->until != NULL;
  enum status status = store_pass(frame->bench->store, frame->source_id, &sync->lander.pass, error);
  if (status == OK) {
    status = sync_resume(sync, error);
  }
  if (status != OK) {
    return status;
  }
  const char *former = sync_extent(sync);
  bool begins = sync->lander.keeps_seen && !sync->resumed && !options->dry_run;
  if (begins && !options->reload) {
    status = sync_forget_seen(sync, error);
    if (status != OK) {
      return status;
    }
  }
  int64_t overlap = options->since != NULL ? 0 : frame->source->overlap;
  return mark_back(slice_of(former), overlap, &sync->watermark) ? OK : error_memory(error);
}

static struct pull sync_pull(struct sync *sync) {
  return (struct pull){.source = sync->frame.source->code,
                       .options = sync->frame.connector_options,
                       .cursor = sync->cursor.len > 0 ? sync->cursor.data : NULL,
                       .watermark = sync->watermark.len > 0 ? sync->watermark.data : NULL,
                       .form = sync->lander.pass.watermark,
                       .until = sync->frame.options->until,
                       .columns = plan_paths(sync->frame.plan),
                       .stop = &sync->stop,
                       .remembers = reader_remembers,
                       .remembers_last = reader_remembers_last,
                       .core = &sync->reader};
}

static enum status sync_prepare(struct sync *sync, struct error *error) {
  struct run_frame *frame = &sync->frame;
  sync->lander.bench = frame->bench;
  sync->lander.source = frame->source;
  sync->lander.options = frame->options;
  sync->lander.plan = frame->plan;
  sync->lander.event = frame->options->reload ? "reload" : "land";
  sync->lander.source_id = frame->source_id;
  sync->lander.run = frame->run;
  sync->lander.plan_id = frame->plan_id;
  sync->lander.lease = frame->leased ? &frame->lease : NULL;
  enum status status = lander_init(&sync->lander, error);
  if (status == OK) {
    status = sync_begin_pass(sync, error);
  }
  if (status == OK) {
    status = taker_init(&sync->taker, frame->source, frame->plan, frame->bench->model, frame->bench->key, error);
  }
  if (status == OK) {
    status = drift_watch_new(frame->plan, &sync->taker.watch, error);
  }
  if (status == OK && sync->lander.pass.looks != NULL && !sync->lander.backfill) {
    status = drift_recall(sync->taker.watch, slice_of(sync->lander.pass.looks), error);
  }
  if (status == OK) {
    sync->queue_made = true;
    status = queue_init(&sync->queue, frame->bench->model, error);
  }
  if (status != OK) {
    return status;
  }
  sync->reader =
      (struct reader){.source = frame->source,
                      .connector = frame->source->connector,
                      .pull = sync_pull(sync),
                      .plan = frame->plan,
                      .page_limit = (size_t)frame->bench->config->page_limit,
                      .taker = &sync->taker,
                      .queue = &sync->queue,
                      .store = frame->bench->store,
                      .source_id = frame->source_id,
                      .store_lock = &sync->store_lock,
                      .unbounded = sync->lander.backfill || sync->frame.options->reload, /* could not go on */
                      .memories = map_new()};
  return sync->reader.memories != NULL ? OK : error_memory(error);
}

static void sync_look(struct sync *sync) {
  const atomic_bool *stop = sync->frame.options->stop;
  if (stop != NULL && atomic_load(stop)) {
    atomic_store(&sync->stop, true);
  }
}

static enum status sync_commit(struct sync *sync, struct error *error) {
  pthread_mutex_lock(&sync->store_lock);
  enum status status = lander_commit(&sync->lander, error);
  pthread_mutex_unlock(&sync->store_lock);
  return status;
}

/* The writer's loop, until the last parcel or an error of its own. */
static enum status sync_write(struct sync *sync, struct error *error) {
  bool last = false;
  enum status status = OK;
  while (!last && status == OK) {
    struct parcel *parcel = queue_next_full(&sync->queue);
    sync_look(sync);
    if (parcel == NULL) { /* a slow source must not keep the store's writer waiting */
      status = sync_commit(sync, error);
      continue;
    }
    pthread_mutex_lock(&sync->store_lock);
    status = parcel->taken > 0 || parcel->counts.pages > 0 ? lander_take(&sync->lander, parcel, error) : OK;
    pthread_mutex_unlock(&sync->store_lock);
    last = parcel->last;
    if (status == OK && last) {
      status = sync_commit(sync, error);
    }
    if (status == OK && last) {
      status = parcel->status;
      *error = parcel->error;
    }
    const struct counts *counts = &sync->lander.pending;
    progress_step(sync->frame.options->progress, sync->frame.source->code, counts->pulled, counts->source_count);
    queue_return(&sync->queue);
  }
  return status;
}

/* ---- reload: the whole pass is pulled before the one transaction begins ---- */

static enum status sync_spool(struct sync *sync, struct error *error) {
  const struct workbench *bench = sync->frame.bench;
  struct pull pull = sync_pull(sync);
  if (sync->frame.options->stop != NULL) {
    pull.stop = sync->frame.options->stop;
  }
  enum status status = spool_new(bench->config, &sync->spool, error);
  if (status == OK) {
    status = spool_fill(sync->spool, sync->frame.source->connector, &pull, (size_t)bench->config->page_limit,
                        sync->frame.options->progress, error);
  }
  sync->reader.connector = &connector_spooled;
  sync->reader.pull.options = &sync->spool;
  if (status != OK || !sync->lander.one_transaction) {
    return status;
  }
  status = lander_begin(&sync->lander, error);
  return status == OK ? store_forget_seen(bench->store, sync->frame.source_id, error) : status;
}

/* END: the pass is complete; OK: the budget of the run was used up before. */
static enum status sync_pass(struct sync *sync, struct error *error) {
  pthread_t thread;
  sync_look(sync);
  if (pthread_create(&thread, NULL, reader_run, &sync->reader) != 0) {
    return error_set(error, ERR_MEMORY, _("no thread could be started"));
  }
  enum status status = sync_write(sync, error);
  atomic_store(&sync->stop, true);
  queue_halt(&sync->queue);
  pthread_join(thread, NULL);
  return status;
}

/* A pass over an overlap may meet nothing but what is older than the watermark. */
static bool sync_moves_on(const struct sync *sync) {
  const struct pass *pass = &sync->lander.pass;
  if (pass->mark == NULL || sync->frame.source->deletes == DELETES_SWEEP) {
    return false;
  }
  return sync->frame.options->full || sync->frame.options->reload || pass->watermark == NULL
         || mark_after(slice_of(pass->mark), slice_of(pass->watermark));
}

/* Warnings stand one after the other, as many as there is room for. */
static void sync_warn(struct sync_result *result, const char *words) {
  size_t used = strlen(result->warning), size = sizeof result->warning;
  if (words[0] != '\0' && used + strlen(words) + 2 < size) {
    snprintf(result->warning + used, size - used, "%s%s", used == 0 ? "" : "; ", words);
  }
}

static enum status sync_settle_drift(struct sync *sync, struct sync_result *result, struct error *error) {
  struct drift_found found;
  enum status status =
      drift_settle(sync->taker.watch, sync->frame.bench->store, sync->frame.source_id, sync->frame.run, &found, error);
  if (status == OK) {
    sync_warn(result, found.words);
  }
  return status;
}

static enum status sync_compare_volume(const struct sync *sync, struct sync_result *result, struct error *error) {
  char words[HEALTH_WORDS];
  const struct budget *budget = &sync->frame.source->budget;
  bool divided = budget->pages > 0 || budget->bytes > 0 || budget->time > 0; /* runs of it are parts of a pass */
  bool whole = sync->watermark.len == 0 && !divided;
  enum status status = health_volume(sync->frame.bench->store, sync->frame.source_id, sync->frame.run, whole,
                                     &sync->lander.counts, words, error);
  if (status == OK) {
    sync_warn(result, words);
  }
  return status;
}

/* A swap is whole or is not at all. */
static enum status sync_refuse(const struct sync *sync, struct sync_result *result, struct error *error) {
  error_set(error, ERR_LIMIT, _("nothing was swapped: %s"), result->warning);
  error_hint(error, _("look at the source; if so many are really gone: puente sync %s --reload --max-drop 1.0"),
             sync->frame.source->code);
  result->warning[0] = '\0';
  return error->code;
}

/* The watermark moves, and what the pass showed of the source is compared with what it showed before. */
static enum status sync_end_pass(struct sync *sync, struct sync_result *result, struct error *error) {
  struct pass *pass = &sync->lander.pass;
  enum status status = sync_moves_on(sync) ? pass_set(&pass->watermark, pass->mark, error) : OK;
  if (status == OK) {
    status = pass_set(&pass->cursor, NULL, error);
  }
  if (status == OK) {
    status = pass_set(&pass->mark, NULL, error);
  }
  if (status == OK) {
    status = pass_set(&pass->looks, NULL, error);
  }
  pass->first_run = 0;
  pass->complete_run = sync->frame.run;
  if (status == OK) {
    status = sync_settle_drift(sync, result, error);
  }
  return status == OK && !sync->resumed ? sync_compare_volume(sync, result, error) : status;
}

/* Of a swept source, and of a reload: what did not come goes. */
static enum status sync_delete_others(struct sync *sync, struct sync_result *result, struct error *error) {
  struct lander *lander = &sync->lander;
  bool seen_any = sync->reader.pages > 0 || sync->resumed || sync->frame.options->max_drop > 0;
  if (!lander->keeps_seen || !seen_any) {
    return OK;
  }
  enum status status = sweep_run(lander, lander->unkeyed + sync->reader.complaints, result, error);
  bool refused = status == OK && result->sweep_refused && lander->one_transaction;
  return refused ? sync_refuse(sync, result, error) : status;
}

/* The last transaction of a complete pass: sweep, watermark, counts. */
static enum status sync_complete(struct sync *sync, struct sync_result *result, struct error *error) {
  struct lander *lander = &sync->lander;
  enum status status = sync_delete_others(sync, result, error);
  if (status == OK && !lander->backfill) {
    status = sync_end_pass(sync, result, error);
  }
  if (status == OK) {
    status = store_pass_save(sync->frame.bench->store, lander->lease, &lander->pass, error);
  }
  if (status == OK) {
    status = run_frame_close(&sync->frame, RUN_DONE, &lander->counts,
                             result->warning[0] != '\0' ? result->warning : NULL, error);
  }
  return status;
}

/* The cursor stands behind the last page: the next sync would find nothing more there, and take the pass for whole. */
static enum status sync_give_up_pass(struct sync *sync, struct error *error) {
  struct lander *lander = &sync->lander;
  struct store *store = sync->frame.bench->store;
  if (lander->backfill) {
    return OK;
  }
  lander->pass.first_run = 0;
  enum status status = pass_set(&lander->pass.cursor, NULL, error);
  if (status == OK) {
    status = pass_set(&lander->pass.mark, NULL, error);
  }
  if (status == OK) {
    status = pass_set(&lander->pass.looks, NULL, error);
  }
  if (status == OK) {
    status = store_begin(store, error);
  }
  if (status == OK) {
    status = store_pass_save(store, lander->lease, &lander->pass, error);
  }
  if (status == OK) {
    status = store_commit(store, error);
  }
  if (status != OK) {
    store_rollback(store);
  }
  return status;
}

/* The last transaction of a run that stopped at its budget: pages and cursor have been committed. */
static enum status sync_pause(struct sync *sync, struct sync_result *result, struct error *error) {
  struct lander *lander = &sync->lander;
  struct store *store = sync->frame.bench->store;
  char words[READER_WORDS_SIZE];
  reader_budget(&sync->reader, words);
  size_t len = strlen(result->warning);
  snprintf(result->warning + len, sizeof result->warning - len, _("%s%s: the next run goes on"), len > 0 ? "; " : "",
           words);
  if (sync->frame.options->dry_run) {
    return OK;
  }
  enum status status = store_begin(store, error);
  status = status == OK ? run_frame_close(&sync->frame, RUN_DONE, &lander->counts, result->warning, error) : status;
  status = status == OK ? store_commit(store, error) : status;
  if (status != OK) {
    store_rollback(store);
  }
  return status;
}

/* The end of a complete pass; of a reload in the transaction that holds all of it. */
static enum status sync_last(struct sync *sync, struct sync_result *result, struct error *error) {
  struct store *store = sync->frame.bench->store;
  struct lander *lander = &sync->lander;
  enum status status = lander->one_transaction ? lander_seal(lander, error) : store_begin(store, error);
  if (lander->one_transaction) {
    lander->counts = lander->pending;
    lander->staged = lander->staging;
  }
  if (status == OK) {
    status = sync_complete(sync, result, error);
  }
  if (status == OK) {
    status = store_commit(store, error);
    lander->open = false;
  }
  if (status != OK) {
    store_rollback(store);
    result->complete = false;
    if (lander->one_transaction) {
      lander->counts = (struct counts){.source_count = -1};
      lander->staged = (struct staged){0};
    }
  }
  return status;
}

static enum status sync_finish(struct sync *sync, bool complete, struct sync_result *result, struct error *error) {
  char words[160];
  bool comparable = complete && !sync->resumed && !sync->frame.options->dry_run;
  if (!counts_balance(&sync->lander.pending, comparable, words)) {
    bool lasting = !sync->frame.options->dry_run && !sync->lander.one_transaction;
    enum status status = lasting ? sync_give_up_pass(sync, error) : OK;
    if (status != OK) {
      return status;
    }
    error_set(error, ERR_BALANCE, _("the counts of the run do not add up: %s"), words);
    error_hint(error, _("the watermark stays where it was; the next sync looks at the same records again"));
    return ERR_BALANCE;
  }
  result->complete = complete;
  if (sync->lander.conflicts > 0) {
    snprintf(result->warning, sizeof result->warning,
             _("%lld records came with a key that another one of the same page has, with other content: both landed"),
             (long long)sync->lander.conflicts);
  }
  if (!complete) {
    return sync_pause(sync, result, error);
  }
  if (sync->frame.options->dry_run) {
    return OK;
  }
  return sync_last(sync, result, error);
}

static void sync_free(struct sync *sync) {
  if (sync->queue_made) {
    queue_free(&sync->queue);
  }
  map_free(sync->reader.memories);
  drift_watch_free(sync->taker.watch);
  taker_free(&sync->taker);
  lander_free(&sync->lander);
  spool_free(sync->spool);
  buffer_free(&sync->cursor);
  buffer_free(&sync->watermark);
  pthread_mutex_destroy(&sync->store_lock);
}

enum status sync_source(const struct workbench *bench, const struct source_config *source, int source_id,
                        const struct sync_options *options, struct sync_result *result, struct error *error) {
  struct sync sync = {.frame = {.bench = bench, .source = source, .source_id = source_id, .options = options}};
  pthread_mutex_init(&sync.store_lock, NULL);
  buffer_init(&sync.cursor, MARK_LIMIT);
  buffer_init(&sync.watermark, MARK_LIMIT);
  *result = (struct sync_result){.counts = {.source_count = -1}};
  enum status status = range_check(bench->store, source, source_id, options, result, error);
  if (status != OK) {
    error_place(error, _("source %s"), source->code);
    return status;
  }
  status = run_frame_open(&sync.frame, "sync", true, error);
  if (status == OK) {
    status = sync_prepare(&sync, error);
  }
  if (status == OK && options->reload) {
    status = sync_spool(&sync, error);
  }
  if (status == OK) {
    status = sync_pass(&sync, error);
  }
  if (status == END || status == OK) {
    status = sync_finish(&sync, status == END, result, error);
  }
  if (status != OK && sync.lander.bench != NULL) {
    lander_abandon(&sync.lander);
  }
  result->run = sync.frame.run;
  result->counts = sync.lander.counts;
  result->staged = sync.lander.staged;
  result->revoked = sync.lander.revoked;
  result->nothing_new = result->counts.fresh + result->counts.changed + result->counts.deleted == 0;
  if (status != OK) {
    run_frame_fail(&sync.frame, &result->counts, error);
  }
  sync_free(&sync);
  run_frame_end(&sync.frame);
  return status;
}
