#include "core/simple/link.h"

#include "core/simple/block.h"
#include "core/simple/cluster.h"

#include <math.h>
#include <stdlib.h>

#define RULE_OF_SOURCE 0

struct linker {
  const struct link_plan *plan;
  const struct link_records *records;
  struct link_result *result;
  struct error *error;
  struct prepared prepared;
  struct clusters clusters;
  struct blocks blocks;
  struct edge *edges; /* of the rule at work */
  size_t edge_count, edge_capacity;
  size_t pair_capacity;
  uint32_t *rank; /* by record: its place by content alone; equal for equal contents */
};

/* ---- ranks: an order of records that follows from what they say, not from where they stand ---- */

struct ranking {
  uint32_t **columns; /* by plan column, by dictionary value */
  const struct linker *linker;
};

static int by_text(const void *a, const void *b, void *context) {
  const struct map *dictionary = context;
  const uint32_t *x = a;
  const uint32_t *y = b;
  return slice_compare(map_key(dictionary, *x), map_key(dictionary, *y));
}

static enum status rank_values(struct map *dictionary, uint32_t **ranks, struct error *error) {
  uint32_t count = map_count(dictionary);
  uint32_t *order = malloc((count + 1U) * sizeof *order);
  *ranks = malloc((count + 1U) * sizeof **ranks);
  if (order == NULL || *ranks == NULL) {
    free(order);
    return error_memory(error);
  }
  for (uint32_t i = 0; i < count; i++) {
    order[i] = i;
  }
  qsort_r(order, count, sizeof *order, by_text, dictionary);
  for (uint32_t i = 0; i < count; i++) {
    (*ranks)[order[i]] = i;
  }
  free(order);
  return OK;
}

static int compare_content(const struct ranking *ranking, uint32_t a, uint32_t b) {
  const struct linker *linker = ranking->linker;
  for (size_t i = 0; i < linker->plan->column_count; i++) {
    const struct link_column *column = linker->prepared.columns[i];
    uint32_t x = column->values[a];
    uint32_t y = column->values[b];
    if (x != y) {
      uint32_t rank_x = x == LINK_MISSING ? UINT32_MAX : ranking->columns[i][x];
      uint32_t rank_y = y == LINK_MISSING ? UINT32_MAX : ranking->columns[i][y];
      return rank_x < rank_y ? -1 : 1;
    }
  }
  return 0;
}

static int by_content(const void *a, const void *b, void *context) {
  const uint32_t *x = a;
  const uint32_t *y = b;
  return compare_content(context, *x, *y);
}

static enum status rank_records(struct linker *l, struct ranking *ranking) {
  size_t count = l->records->count;
  uint32_t *order = malloc((count + 1) * sizeof *order);
  l->rank = malloc((count + 1) * sizeof *l->rank);
  if (order == NULL || l->rank == NULL) {
    free(order);
    return error_memory(l->error);
  }
  for (uint32_t i = 0; i < count; i++) {
    order[i] = i;
  }
  qsort_r(order, count, sizeof *order, by_content, ranking);
  uint32_t rank = 0;
  for (size_t i = 0; i < count; i++) {
    rank += i > 0 && compare_content(ranking, order[i - 1], order[i]) != 0;
    l->rank[order[i]] = rank;
  }
  free(order);
  return OK;
}

static enum status make_ranks(struct linker *l) {
  uint32_t *columns[COLUMNS_MOST] = {0};
  struct ranking ranking = {.columns = columns, .linker = l};
  enum status status = OK;
  for (size_t i = 0; status == OK && i < l->plan->column_count; i++) {
    status = rank_values(l->prepared.columns[i]->dictionary, &columns[i], l->error);
  }
  status = status == OK ? rank_records(l, &ranking) : status;
  for (size_t i = 0; i < COLUMNS_MOST; i++) {
    free(columns[i]);
  }
  return status;
}

/* ---- pairs ---- */

static enum status keep_pair(struct linker *l, uint32_t a, uint32_t b, uint16_t rule) {
  struct link_result *result = l->result;
  if (result->pair_count == l->pair_capacity) {
    size_t capacity = l->pair_capacity == 0 ? 1024 : l->pair_capacity * 2;
    struct link_pair *pairs = realloc(result->pairs, capacity * sizeof *pairs);
    if (pairs == NULL) {
      return error_memory(l->error);
    }
    result->pairs = pairs;
    l->pair_capacity = capacity;
  }
  result->pairs[result->pair_count++] = (struct link_pair){.a = a, .b = b, .rule = rule};
  return OK;
}

