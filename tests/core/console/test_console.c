/* The status page as a client sees it, and its figures as Prometheus' own rules read them. */
#include "core/console/console.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct console *console;

static int start(void **state) {
  (void)state;
  struct error error;
  return console_start("127.0.0.1", 0, &console, &error) == OK ? 0 : 1;
}

static int stop(void **state) {
  (void)state;
  console_stop(console);
  return 0;
}

static int connect_to_it(void) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((uint16_t)console_port(console))};
  int file = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(connect(file, (struct sockaddr *)&address, sizeof address), 0);
  return file;
}

/* One request on a connection of its own; the whole answer, terminated. */
static struct buffer ask(const char *request) {
  struct buffer answer;
  char chunk[4096];
  ssize_t got = 0;
  int file = connect_to_it();
  buffer_init(&answer, 1 << 20);
  assert_int_equal(send(file, request, strlen(request), MSG_NOSIGNAL), strlen(request));
  while ((got = recv(file, chunk, sizeof chunk, 0)) > 0) {
    buffer_append(&answer, chunk, (size_t)got);
  }
  close(file);
  assert_non_null(answer.data);
  return answer;
}

static struct buffer get(const char *method, const char *path) {
  char request[512];
  snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", method, path);
  return ask(request);
}

static const char *body_of(const struct buffer *answer) {
  const char *end = strstr(answer->data, "\r\n\r\n");
  assert_non_null(end);
  return end + 4;
}

static void assert_answer(const char *method, const char *path, const char *status, const char *body) {
  struct buffer answer = get(method, path);
  char line[64];
  snprintf(line, sizeof line, "HTTP/1.1 %s\r\n", status);
  assert_memory_equal(answer.data, line, strlen(line));
  assert_string_equal(body_of(&answer), body);
  assert_null(strcasestr(answer.data, "\nServer:"));
  buffer_free(&answer);
}

/* ---- a made-up overview ---- */

static struct source_config sources[] = {{.code = "reta"}, {.code = "odd\"\\\ncode"}};
static struct config config = {.name = "test", .store = STORE_POSTGRES, .sources = sources, .source_count = 2};

static void fill(struct overview *overview, struct source_overview *shown, struct expiry *expiries) {
  shown[0] = (struct source_overview){
      .source = &sources[0],
      .mapped = 90,
      .quarantined = 7,
      .withheld = 2,
      .total = 100,
      .drift = 3,
      .health = {.failures = 4, .tried = INT64_C(1700000100500000), .succeeded = INT64_C(1700000000000000)},
      .standing = {.standing = STANDING_UNREACHABLE, .since = INT64_C(1700000050000000), .due = INT64_MAX}};
  shown[1] = (struct source_overview){.source = &sources[1], .standing = {.standing = STANDING_NEVER}};
  expiries[0] = (struct expiry){.source = "reta", .what = "password", .at = INT64_C(1800000000000000)};
  expiries[1] = (struct expiry){.source = "reta", .what = "password", .at = INT64_C(1700000000000000)};
  expiries[2] = (struct expiry){.what = "server_certificate", .at = INT64_C(1750000000000000)};
  *overview = (struct overview){.made = true,
                                .version = 6,
                                .sources = shown,
                                .source_count = 2,
                                .persons = 1234,
                                .cases = 567,
                                .review = 8,
                                .waiting = 9,
                                .backup = INT64_C(1690000000000000),
                                .expiries = expiries,
                                .expiry_count = 3};
}

static void show(bool ready, const char *words) {
  struct source_overview shown[2];
  struct expiry expiries[3];
  struct overview overview;
  struct error error;
  struct workspace workspace = {.config = &config};
  fill(&overview, shown, expiries);
  assert_int_equal(console_show(console, &workspace, &overview, ready, words, &error), OK);
}

/* ---- what is answered ---- */

static void says_how_it_stands(void **state) {
  (void)state;
  struct error error;
  struct workspace workspace = {.config = &config};
  assert_answer("GET", "/healthz", "200 OK", "ok\n");
  assert_answer("GET", "/readyz", "503 Service Unavailable", "starting\n");
  show(true, NULL);
  assert_answer("GET", "/readyz", "200 OK", "ready\n");
  show(false, "the new configuration was refused");
  assert_answer("GET", "/readyz", "503 Service Unavailable", "the new configuration was refused\n");
  show(true, NULL);
  assert_int_equal(console_show(console, &workspace, NULL, true, "the store does not answer", &error), OK);
  assert_answer("GET", "/readyz", "503 Service Unavailable", "the store does not answer\n");
}

