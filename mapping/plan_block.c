/* Compiles the blocks of a mapping: which rows a record makes, their keys, and what they belong to. */
#include "mapping/plan_internal.h"

#include <stdlib.h>

static bool is_one_of(const char *name, const char *const *names) {
  for (; *names != NULL; names++) {
    if (strcmp(*names, name) == 0) {
      return true;
    }
  }
  return false;
}

/* Names that a block of the entity may hold, for hints. */
static size_t block_names(struct compiler *compiler, const struct entity *entity, const struct entity *involvement,
                          const char ***names) {
  const char *const *keys = language_keys("block");
  size_t count = 0;
  const char **items = compile_alloc(
      compiler, 16 + entity->field_count + (involvement == NULL ? 0 : involvement->field_count), sizeof *items);
  for (; items != NULL && *keys != NULL; keys++) {
    items[count++] = *keys;
  }
  for (size_t i = 0; items != NULL && i < entity->field_count; i++) {
    items[count++] = entity->fields[i].name;
  }
  if (items != NULL && involvement != NULL) {
    items[count++] = "involvement";
  }
  for (size_t i = 0; items != NULL && involvement != NULL && i < involvement->field_count; i++) {
    items[count++] = involvement->fields[i].name;
  }
  *names = items;
  return count;
}

/* A role in plain words is the role itself, not a path. */
static void field_compile(struct compiler *compiler, const struct yaml *entry, const struct entity *entity,
                          const struct field *field, const struct path *base, struct rules *rules) {
  if (strcmp(field->name, "role") != 0 || entry->kind != YAML_SCALAR) {
    rule_compile(compiler, entry, entity, field, base, rules);
    return;
  }
  struct yaml value = *entry, map = *entry;
  value.key = "value";
  map.kind = YAML_MAP;
  map.children = &value;
  map.count = 1;
  rule_compile(compiler, &map, entity, field, base, rules);
}

static void involvement_compile(struct compiler *compiler, const struct yaml *node, struct block *block,
                                const struct entity *involvement) {
  if (node->kind != YAML_MAP) {
    compile_mistake(compiler, node, NULL, _("involvement is a map of fields"));
    return;
  }
  block->involvement = involvement;
  for (size_t i = 0; i < node->count; i++) {
    const struct yaml *entry = &node->children[i];
    const struct field *field = entity_field(involvement, slice_of(entry->key));
    const char **names = NULL;
    if (field != NULL) {
      field_compile(compiler, entry, involvement, field, block->each, &block->involvement_fields);
      continue;
    }
    size_t count = block_names(compiler, involvement, NULL, &names);
    compile_key_mistake(compiler, entry, compile_nearest(compiler, entry->key, names, names == NULL ? 0 : count),
                        _("unknown name '%.64s' in a block of involvement"), entry->key);
  }
}

static void entry_compile(struct compiler *compiler, const struct yaml *entry, struct block *block) {
  const struct entity *involvement =
      block->entity == compiler->plan->person_entity ? model_entity(compiler->model, "involvement") : NULL;
  const struct field *field = entity_field(block->entity, slice_of(entry->key));
  if (field != NULL) {
    field_compile(compiler, entry, block->entity, field, block->each, &block->fields);
    return;
  }
  field = involvement == NULL ? NULL : entity_field(involvement, slice_of(entry->key));
  if (field != NULL) {
    block->involvement = involvement;
    field_compile(compiler, entry, involvement, field, block->each, &block->involvement_fields);
    return;
  }
  if (involvement != NULL && strcmp(entry->key, "involvement") == 0) {
    involvement_compile(compiler, entry, block, involvement);
    return;
  }
  const char **names = NULL;
  size_t count = block_names(compiler, block->entity, involvement, &names);
  compile_key_mistake(compiler, entry, compile_nearest(compiler, entry->key, names, names == NULL ? 0 : count),
                      _("unknown name '%.64s' in a block of %s"), entry->key, block->entity->name);
}

static void references_compile(struct compiler *compiler, const struct yaml *node, struct block *block) {
  const struct yaml *owner = yaml_get(node, "case");
  if (owner != NULL && !block->entity->has_case) {
    compile_key_mistake(compiler, owner, NULL, _("a row of %s belongs to no case"), block->entity->name);
  } else if (owner != NULL) {
    key_compile(compiler, owner, block->each, &block->case_key);
  }
  owner = yaml_get(node, "person");
  if (owner != NULL && !block->entity->has_person) {
    compile_key_mistake(compiler, owner, NULL, _("a row of %s belongs to no person"), block->entity->name);
  } else if (owner != NULL) {
    key_compile(compiler, owner, block->each, &block->person_key);
  }
}

