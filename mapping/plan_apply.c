/* Applies a plan to one record: its blocks in turn, each making rows with keys and references. */
#include "mapping/plan_internal.h"

#include "core/base/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEYS_SCANNED = 16 };

/* ---- keys ---- */

static bool part_read(struct run *run, const struct path *path, const struct node *node, struct slice *text) {
  if (path->let >= 0) {
    *text = run->scratch->lets[path->let].text;
    return !run->scratch->lets[path->let].absent && text->len > 0;
  }
  bool several;
  const struct node *found = path_first(run, path, node, &several);
  return found != NULL && node_value(found, text) && memchr(text->data, '\0', text->len) == NULL;
}

/* Parts joined by '/'; within a part, '/' and '%' are written %2F and %25, so that different parts give other keys. */
static struct slice parts_join(struct arena *arena, const struct slice *parts, size_t count) {
  size_t len = 0;
  for (size_t i = 0; i < count; i++) {
    len += parts[i].len * 3 + 1;
  }
  char *bytes = arena_bytes(arena, len), *at = bytes;
  for (size_t i = 0; bytes != NULL && i < count; i++) {
    if (i > 0) {
      *at++ = '/';
    }
    for (size_t c = 0; c < parts[i].len; c++) {
      char byte = parts[i].data[c];
      if (byte == '/' || byte == '%') {
        memcpy(at, byte == '/' ? "%2F" : "%25", 3);
        at += 3;
      } else {
        *at++ = byte;
      }
    }
  }
  return slice_make(bytes, bytes == NULL ? 0 : (size_t)(at - bytes));
}

/* Empty where a part is missing. False: run->failed. */
bool key_read(struct run *run, const struct key_rule *rule, const struct node *node, struct slice *key) {
  struct slice parts[RULE_PATHS_MOST];
  *key = slice_of("");
  size_t len = 0;
  for (size_t i = 0; i < rule->count; i++) {
    if (!part_read(run, rule->paths[i], node, &parts[i])) {
      return true;
    }
    len += parts[i].len;
  }
  if (rule->count == 1 || len > KEY_BYTES_MOST) {
    *key = parts[0];
    key->len = rule->count == 1 ? parts[0].len : len;
    return true;
  }
  *key = parts_join(run->batch->arena, parts, rule->count);
  run->failed = key->data == NULL ? ERR_MEMORY : run->failed;
  return key->data != NULL;
}

static bool key_fits(struct run *run, const struct block *block, const struct key_rule *rule, struct slice key) {
  if (key.len > 0 && key.len <= KEY_BYTES_MOST) {
    return true;
  }
  const char *field = arena_printf(run->batch->arena, "%s.key", block == NULL ? "record" : block->name);
  if (field == NULL) {
    run->failed = ERR_MEMORY;
    return false;
  }
  (void)issue_add(run, ISSUE_ERROR, field, key.len == 0 ? "key_missing" : "key_too_long", rule->text, slice_of(""),
                  NULL, rule->line);
  return false;
}

/* The record's key, the rule's number where it is one of several, the position where the block goes through nodes. */
static bool default_key(struct run *run, const struct block *block, size_t position, struct slice *key) {
  *key = run->key;
  if (block->number == 0 && block->each == NULL) {
    return true;
  }
  char tail[48];
  int len = block->number == 0    ? snprintf(tail, sizeof tail, "/%zu", position)
            : block->each == NULL ? snprintf(tail, sizeof tail, "/%d", block->number)
                                  : snprintf(tail, sizeof tail, "/%d/%zu", block->number, position);
  char *bytes = arena_bytes(run->batch->arena, run->key.len + (size_t)len);
  if (bytes == NULL) {
    run->failed = ERR_MEMORY;
    return false;
  }
  memcpy(bytes, run->key.data, run->key.len);
  memcpy(bytes + run->key.len, tail, (size_t)len);
  *key = slice_make(bytes, run->key.len + (size_t)len);
  return true;
}

/* ---- rows ---- */

static bool rows_reserve(struct rows *rows) {
  if (rows->count < rows->capacity) {
    return true;
  }
  size_t capacity = rows->capacity == 0 ? 256 : rows->capacity * 2;
  void *heads = realloc(rows->heads, capacity * sizeof *rows->heads);
  if (heads == NULL) {
    return false;
  }
  rows->heads = heads;
  void *cells = realloc(rows->cells, capacity * rows->entity->column_count * sizeof *rows->cells);
  if (cells == NULL) {
    return false;
  }
  rows->cells = cells;
  rows->capacity = capacity;
  return true;
}

