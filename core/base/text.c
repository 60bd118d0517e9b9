#include "core/base/text.h"

#include <stdlib.h>
#include <strings.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

/* Bytes 0x80 to 0x9F of windows-1252 (WHATWG Encoding Standard, index windows-1252). */
static const uint16_t windows_1252[32] = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
};

bool encoding_parse(struct slice name, enum encoding *encoding) {
  static const struct {
    const char *name;
    enum encoding encoding;
  } names[] = {
      {"utf-8", ENCODING_UTF8},           {"utf8", ENCODING_UTF8},           {"us-ascii", ENCODING_UTF8},
      {"ascii", ENCODING_UTF8},           {"cp1252", ENCODING_WINDOWS_1252}, {"windows-1252", ENCODING_WINDOWS_1252},
      {"cp-1252", ENCODING_WINDOWS_1252}, {"latin-1", ENCODING_LATIN1},      {"latin1", ENCODING_LATIN1},
      {"iso-8859-1", ENCODING_LATIN1},    {"iso8859-1", ENCODING_LATIN1},    {"iso_8859-1", ENCODING_LATIN1},
  };
  name = slice_trim(name);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (strlen(names[i].name) == name.len && strncasecmp(names[i].name, name.data, name.len) == 0) {
      *encoding = names[i].encoding;
      return true;
    }
  }
  return false;
}

const char *encoding_name(enum encoding encoding) {
  static const char *const names[] = {"utf-8", "windows-1252", "iso-8859-1"};
  return names[encoding];
}

/* Bytes before the first that is not ASCII. */
static size_t ascii_length(struct slice text) {
  size_t i = 0;
  for (; i + 8 <= text.len; i += 8) {
    uint64_t word;
    memcpy(&word, text.data + i, 8);
    if ((word & UINT64_C(0x8080808080808080)) != 0) {
      break;
    }
  }
  while (i < text.len && (unsigned char)text.data[i] < 0x80) {
    i++;
  }
  return i;
}

bool utf8_valid(struct slice text) {
  size_t i = ascii_length(text);
  while (i < text.len) {
    UChar32 c;
    U8_NEXT(text.data, i, text.len, c);
    if (c < 0) {
      return false;
    }
    i += ascii_length(slice_make(text.data + i, text.len - i));
  }
  return true;
}

/* U+0080 to U+FFFF as UTF-8; returns the end. */
static char *put_utf8(char *at, uint32_t c) {
  if (c < 0x80) {
    *at++ = (char)c;
  } else if (c < 0x800) {
    *at++ = (char)(0xC0 | (c >> 6));
    *at++ = (char)(0x80 | (c & 0x3F));
  } else {
    *at++ = (char)(0xE0 | (c >> 12));
    *at++ = (char)(0x80 | ((c >> 6) & 0x3F));
    *at++ = (char)(0x80 | (c & 0x3F));
  }
  return at;
}

struct slice text_to_utf8(struct arena *arena, struct slice text, enum encoding encoding) {
  size_t plain = ascii_length(text);
  if (encoding == ENCODING_UTF8 || plain == text.len) {
    return text;
  }
  if (text.len > SIZE_MAX / 3) {
    return slice_none();
  }
  char *copy = arena_bytes(arena, text.len + (text.len - plain) * 2);
  if (copy == NULL) {
    return slice_none();
  }
  memcpy(copy, text.data, plain);
  char *at = copy + plain;
  for (size_t i = plain; i < text.len; i++) {
    unsigned char byte = (unsigned char)text.data[i];
    bool special = encoding == ENCODING_WINDOWS_1252 && byte >= 0x80 && byte < 0xA0;
    at = put_utf8(at, special ? windows_1252[byte - 0x80] : byte);
  }
  return slice_make(copy, (size_t)(at - copy));
}

