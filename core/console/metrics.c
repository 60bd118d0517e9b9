#include "core/console/metrics.h"

#include "core/base/date.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the format ---- */

static void head(struct buffer *out, const char *name, const char *type, const char *help) {
  buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and line end are escaped. */
static void put_label(struct buffer *out, const char *name, const char *value) {
  buffer_printf(out, "%s%s=\"", out->data[out->len - 1] == '{' ? "" : ",", name);
  for (; *value != '\0'; value++) {
    if (*value == '\\' || *value == '"') {
      buffer_char(out, '\\');
    }
    if (*value == '\n') {
      buffer_text(out, "\\n");
    } else {
      buffer_char(out, *value);
    }
  }
  buffer_char(out, '"');
}

static void put_number(struct buffer *out, int64_t value) {
  buffer_printf(out, " %lld\n", (long long)value);
}

/* Microseconds as seconds. */
static void put_seconds(struct buffer *out, int64_t micros) {
  buffer_printf(out, " %lld.%06lld\n", (long long)(micros / 1000000), (long long)(micros % 1000000));
}

/* One figure without labels. */
static void put_single(struct buffer *out, const char *name, const char *help, int64_t value) {
  head(out, name, "gauge", help);
  buffer_text(out, name);
  put_number(out, value);
}

static void put_moment(struct buffer *out, const char *name, const char *help, int64_t micros) {
  if (micros > 0) {
    head(out, name, "gauge", help);
    buffer_text(out, name);
    put_seconds(out, micros);
  }
}

/* ---- sources ---- */

/* `name{source="reta"`: more labels or the end may follow. */
static void put_source(struct buffer *out, const char *name, const struct source_overview *source) {
  buffer_printf(out, "%s{", name);
  put_label(out, "source", source->source->code);
}

static void put_states(struct buffer *out, const struct overview *overview) {
  static const char name[] = "puente_source_state";
  head(out, name, "gauge", "1 for the state that the source is in, 0 for the others.");
  for (size_t i = 0; i < overview->source_count; i++) {
    for (int state = STANDING_FAILED; state <= STANDING_RETIRED; state++) {
      put_source(out, name, &overview->sources[i]);
      put_label(out, "state", standing_names[state]);
      buffer_printf(out, "} %d\n", (int)overview->sources[i].standing.standing == state);
    }
  }
}

/* A figure of each source; moments only where there is one. */
struct source_metric {
  const char *name, *help;
  int64_t (*value)(const struct source_overview *source);
  bool moment;
};

static int64_t since_of(const struct source_overview *source) {
  return source->standing.since;
}
static int64_t succeeded_of(const struct source_overview *source) {
  return source->health.succeeded;
}
static int64_t tried_of(const struct source_overview *source) {
  return source->health.tried;
}
static int64_t due_of(const struct source_overview *source) {
  return source->standing.due == INT64_MAX ? 0 : source->standing.due;
}
static int64_t failures_of(const struct source_overview *source) {
  return source->health.failures;
}
static int64_t circuit_of(const struct source_overview *source) {
  return source->standing.circuit_open;
}
static int64_t drift_of(const struct source_overview *source) {
  return source->drift;
}

static const struct source_metric source_metrics[] = {
    {"puente_source_state_since_timestamp_seconds", "Since when the source is in its state.", since_of, true},
    {"puente_source_last_success_timestamp_seconds", "When a sync of the source last succeeded.", succeeded_of, true},
    {"puente_source_last_try_timestamp_seconds", "When the source was last asked.", tried_of, true},
    {"puente_source_due_timestamp_seconds", "When the source is due next.", due_of, true},
    {"puente_source_failures", "Syncs of the source that failed in a row.", failures_of, false},
    {"puente_source_circuit_open", "1 while the source is left alone for a time, since it failed often.", circuit_of,
     false},
    {"puente_source_drift_open", "Fields of the source that are new, missing or of another type.", drift_of, false},
};

static void put_source_metrics(struct buffer *out, const struct overview *overview) {
  for (size_t m = 0; m < sizeof source_metrics / sizeof *source_metrics; m++) {
    const struct source_metric *metric = &source_metrics[m];
    head(out, metric->name, "gauge", metric->help);
    for (size_t i = 0; i < overview->source_count; i++) {
      int64_t value = metric->value(&overview->sources[i]);
      if (metric->moment && value <= 0) {
        continue;
      }
      put_source(out, metric->name, &overview->sources[i]);
      buffer_char(out, '}');
      if (metric->moment) {
        put_seconds(out, value);
      } else {
        put_number(out, value);
      }
    }
  }
}

static void put_records(struct buffer *out, const struct overview *overview) {
  static const char *const states[] = {"mapped", "quarantined", "withheld", "dismissed"};
  static const char name[] = "puente_source_records";
  head(out, name, "gauge", "Current records of the source by what became of them.");
  for (size_t i = 0; i < overview->source_count; i++) {
    const struct source_overview *source = &overview->sources[i];
    const int64_t counts[] = {source->mapped, source->quarantined, source->withheld,
                              source->total - source->mapped - source->quarantined - source->withheld};
    for (size_t s = 0; s < sizeof states / sizeof *states; s++) {
      put_source(out, name, source);
      put_label(out, "state", states[s]);
      buffer_char(out, '}');
      put_number(out, counts[s]);
    }
  }
}

static const char *const results[RUN_RESULTS] = {"done", "failed", "interrupted"};

static void put_runs(struct buffer *out, const struct overview *overview, const struct run_tally *tally) {
  static const char name[] = "puente_runs_total";
  head(out, name, "counter", "Syncs of the source since the store was made, by how they ended.");
  for (size_t i = 0; i < overview->source_count && i < tally->sources; i++) {
    for (int r = 0; r < RUN_RESULTS; r++) {
      put_source(out, name, &overview->sources[i]);
      put_label(out, "result", results[r]);
      buffer_char(out, '}');
      put_number(out, tally->ended[i][r]);
    }
  }
}

static void put_expiries(struct buffer *out, const struct overview *overview) {
  static const char name[] = "puente_expiry_timestamp_seconds";
  head(out, name, "gauge", "When a certificate, password or key ends; the first one of its kind.");
  for (size_t i = 0; i < overview->expiry_count; i++) {
    const struct expiry *expiry = &overview->expiries[i];
    bool first = true;
    for (size_t j = 0; j < overview->expiry_count; j++) {
      const struct expiry *other = &overview->expiries[j];
      bool same =
          strcmp(other->what, expiry->what) == 0
          && strcmp(other->source != NULL ? other->source : "", expiry->source != NULL ? expiry->source : "") == 0;
      first = first && !(same && (other->at < expiry->at || (other->at == expiry->at && j < i)));
    }
    if (first) {
      buffer_printf(out, "%s{", name);
      put_label(out, "source", expiry->source != NULL ? expiry->source : "");
      put_label(out, "what", expiry->what);
      buffer_char(out, '}');
      put_seconds(out, expiry->at);
    }
  }
}

/* ---- the whole ---- */

static int64_t store_bytes(const struct config *config) {
  static const char *const parts[] = {"", "-wal"};
  char path[4096];
  struct stat about;
  int64_t bytes = 0;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    snprintf(path, sizeof path, "%s%s", config->store_path, parts[i]);
    bytes += stat(path, &about) == 0 ? (int64_t)about.st_size : 0;
  }
  return bytes;
}

