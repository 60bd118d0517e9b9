/* What goes wrong between Puente and an HTTP source, and the words for it. */
#include "tests/support/certificates.h"
#include "tests/support/http_server.h"
#include "tests/support/pull.h"
#include "tests/support/temp.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define URL "url: http://127.0.0.1:%d/c?token=hidden\nbackoff: 1ms\nretries: 2\n"
#define PLACE " | http://127.0.0.1/c, page 1 | "

static struct http_server *server;
static char *folder;

static int start(void **state) {
  (void)state;
  folder = temp_make();
  certificates_make(folder);
  server = http_server_start(NULL);
  setenv("TEST_SECRET", "s3cret", 1);
  return 0;
}

static int stop(void **state) {
  (void)state;
  http_server_stop(server);
  temp_remove(folder);
  return 0;
}

static struct pulled pull(const char *options, const struct http_answer *answers, size_t count) {
  return pull_answers(server, "rest", options, answers, count);
}

static void explains_every_status(void **state) {
  (void)state;
  const struct {
    int status, requests;
    enum status result;
    const char *error;
  } cases[] = {
      {400, 1, ERR_REMOTE,
       "the source answered 400" PLACE "the source does not accept the request: check its parameters and body"},
      {401, 1, ERR_AUTH,
       "the source refused the credentials (401)" PLACE
       "check user, password, key or token, and whether they have expired"},
      {403, 1, ERR_AUTH,
       "the source knows the credentials but does not permit this (403)" PLACE
       "ask the source for the permission; it may also admit only registered addresses"},
      {404, 1, ERR_REMOTE, "the source answered 404" PLACE "check the path in `url`: the service may have moved"},
      {405, 1, ERR_REMOTE, "the source answered 405" PLACE "check `method`"},
      {413, 1, ERR_REMOTE, "the source answered 413" PLACE "ask for smaller pages"},
      {429, 3, ERR_NETWORK,
       "the source answered 429 (3 tries)" PLACE "the source limits requests: run less often, or raise `backoff`"},
      {500, 3, ERR_NETWORK,
       "the source answered 500 (3 tries)" PLACE "the fault is at the source: run later, or call its contact"},
      {501, 1, ERR_NETWORK,
       "the source answered 501" PLACE "the fault is at the source: run later, or call its contact"},
      {504, 3, ERR_NETWORK,
       "the source answered 504 (3 tries)" PLACE
       "the source is too slow for this request: ask for smaller pages, or run later"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const struct http_answer answer = {.status = cases[i].status, .body = "{\"name\":\"JUANA\"}"};
    struct pulled pulled = pull(URL, &answer, 1);
    assert_string_equal(pulled.error, cases[i].error);
    assert_int_equal(pulled.status, cases[i].result);
    assert_int_equal(http_server_requests(server), cases[i].requests);
  }
}

static void goes_on_after_faults_that_pass(void **state) {
  (void)state;
  const struct http_answer answers[] = {{.status = 503}, {.fault = FAULT_CLOSE}, {.body = "[1]"}};
  struct pulled pulled = pull(URL, answers, 3);
  assert_string_equal(pulled.error, "");
  assert_string_equal(pulled.bytes, "[1]\n");
  const struct http_answer breaks[] = {
      {.body = "[1,2,3,4,5,6]", .fault = FAULT_TRUNCATE}, {.fault = FAULT_RESET}, {.body = "[1,2]"}};
  pulled = pull(URL, breaks, 3);
  assert_string_equal(pulled.error, "");
  assert_string_equal(pulled.bytes, "[1,2]\n");
}

static void explains_broken_connections(void **state) {
  (void)state;
  const struct {
    struct http_answer answer;
    const char *error;
  } cases[] = {
      {{.fault = FAULT_CLOSE}, "the source closed the connection without an answer (3 tries)" PLACE},
      {{.fault = FAULT_RESET},
       "the connection broke while the answer was read (3 tries)" PLACE
       "nothing of it was taken; a later run asks again"},
      {{.body = "[1,2,3,4,5,6]", .fault = FAULT_TRUNCATE},
       "the answer was cut off before its end (3 tries)" PLACE "nothing of it was taken; a later run asks again"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct pulled pulled = pull(URL, &cases[i].answer, 1);
    assert_string_equal(pulled.error, cases[i].error);
    assert_int_equal(pulled.status, ERR_NETWORK);
    assert_int_equal(pulled.pages, 0);
    assert_int_equal(http_server_requests(server), 3);
  }
}

static void waits_no_longer_than_told(void **state) {
  (void)state;
  static const char late[] =
      "the source did not answer in time" PLACE "raise `timeout` or `stall_timeout`, or ask for smaller pages";
  const struct http_answer slow = {.delay = 5000, .body = "[]"};
  struct pulled pulled = pull("url: http://127.0.0.1:%d/c\nretries: 0\ntimeout: 100ms\n", &slow, 1);
  assert_string_equal(pulled.error, late);
  const struct http_answer stalled = {.body = "[1,2,3,4,5,6]", .fault = FAULT_STALL};
  pulled = pull("url: http://127.0.0.1:%d/c\nretries: 0\nstall_timeout: 200ms\n", &stalled, 1);
  assert_string_equal(pulled.error, late);
  assert_int_equal(pulled.status, ERR_NETWORK);
}

static void honours_retry_after(void **state) {
  (void)state;
  struct timespec before, after;
  const struct http_answer seconds[] = {{.status = 429, .headers = {"Retry-After: 1"}}, {.body = "[]"}};
  clock_gettime(CLOCK_MONOTONIC, &before);
  struct pulled pulled = pull(URL, seconds, 2);
  clock_gettime(CLOCK_MONOTONIC, &after);
  assert_string_equal(pulled.error, "");
  assert_true((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 >= 1000);
  static const char refused[] = "the source answered 503 and asks to wait 3600 s, more than the allowed 300 s" PLACE
                                "a later run goes on from here; or raise `retry_after_limit`";
  const struct http_answer hour = {.status = 503, .headers = {"Retry-After: 3600"}};
  pulled = pull(URL, &hour, 1);
  assert_string_equal(pulled.error, refused);
  assert_int_equal(http_server_requests(server), 1);
  /* The date counts against the server's clock, however wrong ours is. */
  const struct http_answer date = {
      .status = 503, .headers = {"Retry-After: Tue, 31 Mar 2026 13:00:00 GMT", "Date: Tue, 31 Mar 2026 12:00:00 GMT"}};
  pulled = pull(URL, &date, 1);
  assert_string_equal(pulled.error, refused);
}

static void takes_no_web_page_for_data(void **state) {
  (void)state;
  static const char html[] = "the source answered with a web page (HTML) instead of data" PLACE
                             "check the path in `url`; a gateway or a login page may stand before the service";
  const struct {
    struct http_answer answer;
    const char *error;
  } cases[] = {
      {{.body = "  <!DOCTYPE html><html>login</html>"}, html},
      {{.body = "<html></html>"}, html},
      {{.body = "x", .headers = {"Content-Type: text/html; charset=utf-8"}}, html},
      {{.body = "<?xml version=\"1.0\"?><a/>"},
       "the source answered with XML instead of JSON" PLACE
       "ask for JSON by a parameter or header, or set `answer: xml`"},
      {{.body = " \n"},
       "the source answered with nothing instead of JSON" PLACE
       "an empty answer is not taken for the end; tell the source's contact"},
      {{.body = "{\"data\":[1,"},
       "the answer is not valid JSON | http://127.0.0.1/c, page 1, byte 11 | it may have been cut off on its way; "
       "nothing "
       "of it was taken"},
      {{.body = "{\"error\":\"x\"}"}, "the answer has no 'data'" PLACE "its shape may have changed: check `records`"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct pulled pulled = pull(URL "paging: cursor\nrecords: data\n", &cases[i].answer, 1);
    assert_string_equal(pulled.error, cases[i].error);
    assert_int_equal(pulled.pages, 0);
  }
}

static void bounds_an_answer_also_unpacked(void **state) {
  (void)state;
  const struct http_answer answers[] = {{.fault = FAULT_LARGE, .size = 100 << 20},
                                        {.fault = FAULT_UNSIZED, .size = 100 << 20},
                                        {.fault = FAULT_BOMB, .size = 100 << 20}};
  for (size_t i = 0; i < 3; i++) {
    struct pulled pulled = pull(URL "page_limit: 1MiB\n", &answers[i], 1);
    assert_string_equal(pulled.error,
                        "the answer is larger than 1024 KiB" PLACE "ask for smaller pages, or raise `page_limit`");
    assert_int_equal(pulled.status, ERR_LIMIT);
    assert_int_equal(http_server_requests(server), 1);
  }
  const struct http_answer packed = {.fault = FAULT_BOMB, .size = 1 << 16};
  struct pulled pulled = pull(URL, &packed, 1);
  assert_string_equal(pulled.error, "");
  assert_non_null(strstr(http_server_seen(server, 0)->headers, "gzip"));
}

static void ends_pages_that_never_end(void **state) {
  (void)state;
  const struct http_answer same = {.body = "{\"d\":[1],\"next\":\"a\"}"};
  struct pulled pulled = pull(URL "paging: cursor\nrecords: d\ncursor_path: next\n", &same, 1);
  assert_string_equal(pulled.error,
                      "the source gives the same place to go on from again: the pages would never end | "
                      "http://127.0.0.1/c, page 2 | tell the source's contact; nothing is lost, a later run "
                      "goes on from here");
  const struct http_answer circle[] = {{.body = "{\"d\":[1],\"next\":\"a\"}"},
                                       {.body = "{\"d\":[2],\"next\":\"b\"}"},
                                       {.body = "{\"d\":[3],\"next\":\"a\"}"}};
  pulled = pull(URL "paging: cursor\nrecords: d\ncursor_path: next\n", circle, 3);
  assert_string_equal(pulled.error,
                      "the source leads in a circle: a page that was read is to come again | "
                      "http://127.0.0.1/c, page 3 | tell the source's contact; nothing is lost, a later run "
                      "goes on from here");
  const struct http_answer deaf = {.body = "[1,2]"};
  pulled = pull(URL "paging: page\n", &deaf, 1);
  assert_string_equal(pulled.error,
                      "the source gives the same page again and again | http://127.0.0.1/c, page 3 | check "
                      "that the source knows the paging parameter, and its name");
  const struct http_answer many[] = {{.body = "[1]"}, {.body = "[2]"}, {.body = "[3]"}};
  pulled = pull(URL "paging: page\nmax_pages: 2\n", many, 3);
  assert_string_equal(pulled.error,
                      "the source has more than 2 pages | http://127.0.0.1/c | raise `max_pages` if that is "
                      "right; a later run goes on from here");
  assert_int_equal(pulled.status, ERR_LIMIT);
}

static void asks_no_other_host(void **state) {
  (void)state;
  const struct http_answer here[] = {{.status = 307, .headers = {"Location: /d?x=1"}}, {.body = "[]"}};
  struct pulled pulled = pull(URL, here, 2);
  assert_string_equal(pulled.error, "");
  assert_string_equal(http_server_seen(server, 1)->target, "/d?x=1");
  const struct http_answer there = {.status = 302, .headers = {"Location: http://localhost:1/d?secret=1"}};
  pulled = pull(URL, &there, 1);
  assert_string_equal(pulled.error, "the source redirects (302) to another place, localhost:1" PLACE
                                    "no credentials are sent there; if it is right, put it in `url`");
  const struct http_answer circle = {.status = 301, .headers = {"Location: /c"}};
  pulled = pull(URL, &circle, 1);
  assert_string_equal(pulled.error, "the source redirects in circles" PLACE);
  pulled = pull(URL "method: POST\nbody: '{}'\n", &circle, 1);
  assert_string_equal(pulled.error,
                      "the source redirects a POST (301)" PLACE "put the address that it redirects to in `url`");
  const struct http_answer link = {.body = "{\"next\":\"http://localhost:1/d\",\"d\":[]}"};
  pulled = pull(URL "paging: next_link\nrecords: d\n", &link, 1);
  assert_string_equal(pulled.error, "the link to the next page leads to another host" PLACE
                                    "no credentials are sent there; tell the source's contact");
}

static void refuses_wrong_options(void **state) {
  (void)state;
  const struct {
    const char *options, *error;
  } cases[] = {
      {"url: http://registry.example/c\n",
       "url is http: secrets and records would travel in clear |  | use https, or set `plain_http: true` for a network "
       "that nobody else reads"},
      {"url: https://user:pass@registry.example/c\n",
       "url holds a user or a password |  | use `auth: basic`, `username`, and `password: env:NAME` or `file:PATH`"},
      {"url: ftp://registry.example/c\n", "url is neither https nor http |  | write it as https://host/path"},
      {"url: 'https://'\n", "url is no address |  | write it as https://host/path"},
      {URL "auth: basic\nusername: u\n", "`password` is missing, which `auth: basic` needs |  | "},
      {URL "auth: oauth2\n", "`token_url` is missing, which `auth: oauth2` needs |  | "},
      {URL "headers: {authorization: Bearer abc}\n",
       "`headers` holds Authorization: a secret would stand in the configuration |  | use `auth` and its options, or a "
       "placeholder of `secrets`"},
      {URL "answer: csv\npaging: page\n",
       "this paging, or a path into the answer, needs `answer: json` |  | with other answers use `paging: none` or "
       "`link_header`"},
      {URL "watermark_path: a\nwatermark_field: b\n",
       "only one of watermark_field, watermark_path and watermark_date can be the mark |  | "},
      {URL "body: '{}'\n", "a body needs `method: POST` |  | "},
      {URL "method: POST\nbody: '{\"a\":{{sinse}}}'\n",
       "unknown placeholder {{sinse}} in `body`" PLACE "did you mean {{since}}?"},
      {URL "method: POST\nbody: '{\"a\":{{since}}}'\n",
       "`body`, once its placeholders are filled in, is not JSON" PLACE
       "put {{placeholders}} of text in quotes, those of numbers without"},
      {URL "headers: {'X-A': \"b\\nX-Evil: c\"}\n", "a header holds a line end, or its name a colon" PLACE},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    pull_refused(server, "rest", cases[i].options, cases[i].error);
  }
}

static void explains_what_cannot_be_reached(void **state) {
  (void)state;
  struct http_server *gone = http_server_start(NULL);
  int port = http_server_port(gone);
  http_server_stop(gone);
  struct pulled pulled;
  struct pull_case one = {.connector = "rest", .options = URL, .port = port};
  pull_all(&one, &pulled);
  assert_string_equal(pulled.error, "the source refuses the connection or cannot be reached (3 tries)" PLACE
                                    "the service may be down, or a firewall admits only registered addresses: call the "
                                    "source's contact");
  one.options = "url: https://nowhere.invalid/c\nretries: 0\n";
  pull_all(&one, &pulled);
  assert_string_equal(pulled.error,
                      "the source's host name cannot be resolved | https://nowhere.invalid/c, page 1 | check "
                      "the host in `url`, and the name server of this machine");
}

static void uses_a_proxy_only_where_told(void **state) {
  (void)state;
  char proxy[64];
  const struct http_answer answer = {.body = "[1]"};
  snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", http_server_port(server));
  setenv("http_proxy", proxy, 1);
  struct pulled pulled = pull("url: http://registry.invalid/c\nplain_http: true\nproxy: environment\n", &answer, 1);
  assert_string_equal(pulled.error, "");
  assert_string_equal(http_server_seen(server, 0)->target, "http://registry.invalid/c");
  pulled = pull("url: http://registry.invalid/c\nplain_http: true\nretries: 0\n", &answer, 1);
  unsetenv("http_proxy");
  assert_int_equal(pulled.status, ERR_NETWORK);
  assert_int_equal(http_server_requests(server), 0);
}

/* ---- TLS ---- */

struct tls_case {
  const char *certificate, *client_ca, *options, *error;
  enum status status;
};

static void run_tls(const struct tls_case *one) {
  char certificate[512], key[512], client_ca[512], options[2048];
  const struct http_answer answer = {.body = "[1]"};
  struct pulled pulled;
  snprintf(certificate, sizeof certificate, "%s/%s", folder, one->certificate);
  snprintf(key, sizeof key, "%s/server.key", folder);
  snprintf(client_ca, sizeof client_ca, "%s/ca.pem", folder);
  struct http_server *secure = http_server_start(&(struct http_server_options){
      .certificate = certificate, .key = key, .client_ca = one->client_ca != NULL ? client_ca : NULL});
  http_server_script(secure, &answer, 1);
  size_t kept = 0;
  for (const char *at = one->options; *at != '\0'; at++) {
    kept += (size_t)snprintf(options + kept, sizeof options - kept, "%s", *at == '@' ? folder : (char[2]){*at, '\0'});
  }
  pull_all(&(struct pull_case){.connector = "rest", .options = options, .port = http_server_port(secure)}, &pulled);
  http_server_stop(secure);
  assert_string_equal(pulled.error, one->error);
  assert_int_equal(pulled.status, one->status);
}

#define TLS_URL "url: https://127.0.0.1:%d/c\nbackoff: 1ms\nretries: 1\n"
#define TLS_PLACE " | https://127.0.0.1/c, page 1 | "

static void trusts_only_what_it_should(void **state) {
  (void)state;
  static const char stranger[] =
      "the source's certificate is signed by an authority that is not trusted here" TLS_PLACE
      "if the source has an own authority, put its certificate in `ca_file`; else somebody may "
      "stand in between";
  const struct tls_case cases[] = {
      {.certificate = "server.pem", .options = TLS_URL "ca_file: @/ca.pem\n", .error = ""},
      {.certificate = "server.pem",
       .options = TLS_URL "ca_file: @/other_ca.pem\n",
       .error = stranger,
       .status = ERR_AUTH},
      {.certificate = "server.pem", .options = TLS_URL, .error = stranger, .status = ERR_AUTH},
      {.certificate = "expired.pem",
       .options = TLS_URL "ca_file: @/ca.pem\n",
       .error = "the source's certificate has expired" TLS_PLACE
                "call the source's contact: it must renew it; also check this machine's clock",
       .status = ERR_AUTH},
      {.certificate = "elsewhere.pem",
       .options = TLS_URL "ca_file: @/ca.pem\n",
       .error = "the source's certificate is for another host name" TLS_PLACE "check the host in `url`",
       .status = ERR_AUTH},
      {.certificate = "server.pem",
       .options = TLS_URL "ca_file: @/none.pem\n",
       .error =
           "the file of trusted certificates cannot be read" TLS_PLACE "check ca_file: it must be PEM and readable",
       .status = ERR_CONFIG},
      {.certificate = "server.pem",
       .client_ca = "ca.pem",
       .options = TLS_URL "ca_file: @/ca.pem\nclient_certificate: @/client.pem\nclient_key: @/client.key\n",
       .error = ""},
      {.certificate = "server.pem",
       .options = TLS_URL "ca_file: @/ca.pem\nclient_certificate: @/client.pem\nclient_key: @/none.key\n",
       .error = "the own certificate or its key cannot be used" TLS_PLACE
                "check client_certificate, client_key and client_key_password",
       .status = ERR_CONFIG},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    run_tls(&cases[i]);
  }
}

static void tells_of_a_certificate_that_ends_soon(void **state) {
  (void)state;
  char certificate[512], key[512], options[1024], steps[4096];
  const struct http_answer answer = {.body = "[1]"};
  struct pulled pulled;
  snprintf(certificate, sizeof certificate, "%s/ending.pem", folder);
  snprintf(key, sizeof key, "%s/server.key", folder);
  snprintf(options, sizeof options, "url: https://127.0.0.1:%%d/c\nca_file: %s/ca.pem\n", folder);
  struct http_server *secure = http_server_start(&(struct http_server_options){.certificate = certificate, .key = key});
  http_server_script(secure, &answer, 1);
  struct pull_case one = {.connector = "rest", .options = options, .port = http_server_port(secure)};
  assert_int_equal(pull_probe(&one, steps, sizeof steps, &pulled), OK);
  http_server_stop(secure);
  assert_non_null(strstr(steps, "tls ok connected; the certificate is trusted, but ends in 9 days: call the source's "
                                "contact\n"));
}

static void fails_a_probe_at_its_step(void **state) {
  (void)state;
  char steps[4096];
  struct pulled pulled;
  struct pull_case one = {
      .connector = "rest", .options = "url: https://127.0.0.1:%d/c\n", .port = http_server_port(server)};
  const struct http_answer answer = {.body = "[1]"};
  http_server_script(server, &answer, 1);
  assert_int_equal(pull_probe(&one, steps, sizeof steps, &pulled), ERR_NETWORK);
  assert_string_equal(steps,
                      "dns ok 127.0.0.1 has 1 address\n"
                      "tls network the TLS handshake with the source failed; the source may speak only TLS older "
                      "than 1.2, which is refused, or the port may not be a TLS port\n");
  struct http_server *gone = http_server_start(NULL);
  one.port = http_server_port(gone);
  http_server_stop(gone);
  assert_int_equal(pull_probe(&one, steps, sizeof steps, &pulled), ERR_NETWORK);
  assert_non_null(strstr(steps, "connect network the source refuses the connection or cannot be reached; "));
  one.options = "url: https://nowhere.invalid/c\n";
  assert_int_equal(pull_probe(&one, steps, sizeof steps, &pulled), ERR_NETWORK);
  assert_non_null(strstr(steps, "dns network nowhere.invalid cannot be resolved: "));
}

/* ---- stop ---- */

static atomic_bool stopped;

static void *stop_soon(void *context) {
  (void)context;
  nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
  atomic_store(&stopped, true);
  return NULL;
}

static void stops_while_it_waits(void **state) {
  (void)state;
  pthread_t thread;
  struct pulled pulled;
  const struct http_answer busy = {.status = 503, .headers = {"Retry-After: 60"}};
  http_server_script(server, &busy, 1);
  atomic_store(&stopped, false);
  assert_int_equal(pthread_create(&thread, NULL, stop_soon, NULL), 0);
  pull_all(&(struct pull_case){.connector = "rest", .options = URL, .port = http_server_port(server), .stop = &stopped},
           &pulled);
  pthread_join(thread, NULL);
  assert_string_equal(pulled.error, "interrupted while waiting for the source" PLACE);
  assert_int_equal(pulled.status, ERR_INTERRUPTED);
}

/* The first request goes at once; pages, further tries and redirects each wait for their time. */
static void keeps_the_rate(void **state) {
  (void)state;
  struct timespec before, after;
  const struct http_answer answers[] = {{.body = "{\"data\":[1],\"next_cursor\":\"b\"}"},
                                        {.status = 503},
                                        {.status = 302, .headers = {"Location: /d"}},
                                        {.body = "{\"data\":[2],\"next_cursor\":null}"}};
  clock_gettime(CLOCK_MONOTONIC, &before);
  struct pulled pulled = pull(URL "paging: cursor\nrecords: data\nrate: 1200\n", answers, 4);
  clock_gettime(CLOCK_MONOTONIC, &after);
  assert_string_equal(pulled.error, "");
  assert_int_equal(http_server_requests(server), 4);
  assert_true((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 >= 3 * 50);
}

static void stops_while_it_keeps_the_rate(void **state) {
  (void)state;
  pthread_t thread;
  struct pulled pulled;
  const struct http_answer page = {.body = "{\"data\":[1],\"next_cursor\":\"b\"}"};
  http_server_script(server, &page, 1);
  atomic_store(&stopped, false);
  assert_int_equal(pthread_create(&thread, NULL, stop_soon, NULL), 0);
  pull_all(&(struct pull_case){.connector = "rest",
                               .options = URL "paging: cursor\nrecords: data\nrate: 1\n",
                               .port = http_server_port(server),
                               .stop = &stopped},
           &pulled);
  pthread_join(thread, NULL);
  assert_int_equal(pulled.status, ERR_INTERRUPTED);
  assert_string_equal(pulled.error, "interrupted while waiting for the source | http://127.0.0.1/c, page 2 | ");
  assert_int_equal(http_server_requests(server), 1);
}

static void stops_within_an_answer(void **state) {
  (void)state;
  pthread_t thread;
  struct pulled pulled;
  const struct http_answer slow = {.delay = 10000};
  http_server_script(server, &slow, 1);
  atomic_store(&stopped, false);
  assert_int_equal(pthread_create(&thread, NULL, stop_soon, NULL), 0);
  pull_all(&(struct pull_case){.connector = "rest", .options = URL, .port = http_server_port(server), .stop = &stopped},
           &pulled);
  pthread_join(thread, NULL);
  assert_string_equal(pulled.error, "interrupted while talking to the source" PLACE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(explains_every_status),
      cmocka_unit_test(goes_on_after_faults_that_pass),
      cmocka_unit_test(explains_broken_connections),
      cmocka_unit_test(waits_no_longer_than_told),
      cmocka_unit_test(honours_retry_after),
      cmocka_unit_test(takes_no_web_page_for_data),
      cmocka_unit_test(bounds_an_answer_also_unpacked),
      cmocka_unit_test(ends_pages_that_never_end),
      cmocka_unit_test(asks_no_other_host),
      cmocka_unit_test(refuses_wrong_options),
      cmocka_unit_test(explains_what_cannot_be_reached),
      cmocka_unit_test(uses_a_proxy_only_where_told),
      cmocka_unit_test(trusts_only_what_it_should),
      cmocka_unit_test(tells_of_a_certificate_that_ends_soon),
      cmocka_unit_test(fails_a_probe_at_its_step),
      cmocka_unit_test(stops_while_it_waits),
      cmocka_unit_test(keeps_the_rate),
      cmocka_unit_test(stops_while_it_keeps_the_rate),
      cmocka_unit_test(stops_within_an_answer),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
