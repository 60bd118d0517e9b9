#include "core/command/arguments.h"

#include "core/base/log.h"
#include "core/base/text.h"

#include <stdarg.h>
#include <stdio.h>

enum { ARGUMENTS_MOST = 32 };

static const struct argument *find(const struct argument *table, struct slice name) {
  for (; table->name != NULL; table++) {
    if (slice_is(name, table->name)) {
      return table;
    }
  }
  return NULL;
}

static enum status unknown(const struct command *command, const struct argument *table, struct slice name,
                           struct error *error) {
  const char *names[ARGUMENTS_MOST];
  size_t count = 0;
  for (; table->name != NULL && count < ARGUMENTS_MOST; table++) {
    names[count++] = table->name;
  }
  error_set(error, ERR_USAGE, _("puente %s has no option --%.*s"), command->name, SLICE_ARG(name));
  const char *nearest = text_nearest(name, names, count);
  if (nearest != NULL) {
    error_hint(error, _("did you mean --%s?"), nearest);
  } else {
    error_hint(error, _("`puente %s --help` lists them"), command->name);
  }
  return ERR_USAGE;
}

/* "   " would stand in the log as the reason for which somebody saw a name. */
static bool is_blank(const char *value) {
  return value[0] != '\0' && value[strspn(value, " \t\n")] == '\0';
}

/* Reads the option at argv[*at]; `*at` moves over a value that follows it. */
static enum status read_option(const struct command *command, const struct argument *table, int argc, char **argv,
                               int *at, struct error *error) {
  const char *text = argv[*at] + 2;
  const char *equals = strchr(text, '=');
  struct slice name = equals == NULL ? slice_of(text) : slice_make(text, (size_t)(equals - text));
  if (slice_is(name, "help")) {
    arguments_help(command);
    return END;
  }
  const struct argument *argument = find(table, name);
  if (argument == NULL) {
    return unknown(command, table, name, error);
  }
  if (argument->flag != NULL) {
    *argument->flag = true;
    return equals == NULL ? OK : error_set(error, ERR_USAGE, _("--%s takes no value"), argument->name);
  }
  if (equals == NULL && *at + 1 >= argc) {
    return error_set(error, ERR_USAGE, _("--%s needs a value"), argument->name);
  }
  const char *value = equals != NULL ? equals + 1 : argv[++*at];
  if (is_blank(value)) {
    return error_set(error, ERR_USAGE, _("--%s needs a value"), argument->name);
  }
  if (argument->text != NULL) {
    *argument->text = value;
  } else if (argument->list->count == argument->list->most) {
    return error_set(error, ERR_USAGE, _("--%s may stand %zu times at most"), argument->name, argument->list->most);
  } else {
    argument->list->items[argument->list->count++] = value;
  }
  return OK;
}

enum status arguments_read(const struct command *command, const struct argument *table, int *argc, char **argv,
                           struct error *error) {
  int kept = 1;
  bool literal = false;
  for (int i = 1; i < *argc; i++) {
    if (!literal && strcmp(argv[i], "--") == 0) {
      literal = true;
    } else if (!literal && strncmp(argv[i], "--", 2) == 0) {
      enum status status = read_option(command, table, *argc, argv, &i, error);
      if (status != OK) {
        return status;
      }
    } else {
      argv[kept++] = argv[i];
    }
  }
  if (kept < *argc) {
    argv[kept] = NULL;
  }
  *argc = kept;
  return OK;
}

bool arguments_done(const struct command *command, const struct argument *table, int *argc, char **argv,
                    int *exit_code) {
  struct error error;
  enum status status = arguments_read(command, table, argc, argv, &error);
  *exit_code = status == OK || status == END ? 0 : command_fail(&error);
  return status != OK;
}

void arguments_help(const struct command *command) {
  printf(_("usage: puente %s %s\n\n%s\n"), command->name, command->synopsis, gettext(command->summary));
  if (command->help != NULL && command->help[0] != '\0') {
    printf("\n%s\n", gettext(command->help));
  }
}

int command_fail(const struct error *error) {
  log_error(LEVEL_ERROR, error);
  int code = status_exit_code(error->code);
  return code == 0 ? 1 : code; /* what failed is never told as done, also where it did not say why */
}

int command_misused(const struct command *command, const char *format, ...) {
  struct error error;
  char message[sizeof error.message];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  error_set(&error, ERR_USAGE, "%s", message);
  error_hint(&error, "puente %s %s", command->name, command->synopsis);
  return command_fail(&error);
}