static struct cell *row_add(struct run *run, const struct entity *entity, struct slice key) {
  struct rows *rows = &run->batch->rows[entity->index];
  if (run->scratch->record_rows++ == RECORD_ROWS_MOST) {
    (void)issue_add(run, ISSUE_ERROR, "", "rows_limit", "", slice_of(""), NULL, 0);
    return NULL;
  }
  if (!rows_reserve(rows)) {
    run->failed = ERR_MEMORY;
    return NULL;
  }
  struct row_head *head = &rows->heads[rows->count];
  *head = (struct row_head){.record = run->record, .key = key, .case_key = {.data = ""}, .person_key = {.data = ""}};
  struct cell *cells = rows_cells(rows, rows->count++);
  memset(cells, 0, entity->column_count * sizeof *cells);
  return cells;
}

struct wanted_row {
  const struct rows *rows;
  size_t first;
  struct slice key;
  uint8_t entity;
};

/* Values of the key index hold the entity above the row's position in the record. */
static bool same_row(const void *context, uint32_t value) {
  const struct wanted_row *wanted = context;
  return value >> 24 == wanted->entity
         && slice_equal(wanted->rows->heads[wanted->first + (value & 0xFFFFFF)].key, wanted->key);
}

static bool row_index(struct run *run, const struct rows *rows, size_t first, size_t row) {
  struct slice key = rows->heads[row].key;
  uint32_t value = (uint32_t)rows->entity->index << 24 | (uint32_t)(row - first);
  if (!index_add(&run->scratch->keys, index_hash(key.data, key.len, rows->entity->index), value)) {
    run->failed = ERR_MEMORY;
    return false;
  }
  return true;
}

/* The earlier row of the record with the same key, or SIZE_MAX; notes the newest row. */
static size_t row_before(struct run *run, const struct rows *rows) {
  size_t first = run->scratch->first_row[rows->entity->index], row = rows->count - 1;
  struct slice key = rows->heads[row].key;
  if (row - first <= KEYS_SCANNED) {
    for (size_t i = first; i < row; i++) {
      if (slice_equal(rows->heads[i].key, key)) {
        return i;
      }
    }
  }
  for (size_t i = first; row - first == KEYS_SCANNED && i < row; i++) {
    if (!row_index(run, rows, first, i)) {
      return SIZE_MAX;
    }
  }
  if (row - first < KEYS_SCANNED) {
    return SIZE_MAX;
  }
  struct wanted_row wanted = {.rows = rows, .first = first, .key = key, .entity = rows->entity->index};
  uint32_t found =
      index_find(&run->scratch->keys, index_hash(key.data, key.len, rows->entity->index), same_row, &wanted);
  if (found != INDEX_NONE) {
    return first + (found & 0xFFFFFF);
  }
  (void)row_index(run, rows, first, row);
  return SIZE_MAX;
}

static bool cell_equal(const struct cell *a, const struct cell *b) {
  if (a->kind != b->kind) {
    return false;
  }
  if (a->kind == CELL_TEXT) {
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
  }
  return a->kind == CELL_NULL ? a->missing == b->missing : a->integer == b->integer;
}

static bool row_equal(const struct rows *rows, size_t a, size_t b) {
  const struct row_head *left = &rows->heads[a], *right = &rows->heads[b];
  bool equal = slice_equal(left->case_key, right->case_key) && slice_equal(left->person_key, right->person_key);
  for (size_t i = 0; equal && i < rows->entity->column_count; i++) {
    equal = cell_equal(&rows_cells(rows, a)[i], &rows_cells(rows, b)[i]);
  }
  return equal;
}

/* A row that repeats an equal one of its record is taken back; one that contradicts it is an error. */
static bool row_settle(struct run *run, struct rows *rows, const struct block *block) {
  size_t before = row_before(run, rows);
  if (before == SIZE_MAX) {
    return run->failed == OK;
  }
  if (!row_equal(rows, before, rows->count - 1)) {
    const char *field = arena_printf(run->batch->arena, "%s.key", rows->entity->name);
    return field != NULL
           && issue_add(run, ISSUE_ERROR, field, "key_repeated", block->key.text == NULL ? "" : block->key.text,
                        slice_of(""), NULL, block->line);
  }
  rows->count--;
  return true;
}

/* ---- blocks ---- */

static bool reference_read(struct run *run, const struct key_rule *rule, const struct anchors *anchors,
                           const struct node *node, struct slice *key) {
  if (rule->count == 0) {
    *key = anchors_enclosing(anchors, node);
    return true;
  }
  return key_read(run, rule, node, key) && (key->len <= KEY_BYTES_MOST || key_fits(run, NULL, rule, *key));
}

static bool row_refer(struct run *run, const struct block *block, const struct node *node, struct row_head *head) {
  if (block->entity->has_case && !reference_read(run, &block->case_key, &run->scratch->cases, node, &head->case_key)) {
    return false;
  }
  if (block->entity->has_person
      && !reference_read(run, &block->person_key, &run->scratch->persons, node, &head->person_key)) {
    return false;
  }
  if (block->needs_reference && head->case_key.len == 0 && head->person_key.len == 0) {
    const char *field = arena_printf(run->batch->arena, "%s.case", block->name);
    return field != NULL
           && issue_add(run, ISSUE_ERROR, field, "reference_missing", "", slice_of(""), NULL, block->line);
  }
  return true;
}

