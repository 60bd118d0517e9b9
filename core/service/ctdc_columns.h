/* Columns of the global data set of the Counter-Trafficking Data Collaborative (CTDC), in its order and by its names,
 * and how a person's records fill them. Internal to core/service/ctdc*.c. */
#ifndef PUENTE_SERVICE_CTDC_COLUMNS_H
#define PUENTE_SERVICE_CTDC_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

enum ctdc_kind {
  CTDC_YEAR,
  CTDC_GENDER,
  CTDC_AGE,
  CTDC_MAJORITY,
  CTDC_MAJORITY_THEN,
  CTDC_CITIZENSHIP,
  CTDC_COUNTRY,
  CTDC_MONTHS,
  CTDC_FLAG
};
/* Fields of a person's part in a case that flags read; some stand in the case, too. */
enum ctdc_field { FLAG_MEANS, FLAG_PURPOSES, FLAG_INDUSTRY, FLAG_SEXUAL, FLAG_RELATION, FLAG_FIELDS };
extern const char *const ctdc_fields[FLAG_FIELDS];

struct ctdc_column {
  const char *name;
  enum ctdc_kind kind;
  const char *en, *es;   /* definition */
  enum ctdc_field field; /* of a flag */
  const char *codes;     /* of the field, ' '-joined: 1 where one of them is recorded */
  const char *also;      /* purposes that make it 1 too; NULL: none */
  const char *within;    /* the flag that has to be 1, too; NULL: none */
  int step;              /* of core/disclose/anonymise.h: the lower the sooner it is hidden; 0: never */
};
enum { CTDC_COLUMNS = 29, CTDC_STEPS = 8 };
extern const struct ctdc_column ctdc_columns[CTDC_COLUMNS];
/* By step the columns that it hides. */
void ctdc_steps(uint64_t steps[CTDC_STEPS]);

#endif
