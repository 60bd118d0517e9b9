#include "core/link/prepare.h"

#include "core/base/log.h"
#include "core/link/crew.h"
#include "core/link/prepare_numbers.h"

#include <endian.h>
#include <stdatomic.h>
#include <stdlib.h>

struct preparing {
  struct prepared *prepared;
  const struct link_column *columns[PLAN_COLUMNS_MOST]; /* by the plan's columns */
  uint32_t *names[PLAN_COLUMNS_MOST];                   /* by dictionary value: its name; NULL: not asked for yet */
};

/* ---- numbers of dictionary values ---- */

/* By dictionary value: its number, or LINK_MISSING; freed by the caller. */
static enum status number_column(struct comparison_values *values, const struct link_column *column,
                                 number_value *number_one, uint32_t **numbers, struct error *error) {
  uint32_t count = map_count(column->dictionary);
  enum status status = OK;
  *numbers = malloc((count + (size_t)1) * sizeof **numbers);
  if (*numbers == NULL) {
    return error_memory(error);
  }
  for (uint32_t i = 0; status == OK && i < count; i++) {
    (*numbers)[i] = LINK_MISSING;
    status = number_one(values, map_key(column->dictionary, i), &(*numbers)[i], error);
    arena_reset(values->scratch);
  }
  if (status != OK) {
    free(*numbers);
    *numbers = NULL;
  }
  return status;
}

static uint32_t number_at(const struct link_column *column, const uint32_t *numbers, size_t record) {
  uint32_t value = column->values[record];
  return value == LINK_MISSING ? LINK_MISSING : numbers[value];
}

static enum status column_names(struct preparing *preparing, unsigned column, struct error *error) {
  const struct prepared *p = preparing->prepared;
  const struct link_column *named = preparing->columns[column];
  uint32_t count = map_count(named->dictionary);
  size_t overlong = 0;
  enum status status = OK;
  if (preparing->names[column] != NULL) {
    return OK;
  }
  uint32_t *numbers = malloc((count + (size_t)1) * sizeof *numbers);
  preparing->names[column] = numbers;
  if (numbers == NULL) {
    return error_memory(error);
  }
  for (uint32_t i = 0; status == OK && i < count; i++) {
    struct name name;
    status = standard_name(p->standard, map_key(named->dictionary, i), &name, error);
    status = status == OK ? names_add(p->names, name.tokens, name.count, &numbers[i], error) : status;
    overlong += status == OK && name.overlong;
    arena_reset(p->standard->arena);
  }
  if (status == OK && overlong > 0) {
    log_message(LEVEL_WARNING, _("column %s: %zu values are too long for a name and are taken as missing"), named->name,
                overlong);
  }
  return status;
}

static uint32_t name_at(const struct preparing *preparing, unsigned column, size_t record) {
  return number_at(preparing->columns[column], preparing->names[column], record);
}

/* ---- rows ---- */

static void set_row(struct prepared *p, const struct comparison_values *values, size_t record, uint32_t number) {
  p->rows[record * p->width + values->row] = number;
}

/* Of several columns the first that has a value. */
static enum status fill_simple(struct preparing *preparing, struct comparison_values *values, number_value *number_one,
                               struct error *error) {
  struct prepared *p = preparing->prepared;
  enum status status = OK;
  for (unsigned c = 0; status == OK && c < values->comparison->column_count; c++) {
    const struct link_column *column = preparing->columns[values->comparison->columns[c]];
    uint32_t *numbers;
    status = number_column(values, column, number_one, &numbers, error);
    for (size_t i = 0; status == OK && i < p->records->count; i++) {
      if (c == 0 || p->rows[i * p->width + values->row] == LINK_MISSING) {
        set_row(p, values, i, number_at(column, numbers, i));
      }
    }
    free(numbers); /* NULL after an error */
  }
  return status;
}

static enum status add_document(struct comparison_values *values, struct number_pair pair, uint32_t *value,
                                struct error *error) {
  uint32_t known = values->pairs.numbering.count;
  uint64_t type = pair.second == LINK_MISSING ? 0 : values->types.numbering.hashes[pair.second];
  uint64_t hash = value_mix(values->texts.numbering.hashes[pair.first], type);
  enum status status =
      array_reserve(&values->documents, &values->document_room, known, sizeof *values->documents, error);
  status = status == OK ? number_pairs_add(&values->pairs, pair, hash, value, error) : status;
  if (status == OK && *value == known) {
    struct slice number = texts_get(&values->texts, pair.first);
    uint64_t head = 0;
    memcpy(&head, number.data, number.len < sizeof head ? number.len : sizeof head);
    values->documents[known] = (struct document_value){
        .head = le64toh(head), .number = pair.first, .type = pair.second, .length = (uint32_t)number.len};
  }
  return status;
}

