#include "core/link/cluster_facts.h"

#include <stdlib.h>

#define UNSEEN UINT32_MAX

struct arc {
  uint32_t to;
  uint32_t edge;
};

struct node {
  uint32_t arcs, end; /* where its arcs stand */
  uint32_t seen, low; /* Tarjan 1974 */
  uint32_t came;      /* edge by which it was reached */
  uint32_t from;
};

struct facts {
  const struct partition *p;
  const uint32_t *cluster, *atom;
  const size_t *first;
  uint32_t *member;  /* by record of a larger cluster: its position in the cluster */
  uint32_t *records; /* of larger clusters, grouped */
  struct node *nodes;
  struct arc *arcs;
  size_t node_capacity, arc_capacity;
};

/* ---- bridges ---- */

static uint32_t leave(struct node *nodes, uint32_t at) {
  uint32_t from = nodes[at].from;
  if (from == UNSEEN) {
    return 0;
  }
  nodes[from].low = nodes[at].low < nodes[from].low ? nodes[at].low : nodes[from].low;
  return nodes[at].low > nodes[from].seen ? 1 : 0;
}

/* Edges below `root` on no cycle (Tarjan, "A note on finding the bridges of a graph", 1974); without recursion, since
 * a chain may be long. */
static uint32_t bridges_from(struct node *nodes, const struct arc *arcs, uint32_t root, uint32_t *clock) {
  uint32_t bridges = 0;
  nodes[root].seen = nodes[root].low = (*clock)++;
  nodes[root].from = nodes[root].came = UNSEEN;
  for (uint32_t at = root; at != UNSEEN;) {
    struct node *node = &nodes[at];
    if (node->arcs == node->end) {
      bridges += leave(nodes, at);
      at = node->from;
      continue;
    }
    const struct arc *arc = &arcs[node->arcs++];
    struct node *to = &nodes[arc->to];
    if (arc->edge == node->came) {
      continue;
    }
    if (to->seen != UNSEEN) {
      node->low = to->seen < node->low ? to->seen : node->low;
      continue;
    }
    to->seen = to->low = (*clock)++;
    to->from = at;
    to->came = arc->edge;
    at = arc->to;
  }
  return bridges;
}

static uint32_t node_of(const struct facts *f, uint32_t record) {
  return f->member[f->atom == NULL ? record : f->atom[record]];
}

/* Whether an edge of a record lies inside its cluster and speaks for it. */
static bool inside(const struct facts *f, const struct partition_edge *edge) {
  return edge->weight >= 0 && f->cluster[edge->a] == f->cluster[edge->b];
}

/* Arcs of each node, grouped; returns the number of edges. */
static uint32_t make_arcs(struct facts *f, const uint32_t *records, uint32_t size) {
  uint32_t at = 0;
  uint32_t edge = 0;
  for (uint32_t m = 0; m < size; m++) {
    for (size_t i = f->first[records[m]]; i < f->first[records[m] + 1]; i++) {
      if (inside(f, &f->p->edges[i])) {
        f->nodes[node_of(f, f->p->edges[i].a)].end++;
        f->nodes[node_of(f, f->p->edges[i].b)].end++;
      }
    }
  }
  for (uint32_t m = 0; m < size; m++) {
    uint32_t degree = f->nodes[m].end;
    f->nodes[m].arcs = f->nodes[m].end = at;
    at += degree;
  }
  for (uint32_t m = 0; m < size; m++) {
    for (size_t i = f->first[records[m]]; i < f->first[records[m] + 1]; i++) {
      if (inside(f, &f->p->edges[i])) {
        uint32_t a = node_of(f, f->p->edges[i].a);
        uint32_t b = node_of(f, f->p->edges[i].b);
        f->arcs[f->nodes[a].end++] = (struct arc){.to = b, .edge = edge};
        f->arcs[f->nodes[b].end++] = (struct arc){.to = a, .edge = edge};
        edge++;
      }
    }
  }
  return edge;
}

