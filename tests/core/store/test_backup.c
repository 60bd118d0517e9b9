/* Copies are consistent while others write, are read back, refuse what is not theirs, and come back; an upgrade that
 * failed at any step goes back. On SQLite and PostgreSQL.
 *
 * lint: long because copying, reading back and going back share one store and its helpers. */
#include "core/audit/audit.h"
#include "core/store/backup.h"
#include "tests/support/contract.h"
#include "tests/support/postgres.h"
#include "tests/support/workspace.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *place(struct stand *stand, const char *name) {
  static char paths[4][400];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", stand->folder, name);
  return path;
}

static void close_store(struct stand *stand) {
  store_close(stand->store);
  stand->store = NULL;
}

static void add_records(struct stand *stand, const char *prefix, int count) {
  struct sheet sheet;
  struct staged staged;
  char key[32];
  int64_t run = contract_run(stand, "sync", 1);
  sheet_open(&sheet, stand);
  for (int i = 0; i < count; i++) {
    snprintf(key, sizeof key, "%s%d", prefix, i);
    struct cell *cells = batch_row(&sheet.batch, stand->model, "person",
                                   sheet_record(&sheet, stand, key, "a\\b\tc\nd", RECORD_MAPPED), key, "", "");
    set_text(stand->model, "person", cells, "given_names", "ROSA\\.\n");
    set_text(stand->model, "person", cells, "sex", "female");
  }
  sheet_store(&sheet, stand, 1, run, &staged);
  sheet_close(&sheet);
}

static void add_entry(struct stand *stand) {
  struct error error;
  MUST(store_begin(stand->store, &error));
  MUST(audit_append(stand->store, &(struct audit_event){.event = "land", .actor = "tester"}, &error));
  MUST(store_commit(stand->store, &error));
}

static void fill(struct stand *stand) {
  contract_sources(stand);
  add_records(stand, "k", 40);
  add_entry(stand);
  add_entry(stand);
}

static void copy_to(struct stand *stand, const char *target, struct backup_made *made) {
  struct error error;
  const struct backup_request request = {.target = target};
  MUST(store_backup(stand->store, &stand->options, &request, made, &error));
}

static void copy_by_hand(struct stand *stand, const char *path) {
  if (stand->options.kind == STORE_SQLITE) {
    shell("sqlite3 %s '.backup %s'", stand->path, path);
  } else {
    shell("pg_dump --format=custom --dbname='%s' --no-privileges --table='%s.*' --table='%s_views.*' --file=%s",
          postgres_start(), stand->schema, stand->schema, path);
  }
}

/* Everything that the store's tables hold and its views are, as one digest. */
static char *fingerprint(struct stand *stand) {
  int code = 0;
  if (stand->options.kind == STORE_SQLITE) {
    return shell_output(&code, "(sqlite3 %s .dump; sqlite3 %s 'PRAGMA user_version') | sha256sum", stand->path,
                        stand->path);
  }
  return shell_output(
      &code,
      "pg_dump --dbname='%s' --no-owner --no-privileges --table='%s.*' --table='%s_views.*' | "
      "grep -v '^.restrict\\|^.unrestrict' | sed 's/::text AS text/::text/' | LC_ALL=C sort | sha256sum",
      postgres_start(), stand->schema, stand->schema);
}

static int64_t rows_of(const struct holdings *holdings, const char *table) {
  for (size_t i = 0; i < holdings->count; i++) {
    if (strcmp(holdings->items[i].table, table) == 0) {
      return holdings->items[i].rows;
    }
  }
  return -1;
}

static enum status chain_is_whole(void *context, struct store *copy, struct error *error) {
  struct audit_check check;
  enum status status = audit_verify(copy, &check, error);
  assert_int_equal(check.first_wrong, 0);
  *(int64_t *)context = check.entries;
  return status;
}

/* ---- copying ---- */