/* The windows-1252 byte of a character, or -1. */
static int byte_of(UChar32 c) {
  if (c < 0x80 || (c >= 0xA0 && c <= 0xFF)) {
    return (int)c;
  }
  for (int i = 0; i < 32; i++) {
    if (windows_1252[i] == c) {
      return 0x80 + i;
    }
  }
  /* Latin-1 readers leave C1 controls where windows-1252 has letters. */
  return c >= 0x80 && c < 0xA0 ? (int)c : -1;
}

/* One layer undone into `out` (as long as text): the new length, or 0 where the text is no UTF-8 read as
 * windows-1252. */
static size_t undo_layer(struct slice text, char *out) {
  size_t length = 0;
  for (size_t i = 0; i < text.len;) {
    UChar32 c;
    U8_NEXT(text.data, i, text.len, c);
    int byte = c < 0 ? -1 : byte_of(c);
    if (byte < 0) {
      return 0;
    }
    out[length++] = (char)byte;
  }
  return utf8_valid(slice_make(out, length)) ? length : 0;
}

struct slice text_repair_double(struct arena *arena, struct slice text) {
  for (int layer = 0; layer < 2; layer++) {
    if (ascii_length(text) == text.len) {
      return text;
    }
    char *copy = arena_bytes(arena, text.len);
    if (copy == NULL) {
      return slice_none();
    }
    size_t length = undo_layer(text, copy);
    if (length == 0) {
      return text;
    }
    text = slice_make(copy, length);
  }
  return text;
}

/* U+00C0 to U+00FF folded to upper-case ASCII: a letter, '\1' for ñ, '\2' for two letters, '\0' for none. */
static const char latin_folds[64] = {
    'A', 'A', 'A', 'A', 'A', 'A', 2,   'C', 'E', 'E', 'E', 'E', 'I', 'I', 'I', 'I', 0,   1,   'O', 'O', 'O', 'O',
    'O', 0,   'O', 'U', 'U', 'U', 'U', 'Y', 2,   2,   'A', 'A', 'A', 'A', 'A', 'A', 2,   'C', 'E', 'E', 'E', 'E',
    'I', 'I', 'I', 'I', 0,   1,   'O', 'O', 'O', 'O', 'O', 0,   'O', 'U', 'U', 'U', 'U', 'Y', 2,   'Y',
};

static const char *two_letters(unsigned char low) {
  static const char *const pairs[] = {"AE", "TH", "SS"};
  return low == 0xC6 || low == 0xE6 ? pairs[0] : low == 0xDF ? pairs[2] : pairs[1];
}

/* Folds the Latin-1 letter whose second UTF-8 byte is `second` to `at`; the end, or NULL where it is no letter. */
static char *fold_latin(char *at, unsigned char second, bool keep_enye) {
  unsigned char low = (unsigned char)(second + 0x40);
  char folded = low >= 0xC0 ? latin_folds[low - 0xC0] : 0;
  if (folded == 0) {
    return NULL;
  }
  if (folded == 1 && keep_enye) {
    memcpy(at, "\xC3\x91", 2);
    return at + 2;
  }
  if (folded == 2) {
    memcpy(at, two_letters(low), 2);
    return at + 2;
  }
  *at = folded == 1 ? 'N' : folded;
  return at + 1;
}

/* Folds ASCII and Latin-1 letters into `out` (as long as text); false at the first other character. */
static bool fold_fast(struct slice text, bool keep_enye, char *out, size_t *length) {
  char *at = out;
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.data[i];
    if (c < 0x80) {
      *at++ = c >= 'a' && c <= 'z' ? (char)(c - 32) : (char)c;
      continue;
    }
    at = c == 0xC3 && i + 1 < text.len ? fold_latin(at, (unsigned char)text.data[++i], keep_enye) : NULL;
    if (at == NULL) {
      return false;
    }
  }
  *length = (size_t)(at - out);
  return true;
}

