/* `puente serve` as a process: schedules on a clock that runs fast, missed runs, faults of sources, signals. */
#include "core/base/date.h"
#include "core/service/workspace.h"
#include "core/store/watch.h"
#include "tests/support/http_server.h"
#include "tests/support/serving.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define SQLITE "{sqlite: puente.db}"
#define MINUTE (INT64_C(60) * 1000000)
#define ONE_PAGE "{\"data\":[{\"id\":\"1\",\"victim\":\"a\",\"surname\":\"QUISPE\"}],\"next\":null}"

static struct serving serving;
static struct http_server *server;

static int teardown(void **state) {
  (void)state;
  serving_remove(&serving);
  if (server != NULL) {
    http_server_stop(server);
    server = NULL;
  }
  return 0;
}

static void rest(void) {
  server = http_server_start(NULL);
}

static int64_t number(const char *sql) {
  return workspace_number(serving.folder, sql);
}

/* When the runs of a source began; how many. */
static size_t began(const char *source, int64_t *moments, size_t most) {
  char sql[160];
  size_t count = 0;
  snprintf(sql, sizeof sql, "SELECT started FROM runs WHERE kind = 'sync' AND source = '%s' ORDER BY run_id", source);
  char *rows = workspace_rows(serving.folder, sql), *rest_of = rows;
  for (char *line; (line = strsep(&rest_of, "\n")) != NULL && *line != '\0' && count < most; count++) {
    assert_true(clock_parse(slice_of(line), &moments[count]));
  }
  free(rows);
  return count;
}

/* Each run after the first belongs to a due moment of its own, and none is left out. */
static void assert_every(const char *source, int minutes, size_t least) {
  int64_t moments[64];
  size_t count = began(source, moments, 64);
  assert_true(count >= least);
  for (size_t i = 2; i < count; i++) {
    assert_int_equal(moments[i] / (minutes * MINUTE), moments[i - 1] / (minutes * MINUTE) + 1);
  }
}

/* A busy machine begins late now and then, and not each time: the promptest run after the first tells whether the
 * moment is the schedule's own. A second and a half here is ten minutes there. */
static void assert_prompt(const char *source, int minutes) {
  int64_t moments[64], least = INT64_MAX;
  size_t count = began(source, moments, 64);
  for (size_t i = 1; i < count; i++) {
    int64_t late = moments[i] % (minutes * MINUTE);
    least = late < least ? late : least;
  }
  printf("note: the promptest run of %s began %lld s after it was due\n", source, (long long)(least / 1000000));
  assert_true(least < 10 * MINUTE);
}

static void follows_schedules(void **state) {
  (void)state;
  serving_make(&serving, SQLITE,
               "{timezone: UTC, status: off, sources: {alpha: '*/20 * * * *', beta: '*/30 * * * *'}}");
  serving_files(&serving, "alpha", "");
  serving_files(&serving, "beta", "");
  serving_drop(&serving, "alpha", 1);
  pid_t daemon = serving_start(&serving, "serve", "PUENTE_CLOCK='2026-03-02T00:05:00Z x400'", "");
  assert_true(serving_hears(&serving, "serve", "source alpha: 1 pulled, 1 new", 1, 20));
  assert_true(serving_hears(&serving, "serve", "linked: 1 persons, 1 cases", 1, 20));
  serving_drop(&serving, "alpha", 2);
  assert_true(serving_hears(&serving, "serve", "source alpha: 0 pulled", 3, 40));
  assert_true(serving_hears(&serving, "serve", "source alpha: 1 pulled, 1 new", 2, 20));
  assert_int_equal(serving_end(daemon, SIGTERM), 0);
  assert_every("alpha", 20, 5);
  assert_every("beta", 30, 3);
  assert_prompt("alpha", 20);
  assert_prompt("beta", 30);
  assert_int_equal(number("SELECT count(*) FROM runs WHERE state <> 'done'"), 0);
  assert_int_equal(number("SELECT count(*) FROM records"), 2);
}

