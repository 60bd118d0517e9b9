/* The daemon tells: a source that fails and recovers, a configuration that is refused, the digest at its time, the
 * console. Of whom nothing is said: test_privacy.c. */
#include "tests/support/certificates.h"
#include "tests/support/http_server.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static const struct http_answer takes = {.status = 200};

/* Kinds and subjects of what a webhook got, a line each; allocated. */
static char *heard(struct http_server *web) {
  char *text = calloc(1, 65536);
  assert_non_null(text);
  for (size_t i = 0; i < http_server_requests(web); i++) {
    const struct http_seen *seen = http_server_seen(web, i);
    json_t *root = json_loadb(seen->body, seen->length, 0, NULL);
    size_t length = strlen(text);
    assert_non_null(root);
    snprintf(text + length, 65536 - length, "%s: %s\n", json_string_value(json_object_get(root, "kind")),
             json_string_value(json_object_get(root, "subject")));
    json_decref(root);
  }
  return text;
}

static void assert_heard(struct http_server *web, const char *wanted, int line) {
  char *text = heard(web);
  if (strcmp(text, wanted) != 0) {
    print_error("line %d\n", line);
  }
  assert_string_equal(text, wanted);
  free(text);
  http_server_script(web, &takes, 1);
}
#define HEARD(wanted) assert_heard(web, wanted, __LINE__)

/* ---- a small workspace: one source that asks a server of the test's own ---- */

static void make_workspace(const char *folder, int source, int webhook, const char *more) {
  shell("mkdir -p %s/sources %s/mappings", folder, folder);
  shell("printf 'name: aviso\\nlang: en\\nstore: {sqlite: puente.db}\\n"
        "serve: {timezone: UTC, schedule: \"@hourly\"%s}\\n"
        "notify: {webhooks: [{url: \"http://127.0.0.1:%d/hook\"}], digest: \"30 7 * * *\"}\\n' >%s/puente.yaml",
        more, webhook, folder);
  shell(
      "printf 'source: reta\\ntitle: Registro\\ninstitution: PE/MP\\ncontact: \"mesa, 01-5550100\"\\nunit: denuncia\\n"
      "connector: rest\\noptions: {url: \"http://127.0.0.1:%d/reta\", records: data, retries: 0}\\n' "
      ">%s/sources/reta.yaml",
      source, folder);
  shell("printf 'source: reta\\nformat: json\\nrecord: data\\ncase:\\n  key: id\\n  denuncia_number: id\\n"
        "person:\\n  key: [id, victim]\\n  role: victim\\n  paternal_surname: surname\\n' >%s/mappings/reta.yaml",
        folder);
  workspace_key(folder);
}

/* `clock`: "" for the true one. */
static void serve_once(const char *folder, const char *clock, int wanted) {
  int code = 0;
  char *out = shell_output(&code,
                           "PUENTE_CLOCK=%s LANGUAGE=en %s/puente --config %s/puente.yaml --log json serve --once "
                           "2>>%s/log",
                           clock, build_folder(), folder, folder);
  free(out);
  if (code != wanted) {
    shell("cat %s/log >&2", folder);
  }
  assert_int_equal(code, wanted);
}

static void a_failure_and_its_end_are_told_once(void **state) {
  (void)state;
  char *folder = temp_make();
  struct http_server *web = http_server_start(NULL), *registry = http_server_start(NULL);
  const struct http_answer refuses = {.status = 401};
  const struct http_answer gives = {.headers = {"Content-Type: application/json"},
                                    .body = "{\"data\":[{\"id\":\"reta-1\",\"victim\":\"a\",\"surname\":\"QUISPE\"}]}"};
  make_workspace(folder, http_server_port(registry), http_server_port(web), "");
  http_server_script(web, &takes, 1);
  http_server_script(registry, &gives, 1);
  serve_once(folder, "2026-01-02T08:00:05Z", 0);
  HEARD("digest: [Puente aviso] digest of 2026-01-02: nothing to do\n"); /* of half past seven */
  http_server_script(registry, &refuses, 1);
  serve_once(folder, "2026-01-02T09:00:05Z", 1);
  HEARD("failure: [Puente aviso] reta: refuses us\n");
  serve_once(folder, "2026-01-02T10:00:05Z", 1);
  HEARD("");
  http_server_script(registry, &gives, 1);
  serve_once(folder, "2026-01-02T11:00:05Z", 0);
  HEARD("recovery: [Puente aviso] reta: works again\n");
  serve_once(folder, "2026-01-03T07:31:00Z", 0);
  char *digest = heard(web); /* what it says of a source that is being made up depends on which of both is first */
  assert_memory_equal(digest, "digest: [Puente aviso] digest of 2026-01-03: ", 45);
  assert_null(strchr(digest, '\n')[1] == '\0' ? NULL : digest);
  free(digest);
  http_server_script(web, &takes, 1);
  serve_once(folder, "2026-01-03T07:40:00Z", 0);
  HEARD("");
  char *log = shell_output(&(int){0}, "grep -c '\"event\":\"sync_done\",\"source\":\"reta\",\"run\":' %s/log", folder);
  assert_string_equal(log, "3\n");
  free(log);
  http_server_stop(registry);
  http_server_stop(web);
  temp_remove(folder);
}

