#include "core/link/agglomerate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum pair_flags { JOINS = 1, REFUSED = 2 };

/* Weights beyond ±65536 say no more; 2^20 parts of a bit are finer than a float of this size, and sums of a billion
 * pairs fit. */
#define FIXED_ONE 1048576.0
#define FIXED_MOST 65536.0F

static int64_t fixed(float weight) {
  float bounded = weight > -FIXED_MOST ? weight : -FIXED_MOST;
  return llrint((double)(bounded < FIXED_MOST ? bounded : FIXED_MOST) * FIXED_ONE);
}

int64_t weight_fixed(const struct partition *partition, float weight) {
  bool capped = partition->method == PARTITION_AVERAGE && weight > partition->cap;
  return fixed(capped ? partition->cap : weight);
}

double stop_fixed(const struct partition *partition) {
  return partition->method == PARTITION_AVERAGE ? (double)fixed(partition->stop) : -INFINITY;
}

/* Whether joining i and j comes before joining k and l. A cluster that grows does not lose its place: a best partner
 * that grows without losing in score stays the best, so that ties do not make every row be searched again. */
bool piles_better(const struct component *component, uint32_t i, uint32_t j, double score, uint32_t k, uint32_t l,
                  double other) {
  if (score != other) {
    return score > other;
  }
  uint32_t a = component->piles[i].least;
  uint32_t b = component->piles[j].least;
  uint32_t c = component->piles[k].least;
  uint32_t d = component->piles[l].least;
  uint64_t first = a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
  uint64_t second = c < d ? (uint64_t)c << 32 | d : (uint64_t)d << 32 | c;
  return first < second;
}

bool piles_allowed(const struct component *component, uint32_t i, uint32_t j) {
  const struct partition *p = component->partition;
  if (p->allows == NULL) {
    return true;
  }
  for (uint32_t x = component->piles[i].first; x != PILE_NONE; x = component->next[x]) {
    uint32_t a = component->member[x];
    if (p->bound != NULL && p->bound[a] == 0) {
      continue;
    }
    for (uint32_t y = component->piles[j].first; y != PILE_NONE; y = component->next[y]) {
      uint32_t b = component->member[y];
      if ((p->bound == NULL || p->bound[b] != 0) && !p->allows(p->context, a < b ? a : b, a < b ? b : a)) {
        return false;
      }
    }
  }
  return true;
}

enum status cluster_giant(const struct partition *partition, size_t size, struct error *error) {
  if (partition->giant == 0 || size <= partition->giant) {
    return OK;
  }
  error_set(error, ERR_LIMIT, _("a cluster of %zu records would form, and at most %zu are allowed"), size,
            partition->giant);
  error_hint(error, "%s", _("tighten the blocking rules or raise cluster.giant"));
  return ERR_LIMIT;
}

enum status piles_join(struct component *component, uint32_t into, uint32_t from, struct error *error) {
  struct pile *to = &component->piles[into];
  struct pile *gone = &component->piles[from];
  enum status status = cluster_giant(component->partition, (size_t)to->size + gone->size, error);
  if (status != OK) {
    return status;
  }
  component->next[to->last] = gone->first;
  to->last = gone->last;
  to->size += gone->size;
  to->least = gone->least < to->least ? gone->least : to->least;
  to->best = PILE_NONE;
  gone->size = 0;
  gone->best = PILE_NONE;
  return OK;
}

/* ---- by a matrix ---- */

void workshop_free(struct workshop *workshop) {
  free(workshop->values);
  free(workshop->flags);
  free(workshop->known);
  *workshop = (struct workshop){0};
}

static enum status workshop_grow(struct workshop *workshop, size_t piles, size_t members, struct error *error) {
  if (piles > workshop->piles) {
    free(workshop->values);
    free(workshop->flags);
    workshop->piles = 0;
    workshop->values = malloc(piles * piles * sizeof *workshop->values);
    workshop->flags = malloc(piles * piles);
    if (workshop->values == NULL || workshop->flags == NULL) {
      return error_memory(error);
    }
    workshop->piles = piles;
  }
  if (members > workshop->members) {
    free(workshop->known);
    workshop->members = 0;
    workshop->known = malloc(members * members);
    if (workshop->known == NULL) {
      return error_memory(error);
    }
    workshop->members = members;
  }
  return OK;
}

static void add(struct component *component, struct workshop *w, uint32_t a, uint32_t b, int64_t value) {
  size_t ab = component->pile[a] * component->pile_count + component->pile[b];
  size_t ba = component->pile[b] * component->pile_count + component->pile[a];
  if (component->partition->method == PARTITION_AVERAGE) {
    w->values[ab] = w->values[ba] = w->values[ab] + value;
  } else if (value > w->values[ab]) {
    w->values[ab] = w->values[ba] = value;
  }
}