static void put_store(struct buffer *out, const struct config *config, const struct overview *overview) {
  head(out, "puente_build_info", "gauge", "The program's version and the format of its store.");
  buffer_text(out, "puente_build_info{");
  put_label(out, "version", PUENTE_VERSION);
  char format[16];
  snprintf(format, sizeof format, "%d", overview->version);
  put_label(out, "store_format", format);
  put_label(out, "store", config->store == STORE_SQLITE ? "sqlite" : "postgres");
  buffer_text(out, "} 1\n");
  if (config->store == STORE_SQLITE && config->store_path != NULL) {
    put_single(out, "puente_store_bytes", "Bytes of the store's files.", store_bytes(config));
  }
  put_moment(out, "puente_backup_last_timestamp_seconds", "When a backup was last made and read back.",
             overview->backup);
  put_single(out, "puente_checkpoint_holders", "Outside holders of checkpoints that are configured.",
             (int64_t)overview->holders.holders);
  put_moment(out, "puente_checkpoint_last_timestamp_seconds", "When one of them last took a checkpoint of the log.",
             overview->holders.last);
  put_moment(out, "puente_restore_last_timestamp_seconds", "When restoring a backup was last tried.",
             overview->restored);
}

void metrics_put(struct buffer *out, const struct workspace *workspace, const struct overview *overview,
                 const struct run_tally *tally, bool ready) {
  put_store(out, workspace->config, overview);
  put_single(out, "puente_ready", "1 where the store answers and no reload of the configuration failed.", ready);
  put_moment(out, "puente_snapshot_timestamp_seconds", "When these figures were read from the store.", clock_now());
  put_states(out, overview);
  put_source_metrics(out, overview);
  put_records(out, overview);
  put_runs(out, overview, tally);
  put_expiries(out, overview);
  put_single(out, "puente_persons", "Persons that linking found.", overview->persons);
  put_single(out, "puente_cases", "Cases that linking found.", overview->cases);
  put_single(out, "puente_review_waiting", "Pairs that wait for a person's decision.", overview->review);
  put_single(out, "puente_link_waiting", "Records new, changed or deleted since the last linking.", overview->waiting);
  put_single(out, "puente_link_failed", "1 where the last linking failed.", overview->link_message != NULL);
  put_moment(out, "puente_link_last_timestamp_seconds", "When linking last ended well.", overview->linked);
}

