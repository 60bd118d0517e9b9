#include "core/link/partition.h"

#include "core/base/radix.h"
#include "core/link/agglomerate.h"
#include "core/link/cluster_facts.h"

#include <stdlib.h>

const char *const partition_method_names[] = {"average", "components", "best", NULL};

/* An edge seen from one of its ends. */
struct half {
  uint32_t member, source, rank; /* of the other end: source, rank */
  float weight;
  size_t joint;
};

struct work {
  const struct partition *p;
  uint32_t *cluster; /* the result's */
  uint32_t *atom;    /* by record: first record of what must-link joined; NULL: each its own */
  uint32_t *root;    /* by record: first record of its component */
  size_t *first;     /* by record: its first edge as `a` */
  uint32_t *start;   /* by record that begins a component: where its records stand in `records` */
  uint32_t *records; /* of components of two and more */
  uint32_t *member;  /* by record: its position in its component */
  struct component component;
  size_t capacity, joint_capacity, half_capacity;
  struct half *halves;
  struct workshop workshop;
};

static uint32_t find(uint32_t *parent, uint32_t record) {
  while (parent[record] != record) {
    parent[record] = parent[parent[record]];
    record = parent[record];
  }
  return record;
}

/* The first record stays the root. */
static void unite(uint32_t *parent, uint32_t a, uint32_t b) {
  a = find(parent, a);
  b = find(parent, b);
  if (a < b) {
    parent[b] = a;
  } else {
    parent[a] = b;
  }
}

static void flatten(uint32_t *parent, size_t count) {
  for (size_t i = 0; i < count; i++) {
    parent[i] = parent[parent[i]];
  }
}

static int by_rank(const void *a, const void *b, void *context) {
  const uint32_t *rank = *(const uint32_t **)context;
  uint32_t x = *(const uint32_t *)a;
  uint32_t y = *(const uint32_t *)b;
  if (rank[x] != rank[y]) {
    return rank[x] < rank[y] ? -1 : 1;
  }
  return (x > y) - (x < y);
}

static void sort_by_rank(uint32_t *records, size_t count, const uint32_t *rank) {
  enum { FEW = 16 };
  if (count > FEW) {
    qsort_r(records, count, sizeof *records, by_rank, &rank);
    return;
  }
  for (size_t i = 1; i < count; i++) {
    uint32_t record = records[i];
    size_t at = i;
    for (; at > 0
           && (rank[records[at - 1]] > rank[record]
               || (rank[records[at - 1]] == rank[record] && records[at - 1] > record));
         at--) {
      records[at] = records[at - 1];
    }
    records[at] = record;
  }
}

/* ---- must-link ---- */

static bool may_join(const struct partition *p, uint32_t a, uint32_t b) {
  if (p->allows == NULL || (p->bound != NULL && (p->bound[a] == 0 || p->bound[b] == 0))) {
    return true;
  }
  return p->allows(p->context, a < b ? a : b, a < b ? b : a);
}

/* Parts of the class so far: by position its part, by part its first record and the last position that it refused. */
static void join_class(struct work *w, uint32_t *class, size_t begin, size_t count) {
  uint32_t *part = w->member + begin;
  uint32_t *head = w->root + begin;
  uint32_t *refused = w->start + begin;
  uint32_t parts = 0;
  sort_by_rank(class, count, w->p->rank);
  for (uint32_t at = 0; at < count; at++) {
    for (uint32_t i = 0; i < at; i++) {
      if (refused[part[i]] != at && !may_join(w->p, class[i], class[at])) {
        refused[part[i]] = at;
      }
    }
    uint32_t chosen = 0;
    while (chosen < parts && refused[chosen] == at) {
      chosen++;
    }
    if (chosen == parts) {
      head[parts] = class[at];
      refused[parts++] = 0;
    }
    part[at] = chosen;
    unite(w->atom, head[chosen], class[at]);
  }
}

