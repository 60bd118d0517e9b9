/* What people are told, and how often: made-up overviews over a real store, a webhook that takes the messages. */
#include "core/base/date.h"
#include "core/service/notices.h"
#include "tests/support/http_server.h"
#include "tests/support/stores.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define MINUTE INT64_C(60000000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static const char beginning[] = "2026-01-02T12:00:00Z";

struct scene {
  struct stand stand;
  struct http_server *web;
  char url[64];
  struct webhook_config webhook;
  struct source_config sources[2];
  struct config config;
  int ids[2];
  struct workspace workspace;
  struct source_overview shown[2];
  struct expiry expiry;
  struct overview overview;
  int64_t now;
};

static void set_clock(struct scene *scene, int64_t now) {
  char text[TIMESTAMP_TEXT_SIZE];
  scene->now = now;
  clock_format(now, text);
  setenv("PUENTE_CLOCK", text, 1);
}

static void pass(struct scene *scene, int64_t micros) {
  set_clock(scene, scene->now + micros);
}

static void healthy(struct scene *scene) {
  for (int i = 0; i < 2; i++) {
    scene->shown[i] = (struct source_overview){.source = &scene->sources[i],
                                               .state = "ok",
                                               .total = 1000,
                                               .mapped = 1000,
                                               .complete = scene->now,
                                               .health = {.health = HEALTH_OK, .succeeded = scene->now},
                                               .standing = {.standing = STANDING_OK, .due = scene->now + DAY}};
  }
  scene->overview = (struct overview){.made = true, .sources = scene->shown, .source_count = 2};
}

static void configure(struct scene *scene) {
  scene->sources[0] = (struct source_config){.code = "reta",
                                             .title = "Registro de trata",
                                             .institution = "PE/PNP",
                                             .contact = "mesa de ayuda, 01-5550100",
                                             .unit = "denuncia",
                                             .options_yaml = NULL};
  scene->sources[1] = scene->sources[0];
  scene->sources[1].code = "siscalp";
  scene->webhook.url = scene->url;
  scene->config = (struct config){.name = "Perú",
                                  .folder = scene->stand.folder,
                                  .sources = scene->sources,
                                  .source_count = 2,
                                  .notify = {.webhooks = &scene->webhook,
                                             .webhook_count = 1,
                                             .digest = {.zone = "America/Lima"},
                                             .quarantine_share = 0.05,
                                             .quarantine_records = 100}};
}

static int start(void **state) {
  struct scene *scene = calloc(1, sizeof *scene);
  struct error error;
  assert_non_null(scene);
  set_clock(scene, 0);
  assert_true(clock_parse(slice_of(beginning), &scene->now));
  set_clock(scene, scene->now);
  stand_open(&scene->stand, STORE_SQLITE);
  scene->web = http_server_start(NULL);
  snprintf(scene->url, sizeof scene->url, "http://127.0.0.1:%d/", http_server_port(scene->web));
  configure(scene);
  MUST(store_begin(scene->stand.store, &error));
  MUST(store_sources(scene->stand.store, scene->sources, 2, scene->ids, &error));
  MUST(store_commit(scene->stand.store, &error));
  scene->workspace =
      (struct workspace){.config = &scene->config, .store = scene->stand.store, .source_ids = scene->ids};
  healthy(scene);
  *state = scene;
  return 0;
}

static int stop(void **state) {
  struct scene *scene = *state;
  http_server_stop(scene->web);
  stand_close(&scene->stand);
  free(scene);
  unsetenv("PUENTE_CLOCK");
  return 0;
}

/* "kind: subject" of each message, a line each; the text of the last one in `last`. */
static char heard[4096], last[8192];

static void gather(struct scene *scene) {
  heard[0] = '\0';
  last[0] = '\0';
  for (size_t i = 0; i < http_server_requests(scene->web); i++) {
    const struct http_seen *seen = http_server_seen(scene->web, i);
    json_t *root = json_loadb(seen->body, seen->length, 0, NULL);
    assert_non_null(root);
    snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "%s: %s\n",
             json_string_value(json_object_get(root, "kind")), json_string_value(json_object_get(root, "subject")));
    snprintf(last, sizeof last, "%s", json_string_value(json_object_get(root, "text")));
    json_decref(root);
  }
}

