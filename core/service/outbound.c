#include "core/service/outbound.h"

#include "core/audit/audit.h"
#include "core/service/access.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COLUMNS_MOST = 128, BODY_LIMIT = 1 << 16, NAME_SIZE = 64 };

struct outbound {
  struct workspace *workspace;
  enum export_form form;
  const char *folder;
  struct buffer audit; /* members of the audit entry's body so far */
  struct buffer row;
};

/* One file being written: the columns of the view that leave, and their names outside. */
struct leaving {
  const struct entity *entity;
  const char *columns[COLUMNS_MOST], *names[COLUMNS_MOST];
  bool integers[COLUMNS_MOST];
  size_t count;
  struct export_file file;
  char part[sizeof(((struct export_file *)0)->path) + 8];
  FILE *out;
};

static enum status io_error(const char *path, struct error *error) {
  int cause = errno;
  error_set(error, cause == ENOSPC ? ERR_FULL : ERR_IO, _("cannot write: %s"), strerror(cause));
  error_place(error, "%s", path);
  return error->code;
}

static const struct view *find_view(const struct store *store, const char *name) {
  size_t count = 0;
  const struct view *views = store_views(store, &count);
  for (size_t i = 0; i < count; i++) {
    if (strcmp(views[i].name, name) == 0) {
      return &views[i];
    }
  }
  return NULL;
}

/* Columns that the store adds to those of the model. */
static bool is_number(const char *name) {
  static const char *const names[] = {"case_id", "person_id", "row_id", "record_id", "records", "sources", "from_run"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(names[i], name) == 0) {
      return true;
    }
  }
  return false;
}

static bool is_integer(const struct field *field) {
  return field != NULL && !field->many && (field->type == FIELD_INTEGER || field->type == FIELD_BOOLEAN);
}

static void choose_columns(const struct outbound *outbound, const struct view *view, struct leaving *leaving) {
  for (size_t i = 0; i < view->column_count && leaving->count < COLUMNS_MOST; i++) {
    const char *name = view->columns[i].name;
    const struct field *field = entity_field(leaving->entity, slice_of(name));
    bool id = strcmp(name, "case_id") == 0 || strcmp(name, "person_id") == 0;
    if (outbound->form == EXPORT_HTCDS && !id && (field == NULL || field->htcds == NULL)) {
      continue;
    }
    leaving->columns[leaving->count] = name;
    leaving->names[leaving->count] = outbound->form == EXPORT_HTCDS && !id ? field->htcds : name;
    leaving->integers[leaving->count++] = is_number(name) || is_integer(field);
  }
}

static void csv_cell(struct buffer *row, struct slice text) {
  bool quoted = false;
  for (size_t i = 0; i < text.len && !quoted; i++) {
    quoted = strchr(",\"\r\n", text.data[i]) != NULL;
  }
  if (!quoted) {
    buffer_slice(row, text);
    return;
  }
  buffer_char(row, '"');
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] == '"') {
      buffer_char(row, '"');
    }
    buffer_char(row, text.data[i]);
  }
  buffer_char(row, '"');
}

static void csv_row(struct buffer *row, const struct leaving *leaving, const struct result *result) {
  for (size_t i = 0; i < leaving->count; i++) {
    buffer_text(row, i == 0 ? "" : ",");
    if (result == NULL) {
      csv_cell(row, slice_of(leaving->names[i]));
    } else if (!result_null(result, i)) {
      csv_cell(row, result_text(result, i));
    }
  }
  buffer_text(row, "\r\n");
}

static void json_row(struct buffer *row, const struct leaving *leaving, const struct result *result) {
  for (size_t i = 0; i < leaving->count; i++) {
    buffer_printf(row, "%s\"%s\":", i == 0 ? "{" : ",", leaving->names[i]);
    if (result_null(result, i)) {
      buffer_text(row, "null");
    } else if (leaving->integers[i]) {
      buffer_printf(row, "%lld", (long long)result_integer(result, i));
    } else {
      buffer_json(row, result_text(result, i));
    }
  }
  buffer_text(row, "}\n");
}

static enum status put_row(struct outbound *outbound, const struct leaving *leaving, const struct result *result,
                           struct error *error) {
  buffer_reset(&outbound->row);
  if (outbound->form == EXPORT_JSON) {
    json_row(&outbound->row, leaving, result);
  } else {
    csv_row(&outbound->row, leaving, result);
  }
  enum status status = buffer_check(&outbound->row, _("a row"), error);
  if (status == OK && fwrite(outbound->row.data, 1, outbound->row.len, leaving->out) != outbound->row.len) {
    return io_error(leaving->part, error);
  }
  return status;
}

static enum status put_rows(struct outbound *outbound, const char *view, struct leaving *leaving, struct error *error) {
  const struct selection selection = {.view = view, .columns = leaving->columns, .column_count = leaving->count};
  struct result *result = NULL;
  enum status status = outbound->form == EXPORT_JSON ? OK : put_row(outbound, leaving, NULL, error);
  if (status == OK) {
    status = store_select(outbound->workspace->store, &selection, &result, error);
  }
  if (status != OK) {
    return status;
  }
  while ((status = result_next(result, error)) == OK) {
    status = put_row(outbound, leaving, result, error);
    if (status != OK) {
      break;
    }
    leaving->file.rows++;
  }
  result_free(result);
  return status == END ? OK : status;
}

