/* Erasure, a withdrawal and a rotation of keys while a run goes on, and an erasure that is killed: afterwards the
 * person is nowhere, the log is right, a later sync brings nobody back, and all else is as without them. */
#include "core/base/date.h"
#include "tests/support/http_server.h"
#include "tests/support/peru.h"
#include "tests/support/program.h"
#include "tests/support/terms.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define ASK " --reason 'cancellation asked for' --document C-103"
enum { PAGES = 16, PAGE_RECORDS = 40, PAGE_BYTES = 32 << 10, DELAY = 250, MOMENTS = 8, KILLED_RECORDS = 300 };

static const char YOVANA[] =
    "{\"key\":\"K1\",\"date\":\"2024-01-02\",\"doc\":\"45671234\",\"given\":\"YOVANA\",\"paternal\":\"ZUBIAURRE\","
    "\"maternal\":\"QUISPE\",\"born\":\"1971-05-06\",\"sex\":\"F\",\"consent\":\"share\"}";
#define HILDA(consent)                                                                                                 \
  "{\"key\":\"K2\",\"date\":\"2024-01-02\",\"doc\":\"45670000\",\"given\":\"HILDEGARDA\",\"paternal\":\"AYQUIPA\","    \
  "\"maternal\":\"QUISPE\",\"born\":\"1972-05-06\",\"sex\":\"F\",\"consent\":\"" consent "\"}"

static int number(const struct terms_ground *ground, const char *sql) {
  return (int)workspace_number(ground->folder, sql);
}

static void assert_says(const struct terms_ground *ground, const char *arguments, const char *wanted) {
  const char *said = terms_run(ground, 0, arguments);
  if (strstr(said, wanted) == NULL) {
    fail_msg("%s: \"%s\" is not in\n%s", arguments, wanted, said);
  }
}

static void assert_nowhere(const struct terms_ground *ground, const char *text) {
  const char *where = terms_found(ground, text);
  if (where != NULL) {
    fail_msg("%s is in %s", text, where);
  }
}

/* ---- a source that takes its time ---- */

struct slow {
  struct http_server *server;
  char bodies[PAGES][PAGE_BYTES], paths[PAGES][16];
  struct http_answer answers[PAGES];
};

static void put_stranger(char *body, size_t size, int page, int i) {
  size_t used = strlen(body);
  snprintf(
      body + used, size - used,
      "%s{\"key\":\"R%d-%d\",\"date\":\"2024-02-%02d\",\"doc\":\"%08d\",\"given\":\"%c%c%cINA\",\"paternal\":"
      "\"%c%cAMANI\",\"maternal\":\"%c%cUAMAN\",\"born\":\"19%02d-%02d-%02d\",\"sex\":\"F\",\"consent\":\"share\"}",
      i == 0 ? "" : ",", page, i, 1 + i % 28, 10000000 + page * 6151 + i * 389, 'A' + i % 26, 'A' + page, 'A' + i / 26,
      'B' + page, 'A' + i % 23, 'C' + i % 19, 'A' + page, 73 + i % 20, 1 + page % 12, 1 + i % 28);
}

/* `persons`: with the two who go. */
static void slow_begin(struct slow *slow, int delay, bool persons) {
  memset(slow, 0, sizeof *slow);
  slow->server = http_server_start(NULL);
  for (int page = 0; page < PAGES; page++) {
    char *body = slow->bodies[page];
    snprintf(body, PAGE_BYTES, "{\"data\":[");
    for (int i = 0; i < PAGE_RECORDS; i++) {
      put_stranger(body, PAGE_BYTES, page, i);
    }
    if (persons && (page == 0 || page == PAGES - 1)) {
      size_t used = strlen(body);
      snprintf(body + used, PAGE_BYTES - used, "%s%s,%s", page == 0 ? "," : "", page == 0 ? YOVANA : "",
               page == 0 ? HILDA("share") : HILDA("withdrawn"));
    }
    size_t used = strlen(body);
    if (page + 1 < PAGES) {
      snprintf(body + used, PAGE_BYTES - used, "],\"next\":\"http://127.0.0.1:%d/p%02d\"}",
               http_server_port(slow->server), page + 1);
    } else {
      snprintf(body + used, PAGE_BYTES - used, "]}");
    }
    snprintf(slow->paths[page], sizeof slow->paths[page], "/p%02d", page);
    slow->answers[page] = (struct http_answer){.headers = {"Content-Type: application/json"},
                                               .body = body,
                                               .delay = page == 0 ? 0 : delay,
                                               .path = slow->paths[page]};
  }
  http_server_script(slow->server, slow->answers, PAGES);
}

