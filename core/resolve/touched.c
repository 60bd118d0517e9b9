#include "core/resolve/touched.h"

#include "core/resolve/columns.h"

#include <stdio.h>
#include <stdlib.h>

/* Hashes to look for, by the kind whose index has them. */
struct search {
  struct touched *touched;
  const struct entity *entity;
  struct row_set changed[2];
  struct key_list own[2];  /* rows called alike */
  struct key_list people;  /* persons by their case */
  struct key_list cases;   /* persons' own cases */
  struct key_list of_case; /* persons of changed cases */
};

static uint64_t hash_of(const struct touched *t, enum keys_label label, int source_id, struct slice key) {
  char room[STAGED_KEY_MOST];
  return keys_hash(t->secret, label, staged_named(room, t->succession->family[source_id], key));
}

/* ---- what changed ---- */

static enum status take_person(void *context, const struct row *row, struct error *error) {
  struct search *s = context;
  const struct touched *t = s->touched;
  if (!t->linked[row->source_id]) {
    return OK;
  }
  enum status status = row_set_add(&s->changed[CLUSTER_PERSON], row->row_id, error);
  uint64_t own = hash_of(t, KEYS_OWN, row->source_id, row->key);
  status = status == OK ? key_list_add(&s->own[CLUSTER_PERSON], own, row->row_id, error) : status;
  if (status == OK && row->case_key.len > 0) {
    uint64_t people = hash_of(t, KEYS_CASE, row->source_id, row->case_key);
    uint64_t one_case = hash_of(t, KEYS_OWN, row->source_id, row->case_key);
    status = key_list_add(&s->people, people, row->row_id, error);
    status = status == OK ? key_list_add(&s->cases, one_case, row->row_id, error) : status;
  }
  return status;
}

static enum status take_case(void *context, const struct row *row, struct error *error) {
  struct search *s = context;
  const struct touched *t = s->touched;
  if (!t->linked[row->source_id]) {
    return OK;
  }
  enum status status = row_set_add(&s->changed[CLUSTER_CASE], row->row_id, error);
  uint64_t own = hash_of(t, KEYS_OWN, row->source_id, row->key);
  uint64_t people = hash_of(t, KEYS_CASE, row->source_id, row->key);
  status = status == OK ? key_list_add(&s->own[CLUSTER_CASE], own, row->row_id, error) : status;
  return status == OK ? key_list_add(&s->of_case, people, row->row_id, error) : status;
}

static enum status take_mark(void *context, const struct row *row, struct error *error) {
  struct search *s = context;
  struct touched *t = s->touched;
  if (!t->linked[row->source_id] || row->person_key.len == 0) {
    return OK;
  }
  uint64_t own = hash_of(t, KEYS_OWN, row->source_id, row->person_key);
  enum status status = key_list_add(&s->own[CLUSTER_PERSON], own, row->row_id, error);
  status = status == OK ? row_set_add(&t->marks, row->row_id, error) : status;
  return status == OK ? row_set_add(&t->mark_records, record_of(row->row_id), error) : status;
}

struct deciding {
  struct search *search;
  enum cluster_kind kind;
  struct row_set records;
};

static enum status take_decision(void *context, const struct review_decision *decision, struct error *error) {
  struct deciding *deciding = context;
  enum status status = row_set_add(&deciding->records, decision->record_a, error);
  return status == OK ? row_set_add(&deciding->records, decision->record_b, error) : status;
}

/* All rows of the records that a new decision names: hardly more than the two that it is about. */
static enum status read_decided(struct search *s, enum cluster_kind kind, struct error *error) {
  struct touched *t = s->touched;
  struct deciding deciding = {.search = s, .kind = kind};
  const struct entity *entity = kind == CLUSTER_PERSON ? t->policy->person.entity : t->policy->one_case.entity;
  enum status status = store_visit_decisions_since(t->store, kind, t->last_run, take_decision, &deciding, error);
  row_set_sort(&deciding.records);
  if (status == OK && deciding.records.count > 0) {
    struct row_filter filter = {.records = deciding.records.ids, .count = deciding.records.count};
    status = store_visit_rows(t->store, entity, &filter, kind == CLUSTER_PERSON ? take_person : take_case, s, error);
  }
  row_set_free(&deciding.records);
  return status;
}

