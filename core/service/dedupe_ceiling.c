/* What recall blocking leaves possible: the share of the true pairs that some rule proposes, told from the keys of the
 * records, since a pair of low weight is kept nowhere. */
#include "core/service/dedupe.h"

#include <math.h>
#include <stdlib.h>

enum { SAMPLE_MOST = 200000, MEMBERS_MOST = 1000, KEYS_FIRST = 1 << 12 };

struct keyed {
  uint32_t record; /* of the sample */
  uint64_t key;
};

struct sample {
  uint32_t *record; /* by place: position in the sheet; places stand in order of entity */
  size_t count;
  struct link_records records;
  struct keyed *keys; /* by record and key */
  size_t key_count, key_capacity;
  size_t *first; /* by record: its first key */
};

static int compare_truth(const void *a, const void *b, void *context) {
  const uint32_t *truth = context;
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  if (truth[left] != truth[right]) {
    return truth[left] < truth[right] ? -1 : 1;
  }
  return left < right ? -1 : left > right;
}

static int compare_keys(const void *a, const void *b) {
  const struct keyed *left = a, *right = b;
  if (left->record != right->record) {
    return left->record < right->record ? -1 : 1;
  }
  return left->key < right->key ? -1 : left->key > right->key;
}

/* Every n-th entity, so that all of its records are in or none. */
static enum status choose(const struct sheet *sheet, struct sample *sample, struct error *error) {
  uint32_t every = (uint32_t)(sheet->count / SAMPLE_MOST) + 1;
  sample->record = calloc(sheet->count + 1, sizeof *sample->record);
  if (sample->record == NULL) {
    return error_memory(error);
  }
  for (uint32_t i = 0; i < sheet->count; i++) {
    if (sheet->truth[i] != LINK_MISSING && sheet->truth[i] % every == 0) {
      sample->record[sample->count++] = i;
    }
  }
  qsort_r(sample->record, sample->count, sizeof *sample->record, compare_truth, sheet->truth);
  return OK;
}

/* A column of the sample with a dictionary of its own: standardising costs by value. */
static enum status take_column(const struct link_column *from, const struct sample *sample, struct link_column *to) {
  uint32_t *former = malloc(((size_t)map_count(from->dictionary) + 1) * sizeof *former);
  to->name = from->name;
  to->dictionary = map_new();
  to->values = malloc((sample->count + 1) * sizeof *to->values);
  bool made = former != NULL && to->dictionary != NULL && to->values != NULL;
  for (uint32_t i = 0; made && i < map_count(from->dictionary); i++) {
    former[i] = LINK_MISSING;
  }
  for (size_t i = 0; made && i < sample->count; i++) {
    uint32_t value = from->values[sample->record[i]];
    if (value != LINK_MISSING && former[value] == LINK_MISSING) {
      former[value] = map_intern(to->dictionary, map_key(from->dictionary, value));
      made = former[value] != MAP_NONE;
    }
    to->values[i] = value == LINK_MISSING ? LINK_MISSING : former[value];
  }
  free(former);
  return made ? OK : ERR_MEMORY;
}

static enum status take_columns(const struct sheet *sheet, struct sample *sample, struct error *error) {
  sample->records.count = sample->count;
  sample->records.columns = calloc(sheet->column_count + 1, sizeof *sample->records.columns);
  if (sample->records.columns == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < sheet->column_count; i++) {
    sample->records.column_count++;
    if (take_column(&sheet->columns[i], sample, &sample->records.columns[i]) != OK) {
      return error_memory(error);
    }
  }
  return OK;
}

static enum status on_key(void *context, uint32_t record, uint64_t key, struct error *error) {
  struct sample *sample = context;
  if (sample->key_count == sample->key_capacity) {
    size_t capacity = sample->key_capacity == 0 ? KEYS_FIRST : sample->key_capacity * 2;
    struct keyed *keys = realloc(sample->keys, capacity * sizeof *keys);
    if (keys == NULL) {
      return error_memory(error);
    }
    sample->keys = keys;
    sample->key_capacity = capacity;
  }
  sample->keys[sample->key_count++] = (struct keyed){.record = record, .key = key};
  return OK;
}

static enum status index_keys(struct sample *sample, struct error *error) {
  sample->first = calloc(sample->count + 1, sizeof *sample->first);
  if (sample->first == NULL) {
    return error_memory(error);
  }
  if (sample->key_count > 0) {
    qsort(sample->keys, sample->key_count, sizeof *sample->keys, compare_keys);
  }
  for (size_t i = 0, at = 0; i <= sample->count; i++) {
    while (at < sample->key_count && sample->keys[at].record < i) {
      at++;
    }
    sample->first[i] = at;
  }
  return OK;
}

static bool share_key(const struct sample *sample, size_t a, size_t b) {
  size_t i = sample->first[a], k = sample->first[b];
  while (i < sample->first[a + 1] && k < sample->first[b + 1]) {
    if (sample->keys[i].key == sample->keys[k].key) {
      return true;
    }
    if (sample->keys[i].key < sample->keys[k].key) {
      i++;
    } else {
      k++;
    }
  }
  return false;
}

static double count_pairs(const struct sheet *sheet, const struct sample *sample, uint64_t *pairs) {
  uint64_t proposed = 0;
  *pairs = 0;
  for (size_t i = 0; i < sample->count; i++) {
    uint32_t entity = sheet->truth[sample->record[i]];
    for (size_t k = i + 1; k < sample->count && k < i + MEMBERS_MOST && sheet->truth[sample->record[k]] == entity;
         k++) {
      ++*pairs;
      proposed += share_key(sample, i, k);
    }
  }
  return *pairs == 0 ? NAN : (double)proposed / (double)*pairs;
}

static void sample_free(struct sample *sample) {
  for (size_t i = 0; i < sample->records.column_count; i++) {
    map_free(sample->records.columns[i].dictionary);
    free(sample->records.columns[i].values);
  }
  free(sample->records.columns);
  free(sample->record);
  free(sample->keys);
  free(sample->first);
}

enum status dedupe_ceiling(const struct link_plan *plan, const struct sheet *sheet, const struct link_model *model,
                           double *ceiling, uint64_t *pairs, struct error *error) {
  static const uint8_t secret[16] = {0}; /* the keys leave no trace */
  struct sample sample = {.count = 0};
  enum status status = choose(sheet, &sample, error);
  if (status == OK) {
    status = take_columns(sheet, &sample, error);
  }
  if (status == OK) {
    status = link_keys(plan, &sample.records, model, secret, on_key, &sample, error);
  }
  if (status == OK) {
    status = index_keys(&sample, error);
  }
  if (status == OK) {
    *ceiling = count_pairs(sheet, &sample, pairs);
  }
  sample_free(&sample);
  return status;
}
