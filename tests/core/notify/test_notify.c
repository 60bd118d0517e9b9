/* Messages by mail and webhook against servers of the tests' own, and what is said where one of them fails. */
#include "core/base/date.h"
#include "core/base/file.h"
#include "core/notify/notify.h"
#include "tests/support/certificates.h"
#include "tests/support/http_server.h"
#include "tests/support/smtp_server.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const struct notify_limits quick = {.connect = 1000000, .whole = 1000000, .pause = 10000, .tries = 2};
static const struct notify_message failure = {
    .kind = NOTIFY_FAILURE,
    .source = "reta",
    .subject = "[Puente Perú] reta: no se puede alcanzar, y nadie sabe por qué desde hace tres días",
    .text = "Fuente: reta\n.Qué hacer: llamar = ya\n",
    .at = INT64_C(1767323045000000)};

static char *folder;
static struct smtp_server *plain, *starttls, *encrypted, *expired;
static struct http_server *web, *other;

static const char *file_of(const char *name) {
  static char paths[8][512];
  static int turn;
  char *path = paths[turn++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static int start(void **state) {
  (void)state;
  struct error error;
  folder = temp_make();
  certificates_make(folder);
  const struct smtp_server_options upgraded = {
      .tls = SMTP_STARTTLS, .certificate = file_of("server.pem"), .key = file_of("server.key")};
  const struct smtp_server_options whole = {
      .tls = SMTP_TLS, .certificate = file_of("server.pem"), .key = file_of("server.key")};
  const struct smtp_server_options old = {
      .tls = SMTP_TLS, .certificate = file_of("expired.pem"), .key = file_of("server.key")};
  plain = smtp_server_start(NULL);
  starttls = smtp_server_start(&upgraded);
  encrypted = smtp_server_start(&whole);
  expired = smtp_server_start(&old);
  web = http_server_start(NULL);
  other = http_server_start(NULL);
  setenv("NOTIFY_SECRET", "s3cret", 1);
  return file_write(file_of("token"), slice_of("t0ken\n"), 0600, &error) == OK ? 0 : 1;
}

static int stop(void **state) {
  (void)state;
  smtp_server_stop(plain);
  smtp_server_stop(starttls);
  smtp_server_stop(encrypted);
  smtp_server_stop(expired);
  http_server_stop(web);
  http_server_stop(other);
  temp_remove(folder);
  return 0;
}

/* ---- configurations ---- */

struct setting {
  struct config config;
  char server[64], url[64];
  struct webhook_config webhook;
};

static const char *const staff[] = {"ana@example.org", "luis@example.org"};

static void use_mail(struct setting *setting, const char *scheme, int port) {
  snprintf(setting->server, sizeof setting->server, "%s://127.0.0.1:%d", scheme, port);
  setting->config.name = "Perú";
  setting->config.folder = folder;
  setting->config.notify.server = setting->server;
  setting->config.notify.from = "Puente de datos <puente@example.org>";
  setting->config.notify.to = staff;
  setting->config.notify.to_count = 1;
}

static void use_webhook(struct setting *setting, int port) {
  snprintf(setting->url, sizeof setting->url, "http://127.0.0.1:%d/hook/very-secret", port);
  setting->config.name = "Perú";
  setting->config.folder = folder;
  setting->webhook = (struct webhook_config){.url = setting->url};
  setting->config.notify.webhooks = &setting->webhook;
  setting->config.notify.webhook_count = 1;
}

struct heard {
  int ways, told;
  char name[2][320];
  struct error errors[2];
};

static void hear(void *context, const char *way, enum status status, const struct error *error) {
  struct heard *heard = context;
  snprintf(heard->name[heard->ways], sizeof heard->name[0], "%s", way);
  heard->errors[heard->ways++] = *error;
  heard->told += status == OK;
}

static enum status tell(const struct setting *setting, struct heard *heard, struct error *error) {
  *heard = (struct heard){.ways = 0};
  return notify_send_each(&setting->config, &failure, &quick, NULL, hear, heard, error);
}

static void must_tell(const struct setting *setting, struct heard *heard) {
  struct error error = {.code = OK};
  if (tell(setting, heard, &error) != OK) {
    fail_msg("%s (%s) %s", error.message, error.place, error.hint);
  }
}

/* The port without its number, since it is another one each time. */
static void assert_place(const char *place, const char *wanted) {
  char shown[320] = "";
  const char *colon = strstr(place, "127.0.0.1:");
  const char *rest = colon == NULL ? "" : colon + 10 + strspn(colon + 10, "0123456789");
  snprintf(shown, sizeof shown, "%.*sPORT%s", colon == NULL ? 0 : (int)(colon + 10 - place), place, rest);
  assert_string_equal(shown, wanted);
}

/* ---- mail ---- */

static void assert_has(const char *text, const char *part) {
  if (strstr(text, part) == NULL) {
    fail_msg("there is no \"%s\" in\n%s", part, text);
  }
}

static void mail_is_a_message_of_the_internet(void **state) {
  (void)state;
  struct setting setting = {.server = ""};
  struct heard heard;
  const struct smtp_script script = {.login_offered = true};
  smtp_server_script(plain, &script);
  use_mail(&setting, "smtp", smtp_server_port(plain));
  setting.config.notify.to_count = 2;
  setting.config.notify.username = "puente";
  setting.config.notify.password = "env:NOTIFY_SECRET";
  setenv("PUENTE_CLOCK", "2026-01-02T03:04:05Z", 1);
  must_tell(&setting, &heard);
  unsetenv("PUENTE_CLOCK");
  assert_int_equal(smtp_server_messages(plain), 2);
  const struct smtp_seen *seen = smtp_server_seen(plain, 0);
  assert_string_equal(seen->from, "<puente@example.org>");
  assert_string_equal(seen->to, "<ana@example.org>");
  assert_string_equal(smtp_server_seen(plain, 1)->to, "<luis@example.org>");
  assert_string_equal(seen->login, "AHB1ZW50ZQBzM2NyZXQ="); /* \0puente\0s3cret */
  assert_has(seen->data, "Date: Fri, 2 Jan 2026 03:04:05 +0000\r\n");
  assert_has(seen->data, "From: Puente de datos <puente@example.org>\r\n");
  assert_has(seen->data, "To: <ana@example.org>\r\n");
  assert_has(seen->data, "Subject: =?UTF-8?B?W1B1ZW50ZSBQZXLDul0gcmV0YTogbm8gc2UgcHVlZGUgYWxjYW56YXIs?=\r\n"
                         " =?UTF-8?B?IHkgbmFkaWUgc2FiZSBwb3IgcXXDqSBkZXNkZSBoYWNlIHRyZXMgZMOt?=\r\n"
                         " =?UTF-8?B?YXM=?=\r\n");
  assert_has(seen->data, ".puente@example.org>\r\n");
  assert_has(seen->data, "Auto-Submitted: auto-generated\r\n");
  assert_has(seen->data, "X-Puente-Kind: failure\r\n");
  assert_has(seen->data, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
                         "\r\nFuente: reta\r\n.Qu=C3=A9 hacer: llamar =3D ya\r\n");
  assert_null(strstr(seen->data, "s3cret"));
}

static void lines_in_a_subject_are_no_headers(void **state) {
  (void)state;
  struct setting setting = {.server = ""};
  struct heard heard = {.ways = 0};
  struct error error;
  const struct notify_message crooked = {.subject = "one\r\nBcc: all@example.org", .text = "text"};
  smtp_server_script(plain, &(struct smtp_script){.greeting = NULL});
  use_mail(&setting, "smtp", smtp_server_port(plain));
  assert_int_equal(notify_send_each(&setting.config, &crooked, &quick, NULL, hear, &heard, &error), OK);
  assert_has(smtp_server_seen(plain, 0)->data, "Subject: one  Bcc: all@example.org\r\n");
}

static void mail_goes_encrypted(void **state) {
  (void)state;
  struct smtp_server *servers[] = {starttls, encrypted};
  for (int i = 0; i < 2; i++) {
    struct setting setting = {.server = ""};
    struct heard heard;
    const struct smtp_script script = {.login_offered = true};
    smtp_server_script(servers[i], &script);
    use_mail(&setting, i == 0 ? "smtp" : "smtps", smtp_server_port(servers[i]));
    setting.config.notify.ca_file = file_of("ca.pem");
    must_tell(&setting, &heard);
    assert_int_equal(smtp_server_messages(servers[i]), 1);
    assert_true(smtp_server_seen(servers[i], 0)->encrypted);
  }
}

struct mail_fault {
  struct smtp_server **server; /* NULL: nobody listens */
  const char *scheme, *ca;
  struct smtp_script script;
  enum status status;
  const char *message, *hint, *place;
  size_t connections;
};

static const struct mail_fault mail_faults[] = {
    {NULL,
     "smtp",
     NULL,
     {.hangs = false},
     ERR_NETWORK,
     "the server refuses the connection or cannot be reached",
     "check host and port, and whether a firewall stands between",
     "recipient 1 of 1",
     0},
    {&plain,
     "smtp",
     NULL,
     {.recipient = "451 later"},
     ERR_REMOTE,
     "the mail server refused the message for now (451)",
     "it is tried again; if it lasts, ask who runs the mail server",
     "recipient 1 of 1",
     2},
    {&plain,
     "smtp",
     NULL,
     {.greeting = "421 too busy"},
     ERR_REMOTE,
     "the mail server refused the message for now (421)",
     "it is tried again; if it lasts, ask who runs the mail server",
     "recipient 1 of 1",
     2},
    {&plain,
     "smtp",
     NULL,
     {.mail = "550 not from you"},
     ERR_REMOTE,
     "the mail server refused the message (550)",
     "check `from` and `to` of `mail`: the server must take mail from and for them",
     "recipient 1 of 1",
     1},
    {&plain,
     "smtp",
     NULL,
     {.message = "554 no"},
     ERR_REMOTE,
     "the mail server refused the message (554)",
     "check `from` and `to` of `mail`: the server must take mail from and for them",
     "recipient 1 of 1",
     1},
    {&plain,
     "smtp",
     NULL,
     {.login_offered = true, .login = "535 wrong"},
     ERR_AUTH,
     "the mail server refused user or password",
     "check `username` and `password` of `mail`, and whether the password has expired",
     "recipient 1 of 1",
     1},
    {&plain,
     "smtp",
     NULL,
     {.hangs = true},
     ERR_NETWORK,
     "the server did not answer in time",
     "ask who runs it whether it is well",
     "recipient 1 of 1",
     2},
    {&plain,
     "smtp",
     "ca.pem",
     {.hangs = false},
     ERR_AUTH,
     "the mail server offers no encryption (STARTTLS)",
     "use its port for smtps, or a server that encrypts: nothing is sent in clear to another machine",
     "recipient 1 of 1",
     1},
    {&starttls,
     "smtp",
     "other_ca.pem",
     {.hangs = false},
     ERR_AUTH,
     "the server's certificate is signed by an authority that is not trusted here",
     "put the authority's certificate (PEM) in `ca_file` of `mail`",
     "recipient 1 of 1",
     1},
    {&expired,
     "smtps",
     "ca.pem",
     {.hangs = false},
     ERR_AUTH,
     "the server's certificate has expired",
     "who runs the server must renew it; also check this machine's clock",
     "recipient 1 of 1",
     1},
};

static void mail_that_fails_says_why(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof mail_faults / sizeof *mail_faults; i++) {
    const struct mail_fault *fault = &mail_faults[i];
    struct setting setting = {.server = ""};
    struct heard heard;
    struct error error = {.code = OK};
    char place[320];
    use_mail(&setting, fault->scheme, fault->server == NULL ? 1 : smtp_server_port(*fault->server));
    if (fault->server != NULL) {
      smtp_server_script(*fault->server, &fault->script);
    }
    setting.config.notify.ca_file = fault->ca != NULL ? file_of(fault->ca) : NULL;
    setting.config.notify.username = fault->script.login_offered ? "puente" : NULL;
    setting.config.notify.password = "env:NOTIFY_SECRET";
    assert_int_equal(tell(&setting, &heard, &error), fault->status);
    assert_string_equal(error.message, fault->message);
    assert_string_equal(error.hint, fault->hint);
    snprintf(place, sizeof place, "mail by 127.0.0.1:PORT, %s", fault->place);
    assert_place(error.place, place);
    assert_int_equal(heard.told, 0);
    if (fault->server != NULL) {
      assert_int_equal(smtp_server_connections(*fault->server), fault->connections);
    }
  }
}

static void a_refusal_for_now_is_tried_again(void **state) {
  (void)state;
  struct setting setting = {.server = ""};
  struct heard heard;
  const struct smtp_script script = {.recipient = "451 later", .times = 1};
  smtp_server_script(plain, &script);
  use_mail(&setting, "smtp", smtp_server_port(plain));
  must_tell(&setting, &heard);
  assert_int_equal(smtp_server_messages(plain), 1);
  assert_int_equal(heard.errors[0].code, OK);
}

static void one_refused_recipient_does_not_hold_up_the_others(void **state) {
  (void)state;
  struct setting setting = {.server = ""};
  struct heard heard;
  const struct smtp_script script = {.refused = "ana@"};
  smtp_server_script(plain, &script);
  use_mail(&setting, "smtp", smtp_server_port(plain));
  setting.config.notify.to_count = 2;
  must_tell(&setting, &heard);
  assert_int_equal(smtp_server_messages(plain), 1);
  assert_string_equal(smtp_server_seen(plain, 0)->to, "<luis@example.org>");
  assert_string_equal(heard.errors[0].message, "the mail server refused the message (550)");
  assert_place(heard.errors[0].place, "mail by 127.0.0.1:PORT, recipient 1 of 2");
}

static void addresses_are_checked(void **state) {
  (void)state;
  static const char *const crooked[] = {"nobody", "a b@example.org", "x@example.org>\r\nRCPT TO:<y@example.org"};
  for (size_t i = 0; i < sizeof crooked / sizeof *crooked; i++) {
    struct setting setting = {.server = ""};
    struct heard heard;
    struct error error;
    smtp_server_script(plain, &(struct smtp_script){.greeting = NULL});
    use_mail(&setting, "smtp", smtp_server_port(plain));
    setting.config.notify.to = &crooked[i];
    assert_int_equal(tell(&setting, &heard, &error), ERR_CONFIG);
    assert_string_equal(error.message, "`to` of `mail` is no mail address");
    assert_string_equal(error.hint, "write it as name@example.org, or as \"Puente <name@example.org>\"");
    assert_int_equal(smtp_server_messages(plain), 0);
  }
}

/* ---- webhooks ---- */

static void a_webhook_gets_json(void **state) {
  (void)state;
  struct setting setting = {.server = ""};
  struct heard heard;
  const struct http_answer good = {.status = 204};
  http_server_script(web, &good, 1);
  use_webhook(&setting, http_server_port(web));
  setting.webhook.token = "file:token";
  must_tell(&setting, &heard);
  assert_int_equal(http_server_requests(web), 1);
  const struct http_seen *seen = http_server_seen(web, 0);
  assert_string_equal(seen->method, "POST");
  assert_string_equal(seen->target, "/hook/very-secret");
  assert_has(seen->headers, "Authorization: Bearer t0ken\n");
  assert_has(seen->headers, "Content-Type: application/json\n");
  json_t *root = json_loadb(seen->body, seen->length, 0, NULL);
  assert_non_null(root);
  assert_int_equal(json_object_size(root), 6);
  assert_string_equal(json_string_value(json_object_get(root, "kind")), "failure");
  assert_string_equal(json_string_value(json_object_get(root, "source")), "reta");
  assert_string_equal(json_string_value(json_object_get(root, "subject")), failure.subject);
  assert_string_equal(json_string_value(json_object_get(root, "text")), failure.text);
  assert_string_equal(json_string_value(json_object_get(root, "at")), "2026-01-02T03:04:05.000000Z");
  assert_string_equal(json_string_value(json_object_get(root, "workspace")), "Perú");
  json_decref(root);
}

struct web_fault {
  struct http_answer answers[2];
  size_t count;
  enum status status;
  const char *message, *hint;
  size_t requests;
};

static void a_webhook_that_fails_says_why(void **state) {
  (void)state;
  char elsewhere[64];
  snprintf(elsewhere, sizeof elsewhere, "Location: http://127.0.0.1:%d/stolen", http_server_port(other));
  const struct web_fault faults[] = {
      {{{.status = 500}, {.status = 200}}, 2, OK, "", "", 2},
      {{{.status = 503}},
       1,
       ERR_REMOTE,
       "the server answered 503",
       "it is tried again; if it lasts, ask who runs the server",
       2},
      {{{.status = 404}},
       1,
       ERR_REMOTE,
       "the server answered 404",
       "check `url` of the webhook, and what its server expects",
       1},
      {{{.status = 401}},
       1,
       ERR_AUTH,
       "the server refused the token (401)",
       "check `token` of the webhook, and whether it has expired",
       1},
      {{{.status = 307, .headers = {elsewhere}}},
       1,
       ERR_REMOTE,
       "the server redirects (307), which is not followed",
       "put the address that it redirects to in `url` of the webhook",
       1},
      {{{.delay = 5000}}, 1, ERR_NETWORK, "the server did not answer in time", "ask who runs it whether it is well", 2},
      {{{.fault = FAULT_CLOSE}}, 1, ERR_NETWORK, "the connection broke while the message was sent", "", 2},
  };
  const struct http_answer trap = {.status = 200};
  http_server_script(other, &trap, 1);
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    const struct web_fault *fault = &faults[i];
    struct setting setting = {.server = ""};
    struct heard heard;
    struct error error = {.code = OK};
    http_server_script(web, fault->answers, fault->count);
    use_webhook(&setting, http_server_port(web));
    setting.webhook.token = "file:token";
    assert_int_equal(tell(&setting, &heard, &error), fault->status);
    assert_string_equal(error.message, fault->message);
    assert_string_equal(error.hint, fault->hint);
    if (fault->status != OK) {
      assert_place(error.place, "webhook 127.0.0.1:PORT");
    }
    assert_true(http_server_requests(web) >= fault->requests);
  }
  assert_int_equal(http_server_requests(other), 0); /* nothing followed the redirect */
}