/* ---- certificates of servers ---- */

static void point_to(const char *folder, struct http_server *server) {
  shell("sed -i 's#url: [^,]*,#url: \"https://127.0.0.1:%d/reta\", ca_file: tls/ca.pem,#; s#tls/ca.pem, ca_file: "
        "##' %s/sources/reta.yaml",
        http_server_port(server), folder);
}

static struct http_server *registry_of(const char *folder, const char *certificate) {
  static const struct http_answer gives = {.headers = {"Content-Type: application/json"}, .body = "{\"data\":[]}"};
  char pem[512], key[512];
  snprintf(pem, sizeof pem, "%s/tls/%s", folder, certificate);
  snprintf(key, sizeof key, "%s/tls/server.key", folder);
  struct http_server *server = http_server_start(&(struct http_server_options){.certificate = pem, .key = key});
  http_server_script(server, &gives, 1);
  point_to(folder, server);
  return server;
}

/* So many days and half an hour from now, as $PUENTE_CLOCK. */
static const char *in_days(int days, char text[64]) {
  time_t at = time(NULL) + (time_t)days * 86400 + 1800;
  struct tm moment;
  gmtime_r(&at, &moment);
  strftime(text, 64, "%Y-%m-%dT%H:%M:%SZ", &moment);
  return text;
}

static void assert_status(const char *folder, const char *clock, int wanted, const char *line) {
  int code = 0;
  char *out = shell_output(&code, "PUENTE_CLOCK=%s LANGUAGE=en %s/puente --config %s/puente.yaml status --check", clock,
                           build_folder(), folder);
  assert_true(line[0] == '\0' ? strstr(out, "certificate") == NULL : strstr(out, line) != NULL);
  assert_int_equal(code, wanted);
  free(out);
}

/* Ten days are left: told at the levels of 14 and 3 days and when it has ended, and once it was renewed. */
static void the_end_of_a_servers_certificate_is_told(void **state) {
  (void)state;
  char *folder = temp_make(), tls[512], clock[64];
  struct http_server *web = http_server_start(NULL);
  http_server_script(web, &takes, 1);
  make_workspace(folder, 1, http_server_port(web), "");
  shell("sed -i 's/, digest: [^}]*//' %s/puente.yaml && mkdir %s/tls", folder, folder);
  snprintf(tls, sizeof tls, "%s/tls", folder);
  certificates_make(tls);
  struct http_server *registry = registry_of(folder, "ending.pem");
  serve_once(folder, "", 0);
  HEARD("expiry: [Puente aviso] reta: certificate of the server expires in 9 days\n");
  assert_status(folder, "", 3, "- reta: server certificate expires in 9 days\n");
  serve_once(folder, in_days(2, clock), 0);
  HEARD("");
  serve_once(folder, in_days(8, clock), 0);
  HEARD("expiry: [Puente aviso] reta: certificate of the server expires in 1 day\n");
  serve_once(folder, in_days(11, clock), 0);
  HEARD("expiry: [Puente aviso] reta: certificate of the server has expired\n");
  assert_status(folder, clock, 3, "- reta: server certificate has expired\n");
  http_server_stop(registry);
  registry = registry_of(folder, "server.pem");
  serve_once(folder, in_days(12, clock), 0);
  HEARD("recovery: [Puente aviso] reta: what was about to expire was renewed\n");
  assert_status(folder, clock, 0, "");
  http_server_stop(registry);
  http_server_stop(web);
  temp_remove(folder);
}

