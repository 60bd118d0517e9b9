#include "core/command/release_show.h"

#include "core/base/text.h"
#include "core/command/label.h"

#include <string.h>
#include <strings.h>

enum { FILTERS_MOST = 8 };

/* Columns of the text "dictionary". */
enum { WORD_TABLE, WORD_ITEM, WORD_VALUE, WORD_EN, WORD_ES, WORDS };

struct showing {
  const struct released *released;
  const struct released_table *table;
  struct arena *arena;
  struct released_rows rows, words;
  size_t columns[FILTERS_MOST];
  const char *values[FILTERS_MOST];
  size_t filter_count;
};

/* What the release's own dictionary says of an item of a table, in the language of the messages; NULL: nothing. */
static const char *word_of(const struct showing *showing, const char *table, const char *item, const char *value) {
  for (size_t i = 0; i < showing->words.count && showing->words.columns == WORDS; i++) {
    const char **row = showing->words.fields + i * WORDS;
    bool here = row[WORD_TABLE][0] == '\0' || strcmp(row[WORD_TABLE], table) == 0;
    if (here && strcmp(row[WORD_ITEM], item) == 0 && (value == NULL || strcmp(row[WORD_VALUE], value) == 0)) {
      const char *text = label_of(row[WORD_EN], row[WORD_ES]);
      return text[0] == '\0' ? NULL : text;
    }
  }
  return NULL;
}

static const char *word(const struct showing *showing, const char *item, const char *value) {
  return word_of(showing, showing->table->name, item, value);
}

static const char *label(const struct showing *showing, size_t column, const char *value) {
  if (strcmp(value, "total") == 0) {
    return _("total");
  }
  if (strcmp(value, "not_recorded") == 0) {
    return _("not recorded");
  }
  return word(showing, showing->rows.head[column], value);
}

/* ---- which rows ---- */

static bool means(const struct showing *showing, size_t column, const char *value, const char *wanted) {
  if (strcasecmp(value, wanted[0] == '\0' ? "not_recorded" : wanted) == 0) {
    return true;
  }
  const char *text = label(showing, column, value);
  struct slice left = text == NULL ? slice_of(NULL) : text_fold(showing->arena, slice_of(text), true);
  return text != NULL && slice_equal(left, text_fold(showing->arena, slice_of(wanted), true));
}

static enum status read_filter(struct showing *showing, char *pair, const char *where, struct error *error) {
  char *sign = strchr(pair, '=');
  if (sign == NULL || sign == pair || showing->filter_count == FILTERS_MOST) {
    error_set(error, ERR_USAGE, _("--where: '%s' is not FIELD=VALUE, at most %d of them"), where, FILTERS_MOST);
    error_hint(error, "%s", _("for example --where sex=female,year=2022; FIELD= asks for what is not recorded"));
    return ERR_USAGE;
  }
  *sign = '\0';
  size_t column = 0;
  while (column < showing->rows.columns && strcmp(showing->rows.head[column], pair) != 0) {
    column++;
  }
  if (column == showing->rows.columns) {
    error_set(error, ERR_USAGE, _("table '%s' has no field '%s'"), showing->table->name, pair);
    const char *nearest = text_nearest(slice_of(pair), showing->rows.head, showing->rows.columns);
    error_hint(error, _("did you mean '%s'?"), nearest == NULL ? showing->rows.head[0] : nearest);
    return ERR_USAGE;
  }
  bool known = sign[1] == '\0';
  for (size_t i = 0; i < showing->rows.count && !known; i++) {
    known = means(showing, column, showing->rows.fields[i * showing->rows.columns + column], sign + 1);
  }
  if (!known && word(showing, pair, NULL) != NULL) { /* of a field with codes: a slip of the pen is no zero */
    error_set(error, ERR_USAGE, _("no row of table '%s' has %s '%s'"), showing->table->name, pair, sign + 1);
    error_hint(error, "%s", _("codes and labels of the rows are taken; what is not listed counts nobody"));
    return ERR_USAGE;
  }
  showing->columns[showing->filter_count] = column;
  showing->values[showing->filter_count++] = sign + 1;
  return OK;
}

