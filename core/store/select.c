#include "core/store/internal.h"

#include "core/base/text.h"
#include "core/store/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FILTERS_MOST = 16, NUMBER_SIZE = 32 };

struct result {
  struct store *store;
  struct cursor *cursor;
  size_t columns;
  char (*numbers)[NUMBER_SIZE]; /* text of numbers, by column */
};

static enum status wrap(struct store *store, struct cursor *cursor, struct result **result, struct error *error) {
  struct result *made = calloc(1, sizeof *made);
  size_t columns = store->ops->columns(cursor);
  char(*numbers)[NUMBER_SIZE] = calloc(columns + 1, sizeof *numbers);
  if (made == NULL || numbers == NULL) {
    free(made);
    free(numbers);
    store->ops->finish(cursor);
    return error_memory(error);
  }
  *made = (struct result){.store = store, .cursor = cursor, .columns = columns, .numbers = numbers};
  *result = made;
  return OK;
}

size_t result_columns(const struct result *result) {
  return result->columns;
}

const char *result_name(const struct result *result, size_t column) {
  return result->store->ops->column(result->cursor, column);
}

enum status result_next(struct result *result, struct error *error) {
  return result->store->ops->next(result->cursor, error);
}

bool result_null(const struct result *result, size_t column) {
  return result->store->ops->value(result->cursor, column).kind == VALUE_NULL;
}

struct slice result_text(const struct result *result, size_t column) {
  struct value value = result->store->ops->value(result->cursor, column);
  char *number = result->numbers[column];
  if (value.kind == VALUE_INTEGER) {
    return slice_make(number, (size_t)snprintf(number, NUMBER_SIZE, "%lld", (long long)value.integer));
  }
  if (value.kind == VALUE_REAL) {
    return slice_make(number, (size_t)snprintf(number, NUMBER_SIZE, "%.15g", value.real));
  }
  return slice_of_value(value);
}

int64_t result_integer(const struct result *result, size_t column) {
  return int_of_value(result->store->ops->value(result->cursor, column));
}

bool result_is_integer(const struct result *result, size_t column) {
  return result->store->ops->is_integer(result->cursor, column);
}

bool result_is_bytes(const struct result *result, size_t column) {
  return result->store->ops->value(result->cursor, column).kind == VALUE_BYTES;
}

void result_free(struct result *result) {
  if (result == NULL) {
    return;
  }
  result->store->ops->finish(result->cursor);
  free(result->numbers);
  free(result);
}

/* ---- select ---- */

static int find_column(const struct view *view, const char *name, struct error *error) {
  const char *names[256];
  size_t count = view->column_count < 256 ? view->column_count : 256;
  for (size_t i = 0; i < count; i++) {
    names[i] = view->columns[i].name;
    if (strcmp(names[i], name) == 0) {
      return (int)i;
    }
  }
  error_set(error, ERR_USAGE, _("view %s has no column %s"), view->name, name);
  const char *nearest = text_nearest(slice_of(name), names, count);
  if (nearest != NULL) {
    error_hint(error, _("did you mean %s?"), nearest);
  } else {
    error_hint(error, "%s", _("`puente query --views` lists them"));
  }
  return -1;
}

static enum status add_columns(struct buffer *sql, const struct view *view, const struct selection *selection,
                               struct error *error) {
  size_t count = selection->columns == NULL ? view->column_count : selection->column_count;
  for (size_t i = 0; i < count; i++) {
    const char *name = selection->columns == NULL ? view->columns[i].name : selection->columns[i];
    if (find_column(view, name, error) < 0) {
      return error->code;
    }
    buffer_printf(sql, "%s\"%s\"", i == 0 ? "SELECT " : ", ", name);
  }
  return OK;
}

static enum status add_view(struct store *store, struct buffer *sql, const struct view *view, int64_t as_of_run,
                            struct error *error) {
  if (as_of_run == 0) {
    buffer_printf(sql, " FROM %s\"%s\"", store->dialect.view_prefix, view->name);
    return OK; /* the whole statement is checked at its end */
  }
  unsigned roles = store_roles(store);
  if (roles != ROLES_SERVICE && (roles >> ROLE_AUDITOR & 1) != 0) { /* a function of the role's, which masks */
    buffer_printf(sql, " FROM \"%s_at\"(%lld)", view->name, (long long)as_of_run);
    return OK;
  }
  buffer_text(sql, " FROM (");
  enum status status = views_past(&store->view_texts[view - store->views], as_of_run, sql, error);
  buffer_text(sql, ") past");
  return status;
}