static void connect_slow(const struct terms_ground *ground, const struct slow *slow) {
  char text[512];
  snprintf(text, sizeof text,
           "source: ngo\ninstitution: PE/CHS\nunit: victim\nconnector: rest\nprecedence: 1\n"
           "options: {url: \"http://127.0.0.1:%d/p00\", paging: next_link, records: data}\n",
           http_server_port(slow->server));
  program_write(ground->folder, "sources/ngo.yaml", text);
  shell("sed -i 's/^format: json/&\\nrecord: data/' %s/mappings/ngo.yaml", ground->folder);
  terms_run(ground, 0, "store init");
}

static int wait_for(pid_t child) {
  int state = 0;
  waitpid(child, &state, 0);
  return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

static bool is_running(pid_t child) {
  return waitpid(child, NULL, WNOHANG) == 0;
}

static void rest(int64_t micros) {
  nanosleep(&(struct timespec){.tv_sec = micros / 1000000, .tv_nsec = micros % 1000000 * 1000}, NULL);
}

/* ---- in the middle ---- */

static const char FIGURES[] = "SELECT sex, birth_date, count(*) FROM persons GROUP BY sex, birth_date ORDER BY 1, 2";

/* The same pages, and the same taken out, one after the other. */
static void undisturbed(struct terms_ground *ground, struct slow *slow, bool persons) {
  slow_begin(slow, 0, persons);
  terms_begin(ground, NULL, NULL);
  connect_slow(ground, slow);
  terms_run(ground, 0, "--quiet sync");
  if (persons) {
    terms_run(ground, 0, "--quiet erase ngo:K1" ASK);
  }
  terms_run(ground, 0, "--quiet link");
}

static void assert_same_rows(const struct terms_ground *one, const struct terms_ground *other, const char *sql) {
  char *left = workspace_rows(one->folder, sql), *right = workspace_rows(other->folder, sql);
  assert_string_equal(left, right);
  free(left);
  free(right);
}

static void in_the_middle(const char *schema) {
  struct slow *slow = calloc(3, sizeof *slow);
  struct terms_ground ground, quiet, without;
  assert_non_null(slow);
  slow_begin(&slow[0], DELAY, true);
  terms_begin(&ground, schema, NULL);
  connect_slow(&ground, &slow[0]);
  pid_t run = workspace_start(ground.folder, "--quiet run");
  while (is_running(run) && number(&ground, "SELECT count(*) FROM records") < 2 * PAGE_RECORDS) {
    rest(20000);
  }
  assert_non_null(terms_found(&ground, "ZUBIAURRE"));
  pid_t rotation = workspace_start(ground.folder, "--quiet key rotate");
  struct said said = program_run(ground.folder, "--quiet erase ngo:K1" ASK);
  if (said.code != 0 && said.code != 3) { /* 3: the run still held a former state of the files */
    fail_msg("erase: exit code %d\n%s", said.code, said.err);
  }
  assert_true(is_running(run));
  assert_true(number(&ground, "SELECT count(*) FROM records") < PAGES * PAGE_RECORDS);
  assert_int_equal(wait_for(run), 0);
  assert_int_equal(wait_for(rotation), 0);
  terms_run(&ground, 0, "--quiet erase purge");
  for (int again = 0; again < 2; again++) {
    static const char *const TEXTS[] = {"ZUBIAURRE", "YOVANA", "45671234", "AYQUIPA", "HILDEGARDA", "45670000"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
      assert_nowhere(&ground, TEXTS[i]);
    }
    assert_says(&ground, "audit verify --records", "audit ok");
    assert_says(&ground, "store verify --full", "store ok");
    terms_run(&ground, 0, "--quiet sync ngo --full");
    terms_run(&ground, 0, "--quiet link");
  }
  undisturbed(&quiet, &slow[1], true);
  assert_true(peru_same(quiet.folder, ground.folder, false));
  undisturbed(&without, &slow[2], false);
  assert_same_rows(&without, &ground, FIGURES);
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons"), PAGES * PAGE_RECORDS);
  assert_same_rows(&without, &quiet, FIGURES);
  assert_int_equal(number(&ground, "SELECT count(*) FROM person_records WHERE birth_date < '1973'"), 0);
  for (int i = 0; i < 3; i++) {
    http_server_stop(slow[i].server);
  }
  terms_end(&without);
  terms_end(&quiet);
  terms_end(&ground);
  free(slow);
}

/* ---- killed ---- */

static void killed(const char *schema) {
  struct terms_ground ground;
  size_t used = 0;
  char *page = calloc(KILLED_RECORDS, 256), line[256], arguments[128], name[16];
  int hit = 0, undone = 0, again = 0; /* again: taken out once more, with an entry more */
  assert_non_null(page);
  for (int i = 0; i < KILLED_RECORDS; i++) {
    snprintf(line, sizeof line,
             "{\"key\":\"K%d\",\"date\":\"2024-01-02\",\"doc\":\"4%07d\",\"given\":\"YO%c%cNA\",\"paternal\":"
             "\"ZUB%03dX\",\"maternal\":\"QUISPE\",\"born\":\"2004-05-06\",\"sex\":\"F\",\"consent\":\"share\"}\n",
             i, i, 'A' + i % 26, 'A' + i / 26, i);
    memcpy(page + used, line, strlen(line));
    used += strlen(line);
  }
  terms_begin(&ground, schema, NULL);
  terms_page(&ground, "ngo", "1", page);
  terms_run(&ground, 0, "--quiet sync");
  int64_t began = clock_monotonic();
  terms_run(&ground, 0, "--quiet erase ngo:K0" ASK);
  int64_t lasts = clock_monotonic() - began;
  for (int i = 1; i <= MOMENTS; i++) {
    snprintf(arguments, sizeof arguments, "--quiet erase ngo:K%d" ASK, i);
    snprintf(name, sizeof name, "ZUB%03dX", i);
    pid_t erase = workspace_start(ground.folder, arguments);
    rest(lasts * i / (MOMENTS + 1));
    hit += is_running(erase);
    kill(erase, SIGKILL);
    waitpid(erase, NULL, 0);
    /* All of it, or nothing. */
    int done = number(&ground, "SELECT count(*) FROM audit WHERE event = 'erase'");
    assert_int_equal(number(&ground, "SELECT count(*) FROM records WHERE state = 'withheld'"), done - again);
    undone += done - again == i;
    again += done - again > i;
    terms_run(&ground, 0, arguments);
    assert_nowhere(&ground, name);
    assert_int_equal(number(&ground, "SELECT count(*) FROM records WHERE state = 'withheld'"), i + 1);
  }
  print_message("note: killed %d times while it ran, %d of them before it was done\n", hit, undone);
  assert_true(hit > 0);
  terms_run(&ground, 0, "--quiet sync --full");
  terms_run(&ground, 0, "--quiet link");
  assert_nowhere(&ground, "ZUB000X");
  assert_nowhere(&ground, "ZUB008X");
  assert_says(&ground, "audit verify --records", "audit ok");
  assert_says(&ground, "store verify --full", "store ok");
  terms_end(&ground);
  free(page);
}

static void in_the_middle_of_a_run_sqlite(void **state) {
  (void)state;
  in_the_middle(NULL);
}
static void in_the_middle_of_a_run_postgres(void **state) {
  (void)state;
  in_the_middle("midway");
}
static void killed_sqlite(void **state) {
  (void)state;
  killed(NULL);
}
static void killed_postgres(void **state) {
  (void)state;
  killed("killed");
}

int main(void) {
  setenv("PUENTE_ACTOR", "ana.rojas", 1);
  const struct CMUnitTest tests[] = {cmocka_unit_test(in_the_middle_of_a_run_sqlite),
                                     cmocka_unit_test(in_the_middle_of_a_run_postgres), cmocka_unit_test(killed_sqlite),
                                     cmocka_unit_test(killed_postgres)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
