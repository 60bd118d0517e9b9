/* Both stores for a test, with the program's own model, and small batches of made-up rows for them. */
#ifndef PUENTE_TESTS_SUPPORT_STORES_H
#define PUENTE_TESTS_SUPPORT_STORES_H

#include "core/store/store.h"

struct stand {
  char *folder;
  struct model *model;
  struct key *key;
  struct store_options options;
  struct store *store;
  char path[256], schema[64];
};

/* Makes and opens a new store of a kind; a failure ends the test program. */
void stand_open(struct stand *stand, enum store_kind kind);
/* Closes the store and opens it again. */
void stand_reopen(struct stand *stand);
void stand_close(struct stand *stand);

/* Ends the test program with the error's text where `status` is not OK. */
void must(enum status status, const struct error *error, const char *what, int line);
#define MUST(call) must((call), &error, #call, __LINE__)

/* A row added to a batch: its cells are empty; set them by name. */
struct cell *batch_row(struct batch *batch, const struct model *model, const char *entity, uint32_t record,
                       const char *key, const char *case_key, const char *person_key);
void set_text(const struct model *model, const char *entity, struct cell *cells, const char *column, const char *text);
void set_integer(const struct model *model, const char *entity, struct cell *cells, const char *column,
                 int64_t integer);
void set_missing(const struct model *model, const char *entity, struct cell *cells, const char *column,
                 enum missing missing);
void batch_issue(struct batch *batch, uint32_t record, enum issue_level level, const char *field, const char *reason);
/* A batch without a plan: the arena and the entities. */
void batch_open(struct batch *batch, const struct model *model);
void batch_clear(struct batch *batch);
void batch_close(struct batch *batch);

#endif
