#include "core/service/backup.h"

#include "core/audit/audit.h"
#include "core/base/date.h"
#include "core/base/file.h"
#include "core/base/folder.h"
#include "core/base/log.h"
#include "core/service/access.h"
#include "core/service/reapply.h"
#include "core/store/access.h"
#include "core/store/copy_digest.h"
#include "core/store/reseal.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STAMP_LENGTH = 18 /* 2026-11-22T041500Z */, SAMPLE_WINDOWS = 32, SAMPLE_WINDOW = 64, BODIES_LEAST = 1000 };

/* ---- the chain of the log ---- */

static enum status check_chain(void *context, struct store *store, struct error *error) {
  struct audit_check *check = context;
  enum status status = audit_verify(store, check, error);
  if (status != OK || check->first_wrong == 0) {
    return status;
  }
  error_set(error, ERR_STORE, _("the audit log was altered: %s"), check->what);
  error_place(error, _("entry %lld"), (long long)check->first_wrong);
  error_hint(error, "%s", _("keep the store as it is, compare it with the last backup, and tell the data officer"));
  return ERR_STORE;
}

/* ---- noting what was done ---- */

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash == NULL ? path : slash + 1;
}

static enum status take_moment(void *context, const struct audit_row *row, struct error *error) {
  (void)error;
  *(int64_t *)context = row->at;
  return OK;
}

/* A copy cannot hold the note that it was made: without this a store that was put back would know of no backup, or of
 * the one before. What it holds it had when its last entry was written, whenever the file was copied about. */
static enum status note_origin(struct store *store, const char *file, struct error *error) {
  struct sha256 hash;
  int64_t sequence = 0, at = 0;
  enum status status = store_audit_peek(store, &sequence, &hash, error);
  status = status == OK ? store_visit_audit(store, sequence - 1, take_moment, &at, error) : status;
  return status == OK && at > 0 ? store_note_copy(store, "backup", at, file, error) : status;
}

static enum status write_note(const struct workspace *workspace, struct store *store, const char *event,
                              const char *body, const char *file, struct error *error) {
  const struct audit_event entry = {.event = event, .actor = workspace->actor, .body = body};
  enum status status = store_begin(store, error);
  if (status != OK) {
    return status;
  }
  /* A trial of a copy is noted as what it shows: that a restore goes well. */
  const char *what = strcmp(event, "backup") == 0 ? "backup" : "restore";
  status = strcmp(event, "restore") == 0 ? note_origin(store, file, error) : OK;
  status = status == OK ? store_note_copy(store, what, clock_now(), file, error) : status;
  status = status == OK ? audit_append(store, &entry, error) : status;
  if (status == OK) {
    return store_commit(store, error);
  }
  store_rollback(store);
  return status;
}

/* What was done stays done where it cannot be noted. */
static void note(const struct workspace *workspace, struct store *store, const char *event, const char *file,
                 enum copy_proof proof, int64_t rows) {
  struct buffer body;
  struct error error;
  char *path = realpath(file, NULL);
  buffer_init(&body, 1 << 16);
  buffer_text(&body, "{\"file\":");
  buffer_json(&body, slice_of(base_name(file)));
  buffer_printf(&body, ",\"proof\":\"%s\",\"rows\":%lld}", copy_proofs[proof], (long long)rows);
  enum status status = buffer_check(&body, "note", &error);
  status = status == OK ? write_note(workspace, store, event, body.data, path == NULL ? file : path, &error) : status;
  if (status != OK) {
    log_message(LEVEL_WARNING, _("this could not be noted in the store: %s"), error.message);
  }
  free(path);
  buffer_free(&body);
}

/* ---- where copies go ---- */

/* What a workspace is called may hold anything; a file's name, no sign of a path. */
static char in_file_name(char sign) {
  return sign == '/' || (unsigned char)sign < ' ' ? '_' : sign;
}