static int role_column(const struct entity *involvement) {
  const struct field *field = involvement == NULL ? NULL : entity_field(involvement, slice_of("role"));
  return field == NULL ? -1 : field->column;
}

/* Rules that look at other fields of their row come after those; otherwise the order of the file stays. */
static void late_last(struct compiler *compiler, struct rules *rules) {
  struct rule *sorted = compile_alloc(compiler, rules->count + 1, sizeof *sorted);
  size_t count = 0;
  for (int late = 0; sorted != NULL && late < 2; late++) {
    for (size_t i = 0; i < rules->count; i++) {
      if (rules->items[i].late == (late == 1)) {
        sorted[count++] = rules->items[i];
      }
    }
  }
  rules->items = sorted;
  rules->capacity = rules->count;
}

static void block_fields(struct compiler *compiler, const struct yaml *node, struct block *block) {
  static const char *const heads[] = {"each", "when", "key", "case", "person", "let", NULL};
  for (size_t i = 0; i < node->count; i++) {
    if (!is_one_of(node->children[i].key, heads)) {
      entry_compile(compiler, &node->children[i], block);
    }
  }
  late_last(compiler, &block->fields);
  late_last(compiler, &block->involvement_fields);
  block->role_column = role_column(block->involvement);
}

static void block_compile(struct compiler *compiler, const struct yaml *node, const struct entity *entity, int number,
                          struct block *block) {
  const struct plan *plan = compiler->plan;
  *block =
      (struct block){.entity = entity, .name = entity->name, .number = number, .line = node->line, .role_column = -1};
  block->needs_reference = (entity->has_case || entity->has_person) && entity != plan->person_entity;
  if (node->kind != YAML_MAP) {
    compile_mistake(compiler, node, _("with nothing to say: {}"), _("a block of %s is a map"), entity->name);
    return;
  }
  const struct yaml *entry = yaml_get(node, "each");
  if (entry != NULL) {
    block->each = path_compile(compiler, entry, compile_scalar(compiler, entry), NULL);
  }
  size_t lets = compiler->let_count;
  if ((entry = yaml_get(node, "let")) != NULL) {
    lets_compile(compiler, entry, block->each, &block->lets);
  }
  if ((entry = yaml_get(node, "when")) != NULL) {
    block->when = condition_compile(compiler, entry, block->each, 0);
  }
  if ((entry = yaml_get(node, "key")) != NULL) {
    key_compile(compiler, entry, block->each, &block->key);
  } else if (block->each != NULL && (entity == plan->case_entity || entity == plan->person_entity)) {
    compile_mistake(compiler, node, _("a position moves when the source deletes a line"),
                    _("a block of %s with each needs a key"), entity->name);
  }
  references_compile(compiler, node, block);
  block_fields(compiler, node, block);
  compiler->let_count = lets;
}

static void block_add(struct compiler *compiler, const struct yaml *node, const struct entity *entity, int number,
                      size_t *capacity) {
  struct plan *plan = compiler->plan;
  void *items = plan->blocks;
  struct block *block = compile_alloc(compiler, 1, sizeof *block);
  if (block != NULL && compile_grow(compiler, &items, plan->block_count, capacity, sizeof(struct block *))) {
    plan->blocks = items;
    plan->blocks[plan->block_count++] = block;
    block_compile(compiler, node, entity, number, block);
  }
}

static void entity_blocks(struct compiler *compiler, const struct yaml *node, const struct entity *entity,
                          size_t *capacity) {
  if (node->kind == YAML_LIST) {
    for (size_t i = 0; i < node->count; i++) {
      block_add(compiler, &node->children[i], entity, node->count > 1 ? (int)i + 1 : 0, capacity);
    }
  } else {
    block_add(compiler, node, entity, 0, capacity);
  }
}

static int block_rank(const struct plan *plan, const struct entity *entity) {
  return entity == plan->case_entity ? 0 : entity == plan->person_entity ? 1 : 2;
}

void blocks_compile(struct compiler *compiler, const struct yaml *root) {
  struct plan *plan = compiler->plan;
  size_t capacity = 0;
  for (int rank = 0; rank < 3; rank++) {
    for (size_t i = 0; i < root->count; i++) {
      const struct entity *entity = model_entity(compiler->model, root->children[i].key);
      if (entity != NULL && block_rank(plan, entity) == rank) {
        entity_blocks(compiler, &root->children[i], entity, &capacity);
      }
    }
  }
  if (plan->block_count == 0 && compiler->mistake_count == 0) {
    compile_mistake(compiler, root, NULL, _("the mapping has no block"));
  }
}
