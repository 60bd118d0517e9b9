/* Components too large for a matrix: each pile has a list of its neighbours, and a heap tells whose best joining is
 * next. Pairs that are not among the edges count as unproposed and are not asked for. */
#include "core/link/agglomerate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct neighbour {
  uint32_t to;
  bool joins, refused;
  uint64_t count; /* scored pairs of records */
  int64_t value;  /* their sum, or the greatest */
};

/* In `best`: out of the heap's order for as long as what it would be joined with changes. */
#define PILE_PAUSED (UINT32_MAX - 1)

/* Sorted by `to`. Piles that were joined to others stay in it until the next search. */
struct neighbours {
  struct neighbour *items;
  uint32_t count;
};

struct sparse {
  struct component *component;
  struct neighbours *lists; /* by pile */
  uint32_t *heap;           /* every pile, the best joining first */
  double unproposed;
  bool average;
};

/* ---- lists ---- */

static uint32_t position(const struct neighbours *list, uint32_t to) {
  uint32_t low = 0;
  uint32_t high = list->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (list->items[middle].to < to) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

static bool has(const struct neighbours *list, uint32_t at, uint32_t to) {
  return at < list->count && list->items[at].to == to;
}

static void put_together(const struct sparse *sparse, struct neighbour *into, const struct neighbour *from) {
  into->joins = into->joins || from->joins;
  into->refused = into->refused || from->refused;
  into->count += from->count;
  if (sparse->average) {
    into->value += from->value;
  } else if (from->value > into->value) {
    into->value = from->value;
  }
}

static int by_to(const void *a, const void *b) {
  const struct neighbour *x = a;
  const struct neighbour *y = b;
  return (x->to > y->to) - (x->to < y->to);
}

static void sort_list(const struct sparse *sparse, struct neighbours *list) {
  uint32_t kept = 0;
  if (list->count == 0) {
    return;
  }
  qsort(list->items, list->count, sizeof *list->items, by_to);
  for (uint32_t i = 1; i < list->count; i++) {
    if (list->items[i].to == list->items[kept].to) {
      put_together(sparse, &list->items[kept], &list->items[i]);
    } else {
      list->items[++kept] = list->items[i];
    }
  }
  list->count = kept + 1;
}

static bool counts(const struct sparse *sparse, const struct joint *joint) {
  const uint32_t *pile = sparse->component->pile;
  return (sparse->average || joint->joins) && pile[joint->a] != pile[joint->b];
}

static enum status make_lists(struct sparse *sparse, struct error *error) {
  struct component *component = sparse->component;
  for (size_t i = 0; i < component->joint_count; i++) {
    const struct joint *joint = &component->joints[i];
    sparse->lists[component->pile[joint->a]].count += counts(sparse, joint);
    sparse->lists[component->pile[joint->b]].count += counts(sparse, joint);
  }
  for (size_t i = 0; i < component->pile_count; i++) {
    struct neighbours *list = &sparse->lists[i];
    list->items = malloc((list->count + 1) * sizeof *list->items);
    list->count = 0;
    if (list->items == NULL) {
      return error_memory(error);
    }
  }
  for (size_t i = 0; i < component->joint_count; i++) {
    const struct joint *joint = &component->joints[i];
    if (counts(sparse, joint)) {
      struct neighbours *a = &sparse->lists[component->pile[joint->a]];
      struct neighbours *b = &sparse->lists[component->pile[joint->b]];
      struct neighbour made = {
          .joins = joint->joins, .count = 1, .value = weight_fixed(component->partition, joint->weight)};
      made.to = component->pile[joint->b];
      a->items[a->count++] = made;
      made.to = component->pile[joint->a];
      b->items[b->count++] = made;
    }
  }
  for (size_t i = 0; i < component->pile_count; i++) {
    sort_list(sparse, &sparse->lists[i]);
  }
  return OK;
}

/* ---- best partners, and the heap of them ---- */

static double sparse_score(const struct sparse *sparse, uint32_t i, const struct neighbour *neighbour) {
  const struct pile *piles = sparse->component->piles;
  if (!sparse->average) {
    return (double)neighbour->value;
  }
  double pairs = (double)piles[i].size * (double)piles[neighbour->to].size;
  return ((double)neighbour->value + (pairs - (double)neighbour->count) * sparse->unproposed) / pairs;
}

/* Finds the best partner of i anew; drops neighbours that are gone. */
static void sparse_search(struct sparse *sparse, uint32_t i) {
  const struct pile *piles = sparse->component->piles;
  struct pile *pile = &sparse->component->piles[i];
  struct neighbours *list = &sparse->lists[i];
  uint32_t kept = 0;
  pile->best = PILE_NONE;
  for (uint32_t at = 0; at < list->count; at++) {
    struct neighbour *neighbour = &list->items[at];
    if (piles[neighbour->to].size == 0) {
      continue;
    }
    if (kept != at) {
      list->items[kept] = *neighbour;
    }
    kept++;
    if (!neighbour->joins || neighbour->refused) {
      continue;
    }
    double score = sparse_score(sparse, i, neighbour);
    if (pile->best == PILE_NONE
        || piles_better(sparse->component, i, neighbour->to, score, i, pile->best, pile->score)) {
      pile->best = neighbour->to;
      pile->score = score;
    }
  }
  list->count = kept;
}

static bool before(const struct sparse *sparse, uint32_t i, uint32_t j) {
  const struct pile *x = &sparse->component->piles[i];
  const struct pile *y = &sparse->component->piles[j];
  if (x->best >= PILE_PAUSED || y->best >= PILE_PAUSED) {
    return x->best < PILE_PAUSED && y->best >= PILE_PAUSED;
  }
  return piles_better(sparse->component, i, x->best, x->score, j, y->best, y->score);
}

static void heap_set(struct sparse *sparse, size_t place, uint32_t i) {
  sparse->heap[place] = i;
  sparse->component->piles[i].place = (uint32_t)place;
}

static void heap_down(struct sparse *sparse, uint32_t i) {
  size_t count = sparse->component->pile_count;
  size_t place = sparse->component->piles[i].place;
  for (size_t child; (child = 2 * place + 1) < count; place = child) {
    if (child + 1 < count && before(sparse, sparse->heap[child + 1], sparse->heap[child])) {
      child++;
    }
    if (!before(sparse, sparse->heap[child], i)) {
      break;
    }
    heap_set(sparse, place, sparse->heap[child]);
  }
  heap_set(sparse, place, i);
}

static void heap_move(struct sparse *sparse, uint32_t i) {
  size_t place = sparse->component->piles[i].place;
  for (size_t parent; place > 0 && before(sparse, i, sparse->heap[parent = (place - 1) / 2]); place = parent) {
    heap_set(sparse, place, sparse->heap[parent]);
  }
  heap_set(sparse, place, i);
  heap_down(sparse, i);
}

/* ---- joining ---- */

/* The neighbours of i and of j, without the two; j is gone. */
static enum status lists_join(struct sparse *sparse, uint32_t i, uint32_t j, struct neighbours *made,
                              struct error *error) {
  const struct neighbours *x = &sparse->lists[i];
  const struct neighbours *y = &sparse->lists[j];
  *made = (struct neighbours){.items = malloc(((size_t)x->count + y->count + 1) * sizeof *made->items)};
  if (made->items == NULL) {
    return error_memory(error);
  }
  for (uint32_t p = 0, q = 0; p < x->count || q < y->count;) {
    bool from_x = q == y->count || (p < x->count && x->items[p].to <= y->items[q].to);
    struct neighbour next = from_x ? x->items[p++] : y->items[q++];
    if (from_x && has(y, q, next.to)) {
      put_together(sparse, &next, &y->items[q++]);
    }
    if (next.to != i && sparse->component->piles[next.to].size > 0) {
      made->items[made->count++] = next;
    }
  }
  return OK;
}

/* In the list of a neighbour, i gets what i and j were; where only j was there, its place moves to where i belongs. */
static void tell(struct sparse *sparse, uint32_t i, uint32_t j, const struct neighbour *merged) {
  struct neighbours *list = &sparse->lists[merged->to];
  uint32_t at = position(list, i);
  if (!has(list, at, i)) {
    uint32_t free_place = position(list, j);
    if (free_place < at) {
      at--;
      memmove(&list->items[free_place], &list->items[free_place + 1], (at - free_place) * sizeof *list->items);
    } else {
      memmove(&list->items[at + 1], &list->items[at], (free_place - at) * sizeof *list->items);
    }
  }
  list->items[at] = *merged;
  list->items[at].to = i;
}

static void reconsider(struct sparse *sparse, uint32_t i, const struct neighbour *merged) {
  uint32_t c = merged->to;
  struct pile *pile = &sparse->component->piles[c];
  double score = sparse_score(sparse, i, merged);
  bool was = pile->best == PILE_PAUSED;
  bool may = merged->joins && !merged->refused;
  if (was && (!may || score < pile->score)) {
    sparse_search(sparse, c);
  } else if (was
             || (may
                 && (pile->best == PILE_NONE
                     || piles_better(sparse->component, c, i, score, c, pile->best, pile->score)))) {
    pile->best = i;
    pile->score = score;
  } else {
    return;
  }
  heap_move(sparse, c);
}

static void pause_best(struct sparse *sparse, uint32_t i) {
  sparse->component->piles[i].best = PILE_PAUSED;
  heap_move(sparse, i);
}

/* One key of the heap may change at a time: those of all who would be joined with i or j are about to. */
static void pause_around(struct sparse *sparse, uint32_t i, uint32_t j) {
  const struct neighbours *list = &sparse->lists[i];
  for (uint32_t at = 0; at < list->count; at++) {
    uint32_t best = sparse->component->piles[list->items[at].to].best;
    if (best == i || best == j) {
      pause_best(sparse, list->items[at].to);
    }
  }
}

static enum status sparse_join(struct sparse *sparse, uint32_t i, uint32_t j, struct error *error) {
  struct neighbours made;
  pause_around(sparse, i, j);
  pause_around(sparse, j, i);
  pause_best(sparse, i);
  pause_best(sparse, j);
  enum status status = piles_join(sparse->component, i, j, error);
  if (status == OK) {
    status = lists_join(sparse, i, j, &made, error);
  }
  if (status != OK) {
    return status;
  }
  free(sparse->lists[i].items);
  free(sparse->lists[j].items);
  sparse->lists[i] = made;
  sparse->lists[j] = (struct neighbours){0};
  for (uint32_t at = 0; at < made.count; at++) {
    tell(sparse, i, j, &made.items[at]);
  }
  sparse_search(sparse, i);
  heap_move(sparse, i);
  for (uint32_t at = 0; at < made.count; at++) {
    reconsider(sparse, i, &made.items[at]);
  }
  return OK;
}

static void refuse(struct sparse *sparse, uint32_t i, uint32_t j) {
  struct neighbours *list = &sparse->lists[i];
  list->items[position(list, j)].refused = true;
  sparse_search(sparse, i);
  heap_move(sparse, i);
}

static enum status walk(struct sparse *sparse, struct error *error) {
  const struct pile *piles = sparse->component->piles;
  double stop = stop_fixed(sparse->component->partition);
  enum status status = OK;
  for (size_t i = 0; i < sparse->component->pile_count; i++) {
    sparse_search(sparse, (uint32_t)i);
    heap_set(sparse, i, (uint32_t)i);
  }
  for (size_t i = sparse->component->pile_count; i-- > 0;) {
    heap_down(sparse, sparse->heap[i]);
  }
  while (status == OK) {
    uint32_t i = sparse->heap[0];
    uint32_t j = piles[i].best;
    if (j == PILE_NONE || piles[i].score < stop) {
      break;
    }
    if (piles_allowed(sparse->component, i, j)) {
      status = sparse->lists[i].count >= sparse->lists[j].count ? sparse_join(sparse, i, j, error)
                                                                : sparse_join(sparse, j, i, error);
    } else {
      refuse(sparse, i, j);
      refuse(sparse, j, i);
    }
  }
  return status;
}

enum status agglomerate_sparse(struct component *component, struct error *error) {
  struct sparse sparse = {.component = component,
                          .unproposed = (double)weight_fixed(component->partition, component->partition->unproposed),
                          .average = component->partition->method == PARTITION_AVERAGE};
  sparse.lists = calloc(component->pile_count, sizeof *sparse.lists);
  sparse.heap = malloc(component->pile_count * sizeof *sparse.heap);
  enum status status = sparse.lists == NULL || sparse.heap == NULL ? error_memory(error) : make_lists(&sparse, error);
  if (status == OK) {
    status = walk(&sparse, error);
  }
  for (size_t i = 0; sparse.lists != NULL && i < component->pile_count; i++) {
    free(sparse.lists[i].items);
  }
  free(sparse.lists);
  free(sparse.heap);
  return status;
}
