#include "tests/support/secrets.h"

#include "core/base/buffer.h"
#include "core/base/map.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST = 5, LEAST_ENCODED = 7, MOST = 64, PRINTED = 3, RUN = 12 };

struct secrets {
  struct map *words, *ordinary;
};

static void need(bool good) {
  if (!good) {
    fprintf(stderr, "test harness: out of memory\n");
    abort();
  }
}

struct secrets *secrets_new(void) {
  struct secrets *secrets = calloc(1, sizeof *secrets);
  need(secrets != NULL);
  *secrets = (struct secrets){.words = map_new(), .ordinary = map_new()};
  need(secrets->words != NULL && secrets->ordinary != NULL);
  return secrets;
}

void secrets_free(struct secrets *secrets) {
  map_free(secrets->words);
  map_free(secrets->ordinary);
  free(secrets);
}

size_t secrets_count(const struct secrets *secrets) {
  return map_count(secrets->words);
}

/* ---- text as capital letters without accents, digits, and blanks for all else ---- */

static char plain(unsigned code) {
  static const char latin[] = "AAAAAAACEEEEIIIIDNOOOOO OUUUUYTSAAAAAAACEEEEIIIIDNOOOOO OUUUUYTY"; /* U+00C0 … U+00FF */
  if (code < 0x80) {
    return isalnum((int)code) ? (char)toupper((int)code) : ' ';
  }
  return code >= 0xC0 && code <= 0xFF ? latin[code - 0xC0] : ' ';
}

/* A character by its number, "\u00e1" and the like; its length, or 0. */
static size_t numbered(const char *text, size_t length, const char *before, int base, char *out) {
  size_t size = strlen(before), digits = 0;
  unsigned code = 0;
  if (length < size || strncasecmp(text, before, size) != 0) {
    return 0;
  }
  for (; size + digits < length && digits < 4; digits++) {
    char digit = text[size + digits];
    if (base == 16 ? !isxdigit((unsigned char)digit) : !isdigit((unsigned char)digit)) {
      break;
    }
    code = code * (unsigned)base + (unsigned)(isdigit((unsigned char)digit) ? digit - '0' : (digit | 32) - 'a' + 10);
  }
  *out = plain(code);
  return digits < 2 ? 0 : size + digits;
}

static size_t escaped_json(const char *text, size_t length, char *out) {
  size_t size = numbered(text, length, "\\u", 16, out);
  if (size == 0 && length > 1 && text[1] != '\0' && strchr("nrtbf\"\\/", text[1]) != NULL) {
    *out = ' ';
    size = 2;
  }
  return size;
}

static size_t escaped_xml(const char *text, size_t length, char *out) {
  size_t size = numbered(text, length, "&#x", 16, out);
  size = size == 0 ? numbered(text, length, "&#", 10, out) : size;
  return size > 0 && size < length && text[size] == ';' ? size + 1 : size;
}

/* One byte, or the two of an accented letter in UTF-8. */
static size_t escaped_url(const char *text, size_t length, char *out) {
  char second;
  size_t size = length > 3 && strncasecmp(text, "%C3", 3) == 0
                    ? numbered(text + 3, length < 6 ? length - 3 : 3, "%", 16, &second)
                    : 0;
  if (size == 3) {
    *out = plain(((unsigned)strtoul((char[]){text[4], text[5], '\0'}, NULL, 16) & 0x3FU) | 0xC0U);
    return 6;
  }
  size = numbered(text, length > 3 ? 3 : length, "%", 16, out);
  return size == 3 ? 3 : 0;
}

static size_t escaped(const char *text, size_t length, char *out) {
  switch (text[0]) {
  case '\\':
    return escaped_json(text, length, out);
  case '&':
    return escaped_xml(text, length, out);
  case '%':
    return escaped_url(text, length, out);
  default:
    return 0;
  }
}

/* One character of `text`: how many bytes it takes; *out 0: none of its own (an accent that follows its letter). */
static size_t one(const char *text, size_t length, bool binary, char *out) {
  unsigned char first = (unsigned char)text[0], second = length > 1 ? (unsigned char)text[1] : 0;
  size_t size = binary ? 0 : escaped(text, length, out);
  if (size > 0) {
    return size;
  }
  if (first == 0xC3 && (second & 0xC0) == 0x80) {
    *out = plain(0xC0U | (second & 0x3FU));
    return 2;
  }
  if (first == 0xCC && (second & 0xC0) == 0x80) {
    *out = 0;
    return 2;
  }
  *out = binary && first >= 0x80 ? ' ' : plain(first);
  return 1;
}

static size_t fold(const char *text, size_t length, bool binary, char *out) {
  size_t size = 0;
  for (size_t at = 0; at < length;) {
    char letter;
    at += one(text + at, length - at, binary, &letter);
    if (letter != 0) {
      out[size++] = letter;
    }
  }
  return size;
}

/* ---- words ---- */

typedef void take_word(void *context, const char *word, size_t size, size_t at);

