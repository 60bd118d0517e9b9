/* The ledger of what reports told: each table as it was shown, so that later ones are protected with it. A row is
 * written before its table is printed, and never changed; of several rows of one definition the last is what counts.
 * The rows are of the program's own, and no view shows them: cells that were hidden stand here as such. */
#ifndef PUENTE_STORE_TOLD_H
#define PUENTE_STORE_TOLD_H

#include "core/store/store.h"

struct told_row {
  int64_t id;             /* out: from 1 on */
  const char *definition; /* canonical JSON */
  const char *cells;      /* JSON */
};
/* What a reader has seen of the ledgers, so that a writer notices what came in between. */
struct told_state {
  int64_t told, released; /* numbers of the last row, and of the last release */
};
enum status store_told_state(struct store *store, struct told_state *state, struct error *error) MUST_CHECK;

/* Within a transaction. ERR_BUSY, and nothing written, where the ledgers are no longer in the state `seen`. */
enum status store_tell(struct store *store, struct told_row *rows, size_t count, const char *actor,
                       struct told_state seen, struct error *error) MUST_CHECK;

/* The last row of each definition, oldest first; texts live in the arena. */
enum status store_told(struct store *store, struct arena *arena, struct told_row **rows, size_t *count,
                       struct error *error) MUST_CHECK;

/* For verification, of stores of before there were such rows too. The last number; 0: there is none. */
enum status store_told_last(struct store *store, int64_t *last, struct error *error) MUST_CHECK;
typedef enum status told_visitor(void *context, int64_t id, struct slice definition, struct slice cells,
                                 struct error *error);
/* Every row by its number; texts live until the next. */
enum status store_visit_told(struct store *store, told_visitor *visit, void *context, struct error *error) MUST_CHECK;

#endif
