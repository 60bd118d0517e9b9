#include "examples/peru/simulator/population.h"

#include <stdlib.h>
#include <string.h>

const char *const source_names[SOURCES] = {"sistra", "reta", "mimp", "datamart", "siscalp"};

const struct country countries[] = {{"PE", "PERUANA"},     {"VE", "VENEZOLANA"}, {"CO", "COLOMBIANA"},
                                    {"EC", "ECUATORIANA"}, {"BO", "BOLIVIANA"},  {"BR", "BRASILEÑA"}};

enum { STREAM_INCIDENT = 1, STREAM_PERSON, STREAM_COVERAGE };
enum { FIRST_YEAR = 2017, LAST_YEAR = 2024, INVOLVED_MOST = 12 };

/* Days and civil dates: H. Hinnant, "chrono-compatible low-level date algorithms". */
int32_t days_of(int year, int month, int day) {
  year -= month <= 2;
  int era = year / 400, of_era = year - era * 400;
  int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct calendar calendar_of(int32_t days) {
  days += 719468;
  int era = days / 146097, of_era = days - era * 146097;
  int year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int of_year = of_era - (365 * year + year / 4 - year / 100);
  int shifted = (5 * of_year + 2) / 153, month = shifted < 10 ? shifted + 3 : shifted - 9;
  return (struct calendar){year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1};
}

int age_at(int32_t birth, int32_t at) {
  struct calendar from = calendar_of(birth), to = calendar_of(at);
  return to.year - from.year - (to.month < from.month || (to.month == from.month && to.day < from.day));
}

char dni_check(uint32_t number) {
  static const int weights[8] = {3, 2, 7, 6, 5, 4, 3, 2};
  int sum = 0;
  for (int i = 7; i >= 0; i--, number /= 10) {
    sum += (int)(number % 10) * weights[i];
  }
  return "65432110987"[sum % 11];
}

static uint16_t draw_surname(const struct names *surnames, struct random *random, bool foreign) {
  uint16_t drawn = names_draw(surnames, random);
  for (int tries = 0; tries < 20; tries++) {
    uint8_t kind = surnames->items[drawn].kind;
    if (foreign ? kind == NAME_FOREIGN || (kind == NAME_HISPANIC && tries > 3) : kind != NAME_FOREIGN) {
      return drawn;
    }
    drawn = names_draw(surnames, random);
  }
  return drawn;
}

static void draw_country(struct person *person, struct random *random) {
  uint32_t draw = random_below(random, 1000);
  person->country = (uint8_t)(draw < 890 ? 0 : draw < 955 ? 1 : draw < 970 ? 2 : draw < 982 ? 3 : draw < 994 ? 4 : 5);
}

/* A document of the person's own. Numbers are unique: multiplication by a unit modulo the range is a permutation. */
static void draw_document(const struct world *world, struct person *person, struct random *random, bool minor) {
  uint64_t nth = (uint64_t)(person - world->persons) + (world->seed & 0xffff);
  uint32_t draw = random_below(random, 100);
  if (person->country == 0) {
    person->document = draw < (minor ? 86U : 94U) ? DOCUMENT_DNI : DOCUMENT_NONE;
    person->number = (uint32_t)(10000000U + nth * 48271691U % 80000000U);
    return;
  }
  person->document = (uint8_t)(draw < 35   ? DOCUMENT_CE
                               : draw < 55 ? DOCUMENT_PASSPORT
                               : draw < 70 ? DOCUMENT_PTP
                                           : DOCUMENT_NONE);
  person->number = (uint32_t)(1000000U + nth * 482711U % 9000000U);
}

static uint16_t draw_given(const struct names *names, struct random *random, uint16_t except) {
  uint16_t drawn = names_draw(names, random);
  for (int tries = 0; drawn == except && tries < 20; tries++) {
    drawn = names_draw(names, random);
  }
  return drawn;
}

static struct person *make_person(struct world *world, struct random *random, uint8_t role, int32_t at) {
  struct person *person = &world->persons[world->person_count++];
  const struct tables *tables = world->tables;
  person->sex = random_below(random, 100) < (role == VICTIM ? 80U : 38U) ? 'F' : 'M';
  int age = role == ACCUSED                   ? random_between(random, 19, 58)
            : random_below(random, 100) < 46U ? random_between(random, 11, 17)
                                              : random_between(random, 18, 42);
  person->birth = at - age * 365 - age / 4 - random_between(random, 0, 364);
  draw_country(person, random);
  const struct names *given = person->sex == 'F' ? &tables->female : &tables->male;
  person->paternal = draw_surname(&tables->surnames, random, person->country != 0);
  person->maternal = draw_surname(&tables->surnames, random, person->country != 0);
  if (random_chance(random, person->country == 0 ? 0.03 : 0.25)) {
    person->maternal = NO_NAME;
  }
  person->given = draw_given(given, random, NO_NAME);
  person->second = random_chance(random, 0.62) ? draw_given(given, random, person->given) : NO_NAME;
  person->alias = random_chance(random, 0.18) ? draw_given(given, random, person->given) : NO_NAME;
  person->birthplace = districts_draw(&tables->districts, random, true);
  person->borrowed = NO_PERSON;
  draw_document(world, person, random, age < 18);
  return person;
}

/* A brother or sister rescued together, or a twin: the same surnames and birthplace, sometimes a document of the other.
 */
static void make_sibling(struct person *person, const struct person *other, struct random *random, bool minor) {
  person->paternal = other->paternal;
  person->maternal = other->maternal;
  person->birthplace = other->birthplace;
  person->country = other->country;
  if (random_chance(random, 0.12)) {
    person->birth = other->birth; /* twins */
  } else {
    person->birth = other->birth + (random_chance(random, 0.5) ? 1 : -1) * random_between(random, 320, 1700);
  }
  if (minor && random_chance(random, 0.04)) {
    person->borrowed = other->borrowed;
  }
}

/* The first two of a case may be kin; friends share the place of origin, which is the incident's. */
static uint32_t draw_victim(struct world *world, struct random *random, const struct incident *incident,
                            uint32_t former, uint32_t most) {
  uint32_t known = world->person_count;
  bool again = random_chance(random, 0.05);
  uint32_t chosen = known > 50 ? known - 1 - random_below(random, known < 3000 ? known - 1 : 3000) : 0;
  if (again && known > 50 && age_at(world->persons[chosen].birth, incident->facts) >= 11) {
    return chosen; /* a further episode of somebody rescued, or accused, before */
  }
  if (known >= most) {
    return NO_PERSON;
  }
  bool kin = former != NO_PERSON && random_chance(random, 0.22);
  struct person *person = make_person(world, random, VICTIM, incident->facts);
  bool minor = age_at(person->birth, incident->facts) < 18;
  if (kin) {
    make_sibling(person, &world->persons[former], random, minor);
    draw_document(world, person, random, minor);
  } else if (former != NO_PERSON && random_chance(random, 0.5)) {
    person->birthplace = world->persons[former].birthplace;
  }
  if (former != NO_PERSON && minor && random_chance(random, 0.015)) {
    person->borrowed = former; /* the document of whoever was rescued with her */
  }
  return (uint32_t)(person - world->persons);
}

static uint32_t draw_accused(struct world *world, struct random *random, const struct incident *incident,
                             uint32_t most) {
  uint32_t known = world->person_count;
  bool again = random_chance(random, 0.06);
  uint32_t chosen = known > 50 ? random_below(random, known) : 0;
  if (again && known > 50 && age_at(world->persons[chosen].birth, incident->facts) >= 18) {
    return chosen; /* a repeated offender, or a former victim made to recruit others */
  }
  if (known >= most) {
    return NO_PERSON;
  }
  return (uint32_t)(make_person(world, random, ACCUSED, incident->facts) - world->persons);
}

static uint8_t draw_claims(const struct world *world, uint32_t person, struct random *random, bool minor) {
  uint8_t claims = 0;
  claims |= random_chance(random, 0.012) ? CLAIM_FALSE_NAME : 0;
  claims |= random_chance(random, minor ? 0.05 : 0.005) ? CLAIM_FALSE_AGE : 0;
  claims |= random_chance(random, minor ? 0.02 : 0.008) ? CLAIM_PROTECTED : 0;
  claims |= random_chance(random, 0.6) && world->persons[person].alias != NO_NAME ? CLAIM_ALIAS : 0;
  return claims;
}

static void add_involvement(struct world *world, struct incident *incident, uint32_t person, uint8_t role,
                            struct random *random) {
  for (uint32_t i = 0; i < incident->count; i++) {
    if (world->involvements[incident->first + i].person == person) {
      return;
    }
  }
  bool minor = age_at(world->persons[person].birth, incident->facts) < 18;
  uint8_t claims = role == VICTIM ? draw_claims(world, person, random, minor) : 0;
  world->involvements[world->involvement_count++] =
      (struct involvement){.person = person,
                           .incident = (uint32_t)(incident - world->incidents),
                           .role = role,
                           .claims = claims,
                           .years_claimed = (int8_t)random_between(random, 2, 5)};
  incident->count++;
}

static uint32_t draw_count(struct random *random) {
  uint32_t draw = random_below(random, 100);
  return draw < 58 ? 1 : draw < 78 ? 2 : draw < 89 ? 3 : draw < 95 ? 4 : (uint32_t)random_between(random, 5, 8);
}

/* Which institutions saw the case, and whom of it. Police and prosecutor see most; the others a part of the victims. */
static void draw_coverage(struct world *world, struct incident *incident) {
  static const double case_rates[SOURCES] = {
      [SISTRA] = 0.74, [RETA] = 0.80, [MIMP] = 0.42, [DATAMART] = 0.38, [SISCALP] = 0.13};
  struct random random = random_start(world->seed, STREAM_COVERAGE, (uint64_t)(incident - world->incidents));
  for (int source = 0; source < SOURCES; source++) {
    incident->sources |= (uint8_t)(random_chance(&random, case_rates[source]) << source);
  }
  if ((incident->sources & (1 << SISTRA | 1 << RETA)) == 0) {
    incident->sources |= 1 << RETA;
  }
  for (uint32_t i = 0; i < incident->count; i++) {
    struct involvement *involvement = &world->involvements[incident->first + i];
    static const double rates[2][SOURCES] = {{0.97, 0.96, 0.75, 0.75, 0.8}, {0.95, 0.9, 0, 0.3, 0}};
    for (int source = 0; source < SOURCES; source++) {
      bool seen = random_chance(&random, rates[involvement->role][source]);
      involvement->sources |= (uint8_t)((seen && (incident->sources >> source & 1)) << source);
    }
  }
}

static void make_incident(struct world *world, uint32_t population) {
  struct incident *incident = &world->incidents[world->incident_count];
  struct random random = random_start(world->seed, STREAM_INCIDENT, world->incident_count);
  world->incident_count++;
  int32_t first = days_of(FIRST_YEAR, 1, 5), last = days_of(LAST_YEAR, 4, 1);
  incident->facts = first + (int32_t)random_below(&random, (uint32_t)(last - first));
  incident->reported = incident->facts + random_between(&random, 0, 25);
  incident->place = districts_draw(&world->tables->districts, &random, false);
  incident->origin = districts_draw(&world->tables->districts, &random, true);
  incident->offence = offences_draw(&world->tables->offences, &random);
  incident->venue = (uint8_t)random_below(&random, 8);
  incident->recruitment = (uint8_t)random_below(&random, 6);
  incident->means = (uint8_t)(1U << random_below(&random, 7) | 1U << random_below(&random, 7));
  incident->stage = (uint8_t)(random_below(&random, 8) * (random_chance(&random, 0.8) ? 1U : 0U));
  incident->abroad = random_chance(&random, 0.05);
  incident->first = world->involvement_count;
  uint32_t victims = draw_count(&random), accused = random_below(&random, 3), former = NO_PERSON;
  for (uint32_t i = 0; i < victims; i++) {
    uint32_t person = draw_victim(world, &random, incident, former, population);
    if (person != NO_PERSON) {
      add_involvement(world, incident, person, VICTIM, &random);
      former = person;
    }
  }
  for (uint32_t i = 0; i < accused; i++) {
    uint32_t person = draw_accused(world, &random, incident, population);
    if (person != NO_PERSON) {
      add_involvement(world, incident, person, ACCUSED, &random);
    }
  }
  draw_coverage(world, incident);
}

bool world_make(struct world *world, const struct tables *tables, uint32_t population, uint64_t seed) {
  *world = (struct world){.seed = seed, .tables = tables};
  size_t involvements = (size_t)population * 2 + 2 * INVOLVED_MOST;
  world->persons = calloc((size_t)population + 1, sizeof *world->persons);
  world->incidents = calloc((size_t)population + 1, sizeof *world->incidents);
  world->involvements = calloc(involvements, sizeof *world->involvements);
  if (world->persons == NULL || world->incidents == NULL || world->involvements == NULL) {
    return false;
  }
  while (world->person_count < population && world->incident_count < population
         && world->involvement_count + INVOLVED_MOST <= involvements) {
    make_incident(world, population);
  }
  return true;
}

void world_free(struct world *world) {
  free(world->persons);
  free(world->incidents);
  free(world->involvements);
}