static const struct http_answer takes = {.status = 200}, refuses = {.status = 404};

/* Tells, and compares what came. */
static struct notices_summary tell(struct scene *scene, const char *wanted, int line) {
  struct notices_summary summary;
  struct error error;
  http_server_script(scene->web, &takes, 1);
  must(notices_tell(&scene->workspace, &scene->overview, NULL, &summary, &error), &error, "notices_tell", line);
  gather(scene);
  if (strcmp(heard, wanted) != 0) {
    print_error("line %d:\n", line);
  }
  assert_string_equal(heard, wanted);
  return summary;
}
#define TELL(wanted) tell(scene, wanted, __LINE__)

static void fail_source(struct scene *scene, enum standing standing, int failures, int64_t retry) {
  struct source_overview *source = &scene->shown[0];
  source->standing = (struct source_standing){
      .standing = standing, .since = scene->now, .due = scene->now + DAY, .retry = scene->now + retry};
  source->health.failures = failures;
  source->health.message = "the source refused the credentials (401)";
  source->health.hint = "check user, password, key or token, and whether they have expired";
}

/* ---- sources ---- */

static void a_failure_is_told_once_and_so_is_its_end(void **state) {
  struct scene *scene = *state;
  TELL("");
  fail_source(scene, STANDING_REFUSED, 1, DAY);
  assert_int_equal(TELL("failure: [Puente Perú] reta: refuses us\n").told, 1);
  pass(scene, HOUR);
  assert_int_equal(TELL("").standing, 1);
  stand_reopen(&scene->stand); /* a restart repeats nothing */
  scene->workspace.store = scene->stand.store;
  TELL("");
  healthy(scene);
  TELL("recovery: [Puente Perú] reta: works again\n");
  TELL("");
  fail_source(scene, STANDING_REFUSED, 1, DAY); /* another time is another failure */
  TELL("failure: [Puente Perú] reta: refuses us\n");
}

static void one_lost_try_is_not_told(void **state) {
  struct scene *scene = *state;
  fail_source(scene, STANDING_UNREACHABLE, 1, 2 * MINUTE);
  TELL("");
  healthy(scene);
  TELL(""); /* nobody was told that it failed */
  fail_source(scene, STANDING_UNREACHABLE, 1, 2 * MINUTE);
  TELL("");
  pass(scene, 2 * MINUTE);
  fail_source(scene, STANDING_UNREACHABLE, 2, 4 * MINUTE);
  TELL("failure: [Puente Perú] reta: cannot be reached\n");
  healthy(scene);
  TELL("recovery: [Puente Perú] reta: works again\n");
  fail_source(scene, STANDING_UNREACHABLE, 1, 12 * HOUR); /* the next try is far: now */
  TELL("failure: [Puente Perú] reta: cannot be reached\n");
}

static void what_only_a_person_mends_is_told_anew(void **state) {
  struct scene *scene = *state;
  fail_source(scene, STANDING_UNREACHABLE, 3, MINUTE);
  TELL("failure: [Puente Perú] reta: cannot be reached\n");
  fail_source(scene, STANDING_LATE, 4, MINUTE);
  TELL("");
  fail_source(scene, STANDING_REFUSED, 5, DAY);
  TELL("failure: [Puente Perú] reta: refuses us\n");
  fail_source(scene, STANDING_UNREACHABLE, 6, MINUTE); /* to and fro */
  TELL("");
  fail_source(scene, STANDING_REFUSED, 7, DAY);
  TELL("");
  healthy(scene);
  TELL("recovery: [Puente Perú] reta: works again\n");
}

static void sources_are_told_of_one_by_one(void **state) {
  struct scene *scene = *state;
  fail_source(scene, STANDING_CHANGED, 1, DAY);
  scene->shown[1].standing.standing = STANDING_LATE;
  scene->shown[1].standing.since = scene->now - HOUR;
  TELL("failure: [Puente Perú] reta: has changed: its data no longer fit the mapping\n");
  pass(scene, 5 * MINUTE);
  TELL(""); /* it may be being made up */
  pass(scene, 5 * MINUTE);
  TELL("failure: [Puente Perú] siscalp: is late\n");
  scene->shown[1].standing.standing = STANDING_OK;
  TELL("recovery: [Puente Perú] siscalp: works again\n");
}

