#include "tests/support/dump.h"

#include "tests/support/unseal.h"

#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLES_MOST = 100, COLUMNS_MOST = 200, STATEMENT_MOST = 1 << 16 };

/* Times and run ids, whatever the table. */
static const char *const MASKED[] = {"run",   "from_run",    "to_run",     "closed_run", "first_run",    "last_run",
                                     "began", "started",     "ended",      "since",      "complete_run", "lease_until",
                                     "at",    "approved_at", "revoked_at", "trained_at", "tried",        "succeeded",
                                     "sent",  "closed",      "due",        NULL};

/* How often a field was looked at, over passes: a run that is started again looks at some records again. */
static const char *const SAMPLED[] = {"records", "looked", NULL};

/* Rows that stay: the number of known runs follows where the condition ends with an operator. */
static const struct {
  const char *table, *where;
} KEPT[] = {
    {"run", "run_id <="},          {"audit_log", "run > 0 AND run <="}, {"audit_head", "0 = 1"},
    {"counter", "name <> 'runs'"}, {"meta", "name <> 'last_backup'"},   {"data_key", "0 = 1"},
    {"outcome", "0 = 1"},
};

/* One of the two databases: a statement's rows, each field with '|' behind it and each row with a line end. */
struct teller {
  sqlite3 *sqlite;
  PGconn *postgres;
  struct unsealer unsealer;
};

static void give_up(const char *what, const char *sql) {
  fprintf(stderr, "test harness: dump: %s: %s\n", what, sql);
  abort();
}

static void tell_sqlite(const struct teller *teller, const char *sql, FILE *out) {
  sqlite3 *handle = teller->sqlite;
  sqlite3_stmt *rows = NULL;
  if (sqlite3_prepare_v2(handle, sql, -1, &rows, NULL) != SQLITE_OK) {
    give_up(sqlite3_errmsg(handle), sql);
  }
  int code;
  while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
    for (int i = 0; i < sqlite3_column_count(rows); i++) {
      const char *text = (const char *)sqlite3_column_text(rows, i);
      unseal_put(&teller->unsealer, text == NULL ? "" : text, out);
      putc('|', out);
    }
    putc('\n', out);
  }
  if (code != SQLITE_DONE) {
    give_up(sqlite3_errmsg(handle), sql);
  }
  sqlite3_finalize(rows);
}

static void tell_postgres(const struct teller *teller, const char *sql, FILE *out) {
  PGconn *connection = teller->postgres;
  PGresult *rows = PQexec(connection, sql);
  if (PQresultStatus(rows) != PGRES_TUPLES_OK) {
    give_up(PQerrorMessage(connection), sql);
  }
  for (int r = 0; r < PQntuples(rows); r++) {
    for (int i = 0; i < PQnfields(rows); i++) {
      unseal_put(&teller->unsealer, PQgetvalue(rows, r, i), out);
      putc('|', out);
    }
    putc('\n', out);
  }
  PQclear(rows);
}

static void tell(const struct teller *teller, const char *sql, FILE *out) {
  if (teller->sqlite != NULL) {
    tell_sqlite(teller, sql, out);
  } else {
    tell_postgres(teller, sql, out);
  }
}

/* The first fields of a statement's rows, split in place; `*text` is freed by the caller. */
static size_t names(const struct teller *teller, const char *sql, char **text, char **found, size_t most) {
  size_t length = 0, count = 0;
  FILE *out = open_memstream(text, &length);
  if (out == NULL) {
    give_up("out of memory", sql);
  }
  tell(teller, sql, out);
  fclose(out);
  for (char *at = *text; *at != '\0' && count < most; count++) {
    found[count] = at;
    at[strcspn(at, "|")] = '\0';
    at += strlen(at) + 2;
  }
  if (count == 0 || count == most) {
    give_up("too few or too many names", sql);
  }
  return count;
}

static bool is_among(const char *const *names, const char *name) {
  for (size_t i = 0; names[i] != NULL; i++) {
    if (strcmp(names[i], name) == 0) {
      return true;
    }
  }
  return false;
}

static void select_column(FILE *sql, const struct teller *teller, const char *table, const char *column,
                          int64_t known) {
  const char *id, *from, *part = unseal_part(table, column, &id, &from);
  if (part != NULL) {
    fprintf(sql, "CASE WHEN length(\"%s\") > 0 THEN '@%s ' || %s || ' ' || %s || ' ' || %s\"%s\"%s ELSE '-' END",
            column, part, id, from, teller->sqlite != NULL ? "hex(" : "encode(", column,
            teller->sqlite != NULL ? ")" : ", 'hex')");
  } else if (strcmp(table, "field") == 0 && is_among(SAMPLED, column)) {
    fputs("''", sql);
  } else if (is_among(MASKED, column)) {
    fprintf(sql, "CASE WHEN \"%s\" IS NULL THEN '-' WHEN \"%s\" > %lld THEN '+' ELSE CAST(\"%s\" AS TEXT) END", column,
            column, (long long)known, column);
  } else if (strcmp(column, "lease_token") == 0) {
    fputs("''", sql);
  } else if (teller->sqlite != NULL) {
    fprintf(sql, "quote(\"%s\")", column);
  } else {
    fprintf(sql, "quote_nullable(\"%s\"::text)", column);
  }
}

