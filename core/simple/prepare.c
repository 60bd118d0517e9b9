#include "core/simple/prepare.h"

#include <stdlib.h>

enum { DOCUMENT_LENGTH_LEAST = 5 };

static struct slice value_of(const struct link_column *column, uint32_t value) {
  return map_key(column->dictionary, value);
}

static enum status prepare_names(struct prepared *p, unsigned column, struct error *error) {
  const struct link_column *from = p->columns[column];
  uint32_t count = map_count(from->dictionary);
  if (p->names[column] != NULL) {
    return OK;
  }
  p->names[column] = calloc(count + 1U, sizeof *p->names[column]);
  if (p->names[column] == NULL) {
    return error_memory(error);
  }
  enum status status = OK;
  for (uint32_t i = 0; status == OK && i < count; i++) {
    status = simple_standard_name(&p->standard, value_of(from, i), &p->names[column][i], error);
    arena_reset(p->standard.arena);
  }
  return status;
}

static bool is_listed(struct slice text, const char *const *list, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (slice_is(text, list[i])) {
      return true;
    }
  }
  return false;
}

/* A value of a code, number or document as text; empty where it says nothing. */
static struct slice text_of(struct prepared *p, const struct comparison *comparison, bool is_number,
                            struct slice value) {
  if (comparison->kind == COMPARE_NUMBER) {
    return simple_standard_number(&p->standard, value);
  }
  if (comparison->kind != COMPARE_DOCUMENT || !is_number) {
    return slice_trim(value);
  }
  struct slice number = simple_standard_document(&p->standard, value);
  bool nobody =
      number.len < DOCUMENT_LENGTH_LEAST || is_listed(number, comparison->placeholders, comparison->placeholder_count);
  return nobody && number.data != NULL ? slice_make(number.data, 0) : number;
}

static enum status prepare_texts(struct prepared *p, const struct comparison *comparison, unsigned position,
                                 struct error *error) {
  unsigned column = comparison->columns[position];
  const struct link_column *from = p->columns[column];
  uint32_t count = map_count(from->dictionary);
  if (p->texts[column] != NULL) {
    return OK;
  }
  p->texts[column] = malloc((count + 1U) * sizeof *p->texts[column]);
  if (p->texts[column] == NULL) {
    return error_memory(error);
  }
  bool is_number = position + 1 == comparison->column_count;
  for (uint32_t i = 0; i < count; i++) {
    struct slice text = text_of(p, comparison, is_number, value_of(from, i));
    uint32_t number = text.len == 0 ? LINK_MISSING : map_intern(p->standard.texts, text);
    if (text.data == NULL || (text.len > 0 && number == MAP_NONE)) {
      return error_memory(error);
    }
    p->texts[column][i] = number;
    arena_reset(p->standard.arena);
  }
  return OK;
}

/* A day that stands for an unknown one leaves the year only. */
static void reduce_spike(const struct comparison *comparison, struct date *date) {
  char text[DATE_TEXT_SIZE];
  if (date->precision == DATE_DAY) {
    size_t length = date_format(*date, text);
    if (is_listed(slice_make(text + 5, length - 5), comparison->spikes, comparison->spike_count)) {
      *date = (struct date){.year = date->year, .precision = DATE_YEAR};
    }
  }
}

static enum status prepare_dates(struct prepared *p, const struct comparison *comparison, struct error *error) {
  unsigned column = comparison->columns[0];
  const struct link_column *from = p->columns[column];
  uint32_t count = map_count(from->dictionary);
  if (p->dates[column] != NULL) {
    return OK;
  }
  p->dates[column] = calloc(count + 1U, sizeof *p->dates[column]);
  if (p->dates[column] == NULL) {
    return error_memory(error);
  }
  for (uint32_t i = 0; i < count; i++) {
    if (date_parse_iso(slice_trim(value_of(from, i)), &p->dates[column][i])) {
      reduce_spike(comparison, &p->dates[column][i]);
    }
  }
  return OK;
}

const struct name *simple_prepared_name(const struct prepared *p, unsigned column, uint32_t record) {
  uint32_t value = p->columns[column]->values[record];
  const struct name *name = value == LINK_MISSING ? NULL : &p->names[column][value];
  return name == NULL || name->count == 0 ? NULL : name;
}

uint32_t simple_prepared_text(const struct prepared *p, unsigned column, uint32_t record) {
  uint32_t value = p->columns[column]->values[record];
  return value == LINK_MISSING ? LINK_MISSING : p->texts[column][value];
}

struct date simple_prepared_date(const struct prepared *p, unsigned column, uint32_t record) {
  uint32_t value = p->columns[column]->values[record];
  struct date none = {.precision = DATE_NONE};
  return value == LINK_MISSING ? none : p->dates[column][value];
}

static void add_tokens(struct name *all, const struct name *more) {
  for (uint32_t i = 0; more != NULL && i < more->count && all->count < NAME_TOKENS_MOST; i++) {
    all->tokens[all->count++] = more->tokens[i];
  }
}

