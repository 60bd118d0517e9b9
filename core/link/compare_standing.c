/* What stands above weights: rules of the plan, and what sources and reviewers say of two records. */
#include "core/base/log.h"
#include "core/link/prepare.h"
#include "core/link/values.h"

#include <stdlib.h>

uint16_t compare_verdict(const struct link_plan *plan, const uint8_t *levels) {
  for (size_t i = 0; i < plan->rule_count; i++) {
    const struct verdict_rule *rule = &plan->rules[i];
    bool holds = true;
    bool excepted = rule->has_unless;
    for (size_t j = 0; holds && j < plan->comparison_count; j++) {
      unsigned level = 1U << levels[j];
      holds = rule->when[j] == 0 || (rule->when[j] & level) != 0;
      excepted = excepted && (rule->unless[j] == 0 || (rule->unless[j] & level) != 0);
    }
    if (holds && !excepted) {
      return (uint16_t)i;
    }
  }
  return LINK_NO_RULE;
}

bool compare_documents_agree(const struct prepared *prepared, uint32_t a, uint32_t b) {
  for (size_t i = 0; i < prepared->plan->comparison_count; i++) {
    const struct comparison_values *values = prepared->values[i];
    if (values->comparison->kind != COMPARE_DOCUMENT) {
      continue;
    }
    uint32_t x = prepared->rows[a * prepared->width + i];
    uint32_t y = prepared->rows[b * prepared->width + i];
    if (x != LINK_MISSING && y != LINK_MISSING) {
      struct number_pair p = values->pairs.pairs[x];
      struct number_pair q = values->pairs.pairs[y];
      return p.first == q.first && (p.second == q.second || p.second == LINK_MISSING || q.second == LINK_MISSING);
    }
  }
  return false;
}

/* ---- decisions ---- */

enum decided { UNDECIDED, DECIDED_SAME, DECIDED_NEVER };

/* Decisions by pair of records, and by pair of classes of records that were decided to be the same. */
struct standing {
  uint32_t *class; /* by record: the first of those that decisions make one with it */
  struct pair_slot {
    uint64_t pair; /* lower position in the upper half; NO_PAIR: empty */
    bool by_class;
    uint8_t decided;
  } * slots;
  size_t slot_count; /* a power of two */
};

#define NO_PAIR UINT64_MAX

static uint64_t pair_of(uint32_t a, uint32_t b) {
  return a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
}

static struct pair_slot *slot_of(const struct standing *standing, uint32_t a, uint32_t b, bool by_class) {
  uint64_t pair = pair_of(a, b);
  size_t slot = (size_t)value_mix(by_class, pair) & (standing->slot_count - 1);
  while (standing->slots[slot].pair != NO_PAIR
         && (standing->slots[slot].pair != pair || standing->slots[slot].by_class != by_class)) {
    slot = (slot + 1) & (standing->slot_count - 1);
  }
  return &standing->slots[slot];
}

/* Returns whether another decision on the same pair said otherwise; "never" stays. */
static bool decide(struct standing *standing, uint32_t a, uint32_t b, bool by_class, bool same) {
  struct pair_slot *slot = slot_of(standing, a, b, by_class);
  uint8_t decided = same ? DECIDED_SAME : DECIDED_NEVER;
  bool contrary = slot->pair != NO_PAIR && slot->decided != decided;
  slot->pair = pair_of(a, b);
  slot->by_class = by_class;
  slot->decided = contrary ? DECIDED_NEVER : decided;
  return contrary;
}

static uint32_t class_of(uint32_t *class, uint32_t record) {
  while (class[record] != record) {
    class[record] = class[class[record]];
    record = class[record];
  }
  return record;
}

