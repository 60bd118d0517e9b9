#include "core/service/auditing.h"

#include "core/audit/lines.h"
#include "core/base/date.h"
#include "core/base/file.h"
#include "core/service/lineage.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MEMBERS_MOST = 1 << 20, NUMBER_SIZE = 24 };

/* ---- checkpoints ---- */

enum status auditing_checkpoints(const struct workspace *workspace, const char *const *paths, size_t count,
                                 struct checkpoint *checkpoints, struct error *error) {
  uint8_t trusted[SIGNING_PUBLIC_SIZE];
  if (count > CHECKPOINTS_MOST) {
    return error_set(error, ERR_USAGE, _("at most %d checkpoints are looked at together"), CHECKPOINTS_MOST);
  }
  if (workspace != NULL && workspace->key != NULL) {
    checkpoint_public(workspace->key, trusted);
  }
  enum status status = OK;
  for (size_t i = 0; i < count && status == OK; i++) {
    struct buffer text;
    status = file_read(paths[i], CHECKPOINT_LIMIT, &text, error);
    if (status == OK) {
      status = checkpoint_read(buffer_view(&text), workspace == NULL ? NULL : trusted, &checkpoints[i], error);
      if (status != OK) {
        error_place(error, "%s", paths[i]);
      }
      buffer_free(&text);
    }
  }
  return status;
}

enum status auditing_checkpoint(struct workspace *workspace, struct checkpoint *checkpoint, struct buffer *text,
                                struct error *error) {
  struct audit_check check;
  enum status status = audit_verify(workspace->store, &check, error);
  if (status != OK) {
    return status;
  }
  if (check.first_wrong != 0) {
    error_set(error, ERR_STORE, _("the audit log was altered: %s"), check.what);
    error_place(error, _("entry %lld"), (long long)check.first_wrong);
    error_hint(error, "%s",
               _("a log that is not whole is not signed; keep the store as it is, and tell the data officer"));
    return ERR_STORE;
  }
  *checkpoint = (struct checkpoint){.sequence = check.entries, .at = clock_now(), .hash = check.head};
  checkpoint_name(workspace->config->name, checkpoint->workspace);
  return checkpoint_sign(workspace->key, checkpoint, text, error);
}

/* ---- listing ---- */

struct numbers {
  int64_t *items;
  size_t count, capacity;
};

struct listing {
  const struct auditing_filter *filter;
  audit_visitor *visit;
  void *context;
  struct numbers records; /* of the person */
  struct numbers persons; /* the person, and those that it was merged with */
};

static bool fits(const char *wanted, const char *text) {
  return wanted == NULL || (text != NULL && strcmp(wanted, text) == 0);
}

static bool has_number(const struct numbers *numbers, int64_t number) {
  for (size_t i = 0; i < numbers->count; i++) {
    if (numbers->items[i] == number) {
      return true;
    }
  }
  return false;
}

static enum status add_number(struct numbers *numbers, int64_t number, struct error *error) {
  if (numbers->count == numbers->capacity) {
    size_t capacity = numbers->capacity == 0 ? 64 : 2 * numbers->capacity;
    int64_t *more = realloc(numbers->items, capacity * sizeof *more);
    if (more == NULL) {
      return error_memory(error);
    }
    numbers->items = more;
    numbers->capacity = capacity;
  }
  numbers->items[numbers->count++] = number;
  return OK;
}

static bool member_is(const json_t *body, const char *name, int64_t *number) {
  const json_t *member = json_object_get(body, name);
  *number = json_integer_value(member);
  return json_is_integer(member);
}

/* Bodies name people by the number of a person, of a record, of one of its versions, or of two rows. */
static bool about_person(const struct listing *listing, const char *text) {
  json_t *body = json_loads(text, 0, NULL);
  int64_t number = 0;
  bool about = (member_is(body, "person_id", &number) && has_number(&listing->persons, number))
               || (member_is(body, "record_id", &number) && has_number(&listing->records, number))
               || (member_is(body, "raw_id", &number) && has_number(&listing->records, record_of(number)));
  size_t i;
  const json_t *row;
  json_array_foreach(json_object_get(body, "raw_ids"), i, row) {
    about = about || has_number(&listing->records, record_of(json_integer_value(row)));
  }
  json_array_foreach(json_object_get(body, "rows"), i, row) {
    about = about || has_number(&listing->records, record_of(json_integer_value(row)));
  }
  json_decref(body);
  return about;
}

static enum status visit_one(void *context, const struct audit_row *row, struct error *error) {
  struct listing *listing = context;
  const struct auditing_filter *filter = listing->filter;
  bool wanted = (filter->since == 0 || row->at >= filter->since) && (filter->until == 0 || row->at < filter->until)
                && fits(filter->actor, row->actor) && fits(filter->source, row->source)
                && fits(filter->event, row->event);
  if (!wanted || (filter->person != 0 && !about_person(listing, row->body))) {
    return OK;
  }
  return listing->visit(listing->context, row, error);
}

/* The first column of what the selection finds. */
static enum status read_numbers(struct workspace *workspace, const struct selection *selection, struct numbers *numbers,
                                struct error *error) {
  struct result *result = NULL;
  enum status status = store_select(workspace->store, selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    status = add_number(numbers, result_integer(result, 0), error);
  }
  result_free(result);
  return status == END ? OK : status;
}

/* Whoever saw a person saw those who had been merged into it, and who was merged into another is seen with it: along
 * `from` of the view of redirects to `to`, one after the other. */