static enum status read_changes(struct search *s, struct error *error) {
  struct touched *t = s->touched;
  const struct policy *policy = t->policy;
  int64_t until = 0;
  enum status status = store_settled_until(t->store, t->last_run, &until, error);
  status = status == OK ? store_visit_changes(t->store, policy->person.entity, until, take_person, s, error) : status;
  status = status == OK ? store_visit_changes(t->store, policy->one_case.entity, until, take_case, s, error) : status;
  for (size_t i = 0; status == OK && i < t->model->entity_count; i++) {
    if (staged_speaks_of_persons(policy, &t->model->entities[i])) {
      status = store_visit_changes(t->store, &t->model->entities[i], until, take_mark, s, error);
    }
  }
  status = status == OK ? read_decided(s, CLUSTER_PERSON, error) : status;
  status = status == OK ? read_decided(s, CLUSTER_CASE, error) : status;
  row_set_sort(&t->marks);
  row_set_sort(&t->mark_records);
  row_set_sort(&s->changed[CLUSTER_PERSON]);
  row_set_sort(&s->changed[CLUSTER_CASE]);
  t->nothing = s->changed[CLUSTER_PERSON].count + s->changed[CLUSTER_CASE].count + t->marks.count == 0;
  return status;
}

static bool too_many(struct touched *t, enum cluster_kind kind, const struct row_set *rows) {
  if ((int64_t)rows->count > t->most[kind]) {
    t->why = _("too many records have changed since the last linking");
  }
  return t->why != NULL;
}

/* ---- from rows to rows ---- */

struct heads {
  const struct touched *touched;
  enum cluster_kind kind; /* of the rows */
  struct key_list *people, *cases;
};

static enum status take_head(void *context, const struct row *row, struct error *error) {
  const struct heads *h = context;
  struct slice key = h->kind == CLUSTER_PERSON ? row->case_key : row->key;
  enum status status = OK;
  if (key.len == 0) {
    return OK;
  }
  if (h->people != NULL) {
    status = key_list_add(h->people, hash_of(h->touched, KEYS_CASE, row->source_id, key), row->row_id, error);
  }
  if (status == OK && h->cases != NULL) {
    status = key_list_add(h->cases, hash_of(h->touched, KEYS_OWN, row->source_id, key), row->row_id, error);
  }
  return status;
}

/* The keys of the cases of rows: to find their people, or the cases. */
static enum status read_heads(struct touched *t, enum cluster_kind kind, const struct row_set *rows,
                              struct key_list *people, struct key_list *cases, struct error *error) {
  struct heads heads = {.touched = t, .kind = kind, .people = people, .cases = cases};
  struct row_filter filter = {.history = true, .rows = rows->ids, .count = rows->count};
  const struct entity *entity = kind == CLUSTER_PERSON ? t->policy->person.entity : t->policy->one_case.entity;
  return rows->count == 0 ? OK : store_visit_rows(t->store, entity, &filter, take_head, &heads, error);
}

static enum status find(struct touched *t, enum cluster_kind kind, const struct key_list *list, struct row_set *rows,
                        struct error *error) {
  enum status status = keys_find(t->store, kind, list, 0, NULL, rows, error);
  row_set_sort(rows);
  return status;
}

/* Adds the people of the cases that rows are, or are of. */
static enum status add_people(struct touched *t, enum cluster_kind kind, const struct row_set *rows,
                              struct row_set *people, struct error *error) {
  struct key_list list = {0};
  enum status status = read_heads(t, kind, rows, &list, NULL, error);
  status = status == OK ? find(t, CLUSTER_PERSON, &list, people, error) : status;
  key_list_free(&list);
  return status;
}

