/* Similarities against values that their sources published, and the fast ways against plain ones. */
#include "core/link/similar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

enum { LENGTH_MOST = 70, ROUNDS = 40000 };

static uint64_t random_state = UINT64_C(0x9E3779B97F4A7C15);

static uint32_t draw(uint32_t bound) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)(random_state >> 33) % bound;
}

/* Porter and Winkler, "Approximate String Comparison and its Effect on an Advanced Record Linkage System" (U.S. Bureau
 * of the Census, Research Report 97/02, 1997), table 2, rounded to three places; DIXON and DWAYNE: Winkler, "Overview
 * of Record Linkage and Current Research Directions" (2006). The prefix counts at any Jaro score here, so that pairs
 * below 0.7 are left out. */
static void test_published_jaro(void **state) {
  static const struct {
    const char *a, *b;
    double jaro, winkler;
  } pairs[] = {
      {"SHACKLEFORD", "SHACKELFORD", 0.970, 0.982},
      {"DUNNINGHAM", "CUNNIGHAM", 0.896, 0.896},
      {"NICHLESON", "NICHULSON", 0.926, 0.956},
      {"JONES", "JOHNSON", 0.790, 0.832},
      {"MASSEY", "MASSIE", 0.889, 0.933},
      {"ABROMS", "ABRAMS", 0.889, 0.922},
      {"JERALDINE", "GERALDINE", 0.926, 0.926},
      {"MARHTA", "MARTHA", 0.944, 0.961},
      {"MICHELLE", "MICHAEL", 0.869, 0.921},
      {"JULIES", "JULIUS", 0.889, 0.933},
      {"TANYA", "TONYA", 0.867, 0.880},
      {"DWAYNE", "DUANE", 0.822, 0.840},
      {"SEAN", "SUSAN", 0.783, 0.805},
      {"JON", "JOHN", 0.917, 0.933},
      {"DIXON", "DICKSONX", 0.767, 0.813},
      {"SAME", "SAME", 1.0, 1.0},
      {"ABC", "XYZ", 0.0, 0.0},
      {"", "ABC", 0.0, 0.0},
      {"", "", 1.0, 1.0},
  };
  (void)state;
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
    struct slice a = slice_of(pairs[i].a);
    struct slice b = slice_of(pairs[i].b);
    assert_float_equal(similar_jaro(a, b), pairs[i].jaro, 0.0006);
    assert_float_equal(similar_jaro(b, a), pairs[i].jaro, 0.0006);
    assert_float_equal(similar_jaro_winkler(a, b), pairs[i].winkler, 0.0006);
  }
}

/* KITTEN and SATURDAY: Wagner and Fischer's distance as every textbook has it. CA and ABC: 3 where an edited part is
 * not edited again (Boytsov, "Indexing methods for approximate dictionary searching", 2011), 2 in the unrestricted one.
 * The rest are the four single errors of Damerau, CACM 7 (1964). */
static void test_published_distances(void **state) {
  static const struct {
    const char *a, *b;
    int distance;
  } pairs[] = {
      {"KITTEN", "SITTING", 3}, {"SATURDAY", "SUNDAY", 3}, {"CA", "ABC", 3},        {"MARTHA", "MARHTA", 1},
      {"QUISPE", "QUISP", 1},   {"QUISPE", "QUISSPE", 1},  {"QUISPE", "QUIZPE", 1}, {"QUISPE", "UQISPE", 1},
      {"", "ABC", 3},           {"SAME", "SAME", 0},       {"ABCDEF", "BADCFE", 3},
  };
  (void)state;
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
    struct slice a = slice_of(pairs[i].a);
    struct slice b = slice_of(pairs[i].b);
    for (int most = 0; most <= 8; most++) {
      int expected = pairs[i].distance > most ? most + 1 : pairs[i].distance;
      assert_int_equal(similar_damerau_levenshtein(a, b, most), expected);
      assert_int_equal(similar_damerau_levenshtein(b, a, most), expected);
    }
  }
}

