/* Splits delimited text into records. The scan can stop at any byte and go on when more bytes come: all positions are
 * offsets from the first byte of the current record, and what it yields does not depend on where pages were cut. */
#include "mapping/format/csv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum csv_stage { CSV_MARK, CSV_TITLES, CSV_HEADER, CSV_RECORDS, CSV_FAILED };

struct csv_splitter {
  struct splitter head;
  struct csv_dialect dialect;
  struct csv_words words;
  int header_row;
  size_t record_limit;
  struct arena *arena; /* names given by the options */
  struct slice *names; /* NULL: the header names the columns */
  size_t name_count;
  struct stream stream;
  enum csv_stage stage;
  enum encoding encoding; /* of this document: a BOM wins over the options */
  uint64_t line;          /* of the record's first byte */
  char line_byte;         /* what a line break ends with: '\n', or '\r' where that stands alone */
  size_t columns;         /* 0: not known yet */
  struct buffer context;
  struct error failure;
  /* The current record. */
  size_t scan; /* bytes looked at */
  size_t delimiters;
  uint64_t high;   /* its high bits are set where a byte above 127 was seen */
  uint64_t breaks; /* line breaks inside quotes */
  bool quoted, broken, skipping;
  bool last;              /* no bytes follow those being scanned */
  char kept[RECORD_HEAD]; /* head of a record whose bytes are being thrown away */
  size_t kept_len;
};

static inline struct csv_splitter *csv_of(struct splitter *splitter) {
  return (struct csv_splitter *)splitter;
}

static void begin_record(struct csv_splitter *csv) {
  csv->scan = csv->delimiters = 0;
  csv->high = csv->breaks = 0;
  csv->quoted = csv->broken = csv->skipping = false;
}

static enum status copy_names(struct csv_splitter *csv, const struct format_options *options, struct error *error) {
  if (options->column_count == 0)
    return OK;
  csv->names = arena_array(csv->arena, options->column_count, sizeof *csv->names);
  if (csv->names == NULL)
    return error_memory(error);
  for (size_t i = 0; i < options->column_count; i++) {
    const char *name = arena_text(csv->arena, slice_of(options->columns[i]));
    if (name == NULL)
      return error_memory(error);
    csv->names[i] = slice_of(name);
  }
  csv->name_count = options->column_count;
  return OK;
}

enum status csv_splitter_new(const struct format *format, bool nulls, const struct format_options *options,
                             struct splitter **splitter, struct error *error) {
  struct csv_splitter *csv = calloc(1, sizeof *csv);
  if (csv == NULL)
    return error_memory(error);
  csv->head.format = format;
  csv->dialect = (struct csv_dialect){.delimiter = options->delimiter != 0 ? options->delimiter : ',',
                                      .quote = options->quote != 0 ? options->quote : '"',
                                      .nulls = nulls,
                                      .encoding = options->encoding};
  csv->words = csv_words_of(&csv->dialect);
  csv->header_row = options->header_row != 0 ? options->header_row : 1;
  csv->record_limit = options->record_limit != 0 ? options->record_limit : RECORD_LIMIT;
  stream_init(&csv->stream);
  buffer_init(&csv->context, RECORD_LIMIT);
  csv->arena = arena_new(0);
  enum status status = csv->arena == NULL ? error_memory(error) : copy_names(csv, options, error);
  if (status == OK && csv->dialect.delimiter == csv->dialect.quote)
    status = error_set(error, ERR_CONFIG, _("delimiter and quote are the same character"));
  if (status == OK && csv->header_row < 0 && csv->name_count == 0)
    status = error_set(error, ERR_CONFIG, _("without a header, \"columns\" must name the columns"));
  if (status != OK) {
    csv_splitter_free(&csv->head);
    return status;
  }
  csv_begin(&csv->head);
  *splitter = &csv->head;
  return OK;
}

void csv_splitter_free(struct splitter *splitter) {
  if (splitter == NULL)
    return;
  struct csv_splitter *csv = csv_of(splitter);
  stream_free(&csv->stream);
  buffer_free(&csv->context);
  arena_free(csv->arena);
  free(csv);
}

