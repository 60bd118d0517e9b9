/* The soap connector against a real server: requests, WS-Security, pages, faults, hostile XML. */
#include "connectors/soap/soap.h"
#include "tests/support/http_server.h"
#include "tests/support/pull.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <cmocka.h>

#define URL "url: http://127.0.0.1:%d/reta\nbackoff: 1ms\nretries: 2\n"
#define PLACE " | http://127.0.0.1/reta, page 1 | "
#define ENVELOPE(body)                                                                                                 \
  "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Header/><s:Body>" body  \
  "</s:Body></s:Envelope>"
#define ENVELOPE_12(body)                                                                                              \
  "<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\"><e:Body>" body "</e:Body></e:Envelope>"

static struct http_server *server;

static int start(void **state) {
  (void)state;
  setenv("TEST_PASSWORD", "p<&>\"w", 1);
  server = http_server_start(NULL);
  return 0;
}

static int stop(void **state) {
  (void)state;
  http_server_stop(server);
  return 0;
}

static struct pulled pull(const char *options, const struct http_answer *answers, size_t count) {
  return pull_answers(server, "soap", options, answers, count);
}

static void wraps_the_request_in_an_envelope(void **state) {
  (void)state;
  const struct http_answer answer = {.body = ENVELOPE("<r/>")};
  struct pulled pulled = pull(URL "action: urn:Listar\nusername: a&b\n"
                                  "request: '<Listar desde=\"{{since}}\" por=\"{{username}}\">{{page}}</Listar>'\n",
                              &answer, 1);
  assert_string_equal(pulled.error, "");
  assert_string_equal(pulled.bytes, ENVELOPE("<r/>") "\n");
  assert_int_equal(pulled.pages, 1);
  const struct http_seen *seen = http_server_seen(server, 0);
  assert_string_equal(seen->method, "POST");
  assert_string_equal(seen->body,
                      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soap:Envelope "
                      "xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Header></soap:Header><soap:Body>"
                      "<Listar desde=\"\" por=\"a&amp;b\">1</Listar></soap:Body></soap:Envelope>");
  assert_non_null(strstr(seen->headers, "SOAPAction: \"urn:Listar\"\n"));
  assert_non_null(strstr(seen->headers, "Content-Type: text/xml; charset=utf-8\n"));
}

static void speaks_soap_12(void **state) {
  (void)state;
  const struct http_answer answer = {.body = ENVELOPE_12("<r/>")};
  struct pulled pulled = pull(URL "version: '1.2'\naction: urn:Listar\nrequest: <Listar/>\n", &answer, 1);
  assert_string_equal(pulled.error, "");
  const struct http_seen *seen = http_server_seen(server, 0);
  assert_non_null(strstr(seen->headers, "Content-Type: application/soap+xml; charset=utf-8; action=\"urn:Listar\"\n"));
  assert_null(strstr(seen->headers, "SOAPAction"));
  assert_non_null(strstr(seen->body, "xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\""));
}

/* The value between two marks of the request, terminated. */
static const char *between(const char *text, const char *begin, const char *end) {
  static char found[256];
  const char *at = strstr(text, begin);
  assert_non_null(at);
  at += strlen(begin);
  const char *stop_at = strstr(at, end);
  assert_non_null(stop_at);
  snprintf(found, sizeof found, "%.*s", (int)(stop_at - at), at);
  return found;
}

