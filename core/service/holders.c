#include "core/service/holders.h"

#include "core/audit/timestamp.h"
#include "core/base/date.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/service/auditing.h"
#include "core/service/tongue.h"
#include "core/store/receipt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BODY_LIMIT = 1 << 16, NAME_SIZE = CHECKPOINT_NAME + 40 };

/* One checkpoint on its way, and what each said; answers and messages in the arena. */
struct sending {
  struct workspace *workspace;
  const struct holders_job *job;
  struct arena *arena;
  struct checkpoint checkpoint;
  struct buffer text, stamp;
  char name[NAME_SIZE], stamp_name[NAME_SIZE]; /* of the files */
  struct receipt *receipts;                    /* by holder, then the time-stamp */
  size_t count;
  struct holders_done *done;
  struct error first; /* code OK: none failed */
};

/* ---- into a folder ---- */

static enum status write_failed(const char *path, struct error *error) {
  int cause = errno;
  error_set(error, cause == ENOSPC ? ERR_FULL : ERR_IO, _("cannot write: %s"), strerror(cause));
  error_place(error, "%s", path);
  error_hint(error, "%s", _("is the folder of the holder there, mounted and writable?"));
  return error->code;
}

static bool write_whole(int descriptor, struct slice bytes) {
  for (size_t at = 0; at < bytes.len;) {
    ssize_t more = write(descriptor, bytes.data + at, bytes.len - at);
    if (more < 0 && errno != EINTR) {
      return false;
    }
    at += more > 0 ? (size_t)more : 0;
  }
  return fsync(descriptor) == 0;
}

/* What lies there already is kept: the same entry is as good, another one tells that the log is not what it was. */
static enum status compare_old(const struct sending *sending, const char *path, struct error *error) {
  struct checkpoint old;
  enum status status = auditing_checkpoints(sending->workspace, &path, 1, &old, error);
  if (status == OK && old.sequence == sending->checkpoint.sequence
      && memcmp(old.hash.bytes, sending->checkpoint.hash.bytes, SHA256_SIZE) == 0) {
    return OK;
  }
  if (status == OK) {
    error_set(error, ERR_STORE, "%s", _("the holder has another checkpoint of this entry: the log is not what it was"));
    error_place(error, "%s", path);
  }
  error_hint(error, "%s",
             _("if no backup was restored, tell the data officer; `puente audit verify --checkpoint FILE` says more"));
  return error->code;
}

static enum status write_new(const char *path, struct slice bytes, bool *there, struct error *error) {
  int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
  *there = descriptor < 0 && errno == EEXIST;
  if (*there) {
    return OK;
  }
  if (descriptor < 0) {
    return write_failed(path, error);
  }
  enum status status = write_whole(descriptor, bytes) ? OK : write_failed(path, error);
  if (close(descriptor) != 0 && status == OK) {
    status = write_failed(path, error);
  }
  if (status != OK) {
    unlink(path);
  }
  return status;
}

static enum status put_in_folder(const struct sending *sending, const char *folder, const char **answer,
                                 struct error *error) {
  char *path = path_join(sending->arena, folder, sending->name);
  char *stamp = path_join(sending->arena, folder, sending->stamp_name);
  bool there = false;
  if (path == NULL || stamp == NULL) {
    return error_memory(error);
  }
  enum status status = write_new(path, buffer_view(&sending->text), &there, error);
  if (status == OK && there) {
    status = compare_old(sending, path, error);
  } else if (status == OK && sending->stamp.len > 0) {
    status = write_new(stamp, buffer_view(&sending->stamp), &there, error);
  }
  if (status == OK) {
    file_sync_folder(path);
  }
  *answer = path;
  return status;
}

/* ---- by mail and webhook ---- */

