#include "core/config_source.h"

#include "core/base/date.h"
#include "core/base/file.h"
#include "core/base/text.h"

#include <ctype.h>

enum { CODE_MOST = 32, CONNECTORS_MOST = 64 };

const char *const config_source_keys[] = {
    "source",  "title",   "institution", "contact", "unit",  "state",  "connector",  "options",
    "mapping", "deletes", "max_drop",    "overlap", "cut",   "linked", "precedence", "duplicate_free",
    "budget",  "gateway", "succeeds",    "expires", "terms", "counts", NULL};
const struct option config_budget_options[] = {{.name = "pages",
                                                .type = OPTION_INTEGER,
                                                .least = 1,
                                                .most = INT64_C(1) << 31,
                                                .description = N_("pages of one run"),
                                                .offset = offsetof(struct budget, pages)},
                                               {.name = "bytes",
                                                .type = OPTION_SIZE,
                                                .least = 1,
                                                .most = INT64_C(1) << 50,
                                                .description = N_("bytes that the pages of one run hold"),
                                                .offset = offsetof(struct budget, bytes)},
                                               {.name = "time",
                                                .type = OPTION_DURATION,
                                                .least = 1000,
                                                .most = INT64_C(30) * 86400 * 1000000,
                                                .description = N_("time that one run takes"),
                                                .offset = offsetof(struct budget, time)},
                                               {.name = NULL}};
static const char *const DATES[] = {"not_stated", "facts", "filing", "registration", NULL};
const struct option config_counts_options[] = {{.name = "definition",
                                                .type = OPTION_TEXT,
                                                .description = N_("who or what counts, as the institution defines it"),
                                                .offset = offsetof(struct counts_config, definition)},
                                               {.name = "date",
                                                .type = OPTION_CHOICE,
                                                .otherwise = "not_stated",
                                                .choices = DATES,
                                                .description = N_("what puts a published figure into its period"),
                                                .offset = offsetof(struct counts_config, date)},
                                               {.name = "coverage",
                                                .type = OPTION_TEXT,
                                                .description = N_("which offices, places and times its figures cover"),
                                                .offset = offsetof(struct counts_config, coverage)},
                                               {.name = NULL}};
static const char *const STATES[] = {"active", "paused", "retired", NULL};
static const char *const DELETES[] = {"none", "tombstone", "sweep", NULL};

static bool is_code(const char *text) {
  size_t len = strlen(text);
  for (size_t i = 0; i < len; i++) {
    if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) && text[i] != '_') {
      return false;
    }
  }
  return len > 0 && len <= CODE_MOST;
}

/* "PE/MP": two letters of a country, a slash, an acronym. */
static bool is_institution(const char *text) {
  return isupper((unsigned char)text[0]) && isupper((unsigned char)text[1]) && text[2] == '/' && text[3] != '\0';
}

static enum status require(const struct yaml *root, const char *key, const char *hint, const char **value,
                           struct error *error) {
  *value = yaml_text(root, key, NULL);
  if (*value == NULL || **value == '\0') {
    yaml_error(root, error, _("the source has no %s"), key);
    error_hint(error, "%s", hint);
    return ERR_CONFIG;
  }
  return OK;
}

static enum status read_code(const struct yaml *root, const char *path, struct arena *arena,
                             struct source_config *source, struct error *error) {
  const char *stem = folder_stem(arena, path);
  if (stem == NULL) {
    return error_memory(error);
  }
  enum status status = require(root, "source", _("add source: CODE, the name of the file"), &source->code, error);
  if (status != OK) {
    return status;
  }
  if (!is_code(source->code)) {
    yaml_error(yaml_get(root, "source"), error, _("'%s' is no code of a source"), source->code);
    error_hint(error, _("lower-case letters, digits and '_', at most %d"), CODE_MOST);
    return ERR_CONFIG;
  }
  if (strcmp(stem, source->code) != 0) {
    yaml_error(yaml_get(root, "source"), error, _("source '%s' stands in the file of '%s'"), source->code, stem);
    error_hint(error, _("write source: %s, or rename the file"), stem);
    return ERR_CONFIG;
  }
  return OK;
}

