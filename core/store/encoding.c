/* Codes of names that may not be shared, beside the rows that they are of. */
#include "core/store/internal.h"

enum status encoding_body(struct store *store, const struct shelf *shelf, const struct cell *cells, struct slice *body,
                          struct error *error) {
  *body = slice_make(NULL, 0);
  if (shelf->encoding < 0 || cells[shelf->encoding].kind != CELL_TEXT) {
    return OK;
  }
  const struct cell *cell = &cells[shelf->encoding];
  char *text = arena_bytes(store->scratch, (size_t)cell->len + 1);
  if (text == NULL) {
    return error_memory(error);
  }
  text[0] = CODEC_PLAIN;
  memcpy(text + 1, cell->text, cell->len);
  *body = slice_make(text, (size_t)cell->len + 1);
  return OK;
}

enum status encoding_append(struct store *store, const struct shelf *shelf, const struct rows *rows, const int64_t *ids,
                            struct error *error) {
  enum status status = store->ops->append_begin(store->driver, &TABLE_ENCODING, error);
  for (size_t i = 0; i < rows->count && status == OK; i++) {
    struct slice body = {0};
    status = ids[i] == 0 ? OK : encoding_body(store, shelf, rows_cells(rows, i), &body, error);
    if (status != OK || body.len == 0) {
      continue;
    }
    const struct seal_place place = encoding_place(ids[i]);
    status = ring_seal(store, &place, body, &body, error);
    const struct value values[] = {int_value(ids[i]), bytes_value(body.data, body.len)};
    status = status == OK ? store->ops->append_row(store->driver, values, error) : status;
  }
  return status == OK ? store->ops->append_end(store->driver, error) : status;
}

static enum status give(struct store *store, struct cursor *cursor, struct opened *room, encoding_visitor *visit,
                        void *context, struct error *error) {
  int64_t row_id = int_of_value(store->ops->value(cursor, 0));
  const struct seal_place place = encoding_place(row_id);
  struct slice text;
  enum status status = ring_unseal(store, &place, slice_of_value(store->ops->value(cursor, 1)), room, &text, error);
  return status == OK && text.len > 0 ? visit(context, row_id, slice_make(text.data + 1, text.len - 1), error) : status;
}

enum status store_visit_encodings(struct store *store, const int64_t *rows, size_t count, encoding_visitor *visit,
                                  void *context, struct error *error) {
  struct opened room = {.data = NULL};
  enum status status = OK;
  for (size_t from = 0; from < count && status == OK; from += BATCH_ROWS) {
    size_t some = count - from < BATCH_ROWS ? count - from : BATCH_ROWS;
    struct cursor *cursor;
    status = db_query(store, error, &cursor,
                      "SELECT e.row_id, e.body FROM LIST(1) CROSS JOIN encoding e WHERE e.row_id = k.value",
                      VALUES(list_value(rows + from, some)));
    if (status != OK) {
      break;
    }
    while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
      status = give(store, cursor, &room, visit, context, error);
    }
    store->ops->finish(cursor);
    status = status == END ? OK : status;
  }
  opened_free(&room);
  return status;
}

enum status store_has_encodings(struct store *store, bool *any, struct error *error) {
  int64_t one = 0;
  return db_integer(store, error, &one, any, "SELECT 1 FROM encoding LIMIT 1", NULL, 0);
}

enum status store_encoding_key(const struct store *store, uint8_t key[KEY_SIZE], struct error *error) {
  if (store->key == NULL) {
    error_set(error, ERR_CONFIG, "%s", _("the workspace has no key"));
    error_hint(error, "%s", _("`puente init` makes one; restore it from the backup if it is lost"));
    return ERR_CONFIG;
  }
  encoding_key(store->key, key);
  return OK;
}
