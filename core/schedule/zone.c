#include "core/schedule/zone.h"

#include "core/base/text.h"

#include <math.h>
#include <stdio.h>
#include <strings.h>
#include <unicode/ucal.h>
#include <unicode/udat.h>
#include <unicode/ustring.h>

/* A calendar of a zone that ICU knows; NULL else. */
static UCalendar *open_calendar(const char *zone) {
  UChar wide[ZONE_NAME_SIZE];
  UErrorCode code = U_ZERO_ERROR;
  size_t len = strlen(zone);
  if (len == 0 || len >= ZONE_NAME_SIZE) {
    return NULL;
  }
  u_uastrcpy(wide, zone);
  UCalendar *calendar = ucal_open(wide, (int32_t)len, "en_US", UCAL_GREGORIAN, &code);
  return U_FAILURE(code) ? NULL : calendar;
}

/* ICU takes an unknown name for "Etc/Unknown", and knows "GMT+5" and the like, which the IANA data do not. */
bool zone_known(const char *name) {
  UChar wide[ZONE_NAME_SIZE], canonical[ZONE_NAME_SIZE];
  UErrorCode code = U_ZERO_ERROR;
  UBool system = false;
  if (strlen(name) == 0 || strlen(name) >= ZONE_NAME_SIZE) {
    return false;
  }
  u_uastrcpy(wide, name);
  ucal_getCanonicalTimeZoneID(wide, -1, canonical, ZONE_NAME_SIZE, &system, &code);
  return U_SUCCESS(code) && system && strcmp(name, "Etc/Unknown") != 0;
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

bool zone_civil(const char *zone, int64_t micros, struct civil *civil) {
  UErrorCode code = U_ZERO_ERROR;
  UCalendar *calendar = open_calendar(zone);
  if (calendar == NULL) {
    return false;
  }
  ucal_setMillis(calendar, floor((double)micros / 1000), &code);
  *civil = (struct civil){.year = ucal_get(calendar, UCAL_EXTENDED_YEAR, &code),
                          .month = ucal_get(calendar, UCAL_MONTH, &code) + 1,
                          .day = ucal_get(calendar, UCAL_DATE, &code),
                          .hour = ucal_get(calendar, UCAL_HOUR_OF_DAY, &code),
                          .minute = ucal_get(calendar, UCAL_MINUTE, &code)};
  ucal_close(calendar);
  return U_SUCCESS(code);
}

bool zone_moment(const char *zone, const struct civil *civil, bool last, int64_t *micros) {
  UErrorCode code = U_ZERO_ERROR;
  UCalendar *calendar = open_calendar(zone);
  if (calendar == NULL) {
    return false;
  }
  ucal_setAttribute(calendar, UCAL_SKIPPED_WALL_TIME, UCAL_WALLTIME_NEXT_VALID);
  ucal_setAttribute(calendar, UCAL_REPEATED_WALL_TIME, last ? UCAL_WALLTIME_LAST : UCAL_WALLTIME_FIRST);
  ucal_clear(calendar);
  ucal_setDateTime(calendar, civil->year, civil->month - 1, civil->day, civil->hour, civil->minute, 0, &code);
  *micros = (int64_t)ucal_getMillis(calendar, &code) * 1000;
  ucal_close(calendar);
  return U_SUCCESS(code);
}

int64_t zone_change(const char *zone, int64_t after) {
  UErrorCode code = U_ZERO_ERROR;
  UDate change = 0;
  UCalendar *calendar = open_calendar(zone);
  if (calendar == NULL) {
    return INT64_MAX;
  }
  ucal_setMillis(calendar, floor((double)after / 1000), &code);
  bool there = ucal_getTimeZoneTransitionDate(calendar, UCAL_TZ_TRANSITION_NEXT, &change, &code);
  ucal_close(calendar);
  return there && U_SUCCESS(code) ? (int64_t)change * 1000 : INT64_MAX;
}

void zone_words(const char *zone, int64_t micros, const char *locale, char words[ZONE_WORDS_SIZE]) {
  UChar wide[ZONE_NAME_SIZE], out[ZONE_WORDS_SIZE];
  UErrorCode code = U_ZERO_ERROR;
  words[0] = '\0';
  if (strlen(zone) >= ZONE_NAME_SIZE) {
    return;
  }
  u_uastrcpy(wide, zone);
  UDateFormat *format = udat_open(UDAT_SHORT, UDAT_FULL, locale, wide, -1, NULL, 0, &code);
  if (U_SUCCESS(code)) {
    udat_format(format, floor((double)micros / 1000), out, ZONE_WORDS_SIZE, NULL, &code);
    u_strToUTF8(words, ZONE_WORDS_SIZE, NULL, out, -1, &code);
    udat_close(format);
  }
  if (U_FAILURE(code)) {
    words[0] = '\0';
  }
}
