#include "core/service/report.h"

#include "core/audit/audit.h"
#include "core/base/text.h"
#include "core/service/access.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct report_entry table[] = {
    {"sources", N_("each source: state, last complete pass, records, whom to call"), false, report_sources, false},
    {"balance", N_("each run's equation, beside the source's own count"), false, report_balance, false},
    {"completeness", N_("each field of each source: filled, missing and why"), true, report_completeness, false},
    {"stages", N_("cases by year: how far each got, and what is connected"), false, report_stages, true},
    {"discrepancy", N_("one figure by each source, consolidated, and as published"), false, report_discrepancy, true},
    {"crosstab", N_("an indicator by up to four fields"), false, report_crosstab, true},
    {"indicators", N_("what each indicator counts, and how"), false, report_indicators, false},
    {"totals", N_("published tables whose parts do not make their total"), false, report_totals, false},
    {"linkage", N_("whose records find each other, and whom linkage fails"), true, report_linkage, false},
    {.name = NULL},
};

static const struct report_entry *find(const char *name, struct error *error) {
  const char *names[32];
  size_t count = 0;
  for (const struct report_entry *entry = table; entry->name != NULL; entry++) {
    if (strcmp(entry->name, name) == 0) {
      return entry;
    }
    names[count++] = entry->name;
  }
  const char *nearest = text_nearest(slice_of(name), names, count);
  error_set(error, ERR_USAGE, _("there is no report '%s'"), name);
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  } else {
    error_hint(error, "%s", _("`puente report --help` lists them"));
  }
  return NULL;
}

/* The list of linked rows alone is made of identifiers: the other views of linkage are of pairs and sizes. */
static bool decodes(const struct report_entry *entry, const struct report_request *request) {
  return entry->decodes && request->by_count == 0;
}

bool report_is_logged(const struct report_request *request) {
  bool found = false;
  for (const struct report_entry *entry = table; entry->name != NULL; entry++) {
    found = found || (strcmp(entry->name, request->name) == 0 && decodes(entry, request));
  }
  return request->exact || found;
}

bool report_is_told(const struct workspace *workspace, const struct report_request *request) {
  const struct disclosure_config *disclosure = &workspace->config->disclosure;
  bool found = false;
  for (const struct report_entry *entry = table; entry->name != NULL; entry++) {
    found = found || (strcmp(entry->name, request->name) == 0 && entry->tells);
  }
  return found && !request->exact && disclosure->ledger && disclosure->base == 0 && disclosure->k > 1;
}

static enum status append(const struct workspace *workspace, const struct audit_event *event, struct error *error) {
  enum status status = store_begin(workspace->store, error);
  if (status != OK) {
    return status;
  }
  status = audit_append(workspace->store, event, error);
  status = status == OK ? store_commit(workspace->store, error) : status;
  if (status != OK) {
    store_rollback(workspace->store);
  }
  return status;
}

/* That identifiers are decoded is in the log before they are, also where counts alone come of them. */
static enum status log_decoding(const struct workspace *workspace, const struct report_entry *entry,
                                const struct report_request *request, struct error *error) {
  if (workspace->key == NULL || !decodes(entry, request)) {
    return OK;
  }
  const struct audit_event event = {.event = "count",
                                    .actor = workspace->actor,
                                    .purpose =
                                        request->purpose == NULL ? "which identifiers are recorded" : request->purpose,
                                    .body = request->name};
  return append(workspace, &event, error);
}

/* Who asks for exact figures is in the log before they are read. */
static enum status log_exact(struct workspace *workspace, const struct report_request *request, struct error *error) {
  if (!request->exact) {
    return access_require(workspace, RIGHT_FIGURES, error);
  }
  if (request->purpose == NULL || request->purpose[0] == '\0') {
    error_set(error, ERR_USAGE, "%s", _("a purpose is needed for exact figures"));
    error_hint(error, "%s", _("--exact --purpose \"what they are for\": the log records it"));
    return ERR_USAGE;
  }
  enum status status = access_require(workspace, RIGHT_EXACT, error);
  status = status == OK ? access_person(workspace, error) : status;
  const struct audit_event event = {
      .event = "exact", .actor = workspace->actor, .purpose = request->purpose, .body = request->name};
  return status == OK ? append(workspace, &event, error) : status;
}

static void note_hidden(struct report *report) {
  if (report->guarded && report->concealed > 0) {
    report_note(report, "%s",
                _("Hidden: figures of few persons or cases, and others from which they could be computed. Zero is"
                  " shown. With fewer fields more can be shown."));
  }
}

enum status report_run(struct workspace *workspace, const struct report_request *request, struct report *report,
                       struct error *error) {
  *report = (struct report){0};
  const struct report_entry *entry = find(request->name, error);
  if (entry == NULL) {
    return ERR_USAGE;
  }
  enum status logged = log_exact(workspace, request, error);
  logged = logged == OK ? log_decoding(workspace, entry, request, error) : logged;
  if (logged != OK) {
    return logged;
  }
  report->guarded = !request->exact;
  report->arena = arena_new(1 << 30);
  if (report->arena == NULL) {
    return error_memory(error);
  }
  enum status status = entry->run(workspace, request, report, error);
  if (status == OK) {
    note_hidden(report);
    status = report_check(report, error);
  }
  if (status != OK) {
    report_free(report);
  }
  return status;
}

