#include "core/base/map.h"

#include "core/base/arena.h"

#include <stdlib.h>

#define FIRST_SLOTS 64U
#define AHEAD 32U
#define CACHED_SLOTS 8192U /* a smaller map is in the cache anyway */
#define MAP_BYTES_LIMIT ((size_t)1 << 36)

struct entry {
  struct slice key;
  uint32_t hash;
  uint32_t value;
};

/* The hash stands here too, so that a slot of another key costs no look at its entry. */
struct slot {
  uint32_t hash;
  uint32_t position; /* in entries, MAP_NONE where empty */
};

struct map {
  struct arena *keys;
  struct entry *entries; /* in order of insertion */
  struct slot *slots;    /* open addressing */
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
    const struct slot *found = &map->slots[slot];
    if (found->position == MAP_NONE) {
      return slot;
    }
    if (found->hash == hash && slice_equal(map->entries[found->position].key, key)) {
      return slot;
    }
  }
}

static bool grow_slots(struct map *map) {
  uint32_t slot_count = map->slot_count == 0 ? FIRST_SLOTS : map->slot_count * 2;
  if (slot_count == 0) {
    return false;
  }
  struct slot *slots = malloc(slot_count * sizeof *slots);
  if (slots == NULL) {
    return false;
  }
  memset(slots, 0xFF, slot_count * sizeof *slots);
  for (uint32_t i = 0; i < map->count; i++) {
    uint32_t slot = map->entries[i].hash & (slot_count - 1);
    while (slots[slot].position != MAP_NONE) {
      slot = (slot + 1) & (slot_count - 1);
    }
    slots[slot] = (struct slot){.hash = map->entries[i].hash, .position = i};
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
  map->slots[slot_of(map, key, hash)] = (struct slot){.hash = hash, .position = map->count};
  map->entries[map->count++] = (struct entry){.key = copy, .hash = hash, .value = value};
  return true;
}

static struct entry *find(const struct map *map, struct slice key, uint32_t hash) {
  if (map->count == 0) {
    return NULL;
  }
  uint32_t position = map->slots[slot_of(map, key, hash)].position;
  return position == MAP_NONE ? NULL : &map->entries[position];
}

uint32_t map_get(const struct map *map, struct slice key) {
  const struct entry *entry = find(map, key, hash_of(key));
  return entry == NULL ? MAP_NONE : entry->value;
}

static uint32_t intern(struct map *map, struct slice key, uint32_t hash) {
  const struct entry *entry = find(map, key, hash);
  if (entry != NULL) {
    return entry->value;
  }
  return insert(map, key, hash, map->count) ? map->count - 1 : MAP_NONE;
}

uint32_t map_intern(struct map *map, struct slice key) {
  return intern(map, key, hash_of(key));
}

/* Asks memory for what the next keys will touch, one step of the way for all of them before the next step. */
static void ask_ahead(const struct map *map, const uint32_t *hashes, size_t count) {
  uint32_t mask = map->slot_count - 1;
  for (size_t i = 0; i < count; i++) {
    __builtin_prefetch(&map->slots[hashes[i] & mask]);
  }
  for (size_t i = 0; i < count; i++) {
    const struct slot *slot = &map->slots[hashes[i] & mask];
    __builtin_prefetch(slot->position == MAP_NONE ? NULL : &map->entries[slot->position]);
  }
  for (size_t i = 0; i < count; i++) {
    const struct slot *slot = &map->slots[hashes[i] & mask];
    __builtin_prefetch(slot->position == MAP_NONE ? NULL : map->entries[slot->position].key.data);
  }
}

enum status map_intern_all(struct map *map, const struct slice *keys, size_t count, uint32_t *values) {
  uint32_t hashes[AHEAD];
  for (size_t done = 0; done < count; done += AHEAD) {
    size_t step = count - done < AHEAD ? count - done : AHEAD;
    for (size_t i = 0; i < step; i++) {
      hashes[i] = hash_of(keys[done + i]);
    }
    if (map->slot_count > CACHED_SLOTS) {
      ask_ahead(map, hashes, step);
    }
    for (size_t i = done; i < done + step; i++) {
      values[i] = keys[i].len == 0 ? MAP_NONE : intern(map, keys[i], hashes[i - done]);
      if (values[i] == MAP_NONE && keys[i].len > 0) {
        return ERR_MEMORY;
      }
    }
  }
  return OK;
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
