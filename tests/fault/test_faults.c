/* What goes wrong between Puente and a source, as an operator meets it: the message, the exit code, the state that
 * `puente status` tells. Afterwards the store is unharmed, and a sync without the fault brings it to the content of one
 * that nothing disturbed. A further fault is one row of the table. */
#include "tests/support/dump.h"
#include "tests/support/fault.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ANSWERS_MOST = 4 };

struct fault_row {
  const char *name;
  struct proxy_mode mode;
  struct http_answer answers[ANSWERS_MOST]; /* NULL path ends; where empty the good ones hold */
  const char *certificate;                  /* of a TLS server; NULL: plain */
  const char *options;                      /* more of the source's */
  const char *says;                         /* all of standard error; NULL: nothing goes wrong */
  const char *state;
  int landed;        /* records in the store after the fault */
  int code;          /* exit code; 0: 1 */
  const char *heals; /* standard error of the sync after it; NULL: nothing */
};

#define PAGES                                                                                                          \
  {.path = "/c?cursor=c", .body = FAULT_THIRD}, {.path = "/c?cursor=b", .body = FAULT_SECOND}, {                       \
    .path = "/c", .body = FAULT_FIRST                                                                                  \
  }
#define SAYS(message, place, hint) "error: " message "\n  at: source demo, " place "\n" hint
#define HINT(text) "  hint: " text "\n"
#define PAGE(number) "http://127.0.0.1:PORT/c, page " number
#define SECURE "https://127.0.0.1:PORT/c, page 1"
#define TLS "  url: https://127.0.0.1:%d/c\n"