static void answers_nothing_else(void **state) {
  (void)state;
  assert_answer("GET", "/", "404 Not Found", "/healthz, /readyz or /metrics\n");
  assert_answer("GET", "/metrics/../etc/passwd", "404 Not Found", "/healthz, /readyz or /metrics\n");
  assert_answer("DELETE", "/metrics", "405 Method Not Allowed", "GET or HEAD\n");
  assert_answer("HEAD", "/healthz", "200 OK", "");
  struct buffer answer =
      ask("POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nabcde");
  assert_memory_equal(answer.data, "HTTP/1.1 405 Method Not Allowed\r\n", 33);
  assert_non_null(strstr(answer.data, "\r\nAllow: GET, HEAD\r\n"));
  buffer_free(&answer);
}

/* ---- figures ---- */

static bool is_name(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (!isalnum((unsigned char)text[i]) && text[i] != '_') {
      return false;
    }
  }
  return length > 0 && !isdigit((unsigned char)text[0]);
}

/* Behind the labels of a sample: each a name and an escaped value; NULL where they break a rule. */
static const char *skip_labels(const char *at) {
  while (*at != '}') {
    size_t name = strcspn(at, "=");
    if (!is_name(at, name) || at[name + 1] != '"') {
      return NULL;
    }
    for (at += name + 2; *at != '"'; at++) {
      if (*at == '\\' && strchr("\\\"n", *++at) == NULL) {
        return NULL;
      }
      if (*at == '\0' || *at == '\n') {
        return NULL;
      }
    }
    at += at[1] == ',' ? 2 : 1;
  }
  return at + 1;
}

/* Every line is HELP, TYPE directly after it, or a sample of that family, no family twice, no series twice. */
static void assert_exposition(char *text) {
  char *lines[4096];
  char family[128] = "";
  char seen[8192] = "\n";
  size_t count = 0;
  assert_int_equal(text[strlen(text) - 1], '\n');
  for (char *line = strtok_r(text, "\n", &text); line != NULL; line = strtok_r(NULL, "\n", &text)) {
    char key[160];
    if (strncmp(line, "# HELP ", 7) == 0) {
      snprintf(family, sizeof family, "%.*s", (int)strcspn(line + 7, " "), line + 7);
      snprintf(key, sizeof key, "\n%s\n", family);
      assert_null(strstr(seen, key));
      snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s\n", family);
      continue;
    }
    if (strncmp(line, "# TYPE ", 7) == 0) {
      size_t length = strlen(family);
      assert_memory_equal(line + 7, family, length);
      assert_true(strcmp(line + 7 + length, " gauge") == 0 || strcmp(line + 7 + length, " counter") == 0);
      assert_int_equal(strcmp(line + 7 + length, " counter") == 0,
                       length > 6 && strcmp(family + length - 6, "_total") == 0);
      continue;
    }
    size_t name = strcspn(line, "{ ");
    assert_true(is_name(line, name));
    assert_int_equal(name, strlen(family));
    assert_memory_equal(line, family, name);
    const char *after = line[name] == '{' ? skip_labels(line + name + 1) : line + name;
    assert_non_null(after);
    char *end = NULL;
    assert_int_equal(*after, ' ');
    strtod(after + 1, &end);
    assert_true(end > after + 1 && *end == '\0');
    line[after - line] = '\0';
    for (size_t i = 0; i < count; i++) {
      assert_string_not_equal(lines[i], line);
    }
    assert_true(count < sizeof lines / sizeof *lines);
    lines[count++] = line;
  }
}