static void signs_in_with_a_digest(void **state) {
  (void)state;
  char created[64], nonce_text[64], digest[64], expected[32];
  unsigned char nonce[32];
  size_t size = 0;
  struct error error;
  const struct http_answer answers[] = {{.status = 503}, {.body = ENVELOPE("<r/>")}};
  struct pulled pulled = pull(URL "security: digest\nusername: pnp\npassword: env:TEST_PASSWORD\ntimestamp: true\n"
                                  "request: <Listar/>\n",
                              answers, 2);
  assert_string_equal(pulled.error, "");
  const char *body = http_server_seen(server, 0)->body;
  snprintf(created, sizeof created, "%s", between(strstr(body, "<wsse:UsernameToken>"), "<wsu:Created>", "</"));
  snprintf(nonce_text, sizeof nonce_text, "%s", between(body, "#Base64Binary\">", "</"));
  snprintf(digest, sizeof digest, "%s", between(body, "#PasswordDigest\">", "</"));
  assert_int_equal(sodium_base642bin(nonce, sizeof nonce, nonce_text, strlen(nonce_text), NULL, &size, NULL,
                                     sodium_base64_VARIANT_ORIGINAL),
                   0);
  assert_int_equal(security_digest(slice_make((const char *)nonce, size), created, "p<&>\"w", expected, &error), OK);
  assert_string_equal(digest, expected);
  assert_int_equal(strlen(created), strlen("2026-03-31T12:00:00.000Z"));
  assert_string_equal(between(body, "<wsse:Username>", "</"), "pnp");
  assert_non_null(strstr(body, "<wsu:Timestamp><wsu:Created>"));
  assert_null(strstr(body, "p&lt;"));
  /* A nonce is good for one request. */
  assert_string_not_equal(between(http_server_seen(server, 1)->body, "#Base64Binary\">", "</"), nonce_text);
}

/* nonce "WScqanjCEAC4mQoBE07sAQ==", created 2003-07-16T01:24:32Z, password "VICTOR": the digest was computed with
 * `openssl dgst -sha1` over the three. */
static void computes_the_digest_of_the_profile(void **state) {
  (void)state;
  char digest[32];
  unsigned char nonce[32];
  size_t size = 0;
  struct error error;
  static const char text[] = "WScqanjCEAC4mQoBE07sAQ==";
  sodium_base642bin(nonce, sizeof nonce, text, strlen(text), NULL, &size, NULL, sodium_base64_VARIANT_ORIGINAL);
  assert_int_equal(
      security_digest(slice_make((const char *)nonce, size), "2003-07-16T01:24:32Z", "VICTOR", digest, &error), OK);
  assert_string_equal(digest, "KqwFQAdR8juZ+qgW/EmPewhgjfw=");
}

static void signs_in_with_text_inside_a_whole_envelope(void **state) {
  (void)state;
  const struct http_answer answer = {.body = ENVELOPE("<r/>")};
  struct pulled pulled = pull(URL "security: text\nusername: pnp\npassword: env:TEST_PASSWORD\n"
                                  "request: '<x:Envelope xmlns:x=\"http://schemas.xmlsoap.org/soap/envelope/\">"
                                  "<x:Header>{{security}}</x:Header><x:Body/></x:Envelope>'\n",
                              &answer, 1);
  assert_string_equal(pulled.error, "");
  const char *body = http_server_seen(server, 0)->body;
  assert_string_equal(between(body, "#PasswordText\">", "</"), "p&lt;&amp;&gt;&quot;w");
  assert_non_null(strstr(body, "<x:Header><wsse:Security "));
}

#define PAGED                                                                                                          \
  URL "paging: page\nrequest: '<Listar><p>{{page}}</p><n>{{page_size}}</n></Listar>'\nrecord: Denuncias/Denuncia\n"

