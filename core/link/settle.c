#include "core/link/settle.h"

#include "core/base/log.h"

#include <stdlib.h>

struct settling {
  const struct judge *judge;
  const struct prepared *prepared;
  const struct link_plan *plan;
  const struct link_records *records;
  struct link_result *result;
  struct error *error;
  uint32_t *same;   /* must-link class of each record; NULL: there is none */
  uint8_t *bound;   /* records that some constraint speaks of; NULL: any may be */
  uint32_t *parent; /* for unions */
  struct partition_edge *edges;
  size_t edge_count;
  bool has_refusing; /* rule: one that never lets a program join two */
};

void judge_pair(const struct judge *judge, uint32_t a, uint32_t b, struct judgement *judgement) {
  const struct prepared *prepared = judge->prepared;
  const uint32_t *x = prepared->rows + a * prepared->width;
  const uint32_t *y = prepared->rows + b * prepared->width;
  compare_rows(prepared, judge->cache, x, y, judgement->levels);
  judgement->weight = weights_pair(judge->weights, x, y, judgement->levels);
  judgement->verdict = compare_verdict(prepared->plan, judgement->levels);
}

static bool is_verdict(const struct settling *s, uint16_t rule, enum verdict verdict) {
  return rule != LINK_NO_RULE && s->plan->rules[rule].verdict == verdict;
}

static bool is_refusing(enum verdict verdict) {
  return verdict == VERDICT_NEVER || verdict == VERDICT_REVIEW;
}

/* ---- unions ---- */

static uint32_t root_of(uint32_t *parent, uint32_t record) {
  while (parent[record] != record) {
    parent[record] = parent[parent[record]];
    record = parent[record];
  }
  return record;
}

/* The lower root stays; false: they were one already. */
static bool unite(uint32_t *parent, uint32_t a, uint32_t b) {
  uint32_t x = root_of(parent, a);
  uint32_t y = root_of(parent, b);
  parent[x < y ? y : x] = x < y ? x : y;
  return x != y;
}

static void part_all(struct settling *s) {
  for (uint32_t i = 0; i < s->records->count; i++) {
    s->parent[i] = i;
  }
}

/* ---- pairs that were decided without being proposed ---- */

struct decided {
  struct link_pair *pairs;
  size_t count, capacity;
};

static int by_records(const void *a, const void *b) {
  const struct link_pair *x = a;
  const struct link_pair *y = b;
  if (x->a != y->a) {
    return x->a < y->a ? -1 : 1;
  }
  return (x->b > y->b) - (x->b < y->b);
}

static enum status add_decided(struct settling *s, struct decided *decided, uint32_t a, uint32_t b) {
  struct link_pair pair = {.a = a < b ? a : b, .b = a < b ? b : a};
  if (s->result->pair_count > 0
      && bsearch(&pair, s->result->pairs, s->result->pair_count, sizeof pair, by_records) != NULL) {
    return OK;
  }
  if (decided->count == decided->capacity) {
    size_t capacity = decided->capacity == 0 ? 256 : decided->capacity * 2;
    struct link_pair *pairs = realloc(decided->pairs, capacity * sizeof *pairs);
    if (pairs == NULL) {
      return error_memory(s->error);
    }
    decided->pairs = pairs;
    decided->capacity = capacity;
  }
  decided->pairs[decided->count++] = pair;
  return OK;
}

struct own {
  uint32_t same, record;
};

static int by_same(const void *a, const void *b) {
  const struct own *x = a;
  const struct own *y = b;
  if (x->same != y->same) {
    return x->same < y->same ? -1 : 1;
  }
  return (x->record > y->record) - (x->record < y->record);
}