void csv_begin(struct splitter *splitter) {
  struct csv_splitter *csv = csv_of(splitter);
  stream_reset(&csv->stream);
  buffer_reset(&csv->context);
  csv->stage = CSV_MARK;
  csv->encoding = csv->dialect.encoding;
  csv->line = 1;
  csv->line_byte = '\n';
  csv->columns = 0;
  begin_record(csv);
}

enum status csv_feed(struct splitter *splitter, struct slice bytes, bool final, struct error *error) {
  return stream_feed(&csv_of(splitter)->stream, bytes, final, error);
}

struct slice csv_context(struct splitter *splitter) {
  return buffer_view(&csv_of(splitter)->context);
}

/* The offset of the first quote or line break from `at`, or `len`; counts the delimiters before it. */
static size_t scan_plain(struct csv_splitter *csv, const char *data, size_t at, size_t len) {
  const char quote = csv->dialect.quote, delimiter = csv->dialect.delimiter;
  for (; at + 8 <= len; at += 8) {
    uint64_t word = csv_load(data + at);
    uint64_t delimiters = csv_zero_bytes(word ^ csv->words.delimiter);
    uint64_t special = csv_zero_bytes(word ^ csv->words.quote) | csv_zero_bytes(word ^ CSV_EVERY_BYTE * '\n')
                       | csv_zero_bytes(word ^ CSV_EVERY_BYTE * '\r');
    csv->high |= word;
    if (special != 0) {
      delimiters &= (special & -special) - 1;
      csv->delimiters += ((delimiters >> 7) * CSV_EVERY_BYTE) >> 56;
      return at + (size_t)(__builtin_ctzll(special) >> 3);
    }
    csv->delimiters += ((delimiters >> 7) * CSV_EVERY_BYTE) >> 56;
  }
  for (; at < len; at++) {
    char c = data[at];
    if (c == quote || c == '\n' || c == '\r')
      return at;
    csv->delimiters += c == delimiter;
    csv->high |= (unsigned char)c;
  }
  return len;
}

/* Inside quotes: OK when they close, END when more bytes are needed, ERR_INPUT when they are broken. */
static enum status scan_quoted(struct csv_splitter *csv, struct slice bytes) {
  const char quote = csv->dialect.quote, line_byte = csv->line_byte;
  csv->high = ~0ULL; /* bytes inside quotes are not looked at one by one */
  while (csv->scan < bytes.len) {
    size_t at = csv->scan; /* most fields are too short for memchr to pay */
    uint64_t breaks = 0;
    for (; at < bytes.len && bytes.data[at] != quote; at++)
      breaks += bytes.data[at] == line_byte;
    csv->breaks += breaks;
    csv->scan = at;
    if (at == bytes.len)
      break;
    if (csv->scan + 1 == bytes.len && !csv->last)
      return END;
    char after = at + 1 < bytes.len ? bytes.data[at + 1] : '\n';
    if (after == quote) {
      csv->scan += 2;
      continue;
    }
    csv->quoted = false;
    csv->scan++;
    return after == csv->dialect.delimiter || after == '\n' || after == '\r' ? OK : ERR_INPUT;
  }
  return csv->last ? ERR_INPUT : END;
}

/* A record whose quoting is broken ends with its first line, so that one stray quote does not swallow the file. */
static void break_record(struct csv_splitter *csv) {
  csv->broken = true;
  csv->quoted = false;
  csv->breaks = 0;
  csv->scan = 0;
}

/* At a line break: OK with the length of the record and of its break, END where a '\r' may have its '\n' yet to come.
 */
static enum status end_line(struct csv_splitter *csv, struct slice bytes, size_t *len, size_t *taken) {
  *len = *taken = csv->scan;
  if (csv->scan == bytes.len)
    return OK;
  if (bytes.data[csv->scan] == '\n') {
    *taken += 1;
    return OK;
  }
  if (csv->scan + 1 == bytes.len && !csv->last)
    return END;
  bool pair = csv->scan + 1 < bytes.len && bytes.data[csv->scan + 1] == '\n';
  *taken += pair ? 2 : 1;
  if (!pair)
    csv->line_byte = '\r';
  return OK;
}

