#include "core/service/release_plan.h"

#include "core/base/node.h"
#include "core/base/text.h"
#include "core/base/yaml.h"

#include <string.h>
#include <unistd.h>

static const char *const UNITS[] = {"person", "case", NULL};
static const char *const DATES[] = {"facts", "filing", "registration", NULL};
static const char *const PLACES[] = {"facts", "residence", NULL};

/* ---- a file ---- */

static enum status read_where(const struct yaml *map, struct indicator *indicator, struct error *error) {
  if (map != NULL && (map->kind != YAML_MAP || map->count + indicator->condition_count > INDICATOR_CONDITIONS_MOST)) {
    return yaml_error(map, error, _("where: at most %d fields with their values are expected here"),
                      INDICATOR_CONDITIONS_MOST);
  }
  for (size_t i = 0; map != NULL && i < map->count; i++) {
    if (map->children[i].kind != YAML_SCALAR) {
      return yaml_error(&map->children[i], error, "%s", _("where: one value is expected here"));
    }
    indicator->conditions[indicator->condition_count++] =
        (struct condition){.field = map->children[i].key, .value = map->children[i].text};
  }
  return OK;
}

static enum status read_by(const struct yaml *node, struct arena *arena, struct release_table_plan *table,
                           struct error *error) {
  const char **items = NULL;
  enum status status = yaml_texts(node, "by", arena, &items, &table->by_count, error);
  if (status == OK && (table->by_count == 0 || table->by_count > RELEASE_FIELDS_MOST)) {
    yaml_error(node, error, _("by: one to %d fields are expected here"), RELEASE_FIELDS_MOST);
    error_hint(error, "%s", _("for example by: [year, department, purposes]"));
    status = ERR_CONFIG;
  }
  for (size_t i = 0; i < table->by_count && status == OK; i++) {
    table->by[i] = items[i];
  }
  return status;
}

static enum status read_table(const struct yaml *node, const struct workspace *workspace, struct arena *arena,
                              struct release_table_plan *table, struct error *error) {
  static const char *const known[] = {"label", "indicator", "by", "where", "bands", NULL};
  const char *indicator = yaml_text(node, "indicator", NULL);
  if (node->kind != YAML_MAP || indicator == NULL || strchr(node->key, ',') != NULL) {
    yaml_error(node, error, _("table '%s': indicator and by are expected here"), node->key);
    return ERR_CONFIG;
  }
  enum status status = yaml_check_keys(node, known, error);
  status = status == OK
               ? indicator_load(workspace->config->indicator_folders, indicator, arena, &table->indicator, error)
               : status;
  if (status == ERR_USAGE) { /* no word of the command line */
    error->code = ERR_CONFIG;
    const struct yaml *at = yaml_get(node, "indicator");
    error_place(error, "%s:%d:%d", at->file, at->line, at->column);
    return ERR_CONFIG;
  }
  status = status == OK ? read_by(node, arena, table, error) : status;
  status = status == OK ? read_where(yaml_get(node, "where"), &table->indicator, error) : status;
  status = status == OK ? indicator_bands(node, arena, &table->indicator, error) : status;
  const struct yaml *label = yaml_get(node, "label");
  table->name = node->key;
  table->label_en = yaml_text(label, "en", table->indicator.label_en);
  table->label_es = yaml_text(label, "es", label == NULL ? table->indicator.label_es : table->label_en);
  return status == OK ? release_grouping_take(workspace, arena, table, error) : status;
}

static enum status read_plan(const struct yaml *root, const char *name, const struct workspace *workspace,
                             struct arena *arena, struct release_plan *plan, struct error *error) {
  static const char *const known[] = {"release", "label", "tables", NULL};
  enum status status = yaml_check_keys(root, known, error);
  const struct yaml *tables = yaml_get(root, "tables");
  if (status != OK) {
    return status;
  }
  if (strcmp(yaml_text(root, "release", ""), name) != 0) {
    yaml_error(root, error, _("release '%s' stands in the file of '%s'"), yaml_text(root, "release", ""), name);
    error_hint(error, _("write release: %s, or rename the file"), name);
    return ERR_CONFIG;
  }
  if (tables == NULL || tables->kind != YAML_MAP || tables->count == 0 || tables->count > RELEASE_TABLES_MOST) {
    return yaml_error(tables == NULL ? root : tables, error, _("tables: one to %d tables by name are expected"),
                      RELEASE_TABLES_MOST);
  }
  *plan = (struct release_plan){.name = name};
  plan->label_en = yaml_text(yaml_get(root, "label"), "en", name);
  plan->label_es = yaml_text(yaml_get(root, "label"), "es", plan->label_en);
  for (size_t i = 0; i < tables->count && status == OK; i++) {
    status = read_table(&tables->children[i], workspace, arena, &plan->tables[plan->count++], error);
  }
  return status;
}

