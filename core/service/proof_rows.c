#include "core/service/explain.h"
#include "core/service/proof_parts.h"
#include "core/sync/encode.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAPPING_LIMIT = 4 << 20, BATCH_BYTES = 8 << 20, PLACE_SIZE = 160, PLAN_DIGITS = 12 };

/* ---- plans ---- */

enum status lineage_plan_check(struct proof *proof, struct known_plan *plan, struct proof_fault *fault,
                               struct error *error) {
  char place[PLACE_SIZE], hex[2 * SHA256_SIZE + 1];
  struct buffer text;
  struct error mistake;
  if (plan->tried) {
    return OK;
  }
  plan->tried = true;
  buffer_init(&text, MAPPING_LIMIT);
  enum status status = store_plan_text(proof->workspace->store, plan->id, &text, error);
  if (status == OK) {
    struct sha256 digest = sha256_of(buffer_view(&text));
    hex_format(digest.bytes, SHA256_SIZE, hex);
    snprintf(place, sizeof place, _("plan %.12s of %s"), plan->digest, plan->source);
    if (plan->mapping[0] != '\0' && strcmp(hex, plan->mapping) != 0) {
      proof_wrong(fault, place, _("the text of the mapping was changed after entry %lld of the log noted its digest"),
                  (long long)plan->entry);
    } else if (plan->logged[0] != '\0' && strcmp(plan->digest, plan->logged) != 0) {
      proof_wrong(fault, place, _("its digest is not the one that entry %lld of the log noted"),
                  (long long)plan->entry);
    }
    status = plan_parse("mapping", buffer_view(&text), proof->workspace->model, proof->workspace->lists, &plan->plan,
                        NULL, &mistake);
    if (status != OK) {
      plan->plan = NULL;
      status = status == ERR_MEMORY ? error_memory(error) : OK;
    }
  }
  if (plan->plan != NULL) {
    struct sha256 digest = plan_digest(plan->plan);
    plan->exact = memcmp(digest.bytes, plan->bytes.bytes, SHA256_SIZE) == 0;
  }
  buffer_free(&text);
  return status;
}

/* ---- a batch of versions, mapped again ---- */

struct remade {
  int64_t raw_id, record_id;
  bool maps; /* its rows are in the batch */
  size_t staged, equal, made;
};

struct sweep {
  struct proof *proof;
  struct proof_counts *counts;
  struct proof_fault *fault;
  struct known_plan *plan;
  const struct entity *entity; /* while rows are compared */
  struct remade items[LINEAGE_BATCH];
  int64_t records[LINEAGE_BATCH];
  size_t count, bytes;
  int64_t chunk_id; /* of the last version */
};

static void place_of(const struct sweep *sweep, const struct remade *item, char place[PLACE_SIZE]) {
  snprintf(place, PLACE_SIZE, _("record %lld (version %lld) of %s"), (long long)item->record_id,
           (long long)item->raw_id, proof_code(sweep->proof->workspace, source_of_record(item->record_id)));
}

/* What differs is a fault only where today's code lists, model and program are those of then. */
static bool blame(struct sweep *sweep) {
  if (!sweep->plan->exact) {
    sweep->counts->unsure++;
  }
  return sweep->plan->exact;
}

static int by_record(const void *a, const void *b) {
  int64_t left = ((const struct remade *)a)->record_id, right = ((const struct remade *)b)->record_id;
  return left < right ? -1 : left > right;
}

static size_t find_made(const struct rows *made, size_t record, struct slice key) {
  size_t low = 0, high = made->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (made->heads[middle].record < record) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  while (low < made->count && made->heads[low].record == record && !slice_equal(made->heads[low].key, key)) {
    low++;
  }
  return low < made->count && made->heads[low].record == record ? low : made->count;
}

