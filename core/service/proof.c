#include "core/service/approved_log.h"
#include "core/service/proof_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { PLACE_SIZE = 160, PLANS_MOST = 1 << 20 };

void proof_wrong(struct proof_fault *fault, const char *place, const char *format, ...) {
  va_list arguments;
  if (fault->found) {
    return;
  }
  fault->found = true;
  snprintf(fault->place, sizeof fault->place, "%s", place);
  va_start(arguments, format);
  vsnprintf(fault->what, sizeof fault->what, format, arguments);
  va_end(arguments);
}

const char *proof_code(const struct workspace *workspace, int source_id) {
  for (size_t i = 0; i < workspace->config->source_count; i++) {
    if (workspace->source_ids[i] == source_id) {
      return workspace->config->sources[i].code;
    }
  }
  return "?";
}

struct known_plan *proof_plan(struct proof *proof, int64_t plan_id) {
  for (size_t i = 0; i < proof->plan_count; i++) {
    if (proof->plans[i].id == plan_id) {
      return &proof->plans[i];
    }
  }
  return NULL;
}

/* ---- what the log has ---- */

static bool room(void *list, size_t count, size_t *capacity, size_t size) {
  void **items = list;
  if (count < *capacity) {
    return true;
  }
  size_t more = *capacity == 0 ? 64 : 2 * *capacity;
  void *moved = realloc(*items, more * size);
  if (moved == NULL) {
    return false;
  }
  *items = moved;
  *capacity = more;
  return true;
}

static int64_t number(const json_t *body, const char *name) {
  return json_integer_value(json_object_get(body, name));
}

static void hex_of(const json_t *body, const char *name, char hex[2 * SHA256_SIZE + 1]) {
  const char *text = json_string_value(json_object_get(body, name));
  snprintf(hex, 2 * SHA256_SIZE + 1, "%s", text == NULL ? "" : text);
}

static void take_plan(struct proof *proof, const struct audit_row *row, const json_t *body) {
  struct known_plan *plan = proof_plan(proof, number(body, "plan_id"));
  if (plan != NULL && plan->entry == 0) {
    plan->entry = row->sequence;
    hex_of(body, "plan", plan->logged);
    hex_of(body, "mapping", plan->mapping);
  }
}

static bool take_covering(struct proof *proof, const struct audit_row *row, const json_t *body) {
  int64_t fresh = number(body, "new") + number(body, "changed");
  if (number(body, "outcomes") == 0) {
    proof->unnamed += fresh > 0;
    return true;
  }
  if (!room(&proof->entries, proof->entry_count, &proof->entry_capacity, sizeof *proof->entries)) {
    return false;
  }
  struct covering *entry = &proof->entries[proof->entry_count++];
  *entry = (struct covering){.sequence = row->sequence,
                             .run = row->run,
                             .chunk_first = number(body, "chunk_first"),
                             .chunk_last = number(body, "chunk_last"),
                             .raw_first = number(body, "raw_first"),
                             .raw_last = number(body, "raw_last"),
                             .records = number(body, "outcomes"),
                             .root = row->outcomes};
  entry->source_id = source_of_record(record_of(entry->raw_first));
  merkle_init(&entry->merkle);
  return true;
}

static bool take_linking(struct proof *proof, const struct audit_row *row, const json_t *body) {
  if (!json_is_true(json_object_get(body, "ordered"))) {
    proof->unnamed += json_object_get(body, "persons") != NULL;
    return true;
  }
  if (!room(&proof->linkings, proof->linking_count, &proof->linking_capacity, sizeof *proof->linkings)) {
    return false;
  }
  struct linking *linking = &proof->linkings[proof->linking_count++];
  *linking = (struct linking){.sequence = row->sequence, .run = row->run, .root = row->outcomes};
  merkle_init(&linking->merkle);
  return true;
}