static enum status read_names(const struct yaml *root, struct source_config *source, struct error *error) {
  enum status status = require(root, "institution", _("add institution: COUNTRY/ACRONYM, for example PE/MP"),
                               &source->institution, error);
  if (status == OK) {
    status = require(root, "unit", _("add unit: what one of its records counts, for example denuncia"), &source->unit,
                     error);
  }
  if (status != OK) {
    return status;
  }
  source->title = yaml_text(root, "title", source->code);
  source->contact = yaml_text(root, "contact", "");
  if (!is_institution(source->institution)) {
    yaml_error(yaml_get(root, "institution"), error, _("'%s' is no institution"), source->institution);
    error_hint(error, "%s", _("its country's two letters, a slash, its acronym: PE/MP; acronyms of countries collide"));
    return ERR_CONFIG;
  }
  return OK;
}

static enum status find_connector(const struct yaml *root, struct source_config *source, struct error *error) {
  const char *name, *names[CONNECTORS_MOST];
  enum status status = require(root, "connector", _("`puente connectors` lists them"), &name, error);
  if (status != OK) {
    return status;
  }
  source->connector = connector_find(name);
  if (source->connector != NULL) {
    return OK;
  }
  size_t count;
  const struct connector *const *table = connector_table(&count);
  for (size_t i = 0; i < count && i < CONNECTORS_MOST; i++) {
    names[i] = table[i]->name;
  }
  const char *nearest = text_nearest(slice_of(name), names, count < CONNECTORS_MOST ? count : CONNECTORS_MOST);
  yaml_error(yaml_get(root, "connector"), error, _("there is no connector '%s'"), name);
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  } else {
    error_hint(error, "%s", _("`puente connectors` lists them"));
  }
  return ERR_CONFIG;
}

static enum status read_options(const struct yaml *root, const char *folder, struct arena *arena,
                                struct source_config *source, struct error *error) {
  enum status status = find_connector(root, source, error);
  if (status != OK) {
    return status;
  }
  void *options = arena_alloc(arena, source->connector->options_size);
  if (options == NULL) {
    return error_memory(error);
  }
  source->options = options;
  source->options_yaml = yaml_get(root, "options");
  status = options_check(source->connector->options, source->options_yaml, folder, arena, options, error);
  if (status != OK && error->place[0] == '\0') {
    error_place(error, "%s", source->file); /* options: is absent and one is required */
  }
  return status;
}

/* A map of its own that a table of options reads. */
static enum status read_map(const struct yaml *root, const char *key, const struct option *options, const char *example,
                            struct arena *arena, void *target, struct error *error) {
  const struct yaml *node = yaml_get(root, key);
  if (node != NULL && node->kind != YAML_MAP) {
    yaml_error(node, error, _("%s: a map (key: value) was expected"), key);
    error_hint(error, _("for example %s"), example);
    return ERR_CONFIG;
  }
  return options_check(options, node, "", arena, target, error);
}

static bool is_day(const struct yaml *node, int64_t *at) {
  struct date date;
  if (node->kind != YAML_SCALAR || !date_parse_iso(slice_of(node->text), &date) || strlen(node->text) != 10) {
    return false;
  }
  *at = date_to_days(date) * INT64_C(86400) * 1000000;
  return true;
}

