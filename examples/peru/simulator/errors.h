/* What a clerk wrote: the truth as one source shows it, with that source's mistakes. Nothing is kept: a view is made
 * again whenever it is asked for, from seed, source and record alone. */
#ifndef PUENTE_EXAMPLES_ERRORS_H
#define PUENTE_EXAMPLES_ERRORS_H

#include "examples/peru/simulator/population.h"

/* Each is a probability, by record unless it says otherwise. */
struct rates {
  double typing;           /* by name part: a letter replaced, lost, doubled or two exchanged */
  double variant;          /* by surname that has one: another spelling (Quispe, Qespi) */
  double swapped_surnames; /* paternal for maternal */
  double lost_maternal;    /* second surname left out */
  double lost_second;      /* second given name left out */
  double lost_enye;        /* by name with ñ */
  double document_missing; /* of somebody who has one */
  double document_wrong;   /* one digit */
  double placeholder;      /* 00000000 and the like instead of a document */
  double birth_missing, birth_year_only, birth_swapped, birth_wrong;
  double copied;        /* the prosecutor's form filled from the police's, mistakes included */
  double number_typing; /* by denuncia or carpeta number given by another institution */
  double broken;        /* impossible date, unknown offence code, missing key: belongs in quarantine */
  double repeated;      /* the same record twice, equal */
  double double_encoded;
  double no_consent;             /* of an NGO's clients */
  double late, changed, deleted; /* by record and round */
};
extern const struct rates default_rates;
/* "typing=0.05,document_missing=0.2", or one number that multiplies all of them; false: not understood. */
bool rates_read(struct rates *rates, const char *text);

/* The day of the first round; each further round is a day later. */
#define FIRST_ROUND days_of(2024, 6, 30)

struct simulation {
  struct world world;
  struct rates rates;
  int round; /* 1: the first; each further one brings changes only */
};

/* How a record stands in a round. */
struct state {
  bool present; /* known to the source by now (a deleted one is, too) */
  bool deleted;
  int version;     /* 0 as first written */
  int64_t updated; /* seconds since 1970, UTC */
};
/* `item`: an incident for SISTRA and RETA, an involvement for the others. */
struct state record_state(const struct simulation *simulation, enum source source, uint32_t item);
bool record_chance(const struct simulation *simulation, enum source source, uint32_t item, int what, double rate);

enum { WHAT_REPEATED = 1, WHAT_ENCODED, WHAT_CONSENT, WHAT_CHECK_DIGIT, WHAT_OLD_CODE };

enum fault { FAULT_NONE, FAULT_DATE, FAULT_OFFENCE, FAULT_KEY };
enum fault record_fault(const struct simulation *simulation, enum source source, uint32_t item);

enum { NAME_SIZE = 96 };

struct sighting {
  bool nameless; /* protected: number or key instead of a name */
  char paternal[NAME_SIZE], maternal[NAME_SIZE], given[2 * NAME_SIZE], alias[NAME_SIZE]; /* UTF-8 */
  char document[32];
  uint8_t kind;          /* enum document as written */
  struct calendar birth; /* year 0: missing; month and day 0: only the year */
  int age;               /* at the facts, -1: missing */
};
void sighting_make(const struct simulation *simulation, enum source source, uint32_t position,
                   struct sighting *sighting);

/* Numbers of the case as this source writes them; "" where it does not know them. */
struct filing {
  char denuncia[32], carpeta[40];
  const struct offence *offence;
  const char *code;   /* of the offence, in the source's code system */
  bool former_system; /* the code before 31-03-2021 */
  int stage;
};
void filing_make(const struct simulation *simulation, enum source source, uint32_t item, uint32_t incident,
                 struct filing *filing);
void denuncia_number(const struct world *world, uint32_t incident, char text[32]);
void carpeta_number(const struct world *world, uint32_t incident, char text[40]);

#endif
