#include "core/link/compare.h"

#include <stdlib.h>

enum { NEAR_YEARS = 2, AGE_MOST = 999, WEEK_DAYS = 7, MONTH_DAYS = 31, QUARTER_DAYS = 92 };

struct compare_cache *compare_cache_new(const struct prepared *prepared) {
  struct compare_cache *cache = malloc(sizeof *cache);
  if (cache == NULL) {
    return NULL;
  }
  memset(cache, 0xFF, sizeof *cache);
  cache->prepared = prepared;
  cache->count = prepared->plan->comparison_count;
  cache->instead = false;
  for (size_t i = 0; i < cache->count; i++) {
    const struct comparison *comparison = &prepared->plan->comparisons[i];
    struct compared *compared = &cache->compared[i];
    compared->values = prepared->values[i];
    compared->kind = (uint8_t)comparison->kind;
    compared->one_code = comparison->kind == COMPARE_CODE && !prepared->values[i]->several;
    memcpy(compared->to_level, comparison->to_level, sizeof compared->to_level);
    cache->instead = cache->instead || comparison->instead_of != 0;
  }
  return cache;
}

void compare_cache_free(struct compare_cache *cache) {
  free(cache);
}

/* ---- texts ---- */

static struct slice slice_looked(const struct looked *looked) {
  return slice_make(looked->text, looked->length);
}

double looked_jaro_winkler(const struct looked *x, const struct looked *y) {
  struct slice left = slice_looked(x);
  struct slice right = slice_looked(y);
  return slice_compare(left, right) < 0 ? similar_jaro_winkler(left, right) : similar_jaro_winkler(right, left);
}

bool looked_within(const struct looked *x, const struct looked *y, int edits) {
  return similar_damerau_levenshtein(slice_looked(x), slice_looked(y), edits) <= edits;
}

static struct looked look_at(const struct comparison_values *values, uint32_t text) {
  const struct text_look *look = &values->looks[text];
  unsigned length = look->length < SIMILAR_LENGTH_MOST ? look->length : SIMILAR_LENGTH_MOST;
  return (struct looked){
      .text = values->texts.bytes.data + values->texts.starts[text], .signature = look->signature, .length = length};
}

/* Texts that are longer than what is looked at may still differ in length. */
static bool within(const struct comparison_values *values, uint32_t a, uint32_t b, unsigned edits) {
  const struct text_look *x = &values->looks[a];
  const struct text_look *y = &values->looks[b];
  uint32_t difference = x->length < y->length ? y->length - x->length : x->length - y->length;
  if (difference > edits || bits_of(x->signature ^ y->signature) > 2 * edits) {
    return false;
  }
  struct looked left = look_at(values, a);
  struct looked right = look_at(values, b);
  return looked_within(&left, &right, (int)edits);
}

static bool alike(const struct comparison_values *values, unsigned level, uint32_t a, uint32_t b) {
  struct looked x = look_at(values, a);
  struct looked y = look_at(values, b);
  return alike_may_be(values->bounds[level], &x, &y) && alike_can_be(values->bounds[level], &x, &y)
         && looked_jaro_winkler(&x, &y) >= values->comparison->thresholds[level];
}

/* The words of a text by hash, ascending, each once. */
enum { WORDS_MOST = 32 };
static size_t words_of(struct slice text, uint32_t words[WORDS_MOST]) {
  size_t count = 0;
  for (size_t from = 0; from < text.len && count < WORDS_MOST;) {
    const char *space = memchr(text.data + from, ' ', text.len - from);
    size_t end = space == NULL ? text.len : (size_t)(space - text.data);
    uint32_t word = (uint32_t)(value_hash(slice_make(text.data + from, end - from)) >> 32);
    size_t at = count;
    while (at > 0 && words[at - 1] > word) {
      at--;
    }
    if (at == 0 || words[at - 1] != word) {
      memmove(words + at + 1, words + at, (count - at) * sizeof *words);
      words[at] = word;
      count++;
    }
    from = end + 1;
  }
  return count;
}

