/* A password, a token or a certificate that was changed in its file is used by the next run of a process that goes on
 * with the configuration it read at its start, as the daemon does. */
#include "core/service/pull.h"
#include "tests/support/certificates.h"
#include "tests/support/http_server.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>

static const struct http_answer gives = {.headers = {"Content-Type: application/json"},
                                         .body = "{\"data\":[{\"id\":\"reta-1\"}]}"};

struct scene {
  char *folder;
  struct http_server *server;
  struct config *config; /* read once */
};

static void scene_make(struct scene *scene, const char *scheme, const struct http_server_options *tls,
                       const char *options) {
  struct error error;
  char path[512];
  scene->server = http_server_start(tls);
  http_server_script(scene->server, &gives, 1);
  shell("mkdir -p %s/sources %s/mappings", scene->folder, scene->folder);
  shell("printf 'name: rota\\nstore: {sqlite: puente.db}\\n' >%s/puente.yaml", scene->folder);
  shell("printf 'source: reta\\ntitle: Registro\\ninstitution: PE/MP\\ncontact: mesa\\nunit: denuncia\\n"
        "connector: rest\\noptions: {url: \"%s://127.0.0.1:%d/reta\", records: data, retries: 0, %s}\\n' "
        ">%s/sources/reta.yaml",
        scheme, http_server_port(scene->server), options, scene->folder);
  shell("printf 'source: reta\\nformat: json\\nrecord: data\\ncase:\\n  key: id\\n  denuncia_number: id\\n' "
        ">%s/mappings/reta.yaml",
        scene->folder);
  workspace_key(scene->folder);
  snprintf(path, sizeof path, "%s/puente.yaml", scene->folder);
  if (config_load(path, &scene->config, &error) != OK) {
    fail_msg("%s (%s)", error.message, error.place);
  }
}

static void scene_free(struct scene *scene) {
  config_free(scene->config);
  http_server_stop(scene->server);
  temp_remove(scene->folder);
}

static void take_outcome(void *context, const struct pull_outcome *outcome) {
  *(struct pull_outcome *)context = *outcome;
}

static enum status pull(const struct scene *scene) {
  const struct workspace_opening opening = {.config = scene->config, .mode = WORKSPACE_WRITE};
  struct workspace workspace;
  struct error error;
  struct pull_outcome outcome = {.status = ERR_MEMORY};
  const struct pull_request request = {
      .kind = PULL_SYNC, .options = {.actor = "prueba"}, .report = take_outcome, .context = &outcome};
  struct pull_summary summary;
  if (workspace_open_as(&opening, &workspace, &error) != OK) {
    fail_msg("%s", error.message);
  }
  assert_int_equal(service_pull(&workspace, &request, &summary, &error), OK);
  workspace_close(&workspace);
  return outcome.status;
}

static void put_secret(const struct scene *scene, const char *text) {
  shell("printf '%s' >%s/secret && chmod 600 %s/secret", text, scene->folder, scene->folder);
}

static void assert_sent(const struct scene *scene, const char *header) {
  size_t count = http_server_requests(scene->server);
  assert_true(count > 0);
  const char *headers = http_server_seen(scene->server, count - 1)->headers;
  if (strstr(headers, header) == NULL) {
    fail_msg("\"%s\" was not sent, but\n%s", header, headers);
  }
}

/* `old` and `new` are what stands in the file; `sent` what the source then gets. */
static void rotates(const char *options, const char *const texts[2], const char *const sent[2]) {
  struct scene scene = {.folder = temp_make()};
  put_secret(&scene, texts[0]);
  scene_make(&scene, "http", NULL, options);
  for (int i = 0; i < 2; i++) {
    put_secret(&scene, texts[i]);
    assert_int_equal(pull(&scene), OK);
    assert_sent(&scene, sent[i]);
  }
  scene_free(&scene);
}

static void a_password(void **state) {
  (void)state;
  static const char *const texts[] = {"uno", "dos"};
  static const char *const sent[] = {"Authorization: Basic YW5hOnVubw==", "Authorization: Basic YW5hOmRvcw=="};
  rotates("auth: basic, username: ana, password: \"file:secret\"", texts, sent);
}

static void a_token(void **state) {
  (void)state;
  static const char *const texts[] = {"uno", "dos"};
  static const char *const sent[] = {"Authorization: Bearer uno", "Authorization: Bearer dos"};
  rotates("auth: bearer, token: \"file:secret\"", texts, sent);
}

static void a_client_certificate(void **state) {
  (void)state;
  struct scene scene = {.folder = temp_make()};
  char certificate[512], key[512], ca[512];
  certificates_make(scene.folder);
  snprintf(certificate, sizeof certificate, "%s/server.pem", scene.folder);
  snprintf(key, sizeof key, "%s/server.key", scene.folder);
  snprintf(ca, sizeof ca, "%s/ca.pem", scene.folder);
  const struct http_server_options tls = {.certificate = certificate, .key = key, .client_ca = ca};
  shell("cd %s && cp expired.pem own.pem && cp server.key own.key && chmod 600 own.key", scene.folder);
  scene_make(&scene, "https", &tls, "ca_file: ca.pem, client_certificate: own.pem, client_key: own.key");
  assert_int_not_equal(pull(&scene), OK);
  shell("cd %s && cp client.pem own.pem && cp client.key own.key", scene.folder);
  assert_int_equal(pull(&scene), OK);
  scene_free(&scene);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_password),
      cmocka_unit_test(a_token),
      cmocka_unit_test(a_client_certificate),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
