/* Training without labels, on the records themselves: what link_run does when no model is given. Private to
 * core/link. */
#ifndef PUENTE_LINK_LEARN_H
#define PUENTE_LINK_LEARN_H

#include "core/link/score.h"

/* The secret of a model that is to be trained: it follows from the plan's seed, so that two runs block alike. The model
 * carries it; it hides nothing from who holds the model, whose capped keys are of values that very many share. */
void learn_secret(uint64_t seed, uint8_t secret[16]);
/* λ from deterministic rules, u from random pairs, m by EM over the plan's rounds and from the pairs that
 * people decided to be one, term frequencies. What training
 * could not do well is a warning. */
enum status learn_model(const struct scorer *scorer, struct link_model **out, struct error *error) MUST_CHECK;

/* A level that few matches show, or none, must not weigh more than all better levels: chance, or a guess, would
 * outweigh what is known. What its m loses goes to the best level; levels that the plan fixes are left alone. */
void learn_cap(const struct link_plan *plan, const struct train_report *report, struct link_model *model);

/* Term frequencies of the comparisons that ask for them: listed are values that FREQUENCY_LEAST records share. */
enum status learn_frequencies(const struct prepared *prepared, struct link_model *model,
                              struct error *error) MUST_CHECK;

#endif
