#include "core/base/date.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/stop.h"
#include "core/service/access.h"
#include "core/service/rotation.h"

#include <stdio.h>
#include <string.h>

static enum status print_key(void *context, const struct data_key *key, struct error *error) {
  char made[TIMESTAMP_TEXT_SIZE], retired[TIMESTAMP_TEXT_SIZE] = "";
  const bool *json = context;
  (void)error;
  clock_format(key->made, made);
  if (key->retired != 0) {
    clock_format(key->retired, retired);
  }
  if (*json) {
    printf("{\"key\":%lld,\"purpose\":\"%s\",\"made\":\"%s\",\"retired\":\"%s\",\"present\":%s}\n", (long long)key->id,
           key->purpose, made, retired, key->present ? "true" : "false");
    return OK;
  }
  const char *state = key->present        ? _("seals what is written")
                      : key->retired != 0 ? _("retired")
                                          : _("opens what is left");
  printf("%6lld  %-7s  %s  %s %s\n", (long long)key->id, key->purpose, made, state, retired);
  return OK;
}

static enum status list(const struct globals *globals, struct error *error) {
  struct workspace workspace;
  bool json = globals->json;
  enum status status = workspace_open(globals->config, WORKSPACE_READ, &workspace, error);
  if (status != OK) {
    return status;
  }
  status = access_require(&workspace, RIGHT_KEYS, error);
  status = status == OK ? store_visit_data_keys(workspace.store, print_key, &json, error) : status;
  workspace_close(&workspace);
  return status;
}

static enum status rotate(const struct globals *globals, bool resume, struct error *error) {
  struct workspace workspace;
  struct rotation_done done;
  const struct workspace_opening opening = {.path = globals->config, .mode = WORKSPACE_WRITE, .stop = stop_flag()};
  enum status status = workspace_open_as(&opening, &workspace, error);
  if (status != OK) {
    return status;
  }
  status = service_rotate(&workspace, resume, stop_flag(), &done, error);
  if (status == OK && globals->json) {
    printf("{\"sealed\":%lld,\"retired\":%lld}\n", (long long)done.sealed, (long long)done.retired);
  } else if (status == OK) {
    printf(_("sealed again: %lld, keys retired: %lld\n"), (long long)done.sealed, (long long)done.retired);
  }
  workspace_close(&workspace);
  return status;
}

static int run(const struct globals *globals, int argc, char **argv) {
  bool resume = false;
  const struct argument table[] = {{.name = "resume", .flag = &resume}, {.name = NULL}};
  int exit_code = 0;
  struct error error;
  if (arguments_done(&command_key, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  if (argc != 2 || (strcmp(argv[1], "list") != 0 && strcmp(argv[1], "rotate") != 0)) {
    return command_misused(&command_key, "%s", _("list or rotate is expected"));
  }
  enum status status = strcmp(argv[1], "list") == 0 ? list(globals, &error) : rotate(globals, resume, &error);
  return status == OK ? 0 : command_fail(&error);
}

const struct command command_key = {
    .name = "key",
    .synopsis = "list|rotate [--resume]",
    .summary = N_("the data keys that identities and landed bytes are sealed under"),
    .help = N_("  list      the data keys, and which one seals what is written\n"
               "  rotate    make a new data key, seal with it what was sealed before, and retire the old ones;\n"
               "            syncs and `serve` go on\n"
               "  --resume  go on with a rotation that was interrupted, without a new key\n\n"
               "Example:\n"
               "  puente key rotate"),
    .run = run,
};
