#include "core/base/date.h"
#include "core/base/map.h"
#include "core/service/auditing.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { MEMBERS_MOST = 1 << 20, NUMBER_SIZE = 24 };

struct numbers {
  int64_t *items;
  size_t count, capacity;
};

/* Another number, by which a row of the person went for a time: who saw it then saw her. */
struct former {
  int64_t id, since, until; /* microseconds */
};
/* Of a list, the bits by which a map of lists tells who stands in it. */
enum { HER_BIT = 1, FORMER_MOST = 24 };

struct listing {
  struct workspace *workspace;
  const struct auditing_filter *filter;
  auditing_visitor *visit;
  void *context;
  struct numbers records; /* of the person */
  struct numbers persons; /* the person, and those that it was merged with */
  struct former former[FORMER_MOST];
  size_t former_count;
  struct map *lists; /* by digest, those that she stands in: HER_BIT, and one for each former number */
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

/* ---- what an entry says ---- */

static bool member_is(const json_t *body, const char *name, int64_t *number) {
  const json_t *member = json_object_get(body, name);
  *number = json_integer_value(member);
  return json_is_integer(member);
}

static bool was_former(const struct listing *listing, int64_t person, int64_t at) {
  for (size_t i = 0; i < listing->former_count; i++) {
    const struct former *former = &listing->former[i];
    if (former->id == person && at >= former->since && at <= former->until) {
      return true;
    }
  }
  return false;
}

/* Bodies name people by the number of a person, of a record, of one of its versions, or of two rows. */
static bool is_named(const struct listing *listing, const json_t *body, int64_t at) {
  int64_t number = 0;
  bool named = (member_is(body, "person_id", &number)
                && (has_number(&listing->persons, number) || was_former(listing, number, at)))
               || (member_is(body, "record_id", &number) && has_number(&listing->records, number))
               || (member_is(body, "raw_id", &number) && has_number(&listing->records, record_of(number)));
  size_t i;
  const json_t *row;
  json_array_foreach(json_object_get(body, "raw_ids"), i, row) {
    named = named || has_number(&listing->records, record_of(json_integer_value(row)));
  }
  json_array_foreach(json_object_get(body, "rows"), i, row) {
    named = named || has_number(&listing->records, record_of(json_integer_value(row)));
  }
  return named;
}

static bool is_listed(const struct listing *listing, const struct sha256 *digest, int64_t at) {
  uint32_t bits = map_get(listing->lists, slice_make((const char *)digest->bytes, SHA256_SIZE));
  if (bits == MAP_NONE) {
    return false;
  }
  for (size_t i = 0; i < listing->former_count; i++) {
    const struct former *former = &listing->former[i];
    if ((bits >> (i + 1) & 1) != 0 && at >= former->since && at <= former->until) {
      return true;
    }
  }
  return (bits & HER_BIT) != 0;
}

/* Rows that somebody asked for by a statement, and whom a figure counts, stand nowhere; nor does whom a sight of many
 * showed before there were lists. */
static bool shows_anybody(const struct audit_row *row, const json_t *body) {
  static const char *const ASKED[] = {"query", "figure", "sample", "export"};
  static const char *const NAMES[] = {"person_id", "record_id", "raw_id", "raw_ids", "rows"};
  for (size_t i = 0; i < sizeof ASKED / sizeof *ASKED; i++) {
    if (strcmp(row->event, ASKED[i]) == 0) {
      return true;
    }
  }
  for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
    if (json_object_get(body, NAMES[i]) != NULL) {
      return false;
    }
  }
  return strcmp(row->event, "reveal") == 0;
}

static enum auditing_about about(const struct listing *listing, const struct audit_row *row) {
  struct sha256 digest;
  if (listing->filter->person == 0) {
    return ABOUT_NAMED;
  }
  if (shown_named(row->body, &digest)) {
    return is_listed(listing, &digest, row->at) ? ABOUT_LISTED : ABOUT_NOBODY;
  }
  json_t *body = json_loads(row->body, 0, NULL);
  enum auditing_about is = is_named(listing, body, row->at) ? ABOUT_NAMED
                           : shows_anybody(row, body)       ? ABOUT_ANYBODY
                                                            : ABOUT_NOBODY;
  json_decref(body);
  return is;
}

static enum status visit_one(void *context, const struct audit_row *row, struct error *error) {
  struct listing *listing = context;
  const struct auditing_filter *filter = listing->filter;
  bool wanted = (filter->since == 0 || row->at >= filter->since) && (filter->until == 0 || row->at < filter->until)
                && fits(filter->actor, row->actor) && fits(filter->source, row->source)
                && fits(filter->event, row->event);
  enum auditing_about is = wanted ? about(listing, row) : ABOUT_NOBODY;
  return is == ABOUT_NOBODY ? OK : listing->visit(listing->context, row, is, error);
}

static enum status take_list(void *context, struct slice ids, struct error *error) {
  struct listing *listing = context;
  uint32_t bits = shown_has(ids, listing->persons.items, listing->persons.count) ? HER_BIT : 0;
  for (size_t i = 0; i < listing->former_count; i++) {
    bits |= shown_has(ids, &listing->former[i].id, 1) ? UINT32_C(1) << (i + 1) : 0;
  }
  struct sha256 digest = sha256_of(ids);
  return bits == 0 || map_put(listing->lists, slice_make((const char *)digest.bytes, SHA256_SIZE), bits) == OK
             ? OK
             : error_memory(error);
}

/* ---- by which numbers the person goes ---- */

struct wanted {
  const char *view, *column;
  struct filter filters[2];
};

