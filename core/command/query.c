#include "core/base/date.h"
#include "core/base/text.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/table.h"
#include "core/service/ask.h"
#include "core/service/workspace.h"

#include <stdlib.h>

enum { QUERY_COLUMNS_MOST = 128, TIMEOUT_SECONDS = 60, BYTES_MOST = 64 << 20 };

static enum table_form form_of(const struct globals *globals, bool csv) {
  return csv ? TABLE_CSV : globals->json ? TABLE_JSON : TABLE_TEXT;
}

/* Bytes, and what calls itself text and is none, as PostgreSQL writes them: a terminal would take them for commands. */
static void add_bytes(struct table *table, struct slice bytes) {
  struct buffer text;
  buffer_init(&text, BYTES_MOST);
  buffer_text(&text, "\\x");
  for (size_t i = 0; i < bytes.len; i++) {
    buffer_printf(&text, "%02x", (unsigned)(unsigned char)bytes.data[i]);
  }
  table_buffer(table, &text);
  buffer_free(&text);
}

static enum status fill(struct table *table, struct result *result, struct error *error) {
  enum status status;
  while ((status = result_next(result, error)) == OK) {
    for (size_t i = 0; i < result_columns(result); i++) {
      if (result_null(result, i)) {
        table_null(table);
      } else if (result_is_integer(result, i)) {
        table_number(table, result_integer(result, i));
      } else {
        struct slice text = result_text(result, i);
        if (result_is_bytes(result, i) || !utf8_valid(text)) {
          add_bytes(table, text);
        } else {
          table_slice(table, text);
        }
      }
    }
  }
  return status == END ? OK : status;
}

static enum status print_result(struct result *result, enum table_form form, struct error *error) {
  struct table_column columns[QUERY_COLUMNS_MOST];
  size_t count = result_columns(result);
  if (count > QUERY_COLUMNS_MOST) {
    return error_set(error, ERR_LIMIT, _("a query has at most %d columns"), QUERY_COLUMNS_MOST);
  }
  for (size_t i = 0; i < count; i++) {
    columns[i] = (struct table_column){.name = result_name(result, i)};
  }
  struct table *table = table_new(columns, count);
  enum status status = table == NULL ? error_memory(error) : fill(table, result, error);
  if (status == OK) {
    status = table_print(table, stdout, form, error);
  }
  table_free(table);
  return status;
}

struct asked {
  const char *sql, *purpose;
  int64_t timeout;
};

static enum status ask(struct workspace *workspace, const struct asked *asked, enum table_form form,
                       struct error *error) {
  struct result *result = NULL;
  enum status status = ask_begin(workspace, asked->sql, asked->purpose, error);
  status = status == OK ? store_query(workspace->store, asked->sql, asked->timeout, &result, error) : status;
  if (status == OK) {
    status = print_result(result, form, error);
  }
  result_free(result);
  return status;
}

/* All views with what they are; or one with its columns. */
static enum status list_views(struct workspace *workspace, const char *name, enum table_form form,
                              struct error *error) {
  const struct table_column all[] = {{.name = "view", .title = _("view")},
                                     {.name = "description", .title = _("what it holds")}};
  const struct table_column one[] = {{.name = "column", .title = _("column")},
                                     {.name = "description", .title = _("what it holds")}};
  size_t count;
  const struct view *views = store_views(workspace->store, &count);
  struct table *table = table_new(name == NULL ? all : one, 2);
  bool found = name == NULL;
  if (table == NULL) {
    return error_memory(error);
  }
  for (size_t v = 0; v < count; v++) {
    if (name == NULL) {
      table_text(table, views[v].name);
      table_text(table, gettext(views[v].description));
      continue;
    }
    bool wanted = slice_is(slice_of(name), views[v].name);
    found = found || wanted;
    for (size_t c = 0; wanted && c < views[v].column_count; c++) {
      table_text(table, views[v].columns[c].name);
      table_text(table, gettext(views[v].columns[c].description));
    }
  }
  if (name == NULL) {
    table_note(table, "%s", _("columns of one: `puente query --views VIEW`"));
  }
  enum status status;
  if (found) {
    status = table_print(table, stdout, form, error);
  } else {
    status = error_set(error, ERR_USAGE, _("there is no view %s"), name);
    error_hint(error, "%s", _("`puente query --views` lists them"));
  }
  table_free(table);
  return status;
}

static int run(const struct globals *globals, int argc, char **argv) {
  bool csv = false, views = false;
  const char *limit = NULL;
  struct asked asked = {.timeout = INT64_C(1000000) * TIMEOUT_SECONDS};
  const struct argument table[] = {{.name = "csv", .flag = &csv},
                                   {.name = "views", .flag = &views},
                                   {.name = "timeout", .text = &limit},
                                   {.name = "purpose", .text = &asked.purpose},
                                   {.name = NULL}};
  int exit_code;
  if (arguments_done(&command_query, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  if (views ? argc > 2 : argc != 2) {
    return command_misused(&command_query, "%s", _("give one statement, in quotes"));
  }
  if (limit != NULL && !clock_parse_duration(slice_of(limit), &asked.timeout)) {
    return command_misused(&command_query, "%s", _("--timeout takes a duration, such as 90s or 5m"));
  }
  struct workspace workspace;
  struct error error;
  asked.sql = argv[1];
  enum status status = workspace_open(globals->config, views ? WORKSPACE_READ : WORKSPACE_WRITE, &workspace, &error);
  if (status == OK) {
    status = views ? list_views(&workspace, argc == 2 ? argv[1] : NULL, form_of(globals, csv), &error)
                   : ask(&workspace, &asked, form_of(globals, csv), &error);
    workspace_close(&workspace);
  }
  return status == OK ? 0 : command_fail(&error);
}

const struct command command_query = {
    .name = "query",
    .synopsis = "'SELECT …' --purpose TEXT [--csv] [--timeout DURATION] | --views [VIEW]",
    .summary = N_("one read-only SQL statement over the documented views"),
    .help = N_(
        "  --purpose TEXT       what it is for: the log has it before a row is read, with who asks\n"
        "  --csv                rows as CSV; with --json as an array of objects\n"
        "  --timeout DURATION   stop the statement after it (60s)\n"
        "  --views [VIEW]       the views that can be read, or the columns of one\n"
        "\n"
        "Views hold no names, documents or addresses, yet rows of single persons and cases, with birth dates and\n"
        "numbers of cases, and nothing is hidden of what is counted. Tables behind them cannot be read.\n"
        "\n"
        "  puente query 'SELECT sex, count(*) FROM persons GROUP BY sex ORDER BY 2 DESC' --purpose 'yearbook 2026'\n"),
    .run = run,
};
