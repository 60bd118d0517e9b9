#include "core/service/erase.h"

#include "core/base/date.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/stop.h"
#include "core/command/table.h"
#include "core/service/backup.h"

#include <stdio.h>
#include <string.h>

struct options {
  const char *reason, *document;
  bool dry_run;
};

/* ---- what went ---- */

static void print_done(const struct globals *globals, const struct erase_done *done, bool dry_run) {
  const struct erased *erased = &done->erased;
  if (globals->json) {
    printf("{\"dry_run\": %s, \"run\": %lld, \"records\": %lld, \"partly\": %lld, \"versions\": %lld, \"bytes\": %lld, "
           "\"rows\": %lld, \"identities\": %lld, \"consolidated\": %lld, \"pairs\": %lld, \"issues\": %lld, "
           "\"lingers\": %s}\n",
           dry_run ? "true" : "false", (long long)done->run, (long long)erased->records, (long long)done->partly,
           (long long)erased->versions, (long long)erased->bytes, (long long)erased->rows,
           (long long)erased->identities, (long long)erased->wholes, (long long)erased->pairs,
           (long long)erased->issues, done->lingers ? "true" : "false");
    return;
  }
  if (globals->quiet) {
    return;
  }
  puts(dry_run ? _("would be taken out (nothing was changed):") : _("taken out:"));
  printf(_("  records %lld, of which others stay in %lld\n"), (long long)erased->records, (long long)done->partly);
  printf(_("  versions with their bytes %lld (%lld bytes), issues %lld\n"), (long long)erased->versions,
         (long long)erased->bytes, (long long)erased->issues);
  printf(_("  staged rows %lld, identities %lld\n"), (long long)erased->rows, (long long)erased->identities);
  printf(_("  states of consolidated persons and cases that lost values %lld, pairs %lld\n"), (long long)erased->wholes,
         (long long)erased->pairs);
  if (!dry_run) {
    puts(_(
        "It does not come back by a sync, remap or reload. `puente link` consolidates what stays. Older backups still "
        "hold it\nuntil they are deleted; `puente store restore` takes it out again. Published releases are not "
        "changed."));
  }
}

static void print_copy(void *context, const char *folder, const char *name) {
  bool *headed = context;
  if (!*headed) {
    puts(_("Copies made before, which still may hold it:"));
    *headed = true;
  }
  printf("  %s/%s\n", folder, name);
}

static int finish(const struct globals *globals, const struct workspace *workspace, const struct erase_done *done,
                  bool dry_run) {
  bool headed = false;
  struct error error;
  print_done(globals, done, dry_run);
  if (!dry_run && !globals->json && !globals->quiet && done->erased.records > 0
      && service_visit_copies(workspace, print_copy, &headed, &error) != OK) {
    log_error(LEVEL_WARNING, &error);
  }
  if (done->lingers) {
    return command_fail(&done->why) == 0 ? 0 : 3;
  }
  return 0;
}

static int run_one(const struct globals *globals, const char *record, const char *person,
                   const struct options *options) {
  struct erase_request request = {
      .record = record, .reason = options->reason, .document = options->document, .dry_run = options->dry_run};
  struct workspace workspace;
  struct erase_done done;
  struct error error;
  if (person != NULL && !text_to_int64(slice_of(person), &request.person)) {
    return command_misused(&command_erase, _("\"%s\" is no number of a person"), person);
  }
  const struct workspace_opening opening = {.path = globals->config, .mode = WORKSPACE_WRITE, .stop = stop_flag()};
  enum status status = workspace_open_as(&opening, &workspace, &error);
  if (status != OK) {
    return command_fail(&error);
  }
  status = service_erase(&workspace, &request, &done, &error);
  int exit_code = status == OK ? finish(globals, &workspace, &done, options->dry_run) : command_fail(&error);
  workspace_close(&workspace);
  return exit_code;
}

/* ---- what is over its time ---- */

static void tell_source(void *context, const struct source_config *source, int64_t records) {
  const struct globals *globals = context;
  if (!globals->json && !globals->quiet) {
    printf(_("%s: %lld records are over the time that its terms allow\n"), source->code, (long long)records);
  }
}

static int run_expired(const struct globals *globals, const char *source, const struct options *options) {
  struct workspace workspace;
  struct erase_done done;
  struct error error;
  const struct workspace_opening opening = {.path = globals->config, .mode = WORKSPACE_WRITE, .stop = stop_flag()};
  enum status status = workspace_open_as(&opening, &workspace, &error);
  if (status != OK) {
    return command_fail(&error);
  }
  if (source != NULL && config_source(workspace.config, source) == NULL) {
    status = error_set(&error, ERR_USAGE, _("there is no source \"%s\""), source);
  } else {
    struct globals copy = *globals;
    const struct erase_expired job = {
        .source = source, .dry_run = options->dry_run, .stop = stop_flag(), .tell = tell_source, .context = &copy};
    status = service_erase_expired(&workspace, &job, &done, &error);
  }
  int exit_code = status == OK ? finish(globals, &workspace, &done, options->dry_run) : command_fail(&error);
  workspace_close(&workspace);
  return exit_code;
}

/* ---- the list ---- */

struct listing {
  const struct workspace *workspace;
  struct table *table;
};

static const char *source_code(const struct workspace *workspace, int source_id) {
  for (size_t i = 0; i < workspace->config->source_count; i++) {
    if (workspace->source_ids[i] == source_id) {
      return workspace->config->sources[i].code;
    }
  }
  return NULL;
}