/* Records that their source calls one person: each with the next. */
static enum status add_own(struct settling *s, struct decided *decided) {
  size_t count = 0;
  if (s->records->same == NULL) {
    return OK;
  }
  struct own *own = malloc((s->records->count + 1) * sizeof *own);
  if (own == NULL) {
    return error_memory(s->error);
  }
  for (uint32_t i = 0; i < s->records->count; i++) {
    if (s->records->same[i] != LINK_MISSING) {
      own[count++] = (struct own){.same = s->records->same[i], .record = i};
    }
  }
  if (count > 1) {
    qsort(own, count, sizeof *own, by_same);
  }
  enum status status = OK;
  for (size_t i = 1; status == OK && i < count; i++) {
    if (own[i].same == own[i - 1].same) {
      (void)unite(s->parent, own[i - 1].record, own[i].record);
      status = add_decided(s, decided, own[i - 1].record, own[i].record);
    }
  }
  free(own);
  return status;
}

static enum status add_decisions(struct settling *s, struct decided *decided) {
  const struct link_records *records = s->records;
  enum status status = OK;
  for (size_t i = 0; status == OK && i < records->decision_count; i++) {
    const struct link_decision *decision = &records->decisions[i];
    status = add_decided(s, decided, decision->a, decision->b);
    if (decision->same) {
      (void)unite(s->parent, decision->a, decision->b);
    }
  }
  return status;
}

static enum status merge_decided(struct settling *s, struct decided *decided) {
  struct link_result *result = s->result;
  size_t kept = 0;
  if (decided->count == 0) {
    return OK;
  }
  qsort(decided->pairs, decided->count, sizeof *decided->pairs, by_records);
  struct link_pair *pairs = realloc(result->pairs, (result->pair_count + decided->count) * sizeof *pairs);
  if (pairs == NULL) {
    return error_memory(s->error);
  }
  result->pairs = pairs;
  for (size_t i = 0; i < decided->count; i++) {
    if (i == 0 || by_records(&decided->pairs[i - 1], &decided->pairs[i]) != 0) {
      struct judgement judgement;
      struct link_pair *pair = &pairs[result->pair_count + kept++];
      *pair = decided->pairs[i];
      judge_pair(s->judge, pair->a, pair->b, &judgement);
      pair->weight = judgement.weight;
      pair->verdict = judgement.verdict;
      pair->block = blocks_propose(s->judge->blocks, pair->a, pair->b);
    }
  }
  result->pair_count += kept;
  qsort(pairs, result->pair_count, sizeof *pairs, by_records);
  return OK;
}

/* ---- what binds ---- */

static void warn_contradictions(struct settling *s) {
  size_t contradictions = 0;
  for (size_t i = 0; i < s->records->decision_count; i++) {
    const struct link_decision *decision = &s->records->decisions[i];
    contradictions += !decision->same && root_of(s->parent, decision->a) == root_of(s->parent, decision->b);
  }
  if (contradictions > 0) {
    log_message(LEVEL_WARNING,
                _("%zu decisions that two records are not one contradict what makes them one, and hold against it"),
                contradictions);
  }
}

/* Must-link classes from decisions and sources, and their pairs among the others. */
static enum status make_classes(struct settling *s) {
  struct decided decided = {0};
  size_t count = s->records->count;
  if (s->records->same == NULL && s->records->decision_count == 0) {
    return OK;
  }
  part_all(s);
  enum status status = add_own(s, &decided);
  status = status == OK ? add_decisions(s, &decided) : status;
  status = status == OK ? merge_decided(s, &decided) : status;
  free(decided.pairs);
  if (status == OK) {
    warn_contradictions(s);
    s->same = malloc((count + 1) * sizeof *s->same);
    status = s->same == NULL ? error_memory(s->error) : OK;
  }
  for (uint32_t i = 0; status == OK && i < count; i++) {
    s->same[i] = LINK_MISSING;
    uint32_t root = root_of(s->parent, i);
    if (root != i) {
      s->same[i] = root;
      s->same[root] = root;
    }
  }
  return status;
}

