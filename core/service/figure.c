#include "core/service/figure.h"

#include "core/service/access.h"
#include "core/service/purpose.h"
#include "core/store/access.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOG_LIMIT = 1 << 16 };

/* ---- naming ---- */

static enum status add_condition(struct figure_request *request, const char *field, const char *value,
                                 struct error *error) {
  if (field == NULL || value == NULL) {
    return error_memory(error);
  }
  if (request->condition_count == FIGURE_CONDITIONS_MOST) {
    return error_set(error, ERR_USAGE, _("a figure is named by at most %d fields"), FIGURE_CONDITIONS_MOST);
  }
  request->conditions[request->condition_count++] = (struct condition){.field = field, .value = value};
  return OK;
}

static enum status from_pairs(struct figure_request *request, const char *text, struct arena *arena,
                              struct error *error) {
  enum status status = OK;
  while (status == OK && *text != '\0') {
    size_t len = strcspn(text, ","), name = strcspn(text, "=");
    if (name == 0 || name >= len) {
      error_set(error, ERR_USAGE, _("'%s' is not FIELD=VALUE,FIELD=VALUE"), text);
      error_hint(error, "%s", _("for example --by year=2022,department=15; FIELD= asks for what is not recorded"));
      return ERR_USAGE;
    }
    status = add_condition(request, arena_text(arena, slice_make(text, name)),
                           arena_text(arena, slice_make(text + name + 1, len - name - 1)), error);
    text += len + (text[len] == ',');
  }
  return status;
}

static enum status from_row(struct figure_request *request, const char *text, struct arena *arena,
                            struct error *error) {
  enum status status = OK;
  const char *name;
  json_t *value;
  json_t *row = json_loads(text, 0, NULL);
  if (!json_is_object(row)) {
    json_decref(row);
    error_set(error, ERR_USAGE, "%s", _("this is no row of a report"));
    error_hint(error, "%s", _("paste one object as `puente report … --json` prints it, in quotes"));
    return ERR_USAGE;
  }
  json_object_foreach(row, name, value) {
    if (status == OK && (json_is_string(value) || json_is_null(value))) {
      const char *written = json_is_null(value) ? "" : json_string_value(value);
      status = add_condition(request, arena_text(arena, slice_of(name)), arena_text(arena, slice_of(written)), error);
    }
  }
  json_decref(row);
  return status;
}

enum status figure_conditions(struct figure_request *request, const char *text, struct arena *arena,
                              struct error *error) {
  while (isspace((unsigned char)*text)) {
    text++;
  }
  return *text == '{' ? from_row(request, text, arena, error) : from_pairs(request, text, arena, error);
}

/* ---- the log ---- */

/* Codes say nothing about one person; any other value goes into the log as a keyed digest. */
static bool is_coded(const struct workspace *workspace, const char *name) {
  static const char *const computed[] = {"year",     "period", "month",    "region",   "department",
                                         "province", "stage",  "decision", "age_band", "purpose_group"};
  static const char *const entities[] = {"involvement", "person", "case"};
  for (size_t i = 0; i < sizeof computed / sizeof *computed; i++) {
    if (strcmp(computed[i], name) == 0) {
      return true;
    }
  }
  for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
    const struct entity *entity = model_entity(workspace->model, entities[i]);
    const struct field *field = entity == NULL ? NULL : entity_field(entity, slice_of(name));
    if (field != NULL) {
      return field->codelist != NULL || field->type == FIELD_BOOLEAN;
    }
  }
  return false;
}

static int by_field(const void *a, const void *b) {
  const struct condition *left = a, *right = b;
  int order = strcmp(left->field, right->field);
  return order != 0 ? order : strcmp(left->value, right->value);
}