/* The tokens of all the columns of a comparison; of a whole name the last column only where the others are missing. */
static struct name joined_name(const struct prepared *p, const struct comparison *comparison, uint32_t record) {
  struct name all = {0};
  unsigned count = comparison->column_count;
  unsigned last = comparison->kind == COMPARE_WHOLE && count > 1 ? count - 1 : count;
  for (unsigned i = 0; i < last; i++) {
    add_tokens(&all, simple_prepared_name(p, comparison->columns[i], record));
  }
  if (all.count == 0 && last < count) {
    add_tokens(&all, simple_prepared_name(p, comparison->columns[last], record));
  }
  return all;
}

static enum status whole_value(struct prepared *p, const struct comparison *comparison, uint32_t record,
                               uint32_t *value, struct error *error) {
  char text[DATE_TEXT_SIZE];
  struct name name;
  struct date date;
  switch (comparison->kind) {
  case COMPARE_GIVEN:
  case COMPARE_SURNAMES:
  case COMPARE_WHOLE:
    name = joined_name(p, comparison, record);
    return simple_standard_sorted(&p->standard, &name, value, error);
  case COMPARE_DATE:
    date = simple_prepared_date(p, comparison->columns[0], record);
    *value = LINK_MISSING;
    if (date.precision == DATE_DAY) {
      *value = map_intern(p->standard.texts, slice_make(text, date_format(date, text)));
      return *value == MAP_NONE ? error_memory(error) : OK;
    }
    return OK;
  default:
    *value = simple_prepared_text(p, comparison->columns[comparison->column_count - 1], record);
    return OK;
  }
}

static enum status prepare_columns(struct prepared *p, const struct comparison *comparison, struct error *error) {
  enum status status = OK;
  for (unsigned i = 0; status == OK && i < comparison->column_count; i++) {
    switch (comparison->kind) {
    case COMPARE_GIVEN:
    case COMPARE_SURNAMES:
    case COMPARE_WHOLE:
      status = prepare_names(p, comparison->columns[i], error);
      break;
    case COMPARE_DATE:
      status = prepare_dates(p, comparison, error);
      break;
    default:
      status = prepare_texts(p, comparison, i, error);
    }
  }
  return status;
}

static enum status prepare_comparison(struct prepared *p, size_t position, struct error *error) {
  const struct comparison *comparison = &p->plan->comparisons[position];
  enum status status = prepare_columns(p, comparison, error);
  if (status != OK) {
    return status;
  }
  p->values[position] = malloc((p->records->count + 1) * sizeof *p->values[position]);
  if (p->values[position] == NULL) {
    return error_memory(error);
  }
  for (uint32_t i = 0; status == OK && i < p->records->count; i++) {
    status = whole_value(p, comparison, i, &p->values[position][i], error);
  }
  return status;
}

static enum status find_columns(struct prepared *p, struct error *error) {
  for (size_t i = 0; i < p->plan->column_count; i++) {
    for (size_t j = 0; j < p->records->column_count; j++) {
      if (strcmp(p->plan->columns[i], p->records->columns[j].name) == 0) {
        p->columns[i] = &p->records->columns[j];
      }
    }
    if (p->columns[i] == NULL) {
      return error_set(error, ERR_CONFIG, _("the records have no column '%s'"), p->plan->columns[i]);
    }
  }
  return OK;
}

enum status simple_prepared_init(struct prepared *p, const struct link_plan *plan, const struct link_records *records,
                                 struct error *error) {
  *p = (struct prepared){.plan = plan, .records = records};
  enum status status = simple_standard_init(&p->standard, error);
  status = status == OK ? find_columns(p, error) : status;
  for (size_t i = 0; status == OK && i < plan->comparison_count; i++) {
    status = prepare_comparison(p, i, error);
  }
  return status;
}

void simple_prepared_free(struct prepared *p) {
  for (size_t i = 0; i < COLUMNS_MOST; i++) {
    free(p->names[i]);
    free(p->texts[i]);
    free(p->dates[i]);
  }
  for (size_t i = 0; i < COMPARISONS_MOST; i++) {
    free(p->values[i]);
  }
  simple_standard_free(&p->standard);
}

size_t simple_prepared_keys(const struct prepared *p, const struct block_key *key, uint32_t record, uint32_t *keys,
                            size_t most) {
  const struct comparison *comparison = &p->plan->comparisons[key->comparison];
  size_t count = 0;
  if (key->part == PART_WHOLE) {
    keys[0] = p->values[key->comparison][record];
    return keys[0] != LINK_MISSING;
  }
  if (comparison->kind == COMPARE_DATE) {
    struct date date = simple_prepared_date(p, comparison->columns[0], record);
    keys[0] = (uint32_t)date.year;
    return date.precision != DATE_NONE;
  }
  for (unsigned i = 0; i < comparison->column_count; i++) {
    const struct name *name = simple_prepared_name(p, comparison->columns[i], record);
    uint32_t tokens = name == NULL ? 0 : comparison->kind == COMPARE_GIVEN ? 1 : name->count;
    for (uint32_t j = 0; j < tokens && count < most; j++) {
      keys[count++] = name->tokens[j];
    }
  }
  return count;
}
