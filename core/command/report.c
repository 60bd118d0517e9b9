#include "core/service/report.h"
#include "core/base/file.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/label.h"
#include "core/command/table.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { METADATA_MOST = 1 << 20 };

/* What was typed, and the copies that its parts point into. */
struct typed {
  const char *by, *columns, *where, *indicator, *source;
  bool csv, exact;
  const char *purpose, *metadata;
  char *by_copy, *where_copy;
};

static enum status split_by(struct typed *typed, struct report_request *request, struct error *error) {
  typed->by_copy = typed->by == NULL ? NULL : strdup(typed->by);
  if (typed->by != NULL && typed->by_copy == NULL) {
    return error_memory(error);
  }
  char *rest = typed->by_copy;
  for (char *name; (name = strsep(&rest, ",")) != NULL;) {
    if (request->by_count == REPORT_FIELDS_MOST || name[0] == '\0') {
      error_set(error, ERR_USAGE, _("--by: '%s' is not one to %d fields"), typed->by, REPORT_FIELDS_MOST);
      error_hint(error, "%s", _("for example --by year,department,sex"));
      return ERR_USAGE;
    }
    request->by[request->by_count++] = name;
  }
  return OK;
}

static enum status split_where(struct typed *typed, struct report_request *request, struct error *error) {
  typed->where_copy = typed->where == NULL ? NULL : strdup(typed->where);
  if (typed->where != NULL && typed->where_copy == NULL) {
    return error_memory(error);
  }
  char *rest = typed->where_copy;
  for (char *pair; (pair = strsep(&rest, ",")) != NULL;) {
    char *sign = strchr(pair, '=');
    if (sign == NULL || sign == pair || request->filter_count == REPORT_FILTERS_MOST) {
      error_set(error, ERR_USAGE, _("--where: '%s' is not FIELD=VALUE, at most %d of them"), typed->where,
                REPORT_FILTERS_MOST);
      error_hint(error, "%s", _("for example --where sex=female,year=2022; FIELD= asks for what is not recorded"));
      return ERR_USAGE;
    }
    *sign = '\0';
    request->filters[request->filter_count++] = (struct report_filter){.field = pair, .value = sign + 1};
  }
  return OK;
}

static void add_cell(struct table *table, const struct report_cell *cell, enum report_kind kind) {
  if (cell->hidden) {
    table_code(table, NULL, _("hidden"));
  } else if (cell->label != NULL) {
    table_code(table, cell->text, cell->label);
  } else if (cell->null) {
    table_null(table);
  } else if (kind == REPORT_TEXT) {
    table_text(table, cell->text);
  } else if (kind == REPORT_COUNT) {
    table_integer(table, cell->count);
  } else {
    table_share(table, cell->share);
  }
}

/* Whether people see the column: an optional one has to have something in it. */
static bool is_shown(const struct report *report, size_t column, enum table_form form) {
  if (form != TABLE_TEXT || !report->columns[column].optional) {
    return true;
  }
  for (size_t i = column; i < report->count; i += report->column_count) {
    if (report->cells[i].count != 0 || report->cells[i].hidden) {
      return true;
    }
  }
  return false;
}

/* What programs get beside a figure. */
static const struct {
  const char *suffix;
  size_t place; /* in struct extent */
  enum bounds from;
} BESIDE[] = {{"_least", offsetof(struct extent, least), BOUNDS_LEAST},
              {"_records", offsetof(struct extent, records), BOUNDS_ALL},
              {"_unlinkable", offsetof(struct extent, unlinkable), BOUNDS_ALL}};
enum { BESIDE_COUNT = sizeof BESIDE / sizeof *BESIDE };

/* None where anything is hidden or rounded: records add up, and would give away what persons do not. */
static size_t count_beside(const struct report *report, const struct report_column *column, enum table_form form) {
  size_t count = 0;
  if (report->concealed > 0 || report->rounded > 0) {
    return 0;
  }
  while (form != TABLE_TEXT && count < BESIDE_COUNT && column->bounds >= BESIDE[count].from) {
    count++;
  }
  return count;
}

/* For programs, where a column has a hidden figure: what each of its cells is. */
static bool has_status(const struct report *report, size_t column, enum table_form form) {
  for (size_t i = column; form != TABLE_TEXT && i < report->count; i += report->column_count) {
    if (report->cells[i].hidden) {
      return true;
    }
  }
  return false;
}

