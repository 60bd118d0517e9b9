#include "core/base/map.h"

#include "core/base/arena.h"

#include <stdlib.h>

#define FIRST_SLOTS 64U
#define MAP_BYTES_LIMIT ((size_t)1 << 36)

struct entry {
  struct slice key;
  uint32_t hash;
  uint32_t value;
};

struct map {
  struct arena *keys;
  struct entry *entries; /* in order of insertion */
  uint32_t *slots;       /* positions in entries, MAP_NONE where empty; open addressing */
  uint32_t count;
  uint32_t capacity;
  uint32_t slot_count; /* a power of two, at least 4/3 of count */
};

struct map *map_new(void) {
  struct map *map = calloc(1, sizeof *map);
  if (map == NULL) {
    return NULL;
  }
  map->keys = arena_new(MAP_BYTES_LIMIT);
  if (map->keys == NULL) {
    free(map);
    return NULL;
  }
  return map;
}

void map_free(struct map *map) {
  if (map == NULL) {
    return;
  }
  arena_free(map->keys);
  free(map->entries);
  free(map->slots);
  free(map);
}

void map_clear(struct map *map) {
  arena_reset(map->keys);
  map->count = 0;
  if (map->slots != NULL) {
    memset(map->slots, 0xFF, map->slot_count * sizeof *map->slots);
  }
}

uint32_t map_count(const struct map *map) {
  return map->count;
}

/* FNV-1a over words of eight bytes with a final mix: keys come from configuration and records of known sources. */
static uint32_t hash_of(struct slice key) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ key.len;
  const char *at = key.data;
  size_t left = key.len;
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    hash ^= hash >> 32;
  }
  if (left > 0) {
    uint64_t word = 0;
    memcpy(&word, at, left);
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
  }
  hash ^= hash >> 29;
  hash *= UINT64_C(0xBF58476D1CE4E5B9);
  return (uint32_t)(hash ^ (hash >> 32));
}

/* The slot that holds key, or the empty one where it belongs. */
static uint32_t slot_of(const struct map *map, struct slice key, uint32_t hash) {
  uint32_t mask = map->slot_count - 1;
  for (uint32_t slot = hash & mask;; slot = (slot + 1) & mask) {
    uint32_t position = map->slots[slot];
    if (position == MAP_NONE) {
      return slot;
    }
    const struct entry *entry = &map->entries[position];
    if (entry->hash == hash && slice_equal(entry->key, key)) {
      return slot;
    }
  }
}

static bool grow_slots(struct map *map) {
  uint32_t slot_count = map->slot_count == 0 ? FIRST_SLOTS : map->slot_count * 2;
  if (slot_count == 0) {
    return false;
  }
  uint32_t *slots = malloc(slot_count * sizeof *slots);
  if (slots == NULL) {
    return false;
  }
  memset(slots, 0xFF, slot_count * sizeof *slots);
  for (uint32_t i = 0; i < map->count; i++) {
    uint32_t slot = map->entries[i].hash & (slot_count - 1);
    while (slots[slot] != MAP_NONE) {
      slot = (slot + 1) & (slot_count - 1);
    }
    slots[slot] = i;
  }
  free(map->slots);
  map->slots = slots;
  map->slot_count = slot_count;
  return true;
}

static bool make_room(struct map *map) {
  if ((map->slot_count == 0 || map->count >= map->slot_count / 4 * 3) && !grow_slots(map)) {
    return false;
  }
  if (map->count < map->capacity) {
    return true;
  }
  uint32_t capacity = map->capacity == 0 ? FIRST_SLOTS : map->capacity * 2;
  struct entry *entries = capacity < map->capacity ? NULL : realloc(map->entries, capacity * sizeof *entries);
  if (entries == NULL) {
    return false;
  }
  map->entries = entries;
  map->capacity = capacity;
  return true;
}

static bool insert(struct map *map, struct slice key, uint32_t hash, uint32_t value) {
  if (!make_room(map)) {
    return false;
  }
  struct slice copy = arena_copy(map->keys, key);
  if (copy.data == NULL) {
    return false;
  }
  map->slots[slot_of(map, key, hash)] = map->count;
  map->entries[map->count++] = (struct entry){.key = copy, .hash = hash, .value = value};
  return true;
}

static struct entry *find(const struct map *map, struct slice key, uint32_t hash) {
  if (map->count == 0) {
    return NULL;
  }
  uint32_t position = map->slots[slot_of(map, key, hash)];
  return position == MAP_NONE ? NULL : &map->entries[position];
}

uint32_t map_get(const struct map *map, struct slice key) {
  const struct entry *entry = find(map, key, hash_of(key));
  return entry == NULL ? MAP_NONE : entry->value;
}

uint32_t map_intern(struct map *map, struct slice key) {
  uint32_t hash = hash_of(key);
  const struct entry *entry = find(map, key, hash);
  if (entry != NULL) {
    return entry->value;
  }
  return insert(map, key, hash, map->count) ? map->count - 1 : MAP_NONE;
}

enum status map_put(struct map *map, struct slice key, uint32_t value) {
  uint32_t hash = hash_of(key);
  struct entry *entry = find(map, key, hash);
  if (entry != NULL) {
    entry->value = value;
    return OK;
  }
  return insert(map, key, hash, value) ? OK : ERR_MEMORY;
}

struct slice map_key(const struct map *map, uint32_t position) {
  return position < map->count ? map->entries[position].key : slice_none();
}