enum status release_plan_names(const struct config *config, struct arena *arena, const char ***names, size_t *count,
                               struct error *error) {
  return indicator_names(config->release_folders, arena, names, count, error);
}

static enum status unknown(const struct config *config, const char *name, struct arena *arena, struct error *error) {
  const char **names;
  size_t count;
  enum status status = release_plan_names(config, arena, &names, &count, error);
  if (status != OK) {
    return status;
  }
  const char *nearest = text_nearest(slice_of(name), names, count);
  error_set(error, ERR_USAGE, _("no release '%s' is declared"), name);
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  } else {
    error_hint(error, "%s", _("`releases:` of puente.yaml names the folder; each file there declares one"));
  }
  return ERR_USAGE;
}

enum status release_plan_load(const struct workspace *workspace, const char *name, struct arena *arena,
                              struct release_plan *plan, struct error *error) {
  const struct config *config = workspace->config;
  for (int i = 1; i >= 0; i--) {
    const char *folder = config->release_folders[i];
    const char *path =
        folder == NULL || strchr(name, '/') != NULL ? NULL : arena_printf(arena, "%s/%s.yaml", folder, name);
    if (path != NULL && access(path, F_OK) == 0) {
      struct yaml *root = NULL;
      enum status status = yaml_load(path, arena, &root, error);
      return status == OK ? read_plan(root, name, workspace, arena, plan, error) : status;
    }
  }
  return unknown(config, name, arena, error);
}

/* ---- frozen ---- */

static void put_texts(struct buffer *out, const char *key, const char *const *texts, size_t count) {
  buffer_printf(out, "\"%s\":[", key);
  for (size_t i = 0; i < count; i++) {
    buffer_text(out, i == 0 ? "" : ",");
    buffer_json(out, slice_of(texts[i]));
  }
  buffer_text(out, "]");
}

static void put_labels(struct buffer *out, const char *key, const char *en, const char *es) {
  buffer_printf(out, "\"%s\":{\"en\":", key);
  buffer_json(out, slice_of(en));
  buffer_text(out, ",\"es\":");
  buffer_json(out, slice_of(es));
  buffer_text(out, "}");
}

void release_table_write(const struct release_table_plan *table, struct buffer *out) {
  const struct indicator *indicator = &table->indicator;
  const char *bands[INDICATOR_BANDS_MOST];
  for (size_t i = 0; i < indicator->band_count; i++) {
    bands[i] = indicator->bands[i].name;
  }
  buffer_printf(out, "{\"age\":\"%s\",", DATES[indicator->age]);
  put_texts(out, "bands", bands, indicator->band_count);
  buffer_text(out, ",");
  put_texts(out, "by", table->by, table->by_count);
  buffer_text(out, ",");
  put_labels(out, "counts", indicator->label_en, indicator->label_es);
  buffer_printf(out, ",\"date\":\"%s\"", DATES[indicator->date]);
  release_grouping_write(table, out);
  buffer_text(out, ",\"indicator\":");
  buffer_json(out, slice_of(indicator->name));
  buffer_text(out, ",");
  put_labels(out, "label", table->label_en, table->label_es);
  if (release_table_uses(table, "period")) {
    buffer_printf(out, ",\"period\":%d", indicator->period);
  }
  buffer_printf(out, ",\"place\":\"%s\",\"role\":", PLACES[indicator->place]);
  buffer_json(out, slice_of(indicator->role == NULL ? "" : indicator->role));
  buffer_printf(out, ",\"unit\":\"%s\",\"where\":[", UNITS[indicator->unit]);
  for (size_t i = 0; i < indicator->condition_count; i++) {
    const char *const pair[] = {indicator->conditions[i].field, indicator->conditions[i].value};
    buffer_text(out, i == 0 ? "{" : ",{");
    buffer_text(out, "\"field\":");
    buffer_json(out, slice_of(pair[0]));
    buffer_text(out, ",\"value\":");
    buffer_json(out, slice_of(pair[1]));
    buffer_text(out, "}");
  }
  buffer_text(out, "]}");
}