static enum status add_filters(struct buffer *sql, const struct view *view, const enum column_type *types,
                               const struct selection *selection, struct value *values, size_t *count,
                               struct error *error) {
  *count = 0;
  if (selection->filter_count > FILTERS_MOST) {
    return error_set(error, ERR_LIMIT, _("a selection has at most %d filters"), FILTERS_MOST);
  }
  for (size_t i = 0; i < selection->filter_count; i++) {
    const struct filter *filter = &selection->filters[i];
    int column = find_column(view, filter->column, error);
    if (column < 0) {
      return error->code;
    }
    buffer_printf(sql, "%s\"%s\"", i == 0 ? " WHERE " : " AND ", filter->column);
    if (filter->text == NULL) {
      buffer_text(sql, " IS NULL");
      continue;
    }
    int64_t integer;
    if (types[column] != COLUMN_INTEGER) {
      values[*count] = text_value(filter->text);
    } else if (text_to_int64(slice_of(filter->text), &integer)) {
      values[*count] = int_value(integer);
    } else {
      return error_set(error, ERR_USAGE, _("column %s of view %s is a number"), filter->column, view->name);
    }
    buffer_printf(sql, " = $%zu", ++*count);
  }
  return OK;
}

static enum status add_order(struct store *store, struct buffer *sql, const struct view *view,
                             const enum column_type *types, const char *order, struct error *error) {
  bool down = order != NULL && order[0] == '-';
  int column = order == NULL ? 0 : find_column(view, order + down, error);
  if (column < 0) {
    return error->code;
  }
  buffer_printf(sql, " ORDER BY \"%s\"%s%s", view->columns[column].name,
                types[column] == COLUMN_TEXT ? store->dialect.collate : "", down ? " DESC NULLS LAST" : " NULLS FIRST");
  return OK;
}

enum status store_select(struct store *store, const struct selection *selection, struct result **result,
                         struct error *error) {
  const enum column_type *types = NULL;
  const struct view *view = views_find(store, selection->view, &types, error);
  *result = NULL;
  if (view == NULL) {
    return error->code;
  }
  struct buffer sql;
  struct value values[FILTERS_MOST + 1];
  size_t count = 0;
  struct cursor *cursor = NULL;
  buffer_init(&sql, 1 << 18);
  enum status status = add_columns(&sql, view, selection, error);
  if (status == OK) {
    status = add_view(store, &sql, view, selection->as_of_run, error);
  }
  if (status == OK) {
    status = add_filters(&sql, view, types, selection, values, &count, error);
  }
  if (status == OK) {
    status = add_order(store, &sql, view, types, selection->order, error);
  }
  if (selection->most > 0) {
    buffer_printf(&sql, " LIMIT %lld", (long long)selection->most);
  }
  if (status == OK) {
    status = buffer_check(&sql, "statement", error);
  }
  if (status == OK) {
    status = store->ops->stream(store->driver, sql.data, values, count, &cursor, error);
  }
  buffer_free(&sql);
  return status == OK ? wrap(store, cursor, result, error) : status;
}

/* What is no letter before the statement's first word: space, comments, brackets. */
static const char *first_word(const char *sql) {
  for (;;) {
    sql += strspn(sql, " \t\r\n(");
    if (strncmp(sql, "--", 2) == 0) {
      sql += strcspn(sql, "\n");
    } else if (strncmp(sql, "/*", 2) == 0) {
      const char *end = strstr(sql + 2, "*/");
      sql = end == NULL ? "" : end + 2;
    } else {
      return sql;
    }
  }
}

/* Databases take VALUES, TABLE and others for it, too; what is documented is SELECT. */
static bool is_select(const char *sql) {
  static const char *const words[] = {"select", "with"};
  const char *word = first_word(sql);
  size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (length == strlen(words[i]) && strncasecmp(word, words[i], length) == 0) {
      return true;
    }
  }
  return false;
}

enum status store_query(struct store *store, const char *sql, int64_t timeout, struct result **result,
                        struct error *error) {
  struct cursor *cursor = NULL;
  *result = NULL;
  if (!is_select(sql)) {
    error_set(error, ERR_USAGE, "%s", _("a query is one SELECT statement"));
    error_hint(error, "%s", _("`puente query --views` lists what can be read"));
    return ERR_USAGE;
  }
  enum status status =
      store->ops->ask(store->driver, store->view_texts, store->view_count, sql, timeout, &cursor, error);
  return status == OK ? wrap(store, cursor, result, error) : status;
}