/* OK with the length of the record and what to take, END when more bytes are needed. */
static enum status scan_record(struct csv_splitter *csv, struct slice bytes, size_t *len, size_t *taken) {
  for (;;) {
    if (csv->quoted) {
      enum status status = scan_quoted(csv, bytes);
      if (status == END || (status != OK && csv->skipping && csv->quoted))
        return status;
      if (status != OK && !csv->skipping)
        break_record(csv);
      continue;
    }
    csv->scan = scan_plain(csv, bytes.data, csv->scan, bytes.len);
    if (csv->scan == bytes.len)
      return csv->last ? end_line(csv, bytes, len, taken) : END;
    if (bytes.data[csv->scan] != csv->dialect.quote)
      return end_line(csv, bytes, len, taken);
    bool opens = csv->scan == 0 || bytes.data[csv->scan - 1] == csv->dialect.delimiter;
    csv->quoted = opens && !csv->broken && csv->stage != CSV_TITLES;
    csv->scan++;
  }
}

/* A record over the limit: its bytes are thrown away as they come. One stays, since a quote opens after a delimiter. */
static void skip_bytes(struct csv_splitter *csv, struct slice bytes) {
  if (!csv->skipping) {
    csv->kept_len = csv->record_limit < RECORD_HEAD ? csv->record_limit : RECORD_HEAD;
    memcpy(csv->kept, bytes.data, csv->kept_len);
  }
  csv->skipping = true;
  csv->stream.start += csv->scan - 1;
  csv->scan = 1;
}

/* OK with the record's length, END when more bytes are needed. No more than the limit is looked at before a record
 * counts as too large, so that the outcome does not depend on the size of pages. */
static enum status find_record(struct csv_splitter *csv, size_t *len, size_t *taken) {
  for (;;) {
    struct slice bytes = stream_view(&csv->stream);
    bool capped = !csv->skipping && bytes.len > csv->record_limit + 2;
    csv->last = csv->stream.final && !capped;
    if (capped)
      bytes.len = csv->record_limit + 2;
    enum status status = scan_record(csv, bytes, len, taken);
    if (status == END && (capped || csv->skipping))
      skip_bytes(csv, bytes);
    if (status != END || !capped)
      return status;
  }
}

static enum status fail(struct csv_splitter *csv, struct error *error) {
  error_place(error, _("line %" PRIu64), csv->line);
  csv->failure = *error;
  csv->stage = CSV_FAILED;
  return error->code;
}

static enum status take_mark(struct csv_splitter *csv, struct error *error) {
  struct slice bytes = stream_view(&csv->stream);
  if (bytes.len < 3 && !csv->stream.final)
    return END;
  if (looks_like_utf16(bytes)) {
    error_set(error, ERR_INPUT, _("the text is UTF-16"));
    error_hint(error, _("save it as UTF-8 (in a spreadsheet: \"CSV UTF-8\")"));
    return fail(csv, error);
  }
  if (bytes.len >= 3 && memcmp(bytes.data, "\xef\xbb\xbf", 3) == 0) {
    csv->stream.start += 3;
    csv->encoding = ENCODING_UTF8;
  }
  csv->stage = csv->header_row > 1 ? CSV_TITLES : csv->header_row == 1 ? CSV_HEADER : CSV_RECORDS;
  if (csv->stage != CSV_RECORDS)
    return OK;
  struct csv_dialect dialect = csv->dialect;
  dialect.encoding = csv->encoding;
  csv->columns = csv->name_count;
  enum status status = csv_context_write(&dialect, csv->names, csv->name_count, &csv->context, error);
  return status == OK ? OK : fail(csv, error);
}

/* One column that holds another usual delimiter: the file is written with that one. */
static enum status check_delimiter(struct csv_splitter *csv, struct slice bytes, size_t count, struct error *error) {
  static const char usual[] = {';', ',', '\t', '|'};
  if (count != 1 || csv->name_count == 1)
    return OK;
  for (size_t i = 0; i < sizeof usual; i++) {
    if (usual[i] == csv->dialect.delimiter || memchr(bytes.data, usual[i], bytes.len) == NULL)
      continue;
    error_set(error, ERR_INPUT, _("the header has no '%c', the delimiter"), csv->dialect.delimiter);
    if (usual[i] == '\t')
      error_hint(error, _("it seems to be a tab: set \"delimiter: tab\""));
    else
      error_hint(error, _("it seems to be '%c': set \"delimiter: '%c'\""), usual[i], usual[i]);
    return ERR_INPUT;
  }
  return OK;
}

