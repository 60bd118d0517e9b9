#include "core/service/outbound_reveal.h"

#include "core/base/file.h"
#include "core/base/map.h"
#include "core/service/outbound_cell.h"
#include "core/service/outbound_sight.h"
#include "core/service/pseudonym.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NAME_SIZE = 128, FILES_MOST = MODEL_ENTITIES_MOST, NUMBER_SIZE = 24 };
static const size_t FILE_LIMIT = (size_t)2 << 30;

struct leaf {
  const struct entity *entity;
  struct export_file file;
  struct buffer text;
};
struct reveal {
  struct workspace *workspace;
  const struct export_request *request;
  struct subkey pseudonyms;
  struct map *members; /* "case/ROW", "person/ROW": the consolidated id */
  struct map *keys;    /* "case/SOURCE/KEY": the same */
  int64_t *rows;       /* own rows of the entity at hand */
  size_t row_count, row_capacity;
  struct leaf *leaf; /* at hand */
  struct leaf leaves[FILES_MOST];
  size_t leaf_count;
  struct buffer cell, name;
};

/* ---- ids ---- */

static uint32_t find(const struct map *map, struct buffer *name, const char *kind, int64_t number, struct slice key) {
  buffer_reset(name);
  buffer_printf(name, "%s/%lld/", kind, (long long)number);
  buffer_slice(name, key);
  return name->failed == OK ? map_get(map, buffer_view(name)) : MAP_NONE;
}

static enum status remember(struct map *map, struct buffer *name, const char *kind, int64_t number, struct slice key,
                            int64_t id, struct error *error) {
  buffer_reset(name);
  buffer_printf(name, "%s/%lld/", kind, (long long)number);
  buffer_slice(name, key);
  if (id <= 0 || id >= MAP_NONE || name->failed != OK) {
    return buffer_check(name, _("a key"), error);
  }
  return map_put(map, buffer_view(name), (uint32_t)id) == OK ? OK : error_memory(error);
}

static enum status read_members(struct reveal *reveal, struct error *error) {
  static const char *const columns[] = {"id", "kind", "row_id"};
  const struct selection selection = {.view = "members", .columns = columns, .column_count = 3};
  struct result *result = NULL;
  enum status status = store_select(reveal->workspace->store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    const char *kind = slice_is(result_text(result, 1), "case") ? "case" : "person";
    status = remember(reveal->members, &reveal->name, kind, result_integer(result, 2), slice_of(""),
                      result_integer(result, 0), error);
  }
  result_free(result);
  return status == END ? OK : status;
}

static bool own(const struct reveal *reveal, const struct row *row) {
  return slice_is(row->institution, reveal->request->recipient);
}

/* The consolidated case and person behind each key of the institution's sources. */
static enum status take_key(void *context, const struct row *row, struct error *error) {
  struct reveal *reveal = context;
  const char *kind = reveal->leaf->entity->name;
  uint32_t id = own(reveal, row) ? find(reveal->members, &reveal->name, kind, row->row_id, slice_of("")) : MAP_NONE;
  return id == MAP_NONE ? OK : remember(reveal->keys, &reveal->name, kind, row->source_id, row->key, id, error);
}

static enum status take_number(void *context, const struct row *row, struct error *error) {
  struct reveal *reveal = context;
  if (!own(reveal, row)) {
    return OK;
  }
  if (reveal->row_count == reveal->row_capacity) {
    size_t capacity = reveal->row_capacity == 0 ? 1024 : 2 * reveal->row_capacity;
    int64_t *more = realloc(reveal->rows, capacity * sizeof *more);
    if (more == NULL) {
      return error_memory(error);
    }
    reveal->rows = more;
    reveal->row_capacity = capacity;
  }
  reveal->rows[reveal->row_count++] = row->row_id;
  return OK;
}

/* ---- a row ---- */

static void begin_cell(struct reveal *reveal, size_t at, const char *name) {
  struct buffer *out = &reveal->leaf->text;
  buffer_text(out, at > 0 ? "," : reveal->request->json ? "{" : "");
  if (reveal->request->json) {
    buffer_printf(out, "\"%s\":", name);
  }
}

static void put_text(struct reveal *reveal, struct slice text, bool plain) {
  struct buffer *out = &reveal->leaf->text;
  if (!reveal->request->json) {
    csv_cell(out, text);
  } else if (text.len == 0) {
    buffer_text(out, "null");
  } else if (plain) {
    buffer_slice(out, text);
  } else {
    buffer_json(out, text);
  }
}

