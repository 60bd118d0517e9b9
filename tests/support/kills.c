#include "tests/support/kills.h"

#include "core/base/date.h"
#include "tests/support/dump.h"
#include "tests/support/peru.h"
#include "tests/support/postgres.h"

#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { STORES = 2, AGAIN_ONE_OF = 5, DRAWS_MOST = 200, BASE_TRIES = 200 };
#define SCHEMA "puente"

/* A workspace whose store is set back by copying: SQLite's file, or a database made from a template. */
struct shaken {
  char *folder;
  bool postgres;
  PGconn *admin;
  char conninfo[512];
};

/* What is killed, from which saved store on. */
struct act {
  const char *arguments; /* in the shell; $FOLDER is the workspace */
  const char *from;      /* name of the saved store; NULL: there is none yet */
  const char *before;    /* shell command in the workspace, before each try; NULL: none */
  const char *holds;     /* shell command in the workspace that has to succeed after each try; NULL: none */
};

struct killing {
  struct peru peru;
  struct shaken stores[STORES];
  uint64_t state; /* of the random numbers */
  struct kills_count count;
};

static void give_up(const char *what, const char *detail) {
  fprintf(stderr, "test harness: kills: %s: %s\n", what, detail);
  abort();
}

/* splitmix64 */
static double share(struct killing *killing) {
  uint64_t z = killing->state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static void sleep_micros(int64_t micros) {
  nanosleep(&(struct timespec){.tv_sec = micros / 1000000, .tv_nsec = micros % 1000000 * 1000}, NULL);
}

/* ---- stores that are saved and set back ---- */

/* A killed client's session lives on for a moment and keeps its database from being copied. */
static void administer(PGconn *admin, const char *sql) {
  for (int tries = 0; tries < BASE_TRIES; tries++) {
    PGresult *result = PQexec(admin, sql);
    bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    bool in_use = state != NULL && strcmp(state, "55006") == 0;
    PQclear(result);
    if (done) {
      return;
    }
    if (!in_use) {
      give_up(PQerrorMessage(admin), sql);
    }
    sleep_micros(20000);
  }
  give_up("the database stays in use", sql);
}

static void base_copy(const struct shaken *shaken, const char *to, const char *from) {
  char sql[256];
  snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s WITH (FORCE)", to);
  administer(shaken->admin, sql);
  snprintf(sql, sizeof sql, "CREATE DATABASE %s TEMPLATE %s OWNER puente", to, from);
  administer(shaken->admin, sql);
}

static void save(const struct shaken *shaken, const char *name) {
  if (shaken->postgres) {
    base_copy(shaken, name, "work");
  } else {
    shell("cd %s && sqlite3 puente.db 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null && cp puente.db %s.saved",
          shaken->folder, name);
  }
}

static void set_back(const struct shaken *shaken, const struct act *act) {
  if (shaken->postgres) {
    base_copy(shaken, "work", act->from == NULL ? "template0" : act->from);
  } else {
    shell("cd %s && rm -f puente.db puente.db-*", shaken->folder);
    if (act->from != NULL) {
      shell("cd %s && cp %s.saved puente.db", shaken->folder, act->from);
    }
  }
  if (act->before != NULL) {
    shell("cd %s && %s", shaken->folder, act->before);
  }
}

static int64_t runs_of(const struct shaken *shaken, const struct act *act) {
  return act->from == NULL ? 0 : workspace_number(shaken->folder, "SELECT max(run_id) FROM runs");
}

static char *dump(const struct shaken *shaken, int64_t known) {
  char path[4096], key[4096];
  snprintf(key, sizeof key, "%s/puente.key", shaken->folder);
  if (shaken->postgres) {
    return dump_postgres(shaken->conninfo, SCHEMA, key, known);
  }
  snprintf(path, sizeof path, "%s/puente.db", shaken->folder);
  return dump_sqlite(path, key, known);
}

/* ---- killing ---- */

static int run(const struct shaken *shaken, const char *arguments) {
  char quiet[256];
  snprintf(quiet, sizeof quiet, "--quiet %s", arguments);
  setenv("FOLDER", shaken->folder, 1);
  return workspace_run(shaken->folder, quiet, NULL);
}

static void must_run(const struct shaken *shaken, const char *arguments) {
  if (run(shaken, arguments) != 0) {
    give_up("an undisturbed command failed", arguments);
  }
}

/* True where the program was still running after `micros`. */
static bool kill_after(const struct shaken *shaken, const char *arguments, int64_t micros) {
  char quiet[256];
  snprintf(quiet, sizeof quiet, "--quiet %s", arguments);
  setenv("FOLDER", shaken->folder, 1);
  pid_t child = workspace_start(shaken->folder, quiet);
  sleep_micros(micros);
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status);
}

