/* Decisions of the store against what the log says of each before and after (core/audit/state.h). */
#include "core/audit/state.h"
#include "core/service/proof_parts.h"

#include <stdio.h>

enum { PLACE_SIZE = 160 };

struct decision_logged {
  int64_t id, sequence;       /* of the last entry that names it */
  char after[STATE_TEXT + 1]; /* "": entries of before this was told */
  bool seen;
};

struct proof_decisions {
  struct map *positions; /* by number */
  struct decision_logged *items;
  size_t count, capacity;
  int64_t broken_entry, broken_id; /* the first entry whose `before` is not what the one before it left */
};

static struct slice key_of(const int64_t *id) {
  return slice_make((const char *)id, sizeof *id);
}

static struct decision_logged *find(const struct proof_decisions *decisions, int64_t id) {
  uint32_t at = map_get(decisions->positions, key_of(&id));
  return at == MAP_NONE ? NULL : &decisions->items[at];
}

/* NULL: memory is short. */
static struct decision_logged *find_or_add(struct proof *proof, int64_t id) {
  struct proof_decisions *decisions = proof->decisions;
  struct decision_logged *found = find(decisions, id);
  if (found != NULL) {
    return found;
  }
  if (decisions->count == decisions->capacity) {
    size_t capacity = decisions->capacity == 0 ? 64 : 2 * decisions->capacity;
    struct decision_logged *more = arena_array(proof->arena, capacity, sizeof *more);
    if (more == NULL) {
      return NULL;
    }
    if (decisions->count > 0) {
      memcpy(more, decisions->items, decisions->count * sizeof *more);
    }
    decisions->items = more;
    decisions->capacity = capacity;
  }
  if (map_put(decisions->positions, key_of(&id), (uint32_t)decisions->count) != OK) {
    return NULL;
  }
  found = &decisions->items[decisions->count++];
  *found = (struct decision_logged){.id = id};
  return found;
}

static const char *digest_of(const json_t *pair) {
  const char *digest = json_string_value(json_array_get(pair, 1));
  return digest == NULL ? "" : digest;
}

bool proof_take_review(struct proof *proof, const struct audit_row *row, const json_t *body) {
  size_t i;
  const json_t *pair;
  if (proof->decisions == NULL) {
    proof->decisions = arena_alloc(proof->arena, sizeof *proof->decisions);
    if (proof->decisions == NULL || (proof->decisions->positions = map_new()) == NULL) {
      return false;
    }
  }
  struct decision_logged *decided = find_or_add(proof, json_integer_value(json_object_get(body, "decision")));
  if (decided == NULL) {
    return false;
  }
  decided->sequence = row->sequence;
  json_array_foreach(json_object_get(body, "before"), i, pair) {
    int64_t id = json_integer_value(json_array_get(pair, 0));
    const struct decision_logged *item = find(proof->decisions, id);
    bool told = item != NULL && item->after[0] != '\0';
    if (told && strcmp(item->after, digest_of(pair)) != 0 && proof->decisions->broken_entry == 0) {
      proof->decisions->broken_entry = row->sequence;
      proof->decisions->broken_id = id;
    }
  }
  json_array_foreach(json_object_get(body, "after"), i, pair) {
    struct decision_logged *item = find_or_add(proof, json_integer_value(json_array_get(pair, 0)));
    if (item == NULL) {
      return false;
    }
    item->sequence = row->sequence;
    snprintf(item->after, sizeof item->after, "%s", digest_of(pair));
  }
  return true;
}

struct looking {
  struct proof *proof;
  struct proof_fault *fault;
  struct state state;
  enum cluster_kind kind;
};

static enum status look(void *context, const struct review_decision *decision, struct error *error) {
  struct looking *looking = context;
  struct decision_logged *item =
      looking->proof->decisions == NULL ? NULL : find(looking->proof->decisions, decision->id);
  char place[PLACE_SIZE], digest[STATE_TEXT + 1];
  state_decision(&looking->state, looking->kind, decision);
  enum status status = state_digest(&looking->state, digest, error);
  if (status != OK) {
    return status;
  }
  snprintf(place, sizeof place, _("decision %lld about a pair"), (long long)decision->id);
  if (item == NULL) {
    proof_wrong(looking->fault, place, "%s", _("no entry of the log covers it"));
    return OK;
  }
  item->seen = true;
  if (item->after[0] != '\0' && strcmp(item->after, digest) != 0) {
    proof_wrong(looking->fault, place, _("it is not what entry %lld of the log left"), (long long)item->sequence);
  }
  return OK;
}

/* Entries whose decisions are gone, or that found another state than the entry before left. */
static void look_at_entries(const struct proof_decisions *decisions, struct proof_fault *fault) {
  char place[PLACE_SIZE];
  if (decisions->broken_entry != 0) {
    snprintf(place, sizeof place, _("entry %lld of the log"), (long long)decisions->broken_entry);
    proof_wrong(fault, place, _("it found decision %lld changed since the entry before"),
                (long long)decisions->broken_id);
  }
  for (size_t i = 0; i < decisions->count; i++) {
    if (!decisions->items[i].seen) {
      snprintf(place, sizeof place, _("entry %lld of the log"), (long long)decisions->items[i].sequence);
      proof_wrong(fault, place, _("decision %lld is not in the store any more"), (long long)decisions->items[i].id);
    }
  }
}

enum status proof_reviews(struct proof *proof, struct proof_fault *fault, struct error *error) {
  struct looking looking = {.proof = proof, .fault = fault};
  if (proof->workspace->key == NULL) {
    return OK; /* keyed digests cannot be made again, as those of bytes cannot */
  }
  enum status status = state_init(&looking.state, proof->workspace->key, error);
  for (int kind = CLUSTER_PERSON; kind <= CLUSTER_CASE && status == OK; kind++) {
    looking.kind = (enum cluster_kind)kind;
    status = store_visit_all_decisions(proof->workspace->store, looking.kind, look, &looking, error);
  }
  if (status == OK && proof->decisions != NULL) {
    look_at_entries(proof->decisions, fault);
  }
  state_free(&looking.state);
  return status;
}

void proof_reviews_free(struct proof *proof) {
  if (proof->decisions != NULL) {
    map_free(proof->decisions->positions);
  }
}
