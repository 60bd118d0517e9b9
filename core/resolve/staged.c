#include "core/resolve/staged.h"

#include <stdio.h>
#include <stdlib.h>

struct visit {
  struct staged_rows *rows;
  const struct staged_context *context;
};

struct slice staged_named(char room[STAGED_KEY_MOST], int64_t number, struct slice key) {
  int length = snprintf(room, STAGED_KEY_MOST, "%lld/", (long long)number);
  size_t kept = key.len < STAGED_KEY_MOST - (size_t)length ? key.len : STAGED_KEY_MOST - (size_t)length;
  if (kept > 0) {
    memcpy(room + length, key.data, kept);
  }
  return slice_make(room, (size_t)length + kept);
}

/* `array` is the address of a pointer of whatever type. */
static bool grow_one(void *array, size_t capacity, size_t size) {
  void *old;
  memcpy(&old, array, sizeof old);
  void *grown = realloc(old, capacity * size);
  if (grown != NULL) {
    memcpy(array, &grown, sizeof grown);
  }
  /* cppcheck-suppress memleak ; it is the caller's now, through memcpy */
  return grown != NULL;
}

static bool grow(struct staged_rows *rows) {
  if (rows->count < rows->capacity) {
    return true;
  }
  size_t capacity = rows->capacity == 0 ? 1024 : rows->capacity * 2;
  bool grown =
      grow_one(&rows->row_id, capacity, sizeof *rows->row_id)
      && grow_one(&rows->settled, capacity, sizeof *rows->settled)
      && grow_one(&rows->source, capacity, sizeof *rows->source)
      && grow_one(&rows->family, capacity, sizeof *rows->family) && grow_one(&rows->key, capacity, sizeof *rows->key)
      && grow_one(&rows->same, capacity, sizeof *rows->same) && grow_one(&rows->group, capacity, sizeof *rows->group)
      && grow_one(&rows->fellows, capacity, sizeof *rows->fellows)
      && grow_one(&rows->role, capacity, sizeof *rows->role) && grow_one(&rows->sealed, capacity, sizeof *rows->sealed);
  for (size_t i = 0; grown && i < rows->entity->column_count; i++) {
    grown = grow_one(&rows->columns[i], capacity, sizeof *rows->columns[i]);
  }
  rows->capacity = grown ? capacity : rows->capacity;
  return grown;
}

/* The number of a cell's value in the column's dictionary; false when out of memory. */
static bool encode(struct map *dictionary, const struct cell *cell, uint32_t *value) {
  char text[24];
  *value = LINK_MISSING;
  if (cell->kind == CELL_NULL || (cell->kind == CELL_TEXT && cell->len == 0)) {
    return true;
  }
  struct slice written = slice_make(cell->text, cell->len);
  if (cell->kind == CELL_INTEGER) {
    int length = snprintf(text, sizeof text, "%lld", (long long)cell->integer);
    written = slice_make(text, (size_t)length);
  }
  *value = map_intern(dictionary, written);
  return *value != MAP_NONE;
}

/* Whether linking compares the field. */
static bool is_compared(const struct policy *policy, const struct field *field) {
  const char *const *columns;
  size_t count = link_plan_columns(policy->persons, &columns);
  for (size_t i = 0; i < count; i++) {
    if (strcmp(columns[i], field->name) == 0) {
      return true;
    }
  }
  return false;
}

/* Deliberately nameless, or named by the policy. */
static bool is_sealed(const struct policy *policy, const struct entity *entity, const struct cell *cells) {
  for (size_t i = 0; i < entity->field_count; i++) {
    const struct field *field = &entity->fields[i];
    const struct cell *cell = &cells[field->column];
    if (field->sensitivity == SENSITIVITY_IDENTIFIER && cell->kind == CELL_NULL && cell->missing == MISSING_PROTECTED
        && is_compared(policy, field)) {
      return true;
    }
  }
  for (size_t i = 0; i < policy->sealed_count; i++) {
    if (policy->sealed[i].entity == entity && policy_match(&policy->sealed[i], cells) >= 0) {
      return true;
    }
  }
  return false;
}

static enum status note_seen(const struct staged_context *context, int64_t row_id, struct error *error) {
  if (buffer_append(context->seen, &row_id, sizeof row_id) != OK) {
    return buffer_check(context->seen, _("the list of rows"), error);
  }
  return OK;
}