static const char *cause_label(enum erase_cause cause) {
  static const char *const labels[ERASE_CAUSES] = {N_("on request"), N_("consent withdrawn"), N_("no consent"),
                                                   N_("time over")};
  return _(labels[cause]);
}

static enum status list_one(void *context, const struct erasure *erasure, struct error *error) {
  struct listing *listing = context;
  char at[TIMESTAMP_TEXT_SIZE];
  (void)error;
  if (erasure->kind == ERASURE_BYTES) {
    return OK;
  }
  clock_format(erasure->at, at);
  table_text(listing->table, at);
  table_text(listing->table, source_code(listing->workspace, erasure->source_id));
  table_number(listing->table, erasure->record_id);
  table_text(listing->table, erasure_kind_names[erasure->kind]);
  table_code(listing->table, erase_cause_names[erasure->cause], cause_label(erasure->cause));
  table_text(listing->table, erasure->document);
  table_text(listing->table, erasure->actor);
  table_text(listing->table, erasure->reason);
  table_number(listing->table, erasure->run);
  return OK;
}

static int run_list(const struct globals *globals) {
  const struct table_column columns[] = {{.name = "at", .title = _("when"), .most = 19},
                                         {.name = "source", .title = _("source")},
                                         {.name = "record_id", .title = _("record")},
                                         {.name = "what", .title = _("what")},
                                         {.name = "cause", .title = _("cause")},
                                         {.name = "document", .title = _("document"), .most = 30},
                                         {.name = "actor", .title = _("who")},
                                         {.name = "reason", .title = _("reason"), .most = 40},
                                         {.name = "run", .title = _("run")}};
  struct workspace workspace;
  struct error error;
  enum status status = workspace_open(globals->config, WORKSPACE_READ, &workspace, &error);
  if (status != OK) {
    return command_fail(&error);
  }
  struct listing listing = {.workspace = &workspace, .table = table_new(columns, sizeof columns / sizeof *columns)};
  status = listing.table == NULL ? error_memory(&error)
                                 : store_visit_erasures(workspace.store, 0, list_one, &listing, &error);
  if (status == OK && table_rows(listing.table) == 0) {
    table_note(listing.table, "%s", _("nothing was taken out"));
  }
  if (status == OK) {
    status = table_print(listing.table, stdout, globals->json ? TABLE_JSON : TABLE_TEXT, &error);
  }
  table_free(listing.table);
  workspace_close(&workspace);
  return status == OK ? 0 : command_fail(&error);
}

static int run_purge(const struct globals *globals) {
  struct workspace workspace;
  struct error error;
  enum status status = workspace_open(globals->config, WORKSPACE_WRITE, &workspace, &error);
  if (status != OK) {
    return command_fail(&error);
  }
  status = store_purge(workspace.store, &error);
  workspace_close(&workspace);
  return status == OK ? 0 : command_fail(&error);
}

static bool names_record(const char *word) {
  return strchr(word, ':') != NULL || (word[0] != '\0' && strspn(word, "0123456789") == strlen(word));
}

static int run(const struct globals *globals, int argc, char **argv) {
  struct options options = {.reason = NULL};
  const struct argument table[] = {{.name = "reason", .text = &options.reason},
                                   {.name = "document", .text = &options.document},
                                   {.name = "dry-run", .flag = &options.dry_run},
                                   {.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_erase, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  const char *what = argc > 1 ? argv[1] : "";
  stop_watch();
  if (strcmp(what, "list") == 0 && argc == 2) {
    return run_list(globals);
  }
  if (strcmp(what, "purge") == 0 && argc == 2) {
    return run_purge(globals);
  }
  if (strcmp(what, "expired") == 0 && argc <= 3) {
    return run_expired(globals, argc == 3 ? argv[2] : NULL, &options);
  }
  if (strcmp(what, "person") == 0 && argc == 3) {
    return run_one(globals, NULL, argv[2], &options);
  }
  if (argc == 2 && names_record(what)) {
    return run_one(globals, what, NULL, &options);
  }
  return command_misused(&command_erase, "%s", _("SOURCE:KEY, person ID, expired, list or purge is expected"));
}

const struct command command_erase = {
    .name = "erase",
    .synopsis = "SOURCE:KEY | person ID | expired [SOURCE] | list | purge [OPTIONS]",
    .summary = N_("take records or a person out, for good, and list what was taken out"),
    .help = N_(
        "  SOURCE:KEY --reason TEXT --document NUMBER\n"
        "                   one record with everybody in it: identifiers, bytes, staged and consolidated values, key\n"
        "                   texts and issues of all its versions\n"
        "  person ID --reason TEXT --document NUMBER\n"
        "                   a consolidated person, out of all its records; others in them stay\n"
        "  expired [SOURCE] what is over the time that `terms: retention:` of its source allows; `serve` does it "
        "daily\n"
        "  list             what was taken out, when, why, by whom\n"
        "  purge            let the files go of what was taken out, where a reader held them at the time\n"
        "  --dry-run        tell what would go, and change nothing\n"
        "\n"
        "It asks nothing and cannot be undone. Keyed digests stay, so that a later sync, remap or reload does not "
        "bring\n"
        "it back, and the log stays valid. The record is still counted, without anything to tell whose it was.\n"
        "\n"
        "Example:\n"
        "  puente erase person 41 --reason \"cancellation asked for by the person\" --document \"Carta 103-2026\" "
        "--dry-run\n"),
    .run = run,
};
