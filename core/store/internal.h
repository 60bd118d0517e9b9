/* Shared by the files of the store, seen by nobody else. */
#ifndef PUENTE_STORE_INTERNAL_H
#define PUENTE_STORE_INTERNAL_H

#include "core/base/arena.h"
#include "core/store/driver.h"
#include "core/store/ring.h"

#include <zstd.h>

enum { STORE_VERSION = 9, BATCH_ROWS = 1024, ENTITY_BITS = 4, ROW_BITS = 16 };

/* Identity: codec byte, then by column its number, length and bytes. Raw bodies: codec byte, then the frame. Both lie
 * in a sealed body, whose codec is SEAL_CODEC; those that were written before there were seals stand as they are. */
enum { CODEC_PLAIN = 1, CODEC_ZSTD = 1 };

/* Columns of every st_ table before those of the model. */
enum { ROW_ID, ROW_KEY, ROW_CASE, ROW_PERSON, ROW_INSTITUTION, ROW_REGION, ROW_MISSING, ROW_FROM, ROW_TO, ROW_HEAD };
/* Columns of a consolidated table before those of the model. */
enum { WHOLE_ID, WHOLE_FROM, WHOLE_TO, WHOLE_RECORDS, WHOLE_ORIGINS, WHOLE_HEAD };

/* Ids of the records, rows and raw versions of one source, as a range. */
static inline int64_t source_first(int source_id) {
  return (int64_t)source_id << (RECORD_BITS + ORDINAL_BITS);
}
static inline int64_t source_last(int source_id) {
  return source_first(source_id) + ((INT64_C(1) << (RECORD_BITS + ORDINAL_BITS)) - 1);
}

/* An entity as the store sees it. */
struct shelf {
  const struct entity *entity;
  int number; /* stable for ever; part of the row id */
  bool *used; /* columns of the table that a row of this process had a value in: others are not sent */
  struct table table;
  const int *columns; /* of the entity, one for each table column after the head */
  size_t column_count;
  const int *identifiers; /* columns of the entity that go to table identity */
  size_t identifier_count;
  uint8_t *identifier_numbers;     /* as written in a body: stable for ever */
  int region;                      /* column that tells the region; -1: none */
  int encoding;                    /* column of the entity that goes to table encoding; -1: none */
  const struct equality_key **key; /* by k_ column of table identity; NULL where the entity has no such key */
  const char *select;              /* SELECT of all columns, without FROM */
};

/* A consolidated kind: person or case. */
struct whole {
  const struct shelf *shelf; /* NULL where the model has no such entity */
  struct table table, identity;
  const char *member, *redirect, *id; /* names of tables and of the id column */
  const char *sealed;                 /* of the identity's column, for its place */
};

struct store {
  struct driver *driver;
  const struct driver_ops *ops;
  struct dialect dialect;
  const struct model *model;
  struct key *key;
  const char *key_file;
  struct ring *ring;    /* NULL: without a key */
  bool read_only, open; /* in a transaction */
  int version;
  struct arena *memory;  /* as long as the store */
  struct arena *scratch; /* of one call */
  struct shelf *shelves; /* by entity->index */
  struct table identity;
  const char **key_names; /* of the k_ columns */
  struct subkey *subkeys;
  size_t key_count;
  struct whole wholes[2]; /* by enum cluster_kind */
  struct view *views;
  struct view_text *view_texts;
  const enum column_type **view_types; /* of the columns of each view */
  size_t view_count;
  ZSTD_CCtx *compressor;
  ZSTD_DCtx *decompressor;
  char *packed; /* a compressed body */
  size_t packed_size;
};

/* ---- tables.c ---- */
extern const struct table TABLE_RAW_CHUNK, TABLE_RAW_RECORD, TABLE_ISSUE, TABLE_SEEN, TABLE_LINK_PAIR,
    TABLE_LINK_DECISION, TABLE_LINK_MODEL, TABLE_LINK_KEY, TABLE_LINK_UNLINKABLE, TABLE_DUTY, TABLE_HEALTH, TABLE_FIELD,
    TABLE_DRIFT, TABLE_EXPIRY, TABLE_NOTICE, TABLE_DATA_KEY, TABLE_ERASURE, TABLE_APPROVAL, TABLE_RECEIPT,
    TABLE_RELEASE, TABLE_RELEASE_TABLE, TABLE_RELEASE_CELL, TABLE_GRANTED, TABLE_SIGHT, TABLE_SIGHT_RECORD, TABLE_SHARE,
    TABLE_ENCODING, TABLE_OUTCOME, TABLE_SHOWN, TABLE_TOLD;
const struct table *tables_system(size_t *count);
const struct table *tables_source(void);        /* one of them */
extern const char *const TABLES_INDEXES;        /* a script */
extern const char *const TABLES_LINK_INDEXES;   /* the same for what came later; leaves alone what is there */
extern const char *const TABLES_APPROVAL_INDEX; /* made with the first proposal */
void tables_subkeys(struct store *store);       /* once the root of digests is known */
enum status tables_from_model(struct store *store, struct error *error) MUST_CHECK;
enum status tables_number_entities(struct store *store, struct error *error) MUST_CHECK;
/* CREATE TABLE of the descriptor. */
enum status tables_create(struct store *store, const struct table *table, struct error *error) MUST_CHECK;
/* Adds columns that the table lacks; `missing` (NULL: add) only counts them. */
enum status tables_complete(struct store *store, const struct table *table, size_t *missing,
                            struct error *error) MUST_CHECK;