/* Weights of all pairs: of the edges, then of those that are none. */
static void fill(struct component *component, struct workshop *w) {
  const struct partition *p = component->partition;
  size_t k = component->pile_count;
  size_t n = component->count;
  bool average = p->method == PARTITION_AVERAGE;
  for (size_t i = 0; i < k * k; i++) {
    w->values[i] = average ? 0 : INT64_MIN;
  }
  memset(w->flags, 0, k * k);
  memset(w->known, 0, n * n);
  for (size_t i = 0; i < component->joint_count; i++) {
    const struct joint *joint = &component->joints[i];
    w->known[joint->a * n + joint->b] = w->known[joint->b * n + joint->a] = 1;
    if (average || joint->joins) {
      add(component, w, joint->a, joint->b, weight_fixed(p, joint->weight));
    }
    if (joint->joins) {
      w->flags[component->pile[joint->a] * k + component->pile[joint->b]] = JOINS;
      w->flags[component->pile[joint->b] * k + component->pile[joint->a]] = JOINS;
    }
  }
  for (uint32_t x = 0; average && x < n; x++) {
    for (uint32_t y = 0; y < x; y++) {
      if (w->known[x * n + y] == 0 && component->pile[x] != component->pile[y]) {
        uint32_t a = component->member[x];
        uint32_t b = component->member[y];
        float weight = p->weight == NULL ? p->unproposed : p->weight(p->context, a < b ? a : b, a < b ? b : a);
        add(component, w, x, y, weight_fixed(p, weight));
      }
    }
  }
}

static double dense_score(const struct component *component, const struct workshop *w, uint32_t i, uint32_t j) {
  double value = (double)w->values[i * component->pile_count + j];
  if (component->partition->method != PARTITION_AVERAGE) {
    return value;
  }
  return value / ((double)component->piles[i].size * (double)component->piles[j].size);
}

/* Finds the best partner of i anew. */
static void dense_search(struct component *component, const struct workshop *w, uint32_t i) {
  struct pile *pile = &component->piles[i];
  const uint8_t *flags = &w->flags[i * component->pile_count];
  pile->best = PILE_NONE;
  for (uint32_t j = 0; j < component->pile_count; j++) {
    if (flags[j] != JOINS || component->piles[j].size == 0) {
      continue;
    }
    double score = dense_score(component, w, i, j);
    if (pile->best == PILE_NONE || piles_better(component, i, j, score, i, pile->best, pile->score)) {
      pile->best = j;
      pile->score = score;
    }
  }
}

/* The pile whose joining with its best is next; PILE_NONE at the end. */
static uint32_t dense_next(const struct component *component) {
  const struct pile *piles = component->piles;
  uint32_t best = PILE_NONE;
  for (uint32_t i = 0; i < component->pile_count; i++) {
    if (piles[i].best != PILE_NONE
        && (best == PILE_NONE
            || piles_better(component, i, piles[i].best, piles[i].score, best, piles[best].best, piles[best].score))) {
      best = i;
    }
  }
  return best != PILE_NONE && piles[best].score >= stop_fixed(component->partition) ? best : PILE_NONE;
}

/* Row and column of i become those of i and j together (Lance and Williams 1967, on sums). */
static void dense_update(struct component *component, struct workshop *w, uint32_t i, uint32_t j) {
  size_t k = component->pile_count;
  bool average = component->partition->method == PARTITION_AVERAGE;
  for (uint32_t c = 0; c < k; c++) {
    struct pile *pile = &component->piles[c];
    if (pile->size == 0 || c == i) {
      continue;
    }
    int64_t x = w->values[i * k + c];
    int64_t y = w->values[j * k + c];
    w->values[i * k + c] = w->values[c * k + i] = average ? x + y : x > y ? x : y;
    uint8_t flags = w->flags[i * k + c] | w->flags[j * k + c];
    w->flags[i * k + c] = w->flags[c * k + i] = flags;
    double score = dense_score(component, w, i, c);
    bool was = pile->best == i || pile->best == j;
    if (was && (flags != JOINS || score < pile->score)) {
      dense_search(component, w, c);
    } else if (was
               || (flags == JOINS
                   && (pile->best == PILE_NONE || piles_better(component, c, i, score, c, pile->best, pile->score)))) {
      pile->best = i;
      pile->score = score;
    }
  }
  dense_search(component, w, i);
}

enum status agglomerate_dense(struct component *component, struct workshop *workshop, struct error *error) {
  size_t k = component->pile_count;
  enum status status = workshop_grow(workshop, k, component->count, error);
  if (status != OK) {
    return status;
  }
  fill(component, workshop);
  for (uint32_t i = 0; i < k; i++) {
    dense_search(component, workshop, i);
  }
  for (uint32_t i; status == OK && (i = dense_next(component)) != PILE_NONE;) {
    uint32_t j = component->piles[i].best;
    if (!piles_allowed(component, i, j)) {
      workshop->flags[i * k + j] |= REFUSED;
      workshop->flags[j * k + i] |= REFUSED;
      dense_search(component, workshop, i);
      dense_search(component, workshop, j);
      continue;
    }
    status = piles_join(component, i, j, error);
    if (status == OK) {
      dense_update(component, workshop, i, j);
    }
  }
  return status;
}
