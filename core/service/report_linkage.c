#include "core/service/report_linkage.h"

#include "core/base/file.h"
#include "core/base/map.h"
#include "core/service/surname.h"

#include <stdio.h>
#include <stdlib.h>

/* Whom linkage fails: how many records of each group were brought together with others. Counts alone are taken;
 * identifiers are decoded to tell whether they are there and of which kind they are, which is in the log before it is
 * done, and no value goes further. Counts that may tell of few persons are hidden. */

#define TOLD_LIMIT ((size_t)1 << 34)
enum { GROUPS_MOST = LINKAGE_ATOMS_MOST, SMALL = 11, ADULT = 18, DNI_DIGITS = 8 };

/* ---- the groups ---- */

struct group {
  const char *by, *by_label, *value, *label; /* value NULL: not recorded */
  size_t field;                              /* position among those of linkage_guard */
  uint32_t atom;
  int64_t counts[LINKAGE_PARTS];
};
struct gathering {
  const struct linkage *linkage;
  const struct entity *entity;
  struct surnames *surnames;
  struct map *ages; /* "record/person key" → 0 a minor, 1 an adult */
  struct group groups[GROUPS_MOST];
  size_t count;
  bool guarded;
  struct buffer told; /* struct linkage_told */
  struct linkage_hidden hidden;
};

static unsigned flags_of(const struct linkage_row *row) {
  return (unsigned)row->across << (LINKAGE_ACROSS - 1) | (unsigned)(row->size > 1) << (LINKAGE_LINKED - 1)
         | (unsigned)row->waits << (LINKAGE_WAITING - 1) | (unsigned)row->unlinkable << (LINKAGE_UNLINKABLE - 1);
}

static void count_in(struct group *group, unsigned flags) {
  group->counts[LINKAGE_RECORDS]++;
  for (size_t part = 1; part < LINKAGE_PARTS; part++) {
    group->counts[part] += flags >> (part - 1) & 1;
  }
}

static void add_group(struct gathering *gathering, const char *by, const char *by_label, const char *value,
                      const char *label) {
  if (gathering->count < GROUPS_MOST) {
    struct group *group = &gathering->groups[gathering->count++];
    *group = (struct group){.by = by, .by_label = by_label, .value = value, .label = label, .field = LINKAGE_FIELDS};
    const struct group *before = group - 1;
    if (gathering->count > 1) { /* the first is of all; those of one field stand together */
      bool same = before->field < LINKAGE_FIELDS && strcmp(before->by, by) == 0;
      group->field = same ? before->field : before->field == LINKAGE_FIELDS ? 0 : before->field + 1;
      group->atom = same ? before->atom + 1 : 0;
    }
  }
}

/* The group of that value, or of what is not recorded. */
static void count_for(struct gathering *gathering, const char *by, struct slice value, const struct linkage_row *row,
                      struct linkage_told *told) {
  struct group *found = NULL;
  for (size_t i = 0; i < gathering->count; i++) {
    struct group *group = &gathering->groups[i];
    if (strcmp(group->by, by) == 0 && (group->value == NULL ? found == NULL : slice_is(value, group->value))) {
      found = group;
    }
  }
  if (found != NULL) {
    count_in(found, flags_of(row));
    if (found->field < LINKAGE_FIELDS) {
      told->atoms[found->field] = found->atom;
    }
  }
}

static void list_groups(struct gathering *gathering, bool spanish) {
  const struct codelist *sexes = codelists_find(gathering->linkage->workspace->lists, "sex");
  add_group(gathering, "all", _("all"), "all", _("(all)"));
  for (size_t i = 0; sexes != NULL && i < codelist_size(sexes) && i < GROUPS_MOST / 2; i++) {
    const struct code *code = codelist_at(sexes, i);
    add_group(gathering, "sex", _("sex"), code->code, spanish ? code->label_es : code->label_en);
  }
  add_group(gathering, "sex", _("sex"), NULL, _("not recorded"));
  add_group(gathering, "nationality", _("nationality"), "PE", _("Peruvian"));
  add_group(gathering, "nationality", _("nationality"), "foreign", _("foreign"));
  add_group(gathering, "nationality", _("nationality"), NULL, _("not recorded"));
  add_group(gathering, "document", _("document"), "valid", _("valid"));
  add_group(gathering, "document", _("document"), "placeholder", _("placeholder or malformed"));
  add_group(gathering, "document", _("document"), NULL, _("not recorded"));
  add_group(gathering, "surname", _("surname"), "andean", _("Andean"));
  add_group(gathering, "surname", _("surname"), "hispanic", _("Hispanic or other"));
  add_group(gathering, "surname", _("surname"), NULL, _("not recorded"));
  add_group(gathering, "age", _("age at the facts"), "minor", _("minor"));
  add_group(gathering, "age", _("age at the facts"), "adult", _("adult"));
  add_group(gathering, "age", _("age at the facts"), NULL, _("not recorded"));
}

