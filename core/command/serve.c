#include "core/serve/serve.h"

#include "core/base/log.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/stop.h"
#include "core/service/pull.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

static void print_json(const struct serve_summary *summary) {
  json_t *root = json_pack("{sI sI sI sI sI}", "done", (json_int_t)summary->done, "failed", (json_int_t)summary->failed,
                           "skipped", (json_int_t)summary->skipped, "linked", (json_int_t)summary->linked, "duties",
                           (json_int_t)summary->duties);
  json_dumpf(root, stdout, JSON_INDENT(2));
  puts("");
  json_decref(root);
}

/* What was due once is told of as `puente sync` does; a daemon that was asked to end has done what it should. */
static int exit_code_of(const struct serve_request *request, const struct serve_summary *summary) {
  const struct pull_summary pulled = {
      .done = (size_t)summary->done, .failed = (size_t)summary->failed, .worst = summary->worst};
  return request->once ? pull_exit_code(&pulled) : 0;
}

static int run(const struct globals *globals, int argc, char **argv) {
  struct serve_request request = {.config = globals->config, .stop = stop_flag(), .reload = stop_reload_flag()};
  const struct argument table[] = {{.name = "once", .flag = &request.once}, {.name = NULL}};
  struct serve_summary summary;
  struct error error;
  int exit_code = 0;
  if (arguments_done(&command_serve, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  if (argc > 1) {
    return command_misused(&command_serve, _("\"%s\" was not expected"), argv[1]);
  }
  request.signals = stop_watch_reload();
  enum status status = serve_run(&request, &summary, &error);
  if (globals->json && request.once) {
    print_json(&summary);
  }
  exit_code = status == OK ? exit_code_of(&request, &summary) : command_fail(&error);
  if (summary.left > 0) { /* threads hang in a call to a source or the store; what they had stored stands */
    fflush(stdout);
    _exit(exit_code);
  }
  return exit_code;
}

const struct command command_serve = {
    .name = "serve",
    .synopsis = "[--once]",
    .summary = N_("pull each source by its schedule and link, for years, by itself"),
    .help = N_("  --once   what is due now or was missed, then linking, then the end: for cron and systemd timers\n\n"
               "Schedules stand in puente.yaml (`serve:`). A missed run is made up once; a source that fails is tried\n"
               "again at growing intervals and holds up no other; no source is ever pulled twice at a time, also\n"
               "where several hosts share a store. `puente status` shows how it stands.\n\n"
               "  kill -HUP PID    reads the configuration again; a wrong one is refused and the old one goes on\n"
               "  kill -TERM PID   syncs end after their page; the next start goes on from there\n\n"
               "Under systemd: `systemctl enable --now puente`. By cron:\n"
               "  */5 * * * *  puente --config /etc/puente/puente.yaml --quiet serve --once"),
    .run = run,
};
