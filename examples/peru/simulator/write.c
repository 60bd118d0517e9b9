#include "examples/peru/simulator/write.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void text_raise(char *text, bool plain) {
  static const unsigned char accented[] = {0x81, 0x89, 0x8d, 0x93, 0x9a, 0x9c};
  static const char plain_letters[] = "AEIOUU";
  char *to = text;
  for (const char *from = text; *from != '\0';) {
    if (*from != '\xc3') {
      *to++ = (char)toupper((unsigned char)*from++);
      continue;
    }
    unsigned char second = (unsigned char)from[1];
    second = (unsigned char)(second >= 0xa0 ? second - 0x20 : second);
    const unsigned char *letter = memchr(accented, second, sizeof accented);
    if (plain && letter != NULL) {
      *to++ = plain_letters[letter - accented];
    } else {
      *to++ = '\xc3';
      *to++ = (char)second;
    }
    from += 2;
  }
  *to = '\0';
}

void text_encode_again(const char *text, char *out, size_t size) {
  size_t len = 0;
  for (const unsigned char *at = (const unsigned char *)text; *at != '\0' && len + 3 < size; at++) {
    if (*at < 0x80) {
      out[len++] = (char)*at;
    } else {
      out[len++] = (char)(0xc0 | *at >> 6);
      out[len++] = (char)(0x80 | (*at & 0x3f));
    }
  }
  out[len] = '\0';
}

void write_charset(FILE *out, const char *text, enum charset charset) {
  if (charset == CHARSET_UTF8) {
    fputs(text, out);
    return;
  }
  for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
    if (*at < 0x80) {
      putc(*at, out);
    } else if ((*at == 0xc2 || *at == 0xc3) && at[1] >= 0x80) {
      putc((*at & 0x03) << 6 | (at[1] & 0x3f), out);
      at++;
    } else {
      putc('?', out);
      for (; (at[1] & 0xc0) == 0x80; at++) {
      }
    }
  }
}

void json_member(FILE *out, bool first, const char *name, const char *text) {
  fprintf(out, "%s\"%s\":", first ? "" : ",", name);
  if (*text == '\0') {
    fputs("null", out);
    return;
  }
  putc('"', out);
  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\') {
      putc('\\', out);
    }
    putc(*text, out);
  }
  putc('"', out);
}

void xml_element(FILE *out, const char *name, const char *text) {
  if (*text == '\0') {
    fprintf(out, "<%s/>", name);
    return;
  }
  fprintf(out, "<%s>", name);
  for (const char *special = strpbrk(text, "<&"); special != NULL; special = strpbrk(text, "<&")) {
    char piece[512];
    snprintf(piece, sizeof piece, "%.*s", (int)(special - text), text);
    write_charset(out, piece, CHARSET_LATIN1);
    fputs(*special == '<' ? "&lt;" : "&amp;", out);
    text = special + 1;
  }
  write_charset(out, text, CHARSET_LATIN1);
  fprintf(out, "</%s>", name);
}

void csv_field(FILE *out, const char *text, char end) {
  bool quoted = strpbrk(text, ";\"\n") != NULL;
  if (quoted) {
    putc('"', out);
  }
  for (const char *quote = strchr(text, '"'); quote != NULL; quote = strchr(text, '"')) {
    char piece[512];
    snprintf(piece, sizeof piece, "%.*s\"\"", (int)(quote - text), text);
    write_charset(out, piece, CHARSET_WINDOWS_1252);
    text = quote + 1;
  }
  write_charset(out, text, CHARSET_WINDOWS_1252);
  if (quoted) {
    putc('"', out);
  }
  putc(end, out);
}

void date_text(struct calendar date, char order, char text[40]) {
  static const char *const months[] = {"enero", "febrero", "marzo",     "abril",   "mayo",      "junio",
                                       "julio", "agosto",  "setiembre", "octubre", "noviembre", "diciembre"};
  if (date.year == 0) {
    text[0] = '\0';
  } else if (date.month == 0) {
    snprintf(text, 40, order == 'c' ? "%04d0000" : "%04d", date.year);
  } else if (order == 'i') {
    snprintf(text, 40, "%04d-%02d-%02d", date.year, date.month, date.day);
  } else if (order == 'd') {
    snprintf(text, 40, "%02d/%02d/%04d", date.day, date.month, date.year);
  } else if (order == 'c') {
    snprintf(text, 40, "%04d%02d%02d", date.year, date.month, date.day);
  } else if (order == 'm') {
    snprintf(text, 40, "%02d-%02d-%04d", date.day, date.month, date.year);
  } else {
    snprintf(text, 40, "%d de %s de %d", date.day, months[(date.month + 11) % 12], date.year);
  }
}

void date_text_days(int32_t days, char order, char text[40]) {
  date_text(calendar_of(days), order, text);
}

void timestamp_text(int64_t seconds, char text[32]) {
  time_t time = (time_t)seconds;
  struct tm broken;
  gmtime_r(&time, &broken);
  strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &broken);
}

int64_t timestamp_read(const char *text) {
  struct tm broken = {0};
  const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &broken);
  if (end == NULL) {
    memset(&broken, 0, sizeof broken);
    end = strptime(text, "%d/%m/%Y %H:%M:%S", &broken);
  }
  return end == NULL ? -1 : (int64_t)timegm(&broken);
}

static int compare_entries(const void *a, const void *b) {
  const struct entry *left = a, *right = b;
  if (left->updated != right->updated) {
    return left->updated < right->updated ? -1 : 1;
  }
  return left->item < right->item ? -1 : left->item > right->item;
}

static bool is_seen(const struct world *world, enum source source, uint32_t item) {
  uint8_t sources = source <= RETA ? world->incidents[item].sources : world->involvements[item].sources;
  return (sources >> source & 1) != 0;
}

bool listing_make(const struct simulation *simulation, enum source source, bool vanish, struct listing *listing) {
  const struct world *world = &simulation->world;
  uint32_t count = source <= RETA ? world->incident_count : world->involvement_count;
  *listing = (struct listing){.entries = calloc((size_t)count + 1, sizeof *listing->entries)};
  if (listing->entries == NULL) {
    return false;
  }
  for (uint32_t item = 0; item < count; item++) {
    struct state state = record_state(simulation, source, item);
    if (is_seen(world, source, item) && state.present && !(vanish && state.deleted)) {
      listing->entries[listing->count++] = (struct entry){state.updated, item};
    }
  }
  qsort(listing->entries, listing->count, sizeof *listing->entries, compare_entries);
  return true;
}

void listing_free(struct listing *listing) {
  free(listing->entries);
  *listing = (struct listing){0};
}

uint32_t listing_find(const struct listing *listing, int64_t updated, uint32_t item) {
  struct entry wanted = {updated, item};
  uint32_t low = 0, high = listing->count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (compare_entries(&listing->entries[middle], &wanted) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