static enum status write_message(const struct sending *sending, struct buffer *subject, struct buffer *text,
                                 struct error *error) {
  struct tongue tongue;
  const struct config *config = sending->workspace->config;
  enum status status = tongue_open(config, &tongue, error);
  if (status == OK) {
    buffer_printf(subject, "[Puente %s] ", config->name);
    buffer_printf(subject, words(&tongue, N_("checkpoint of the audit log: entry %lld")),
                  (long long)sending->checkpoint.sequence);
    buffer_text(text, words(&tongue, N_("Please keep this: it is the signed head of the audit log, and proves later "
                                        "that nobody cut the log\nor wrote it anew. It holds no personal data. An "
                                        "auditor checks the attached file by\n`puente audit verify --checkpoint "
                                        "FILE`.\n\n")));
    buffer_slice(text, buffer_view(&sending->text));
    status = buffer_check(subject, "subject", error);
    status = status == OK ? buffer_check(text, "text", error) : status;
  }
  tongue_close(&tongue);
  return status;
}

static enum status deliver(const struct sending *sending, const struct holder_config *holder, const char **answer,
                           struct error *error) {
  char said[NOTIFY_ANSWER_SIZE];
  struct buffer subject, text;
  const struct notify_file files[] = {
      {.name = sending->name, .type = "text/plain", .bytes = buffer_view(&sending->text), .text = true},
      {.name = sending->stamp_name, .type = "application/timestamp-reply", .bytes = buffer_view(&sending->stamp)}};
  const struct notify_target target = {.webhook = holder->webhook.url != NULL ? &holder->webhook : NULL,
                                       .mail = holder->mail};
  buffer_init(&subject, BODY_LIMIT);
  buffer_init(&text, BODY_LIMIT);
  enum status status = write_message(sending, &subject, &text, error);
  if (status == OK) {
    const struct notify_message message = {.kind = NOTIFY_CHECKPOINT,
                                           .subject = subject.data,
                                           .text = text.data,
                                           .at = sending->checkpoint.at,
                                           .files = files,
                                           .file_count = sending->stamp.len > 0 ? 2 : 1};
    status = notify_deliver(sending->workspace->config, &target, &message, sending->job->limits, sending->job->stop,
                            said, error);
  }
  if (status == OK && (*answer = arena_text(sending->arena, slice_of(said))) == NULL) {
    status = error_memory(error);
  }
  buffer_free(&subject);
  buffer_free(&text);
  return status;
}

/* ---- receipts ---- */

/* What `status` says of a way, as a receipt. */
static void keep_outcome(struct sending *sending, struct receipt *receipt, enum status status, const char *answer,
                         struct error *error) {
  receipt->sequence = sending->checkpoint.sequence;
  receipt->hash = sending->checkpoint.hash;
  receipt->at = sending->checkpoint.at;
  if (status == OK) {
    receipt->sent = clock_now();
    receipt->answer = answer;
    return;
  }
  receipt->message = arena_text(sending->arena, slice_of(error->message));
  error_place(error, _("holder %s"), receipt->holder);
  if (sending->first.code == OK) {
    sending->first = *error;
  } else {
    log_error(LEVEL_WARNING, error);
  }
}

static enum status ask_stamp(struct sending *sending, int64_t *at, struct error *error) {
  const struct checkpoints_config *config = &sending->workspace->config->checkpoints;
  struct buffer request;
  buffer_init(&request, TIMESTAMP_LIMIT);
  enum status status = timestamp_request(buffer_view(&sending->text), &request, error);
  if (status == OK) {
    status = notify_post(config->stamp_url, timestamp_query_type, buffer_view(&request), sending->job->limits,
                         sending->job->stop, &sending->stamp, error);
  }
  if (status == OK) {
    status = timestamp_verify(buffer_view(&request), buffer_view(&sending->stamp), config->stamp_ca, at, error);
  }
  if (status != OK) {
    buffer_reset(&sending->stamp);
  }
  buffer_free(&request);
  return status;
}

static void take_stamp(struct sending *sending) {
  struct error error;
  int64_t at = 0;
  char moment[TIMESTAMP_TEXT_SIZE];
  struct receipt *receipt = &sending->receipts[sending->count++];
  *receipt = (struct receipt){.holder = HOLDER_TIMESTAMP};
  enum status status = ask_stamp(sending, &at, &error);
  clock_format(at, moment);
  const char *answer = arena_printf(sending->arena, "RFC 3161, %s", moment);
  keep_outcome(sending, receipt, status, answer, &error);
  receipt->stamp = buffer_view(&sending->stamp);
}

