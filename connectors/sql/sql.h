/* The `sql` connector inside its folder. sql.c drives: which rows (statement.c), as lines of the `row` format (rows.c),
 * from one of two drivers: postgres.c, sqlite.c. */
#ifndef PUENTE_CONNECTORS_SQL_SQL_H
#define PUENTE_CONNECTORS_SQL_SQL_H

#include "connectors/connector.h"

enum { SQL_KEYS_MOST = 16, SQL_COLUMNS_MOST = 1600 };

enum sql_tls { TLS_DISABLE, TLS_PREFER, TLS_REQUIRE, TLS_VERIFY_CA, TLS_VERIFY_FULL };

struct sql_options {
  const char *sqlite;
  const char *dsn, *host, *dbname, *user;
  int64_t port;
  char *password;
  int sslmode; /* enum sql_tls */
  const char *sslrootcert, *sslcert, *sslkey;
  const char *query;
  struct option_list key;
  const char *watermark;
  int64_t page, timeout, connect_timeout;
  bool count;
};

/* Which rows, and in which order: by watermark and key. A row without watermark comes first, and in every pass, since
 * nothing tells whether it changed. */
struct sql_range {
  int watermark; /* column, -1: none */
  int keys[SQL_KEYS_MOST];
  size_t key_count;
  const char *from, *until; /* bounds of the watermark, both included; NULL: none */
  bool before_until;        /* `until` is the day after the last one: not included */
  bool resumes;             /* after the row with these values */
  const char *after;        /* its watermark; NULL where it had none */
  const char *after_keys[SQL_KEYS_MOST];
};

struct sql {
  const struct pull *pull;
  const struct sql_options *options;
  const struct sql_driver *driver;
  struct arena *arena;
  void *session; /* the driver's */
  const char **columns;
  size_t column_count;
  struct sql_range range;
};

/* A row's values are valid until the next call. NULL has no data. */
struct sql_driver {
  char parameter; /* what stands before a parameter's number: '$' or '?' */
  const char *nulls_first;
  /* Connects and begins a read-only transaction that sees one snapshot. */
  enum status (*connect)(struct sql *sql, struct error *error);
  /* Fills columns: what the query gives. */
  enum status (*describe)(struct sql *sql, const char *statement, struct error *error);
  enum status (*start)(struct sql *sql, const char *statement, const char *const *parameters, size_t count,
                       struct error *error);
  /* Runs a statement that gives one number. */
  enum status (*number)(struct sql *sql, const char *statement, const char *const *parameters, size_t count,
                        int64_t *number, struct error *error);
  /* OK: a row; END: no more. */
  enum status (*step)(struct sql *sql, struct slice *values, struct error *error);
  /* For the probe: whether this user could write, and how far the clock is off in microseconds (false: not known). */
  enum status (*may_write)(struct sql *sql, bool *may, struct error *error);
  bool (*clock_offset)(struct sql *sql, int64_t *micros);
  /* Optional: when the server's certificate ends (connector.h). */
  enum status (*certificate)(const struct sql *sql, int64_t *ends, struct error *error);
  void (*disconnect)(struct sql *sql);
};

extern const struct sql_driver sql_postgres, sql_sqlite;

/* statement.c: the statement for all columns of the query without rows, and the one for the range. Its parameters are
 * collected in the order of their numbers. NULL: out of memory. */
enum status sql_check_query(const char *query, struct error *error) MUST_CHECK;
const char *sql_describe_statement(const struct sql *sql);
const char *sql_range_statement(const struct sql *sql, const char **parameters, size_t *count);
/* The columns of key and watermark by name; ERR_CONFIG with the nearest name. */
enum status sql_resolve(struct sql *sql, struct error *error) MUST_CHECK;

/* rows.c: one line of PostgreSQL's COPY CSV: NULL is nothing, empty text is "". */
void sql_write_row(struct buffer *out, const struct slice *values, size_t count);
/* The cursor {"w":…,"k":[…]} of a row, and back into the range. */
void sql_write_cursor(struct buffer *out, const struct sql_range *range, const struct slice *values);
enum status sql_read_cursor(struct sql *sql, const char *cursor, struct error *error) MUST_CHECK;

static inline bool sql_stopped(const struct sql *sql) {
  return sql->pull->stop != NULL && atomic_load(sql->pull->stop);
}

#endif