static enum status fill_documents(struct preparing *preparing, struct comparison_values *values, struct error *error) {
  struct prepared *p = preparing->prepared;
  const struct comparison *comparison = values->comparison;
  const struct link_column *number_of = preparing->columns[comparison->columns[comparison->column_count - 1]];
  const struct link_column *type_of = comparison->column_count > 1 ? preparing->columns[comparison->columns[0]] : NULL;
  uint32_t *numbers = NULL;
  uint32_t *types = NULL;
  enum status status = number_column(values, number_of, number_document, &numbers, error);
  if (status == OK && type_of != NULL) {
    status = number_column(values, type_of, number_type, &types, error);
  }
  for (size_t i = 0; status == OK && i < p->records->count; i++) {
    struct number_pair pair = {.first = number_at(number_of, numbers, i), .second = LINK_MISSING};
    uint32_t value = LINK_MISSING;
    if (type_of != NULL) {
      pair.second = number_at(type_of, types, i);
    }
    if (pair.first != LINK_MISSING) {
      status = add_document(values, pair, &value, error);
    }
    set_row(p, values, i, value);
  }
  free(numbers);
  free(types);
  return status;
}

/* Two surnames that were written into the field of the paternal one. */
static enum status part_surnames(struct prepared *p, struct number_pair *pair, struct error *error) {
  if (pair->first == LINK_MISSING || pair->second != LINK_MISSING || p->names->values[pair->first].count != 2) {
    return OK;
  }
  const uint32_t *both = names_tokens(p->names, &p->names->values[pair->first]);
  uint32_t paternal = both[0];
  uint32_t maternal = both[1];
  enum status status = names_add(p->names, &paternal, 1, &pair->first, error);
  return status == OK ? names_add(p->names, &maternal, 1, &pair->second, error) : status;
}

static uint64_t name_hash(const struct prepared *p, uint32_t name) {
  return name == LINK_MISSING ? 0 : p->names->numbering.hashes[name];
}

static enum status fill_surnames(struct preparing *preparing, struct comparison_values *values, struct error *error) {
  struct prepared *p = preparing->prepared;
  const unsigned *columns = values->comparison->columns;
  enum status status = column_names(preparing, columns[0], error);
  status = status == OK ? column_names(preparing, columns[1], error) : status;
  for (size_t i = 0; status == OK && i < p->records->count; i++) {
    struct number_pair pair = {.first = name_at(preparing, columns[0], i), .second = name_at(preparing, columns[1], i)};
    uint32_t value = LINK_MISSING;
    status = part_surnames(p, &pair, error);
    if (status == OK && (pair.first != LINK_MISSING || pair.second != LINK_MISSING)) {
      uint64_t hash = value_mix(name_hash(p, pair.first), name_hash(p, pair.second));
      status = number_pairs_add(&values->pairs, pair, hash, &value, error);
    }
    set_row(p, values, i, value);
  }
  return status;
}

static enum status fill_given(struct preparing *preparing, struct comparison_values *values, struct error *error) {
  struct prepared *p = preparing->prepared;
  const struct comparison *comparison = values->comparison;
  enum status status = column_names(preparing, comparison->columns[0], error);
  if (status == OK && values->hidden != 0) {
    status = column_names(preparing, comparison->columns[1], error);
  }
  for (size_t i = 0; status == OK && i < p->records->count; i++) {
    set_row(p, values, i, name_at(preparing, comparison->columns[0], i));
    if (values->hidden != 0) {
      p->rows[i * p->width + values->hidden] = name_at(preparing, comparison->columns[1], i);
    }
  }
  return status;
}

/* The tokens of all columns; of one of whole names only where the others have none. */
static size_t whole_name(const struct preparing *preparing, const struct comparison *comparison, size_t record,
                         uint32_t tokens[NAMES_TOKENS_MOST]) {
  const struct names *names = preparing->prepared->names;
  size_t count = 0;
  for (unsigned i = 0; i < comparison->column_count; i++) {
    bool instead = comparison->whole && i + 1 == comparison->column_count;
    uint32_t number = instead && count > 0 ? LINK_MISSING : name_at(preparing, comparison->columns[i], record);
    const struct name_value *name = number == LINK_MISSING ? NULL : &names->values[number];
    for (size_t j = 0; name != NULL && j < name->count && count < NAMES_TOKENS_MOST; j++) {
      tokens[count++] = names_tokens(names, name)[j];
    }
  }
  return count;
}

