#include "connectors/sql/sql.h"
#include "core/base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

static bool begins_with_word(const char *text, const char *word) {
  size_t len = strlen(word);
  return strncasecmp(text, word, len) == 0 && !isalnum((unsigned char)text[len]) && text[len] != '_';
}

static bool is_select(const char *query) {
  while (isspace((unsigned char)*query) || *query == '(')
    query++;
  return begins_with_word(query, "select") || begins_with_word(query, "with") || begins_with_word(query, "values");
}

/* A table's name as SQL writes it: words with dots between them, in double quotes where they hold other signs. */
static bool is_table(const char *query) {
  bool quoted = false, any = false;
  for (; *query != '\0'; query++) {
    if (*query == '"')
      quoted = !quoted;
    else if (!quoted && !isalnum((unsigned char)*query) && strchr("._$", *query) == NULL && (*query & 0x80) == 0)
      return false;
    any = true;
  }
  return any && !quoted;
}

enum status sql_check_query(const char *query, struct error *error) {
  if (is_select(query) || is_table(query))
    return OK;
  error_set(error, ERR_CONFIG, _("\"query\" is neither a SELECT nor the name of a table"));
  error_hint(error, _("a source is only read: SELECT …, WITH … SELECT, or schema.table"));
  return ERR_CONFIG;
}

static void write_query(const struct sql *sql, struct buffer *out) {
  const char *query = sql->options->query;
  size_t len = strlen(query);
  while (len > 0 && (isspace((unsigned char)query[len - 1]) || query[len - 1] == ';'))
    len--;
  bool select = is_select(query);
  buffer_text(out, select ? "SELECT * FROM (" : "SELECT * FROM ");
  buffer_append(out, query, len);
  buffer_text(out, select ? "\n) AS q" : " AS q"); /* a comment may end the query */
}

static const char *finish(const struct sql *sql, struct buffer *out) {
  const char *text = out->failed == OK ? arena_text(sql->arena, buffer_view(out)) : NULL;
  buffer_free(out);
  return text;
}

const char *sql_describe_statement(const struct sql *sql) {
  struct buffer out;
  buffer_init(&out, 1 << 20);
  write_query(sql, &out);
  buffer_text(&out, " LIMIT 0");
  return finish(sql, &out);
}

static void write_column(const struct sql *sql, int column, struct buffer *out) {
  buffer_text(out, "q.\"");
  for (const char *c = sql->columns[column]; *c != '\0'; c++) {
    if (*c == '"')
      buffer_char(out, '"');
    buffer_char(out, *c);
  }
  buffer_char(out, '"');
}

struct clause {
  const struct sql *sql;
  struct buffer *out;
  const char **parameters;
  size_t *count;
  bool open; /* WHERE was written */
};

static void write_parameter(struct clause *clause, const char *value) {
  clause->parameters[(*clause->count)++] = value;
  buffer_printf(clause->out, "%c%zu", clause->sql->driver->parameter, *clause->count);
}

static void begin_condition(struct clause *clause) {
  buffer_text(clause->out, clause->open ? " AND " : " WHERE ");
  clause->open = true;
}

/* (q.w, q.k) > ($1, $2): the rows after the cursor's; `marked`: the watermark is part of it. */
static void write_after(struct clause *clause, bool marked) {
  const struct sql_range *range = &clause->sql->range;
  buffer_char(clause->out, '(');
  for (size_t i = marked ? 0 : 1; i <= range->key_count; i++) {
    buffer_text(clause->out, i == (marked ? 0U : 1U) ? "" : ", ");
    write_column(clause->sql, i == 0 ? range->watermark : range->keys[i - 1], clause->out);
  }
  buffer_text(clause->out, ") > (");
  for (size_t i = marked ? 0 : 1; i <= range->key_count; i++) {
    buffer_text(clause->out, i == (marked ? 0U : 1U) ? "" : ", ");
    write_parameter(clause, i == 0 ? range->after : range->after_keys[i - 1]);
  }
  buffer_char(clause->out, ')');
}

