#include "core/store/internal.h"

#include <stdlib.h>

enum { BODY_MOST = 1 << 30, HEAD_MOST = 1 << 24 };

static struct seal_place context_place(int64_t chunk_id) {
  return (struct seal_place){.part = "raw_chunk.context", .id = chunk_id};
}

static struct seal_place body_place(int64_t chunk_id) {
  return (struct seal_place){.part = "raw_chunk.body", .id = chunk_id};
}

/* ---- writing ---- */

static enum status pack(struct store *store, struct slice body, size_t *len, struct error *error) {
  size_t bound = ZSTD_compressBound(body.len) + 1 + SEAL_EXTRA;
  if (bound > store->packed_size) {
    char *grown = realloc(store->packed, bound);
    if (grown == NULL) {
      return error_memory(error);
    }
    store->packed = grown;
    store->packed_size = bound;
  }
  char *out = store->packed + SEAL_HEAD;
  out[0] = CODEC_ZSTD;
  size_t size = ZSTD_compressCCtx(store->compressor, out + 1, bound - 1 - SEAL_EXTRA, body.data, body.len, 1);
  if (ZSTD_isError(size)) {
    return error_set(error, ERR_INTERNAL, _("a page cannot be compressed: %s"), ZSTD_getErrorName(size));
  }
  *len = size + 1;
  return OK;
}

enum status chunk_seal(struct store *store, int64_t chunk_id, struct slice context, struct slice body,
                       struct chunk_columns *columns, struct error *error) {
  const struct seal_place above = context_place(chunk_id), place = body_place(chunk_id);
  size_t len = 0;
  enum status status = ring_seal(store, &above, context, &columns->context, error);
  status = status == OK ? pack(store, body, &len, error) : status;
  status = status == OK ? ring_seal_there(store, &place, len, store->packed, error) : status;
  columns->body = slice_make(store->packed, len + SEAL_EXTRA);
  return status;
}

/* ---- reading ---- */

void chunk_init(struct chunk *chunk) {
  *chunk = (struct chunk){.id = 0};
  buffer_init(&chunk->head, HEAD_MOST);
}

void chunk_free(struct chunk *chunk) {
  buffer_free(&chunk->head);
  opened_free(&chunk->room);
  free(chunk->body);
}

static enum status unpack(struct store *store, int64_t id, struct chunk *chunk, struct slice packed, int64_t size,
                          struct error *error) {
  if (packed.len < 1 || packed.data[0] != CODEC_ZSTD || size < 0 || size > BODY_MOST) {
    return error_set(error, ERR_STORE, _("chunk %lld cannot be decoded"), (long long)id);
  }
  free(chunk->body);
  chunk->body = malloc((size_t)size + 1);
  if (chunk->body == NULL) {
    return error_memory(error);
  }
  size_t got = ZSTD_decompressDCtx(store->decompressor, chunk->body, (size_t)size, packed.data + 1, packed.len - 1);
  if (ZSTD_isError(got) || got != (size_t)size) {
    return error_set(error, ERR_STORE, _("chunk %lld cannot be decoded"), (long long)id);
  }
  chunk->len = got;
  return OK;
}

/* A context is sealed where its body is: one of before may begin with any byte. */
static enum status take_chunk(struct store *store, struct cursor *cursor, int64_t id, struct chunk *chunk,
                              struct error *error) {
  const struct driver_ops *ops = store->ops;
  const struct seal_place above = context_place(id), place = body_place(id);
  struct slice text = slice_of_value(ops->value(cursor, 2)), sealed = slice_of_value(ops->value(cursor, 4));
  enum status status = OK;
  buffer_reset(&chunk->head);
  buffer_slice(&chunk->head, slice_of_value(ops->value(cursor, 0)));
  buffer_char(&chunk->head, '\0');
  chunk->format = chunk->head.len;
  buffer_slice(&chunk->head, slice_of_value(ops->value(cursor, 1)));
  buffer_char(&chunk->head, '\0');
  chunk->context = chunk->head.len;
  if (seal_is(sealed) && text.len > 0) {
    status = ring_unseal(store, &above, text, &chunk->room, &text, error);
  }
  buffer_slice(&chunk->head, text);
  status = status == OK ? buffer_check(&chunk->head, "chunk", error) : status;
  status = status == OK ? ring_unseal(store, &place, sealed, &chunk->room, &text, error) : status;
  return status == OK ? unpack(store, id, chunk, text, int_of_value(ops->value(cursor, 3)), error) : status;
}

enum status chunk_read(struct store *store, int64_t chunk_id, struct chunk *chunk, struct error *error) {
  if (chunk->id == chunk_id) {
    return OK;
  }
  struct cursor *cursor;
  chunk->id = 0;
  enum status status =
      db_query(store, error, &cursor, "SELECT origin, format, context, size, body FROM raw_chunk WHERE chunk_id = $1",
               VALUES(int_value(chunk_id)));
  if (status != OK) {
    return status;
  }
  status = store->ops->next(cursor, error);
  if (status == END) {
    status = error_set(error, ERR_STORE, _("chunk %lld is missing"), (long long)chunk_id);
  }
  status = status == OK ? take_chunk(store, cursor, chunk_id, chunk, error) : status;
  store->ops->finish(cursor);
  if (status == OK) {
    chunk->id = chunk_id;
  }
  return status;
}
