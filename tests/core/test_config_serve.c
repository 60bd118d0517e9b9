/* The blocks serve: and notify:, and what a source says of budget, gateway, succession and expiry. */
#include "core/config.h"

#include "core/base/file.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define SOURCE(code) "source: " code "\ninstitution: PE/X\nunit: x\nconnector: file\noptions: {path: x}\n"

static char *folder;

static void write_text(const char *name, const char *text) {
  char path[256];
  struct error error;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  assert_int_equal(file_write(path, slice_of(text), 0600, &error), OK);
}

static int make(void **state) {
  (void)state;
  char sources[300];
  folder = temp_make();
  snprintf(sources, sizeof sources, "%s/sources", folder);
  assert_int_equal(mkdir(sources, 0700), 0);
  write_text("sources/reta.yaml", SOURCE("reta"));
  write_text("sources/sistra.yaml", SOURCE("sistra"));
  return 0;
}

static int clean(void **state) {
  (void)state;
  temp_remove(folder);
  return 0;
}

static enum status load(const char *text, struct config **config, struct error *error) {
  char path[256];
  write_text("puente.yaml", text);
  snprintf(path, sizeof path, "%s/puente.yaml", folder);
  return config_load(path, config, error);
}

static struct config *loaded(const char *text) {
  struct config *config = NULL;
  struct error error = {0};
  if (load(text, &config, &error) != OK) {
    fail_msg("%s (%s; %s)", error.message, error.place, error.hint);
  }
  return config;
}

static void test_defaults(void **state) {
  (void)state;
  struct config *config = loaded("");
  const struct serve_config *serve = &config->serve;
  char backups[300];
  assert_true(serve->sources[0].timetable.manual && serve->sources[1].timetable.manual);
  assert_true(serve->sources[0].late_after == 7200 * SECOND);
  assert_non_null(serve->sources[0].timetable.zone);
  assert_true(serve->links && serve->linking.manual && serve->backup.manual);
  assert_int_equal(serve->parallel, 0);
  assert_true(serve->retry.first == 60 * SECOND && serve->retry.most == 3600 * SECOND);
  assert_true(serve->retry.breaks == 5 && serve->retry.open == 6 * 3600 * SECOND);
  assert_string_equal(serve->address, "127.0.0.1");
  assert_int_equal(serve->port, 9464);
  snprintf(backups, sizeof backups, "%s/backups", config->folder);
  assert_string_equal(serve->backup_folder, backups);
  assert_int_equal(serve->backup_keep, 7);
  assert_null(config->notify.server);
  assert_int_equal(config->notify.webhook_count, 0);
  assert_true(config->notify.digest.manual);
  assert_true(config->notify.quarantine_share == 0.05 && config->notify.quarantine_records == 100);
  assert_int_equal(config->sources[0].budget.pages, 0);
  config_free(config);
}

static void test_serve(void **state) {
  (void)state;
  struct config *config = loaded(
      "serve:\n  timezone: America/Lima\n  schedule: 30 2 * * *\n  jitter: 10m\n  blackout: 08:00-18:00 mon-fri\n"
      "  late_after: 1d\n  parallel: 3\n  retry: {first: 5s, breaks: 0}\n  link: 0 5 * * *\n"
      "  sources: {reta: {schedule: \"@hourly\", timezone: America/Bogota, jitter: 0s, blackout: []}, "
      "sistra: manual}\n"
      "  status: \"[::1]:0\"\n  backup: {schedule: \"@daily\", folder: /var/b, keep: 2}\n");
  const struct source_schedule *reta = &config->serve.sources[0], *sistra = &config->serve.sources[1];
  assert_string_equal(reta->timetable.text, "@hourly");
  assert_string_equal(reta->timetable.zone, "America/Bogota");
  assert_true(reta->timetable.jitter == 0 && reta->timetable.blackout_count == 0 && !reta->timetable.manual);
  assert_true(reta->late_after == 86400 * SECOND);
  assert_true(sistra->timetable.manual && sistra->timetable.jitter == 600 * SECOND);
  assert_string_equal(sistra->timetable.zone, "America/Lima");
  assert_int_equal(sistra->timetable.blackout[0].weekdays, 0x3e);
  assert_false(config->serve.links);
  assert_false(config->serve.linking.manual);
  assert_string_equal(config->serve.linking.zone, "America/Lima");
  assert_int_equal(config->serve.parallel, 3);
  assert_true(config->serve.retry.first == 5 * SECOND && config->serve.retry.breaks == 0);
  assert_string_equal(config->serve.address, "::1");
  assert_int_equal(config->serve.port, 0);
  assert_string_equal(config->serve.backup_folder, "/var/b");
  assert_int_equal(config->serve.backup_keep, 2);
  config_free(config);
  config = loaded("serve: {link: manual, status: off}\n");
  assert_true(!config->serve.links && config->serve.linking.manual);
  assert_null(config->serve.address);
  config_free(config);
}

