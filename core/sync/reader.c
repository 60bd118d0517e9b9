#include "core/sync/reader.h"

#include "core/base/date.h"
#include "core/base/log.h"

#include <stdio.h>

enum { BARREN_PAGES_MOST = 1000, COMPLAINTS_SHOWN = 5, BROKEN_MOST = 20 };

/* Sends the parcel off and waits for an empty one. ERR_INTERRUPTED: the writer has given up. */
static enum status reader_send(struct reader *reader, struct error *error) {
  queue_send(reader->queue);
  reader->parcel = queue_next_empty(reader->queue);
  return reader->parcel != NULL ? OK : error_set(error, ERR_INTERRUPTED, _("the run was stopped"));
}

/* Context and origin belong to the document that the parcel's records come from. */
static enum status reader_label(struct reader *reader, struct error *error) {
  struct parcel *parcel = reader->parcel;
  if (parcel->format != NULL) {
    return OK;
  }
  parcel->format = reader->taker->format->name;
  if (buffer_slice(&parcel->context, reader->taker->format->context(reader->splitter)) != OK
      || buffer_slice(&parcel->origin, buffer_view(&reader->page.origin)) != OK) {
    return error_memory(error);
  }
  return OK;
}

static void reader_complain(struct reader *reader, const struct raw *raw) {
  if (reader->complaints++ < COMPLAINTS_SHOWN) {
    log_message(LEVEL_WARNING, _("source %s, %.*s, line %llu: record left out: %s"), reader->source->code,
                SLICE_ARG(buffer_view(&reader->page.origin)), (unsigned long long)raw->line,
                raw->reason[0] != '\0' ? raw->reason : _("it may not be landed"));
  }
}

static enum status reader_take(struct reader *reader, const struct raw *raw, struct error *error) {
  if (!parcel_fits(reader->parcel, raw->bytes.len)) {
    enum status status = reader_send(reader, error);
    if (status != OK) {
      return status;
    }
  }
  for (int attempt = 0;; attempt++) {
    enum status status = reader_label(reader, error);
    if (status != OK) {
      return status;
    }
    struct slice context = buffer_view(&reader->parcel->context);
    enum taken taken = TAKEN;
    status = taker_take(reader->taker, reader->parcel, raw, context, false, &taken, error);
    if (status != OK || (taken != TAKE_LATER)) {
      if (status == OK && taken == TAKEN_REJECTED && raw->fault != RECORD_FINE) {
        reader_complain(reader, raw);
      }
      return status;
    }
    if (attempt > 0) {
      return error_set(error, ERR_INTERNAL, _("a record does not fit an empty batch"));
    }
    if ((status = reader_send(reader, error)) != OK) {
      return status;
    }
  }
}

static enum status reader_split(struct reader *reader, bool *barren, struct error *error) {
  const struct format *format = reader->taker->format;
  enum status status = format->feed(reader->splitter, buffer_view(&reader->page.bytes), reader->page.ends, error);
  while (status == OK) {
    struct raw raw = {0};
    status = format->next(reader->splitter, &raw, error);
    if (status == OK) {
      *barren = false;
      status = reader_take(reader, &raw, error);
    }
  }
  return status == END ? OK : status;
}

/* A source that gives the same page for ever would fill the log and never the store. */
static enum status reader_watch(struct reader *reader, bool barren, struct error *error) {
  reader->barren = barren ? reader->barren + 1 : 0;
  if (reader->barren > BARREN_PAGES_MOST) {
    error_set(error, ERR_INPUT, _("the source gave %d pages in a row without a record"), BARREN_PAGES_MOST);
    error_hint(error, _("its paging may have no end: check the paging options of the source"));
    return ERR_INPUT;
  }
  if (!reader->page.begins || !reader->page.ends || barren) {
    return OK;
  }
  struct sha256 present = sha256_of(buffer_view(&reader->page.bytes));
  bool same = memcmp(present.bytes, reader->former_page.bytes, SHA256_SIZE) == 0;
  reader->former_page = present;
  if (!same) {
    return OK;
  }
  error_set(error, ERR_INPUT, _("the source gave the same page twice in a row"));
  error_hint(error, _("its paging does not move: check the paging options of the source"));
  return ERR_INPUT;
}

