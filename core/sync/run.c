#include "core/sync/run.h"

#include "core/audit/audit.h"
#include "core/base/log.h"
#include "core/sync/counts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { AUDIT_BODY_LIMIT = 4096, HOST_SIZE = 256, HOLDER_SIZE = HOST_SIZE + PATH_MAX, NAME_LIMIT = 2 * PATH_MAX };
#define LEASE_MICROSECONDS (INT64_C(10) * 60 * 1000000)

/* The name of a workspace on a host holds the lease, so that a run takes over from one that was killed; that no second
 * one of the same workspace is at work is told by a socket of the kernel's own, which ends with its process. */
static enum status frame_lock(struct run_frame *frame, const char *holder, struct error *error) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct buffer name;
  buffer_init(&name, NAME_LIMIT);
  buffer_printf(&name, "%s/%s", holder, frame->source->code);
  enum status status = buffer_check(&name, _("a name"), error);
  if (status != OK) {
    return status;
  }
  struct sha256 digest = sha256_of(buffer_view(&name));
  buffer_free(&name);
  memcpy(address.sun_path + 1, "puente", 6);
  hex_format(digest.bytes, SHA256_SIZE, address.sun_path + 7);
  frame->lock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (frame->lock >= 0 && bind(frame->lock, (const struct sockaddr *)&address, sizeof address) == 0) {
    return OK;
  }
  if (frame->lock < 0 || errno != EADDRINUSE) {
    return error_set(error, ERR_IO, _("the lock of the source could not be made: %s"), strerror(errno));
  }
  error_set(error, ERR_BUSY, _("another puente of this workspace is at work on the source"));
  error_hint(error, _("wait for it to end"));
  return ERR_BUSY;
}

static enum status frame_lease(struct run_frame *frame, struct error *error) {
  char host[HOST_SIZE] = "", holder[HOLDER_SIZE];
  if (gethostname(host, sizeof host - 1) != 0) {
    snprintf(host, sizeof host, "?");
  }
  snprintf(holder, sizeof holder, "%s:%s", host, frame->bench->config->path);
  enum status status = frame_lock(frame, holder, error);
  if (status == OK) {
    status = store_lease(frame->bench->store, frame->source_id, holder, LEASE_MICROSECONDS, &frame->lease, error);
    frame->leased = status == OK;
  }
  return status;
}

/* Options and mapping; a mistake in either is a failed run, so that `puente status` shows it. */
static enum status frame_load(struct run_frame *frame, bool pulls, struct error *error) {
  const struct workbench *bench = frame->bench;
  const struct source_config *source = frame->source;
  enum status status = plan_load(source->mapping, bench->model, bench->lists, &frame->plan, NULL, error);
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
  if (status == OK && frame->plan != NULL) {
    status = store_plan(store, frame->source_id, frame->plan, frame->run, &frame->plan_id, error);
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
  frame->lock = -1;
  if (frame->options->dry_run) {
    return frame_load(frame, pulls, error);
  }
  enum status status = frame_lease(frame, error);
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

enum status run_frame_close(struct run_frame *frame, enum run_state state, const struct counts *counts,
                            const char *message, struct error *error) {
  struct buffer body;
  buffer_init(&body, AUDIT_BODY_LIMIT);
  struct sha256 digest = {0};
  if (frame->plan != NULL) {
    digest = plan_digest(frame->plan);
  }
  counts_json(counts, frame->plan != NULL ? &digest : NULL, state_text(state), &body);
  enum status status = buffer_check(&body, _("an audit entry"), error);
  if (status == OK) {
    status = store_run_end(frame->bench->store, frame->run, state, counts, message, error);
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

void run_frame_fail(struct run_frame *frame, const struct counts *counts, struct error *error) {
  error_place(error, _("source %s"), frame->source->code);
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
    status = run_frame_close(frame, state, counts, message, &second);
  }
  if (status == OK) {
    status = store_commit(store, &second);
  }
  if (status != OK) {
    store_rollback(store);
    log_error(LEVEL_WARNING, &second);
  }
}

void run_frame_end(struct run_frame *frame) {
  if (frame->leased) {
    struct error error;
    if (store_release(frame->bench->store, &frame->lease, &error) != OK) {
      log_error(LEVEL_WARNING, &error);
    }
    frame->leased = false;
  }
  if (frame->connector_options != NULL) {
    config_options_free(frame->source, frame->connector_options);
    frame->connector_options = NULL;
  }
  frame_drop_plan(frame);
  if (frame->lock >= 0) {
    close(frame->lock);
    frame->lock = -1;
  }
}
