#include "core/service/reapply.h"

#include "core/base/date.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/map.h"
#include "core/sync/revoke.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FILE_LIMIT = 1 << 30, ENTRY_RECORDS = 4096 };

enum status erasures_init(struct erasures *erasures, struct error *error) {
  *erasures = (struct erasures){.arena = arena_new(0)};
  return erasures->arena == NULL ? error_memory(error) : OK;
}

void erasures_free(struct erasures *erasures) {
  free(erasures->items);
  arena_free(erasures->arena);
  *erasures = (struct erasures){0};
}

char *copies_folder(const struct config *config, struct arena *arena) {
  const char *named = config->serve.backup_folder == NULL ? "backups" : config->serve.backup_folder;
  return path_join(arena, config->folder, named);
}

static const char *file_in(const struct workspace *workspace, const char *folder, struct arena *arena) {
  char *path = arena_printf(arena, "%s/%s.erasures", folder, workspace->config->name);
  for (char *sign = path == NULL ? NULL : path + strlen(folder) + 1; sign != NULL && *sign != '\0'; sign++) {
    *sign = *sign == '/' || (unsigned char)*sign < ' ' ? '_' : *sign;
  }
  return path;
}

/* ---- reading ---- */

static const char *keep_text(struct erasures *erasures, const char *text) {
  return text == NULL ? NULL : arena_text(erasures->arena, slice_of(text));
}

static enum status add(void *context, const struct erasure *erasure, struct error *error) {
  struct erasures *erasures = context;
  if (erasures->count == erasures->capacity) {
    size_t capacity = erasures->capacity == 0 ? 64 : erasures->capacity * 2;
    struct erasure *grown = realloc(erasures->items, capacity * sizeof *grown);
    if (grown == NULL) {
      return error_memory(error);
    }
    erasures->items = grown;
    erasures->capacity = capacity;
  }
  struct erasure *kept = &erasures->items[erasures->count++];
  *kept = *erasure;
  kept->actor = keep_text(erasures, erasure->actor);
  kept->reason = keep_text(erasures, erasure->reason);
  kept->document = keep_text(erasures, erasure->document);
  return OK;
}

enum status erasures_read_store(struct erasures *erasures, struct store *store, struct error *error) {
  return store_visit_erasures(store, 0, add, erasures, error);
}

static enum status take_line(struct erasures *erasures, const json_t *line, struct error *error) {
  struct erasure erasure = {.source_id = (int)json_integer_value(json_object_get(line, "source")),
                            .record_id = json_integer_value(json_object_get(line, "record")),
                            .run = json_integer_value(json_object_get(line, "run")),
                            .at = json_integer_value(json_object_get(line, "at")),
                            .final = json_is_true(json_object_get(line, "final")),
                            .actor = json_string_value(json_object_get(line, "actor")),
                            .reason = json_string_value(json_object_get(line, "reason")),
                            .document = json_string_value(json_object_get(line, "document"))};
  const char *digest = json_string_value(json_object_get(line, "digest"));
  const char *kind = json_string_value(json_object_get(line, "what"));
  const char *cause = json_string_value(json_object_get(line, "cause"));
  bool kinds = false, causes = false;
  for (int i = 0; i < ERASURE_KINDS && kind != NULL && !kinds; i++) {
    erasure.kind = (enum erasure_kind)i;
    kinds = strcmp(kind, erasure_kind_names[i]) == 0;
  }
  for (int i = 0; i < ERASE_CAUSES && cause != NULL && !causes; i++) {
    erasure.cause = (enum erase_cause)i;
    causes = strcmp(cause, erase_cause_names[i]) == 0;
  }
  bool whole = kinds && causes && digest != NULL && hex_parse(slice_of(digest), erasure.digest.bytes, KEYED_SIZE);
  return whole ? add(erasures, &erasure, error)
               : error_set(error, ERR_INPUT, "%s", _("this is no list of what was taken out"));
}

enum status erasures_read_folder(struct erasures *erasures, const struct workspace *workspace, const char *folder,
                                 struct error *error) {
  const char *path = file_in(workspace, folder, erasures->arena);
  struct buffer text;
  struct stat info;
  enum status status = path == NULL ? error_memory(error) : OK;
  if (status != OK || stat(path, &info) != 0) {
    return status;
  }
  buffer_init(&text, FILE_LIMIT);
  status = file_read(path, FILE_LIMIT, &text, error);
  for (size_t at = 0; status == OK && at < text.len;) {
    const char *end = memchr(text.data + at, '\n', text.len - at);
    size_t len = end == NULL ? text.len - at : (size_t)(end - (text.data + at));
    json_t *line = json_loadb(text.data + at, len, 0, NULL);
    status = take_line(erasures, line, error);
    json_decref(line);
    at += len + 1;
  }
  if (status == ERR_INPUT) {
    error_place(error, "%s", path);
  }
  buffer_free(&text);
  return status;
}