static bool is_bound(const struct settling *s, size_t i) {
  const struct link_records *r = s->records;
  bool sealed = r->sealed != NULL && r->sealed[i] != 0;
  bool role = r->role != NULL && r->role[i] != 0;
  bool unique = r->unique != NULL && r->unique[i] != 0;
  bool group = r->group != NULL && r->group[i] != LINK_MISSING;
  return sealed || role || unique || group || (s->same != NULL && s->same[i] != LINK_MISSING);
}

static enum status note_bound(struct settling *s) {
  for (size_t i = 0; i < s->plan->rule_count; i++) {
    s->has_refusing = s->has_refusing || is_refusing(s->plan->rules[i].verdict);
  }
  if (s->has_refusing) {
    return OK;
  }
  s->bound = calloc(s->records->count + 1, 1);
  if (s->bound == NULL) {
    return error_memory(s->error);
  }
  for (size_t i = 0; i < s->records->count; i++) {
    s->bound[i] = is_bound(s, i);
  }
  for (size_t i = 0; i < s->records->decision_count; i++) {
    s->bound[s->records->decisions[i].a] = 1;
    s->bound[s->records->decisions[i].b] = 1;
  }
  return OK;
}

/* What a person has to look at no third record joins either: only a reviewer or the source's own key do. */
static bool allows(void *context, uint32_t a, uint32_t b) {
  struct settling *s = context;
  bool never = false;
  enum link_reason reason = compare_standing(s->prepared, a, b, &never);
  if (never || reason == REASON_DECISION || !s->has_refusing) {
    return !never;
  }
  struct judgement judgement;
  judge_pair(s->judge, a, b, &judgement);
  return !is_verdict(s, judgement.verdict, VERDICT_NEVER)
         && (reason == REASON_SOURCE || !is_verdict(s, judgement.verdict, VERDICT_REVIEW));
}

/* A pair below weight 0 is not among the edges; its weight counts where a rule proposed it. */
static float weight_of(void *context, uint32_t a, uint32_t b) {
  struct settling *s = context;
  struct judgement judgement;
  if (blocks_propose(s->judge->blocks, a, b) == LINK_NO_RULE) {
    return s->plan->cluster.unproposed;
  }
  judge_pair(s->judge, a, b, &judgement);
  return judgement.weight;
}

/* ---- clusters ---- */

static bool joins_by_weight(const struct settling *s, float weight) {
  const struct link_band *band = &s->plan->band;
  return link_probability(weight) >= (band->hold ? band->to : band->from);
}

static enum status make_edges(struct settling *s) {
  const struct link_result *result = s->result;
  s->edges = malloc((result->pair_count + 1) * sizeof *s->edges);
  if (s->edges == NULL) {
    return error_memory(s->error);
  }
  for (size_t i = 0; i < result->pair_count; i++) {
    const struct link_pair *pair = &result->pairs[i];
    struct partition_edge edge = {.a = pair->a, .b = pair->b, .weight = pair->weight};
    bool merges = is_verdict(s, pair->verdict, VERDICT_MERGE);
    edge.joins = pair->verdict == LINK_NO_RULE ? joins_by_weight(s, pair->weight) : merges;
    edge.weight = merges ? s->plan->cluster.cap : edge.weight;
    if (merges || pair->weight >= 0) {
      s->edges[s->edge_count++] = edge;
    }
  }
  return OK;
}

static enum status cluster(struct settling *s) {
  struct partition partition = {.count = s->records->count,
                                .edges = s->edges,
                                .edge_count = s->edge_count,
                                .method = s->plan->cluster.method,
                                .cap = s->plan->cluster.cap,
                                .unproposed = s->plan->cluster.unproposed,
                                .stop = s->plan->cluster.stop,
                                .giant = s->plan->cluster.giant,
                                .rank = s->prepared->rank,
                                .source = s->records->source,
                                .same = s->same,
                                .bound = s->bound,
                                .allows = allows,
                                .weight = weight_of,
                                .context = s};
  struct partition_result parts = {0};
  enum status status = partition_run(&partition, &parts, s->error);
  if (status == OK) {
    s->result->cluster = parts.cluster;
    s->result->cluster_count = parts.cluster_count;
    s->result->clusters = parts.clusters;
    s->result->larger_count = parts.larger_count;
  }
  return status;
}

