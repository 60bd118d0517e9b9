#include "core/service/erase.h"

#include "core/base/date.h"
#include "core/service/access.h"
#include "core/service/reapply.h"
#include "core/sync/revoke.h"

#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_SIZE = 24, RECORDS_MOST = 10000, AT_ONCE = 500, KEYS_LIMIT = 16 << 20 };

/* One record that goes, whole or with one person in it. */
struct part {
  int64_t record_id;
  struct slice person; /* key; data NULL: the whole record */
};
struct work {
  struct workspace *workspace;
  struct erasing erasing;
  struct arena *arena;
  struct part parts[RECORDS_MOST];
  size_t count;
  struct erase_done *done;
};

/* ---- which records ---- */

static enum status add_part(struct work *work, int64_t record_id, struct slice person, struct error *error) {
  for (size_t i = 0; i < work->count; i++) {
    if (work->parts[i].record_id == record_id && slice_equal(work->parts[i].person, person)) {
      return OK;
    }
  }
  if (work->count == RECORDS_MOST) {
    return error_set(error, ERR_LIMIT, _("at most %d records can be taken out at once"), RECORDS_MOST);
  }
  work->parts[work->count++] = (struct part){.record_id = record_id, .person = person};
  return OK;
}

/* Whether others than the person of that key are in the record. */
struct others {
  struct slice key;
  bool found;
};

static enum status look_at(void *context, const struct row *row, struct error *error) {
  struct others *others = context;
  (void)error;
  others->found = others->found || !slice_equal(row->key, others->key);
  return OK;
}

static enum status add_member(void *context, const struct row *row, struct error *error) {
  struct work *work = context;
  int64_t record_id = record_of(row->row_id);
  struct others others = {.key = arena_copy(work->arena, row->key)};
  const struct row_filter filter = {.record_id = record_id};
  if (others.key.data == NULL) {
    return error_memory(error);
  }
  enum status status = store_visit_rows(work->workspace->store, model_entity(work->workspace->model, "person"), &filter,
                                        look_at, &others, error);
  return status == OK ? add_part(work, record_id, others.found ? others.key : slice_make(NULL, 0), error) : status;
}

static enum status find_person(struct work *work, int64_t person, struct error *error) {
  static const char *const columns[] = {"row_id"};
  char number[NUMBER_SIZE];
  snprintf(number, sizeof number, "%lld", (long long)person);
  const struct filter filters[] = {{.column = "id", .text = number}, {.column = "kind", .text = "person"}};
  const struct selection selection = {
      .view = "members", .columns = columns, .column_count = 1, .filters = filters, .filter_count = 2};
  int64_t *rows = arena_array(work->arena, RECORDS_MOST, sizeof *rows);
  size_t count = 0;
  struct result *result = NULL;
  enum status status =
      rows == NULL ? error_memory(error) : store_select(work->workspace->store, &selection, &result, error);
  while (status == OK && count < RECORDS_MOST && (status = result_next(result, error)) == OK) {
    rows[count++] = result_integer(result, 0);
  }
  result_free(result);
  if (status == OK) { /* no row of it may stay behind unseen */
    return error_set(error, ERR_LIMIT, _("at most %d records can be taken out at once"), RECORDS_MOST);
  }
  if (status != END) {
    return status;
  }
  if (count == 0) {
    error_set(error, ERR_NOT_FOUND, _("there is no person %lld"), (long long)person);
    error_hint(error, _("`puente explain person %lld` tells what became of it"), (long long)person);
    return ERR_NOT_FOUND;
  }
  const struct row_filter filter = {.rows = rows, .count = count};
  return store_visit_rows(work->workspace->store, model_entity(work->workspace->model, "person"), &filter, add_member,
                          work, error);
}

/* ---- one transaction ---- */

/* What stands of the records, as the entry has it before and after. */
static enum status see(const struct work *work, const int64_t *records, size_t count, char text[STATE_TEXT + 1],
                       struct error *error) {
  struct state state;
  enum status status = state_init(&state, work->workspace->key, error);
  status = status == OK ? state_of_records(&state, work->workspace->store, records, count, text, error) : status;
  state_free(&state);
  return status;
}

static int compare_part(const void *a, const void *b) {
  const struct part *left = a, *right = b;
  return (left->record_id > right->record_id) - (left->record_id < right->record_id);
}

