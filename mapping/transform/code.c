/* Lookups in code lists, by system and, where the mapping says so, at a date. */
#include "core/base/text.h"
#include "mapping/transform/transform.h"

struct lookup_settings {
  const struct codelist *list;
  const char *const *systems; /* NULL: the list's own codes and aliases */
  int date_column;            /* -1: at any date */
  const char **codes;         /* for hints */
  size_t count;
};

static int date_column(struct compiler *compiler, const struct yaml *at, const struct entity *entity) {
  const char *name = at == NULL ? NULL : compile_scalar(compiler, at);
  if (name == NULL) {
    return -1;
  }
  const struct field *field = entity == NULL ? NULL : entity_field(entity, slice_of(name));
  if (field == NULL || field->type != FIELD_DATE) {
    compile_mistake(compiler, at, NULL, _("at names a date field of the same block"));
    return -1;
  }
  return field->column;
}

const void *transform_lookup_compile(struct compiler *compiler, const struct yaml *node, const struct yaml *rule,
                                     const struct entity *entity, const struct field *field) {
  struct lookup_settings *settings = compile_alloc(compiler, 1, sizeof *settings);
  const char *name = node != NULL ? compile_scalar(compiler, node) : field != NULL ? field->codelist : NULL;
  if (settings == NULL || name == NULL) {
    return settings;
  }
  if (field != NULL && strcmp(name, field->codelist) != 0) {
    compile_mistake(compiler, node, NULL, _("the field '%s' takes codes of the list '%s'"), field->name,
                    field->codelist);
    return settings;
  }
  settings->list = compile_list(compiler, node == NULL ? rule : node, name);
  if (settings->list == NULL) {
    return settings;
  }
  settings->systems = compile_systems(compiler, rule, settings->list);
  settings->date_column = date_column(compiler, rule->kind == YAML_MAP ? yaml_get(rule, "at") : NULL, entity);
  settings->count = codelist_size(settings->list);
  settings->codes = compile_alloc(compiler, settings->count + 1, sizeof *settings->codes);
  for (size_t i = 0; settings->codes != NULL && i < settings->count; i++) {
    settings->codes[i] = codelist_at(settings->list, i)->code;
  }
  return settings;
}

/* In each system in turn. */
static const struct code *find(const struct lookup_settings *lookup, struct slice text, struct date at) {
  if (lookup->systems == NULL) {
    return codelist_lookup(lookup->list, NULL, text, at);
  }
  const struct code *code = NULL;
  for (const char *const *system = lookup->systems; code == NULL && *system != NULL; system++) {
    code = codelist_lookup(lookup->list, *system, text, at);
  }
  return code;
}

bool transform_lookup(const void *settings, const struct transform_context *context, struct value *value) {
  const struct lookup_settings *lookup = settings;
  struct date at = {0};
  if (lookup->date_column >= 0 && context->cells != NULL) {
    const struct cell *cell = &context->cells[lookup->date_column];
    if (cell->kind != CELL_TEXT || !date_parse_iso(slice_make(cell->text, cell->len), &at)) {
      at = (struct date){0};
    }
  }
  const struct code *code = find(lookup, value->text, at);
  if (code != NULL) {
    value->text = slice_of(code->code);
    return true;
  }
  const char *nearest = value->text.len > 64 ? NULL : text_nearest(value->text, lookup->codes, lookup->count);
  if (nearest != NULL) {
    value->hint =
        arena_printf(context->arena, _("add it under values, or to the code list; the nearest code is '%s'"), nearest);
    if (value->hint == NULL) {
      return false;
    }
  }
  return value_fault(value, "code_unknown");
}