static enum status decode_names(struct csv_splitter *csv, struct slice bytes, struct csv_field *fields,
                                struct slice *names, size_t count, struct arena *arena) {
  for (size_t i = 0; i < count; i++) {
    struct slice raw = slice_make(bytes.data + fields[i].begin, fields[i].end - fields[i].begin);
    char *plain = arena_bytes(arena, raw.len + 1);
    size_t len = 0;
    for (size_t k = 0; plain != NULL && k < raw.len; k++) {
      plain[len++] = raw.data[k];
      if (fields[i].doubled && raw.data[k] == csv->dialect.quote)
        k++;
    }
    struct slice text = slice_make(plain, len);
    text = text_to_utf8(arena, text, csv->encoding);
    if (plain == NULL || text.data == NULL)
      return ERR_MEMORY;
    names[i] = slice_trim(text);
  }
  return OK;
}

static enum status take_names(struct csv_splitter *csv, struct slice bytes, size_t count, struct arena *arena,
                              struct error *error) {
  struct csv_field *fields = arena_array(arena, count, sizeof *fields);
  struct slice *names = arena_array(arena, count, sizeof *names);
  if (fields == NULL || names == NULL)
    return error_memory(error);
  if (!csv_fields(&csv->dialect, bytes, fields, count, &count))
    return error_set(error, ERR_INPUT, _("the header's quotes are not closed properly"));
  if (decode_names(csv, bytes, fields, names, count, arena) != OK)
    return error_memory(error);
  if (csv->name_count != 0 && csv->name_count != count)
    return error_set(error, ERR_INPUT, _("the header has %zu columns, \"columns\" names %zu"), count, csv->name_count);
  struct csv_dialect dialect = csv->dialect;
  dialect.encoding = csv->encoding;
  csv->columns = count;
  return csv_context_write(&dialect, csv->name_count != 0 ? csv->names : names, count, &csv->context, error);
}

static enum status take_header(struct csv_splitter *csv, const struct raw *raw, struct error *error) {
  const struct slice bytes = raw->bytes;
  if (looks_like_html(bytes))
    return error_html(error, "CSV");
  if (raw->fault == RECORD_TOO_LARGE)
    return error_set(error, ERR_INPUT, _("the header is not readable: %s"), raw->reason);
  if (csv->broken)
    return error_set(error, ERR_INPUT, _("the header's quotes are not closed properly"));
  if (slice_trim(bytes).len == 0) {
    error_set(error, ERR_INPUT, _("the header is an empty line"));
    error_hint(error, _("\"header\" is the number of the header's line, counted from 1 with empty lines"));
    return ERR_INPUT;
  }
  if (csv->encoding == ENCODING_UTF8 && !utf8_valid(bytes)) {
    error_set(error, ERR_INPUT, _("the header is not valid UTF-8"));
    error_hint(error, _("set \"encoding: windows-1252\" if the file comes from a Windows program"));
    return ERR_INPUT;
  }
  if (memchr(bytes.data, 0, bytes.len) != NULL)
    return error_set(error, ERR_INPUT, _("the header holds a zero byte: this is no text"));
  size_t count = csv->delimiters + 1;
  enum status status = check_delimiter(csv, bytes, count, error);
  if (status != OK)
    return status;
  /* A quoted name may hold delimiters, so the count of the scan is only the most there can be. */
  struct arena *arena = arena_new(0);
  if (arena == NULL)
    return error_memory(error);
  status = take_names(csv, bytes, count, arena, error);
  arena_free(arena);
  return status;
}

