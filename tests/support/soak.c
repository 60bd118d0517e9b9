#include "tests/support/soak.h"

#include "core/base/date.h"
#include "tests/support/http_server.h"
#include "tests/support/serving.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR (INT64_C(3600) * 1000000)
enum { FAILING = 4, ANSWERS = 62, SAMPLE_MILLISECONDS = 40 };
/* Kilobytes; a short soak is hardly warm before it ends. */
enum { SLACK = 4096, SLACK_SHORT = 24576, SHORT_DAYS = 10 };

/* The third one is pulled from a server; a further one, too, which fails at every fourth request. */
static const struct {
  const char *code;
  int hours;
} sources[] = {{"alpha", 6}, {"beta", 8}, {"gamma", 12}, {"delta", 12}};

static const char SERVE[] =
    "{timezone: UTC, status: off, retry: {first: 20m, most: 2h, breaks: 5, open: 4h}, sources: "
    "{alpha: '0 */6 * * *', beta: '0 */8 * * *', gamma: '0 */12 * * *', delta: '0 */12 * * *'}}";

struct usage {
  long memory;
  int files;
};

static struct usage usage_of(pid_t process) {
  struct usage usage = {.memory = 0};
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/statm", (long)process);
  FILE *file = fopen(path, "re");
  if (file == NULL || fscanf(file, "%*d %ld", &usage.memory) != 1) {
    abort();
  }
  fclose(file);
  usage.memory *= sysconf(_SC_PAGESIZE) / 1024;
  snprintf(path, sizeof path, "/proc/%ld/fd", (long)process);
  DIR *folder = opendir(path);
  while (folder != NULL && readdir(folder) != NULL) {
    usage.files++;
  }
  closedir(folder);
  return usage;
}

/* At rest: the least of some samples, since runs come and go. */
static struct usage least(struct usage a, struct usage b) {
  return (struct usage){.memory = a.memory < b.memory ? a.memory : b.memory,
                        .files = a.files < b.files ? a.files : b.files};
}

/* Runs of a source that were done, and the due moments from its first one on; they differ where a moment was left out
 * or handled twice. */
static void count_runs(const struct serving *serving, const char *code, int hours, int64_t until,
                       struct soak_count *count) {
  char sql[192];
  snprintf(sql, sizeof sql,
           "SELECT started FROM runs WHERE kind = 'sync' AND source = '%s' AND state = 'done' ORDER BY run_id", code);
  char *rows = workspace_rows(serving->folder, sql), *rest = rows;
  int64_t former = 0, moment = 0;
  for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0'; former = moment) {
    if (!clock_parse(slice_of(line), &moment)) {
      abort();
    }
    count->runs++;
    count->due += former == 0 ? 1 : (int)(moment / (hours * HOUR) - former / (hours * HOUR));
  }
  int64_t open = until / (hours * HOUR) - moment / (hours * HOUR);
  count->due += open > 0 ? (int)open : 0;
  free(rows);
}

static int number(const struct serving *serving, const char *sql) {
  return (int)workspace_number(serving->folder, sql);
}

static void script(struct http_server *server, struct http_answer *answers) {
  static const char page[] = "{\"data\":[{\"id\":\"g1\",\"victim\":\"a\",\"surname\":\"QUISPE\"}],\"next\":null}";
  static const char other[] = "{\"data\":[{\"id\":\"d1\",\"victim\":\"a\",\"surname\":\"HUAMAN\"}],\"next\":null}";
  answers[0] = (struct http_answer){.path = "/gamma", .body = page};
  for (int i = 1; i < ANSWERS; i++) {
    answers[i] =
        (struct http_answer){.path = "/delta", .body = other, .status = i % FAILING == FAILING - 1 ? 503 : 200};
  }
  http_server_script(server, answers, ANSWERS);
}

static void sleep_for(int milliseconds) {
  nanosleep(&(const struct timespec){.tv_nsec = milliseconds * 1000000L}, NULL);
}

