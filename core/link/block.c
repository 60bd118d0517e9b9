#include "core/link/block.h"

#include "core/base/log.h"
#include "core/link/crew.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { RECORDS_A_SHARE = 8192, RADIX_BITS = 11, RADIX_SIZE = 1 << RADIX_BITS };

/* ---- hashes ---- */

static uint64_t keyed_hash(const uint8_t *secret, const void *bytes, size_t len) {
  uint64_t hash;
  crypto_shorthash((unsigned char *)&hash, bytes, len, secret);
  return hash;
}

/* Puts a hash among the least ones seen, in ascending order and once. */
static size_t keep_least(uint64_t *hashes, size_t count, uint64_t hash) {
  size_t at = count;
  while (at > 0 && hashes[at - 1] >= hash) {
    at--;
  }
  if (at == BLOCK_SLOTS_MOST || (at < count && hashes[at] == hash)) {
    return count;
  }
  count = count < BLOCK_SLOTS_MOST ? count + 1 : count;
  memmove(hashes + at + 1, hashes + at, (count - at - 1) * sizeof *hashes);
  hashes[at] = hash;
  return count;
}

struct parts {
  uint64_t hashes[PLAN_KEYS_MOST][PREPARED_PARTS_MOST];
  size_t counts[PLAN_KEYS_MOST];
};

static bool parts_of(const struct prepared *prepared, const struct block_rule *rule, uint32_t record,
                     struct parts *parts) {
  const uint8_t *sealed = prepared->records->sealed;
  if ((sealed != NULL && sealed[record] != 0) || rule->key_count == 0) {
    return false;
  }
  for (unsigned i = 0; i < rule->key_count; i++) {
    parts->counts[i] = prepared_parts(prepared, &rule->keys[i], record, parts->hashes[i], PREPARED_PARTS_MOST);
    if (parts->counts[i] == 0) {
      return false;
    }
  }
  return true;
}

size_t blocks_hashes(const struct prepared *prepared, const uint8_t secret[16], uint16_t rule, uint32_t record,
                     uint64_t hashes[BLOCK_SLOTS_MOST]) {
  const struct block_rule *block = &prepared->plan->blocks[rule];
  struct parts parts;
  size_t at[PLAN_KEYS_MOST] = {0};
  uint64_t words[PLAN_KEYS_MOST + 1];
  size_t count = 0;
  unsigned digit = 0;
  if (!parts_of(prepared, block, record, &parts)) {
    return 0;
  }
  words[0] = keyed_hash(secret, block->name, strlen(block->name));
  while (digit < block->key_count) {
    for (unsigned i = 0; i < block->key_count; i++) {
      words[i + 1] = parts.hashes[i][at[i]];
    }
    count = keep_least(hashes, count, keyed_hash(secret, words, (block->key_count + 1) * sizeof *words));
    for (digit = 0; digit < block->key_count && ++at[digit] == parts.counts[digit]; digit++) {
      at[digit] = 0;
    }
  }
  return count;
}

/* The first of ascending hashes that is not below `hash`. */
static size_t lower_bound(const uint64_t *hashes, size_t count, uint64_t hash) {
  size_t low = 0;
  while (low < count) {
    size_t middle = low + (count - low) / 2;
    if (hashes[middle] < hash) {
      low = middle + 1;
    } else {
      count = middle;
    }
  }
  return low;
}

bool blocks_is_capped(const uint64_t *capped, size_t count, uint64_t hash) {
  size_t at = lower_bound(capped, count, hash);
  return at < count && capped[at] == hash;
}

static uint32_t short_key(uint64_t hash) {
  uint32_t key = (uint32_t)hash;
  return key == 0 ? 1 : key;
}

/* ---- the table of keys ---- */

struct filling {
  struct blocks *blocks;
  const struct link_model *model;
  atomic_size_t next;
  _Atomic uint16_t slots[LINK_RULES_MOST]; /* by rule: of any record */
  _Atomic uint32_t *left_out;              /* records by capped key of the model */
  _Atomic uint16_t *left_rule;             /* its rule */
};

static bool take_share(struct filling *filling, uint32_t *from, uint32_t *to) {
  size_t count = filling->blocks->prepared->records->count;
  size_t start = atomic_fetch_add(&filling->next, RECORDS_A_SHARE);
  *from = (uint32_t)(start < count ? start : count);
  *to = (uint32_t)(start + RECORDS_A_SHARE < count ? start + RECORDS_A_SHARE : count);
  return *from < *to;
}

