/* What `puente status` prints of a source that fails, in both languages, and of a run that was killed. */
#include "tests/support/http_server.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static char *folder;

static void make_workspace(int port) {
  shell("mkdir -p %s/sources %s/mappings", folder, folder);
  shell("printf 'name: aviso\\nstore: {sqlite: puente.db}\\nserve: {timezone: UTC, schedule: \"@hourly\"}\\n' "
        ">%s/puente.yaml",
        folder);
  shell(
      "printf 'source: reta\\ntitle: Registro\\ninstitution: PE/MP\\ncontact: \"mesa, 01-5550100\"\\nunit: denuncia\\n"
      "connector: rest\\noptions: {url: \"http://127.0.0.1:%d/reta\", records: data, retries: 0}\\n' "
      ">%s/sources/reta.yaml",
      port, folder);
  shell("printf 'source: reta\\nformat: json\\nrecord: data\\ncase:\\n  key: id\\n  denuncia_number: id\\n' "
        ">%s/mappings/reta.yaml",
        folder);
  workspace_key(folder);
}

static char *run_at(const char *clock, const char *arguments, int *code) {
  return shell_output(code,
                      "PUENTE_CLOCK=%s TZ=UTC %s/puente --config %s/puente.yaml %s 2>/dev/null | sed 's#%s#DIR#g; "
                      "s#127.0.0.1:[0-9]*#HOST#'",
                      clock, build_folder(), folder, arguments, folder);
}

static void prints(const char *arguments, const char *wanted) {
  int code = 0;
  char *text = run_at("2026-01-02T09:00:30Z", arguments, &code);
  assert_string_equal(text, wanted);
  free(text);
}

static int check_code(const char *clock) {
  int code = 0;
  free(shell_output(&code, "PUENTE_CLOCK=%s %s/puente --config %s/puente.yaml status --check", clock, build_folder(),
                    folder));
  return code;
}

#define TABLE_REST "        0           0         0               0\n"

static void a_source_that_fails(void **state) {
  (void)state;
  const struct http_answer refuses = {.status = 401};
  const struct http_answer gives = {.headers = {"Content-Type: application/json"}, .body = "{\"data\":[]}"};
  struct http_server *server = http_server_start(NULL);
  int code = 0;
  http_server_script(server, &refuses, 1);
  make_workspace(http_server_port(server));
  assert_int_equal(check_code("2026-01-02T09:00:00Z"), 0); /* new, not failed */
  free(run_at("2026-01-02T09:00:05Z", "--lang en serve --once", &code));
  assert_int_equal(check_code("2026-01-02T09:00:30Z"), 3);
  prints("--lang en status | sed -n '3p;/^to do/,$p'",
         "reta    REFUSED  2026-01-02 09:00  2026-01-02 09:00  2026-01-02 10:00" TABLE_REST "to do\n"
         "- reta: REFUSED since 2026-01-02 09:00\n"
         "    the source refused the credentials (401)\n"
         "    at: source reta, http://HOST/reta, page 1\n"
         "    check user, password, key or token, and whether they have expired\n"
         "    contact: mesa, 01-5550100\n");
  shell("rm %s/puente.db*", folder);
  free(run_at("2026-01-02T09:00:05Z", "--lang es serve --once", &code));
  prints("--lang es status | sed -n '/^por hacer/,$p'",
         "por hacer\n"
         "- reta: RECHAZADA desde 2026-01-02 09:00\n"
         "    la fuente rechazó las credenciales (401)\n"
         "    en: fuente reta, http://HOST/reta, página 1\n"
         "    verifique usuario, contraseña, llave o token, y si han vencido\n"
         "    contacto: mesa, 01-5550100\n");
  http_server_script(server, &gives, 1);
  free(run_at("2026-01-02T10:00:05Z", "--lang en serve --once", &code));
  assert_int_equal(check_code("2026-01-02T10:00:30Z"), 0);
  http_server_stop(server);
}

/* Renamed or taken away by mistake: it would never be late, and nobody would be told. */
static void a_source_that_lost_its_file(void **state) {
  (void)state;
  const struct http_answer gives = {.headers = {"Content-Type: application/json"},
                                    .body = "{\"data\":[{\"id\":\"1\"}]}"};
  struct http_server *server = http_server_start(NULL);
  int code = 0;
  http_server_script(server, &gives, 1);
  make_workspace(http_server_port(server));
  free(run_at("2026-01-02T09:00:05Z", "--lang en sync", &code));
  assert_int_equal(check_code("2026-01-02T09:00:30Z"), 0);
  shell("mv %s/sources/reta.yaml %s/reta.away", folder, folder);
  assert_int_equal(check_code("2026-01-02T09:00:30Z"), 3);
  prints("--lang en status | tail -n +2",
         "- reta: no file of the configuration describes it any more, and records of it stay in the store: 1\n"
         "    nothing pulls it, and nothing keeps to its terms: put its file back, with state: retired where it has "
         "ended\n");
  prints("status --json | tr -d ' \\n' | grep -o '\"not_configured\":[^]]*'",
         "\"not_configured\":[{\"source\":\"reta\",\"records\":1}\n");
  shell("mv %s/reta.away %s/sources/reta.yaml", folder, folder);
  assert_int_equal(check_code("2026-01-02T09:00:30Z"), 0);
  prints("status --json | tr -d ' \\n' | grep -o '\"not_configured\":[^]]*'", "\"not_configured\":[\n");
  http_server_stop(server);
}

