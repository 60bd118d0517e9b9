/* Linking only what changes since the last linking touch. */
#include "core/resolve/columns.h"
#include "core/resolve/resolver.h"
#include "core/resolve/touched.h"

#include <jansson.h>
#include <stdlib.h>

/* More than one row in so many touched, beside a few: all are linked. */
enum { SHARE_MOST = 5, FEW = 200 };

/* ---- the last linking ---- */

struct last {
  int64_t run;
  char inputs[2 * SHA256_SIZE + 1];
  struct resolve_counts counts[2]; /* by enum cluster_kind: what stands in the store */
  struct sha256 rules, sources, models[2];
};

static void read_counts(const json_t *body, const char *kind, struct resolve_counts *counts) {
  const json_t *found = json_object_get(body, kind);
  counts->rows = json_integer_value(json_object_get(found, "rows"));
  counts->clusters = json_integer_value(json_object_get(found, "clusters"));
  counts->accepted = json_integer_value(json_object_get(found, "accepted"));
  counts->pairs = json_integer_value(json_object_get(found, "pairs"));
  counts->waiting = json_integer_value(json_object_get(found, "waiting"));
  counts->unlinkable = json_integer_value(json_object_get(found, "unlinkable"));
}

static bool read_digest(const json_t *text, struct sha256 *digest) {
  return json_is_string(text)
         && hex_parse(slice_make(json_string_value(text), json_string_length(text)), digest->bytes, SHA256_SIZE);
}

/* False: it was made by a program that kept no index, or it kept none. */
static bool read_body(const json_t *body, struct last *last) {
  const json_t *inputs = json_object_get(body, "inputs");
  const json_t *models = json_object_get(body, "models");
  read_counts(body, "persons", &last->counts[CLUSTER_PERSON]);
  read_counts(body, "cases", &last->counts[CLUSTER_CASE]);
  if (!json_is_true(json_object_get(body, "indexed")) || json_string_length(inputs) != 2 * (size_t)SHA256_SIZE) {
    return false;
  }
  memcpy(last->inputs, json_string_value(inputs), sizeof last->inputs);
  return read_digest(json_object_get(body, "rules"), &last->rules)
         && read_digest(json_object_get(body, "sources"), &last->sources)
         && read_digest(json_array_get(models, CLUSTER_PERSON), &last->models[CLUSTER_PERSON])
         && read_digest(json_array_get(models, CLUSTER_CASE), &last->models[CLUSTER_CASE]);
}

static bool same_digest(const struct sha256 *a, const struct sha256 *b) {
  return memcmp(a->bytes, b->bytes, SHA256_SIZE) == 0;
}

static enum status read_last(struct resolver *r, struct last *last, bool *usable) {
  struct buffer text;
  buffer_init(&text, 1 << 20);
  enum status status = resolver_last(r, &last->run, &text);
  json_t *body = status == OK && text.len > 0 ? json_loadb(text.data, text.len, 0, NULL) : NULL;
  *usable = body != NULL && read_body(body, last);
  if (status == OK && last->run > 0 && !*usable) {
    r->result->why_full = _("the last linking left no index of keys");
  }
  for (int kind = 0; *usable && kind < 2; kind++) {
    const json_t *counts = json_object_get(body, kind == CLUSTER_PERSON ? "persons" : "cases");
    r->blocks[kind] = json_dumps(json_object_get(counts, "blocks"), JSON_COMPACT | JSON_SORT_KEYS);
    status = r->blocks[kind] == NULL ? error_memory(r->error) : status;
  }
  json_decref(body);
  buffer_free(&text);
  return status;
}