/* Letters that are no letter with a mark (Æ, Ø, Þ): as fold_fast has them, whatever else the text holds. */
static struct slice fold_letters(struct arena *arena, struct slice text, bool keep_enye) {
  char *bytes = text.data == NULL ? NULL : arena_bytes(arena, 2 * text.len + 1);
  size_t length = 0;
  if (bytes == NULL) {
    return slice_none();
  }
  for (size_t i = 0; i < text.len; i++) {
    char *end = (unsigned char)text.data[i] == 0xC3 && i + 1 < text.len
                    ? fold_latin(bytes + length, (unsigned char)text.data[i + 1], keep_enye)
                    : NULL;
    if (end == NULL) {
      bytes[length++] = text.data[i];
    } else {
      length = (size_t)(end - bytes);
      i++;
    }
  }
  return slice_make(bytes, length);
}

/* UTF-16 in the arena; NULL when it failed. */
static UChar *to_utf16(struct arena *arena, struct slice text, int32_t *length) {
  UErrorCode code = U_ZERO_ERROR;
  if (text.len > INT32_MAX / 8) {
    return NULL;
  }
  int32_t capacity = (int32_t)text.len + 1;
  UChar *wide = arena_array(arena, (size_t)capacity, sizeof *wide);
  if (wide == NULL) {
    return NULL;
  }
  u_strFromUTF8WithSub(wide, capacity, length, text.data, (int32_t)text.len, 0xFFFD, NULL, &code);
  return U_FAILURE(code) ? NULL : wide;
}

static struct slice to_utf8(struct arena *arena, const UChar *wide, int32_t length) {
  UErrorCode code = U_ZERO_ERROR;
  int32_t capacity = length * 3 + 1;
  int32_t used = 0;
  char *text = arena_bytes(arena, (size_t)capacity);
  if (text == NULL) {
    return slice_none();
  }
  u_strToUTF8WithSub(text, capacity, &used, wide, length, 0xFFFD, NULL, &code);
  return U_FAILURE(code) ? slice_none() : slice_make(text, (size_t)used);
}

/* Drops combining marks of a decomposed text in place, but the tilde of an N where ñ is kept. */
static int32_t drop_marks(UChar *wide, int32_t length, bool keep_enye) {
  int32_t kept = 0;
  for (int32_t i = 0; i < length; i++) {
    bool tilde = keep_enye && wide[i] == 0x0303 && kept > 0 && wide[kept - 1] == 'N';
    if (tilde) {
      wide[kept - 1] = 0x00D1;
    } else if (U16_IS_SURROGATE(wide[i]) || u_charType(wide[i]) != U_NON_SPACING_MARK
               || ublock_getCode(wide[i]) != UBLOCK_COMBINING_DIACRITICAL_MARKS) {
      wide[kept++] = wide[i];
    }
  }
  return kept;
}

/* ICU: upper case, canonical decomposition, marks of Latin letters dropped (marks of other scripts carry vowels). */
static struct slice fold_slow(struct arena *arena, struct slice text, bool keep_enye) {
  UErrorCode code = U_ZERO_ERROR;
  int32_t length = 0;
  UChar *wide = to_utf16(arena, text, &length);
  int32_t room = length * 3 + 1;
  UChar *upper = wide == NULL ? NULL : arena_array(arena, (size_t)room, sizeof *upper);
  UChar *parts = upper == NULL ? NULL : arena_array(arena, (size_t)room * 4, sizeof *parts);
  const UNormalizer2 *nfd = unorm2_getNFDInstance(&code);
  const UNormalizer2 *nfc = unorm2_getNFCInstance(&code);
  if (parts == NULL || U_FAILURE(code)) {
    return slice_none();
  }
  length = u_strToUpper(upper, room, wide, length, "", &code);
  length = unorm2_normalize(nfd, upper, length, parts, room * 4, &code);
  if (U_FAILURE(code)) {
    return slice_none();
  }
  length = drop_marks(parts, length, keep_enye);
  UChar *whole = arena_array(arena, (size_t)length + 1, sizeof *whole);
  if (whole == NULL) {
    return slice_none();
  }
  length = unorm2_normalize(nfc, parts, length, whole, length + 1, &code);
  return U_FAILURE(code) ? slice_none() : fold_letters(arena, to_utf8(arena, whole, length), keep_enye);
}