static bool take_dismissal(struct proof *proof, const struct audit_row *row, const json_t *body) {
  size_t i;
  const json_t *raw_id;
  json_array_foreach(json_object_get(body, "raw_ids"), i, raw_id) {
    if (!room(&proof->dismissed, proof->dismissed_count, &proof->dismissed_capacity, sizeof *proof->dismissed)) {
      return false;
    }
    proof->dismissed[proof->dismissed_count++] =
        (struct dismissal_logged){.run = row->run, .raw_id = json_integer_value(raw_id)};
  }
  return true;
}

/* The outcomes of a record that was taken out ended with its run. */
static struct slice erased_key(int64_t both[2], int64_t run, int64_t record_id) {
  both[0] = run;
  both[1] = record_id;
  return slice_make((const char *)both, 2 * sizeof *both);
}

static bool take_erasing(struct proof *proof, const struct audit_row *row, const json_t *body) {
  size_t i;
  int64_t both[2];
  const json_t *record;
  json_array_foreach(json_object_get(body, "records"), i, record) {
    if (map_put(proof->erased, erased_key(both, row->run, json_integer_value(record)), 1) != OK) {
      return false;
    }
  }
  return true;
}

static enum status take_entry(void *context, const struct audit_row *row, struct error *error) {
  struct proof *proof = context;
  static const char *const events[] = {"plan", "land",    "remap", "retry", "reload",
                                       "link", "dismiss", "erase", "review"};
  size_t event = 0;
  while (event < sizeof events / sizeof *events && strcmp(events[event], row->event) != 0) {
    event++;
  }
  if (event == sizeof events / sizeof *events) {
    return OK;
  }
  json_t *body = json_loads(row->body, 0, NULL);
  bool taken = true;
  if (event == 0) {
    take_plan(proof, row, body);
  } else if (event <= 4) {
    taken = take_covering(proof, row, body);
  } else if (event == 5) {
    taken = take_linking(proof, row, body);
  } else if (event == 6) {
    taken = take_dismissal(proof, row, body);
  } else {
    taken = event == 7 ? take_erasing(proof, row, body) : proof_take_review(proof, row, body);
  }
  json_decref(body);
  return taken ? OK : error_memory(error);
}

static enum status read_plans(struct proof *proof, struct error *error) {
  static const char *const columns[] = {"plan_id", "source", "digest"};
  const struct selection selection = {.view = "plans", .columns = columns, .column_count = 3, .most = PLANS_MOST};
  struct result *result = NULL;
  size_t capacity = 0;
  enum status status = store_select(proof->workspace->store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    if (!room(&proof->plans, proof->plan_count, &capacity, sizeof *proof->plans)) {
      status = error_memory(error);
      break;
    }
    struct known_plan *plan = &proof->plans[proof->plan_count++];
    *plan = (struct known_plan){.id = result_integer(result, 0)};
    plan->source = arena_text(proof->arena, result_text(result, 1));
    struct slice digest = result_text(result, 2);
    snprintf(plan->digest, sizeof plan->digest, "%.*s", SLICE_ARG(digest));
    if (plan->source == NULL) {
      status = error_memory(error);
      break;
    }
    if (!hex_parse(slice_of(plan->digest), plan->bytes.bytes, SHA256_SIZE)) {
      plan->bytes = (struct sha256){0};
    }
  }
  result_free(result);
  return status == END ? OK : status;
}

enum status proof_open(struct workspace *workspace, struct proof **proof, struct error *error) {
  struct proof *made = calloc(1, sizeof *made);
  *proof = made;
  if (made == NULL) {
    return error_memory(error);
  }
  made->workspace = workspace;
  made->arena = arena_new(0);
  if (workspace->key != NULL) {
    made->record_key = key_subkey(workspace->key, "record");
  }
  made->erased = map_new();
  bool memory = made->arena != NULL && made->erased != NULL;
  enum status status = memory ? read_plans(made, error) : error_memory(error);
  return status == OK ? store_visit_audit(workspace->store, 1, take_entry, made, error) : status;
}

