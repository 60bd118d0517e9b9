/* The truth: persons, what happened to them, and which institution saw it. Made once from a seed; arrays of small
 * structs, about 100 bytes a person. Views (errors.h) are made from it on demand. Dates are days since 1970-01-01. */
#ifndef PUENTE_EXAMPLES_POPULATION_H
#define PUENTE_EXAMPLES_POPULATION_H

#include "examples/peru/simulator/tables.h"

enum source { SISTRA, RETA, MIMP, DATAMART, SISCALP, SOURCES };
extern const char *const source_names[SOURCES];

enum document { DOCUMENT_NONE, DOCUMENT_DNI, DOCUMENT_CE, DOCUMENT_PASSPORT, DOCUMENT_PTP };
enum { NO_NAME = UINT16_MAX, NO_PERSON = UINT32_MAX };

struct person {
  int32_t birth;
  uint32_t number;   /* of the document */
  uint32_t borrowed; /* person whose document this one shows (a parent's, an older sister's); NO_PERSON: own */
  uint16_t paternal, maternal;   /* maternal may be NO_NAME */
  uint16_t given, second, alias; /* second and alias may be NO_NAME; an alias is a given name */
  uint16_t birthplace;
  uint8_t country; /* in `countries`; 0 is Peru */
  uint8_t document;
  char sex; /* 'F', 'M' */
};

enum role { VICTIM, ACCUSED };
enum { CLAIM_FALSE_NAME = 1, CLAIM_FALSE_AGE = 2, CLAIM_PROTECTED = 4, CLAIM_ALIAS = 8 };

/* One person in one case. What a person claimed at the rescue, every institution of that case wrote down. */
struct involvement {
  uint32_t person, incident;
  uint8_t role;
  uint8_t sources; /* bits of enum source */
  uint8_t claims;
  int8_t years_claimed; /* added to the age under CLAIM_FALSE_AGE */
};

struct incident {
  int32_t facts, reported;
  uint32_t first, count;  /* involvements */
  uint16_t place, origin; /* districts */
  uint8_t offence, venue, recruitment;
  uint8_t means;   /* bits */
  uint8_t stage;   /* how far the proceeding got, 0 … 7 */
  uint8_t sources; /* bits */
  bool abroad;
};

struct world {
  uint64_t seed;
  const struct tables *tables;
  struct person *persons;
  struct incident *incidents;
  struct involvement *involvements;
  uint32_t person_count, incident_count, involvement_count;
};

struct country {
  const char *code, *name;
};
extern const struct country countries[];

/* `population` persons, victims and accused together. False: out of memory. */
bool world_make(struct world *world, const struct tables *tables, uint32_t population, uint64_t seed);
void world_free(struct world *world);

struct calendar {
  int year, month, day;
};
struct calendar calendar_of(int32_t days);
int32_t days_of(int year, int month, int day);
int age_at(int32_t birth, int32_t at);
/* Eight digits and the check digit of a Peruvian DNI, as RENIEC prints it. */
char dni_check(uint32_t number);

#endif
