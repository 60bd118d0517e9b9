#include "tests/support/bench.h"

#include "core/base/file.h"
#include "tests/support/temp.h"
#include "tests/support/unseal.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

/* The same for every fixture, so that digests of two stores can be compared. */
static const char KEY[] = "0123456789abcdef0123456789abcdef";

/* Read once for all fixtures of a program. */
static struct model *shared_model;
static struct codelists *shared_lists;

static void must(enum status status, const struct error *error) {
  if (status != OK) {
    fprintf(stderr, "fixture: %s (%s) %s\n", error->message, error->place, error->hint);
    abort();
  }
}

static struct store_options store_options(const struct fixture *fixture) {
  return (struct store_options){.kind = fixture->dsn == NULL ? STORE_SQLITE : STORE_POSTGRES,
                                .path = fixture->store_path,
                                .dsn = fixture->dsn,
                                .schema = fixture->schema,
                                .model = fixture->model,
                                .key = fixture->key};
}

void fixture_map(struct fixture *fixture, const char *mapping) {
  must(file_write(fixture->mapping, slice_of(mapping), 0644, &fixture->error), &fixture->error);
}

void fixture_reopen(struct fixture *fixture) {
  struct store_options options = store_options(fixture);
  store_close(fixture->store);
  fixture->store = NULL;
  must(store_open(&options, &fixture->store, &fixture->error), &fixture->error);
}

struct store *fixture_another(struct fixture *fixture) {
  struct store_options options = store_options(fixture);
  struct store *store = NULL;
  must(store_open(&options, &store, &fixture->error), &fixture->error);
  return store;
}

struct fixture *fixture_make(const char *mapping) {
  return fixture_make_postgres(mapping, NULL);
}

struct fixture *fixture_make_postgres(const char *mapping, const char *dsn) {
  static int number;
  static const char *const folders[] = {"config/codelists"};
  struct fixture *fixture = calloc(1, sizeof *fixture);
  if (fixture == NULL) {
    abort();
  }
  scripted = (struct script){.count = 0};
  fixture->dsn = dsn;
  snprintf(fixture->schema, sizeof fixture->schema, "walk%d", ++number);
  fixture->folder = temp_make();
  snprintf(fixture->mapping, sizeof fixture->mapping, "%s/demo.yaml", fixture->folder);
  snprintf(fixture->store_path, sizeof fixture->store_path, "%s/puente.db", fixture->folder);
  snprintf(fixture->key_path, sizeof fixture->key_path, "%s/puente.key", fixture->folder);
  struct error *error = &fixture->error;
  fixture_map(fixture, mapping);
  must(file_write(fixture->key_path, slice_make(KEY, sizeof KEY - 1), 0600, error), error);
  must(key_load(fixture->key_path, &fixture->key, error), error);
  if (shared_model == NULL) {
    must(model_load("config/model", &shared_model, error), error);
    must(codelists_load(folders, 1, &shared_lists, error), error);
  }
  fixture->model = shared_model;
  fixture->lists = shared_lists;
  struct store_options options = store_options(fixture);
  must(store_create(&options, error), error);
  must(store_open(&options, &fixture->store, error), error);
  fixture->config = (struct config){.path = fixture->store_path,
                                    .folder = fixture->folder,
                                    .page_limit = 1 << 20,
                                    .sources = &fixture->source,
                                    .source_count = 1};
  fixture->source = (struct source_config){.code = "demo",
                                           .title = "Demo",
                                           .institution = "PE/MP",
                                           .contact = "",
                                           .unit = "denuncia",
                                           .connector = &scripted_connector,
                                           .mapping = fixture->mapping,
                                           .max_drop = 0.5,
                                           .linked = true,
                                           .file = "demo.yaml"};
  fixture->options = (struct sync_options){.actor = "tester"};
  must(store_begin(fixture->store, error), error);
  must(store_sources(fixture->store, &fixture->source, 1, &fixture->source_id, error), error);
  must(store_commit(fixture->store, error), error);
  return fixture;
}

void fixture_free(struct fixture *fixture) {
  store_close(fixture->store);
  key_free(fixture->key);
  temp_remove(fixture->folder);
  free(fixture);
}

struct workbench fixture_bench(const struct fixture *fixture) {
  return (struct workbench){.store = fixture->store,
                            .config = &fixture->config,
                            .model = fixture->model,
                            .lists = fixture->lists,
                            .key = fixture->key};
}

enum status fixture_sync(struct fixture *fixture, const struct scripted_page *pages, size_t count) {
  struct workbench bench = fixture_bench(fixture);
  scripted.pages = pages;
  scripted.count = count;
  return sync_source(&bench, &fixture->source, fixture->source_id, &fixture->options, &fixture->result,
                     &fixture->error);
}

static sqlite3 *look(const struct fixture *fixture) {
  sqlite3 *database = NULL;
  if (sqlite3_open_v2(fixture->store_path, &database, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
    abort();
  }
  sqlite3_busy_timeout(database, 5000);
  return database;
}

static sqlite3_stmt *ask(sqlite3 *database, const char *sql) {
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK) {
    fprintf(stderr, "fixture: %s: %s\n", sql, sqlite3_errmsg(database));
    abort();
  }
  return statement;
}

int64_t fixture_count(const struct fixture *fixture, const char *sql) {
  sqlite3 *database = look(fixture);
  sqlite3_stmt *statement = ask(database, sql);
  int64_t value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return value;
}

char *fixture_dump(const struct fixture *fixture, const char *const *statements) {
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  struct unsealer unsealer;
  sqlite3 *database = look(fixture);
  unseal_begin(&unsealer, fixture->key_path);
  sqlite3_stmt *keys = ask(database, "SELECT key_id, purpose, hex(wrapped) FROM data_key");
  while (sqlite3_step(keys) == SQLITE_ROW) {
    unseal_add(&unsealer, (uint32_t)sqlite3_column_int64(keys, 0), (const char *)sqlite3_column_text(keys, 1),
               (const char *)sqlite3_column_text(keys, 2));
  }
  sqlite3_finalize(keys);
  for (; *statements != NULL; statements++) {
    sqlite3_stmt *statement = ask(database, *statements);
    fprintf(out, "== %s\n", *statements);
    while (sqlite3_step(statement) == SQLITE_ROW) {
      for (int i = 0; i < sqlite3_column_count(statement); i++) {
        const char *value = (const char *)sqlite3_column_text(statement, i);
        unseal_put(&unsealer, value == NULL ? "" : value, out);
        putc('|', out);
      }
      putc('\n', out);
    }
    sqlite3_finalize(statement);
  }
  sqlite3_close(database);
  unseal_end(&unsealer);
  fclose(out);
  return text;
}