static enum status read_expiries(const struct yaml *root, struct arena *arena, struct source_config *source,
                                 struct error *error) {
  const struct yaml *node = yaml_get(root, "expires");
  if (node == NULL) {
    return OK;
  }
  if (node->kind != YAML_MAP) {
    yaml_error(node, error, "%s", _("expires: a map (key: value) was expected"));
    error_hint(error, "%s", _("what ends, and its last day: {password: 2027-01-31}"));
    return ERR_CONFIG;
  }
  struct expiry_config *expiries = arena_array(arena, node->count + 1, sizeof *expiries);
  if (expiries == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < node->count; i++) {
    expiries[i].what = node->children[i].key;
    if (!is_day(&node->children[i], &expiries[i].at)) {
      yaml_error(&node->children[i], error, _("expires: '%s' needs a day"), expiries[i].what);
      error_hint(error, "%s", _("written as 2027-01-31"));
      return ERR_CONFIG;
    }
  }
  source->expiries = expiries;
  source->expiry_count = node->count;
  return OK;
}

static enum status read_work(const struct yaml *root, struct arena *arena, struct source_config *source,
                             struct error *error) {
  enum status status = read_map(root, "budget", config_budget_options, "{pages: 1000, bytes: 2GiB, time: 1h}", arena,
                                &source->budget, error);
  status = status == OK ? read_map(root, "counts", config_counts_options, "{definition: TEXT, date: filing}", arena,
                                   &source->counts, error)
                        : status;
  status = status == OK ? read_expiries(root, arena, source, error) : status;
  if (status != OK) {
    return status;
  }
  source->gateway = yaml_text(root, "gateway", NULL);
  source->succeeds = yaml_text(root, "succeeds", NULL);
  if (source->gateway != NULL && !is_code(source->gateway)) {
    yaml_error(yaml_get(root, "gateway"), error, _("'%s' is no name of a gateway"), source->gateway);
    error_hint(error, _("lower-case letters, digits and '_', at most %d"), CODE_MOST);
    return ERR_CONFIG;
  }
  source->root = root;
  return OK;
}

static enum status read_rules(const struct yaml *root, const char *folder, struct arena *arena,
                              struct source_config *source, struct error *error) {
  int deletes = DELETES_NONE, state = SOURCE_ACTIVE;
  int64_t precedence = source->precedence;
  const char **cut = NULL;
  source->max_drop = 0.2;
  source->linked = true;
  enum status status = yaml_choice(root, "deletes", DELETES, &deletes, error);
  status = status == OK ? yaml_choice(root, "state", STATES, &state, error) : status;
  status = status == OK ? yaml_bool(root, "linked", &source->linked, error) : status;
  status = status == OK ? yaml_bool(root, "duplicate_free", &source->duplicate_free, error) : status;
  status = status == OK ? yaml_int(root, "precedence", 0, 10000, &precedence, error) : status;
  status = status == OK ? yaml_texts(root, "cut", arena, &cut, &source->cut_count, error) : status;
  status = status == OK ? yaml_share(root, "max_drop", &source->max_drop, error) : status;
  status = status == OK ? yaml_duration(root, "overlap", 0, INT64_MAX, &source->overlap, error) : status;
  if (status != OK) {
    return status;
  }
  source->cut = cut;
  source->deletes = (enum deletes)deletes;
  source->state = (enum source_state)state;
  source->precedence = (int)precedence;
  const char *mapping = yaml_text(root, "mapping", NULL);
  if (mapping == NULL) {
    mapping = arena_printf(arena, "mappings/%s.yaml", source->code);
  }
  source->mapping = mapping == NULL ? NULL : path_join(arena, folder, mapping);
  return source->mapping == NULL ? error_memory(error) : OK;
}

enum status source_read(const char *path, const char *folder, struct arena *arena, struct source_config *source,
                        struct error *error) {
  struct yaml *root = NULL;
  source->file = path;
  enum status status = yaml_load(path, arena, &root, error);
  status = status == OK ? yaml_check_keys(root, config_source_keys, error) : status;
  status = status == OK ? read_code(root, path, arena, source, error) : status;
  status = status == OK ? read_names(root, source, error) : status;
  status = status == OK ? read_rules(root, folder, arena, source, error) : status;
  status = status == OK ? read_work(root, arena, source, error) : status;
  status = status == OK ? config_terms_read(root, arena, &source->terms, error) : status;
  return status == OK ? read_options(root, folder, arena, source, error) : status;
}
