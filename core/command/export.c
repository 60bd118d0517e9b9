#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/service/outbound.h"

#include <jansson.h>
#include <stdio.h>

struct printing {
  const struct globals *globals;
  json_t *files;
};

static void on_file(void *context, const struct export_file *file) {
  struct printing *printing = context;
  if (printing->globals->json) {
    json_array_append_new(printing->files, json_pack("{ss ss sI}", "entity", file->entity, "path", file->path, "rows",
                                                     (json_int_t)file->rows));
  } else if (!printing->globals->quiet) {
    printf(_("%10lld rows  %s\n"), (long long)file->rows, file->path);
  }
}

static int run(const struct globals *globals, int argc, char **argv) {
  static const char *const forms[] = {"csv", "json", "htcds"};
  const char *folder = "export", *purpose = NULL;
  const struct argument table[] = {
      {.name = "out", .text = &folder}, {.name = "purpose", .text = &purpose}, {.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_export, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  size_t form = 0;
  while (argc == 2 && form < 3 && strcmp(argv[1], forms[form]) != 0) {
    form++;
  }
  if (argc != 2 || form == 3) {
    return command_misused(&command_export, _("csv, json or htcds is expected"));
  }
  struct printing printing = {.globals = globals, .files = json_array()};
  struct workspace workspace;
  struct error error;
  enum status status = workspace_open(globals->config, WORKSPACE_WRITE, &workspace, &error);
  if (status == OK) {
    status = service_export(&workspace, (enum export_form)form, folder, purpose, on_file, &printing, &error);
    workspace_close(&workspace);
  }
  if (status == OK && globals->json) {
    json_dumpf(printing.files, stdout, JSON_INDENT(2));
    puts("");
  }
  json_decref(printing.files);
  return status == OK ? 0 : command_fail(&error);
}

const struct command command_export = {
    .name = "export",
    .synopsis = "csv|json|htcds --purpose TEXT [--out FOLDER]",
    .summary = N_("write persons, cases and what belongs to them to files, without names and documents"),
    .help = N_("  csv            one file an entity, RFC 4180\n"
               "  json           the same as JSON lines\n"
               "  htcds          CSV of the fields that the Human Trafficking Case Data Standard 2.0 names\n"
               "  --out FOLDER   where; default: export\n"
               "  --purpose TEXT what they are for: the log records it\n\n"
               "The rows are about single people: names and documents are left out, dates and places are not. Publish\n"
               "figures by `puente report`."),
    .run = run,
};
