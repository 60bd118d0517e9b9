#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/pull.h"

static int run(const struct globals *globals, int argc, char **argv) {
  struct pull_request request = {.kind = PULL_SYNC};
  const struct argument table[] = {
      {.name = "full", .flag = &request.options.full},       {.name = "since", .text = &request.options.since},
      {.name = "until", .text = &request.options.until},     {.name = "dry-run", .flag = &request.options.dry_run},
      {.name = "purpose", .text = &request.options.purpose}, {.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_sync, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  if (request.options.full && request.options.since != NULL) {
    return command_misused(&command_sync, _("--full and --since exclude each other"));
  }
  return command_pull_named(globals, argv, &request, command_pull);
}

const struct command command_sync = {
    .name = "sync",
    .synopsis = "[SOURCE...] [--full | --since T] [--until T] [--dry-run]",
    .summary = N_("pull what is new from the sources, map it, and keep it"),
    .help = N_("  SOURCE       only these; default: every active source\n"
               "  --full       forget where the last pass ended and pull everything again\n"
               "  --since T    pull what changed since T instead of since the last pass\n"
               "  --until T    a backfill: up to T; the watermark stays as it is\n"
               "  --dry-run    pull, map and compare; keep nothing\n"
               "  --purpose TEXT  noted with the run\n\n"
               "Stopped by a signal or a crash, the next sync goes on where this one was. Example:\n"
               "  puente sync reta --since 2024-01-01"),
    .run = run,
};
