#include "core/sync/gone.h"

enum status gone_init(struct gone *gone, struct error *error) {
  *gone = (struct gone){.records = map_new(), .bytes = map_new(), .persons = map_new(), .epoch = -1};
  return gone->records != NULL && gone->bytes != NULL && gone->persons != NULL ? OK : error_memory(error);
}

void gone_free(struct gone *gone) {
  map_free(gone->records);
  map_free(gone->bytes);
  map_free(gone->persons);
  *gone = (struct gone){0};
}

static struct slice view(const struct keyed_digest *digest) {
  return slice_make((const char *)digest->bytes, KEYED_SIZE);
}

static enum status take(void *context, const struct erasure *erasure, struct error *error) {
  struct gone *gone = context;
  struct map *const maps[ERASURE_KINDS] = {gone->records, gone->bytes, gone->persons};
  if (!erasure->final) {
    return OK;
  }
  return map_put(maps[erasure->kind], view(&erasure->digest), 1) == OK ? OK : error_memory(error);
}

enum status gone_refresh(struct gone *gone, struct store *store, int source_id, bool locks, bool *changed,
                         struct error *error) {
  int64_t epoch = 0;
  enum status status = store_erase_epoch(store, locks ? source_id : 0, &epoch, error);
  *changed = status == OK && epoch != gone->epoch;
  if (!*changed) {
    return status;
  }
  map_clear(gone->records);
  map_clear(gone->bytes);
  map_clear(gone->persons);
  gone->epoch = epoch;
  return store_visit_erasures(store, source_id, take, gone, error);
}

bool gone_has(const struct gone *gone, const struct keyed_digest *key, const struct keyed_digest *bytes) {
  return map_get(gone->records, view(key)) != MAP_NONE || map_get(gone->bytes, view(bytes)) != MAP_NONE;
}

bool gone_has_persons(const struct gone *gone) {
  return map_count(gone->persons) > 0;
}

bool gone_has_person(const struct gone *gone, const struct key *key, struct slice person_key) {
  struct keyed_digest digest = erase_person_digest(key, person_key);
  return map_get(gone->persons, view(&digest)) != MAP_NONE;
}
