/* The rest connector against a real server: paging, credentials, marks, result codes. Faults: test_rest_faults.c. */
#include "tests/support/http_server.h"
#include "tests/support/pull.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#define FAST "backoff: 1ms\n"

static struct http_server *server;

static int start(void **state) {
  (void)state;
  setenv("TEST_PASSWORD", "s3cret \"x\"", 1);
  setenv("TEST_TOKEN", "tok-123", 1);
  server = http_server_start(NULL);
  return 0;
}

static int stop(void **state) {
  (void)state;
  http_server_stop(server);
  return 0;
}

static struct pulled pull(const char *options, const struct http_answer *answers, size_t count) {
  return pull_answers(server, "rest", options, answers, count);
}

static const char *target(size_t number) {
  return http_server_seen(server, number)->target;
}

/* Versions of libcurl write the digits of %2F in either case. */
static void assert_target(size_t number, const char *expected) {
  if (strcasecmp(target(number), expected) != 0) {
    assert_string_equal(target(number), expected);
  }
}

static void asks_for_one_answer_and_leaves_its_bytes_alone(void **state) {
  (void)state;
  const struct http_answer answers[] = {{.body = "[{\"a\": 1}]  "}};
  struct pulled pulled =
      pull("url: http://127.0.0.1:%d/cases\nparameters: {kind: 'a b&c', q: '{{since}}'}\n", answers, 1);
  assert_string_equal(pulled.error, "");
  assert_string_equal(pulled.bytes, "[{\"a\": 1}]  \n");
  assert_int_equal(pulled.source_count, -1);
  assert_int_equal(http_server_requests(server), 1);
  assert_target(0, "/cases?kind=a%20b%26c");
  assert_non_null(strstr(http_server_seen(server, 0)->headers, "Accept: application/json\n"));
}

static void follows_a_cursor_to_its_end(void **state) {
  (void)state;
  const struct http_answer answers[] = {
      {.body = "{\"data\":[{\"u\":\"2026-01-02T00:00:00Z\"}],\"next\":\"b/+&\",\"n\":3}"},
      {.body = "{\"data\":[],\"next\":\"c\",\"n\":3}"},
      {.body = "{\"data\":[{\"u\":\"2026-01-01T23:00:00-05:00\"},{}],\"next\":null,\"n\":3}"}};
  struct pulled pulled = pull("url: http://127.0.0.1:%d/c?fixed=1\npaging: cursor\nrecords: data\ncursor_path: next\n"
                              "total_path: n\nwatermark_field: u\npage_size_parameter: limit\npage_size: 2\n",
                              answers, 3);
  assert_string_equal(pulled.error, "");
  assert_int_equal(pulled.pages, 3);
  assert_string_equal(pulled.origins, "page 1,page 2,page 3,");
  assert_int_equal(pulled.source_count, 3);
  assert_string_equal(pulled.watermark, "2026-01-01T23:00:00-05:00");
  assert_target(0, "/c?fixed=1&limit=2");
  assert_target(1, "/c?fixed=1&limit=2&cursor=b%2F%2B%26");
  assert_target(2, "/c?fixed=1&limit=2&cursor=c");
}

static void goes_on_from_a_cursor(void **state) {
  (void)state;
  const char options[] = "url: http://127.0.0.1:%d/c\npaging: cursor\nrecords: data\ncursor_path: next\n"
                         "since_parameter: since\nwatermark_field: u\n";
  const struct http_answer answers[] = {{.body = "{\"data\":[{\"u\":9}],\"next\":\"b\"}"},
                                        {.body = "{\"data\":[{\"u\":10}],\"next\":\"\"}"}};
  struct pulled pulled;
  struct pull_case one = {
      .connector = "rest", .options = options, .port = http_server_port(server), .watermark = "5", .pages_most = 1};
  http_server_script(server, answers, 2);
  pull_all(&one, &pulled);
  assert_string_equal(pulled.error, "");
  char cursor[sizeof pulled.cursor];
  memcpy(cursor, pulled.cursor, sizeof cursor);
  one.cursor = cursor;
  one.pages_most = 0;
  pull_all(&one, &pulled);
  assert_string_equal(pulled.error, "");
  assert_string_equal(pulled.origins, "page 2,");
  assert_string_equal(pulled.watermark, "10");
  assert_target(0, "/c?since=5");
  assert_target(1, "/c?since=5&cursor=b");
  /* Killed after the last page: nothing is asked any more. */
  memcpy(cursor, pulled.cursor, sizeof cursor);
  pull_all(&one, &pulled);
  assert_string_equal(pulled.error, "");
  assert_int_equal(pulled.pages, 0);
  assert_int_equal(http_server_requests(server), 2);
}