/* "NAME-2026-11-22T041500Z.db": what a folder of copies holds of a workspace. */
static bool is_copy(const struct workspace *workspace, const char *file) {
  const char *name = workspace->config->name, *suffix = store_backup_suffix(workspace->config->store);
  size_t len = strlen(name);
  for (size_t i = 0; i < len; i++) {
    if (file[i] != in_file_name(name[i])) {
      return false;
    }
  }
  if (file[len] != '-') {
    return false;
  }
  const char *stamp = file + len + 1;
  for (int i = 0; i < STAMP_LENGTH; i++) {
    const char wanted = "9999-99-99T999999Z"[i];
    if (wanted == '9' ? !isdigit((unsigned char)stamp[i]) : stamp[i] != wanted) {
      return false;
    }
  }
  return strcmp(stamp + STAMP_LENGTH, suffix) == 0;
}

static bool is_folder(const char *path) {
  struct stat info;
  size_t len = strlen(path);
  return (len > 0 && path[len - 1] == '/') || (stat(path, &info) == 0 && S_ISDIR(info.st_mode));
}

static enum status make_folder(const char *folder, struct error *error) {
  if (mkdir(folder, 0700) == 0 || (errno == EEXIST && is_folder(folder))) {
    return OK;
  }
  int cause = errno;
  error_set(error, cause == ENOSPC ? ERR_FULL : ERR_IO, _("cannot make the folder: %s"), strerror(cause));
  error_place(error, "%s", folder);
  return error->code;
}

enum status service_backup_place(const struct config *config, struct error *error) {
  struct arena *arena = arena_new(0);
  char *folder = arena == NULL ? NULL : copies_folder(config, arena);
  if (folder == NULL) {
    arena_free(arena);
    return error_memory(error);
  }
  char *slash = strrchr(folder, '/');
  if (access(folder, F_OK) != 0 && slash != NULL) { /* the first copy makes it */
    slash[slash == folder] = '\0';
  }
  int cause = access(folder, W_OK | X_OK) == 0 ? 0 : errno;
  cause = cause != ENOENT && !is_folder(folder) ? ENOTDIR : cause;
  if (cause != 0) {
    error_set(error, ERR_IO, _("copies of the store cannot be written: %s"), strerror(cause));
    error_place(error, "%s", folder);
    error_hint(error, "%s", _("is the folder that `serve: backup:` names there, mounted and writable?"));
  }
  arena_free(arena);
  return cause == 0 ? OK : ERR_IO;
}

/* The file of the copy; `folder` is where older ones lie, or NULL where a file was named. */
static enum status name_copy(const struct workspace *workspace, const struct backup_job *job, struct arena *arena,
                             struct buffer *file, const char **folder, struct error *error) {
  char now[TIMESTAMP_TEXT_SIZE];
  *folder = NULL;
  if (job->target != NULL && !is_folder(job->target)) {
    buffer_text(file, job->target);
    return buffer_check(file, "path", error);
  }
  *folder = job->target != NULL ? job->target : copies_folder(workspace->config, arena);
  if (*folder == NULL) {
    return error_memory(error);
  }
  clock_format(clock_now(), now);
  const char *slash = (*folder)[strlen(*folder) - 1] == '/' ? "" : "/";
  buffer_printf(file, "%s%s", *folder, slash);
  for (const char *sign = workspace->config->name; *sign != '\0'; sign++) {
    buffer_char(file, in_file_name(*sign));
  }
  buffer_printf(file, "-%.13s%.2s%.2sZ%s", now, now + 14, now + 17, store_backup_suffix(workspace->config->store));
  enum status status = buffer_check(file, "path", error);
  return status == OK ? make_folder(*folder, error) : status;
}

