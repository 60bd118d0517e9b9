/* A result as people or programs want it: an aligned table, CSV (RFC 4180), or JSON (an array of objects), from the
 * same columns and rows. Widths are those of the terminal's cells, so that accents, ñ and Thai line up.
 *
 *   struct table *table = table_new(columns, 3);
 *   table_text(table, "sistra"); table_integer(table, 1054); table_null(table); // row by row
 *   status = table_print(table, stdout, TABLE_TEXT, &error);
 *   table_free(table);
 *
 * Errors of adding stick and are told by table_print. */
#ifndef PUENTE_COMMAND_TABLE_H
#define PUENTE_COMMAND_TABLE_H

#include "core/base/buffer.h"
#include "core/base/error.h"
#include "core/base/slice.h"

#include <stdint.h>
#include <stdio.h>

enum table_align { ALIGN_LEFT, ALIGN_RIGHT };
enum table_form { TABLE_TEXT, TABLE_JSON, TABLE_CSV };

struct table_column {
  const char *name;  /* of the member in JSON, of the column in CSV: "records" */
  const char *title; /* for people, translated; NULL: the name */
  enum table_align align;
  int most; /* widest cell in text, longer ones end with '…'; 0: as wide as needed */
};

struct table;

enum { TABLE_COLUMNS_MOST = 400, TABLE_ROWS_MOST = 1000000 };

struct table *table_new(const struct table_column *columns, size_t count); /* copies; NULL when out of memory */
void table_free(struct table *table);
/* A line above the table, in text only. */
void table_title(struct table *table, const char *format, ...) PRINTF_LIKE(2, 3);
/* A line below it, in text only: what a reader has to know. */
void table_note(struct table *table, const char *format, ...) PRINTF_LIKE(2, 3);
/* Cells go left to right; the one after the last column begins the next row. */
void table_text(struct table *table, const char *text); /* NULL: as table_null */
void table_slice(struct table *table, struct slice text);
/* A text that was put together; one that memory was short for makes the table fail. */
void table_buffer(struct table *table, const struct buffer *text);
void table_integer(struct table *table, int64_t value); /* "1,234,567" in text */
void table_number(struct table *table, int64_t value);  /* a year or an id: its digits, as a command takes them */
void table_boolean(struct table *table, bool value);
void table_share(struct table *table, double value); /* 0.874: "87.4 %" in text, the number elsewhere */
/* A label for people and its code for programs; code NULL: null for them. */
void table_code(struct table *table, const char *code, const char *label);
/* The last cell in a colour, on a terminal that wants colours (NO_COLOR and TERM=dumb do not). */
enum table_paint { PAINT_NONE, PAINT_GOOD, PAINT_WARNING, PAINT_BAD, PAINT_FAINT };
void table_paint(struct table *table, enum table_paint paint);
void table_null(struct table *table); /* blank in text and CSV, null in JSON */
void table_rule(struct table *table); /* a line between the rows before and after, in text only */
size_t table_rows(const struct table *table);

enum status table_print(struct table *table, FILE *stream, enum table_form form, struct error *error) MUST_CHECK;

/* 1234567 as "1,234,567", as tables show it. */
const char *number_group(int64_t value, char text[32]);
/* Cells of the terminal that a text takes; control characters take none. */
size_t text_width(struct slice text);

#endif
