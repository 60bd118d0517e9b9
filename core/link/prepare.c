#include "core/link/prepare.h"

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/link/values.h"

#include <endian.h>
#include <stdlib.h>

enum { DOCUMENT_LENGTH_LEAST = 5, YEAR_LEAST = 1000, AGE_MOST = 150, TEXT_MOST = 1 << 24 };

struct preparing {
  struct prepared *prepared;
  const struct link_column *columns[PLAN_COLUMNS_MOST]; /* by the plan's columns */
  uint32_t *names[PLAN_COLUMNS_MOST];                   /* by dictionary value: its name; NULL: not asked for yet */
};

/* ---- numbers of dictionary values ---- */

/* What becomes of one dictionary value: a number, or LINK_MISSING. */
typedef enum status number_value(struct prepared *prepared, struct comparison_values *values, struct slice text,
                                 uint32_t *number, struct error *error);

/* By dictionary value; freed by the caller. */
static enum status number_column(struct prepared *p, struct comparison_values *values, const struct link_column *column,
                                 number_value *number_one, uint32_t **numbers, struct error *error) {
  uint32_t count = map_count(column->dictionary);
  enum status status = OK;
  *numbers = malloc((count + (size_t)1) * sizeof **numbers);
  if (*numbers == NULL) {
    return error_memory(error);
  }
  for (uint32_t i = 0; status == OK && i < count; i++) {
    (*numbers)[i] = LINK_MISSING;
    status = number_one(p, values, map_key(column->dictionary, i), &(*numbers)[i], error);
    arena_reset(p->standard->arena);
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

static enum status number_name(struct prepared *p, struct comparison_values *values, struct slice text,
                               uint32_t *number, struct error *error) {
  struct name name;
  (void)values;
  enum status status = standard_name(p->standard, text, &name, error);
  p->overlong_names += name.overlong;
  return status == OK ? names_add(p->names, name.tokens, name.count, number, error) : status;
}

static enum status column_names(struct preparing *preparing, unsigned column, struct error *error) {
  if (preparing->names[column] != NULL) {
    return OK;
  }
  const struct link_column *named = preparing->columns[column];
  preparing->prepared->overlong_names = 0;
  enum status status = number_column(preparing->prepared, NULL, named, number_name, &preparing->names[column], error);
  if (status == OK && preparing->prepared->overlong_names > 0) {
    log_message(LEVEL_WARNING, _("column %s: %zu values are too long for a name and are taken as missing"), named->name,
                preparing->prepared->overlong_names);
  }
  return status;
}

static uint32_t name_at(const struct preparing *preparing, unsigned column, size_t record) {
  return number_at(preparing->columns[column], preparing->names[column], record);
}

static bool is_listed(struct slice text, const char *const *list, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (slice_is(text, list[i])) {
      return true;
    }
  }
  return false;
}

/* ---- documents, text, numbers of filings ---- */

/* Adds a text that is not empty, with its signature. */
static enum status add_text(struct comparison_values *values, struct slice text, uint32_t *number,
                            struct error *error) {
  uint32_t known = values->texts.numbering.count;
  if (text.data == NULL) {
    return error_memory(error);
  }
  if (text.len == 0) {
    return OK;
  }
  enum status status = array_reserve(&values->looks, &values->look_room, known, sizeof *values->looks, error);
  status = status == OK ? texts_add(&values->texts, text, number, error) : status;
  if (status == OK && *number == known) {
    values->looks[known].length = (uint32_t)text.len;
    text.len = text.len < SIMILAR_LENGTH_MOST ? text.len : SIMILAR_LENGTH_MOST;
    values->looks[known].signature = similar_signature(text);
  }
  return status;
}

static enum status number_document(struct prepared *p, struct comparison_values *values, struct slice text,
                                   uint32_t *number, struct error *error) {
  const struct comparison *comparison = values->comparison;
  struct slice document = standard_document(p->standard, text);
  if (document.data != NULL
      && (document.len < DOCUMENT_LENGTH_LEAST
          || is_listed(document, comparison->placeholders, comparison->placeholder_count))) {
    return OK;
  }
  return add_text(values, document, number, error);
}

static enum status number_type(struct prepared *p, struct comparison_values *values, struct slice text,
                               uint32_t *number, struct error *error) {
  struct slice type = standard_code(p->standard, text);
  if (type.data == NULL) {
    return error_memory(error);
  }
  return type.len == 0 ? OK : texts_add(&values->types, type, number, error);
}

/* The words of a text are a bit each, by their hashes. */
static uint64_t word_set(struct slice text) {
  uint64_t set = 0;
  for (size_t from = 0; from < text.len;) {
    const char *space = memchr(text.data + from, ' ', text.len - from);
    size_t end = space == NULL ? text.len : (size_t)(space - text.data);
    set |= UINT64_C(1) << (value_hash(slice_make(text.data + from, end - from)) & 63);
    from = end + 1;
  }
  return set;
}

static enum status number_text(struct prepared *p, struct comparison_values *values, struct slice text,
                               uint32_t *number, struct error *error) {
  uint32_t known = values->texts.numbering.count;
  struct slice standardised = standard_text(p->standard, text);
  enum status status = add_text(values, standardised, number, error);
  status =
      status == OK ? array_reserve(&values->word_sets, &values->word_room, known, sizeof(uint64_t), error) : status;
  if (status == OK && *number == known) {
    values->word_sets[known] = word_set(standardised);
  }
  return status;
}

static enum status number_filing(struct prepared *p, struct comparison_values *values, struct slice text,
                                 uint32_t *number, struct error *error) {
  return add_text(values, standard_number(p->standard, text), number, error);
}

/* ---- codes: one, or several joined by ';' ---- */

/* The codes of a value in byte order, each once; returns how many. */
static size_t split_codes(struct prepared *p, struct slice text, struct slice *codes) {
  size_t count = 0;
  for (size_t from = 0; from < text.len && count < CODES_MOST;) {
    const char *mark = memchr(text.data + from, ';', text.len - from);
    size_t end = mark == NULL ? text.len : (size_t)(mark - text.data);
    struct slice code = standard_code(p->standard, slice_make(text.data + from, end - from));
    size_t at = count;
    from = end + 1;
    while (code.len > 0 && at > 0 && slice_compare(codes[at - 1], code) > 0) {
      at--;
    }
    if (code.len > 0 && (at == 0 || !slice_equal(codes[at - 1], code))) {
      memmove(codes + at + 1, codes + at, (count - at) * sizeof *codes);
      codes[at] = code;
      count++;
    }
  }
  return count;
}

static enum status add_atoms(struct comparison_values *values, const struct slice *codes, size_t count,
                             struct error *error) {
  uint32_t value = values->texts.numbering.count - 1;
  enum status status = array_reserve(&values->atom_starts, &values->atom_start_room, value + (size_t)1,
                                     sizeof *values->atom_starts, error);
  if (status == OK) {
    status = array_reserve(&values->atom_numbers, &values->atom_room, values->atom_count + count,
                           sizeof *values->atom_numbers, error);
  }
  if (status != OK) {
    return status;
  }
  values->atom_starts[value] = (uint32_t)values->atom_count;
  for (size_t i = 0; status == OK && i < count; i++) {
    status = texts_add(&values->atoms, codes[i], &values->atom_numbers[values->atom_count++], error);
  }
  values->atom_starts[value + 1] = (uint32_t)values->atom_count;
  values->several = values->several || count > 1;
  return status;
}

static enum status number_code(struct prepared *p, struct comparison_values *values, struct slice text,
                               uint32_t *number, struct error *error) {
  struct slice codes[CODES_MOST];
  uint32_t known = values->texts.numbering.count;
  struct buffer joined;
  size_t count = split_codes(p, text, codes);
  if (count == 0) {
    return OK;
  }
  buffer_init(&joined, TEXT_MOST);
  for (size_t i = 0; count > 1 && i < count; i++) {
    buffer_slice(&joined, codes[i]);
    buffer_text(&joined, i + 1 < count ? ";" : "");
  }
  enum status status = buffer_check(&joined, "codes", error);
  if (status == OK) {
    status = texts_add(&values->texts, count == 1 ? codes[0] : buffer_view(&joined), number, error);
  }
  buffer_free(&joined);
  return status == OK && *number == known ? add_atoms(values, codes, count, error) : status;
}

/* Codes of places are read in pairs: 080000 is the larger place 08. */
static enum status number_place(struct prepared *p, struct comparison_values *values, struct slice text,
                                uint32_t *number, struct error *error) {
  struct slice place = standard_code(p->standard, text);
  enum status status = place.data == NULL ? error_memory(error) : OK;
  for (; place.len > PLACE_REGION && memcmp(place.data + place.len - 2, "00", 2) == 0; place.len -= 2) {
  }
  return status == OK && place.len > 0 ? texts_add(&values->texts, place, number, error) : status;
}

/* ---- dates and ages ---- */

static bool scalar_equal(const void *context, uint32_t number, const void *value) {
  const struct comparison_values *values = context;
  const uint32_t *scalar = value;
  return values->scalars[number] == *scalar;
}

static enum status add_scalar(struct comparison_values *values, uint32_t scalar, uint32_t *number,
                              struct error *error) {
  uint32_t known = values->numbering.count;
  enum status status = array_reserve(&values->scalars, &values->scalar_room, known, sizeof *values->scalars, error);
  if (status == OK) {
    status = numbering_add(&values->numbering, value_mix(1, scalar), scalar_equal, values, &scalar, number, error);
  }
  if (status == OK && *number == known) {
    values->scalars[known] = scalar;
  }
  return status;
}

/* A day that stands for an unknown one leaves the year only. */
static bool is_spike(const struct comparison *comparison, struct date date) {
  char text[DATE_TEXT_SIZE];
  if (date.precision != DATE_DAY) {
    return false;
  }
  size_t length = date_format(date, text);
  return is_listed(slice_make(text + 5, length - 5), comparison->spikes, comparison->spike_count);
}

static uint32_t decimal(unsigned value) {
  return (uint32_t)(value / 10 << 4 | value % 10);
}

static enum status number_date(struct prepared *p, struct comparison_values *values, struct slice text,
                               uint32_t *number, struct error *error) {
  struct date date;
  (void)p;
  unsigned least = values->comparison->kind == COMPARE_DAYS ? DATE_DAY : DATE_YEAR;
  if (!standard_date(text, &date) || date.precision < least) {
    return OK;
  }
  bool year_only = date.precision == DATE_YEAR || is_spike(values->comparison, date);
  unsigned year = (unsigned)date.year;
  uint32_t scalar = decimal(year / 100) << 24 | decimal(year % 100) << 16;
  scalar |= year_only ? 0 : decimal(date.month) << 8;
  scalar |= year_only || date.precision != DATE_DAY ? 0 : decimal(date.day);
  return add_scalar(values, scalar, number, error);
}

static enum status number_age(struct prepared *p, struct comparison_values *values, struct slice text, uint32_t *number,
                              struct error *error) {
  struct date date;
  int64_t years;
  (void)p;
  if (text_to_int64(slice_trim(text), &years) && years >= 0 && years <= AGE_MOST) {
    return add_scalar(values, (uint32_t)years, number, error);
  }
  if (standard_date(text, &date) && date.year >= YEAR_LEAST) {
    return add_scalar(values, (uint32_t)date.year, number, error);
  }
  return OK;
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
    status = number_column(p, values, column, number_one, &numbers, error);
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
  enum status status = number_column(p, values, number_of, number_document, &numbers, error);
  if (status == OK && type_of != NULL) {
    status = number_column(p, values, type_of, number_type, &types, error);
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

static enum status make_all(struct preparing *preparing, struct error *error) {
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
  for (size_t i = 0; status == OK && i < p->plan->comparison_count; i++) {
    status = fill(preparing, p->values[i], error);
  }
  status = status == OK ? names_finish(p->names, error) : status;
  status = status == OK ? standing_make(p, error) : status;
  return status == OK ? prepare_rank(p, error) : status;
}

enum status prepared_init(struct prepared *prepared, const struct link_plan *plan, const struct link_records *records,
                          struct error *error) {
  struct preparing preparing = {.prepared = prepared};
  *prepared = (struct prepared){.plan = plan, .records = records};
  enum status status = make_all(&preparing, error);
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
