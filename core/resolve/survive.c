#include "core/resolve/survive.h"

#include "core/base/text.h"

enum { NOBODY = UINT32_MAX };

struct contest {
  const struct survivorship *rules;
  const struct staged_rows *rows;
  const int *precedence;
  const struct succession *succession;
  const uint32_t *members;
  size_t count;
};

static uint32_t value_of(const struct contest *c, int column, uint32_t member) {
  return c->rows->columns[column][member];
}

/* Whether the member has a value that no newer version of its source replaces. */
static bool counts(const struct contest *c, int column, uint32_t member) {
  uint32_t source = c->rows->source[member];
  if (value_of(c, column, member) == LINK_MISSING || !c->succession->shared[source]) {
    return value_of(c, column, member) != LINK_MISSING;
  }
  for (size_t i = 0; i < c->count; i++) {
    uint32_t other = c->members[i];
    if (value_of(c, column, other) != LINK_MISSING
        && succession_replaces(c->succession, c->rows->source[other], source)) {
      return false;
    }
  }
  return true;
}

static size_t count_equal(const struct contest *c, int column, uint32_t value) {
  size_t equal = 0;
  for (size_t i = 0; i < c->count; i++) {
    equal += value_of(c, column, c->members[i]) == value && counts(c, column, c->members[i]);
  }
  return equal;
}

/* Positive where `a` is the better by what the rule looks at first. */
static int compare_by_rule(const struct contest *c, enum survival rule, int column, uint32_t a, uint32_t b) {
  size_t x = 0;
  size_t y = 0;
  switch (rule) {
  case SURVIVAL_FREQUENT:
    x = count_equal(c, column, value_of(c, column, a));
    y = count_equal(c, column, value_of(c, column, b));
    break;
  case SURVIVAL_COMPLETE:
    x = staged_text(c->rows, column, a).len;
    y = staged_text(c->rows, column, b).len;
    break;
  case SURVIVAL_RECENT:
    return (c->rows->settled[a] > c->rows->settled[b]) - (c->rows->settled[a] < c->rows->settled[b]);
  default:
    break;
  }
  return (x > y) - (x < y);
}

static bool better(const struct contest *c, enum survival rule, int column, uint32_t a, uint32_t b) {
  int order = compare_by_rule(c, rule, column, a, b);
  if (order != 0) {
    return order > 0;
  }
  int own = c->precedence[c->rows->source[a]];
  int other = c->precedence[c->rows->source[b]];
  if (own != other) {
    return own < other;
  }
  if (c->rows->settled[a] != c->rows->settled[b]) {
    return c->rows->settled[a] > c->rows->settled[b];
  }
  return c->rows->row_id[a] < c->rows->row_id[b];
}

/* The member whose value of the field survives, or NOBODY. */
static uint32_t winner(const struct contest *c, size_t field) {
  int column = c->rules->entity->fields[field].column;
  uint32_t best = NOBODY;
  for (size_t i = 0; i < c->count; i++) {
    uint32_t member = c->members[i];
    if (counts(c, column, member) && (best == NOBODY || better(c, c->rules->rules[field], column, member, best))) {
      best = member;
    }
  }
  return best;
}

/* The same, but the record that won the leading field is asked first. */
static uint32_t winner_together(const struct contest *c, size_t field) {
  int lead = c->rules->lead[field];
  uint32_t leader = lead < 0 ? NOBODY : winner(c, (size_t)lead);
  bool has = leader != NOBODY && value_of(c, c->rules->entity->fields[field].column, leader) != LINK_MISSING;
  return has ? leader : winner(c, field);
}

static void set_cell(const struct contest *c, int column, uint32_t member, struct cell *cell) {
  const struct column *declared = &c->rules->entity->columns[column];
  struct slice text = staged_text(c->rows, column, member);
  bool integer = !declared->own && (declared->field->type == FIELD_INTEGER || declared->field->type == FIELD_BOOLEAN);
  int64_t number;
  if (text.len == 0) {
    return;
  }
  if (integer && text_to_int64(text, &number)) {
    *cell = (struct cell){.kind = CELL_INTEGER, .integer = number};
  } else {
    *cell = (struct cell){.kind = CELL_TEXT, .len = (uint32_t)text.len, .text = text.data};
  }
}

enum status survive(const struct survivorship *rules, const struct staged_rows *rows, const int *precedence,
                    const struct succession *succession, const uint32_t *members, size_t count, struct arena *arena,
                    struct consolidated *out, struct error *error) {
  const struct entity *entity = rules->entity;
  struct contest contest = {.rules = rules,
                            .rows = rows,
                            .precedence = precedence,
                            .succession = succession,
                            .members = members,
                            .count = count};
  struct cell *cells = arena_array(arena, entity->column_count, sizeof *cells);
  struct origin *origins = arena_array(arena, entity->field_count, sizeof *origins);
  if (cells == NULL || origins == NULL) {
    return error_memory(error);
  }
  size_t found = 0;
  for (size_t i = 0; i < entity->field_count; i++) {
    const struct field *field = &entity->fields[i];
    uint32_t best = field->local ? NOBODY : winner_together(&contest, i);
    if (best == NOBODY) {
      continue;
    }
    set_cell(&contest, field->column, best, &cells[field->column]);
    if (field->type == FIELD_CODE) {
      set_cell(&contest, field->column + 1, best, &cells[field->column + 1]);
    }
    origins[found++] =
        (struct origin){.column = field->column, .row_id = rows->row_id[best], .rule = survival_names[rules->rules[i]]};
  }
  out->records = (int64_t)count;
  out->cells = cells;
  out->origins = origins;
  out->origin_count = found;
  return OK;
}