/* What the page says about where the pass stands goes with the parcel that holds its last records. */
static enum status reader_stamp(struct reader *reader, struct error *error) {
  struct parcel *parcel = reader->parcel;
  const struct page *page = &reader->page;
  parcel->counts.pages++;
  parcel->counts.bytes += (int64_t)page->bytes.len;
  parcel->source_count = page->source_count;
  parcel->moves = page->ends && page->cursor.len > 0 && reader->broken == 0;
  buffer_reset(&parcel->cursor);
  buffer_reset(&parcel->mark);
  buffer_slice(&parcel->cursor, buffer_view(&page->cursor));
  buffer_slice(&parcel->mark, buffer_view(&page->watermark));
  if (page->memory.len > 0) {
    buffer_reset(&parcel->memory);
    buffer_slice(&parcel->memory, buffer_view(&page->memory));
  }
  if (reader->taker->watch != NULL && (parcel->moves || parcel->memory.len > 0)) {
    buffer_reset(&parcel->looks);
    drift_note(reader->taker->watch, &parcel->looks);
  }
  bool failed = parcel->cursor.failed != OK || parcel->mark.failed != OK || parcel->memory.failed != OK;
  failed = failed || (page->memory.len > 0 && map_intern(reader->memories, buffer_view(&page->memory)) == MAP_NONE);
  return failed ? error_memory(error) : OK;
}

static void reader_place(const struct reader *reader, struct error *error) {
  if (error->code != ERR_INTERRUPTED && reader->page.origin.len > 0) {
    error_place(error, "%.*s", SLICE_ARG(buffer_view(&reader->page.origin)));
  }
}

/* A broken document, one file of a folder say, does not hold up those after it: the pass goes on, and ends as failed.
 * What was read of it before stays; it is not remembered, and the cursor does not pass it. */
static enum status reader_pass_over(struct reader *reader, struct error *error) {
  reader_place(reader, error);
  if (reader->broken == 0) {
    reader->first_error = *error;
  } else {
    struct error further = *error;
    error_place(&further, _("source %s"), reader->source->code);
    log_error(LEVEL_WARNING, &further);
  }
  if (++reader->broken > BROKEN_MOST) {
    *error = reader->first_error;
    return error->code;
  }
  reader->skipping = reader->in_document;
  reader->parcel->moves = false;
  return reader->parcel->taken > 0 ? reader_send(reader, error) : OK;
}

static enum status reader_page(struct reader *reader, struct error *error) {
  const struct format *format = reader->taker->format;
  if (reader->skipping && !reader->page.begins) {
    reader->in_document = !reader->page.ends;
    reader->skipping = reader->in_document;
    return OK;
  }
  reader->skipping = false;
  if (reader->page.begins || !reader->in_document) {
    drift_document(reader->taker->watch);
    format->begin(reader->splitter);
    taker_begin(reader->taker, NULL);
  }
  reader->in_document = !reader->page.ends;
  bool barren = true;
  enum status status = reader_split(reader, &barren, error);
  if (status == ERR_INPUT) {
    return reader_pass_over(reader, error);
  }
  if (status == OK) {
    status = reader_watch(reader, barren && reader->page.ends, error);
  }
  if (status == OK && reader->page.ends) {
    status = drift_columns(reader->taker->watch, format->context(reader->splitter), error);
  }
  if (status == OK) {
    status = reader_stamp(reader, error);
  }
  if (status == OK && reader->page.ends) {
    status = reader_send(reader, error);
  }
  if (status != OK) {
    reader_place(reader, error);
  }
  return status;
}

/* The pass ends with the error of its first broken document, or with another one beside that. */
static enum status reader_end_broken(const struct reader *reader, enum status status, struct error *error) {
  struct error first = reader->first_error;
  if (status == END) {
    *error = first;
    return first.code;
  }
  error_place(&first, _("source %s"), reader->source->code);
  log_error(LEVEL_WARNING, &first);
  return status;
}

void reader_budget(const struct reader *reader, char words[READER_WORDS_SIZE]) {
  const struct budget *budget = &reader->source->budget;
  words[0] = '\0';
  if (reader->unbounded) {
    return;
  }
  if (budget->pages > 0 && reader->pages >= budget->pages) {
    snprintf(words, READER_WORDS_SIZE, _("the budget of %lld pages is used up"), (long long)budget->pages);
  } else if (budget->bytes > 0 && reader->bytes >= budget->bytes) {
    snprintf(words, READER_WORDS_SIZE, _("the budget of %lld bytes is used up"), (long long)budget->bytes);
  } else if (budget->time > 0 && clock_monotonic() - reader->started >= budget->time) {
    snprintf(words, READER_WORDS_SIZE, _("the budget of %lld seconds is used up"),
             (long long)((budget->time + 999999) / 1000000));
  }
}