static void makes_up_a_missed_run_once(void **state) {
  (void)state;
  serving_make(&serving, SQLITE, "{timezone: UTC, status: off, sources: {alpha: '0 * * * *'}}");
  serving_files(&serving, "alpha", "");
  serving_drop(&serving, "alpha", 1);
  struct {
    const char *clock;
    int64_t runs;
  } steps[] = {{"2026-03-02T10:20:00Z", 1}, /* never pulled: due */
               {"2026-03-02T10:50:00Z", 1}, /* 10:00 is done */
               {"2026-03-03T07:10:00Z", 2}, /* of 21 missed ones, one */
               {"2026-03-03T07:59:59Z", 2}, {"2026-03-03T08:00:00Z", 3},
               {"2026-03-01T00:30:00Z", 4}, /* the clock is put back: when it was pulled nobody knows */
               {"2026-03-01T00:50:00Z", 4}, /* nothing is due twice */
               {"2026-03-01T01:00:00Z", 5}};
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    char environment[80];
    snprintf(environment, sizeof environment, "PUENTE_CLOCK=%s", steps[i].clock);
    assert_int_equal(serving_wait(serving_start(&serving, "serve", environment, "--once")), 0);
    assert_int_equal(number("SELECT count(*) FROM runs WHERE kind = 'sync'"), steps[i].runs);
  }
}

static void once_tells_by_its_exit_code(void **state) {
  (void)state;
  rest();
  const struct http_answer broken[] = {{.status = 500, .body = "no"}};
  http_server_script(server, broken, 1);
  serving_make(&serving, SQLITE, "{timezone: UTC, status: off, schedule: '@hourly'}");
  serving_rest(&serving, "alpha", http_server_port(server), "", "");
  assert_int_equal(serving_wait(serving_start(&serving, "one", "PUENTE_CLOCK=2026-03-02T10:20:00Z", "--once")), 1);
  serving_files(&serving, "beta", "");
  serving_drop(&serving, "beta", 1);
  assert_int_equal(serving_wait(serving_start(&serving, "two", "PUENTE_CLOCK=2026-03-02T11:20:00Z", "--once")), 3);
  assert_int_equal(serving_says(&serving, "two", "linked: 1 persons, 1 cases"), 1);
  assert_int_equal(serving_wait(serving_start(&serving, "three", "", "--nonsense")), 2);
}

/* A wrong export, and then the right one again: the former bytes are news. */
static void takes_a_file_that_goes_back_to_what_it_was(void **state) {
  (void)state;
  const char *surnames[] = {"QUISPE", "WRONG", "QUISPE", "QUISPE"};
  serving_make(&serving, SQLITE, "{timezone: UTC, status: off, link: manual, schedule: '@hourly'}");
  serving_files(&serving, "alpha", "");
  shell("cd %s && sed -i 's,in/alpha,in/alpha.json,' sources/alpha.yaml", serving.folder);
  for (int i = 0; i < 4; i++) {
    char clock[64];
    snprintf(clock, sizeof clock, "PUENTE_CLOCK=2026-03-02T%02d:20:00Z", 10 + i);
    shell("echo '{\"id\":\"1\",\"victim\":\"a\",\"surname\":\"%s\"}' >%s/in/alpha.json", surnames[i], serving.folder);
    assert_int_equal(serving_wait(serving_start(&serving, "serve", clock, "--once")), 0);
  }
  assert_int_equal(serving_says(&serving, "serve", "source alpha: 1 pulled, 1 new"), 1);
  assert_int_equal(serving_says(&serving, "serve", "source alpha: 1 pulled, 0 new, 1 changed"), 2);
  assert_int_equal(serving_says(&serving, "serve", "source alpha: 0 pulled"), 1);
}

/* All is pulled, and nothing linked: the rules wait for a second person. */
static void once_tells_that_nothing_was_linked(void **state) {
  (void)state;
  serving_make(&serving, SQLITE, "{timezone: UTC, status: off, schedule: '@hourly'}");
  serving_files(&serving, "beta", "");
  serving_drop(&serving, "beta", 1);
  shell("echo 'approval: {required: [link]}' >>%s", serving.config);
  assert_int_equal(serving_wait(serving_start(&serving, "serve", "PUENTE_CLOCK=2026-03-02T12:20:00Z", "--once")), 3);
}

