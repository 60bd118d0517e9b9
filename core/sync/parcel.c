#include "core/sync/parcel.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_LIMIT = 1 << 20, CONTEXT_LIMIT = 16 << 20, BODY_LIMIT = 1 << 30 };

enum status parcel_init(struct parcel *parcel, const struct model *model, struct error *error) {
  *parcel = (struct parcel){.source_count = -1};
  buffer_init(&parcel->body, BODY_LIMIT);
  buffer_init(&parcel->context, CONTEXT_LIMIT);
  buffer_init(&parcel->origin, TEXT_LIMIT);
  buffer_init(&parcel->cursor, TEXT_LIMIT);
  buffer_init(&parcel->mark, TEXT_LIMIT);
  buffer_init(&parcel->memory, TEXT_LIMIT);
  buffer_init(&parcel->looks, TEXT_LIMIT);
  parcel->items = calloc(PARCEL_RECORDS, sizeof *parcel->items);
  parcel->positions = map_new();
  if (parcel->items == NULL || parcel->positions == NULL || buffer_reserve(&parcel->body, PARCEL_BYTES) != OK) {
    return error_memory(error);
  }
  return batch_init(&parcel->mapped, model, error);
}

void parcel_reset(struct parcel *parcel) {
  batch_reset(&parcel->mapped);
  buffer_reset(&parcel->body);
  buffer_reset(&parcel->context);
  buffer_reset(&parcel->origin);
  buffer_reset(&parcel->cursor);
  buffer_reset(&parcel->mark);
  buffer_reset(&parcel->memory);
  buffer_reset(&parcel->looks);
  map_clear(parcel->positions);
  parcel->count = 0;
  parcel->revoked_count = 0;
  parcel->taken = 0;
  parcel->conflicts = 0;
  parcel->unkeyed = 0;
  parcel->counts = (struct counts){0};
  parcel->format = NULL;
  parcel->moves = false;
  parcel->replaces = false;
  parcel->source_count = -1;
  parcel->last = false;
  parcel->status = OK;
}

void parcel_free(struct parcel *parcel) {
  if (parcel->mapped.arena != NULL) {
    batch_free(&parcel->mapped);
  }
  buffer_free(&parcel->body);
  buffer_free(&parcel->context);
  buffer_free(&parcel->origin);
  buffer_free(&parcel->cursor);
  buffer_free(&parcel->mark);
  buffer_free(&parcel->memory);
  buffer_free(&parcel->looks);
  map_free(parcel->positions);
  free(parcel->items);
  free(parcel->revoked);
  *parcel = (struct parcel){0};
}

bool parcel_fits(const struct parcel *parcel, size_t bytes) {
  if (parcel->taken == 0) {
    return true;
  }
  return parcel->taken < PARCEL_RECORDS && parcel->body.len + bytes <= PARCEL_BYTES;
}

enum status parcel_append(struct parcel *parcel, struct slice bytes, struct slice *kept, struct error *error) {
  size_t offset = parcel->body.len;
  if (buffer_slice(&parcel->body, bytes) != OK) {
    return buffer_check(&parcel->body, _("a batch of records"), error);
  }
  *kept = slice_make(parcel->body.data == NULL ? "" : parcel->body.data + offset, bytes.len);
  return OK;
}

enum status parcel_issue(struct parcel *parcel, uint32_t record, const char *reason, const char *hint,
                         struct error *error) {
  struct batch *batch = &parcel->mapped;
  if (batch->issue_count == batch->issue_capacity) {
    size_t capacity = batch->issue_capacity == 0 ? 64 : batch->issue_capacity * 2;
    struct issue *issues = realloc(batch->issues, capacity * sizeof *issues); /* as the plan's own grow */
    if (issues == NULL) {
      return error_memory(error);
    }
    batch->issues = issues;
    batch->issue_capacity = capacity;
  }
  char *kept = arena_text(batch->arena, slice_of(hint));
  if (kept == NULL) {
    return error_memory(error);
  }
  batch->issues[batch->issue_count++] =
      (struct issue){.record = record, .level = ISSUE_ERROR, .field = "", .reason = reason, .path = "", .hint = kept};
  return OK;
}

static void move_row(struct rows *rows, size_t to, size_t from) {
  size_t width = rows->entity == NULL ? 0 : rows->entity->column_count;
  rows->heads[to] = rows->heads[from];
  if (to != from && width > 0) {
    memcpy(rows->cells + to * width, rows->cells + from * width, width * sizeof *rows->cells);
  }
}

void parcel_drop_person(struct parcel *parcel, uint32_t record, struct slice key) {
  for (size_t e = 0; e < MODEL_ENTITIES_MOST; e++) {
    struct rows *rows = &parcel->mapped.rows[e];
    bool persons = rows->entity != NULL && strcmp(rows->entity->name, "person") == 0;
    size_t kept = 0;
    for (size_t i = 0; i < rows->count; i++) {
      const struct row_head *head = &rows->heads[i];
      if (head->record != record || !slice_equal(persons ? head->key : head->person_key, key)) {
        move_row(rows, kept++, i);
      }
    }
    rows->count = kept;
  }
}

static void compact_rows(struct rows *rows, const uint32_t *position) {
  size_t kept = 0;
  for (size_t i = 0; i < rows->count; i++) {
    uint32_t moved = position[rows->heads[i].record];
    if (moved == UINT32_MAX) {
      continue;
    }
    move_row(rows, kept, i);
    rows->heads[kept++].record = moved;
  }
  rows->count = kept;
}

void parcel_compact(struct parcel *parcel, const uint32_t *position) {
  struct batch *batch = &parcel->mapped;
  for (size_t e = 0; e < MODEL_ENTITIES_MOST; e++) {
    compact_rows(&batch->rows[e], position);
  }
  size_t kept = 0;
  for (size_t i = 0; i < batch->issue_count; i++) {
    uint32_t moved = position[batch->issues[i].record];
    if (moved != UINT32_MAX) {
      batch->issues[kept] = batch->issues[i];
      batch->issues[kept++].record = moved;
    }
  }
  batch->issue_count = kept;
}