/* ---- keeping ---- */

static void write_line(struct buffer *out, const struct erasure *erasure) {
  char hex[2 * KEYED_SIZE + 1];
  const char *const texts[] = {"actor", erasure->actor, "reason", erasure->reason, "document", erasure->document};
  hex_format(erasure->digest.bytes, KEYED_SIZE, hex);
  buffer_printf(out, "{\"source\":%d,\"what\":\"%s\",\"digest\":\"%s\",\"record\":%lld,\"run\":%lld,\"at\":%lld,",
                erasure->source_id, erasure_kind_names[erasure->kind], hex, (long long)erasure->record_id,
                (long long)erasure->run, (long long)erasure->at);
  buffer_printf(out, "\"final\":%s,\"cause\":\"%s\"", erasure->final ? "true" : "false",
                erase_cause_names[erasure->cause]);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i += 2) {
    if (texts[i + 1] != NULL) {
      buffer_printf(out, ",\"%s\":", texts[i]);
      buffer_json(out, slice_of(texts[i + 1]));
    }
  }
  buffer_text(out, "}\n");
}

void erasures_keep(const struct workspace *workspace, struct store *store, const char *folder) {
  struct erasures erasures;
  struct error error;
  struct buffer text;
  struct stat info;
  enum status status = erasures_init(&erasures, &error);
  buffer_init(&text, FILE_LIMIT);
  const char *in = status != OK ? NULL : folder != NULL ? folder : copies_folder(workspace->config, erasures.arena);
  if (in != NULL && stat(in, &info) == 0 && S_ISDIR(info.st_mode)) {
    status = erasures_read_store(&erasures, store, &error);
    for (size_t i = 0; i < erasures.count && status == OK; i++) {
      write_line(&text, &erasures.items[i]);
    }
    const char *path = file_in(workspace, in, erasures.arena);
    status = status == OK && path == NULL ? error_memory(&error) : status;
    if (status == OK && erasures.count > 0) {
      status = buffer_check(&text, path, &error);
      status = status == OK ? file_write(path, buffer_view(&text), 0600, &error) : status;
    }
  }
  if (status != OK) {
    log_message(LEVEL_WARNING, _("what was taken out could not be written beside the copies: %s"), error.message);
  }
  buffer_free(&text);
  erasures_free(&erasures);
}

/* ---- applying ---- */

struct applying {
  const char *actor;
  const struct key *key;
  const struct entity *person;
  struct store *store;
  struct map *known; /* by source, kind and digest: position in `had` */
  struct erasures had;
  struct taken_again {
    int64_t *records;
    size_t count;
    struct erased erased;
  } causes[ERASE_CAUSES];
  int64_t run;
};

enum { NAME_SIZE = 3 + KEYED_SIZE };
static struct slice name_of(const struct erasure *erasure, uint8_t name[NAME_SIZE]) {
  name[0] = (uint8_t)(erasure->source_id >> 8);
  name[1] = (uint8_t)erasure->source_id;
  name[2] = (uint8_t)erasure->kind;
  memcpy(name + 3, erasure->digest.bytes, KEYED_SIZE);
  return slice_make((const char *)name, NAME_SIZE);
}

static bool is_known(const struct applying *applying, const struct erasure *erasure) {
  uint8_t name[NAME_SIZE];
  uint32_t at = map_get(applying->known, name_of(erasure, name));
  return at != MAP_NONE && applying->had.items[at].at >= erasure->at;
}

static enum status learn(struct applying *applying, const struct erasure *erasure, struct error *error) {
  uint8_t name[NAME_SIZE];
  enum status status = add(&applying->had, erasure, error);
  return status == OK && map_put(applying->known, name_of(erasure, name), (uint32_t)applying->had.count - 1) != OK
             ? error_memory(error)
             : status;
}

struct wanted_person {
  struct applying *applying;
  const struct erasure *erasure;
  struct slice key; /* in the arena of `had` */
};

static enum status look_for(void *context, const struct row *row, struct error *error) {
  struct wanted_person *wanted = context;
  struct keyed_digest digest = erase_person_digest(wanted->applying->key, row->key);
  if (memcmp(digest.bytes, wanted->erasure->digest.bytes, KEYED_SIZE) == 0) {
    wanted->key = arena_copy(wanted->applying->had.arena, row->key);
    return wanted->key.data == NULL ? error_memory(error) : OK;
  }
  return OK;
}

