#include "mapping/plan.h"

#include "core/base/file.h"
#include "mapping/plan_internal.h"

#include <stdlib.h>

/* Part of every plan's digest: raised when the engine gives other rows for the same file. */
#define ENGINE_VERSION "puente mapping engine 2"
#define MAPPING_BYTES_MOST ((size_t)1 << 20)

static void head_keys_check(struct compiler *compiler, const struct yaml *root) {
  const char *names[64];
  size_t count = 0;
  for (const char *const *key = language_keys("head"); *key != NULL; key++) {
    names[count++] = *key;
  }
  for (size_t i = 0; i < compiler->model->entity_count; i++) {
    names[count++] = compiler->model->entities[i].name;
  }
  names[count] = NULL;
  compile_check_keys(compiler, root, names);
}

/* format_options_read is given only the keys that are its own. */
static void format_compile(struct compiler *compiler, const struct yaml *root) {
  struct yaml children[16];
  struct yaml head = *root;
  head.children = children;
  head.count = 0;
  for (const char *const *key = format_option_keys; *key != NULL && head.count < 16; key++) {
    const struct yaml *entry = yaml_get(root, *key);
    if (entry != NULL) {
      children[head.count++] = *entry;
    }
  }
  if (yaml_get(root, "format") == NULL) {
    compile_mistake(compiler, root, _("csv, row, json or xml"), _("the mapping does not say its format"));
    return;
  }
  struct error error;
  struct plan *plan = compiler->plan;
  if (format_options_read(&head, compiler->arena, &plan->format, &plan->options, &error) != OK) {
    compile_take(compiler, &error);
    return;
  }
  compiler->flat = strcmp(plan->format->name, "csv") == 0 || strcmp(plan->format->name, "row") == 0;
}

static void systems_check(struct compiler *compiler, const struct yaml *systems) {
  if (systems->kind != YAML_MAP) {
    compile_mistake(compiler, systems, _("for example system: {offence: cp-2017}"),
                    _("system is a map of code lists and their code systems"));
    return;
  }
  struct yaml rule = {.kind = YAML_SCALAR};
  for (size_t i = 0; i < systems->count; i++) {
    const struct codelist *list = compile_list(compiler, &systems->children[i], systems->children[i].key);
    if (list != NULL) {
      (void)compile_systems(compiler, &rule, list);
    }
  }
}

static void defaults_compile(struct compiler *compiler, const struct yaml *node) {
  if (node == NULL) {
    return;
  }
  if (node->kind != YAML_MAP) {
    compile_mistake(compiler, node, NULL, _("defaults is a map"));
    return;
  }
  compile_check_keys(compiler, node, language_keys("defaults"));
  compiler->defaults = (struct defaults){.date = yaml_get(node, "date"),
                                         .missing = yaml_get(node, "missing"),
                                         .system = yaml_get(node, "system"),
                                         .repair = yaml_get(node, "repair"),
                                         .decimal = yaml_get(node, "decimal")};
  if (compiler->defaults.system != NULL) {
    systems_check(compiler, compiler->defaults.system);
  }
}

static const struct condition *head_condition(struct compiler *compiler, const struct yaml *root, const char *name) {
  const struct yaml *node = yaml_get(root, name);
  return node == NULL ? NULL : condition_compile(compiler, node, NULL, 0);
}

/* The record's own key: as said, else that of the first block in the file that stands at the record's root. */
static void record_key(struct compiler *compiler, const struct yaml *root) {
  struct plan *plan = compiler->plan;
  const struct yaml *node = yaml_get(root, "key");
  if (node != NULL) {
    key_compile(compiler, node, NULL, &plan->key);
    return;
  }
  const struct block *first = NULL;
  for (size_t i = 0; i < plan->block_count; i++) {
    const struct block *block = plan->blocks[i];
    if (block->each == NULL && block->key.count > 0 && (first == NULL || block->line < first->line)) {
      first = block;
    }
  }
  if (first != NULL) {
    plan->key = first->key;
  } else if (compiler->mistake_count == 0) {
    compile_mistake(compiler, root, _("key: names the path of what is unique to a record"),
                    _("the mapping does not say the record's key"));
  }
}

