/* The steps from a proposal to its approval. */
#include "core/audit/approval.h"
#include "core/base/actor.h"
#include "core/base/file.h"
#include "core/resolve/policy.h"
#include "core/service/access.h"
#include "core/service/approved_files.h"
#include "core/service/approved_log.h"

#include <stdlib.h>
#include <string.h>

enum { PART_SIZE = ACTOR_MOST + 1 };

/* "ana@mimp" and "MIMP\ana" are logins of ana. */
static void bare_login(const char *actor, char part[PART_SIZE]) {
  const char *back = strrchr(actor, '\\');
  const char *from = back == NULL ? actor : back + 1;
  size_t len = strcspn(from, "@");
  len = len < PART_SIZE ? len : PART_SIZE - 1;
  memcpy(part, from, len);
  part[len] = '\0';
}

static bool same_person(const char *one, const char *other) {
  char a[PART_SIZE], b[PART_SIZE];
  bare_login(one, a);
  bare_login(other, b);
  return actor_same(one, other) || actor_same(a, b);
}

/* What is wrong with a file is told to whoever proposes it, and not at night to a sync. */
static enum status check_text(struct workspace *workspace, enum text_kind kind, const char *path, struct slice text,
                              struct error *error) {
  struct plan *plan = NULL;
  struct policy *policy = NULL;
  enum status status = OK;
  if (kind == TEXT_MAPPING) {
    status = plan_parse(path, text, workspace->model, workspace->lists, &plan, NULL, error);
    plan_free(plan);
  } else if (kind == TEXT_CODELIST) {
    struct codelists *lists = NULL;
    status = codelists_load(workspace->config->codelist_folders, 2, &lists, error);
    codelists_free(lists);
  } else if (kind == TEXT_LINK) {
    status = policy_load(workspace->config->link_file, NULL, workspace->model, &policy, error);
    policy_free(policy);
  }
  return status;
}

/* ---- propose ---- */

static enum status propose_one(struct workspace *workspace, const struct approval_request *request,
                               const struct waiting_text *item, int64_t *id, struct error *error) {
  struct buffer text;
  enum status status = file_read(item->path, APPROVED_FILE_MOST, &text, error);
  if (status != OK) {
    return status;
  }
  struct approval approval = {.kind = text_kind_names[item->kind],
                              .name = item->name,
                              .body = buffer_view(&text),
                              .proposed_by = workspace->actor,
                              .reason = request->reason,
                              .document = request->document};
  status = check_text(workspace, item->kind, item->path, approval.body, error);
  status = status == OK ? store_propose(workspace->store, &approval, error) : status;
  status = status == OK ? audit_approval(workspace->store, &approval, &item->former, "proposed", workspace->actor,
                                         request->reason, error)
                        : status;
  buffer_free(&text);
  *id = approval.id;
  return status;
}

static bool wanted(const struct waiting_text *item, const struct approval_request *request) {
  return strcmp(text_kind_names[item->kind], request->kind) == 0
         && (request->name == NULL ? item->proposal == 0 || item->stale : strcmp(item->name, request->name) == 0);
}

static enum status check_request(const struct workspace *workspace, const struct approval_request *request,
                                 struct error *error) {
  enum text_kind kind;
  if (!approved_kind(request->kind, &kind)) {
    error_set(error, ERR_USAGE, _("there is no kind \"%s\" of files to approve"), request->kind);
    error_hint(error, "%s", _("mapping, codelist or link"));
    return ERR_USAGE;
  }
  if (!workspace->config->approval[kind]) {
    error_set(error, ERR_USAGE, _("files of kind %s need no approval here"), request->kind);
    error_hint(error, _("`approval: {required: [%s]}` in puente.yaml asks for it"), request->kind);
    return ERR_USAGE;
  }
  return OK;
}

static enum status propose_all(struct workspace *workspace, const struct approval_request *request,
                               const struct waiting_text *items, size_t item_count, int64_t *ids, size_t *count,
                               struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < item_count && status == OK; i++) {
    if (wanted(&items[i], request)) {
      status = propose_one(workspace, request, &items[i], &ids[(*count)++], error);
    }
  }
  if (status == OK && *count == 0) {
    error_set(error, ERR_USAGE, "%s", _("nothing to propose: no such file waits"));
    error_hint(error, "%s", _("`puente approve list` shows what waits"));
    return ERR_USAGE;
  }
  return status;
}

