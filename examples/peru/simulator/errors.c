#include "examples/peru/simulator/errors.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  STREAM_STATE = 100,
  STREAM_WHAT = 200,
  STREAM_FAULT = 300,
  STREAM_NAME = 400,
  STREAM_DOCUMENT = 500,
  STREAM_BIRTH = 600,
  STREAM_CLAIM = 700,
  STREAM_FILING = 800
};

const struct rates default_rates = {
    .typing = 0.035,
    .variant = 0.03,
    .swapped_surnames = 0.01,
    .lost_maternal = 0.02,
    .lost_second = 0.05,
    .lost_enye = 0.10,
    .document_missing = 0.11,
    .document_wrong = 0.02,
    .placeholder = 0.02,
    .birth_missing = 0.03,
    .birth_year_only = 0.04,
    .birth_swapped = 0.015,
    .birth_wrong = 0.015,
    .copied = 0.45,
    .number_typing = 0.01,
    .broken = 0.006,
    .repeated = 0.012,
    .double_encoded = 0.02,
    .no_consent = 0.12,
    .late = 0.03,
    .changed = 0.03,
    .deleted = 0.006,
};

#define RATE(name)                                                                                                     \
  { #name, offsetof(struct rates, name) }
static const struct {
  const char *name;
  size_t offset;
} rate_table[] = {RATE(typing),      RATE(variant),        RATE(swapped_surnames), RATE(lost_maternal),
                  RATE(lost_second), RATE(lost_enye),      RATE(document_missing), RATE(document_wrong),
                  RATE(placeholder), RATE(birth_missing),  RATE(birth_year_only),  RATE(birth_swapped),
                  RATE(birth_wrong), RATE(copied),         RATE(number_typing),    RATE(broken),
                  RATE(repeated),    RATE(double_encoded), RATE(no_consent),       RATE(late),
                  RATE(changed),     RATE(deleted)};
enum { RATE_COUNT = sizeof rate_table / sizeof *rate_table };

static double *rate_at(struct rates *rates, size_t position) {
  return (double *)(void *)((char *)rates + rate_table[position].offset);
}

static bool read_one(struct rates *rates, const char *text, const char **rest) {
  for (size_t i = 0; i < RATE_COUNT; i++) {
    size_t len = strlen(rate_table[i].name);
    if (strncmp(text, rate_table[i].name, len) == 0 && text[len] == '=') {
      char *end = NULL;
      double value = strtod(text + len + 1, &end);
      *rate_at(rates, i) = value;
      *rest = end;
      return end != text + len + 1 && value >= 0 && value <= 1;
    }
  }
  return false;
}

bool rates_read(struct rates *rates, const char *text) {
  char *end = NULL;
  double factor = strtod(text, &end);
  if (end != text && *end == '\0' && factor >= 0) {
    for (size_t i = 0; i < RATE_COUNT; i++) {
      double scaled = *rate_at(rates, i) * factor;
      *rate_at(rates, i) = scaled > 1 ? 1 : scaled;
    }
    return true;
  }
  while (read_one(rates, text, &text)) {
    if (*text == '\0') {
      return true;
    }
    if (*text++ != ',') {
      return false;
    }
  }
  return false;
}

struct state record_state(const struct simulation *simulation, enum source source, uint32_t item) {
  struct random random = random_start(simulation->world.seed, STREAM_STATE + (uint64_t)source, item);
  const struct rates *rates = &simulation->rates;
  const int64_t day = 86400, first = (int64_t)FIRST_ROUND * day + 23 * 3600;
  const struct world *world = &simulation->world;
  int32_t reported = world->incidents[source <= RETA ? item : world->involvements[item].incident].reported;
  struct state state = {.present = true};
  state.updated = first - (int64_t)random_below(&random, (uint32_t)(first - reported * day));
  int arrival = random_chance(&random, rates->late) ? 2 + random_chance(&random, 0.2) : 1;
  state.present = arrival <= simulation->round;
  for (int round = 2; round <= simulation->round; round++) {
    bool changed = random_chance(&random, rates->changed), deleted = random_chance(&random, rates->deleted);
    bool behind = random_chance(&random, 0.15);
    int64_t now = first + (round - 1) * day, at = now - (int64_t)random_below(&random, 80000);
    if (round == arrival) {
      /* Some were committed late: their time lies before the end of the round that did not see them. */
      state.updated = behind ? now - day - (int64_t)random_below(&random, 300) : at;
    } else if (round > arrival && !state.deleted && (changed || deleted)) {
      state.deleted = deleted;
      state.version += changed && !deleted;
      state.updated = at;
    }
  }
  return state;
}

bool record_chance(const struct simulation *simulation, enum source source, uint32_t item, int what, double rate) {
  struct random random =
      random_start(simulation->world.seed, STREAM_WHAT + (uint64_t)(what * SOURCES) + (uint64_t)source, item);
  return random_chance(&random, rate);
}

enum fault record_fault(const struct simulation *simulation, enum source source, uint32_t item) {
  struct random random = random_start(simulation->world.seed, STREAM_FAULT + (uint64_t)source, item);
  bool broken = random_chance(&random, simulation->rates.broken);
  return broken ? (enum fault)random_between(&random, FAULT_DATE, FAULT_KEY) : FAULT_NONE;
}

/* A letter replaced by its neighbour on the keyboard, lost, doubled, or exchanged with the next. Only plain letters are
 * touched, so that the text stays UTF-8. */
static void misspell(struct random *random, char *text, size_t size) {
  static const char neighbours[] = "snvfrghjoklknmpowtdyibezux"; /* a → s, b → n … */
  size_t len = strlen(text);
  if (len < 3 || len + 2 > size) {
    return;
  }
  for (int tries = 0; tries < 12; tries++) {
    size_t at = 1 + random_below(random, (uint32_t)len - 2);
    uint32_t way = random_below(random, 4);
    if (!islower((unsigned char)text[at]) || !islower((unsigned char)text[at + 1])) {
      continue;
    }
    char former = text[at];
    if (way == 0) {
      text[at] = neighbours[text[at] - 'a'];
    } else if (way == 1) {
      memmove(text + at, text + at + 1, len - at);
    } else if (way == 2) {
      memmove(text + at + 1, text + at, len - at + 1);
    } else {
      text[at] = text[at + 1];
      text[at + 1] = former;
    }
    return;
  }
}

static void lose_enye(char *text) {
  for (char *at = text; (at = strstr(at, "\xc3")) != NULL;) {
    if (at[1] == '\xb1' || at[1] == '\x91') {
      *at = at[1] == '\xb1' ? 'n' : 'N';
      memmove(at + 1, at + 2, strlen(at + 2) + 1);
    } else {
      at += 2;
    }
  }
}

static void write_surname(const struct simulation *simulation, struct random *random, uint16_t surname, char *text) {
  const struct rates *rates = &simulation->rates;
  text[0] = '\0';
  const struct names *surnames = &simulation->world.tables->surnames;
  bool other = random_chance(random, rates->variant), wrong = random_chance(random, rates->typing);
  bool plain = random_chance(random, rates->lost_enye);
  uint32_t which = random_below(random, 3);
  if (surname == NO_NAME) {
    return;
  }
  const struct name *name = &surnames->items[surname];
  while (which > 0 && name->variants[which] == NULL) {
    which--;
  }
  snprintf(text, NAME_SIZE, "%s", other && name->variants[which] != NULL ? name->variants[which] : name->text);
  if (wrong) {
    misspell(random, text, NAME_SIZE);
  }
  if (plain) {
    lose_enye(text);
  }
}

static void write_given(const struct simulation *simulation, struct random *random, const struct person *person,
                        char *text) {
  const struct tables *tables = simulation->world.tables;
  const struct names *names = person->sex == 'F' ? &tables->female : &tables->male;
  char parts[2][NAME_SIZE] = {"", ""};
  snprintf(parts[0], sizeof parts[0], "%s", names->items[person->given].text);
  bool lost = random_chance(random, simulation->rates.lost_second);
  if (person->second != NO_NAME && !lost) {
    snprintf(parts[1], sizeof parts[1], "%s", names->items[person->second].text);
  }
  for (int i = 0; i < 2; i++) {
    if (random_chance(random, simulation->rates.typing)) {
      misspell(random, parts[i], sizeof parts[i]);
    }
  }
  snprintf(text, 2 * NAME_SIZE, "%s%s%s", parts[0], parts[1][0] != '\0' ? " " : "", parts[1]);
}

/* Whom the person said to be: the same false name, and the same false age, before every institution of the case. */
static struct person claimed_person(const struct simulation *simulation, uint32_t position) {
  const struct involvement *involvement = &simulation->world.involvements[position];
  struct person person = simulation->world.persons[involvement->person];
  const struct tables *tables = simulation->world.tables;
  struct random random = random_start(simulation->world.seed, STREAM_CLAIM, position);
  if ((involvement->claims & CLAIM_FALSE_NAME) != 0) {
    person.given = names_draw(person.sex == 'F' ? &tables->female : &tables->male, &random);
    person.paternal = names_draw(&tables->surnames, &random);
    person.second = NO_NAME;
    person.document = DOCUMENT_NONE;
    person.borrowed = NO_PERSON;
  }
  if ((involvement->claims & CLAIM_FALSE_AGE) != 0) {
    person.birth -= involvement->years_claimed * 365;
    person.document = person.borrowed == NO_PERSON ? DOCUMENT_NONE : person.document;
  }
  return person;
}

static void write_names(const struct simulation *simulation, struct random *random, const struct person *person,
                        struct sighting *sighting) {
  const struct rates *rates = &simulation->rates;
  write_surname(simulation, random, person->paternal, sighting->paternal);
  write_surname(simulation, random, person->maternal, sighting->maternal);
  write_given(simulation, random, person, sighting->given);
  if (random_chance(random, rates->lost_maternal)) {
    sighting->maternal[0] = '\0';
  }
  if (random_chance(random, rates->swapped_surnames) && sighting->maternal[0] != '\0') {
    char kept[NAME_SIZE];
    memcpy(kept, sighting->paternal, sizeof kept);
    memcpy(sighting->paternal, sighting->maternal, sizeof kept);
    memcpy(sighting->maternal, kept, sizeof kept);
  }
}

static void format_document(const struct person *person, char text[32]) {
  static const char *const formats[] = {"", "%08u", "00%07u", "P%08u", "%09u"};
  switch (person->document) {
  case DOCUMENT_DNI:
    snprintf(text, 32, "%08u", person->number);
    break;
  case DOCUMENT_CE:
    snprintf(text, 32, "00%07u", person->number);
    break;
  case DOCUMENT_PASSPORT:
    snprintf(text, 32, "P%08u", person->number);
    break;
  case DOCUMENT_PTP:
    snprintf(text, 32, "%09u", person->number);
    break;
  default:
    snprintf(text, 32, "%s", formats[0]);
  }
}

static void write_document(const struct simulation *simulation, struct random *random, const struct person *person,
                           int version, struct sighting *sighting) {
  static const char *const placeholders[] = {"00000000", "11111111", "12345678", "99999999"};
  const struct rates *rates = &simulation->rates;
  const struct person *shown = person->borrowed == NO_PERSON ? person : &simulation->world.persons[person->borrowed];
  /* A corrected record has often got the document that it lacked. */
  bool missing = random_chance(random, rates->document_missing) && (version == 0 || random_chance(random, 0.4));
  bool wrong = random_chance(random, rates->document_wrong), held = random_chance(random, rates->placeholder);
  uint32_t digit = random_below(random, 7), which = random_below(random, 4);
  sighting->kind = DOCUMENT_NONE;
  sighting->document[0] = '\0';
  if (held) {
    sighting->kind = DOCUMENT_DNI;
    snprintf(sighting->document, sizeof sighting->document, "%s", placeholders[which]);
  } else if (!missing && shown->document != DOCUMENT_NONE) {
    sighting->kind = shown->document;
    format_document(shown, sighting->document);
    if (wrong) {
      char *letter = &sighting->document[1 + digit];
      *letter = (char)('0' + (*letter - '0' + 1) % 10);
    }
  }
}

static void write_birth(const struct simulation *simulation, struct random *random, const struct person *person,
                        int32_t facts, struct sighting *sighting) {
  const struct rates *rates = &simulation->rates;
  bool missing = random_chance(random, rates->birth_missing), year = random_chance(random, rates->birth_year_only);
  bool swapped = random_chance(random, rates->birth_swapped), wrong = random_chance(random, rates->birth_wrong);
  int off = random_between(random, 1, 9);
  int32_t birth = person->birth + (wrong ? off : 0);
  sighting->birth = calendar_of(birth);
  sighting->age = age_at(birth, facts);
  if (missing) {
    sighting->birth = (struct calendar){0};
    sighting->age = off < 5 ? sighting->age : -1;
  } else if (year) {
    sighting->birth.month = sighting->birth.day = 0;
  } else if (swapped && sighting->birth.day <= 12) {
    int day = sighting->birth.day;
    sighting->birth.day = sighting->birth.month;
    sighting->birth.month = day;
  }
}

/* The prosecutor's form is often filled from the police's: then it has the same mistakes. */
static enum source written_by(const struct simulation *simulation, enum source source, uint32_t position) {
  const struct involvement *involvement = &simulation->world.involvements[position];
  struct random random = random_start(simulation->world.seed, STREAM_NAME - 1, position);
  bool copied = random_chance(&random, simulation->rates.copied);
  return source == SISTRA && copied && (involvement->sources >> RETA & 1) ? RETA : source;
}

void sighting_make(const struct simulation *simulation, enum source source, uint32_t position,
                   struct sighting *sighting) {
  const struct world *world = &simulation->world;
  const struct involvement *involvement = &world->involvements[position];
  *sighting = (struct sighting){.age = -1};
  uint32_t item = source <= RETA ? involvement->incident : position;
  int version = record_state(simulation, source, item).version;
  uint64_t author = written_by(simulation, source, position);
  struct person person = claimed_person(simulation, position);
  struct random names = random_start(world->seed, STREAM_NAME + author, position);
  struct random document = random_start(world->seed, STREAM_DOCUMENT + author, position);
  struct random birth = random_start(world->seed, STREAM_BIRTH + author, position);
  write_names(simulation, &names, &person, sighting);
  write_document(simulation, &document, &person, version, sighting);
  write_birth(simulation, &birth, &person, world->incidents[involvement->incident].facts, sighting);
  if ((involvement->claims & CLAIM_ALIAS) != 0) {
    const struct names *given = person.sex == 'F' ? &world->tables->female : &world->tables->male;
    snprintf(sighting->alias, sizeof sighting->alias, "%s", given->items[person.alias].text);
  }
  if ((involvement->claims & CLAIM_PROTECTED) != 0) {
    int age = sighting->age;
    *sighting = (struct sighting){.nameless = true, .age = age};
  }
}

void denuncia_number(const struct world *world, uint32_t incident, char text[32]) {
  const struct incident *item = &world->incidents[incident];
  snprintf(text, 32, "D-%04d-%06u", calendar_of(item->reported).year, incident + 1);
}

void carpeta_number(const struct world *world, uint32_t incident, char text[40]) {
  const struct incident *item = &world->incidents[incident];
  const char *inei = world->tables->districts.items[item->place].inei;
  snprintf(text, 40, "%.2s06015500-%04d-%u-0", inei, calendar_of(item->reported).year, incident + 1);
}

static void mistype_number(struct random *random, char *text) {
  size_t len = strlen(text), at = len - 3;
  if (text[at] >= '0' && text[at] <= '9') {
    text[at] = (char)('0' + (text[at] - '0' + 1 + (int)random_below(random, 8)) % 10);
  }
}

void filing_make(const struct simulation *simulation, enum source source, uint32_t item, uint32_t incident,
                 struct filing *filing) {
  static const double knows_denuncia[SOURCES] = {0.85, 1, 0.6, 0.3, 0.5};
  static const double knows_carpeta[SOURCES] = {1, 0.25, 0.45, 0.92, 0.65};
  const struct world *world = &simulation->world;
  const struct incident *facts = &world->incidents[incident];
  int version = record_state(simulation, source, item).version;
  struct random random = random_start(world->seed, STREAM_FILING + (uint64_t)source, item);
  bool denuncia = random_chance(&random, knows_denuncia[source]);
  bool carpeta = random_chance(&random, knows_carpeta[source]);
  denuncia_number(world, incident, filing->denuncia);
  carpeta_number(world, incident, filing->carpeta);
  if (random_chance(&random, simulation->rates.number_typing) && source != RETA) {
    mistype_number(&random, filing->denuncia);
  }
  if (random_chance(&random, simulation->rates.number_typing) && source != SISTRA) {
    mistype_number(&random, filing->carpeta);
  }
  filing->denuncia[0] = denuncia ? filing->denuncia[0] : '\0';
  filing->carpeta[0] = carpeta ? filing->carpeta[0] : '\0';
  filing->offence = &world->tables->offences.items[facts->offence];
  /* Prosecutors wrote the former articles for more than a year after the reform. */
  int32_t switched = source == SISTRA ? days_of(2022, 12, 31) : days_of(2021, 3, 31);
  filing->former_system = facts->reported < switched;
  filing->code = filing->former_system ? filing->offence->before : filing->offence->now;
  filing->stage = facts->stage + version;
  /* A stage takes 75 days at least. */
  int most = (FIRST_ROUND - facts->reported) / 75;
  filing->stage = filing->stage < most ? filing->stage : most;
}
