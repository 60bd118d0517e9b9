#include "core/command/table.h"

#include "core/base/arena.h"
#include "core/base/buffer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>
#include <unistd.h>

enum { PRINT_MOST = 1 << 30, MEMORY_MOST = 1 << 30, GAP = 2 };
enum kind { KIND_NULL, KIND_TEXT, KIND_BARE }; /* bare: number or boolean, unquoted in JSON */

struct table_cell {
  struct slice text;  /* for people */
  struct slice value; /* for programs */
  uint8_t kind, paint;
};

struct table {
  struct arena *arena;
  struct table_column *columns;
  size_t column_count;
  struct table_cell *cells;
  size_t count, capacity;
  bool *rules; /* by row: a line above it */
  size_t rule_capacity;
  struct buffer title, notes;
  enum status failed;
};

struct table *table_new(const struct table_column *columns, size_t count) {
  struct table *table = count == 0 || count > TABLE_COLUMNS_MOST ? NULL : calloc(1, sizeof *table);
  if (table == NULL) {
    return NULL;
  }
  buffer_init(&table->title, 1 << 16);
  buffer_init(&table->notes, 1 << 20);
  table->arena = arena_new(MEMORY_MOST);
  table->columns = calloc(count, sizeof *table->columns);
  table->column_count = count;
  if (table->arena == NULL || table->columns == NULL) {
    table_free(table);
    return NULL;
  }
  memcpy(table->columns, columns, count * sizeof *columns);
  return table;
}

void table_free(struct table *table) {
  if (table != NULL) {
    arena_free(table->arena);
    buffer_free(&table->title);
    buffer_free(&table->notes);
    free(table->columns);
    free(table->cells);
    free(table->rules);
    free(table);
  }
}

static void append_line(struct buffer *buffer, const char *format, va_list arguments) {
  char line[1024];
  vsnprintf(line, sizeof line, format, arguments);
  buffer_printf(buffer, "%s\n", line);
}

void table_title(struct table *table, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  append_line(&table->title, format, arguments);
  va_end(arguments);
}

void table_note(struct table *table, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  append_line(&table->notes, format, arguments);
  va_end(arguments);
}

/* ---- filling ---- */

static void add(struct table *table, enum kind kind, struct slice text, struct slice value) {
  if (table->failed != OK) {
    return;
  }
  if (table->count / table->column_count >= TABLE_ROWS_MOST) {
    table->failed = ERR_LIMIT;
    return;
  }
  if (table->count == table->capacity) {
    size_t capacity = table->capacity == 0 ? 256 : table->capacity * 2;
    struct table_cell *moved = realloc(table->cells, capacity * sizeof *moved);
    if (moved == NULL) {
      table->failed = ERR_MEMORY;
      return;
    }
    table->cells = moved;
    table->capacity = capacity;
  }
  struct slice own_text = arena_copy(table->arena, text);
  struct slice own_value = slice_equal(text, value) ? own_text : arena_copy(table->arena, value);
  if ((own_text.data == NULL && text.len > 0) || (own_value.data == NULL && value.len > 0)) {
    table->failed = ERR_MEMORY;
    return;
  }
  table->cells[table->count++] = (struct table_cell){.text = own_text, .value = own_value, .kind = (uint8_t)kind};
}

void table_buffer(struct table *table, const struct buffer *text) {
  if (text->failed != OK) {
    table->failed = ERR_MEMORY;
  } else {
    table_slice(table, buffer_view(text));
  }
}

void table_slice(struct table *table, struct slice text) {
  add(table, KIND_TEXT, text, text);
}

void table_text(struct table *table, const char *text) {
  if (text == NULL) {
    table_null(table);
  } else {
    table_slice(table, slice_of(text));
  }
}

const char *number_group(int64_t value, char text[32]) {
  char digits[24];
  int len = snprintf(digits, sizeof digits, "%" PRId64, value);
  int sign = value < 0 ? 1 : 0, at = 0;
  for (int i = 0; i < len; i++) {
    if (i > sign && (len - i) % 3 == 0) {
      text[at++] = ',';
    }
    text[at++] = digits[i];
  }
  text[at] = '\0';
  return text;
}

