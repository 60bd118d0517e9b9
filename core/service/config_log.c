#include "core/service/config_log.h"

#include "core/audit/audit.h"
#include "core/base/file.h"
#include "core/service/handover_files.h"

#include <jansson.h>
#include <stdlib.h>

enum { FILES_MEMORY = 64 << 20, FILE_MOST = 64 << 20, STATE_MOST = 4 << 20 };

static enum status put_digest(json_t *files, const char *name, const char *path, struct error *error) {
  struct buffer text;
  char hex[2 * SHA256_SIZE + 1];
  enum status status = file_read(path, FILE_MOST, &text, error);
  if (status != OK) {
    return status;
  }
  struct sha256 digest = sha256_of(buffer_view(&text));
  buffer_free(&text);
  hex_format(digest.bytes, SHA256_SIZE, hex);
  return json_object_set_new(files, name, json_string(hex)) == 0 ? OK : error_memory(error);
}

/* Outside of the workspace a file goes by its name alone: a path may tell whose home it lies in. */
static enum status put_files(const struct handover_files *found, json_t *files, struct arena *arena,
                             struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < found->count && status == OK; i++) {
    const char *path = path_join(arena, found->root, found->paths[i]);
    status = path == NULL ? error_memory(error) : put_digest(files, found->paths[i], path, error);
  }
  for (size_t i = 0; i < found->outside_count && status == OK; i++) {
    const char *slash = strrchr(found->outside[i], '/');
    const char *name = arena_printf(arena, "outside:%s", slash == NULL ? found->outside[i] : slash + 1);
    status = name == NULL ? error_memory(error) : put_digest(files, name, found->outside[i], error);
  }
  return status;
}

/* {"files": {NAME: SHA-256}, "program": VERSION} */
static enum status read_state(const struct workspace *workspace, json_t **state, struct error *error) {
  struct arena *arena = arena_new(FILES_MEMORY);
  struct handover_files found;
  json_t *files = json_object();
  enum status status = arena == NULL || files == NULL ? error_memory(error) : OK;
  status = status == OK ? handover_collect(workspace->config, arena, &found, error) : status;
  status = status == OK ? put_files(&found, files, arena, error) : status;
  arena_free(arena);
  if (status != OK) {
    json_decref(files);
    return status;
  }
  *state = json_pack("{s:o,s:s}", "files", files, "program", PUENTE_VERSION);
  return *state == NULL ? error_memory(error) : OK;
}

/* NULL where the store knows none. */
static enum status read_known(struct workspace *workspace, json_t **known, struct error *error) {
  struct buffer text;
  buffer_init(&text, STATE_MOST);
  enum status status = store_noted_config(workspace->store, &text, error);
  *known = status == OK && text.len > 0 ? json_loadb(text.data, text.len, 0, NULL) : NULL;
  buffer_free(&text);
  return status;
}

static json_t *or_null(json_t *value) {
  return value == NULL ? json_null() : json_incref(value);
}

static int put_change(json_t *changes, const char *name, json_t *before, json_t *after) {
  if (before != NULL && after != NULL && json_equal(before, after)) {
    return 0;
  }
  return json_object_set_new(changes, name, json_pack("{s:o,s:o}", "after", or_null(after), "before", or_null(before)));
}

/* What differs: each name with its digest before and after, null where it was not or is no more. */
static json_t *differences(const json_t *known, const json_t *state) {
  json_t *changes = json_object(), *files = json_object(), *value;
  json_t *were = json_object_get(known, "files"), *are = json_object_get(state, "files");
  const char *name;
  int failed = changes == NULL || files == NULL;
  json_object_foreach(are, name, value) {
    failed = failed || put_change(files, name, json_object_get(were, name), value) != 0;
  }
  json_object_foreach(were, name, value) {
    failed = failed || (json_object_get(are, name) == NULL && put_change(files, name, value, NULL) != 0);
  }
  failed = failed
           || put_change(changes, "program", json_object_get(known, "program"), json_object_get(state, "program")) != 0;
  if (failed || json_object_set(changes, "files", files) != 0) {
    json_decref(changes);
    changes = NULL;
  }
  json_decref(files);
  return changes;
}

/* Another process may have noted it since: read again under the lock of the transaction. */
static enum status write_change(struct workspace *workspace, const json_t *state, struct error *error) {
  json_t *known = NULL;
  enum status status = read_known(workspace, &known, error);
  if (status != OK || (known != NULL && json_equal(known, state))) {
    json_decref(known);
    return status;
  }
  json_t *changes = differences(known, state);
  char *body = changes == NULL ? NULL : json_dumps(changes, JSON_COMPACT | JSON_SORT_KEYS);
  char *text = json_dumps(state, JSON_COMPACT | JSON_SORT_KEYS);
  const struct audit_event event = {.event = "config", .actor = workspace->actor, .body = body};
  status =
      body == NULL || text == NULL ? error_memory(error) : store_note_config(workspace->store, slice_of(text), error);
  status = status == OK ? audit_append(workspace->store, &event, error) : status;
  json_decref(changes);
  json_decref(known);
  free(body);
  free(text);
  return status;
}

enum status config_log(struct workspace *workspace, struct error *error) {
  json_t *state = NULL, *known = NULL;
  enum status status = read_state(workspace, &state, error);
  if (status != OK) {
    return status == ERR_MEMORY ? status : OK; /* what is wrong with a file is told where it is used */
  }
  status = read_known(workspace, &known, error);
  if (status == OK && (known == NULL || !json_equal(known, state))) {
    status = store_begin(workspace->store, error);
    if (status == OK) {
      status = write_change(workspace, state, error);
      status = status == OK ? store_commit(workspace->store, error) : status;
      if (status != OK) {
        store_rollback(workspace->store);
      }
    }
    status = status == ERR_AUTH ? OK : status; /* who may not write this leaves it to whoever may */
  }
  json_decref(known);
  json_decref(state);
  return status;
}
