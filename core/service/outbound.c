#include "core/service/outbound.h"

#include "core/audit/audit.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/service/access.h"
#include "core/service/outbound_cell.h"
#include "core/service/outbound_dictionary.h"
#include "core/service/pseudonym.h"
#include "core/service/purpose.h"
#include "core/service/showing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COLUMNS_MOST = 128, BODY_LIMIT = 1 << 16, NAME_SIZE = 64, RECIPIENT_MOST = 64 };

static const char *const FORMS[] = {"csv", "json", "htcds"};

struct outbound {
  struct workspace *workspace;
  const struct export_request *request;
  struct subkey pseudonyms; /* of the recipient, where there is one */
  bool json;
  struct buffer audit; /* members of the audit entry's body so far */
  struct buffer row, cell;
  struct buffer dictionary;
};

/* One file being written: the columns of the view that leave, and their names outside. */
struct leaving {
  const struct entity *entity;
  const char *columns[COLUMNS_MOST], *names[COLUMNS_MOST];
  const struct field *fields[COLUMNS_MOST]; /* NULL: a column of the store's own */
  const char *ids[COLUMNS_MOST];            /* the kind of thing that it numbers; NULL: it is no id */
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
  file_hint(cause, error);
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

/* What a column numbers; NULL: nothing. */
static const char *numbered(const char *name) {
  static const char *const names[][2] = {
      {"case_id", "case"}, {"person_id", "person"}, {"row_id", "row"}, {"record_id", "record"}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(names[i][0], name) == 0) {
      return names[i][1];
    }
  }
  return NULL;
}

/* Whether a column goes to who asks. */
static bool leaves(const struct export_request *request, const char *name, const struct field *field) {
  if (request->form == EXPORT_HTCDS && strcmp(name, "case_id") != 0 && strcmp(name, "person_id") != 0
      && (field == NULL || field->htcds == NULL)) {
    return false;
  }
  return request->recipient == NULL || field == NULL || field->type != FIELD_TEXT
         || field->sensitivity == SENSITIVITY_OPEN;
}

static void choose_columns(const struct outbound *outbound, const struct view *view, struct leaving *leaving) {
  for (size_t i = 0; i < view->column_count && leaving->count < COLUMNS_MOST; i++) {
    const char *name = view->columns[i].name;
    const struct field *field = entity_field(leaving->entity, slice_of(name));
    if (!leaves(outbound->request, name, field)) {
      continue;
    }
    size_t at = leaving->count++;
    leaving->columns[at] = name;
    leaving->names[at] = outbound->request->form == EXPORT_HTCDS && field != NULL ? field->htcds : name;
    leaving->fields[at] = field;
    leaving->ids[at] = outbound->request->recipient == NULL ? NULL : numbered(name);
    leaving->integers[at] = leaving->ids[at] == NULL && (is_number(name) || is_integer(field));
  }
}

/* The text of a value as the form has it; empty: it has none. */
static struct slice put_value(const struct outbound *outbound, const struct leaving *leaving,
                              const struct result *result, size_t column, struct buffer *scratch) {
  char pseudonym[PSEUDONYM_SIZE];
  const struct field *field = leaving->fields[column];
  struct slice text = result_text(result, column);
  buffer_reset(scratch);
  if (leaving->ids[column] != NULL) {
    pseudonym_write(&outbound->pseudonyms, leaving->ids[column], result_integer(result, column), pseudonym);
    buffer_text(scratch, pseudonym);
  } else if (outbound->request->form == EXPORT_HTCDS && field != NULL) {
    htcds_cell(outbound->workspace->lists, field, text, scratch);
  } else {
    return text;
  }
  return buffer_view(scratch);
}

static void csv_head(struct buffer *row, const struct leaving *leaving) {
  for (size_t i = 0; i < leaving->count; i++) {
    buffer_text(row, i == 0 ? "" : ",");
    csv_cell(row, slice_of(leaving->names[i]));
  }
  buffer_text(row, "\r\n");
}

static void csv_row(struct outbound *outbound, const struct leaving *leaving, const struct result *result) {
  struct buffer *row = &outbound->row;
  for (size_t i = 0; i < leaving->count; i++) {
    buffer_text(row, i == 0 ? "" : ",");
    if (!result_null(result, i)) {
      csv_cell(row, put_value(outbound, leaving, result, i, &outbound->cell));
    }
  }
  buffer_text(row, "\r\n");
}

static void json_row(struct outbound *outbound, const struct leaving *leaving, const struct result *result) {
  bool htcds = outbound->request->form == EXPORT_HTCDS;
  struct buffer *row = &outbound->row;
  for (size_t i = 0; i < leaving->count; i++) {
    buffer_printf(row, "%s\"%s\":", i == 0 ? "{" : ",", leaving->names[i]);
    struct slice text = slice_make(NULL, 0);
    if (!result_null(result, i)) {
      text = put_value(outbound, leaving, result, i, &outbound->cell);
    }
    if (result_null(result, i) || (htcds && text.len == 0)) {
      buffer_text(row, "null");
    } else if (leaving->integers[i]) { /* a checkbox of HTCDS is true or false */
      buffer_slice(row, text);
    } else {
      buffer_json(row, text);
    }
  }
  buffer_text(row, "}\n");
}

