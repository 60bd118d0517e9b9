#include "tests/support/office.h"

#include "tests/support/temp.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

static void require(bool good, const char *what, const char *detail) {
  if (!good) {
    fprintf(stderr, "office of the tests: %s: %s\n", what, detail);
    abort();
  }
}

void office_open(struct office *office, const char *dsn, const char *settings) {
  static int number;
  *office = (struct office){.folder = temp_make(), .dsn = dsn};
  snprintf(office->schema, sizeof office->schema, "office_%d", ++number);
  struct said said = program_run(office->folder, "--quiet init .");
  require(said.code == 0, "init", said.err);
  office_configure(office, settings);
}

void office_close(struct office *office) {
  program_forget();
  temp_remove(office->folder);
  *office = (struct office){.folder = NULL};
}

void office_configure(const struct office *office, const char *settings) {
  char text[1024];
  int len = snprintf(text, sizeof text, "name: demo\n%s", settings);
  if (office->dsn != NULL) {
    snprintf(text + len, sizeof text - (size_t)len, "store:\n  postgres: \"%s\"\n  schema: %s\n", office->dsn,
             office->schema);
  }
  program_write(office->folder, "puente.yaml", text);
}

void office_folder(const struct office *office, const char *name) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", office->folder, name);
  require(mkdir(path, 0755) == 0, path, "cannot be made");
}

static void tamper_sqlite(const struct office *office, const char *sql) {
  char path[512];
  sqlite3 *file = NULL;
  snprintf(path, sizeof path, "%s/puente.db", office->folder);
  bool good = sqlite3_open(path, &file) == SQLITE_OK && sqlite3_exec(file, sql, NULL, NULL, NULL) == SQLITE_OK;
  require(good, sql, sqlite3_errmsg(file));
  sqlite3_close(file);
}

void office_tamper(const struct office *office, const char *sql) {
  char text[16384];
  if (office->dsn == NULL) {
    tamper_sqlite(office, sql);
    return;
  }
  snprintf(text, sizeof text, "SET search_path TO %s; %s", office->schema, sql);
  PGconn *connection = PQconnectdb(office->dsn);
  PGresult *result = PQexec(connection, text);
  require(PQresultStatus(result) == PGRES_COMMAND_OK, sql, PQerrorMessage(connection));
  PQclear(result);
  PQfinish(connection);
}

struct said office_must(struct said said, int line) {
  if (said.code != 0) {
    fail_msg("line %d: exit %d\n%s%s", line, said.code, said.out, said.err);
  }
  return said;
}