static void a_webhook_in_clear_is_refused(void **state) {
  (void)state;
  struct setting setting = {.server = ""};
  struct heard heard;
  struct error error;
  use_webhook(&setting, 1);
  setting.webhook.url = "http://hooks.example.org/x";
  assert_int_equal(tell(&setting, &heard, &error), ERR_CONFIG);
  assert_string_equal(error.message, "the address of a webhook is http: what is told would travel in clear");
  assert_string_equal(error.hint, "use https");
  assert_string_equal(error.place, "webhook hooks.example.org:80");
}

/* ---- together ---- */

static enum status both; /* of the thread, once it has ended */

static void *tell_both(void *context) {
  struct heard heard;
  struct error error;
  both = tell(context, &heard, &error);
  return NULL;
}

static void a_way_that_hangs_does_not_hold_up_the_other(void **state) {
  (void)state;
  struct setting setting = {.server = ""};
  const struct http_answer good = {.status = 200};
  const struct smtp_script hangs = {.hangs = true};
  pthread_t thread;
  smtp_server_script(plain, &hangs);
  http_server_script(web, &good, 1);
  use_mail(&setting, "smtp", smtp_server_port(plain));
  use_webhook(&setting, http_server_port(web));
  int64_t began = clock_monotonic();
  assert_int_equal(pthread_create(&thread, NULL, tell_both, &setting), 0);
  while (http_server_requests(web) == 0 && clock_monotonic() - began < 5000000) {
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
  }
  int64_t after = clock_monotonic() - began;
  pthread_join(thread, NULL);
  assert_int_equal(http_server_requests(web), 1);
  assert_true(after < quick.whole); /* told before the first try at the mail server had ended */
  assert_int_equal(both, ERR_NETWORK);
}