static void put_id(struct reveal *reveal, size_t at, const char *kind, const struct row *row, struct slice key) {
  char pseudonym[PSEUDONYM_SIZE] = "", name[NUMBER_SIZE];
  bool itself = strcmp(reveal->leaf->entity->name, kind) == 0;
  uint32_t id = itself ? find(reveal->members, &reveal->name, kind, row->row_id, slice_of(""))
                       : find(reveal->keys, &reveal->name, kind, row->source_id, key);
  if (id != MAP_NONE) {
    pseudonym_write(&reveal->pseudonyms, kind, id, pseudonym);
  }
  snprintf(name, sizeof name, "%s_id", kind);
  begin_cell(reveal, at, name);
  put_text(reveal, slice_of(pseudonym), false);
}

static void put_field(struct reveal *reveal, size_t at, const struct field *field, const struct cell *cell) {
  char number[NUMBER_SIZE];
  struct slice text = slice_make(cell->text, cell->kind == CELL_TEXT ? cell->len : 0);
  if (cell->kind == CELL_INTEGER) {
    text = slice_make(number, (size_t)snprintf(number, sizeof number, "%lld", (long long)cell->integer));
  }
  buffer_reset(&reveal->cell);
  if (cell->kind != CELL_NULL) {
    htcds_cell(reveal->workspace->lists, field, text, &reveal->cell);
  }
  begin_cell(reveal, at, field->htcds);
  put_text(reveal, buffer_view(&reveal->cell),
           !field->many && (field->type == FIELD_INTEGER || field->type == FIELD_BOOLEAN));
}

static bool is_entity(const struct entity *entity, const char *name) {
  return strcmp(entity->name, name) == 0;
}

static enum status put_row(void *context, const struct row *row, struct error *error) {
  struct reveal *reveal = context;
  const struct entity *entity = reveal->leaf->entity;
  size_t at = 0;
  if (!own(reveal, row)) {
    return OK;
  }
  if (is_entity(entity, "case") || entity->has_case) {
    put_id(reveal, at++, "case", row, row->case_key);
  }
  if (is_entity(entity, "person") || entity->has_person) {
    put_id(reveal, at++, "person", row, row->person_key);
  }
  for (size_t i = 0; i < entity->field_count; i++) {
    if (entity->fields[i].htcds != NULL) {
      put_field(reveal, at++, &entity->fields[i], &row->cells[entity->fields[i].column]);
    }
  }
  buffer_text(&reveal->leaf->text, reveal->request->json ? "}\n" : "\r\n");
  reveal->leaf->file.rows++;
  enum status status = buffer_check(&reveal->cell, _("a value"), error);
  return status == OK ? buffer_check(&reveal->leaf->text, _("the rows"), error) : status;
}

static void put_head(struct reveal *reveal) {
  const struct entity *entity = reveal->leaf->entity;
  struct buffer *out = &reveal->leaf->text;
  const char *comma = "";
  if (is_entity(entity, "case") || entity->has_case) {
    buffer_text(out, "case_id");
    comma = ",";
  }
  if (is_entity(entity, "person") || entity->has_person) {
    buffer_printf(out, "%sperson_id", comma);
    comma = ",";
  }
  for (size_t i = 0; i < entity->field_count; i++) {
    if (entity->fields[i].htcds != NULL) {
      buffer_printf(out, "%s%s", comma, entity->fields[i].htcds);
      comma = ",";
    }
  }
  buffer_text(out, "\r\n");
}

/* ---- files ---- */

static enum status plan_files(struct reveal *reveal, struct error *error) {
  const struct model *model = reveal->workspace->model;
  for (size_t e = 0; e < model->entity_count; e++) {
    const struct entity *entity = &model->entities[e];
    struct leaf *leaf = &reveal->leaves[reveal->leaf_count];
    bool speaks = false;
    for (size_t i = 0; i < entity->field_count && !entity->aggregate; i++) {
      speaks = speaks || entity->fields[i].htcds != NULL;
    }
    if (!speaks) {
      continue;
    }
    leaf->entity = entity;
    leaf->file.entity = entity->name;
    buffer_init(&leaf->text, FILE_LIMIT);
    buffer_text(&leaf->text, "");
    reveal->leaf_count++;
    int length = snprintf(leaf->file.path, sizeof leaf->file.path, "%s/%s.%s", reveal->request->folder, entity->name,
                          reveal->request->json ? "jsonl" : "csv");
    if (length < 0 || (size_t)length >= sizeof leaf->file.path) {
      return error_set(error, ERR_LIMIT, _("the folder's name is too long"));
    }
  }
  return OK;
}

