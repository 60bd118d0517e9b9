/* `puente key rotate --workspace-key`: another key file while a run goes on, at each place where it may be interrupted,
 * and what does and does not open afterwards; on both stores. */
#include "core/base/file.h"
#include "core/base/seal.h"
#include "core/service/workspace.h"
#include "core/store/internal.h"
#include "core/store/reseal.h"
#include "tests/support/http_server.h"
#include "tests/support/program.h"
#include "tests/support/terms.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define ROTATE "--quiet key rotate --workspace-key"
enum { PAGES = 12, DELAY = 250, RECORDS = 2 * PAGES };

static const char NGO[] = "{\"key\":\"K1\",\"date\":\"2024-01-02\",\"doc\":\"45671234\",\"given\":\"YOVANITA\","
                          "\"paternal\":\"ZUBIAURRE\",\"maternal\":\"QUISPE\",\"born\":\"2004-05-06\",\"sex\":\"F\"}\n";

static void begin(struct terms_ground *ground, const char *schema) {
  terms_begin(ground, schema, NULL);
  terms_page(ground, "ngo", "1", NGO);
  terms_run(ground, 0, "--quiet run");
}

static void shell_in(const struct terms_ground *ground, const char *command) {
  shell("cd %s && %s", ground->folder, command);
}

static const char *open_store(const struct terms_ground *ground, struct workspace *workspace) {
  static struct error error;
  char path[512];
  snprintf(path, sizeof path, "%s/puente.yaml", ground->folder);
  return workspace_open(path, WORKSPACE_WRITE, workspace, &error) == OK ? "" : error.message;
}

static int64_t number(const struct terms_ground *ground, const char *sql) {
  struct workspace workspace;
  struct error error;
  int64_t count = -1;
  assert_string_equal(open_store(ground, &workspace), "");
  assert_int_equal(db_integer(workspace.store, &error, &count, NULL, sql, NULL, 0), OK);
  workspace_close(&workspace);
  return count;
}

/* What is there opens, what comes is sealed, digests are those of before, and the log is whole. */
static void works(const struct terms_ground *ground) {
  assert_non_null(strstr(terms_run(ground, 0, "audit verify --records"), "audit ok"));
  terms_run(ground, 0, "--quiet store verify --full");
  terms_run(ground, 0, "--quiet sync --full");
  assert_int_equal(workspace_number(ground->folder, "SELECT max(changed) FROM runs"), 0);
  const char *told = terms_run(ground, 0, "explain record ngo:K1 --reveal --purpose asked");
  assert_non_null(strstr(told, "ZUBIAURRE"));
  assert_int_equal(number(ground, "SELECT count(DISTINCT wrapper) FROM data_key WHERE retired = 0"), 1);
}

static void refused(const struct terms_ground *ground, const char *arguments, const char *wanted) {
  struct said said = program_run(ground->folder, arguments);
  if (said.code == 0 || strstr(said.err, wanted) == NULL) {
    fail_msg("%s: %d\n%s%s", arguments, said.code, said.out, said.err);
  }
}

/* ---- twice, and what is left of before ---- */