void proof_close(struct proof *proof) {
  if (proof == NULL) {
    return;
  }
  for (size_t i = 0; i < proof->plan_count; i++) {
    if (proof->plans[i].plan != NULL) {
      plan_free(proof->plans[i].plan);
    }
  }
  if (proof->batch_made) {
    batch_free(&proof->batch);
  }
  proof_reviews_free(proof);
  arena_free(proof->arena);
  free(proof->plans);
  free(proof->entries);
  free(proof->linkings);
  free(proof->dismissed);
  map_free(proof->erased);
  free(proof);
}

/* ---- roots over records ---- */

struct rooting {
  struct proof *proof;
  struct proof_fault *fault;
  int source_id;
  bool landed; /* else mapped again */
  size_t next; /* entry that may cover the next version */
  struct covering *only;
  struct outcome_row held; /* the last change, where its record was taken out; raw_id 0: none */
};

static void place_entry(int64_t sequence, char place[PLACE_SIZE]) {
  snprintf(place, PLACE_SIZE, _("entry %lld of the log"), (long long)sequence);
}

static void finish_entry(struct covering *entry, struct proof_fault *fault) {
  char place[PLACE_SIZE];
  struct sha256 root = merkle_root(&entry->merkle);
  entry->tried = true;
  entry->right = (int64_t)entry->merkle.count == entry->records && memcmp(&root, &entry->root, sizeof root) == 0;
  place_entry(entry->sequence, place);
  if ((int64_t)entry->merkle.count != entry->records) {
    proof_wrong(fault, place, _("it covers %lld outcomes of records, the store has %lld of them"),
                (long long)entry->records, (long long)entry->merkle.count);
  } else if (!entry->right) {
    proof_wrong(fault, place, "%s",
                _("the store's outcomes of records (key, digest of the bytes, outcome or plan) are not those that"
                  " it has the root of"));
  }
}

static bool is_covered(const struct covering *entry, bool landed, const struct outcome_row *row) {
  return landed ? row->chunk_id >= entry->chunk_first && row->chunk_id <= entry->chunk_last
                : row->run == entry->run && row->raw_id >= entry->raw_first && row->raw_id <= entry->raw_last;
}

static struct covering *cover(struct rooting *rooting, const struct outcome_row *row) {
  struct proof *proof = rooting->proof;
  for (size_t i = 0; i < proof->entry_count; i++) { /* mostly the one of the version before */
    size_t at = (rooting->next + i) % proof->entry_count;
    struct covering *entry = &proof->entries[at];
    if (entry->source_id == rooting->source_id && (entry->chunk_first != 0) == rooting->landed
        && is_covered(entry, rooting->landed, row)) {
      rooting->next = at;
      return entry;
    }
  }
  return NULL;
}

static bool was_dismissed(const struct proof *proof, const struct outcome_row *row) {
  for (size_t i = 0; i < proof->dismissed_count; i++) {
    if (proof->dismissed[i].run == row->run && proof->dismissed[i].raw_id == row->raw_id) {
      return true;
    }
  }
  return false;
}

static bool was_erased(const struct proof *proof, const struct outcome_row *row) {
  int64_t both[2];
  return map_get(proof->erased, erased_key(both, row->run, record_of(row->raw_id))) != MAP_NONE;
}

static void add_outcome(struct rooting *rooting, const struct outcome_row *row) {
  char place[PLACE_SIZE];
  struct covering *entry = rooting->only != NULL ? rooting->only : cover(rooting, row);
  const struct known_plan *plan = proof_plan(rooting->proof, row->plan_id);
  if (entry != NULL) {
    static const struct sha256 none = {0};
    merkle_add_record(&entry->merkle, row->raw_id, &row->key, &row->digest, row->state,
                      plan == NULL ? &none : &plan->bytes);
  } else if (rooting->proof->unnamed == 0
             && (rooting->landed || (!was_dismissed(rooting->proof, row) && !was_erased(rooting->proof, row)))) {
    snprintf(place, sizeof place, _("version %lld of %s"), (long long)row->raw_id,
             proof_code(rooting->proof->workspace, rooting->source_id));
    proof_wrong(rooting->fault, place, "%s",
                rooting->landed ? _("no entry of the log covers its landing")
                                : _("no entry of the log covers the change of its outcome"));
  }
}