/* Killed after any page, a pass brings the same bytes as one that was not disturbed. */
static void brings_the_same_however_often_it_is_killed(void **state) {
  (void)state;
  static const struct http_answer answers[] = {
      {.path = "/k?cursor=b", .body = "{\"d\":[2],\"next\":\"c\"}"},
      {.path = "/k?cursor=c", .body = "{\"d\":[3],\"next\":null}"},
      {.path = "/k", .body = "{\"d\":[1],\"next\":\"b\"}"},
      {.path = "/n?p=2", .body = "{\"d\":[2],\"next\":\"/n?p=3\"}"},
      {.path = "/n?p=3", .body = "{\"d\":[3]}"},
      {.path = "/n", .body = "{\"d\":[1],\"next\":\"/n?p=2\"}"},
      {.path = "/l?p=2", .body = "{\"d\":[2]}", .headers = {"Link: </l?p=3>; rel=next"}},
      {.path = "/l?p=3", .body = "{\"d\":[3]}"},
      {.path = "/l", .body = "{\"d\":[1]}", .headers = {"Link: </l?p=2>; rel=next"}},
      {.path = "/p?page=1", .body = "{\"d\":[1]}"},
      {.path = "/p?page=2", .body = "{\"d\":[2]}"},
      {.path = "/p?page=3", .body = "{\"d\":[]}"},
      {.path = "/o?offset=0", .body = "{\"d\":[1,1]}"},
      {.path = "/o?offset=2", .body = "{\"d\":[2]}"},
      {.path = "/o?offset=3", .body = "{\"d\":[]}"},
  };
  static const char *const pagings[] = {"k\npaging: cursor\ncursor_path: next\n", "n\npaging: next_link\n",
                                        "l\npaging: link_header\n", "p\npaging: page\n", "o\npaging: offset\n"};
  http_server_script(server, answers, sizeof answers / sizeof answers[0]);
  for (size_t i = 0; i < sizeof pagings / sizeof pagings[0]; i++) {
    char options[256], bytes[16384] = "", cursor[2048] = "";
    struct pulled whole, part = {0};
    snprintf(options, sizeof options, "records: d\nurl: http://127.0.0.1:%%d/%s", pagings[i]);
    struct pull_case one = {.connector = "rest", .options = options, .port = http_server_port(server)};
    pull_all(&one, &whole);
    assert_string_equal(whole.error, "");
    assert_int_equal(whole.pages, 3);
    for (int pages = 0; pages < 3; pages++) {
      one.pages_most = 1;
      pull_all(&one, &part);
      assert_int_equal(part.pages, 1);
      snprintf(bytes + strlen(bytes), sizeof bytes - strlen(bytes), "%.500s", part.bytes);
      snprintf(cursor, sizeof cursor, "%s", part.cursor);
      one.cursor = cursor;
    }
    pull_all(&one, &part);
    assert_int_equal(part.pages, 0);
    assert_string_equal(bytes, whole.bytes);
  }
}

