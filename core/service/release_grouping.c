#include "core/service/release_plan.h"

#include <string.h>

/* Coarse fields of codes, and where the codes that they group are declared. A period is computed: it needs no list. */
static const struct {
  const char *field, *fine; /* fine NULL: departments of the list of places */
} COARSE[RELEASE_GROUPINGS_MOST] = {{"purpose_group", "purposes"}, {"region", NULL}};

bool release_table_uses(const struct release_table_plan *table, const char *field) {
  for (size_t i = 0; i < table->by_count; i++) {
    if (strcmp(table->by[i], field) == 0) {
      return true;
    }
  }
  for (size_t i = 0; i < table->indicator.condition_count; i++) {
    if (strcmp(table->indicator.conditions[i].field, field) == 0) {
      return true;
    }
  }
  return false;
}

const struct release_grouping *release_grouping_of(const struct release_table_plan *table, const char *field) {
  for (size_t i = 0; i < table->grouping_count; i++) {
    if (strcmp(table->groupings[i].field, field) == 0) {
      return &table->groupings[i];
    }
  }
  return NULL;
}

const char *release_group_of(const struct release_table_plan *table, const char *field, const char *code) {
  const struct release_grouping *grouping = release_grouping_of(table, field);
  for (size_t i = 0; grouping != NULL && i < grouping->count; i++) {
    for (size_t k = 0; k < grouping->groups[i].count; k++) {
      if (strcmp(grouping->groups[i].members[k], code) == 0) {
        return grouping->groups[i].code;
      }
    }
  }
  return NULL;
}

/* ---- of today ---- */

/* The code list of the finer field. */
static const struct codelist *fine_list(const struct workspace *workspace, const char *field) {
  static const char *const entities[] = {"involvement", "person", "case"};
  const char *name = field == NULL ? "place" : NULL;
  for (size_t i = 0; i < sizeof entities / sizeof *entities && name == NULL; i++) {
    const struct entity *entity = model_entity(workspace->model, entities[i]);
    const struct field *found = entity == NULL ? NULL : entity_field(entity, slice_of(field));
    name = found == NULL ? NULL : found->codelist;
  }
  return name == NULL ? NULL : codelists_find(workspace->lists, name);
}

static enum status take_group(const struct codelist *fine, bool tops, const char *code, struct arena *arena,
                              struct release_grouping *grouping, struct error *error) {
  const char **members = arena_array(arena, codelist_size(fine) + 1, sizeof *members);
  size_t count = 0;
  if (members == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < codelist_size(fine); i++) {
    const struct code *member = codelist_at(fine, i);
    if (member->group != NULL && strcmp(member->group, code) == 0 && (!tops || member->parent == NULL)) {
      members[count++] = member->code;
    }
  }
  if (count > 0) {
    grouping->groups[grouping->count++] = (struct release_group){.code = code, .members = members, .count = count};
  }
  return OK;
}

enum status release_grouping_take(const struct workspace *workspace, struct arena *arena,
                                  struct release_table_plan *table, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < RELEASE_GROUPINGS_MOST && status == OK; i++) {
    const struct codelist *fine = fine_list(workspace, COARSE[i].fine);
    const struct codelist *coarse = codelists_find(workspace->lists, COARSE[i].field);
    struct release_grouping grouping = {.field = COARSE[i].field};
    if (!release_table_uses(table, COARSE[i].field)) {
      continue;
    }
    grouping.groups = coarse == NULL ? NULL : arena_array(arena, codelist_size(coarse) + 1, sizeof *grouping.groups);
    if (coarse != NULL && grouping.groups == NULL) {
      return error_memory(error);
    }
    for (size_t c = 0; coarse != NULL && fine != NULL && c < codelist_size(coarse) && status == OK; c++) {
      status = take_group(fine, COARSE[i].fine == NULL, codelist_at(coarse, c)->code, arena, &grouping, error);
    }
    if (status == OK && grouping.count == 0) {
      error_set(error, ERR_CONFIG, _("table '%s': nothing is grouped by %s"), table->name, COARSE[i].field);
      error_hint(error, _("the code list '%s' names the groups, `group:` of the codes says which is theirs"),
                 COARSE[i].field);
      status = ERR_CONFIG;
    }
    table->groupings[table->grouping_count++] = grouping;
  }
  return status;
}

/* ---- frozen ---- */

void release_grouping_write(const struct release_table_plan *table, struct buffer *out) {
  for (size_t i = 0; i < table->grouping_count; i++) {
    const struct release_grouping *grouping = &table->groupings[i];
    buffer_text(out, i == 0 ? ",\"groups\":[" : ",");
    buffer_text(out, "{\"field\":");
    buffer_json(out, slice_of(grouping->field));
    buffer_text(out, ",\"of\":[");
    for (size_t g = 0; g < grouping->count; g++) {
      buffer_text(out, g == 0 ? "{\"code\":" : ",{\"code\":");
      buffer_json(out, slice_of(grouping->groups[g].code));
      buffer_text(out, ",\"members\":[");
      for (size_t m = 0; m < grouping->groups[g].count; m++) {
        buffer_text(out, m == 0 ? "" : ",");
        buffer_json(out, slice_of(grouping->groups[g].members[m]));
      }
      buffer_text(out, "]}");
    }
    buffer_text(out, i + 1 == table->grouping_count ? "]}]" : "]}");
  }
}

static bool read_group(const struct node *node, struct arena *arena, struct release_group *group) {
  const struct node *code = node_at(node, "code"), *members = node_at(node, "members");
  if (code == NULL || members == NULL) {
    return false;
  }
  group->code = arena_text(arena, code->text);
  group->members = arena_array(arena, members->count + 1, sizeof *group->members);
  bool whole = group->code != NULL && group->members != NULL;
  for (uint32_t i = 0; whole && i < members->count; i++) {
    group->members[group->count] = arena_text(arena, members->children[i].text);
    whole = group->members[group->count++] != NULL;
  }
  return whole;
}

bool release_grouping_read(const struct node *root, struct arena *arena, struct release_table_plan *table) {
  const struct node *groups = node_at(root, "groups");
  bool whole = groups == NULL || groups->count <= RELEASE_GROUPINGS_MOST;
  for (uint32_t i = 0; groups != NULL && whole && i < groups->count; i++) {
    const struct node *field = node_at(&groups->children[i], "field"), *of = node_at(&groups->children[i], "of");
    struct release_grouping *grouping = &table->groupings[table->grouping_count++];
    whole = field != NULL && of != NULL;
    grouping->field = whole ? arena_text(arena, field->text) : NULL;
    grouping->groups = whole ? arena_array(arena, of->count + 1, sizeof *grouping->groups) : NULL;
    whole = grouping->field != NULL && grouping->groups != NULL;
    for (uint32_t g = 0; whole && g < of->count; g++) {
      whole = read_group(&of->children[g], arena, &grouping->groups[grouping->count++]);
    }
  }
  for (size_t i = 0; whole && i < RELEASE_GROUPINGS_MOST; i++) { /* a coarse field without its groups */
    whole = !release_table_uses(table, COARSE[i].field) || release_grouping_of(table, COARSE[i].field) != NULL;
  }
  return whole;
}