static void counts_pages_until_the_end(void **state) {
  (void)state;
  const struct http_answer total[] = {
      {.body = ENVELOPE("<r><total>3</total><Denuncias><Denuncia/><Denuncia><f>31/03/2026 10:00:00</f></Denuncia>"
                        "</Denuncias></r>")},
      {.body = ENVELOPE("<r><total>3</total><Denuncias><Denuncia><f>30/03/2026 23:00:00</f></Denuncia>"
                        "</Denuncias></r>")}};
  struct pulled pulled = pull(PAGED "total_element: r/total\nwatermark_element: Denuncia/f\n"
                                    "watermark_format: '%d/%m/%Y %H:%M:%S'\n",
                              total, 2);
  assert_string_equal(pulled.error, "");
  assert_int_equal(pulled.pages, 2);
  assert_int_equal(pulled.source_count, 3);
  assert_string_equal(pulled.watermark, "2026-03-31T10:00:00.000000Z");
  assert_non_null(strstr(http_server_seen(server, 1)->body, "<p>2</p><n>500</n>"));
  const struct http_answer pages[] = {{.body = ENVELOPE("<Denuncias><Denuncia/></Denuncias><n>2</n>")},
                                      {.body = ENVELOPE("<Denuncias/><n>2</n>")}};
  assert_int_equal(pull(PAGED "page_count_element: Body/n\n", pages, 2).pages, 2);
  const struct http_answer more[] = {{.body = ENVELOPE("<Denuncias/><m>TRUE</m>")}, {.body = ENVELOPE("<m>0</m>")}};
  assert_int_equal(pull(PAGED "more_element: m\n", more, 2).pages, 2);
  const struct http_answer empty[] = {{.body = ENVELOPE("<Denuncias><Denuncia/></Denuncias>")},
                                      {.body = ENVELOPE("<Denuncias/>")}};
  assert_int_equal(pull(PAGED, empty, 2).pages, 2);
  assert_int_equal(http_server_requests(server), 2);
}

static void goes_on_from_a_cursor(void **state) {
  (void)state;
  const struct http_answer answers[] = {{.body = ENVELOPE("<Denuncias><Denuncia/></Denuncias>")},
                                        {.body = ENVELOPE("<Denuncias/>")}};
  struct pulled pulled;
  char cursor[sizeof pulled.cursor];
  struct pull_case one = {.connector = "soap",
                          .options = PAGED "since_format: '%d/%m/%Y'\n",
                          .port = http_server_port(server),
                          .watermark = "2026-03-31T23:50:00Z",
                          .pages_most = 1};
  http_server_script(server, answers, 2);
  pull_all(&one, &pulled);
  memcpy(cursor, pulled.cursor, sizeof cursor);
  assert_string_equal(cursor, "{\"paging\":\"page\",\"page\":2,\"offset\":1,\"total\":-1,\"done\":false,"
                              "\"since\":\"31/03/2026\"}");
  one.cursor = cursor;
  one.pages_most = 0;
  pull_all(&one, &pulled);
  assert_string_equal(pulled.error, "");
  assert_string_equal(pulled.origins, "page 2,");
  assert_non_null(strstr(http_server_seen(server, 1)->body, "<p>2</p>"));
}

static void explains_faults(void **state) {
  (void)state;
  const struct {
    struct http_answer answer;
    const char *error;
    enum status status;
  } cases[] = {
      {{.status = 500,
        .body =
            ENVELOPE("<s:Fault><faultcode>s:Server</faultcode><faultstring>No se pudo leer la denuncia 2026-0042 de "
                     "Juana Quispe</faultstring><detail><x>JUANA</x></detail></s:Fault>")},
       "the source answered with a SOAP fault s:Server: No se pudo leer la denuncia 9999-9999 de Aaaaa Aaaaaa" PLACE
       "the fault is at the source: run later, or call its contact",
       ERR_NETWORK},
      {{.body = ENVELOPE(
            "<s:Fault><faultcode>s:Client</faultcode><faultstring>campo 'numDni' falta</faultstring></s:Fault>")},
       "the source answered with a SOAP fault s:Client: campo 'aaaAaa' falta" PLACE
       "the source does not accept the request: check `request`, `action` and `version`",
       ERR_REMOTE},
      {{.status = 500,
        .body = ENVELOPE("<s:Fault><faultcode>wsse:FailedAuthentication</faultcode><faultstring>Token no "
                         "válido</faultstring></s:Fault>")},
       "the source answered with a SOAP fault wsse:FailedAuthentication: Aaaaa no válido" PLACE
       "check username, password and `security`, whether they have expired, and this machine's clock",
       ERR_AUTH},
      {{.status = 400,
        .body = ENVELOPE_12("<e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>wsse:InvalidSecurityToken"
                            "</e:Value></e:Subcode></e:Code><e:Reason><e:Text xml:lang=\"es\">token vencido</e:Text>"
                            "</e:Reason></e:Fault>")},
       "the source answered with a SOAP fault e:Sender/wsse:InvalidSecurityToken: token vencido" PLACE
       "check username, password and `security`, whether they have expired, and this machine's clock",
       ERR_AUTH},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct pulled pulled = pull(URL "request: <Listar/>\n", &cases[i].answer, 1);
    assert_string_equal(pulled.error, cases[i].error);
    assert_int_equal(pulled.status, cases[i].status);
    assert_int_equal(http_server_requests(server), 1); /* a refused password that is tried again locks the account */
  }
}

