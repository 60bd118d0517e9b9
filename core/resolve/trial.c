/* Proposed weights tried on all rows, in memory. */
#include "core/resolve/encoded.h"
#include "core/resolve/resolver.h"
#include "core/resolve/weights.h"

static enum status link_once(struct resolver *r) {
  enum status status = twopass_run(&r->twopass, r->error);
  return status == OK ? encoded_pairs(r->store, &r->twopass.persons, r->error) : status;
}

static bool is_before(const struct link_pair *x, const struct link_pair *y) {
  return x->a != y->a ? x->a < y->a : x->b < y->b;
}

/* Both are in the order of their records; what one of them did not keep is apart there. */
static void compare(const struct link_result *now, const struct link_result *then, struct weights_effect *effect) {
  size_t i = 0, j = 0;
  while (i < now->pair_count || j < then->pair_count) {
    const struct link_pair *left = i < now->pair_count ? &now->pairs[i] : NULL;
    const struct link_pair *right = j < then->pair_count ? &then->pairs[j] : NULL;
    bool from = left != NULL && (right == NULL || !is_before(right, left));
    bool to = right != NULL && (left == NULL || !is_before(left, right));
    effect->pairs[from ? left->outcome : PAIR_APART][to ? right->outcome : PAIR_APART]++;
    i += from;
    j += to;
  }
  effect->now = (int64_t)now->cluster_count;
  effect->then = (int64_t)then->cluster_count;
}

/* The linking by what acts, put aside; the sides take the proposed models. */
static enum status link_acting(struct resolver *r, const struct sha256 proposed[2], struct link_result kept[2],
                               bool *acts) {
  struct twopass *t = &r->twopass;
  struct twopass_side *const sides[2] = {[CLUSTER_PERSON] = &t->persons, [CLUSTER_CASE] = &t->cases};
  struct link_model *models[2] = {NULL, NULL};
  struct sha256 digests[2];
  const char *why = NULL;
  bool approved = false;
  enum status status = learned_acting(r->store, r->policy, models, digests, &approved, &why, r->error);
  t->persons.model = models[CLUSTER_PERSON];
  t->cases.model = models[CLUSTER_CASE];
  *acts = resolver_acts(r);
  status = status == OK && *acts ? link_once(r) : status;
  for (int kind = 0; kind < 2; kind++) {
    kept[kind] = sides[kind]->result;
    link_result_free(&sides[kind]->early);
    sides[kind]->result = sides[kind]->early = (struct link_result){0};
  }
  resolver_forget(r);
  for (int kind = 0; kind < 2 && status == OK; kind++) {
    status = learned_of(r->store, r->policy, (enum cluster_kind)kind, &proposed[kind], &sides[kind]->model, r->error);
  }
  return status;
}

static enum status try_both(struct resolver *r, const struct sha256 proposed[2], struct weights_effect effects[2]) {
  struct link_result kept[2] = {{0}, {0}};
  bool acts = false;
  enum status status = resolver_open(r);
  status = status == OK ? resolver_rows(r) : status;
  status = status == OK ? link_acting(r, proposed, kept, &acts) : status;
  status = status == OK ? link_once(r) : status;
  for (int kind = 0; kind < 2; kind++) {
    const struct twopass_side *side = kind == CLUSTER_PERSON ? &r->twopass.persons : &r->twopass.cases;
    effects[kind] = (struct weights_effect){.acts = acts};
    if (status == OK) {
      compare(&kept[kind], &side->result, &effects[kind]);
    }
    link_result_free(&kept[kind]);
  }
  return status;
}

enum status weights_try(struct store *store, const struct config *config, const struct approved_texts *texts,
                        const struct model *model, const struct sha256 proposed[2], struct weights_effect effects[2],
                        struct error *error) {
  const struct resolve_options options = {.texts = texts};
  struct resolve_result result = {0};
  const struct resolver given = {.store = store,
                                 .config = config,
                                 .model = model,
                                 .options = &options,
                                 .result = &result,
                                 .error = error,
                                 .trial = true};
  struct resolver *r = NULL;
  enum status status = resolver_new(&given, &r);
  status = status == OK ? try_both(r, proposed, effects) : status;
  resolver_free(r);
  return status;
}