/* Names of others are not even opened: own rows are found first. */
static enum status read_leaf(struct reveal *reveal, struct leaf *leaf, struct error *error) {
  struct store *store = reveal->workspace->store;
  const struct row_filter numbers = {.identity = false};
  reveal->leaf = leaf;
  reveal->row_count = 0;
  if (!reveal->request->json) {
    put_head(reveal);
  }
  enum status status = store_visit_rows(store, leaf->entity, &numbers, take_number, reveal, error);
  const struct row_filter rows = {.identity = true, .rows = reveal->rows, .count = reveal->row_count};
  return status == OK && reveal->row_count > 0 ? store_visit_rows(store, leaf->entity, &rows, put_row, reveal, error)
                                               : status;
}

static enum status read_all(struct reveal *reveal, struct error *error) {
  const struct row_filter all = {.identity = false};
  enum status status = read_members(reveal, error);
  for (size_t i = 0; i < reveal->leaf_count && status == OK; i++) {
    reveal->leaf = &reveal->leaves[i];
    bool keyed = is_entity(reveal->leaf->entity, "case") || is_entity(reveal->leaf->entity, "person");
    status =
        keyed ? store_visit_rows(reveal->workspace->store, reveal->leaf->entity, &all, take_key, reveal, error) : OK;
  }
  for (size_t i = 0; i < reveal->leaf_count && status == OK; i++) {
    status = read_leaf(reveal, &reveal->leaves[i], error);
  }
  return status;
}

static enum status write_all(struct reveal *reveal, const struct outbound_sight *sight, struct error *error) {
  struct buffer digests;
  int64_t rows = 0;
  size_t written = 0;
  buffer_init(&digests, FILE_LIMIT);
  for (size_t i = 0; i < reveal->leaf_count; i++) {
    buffer_slice(&digests, buffer_view(&reveal->leaves[i].text));
    rows += reveal->leaves[i].file.rows;
  }
  enum status status = buffer_check(&digests, _("the rows"), error);
  struct sha256 digest = sha256_of(buffer_view(&digests));
  buffer_free(&digests);
  status = status == OK ? outbound_sight_taken(reveal->workspace, sight, rows, &digest, error) : status;
  for (; written < reveal->leaf_count && status == OK; written += status == OK) {
    const struct leaf *leaf = &reveal->leaves[written];
    status = file_write(leaf->file.path, buffer_view(&leaf->text), 0600, error);
  }
  while (status != OK && written > 0) {
    unlink(reveal->leaves[--written].file.path);
  }
  return status;
}

static void reveal_free(struct reveal *reveal) {
  for (size_t i = 0; i < reveal->leaf_count; i++) {
    buffer_free(&reveal->leaves[i].text);
  }
  map_free(reveal->members);
  map_free(reveal->keys);
  free(reveal->rows);
  buffer_free(&reveal->cell);
  buffer_free(&reveal->name);
  free(reveal);
}

enum status service_reveal(struct workspace *workspace, const struct export_request *request, export_report *report,
                           void *context, struct error *error) {
  struct outbound_sight sight = {.form = "htcds", .institution = request->recipient, .purpose = request->purpose};
  enum status status = outbound_sight_begin(workspace, &sight, error);
  status = status == OK ? outbound_folder(request->folder, error) : status;
  struct reveal *reveal = status == OK ? calloc(1, sizeof *reveal) : NULL;
  if (reveal == NULL) {
    return status == OK ? error_memory(error) : status;
  }
  reveal->workspace = workspace;
  reveal->request = request;
  reveal->pseudonyms = pseudonym_key(workspace->key, request->recipient, PSEUDONYM_NAMED);
  reveal->members = map_new();
  reveal->keys = map_new();
  buffer_init(&reveal->cell, (size_t)1 << 20);
  buffer_init(&reveal->name, (size_t)1 << 20);
  status = reveal->members == NULL || reveal->keys == NULL ? error_memory(error) : plan_files(reveal, error);
  status = status == OK ? read_all(reveal, error) : status;
  status = status == OK ? write_all(reveal, &sight, error) : status;
  for (size_t i = 0; i < reveal->leaf_count && status == OK; i++) {
    report(context, &reveal->leaves[i].file);
  }
  reveal_free(reveal);
  return status;
}