static void compare_made(struct sweep *sweep, const struct remade *item, const struct row *row, size_t at) {
  const struct rows *made = &sweep->proof->batch.rows[sweep->entity->index];
  char place[PLACE_SIZE];
  const char *wrong = NULL;
  for (size_t c = 0; c < sweep->entity->column_count && wrong == NULL; c++) {
    bool read = sweep->entity->columns[c].field->type != FIELD_ENCODING; /* linking alone reads it */
    if (read && !explain_same_cell(&rows_cells(made, at)[c], &row->cells[c])) {
      wrong = sweep->entity->columns[c].name;
    }
  }
  if (wrong == NULL && !slice_equal(made->heads[at].case_key, row->case_key)) {
    wrong = "case_key";
  }
  if (wrong == NULL && !slice_equal(made->heads[at].person_key, row->person_key)) {
    wrong = "person_key";
  }
  if (wrong != NULL && blame(sweep)) {
    place_of(sweep, item, place);
    proof_wrong(sweep->fault, place, _("%s of the %s in row %lld is not what plan %.*s makes of the landed bytes"),
                wrong, sweep->entity->name, (long long)row->row_id, PLAN_DIGITS, sweep->plan->digest);
  }
}

static enum status take_row(void *context, const struct row *row, struct error *error) {
  struct sweep *sweep = context;
  const struct remade wanted = {.record_id = record_of(row->row_id)};
  struct remade *item = bsearch(&wanted, sweep->items, sweep->count, sizeof *sweep->items, by_record);
  char place[PLACE_SIZE];
  (void)error;
  if (item == NULL) {
    return OK;
  }
  const struct rows *made = &sweep->proof->batch.rows[sweep->entity->index];
  size_t at = item->maps ? find_made(made, (size_t)(item - sweep->items), row->key) : made->count;
  sweep->counts->rows++;
  item->staged++;
  if (at < made->count) {
    compare_made(sweep, item, row, at);
  } else if (blame(sweep)) {
    place_of(sweep, item, place);
    proof_wrong(sweep->fault, place, _("the %s in row %lld is not made by plan %.*s of the landed bytes"),
                sweep->entity->name, (long long)row->row_id, PLAN_DIGITS, sweep->plan->digest);
  }
  return OK;
}

static void count_made(struct sweep *sweep, const struct rows *made) {
  for (size_t i = 0; i < made->count; i++) {
    sweep->items[made->heads[i].record].made++;
  }
}

static enum status flush(struct sweep *sweep, struct error *error) {
  const struct model *model = sweep->proof->workspace->model;
  char place[PLACE_SIZE];
  enum status status = OK;
  for (size_t e = 0; e < model->entity_count && status == OK && sweep->count > 0; e++) {
    const struct row_filter filter = {.identity = true, .records = sweep->records, .count = sweep->count};
    sweep->entity = &model->entities[e];
    status = store_visit_rows(sweep->proof->workspace->store, sweep->entity, &filter, take_row, sweep, error);
    count_made(sweep, &sweep->proof->batch.rows[sweep->entity->index]);
  }
  for (size_t i = 0; i < sweep->count && status == OK; i++) {
    const struct remade *item = &sweep->items[i];
    if (item->maps && item->staged < item->made && blame(sweep)) {
      place_of(sweep, item, place);
      proof_wrong(sweep->fault, place, _("plan %.*s makes %zu rows of the landed bytes, %zu are staged"), PLAN_DIGITS,
                  sweep->plan->digest, item->made, item->staged);
    }
  }
  if (sweep->proof->batch_made) {
    batch_reset(&sweep->proof->batch);
  }
  sweep->count = 0;
  sweep->bytes = 0;
  return status;
}

/* Maps again; what cannot be read any more stays without rows, as it did when it was landed. */
static enum status map_again(struct sweep *sweep, const struct raw_version *version, struct remade *item,
                             struct error *error) {
  struct batch *batch = &sweep->proof->batch;
  const struct format *format = format_find(version->format);
  struct decoder *decoder = NULL;
  struct node *root = NULL;
  struct error broken;
  enum outcome outcome = OUTCOME_QUARANTINED;
  char place[PLACE_SIZE];
  if (format == NULL) {
    return error_set(error, ERR_STORE, _("landed bytes of unknown format %s"), version->format);
  }
  struct slice bytes = arena_copy(batch->arena, encoded_record(version->bytes));
  if (bytes.data == NULL) {
    return error_memory(error);
  }
  enum status status = format->decoder_new(version->context, &decoder, &broken);
  status = status == OK ? format->parse(decoder, bytes, batch->arena, &root, &broken) : status;
  if (status == OK) {
    status = plan_apply(sweep->plan->plan, batch, root, (uint32_t)(item - sweep->items), &outcome, error);
  } else if (status == ERR_MEMORY) {
    *error = broken;
  } else {
    status = OK;
  }
  if (decoder != NULL) {
    format->decoder_free(decoder);
  }
  item->maps = version->state == RECORD_MAPPED && outcome == OUTCOME_MAPPED;
  bool other = (version->state == RECORD_MAPPED && outcome != OUTCOME_MAPPED)
               || (version->state == RECORD_WITHHELD && outcome != OUTCOME_WITHHELD);
  if (status == OK && other && blame(sweep)) {
    place_of(sweep, item, place);
    proof_wrong(sweep->fault, place, _("its outcome is not the one that plan %.*s comes to"), PLAN_DIGITS,
                sweep->plan->digest);
  }
  return status;
}