/* At most so many keys has the record of the rule. */
static uint16_t slots_of(const struct prepared *prepared, const struct block_rule *rule, uint32_t record) {
  struct parts parts;
  size_t product = parts_of(prepared, rule, record, &parts) ? 1 : 0;
  for (unsigned i = 0; product > 0 && i < rule->key_count; i++) {
    product *= parts.counts[i];
  }
  return (uint16_t)(product > BLOCK_SLOTS_MOST ? BLOCK_SLOTS_MOST : product);
}

static void count_slots(void *context, unsigned thread) {
  struct filling *filling = context;
  struct blocks *blocks = filling->blocks;
  uint16_t most[LINK_RULES_MOST] = {0};
  uint32_t from;
  uint32_t to;
  (void)thread;
  while (take_share(filling, &from, &to)) {
    for (uint32_t i = from; i < to; i++) {
      uint16_t *slots = blocks->slots + i * blocks->stride + BLOCK_START;
      for (size_t rule = 0; rule < blocks->rules; rule++) {
        uint16_t here = slots_of(blocks->prepared, &blocks->prepared->plan->blocks[rule], i);
        slots[rule + 1] = (uint16_t)(slots[rule] + here);
        most[rule] = here > most[rule] ? here : most[rule];
      }
    }
  }
  for (size_t rule = 0; rule < blocks->rules; rule++) {
    uint16_t seen = atomic_load(&filling->slots[rule]);
    while (seen < most[rule] && !atomic_compare_exchange_weak(&filling->slots[rule], &seen, most[rule])) {
    }
  }
}

static int by_number(const void *a, const void *b) {
  const uint32_t *x = a;
  const uint32_t *y = b;
  return (*x > *y) - (*x < *y);
}

/* Keys of one record and rule: ascending, each once, the rest 0. */
static void settle_keys(uint32_t *keys, size_t count, size_t slots) {
  size_t kept = 0;
  if (count > 1) {
    qsort(keys, count, sizeof *keys, by_number);
  }
  for (size_t i = 0; i < count; i++) {
    if (keys[i] != 0 && (kept == 0 || keys[kept - 1] != keys[i])) {
      keys[kept++] = keys[i];
    }
  }
  memset(keys + kept, 0, (slots - kept) * sizeof *keys);
}

static bool model_leaves_out(struct filling *filling, uint16_t rule, uint64_t hash) {
  const struct link_model *model = filling->model;
  if (model == NULL || !blocks_is_capped(model->capped, model->capped_count, hash)) {
    return false;
  }
  size_t at = lower_bound(model->capped, model->capped_count, hash);
  atomic_fetch_add(&filling->left_out[at], 1);
  atomic_store(&filling->left_rule[at], rule);
  return true;
}

static void fill_keys(void *context, unsigned thread) {
  struct filling *filling = context;
  struct blocks *blocks = filling->blocks;
  uint64_t hashes[BLOCK_SLOTS_MOST];
  uint32_t from;
  uint32_t to;
  (void)thread;
  while (take_share(filling, &from, &to)) {
    for (uint32_t i = from; i < to; i++) {
      for (size_t rule = 0; rule < blocks->rules; rule++) {
        size_t slots;
        uint32_t *keys = blocks_keys(blocks, rule, i, &slots);
        size_t count = slots == 0 ? 0 : blocks_hashes(blocks->prepared, blocks->secret, (uint16_t)rule, i, hashes);
        size_t kept = 0;
        for (size_t j = 0; j < count && kept < slots; j++) {
          if (!model_leaves_out(filling, (uint16_t)rule, hashes[j])) {
            keys[kept++] = short_key(hashes[j]);
          }
        }
        settle_keys(keys, kept, slots);
      }
    }
  }
}