void report_free(struct report *report) {
  arena_free(report->arena);
  free(report->cells);
  *report = (struct report){0};
}

void report_column(struct report *report, const char *name, const char *title, enum report_kind kind) {
  if (report->column_count == REPORT_COLUMNS_MOST) {
    report->failed = ERR_LIMIT;
    return;
  }
  const char *own_name = arena_text(report->arena, slice_of(name));
  const char *own_title = arena_text(report->arena, slice_of(title));
  if (own_name == NULL || own_title == NULL) {
    report->failed = ERR_MEMORY;
    return;
  }
  report->columns[report->column_count++] = (struct report_column){.name = own_name, .title = own_title, .kind = kind};
}

void report_optional(struct report *report) {
  if (report->column_count > 0) {
    report->columns[report->column_count - 1].optional = true;
  }
}

void report_found(struct report *report) {
  if (report->column_count > 0) {
    report->columns[report->column_count - 1].found = true;
  }
}

void report_bounds(struct report *report, enum bounds bounds) {
  if (report->column_count > 0) {
    report->columns[report->column_count - 1].bounds = bounds;
  }
}

static void add(struct report *report, struct report_cell cell) {
  if (report->count == report->capacity) {
    size_t capacity = report->capacity == 0 ? 256 : report->capacity * 2;
    struct report_cell *moved = capacity > REPORT_CELLS_MOST ? NULL : realloc(report->cells, capacity * sizeof *moved);
    if (moved == NULL) {
      report->failed = capacity > REPORT_CELLS_MOST ? ERR_LIMIT : ERR_MEMORY;
      return;
    }
    report->cells = moved;
    report->capacity = capacity;
  }
  report->cells[report->count++] = cell;
}

void report_text(struct report *report, struct slice text) {
  const char *own = arena_text(report->arena, text);
  if (own == NULL) {
    report->failed = ERR_MEMORY;
  }
  add(report, (struct report_cell){.text = own, .null = text.data == NULL});
}

void report_code(struct report *report, const char *code, const char *label) {
  const char *own = code == NULL ? NULL : arena_text(report->arena, slice_of(code));
  const char *own_label = arena_text(report->arena, slice_of(label));
  if ((own == NULL && code != NULL) || own_label == NULL) {
    report->failed = ERR_MEMORY;
  }
  add(report, (struct report_cell){.text = own, .label = own_label, .null = code == NULL});
}

void report_count(struct report *report, int64_t count) {
  add(report, (struct report_cell){.count = count});
}

void report_hidden(struct report *report) {
  report->concealed++;
  add(report, (struct report_cell){.null = true, .hidden = true});
}

void report_guarded(struct report *report, int64_t count, bool hidden) {
  if (hidden) {
    report_hidden(report);
  } else {
    report_count(report, count);
  }
}

/* What may be shown of a figure is decided here and nowhere else. */
static struct report_cell figure_cell(const struct extent *extent) {
  if (extent->hidden) {
    return (struct report_cell){.null = true, .hidden = true};
  }
  return (struct report_cell){.count = extent->figure, .extent = *extent};
}

void report_figure(struct report *report, const struct extent *extent) {
  report->concealed += extent->hidden;
  add(report, figure_cell(extent));
}

void report_total(struct report *report, const struct extent *extent, int64_t waiting, bool cases) {
  const struct report_cell cell = figure_cell(extent);
  report->has_total = !cell.null;
  report->concealed += cell.hidden;
  report->total = cell.extent;
  report->total_waiting = waiting;
  report->total_cases = cases;
}

void report_share(struct report *report, double share) {
  add(report, (struct report_cell){.share = share});
}

void report_null(struct report *report) {
  add(report, (struct report_cell){.null = true});
}

void report_note(struct report *report, const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int len = vsnprintf(NULL, 0, format, arguments);
  char *own = len < 0 ? NULL : arena_alloc(report->arena, (size_t)len + 1);
  if (own != NULL) {
    vsnprintf(own, (size_t)len + 1, format, again);
  }
  va_end(again);
  va_end(arguments);
  if (own == NULL || report->note_count == REPORT_NOTES_MOST) {
    report->failed = own == NULL ? ERR_MEMORY : ERR_LIMIT;
    return;
  }
  report->notes[report->note_count++] = own;
}

enum status report_check(const struct report *report, struct error *error) {
  if (report->failed == ERR_LIMIT) {
    error_set(error, ERR_LIMIT, "%s", _("the report is larger than can be shown"));
    error_hint(error, "%s", _("ask for fewer fields, or add --where FIELD=VALUE"));
    return ERR_LIMIT;
  }
  if (report->failed != OK) {
    return error_memory(error);
  }
  if (report->column_count == 0 || report->count % report->column_count != 0) {
    return error_set(error, ERR_INTERNAL, "%s", _("a report's last row is not complete"));
  }
  return OK;
}
