/* Checkpoints that holders outside get: a webhook, a mail address and a folder, on both stores; what they answered;
 * what is found later by what they kept; and the warning where nobody has a young one. */
#include "core/service/holders.h"

#include "core/audit/verify.h"
#include "core/base/date.h"
#include "core/service/auditing.h"
#include "core/service/overview.h"
#include "core/store/receipt.h"
#include "tests/support/http_server.h"
#include "tests/support/smtp_server.h"
#include "tests/support/stamp_server.h"
#include "tests/support/stores.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY INT64_C(86400000000)

static const struct notify_limits quick = {.connect = 1000000, .whole = 2000000, .pause = 10000, .tries = 2};
static struct stamp_server *authority;
static char *authority_folder;

struct scene {
  struct stand stand;
  struct http_server *web;
  struct smtp_server *mail;
  char url[64], server[64], folder[300], stamp_url[64], stamp_ca[300];
  struct holder_config holders[3];
  struct source_config sources[1];
  struct config config;
  int ids[1];
  struct workspace workspace;
  int64_t now;
};

static void set_clock(struct scene *scene, int64_t now) {
  char text[TIMESTAMP_TEXT_SIZE];
  scene->now = now;
  clock_format(now, text);
  setenv("PUENTE_CLOCK", text, 1);
}

static void append(struct scene *scene, const char *event, const char *actor) {
  struct error error;
  const struct audit_event entry = {.event = event, .actor = actor};
  MUST(store_begin(scene->stand.store, &error));
  MUST(audit_append(scene->stand.store, &entry, &error));
  MUST(store_commit(scene->stand.store, &error));
}

static void configure(struct scene *scene) {
  struct error error;
  static const char *const others[] = {"operator@example.org"};
  snprintf(scene->url, sizeof scene->url, "http://127.0.0.1:%d/keep", http_server_port(scene->web));
  snprintf(scene->server, sizeof scene->server, "smtp://127.0.0.1:%d", smtp_server_port(scene->mail));
  snprintf(scene->folder, sizeof scene->folder, "%s/kept", scene->stand.folder);
  assert_int_equal(mkdir(scene->folder, 0700), 0);
  scene->holders[0] =
      (struct holder_config){.name = "contraloria", .webhook = {.url = scene->url, .token = "env:HOLDER_TOKEN"}};
  scene->holders[1] = (struct holder_config){.name = "auditor", .mail = "auditor@example.org"};
  scene->holders[2] = (struct holder_config){.name = "notary", .folder = scene->folder};
  scene->config = (struct config){
      .name = "peru",
      .folder = scene->stand.folder,
      .sources = scene->sources,
      .notify = {.server = scene->server, .from = "puente@example.org", .to = others, .to_count = 1},
      .checkpoints = {.holders = scene->holders, .holder_count = 3, .timetable = {.text = "@daily", .zone = "UTC"}}};
  MUST(cron_parse(slice_of("@daily"), &scene->config.checkpoints.timetable.cron, &error));
  scene->workspace = (struct workspace){.config = &scene->config,
                                        .store = scene->stand.store,
                                        .key = scene->stand.key,
                                        .source_ids = scene->ids,
                                        .actor = "tester"};
}

static void open_scene(struct scene *scene, enum store_kind kind) {
  *scene = (struct scene){.now = 0};
  assert_true(clock_parse(slice_of("2026-01-02T12:00:00Z"), &scene->now));
  set_clock(scene, scene->now);
  setenv("HOLDER_TOKEN", "t0ken", 1);
  stand_open(&scene->stand, kind);
  scene->web = http_server_start(NULL);
  scene->mail = smtp_server_start(NULL);
  configure(scene);
  append(scene, "land", "ana");
  append(scene, "link", "ana");
}

static void close_scene(struct scene *scene) {
  http_server_stop(scene->web);
  smtp_server_stop(scene->mail);
  stand_close(&scene->stand);
  unsetenv("PUENTE_CLOCK");
}

static const struct http_answer keeps = {.status = 201, .headers = {"ETag: \"v7\""}, .body = "kept"};
static const struct http_answer refuses = {.status = 403};
static const struct smtp_script queues = {.message = "250 2.0.0 Ok: queued as 4F2"};

static enum status send_now(struct scene *scene, bool due, struct holders_done *done, struct error *error) {
  const struct holders_job job = {.due = due, .limits = &quick};
  return holders_send(&scene->workspace, &job, done, error);
}