/* The record of that key in this store, and who of it goes. */
static enum status take_out(struct applying *applying, const struct erasure *erasure, struct error *error) {
  struct taken_again *again = &applying->causes[erasure->cause];
  const struct erasing erasing = {.run = applying->run,
                                  .cause = erasure->cause,
                                  .actor = erasure->actor,
                                  .reason = erasure->reason,
                                  .document = erasure->document};
  int64_t before = again->erased.records, record_id = erasure->record_id;
  enum status status = OK;
  if (erasure->kind == ERASURE_KEY) {
    struct record_state_found found;
    status = store_find_records(applying->store, erasure->source_id, &erasure->digest, 1, &found, error);
    record_id = found.record_id;
    if (status == OK && record_id != 0) {
      status = store_erase(applying->store, &erasing, &record_id, 1, &again->erased, error);
    }
  } else if (erasure->kind == ERASURE_PERSON) {
    struct wanted_person wanted = {.applying = applying, .erasure = erasure};
    const struct row_filter filter = {.record_id = record_id, .history = true};
    status = store_visit_rows(applying->store, applying->person, &filter, look_for, &wanted, error);
    if (status == OK && wanted.key.data != NULL) {
      status = store_erase_person(applying->store, &erasing, record_id, wanted.key, &again->erased, error);
    }
  }
  if (status == OK && again->erased.records > before) {
    again->records[again->count++] = record_id;
  }
  return status;
}

static enum status apply_one(struct applying *applying, const struct erasure *erasure, struct error *error) {
  struct erasure stays = *erasure;
  if (is_known(applying, erasure)) {
    return OK;
  }
  enum status status = take_out(applying, erasure, error);
  stays.run = applying->run; /* the number that it had is another run's in this store */
  status = status == OK ? store_write_erasure(applying->store, &stays, error) : status;
  return status == OK ? learn(applying, erasure, error) : status;
}

static enum status apply_all(struct applying *applying, const struct erasures *erasures, int64_t *applied,
                             struct error *error) {
  const char *actor = applying->actor, *reason = "taken out again after a restore";
  enum status status = store_run_begin(applying->store, "erase", 0, actor, reason, &applying->run, error);
  for (size_t i = 0; i < erasures->count && status == OK; i++) {
    status = apply_one(applying, &erasures->items[i], error);
  }
  for (int i = 0; i < ERASE_CAUSES && status == OK; i++) {
    const struct taken_again *again = &applying->causes[i];
    const struct erasing erasing = {
        .run = applying->run, .cause = (enum erase_cause)i, .actor = actor, .reason = reason};
    *applied += (int64_t)again->count;
    for (size_t at = 0; at < again->count && status == OK; at += ENTRY_RECORDS) {
      const struct erased none = {0};
      size_t count = again->count - at < ENTRY_RECORDS ? again->count - at : ENTRY_RECORDS;
      status = erase_log(applying->store, NULL, &erasing, again->records + at, count, at == 0 ? &again->erased : &none,
                         NULL, error);
    }
  }
  const struct counts counts = {.deleted = *applied, .source_count = -1};
  return status == OK ? store_run_end(applying->store, applying->run, RUN_DONE, &counts, NULL, error) : status;
}

static enum status in_transaction(struct applying *applying, const struct erasures *erasures, int64_t *applied,
                                  struct error *error) {
  enum status status = store_begin(applying->store, error);
  if (status != OK) {
    return status;
  }
  status = apply_all(applying, erasures, applied, error);
  status = status == OK ? store_commit(applying->store, error) : status;
  if (status != OK) {
    store_rollback(applying->store);
  }
  return status;
}

enum status erasures_apply(const struct erasures *erasures, const char *actor, const struct store_options *options,
                           struct store *store, int64_t *applied, struct error *error) {
  struct applying applying = {.actor = actor,
                              .key = options->key,
                              .person = model_entity(options->model, "person"),
                              .store = store,
                              .known = map_new()};
  struct erasures had = {.arena = NULL};
  enum status status = erasures_init(&applying.had, error);
  bool memory = status == OK && applying.known != NULL, news = false;
  *applied = 0;
  for (int i = 0; i < ERASE_CAUSES && memory; i++) {
    applying.causes[i].records = calloc(erasures->count + 1, sizeof *applying.causes[i].records);
    memory = applying.causes[i].records != NULL;
  }
  status = memory ? erasures_init(&had, error) : error_memory(error);
  status = status == OK ? erasures_read_store(&had, store, error) : status;
  for (size_t i = 0; status == OK && i < had.count; i++) {
    status = learn(&applying, &had.items[i], error);
  }
  for (size_t i = 0; status == OK && i < erasures->count; i++) {
    news = news || !is_known(&applying, &erasures->items[i]);
  }
  status = status == OK && news ? in_transaction(&applying, erasures, applied, error) : status;
  for (int i = 0; i < ERASE_CAUSES; i++) {
    free(applying.causes[i].records);
  }
  erasures_free(&had);
  erasures_free(&applying.had);
  map_free(applying.known);
  return status;
}