static void tries_a_failed_source_again_and_breaks_the_circuit(void **state) {
  (void)state;
  rest();
  const struct http_answer broken[] = {{.status = 500, .body = "no"}};
  http_server_script(server, broken, 1);
  serving_make(
      &serving, SQLITE,
      "{timezone: UTC, status: off, schedule: '0 6 * * *', retry: {first: 10m, most: 1h, breaks: 3, open: 5h}}");
  serving_rest(&serving, "alpha", http_server_port(server), "", "");
  struct {
    const char *clock;
    int64_t runs;
  } steps[] = {{"2026-03-02T06:00:00Z", 1}, {"2026-03-02T06:04:00Z", 1}, /* not before half of the pause */
               {"2026-03-02T06:11:00Z", 2}, {"2026-03-02T06:20:00Z", 2}, /* doubled: from 10 to 20 minutes */
               {"2026-03-02T06:32:00Z", 3},                              /* the third in a row: open */
               {"2026-03-02T08:30:00Z", 3}, {"2026-03-02T11:33:00Z", 4}, /* one is let through */
               {"2026-03-03T06:00:00Z", 5}};
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    char environment[80];
    snprintf(environment, sizeof environment, "PUENTE_CLOCK=%s", steps[i].clock);
    (void)!serving_wait(serving_start(&serving, "serve", environment, "--once"));
    assert_int_equal(number("SELECT count(*) FROM runs WHERE kind = 'sync'"), steps[i].runs);
  }
  const struct http_answer well[] = {{.body = ONE_PAGE}};
  http_server_script(server, well, 1);
  assert_int_equal(serving_wait(serving_start(&serving, "serve", "PUENTE_CLOCK=2026-03-03T11:30:00Z", "--once")), 0);
  assert_int_equal(number("SELECT count(*) FROM records"), 1);
}

static void pulls_nothing_in_a_blackout(void **state) {
  (void)state;
  serving_make(&serving, SQLITE,
               "{timezone: America/Lima, status: off, schedule: '@hourly', blackout: '08:00-18:00 mon-fri'}");
  serving_files(&serving, "alpha", "");
  serving_drop(&serving, "alpha", 1);
  struct {
    const char *clock; /* Lima is five hours behind; 2 March 2026 is a Monday */
    int64_t runs;
  } steps[] = {{"2026-03-02T13:00:00Z", 0}, {"2026-03-02T22:59:00Z", 0}, {"2026-03-02T23:00:00Z", 1},
               {"2026-03-03T12:59:00Z", 2}, {"2026-03-03T13:01:00Z", 2}, {"2026-03-07T15:00:00Z", 3}};
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    char environment[80];
    snprintf(environment, sizeof environment, "PUENTE_CLOCK=%s", steps[i].clock);
    assert_int_equal(serving_wait(serving_start(&serving, "serve", environment, "--once")), 0);
    assert_int_equal(number("SELECT count(*) FROM runs WHERE kind = 'sync'"), steps[i].runs);
  }
}

static void a_source_that_hangs_delays_no_other(void **state) {
  (void)state;
  rest();
  const struct http_answer answers[] = {{.path = "/alpha", .body = ONE_PAGE, .fault = FAULT_STALL}};
  http_server_script(server, answers, 1);
  serving_make(&serving, SQLITE, "{timezone: UTC, status: off, schedule: '*/20 * * * *'}");
  serving_rest(&serving, "alpha", http_server_port(server), "", "");
  serving_files(&serving, "beta", "");
  serving_drop(&serving, "beta", 1);
  pid_t daemon = serving_start(&serving, "serve", "PUENTE_CLOCK='2026-03-02T00:05:00Z x400'", "");
  assert_true(serving_hears(&serving, "serve", "source beta: 0 pulled", 2, 40));
  assert_int_equal(serving_says(&serving, "serve", "source alpha: 1 pulled"), 0);
  int64_t asked = clock_monotonic();
  assert_int_equal(serving_end(daemon, SIGTERM), 0);
  assert_true(clock_monotonic() - asked < 15 * INT64_C(1000000));
  assert_every("beta", 20, 3);
  assert_int_equal(number("SELECT count(*) FROM runs WHERE source = 'alpha' AND state = 'interrupted'"), 1);
}