static enum status read_filters(struct showing *showing, const char *where, struct error *error) {
  char *rest = where == NULL ? NULL : arena_text(showing->arena, slice_of(where));
  enum status status = where != NULL && rest == NULL ? error_memory(error) : OK;
  for (char *pair; status == OK && (pair = strsep(&rest, ",")) != NULL;) {
    status = read_filter(showing, pair, where, error);
  }
  return status;
}

static bool is_asked(const struct showing *showing, size_t row) {
  for (size_t i = 0; i < showing->filter_count; i++) {
    const char *value = showing->rows.fields[row * showing->rows.columns + showing->columns[i]];
    if (!means(showing, showing->columns[i], value, showing->values[i])) {
      return false;
    }
  }
  return true;
}

/* ---- printing ---- */

static enum status print_bytes(const struct showing *showing, struct error *error) {
  bool whole = true;
  if (showing->filter_count == 0) {
    whole = fwrite(showing->table->body.data, 1, showing->table->body.len, stdout) == showing->table->body.len;
  } else {
    const char *head =
        arena_text(showing->arena, slice_make(showing->table->body.data, strcspn(showing->table->body.data, "\n")));
    whole = head != NULL && printf("%s\n", head) > 0;
    for (size_t i = 0; i < showing->rows.count && whole; i++) {
      whole = !is_asked(showing, i) || printf("%s\n", showing->rows.lines[i]) > 0;
    }
  }
  if (!whole || fflush(stdout) != 0) {
    return error_set(error, ERR_IO, "%s", _("standard output cannot be written"));
  }
  return OK;
}

static void add_figure(struct table *table, const char *text, bool hidden, enum table_form form) {
  int64_t number;
  if (hidden && form == TABLE_TEXT) {
    table_text(table, _("hidden"));
  } else if (text_to_int64(slice_of(text), &number)) {
    table_integer(table, number);
  } else if (text[0] == '\0') {
    table_null(table);
  } else {
    table_text(table, text);
  }
}

static void add_row(const struct showing *showing, struct table *table, size_t row, enum table_form form) {
  const struct released_rows *rows = &showing->rows;
  const char **fields = rows->fields + row * rows->columns;
  for (size_t c = 0; c < rows->columns; c++) {
    bool figure = showing->table->fields != NULL && c + 2 == rows->columns;
    bool status = showing->table->fields != NULL && c + 1 == rows->columns;
    if (status && form == TABLE_TEXT) {
      continue;
    }
    const char *text = form == TABLE_TEXT && !figure ? label(showing, c, fields[c]) : NULL;
    if (figure) {
      add_figure(table, fields[c], strcmp(fields[c + 1], "hidden") == 0, form);
    } else {
      table_text(table, text == NULL ? fields[c] : text);
    }
  }
}

/* How much of a table is shown. */
static enum status count_shown(const struct showing *showing, const struct released_table *of, size_t *shown,
                               size_t *figures, struct error *error) {
  struct released_rows rows;
  enum status status = released_rows_read(of->body, showing->arena, &rows, error);
  *shown = 0;
  *figures = status == OK ? rows.count : 0;
  for (size_t i = 0; i < *figures && rows.columns > 0; i++) {
    *shown += strcmp(rows.fields[(i + 1) * rows.columns - 1], "shown") == 0;
  }
  return status;
}