struct calm {
  char *dump;
  int64_t known, took;
};

static struct calm undisturbed(const struct shaken *shaken, const struct act *act) {
  struct calm calm = {.dump = NULL};
  set_back(shaken, act);
  calm.known = runs_of(shaken, act);
  int64_t began = clock_monotonic();
  must_run(shaken, act->arguments);
  calm.took = clock_monotonic() - began;
  calm.dump = dump(shaken, calm.known);
  return calm;
}

/* Whether the store is the calm one after what was killed has run again. */
static bool goes_on(const struct shaken *shaken, const struct act *act, const struct calm *calm) {
  int code = 0;
  if (run(shaken, act->arguments) != 0) {
    fprintf(stderr, "the command failed when it ran again\n");
    return false;
  }
  if (act->holds != NULL) {
    free(shell_output(&code, "cd %s && { %s; }", shaken->folder, act->holds));
  }
  if (code != 0) {
    fprintf(stderr, "what it left behind is broken\n");
    return false;
  }
  if (run(shaken, "store verify >/dev/null") != 0) {
    fprintf(stderr, "the audit chain does not verify\n");
    return false;
  }
  if (workspace_number(shaken->folder, "SELECT count(*) FROM runs WHERE state = 'running'") != 0) {
    fprintf(stderr, "a killed run is still told as running\n");
    return false;
  }
  char *got = dump(shaken, calm->known);
  bool same = dump_same(calm->dump, got);
  free(got);
  return same;
}

/* One moment on one store; `at` is a share of the calm duration, and is drawn again until the kill meets the program
 * running. */
static bool kill_once(struct killing *killing, const struct shaken *shaken, const struct act *act,
                      const struct calm *calm, double at) {
  for (int draws = 0;; draws++) {
    if (draws == DRAWS_MOST) {
      give_up("no moment meets the program running", act->arguments);
    }
    set_back(shaken, act);
    if (kill_after(shaken, act->arguments, (int64_t)(at * (double)calm->took))) {
      break;
    }
    killing->count.drawn_again++;
    at = share(killing);
  }
  if (share(killing) * AGAIN_ONE_OF < 1) {
    killing->count.again += kill_after(shaken, act->arguments, (int64_t)(share(killing) * (double)calm->took));
  }
  bool same = goes_on(shaken, act, calm);
  if (!same) {
    fprintf(stderr, "killed: %s, %s, at %.4f of %lld ms\n", act->arguments, shaken->postgres ? "PostgreSQL" : "SQLite",
            at, (long long)calm->took / 1000);
  }
  return same;
}

/* `count` moments of an act, each on both stores. */
static void kill_many(struct killing *killing, const struct act *act, int count, int *kills, int *identical) {
  struct calm calm[STORES];
  if (count == 0) {
    return;
  }
  for (int s = 0; s < STORES; s++) {
    calm[s] = undisturbed(&killing->stores[s], act);
  }
  printf("note: %s: undisturbed in %lld and %lld ms, %d moments\n", act->arguments, (long long)calm[0].took / 1000,
         (long long)calm[1].took / 1000, count);
  fflush(stdout);
  for (int i = 0; i < count; i++) {
    double at = share(killing);
    bool same = true;
    for (int s = 0; s < STORES; s++) {
      same = kill_once(killing, &killing->stores[s], act, &calm[s], at) && same;
    }
    *kills += 1;
    *identical += same;
  }
  for (int s = 0; s < STORES; s++) {
    free(calm[s].dump);
  }
}

/* ---- the acts ---- */

static void ignore_notice(void *context, const char *message) {
  (void)context;
  (void)message;
}