static void add_beside(struct table *table, const struct report_cell *cell, size_t count) {
  for (size_t i = 0; i < count; i++) {
    int64_t number;
    memcpy(&number, (const char *)&cell->extent + BESIDE[i].place, sizeof number);
    if (cell->null || number < 0) {
      table_null(table);
    } else {
      table_integer(table, number);
    }
  }
}

static struct table *table_of(const struct report *report, enum table_form form) {
  struct table_column columns[TABLE_COLUMNS_MOST];
  bool shown[REPORT_COLUMNS_MOST] = {false}, status[REPORT_COLUMNS_MOST] = {false};
  size_t count = 0;
  for (size_t i = 0; i < report->column_count; i++) {
    const struct report_column *column = &report->columns[i];
    shown[i] = is_shown(report, i, form);
    status[i] = shown[i] && has_status(report, i, form);
    if (!shown[i]) {
      continue;
    }
    columns[count++] = (struct table_column){.name = column->name,
                                             .title = column->title,
                                             .align = column->kind == REPORT_TEXT ? ALIGN_LEFT : ALIGN_RIGHT,
                                             .most = 48};
    if (status[i]) {
      const char *name = arena_printf(report->arena, "%s_status", column->name);
      columns[count++] = (struct table_column){.name = name == NULL ? "" : name};
    }
    for (size_t b = 0; b < count_beside(report, column, form); b++) {
      const char *name = arena_printf(report->arena, "%s%s", column->name, BESIDE[b].suffix);
      columns[count++] = (struct table_column){.name = name == NULL ? "" : name, .align = ALIGN_RIGHT};
    }
  }
  struct table *table = table_new(columns, count);
  for (size_t i = 0; table != NULL && i < report->count; i++) {
    const struct report_column *column = &report->columns[i % report->column_count];
    if (shown[i % report->column_count]) {
      add_cell(table, &report->cells[i], column->kind);
      if (status[i % report->column_count]) {
        table_text(table, report->cells[i].hidden ? "hidden" : report->cells[i].null ? NULL : "shown");
      }
      add_beside(table, &report->cells[i], count_beside(report, column, form));
    }
  }
  return table;
}

/* The figure of the whole table with what is not settled about it. */
static void note_total(struct table *table, const struct report *report) {
  char numbers[5][32];
  const char *title = report->total_title == NULL ? _("Total") : report->total_title;
  const struct extent *total = &report->total;
  number_group(total->figure, numbers[0]);
  number_group(total->records, numbers[1]);
  number_group(total->least, numbers[2]);
  number_group(report->total_waiting, numbers[3]);
  if (report->concealed > 0 || report->rounded > 0) {
    table_note(table, report->total_cases ? _("%s: %s cases") : _("%s: %s persons"), title, numbers[0]);
    return;
  }
  if (total->unlinkable < 0) {
    snprintf(numbers[4], sizeof numbers[4], "%s", _("not known"));
  } else {
    number_group(total->unlinkable, numbers[4]);
  }
  if (report->total_cases) {
    table_note(
        table,
        _("%s: %s cases of %s records; %s if all waiting pairs (%s) were accepted; records that cannot be linked:"
          " %s"),
        title, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]);
  } else {
    table_note(table,
               _("%s: %s persons of %s records; %s if all waiting pairs (%s) were accepted; records that cannot be"
                 " linked: %s"),
               title, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]);
  }
}

static enum status print(const struct report *report, enum table_form form, struct error *error) {
  struct table *table = table_of(report, form);
  if (table == NULL) {
    return error_memory(error);
  }
  if (report->title != NULL) {
    table_title(table, "%s\n", report->title);
  }
  table_note(table, "%s", "");
  if (report->has_total) {
    note_total(table, report);
  }
  for (size_t i = 0; i < report->note_count; i++) {
    table_note(table, "%s", report->notes[i]);
  }
  enum status status = table_print(table, stdout, form, error);
  table_free(table);
  return status;
}

/* What people read below the table, for programs: rows stay rows. */
static enum status write_metadata(const struct report *report, const char *path, struct error *error) {
  struct buffer text;
  buffer_init(&text, METADATA_MOST);
  enum status status = report_metadata(report, &text, error);
  status = status == OK ? file_write(path, buffer_view(&text), 0600, error) : status;
  buffer_free(&text);
  return status;
}

