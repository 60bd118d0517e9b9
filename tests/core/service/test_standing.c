/* How a source stands, by its health, its schedule and the clock; and what expires. */
#include "core/base/date.h"
#include "core/service/standing.h"
#include "tests/support/temp.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define NOW (INT64_C(1767225600) * SECOND) /* 2026-01-01 00:00 UTC, a due moment of @hourly */

struct bench {
  struct config config;
  struct source_config source;
  struct source_schedule schedule;
};

/* One source, due every hour, late after two. */
static void bench_make(struct bench *bench, const char *when) {
  struct error error;
  *bench = (struct bench){.source = {.code = "reta"}, .schedule = {.late_after = 2 * HOUR}};
  bench->schedule.timetable.zone = "UTC";
  bench->schedule.timetable.manual = when == NULL;
  if (when != NULL) {
    assert_int_equal(cron_parse(slice_of(when), &bench->schedule.timetable.cron, &error), OK);
  }
  bench->config.sources = &bench->source;
  bench->config.source_count = 1;
  bench->config.serve.sources = &bench->schedule;
  bench->config.serve.retry = (struct retry_policy){.first = 60 * SECOND, .most = HOUR, .breaks = 5, .open = 3 * HOUR};
}

static void known_is(const struct bench *bench, struct source_health health, int64_t known, int64_t now,
                     const char *wanted) {
  char text[200];
  struct source_standing standing = standing_of(&bench->config, 0, &health, known, now);
  snprintf(text, sizeof text, "%s since %lld due %lld overdue %lld%s%s", standing_names[standing.standing],
           (long long)(standing.since == 0 ? -1 : (standing.since - NOW) / SECOND),
           (long long)(standing.due == INT64_MAX ? -1 : (standing.due - NOW) / SECOND),
           (long long)(standing.overdue == 0 ? -1 : (standing.overdue - NOW) / SECOND),
           standing.retry == INT64_MAX ? " retry when due"
           : standing.retry > now      ? " retry later"
                                       : "",
           standing.circuit_open ? " open" : "");
  assert_string_equal(text, wanted);
}

static void standing_is(const struct bench *bench, struct source_health health, int64_t now, const char *wanted) {
  known_is(bench, health, 0, now, wanted);
}