static enum status fill_names(struct preparing *preparing, struct comparison_values *values, struct error *error) {
  struct prepared *p = preparing->prepared;
  const struct comparison *comparison = values->comparison;
  enum status status = OK;
  for (unsigned i = 0; status == OK && i < comparison->column_count; i++) {
    status = column_names(preparing, comparison->columns[i], error);
  }
  for (size_t i = 0; status == OK && i < p->records->count; i++) {
    uint32_t tokens[NAMES_TOKENS_MOST];
    uint32_t value;
    size_t count = whole_name(preparing, comparison, i, tokens);
    status = names_add_set(p->names, tokens, count, &value, error);
    if (status == OK) {
      set_row(p, values, i, value);
    }
  }
  return status;
}

static enum status fill(struct preparing *preparing, struct comparison_values *values, struct error *error) {
  switch (values->comparison->kind) {
  case COMPARE_DOCUMENT:
    return fill_documents(preparing, values, error);
  case COMPARE_GIVEN:
    return fill_given(preparing, values, error);
  case COMPARE_SURNAMES:
    return fill_surnames(preparing, values, error);
  case COMPARE_NAME:
    return fill_names(preparing, values, error);
  case COMPARE_DATE:
  case COMPARE_DAYS:
    return fill_simple(preparing, values, number_date, error);
  case COMPARE_AGE:
    return fill_simple(preparing, values, number_age, error);
  case COMPARE_TEXT:
    return fill_simple(preparing, values, number_text, error);
  case COMPARE_NUMBER:
    return fill_simple(preparing, values, number_filing, error);
  case COMPARE_PLACE:
    return fill_simple(preparing, values, number_place, error);
  default:
    return fill_simple(preparing, values, number_code, error);
  }
}

/* ---- by threads ---- */

/* Comparisons are filled side by side; those of names, which number the same tokens, by one thread after each other. */
struct filling {
  struct preparing *preparing;
  atomic_size_t next;
  atomic_bool names_taken;
  enum status status[LINK_COMPARISONS_MOST];
  struct error errors[LINK_COMPARISONS_MOST];
};

static bool is_of_names(const struct comparison *comparison) {
  return comparison->kind == COMPARE_SURNAMES || comparison->kind == COMPARE_GIVEN || comparison->kind == COMPARE_NAME;
}

static void fill_one(struct filling *filling, size_t i) {
  struct comparison_values *values = filling->preparing->prepared->values[i];
  struct error *error = &filling->errors[i];
  values->scratch = arena_new(0);
  filling->status[i] = values->scratch == NULL ? error_memory(error) : fill(filling->preparing, values, error);
  arena_free(values->scratch);
  values->scratch = NULL;
}

static void fill_some(void *context, unsigned thread) {
  struct filling *filling = context;
  const struct link_plan *plan = filling->preparing->prepared->plan;
  (void)thread;
  if (!atomic_exchange(&filling->names_taken, true)) {
    enum status status = OK;
    for (size_t i = 0; status == OK && i < plan->comparison_count; i++) {
      if (is_of_names(&plan->comparisons[i])) {
        fill_one(filling, i);
        status = filling->status[i];
      }
    }
  }
  for (size_t i; (i = atomic_fetch_add(&filling->next, 1)) < plan->comparison_count;) {
    if (!is_of_names(&plan->comparisons[i])) {
      fill_one(filling, i);
    }
  }
}

static enum status fill_all(struct preparing *preparing, unsigned threads, struct error *error) {
  struct filling *filling = calloc(1, sizeof *filling);
  if (filling == NULL) {
    return error_memory(error);
  }
  filling->preparing = preparing;
  crew_run(threads, fill_some, filling);
  enum status status = OK;
  for (size_t i = 0; status == OK && i < preparing->prepared->plan->comparison_count; i++) {
    status = filling->status[i];
    if (status != OK) {
      *error = filling->errors[i];
    }
  }
  free(filling);
  return status;
}

/* ---- all ---- */