/* The oldest give way until `keep` are left; what cannot be deleted is told and stays. */
static enum status prune(const struct workspace *workspace, const char *folder, const char *newest, int keep,
                         int *deleted, struct error *error) {
  struct arena *arena = arena_new(0);
  const char *const *paths = NULL;
  size_t count = 0, copies = 0;
  if (arena == NULL) {
    return error_memory(error);
  }
  enum status status = folder_list(folder, store_backup_suffix(workspace->config->store), arena, &paths, &count, error);
  /* Names sort by time. */
  for (size_t i = count; i > 0 && status == OK; i--) {
    const char *name = base_name(paths[i - 1]);
    if (!is_copy(workspace, name) || strcmp(name, base_name(newest)) == 0 || ++copies < (size_t)keep) {
      continue;
    }
    if (unlink(paths[i - 1]) == 0) {
      copy_digest_forget(paths[i - 1]);
      ++*deleted;
    } else {
      log_message(LEVEL_WARNING, _("an old copy cannot be deleted: %s: %s"), paths[i - 1], strerror(errno));
    }
  }
  arena_free(arena);
  return status;
}

enum status service_visit_copies(const struct workspace *workspace, copy_visitor *visit, void *context,
                                 struct error *error) {
  struct arena *arena = arena_new(0);
  const char *const *paths = NULL;
  size_t count = 0;
  const char *folder = arena == NULL ? NULL : copies_folder(workspace->config, arena);
  enum status status = folder == NULL ? error_memory(error) : OK;
  if (status == OK && is_folder(folder)) {
    status = folder_list(folder, store_backup_suffix(workspace->config->store), arena, &paths, &count, error);
  }
  for (size_t i = 0; i < count && status == OK; i++) {
    if (is_copy(workspace, base_name(paths[i]))) {
      visit(context, folder, base_name(paths[i]));
    }
  }
  arena_free(arena);
  return status;
}

static void take_newer(void *context, const char *folder, const char *name) {
  struct buffer *path = context;
  buffer_reset(path);
  buffer_printf(path, "%s/%s", folder, name);
}

enum status service_newest_copy(const struct workspace *workspace, struct buffer *path, struct error *error) {
  buffer_init(path, 2 * PATH_MAX);
  enum status status = service_visit_copies(workspace, take_newer, path, error);
  return status == OK ? buffer_check(path, "path", error) : status;
}

/* ---- making a copy ---- */

void backup_done_free(struct backup_done *done) {
  buffer_free(&done->file);
}

static enum status make_copy(const struct workspace *workspace, const struct backup_job *job, struct backup_done *done,
                             struct error *error) {
  struct store_options options;
  struct audit_check chain = {.entries = -1};
  struct backup_made made = {.bytes = 0};
  char *password = NULL;
  enum status status = workspace_store_options(workspace, &options, &password, error);
  if (status != OK) {
    return status;
  }
  const struct backup_request request = {
      .target = done->file.data, .check = check_chain, .context = &chain, .stop = job->stop};
  status = store_backup(workspace->store, &options, &request, &made, error);
  secret_free(password);
  done->proof = made.proof;
  done->tables = (int64_t)made.holdings.count;
  done->rows = made.holdings.rows;
  done->bytes = made.bytes;
  done->entries = chain.entries;
  holdings_free(&made.holdings);
  return status;
}

enum status service_backup(struct workspace *workspace, const struct backup_job *job, struct backup_done *done,
                           struct error *error) {
  const char *folder = NULL;
  struct arena *arena = arena_new(1 << 20);
  *done = (struct backup_done){.deleted = 0};
  buffer_init(&done->file, PATH_MAX + 64);
  enum status status =
      arena == NULL ? error_memory(error) : name_copy(workspace, job, arena, &done->file, &folder, error);
  status = status == OK ? make_copy(workspace, job, done, error) : status;
  if (status == OK) {
    note(workspace, workspace->store, "backup", done->file.data, done->proof, done->rows);
  }
  if (status == OK) {
    erasures_keep(workspace, workspace->store, folder);
  }
  if (status == OK && folder != NULL && job->keep > 0) {
    status = prune(workspace, folder, done->file.data, job->keep, &done->deleted, error);
  }
  arena_free(arena);
  return status;
}

