#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/pull.h"
#include "core/command/table.h"
#include "core/service/setaside.h"

#include <jansson.h>
#include <stdio.h>

/* ---- list ---- */

static enum status print_list(const struct globals *globals, const struct setaside_list *list, struct error *error) {
  const struct table_column columns[] = {{.name = "source", .title = _("source")},
                                         {.name = "records", .title = _("records"), .align = ALIGN_RIGHT},
                                         {.name = "field", .title = _("field")},
                                         {.name = "reason", .title = _("reason")},
                                         {.name = "since", .title = _("since")},
                                         {.name = "new_7_days", .title = _("+7 days"), .align = ALIGN_RIGHT},
                                         {.name = "shape", .title = _("looks like"), .most = 24},
                                         {.name = "example", .title = _("example"), .align = ALIGN_RIGHT},
                                         {.name = "hint", .title = _("hint"), .most = 60}};
  struct table *table = table_new(columns, sizeof columns / sizeof *columns);
  if (table == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < list->count; i++) {
    const struct setaside_group *group = &list->groups[i];
    table_text(table, group->source);
    table_integer(table, group->records);
    table_text(table, group->field);
    table_text(table, group->reason);
    table_text(table, group->since);
    table_integer(table, group->lately);
    table_text(table, group->shape);
    table_number(table, group->example);
    table_text(table, group->hint);
  }
  enum status status = table_print(table, stdout, globals->json ? TABLE_JSON : TABLE_TEXT, error);
  table_free(table);
  return status;
}

static int run_list(const struct globals *globals, const char *source) {
  struct workspace workspace;
  struct setaside_list list;
  struct error error;
  enum status status = workspace_open_bare(globals->config, WORKSPACE_READ, &workspace, &error);
  if (status != OK) {
    return command_fail(&error);
  }
  if (source != NULL && config_source(workspace.config, source) == NULL) {
    status = error_set(&error, ERR_USAGE, _("there is no source \"%s\""), source);
  }
  if (status == OK) {
    status = setaside_read(&workspace, source, &list, &error);
  }
  if (status == OK) {
    bool empty = list.count == 0 && !globals->json;
    status = empty ? OK : print_list(globals, &list, &error);
    if (empty) {
      puts(_("nothing is in quarantine"));
    } else if (!globals->json && !globals->quiet) {
      printf(_("in all: %lld records, one with several reasons counted once\n"
               "`puente quarantine show EXAMPLE` shows one, masked\n"),
             (long long)list.records);
    }
    setaside_free(&list);
  }
  workspace_close(&workspace);
  return status == OK ? 0 : command_fail(&error);
}

/* ---- show ---- */

static void text_head(void *context, const struct setaside_head *head) {
  (void)context;
  printf(_("\nrecord version %lld of %s, from %s, %s, %s\n"), (long long)head->raw_id, head->source, head->origin,
         head->format, head->state);
}

static void text_issue(void *context, const char *field, const char *reason, const char *path, const char *hint,
                       int64_t line) {
  (void)context;
  printf("%s: %s", field[0] != '\0' ? field : _("record"), reason);
  if (path[0] != '\0') {
    printf(_(", read from %s"), path);
  }
  if (line > 0) {
    printf(_(", mapping line %lld"), (long long)line);
  }
  printf("\n");
  if (hint[0] != '\0') {
    printf(_("  hint: %s\n"), hint);
  }
}

static void text_line(void *context, const struct setaside_line *line) {
  (void)context;
  printf("  %*s%.*s%s%.*s", line->depth * 2, "", SLICE_ARG(line->name), line->leaf ? ": " : "", SLICE_ARG(line->value));
  if (line->reason != NULL) {
    printf("   <== %s", line->reason);
  }
  printf("\n");
}

struct json_showing {
  json_t *root, *issues, *lines;
};

static void json_head(void *context, const struct setaside_head *head) {
  struct json_showing *showing = context;
  json_object_update_new(showing->root,
                         json_pack("{sI ss ss ss ss}", "raw_id", (json_int_t)head->raw_id, "source", head->source,
                                   "origin", head->origin, "format", head->format, "state", head->state));
}

static void json_issue(void *context, const char *field, const char *reason, const char *path, const char *hint,
                       int64_t line) {
  struct json_showing *showing = context;
  json_array_append_new(showing->issues, json_pack("{ss ss ss ss sI}", "field", field, "reason", reason, "path", path,
                                                   "hint", hint, "line", (json_int_t)line));
}

