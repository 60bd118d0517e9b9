#include "core/link/joint.h"

#include <stdlib.h>

/* How many records have each value of one comparison. */
struct census {
  const struct prepared *prepared;
  size_t comparison;
  uint32_t *records; /* by value */
  size_t values;
  uint64_t total;
};

static enum status take_census(const struct prepared *prepared, size_t comparison, struct census *census,
                               struct error *error) {
  *census = (struct census){
      .prepared = prepared, .comparison = comparison, .values = prepared_value_count(prepared, comparison)};
  census->records = calloc(census->values + 1, sizeof *census->records);
  if (census->records == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < prepared->records->count; i++) {
    uint32_t value = prepared->rows[i * prepared->width + comparison];
    if (value != LINK_MISSING) {
      census->records[value]++;
      census->total++;
    }
  }
  return OK;
}

/* The share of a value that is not listed: what a record with such a value meets on average. Named alone it would tell
 * who is rare; believed alone it would make a slip of the pen the best of evidence. */
static void sum_up(const struct census *census, struct link_frequency *frequency) {
  double total = census->total == 0 ? 1 : (double)census->total;
  double rare = 0;
  double rare_squares = 0;
  double squares = 0;
  for (size_t i = 0; i < census->values; i++) {
    double records = census->records[i];
    squares += records * records;
    if (records < FREQUENCY_LEAST) {
      rare += records;
      rare_squares += records * records;
    }
  }
  frequency->mean = squares / (total * total);
  frequency->floor = (rare > 0 ? rare_squares / rare : FREQUENCY_LEAST) / total;
  frequency->floor = frequency->floor > 1 ? 1 : frequency->floor;
}

static enum status list_values(const struct census *census, struct link_frequency *frequency, struct error *error) {
  struct arena *arena = arena_new(0);
  enum status status = arena == NULL ? error_memory(error) : OK;
  for (size_t i = 0; status == OK && i < census->values; i++) {
    if (census->records[i] >= FREQUENCY_LEAST) {
      arena_reset(arena);
      struct slice text = prepared_text(census->prepared, census->comparison, (uint32_t)i, arena);
      uint32_t at = text.data == NULL ? MAP_NONE : map_intern(frequency->values, text);
      if (at == MAP_NONE) {
        status = error_memory(error);
      } else {
        frequency->share[at] = (double)census->records[i] / (double)census->total;
      }
    }
  }
  arena_free(arena);
  return status;
}

static enum status learn_one(const struct prepared *prepared, size_t comparison, struct link_model *model,
                             struct error *error) {
  struct census census;
  enum status status = take_census(prepared, comparison, &census, error);
  size_t listed = 0;
  for (size_t i = 0; status == OK && i < census.values; i++) {
    listed += census.records[i] >= FREQUENCY_LEAST;
  }
  struct link_frequency *frequency = status == OK ? link_model_frequency(model, comparison, listed) : NULL;
  if (status == OK && frequency == NULL) {
    status = error_memory(error);
  }
  if (status == OK) {
    sum_up(&census, frequency);
    status = list_values(&census, frequency, error);
  }
  free(census.records);
  return status;
}

enum status learn_frequencies(const struct prepared *prepared, struct link_model *model, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; status == OK && i < prepared->plan->comparison_count; i++) {
    if (prepared->plan->comparisons[i].frequency && weights_exact_level(&prepared->plan->comparisons[i]) != 0) {
      status = learn_one(prepared, i, model, error);
    }
  }
  return status == OK ? joint_learn(prepared, model, error) : status;
}
