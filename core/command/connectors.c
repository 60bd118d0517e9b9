/* puente connectors: how registries can be reached, and each connector's options from the table that parses them. */
#include "connectors/connector.h"
#include "core/base/text.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/table.h"

#include <jansson.h>
#include <stdio.h>

enum { LINE_WIDTH = 100, INDENT = 23, NAMES_MOST = 64 };

/* In words for people; programs get `name`. */
static const struct type_words {
  const char *name, *words;
} types[] = {
    [OPTION_TEXT] = {"text", N_("text")},
    [OPTION_INTEGER] = {"integer", N_("whole number")},
    [OPTION_BOOLEAN] = {"boolean", N_("true or false")},
    [OPTION_DURATION] = {"duration", N_("duration: 30s, 10m")},
    [OPTION_SIZE] = {"size", N_("size: 64MiB")},
    [OPTION_CHOICE] = {"choice", N_("one of")},
    [OPTION_PATH] = {"path", N_("file or folder")},
    [OPTION_SECRET] = {"secret", N_("secret: env:NAME or file:PATH")},
    [OPTION_LIST] = {"list", N_("list of texts")},
    [OPTION_MAP] = {"map", N_("names and values")},
};

/* Words one after the other, on a new line where the next one does not fit. */
static void print_wrapped(const char *text) {
  size_t column = INDENT;
  printf("%*s", INDENT, "");
  while (*text != '\0') {
    size_t size = strcspn(text, " ");
    size_t width = text_width(slice_make(text, size));
    if (column > INDENT && column + 1 + width > LINE_WIDTH) {
      printf("\n%*s", INDENT, "");
      column = INDENT;
    } else if (column > INDENT) {
      putchar(' ');
      column++;
    }
    printf("%.*s", (int)size, text);
    column += width;
    text += size;
    text += strspn(text, " ");
  }
  putchar('\n');
}

static void print_option(const struct option *option) {
  printf("  %-20s %s", option->name, gettext(types[option->type].words));
  for (size_t i = 0; option->type == OPTION_CHOICE && option->choices[i] != NULL; i++) {
    printf("%s %s", i > 0 ? "," : "", option->choices[i]);
  }
  if (option->required) {
    printf("; %s", _("required"));
  } else if (option->otherwise != NULL) {
    printf(_("; default: %s"), option->otherwise);
  }
  putchar('\n');
  print_wrapped(gettext(option->description));
}

static void print_connector(const struct connector *connector) {
  printf("%s: %s\n\n", connector->name, gettext(connector->description));
  for (const struct option *option = connector->options; option->name != NULL; option++) {
    print_option(option);
  }
}

static json_t *option_to_json(const struct option *option) {
  json_t *object =
      json_pack("{ss ss sb ss* ss}", "name", option->name, "type", types[option->type].name, "required",
                option->required, "default", option->otherwise, "description", gettext(option->description));
  if (object != NULL && option->type == OPTION_CHOICE) {
    json_t *choices = json_array();
    for (size_t i = 0; option->choices[i] != NULL; i++) {
      json_array_append_new(choices, json_string(option->choices[i]));
    }
    json_object_set_new(object, "choices", choices);
  }
  return object;
}

static json_t *connector_to_json(const struct connector *connector, bool whole) {
  json_t *object = json_pack("{ss ss}", "name", connector->name, "description", gettext(connector->description));
  if (object != NULL && whole) {
    json_t *options = json_array();
    for (const struct option *option = connector->options; option->name != NULL; option++) {
      json_array_append_new(options, option_to_json(option));
    }
    json_object_set_new(object, "options", options);
  }
  return object;
}

static int print_json(json_t *root) {
  struct error error;
  if (root == NULL || json_dumpf(root, stdout, JSON_INDENT(2)) != 0) {
    json_decref(root);
    error_memory(&error);
    return command_fail(&error);
  }
  putchar('\n');
  json_decref(root);
  return 0;
}

static int list_all(const struct globals *globals) {
  size_t count = 0;
  const struct connector *const *table = connector_table(&count);
  json_t *array = globals->json ? json_array() : NULL;
  for (size_t i = 0; i < count; i++) {
    if (globals->json) {
      json_array_append_new(array, connector_to_json(table[i], false));
    } else {
      printf("%-8s %s\n", table[i]->name, gettext(table[i]->description));
    }
  }
  if (globals->json) {
    return print_json(array);
  }
  puts(_("\nthe options of one: puente connectors NAME"));
  return 0;
}

static int unknown(const char *name) {
  struct error error;
  const char *names[NAMES_MOST];
  size_t count = 0;
  const struct connector *const *table = connector_table(&count);
  count = count < NAMES_MOST ? count : NAMES_MOST;
  for (size_t i = 0; i < count; i++) {
    names[i] = table[i]->name;
  }
  error_set(&error, ERR_USAGE, _("there is no connector \"%.40s\""), name);
  const char *nearest = text_nearest(slice_of(name), names, count);
  if (nearest != NULL) {
    error_hint(&error, _("did you mean \"%s\"?"), nearest);
  } else {
    error_hint(&error, "%s", _("`puente connectors` lists them"));
  }
  return command_fail(&error);
}

static int run(const struct globals *globals, int argc, char **argv) {
  const struct argument table[] = {{.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_connectors, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  if (argc > 2) {
    return command_misused(&command_connectors, _("\"%s\" was not expected"), argv[2]);
  }
  if (argc == 1) {
    return list_all(globals);
  }
  const struct connector *connector = connector_find(argv[1]);
  if (connector == NULL) {
    return unknown(argv[1]);
  }
  if (globals->json) {
    return print_json(connector_to_json(connector, true));
  }
  print_connector(connector);
  return 0;
}

const struct command command_connectors = {
    .name = "connectors",
    .synopsis = "[NAME] [--json]",
    .summary = N_("list how registries can be reached, and the options of each way"),
    .help = N_("  NAME           the options of that connector: type, default, meaning\n\n"
               "  puente connectors rest"),
    .run = run,
};