static const struct fault_row ROWS[] = {
    {.name = "refused",
     .mode = {.fault = PROXY_REFUSE},
     .says = SAYS(
         "the source refuses the connection or cannot be reached (2 tries)", PAGE("1"),
         HINT("the service may be down, or a firewall admits only registered addresses: call the source's contact")),
     .state = "unreachable"},
    {.name = "closed",
     .mode = {.fault = PROXY_CLOSE},
     .says = SAYS("the source closed the connection without an answer (2 tries)", PAGE("1"), ""),
     .state = "unreachable"},
    {.name = "reset",
     .mode = {.fault = PROXY_RESET, .at = 40},
     .says = SAYS("the connection broke while the answer was read (2 tries)", PAGE("1"),
                  HINT("nothing of it was taken; a later run asks again")),
     .state = "unreachable"},
    {.name = "closed in a later page",
     .answers = {{.path = "/c", .body = FAULT_FIRST}, {.path = "/c?cursor=b", .fault = FAULT_CLOSE}},
     .says = SAYS("the source closed the connection without an answer (2 tries)", PAGE("2"), ""),
     .state = "unreachable",
     .landed = 2},
    {.name = "stalled",
     .mode = {.fault = PROXY_STALL, .at = 150},
     .options = "  stall_timeout: 200ms\n",
     .says = SAYS("the source did not answer in time (2 tries)", PAGE("1"),
                  HINT("raise `timeout` or `stall_timeout`, or ask for smaller pages")),
     .state = "unreachable"},
    {.name = "slow",
     .mode = {.fault = PROXY_DRIP, .at = 5},
     .options = "  timeout: 300ms\n",
     .says = SAYS("the source did not answer in time (2 tries)", PAGE("1"),
                  HINT("raise `timeout` or `stall_timeout`, or ask for smaller pages")),
     .state = "unreachable"},
    {.name = "slow, and in time", .mode = {.fault = PROXY_DRIP, .at = 1}, .landed = FAULT_RECORDS},
    {.name = "truncated",
     .mode = {.fault = PROXY_TRUNCATE, .at = 200},
     .says = SAYS("the answer was cut off before its end (2 tries)", PAGE("1"),
                  HINT("nothing of it was taken; a later run asks again")),
     .state = "unreachable"},
    {.name = "truncated in the last page",
     .answers = {{.path = "/c", .body = FAULT_FIRST},
                 {.path = "/c?cursor=b", .body = FAULT_SECOND},
                 {.path = "/c?cursor=c", .body = FAULT_THIRD, .fault = FAULT_TRUNCATE}},
     .says = SAYS("the answer was cut off before its end (2 tries)", PAGE("3"),
                  HINT("nothing of it was taken; a later run asks again")),
     .state = "unreachable",
     .landed = 3},
    {.name = "truncated once", .mode = {.fault = PROXY_TRUNCATE, .at = 200, .connection = 1}, .landed = FAULT_RECORDS},
    {.name = "corrupt head",
     .mode = {.fault = PROXY_CORRUPT, .at = 0},
     .says = SAYS("what answered does not speak HTTP", PAGE("1"), HINT("check the port in `url`")),
     .state = "changed"},
    {.name = "corrupt body",
     .mode = {.fault = PROXY_CORRUPT, .at = 180},
     .says = SAYS("the answer is not valid JSON", PAGE("1, byte 141"),
                  HINT("it may have been cut off on its way; nothing of it was taken")),
     .state = "changed"},
    {.name = "corrupt on its way through TLS",
     .mode = {.fault = PROXY_CORRUPT, .at = 700},
     .certificate = "server.pem",
     .options = TLS "  ca_file: @/ca.pem\n",
     .says = SAYS(
         "the TLS handshake with the source failed (2 tries)", SECURE,
         HINT("the source may speak only TLS older than 1.2, which is refused, or the port may not be a TLS port")),
     .state = "unreachable"},
    {.name = "500",
     .answers = {{.path = "/c", .status = 500}},
     .says = SAYS("the source answered 500 (2 tries)", PAGE("1"),
                  HINT("the fault is at the source: run later, or call its contact")),
     .state = "unreachable"},
    {.name = "429",
     .answers = {{.path = "/c", .status = 429, .headers = {"Retry-After: 60"}}},
     .says = SAYS("the source answered 429 and asks to wait 60 s, more than the allowed 2 s", PAGE("1"),
                  HINT("a later run goes on from here; or raise `retry_after_limit`")),
     .state = "unreachable"},
    {.name = "429 for a moment",
     .answers = {{.path = "/c", .status = 429, .headers = {"Retry-After: 0"}}, PAGES},
     .landed = FAULT_RECORDS},
    {.name = "404",
     .answers = {{.path = "/c", .status = 404}},
     .says = SAYS("the source answered 404", PAGE("1"), HINT("check the path in `url`: the service may have moved")),
     .state = "refused"},
    {.name = "password refused",
     .answers = {{.path = "/c", .status = 401}},
     .says = SAYS("the source refused the credentials (401)", PAGE("1"),
                  HINT("check user, password, key or token, and whether they have expired")),
     .state = "refused"},
    {.name = "not permitted",
     .answers = {{.path = "/c", .status = 403}},
     .says = SAYS("the source knows the credentials but does not permit this (403)", PAGE("1"),
                  HINT("ask the source for the permission; it may also admit only registered addresses")),
     .state = "refused"},
    {.name = "expired token, renewed",
     .answers = {{.path = "/token", .body = "{\"access_token\":\"t\",\"expires_in\":3600}"},
                 {.path = "/c", .body = FAULT_FIRST},
                 {.path = "/c?cursor=b", .status = 401},
                 {.path = "/c?cursor=b", .body = "{\"d\":[],\"total\":2,\"next\":null}"}},
     .options = "  auth: oauth2\n  token_url: http://127.0.0.1:%d/token\n  client_id: p\n"
                "  client_secret: env:FAULT_SECRET\n",
     .landed = 2},
    {.name = "expired token, refused",
     .answers = {{.path = "/token", .body = "{\"access_token\":\"t\",\"expires_in\":3600}"},
                 {.path = "/c", .body = FAULT_FIRST},
                 {.path = "/c?cursor=b", .status = 401}},
     .options = "  auth: oauth2\n  token_url: http://127.0.0.1:%d/token\n  client_id: p\n"
                "  client_secret: env:FAULT_SECRET\n",
     .says = SAYS("the source refused the token, and also a new one (401)", PAGE("2"),
                  HINT("check scope, and whether the source trusts this token server")),
     .state = "refused",
     .landed = 2},
    {.name = "client refused",
     .answers = {{.path = "/token", .status = 401, .body = "{\"error\":\"invalid_client\"}"}},
     .options = "  auth: oauth2\n  token_url: http://127.0.0.1:%d/token\n  client_id: p\n"
                "  client_secret: env:FAULT_SECRET\n",
     .says = SAYS("the token server refused the client (401, invalid_client)", PAGE("1, http://127.0.0.1:PORT/token"),
                  HINT("check client_id, client_secret, scope and client_auth, and whether the secret expired")),
     .state = "refused"},
    {.name = "certificate of a stranger",
     .certificate = "server.pem",
     .options = TLS "  ca_file: @/other_ca.pem\n",
     .says = SAYS("the source's certificate is signed by an authority that is not trusted here", SECURE,
                  HINT("if the source has an own authority, put its certificate in `ca_file`; else somebody may stand "
                       "in between")),
     .state = "refused"},
    {.name = "certificate expired",
     .certificate = "expired.pem",
     .options = TLS "  ca_file: @/ca.pem\n",
     .says = SAYS("the source's certificate has expired", SECURE,
                  HINT("call the source's contact: it must renew it; also check this machine's clock")),
     .state = "refused"},
    {.name = "certificate of another host",
     .certificate = "elsewhere.pem",
     .options = TLS "  ca_file: @/ca.pem\n",
     .says = SAYS("the source's certificate is for another host name", SECURE, HINT("check the host in `url`")),
     .state = "refused"},
    {.name = "no TLS",
     .options = TLS,
     .says = SAYS(
         "the TLS handshake with the source failed (2 tries)", SECURE,
         HINT("the source may speak only TLS older than 1.2, which is refused, or the port may not be a TLS port")),
     .state = "unreachable"},
    {.name = "HTML instead of JSON",
     .answers = {{.path = "/c", .body = "<!DOCTYPE html><html>login</html>"}},
     .says = SAYS("the source answered with a web page (HTML) instead of data", PAGE("1"),
                  HINT("check the path in `url`; a gateway or a login page may stand before the service")),
     .state = "changed"},
    {.name = "nothing instead of JSON",
     .answers = {{.path = "/c", .body = ""}},
     .says = SAYS("the source answered with nothing instead of JSON", PAGE("1"),
                  HINT("an empty answer is not taken for the end; tell the source's contact")),
     .state = "changed"},
    {.name = "another shape",
     .answers = {{.path = "/c", .body = "{\"rows\":[]}"}},
     .says = SAYS("the answer has no 'd'", PAGE("1"), HINT("its shape may have changed: check `records`")),
     .state = "changed"},
    {.name = "the same place to go on from",
     .answers = {{.path = "/c", .body = FAULT_FIRST}},
     .says = SAYS("the source gives the same place to go on from again: the pages would never end", PAGE("2"),
                  HINT("tell the source's contact; nothing is lost, a later run goes on from here")),
     .state = "changed",
     .landed = 2},
    {.name = "the same page again",
     .answers = {{.path = "/c", .body = FAULT_FIRST}},
     .options = "  paging: page\n",
     .says = SAYS("the source gave the same page twice in a row", "page 2",
                  HINT("its paging does not move: check the paging options of the source")),
     .state = "changed",
     .landed = 2,
     .heals = "warning: source demo: its cursor does not fit the configuration; the pass begins anew\n"},
    {.name = "fewer records than told",
     .answers = {{.path = "/c",
                  .body = "{\"d\":[" FAULT_RECORD("1", "1", "QUISPE") "," FAULT_RECORD(
                      "2", "2", "HUAMAN") "],\"total\":4,\"next\":null}"}},
     .says = "error: the counts of the run do not add up: the source says it has 4 records, 2 were pulled\n  at: "
             "source demo\n" HINT("the watermark stays where it was; the next sync looks at the same records again"),
     .state = "failed",
     .landed = 2,
     .code = 3},
    {.name = "a name that does not exist",
     .options = "  url: https://registry.invalid/c\n",
     .says = SAYS("the source's host name cannot be resolved (2 tries)", "https://registry.invalid/c, page 1",
                  HINT("check the host in `url`, and the name server of this machine")),
     .state = "unreachable"},
};
enum { ROW_COUNT = sizeof ROWS / sizeof *ROWS };

