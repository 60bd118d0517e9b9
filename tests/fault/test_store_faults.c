/* What goes wrong between Puente and its store: PostgreSQL behind a proxy that does harm, SQLite on a disk that is full
 * or cannot be written, a clock that moves. Each has its message; afterwards the store is unharmed, and a sync without
 * the fault brings it to the content of one that nothing disturbed: nothing is lost, nothing comes twice. */
#include "tests/support/dump.h"
#include "tests/support/fault.h"
#include "tests/support/postgres.h"
#include "tests/support/program.h"
#include "tests/support/workspace.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static const struct proxy_mode PASS = {.fault = PROXY_PASS};
static struct site site;
static int faults, as_expected;

static void count(bool good) {
  faults++;
  as_expected += good;
}

/* ---- PostgreSQL behind a proxy ---- */

#define COMMIT "COMMIT" /* with its closing zero: how libpq sends the statement */
#define CUT_OFF "the connection to PostgreSQL was lost during COMMIT: whether it was stored is not known\n"
#define CUT_HINT "  hint: run the command again: it reads its cursor from the store and repeats nothing\n"
#define LOST "error: the connection to PostgreSQL was lost\n"
#define AGAIN "  hint: run the command again: it goes on from what the store holds\n"
#define NOT_REACHED                                                                                                    \
  "error: the PostgreSQL server cannot be reached\n  at: 127.0.0.1:STORE/puente\n  hint: check `store:` in "           \
  "puente.yaml, the password reference, and that the server runs\n"

static struct {
  char direct[512], admin[512]; /* conninfo past the proxy, and the superuser's */
  char *undisturbed;
} base;

static void administer(const char *sql) {
  PGconn *admin = PQconnectdb(base.admin);
  for (int tries = 0;; tries++) {
    PGresult *result = PQexec(admin, sql);
    bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    if (done) {
      break;
    }
    if (tries == 100) {
      fail_msg("%s: %s", sql, PQerrorMessage(admin));
    }
    shell("sleep 0.02"); /* a session that was cut off lives on for a moment */
  }
  PQfinish(admin);
}

/* Making a database anew takes longer than what is tested: the rows of a new store are kept aside instead. */
static const char KEEP[] = "DO $$ DECLARE t text; BEGIN CREATE SCHEMA kept; FOR t IN SELECT tablename FROM pg_tables "
                           "WHERE schemaname = 'puente' LOOP EXECUTE format('CREATE TABLE kept.%I AS SELECT * FROM "
                           "puente.%I', t, t); END LOOP; END $$";
static const char SET_BACK[] =
    "DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = "
    "'puente' LOOP EXECUTE format('DELETE FROM puente.%I', t); EXECUTE format('INSERT INTO "
    "puente.%I SELECT * FROM kept.%I', t, t); END LOOP; END $$";

static char *base_dump(void) {
  char key[4096];
  snprintf(key, sizeof key, "%s/puente.key", site.folder);
  return dump_postgres(base.direct, "puente", key, 0);
}

static int open_base(void **state) {
  (void)state;
  char path[512], store[256];
  const char *owner = postgres_start();
  int host = (int)strcspn(owner + 5, " "); /* "host=FOLDER port=…" */
  snprintf(path, sizeof path, "%.*s/.s.PGSQL.5432", host, owner + 5);
  snprintf(base.direct, sizeof base.direct, "%s", owner);
  snprintf(base.admin, sizeof base.admin, "%s", postgres_admin());
  site_open(&site);
  site.store = proxy_start(path, 0);
  snprintf(store, sizeof store,
           "{postgres: \"host=127.0.0.1 port=%d user=puente dbname=puente sslmode=disable gssencmode=disable\"}",
           proxy_port(site.store));
  site_store(&site, store);
  bool good = site_says(&site, "undisturbed", "--quiet store init", 0, "");
  administer(KEEP);
  good = good && site_says(&site, "undisturbed", "--quiet sync", 0, "");
  good = good && site_sound(&site, "undisturbed", FAULT_RECORDS);
  base.undisturbed = base_dump();
  return good ? 0 : 1;
}