static void a_paused_source_is_left_in_peace(void **state) {
  struct scene *scene = *state;
  fail_source(scene, STANDING_REFUSED, 1, DAY);
  TELL("failure: [Puente Perú] reta: refuses us\n");
  scene->sources[0].state = SOURCE_PAUSED;
  TELL("");
  scene->sources[0].state = SOURCE_ACTIVE;
  TELL("failure: [Puente Perú] reta: refuses us\n");
}

/* ---- growth ---- */

static void quarantine(struct scene *scene, int64_t records, int64_t total) {
  scene->shown[0].quarantined = records;
  scene->shown[0].total = total;
}

static void quarantine_never_grows_in_silence(void **state) {
  struct scene *scene = *state;
  quarantine(scene, 3, 1000);
  TELL("");
  quarantine(scene, 60, 1000); /* more than a twentieth */
  TELL("quarantine: [Puente Perú] reta: records in quarantine: 60 of 1000\n");
  quarantine(scene, 159, 1000);
  TELL("");
  quarantine(scene, 160, 1000);
  TELL("quarantine: [Puente Perú] reta: records in quarantine: 160 of 1000\n");
  quarantine(scene, 20, 1000); /* a correction of the mapping: growth counts from here */
  TELL("");
  quarantine(scene, 119, 1000);
  TELL("");
  quarantine(scene, 120, 1000);
  TELL("quarantine: [Puente Perú] reta: records in quarantine: 120 of 1000\n");
  quarantine(scene, 0, 1000);
  TELL("recovery: [Puente Perú] reta: nothing is in quarantine any more\n");
  quarantine(scene, 99, 1000000);
  TELL("");
  quarantine(scene, 100, 1000000); /* a small share, and yet a hundred */
  TELL("quarantine: [Puente Perú] reta: records in quarantine: 100 of 1000000\n");
}

static void drift_is_told_with_its_fields(void **state) {
  struct scene *scene = *state;
  struct error error;
  const struct drift found[] = {
      {.path = slice_of("Victimas/Sexo"), .kind = DRIFT_MISSING, .mapped = true, .run = 1, .since = scene->now},
      {.path = slice_of("Victimas/Talla"), .kind = DRIFT_NEW, .run = 1, .since = scene->now}};
  MUST(store_begin(scene->stand.store, &error));
  MUST(store_replace_drift(scene->stand.store, scene->ids[0], found, 2, &error));
  MUST(store_commit(scene->stand.store, &error));
  scene->shown[0].drift = 2;
  TELL("drift: [Puente Perú] reta: fields that are new, missing or of another type: 2\n");
  assert_string_equal(last, "Source: reta, Registro de trata (PE/PNP)\n"
                            "Fields:\n"
                            "  - Victimas/Sexo: missing, the mapping reads it\n"
                            "  - Victimas/Talla: new\n"
                            "Where it may stay so: puente drift accept reta --reason TEXT\n"
                            "What to do: ask the source whether the change is meant; adapt the mapping, then `puente "
                            "remap`\n"
                            "Contact: mesa de ayuda, 01-5550100\n");
  TELL("");
  scene->shown[0].drift = 3;
  TELL("drift: [Puente Perú] reta: fields that are new, missing or of another type: 3\n");
  scene->shown[0].drift = 0;
  TELL("recovery: [Puente Perú] reta: its fields are as expected again\n");
}

/* ---- the whole ---- */

static void expire(struct scene *scene, int days, int level) {
  scene->expiry = (struct expiry){
      .source = "reta", .what = "password", .at = scene->now + days * DAY, .days = days, .level = level};
  scene->overview.expiries = &scene->expiry;
  scene->overview.expiry_count = 1;
}