static void head_compile(struct compiler *compiler, const struct yaml *root) {
  struct plan *plan = compiler->plan;
  if (root->kind != YAML_MAP) {
    compile_mistake(compiler, root, NULL, _("a mapping is a map"));
    return;
  }
  head_keys_check(compiler, root);
  const struct yaml *source = yaml_get(root, "source");
  const char *code = source == NULL ? NULL : compile_scalar(compiler, source);
  if (source == NULL) {
    compile_mistake(compiler, root, NULL, _("the mapping does not say its source"));
  }
  plan->source = compile_text(compiler, code == NULL ? "" : code);
  format_compile(compiler, root);
  defaults_compile(compiler, yaml_get(root, "defaults"));
  const struct yaml *lets = yaml_get(root, "let");
  plan->refuse = head_condition(compiler, root, "refuse");
  plan->withhold = head_condition(compiler, root, "withhold");
  plan->deleted = head_condition(compiler, root, "deleted");
  if (lets != NULL) {
    lets_compile(compiler, lets, NULL, &plan->lets);
  }
  blocks_compile(compiler, root);
  record_key(compiler, root);
}

static int used_compare(const void *a, const void *b) {
  const struct codelist *const *left = a, *const *right = b;
  return strcmp(codelist_name(*left), codelist_name(*right));
}

/* SHA-256 over the engine's version, the digests of file and model, and name and digest of each code list used. */
static enum status digest_make(struct compiler *compiler, struct error *error) {
  struct plan *plan = compiler->plan;
  struct buffer bytes;
  buffer_init(&bytes, (size_t)1 << 20);
  struct sha256 file = sha256_of(buffer_view(&plan->text));
  buffer_append(&bytes, ENGINE_VERSION, sizeof ENGINE_VERSION);
  buffer_append(&bytes, file.bytes, sizeof file.bytes);
  buffer_append(&bytes, compiler->model->digest.bytes, sizeof compiler->model->digest.bytes);
  if (compiler->used_count > 0) {
    qsort(compiler->used, compiler->used_count, sizeof(struct codelist *), used_compare);
  }
  for (size_t i = 0; i < compiler->used_count; i++) {
    struct sha256 digest = codelist_digest(compiler->used[i]);
    const char *name = codelist_name(compiler->used[i]);
    buffer_append(&bytes, name, strlen(name) + 1);
    buffer_append(&bytes, digest.bytes, sizeof digest.bytes);
  }
  enum status status = buffer_check(&bytes, "plan digest", error);
  if (status == OK) {
    plan->digest = sha256_of(buffer_view(&bytes));
  }
  buffer_free(&bytes);
  return status;
}

static enum status plan_compile(struct plan *plan, struct buffer *mistakes, struct error *error) {
  struct yaml *root = NULL;
  enum status status = yaml_parse(plan->file, buffer_view(&plan->text), plan->arena, &root, error);
  if (status != OK) {
    if (mistakes != NULL && status != ERR_MEMORY) {
      buffer_printf(mistakes, "%s: %s\n", error->place, error->message);
      if (error->hint[0] != '\0') {
        buffer_printf(mistakes, "  hint: %s\n", error->hint);
      }
    }
    return status;
  }
  struct compiler compiler = {.arena = plan->arena, .model = plan->model, .lists = plan->lists, .plan = plan};
  static const char *no_paths[] = {NULL};
  head_compile(&compiler, root);
  plan->paths = plan->paths == NULL ? no_paths : plan->paths;
  if (compiler.out_of_memory) {
    return error_memory(error);
  }
  compile_report(&compiler, mistakes, error);
  return compiler.mistake_count > 0 ? ERR_CONFIG : digest_make(&compiler, error);
}

enum status plan_parse(const char *name, struct slice text, const struct model *model, const struct codelists *lists,
                       struct plan **plan, struct buffer *mistakes, struct error *error) {
  struct plan *made = calloc(1, sizeof *made);
  if (made == NULL) {
    return error_memory(error);
  }
  made->arena = arena_new((size_t)64 << 20);
  buffer_init(&made->text, MAPPING_BYTES_MOST);
  made->model = model;
  made->lists = lists;
  made->case_entity = model_entity(model, "case");
  made->person_entity = model_entity(model, "person");
  made->file = made->arena == NULL ? NULL : arena_text(made->arena, slice_of(name));
  buffer_slice(&made->text, text);
  enum status status = made->file == NULL ? error_memory(error) : buffer_check(&made->text, "mapping", error);
  if (status == OK) {
    status = plan_compile(made, mistakes, error);
  }
  if (status != OK) {
    plan_free(made);
    return status;
  }
  *plan = made;
  return OK;
}

enum status plan_load(const char *path, const struct model *model, const struct codelists *lists, struct plan **plan,
                      struct buffer *mistakes, struct error *error) {
  return plan_load_approved(path, NULL, model, lists, plan, mistakes, error);
}

