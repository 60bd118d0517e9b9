/* Five registries with known truth, for the demo and the tests: see examples/peru/README.md. */
#include "examples/peru/simulator/evaluate.h"
#include "examples/peru/simulator/persons.h"
#include "examples/peru/simulator/serve.h"

#include <getopt.h>
#include <libxml/parser.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: puente-simulator --dir DIR [OPTIONS]      make a population and serve it until SIGTERM\n"
    "       puente-simulator --persons-csv FILE [OPTIONS]    write the persons of all sources as one table, and end\n"
    "       puente-simulator evaluate TRUTH STORE [PRECISION RECALL]\n"
    "\n"
    "  --dir DIR          where datamart.db, siscalp/, truth.csv, round and port are written\n"
    "  --data DIR         names, districts, offences (default examples/peru/data)\n"
    "  --secrets DIR      files sistra, reta, mimp with the passwords; else $PUENTE_SIMULATOR_SECRET for all three\n"
    "  --population N     persons, victims and accused (default 2000)\n"
    "  --seed S           (default 1)\n"
    "  --errors RATES     one number that multiplies all rates, or name=rate,name=rate\n"
    "  --round R          the round to begin with (default 1); SIGUSR1 goes on to the next\n"
    "  --port N           (default 0: any free one)\n"
    "  --port-file FILE   (default DIR/port)\n"
    "  --token-life S     seconds that an access token of SISTRA lives (default 3600)\n"
    "  --sql FILE         also write DATAMART as statements for PostgreSQL\n"
    "  --once             write the files of the round and end\n";

struct settings {
  const char *folder, *data, *secrets, *port_file, *sql, *persons;
  uint32_t population;
  uint64_t seed;
  uint16_t port;
  bool once;
};

static bool read_secret(const char *folder, const char *name, char secret[SECRET_SIZE]) {
  const char *common = getenv("PUENTE_SIMULATOR_SECRET");
  if (folder == NULL) {
    snprintf(secret, SECRET_SIZE, "%s", common == NULL ? "" : common);
    return secret[0] != '\0';
  }
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *in = fopen(path, "rb");
  bool read = in != NULL && fgets(secret, SECRET_SIZE, in) != NULL;
  if (in != NULL) {
    fclose(in);
  }
  secret[strcspn(secret, "\r\n")] = '\0';
  return read && secret[0] != '\0';
}

/* Readers must never see half of it. */
static bool write_small(const char *path, unsigned long value) {
  char hidden[4096];
  snprintf(hidden, sizeof hidden, "%s.part", path);
  FILE *out = fopen(hidden, "wb");
  if (out == NULL) {
    return false;
  }
  fprintf(out, "%lu\n", value);
  return fclose(out) == 0 && rename(hidden, path) == 0;
}

/* Everything that a round shows; the round's number is written last. */
static bool show_round(struct service *service, const struct settings *settings) {
  char path[4096];
  bool good = true;
  for (int source = SISTRA; source <= MIMP && good; source++) {
    listing_free(&service->listings[source]);
    good = listing_make(&service->simulation, (enum source)source, source != SISTRA, &service->listings[source]);
  }
  snprintf(path, sizeof path, "%s/datamart.db", settings->folder);
  good = good && datamart_write(path, &service->simulation);
  good = good && (settings->sql == NULL || datamart_write_sql(settings->sql, &service->simulation));
  snprintf(path, sizeof path, "%s/siscalp", settings->folder);
  mkdir(path, 0700);
  good = good && siscalp_write(path, &service->simulation);
  snprintf(path, sizeof path, "%s/truth.csv", settings->folder);
  good = good && truth_write(path, &service->simulation);
  snprintf(path, sizeof path, "%s/round", settings->folder);
  good = good && write_small(path, (unsigned long)service->simulation.round);
  if (!good) {
    fprintf(stderr, "puente-simulator: cannot write to %s\n", settings->folder);
  }
  return good;
}

static int serve(struct service *service, const struct settings *settings, const sigset_t *signals) {
  char path[4096];
  uint16_t port = settings->port;
  struct MHD_Daemon *daemon = serve_start(service, &port);
  snprintf(path, sizeof path, "%s/port", settings->folder);
  if (daemon == NULL || !write_small(settings->port_file == NULL ? path : settings->port_file, port)) {
    fprintf(stderr, "puente-simulator: cannot listen on 127.0.0.1\n");
    return 1;
  }
  bool good = true;
  for (int signal = 0; good && sigwait(signals, &signal) == 0 && signal == SIGUSR1;) {
    pthread_mutex_lock(&service->lock);
    service->simulation.round++;
    good = show_round(service, settings);
    pthread_mutex_unlock(&service->lock);
  }
  serve_stop(daemon);
  return good ? 0 : 1;
}