static void asks_one_at_a_time_at_a_gateway(void **state) {
  (void)state;
  rest();
  const struct http_answer answers[] = {{.body = ONE_PAGE, .delay = 1500}};
  http_server_script(server, answers, 1);
  serving_make(&serving, SQLITE, "{timezone: UTC, status: off, schedule: '@hourly'}");
  serving_rest(&serving, "alpha", http_server_port(server), "", "gateway: pide");
  serving_rest(&serving, "beta", http_server_port(server), "", "gateway: pide");
  serving_rest(&serving, "gamma", http_server_port(server), "", "");
  assert_int_equal(serving_wait(serving_start(&serving, "serve", "", "--once")), 0);
  assert_int_equal(number("SELECT count(*) FROM runs WHERE kind = 'sync' AND state = 'done'"), 3);
  static const char OVERLAPS[] = "SELECT count(*) FROM runs a, runs b WHERE a.source = '%s' AND b.source = '%s' "
                                 "AND a.started < b.ended AND b.started < a.ended";
  char sql[256];
  snprintf(sql, sizeof sql, OVERLAPS, "alpha", "beta");
  assert_int_equal(number(sql), 0);
  snprintf(sql, sizeof sql, OVERLAPS, "alpha", "gamma");
  assert_int_equal(number(sql), 1);
}

/* Pages of one record each, each after a while. */
enum { PAGES = 12 };
static char bodies[PAGES][128], targets[PAGES][32];
static struct http_answer pages[PAGES];

static void script_pages(int delay) {
  for (int i = 0; i < PAGES; i++) {
    char next[32] = "null";
    if (i + 1 < PAGES) {
      snprintf(next, sizeof next, "\"p%02d\"", i + 1);
    }
    snprintf(bodies[i], sizeof bodies[i],
             "{\"data\":[{\"id\":\"%d\",\"victim\":\"a\",\"surname\":\"QUISPE\"}],\"next\":%s}", i, next);
    snprintf(targets[i], sizeof targets[i], i == 0 ? "/alpha" : "/alpha?cursor=p%02d", i);
    pages[i] = (struct http_answer){.body = bodies[i], .delay = delay, .path = targets[i]};
  }
  http_server_script(server, pages, PAGES);
}

static void ends_after_the_page_and_goes_on(void **state) {
  (void)state;
  rest();
  script_pages(300);
  serving_make(&serving, SQLITE, "{timezone: UTC, status: off, schedule: '@hourly'}");
  serving_rest(&serving, "alpha", http_server_port(server), "", "");
  pid_t daemon = serving_start(&serving, "serve", "", "");
  while (http_server_requests(server) < 4) {
    nanosleep(&(const struct timespec){.tv_nsec = 20000000}, NULL);
  }
  assert_int_equal(serving_end(daemon, SIGTERM), 0);
  int64_t kept = number("SELECT count(*) FROM records");
  assert_true(kept >= 3 && kept < PAGES);
  assert_int_equal(number("SELECT count(*) FROM runs WHERE state = 'interrupted'"), 1);
  size_t asked = http_server_requests(server);
  /* What a signal cut off is due at once. */
  assert_int_equal(serving_wait(serving_start(&serving, "serve", "", "--once")), 0);
  assert_int_equal(number("SELECT count(*) FROM records"), PAGES);
  char first[64];
  snprintf(first, sizeof first, "/alpha?cursor=p%02d", (int)kept);
  assert_string_equal(http_server_seen(server, asked)->target, first);
}

static void a_killed_run_is_made_up_at_once(void **state) {
  (void)state;
  rest();
  script_pages(300);
  serving_make(&serving, SQLITE, "{timezone: UTC, status: off, schedule: '@daily'}");
  serving_rest(&serving, "alpha", http_server_port(server), "", "");
  pid_t daemon = serving_start(&serving, "serve", "", "");
  while (http_server_requests(server) < 3) {
    nanosleep(&(const struct timespec){.tv_nsec = 20000000}, NULL);
  }
  assert_int_equal(serving_end(daemon, SIGKILL), 128 + SIGKILL);
  assert_int_equal(serving_wait(serving_start(&serving, "serve", "", "--once")), 0);
  assert_int_equal(number("SELECT count(*) FROM records"), PAGES);
  assert_int_equal(number("SELECT count(*) FROM runs WHERE state = 'interrupted'"), 1);
  assert_int_equal(number("SELECT count(*) FROM runs WHERE state = 'done' AND kind = 'sync'"), 1);
}

