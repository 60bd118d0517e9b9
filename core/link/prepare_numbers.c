/* Dictionary values of all kinds but names, to numbers of distinct values. */
#include "core/link/prepare_numbers.h"

#include "core/base/date.h"
#include "core/base/text.h"

enum { DOCUMENT_LENGTH_LEAST = 5, YEAR_LEAST = 1000, AGE_MOST = 150, TEXT_MOST = 1 << 24 };

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

enum status number_document(struct comparison_values *values, struct slice text, uint32_t *number,
                            struct error *error) {
  const struct comparison *comparison = values->comparison;
  struct slice document = standard_document(values->scratch, text);
  if (document.data != NULL
      && (document.len < DOCUMENT_LENGTH_LEAST
          || is_listed(document, comparison->placeholders, comparison->placeholder_count))) {
    return OK;
  }
  return add_text(values, document, number, error);
}

enum status number_type(struct comparison_values *values, struct slice text, uint32_t *number, struct error *error) {
  struct slice type = standard_code(values->scratch, text);
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

enum status number_text(struct comparison_values *values, struct slice text, uint32_t *number, struct error *error) {
  uint32_t known = values->texts.numbering.count;
  struct slice standardised = standard_text(values->scratch, text);
  enum status status = add_text(values, standardised, number, error);
  status =
      status == OK ? array_reserve(&values->word_sets, &values->word_room, known, sizeof(uint64_t), error) : status;
  if (status == OK && *number == known) {
    values->word_sets[known] = word_set(standardised);
  }
  return status;
}

enum status number_filing(struct comparison_values *values, struct slice text, uint32_t *number, struct error *error) {
  return add_text(values, standard_number(values->scratch, text), number, error);
}

/* ---- codes: one, or several joined by ';' ---- */

/* The codes of a value in byte order, each once; returns how many. */
static size_t split_codes(struct comparison_values *values, struct slice text, struct slice *codes) {
  size_t count = 0;
  for (size_t from = 0; from < text.len && count < CODES_MOST;) {
    const char *mark = memchr(text.data + from, ';', text.len - from);
    size_t end = mark == NULL ? text.len : (size_t)(mark - text.data);
    struct slice code = standard_code(values->scratch, slice_make(text.data + from, end - from));
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

enum status number_code(struct comparison_values *values, struct slice text, uint32_t *number, struct error *error) {
  struct slice codes[CODES_MOST];
  uint32_t known = values->texts.numbering.count;
  struct buffer joined;
  size_t count = split_codes(values, text, codes);
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
enum status number_place(struct comparison_values *values, struct slice text, uint32_t *number, struct error *error) {
  struct slice place = standard_code(values->scratch, text);
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

enum status number_date(struct comparison_values *values, struct slice text, uint32_t *number, struct error *error) {
  struct date date;
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

enum status number_age(struct comparison_values *values, struct slice text, uint32_t *number, struct error *error) {
  struct date date;
  int64_t years;
  if (text_to_int64(slice_trim(text), &years) && years >= 0 && years <= AGE_MOST) {
    return add_scalar(values, (uint32_t)years, number, error);
  }
  if (standard_date(text, &date) && date.year >= YEAR_LEAST) {
    return add_scalar(values, (uint32_t)date.year, number, error);
  }
  return OK;
}