/* ---- putting back ---- */

void restore_done_free(struct restore_done *done) {
  buffer_free(&done->aside);
}

/* From the store that will be replaced, as far as it can be read, and from the files beside the copies. */
static enum status read_erasures(const struct workspace *workspace, const struct store_options *options,
                                 const char *file, struct erasures *erasures, struct error *error) {
  struct store *store = NULL;
  struct store_options reading = *options;
  struct error unread;
  reading.read_only = true;
  enum status status = erasures_init(erasures, error);
  if (status == OK && store_open(&reading, &store, &unread) == OK) {
    if (erasures_read_store(erasures, store, &unread) != OK) {
      log_error(LEVEL_WARNING, &unread);
    }
    store_close(store);
  }
  const char *own = status == OK ? copies_folder(workspace->config, erasures->arena) : NULL;
  const char *beside = status == OK ? path_folder(erasures->arena, file) : NULL;
  if (status == OK && (own == NULL || beside == NULL)) {
    return error_memory(error);
  }
  status = status == OK ? erasures_read_folder(erasures, workspace, own, error) : status;
  return status == OK && strcmp(own, beside) != 0 ? erasures_read_folder(erasures, workspace, beside, error) : status;
}

/* The store is restored whatever becomes of this. */
static void take_out_again(const struct workspace *workspace, const struct store_options *options,
                           const struct erasures *erasures, struct restore_done *done) {
  struct store *store = NULL;
  if (erasures->count == 0) {
    return;
  }
  enum status status = done->current ? store_open(options, &store, &done->erased_why) : done->why.code;
  if (status == OK) {
    status = erasures_apply(erasures, workspace->actor, options, store, &done->erased, &done->erased_why);
    status = status == OK && done->erased > 0 ? store_purge(store, &done->erased_why) : status;
    store_close(store);
  } else if (!done->current) {
    done->erased_why = done->why;
  }
  done->erased_fails = status != OK;
}

/* The restored store as the program's commands open it; noted in itself. */
static void open_restored(const struct workspace *workspace, const struct store_options *options, const char *file,
                          bool noted, struct restore_done *done) {
  struct store *store = NULL;
  struct holdings holdings = {.items = NULL};
  struct error ignored;
  enum status status = store_open(options, &store, &done->why);
  done->current = status == OK;
  enum roles_state roles = ROLES_NONE;
  done->roles_old = status == OK && store_roles_state(store, &roles, &ignored) == OK && roles == ROLES_OLD;
  if (status == OK && noted && store_holdings(store, &holdings, &done->why) == OK) {
    note(workspace, store, "restore", file, options->kind == STORE_SQLITE ? PROOF_OPENED : PROOF_RESTORED,
         holdings.rows);
  }
  holdings_free(&holdings);
  store_close(store);
}

static enum status restore(const struct workspace *workspace, const struct store_options *options, const char *file,
                           bool noted, struct restore_done *done, struct error *error) {
  struct audit_check chain;
  *done = (struct restore_done){.version = 0};
  buffer_init(&done->aside, PATH_MAX + 64);
  enum status status = store_restore(options, file, check_chain, &chain, &done->aside, &done->version, error);
  if (status == OK) {
    open_restored(workspace, options, file, noted, done);
  }
  return status;
}

/* The key is needed: a copy of another workspace must not take the store's place. */
static enum status need_key(const struct workspace *workspace, struct key **key, struct error *error) {
  *key = NULL;
  if (workspace->key != NULL) {
    return OK;
  }
  enum status status = key_load(workspace->config->key_file, key, error);
  if (status == ERR_NOT_FOUND) {
    error_hint(error, "%s", _("put the key file of this workspace back from its copy; nothing was changed"));
  }
  return status;
}