/* Faults that show in the bytes without reading the fields. */
static void check_record(struct csv_splitter *csv, struct raw *raw) {
  if (raw->fault != RECORD_FINE)
    return;
  if (csv->broken)
    raw_fault(raw, RECORD_BROKEN, _("a quote is not closed, or text follows a closing quote"));
  else if (csv->delimiters + 1 != csv->columns)
    raw_fault(raw, RECORD_BROKEN, _("%zu fields instead of %zu"), csv->delimiters + 1, csv->columns);
  else if (memchr(raw->bytes.data, 0, raw->bytes.len) != NULL)
    raw_fault(raw, RECORD_BROKEN, _("the line holds a zero byte"));
  else if ((csv->high & CSV_EVERY_BYTE * 0x80) != 0 && csv->encoding == ENCODING_UTF8 && !utf8_valid(raw->bytes))
    raw_fault(raw, RECORD_BROKEN, _("not valid UTF-8 (is the file windows-1252?)"));
}

/* What a found line is at this stage: END to look for the next one, OK where it is a record. */
static enum status take_line(struct csv_splitter *csv, struct raw *raw, struct error *error) {
  switch (csv->stage) {
  case CSV_TITLES:
    csv->stage = (int64_t)csv->line + 1 == csv->header_row ? CSV_HEADER : CSV_TITLES;
    return END;
  case CSV_HEADER: {
    enum status status = take_header(csv, raw, error);
    csv->stage = CSV_RECORDS;
    return status == OK ? END : status;
  }
  default:
    /* An empty line is nothing, except the NULL of a table of one column. */
    if (raw->bytes.len == 0 && raw->fault == RECORD_FINE && !(csv->dialect.nulls && csv->columns == 1))
      return END;
    check_record(csv, raw);
    return OK;
  }
}

static enum status at_end(struct csv_splitter *csv, struct error *error) {
  if (!csv->stream.final || csv->stage == CSV_RECORDS || csv->dialect.nulls)
    return END;
  error_set(error, ERR_INPUT, _("the text ends before its header in line %d"), csv->header_row);
  return fail(csv, error);
}

static enum status unclosed(struct csv_splitter *csv, struct error *error) {
  error_set(error, ERR_INPUT, _("a quote is opened here and never closed: the rest of the text could not be read"));
  error_hint(error, _("close the quote, or set another \"quote\""));
  return fail(csv, error);
}

enum status csv_next(struct splitter *splitter, struct raw *raw, struct error *error) {
  struct csv_splitter *csv = csv_of(splitter);
  if (csv->stage == CSV_FAILED) {
    *error = csv->failure;
    return error->code;
  }
  enum status status = csv->stage == CSV_MARK ? take_mark(csv, error) : OK;
  while (status == OK) {
    struct slice bytes = stream_view(&csv->stream);
    if (bytes.len == 0 && !csv->skipping)
      return at_end(csv, error);
    size_t len = 0, taken = 0;
    enum status found = find_record(csv, &len, &taken);
    if (found == END)
      return END;
    if (found != OK)
      return unclosed(csv, error);
    bytes = stream_view(&csv->stream);
    *raw = (struct raw){.bytes = slice_make(bytes.data, len), .line = csv->line};
    if (csv->skipping || len > csv->record_limit)
      raw_too_large(raw, csv->skipping ? slice_make(csv->kept, csv->kept_len) : raw->bytes, csv->record_limit);
    enum status taken_as = take_line(csv, raw, error);
    if (taken_as != OK && taken_as != END)
      return fail(csv, error);
    csv->stream.start += taken;
    csv->line += 1 + csv->breaks;
    begin_record(csv);
    if (taken_as == OK)
      return OK;
  }
  return status;
}

static enum status new_csv(const struct format_options *options, struct splitter **splitter, struct error *error) {
  return csv_splitter_new(&format_csv, false, options, splitter, error);
}

const struct format format_csv = {
    .name = "csv",
    .splitter_new = new_csv,
    .begin = csv_begin,
    .feed = csv_feed,
    .next = csv_next,
    .context = csv_context,
    .splitter_free = csv_splitter_free,
    .decoder_new = csv_decoder_new,
    .parse = csv_parse,
    .decoder_free = csv_decoder_free,
    .cut = csv_cut,
};