static enum status add_cases(struct touched *t, const struct row_set *persons, struct row_set *cases,
                             struct error *error) {
  struct key_list list = {0};
  enum status status = read_heads(t, CLUSTER_PERSON, persons, NULL, &list, error);
  status = status == OK ? find(t, CLUSTER_CASE, &list, cases, error) : status;
  key_list_free(&list);
  return status;
}

static enum status grow(struct touched *t, enum cluster_kind kind, struct row_set *rows, struct error *error) {
  return keys_grow(t->store, kind, t->secret, rows, error);
}

/* ---- meeting ---- */

struct meeting {
  struct touched *touched;
  enum cluster_kind kind;
  struct buffer seen;
  struct staged_rows rows, none;
  struct twopass_side side;
};

static enum status read_records(struct meeting *m, const struct row_set *rows, bool first, struct error *error) {
  const struct touched *t = m->touched;
  const struct policy *policy = t->policy;
  struct row_set records = {0};
  enum status status = row_set_records(rows, &records, error);
  const struct staged_context context = {.policy = policy,
                                         .linked = t->linked,
                                         .succession = t->succession,
                                         .seen = &m->seen,
                                         .records = records.ids,
                                         .record_count = records.count};
  if (status == OK && first) {
    const struct entity *entity = m->kind == CLUSTER_PERSON ? policy->person.entity : policy->one_case.entity;
    status = staged_read(t->store, entity, &context, &m->rows, error);
  } else if (status == OK) {
    status = staged_add(t->store, &context, &m->rows, error);
  }
  row_set_free(&records);
  return status;
}

/* What the other kind says of rows: nothing, or of each something else. */
static enum status tell_apart(struct evidence *evidence, size_t count, struct error *error) {
  enum status status = evidence_none(count, evidence, error);
  for (size_t i = 0; status == OK && i < count; i++) {
    char name[24];
    int length = snprintf(name, sizeof name, "%zu", i);
    evidence->values[i] = map_intern(evidence->dictionary, slice_make(name, (size_t)length));
    status = evidence->values[i] == MAP_NONE ? error_memory(error) : OK;
  }
  return status;
}

static enum status meet_with(struct meeting *m, const struct evidence *evidence, uint32_t fresh, struct row_set *met,
                             struct error *error) {
  const struct staged_rows *cases = m->kind == CLUSTER_CASE ? &m->rows : &m->none;
  struct link_records records = {0};
  struct link_pair *pairs = NULL;
  size_t count = 0;
  enum status status = twopass_records(&m->side, cases, evidence, &records, error);
  if (status == OK) {
    status = link_meet(m->side.plan, &records, m->side.model, fresh, &pairs, &count, error);
  }
  for (size_t i = 0; status == OK && i < count; i++) {
    status = row_set_add(met, m->rows.row_id[pairs[i].a], error);
    status = status == OK ? row_set_add(met, m->rows.row_id[pairs[i].b], error) : status;
  }
  free(pairs);
  columns_free(records.columns, records.column_count);
  return status;
}

/* The rows that share a blocking key with those read; known ones are left out. */
static enum status read_candidates(struct meeting *m, const struct row_set *known, struct error *error) {
  struct touched *t = m->touched;
  const struct staged_rows *cases = m->kind == CLUSTER_CASE ? &m->rows : &m->none;
  struct key_list list = {0};
  struct row_set found = {0};
  struct row_set records = {0};
  struct row_set others = {0};
  bool outgrown = false;
  enum status status = row_set_records(known, &records, error);
  status = status == OK ? keys_of_rows(t->secret, &m->side, cases, NULL, false, &list, error) : status;
  if (status == OK) {
    status = keys_find(t->store, m->kind, &list, link_plan_block_limit(m->side.plan), &outgrown, &found, error);
  }
  row_set_sort(&found);
  for (size_t i = 0; status == OK && i < found.count; i++) {
    bool here = row_set_has(&records, record_of(found.ids[i]));
    status = here ? OK : row_set_add(&others, found.ids[i], error);
  }
  if (outgrown) {
    t->why = _("a blocking key has far more records than when the link model was learned");
  }
  status = status == OK && t->why == NULL && others.count > 0 ? read_records(m, &others, false, error) : status;
  key_list_free(&list);
  row_set_free(&found);
  row_set_free(&records);
  row_set_free(&others);
  return status;
}