/* ---- receipts as text: "holder sequence answer-or-message", newest first ---- */

static char receipts[8192];

static enum status note(void *context, const struct receipt *receipt, struct error *error) {
  (void)context, (void)error;
  snprintf(receipts + strlen(receipts), sizeof receipts - strlen(receipts), "%s %lld %s%s%s\n", receipt->holder,
           (long long)receipt->sequence, receipt->sent != 0 ? receipt->answer : "FAILED ",
           receipt->sent != 0 ? "" : receipt->message, receipt->stamp.len > 500 ? " stamped" : "");
  return OK;
}

static const char *all_receipts(struct scene *scene) {
  struct error error;
  receipts[0] = '\0';
  MUST(store_visit_receipts(scene->stand.store, note, NULL, &error));
  return receipts;
}

/* ---- the log ---- */

static char last_event[64], last_body[1024];

static enum status note_entry(void *context, const struct audit_row *row, struct error *error) {
  (void)context, (void)error;
  snprintf(last_event, sizeof last_event, "%s", row->event);
  snprintf(last_body, sizeof last_body, "%s", row->body);
  return OK;
}

static void last_entry(struct scene *scene) {
  struct error error;
  MUST(store_visit_audit(scene->stand.store, 1, note_entry, NULL, &error));
}

static int64_t verify(struct scene *scene, const char *name, struct audit_check *check) {
  struct error error;
  struct checkpoint kept;
  char path[400];
  snprintf(path, sizeof path, "%s/%s", scene->folder, name);
  const char *paths[] = {path};
  MUST(auditing_checkpoints(&scene->workspace, paths, 1, &kept, &error));
  MUST(audit_verify_against(scene->stand.store, &kept, 1, check, &error));
  return check->first_wrong;
}

/* ---- what each gets ---- */

static void check_web(struct scene *scene) {
  assert_int_equal(http_server_requests(scene->web), 1);
  const struct http_seen *seen = http_server_seen(scene->web, 0);
  assert_non_null(strstr(seen->headers, "Authorization: Bearer t0ken"));
  json_t *root = json_loadb(seen->body, seen->length, 0, NULL);
  assert_string_equal(json_string_value(json_object_get(root, "kind")), "checkpoint");
  const json_t *file = json_array_get(json_object_get(root, "files"), 0);
  assert_string_equal(json_string_value(json_object_get(file, "name")), "peru-2.checkpoint");
  struct checkpoint got;
  struct error error;
  MUST(checkpoint_read(slice_of(json_string_value(json_object_get(file, "text"))), NULL, &got, &error));
  assert_int_equal(got.sequence, 2);
  json_decref(root);
}

static void every_holder_gets_it(void **state) {
  (void)state;
  static const enum store_kind kinds[] = {STORE_SQLITE, STORE_POSTGRES};
  for (size_t i = 0; i < 2; i++) {
    struct scene scene;
    struct holders_done done;
    struct audit_check check;
    struct error error;
    open_scene(&scene, kinds[i]);
    http_server_script(scene.web, &keeps, 1);
    smtp_server_script(scene.mail, &queues);
    MUST(send_now(&scene, false, &done, &error));
    assert_true(done.sequence == 2 && done.reached == 3 && done.failed == 0);
    check_web(&scene);
    assert_int_equal(smtp_server_messages(scene.mail), 1);
    const struct smtp_seen *mail = smtp_server_seen(scene.mail, 0);
    assert_non_null(strstr(mail->to, "auditor@example.org"));
    assert_non_null(strstr(mail->data, "peru-2.checkpoint"));
    assert_non_null(strstr(mail->data, "puente/checkpoint/1"));
    char wanted[1024];
    snprintf(wanted, sizeof wanted,
             "auditor 2 250 2.0.0 Ok: queued as 4F2\ncontraloria 2 HTTP 201, ETag \"v7\", SHA-256 of the answer "
             "79084b1f2eebdd5ab9e6a0fb8a9a3a3b4ed1d2cd7e5cf4b1d0b7b4cb8e0b7d7a\nnotary 2 %s/peru-2.checkpoint\n",
             scene.folder);
    const char *got = all_receipts(&scene), *digest = strstr(got, "answer ");
    assert_memory_equal(got, wanted, (size_t)(strstr(wanted, "answer ") - wanted));
    struct sha256 kept = sha256_of(slice_of("kept"));
    char hex[2 * SHA256_SIZE + 1];
    hex_format(kept.bytes, SHA256_SIZE, hex);
    assert_memory_equal(digest + 7, hex, 64);
    assert_string_equal(strstr(digest, "\nnotary"), strstr(wanted, "\nnotary"));
    last_entry(&scene);
    assert_string_equal(last_event, "checkpoint");
    assert_non_null(strstr(last_body, "{\"failed\":[],\"hash\":\""));
    assert_non_null(strstr(last_body, "\",\"holders\":[\"contraloria\",\"auditor\",\"notary\"],\"sequence\":2}"));
    assert_int_equal(verify(&scene, "peru-2.checkpoint", &check), 0);
    assert_int_equal(check.entries, 3);
    close_scene(&scene);
  }
}