static int close_base(void **state) {
  (void)state;
  free(base.undisturbed);
  proxy_stop(site.store);
  site_close(&site);
  return 0;
}

/* The fault is over: the store is sound, and becomes the undisturbed one. */
static bool base_heals(const char *name) {
  proxy_set(site.store, &PASS);
  bool good = site_says(&site, name, "--quiet sync", 0, "");
  char *got = base_dump();
  good = dump_same(base.undisturbed, got) && good;
  free(got);
  return site_sound(&site, name, FAULT_RECORDS) && good;
}

static const struct {
  const char *name;
  struct proxy_mode mode;
  const char *says;
} BASE_ROWS[] = {
    {"store refused", {.fault = PROXY_REFUSE}, NOT_REACHED},
    {"store closed", {.fault = PROXY_CLOSE}, NOT_REACHED},
    {"store reset at once", {.fault = PROXY_RESET, .at = 0}, NOT_REACHED},
    {"store corrupt", {.fault = PROXY_CORRUPT, .at = 0}, NOT_REACHED},
    {"store reset", {.fault = PROXY_RESET, .at = 2000}, LOST AGAIN},
    {"store truncated", {.fault = PROXY_TRUNCATE, .at = 2500}, LOST AGAIN},
    {"store truncated later", {.fault = PROXY_TRUNCATE, .at = 9000}, LOST "  at: source demo\n" AGAIN},
    {"store cut at a statement",
     {.fault = PROXY_CUT, .match = "raw_chunk", .length = 9},
     LOST "  at: source demo\n" AGAIN},
};
enum { BASE_ROW_COUNT = sizeof BASE_ROWS / sizeof *BASE_ROWS };

static void test_postgres(void **state) {
  (void)state;
  int before = faults - as_expected;
  for (size_t i = 0; i < BASE_ROW_COUNT; i++) {
    administer(SET_BACK);
    proxy_set(site.store, &BASE_ROWS[i].mode);
    bool good = site_says(&site, BASE_ROWS[i].name, "--quiet sync", 1, BASE_ROWS[i].says);
    count(base_heals(BASE_ROWS[i].name) && good);
  }
  assert_int_equal(faults - as_expected, before);
}

/* The connection ends at each COMMIT in turn, before it reaches the server and after. */
static void test_commit(void **state) {
  (void)state;
  int before = faults - as_expected;
  for (int kind = PROXY_CUT; kind <= PROXY_CUT_AFTER; kind++) {
    for (int occurrence = 1;; occurrence++) {
      char name[64];
      struct proxy_mode mode = {.fault = (enum proxy_fault)kind, .match = COMMIT, .length = sizeof COMMIT};
      mode.occurrence = occurrence;
      snprintf(name, sizeof name, "cut %s COMMIT %d", kind == PROXY_CUT ? "before" : "after", occurrence);
      administer(SET_BACK);
      proxy_set(site.store, &mode);
      const struct said said = program_run(site.folder, "--quiet sync");
      if (proxy_harm(site.store) == 0) {
        assert_int_equal(said.code, 0);
        assert_true(occurrence > 5);
        break;
      }
      /* The last one gives the lease back, of a run that is done; the first two are of no source yet: what is declared,
       * and the configuration in the log. */
      const char *wanted = said.code == 0    ? "warning: " CUT_OFF CUT_HINT
                           : occurrence <= 2 ? "error: " CUT_OFF CUT_HINT
                                             : "error: " CUT_OFF "  at: source demo\n" CUT_HINT;
      bool good = strcmp(site_words(&site, said.err), wanted) == 0;
      if (!good) {
        fprintf(stderr, "%s: it said\n%s-- wanted\n%s--\n", name, said.err, wanted);
      }
      count(base_heals(name) && good);
    }
  }
  assert_int_equal(faults - as_expected, before);
}