/* ---- runs by result ---- */

void run_tally_free(struct run_tally *tally) {
  free(tally->settled);
  free(tally->ended);
  *tally = (struct run_tally){.counted = 0};
}

/* Another configuration has other sources: it is counted anew. */
static enum status fit_tally(struct run_tally *tally, size_t sources, struct error *error) {
  if (tally->ended != NULL && tally->sources == sources) {
    memcpy(tally->ended, tally->settled, sources * sizeof *tally->ended);
    return OK;
  }
  run_tally_free(tally);
  tally->settled = calloc(sources + 1, sizeof *tally->settled);
  tally->ended = calloc(sources + 1, sizeof *tally->ended);
  tally->sources = sources;
  return tally->settled == NULL || tally->ended == NULL ? error_memory(error) : OK;
}

struct counting {
  struct run_tally *tally;
  const struct config *config;
  int64_t first_running, last; /* first_running 0: none runs */
};

static void count_run(struct counting *counting, int64_t run, struct slice source, struct slice state) {
  struct run_tally *tally = counting->tally;
  counting->last = run > counting->last ? run : counting->last;
  for (int r = 0; r < RUN_RESULTS; r++) {
    if (slice_is(state, results[r])) {
      for (size_t i = 0; i < tally->sources; i++) {
        tally->ended[i][r] += slice_is(source, counting->config->sources[i].code);
      }
      return;
    }
  }
  counting->first_running = run; /* newest first: the last one that is seen is the first */
}

enum status run_tally_read(struct run_tally *tally, const struct workspace *workspace, struct error *error) {
  static const char *const columns[] = {"run_id", "source", "state"};
  static const struct filter syncs = {.column = "kind", .text = "sync"};
  const struct selection selection = {
      .view = "runs", .columns = columns, .column_count = 3, .filters = &syncs, .filter_count = 1, .order = "-run_id"};
  struct counting counting = {.tally = tally, .config = workspace->config};
  struct result *result = NULL;
  enum status status = fit_tally(tally, workspace->config->source_count, error);
  if (status != OK || workspace->store == NULL) {
    return status;
  }
  status = store_select(workspace->store, &selection, &result, error);
  if (status != OK) {
    return status;
  }
  while ((status = result_next(result, error)) == OK && result_integer(result, 0) > tally->counted) {
    count_run(&counting, result_integer(result, 0), result_text(result, 1), result_text(result, 2));
  }
  result_free(result);
  if (counting.first_running == 0 && counting.last > 0) {
    tally->counted = counting.last;
    memcpy(tally->settled, tally->ended, tally->sources * sizeof *tally->settled);
  }
  return status == END ? OK : status;
}

/* ---- the process ---- */

static void put_memory(struct buffer *out) {
  FILE *file = fopen("/proc/self/statm", "re");
  unsigned long long size = 0;
  unsigned long long resident = 0;
  if (file != NULL && fscanf(file, "%llu %llu", &size, &resident) == 2) {
    int64_t page = (int64_t)sysconf(_SC_PAGESIZE);
    put_single(out, "process_virtual_memory_bytes", "Virtual memory size in bytes.", (int64_t)size * page);
    put_single(out, "process_resident_memory_bytes", "Resident memory size in bytes.", (int64_t)resident * page);
  }
  if (file != NULL) {
    fclose(file);
  }
}

static int64_t count_entries(const char *folder) {
  DIR *dir = opendir(folder);
  int64_t count = 0;
  for (const struct dirent *entry = NULL; dir != NULL && (entry = readdir(dir)) != NULL;) {
    count += entry->d_name[0] != '.';
  }
  if (dir != NULL) {
    closedir(dir);
  }
  return count;
}

void metrics_put_process(struct buffer *out) {
  struct rlimit limit;
  struct rusage usage;
  put_memory(out);
  put_single(out, "process_open_fds", "Number of open file descriptors.", count_entries("/proc/self/fd") - 1);
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    put_single(out, "process_max_fds", "Maximum number of open file descriptors.", (int64_t)limit.rlim_cur);
  }
  put_single(out, "process_threads", "Number of threads.", count_entries("/proc/self/task"));
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    head(out, "process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.");
    buffer_text(out, "process_cpu_seconds_total");
    put_seconds(out, (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec
                         + usage.ru_stime.tv_usec);
  }
}
