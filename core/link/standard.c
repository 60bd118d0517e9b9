#include "core/base/text.h"
#include "core/link/diminutives.h"
#include "core/link/link.h"
#include "core/link/similar.h"
#include "core/link/standard_parts.h"

#include <assert.h>
#include <stdlib.h>

static_assert(MAP_NONE == LINK_MISSING, "what is not in a map is a missing value");
static_assert(sizeof(struct token) <= 32, "half a cache line: a scan of pairs reads two of them");

enum { FIRST_TOKENS = 1024 };

enum status standard_init(struct standard *standard, struct error *error) {
  *standard = (struct standard){.arena = arena_new(0),
                                .scratch = arena_new(0),
                                .tokens = map_new(),
                                .sounds = map_new(),
                                .andeans = map_new(),
                                .diminutives = diminutives_new()};
  bool made = standard->arena != NULL && standard->scratch != NULL && standard->tokens != NULL;
  made = made && standard->sounds != NULL && standard->andeans != NULL;
  if (!made || standard->diminutives == NULL) {
    standard_free(standard);
    return error_memory(error);
  }
  return OK;
}

void standard_free(struct standard *standard) {
  arena_free(standard->arena);
  arena_free(standard->scratch);
  map_free(standard->tokens);
  map_free(standard->sounds);
  map_free(standard->andeans);
  diminutives_free(standard->diminutives);
  free(standard->token);
  *standard = (struct standard){0};
}

struct slice standard_fold(struct arena *arena, struct slice text, bool keep_enye) {
  if (text.len > 0 && !utf8_valid(text)) {
    text = text_to_utf8(arena, text, ENCODING_WINDOWS_1252);
    if (text.data == NULL) {
      return text;
    }
  }
  return text_fold(arena, text, keep_enye);
}

static bool token_room(struct standard *standard, uint32_t number) {
  if (number < standard->token_capacity) {
    return true;
  }
  size_t capacity = standard->token_capacity == 0 ? FIRST_TOKENS : standard->token_capacity * 2;
  struct token *token = realloc(standard->token, capacity * sizeof *token);
  if (token == NULL) {
    return false;
  }
  standard->token = token;
  standard->token_capacity = capacity;
  return true;
}

/* False: no memory. */
static bool token_sounds(struct standard *standard, struct slice text, struct token *token) {
  char key[NAME_TOKEN_BYTES_MOST + 1];
  if (text.len < 2) {
    return true;
  }
  size_t length = standard_sound(text, key);
  token->sound = length == 0 ? MAP_NONE : map_intern(standard->sounds, slice_make(key, length));
  bool made = length == 0 || token->sound != MAP_NONE;
  length = standard_andean(text, key);
  token->andean = length == 0 ? MAP_NONE : map_intern(standard->andeans, slice_make(key, length));
  return made && (length == 0 || token->andean != MAP_NONE);
}

uint32_t standard_intern(struct standard *standard, struct slice text, bool folded) {
  uint32_t known = map_count(standard->tokens);
  uint32_t number = map_intern(standard->tokens, text);
  if (number != known || number == MAP_NONE) {
    return number;
  }
  if (!token_room(standard, number)) {
    return MAP_NONE;
  }
  struct token *token = &standard->token[number];
  *token = (struct token){.text = map_key(standard->tokens, number).data,
                          .length = (uint8_t)text.len,
                          .first = text.data[0],
                          .sound = MAP_NONE,
                          .andean = MAP_NONE};
  if (!folded) {
    return number; /* a written form is only ever compared by its number */
  }
  token->signature = similar_signature(text);
  token->diminutive = diminutives_find(standard->diminutives, text);
  token->suffixed = diminutives_has_suffix(text);
  return token_sounds(standard, text, token) ? number : MAP_NONE;
}

bool standard_initial(const struct standard *standard, uint32_t a, uint32_t b) {
  const struct token *left = &standard->token[a];
  const struct token *right = &standard->token[b];
  return left->first == right->first && (left->length == 1) != (right->length == 1);
}

static uint8_t shorter(const struct standard *standard, uint32_t a, uint32_t b) {
  uint8_t left = standard->token[a].length;
  uint8_t right = standard->token[b].length;
  return left < right ? left : right;
}

bool standard_sounds_alike(const struct standard *standard, uint32_t a, uint32_t b) {
  uint32_t sound = standard->token[a].sound;
  return sound != MAP_NONE && sound == standard->token[b].sound && shorter(standard, a, b) >= 3;
}

bool standard_andean_alike(const struct standard *standard, uint32_t a, uint32_t b) {
  uint32_t andean = standard->token[a].andean;
  return andean != MAP_NONE && andean == standard->token[b].andean && map_key(standard->andeans, andean).len >= 3;
}

bool standard_diminutive(const struct standard *standard, uint32_t a, uint32_t b) {
  const struct token *left = &standard->token[a];
  const struct token *right = &standard->token[b];
  if (a == b) {
    return false;
  }
  if (diminutives_meet(standard->diminutives, left->diminutive, right->diminutive)) {
    return true;
  }
  return (left->suffixed && diminutives_suffixed(standard_token(standard, a), standard_token(standard, b)))
         || (right->suffixed && diminutives_suffixed(standard_token(standard, b), standard_token(standard, a)));
}
