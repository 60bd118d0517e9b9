#include "core/service/cube_offer.h"
#include "core/service/report.h"

enum { COMMAND_MOST = 4096 };

void report_shown(struct report *report, const struct cube_shown *shown) {
  if (!report->guarded) {
    return;
  }
  report->filled = shown->filled;
  report->kept = shown->kept;
  report->share = shown->share;
  if (shown->withheld) {
    report->concealed++;
    report_note(report, "%s", _("What is not listed counts nobody, or is hidden: that too would tell too much."));
  }
  if (shown->kept == shown->filled && !shown->withheld) {
    return;
  }
  report_note(report,
              shown->withheld ? _("Shown: %zu of %zu cells that are listed of this table and its margins.")
                              : _("Shown: %zu of %zu cells of this table and its margins that are not zero."),
              shown->kept, shown->filled);
  if (shown->share >= 0) {
    report_note(report, _("At least %d %% of what it counts is in a figure that is shown."), shown->share);
  } else if (shown->totalled) {
    report_note(report, "%s", _("What share of what it counts is in a shown figure is not told: it counts too few."));
  } else {
    report_note(report, "%s", _("What share of what it counts is in a shown figure is not told: its total is hidden."));
  }
}

/* ---- rounded figures ---- */

static bool is_empty(const struct report *report, size_t row) {
  for (size_t c = 0; c < report->column_count; c++) {
    const struct report_cell *cell = &report->cells[row * report->column_count + c];
    if (report->columns[c].kind != REPORT_TEXT && !cell->null && cell->count != 0) {
      return false;
    }
  }
  return true;
}

static bool is_vain(const struct report *report, size_t column) {
  for (size_t i = column; i < report->count; i += report->column_count) {
    if (report->cells[i].count != 0) {
      return false;
    }
  }
  return report->columns[column].found;
}

/* A table without fields has one row, its total: it stays. */
static void drop_rows(struct report *report) {
  size_t width = report->column_count, kept = 0;
  for (size_t row = 0; report->columns[0].kind == REPORT_TEXT && row * width < report->count; row++) {
    if (!is_empty(report, row)) {
      memmove(report->cells + kept * width, report->cells + row * width, width * sizeof *report->cells);
      kept++;
    }
  }
  report->count = report->columns[0].kind == REPORT_TEXT ? kept * width : report->count;
}

static void drop_columns(struct report *report) {
  bool vain[REPORT_COLUMNS_MOST] = {false};
  size_t width = report->column_count, columns = 0, cells = 0;
  for (size_t c = 0; c < width; c++) {
    vain[c] = is_vain(report, c);
  }
  for (size_t i = 0; i < report->count; i++) {
    if (!vain[i % width]) {
      report->cells[cells++] = report->cells[i];
    }
  }
  for (size_t c = 0; c < width; c++) {
    if (!vain[c]) {
      report->columns[columns++] = report->columns[c];
    }
  }
  report->count = cells;
  report->column_count = columns;
}

void report_rounded(struct report *report, int base) {
  if (base == 0 || report->column_count == 0) {
    return;
  }
  report->rounded = base;
  drop_columns(report);
  drop_rows(report);
  report_note(report,
              _("Figures are rounded to base %d, each by itself and always to the same number: parts need not add up to"
                " their total, and where nothing stands there may be a few."),
              base);
}

/* ---- the command that asks for an offer ---- */

/* A text as a shell takes it for one word. */
static void type_word(struct buffer *out, const char *text) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.,:=+-";
  bool quoted = text[strspn(text, plain)] != '\0';
  buffer_text(out, quoted ? " '" : " ");
  for (; *text != '\0'; text++) {
    if (*text == '\'') {
      buffer_text(out, "'\\''");
    } else {
      buffer_char(out, *text);
    }
  }
  buffer_text(out, quoted ? "'" : "");
}

/* Rows and columns; columns alone are rows. */
static void type_fields(const struct report_request *request, const char *const *by, struct buffer *out) {
  const char *sign = " --by ", *across = request->across == NULL ? NULL : by[request->by_count];
  for (size_t i = 0; i < request->by_count; i++) {
    if (by[i] != NULL) {
      buffer_printf(out, "%s%s", sign, by[i]);
      sign = ",";
    }
  }
  if (across != NULL) {
    buffer_printf(out, "%s%s", sign[0] == ',' ? " --columns " : sign, across);
  }
}