/* Case (unless the person's key begins with it), person and role, joined by '/'. */
static struct slice involvement_key(struct run *run, const struct row_head *person, const struct cell *role) {
  struct slice owner = person->case_key, key = person->key;
  bool within = owner.len > 0 && key.len > owner.len && memcmp(key.data, owner.data, owner.len) == 0
                && key.data[owner.len] == '/';
  size_t role_len = role != NULL && role->kind == CELL_TEXT ? role->len : 0;
  char *bytes = arena_bytes(run->batch->arena, owner.len + key.len + role_len + 2), *at = bytes;
  if (bytes == NULL) {
    run->failed = ERR_MEMORY;
    return slice_of("");
  }
  if (owner.len > 0 && !within) {
    memcpy(at, owner.data, owner.len);
    at += owner.len;
    *at++ = '/';
  }
  memcpy(at, key.data, key.len);
  at += key.len;
  if (role_len > 0) {
    *at++ = '/';
    memcpy(at, role->text, role_len);
    at += role_len;
  }
  return slice_make(bytes, (size_t)(at - bytes));
}

static bool involvement_make(struct run *run, const struct block *block, const struct node *node,
                             const struct row_head *person) {
  struct cell *cells = row_add(run, block->involvement, person->key);
  if (cells == NULL || !rules_apply(run, &block->involvement_fields, node, cells)) {
    return false;
  }
  struct rows *rows = &run->batch->rows[block->involvement->index];
  struct row_head *head = &rows->heads[rows->count - 1];
  head->case_key = person->case_key;
  head->person_key = person->key;
  head->key = involvement_key(run, person, block->role_column < 0 ? NULL : &cells[block->role_column]);
  return run->failed == OK && row_settle(run, rows, block);
}

static bool row_key(struct run *run, const struct block *block, const struct node *node, size_t position,
                    struct slice *key) {
  if (block->key.count == 0) {
    return default_key(run, block, position, key);
  }
  return key_read(run, &block->key, node, key) && key_fits(run, block, &block->key, *key);
}

/* False: the record goes no further (run->failed, or an error that takes its rows back). */
static bool row_make(struct run *run, const struct block *block, const struct node *node, size_t position) {
  if (!rules_apply(run, &block->lets, node, NULL)) {
    return false;
  }
  if (block->when != NULL && !condition_holds(run, block->when, node)) {
    return run->failed == OK;
  }
  struct slice key;
  if (!row_key(run, block, node, position, &key)) {
    return false;
  }
  run->row_key = key;
  struct cell *cells = row_add(run, block->entity, key);
  if (cells == NULL || !rules_apply(run, &block->fields, node, cells)) {
    return false;
  }
  struct rows *rows = &run->batch->rows[block->entity->index];
  struct row_head *kept = &rows->heads[rows->count - 1];
  if (!row_refer(run, block, node, kept)) {
    return false;
  }
  struct row_head head = *kept;
  if (!row_settle(run, rows, block)) {
    return false;
  }
  const struct plan *plan = run->plan;
  struct anchors *anchors = block->entity == plan->case_entity     ? &run->scratch->cases
                            : block->entity == plan->person_entity ? &run->scratch->persons
                                                                   : NULL;
  if (anchors != NULL && !anchors_add(anchors, node, key)) {
    run->failed = ERR_MEMORY;
    return false;
  }
  return block->involvement == NULL || involvement_make(run, block, node, &head);
}

static bool block_apply(struct run *run, const struct block *block) {
  if (block->each == NULL) {
    return row_make(run, block, run->root, 1);
  }
  struct plan_scratch *scratch = run->scratch;
  size_t before = scratch->node_count;
  bool fine = path_all(run, block->each, run->root);
  size_t count = scratch->node_count - before;
  for (size_t i = 0; fine && i < count; i++) {
    fine = row_make(run, block, scratch->nodes[before + i], i + 1);
  }
  scratch->node_count = before;
  return fine;
}

/* ---- records ---- */

static bool run_begin(struct run *run, const struct plan *plan, struct batch *batch, const struct node *root,
                      uint32_t record) {
  *run = (struct run){
      .plan = plan, .batch = batch, .scratch = batch->scratch, .root = root, .record = record, .key = {.data = ""}};
  struct plan_scratch *scratch = batch->scratch;
  if (!scratch_bind(scratch, plan)) {
    run->failed = ERR_MEMORY;
    return false;
  }
  scratch->node_count = 0;
  scratch->record_rows = 0;
  scratch->first_issue = batch->issue_count;
  anchors_clear(&scratch->cases);
  anchors_clear(&scratch->persons);
  if (scratch->keys.count > 0) {
    index_clear(&scratch->keys);
  }
  for (size_t i = 0; i < plan->model->entity_count; i++) {
    scratch->first_row[i] = batch->rows[i].count;
  }
  return true;
}