/* ---- outcomes ---- */

static void conclude(struct link_pair *pair, enum link_outcome outcome, enum link_reason reason) {
  pair->outcome = (uint8_t)outcome;
  pair->reason = (uint8_t)reason;
}

static void conclude_joined(const struct settling *s, struct link_pair *pair, enum link_reason standing) {
  if (standing == REASON_WEIGHT && is_verdict(s, pair->verdict, VERDICT_MERGE)) {
    standing = REASON_RULE;
  }
  conclude(pair, LINK_JOINED, standing);
}

/* Of a pair in two clusters. */
static void conclude_apart(const struct settling *s, struct link_pair *pair, enum link_reason standing, bool never) {
  bool likely = link_probability(pair->weight) >= s->plan->band.from;
  if (never) {
    conclude(pair, standing == REASON_ROLES && likely ? LINK_WAITING : LINK_APART, standing);
  } else if (is_verdict(s, pair->verdict, VERDICT_NEVER) && standing != REASON_DECISION) {
    conclude(pair, LINK_APART, REASON_RULE);
  } else if (standing == REASON_DECISION || standing == REASON_SOURCE || is_verdict(s, pair->verdict, VERDICT_MERGE)) {
    conclude(pair, LINK_WAITING, REASON_CLUSTER);
  } else if (is_verdict(s, pair->verdict, VERDICT_REVIEW) || is_verdict(s, pair->verdict, VERDICT_HOLD)) {
    conclude(pair, likely || pair->weight >= 0 ? LINK_WAITING : LINK_APART, REASON_RULE);
  } else if (joins_by_weight(s, pair->weight)) {
    conclude(pair, LINK_WAITING, REASON_CLUSTER);
  } else {
    conclude(pair, likely ? LINK_WAITING : LINK_APART, REASON_WEIGHT);
  }
}

static void conclude_pairs(struct settling *s) {
  struct link_result *result = s->result;
  for (uint32_t i = 0; i < s->records->count; i++) {
    s->parent[i] = result->cluster[i];
  }
  result->cluster_count_accepted = result->cluster_count;
  for (size_t i = 0; i < result->pair_count; i++) {
    struct link_pair *pair = &result->pairs[i];
    bool never = false;
    enum link_reason standing = compare_standing(s->prepared, pair->a, pair->b, &never);
    if (result->cluster[pair->a] == result->cluster[pair->b]) {
      conclude_joined(s, pair, standing);
    } else {
      conclude_apart(s, pair, standing, never);
    }
    if (pair->outcome == LINK_WAITING) {
      result->waiting++;
      result->cluster_count_accepted -= unite(s->parent, pair->a, pair->b);
    }
  }
}

enum status settle_clusters(const struct judge *judge, struct link_result *result, struct error *error) {
  struct settling s = {.judge = judge,
                       .prepared = judge->prepared,
                       .plan = judge->prepared->plan,
                       .records = judge->prepared->records,
                       .result = result,
                       .error = error};
  s.parent = malloc((s.records->count + 1) * sizeof *s.parent);
  enum status status = s.parent == NULL ? error_memory(error) : OK;
  status = status == OK ? make_classes(&s) : status;
  status = status == OK ? note_bound(&s) : status;
  status = status == OK ? make_edges(&s) : status;
  status = status == OK ? cluster(&s) : status;
  if (status == OK) {
    conclude_pairs(&s);
  }
  free(s.same);
  free(s.bound);
  free(s.parent);
  free(s.edges);
  return status;
}