void figure_where(const struct workspace *workspace, const struct figure_request *request, struct buffer *out) {
  struct condition conditions[FIGURE_CONDITIONS_MOST];
  memcpy(conditions, request->conditions, sizeof conditions);
  qsort(conditions, request->condition_count, sizeof *conditions, by_field);
  buffer_char(out, '{');
  for (size_t i = 0; i < request->condition_count; i++) {
    buffer_text(out, i == 0 ? "" : ",");
    buffer_json(out, slice_of(conditions[i].field));
    buffer_char(out, ':');
    if (is_coded(workspace, conditions[i].field)) {
      buffer_json(out, slice_of(conditions[i].value));
    } else {
      char hex[2 * KEYED_SIZE + 1];
      struct keyed_digest digest = key_digest(workspace->key, "figure", slice_of(conditions[i].value));
      hex_format(digest.bytes, KEYED_SIZE, hex);
      buffer_printf(out, "\"keyed:%s\"", hex);
    }
  }
  buffer_char(out, '}');
}

/* What the log says of a figure, as canonical JSON. */
static enum status figure_body(const struct workspace *workspace, const struct figure_request *request, bool exact,
                               struct buffer *body, struct error *error) {
  buffer_printf(body, "{%s\"figure\":", exact ? "\"exact\":true," : "");
  buffer_json(body, slice_of(request->indicator));
  if (request->table != NULL) {
    buffer_printf(body, ",\"release\":%lld,\"table\":", (long long)request->release->id);
    buffer_json(body, slice_of(request->table->name));
  }
  buffer_text(body, ",\"where\":");
  figure_where(workspace, request, body);
  buffer_char(body, '}');
  return buffer_check(body, _("an audit entry"), error);
}

static enum status log_sight(struct workspace *workspace, const struct figure_request *request, struct error *error) {
  struct explain_request sight = request->sight;
  bool named = sight.reveal;
  struct buffer body;
  if (!request->exact && !sight.reveal) {
    return OK;
  }
  buffer_init(&body, LOG_LIMIT);
  sight.exact = !named;
  sight.reveal = true; /* an exact figure is a sight, too */
  enum status status = figure_body(workspace, request, true, &body, error);
  status = status == OK && named ? purpose_require(workspace, 0, sight.purpose, error) : status;
  status = status == OK ? explain_log(workspace, &sight, body.data, NULL, error) : status;
  buffer_free(&body);
  return status;
}

/* Auditors' logins: the database writes the entry, and shows what figures are made of. */
static enum status begin_count(struct workspace *workspace, const struct figure_request *request, struct error *error) {
  struct buffer body;
  if (!access_restricted(workspace)) {
    return OK;
  }
  buffer_init(&body, LOG_LIMIT);
  enum status status = figure_body(workspace, request, false, &body, error);
  status =
      status == OK ? store_sight_figure(workspace->store, "figure", request->sight.purpose, body.data, error) : status;
  buffer_free(&body);
  return status;
}

/* ---- counting ---- */

static enum status take_unit(void *context, const struct cube_unit *told, struct error *error) {
  struct figure *figure = context;
  if (figure->count == figure->capacity) {
    size_t capacity = figure->capacity == 0 ? 256 : 2 * figure->capacity;
    struct figure_unit *moved = realloc(figure->units, capacity * sizeof *moved);
    if (moved == NULL) {
      return error_memory(error);
    }
    figure->units = moved;
    figure->capacity = capacity;
  }
  struct figure_unit *unit = &figure->units[figure->count];
  *unit = (struct figure_unit){.id = told->id, .case_id = told->case_id, .row_count = told->row_count};
  unit->rows = arena_array(figure->arena, told->row_count + 1, sizeof *unit->rows);
  unit->origins = arena_array(figure->arena, told->count + 1, sizeof *unit->origins);
  if (unit->rows == NULL || unit->origins == NULL) {
    return error_memory(error);
  }
  if (told->row_count > 0) {
    memcpy(unit->rows, told->rows, told->row_count * sizeof *unit->rows);
  }
  for (size_t i = 0; i < told->count; i++) {
    unit->origins[i] = told->origins[i];
    const char *field = told->origins[i].field;
    unit->origins[i].field = field == NULL ? NULL : arena_text(figure->arena, slice_of(field));
  }
  figure->count++;
  return OK;
}

static int by_id(const void *a, const void *b) {
  const struct figure_unit *left = a, *right = b;
  if (left->id != right->id) {
    return left->id < right->id ? -1 : 1;
  }
  return left->case_id < right->case_id ? -1 : left->case_id > right->case_id;
}

