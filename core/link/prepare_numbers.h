/* What becomes of one dictionary value of a comparison, of all kinds but names: a number in `values`, where it gets
 * one, else `*number` stays. Uses nothing but `values`, so that threads may work on different ones. Private to
 * prepare*.c. */
#ifndef PUENTE_LINK_PREPARE_NUMBERS_H
#define PUENTE_LINK_PREPARE_NUMBERS_H

#include "core/link/values.h"

typedef enum status number_value(struct comparison_values *values, struct slice text, uint32_t *number,
                                 struct error *error);
number_value number_document, number_type, number_text, number_filing, number_code, number_place, number_date,
    number_age;

#endif
