#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/service/checkup.h"

#include <jansson.h>
#include <stdio.h>

struct printing {
  bool json, quiet;
  json_t *steps;
  size_t wrong;
};

static void on_step(void *context, const struct check_step *step) {
  struct printing *printing = context;
  printing->wrong += step->status != OK;
  if (printing->json) {
    json_array_append_new(printing->steps, json_pack("{ss ss ss ss ss ss}", "subject", step->subject, "step",
                                                     step->step, "status", status_name(step->status), "words",
                                                     step->words, "place", step->place, "hint", step->hint));
    return;
  }
  if (printing->quiet && step->status == OK) {
    return;
  }
  printf("%-6s %s%s%s: %s\n", step->status == OK ? _("ok") : _("WRONG"), step->subject,
         step->step[0] != '\0' ? " " : "", step->step, step->words);
  if (step->place[0] != '\0') {
    printf(_("       at: %s\n"), step->place);
  }
  if (step->hint[0] != '\0') {
    printf(_("       hint: %s\n"), step->hint);
  }
  fflush(stdout);
}

static int run(const struct globals *globals, int argc, char **argv) {
  const char *live = NULL;
  const struct argument table[] = {{.name = "live", .text = &live}, {.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_check, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  if (argc > 1) {
    return command_misused(&command_check, _("\"%s\" was not expected"), argv[1]);
  }
  struct printing printing = {.json = globals->json, .quiet = globals->quiet, .steps = json_array()};
  enum status status = live != NULL ? service_check_live(globals->config, live, on_step, &printing)
                                    : service_check(globals->config, on_step, &printing);
  if (globals->json) {
    json_t *root = json_pack("{sO sI}", "steps", printing.steps, "wrong", (json_int_t)printing.wrong);
    json_dumpf(root, stdout, JSON_INDENT(2));
    puts("");
    json_decref(root);
  } else if (!globals->quiet && live == NULL && status == OK) {
    puts(_("everything fits; next: `puente sync`"));
  }
  json_decref(printing.steps);
  return status_exit_code(status);
}

const struct command command_check = {
    .name = "check",
    .synopsis = "[--live SOURCE]",
    .summary = N_("tell whether configuration, mappings, key and store fit, or whether a source can be reached"),
    .help = N_(
        "  --live SOURCE  test the way to it step by step: name, TLS, clock, login, permission, one record, which is\n"
        "                 mapped and not landed; prints whom to call where a step fails"),
    .run = run,
};