static void note_conditions(const struct figure_request *request, struct figure *figure) {
  const struct indicator *indicator = &figure->indicator;
  for (size_t i = 0; i < indicator->condition_count; i++) {
    figure->fields[figure->condition_count] = indicator->conditions[i].field;
    figure->wanted[figure->condition_count++] = indicator->conditions[i].value;
  }
  for (size_t i = 0; i < request->condition_count && figure->condition_count < CUBE_CONDITIONS_MOST; i++) {
    figure->fields[figure->condition_count] = request->conditions[i].field;
    figure->wanted[figure->condition_count++] = request->conditions[i].value;
  }
}

enum status figure_hidden(int base, struct error *error) {
  error_set(error, ERR_AUTH, "%s",
            base > 0 ? _("the figure is rounded in its table: who is behind it is a sight of exact data")
                     : _("the figure is hidden in its table: who is behind it is a sight of exact data"));
  error_hint(error, "%s", _("--exact --purpose \"why you have to see it\": the log records it"));
  return ERR_AUTH;
}

static enum status define(const struct workspace *workspace, const struct figure_request *request,
                          struct figure *figure, struct error *error) {
  const char *const folders[2] = {workspace->config->indicator_folders[0], workspace->config->indicator_folders[1]};
  if (request->table == NULL) {
    figure->as_of_run = request->as_of_run;
    return indicator_load(folders, request->indicator, figure->arena, &figure->indicator, error);
  }
  figure->indicator = request->table->indicator;
  figure->as_of_run = request->release->run;
  return OK;
}

static const char *frozen_group(const void *groups, const char *field, struct slice code) {
  char text[128];
  snprintf(text, sizeof text, "%.*s", SLICE_ARG(code));
  return release_group_of(groups, field, text);
}

/* The list of units would be the exact count; a release's cell was looked at by its own method. */
static enum status refuse_rounded(const struct workspace *workspace, const struct figure_request *request,
                                  struct error *error) {
  int base = request->table == NULL ? workspace->config->disclosure.base : 0;
  return base > 0 ? figure_hidden(base, error) : OK;
}

enum status figure_find(struct workspace *workspace, const struct figure_request *request, struct figure *figure,
                        struct error *error) {
  *figure = (struct figure){.arena = arena_new(0)};
  enum status status = figure->arena == NULL ? error_memory(error) : access_require(workspace, RIGHT_LOG, error);
  status = status == OK ? define(workspace, request, figure, error) : status;
  bool seen = request->exact || request->sight.reveal;
  status = status == OK && !seen ? refuse_rounded(workspace, request, error) : status;
  status = status == OK ? log_sight(workspace, request, error) : status;
  status = status == OK ? begin_count(workspace, request, error) : status;
  if (status != OK) {
    return status;
  }
  note_conditions(request, figure);
  const struct cube_request asked = {.workspace = workspace,
                                     .indicator = &figure->indicator,
                                     .conditions = request->conditions,
                                     .condition_count = request->condition_count,
                                     .suppress = !seen && request->table == NULL,
                                     .as_of_run = figure->as_of_run,
                                     .group = request->table == NULL ? NULL : frozen_group,
                                     .groups = request->table,
                                     .visit = take_unit,
                                     .context = figure};
  struct cube cube;
  status = cube_run(&asked, &cube, error);
  if (status != OK) {
    return status;
  }
  figure->extent = cube.total;
  cube_free(&cube);
  if (figure->extent.hidden) {
    return figure_hidden(0, error);
  }
  if (figure->count > 0) {
    qsort(figure->units, figure->count, sizeof *figure->units, by_id);
  }
  return OK;
}

void figure_free(struct figure *figure) {
  arena_free(figure->arena);
  free(figure->units);
  *figure = (struct figure){0};
}

enum status figure_ids(struct figure *figure, int64_t **ids, size_t *count, struct error *error) {
  *count = 0;
  *ids = arena_array(figure->arena, figure->count + 1, sizeof **ids);
  if (*ids == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < figure->count; i++) {
    if (i == 0 || figure->units[i].id != figure->units[i - 1].id) {
      (*ids)[(*count)++] = figure->units[i].id;
    }
  }
  return OK;
}