static void test_sources(void **state) {
  (void)state;
  write_text("sources/reta2.yaml",
             SOURCE("reta2") "budget: {pages: 10, bytes: 2MiB, time: 90s}\ngateway: pide\n"
                             "succeeds: reta\nexpires: {password: 2027-01-31, contract: 2028-12-31}\n");
  struct config *config = loaded("");
  const struct source_config *source = config_source(config, "reta2");
  assert_true(source->budget.pages == 10 && source->budget.bytes == 2 << 20 && source->budget.time == 90 * SECOND);
  assert_string_equal(source->gateway, "pide");
  assert_string_equal(source->succeeds, "reta");
  assert_int_equal(source->expiry_count, 2);
  assert_string_equal(source->expiries[0].what, "password");
  assert_true(source->expiries[0].at == INT64_C(1801353600) * SECOND);
  config_free(config);
}

/* What the commented example shows is right as it stands once the marks of comments are taken away. */
static void test_the_commented_blocks_are_right(void **state) {
  (void)state;
  struct buffer text, open;
  struct error error;
  buffer_init(&open, 1 << 20);
  assert_int_equal(file_read("config/puente.yaml", 1 << 20, &text, &error), OK);
  for (const char *at = strstr(text.data, "#serve:"); at != NULL && *at != '\0';) {
    size_t len = strcspn(at, "\n");
    bool taken = len > 1 && at[0] == '#' && (at[1] != ' ' || at[2] == ' ');
    buffer_append(&open, at + taken, len - taken);
    buffer_char(&open, '\n');
    at += len + (at[len] == '\n');
  }
  write_text("sources/example.yaml", SOURCE("example"));
  struct config *config = loaded(open.data);
  assert_string_equal(config->serve.zone, "America/Lima");
  assert_true(config->serve.links);
  assert_int_equal(config->notify.webhook_count, 1);
  assert_string_equal(config->notify.webhooks[0].token, "env:PUENTE_WEBHOOK_TOKEN");
  assert_string_equal(config->notify.password, "env:PUENTE_MAIL_PASSWORD");
  assert_int_equal(config->notify.to_count, 1);
  assert_true(config->notify.digest.manual);
  config_free(config);
  buffer_free(&open);
  buffer_free(&text);
}