static void test_copy(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct stat info;
  struct backup_made made;
  struct copy_seen seen;
  int64_t entries = 0;
  fill(stand);
  char *path = place(stand, "copy");
  copy_to(stand, path, &made);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  assert_int_equal(info.st_size, made.bytes);
  assert_int_equal(made.proof, stand->options.kind == STORE_SQLITE ? PROOF_OPENED : PROOF_RESTORED);
  assert_int_equal(rows_of(&made.holdings, "raw_record"), 40);
  assert_int_equal(rows_of(&made.holdings, "st_person"), 40);
  assert_int_equal(rows_of(&made.holdings, "audit_log"), 2);
  MUST(store_check_copy(&stand->options, path, chain_is_whole, &entries, &seen, &error));
  assert_int_equal(entries, 2);
  assert_int_equal(seen.version, store_format());
  assert_true(seen.digest);
  assert_null(holdings_differ(&seen.holdings, &made.holdings));
  holdings_free(&seen.holdings);
  holdings_free(&made.holdings);
  const struct backup_request again = {.target = path};
  assert_int_equal(store_backup(stand->store, &stand->options, &again, &made, &error), ERR_IO);
  assert_string_equal(error.message, "a backup never replaces a file that is there");
  const struct backup_request nowhere = {.target = place(stand, "no/such")};
  assert_int_equal(store_backup(stand->store, &stand->options, &nowhere, &made, &error), ERR_IO);
  assert_string_equal(error.message, "cannot write the backup: No such file or directory");
  assert_string_equal(error.hint, "the folder must exist, be writable by this user, and have room for the store");
  assert_int_not_equal(access(place(stand, "copy.part"), F_OK), 0);
  shell("cd %s && sha256sum --check --quiet copy.sha256", stand->folder);
}

/* A process commits a run and its entry, one after the other, as fast as it can: each copy has as many of the one as of
 * the other. */
static void write_on(const struct stand *parent) {
  struct stand stand = *parent;
  struct error error;
  MUST(store_open(&stand.options, &stand.store, &error));
  for (;;) {
    int64_t run = 0;
    MUST(store_begin(stand.store, &error));
    MUST(store_run_begin(stand.store, "sync", 1, "tester", NULL, &run, &error));
    MUST(audit_append(stand.store, &(struct audit_event){.event = "land", .actor = "tester", .run = run}, &error));
    MUST(store_commit(stand.store, &error));
  }
}

static void test_while_others_write(void **state) {
  struct stand *stand = *state;
  contract_sources(stand);
  close_store(stand);
  pid_t child = fork();
  if (child == 0) {
    alarm(60); /* not for ever, where an assertion fails */
    write_on(stand);
  }
  struct error error;
  MUST(store_open(&stand->options, &stand->store, &error));
  int64_t last = 0;
  for (int i = 0; i < 3; i++) {
    struct backup_made made;
    char name[16];
    snprintf(name, sizeof name, "copy%d", i);
    usleep(100000);
    copy_to(stand, place(stand, name), &made);
    assert_int_equal(rows_of(&made.holdings, "run"), rows_of(&made.holdings, "audit_log"));
    assert_true(rows_of(&made.holdings, "run") > last);
    last = rows_of(&made.holdings, "run");
    holdings_free(&made.holdings);
  }
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  assert_true(view_count(stand, "runs", NULL, NULL) >= last);
}

/* Between the count of one table and that of the next another process commits. */
static struct stand *intruder;

static int intrude(unsigned what, void *context, void *statement, void *sql) {
  (void)what;
  (void)context;
  (void)statement;
  struct stand *other = intruder;
  if (other != NULL && strstr(sql, "count(*) FROM \"run\"") != NULL) {
    intruder = NULL;
    contract_run(other, "sync", 1);
    add_entry(other);
  }
  return 0;
}

static int watch_statements(sqlite3 *handle, char **message, const struct sqlite3_api_routines *api) {
  (void)message;
  (void)api;
  return sqlite3_trace_v2(handle, SQLITE_TRACE_STMT, intrude, NULL);
}