/* A column of what two filters find. */
static enum status read_numbers(struct workspace *workspace, const struct wanted *wanted, struct numbers *numbers,
                                struct error *error) {
  const struct selection selection = {.view = wanted->view,
                                      .columns = &wanted->column,
                                      .column_count = 1,
                                      .filters = wanted->filters,
                                      .filter_count = 2,
                                      .most = MEMBERS_MOST};
  struct result *result = NULL;
  enum status status = store_select(workspace->store, &selection, &result, error);
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
    const struct wanted wanted = {
        "redirects", to, {{.column = "kind", .text = "person"}, {.column = from, .text = id}}};
    status = read_numbers(workspace, &wanted, &found, error);
    for (size_t i = 0; i < found.count && status == OK; i++) {
      status = has_number(persons, found.items[i]) ? OK : add_number(persons, found.items[i], error);
    }
    free(found.items);
  }
  return status;
}

static enum status read_persons(struct listing *listing, struct error *error) {
  struct workspace *workspace = listing->workspace;
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

/* When a run began or ended; 0: it goes on, or is not known. */
static enum status moment_of(struct listing *listing, int64_t run, const char *column, int64_t *micros,
                             struct error *error) {
  char id[NUMBER_SIZE];
  snprintf(id, sizeof id, "%lld", (long long)run);
  const struct filter filter = {.column = "run_id", .text = id};
  const struct selection selection = {
      .view = "runs", .columns = &column, .column_count = 1, .filters = &filter, .filter_count = 1};
  struct result *result = NULL;
  *micros = 0;
  enum status status = store_select(listing->workspace->store, &selection, &result, error);
  status = status == OK ? result_next(result, error) : status;
  if (status == OK && !result_null(result, 0) && !clock_parse(result_text(result, 0), micros)) {
    *micros = 0;
  }
  result_free(result);
  return status == END ? OK : status;
}

static enum status add_former(struct listing *listing, int64_t id, int64_t from_run, int64_t to_run,
                              struct error *error) {
  if (listing->former_count == FORMER_MOST) {
    return add_number(&listing->persons, id, error); /* rather told too often than not */
  }
  struct former *former = &listing->former[listing->former_count];
  former->id = id;
  enum status status = moment_of(listing, from_run, "started", &former->since, error);
  status = status == OK ? moment_of(listing, to_run, "ended", &former->until, error) : status;
  former->until = former->until == 0 ? INT64_MAX : former->until;
  listing->former_count += status == OK;
  return status;
}

/* Numbers by which a row went before a decision or a linking made it another person's. */
static enum status read_former(struct listing *listing, int64_t row_id, struct error *error) {
  static const char *const columns[] = {"id", "from_run", "to_run"};
  char row[NUMBER_SIZE];
  snprintf(row, sizeof row, "%lld", (long long)row_id);
  const struct filter filters[] = {{.column = "kind", .text = "person"}, {.column = "row_id", .text = row}};
  const struct selection selection = {.view = "member_history",
                                      .columns = columns,
                                      .column_count = 3,
                                      .filters = filters,
                                      .filter_count = 2,
                                      .most = MEMBERS_MOST};
  struct numbers found = {.items = NULL};
  struct result *result = NULL;
  enum status status = store_select(listing->workspace->store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    bool other = !result_null(result, 2) && !has_number(&listing->persons, result_integer(result, 0));
    for (size_t i = 0; i < 3 && other && status == OK; i++) {
      status = add_number(&found, result_integer(result, i), error);
    }
  }
  result_free(result);
  status = status == END ? OK : status;
  for (size_t i = 0; i < found.count && status == OK; i += 3) {
    status = add_former(listing, found.items[i], found.items[i + 1], found.items[i + 2], error);
  }
  free(found.items);
  return status;
}

/* Records that are or were of the person, whatever its number is today, and the former numbers of its rows. */
static enum status read_records(struct listing *listing, struct error *error) {
  char id[NUMBER_SIZE];
  struct numbers rows = {.items = NULL};
  snprintf(id, sizeof id, "%lld", (long long)listing->filter->person);
  const struct wanted wanted = {
      "member_history", "record_id", {{.column = "kind", .text = "person"}, {.column = "id", .text = id}}};
  const struct wanted now = {"members", "row_id", {{.column = "kind", .text = "person"}, {.column = "id", .text = id}}};
  enum status status = read_numbers(listing->workspace, &wanted, &listing->records, error);
  if (status == OK && listing->records.count == 0) {
    error_set(error, ERR_NOT_FOUND, _("there is no person %s"), id);
    error_hint(error, "%s", _("take a person_id, as `puente explain` and the view `persons` show it"));
    return ERR_NOT_FOUND;
  }
  status = status == OK ? read_persons(listing, error) : status;
  status = status == OK ? read_numbers(listing->workspace, &now, &rows, error) : status;
  for (size_t i = 0; i < rows.count && status == OK; i++) {
    status = read_former(listing, rows.items[i], error);
  }
  free(rows.items);
  return status;
}

enum status auditing_visit(struct workspace *workspace, const struct auditing_filter *filter, auditing_visitor *visit,
                           void *context, struct error *error) {
  struct listing listing = {
      .workspace = workspace, .filter = filter, .visit = visit, .context = context, .lists = map_new()};
  enum status status = listing.lists == NULL ? error_memory(error) : OK;
  if (status == OK && filter->person != 0) {
    status = read_records(&listing, error);
    status = status == OK ? store_visit_shown(workspace->store, take_list, &listing, error) : status;
  }
  if (status == OK) {
    status = store_visit_audit(workspace->store, 1, visit_one, &listing, error);
  }
  map_free(listing.lists);
  free(listing.records.items);
  free(listing.persons.items);
  return status;
}