static void json_line(void *context, const struct setaside_line *line) {
  struct json_showing *showing = context;
  json_array_append_new(
      showing->lines,
      json_pack("{si so so ss?}", "depth", line->depth, "name",
                json_stringn(line->name.len == 0 ? "" : line->name.data, line->name.len), "value",
                line->leaf ? json_stringn(line->value.len == 0 ? "" : line->value.data, line->value.len) : json_null(),
                "reason", line->reason));
}

static enum status show(const struct globals *globals, struct workspace *workspace, int64_t raw_id, bool reveal,
                        const char *purpose, struct error *error) {
  if (!globals->json) {
    const struct setaside_visitor visitor = {.head = text_head, .issue = text_issue, .line = text_line};
    return setaside_show(workspace, raw_id, reveal, purpose, &visitor, error);
  }
  struct json_showing showing = {.root = json_object(), .issues = json_array(), .lines = json_array()};
  const struct setaside_visitor visitor = {
      .head = json_head, .issue = json_issue, .line = json_line, .context = &showing};
  enum status status = setaside_show(workspace, raw_id, reveal, purpose, &visitor, error);
  json_object_set_new(showing.root, "issues", showing.issues);
  json_object_set_new(showing.root, "record", showing.lines);
  if (status == OK) {
    json_dumpf(showing.root, stdout, JSON_INDENT(2));
    puts("");
  }
  json_decref(showing.root);
  return status;
}

/* ---- retry ---- */

struct request {
  const char *source, *purpose, *reason, *because;
  bool reveal, dry_run;
};

static int run_show(const struct globals *globals, const char *reference, const struct request *request) {
  int64_t raw_id = 0;
  struct workspace workspace;
  struct error error;
  enum workspace_mode mode = request->reveal ? WORKSPACE_WRITE : WORKSPACE_READ;
  enum status status = workspace_open_bare(globals->config, mode, &workspace, &error);
  if (status != OK) {
    return command_fail(&error);
  }
  status = store_version_id(workspace.store, reference, &raw_id, &error);
  if (status == OK) {
    status = show(globals, &workspace, raw_id, request->reveal, request->purpose, &error);
  }
  workspace_close(&workspace);
  return status == OK ? 0 : command_fail(&error);
}

/* A number, or SOURCE:KEY; codes of sources are neither. */
static bool names_record(const char *const *words) {
  return words[0] != NULL && words[1] == NULL
         && (strchr(words[0], ':') != NULL || strspn(words[0], "0123456789") == strlen(words[0]));
}

static int run_retry(const struct globals *globals, const char *const *codes, const struct request *request) {
  struct pull_request pull = {
      .kind = PULL_RETRY, .codes = codes, .options = {.purpose = request->purpose, .dry_run = request->dry_run}};
  struct workspace workspace;
  struct error error;
  enum status status = workspace_open(globals->config, WORKSPACE_WRITE, &workspace, &error);
  if (status != OK) {
    return command_fail(&error);
  }
  const struct source_config *source = NULL;
  const char *one[2] = {NULL};
  if (names_record(codes)) {
    status = setaside_find(&workspace, codes[0], &pull.options.record_id, &source, &error);
    one[0] = source == NULL ? NULL : source->code;
    pull.codes = one;
  }
  int exit_code = status == OK ? command_pull(globals, &workspace, &pull) : command_fail(&error);
  workspace_close(&workspace);
  return exit_code;
}

/* ---- dismiss ---- */

enum { RECORDS_NAMED = 1000 };

static enum status dismiss_named(struct workspace *workspace, const char *const *references,
                                 struct dismissal *dismissal, struct dismissed *dismissed, struct error *error) {
  int64_t raw_ids[RECORDS_NAMED];
  size_t count = 0;
  for (; references[count] != NULL; count++) {
    if (count == RECORDS_NAMED) {
      return error_set(error, ERR_LIMIT, _("at most %d records can be named at once"), RECORDS_NAMED);
    }
    enum status status = store_version_id(workspace->store, references[count], &raw_ids[count], error);
    if (status != OK) {
      return status;
    }
  }
  dismissal->raw_ids = raw_ids;
  dismissal->count = count;
  return setaside_dismiss(workspace, dismissal, dismissed, error);
}

