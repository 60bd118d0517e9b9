/* What a database must do to be Puente's store: the small contract between the store's functions, written once, and
 * SQLite and PostgreSQL.
 *
 * SQL is portable and written once: placeholders $1 …; LIST(n) stands for the integers of parameter n as a table k with
 * one column `value`, and IN (SELECT k.value FROM LIST(n)) for one of them. Statements are prepared once per text. A
 * driver, and all that it hands out, belongs to the store that opened it; text and bytes of a row are valid until the
 * cursor moves. */
#ifndef PUENTE_STORE_DRIVER_H
#define PUENTE_STORE_DRIVER_H

#include "core/store/backup.h"

enum value_kind { VALUE_NULL, VALUE_INTEGER, VALUE_REAL, VALUE_TEXT, VALUE_BYTES, VALUE_LIST };

struct value {
  uint8_t kind; /* enum value_kind */
  uint32_t len; /* of text and bytes; elements of a list */
  union {
    int64_t integer;
    double real;
    const char *text; /* VALUE_BYTES too */
    const int64_t *list;
  };
};

static inline struct value null_value(void) {
  return (struct value){.kind = VALUE_NULL};
}
static inline struct value int_value(int64_t integer) {
  return (struct value){.kind = VALUE_INTEGER, .integer = integer};
}
static inline struct value real_value(double real) {
  return (struct value){.kind = VALUE_REAL, .real = real};
}
static inline struct value slice_value(struct slice text) {
  return (struct value){
      .kind = text.data == NULL ? VALUE_NULL : VALUE_TEXT, .len = (uint32_t)text.len, .text = text.data};
}
static inline struct value text_value(const char *text) {
  return slice_value(slice_of(text));
}
static inline struct value bytes_value(const void *data, size_t len) {
  return (struct value){.kind = data == NULL ? VALUE_NULL : VALUE_BYTES, .len = (uint32_t)len, .text = data};
}
static inline struct value list_value(const int64_t *list, size_t count) {
  return (struct value){.kind = VALUE_LIST, .len = (uint32_t)count, .list = list};
}

enum column_type { COLUMN_INTEGER, COLUMN_TEXT, COLUMN_BYTES, COLUMN_REAL };
struct table_column {
  const char *name;
  enum column_type type;
};
struct table {
  const char *name;
  const char *primary; /* columns of the primary key: "raw_id", "row_id, from_run" */
  const struct table_column *columns;
  size_t column_count;
};
enum { TABLE_COLUMNS_MOST = 128 };

/* A view that people may read: its name and the SELECT behind it. */
struct view_text {
  const char *name;
  const char *select;
  bool dated; /* of intervals of runs, as what they are now: alias.to_run IS NULL */
};

struct driver {
  const struct driver_ops *ops;
};
struct cursor {
  const struct driver_ops *ops;
};

struct dialect {
  const char *schema;        /* where the tables are; NULL: the database knows no roles */
  unsigned roles;            /* of the session, see store_roles in access.h */
  const char *types[4];      /* by enum column_type */
  const char *table_options; /* after the columns of a table with a primary key of several columns */
  const char *settle_tables; /* a script after the tables of landed records were made; "" for none */
  const char *find_column;   /* a row where table $1 has column $2: whether of type $3 */
  /* Members of the JSON object in column `origins` of table p: a table j with column key, and two expressions. */
  const char *json_pairs, *json_row, *json_rule;
  const char *view_prefix; /* before the name of a view */
  const char *has_views;   /* how many views there are */
  const char *time, *hex;  /* text of microseconds, of bytes: formats with one %.*s */
  const char *collate;     /* after a text to be ordered by its bytes */
};

struct driver_ops {
  const char *name;
  /* ERR_NOT_FOUND where there is no store and `create` is false. */
  enum status (*open)(const struct store_options *options, bool create, struct driver **driver, struct error *error);
  void (*close)(struct driver *driver);
  void (*dialect)(const struct driver *driver, struct dialect *dialect);
  /* 0: empty, nothing was made yet. set_version is part of the transaction. */
  enum status (*version)(struct driver *driver, int *version, struct error *error);
  enum status (*set_version)(struct driver *driver, int version, struct error *error);

  enum status (*begin)(struct driver *driver, struct error *error);
  enum status (*commit)(struct driver *driver, struct error *error);
  void (*rollback)(struct driver *driver);
  /* Nobody else migrates until the transaction ends. */
  enum status (*lock_schema)(struct driver *driver, struct error *error);
  /* Until the transaction ends: together with other writers of sealed bodies, or alone, once those have ended. NULL:
   * a transaction that writes is the only one. */
  enum status (*lock_keys)(struct driver *driver, bool alone, struct error *error);