static void join_classes(struct work *w, uint64_t *keys, size_t count) {
  size_t known = 0;
  for (size_t i = 0; i < count; i++) {
    w->atom[i] = (uint32_t)i;
    if (w->p->same[i] != LINK_MISSING) {
      keys[known++] = (uint64_t)w->p->same[i] << 32 | i;
    }
  }
  radix_sort(keys, keys + count, known);
  for (size_t begin = 0, end = 0; begin < known; begin = end) {
    for (; end < known && keys[end] >> 32 == keys[begin] >> 32; end++) {
      w->records[end] = (uint32_t)keys[end];
    }
    if (w->p->allows != NULL) {
      join_class(w, w->records + begin, begin, end - begin);
      continue;
    }
    for (size_t i = begin; i < end; i++) {
      unite(w->atom, w->records[begin], w->records[i]);
    }
  }
  flatten(w->atom, count);
}

static enum status must_link(struct work *w, struct error *error) {
  size_t count = w->p->count;
  if (w->p->same == NULL) {
    return OK;
  }
  w->atom = malloc((count + 1) * sizeof *w->atom);
  uint64_t *keys = malloc((2 * count + 1) * sizeof *keys);
  if (w->atom == NULL || keys == NULL) {
    free(keys);
    return error_memory(error);
  }
  join_classes(w, keys, count);
  free(keys);
  return OK;
}

/* ---- components ---- */

static void find_components(struct work *w) {
  const struct partition *p = w->p;
  size_t edge = 0;
  for (size_t i = 0; i < p->count; i++) {
    w->root[i] = w->atom == NULL ? (uint32_t)i : w->atom[i];
  }
  for (size_t i = 0; i < p->count; i++) {
    for (w->first[i] = edge; edge < p->edge_count && p->edges[edge].a == i; edge++) {
      if (p->edges[edge].joins) {
        unite(w->root, p->edges[edge].a, p->edges[edge].b);
      }
    }
  }
  w->first[p->count] = edge;
  flatten(w->root, p->count);
}

/* Groups the records of each component; those that stand alone are left out. */
static void group_components(struct work *w) {
  size_t count = w->p->count;
  uint32_t at = 0;
  for (size_t i = 0; i <= count; i++) {
    w->start[i] = 0;
  }
  for (size_t i = 0; i < count; i++) {
    w->start[w->root[i]]++;
  }
  for (size_t i = 0; i < count; i++) {
    uint32_t size = w->start[i];
    w->start[i] = at;
    at += size > 1 ? size : 0;
  }
  w->start[count] = at;
  for (size_t i = 0; i < count; i++) {
    uint32_t root = w->root[i];
    w->cluster[i] = (uint32_t)i;
    if (root != i) {
      w->records[++w->member[root]] = (uint32_t)i;
    } else if (w->start[i + 1] > w->start[i]) {
      w->member[i] = w->start[i];
      w->records[w->start[i]] = (uint32_t)i;
    }
  }
}

/* ---- one component ---- */

static enum status grow(void **items, size_t size, size_t *capacity, size_t wanted, struct error *error) {
  if (wanted <= *capacity) {
    return OK;
  }
  size_t larger = wanted + wanted / 2 + 64;
  void *grown = reallocarray(*items, larger, size);
  if (grown == NULL) {
    return error_memory(error);
  }
  *items = grown;
  *capacity = larger;
  return OK;
}

static enum status make_room(struct work *w, size_t count, struct error *error) {
  struct component *c = &w->component;
  if (count <= w->capacity) {
    return OK;
  }
  size_t larger = count + count / 2 + 64;
  free(c->next);
  free(c->pile);
  free(c->piles);
  w->capacity = 0;
  c->next = malloc(larger * sizeof *c->next);
  c->pile = malloc(larger * sizeof *c->pile);
  c->piles = malloc(larger * sizeof *c->piles);
  if (c->next == NULL || c->pile == NULL || c->piles == NULL) {
    return error_memory(error);
  }
  w->capacity = larger;
  return OK;
}

static uint32_t atom_of(const struct work *w, uint32_t record) {
  return w->atom == NULL ? record : w->atom[record];
}