/* Sources in ascending order, so that two never wait for each other. */
static enum status shut_sources(const struct work *work, const struct part *parts, size_t count, struct error *error) {
  int last = 0;
  enum status status = OK;
  for (size_t i = 0; i < count && status == OK; i++) {
    int64_t epoch;
    int source_id = source_of_record(parts[i].record_id);
    if (source_id != last) {
      status = store_erase_epoch(work->workspace->store, source_id, &epoch, error);
      last = source_id;
    }
  }
  return status;
}

static enum status take_out(struct work *work, const struct part *part, struct erased *erased, struct error *error) {
  struct store *store = work->workspace->store;
  if (part->person.data == NULL) {
    return store_erase(store, &work->erasing, &part->record_id, 1, erased, error);
  }
  work->done->partly++;
  return store_erase_person(store, &work->erasing, part->record_id, part->person, erased, error);
}

static const char *code_of(const struct workspace *workspace, int64_t record_id) {
  for (size_t i = 0; i < workspace->config->source_count; i++) {
    if (workspace->source_ids[i] == source_of_record(record_id)) {
      return workspace->config->sources[i].code;
    }
  }
  return NULL;
}

static enum status write_all(struct work *work, struct part *parts, size_t count, struct error *error) {
  struct store *store = work->workspace->store;
  struct erasing *erasing = &work->erasing;
  const struct counts counts = {.deleted = (int64_t)count, .source_count = -1};
  int source_id = source_of_record(parts[0].record_id);
  bool one = source_id == source_of_record(parts[count - 1].record_id);
  struct erased erased = {0};
  struct erased_states states = {.before = ""};
  int64_t *records = calloc(count, sizeof *records);
  enum status status = records == NULL ? error_memory(error) : shut_sources(work, parts, count, error);
  for (size_t i = 0; i < count && status == OK; i++) {
    records[i] = parts[i].record_id;
  }
  status = status == OK ? see(work, records, count, states.before, error) : status;
  if (status == OK) {
    status =
        store_run_begin(store, "erase", one ? source_id : 0, erasing->actor, erasing->reason, &erasing->run, error);
  }
  for (size_t i = 0; i < count && status == OK; i++) {
    status = take_out(work, &parts[i], &erased, error);
  }
  status = status == OK ? store_run_end(store, erasing->run, RUN_DONE, &counts, NULL, error) : status;
  if (status == OK) {
    status = see(work, records, count, states.after, error);
  }
  if (status == OK) {
    const char *source = one ? code_of(work->workspace, parts[0].record_id) : NULL;
    status = erase_log(store, source, erasing, records, count, &erased, &states, error);
  }
  free(records);
  struct erased *sum = &work->done->erased;
  sum->records += erased.records;
  sum->versions += erased.versions;
  sum->bytes += erased.bytes;
  sum->rows += erased.rows;
  sum->identities += erased.identities;
  sum->wholes += erased.wholes;
  sum->pairs += erased.pairs;
  sum->issues += erased.issues;
  return status;
}

static enum status in_transaction(struct work *work, struct part *parts, size_t count, bool dry_run,
                                  struct error *error) {
  struct store *store = work->workspace->store;
  qsort(parts, count, sizeof *parts, compare_part);
  enum status status = store_begin(store, error);
  if (status != OK) {
    return status;
  }
  status = write_all(work, parts, count, error);
  if (status == OK && !dry_run) {
    status = store_commit(store, error);
    work->done->run = status == OK ? work->erasing.run : 0;
  }
  if (status != OK || dry_run) {
    store_rollback(store);
  }
  return status;
}

/* What is out of the tables leaves the files too. That a reader keeps it for a while is told, and is no failure. */
static void purge(struct workspace *workspace, struct erase_done *done) {
  erasures_keep(workspace, workspace->store, NULL);
  done->lingers = store_purge(workspace->store, &done->why) != OK;
}

/* ---- on request ---- */