static enum status make_keys(struct filling *filling, unsigned threads, struct error *error) {
  struct blocks *blocks = filling->blocks;
  size_t count = blocks->prepared->records->count;
  uint64_t total = 0;
  blocks->stride = BLOCK_START + blocks->rules + 1;
  blocks->slots = calloc(count + 1, blocks->stride * sizeof *blocks->slots);
  if (blocks->slots == NULL) {
    return error_memory(error);
  }
  crew_run(threads, count_slots, filling);
  for (size_t i = 0; i < count; i++) {
    uint16_t *slots = blocks->slots + i * blocks->stride;
    memcpy(slots, &total, sizeof total);
    total += slots[BLOCK_START + blocks->rules];
  }
  for (size_t rule = 0; rule < blocks->rules; rule++) {
    blocks->slots_most[rule] = atomic_load(&filling->slots[rule]);
  }
  blocks->keys = malloc((total + 1) * sizeof *blocks->keys);
  if (blocks->keys == NULL) {
    return error_memory(error);
  }
  atomic_store(&filling->next, 0);
  crew_run(threads, fill_keys, filling);
  return OK;
}

/* ---- indexes ---- */

/* By the key's digits, least first; entries come in order of record and keep it. */
static void radix_sort(struct block_entry **entries, struct block_entry **spare, size_t count) {
  for (unsigned shift = 0; shift < 32; shift += RADIX_BITS) {
    size_t starts[RADIX_SIZE] = {0};
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
      starts[((*entries)[i].key >> shift) & (RADIX_SIZE - 1)]++;
    }
    for (size_t i = 0; i < RADIX_SIZE; i++) {
      size_t here = starts[i];
      starts[i] = sum;
      sum += here;
    }
    for (size_t i = 0; i < count; i++) {
      (*spare)[starts[((*entries)[i].key >> shift) & (RADIX_SIZE - 1)]++] = (*entries)[i];
    }
    struct block_entry *swap = *entries;
    *entries = *spare;
    *spare = swap;
  }
}

static size_t list_entries(const struct blocks *blocks, uint16_t rule, struct block_entry *entries) {
  size_t count = 0;
  for (size_t i = 0; i < blocks->prepared->records->count; i++) {
    size_t slots;
    const uint32_t *keys = blocks_keys(blocks, rule, i, &slots);
    for (size_t j = 0; j < slots && keys[j] != 0; j++, count++) {
      if (entries != NULL) {
        entries[count] = (struct block_entry){.key = keys[j], .record = (uint32_t)i};
      }
    }
  }
  return count;
}

enum status block_index_make(const struct blocks *blocks, uint16_t rule, struct block_index *index,
                             struct error *error) {
  size_t count = list_entries(blocks, rule, NULL);
  *index = (struct block_index){0};
  struct block_entry *spare = malloc((count + 1) * sizeof *spare);
  index->entries = malloc((count + 1) * sizeof *index->entries);
  if (spare == NULL || index->entries == NULL) {
    free(spare);
    block_index_free(index);
    return error_memory(error);
  }
  index->count = list_entries(blocks, rule, index->entries);
  radix_sort(&index->entries, &spare, count);
  free(spare);
  return OK;
}

void block_index_free(struct block_index *index) {
  free(index->entries);
  *index = (struct block_index){0};
}

size_t block_index_length(const struct block_index *index, size_t at) {
  size_t end = at + 1;
  while (end < index->count && index->entries[end].key == index->entries[at].key) {
    end++;
  }
  return end - at;
}

/* ---- the cap ---- */

struct member {
  uint64_t hash;
  uint32_t record;
};

struct capping {
  struct blocks *blocks;
  size_t most;
  atomic_size_t next;
  struct capped_rule {
    uint64_t *hashes;
    size_t count, capacity, largest;
    enum status status;
    struct error error;
  } rules[LINK_RULES_MOST];
};

static int by_hash(const void *a, const void *b) {
  const struct member *x = a;
  const struct member *y = b;
  if (x->hash != y->hash) {
    return x->hash < y->hash ? -1 : 1;
  }
  return (x->record > y->record) - (x->record < y->record);
}

static enum status note_capped(struct capped_rule *capped, uint64_t hash) {
  if (capped->count == capped->capacity) {
    size_t capacity = capped->capacity == 0 ? 64 : capped->capacity * 2;
    uint64_t *hashes = realloc(capped->hashes, capacity * sizeof *hashes);
    if (hashes == NULL) {
      return error_memory(&capped->error);
    }
    capped->hashes = hashes;
    capped->capacity = capacity;
  }
  capped->hashes[capped->count++] = hash;
  return OK;
}