/* Whether rules, sources and models are those of the last linking. */
static enum status compare_last(struct resolver *r, const struct last *last, bool *same) {
  const struct twopass *t = &r->twopass;
  *same = false;
  if (!same_digest(&last->rules, &r->policy->digest) || !same_digest(&last->sources, &r->sources)) {
    r->result->why_full = _("the configuration has changed since the last linking");
    return OK;
  }
  enum status status =
      resolver_models(r, (size_t)last->counts[CLUSTER_PERSON].rows, (size_t)last->counts[CLUSTER_CASE].rows);
  *same = status == OK && t->persons.model != NULL && t->cases.model != NULL
          && same_digest(&last->models[CLUSTER_PERSON], &r->models[CLUSTER_PERSON])
          && same_digest(&last->models[CLUSTER_CASE], &r->models[CLUSTER_CASE]);
  if (status == OK && !*same) {
    r->result->why_full = _("the link models are others than in the last linking");
  } else if (status == OK && (r->learn || r->offer)) {
    *same = false; /* weights are learned from all rows, and proposed with them */
    r->result->why_full = _("weights are to be learned");
  }
  return status;
}

/* ---- reading ---- */

enum status incremental_marked(void *resolver, int64_t row_id, struct slice elsewhere, struct error *error) {
  struct resolver *r = resolver;
  return elsewhere.len == 0 ? OK : key_list_add(&r->marks, keys_hash(r->secret, KEYS_MARK, elsewhere), row_id, error);
}

/* What is told of rows that speak of persons, while some records are read. */
struct marked {
  struct resolver *r;
  struct row_set rows;
};

static enum status take_marked(void *told, int64_t row_id, struct slice elsewhere, struct error *error) {
  struct marked *marked = told;
  enum status status = row_set_add(&marked->rows, row_id, error);
  return status == OK ? incremental_marked(marked->r, row_id, elsewhere, error) : status;
}

/* The records in which other rows speak of the persons read. */
static enum status add_marking(struct resolver *r, struct row_set *records) {
  struct key_list list = {0};
  struct row_set rows = {0};
  enum status status = OK;
  for (uint32_t i = 0; status == OK && i < map_count(r->persons.keys); i++) {
    status = key_list_add(&list, keys_hash(r->secret, KEYS_MARK, map_key(r->persons.keys, i)), 0, r->error);
  }
  status = status == OK ? keys_find(r->store, CLUSTER_PERSON, &list, 0, NULL, &rows, r->error) : status;
  status = status == OK ? row_set_records(&rows, records, r->error) : status;
  key_list_free(&list);
  row_set_free(&rows);
  return status;
}

/* Persons of some records, and of those that speak of them; grown until nobody else does. */
static enum status read_persons(struct resolver *r, const struct touched *t, struct staged_context *context) {
  static const int64_t nobody = 0;
  struct row_set records = {0};
  enum status status = row_set_records(&t->read[CLUSTER_PERSON], &records, r->error);
  status = status == OK ? row_set_add_all(&records, &t->mark_records, r->error) : status;
  for (size_t known = SIZE_MAX; status == OK && records.count != known;) {
    row_set_sort(&records);
    known = records.count;
    context->records = records.ids == NULL ? &nobody : records.ids;
    context->record_count = records.count;
    staged_free(&r->persons);
    status = staged_read(r->store, r->policy->person.entity, context, &r->persons, r->error);
    status = status == OK ? add_marking(r, &records) : status;
    row_set_sort(&records);
  }
  context->records = records.ids == NULL ? &nobody : records.ids;
  status = status == OK ? staged_mark(r->store, r->model, context, &r->persons, r->error) : status;
  row_set_free(&records);
  return status;
}

static enum status read_touched(struct resolver *r, const struct touched *t, struct marked *marked) {
  static const int64_t nothing = 0;
  struct row_set records = {0};
  enum status status = row_set_records(&t->read[CLUSTER_CASE], &records, r->error);
  struct staged_context context = {.policy = r->policy,
                                   .linked = r->linked,
                                   .succession = &r->succession,
                                   .passes = r->passes,
                                   .seen = &r->seen,
                                   .records = records.ids == NULL ? &nothing : records.ids,
                                   .record_count = records.count,
                                   .marked = take_marked,
                                   .told = marked};
  status = status == OK ? staged_read(r->store, r->policy->one_case.entity, &context, &r->cases, r->error) : status;
  status = status == OK ? read_persons(r, t, &context) : status;
  row_set_free(&records);
  return status;
}