static enum status find_columns(struct preparing *preparing, struct error *error) {
  const struct link_plan *plan = preparing->prepared->plan;
  const struct link_records *records = preparing->prepared->records;
  for (size_t i = 0; i < plan->column_count; i++) {
    for (size_t j = 0; j < records->column_count; j++) {
      if (strcmp(plan->columns[i], records->columns[j].name) == 0) {
        preparing->columns[i] = &records->columns[j];
      }
    }
    if (preparing->columns[i] == NULL) {
      return error_set(error, ERR_CONFIG, _("the records have no column '%s'"), plan->columns[i]);
    }
  }
  return OK;
}

/* The shared letters that two texts with a common prefix of `prefix` must have, as m in
 * (m/|a| + m/|b| + 1)/3 + prefix/10 * (1 - that) >= least; see alike_may_be. */
static void set_bounds(double bounds[5], double least) {
  for (int prefix = 0; prefix < 5; prefix++) {
    bounds[prefix] = 3 * (least - 0.1 * prefix) / (1 - 0.1 * prefix) - 1;
  }
}

static enum status make_values(struct prepared *p, size_t position, struct error *error) {
  const struct comparison *comparison = &p->plan->comparisons[position];
  struct comparison_values *values = calloc(1, sizeof *values);
  p->values[position] = values;
  if (values == NULL) {
    return error_memory(error);
  }
  values->comparison = comparison;
  values->names = p->names;
  values->row = position;
  values->hidden = comparison->kind == COMPARE_GIVEN && comparison->column_count > 1 ? p->width++ : 0;
  texts_init(&values->texts);
  texts_init(&values->types);
  texts_init(&values->atoms);
  set_bounds(values->bounds[0], comparison->fuzzy);
  for (unsigned i = 1; comparison->kind == COMPARE_TEXT && i < comparison->level_count; i++) {
    set_bounds(values->bounds[i], comparison->thresholds[i]);
  }
  return OK;
}

static enum status make_all(struct preparing *preparing, unsigned threads, struct error *error) {
  struct prepared *p = preparing->prepared;
  p->width = p->plan->comparison_count;
  p->standard = calloc(1, sizeof *p->standard);
  p->names = calloc(1, sizeof *p->names);
  enum status status = p->standard == NULL || p->names == NULL ? error_memory(error) : OK;
  status = status == OK ? standard_init(p->standard, error) : status;
  status = status == OK ? names_init(p->names, p->standard, error) : status;
  status = status == OK ? find_columns(preparing, error) : status;
  for (size_t i = 0; status == OK && i < p->plan->comparison_count; i++) {
    status = make_values(p, i, error);
  }
  if (status == OK) {
    p->rows = reallocarray(NULL, p->records->count + 1, (p->width + 1) * sizeof *p->rows);
    status = p->rows == NULL ? error_memory(error) : OK;
  }
  status = status == OK ? fill_all(preparing, threads, error) : status;
  status = status == OK ? names_finish(p->names, error) : status;
  status = status == OK ? standing_make(p, error) : status;
  return status == OK ? prepare_rank(p, error) : status;
}

enum status prepared_init(struct prepared *prepared, const struct link_plan *plan, const struct link_records *records,
                          unsigned threads, struct error *error) {
  struct preparing preparing = {.prepared = prepared};
  *prepared = (struct prepared){.plan = plan, .records = records};
  enum status status = make_all(&preparing, threads, error);
  for (size_t i = 0; i < PLAN_COLUMNS_MOST; i++) {
    free(preparing.names[i]);
  }
  if (status != OK) {
    prepared_free(prepared);
  }
  return status;
}

static void values_free(struct comparison_values *values) {
  if (values == NULL) {
    return;
  }
  texts_free(&values->texts);
  texts_free(&values->types);
  texts_free(&values->atoms);
  number_pairs_free(&values->pairs);
  numbering_free(&values->numbering);
  free(values->scalars);
  free(values->looks);
  free(values->documents);
  free(values->word_sets);
  free(values->atom_starts);
  free(values->atom_numbers);
  free(values);
}

void prepared_free(struct prepared *prepared) {
  for (size_t i = 0; i < LINK_COMPARISONS_MOST; i++) {
    values_free(prepared->values[i]);
  }
  if (prepared->names != NULL) {
    names_free(prepared->names);
  }
  if (prepared->standard != NULL) {
    standard_free(prepared->standard);
  }
  standing_free(prepared->standing);
  free(prepared->names);
  free(prepared->standard);
  free(prepared->rows);
  free(prepared->rank);
  *prepared = (struct prepared){0};
}
