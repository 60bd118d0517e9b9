/* `puente link` on CSV files as a user runs it: the two public files with a known truth, and simulated persons of a
 * seed that nothing was tuned on. Prints a JSON line for each, with the floor beside each figure. Seven million records
 * are made where BENCH_LARGE is set, since they take minutes.
 *
 * usage: bench_link_csv [CASE] */
#include "tests/support/program.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SEED = 2026 };

struct bench_case {
  const char *name;
  const char *data; /* NULL: simulated */
  unsigned population;
  const char *config;
  bool large;
  double f1, seconds, mib; /* floors; 0: none */
};

static const struct bench_case cases[] = {
    {"link_febrl3", "../shared/data/febrl3.csv", 0, "febrl.yaml", false, 0.988, 0, 0},
    {"link_fake_1000", "../shared/data/fake_1000.csv", 0, "fake_1000.yaml", false, 0.925, 0, 0},
    {"link_persons_100k", NULL, 47400, "persons.yaml", false, 0, 0, 0},
    {"link_persons_1m", NULL, 474000, "persons.yaml", false, 0, 20, 1536},
    {"link_persons_7m", NULL, 3317000, "persons.yaml", true, 0, 180, 8192},
};

static void fail(const char *name, const char *what) {
  fprintf(stderr, "bench_link_csv: %s: %s\n", name, what);
  exit(1);
}

static double member(const json_t *root, const char *object, const char *name) {
  return json_number_value(json_object_get(object == NULL ? root : json_object_get(root, object), name));
}

/* Of programs that ended: what one takes of a machine that others use too. */
static double cpu_seconds(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_CHILDREN, &usage) != 0) {
    return 0;
  }
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
         + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void print_figures(const struct bench_case *bench, const json_t *root, double cpu) {
  const json_t *truth = json_object_get(root, "truth"), *among = json_object_get(root, "among");
  double seconds = member(root, "seconds", "total"), compared = member(root, "pairs", "compared");
  printf("{\"case\":\"%s\",\"records\":%.0f,\"seconds\":%.2f,\"read_seconds\":%.2f,\"link_seconds\":%.2f,"
         "\"cpu_seconds\":%.2f,\"peak_mib\":%"
         ".0f,"
         "\"pairs_compared\":%.0f,\"pairs_waiting\":%.0f,\"precision\":%.4f,\"recall\":%.4f,\"f1\":%.4f,\"b3_f1\":%.4f,"
         "\"proposed_of_true\":%.4f",
         bench->name, member(root, NULL, "records"), seconds, member(root, "seconds", "read"),
         member(root, "seconds", "link"), cpu, member(root, NULL, "peak_mib"), compared,
         member(root, "pairs", "waiting"), member(truth, "pairwise", "precision"), member(truth, "pairwise", "recall"),
         member(truth, "pairwise", "f1"), member(truth, "b3", "f1"), member(truth, NULL, "ceiling"));
  if (among != NULL) {
    printf(",\"kin_precision\":%.4f", member(among, "pairwise", "precision"));
  }
  bool held = true;
  if (bench->f1 > 0) {
    held = member(truth, "pairwise", "f1") >= bench->f1;
    printf(",\"f1_floor\":%.3f", bench->f1);
  }
  if (bench->seconds > 0) {
    held = held && seconds <= bench->seconds && member(root, NULL, "peak_mib") <= bench->mib;
    printf(",\"seconds_floor\":%.0f,\"peak_mib_floor\":%.0f", bench->seconds, bench->mib);
  }
  printf(",\"held\":%s}\n", held ? "true" : "false");
  fflush(stdout);
}

static void run(const struct bench_case *bench, const char *root_folder) {
  char data[2 * PATH_MAX], arguments[5 * PATH_MAX];
  char *folder = temp_make();
  if (bench->data == NULL) {
    snprintf(data, sizeof data, "%.4000s/persons.csv", folder);
    shell("%s/puente-simulator --persons-csv %s --population %u --seed %d", build_folder(), data, bench->population,
          SEED);
  } else {
    snprintf(data, sizeof data, "%.4000s/%s", root_folder, bench->data);
  }
  if (access(data, R_OK) != 0) {
    printf("{\"case\":\"%s\",\"skipped\":\"%s is not there\"}\n", bench->name, bench->data);
    temp_remove(folder);
    return;
  }
  snprintf(arguments, sizeof arguments,
           "--json link --csv %s --link %s/examples/link/%s --out clusters.csv --threads 2%s", data, root_folder,
           bench->config, bench->data == NULL ? " --among kin" : "");
  double cpu = cpu_seconds();
  struct said said = program_run(folder, arguments);
  json_t *root = json_loads(said.out, 0, NULL);
  if (said.code != 0 || root == NULL) {
    fail(bench->name, said.err);
  }
  print_figures(bench, root, cpu_seconds() - cpu);
  json_decref(root);
  program_forget();
  temp_remove(folder);
}

int main(int argc, char **argv) {
  char here[PATH_MAX];
  if (getcwd(here, sizeof here) == NULL) {
    fail("", "no folder to work in");
  }
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (cases[i].large && getenv("BENCH_LARGE") == NULL) {
      continue;
    }
    if (argc < 2 || strstr(cases[i].name, argv[1]) != NULL) {
      run(&cases[i], here);
    }
  }
  return 0;
}