/* ---- what a row is ---- */

static struct slice text_in(const struct entity *entity, const struct row *row, const char *name) {
  const struct field *field = entity_field(entity, slice_of(name));
  const struct cell *cell = field == NULL ? NULL : &row->cells[field->column];
  return cell == NULL || cell->kind != CELL_TEXT ? slice_of("") : slice_make(cell->text, cell->len);
}

/* -1: not recorded. */
static int64_t number_in(const struct entity *entity, const struct row *row, const char *name) {
  const struct field *field = entity_field(entity, slice_of(name));
  const struct cell *cell = field == NULL ? NULL : &row->cells[field->column];
  return cell == NULL || cell->kind != CELL_INTEGER ? -1 : cell->integer;
}

/* Codes joined by ';': whoever is a Peruvian too is one. */
static struct slice nationality_of(struct slice codes) {
  for (struct slice rest = codes; rest.len > 0;) {
    const char *end = memchr(rest.data, ';', rest.len);
    size_t len = end == NULL ? rest.len : (size_t)(end - rest.data);
    if (slice_is(slice_make(rest.data, len), "PE")) {
      return slice_of("PE");
    }
    rest = end == NULL ? slice_of("") : slice_make(end + 1, rest.len - len - 1);
  }
  return slice_of(codes.len == 0 ? "" : "foreign");
}

/* All digits alike, or each the next one's neighbour, are no number of a document; a DNI has eight digits. */
static struct slice document_of(struct slice type, struct slice number) {
  size_t digits = 0;
  size_t steps[3] = {0, 0, 0}; /* down by one, equal, up by one */
  if (number.len == 0) {
    return slice_of("");
  }
  for (size_t i = 0; i < number.len; i++) {
    bool digit = number.data[i] >= '0' && number.data[i] <= '9';
    int step = i == 0 ? 2 : number.data[i] - number.data[i - 1];
    digits += digit;
    steps[0] += step == -1;
    steps[1] += step == 0;
    steps[2] += i > 0 && step == 1;
  }
  bool run = steps[0] + 1 == number.len || steps[1] + 1 == number.len || steps[2] + 1 == number.len;
  bool malformed = digits == 0 || (slice_is(type, "dni") && (digits != DNI_DIGITS || number.len != DNI_DIGITS));
  return slice_of(run || malformed ? "placeholder" : "valid");
}

static enum status surname_in(struct gathering *gathering, const struct row *row, struct slice *value,
                              struct error *error) {
  static const char *const fields[] = {"paternal_surname", "maternal_surname"};
  static const char *const values[] = {"", "andean", "hispanic"};
  enum surname kind = SURNAME_NONE;
  enum status status = OK;
  for (size_t i = 0; i < 2 && status == OK && kind != SURNAME_ANDEAN; i++) {
    enum surname one;
    status = surname_of(gathering->surnames, text_in(gathering->entity, row, fields[i]), &one, error);
    kind = one == SURNAME_NONE ? kind : one;
  }
  *value = slice_of(values[kind]);
  return status;
}

/* ---- ages, as the source tells them for the person's part in the case ---- */

static size_t name_age(char *name, size_t size, const struct row *row, struct slice key) {
  int len = snprintf(name, size, "%lld/%.*s", (long long)record_of(row->row_id), SLICE_ARG(key));
  return len < 0 ? 0 : (size_t)len < size ? (size_t)len : size - 1;
}