static enum status add_edge(struct linker *l, uint32_t a, uint32_t b) {
  if (l->edge_count == l->edge_capacity) {
    size_t capacity = l->edge_capacity == 0 ? 1024 : l->edge_capacity * 2;
    struct edge *edges = realloc(l->edges, capacity * sizeof *edges);
    if (edges == NULL) {
      return error_memory(l->error);
    }
    l->edges = edges;
    l->edge_capacity = capacity;
  }
  struct edge edge = {.a = a < b ? a : b, .b = a < b ? b : a};
  edge.low = l->rank[a] < l->rank[b] ? l->rank[a] : l->rank[b];
  edge.high = l->rank[a] < l->rank[b] ? l->rank[b] : l->rank[a];
  l->edges[l->edge_count++] = edge;
  return OK;
}

static enum status try_block(struct linker *l, const struct link_rule *rule, const struct block_entry *entries,
                             size_t length) {
  enum status status = OK;
  if (length > l->plan->block_most) {
    l->result->dropped += (uint64_t)length * (length - 1) / 2;
    return OK;
  }
  for (size_t i = 0; i < length; i++) {
    for (size_t j = i + 1; status == OK && j < length; j++) {
      uint32_t a = entries[i].record;
      uint32_t b = entries[j].record;
      if (a == b) {
        continue;
      }
      l->result->compared++;
      if (simple_compare_allows(&l->prepared, a, b) && simple_compare_accepts(&l->prepared, rule, a, b)) {
        status = add_edge(l, a, b);
      }
    }
  }
  return status;
}

static int by_rank(const void *a, const void *b) {
  const struct edge *x = a;
  const struct edge *y = b;
  if (x->low != y->low || x->high != y->high) {
    return x->low != y->low ? (x->low < y->low ? -1 : 1) : (x->high < y->high ? -1 : 1);
  }
  if (x->a != y->a) {
    return x->a < y->a ? -1 : 1;
  }
  return (x->b > y->b) - (x->b < y->b);
}

/* Sorts the rule's edges and drops those that two blocks proposed. */
static void sort_edges(struct linker *l) {
  size_t kept = 0;
  if (l->edge_count == 0) {
    return;
  }
  qsort(l->edges, l->edge_count, sizeof *l->edges, by_rank);
  for (size_t i = 0; i < l->edge_count; i++) {
    if (i == 0 || by_rank(&l->edges[kept - 1], &l->edges[i]) != 0) {
      l->edges[kept++] = l->edges[i];
    }
  }
  l->edge_count = kept;
}

/* Joins the edges of a rule, those of equal content at once. */
static enum status join_edges(struct linker *l, uint16_t rule) {
  enum status status = OK;
  sort_edges(l);
  for (size_t i = 0; status == OK && i < l->edge_count;) {
    size_t length = 1;
    while (i + length < l->edge_count && l->edges[i + length].low == l->edges[i].low
           && l->edges[i + length].high == l->edges[i].high) {
      length++;
    }
    status = simple_clusters_join(&l->clusters, l->edges + i, length, l->error);
    i += length;
  }
  for (size_t i = 0; status == OK && i < l->edge_count; i++) {
    status = keep_pair(l, l->edges[i].a, l->edges[i].b, rule);
  }
  return status;
}

static enum status run_rule(struct linker *l, uint16_t number) {
  const struct link_rule *rule = &l->plan->rules[number];
  size_t at = 0;
  size_t length;
  enum status status = simple_blocks_build(&l->blocks, &l->prepared, rule, l->error);
  l->edge_count = 0;
  while (status == OK && (length = simple_blocks_next(&l->blocks, &at)) > 0) {
    status = try_block(l, rule, l->blocks.entries + at, length);
    at += length;
  }
  return status == OK ? join_edges(l, number) : status;
}

/* ---- the source's own person key ---- */

struct own {
  uint32_t same, role, record;
};

static int by_same(const void *a, const void *b) {
  const struct own *x = a;
  const struct own *y = b;
  if (x->same != y->same) {
    return x->same < y->same ? -1 : 1;
  }
  if (x->role != y->role) {
    return x->role < y->role ? -1 : 1;
  }
  return (x->record > y->record) - (x->record < y->record);
}

/* One class of records that the source calls one person. Records without a role go with the others only where these
 * have one role. */
static enum status join_class(struct linker *l, const struct own *own, size_t count) {
  bool two_roles = false;
  for (size_t i = 1; i < count; i++) {
    two_roles = two_roles || (own[i].role != own[i - 1].role && own[i - 1].role != 0);
  }
  l->edge_count = 0;
  enum status status = OK;
  for (size_t i = 1; status == OK && i < count; i++) {
    if (!two_roles || own[i].role == own[i - 1].role) {
      status = add_edge(l, own[i - 1].record, own[i].record);
    }
  }
  status = status == OK ? simple_clusters_join(&l->clusters, l->edges, l->edge_count, l->error) : status;
  for (size_t i = 0; status == OK && i < l->edge_count; i++) {
    status = keep_pair(l, l->edges[i].a, l->edges[i].b, RULE_OF_SOURCE);
  }
  return status;
}

