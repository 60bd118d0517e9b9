#include "core/service/totals.h"

#include "core/base/file.h"
#include "core/base/folder.h"
#include "core/base/map.h"
#include "core/base/text.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_MOST = 8, CHECKS_MOST = 64, BLOCK_TEXT_MOST = 512 };

struct check {
  const struct yaml *at;
  const char *name, *total;
  const char **parts;
  size_t part_count;
};

/* One check in one block. */
struct tally {
  int64_t parts, total;
  bool has_part, has_total, incomplete;
};

struct sheet {
  struct totals *totals;
  const struct entity *entity;
  const char *source;
  int source_id;
  int group[GROUP_MOST], figure, value; /* columns */
  size_t group_count;
  struct check checks[CHECKS_MOST];
  size_t check_count;
  struct map *blocks;
  struct tally *tallies; /* block × check */
  size_t capacity;       /* blocks that fit */
};

/* ---- reading the file ---- */

static enum status find_column(const struct sheet *sheet, const struct yaml *at, const char *name, int *column,
                               struct error *error) {
  const struct field *field = entity_field(sheet->entity, slice_of(name));
  if (field == NULL) {
    yaml_error(at, error, _("%s has no field \"%s\""), sheet->entity->name, name);
    error_hint(error, _("config/model/%s.yaml lists them"), sheet->entity->name);
    return ERR_CONFIG;
  }
  *column = field->column;
  return OK;
}

static enum status read_column(const struct sheet *sheet, const struct yaml *root, const char *key, int *column,
                               struct error *error) {
  const char *name = yaml_text(root, key, NULL);
  if (name == NULL) {
    return yaml_error(root, error, _("`%s` is missing"), key);
  }
  return find_column(sheet, yaml_get(root, key), name, column, error);
}

static enum status read_group(struct sheet *sheet, const struct yaml *root, struct error *error) {
  const char **names = NULL;
  enum status status = yaml_texts(root, "group", sheet->totals->arena, &names, &sheet->group_count, error);
  if (status == OK && (sheet->group_count == 0 || sheet->group_count > GROUP_MOST)) {
    status = yaml_error(root, error, _("`group` takes 1 to %d fields"), GROUP_MOST);
  }
  for (size_t i = 0; i < sheet->group_count && status == OK; i++) {
    status = find_column(sheet, yaml_get(root, "group"), names[i], &sheet->group[i], error);
  }
  return status;
}

static enum status read_checks(struct sheet *sheet, const struct yaml *root, struct error *error) {
  static const char *const known[] = {"label", "parts", "total", NULL};
  const struct yaml *list = yaml_get(root, "checks");
  if (list == NULL || list->kind != YAML_MAP || list->count == 0 || list->count > CHECKS_MOST) {
    return yaml_error(list == NULL ? root : list, error, _("`checks` takes 1 to %d named checks"), CHECKS_MOST);
  }
  for (size_t i = 0; i < list->count; i++) {
    const struct yaml *at = &list->children[i];
    struct check *check = &sheet->checks[sheet->check_count++];
    *check = (struct check){.at = at, .name = at->key, .total = yaml_text(at, "total", NULL)};
    enum status status = yaml_check_keys(at, known, error);
    if (status == OK) {
      status = yaml_texts(at, "parts", sheet->totals->arena, &check->parts, &check->part_count, error);
    }
    if (status == OK && (check->total == NULL || check->part_count == 0)) {
      status = yaml_error(at, error, _("check \"%s\" needs `parts` and `total`"), at->key);
    }
    if (status != OK) {
      return status;
    }
  }
  return OK;
}

static enum status read_sheet(struct sheet *sheet, const struct workspace *workspace, const struct yaml *root,
                              struct error *error) {
  static const char *const known[] = {"source", "entity", "group", "figure", "value", "checks", NULL};
  enum status status = yaml_check_keys(root, known, error);
  if (status != OK) {
    return status;
  }
  sheet->source = yaml_text(root, "source", "");
  const struct source_config *source = config_source(workspace->config, sheet->source);
  if (source == NULL) {
    return yaml_error(root, error, _("there is no source \"%s\""), sheet->source);
  }
  sheet->source_id = workspace->source_ids[source - workspace->config->sources];
  const char *entity = yaml_text(root, "entity", "aggregate");
  sheet->entity = model_entity(workspace->model, entity);
  if (sheet->entity == NULL) {
    return yaml_error(root, error, _("the model has no entity \"%s\""), entity);
  }
  status = read_group(sheet, root, error);
  status = status == OK ? read_column(sheet, root, "figure", &sheet->figure, error) : status;
  status = status == OK ? read_column(sheet, root, "value", &sheet->value, error) : status;
  return status == OK ? read_checks(sheet, root, error) : status;
}

