#include "core/store/stage.h"

#include <stdlib.h>

/* Where a record's rows stand in the batch. */
struct place {
  int64_t record_id;
  size_t first, count; /* in `order` */
};

struct comparison {
  struct store *store;
  const struct staging *staging;
  const struct shelf *shelf;
  const struct rows *rows;
  int64_t *ids;         /* out; -1: not met yet */
  struct place *places; /* by record id */
  size_t place_count;
  uint32_t *order; /* rows, by record */
  int64_t *closed;
  size_t closed_count, closed_capacity;
  struct staged *staged;
  struct opened room;
};

static int compare_place(const void *a, const void *b) {
  int64_t left = ((const struct place *)a)->record_id, right = ((const struct place *)b)->record_id;
  return left < right ? -1 : left > right;
}

/* Rows grouped by record; records in order of id. */
static enum status group(struct comparison *self, struct error *error) {
  struct arena *scratch = self->store->scratch;
  size_t records = self->staging->count, rows = self->rows->count;
  size_t *first = arena_array(scratch, records + 1, sizeof *first);
  self->places = arena_array(scratch, records, sizeof *self->places);
  self->order = arena_array(scratch, rows + 1, sizeof *self->order);
  if (first == NULL || self->places == NULL || self->order == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < rows; i++) {
    first[self->rows->heads[i].record + 1]++;
  }
  for (size_t i = 0; i < records; i++) {
    first[i + 1] += first[i];
    self->places[i] = (struct place){
        .record_id = self->staging->records[i].record_id, .first = first[i], .count = first[i + 1] - first[i]};
  }
  for (size_t i = 0; i < rows; i++) {
    self->order[first[self->rows->heads[i].record]++] = (uint32_t)i;
  }
  self->place_count = records;
  qsort(self->places, records, sizeof *self->places, compare_place);
  return OK;
}

static enum status close_row(struct comparison *self, int64_t row_id, struct error *error) {
  if (self->closed_count == self->closed_capacity) {
    size_t capacity = self->closed_capacity == 0 ? 256 : self->closed_capacity * 2;
    int64_t *grown = realloc(self->closed, capacity * sizeof *grown);
    if (grown == NULL) {
      return error_memory(error);
    }
    self->closed = grown;
    self->closed_capacity = capacity;
  }
  self->closed[self->closed_count++] = row_id;
  return OK;
}

static enum status same_encoding(struct comparison *self, struct cursor *cursor, size_t row, bool *same,
                                 struct error *error) {
  const struct driver_ops *ops = self->store->ops;
  const struct shelf *shelf = self->shelf;
  if (shelf->encoding < 0) {
    return OK;
  }
  struct slice body, stored = slice_of_value(ops->value(cursor, shelf->table.column_count + 1));
  const struct seal_place place = encoding_place(int_of_value(ops->value(cursor, ROW_ID)));
  enum status status = encoding_body(self->store, shelf, rows_cells(self->rows, row), &body, error);
  status = status == OK ? ring_unseal(self->store, &place, stored, &self->room, &stored, error) : status;
  *same = status == OK && slice_equal(body, stored);
  return status;
}

static enum status same_row(struct comparison *self, struct cursor *cursor, size_t row, bool *same,
                            struct error *error) {
  const struct driver_ops *ops = self->store->ops;
  const struct shelf *shelf = self->shelf;
  struct value values[TABLE_COLUMNS_MOST];
  stage_values(self->store, self->staging, shelf, self->rows, row, values);
  *same = true;
  for (size_t i = 0; i < shelf->table.column_count && *same; i++) {
    if (i == ROW_ID || i == ROW_FROM || i == ROW_TO) {
      continue;
    }
    struct value stored = ops->value(cursor, i);
    *same = value_same(&stored, &values[i]);
  }
  if (!*same || shelf->identifier_count == 0) {
    return OK;
  }
  struct slice body, stored = slice_of_value(ops->value(cursor, shelf->table.column_count));
  const struct seal_place place = identity_place(int_of_value(ops->value(cursor, ROW_ID)));
  enum status status = identity_encode(self->store, shelf, rows_cells(self->rows, row), &body, error);
  status = status == OK ? ring_unseal(self->store, &place, stored, &self->room, &stored, error) : status;
  *same = status == OK && slice_equal(body, stored);
  return status == OK && *same ? same_encoding(self, cursor, row, same, error) : status;
}

/* One current row against the rows of the same key that its record has now. */
static enum status meet(struct comparison *self, struct cursor *cursor, struct error *error) {
  int64_t row_id = int_of_value(self->store->ops->value(cursor, ROW_ID));
  struct slice key = slice_of_value(self->store->ops->value(cursor, ROW_KEY));
  struct place wanted = {.record_id = record_of(row_id)};
  const struct place *place = bsearch(&wanted, self->places, self->place_count, sizeof *self->places, compare_place);
  for (size_t i = 0; place != NULL && i < place->count; i++) {
    size_t row = self->order[place->first + i];
    if (self->ids[row] != -1 || !slice_equal(key, stage_missing_key(self->rows->heads[row].key))) {
      continue;
    }
    bool same;
    enum status status = same_row(self, cursor, row, &same, error);
    if (status != OK) {
      return status;
    }
    if (same) {
      self->ids[row] = 0;
      self->staged->same++;
      return OK;
    }
  }
  return close_row(self, row_id, error);
}