/* Under another name until it is complete. */
static enum status write_file(struct outbound *outbound, const char *view, struct leaving *leaving,
                              struct error *error) {
  snprintf(leaving->part, sizeof leaving->part, "%s.part", leaving->file.path);
  leaving->out = fopen(leaving->part, "w");
  if (leaving->out == NULL) {
    return io_error(leaving->part, error);
  }
  enum status status = put_rows(outbound, view, leaving, error);
  if (fclose(leaving->out) != 0 && status == OK) {
    status = io_error(leaving->part, error);
  }
  if (status == OK && rename(leaving->part, leaving->file.path) != 0) {
    status = io_error(leaving->file.path, error);
  }
  if (status != OK) {
    unlink(leaving->part);
  }
  return status;
}

static bool speaks_htcds(const struct entity *entity) {
  for (size_t i = 0; i < entity->field_count; i++) {
    if (entity->fields[i].htcds != NULL) {
      return !entity->aggregate;
    }
  }
  return false;
}

static enum status export_entity(struct outbound *outbound, const struct entity *entity, export_report *report,
                                 void *context, struct error *error) {
  char view[NAME_SIZE];
  snprintf(view, sizeof view, "%ss", entity->name);
  const struct view *found = find_view(outbound->workspace->store, view);
  if (found == NULL || (outbound->form == EXPORT_HTCDS && !speaks_htcds(entity))) {
    return OK;
  }
  struct leaving *leaving = calloc(1, sizeof *leaving);
  if (leaving == NULL) {
    return error_memory(error);
  }
  leaving->entity = entity;
  leaving->file.entity = entity->name;
  int length = snprintf(leaving->file.path, sizeof leaving->file.path, "%s/%s.%s", outbound->folder, entity->name,
                        outbound->form == EXPORT_JSON ? "jsonl" : "csv");
  enum status status = OK;
  if (length < 0 || (size_t)length >= sizeof leaving->file.path) {
    status = error_set(error, ERR_LIMIT, _("the folder's name is too long"));
  }
  choose_columns(outbound, found, leaving);
  if (status == OK) {
    status = write_file(outbound, view, leaving, error);
  }
  if (status == OK) {
    buffer_printf(&outbound->audit, "%s\"%s\":%lld", outbound->audit.len > 0 ? "," : "", entity->name,
                  (long long)leaving->file.rows);
    report(context, &leaving->file);
  }
  free(leaving);
  return status;
}

/* An entry of its own transaction: `export` before a row is read, so that none leaves unseen, and `exported` with what
 * left. */
static enum status log_export(struct outbound *outbound, const char *event, const char *purpose, struct error *error) {
  static const char *const names[] = {"csv", "json", "htcds"};
  struct store *store = outbound->workspace->store;
  struct buffer body;
  buffer_init(&body, BODY_LIMIT);
  buffer_printf(&body, "{\"form\":\"%s\"", names[outbound->form]);
  if (outbound->audit.len > 0) {
    buffer_text(&body, ",\"rows\":{");
    buffer_slice(&body, buffer_view(&outbound->audit));
    buffer_text(&body, "}");
  }
  buffer_text(&body, "}");
  enum status status = buffer_check(&body, _("an audit entry"), error);
  if (status == OK) {
    status = store_begin(store, error);
  }
  if (status == OK) {
    const struct audit_event entry = {
        .event = event, .actor = outbound->workspace->actor, .purpose = purpose, .body = body.data};
    status = audit_append(store, &entry, error);
    status = status == OK ? store_commit(store, error) : status;
    if (status != OK) {
      store_rollback(store);
    }
  }
  buffer_free(&body);
  return status;
}

static int by_name(const void *a, const void *b) {
  const struct entity *const *left = a, *const *right = b;
  return strcmp((*left)->name, (*right)->name);
}

enum status service_export(struct workspace *workspace, enum export_form form, const char *folder, const char *purpose,
                           export_report *report, void *context, struct error *error) {
  if (purpose == NULL || purpose[0] == '\0') {
    error_set(error, ERR_USAGE, _("a purpose is needed to export records"));
    error_hint(error, _("--purpose \"what they are for\": the log records it"));
    return ERR_USAGE;
  }
  enum status status = access_person(workspace, error);
  if (status != OK) {
    return status;
  }
  if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
    return io_error(folder, error);
  }
  struct outbound outbound = {.workspace = workspace, .form = form, .folder = folder};
  const struct entity *entities[MODEL_ENTITIES_MOST] = {NULL};
  size_t count = workspace->model->entity_count;
  for (size_t i = 0; i < count; i++) {
    entities[i] = &workspace->model->entities[i];
  }
  qsort(entities, count, sizeof *entities, by_name); /* canonical order of the audit entry's keys */
  buffer_init(&outbound.audit, BODY_LIMIT);
  buffer_init(&outbound.row, (size_t)16 << 20);
  status = log_export(&outbound, "export", purpose, error);
  for (size_t i = 0; i < count && status == OK; i++) {
    status = export_entity(&outbound, entities[i], report, context, error);
  }
  if (status == OK) {
    status = log_export(&outbound, "exported", purpose, error);
  }
  buffer_free(&outbound.audit);
  buffer_free(&outbound.row);
  return status;
}
