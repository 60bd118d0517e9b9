#include "core/simple/prepare.h"

#include <stdlib.h>

/* Levels by the positions that plan.c names them in. */
enum { MISSING, SAME };
enum given_level { GIVEN_SUBSET = 2, GIVEN_CLOSE, GIVEN_FIRST, GIVEN_CONFLICT };
enum surname_level { SURNAMES_SWAPPED = 2, SURNAMES_PART, SURNAMES_CLOSE, SURNAMES_ONE, SURNAMES_CONFLICT };
enum date_level { DATE_SWAPPED = 2, DATE_SLIP, DATE_COMPATIBLE, DATE_SAME_YEAR, DATE_NEAR, DATE_CONFLICT };
enum document_level { DOCUMENT_NEAR = 2, DOCUMENT_CONFLICT };
enum { TEXT_CONFLICT = 2, NEAR_YEARS = 2 };

static bool tokens_agree(const struct standard *standard, uint32_t a, uint32_t b, bool exact) {
  return exact ? a == b : simple_standard_close(standard, a, b);
}

/* Whether each token of the shorter name has a token of its own in the longer one. */
static bool is_within(const struct standard *standard, const struct name *a, const struct name *b, bool exact) {
  const struct name *shorter = a->count <= b->count ? a : b;
  const struct name *longer = shorter == a ? b : a;
  unsigned used = 0;
  for (uint32_t i = 0; i < shorter->count; i++) {
    bool found = false;
    for (uint32_t j = 0; j < longer->count && !found; j++) {
      found = (used & 1U << j) == 0 && tokens_agree(standard, shorter->tokens[i], longer->tokens[j], exact);
      used |= found ? 1U << j : 0;
    }
    if (!found) {
      return false;
    }
  }
  return true;
}

static int compare_given(const struct prepared *p, const struct comparison *comparison, uint32_t a, uint32_t b) {
  const struct name *x = simple_prepared_name(p, comparison->columns[0], a);
  const struct name *y = simple_prepared_name(p, comparison->columns[0], b);
  if (x == NULL || y == NULL) {
    return MISSING;
  }
  if (is_within(&p->standard, x, y, true)) {
    return x->count == y->count ? SAME : GIVEN_SUBSET;
  }
  if (is_within(&p->standard, x, y, false)) {
    return GIVEN_CLOSE;
  }
  return simple_standard_close(&p->standard, x->tokens[0], y->tokens[0]) ? GIVEN_FIRST : GIVEN_CONFLICT;
}

/* Paternal and maternal surname of two records; NULL where one is missing. */
struct surnames {
  const struct name *paternal[2], *maternal[2];
};

static bool agree(const struct standard *standard, const struct name *a, const struct name *b, bool exact) {
  return a != NULL && b != NULL && (!exact || a->count == b->count) && is_within(standard, a, b, exact);
}

/* Both pairs agree, where a surname missing on both sides agrees too. */
static bool both_agree(const struct standard *standard, const struct name *a1, const struct name *b1,
                       const struct name *a2, const struct name *b2, bool exact) {
  return agree(standard, a1, b1, exact) && ((a2 == NULL && b2 == NULL) || agree(standard, a2, b2, exact));
}

static bool any_agrees(const struct standard *standard, const struct surnames *s, bool exact) {
  return agree(standard, s->paternal[0], s->paternal[1], exact)
         || agree(standard, s->paternal[0], s->maternal[1], exact)
         || agree(standard, s->maternal[0], s->paternal[1], exact)
         || agree(standard, s->maternal[0], s->maternal[1], exact);
}

static bool has_both(const struct surnames *s, int side) {
  return s->paternal[side] != NULL && s->maternal[side] != NULL;
}

static int compare_surnames(const struct prepared *p, const struct comparison *comparison, uint32_t a, uint32_t b) {
  const struct standard *standard = &p->standard;
  struct surnames s = {
      .paternal = {simple_prepared_name(p, comparison->columns[0], a),
                   simple_prepared_name(p, comparison->columns[0], b)},
      .maternal = {simple_prepared_name(p, comparison->columns[1], a),
                   simple_prepared_name(p, comparison->columns[1], b)},
  };
  for (int side = 0; side < 2; side++) {
    if (s.paternal[side] == NULL && s.maternal[side] == NULL) {
      return MISSING;
    }
  }
  bool straight[2];
  bool crossed[2];
  for (int exact = 0; exact < 2; exact++) {
    straight[exact] = both_agree(standard, s.paternal[0], s.paternal[1], s.maternal[0], s.maternal[1], exact == 1);
    crossed[exact] = both_agree(standard, s.paternal[0], s.maternal[1], s.maternal[0], s.paternal[1], exact == 1);
  }
  if (straight[1]) {
    return SAME;
  }
  if (crossed[1]) {
    return SURNAMES_SWAPPED;
  }
  bool partial = !has_both(&s, 0) || !has_both(&s, 1);
  if (partial && any_agrees(standard, &s, true)) {
    return SURNAMES_PART;
  }
  bool some = any_agrees(standard, &s, false);
  if (straight[0] || crossed[0] || (partial && some)) {
    return SURNAMES_CLOSE;
  }
  return some ? SURNAMES_ONE : SURNAMES_CONFLICT;
}