/* ---- from what was linked to what is written ---- */

static void keep_pairs(struct link_result *result, const uint32_t *moved) {
  size_t kept = 0;
  result->waiting = 0;
  for (size_t i = 0; i < result->pair_count; i++) {
    struct link_pair pair = result->pairs[i];
    pair.a = moved[pair.a];
    pair.b = moved[pair.b];
    if (pair.a != LINK_MISSING && pair.b != LINK_MISSING) {
      result->pairs[kept++] = pair;
      result->waiting += pair.outcome == LINK_WAITING;
    }
  }
  result->pair_count = kept;
}

/* Clusters and flags of the rows that are kept: whole clusters are. */
static enum status keep_clusters(struct link_result *result, const uint32_t *moved, size_t count, struct error *error) {
  for (size_t i = 0; i < count; i++) {
    uint32_t to = moved[i];
    if (to == LINK_MISSING) {
      continue;
    }
    if (moved[result->cluster[i]] == LINK_MISSING) {
      return error_set(error, ERR_INTERNAL, "%s", _("an incremental linking cut a cluster in two"));
    }
    result->cluster[to] = moved[result->cluster[i]];
    result->alone[to] = result->alone[i];
  }
  return OK;
}

/* Leaves what stands only as evidence. */
static enum status keep_touched(struct twopass_side *side, struct staged_rows *rows, const struct row_set *write,
                                struct error *error) {
  size_t count = rows->count;
  bool *kept = calloc(count + 1, sizeof *kept);
  uint32_t *moved = malloc((count + 1) * sizeof *moved);
  enum status status = kept == NULL || moved == NULL ? error_memory(error) : OK;
  for (size_t i = 0; status == OK && i < count; i++) {
    kept[i] = row_set_has(write, rows->row_id[i]);
  }
  status = status == OK ? staged_keep(rows, kept, moved, error) : status;
  if (status == OK) {
    keep_pairs(&side->result, moved);
    keep_pairs(&side->early, moved);
    status = keep_clusters(&side->result, moved, count, error);
  }
  free(kept);
  free(moved);
  return status;
}

/* ---- counts of the whole ---- */

/* What rows were before, or are now: clusters are named by numbers. */
struct tally {
  struct map *ids; /* of clusters */
  uint32_t *parent;
  struct member *members;
  size_t member_count, capacity;
  struct resolve_counts counts;
};

static uint32_t root_of(const struct tally *tally, uint32_t at) {
  while (tally->parent[at] != at) {
    at = tally->parent[at];
  }
  return at;
}

static enum status take_member(void *context, const struct member *member, struct error *error) {
  struct tally *tally = context;
  if (tally->member_count == tally->capacity) {
    size_t capacity = tally->capacity == 0 ? 256 : tally->capacity * 2;
    struct member *grown = realloc(tally->members, capacity * sizeof *grown);
    if (grown == NULL) {
      return error_memory(error);
    }
    tally->members = grown;
    tally->capacity = capacity;
  }
  tally->members[tally->member_count++] = *member;
  const struct slice name = slice_make((const char *)&member->id, sizeof member->id);
  return map_intern(tally->ids, name) == MAP_NONE ? error_memory(error) : OK;
}

static int by_row(const void *a, const void *b) {
  int64_t x = ((const struct member *)a)->row_id;
  int64_t y = ((const struct member *)b)->row_id;
  return (x > y) - (x < y);
}

static uint32_t cluster_of(const struct tally *tally, int64_t row_id) {
  const struct member wanted = {.row_id = row_id};
  const struct member *found =
      tally->member_count == 0 ? NULL : bsearch(&wanted, tally->members, tally->member_count, sizeof wanted, by_row);
  return found == NULL ? MAP_NONE : map_get(tally->ids, slice_make((const char *)&found->id, sizeof found->id));
}

