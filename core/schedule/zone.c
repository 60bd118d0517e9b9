#include "core/schedule/zone.h"

#include "core/base/text.h"
#include "core/schedule/tzif.h"

#include <stdio.h>
#include <strings.h>
#include <unicode/ucal.h>
#include <unicode/udat.h>
#include <unicode/ustring.h>

#define SECOND INT64_C(1000000)
enum { DAY_SECONDS = 86400 };

/* ICU takes an unknown name for "Etc/Unknown", and knows "GMT+5" and the like, which the IANA data do not. */
static bool icu_knows(const char *name) {
  UChar wide[ZONE_NAME_SIZE], canonical[ZONE_NAME_SIZE];
  UErrorCode code = U_ZERO_ERROR;
  UBool system = false;
  if (strlen(name) == 0 || strlen(name) >= ZONE_NAME_SIZE || strcmp(name, "Etc/Unknown") == 0) {
    return false;
  }
  u_uastrcpy(wide, name);
  ucal_getCanonicalTimeZoneID(wide, -1, canonical, ZONE_NAME_SIZE, &system, &code);
  return U_SUCCESS(code) && system;
}

/* A calendar of a zone that ICU knows; NULL else. */
static UCalendar *open_calendar(const char *zone) {
  UChar wide[ZONE_NAME_SIZE];
  UErrorCode code = U_ZERO_ERROR;
  if (!icu_knows(zone)) {
    return NULL;
  }
  u_uastrcpy(wide, zone);
  UCalendar *calendar = ucal_open(wide, (int32_t)strlen(zone), "en_US", UCAL_GREGORIAN, &code);
  return U_FAILURE(code) ? NULL : calendar;
}

/* The nearest of the names that the enumeration gives, by their last parts where `name` has one part. */
static void find_nearest(const char *name, UEnumeration *names, char nearest[ZONE_NAME_SIZE]) {
  char best[ZONE_NAME_SIZE] = "", part[ZONE_NAME_SIZE];
  UErrorCode code = U_ZERO_ERROR;
  const char *known;
  while ((known = uenum_next(names, NULL, &code)) != NULL && U_SUCCESS(code)) {
    const char *slash = strrchr(known, '/');
    const char *seen = strchr(name, '/') == NULL && slash != NULL ? slash + 1 : known;
    if (strlen(known) >= ZONE_NAME_SIZE) {
      continue;
    }
    if (strcasecmp(seen, name) == 0) {
      snprintf(nearest, ZONE_NAME_SIZE, "%s", known);
      return;
    }
    const char *pair[] = {best, seen};
    if (text_nearest(slice_of(name), pair, 2) == seen) {
      snprintf(part, sizeof part, "%s", seen);
      memcpy(best, part, sizeof best);
      snprintf(nearest, ZONE_NAME_SIZE, "%s", known);
    }
  }
}

bool zone_nearest(const char *name, char nearest[ZONE_NAME_SIZE]) {
  UErrorCode code = U_ZERO_ERROR;
  UEnumeration *names = ucal_openTimeZones(&code);
  nearest[0] = '\0';
  if (U_SUCCESS(code)) {
    find_nearest(name, names, nearest);
  }
  uenum_close(names);
  return nearest[0] != '\0';
}

/* By ICU's own data: where the system has no file, and behind its last change. */
static bool icu_offset(const char *zone, int64_t at, int64_t *offset) {
  UErrorCode code = U_ZERO_ERROR;
  UCalendar *calendar = open_calendar(zone);
  if (calendar == NULL) {
    return false;
  }
  ucal_setMillis(calendar, (double)at * 1000, &code);
  *offset = (ucal_get(calendar, UCAL_ZONE_OFFSET, &code) + ucal_get(calendar, UCAL_DST_OFFSET, &code)) / 1000;
  ucal_close(calendar);
  return U_SUCCESS(code);
}

static int64_t icu_change(const char *zone, int64_t after) {
  UErrorCode code = U_ZERO_ERROR;
  UDate change = 0;
  UCalendar *calendar = open_calendar(zone);
  if (calendar == NULL) {
    return INT64_MAX;
  }
  ucal_setMillis(calendar, (double)after * 1000, &code);
  bool there = ucal_getTimeZoneTransitionDate(calendar, UCAL_TZ_TRANSITION_NEXT, &change, &code);
  ucal_close(calendar);
  return there && U_SUCCESS(code) ? (int64_t)(change / 1000) : INT64_MAX;
}

