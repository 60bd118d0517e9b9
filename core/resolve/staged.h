/* Staged rows of one entity as dictionary-encoded columns, which linking and survivorship both read. Private to
 * core/resolve; freed by staged_free. */
#ifndef PUENTE_RESOLVE_STAGED_H
#define PUENTE_RESOLVE_STAGED_H

#include "core/link/link.h"
#include "core/resolve/passes.h"
#include "core/resolve/policy.h"
#include "core/resolve/succession.h"
#include "core/store/store.h"

struct staged_rows {
  const struct entity *entity;
  size_t count, capacity;
  int64_t *row_id;
  int64_t *settled; /* run that completed the pass of the row: the greater, the newer */
  uint32_t *source;
  uint32_t *family;          /* the source, or the oldest version of it: one source for the linker */
  uint32_t *key;             /* number of "source/key" in `keys` */
  uint32_t *same;            /* number of "family/key" in `keys`: rows that are one. LINK_MISSING: of cases, no other
                                version of the source calls it alike */
  uint32_t *group;           /* number of "source/case key" in `groups`; LINK_MISSING: none */
  uint32_t *fellows;         /* number of "family/case key" in `groups`; LINK_MISSING: none */
  uint8_t *role;             /* bits of policy roles; 0: none */
  uint8_t *sealed;           /* 1: never joined */
  uint32_t **columns;        /* by column of the entity, by row: number in its dictionary, or LINK_MISSING */
  struct map **dictionaries; /* by column; integers as decimal text */
  struct map *keys, *groups;
  struct map *in_record; /* "record id/key" to position */
};

/* What is read with the rows: which sources are linked, and the ids of everything seen, for the digest of inputs. */
struct staged_context {
  const struct policy *policy;
  const bool *linked; /* by source id */
  const struct succession *succession;
  const struct passes *passes; /* NULL: which row is the newer does not matter */
  struct buffer *seen;         /* row ids of all entities read, 8 bytes each */
  const int64_t *records;      /* only rows of these; NULL: all */
  size_t record_count;
  /* Told of each row that speaks of persons: whether the person is in another record, by "source/key"; may be NULL. */
  enum status (*marked)(void *told, int64_t row_id, struct slice elsewhere, struct error *error);
  void *told;
};

enum status staged_read(struct store *store, const struct entity *entity, const struct staged_context *context,
                        struct staged_rows *rows, struct error *error) MUST_CHECK;
/* Adds the rows of further records, which stand after those that are there. */
enum status staged_add(struct store *store, const struct staged_context *context, struct staged_rows *rows,
                       struct error *error) MUST_CHECK;
void staged_free(struct staged_rows *rows);
/* Keeps the rows that `kept` (by row) says, in their order; `moved` (by former row) gets where they stand, or
 * LINK_MISSING. */
enum status staged_keep(struct staged_rows *rows, const bool *kept, uint32_t *moved, struct error *error) MUST_CHECK;
/* The text "number/key" of a source's key, by which rows, cases and persons are found; in `room`. */
enum { STAGED_KEY_MOST = 600 };
struct slice staged_named(char room[STAGED_KEY_MOST], int64_t number, struct slice key);
/* The text "family/key" of a row. */
struct slice staged_own(const struct staged_rows *rows, size_t row);

/* Marks persons by what another entity says of them: roles, and sealing. */
enum status staged_mark(struct store *store, const struct model *model, const struct staged_context *context,
                        struct staged_rows *persons, struct error *error) MUST_CHECK;

/* Whether staged_mark reads rows of the entity. */
bool staged_speaks_of_persons(const struct policy *policy, const struct entity *entity);

/* Position of the row with that key in its record, or LINK_MISSING. */
uint32_t staged_find(const struct staged_rows *rows, int64_t record_id, struct slice key);
/* The text of a value; empty where it is missing. */
struct slice staged_text(const struct staged_rows *rows, int column, size_t row);

#endif
