#include "core/service/cube_fields.h"

#include <stdio.h>

static const char *const STEPS[][2] = {{"province", "department"}, {"department", "region"},      {"month", "year"},
                                       {"year", "period"},         {"purposes", "purpose_group"}, {"age", "age_band"}};
enum { STEPS_COUNT = sizeof STEPS / sizeof *STEPS };

const char *cube_coarser_field(const char *field) {
  for (size_t i = 0; i < STEPS_COUNT; i++) {
    if (strcmp(STEPS[i][0], field) == 0) {
      return STEPS[i][1];
    }
  }
  return NULL;
}

const char *cube_finest_field(const char *field) {
  for (size_t i = STEPS_COUNT; i-- > 0;) {
    field = strcmp(STEPS[i][1], field) == 0 ? STEPS[i][0] : field;
  }
  return field;
}

struct slice cube_next_value(struct slice *text) {
  const char *end = memchr(text->data, ';', text->len);
  size_t len = end == NULL ? text->len : (size_t)(end - text->data);
  struct slice value = slice_make(text->data, len);
  *text = end == NULL ? slice_of(NULL) : slice_make(text->data + len + 1, text->len - len - 1);
  return value;
}

const char *cube_ancestor(const struct codelist *places, struct slice place, int level) {
  const char *chain[8] = {NULL};
  int depth = 0;
  const struct code *code = places == NULL ? NULL : codelist_code(places, place);
  while (code != NULL && depth < 8) {
    chain[depth++] = code->code;
    code = code->parent == NULL ? NULL : codelist_code(places, slice_of(code->parent));
  }
  return level < depth ? chain[depth - 1 - level] : NULL;
}

const char *cube_group(const struct codelists *lists, const char *list, struct slice code) {
  const struct codelist *fine = codelists_find(lists, list);
  const struct code *found = fine == NULL ? NULL : codelist_code(fine, code);
  return found == NULL ? NULL : found->group;
}

static const char *group_of(const struct cube_request *request, const struct cube_field *field, struct slice code) {
  if (request->group != NULL) {
    return request->group(request->groups, field->name, code);
  }
  return cube_group(request->workspace->lists, field->kind == CUBE_REGION ? "place" : field->field->codelist, code);
}

enum { GROUPS_MOST = 64, JOINED_MOST = 4096 };

/* Groups of ';'-joined codes, each once; what has none comes first, as an empty text. */
static uint32_t join_groups(const struct cube_request *request, const struct cube_field *field, struct map *dictionary,
                            uint32_t value) {
  const char *groups[GROUPS_MOST];
  char joined[JOINED_MOST];
  size_t count = 0, len = 0;
  bool without = false;
  for (struct slice rest = map_key(dictionary, value); rest.len > 0;) {
    const char *group = group_of(request, field, cube_next_value(&rest));
    size_t at = 0;
    while (group != NULL && at < count && strcmp(groups[at], group) != 0) {
      at++;
    }
    without = without || group == NULL || at == GROUPS_MOST;
    if (group != NULL && at == count && count < GROUPS_MOST) {
      groups[count++] = group;
    }
  }
  for (size_t i = 0; i < count; i++) {
    size_t size = strlen(groups[i]);
    if (len + size + 2 < sizeof joined) {
      joined[len] = ';';
      len += i > 0 || without;
      memcpy(joined + len, groups[i], size);
      len += size;
    }
  }
  return count == 0 ? MAP_NONE : map_intern(dictionary, slice_make(joined, len));
}

uint32_t cube_coarser(const struct cube_request *request, const struct cube_field *field, struct map *dictionary,
                      uint32_t value) {
  char room[INDICATOR_PERIOD_TEXT];
  const char *text = NULL;
  if (value == MAP_NONE || field->kind == CUBE_PURPOSE_GROUP) {
    return value == MAP_NONE ? MAP_NONE : join_groups(request, field, dictionary, value);
  }
  if (field->kind == CUBE_REGION) {
    text = group_of(request, field, map_key(dictionary, value));
  } else if (indicator_period(map_key(dictionary, value), field->axes->period, room)) {
    text = room;
  }
  return text == NULL ? MAP_NONE : map_intern(dictionary, slice_of(text));
}