static void send_to(struct sending *sending, const struct holder_config *holder) {
  struct error error;
  const char *answer = NULL;
  struct receipt *receipt = &sending->receipts[sending->count++];
  *receipt = (struct receipt){.holder = holder->name};
  enum status status = holder->folder != NULL ? put_in_folder(sending, holder->folder, &answer, &error)
                                              : deliver(sending, holder, &answer, &error);
  keep_outcome(sending, receipt, status, answer, &error);
  sending->done->reached += status == OK;
  sending->done->failed += status != OK;
}

static void put_names(const struct sending *sending, bool reached, struct buffer *body) {
  const char *comma = "";
  for (size_t i = 0; i < sending->count; i++) {
    if ((sending->receipts[i].sent != 0) == reached) {
      buffer_text(body, comma);
      buffer_json(body, slice_of(sending->receipts[i].holder));
      comma = ",";
    }
  }
}

static enum status write_entry(struct sending *sending, struct error *error) {
  struct buffer body;
  char hex[2 * SHA256_SIZE + 1];
  hex_format(sending->checkpoint.hash.bytes, SHA256_SIZE, hex);
  buffer_init(&body, BODY_LIMIT);
  buffer_text(&body, "{\"failed\":[");
  put_names(sending, false, &body);
  buffer_printf(&body, "],\"hash\":\"%s\",\"holders\":[", hex);
  put_names(sending, true, &body);
  buffer_printf(&body, "],\"sequence\":%lld}", (long long)sending->checkpoint.sequence);
  enum status status = buffer_check(&body, _("an audit entry"), error);
  if (status == OK) {
    const struct audit_event event = {.event = "checkpoint", .actor = sending->workspace->actor, .body = body.data};
    status = audit_append(sending->workspace->store, &event, error);
  }
  buffer_free(&body);
  return status;
}

static enum status keep_receipts(struct sending *sending, struct error *error) {
  struct store *store = sending->workspace->store;
  enum status status = store_begin(store, error);
  if (status != OK) {
    return status;
  }
  for (size_t i = 0; i < sending->count && status == OK; i++) {
    status = store_receipt_save(store, &sending->receipts[i], error);
  }
  status = status == OK ? write_entry(sending, error) : status;
  if (status == OK) {
    return store_commit(store, error);
  }
  store_rollback(store);
  return status;
}

/* ---- who is due ---- */

struct last_sent {
  const struct checkpoints_config *config;
  int64_t *sent; /* by position in config->holders */
  struct holders_standing *standing;
};

static enum status take_holder(void *context, const char *holder, int64_t sent, int64_t first, struct error *error) {
  const struct last_sent *last = context;
  (void)error;
  for (size_t i = 0; i < last->config->holder_count; i++) {
    if (strcmp(last->config->holders[i].name, holder) != 0) {
      continue;
    }
    if (last->sent != NULL) {
      last->sent[i] = sent;
    }
    if (last->standing != NULL) {
      int64_t tried = last->standing->tried;
      last->standing->last = sent > last->standing->last ? sent : last->standing->last;
      last->standing->tried = tried == 0 || first < tried ? first : tried;
    }
  }
  return OK;
}

static enum status find_due(const struct sending *sending, bool *due, size_t *count, struct error *error) {
  const struct checkpoints_config *config = &sending->workspace->config->checkpoints;
  int64_t *sent = arena_array(sending->arena, config->holder_count, sizeof *sent);
  struct last_sent last = {.config = config, .sent = sent};
  if (sent == NULL) {
    return error_memory(error);
  }
  enum status status = store_visit_holders(sending->workspace->store, take_holder, &last, error);
  int64_t moment = timetable_last(&config->timetable, "duty:checkpoint", clock_now()).at;
  *count = 0;
  for (size_t i = 0; i < config->holder_count; i++) {
    due[i] = !sending->job->due || sent[i] < moment || sent[i] == 0;
    *count += due[i];
  }
  return status;
}

