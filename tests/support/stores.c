#include "tests/support/stores.h"

#include "tests/support/postgres.h"
#include "tests/support/temp.h"

#include <stdio.h>
#include <stdlib.h>

void must(enum status status, const struct error *error, const char *what, int line) {
  if (status == OK) {
    return;
  }
  fprintf(stderr, "line %d: %s: %s: %s (%s; %s)\n", line, what, status_name(status), error->message, error->place,
          error->hint);
  exit(1);
}

void stand_open(struct stand *stand, enum store_kind kind) {
  static int number;
  struct error error;
  *stand = (struct stand){.folder = temp_make()};
  MUST(model_load("config/model", &stand->model, &error));
  char key[300];
  snprintf(key, sizeof key, "%s/key", stand->folder);
  MUST(key_create(key, &error));
  MUST(key_load(key, &stand->key, &error));
  snprintf(stand->path, sizeof stand->path, "%s/store.db", stand->folder);
  snprintf(stand->schema, sizeof stand->schema, "test_%d", ++number);
  stand->options = (struct store_options){
      .kind = kind, .path = stand->path, .schema = stand->schema, .model = stand->model, .key = stand->key};
  if (kind == STORE_POSTGRES) {
    stand->options.dsn = postgres_start();
  }
  MUST(store_create(&stand->options, &error));
  MUST(store_open(&stand->options, &stand->store, &error));
}

void stand_reopen(struct stand *stand) {
  struct error error;
  store_close(stand->store);
  MUST(store_open(&stand->options, &stand->store, &error));
}

void stand_close(struct stand *stand) {
  store_close(stand->store);
  key_free(stand->key);
  model_free(stand->model);
  temp_remove(stand->folder);
}

/* ---- batches ---- */

void batch_open(struct batch *batch, const struct model *model) {
  *batch = (struct batch){.arena = arena_new(0)};
  for (size_t e = 0; e < model->entity_count; e++) {
    batch->rows[e].entity = &model->entities[e];
  }
  if (batch->arena == NULL) {
    abort();
  }
}

void batch_clear(struct batch *batch) {
  arena_reset(batch->arena);
  for (size_t e = 0; e < MODEL_ENTITIES_MOST; e++) {
    batch->rows[e] = (struct rows){.entity = batch->rows[e].entity};
  }
  batch->issues = NULL;
  batch->issue_count = batch->issue_capacity = 0;
}

void batch_close(struct batch *batch) {
  arena_free(batch->arena);
}

static void grow_rows(struct batch *batch, struct rows *rows) {
  size_t capacity = rows->capacity == 0 ? 64 : rows->capacity * 2, columns = rows->entity->column_count;
  struct row_head *heads = arena_array(batch->arena, capacity, sizeof *heads);
  struct cell *cells = arena_array(batch->arena, capacity * columns, sizeof *cells);
  if (heads == NULL || cells == NULL) {
    abort();
  }
  if (rows->count > 0) {
    memcpy(heads, rows->heads, rows->count * sizeof *heads);
    memcpy(cells, rows->cells, rows->count * columns * sizeof *cells);
  }
  rows->heads = heads;
  rows->cells = cells;
  rows->capacity = capacity;
}

struct cell *batch_row(struct batch *batch, const struct model *model, const char *entity, uint32_t record,
                       const char *key, const char *case_key, const char *person_key) {
  struct rows *rows = &batch->rows[model_entity(model, entity)->index];
  if (rows->count == rows->capacity) {
    grow_rows(batch, rows);
  }
  rows->heads[rows->count] = (struct row_head){.record = record,
                                               .key = slice_of(arena_text(batch->arena, slice_of(key))),
                                               .case_key = slice_of(arena_text(batch->arena, slice_of(case_key))),
                                               .person_key = slice_of(arena_text(batch->arena, slice_of(person_key)))};
  return rows_cells(rows, rows->count++);
}

static struct cell *cell_of(const struct model *model, const char *entity, struct cell *cells, const char *column) {
  const struct entity *found = model_entity(model, entity);
  for (size_t i = 0; i < found->column_count; i++) {
    if (strcmp(found->columns[i].name, column) == 0) {
      return &cells[i];
    }
  }
  fprintf(stderr, "entity %s has no column %s\n", entity, column);
  abort();
}

void set_text(const struct model *model, const char *entity, struct cell *cells, const char *column, const char *text) {
  *cell_of(model, entity, cells, column) =
      (struct cell){.kind = CELL_TEXT, .len = (uint32_t)strlen(text), .text = text};
}

void set_integer(const struct model *model, const char *entity, struct cell *cells, const char *column,
                 int64_t integer) {
  *cell_of(model, entity, cells, column) = (struct cell){.kind = CELL_INTEGER, .integer = integer};
}

void set_missing(const struct model *model, const char *entity, struct cell *cells, const char *column,
                 enum missing missing) {
  *cell_of(model, entity, cells, column) = (struct cell){.kind = CELL_NULL, .missing = (uint8_t)missing};
}

void batch_issue(struct batch *batch, uint32_t record, enum issue_level level, const char *field, const char *reason) {
  if (batch->issue_count == batch->issue_capacity) {
    size_t capacity = batch->issue_capacity == 0 ? 16 : batch->issue_capacity * 2;
    struct issue *issues = arena_array(batch->arena, capacity, sizeof *issues);
    if (issues == NULL) {
      abort();
    }
    if (batch->issue_count > 0) {
      memcpy(issues, batch->issues, batch->issue_count * sizeof *issues);
    }
    batch->issues = issues;
    batch->issue_capacity = capacity;
  }
  batch->issues[batch->issue_count++] = (struct issue){.record = record,
                                                       .level = level,
                                                       .field = field,
                                                       .reason = reason,
                                                       .path = "a/b",
                                                       .shape = slice_of("99/Aa"),
                                                       .hint = "look here",
                                                       .line = 7};
}