enum status approval_propose(struct workspace *workspace, const struct approval_request *request, int64_t *ids,
                             size_t *count, struct error *error) {
  struct arena *arena = arena_new(0);
  struct waiting_text *items = NULL;
  size_t item_count = 0;
  *count = 0;
  enum status status = arena == NULL ? error_memory(error) : access_require(workspace, RIGHT_DECIDE, error);
  status = status == OK ? access_person(workspace, error) : status;
  status = status == OK ? check_request(workspace, request, error) : status;
  status = status == OK ? approved_waiting(workspace, arena, &items, &item_count, error) : status;
  if (status == OK && (status = store_begin(workspace->store, error)) == OK) {
    status = propose_all(workspace, request, items, item_count, ids, count, error);
    status = status == OK ? store_commit(workspace->store, error) : status;
    if (status != OK) {
      store_rollback(workspace->store);
    }
  }
  arena_free(arena);
  return status;
}

/* ---- accept and reject ---- */

struct found {
  struct arena *arena;
  int64_t id;
  struct approval one, former; /* id 0: none */
};

static enum status take_one(void *context, const struct approval *approval, struct error *error) {
  struct found *found = context;
  return approval->id == found->id ? approved_copy(found->arena, approval, &found->one, error) : OK;
}

static enum status take_former(void *context, const struct approval *approval, struct error *error) {
  struct found *found = context;
  bool former = approval->state == APPROVAL_APPROVED && strcmp(approval->kind, found->one.kind) == 0
                && strcmp(approval->name, found->one.name) == 0;
  return former ? approved_copy(found->arena, approval, &found->former, error) : OK;
}

static enum status find_one(struct workspace *workspace, struct found *found, struct error *error) {
  enum status status = approvals_visit(workspace->store, found->id, take_one, found, error);
  if (status == OK && found->one.id == 0) {
    error_set(error, ERR_NOT_FOUND, _("there is no proposal %lld"), (long long)found->id);
    error_hint(error, "%s", _("`puente approve list` shows what waits"));
    return ERR_NOT_FOUND;
  }
  return status == OK ? approvals_visit(workspace->store, 0, take_former, found, error) : status;
}

static enum status refuse_own(const struct approval *approval, struct error *error) {
  error_set(error, ERR_AUTH, _("proposal %lld is by '%s': another person has to approve it"), (long long)approval->id,
            approval->proposed_by);
  error_hint(error, "%s", _("a second person runs `puente approve accept` under a login of their own"));
  return ERR_AUTH;
}

/* The texts that count, with the proposed one in its place. */
static enum status make_trial(struct workspace *workspace, enum text_kind kind, const struct approval *approval,
                              struct approved_texts **trial, struct error *error) {
  bool kinds[TEXT_KINDS];
  struct arena *arena = arena_new(0);
  memcpy(kinds, workspace->config->approval, sizeof kinds);
  kinds[kind] = true;
  enum status status = arena == NULL ? error_memory(error) : approved_texts_new(kinds, trial, error);
  for (size_t i = 0; status == OK && workspace->texts != NULL && i < workspace->texts->count; i++) {
    status = approved_texts_add(*trial, &workspace->texts->items[i], error);
  }
  const struct approved_text proposed = {
      .kind = kind,
      .path = arena == NULL ? NULL : approved_path(workspace->config, kind, approval->name, arena),
      .name = approval->name,
      .body = approval->body};
  if (status == OK && proposed.path == NULL) {
    status = error_set(error, ERR_NOT_FOUND, _("the configuration has no %s \"%s\" any more"), text_kind_names[kind],
                       approval->name);
  }
  status = status == OK ? approved_texts_add(*trial, &proposed, error) : status;
  arena_free(arena);
  return status;
}

/* Code lists as they would be. */
static enum status try_lists(struct workspace *workspace, const struct approval *approval, struct codelists **lists,
                             struct error *error) {
  struct approved_texts *trial = NULL;
  enum status status = make_trial(workspace, TEXT_CODELIST, approval, &trial, error);
  status = status == OK ? codelists_load_approved(workspace->config->codelist_folders, trial, lists, error) : status;
  approved_texts_free(trial);
  return status;
}

/* Lists that speak of each other are approved in an order in which they fit. */
static enum status check_lists(struct workspace *workspace, const struct approval *approval, struct error *error) {
  struct codelists *lists = NULL;
  enum status status = try_lists(workspace, approval, &lists, error);
  if (status == ERR_CONFIG) {
    error_hint(error, "%s", _("it does not fit the other lists that are approved: accept the one that it needs first"));
  }
  codelists_free(lists);
  return status;
}

