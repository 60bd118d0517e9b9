/* The `sql` connector: the rows of a query, from PostgreSQL or an SQLite file, as pages in the `row` format. A pass
 * reads one snapshot in the order of watermark and key, and holds one page. */
#include "connectors/sql/sql.h"
#include "core/base/date.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const tls_modes[] = {"disable", "prefer", "require", "verify-ca", "verify-full", NULL};

#define MEMBER(member) .offset = offsetof(struct sql_options, member)
static const struct option options[] = {
    {.name = "sqlite", .type = OPTION_PATH, .description = N_("an SQLite file, opened read-only"), MEMBER(sqlite)},
    {.name = "dsn",
     .type = OPTION_TEXT,
     .description = N_("PostgreSQL: connection string or URI, without password"),
     MEMBER(dsn)},
    {.name = "host",
     .type = OPTION_TEXT,
     .description = N_("PostgreSQL: host, or the folder of its socket"),
     MEMBER(host)},
    {.name = "port",
     .type = OPTION_INTEGER,
     .otherwise = "5432",
     .least = 1,
     .most = 65535,
     .description = N_("PostgreSQL: port"),
     MEMBER(port)},
    {.name = "dbname", .type = OPTION_TEXT, .description = N_("PostgreSQL: database"), MEMBER(dbname)},
    {.name = "user",
     .type = OPTION_TEXT,
     .description = N_("PostgreSQL: user, who should be allowed to read and nothing else"),
     MEMBER(user)},
    {.name = "password",
     .type = OPTION_SECRET,
     .description = N_("PostgreSQL: password of the user"),
     MEMBER(password)},
    {.name = "sslmode",
     .type = OPTION_CHOICE,
     .otherwise = "verify-full",
     .choices = tls_modes,
     .description = N_("PostgreSQL: how far TLS is required; a socket of this machine needs none"),
     MEMBER(sslmode)},
    {.name = "sslrootcert",
     .type = OPTION_PATH,
     .description = N_("PostgreSQL: certificate of the authority that signs the server's"),
     MEMBER(sslrootcert)},
    {.name = "sslcert", .type = OPTION_PATH, .description = N_("PostgreSQL: client certificate"), MEMBER(sslcert)},
    {.name = "sslkey",
     .type = OPTION_PATH,
     .description = N_("PostgreSQL: key of the client certificate"),
     MEMBER(sslkey)},
    {.name = "query",
     .type = OPTION_TEXT,
     .required = true,
     .description = N_("a SELECT, or the name of a table or view"),
     MEMBER(query)},
    {.name = "key",
     .type = OPTION_LIST,
     .description = N_("columns that tell rows apart; with them a pass that was cut short goes on where it was"),
     MEMBER(key)},
    {.name = "watermark",
     .type = OPTION_TEXT,
     .description = N_("column that grows when a row changes; without it every pass reads all rows"),
     MEMBER(watermark)},
    {.name = "page",
     .type = OPTION_SIZE,
     .otherwise = "4MiB",
     .least = 4096,
     .most = 64 << 20,
     .description = N_("how much is read and landed in one transaction"),
     MEMBER(page)},
    {.name = "count",
     .type = OPTION_BOOLEAN,
     .otherwise = "no",
     .description = N_("has the database count the rows first, so that a run can be checked against its number"),
     MEMBER(count)},
    {.name = "timeout",
     .type = OPTION_DURATION,
     .otherwise = "10m",
     .least = 1000000,
     .most = (int64_t)86400 * 1000000,
     .description = N_("longest time that the database may take for one page"),
     MEMBER(timeout)},
    {.name = "connect_timeout",
     .type = OPTION_DURATION,
     .otherwise = "15s",
     .least = 1000000,
     .most = (int64_t)3600 * 1000000,
     .description = N_("PostgreSQL: longest time to connect"),
     MEMBER(connect_timeout)},
    {.name = NULL},
};

struct connection {
  struct sql sql;
  struct slice *values; /* of the row that was read last */
  bool started, done;
  uint64_t page;
  int64_t count; /* of this pass, by the database; -1: not asked */
};

static void sql_close(struct connection *connection) {
  if (connection == NULL)
    return;
  if (connection->sql.session != NULL)
    connection->sql.driver->disconnect(&connection->sql);
  arena_free(connection->sql.arena);
  free(connection);
}

static enum status check_options(const struct sql_options *chosen, struct error *error) {
  bool server = chosen->dsn != NULL || chosen->host != NULL || chosen->dbname != NULL || chosen->user != NULL;
  if (server == (chosen->sqlite != NULL)) {
    error_set(error, ERR_CONFIG,
              _("one database is needed: \"sqlite\", or PostgreSQL by \"dsn\" or \"host\" and \"dbname\""));
    return ERR_CONFIG;
  }
  if (chosen->key.count > SQL_KEYS_MOST)
    return error_set(error, ERR_CONFIG, _("a key has at most %d columns"), SQL_KEYS_MOST);
  return sql_check_query(chosen->query, error);
}

