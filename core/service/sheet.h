/* CSV files as dictionary-encoded columns, for linking without a store: one pass, one record in memory, values held
 * once each. Several files stand one after the other; the number of a file is the source of its records. The caller
 * frees the sheet, with everything in it. */
#ifndef PUENTE_SERVICE_SHEET_H
#define PUENTE_SERVICE_SHEET_H

#include "core/base/buffer.h"
#include "core/base/text.h"
#include "core/link/link.h"

enum { SHEET_FILES_MOST = 64, SHEET_COLUMNS_MOST = 512 };

struct sheet_options {
  const char *const *files;
  size_t file_count;
  const char *const *columns; /* to encode; NULL: all of the first file's header */
  size_t column_count;
  const char *id; /* column that names a record; NULL: its line */
  /* Column of the truth, or NULL: each value, or the first group of `truth_pattern` in it, is an entity. It is read
   * apart; where it is among `columns` too, that column is left missing. */
  const char *truth, *truth_pattern;
  const char *among;      /* column that marks records by having a value; NULL */
  enum encoding encoding; /* of the bytes; a byte order mark wins */
  unsigned threads;       /* 1: values are encoded by turns with reading, else beside it */
  link_progress *progress;
  void *context;
};

/* Runs of bytes one after the other. */
struct texts {
  struct buffer bytes;
  uint64_t *ends; /* of each, in `bytes` */
  size_t count, capacity;
};
struct slice texts_at(const struct texts *texts, size_t position);

struct sheet_file {
  const char *path;
  char name[128];       /* without folder and suffix; differs between the files of a sheet */
  uint64_t records;     /* read */
  uint64_t unread;      /* lines that are no record: ragged, broken quotes, bad bytes; left out */
  uint64_t repeated;    /* records whose id an earlier one of this file has */
  uint64_t first_wrong; /* line of the first unread one, and why */
  char reason[160];
};

struct sheet {
  size_t count;
  struct link_column *columns; /* as the options name them */
  size_t column_count;
  uint32_t *source;  /* by record: its file */
  struct texts ids;  /* by record */
  uint32_t *truth;   /* by record, LINK_MISSING: unknown; NULL: none was asked for */
  uint8_t *among;    /* by record; NULL: none was asked for */
  uint64_t *missing; /* by column */
  struct sheet_file files[SHEET_FILES_MOST];
  size_t file_count;
  size_t capacity;
  struct arena *arena; /* names */
};

/* ERR_CONFIG: no such column, with the nearest name as the hint, or a column named twice. ERR_INPUT: no header, or the
 * text cannot be read on. ERR_USAGE: two files of one name. ERR_INTERRUPTED: `progress` said so. */
enum status sheet_read(const struct sheet_options *options, struct sheet *sheet, struct error *error) MUST_CHECK;
void sheet_free(struct sheet *sheet);

#endif