static void replaces(const char *schema) {
  struct terms_ground ground;
  struct stat info;
  char path[512];
  begin(&ground, schema);
  terms_run(&ground, 0, "audit checkpoint before.txt");
  shell_in(&ground, "cp -p puente.key first && mkdir shares && chmod 700 shares");
  terms_run(&ground, 0, "key split shares");
  const char *told = terms_run(&ground, 0, "key rotate --workspace-key");
  assert_non_null(strstr(told, "the former one is "));
  assert_non_null(strstr(told, "puente.key.former-"));
  shell_in(&ground, "! cmp -s puente.key first && cmp puente.key.former-* first && test ! -e puente.key.new");
  snprintf(path, sizeof path, "%s/puente.key", ground.folder);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 07777, 0600);
  works(&ground);
  /* The log is signed by the key of before, since its root stays. */
  terms_run(&ground, 0, "audit verify --checkpoint before.txt");
  refused(&ground, "key check shares/share-1-of-3.txt shares/share-2-of-3.txt",
          "these shares are of another key than this workspace's");
  shell_in(&ground, "cp -p puente.key second && rm -r shares && mkdir -m 700 shares");
  terms_run(&ground, 0, ROTATE);
  works(&ground);
  terms_run(&ground, 0, "key rotate");
  works(&ground);
  /* A share of the present key gives the present file back; none of the former files opens the store. */
  terms_run(&ground, 0, "key split shares");
  shell_in(&ground, "mv puente.key third && cp -p first puente.key");
  refused(&ground, "--quiet sync", "this key file was replaced: it no longer opens the store");
  shell_in(&ground, "cp -p second puente.key");
  refused(&ground, "--quiet sync", "the key is not the one that this store was made with");
  shell_in(&ground, "rm puente.key");
  terms_run(&ground, 0, "key join shares/share-1-of-3.txt shares/share-3-of-3.txt puente.key");
  shell_in(&ground, "cmp puente.key third");
  works(&ground);
  char *rows = workspace_rows(ground.folder, "SELECT actor, body FROM audit WHERE event = 'key' AND body LIKE "
                                             "'%\"replaced\"}' OR body LIKE '%\"wrapped\"}' ORDER BY sequence");
  assert_int_equal(strncmp(rows, "tester|{\"key\":\"", 15), 0);
  int lines = 0;
  for (const char *at = rows; (at = strchr(at, '\n')) != NULL; at++) {
    lines++;
  }
  assert_int_equal(lines, 4);
  free(rows);
  /* Not by an account that several use. */
  struct said said = program_run_as(ground.folder, "root", ROTATE);
  assert_int_equal(said.code, 1);
  terms_end(&ground);
}

/* ---- interrupted ---- */

/* As after step 2: keys are wrapped under both files. */
static void wrap_twice(const struct terms_ground *ground) {
  struct workspace workspace;
  struct key *fresh = NULL;
  struct error error;
  char path[512];
  snprintf(path, sizeof path, "%s/puente.key.new", ground->folder);
  assert_int_equal(key_create(path, &error), OK);
  assert_int_equal(key_load(path, &fresh, &error), OK);
  assert_string_equal(open_store(ground, &workspace), "");
  assert_int_equal(store_begin(workspace.store, &error), OK);
  assert_int_equal(store_wrap_keys(workspace.store, fresh, &error), OK);
  assert_int_equal(store_commit(workspace.store, &error), OK);
  workspace_close(&workspace);
  key_free(fresh);
}

/* Data key 1 as the fresh file wraps it goes. */
static void lose_key(const struct terms_ground *ground) {
  struct workspace workspace;
  struct key *fresh = NULL;
  struct error error;
  char path[512];
  snprintf(path, sizeof path, "%s/puente.key.new", ground->folder);
  assert_int_equal(key_load(path, &fresh, &error), OK);
  struct subkey wrapping = key_wrapping(fresh);
  struct keyed_digest wrapper = seal_wrapper(&wrapping);
  assert_string_equal(open_store(ground, &workspace), "");
  assert_int_equal(store_begin(workspace.store, &error), OK);
  assert_int_equal(db_execute(workspace.store, &error, "DELETE FROM data_key WHERE key_id = 1 AND wrapper = $1",
                              VALUES(bytes_value(wrapper.bytes, KEYED_SIZE))),
                   OK);
  assert_int_equal(store_commit(workspace.store, &error), OK);
  workspace_close(&workspace);
  key_free(fresh);
}

