#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/stop.h"
#include "core/service/notices.h"

#include <jansson.h>
#include <stdio.h>

struct printing {
  bool json, quiet;
  json_t *ways;
  size_t told, failed;
};

static void report(void *context, const char *way, enum status status, const struct error *error) {
  struct printing *printing = context;
  printing->told += status == OK;
  printing->failed += status != OK;
  if (printing->json) {
    json_array_append_new(printing->ways, json_pack("{ss sb ss ss ss ss}", "way", way, "told", status == OK ? 1 : 0,
                                                    "status", status_name(error->code), "message", error->message,
                                                    "place", error->place, "hint", error->hint));
    return;
  }
  if (error->code == OK) {
    if (!printing->quiet) {
      printf("%-6s %s\n", _("ok"), way);
    }
    return;
  }
  printf("%-6s %s: %s\n", status == OK ? _("partly") : _("FAILED"), error->place, error->message);
  if (error->hint[0] != '\0') {
    printf(_("       hint: %s\n"), error->hint);
  }
}

static enum status no_way(struct error *error) {
  error_set(error, ERR_CONFIG, "%s", _("neither mail nor webhook is configured: nobody would be told"));
  error_hint(error, "%s", _("fill in `notify:` of puente.yaml"));
  return ERR_CONFIG;
}

static int send_test(const struct globals *globals) {
  struct printing printing = {.json = globals->json, .quiet = globals->quiet, .ways = json_array()};
  struct workspace workspace;
  struct error error;
  enum status status = workspace_open(globals->config, WORKSPACE_CONFIG, &workspace, &error);
  if (status == OK && workspace.config->notify.server == NULL && workspace.config->notify.webhook_count == 0) {
    status = no_way(&error);
  } else if (status == OK) {
    status = notices_test(workspace.config, stop_flag(), report, &printing, &error);
  }
  if (globals->json) {
    json_t *root = json_pack("{sO sI sI}", "ways", printing.ways, "told", (json_int_t)printing.told, "failed",
                             (json_int_t)printing.failed);
    json_dumpf(root, stdout, JSON_INDENT(2));
    puts("");
    json_decref(root);
  }
  int exit_code = status_exit_code(status);
  if (status != OK && printing.failed == 0) {
    exit_code = command_fail(&error);
  } else if (printing.failed > 0 && printing.told > 0) {
    exit_code = 3;
  }
  json_decref(printing.ways);
  workspace_close(&workspace);
  return exit_code;
}

static int run(const struct globals *globals, int argc, char **argv) {
  const struct argument table[] = {{.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_notify, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  if (argc != 2 || strcmp(argv[1], "test") != 0) {
    return command_misused(&command_notify, "%s", _("only `puente notify test` is known"));
  }
  return send_test(globals);
}

const struct command command_notify = {
    .name = "notify",
    .synopsis = "test",
    .summary = N_("send a test message by mail and webhook, and tell what each of them said"),
    .help =
        N_("  test  one message by every way that `notify:` of puente.yaml names. Exit code 3 where some took it and\n"
           "        others did not. What people are told by itself: failures, recoveries, drift, growing\n"
           "        quarantine, what expires, and a digest a day (`puente serve`)."),
    .run = run,
};