static int least(int a, int b) {
  return a < b ? a : b;
}

/* Optimal string alignment by the whole matrix. */
static int plain_distance(struct slice a, struct slice b) {
  static int cells[SIMILAR_LENGTH_MOST + 1][SIMILAR_LENGTH_MOST + 1];
  a.len = a.len > SIMILAR_LENGTH_MOST ? SIMILAR_LENGTH_MOST : a.len;
  b.len = b.len > SIMILAR_LENGTH_MOST ? SIMILAR_LENGTH_MOST : b.len;
  for (size_t i = 0; i <= a.len; i++) {
    for (size_t j = 0; j <= b.len; j++) {
      if (i == 0 || j == 0) {
        cells[i][j] = (int)(i + j);
        continue;
      }
      int best = least(cells[i - 1][j], cells[i][j - 1]) + 1;
      best = least(best, cells[i - 1][j - 1] + (a.data[i - 1] != b.data[j - 1]));
      if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1]) {
        best = least(best, cells[i - 2][j - 2] + 1);
      }
      cells[i][j] = best;
    }
  }
  return cells[a.len][b.len];
}

static size_t draw_text(char *text, size_t length_most, uint32_t letters) {
  size_t length = draw((uint32_t)length_most + 1);
  for (size_t i = 0; i < length; i++) {
    text[i] = (char)("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 \xC3\x91-"[draw(letters)]);
  }
  return length;
}

/* `text` with a few edits; a pair drawn alone is seldom close. */
static size_t mutate(const char *text, size_t length, char *out) {
  memcpy(out, text, length);
  for (uint32_t edits = draw(4); edits > 0 && length > 2; edits--) {
    size_t at = draw((uint32_t)length - 1);
    switch (draw(4)) {
    case 0:
      out[at] = (char)('A' + draw(26));
      break;
    case 1:
      memmove(out + at, out + at + 1, length - at - 1);
      length--;
      break;
    case 2:
      memmove(out + at + 1, out + at, length - at);
      out[at] = (char)('A' + draw(26));
      length++;
      break;
    default: {
      char swapped = out[at];
      out[at] = out[at + 1];
      out[at + 1] = swapped;
    }
    }
  }
  return length;
}

static void test_bit_parallel_is_plain(void **state) {
  char a[LENGTH_MOST + 8], b[LENGTH_MOST + 8];
  size_t close = 0;
  (void)state;
  for (int i = 0; i < ROUNDS; i++) {
    size_t length_most = i % 3 == 0 ? LENGTH_MOST : 10;
    uint32_t letters = i % 5 == 0 ? 40 : 3 + draw(6);
    size_t a_length = draw_text(a, length_most, letters);
    size_t b_length = i % 2 == 0 ? mutate(a, a_length, b) : draw_text(b, length_most, letters);
    struct slice left = slice_make(a, a_length);
    struct slice right = slice_make(b, b_length);
    int expected = plain_distance(left, right);
    int most = (int)draw(8);
    uint64_t signature_a = similar_signature(left);
    uint64_t signature_b = similar_signature(right);
    assert_int_equal(similar_damerau_levenshtein(left, right, SIMILAR_LENGTH_MOST), expected);
    assert_int_equal(similar_damerau_levenshtein(left, right, most), expected > most ? most + 1 : expected);
    assert_true(similar_may_be_within(signature_a, signature_b, expected));
    close += expected <= 3;
  }
  assert_true(close > ROUNDS / 4);
}

/* What the signature is for: of pairs drawn at random it lets few pass. */
static void test_signature_refuses(void **state) {
  char a[LENGTH_MOST], b[LENGTH_MOST];
  size_t passed = 0;
  (void)state;
  for (int i = 0; i < ROUNDS; i++) {
    size_t a_length = 6 + draw_text(a, 4, 26);
    size_t b_length = 6 + draw_text(b, 4, 26);
    for (size_t k = 0; k < 6; k++) {
      a[a_length - 1 - k] = (char)('A' + draw(26));
      b[b_length - 1 - k] = (char)('A' + draw(26));
    }
    passed += similar_may_be_within(similar_signature(slice_make(a, a_length)),
                                    similar_signature(slice_make(b, b_length)), 2);
  }
  assert_true(passed < ROUNDS / 100);
}