static void test_one_moment(void **state) {
  struct stand *stand = *state, other = *stand;
  struct error error;
  struct backup_made made;
  fill(stand);
  close_store(stand);
  MUST(store_open(&other.options, &other.store, &error));
  sqlite3_auto_extension((void (*)(void))watch_statements);
  MUST(store_open(&stand->options, &stand->store, &error));
  sqlite3_cancel_auto_extension((void (*)(void))watch_statements);
  intruder = &other;
  copy_to(stand, place(stand, "copy"), &made);
  assert_null(intruder); /* it did */
  assert_int_equal(rows_of(&made.holdings, "audit_log"), 2);
  assert_int_equal(rows_of(&made.holdings, "run"), view_count(stand, "runs", NULL, NULL) - 1);
  holdings_free(&made.holdings);
  store_close(other.store);
}

/* The copy loses a row between being written and being read back. */
static enum status lose_a_row(void *context, struct store *copy, struct error *error) {
  (void)copy;
  (void)error;
  shell("sqlite3 %s 'DELETE FROM audit_log WHERE sequence = 2'", (const char *)context);
  return OK;
}

static void test_reads_back(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct backup_made made;
  fill(stand);
  char *part = place(stand, "copy.part");
  const struct backup_request request = {.target = place(stand, "copy"), .check = lose_a_row, .context = part};
  assert_int_equal(store_backup(stand->store, &stand->options, &request, &made, &error), ERR_STORE);
  assert_string_equal(error.message, "the backup does not read back as what was copied");
  assert_string_equal(error.place, "table audit_log");
  assert_int_not_equal(access(place(stand, "copy"), F_OK), 0);
  assert_int_not_equal(access(part, F_OK), 0);
}

/* Damage that no count of rows meets: an index that lacks the rows of its table. */
static void test_every_page(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct copy_seen seen;
  fill(stand);
  char *path = place(stand, "copy");
  copy_by_hand(stand, path);
  shell(
      "sqlite3 %s \"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'IS NOT NULL', 'IS NULL') "
      "WHERE name = 'raw_record_key'\"",
      path);
  assert_int_equal(store_check_copy(&stand->options, path, NULL, NULL, &seen, &error), ERR_STORE);
  assert_string_equal(error.message, "the database file is damaged");
  assert_string_equal(error.hint, "take another copy");
}

static void test_stopped(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct backup_made made;
  atomic_bool stop = true;
  fill(stand);
  const struct backup_request request = {.target = place(stand, "copy"), .stop = &stop};
  if (stand->options.kind == STORE_SQLITE) {
    shell(": >%s", place(stand, "copy.part-journal")); /* of a copy that was killed */
  }
  assert_int_equal(store_backup(stand->store, &stand->options, &request, &made, &error), ERR_INTERRUPTED);
  assert_string_equal(error.message, "stopped before the copy was whole");
  assert_int_not_equal(access(place(stand, "copy"), F_OK), 0);
  assert_int_not_equal(access(place(stand, "copy.part"), F_OK), 0);
  assert_int_not_equal(access(place(stand, "copy.part-journal"), F_OK), 0);
}

/* A limit of a file's size stands for the full disk. */
static void fills_at(struct stand *stand, rlim_t most) {
  pid_t child = fork();
  if (child == 0) {
    struct error error;
    struct backup_made made;
    signal(SIGXFSZ, SIG_IGN);
    MUST(store_open(&stand->options, &stand->store, &error));
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = most, .rlim_max = most});
    const struct backup_request request = {.target = place(stand, "copy")};
    enum status status = store_backup(stand->store, &stand->options, &request, &made, &error);
    bool said = strcmp(error.message, "the disk is full") == 0 && strcmp(error.place, request.target) == 0
                && strstr(error.hint, "have room for the store") != NULL;
    _exit(status == ERR_FULL && said ? 0 : 10 + (int)status);
  }
  int how = 0;
  assert_int_equal(waitpid(child, &how, 0), child);
  assert_true(WIFEXITED(how));
  assert_int_equal(WEXITSTATUS(how), 0);
  assert_int_not_equal(access(place(stand, "copy"), F_OK), 0);
  assert_int_not_equal(access(place(stand, "copy.part"), F_OK), 0);
  assert_int_not_equal(access(place(stand, "copy.part-journal"), F_OK), 0);
}

