/* What the report `linkage` shows of made-up records, attacked by subtraction. */
#include "core/service/report_linkage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { K = 11, RECORDS_MOST = 400, ROUNDS = 6, FIELD_VALUES = 3 };

static uint64_t state;

static uint32_t draw(uint32_t below) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 32) % below;
}

/* Persons of one to four records; a few are of rare values, or rare in what linking did with them. */
static size_t make_told(struct linkage_told *told) {
  size_t count = 0, most = 100 + draw(RECORDS_MOST - 100);
  for (int64_t person = 1; count < most; person++) {
    uint32_t atoms[LINKAGE_FIELDS], size = 1 + draw(4);
    for (size_t f = 0; f < LINKAGE_FIELDS; f++) {
      atoms[f] = draw(25) == 0 ? 2 : draw(3) == 0;
    }
    bool across = size > 1 && draw(30) > 0;
    for (uint32_t i = 0; i < size && count < most; i++) {
      uint32_t flags =
          across | (uint32_t)(size > 1) << 1 | (uint32_t)(draw(12) == 0) << 2 | (uint32_t)(draw(40) == 0) << 3;
      told[count] = (struct linkage_told){.person = person};
      memcpy(told[count].atoms, atoms, sizeof atoms);
      told[count++].atoms[LINKAGE_FIELDS] = flags;
    }
  }
  return count;
}

struct group_counts {
  int64_t records[LINKAGE_PARTS], persons[LINKAGE_PARTS], last[LINKAGE_PARTS];
};

/* Of a field's atom; field LINKAGE_FIELDS: of all. Records of a person stand together. */
static struct group_counts count(const struct linkage_told *told, size_t size, size_t field, uint32_t atom) {
  struct group_counts counts = {.last = {0}};
  for (size_t i = 0; i < size; i++) {
    for (size_t part = 0; part < LINKAGE_PARTS; part++) {
      bool in = part == 0 || (told[i].atoms[LINKAGE_FIELDS] >> (part - 1) & 1) != 0;
      if (in && (field == LINKAGE_FIELDS || told[i].atoms[field] == atom)) {
        counts.records[part]++;
        counts.persons[part] += counts.last[part] != told[i].person;
        counts.last[part] = told[i].person;
      }
    }
  }
  return counts;
}

static bool is_small(int64_t count) {
  return count > 0 && count < K;
}

/* Neither a count, nor one less another that is part of it. */
static size_t check_group(const struct group_counts *counts, const bool hidden[LINKAGE_PARTS]) {
  size_t shown = 0;
  for (size_t part = 0; part < LINKAGE_PARTS; part++) {
    if (hidden[part]) {
      continue;
    }
    shown++;
    assert_false(is_small(counts->records[part]) || is_small(counts->persons[part]));
    assert_true(hidden[LINKAGE_RECORDS] || !is_small(counts->records[LINKAGE_RECORDS] - counts->records[part]));
  }
  bool both = !hidden[LINKAGE_LINKED] && !hidden[LINKAGE_ACROSS];
  assert_false(both && is_small(counts->records[LINKAGE_LINKED] - counts->records[LINKAGE_ACROSS]));
  return shown;
}

/* A field's values make up all records: one that is hidden alone follows from the others. */
static void check_sums(const struct linkage_hidden *hidden, const struct group_counts *groups, size_t field) {
  for (size_t part = 0; part < LINKAGE_PARTS; part++) {
    size_t gaps = 0;
    for (uint32_t atom = 0; atom < FIELD_VALUES; atom++) {
      gaps += hidden->hidden[field][atom][part] && groups[atom].records[part] > 0;
    }
    assert_true(gaps != 1 || hidden->hidden[LINKAGE_FIELDS][0][part]);
  }
}

static void what_is_shown_gives_no_small_group_away(void **unused) {
  static struct linkage_told told[RECORDS_MOST];
  static struct linkage_hidden hidden;
  struct config config = {.disclosure = {.k = K}};
  const struct workspace workspace = {.config = &config};
  struct error error = {0};
  size_t shown = 0, all = 0;
  (void)unused;
  state = 20240517;
  for (int round = 0; round < ROUNDS; round++) {
    size_t size = make_told(told);
    memset(&hidden, 0, sizeof hidden);
    assert_int_equal(linkage_guard(&workspace, told, size, &hidden, &error), OK);
    for (size_t field = 0; field <= LINKAGE_FIELDS; field++) {
      struct group_counts groups[FIELD_VALUES];
      for (uint32_t atom = 0; atom < (field < LINKAGE_FIELDS ? FIELD_VALUES : 1); atom++) {
        groups[atom] = count(told, size, field, atom);
        shown += check_group(&groups[atom], hidden.hidden[field][atom]);
        all += LINKAGE_PARTS;
      }
      if (field < LINKAGE_FIELDS) {
        check_sums(&hidden, groups, field);
      }
    }
  }
  print_message("rounds=%d counts=%zu shown=%zu\n", ROUNDS, all, shown);
  assert_true(shown > all / 6);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_shown_gives_no_small_group_away)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
