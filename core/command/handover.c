#include "core/service/handover.h"

#include "core/base/file.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"

#include <stdio.h>

static int run(const struct globals *globals, int argc, char **argv) {
  const char *out = NULL;
  const struct argument table[] = {{.name = "out", .text = &out}, {.name = NULL}};
  int exit_code = 0;
  struct error error;
  struct buffer document;
  if (arguments_done(&command_handover, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  if (argc > 1) {
    return command_misused(&command_handover, "%s", _("handover takes no argument but --out FILE"));
  }
  buffer_init(&document, HANDOVER_LIMIT);
  enum status status = service_handover(globals->config, &document, &error);
  if (status == OK && out != NULL) {
    status = file_write(out, buffer_view(&document), 0600, &error);
  } else if (status == OK) {
    fwrite(document.data, 1, document.len, stdout);
  }
  if (status == OK && out != NULL && !globals->quiet) {
    printf(_("wrote %s: no secret is in it, but how the sources are reached is; `puente init FOLDER --from %s` goes on "
             "from it\n"),
           out, out);
  }
  buffer_free(&document);
  return status == OK ? 0 : command_fail(&error);
}

const struct command command_handover = {
    .name = "handover",
    .synopsis = "[--out FILE.md]",
    .summary = N_("write what a successor needs into one document: configuration, contacts, state, backups"),
    .help =
        N_("  --out FILE.md  the document, mode 0600; default: standard output\n\n"
           "It holds the whole configuration without secrets, where each secret lives, whom to call, how each source\n"
           "stands, and the last backup and restore. `puente init FOLDER --from FILE.md` goes on from it.\n\n"
           "Example:\n"
           "  puente handover --out handover.md\n"),
    .run = run,
};
