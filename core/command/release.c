#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/label.h"
#include "core/command/release_show.h"
#include "core/command/stop.h"
#include "core/command/table.h"
#include "core/service/access.h"
#include "core/service/releasing.h"

#include <string.h>

/* What was typed. */
struct typed {
  const char *purpose, *where;
  bool csv;
};

static enum status open_reading(const struct globals *globals, struct workspace *workspace, struct error *error) {
  const struct workspace_opening opening = {.path = globals->config, .mode = WORKSPACE_RELEASES};
  enum status status = workspace_open_as(&opening, workspace, error);
  if (status == OK && (status = access_require(workspace, RIGHT_FIGURES, error)) != OK) {
    workspace_close(workspace);
  }
  return status;
}

/* ---- create ---- */

static enum status create(const struct globals *globals, const char *name, const struct typed *typed,
                          struct error *error) {
  struct workspace workspace;
  struct releasing_made made;
  if (typed->purpose == NULL || typed->purpose[0] == '\0') {
    error_set(error, ERR_USAGE, "%s", _("release create: the purpose is missing"));
    error_hint(error, "%s", _("--purpose 'quarterly report, memo 31-2026': the log keeps it"));
    return ERR_USAGE;
  }
  enum status status = workspace_open(globals->config, WORKSPACE_WRITE, &workspace, error);
  if (status != OK) {
    return status;
  }
  status = releasing_create(&workspace, name, typed->purpose, stop_flag(), &made, error);
  workspace_close(&workspace);
  if (status != OK) {
    return status;
  }
  if (globals->json) {
    printf("{\"release\":%lld,\"run\":%lld,\"tables\":%zu,\"shown\":%zu,\"hidden\":%zu,\"restated\":%zu,"
           "\"rounded\":%d,\"digest\":\"%s\"}\n",
           (long long)made.id, (long long)made.run, made.tables, made.shown, made.hidden, made.restated, made.rounded,
           made.digest);
    return OK;
  }
  printf(_("release %lld of %s is published, as the store stood after run %lld\n"), (long long)made.id, name,
         (long long)made.run);
  printf(_("  tables %zu, figures shown %zu, hidden %zu\n"), made.tables, made.shown, made.hidden);
  if (made.rounded > 0) {
    printf(_("  rounded to base %d: each figure by itself, so that parts need not add up\n"), made.rounded);
  }
  if (made.replaces != 0) {
    printf(_("  figures that changed since release %lld: %zu (`puente release show %s restatements`)\n"),
           (long long)made.replaces, made.restated, name);
  }
  printf(_("  digest %s\n"), made.digest);
  return OK;
}

/* ---- list ---- */

static enum status list(const struct globals *globals, struct error *error) {
  static const struct table_column columns[] = {{.name = "number", .title = N_("number"), .align = ALIGN_RIGHT},
                                                {.name = "release", .title = N_("release")},
                                                {.name = "made", .title = N_("made")},
                                                {.name = "run", .title = N_("run"), .align = ALIGN_RIGHT},
                                                {.name = "tables", .title = N_("tables and texts")},
                                                {.name = "digest", .title = N_("digest"), .most = 20}};
  struct table_column titled[sizeof columns / sizeof *columns];
  struct workspace workspace;
  struct released *releases = NULL;
  size_t count = 0;
  enum status status = open_reading(globals, &workspace, error);
  if (status != OK) {
    return status;
  }
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
    titled[i] = columns[i];
    titled[i].title = gettext(columns[i].title);
  }
  struct arena *arena = arena_new(0);
  struct table *table = table_new(titled, sizeof columns / sizeof *columns);
  status = arena == NULL || table == NULL ? error_memory(error)
                                          : releasing_list(&workspace, arena, &releases, &count, error);
  for (size_t i = 0; i < count && status == OK; i++) {
    const char *names = "";
    for (size_t t = 0; t < releases[i].count; t++) {
      names = arena_printf(arena, "%s%s%s", names, t == 0 ? "" : " ", releases[i].tables[t].name);
    }
    table_number(table, releases[i].id);
    table_text(table, releases[i].name);
    table_text(table, releases[i].made);
    table_number(table, releases[i].run);
    table_text(table, names);
    table_text(table, releases[i].digest);
  }
  if (status == OK) {
    status = table_print(table, stdout, globals->json ? TABLE_JSON : TABLE_TEXT, error);
  }
  table_free(table);
  arena_free(arena);
  workspace_close(&workspace);
  return status;
}