struct slice text_fold(struct arena *arena, struct slice text, bool keep_enye) {
  if (text.len == 0) {
    return slice_of("");
  }
  char *out = arena_bytes(arena, text.len);
  size_t length = 0;
  if (out == NULL) {
    return slice_none();
  }
  return fold_fast(text, keep_enye, out, &length) ? slice_make(out, length) : fold_slow(arena, text, keep_enye);
}

static struct slice change_case(struct arena *arena, struct slice text, bool upper) {
  if (text.len == 0) {
    return slice_of("");
  }
  if (ascii_length(text) == text.len) {
    char *copy = arena_bytes(arena, text.len);
    char first = upper ? 'a' : 'A';
    for (size_t i = 0; copy != NULL && i < text.len; i++) {
      char c = text.data[i];
      copy[i] = c >= first && c <= first + 25 ? (char)(c ^ 0x20) : c;
    }
    return slice_make(copy, copy == NULL ? 0 : text.len);
  }
  UErrorCode code = U_ZERO_ERROR;
  int32_t length = 0;
  UChar *wide = to_utf16(arena, text, &length);
  int32_t room = length * 3 + 1;
  UChar *changed = wide == NULL ? NULL : arena_array(arena, (size_t)room, sizeof *changed);
  if (changed == NULL) {
    return slice_none();
  }
  length = upper ? u_strToUpper(changed, room, wide, length, "", &code)
                 : u_strToLower(changed, room, wide, length, "", &code);
  return U_FAILURE(code) ? slice_none() : to_utf8(arena, changed, length);
}

struct slice text_upper(struct arena *arena, struct slice text) {
  return change_case(arena, text, true);
}

struct slice text_lower(struct arena *arena, struct slice text) {
  return change_case(arena, text, false);
}

/* Bytes of the white space at `at`: ASCII or U+00A0; 0 if it is none. */
static size_t space_length(struct slice text, size_t at) {
  char c = text.data[at];
  if (c == ' ' || (c >= '\t' && c <= '\r')) {
    return 1;
  }
  return c == '\xC2' && at + 1 < text.len && text.data[at + 1] == '\xA0' ? 2 : 0;
}

static bool is_squeezed(struct slice text) {
  for (size_t i = 0; i < text.len; i++) {
    size_t space = space_length(text, i);
    if (space > 0 && (text.data[i] != ' ' || text.data[i + 1] == ' ')) {
      return false;
    }
  }
  return true;
}

struct slice text_squeeze(struct arena *arena, struct slice text) {
  text = slice_trim(text);
  if (is_squeezed(text)) {
    return text;
  }
  char *copy = arena_bytes(arena, text.len);
  if (copy == NULL) {
    return slice_none();
  }
  size_t length = 0;
  for (size_t i = 0; i < text.len;) {
    size_t space = space_length(text, i);
    if (space == 0) {
      copy[length++] = text.data[i++];
    } else {
      if (length > 0 && copy[length - 1] != ' ') {
        copy[length++] = ' ';
      }
      i += space;
    }
  }
  return slice_make(copy, length);
}