static struct site site;
static char *undisturbed;
static int as_expected;

static void set_back(void) {
  shell("rm -f %s/puente.db*", site.folder);
}

static char *dump(void) {
  char path[4096], key[4096];
  snprintf(path, sizeof path, "%s/puente.db", site.folder);
  snprintf(key, sizeof key, "%s/puente.key", site.folder);
  return dump_sqlite(path, key, 0);
}

static struct http_server *secure_server(const char *certificate) {
  char file[4096], key[4096];
  snprintf(file, sizeof file, "%s/%s", site.folder, certificate);
  snprintf(key, sizeof key, "%s/server.key", site.folder);
  return http_server_start(&(struct http_server_options){.certificate = file, .key = key});
}

/* The program with the fault on. */
static bool meets(const struct fault_row *row) {
  size_t count = 0;
  int code = row->says == NULL ? 0 : row->code == 0 ? 1 : row->code;
  while (count < ANSWERS_MOST && row->answers[count].path != NULL) {
    count++;
  }
  struct http_server *secure = row->certificate == NULL ? NULL : secure_server(row->certificate);
  if (secure != NULL) {
    static const struct http_answer pages[] = {PAGES};
    http_server_script(secure, pages, 3);
    proxy_aim(site.proxy, http_server_port(secure));
  }
  if (count > 0) {
    http_server_script(site.server, row->answers, count);
  }
  site_source(&site, row->options == NULL ? "" : row->options);
  proxy_set(site.proxy, &row->mode);
  bool good = site_says(&site, row->name, "--quiet sync", code, row->says == NULL ? "" : row->says);
  bool harmed = row->mode.fault == PROXY_PASS || row->mode.fault == PROXY_REFUSE || proxy_harm(site.proxy) > 0;
  if (!harmed) {
    fprintf(stderr, "%s: the proxy did no harm\n", row->name);
  }
  if (secure != NULL) {
    proxy_set(site.proxy, &(struct proxy_mode){.fault = PROXY_PASS});
    http_server_stop(secure);
  }
  return good && harmed;
}

