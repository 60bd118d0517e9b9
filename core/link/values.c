#include "core/link/values.h"

#include <assert.h>
#include <endian.h>
#include <sodium.h>
#include <stdlib.h>

#define FIRST_ROOM 1024U
#define TEXTS_LIMIT ((size_t)1 << 36)

uint64_t value_hash(struct slice text) {
  static const unsigned char key[crypto_shorthash_KEYBYTES] = "puente.link.hash";
  unsigned char bytes[crypto_shorthash_BYTES];
  uint64_t hash;
  crypto_shorthash(bytes, (const unsigned char *)text.data, text.len, key);
  memcpy(&hash, bytes, sizeof hash);
  hash = le64toh(hash);
  return hash == 0 ? 1 : hash;
}

enum status array_reserve(void *array, size_t *room, size_t count, size_t size, struct error *error) {
  void *memory;
  if (count < *room) {
    return OK;
  }
  memcpy(&memory, array, sizeof memory);
  size_t wanted = *room == 0 ? FIRST_ROOM : *room + *room / 2;
  wanted = wanted > count ? wanted : count + 1;
  void *grown = reallocarray(memory, wanted, size);
  if (grown == NULL) {
    return error_memory(error);
  }
  memcpy(array, &grown, sizeof grown);
  *room = wanted;
  /* cppcheck-suppress memleak ; the caller's pointer holds it now */
  return OK;
}

/* ---- numbering ---- */

static enum status grow_slots(struct numbering *numbering, struct error *error) {
  uint32_t slot_count = numbering->slot_count == 0 ? FIRST_ROOM : numbering->slot_count * 2;
  uint32_t *slots = slot_count == 0 ? NULL : malloc((size_t)slot_count * sizeof *slots);
  if (slots == NULL) {
    return error_memory(error);
  }
  memset(slots, 0xFF, (size_t)slot_count * sizeof *slots);
  for (uint32_t i = 0; i < numbering->count; i++) {
    uint32_t slot = (uint32_t)numbering->hashes[i] & (slot_count - 1);
    while (slots[slot] != LINK_MISSING) {
      slot = (slot + 1) & (slot_count - 1);
    }
    slots[slot] = i;
  }
  free(numbering->slots);
  numbering->slots = slots;
  numbering->slot_count = slot_count;
  return OK;
}

enum status numbering_add(struct numbering *numbering, uint64_t hash, numbering_equal *equal, const void *context,
                          const void *value, uint32_t *number, struct error *error) {
  size_t capacity = numbering->capacity;
  if (numbering->count >= numbering->slot_count / 4 * 3 && grow_slots(numbering, error) != OK) {
    return error->code;
  }
  uint32_t mask = numbering->slot_count - 1;
  uint32_t slot = (uint32_t)hash & mask;
  for (; numbering->slots[slot] != LINK_MISSING; slot = (slot + 1) & mask) {
    uint32_t known = numbering->slots[slot];
    if (numbering->hashes[known] == hash && equal(context, known, value)) {
      *number = known;
      return OK;
    }
  }
  if (array_reserve(&numbering->hashes, &capacity, numbering->count, sizeof *numbering->hashes, error) != OK) {
    return error->code;
  }
  numbering->capacity = (uint32_t)capacity;
  numbering->hashes[numbering->count] = hash;
  numbering->slots[slot] = numbering->count;
  *number = numbering->count++;
  return OK;
}

void numbering_free(struct numbering *numbering) {
  free(numbering->hashes);
  free(numbering->slots);
  *numbering = (struct numbering){0};
}

/* ---- texts ---- */

void texts_init(struct texts *texts) {
  *texts = (struct texts){0};
  buffer_init(&texts->bytes, TEXTS_LIMIT);
}

void texts_free(struct texts *texts) {
  numbering_free(&texts->numbering);
  buffer_free(&texts->bytes);
  free(texts->starts);
  texts->starts = NULL;
}

static bool text_equal(const void *context, uint32_t number, const void *value) {
  const struct slice *text = value;
  return slice_equal(texts_get(context, number), *text);
}

enum status texts_add(struct texts *texts, struct slice text, uint32_t *number, struct error *error) {
  uint32_t known = texts->numbering.count;
  enum status status = array_reserve(&texts->starts, &texts->room, known + (size_t)1, sizeof *texts->starts, error);
  if (status == OK) {
    status = numbering_add(&texts->numbering, value_hash(text), text_equal, texts, &text, number, error);
  }
  if (status != OK || *number != known) {
    return status;
  }
  texts->starts[known] = texts->bytes.len;
  buffer_slice(&texts->bytes, text);
  texts->starts[known + 1] = texts->bytes.len;
  return buffer_check(&texts->bytes, "values", error);
}