static void reloads_and_refuses(void **state) {
  (void)state;
  serving_make(&serving, SQLITE, "{timezone: UTC, status: off, sources: {alpha: '*/20 * * * *'}}");
  serving_files(&serving, "alpha", "");
  serving_drop(&serving, "alpha", 1);
  pid_t daemon = serving_start(&serving, "serve", "PUENTE_CLOCK='2026-03-02T00:05:00Z x400'", "");
  assert_true(serving_hears(&serving, "serve", "source alpha: 1 pulled", 1, 20));
  /* A mistake in the configuration, then one in a mapping: told with file, line and column; the old ones go on. */
  serving_configure(&serving, SQLITE, "{timezone: UTC, status: off, sources: {alpha: '61 * * * *'}}");
  kill(daemon, SIGHUP);
  assert_true(serving_hears(&serving, "serve", "the configuration is refused: the one before it goes on", 1, 20));
  assert_int_equal(serving_says(&serving, "serve", "puente.yaml:4:"), 1);
  serving_configure(&serving, SQLITE, "{timezone: UTC, status: off, schedule: '*/20 * * * *'}");
  serving_files(&serving, "beta", "");
  serving_drop(&serving, "beta", 1);
  shell("sed -i 's/surname: surname/surnme: surname/' %s/mappings/beta.yaml", serving.folder);
  kill(daemon, SIGHUP);
  assert_true(serving_hears(&serving, "serve", "the configuration is refused: the one before it goes on", 2, 20));
  assert_true(serving_says(&serving, "serve", "beta.yaml:") > 0);
  int before = serving_says(&serving, "serve", "source alpha: 0 pulled");
  assert_true(serving_hears(&serving, "serve", "source alpha: 0 pulled", before + 2, 20));
  assert_int_equal(serving_says(&serving, "serve", "source beta: 1 pulled"), 0);
  shell("sed -i 's/surnme: surname/surname: surname/' %s/mappings/beta.yaml", serving.folder);
  kill(daemon, SIGHUP);
  assert_true(serving_hears(&serving, "serve", "the configuration was loaded again", 1, 20));
  assert_true(serving_hears(&serving, "serve", "source beta: 1 pulled", 1, 20));
  assert_int_equal(serving_end(daemon, SIGTERM), 0);
  assert_every("alpha", 20, 3);
}

static void does_not_start_with_a_mistake(void **state) {
  (void)state;
  serving_make(&serving, SQLITE, "{timezone: UTC, schedule: 'often'}");
  assert_int_equal(serving_wait(serving_start(&serving, "serve", "", "")), 2);
  assert_int_equal(serving_says(&serving, "serve", "puente.yaml:4:"), 1);
}

static void links_alone(void **state) {
  (void)state;
  serving_make(&serving, SQLITE, "{timezone: UTC, status: off, schedule: '@daily'}");
  serving_files(&serving, "alpha", "");
  serving_drop(&serving, "alpha", 1);
  struct workspace workspace;
  struct error error;
  assert_int_equal(workspace_open(serving.config, WORKSPACE_WRITE, &workspace, &error), OK);
  assert_int_equal(store_hold(workspace.store, "link", &error), OK);
  assert_int_equal(workspace_run(serving.folder, "sync", NULL), 0);
  int code;
  char *said = shell_output(&code, "LANGUAGE=en %s/puente --config %s link 2>&1", build_folder(), serving.config);
  assert_string_equal(said, "error: another process is linking\n  hint: wait for it to end\n");
  assert_int_equal(code, 1);
  free(said);
  workspace_close(&workspace); /* as the end of its process */
  assert_int_equal(workspace_run(serving.folder, "link", NULL), 0);
  assert_int_equal(number("SELECT count(*) FROM runs WHERE kind = 'link'"), 1);
}

/* ---- duties ---- */

static int free_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(file, (const struct sockaddr *)&address, size), 0);
  assert_int_equal(getsockname(file, (struct sockaddr *)&address, &size), 0);
  close(file);
  return ntohs(address.sin_port);
}