static void goes_on(const char *schema) {
  static const char BUSY[] = "the workspace's key is being replaced, or that was interrupted";
  struct terms_ground ground;
  begin(&ground, schema);
  /* After step 1: the fresh file alone. */
  shell_in(&ground,
           "head -c 32 /dev/urandom >puente.key.new && chmod 600 puente.key.new && cp -p puente.key.new fresh");
  terms_run(&ground, 0, ROTATE);
  shell_in(&ground, "cmp puente.key fresh");
  works(&ground);
  /* After step 2: either file opens the store; no data key is made, which one of them would not open. */
  wrap_twice(&ground);
  assert_int_equal(number(&ground, "SELECT count(DISTINCT wrapper) FROM data_key WHERE retired = 0"), 2);
  terms_run(&ground, 0, "--quiet sync");
  refused(&ground, "key rotate", BUSY);
  shell_in(&ground, "cp -p puente.key present && cp -p puente.key.new puente.key");
  terms_run(&ground, 0, "--quiet sync");
  refused(&ground, "key rotate", BUSY);
  shell_in(&ground, "cp -p present puente.key");
  terms_run(&ground, 0, ROTATE);
  works(&ground);
  /* After step 3: the file has its name, and the former one opens the store still. */
  wrap_twice(&ground);
  shell_in(&ground, "cp -p puente.key present && mv puente.key.new puente.key");
  terms_run(&ground, 0, ROTATE);
  works(&ground);
  shell_in(&ground, "mv puente.key latest && cp -p present puente.key");
  refused(&ground, "--quiet sync", "error: ");
  shell_in(&ground, "mv latest puente.key");
  /* A key that the new file would not open is not given up. */
  shell_in(&ground, "cp -p puente.key present");
  wrap_twice(&ground);
  lose_key(&ground);
  refused(&ground, ROTATE, "a data key is not wrapped under the new key file; nothing was changed");
  shell_in(&ground, "cp -p present puente.key");
  terms_run(&ground, 0, "--quiet sync");
  terms_end(&ground);
}

/* ---- while a run goes on ---- */

struct slow {
  struct http_server *server;
  char bodies[PAGES][1024], paths[PAGES][16];
  struct http_answer answers[PAGES];
};

static void slow_begin(struct slow *slow) {
  memset(slow, 0, sizeof *slow);
  slow->server = http_server_start(NULL);
  for (int page = 0; page < PAGES; page++) {
    char *body = slow->bodies[page];
    size_t used = (size_t)snprintf(body, sizeof slow->bodies[page], "{\"data\":[");
    for (int i = 0; i < 2; i++) {
      used += (size_t)snprintf(body + used, sizeof slow->bodies[page] - used,
                               "%s{\"key\":\"R%d-%d\",\"date\":\"2024-02-01\",\"doc\":\"1%07d\",\"given\":\"ANA\","
                               "\"paternal\":\"Z%c%cAMANI\",\"born\":\"1990-01-01\",\"sex\":\"F\"}",
                               i == 0 ? "" : ",", page, i, page * 6151 + i * 389, 'A' + page, 'A' + i);
    }
    if (page + 1 < PAGES) {
      snprintf(body + used, sizeof slow->bodies[page] - used, "],\"next\":\"http://127.0.0.1:%d/p%02d\"}",
               http_server_port(slow->server), page + 1);
    } else {
      snprintf(body + used, sizeof slow->bodies[page] - used, "]}");
    }
    snprintf(slow->paths[page], sizeof slow->paths[page], "/p%02d", page);
    slow->answers[page] = (struct http_answer){.headers = {"Content-Type: application/json"},
                                               .body = body,
                                               .delay = page == 0 ? 0 : DELAY,
                                               .path = slow->paths[page]};
  }
  http_server_script(slow->server, slow->answers, PAGES);
}

static bool is_running(pid_t child) {
  return waitpid(child, NULL, WNOHANG) == 0;
}