static enum status take_pair(void *context, const struct link_pair_row *pair, struct error *error) {
  struct tally *tally = context;
  (void)error;
  tally->counts.pairs++;
  if (pair->outcome != PAIR_WAITING) {
    return OK;
  }
  uint32_t a = cluster_of(tally, pair->row_a);
  uint32_t b = cluster_of(tally, pair->row_b);
  tally->counts.waiting++;
  if (a != MAP_NONE && b != MAP_NONE && root_of(tally, a) != root_of(tally, b)) {
    tally->parent[root_of(tally, b)] = root_of(tally, a);
    tally->counts.accepted--;
  }
  return OK;
}

static enum status count_unlinkable(void *context, int64_t row_id, struct error *error) {
  int64_t *count = context;
  (void)row_id;
  (void)error;
  ++*count;
  return OK;
}

/* What the store says of some rows, in whole clusters. */
static enum status tally_rows(struct resolver *r, enum cluster_kind kind, const struct row_set *rows,
                              struct resolve_counts *counts) {
  struct tally tally = {.ids = map_new()};
  enum status status = tally.ids == NULL ? error_memory(r->error) : OK;
  if (status == OK) {
    status = store_visit_members_of(r->store, kind, rows->ids, rows->count, take_member, &tally, r->error);
  }
  uint32_t clusters = status == OK ? map_count(tally.ids) : 0;
  tally.parent = malloc((clusters + 1U) * sizeof *tally.parent);
  status = status == OK && tally.parent == NULL ? error_memory(r->error) : status;
  if (status == OK && tally.member_count > 0) {
    qsort(tally.members, tally.member_count, sizeof *tally.members, by_row);
  }
  for (uint32_t i = 0; status == OK && i < clusters; i++) {
    tally.parent[i] = i;
  }
  tally.counts.rows = (int64_t)tally.member_count;
  tally.counts.clusters = tally.counts.accepted = clusters;
  if (status == OK) {
    status = store_visit_pairs(r->store, kind, rows->ids, rows->count, take_pair, &tally, r->error);
  }
  *counts = tally.counts;
  map_free(tally.ids);
  free(tally.parent);
  free(tally.members);
  return status;
}

/* The counts of the whole store: those of before, less what the rows were, with what they are. */
static enum status add_up(struct resolver *r, enum cluster_kind kind, const struct resolve_counts *last,
                          const struct resolve_counts *before, const struct row_set *rows) {
  struct resolve_counts *counts = kind == CLUSTER_PERSON ? &r->result->persons : &r->result->cases;
  struct resolve_counts after;
  enum status status = tally_rows(r, kind, rows, &after);
  counts->rows = last->rows - before->rows + after.rows;
  counts->clusters = last->clusters - before->clusters + after.clusters;
  counts->accepted = last->accepted - before->accepted + after.accepted;
  counts->pairs = last->pairs - before->pairs + after.pairs;
  counts->waiting = last->waiting - before->waiting + after.waiting;
  counts->unlinkable = 0;
  return status == OK ? store_visit_unlinkable(r->store, kind, count_unlinkable, &counts->unlinkable, r->error)
                      : status;
}

/* ---- writing ---- */

/* The pairs of early steps that rows had. */
static enum status drop_early(struct resolver *r, enum cluster_kind kind, const struct row_set *rows) {
  uint64_t *keys = malloc((rows->count + 1) * sizeof *keys);
  if (keys == NULL) {
    return error_memory(r->error);
  }
  for (size_t i = 0; i < rows->count; i++) {
    keys[i] = keys_hash_row(r->secret, rows->ids[i]);
  }
  enum status status = store_drop_keys(r->store, kind, keys, rows->count, r->error);
  free(keys);
  return status;
}

/* The keys of `fresh` rows, and of rows that speak of persons, are written anew (NULL: of all); pairs of early steps of
 * all rows that were linked. */