static bool compatible(struct date a, struct date b) {
  if (a.year != b.year) {
    return false;
  }
  return a.precision == DATE_YEAR || b.precision == DATE_YEAR || a.month == b.month;
}

static int compare_days(struct date a, struct date b) {
  char x[DATE_TEXT_SIZE];
  char y[DATE_TEXT_SIZE];
  if (a.year == b.year && a.month == b.day && a.day == b.month) {
    return DATE_SWAPPED;
  }
  struct slice left = slice_make(x, date_format(a, x));
  struct slice right = slice_make(y, date_format(b, y));
  return simple_standard_distance(left, right, 1) <= 1 ? DATE_SLIP : MISSING;
}

static int compare_dates(const struct prepared *p, const struct comparison *comparison, uint32_t a, uint32_t b) {
  struct date x = simple_prepared_date(p, comparison->columns[0], a);
  struct date y = simple_prepared_date(p, comparison->columns[0], b);
  if (x.precision == DATE_NONE || y.precision == DATE_NONE) {
    return MISSING;
  }
  if (x.precision == DATE_DAY && y.precision == DATE_DAY) {
    if (x.year == y.year && x.month == y.month && x.day == y.day) {
      return SAME;
    }
    int level = compare_days(x, y);
    if (level != MISSING) {
      return level;
    }
  } else if (compatible(x, y)) {
    return DATE_COMPATIBLE;
  }
  if (x.year == y.year) {
    return DATE_SAME_YEAR;
  }
  return abs(x.year - y.year) <= NEAR_YEARS ? DATE_NEAR : DATE_CONFLICT;
}

static int compare_documents(const struct prepared *p, const struct comparison *comparison, uint32_t a, uint32_t b) {
  unsigned number = comparison->columns[comparison->column_count - 1];
  uint32_t x = simple_prepared_text(p, number, a);
  uint32_t y = simple_prepared_text(p, number, b);
  if (x == LINK_MISSING || y == LINK_MISSING) {
    return MISSING;
  }
  if (comparison->column_count > 1) {
    uint32_t type_x = simple_prepared_text(p, comparison->columns[0], a);
    uint32_t type_y = simple_prepared_text(p, comparison->columns[0], b);
    if (type_x != type_y && type_x != LINK_MISSING && type_y != LINK_MISSING) {
      return DOCUMENT_CONFLICT;
    }
  }
  if (x == y) {
    return SAME;
  }
  struct slice left = map_key(p->standard.texts, x);
  struct slice right = map_key(p->standard.texts, y);
  return simple_standard_distance(left, right, 1) <= 1 ? DOCUMENT_NEAR : DOCUMENT_CONFLICT;
}

int simple_compare_records(const struct prepared *p, const struct comparison *comparison, uint32_t a, uint32_t b) {
  switch (comparison->kind) {
  case COMPARE_DOCUMENT:
    return compare_documents(p, comparison, a, b);
  case COMPARE_GIVEN:
    return compare_given(p, comparison, a, b);
  case COMPARE_SURNAMES:
    return compare_surnames(p, comparison, a, b);
  case COMPARE_DATE:
    return compare_dates(p, comparison, a, b);
  default:
    break;
  }
  size_t position = (size_t)(comparison - p->plan->comparisons);
  uint32_t x = p->values[position][a];
  uint32_t y = p->values[position][b];
  if (x == LINK_MISSING || y == LINK_MISSING) {
    return MISSING;
  }
  return x == y ? SAME : TEXT_CONFLICT;
}

bool simple_compare_documents_agree(const struct prepared *p, uint32_t a, uint32_t b) {
  for (size_t i = 0; i < p->plan->comparison_count; i++) {
    if (p->plan->comparisons[i].kind == COMPARE_DOCUMENT) {
      return compare_documents(p, &p->plan->comparisons[i], a, b) == SAME;
    }
  }
  return false;
}

bool simple_compare_allows(const struct prepared *p, uint32_t a, uint32_t b) {
  const struct link_records *records = p->records;
  if (records->role != NULL && records->role[a] != records->role[b] && records->role[a] != 0 && records->role[b] != 0) {
    return false;
  }
  bool one_group =
      records->group != NULL && records->group[a] != LINK_MISSING && records->group[a] == records->group[b];
  return !one_group || simple_compare_documents_agree(p, a, b);
}

bool simple_compare_accepts(const struct prepared *p, const struct link_rule *rule, uint32_t a, uint32_t b) {
  bool excepted = rule->has_unless;
  for (size_t i = 0; i < p->plan->comparison_count; i++) {
    if (rule->accept[i] == 0 && (!excepted || rule->unless[i] == 0)) {
      continue;
    }
    unsigned level = 1U << simple_compare_records(p, &p->plan->comparisons[i], a, b);
    if (rule->accept[i] != 0 && (rule->accept[i] & level) == 0) {
      return false;
    }
    excepted = excepted && (rule->unless[i] == 0 || (rule->unless[i] & level) != 0);
  }
  return !excepted;
}