static enum status check_request(struct workspace *workspace, const struct erase_request *request,
                                 struct error *error) {
  enum status status = access_require(workspace, RIGHT_DECIDE, error);
  status = status == OK ? access_person(workspace, error) : status;
  if (status != OK) {
    return status;
  }
  bool told = request->reason != NULL && request->reason[0] != '\0' && request->document != NULL
              && request->document[0] != '\0';
  if (!told) {
    error_set(error, ERR_USAGE, "%s", _("taking out needs a reason and the number of the document that asks for it"));
    error_hint(error, "%s", _("--reason TEXT --document NUMBER; no value of a person stands in either"));
    return ERR_USAGE;
  }
  return OK;
}

enum status service_erase(struct workspace *workspace, const struct erase_request *request, struct erase_done *done,
                          struct error *error) {
  *done = (struct erase_done){.lingers = false};
  enum status status = check_request(workspace, request, error);
  if (status != OK) {
    return status;
  }
  struct work *work = calloc(1, sizeof *work);
  if (work == NULL) {
    return error_memory(error);
  }
  *work = (struct work){.workspace = workspace,
                        .erasing = {.cause = ERASE_REQUEST,
                                    .actor = workspace->actor,
                                    .reason = request->reason,
                                    .document = request->document},
                        .done = done};
  work->arena = arena_new(KEYS_LIMIT);
  int64_t record_id = 0;
  status = work->arena == NULL ? error_memory(error) : OK;
  if (status == OK && request->record != NULL) {
    status = store_record_id(workspace->store, request->record, &record_id, error);
    status = status == OK ? add_part(work, record_id, slice_make(NULL, 0), error) : status;
  } else if (status == OK) {
    status = find_person(work, request->person, error);
  }
  status = status == OK ? in_transaction(work, work->parts, work->count, request->dry_run, error) : status;
  if (status == OK && !request->dry_run) {
    purge(workspace, done);
  }
  arena_free(work->arena);
  free(work);
  return status;
}

/* ---- when the time is over ---- */

static enum status add_outdated(void *context, int64_t record_id, struct error *error) {
  struct work *work = context;
  (void)error;
  work->parts[work->count++] = (struct part){.record_id = record_id};
  return OK;
}

/* Some hundred records a transaction; a dry run counts them. */
static enum status expire_source(struct work *work, const struct erase_expired *job, const struct source_config *source,
                                 int source_id, struct error *error) {
  char reason[96];
  int64_t before = terms_keep_from(&source->terms, clock_now()), after = 0, records = 0;
  enum status status = OK;
  if (source_id == 0 || before == INT64_MIN) {
    return OK;
  }
  snprintf(reason, sizeof reason, "retention of %lld months", (long long)source->terms.retention_months);
  work->erasing = (struct erasing){
      .cause = ERASE_RETENTION, .actor = work->workspace->actor, .reason = reason, .document = source->terms.agreement};
  do {
    if (job->stop != NULL && atomic_load(job->stop)) {
      return error_set(error, ERR_INTERRUPTED, "%s", _("stopped by a signal; the next one goes on"));
    }
    work->count = 0;
    status = store_visit_outdated(work->workspace->store, source_id, before, after, AT_ONCE, add_outdated, work, error);
    if (status == OK && work->count > 0) {
      after = work->parts[work->count - 1].record_id;
      records += (int64_t)work->count;
      status = in_transaction(work, work->parts, work->count, job->dry_run, error);
    }
  } while (status == OK && work->count == AT_ONCE);
  if (status == OK && records > 0 && job->tell != NULL) {
    job->tell(job->context, source, records);
  }
  return status;
}

enum status service_erase_expired(struct workspace *workspace, const struct erase_expired *job, struct erase_done *done,
                                  struct error *error) {
  const struct config *config = workspace->config;
  *done = (struct erase_done){.lingers = false};
  enum status status = access_require(workspace, RIGHT_RUN, error);
  struct work *work = calloc(1, sizeof *work);
  if (status == OK && work == NULL) {
    status = error_memory(error);
  }
  for (size_t i = 0; i < config->source_count && status == OK; i++) {
    const struct source_config *source = &config->sources[i];
    if (job->source == NULL || strcmp(job->source, source->code) == 0) {
      *work = (struct work){.workspace = workspace, .done = done};
      status = expire_source(work, job, source, workspace->source_ids[i], error);
    }
  }
  if (status == OK && !job->dry_run && done->erased.records > 0) {
    purge(workspace, done);
  }
  free(work);
  return status;
}