/* Every kind of health, not late. */
static void test_kinds(void **state) {
  (void)state;
  struct bench bench;
  bench_make(&bench, "0 * * * *");
  struct source_health health = {.since = NOW + 5 * SECOND, .tried = NOW + 5 * SECOND, .succeeded = NOW + 5 * SECOND};
  static const struct {
    enum health health;
    const char *wanted;
  } cases[] = {{HEALTH_OK, "ok since 5 due 3600 overdue -1"},
               {HEALTH_EMPTY, "empty since 5 due 3600 overdue -1"},
               {HEALTH_CHANGED, "changed since 5 due 3600 overdue -1"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    health.health = cases[i].health;
    standing_is(&bench, health, NOW + 10 * SECOND, cases[i].wanted);
  }
  standing_is(&bench, (struct source_health){.health = HEALTH_UNKNOWN}, NOW + 10 * SECOND,
              "never since -1 due 3600 overdue -1");
}

static void test_failing(void **state) {
  (void)state;
  struct bench bench;
  bench_make(&bench, "0 * * * *");
  struct source_health health = {.health = HEALTH_UNREACHABLE,
                                 .since = NOW - 600 * SECOND,
                                 .tried = NOW,
                                 .succeeded = NOW - HOUR,
                                 .failures = 1,
                                 .error = ERR_NETWORK};
  standing_is(&bench, health, NOW + SECOND, "unreachable since -600 due 3600 overdue -1 retry later");
  health.failures = 5;
  standing_is(&bench, health, NOW + SECOND, "unreachable since -600 due 3600 overdue -1 retry later open");
  health.health = HEALTH_REFUSED;
  health.error = ERR_AUTH;
  health.failures = 1;
  standing_is(&bench, health, NOW + SECOND, "refused since -600 due 3600 overdue -1 retry when due");
  health.health = HEALTH_FAILED;
  health.error = ERR_CONFIG;
  standing_is(&bench, health, NOW + SECOND, "failed since -600 due 3600 overdue -1 retry when due");
  health.succeeded = NOW - 3 * HOUR; /* also overdue: what is wrong says more than that it is late */
  standing_is(&bench, health, NOW + SECOND, "failed since -600 due 3600 overdue -7200 retry when due");
}

/* Late: from `late_after` after the due moment on, since that moment. */
static void test_late(void **state) {
  (void)state;
  struct bench bench;
  bench_make(&bench, "0 * * * *");
  struct source_health health = {.health = HEALTH_OK, .since = NOW - DAY, .succeeded = NOW + 30 * SECOND};
  standing_is(&bench, health, NOW + 3 * HOUR, "ok since -86400 due 14400 overdue -1");
  standing_is(&bench, health, NOW + 3 * HOUR + SECOND, "late since 3600 due 14400 overdue 3600");
  health.health = HEALTH_EMPTY;
  standing_is(&bench, health, NOW + 4 * HOUR, "late since 3600 due 18000 overdue 3600");
  health.succeeded = NOW + 4 * HOUR;
  standing_is(&bench, health, NOW + 4 * HOUR, "empty since -86400 due 18000 overdue -1");
}

/* One that never was pulled is late once what was due since it is known has passed, and new before. */
static void test_never_pulled(void **state) {
  (void)state;
  struct bench bench;
  const struct source_health none = {.health = HEALTH_UNKNOWN};
  bench_make(&bench, "0 * * * *");
  known_is(&bench, none, NOW + SECOND, NOW + 3 * HOUR, "never since -1 due 14400 overdue -1");
  known_is(&bench, none, NOW + SECOND, NOW + 3 * HOUR + SECOND, "late since 3600 due 14400 overdue 3600");
  known_is(&bench, none, 0, NOW + 90 * DAY, "never since -1 due 7779600 overdue -1"); /* known before that was noted */
  bench_make(&bench, NULL);
  known_is(&bench, none, NOW, NOW + 90 * DAY, "never since -1 due -1 overdue -1");
}

/* A source without a schedule is never late; of one whose last success a wrong clock dated nobody knows it. */
static void test_never_late(void **state) {
  (void)state;
  struct bench bench;
  struct source_health health = {.health = HEALTH_OK, .since = NOW, .succeeded = NOW};
  bench_make(&bench, NULL);
  standing_is(&bench, health, NOW + 90 * DAY, "ok since 0 due -1 overdue -1");
  bench_make(&bench, "0 * * * *");
  standing_is(&bench, health, NOW - 5 * DAY, "late since -432000 due -428400 overdue -432000");
  standing_is(&bench, health, NOW - 1800 * SECOND, "ok since 0 due 0 overdue -1"); /* clocks differ a little */
}

/* What a person decided stands before all. */
static void test_decided(void **state) {
  (void)state;
  struct bench bench;
  struct source_health health = {.health = HEALTH_UNREACHABLE, .since = NOW, .failures = 3, .error = ERR_NETWORK};
  bench_make(&bench, "0 * * * *");
  bench.source.state = SOURCE_PAUSED;
  standing_is(&bench, health, NOW + DAY, "paused since -1 due -1 overdue -1");
  bench.source.state = SOURCE_RETIRED;
  standing_is(&bench, health, NOW + DAY, "retired since -1 due -1 overdue -1");
}

static void test_persons(void **state) {
  (void)state;
  for (int standing = STANDING_FAILED; standing <= STANDING_RETIRED; standing++) {
    assert_int_equal(standing_needs_person((enum standing)standing), standing <= STANDING_LATE);
    assert_true(standing_label((enum standing)standing)[0] != '\0');
    assert_int_equal(standing_advice((enum standing)standing)[0] != '\0', standing <= STANDING_NEVER);
  }
}

/* ---- what expires ---- */

static void test_levels(void **state) {
  (void)state;
  static const struct {
    int64_t left;
    int level;
  } cases[] = {{31 * DAY, -1}, {30 * DAY + 1, -1}, {30 * DAY, 30}, {15 * DAY, 30}, {14 * DAY, 14},
               {4 * DAY, 14},  {3 * DAY, 3},       {1, 3},         {0, 0},         {-DAY, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(expiry_level(NOW + cases[i].left, NOW), cases[i].level);
  }
}

/* A certificate of its own that ends `days` after now. */
static void write_certificate(const char *path, long seconds) {
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = X509_new();
  assert_non_null(key);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), seconds);
  X509_set_pubkey(certificate, key);
  assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
  FILE *file = fopen(path, "w");
  assert_int_equal(PEM_write_X509(file, certificate), 1);
  fclose(file);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

struct some_options {
  const char *client_certificate, *other;
};

static void test_expiries(void **state) {
  (void)state;
  struct error error;
  char path[300];
  char *folder = temp_make();
  int64_t now = clock_now();
  snprintf(path, sizeof path, "%s/client.pem", folder);
  write_certificate(path, 10 * 24 * 3600 + 600);
  const struct option table[] = {
      {.name = "client_certificate", .type = OPTION_PATH, .offset = offsetof(struct some_options, client_certificate)},
      {.name = "other", .type = OPTION_PATH, .offset = offsetof(struct some_options, other)},
      {.name = NULL}};
  const struct connector connector = {.name = "some", .options = table};
  const struct some_options options = {.client_certificate = path, .other = path};
  const struct expiry_config declared[] = {{"password", now + 40 * DAY}, {"api_key", now - DAY}};
  struct source_config sources[] = {
      {.code = "reta", .connector = &connector, .options = &options, .expiries = declared, .expiry_count = 2},
      {.code = "old", .state = SOURCE_RETIRED, .connector = &connector, .options = &options}};
  struct config config = {.sources = sources, .source_count = 2, .store = STORE_SQLITE};
  const struct workspace workspace = {.config = &config};
  struct arena *arena = arena_new(0);
  struct expiry *expiries;
  size_t count;
  assert_int_equal(expiries_read(&workspace, arena, now, &expiries, &count, &error), OK);
  assert_int_equal(count, 3);
  assert_string_equal(expiries[0].what, "api_key");
  assert_int_equal(expiries[0].days, -1);
  assert_int_equal(expiries[0].level, 0);
  assert_string_equal(expiries[1].what, "client_certificate");
  assert_string_equal(expiries[1].source, "reta");
  assert_int_equal(expiries[1].days, 10);
  assert_int_equal(expiries[1].level, 14);
  assert_string_equal(expiries[2].what, "password");
  assert_int_equal(expiries[2].days, 40);
  assert_int_equal(expiries[2].level, -1);
  char dsn[400]; /* the store's own */
  snprintf(dsn, sizeof dsn, "host=db dbname=puente sslcert=%s", path);
  config = (struct config){.store = STORE_POSTGRES, .store_dsn = dsn};
  assert_int_equal(expiries_read(&workspace, arena, now, &expiries, &count, &error), OK);
  assert_int_equal(count, 1);
  assert_null(expiries[0].source);
  assert_int_equal(expiries[0].level, 14);
  assert_int_equal(certificate_ends("/none"), 0);
  arena_free(arena);
  temp_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_kinds),        cmocka_unit_test(test_failing),    cmocka_unit_test(test_late),
      cmocka_unit_test(test_never_pulled), cmocka_unit_test(test_never_late), cmocka_unit_test(test_decided),
      cmocka_unit_test(test_persons),      cmocka_unit_test(test_levels),     cmocka_unit_test(test_expiries),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