static enum status sql_open(const struct pull *pull, struct connection **connection, struct error *error) {
  enum status status = check_options(pull->options, error);
  if (status != OK)
    return status;
  struct connection *made = calloc(1, sizeof *made);
  if (made == NULL)
    return error_memory(error);
  made->count = -1;
  made->sql.pull = pull;
  made->sql.options = pull->options;
  made->sql.driver = made->sql.options->sqlite != NULL ? &sql_sqlite : &sql_postgres;
  made->sql.arena = arena_new(0);
  if (made->sql.arena == NULL) {
    free(made);
    return error_memory(error);
  }
  *connection = made;
  return OK;
}

/* Connects, learns the columns, and starts to read; nothing is read twice in one connection. */
static enum status describe(struct connection *connection, struct error *error) {
  struct sql *sql = &connection->sql;
  const char *statement = sql_describe_statement(sql);
  enum status status = statement == NULL ? error_memory(error) : sql->driver->describe(sql, statement, error);
  if (status != OK)
    return status;
  connection->values = arena_array(sql->arena, sql->column_count + 1, sizeof *connection->values);
  if (connection->values == NULL)
    return error_memory(error);
  return sql_resolve(sql, error);
}

/* A date means its whole day, whether the column holds dates or times. */
static enum status set_until(struct sql *sql, struct error *error) {
  struct date date;
  char text[DATE_TEXT_SIZE];
  const char *until = sql->pull->until;
  sql->range.until = until;
  if (until == NULL || strlen(until) != DATE_TEXT_SIZE - 1 || !date_parse_iso(slice_of(until), &date)
      || date.precision != DATE_DAY)
    return OK;
  date_format(date_from_days(date_to_days(date) + 1), text);
  sql->range.before_until = true;
  sql->range.until = arena_text(sql->arena, slice_of(text));
  return sql->range.until == NULL ? error_memory(error) : OK;
}

static enum status start(struct connection *connection, struct error *error) {
  struct sql *sql = &connection->sql;
  sql->range.from = sql->pull->watermark;
  enum status status = set_until(sql, error);
  if (status == OK)
    status = sql_read_cursor(sql, sql->pull->cursor, error);
  if (status != OK)
    return status;
  const char *parameters[SQL_KEYS_MOST + 4];
  size_t count;
  const char *statement = sql_range_statement(sql, parameters, &count);
  if (statement == NULL)
    return error_memory(error);
  if (sql->options->count) {
    const char *counting = arena_printf(sql->arena, "SELECT count(*) FROM (%s) AS counted", statement);
    status = counting == NULL ? error_memory(error)
                              : sql->driver->number(sql, counting, parameters, count, &connection->count, error);
  }
  return status == OK ? sql->driver->start(sql, statement, parameters, count, error) : status;
}

static void write_header(const struct sql *sql, struct slice *names, struct buffer *out) {
  for (size_t i = 0; i < sql->column_count; i++)
    names[i] = slice_of(sql->columns[i]);
  sql_write_row(out, names, sql->column_count);
}

static enum status check_row(const struct connection *connection, struct error *error) {
  const struct sql_range *range = &connection->sql.range;
  for (size_t i = 0; i < range->key_count; i++) {
    if (connection->values[range->keys[i]].data != NULL)
      continue;
    error_set(error, ERR_INPUT, _("column \"%s\" of the key is NULL in a row"),
              connection->sql.columns[range->keys[i]]);
    error_hint(error, _("choose a key that every row has, or leave such rows out of the query"));
    return ERR_INPUT;
  }
  return OK;
}

/* The watermark of the row, unless it has none. */
static void note_mark(const struct connection *connection, struct buffer *mark) {
  int column = connection->sql.range.watermark;
  if (column < 0 || connection->values[column].data == NULL)
    return;
  buffer_reset(mark);
  buffer_slice(mark, connection->values[column]);
}

static enum status take_row(struct connection *connection, struct page *page, struct error *error) {
  enum status status = check_row(connection, error);
  if (status != OK)
    return status;
  sql_write_row(&page->bytes, connection->values, connection->sql.column_count);
  sql_write_cursor(&page->cursor, &connection->sql.range, connection->values);
  note_mark(connection, &page->watermark);
  status = buffer_check(&page->bytes, _("page"), error);
  if (status == ERR_LIMIT)
    error_hint(error, _("leave large columns out of \"query\""));
  return status == OK ? buffer_check(&page->cursor, _("cursor"), error) : status;
}

