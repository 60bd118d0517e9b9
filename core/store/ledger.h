/* The ledger of what was published: a release, its tables byte for byte, and the cells that readers see. Written once,
 * never changed; read by the views released_tables and released_cells, which hold nothing else. */
#ifndef PUENTE_STORE_LEDGER_H
#define PUENTE_STORE_LEDGER_H

#include "core/store/store.h"

enum { LEDGER_VALUES = 4 };

/* Values of fields in the table's order: a code or text, "not_recorded", "total"; NULL: the table has fewer fields. */
struct ledger_cell {
  const char *values[LEDGER_VALUES];
  bool hidden;    /* else shown; a cell that is not here counts nobody */
  int64_t figure; /* of a shown one */
};
struct ledger_table {
  const char *name;
  const char *fields;   /* "year,department,purpose"; NULL: a text beside the figures, without cells */
  const char *settings; /* canonical JSON; NULL: a text */
  struct slice body;    /* CSV */
  struct sha256 digest; /* of the body */
  const struct ledger_cell *cells;
  size_t cell_count;
};
struct ledger_release {
  int64_t id; /* out: from 1 on */
  const char *name, *actor, *purpose;
  int64_t made;         /* microseconds */
  int64_t run;          /* the store as it stood after this run was counted */
  const char *settings; /* canonical JSON */
  struct sha256 digest;
  int64_t replaces; /* the release of the same name before it; 0: none */
  const struct ledger_table *tables;
  size_t table_count;
};
enum status store_publish(struct store *store, struct ledger_release *release, struct error *error) MUST_CHECK;

#endif