static enum status follow(struct workspace *workspace, const char *from, const char *to, struct numbers *persons,
                          struct error *error) {
  enum status status = OK;
  for (size_t at = 0; at < persons->count && status == OK; at++) {
    struct numbers found = {.items = NULL};
    char id[NUMBER_SIZE];
    snprintf(id, sizeof id, "%lld", (long long)persons->items[at]);
    const struct filter filters[] = {{.column = "kind", .text = "person"}, {.column = from, .text = id}};
    const struct selection selection = {.view = "redirects",
                                        .columns = &to,
                                        .column_count = 1,
                                        .filters = filters,
                                        .filter_count = 2,
                                        .most = MEMBERS_MOST};
    status = read_numbers(workspace, &selection, &found, error);
    for (size_t i = 0; i < found.count && status == OK; i++) {
      status = has_number(persons, found.items[i]) ? OK : add_number(persons, found.items[i], error);
    }
    free(found.items);
  }
  return status;
}

static enum status read_persons(struct workspace *workspace, struct listing *listing, struct error *error) {
  struct numbers into = {.items = NULL};
  enum status status = add_number(&listing->persons, listing->filter->person, error);
  status = status == OK ? add_number(&into, listing->filter->person, error) : status;
  status = status == OK ? follow(workspace, "into_id", "id", &listing->persons, error) : status;
  status = status == OK ? follow(workspace, "id", "into_id", &into, error) : status;
  for (size_t i = 1; i < into.count && status == OK; i++) {
    status = add_number(&listing->persons, into.items[i], error);
  }
  free(into.items);
  return status;
}

/* Records that are or were of the person, whatever its number is today. */
static enum status read_records(struct workspace *workspace, struct listing *listing, struct error *error) {
  static const char *const columns[] = {"record_id"};
  char id[NUMBER_SIZE];
  snprintf(id, sizeof id, "%lld", (long long)listing->filter->person);
  const struct filter filters[] = {{.column = "kind", .text = "person"}, {.column = "id", .text = id}};
  const struct selection selection = {.view = "member_history",
                                      .columns = columns,
                                      .column_count = 1,
                                      .filters = filters,
                                      .filter_count = 2,
                                      .most = MEMBERS_MOST};
  enum status status = read_numbers(workspace, &selection, &listing->records, error);
  if (status == OK && listing->records.count == 0) {
    error_set(error, ERR_NOT_FOUND, _("there is no person %s"), id);
    error_hint(error, "%s", _("take a person_id, as `puente explain` and the view `persons` show it"));
    return ERR_NOT_FOUND;
  }
  return status == OK ? read_persons(workspace, listing, error) : status;
}

enum status auditing_visit(struct workspace *workspace, const struct auditing_filter *filter, audit_visitor *visit,
                           void *context, struct error *error) {
  struct listing listing = {.filter = filter, .visit = visit, .context = context};
  enum status status = filter->person == 0 ? OK : read_records(workspace, &listing, error);
  if (status == OK) {
    status = store_visit_audit(workspace->store, 1, visit_one, &listing, error);
  }
  free(listing.records.items);
  free(listing.persons.items);
  return status;
}

/* ---- the log to take away ---- */

struct exporting {
  FILE *file;
  const char *path;
  struct buffer line;
  int64_t *entries;
};

static enum status export_failed(const char *path, struct error *error) {
  int cause = errno;
  enum status status = error_set(error, cause == ENOSPC ? ERR_FULL : ERR_IO, _("cannot write: %s"), strerror(cause));
  error_place(error, "%s", path);
  file_hint(cause, error);
  return status;
}

static enum status write_text(void *context, struct slice text, struct error *error) {
  struct exporting *self = context;
  return fwrite(text.data, 1, text.len, self->file) == text.len ? OK : export_failed(self->path, error);
}

static enum status export_one(void *context, const struct audit_row *row, struct error *error) {
  struct exporting *self = context;
  buffer_reset(&self->line);
  audit_line_write(row, &self->line);
  enum status status = buffer_check(&self->line, _("an audit entry"), error);
  status = status == OK ? write_text(self, buffer_view(&self->line), error) : status;
  *self->entries += status == OK;
  return status;
}

static enum status export_to(struct workspace *workspace, enum auditing_form form, FILE *file, const char *path,
                             int64_t *entries, struct error *error) {
  struct exporting self = {.file = file, .path = path, .entries = entries};
  *entries = 0;
  buffer_init(&self.line, AUDIT_LINE_LIMIT);
  enum status status = form == AUDITING_OPENLINEAGE ? lineage_openlineage(workspace, write_text, &self, entries, error)
                       : form == AUDITING_PROV      ? lineage_prov(workspace, write_text, &self, entries, error)
                                                    : store_visit_audit(workspace->store, 1, export_one, &self, error);
  if (status == OK && fflush(file) != 0) {
    status = export_failed(path, error);
  }
  buffer_free(&self.line);
  return status;
}

const char *const auditing_forms[] = {"jsonl", "openlineage", "prov", NULL};

enum status auditing_export(struct workspace *workspace, enum auditing_form form, const char *path, int64_t *entries,
                            struct error *error) {
  if (strcmp(path, "-") == 0) {
    return export_to(workspace, form, stdout, path, entries, error);
  }
  char part[PATH_MAX];
  enum status status = file_replaceable(path, error);
  if (status != OK) {
    return status;
  }
  if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part) {
    return error_set(error, ERR_USAGE, "%s", _("the path is too long"));
  }
  int descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
  if (file == NULL) {
    return export_failed(path, error);
  }
  status = export_to(workspace, form, file, path, entries, error);
  if (status == OK && fsync(descriptor) != 0) {
    status = export_failed(path, error);
  }
  if (fclose(file) != 0 && status == OK) {
    status = export_failed(path, error);
  }
  if (status == OK && rename(part, path) != 0) {
    status = export_failed(path, error);
  }
  if (status != OK) {
    unlink(part);
  }
  return status;
}