static enum status meet_current(struct comparison *self, const int64_t *records, size_t count, struct error *error) {
  struct store *store = self->store;
  bool sealed = self->shelf->identifier_count > 0;
  bool encoded = self->shelf->encoding >= 0; /* an encoding is of identifiers: there are some */
  const char *sql =
      arena_printf(store->scratch,
                   "%s%s%s FROM LIST(1) CROSS JOIN \"%s\" s %s %s WHERE s.row_id BETWEEN k.value * 1048576 AND "
                   "k.value * 1048576 + 1048575 AND s.to_run IS NULL",
                   self->shelf->select, sealed ? ", i.body" : "", encoded ? ", e.body" : "", self->shelf->table.name,
                   sealed ? "LEFT JOIN identity i ON i.row_id = s.row_id" : "",
                   encoded ? "LEFT JOIN encoding e ON e.row_id = s.row_id" : "");
  struct cursor *cursor;
  enum status status =
      sql == NULL ? error_memory(error) : db_query(store, error, &cursor, sql, VALUES(list_value(records, count)));
  if (status != OK) {
    return status;
  }
  while ((status = store->ops->next(cursor, error)) == OK) {
    status = meet(self, cursor, error);
    if (status != OK) {
      break;
    }
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

/* Rows to be written get the ordinals after the highest that their record ever used. */
static enum status number_opened(struct comparison *self, const struct place *place, int64_t last,
                                 struct error *error) {
  int64_t least = (place->record_id << ORDINAL_BITS) + ((int64_t)self->shelf->number << ROW_BITS);
  if (last == 0) {
    last = least;
  }
  for (size_t i = 0; i < place->count; i++) {
    size_t row = self->order[place->first + i];
    if (self->ids[row] != -1) {
      continue;
    }
    self->ids[row] = ++last;
    if (last - least >= 1 << ROW_BITS) {
      return error_set(error, ERR_LIMIT, _("one record makes more than %d rows of entity %s"), (1 << ROW_BITS) - 1,
                       self->shelf->entity->name);
    }
  }
  return OK;
}

static enum status number_places(struct comparison *self, const int64_t *records, size_t count, struct error *error) {
  struct store *store = self->store;
  const char *sql = arena_printf(store->scratch,
                                 "SELECT k.value, (SELECT max(row_id) FROM \"%s\" WHERE row_id BETWEEN "
                                 "k.value * 1048576 AND k.value * 1048576 + 1048575) FROM LIST(1)",
                                 self->shelf->table.name);
  struct cursor *cursor;
  enum status status =
      sql == NULL ? error_memory(error) : db_query(store, error, &cursor, sql, VALUES(list_value(records, count)));
  if (status != OK) {
    return status;
  }
  while ((status = store->ops->next(cursor, error)) == OK) {
    struct place wanted = {.record_id = int_of_value(store->ops->value(cursor, 0))};
    const struct place *place = bsearch(&wanted, self->places, self->place_count, sizeof *self->places, compare_place);
    if (place != NULL && number_opened(self, place, int_of_value(store->ops->value(cursor, 1)), error) != OK) {
      status = error->code;
      break;
    }
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

static enum status compare_some(struct comparison *self, size_t from, size_t count, struct error *error) {
  int64_t records[BATCH_ROWS];
  for (size_t i = 0; i < count; i++) {
    records[i] = self->places[from + i].record_id;
  }
  self->closed_count = 0;
  enum status status = meet_current(self, records, count, error);
  size_t opening = 0;
  for (size_t i = from; i < from + count && status == OK; i++) {
    const struct place *place = &self->places[i];
    bool opens = false;
    for (size_t r = 0; r < place->count; r++) {
      opens = opens || self->ids[self->order[place->first + r]] == -1;
    }
    if (opens) {
      records[opening++] = place->record_id;
    }
  }
  if (status == OK && opening > 0) {
    status = number_places(self, records, opening, error);
  }
  if (status == OK && self->closed_count > 0) {
    const char *sql = arena_printf(self->store->scratch,
                                   "UPDATE \"%s\" SET to_run = $2 WHERE row_id IN (SELECT k.value FROM LIST(1))",
                                   self->shelf->table.name);
    status = sql == NULL
                 ? error_memory(error)
                 : db_execute(self->store, error, sql,
                              VALUES(list_value(self->closed, self->closed_count), int_value(self->staging->run)));
    self->staged->closed += (int64_t)self->closed_count;
  }
  return status;
}

enum status stage_compare(struct store *store, const struct staging *staging, const struct shelf *shelf,
                          const struct rows *rows, int64_t *ids, struct staged *staged, struct error *error) {
  struct comparison self = {
      .store = store, .staging = staging, .shelf = shelf, .rows = rows, .ids = ids, .staged = staged};
  for (size_t i = 0; i < rows->count; i++) {
    ids[i] = -1;
  }
  enum status status = group(&self, error);
  for (size_t from = 0; from < self.place_count && status == OK; from += BATCH_ROWS) {
    size_t left = self.place_count - from;
    status = compare_some(&self, from, left < BATCH_ROWS ? left : BATCH_ROWS, error);
  }
  opened_free(&self.room);
  free(self.closed);
  return status;
}
