#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/service/founding.h"

#include <stdio.h>

static int run(const struct globals *globals, int argc, char **argv) {
  const char *name = NULL;
  const struct argument table[] = {{.name = "name", .text = &name}, {.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_init, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  if (argc > 2) {
    return command_misused(&command_init, _("one folder is expected, %d were given"), argc - 1);
  }
  const char *folder = argc == 2 ? argv[1] : ".";
  struct error error;
  if (workspace_found(folder, name, &error) != OK) {
    return command_fail(&error);
  }
  if (globals->quiet) {
    return 0;
  }
  printf(_("made a workspace in %s:\n"
           "  puente.yaml   what a ministry sets: store, language, folders\n"
           "  sources/      one file a source; example.yaml.txt is to be copied\n"
           "  mappings/     how each source's records become the common model\n"
           "  incoming/     where files may be dropped\n"
           "  puente.key    the key under which values of people are digested: keep a copy in a safe place\n\n"
           "next: 1. copy sources/example.yaml.txt to sources/CODE.yaml, mappings/example.yaml.txt to "
           "mappings/CODE.yaml,\n"
           "         and fill them in\n"
           "      2. puente --config %s/puente.yaml check\n"
           "      3. puente --config %s/puente.yaml sync\n"),
         folder, folder, folder);
  return 0;
}

const struct command command_init = {
    .name = "init",
    .synopsis = "[FOLDER] [--name NAME]",
    .summary = N_("make a workspace: commented configuration, folders, key"),
    .help = N_("  FOLDER       where; default: here. Nothing that is there is overwritten\n"
               "  --name NAME  of the workspace; default: the folder's\n\n"
               "Example:\n"
               "  puente init observatorio"),
    .run = run,
};