static enum status standing_alloc(struct prepared *p, struct error *error) {
  struct standing *standing = p->standing = calloc(1, sizeof *p->standing);
  if (standing == NULL) {
    return error_memory(error);
  }
  standing->slot_count = 16;
  while (standing->slot_count < p->records->decision_count * 4) {
    standing->slot_count *= 2;
  }
  standing->class = malloc((p->records->count + 1) * sizeof *standing->class);
  standing->slots = malloc(standing->slot_count * sizeof *standing->slots);
  if (standing->class == NULL || standing->slots == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < p->records->count; i++) {
    standing->class[i] = (uint32_t)i;
  }
  memset(standing->slots, 0xFF, standing->slot_count * sizeof *standing->slots);
  return OK;
}

enum status standing_make(struct prepared *p, struct error *error) {
  const struct link_records *records = p->records;
  size_t contrary = 0;
  if (records->decision_count == 0) {
    return OK;
  }
  if (standing_alloc(p, error) != OK) {
    return error->code;
  }
  struct standing *standing = p->standing;
  for (size_t i = 0; i < records->decision_count; i++) {
    const struct link_decision *decision = &records->decisions[i];
    contrary += decide(standing, decision->a, decision->b, false, decision->same);
  }
  for (size_t i = 0; i < records->decision_count; i++) {
    const struct link_decision *decision = &records->decisions[i];
    if (slot_of(standing, decision->a, decision->b, false)->decided == DECIDED_SAME) {
      uint32_t x = class_of(standing->class, decision->a);
      uint32_t y = class_of(standing->class, decision->b);
      standing->class[x < y ? y : x] = x < y ? x : y;
    }
  }
  for (size_t i = 0; i < records->count; i++) {
    standing->class[i] = class_of(standing->class, (uint32_t)i);
  }
  for (size_t i = 0; i < records->decision_count; i++) {
    const struct link_decision *decision = &records->decisions[i];
    uint32_t x = standing->class[decision->a];
    uint32_t y = standing->class[decision->b];
    if (!decision->same && x == y) {
      contrary++;
    } else if (!decision->same) {
      (void)decide(standing, x, y, true, false);
    }
  }
  if (contrary > 0) {
    log_message(LEVEL_WARNING, _("%zu decisions contradict others: what must stay apart stays apart"), contrary);
  }
  return OK;
}

void standing_free(struct standing *standing) {
  if (standing != NULL) {
    free(standing->class);
    free(standing->slots);
    free(standing);
  }
}

static enum decided decision_on(const struct standing *standing, uint32_t a, uint32_t b) {
  if (standing == NULL) {
    return UNDECIDED;
  }
  const struct pair_slot *slot = slot_of(standing, a, b, false);
  if (slot->pair != NO_PAIR) {
    return slot->decided;
  }
  if (standing->class[a] == standing->class[b]) {
    return DECIDED_SAME;
  }
  slot = slot_of(standing, standing->class[a], standing -> class[b], true);
  return slot->pair != NO_PAIR ? slot->decided : UNDECIDED;
}

/* ---- all ---- */

static bool shared(const uint32_t *classes, uint32_t a, uint32_t b) {
  return classes != NULL && classes[a] != LINK_MISSING && classes[a] == classes[b];
}

static bool marked(const uint8_t *marks, uint32_t record) {
  return marks != NULL && marks[record] != 0;
}

enum link_reason compare_standing(const struct prepared *prepared, uint32_t a, uint32_t b, bool *never) {
  const struct link_records *records = prepared->records;
  enum decided decided = decision_on(prepared->standing, a, b);
  *never = decided != DECIDED_SAME;
  if (decided != UNDECIDED) {
    return REASON_DECISION;
  }
  if (marked(records->sealed, a) || marked(records->sealed, b)) {
    return REASON_SEALED;
  }
  if (marked(records->role, a) && marked(records->role, b) && records->role[a] != records->role[b]) {
    return REASON_ROLES;
  }
  if (shared(records->same, a, b)) {
    *never = false;
    return REASON_SOURCE;
  }
  if (marked(records->unique, a) && marked(records->unique, b)
      && (records->source == NULL || records->source[a] == records->source[b])) {
    return REASON_UNIQUE;
  }
  if (shared(records->group, a, b) && !compare_documents_agree(prepared, a, b)) {
    return REASON_GROUP;
  }
  *never = false;
  return REASON_WEIGHT;
}