static double jaccard(const struct comparison_values *values, uint32_t a, uint32_t b) {
  uint32_t left[WORDS_MOST];
  uint32_t right[WORDS_MOST];
  if ((values->word_sets[a] & values->word_sets[b]) == 0) {
    return 0;
  }
  size_t left_count = words_of(texts_get(&values->texts, a), left);
  size_t right_count = words_of(texts_get(&values->texts, b), right);
  return similar_jaccard(left, left_count, right, right_count);
}

static bool text_reaches(const struct comparison_values *values, unsigned level, uint32_t a, uint32_t b) {
  double threshold = values->comparison->thresholds[level];
  switch (values->comparison->measures[level]) {
  case TEXT_JARO_WINKLER:
    return alike(values, level, a, b);
  case TEXT_DAMERAU_LEVENSHTEIN:
    return within(values, a, b, (unsigned)threshold);
  case TEXT_JACCARD:
    return jaccard(values, a, b) >= threshold;
  default:
    return false;
  }
}

/* The file's level itself. */
static unsigned text_level(const struct comparison_values *values, uint32_t a, uint32_t b) {
  unsigned last = values->comparison->level_count - 1;
  for (unsigned level = 1; level < last; level++) {
    if (text_reaches(values, level, a, b)) {
      return level;
    }
  }
  return last;
}

/* ---- documents ---- */

/* One edit between two texts of one length of at most eight bytes: one byte, or two neighbours that were turned. */
static bool one_edit(uint64_t a, uint64_t b) {
  uint64_t differing = a ^ b;
  unsigned shift = (unsigned)__builtin_ctzll(differing) & ~7U;
  uint64_t rest = differing >> shift;
  if (rest < 0x100) {
    return true;
  }
  uint64_t x = a >> shift & 0xFFFF;
  uint64_t y = b >> shift & 0xFFFF;
  return rest < 0x10000 && x == (y >> 8 | (y << 8 & 0xFF00));
}

static unsigned tell_document(const struct comparison_values *values, uint32_t a, uint32_t b) {
  const struct document_value *x = &values->documents[a];
  const struct document_value *y = &values->documents[b];
  bool other_type = x->type != y->type && x->type != LINK_MISSING && y->type != LINK_MISSING;
  if (x->number == y->number) {
    return other_type ? DOCUMENT_SLIP : DOCUMENT_SAME;
  }
  if (other_type) {
    return TELL_MISSING;
  }
  bool slip = x->length == y->length && x->length <= sizeof x->head ? one_edit(x->head, y->head)
                                                                    : within(values, x->number, y->number, 1);
  return slip ? DOCUMENT_SLIP : DOCUMENT_CONFLICT;
}

/* ---- dates, ages, codes ---- */

static unsigned year_of(uint32_t date) {
  return (date >> 28) * 1000 + (date >> 24 & 15) * 100 + (date >> 20 & 15) * 10 + (date >> 16 & 15);
}

/* One digit, or two neighbouring digits that were turned. */
static bool digit_slip(uint32_t a, uint32_t b) {
  uint32_t differing = a ^ b;
  unsigned shift = (unsigned)__builtin_ctz(differing) & ~3U;
  uint32_t rest = differing >> shift;
  if (rest < 0x10) {
    return true;
  }
  uint32_t x = a >> shift & 0xFF;
  uint32_t y = b >> shift & 0xFF;
  return rest < 0x100 && x == (y >> 4 | (y << 4 & 0xF0));
}