static void print_dismissed(const struct globals *globals, const struct dismissed *dismissed) {
  if (globals->json) {
    printf("{\"dismissed\": %lld, \"left\": %lld}\n", (long long)dismissed->records, (long long)dismissed->left);
    return;
  }
  if (globals->quiet) {
    return;
  }
  printf(_("dismissed: %lld; what changes at the source is looked at again\n"), (long long)dismissed->records);
  if (dismissed->left > 0) {
    printf(_("left in quarantine, for they have other reasons too: %lld\n"), (long long)dismissed->left);
  }
}

static int run_dismiss(const struct globals *globals, const char *const *references, const struct request *request) {
  bool named = references[0] != NULL, picked = request->source != NULL && request->because != NULL;
  if (request->reason == NULL || request->reason[0] == '\0') {
    return command_misused(&command_quarantine, _("a reason is needed: --reason TEXT"));
  }
  if (named == picked || (named && (request->source != NULL || request->because != NULL))) {
    return command_misused(&command_quarantine, _("name records, or --source SOURCE and --because REASON_CODE"));
  }
  struct workspace workspace;
  struct error error;
  enum status status = workspace_open_bare(globals->config, WORKSPACE_WRITE, &workspace, &error);
  if (status != OK) {
    return command_fail(&error);
  }
  struct dismissal dismissal = {.reason = request->reason, .source = request->source, .because = request->because};
  struct dismissed dismissed;
  if (named) {
    status = dismiss_named(&workspace, references, &dismissal, &dismissed, &error);
  } else if (config_source(workspace.config, request->source) == NULL) {
    status = error_set(&error, ERR_USAGE, _("there is no source \"%s\""), request->source);
  } else {
    status = setaside_dismiss(&workspace, &dismissal, &dismissed, &error);
  }
  if (status == OK) {
    print_dismissed(globals, &dismissed);
  }
  workspace_close(&workspace);
  return status == OK ? 0 : command_fail(&error);
}

/* ---- all ---- */

static int run(const struct globals *globals, int argc, char **argv) {
  struct request request = {.source = NULL};
  const struct argument table[] = {{.name = "source", .text = &request.source},
                                   {.name = "purpose", .text = &request.purpose},
                                   {.name = "reason", .text = &request.reason},
                                   {.name = "because", .text = &request.because},
                                   {.name = "reveal", .flag = &request.reveal},
                                   {.name = "dry-run", .flag = &request.dry_run},
                                   {.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_quarantine, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  const char *what = argc > 1 ? argv[1] : "list";
  if (strcmp(what, "list") == 0 && argc <= 2) {
    return run_list(globals, request.source);
  }
  if (strcmp(what, "retry") == 0) {
    return run_retry(globals, (const char *const *)argv + 2, &request);
  }
  if (strcmp(what, "dismiss") == 0) {
    return run_dismiss(globals, (const char *const *)argv + 2, &request);
  }
  if (strcmp(what, "show") == 0 && argc == 3) {
    return run_show(globals, argv[2], &request);
  }
  return command_misused(&command_quarantine, _("list, show RECORD, retry or dismiss RECORD is expected"));
}

const struct command command_quarantine = {
    .name = "quarantine",
    .synopsis = "list|show|retry|dismiss [OPTIONS]",
    .summary = N_("look at records that could not be mapped, try them again, or let them rest"),
    .help = N_(
        "  list [--source SOURCE]   counts by source, field and reason, since when, how many of them are new in the\n"
        "                           last seven days, and an example's number\n"
        "  show RECORD [--reveal --purpose TEXT]\n"
        "                           one record with the failing place marked; values are shapes unless revealed,\n"
        "                           which the log records with who and why\n"
        "  retry [SOURCE... | RECORD] [--dry-run]\n"
        "                           map them again, after the mapping or a code list was mended, and tell what is\n"
        "                           freed and for which reasons the rest stays\n"
        "  dismiss RECORD... | --source SOURCE --because REASON_CODE, with --reason TEXT\n"
        "                           leave these versions of the records out; the log records who and why, and a\n"
        "                           record that changes at the source is looked at again\n"
        "\n"
        "RECORD is the number that list shows, or SOURCE:KEY."),
    .run = run,
};