static void refuses_what_is_no_soap(void **state) {
  (void)state;
  const struct {
    const char *body, *error;
    enum status status;
  } cases[] = {
      {"<!DOCTYPE lolz [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c "
       "\"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\">]>" ENVELOPE_12("<r>&d;&d;&d;</r>"),
       "the answer declares a document type, which SOAP forbids" PLACE
       "entities can make a small answer endless: it is refused; tell the source's contact",
       ERR_LIMIT},
      {"<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>" ENVELOPE_12("<r>&f;</r>"),
       "the answer declares a document type, which SOAP forbids" PLACE
       "entities can make a small answer endless: it is refused; tell the source's contact",
       ERR_LIMIT},
      {"<html><body>login</body></html>",
       "the source answered with a web page (HTML) instead of XML" PLACE
       "check the path in `url`; a gateway or a login page may stand before the service",
       ERR_INPUT},
      {"",
       "the source answered with nothing instead of XML" PLACE
       "an empty answer is not taken for the end; tell the source's contact",
       ERR_INPUT},
      {"<Denuncias/>",
       "the answer is XML, but no SOAP envelope with a body" PLACE
       "check the path in `url`; a plain XML service is read by the connector `rest`",
       ERR_INPUT},
      {"<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\">\n<e:Body><r>",
       "the answer is not well-formed XML | http://127.0.0.1/reta, page 1, line 2 | it may have been cut off on its "
       "way, or "
       "its encoding is not the one that it declares; nothing of it was taken",
       ERR_INPUT},
      {"{\"a\":1}",
       "the answer is not well-formed XML | http://127.0.0.1/reta, page 1, line 1 | it may have been cut off on its "
       "way, or "
       "its encoding is not the one that it declares; nothing of it was taken",
       ERR_INPUT},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const struct http_answer answer = {.body = cases[i].body};
    struct pulled pulled = pull(URL "request: <Listar/>\n", &answer, 1);
    assert_string_equal(pulled.error, cases[i].error);
    assert_int_equal(pulled.status, cases[i].status);
    assert_int_equal(pulled.pages, 0);
  }
}

static void refuses_what_is_nested_too_deep(void **state) {
  (void)state;
  static const char begin[] = "<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\"><e:Body>";
  char body[2048];
  size_t length = sizeof begin - 1;
  memcpy(body, begin, length);
  for (int i = 0; i < 300; i++) {
    memcpy(body + length, "<a>", 4);
    length += 3;
  }
  const struct http_answer answer = {.body = body};
  struct pulled pulled = pull(URL "request: <Listar/>\n", &answer, 1);
  assert_string_equal(pulled.error,
                      "the answer's XML passes the parser's limits" PLACE "it is refused; tell the source's contact");
  assert_int_equal(pulled.status, ERR_LIMIT);
}

