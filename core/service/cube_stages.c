#include "core/service/cube_fields.h"

#include <stdlib.h>

/* Position of the code in the list; -1: it has none. */
static int position_of(const struct codelist *list, const struct map *dictionary, uint32_t value) {
  const struct code *code = value == MAP_NONE ? NULL : codelist_code(list, map_key(dictionary, value));
  return code == NULL ? -1 : (int)(code - codelist_at(list, 0));
}

static void advance(struct cube_progress *progress, uint32_t id, int position) {
  if (id != MAP_NONE && position > progress->furthest[id]) {
    progress->furthest[id] = position;
  }
}

static void decide(struct cube_progress *progress, uint32_t id, int position) {
  if (id != MAP_NONE && position >= 0 && position < 64) {
    progress->decided[id] |= UINT64_C(1) << position;
  }
}

static bool is_intervention(const struct map *dictionary, uint32_t type) {
  return type != MAP_NONE
         && (slice_is(map_key(dictionary, type), "rescue") || slice_is(map_key(dictionary, type), "operation"));
}

static enum status prepare(struct cube_progress *progress, const struct map *dictionary, struct error *error) {
  progress->count = map_count(dictionary);
  progress->furthest = malloc((progress->count + 1) * sizeof *progress->furthest);
  progress->decided = calloc(progress->count + 1, sizeof *progress->decided);
  if (progress->furthest == NULL || progress->decided == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i <= progress->count; i++) {
    progress->furthest[i] = -1;
  }
  return OK;
}

enum status cube_progress_load(const struct cube_request *request, struct map *dictionary,
                               struct cube_progress *progress, struct error *error) {
  static const char *const steps[] = {"case_id", "stage", "decision"}, *const events[] = {"case_id", "type"};
  struct store *store = request->workspace->store;
  struct grid proceedings = {0}, happened = {0};
  *progress = (struct cube_progress){.stages = codelists_find(request->workspace->lists, "stage"),
                                     .decisions = codelists_find(request->workspace->lists, "decision")};
  if (progress->stages == NULL || progress->decisions == NULL) {
    return error_set(error, ERR_CONFIG, "%s", _("the code lists 'stage' and 'decision' are missing"));
  }
  const struct grid_scope scope = {.source = request->source, .as_of_run = request->as_of_run};
  enum status status = grid_load(store, "proceedings", steps, 3, scope, dictionary, &proceedings, error);
  if (status == OK) {
    status = grid_load(store, "events", events, 2, scope, dictionary, &happened, error);
  }
  if (status == OK) {
    status = prepare(progress, dictionary, error);
  }
  for (size_t row = 0; row < proceedings.count && status == OK; row++) {
    uint32_t id = grid_value(&proceedings, row, 0);
    advance(progress, id, position_of(progress->stages, dictionary, grid_value(&proceedings, row, 1)));
    decide(progress, id, position_of(progress->decisions, dictionary, grid_value(&proceedings, row, 2)));
  }
  const struct code *intervention = codelist_code(progress->stages, slice_of("intervention"));
  for (size_t row = 0; row < happened.count && status == OK && intervention != NULL; row++) {
    if (is_intervention(dictionary, grid_value(&happened, row, 1))) {
      advance(progress, grid_value(&happened, row, 0), (int)(intervention - codelist_at(progress->stages, 0)));
    }
  }
  grid_free(&proceedings);
  grid_free(&happened);
  return status;
}

void cube_progress_free(struct cube_progress *progress) {
  free(progress->furthest);
  free(progress->decided);
}

/* A case without any step on record has been reported: the list's first stage. */
uint32_t cube_stage(const struct cube_progress *progress, struct map *dictionary, uint32_t id) {
  int position = id == MAP_NONE || id >= progress->count ? -1 : progress->furthest[id];
  const struct code *code = codelist_at(progress->stages, position < 0 ? 0 : (size_t)position);
  return code == NULL ? MAP_NONE : map_intern(dictionary, slice_of(code->code));
}

uint32_t cube_decisions(const struct cube_progress *progress, struct map *dictionary, uint32_t id) {
  char text[1024];
  size_t len = 0;
  uint64_t decided = id == MAP_NONE || id >= progress->count ? 0 : progress->decided[id];
  for (size_t i = 0; i < 64 && i < codelist_size(progress->decisions); i++) {
    const char *code = codelist_at(progress->decisions, i)->code;
    size_t more = strlen(code);
    if ((decided >> i & 1) != 0 && len + more + 1 < sizeof text) {
      text[len] = ';';
      len += len > 0;
      memcpy(text + len, code, more);
      len += more;
    }
  }
  return len == 0 ? MAP_NONE : map_intern(dictionary, slice_make(text, len));
}
