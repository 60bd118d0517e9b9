/* Names, districts and offences of the simulated population, read from examples/peru/data. */
#ifndef PUENTE_EXAMPLES_TABLES_H
#define PUENTE_EXAMPLES_TABLES_H

#include "examples/peru/simulator/random.h"

enum name_kind { NAME_HISPANIC, NAME_ANDEAN, NAME_AMAZONIAN, NAME_FOREIGN };

struct name {
  char *text;
  char *variants[4]; /* NULL-terminated */
  uint32_t until;    /* running sum of weights */
  uint8_t kind;      /* of a surname */
};
struct names {
  struct name *items;
  uint32_t count;
};
struct district {
  char *inei, *reniec, *department, *province, *name;
  uint32_t until, origin_until;
};
struct districts {
  struct district *items;
  uint32_t count;
};
struct offence {
  char *now, *before, *text;
  char purpose[4];
  uint32_t until;
};
struct offences {
  struct offence *items;
  uint32_t count;
};
struct tables {
  struct names surnames, female, male;
  struct districts districts;
  struct offences offences;
  char *texts[4]; /* the files' bytes, into which everything above points */
};

/* False and a message on standard error where a file is absent or wrong. */
bool tables_load(struct tables *tables, const char *folder);
void tables_free(struct tables *tables);
uint16_t names_draw(const struct names *names, struct random *random);
uint16_t districts_draw(const struct districts *districts, struct random *random, bool origin);
uint8_t offences_draw(const struct offences *offences, struct random *random);

#endif