/* Whether the run ends here: only where the next one can go on after this page, or it would never come any further. */
static bool reader_spent(struct reader *reader) {
  char words[READER_WORDS_SIZE];
  reader_budget(reader, words);
  if (words[0] == '\0' || reader->in_document || reader->broken > 0) {
    return false;
  }
  if (reader->page.cursor.len == 0 && !reader->exceeds) {
    reader->exceeds = true;
    log_message(LEVEL_WARNING, _("source %s: %s, but a pass over it cannot be divided: it goes on to the end"),
                reader->source->code, words);
  }
  return reader->page.cursor.len > 0;
}

static enum status reader_stopped(const struct reader *reader, struct error *error) {
  if (reader->connector != reader->source->connector) {
    return error_set(error, ERR_INTERRUPTED, _("stopped by a signal; nothing was swapped"));
  }
  if (reader->pull.until != NULL) {
    return error_set(error, ERR_INTERRUPTED, _("stopped by a signal; what landed stays: ask for the same range again"));
  }
  return error_set(error, ERR_INTERRUPTED, _("stopped by a signal; the next sync goes on from here"));
}

static enum status reader_pass(struct reader *reader, struct error *error) {
  enum status status = reader->taker->format->splitter_new(plan_format_options(reader->plan), &reader->splitter, error);
  if (status == OK) {
    status = reader->connector->open(&reader->pull, &reader->connection, error);
  }
  while (status == OK) {
    if (atomic_load(reader->pull.stop)) {
      return reader_stopped(reader, error);
    }
    page_reset(&reader->page);
    status = reader->connector->next(reader->connection, &reader->page, error);
    if (status != OK && reader->broken > 0) {
      return reader_end_broken(reader, status, error);
    }
    if (status == END && reader->in_document) {
      return error_set(error, ERR_INPUT, _("the source ended in the middle of a document"));
    }
    if (status != OK) {
      return status;
    }
    reader->pages++;
    reader->bytes += (int64_t)reader->page.bytes.len;
    status = reader_page(reader, error);
    if (status == OK && reader_spent(reader)) {
      return OK;
    }
  }
  return status;
}

typedef enum status store_asked(struct store *store, int source_id, const char *memory, bool *known,
                                struct error *error);

static enum status ask_memory(struct reader *reader, store_asked *ask, const char *memory, bool *known,
                              struct error *error) {
  *known = map_get(reader->memories, slice_of(memory)) != MAP_NONE;
  if (*known) {
    return OK;
  }
  pthread_mutex_lock(reader->store_lock);
  enum status status = ask(reader->store, reader->source_id, memory, known, error);
  pthread_mutex_unlock(reader->store_lock);
  return status;
}

enum status reader_remembers(void *core, const char *memory, bool *known, struct error *error) {
  return ask_memory(core, store_remembers, memory, known, error);
}

enum status reader_remembers_last(void *core, const char *memory, bool *known, struct error *error) {
  return ask_memory(core, store_remembers_last, memory, known, error);
}

void *reader_run(void *context) {
  struct reader *reader = context;
  struct error error = {.code = OK};
  page_init(&reader->page, reader->page_limit);
  reader->started = clock_monotonic();
  reader->parcel = queue_next_empty(reader->queue);
  enum status status = reader->parcel == NULL ? ERR_INTERRUPTED : reader_pass(reader, &error);
  if (reader->complaints > COMPLAINTS_SHOWN) {
    log_message(LEVEL_WARNING, _("source %s: %lld records left out in all"), reader->source->code,
                (long long)reader->complaints);
  }
  if (reader->connection != NULL) {
    reader->connector->close(reader->connection);
  }
  if (reader->splitter != NULL) {
    reader->taker->format->splitter_free(reader->splitter);
  }
  page_free(&reader->page);
  if (reader->parcel != NULL) {
    reader->parcel->last = true;
    reader->parcel->status = status;
    reader->parcel->error = error;
    queue_send(reader->queue);
  }
  return NULL;
}
