/* What a record shows of its values to others: keys for blocking, texts for term frequencies. */
#include "core/link/prepare.h"
#include "core/link/values.h"

enum { DOCUMENT_PART = 5, TEXT_PREFIX = 4, PAIRED_TOKENS = 5 };

struct parts {
  uint64_t *hashes;
  size_t count, most;
};

/* Each once. */
static void add(struct parts *parts, uint64_t hash) {
  for (size_t i = 0; i < parts->count; i++) {
    if (parts->hashes[i] == hash) {
      return;
    }
  }
  if (parts->count < parts->most) {
    parts->hashes[parts->count++] = hash;
  }
}

/* The Andean key takes in the Spanish one; a token without sound stands for itself. */
static uint64_t sound_hash(const struct names *names, uint32_t token, bool andean) {
  const struct token *known = &names->standard->token[token];
  if (andean && known->andean != MAP_NONE) {
    return names->andean_hashes[known->andean];
  }
  return known->sound != MAP_NONE ? names->sound_hashes[known->sound] : names->token_hashes[token];
}

static void add_tokens(struct parts *parts, const struct names *names, uint32_t number, bool sound) {
  if (number == LINK_MISSING) {
    return;
  }
  const struct name_value *name = &names->values[number];
  const uint32_t *tokens = names_tokens(names, name);
  for (size_t i = 0; i < name->count; i++) {
    add(parts, sound ? sound_hash(names, tokens[i], true) : names->token_hashes[tokens[i]]);
  }
}

static void given_parts(struct parts *parts, const struct names *names, uint32_t number, int part) {
  const struct name_value *name = &names->values[number];
  const uint32_t *tokens = names_tokens(names, name);
  uint64_t sum = 0;
  switch (part) {
  case PART_GIVEN_FIRST:
    add(parts, names->token_hashes[tokens[0]]);
    return;
  case PART_GIVEN_ANY:
    add_tokens(parts, names, number, false);
    return;
  case PART_GIVEN_SOUND:
    add(parts, sound_hash(names, tokens[0], false));
    return;
  default:
    /* In any order. */
    for (size_t i = 0; i < name->count; i++) {
      sum += names->token_hashes[tokens[i]];
    }
    add(parts, value_mix(sum, name->count));
  }
}

static uint64_t name_hash(const struct names *names, uint32_t number) {
  return number == LINK_MISSING ? 0 : names->numbering.hashes[number];
}

static void surname_parts(struct parts *parts, const struct names *names, struct number_pair pair, int part) {
  switch (part) {
  case PART_SURNAMES_PATERNAL:
  case PART_SURNAMES_MATERNAL: {
    uint32_t number = part == PART_SURNAMES_PATERNAL ? pair.first : pair.second;
    if (number != LINK_MISSING) {
      add(parts, name_hash(names, number));
    }
    return;
  }
  case PART_SURNAMES_ANY:
  case PART_SURNAMES_SOUND:
    add_tokens(parts, names, pair.first, part == PART_SURNAMES_SOUND);
    add_tokens(parts, names, pair.second, part == PART_SURNAMES_SOUND);
    return;
  default:
    /* In either order, so that swapped ones meet. */
    add(parts, value_mix(1, name_hash(names, pair.first) + name_hash(names, pair.second)));
  }
}

static void name_parts(struct parts *parts, const struct names *names, uint32_t number, int part) {
  const struct name_value *name = &names->values[number];
  const uint32_t *tokens = names_tokens(names, name);
  size_t paired = name->count < PAIRED_TOKENS ? name->count : PAIRED_TOKENS;
  switch (part) {
  case PART_NAME_ANY:
  case PART_NAME_SOUND:
    add_tokens(parts, names, number, part == PART_NAME_SOUND);
    return;
  case PART_NAME_PAIR:
    for (size_t i = 0; i < paired; i++) {
      for (size_t j = i + 1; j < paired; j++) {
        add(parts, value_mix(2, names->token_hashes[tokens[i]] + names->token_hashes[tokens[j]]));
      }
    }
    return;
  default:
    add(parts, name_hash(names, number));
  }
}

