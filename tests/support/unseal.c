#include "tests/support/unseal.h"

#include <stdlib.h>
#include <string.h>

static const struct {
  const char *table, *column, *id, *from;
} SEALED[] = {
    {"identity", "body", "row_id", "0"},           {"encoding", "body", "row_id", "0"},
    {"person_identity", "body", "id", "from_run"}, {"case_identity", "body", "id", "from_run"},
    {"raw_chunk", "body", "chunk_id", "0"},        {"raw_chunk", "context", "chunk_id", "0"},
    {"link_model", "sealed", "model_id", "0"},
};

const char *unseal_part(const char *table, const char *column, const char **id, const char **from) {
  static char part[64];
  for (size_t i = 0; i < sizeof SEALED / sizeof *SEALED; i++) {
    if (strcmp(SEALED[i].table, table) == 0 && strcmp(SEALED[i].column, column) == 0) {
      *id = SEALED[i].id;
      *from = SEALED[i].from;
      snprintf(part, sizeof part, "%s.%s", table, column);
      return part;
    }
  }
  return NULL;
}

static void give_up(const char *what) {
  fprintf(stderr, "test harness: unseal: %s\n", what);
  abort();
}

void unseal_begin(struct unsealer *unsealer, const char *key_file) {
  struct error error;
  *unsealer = (struct unsealer){.count = 0};
  if (key_load(key_file, &unsealer->key, &error) != OK) {
    give_up(error.message);
  }
}

void unseal_add(struct unsealer *unsealer, uint32_t id, const char *purpose, const char *wrapped) {
  uint8_t bytes[SEAL_WRAPPED];
  struct subkey wrapping = key_wrapping(unsealer->key);
  if (unsealer->count == UNSEAL_KEYS) {
    give_up("too many keys");
  }
  struct seal_key *key = &unsealer->keys[unsealer->count];
  key->id = id;
  unsealer->count +=
      hex_parse(slice_of(wrapped), bytes, sizeof bytes) && seal_unwrap(&wrapping, id, purpose, bytes, key->bytes);
}

static bool open_body(const struct unsealer *unsealer, const struct seal_place *place, struct slice body, char *text) {
  for (size_t i = 0; i < unsealer->count; i++) {
    if (unsealer->keys[i].id == seal_key_id(body) && seal_open(&unsealer->keys[i], place, body, text)) {
      return true;
    }
  }
  return false;
}

void unseal_put(const struct unsealer *unsealer, const char *field, FILE *out) {
  char part[64];
  long long id, from;
  int at = 0;
  if (sscanf(field, "@%63s %lld %lld %n", part, &id, &from, &at) != 3 || at == 0 || field[at] == '\0') {
    fputs(field, out);
    return;
  }
  size_t len = strlen(field + at) / 2;
  char *body = malloc(len + 1), *text = malloc(len + 1), *hex = malloc(2 * len + 1);
  if (body == NULL || text == NULL || hex == NULL || !hex_parse(slice_of(field + at), (uint8_t *)body, len)) {
    give_up("a field");
  }
  const struct seal_place place = {.part = part, .id = id, .from = from};
  struct slice sealed = slice_make(body, len);
  if (!seal_is(sealed)) {
    give_up("a body that is not sealed");
  }
  if (!open_body(unsealer, &place, sealed, text)) {
    give_up("a body that does not open");
  }
  hex_format((const uint8_t *)text, len - SEAL_EXTRA, hex);
  fputs(hex, out);
  free(body);
  free(text);
  free(hex);
}

void unseal_end(struct unsealer *unsealer) {
  key_free(unsealer->key);
}
