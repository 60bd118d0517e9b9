#include "core/schedule/tzif.h"

#include "core/base/file.h"

#include <ctype.h>
#include <endian.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEADER_SIZE = 44, FILE_MOST = 1 << 20, KIND_SIZE = 6, TIME_SIZE = 8, OFFSET_MOST = 26 * 3600 };
#define TIME_MOST (INT64_C(1) << 40)
enum { UT_COUNT, STD_COUNT, LEAP_COUNT, CHANGE_COUNT, KIND_COUNT, LETTER_COUNT, COUNTS };

static uint32_t number_at(const unsigned char *at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return be32toh(value);
}

/* A name as it may stand in a path: no way out of the folder. */
static bool is_name(const char *zone) {
  for (const char *at = zone; *at != '\0'; at++) {
    if (!isalnum((unsigned char)*at) && strchr("/_+-", *at) == NULL) {
      return false;
    }
  }
  return zone[0] != '\0' && zone[0] != '/';
}

/* The counts of the header at `from`; false where none is there. */
static bool read_header(struct slice text, size_t from, uint32_t counts[COUNTS]) {
  if (text.len < from + HEADER_SIZE || memcmp(text.data + from, "TZif", 4) != 0) {
    return false;
  }
  for (size_t i = 0; i < COUNTS; i++) {
    counts[i] = number_at((const unsigned char *)text.data + from + 20 + 4 * i);
    if (counts[i] > FILE_MOST) {
      return false;
    }
  }
  return true;
}

static size_t body_size(const uint32_t counts[COUNTS], size_t time_size) {
  return counts[CHANGE_COUNT] * (time_size + 1) + (size_t)counts[KIND_COUNT] * KIND_SIZE + counts[LETTER_COUNT]
         + counts[LEAP_COUNT] * (time_size + 4) + counts[STD_COUNT] + counts[UT_COUNT];
}

static int64_t time_at(const struct tzif *tzif, size_t position) {
  uint64_t value;
  memcpy(&value, tzif->times + position * TIME_SIZE, sizeof value);
  return (int64_t)be64toh(value);
}

/* After the change at `position`; before the first one (-1) what the first kind says. */
static int64_t offset_after(const struct tzif *tzif, ptrdiff_t position) {
  size_t kind = position < 0 ? 0 : tzif->kinds[position];
  return (int32_t)number_at(tzif->offsets + kind * KIND_SIZE);
}

/* Kinds that are there, offsets within a day or so, times that grow. */
static bool sound(const struct tzif *tzif) {
  for (size_t i = 0; i < tzif->kind_count; i++) {
    int64_t offset = (int32_t)number_at(tzif->offsets + i * KIND_SIZE);
    if (offset < -OFFSET_MOST || offset > OFFSET_MOST) {
      return false;
    }
  }
  for (size_t i = 0; i < tzif->count; i++) {
    if (tzif->kinds[i] >= tzif->kind_count || time_at(tzif, i) > TIME_MOST
        || (i > 0 && time_at(tzif, i) <= time_at(tzif, i - 1))) {
      return false;
    }
  }
  return true;
}

static bool read_body(struct tzif *tzif) {
  struct slice text = buffer_view(&tzif->bytes);
  uint32_t counts[COUNTS];
  if (!read_header(text, 0, counts)) {
    return false;
  }
  size_t second = HEADER_SIZE + body_size(counts, 4); /* the first body has times of 4 bytes */
  if (text.data[4] < '2' || !read_header(text, second, counts)) {
    return false;
  }
  size_t body = second + HEADER_SIZE, end = body + body_size(counts, TIME_SIZE);
  if (text.len < end || counts[KIND_COUNT] == 0) {
    return false;
  }
  tzif->count = counts[CHANGE_COUNT];
  tzif->kind_count = counts[KIND_COUNT];
  tzif->times = (const unsigned char *)text.data + body;
  tzif->kinds = tzif->times + tzif->count * TIME_SIZE;
  tzif->offsets = tzif->kinds + tzif->count;
  tzif->rule = memchr(text.data + end, ',', text.len - end) != NULL;
  return sound(tzif);
}

bool tzif_load(const char *zone, struct tzif *tzif) {
  const char *folder = getenv("TZDIR");
  char path[PATH_MAX];
  struct error ignored;
  *tzif = (struct tzif){.count = 0};
  int len = snprintf(path, sizeof path, "%s/%s", folder == NULL ? "/usr/share/zoneinfo" : folder, zone);
  if (!is_name(zone) || len >= (int)sizeof path || file_read(path, FILE_MOST, &tzif->bytes, &ignored) != OK) {
    return false;
  }
  if (!read_body(tzif)) {
    tzif_free(tzif);
    return false;
  }
  return true;
}

void tzif_free(struct tzif *tzif) {
  buffer_free(&tzif->bytes);
}

/* The last change at or before `at`; -1: none. */
static ptrdiff_t change_before(const struct tzif *tzif, int64_t at) {
  size_t low = 0, high = tzif->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (time_at(tzif, middle) <= at) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return (ptrdiff_t)low - 1;
}

bool tzif_offset(const struct tzif *tzif, int64_t at, int64_t *offset) {
  ptrdiff_t position = change_before(tzif, at);
  *offset = offset_after(tzif, position);
  return !tzif->rule || position + 1 < (ptrdiff_t)tzif->count;
}

bool tzif_change(const struct tzif *tzif, int64_t after, int64_t *change) {
  for (ptrdiff_t i = change_before(tzif, after) + 1; i < (ptrdiff_t)tzif->count; i++) {
    if (offset_after(tzif, i) != offset_after(tzif, i - 1)) {
      *change = time_at(tzif, (size_t)i);
      return true;
    }
  }
  *change = INT64_MAX;
  return !tzif->rule;
}
