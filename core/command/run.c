#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/linking.h"
#include "core/command/pull.h"
#include "core/command/stop.h"

#include <stdio.h>

static int sync_and_link(const struct globals *globals, struct workspace *workspace,
                         const struct pull_request *request) {
  if (globals->json) {
    fputs("{\"sync\":", stdout);
  }
  int synced = command_pull(globals, workspace, request);
  bool stopped = atomic_load(stop_flag());
  int linked = 0;
  if (globals->json) {
    fputs(",\"link\":", stdout);
  }
  if (!stopped) {
    const struct linking linking = {.purpose = request->options.purpose};
    linked = command_linking(globals, workspace, &linking);
  }
  if (globals->json) {
    fputs(stopped || linked != 0 ? "null}\n" : "}\n", stdout);
  }
  if (linked == 0 || stopped) {
    return synced;
  }
  return synced == 0 || synced == 3 ? 3 : linked;
}

static int run(const struct globals *globals, int argc, char **argv) {
  struct pull_request request = {.kind = PULL_SYNC, .then_links = true};
  const struct argument table[] = {{.name = "full", .flag = &request.options.full},
                                   {.name = "since", .text = &request.options.since},
                                   {.name = "purpose", .text = &request.options.purpose},
                                   {.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_run, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  return command_pull_named(globals, argv, &request, sync_and_link);
}

const struct command command_run = {
    .name = "run",
    .synopsis = "[SOURCE...] [--full | --since T]",
    .summary = N_("sync, then link"),
    .help = N_("  SOURCE          only these; default: every active source\n"
               "  --full          pull everything again\n"
               "  --since T       pull what changed since T\n"
               "  --purpose TEXT  noted with the runs\n\n"
               "Sources that fail do not keep the others from being linked; the exit code is 3 then."),
    .run = run,
};