/* Every record its own pile, those that must-link joined together; piles stand in the order of content. */
static enum status make_piles(struct work *w, struct error *error) {
  struct component *c = &w->component;
  enum status status = make_room(w, c->count, error);
  if (status != OK) {
    return status;
  }
  sort_by_rank(c->member, c->count, w->p->rank);
  c->pile_count = 0;
  for (uint32_t m = 0; m < c->count; m++) {
    w->member[c->member[m]] = m;
    c->pile[m] = PILE_NONE;
    c->next[m] = PILE_NONE;
  }
  for (uint32_t m = 0; status == OK && m < c->count; m++) {
    uint32_t atom = w->member[atom_of(w, c->member[m])];
    if (c->pile[atom] == PILE_NONE) {
      c->pile[atom] = (uint32_t)c->pile_count;
      c->piles[c->pile_count++] = (struct pile){.first = m, .last = m, .least = m, .size = 1};
      c->pile[m] = c->pile[atom];
      continue;
    }
    c->pile[m] = c->pile[atom];
    struct pile *pile = &c->piles[c->pile[m]];
    c->next[pile->last] = m;
    pile->last = m;
    pile->size++;
    status = cluster_giant(w->p, pile->size, error);
  }
  return status;
}

static enum status gather_joints(struct work *w, struct error *error) {
  struct component *c = &w->component;
  const struct partition *p = w->p;
  size_t most = 0;
  for (size_t m = 0; m < c->count; m++) {
    most += w->first[c->member[m] + 1] - w->first[c->member[m]];
  }
  void *joints = c->joints;
  enum status status = grow(&joints, sizeof *c->joints, &w->joint_capacity, most, error);
  c->joints = joints;
  c->joint_count = 0;
  for (uint32_t m = 0; status == OK && m < c->count; m++) {
    uint32_t record = c->member[m];
    for (size_t i = w->first[record]; i < w->first[record + 1]; i++) {
      const struct partition_edge *edge = &p->edges[i];
      uint32_t other = w->member[edge->b];
      if (w->root[edge->b] == w->root[record] && c->pile[other] != c->pile[m]) {
        c->joints[c->joint_count++] = (struct joint){.a = m, .b = other, .weight = edge->weight, .joins = edge->joins};
      }
    }
  }
  return status;
}

/* ---- best-link ---- */

static int by_place(const void *a, const void *b) {
  const struct half *x = a;
  const struct half *y = b;
  if (x->member != y->member) {
    return x->member < y->member ? -1 : 1;
  }
  if (x->source != y->source) {
    return x->source < y->source ? -1 : 1;
  }
  if (x->weight != y->weight) {
    return x->weight > y->weight ? -1 : 1;
  }
  return (x->rank > y->rank) - (x->rank < y->rank);
}

static struct half half_of(const struct work *w, size_t joint, uint32_t member, uint32_t other) {
  uint32_t record = w->component.member[other];
  return (struct half){.member = member,
                       .source = w->p->source == NULL ? 0 : w->p->source[record],
                       .rank = w->p->rank[record],
                       .weight = w->component.joints[joint].weight,
                       .joint = joint};
}

/* Only edges that are the best of one of their ends to the source of the other still join; equals in weight and rank
 * are all the best. */
static enum status keep_best(struct work *w, struct error *error) {
  struct component *c = &w->component;
  void *halves = w->halves;
  enum status status = grow(&halves, sizeof *w->halves, &w->half_capacity, 2 * c->joint_count, error);
  w->halves = halves;
  if (status != OK) {
    return status;
  }
  size_t count = 0;
  for (size_t i = 0; i < c->joint_count; i++) {
    if (c->joints[i].joins) {
      w->halves[count++] = half_of(w, i, c->joints[i].a, c->joints[i].b);
      w->halves[count++] = half_of(w, i, c->joints[i].b, c->joints[i].a);
      c->joints[i].joins = false;
    }
  }
  qsort(w->halves, count, sizeof *w->halves, by_place);
  const struct half *best = w->halves;
  for (size_t i = 0; i < count; i++) {
    const struct half *half = &w->halves[i];
    if (half->member != best->member || half->source != best->source) {
      best = half;
    }
    if (by_place(half, best) == 0) {
      c->joints[half->joint].joins = true;
    }
  }
  return OK;
}

/* ---- all ---- */