/* By what a row and its case go: in the source, and in all versions of it. */
static bool name_row(const struct staged_context *context, struct staged_rows *rows, const struct row *row) {
  char room[STAGED_KEY_MOST];
  const struct succession *succession = context->succession;
  size_t at = rows->count;
  int family = succession->family[row->source_id];
  bool person = rows->entity == context->policy->person.entity;
  rows->source[at] = (uint32_t)row->source_id;
  rows->family[at] = (uint32_t)family;
  rows->same[at] = rows->group[at] = rows->fellows[at] = LINK_MISSING;
  rows->key[at] = map_intern(rows->keys, staged_named(room, row->source_id, row->key));
  bool kept = rows->key[at] != MAP_NONE;
  if (kept && (person || succession->shared[row->source_id])) {
    rows->same[at] = map_intern(rows->keys, staged_named(room, family, row->key));
    kept = rows->same[at] != MAP_NONE;
  }
  if (kept && row->case_key.len > 0) {
    rows->group[at] = map_intern(rows->groups, staged_named(room, row->source_id, row->case_key));
    rows->fellows[at] = map_intern(rows->groups, staged_named(room, family, row->case_key));
    kept = rows->group[at] != MAP_NONE && rows->fellows[at] != MAP_NONE;
  }
  return kept;
}

static enum status take_row(void *context, const struct row *row, struct error *error) {
  const struct visit *visit = context;
  struct staged_rows *rows = visit->rows;
  char room[STAGED_KEY_MOST];
  if (!visit->context->linked[row->source_id]) {
    return OK;
  }
  if (!grow(rows)) {
    return error_memory(error);
  }
  size_t at = rows->count;
  rows->row_id[at] = row->row_id;
  const struct passes *passes = visit->context->passes;
  rows->settled[at] = passes == NULL ? row->from_run : passes_settled(passes, row->source_id, row->from_run);
  rows->role[at] = 0;
  rows->sealed[at] = is_sealed(visit->context->policy, rows->entity, row->cells);
  bool kept = name_row(visit->context, rows, row);
  for (size_t i = 0; kept && i < rows->entity->column_count; i++) {
    kept = encode(rows->dictionaries[i], &row->cells[i], &rows->columns[i][at]);
  }
  struct slice in_record = staged_named(room, record_of(row->row_id), row->key);
  if (!kept || map_put(rows->in_record, in_record, (uint32_t)at) != OK) {
    return error_memory(error);
  }
  rows->count++;
  return note_seen(visit->context, row->row_id, error);
}

/* All rows of an entity, or those of the records that the context names. */
static enum status visit_rows(struct store *store, const struct entity *entity, const struct staged_context *context,
                              bool identity, row_visitor *visit, void *of_visit, struct error *error) {
  struct row_filter filter = {.identity = identity, .records = context->records, .count = context->record_count};
  return store_visit_rows(store, entity, &filter, visit, of_visit, error);
}

enum status staged_read(struct store *store, const struct entity *entity, const struct staged_context *context,
                        struct staged_rows *rows, struct error *error) {
  struct visit visit = {.rows = rows, .context = context};
  *rows = (struct staged_rows){.entity = entity, .keys = map_new(), .groups = map_new(), .in_record = map_new()};
  rows->columns = calloc(entity->column_count, sizeof *rows->columns);
  rows->dictionaries = calloc(entity->column_count, sizeof *rows->dictionaries);
  bool made = rows->keys != NULL && rows->groups != NULL && rows->in_record != NULL && rows->columns != NULL
              && rows->dictionaries != NULL;
  for (size_t i = 0; made && i < entity->column_count; i++) {
    rows->dictionaries[i] = map_new();
    made = rows->dictionaries[i] != NULL;
  }
  if (!made || !grow(rows)) {
    return error_memory(error);
  }
  return visit_rows(store, entity, context, true, take_row, &visit, error);
}

enum status staged_add(struct store *store, const struct staged_context *context, struct staged_rows *rows,
                       struct error *error) {
  struct visit visit = {.rows = rows, .context = context};
  return visit_rows(store, rows->entity, context, true, take_row, &visit, error);
}

static void keep_row(struct staged_rows *rows, size_t to, size_t from) {
  rows->row_id[to] = rows->row_id[from];
  rows->settled[to] = rows->settled[from];
  rows->source[to] = rows->source[from];
  rows->family[to] = rows->family[from];
  rows->key[to] = rows->key[from];
  rows->same[to] = rows->same[from];
  rows->group[to] = rows->group[from];
  rows->fellows[to] = rows->fellows[from];
  rows->role[to] = rows->role[from];
  rows->sealed[to] = rows->sealed[from];
  for (size_t i = 0; i < rows->entity->column_count; i++) {
    rows->columns[i][to] = rows->columns[i][from];
  }
}

enum status staged_keep(struct staged_rows *rows, const bool *kept, uint32_t *moved, struct error *error) {
  size_t count = 0;
  enum status status = OK;
  for (size_t i = 0; i < rows->count; i++) {
    moved[i] = LINK_MISSING;
    if (kept[i]) {
      moved[i] = (uint32_t)count;
      keep_row(rows, count++, i);
    }
  }
  rows->count = count;
  map_clear(rows->in_record);
  for (size_t i = 0; status == OK && i < count; i++) {
    char room[STAGED_KEY_MOST];
    struct slice named = map_key(rows->keys, rows->key[i]);
    const char *slash = memchr(named.data, '/', named.len);
    struct slice key = slice_make(slash + 1, named.len - (size_t)(slash + 1 - named.data));
    if (map_put(rows->in_record, staged_named(room, record_of(rows->row_id[i]), key), (uint32_t)i) != OK) {
      status = error_memory(error);
    }
  }
  return status;
}