static int base_landed(void) {
  PGconn *admin = PQconnectdb(base.admin);
  PGresult *result = PQexec(admin, "SELECT count(*) FROM puente.raw_record");
  int landed = PQntuples(result) == 1 ? (int)strtol(PQgetvalue(result, 0, 0), NULL, 10) : 0;
  PQclear(result);
  PQfinish(admin);
  return landed;
}

/* The source keeps the program waiting for its second page, while the server is stopped. */
static void test_stopped(void **state) {
  (void)state;
  static const struct http_answer late[] = {{.path = "/c?cursor=c", .body = FAULT_THIRD},
                                            {.path = "/c?cursor=b", .body = FAULT_SECOND, .delay = 20000},
                                            {.path = "/c", .body = FAULT_FIRST}};
  int before = faults - as_expected;
  for (int immediate = 0; immediate < 2; immediate++) {
    const char *name = immediate ? "PostgreSQL crashed" : "PostgreSQL stopped";
    administer(SET_BACK);
    http_server_script(site.server, late, 3);
    proxy_set(site.store, &PASS);
    setenv("LATE", site.folder, 1);
    pid_t child = workspace_start(site.folder, "--quiet sync 2>$LATE/.late");
    for (int tries = 0; base_landed() < 2 && tries < 500; tries++) {
      shell("sleep 0.02");
    }
    postgres_stop(immediate);
    site_heal(&site); /* ends the wait */
    int ended = 0;
    waitpid(child, &ended, 0);
    char *words = program_read(site.folder, ".late");
    bool good = WIFEXITED(ended) && WEXITSTATUS(ended) == 1 && strcmp(words, LOST "  at: source demo\n" AGAIN) == 0;
    if (!good) {
      fprintf(stderr, "%s: it said\n%s", name, words);
    }
    free(words);
    good = site_says(&site, name, "--quiet sync", 1, NOT_REACHED) && good;
    postgres_again();
    site_heal(&site);
    count(base_heals(name) && good);
  }
  assert_int_equal(faults - as_expected, before);
}

static void test_rights(void **state) {
  (void)state;
  int before = faults - as_expected;
  administer(SET_BACK);
  administer("ALTER TABLE puente.raw_chunk OWNER TO postgres");
  bool good = site_says(&site, "a right is missing", "--quiet sync", 1,
                        "error: PostgreSQL refuses: the user lacks a right in the store's schema\n  at: source demo\n"
                        "  hint: the store's user must own its schema\n");
  administer("ALTER TABLE puente.raw_chunk OWNER TO puente");
  count(base_heals("a right is missing") && good);
  assert_int_equal(faults - as_expected, before);
}

/* The database moves to a disk that is full. */
static void test_postgres_full(void **state) {
  (void)state;
  int before = faults - as_expected, code = 1;
  char sql[512];
  free(shell_output(&code, "mkdir -m 755 %s/full && mount -t tmpfs -o size=64m tmpfs %s/full 2>/dev/null", site.folder,
                    site.folder));
  if (code != 0) {
    skip();
  }
  shell("chmod 755 %s && mkdir %s/full/space && chown postgres %s/full/space", site.folder, site.folder, site.folder);
  administer(SET_BACK);
  snprintf(sql, sizeof sql, "CREATE TABLESPACE full_disk LOCATION '%s/full/space'", site.folder);
  administer(sql);
  administer("TRUNCATE puente.raw_chunk; ALTER TABLE puente.raw_chunk SET TABLESPACE full_disk");
  shell("cat /dev/zero >%s/full/filler 2>/dev/null || true", site.folder);
  bool good = site_says(&site, "PostgreSQL's disk full", "--quiet sync", 1,
                        "error: the disk of the PostgreSQL server is full\n  at: source demo\n"
                        "  hint: free space on it, then run the command again: nothing is lost\n");
  shell("rm %s/full/filler", site.folder);
  count(base_heals("PostgreSQL's disk full") && good);
  administer("ALTER TABLE puente.raw_chunk SET TABLESPACE pg_default");
  administer("DROP TABLESPACE full_disk");
  shell("umount %s/full && chmod 700 %s", site.folder, site.folder);
  assert_int_equal(faults - as_expected, before);
}