void table_integer(struct table *table, int64_t value) {
  char digits[24], grouped[32];
  int len = snprintf(digits, sizeof digits, "%" PRId64, value);
  add(table, KIND_BARE, slice_of(number_group(value, grouped)), slice_make(digits, (size_t)len));
}

void table_number(struct table *table, int64_t value) {
  char digits[24];
  struct slice text = slice_make(digits, (size_t)snprintf(digits, sizeof digits, "%" PRId64, value));
  add(table, KIND_BARE, text, text);
}

void table_boolean(struct table *table, bool value) {
  add(table, KIND_BARE, slice_of(value ? _("yes") : _("no")), slice_of(value ? "true" : "false"));
}

void table_share(struct table *table, double value) {
  char text[32], number[32];
  int text_len = snprintf(text, sizeof text, "%.1f %%", value * 100);
  int number_len = snprintf(number, sizeof number, "%.4f", value);
  add(table, KIND_BARE, slice_make(text, (size_t)text_len), slice_make(number, (size_t)number_len));
}

void table_code(struct table *table, const char *code, const char *label) {
  add(table, code == NULL ? KIND_NULL : KIND_TEXT, slice_of(label), slice_of(code));
}

void table_paint(struct table *table, enum table_paint paint) {
  if (table->count > 0) {
    table->cells[table->count - 1].paint = (uint8_t)paint;
  }
}

void table_null(struct table *table) {
  add(table, KIND_NULL, slice_of(""), slice_of(""));
}

void table_rule(struct table *table) {
  size_t row = table_rows(table);
  if (row >= table->rule_capacity) {
    size_t capacity = (row + 1) * 2;
    bool *moved = realloc(table->rules, capacity * sizeof *moved);
    if (moved == NULL) {
      table->failed = ERR_MEMORY;
      return;
    }
    memset(moved + table->rule_capacity, 0, (capacity - table->rule_capacity) * sizeof *moved);
    table->rules = moved;
    table->rule_capacity = capacity;
  }
  table->rules[row] = true;
}

/* One that memory ended for is not empty: table_print tells. */
size_t table_rows(const struct table *table) {
  size_t rows = table->count / table->column_count;
  return rows == 0 && table->failed != OK ? 1 : rows;
}

/* ---- widths ---- */