static void date_parts(struct parts *parts, uint32_t date, int part) {
  uint32_t month = date >> 8 & 0xFF;
  uint32_t day = date & 0xFF;
  switch (part) {
  case PART_DATE_YEAR:
    add(parts, value_mix(3, date >> 16));
    return;
  case PART_DATE_MONTH_AND_YEAR:
    if (month != 0) {
      add(parts, value_mix(4, date >> 8));
    }
    return;
  case PART_DATE_DAY_AND_MONTH:
    if (day != 0) {
      add(parts, value_mix(5, month < day ? month << 8 | day : day << 8 | month));
    }
    return;
  default:
    add(parts, value_mix(6, date));
  }
}

static void document_parts(struct parts *parts, struct slice number, uint64_t hash, int part) {
  size_t length = number.len < DOCUMENT_PART ? number.len : DOCUMENT_PART;
  switch (part) {
  case PART_DOCUMENT_PREFIX:
    add(parts, value_hash(slice_make(number.data, length)));
    return;
  case PART_DOCUMENT_SUFFIX:
    add(parts, value_hash(slice_make(number.data + number.len - length, length)));
    return;
  default:
    add(parts, hash);
  }
}

static void prefix_part(struct parts *parts, struct slice text) {
  add(parts, value_hash(slice_make(text.data, text.len < TEXT_PREFIX ? text.len : TEXT_PREFIX)));
}

static void word_parts(struct parts *parts, struct slice text, bool sound) {
  char key[NAME_TOKEN_BYTES_MOST + 1];
  for (size_t from = 0; from < text.len;) {
    const char *space = memchr(text.data + from, ' ', text.len - from);
    size_t end = space == NULL ? text.len : (size_t)(space - text.data);
    struct slice word = slice_make(text.data + from, end - from);
    size_t length = sound && word.len < sizeof key ? standard_sound(word, key) : 0;
    add(parts, value_hash(length > 0 ? slice_make(key, length) : word));
    from = end + 1;
  }
}

static void text_parts(struct parts *parts, const struct comparison_values *values, uint32_t value, int part) {
  struct slice text = texts_get(&values->texts, value);
  switch (part) {
  case PART_TEXT_PREFIX:
    prefix_part(parts, text);
    return;
  case PART_TEXT_TOKEN:
  case PART_TEXT_SOUND:
    word_parts(parts, text, part == PART_TEXT_SOUND);
    return;
  default:
    add(parts, comparison_value_hash(values, value));
  }
}

static void code_parts(struct parts *parts, const struct comparison_values *values, uint32_t value, int part) {
  if (part != PART_CODE_ANY) {
    add(parts, comparison_value_hash(values, value));
    return;
  }
  for (uint32_t i = values->atom_starts[value]; i < values->atom_starts[value + 1]; i++) {
    add(parts, values->atoms.numbering.hashes[values->atom_numbers[i]]);
  }
}

static void place_parts(struct parts *parts, const struct comparison_values *values, uint32_t value, int part) {
  struct slice place = texts_get(&values->texts, value);
  if (part == PART_PLACE_REGION) {
    place.len = place.len < PLACE_REGION ? place.len : PLACE_REGION;
    add(parts, value_hash(place));
    return;
  }
  add(parts, comparison_value_hash(values, value));
}

