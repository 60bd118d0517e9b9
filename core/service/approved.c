#include "core/base/file.h"
#include "core/base/folder.h"
#include "core/base/log.h"
#include "core/service/approved_files.h"
#include "core/service/approved_log.h"
#include "core/store/access.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- which text counts ---- */

struct reading {
  const struct workspace *workspace;
  struct approved_texts *texts;
  struct arena *arena; /* of paths */
};

static bool is_weights(const struct approval *approval) {
  return strcmp(approval->kind, text_kind_names[TEXT_WEIGHTS]) == 0 && strcmp(approval->name, WEIGHTS_NAME) == 0;
}

static enum status take_weights(struct approved_texts *texts, const struct approval *approval, struct error *error) {
  const char *fault = approval->fault;
  texts->weighed = weights_read(approval->body, texts->weights);
  if (fault == NULL && !texts->weighed) {
    fault = _("the text of the approved weights cannot be read");
  }
  texts->weights_fault = fault == NULL ? NULL : arena_text(texts->arena, slice_of(fault));
  return fault != NULL && texts->weights_fault == NULL ? error_memory(error) : OK;
}

static enum status take_approved(void *context, const struct approval *approval, struct error *error) {
  const struct reading *reading = context;
  enum text_kind kind;
  if (approval->state == APPROVAL_APPROVED && is_weights(approval)) {
    return take_weights(reading->texts, approval, error);
  }
  if (approval->state != APPROVAL_APPROVED || !approved_kind(approval->kind, &kind)) {
    return OK;
  }
  const char *path = approved_path(reading->workspace->config, kind, approval->name, reading->arena);
  if (path == NULL) {
    return OK;
  }
  const struct approved_text text = {
      .kind = kind, .path = path, .name = approval->name, .fault = approval->fault, .body = approval->body};
  return approved_texts_add(reading->texts, &text, error);
}

static bool required(const struct config *config) {
  bool any = false;
  for (int i = 0; i < TEXT_KINDS; i++) {
    any = any || config->approval[i];
  }
  return any;
}

enum status approved_read(struct workspace *workspace, struct error *error) {
  struct reading reading = {.workspace = workspace};
  if (!required(workspace->config) || (store_roles(workspace->store) & ROLES_SERVICE) == 0) {
    return OK;
  }
  enum status status = approved_texts_new(workspace->config->approval, &reading.texts, error);
  if (status != OK) {
    return status;
  }
  reading.arena = arena_new(0);
  status = reading.arena == NULL ? error_memory(error)
                                 : approvals_visit(workspace->store, 0, take_approved, &reading, error);
  arena_free(reading.arena);
  if (status != OK) {
    approved_texts_free(reading.texts);
    return status;
  }
  workspace->texts = reading.texts;
  return OK;
}

/* ---- code lists ---- */

enum status approved_lists(struct workspace *workspace, struct error *error) {
  const struct config *config = workspace->config;
  if (workspace->lists != NULL) {
    return OK;
  }
  if (codelists_load_approved(config->codelist_folders, workspace->texts, &workspace->lists, &workspace->unfit) == OK) {
    return OK;
  }
  return codelists_load(config->codelist_folders, 1, &workspace->lists, error);
}

void approved_lists_tell(const struct workspace *workspace) {
  const struct approved_texts *texts = workspace->texts;
  const char *folder = workspace->config->codelist_folders[1], *const *paths = NULL;
  struct arena *arena = arena_new(0);
  struct error ignored;
  size_t count = 0;
  bool governed = approved_texts_govern(texts, TEXT_CODELIST) && arena != NULL;
  if (governed && folder != NULL && folder_list(folder, ".yaml", arena, &paths, &count, &ignored) != OK) {
    count = 0;
  }
  for (size_t i = 0; governed && i < texts->count; i++) {
    if (texts->items[i].kind == TEXT_CODELIST) {
      approved_texts_tell(&texts->items[i], APPROVED_FILE_MOST);
    }
  }
  for (size_t i = 0; i < count; i++) {
    if (approved_texts_find(texts, TEXT_CODELIST, paths[i]) == NULL) {
      log_message(LEVEL_WARNING,
                  _("%s: this code list has never been approved and is left out, see "
                    "`puente approve list`"),
                  paths[i]);
    }
  }
  arena_free(arena);
}

/* ---- what waits ---- */

struct standing_rows {
  struct arena *arena;
  struct approval rows[2 * APPROVED_WAITING_MOST];
  size_t count;
};

static enum status take_standing(void *context, const struct approval *approval, struct error *error) {
  struct standing_rows *rows = context;
  if (approval->state != APPROVAL_APPROVED && approval->state != APPROVAL_WAITING) {
    return OK;
  }
  if (rows->count == sizeof rows->rows / sizeof *rows->rows) {
    return error_set(error, ERR_LIMIT, _("more than %d files need approval"), APPROVED_WAITING_MOST);
  }
  struct approval lean = *approval;
  lean.body = slice_make(NULL, 0);
  return approved_copy(rows->arena, &lean, &rows->rows[rows->count++], error);
}