static void reads_latin1_by_its_declaration_or_its_header(void **state) {
  (void)state;
  const struct http_answer declared = {
      .body = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><e:Envelope "
              "xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\"><e:Body>\xD1</e:Body></e:Envelope>"};
  struct pulled pulled = pull(URL "request: <Listar/>\n", &declared, 1);
  assert_string_equal(pulled.error, "");
  assert_non_null(strstr(pulled.bytes, "<e:Body>\xD1</e:Body>")); /* as it came: the declaration says how to read it */
  const struct http_answer header = {.body = ENVELOPE_12("\xD1"),
                                     .headers = {"Content-Type: text/xml; charset=iso-8859-1"}};
  pulled = pull(URL "request: <Listar/>\n", &header, 1);
  assert_string_equal(pulled.error, "");
  assert_memory_equal(pulled.bytes, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><e:Envelope ", 55);
  assert_non_null(strstr(pulled.bytes, "<e:Body>\xD1</e:Body>"));
}

static void gives_a_large_answer_in_pieces(void **state) {
  (void)state;
  enum { RECORDS = 60000, RECORD = 64 };
  static const char begin[] = "<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\"><e:Body><Denuncias>";
  static const char end[] = "</Denuncias></e:Body></e:Envelope>";
  char *body = malloc(sizeof begin + RECORDS * RECORD + sizeof end);
  assert_non_null(body);
  size_t length = sizeof begin - 1;
  memcpy(body, begin, length);
  for (int i = 0; i < RECORDS; i++) {
    length += (size_t)snprintf(body + length, RECORD, "<Denuncia><Num>%08d</Num><Fec>01/01/2026</Fec></Denuncia>", i);
  }
  memcpy(body + length, end, sizeof end);
  length += sizeof end - 1;
  const struct http_answer answer = {.body = body};
  struct pulled pulled = pull(URL "request: <Listar/>\nrecord: Denuncias/Denuncia\ntotal_element: none\n", &answer, 1);
  assert_string_equal(pulled.error,
                      "the answer has no 'none'" PLACE "its shape may have changed: check `total_element`");
  pulled = pull(URL "request: <Listar/>\nrecord: Denuncias/Denuncia\n", &answer, 1);
  assert_string_equal(pulled.error, "");
  assert_string_equal(pulled.shape, "(---c)");
  assert_string_equal(pulled.origins, "page 1,page 1,page 1,page 1,");
  assert_int_equal(pulled.length, length);
  /* A broken end is found before a first piece is given. */
  body[length - 5] = '<';
  pulled = pull(URL "request: <Listar/>\n", &answer, 1);
  assert_int_equal(pulled.status, ERR_INPUT);
  assert_int_equal(pulled.pages, 0);
  setenv("TMPDIR", "/proc/none", 1);
  pulled = pull(URL "request: <Listar/>\n", &answer, 1);
  unsetenv("TMPDIR");
  assert_string_equal(pulled.error, "the answer cannot be kept in a temporary file: No such file or directory" PLACE
                                    "see that the folder of TMPDIR, or /tmp, has room and can be written to");
  free(body);
}

static void explains_codes_statuses_and_missing_elements(void **state) {
  (void)state;
  const struct {
    const char *options;
    struct http_answer answer;
    const char *error;
  } cases[] = {
      {"result_path: r/codigo\nresult_credentials: ['1001']\n",
       {.body = ENVELOPE("<r><codigo>1001</codigo></r>")},
       "the source refused the credentials (result code 1001)" PLACE
       "check user and password, and whether they have expired"},
      {"result_path: r/codigo\n",
       {.body = ENVELOPE("<r/>")},
       "the answer has no 'r/codigo'" PLACE "its shape may have changed: check `result_path`"},
      {"total_element: total\n",
       {.body = ENVELOPE("<r/>")},
       "the answer has no 'total'" PLACE "its shape may have changed: check `total_element`"},
      {"",
       {.status = 500, .body = "oops"},
       "the source answered 500 (3 tries)" PLACE "the fault is at the source: run later, or call its contact"},
      {"", {.status = 404}, "the source answered 404" PLACE "check the path in `url`: the service may have moved"},
      {"",
       {.body = "--x", .headers = {"Content-Type: multipart/related; boundary=x"}},
       "the source answered in several parts (MTOM), which is not understood" PLACE
       "ask the source's contact for plain SOAP answers"},
      {"page_limit: 64KiB\n",
       {.fault = FAULT_BOMB, .size = 1 << 24},
       "the answer is larger than 64 KiB" PLACE "ask for smaller pages, or raise `page_limit`"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char options[512];
    snprintf(options, sizeof options,
             "url: http://127.0.0.1:%%d/reta\nbackoff: 1ms\nretries: 2\nrequest: <Listar/>\n%s", cases[i].options);
    struct pulled pulled = pull(options, &cases[i].answer, 1);
    assert_string_equal(pulled.error, cases[i].error);
  }
}

static void ends_pages_that_never_end(void **state) {
  (void)state;
  const struct http_answer same = {.body = ENVELOPE("<Denuncias><Denuncia/></Denuncias>")};
  struct pulled pulled = pull(PAGED, &same, 1);
  assert_string_equal(pulled.error,
                      "the source gives the same page again and again | http://127.0.0.1/reta, page 3 | check "
                      "that the source knows the paging parameter, and its name");
}

static void refuses_wrong_options(void **state) {
  (void)state;
  const struct {
    const char *options, *error;
  } cases[] = {
      {URL, "one of `request` and `request_file` must be there |  | "},
      {URL "request: <a/>\npaging: page\nrecord: b\n",
       "`paging: page` needs {{page}} in the request |  | write it where the service takes the page number"},
      {URL "request: '<a>{{page}}</a>'\npaging: page\n", "`record` is missing, which `paging: page` needs |  | "},
      {URL "request: <a/>\nsecurity: text\nusername: u\n", "`password` is missing, which `security` needs |  | "},
      {URL "request: <a>{{pag}}</a>\n", "unknown placeholder {{pag}} in `request`" PLACE "did you mean {{page}}?"},
      {URL "request: '<x:Envelope/>'\nsecurity: text\nusername: u\npassword: env:TEST_PASSWORD\n",
       "the request's envelope has no {{security}}" PLACE
       "write it inside soap:Header, or give the content of soap:Body alone"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    pull_refused(server, "soap", cases[i].options, cases[i].error);
  }
}

static void tells_the_steps_of_a_probe(void **state) {
  (void)state;
  char steps[4096];
  struct pulled pulled;
  const struct http_answer answers[] = {{.path = "/reta", .body = ENVELOPE("<Denuncias><Denuncia/></Denuncias>")},
                                        {.path = "/", .status = 404}};
  struct pull_case one = {.connector = "soap",
                          .options = PAGED "security: digest\nusername: u\npassword: env:TEST_PASSWORD\n",
                          .port = http_server_port(server)};
  http_server_script(server, answers, 2);
  assert_int_equal(pull_probe(&one, steps, sizeof steps, &pulled), OK);
  assert_string_equal(steps, "dns ok 127.0.0.1 has 1 address\n"
                             "connect ok connected, without TLS\n"
                             "clock ok the source does not tell its time\n"
                             "login ok the token was accepted\n"
                             "permission ok the source permits the request\n"
                             "record ok the source gives a first answer\n");
  assert_non_null(strstr(http_server_seen(server, 1)->body, "<n>1</n>"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wraps_the_request_in_an_envelope),
      cmocka_unit_test(speaks_soap_12),
      cmocka_unit_test(signs_in_with_a_digest),
      cmocka_unit_test(computes_the_digest_of_the_profile),
      cmocka_unit_test(signs_in_with_text_inside_a_whole_envelope),
      cmocka_unit_test(counts_pages_until_the_end),
      cmocka_unit_test(goes_on_from_a_cursor),
      cmocka_unit_test(explains_faults),
      cmocka_unit_test(refuses_what_is_no_soap),
      cmocka_unit_test(refuses_what_is_nested_too_deep),
      cmocka_unit_test(reads_latin1_by_its_declaration_or_its_header),
      cmocka_unit_test(gives_a_large_answer_in_pieces),
      cmocka_unit_test(explains_codes_statuses_and_missing_elements),
      cmocka_unit_test(ends_pages_that_never_end),
      cmocka_unit_test(refuses_wrong_options),
      cmocka_unit_test(tells_the_steps_of_a_probe),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
