/* The weights of a pair as lines with bars, from the prior to the match weight. */
#ifndef PUENTE_COMMAND_WATERFALL_H
#define PUENTE_COMMAND_WATERFALL_H

#include <jansson.h>
#include <stdio.h>

/* `weights` as core/service/weights.h makes them; NULL or null prints nothing. A bar reaches from the sum before a step
 * to the sum after it: '+' up, '-' down, '|' stands at 0, even odds. */
void waterfall_print(const json_t *weights, FILE *stream);

#endif