/* A disk that is not mounted looks like a workspace that never pulled; the copies tell one from the other. */
static void a_store_that_is_gone(void **state) {
  (void)state;
  int code = 0;
  make_workspace(9);
  free(run_at("2026-01-02T08:00:00Z", "store init", &code));
  free(run_at("2026-01-02T08:00:00Z", "store backup", &code));
  assert_int_equal(code, 0);
  assert_int_equal(check_code("2026-01-02T08:00:30Z"), 0);
  shell("rm %s/puente.db*", folder);
  assert_int_equal(check_code("2026-01-02T08:00:30Z"), 3);
  prints("--lang en status | sed -n '/^the store/,$p' | sed 's#restore .*/#restore FOLDER/#'",
         "the store is gone, and copies of it are there: look whether its disk is mounted\n"
         "- `puente store restore FOLDER/aviso-2026-01-02T080000Z.db` puts the newest back; `puente store init` "
         "begins a new one\n");
  char *text = shell_output(&code, "%s/puente --lang en --config %s/puente.yaml sync 2>&1; test ! -e %s/puente.db",
                            build_folder(), folder, folder);
  assert_int_equal(code, 0);
  assert_non_null(strstr(text, "error: the store is gone, while copies of it are there, the newest /"));
  assert_non_null(strstr(text, "aviso-2026-01-02T080000Z.db\n"));
  free(text);
  shell("rm -r %s/backups", folder);
  assert_int_equal(check_code("2026-01-02T08:00:30Z"), 0);
  prints("--lang en status | tail -n 1", "no store yet: `puente sync` makes it\n");
  free(run_at("2026-01-02T09:00:05Z", "--lang en sync", &code));
  prints("status --json | grep -c '\"store\": true'", "1\n");
}

/* By the clock, with nobody there: the folder is no folder. One by hand elsewhere is a good one. */
static void a_backup_that_fails(void **state) {
  (void)state;
  int code = 0;
  make_workspace(9);
  shell(
      "printf 'name: aviso\\nstore: {sqlite: puente.db}\\nserve: {timezone: UTC, backup: {schedule: \"@hourly\"}}\\n' "
      ">%s/puente.yaml; sed -i 's/^source:/state: paused\\nsource:/' %s/sources/reta.yaml; : >%s/backups",
      folder, folder, folder);
  free(run_at("2026-01-02T09:00:05Z", "serve --once", &code));
  assert_int_equal(check_code("2026-01-02T09:00:30Z"), 3);
  prints("--lang en status | sed -n '/^to do/,$p'",
         "to do\n"
         "- the last backup failed; the last good one: none\n"
         "    see that the folder of the backups has room, and try `puente store backup` by hand\n");
  prints("status --json | grep -o '\"backup_failed\": true'", "\"backup_failed\": true\n");
  char command[400];
  snprintf(command, sizeof command, "store backup %s/elsewhere.db", folder);
  free(run_at("2026-01-02T09:00:20Z", command, &code));
  assert_int_equal(check_code("2026-01-02T09:00:30Z"), 0);
  assert_int_equal(check_code("2026-01-10T09:00:00Z"), 0);
  assert_int_equal(check_code("2026-01-10T09:00:30Z"), 3); /* none of the last eight days */
}

/* No lease has to run out first: the run says so at once. */
static void a_run_that_was_killed(void **state) {
  (void)state;
  const struct http_answer stalls = {.body = "{\"data\":[{\"id\":\"1\"}]}", .fault = FAULT_STALL};
  struct http_server *server = http_server_start(NULL);
  http_server_script(server, &stalls, 1);
  make_workspace(http_server_port(server));
  pid_t sync = workspace_start(folder, "sync");
  for (int i = 0; i < 400 && http_server_requests(server) == 0; i++) {
    nanosleep(&(const struct timespec){.tv_nsec = 50000000}, NULL);
  }
  assert_int_equal(http_server_requests(server), 1);
  char *text = NULL;
  assert_int_equal(workspace_run(folder, "status", &text), 0);
  assert_non_null(strstr(text, "\nrunning   reta since "));
  free(text);
  kill(sync, SIGKILL);
  assert_int_equal(waitpid(sync, NULL, 0), sync);
  assert_int_equal(workspace_run(folder, "status", &text), 0);
  assert_null(strstr(text, "\nrunning   "));
  assert_non_null(strstr(text, "\nreta    interrupted  "));
  assert_non_null(strstr(text, "\n- reta: `puente sync reta`"));
  free(text);
  http_server_stop(server);
}

static int setup(void **state) {
  (void)state;
  folder = temp_make();
  return 0;
}

static int teardown(void **state) {
  (void)state;
  temp_remove(folder);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_source_that_fails, setup, teardown),
      cmocka_unit_test_setup_teardown(a_source_that_lost_its_file, setup, teardown),
      cmocka_unit_test_setup_teardown(a_store_that_is_gone, setup, teardown),
      cmocka_unit_test_setup_teardown(a_backup_that_fails, setup, teardown),
      cmocka_unit_test_setup_teardown(a_run_that_was_killed, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