static void test_disk_full(void **state) {
  struct stand *stand = *state;
  static const rlim_t mosts[] = {512, 8192};
  fill(stand);
  close_store(stand);
  for (size_t i = 0; i < sizeof mosts / sizeof *mosts; i++) {
    fills_at(stand, mosts[i]);
  }
}

/* ---- restoring ---- */

static void restored_is(struct stand *stand, const char *copy, const char *wanted, const char *aside_holds) {
  struct error error;
  struct buffer aside;
  int version = 0;
  buffer_init(&aside, 4096);
  MUST(store_restore(&stand->options, copy, NULL, NULL, &aside, &version, &error));
  assert_int_equal(version, store_format());
  TEXT_IS(fingerprint(stand), wanted);
  assert_int_equal(aside.len > 0, aside_holds != NULL);
  if (aside_holds != NULL) {
    struct stand kept = *stand;
    struct buffer backup;
    int from, to;
    buffer_init(&backup, 4096);
    kept.options.path = kept.options.schema = aside.data;
    snprintf(kept.path, sizeof kept.path, "%s", aside.data);
    snprintf(kept.schema, sizeof kept.schema, "%.60s", aside.data);
    MUST(store_migrate(&kept.options, &from, &to, &backup, &error)); /* its views */
    MUST(store_open(&kept.options, &kept.store, &error));
    TEXT_IS(query_text(&kept, "SELECT count(*) FROM records"), aside_holds);
    store_close(kept.store);
    buffer_free(&backup);
  }
  buffer_free(&aside);
}

static void test_restore(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct backup_made made;
  fill(stand);
  char *path = place(stand, "copy");
  copy_to(stand, path, &made);
  holdings_free(&made.holdings);
  char *then = fingerprint(stand);
  add_records(stand, "later", 5);
  close_store(stand);
  restored_is(stand, path, then, "45");
  MUST(store_open(&stand->options, &stand->store, &error));
  TEXT_IS(query_text(stand, "SELECT count(*) FROM records"), "40");
  add_records(stand, "again", 3);
  TEXT_IS(query_text(stand, "SELECT count(*) FROM records"), "43");
  close_store(stand);
  /* Into an empty place. */
  if (stand->options.kind == STORE_SQLITE) {
    unlink(stand->path);
  } else {
    char sql[256];
    snprintf(sql, sizeof sql, "DROP SCHEMA %s CASCADE; DROP SCHEMA %s_views CASCADE", stand->schema, stand->schema);
    postgres_run(sql);
  }
  restored_is(stand, path, then, NULL);
  free(then);
  MUST(store_open(&stand->options, &stand->store, &error));
  TEXT_IS(query_text(stand, "SELECT count(*) FROM records"), "40");
}

/* Both former stores are kept, each under its own name. */
static void test_restore_twice_in_a_second(void **state) {
  struct stand *stand = *state;
  struct backup_made made;
  fill(stand);
  char *path = place(stand, "copy");
  copy_to(stand, path, &made);
  holdings_free(&made.holdings);
  char *then = fingerprint(stand);
  add_records(stand, "later", 5);
  close_store(stand);
  setenv("PUENTE_CLOCK", "2026-01-02T03:04:05Z", 1);
  restored_is(stand, path, then, "45");
  restored_is(stand, path, then, "40");
  unsetenv("PUENTE_CLOCK");
  free(then);
}

static void refused(struct stand *stand, const struct store_options *options, const char *copy, enum status wanted,
                    const char *message) {
  struct error error;
  struct buffer aside;
  int version;
  char *before = fingerprint(stand);
  buffer_init(&aside, 4096);
  assert_int_equal(store_restore(options, copy, NULL, NULL, &aside, &version, &error), wanted);
  assert_string_equal(error.message, message);
  assert_int_equal(aside.len, 0);
  buffer_free(&aside);
  TEXT_IS(fingerprint(stand), before);
  free(before);
}

