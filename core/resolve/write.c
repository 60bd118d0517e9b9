#include "core/resolve/write.h"

#include "core/audit/audit.h"
#include "core/resolve/encoded.h"
#include "core/resolve/history.h"

#include <stdlib.h>

enum { BATCH_MOST = 512 };

/* ---- pairs ---- */

struct giving {
  const struct writing *writing;
  const struct link_result *linked;
  size_t at;
};

static bool give_pair(void *context, struct link_pair_row *out) {
  struct giving *giving = context;
  const struct writing *w = giving->writing;
  if (giving->at == giving->linked->pair_count) {
    return false;
  }
  const struct link_pair *pair = &giving->linked->pairs[giving->at++];
  int64_t a = w->rows->row_id[pair->a];
  int64_t b = w->rows->row_id[pair->b];
  *out = (struct link_pair_row){
      .row_a = a < b ? a : b,
      .row_b = a < b ? b : a,
      .weight = (double)pair->weight,
      .rule = pair->reason == REASON_ENCODING ? ENCODED_RULE
              : pair->block == LINK_NO_RULE   ? NULL
                                              : link_plan_block(w->plan, pair->block),
      .verdict = pair->verdict == LINK_NO_RULE ? NULL : link_plan_rule(w->plan, pair->verdict),
      .outcome = pair->outcome,
      .reason = link_reason_name((enum link_reason)pair->reason),
  };
  return true;
}

/* ---- consolidated rows ---- */

struct place {
  int64_t id, row_id;
  uint32_t row;
};

static int by_id(const void *a, const void *b) {
  const struct place *x = a;
  const struct place *y = b;
  if (x->id != y->id) {
    return x->id < y->id ? -1 : 1;
  }
  return (x->row_id > y->row_id) - (x->row_id < y->row_id);
}

/* One consolidated row from the run of places that begins at `places`. */
static enum status consolidate_one(const struct writing *w, const struct place *places, size_t count,
                                   struct consolidated *out) {
  uint32_t *members = arena_array(w->arena, count, sizeof *members);
  if (members == NULL) {
    return error_memory(w->error);
  }
  for (size_t i = 0; i < count; i++) {
    members[i] = places[i].row;
  }
  out->id = places[0].id;
  return survive(w->rules, w->rows, w->precedence, w->succession, members, count, w->arena, out, w->error);
}

static enum status consolidate(const struct writing *w, struct place *places) {
  struct consolidated batch[BATCH_MOST];
  size_t filled = 0;
  enum status status = OK;
  for (size_t i = 0; status == OK && i < w->rows->count;) {
    size_t length = 1;
    while (i + length < w->rows->count && places[i + length].id == places[i].id) {
      length++;
    }
    status = consolidate_one(w, places + i, length, &batch[filled++]);
    i += length;
    if (status == OK && (filled == BATCH_MOST || i == w->rows->count)) {
      status = store_write_consolidated(w->store, w->kind, w->run, batch, filled, w->error);
      filled = 0;
      arena_reset(w->arena);
      progress_step(w->progress, _("consolidating"), (int64_t)i, (int64_t)w->rows->count);
    }
  }
  return status;
}

static enum status write_consolidated(const struct writing *w, const int64_t *ids) {
  if (w->rows->count == 0) {
    return OK;
  }
  struct place *places = malloc(w->rows->count * sizeof *places);
  if (places == NULL) {
    return error_memory(w->error);
  }
  for (uint32_t i = 0; i < w->rows->count; i++) {
    places[i] = (struct place){.id = ids[i], .row_id = w->rows->row_id[i], .row = i};
  }
  qsort(places, w->rows->count, sizeof *places, by_id);
  enum status status = consolidate(w, places);
  free(places);
  return status;
}

/* ---- memberships ---- */

static enum status write_history(const struct writing *w, const struct history *history) {
  enum status status = store_write_members(w->store, w->kind, w->run, history->closed, history->closed_count,
                                           history->opened, history->opened_count, w->error);
  for (size_t i = 0; i < history->closed_count; i++) {
    merkle_add_membership(w->outcomes, w->kind, history->closed[i], 0);
  }
  for (size_t i = 0; i < history->opened_count; i++) {
    merkle_add_membership(w->outcomes, w->kind, history->opened[i].row_id, history->opened[i].id);
  }
  if (status == OK && history->redirect_count > 0) {
    status = store_write_redirects(w->store, w->kind, w->run, history->redirects, history->redirect_count, w->error);
  }
  return status;
}

/* ---- rows that no linking can join ---- */

static enum status write_unlinkable(const struct writing *w, const struct link_result *linked) {
  struct row_set alone = {0};
  enum status status = OK;
  for (size_t i = 0; status == OK && i < w->rows->count; i++) {
    status = linked->alone[i] != 0 ? row_set_add(&alone, w->rows->row_id[i], w->error) : OK;
  }
  if (status == OK) {
    status = store_replace_unlinkable(w->store, w->kind, w->among == NULL ? NULL : w->among->ids,
                                      w->among == NULL ? 0 : w->among->count, alone.ids, alone.count, w->error);
  }
  row_set_free(&alone);
  return status;
}

enum status write_linked(const struct writing *w, const struct link_result *linked, struct resolve_counts *counts) {
  struct history history = {0};
  struct giving giving = {.writing = w, .linked = linked};
  counts->rows = (int64_t)w->rows->count;
  counts->clusters = (int64_t)linked->cluster_count;
  counts->accepted = (int64_t)linked->cluster_count_accepted;
  counts->pairs = (int64_t)linked->pair_count;
  counts->waiting = (int64_t)linked->waiting;
  counts->unlinkable = (int64_t)linked->unlinkable;
  enum status status =
      history_decide(w->store, w->kind, w->rows, w->among, linked->cluster, &history, counts, w->error);
  status = status == OK ? write_history(w, &history) : status;
  status = status == OK ? write_consolidated(w, history.id) : status;
  if (status == OK) {
    status = store_replace_pairs(w->store, w->kind, w->run, w->among == NULL ? NULL : w->among->ids,
                                 w->among == NULL ? 0 : w->among->count, give_pair, &giving, w->error);
  }
  status = status == OK ? write_unlinkable(w, linked) : status;
  history_free(&history);
  return status;
}
