#include "core/store/internal.h"

#include "core/base/text.h"

enum { NUMBER_MOST = 127, INTEGER_FLAG = 128, VALUES_LIMIT = 64 << 20 };

/* ---- cells and values ---- */

/* No zero byte and nothing but ASCII: the usual case, told without a decoder. */
static bool is_plain(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++) {
    if ((signed char)text[i] <= 0) {
      return false;
    }
  }
  return true;
}

struct value cell_value(struct store *store, const struct cell *cell, enum column_type type) {
  if (cell->kind == CELL_INTEGER) {
    if (type == COLUMN_INTEGER) {
      return int_value(cell->integer);
    }
    return text_value(arena_printf(store->scratch, "%lld", (long long)cell->integer));
  }
  if (cell->kind != CELL_TEXT) {
    return null_value();
  }
  struct slice text = slice_make(cell->text, cell->len);
  int64_t integer;
  if (type == COLUMN_INTEGER) {
    return text_to_int64(text, &integer) ? int_value(integer) : null_value();
  }
  if (text.data == NULL) {
    text.data = "";
  }
  return slice_value(is_plain(text.data, text.len) ? text : db_text(store, text));
}

struct cell value_cell(struct value value) {
  switch (value.kind) {
  case VALUE_INTEGER:
    return (struct cell){.kind = CELL_INTEGER, .integer = value.integer};
  case VALUE_TEXT:
    return (struct cell){.kind = CELL_TEXT, .len = value.len, .text = value.text};
  default:
    return (struct cell){.kind = CELL_NULL};
  }
}

bool value_same(const struct value *a, const struct value *b) {
  if (a->kind != b->kind) {
    return false;
  }
  if (a->kind == VALUE_INTEGER) {
    return a->integer == b->integer;
  }
  return a->kind == VALUE_NULL || (a->len == b->len && memcmp(a->text, b->text, a->len) == 0);
}

/* ---- missing reasons ---- */

struct value missing_encode(struct store *store, const struct entity *entity, const struct cell *cells) {
  size_t size = 0;
  for (size_t i = 0; i < entity->column_count; i++) {
    if (cells[i].kind == CELL_NULL && cells[i].missing != MISSING_UNSTATED) {
      size += strlen(entity->columns[i].name) + strlen(missing_name((enum missing)cells[i].missing)) + 2;
    }
  }
  char *text = size == 0 ? NULL : arena_bytes(store->scratch, size);
  if (text == NULL) {
    return null_value();
  }
  size_t used = 0;
  for (size_t i = 0; i < entity->column_count; i++) {
    if (cells[i].kind != CELL_NULL || cells[i].missing == MISSING_UNSTATED) {
      continue;
    }
    struct slice name = slice_of(entity->columns[i].name);
    struct slice reason = slice_of(missing_name((enum missing)cells[i].missing));
    memcpy(text + used, name.data, name.len);
    used += name.len;
    text[used++] = ':';
    memcpy(text + used, reason.data, reason.len);
    used += reason.len;
    text[used++] = ' ';
  }
  return slice_value(slice_make(text, used - 1));
}

static void missing_set(const struct entity *entity, struct slice name, struct slice reason, struct cell *cells) {
  enum missing missing;
  for (size_t i = 0; i < entity->column_count; i++) {
    if (slice_is(name, entity->columns[i].name) && cells[i].kind == CELL_NULL && missing_parse(reason, &missing)) {
      cells[i].missing = (uint8_t)missing;
    }
  }
}

void missing_decode(const struct entity *entity, struct slice text, struct cell *cells) {
  while (text.len > 0) {
    const char *space = memchr(text.data, ' ', text.len);
    size_t len = space == NULL ? text.len : (size_t)(space - text.data);
    const char *colon = memchr(text.data, ':', len);
    if (colon != NULL) {
      size_t name = (size_t)(colon - text.data);
      missing_set(entity, slice_make(text.data, name), slice_make(colon + 1, len - name - 1), cells);
    }
    size_t used = space == NULL ? len : len + 1;
    text = slice_make(text.data + used, text.len - used);
  }
}

/* ---- identifiers ---- */

static size_t encode_one(char *out, uint8_t number, const struct cell *cell) {
  size_t used = 0;
  if (cell->kind == CELL_INTEGER) {
    out[used++] = (char)(number | INTEGER_FLAG);
    for (int shift = 0; shift < 64; shift += 8) {
      out[used++] = (char)((uint64_t)cell->integer >> shift & 255);
    }
    return used;
  }
  out[used++] = (char)number;
  uint32_t len = cell->len;
  for (; len >= 128; len >>= 7) {
    out[used++] = (char)(len | 128);
  }
  out[used++] = (char)len;
  memcpy(out + used, cell->text, cell->len);
  return used + cell->len;
}