/* Jaro by Jaro's own words: letters in common are those within half the longer length, assigned once. */
static double plain_jaro(struct slice a, struct slice b) {
  bool taken_a[LENGTH_MOST + 8] = {false}, taken_b[LENGTH_MOST + 8] = {false};
  int longer = (int)(a.len > b.len ? a.len : b.len);
  int range = longer / 2 - 1 > 0 ? longer / 2 - 1 : 0;
  int common = 0;
  int transposed = 0;
  for (int i = 0; i < (int)a.len; i++) {
    for (int j = 0; j < (int)b.len; j++) {
      if (abs(i - j) <= range && !taken_b[j] && a.data[i] == b.data[j]) {
        taken_a[i] = taken_b[j] = true;
        common++;
        break;
      }
    }
  }
  for (size_t i = 0, j = 0; i < a.len; i++) {
    if (taken_a[i]) {
      for (; !taken_b[j]; j++) {
      }
      transposed += a.data[i] != b.data[j++];
    }
  }
  if (common == 0) {
    return a.len == 0 && b.len == 0 ? 1.0 : 0.0;
  }
  int half = transposed / 2;
  return ((double)common / (double)a.len + (double)common / (double)b.len + (double)(common - half) / common) / 3.0;
}

static void test_jaro_is_plain(void **state) {
  char a[LENGTH_MOST], b[LENGTH_MOST + 8];
  (void)state;
  for (int i = 0; i < ROUNDS; i++) {
    size_t a_length = draw_text(a, i % 4 == 0 ? 60 : 10, 3 + draw(20));
    size_t b_length = i % 2 == 0 ? mutate(a, a_length, b) : draw_text(b, 12, 3 + draw(20));
    struct slice left = slice_make(a, a_length);
    struct slice right = slice_make(b, b_length);
    double jaro = similar_jaro(left, right);
    assert_float_equal(jaro, plain_jaro(left, right), 1e-12);
    assert_true(similar_jaro_winkler(left, right) >= jaro && similar_jaro_winkler(left, right) <= 1.0);
  }
}

/* Longer texts are cut, whatever they are. */
static void test_long(void **state) {
  char text[10000];
  (void)state;
  memset(text, 'A', sizeof text);
  struct slice all = slice_make(text, sizeof text);
  assert_float_equal(similar_jaro_winkler(all, slice_make(text, SIMILAR_LENGTH_MOST)), 1.0, 0.0);
  assert_int_equal(similar_damerau_levenshtein(all, slice_make(text, SIMILAR_LENGTH_MOST - 1), 3), 1);
  assert_true(similar_signature(all) == similar_signature(slice_of("AA")));
}

/* Jaccard, New Phytologist 11 (1912): shared of all. */
static void test_jaccard(void **state) {
  static const uint32_t a[] = {1, 3, 5, 7};
  static const uint32_t b[] = {3, 4, 5};
  (void)state;
  assert_float_equal(similar_jaccard(a, 4, b, 3), 0.4, 1e-12);
  assert_float_equal(similar_jaccard(a, 4, a, 4), 1.0, 0.0);
  assert_float_equal(similar_jaccard(a, 1, b, 3), 0.0, 0.0);
  assert_float_equal(similar_jaccard(a, 0, b, 0), 0.0, 0.0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_published_jaro),
      cmocka_unit_test(test_published_distances),
      cmocka_unit_test(test_bit_parallel_is_plain),
      cmocka_unit_test(test_signature_refuses),
      cmocka_unit_test(test_jaro_is_plain),
      cmocka_unit_test(test_long),
      cmocka_unit_test(test_jaccard),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
