#include "mapping/format/splitter.h"

#include <stdint.h>
#include <stdlib.h>

/* The one table of formats. */
static const struct format *const formats[] = {&format_csv, &format_row, &format_json, &format_xml};
static const char *const names[] = {"csv", "row", "json", "xml", NULL};

const char *const format_option_keys[] = {"format", "record",  "encoding",     "delimiter", "quote",
                                          "header", "columns", "record_limit", NULL};

const struct format *format_find(const char *name) {
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (strcmp(formats[i]->name, name) == 0)
      return formats[i];
  return NULL;
}

const char *const *format_names(size_t *count) {
  *count = sizeof formats / sizeof *formats;
  return names;
}

static enum status read_format(const struct yaml *map, const struct format **format, struct error *error) {
  const struct yaml *node = yaml_get(map, "format");
  if (node == NULL || node->kind != YAML_SCALAR)
    return yaml_error(node == NULL ? map : node, error, _("\"format\" is missing: csv, row, json or xml"));
  *format = format_find(node->text);
  if (*format != NULL)
    return OK;
  yaml_error(node, error, _("unknown format \"%s\""), node->text);
  const char *nearest = text_nearest(slice_of(node->text), names, sizeof formats / sizeof *formats);
  if (nearest != NULL)
    error_hint(error, _("did you mean \"%s\"?"), nearest);
  else
    error_hint(error, _("one of: csv, row, json, xml"));
  return ERR_CONFIG;
}

/* "," ";" "|" or the word tab: one ASCII character that cannot be part of a line break. */
static enum status read_character(const struct yaml *map, const char *key, char *character, struct error *error) {
  const struct yaml *node = yaml_get(map, key);
  if (node == NULL)
    return OK;
  if (node->kind == YAML_SCALAR && (strcmp(node->text, "tab") == 0 || strcmp(node->text, "\\t") == 0)) {
    *character = '\t';
    return OK;
  }
  if (node->kind != YAML_SCALAR || strlen(node->text) != 1 || (unsigned char)*node->text >= 128
      || strchr("\r\n", *node->text) != NULL)
    return yaml_error(node, error, _("\"%s\" must be one ASCII character, or tab"), key);
  *character = *node->text;
  return OK;
}

static enum status read_header(const struct yaml *map, struct format_options *options, struct error *error) {
  const struct yaml *node = yaml_get(map, "header");
  if (node == NULL) {
    if (options->column_count > 0)
      options->header_row = -1;
    return OK;
  }
  if (node->kind == YAML_SCALAR && (strcmp(node->text, "none") == 0 || strcmp(node->text, "no") == 0)) {
    if (options->column_count == 0)
      return yaml_error(node, error, _("without a header, \"columns\" must name the columns"));
    options->header_row = -1;
    return OK;
  }
  int64_t row = 1;
  enum status status = yaml_int(map, "header", 1, 10000, &row, error);
  options->header_row = (int)row;
  return status;
}

static enum status read_columns(const struct yaml *map, struct arena *arena, struct format_options *options,
                                struct error *error) {
  const struct yaml *node = yaml_get(map, "columns");
  if (node == NULL)
    return OK;
  if (node->kind != YAML_LIST || node->count == 0)
    return yaml_error(node, error, _("\"columns\" must be a list of names"));
  const char **columns = arena_array(arena, node->count, sizeof *columns);
  if (columns == NULL)
    return error_memory(error);
  for (size_t i = 0; i < node->count; i++) {
    if (node->children[i].kind != YAML_SCALAR)
      return yaml_error(&node->children[i], error, _("a column must be a name"));
    columns[i] = node->children[i].text;
  }
  options->columns = columns;
  options->column_count = node->count;
  return OK;
}

/* A number of bytes, with KiB or MiB after it or not. */
static enum status read_limit(const struct yaml *map, size_t *limit, struct error *error) {
  const struct yaml *node = yaml_get(map, "record_limit");
  if (node == NULL)
    return OK;
  if (node->kind == YAML_SCALAR) {
    struct slice text = slice_of(node->text);
    int64_t unit = 1, number = 0;
    if (text.len > 3 && memcmp(text.data + text.len - 3, "KiB", 3) == 0)
      unit = 1 << 10;
    else if (text.len > 3 && memcmp(text.data + text.len - 3, "MiB", 3) == 0)
      unit = 1 << 20;
    if (unit > 1)
      text = slice_trim(slice_make(text.data, text.len - 3));
    if (text_to_int64(text, &number) && number > 0 && number <= ((int64_t)256 << 20) / unit) {
      *limit = (size_t)(number * unit);
      return OK;
    }
  }
  return yaml_error(node, error, _("\"record_limit\" must be a size up to 256MiB, as in 16MiB"));
}

static enum status read_encoding(const struct yaml *map, enum encoding *encoding, struct error *error) {
  static const char *const encodings[] = {"utf-8", "windows-1252", "latin-1"};
  const struct yaml *node = yaml_get(map, "encoding");
  if (node == NULL)
    return OK;
  if (node->kind == YAML_SCALAR && encoding_parse(slice_of(node->text), encoding))
    return OK;
  yaml_error(node, error, _("unknown encoding"));
  const char *nearest = node->kind == YAML_SCALAR ? text_nearest(slice_of(node->text), encodings, 3) : NULL;
  if (nearest != NULL)
    error_hint(error, _("did you mean \"%s\"?"), nearest);
  else
    error_hint(error, _("one of: utf-8, windows-1252, latin-1"));
  return ERR_CONFIG;
}

/* A key that the chosen format would never look at is a mistake to show, not one to swallow. */
static enum status check_fit(const struct yaml *map, const struct format *format, struct error *error) {
  static const char *const of_csv[] = {"delimiter", "quote", "header", "columns"};
  for (size_t i = 0; i < sizeof of_csv / sizeof *of_csv; i++) {
    const struct yaml *node = yaml_get(map, of_csv[i]);
    if (node != NULL && format != &format_csv)
      return yaml_error(node, error, _("\"%s\" is for format csv, not for %s"), of_csv[i], format->name);
  }
  const struct yaml *record = yaml_get(map, "record");
  if (record != NULL && (format == &format_csv || format == &format_row))
    return yaml_error(record, error, _("\"record\" is for json and xml: each line of format %s is a record"),
                      format->name);
  if (record == NULL && format == &format_xml)
    return yaml_error(map, error, _("format xml needs \"record\", the path of its record element"));
  const struct yaml *encoding = yaml_get(map, "encoding");
  if (encoding != NULL && format == &format_xml)
    return yaml_error(encoding, error, _("\"encoding\" is not for xml: a document declares its own"));
  return OK;
}

enum status format_options_read(const struct yaml *map, struct arena *arena, const struct format **format,
                                struct format_options *options, struct error *error) {
  *options = (struct format_options){.record_limit = RECORD_LIMIT};
  enum status status = read_format(map, format, error);
  if (status == OK)
    status = check_fit(map, *format, error);
  if (status == OK)
    status = read_character(map, "delimiter", &options->delimiter, error);
  if (status == OK)
    status = read_character(map, "quote", &options->quote, error);
  if (status == OK)
    status = read_columns(map, arena, options, error);
  if (status == OK)
    status = read_header(map, options, error);
  if (status == OK)
    status = read_encoding(map, &options->encoding, error);
  if (status == OK)
    status = read_limit(map, &options->record_limit, error);
  options->record = yaml_text(map, "record", "");
  return status;
}
