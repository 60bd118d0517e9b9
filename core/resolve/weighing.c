/* Weights where linkage is under approval: those that were approved act, or those that the policy gives to start with;
 * what is learned waits for a second person. */
#include "core/audit/approval.h"
#include "core/base/log.h"
#include "core/resolve/resolver.h"
#include "core/resolve/weights.h"

#include <string.h>

bool resolver_governed(const struct resolver *r) {
  return approved_texts_govern(r->policy->texts, TEXT_LINK);
}

bool resolver_acts(const struct resolver *r) {
  return r->twopass.persons.model != NULL && r->twopass.cases.model != NULL;
}

/* ---- what acts ---- */

struct seeking {
  struct sha256 digest;
  bool any, found; /* any: whatever the digest is */
  int64_t waiting; /* id of one that waits; 0: none */
};

static enum status seek(void *context, const struct approval *approval, struct error *error) {
  struct seeking *seeking = context;
  (void)error;
  if (strcmp(approval->kind, text_kind_names[TEXT_WEIGHTS]) == 0
      && (seeking->any || memcmp(approval->digest.bytes, seeking->digest.bytes, SHA256_SIZE) == 0)) {
    seeking->found = true;
    seeking->waiting = approval->state == APPROVAL_WAITING ? approval->id : seeking->waiting;
  }
  return OK;
}

/* What was learned last and would do: whatever became of its proposal, nothing is learned again by itself. It is
 * proposed where it never was, having been learned before approval was asked for. */
static enum status look_back(struct resolver *r, size_t persons, size_t cases) {
  struct link_model *newest[2] = {NULL, NULL};
  enum status status =
      learned_newest(r->store, r->policy, CLUSTER_PERSON, &newest[0], &r->learned[CLUSTER_PERSON], r->error);
  status = status == OK
               ? learned_newest(r->store, r->policy, CLUSTER_CASE, &newest[1], &r->learned[CLUSTER_CASE], r->error)
               : status;
  if (status == OK && resolver_fits(newest[0], persons) && resolver_fits(newest[1], cases)) {
    char text[WEIGHTS_TEXT];
    weights_text(r->learned, text);
    struct seeking seeking = {.digest = sha256_of(slice_of(text))};
    status = store_visit_approvals(r->store, 0, seek, &seeking, r->error);
    r->learn = false;
    r->offer = !seeking.found;
  }
  link_model_free(newest[0]);
  link_model_free(newest[1]);
  return status;
}

enum status weighing_models(struct resolver *r, size_t persons, size_t cases) {
  struct twopass *t = &r->twopass;
  bool train = r->options->train, enough = persons >= LEARN_LEAST || cases >= LEARN_LEAST, approved = false;
  struct link_model *models[2] = {NULL, NULL};
  const char *why = NULL;
  enum status status = learned_acting(r->store, r->policy, models, r->models, &approved, &why, r->error);
  t->persons.model = models[CLUSTER_PERSON];
  t->cases.model = models[CLUSTER_CASE];
  r->offer = false;
  if (status == ERR_CONFIG && train) { /* what was approved is damaged: only new weights help, and nothing acts */
    log_error(LEVEL_WARNING, r->error);
    resolver_forget(r);
    r->learn = true;
    return OK;
  }
  bool fit = approved && resolver_fits(t->persons.model, persons) && resolver_fits(t->cases.model, cases);
  r->learn = train || !resolver_acts(r) || (approved ? !fit : enough);
  if (!train) {
    r->result->why_trained = approved ? _("there are far more records than the link model was learned from") : why;
    status = status == OK && r->learn ? look_back(r, persons, cases) : status;
  }
  return status;
}

/* ---- what waits ---- */

static enum status learn(struct resolver *r) {
  struct twopass *t = &r->twopass;
  struct link_model *persons = t->persons.model, *cases = t->cases.model;
  t->persons.model = t->cases.model = NULL;
  enum status status = twopass_train(t, r->error);
  if (status == OK) {
    status = learned_keep(r->store, CLUSTER_PERSON, r->result->run, t->persons.model, false,
                          &r->learned[CLUSTER_PERSON], r->error);
  }
  if (status == OK) {
    status = learned_keep(r->store, CLUSTER_CASE, r->result->run, t->cases.model, false, &r->learned[CLUSTER_CASE],
                          r->error);
  }
  resolver_forget(r);
  t->persons.model = persons;
  t->cases.model = cases;
  t->trained = false; /* none of them acts */
  r->result->trained = true;
  return status;
}

/* `*acts`: what was learned is what was approved. */
static enum status propose(struct resolver *r, bool *acts) {
  const struct approved_texts *texts = r->policy->texts;
  const char *purpose = r->options->purpose;
  char text[WEIGHTS_TEXT], acting[WEIGHTS_TEXT] = "";
  struct sha256 former = {{0}};
  weights_text(r->learned, text);
  if (texts->weighed) {
    weights_text(texts->weights, acting);
    former = sha256_of(slice_of(acting));
  }
  struct seeking seeking = {.digest = sha256_of(slice_of(text))};
  enum status status = store_visit_approvals(r->store, 0, seek, &seeking, r->error);
  *acts = texts->weighed && texts->weights_fault == NULL && strcmp(text, acting) == 0;
  if (status != OK || *acts || seeking.waiting != 0) {
    return status;
  }
  struct approval approval = {.kind = text_kind_names[TEXT_WEIGHTS],
                              .name = WEIGHTS_NAME,
                              .body = slice_of(text),
                              .proposed_by = r->options->actor,
                              .reason = purpose == NULL ? _("learned from the records") : purpose,
                              .document = ""};
  status = store_propose(r->store, &approval, r->error);
  status = status == OK ? audit_approval(r->store, &approval, &former, "proposed", approval.proposed_by,
                                         approval.reason, r->error)
                        : status;
  r->result->proposed = status == OK;
  return status;
}

enum status weighing_settle(struct resolver *r) {
  bool acts = false;
  enum status status = r->learn ? learn(r) : OK;
  status = status == OK && (r->learn || r->offer) ? propose(r, &acts) : status;
  if (status == OK && !resolver_acts(r)) {
    r->result->unlinked = true;
    if (!r->result->proposed && !acts) {
      error_set(r->error, ERR_CONFIG, "%s", _("no weights may act: those that were learned are not approved"));
      error_hint(r->error, "%s", _("`puente approve list` shows what waits; `puente link --train` learns anew"));
      return ERR_CONFIG;
    }
  }
  return status;
}

enum status weighing_waiting(struct resolver *r) {
  struct seeking seeking = {.any = true};
  enum status status = store_visit_approvals(r->store, 0, seek, &seeking, r->error);
  r->result->proposal = seeking.waiting;
  return status;
}