static enum status take_age(void *context, const struct row *row, struct error *error) {
  const struct gathering *gathering = context;
  const struct entity *entity = model_entity(gathering->linkage->workspace->model, "involvement");
  char name[256];
  int64_t age = number_in(entity, row, "age"), minor = number_in(entity, row, "minor");
  if (age < 0 && minor < 0) {
    return OK;
  }
  uint32_t adult = age >= 0 ? age >= ADULT : minor == 0;
  return map_put(gathering->ages, slice_make(name, name_age(name, sizeof name, row, row->person_key)), adult) == OK
             ? OK
             : error_memory(error);
}

static struct slice age_in(const struct gathering *gathering, const struct row *row) {
  char name[256];
  uint32_t adult = map_get(gathering->ages, slice_make(name, name_age(name, sizeof name, row, row->key)));
  return slice_of(adult == MAP_NONE ? "" : adult == 1 ? "adult" : "minor");
}

static enum status take_person(void *context, const struct row *row, struct error *error) {
  struct gathering *gathering = context;
  const struct linkage_row *member = linkage_find(gathering->linkage, row->row_id);
  struct slice surname;
  if (member == NULL) {
    return OK; /* of a source that is not linked, or staged since */
  }
  enum status status = surname_in(gathering, row, &surname, error);
  if (status == OK) {
    const struct entity *entity = gathering->entity;
    struct linkage_told told = {.person = member->id, .atoms = {[LINKAGE_FIELDS] = flags_of(member)}};
    count_for(gathering, "all", slice_of("all"), member, &told);
    count_for(gathering, "sex", text_in(entity, row, "sex"), member, &told);
    count_for(gathering, "nationality", nationality_of(text_in(entity, row, "nationality")), member, &told);
    count_for(gathering, "document",
              document_of(text_in(entity, row, "document_type"), text_in(entity, row, "document_number")), member,
              &told);
    count_for(gathering, "surname", surname, member, &told);
    count_for(gathering, "age", age_in(gathering, row), member, &told);
    if (gathering->guarded) {
      buffer_append(&gathering->told, &told, sizeof told);
      status = buffer_check(&gathering->told, "rows", error);
    }
  }
  return status;
}

/* ---- the report ---- */

static void add_part(struct report *report, const struct gathering *gathering, const struct group *group, size_t part) {
  const bool *hidden = gathering->hidden.hidden[group->field][group->atom];
  report_guarded(report, group->counts[part], hidden[part]);
  if (part == LINKAGE_RECORDS) {
    return;
  }
  if (hidden[part] || hidden[LINKAGE_RECORDS]) {
    report_hidden(report);
  } else if (group->counts[LINKAGE_RECORDS] < SMALL) {
    report_null(report);
  } else {
    report_share(report, (double)group->counts[part] / (double)group->counts[LINKAGE_RECORDS]);
  }
}

static void add_groups(const struct gathering *gathering, struct report *report) {
  report_column(report, "by", _("by"), REPORT_TEXT);
  report_column(report, "value", _("value"), REPORT_TEXT);
  report_column(report, "records", _("records"), REPORT_COUNT);
  report_column(report, "across", _("with a record of another source"), REPORT_COUNT);
  report_column(report, "across_share", _("share"), REPORT_SHARE);
  report_column(report, "linked", _("with any other record"), REPORT_COUNT);
  report_column(report, "linked_share", _("share"), REPORT_SHARE);
  report_column(report, "waiting", _("waiting for a person"), REPORT_COUNT);
  report_column(report, "waiting_share", _("share"), REPORT_SHARE);
  report_column(report, "unlinkable", _("cannot be linked"), REPORT_COUNT);
  report_column(report, "unlinkable_share", _("share"), REPORT_SHARE);
  for (size_t i = 0; i < gathering->count; i++) {
    const struct group *group = &gathering->groups[i];
    if (group->counts[LINKAGE_RECORDS] == 0) {
      continue;
    }
    report_code(report, group->by, group->by_label);
    report_code(report, group->value, group->label);
    for (size_t part = 0; part < LINKAGE_PARTS; part++) {
      add_part(report, gathering, group, part);
    }
  }
  report_note(report, _("A group of fewer than %d records has no shares: they would say nothing."), (int)SMALL);
  report_note(
      report, "%s",
      _("A lower share is no fault by itself: groups differ in how often they are in several sources. Surnames are"
        " told by config/link/andean_surnames.txt."));
  report_note(report, "%s", _("More: --by rule, reason, size, cluster."));
}

