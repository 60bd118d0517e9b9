#include "connectors/options.h"

#include "core/base/date.h"
#include "core/base/file.h"
#include "core/base/text.h"

#include <stdlib.h>

enum { OPTIONS_MOST = 128 };

/* What one call works on. */
struct parsing {
  const char *base;
  struct arena *arena;
  void *target;
  bool secrets; /* read them, or check their references only */
};

static void *member(const struct option *option, void *target) {
  return (char *)target + option->offset;
}

/* A wrong value: at its node, or at none where the table's own default is wrong. */
static enum status refuse(const struct yaml *node, const struct option *option, struct error *error, const char *what) {
  if (node != NULL) {
    yaml_error(node, error, "%s: %s", option->name, what);
  } else {
    error_set(error, ERR_INTERNAL, "%s: %s", option->name, what);
  }
  return error->code;
}

static bool parse_size(const char *text, int64_t *bytes) {
  static const struct {
    const char *name;
    int64_t bytes;
  } units[] = {{"", 1}, {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1000}, {"MB", 1000000}};
  size_t digits = strspn(text, "0123456789");
  int64_t number;
  if (!text_to_int64(slice_make(text, digits), &number)) {
    return false;
  }
  const char *unit = text + digits + strspn(text + digits, " ");
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    if (strcmp(units[i].name, unit) == 0 && number <= INT64_MAX / units[i].bytes) {
      *bytes = number * units[i].bytes;
      return true;
    }
  }
  return false;
}

static enum status check_bounds(const struct option *option, const struct yaml *node, int64_t value,
                                struct error *error) {
  if (option->least == 0 && option->most == 0) {
    return OK;
  }
  if (value < option->least || value > option->most) {
    refuse(node, option, error, _("the value is out of bounds"));
    error_hint(error, _("from %lld to %lld"), (long long)option->least, (long long)option->most);
    return ERR_CONFIG;
  }
  return OK;
}

static enum status set_number(const struct option *option, const struct yaml *node, const char *text, void *target,
                              struct error *error) {
  int64_t value = 0;
  bool read = option->type == OPTION_INTEGER    ? text_to_int64(slice_of(text), &value)
              : option->type == OPTION_DURATION ? clock_parse_duration(slice_of(text), &value)
                                                : parse_size(text, &value);
  if (!read) {
    const char *what = option->type == OPTION_INTEGER    ? _("a whole number is expected here")
                       : option->type == OPTION_DURATION ? _("a duration is expected here")
                                                         : _("a size is expected here");
    refuse(node, option, error, what);
    if (option->type != OPTION_INTEGER) {
      error_hint(error, "%s",
                 option->type == OPTION_DURATION ? _("for example 30s, 10m, 2h, 7d")
                                                 : _("for example 512KiB, 64MiB, 1GiB"));
    }
    return ERR_CONFIG;
  }
  *(int64_t *)member(option, target) = value;
  return check_bounds(option, node, value, error);
}

static enum status set_boolean(const struct option *option, const struct yaml *node, const char *text, void *target,
                               struct error *error) {
  bool yes = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;
  if (!yes && strcmp(text, "false") != 0 && strcmp(text, "no") != 0) {
    refuse(node, option, error, _("true or false is expected here"));
    return ERR_CONFIG;
  }
  *(bool *)member(option, target) = yes;
  return OK;
}

static enum status set_choice(const struct option *option, const struct yaml *node, const char *text, void *target,
                              struct error *error) {
  /* A copy of the entry as the only one of a map: the same words as for any other choice of a file. */
  struct yaml entry = {.kind = YAML_SCALAR, .text = text, .key = option->name};
  if (node != NULL) {
    entry = *node;
  }
  const struct yaml map = {.kind = YAML_MAP, .children = &entry, .count = 1, .file = entry.file};
  return yaml_choice(&map, option->name, option->choices, member(option, target), error);
}

static enum status set_secret(const struct option *option, const struct yaml *node, const char *text,
                              const struct parsing *parsing, struct error *error) {
  if (strncmp(text, "env:", 4) != 0 && strncmp(text, "file:", 5) != 0) {
    refuse(node, option, error, _("a secret does not stand in a configuration file"));
    error_hint(error, "%s", _("write env:NAME, or file:PATH with a file of mode 0600"));
    return ERR_CONFIG;
  }
  if (!parsing->secrets) {
    return OK;
  }
  char **secret = member(option, parsing->target);
  secret_free(*secret);
  *secret = NULL;
  enum status status = secret_read(text, parsing->base, secret, error);
  if (status != OK && error->place[0] == '\0') {
    error_place(error, "%s", option->name);
  }
  return status;
}

static enum status set_text(const struct option *option, const char *text, const struct parsing *parsing,
                            struct error *error) {
  const char *copy = option->type == OPTION_PATH ? path_join(parsing->arena, parsing->base, text)
                                                 : arena_text(parsing->arena, slice_of(text));
  if (copy == NULL) {
    return error_memory(error);
  }
  *(const char **)member(option, parsing->target) = copy;
  return OK;
}