/* The server that gives the tokens is another one than that of the registry. */
static void the_end_of_a_token_servers_certificate_is_told(void **state) {
  (void)state;
  static const struct http_answer token = {.headers = {"Content-Type: application/json"},
                                           .body = "{\"access_token\":\"t\",\"token_type\":\"Bearer\"}"};
  char *folder = temp_make(), tls[512], pem[600], key[600];
  struct http_server *web = http_server_start(NULL);
  http_server_script(web, &takes, 1);
  make_workspace(folder, 1, http_server_port(web), "");
  shell("sed -i 's/, digest: [^}]*//' %s/puente.yaml && mkdir %s/tls", folder, folder);
  snprintf(tls, sizeof tls, "%s/tls", folder);
  certificates_make(tls);
  struct http_server *registry = registry_of(folder, "server.pem");
  snprintf(pem, sizeof pem, "%s/ending.pem", tls);
  snprintf(key, sizeof key, "%s/server.key", tls);
  struct http_server *tokens = http_server_start(&(struct http_server_options){.certificate = pem, .key = key});
  http_server_script(tokens, &token, 1);
  shell("sed -i 's#retries: 0#retries: 0, auth: oauth2, token_url: \"https://127.0.0.1:%d/token\", client_id: puente, "
        "client_secret: \"file:secret\"#' %s/sources/reta.yaml && echo hidden >%s/secret && chmod 600 %s/secret",
        http_server_port(tokens), folder, folder, folder);
  serve_once(folder, "", 0);
  HEARD("expiry: [Puente aviso] reta: certificate of the token server expires in 9 days\n");
  assert_status(folder, "", 3, "- reta: certificate of the token server expires in 9 days\n");
  http_server_stop(tokens);
  http_server_stop(registry);
  http_server_stop(web);
  temp_remove(folder);
}

/* ---- the console ---- */

static bool shows(int port, const char *path, const char *wanted) {
  for (int tries = 0; tries < 600; tries++) {
    int code = 0;
    char *out = shell_output(&code, "curl -s -m 2 http://127.0.0.1:%d%s || true", port, path);
    bool there = strstr(out, wanted) != NULL;
    free(out);
    if (there) {
      return true;
    }
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
  }
  return false;
}

static void wait_for_messages(struct http_server *web, size_t count) {
  for (int tries = 0; tries < 600 && http_server_requests(web) < count; tries++) {
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
  }
}

/* A port that nobody has now. */
static int free_port(void) {
  struct http_server *server = http_server_start(NULL);
  int port = http_server_port(server);
  http_server_stop(server);
  return port;
}

static void the_console_follows_the_daemon(void **state) {
  (void)state;
  char *folder = temp_make();
  char more[128];
  int port = free_port(), code = 0;
  struct http_server *web = http_server_start(NULL), *registry = http_server_start(NULL);
  const struct http_answer gives = {.headers = {"Content-Type: application/json"},
                                    .body = "{\"data\":[{\"id\":\"reta-1\",\"victim\":\"a\",\"surname\":\"QUISPE\"}]}"};
  snprintf(more, sizeof more, ", status: \"127.0.0.1:%d\"", port);
  make_workspace(folder, http_server_port(registry), http_server_port(web), more);
  http_server_script(web, &takes, 1);
  http_server_script(registry, &gives, 1);
  pid_t daemon = shell_start(1, "LANGUAGE=en exec %s/puente --config %s/puente.yaml serve 2>>%s/log", build_folder(),
                             folder, folder);
  assert_true(shows(port, "/healthz", "ok\n"));
  assert_true(shows(port, "/readyz", "ready\n"));
  assert_true(shows(port, "/metrics", "puente_source_state{source=\"reta\",state=\"ok\"} 1\n"));
  assert_true(shows(port, "/metrics", "puente_runs_total{source=\"reta\",result=\"done\"} 1\n"));
  wait_for_messages(web, 1);
  char *digest = heard(web);
  assert_non_null(strstr(digest, "digest: [Puente aviso] digest of "));
  free(digest);
  http_server_script(web, &takes, 1);
  shell("cp %s/puente.yaml %s/good && echo 'shedule: x' >>%s/puente.yaml", folder, folder, folder);
  kill(daemon, SIGHUP);
  assert_true(shows(port, "/readyz", "shedule"));
  wait_for_messages(web, 1);
  HEARD("failure: [Puente aviso] a change of the configuration was refused\n");
  shell("cp %s/good %s/puente.yaml", folder, folder);
  kill(daemon, SIGHUP);
  assert_true(shows(port, "/readyz", "ready\n"));
  wait_for_messages(web, 1);
  HEARD("recovery: [Puente aviso] the configuration was taken\n");
  kill(daemon, SIGTERM);
  assert_int_equal(waitpid(daemon, &code, 0), daemon);
  assert_int_equal(code, 0);
  http_server_stop(registry);
  http_server_stop(web);
  temp_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_failure_and_its_end_are_told_once),
      cmocka_unit_test(the_end_of_a_servers_certificate_is_told),
      cmocka_unit_test(the_end_of_a_token_servers_certificate_is_told),
      cmocka_unit_test(the_console_follows_the_daemon),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