  /* Several statements without parameters or results. */
  enum status (*script)(struct driver *driver, const char *sql, struct error *error);
  /* One statement; `changed` (NULL allowed) counts rows. */
  enum status (*execute)(struct driver *driver, const char *sql, const struct value *values, size_t count,
                         int64_t *changed, struct error *error);
  /* Rows of one statement. The result is bounded by the caller's LIMIT: it may be held in memory whole. Other
   * statements may run while the cursor is open. */
  enum status (*query)(struct driver *driver, const char *sql, const struct value *values, size_t count,
                       struct cursor **cursor, struct error *error);
  /* The same for results of any size, read as they are asked for; values come as text or as they are stored. */
  enum status (*stream)(struct driver *driver, const char *sql, const struct value *values, size_t count,
                        struct cursor **cursor, struct error *error);
  enum status (*next)(struct cursor *cursor, struct error *error); /* OK or END */
  struct value (*value)(const struct cursor *cursor, size_t column);
  bool (*is_integer)(const struct cursor *cursor, size_t column); /* whatever its value comes as */
  size_t (*columns)(const struct cursor *cursor);
  const char *(*column)(const struct cursor *cursor, size_t column);
  void (*finish)(struct cursor *cursor); /* NULL allowed */

  /* Rows added one by one to one table, as fast as the database can: between begin and end no other call. Values stand
   * in the order of the table's columns and are used before append_row returns. The database may take the rows later: a
   * failure is then told by a later call of the transaction, by its commit at the latest. */
  enum status (*append_begin)(struct driver *driver, const struct table *table, struct error *error);
  enum status (*append_row)(struct driver *driver, const struct value *values, struct error *error);
  enum status (*append_end)(struct driver *driver, struct error *error);

  /* A lock of the connection on a name, let go with the connection: `taken` false where another connection has it; true
   * where this one had it already. */
  enum status (*hold)(struct driver *driver, const char *name, bool *taken, struct error *error);
  void (*unhold)(struct driver *driver, const char *name);
  enum status (*held)(struct driver *driver, const char *name, bool *held, struct error *error); /* by another one */

  enum status (*now)(struct driver *driver, int64_t *micros, struct error *error);
  /* A consistent copy into `part`, an empty file that is there, and what the tables held in its moment. */
  enum status (*copy)(struct driver *driver, const char *part, const atomic_bool *stop, struct holdings *holdings,
                      struct error *error);
  enum status (*holdings)(struct driver *driver, struct holdings *holdings, struct error *error);
  /* A driver whose tables are those of a copy, and nothing else changes; ERR_AUTH where the role may not. Its
   * transaction, where it has one, is never committed. */
  enum status (*open_copy)(const struct store_options *options, const char *file, struct driver **driver,
                           struct error *error);
  /* Reads a copy to its end and counts; NULL where open_copy always can. */
  enum status (*scan)(const struct store_options *options, const char *file, struct holdings *holdings,
                      struct error *error);
  /* Puts a copy in the store's place, and what is there aside. */
  enum status (*restore)(const struct store_options *options, const char *file, struct buffer *aside,
                         struct error *error);
  enum copy_proof proof; /* of open_copy */
  /* The first fault that the database finds in its own files: `what` is empty where there is none. */
  enum status (*integrity)(struct driver *driver, char *what, size_t size, struct error *error);
  /* A name for the copy that a migration makes, from the version that is left. */
  enum status (*backup_name)(struct driver *driver, int version, struct buffer *name, struct error *error);
  /* Makes the views anew; part of the transaction. */
  enum status (*make_views)(struct driver *driver, const struct view_text *views, size_t count, struct error *error);
  /* One read-only statement of the user's over the views and nothing else, under rights that allow no more; `timeout`
   * in microseconds, 0: none. The cursor has a connection of its own. */
  enum status (*ask)(struct driver *driver, const struct view_text *views, size_t count, const char *sql,
                     int64_t timeout, struct cursor **cursor, struct error *error);
};

extern const struct driver_ops sqlite_driver, postgres_driver;

/* The statement's text with LIST(n) spelled out in the dialect; allocated. NULL: out of memory. */
char *driver_expand(const char *sql, const char *list, const char *member);

#endif
