/* A figure and the units behind it, for people. */
#ifndef PUENTE_COMMAND_FIGURE_H
#define PUENTE_COMMAND_FIGURE_H

#include <jansson.h>
#include <stdbool.h>

void figure_print(const json_t *answer); /* of explain_figure */
/* One unit, as figure_unit_json has it; `person`: of persons, not of cases. */
void figure_print_unit(const json_t *unit, bool person);

#endif
