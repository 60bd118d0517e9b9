/* The reading thread: pulls pages, splits them, takes their records into parcels and sends these off, a few ahead of
 * the writer. It alone calls the connector; it touches the store only through `remembers`. The last parcel it sends
 * has `last` set and says how the pass ended. */
#ifndef PUENTE_SYNC_READER_H
#define PUENTE_SYNC_READER_H

#include "core/sync/queue.h"
#include "core/sync/take.h"

enum { READER_WORDS_SIZE = 160 };

struct reader {
  /* in */
  const struct source_config *source;
  const struct connector *connector; /* the source's, or one that gives back what was spooled */
  struct pull pull;
  const struct plan *plan;
  size_t page_limit;
  struct taker *taker;
  struct queue *queue;
  struct store *store;
  int source_id;
  pthread_mutex_t *store_lock; /* the store's handle is used by one thread at a time */
  /* its own */
  struct map *memories; /* handed over in this run, perhaps not landed yet */
  struct connection *connection;
  struct splitter *splitter;
  struct page page;
  struct parcel *parcel;     /* the one being filled */
  bool in_document;          /* a document has begun and not ended */
  bool skipping;             /* it is broken: the rest of it is passed over */
  int64_t broken;            /* documents that were; the cursor stays before the first of them */
  struct error first_error;  /* of the first */
  int64_t pages, bytes;      /* of this run */
  int64_t started;           /* by clock_monotonic */
  bool unbounded;            /* the budget does not hold this run */
  bool exceeds;              /* it was used up where the pass could not be divided */
  int64_t barren;            /* pages in a row that held no record */
  struct sha256 former_page; /* of the last page that was a whole document */
  int64_t complaints;        /* records left out so far */
};

/* What of the budget is used up, in words; "" while there is some left, or where it does not hold. */
void reader_budget(const struct reader *reader, char words[READER_WORDS_SIZE]);
/* For struct pull: `core` is the reader. */
enum status reader_remembers(void *core, const char *memory, bool *known, struct error *error) MUST_CHECK;
enum status reader_remembers_last(void *core, const char *memory, bool *known, struct error *error) MUST_CHECK;
/* The thread's function; `context` is a struct reader. The last parcel says END where the pass is complete, and OK
 * where the source's budget was used up before. */
void *reader_run(void *context);

#endif
