#include "core/sync/run.h"

#include "core/audit/audit.h"
#include "core/base/log.h"
#include "core/store/watch.h"
#include "core/sync/counts.h"
#include "core/sync/health.h"
#include "core/sync/sharing.h"

#include <stdio.h>
#include <unistd.h>

enum { AUDIT_BODY_LIMIT = 4096, AUDIT_PLAN_SIZE = 320, HOST_SIZE = 256, HOLDER_SIZE = HOST_SIZE + 64, HOLD_SIZE = 512 };

static void hold_name(char name[HOLD_SIZE], const char *kind, const char *what) {
  snprintf(name, HOLD_SIZE, "%s:%s", kind, what);
}

/* No other process, on whatever host, works on the source, or asks at its gateway. */
static enum status frame_hold(struct run_frame *frame, bool pulls, struct error *error) {
  struct store *store = frame->bench->store;
  const char *gateway = frame->source->gateway;
  char name[HOLD_SIZE];
  hold_name(name, "sync", frame->source->code);
  enum status status = store_hold(store, name, error);
  if (status != OK) {
    return status == ERR_BUSY ? store_leased(store, frame->source_id, error) : status;
  }
  frame->held = true;
  if (!pulls || gateway == NULL) {
    return OK;
  }
  hold_name(name, "gateway", gateway);
  status = store_hold(store, name, error);
  frame->gateway_held = status == OK;
  if (status == ERR_BUSY) {
    error_set(error, ERR_BUSY, _("another source is being pulled by the same gateway, %s"), gateway);
    error_hint(error, _("wait for it to end"));
  }
  return status;
}

static enum status frame_lease(struct run_frame *frame, bool pulls, struct error *error) {
  char host[HOST_SIZE] = "", holder[HOLDER_SIZE];
  if (gethostname(host, sizeof host - 1) != 0) {
    snprintf(host, sizeof host, "?");
  }
  snprintf(holder, sizeof holder, _("%s, process %ld"), host, (long)getpid());
  enum status status = frame_hold(frame, pulls, error);
  if (status == OK) {
    status = store_lease(frame->bench->store, frame->source_id, holder, &frame->lease, error);
    frame->leased = status == OK;
  }
  return status;
}

/* Options and mapping; a mistake in either is a failed run, so that `puente status` shows it. */
static enum status frame_load(struct run_frame *frame, bool pulls, struct error *error) {
  const struct workbench *bench = frame->bench;
  const struct source_config *source = frame->source;
  enum status status =
      plan_load_approved(source->mapping, bench->texts, bench->model, bench->lists, &frame->plan, NULL, error);
  if (status == OK && pulls) {
    status = config_options(bench->config, source, &frame->connector_options, error);
  }
  if (status != OK) {
    return status;
  }
  if (strcmp(plan_source(frame->plan), source->code) != 0) {
    error_set(error, ERR_CONFIG, _("the mapping is written for source \"%s\""), plan_source(frame->plan));
    error_place(error, "%s", source->mapping);
    error_hint(error, _("write source: %s, or name another mapping in %s"), source->code, source->file);
    return ERR_CONFIG;
  }
  const char *format = plan_format(frame->plan)->name;
  if (source->connector->format != NULL && strcmp(source->connector->format, format) != 0) {
    error_set(error, ERR_CONFIG, _("connector %s gives records of format %s, the mapping says %s"),
              source->connector->name, source->connector->format, format);
    error_place(error, "%s", source->mapping);
    error_hint(error, _("write `format: %s` in the mapping"), source->connector->format);
    return ERR_CONFIG;
  }
  return OK;
}

/* A version of the mapping is in the log when it first works, and by whom; the digest of its text is what a later
 * change of the stored text is found by. */
static enum status frame_log_plan(const struct run_frame *frame, struct error *error) {
  char body[AUDIT_PLAN_SIZE], plan[2 * SHA256_SIZE + 1], text[2 * SHA256_SIZE + 1], model[2 * SHA256_SIZE + 1];
  struct sha256 digest = plan_digest(frame->plan), mapping = sha256_of(plan_text(frame->plan));
  int64_t first = 0;
  enum status status = store_plan_run(frame->bench->store, frame->plan_id, &first, error);
  if (status != OK || first != frame->run) {
    return status;
  }
  hex_format(digest.bytes, SHA256_SIZE, plan);
  hex_format(mapping.bytes, SHA256_SIZE, text);
  hex_format(frame->bench->model->digest.bytes, SHA256_SIZE, model);
  snprintf(body, sizeof body, "{\"mapping\":\"%s\",\"model\":\"%s\",\"plan\":\"%s\",\"plan_id\":%lld}", text, model,
           plan, (long long)frame->plan_id);
  const struct audit_event event = {.event = "plan",
                                    .source = frame->source->code,
                                    .actor = frame->options->actor,
                                    .purpose = frame->options->purpose,
                                    .run = frame->run,
                                    .body = body};
  return audit_append(frame->bench->store, &event, error);
}