static void what_expires_is_told_at_each_warning(void **state) {
  struct scene *scene = *state;
  expire(scene, 31, -1);
  TELL("");
  expire(scene, 30, 30);
  TELL("expiry: [Puente Perú] reta: password expires in 30 days\n");
  expire(scene, 29, 30);
  TELL("");
  expire(scene, 14, 14);
  TELL("expiry: [Puente Perú] reta: password expires in 14 days\n");
  expire(scene, 3, 3);
  TELL("expiry: [Puente Perú] reta: password expires in 3 days\n");
  expire(scene, -1, 0);
  TELL("expiry: [Puente Perú] reta: password has expired\n");
  TELL("");
  expire(scene, 365, -1);
  TELL("recovery: [Puente Perú] reta: what was about to expire was renewed\n");
  assert_string_equal(last, "Source: reta, Registro de trata (PE/PNP)\nState: what was about to expire was renewed\n"
                            "What was renewed: password\nThere is nothing to do.\n");
  /* Renewed for a short time only: what comes is told again. */
  expire(scene, 3, 3);
  TELL("expiry: [Puente Perú] reta: password expires in 3 days\n");
  expire(scene, 28, 30);
  TELL("");
  expire(scene, 14, 14);
  TELL("expiry: [Puente Perú] reta: password expires in 14 days\n");
}

/* A certificate of a gateway, or a network that is gone: one message, not one a thing. */
static void many_at_once_are_one_message(void **state) {
  enum { MANY = 7 };
  struct scene *scene = *state;
  static const char *const what[MANY] = {"a", "b", "c", "d", "e", "f", "g"};
  struct expiry expiries[MANY];
  for (int i = 0; i < MANY; i++) {
    expiries[i] = (struct expiry){.source = "reta", .what = what[i], .at = scene->now + 3 * DAY, .days = 3, .level = 3};
  }
  scene->overview.expiries = expiries;
  scene->overview.expiry_count = MANY;
  TELL("failure: [Puente Perú] changes at once: 7\n");
  assert_non_null(strstr(last, "- [Puente Perú] reta: c expires in 3 days\n"));
  assert_non_null(strstr(last, "`puente status` tells of each what to do."));
  TELL("");
  scene->overview.expiry_count = 0;
  TELL("failure: [Puente Perú] changes at once: 7\n");
  TELL("");
}

static void linking_and_backups_are_told_of(void **state) {
  struct scene *scene = *state;
  scene->overview.link_message = "the disk is full";
  TELL("failure: [Puente Perú] linking fails\n");
  scene->overview.link_message = NULL;
  TELL("recovery: [Puente Perú] linking works again\n");
  scene->overview.backup = scene->now - 8 * DAY - HOUR;
  TELL("");
  scene->overview.backup_old = true;
  TELL("failure: [Puente Perú] the last backup is of 2025-12-25 06:00\n"); /* Lima */
  TELL("");
  scene->overview.backup = scene->now;
  scene->overview.backup_old = false;
  TELL("recovery: [Puente Perú] there is a new backup\n");
  scene->overview.backup_failed = true;
  TELL("failure: [Puente Perú] the last backup failed\n");
}

static void no_checkpoint_outside_is_told_of(void **state) {
  struct scene *scene = *state;
  scene->overview.holders = (struct holders_standing){.holders = 1, .last = scene->now - 6 * DAY};
  TELL("");
  scene->overview.holders =
      (struct holders_standing){.holders = 1, .last = scene->now - 7 * DAY, .stale = true, .alarming = true};
  TELL("failure: [Puente Perú] no holder has a checkpoint of the audit log younger than 7 days\n");
  assert_non_null(strstr(last, "puente audit checkpoint --send"));
  TELL("");
  scene->overview.holders = (struct holders_standing){.holders = 1, .last = scene->now};
  TELL("recovery: [Puente Perú] a holder has a new checkpoint\n");
}

static void reload(struct scene *scene, const struct error *refused, const char *wanted) {
  struct error error;
  http_server_script(scene->web, &takes, 1);
  MUST(notices_reload(&scene->workspace, refused, NULL, &error));
  gather(scene);
  assert_string_equal(heard, wanted);
}