static void drop_key(struct blocks *blocks, uint16_t rule, uint32_t record, uint32_t key) {
  size_t slots;
  uint32_t *keys = blocks_keys(blocks, rule, record, &slots);
  for (size_t i = 0; i < slots; i++) {
    keys[i] = keys[i] == key ? 0 : keys[i];
  }
  settle_keys(keys, slots, slots);
}

/* Entries of one short key, too many: the full hashes among them that are too many are left out. */
static enum status cap_block(struct capping *capping, uint16_t rule, const struct block_entry *entries, size_t count) {
  struct blocks *blocks = capping->blocks;
  struct capped_rule *capped = &capping->rules[rule];
  struct member *members = malloc(count * sizeof *members);
  uint64_t hashes[BLOCK_SLOTS_MOST];
  enum status status = OK;
  if (members == NULL) {
    return error_memory(&capped->error);
  }
  for (size_t i = 0; i < count; i++) {
    size_t known = blocks_hashes(blocks->prepared, blocks->secret, rule, entries[i].record, hashes);
    members[i] = (struct member){.record = entries[i].record};
    for (size_t j = 0; j < known; j++) {
      members[i].hash = short_key(hashes[j]) == entries[i].key ? hashes[j] : members[i].hash;
    }
  }
  qsort(members, count, sizeof *members, by_hash);
  for (size_t i = 0, length; status == OK && i < count; i += length) {
    for (length = 1; i + length < count && members[i + length].hash == members[i].hash;) {
      length++;
    }
    if (length > capping->most) {
      status = note_capped(capped, members[i].hash);
      capped->largest = length > capped->largest ? length : capped->largest;
      blocks->counts[rule].capped++;
      blocks->counts[rule].dropped += (uint64_t)length * (length - 1) / 2;
      for (size_t j = i; j < i + length; j++) {
        drop_key(blocks, rule, members[j].record, entries[0].key);
      }
    }
  }
  free(members);
  return status;
}

static void cap_rules(void *context, unsigned thread) {
  struct capping *capping = context;
  size_t rule;
  (void)thread;
  while ((rule = atomic_fetch_add(&capping->next, 1)) < capping->blocks->prepared->plan->block_count) {
    struct capped_rule *capped = &capping->rules[rule];
    struct block_index index;
    capped->status = block_index_make(capping->blocks, (uint16_t)rule, &index, &capped->error);
    for (size_t at = 0, length; capped->status == OK && at < index.count; at += length) {
      length = block_index_length(&index, at);
      if (length > capping->most) {
        capped->status = cap_block(capping, (uint16_t)rule, index.entries + at, length);
      }
    }
    block_index_free(&index);
  }
}

static int by_value(const void *a, const void *b) {
  const uint64_t *x = a;
  const uint64_t *y = b;
  return (*x > *y) - (*x < *y);
}

static enum status gather_capped(struct capping *capping, struct error *error) {
  struct blocks *blocks = capping->blocks;
  size_t count = 0;
  for (size_t i = 0; i < blocks->prepared->plan->block_count; i++) {
    if (capping->rules[i].status != OK) {
      *error = capping->rules[i].error;
      return capping->rules[i].status;
    }
    count += capping->rules[i].count;
  }
  blocks->capped = malloc((count + 1) * sizeof *blocks->capped);
  if (blocks->capped == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < blocks->prepared->plan->block_count; i++) {
    for (size_t j = 0; j < capping->rules[i].count; j++) {
      blocks->capped[blocks->capped_count++] = capping->rules[i].hashes[j];
    }
  }
  if (blocks->capped_count > 1) {
    qsort(blocks->capped, blocks->capped_count, sizeof *blocks->capped, by_value);
  }
  return OK;
}

static void warn_capped(const struct capping *capping, bool frozen) {
  const struct link_plan *plan = capping->blocks->prepared->plan;
  for (size_t i = 0; i < plan->block_count; i++) {
    const struct capped_rule *capped = &capping->rules[i];
    if (capped->count > 0 && frozen) {
      log_message(LEVEL_WARNING,
                  _("blocking rule %s: %zu blocks have outgrown the model (the largest has %zu records) and are left "
                    "out: train again"),
                  plan->blocks[i].name, capped->count, capped->largest);
    } else if (capped->count > 0) {
      log_message(LEVEL_WARNING,
                  _("blocking rule %s: %zu blocks of more than %zu records are left out; the largest has %zu"),
                  plan->blocks[i].name, capped->count, capping->most, capped->largest);
    }
  }
}

