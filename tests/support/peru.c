#include "tests/support/peru.h"

#include "tests/support/temp.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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