/* ---- SQLite ---- */

static char *lite_undisturbed;

static char *lite_dump(void) {
  char path[4096], key[4096];
  snprintf(path, sizeof path, "%s/disk/puente.db", site.folder);
  snprintf(key, sizeof key, "%s/puente.key", site.folder);
  return dump_sqlite(path, key, 0);
}

/* A disk of its own where this user may mount one. */
static bool disk_mount(const char *size) {
  int code = 1;
  free(shell_output(&code, "mkdir -p %s/disk && mount -t tmpfs -o size=%s tmpfs %s/disk 2>/dev/null", site.folder, size,
                    site.folder));
  return code == 0;
}

static void disk_unmount(void) {
  shell("umount %s/disk", site.folder);
}

static int open_lite(void **state) {
  (void)state;
  site_open(&site);
  site_store(&site, "{sqlite: disk/puente.db}");
  shell("mkdir %s/disk", site.folder);
  bool good = site_says(&site, "undisturbed", "--quiet store init", 0, "");
  shell("cp %s/disk/puente.db %s/made.db", site.folder, site.folder);
  good = good && site_says(&site, "undisturbed", "--quiet sync", 0, "");
  good = good && site_sound(&site, "undisturbed", FAULT_RECORDS);
  lite_undisturbed = lite_dump();
  shell("rm -rf %s/disk/*", site.folder);
  return good ? 0 : 1;
}

static int close_lite(void **state) {
  (void)state;
  free(lite_undisturbed);
  site_close(&site);
  return 0;
}

static bool lite_heals(const char *name) {
  bool good = site_says(&site, name, "--quiet sync", 0, "");
  char *got = lite_dump();
  good = dump_same(lite_undisturbed, got) && good;
  free(got);
  return site_sound(&site, name, FAULT_RECORDS) && good;
}

#define FULL "error: the disk is full\n  at: "
#define FREE "  hint: free space on the store's disk, then run the command again: nothing is lost\n"

static bool is_full(const char *words) {
  return strcmp(words, FULL "FOLDER/disk/puente.db\n" FREE) == 0
         || strcmp(words, FULL "source demo, FOLDER/disk/puente.db\n" FREE) == 0;
}

/* Either it had room enough, or it says that the disk is full, before or after the run began. */
static bool tells_full(const char *name, const char *arguments, int *full) {
  const struct said said = program_run(site.folder, arguments);
  const char *words = site_words(&site, said.err);
  bool good = said.code == 0 ? words[0] == '\0' : said.code == 1 && is_full(words);
  *full += said.code != 0;
  if (!good) {
    fprintf(stderr, "%s: ended with %d; it said\n%s", name, said.code, words);
  }
  return good;
}

/* The disk has some room left, from none to nearly enough. */
static void test_disk_full(void **state) {
  (void)state;
  int before = faults - as_expected, full = 0;
  if (!disk_mount("4m")) {
    skip();
  }
  for (int room = 0; room <= 400; room += 50) {
    char name[64];
    snprintf(name, sizeof name, "disk full but for %d KiB", room);
    shell("cd %s/disk && rm -f * && cp ../made.db puente.db && head -c 500K /dev/zero >filler && "
          "{ cat /dev/zero >rest 2>/dev/null || truncate -s -%dK filler; }",
          site.folder, room);
    bool good = tells_full(name, "--quiet sync", &full);
    good = site_says(&site, name, "--json status", 0, "") && good; /* who looks for the cause sees how it stands */
    shell("rm -f %s/disk/filler %s/disk/rest", site.folder, site.folder);
    count(lite_heals(name) && good);
  }
  disk_unmount();
  assert_true(full > 3);
  assert_int_equal(faults - as_expected, before);
}