static void write_bound(struct clause *clause, const char *sign, const char *value, bool or_null) {
  int column = clause->sql->range.watermark;
  buffer_char(clause->out, '(');
  write_column(clause->sql, column, clause->out);
  buffer_text(clause->out, sign);
  write_parameter(clause, value);
  if (or_null) {
    buffer_text(clause->out, " OR ");
    write_column(clause->sql, column, clause->out);
    buffer_text(clause->out, " IS NULL");
  }
  buffer_char(clause->out, ')');
}

static void write_resume(struct clause *clause) {
  const struct sql_range *range = &clause->sql->range;
  if (range->watermark >= 0 && range->after != NULL) {
    begin_condition(clause);
    if (range->key_count > 0)
      write_after(clause, true);
    else
      write_bound(clause, " >= ", range->after, false);
  } else if (range->watermark >= 0 && range->key_count > 0) {
    begin_condition(clause);
    buffer_char(clause->out, '(');
    write_column(clause->sql, range->watermark, clause->out);
    buffer_text(clause->out, " IS NOT NULL OR ");
    write_after(clause, false);
    buffer_char(clause->out, ')');
  } else if (range->key_count > 0) {
    begin_condition(clause);
    write_after(clause, false);
  }
}

static void write_order(const struct sql *sql, struct buffer *out) {
  const struct sql_range *range = &sql->range;
  const char *before = " ORDER BY ";
  if (range->watermark >= 0) {
    buffer_text(out, before);
    write_column(sql, range->watermark, out);
    buffer_text(out, sql->driver->nulls_first);
    before = ", ";
  }
  for (size_t i = 0; i < range->key_count; i++) {
    buffer_text(out, before);
    write_column(sql, range->keys[i], out);
    before = ", ";
  }
}

const char *sql_range_statement(const struct sql *sql, const char **parameters, size_t *count) {
  const struct sql_range *range = &sql->range;
  struct buffer out;
  struct clause clause = {.sql = sql, .out = &out, .parameters = parameters, .count = count};
  *count = 0;
  buffer_init(&out, 1 << 20);
  write_query(sql, &out);
  if (range->resumes)
    write_resume(&clause);
  if (range->watermark >= 0 && range->from != NULL && !(range->resumes && range->after != NULL)) {
    begin_condition(&clause);
    write_bound(&clause, " >= ", range->from, true);
  }
  if (range->watermark >= 0 && range->until != NULL) {
    begin_condition(&clause);
    write_bound(&clause, range->before_until ? " < " : " <= ", range->until, true);
  }
  write_order(sql, &out);
  return finish(sql, &out);
}

static enum status find_column(const struct sql *sql, const char *option, const char *name, int *column,
                               struct error *error) {
  int folded = -1;
  for (size_t i = 0; i < sql->column_count; i++) {
    if (strcmp(sql->columns[i], name) == 0) {
      *column = (int)i;
      return OK;
    }
    if (strcasecmp(sql->columns[i], name) == 0)
      folded = (int)i;
  }
  *column = folded;
  if (folded >= 0)
    return OK;
  error_set(error, ERR_CONFIG, _("the query gives no column \"%s\", which \"%s\" names"), name, option);
  const char *nearest = text_nearest(slice_of(name), sql->columns, sql->column_count);
  if (nearest != NULL)
    error_hint(error, _("did you mean \"%s\"?"), nearest);
  return ERR_CONFIG;
}

enum status sql_resolve(struct sql *sql, struct error *error) {
  const struct sql_options *options = sql->options;
  struct sql_range *range = &sql->range;
  enum status status = OK;
  range->watermark = -1;
  if (options->watermark != NULL)
    status = find_column(sql, "watermark", options->watermark, &range->watermark, error);
  for (size_t i = 0; status == OK && i < options->key.count; i++)
    status = find_column(sql, "key", options->key.items[i], &range->keys[i], error);
  range->key_count = options->key.count;
  return status;
}