static void a_refused_configuration_is_told_once(void **state) {
  struct scene *scene = *state;
  struct error refused;
  error_set(&refused, ERR_CONFIG, "unknown key 'shedule'");
  error_place(&refused, "puente.yaml:7:3");
  error_hint(&refused, "did you mean 'schedule'?");
  reload(scene, NULL, "");
  reload(scene, &refused, "failure: [Puente Perú] a change of the configuration was refused\n");
  assert_string_equal(last, "Reason: unknown key 'shedule'\nWhere: puente.yaml:7:3\n"
                            "What to do: did you mean 'schedule'?\n\n"
                            "The configuration of before goes on until then.\n");
  reload(scene, &refused, "");
  TELL(""); /* it is not over because nothing else stands */
  reload(scene, NULL, "recovery: [Puente Perú] the configuration was taken\n");
  reload(scene, NULL, "");
}

/* ---- ways ---- */

static void what_no_way_took_is_told_the_next_time(void **state) {
  struct scene *scene = *state;
  struct notices_summary summary;
  struct error error;
  fail_source(scene, STANDING_REFUSED, 1, DAY);
  http_server_script(scene->web, &refuses, 1);
  MUST(notices_tell(&scene->workspace, &scene->overview, NULL, &summary, &error));
  assert_int_equal(summary.told, 0);
  assert_int_equal(summary.failed, 1);
  TELL("failure: [Puente Perú] reta: refuses us\n");
  healthy(scene);
  http_server_script(scene->web, &refuses, 1);
  MUST(notices_tell(&scene->workspace, &scene->overview, NULL, &summary, &error));
  assert_int_equal(summary.failed, 1);
  TELL("recovery: [Puente Perú] reta: works again\n");
}

static void without_a_way_it_is_kept_for_later(void **state) {
  struct scene *scene = *state;
  struct notices_summary summary;
  struct error error;
  fail_source(scene, STANDING_REFUSED, 1, DAY);
  scene->config.notify.webhook_count = 0;
  MUST(notices_tell(&scene->workspace, &scene->overview, NULL, &summary, &error));
  assert_int_equal(summary.told + summary.failed, 0);
  scene->config.notify.webhook_count = 1;
  TELL("failure: [Puente Perú] reta: refuses us\n");
}

/* ---- words ---- */

static void a_failure_says_all_that_helps(void **state) {
  struct scene *scene = *state;
  fail_source(scene, STANDING_REFUSED, 2, 4 * HOUR);
  scene->shown[0].health.succeeded = scene->now - DAY;
  TELL("failure: [Puente Perú] reta: refuses us\n");
  assert_string_equal(last,
                      "Source: reta, Registro de trata (PE/PNP)\n"
                      "State: refuses us\n"
                      "Since: 2026-01-02 07:00\n"
                      "Last success: 2026-01-01 07:00\n"
                      "Failed tries in a row: 2\n"
                      "Reason: the source refused the credentials (401)\n"
                      "Next try: 2026-01-02 11:00\n"
                      "What to do: check user, password, key or token, and whether they have expired\n"
                      "Contact: mesa de ayuda, 01-5550100\n"
                      "\nWhat came before is safe in the store, and the other sources go on. Test step by step: puente "
                      "check --live reta\n");
}

static void people_are_told_in_their_language(void **state) {
  struct scene *scene = *state;
  char locale[512];
  snprintf(locale, sizeof locale, "%s/locale", build_folder());
  bindtextdomain("puente", locale);
  scene->config.notify.lang = "es";
  fail_source(scene, STANDING_REFUSED, 2, 4 * HOUR);
  scene->shown[0].health.hint = NULL;
  TELL("failure: [Puente Perú] reta: nos rechaza\n");
  assert_string_equal(last, "Fuente: reta, Registro de trata (PE/PNP)\n"
                            "Estado: nos rechaza\n"
                            "Desde: 2026-01-02 07:00\n"
                            "Último éxito: 2026-01-02 07:00\n"
                            "Intentos fallidos seguidos: 2\n"
                            "Motivo: the source refused the credentials (401)\n"
                            "Próximo intento: 2026-01-02 11:00\n"
                            "Qué hacer: revise usuario, contraseña, clave o certificado, y si han vencido\n"
                            "Contacto: mesa de ayuda, 01-5550100\n"
                            "\nLo que ya llegó está a salvo en el almacén, y las demás fuentes siguen. Pruebe paso a "
                            "paso: puente check --live reta\n");
}