static enum status take_plan(struct sweep *sweep, int64_t plan_id, struct error *error) {
  struct known_plan *plan = proof_plan(sweep->proof, plan_id);
  enum status status = flush(sweep, error);
  sweep->plan = plan;
  if (status == OK && plan != NULL) {
    status = lineage_plan_check(sweep->proof, plan, sweep->fault, error);
  }
  return status;
}

static enum status take_version(void *context, const struct raw_version *version, struct error *error) {
  struct sweep *sweep = context;
  struct remade *item = &sweep->items[sweep->count];
  char place[PLACE_SIZE];
  enum status status = OK;
  sweep->chunk_id = version->chunk_id;
  if (version->bytes.len == 0) {
    sweep->counts->empty++;
    return OK;
  }
  if (sweep->count == LINEAGE_BATCH || sweep->bytes > BATCH_BYTES || sweep->plan == NULL
      || sweep->plan->id != version->plan_id) {
    status = take_plan(sweep, version->plan_id, error);
    item = &sweep->items[0];
  }
  if (status != OK) {
    return status;
  }
  *item = (struct remade){.raw_id = version->raw_id, .record_id = record_of(version->raw_id)};
  sweep->counts->versions++;
  place_of(sweep, item, place);
  struct keyed_digest digest = subkey_digest(&sweep->proof->record_key, version->bytes);
  if (memcmp(digest.bytes, version->digest.bytes, KEYED_SIZE) != 0) {
    proof_wrong(sweep->fault, place, "%s", _("its bytes are not those that were landed: their digest is another one"));
    return OK;
  }
  if (sweep->plan == NULL) {
    proof_wrong(sweep->fault, place, _("the store has no plan %lld"), (long long)version->plan_id);
    return OK;
  }
  if (sweep->plan->plan == NULL) {
    sweep->counts->unsure++;
    return OK;
  }
  status = map_again(sweep, version, item, error);
  sweep->records[sweep->count++] = item->record_id;
  sweep->bytes += version->bytes.len;
  return status;
}

static enum status begin(struct proof *proof, struct sweep **sweep, struct error *error) {
  *sweep = calloc(1, sizeof **sweep);
  enum status status = *sweep == NULL ? error_memory(error) : OK;
  if (status == OK && !proof->batch_made) {
    status = batch_init(&proof->batch, proof->workspace->model, error);
    proof->batch_made = status == OK;
  }
  return status;
}

enum status proof_rows(struct proof *proof, int source_id, struct proof_counts *counts, struct proof_fault *fault,
                       struct error *error) {
  struct sweep *sweep;
  enum status status = begin(proof, &sweep, error);
  if (status == OK) {
    *sweep = (struct sweep){.proof = proof, .counts = counts, .fault = fault};
    status = store_visit_raw(proof->workspace->store, source_id, -1, 0, 0, take_version, sweep, error);
  }
  status = status == OK ? flush(sweep, error) : status;
  free(sweep);
  return status;
}

enum status lineage_version(struct proof *proof, int64_t raw_id, int64_t *chunk_id, struct proof_counts *counts,
                            struct proof_fault *fault, struct error *error) {
  struct sweep *sweep;
  enum status status = begin(proof, &sweep, error);
  if (status == OK) {
    *sweep = (struct sweep){.proof = proof, .counts = counts, .fault = fault};
    status = store_raw(proof->workspace->store, raw_id, take_version, sweep, error);
  }
  if (status == OK) {
    *chunk_id = sweep->chunk_id;
    status = flush(sweep, error);
  }
  free(sweep);
  return status;
}