static void prepare(struct killing *killing) {
  struct shaken *sqlite = &killing->stores[0], *postgres = &killing->stores[1];
  char yaml[600];
  *sqlite = (struct shaken){.folder = peru_workspace(&killing->peru, "sqlite", "{sqlite: puente.db}")};
  *postgres = (struct shaken){.postgres = true};
  const char *owner = postgres_start();
  snprintf(postgres->conninfo, sizeof postgres->conninfo, "%.*sdbname=work", (int)(strstr(owner, "dbname=") - owner),
           owner);
  snprintf(yaml, sizeof yaml, "{postgres: \"%s\"}", postgres->conninfo);
  postgres->admin = PQconnectdb(postgres_admin());
  if (PQstatus(postgres->admin) != CONNECTION_OK) {
    give_up("no connection", PQerrorMessage(postgres->admin));
  }
  PQsetNoticeProcessor(postgres->admin, ignore_notice, NULL);
  postgres->folder = peru_workspace(&killing->peru, "postgres", yaml);
  for (int s = 0; s < STORES; s++) { /* small pages: many transactions */
    shell("sed -i 's/page_size: 200/page_size: 20/' %s/sources/*.yaml", killing->stores[s].folder);
    shell("cp -r %s/mappings %s/mappings.former", killing->stores[s].folder, killing->stores[s].folder);
  }
}

/* What every store holds after `arguments` ran from `from` on, saved as `to`. */
static void step(const struct killing *killing, const struct act *act, const char *to) {
  for (int s = 0; s < STORES; s++) {
    set_back(&killing->stores[s], act);
    must_run(&killing->stores[s], act->arguments);
    save(&killing->stores[s], to);
  }
}

static void others(struct killing *killing, int count) {
  /* One mapping keeps less, another one leaves a field that stood in the way: quarantined records come back. */
  static const char former[] = "rm -rf mappings && cp -r mappings.former mappings && rm -f copy.*";
  static const char other[] = "rm -rf mappings && cp -r mappings.former mappings && "
                              "sed -i 's/else: quarantine/else: null/; s/, required: true//' mappings/*.yaml";
  /* A copy that has its name is whole and has its digest, whenever its making was killed. */
  static const char whole[] =
      "for copy in copy.*; do case $copy in *.part*|*.sha256) ;; *) sha256sum --check --quiet $copy.sha256 || exit 1; "
      "if [ -e puente.db ]; then "
      "[ \"$(sqlite3 $copy 'PRAGMA integrity_check')\" = ok ]; else "
      "pg_restore --list $copy | grep -q 'TABLE DATA puente audit_log'; fi || exit 1;; esac; done";
  static const struct act acts[] = {
      {.arguments = "link", .from = "synced", .before = former},
      {.arguments = "link --full", .from = "round2", .before = former},
      {.arguments = "remap", .from = "round2", .before = other},
      {.arguments = "sync sistra --reload", .from = "round2", .before = former},
      {.arguments = "quarantine retry", .from = "round2", .before = other},
      {.arguments = "store backup $FOLDER/copy.$$", .from = "round2", .before = former, .holds = whole},
  };
  for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
    kill_many(killing, &acts[i], count, &killing->count.other_kills, &killing->count.other_identical);
  }
}

static void stop(struct killing *killing) {
  PQfinish(killing->stores[1].admin);
  for (int s = 0; s < STORES; s++) {
    free(killing->stores[s].folder);
  }
  peru_stop(&killing->peru);
}

struct kills_count kills_do(const struct kills_wanted *wanted) {
  static const struct act first = {.arguments = "run"}, second = {.arguments = "run", .from = "round1"},
                          sync = {.arguments = "sync", .from = "round1"};
  struct killing killing = {.state = wanted->seed};
  struct kills_count *count = &killing.count;
  peru_start(&killing.peru, wanted->population, wanted->seed, NULL);
  prepare(&killing);
  printf("note: seed %llu, population %u\n", (unsigned long long)wanted->seed, wanted->population);
  kill_many(&killing, &first, wanted->runs / 2, &count->kills, &count->identical);
  step(&killing, &first, "round1");
  peru_advance(&killing.peru);
  kill_many(&killing, &second, wanted->runs - wanted->runs / 2, &count->kills, &count->identical);
  step(&killing, &second, "round2");
  step(&killing, &sync, "synced");
  others(&killing, wanted->others);
  stop(&killing);
  printf(
      "note: moments=%d on two stores, killed while going on=%d, drawn again=%d; link, remap, reload, retry, backup: "
      "kills=%d identical=%d\n",
      count->kills, count->again, count->drawn_again, count->other_kills, count->other_identical);
  return killing.count;
}