static void one_that_fails_does_not_stop_the_others(void **state) {
  (void)state;
  static const enum store_kind kinds[] = {STORE_SQLITE, STORE_POSTGRES};
  for (size_t i = 0; i < 2; i++) {
    struct scene scene;
    struct holders_done done;
    struct error error;
    open_scene(&scene, kinds[i]);
    http_server_script(scene.web, &refuses, 1);
    const struct smtp_script script = {.recipient = "550 no such user"};
    smtp_server_script(scene.mail, &script);
    assert_int_equal(send_now(&scene, true, &done, &error), ERR_AUTH);
    assert_string_equal(error.message, "the server refused the token (403)");
    assert_true(done.reached == 1 && done.failed == 2);
    assert_non_null(strstr(all_receipts(&scene),
                           "auditor 2 FAILED the mail server refused the message (550)\n"
                           "contraloria 2 FAILED the server refused the token (403)\nnotary 2 /"));
    last_entry(&scene);
    assert_non_null(strstr(last_body, "{\"failed\":[\"contraloria\",\"auditor\"],"));
    assert_non_null(strstr(last_body, "\"holders\":[\"notary\"]"));
    /* Tried again: only those that got none since the schedule's moment. */
    http_server_script(scene.web, &keeps, 1);
    smtp_server_script(scene.mail, &queues);
    set_clock(&scene, scene.now + 60 * 1000000);
    MUST(send_now(&scene, true, &done, &error));
    assert_true(done.sequence == 3 && done.reached == 2);
    MUST(send_now(&scene, true, &done, &error));
    assert_true(done.sequence == 0 && done.reached == 0);
    set_clock(&scene, scene.now + DAY);
    MUST(send_now(&scene, true, &done, &error));
    assert_true(done.sequence == 4 && done.reached == 3);
    close_scene(&scene);
  }
}

/* A folder's files are never overwritten; another checkpoint of the same entry tells that the log is not what it was.
 */
static void a_folder_keeps_what_it_has(void **state) {
  (void)state;
  struct scene scene;
  struct holders_done done;
  struct error error;
  open_scene(&scene, STORE_SQLITE);
  scene.config.checkpoints.holders = &scene.holders[2];
  scene.config.checkpoints.holder_count = 1;
  MUST(send_now(&scene, false, &done, &error));
  int code;
  char *before = shell_output(&code, "cat %s/peru-2.checkpoint", scene.folder);
  free(shell_output(&code,
                    "sqlite3 %s \"DELETE FROM audit_log WHERE sequence > 1; UPDATE audit_head SET sequence = 1, hash = "
                    "(SELECT hash FROM audit_log WHERE sequence = 1)\"",
                    scene.stand.path));
  append(&scene, "link", "somebody");
  assert_int_equal(send_now(&scene, false, &done, &error), ERR_STORE);
  assert_string_equal(error.message, "the holder has another checkpoint of this entry: the log is not what it was");
  assert_true(done.sequence == 2 && done.failed == 1);
  char *after = shell_output(&code, "cat %s/peru-2.checkpoint", scene.folder);
  assert_string_equal(after, before);
  free(before);
  free(after);
  close_scene(&scene);
}

/* ---- what is found by a checkpoint that came back ---- */