enum status identity_encode(struct store *store, const struct shelf *shelf, const struct cell *cells,
                            struct slice *body, struct error *error) {
  size_t size = 0;
  for (size_t i = 0; i < shelf->identifier_count; i++) {
    const struct cell *cell = &cells[shelf->identifiers[i]];
    size += cell->kind == CELL_NULL ? 0 : cell->kind == CELL_INTEGER ? 9 : (size_t)cell->len + 6;
  }
  *body = slice_make(NULL, 0);
  if (size == 0) {
    return OK;
  }
  char *out = arena_bytes(store->scratch, size + 1);
  if (out == NULL) {
    return error_memory(error);
  }
  size_t used = 0;
  out[used++] = CODEC_PLAIN;
  for (size_t i = 0; i < shelf->identifier_count; i++) {
    const struct cell *cell = &cells[shelf->identifiers[i]];
    if (cell->kind != CELL_NULL) {
      used += encode_one(out + used, shelf->identifier_numbers[i], cell);
    }
  }
  *body = slice_make(out, used);
  return OK;
}

/* The cell of a number; a scratch cell where the model no longer has that field. */
static struct cell *cell_of_number(const struct shelf *shelf, uint8_t number, struct cell *cells, struct cell *other) {
  for (size_t i = 0; i < shelf->identifier_count; i++) {
    if (shelf->identifier_numbers[i] == number) {
      return &cells[shelf->identifiers[i]];
    }
  }
  return other;
}

static bool read_length(struct slice body, size_t *at, size_t *len) {
  *len = 0;
  for (unsigned shift = 0; shift < 35 && *at < body.len; shift += 7) {
    unsigned char byte = (unsigned char)body.data[(*at)++];
    *len |= (size_t)(byte & 127) << shift;
    if (byte < 128) {
      return *len <= body.len - *at;
    }
  }
  return false;
}

static bool decode_one(const struct shelf *shelf, struct slice body, size_t *at, struct cell *cells) {
  struct cell other;
  uint8_t number = (uint8_t)body.data[(*at)++];
  struct cell *cell = cell_of_number(shelf, number & NUMBER_MOST, cells, &other);
  if ((number & INTEGER_FLAG) != 0) {
    if (body.len - *at < 8) {
      return false;
    }
    uint64_t integer = 0;
    for (int i = 0; i < 8; i++) {
      integer |= (uint64_t)(unsigned char)body.data[*at + (size_t)i] << (8 * i);
    }
    *at += 8;
    *cell = (struct cell){.kind = CELL_INTEGER, .integer = (int64_t)integer};
    return true;
  }
  size_t len;
  if (!read_length(body, at, &len)) {
    return false;
  }
  *cell = (struct cell){.kind = CELL_TEXT, .len = (uint32_t)len, .text = body.data + *at};
  *at += len;
  return true;
}

enum status identity_decode(const struct shelf *shelf, struct slice body, struct cell *cells, struct error *error) {
  if (body.len == 0) {
    return OK;
  }
  size_t at = 1;
  bool fine = body.data[0] == CODEC_PLAIN;
  while (fine && at < body.len) {
    fine = decode_one(shelf, body, &at, cells);
  }
  return fine ? OK : error_set(error, ERR_STORE, "%s", _("a stored identity cannot be decoded"));
}

void identity_keys(struct store *store, const struct shelf *shelf, const struct cell *cells,
                   struct keyed_digest *digests, struct value *values) {
  for (size_t k = 0; k < store->key_count; k++) {
    values[k] = null_value();
    const struct equality_key *key = shelf->key[k];
    size_t size = 0;
    bool whole = key != NULL && store->key != NULL;
    for (size_t i = 0; whole && i < key->count; i++) {
      const struct cell *cell = &cells[key->fields[i]->column];
      whole = cell->kind == CELL_TEXT;
      size += whole ? (size_t)cell->len + 1 : 0;
    }
    char *text = whole ? arena_bytes(store->scratch, size) : NULL;
    if (text == NULL) {
      continue;
    }
    size_t used = 0;
    for (size_t i = 0; i < key->count; i++) {
      const struct cell *cell = &cells[key->fields[i]->column];
      memcpy(text + used, cell->text, cell->len);
      used += cell->len;
      text[used++] = 0x1f;
    }
    digests[k] = subkey_digest(&store->subkeys[k], slice_make(text, used));
    values[k] = bytes_value(digests[k].bytes, KEYED_SIZE);
  }
}