static enum status join_own(struct linker *l) {
  const struct link_records *records = l->records;
  size_t count = 0;
  if (records->same == NULL) {
    return OK;
  }
  struct own *own = malloc((records->count + 1) * sizeof *own);
  if (own == NULL) {
    return error_memory(l->error);
  }
  for (uint32_t i = 0; i < records->count; i++) {
    bool sealed = records->sealed != NULL && records->sealed[i] != 0;
    if (records->same[i] != LINK_MISSING && !sealed) {
      uint32_t role = records->role == NULL ? 0 : records->role[i];
      own[count++] = (struct own){.same = records->same[i], .role = role, .record = i};
    }
  }
  qsort(own, count, sizeof *own, by_same);
  enum status status = OK;
  for (size_t i = 0; status == OK && i < count;) {
    size_t length = 1;
    while (i + length < count && own[i + length].same == own[i].same) {
      length++;
    }
    status = length > 1 ? join_class(l, own + i, length) : OK;
    i += length;
  }
  free(own);
  return status;
}

/* ---- the result ---- */

static int by_records(const void *a, const void *b) {
  const struct link_pair *x = a;
  const struct link_pair *y = b;
  if (x->a != y->a || x->b != y->b) {
    return x->a != y->a ? (x->a < y->a ? -1 : 1) : (x->b < y->b ? -1 : 1);
  }
  return (int)x->rule - (int)y->rule;
}

/* Each pair once, with the first rule that proposed it. */
static void finish_pairs(struct linker *l) {
  struct link_result *result = l->result;
  size_t kept = 0;
  if (result->pair_count == 0) {
    return;
  }
  qsort(result->pairs, result->pair_count, sizeof *result->pairs, by_records);
  for (size_t i = 0; i < result->pair_count; i++) {
    struct link_pair pair = result->pairs[i];
    if (i > 0 && pair.a == result->pairs[kept - 1].a && pair.b == result->pairs[kept - 1].b) {
      continue;
    }
    bool joined = simple_clusters_find(&l->clusters, pair.a) == simple_clusters_find(&l->clusters, pair.b);
    pair.weight = joined ? INFINITY : 0.0F;
    result->rule_pairs[pair.rule]++;
    result->pairs[kept++] = pair;
  }
  result->pair_count = kept;
}

static enum status finish(struct linker *l) {
  struct link_result *result = l->result;
  size_t count = l->records->count;
  result->cluster = malloc((count + 1) * sizeof *result->cluster);
  result->rule_pairs = calloc(l->plan->rule_count, sizeof *result->rule_pairs);
  uint32_t *first = malloc((count + 1) * sizeof *first);
  if (result->cluster == NULL || result->rule_pairs == NULL || first == NULL) {
    free(first);
    return error_memory(l->error);
  }
  memset(first, 0xFF, count * sizeof *first);
  for (uint32_t i = 0; i < count; i++) {
    uint32_t root = simple_clusters_find(&l->clusters, i);
    if (first[root] == LINK_MISSING) {
      first[root] = i;
      result->cluster_count++;
    }
    result->cluster[i] = first[root];
  }
  free(first);
  finish_pairs(l);
  return OK;
}

enum status simple_link_run(const struct link_plan *plan, const struct link_records *records,
                            struct link_result *result, struct error *error) {
  struct linker l = {.plan = plan, .records = records, .result = result, .error = error};
  *result = (struct link_result){0};
  if (records->count >= UINT32_MAX) {
    return error_set(error, ERR_LIMIT, "%s", _("too many records to link in one run"));
  }
  enum status status = simple_prepared_init(&l.prepared, plan, records, error);
  status = status == OK ? simple_clusters_init(&l.clusters, &l.prepared, error) : status;
  status = status == OK ? make_ranks(&l) : status;
  status = status == OK ? join_own(&l) : status;
  for (uint16_t i = 1; status == OK && i < plan->rule_count; i++) {
    status = run_rule(&l, i);
  }
  status = status == OK ? finish(&l) : status;
  simple_prepared_free(&l.prepared);
  simple_clusters_free(&l.clusters);
  simple_blocks_free(&l.blocks);
  free(l.edges);
  free(l.rank);
  if (status != OK) {
    simple_link_result_free(result);
  }
  return status;
}

void simple_link_result_free(struct link_result *result) {
  free(result->pairs);
  free(result->cluster);
  free(result->rule_pairs);
  *result = (struct link_result){0};
}
