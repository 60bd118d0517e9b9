/* One linking of a store, as the files that make it up share it. Private to core/resolve. */
#ifndef PUENTE_RESOLVE_RESOLVER_H
#define PUENTE_RESOLVE_RESOLVER_H

#include "core/audit/audit.h"
#include "core/resolve/keys.h"
#include "core/resolve/resolve.h"
#include "core/resolve/twopass.h"
#include "core/resolve/write.h"

/* LEARN_LEAST: fewer records teach nothing. */
enum { SOURCES_MOST = SUCCESSION_SOURCES_MOST, LEARN_LEAST = 1000 };

struct resolver {
  struct store *store;
  const struct config *config;
  const struct model *model;
  const struct resolve_options *options;
  struct resolve_result *result;
  struct error *error;
  struct policy *policy;
  struct arena *arena; /* of one batch of consolidated rows */
  struct staged_rows persons, cases;
  struct buffer seen;
  struct merkle outcomes;
  struct twopass twopass;
  struct sha256 models[2];     /* by enum cluster_kind: of the text of the model used */
  struct sha256 learned[2];    /* under approval: of what was learned last, */
  bool trial;                  /* nothing is written: no transaction, no run */
  bool learn, offer;           /* what is to be learned anew; what is there is to be proposed */
  struct sha256 sources;       /* of what the configuration says of sources */
  uint8_t secret[KEYS_SECRET]; /* of the key index */
  struct key_list marks;       /* rows that speak of persons of other records, for the index */
  bool indexed;
  char *blocks[2]; /* by kind: JSON of what blocking rules found, where not all rows were linked */
  struct passes *passes;
  bool linked[SOURCES_MOST], duplicate_free[SOURCES_MOST];
  uint8_t *unique; /* by row of persons */
  int precedence[SOURCES_MOST];
  struct succession succession;
};

/* ---- resolve.c ---- */

/* A copy of `given` (store, config, model, options, result, error, trial) with its policy. Freed by resolver_free, also
 * after an error; NULL where there was no memory for it. */
enum status resolver_new(const struct resolver *given, struct resolver **resolver) MUST_CHECK;
void resolver_free(struct resolver *resolver);
enum status resolver_open(struct resolver *r) MUST_CHECK; /* sources and what both passes need */
enum status resolver_rows(struct resolver *r) MUST_CHECK; /* all rows, then resolver_prepare */
/* The models to use for so many rows of each kind; none where new ones are to be learned. */
enum status resolver_models(struct resolver *r, size_t persons, size_t cases) MUST_CHECK;
void resolver_forget(struct resolver *r); /* the models */
/* Whether a model was learned from about as many records as there are now. */
bool resolver_fits(const struct link_model *model, size_t rows);
/* The rows' companions for the two passes: decisions, which rows are free of duplicates. */
enum status resolver_prepare(struct resolver *r) MUST_CHECK;
enum status resolver_write(struct resolver *r, enum cluster_kind kind, const struct row_set *among) MUST_CHECK;
enum status resolver_begin(struct resolver *r) MUST_CHECK;
/* Ends the run and writes its entry of the log; `inputs` is the hexadecimal digest of all that was linked. */
enum status resolver_end(struct resolver *r, const char *inputs) MUST_CHECK;
/* The entry of the last linking: its run and body (appended); 0: there is none. */
enum status resolver_last(struct resolver *r, int64_t *run, struct buffer *body) MUST_CHECK;

/* ---- weighing.c ---- */

bool resolver_governed(const struct resolver *r); /* linkage is under approval */
bool resolver_acts(const struct resolver *r);     /* there are models of both kinds */
/* As resolver_models: those approved, or to start with; none where nothing may act. Sets learn and offer. */
enum status weighing_models(struct resolver *r, size_t persons, size_t cases) MUST_CHECK;
/* Learns and proposes, as the former said; the models stay those that act. ERR_CONFIG where none does and nothing was
 * proposed. */
enum status weighing_settle(struct resolver *r) MUST_CHECK;
enum status weighing_waiting(struct resolver *r) MUST_CHECK; /* result->proposal */

/* ---- incremental.c ---- */

/* Links what changes since the last linking touch. `*done` false: all rows have to be linked, and nothing was written;
 * result->why_full says why. */
enum status incremental_run(struct resolver *r, bool *done) MUST_CHECK;
/* The key index after all rows were linked. */
enum status incremental_index(struct resolver *r) MUST_CHECK;
/* Takes a row that speaks of a person of another record into the index: staged_context.marked. */
enum status incremental_marked(void *resolver, int64_t row_id, struct slice elsewhere, struct error *error) MUST_CHECK;

#endif