/* A limit of a file's size ends a disk as well. */
static void test_file_limit(void **state) {
  (void)state;
  int before = faults - as_expected, full = 0;
  for (int blocks = 100; blocks <= 800; blocks += 100) { /* of 512 bytes: what the log may have */
    char command[512];
    shell("cd %s/disk && rm -f * && cp ../made.db puente.db", site.folder);
    snprintf(command, sizeof command, "ulimit -f %d; cd %s; exec $PROGRAM --quiet sync 2>.limited", blocks,
             site.folder);
    int code = 0;
    free(shell_output(&code, "PROGRAM=$(realpath %s/puente); export LANGUAGE=en; %s", build_folder(), command));
    char *words = program_read(site.folder, ".limited");
    bool good = code == 0 ? words[0] == '\0' : code == 1 && is_full(site_words(&site, words));
    full += code != 0;
    if (!good) {
      fprintf(stderr, "limited to %d blocks: ended with %d; it said\n%s", blocks, code, words);
    }
    free(words);
    count(lite_heals("a file's size is limited") && good);
  }
  assert_true(full > 0);
  assert_int_equal(faults - as_expected, before);
}

#define READ_ONLY "  hint: its disk is mounted read-only, as systems do when a disk fails: see their log (dmesg)\n"

static void test_read_only(void **state) {
  (void)state;
  int before = faults - as_expected;
  if (!disk_mount("8m")) {
    skip();
  }
  shell("cp %s/made.db %s/disk/puente.db && mount -o remount,ro %s/disk", site.folder, site.folder, site.folder);
  bool good = site_says(&site, "read-only disk", "--quiet sync", 1,
                        "error: the store cannot be opened or written: unable to open database file\n"
                        "  at: FOLDER/disk/puente.db\n" READ_ONLY);
  good = site_says(&site, "read-only disk", "--json status", 0, "") && good;
  good = site_says(&site, "read-only disk", "store verify", 0, "") && good;
  shell("mount -o remount,rw %s/disk", site.folder);
  count(lite_heals("read-only disk") && good);
  shell("mount -o remount,ro %s/disk", site.folder);
  count(site_says(&site, "read-only disk, later", "--json status", 0, "")
        && site_sound(&site, "read-only disk, later", FAULT_RECORDS));
  disk_unmount();
  assert_int_equal(faults - as_expected, before);
}

/* Back by years and forth again between runs: the watermark, the order of runs and the lease do not follow it. */
static void test_clock(void **state) {
  (void)state;
  static const char *const clocks[] = {"2026-06-01T00:00:00Z", "2019-01-01T00:00:00Z", "2031-12-31T23:59:59Z",
                                       "2026-06-01T00:00:00Z"};
  int before = faults - as_expected;
  shell("cp %s/made.db %s/disk/puente.db", site.folder, site.folder);
  for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
    setenv("PUENTE_CLOCK", clocks[i], 1);
    site_heal(&site);
    count(lite_heals(clocks[i]));
  }
  unsetenv("PUENTE_CLOCK");
  assert_int_equal(faults - as_expected, before);
}

int main(void) {
  const struct CMUnitTest postgres[] = {cmocka_unit_test(test_postgres), cmocka_unit_test(test_commit),
                                        cmocka_unit_test(test_stopped), cmocka_unit_test(test_rights),
                                        cmocka_unit_test(test_postgres_full)};
  const struct CMUnitTest lite[] = {cmocka_unit_test(test_disk_full), cmocka_unit_test(test_file_limit),
                                    cmocka_unit_test(test_read_only), cmocka_unit_test(test_clock)};
  int failed = cmocka_run_group_tests_name("postgres", postgres, open_base, close_base);
  failed += cmocka_run_group_tests_name("sqlite", lite, open_lite, close_lite);
  printf("fault ok: faults=%d as_expected=%d\n", faults, as_expected);
  return failed;
}