static void set_version(struct stand *stand, int version) {
  char sql[128];
  if (stand->options.kind == STORE_POSTGRES) {
    snprintf(sql, sizeof sql, "UPDATE meta SET value = '%d' WHERE name = 'version'", version);
  } else {
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", version);
  }
  contract_sql(stand, sql);
}

static void test_refusals(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct backup_made made;
  struct key *other;
  char message[128];
  fill(stand);
  copy_to(stand, place(stand, "copy"), &made);
  holdings_free(&made.holdings);
  refused(stand, &stand->options, place(stand, "copy"), ERR_BUSY, "another program works on the store");
  close_store(stand);
  MUST(key_create(place(stand, "other"), &error));
  MUST(key_load(place(stand, "other"), &other, &error));
  struct store_options options = stand->options;
  options.key = other;
  refused(stand, &options, place(stand, "copy"), ERR_CONFIG, "the key is not the one that this store was made with");
  key_free(other);
  refused(stand, &stand->options, place(stand, "none"), ERR_NOT_FOUND,
          "cannot open the copy: No such file or directory");
  /* A copy of a later program's store: made here by one that only says so. */
  set_version(stand, store_format() + 1);
  copy_by_hand(stand, place(stand, "newer"));
  set_version(stand, store_format());
  snprintf(message, sizeof message, "the store is of version %d, this program knows up to %d", store_format() + 1,
           store_format());
  refused(stand, &stand->options, place(stand, "newer"), ERR_VERSION, message);
}

/* One bit of a value, which no check of pages and no count of rows meets. */
static void test_changed_value(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct backup_made made;
  struct copy_seen seen;
  char message[500];
  fill(stand);
  char *path = place(stand, "copy");
  copy_to(stand, path, &made);
  holdings_free(&made.holdings);
  close_store(stand);
  shell("sed -i 's/tester/testep/' %s", path);
  snprintf(message, sizeof message, "the copy is not as it was made: its SHA-256 is not the one in %s.sha256", path);
  refused(stand, &stand->options, path, ERR_STORE, message);
  shell("rm %s.sha256", path);
  MUST(store_check_copy(&stand->options, path, NULL, NULL, &seen, &error));
  assert_false(seen.digest);
  holdings_free(&seen.holdings);
}

/* A byte in the middle, or the end, is not as it was written. */
static void test_damaged(void **state) {
  struct stand *stand = *state;
  struct backup_made made;
  struct stat info;
  bool sqlite = stand->options.kind == STORE_SQLITE;
  fill(stand);
  char *path = place(stand, "copy"), *cut = place(stand, "cut");
  copy_to(stand, path, &made);
  holdings_free(&made.holdings);
  close_store(stand);
  assert_int_equal(stat(path, &info), 0);
  shell("head -c %lld %s >%s", (long long)info.st_size - (sqlite ? 20000 : 2000), path, cut);
  refused(stand, &stand->options, cut, ERR_STORE, sqlite ? "the database file is damaged" : "pg_restore failed");
  if (sqlite) {
    shell("rm %s.sha256", path);
    shell("printf 'zzzzzzzzzzzzzzzz' | dd of=%s bs=1 seek=%lld conv=notrunc status=none", path,
          (long long)info.st_size / 2 / 8192 * 8192);
    refused(stand, &stand->options, path, ERR_STORE, "the database file is damaged");
  }
  shell("echo SELECT 1 >%s", cut);
  refused(stand, &stand->options, cut, ERR_STORE, sqlite ? "the file is not a SQLite database" : "pg_restore failed");
}

/* An entry that was changed in the copy alone. */
static enum status chain_is_broken(void *context, struct store *copy, struct error *error) {
  struct audit_check check;
  enum status status = audit_verify(copy, &check, error);
  *(int64_t *)context = check.first_wrong;
  return status;
}

static void test_altered_log(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct copy_seen seen;
  int64_t wrong = 0;
  fill(stand);
  contract_sql(stand, "UPDATE audit_log SET actor = 'nobody' WHERE sequence = 2");
  copy_by_hand(stand, place(stand, "copy"));
  MUST(store_check_copy(&stand->options, place(stand, "copy"), chain_is_broken, &wrong, &seen, &error));
  holdings_free(&seen.holdings);
  assert_int_equal(wrong, 2);
}