static enum status gather(struct gathering *gathering, const struct report_request *request, struct error *error) {
  const struct workspace *workspace = gathering->linkage->workspace;
  const struct entity *involvement = model_entity(workspace->model, "involvement");
  const struct row_filter plain = {.identity = false}, filter = {.identity = workspace->key != NULL};
  enum status status = OK;
  if (involvement != NULL) {
    status = store_visit_rows(workspace->store, involvement, &plain, take_age, gathering, error);
  }
  list_groups(gathering, request->spanish);
  if (status == OK) {
    status = store_visit_rows(workspace->store, gathering->entity, &filter, take_person, gathering, error);
  }
  if (status == OK && gathering->guarded) {
    void *told = gathering->told.data;
    status =
        linkage_guard(workspace, told, gathering->told.len / sizeof(struct linkage_told), &gathering->hidden, error);
  }
  return status;
}

static enum status report_rates(const struct linkage *linkage, const struct report_request *request,
                                struct report *report, struct error *error) {
  const struct workspace *workspace = linkage->workspace;
  struct gathering gathering = {.linkage = linkage,
                                .entity = model_entity(workspace->model, "person"),
                                .ages = map_new(),
                                .guarded = report->guarded};
  buffer_init(&gathering.told, TOLD_LIMIT);
  const char *path = path_join(report->arena, path_data(), "config/link/andean_surnames.txt");
  enum status status =
      gathering.ages == NULL || path == NULL ? error_memory(error) : surnames_read(path, &gathering.surnames, error);
  status = status == OK ? gather(&gathering, request, error) : status;
  if (status == OK) {
    add_groups(&gathering, report);
  }
  surnames_free(gathering.surnames);
  map_free(gathering.ages);
  buffer_free(&gathering.told);
  return status;
}

/* Persons one by one, where something is hidden at all. */
static enum status require_exact(const struct workspace *workspace, const struct report *report, struct error *error) {
  if (!report->guarded || workspace->config->disclosure.k == 1) {
    return OK;
  }
  error_set(error, ERR_AUTH, "%s", _("persons one by one are a sight of exact data"));
  error_hint(error, "%s", _("--exact --purpose \"why you have to see it\": the log records it"));
  return ERR_AUTH;
}

static enum status report_doubtful(const struct linkage *linkage, struct report *report, struct error *error) {
  enum status status = require_exact(linkage->workspace, report, error);
  return status == OK ? report_linkage_doubtful(linkage, report, error) : status;
}

enum status report_linkage(const struct workspace *workspace, const struct report_request *request,
                           struct report *report, struct error *error) {
  static const char *const views[] = {"rule", "reason", "size", "cluster"};
  struct linkage linkage;
  size_t view = 0;
  while (request->by_count > 0 && view < 4 && strcmp(request->by[0], views[view]) != 0) {
    view++;
  }
  if (request->by_count > 1 || view == 4) {
    error_set(error, ERR_USAGE, _("the report linkage cannot be broken down by '%s'"), request->by[view == 4 ? 0 : 1]);
    error_hint(error, "%s", _("--by rule, reason, size or cluster, or nothing"));
    return ERR_USAGE;
  }
  report->title = _("Linkage of persons: whose records find each other");
  if (request->by_count == 1 && view < 2) {
    return view == 0 ? report_linkage_rules(workspace, report, error)
                     : report_linkage_reasons(workspace, report, error);
  }
  enum status status = linkage_read(workspace, CLUSTER_PERSON, &linkage, error);
  if (status == OK && request->by_count == 0) {
    status = report_rates(&linkage, request, report, error);
  } else if (status == OK) {
    status = view == 2 ? report_linkage_sizes(&linkage, report) : report_doubtful(&linkage, report, error);
  }
  linkage_free(&linkage);
  return status;
}