/* ---- pairs ---- */

void number_pairs_free(struct number_pairs *pairs) {
  numbering_free(&pairs->numbering);
  free(pairs->pairs);
  pairs->pairs = NULL;
}

static bool pair_equal(const void *context, uint32_t number, const void *value) {
  const struct number_pairs *pairs = context;
  const struct number_pair *pair = value;
  return pairs->pairs[number].first == pair->first && pairs->pairs[number].second == pair->second;
}

enum status number_pairs_add(struct number_pairs *pairs, struct number_pair pair, uint64_t hash, uint32_t *number,
                             struct error *error) {
  uint32_t known = pairs->numbering.count;
  enum status status = array_reserve(&pairs->pairs, &pairs->room, known, sizeof *pairs->pairs, error);
  if (status == OK) {
    status = numbering_add(&pairs->numbering, hash, pair_equal, pairs, &pair, number, error);
  }
  if (status == OK && *number == known) {
    pairs->pairs[known] = pair;
  }
  return status;
}

/* ---- names ---- */

enum status names_init(struct names *names, struct standard *standard, struct error *error) {
  *names = (struct names){.standard = standard, .joined = arena_new(TEXTS_LIMIT)};
  return names->joined == NULL ? error_memory(error) : OK;
}

void names_free(struct names *names) {
  numbering_free(&names->numbering);
  free(names->values);
  free(names->tokens);
  free(names->token_hashes);
  free(names->sound_hashes);
  free(names->andean_hashes);
  arena_free(names->joined);
}

struct sequence {
  const uint32_t *tokens;
  size_t count;
};

static_assert(sizeof(struct name_value) == 64, "a pair of names reads two lines of the cache");

static bool name_equal(const void *context, uint32_t number, const void *value) {
  const struct names *names = context;
  const struct sequence *sequence = value;
  const struct name_value *name = &names->values[number];
  return name->count == sequence->count
         && memcmp(names_tokens(names, name), sequence->tokens, sequence->count * sizeof *sequence->tokens) == 0;
}

static enum status hash_tokens(struct names *names, struct error *error) {
  enum status status = OK;
  for (uint32_t count = map_count(names->standard->tokens); status == OK && names->hashed < count;) {
    status = array_reserve(&names->token_hashes, &names->hash_room, names->hashed, sizeof *names->token_hashes, error);
    if (status == OK) {
      names->token_hashes[names->hashed] = value_hash(standard_token(names->standard, (uint32_t)names->hashed));
      names->hashed++;
    }
  }
  return status;
}

static enum status join_tokens(struct names *names, struct name_value *name, const uint32_t *tokens,
                               struct error *error) {
  size_t length = 0;
  for (size_t i = 0; i < name->count; i++) {
    length += names->standard->token[tokens[i]].length;
  }
  char *text = arena_bytes(names->joined, length);
  if (text == NULL) {
    return error_memory(error);
  }
  name->text = text;
  for (size_t i = 0; i < name->count; i++) {
    struct slice token = standard_token(names->standard, tokens[i]);
    memcpy(text, token.data, token.len);
    text += token.len;
  }
  name->length = (uint8_t)(length < SIMILAR_LENGTH_MOST ? length : SIMILAR_LENGTH_MOST);
  name->signature = similar_signature(slice_make(name->text, name->length));
  return OK;
}

static enum status keep_name(struct names *names, const uint32_t *tokens, size_t count, struct error *error) {
  const struct token *token = &names->standard->token[tokens[0]];
  struct name_value name = {.count = (uint8_t)count, .sound = MAP_NONE, .andean = MAP_NONE};
  if (count == 1) {
    name.text = token->text;
    name.signature = token->signature;
    name.length = token->length;
    name.sound = token->sound;
    name.andean = token->andean;
  }
  for (size_t i = 0; i < count; i++) {
    token = &names->standard->token[tokens[i]];
    name.mask |= UINT32_C(1) << (names->token_hashes[tokens[i]] & 31);
    name.initials = name.initials || token->length == 1;
    name.shortened = name.shortened || token->diminutive != 0 || token->suffixed;
  }
  bool near = count <= NAMES_TOKENS_NEAR;
  enum status status = count == 1 ? OK : join_tokens(names, &name, tokens, error);
  if (status == OK && !near) {
    status = array_reserve(&names->tokens, &names->token_room, names->token_count + count, sizeof *tokens, error);
  }
  if (status == OK) {
    memcpy(near ? name.near : names->tokens + names->token_count, tokens, count * sizeof *tokens);
    if (!near) {
      name.near[0] = (uint32_t)names->token_count;
      names->token_count += count;
    }
    names->values[names->numbering.count - 1] = name;
  }
  return status;
}