#define MAIL "notify: {mail: {from: a@b, to: c@d, server: \"smtps://m\""
static const struct mistake {
  const char *config, *place, *message, *hint;
} MISTAKES[] = {
    {"serve: {schedul: x}\n", "puente.yaml:1:9", "unknown key 'schedul'", "did you mean 'schedule'?"},
    {"serve:\n  schedule: 61 * * * *\n", "puente.yaml:2:13", "minute '61': outside of 0 to 59",
     "right are for example: `30`, `0,30`, `*/15`"},
    {"serve: {timezone: America/Lina}\n", "puente.yaml:1:19", "there is no time zone 'America/Lina'",
     "did you mean 'America/Lima'?"},
    {"serve: {timezone: Lima}\n", "puente.yaml:1:19", "there is no time zone 'Lima'", "did you mean 'America/Lima'?"},
    {"serve: {jitter: 2d}\n", "puente.yaml:1:17", "jitter: the duration is out of bounds", "from 0 to 86400 seconds"},
    {"serve: {late_after: soon}\n", "puente.yaml:1:21", "late_after: a duration is expected here",
     "for example 30s, 10m, 2h, 7d"},
    {"serve: {blackout: [\"08:00-18:00\", \"8-9\"]}\n", "puente.yaml:1:35",
     "not a time window: two times of the day are expected, hh:mm-hh:mm",
     "for example \"08:00-18:00 mon-fri\", \"22:00-02:00\", \"00:00-24:00 sun\""},
    {"serve: {blackout: 00:00-24:00}\n", "puente.yaml:1:19", "blackout: the windows leave no time of the week",
     "to pull nothing by the clock, write schedule: manual"},
    {"serve: {parallel: 65}\n", "puente.yaml:1:19", "'parallel' has to be a whole number from 0 to 64", ""},
    {"serve: {retry: {first: 2h}}\n", "puente.yaml:1:16", "retry: the first pause is longer than the longest",
     "make `most` at least as long as `first`"},
    {"serve: {retry: {frist: 2h}}\n", "puente.yaml:1:17", "unknown key 'frist'", "did you mean 'first'?"},
    {"serve: {retry: 5m}\n", "puente.yaml:1:16", "retry: a map (key: value) was expected",
     "for example {first: 1m, most: 1h, breaks: 5, open: 6h}"},
    {"serve: {link: always}\n", "puente.yaml:1:15", "a schedule has five fields, and here are 1",
     "minute, hour, day of the month, month, weekday: \"30 2 * * *\" is every day at 2:30; or @daily"},
    {"serve: {sources: {rata: manual}}\n", "puente.yaml:1:19", "there is no source \"rata\"", "did you mean 'reta'?"},
    {"serve: {sources: {reta: {late: 2h}}}\n", "puente.yaml:1:26", "unknown key 'late'", ""},
    {"serve: {sources: [reta]}\n", "puente.yaml:1:18", "sources: a map (key: value) was expected",
     "for example {reta: \"30 2 * * *\"}"},
    {"serve: {status: \"0.0.0.0:9464\"}\n", "puente.yaml:1:17", "status: this address would answer other machines",
     "write 127.0.0.1:PORT; to read it from elsewhere, put a server with TLS and login before it"},
    {"serve: {status: \"127.example:9464\"}\n", "puente.yaml:1:17", "status: this address would answer other machines",
     "write 127.0.0.1:PORT; to read it from elsewhere, put a server with TLS and login before it"},
    {"serve: {status: 9464}\n", "puente.yaml:1:17", "status: an address and a port are expected here",
     "127.0.0.1:9464, [::1]:9464, or off"},
    {"serve: {backup: {keep: 0}}\n", "puente.yaml:1:24", "'keep' has to be a whole number from 1 to 1000", ""},
    {"notify: {mails: x}\n", "puente.yaml:1:10", "unknown key 'mails'", "did you mean 'mail'?"},
    {"notify: {lang: qu}\n", "puente.yaml:1:16", "lang: unknown value 'qu'", "one of: es, en"},
    {"notify: {digest: daily}\n", "puente.yaml:1:18", "a schedule has five fields, and here are 1",
     "minute, hour, day of the month, month, weekday: \"30 2 * * *\" is every day at 2:30; or @daily"},
    {MAIL ", password: hunter2}}\n", "puente.yaml:1:68", "password: a secret does not stand in a configuration file",
     "write env:NAME, or file:PATH with a file of mode 0600"},
    {MAIL ", username: u}}\n", "puente.yaml:1:16", "mail: 'password' is missing",
     "server, from and to are needed; username and password go together"},
    {"notify: {mail: {from: a@b, to: c@d, server: \"https://m\"}}\n", "puente.yaml:1:45",
     "server: this is no address of a mail server", "smtps://HOST:465, or smtp://HOST:587 with STARTTLS"},
    {"notify: {mail: {from: a@b, to: [c@d, \"hunter2 <e@f>\"], server: \"smtps://m\"}}\n", "puente.yaml:1:38",
     "to: this is no mail address", "written as name@institution.example, without a display name"},
    {"notify: {mail: {from: \"a@b\\r\\nBcc: hunter2\", to: c@d, server: \"smtps://m\"}}\n", "puente.yaml:1:23",
     "from: this is no mail address", "written as name@institution.example, without a display name"},
    {"notify: {webhooks: [{url: \"http://a.example/\"}]}\n", "puente.yaml:1:27",
     "url: a webhook is told by https alone",
     "https://HOST/PATH; http:// only to this machine, http://127.0.0.1:PORT/PATH"},
    {"notify: {webhooks: [{url: \"https://u:hunter2@a.example/\"}]}\n", "puente.yaml:1:27",
     "url: the address holds a user or a password", "write token: env:NAME, or file:PATH, beside it"},
    {"notify: {webhooks: [{url: \"https://a.example/\", token: hunter2}]}\n", "puente.yaml:1:56",
     "token: a secret does not stand in a configuration file", "write env:NAME, or file:PATH with a file of mode 0600"},
    {"notify: {quarantine: {share: 5}}\n", "puente.yaml:1:30", "share: a share from 0 to 1 is expected here", ""},
};