static enum status cap_blocks(struct blocks *blocks, bool frozen, unsigned threads, struct error *error) {
  struct capping *capping = calloc(1, sizeof *capping);
  if (capping == NULL) {
    return error_memory(error);
  }
  capping->blocks = blocks;
  capping->most = blocks->prepared->plan->block_most * (frozen ? BLOCK_GROWTH_MOST : 1);
  crew_run(threads, cap_rules, capping);
  enum status status = gather_capped(capping, error);
  if (status == OK) {
    warn_capped(capping, frozen);
  }
  for (size_t i = 0; i < LINK_RULES_MOST; i++) {
    free(capping->rules[i].hashes);
  }
  free(capping);
  return status;
}

/* What the model's capped keys leave out of these records. */
static void count_left_out(struct filling *filling) {
  for (size_t i = 0; filling->model != NULL && i < filling->model->capped_count; i++) {
    uint64_t records = atomic_load(&filling->left_out[i]);
    if (records > 0) {
      struct link_block_counts *counts = &filling->blocks->counts[atomic_load(&filling->left_rule[i])];
      counts->capped++;
      counts->dropped += records * (records - 1) / 2;
    }
  }
}

enum status blocks_init(struct blocks *blocks, const struct prepared *prepared, const uint8_t secret[16],
                        const struct link_model *model, unsigned threads, struct error *error) {
  struct filling filling = {.blocks = blocks, .model = model};
  size_t capped = model == NULL ? 0 : model->capped_count;
  *blocks = (struct blocks){.prepared = prepared, .rules = prepared->plan->block_count};
  memcpy(blocks->secret, secret, sizeof blocks->secret);
  filling.left_out = calloc(capped + 1, sizeof *filling.left_out);
  filling.left_rule = calloc(capped + 1, sizeof *filling.left_rule);
  enum status status = filling.left_out == NULL || filling.left_rule == NULL ? error_memory(error) : OK;
  status = status == OK ? make_keys(&filling, threads, error) : status;
  if (status == OK) {
    count_left_out(&filling);
    status = cap_blocks(blocks, model != NULL, threads, error);
  }
  free(filling.left_out);
  free(filling.left_rule);
  if (status != OK) {
    blocks_free(blocks);
  }
  return status;
}

void blocks_free(struct blocks *blocks) {
  free(blocks->keys);
  free(blocks->slots);
  free(blocks->capped);
  *blocks = (struct blocks){0};
}

/* ---- asking ---- */

static bool share_key(const struct blocks *blocks, size_t rule, uint32_t a, uint32_t b) {
  size_t x_slots;
  size_t y_slots;
  const uint32_t *x = blocks_keys(blocks, rule, a, &x_slots);
  const uint32_t *y = blocks_keys(blocks, rule, b, &y_slots);
  for (size_t i = 0, j = 0; i < x_slots && j < y_slots && x[i] != 0 && y[j] != 0;) {
    if (x[i] == y[j]) {
      return true;
    }
    if (x[i] < y[j]) {
      i++;
    } else {
      j++;
    }
  }
  return false;
}

uint16_t blocks_propose(const struct blocks *blocks, uint32_t a, uint32_t b) {
  for (size_t rule = 0; a != b && rule < blocks->rules; rule++) {
    if (share_key(blocks, rule, a, b)) {
      return (uint16_t)rule;
    }
  }
  return LINK_NO_RULE;
}

bool blocks_any(const struct blocks *blocks, uint64_t rules, uint32_t a, uint32_t b) {
  for (size_t rule = 0; rule < blocks->rules; rule++) {
    if ((rules >> rule & 1) != 0 && share_key(blocks, rule, a, b)) {
      return true;
    }
  }
  return false;
}

bool blocks_has_key(const struct blocks *blocks, uint32_t record) {
  for (size_t rule = 0; rule < blocks->rules; rule++) {
    size_t slots;
    const uint32_t *keys = blocks_keys(blocks, rule, record, &slots);
    if (slots > 0 && keys[0] != 0) {
      return true;
    }
  }
  return false;
}
