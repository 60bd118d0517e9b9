#include "core/base/text.h"
#include "core/service/release_make.h"

#include <stdio.h>
#include <string.h>

/* Reading what is frozen, by its two views alone. */

enum {
  T_ID,
  T_RELEASE,
  T_MADE,
  T_RUN,
  T_REPLACES,
  T_SETTINGS,
  T_DIGEST,
  T_NUMBER,
  T_NAME,
  T_FIELDS,
  T_TABLE_SETTINGS,
  T_TABLE_DIGEST,
  T_BODY,
  T_COUNT
};
static const char *const TABLE_COLUMNS[T_COUNT] = {"release_id",       "release",        "made",   "run",  "replaces",
                                                   "release_settings", "release_digest", "number", "name", "fields",
                                                   "settings",         "digest",         "body"};

static const char *text_at(const struct result *result, size_t column, struct arena *arena) {
  return result_null(result, column) ? NULL : arena_text(arena, result_text(result, column));
}

static int64_t number_at(const struct result *result, size_t column) {
  return result_null(result, column) ? 0 : result_integer(result, column);
}

static enum status take_release(const struct result *result, struct arena *arena, struct released *released,
                                struct error *error) {
  *released = (struct released){.id = number_at(result, T_ID),
                                .run = number_at(result, T_RUN),
                                .replaces = number_at(result, T_REPLACES),
                                .name = text_at(result, T_RELEASE, arena),
                                .made = text_at(result, T_MADE, arena),
                                .settings = text_at(result, T_SETTINGS, arena),
                                .digest = text_at(result, T_DIGEST, arena),
                                .tables = arena_array(arena, RELEASED_TABLES_MOST, sizeof *released->tables)};
  bool whole = released->name != NULL && released->made != NULL && released->settings != NULL
               && released->digest != NULL && released->tables != NULL;
  return whole ? OK : error_memory(error);
}

static enum status take_table(const struct result *result, bool body, struct arena *arena, struct released *released,
                              struct error *error) {
  if (released->count == RELEASED_TABLES_MOST) {
    return error_set(error, ERR_LIMIT, _("release %lld has more than %d tables"), (long long)released->id,
                     RELEASED_TABLES_MOST);
  }
  struct released_table *table = &released->tables[released->count++];
  *table = (struct released_table){.number = number_at(result, T_NUMBER),
                                   .name = text_at(result, T_NAME, arena),
                                   .fields = text_at(result, T_FIELDS, arena),
                                   .settings = text_at(result, T_TABLE_SETTINGS, arena),
                                   .digest = text_at(result, T_TABLE_DIGEST, arena)};
  if (body) {
    table->body = arena_copy(arena, result_text(result, T_BODY));
  }
  return table->name == NULL || table->digest == NULL || (body && table->body.data == NULL) ? error_memory(error) : OK;
}

static enum status select_tables(const struct workspace *workspace, const struct filter *filter, bool body,
                                 struct result **result, struct error *error) {
  const struct selection selection = {.view = "released_tables",
                                      .columns = TABLE_COLUMNS,
                                      .column_count = body ? T_COUNT : T_BODY,
                                      .filters = filter,
                                      .filter_count = filter == NULL ? 0 : 1,
                                      .order = "release_id"};
  return store_select(workspace->store, &selection, result, error);
}

static void sort_tables(struct released *released) {
  for (size_t i = 1; i < released->count; i++) {
    struct released_table table = released->tables[i];
    size_t at = i;
    for (; at > 0 && released->tables[at - 1].number > table.number; at--) {
      released->tables[at] = released->tables[at - 1];
    }
    released->tables[at] = table;
  }
}

enum { RELEASES_MOST = 10000 };

/* Releases of a filter, in their order, with their tables. */
static enum status read(const struct workspace *workspace, const struct filter *filter, bool body, struct arena *arena,
                        struct released **releases, size_t *count, struct error *error) {
  struct result *result = NULL;
  *count = 0;
  *releases = arena_array(arena, RELEASES_MOST, sizeof **releases);
  enum status status = *releases == NULL ? error_memory(error) : select_tables(workspace, filter, body, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    if (*count == 0 || (*releases)[*count - 1].id != number_at(result, T_ID)) {
      status = *count == RELEASES_MOST
                   ? error_set(error, ERR_LIMIT, _("there are more than %d releases"), RELEASES_MOST)
                   : take_release(result, arena, &(*releases)[(*count)++], error);
    }
    status = status == OK ? take_table(result, body, arena, &(*releases)[*count - 1], error) : status;
  }
  result_free(result);
  for (size_t i = 0; i < *count; i++) {
    sort_tables(&(*releases)[i]);
  }
  return status == END ? OK : status;
}