static enum status set_list(const struct option *option, const struct yaml *node, const char *text,
                            const struct parsing *parsing, struct error *error) {
  struct option_list *list = member(option, parsing->target);
  struct yaml entry = {.kind = YAML_SCALAR, .text = text, .key = option->name};
  if (node != NULL) {
    entry = *node;
  }
  const struct yaml map = {.kind = YAML_MAP, .children = &entry, .count = 1, .file = entry.file};
  return yaml_texts(&map, option->name, parsing->arena, &list->items, &list->count, error);
}

static enum status set_map(const struct option *option, const struct yaml *node, const struct parsing *parsing,
                           struct error *error) {
  struct option_map *map = member(option, parsing->target);
  if (node == NULL || node->kind != YAML_MAP) {
    refuse(node, option, error, _("names and values are expected here"));
    error_hint(error, "%s", _("for example {name: value}"));
    return ERR_CONFIG;
  }
  map->names = arena_array(parsing->arena, node->count + 1, sizeof *map->names);
  map->values = arena_array(parsing->arena, node->count + 1, sizeof *map->values);
  if (map->names == NULL || map->values == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < node->count; i++) {
    const struct yaml *entry = &node->children[i];
    if (entry->kind != YAML_SCALAR) {
      return refuse(entry, option, error, _("a text is expected here"));
    }
    map->names[i] = entry->key;
    map->values[i] = entry->text;
  }
  map->count = node->count;
  return OK;
}

/* From a node of the file, or from the table's default (`node` NULL). */
static enum status set_option(const struct option *option, const struct yaml *node, const struct parsing *parsing,
                              struct error *error) {
  const char *text = node == NULL ? option->otherwise : node->text;
  if (option->type == OPTION_MAP) {
    return set_map(option, node, parsing, error);
  }
  if (option->type == OPTION_LIST) {
    return set_list(option, node, text, parsing, error);
  }
  if (node != NULL && node->kind != YAML_SCALAR) {
    return refuse(node, option, error, _("one text is expected here"));
  }
  switch (option->type) {
  case OPTION_INTEGER:
  case OPTION_DURATION:
  case OPTION_SIZE:
    return set_number(option, node, text, parsing->target, error);
  case OPTION_BOOLEAN:
    return set_boolean(option, node, text, parsing->target, error);
  case OPTION_CHOICE:
    return set_choice(option, node, text, parsing->target, error);
  case OPTION_SECRET:
    return set_secret(option, node, text, parsing, error);
  default:
    return set_text(option, text, parsing, error);
  }
}

static enum status check_names(const struct option *table, const struct yaml *map, struct error *error) {
  const char *known[OPTIONS_MOST + 1];
  size_t count = 0;
  while (count < OPTIONS_MOST && table[count].name != NULL) {
    known[count] = table[count].name;
    count++;
  }
  known[count] = NULL;
  return map == NULL ? OK : yaml_check_keys(map, known, error);
}

static enum status missing_option(const struct option *option, const struct yaml *map, struct error *error) {
  if (map != NULL) {
    yaml_error(map, error, _("option '%s' is missing"), option->name);
  } else {
    error_set(error, ERR_CONFIG, _("option '%s' is missing"), option->name);
  }
  error_hint(error, "%s", gettext(option->description));
  return ERR_CONFIG;
}

static enum status parse(const struct option *table, const struct yaml *map, const struct parsing *parsing,
                         struct error *error) {
  if (map != NULL && map->kind != YAML_MAP) {
    return yaml_error(map, error, "%s", _("options: names and values are expected here"));
  }
  enum status status = check_names(table, map, error);
  for (const struct option *option = table; option->name != NULL && status == OK; option++) {
    const struct yaml *node = yaml_get(map, option->name);
    if (node != NULL || option->otherwise != NULL) {
      status = set_option(option, node, parsing, error);
    } else if (option->required) {
      status = missing_option(option, map, error);
    }
  }
  return status;
}

enum status options_parse(const struct option *table, const struct yaml *map, const char *base, struct arena *arena,
                          void *target, struct error *error) {
  const struct parsing parsing = {.base = base, .arena = arena, .target = target, .secrets = true};
  enum status status = parse(table, map, &parsing, error);
  if (status != OK) {
    options_wipe(table, target);
  }
  return status;
}

enum status options_check(const struct option *table, const struct yaml *map, const char *base, struct arena *arena,
                          void *target, struct error *error) {
  const struct parsing parsing = {.base = base, .arena = arena, .target = target};
  return parse(table, map, &parsing, error);
}

enum status options_missing(const char *name, const char *because, struct error *error) {
  return error_set(error, ERR_CONFIG, _("`%s` is missing, which %s needs"), name, because);
}

void options_wipe(const struct option *table, void *target) {
  for (const struct option *option = table; option->name != NULL; option++) {
    if (option->type == OPTION_SECRET) {
      char **secret = member(option, target);
      secret_free(*secret);
      *secret = NULL;
    }
  }
}
