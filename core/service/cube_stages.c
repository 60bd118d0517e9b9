#include "core/service/cube_fields.h"

#include <stdlib.h>

/* Position of the code in the list; -1: it has none. */
static int position_of(const struct codelist *list, const struct map *dictionary, uint32_t value) {
  const struct code *code = value == MAP_NONE ? NULL : codelist_code(list, map_key(dictionary, value));
  return code == NULL ? -1 : (int)(code - codelist_at(list, 0));
}

static void advance(int *furthest, uint32_t id, int position) {
  if (id != MAP_NONE && position > furthest[id]) {
    furthest[id] = position;
  }
}

static bool is_intervention(const struct map *dictionary, uint32_t type) {
  return type != MAP_NONE
         && (slice_is(map_key(dictionary, type), "rescue") || slice_is(map_key(dictionary, type), "operation"));
}

enum status cube_stages(const struct cube_request *request, struct map *dictionary, int **furthest, size_t *count,
                        struct error *error) {
  static const char *const steps[] = {"case_id", "stage"}, *const events[] = {"case_id", "type"};
  const struct codelist *list = codelists_find(request->workspace->lists, "stage");
  struct grid proceedings = {0}, happened = {0};
  *furthest = NULL;
  if (list == NULL) {
    return error_set(error, ERR_CONFIG, "%s", _("there is no code list 'stage'"));
  }
  enum status status =
      grid_load(request->workspace->store, "proceedings", steps, 2, request->source, dictionary, &proceedings, error);
  if (status == OK) {
    status = grid_load(request->workspace->store, "events", events, 2, request->source, dictionary, &happened, error);
  }
  *count = map_count(dictionary);
  if (status == OK && (*furthest = malloc((*count + 1) * sizeof **furthest)) == NULL) {
    status = error_memory(error);
  }
  if (status == OK) {
    const struct code *intervention = codelist_code(list, slice_of("intervention"));
    for (size_t i = 0; i <= *count; i++) {
      (*furthest)[i] = -1;
    }
    for (size_t row = 0; row < proceedings.count; row++) {
      advance(*furthest, grid_value(&proceedings, row, 0),
              position_of(list, dictionary, grid_value(&proceedings, row, 1)));
    }
    for (size_t row = 0; row < happened.count && intervention != NULL; row++) {
      if (is_intervention(dictionary, grid_value(&happened, row, 1))) {
        advance(*furthest, grid_value(&happened, row, 0), (int)(intervention - codelist_at(list, 0)));
      }
    }
  }
  grid_free(&proceedings);
  grid_free(&happened);
  return status;
}