static void expect(const struct mistake *one) {
  struct config *config = NULL;
  struct error error = {0};
  assert_int_equal(load(one->config, &config, &error), ERR_CONFIG);
  assert_null(config);
  assert_string_equal(error.message, one->message);
  assert_string_equal(error.hint, one->hint);
  size_t len = strlen(error.place), tail = strlen(one->place);
  if (len <= tail || strcmp(error.place + len - tail, one->place) != 0) {
    fail_msg("%s: at %s, not %s", one->message, error.place, one->place);
  }
  assert_null(strstr(error.message, "hunter2"));
  assert_null(strstr(error.hint, "hunter2"));
}

static void test_mistakes(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof MISTAKES / sizeof *MISTAKES; i++) {
    expect(&MISTAKES[i]);
  }
}

static void test_mistakes_of_sources(void **state) {
  (void)state;
  static const struct {
    const char *reta, *sistra;
    struct mistake mistake;
  } cases[] = {
      {SOURCE("reta") "budget: {page: 1}\n",
       SOURCE("sistra"),
       {"", "sources/reta.yaml:6:10", "unknown key 'page'", "did you mean 'pages'?"}},
      {SOURCE("reta") "budget: {pages: 0}\n",
       SOURCE("sistra"),
       {"", "sources/reta.yaml:6:17", "pages: the value is out of bounds", "from 1 to 2147483648"}},
      {SOURCE("reta") "gateway: PIDE 1\n",
       SOURCE("sistra"),
       {"", "sources/reta.yaml:6:10", "'PIDE 1' is no name of a gateway",
        "lower-case letters, digits and '_', at most 32"}},
      {SOURCE("reta") "succeeds: sistr\n",
       SOURCE("sistra"),
       {"", "sources/reta.yaml:6:11", "there is no source \"sistr\"", "did you mean 'sistra'?"}},
      {SOURCE("reta") "succeeds: reta\n",
       SOURCE("sistra"),
       {"", "sources/reta.yaml:6:11", "succeeds: source 'reta' would succeed itself",
        "the newer source names the older one, and the older one none"}},
      {SOURCE("reta") "succeeds: sistra\n",
       SOURCE("sistra") "succeeds: reta\n",
       {"", "sources/reta.yaml:6:11", "succeeds: source 'reta' would succeed itself",
        "the newer source names the older one, and the older one none"}},
      {SOURCE("reta") "expires: {password: 2027}\n",
       SOURCE("sistra"),
       {"", "sources/reta.yaml:6:21", "expires: 'password' needs a day", "written as 2027-01-31"}},
      {SOURCE("reta") "expires: 2027-01-31\n",
       SOURCE("sistra"),
       {"", "sources/reta.yaml:6:10", "expires: a map (key: value) was expected",
        "what ends, and its last day: {password: 2027-01-31}"}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    write_text("sources/reta.yaml", cases[i].reta);
    write_text("sources/sistra.yaml", cases[i].sistra);
    expect(&cases[i].mistake);
  }
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, make, clean)

int main(void) {
  const struct CMUnitTest tests[] = {EACH(test_defaults), EACH(test_serve),
                                     EACH(test_sources),  EACH(test_the_commented_blocks_are_right),
                                     EACH(test_mistakes), EACH(test_mistakes_of_sources)};
  return cmocka_run_group_tests_name("serve and notify", tests, NULL, NULL);
}
