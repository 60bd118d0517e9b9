/* Stores are made, found, refused, moved to a newer version, copied; on SQLite and PostgreSQL. */
#include "core/base/file.h"
#include "core/base/folder.h"
#include "tests/support/contract.h"
#include "tests/support/postgres.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <signal.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void set_version(struct stand *stand, int version) {
  char sql[128];
  if (stand->options.kind == STORE_POSTGRES) {
    snprintf(sql, sizeof sql, "UPDATE meta SET value = '%d' WHERE name = 'version'", version);
  } else {
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", version);
  }
  contract_sql(stand, sql);
}

static void close_store(struct stand *stand) {
  store_close(stand->store);
  stand->store = NULL;
}

static void test_no_store(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct store *store;
  char path[300];
  struct store_options options = stand->options;
  snprintf(path, sizeof path, "%s/none.db", stand->folder);
  options.path = path;
  options.schema = "none";
  assert_int_equal(store_open(&options, &store, &error), ERR_NOT_FOUND);
  assert_string_equal(error.message, "there is no store here yet");
  assert_string_equal(error.hint, "run `puente store init`");
  assert_null(store);
  assert_int_equal(store_create(&stand->options, &error), ERR_CONFIG);
  assert_string_equal(error.message, "there is a store here already");
}

/* With another key every record would be new: such a key is refused, for reading too. */
static void test_other_key(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct store *store;
  struct key *other;
  char path[300];
  snprintf(path, sizeof path, "%s/other", stand->folder);
  MUST(key_create(path, &error));
  MUST(key_load(path, &other, &error));
  struct store_options options = stand->options;
  options.key = other;
  for (int i = 0; i < 2; i++) {
    options.read_only = i == 1;
    assert_int_equal(store_open(&options, &store, &error), ERR_CONFIG);
    assert_string_equal(error.message, "the key is not the one that this store was made with");
    assert_string_equal(error.hint, "put the key file of this workspace back from its copy, or join two shares: "
                                    "`puente key join`; nothing was changed");
    assert_null(store);
  }
  options.key = NULL;
  MUST(store_open(&options, &store, &error));
  store_close(store);
  key_free(other);
}

static void test_newer_version(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct buffer backup;
  int from, to, version = store_version(stand->store);
  close_store(stand);
  set_version(stand, version + 4);
  char wanted[128];
  snprintf(wanted, sizeof wanted, "the store is of version %d, this program knows up to %d", version + 4, version);
  assert_int_equal(store_open(&stand->options, &stand->store, &error), ERR_VERSION);
  assert_string_equal(error.message, wanted);
  assert_string_equal(error.hint, "use the newer puente that wrote it; nothing was changed");
  buffer_init(&backup, 4096);
  assert_int_equal(store_migrate(&stand->options, &from, &to, &backup, &error), ERR_VERSION);
  assert_int_equal(store_create(&stand->options, &error), ERR_VERSION);
  buffer_free(&backup);
}

