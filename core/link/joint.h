/* Whole names: how frequent a surname and given names are together. Private to core/link. */
#ifndef PUENTE_LINK_JOINT_H
#define PUENTE_LINK_JOINT_H

#include "core/link/learn.h"

/* The two comparisons whose values are a name together: given names, and the surnames that they read or the pair of
 * surnames. False: the plan has none, or does not ask for both frequencies. */
bool joint_find(const struct link_plan *plan, size_t *surname, size_t *given);

/* Lists whole names that FREQUENCY_LEAST records share in model->comparisons[given].joint. */
enum status joint_learn(const struct prepared *prepared, struct link_model *model, struct error *error) MUST_CHECK;

/* What is taken from the adjustments of two names that agree together, by pair of values. Each adjustment by itself is
 * log2(u/share), as if surname and given names were independent; where people of one surname favour a given name the
 * whole name is more frequent than the product of the shares, and the weight is that of log2(u_surname u_given /
 * max(share of the whole name, product)). Never more than by themselves: precision comes first. */
struct joint {
  size_t surname, given;
  uint64_t *pairs; /* surname << 32 | given, JOINT_EMPTY */
  float *less;     /* 0 or below */
  size_t slots;    /* a power of two; 0: nothing is known of whole names */
};
#define JOINT_EMPTY UINT64_MAX
enum status joint_make(const struct prepared *prepared, const struct link_model *model, struct joint *joint,
                       struct error *error) MUST_CHECK;
void joint_free(struct joint *joint);
float joint_less(const struct joint *joint, uint32_t surname, uint32_t given);

#endif
