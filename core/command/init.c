#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/service/founding.h"
#include "core/service/handover.h"

#include <stdio.h>

static void print_secrets(const char *folder, const struct secret_place *secrets, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (!secrets[i].there) {
      printf("  %-28s %s\n", secrets[i].what, secrets[i].file != NULL ? secrets[i].file : secrets[i].reference);
    }
  }
  printf(_("then: puente --config %s/puente.yaml store restore BACKUP, check, sync\n"), folder);
}

/* What the configuration says is missing, from the folder that it was just put into. */
static enum status tell_secrets(const char *folder, struct error *error) {
  struct arena *arena = arena_new(1 << 24);
  struct config *config = NULL;
  struct secret_place *secrets = NULL;
  size_t count = 0;
  const char *path = arena == NULL ? NULL : arena_printf(arena, "%s/puente.yaml", folder);
  enum status status = path == NULL ? error_memory(error) : config_load(path, &config, error);
  status = status == OK ? secrets_list(config, arena, &secrets, &count, error) : status;
  if (status == OK) {
    print_secrets(folder, secrets, count);
  }
  config_free(config);
  arena_free(arena);
  return status;
}

static int go_on(const struct globals *globals, const char *folder, const char *document) {
  struct error error;
  int files = 0;
  enum status status = handover_found(folder, document, &files, &error);
  if (status == OK && !globals->quiet) {
    printf(_("made a workspace in %s from %s: %d files, their digests are right\n"
             "these secrets have to be put there by hand, files with mode 0600:\n"),
           folder, document, files);
    status = tell_secrets(folder, &error);
  }
  return status == OK ? 0 : command_fail(&error);
}

static int run(const struct globals *globals, int argc, char **argv) {
  const char *name = NULL, *from = NULL;
  const struct argument table[] = {{.name = "name", .text = &name}, {.name = "from", .text = &from}, {.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_init, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  if (argc > 2) {
    return command_misused(&command_init, _("one folder is expected, %d were given"), argc - 1);
  }
  const char *folder = argc == 2 ? argv[1] : ".";
  struct error error;
  if (from != NULL) {
    return go_on(globals, folder, from);
  }
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
    .synopsis = "[FOLDER] [--name NAME] [--from HANDOVER.md]",
    .summary = N_("make a workspace: commented configuration, folders, key"),
    .help = N_("  FOLDER       where; default: here. Nothing that is there is overwritten\n"
               "  --name NAME  of the workspace; default: the folder's\n"
               "  --from FILE  the configuration of a document that `puente handover` wrote\n\n"
               "Example:\n"
               "  puente init observatorio"),
    .run = run,
};