/* What is approved is what the file holds now, and what the first person proposed. */
static enum status check_file(struct workspace *workspace, const struct found *found, struct error *error) {
  const struct approval *one = &found->one;
  enum text_kind kind = TEXT_MAPPING;
  bool kept = approved_kind(one->kind, &kind);
  const char *path = kept ? approved_path(workspace->config, kind, one->name, found->arena) : NULL;
  struct buffer text;
  if (one->changed) {
    error_set(error, ERR_CONFIG, "%s", one->fault);
    error_hint(error, "%s", _("have the log verified (`puente audit verify`), then propose the file anew"));
    return ERR_CONFIG;
  }
  if (path == NULL || file_read(path, APPROVED_FILE_MOST, &text, error) != OK) {
    return error_set(error, ERR_USAGE, _("the file of proposal %lld is not there any more"), (long long)one->id);
  }
  bool same = slice_equal(buffer_view(&text), one->body);
  enum status status = same ? check_text(workspace, kind, path, one->body, error) : OK;
  status = same && status == OK && kind == TEXT_CODELIST ? check_lists(workspace, one, error) : status;
  buffer_free(&text);
  if (!same) {
    error_set(error, ERR_USAGE, _("the file changed again since proposal %lld was made"), (long long)one->id);
    error_place(error, "%s", path);
    error_hint(error, "%s", _("propose it anew, so that what is approved is what was seen"));
    return ERR_USAGE;
  }
  return status;
}

/* ---- learned weights ---- */

static bool is_weights(const struct approval *approval) {
  return strcmp(approval->kind, text_kind_names[TEXT_WEIGHTS]) == 0;
}

/* The models are there, are what was proposed, and are for the comparisons of now. */
static enum status check_weights(struct workspace *workspace, const struct approval *one, weights_visitor *visit,
                                 void *context, struct error *error) {
  struct sha256 models[2];
  if (one->changed || !weights_read(one->body, models)) {
    error_set(error, ERR_CONFIG, "%s",
              one->changed ? one->fault : _("the text of the proposed weights cannot be read"));
    error_hint(error, "%s", _("have the log verified (`puente audit verify`), then learn anew: `puente link --train`"));
    return ERR_CONFIG;
  }
  return weights_compare(workspace->store, workspace->config, workspace->texts, workspace->model, models, visit,
                         context, error);
}

/* The document comes with the second person: nobody asked for what a linking learned by itself. */
static enum status accept_weights(struct workspace *workspace, const struct approval_request *request,
                                  struct approval *one, struct error *error) {
  struct sha256 models[2];
  if (request->document == NULL || request->document[0] == '\0') {
    error_set(error, ERR_USAGE, "%s", _("weights are approved with the number of a document: --document NUMBER"));
    return ERR_USAGE;
  }
  enum status status = check_weights(workspace, one, NULL, NULL, error);
  one->document = request->document;
  for (int kind = 0; kind < 2 && status == OK && weights_read(one->body, models); kind++) {
    status = store_activate_model(workspace->store, (enum cluster_kind)kind, &models[kind], error);
  }
  return status;
}

static bool waits_whole(const struct approval *one) {
  return is_weights(one) && one->state == APPROVAL_WAITING && !one->changed;
}

enum status approval_weights(struct workspace *workspace, const struct approval_shown *shown, weights_visitor *visit,
                             void *context, struct error *error) {
  const struct approval *one = &shown->approval;
  return waits_whole(one) ? check_weights(workspace, one, visit, context, error) : OK;
}

enum status approval_effect(struct workspace *workspace, const struct approval_shown *shown, bool *tried,
                            struct weights_effect effects[2], struct error *error) {
  struct sha256 models[2];
  *tried = waits_whole(&shown->approval) && weights_read(shown->approval.body, models);
  return *tried ? weights_try(workspace->store, workspace->config, workspace->texts, workspace->model, models, effects,
                              error)
                : OK;
}

static enum status check_accepted(struct workspace *workspace, const struct approval_request *request,
                                  struct found *found, struct error *error) {
  if (same_person(found->one.proposed_by, workspace->actor)) {
    return refuse_own(&found->one, error);
  }
  if (found->one.state != APPROVAL_WAITING) {
    return OK; /* store_decide_approval says so */
  }
  return is_weights(&found->one) ? accept_weights(workspace, request, &found->one, error)
                                 : check_file(workspace, found, error);
}

static enum status decide(struct workspace *workspace, const struct approval_request *request, bool accept,
                          struct found *found, struct error *error) {
  const char *state = accept ? "approved" : "rejected";
  enum status status = find_one(workspace, found, error);
  status = status == OK && accept ? check_accepted(workspace, request, found, error) : status;
  status = status == OK
               ? store_decide_approval(workspace->store, &found->one, accept, workspace->actor, request->reason, error)
               : status;
  return status == OK ? audit_approval(workspace->store, &found->one, &found->former.digest, state, workspace->actor,
                                       request->reason, error)
                      : status;
}