static bool read_option(int option, struct settings *settings, struct service *service) {
  switch (option) {
  case 'd':
    settings->folder = optarg;
    return true;
  case 'a':
    settings->data = optarg;
    return true;
  case 'x':
    settings->secrets = optarg;
    return true;
  case 'n':
    settings->population = (uint32_t)strtoul(optarg, NULL, 10);
    return settings->population > 0 && settings->population <= 10000000;
  case 's':
    settings->seed = strtoull(optarg, NULL, 10);
    return true;
  case 'e':
    return rates_read(&service->simulation.rates, optarg);
  case 'r':
    service->simulation.round = (int)strtol(optarg, NULL, 10);
    return service->simulation.round >= 1 && service->simulation.round <= 1000;
  case 'p':
    settings->port = (uint16_t)strtoul(optarg, NULL, 10);
    return true;
  case 'f':
    settings->port_file = optarg;
    return true;
  case 't':
    service->token_life = (int)strtol(optarg, NULL, 10);
    return true;
  case 'q':
    settings->sql = optarg;
    return true;
  case 'c':
    settings->persons = optarg;
    return true;
  case 'o':
    settings->once = true;
    return true;
  default:
    return false;
  }
}

static bool read_options(int argc, char **argv, struct settings *settings, struct service *service) {
  static const struct option options[] = {{"dir", required_argument, NULL, 'd'},
                                          {"data", required_argument, NULL, 'a'},
                                          {"secrets", required_argument, NULL, 'x'},
                                          {"population", required_argument, NULL, 'n'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"errors", required_argument, NULL, 'e'},
                                          {"round", required_argument, NULL, 'r'},
                                          {"port", required_argument, NULL, 'p'},
                                          {"port-file", required_argument, NULL, 'f'},
                                          {"token-life", required_argument, NULL, 't'},
                                          {"sql", required_argument, NULL, 'q'},
                                          {"persons-csv", required_argument, NULL, 'c'},
                                          {"once", no_argument, NULL, 'o'},
                                          {NULL, 0, NULL, 0}};
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    if (!read_option(option, settings, service)) {
      return false;
    }
  }
  return (settings->folder != NULL) != (settings->persons != NULL) && optind == argc;
}

static int write_persons(const struct service *service, const char *path) {
  if (!persons_write(path, &service->simulation)) {
    fprintf(stderr, "puente-simulator: cannot write to %s\n", path);
    return 1;
  }
  return 0;
}

static int run_rounds(struct service *service, const struct settings *settings, const sigset_t *signals) {
  mkdir(settings->folder, 0700);
  if (!show_round(service, settings)) {
    return 1;
  }
  return settings->once ? 0 : serve(service, settings, signals);
}

static int evaluate(int argc, char **argv) {
  if (argc != 4 && argc != 6) {
    fputs(usage, stderr);
    return 2;
  }
  return evaluate_run(argv[2], argv[3], argc == 6 ? strtod(argv[4], NULL) : 0, argc == 6 ? strtod(argv[5], NULL) : 0);
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "evaluate") == 0) {
    return evaluate(argc, argv);
  }
  static struct service service = {.simulation = {.round = 1}, .lock = PTHREAD_MUTEX_INITIALIZER, .token_life = 3600};
  struct settings settings = {.data = "examples/peru/data", .population = 2000, .seed = 1};
  service.simulation.rates = default_rates;
  if (!read_options(argc, argv, &settings, &service)) {
    fputs(usage, stderr);
    return 2;
  }
  /* No simulator outlives the demo or the test that started it. */
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  bool secrets =
      settings.once || settings.persons != NULL
      || (read_secret(settings.secrets, "sistra", service.sistra) && read_secret(settings.secrets, "reta", service.reta)
          && read_secret(settings.secrets, "mimp", service.mimp));
  if (!secrets) {
    fprintf(stderr, "puente-simulator: no passwords: give --secrets DIR or set PUENTE_SIMULATOR_SECRET\n");
    return 2;
  }
  struct tables tables = {0};
  int result = 1;
  if (tables_load(&tables, settings.data)
      && world_make(&service.simulation.world, &tables, settings.population, settings.seed)) {
    result = settings.persons != NULL ? write_persons(&service, settings.persons)
                                      : run_rounds(&service, &settings, &signals);
  }
  for (int source = SISTRA; source <= MIMP; source++) {
    listing_free(&service.listings[source]);
  }
  world_free(&service.simulation.world);
  tables_free(&tables);
  xmlCleanupParser();
  return result;
}
