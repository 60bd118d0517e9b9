#include "core/command/commands.h"

#include "core/base/text.h"

#include <string.h>

/* In the order of help: how one begins, the main job, what one looks at, the rest. */
/* clang-format off */
static const struct command *const COMMANDS[] = {
    &command_init,
    &command_check,
    &command_sync,
    &command_remap,
    &command_link,
    &command_run,
    &command_serve,
    &command_status,
    &command_quarantine,
    &command_drift,
    &command_review,
    &command_approve,
    &command_explain,
    &command_report,
    &command_release,
    &command_query,
    &command_export,
    &command_audit,
    &command_access,
    &command_erase,
    &command_map,
    &command_encode,
    &command_codelist,
    &command_connectors,
    &command_store,
    &command_key,
    &command_handover,
    &command_notify,
    &command_help,
    &command_version,
    NULL,
};
/* clang-format on */

enum { COMMANDS_MOST = sizeof COMMANDS / sizeof *COMMANDS };

const struct command *const *command_table(void) {
  return COMMANDS;
}

enum status command_lookup(const char *name, const struct command **command, struct error *error) {
  const char *names[COMMANDS_MOST];
  size_t count = 0;
  for (; COMMANDS[count] != NULL; count++) {
    names[count] = COMMANDS[count]->name;
    if (strcmp(name, names[count]) == 0) {
      *command = COMMANDS[count];
      return OK;
    }
  }
  error_set(error, ERR_USAGE, _("there is no command \"%s\""), name);
  const char *nearest = text_nearest(slice_of(name), names, count);
  if (nearest != NULL) {
    error_hint(error, _("did you mean \"%s\"?"), nearest);
  } else {
    error_hint(error, _("`puente help` lists the commands"));
  }
  return ERR_USAGE;
}
