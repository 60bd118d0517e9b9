#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/pull.h"

#include <stdlib.h>
#include <string.h>

enum { PERCENT_DIGITS = 8 };

/* "1.0", "0.35": a share above 0. */
static bool read_share(const char *text, double *share) {
  char *end;
  if (text == NULL) {
    return true;
  }
  *share = strtod(text, &end);
  return text[0] >= '0' && text[0] <= '9' && strlen(text) < PERCENT_DIGITS && *end == '\0' && *share > 0 && *share <= 1;
}

static int run(const struct globals *globals, int argc, char **argv) {
  struct pull_request request = {.kind = PULL_SYNC};
  struct sync_options *options = &request.options;
  const char *max_drop = NULL;
  const struct argument table[] = {
      {.name = "full", .flag = &options->full},       {.name = "since", .text = &options->since},
      {.name = "until", .text = &options->until},     {.name = "reload", .flag = &options->reload},
      {.name = "max-drop", .text = &max_drop},        {.name = "dry-run", .flag = &options->dry_run},
      {.name = "purpose", .text = &options->purpose}, {.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_sync, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  if (options->full && options->since != NULL) {
    return command_misused(&command_sync, _("--full and --since exclude each other"));
  }
  if (options->reload && (options->full || options->since != NULL || options->until != NULL)) {
    return command_misused(&command_sync, _("--reload pulls everything: --full, --since and --until exclude it"));
  }
  if (options->reload && argc < 2) {
    return command_misused(&command_sync, _("--reload needs the name of a source"));
  }
  if (!read_share(max_drop, &options->max_drop)) {
    return command_misused(&command_sync, _("--max-drop is a share above 0, up to 1.0"));
  }
  return command_pull_named(globals, argv, &request, command_pull);
}

const struct command command_sync = {
    .name = "sync",
    .synopsis = "[SOURCE...] [--full | --since A [--until B] | --reload] [--dry-run]",
    .summary = N_("pull what is new from the sources, map it, and keep it"),
    .help =
        N_("  SOURCE          only these; default: every active source\n"
           "  --full          forget where the last pass ended and pull everything again\n"
           "  --since A       pull what changed since A instead of since the last pass: a date (2024-01-31), a time\n"
           "                  (2024-01-31T08:30:00Z), or a number where the marks of the source are numbers; a date\n"
           "                  is that day in the zone of the source's own marks\n"
           "  --until B       a backfill: up to B, a date with its whole day; cursor and watermark stay as they are,\n"
           "                  and nothing is deleted because it did not come\n"
           "  --reload        pull everything into a file without a name first, then swap in one transaction: readers\n"
           "                  see the old state or the new one; records that did not come are deleted\n"
           "  --max-drop S    let a reload, or a sweep, delete up to this share (0.5, 1.0) instead of the source's\n"
           "                  max_drop\n"
           "  --dry-run       pull, map and compare; keep nothing\n"
           "  --purpose TEXT  noted with the run\n\n"
           "Stopped by a signal or a crash, the next sync goes on where this one was; a backfill is asked for again\n"
           "(what has landed is unchanged then), and a reload that was stopped left nothing behind. Examples:\n"
           "  puente sync reta --since 2024-01-01 --until 2024-06-30\n"
           "  puente sync reta --reload"),
    .run = run,
};
