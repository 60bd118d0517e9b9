/* Inside of the SQLite driver, shared by its files. */
#ifndef PUENTE_STORE_SQLITE_H
#define PUENTE_STORE_SQLITE_H

#include "core/base/map.h"
#include "core/store/driver.h"

#include <sqlite3.h>

enum { SQLITE_APPLICATION = 0x5075656e /* "Puen" */, PARAMETERS_MOST = TABLE_COLUMNS_MOST };

/* A prepared statement; $n may stand anywhere, so its positions are looked up once. */
struct statement {
  sqlite3_stmt *handle;
  bool busy;
  uint8_t parameter[PARAMETERS_MOST]; /* $n of each position */
  uint8_t parameter_count;
};

struct sqlite {
  struct driver driver;
  sqlite3 *handle;
  char *path;
  bool read_only;
  int holds;               /* descriptor of FILE-hold; -1: not open */
  const atomic_bool *stop; /* borrowed; NULL: the wait for another writer is short */
  int64_t waits_since;     /* monotonic, for another writer */
  struct map *texts;       /* text of a statement to its position */
  struct statement **statements;
  size_t statement_count;
  struct statement *append;
  bool bound[TABLE_COLUMNS_MOST]; /* columns of the append that are not NULL now */
  size_t append_columns;
};

struct sqlite_cursor {
  struct cursor cursor;
  struct sqlite *sqlite; /* NULL for a connection of the cursor's own */
  struct statement *statement;
  bool own;        /* not in the cache: finalised with the cursor */
  sqlite3 *handle; /* of the cursor's own, else NULL */
  int64_t deadline;
};

enum status sqlite_fail(sqlite3 *handle, int code, struct error *error);
enum status sqlite_prepare(sqlite3 *handle, const char *sql, struct statement **statement,
                           struct error *error) MUST_CHECK;
void sqlite_discard(struct statement *statement);
/* Back to the cache; its own (not in the cache): finalised. */
void sqlite_give_back(struct statement *statement, bool own);

/* ---- the rows of a query (cursor.c); ops of the driver ---- */

enum status sqlite_next(struct cursor *cursor, struct error *error) MUST_CHECK;
struct value sqlite_value_at(const struct cursor *cursor, size_t column);
bool sqlite_is_integer(const struct cursor *cursor, size_t column);
size_t sqlite_columns(const struct cursor *cursor);
const char *sqlite_column(const struct cursor *cursor, size_t column);
void sqlite_finish(struct cursor *cursor);

/* The store's one path, whatever links lead to it: holds lie beside it, and a restore puts its copy there. To be freed;
 * NULL: no memory. */
char *sqlite_real_path(const char *path);
/* Its first reading waited for a restore, which has put another file in the place of the one that is open: what was
 * written into that would be lost. */
bool sqlite_has_moved(sqlite3 *handle);
/* The file is made beforehand, since SQLite would make it readable by others; its log follows its mode. */
enum status sqlite_make_file(const char *path, struct error *error) MUST_CHECK;
/* Opens a database for reading only; one on a disk that is full or mounted read-only, too, where its
 * log is empty. */
int sqlite_open_reading(const char *path, sqlite3 **handle);
bool sqlite_disk_is_read_only(const char *path);
/* Another connection writes: SQLite asks here whether to try again. */
int sqlite_wait(void *context, int tries);
enum status sqlite_copy(struct driver *driver, const char *part, const atomic_bool *stop, struct holdings *holdings,
                        struct error *error) MUST_CHECK;
enum status sqlite_holdings(struct driver *driver, struct holdings *holdings, struct error *error) MUST_CHECK;
enum status sqlite_open_copy(const struct store_options *options, const char *file, struct driver **driver,
                             struct error *error) MUST_CHECK;
enum status sqlite_restore(const struct store_options *options, const char *file, struct buffer *aside,
                           struct error *error) MUST_CHECK;
enum status sqlite_integrity(struct driver *driver, char *what, size_t size, struct error *error) MUST_CHECK;
enum status sqlite_backup_label(struct driver *driver, int version, struct buffer *name,
                                struct error *error) MUST_CHECK;
enum status sqlite_hold(struct driver *driver, const char *name, bool *taken, struct error *error) MUST_CHECK;
void sqlite_unhold(struct driver *driver, const char *name);
enum status sqlite_held(struct driver *driver, const char *name, bool *held, struct error *error) MUST_CHECK;
enum status sqlite_ask(struct driver *driver, const struct view_text *views, size_t count, const char *sql,
                       int64_t timeout, struct cursor **cursor, struct error *error) MUST_CHECK;

#endif