static enum status write_keys(struct resolver *r, enum cluster_kind kind, const struct row_set *fresh,
                              const struct row_set *marks) {
  bool persons = kind == CLUSTER_PERSON;
  const struct twopass_side *side = persons ? &r->twopass.persons : &r->twopass.cases;
  struct key_list list = {0};
  struct row_set all = {0};
  enum status status = keys_of_rows(r->secret, side, &r->cases, fresh, true, &list, r->error);
  status = status == OK ? keys_of_early(r->secret, side, &list, r->error) : status;
  for (size_t i = 0; status == OK && persons && i < r->marks.count; i++) {
    status = key_list_add(&list, r->marks.keys[i].key, r->marks.keys[i].row_id, r->error);
  }
  status = status == OK && fresh != NULL ? row_set_add_all(&all, fresh, r->error) : status;
  status = status == OK && marks != NULL ? row_set_add_all(&all, marks, r->error) : status;
  row_set_sort(&all);
  if (status == OK) {
    const int64_t *rows = fresh == NULL ? NULL : all.ids;
    static const int64_t nobody = 0;
    rows = fresh != NULL && rows == NULL ? &nobody : rows;
    status = store_replace_keys(r->store, kind, rows, all.count, list.keys, list.count, r->error);
  }
  key_list_free(&list);
  row_set_free(&all);
  return status;
}

static enum status write_touched(struct resolver *r, const struct touched *t, const struct last *last,
                                 enum cluster_kind kind, const struct row_set *marks) {
  bool persons = kind == CLUSTER_PERSON;
  const struct row_set *rows = &t->write[kind];
  struct resolve_counts before;
  if (rows->count == 0 && marks->count == 0) {
    return add_up(r, kind, &last->counts[kind], &(struct resolve_counts){0}, rows);
  }
  enum status status = keep_touched(persons ? &r->twopass.persons : &r->twopass.cases,
                                    persons ? &r->persons : &r->cases, rows, r->error);
  status = status == OK ? tally_rows(r, kind, rows, &before) : status;
  status = status == OK ? resolver_write(r, kind, rows) : status;
  status = status == OK ? drop_early(r, kind, rows) : status;
  status = status == OK ? write_keys(r, kind, &t->fresh[kind], marks) : status;
  return status == OK ? add_up(r, kind, &last->counts[kind], &before, rows) : status;
}

/* Another digest than the last one and any of a full linking: of the two together. */
static void chain_inputs(const struct resolver *r, const struct last *last, char inputs[2 * SHA256_SIZE + 1]) {
  struct sha256 before = sha256_of(slice_make(last->inputs, sizeof last->inputs - 1));
  struct sha256 now = sha256_of(buffer_view(&r->seen));
  struct sha256 both = sha256_pair(2, &before, &now);
  hex_format(both.bytes, SHA256_SIZE, inputs);
}

static enum status write_all(struct resolver *r, const struct touched *t, const struct last *last,
                             struct marked *marked) {
  char inputs[2 * SHA256_SIZE + 1];
  const struct row_set none = {0};
  enum status status = row_set_add_all(&marked->rows, &t->marks, r->error);
  row_set_sort(&marked->rows);
  chain_inputs(r, last, inputs);
  r->indexed = true;
  r->result->incremental = true;
  r->result->touched = (int64_t)(t->write[CLUSTER_PERSON].count + t->write[CLUSTER_CASE].count);
  status = status == OK ? resolver_begin(r) : status;
  status = status == OK ? write_touched(r, t, last, CLUSTER_PERSON, &marked->rows) : status;
  status = status == OK ? write_touched(r, t, last, CLUSTER_CASE, &none) : status;
  return status == OK ? resolver_end(r, inputs) : status;
}

/* ---- the run ---- */

static bool any_outgrown(const struct twopass *t) {
  return t->persons.result.outgrown + t->persons.early.outgrown + t->cases.result.outgrown + t->cases.early.outgrown
         > 0;
}

/* Nothing of a try is left for the linking of all rows. */
static void forget(struct resolver *r) {
  struct twopass *t = &r->twopass;
  link_result_free(&t->persons.result);
  link_result_free(&t->persons.early);
  link_result_free(&t->cases.result);
  link_result_free(&t->cases.early);
  free(t->persons.decisions);
  free(t->cases.decisions);
  t->persons.decisions = t->cases.decisions = NULL;
  t->persons.decision_count = t->cases.decision_count = 0;
  t->persons.unique = NULL;
  free(r->unique);
  r->unique = NULL;
  staged_free(&r->persons);
  staged_free(&r->cases);
  for (int kind = 0; kind < 2; kind++) {
    free(r->blocks[kind]);
    r->blocks[kind] = NULL;
  }
  key_list_free(&r->marks);
  buffer_reset(&r->seen);
  buffer_append(&r->seen, r->sources.bytes, SHA256_SIZE);
}

