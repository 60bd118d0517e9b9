#include "core/command/arguments.h"
#include "core/command/commands.h"

#include <stdio.h>
#include <string.h>

static void print_all(void) {
  printf(_("Puente %s pulls records from registries, joins what is the same person and the same case, and keeps one\n"
           "consolidated store that explains itself.\n\n"
           "usage: puente [--config FILE] [--json] [--quiet] [--lang es|en] [--log text|json|journal] [--verbose] "
           "COMMAND\n\n"),
         PUENTE_VERSION);
  for (const struct command *const *command = command_table(); *command != NULL; command++) {
    printf("  %-12s %s\n", (*command)->name, gettext((*command)->summary));
  }
  printf(_(
      "\n`puente help COMMAND` tells more. Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 partly done.\n"));
}

static int run(const struct globals *globals, int argc, char **argv) {
  (void)globals;
  if (argc > 1 && strcmp(argv[0], "help") == 0 && strcmp(argv[1], "--help") == 0) {
    arguments_help(&command_help);
    return 0;
  }
  if (argc < 2 || argv[1][0] == '-') {
    print_all();
    return 0;
  }
  struct error error;
  const struct command *command = NULL;
  if (command_lookup(argv[1], &command, &error) != OK) {
    return command_fail(&error);
  }
  arguments_help(command);
  return 0;
}

const struct command command_help = {
    .name = "help",
    .synopsis = "[COMMAND]",
    .summary = N_("tell what a command does"),
    .help = N_("Without a name: all commands."),
    .run = run,
};
