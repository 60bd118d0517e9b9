#include "core/link/joint.h"

#include <math.h>
#include <stdlib.h>

enum { FIRST_SLOTS = 1 << 10 };

/* How many records have two values together. */
struct tally {
  uint64_t *pairs;
  uint32_t *records;
  size_t slots, count;
};

static size_t slot_of(const uint64_t *pairs, size_t slots, uint64_t pair) {
  size_t slot = (pair * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (slots - 1);
  while (pairs[slot] != JOINT_EMPTY && pairs[slot] != pair) {
    slot = (slot + 1) & (slots - 1);
  }
  return slot;
}

static uint64_t pair_of(uint32_t surname, uint32_t given) {
  return (uint64_t)surname << 32 | given;
}

bool joint_find(const struct link_plan *plan, size_t *surname, size_t *given) {
  for (size_t i = 0; i < plan->comparison_count; i++) {
    const struct comparison *x = &plan->comparisons[i];
    for (size_t j = 0; j < plan->comparison_count && x->kind == COMPARE_GIVEN && x->frequency; j++) {
      const struct comparison *y = &plan->comparisons[j];
      bool read = x->column_count > 1 && y->kind == COMPARE_TEXT && y->columns[0] == x->columns[1];
      if (y->frequency && weights_exact_level(x) != 0 && weights_exact_level(y) != 0
          && (y->kind == COMPARE_SURNAMES || read)) {
        *surname = j;
        *given = i;
        return true;
      }
    }
  }
  return false;
}

/* ---- counting ---- */

static void tally_free(struct tally *tally) {
  free(tally->pairs);
  free(tally->records);
}

static bool tally_grow(struct tally *tally) {
  struct tally larger = {.slots = tally->slots == 0 ? FIRST_SLOTS : tally->slots * 2, .count = tally->count};
  larger.pairs = malloc(larger.slots * sizeof *larger.pairs);
  larger.records = calloc(larger.slots, sizeof *larger.records);
  if (larger.pairs == NULL || larger.records == NULL) {
    tally_free(&larger);
    return false;
  }
  memset(larger.pairs, 0xFF, larger.slots * sizeof *larger.pairs);
  for (size_t i = 0; i < tally->slots; i++) {
    if (tally->pairs[i] != JOINT_EMPTY) {
      size_t slot = slot_of(larger.pairs, larger.slots, tally->pairs[i]);
      larger.pairs[slot] = tally->pairs[i];
      larger.records[slot] = tally->records[i];
    }
  }
  tally_free(tally);
  *tally = larger;
  return true;
}

static bool tally_add(struct tally *tally, uint64_t pair) {
  if (tally->count >= tally->slots / 2 && !tally_grow(tally)) {
    return false;
  }
  size_t slot = slot_of(tally->pairs, tally->slots, pair);
  tally->count += tally->pairs[slot] == JOINT_EMPTY;
  tally->pairs[slot] = pair;
  tally->records[slot]++;
  return true;
}

/* Values that are listed by themselves: only these can make a whole name that is. */
static enum status mark_listed(const struct prepared *prepared, const struct link_model *model, size_t comparison,
                               double **shares, struct error *error) {
  const struct link_frequency *frequency = model->comparisons[comparison].frequency;
  size_t count = prepared_value_count(prepared, comparison);
  struct arena *arena = arena_new(0);
  *shares = calloc(count + 1, sizeof **shares);
  if (arena == NULL || *shares == NULL) {
    arena_free(arena);
    return error_memory(error);
  }
  enum status status = OK;
  for (size_t i = 0; status == OK && frequency != NULL && i < count; i++) {
    arena_reset(arena);
    uint32_t at = map_get(frequency->values, prepared_text(prepared, comparison, (uint32_t)i, arena));
    status = arena_failed(arena) ? error_memory(error) : OK;
    (*shares)[i] = at == MAP_NONE ? 0 : frequency->share[at];
  }
  arena_free(arena);
  return status;
}

struct whole_names {
  size_t surname, given;
  double *surname_shares, *given_shares; /* by value; 0: not listed */
  struct tally tally;
  uint64_t total; /* records that have both */
};

static void whole_names_free(struct whole_names *names) {
  free(names->surname_shares);
  free(names->given_shares);
  tally_free(&names->tally);
}

static enum status count_names(const struct prepared *prepared, const struct link_model *model,
                               struct whole_names *names, struct error *error) {
  enum status status = mark_listed(prepared, model, names->surname, &names->surname_shares, error);
  status = status == OK ? mark_listed(prepared, model, names->given, &names->given_shares, error) : status;
  for (size_t i = 0; status == OK && i < prepared->records->count; i++) {
    uint32_t surname = prepared->rows[i * prepared->width + names->surname];
    uint32_t given = prepared->rows[i * prepared->width + names->given];
    if (surname == LINK_MISSING || given == LINK_MISSING) {
      continue;
    }
    names->total++;
    if (names->surname_shares[surname] > 0 && names->given_shares[given] > 0
        && !tally_add(&names->tally, pair_of(surname, given))) {
      status = error_memory(error);
    }
  }
  return status;
}

static struct slice text_of(const struct prepared *prepared, const struct whole_names *names, uint64_t pair,
                            struct arena *arena) {
  struct slice surname = prepared_text(prepared, names->surname, (uint32_t)(pair >> 32), arena);
  struct slice given = prepared_text(prepared, names->given, (uint32_t)pair, arena);
  return surname.data == NULL || given.data == NULL ? slice_none() : link_model_joint_text(arena, surname, given);
}

/* ---- learning ---- */

static enum status list_names(const struct prepared *prepared, const struct whole_names *names,
                              struct link_frequency *joint, struct error *error) {
  struct arena *arena = arena_new(0);
  enum status status = arena == NULL ? error_memory(error) : OK;
  for (size_t i = 0; status == OK && i < names->tally.slots; i++) {
    if (names->tally.records[i] >= JOINT_LEAST) {
      arena_reset(arena);
      struct slice text = text_of(prepared, names, names->tally.pairs[i], arena);
      uint32_t at = text.data == NULL ? MAP_NONE : map_intern(joint->values, text);
      if (at == MAP_NONE) {
        status = error_memory(error);
      } else {
        joint->share[at] = (double)names->tally.records[i] / (double)names->total;
        joint->mean += joint->share[at] * joint->share[at];
      }
    }
  }
  arena_free(arena);
  return status;
}

enum status joint_learn(const struct prepared *prepared, struct link_model *model, struct error *error) {
  struct whole_names names = {0};
  size_t listed = 0;
  if (!joint_find(prepared->plan, &names.surname, &names.given)) {
    return OK;
  }
  enum status status = count_names(prepared, model, &names, error);
  for (size_t i = 0; i < names.tally.slots; i++) {
    listed += names.tally.records[i] >= JOINT_LEAST;
  }
  if (status == OK && listed > 0) {
    struct link_frequency *joint = link_model_joint(model, names.given, listed);
    status = joint == NULL ? error_memory(error) : OK;
    if (status == OK) {
      joint->floor = 1 / (double)names.total;
      joint->mean = 0;
      status = list_names(prepared, &names, joint, error);
    }
  }
  whole_names_free(&names);
  return status;
}

/* ---- using ---- */

static double believed(const struct prepared *prepared, const struct link_frequency *frequency, double share) {
  double floor = prepared->plan->train.frequency_floor;
  floor = frequency->floor > floor ? frequency->floor : floor;
  return share > floor ? share : floor;
}

static enum status fill_joint(const struct prepared *prepared, const struct link_model *model,
                              const struct whole_names *names, struct joint *joint, struct error *error) {
  const struct link_frequency *known = model->comparisons[names->given].joint;
  struct arena *arena = arena_new(0);
  if (arena == NULL) {
    return error_memory(error);
  }
  enum status status = OK;
  for (size_t i = 0; status == OK && i < joint->slots; i++) {
    joint->less[i] = 0;
    if (joint->pairs[i] != JOINT_EMPTY) {
      arena_reset(arena);
      uint32_t at = map_get(known->values, text_of(prepared, names, joint->pairs[i], arena));
      status = arena_failed(arena) ? error_memory(error) : OK;
      double surname = believed(prepared, model->comparisons[names->surname].frequency,
                                names->surname_shares[joint->pairs[i] >> 32]);
      double given = believed(prepared, model->comparisons[names->given].frequency,
                              names->given_shares[(uint32_t)joint->pairs[i]]);
      double less = at == MAP_NONE ? 0 : log2(surname * given / known->share[at]);
      joint->less[i] = less < 0 ? (float)less : 0;
    }
  }
  arena_free(arena);
  return status;
}

enum status joint_make(const struct prepared *prepared, const struct link_model *model, struct joint *joint,
                       struct error *error) {
  struct whole_names names = {0};
  *joint = (struct joint){0};
  if (!joint_find(prepared->plan, &names.surname, &names.given) || model->comparisons[names.given].joint == NULL
      || model->comparisons[names.given].frequency == NULL || model->comparisons[names.surname].frequency == NULL) {
    return OK;
  }
  enum status status = count_names(prepared, model, &names, error);
  if (status == OK && names.tally.slots > 0) {
    *joint = (struct joint){.surname = names.surname, .given = names.given, .slots = names.tally.slots};
    joint->less = malloc(joint->slots * sizeof *joint->less);
    joint->pairs = names.tally.pairs;
    names.tally.pairs = NULL;
    status = joint->less == NULL ? error_memory(error) : fill_joint(prepared, model, &names, joint, error);
  }
  whole_names_free(&names);
  if (status != OK) {
    joint_free(joint);
  }
  return status;
}

void joint_free(struct joint *joint) {
  free(joint->pairs);
  free(joint->less);
  *joint = (struct joint){0};
}

float joint_less(const struct joint *joint, uint32_t surname, uint32_t given) {
  uint64_t pair = pair_of(surname, given);
  size_t slot = slot_of(joint->pairs, joint->slots, pair);
  return joint->pairs[slot] == pair ? joint->less[slot] : 0;
}