/* ---- reading ---- */

typedef enum status reading(const struct globals *globals, const struct workspace *workspace,
                            const struct released *released, const char *name, const struct typed *typed,
                            struct arena *arena, struct error *error);

static enum status show(const struct globals *globals, const struct workspace *workspace,
                        const struct released *released, const char *name, const struct typed *typed,
                        struct arena *arena, struct error *error) {
  (void)workspace;
  const struct released_table *table = released_table(released, name, error);
  if (table == NULL) {
    return error->code;
  }
  return release_show(released, table, typed->where,
                      globals->json ? TABLE_JSON
                      : typed->csv  ? TABLE_CSV
                                    : TABLE_TEXT,
                      arena, error);
}

static enum status export_files(const struct globals *globals, const struct workspace *workspace,
                                const struct released *released, const char *name, const struct typed *typed,
                                struct arena *arena, struct error *error) {
  (void)workspace;
  (void)typed;
  if (name == NULL) {
    return error_set(error, ERR_USAGE, "%s", _("release export: a folder is expected"));
  }
  enum status status = releasing_export(released, name, arena, error);
  if (status == OK && !globals->quiet && !globals->json) {
    printf(_("%zu files of release %lld are in %s\n"), released->count + 1, (long long)released->id, name);
  }
  return status;
}

static enum status read_release(const struct globals *globals, reading *read, const char *reference, const char *name,
                                const struct typed *typed, struct error *error) {
  struct workspace workspace;
  struct released released;
  struct arena *arena = arena_new((size_t)4 << 30);
  enum status status = arena == NULL ? error_memory(error) : open_reading(globals, &workspace, error);
  if (status == OK) {
    status = releasing_open(&workspace, reference, arena, &released, error);
    status = status == OK ? read(globals, &workspace, &released, name, typed, arena, error) : status;
    workspace_close(&workspace);
  }
  arena_free(arena);
  return status;
}

/* ---- verify ---- */

static void print_finding(const struct releasing_finding *finding) {
  const char *table = finding->table == NULL ? "" : finding->table, *cell = finding->cell;
  switch (finding->kind) {
  case FINDING_BODY:
    printf(_("  %s: the text is not the one that was published\n"), table);
    break;
  case FINDING_CELL:
    printf(_("  %s: %s: a cell says '%s', the published text '%s'\n"), table, cell, finding->frozen, finding->now);
    break;
  case FINDING_RELEASE:
    printf("%s", _("  the release's digest is not that of its tables\n"));
    break;
  case FINDING_LOG:
    printf("%s", _("  the log does not tell of a release with this number and digest\n"));
    break;
  default:
    if (cell == NULL) {
      printf(_("  %s: the store makes another text\n"), table);
    } else {
      printf(_("  %s: %s: published '%s', the store now makes '%s'\n"), table, cell, finding->frozen, finding->now);
    }
  }
}

static enum status tell_check(const struct globals *globals, const struct released *released,
                              const struct releasing_check *check, struct error *error) {
  if (check->count == 0) {
    if (globals->json) {
      printf("{\"release\":%lld,\"digest\":\"%s\",\"made_again\":%zu,\"findings\":0}\n", (long long)released->id,
             released->digest, check->made_again);
    } else {
      printf(_("release ok: number=%lld made_again=%zu digest=%s\n"), (long long)released->id, check->made_again,
             released->digest);
    }
    return OK;
  }
  for (size_t i = 0; i < check->count && !globals->quiet; i++) {
    print_finding(&check->findings[i]);
  }
  if (check->count == FINDINGS_MOST && !globals->quiet) {
    printf(_("  (only the first %d are listed)\n"), FINDINGS_MOST);
  }
  fflush(stdout);
  error_set(error, ERR_STORE, _("release %lld is not what the store makes: %zu differences"), (long long)released->id,
            check->count);
  if (check->changed != NULL) {
    error_hint(error, _("settings are others than when it was published: %s"), check->changed);
  } else {
    error_hint(error, "%s",
               _("`puente audit verify` tells whether the log is whole; records that were erased since are not in the"
                 " store any more"));
  }
  return ERR_STORE;
}