/* A role that may make no schema has its copies read instead, and is told so. */
static void test_narrow_role(void **state) {
  struct stand *stand = *state;
  struct backup_made made;
  fill(stand);
  postgres_run("ALTER DATABASE puente OWNER TO postgres");
  copy_to(stand, place(stand, "copy"), &made);
  assert_int_equal(made.proof, PROOF_READ);
  assert_int_equal(rows_of(&made.holdings, "st_person"), 40);
  assert_int_equal(rows_of(&made.holdings, "audit_log"), 2);
  holdings_free(&made.holdings);
  postgres_run("ALTER DATABASE puente OWNER TO puente");
}

static void test_notes(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct buffer file;
  int64_t at = 1;
  buffer_init(&file, 4096);
  MUST(store_noted_copy(stand->store, "backup", &at, &file, &error));
  assert_int_equal(at, 0);
  MUST(store_begin(stand->store, &error));
  MUST(store_note_copy(stand->store, "backup", 1577836800000000, "/media/a b.db", &error));
  MUST(store_note_copy(stand->store, "restore", 5, "c", &error));
  MUST(store_commit(stand->store, &error));
  MUST(store_noted_copy(stand->store, "backup", &at, &file, &error));
  assert_int_equal(at, 1577836800000000);
  assert_string_equal(file.data, "/media/a b.db");
  MUST(store_noted_copy(stand->store, "restore", &at, NULL, &error));
  assert_int_equal(at, 5);
  buffer_free(&file);
}

static void integrity_says(struct stand *stand, const char *wanted) {
  struct error error;
  char what[160];
  MUST(store_integrity(stand->store, what, sizeof what, &error));
  assert_string_equal(what, wanted);
}

static void test_integrity(void **state) {
  struct stand *stand = *state;
  fill(stand);
  integrity_says(stand, "");
  contract_sql(stand, "INSERT INTO person_member (row_id, from_run, person_id, source_id, row_key) "
                      "VALUES (7, 1, 1, 1, 'k')");
  integrity_says(stand, "members of a person or case that is not there: 1");
  contract_sql(stand, "INSERT INTO person (person_id, from_run, records, origins) VALUES (1, 1, 1, '{}')");
  integrity_says(stand, "members whose record is not there: 1");
  contract_sql(stand, "DELETE FROM person_member");
  integrity_says(stand, "persons or cases without a member: 1");
  contract_sql(stand, "DELETE FROM person");
  contract_sql(stand, "DELETE FROM raw_chunk");
  integrity_says(stand, "landed versions whose bytes are not there: 40");
}

/* ---- back from an upgrade ---- */

static int commits, fails_at;
static bool dies;

static int refuse_commit(void *context) {
  (void)context;
  if (++commits != fails_at) {
    return 0;
  }
  if (dies) {
    kill(getpid(), SIGKILL);
  }
  return 1;
}

static int hook(sqlite3 *handle, char **message, const struct sqlite3_api_routines *api) {
  (void)message;
  (void)api;
  sqlite3_commit_hook(handle, refuse_commit, NULL);
  return SQLITE_OK;
}

/* Whether the upgrade went through: 0; it fails or dies in its n-th commit. */
static int upgrade(struct stand *stand, int fail) {
  pid_t child = fork();
  if (child == 0) {
    struct error error;
    struct buffer backup;
    int from, to;
    buffer_init(&backup, 4096);
    fails_at = fail;
    sqlite3_auto_extension((void (*)(void))hook);
    _exit(store_migrate(&stand->options, &from, &to, &backup, &error) == OK ? 0 : 1);
  }
  int how = 0;
  assert_int_equal(waitpid(child, &how, 0), child);
  return WIFEXITED(how) ? WEXITSTATUS(how) : 2;
}

