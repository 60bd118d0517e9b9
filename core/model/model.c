#include "core/model/model.h"

#include "core/base/text.h"
#include "core/model/read.h"

static const char *const MISSING_NAMES[MISSING_COUNT + 1] = {
    [MISSING_UNSTATED] = "unstated",
    [MISSING_NOT_ASKED] = "not_asked",
    [MISSING_NOT_RECORDED] = "not_recorded",
    [MISSING_REFUSED] = "refused",
    [MISSING_UNKNOWN] = "unknown",
    [MISSING_NOT_DISAGGREGATED] = "not_disaggregated",
    [MISSING_NOT_APPLICABLE] = "not_applicable",
    [MISSING_PROTECTED] = "protected",
    [MISSING_INVALID] = "invalid",
};

struct slice field_mask(const struct field *field, struct arena *arena, struct slice text, size_t most) {
  bool coded = field != NULL && (field->codelist != NULL || field->type == FIELD_BOOLEAN);
  return coded && text.len > 0 ? slice_of("***") : text_shape(arena, text, most);
}

const char *missing_name(enum missing missing) {
  return (unsigned)missing < MISSING_COUNT ? MISSING_NAMES[missing] : MISSING_NAMES[MISSING_UNSTATED];
}

bool missing_parse(struct slice name, enum missing *missing) {
  for (int i = 0; i < MISSING_COUNT; i++) {
    if (slice_is(name, MISSING_NAMES[i])) {
      *missing = (enum missing)i;
      return true;
    }
  }
  return false;
}

/* The model as its users see it, and the memory behind it. */
struct owned_model {
  struct model model;
  struct arena *arena;
};

static enum status load(struct owned_model *owned, const char *folder, struct error *error) {
  const char *const *paths;
  size_t count;
  enum status status = folder_list(folder, ".yaml", owned->arena, &paths, &count, error);
  if (status != OK) {
    return status;
  }
  if (count == 0 || count > MODEL_ENTITIES_MOST) {
    error_set(error, ERR_CONFIG, _("the model has %zu files; it needs 1 to %d"), count, MODEL_ENTITIES_MOST);
    error_place(error, "%s", folder);
    error_hint(error, "%s", _("one file an entity: case.yaml, person.yaml, …"));
    return ERR_CONFIG;
  }
  struct entity *entities = arena_array(owned->arena, count, sizeof *entities);
  if (entities == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < count; i++) {
    struct sha256 digest;
    entities[i].index = (uint8_t)i;
    status = entity_read(paths[i], owned->arena, &entities[i], &digest, error);
    if (status != OK) {
      return status;
    }
    owned->model.digest = i == 0 ? digest : sha256_pair(1, &owned->model.digest, &digest);
  }
  owned->model.entities = entities;
  owned->model.entity_count = count;
  return OK;
}

enum status model_load(const char *folder, struct model **model, struct error *error) {
  struct arena *arena = arena_new(16 << 20);
  struct owned_model *owned = arena == NULL ? NULL : arena_alloc(arena, sizeof *owned);
  *model = NULL;
  if (owned == NULL) {
    arena_free(arena);
    return error_memory(error);
  }
  owned->arena = arena;
  enum status status = load(owned, folder, error);
  if (status != OK) {
    arena_free(arena);
    return status;
  }
  *model = &owned->model;
  return OK;
}

void model_free(struct model *model) {
  if (model != NULL) {
    struct owned_model *owned = (struct owned_model *)model;
    arena_free(owned->arena);
  }
}

const struct entity *model_entity(const struct model *model, const char *name) {
  for (size_t i = 0; i < model->entity_count; i++) {
    if (strcmp(model->entities[i].name, name) == 0) {
      return &model->entities[i];
    }
  }
  return NULL;
}

const struct field *entity_field(const struct entity *entity, struct slice name) {
  for (size_t i = 0; i < entity->field_count; i++) {
    if (slice_is(name, entity->fields[i].name)) {
      return &entity->fields[i];
    }
  }
  return NULL;
}
