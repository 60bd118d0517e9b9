#include "core/base/date.h"
#include "core/base/text.h"
#include "core/service/ctdc.h"
#include "core/service/ctdc_columns.h"
#include "core/service/cube_fields.h"
#include "core/service/grid.h"

#include <stdio.h>
#include <stdlib.h>

/* Victims put together from their parts in cases. */

enum { WHO_ID, WHO_BORN, WHO_SEX, WHO_NATIONALITY, WHO_COLUMNS };
static const char *const WHO[WHO_COLUMNS] = {"person_id", "birth_date", "sex", "nationality"};
enum { OF_ID, OF_REGISTERED, OF_REPORTED, OF_FACTS, OF_COUNTRY, OF_MEANS, OF_PURPOSES, OF_INDUSTRY, OF_COLUMNS };
static const char *const OF[OF_COLUMNS] = {"case_id", "registered_on", "reported_on", "facts_on",
                                           "country", "means",         "purposes",    "industry"};
enum {
  IN_PERSON,
  IN_CASE,
  IN_ROLE,
  IN_AGE,
  IN_MINOR,
  IN_MONTHS,
  IN_STATUS,
  IN_CONSENT,
  IN_WITHDRAWN,
  IN_FIELDS,
  IN_COLUMNS = IN_FIELDS + FLAG_FIELDS
};
static const char *const IN[IN_FIELDS] = {
    "person_id",           "case_id", "role", "age", "minor", "trafficked_months", "trafficking_status", "consent",
    "consent_withdrawn_on"};

enum { UNKNOWN = -1, ADULT = 18, VALUE_SIZE = 32 };

struct victim {
  bool there, held, minor;
  uint32_t registered, country; /* dictionary values; MAP_NONE: none yet */
  int age, then, months;        /* recorded or computed; UNKNOWN */
  uint64_t flags;               /* by column */
};

struct reading {
  struct workspace *workspace;
  struct map *dictionary;
  struct grid who, of, in;
  uint32_t *who_rows, *of_rows; /* by dictionary value of an id */
  struct victim *victims;       /* by row of `who` */
  struct ctdc_rows *rows;
};

static struct slice text_of(const struct reading *reading, uint32_t value) {
  return value == MAP_NONE ? slice_of("") : map_key(reading->dictionary, value);
}

static bool is(const struct reading *reading, uint32_t value, const char *text) {
  return value != MAP_NONE && slice_is(map_key(reading->dictionary, value), text);
}

static int number_of(const struct reading *reading, uint32_t value) {
  int64_t number = 0;
  return value != MAP_NONE && text_to_int64(map_key(reading->dictionary, value), &number) && number >= 0
                 && number < 10000
             ? (int)number
             : UNKNOWN;
}

/* ---- parts in cases ---- */

/* Whether one of the ';'-joined values is among the ' '-joined codes. */
static bool among(struct slice values, const char *codes) {
  while (values.len > 0) {
    struct slice value = cube_next_value(&values);
    for (const char *at = codes; at != NULL && *at != '\0';) {
      size_t len = strcspn(at, " ");
      if (value.len == len && memcmp(value.data, at, len) == 0) {
        return true;
      }
      at += len + (at[len] == ' ');
    }
  }
  return false;
}

/* What the part says, or else the case. */
static struct slice field_of(const struct reading *reading, size_t part, uint32_t record, enum ctdc_field field) {
  uint32_t value = grid_value(&reading->in, part, IN_FIELDS + (size_t)field);
  bool of_case = value == MAP_NONE && record != MAP_NONE && field <= FLAG_INDUSTRY;
  return text_of(reading, of_case ? grid_value(&reading->of, record, OF_MEANS + (size_t)field) : value);
}

static uint64_t flags_of(const struct reading *reading, size_t part, uint32_t record) {
  uint64_t flags = 0;
  for (size_t i = 0; i < CTDC_COLUMNS; i++) {
    const struct ctdc_column *column = &ctdc_columns[i];
    bool set = column->kind == CTDC_FLAG
               && (among(field_of(reading, part, record, column->field), column->codes)
                   || among(field_of(reading, part, record, FLAG_PURPOSES), column->also));
    flags |= set ? UINT64_C(1) << i : 0;
  }
  return flags;
}

static int age_between(const struct reading *reading, uint32_t born, uint32_t at) {
  struct date birth, then;
  return born != MAP_NONE && at != MAP_NONE && date_parse_iso(map_key(reading->dictionary, born), &birth)
                 && date_parse_iso(map_key(reading->dictionary, at), &then)
             ? date_age(birth, then)
             : UNKNOWN;
}

static int least(int a, int b) {
  return a == UNKNOWN || (b != UNKNOWN && b < a) ? b : a;
}