static void a_cut_tail_and_a_log_written_anew_are_found(void **state) {
  (void)state;
  struct scene scene;
  struct holders_done done;
  struct audit_check check;
  struct error error;
  int code;
  open_scene(&scene, STORE_SQLITE);
  scene.config.checkpoints.holders = &scene.holders[2];
  scene.config.checkpoints.holder_count = 1;
  for (int i = 0; i < 5; i++) {
    append(&scene, "land", "ana");
  }
  MUST(send_now(&scene, false, &done, &error));
  assert_int_equal(done.sequence, 7);
  /* Who holds the database cuts the tail, and moves the head with it. */
  free(shell_output(&code,
                    "sqlite3 %s \"DELETE FROM audit_log WHERE sequence > 5; UPDATE audit_head SET sequence = 5, hash = "
                    "(SELECT hash FROM audit_log WHERE sequence = 5)\"",
                    scene.stand.path));
  assert_int_equal(code, 0);
  MUST(audit_verify(scene.stand.store, &check, &error));
  assert_int_equal(check.first_wrong, 0); /* by itself it looks whole */
  assert_int_equal(verify(&scene, "peru-7.checkpoint", &check), 6);
  /* And writes it anew, as long as it was. */
  free(shell_output(&code,
                    "sqlite3 %s \"DELETE FROM audit_log WHERE sequence > 3; UPDATE audit_head SET sequence = 3, hash = "
                    "(SELECT hash FROM audit_log WHERE sequence = 3)\"",
                    scene.stand.path));
  for (int i = 0; i < 5; i++) {
    append(&scene, "land", "somebody");
  }
  MUST(audit_verify(scene.stand.store, &check, &error));
  assert_int_equal(check.first_wrong, 0);
  assert_int_equal(verify(&scene, "peru-7.checkpoint", &check), 7);
  close_scene(&scene);
}

/* A log that is not whole is not signed, and nobody gets anything. */
static void a_broken_log_is_not_signed(void **state) {
  (void)state;
  struct scene scene;
  struct holders_done done;
  struct error error;
  int code;
  open_scene(&scene, STORE_SQLITE);
  free(shell_output(&code, "sqlite3 %s \"UPDATE audit_log SET actor = 'luis' WHERE sequence = 1\"", scene.stand.path));
  assert_int_equal(send_now(&scene, false, &done, &error), ERR_STORE);
  assert_int_equal(http_server_requests(scene.web), 0);
  assert_string_equal(all_receipts(&scene), "");
  close_scene(&scene);
}

/* ---- the warning ---- */

static struct holders_standing standing(struct scene *scene, bool *alarms) {
  struct overview overview;
  struct error error;
  MUST(overview_read(&scene->workspace, &overview, &error));
  struct holders_standing found = overview.holders;
  *alarms = overview_alarms(&overview);
  overview_free(&overview);
  return found;
}

/* What somebody has who is no holder any more does not count; where there is no holder nothing is warned of. */
static void check_others(struct scene *scene) {
  bool alarms;
  scene->holders[0].name = "other";
  struct holders_standing now = standing(scene, &alarms);
  assert_true(now.stale && now.last == 0);
  scene->config.checkpoints.holder_count = 0;
  now = standing(scene, &alarms);
  assert_true(!now.stale && !alarms);
}

static void seven_days_without_one_are_warned_of(void **state) {
  (void)state;
  static const enum store_kind kinds[] = {STORE_SQLITE, STORE_POSTGRES};
  for (size_t i = 0; i < 2; i++) {
    struct scene scene;
    struct holders_done done;
    struct error error;
    bool alarms;
    open_scene(&scene, kinds[i]);
    int64_t begin = scene.now;
    http_server_script(scene.web, &refuses, 1);
    scene.config.checkpoints.holder_count = 1;
    struct holders_standing now = standing(&scene, &alarms);
    assert_true(now.stale && !alarms && now.last == 0 && now.tried == 0);
    assert_int_not_equal(send_now(&scene, false, &done, &error), OK);
    now = standing(&scene, &alarms);
    assert_true(now.stale && !alarms && now.last == 0 && now.tried == begin);
    set_clock(&scene, begin + 7 * DAY);
    now = standing(&scene, &alarms); /* none in seven days of trying */
    assert_true(now.stale && alarms);
    http_server_script(scene.web, &keeps, 1);
    MUST(send_now(&scene, false, &done, &error));
    now = standing(&scene, &alarms);
    assert_true(!now.stale && !alarms && now.last == begin + 7 * DAY);
    set_clock(&scene, begin + 14 * DAY - 1000000);
    now = standing(&scene, &alarms);
    assert_true(!now.stale && !alarms);
    set_clock(&scene, begin + 14 * DAY);
    now = standing(&scene, &alarms);
    assert_true(now.stale && alarms && now.last == begin + 7 * DAY);
    check_others(&scene);
    close_scene(&scene);
  }
}

