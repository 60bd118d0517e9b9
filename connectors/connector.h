/* HOW A REGISTRY IS REACHED. Read this first.
 *
 * A connector brings bytes: pages, and the cursor from which to go on. It knows nothing of records, formats, mapping or
 * store. A new connector is one folder with a driver and an options table, and one line in registry.c.
 *
 * Life of a connection: open → next* → close. The core calls it from one thread. After `next` returned a page, the core
 * splits, maps and lands it, and commits the page's cursor in the same transaction; then it calls `next` again. If the
 * process dies, a later open gets the last committed cursor. */
#ifndef PUENTE_CONNECTORS_CONNECTOR_H
#define PUENTE_CONNECTORS_CONNECTOR_H

#include "connectors/options.h"
#include "core/base/buffer.h"
#include "core/base/error.h"

#include <stdatomic.h>

struct connection; /* each connector's own */

/* What the core tells a connector at open. Borrowed; outlives the connection. */
struct pull {
  const char *source;         /* code of the source, for messages */
  const void *options;        /* the connector's own struct, parsed by its table */
  const char *cursor;         /* of an unfinished pass; NULL: begin a pass */
  const char *watermark;      /* highest mark of the last complete pass, less the overlap; NULL: everything */
  const char *form;           /* the last mark that the source gave, for the form it writes them in; NULL: none */
  const char *until;          /* of a backfill, included, a date with its whole day; NULL: no end */
  const char *const *columns; /* input paths that the mapping reads, for a connector that can narrow; may be NULL */
  const atomic_bool *stop;    /* becomes true when a signal asks to stop; long waits look at it */
  /* Whether `memory` was landed before (a file's digest); an error where the store cannot tell. */
  enum status (*remembers)(void *core, const char *memory, bool *known, struct error *error);
  /* Whether it was landed last, and nothing else since: for what is written anew in its place. NULL: ask the other. */
  enum status (*remembers_last)(void *core, const char *memory, bool *known, struct error *error);
  void *core;
};

/* When the certificates end that the servers of a source show, in microseconds; 0: none is shown, or there is none. */
struct certificates {
  int64_t server, token_server;
};

struct page {
  struct buffer bytes;     /* reset by the core before each `next` */
  bool begins;             /* these bytes begin a new document */
  bool ends;               /* these bytes end their document; a document may come in many pages */
  struct buffer cursor;    /* to go on after this page; left empty where a pass can only begin anew */
  struct buffer watermark; /* highest mark seen in this pass so far, as the source writes it; may stay empty */
  struct buffer memory;    /* to be remembered once this page has landed; mostly empty */
  struct buffer origin;    /* "page 3", "siscalp_2024.csv": for messages and lineage; no secret, no query string */
  int64_t source_count;    /* the source's own count of the records of this pass; -1: it gives none */
};

/* One step of `puente check --live`: name ("dns", "tls", "clock", "login", "permission", "record"), result, words. */
typedef void probe_report(void *context, const char *step, enum status result, const char *message);

struct connector {
  const char *name;
  const char *description;      /* one sentence, N_() */
  const char *format;           /* the format of its pages where only one is possible ("row"); NULL: the mapping says */
  const struct option *options; /* ends with a row whose name is NULL */
  size_t options_size;

  /* Optional. What no single row of the table can say: options that need or exclude each other, a template that cannot
   * be filled in. Secrets have been read; nothing is asked of the source. */
  enum status (*check)(const void *options, struct error *error);
  /* Optional. Whether a pass can be limited by pull.watermark, and (`until`) by pull.until too; NULL: it never can, and
   * always gives everything. */
  bool (*narrows)(const void *options, bool until);
  /* Required. Does not have to touch the network yet. */
  enum status (*open)(const struct pull *pull, struct connection **connection, struct error *error);
  /* Required. OK: a page (an empty one is allowed); END: the pass is complete. A failed read is never END. Transient
   * failures have been retried here as the options say; what is returned is final for this pass. */
  enum status (*next)(struct connection *connection, struct page *page, struct error *error);
  void (*close)(struct connection *connection); /* NULL allowed */
  /* Required. Tests the way to the source step by step; pulls at most one record and lands nothing. `first` receives
   * the bytes of a first page. */
  enum status (*probe)(const struct pull *pull, probe_report *report, void *context, struct page *first,
                       struct error *error);
  /* Optional. When the certificates that the source's servers show end. Connects and hangs up: no password is sent,
   * and no record is asked for. */
  enum status (*certificate)(const struct pull *pull, struct certificates *ends, struct error *error);
};

/* The table of connectors, in registry.c. Required slots are checked at start, in release builds too. */
const struct connector *connector_find(const char *name); /* NULL if unknown */
const struct connector *const *connector_table(size_t *count);
enum status connector_check_table(struct error *error) MUST_CHECK;
enum status connector_check(const struct connector *connector, struct error *error) MUST_CHECK; /* one row of it */

void page_init(struct page *page, size_t limit);
void page_reset(struct page *page);
void page_free(struct page *page);

#endif