static void take_case(const struct reading *reading, uint32_t person, uint32_t record, struct victim *victim) {
  uint32_t on = grid_value(&reading->of, record, OF_REGISTERED);
  on = on == MAP_NONE ? grid_value(&reading->of, record, OF_REPORTED) : on;
  bool earlier = on != MAP_NONE
                 && (victim->registered == MAP_NONE
                     || slice_compare(text_of(reading, on), text_of(reading, victim->registered)) < 0);
  uint32_t country = grid_value(&reading->of, record, OF_COUNTRY);
  victim->country = country != MAP_NONE && (earlier || victim->country == MAP_NONE) ? country : victim->country;
  victim->registered = earlier ? on : victim->registered;
  victim->then = least(victim->then, age_between(reading, grid_value(&reading->who, person, WHO_BORN),
                                                 grid_value(&reading->of, record, OF_FACTS)));
}

static void take_part(struct reading *reading, size_t part) {
  const struct grid *in = &reading->in;
  uint32_t person = grid_value(in, part, IN_PERSON), record = grid_value(in, part, IN_CASE);
  uint32_t consent = grid_value(in, part, IN_CONSENT);
  person = person == MAP_NONE ? MAP_NONE : reading->who_rows[person];
  record = record == MAP_NONE ? MAP_NONE : reading->of_rows[record];
  if (person == MAP_NONE || !is(reading, grid_value(in, part, IN_ROLE), "victim")
      || is(reading, grid_value(in, part, IN_STATUS), "not_victim")) {
    return;
  }
  struct victim *victim = &reading->victims[person];
  if (!victim->there) {
    *victim = (struct victim){
        .there = true, .registered = MAP_NONE, .country = MAP_NONE, .age = UNKNOWN, .then = UNKNOWN, .months = UNKNOWN};
  }
  int months = number_of(reading, grid_value(in, part, IN_MONTHS));
  int age = number_of(reading, grid_value(in, part, IN_AGE));
  victim->held = victim->held || grid_value(in, part, IN_WITHDRAWN) != MAP_NONE
                 || among(text_of(reading, consent), "count none withdrawn");
  victim->minor = victim->minor || number_of(reading, grid_value(in, part, IN_MINOR)) == 1;
  victim->months = months > victim->months ? months : victim->months;
  victim->age = least(victim->age, age);
  victim->then = least(victim->then, age);
  victim->flags |= flags_of(reading, part, record);
  if (record != MAP_NONE) {
    take_case(reading, person, record, victim);
  }
}

/* ---- values ---- */

static const char *gender_of(const struct reading *reading, uint32_t sex) {
  return sex == MAP_NONE                                                          ? NULL
         : is(reading, sex, "female")                                             ? "Woman"
         : is(reading, sex, "male")                                               ? "Man"
         : among(text_of(reading, sex), "trans_female trans_male non_conforming") ? "Trans/Transgender/NonConforming"
                                                                                  : NULL;
}

static const char *band_of(int age) {
  static const struct {
    int most;
    const char *name;
  } BANDS[] = {{8, "0--8"},    {17, "9--17"},  {20, "18--20"}, {23, "21--23"}, {26, "24--26"},
               {29, "27--29"}, {38, "30--38"}, {47, "39--47"}, {150, "48+"}};
  for (size_t i = 0; age >= 0 && i < sizeof BANDS / sizeof *BANDS; i++) {
    if (age <= BANDS[i].most) {
      return BANDS[i].name;
    }
  }
  return NULL;
}

static const char *months_of(int months) {
  return months < 0 ? NULL : months <= 12 ? "0--12 (0-1 yr)" : months <= 24 ? "13--24 (1-2 yrs)" : "25+ (2+ yrs)";
}

static const char *majority_of(int age, bool minor) {
  return minor ? "Minor" : age < 0 ? NULL : age < ADULT ? "Minor" : "Adult";
}

static struct slice country_of(const struct reading *reading, uint32_t value) {
  const struct codelist *list = codelists_find(reading->workspace->lists, "country");
  struct slice rest = text_of(reading, value), first = rest.len > 0 ? cube_next_value(&rest) : rest;
  const struct code *code = list == NULL || first.len == 0 ? NULL : codelist_code(list, first);
  return code == NULL ? slice_of("") : codelist_text_in(list, "alpha-3", code);
}

static bool flag_stands(const struct victim *victim, size_t at) {
  const char *within = ctdc_columns[at].within;
  for (size_t i = 0; within != NULL && i < CTDC_COLUMNS; i++) {
    if (strcmp(ctdc_columns[i].name, within) == 0 && (victim->flags >> i & 1) == 0) {
      return false;
    }
  }
  return (victim->flags >> at & 1) != 0;
}

