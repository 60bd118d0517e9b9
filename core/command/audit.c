#include "core/base/date.h"
#include "core/base/file.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/holders.h"
#include "core/command/lineage.h"
#include "core/command/moment.h"
#include "core/command/table.h"
#include "core/service/access.h"
#include "core/service/auditing.h"

#include <stdio.h>

enum { ROWS_MOST = 100000 };

struct request {
  const char *paths[CHECKPOINTS_MOST];
  struct argument_list checkpoints;
  bool send;
  const char *file, *since, *until, *person, *format;
  struct auditing_filter filter;
  bool records;
  struct typed_sample sample;
};

/* ---- verify ---- */

static enum status tell_check(const struct globals *globals, const struct audit_check *check, struct error *error) {
  char head[2 * SHA256_SIZE + 1];
  hex_format(check->head.bytes, SHA256_SIZE, head);
  if (check->first_wrong != 0) {
    error_set(error, ERR_STORE, _("the audit log was altered: %s"), check->what);
    error_place(error, _("entry %lld"), (long long)check->first_wrong);
    error_hint(error, "%s", _("keep the store as it is, compare it with the last backup, and tell the data officer"));
    return ERR_STORE;
  }
  if (globals->json) {
    printf("{\"entries\":%lld,\"head\":\"%s\"}\n", (long long)check->entries, head);
  } else {
    printf("audit ok: entries=%lld head=%s\n", (long long)check->entries, head);
  }
  return OK;
}

/* A file needs no workspace: whoever has it can check it, on any machine. */
static enum status verify_file(const struct request *request, struct audit_check *check, struct error *error) {
  struct checkpoint checkpoints[CHECKPOINTS_MOST];
  size_t count = request->checkpoints.count;
  enum status status = auditing_checkpoints(NULL, request->paths, count, checkpoints, error);
  return status == OK ? audit_verify_file(request->file, checkpoints, count, check, error) : status;
}

static enum status verify_store(const struct globals *globals, const struct request *request, struct audit_check *check,
                                struct error *error) {
  struct workspace workspace;
  struct checkpoint checkpoints[CHECKPOINTS_MOST];
  size_t count = request->checkpoints.count;
  const struct workspace_opening opening = {.path = globals->config, .mode = WORKSPACE_READ, .bare = !request->records};
  enum status status = workspace_open_as(&opening, &workspace, error);
  if (status != OK) {
    return status;
  }
  status = auditing_checkpoints(&workspace, request->paths, count, checkpoints, error);
  if (status == OK) {
    status = audit_verify_against(workspace.store, checkpoints, count, check, error);
  }
  if (status == OK) {
    status = tell_check(globals, check, error);
  }
  if (status == OK && request->records) {
    status = lineage_tell_records(globals, &workspace, request->filter.source, error);
  }
  workspace_close(&workspace);
  return status;
}

static enum status verify(const struct globals *globals, const struct request *request, struct error *error) {
  struct audit_check check;
  if (request->file == NULL) {
    return verify_store(globals, request, &check, error);
  }
  enum status status = verify_file(request, &check, error);
  return status == OK ? tell_check(globals, &check, error) : status;
}

/* ---- list ---- */

struct listing {
  struct table *table;
  bool person, anybody; /* anybody: a sight is in it of whoever */
};

/* How an entry is about the person who was asked for. */
static const char *const ABOUT[] = {
    [ABOUT_NOBODY] = "", [ABOUT_NAMED] = "named", [ABOUT_LISTED] = "listed", [ABOUT_ANYBODY] = "anybody"};

static enum status list_one(void *context, const struct audit_row *row, enum auditing_about about,
                            struct error *error) {
  struct listing *listing = context;
  struct table *table = listing->table;
  char at[MOMENT_SIZE];
  if (table_rows(table) >= ROWS_MOST) {
    error_set(error, ERR_LIMIT, _("more than %d entries fit"), ROWS_MOST);
    error_hint(error, "%s", _("ask for less by --since and --until, or take the log by `puente audit export FILE`"));
    return ERR_LIMIT;
  }
  table_number(table, row->sequence);
  table_text(table, moment_text(row->at, at));
  table_text(table, row->event);
  table_text(table, row->source);
  table_text(table, row->actor);
  table_text(table, row->purpose);
  table_number(table, row->run);
  if (listing->person) {
    table_text(table, ABOUT[about]);
  }
  table_text(table, row->body);
  listing->anybody = listing->anybody || about == ABOUT_ANYBODY;
  return OK;
}

static enum status read_moment(const char *name, const char *text, int64_t *micros, struct error *error) {
  if (text == NULL || clock_parse(slice_of(text), micros)) {
    return OK;
  }
  error_set(error, ERR_USAGE, _("--%s: \"%s\" is no time"), name, text);
  error_hint(error, "%s", _("write a date, 2026-03-31, or a time, 2026-03-31T12:00:00Z"));
  return ERR_USAGE;
}