static void without_a_way_nothing_is_told(void **state) {
  (void)state;
  struct setting setting = {.server = ""};
  struct error error;
  size_t told = 7;
  assert_int_equal(notify_send(&setting.config, &failure, NULL, &told, &error), OK);
  assert_int_equal(told, 0);
}

static void a_stop_ends_the_tries(void **state) {
  (void)state;
  struct setting setting = {.server = ""};
  struct heard heard = {.ways = 0};
  struct error error;
  atomic_bool stopped = true;
  const struct smtp_script hangs = {.hangs = true};
  smtp_server_script(plain, &hangs);
  use_mail(&setting, "smtp", smtp_server_port(plain));
  int64_t began = clock_monotonic();
  assert_int_equal(notify_send_each(&setting.config, &failure, NULL, &stopped, hear, &heard, &error), ERR_INTERRUPTED);
  assert_string_equal(error.message, "interrupted while a message was sent");
  assert_true(clock_monotonic() - began < 5000000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mail_is_a_message_of_the_internet),
      cmocka_unit_test(lines_in_a_subject_are_no_headers),
      cmocka_unit_test(mail_goes_encrypted),
      cmocka_unit_test(mail_that_fails_says_why),
      cmocka_unit_test(a_refusal_for_now_is_tried_again),
      cmocka_unit_test(one_refused_recipient_does_not_hold_up_the_others),
      cmocka_unit_test(addresses_are_checked),
      cmocka_unit_test(a_webhook_gets_json),
      cmocka_unit_test(a_webhook_that_fails_says_why),
      cmocka_unit_test(a_webhook_in_clear_is_refused),
      cmocka_unit_test(a_way_that_hangs_does_not_hold_up_the_other),
      cmocka_unit_test(without_a_way_nothing_is_told),
      cmocka_unit_test(a_stop_ends_the_tries),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