static void mid_run(const char *schema) {
  struct slow *slow = calloc(1, sizeof *slow);
  struct terms_ground ground;
  char text[512];
  int state = 0;
  assert_non_null(slow);
  slow_begin(slow);
  terms_begin(&ground, schema, NULL);
  snprintf(text, sizeof text,
           "source: ngo\ninstitution: PE/CHS\nunit: victim\nconnector: rest\nprecedence: 1\n"
           "options: {url: \"http://127.0.0.1:%d/p00\", paging: next_link, records: data}\n",
           http_server_port(slow->server));
  program_write(ground.folder, "sources/ngo.yaml", text);
  shell("sed -i 's/^format: json/&\\nrecord: data/' %s/mappings/ngo.yaml", ground.folder);
  terms_run(&ground, 0, "--quiet store init");
  pid_t run = workspace_start(ground.folder, "--quiet run");
  while (is_running(run) && workspace_number(ground.folder, "SELECT count(*) FROM records") < 4) {
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
  }
  /* The run holds the former file's bytes; it has to open a data key that only the new file opens. */
  terms_run(&ground, 0, ROTATE);
  terms_run(&ground, 0, "--quiet key rotate");
  if (schema != NULL) { /* SQLite has one writer: there they take turns */
    assert_true(is_running(run));
    assert_true(workspace_number(ground.folder, "SELECT count(*) FROM records") < RECORDS);
  }
  waitpid(run, &state, 0);
  assert_int_equal(WIFEXITED(state) ? WEXITSTATUS(state) : 0, 0);
  assert_int_equal(workspace_number(ground.folder, "SELECT count(*) FROM records"), RECORDS);
  assert_int_equal(workspace_number(ground.folder, "SELECT count(*) FROM persons"), RECORDS);
  assert_int_equal(number(&ground, "SELECT count(*) FROM data_key WHERE purpose = 'body' AND retired = 0"), 1);
  assert_non_null(strstr(terms_run(&ground, 0, "audit verify --records"), "audit ok"));
  terms_run(&ground, 0, "--quiet store verify --full");
  http_server_stop(slow->server);
  free(slow);
  terms_end(&ground);
}

/* A process that read the file before it was replaced, and opens the store only then. */
static void read_too_early(void **state) {
  struct terms_ground ground;
  struct store_options options;
  struct workspace workspace;
  struct store *store = NULL;
  struct key *key = NULL;
  struct error error;
  char path[512], *password = NULL;
  (void)state;
  begin(&ground, NULL);
  snprintf(path, sizeof path, "%s/puente.key", ground.folder);
  for (int times = 0; times < 2; times++) {
    assert_int_equal(key_load(path, &key, &error), OK);
    terms_run(&ground, 0, ROTATE);
    assert_string_equal(open_store(&ground, &workspace), "");
    assert_int_equal(workspace_store_options(&workspace, &options, &password, &error), OK);
    options.key = key;
    options.read_only = true;
    assert_int_equal(store_open(&options, &store, &error), OK);
    store_close(store);
    secret_free(password);
    workspace_close(&workspace);
    key_free(key);
  }
  terms_end(&ground);
}

static void replaces_sqlite(void **state) {
  (void)state;
  replaces(NULL);
}

static void replaces_postgres(void **state) {
  (void)state;
  replaces("workspace_key");
}

static void goes_on_sqlite(void **state) {
  (void)state;
  goes_on(NULL);
}

static void goes_on_postgres(void **state) {
  (void)state;
  goes_on("workspace_key_on");
}

static void mid_run_sqlite(void **state) {
  (void)state;
  mid_run(NULL);
}

static void mid_run_postgres(void **state) {
  (void)state;
  mid_run("workspace_key_run");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(replaces_sqlite),  cmocka_unit_test(replaces_postgres), cmocka_unit_test(goes_on_sqlite),
      cmocka_unit_test(goes_on_postgres), cmocka_unit_test(mid_run_sqlite),    cmocka_unit_test(mid_run_postgres),
      cmocka_unit_test(read_too_early),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
