/* Inside of the PostgreSQL driver, shared by its files. */
#ifndef PUENTE_STORE_POSTGRES_H
#define PUENTE_STORE_POSTGRES_H

#include "core/base/map.h"
#include "core/store/driver.h"

#include <libpq-fe.h>
#include <pthread.h>

enum { PARAMETERS_MOST = TABLE_COLUMNS_MOST, SCHEMA_MOST = 40, COPY_CHUNKS = 16 };

/* What the feeding thread is to do: COPY_CLOSE sends its rows and ends the COPY; COPY_ABANDON ends it without them and
 * forgets a failure. */
enum copy_step { COPY_OPEN, COPY_ROWS, COPY_CLOSE, COPY_ABANDON, COPY_QUIT };
struct copy_chunk {
  enum copy_step step;
  const char *table;
  struct buffer bytes; /* rows; of COPY_OPEN the statement */
};

/* Chunks on their way to the server, in a ring. */
struct copier {
  bool runs;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t moved;
  uint64_t filled, emptied;
  struct copy_chunk chunks[COPY_CHUNKS];
  struct copy_chunk *chunk; /* being filled */
  bool large;               /* the last one filled is larger than the others */
  bool copying;             /* the thread's: the server expects rows */
  struct buffer insert; /* the thread's: moves the copied rows from where they were taken first; empty: nothing does */
  struct error error;   /* the first of the transaction; stays until it is rolled back */
};

struct postgres {
  struct driver driver;
  PGconn *connection;
  char *dsn, *password; /* password may be NULL */
  char *folder;         /* where copies before an upgrade go; "": the working one */
  char schema[SCHEMA_MOST + 1], prefix[SCHEMA_MOST + 16];
  unsigned roles;                    /* of the session */
  char path[5 * (SCHEMA_MOST + 16)]; /* where names are looked up, quoted */
  bool read_only;
  bool patient;      /* waits long for another writer */
  struct map *texts; /* text of a statement to its number */
  size_t copy_columns;
  const char *copy_table;
  struct copier copier;
  uint64_t cursors; /* names given */
};

/* A result held whole, the fetches of a server's cursor, or rows one by one from a connection of its own. */
struct postgres_cursor {
  struct cursor cursor;
  struct postgres *postgres; /* whose connection; NULL for one of its own */
  PGconn *own;
  PGresult *result;
  PGresult *described; /* names of the columns, where the result has others; or NULL */
  int row;
  char name[24]; /* of a server's cursor; "" for none */
  bool started, more;
};

enum status postgres_session(const struct postgres *self, PGconn **connection, struct error *error) MUST_CHECK;
/* Fills the error from a failed result (NULL: the connection's); always returns a failure. */
enum status postgres_fail(PGconn *connection, const PGresult *result, struct error *error);
/* Finds the roles of the session, and has a restricted one read their views; ERR_AUTH where it has none. */
enum status postgres_find_roles(struct postgres *self, struct error *error) MUST_CHECK;
/* Whether a session of this process reads the views of its roles. */
bool postgres_restricted(void);
/* Runs text without parameters, for its effect. */
enum status postgres_run_text(PGconn *connection, const char *sql, struct error *error) MUST_CHECK;
/* Ends a COPY FROM STDIN, `why` not NULL: as abandoned, and reads what the server says to it. */
enum status postgres_end_copy(PGconn *connection, const char *why, struct error *error) MUST_CHECK;

/* The next rows of a server's cursor. */
enum status postgres_fetch(struct postgres_cursor *self, struct error *error) MUST_CHECK;
enum status postgres_next(struct cursor *cursor, struct error *error) MUST_CHECK;
struct value postgres_value(const struct cursor *cursor, size_t column);
bool postgres_is_integer(const struct cursor *cursor, size_t column);
size_t postgres_columns(const struct cursor *cursor);
const char *postgres_column(const struct cursor *cursor, size_t column);
void postgres_finish(struct cursor *cursor);

enum status postgres_append_begin(struct driver *driver, const struct table *table, struct error *error) MUST_CHECK;
enum status postgres_append_row(struct driver *driver, const struct value *values, struct error *error) MUST_CHECK;
enum status postgres_append_end(struct driver *driver, struct error *error) MUST_CHECK;
void postgres_append_abandon(struct postgres *self);
void postgres_append_close(struct postgres *self);
/* Waits until the server has taken all rows: before any other use of the connection. A failure is told again by each
 * call until the transaction is rolled back. */
enum status postgres_settle(struct postgres *self, struct error *error) MUST_CHECK;

enum status postgres_hold(struct driver *driver, const char *name, bool *taken, struct error *error) MUST_CHECK;
void postgres_unhold(struct driver *driver, const char *name);
enum status postgres_held(struct driver *driver, const char *name, bool *held, struct error *error) MUST_CHECK;

enum status postgres_make_views(struct driver *driver, const struct view_text *views, size_t count,
                                struct error *error) MUST_CHECK;
enum status postgres_ask(struct driver *driver, const struct view_text *views, size_t count, const char *sql,
                         int64_t timeout, struct cursor **cursor, struct error *error) MUST_CHECK;
enum status postgres_copy_to(struct driver *driver, const char *part, const atomic_bool *stop,
                             struct holdings *holdings, struct error *error) MUST_CHECK;
enum status postgres_holdings(struct driver *driver, struct holdings *holdings, struct error *error) MUST_CHECK;
enum status postgres_integrity(struct driver *driver, char *what, size_t size, struct error *error) MUST_CHECK;
enum status postgres_open_copy(const struct store_options *options, const char *file, struct driver **driver,
                               struct error *error) MUST_CHECK;
enum status postgres_scan(const struct store_options *options, const char *file, struct holdings *holdings,
                          struct error *error) MUST_CHECK;
enum status postgres_restore(const struct store_options *options, const char *file, struct buffer *aside,
                             struct error *error) MUST_CHECK;
/* The role and the function of limited rights by which people query the views that are there. In the transaction;
 * without the right to make roles it changes nothing. */
enum status postgres_limit_rights(struct postgres *self, struct error *error) MUST_CHECK;
enum status postgres_backup_label(struct driver *driver, int version, struct buffer *name,
                                  struct error *error) MUST_CHECK;

/* Network byte order. */
static inline void put_be(char *out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++) {
    out[i] = (char)(value >> (8 * (bytes - 1 - i)) & 255);
  }
}

#endif