static size_t append(char *data, size_t size, size_t count, void *text) {
  return fwrite(data, size, count, text);
}

/* The answer's code; its body in `body`, allocated. */
static long ask(int port, const char *path, char **body) {
  char url[128];
  size_t len;
  long code = 0;
  FILE *text = open_memstream(body, &len);
  CURL *curl = curl_easy_init();
  snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, text);
  if (curl_easy_perform(curl) == CURLE_OK) {
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
  }
  curl_easy_cleanup(curl);
  fclose(text);
  return code;
}

static bool hook_got(const char *text) {
  for (size_t i = 0; i < http_server_requests(server); i++) {
    const struct http_seen *seen = http_server_seen(server, i);
    if (strcmp(seen->target, "/hook") == 0 && seen->body != NULL && strstr(seen->body, text) != NULL) {
      return true;
    }
  }
  return false;
}

static bool hook_gets(const char *text) {
  for (int i = 0; i < 200 && !hook_got(text); i++) {
    nanosleep(&(const struct timespec){.tv_nsec = 100000000}, NULL);
  }
  return hook_got(text);
}

static void copies_shows_and_tells(void **state) {
  (void)state;
  rest();
  const struct http_answer answers[] = {{.path = "/alpha", .status = 500, .body = "no"}, {.path = "/hook", .body = ""}};
  http_server_script(server, answers, 2);
  char serve[512], *body;
  int port = free_port();
  static const char SERVE_TEXT[] =
      "{timezone: UTC, status: '127.0.0.1:%d', schedule: '@hourly', backup: {schedule: '*/20 * * * *', keep: 2}}\n"
      "notify: {webhooks: [{url: 'http://127.0.0.1:%d/hook'}]}%s";
  snprintf(serve, sizeof serve, SERVE_TEXT, port, http_server_port(server), "");
  serving_make(&serving, SQLITE, serve);
  serving_rest(&serving, "alpha", http_server_port(server), "", "");
  serving_files(&serving, "beta", "");
  serving_drop(&serving, "beta", 1);
  pid_t daemon = serving_start(&serving, "serve", "PUENTE_CLOCK='2026-03-02T00:05:00Z x400'", "");
  assert_true(serving_hears(&serving, "serve", "the store was copied and read back", 3, 40));
  assert_true(hook_gets("\"failure\""));
  for (int i = 0; i < 100 && ask(port, "/readyz", &body) != 200; i++) {
    free(body);
    nanosleep(&(const struct timespec){.tv_nsec = 100000000}, NULL);
  }
  assert_string_equal(body, "ready\n");
  free(body);
  assert_int_equal(ask(port, "/metrics", &body), 200);
  assert_non_null(strstr(body, "source=\"beta\""));
  free(body);
  /* A refused reload is told, and seen. */
  snprintf(serve, sizeof serve, SERVE_TEXT, port, http_server_port(server), "\nnonsense: 1");
  serving_configure(&serving, SQLITE, serve);
  kill(daemon, SIGHUP);
  assert_true(serving_hears(&serving, "serve", "the configuration is refused: the one before it goes on", 1, 20));
  assert_true(hook_gets("nonsense"));
  for (int i = 0; i < 100 && ask(port, "/readyz", &body) == 200; i++) {
    free(body);
    nanosleep(&(const struct timespec){.tv_nsec = 100000000}, NULL);
  }
  assert_non_null(strstr(body, "nonsense"));
  free(body);
  assert_int_equal(serving_end(daemon, SIGTERM), 0);
  char *files =
      shell_output(&(int){0}, "cd %s/backups && ls *.db | wc -l && sha256sum --check --quiet *.sha256", serving.folder);
  assert_string_equal(files, "2\n");
  free(files);
}

/* The daemon hands checkpoints out by the clock; a holder that fails does not keep the others from theirs, and what
 * they keep proves the log. */