/* Runs of letters and digits, and where both stand in one, also its parts. */
static void words_of(const char *folded, size_t length, size_t least, take_word *take, void *context) {
  for (size_t at = 0; at < length;) {
    size_t size = 0, part = 0;
    for (; at + size < length && folded[at + size] != ' '; size++) {
      if (size > 0
          && (isdigit((unsigned char)folded[at + size]) != 0) != (isdigit((unsigned char)folded[at + size - 1]) != 0)) {
        if (size - part >= least && size - part <= MOST) {
          take(context, folded + at + part, size - part, at + part);
        }
        part = size;
      }
    }
    if (part > 0 && size - part >= least && size - part <= MOST) {
      take(context, folded + at + part, size - part, at + part);
    }
    if (size >= least && size <= MOST) {
      take(context, folded + at, size, at);
    }
    at += size + 1;
  }
}

static void with_words(const char *text, size_t length, take_word *take, void *context) {
  char *folded = malloc(length + 1);
  need(folded != NULL);
  words_of(folded, fold(text, length, false, folded), LEAST, take, context);
  free(folded);
}

static void keep(void *context, const char *word, size_t size, size_t at) {
  struct map *words = context;
  (void)at;
  need(map_intern(words, slice_make(word, size)) != MAP_NONE);
}

static void keep_new(void *context, const char *word, size_t size, size_t at) {
  struct secrets *secrets = context;
  if (map_get(secrets->ordinary, slice_make(word, size)) == MAP_NONE) {
    keep(secrets->words, word, size, at);
  }
}

void secrets_ordinary(struct secrets *secrets, const char *text, size_t length) {
  with_words(text, length, keep, secrets->ordinary);
}

void secrets_add(struct secrets *secrets, const char *text, size_t length) {
  with_words(text, length, keep_new, secrets);
}

/* ---- the search ---- */

struct search {
  const struct secrets *secrets;
  const char *where, *how; /* where NULL: nothing is printed */
  const char *folded;
  size_t length, found;
};

static void look(void *context, const char *word, size_t size, size_t at) {
  struct search *search = context;
  if (map_get(search->secrets->words, slice_make(word, size)) == MAP_NONE) {
    return;
  }
  if (search->where != NULL && search->found < PRINTED) {
    size_t from = at > 60 ? at - 60 : 0, to = at + size + 30 < search->length ? at + size + 30 : search->length;
    fprintf(stderr, "%s%s: %.*s in …%.*s…\n", search->where, search->how, (int)size, word, (int)(to - from),
            search->folded + from);
  }
  search->found++;
}

static void look_in(struct search *search, const char *how, const char *text, size_t length, bool binary,
                    char *folded) {
  search->how = how;
  search->folded = folded;
  search->length = fold(text, length, binary, folded);
  words_of(folded, search->length, binary ? LEAST_ENCODED : LEAST, look, search);
}

static int digit64(unsigned char c) {
  if (isupper(c)) {
    return c - 'A';
  }
  if (islower(c)) {
    return c - 'a' + 26;
  }
  if (isdigit(c)) {
    return c - '0' + 52;
  }
  return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

static int digit16(unsigned char c) {
  return isxdigit(c) ? isdigit(c) ? c - '0' : (c | 32) - 'a' + 10 : -1;
}

/* The bytes that `length` digits of `bits` bits stand for. */
static size_t decode(const char *text, size_t length, int bits, char *out) {
  unsigned held = 0, value = 0;
  size_t size = 0;
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    value = (value << bits | (unsigned)(bits == 4 ? digit16(c) : digit64(c))) & 0xFFFFU;
    held += (unsigned)bits;
    if (held >= 8) {
      held -= 8;
      out[size++] = (char)(value >> held & 0xFFU);
    }
  }
  return size;
}

/* Runs of digits, decoded from each place where a group of them can begin. */
static void look_encoded(struct search *search, const char *text, size_t length, int bits, char *work) {
  for (size_t at = 0; at < length;) {
    size_t size = 0;
    while (at + size < length
           && (bits == 4 ? digit16((unsigned char)text[at + size]) : digit64((unsigned char)text[at + size])) >= 0) {
      size++;
    }
    for (size_t from = 0; size >= RUN && from < (bits == 4 ? 2U : 4U); from++) {
      size_t decoded = decode(text + at + from, size - from, bits, work);
      look_in(search, bits == 4 ? " (hexadecimal)" : " (base64)", work, decoded, true, work + length);
    }
    at += size + 1;
  }
}

static size_t search_in(const struct secrets *secrets, const char *where, const char *text, size_t length,
                        bool binary) {
  struct search search = {.secrets = secrets, .where = where};
  char *work = malloc(2 * length + 2);
  need(work != NULL);
  look_in(&search, "", text, length, binary, work);
  look_encoded(&search, text, length, 4, work);
  look_encoded(&search, text, length, 6, work);
  free(work);
  return search.found;
}

size_t secrets_found(const struct secrets *secrets, const char *where, const char *text, size_t length, int binary) {
  return search_in(secrets, where, text, length, binary != 0);
}

size_t secrets_counted(const struct secrets *secrets, const char *text, size_t length, int binary) {
  return search_in(secrets, NULL, text, length, binary != 0);
}