static enum status put_row(struct outbound *outbound, const struct leaving *leaving, const struct result *result,
                           struct error *error) {
  buffer_reset(&outbound->row);
  if (outbound->json) {
    json_row(outbound, leaving, result);
  } else if (result == NULL) {
    csv_head(&outbound->row, leaving);
  } else {
    csv_row(outbound, leaving, result);
  }
  enum status status = buffer_check(&outbound->cell, _("a value"), error);
  status = status == OK ? buffer_check(&outbound->row, _("a row"), error) : status;
  if (status == OK && fwrite(outbound->row.data, 1, outbound->row.len, leaving->out) != outbound->row.len) {
    return io_error(leaving->part, error);
  }
  return status;
}

static enum status put_rows(struct outbound *outbound, const char *view, struct leaving *leaving, struct error *error) {
  const struct selection selection = {.view = view, .columns = leaving->columns, .column_count = leaving->count};
  struct result *result = NULL;
  enum status status = outbound->json ? OK : put_row(outbound, leaving, NULL, error);
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
  int descriptor = open(leaving->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  leaving->out = descriptor < 0 ? NULL : fdopen(descriptor, "w");
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

static void describe(struct outbound *outbound, const struct leaving *leaving) {
  dictionary_file(&outbound->dictionary, leaving->entity, strrchr(leaving->file.path, '/') + 1, leaving->file.rows);
  for (size_t i = 0; i < leaving->count; i++) {
    dictionary_column(&outbound->dictionary, leaving->names[i], leaving->columns[i], leaving->fields[i]);
  }
}

static enum status write_dictionary(struct outbound *outbound, struct error *error) {
  char path[sizeof(((struct export_file *)0)->path)];
  enum status status = buffer_check(&outbound->dictionary, _("the dictionary"), error);
  int length = snprintf(path, sizeof path, "%s/dictionary.csv", outbound->request->folder);
  if (status == OK && (length < 0 || (size_t)length >= sizeof path)) {
    status = error_set(error, ERR_LIMIT, _("the folder's name is too long"));
  }
  return status == OK ? file_write(path, buffer_view(&outbound->dictionary), 0600, error) : status;
}

static enum status export_entity(struct outbound *outbound, const struct entity *entity, export_report *report,
                                 void *context, struct error *error) {
  char view[NAME_SIZE];
  snprintf(view, sizeof view, "%ss", entity->name);
  const struct view *found = find_view(outbound->workspace->store, view);
  if (found == NULL || (outbound->request->form == EXPORT_HTCDS && !speaks_htcds(entity))) {
    return OK;
  }
  struct leaving *leaving = calloc(1, sizeof *leaving);
  if (leaving == NULL) {
    return error_memory(error);
  }
  leaving->entity = entity;
  leaving->file.entity = entity->name;
  int length = snprintf(leaving->file.path, sizeof leaving->file.path, "%s/%s.%s", outbound->request->folder,
                        entity->name, outbound->json ? "jsonl" : "csv");
  enum status status = OK;
  if (length < 0 || (size_t)length >= sizeof leaving->file.path) {
    status = error_set(error, ERR_LIMIT, _("the folder's name is too long"));
  }
  choose_columns(outbound, found, leaving);
  if (status == OK) {
    status = write_file(outbound, view, leaving, error);
  }
  if (status == OK) {
    describe(outbound, leaving);
    buffer_printf(&outbound->audit, "%s\"%s\":%lld", outbound->audit.len > 0 ? "," : "", entity->name,
                  (long long)leaving->file.rows);
    report(context, &leaving->file);
  }
  free(leaving);
  return status;
}

enum status outbound_log(struct workspace *workspace, const char *event, const char *purpose, const char *body,
                         const struct shown *shown, struct error *error) {
  const struct audit_event entry = {
      .event = event, .actor = workspace->actor, .purpose = purpose, .body = body, .shown = shown};
  enum status status = store_begin(workspace->store, error);
  if (status != OK) {
    return status;
  }
  status = audit_append(workspace->store, &entry, error);
  status = status == OK ? store_commit(workspace->store, error) : status;
  if (status != OK) {
    store_rollback(workspace->store);
  }
  return status;
}

/* An entry of its own transaction: `export` with whom it shows before a row is read, so that none leaves unseen, and
 * `exported` with what left. */
static enum status log_export(struct outbound *outbound, const char *event, const struct shown *shown,
                              struct error *error) {
  const struct export_request *request = outbound->request;
  struct buffer body;
  buffer_init(&body, BODY_LIMIT);
  buffer_char(&body, '{');
  if (request->recipient != NULL) {
    buffer_printf(&body, "\"for\":\"%s\",", request->recipient);
  }
  buffer_printf(&body, "\"form\":\"%s\"", FORMS[request->form]);
  if (shown != NULL) {
    buffer_printf(&body, ",\"persons\":%lld,\"shown\":\"%s\"", (long long)shown->persons, shown->hex);
  }
  if (outbound->audit.len > 0) {
    buffer_text(&body, ",\"rows\":{");
    buffer_slice(&body, buffer_view(&outbound->audit));
    buffer_text(&body, "}");
  }
  buffer_text(&body, "}");
  enum status status = buffer_check(&body, _("an audit entry"), error);
  if (status == OK) {
    status = outbound_log(outbound->workspace, event, request->purpose, body.data, shown, error);
  }
  buffer_free(&body);
  return status;
}

static enum status log_begin(struct outbound *outbound, struct error *error) {
  struct shown shown;
  shown_init(&shown);
  enum status status = showing_all(outbound->workspace, 0, &shown, error);
  status = status == OK ? log_export(outbound, "export", &shown, error) : status;
  shown_free(&shown);
  return status;
}

enum status outbound_recipient(const struct workspace *workspace, const char *recipient, struct error *error) {
  const struct codelist *list = codelists_find(workspace->lists, "institution");
  enum { NAMES_MOST = 512 };
  const char *names[NAMES_MOST];
  size_t count = 0;
  for (size_t i = 0; list != NULL && i < codelist_size(list) && count < NAMES_MOST; i++) {
    names[count++] = codelist_at(list, i)->code;
    if (strcmp(names[count - 1], recipient) == 0 && strlen(recipient) <= RECIPIENT_MOST) {
      return OK;
    }
  }
  error_set(error, ERR_USAGE, _("'%s' is no institution of the code list"), recipient);
  const char *nearest = text_nearest(slice_of(recipient), names, count);
  if (nearest != NULL) {
    error_hint(error, _("did you mean %s?"), nearest);
  } else {
    error_hint(error, "%s", _("`puente codelist list institution` lists them"));
  }
  return ERR_USAGE;
}

enum status outbound_folder(const char *folder, struct error *error) {
  struct stat info;
  if (mkdir(folder, 0700) == 0 || (errno == EEXIST && stat(folder, &info) == 0 && S_ISDIR(info.st_mode))) {
    return OK;
  }
  return io_error(folder, error);
}

enum status outbound_enter(struct workspace *workspace, const struct export_request *request, struct error *error) {
  if (request->purpose == NULL || request->purpose[0] == '\0') {
    error_set(error, ERR_USAGE, _("a purpose is needed to export records"));
    error_hint(error, _("--purpose \"what they are for\": the log records it"));
    return ERR_USAGE;
  }
  enum status status = access_require(workspace, RIGHT_PUBLISH, error);
  status = status == OK ? purpose_require(workspace, 0, request->purpose, error) : status;
  status = status == OK ? access_person(workspace, error) : status;
  if (status == OK && request->recipient != NULL) {
    status = outbound_recipient(workspace, request->recipient, error);
  }
  return status == OK ? outbound_folder(request->folder, error) : status;
}

static int by_name(const void *a, const void *b) {
  const struct entity *const *left = a, *const *right = b;
  return strcmp((*left)->name, (*right)->name);
}

enum status service_export(struct workspace *workspace, const struct export_request *request, export_report *report,
                           void *context, struct error *error) {
  enum status status = outbound_enter(workspace, request, error);
  if (status != OK) {
    return status;
  }
  struct outbound outbound = {
      .workspace = workspace, .request = request, .json = request->json || request->form == EXPORT_JSON};
  const struct entity *entities[MODEL_ENTITIES_MOST] = {NULL};
  size_t count = workspace->model->entity_count;
  for (size_t i = 0; i < count; i++) {
    entities[i] = &workspace->model->entities[i];
  }
  qsort(entities, count, sizeof *entities, by_name); /* canonical order of the audit entry's keys */
  if (request->recipient != NULL) {
    outbound.pseudonyms = pseudonym_key(workspace->key, request->recipient, PSEUDONYM_ANONYMOUS);
  }
  buffer_init(&outbound.audit, BODY_LIMIT);
  buffer_init(&outbound.row, (size_t)16 << 20);
  buffer_init(&outbound.cell, (size_t)1 << 20);
  buffer_init(&outbound.dictionary, (size_t)1 << 20);
  status = log_begin(&outbound, error);
  status = status == OK ? dictionary_begin(workspace, FORMS[request->form], &outbound.dictionary, error) : status;
  for (size_t i = 0; i < count && status == OK; i++) {
    status = export_entity(&outbound, entities[i], report, context, error);
  }
  status = status == OK ? write_dictionary(&outbound, error) : status;
  if (status == OK) {
    status = log_export(&outbound, "exported", NULL, error);
  }
  buffer_free(&outbound.audit);
  buffer_free(&outbound.row);
  buffer_free(&outbound.cell);
  buffer_free(&outbound.dictionary);
  return status;
}
