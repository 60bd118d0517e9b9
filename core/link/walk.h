/* All pairs that a blocking rule proposes, each once, by threads. Private to core/link. */
#ifndef PUENTE_LINK_WALK_H
#define PUENTE_LINK_WALK_H

#include "core/link/block.h"

enum { WALK_TILE = 16 };

/* One record against up to WALK_TILE others of its block. */
struct walk_tile {
  uint32_t a;
  const uint32_t *a_row;  /* prepared.width values */
  const uint32_t *b;      /* WALK_TILE records … */
  const uint32_t *b_rows; /* … and their rows, one after the other */
  uint32_t wanted;        /* a bit for each of them that makes a pair */
};

struct walk {
  const struct blocks *blocks;
  uint16_t rule;
  uint64_t earlier;    /* rules whose pairs are left out, a bit each */
  uint32_t calls;      /* comparisons by which visits compare, a bit each: their values are called for */
  uint64_t pairs_most; /* with more pairs than this, blocks are chosen by their keys, about so many pairs; 0: all */
  uint32_t fresh;      /* only pairs with one of the first so many records; 0: all */
  unsigned threads;
  const struct link_options *options; /* progress, called from the caller's thread; NULL: none */
  const char *step;
  double from, to; /* share of the step that this walk stands for */
  bool (*visit)(void *context, unsigned thread, const struct walk_tile *tile); /* false: out of memory */
  void *context;
};

struct walk_counts {
  uint64_t proposed; /* pairs of the rule, each once */
  uint64_t wanted;   /* … that no earlier rule proposes: those visited */
};
/* ERR_INTERRUPTED where the progress callback says so. */
enum status walk_pairs(const struct walk *walk, struct walk_counts *counts, struct error *error) MUST_CHECK;

#endif