/* ---- the digest ---- */

static void end_run(struct scene *scene, int source, enum run_state state, int64_t fresh) {
  struct error error;
  int64_t run = 0;
  const struct counts counts = {
      .pulled = fresh + 1, .fresh = fresh, .changed = 1, .mapped = fresh, .quarantined = 1, .source_count = -1};
  MUST(store_begin(scene->stand.store, &error));
  MUST(store_run_begin(scene->stand.store, "sync", scene->ids[source], "test", NULL, &run, &error));
  MUST(store_run_end(scene->stand.store, run, state, &counts, NULL, &error));
  MUST(store_commit(scene->stand.store, &error));
}

static void digest(struct scene *scene, const char *subject, const char *text) {
  struct error error;
  http_server_script(scene->web, &takes, 1);
  MUST(notices_digest(&scene->workspace, &scene->overview, NULL, &error));
  gather(scene);
  assert_string_equal(heard, subject);
  assert_string_equal(last, text);
}

static void the_digest_tells_the_day(void **state) {
  struct scene *scene = *state;
  digest(scene, "digest: [Puente Perú] digest of 2026-01-02: nothing to do\n",
         "Sources, and what the last 24 hours brought\n"
         "- reta: ok; last success 2026-01-02 07:00; syncs 0 (failed 0); new 0, changed 0, gone 0; in quarantine 0 of "
         "1000 (+0)\n"
         "- siscalp: ok; last success 2026-01-02 07:00; syncs 0 (failed 0); new 0, changed 0, gone 0; in quarantine 0 "
         "of 1000 (+0)\n"
         "\nWhat needs a person\n- nothing to do\n"
         "\nStore\n- persons 0, cases 0; last linking -\n- last backup that was read back: -\n");
  end_run(scene, 0, RUN_DONE, 40); /* the day before */
  pass(scene, DAY + HOUR);
  end_run(scene, 0, RUN_DONE, 5);
  end_run(scene, 1, RUN_FAILED, 0);
  healthy(scene);
  fail_source(scene, STANDING_REFUSED, 1, DAY);
  scene->shown[1].quarantined = 7;
  expire(scene, 3, 3);
  scene->overview.review = 12;
  scene->overview.persons = 34;
  digest(scene, "digest: [Puente Perú] digest of 2026-01-03: 4 things to look at\n",
         "Sources, and what the last 24 hours brought\n"
         "- reta: refuses us; last success 2026-01-03 08:00; syncs 1 (failed 0); new 5, changed 1, gone 0; in "
         "quarantine 0 of 1000 (+1)\n"
         "- siscalp: ok; last success 2026-01-03 08:00; syncs 1 (failed 1); new 0, changed 1, gone 0; in quarantine 7 "
         "of 1000 (+1)\n"
         "\nWhat needs a person\n"
         "- reta: refuses us (contact: mesa de ayuda, 01-5550100)\n"
         "- siscalp: records in quarantine: 7 of 1000\n"
         "- reta: password expires in 3 days\n"
         "- pairs that wait for a decision: 12 (`puente review list`)\n"
         "\nStore\n- persons 34, cases 0; last linking -\n- last backup that was read back: -\n");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(a_failure_is_told_once_and_so_is_its_end),
      CASE(one_lost_try_is_not_told),
      CASE(what_only_a_person_mends_is_told_anew),
      CASE(sources_are_told_of_one_by_one),
      CASE(a_paused_source_is_left_in_peace),
      CASE(quarantine_never_grows_in_silence),
      CASE(drift_is_told_with_its_fields),
      CASE(what_expires_is_told_at_each_warning),
      CASE(many_at_once_are_one_message),
      CASE(linking_and_backups_are_told_of),
      CASE(no_checkpoint_outside_is_told_of),
      CASE(a_refused_configuration_is_told_once),
      CASE(what_no_way_took_is_told_the_next_time),
      CASE(without_a_way_it_is_kept_for_later),
      CASE(a_failure_says_all_that_helps),
      CASE(people_are_told_in_their_language),
      CASE(the_digest_tells_the_day),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