static enum status make(const struct globals *globals, const char *name, struct typed *typed, struct error *error) {
  struct report_request request = {.name = name,
                                   .indicator = typed->indicator,
                                   .across = typed->columns,
                                   .source = typed->source,
                                   .exact = typed->exact,
                                   .purpose = typed->purpose,
                                   .spanish = speaks_spanish()};
  struct workspace workspace;
  struct report report;
  enum status status = split_by(typed, &request, error);
  status = status == OK ? split_where(typed, &request, error) : status;
  if (status != OK) {
    return status;
  }
  status =
      workspace_open(globals->config, report_is_logged(&request) ? WORKSPACE_WRITE : WORKSPACE_READ, &workspace, error);
  if (status == OK && !report_is_logged(&request) && report_is_told(&workspace, &request)) {
    workspace_close(&workspace);
    status = workspace_open(globals->config, WORKSPACE_WRITE, &workspace, error);
  }
  if (status != OK) {
    return status;
  }
  status = report_run(&workspace, &request, &report, error);
  if (status == OK) {
    status = typed->metadata == NULL ? OK : write_metadata(&report, typed->metadata, error);
    status = status != OK ? status
                          : print(&report,
                                  globals->json ? TABLE_JSON
                                  : typed->csv  ? TABLE_CSV
                                                : TABLE_TEXT,
                                  error);
    report_free(&report);
  }
  workspace_close(&workspace);
  return status;
}

static int run(const struct globals *globals, int argc, char **argv) {
  struct typed typed = {0};
  const struct argument table[] = {{.name = "by", .text = &typed.by},
                                   {.name = "rows", .text = &typed.by},
                                   {.name = "columns", .text = &typed.columns},
                                   {.name = "where", .text = &typed.where},
                                   {.name = "indicator", .text = &typed.indicator},
                                   {.name = "source", .text = &typed.source},
                                   {.name = "csv", .flag = &typed.csv},
                                   {.name = "metadata", .text = &typed.metadata},
                                   {.name = "exact", .flag = &typed.exact},
                                   {.name = "purpose", .text = &typed.purpose},
                                   {.name = NULL}};
  int exit_code = 0;
  struct error error;
  if (arguments_done(&command_report, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  if (argc != 2) {
    return command_misused(&command_report, "%s", _("report: one name is expected"));
  }
  enum status status = make(globals, argv[1], &typed, &error);
  free(typed.by_copy);
  free(typed.where_copy);
  return status == OK ? 0 : command_fail(&error);
}

const struct command command_report = {
    .name = "report",
    .synopsis = "NAME [--by FIELDS] [--where FIELD=VALUE] [--indicator NAME] [--source CODE] [--csv] [--metadata FILE] "
                "[--exact --purpose TEXT]",
    .summary = N_("figures and tables: sources, balance, completeness, stages, discrepancy, crosstab, totals, linkage"),
    .help =
        N_("  sources        each source: state, last complete pass, records, whom to call\n"
           "  balance        each run's equation, beside the source's own count\n"
           "  completeness   each field of each source: filled, missing and why\n"
           "  stages         cases by year: how far each got, and what is connected\n"
           "  discrepancy    one figure by each source, consolidated, and as published\n"
           "  crosstab       an indicator by up to four fields (also --rows A,B --columns C)\n"
           "  indicators     what each indicator counts, and how\n"
           "  totals         published tables whose parts do not make their total (--by block: which)\n"
           "  linkage        whose records find each other, and whom linkage fails (--by rule, reason, size,\n"
           "                 cluster: what the last linking did)\n\n"
           "  --by A,B,C,D   year, month, department, province, purposes, stage, decision, age, age_band, or a\n"
           "                 field of the model; coarser, to show more: period, region, purpose_group\n"
           "  --where A=X,B=Y  only these; A= asks for what is not recorded\n"
           "  --indicator NAME  default: victims; for stages: cases\n"
           "  --source CODE  sources, balance, completeness: only this one\n"
           "  --csv          as CSV\n"
           "  --metadata FILE  what stands below the table, as JSON: what is hidden, and what to ask for instead\n"
           "  --exact --purpose TEXT  nothing hidden; for a named person, and the log records it\n\n"
           "Example: puente report crosstab --by department,sex --columns year --where age_band=12-17\n"
           "Figures are of consolidated persons and cases, not of records; the indicator fixes how they are counted.\n"
           "Figures of fewer than 11 (`disclosure: k:`) are hidden, and those that would give them away; or all are\n"
           "rounded (`disclosure: {method: round, base: 3}`): docs/disclosure.md."),
    .run = run,
};
