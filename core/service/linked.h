/* What the last linking told about itself: the counts of its entry in the log. */
#ifndef PUENTE_SERVICE_LINKED_H
#define PUENTE_SERVICE_LINKED_H

#include "core/base/arena.h"
#include "core/store/store.h"

/* Of one kind; -1: it did not say. */
struct linked_counts {
  int64_t rows, clusters, accepted, waiting, unlinkable;
  struct linked_block {
    const char *rule;
    int64_t proposed, marginal, kept, dropped, capped; /* as struct link_block_counts */
  } * blocks;                                          /* in the order of the rules */
  size_t block_count;
};
struct linked {
  int64_t run;                   /* 0: nothing was linked yet */
  struct linked_counts kinds[2]; /* by enum cluster_kind */
};
/* Texts live in the arena. */
enum status linked_read(struct store *store, struct arena *arena, struct linked *linked,
                        struct error *error) MUST_CHECK;

#endif