size_t prepared_parts(const struct prepared *prepared, const struct block_key *key, uint32_t record, uint64_t *hashes,
                      size_t most) {
  const struct comparison_values *values = prepared->values[key->comparison];
  uint32_t value = prepared->rows[record * prepared->width + key->comparison];
  struct parts parts = {.hashes = hashes, .most = most};
  if (value == LINK_MISSING) {
    return 0;
  }
  switch (values->comparison->kind) {
  case COMPARE_DOCUMENT: {
    uint32_t number = values->pairs.pairs[value].first;
    document_parts(&parts, texts_get(&values->texts, number), values->texts.numbering.hashes[number], key->part);
    break;
  }
  case COMPARE_GIVEN:
    given_parts(&parts, values->names, value, key->part);
    break;
  case COMPARE_SURNAMES:
    surname_parts(&parts, values->names, values->pairs.pairs[value], key->part);
    break;
  case COMPARE_NAME:
    name_parts(&parts, values->names, value, key->part);
    break;
  case COMPARE_DATE:
    date_parts(&parts, values->scalars[value], key->part);
    break;
  case COMPARE_TEXT:
    text_parts(&parts, values, value, key->part);
    break;
  case COMPARE_PLACE:
    place_parts(&parts, values, value, key->part);
    break;
  case COMPARE_CODE:
    code_parts(&parts, values, value, key->part);
    break;
  case COMPARE_NUMBER:
    if (key->part == PART_NUMBER_PREFIX) {
      prefix_part(&parts, texts_get(&values->texts, value));
      break;
    }
    add(&parts, comparison_value_hash(values, value));
    break;
  default:
    add(&parts, comparison_value_hash(values, value));
  }
  return parts.count;
}

/* ---- texts ---- */

/* Tokens parted by spaces, behind `before`. */
static struct slice name_text(const struct names *names, uint32_t number, const char *before, struct arena *arena) {
  if (number == LINK_MISSING) {
    return slice_of(arena_printf(arena, "%s-", before));
  }
  const struct name_value *name = &names->values[number];
  const uint32_t *tokens = names_tokens(names, name);
  size_t length = strlen(before);
  size_t most = length;
  for (size_t i = 0; i < name->count; i++) {
    most += standard_token(names->standard, tokens[i]).len + 1;
  }
  char *text = arena_bytes(arena, most);
  if (text == NULL) {
    return slice_none();
  }
  memcpy(text, before, length);
  for (size_t i = 0; i < name->count; i++) {
    struct slice token = standard_token(names->standard, tokens[i]);
    text[length] = ' ';
    length += i > 0;
    memcpy(text + length, token.data, token.len);
    length += token.len;
  }
  return slice_make(text, length);
}

static struct slice scalar_text(enum comparison_kind kind, uint32_t scalar, struct arena *arena) {
  if (kind == COMPARE_AGE) {
    return slice_of(arena_printf(arena, "%u", scalar));
  }
  if ((scalar & 0xFFFF) == 0) {
    return slice_of(arena_printf(arena, "%04x", scalar >> 16));
  }
  if ((scalar & 0xFF) == 0) {
    return slice_of(arena_printf(arena, "%04x-%02x", scalar >> 16, scalar >> 8 & 0xFF));
  }
  return slice_of(arena_printf(arena, "%04x-%02x-%02x", scalar >> 16, scalar >> 8 & 0xFF, scalar & 0xFF));
}

struct slice prepared_text(const struct prepared *prepared, size_t comparison, uint32_t value, struct arena *arena) {
  const struct comparison_values *values = prepared->values[comparison];
  struct number_pair pair;
  struct slice first;
  switch (values->comparison->kind) {
  case COMPARE_GIVEN:
  case COMPARE_NAME:
    return name_text(values->names, value, "", arena);
  case COMPARE_SURNAMES:
    pair = values->pairs.pairs[value];
    first = name_text(values->names, pair.first, "", arena);
    if (first.data != NULL) {
      char *before = arena_printf(arena, "%.*s / ", SLICE_ARG(first));
      first = before == NULL ? slice_none() : name_text(values->names, pair.second, before, arena);
    }
    return first;
  case COMPARE_DOCUMENT:
    pair = values->pairs.pairs[value];
    first = texts_get(&values->texts, pair.first);
    if (pair.second != LINK_MISSING) {
      struct slice type = texts_get(&values->types, pair.second);
      first = slice_of(arena_printf(arena, "%.*s / %.*s", SLICE_ARG(first), SLICE_ARG(type)));
    }
    return first;
  case COMPARE_DATE:
  case COMPARE_DAYS:
  case COMPARE_AGE:
    return scalar_text(values->comparison->kind, values->scalars[value], arena);
  default:
    return texts_get(&values->texts, value);
  }
}

size_t prepared_value_count(const struct prepared *prepared, size_t comparison) {
  return comparison_value_count(prepared->values[comparison]);
}