void staged_free(struct staged_rows *rows) {
  for (size_t i = 0; rows->entity != NULL && i < rows->entity->column_count; i++) {
    if (rows->columns != NULL) {
      free(rows->columns[i]);
    }
    if (rows->dictionaries != NULL) {
      map_free(rows->dictionaries[i]);
    }
  }
  free(rows->columns);
  free(rows->dictionaries);
  free(rows->row_id);
  free(rows->settled);
  free(rows->source);
  free(rows->family);
  free(rows->key);
  free(rows->same);
  free(rows->group);
  free(rows->fellows);
  free(rows->role);
  free(rows->sealed);
  map_free(rows->keys);
  map_free(rows->groups);
  map_free(rows->in_record);
  *rows = (struct staged_rows){0};
}

uint32_t staged_find(const struct staged_rows *rows, int64_t record_id, struct slice key) {
  char room[STAGED_KEY_MOST];
  return map_get(rows->in_record, staged_named(room, record_id, key));
}

struct slice staged_own(const struct staged_rows *rows, size_t row) {
  return map_key(rows->keys, rows->same[row] == LINK_MISSING ? rows->key[row] : rows->same[row]);
}

struct slice staged_text(const struct staged_rows *rows, int column, size_t row) {
  uint32_t value = rows->columns[column][row];
  return value == LINK_MISSING ? slice_make(NULL, 0) : map_key(rows->dictionaries[column], value);
}

/* ---- what other entities say of persons ---- */

struct marking {
  struct staged_rows *persons;
  const struct entity *entity;
  const struct staged_context *context;
  uint8_t *roles, *sealed; /* by person key: what records elsewhere in the source say */
};

static enum status take_mark(void *context, const struct row *row, struct error *error) {
  struct marking *marking = context;
  const struct policy *policy = marking->context->policy;
  char room[STAGED_KEY_MOST];
  bool apart = policy->apart.entity == marking->entity;
  int code = apart ? policy_match(&policy->apart, row->cells) : -1;
  uint8_t role = code < 0 ? 0 : (uint8_t)(1U << code);
  uint8_t sealed = is_sealed(policy, marking->entity, row->cells);
  if (row->person_key.len == 0 || !marking->context->linked[row->source_id]) {
    return OK;
  }
  uint32_t position = staged_find(marking->persons, record_of(row->row_id), row->person_key);
  struct slice elsewhere = slice_none();
  if (position != LINK_MISSING) {
    marking->persons->role[position] |= role;
    marking->persons->sealed[position] |= sealed;
  } else {
    elsewhere = staged_named(room, row->source_id, row->person_key);
    uint32_t key = map_get(marking->persons->keys, elsewhere);
    if (key != MAP_NONE) {
      marking->roles[key] |= role;
      marking->sealed[key] |= sealed;
    }
  }
  const struct staged_context *told = marking->context;
  enum status status = told->marked == NULL ? OK : told->marked(told->told, row->row_id, elsewhere, error);
  return status == OK ? note_seen(told, row->row_id, error) : status;
}

bool staged_speaks_of_persons(const struct policy *policy, const struct entity *entity) {
  bool sealed = false;
  for (size_t i = 0; i < policy->sealed_count; i++) {
    sealed = sealed || policy->sealed[i].entity == entity;
  }
  return entity->has_person && (sealed || policy->apart.entity == entity);
}

enum status staged_mark(struct store *store, const struct model *model, const struct staged_context *context,
                        struct staged_rows *persons, struct error *error) {
  size_t keys = map_count(persons->keys);
  struct marking marking = {.persons = persons, .context = context};
  marking.roles = calloc(keys + 1, 1);
  marking.sealed = calloc(keys + 1, 1);
  enum status status = marking.roles == NULL || marking.sealed == NULL ? error_memory(error) : OK;
  for (size_t i = 0; status == OK && i < model->entity_count; i++) {
    marking.entity = &model->entities[i];
    if (staged_speaks_of_persons(context->policy, marking.entity)) {
      status = visit_rows(store, marking.entity, context, false, take_mark, &marking, error);
    }
  }
  for (size_t i = 0; status == OK && i < persons->count; i++) {
    persons->role[i] |= marking.roles[persons->key[i]];
    persons->sealed[i] |= marking.sealed[persons->key[i]];
  }
  free(marking.roles);
  free(marking.sealed);
  return status;
}