/* A zone while it is asked. */
struct zone {
  const char *name;
  bool filed; /* by the system's file */
  struct tzif file;
};

static struct zone zone_open(const char *name) {
  struct zone zone = {.name = name};
  zone.filed = tzif_load(name, &zone.file);
  return zone;
}

static void zone_close(struct zone *zone) {
  if (zone->filed) {
    tzif_free(&zone->file);
  }
}

static bool offset_of(const struct zone *zone, int64_t at, int64_t *offset) {
  return (zone->filed && tzif_offset(&zone->file, at, offset)) || icu_offset(zone->name, at, offset);
}

static int64_t change_of(const struct zone *zone, int64_t after) {
  int64_t change;
  return zone->filed && tzif_change(&zone->file, after, &change) ? change : icu_change(zone->name, after);
}

bool zone_known(const char *name) {
  struct zone zone = zone_open(name); /* it may be newer than ICU's data */
  bool known = (zone.filed && strchr(name, '/') != NULL) || icu_knows(name);
  zone_close(&zone);
  return known;
}

const char *zone_local(struct arena *arena) {
  UChar wide[ZONE_NAME_SIZE];
  char name[ZONE_NAME_SIZE];
  UErrorCode code = U_ZERO_ERROR;
  int32_t len = ucal_getDefaultTimeZone(wide, ZONE_NAME_SIZE, &code);
  if (U_FAILURE(code) || len <= 0 || len >= ZONE_NAME_SIZE) {
    return arena_text(arena, slice_of("UTC"));
  }
  u_austrncpy(name, wide, ZONE_NAME_SIZE);
  return arena_text(arena, slice_of(zone_known(name) ? name : "UTC"));
}

static int64_t floor_seconds(int64_t micros) {
  return micros / SECOND - (micros % SECOND < 0);
}

bool zone_civil(const char *name, int64_t micros, struct civil *civil) {
  struct zone zone = zone_open(name);
  int64_t offset = 0, at = floor_seconds(micros);
  bool known = offset_of(&zone, at, &offset);
  zone_close(&zone);
  int64_t shown = at + offset;
  *civil = civil_of_minutes(shown / 60 - (shown % 60 < 0));
  return known;
}

bool zone_moment(const char *name, const struct civil *civil, bool last, int64_t *micros) {
  struct zone zone = zone_open(name);
  int64_t shown = civil_minutes(civil) * 60, before = 0, after = 0;
  bool known = offset_of(&zone, shown - DAY_SECONDS, &before) && offset_of(&zone, shown + DAY_SECONDS, &after);
  int64_t at = shown - before;
  if (known && before != after) {
    int64_t change = change_of(&zone, shown - DAY_SECONDS);
    bool early = shown - before < change, late = shown - after >= change;
    at = early && !(late && last) ? shown - before : late ? shown - after : change;
  }
  zone_close(&zone);
  *micros = at * SECOND;
  return known;
}

int64_t zone_change(const char *name, int64_t after) {
  struct zone zone = zone_open(name);
  int64_t change = change_of(&zone, floor_seconds(after));
  zone_close(&zone);
  return change == INT64_MAX ? change : change * SECOND;
}

void zone_words(const char *zone, int64_t micros, const char *locale, char words[ZONE_WORDS_SIZE]) {
  static const UChar utc[] = u"UTC";
  UChar out[ZONE_WORDS_SIZE];
  UErrorCode code = U_ZERO_ERROR;
  struct civil civil;
  words[0] = '\0';
  if (!zone_civil(zone, micros, &civil)) {
    return;
  }
  UDateFormat *format = udat_open(UDAT_SHORT, UDAT_FULL, locale, utc, -1, NULL, 0, &code);
  if (U_SUCCESS(code)) {
    udat_format(format, (double)civil_minutes(&civil) * 60000, out, ZONE_WORDS_SIZE, NULL, &code);
    u_strToUTF8(words, ZONE_WORDS_SIZE, NULL, out, -1, &code);
    udat_close(format);
  }
  if (U_FAILURE(code)) {
    words[0] = '\0';
  }
}