static bool record_key_read(struct run *run) {
  return key_read(run, &run->plan->key, run->root, &run->key) && key_fits(run, NULL, &run->plan->key, run->key);
}

static void rows_take_back(struct run *run) {
  for (size_t i = 0; i < run->plan->model->entity_count; i++) {
    run->batch->rows[i].count = run->scratch->first_row[i];
  }
}

static bool holds(struct run *run, const struct condition *condition) {
  return condition != NULL && condition_holds(run, condition, run->root);
}

static enum outcome record_map(struct run *run) {
  const struct plan *plan = run->plan;
  if (!rules_apply(run, &plan->lets, run->root, NULL)) {
    return OUTCOME_QUARANTINED;
  }
  if (holds(run, plan->refuse)) {
    return OUTCOME_REFUSED;
  }
  if (run->failed == OK && holds(run, plan->withhold)) {
    return OUTCOME_WITHHELD;
  }
  bool fine = run->failed == OK && record_key_read(run);
  for (size_t i = 0; fine && i < plan->block_count; i++) {
    fine = block_apply(run, plan->blocks[i]);
  }
  if (fine && !run->quarantined) {
    return OUTCOME_MAPPED;
  }
  if (run->batch->losing != NULL) {
    run->batch->losing(run->batch->losing_context, run->batch, run->record, fine);
  }
  rows_take_back(run);
  return OUTCOME_QUARANTINED;
}

static enum status run_status(struct run *run, struct error *error) {
  if (run->failed == ERR_LIMIT) {
    /* Too many nodes for one record is the record's fault, not the program's. */
    run->failed = OK;
    (void)issue_add(run, ISSUE_ERROR, "", "rows_limit", "", slice_of(""), NULL, 0);
  }
  return run->failed == OK ? OK : run->failed == ERR_MEMORY ? error_memory(error) : run->failed;
}

enum status plan_apply(const struct plan *plan, struct batch *batch, const struct node *root, uint32_t record,
                       enum outcome *outcome, struct error *error) {
  struct run run;
  if (!run_begin(&run, plan, batch, root, record)) {
    return error_memory(error);
  }
  *outcome = record_map(&run);
  return run_status(&run, error);
}

enum status plan_key(const struct plan *plan, struct batch *batch, const struct node *record, struct slice *key,
                     struct error *error) {
  struct run run;
  bool read = run_begin(&run, plan, batch, record, 0) && rules_apply(&run, &plan->lets, record, NULL)
              && key_read(&run, &plan->key, record, key);
  batch->issue_count = batch->scratch->first_issue;
  if (!read) {
    return error_memory(error);
  }
  if (key->len == 0 || key->len > KEY_BYTES_MOST) {
    const char *reason = key->len == 0 ? "key_missing" : "key_too_long";
    error_set(error, ERR_INPUT, key->len == 0 ? _("the record has no key") : _("the record's key is too long"));
    error_place(error, "%s", plan->key.text);
    error_hint(error, "%s", issue_hint(reason));
    return ERR_INPUT;
  }
  return OK;
}

static bool record_condition(const struct plan *plan, struct batch *batch, const struct node *record,
                             const struct condition *condition) {
  struct run run;
  if (condition == NULL || !run_begin(&run, plan, batch, record, 0)) {
    return false;
  }
  bool holds_here = rules_apply(&run, &plan->lets, record, NULL) && condition_holds(&run, condition, record);
  batch->issue_count = batch->scratch->first_issue;
  return holds_here;
}

bool plan_refuses(const struct plan *plan, struct batch *batch, const struct node *record) {
  return record_condition(plan, batch, record, plan->refuse);
}

bool plan_deletes(const struct plan *plan, struct batch *batch, const struct node *record) {
  return record_condition(plan, batch, record, plan->deleted);
}

enum status plan_trace(const struct plan *plan, struct batch *batch, const struct node *root,
                       enum status (*step)(void *context, const struct trace_step *step), void *context,
                       struct error *error) {
  struct plan_scratch *scratch = batch->scratch;
  enum outcome outcome;
  scratch->trace = step;
  scratch->trace_context = context;
  scratch->trace_status = OK;
  enum status status = plan_apply(plan, batch, root, 0, &outcome, error);
  scratch->trace = NULL;
  if (scratch->trace_status == OK || scratch->trace_status == ERR_MEMORY) {
    return status;
  }
  return error_set(error, scratch->trace_status, "%s", _("the trace was stopped"));
}
