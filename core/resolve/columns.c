#include "core/resolve/columns.h"

#include <stdlib.h>

static const char of_case[] = "case.";
enum { PREFIX = sizeof of_case - 1 };

static bool is_of_case(const char *name) {
  return strncmp(name, of_case, PREFIX) == 0;
}

bool columns_is_computed(const char *name) {
  return strcmp(name, EVIDENCE_CASE) == 0 || strcmp(name, EVIDENCE_PEOPLE) == 0;
}

uint32_t *columns_own_case(const struct staged_rows *rows, const struct staged_rows *cases) {
  uint32_t *by_key = malloc((map_count(cases->keys) + 1U) * sizeof *by_key);
  uint32_t *found = malloc((rows->count + 1) * sizeof *found);
  if (by_key == NULL || found == NULL) {
    free(by_key);
    free(found);
    return NULL;
  }
  memset(by_key, 0xFF, (map_count(cases->keys) + 1U) * sizeof *by_key); /* a key of another version has no row */
  for (size_t i = cases->count; i-- > 0;) {
    by_key[cases->key[i]] = (uint32_t)i;
  }
  for (size_t i = 0; i < rows->count; i++) {
    uint32_t group = rows->group[i];
    uint32_t key = group == LINK_MISSING ? MAP_NONE : map_get(cases->keys, map_key(rows->groups, group));
    found[i] = key == MAP_NONE ? LINK_MISSING : by_key[key];
  }
  free(by_key);
  return found;
}

static enum status case_column(const struct staged_rows *rows, const struct staged_rows *cases, const char *name,
                               struct link_column *column, struct error *error) {
  const struct field *field = entity_field(cases->entity, slice_of(name));
  uint32_t *found = columns_own_case(rows, cases);
  if (found == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < rows->count; i++) {
    found[i] = found[i] == LINK_MISSING ? LINK_MISSING : cases->columns[field->column][found[i]];
  }
  column->values = found;
  column->dictionary = cases->dictionaries[field->column];
  return OK;
}

enum status columns_make(const struct link_plan *plan, const struct staged_rows *rows, const struct staged_rows *cases,
                         const struct evidence *evidence, struct link_column **columns, size_t *count,
                         struct error *error) {
  const char *const *names;
  *count = link_plan_columns(plan, &names);
  *columns = calloc(*count + 1, sizeof **columns);
  if (*columns == NULL) {
    return error_memory(error);
  }
  enum status status = OK;
  for (size_t i = 0; status == OK && i < *count; i++) {
    struct link_column *column = &(*columns)[i];
    column->name = names[i];
    if (columns_is_computed(names[i])) {
      column->values = evidence->values;
      column->dictionary = evidence->dictionary;
      continue;
    }
    if (is_of_case(names[i])) {
      status = case_column(rows, cases, names[i] + PREFIX, column, error);
      continue;
    }
    const struct field *field = entity_field(rows->entity, slice_of(names[i]));
    column->values = rows->columns[field->column];
    column->dictionary = rows->dictionaries[field->column];
  }
  return status;
}

void columns_free(struct link_column *columns, size_t count) {
  for (size_t i = 0; columns != NULL && i < count; i++) {
    if (columns[i].name != NULL && is_of_case(columns[i].name)) {
      free(columns[i].values);
    }
  }
  free(columns);
}