/* ---- value.c ---- */
/* Text that both databases take: valid UTF-8 without zero bytes; in the scratch arena where it had to change. */
struct slice db_text(struct store *store, struct slice text);
struct slice slice_of_value(struct value value);
double real_of_value(struct value value);
int64_t int_of_value(struct value value);
void digest_of_value(struct value value, uint8_t *bytes, size_t len);

/* The text of a value in the arena; NULL where it is null, or where there is no memory, which arena_failed tells. */
const char *text_of_value(struct arena *arena, struct value value);

/* ---- store.c ---- */
/* Opens without looking at the version. */
enum status store_attach(const struct store_options *options, bool create, struct store **store,
                         struct error *error) MUST_CHECK;
/* The same over a driver that is open, which the store owns from here on, for reading only. */
enum status store_adopt(const struct store_options *options, struct driver *driver, struct store **store,
                        struct error *error) MUST_CHECK;
#define VALUES(...)                                                                                                    \
  (const struct value[]){__VA_ARGS__}, sizeof((const struct value[]){__VA_ARGS__}) / sizeof(struct value)
enum status db_execute(struct store *store, struct error *error, const char *sql, const struct value *values,
                       size_t count) MUST_CHECK;
enum status db_change(struct store *store, struct error *error, int64_t *changed, const char *sql,
                      const struct value *values, size_t count) MUST_CHECK;
enum status db_query(struct store *store, struct error *error, struct cursor **cursor, const char *sql,
                     const struct value *values, size_t count) MUST_CHECK;
/* The first integer of the first row; `found` false where there is none. */
enum status db_integer(struct store *store, struct error *error, int64_t *integer, bool *found, const char *sql,
                       const struct value *values, size_t count) MUST_CHECK;
/* Every writing function begins with it: ERR_INTERNAL outside a transaction; empties the scratch arena. */
enum status db_writing(struct store *store, struct error *error) MUST_CHECK;
/* For functions that run in the open transaction, or in a short one of their own. */
enum status db_begin_own(struct store *store, bool *own, struct error *error) MUST_CHECK;
enum status db_finish_own(struct store *store, bool own, enum status status, struct error *error) MUST_CHECK;
/* Adds to a counter, made at need, and gives the first of the `count` new numbers (from 1). */
enum status db_count(struct store *store, const char *name, int64_t count, int64_t *first,
                     struct error *error) MUST_CHECK;
/* A copy in ascending order, freed by the caller; NULL: out of memory. */
int64_t *db_sorted(const int64_t *ids, size_t count);

/* ---- encoding.c ---- */
/* The code of a row, with its codec byte, in the scratch arena; len 0: it has none. */
enum status encoding_body(struct store *store, const struct shelf *shelf, const struct cell *cells, struct slice *body,
                          struct error *error) MUST_CHECK;
static inline struct seal_place encoding_place(int64_t row_id) {
  return (struct seal_place){.part = "encoding.body", .id = row_id};
}
/* ids[i]: of a row to be written, or 0. */
enum status encoding_append(struct store *store, const struct shelf *shelf, const struct rows *rows, const int64_t *ids,
                            struct error *error) MUST_CHECK;

/* ---- identity.c ---- */
enum status identity_encode(struct store *store, const struct shelf *shelf, const struct cell *cells,
                            struct slice *body, struct error *error) MUST_CHECK;
/* Sets the cells of identifier columns; text borrows from body, which was opened. */
enum status identity_decode(const struct shelf *shelf, struct slice body, struct cell *cells,
                            struct error *error) MUST_CHECK;
static inline struct seal_place identity_place(int64_t row_id) {
  return (struct seal_place){.part = "identity.body", .id = row_id};
}
/* Keyed digests by k_ column; `digests` has key_count elements, which `values` point into. */
void identity_keys(struct store *store, const struct shelf *shelf, const struct cell *cells,
                   struct keyed_digest *digests, struct value *values);
/* "field:reason field:reason" of the empty cells that tell why; NULL where none does. */
struct value missing_encode(struct store *store, const struct entity *entity, const struct cell *cells);
void missing_decode(const struct entity *entity, struct slice text, struct cell *cells);
struct value cell_value(struct store *store, const struct cell *cell, enum column_type type);
struct cell value_cell(struct value value);
bool value_same(const struct value *a, const struct value *b);

/* ---- views.c ---- */
/* The views' texts and descriptions, from the model. */
enum status views_compose(struct store *store, struct error *error) MUST_CHECK;
/* Makes them anew in the database. */
enum status views_make(struct store *store, struct error *error) MUST_CHECK;

/* Appends the SELECT behind a dated view as it stood after a run. */
/* The same with an expression in the place of the run; ERR_INTERNAL where it has no past. */
enum status views_dated(const struct view_text *view, const char *run, struct buffer *select) MUST_CHECK;
enum status views_past(const struct view_text *view, int64_t run, struct buffer *select,
                       struct error *error) MUST_CHECK;

/* The view of a name; NULL with ERR_USAGE and the nearest name. `types` are those of its columns. */
const struct view *views_find(const struct store *store, const char *name, const enum column_type **types,
                              struct error *error);

/* ---- migrate.c ---- */
enum status migrate_check(struct store *store, struct error *error) MUST_CHECK;
enum status migrate_too_new(const struct store *store, struct error *error);
/* The copy made before the last upgrade began, the version in it and the one that was to be reached; an empty file
 * where there was none. `to` may be NULL. */
enum status migrate_upgrade_read(struct store *store, int *from, int *to, struct buffer *file,
                                 struct error *error) MUST_CHECK;

#endif