static bool goes_back(struct stand *stand, const char *wanted) {
  struct error error;
  struct buffer file, aside;
  int version = 0, restored = 0;
  buffer_init(&file, 4096);
  buffer_init(&aside, 4096);
  enum status status = store_before_upgrade(&stand->options, &file, &version, &error);
  if (status == OK) {
    MUST(store_restore(&stand->options, file.data, NULL, NULL, &aside, &restored, &error));
    assert_int_equal(restored, version);
  } else {
    assert_int_equal(status, ERR_NOT_FOUND);
    assert_string_equal(error.message, "this store knows of no upgrade");
  }
  TEXT_IS(fingerprint(stand), wanted);
  if (status == OK) { /* not further back */
    MUST(store_forget_upgrade(&stand->options, &error));
    assert_int_equal(store_before_upgrade(&stand->options, &file, &version, &error), ERR_NOT_FOUND);
  }
  buffer_free(&file);
  buffer_free(&aside);
  return status == OK;
}

/* Each commit of the upgrade fails, and kills, in turn: one call goes back to the very store that was there. */
static void test_upgrade_fails(void **state) {
  struct stand *stand = *state;
  int back = 0, tries = 0, result = 1;
  fill(stand);
  close_store(stand);
  set_version(stand, 2);
  char *before = fingerprint(stand);
  stand->options.folder = stand->folder;
  for (int fail = 1; result != 0 && fail < 40; fail++) {
    for (int kills = 0; kills <= 1; kills++) {
      dies = kills == 1;
      commits = 0;
      result = upgrade(stand, fail);
      tries++;
      back += goes_back(stand, before);
    }
  }
  assert_int_equal(result, 0);
  assert_true(back >= 8);
  printf("note: upgrades that failed or were killed: %d, gone back: %d\n", tries - 2, back);
  free(before);
}

static void test_upgrade_fails_postgres(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct buffer backup;
  int from = 0, to = 0;
  fill(stand);
  close_store(stand);
  set_version(stand, 2);
  stand->options.folder = stand->folder;
  buffer_init(&backup, 4096);
  for (int step = 3; step <= store_format() + 1; step++) {
    char sql[256];
    snprintf(sql, sizeof sql, "ALTER TABLE meta ADD CONSTRAINT stops CHECK (name <> 'version' OR value <> '%d')", step);
    contract_sql(stand, sql);
    char *before = fingerprint(stand);
    enum status status = store_migrate(&stand->options, &from, &to, &backup, &error);
    assert_int_equal(status, step <= store_format() ? ERR_STORE : OK);
    /* A second try goes on from where the first one stopped; the way back stays that of the first. */
    if (step == 5) {
      assert_int_equal(store_migrate(&stand->options, &from, &to, &backup, &error), ERR_STORE);
      assert_int_equal(from, 2);
      assert_non_null(strstr(backup.data, ".v2-"));
    }
    assert_true(goes_back(stand, before));
    free(before);
    contract_sql(stand, "ALTER TABLE meta DROP CONSTRAINT stops");
  }
  buffer_free(&backup);
}

#define SQLITE_ONLY(function)                                                                                          \
  { "sqlite: " #function, function, contract_setup, contract_teardown, &contract_kinds[0] }
#define POSTGRES_ONLY(function)                                                                                        \
  { "postgres: " #function, function, contract_setup, contract_teardown, &contract_kinds[1] }

int main(void) {
  const struct CMUnitTest tests[] = {
      EACH(test_copy),
      EACH(test_while_others_write),
      EACH(test_stopped),
      EACH(test_disk_full),
      EACH(test_restore),
      EACH(test_restore_twice_in_a_second),
      EACH(test_refusals),
      EACH(test_damaged),
      EACH(test_altered_log),
      EACH(test_notes),
      EACH(test_integrity),
      SQLITE_ONLY(test_one_moment),
      SQLITE_ONLY(test_reads_back),
      SQLITE_ONLY(test_every_page),
      SQLITE_ONLY(test_changed_value),
      SQLITE_ONLY(test_upgrade_fails),
      POSTGRES_ONLY(test_upgrade_fails_postgres),
      POSTGRES_ONLY(test_narrow_role),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