static struct slice value_of(const struct reading *reading, size_t person, size_t at) {
  const struct victim *victim = &reading->victims[person];
  int age = age_between(reading, grid_value(&reading->who, person, WHO_BORN), victim->registered);
  struct slice text;
  age = age < 0 ? victim->age : age;
  switch (ctdc_columns[at].kind) {
  case CTDC_YEAR:
    text = text_of(reading, victim->registered);
    return slice_make(text.data, text.len < 4 ? 0 : 4);
  case CTDC_GENDER:
    return slice_of(gender_of(reading, grid_value(&reading->who, person, WHO_SEX)));
  case CTDC_AGE:
    return slice_of(band_of(age));
  case CTDC_MAJORITY:
    return slice_of(majority_of(age, false));
  case CTDC_MAJORITY_THEN:
    return slice_of(majority_of(victim->then, victim->minor));
  case CTDC_CITIZENSHIP:
    return country_of(reading, grid_value(&reading->who, person, WHO_NATIONALITY));
  case CTDC_COUNTRY:
    return country_of(reading, victim->country);
  case CTDC_MONTHS:
    return slice_of(months_of(victim->months));
  case CTDC_FLAG:
    break;
  }
  return slice_of(flag_stands(victim, at) ? "1" : NULL);
}

static enum status put_victims(struct reading *reading, struct error *error) {
  struct ctdc_rows *rows = reading->rows;
  rows->values = calloc(reading->who.count + 1, CTDC_COLUMNS * sizeof *rows->values);
  if (rows->values == NULL) {
    return error_memory(error);
  }
  for (size_t person = 0; person < reading->who.count; person++) {
    const struct victim *victim = &reading->victims[person];
    rows->withheld += victim->there && victim->held;
    if (!victim->there || victim->held) {
      continue;
    }
    for (size_t at = 0; at < CTDC_COLUMNS; at++) {
      struct slice text = value_of(reading, person, at);
      uint32_t value = text.len == 0 ? MAP_NONE : map_intern(rows->texts, text);
      if (text.len > 0 && value == MAP_NONE) {
        return error_memory(error);
      }
      rows->values[rows->count * CTDC_COLUMNS + at] = value;
    }
    rows->count++;
  }
  return OK;
}

/* ---- all ---- */

static enum status load(struct reading *reading, int64_t run, struct error *error) {
  const char *in[IN_COLUMNS];
  struct store *store = reading->workspace->store;
  const struct grid_scope scope = {.as_of_run = run};
  memcpy(in, IN, sizeof IN);
  memcpy(in + IN_FIELDS, ctdc_fields, sizeof ctdc_fields);
  enum status status = grid_load(store, "persons", WHO, WHO_COLUMNS, scope, reading->dictionary, &reading->who, error);
  status = status == OK ? grid_load(store, "cases", OF, OF_COLUMNS, scope, reading->dictionary, &reading->of, error)
                        : status;
  status = status == OK
               ? grid_load(store, "involvements", in, IN_COLUMNS, scope, reading->dictionary, &reading->in, error)
               : status;
  if (status != OK) {
    return status;
  }
  size_t count = map_count(reading->dictionary);
  reading->who_rows = grid_index(&reading->who, WHO_ID, count);
  reading->of_rows = grid_index(&reading->of, OF_ID, count);
  reading->victims = calloc(reading->who.count + 1, sizeof *reading->victims);
  bool fine = reading->who_rows != NULL && reading->of_rows != NULL && reading->victims != NULL;
  return fine ? OK : error_memory(error);
}

enum status ctdc_rows_read(struct workspace *workspace, int64_t run, struct ctdc_rows *rows, struct error *error) {
  *rows = (struct ctdc_rows){.texts = map_new()};
  struct reading reading = {.workspace = workspace, .dictionary = map_new(), .rows = rows};
  enum status status = rows->texts == NULL || reading.dictionary == NULL ? error_memory(error) : OK;
  status = status == OK ? load(&reading, run, error) : status;
  for (size_t part = 0; status == OK && part < reading.in.count; part++) {
    take_part(&reading, part);
  }
  status = status == OK ? put_victims(&reading, error) : status;
  grid_free(&reading.who);
  grid_free(&reading.of);
  grid_free(&reading.in);
  map_free(reading.dictionary);
  free(reading.who_rows);
  free(reading.of_rows);
  free(reading.victims);
  return status;
}

void ctdc_rows_free(struct ctdc_rows *rows) {
  map_free(rows->texts);
  free(rows->values);
  *rows = (struct ctdc_rows){.texts = NULL};
}