static enum status make_room(struct facts *f, const uint32_t *records, uint32_t size, struct error *error) {
  size_t arcs = 0;
  for (uint32_t m = 0; m < size; m++) {
    f->member[records[m]] = m;
    arcs += 2 * (f->first[records[m] + 1] - f->first[records[m]]);
  }
  if (arcs >= UINT32_MAX) {
    return error_set(error, ERR_LIMIT, _("a cluster of %u records has too many pairs"), size);
  }
  if (size > f->node_capacity) {
    free(f->nodes);
    f->node_capacity = 2 * (size_t)size;
    f->nodes = malloc(f->node_capacity * sizeof *f->nodes);
  }
  if (arcs > f->arc_capacity) {
    free(f->arcs);
    f->arc_capacity = 2 * arcs;
    f->arcs = malloc(f->arc_capacity * sizeof *f->arcs);
  }
  return f->nodes == NULL || (f->arcs == NULL && f->arc_capacity > 0) ? error_memory(error) : OK;
}

static enum status look(struct facts *f, struct link_cluster *made, const uint32_t *records, struct error *error) {
  uint32_t clock = 0;
  enum status status = make_room(f, records, made->size, error);
  if (status != OK) {
    return status;
  }
  for (uint32_t m = 0; m < made->size; m++) {
    f->nodes[m] = (struct node){.seen = UNSEEN};
  }
  uint32_t edges = make_arcs(f, records, made->size);
  made->density = (float)(2.0 * edges / ((double)made->size * (made->size - 1)));
  for (uint32_t m = 0; m < made->size; m++) {
    if (f->nodes[m].seen == UNSEEN) {
      made->bridges += bridges_from(f->nodes, f->arcs, m, &clock);
    }
  }
  return OK;
}

/* ---- sizes ---- */

/* Where the records of each cluster of three and more begin; `start`, by first record, holds sizes before. */
static enum status group(struct facts *f, uint32_t *start, struct partition_result *result, struct error *error) {
  size_t count = f->p->count;
  uint32_t at = 0;
  for (size_t i = 0; i < count; i++) {
    result->cluster_count += start[i] > 0;
    result->larger_count += start[i] > 2;
  }
  result->clusters = calloc(result->larger_count + 1, sizeof *result->clusters);
  if (result->clusters == NULL) {
    return error_memory(error);
  }
  struct link_cluster *next = result->clusters;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t size = start[i];
    start[i] = size > 2 ? at : UNSEEN;
    if (size > 2) {
      *next++ = (struct link_cluster){.first = i, .size = size};
      at += size;
    }
  }
  for (uint32_t i = 0; i < count; i++) {
    if (start[f->cluster[i]] != UNSEEN) {
      f->records[start[f->cluster[i]]++] = i;
    }
  }
  return OK;
}

enum status cluster_facts(const struct partition *partition, const uint32_t *atom, const size_t *first,
                          struct partition_result *result, struct error *error) {
  size_t count = partition->count;
  struct facts f = {.p = partition, .cluster = result->cluster, .atom = atom, .first = first};
  uint32_t *start = calloc(count + 1, sizeof *start);
  f.member = malloc((count + 1) * sizeof *f.member);
  f.records = malloc((count + 1) * sizeof *f.records);
  enum status status = start == NULL || f.member == NULL || f.records == NULL ? error_memory(error) : OK;
  for (size_t i = 0; status == OK && i < count; i++) {
    start[result->cluster[i]]++;
  }
  if (status == OK) {
    status = group(&f, start, result, error);
  }
  const uint32_t *records = f.records;
  for (size_t i = 0; status == OK && i < result->larger_count; i++) {
    status = look(&f, &result->clusters[i], records, error);
    records += result->clusters[i].size;
  }
  free(start);
  free(f.member);
  free(f.records);
  free(f.nodes);
  free(f.arcs);
  return status;
}