static void begins_anew_where_the_source_forgot_the_cursor(void **state) {
  (void)state;
  const struct http_answer answers[] = {{.status = 410}, {.body = "{\"data\":[1],\"next\":null}"}};
  struct pulled pulled;
  http_server_script(server, answers, 2);
  pull_all(
      &(struct pull_case){.connector = "rest",
                          .options = "url: http://127.0.0.1:%d/c\npaging: cursor\nrecords: data\ncursor_path: next\n",
                          .port = http_server_port(server),
                          .cursor = "{\"paging\":\"cursor\",\"page\":7,\"offset\":60,\"total\":-1,\"done\":false,"
                                    "\"at\":\"old\"}"},
      &pulled);
  assert_string_equal(pulled.error, "");
  assert_string_equal(pulled.origins, "page 1,");
  assert_target(0, "/c?cursor=old");
  assert_target(1, "/c");
}

static void follows_links_in_the_body(void **state) {
  (void)state;
  const struct http_answer answers[] = {{.body = "{\"r\":[1],\"links\":{\"next\":\"/other?page=2&key=k%2F1\"}}"},
                                        {.body = "{\"r\":[2],\"links\":{\"next\":\"?page=3\"}}"},
                                        {.body = "{\"r\":[3],\"links\":{}}"}};
  struct pulled pulled = pull("url: http://127.0.0.1:%d/c\npaging: next_link\nrecords: r\nnext_path: links/next\n"
                              "auth: api_key\napi_key: env:TEST_TOKEN\napi_key_in: query\napi_key_name: key\n",
                              answers, 3);
  assert_string_equal(pulled.error, "");
  assert_int_equal(pulled.pages, 3);
  assert_target(0, "/c?key=tok-123");
  assert_target(1, "/other?page=2&key=tok-123");
  assert_target(2, "/c?page=3&key=tok-123");
  assert_null(strstr(pulled.cursor, "tok-123"));
}

static void follows_links_in_the_header(void **state) {
  (void)state;
  const struct http_answer answers[] = {
      {.body = "a;b\n1;2\n",
       .headers = {"Link: </x?p=1>; rel=\"prev\", <http://127.0.0.1:1/none>; title=\"a, b\"; rel=up",
                   "Link: </x?p=2>; title=\"rel=none\"; rel=\"last next\""}},
      {.body = "a;b\n3;4\n", .headers = {"Link: </x?p=1>; rel=prev"}}};
  struct pulled pulled = pull("url: http://127.0.0.1:%d/x\npaging: link_header\nanswer: csv\n", answers, 2);
  assert_string_equal(pulled.error, "");
  assert_string_equal(pulled.bytes, "a;b\n1;2\n\na;b\n3;4\n\n");
  assert_target(1, "/x?p=2");
}

static void counts_pages_until_an_empty_one(void **state) {
  (void)state;
  const struct http_answer answers[] = {{.body = "[1,2]"}, {.body = "[3]"}, {.body = "[]"}};
  struct pulled pulled = pull("url: http://127.0.0.1:%d/p\npaging: page\npage_start: 0\npage_size_parameter: size\n"
                              "page_size: 2\n",
                              answers, 3);
  assert_string_equal(pulled.error, "");
  assert_target(0, "/p?size=2&page=0");
  assert_target(1, "/p?size=2&page=1");
  assert_target(2, "/p?size=2&page=2");
  assert_int_equal(http_server_requests(server), 3);
}

static void counts_records_until_the_total(void **state) {
  (void)state;
  const struct http_answer answers[] = {{.body = "{\"total\":\"3\",\"d\":[1,2]}"},
                                        {.body = "{\"total\":\"3\",\"d\":[3]}"}};
  struct pulled pulled =
      pull("url: http://127.0.0.1:%d/p\npaging: offset\noffset_parameter: skip\nrecords: d\ntotal_path: total\n",
           answers, 2);
  assert_string_equal(pulled.error, "");
  assert_target(0, "/p?skip=0");
  assert_target(1, "/p?skip=2");
  assert_int_equal(http_server_requests(server), 2);
  assert_int_equal(pulled.source_count, 3);
}

