/* Another country's source by configuration alone: examples/paraguay, served by a scripted server. */
#include "core/base/buffer.h"
#include "core/base/file.h"
#include "tests/support/http_server.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void read_page(const char *path, struct buffer *page) {
  struct error error = {0};
  buffer_init(page, 1 << 20);
  assert_int_equal(file_read(path, 1 << 20, page, &error), OK);
}

static char *make_workspace(const struct http_server *server) {
  char *folder = temp_make();
  shell("cp -r examples/paraguay/config/. %s", folder);
  shell("sed -i 's/127\\.0\\.0\\.1:8490/127.0.0.1:%d/' %s/sources/*.yaml", http_server_port(server), folder);
  workspace_key(folder);
  return folder;
}

static void check_records(const char *folder) {
  char *cases = workspace_rows(folder, "SELECT place, offence, offence_own, fiscal_district, purposes, victims_stated "
                                       "FROM case_records ORDER BY place");
  assert_string_equal(cases, "PY00|4788-6|LEY 4788/12 ART. 6|SOBRE TRATA DE PERSONAS|asuncion|domestic_servitude|1\n"
                             "PY10|4788-5|LEY 4788/12 ART. 5|SOBRE TRATA DE PERSONAS|alto_parana|"
                             "sexual_exploitation;forced_labour|2\n");
  free(cases);
}

static void test_synced_linked(void **state) {
  (void)state;
  struct http_server *server = http_server_start(NULL);
  struct buffer first, second;
  read_page("examples/paraguay/data/causas_1.json", &first);
  read_page("examples/paraguay/data/causas_2.json", &second);
  const struct http_answer answers[] = {
      {.headers = {"Content-Type: application/json"}, .body = first.data, .path = "/api/causas?por_pagina"},
      {.headers = {"Content-Type: application/json"}, .body = second.data, .path = "/api/causas?pagina=2"}};
  http_server_script(server, answers, 2);
  char *folder = make_workspace(server);
  setenv("PY_MP_KEY", "clave", 1);
  assert_int_equal(workspace_run(folder, "--quiet sync", NULL), 0);
  assert_int_equal(http_server_requests(server), 2);
  assert_non_null(strstr(http_server_seen(server, 0)->headers, "X-API-Key: clave"));

  char *counts = workspace_rows(folder, "SELECT pulled, mapped, quarantined, cut FROM runs");
  assert_string_equal(counts, "3|2|1|3\n");
  free(counts);
  char *issue = workspace_rows(folder, "SELECT field, reason, shape FROM quarantine");
  assert_string_equal(issue, "case.reported_on|date_impossible|99-99-9999\n");
  free(issue);
  check_records(folder);

  assert_int_equal(workspace_run(folder, "--quiet link", NULL), 0);
  /* Four staged persons are three: one victim stands in two causas, her card once with dots and once without. */
  assert_int_equal(workspace_number(folder, "SELECT count(*) FROM persons"), 3);
  assert_int_equal(workspace_number(folder, "SELECT count(*) FROM cases"), 2);
  http_server_stop(server);
  buffer_free(&first);
  buffer_free(&second);
  temp_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_synced_linked)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