static void dump_table(const struct teller *teller, const char *table, char *const *columns, size_t count,
                       int64_t known, FILE *out) {
  static char sql[STATEMENT_MOST];
  FILE *text = fmemopen(sql, sizeof sql, "w");
  if (text == NULL) {
    give_up("out of memory", table);
  }
  fprintf(out, "\n%s|", table);
  fputs("SELECT ", text);
  for (size_t i = 0; i < count; i++) {
    fprintf(out, "%s|", columns[i]);
    fputs(i == 0 ? "" : ", ", text);
    select_column(text, teller, table, columns[i], known);
  }
  putc('\n', out);
  fprintf(text, " FROM \"%s\"", table);
  for (size_t i = 0; i < sizeof KEPT / sizeof *KEPT; i++) {
    if (strcmp(KEPT[i].table, table) == 0) {
      fprintf(text, " WHERE %s", KEPT[i].where);
      if (strstr(KEPT[i].where, "<=") != NULL) {
        fprintf(text, " %lld", (long long)known);
      }
    }
  }
  fputs(" ORDER BY ", text);
  /* Intervals that are told apart by runs alone keep the order of those. */
  const char *id, *from;
  if (unseal_part(table, "body", &id, &from) != NULL && strcmp(from, "0") != 0) {
    fprintf(text, "%s, %s, ", id, from);
  }
  for (size_t i = 0; i < count; i++) {
    fprintf(text, "%s%zu", i == 0 ? "" : ", ", i + 1);
  }
  if (ferror(text) || ftell(text) >= (long)sizeof sql - 1) {
    give_up("a long statement", table);
  }
  fclose(text);
  tell(teller, sql, out);
}

/* `columns_of`: a statement that ends where the table's name goes, and a quote and `order` follow it. */
static char *dump(const struct teller *teller, const char *tables_sql, const char *columns_of, const char *order,
                  int64_t known) {
  char *tables[TABLES_MOST], *columns[COLUMNS_MOST], *table_text, *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  if (out == NULL) {
    give_up("out of memory", tables_sql);
  }
  size_t table_count = names(teller, tables_sql, &table_text, tables, TABLES_MOST);
  for (size_t i = 0; i < table_count; i++) {
    char sql[512], *column_text;
    snprintf(sql, sizeof sql, "%s'%s'%s", columns_of, tables[i], order);
    size_t count = names(teller, sql, &column_text, columns, COLUMNS_MOST);
    dump_table(teller, tables[i], columns, count, known, out);
    free(column_text);
  }
  free(table_text);
  fclose(out);
  return text;
}

static void read_keys(struct teller *teller, const char *key_file) {
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  unseal_begin(&teller->unsealer, key_file);
  if (out == NULL) {
    give_up("out of memory", key_file);
  }
  tell(teller,
       teller->sqlite != NULL ? "SELECT key_id, purpose, hex(wrapped) FROM data_key"
                              : "SELECT key_id, purpose, encode(wrapped, 'hex') FROM data_key",
       out);
  fclose(out);
  for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
    unsigned id;
    char purpose[32], wrapped[2 * SEAL_WRAPPED + 2];
    if (sscanf(line, "%u|%31[^|]|%145[^|]|", &id, purpose, wrapped) == 3) {
      unseal_add(&teller->unsealer, id, purpose, wrapped);
    }
  }
  free(text);
}

char *dump_sqlite(const char *path, const char *key_file, int64_t known) {
  struct teller teller = {.sqlite = NULL};
  if (sqlite3_open_v2(path, &teller.sqlite, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
    give_up("cannot open", path);
  }
  read_keys(&teller, key_file);
  char *text = dump(&teller, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1",
                    "SELECT name FROM pragma_table_info(", ") ORDER BY cid", known);
  sqlite3_close(teller.sqlite);
  unseal_end(&teller.unsealer);
  return text;
}

char *dump_postgres(const char *conninfo, const char *schema, const char *key_file, int64_t known) {
  struct teller teller = {.postgres = PQconnectdb(conninfo)};
  char sql[256], columns[384];
  snprintf(sql, sizeof sql, "SET search_path = \"%s\"", schema);
  PGresult *set = PQexec(teller.postgres, sql);
  if (PQresultStatus(set) != PGRES_COMMAND_OK) {
    give_up(PQerrorMessage(teller.postgres), sql);
  }
  PQclear(set);
  read_keys(&teller, key_file);
  snprintf(sql, sizeof sql, "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = '%s' ORDER BY 1", schema);
  snprintf(columns, sizeof columns,
           "SELECT column_name FROM information_schema.columns WHERE table_schema = '%s' AND table_name = ", schema);
  char *text = dump(&teller, sql, columns, " ORDER BY ordinal_position", known);
  PQfinish(teller.postgres);
  unseal_end(&teller.unsealer);
  return text;
}

bool dump_same(const char *wanted, const char *got) {
  size_t at = 0, table = 0;
  if (strcmp(wanted, got) == 0) {
    return true;
  }
  for (; wanted[at] == got[at]; at++) {
    if (strncmp(wanted + at, "\n\n", 2) == 0) {
      table = at + 2; /* a table begins behind an empty line */
    }
  }
  for (; at > 0 && wanted[at - 1] != '\n'; at--) {
  }
  fprintf(stderr, "differs in %.*s\n  wanted: %.*s\n  got:    %.*s\n", (int)strcspn(wanted + table, "\n"),
          wanted + table, (int)strcspn(wanted + at, "\n"), wanted + at, (int)strcspn(got + at, "\n"), got + at);
  return false;
}