/* A store that stopped between two migrations goes on from there, after a backup. */
static void test_migration_goes_on(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct buffer backup;
  int from = 0, to = 0, version = store_version(stand->store);
  contract_sources(stand);
  close_store(stand);
  set_version(stand, 1);
  char *here = getcwd(NULL, 0);
  assert_int_equal(chdir(stand->folder), 0); /* where the copy of a PostgreSQL store is put */
  assert_int_equal(store_open(&stand->options, &stand->store, &error), ERR_CONFIG);
  assert_string_equal(error.hint, "run `puente store migrate`: it makes a backup first");
  buffer_init(&backup, 4096);
  MUST(store_migrate(&stand->options, &from, &to, &backup, &error));
  assert_int_equal(from, 1);
  assert_int_equal(to, version);
  struct stat info;
  assert_int_equal(stat(backup.data, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  assert_true(info.st_size > 1000);
  MUST(store_open(&stand->options, &stand->store, &error));
  assert_int_equal(view_count(stand, "sources", NULL, NULL), 2);
  close_store(stand);
  buffer_reset(&backup);
  MUST(store_migrate(&stand->options, &from, &to, &backup, &error)); /* nothing to do: no backup */
  assert_int_equal(backup.len, 0);
  buffer_free(&backup);
  assert_int_equal(chdir(here), 0);
  free(here);
}

/* A store of version 3, with a pair that was joined and one that was kept apart, gains the tables of linkage. */
static void test_linkage_is_added(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct buffer backup;
  int from = 0, to = 0;
  const char *cascade = stand->options.kind == STORE_POSTGRES ? "CASCADE" : "";
  const char *const tables[] = {"link_pair", "link_decision", "link_model", "link_key", "link_unlinkable"};
  close_store(stand);
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    char sql[128];
    snprintf(sql, sizeof sql, "DROP TABLE %s %s", tables[i], cascade);
    contract_sql(stand, sql);
  }
  contract_sql(stand, "CREATE TABLE link_pair (kind BIGINT, row_a BIGINT, row_b BIGINT, weight DOUBLE PRECISION, "
                      "rule TEXT, run BIGINT, PRIMARY KEY (kind, row_a, row_b))");
  if (stand->options.kind == STORE_POSTGRES) {
    contract_sql(stand, "ALTER TABLE link_pair OWNER TO puente");
  }
  contract_sql(stand, "INSERT INTO link_pair VALUES (0, 1, 2, 100, 'document', 1), (0, 1, 3, 0, 'document', 1)");
  set_version(stand, 3);
  char *here = getcwd(NULL, 0);
  assert_int_equal(chdir(stand->folder), 0);
  buffer_init(&backup, 4096);
  MUST(store_migrate(&stand->options, &from, &to, &backup, &error));
  buffer_free(&backup);
  assert_int_equal(chdir(here), 0);
  free(here);
  assert_int_equal(from, 3);
  assert_int_equal(to, store_format());
  MUST(store_open(&stand->options, &stand->store, &error));
  TEXT_IS(query_text(stand, "SELECT row_b, rule, outcome, reason, since FROM pairs ORDER BY row_b"),
          "2|document|joined|weight|null;3|document|apart|weight|null");
  assert_int_equal(view_count(stand, "decisions", NULL, NULL), 0);
  int64_t rows[] = {1};
  struct link_key key = {5, 1};
  MUST(store_begin(stand->store, &error));
  MUST(store_replace_keys(stand->store, CLUSTER_PERSON, rows, 1, &key, 1, &error));
  MUST(store_write_model(stand->store, CLUSTER_PERSON, 1, slice_of("{}"), &error));
  MUST(store_commit(stand->store, &error));
}

static void append_line(const char *path, const char *line) {
  FILE *file = fopen(path, "a");
  assert_non_null(file);
  fputs(line, file);
  fclose(file);
}

/* A copy of the model with two more fields of a person, one of them an identifier. */
static void grown_model(const char *folder) {
  static const char more[] = "  clan: {type: text, en: Clan, es: Clan}\n"
                             "  secret_name: {type: text, sensitivity: identifier, en: Secret, es: Secreto}\n";
  struct error error;
  const char *const *paths = NULL;
  size_t count = 0;
  struct arena *arena = arena_new(0);
  assert_int_equal(mkdir(folder, 0700), 0);
  MUST(folder_list("config/model", ".yaml", arena, &paths, &count, &error));
  for (size_t i = 0; i < count; i++) {
    struct buffer text;
    buffer_init(&text, 1 << 20);
    MUST(file_read(paths[i], 1 << 20, &text, &error));
    char *line = strstr(text.data, "\n  given_names:");
    size_t before = line == NULL ? text.len : (size_t)(line + 1 - text.data);
    char *copy = arena_printf(arena, "%.*s%s%s", (int)before, text.data, line == NULL ? "" : more, text.data + before);
    char *target = arena_printf(arena, "%s%s", folder, strrchr(paths[i], '/'));
    MUST(file_write(target, slice_of(copy), 0600, &error));
    buffer_free(&text);
  }
  arena_free(arena);
}

/* A field more in the model is a column more in the store, and rows that were there stay. */
static void model_grows(struct stand *stand, int version) {
  struct error error;
  struct buffer backup;
  struct sheet sheet;
  struct staged staged;
  int from = 0, to = 0;
  contract_sources(stand);
  sheet_open(&sheet, stand);
  struct cell *cells = batch_row(&sheet.batch, stand->model, "person",
                                 sheet_record(&sheet, stand, "k1", "a", RECORD_MAPPED), "k1", "", "");
  set_text(stand->model, "person", cells, "given_names", "ROSA");
  set_text(stand->model, "person", cells, "sex", "female");
  sheet_store(&sheet, stand, 1, 1, &staged);
  sheet_close(&sheet);
  close_store(stand);
  char path[300];
  snprintf(path, sizeof path, "%s/model", stand->folder);
  grown_model(path);
  struct model *former = stand->model;
  MUST(model_load(path, &stand->model, &error));
  stand->options.model = stand->model;
  assert_int_equal(store_open(&stand->options, &stand->store, &error), ERR_CONFIG);
  assert_string_equal(error.message, "the model has 3 columns that the store lacks");
  set_version(stand, version);
  buffer_init(&backup, 4096);
  char *here = getcwd(NULL, 0);
  assert_int_equal(chdir(stand->folder), 0);
  MUST(store_migrate(&stand->options, &from, &to, &backup, &error));
  assert_int_equal(chdir(here), 0);
  free(here);
  buffer_free(&backup);
  MUST(store_open(&stand->options, &stand->store, &error));
  TEXT_IS(query_text(stand, "SELECT sex, clan FROM person_records"), "female|null");
  sheet_open(&sheet, stand);
  cells = batch_row(&sheet.batch, stand->model, "person", sheet_record(&sheet, stand, "k2", "a", RECORD_MAPPED), "k2",
                    "", "");
  set_text(stand->model, "person", cells, "clan", "X");
  set_text(stand->model, "person", cells, "secret_name", "Y");
  sheet_store(&sheet, stand, 1, 1, &staged);
  sheet_close(&sheet);
  TEXT_IS(query_text(stand, "SELECT clan FROM person_records WHERE clan IS NOT NULL"), "X");
  model_free(former);
}

static void test_model_grows(void **state) {
  model_grows(*state, store_format());
}

/* A field that becomes another is refused before anything is copied or written, and its store opens as it was. */
static void changed_field(struct stand *stand, const char *file, const char *was, const char *is, const char *message,
                          const char *place) {
  struct error error;
  struct buffer text, backup;
  int from = 0, to = 0;
  char path[300];
  close_store(stand);
  shell("rm -rf %s/model && cp -r config/model %s/model", stand->folder, stand->folder);
  snprintf(path, sizeof path, "%s/model/%s", stand->folder, file);
  buffer_init(&text, 1 << 20);
  MUST(file_read(path, 1 << 20, &text, &error));
  char *line = strstr(text.data, was);
  assert_non_null(line);
  FILE *out = fopen(path, "w");
  assert_non_null(out);
  fprintf(out, "%.*s%s%s", (int)(line - text.data), text.data, is, line + strlen(was));
  fclose(out);
  buffer_free(&text);
  *strrchr(path, '/') = '\0';
  struct model *former = stand->model;
  MUST(model_load(path, &stand->model, &error));
  stand->options.model = stand->model;
  assert_int_equal(store_open(&stand->options, &stand->store, &error), ERR_CONFIG);
  assert_string_equal(error.message, message);
  assert_string_equal(error.place, place);
  buffer_init(&backup, 4096);
  assert_int_equal(store_migrate(&stand->options, &from, &to, &backup, &error), ERR_CONFIG);
  assert_string_equal(error.message, message);
  assert_int_equal(backup.len, 0);
  stand->options.model = former;
  MUST(store_open(&stand->options, &stand->store, &error));
  model_free(stand->model);
  stand->model = former;
}

static void test_model_retyped(void **state) {
  changed_field(*state, "case.yaml", "victims_stated: {type: integer, least: 0, most: 10000,",
                "victims_stated: {type: text,", "the model gives a field another type than its column in the store has",
                "st_case.victims_stated");
}

/* What stands in the store in the clear would go on standing there, beside what is sealed. */
static void test_model_sealed(void **state) {
  static const char said[] = "the model seals a field that stands in the store unsealed";
  changed_field(*state, "person.yaml", "occupation: {type: text, sensitivity: quasi,",
                "occupation: {type: text, sensitivity: identifier,", said, "st_person.occupation");
  changed_field(*state, "case.yaml", "offence: {type: code, codelist: offence,",
                "offence: {type: code, codelist: offence, sensitivity: identifier,", said, "st_case.offence");
}

/* A new program brings both. */
static void test_model_grows_with_the_program(void **state) {
  model_grows(*state, store_format() - 2);
}

static void test_read_only(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct store *reader;
  struct store_options options = stand->options;
  contract_sources(stand);
  options.read_only = true;
  MUST(store_open(&options, &reader, &error));
  assert_int_equal(store_begin(reader, &error), ERR_IO);
  assert_string_equal(error.message, "the store was opened for reading only");
  /* It reads while another writes. */
  struct stand other = *stand;
  int64_t run = 0;
  MUST(store_begin(stand->store, &error));
  MUST(store_run_begin(stand->store, "sync", 1, "a", NULL, &run, &error));
  other.store = reader;
  assert_int_equal(view_count(&other, "runs", NULL, NULL), 0);
  MUST(store_commit(stand->store, &error));
  assert_int_equal(view_count(&other, "runs", NULL, NULL), 1);
  store_close(reader);
}

/* A process that is killed in the middle of a transaction leaves what was committed, and nothing else. */
static void test_killed(void **state) {
  struct stand *stand = *state;
  struct error error;
  contract_sources(stand);
  close_store(stand);
  pid_t child = fork();
  if (child == 0) {
    struct store *store;
    int64_t run;
    MUST(store_open(&stand->options, &store, &error));
    MUST(store_begin(store, &error));
    MUST(store_run_begin(store, "first", 1, "a", NULL, &run, &error));
    MUST(store_commit(store, &error));
    MUST(store_begin(store, &error));
    MUST(store_run_begin(store, "second", 1, "a", NULL, &run, &error));
    kill(getpid(), SIGKILL);
  }
  int how = 0;
  assert_int_equal(waitpid(child, &how, 0), child);
  assert_true(WIFSIGNALED(how));
  MUST(store_open(&stand->options, &stand->store, &error));
  TEXT_IS(view_text(stand, "runs", "kind", NULL, NULL), "first");
}

static void test_wrong_files(void **state) {
  struct stand *stand = *state;
  struct error error;
  char path[300];
  struct store_options options = stand->options;
  struct store *store;
  snprintf(path, sizeof path, "%s/other", stand->folder);
  options.path = path;
  append_line(path, "");
  assert_int_equal(store_open(&options, &store, &error), ERR_NOT_FOUND);
  assert_string_equal(error.message, "there is no store here yet: the file is empty");
  append_line(path, "<html>this is no database, and long enough to have a header of its own: ................</html>");
  assert_int_equal(store_open(&options, &store, &error), ERR_STORE);
  assert_string_equal(error.message, "the file is not a SQLite database");
  remove(path);
  sqlite3 *handle = NULL;
  assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
  assert_int_equal(sqlite3_exec(handle, "CREATE TABLE a (b)", NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(handle);
  assert_int_equal(store_open(&options, &store, &error), ERR_STORE);
  assert_string_equal(error.message, "the file is a SQLite database of another program");
  assert_int_equal(store_create(&options, &error), ERR_STORE);
  struct stat info;
  assert_int_equal(stat(stand->path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
}

/* Pages of the database cannot be added past a limit: the disk is full, and nothing of the transaction stays. */
static void test_disk_full(void **state) {
  struct stand *stand = *state;
  struct error error;
  contract_sources(stand);
  close_store(stand);
  pid_t child = fork();
  if (child == 0) {
    /* A file size limit stands for the full disk; the signal it sends is left aside. */
    signal(SIGXFSZ, SIG_IGN);
    struct store *store;
    MUST(store_open(&stand->options, &store, &error));
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 2000000, .rlim_max = 2000000});
    enum status status = OK;
    for (int i = 0; i < 20000 && status == OK; i++) {
      int64_t run;
      status = store_begin(store, &error);
      if (status == OK) {
        status = store_run_begin(store, "a kind that is as long as it must be to fill", 1, "a", NULL, &run, &error);
      }
      if (status == OK) {
        status = store_commit(store, &error);
      } else {
        store_rollback(store);
      }
    }
    store_close(store);
    _exit(status == ERR_FULL ? 0 : 10 + (int)status);
  }
  int how = 0;
  assert_int_equal(waitpid(child, &how, 0), child);
  assert_true(WIFEXITED(how));
  assert_int_equal(WEXITSTATUS(how), 0);
  MUST(store_open(&stand->options, &stand->store, &error));
  assert_true(view_count(stand, "runs", NULL, NULL) > 0);
  int64_t run = contract_run(stand, "after", 0); /* numbers follow each other: nothing was lost or left behind */
  assert_int_equal(run, view_count(stand, "runs", NULL, NULL));
}

static void test_server_gone(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct store *store;
  int64_t run;
  contract_sources(stand);
  MUST(store_begin(stand->store, &error));
  MUST(store_run_begin(stand->store, "lost", 1, "a", NULL, &run, &error));
  postgres_stop(1);
  assert_int_equal(store_commit(stand->store, &error), ERR_STORE);
  assert_string_equal(error.message,
                      "the connection to PostgreSQL was lost during COMMIT: whether it was stored is not known");
  assert_string_equal(error.hint, "run the command again: it reads its cursor from the store and repeats nothing");
  assert_int_equal(store_open(&stand->options, &store, &error), ERR_STORE);
  assert_string_equal(error.message, "the PostgreSQL server cannot be reached");
  postgres_again();
  stand_reopen(stand);
  assert_int_equal(view_count(stand, "runs", NULL, NULL), 0);
}

static void test_schema_names(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct store *store;
  struct store_options options = stand->options;
  options.schema = "x\"; DROP SCHEMA public; --";
  assert_int_equal(store_open(&options, &store, &error), ERR_CONFIG);
  assert_string_equal(error.message, "the store's schema is no plain name");
}

#define SQLITE_ONLY(function)                                                                                          \
  { "sqlite: " #function, function, contract_setup, contract_teardown, &contract_kinds[0] }
#define POSTGRES_ONLY(function)                                                                                        \
  { "postgres: " #function, function, contract_setup, contract_teardown, &contract_kinds[1] }

int main(void) {
  const struct CMUnitTest tests[] = {
      EACH(test_no_store),
      EACH(test_other_key),
      EACH(test_newer_version),
      EACH(test_migration_goes_on),
      EACH(test_linkage_is_added),
      EACH(test_model_grows),
      EACH(test_model_grows_with_the_program),
      EACH(test_model_retyped),
      EACH(test_model_sealed),
      EACH(test_read_only),
      EACH(test_killed),
      SQLITE_ONLY(test_wrong_files),
      SQLITE_ONLY(test_disk_full),
      POSTGRES_ONLY(test_server_gone),
      POSTGRES_ONLY(test_schema_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
