/* The weights of a pair as an answer: what moved it from the prior to its match weight. Formula: Fellegi and Sunter,
 * JASA 64 (1969): weight of a level = log2(m/u); the sum is log2 of the odds that the two are one. */
#ifndef PUENTE_SERVICE_WEIGHTS_H
#define PUENTE_SERVICE_WEIGHTS_H

#include "core/link/link.h"

#include <jansson.h>

/* {"prior", "steps": [{"comparison", "level", "m", "u", "weight", "adjustment"}], "weight", "probability"}; prior,
 * weights and adjustments sum to the weight. m and u are null where the comparison says nothing. NULL: no memory. The
 * member "weights" of what explain_pair answers. */
json_t *weights_json(const struct link_explanation *explanation);

#endif
