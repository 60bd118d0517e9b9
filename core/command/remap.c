#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/pull.h"

static int run(const struct globals *globals, int argc, char **argv) {
  struct pull_request request = {.kind = PULL_REMAP};
  const struct argument table[] = {{.name = "dry-run", .flag = &request.options.dry_run},
                                   {.name = "purpose", .text = &request.options.purpose},
                                   {.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_remap, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  return command_pull_named(globals, argv, &request, command_pull);
}

const struct command command_remap = {
    .name = "remap",
    .synopsis = "[SOURCE...] [--dry-run]",
    .summary = N_("map what has landed again, with the mappings as they are now"),
    .help = N_(
        "  SOURCE          only these; default: all\n"
        "  --dry-run       map, and tell what would change; nothing is written\n"
        "  --purpose TEXT  noted with the run\n\n"
        "Nothing is pulled. Records whose mapping, code lists and model did not change are left alone; those in\n"
        "quarantine are tried again. It tells what changes: the plan, quarantine by reason, and by entity and field\n"
        "how many rows, with the most frequent changes. Values are shown where the field is open or coded by a\n"
        "code list, and are shapes elsewhere; (not_recorded) is why one is missing, (-) that nothing says why."),
    .run = run,
};
