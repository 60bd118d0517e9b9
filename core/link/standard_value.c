/* Documents, filing numbers, free text, codes: one way to write each. */
#include "core/base/text.h"
#include "core/link/letters.h"
#include "core/link/standard_parts.h"

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_one_of(struct slice word, const char *const *list) {
  for (; *list != NULL; list++) {
    if (slice_is(word, *list)) {
      return true;
    }
  }
  return false;
}

/* All digits equal, or each one more, or one less, than the one before. */
static bool is_run(struct slice number) {
  bool equal = true;
  bool up = true;
  bool down = true;
  for (size_t i = 0; i < number.len; i++) {
    if (!is_digit(number.data[i])) {
      return false;
    }
    int step = i == 0 ? 0 : number.data[i] - number.data[i - 1];
    equal = equal && step == 0;
    up = up && (i == 0 || step == 1 || step == -9);
    down = down && (i == 0 || step == -1 || step == 9);
  }
  return equal || up || down;
}

/* No digit other than zero: nobody's number, whatever letters stand with it. */
static bool is_nothing(struct slice number) {
  for (size_t i = 0; i < number.len; i++) {
    if (is_digit(number.data[i]) && number.data[i] != '0') {
      return false;
    }
  }
  return true;
}

/* A word for a kind of document. Passports begin with letters, too, so that most words are only taken for one where a
 * sign stands after them. */
static bool is_kind(struct slice word, bool parted) {
  static const char *const alone[] = {"DNI", "RUC", NULL};
  static const char *const kinds[] = {"DNI", "CE",  "CI",  "CC",  "LE",        "RUC",    "PAS", "PASAPORTE", "PTP",
                                      "CPP", "DOC", "NRO", "NUM", "DOCUMENTO", "NUMERO", "N",   "NO",        NULL};
  return is_one_of(word, parted ? kinds : alone);
}

/* The end of the words before the number that tell its kind: "DNI N° ". */
static size_t kind_length(struct slice folded) {
  size_t end = 0;
  for (size_t at = 0; at < folded.len; end = at) {
    size_t from = at;
    while (at < folded.len && folded.data[at] >= 'A' && folded.data[at] <= 'Z') {
      at++;
    }
    size_t to = at;
    while (at < folded.len && (letter_at(folded, at).kind == LETTER_SIGN || folded.data[at] == '\xC2')) {
      at += letter_at(folded, at).length;
    }
    if (to == from || at == folded.len || !is_kind(slice_make(folded.data + from, to - from), at > to)) {
      break;
    }
  }
  return end;
}

struct slice standard_document(struct arena *arena, struct slice text) {
  struct slice folded = standard_fold(arena, text, false);
  char *out = folded.data == NULL ? NULL : arena_bytes(arena, folded.len + 1);
  size_t length = 0;
  if (out == NULL) {
    return slice_none();
  }
  for (size_t i = kind_length(folded); i < folded.len; i++) {
    char c = folded.data[i];
    if (is_digit(c) || (c >= 'A' && c <= 'Z')) {
      out[length++] = c;
    }
  }
  struct slice number = slice_make(out, length);
  return is_run(number) || is_nothing(number) ? slice_make(out, 0) : number;
}

/* The end of the run of letters, or of digits, that begins at `at`; `at` where none does. */
static size_t run_end(struct slice text, size_t at) {
  struct letter first = {.kind = LETTER_SIGN};
  while (at < text.len) {
    struct letter letter = letter_at(text, at);
    bool sign = text.data[at] == '\xC2';
    if (first.length == 0) {
      first = letter;
    }
    if (letter.kind != first.kind || sign || (letter.kind != LETTER && letter.kind != LETTER_DIGIT)) {
      break;
    }
    at += letter.length;
  }
  return at;
}

struct slice standard_number(struct arena *arena, struct slice text) {
  static const char *const words[] = {"N", "NO", "NRO", "NUM", "NUMERO", NULL};
  struct slice folded = standard_fold(arena, text, false);
  char *out = folded.data == NULL ? NULL : arena_bytes(arena, folded.len * 2 + 1);
  size_t length = 0;
  if (out == NULL) {
    return slice_none();
  }
  for (size_t at = 0; at < folded.len;) {
    size_t from = at;
    size_t end = run_end(folded, at);
    if (end == at) {
      at += letter_at(folded, at).length;
      continue;
    }
    at = end;
    while (from + 1 < end && folded.data[from] == '0') {
      from++;
    }
    struct slice part = slice_make(folded.data + from, end - from);
    if (is_one_of(part, words)) {
      continue;
    }
    if (length > 0) {
      out[length++] = '-';
    }
    memcpy(out + length, part.data, part.len);
    length += part.len;
  }
  return slice_make(out, length);
}

struct slice standard_text(struct arena *arena, struct slice text) {
  struct slice folded = standard_fold(arena, text, false);
  char *out = folded.data == NULL ? NULL : arena_bytes(arena, folded.len + 1);
  size_t length = 0;
  bool parted = false;
  if (out == NULL) {
    return slice_none();
  }
  for (size_t at = 0; at < folded.len;) {
    struct letter letter = letter_at(folded, at);
    bool ordinal = folded.data[at] == '\xC2' && letter.kind == LETTER; /* Nº */
    if (!ordinal && (letter.kind == LETTER || letter.kind == LETTER_DIGIT)) {
      if (parted && length > 0) {
        out[length++] = ' ';
      }
      memcpy(out + length, folded.data + at, letter.length);
      length += letter.length;
    }
    parted = ordinal || letter.kind == LETTER_SIGN || letter.kind == LETTER_UNKNOWN
             || (parted && letter.kind == LETTER_JOINT);
    at += letter.length;
  }
  return slice_make(out, length);
}

struct slice standard_code(struct arena *arena, struct slice text) {
  struct slice folded = standard_fold(arena, text, false);
  return folded.data == NULL ? folded : text_squeeze(arena, folded);
}