/* Adds the rows that `fresh` ones and others make pairs with. */
static enum status meet(struct touched *t, enum cluster_kind kind, const struct row_set *fresh, struct row_set *met,
                        struct error *error) {
  struct meeting m = {.touched = t, .kind = kind, .side = *t->sides[kind]};
  struct evidence evidence = {0};
  if (fresh->count == 0) {
    return OK;
  }
  buffer_init(&m.seen, SIZE_MAX / 2);
  m.side.rows = &m.rows;
  m.side.decisions = NULL;
  m.side.decision_count = 0;
  m.side.unique = NULL;
  enum status status = read_records(&m, fresh, true, error);
  uint32_t first = (uint32_t)m.rows.count;
  status = status == OK && first > 0 ? read_candidates(&m, fresh, error) : status;
  for (int answer = 0; status == OK && first > 0 && t->why == NULL && answer < 2; answer++) {
    status = answer == 0 ? evidence_none(m.rows.count, &evidence, error) : tell_apart(&evidence, m.rows.count, error);
    status = status == OK ? meet_with(&m, &evidence, first, met, error) : status;
    evidence_free(&evidence);
  }
  staged_free(&m.rows);
  buffer_free(&m.seen);
  return status;
}

/* ---- the steps ---- */

/* Persons whose first clusters may be others. */
static enum status touch_persons(struct search *s, struct row_set *persons, struct error *error) {
  struct touched *t = s->touched;
  struct row_set *fresh = &t->fresh[CLUSTER_PERSON];
  enum status status = row_set_add_all(fresh, &s->changed[CLUSTER_PERSON], error);
  status = status == OK ? find(t, CLUSTER_PERSON, &s->own[CLUSTER_PERSON], fresh, error) : status;
  status = status == OK ? row_set_add_all(persons, fresh, error) : status;
  status = status == OK ? find(t, CLUSTER_PERSON, &s->people, persons, error) : status;
  status = status == OK ? add_people(t, CLUSTER_PERSON, fresh, persons, error) : status;
  /* The cases of persons that are marked otherwise have other people. */
  status = status == OK ? read_heads(t, CLUSTER_PERSON, fresh, NULL, &s->cases, error) : status;
  status =
      status == OK && !too_many(t, CLUSTER_PERSON, fresh) ? meet(t, CLUSTER_PERSON, fresh, persons, error) : status;
  return status == OK && t->why == NULL ? grow(t, CLUSTER_PERSON, persons, error) : status;
}

/* Cases whose clusters without the evidence of people may be others. */
static enum status touch_cases(struct search *s, struct row_set *cases, struct error *error) {
  struct touched *t = s->touched;
  struct row_set *fresh = &t->fresh[CLUSTER_CASE];
  enum status status = row_set_add_all(fresh, &s->changed[CLUSTER_CASE], error);
  status = status == OK ? find(t, CLUSTER_CASE, &s->own[CLUSTER_CASE], fresh, error) : status;
  status = status == OK ? find(t, CLUSTER_CASE, &s->cases, fresh, error) : status;
  status = status == OK ? row_set_add_all(cases, fresh, error) : status;
  status = status == OK && !too_many(t, CLUSTER_CASE, fresh) ? meet(t, CLUSTER_CASE, fresh, cases, error) : status;
  return status == OK && t->why == NULL ? grow(t, CLUSTER_CASE, cases, error) : status;
}