struct soak_count soak_do(const struct soak_wanted *wanted) {
  struct soak_count count = {.dropped = 2}; /* the server's own two records */
  static struct http_answer answers[ANSWERS];
  struct serving serving;
  struct http_server *server = http_server_start(NULL);
  script(server, answers);
  serving_make(&serving, "{sqlite: puente.db}", SERVE);
  serving_files(&serving, "alpha", "");
  serving_files(&serving, "beta", "");
  serving_rest(&serving, "gamma", http_server_port(server), "", "");
  serving_rest(&serving, "delta", http_server_port(server), "", "");
  char environment[160];
  snprintf(environment, sizeof environment, "ASAN_OPTIONS=quarantine_size_mb=1 PUENTE_CLOCK='2026-03-01T01:00:00Z x%d'",
           wanted->rate);
  int64_t began = clock_monotonic(), begins, whole = wanted->days * INT64_C(24) * HOUR / wanted->rate;
  if (!clock_parse(slice_of("2026-03-01T01:00:00Z"), &begins)) {
    abort();
  }
  pid_t daemon = serving_start(&serving, "serve", environment, "");
  struct usage early = {.memory = 1L << 30, .files = 1 << 20}, late = early;
  int64_t dropped_at = 0;
  for (int64_t passed = 0; passed < whole; passed = clock_monotonic() - began) {
    if (passed - dropped_at > whole / 100 || dropped_at == 0) {
      dropped_at = passed;
      serving_drop(&serving, count.dropped % 2 == 0 ? "alpha" : "beta", count.dropped);
      count.dropped++;
    }
    struct usage now = passed > whole / 3 ? usage_of(daemon) : early;
    early = passed > whole / 3 && passed < whole * 5 / 9 ? least(early, now) : early;
    late = passed > whole * 7 / 9 ? least(late, now) : late;
    sleep_for(SAMPLE_MILLISECONDS);
  }
  int code = serving_end(daemon, SIGTERM);
  int64_t until =
      begins + (clock_monotonic() - began) * wanted->rate - 2 * HOUR; /* a due moment just now may be open */
  if (code != 0) {
    char *log = serving_log(&serving, "serve");
    fprintf(stderr, "the daemon ended with %d:\n%s\n", code, log);
    free(log);
    abort();
  }
  for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
    count_runs(&serving, sources[i].code, sources[i].hours, until, &count);
  }
  count.failed = number(&serving, "SELECT count(*) FROM runs WHERE state = 'failed' AND source = 'delta'");
  count.links = number(&serving, "SELECT count(*) FROM runs WHERE kind = 'link'");
  (void)workspace_run(serving.folder, "sync alpha beta", NULL);
  count.kept = number(&serving, "SELECT count(*) FROM records");
  count.memory_early = early.memory;
  count.memory_late = late.memory;
  count.files_early = early.files;
  count.files_late = late.files;
  serving_remove(&serving);
  http_server_stop(server);
  return count;
}

void soak_check(const struct soak_wanted *wanted) {
  struct soak_count count = soak_do(wanted);
  printf(
      "note: soak of %d days: runs=%d due=%d failed=%d links=%d records=%d of %d memory=%ld to %ld kB files=%d to %d\n",
      wanted->days, count.runs, count.due, count.failed, count.links, count.kept, count.dropped, count.memory_early,
      count.memory_late, count.files_early, count.files_late);
  /* Never twice; on a slow machine two due moments of the fast clock may fall into one run. */
  assert_true(count.runs <= count.due && count.runs * 4 >= count.due * 3);
  assert_true(count.failed > 0 && count.links > 0);
  assert_int_equal(count.kept, count.dropped);
  assert_int_equal(count.files_late, count.files_early);
  assert_true(count.memory_late <= count.memory_early + (wanted->days < SHORT_DAYS ? SLACK_SHORT : SLACK));
  printf("soak ok: runs=%d due=%d failed=%d days=%d\n", count.runs, count.due, count.failed, wanted->days);
}