static size_t character_width(UChar32 c) {
  int8_t type = u_charType(c);
  if (c < 0 || type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK || type == U_CONTROL_CHAR
      || type == U_FORMAT_CHAR) {
    return 0;
  }
  int32_t width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

size_t text_width(struct slice text) {
  size_t width = 0;
  for (int32_t i = 0; i < (int32_t)text.len;) {
    UChar32 c;
    U8_NEXT(text.data, i, (int32_t)text.len, c);
    width += character_width(c);
  }
  return width;
}

/* The longest beginning of the text that is at most `most` wide. */
static struct slice cut_to(struct slice text, size_t most) {
  size_t width = 0;
  int32_t end = 0;
  for (int32_t i = 0; i < (int32_t)text.len; end = i) {
    UChar32 c;
    U8_NEXT(text.data, i, (int32_t)text.len, c);
    width += character_width(c);
    if (width > most) {
      break;
    }
  }
  return slice_make(text.data, (size_t)end);
}

static const char *title_of(const struct table_column *column) {
  return column->title == NULL ? column->name : column->title;
}

/* A title is broken at spaces into lines of at most this width, or of its column's cells where they are wider. */
enum { TITLE_WIDTH = 14 };

/* Takes the next line of a title off its front. */
static struct slice next_title_line(struct slice *title, size_t most) {
  size_t end = 0;
  for (size_t i = 0; i <= title->len; i++) {
    bool stop = i == title->len || title->data[i] == ' ';
    if (stop && (end == 0 || text_width(slice_make(title->data, i)) <= most)) {
      end = i;
    }
  }
  struct slice line = slice_make(title->data, end);
  size_t taken = end < title->len ? end + 1 : end;
  *title = slice_make(title->data + taken, title->len - taken);
  return line;
}

/* Widths of the columns, and the number of lines that their titles take. */
static size_t measure(const struct table *table, size_t *widths) {
  size_t lines = 1;
  for (size_t c = 0; c < table->column_count; c++) {
    const struct table_column *column = &table->columns[c];
    widths[c] = 0;
    for (size_t i = c; i < table->count; i += table->column_count) {
      size_t width = text_width(table->cells[i].text);
      widths[c] = width > widths[c] ? width : widths[c];
    }
    if (column->most > 0 && widths[c] > (size_t)column->most) {
      widths[c] = (size_t)column->most;
    }
    size_t most = widths[c] > TITLE_WIDTH ? widths[c] : TITLE_WIDTH, count = 0;
    for (struct slice title = slice_of(title_of(column)); title.len > 0; count++) {
      size_t width = text_width(next_title_line(&title, most));
      widths[c] = width > widths[c] ? width : widths[c];
    }
    lines = count > lines ? count : lines;
  }
  return lines;
}

/* Line `at` of `lines` of the title, which stands at the bottom of its column. */
static struct slice title_line(const struct table_column *column, size_t width, size_t lines, size_t at) {
  size_t count = 0, most = width > TITLE_WIDTH ? width : TITLE_WIDTH;
  for (struct slice title = slice_of(title_of(column)); title.len > 0; count++) {
    next_title_line(&title, most);
  }
  struct slice title = slice_of(title_of(column)), line = slice_of("");
  for (size_t i = lines - count; i <= at && title.len > 0; i++) {
    line = next_title_line(&title, most);
  }
  return at < lines - count ? slice_of("") : line;
}

/* ---- printing ---- */

static void pad(struct buffer *out, size_t count, const char *with) {
  for (size_t i = 0; i < count; i++) {
    buffer_text(out, with);
  }
}

/* A last cell that is blank leaves no spaces behind. */
static void end_line(struct buffer *out) {
  while (out->len > 0 && out->data[out->len - 1] == ' ') {
    out->len--;
  }
  buffer_char(out, '\n');
}

/* One cell on one line: line breaks and tabs become spaces. */
static void print_plain(struct buffer *out, struct slice text) {
  size_t from = 0;
  for (size_t i = 0; i < text.len; i++) {
    if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f) {
      buffer_append(out, text.data + from, i - from);
      buffer_char(out, ' ');
      from = i + 1;
    }
  }
  if (text.len > from) {
    buffer_append(out, text.data + from, text.len - from);
  }
}

static void print_cell(struct buffer *out, struct slice text, enum table_align align, size_t width, bool last) {
  size_t used = text_width(text);
  bool cut = used > width;
  if (cut) {
    text = cut_to(text, width - 1);
    used = text_width(text) + 1;
  }
  if (align == ALIGN_RIGHT) {
    pad(out, width - used, " ");
  }
  print_plain(out, text);
  if (cut) {
    buffer_text(out, "…");
  }
  if (align == ALIGN_LEFT && !last) {
    pad(out, width - used, " ");
  }
  if (!last) {
    pad(out, GAP, " ");
  }
}

static void print_rule(const struct table *table, const size_t *widths, struct buffer *out) {
  for (size_t c = 0; c < table->column_count; c++) {
    pad(out, widths[c], "─");
    pad(out, c + 1 == table->column_count ? 0 : GAP, " ");
  }
  buffer_char(out, '\n');
}

static bool wants_colours(FILE *stream) {
  const char *refused = getenv("NO_COLOR"), *terminal = getenv("TERM");
  bool plain = (refused != NULL && refused[0] != '\0') || terminal == NULL || strcmp(terminal, "dumb") == 0;
  return !plain && isatty(fileno(stream)) == 1;
}