static void type_filters(const struct report_request *request, struct buffer *out) {
  struct buffer where;
  buffer_init(&where, COMMAND_MOST);
  for (size_t i = 0; i < request->filter_count; i++) {
    buffer_printf(&where, "%s%s=%s", i == 0 ? "" : ",", request->filters[i].field, request->filters[i].value);
  }
  if (where.len > 0) {
    buffer_text(out, " --where");
    type_word(out, where.data);
  }
  out->failed = out->failed == OK ? where.failed : out->failed;
  buffer_free(&where);
}

static const char *type_command(const struct report_request *request, const struct cube_offer *offer,
                                struct arena *arena) {
  struct buffer out;
  buffer_init(&out, COMMAND_MOST);
  buffer_text(&out, "puente report crosstab");
  type_fields(request, offer->by, &out);
  type_filters(request, &out);
  if (request->indicator != NULL) {
    buffer_text(&out, " --indicator");
    type_word(&out, request->indicator);
  }
  const char *command = out.failed == OK ? arena_text(arena, buffer_view(&out)) : NULL;
  buffer_free(&out);
  return command;
}

/* ---- offers ---- */

static void add_offer(const struct report_request *request, const struct cube_offer *offer, struct report *report) {
  const struct cube_shown *shown = &offer->shown;
  const char *command = type_command(request, offer, report->arena);
  if (command == NULL || report->offer_count == REPORT_OFFERS_MOST) {
    report->failed = command == NULL ? ERR_MEMORY : ERR_LIMIT;
    return;
  }
  report->offers[report->offer_count++] =
      (struct report_offer){.command = command, .filled = shown->filled, .kept = shown->kept, .share = shown->share};
  if (shown->kept == shown->filled && !shown->withheld) {
    report_note(report, _("Nothing hidden: %s"), command);
  } else if (shown->share >= 0) {
    report_note(report, _("To see at least %d %% (%zu of %zu cells): %s"), shown->share, shown->kept, shown->filled,
                command);
  } else {
    report_note(report, _("To see %zu of %zu cells: %s"), shown->kept, shown->filled, command);
  }
}

enum status report_offer(const struct cube_request *asked, const struct report_request *request,
                         const struct cube_shown *shown, struct report *report, struct error *error) {
  struct cube_offers offers;
  if (!report->guarded || (shown->kept == shown->filled && !shown->withheld)) {
    return OK;
  }
  enum status status = cube_offer(asked, shown, &offers, error);
  for (size_t i = 0; status == OK && i < offers.count; i++) {
    add_offer(request, &offers.offers[i], report);
  }
  return status;
}

/* ---- beside the rows ---- */

static void put_shown(size_t kept, size_t filled, int share, struct buffer *out) {
  buffer_printf(out, "\"cells\": %zu, \"of\": %zu, \"share\": ", kept, filled);
  if (share < 0) {
    buffer_text(out, "null");
  } else {
    buffer_printf(out, "%d", share);
  }
}

enum status report_metadata(const struct report *report, struct buffer *out, struct error *error) {
  buffer_text(out, "{\"title\": ");
  buffer_json(out, slice_of(report->title));
  buffer_printf(out, ",\n \"guarded\": %s,\n \"rounded\": ", report->guarded ? "true" : "false");
  if (report->rounded > 0) {
    buffer_printf(out, "%d", report->rounded);
  } else {
    buffer_text(out, "null");
  }
  buffer_printf(out, ",\n \"hidden\": %zu,\n \"shown\": ", report->concealed);
  if (report->filled > 0) {
    buffer_char(out, '{');
    put_shown(report->kept, report->filled, report->share, out);
    buffer_char(out, '}');
  } else {
    buffer_text(out, "null");
  }
  buffer_text(out, ",\n \"offers\": [");
  for (size_t i = 0; i < report->offer_count; i++) {
    buffer_text(out, i == 0 ? "\n  {\"command\": " : ",\n  {\"command\": ");
    buffer_json(out, slice_of(report->offers[i].command));
    buffer_text(out, ", ");
    put_shown(report->offers[i].kept, report->offers[i].filled, report->offers[i].share, out);
    buffer_char(out, '}');
  }
  buffer_text(out, "],\n \"notes\": [");
  for (size_t i = 0; i < report->note_count; i++) {
    buffer_text(out, i == 0 ? "\n  " : ",\n  ");
    buffer_json(out, slice_of(report->notes[i]));
  }
  buffer_text(out, "]}\n");
  return buffer_check(out, _("a report's description"), error);
}