static unsigned tell_date(uint32_t a, uint32_t b) {
  bool days = (a & 0xFF) != 0 && (b & 0xFF) != 0;
  bool months = (a & 0xFF00) != 0 && (b & 0xFF00) != 0;
  bool same_year = a >> 16 == b >> 16;
  bool turned = same_year && (a >> 8 & 0xFF) == (b & 0xFF) && (a & 0xFF) == (b >> 8 & 0xFF);
  if (days && (turned || digit_slip(a, b))) {
    return DATE_SLIP;
  }
  if (same_year) {
    return months && a >> 8 == b >> 8 ? DATE_MONTH_AND_YEAR : DATE_YEAR_ONLY;
  }
  int difference = (int)year_of(a) - (int)year_of(b);
  return abs(difference) <= NEAR_YEARS ? DATE_NEAR : DATE_ELSE;
}

/* Equal dates tell as much as they are precise. */
static unsigned tell_same_date(uint32_t date) {
  return (date & 0xFF) != 0 ? DATE_FULL : (date & 0xFF00) != 0 ? DATE_MONTH_AND_YEAR : DATE_YEAR_ONLY;
}

static unsigned tell_age(uint32_t a, uint32_t b) {
  uint32_t difference = a < b ? b - a : a - b;
  if ((a > AGE_MOST) != (b > AGE_MOST)) {
    return TELL_MISSING; /* years of age and a year of birth */
  }
  return difference == 1 ? AGE_NEAR : difference == 2 ? AGE_NEAR2 : AGE_ELSE;
}

static int64_t days_of(uint32_t date) {
  unsigned month = (date >> 12 & 15) * 10 + (date >> 8 & 15);
  unsigned day = (date >> 4 & 15) * 10 + (date & 15);
  return date_to_days((struct date){
      .year = (int16_t)year_of(date), .month = (uint8_t)month, .day = (uint8_t)day, .precision = DATE_DAY});
}

static unsigned tell_days(uint32_t a, uint32_t b) {
  int64_t between = days_of(a) - days_of(b);
  between = between < 0 ? -between : between;
  return between <= WEEK_DAYS      ? DAYS_WEEK
         : between <= MONTH_DAYS   ? DAYS_MONTH
         : between <= QUARTER_DAYS ? DAYS_QUARTER
                                   : DAYS_ELSE;
}

static unsigned tell_place(const struct comparison_values *values, uint32_t a, uint32_t b) {
  struct slice x = texts_get(&values->texts, a);
  struct slice y = texts_get(&values->texts, b);
  size_t shared = 0;
  while (shared < x.len && shared < y.len && x.data[shared] == y.data[shared]) {
    shared++;
  }
  if (shared == x.len || shared == y.len) {
    return PLACE_WITHIN;
  }
  return shared >= PLACE_REGION ? PLACE_NEAR : PLACE_ELSE;
}

static unsigned tell_code(const struct comparison_values *values, uint32_t a, uint32_t b) {
  for (uint32_t i = values->atom_starts[a]; i < values->atom_starts[a + 1]; i++) {
    for (uint32_t j = values->atom_starts[b]; j < values->atom_starts[b + 1]; j++) {
      if (values->atom_numbers[i] == values->atom_numbers[j]) {
        return CODE_SAME;
      }
    }
  }
  return CODE_ELSE;
}

/* ---- rows ---- */

static unsigned tell_same(const struct compared *compared, uint32_t value) {
  const struct comparison_values *values = compared->values;
  switch (compared->kind) {
  case COMPARE_SURNAMES:
    return tell_same_surnames(values, value);
  case COMPARE_DATE:
    return tell_same_date(values->scalars[value]);
  default:
    return TELL_SAME;
  }
}