/* ---- sending ---- */

static enum status sign(struct sending *sending, struct error *error) {
  enum status status = auditing_checkpoint(sending->workspace, &sending->checkpoint, &sending->text, error);
  if (status == OK) {
    long long sequence = (long long)sending->checkpoint.sequence;
    snprintf(sending->name, sizeof sending->name, "%s-%lld.checkpoint", sending->checkpoint.workspace, sequence);
    snprintf(sending->stamp_name, sizeof sending->stamp_name, "%s-%lld.tsr", sending->checkpoint.workspace, sequence);
    sending->done->sequence = sequence;
  }
  return status;
}

static enum status send_all(struct sending *sending, struct error *error) {
  const struct checkpoints_config *config = &sending->workspace->config->checkpoints;
  bool *due = arena_array(sending->arena, config->holder_count, sizeof *due);
  sending->receipts = arena_array(sending->arena, config->holder_count + 1, sizeof *sending->receipts);
  if (due == NULL || sending->receipts == NULL) {
    return error_memory(error);
  }
  size_t count = 0;
  enum status status = find_due(sending, due, &count, error);
  if (status != OK || count == 0) {
    return status;
  }
  status = sign(sending, error);
  if (status != OK) {
    return status;
  }
  if (config->stamp_url != NULL) {
    take_stamp(sending);
  }
  for (size_t i = 0; i < config->holder_count; i++) {
    if (due[i]) {
      send_to(sending, &config->holders[i]);
    }
  }
  status = keep_receipts(sending, error);
  if (status == OK && sending->first.code != OK) {
    *error = sending->first;
    status = error->code;
  }
  return status;
}

enum status holders_send(struct workspace *workspace, const struct holders_job *job, struct holders_done *done,
                         struct error *error) {
  *done = (struct holders_done){.sequence = 0};
  if (workspace->config->checkpoints.holder_count == 0) {
    error_set(error, ERR_CONFIG, "%s", _("no holder of checkpoints is configured"));
    error_hint(error, "%s", _("name them in `checkpoints: holders:` of puente.yaml"));
    return ERR_CONFIG;
  }
  struct sending sending = {.workspace = workspace, .job = job, .done = done, .arena = arena_new(0)};
  if (sending.arena == NULL) {
    return error_memory(error);
  }
  buffer_init(&sending.text, CHECKPOINT_LIMIT);
  buffer_init(&sending.stamp, TIMESTAMP_LIMIT);
  enum status status = send_all(&sending, error);
  buffer_free(&sending.text);
  buffer_free(&sending.stamp);
  arena_free(sending.arena);
  return status;
}

static enum status check_secret(const struct config *config, const char *reference, struct error *error) {
  char *secret = NULL;
  enum status status = reference == NULL ? OK : secret_read(reference, config->folder, &secret, error);
  secret_free(secret);
  return status;
}

enum status holders_check(const struct config *config, const struct holder_config *holder, struct error *error) {
  if (holder->folder == NULL) {
    return check_secret(config, holder->mail != NULL ? config->notify.password : holder->webhook.token, error);
  }
  return access(holder->folder, W_OK | X_OK) == 0 ? OK : write_failed(holder->folder, error);
}

enum status holders_read(const struct workspace *workspace, int64_t now, struct holders_standing *standing,
                         struct error *error) {
  const struct checkpoints_config *config = &workspace->config->checkpoints;
  struct last_sent last = {.config = config, .standing = standing};
  *standing = (struct holders_standing){.holders = config->holder_count};
  if (config->holder_count == 0 || workspace->store == NULL) {
    return OK;
  }
  enum status status = store_visit_holders(workspace->store, take_holder, &last, error);
  int64_t since = standing->last != 0 ? standing->last : standing->tried;
  standing->stale = standing->last == 0 || now - standing->last >= HOLDERS_OLD;
  standing->alarming = since != 0 && now - since >= HOLDERS_OLD;
  return status;
}