static const struct approval *find(const struct standing_rows *rows, const struct approved_file *file,
                                   enum approval_state state) {
  for (size_t i = 0; i < rows->count; i++) {
    const struct approval *row = &rows->rows[i];
    if (row->state == state && strcmp(row->name, file->name) == 0
        && strcmp(row->kind, text_kind_names[file->kind]) == 0) {
      return row;
    }
  }
  return NULL;
}

static bool same(const struct sha256 *one, const struct sha256 *other) {
  return memcmp(one->bytes, other->bytes, SHA256_SIZE) == 0;
}

/* False where the file is the approved one. */
static bool examine(const struct approved_file *file, const struct standing_rows *rows, struct waiting_text *item) {
  struct buffer text;
  struct stat about;
  struct error ignored;
  const struct approval *approved = find(rows, file, APPROVAL_APPROVED), *waits = find(rows, file, APPROVAL_WAITING);
  *item = (struct waiting_text){.kind = file->kind, .name = file->name, .path = file->path, .first = approved == NULL};
  item->missing = file_read(file->path, APPROVED_FILE_MOST, &text, &ignored) != OK;
  if (!item->missing) {
    item->digest = sha256_of(buffer_view(&text));
    item->since = stat(file->path, &about) == 0 ? about.st_mtim.tv_sec * INT64_C(1000000) : 0;
    buffer_free(&text);
  }
  if (approved != NULL) {
    item->former = approved->digest;
  }
  if (approved != NULL && !approved->changed && !item->missing && same(&item->digest, &approved->digest)) {
    return false;
  }
  if (waits != NULL) {
    item->proposal = waits->id;
    item->stale = item->missing || waits->changed || !same(&item->digest, &waits->digest);
    item->proposed_by = waits->proposed_by;
    item->reason = waits->reason;
    item->document = waits->document;
  }
  return true;
}

/* Code lists that were approved and whose file is gone: their folder does not name them any more. */
static enum status add_gone(struct approved_files *files, const struct standing_rows *rows, const struct config *config,
                            struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < rows->count && status == OK && config->approval[TEXT_CODELIST]; i++) {
    const struct approval *row = &rows->rows[i];
    bool list = row->state == APPROVAL_APPROVED && strcmp(row->kind, text_kind_names[TEXT_CODELIST]) == 0;
    const char *path = list ? approved_path(config, TEXT_CODELIST, row->name, files->arena) : NULL;
    status = path == NULL || access(path, F_OK) == 0 ? OK : approved_take(files, TEXT_CODELIST, row->name, path, error);
  }
  return status;
}

/* Learned weights wait as they were proposed: there is no file that could be another. */
static void add_weights(const struct standing_rows *rows, struct waiting_text *items, size_t *count) {
  static const struct sha256 none;
  const struct approval *approved = NULL, *waits = NULL;
  for (size_t i = 0; i < rows->count; i++) {
    const struct approval *row = &rows->rows[i];
    approved = is_weights(row) && row->state == APPROVAL_APPROVED ? row : approved;
    waits = is_weights(row) && row->state == APPROVAL_WAITING ? row : waits;
  }
  if (waits != NULL) {
    items[(*count)++] = (struct waiting_text){.kind = TEXT_WEIGHTS,
                                              .name = waits->name,
                                              .digest = waits->digest,
                                              .former = approved == NULL ? none : approved->digest,
                                              .first = approved == NULL,
                                              .since = waits->proposed_at,
                                              .proposal = waits->id,
                                              .stale = waits->changed,
                                              .proposed_by = waits->proposed_by,
                                              .reason = waits->reason,
                                              .document = waits->document};
  }
}

enum status approved_waiting(const struct workspace *workspace, struct arena *arena, struct waiting_text **items,
                             size_t *count, struct error *error) {
  struct approved_files *files = NULL;
  *items = NULL;
  *count = 0;
  if (workspace->texts == NULL) {
    return OK;
  }
  struct standing_rows *rows = arena_alloc(arena, sizeof *rows);
  if (rows == NULL) {
    return error_memory(error);
  }
  rows->arena = arena;
  rows->count = 0;
  enum status status = approved_collect(workspace->config, arena, &files, error);
  status = status == OK ? approvals_visit(workspace->store, 0, take_standing, rows, error) : status;
  status = status == OK ? add_gone(files, rows, workspace->config, error) : status;
  struct waiting_text *made = status == OK ? arena_array(arena, files->count + 2, sizeof *made) : NULL;
  if (status == OK && made == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; status == OK && i < files->count; i++) {
    *count += examine(&files->items[i], rows, &made[*count]);
  }
  if (status == OK && workspace->config->approval[TEXT_LINK]) {
    add_weights(rows, made, count);
  }
  *items = made;
  return status;
}