static enum status verify(const struct globals *globals, const char *reference, struct error *error) {
  struct workspace workspace;
  struct released released;
  struct releasing_check check;
  struct arena *arena = arena_new((size_t)8 << 30);
  enum status status =
      arena == NULL ? error_memory(error) : workspace_open(globals->config, WORKSPACE_READ, &workspace, error);
  if (status == OK) {
    status = releasing_open(&workspace, reference, arena, &released, error);
    status = status == OK ? releasing_verify(&workspace, &released, arena, &check, error) : status;
    status = status == OK ? tell_check(globals, &released, &check, error) : status;
    workspace_close(&workspace);
  }
  arena_free(arena);
  return status;
}

/* ---- all ---- */

static enum status act(const struct globals *globals, int argc, char **argv, const struct typed *typed,
                       struct error *error) {
  const char *what = argv[1];
  if (argc == 2 && strcmp(what, "list") == 0) {
    return list(globals, error);
  }
  if (argc == 3 && strcmp(what, "create") == 0) {
    return create(globals, argv[2], typed, error);
  }
  if (argc == 3 && strcmp(what, "verify") == 0) {
    return verify(globals, argv[2], error);
  }
  if ((argc == 3 || argc == 4) && strcmp(what, "show") == 0) {
    return read_release(globals, show, argv[2], argc == 4 ? argv[3] : NULL, typed, error);
  }
  if (argc == 4 && strcmp(what, "export") == 0) {
    return read_release(globals, export_files, argv[2], argv[3], typed, error);
  }
  return END;
}

static int run(const struct globals *globals, int argc, char **argv) {
  struct typed typed = {0};
  const struct argument table[] = {{.name = "purpose", .text = &typed.purpose},
                                   {.name = "where", .text = &typed.where},
                                   {.name = "csv", .flag = &typed.csv},
                                   {.name = NULL}};
  int exit_code = 0;
  struct error error;
  if (arguments_done(&command_release, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  enum status status = argc < 2 ? END : act(globals, argc, argv, &typed, &error);
  if (status == END) {
    return command_misused(&command_release, "%s",
                           _("release: create NAME, list, show NAME [TABLE], verify NAME or export NAME FOLDER"));
  }
  return status == OK ? 0 : command_fail(&error);
}

const struct command command_release = {
    .name = "release",
    .synopsis = "create NAME --purpose TEXT | list | show NAME [TABLE] [--where FIELD=VALUE] [--csv] | verify NAME |"
                " export NAME FOLDER",
    .summary = N_("publish tables in which nobody is found, and read what was published"),
    .help =
        N_("  create NAME    counts the tables that config/releases/NAME.yaml declares, hides what would tell of\n"
           "                 few persons (also together with all that was published before), or rounds every figure\n"
           "                 where `disclosure:` says so, and freezes them\n"
           "  list           what was published\n"
           "  show NAME      the first table of the newest release of that name; a number stands for one release\n"
           "  show NAME TABLE  another one; or a text beside the figures: coverage (which source told of which\n"
           "                 department and years), restatements (what changed since the release before, and why),\n"
           "                 dictionary (what each column and code means), linkage (what is not settled)\n"
           "  verify NAME    whether it is what was published, and whether the store still makes the same bytes\n"
           "  export NAME FOLDER  one CSV a table and text, and release.json with their digests\n\n"
           "  --purpose TEXT  why it is published; the log keeps it\n"
           "  --where A=X,B=Y  only these rows, by code or label; total is a value too\n"
           "  --csv          the very bytes that were published\n\n"
           "Example: puente release show victims --where year=2022,department=Loreto\n"
           "A figure is shown, hidden (not zero), or not listed (nobody). Reading needs no key and no right to any\n"
           "other table."),
    .run = run,
};