static enum status fill_page(struct connection *connection, struct page *page, size_t most_rows, struct error *error) {
  struct sql *sql = &connection->sql;
  size_t rows = 0, most = (size_t)sql->options->page;
  enum status status = OK;
  if (most > page->bytes.limit / 2)
    most = page->bytes.limit / 2;
  write_header(sql, connection->values, &page->bytes);
  while (status == OK && rows < most_rows && page->bytes.len < most) {
    if (sql_stopped(sql))
      return error_set(error, ERR_INTERRUPTED, _("stopped while rows were read"));
    status = sql->driver->step(sql, connection->values, error);
    if (status != OK)
      break;
    status = take_row(connection, page, error);
    rows++;
  }
  connection->done = status == END;
  if (status != OK && status != END)
    return status;
  if (connection->done) /* the snapshot, which may keep writers of the source waiting, is given up at once */
    sql->driver->disconnect(sql);
  page->begins = page->ends = true;
  page->source_count = connection->count;
  buffer_printf(&page->origin, _("page %" PRIu64), ++connection->page);
  return rows > 0 ? OK : END;
}

static enum status sql_next(struct connection *connection, struct page *page, struct error *error) {
  enum status status = OK;
  if (connection->done)
    return END;
  if (!connection->started) {
    status = connection->sql.driver->connect(&connection->sql, error);
    if (status == OK)
      status = describe(connection, error);
    if (status == OK)
      status = start(connection, error);
    connection->started = status == OK;
  }
  if (status == OK)
    status = fill_page(connection, page, SIZE_MAX, error);
  if (status == END)
    buffer_reset(&page->bytes);
  return status;
}

/* ---- check --live ---- */

static enum status probe_connection(struct connection *connection, probe_report *report, void *context,
                                    struct error *error) {
  struct sql *sql = &connection->sql;
  enum status status = sql->driver->connect(sql, error);
  if (status == ERR_AUTH || status == OK)
    report(context, "connect", OK, _("the database answers"));
  report(context, status == ERR_AUTH || status == OK ? "login" : "connect", status,
         status == OK ? _("accepted") : error->message);
  int64_t offset;
  if (status == OK && sql->driver->clock_offset(sql, &offset)) {
    char words[120];
    snprintf(words, sizeof words, _("the database's clock differs by %.1f s"), (double)offset / 1e6);
    report(context, "clock", OK, words);
  }
  return status;
}

static enum status probe_rows(struct connection *connection, probe_report *report, void *context, struct page *first,
                              struct error *error) {
  struct sql *sql = &connection->sql;
  bool may_write = false;
  enum status status = describe(connection, error);
  if (status == OK)
    status = sql->driver->may_write(sql, &may_write, error);
  report(context, "permission", status,
         status != OK ? error->message
         : may_write  ? _("may read, and may write too: a user who can only read would be safer")
                      : _("may read, and nothing else"));
  if (status != OK)
    return status;
  status = start(connection, error);
  if (status == OK)
    status = fill_page(connection, first, 1, error);
  if (status == END)
    buffer_reset(&first->bytes);
  report(context, "record", status == END ? OK : status,
         status == END  ? _("the query gives no rows")
         : status == OK ? _("one row was read")
                        : error->message);
  return status == END ? OK : status;
}

static enum status sql_probe(const struct pull *pull, probe_report *report, void *context, struct page *first,
                             struct error *error) {
  struct connection *connection = NULL;
  enum status status = sql_open(pull, &connection, error);
  if (status == OK)
    status = probe_connection(connection, report, context, error);
  if (status == OK)
    status = probe_rows(connection, report, context, first, error);
  sql_close(connection);
  return status;
}

static enum status sql_certificate(const struct pull *pull, struct certificates *ends, struct error *error) {
  struct connection *connection = NULL;
  enum status status = sql_open(pull, &connection, error);
  if (status == OK && connection->sql.driver->certificate != NULL)
    status = connection->sql.driver->certificate(&connection->sql, &ends->server, error);
  sql_close(connection);
  return status;
}

static bool sql_narrows(const void *chosen, bool until) {
  (void)until;
  const struct sql_options *sql = chosen;
  return sql->watermark != NULL;
}

const struct connector connector_sql = {
    .name = "sql",
    .description = N_("the rows of a query, from PostgreSQL or an SQLite file"),
    .format = "row",
    .options = options,
    .options_size = sizeof(struct sql_options),
    .narrows = sql_narrows,
    .open = sql_open,
    .next = sql_next,
    .close = sql_close,
    .probe = sql_probe,
    .certificate = sql_certificate,
};