static void figures_follow_the_format(void **state) {
  (void)state;
  show(true, NULL);
  struct buffer answer = get("GET", "/metrics");
  assert_non_null(strstr(answer.data, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  char *text = strdup(body_of(&answer));
  assert_exposition(text);
  free(text);
  buffer_free(&answer);
}

static void figures_are_those_of_the_overview(void **state) {
  (void)state;
  static const char *const wanted[] = {
      "puente_build_info{version=\"" PUENTE_VERSION "\",store_format=\"6\",store=\"postgres\"} 1\n",
      "puente_ready 1\n",
      "puente_source_state{source=\"reta\",state=\"unreachable\"} 1\n",
      "puente_source_state{source=\"reta\",state=\"ok\"} 0\n",
      "puente_source_state{source=\"odd\\\"\\\\\\ncode\",state=\"never\"} 1\n",
      "puente_source_state_since_timestamp_seconds{source=\"reta\"} 1700000050.000000\n",
      "puente_source_last_success_timestamp_seconds{source=\"reta\"} 1700000000.000000\n",
      "puente_source_last_try_timestamp_seconds{source=\"reta\"} 1700000100.500000\n",
      "puente_source_failures{source=\"reta\"} 4\n",
      "puente_source_circuit_open{source=\"reta\"} 0\n",
      "puente_source_drift_open{source=\"reta\"} 3\n",
      "puente_source_records{source=\"reta\",state=\"mapped\"} 90\n",
      "puente_source_records{source=\"reta\",state=\"quarantined\"} 7\n",
      "puente_source_records{source=\"reta\",state=\"withheld\"} 2\n",
      "puente_source_records{source=\"reta\",state=\"dismissed\"} 1\n",
      "puente_runs_total{source=\"reta\",result=\"done\"} 0\n",
      "puente_expiry_timestamp_seconds{source=\"reta\",what=\"password\"} 1700000000.000000\n",
      "puente_expiry_timestamp_seconds{source=\"\",what=\"server_certificate\"} 1750000000.000000\n",
      "puente_persons 1234\n",
      "puente_cases 567\n",
      "puente_review_waiting 8\n",
      "puente_link_waiting 9\n",
      "puente_link_failed 0\n",
      "puente_backup_last_timestamp_seconds 1690000000.000000\n",
      "\nprocess_resident_memory_bytes ",
      "\nprocess_open_fds ",
  };
  show(true, NULL);
  struct buffer answer = get("GET", "/metrics");
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    if (strstr(answer.data, wanted[i]) == NULL) {
      fail_msg("there is no %s in\n%s", wanted[i], answer.data);
    }
  }
  assert_null(strstr(answer.data, "puente_source_due_timestamp_seconds{")); /* never due: no moment */
  buffer_free(&answer);
}

/* ---- bounds ---- */

static void refuses_other_machines(void **state) {
  (void)state;
  static const char *const addresses[] = {"0.0.0.0", "192.0.2.1", "::", "everywhere"};
  for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
    struct console *none = NULL;
    struct error error;
    char message[128];
    snprintf(message, sizeof message, "the status page may listen on this machine alone, not on %s", addresses[i]);
    assert_int_equal(console_start(addresses[i], 0, &none, &error), ERR_CONFIG);
    assert_null(none);
    assert_string_equal(error.message, message);
    assert_string_equal(error.hint, "use 127.0.0.1; who must read it from elsewhere puts a web server with a login "
                                    "before it");
  }
}

static void says_when_the_port_is_taken(void **state) {
  (void)state;
  struct console *none = NULL;
  struct error error;
  char message[128];
  snprintf(message, sizeof message, "the status page cannot listen on 127.0.0.1 port %d: Address already in use",
           console_port(console));
  assert_int_equal(console_start("127.0.0.1", console_port(console), &none, &error), ERR_BUSY);
  assert_string_equal(error.message, message);
}

static int open_files(void) {
  int code = 0;
  char *count = shell_output(&code, "ls /proc/%d/fd | wc -l", (int)getpid());
  int files = (int)strtol(count, NULL, 10);
  free(count);
  return files;
}

/* More connections than it takes, all idle: the rest waits in the kernel, and it goes on afterwards. */
static void idle_connections_are_bounded(void **state) {
  (void)state;
  enum { MANY = 48, MOST = 32 };
  int files[MANY];
  int before = open_files();
  for (int i = 0; i < MANY; i++) {
    files[i] = connect_to_it();
  }
  /* One that came too many may still be on its way out. */
  int more = 0;
  for (int tries = 0; tries == 0 || (more > MANY + MOST && tries < 50); tries++) {
    usleep(100000);
    more = open_files() - before;
  }
  assert_in_range(more, MANY, MANY + MOST);
  for (int i = 0; i < MANY; i++) {
    close(files[i]);
  }
  assert_answer("GET", "/healthz", "200 OK", "ok\n");
}

static void a_huge_request_is_refused(void **state) {
  (void)state;
  char *request = malloc(100000);
  assert_non_null(request);
  int length = snprintf(request, 100000, "GET /%090000d HTTP/1.1\r\n\r\n", 1);
  int file = connect_to_it();
  char answer[64] = "";
  assert_true(send(file, request, (size_t)length, MSG_NOSIGNAL) != 0);
  ssize_t got = recv(file, answer, sizeof answer - 1, 0);
  assert_true(got <= 0 || strncmp(answer, "HTTP/1.1 4", 10) == 0);
  close(file);
  free(request);
  assert_answer("GET", "/healthz", "200 OK", "ok\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(says_how_it_stands),           cmocka_unit_test(answers_nothing_else),
      cmocka_unit_test(figures_follow_the_format),    cmocka_unit_test(figures_are_those_of_the_overview),
      cmocka_unit_test(refuses_other_machines),       cmocka_unit_test(says_when_the_port_is_taken),
      cmocka_unit_test(idle_connections_are_bounded), cmocka_unit_test(a_huge_request_is_refused),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