static void hands_out_checkpoints(void **state) {
  (void)state;
  rest();
  const struct http_answer answers[] = {{.path = "/keep", .status = 404}};
  http_server_script(server, answers, 1);
  char serve[512];
  snprintf(serve, sizeof serve,
           "{timezone: UTC, status: 'off', schedule: '@hourly'}\n"
           "checkpoints: {schedule: '*/20 * * * *', holders: [{name: other, webhook: 'http://127.0.0.1:%d/keep'}, "
           "{name: notary, folder: kept}]}",
           http_server_port(server));
  serving_make(&serving, SQLITE, serve);
  serving_files(&serving, "beta", "");
  serving_drop(&serving, "beta", 1);
  shell("mkdir %s/kept", serving.folder);
  pid_t daemon = serving_start(&serving, "serve", "PUENTE_CLOCK='2026-03-02T00:05:00Z x400'", "");
  assert_true(serving_hears(&serving, "serve", "holders reached 1, failed 1", 2, 40));
  assert_int_equal(serving_end(daemon, SIGTERM), 0);
  char *kept = shell_output(&(int){0}, "ls %s/kept/*.checkpoint | wc -l", serving.folder);
  assert_true(strtol(kept, NULL, 10) >= 2);
  free(kept);
  int code = 1;
  char *said = shell_output(&code,
                            "for f in %s/kept/*; do set -- \"$@\" --checkpoint $f; done; %s/puente --config "
                            "%s/puente.yaml audit verify \"$@\"",
                            serving.folder, build_folder(), serving.folder);
  assert_int_equal(code, 0);
  assert_memory_equal(said, "audit ok: ", 10);
  free(said);
}

/* ---- what systemd hears ---- */

static int socket_at(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  assert_true(strlen(path) < sizeof address.sun_path);
  memcpy(address.sun_path, path, strlen(path) + 1);
  int file = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const struct timeval most = {.tv_sec = 20};
  assert_true(file >= 0 && bind(file, (const struct sockaddr *)&address, sizeof address) == 0);
  assert_int_equal(setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most), 0);
  return file;
}

/* Reads until a datagram begins so; how many alive signs came before it. */
static int until_told(int file, const char *wanted) {
  char text[512];
  int alive = 0;
  for (ssize_t got; (got = recv(file, text, sizeof text - 1, 0)) >= 0;) {
    text[got] = '\0';
    if (strncmp(text, wanted, strlen(wanted)) == 0) {
      return alive;
    }
    alive += strcmp(text, "WATCHDOG=1") == 0;
  }
  fail_msg("systemd was not told %s", wanted);
  return 0;
}

static void tells_systemd(void **state) {
  (void)state;
  serving_make(&serving, SQLITE, "{timezone: UTC, status: off, schedule: '@daily'}");
  serving_files(&serving, "alpha", "");
  char path[256], environment[400];
  snprintf(path, sizeof path, "%s/s", serving.folder);
  int file = socket_at(path);
  snprintf(environment, sizeof environment, "NOTIFY_SOCKET=%s WATCHDOG_USEC=600000", path);
  pid_t daemon = serving_start(&serving, "serve", environment, "");
  until_told(file, "READY=1");
  until_told(file, "STATUS=");
  kill(daemon, SIGHUP);
  until_told(file, "RELOADING=1\nMONOTONIC_USEC=");
  until_told(file, "READY=1");
  nanosleep(&(const struct timespec){.tv_sec = 1, .tv_nsec = 500000000}, NULL);
  kill(daemon, SIGTERM);
  assert_true(until_told(file, "STOPPING=1") >= 4);
  assert_int_equal(serving_wait(daemon), 0);
  close(file);
}

int main(void) {
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
  const struct CMUnitTest tests[] = {
      TEST(follows_schedules),
      TEST(makes_up_a_missed_run_once),
      TEST(once_tells_by_its_exit_code),
      TEST(once_tells_that_nothing_was_linked),
      TEST(takes_a_file_that_goes_back_to_what_it_was),
      TEST(tries_a_failed_source_again_and_breaks_the_circuit),
      TEST(pulls_nothing_in_a_blackout),
      TEST(a_source_that_hangs_delays_no_other),
      TEST(asks_one_at_a_time_at_a_gateway),
      TEST(ends_after_the_page_and_goes_on),
      TEST(a_killed_run_is_made_up_at_once),
      TEST(reloads_and_refuses),
      TEST(does_not_start_with_a_mistake),
      TEST(links_alone),
      TEST(copies_shows_and_tells),
      TEST(hands_out_checkpoints),
      TEST(tells_systemd),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
