#include "tests/support/peru.h"

#include "tests/support/temp.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

/* The number in a file that the simulator writes as a whole; 0 while it is not there. */
static int read_number(const char *folder, const char *name) {
  char path[4096], text[32] = "";
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *in = fopen(path, "rb");
  if (in != NULL) {
    if (fgets(text, sizeof text, in) == NULL) {
      text[0] = '\0';
    }
    fclose(in);
  }
  return (int)strtol(text, NULL, 10);
}

static int await_number(const struct peru *peru, const char *name, int least) {
  for (int tries = 0; tries < 3000; tries++) {
    int number = read_number(peru->folder, name);
    if (number >= least) {
      return number;
    }
    if (waitpid(peru->simulator, NULL, WNOHANG) != 0) {
      break;
    }
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
  }
  fprintf(stderr, "test harness: the simulator does not answer\n");
  abort();
}

void peru_start(struct peru *peru, unsigned population, uint64_t seed, const char *more) {
  *peru = (struct peru){.folder = temp_make(), .round = 1};
  shell("mkdir -m 700 %s/secrets && for s in sistra reta mimp; do (umask 077; echo key-of-$s >%s/secrets/$s); done",
        peru->folder, peru->folder);
  peru->simulator = shell_start(0,
                                "exec %s/puente-simulator --dir %s --data examples/peru/data --secrets %s/secrets "
                                "--population %u --seed %llu %s",
                                build_folder(), peru->folder, peru->folder, population, (unsigned long long)seed,
                                more == NULL ? "" : more);
  peru->port = await_number(peru, "port", 1);
}

void peru_advance(struct peru *peru) {
  kill(peru->simulator, SIGUSR1);
  peru->round++;
  await_number(peru, "round", peru->round);
}

void peru_stop(struct peru *peru) {
  kill(peru->simulator, SIGTERM);
  waitpid(peru->simulator, NULL, 0);
  temp_remove(peru->folder);
}

char *peru_workspace(const struct peru *peru, const char *name, const char *store) {
  char *folder = NULL;
  if (asprintf(&folder, "%s/%s", peru->folder, name) < 0) {
    abort();
  }
  shell("mkdir %s && cp -r examples/peru/config/. %s && ln -s ../secrets ../datamart.db ../siscalp %s", folder, folder,
        folder);
  shell("sed -i 's/127\\.0\\.0\\.1:8480/127.0.0.1:%d/' %s/sources/*.yaml", peru->port, folder);
  shell("printf 'name: %%s\\nstore: %%s\\n' %s '%s' >%s/puente.yaml", name, store, folder);
  workspace_key(folder);
  return folder;
}

int peru_evaluate(const struct peru *peru, const char *folder, double precision, double recall, char **line) {
  int code = 0;
  *line = shell_output(&code, "%s/puente-simulator evaluate %s/truth.csv %s/puente.db %.3f %.3f", build_folder(),
                       peru->folder, folder, precision, recall);
  return code;
}

/* What a store says, without times and runs, each in an order of its own. The first is about runs. */
static const char *const statements[] = {
    "SELECT source, kind, pulled, fresh, changed, unchanged, repeated, rejected, mapped, quarantined, withheld, "
    "deleted, "
    "cut, warnings FROM runs ORDER BY run_id",
    "SELECT source, state, count(*) FROM records GROUP BY source, state ORDER BY source, state",
    "SELECT source, field, reason, shape, count(*) FROM quarantine GROUP BY source, field, reason, shape "
    "ORDER BY source, field, reason, shape",
    "SELECT row_id, record_id, source, place, offence, offence_own, reported_on FROM case_records ORDER BY row_id",
    "SELECT row_id, source, sex, birth_date, nationality, missing FROM person_records ORDER BY row_id",
    "SELECT row_id, source, role, age, protected FROM involvements ORDER BY row_id",
    "SELECT row_id, stage, began_on, decision FROM proceedings ORDER BY row_id",
    "SELECT row_id, type, starts_on, ends_on, state FROM measures ORDER BY row_id",
    "SELECT kind, row_id, id FROM members ORDER BY kind, row_id",
    "SELECT person_id, records, sources, sex, birth_date FROM persons ORDER BY person_id",
    "SELECT case_id, records, sources, place, offence FROM cases ORDER BY case_id",
    "SELECT kind, id, field, row_id, rule FROM origins ORDER BY kind, id, field, row_id",
};
enum { STATEMENTS = sizeof statements / sizeof *statements };

bool peru_same(const char *left, const char *right, bool counts) {
  bool same = true;
  for (size_t i = counts ? 0 : 1; i < STATEMENTS; i++) {
    char *a = workspace_rows(left, statements[i]), *b = workspace_rows(right, statements[i]);
    if (strcmp(a, b) != 0) {
      size_t at;
      for (at = 0; a[at] == b[at]; at++) {
      }
      for (; at > 0 && a[at - 1] != '\n'; at--) {
      }
      fprintf(stderr, "differs: %s\n  %.*s\n  %.*s\n", statements[i], (int)strcspn(a + at, "\n"), a + at,
              (int)strcspn(b + at, "\n"), b + at);
      same = false;
    }
    free(a);
    free(b);
  }
  return same;
}
