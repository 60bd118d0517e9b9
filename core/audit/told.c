#include "core/audit/told.h"

#include "core/base/text.h"

#include <stdio.h>
#include <string.h>

static const size_t ROWS_LIMIT = (size_t)1 << 28, CLAIMS_LIMIT = (size_t)1 << 30;

/* ---- entries ---- */

void told_put(struct buffer *text, struct slice definition, struct slice cells) {
  buffer_slice(text, definition);
  buffer_char(text, '\0');
  buffer_slice(text, cells);
  buffer_char(text, '\0');
}

enum status told_body(const struct told_row *rows, size_t count, char body[TOLD_BODY_MOST], struct error *error) {
  char hex[2 * SHA256_SIZE + 1];
  struct buffer text;
  buffer_init(&text, ROWS_LIMIT);
  for (size_t i = 0; i < count; i++) {
    told_put(&text, slice_of(rows[i].definition), slice_of(rows[i].cells));
  }
  enum status status = buffer_check(&text, "told tables", error);
  const struct sha256 digest = status == OK ? sha256_of(buffer_view(&text)) : (struct sha256){{0}};
  buffer_free(&text);
  hex_format(digest.bytes, SHA256_SIZE, hex);
  snprintf(body, TOLD_BODY_MOST, "{\"digest\":\"%s\",\"from\":%lld,\"tables\":%zu}", hex, (long long)rows[0].id, count);
  return status;
}

/* ---- verification ---- */

/* What an entry names. */
struct claim {
  int64_t sequence, from, tables;
  struct sha256 digest;
};

/* Moves behind what is expected, and what ends before `end`. */
static bool take(struct slice *body, const char *expected, char end, struct slice *value) {
  size_t len = strlen(expected);
  if (body->len < len || memcmp(body->data, expected, len) != 0) {
    return false;
  }
  const char *from = body->data + len, *to = memchr(from, end, body->len - len);
  if (to == NULL) {
    return false;
  }
  *value = slice_make(from, (size_t)(to - from));
  *body = slice_make(to, body->len - len - value->len);
  return true;
}

static bool read_body(struct slice body, struct claim *claim) {
  struct slice hex, from, tables;
  return take(&body, "{\"digest\":\"", '"', &hex) && take(&body, "\",\"from\":", ',', &from)
         && take(&body, ",\"tables\":", '}', &tables) && hex.len == (size_t)2 * SHA256_SIZE
         && hex_parse(hex, claim->digest.bytes, SHA256_SIZE) && text_to_int64(from, &claim->from)
         && text_to_int64(tables, &claim->tables) && claim->from > 0;
}

enum status told_check_begin(struct told_check *check, struct store *store, struct error *error) {
  buffer_init(&check->claims, CLAIMS_LIMIT);
  return store_told_last(store, &check->last, error);
}

void told_check_free(struct told_check *check) {
  buffer_free(&check->claims);
}

enum status told_check_entry(struct told_check *check, const struct audit_row *row, struct error *error) {
  struct claim claim = {.sequence = row->sequence};
  if (strcmp(row->event, "told") != 0) {
    return OK;
  }
  if (!read_body(slice_of(row->body), &claim)) {
    claim = (struct claim){.sequence = row->sequence}; /* a digest that nothing has */
  }
  buffer_append(&check->claims, &claim, sizeof claim);
  return buffer_check(&check->claims, "told tables", error);
}

/* Rows and claims side by side: both ascend. */
struct comparing {
  const struct told_check *check;
  const struct claim *claims;
  size_t count, at;
  struct buffer text; /* of the rows of the claim at hand */
  int64_t seen, wrong;
  bool unnamed;
};

static void end_claim(struct comparing *self) {
  const struct claim *claim = &self->claims[self->at++];
  struct sha256 digest = sha256_of(self->text.len == 0 ? slice_of("") : buffer_view(&self->text));
  bool same = self->seen == claim->tables && memcmp(&digest, &claim->digest, sizeof digest) == 0;
  self->wrong = self->wrong == 0 && !same ? claim->sequence : self->wrong;
  self->seen = 0;
  buffer_reset(&self->text);
}

static enum status compare_row(void *context, int64_t id, struct slice definition, struct slice cells,
                               struct error *error) {
  struct comparing *self = context;
  while (self->at < self->count && id >= self->claims[self->at].from
         && id - self->claims[self->at].from >= self->claims[self->at].tables) {
    end_claim(self);
  }
  if (self->at == self->count || id < self->claims[self->at].from) {
    self->unnamed = self->unnamed || id <= self->check->last;
    return OK;
  }
  self->seen++;
  told_put(&self->text, definition, cells);
  return buffer_check(&self->text, "told tables", error);
}

enum status told_check_rows(const struct told_check *check, struct store *store, int64_t *wrong, bool *unnamed,
                            struct error *error) {
  struct comparing self = {.check = check,
                           .claims = (const struct claim *)check->claims.data,
                           .count = check->claims.len / sizeof(struct claim)};
  buffer_init(&self.text, ROWS_LIMIT);
  enum status status = store_visit_told(store, compare_row, &self, error);
  while (status == OK && self.at < self.count) {
    end_claim(&self);
  }
  buffer_free(&self.text);
  *wrong = self.wrong;
  *unnamed = self.unnamed;
  return status;
}