static void ends_where_the_answer_says_so(void **state) {
  (void)state;
  const struct http_answer more[] = {{.body = "{\"more\":true,\"d\":[]}"}, {.body = "{\"more\":false,\"d\":[3]}"}};
  struct pulled pulled = pull("url: http://127.0.0.1:%d/p\npaging: page\nrecords: d\nmore_path: more\n", more, 2);
  assert_string_equal(pulled.error, "");
  assert_int_equal(pulled.pages, 2);
  const struct http_answer pages[] = {{.body = "{\"pages\":2,\"d\":[1]}"}, {.body = "{\"pages\":2,\"d\":[3]}"}};
  pulled = pull("url: http://127.0.0.1:%d/p\npaging: page\nrecords: d\npage_count_path: pages\n", pages, 2);
  assert_string_equal(pulled.error, "");
  assert_int_equal(pulled.pages, 2);
  assert_int_equal(http_server_requests(server), 2);
}

static void asks_by_a_json_body_in_pide_style(void **state) {
  (void)state;
  const struct http_answer answers[] = {
      {.body = "{\"out\":{\"code\":\"0000\",\"data\":[{\"id\":1}],\"next\":\"k\\\"2\"}}"},
      {.body = "{\"out\":{\"code\":\"0000\",\"data\":[{\"id\":2}],\"next\":null}}"}};
  struct pulled pulled = pull(
      "url: http://127.0.0.1:%d/Rest/MIMP/Consultar?out=json\nmethod: POST\npaging: cursor\nrecords: out/data\n"
      "cursor_path: out/next\nresult_path: out/code\nsecrets: {ruc: 'env:TEST_TOKEN'}\nusername: u1\n"
      "password: env:TEST_PASSWORD\nsince_parameter: desde\nsince_default: 01/01/2000\n"
      "body: "
      "'{\"PIDE\":{\"ruc\":\"{{ruc}}\",\"user\":\"{{username}}\",\"password\":\"{{password}}\",\"desde\":\"{{since}}\","
      "\"pagina\":{{page}},\"k\":{{json:cursor}}}}'\n",
      answers, 2);
  assert_string_equal(pulled.error, "");
  const struct http_seen *seen = http_server_seen(server, 0);
  assert_string_equal(seen->method, "POST");
  assert_string_equal(seen->target, "/Rest/MIMP/Consultar?out=json");
  assert_string_equal(seen->body, "{\"PIDE\":{\"ruc\":\"tok-123\",\"user\":\"u1\",\"password\":\"s3cret \\\"x\\\"\","
                                  "\"desde\":\"01/01/2000\",\"pagina\":1,\"k\":null}}");
  assert_non_null(strstr(seen->headers, "Content-Type: application/json\n"));
  seen = http_server_seen(server, 1);
  assert_non_null(strstr(seen->body, "\"pagina\":2,\"k\":\"k\\\"2\""));
}

static void explains_result_codes(void **state) {
  (void)state;
  static const char options[] = "url: http://127.0.0.1:%d/c\nrecords: data\nresult_path: code\nresult_ok: ['0000']\n"
                                "result_empty: ['0004']\nresult_credentials: ['1001', '1002']\n"
                                "result_meanings: {'1002': contraseña caducada, '2000': servicio suspendido}\n";
  const struct {
    const char *body, *error;
    enum status status;
  } cases[] = {
      {"{\"code\":\"0000\",\"data\":[1]}", "", OK},
      {"{\"code\":\"1001\"}",
       "the source refused the credentials (result code 1001) | http://127.0.0.1/c, page 1 | check user and password, "
       "and "
       "whether they have expired",
       ERR_AUTH},
      {"{\"code\":\"1002\"}",
       "the source refused the credentials (result code 1002: contraseña caducada) | http://127.0.0.1/c, page 1 | "
       "check "
       "user and password, and whether they have expired",
       ERR_AUTH},
      {"{\"code\":2000}",
       "the source answered with result code 2000: servicio suspendido | http://127.0.0.1/c, page 1 | ask the source "
       "what "
       "it means, and list it under `result_meanings`, or under `result_ok`",
       ERR_REMOTE},
      {"{\"data\":[]}",
       "the answer has no 'code' | http://127.0.0.1/c, page 1 | its shape may have changed: check `result_path`",
       ERR_INPUT},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const struct http_answer answer = {.body = cases[i].body};
    struct pulled pulled = pull(options, &answer, 1);
    assert_string_equal(pulled.error, cases[i].error);
    assert_int_equal(pulled.status, cases[i].status);
  }
  const struct http_answer nothing = {.body = "{\"code\":\"0004\",\"text\":\"sin datos\"}"};
  struct pulled pulled = pull(options, &nothing, 1);
  assert_string_equal(pulled.error, "");
  assert_int_equal(pulled.pages, 0);
}