static enum status read_filter(struct request *request, struct error *error) {
  enum status status = read_moment("since", request->since, &request->filter.since, error);
  status = status == OK ? read_moment("until", request->until, &request->filter.until, error) : status;
  if (status != OK || request->person == NULL) {
    return status;
  }
  char rest;
  long long id = 0;
  if (sscanf(request->person, "%lld%c", &id, &rest) != 1 || id <= 0) {
    return error_set(error, ERR_USAGE, _("--person: \"%s\" is no number of a person"), request->person);
  }
  request->filter.person = id;
  return OK;
}

static struct table *new_list(bool person) {
  const struct table_column about = {.name = "about", .title = _("how")};
  const struct table_column body = {.name = "body", .title = _("what"), .most = 60};
  const struct table_column columns[] = {{.name = "sequence", .title = _("entry"), .align = ALIGN_RIGHT},
                                         {.name = "at", .title = _("when")},
                                         {.name = "event", .title = _("event")},
                                         {.name = "source", .title = _("source")},
                                         {.name = "actor", .title = _("who")},
                                         {.name = "purpose", .title = _("why"), .most = 40},
                                         {.name = "run", .title = _("run"), .align = ALIGN_RIGHT},
                                         person ? about : body,
                                         body};
  return table_new(columns, sizeof columns / sizeof *columns - !person);
}

static enum status list(const struct globals *globals, struct request *request, struct error *error) {
  struct workspace workspace;
  enum status status = read_filter(request, error);
  if (status == OK) {
    status = workspace_open_bare(globals->config, WORKSPACE_READ, &workspace, error);
  }
  if (status != OK) {
    return status;
  }
  bool person = request->filter.person != 0;
  struct listing listing = {.table = new_list(person), .person = person};
  status = listing.table == NULL ? error_memory(error)
                                 : auditing_visit(&workspace, &request->filter, list_one, &listing, error);
  if (listing.anybody) {
    table_note(listing.table, "%s", _("anybody: it was asked of all, and the log does not know whom it showed"));
  }
  if (status == OK) {
    status = table_print(listing.table, stdout, globals->json ? TABLE_JSON : TABLE_TEXT, error);
  }
  table_free(listing.table);
  workspace_close(&workspace);
  return status;
}

/* ---- export and checkpoint ---- */

static enum status read_form(const char *name, enum auditing_form *form, struct error *error) {
  for (int i = 0; auditing_forms[i] != NULL; i++) {
    if (name == NULL || strcmp(auditing_forms[i], name) == 0) {
      *form = (enum auditing_form)i;
      return OK;
    }
  }
  error_set(error, ERR_USAGE, _("--format: \"%s\" is no format of the log"), name);
  error_hint(error, "%s", _("jsonl, openlineage or prov"));
  return ERR_USAGE;
}

static void tell_export(enum auditing_form form, const char *path, int64_t entries) {
  if (form == AUDITING_JSONL) {
    printf(_("wrote %lld entries to %s; check them anywhere by `puente audit verify --file %s`\n"), (long long)entries,
           path, path);
  } else if (form == AUDITING_OPENLINEAGE) {
    printf(_("wrote %lld run events to %s\n"), (long long)entries, path);
  } else {
    printf(_("wrote %lld activities to %s\n"), (long long)entries, path);
  }
}

static enum status export_log(const struct globals *globals, const struct request *request, const char *path,
                              struct error *error) {
  struct workspace workspace;
  enum auditing_form form = AUDITING_JSONL;
  int64_t entries = 0;
  enum status status = read_form(request->format, &form, error);
  status = status == OK ? workspace_open_bare(globals->config, WORKSPACE_READ, &workspace, error) : status;
  if (status != OK) {
    return status;
  }
  status = auditing_export(&workspace, form, path, &entries, error);
  if (status == OK && strcmp(path, "-") != 0 && !globals->quiet) {
    tell_export(form, path, entries);
  }
  workspace_close(&workspace);
  return status;
}

static enum status checkpoint(const struct globals *globals, const char *path, struct error *error) {
  struct workspace workspace;
  struct checkpoint made;
  struct buffer text;
  enum status status = workspace_open_bare(globals->config, WORKSPACE_READ, &workspace, error);
  if (status != OK) {
    return status;
  }
  buffer_init(&text, CHECKPOINT_LIMIT);
  status = access_person(&workspace, error);
  status = status == OK ? auditing_checkpoint(&workspace, &made, &text, error) : status;
  if (status == OK && strcmp(path, "-") == 0) {
    fputs(text.data, stdout);
  } else if (status == OK) {
    status = file_write(path, buffer_view(&text), 0644, error);
  }
  if (status == OK && strcmp(path, "-") != 0 && !globals->quiet) {
    printf(_("signed entry %lld in %s; give the file to somebody who cannot change this store\n"),
           (long long)made.sequence, path);
  }
  buffer_free(&text);
  workspace_close(&workspace);
  return status;
}

