/* An order of records that follows from what they say, not from where they stand. */
#include "core/link/prepare.h"
#include "core/link/values.h"

#include <stdlib.h>

/* ---- sums of hashes by class: what the members of a group say together ---- */

struct sums {
  struct sum {
    uint32_t class;
    bool used;
    uint64_t sum;
  } * slots;
  size_t slot_count; /* a power of two, twice the records */
};

static struct sum *sum_of(const struct sums *sums, uint32_t class) {
  size_t slot = (size_t)value_mix(7, class) & (sums->slot_count - 1);
  while (sums->slots[slot].used && sums->slots[slot].class != class) {
    slot = (slot + 1) & (sums->slot_count - 1);
  }
  sums->slots[slot].used = true;
  sums->slots[slot].class = class;
  return &sums->slots[slot];
}

/* Adds to each record's hash what its class holds: `from` is what records say by themselves. */
static enum status add_classes(const uint32_t *classes, const uint64_t *from, uint64_t *hashes, size_t count,
                               struct error *error) {
  struct sums sums = {.slot_count = 16};
  if (classes == NULL) {
    return OK;
  }
  while (sums.slot_count < count * 2) {
    sums.slot_count *= 2;
  }
  sums.slots = calloc(sums.slot_count, sizeof *sums.slots);
  if (sums.slots == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < count; i++) {
    if (classes[i] != LINK_MISSING) {
      sum_of(&sums, classes[i])->sum += from[i];
    }
  }
  for (size_t i = 0; i < count; i++) {
    hashes[i] = value_mix(hashes[i], classes[i] == LINK_MISSING ? 0 : sum_of(&sums, classes[i])->sum);
  }
  free(sums.slots);
  return OK;
}

static void add_decisions(const struct link_records *records, const uint64_t *from, uint64_t *hashes) {
  for (size_t i = 0; i < records->decision_count; i++) {
    const struct link_decision *decision = &records->decisions[i];
    hashes[decision->a] += value_mix(decision->same, from[decision->b]);
    hashes[decision->b] += value_mix(decision->same, from[decision->a]);
  }
}

static uint64_t content_of(const struct prepared *p, size_t record) {
  const struct link_records *records = p->records;
  const uint32_t *row = p->rows + record * p->width;
  uint64_t flags = records->role == NULL ? 0 : records->role[record];
  flags |= records->sealed != NULL && records->sealed[record] != 0 ? 0x100U : 0;
  flags |= records->unique != NULL && records->unique[record] != 0 ? 0x200U : 0;
  uint64_t hash = value_mix(flags, records->source == NULL ? 0 : records->source[record]);
  for (size_t i = 0; i < p->plan->comparison_count; i++) {
    hash = value_mix(hash, row[i] == LINK_MISSING ? 0 : comparison_value_hash(p->values[i], row[i]));
  }
  return hash;
}

/* ---- order ---- */

struct placed {
  uint64_t hash;
  uint32_t record;
};

static int by_hash(const void *a, const void *b) {
  const struct placed *x = a;
  const struct placed *y = b;
  return (x->hash > y->hash) - (x->hash < y->hash);
}

/* Hashes are even, so that their first bits leave few records to each bucket. */
static enum status order_records(const uint64_t *hashes, struct placed *placed, size_t count, struct error *error) {
  unsigned bits = 1;
  while (bits < 24 && ((size_t)1 << bits) < count) {
    bits++;
  }
  size_t buckets = (size_t)1 << bits;
  uint32_t *ends = calloc(buckets + 1, sizeof *ends);
  if (ends == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < count; i++) {
    ends[(hashes[i] >> (64 - bits)) + 1]++;
  }
  for (size_t i = 1; i <= buckets; i++) {
    ends[i] += ends[i - 1];
  }
  for (size_t i = 0; i < count; i++) {
    placed[ends[hashes[i] >> (64 - bits)]++] = (struct placed){.hash = hashes[i], .record = (uint32_t)i};
  }
  for (size_t i = 0, from = 0; i < buckets; from = ends[i++]) {
    if (ends[i] - from > 1) {
      qsort(placed + from, ends[i] - from, sizeof *placed, by_hash);
    }
  }
  free(ends);
  return OK;
}

enum status prepare_rank(struct prepared *p, struct error *error) {
  const struct link_records *records = p->records;
  size_t count = records->count;
  uint64_t *from = malloc((count + 1) * sizeof *from);
  uint64_t *hashes = malloc((count + 1) * sizeof *hashes);
  struct placed *placed = malloc((count + 1) * sizeof *placed);
  p->rank = malloc((count + 1) * sizeof *p->rank);
  enum status status = from == NULL || hashes == NULL || placed == NULL || p->rank == NULL ? error_memory(error) : OK;
  for (size_t i = 0; status == OK && i < count; i++) {
    hashes[i] = from[i] = content_of(p, i);
  }
  status = status == OK ? add_classes(records->group, from, hashes, count, error) : status;
  status = status == OK ? add_classes(records->same, from, hashes, count, error) : status;
  if (status == OK) {
    add_decisions(records, from, hashes);
    status = order_records(hashes, placed, count, error);
  }
  uint32_t rank = 0;
  for (size_t i = 0; status == OK && i < count; i++) {
    rank += i > 0 && placed[i - 1].hash != placed[i].hash;
    p->rank[placed[i].record] = rank;
  }
  free(from);
  free(hashes);
  free(placed);
  return status;
}