enum status names_add(struct names *names, const uint32_t *tokens, size_t count, uint32_t *number,
                      struct error *error) {
  struct sequence sequence = {.tokens = tokens, .count = count};
  uint32_t known = names->numbering.count;
  uint64_t hash = count;
  *number = LINK_MISSING;
  if (count == 0) {
    return OK;
  }
  enum status status = hash_tokens(names, error);
  if (status == OK) {
    status = array_reserve(&names->values, &names->room, known, sizeof *names->values, error);
  }
  for (size_t i = 0; status == OK && i < count; i++) {
    hash = value_mix(hash, names->token_hashes[tokens[i]]);
  }
  if (status == OK) {
    status = numbering_add(&names->numbering, hash, name_equal, names, &sequence, number, error);
  }
  return status == OK && *number == known ? keep_name(names, tokens, count, error) : status;
}

enum status names_add_set(struct names *names, uint32_t *tokens, size_t count, uint32_t *number, struct error *error) {
  size_t kept = 0;
  enum status status = hash_tokens(names, error);
  if (status != OK) {
    return status;
  }
  const uint64_t *hashes = names->token_hashes;
  for (size_t i = 0; i < count; i++) {
    uint32_t token = tokens[i];
    size_t at = kept;
    while (at > 0 && hashes[tokens[at - 1]] > hashes[token]) {
      at--;
    }
    if (at == 0 || tokens[at - 1] != token) {
      memmove(tokens + at + 1, tokens + at, (kept - at) * sizeof *tokens);
      tokens[at] = token;
      kept++;
    }
  }
  return names_add(names, tokens, kept, number, error);
}

static enum status hash_keys(const struct map *map, uint64_t **hashes, struct error *error) {
  uint32_t count = map_count(map);
  *hashes = malloc((count + (size_t)1) * sizeof **hashes);
  for (uint32_t i = 0; *hashes != NULL && i < count; i++) {
    (*hashes)[i] = value_hash(map_key(map, i));
  }
  return *hashes == NULL ? error_memory(error) : OK;
}

/* To where each stands in one line of the cache, and no more of them than there are. */
static enum status align_names(struct names *names, struct error *error) {
  size_t bytes = (size_t)names->numbering.count * sizeof *names->values;
  struct name_value *aligned = aligned_alloc(sizeof *aligned, bytes + sizeof *aligned);
  if (aligned == NULL) {
    return error_memory(error);
  }
  if (bytes > 0) {
    memcpy(aligned, names->values, bytes);
  }
  free(names->values);
  names->values = aligned;
  names->room = names->numbering.count;
  return OK;
}

enum status names_finish(struct names *names, struct error *error) {
  if (align_names(names, error) != OK) {
    return error->code;
  }
  enum status status = hash_keys(names->standard->sounds, &names->sound_hashes, error);
  return status == OK ? hash_keys(names->standard->andeans, &names->andean_hashes, error) : status;
}

/* ---- comparisons ---- */

uint64_t comparison_value_hash(const struct comparison_values *values, uint32_t value) {
  switch (values->comparison->kind) {
  case COMPARE_GIVEN:
  case COMPARE_NAME:
    return values->names->numbering.hashes[value];
  case COMPARE_SURNAMES:
  case COMPARE_DOCUMENT:
    return values->pairs.numbering.hashes[value];
  case COMPARE_DATE:
  case COMPARE_AGE:
  case COMPARE_DAYS:
    return values->numbering.hashes[value];
  default:
    return values->texts.numbering.hashes[value];
  }
}

uint32_t comparison_value_count(const struct comparison_values *values) {
  switch (values->comparison->kind) {
  case COMPARE_GIVEN:
  case COMPARE_NAME:
    return values->names->numbering.count;
  case COMPARE_SURNAMES:
  case COMPARE_DOCUMENT:
    return values->pairs.numbering.count;
  case COMPARE_DATE:
  case COMPARE_AGE:
  case COMPARE_DAYS:
    return values->numbering.count;
  default:
    return values->texts.numbering.count;
  }
}
