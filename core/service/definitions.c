#include "core/service/definitions.h"

#include "core/base/buffer.h"
#include "core/base/text.h"

enum { LINE_MOST = 1 << 16 };

static const char *title_of(size_t aspect) {
  static const char *const titles[MEANING_ASPECTS] = {N_("unit"), N_("definition"), N_("date of the period"),
                                                      N_("coverage")};
  return gettext(titles[aspect]);
}

const char *definitions_date(enum counts_date date) {
  static const char *const dates[] = {NULL, N_("date of the facts"), N_("date of the complaint"),
                                      N_("date of registration")};
  return dates[date] == NULL ? NULL : gettext(dates[date]);
}

static bool same(const char *a, const char *b) {
  return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_first(const struct meaning *columns, size_t at, size_t aspect) {
  for (size_t i = 0; i < at; i++) {
    if (same(columns[i].aspects[aspect], columns[at].aspects[aspect])) {
      return false;
    }
  }
  return true;
}

static bool differs(const struct meaning *columns, size_t count, size_t aspect) {
  for (size_t i = 1; i < count; i++) {
    if (is_first(columns, i, aspect)) {
      return true;
    }
  }
  return false;
}

static void put_item(struct buffer *line, const char *text) {
  buffer_printf(line, "%s%s", line->len == 0 ? "" : ", ", text);
}

/* The columns that have the aspect of column `at`; false where memory ends. */
static bool note_value(const struct meaning *columns, size_t count, size_t at, size_t aspect, struct buffer *line,
                       struct report *report) {
  const char *value = columns[at].aspects[aspect];
  buffer_reset(line);
  for (size_t i = at; i < count; i++) {
    if (same(columns[i].aspects[aspect], value)) {
      put_item(line, columns[i].column);
    }
  }
  report_note(report, "  %s: %s (%s)", title_of(aspect), value == NULL ? _("not stated") : value,
              line->failed == OK ? line->data : "…");
  return line->failed != ERR_MEMORY;
}

static bool note_differences(const struct meaning *columns, size_t count, struct buffer *line, struct report *report) {
  bool any = false, whole = true;
  for (size_t aspect = 0; aspect < MEANING_ASPECTS; aspect++) {
    if (!differs(columns, count, aspect)) {
      continue;
    }
    if (!any) {
      report_note(report, "%s", _("Columns differ in:"));
    }
    any = true;
    for (size_t i = 0; i < count; i++) {
      if (is_first(columns, i, aspect)) {
        whole = note_value(columns, count, i, aspect, line, report) && whole;
      }
    }
  }
  return whole;
}

enum status definitions_note(const struct meaning *columns, size_t count, struct report *report, struct error *error) {
  struct buffer line;
  if (count == 0) {
    return OK;
  }
  buffer_init(&line, LINE_MOST);
  bool whole = note_differences(columns, count, &line, report);
  buffer_reset(&line);
  for (size_t aspect = 0; aspect < MEANING_ASPECTS; aspect++) {
    if (!differs(columns, count, aspect) && columns[0].aspects[aspect] != NULL) {
      buffer_printf(&line, "%s%s: %s", line.len == 0 ? "" : "; ", title_of(aspect), columns[0].aspects[aspect]);
    }
  }
  if (line.len > 0) {
    report_note(report, _("The same in all columns: %s"), line.data);
  }
  whole = whole && line.failed != ERR_MEMORY;
  buffer_reset(&line);
  for (size_t aspect = 0; aspect < MEANING_ASPECTS; aspect++) {
    if (!differs(columns, count, aspect) && columns[0].aspects[aspect] == NULL) {
      put_item(&line, title_of(aspect));
    }
  }
  if (line.len > 0) {
    report_note(report, _("Not stated for any column: %s (`counts:` of the source)"), line.data);
  }
  whole = whole && line.failed != ERR_MEMORY;
  buffer_free(&line);
  return whole ? OK : error_memory(error);
}