static void print_text(const struct table *table, bool colours, struct buffer *out) {
  static const char *const paints[] = {
      [PAINT_NONE] = "", [PAINT_GOOD] = "32", [PAINT_WARNING] = "33", [PAINT_BAD] = "1;31", [PAINT_FAINT] = "2"};
  size_t widths[TABLE_COLUMNS_MOST], columns = table->column_count;
  size_t lines = measure(table, widths);
  buffer_slice(out, buffer_view(&table->title));
  for (size_t line = 0; line < lines; line++) {
    for (size_t c = 0; c < columns; c++) {
      struct slice title = title_line(&table->columns[c], widths[c], lines, line);
      print_cell(out, title, table->columns[c].align, widths[c], c + 1 == columns);
    }
    end_line(out);
  }
  print_rule(table, widths, out);
  for (size_t i = 0; i < table->count; i++) {
    size_t row = i / columns, c = i % columns;
    if (c == 0 && row > 0 && row < table->rule_capacity && table->rules[row]) {
      print_rule(table, widths, out);
    }
    bool painted = colours && table->cells[i].paint != PAINT_NONE;
    if (painted) {
      buffer_printf(out, "\033[%sm", paints[table->cells[i].paint]);
    }
    print_cell(out, table->cells[i].text, table->columns[c].align, widths[c], c + 1 == columns);
    buffer_text(out, painted ? "\033[0m" : "");
    if (c + 1 == columns) {
      end_line(out);
    }
  }
  buffer_slice(out, buffer_view(&table->notes));
}

static void print_csv_cell(struct buffer *out, struct slice text) {
  bool quote = false;
  for (size_t i = 0; i < text.len; i++) {
    quote = quote || strchr(",\"\r\n", text.data[i]) != NULL;
  }
  if (!quote) {
    buffer_slice(out, text);
    return;
  }
  buffer_char(out, '"');
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] == '"') {
      buffer_char(out, '"');
    }
    buffer_char(out, text.data[i]);
  }
  buffer_char(out, '"');
}

static void print_csv(const struct table *table, struct buffer *out) {
  for (size_t c = 0; c < table->column_count; c++) {
    buffer_text(out, c == 0 ? "" : ",");
    print_csv_cell(out, slice_of(table->columns[c].name));
  }
  buffer_text(out, "\r\n");
  for (size_t i = 0; i < table->count; i++) {
    size_t c = i % table->column_count;
    buffer_text(out, c == 0 ? "" : ",");
    print_csv_cell(out, table->cells[i].value);
    buffer_text(out, c + 1 == table->column_count ? "\r\n" : "");
  }
}

static void print_json(const struct table *table, struct buffer *out) {
  buffer_char(out, '[');
  for (size_t i = 0; i < table->count; i++) {
    size_t c = i % table->column_count;
    const struct table_cell *cell = &table->cells[i];
    buffer_text(out, c > 0 ? ", " : i == 0 ? "\n  {" : ",\n  {");
    buffer_json(out, slice_of(table->columns[c].name));
    buffer_text(out, ": ");
    if (cell->kind == KIND_TEXT) {
      buffer_json(out, cell->value);
    } else {
      buffer_slice(out, cell->kind == KIND_NULL ? slice_of("null") : cell->value);
    }
    buffer_text(out, c + 1 == table->column_count ? "}" : "");
  }
  buffer_text(out, table->count == 0 ? "]\n" : "\n]\n");
}

enum status table_print(struct table *table, FILE *stream, enum table_form form, struct error *error) {
  if (table->failed == ERR_LIMIT) {
    return error_set(error, ERR_LIMIT, _("the table has more than %d rows"), TABLE_ROWS_MOST);
  }
  if (table->failed != OK) {
    return error_memory(error);
  }
  if (table->count % table->column_count != 0) {
    return error_set(error, ERR_INTERNAL, "%s", _("a table's last row is not complete"));
  }
  struct buffer out;
  buffer_init(&out, PRINT_MOST);
  if (form == TABLE_TEXT) {
    print_text(table, wants_colours(stream), &out);
  } else if (form == TABLE_CSV) {
    print_csv(table, &out);
  } else {
    print_json(table, &out);
  }
  enum status status = buffer_check(&out, "table", error);
  if (status == OK && (table->title.failed != OK || table->notes.failed != OK)) {
    status = error_memory(error);
  }
  if (status == OK && (fwrite(out.data, 1, out.len, stream) != out.len || fflush(stream) != 0)) {
    /* `| head` has seen enough: no failure. */
    status = errno == EPIPE ? OK : error_set(error, ERR_IO, _("the table cannot be written: %s"), strerror(errno));
  }
  buffer_free(&out);
  return status;
}