/* What leaves for holders outside, and what they answered; END: no such words. */
static enum status outside(const struct globals *globals, const struct request *request, int argc, char **argv,
                           struct error *error) {
  if (strcmp(argv[1], "receipts") == 0) {
    return argc == 2 ? holders_tell_receipts(globals, error) : END;
  }
  if (argc == 2 && request->send) {
    return holders_tell_sending(globals, error);
  }
  return argc == 3 && !request->send ? checkpoint(globals, argv[2], error) : END;
}

static enum status dispatch(const struct globals *globals, struct request *request, int argc, char **argv,
                            struct error *error) {
  const char *what = argc > 1 ? argv[1] : "list";
  if (strcmp(what, "verify") == 0 && argc == 2) {
    return verify(globals, request, error);
  }
  if (strcmp(what, "list") == 0 && argc <= 2) {
    return list(globals, request, error);
  }
  if (strcmp(what, "export") == 0 && argc == 3) {
    return export_log(globals, request, argv[2], error);
  }
  if (strcmp(what, "checkpoint") == 0 || strcmp(what, "receipts") == 0) {
    return outside(globals, request, argc, argv, error);
  }
  if (strcmp(what, "mapping") == 0 && argc == 3) {
    return lineage_tell_mapping(globals, argv[2], error);
  }
  if (strcmp(what, "sample") == 0 && (argc == 3 || argc == 4)) {
    return lineage_tell_sample(globals, argv + 2, argc - 2, &request->sample, error);
  }
  return END; /* no such words */
}

static int run(const struct globals *globals, int argc, char **argv) {
  struct request request = {.file = NULL};
  request.checkpoints = (struct argument_list){.items = request.paths, .most = CHECKPOINTS_MOST};
  const struct argument table[] = {{.name = "checkpoint", .list = &request.checkpoints},
                                   {.name = "file", .text = &request.file},
                                   {.name = "records", .flag = &request.records},
                                   {.name = "by", .text = &request.sample.by},
                                   {.name = "where", .text = &request.sample.where},
                                   {.name = "n", .text = &request.sample.n},
                                   {.name = "seed", .text = &request.sample.seed},
                                   {.name = "run", .text = &request.sample.run},
                                   {.name = "exact", .flag = &request.sample.exact},
                                   {.name = "purpose", .text = &request.sample.purpose},
                                   {.name = "since", .text = &request.since},
                                   {.name = "until", .text = &request.until},
                                   {.name = "actor", .text = &request.filter.actor},
                                   {.name = "source", .text = &request.filter.source},
                                   {.name = "event", .text = &request.filter.event},
                                   {.name = "person", .text = &request.person},
                                   {.name = "send", .flag = &request.send},
                                   {.name = "format", .text = &request.format},
                                   {.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_audit, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  struct error error;
  enum status status = dispatch(globals, &request, argc, argv, &error);
  if (status == END) {
    return command_misused(&command_audit, _("verify, list, receipts, export FILE, checkpoint FILE, checkpoint --send, "
                                             "mapping SOURCE or sample INDICATOR is expected"));
  }
  return status == OK ? 0 : command_fail(&error);
}

const struct command command_audit = {
    .name = "audit",
    .synopsis = "verify|list|export|checkpoint|receipts|mapping|sample [OPTIONS]",
    .summary = N_("prove that nobody changed the log, and ask it who did what, when and why"),
    .help = N_(
        "  verify [--checkpoint FILE...] [--file LOG] [--records]\n"
        "                     find any entry that was changed, removed, moved or put in; with a checkpoint that\n"
        "                     somebody else kept also a tail that was cut off, and a log that was written anew.\n"
        "                     --file checks what `export` wrote, without workspace or store.\n"
        "                     --records [--source S]: and landed bytes, outcomes, mappings, staged rows and\n"
        "                     memberships against it, by mapping every record again\n"
        "  list [--since T] [--until T] [--event E] [--source S] [--actor A] [--person ID]\n"
        "                     entries that fit; --person: who was shown or decided about that person, also among\n"
        "                     many; `about` tells whether it was named, listed, or could have been anybody\n"
        "  export FILE [--format jsonl|openlineage|prov]\n"
        "                     the whole log as JSON lines, which verifiers read; or its runs as OpenLineage events,\n"
        "                     or as one W3C PROV document (PROV-JSON), for a catalogue. - for standard output\n"
        "  checkpoint FILE    sign the head of the log, for a holder outside\n"
        "  checkpoint --send  sign it and send it to the holders of `checkpoints:` now, as `serve` does daily\n"
        "  receipts           what each holder got, when, and what they answered\n"
        "  mapping SOURCE     each version of its mapping: what changed, who brought it in and approved it,\n"
        "                     which records it touched\n"
        "  sample INDICATOR [ROW] --n N --seed S [--run R] [--by year=2022,department=15] [--where F=V]\n"
        "                     traces of N units of a figure, from value to page, masked; the same seed and run (the\n"
        "                     store as it stood after it; the last where none is named) draw the same, and it says\n"
        "                     how. What a report hides or rounds needs --exact --purpose TEXT\n\n"
        "The format is on one page: docs/audit-log.md. Example:\n"
        "  puente audit list --event reveal --since 2026-01-01"),
    .run = run,
};