static enum status take_landed(void *context, const struct outcome_row *row, struct error *error) {
  (void)error;
  add_outcome(context, row);
  return OK;
}

/* Of a record that a remap took out, the remap covers the newest version alone. */
static enum status take_changed(void *context, const struct outcome_row *row, struct error *error) {
  struct rooting *rooting = context;
  const struct outcome_row held = rooting->held;
  (void)error;
  bool older = held.raw_id != 0 && held.run == row->run && record_of(held.raw_id) == record_of(row->raw_id);
  if (held.raw_id != 0 && !older) {
    add_outcome(rooting, &held);
  }
  rooting->held.raw_id = 0;
  if (was_erased(rooting->proof, row)) {
    rooting->held = *row;
  } else {
    add_outcome(rooting, row);
  }
  return OK;
}

static enum status check_roots(struct proof *proof, int source_id, struct proof_counts *counts,
                               struct proof_fault *fault, struct error *error) {
  struct rooting rooting = {.proof = proof, .fault = fault, .source_id = source_id, .landed = true};
  const struct outcome_bounds bounds = {.raw_first = store_source_first(source_id),
                                        .raw_last = store_source_last(source_id),
                                        .first = 0,
                                        .last = INT64_MAX};
  enum status status = store_visit_landed(proof->workspace->store, &bounds, take_landed, &rooting, error);
  rooting.landed = false;
  if (status == OK) {
    status = store_visit_changed(proof->workspace->store, &bounds, take_changed, &rooting, error);
  }
  if (status == OK && rooting.held.raw_id != 0) {
    add_outcome(&rooting, &rooting.held);
  }
  for (size_t i = 0; i < proof->entry_count && status == OK; i++) {
    if (proof->entries[i].source_id == source_id) {
      finish_entry(&proof->entries[i], fault);
      counts->entries++;
    }
  }
  return status;
}

/* ---- memberships ---- */

struct joining {
  struct proof *proof;
  struct proof_counts *counts;
  struct proof_fault *fault;
  size_t next;
};

static enum status take_membership(void *context, const struct membership_change *change, struct error *error) {
  struct joining *joining = context;
  struct proof *proof = joining->proof;
  char place[PLACE_SIZE];
  (void)error;
  while (joining->next < proof->linking_count && proof->linkings[joining->next].run < change->run) {
    joining->next++;
  }
  joining->counts->members++;
  if (joining->next < proof->linking_count && proof->linkings[joining->next].run == change->run) {
    merkle_add_membership(&proof->linkings[joining->next].merkle, change->kind, change->member.row_id,
                          change->member.id);
  } else if (proof->unnamed == 0) {
    snprintf(place, sizeof place, _("row %lld"), (long long)change->member.row_id);
    proof_wrong(joining->fault, place, _("no entry of the log covers what run %lld did with its membership"),
                (long long)change->run);
  }
  return OK;
}

static enum status check_members(struct proof *proof, struct proof_counts *counts, struct proof_fault *fault,
                                 struct error *error) {
  struct joining joining = {.proof = proof, .counts = counts, .fault = fault};
  enum status status = store_visit_memberships(proof->workspace->store, take_membership, &joining, error);
  for (size_t i = 0; i < proof->linking_count && status == OK; i++) {
    const struct linking *linking = &proof->linkings[i];
    struct sha256 root = merkle_root(&linking->merkle);
    char place[PLACE_SIZE];
    counts->entries++;
    place_entry(linking->sequence, place);
    if (memcmp(&root, &linking->root, sizeof root) != 0) {
      proof_wrong(fault, place, _("which rows are which person or case is not what the linking of run %lld wrote"),
                  (long long)linking->run);
    }
  }
  return status;
}

/* ---- all ---- */

