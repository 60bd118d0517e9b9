/* The whole house on simulated Peru: five registries served, synced into SQLite, and linked under both bands, each in a
 * workspace of its own. Prints a JSON line for each, with the floors beside the figures. Seeds and error rates are not
 * those that config/link was tuned on. The floor of F1 is for pairs that a program may join: of all pairs of simulated
 * Peru one in twenty is of a victim and an accused or of a protected person, which linking has to leave to a person, so
 * that no program gets there without joining what it must not; figures over all pairs stand beside.
 *
 * usage: bench_link_peru; PERSONS in the environment chooses the population: 20000 by default, since 100000 persons
 * take minutes to be synced. */
#include "core/base/date.h"
#include "tests/support/peru.h"
#include "tests/support/temp.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PERSONS = 20000, LINE_SIZE = 512 };

struct setting {
  const char *name;
  const char *band;
  uint64_t seed;
  const char *errors;                                     /* NULL: the usual rates */
  double joinable_f1, cases_f1, precision, kin_precision; /* floors; 0: none */
};

static const struct setting settings[] = {
    {"hold", "hold", 20260, NULL, 0, 0, 0.998, 0.995},
    {"tentative", "tentative", 20260, NULL, 0.970, 0.980, 0, 0},
    {"hold_more_errors", "hold", 20261, "--errors 1.5", 0, 0, 0.998, 0.995},
    {"tentative_more_errors", "tentative", 20261, "--errors 1.5", 0, 0, 0, 0},
};

struct figures {
  double precision, recall, f1;
};

/* Of the line of `found` that begins with `kind`. */
static struct figures read_figures(const char *found, const char *kind) {
  struct figures figures = {0};
  for (const char *line = found; line != NULL && *line != '\0'; line = strchr(line, '\n'), line += line != NULL) {
    if (strncmp(line, kind, strlen(kind)) == 0 && line[strlen(kind)] == ' ') {
      const char *at = strstr(line, "precision=");
      if (at == NULL
          || sscanf(at, "precision=%lf recall=%lf f1=%lf", &figures.precision, &figures.recall, &figures.f1) != 3) {
        fprintf(stderr, "bench_link_peru: no figures of %s\n", kind);
        exit(1);
      }
    }
  }
  return figures;
}

static double run(const char *folder, const char *arguments) {
  int64_t begun = clock_monotonic();
  if (workspace_run(folder, arguments, NULL) != 0) {
    fprintf(stderr, "bench_link_peru: puente %s failed\n", arguments);
    exit(1);
  }
  return (double)(clock_monotonic() - begun) / 1e6;
}

static void put(const char *name, double value, double floor, bool *held) {
  printf(",\"%s\":%.4f", name, value);
  if (floor > 0) {
    printf(",\"%s_floor\":%.3f", name, floor);
    *held = *held && value >= floor;
  }
}

static void print(const struct setting *setting, unsigned persons, const char *folder, const char *found, double sync,
                  double link) {
  struct figures all = read_figures(found, "persons"), joinable = read_figures(found, "joinable");
  struct figures kin = read_figures(found, "kin"), cases = read_figures(found, "cases");
  bool held = true;
  printf("{\"case\":\"link_peru_%s\",\"persons\":%u,\"records\":%lld,\"waiting\":%lld,\"sync_seconds\":%.1f,"
         "\"link_seconds\":%.1f",
         setting->name, persons, (long long)workspace_number(folder, "SELECT count(*) FROM person_records"),
         (long long)workspace_number(folder, "SELECT count(*) FROM pairs WHERE outcome = 'waiting'"), sync, link);
  put("persons_precision", all.precision, setting->precision, &held);
  put("persons_recall", all.recall, 0, &held);
  put("persons_f1", all.f1, 0, &held);
  put("joinable_precision", joinable.precision, 0, &held);
  put("joinable_recall", joinable.recall, 0, &held);
  put("joinable_f1", joinable.f1, setting->joinable_f1, &held);
  put("kin_precision", kin.precision, setting->kin_precision, &held);
  put("cases_precision", cases.precision, setting->precision, &held);
  put("cases_recall", cases.recall, 0, &held);
  put("cases_f1", cases.f1, setting->cases_f1, &held);
  printf(",\"held\":%s}\n", held ? "true" : "false");
  fflush(stdout);
}

/* The workspace's own rules of linkage: those of the program with another band. */
static void set_band(const char *folder, const char *band) {
  shell("cp -r config/link %s/link && sed -i 's/^band: .*/band: {%s: [0.80, 0.99]}/' %s/link/persons.yaml "
        "%s/link/cases.yaml && echo 'link: link/default.yaml' >>%s/puente.yaml",
        folder, band, folder, folder, folder);
}

static void measure(const struct setting *setting, unsigned persons) {
  struct peru peru;
  char *found = NULL;
  peru_start(&peru, persons, setting->seed, setting->errors);
  char *folder = peru_workspace(&peru, "bench", "{sqlite: puente.db}");
  set_band(folder, setting->band);
  double sync = run(folder, "--quiet sync"), link = run(folder, "--quiet link");
  if (peru_evaluate(&peru, folder, 0, 0, &found) != 0) {
    fprintf(stderr, "bench_link_peru: %s\n", found);
    exit(1);
  }
  print(setting, persons, folder, found, sync, link);
  free(found);
  free(folder);
  peru_stop(&peru);
}

int main(int argc, char **argv) {
  const char *wanted = getenv("PERSONS");
  unsigned persons = wanted == NULL ? PERSONS : (unsigned)strtoul(wanted, NULL, 10);
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
    if (argc < 2 || strcmp(settings[i].name, argv[1]) == 0) {
      measure(&settings[i], persons);
    }
  }
  return 0;
}