/* ---- adding up ---- */

static bool is_part(const struct check *check, const char *figure) {
  if (strcmp(check->total, figure) == 0) {
    return false;
  }
  for (size_t i = 0; i < check->part_count; i++) {
    if (fnmatch(check->parts[i], figure, 0) == 0) {
      return true;
    }
  }
  return false;
}

static bool write_cell(char *text, size_t *len, const struct cell *cell) {
  int more = 0;
  if (cell->kind == CELL_TEXT) {
    more = snprintf(text + *len, BLOCK_TEXT_MOST - *len, "%.*s", (int)cell->len, cell->text);
  } else if (cell->kind == CELL_INTEGER) {
    more = snprintf(text + *len, BLOCK_TEXT_MOST - *len, "%" PRId64, cell->integer);
  }
  *len += more > 0 ? (size_t)more : 0;
  return *len < BLOCK_TEXT_MOST;
}

/* The tallies of the row's block, made on its first row. */
static enum status find_block(struct sheet *sheet, const struct row *row, struct tally **tallies, struct error *error) {
  char text[BLOCK_TEXT_MOST] = "";
  size_t len = 0;
  bool fits = true;
  for (size_t i = 0; i < sheet->group_count && fits; i++) {
    if (i > 0) {
      len += (size_t)snprintf(text + len, sizeof text - len, " · ");
    }
    fits = len < sizeof text && write_cell(text, &len, &row->cells[sheet->group[i]]);
  }
  if (!fits) {
    return error_set(error, ERR_LIMIT, _("the name of a block is longer than %d bytes"), BLOCK_TEXT_MOST - 1);
  }
  uint32_t block = map_intern(sheet->blocks, slice_make(text, len));
  if (block == MAP_NONE) {
    return error_memory(error);
  }
  if (block >= sheet->capacity) {
    size_t capacity = sheet->capacity == 0 ? 256 : sheet->capacity * 2;
    struct tally *grown = reallocarray(sheet->tallies, capacity * sheet->check_count, sizeof *grown);
    if (grown == NULL) {
      return error_memory(error);
    }
    memset(grown + sheet->capacity * sheet->check_count, 0,
           (capacity - sheet->capacity) * sheet->check_count * sizeof *grown);
    sheet->tallies = grown;
    sheet->capacity = capacity;
  }
  *tallies = sheet->tallies + block * sheet->check_count;
  return OK;
}

static enum status add_row(void *context, const struct row *row, struct error *error) {
  struct sheet *sheet = context;
  const struct cell *figure = &row->cells[sheet->figure], *value = &row->cells[sheet->value];
  if (row->source_id != sheet->source_id || figure->kind != CELL_TEXT || figure->len >= BLOCK_TEXT_MOST) {
    return OK;
  }
  char name[BLOCK_TEXT_MOST];
  snprintf(name, sizeof name, "%.*s", (int)figure->len, figure->text);
  struct tally *tallies = NULL;
  enum status status = find_block(sheet, row, &tallies, error);
  for (size_t i = 0; i < sheet->check_count && status == OK; i++) {
    bool total = strcmp(sheet->checks[i].total, name) == 0;
    if (!total && !is_part(&sheet->checks[i], name)) {
      continue;
    }
    struct tally *tally = &tallies[i];
    tally->incomplete = tally->incomplete || value->kind != CELL_INTEGER;
    int64_t number = value->kind == CELL_INTEGER ? value->integer : 0;
    tally->has_total = tally->has_total || total;
    tally->has_part = tally->has_part || !total;
    tally->total += total ? number : 0;
    tally->parts += total ? 0 : number;
  }
  return status;
}