enum status service_restore(const struct workspace *workspace, const char *file, struct restore_done *done,
                            struct error *error) {
  struct store_options options;
  struct key *key = NULL;
  char *password = NULL;
  *done = (struct restore_done){.version = 0};
  enum status status = access_person(workspace, error);
  status = status == OK ? need_key(workspace, &key, error) : status;
  status = status == OK ? workspace_store_options(workspace, &options, &password, error) : status;
  struct erasures erasures = {.arena = NULL};
  if (status == OK) {
    options.key = key == NULL ? options.key : key;
    status = read_erasures(workspace, &options, file, &erasures, error);
    status = status == OK ? restore(workspace, &options, file, true, done, error) : status;
  }
  if (status == OK) {
    take_out_again(workspace, &options, &erasures, done);
  }
  erasures_free(&erasures);
  secret_free(password);
  key_free(key);
  return status;
}

/* A second rollback must not go on to the copy of an upgrade before: weeks of work may lie between. */
static void forget_upgrade(const struct store_options *options) {
  struct error error;
  if (store_forget_upgrade(options, &error) != OK) {
    log_message(LEVEL_WARNING, _("this could not be noted in the store: %s"), error.message);
  }
}

enum status service_rollback(const struct workspace *workspace, struct buffer *file, struct restore_done *done,
                             struct error *error) {
  struct store_options options;
  struct key *key = NULL;
  char *password = NULL;
  int version = 0;
  *done = (struct restore_done){.version = 0};
  enum status status = access_person(workspace, error);
  status = status == OK ? need_key(workspace, &key, error) : status;
  status = status == OK ? workspace_store_options(workspace, &options, &password, error) : status;
  if (status == OK) {
    options.key = key == NULL ? options.key : key;
    status = store_before_upgrade(&options, file, &version, error);
    /* Of the log nothing is written into it: it is as the former program left it. */
    status = status == OK ? restore(workspace, &options, file->data, false, done, error) : status;
    if (status == OK) {
      forget_upgrade(&options);
    }
  }
  secret_free(password);
  key_free(key);
  return status;
}

/* ---- looking at what is there ---- */

struct digest_check {
  struct subkey subkey;
  int64_t looked, wrong;
};

static enum status check_digest(void *context, const struct raw_version *version, struct error *error) {
  struct digest_check *check = context;
  (void)error;
  if (version->bytes.len == 0) {
    return OK; /* taken out: the digest stands for bytes that are no more */
  }
  struct keyed_digest digest = subkey_digest(&check->subkey, version->bytes);
  check->looked++;
  if (check->wrong == 0 && memcmp(&digest, &version->digest, sizeof digest) != 0) {
    check->wrong = version->raw_id;
  }
  return OK;
}

/* All current records of a source, or windows of them, evenly spread and shifted by the clock, so that each night's
 * look is another one. */
static enum status check_source(struct workspace *workspace, int source_id, bool full, struct digest_check *check,
                                struct error *error) {
  struct record_tally tally;
  if (full) {
    return store_visit_raw(workspace->store, source_id, -1, 0, 0, check_digest, check, error);
  }
  enum status status = store_tally(workspace->store, source_id, &tally, error);
  int64_t count = tally.records[0] + tally.records[1] + tally.records[2] + tally.records[3];
  int64_t step = count / SAMPLE_WINDOWS > SAMPLE_WINDOW ? count / SAMPLE_WINDOWS : SAMPLE_WINDOW;
  int64_t shift = step > SAMPLE_WINDOW ? clock_now() % (step - SAMPLE_WINDOW) : 0;
  for (int64_t number = shift; status == OK && number < count; number += step) {
    int64_t after = (((int64_t)source_id << RECORD_BITS) + number) << ORDINAL_BITS;
    status = store_visit_raw(workspace->store, source_id, -1, after, SAMPLE_WINDOW, check_digest, check, error);
  }
  return status;
}