static enum status check_source(struct proof *proof, int source_id, struct proof_counts *counts,
                                struct proof_fault *fault, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < proof->plan_count && status == OK; i++) {
    if (strcmp(proof->plans[i].source, proof_code(proof->workspace, source_id)) == 0) {
      status = lineage_plan_check(proof, &proof->plans[i], fault, error);
    }
  }
  /* Bytes and rows first: they name what the roots only find. */
  status = status == OK ? proof_rows(proof, source_id, counts, fault, error) : status;
  return status == OK ? check_roots(proof, source_id, counts, fault, error) : status;
}

/* ---- approvals ---- */

static enum status take_approval(void *context, const struct approval *approval, struct error *error) {
  struct proof_fault *fault = context;
  char place[PLACE_SIZE];
  (void)error;
  if (approval->fault != NULL) {
    snprintf(place, sizeof place, _("approval %lld of %s %s"), (long long)approval->id, approval->kind, approval->name);
    proof_wrong(fault, place, "%s", approval->fault);
  }
  return OK;
}

static enum status check_approvals(const struct proof *proof, struct proof_fault *fault, struct error *error) {
  struct store *store = proof->workspace->store;
  int64_t id = 0, entry = 0;
  char place[PLACE_SIZE];
  enum status status = approvals_visit(store, 0, take_approval, fault, error);
  status = status == OK ? approvals_lost(store, &id, &entry, error) : status;
  if (status == OK && id != 0) {
    place_entry(entry, place);
    proof_wrong(fault, place, _("proposal %lld is not in the store any more"), (long long)id);
  }
  return status;
}

enum status proof_verify(struct workspace *workspace, const char *source, struct proof_counts *counts,
                         struct proof_fault *fault, struct error *error) {
  struct proof *proof;
  bool known = source == NULL;
  *counts = (struct proof_counts){0};
  *fault = (struct proof_fault){.found = false};
  enum status status = proof_open(workspace, &proof, error);
  for (size_t i = 0; i < workspace->config->source_count && status == OK; i++) {
    bool wanted = source == NULL || strcmp(source, workspace->config->sources[i].code) == 0;
    known = known || wanted;
    if (wanted && workspace->source_ids[i] != 0) {
      status = check_source(proof, workspace->source_ids[i], counts, fault, error);
    }
  }
  if (status == OK && !known) {
    error_set(error, ERR_USAGE, _("there is no source '%s'"), source);
    error_hint(error, "%s", _("`puente report sources` lists them"));
    status = ERR_USAGE;
  }
  if (status == OK && source == NULL) {
    status = check_members(proof, counts, fault, error);
    status = status == OK ? check_approvals(proof, fault, error) : status;
    status = status == OK ? proof_reviews(proof, fault, error) : status;
  }
  counts->unnamed = status == OK ? proof->unnamed : 0;
  proof_close(proof);
  return status;
}

enum status proof_record(struct proof *proof, int64_t raw_id, int64_t *entry, struct proof_fault *fault,
                         struct error *error) {
  struct proof_counts counts = {0};
  int64_t chunk_id = 0;
  *entry = 0;
  *fault = (struct proof_fault){.found = false};
  enum status status = lineage_version(proof, raw_id, &chunk_id, &counts, fault, error);
  for (size_t i = 0; i < proof->entry_count && status == OK; i++) {
    struct covering *covering = &proof->entries[i];
    if (covering->chunk_first == 0 || chunk_id < covering->chunk_first || chunk_id > covering->chunk_last) {
      continue;
    }
    *entry = covering->sequence;
    if (!covering->tried) {
      struct rooting rooting = {.proof = proof, .fault = fault, .landed = true, .only = covering};
      const struct outcome_bounds bounds = {.raw_first = covering->raw_first,
                                            .raw_last = covering->raw_last,
                                            .first = covering->chunk_first,
                                            .last = covering->chunk_last};
      status = store_visit_landed(proof->workspace->store, &bounds, take_landed, &rooting, error);
      if (status == OK) {
        finish_entry(covering, fault);
      }
    } else if (!covering->right) {
      finish_entry(covering, fault);
    }
  }
  return status;
}