static enum status link_touched(struct resolver *r, const struct touched *t, const struct last *last, bool *done) {
  struct marked marked = {.r = r};
  enum status status = read_touched(r, t, &marked);
  status = status == OK ? resolver_prepare(r) : status;
  status = status == OK ? twopass_run(&r->twopass, r->error) : status;
  if (status == OK && any_outgrown(&r->twopass)) {
    r->result->why_full = _("a blocking key has far more records than when the link model was learned");
  } else if (status == OK) {
    status = write_all(r, t, last, &marked);
    *done = status == OK;
  }
  row_set_free(&marked.rows);
  return status;
}

/* Whether a plan reads nothing of a person's case but its cluster: what else it says would have to be asked for. */
static bool reads_itself(const struct link_plan *plan) {
  const char *const *columns;
  size_t count = link_plan_columns(plan, &columns);
  for (size_t i = 0; i < count; i++) {
    if (strncmp(columns[i], "case.", 5) == 0) {
      return false;
    }
  }
  return true;
}

static enum status try(struct resolver *r, const struct last *last, bool *done) {
  struct touched touched = {.store = r->store,
                            .model = r->model,
                            .policy = r->policy,
                            .linked = r->linked,
                            .succession = &r->succession,
                            .secret = r->secret,
                            .sides = {[CLUSTER_PERSON] = &r->twopass.persons, [CLUSTER_CASE] = &r->twopass.cases},
                            .last_run = last->run,
                            .most = {last->counts[0].rows / SHARE_MOST + FEW, last->counts[1].rows / SHARE_MOST + FEW}};
  progress_step(r->options->progress, _("looking for what changed"), 0, -1);
  enum status status = touched_find(&touched, r->error);
  if (status == OK && touched.nothing) {
    r->result->nothing_new = true;
    *done = true;
  } else if (status == OK && touched.why != NULL) {
    r->result->why_full = touched.why;
  } else if (status == OK) {
    status = link_touched(r, &touched, last, done);
  }
  touched_free(&touched);
  return status;
}

enum status incremental_run(struct resolver *r, bool *done) {
  struct last last = {0};
  bool usable = false;
  bool encoded = false;
  *done = false;
  enum status status = store_has_encodings(r->store, &encoded, r->error);
  if (status != OK || encoded) {
    r->result->why_full = _("codes of names are compared with all rows");
    return status;
  }
  status = read_last(r, &last, &usable);
  if (status == OK && usable) {
    status = compare_last(r, &last, &usable);
  }
  if (status == OK && usable) {
    status = try(r, &last, done);
  }
  if (status == OK && !*done) {
    forget(r);
  }
  return status;
}

enum status incremental_index(struct resolver *r) {
  enum status status = OK;
  r->indexed = !any_outgrown(&r->twopass) && reads_itself(r->policy->persons) && reads_itself(r->policy->cases);
  if (!r->indexed) {
    return OK;
  }
  status = store_index_changes(r->store, r->policy->person.entity, r->error);
  status = status == OK ? store_index_changes(r->store, r->policy->one_case.entity, r->error) : status;
  for (size_t i = 0; status == OK && i < r->model->entity_count; i++) {
    if (staged_speaks_of_persons(r->policy, &r->model->entities[i])) {
      status = store_index_changes(r->store, &r->model->entities[i], r->error);
    }
  }
  progress_step(r->options->progress, _("keeping keys"), 0, -1);
  status = status == OK ? write_keys(r, CLUSTER_PERSON, NULL, NULL) : status;
  return status == OK ? write_keys(r, CLUSTER_CASE, NULL, NULL) : status;
}