/* ---- time-stamps ---- */

static void use_authority(struct scene *scene) {
  snprintf(scene->stamp_url, sizeof scene->stamp_url, "http://127.0.0.1:%d/tsr", stamp_server_port(authority));
  snprintf(scene->stamp_ca, sizeof scene->stamp_ca, "%s/tsa_ca.pem", authority_folder);
  scene->config.checkpoints.stamp_url = scene->stamp_url;
  scene->config.checkpoints.stamp_ca = scene->stamp_ca;
  scene->config.checkpoints.holders = &scene->holders[2];
  scene->config.checkpoints.holder_count = 1;
}

static void a_checkpoint_is_stamped(void **state) {
  (void)state;
  static const enum store_kind kinds[] = {STORE_SQLITE, STORE_POSTGRES};
  for (size_t i = 0; i < 2; i++) {
    struct scene scene;
    struct holders_done done;
    struct error error;
    int code;
    open_scene(&scene, kinds[i]);
    use_authority(&scene);
    stamp_server_fault(authority, STAMP_GOOD);
    MUST(send_now(&scene, false, &done, &error));
    assert_non_null(strstr(all_receipts(&scene), "\ntimestamp 2 RFC 3161, 20"));
    assert_non_null(strstr(receipts, " stamped\n"));
    char *said =
        shell_output(&code, "cd %s && openssl ts -verify -data peru-2.checkpoint -in peru-2.tsr -CAfile %s 2>&1",
                     scene.folder, scene.stamp_ca);
    assert_non_null(strstr(said, "Verification: OK"));
    free(said);
    close_scene(&scene);
  }
}

static void a_stamp_that_proves_nothing_is_refused(void **state) {
  (void)state;
  static const struct {
    enum stamp_fault fault;
    const char *ca, *message;
  } cases[] = {
      {STAMP_GOOD, "plain_ca.pem", "the time-stamp is not of this checkpoint, or of no authority that is trusted"},
      {STAMP_REPLAYS, "tsa_ca.pem", "the time-stamp is not of this checkpoint, or of no authority that is trusted"},
      {STAMP_NONSENSE, "tsa_ca.pem", "what the time-stamp authority answered is no time-stamp"},
      {STAMP_REJECTS, "tsa_ca.pem", "the time-stamp authority refused the request"},
      {STAMP_BROKEN, "tsa_ca.pem", "the server answered 500"},
      {STAMP_GOOD, "none.pem", "the certificates of the time-stamp authority cannot be read"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct scene scene;
    struct holders_done done;
    struct error error;
    char path[400];
    open_scene(&scene, STORE_SQLITE);
    use_authority(&scene);
    snprintf(scene.stamp_ca, sizeof scene.stamp_ca, "%s/%s", authority_folder, cases[i].ca);
    stamp_server_fault(authority, cases[i].fault);
    assert_int_not_equal(send_now(&scene, false, &done, &error), OK);
    assert_string_equal(error.message, cases[i].message);
    assert_true(done.reached == 1 && done.failed == 0); /* the holder has it all the same */
    assert_null(strstr(all_receipts(&scene), "stamped"));
    snprintf(path, sizeof path, "%s/peru-2.tsr", scene.folder);
    assert_int_not_equal(access(path, F_OK), 0);
    close_scene(&scene);
  }
}

static int begin(void **state) {
  (void)state;
  authority_folder = temp_make();
  authority = stamp_server_start(authority_folder);
  return 0;
}

static int end(void **state) {
  (void)state;
  stamp_server_stop(authority);
  temp_remove(authority_folder);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_holder_gets_it),       cmocka_unit_test(one_that_fails_does_not_stop_the_others),
      cmocka_unit_test(a_folder_keeps_what_it_has), cmocka_unit_test(a_cut_tail_and_a_log_written_anew_are_found),
      cmocka_unit_test(a_broken_log_is_not_signed), cmocka_unit_test(seven_days_without_one_are_warned_of),
      cmocka_unit_test(a_checkpoint_is_stamped),    cmocka_unit_test(a_stamp_that_proves_nothing_is_refused),
  };
  return cmocka_run_group_tests_name("holders of checkpoints", tests, begin, end);
}