static enum status check_digests(struct workspace *workspace, bool full, int64_t *looked, struct error *error) {
  struct digest_check check = {.looked = 0};
  enum status status = OK;
  *looked = -1;
  if (workspace->key == NULL) {
    return OK;
  }
  check.subkey = key_subkey(workspace->key, "record");
  for (size_t i = 0; i < workspace->config->source_count && status == OK; i++) {
    if (workspace->source_ids[i] > 0) {
      status = check_source(workspace, workspace->source_ids[i], full, &check, error);
    }
  }
  *looked = check.looked;
  if (status == OK && check.wrong != 0) {
    error_set(error, ERR_STORE, "%s", _("the bytes of a record are not those that were landed"));
    error_place(error, _("record version %lld"), (long long)check.wrong);
    error_hint(error, "%s", _("restore the last backup beside it and compare; keep the store as it is"));
    return ERR_STORE;
  }
  return status;
}

static enum status check_structure(struct workspace *workspace, struct error *error) {
  char what[160];
  enum status status = store_integrity(workspace->store, what, sizeof what, error);
  if (status == OK && what[0] != '\0') {
    error_set(error, ERR_STORE, "%s", what);
    error_hint(error, "%s", _("restore the last backup; the sources are then pulled from where it ends"));
    return ERR_STORE;
  }
  return status;
}

enum status service_verify(struct workspace *workspace, bool full, struct verify_done *done, struct error *error) {
  struct audit_check chain;
  struct holdings holdings = {.items = NULL};
  *done = (struct verify_done){.version = store_version(workspace->store)};
  enum status status = check_chain(&chain, workspace->store, error);
  status = status == OK ? check_structure(workspace, error) : status;
  status = status == OK ? check_digests(workspace, full, &done->looked, error) : status;
  status = status == OK ? store_holdings(workspace->store, &holdings, error) : status;
  if (status == OK) {
    done->entries = chain.entries;
    done->head = chain.head;
    done->tables = (int64_t)holdings.count;
    done->rows = holdings.rows;
  }
  holdings_free(&holdings);
  return status;
}

struct copy_look {
  struct audit_check chain;
  bool full;
  int64_t opened;
};

/* A key that fits the store's mark is not enough: what it wraps must open what is sealed. */
static enum status look_at_copy(void *context, struct store *store, struct error *error) {
  struct copy_look *look = context;
  enum status status = check_chain(&look->chain, store, error);
  return status == OK ? store_open_bodies(store, look->full ? 0 : BODIES_LEAST, &look->opened, error) : status;
}

static enum status try_copy(const struct workspace *workspace, const struct store_options *options, const char *file,
                            bool full, struct verify_done *done, struct error *error) {
  struct copy_look look = {.chain = {.entries = -1}, .full = full, .opened = -1};
  struct copy_seen seen;
  struct store *store = NULL;
  struct error ignored;
  enum status status = store_check_copy(options, file, look_at_copy, &look, &seen, error);
  if (status != OK) {
    return status;
  }
  done->proof = seen.proof;
  done->version = seen.version;
  done->digest = seen.digest;
  done->entries = look.chain.entries;
  done->head = look.chain.head;
  done->opened = look.opened;
  done->tables = (int64_t)seen.holdings.count;
  done->rows = seen.holdings.rows;
  holdings_free(&seen.holdings);
  if (done->proof != PROOF_READ && store_open(options, &store, &ignored) == OK) {
    note(workspace, store, "restore_tried", file, done->proof, done->rows);
    store_close(store);
  }
  return OK;
}

enum status service_verify_copy(const struct workspace *workspace, const char *file, bool full,
                                struct verify_done *done, struct error *error) {
  struct store_options options;
  struct key *key = NULL;
  char *password = NULL;
  *done = (struct verify_done){.looked = -1};
  enum status status = need_key(workspace, &key, error);
  status = status == OK ? workspace_store_options(workspace, &options, &password, error) : status;
  if (status == OK) {
    options.key = key == NULL ? options.key : key;
    status = try_copy(workspace, &options, file, full, done, error);
  }
  secret_free(password);
  key_free(key);
  return status;
}