enum status releasing_list(const struct workspace *workspace, struct arena *arena, struct released **releases,
                           size_t *count, struct error *error) {
  return read(workspace, NULL, false, arena, releases, count, error);
}

static enum status no_release(const struct workspace *workspace, const char *reference, struct arena *arena,
                              struct error *error) {
  struct released *all = NULL;
  size_t count = 0;
  enum status status = releasing_list(workspace, arena, &all, &count, error);
  const char **names = arena_array(arena, count + 1, sizeof *names);
  if (status != OK || names == NULL) {
    return status != OK ? status : error_memory(error);
  }
  for (size_t i = 0; i < count; i++) {
    names[i] = all[i].name;
  }
  const char *nearest = text_nearest(slice_of(reference), names, count);
  error_set(error, ERR_NOT_FOUND, _("there is no release '%s'"), reference);
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  } else if (count > 0) {
    error_hint(error, "%s", _("`puente release list` shows what was published"));
  } else {
    error_hint(error, "%s", _("nothing was published yet: `puente release create victims --purpose TEXT`"));
  }
  return ERR_NOT_FOUND;
}

enum status releasing_open(const struct workspace *workspace, const char *reference, struct arena *arena,
                           struct released *released, struct error *error) {
  int64_t number;
  bool numbered = text_to_int64(slice_of(reference), &number);
  const struct filter filter = {.column = numbered ? "release_id" : "release", .text = reference};
  struct released *found = NULL;
  size_t count = 0;
  enum status status = read(workspace, &filter, true, arena, &found, &count, error);
  if (status == OK && count == 0) {
    return no_release(workspace, reference, arena, error);
  }
  if (status == OK) {
    *released = found[count - 1];
  }
  return status;
}

/* ---- cells ---- */

static enum status take_cell(const struct result *result, struct arena *arena, struct ledger_cell *cell,
                             struct error *error) {
  *cell = (struct ledger_cell){.hidden = !slice_is(result_text(result, 5), "shown"), .figure = number_at(result, 4)};
  for (size_t i = 0; i < LEDGER_VALUES; i++) {
    cell->values[i] = text_at(result, i, arena);
    if (cell->values[i] == NULL && !result_null(result, i)) {
      return error_memory(error);
    }
  }
  return OK;
}

enum status release_cells_read(const struct workspace *workspace, int64_t release_id,
                               const struct released_table *table, struct arena *arena, struct ledger_cell **cells,
                               size_t *count, struct error *error) {
  static const char *const columns[] = {"value_1", "value_2", "value_3", "value_4", "figure", "status", "ordinal"};
  char release[24], number[24];
  snprintf(release, sizeof release, "%lld", (long long)release_id);
  snprintf(number, sizeof number, "%lld", (long long)table->number);
  const struct filter filters[] = {{"release_id", release}, {"number", number}};
  const struct selection selection = {.view = "released_cells",
                                      .columns = columns,
                                      .column_count = sizeof columns / sizeof *columns,
                                      .filters = filters,
                                      .filter_count = 2,
                                      .order = "ordinal"};
  struct result *result = NULL;
  struct buffer found;
  buffer_init(&found, (size_t)1 << 30);
  *count = 0;
  enum status status = store_select(workspace->store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    struct ledger_cell cell;
    status = take_cell(result, arena, &cell, error);
    buffer_append(&found, &cell, sizeof cell);
  }
  result_free(result);
  status = status == END ? buffer_check(&found, "cells", error) : status;
  if (status == OK) {
    *count = found.len / sizeof **cells;
    *cells = arena_array(arena, *count + 1, sizeof **cells);
    status = *cells == NULL ? error_memory(error) : OK;
  }
  if (status == OK && found.len > 0) {
    memcpy(*cells, found.data, found.len);
  }
  buffer_free(&found);
  return status;
}

bool release_cell_same(const struct ledger_cell *a, const struct ledger_cell *b) {
  for (size_t i = 0; i < LEDGER_VALUES; i++) {
    bool none = a->values[i] == NULL || b->values[i] == NULL;
    if (none ? a->values[i] != b->values[i] : strcmp(a->values[i], b->values[i]) != 0) {
      return false;
    }
  }
  return true;
}

const char *release_cell_name(const struct release_table_plan *plan, const struct ledger_cell *cell,
                              struct arena *arena) {
  const char *name = "";
  for (size_t i = 0; i < plan->by_count && name != NULL; i++) {
    name = arena_printf(arena, "%s%s%s=%s", name, i == 0 ? "" : ";", plan->by[i],
                        cell->values[i] == NULL ? "" : cell->values[i]);
  }
  return name;
}