static void sends_credentials(void **state) {
  (void)state;
  const struct http_answer answer = {.body = "[]"};
  const struct {
    const char *options, *header;
  } cases[] = {
      {"auth: basic\nusername: user\npassword: env:TEST_PASSWORD\n", "Authorization: Basic dXNlcjpzM2NyZXQgIngi\n"},
      {"auth: bearer\ntoken: env:TEST_TOKEN\n", "Authorization: Bearer tok-123\n"},
      {"auth: api_key\napi_key: env:TEST_TOKEN\n", "X-API-Key: tok-123\n"},
      {"headers: {X-Own: 'a {{t}}'}\nsecrets: {t: 'env:TEST_TOKEN'}\n", "X-Own: a tok-123\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char options[512];
    snprintf(options, sizeof options, "url: http://127.0.0.1:%%d/c\n%s", cases[i].options);
    struct pulled pulled = pull(options, &answer, 1);
    assert_string_equal(pulled.error, "");
    assert_non_null(strstr(http_server_seen(server, 0)->headers, cases[i].header));
    assert_target(0, "/c");
  }
}

#define OAUTH                                                                                                          \
  "url: http://127.0.0.1:%d/c\nauth: oauth2\ntoken_url: http://127.0.0.1:%d/token\nclient_id: 'id 1'\n"                \
  "client_secret: env:TEST_PASSWORD\nscope: read\npaging: page\n" FAST

static void gets_a_token_and_renews_it(void **state) {
  (void)state;
  const struct http_answer answers[] = {{.path = "/token", .body = "{\"access_token\":\"one\",\"expires_in\":3600}"},
                                        {.path = "/token", .body = "{\"access_token\":\"two\",\"expires_in\":3600}"},
                                        {.path = "/c", .body = "[1]"},
                                        {.path = "/c", .status = 401},
                                        {.path = "/c", .body = "[2]"},
                                        {.path = "/c", .body = "[]"}};
  struct pulled pulled = pull(OAUTH, answers, 6);
  assert_string_equal(pulled.error, "");
  assert_int_equal(pulled.pages, 3);
  const struct http_seen *token = http_server_seen(server, 0);
  assert_string_equal(token->body, "grant_type=client_credentials&scope=read");
  assert_non_null(strstr(token->headers, "Authorization: Basic aWQgMTpzM2NyZXQgIngi\n"));
  assert_non_null(strstr(http_server_seen(server, 1)->headers, "Authorization: Bearer one\n"));
  assert_target(2, "/c?page=2");
  assert_target(3, "/token");
  assert_target(4, "/c?page=2");
  assert_non_null(strstr(http_server_seen(server, 4)->headers, "Authorization: Bearer two\n"));
}

static void renews_a_token_before_it_ends(void **state) {
  (void)state;
  const struct http_answer answers[] = {{.path = "/token", .body = "{\"access_token\":\"one\",\"expires_in\":1}"},
                                        {.path = "/token", .body = "{\"access_token\":\"two\",\"expires_in\":3600}"},
                                        {.path = "/c", .body = "[1]", .delay = 600},
                                        {.path = "/c", .body = "[]"}};
  struct pulled pulled = pull(OAUTH "client_auth: body\n", answers, 4);
  assert_string_equal(pulled.error, "");
  assert_string_equal(http_server_seen(server, 0)->body, "grant_type=client_credentials&scope=read&client_id=id%201"
                                                         "&client_secret=s3cret%20%22x%22");
  assert_target(2, "/token");
  assert_non_null(strstr(http_server_seen(server, 3)->headers, "Authorization: Bearer two\n"));
}

static void explains_refused_tokens(void **state) {
  (void)state;
  const struct http_answer refused = {.status = 401,
                                      .body = "{\"error\":\"invalid_client\",\"error_description\":\"id 1\"}"};
  struct pulled pulled = pull(OAUTH, &refused, 1);
  assert_int_equal(pulled.status, ERR_AUTH);
  assert_string_equal(pulled.error,
                      "the token server refused the client (401, invalid_client) | http://127.0.0.1/c, page "
                      "1, http://127.0.0.1/token | check client_id, client_secret, scope and client_auth, "
                      "and whether the secret expired");
  const struct http_answer twice[] = {{.path = "/token", .body = "{\"access_token\":\"one\"}"},
                                      {.path = "/c", .status = 401}};
  pulled = pull(OAUTH, twice, 2);
  assert_string_equal(pulled.error,
                      "the source refused the token, and also a new one (401) | http://127.0.0.1/c, page 1 | "
                      "check scope, and whether the source trusts this token server");
  assert_int_equal(http_server_requests(server), 4);
  const struct http_answer odd = {.body = "{\"token\":\"one\"}"};
  pulled = pull(OAUTH, &odd, 1);
  assert_string_equal(pulled.error, "the token server answered without an access_token | http://127.0.0.1/c, page 1, "
                                    "http://127.0.0.1/token | check token_url");
}

static void asks_for_what_changed(void **state) {
  (void)state;
  const struct http_answer answer = {.body = "{\"as_of\":\"02/04/2026 10:00:00\",\"d\":[]}"};
  struct pulled pulled;
  struct pull_case one = {.connector = "rest",
                          .options = "url: http://127.0.0.1:%d/c\nsince_parameter: desde\nuntil_parameter: hasta\n"
                                     "since_format: '%d/%m/%Y'\nwatermark_path: as_of\nrecords: d\n"
                                     "watermark_format: '%d/%m/%Y %H:%M:%S'\n",
                          .port = http_server_port(server),
                          .watermark = "2026-03-31T23:50:00Z",
                          .until = "2026-05-01"};
  http_server_script(server, &answer, 1);
  pull_all(&one, &pulled);
  assert_string_equal(pulled.error, "");
  assert_target(0, "/c?desde=31%2F03%2F2026&hasta=01%2F05%2F2026");
  assert_string_equal(pulled.watermark, "2026-04-02T10:00:00.000000Z");
}

static void ends_where_there_is_no_content(void **state) {
  (void)state;
  const struct http_answer answers[] = {{.body = "[1]"}, {.status = 204}};
  struct pulled pulled = pull("url: http://127.0.0.1:%d/c\npaging: page\n", answers, 2);
  assert_string_equal(pulled.error, "");
  assert_int_equal(pulled.pages, 1);
}

static void takes_the_mark_from_the_first_answer(void **state) {
  (void)state;
  const struct http_answer answers[] = {{.body = "[1]", .headers = {"Date: Tue, 31 Mar 2026 12:00:00 GMT"}},
                                        {.body = "[]", .headers = {"Date: Tue, 31 Mar 2026 12:30:00 GMT"}}};
  struct pulled pulled = pull("url: http://127.0.0.1:%d/c\npaging: page\nwatermark_date: true\n", answers, 2);
  assert_string_equal(pulled.error, "");
  assert_string_equal(pulled.watermark, "2026-03-31T12:00:00.000000Z");
}

static void reads_latin1_where_the_source_says_so(void **state) {
  (void)state;
  const struct http_answer answer = {.body = "[\"\xD1\x61\"]",
                                     .headers = {"Content-Type: application/json; charset=ISO-8859-1"}};
  struct pulled pulled = pull("url: http://127.0.0.1:%d/c\n", &answer, 1);
  assert_string_equal(pulled.error, "");
  assert_string_equal(pulled.bytes, "[\"Ña\"]\n");
}

static void tells_the_steps_of_a_probe(void **state) {
  (void)state;
  char steps[4096];
  struct pulled pulled;
  const struct http_answer answers[] = {{.path = "/token", .body = "{\"access_token\":\"one\"}"},
                                        {.path = "/c", .body = "[{\"id\":1}]"},
                                        {.path = "/", .status = 404}};
  struct pull_case one = {
      .connector = "rest", .options = OAUTH "page_size_parameter: size\n", .port = http_server_port(server)};
  http_server_script(server, answers, 3);
  assert_int_equal(pull_probe(&one, steps, sizeof steps, &pulled), OK);
  assert_string_equal(steps, "dns ok 127.0.0.1 has 1 address\n"
                             "connect ok connected, without TLS\n"
                             "clock ok the source does not tell its time\n"
                             "login ok the token server gave a token\n"
                             "permission ok the source permits the request\n"
                             "record ok the source gives a first record\n");
  assert_string_equal(pulled.bytes, "[{\"id\":1}]\n");
  assert_target(2, "/c?size=1&page=1");
  const struct http_answer refused[] = {{.path = "/token", .body = "{\"access_token\":\"one\"}"},
                                        {.path = "/c", .status = 403},
                                        {.path = "/", .headers = {"Date: Tue, 31 Mar 2020 12:00:00 GMT"}}};
  setenv("PUENTE_CLOCK", "2020-03-31T12:10:00Z", 1);
  http_server_script(server, refused, 3);
  assert_int_equal(pull_probe(&one, steps, sizeof steps, &pulled), ERR_AUTH);
  unsetenv("PUENTE_CLOCK");
  assert_string_equal(
      steps, "dns ok 127.0.0.1 has 1 address\n"
             "connect ok connected, without TLS\n"
             "clock remote this machine's clock and the source's differ by 600 s: tokens and time stamps may be "
             "refused; check the time service here, or tell the contact\n"
             "login ok the token server gave a token\n"
             "permission auth the source knows the credentials but does not permit this (403); ask the source "
             "for the permission; it may also admit only registered addresses\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(asks_for_one_answer_and_leaves_its_bytes_alone),
      cmocka_unit_test(follows_a_cursor_to_its_end),
      cmocka_unit_test(goes_on_from_a_cursor),
      cmocka_unit_test(brings_the_same_however_often_it_is_killed),
      cmocka_unit_test(begins_anew_where_the_source_forgot_the_cursor),
      cmocka_unit_test(follows_links_in_the_body),
      cmocka_unit_test(follows_links_in_the_header),
      cmocka_unit_test(counts_pages_until_an_empty_one),
      cmocka_unit_test(counts_records_until_the_total),
      cmocka_unit_test(ends_where_the_answer_says_so),
      cmocka_unit_test(asks_by_a_json_body_in_pide_style),
      cmocka_unit_test(explains_result_codes),
      cmocka_unit_test(sends_credentials),
      cmocka_unit_test(gets_a_token_and_renews_it),
      cmocka_unit_test(renews_a_token_before_it_ends),
      cmocka_unit_test(explains_refused_tokens),
      cmocka_unit_test(asks_for_what_changed),
      cmocka_unit_test(ends_where_there_is_no_content),
      cmocka_unit_test(takes_the_mark_from_the_first_answer),
      cmocka_unit_test(reads_latin1_where_the_source_says_so),
      cmocka_unit_test(tells_the_steps_of_a_probe),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