/* What stands for a character in a shape; marks above and below letters are of the letter. */
static char shape_of(UChar32 c) {
  if (c < 0) {
    return '?';
  }
  if (u_isdigit(c)) {
    return '9';
  }
  if (u_isalpha(c) || (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0) {
    return u_isupper(c) || u_istitle(c) ? 'A' : 'a';
  }
  return c >= ' ' && c < 0x7F ? (char)c : '?';
}

/* The letters from `at` on; `at` goes behind them. */
static const char *letters_from(struct slice text, size_t *at) {
  bool first = true, upper = false, others = false, lower = false;
  for (size_t next = *at; next < text.len;) {
    UChar32 c;
    U8_NEXT(text.data, next, text.len, c);
    char sign = shape_of(c);
    if (sign != 'A' && sign != 'a') {
      break;
    }
    upper = upper || (first && sign == 'A');
    others = others || !first;
    lower = lower || (!first && sign == 'a');
    first = false;
    *at = next;
  }
  return !upper ? "aaaa" : others && lower ? "Aaaa" : "AAAA";
}

static bool is_short_number(struct slice text) {
  enum { DIGITS_MOST = 3 };
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] < '0' || text.data[i] > '9') {
      return false;
    }
  }
  return text.len <= DIGITS_MOST;
}

struct slice text_shape(struct arena *arena, struct slice text, size_t most) {
  if (text.len == 0 || most == 0) {
    return slice_of("");
  }
  if (is_short_number(text)) {
    return slice_of("9");
  }
  enum { RUN = 4 };
  char *shape = arena_bytes(arena, (text.len < most ? text.len : most) * RUN + 3);
  if (shape == NULL) {
    return slice_none();
  }
  size_t length = 0, i = 0;
  while (i < text.len && length < most) {
    UChar32 c;
    size_t next = i;
    U8_NEXT(text.data, next, text.len, c);
    char sign = shape_of(c);
    if (sign == 'A' || sign == 'a') {
      memcpy(shape + length, letters_from(text, &i), RUN);
      length += RUN;
    } else {
      shape[length++] = sign;
      i = next;
    }
  }
  if (i < text.len) {
    memcpy(shape + length, "\xE2\x80\xA6", 3);
    length += 3;
  }
  return slice_make(shape, length);
}

#define NEAREST_MOST 63

/* Optimal string alignment (restricted Damerau-Levenshtein) over bytes. */
static size_t distance(struct slice a, struct slice b) {
  size_t rows[3][NEAREST_MOST + 1];
  size_t *before = rows[0];
  size_t *last = rows[1];
  size_t *row = rows[2];
  for (size_t j = 0; j <= b.len; j++) {
    before[j] = last[j] = j;
  }
  for (size_t i = 1; i <= a.len; i++) {
    row[0] = i;
    for (size_t j = 1; j <= b.len; j++) {
      size_t best = last[j - 1] + (a.data[i - 1] != b.data[j - 1]);
      best = last[j] + 1 < best ? last[j] + 1 : best;
      best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
      if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1]
          && before[j - 2] + 1 < best) {
        best = before[j - 2] + 1;
      }
      row[j] = best;
    }
    size_t *oldest = before;
    before = last;
    last = row;
    row = oldest;
  }
  return last[b.len];
}

const char *text_nearest(struct slice name, const char *const *candidates, size_t count) {
  const char *nearest = NULL;
  size_t least = SIZE_MAX;
  if (name.len == 0 || name.len > NEAREST_MOST) {
    return NULL;
  }
  for (size_t i = 0; i < count; i++) {
    struct slice candidate = slice_of(candidates[i]);
    if (candidate.len > NEAREST_MOST) {
      continue;
    }
    size_t far = distance(name, candidate);
    size_t longer = candidate.len > name.len ? candidate.len : name.len;
    if (far < least && far * 3 <= longer) {
      least = far;
      nearest = candidates[i];
    }
  }
  return nearest;
}

bool text_to_int64(struct slice text, int64_t *value) {
  size_t i = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+');
  bool negative = i > 0 && text.data[0] == '-';
  int64_t total = 0;
  if (i == text.len) {
    return false;
  }
  for (; i < text.len; i++) {
    int digit = text.data[i] - '0';
    if (digit < 0 || digit > 9 || __builtin_mul_overflow(total, 10, &total)
        || __builtin_add_overflow(total, negative ? -digit : digit, &total)) {
      return false;
    }
  }
  *value = total;
  return true;
}