/* What else the release holds: tables with what they answer and how much of them is shown, then the texts. */
static enum status add_others(const struct showing *showing, struct table *table, struct error *error) {
  const char *texts = "";
  size_t shown, figures, width = 0;
  enum status status = OK;
  for (size_t i = 0; i < showing->released->count; i++) {
    size_t len = strlen(showing->released->tables[i].name);
    width = showing->released->tables[i].fields != NULL && len > width ? len : width;
  }
  table_note(table, "%s", "");
  table_note(table, "%s", _("Tables of this release, and how many of their figures are shown:"));
  for (size_t i = 0; i < showing->released->count && status == OK && texts != NULL; i++) {
    const struct released_table *other = &showing->released->tables[i];
    if (other->fields == NULL) {
      texts = arena_printf(showing->arena, "%s%s%s", texts, texts[0] == '\0' ? "" : ", ", other->name);
      continue;
    }
    const char *title = word_of(showing, other->name, "label", NULL);
    status = count_shown(showing, other, &shown, &figures, error);
    table_note(table, _("%s %-*s  %s: %zu of %zu"), other == showing->table ? ">" : " ", (int)width, other->name,
               title == NULL ? other->fields : title, shown, figures);
  }
  if (status == OK && texts != NULL) {
    table_note(table, _("Texts beside them: %s"), texts);
  }
  return status;
}

static void add_notes(const struct showing *showing, struct table *table) {
  static const struct {
    const char *item, *title;
  } facts[] = {{"unit", N_("Unit")},
               {"indicator", N_("Counted")},
               {"date_axis", N_("Years and months")},
               {"place_axis", N_("Places")},
               {"age_reference", N_("Ages")},
               {"smallest_figure", N_("Hidden")},
               {"rounding_base", N_("Figures")},
               {"overlap", N_("Cells")},
               {"absent", N_("Not listed")}};
  table_note(table, "%s", "");
  for (size_t i = 0; i < sizeof facts / sizeof *facts && showing->table->fields != NULL; i++) {
    const char *text = word(showing, facts[i].item, NULL);
    if (text != NULL) {
      table_note(table, "%s: %s", gettext(facts[i].title), text);
    }
  }
  table_note(table,
             _("Release %lld of %s, made %.10s, of the store as it stood after run %lld. SHA-256 of the table: %s"),
             (long long)showing->released->id, showing->released->name, showing->released->made,
             (long long)showing->released->run, showing->table->digest);
}

static enum status print_table(const struct showing *showing, enum table_form form, struct error *error) {
  struct table_column columns[WORDS + LEDGER_VALUES + 8] = {{.name = NULL}};
  const struct released_rows *rows = &showing->rows;
  bool figures = showing->table->fields != NULL;
  size_t count = rows->columns - (figures && form == TABLE_TEXT ? 1 : 0);
  if (count > sizeof columns / sizeof *columns) {
    return error_set(error, ERR_STORE, "%s", _("a released table cannot be read"));
  }
  for (size_t c = 0; c < count; c++) {
    const char *title = word(showing, "column", rows->head[c]);
    bool figure = figures && c == rows->columns - 2;
    columns[c] = (struct table_column){.name = rows->head[c],
                                       .title = figure ? _("figure") : title,
                                       .align = figure ? ALIGN_RIGHT : ALIGN_LEFT,
                                       .most = 48};
  }
  struct table *table = table_new(columns, count);
  if (table == NULL) {
    return error_memory(error);
  }
  const char *title = word(showing, "label", NULL);
  table_title(table, "%s\n", title == NULL ? showing->table->name : title);
  for (size_t i = 0; i < rows->count; i++) {
    if (is_asked(showing, i)) {
      add_row(showing, table, i, form);
    }
  }
  add_notes(showing, table);
  enum status status = add_others(showing, table, error);
  status = status == OK ? table_print(table, stdout, form, error) : status;
  table_free(table);
  return status;
}

enum status release_show(const struct released *released, const struct released_table *table, const char *where,
                         enum table_form form, struct arena *arena, struct error *error) {
  struct showing showing = {.released = released, .table = table, .arena = arena};
  enum status status = released_rows_read(table->body, arena, &showing.rows, error);
  for (size_t i = 0; i < released->count && status == OK; i++) {
    if (strcmp(released->tables[i].name, "dictionary") == 0) {
      status = released_rows_read(released->tables[i].body, arena, &showing.words, error);
    }
  }
  status = status == OK ? read_filters(&showing, where, error) : status;
  if (status != OK) {
    return status;
  }
  return form == TABLE_CSV ? print_bytes(&showing, error) : print_table(&showing, form, error);
}