enum status plan_load_approved(const char *path, const struct approved_texts *texts, const struct model *model,
                               const struct codelists *lists, struct plan **plan, struct buffer *mistakes,
                               struct error *error) {
  struct buffer text;
  buffer_init(&text, MAPPING_BYTES_MOST);
  enum status status = approved_texts_read(texts, TEXT_MAPPING, path, MAPPING_BYTES_MOST, &text, error);
  if (status == OK) {
    status = plan_parse(path, buffer_view(&text), model, lists, plan, mistakes, error);
  }
  buffer_free(&text);
  return status;
}

void plan_free(struct plan *plan) {
  if (plan == NULL) {
    return;
  }
  for (size_t i = 0; i < plan->map_count; i++) {
    map_free(plan->maps[i]);
  }
  buffer_free(&plan->text);
  arena_free(plan->arena);
  free(plan);
}

const char *plan_source(const struct plan *plan) {
  return plan->source;
}

struct sha256 plan_digest(const struct plan *plan) {
  return plan->digest;
}

struct slice plan_text(const struct plan *plan) {
  return buffer_view(&plan->text);
}

const struct format *plan_format(const struct plan *plan) {
  return plan->format;
}

const struct format_options *plan_format_options(const struct plan *plan) {
  return &plan->options;
}

const char *const *plan_paths(const struct plan *plan) {
  return plan->paths;
}

/* The identifying field of the block that is read from one of the key's paths. */
static const char *telling(const struct key_rule *key, const struct rules *fields, const char **field) {
  for (size_t i = 0; i < key->count; i++) {
    for (size_t r = 0; r < fields->count; r++) {
      const struct rule *rule = &fields->items[r];
      for (size_t p = 0; p < rule->path_count && rule->field->sensitivity == SENSITIVITY_IDENTIFIER; p++) {
        if (strcmp(rule->paths[p]->text, key->paths[i]->text) == 0) {
          *field = rule->name;
          return key->paths[i]->text;
        }
      }
    }
  }
  return NULL;
}

const char *plan_telling_key(const struct plan *plan, const char **field, int *line) {
  for (size_t i = 0; i < plan->block_count; i++) {
    const struct block *block = plan->blocks[i];
    const struct key_rule *keys[] = {&block->key, &block->case_key, &block->person_key, &plan->key};
    for (size_t k = 0; k < (block->each == NULL ? 4U : 3U); k++) {
      const char *path = telling(keys[k], &block->fields, field);
      if (path != NULL) {
        *line = keys[k]->line;
        return path;
      }
    }
  }
  return NULL;
}

struct identifiers {
  const struct plan *plan;
  plan_identifier_visitor *visit;
  void *context;
};

/* A value that was put together under `let` is read from the paths of its rule. */
static bool tell_let(const struct identifiers *self, const struct block *block, const struct rule *rule, int slot) {
  const struct rules *lets[] = {&self->plan->lets, &block->lets};
  for (size_t i = 0; i < 2; i++) {
    for (size_t r = 0; r < lets[i]->count; r++) {
      const struct rule *let = &lets[i]->items[r];
      for (size_t p = 0; p < let->path_count && let->target == slot; p++) {
        if (let->paths[p]->whole != NULL && self->visit(self->context, let->paths[p]->whole, rule->name, rule->line)) {
          return true;
        }
      }
    }
  }
  return false;
}

static bool tell_rules(const struct identifiers *self, const struct block *block) {
  for (size_t r = 0; r < block->fields.count; r++) {
    const struct rule *rule = &block->fields.items[r];
    bool identifies = rule->field->sensitivity == SENSITIVITY_IDENTIFIER && rule->field->type != FIELD_ENCODING;
    for (size_t p = 0; p < rule->path_count && identifies; p++) {
      const struct path *path = rule->paths[p];
      bool enough = path->let >= 0
                        ? tell_let(self, block, rule, path->let)
                        : path->whole != NULL && self->visit(self->context, path->whole, rule->name, rule->line);
      if (enough) {
        return true;
      }
    }
  }
  return false;
}

bool plan_visit_identifiers(const struct plan *plan, plan_identifier_visitor *visit, void *context) {
  const struct identifiers self = {.plan = plan, .visit = visit, .context = context};
  bool enough = false;
  for (size_t i = 0; i < plan->block_count && !enough; i++) {
    enough = tell_rules(&self, plan->blocks[i]);
  }
  return enough;
}
