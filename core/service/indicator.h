/* Indicators: files of config/indicators, one each, that fix unit, role, date axis, place axis, age reference and
 * conditions of a figure. No figure leaves Puente by another way. */
#ifndef PUENTE_SERVICE_INDICATOR_H
#define PUENTE_SERVICE_INDICATOR_H

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/slice.h"

#include <stddef.h>

enum indicator_unit { UNIT_PERSON, UNIT_CASE };
enum indicator_date { DATE_OF_FACTS, DATE_OF_FILING, DATE_OF_REGISTRATION };
enum indicator_place { PLACE_OF_FACTS, PLACE_OF_RESIDENCE };

enum {
  INDICATOR_BANDS_MOST = 32,
  INDICATOR_CONDITIONS_MOST = 8,
  INDICATOR_PERIOD = 3,
  INDICATOR_PERIOD_MOST = 25,
  INDICATOR_PERIOD_TEXT = 24
};

struct age_band {
  const char *name; /* "12-17", "60+" */
  int least, most;
};
struct condition {
  const char *field, *value;
};
struct indicator {
  const char *name, *label_en, *label_es;
  enum indicator_unit unit;
  const char *role;              /* NULL: any */
  enum indicator_date date, age; /* age: never DATE_OF_REGISTRATION */
  enum indicator_place place;
  int period; /* years that `period` puts together */
  struct age_band bands[INDICATOR_BANDS_MOST];
  size_t band_count;
  struct condition conditions[INDICATOR_CONDITIONS_MOST];
  size_t condition_count;
};

/* The indicator of that name, the last of `folders` that has it; text lives in the arena. ERR_USAGE with the nearest
 * name where there is none. */
enum status indicator_load(const char *const folders[2], const char *name, struct arena *arena,
                           struct indicator *indicator, struct error *error) MUST_CHECK;
/* Reads `bands:` of the root in place of those that are there; an absent one leaves them. */
struct yaml;
enum status indicator_bands(const struct yaml *root, struct arena *arena, struct indicator *indicator,
                            struct error *error) MUST_CHECK;
/* "12-17" or "60+"; false: it is neither. The text stays the caller's. */
bool indicator_band(const char *text, struct age_band *band);
/* "2020-2022", the period of so many years that the year lies in; they are counted from year 1, so that periods of five
 * years end in 0 and 5. False: the text does not begin with a year of four digits. */
bool indicator_period(struct slice year, int years, char room[INDICATOR_PERIOD_TEXT]);
/* Names of all, sorted, each once. */
enum status indicator_names(const char *const folders[2], struct arena *arena, const char ***names, size_t *count,
                            struct error *error) MUST_CHECK;

#endif