enum status approval_decide(struct workspace *workspace, const struct approval_request *request, bool accept,
                            struct arena *arena, struct approval *made, struct error *error) {
  struct found found = {.arena = arena, .id = request->id};
  enum status status = access_require(workspace, RIGHT_APPROVE, error);
  status = status == OK ? access_person(workspace, error) : status;
  status = status == OK ? store_begin(workspace->store, error) : status;
  if (status != OK) {
    return status;
  }
  status = decide(workspace, request, accept, &found, error);
  status = status == OK ? store_commit(workspace->store, error) : status;
  if (status != OK) {
    store_rollback(workspace->store);
    return status;
  }
  *made = found.one;
  return OK;
}

/* ---- what it would change ---- */

enum status approval_show(struct workspace *workspace, int64_t id, struct arena *arena, struct approval_shown *shown,
                          struct error *error) {
  struct found found = {.arena = arena, .id = id};
  *shown = (struct approval_shown){.linked = -1};
  enum status status = access_require(workspace, RIGHT_RUN, error);
  status = status == OK ? find_one(workspace, &found, error) : status;
  if (status != OK) {
    return status;
  }
  shown->approval = found.one;
  shown->former = found.former.id == id ? slice_make(NULL, 0) : found.former.body;
  bool kept = approved_kind(found.one.kind, &shown->kind);
  if (is_weights(&found.one)) {
    shown->kind = TEXT_WEIGHTS;
    kept = true;
  }
  return kept && (shown->kind == TEXT_LINK || shown->kind == TEXT_WEIGHTS)
             ? store_linked_rows(workspace->store, &shown->linked, error)
             : OK;
}

static bool plans_differ(const struct workspace *workspace, const struct source_config *source,
                         const struct codelists *lists) {
  struct plan *now = NULL, *then = NULL;
  struct error ignored;
  const struct approved_texts *texts = workspace->texts;
  bool was = plan_load_approved(source->mapping, texts, workspace->model, workspace->lists, &now, NULL, &ignored) == OK;
  bool is = plan_load_approved(source->mapping, texts, workspace->model, lists, &then, NULL, &ignored) == OK;
  struct sha256 before = was ? plan_digest(now) : (struct sha256){{0}};
  struct sha256 after = is ? plan_digest(then) : (struct sha256){{0}};
  plan_free(now);
  plan_free(then);
  return was != is || memcmp(before.bytes, after.bytes, SHA256_SIZE) != 0;
}

/* Each source whose mapping the list changes, or that has one only with it. */
static enum status try_list(struct workspace *workspace, const struct approval *approval, struct pull_request *request,
                            struct pull_summary *summary, struct error *error) {
  const struct config *config = workspace->config;
  struct codelists *lists = NULL, *counts = workspace->lists;
  struct error unfit = workspace->unfit;
  size_t count = 0;
  enum status status = try_lists(workspace, approval, &lists, error);
  const char **codes = status == OK ? calloc(config->source_count + 1, sizeof *codes) : NULL;
  status = status == OK && codes == NULL ? error_memory(error) : status;
  for (size_t i = 0; status == OK && i < config->source_count; i++) {
    if (config->sources[i].state != SOURCE_RETIRED && plans_differ(workspace, &config->sources[i], lists)) {
      codes[count++] = config->sources[i].code;
    }
  }
  if (count > 0) {
    request->codes = codes;
    workspace->lists = lists;
    workspace->unfit.code = OK;
    status = service_pull(workspace, request, summary, error);
    workspace->unfit = unfit;
    workspace->lists = counts;
    request->codes = NULL;
  }
  free(codes);
  codelists_free(lists);
  return status;
}

static enum status try_mapping(struct workspace *workspace, const struct approval *approval,
                               struct pull_request *request, struct pull_summary *summary, struct error *error) {
  const char *codes[] = {approval->name, NULL};
  struct approved_texts *trial = NULL, *counts = workspace->texts;
  enum status status = make_trial(workspace, TEXT_MAPPING, approval, &trial, error);
  if (status == OK) {
    request->codes = codes;
    workspace->texts = trial;
    status = service_pull(workspace, request, summary, error);
    workspace->texts = counts;
    request->codes = NULL;
  }
  approved_texts_free(trial);
  return status;
}

enum status approval_try(struct workspace *workspace, const struct approval_shown *shown, struct pull_request *request,
                         struct pull_summary *summary, struct error *error) {
  const struct approval *approval = &shown->approval;
  *summary = (struct pull_summary){.nothing_new = true};
  if (shown->kind == TEXT_LINK || shown->kind == TEXT_WEIGHTS || approval->state != APPROVAL_WAITING
      || approval->changed) {
    return OK;
  }
  request->kind = PULL_REMAP;
  request->options.dry_run = true;
  request->options.actor = workspace->actor;
  return shown->kind == TEXT_CODELIST ? try_list(workspace, approval, request, summary, error)
                                      : try_mapping(workspace, approval, request, summary, error);
}