static void test_sources(void **state) {
  (void)state;
  for (size_t i = 0; i < ROW_COUNT; i++) {
    const struct fault_row *row = &ROWS[i];
    set_back();
    bool good = meets(row);
    good = site_sound(&site, row->name, row->landed) && good;
    good = site_state(&site, row->name, row->state == NULL ? "ok" : row->state) && good;
    site_heal(&site);
    site_source(&site, "");
    good = site_says(&site, row->name, "--quiet sync", 0, row->heals == NULL ? "" : row->heals) && good;
    char *got = dump();
    good = dump_same(undisturbed, got) && good;
    good = site_state(&site, row->name, "ok") && good;
    free(got);
    as_expected += good;
  }
  assert_int_equal(as_expected, ROW_COUNT);
}

static int open_site(void **state) {
  (void)state;
  site_open(&site);
  site_store(&site, "{sqlite: puente.db}");
  bool good = site_says(&site, "undisturbed", "--quiet sync", 0, "") && site_sound(&site, "undisturbed", FAULT_RECORDS);
  undisturbed = dump();
  return good ? 0 : 1;
}

static int close_site(void **state) {
  (void)state;
  free(undisturbed);
  site_close(&site);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sources)};
  int failed = cmocka_run_group_tests(tests, open_site, close_site);
  printf("fault ok: faults=%d as_expected=%d\n", ROW_COUNT, as_expected);
  return failed;
}