static bool is_bound(const struct work *w) {
  size_t count = 0;
  for (size_t m = 0; w->p->allows != NULL && m < w->component.count && count < 2; m++) {
    count += w->p->bound == NULL || w->p->bound[w->component.member[m]] != 0;
  }
  return count == 2;
}

static void label(struct work *w) {
  const struct component *c = &w->component;
  for (size_t i = 0; i < c->pile_count; i++) {
    uint32_t least = UINT32_MAX;
    if (c->piles[i].size == 0) {
      continue;
    }
    for (uint32_t m = c->piles[i].first; m != PILE_NONE; m = c->next[m]) {
      least = c->member[m] < least ? c->member[m] : least;
    }
    for (uint32_t m = c->piles[i].first; m != PILE_NONE; m = c->next[m]) {
      w->cluster[c->member[m]] = least;
    }
  }
}

static enum status cluster_component(struct work *w, uint32_t root, struct error *error) {
  struct component *c = &w->component;
  c->member = w->records + w->start[root];
  c->count = w->start[root + 1] - w->start[root];
  if (w->p->method == PARTITION_COMPONENTS && !is_bound(w)) {
    for (size_t m = 0; m < c->count; m++) {
      w->cluster[c->member[m]] = root;
    }
    return cluster_giant(w->p, c->count, error);
  }
  enum status status = make_piles(w, error);
  if (status == OK && c->pile_count > 1) {
    status = gather_joints(w, error);
    if (status == OK && w->p->method == PARTITION_BEST) {
      status = keep_best(w, error);
    }
    if (status == OK) {
      status = c->count <= (w->p->matrix_most > 0 ? w->p->matrix_most : PARTITION_MATRIX_MOST)
                   ? agglomerate_dense(c, &w->workshop, error)
                   : agglomerate_sparse(c, error);
    }
  }
  if (status == OK) {
    label(w);
  }
  return status;
}

static enum status run(struct work *w, struct error *error) {
  size_t count = w->p->count;
  w->root = malloc((count + 1) * sizeof *w->root);
  w->start = malloc((count + 1) * sizeof *w->start);
  w->records = malloc((count + 1) * sizeof *w->records);
  w->member = malloc((count + 1) * sizeof *w->member);
  w->first = malloc((count + 1) * sizeof *w->first);
  if (w->root == NULL || w->start == NULL || w->records == NULL || w->member == NULL || w->first == NULL) {
    return error_memory(error);
  }
  enum status status = must_link(w, error);
  if (status != OK) {
    return status;
  }
  find_components(w);
  if (w->first[count] != w->p->edge_count) {
    return error_set(error, ERR_INTERNAL, "%s", _("the edges of a partition are not in order"));
  }
  group_components(w);
  for (uint32_t i = 0; status == OK && i < count; i++) {
    if (w->start[i + 1] > w->start[i]) {
      status = cluster_component(w, i, error);
    }
  }
  return status;
}

static void work_free(struct work *w) {
  free(w->atom);
  free(w->root);
  free(w->first);
  free(w->start);
  free(w->records);
  free(w->member);
  free(w->component.next);
  free(w->component.pile);
  free(w->component.piles);
  free(w->component.joints);
  free(w->halves);
  workshop_free(&w->workshop);
}

enum status partition_run(const struct partition *partition, struct partition_result *result, struct error *error) {
  struct work work = {.p = partition, .component = {.partition = partition}};
  *result = (struct partition_result){0};
  if (partition->count >= UINT32_MAX) {
    return error_set(error, ERR_LIMIT, "%s", _("too many records to link in one run"));
  }
  work.cluster = result->cluster = malloc((partition->count + 1) * sizeof *work.cluster);
  enum status status = work.cluster == NULL ? error_memory(error) : run(&work, error);
  if (status == OK) {
    status = cluster_facts(partition, work.atom, work.first, result, error);
  }
  work_free(&work);
  if (status != OK) {
    partition_result_free(result);
  }
  return status;
}

void partition_result_free(struct partition_result *result) {
  free(result->cluster);
  free(result->clusters);
  *result = (struct partition_result){0};
}
