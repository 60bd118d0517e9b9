/* The daemon tells: a source that fails and recovers, a configuration that is refused, the digest at its time, the
 * console; and of the people whose records it holds nothing is said, in no log, figure or message. */
#include "core/base/map.h"
#include "core/console/console.h"
#include "core/service/notices.h"
#include "tests/support/certificates.h"
#include "tests/support/http_server.h"
#include "tests/support/peru.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---- nothing of a person ---- */

/* Identifying values of the store, each between line ends; words of them that are long enough to tell. */
struct secrets {
  struct map *words;
  const struct entity *entity;
};

static void keep_words(struct secrets *secrets, const char *text, size_t length) {
  for (size_t at = 0; at < length;) {
    size_t size = 0;
    while (at + size < length && (isalnum((unsigned char)text[at + size]) || (unsigned char)text[at + size] >= 0x80)) {
      size++;
    }
    if (size >= 5) {
      char word[128];
      size_t kept = size < sizeof word ? size : sizeof word;
      for (size_t i = 0; i < kept; i++) {
        word[i] = (char)tolower((unsigned char)text[at + i]);
      }
      assert_true(map_intern(secrets->words, slice_make(word, kept)) != MAP_NONE);
    }
    at += size + 1;
  }
}

static enum status keep_row(void *context, const struct row *row, struct error *error) {
  struct secrets *secrets = context;
  (void)error;
  for (size_t c = 0; c < secrets->entity->column_count; c++) {
    const struct column *column = &secrets->entity->columns[c];
    const struct cell *cell = &row->cells[c];
    if (cell->kind == CELL_TEXT && column->field != NULL && column->field->sensitivity == SENSITIVITY_IDENTIFIER) {
      keep_words(secrets, cell->text, cell->len);
    }
  }
  return OK;
}

static struct map *secrets_of(const struct workspace *workspace) {
  struct secrets secrets = {.words = map_new()};
  const struct row_filter filter = {.identity = true};
  struct error error = {.message = ""};
  for (size_t e = 0; e < workspace->model->entity_count; e++) {
    secrets.entity = &workspace->model->entities[e];
    if (store_visit_rows(workspace->store, secrets.entity, &filter, keep_row, &secrets, &error) != OK) {
      fail_msg("%s", error.message);
    }
  }
  return secrets.words;
}

/* How many words of `text` are identifying; prints the first ones. */
static int count_leaks(const struct map *words, const char *where, const char *text) {
  int leaks = 0;
  for (const char *at = text; *at != '\0';) {
    char word[128];
    size_t size = 0;
    while (isalnum((unsigned char)at[size]) || (unsigned char)at[size] >= 0x80) {
      size++;
    }
    for (size_t i = 0; i < size && size < sizeof word; i++) {
      word[i] = (char)tolower((unsigned char)at[i]);
    }
    if (size >= 5 && size < sizeof word && map_get(words, slice_make(word, size)) != MAP_NONE && leaks++ < 5) {
      print_error("%s: %.*s in %.*s\n", where, (int)size, at, 120, at > text + 60 ? at - 60 : text);
    }
    at += size > 0 ? size : 1;
  }
  return leaks;
}

/* All that is told of the workspace: messages of every kind, and the figures. */
static char *everything_told(struct workspace *workspace, struct http_server *web) {
  struct overview overview;
  struct notices_summary summary;
  struct console *console = NULL;
  struct error error;
  int code = 0;
  assert_int_equal(overview_read(workspace, &overview, &error), OK);
  assert_int_equal(notices_tell(workspace, &overview, NULL, &summary, &error), OK);
  assert_int_equal(notices_digest(workspace, &overview, NULL, &error), OK);
  assert_int_equal(console_start("127.0.0.1", 0, &console, &error), OK);
  assert_int_equal(console_show(console, workspace, &overview, true, NULL, &error), OK);
  char *figures = shell_output(&code, "curl -s http://127.0.0.1:%d/metrics", console_port(console));
  console_stop(console);
  overview_free(&overview);
  assert_non_null(strstr(figures, "puente_source_records{source=\"reta\""));
  struct buffer all;
  buffer_init(&all, 16 << 20);
  buffer_text(&all, figures);
  free(figures);
  assert_true(http_server_requests(web) > 0);
  for (size_t i = 0; i < http_server_requests(web); i++) {
    const struct http_seen *seen = http_server_seen(web, i);
    buffer_append(&all, seen->body, seen->length);
  }
  assert_int_equal(all.failed, OK);
  return all.data;
}

static void nothing_of_a_person_is_said(void **state) {
  (void)state;
  static const char *const commands[] = {"sync", "status", "link", "quarantine list", "sync", "remap", "status"};
  struct peru peru;
  struct workspace workspace;
  struct error error;
  struct http_server *web = http_server_start(NULL);
  int code = 0;
  http_server_script(web, &takes, 1);
  peru_start(&peru, 300, 7, NULL);
  char *folder = peru_workspace(&peru, "silence", "{sqlite: puente.db}");
  shell("printf 'notify: {webhooks: [{url: \"http://127.0.0.1:%d/\"}], quarantine: {share: 0.0001, records: 1}}\\n' "
        ">>%s/puente.yaml",
        http_server_port(web), folder);
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    if (i == 4) {
      peru_advance(&peru);
    }
    char *out = shell_output(
        &code, "LANGUAGE=en %s/puente --config %s/puente.yaml --log json --verbose %s 2>&1 | tee -a %s/log",
        build_folder(), folder, commands[i], folder);
    free(out);
  }
  shell("sed -i 's/key-of-reta/x/' %s/secrets/reta && chmod 600 %s/secrets/reta", peru.folder, peru.folder);
  free(shell_output(&code, "%s/puente --config %s/puente.yaml --log json --verbose sync 2>>%s/log", build_folder(),
                    folder, folder));
  char config[512];
  snprintf(config, sizeof config, "%s/puente.yaml", folder);
  assert_int_equal(workspace_open(config, WORKSPACE_WRITE, &workspace, &error), OK);
  struct map *words = secrets_of(&workspace);
  char *told = everything_told(&workspace, web);
  char *log = shell_output(&code, "cat %s/log", folder);
  assert_true(map_count(words) > 500);
  assert_true(strlen(log) > 1000);
  char known[160];
  snprintf(known, sizeof known, "as in (%.*s).", SLICE_ARG(map_key(words, 0)));
  assert_int_equal(count_leaks(words, "as it should be found", known), 1);
  int leaks = count_leaks(words, "log", log) + count_leaks(words, "told", told);
  print_message("note: identifying words=%u, bytes looked at=%zu, found=%d\n", map_count(words),
                strlen(log) + strlen(told), leaks);
  assert_int_equal(leaks, 0);
  free(told);
  free(log);
  map_free(words);
  workspace_close(&workspace);
  free(folder);
  peru_stop(&peru);
  http_server_stop(web);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_failure_and_its_end_are_told_once),
      cmocka_unit_test(the_end_of_a_servers_certificate_is_told),
      cmocka_unit_test(the_end_of_a_token_servers_certificate_is_told),
      cmocka_unit_test(the_console_follows_the_daemon),
      cmocka_unit_test(nothing_of_a_person_is_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