/* Rows that the last steps write, from those of the early ones. */
static enum status touch_both(struct search *s, const struct row_set *persons, const struct row_set *cases,
                              struct error *error) {
  struct touched *t = s->touched;
  struct row_set *write = t->write;
  enum status status = row_set_add_all(&write[CLUSTER_PERSON], persons, error);
  status = status == OK ? find(t, CLUSTER_PERSON, &s->of_case, &write[CLUSTER_PERSON], error) : status;
  status = status == OK ? add_people(t, CLUSTER_CASE, cases, &write[CLUSTER_PERSON], error) : status;
  status = status == OK ? grow(t, CLUSTER_PERSON, &write[CLUSTER_PERSON], error) : status;
  status = status == OK ? row_set_add_all(&write[CLUSTER_CASE], cases, error) : status;
  status = status == OK ? add_cases(t, persons, &write[CLUSTER_CASE], error) : status;
  return status == OK ? grow(t, CLUSTER_CASE, &write[CLUSTER_CASE], error) : status;
}

/* What is read beside them. */
static enum status read_beside(struct touched *t, struct error *error) {
  struct row_set *persons = &t->read[CLUSTER_PERSON];
  struct row_set *cases = &t->read[CLUSTER_CASE];
  struct row_set mates = {0};
  enum status status = row_set_add_all(persons, &t->write[CLUSTER_PERSON], error);
  status = status == OK ? add_people(t, CLUSTER_CASE, &t->write[CLUSTER_CASE], persons, error) : status;
  status = status == OK ? grow(t, CLUSTER_PERSON, persons, error) : status;
  status = status == OK ? add_people(t, CLUSTER_PERSON, persons, &mates, error) : status;
  status = status == OK ? row_set_add_all(persons, &mates, error) : status;
  status = status == OK ? row_set_add_all(cases, &t->write[CLUSTER_CASE], error) : status;
  status = status == OK ? add_cases(t, &t->write[CLUSTER_PERSON], cases, error) : status;
  status = status == OK ? grow(t, CLUSTER_CASE, cases, error) : status;
  row_set_sort(persons);
  row_set_sort(cases);
  row_set_free(&mates);
  return status;
}

enum status touched_find(struct touched *t, struct error *error) {
  struct search search = {.touched = t};
  struct row_set persons = {0};
  struct row_set cases = {0};
  enum status status = read_changes(&search, error);
  bool going = status == OK && !t->nothing && !too_many(t, CLUSTER_PERSON, &search.changed[CLUSTER_PERSON])
               && !too_many(t, CLUSTER_CASE, &search.changed[CLUSTER_CASE]);
  status = going ? touch_persons(&search, &persons, error) : status;
  going = going && status == OK && t->why == NULL;
  status = going ? touch_cases(&search, &cases, error) : status;
  going = going && status == OK && t->why == NULL;
  status = going ? touch_both(&search, &persons, &cases, error) : status;
  going = going && status == OK && !too_many(t, CLUSTER_PERSON, &t->write[CLUSTER_PERSON])
          && !too_many(t, CLUSTER_CASE, &t->write[CLUSTER_CASE]);
  status = going ? read_beside(t, error) : status;
  row_set_free(&persons);
  row_set_free(&cases);
  row_set_free(&search.changed[CLUSTER_PERSON]);
  row_set_free(&search.changed[CLUSTER_CASE]);
  key_list_free(&search.own[CLUSTER_PERSON]);
  key_list_free(&search.own[CLUSTER_CASE]);
  key_list_free(&search.people);
  key_list_free(&search.cases);
  key_list_free(&search.of_case);
  return status;
}

void touched_free(struct touched *touched) {
  for (int kind = 0; kind < 2; kind++) {
    row_set_free(&touched->write[kind]);
    row_set_free(&touched->read[kind]);
    row_set_free(&touched->fresh[kind]);
  }
  row_set_free(&touched->marks);
  row_set_free(&touched->mark_records);
}