/* A member's text; "" where it is missing. */
static const char *text_at(const struct node *root, const char *path, struct arena *arena) {
  const struct node *node = node_at(root, path);
  const char *text = node == NULL ? NULL : arena_text(arena, node->text);
  return text == NULL ? "" : text;
}

static int choice_at(const struct node *root, const char *path, const char *const *choices) {
  const struct node *node = node_at(root, path);
  for (int i = 0; node != NULL && choices[i] != NULL; i++) {
    if (slice_is(node->text, choices[i])) {
      return i;
    }
  }
  return -1;
}

/* Years of a period; tables without periods say none. */
static bool read_period(const struct node *root, struct indicator *indicator) {
  const struct node *node = node_at(root, "period");
  int64_t years = INDICATOR_PERIOD;
  if (node != NULL && (!text_to_int64(node->text, &years) || years < 2 || years > INDICATOR_PERIOD_MOST)) {
    return false;
  }
  indicator->period = (int)years;
  return true;
}

static bool read_lists(const struct node *root, struct arena *arena, struct release_table_plan *table) {
  struct indicator *indicator = &table->indicator;
  const struct node *by = node_at(root, "by"), *bands = node_at(root, "bands"), *where = node_at(root, "where");
  bool whole = by != NULL && bands != NULL && where != NULL && by->count <= RELEASE_FIELDS_MOST
               && bands->count <= INDICATOR_BANDS_MOST && where->count <= INDICATOR_CONDITIONS_MOST;
  for (uint32_t i = 0; whole && i < by->count; i++) {
    table->by[table->by_count++] = arena_text(arena, by->children[i].text);
  }
  for (uint32_t i = 0; whole && i < bands->count; i++) {
    const char *name = arena_text(arena, bands->children[i].text);
    whole = name != NULL && indicator_band(name, &indicator->bands[indicator->band_count++]);
  }
  for (uint32_t i = 0; whole && i < where->count; i++) {
    indicator->conditions[indicator->condition_count++] = (struct condition){
        .field = text_at(&where->children[i], "field", arena), .value = text_at(&where->children[i], "value", arena)};
  }
  return whole && read_period(root, indicator) && release_grouping_read(root, arena, table);
}

enum status release_table_read(struct slice text, struct arena *arena, struct release_table_plan *table,
                               struct error *error) {
  struct node *root = NULL;
  const char *name = table->name;
  enum status status = json_read(text, arena, &root, error);
  if (status != OK) {
    return status;
  }
  *table = (struct release_table_plan){.name = name};
  struct indicator *indicator = &table->indicator;
  int unit = choice_at(root, "unit", UNITS), date = choice_at(root, "date", DATES);
  int place = choice_at(root, "place", PLACES), age = choice_at(root, "age", DATES);
  if (unit < 0 || date < 0 || place < 0 || age < 0 || !read_lists(root, arena, table)) {
    return error_set(error, ERR_STORE, _("the settings of the released table '%s' cannot be read"), name);
  }
  indicator->unit = (enum indicator_unit)unit;
  indicator->date = (enum indicator_date)date;
  indicator->place = (enum indicator_place)place;
  indicator->age = (enum indicator_date)age;
  indicator->name = text_at(root, "indicator", arena);
  indicator->label_en = text_at(root, "counts.en", arena);
  indicator->label_es = text_at(root, "counts.es", arena);
  indicator->role = text_at(root, "role", arena);
  indicator->role = indicator->role[0] == '\0' ? NULL : indicator->role;
  table->label_en = text_at(root, "label.en", arena);
  table->label_es = text_at(root, "label.es", arena);
  return OK;
}