static unsigned tell(struct compare_cache *cache, const struct compared *compared, const uint32_t *a,
                     const uint32_t *b) {
  const struct comparison_values *values = compared->values;
  uint32_t x = a[values->row];
  uint32_t y = b[values->row];
  switch (compared->kind) {
  case COMPARE_DOCUMENT:
    return tell_document(values, x, y);
  case COMPARE_GIVEN:
    return tell_given(cache, values, a, b);
  case COMPARE_SURNAMES:
    return tell_surnames(cache, values, x, y);
  case COMPARE_NAME:
    return tell_name(cache, values, x, y);
  case COMPARE_DATE:
    return tell_date(values->scalars[x], values->scalars[y]);
  case COMPARE_AGE:
    return tell_age(values->scalars[x], values->scalars[y]);
  case COMPARE_NUMBER:
    return compared->to_level[NUMBER_SLIP] != compared->to_level[NUMBER_ELSE] && within(values, x, y, 1) ? NUMBER_SLIP
                                                                                                         : NUMBER_ELSE;
  case COMPARE_DAYS:
    return tell_days(values->scalars[x], values->scalars[y]);
  case COMPARE_PLACE:
    return tell_place(values, x, y);
  default:
    return tell_code(values, x, y);
  }
}

/* No evidence twice: what counts only instead of others is missing where one of these is there. */
static void take_back(const struct link_plan *plan, uint8_t *levels) {
  uint32_t there = 0;
  for (size_t i = 0; i < plan->comparison_count; i++) {
    there |= levels[i] != TELL_MISSING ? 1U << i : 0;
  }
  for (size_t i = 0; i < plan->comparison_count; i++) {
    if ((plan->comparisons[i].instead_of & there) != 0) {
      levels[i] = TELL_MISSING;
    }
  }
}

static inline uint8_t level_of(struct compare_cache *cache, size_t i, const uint32_t *a, const uint32_t *b) {
  const struct compared *compared = &cache->compared[i];
  if (compared->one_code) {
    /* Half of such pairs differ: no branch to guess. */
    unsigned there = (a[i] != LINK_MISSING) & (b[i] != LINK_MISSING);
    return compared->to_level[there * (CODE_SAME + (a[i] != b[i]))];
  }
  if (a[i] == LINK_MISSING || b[i] == LINK_MISSING) {
    return TELL_MISSING;
  }
  if (compared->kind == COMPARE_TEXT) {
    return a[i] == b[i] ? TEXT_EXACT : (uint8_t)text_level(compared->values, a[i], b[i]);
  }
  return compared->to_level[a[i] == b[i] ? tell_same(compared, a[i]) : tell(cache, compared, a, b)];
}

void compare_call(const struct prepared *prepared, const uint32_t *row, uint32_t comparisons) {
  for (size_t i = 0; i < prepared->plan->comparison_count; i++) {
    if ((comparisons >> i & 1) == 0) {
      continue;
    }
    const struct comparison_values *values = prepared->values[i];
    switch (row[i] == LINK_MISSING ? COMPARE_CODE : values->comparison->kind) {
    case COMPARE_DOCUMENT:
      __builtin_prefetch(&values->documents[row[i]]);
      break;
    case COMPARE_GIVEN:
    case COMPARE_NAME:
      __builtin_prefetch(&values->names->values[row[i]]);
      break;
    case COMPARE_SURNAMES:
      __builtin_prefetch(&values->pairs.pairs[row[i]]);
      break;
    case COMPARE_DATE:
    case COMPARE_DAYS:
    case COMPARE_AGE:
      __builtin_prefetch(&values->scalars[row[i]]);
      break;
    case COMPARE_TEXT:
    case COMPARE_NUMBER:
      __builtin_prefetch(&values->looks[row[i]]);
      break;
    default:
      break;
    }
  }
}

uint8_t compare_level(struct compare_cache *cache, size_t comparison, const uint32_t *a, const uint32_t *b) {
  return level_of(cache, comparison, a, b);
}

void compare_settle(const struct compare_cache *cache, uint8_t *levels) {
  if (cache->instead) {
    take_back(cache->prepared->plan, levels);
  }
}

void compare_rows(const struct prepared *prepared, struct compare_cache *cache, const uint32_t *a, const uint32_t *b,
                  uint8_t *levels) {
  (void)prepared;
  for (size_t i = 0; i < cache->count; i++) {
    levels[i] = level_of(cache, i, a, b);
  }
  compare_settle(cache, levels);
}