static enum status frame_record(struct run_frame *frame, const char *kind, struct error *error) {
  struct store *store = frame->bench->store;
  enum status status = store_begin(store, error);
  if (status == OK) {
    status = store_run_begin(store, kind, frame->source_id, frame->options->actor, frame->options->purpose, &frame->run,
                             error);
  }
  if (status == OK) {
    status = store_runs_ended(store, frame->source_id, frame->run, error);
  }
  status = status == OK ? sharing_write(store, frame->source, frame->source_id, error) : status;
  if (status == OK && frame->plan != NULL) {
    status = store_plan(store, frame->source_id, frame->plan, frame->run, &frame->plan_id, error);
    status = status == OK ? store_settle_drift(store, frame->source_id, frame->plan_id, error) : status;
    status = status == OK ? frame_log_plan(frame, error) : status;
  }
  if (status == OK) {
    status = store_commit(store, error);
  }
  if (status != OK) {
    store_rollback(store);
    frame->run = 0;
  }
  return status;
}

static void frame_drop_plan(struct run_frame *frame) {
  if (frame->plan != NULL) {
    plan_free(frame->plan);
    frame->plan = NULL;
  }
}

enum status run_frame_open(struct run_frame *frame, const char *kind, bool pulls, struct error *error) {
  frame->pulls = pulls;
  if (frame->options->dry_run) {
    return frame_load(frame, pulls, error);
  }
  enum status status = frame_lease(frame, pulls, error);
  if (status != OK) {
    return status;
  }
  struct error loading;
  enum status loaded = frame_load(frame, pulls, &loading);
  if (loaded != OK) {
    frame_drop_plan(frame);
  }
  status = frame_record(frame, kind, error);
  if (status == OK && loaded != OK) {
    *error = loading;
    status = loaded;
  }
  return status;
}

static const char *state_text(enum run_state state) {
  switch (state) {
  case RUN_DONE:
    return "done";
  case RUN_FAILED:
    return "failed";
  case RUN_INTERRUPTED:
    return "interrupted";
  case RUN_RUNNING:
    break;
  }
  return "running";
}

/* The run's end in its row, the health of the source, and the log. */
static enum status frame_finish(struct run_frame *frame, enum run_state state, const struct counts *counts,
                                const char *message, const struct error *failure, struct error *error) {
  struct buffer body;
  buffer_init(&body, AUDIT_BODY_LIMIT);
  struct sha256 digest = {0};
  if (frame->plan != NULL) {
    digest = plan_digest(frame->plan);
  }
  counts_json(counts, frame->plan != NULL ? &digest : NULL, state_text(state), NULL, &body);
  enum status status = buffer_check(&body, _("an audit entry"), error);
  if (status == OK) {
    status = store_run_end(frame->bench->store, frame->run, state, counts, message, error);
  }
  bool ranged = frame->options->since != NULL || frame->options->until != NULL;
  struct health_try attempt = {
      .run = frame->run, .ranged = ranged, .pulled = frame->pulls, .counts = counts, .failure = failure};
  if (status == OK) {
    status = health_observe(frame->bench->store, frame->source_id, &attempt, error);
  }
  if (status == OK) {
    struct audit_event event = {.event = "run",
                                .source = frame->source->code,
                                .actor = frame->options->actor,
                                .purpose = frame->options->purpose,
                                .run = frame->run,
                                .body = body.data};
    status = audit_append(frame->bench->store, &event, error);
  }
  buffer_free(&body);
  return status;
}

enum status run_frame_close(struct run_frame *frame, enum run_state state, const struct counts *counts,
                            const char *message, struct error *error) {
  return frame_finish(frame, state, counts, message, NULL, error);
}

void run_frame_fail(struct run_frame *frame, const struct counts *counts, struct error *error) {
  error_place(error, _("source %s"), frame->source->code);
  frame->failed = error->code;
  if (frame->run == 0) {
    return;
  }
  char message[sizeof error->message + sizeof error->place + sizeof error->hint + 16];
  snprintf(message, sizeof message, "%s\n%s\n%s", error->message, error->place, error->hint);
  enum run_state state = error->code == ERR_INTERRUPTED ? RUN_INTERRUPTED : RUN_FAILED;
  struct store *store = frame->bench->store;
  struct error second;
  enum status status = store_begin(store, &second);
  if (status == OK) {
    status = frame_finish(frame, state, counts, message, error, &second);
  }
  if (status == OK) {
    status = store_commit(store, &second);
  }
  if (status != OK) {
    store_rollback(store);
    if (second.code != error->code) {
      log_error(LEVEL_WARNING, &second);
    }
  }
}

static void frame_let_go(struct run_frame *frame) {
  char name[HOLD_SIZE];
  if (frame->gateway_held) {
    hold_name(name, "gateway", frame->source->gateway);
    store_unhold(frame->bench->store, name);
  }
  if (frame->held) {
    hold_name(name, "sync", frame->source->code);
    store_unhold(frame->bench->store, name);
  }
  frame->held = frame->gateway_held = false;
}

void run_frame_end(struct run_frame *frame) {
  if (frame->leased) {
    struct error error;
    /* A store that made the run fail refuses this as well: it need not be told twice. */
    if (store_release(frame->bench->store, &frame->lease, &error) != OK && error.code != frame->failed) {
      log_error(LEVEL_WARNING, &error);
    }
    frame->leased = false;
  }
  if (frame->connector_options != NULL) {
    config_options_free(frame->source, frame->connector_options);
    frame->connector_options = NULL;
  }
  frame_drop_plan(frame);
  frame_let_go(frame);
}