static int compare_misses(const void *a, const void *b) {
  return strcmp(((const struct totals_miss *)a)->block, ((const struct totals_miss *)b)->block);
}

static enum status conclude(struct sheet *sheet, size_t position, struct totals_check *result, struct error *error) {
  const struct check *check = &sheet->checks[position];
  const struct yaml *label = yaml_get(check->at, "label");
  struct arena *arena = sheet->totals->arena;
  *result = (struct totals_check){.source = sheet->source,
                                  .name = check->name,
                                  .label_en = yaml_text(label, "en", check->name),
                                  .label_es = yaml_text(label, "es", check->name)};
  uint32_t blocks = map_count(sheet->blocks);
  result->misses = arena_array(arena, (size_t)blocks + 1, sizeof *result->misses);
  if (result->misses == NULL) {
    return error_memory(error);
  }
  for (uint32_t i = 0; i < blocks; i++) {
    const struct tally *tally = &sheet->tallies[i * sheet->check_count + position];
    if (!tally->has_total || !tally->has_part || tally->incomplete) {
      result->skipped++;
      continue;
    }
    result->compared++;
    if (tally->parts != tally->total) {
      struct totals_miss *miss = &result->misses[result->miss_count++];
      *miss = (struct totals_miss){arena_text(arena, map_key(sheet->blocks, i)), tally->parts, tally->total};
      if (miss->block == NULL) {
        return error_memory(error);
      }
    }
  }
  qsort(result->misses, result->miss_count, sizeof *result->misses, compare_misses);
  return OK;
}

static enum status add_sheet(struct totals *totals, struct sheet *sheet, const struct workspace *workspace,
                             struct error *error) {
  const struct row_filter filter = {0};
  enum status status = store_visit_rows(workspace->store, sheet->entity, &filter, add_row, sheet, error);
  size_t count = totals->count + sheet->check_count;
  struct totals_check *grown = arena_array(totals->arena, count, sizeof *grown);
  if (status == OK && grown == NULL) {
    status = error_memory(error);
  }
  if (status != OK) {
    return status;
  }
  if (totals->count > 0) {
    memcpy(grown, totals->checks, totals->count * sizeof *grown);
  }
  totals->checks = grown;
  for (size_t i = 0; i < sheet->check_count && status == OK; i++) {
    status = conclude(sheet, i, &grown[totals->count + i], error);
  }
  totals->count = status == OK ? count : totals->count;
  return status;
}

static enum status run_file(struct totals *totals, const struct workspace *workspace, const char *path,
                            const char *source, struct error *error) {
  struct yaml *root = NULL;
  struct sheet *sheet = calloc(1, sizeof *sheet);
  if (sheet == NULL) {
    return error_memory(error);
  }
  sheet->totals = totals;
  sheet->blocks = map_new();
  enum status status = sheet->blocks == NULL ? error_memory(error) : yaml_load(path, totals->arena, &root, error);
  status = status == OK ? read_sheet(sheet, workspace, root, error) : status;
  if (status == OK && (source == NULL || strcmp(source, sheet->source) == 0)) {
    status = add_sheet(totals, sheet, workspace, error);
  }
  map_free(sheet->blocks);
  free(sheet->tallies);
  free(sheet);
  return status;
}

enum status totals_run(const struct workspace *workspace, const char *source, struct totals *totals,
                       struct error *error) {
  *totals = (struct totals){.arena = arena_new(0)};
  const char *const *paths = NULL;
  size_t count = 0;
  const char *folder = totals->arena == NULL ? NULL : path_join(totals->arena, workspace->config->folder, "checks");
  if (folder == NULL) {
    totals_free(totals);
    return error_memory(error);
  }
  enum status status = folder_list(folder, ".yaml", totals->arena, &paths, &count, error);
  if (status == ERR_NOT_FOUND) {
    return OK;
  }
  for (size_t i = 0; i < count && status == OK; i++) {
    status = run_file(totals, workspace, paths[i], source, error);
  }
  if (status != OK) {
    totals_free(totals);
  }
  return status;
}

void totals_free(struct totals *totals) {
  arena_free(totals->arena);
  *totals = (struct totals){0};
}
