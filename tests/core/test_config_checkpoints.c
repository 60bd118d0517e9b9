/* The block checkpoints: of puente.yaml, and what is said of each mistake in it. */
#include "core/config.h"

#include "core/base/file.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static char *folder;

static enum status load(const char *text, struct config **config, struct error *error) {
  char path[256];
  snprintf(path, sizeof path, "%s/puente.yaml", folder);
  assert_int_equal(file_write(path, slice_of(text), 0600, error), OK);
  return config_load(path, config, error);
}

static void test_defaults(void **state) {
  (void)state;
  struct config *config = NULL;
  struct error error;
  assert_int_equal(load("name: a\n", &config, &error), OK);
  assert_true(config->checkpoints.timetable.manual && config->checkpoints.holder_count == 0);
  assert_null(config->checkpoints.stamp_url);
  config_free(config);
}

static void test_full(void **state) {
  (void)state;
  struct config *config = NULL;
  struct error error;
  char path[300];
  assert_int_equal(load("serve: {timezone: America/Lima}\n"
                        "notify: {mail: {from: a@b, to: c@d, server: \"smtps://m\"}}\n"
                        "checkpoints:\n"
                        "  holders:\n"
                        "    - {name: contraloria, webhook: \"https://a.example/x\", token: env:T}\n"
                        "    - {name: auditor, mail: e@f}\n"
                        "    - {name: notary, folder: kept}\n"
                        "  timestamp: {url: \"http://tsa.example\", ca_file: ca.pem}\n",
                        &config, &error),
                   OK);
  const struct checkpoints_config *checkpoints = &config->checkpoints;
  assert_int_equal(checkpoints->holder_count, 3);
  assert_string_equal(checkpoints->timetable.text, "@daily");
  assert_string_equal(checkpoints->timetable.zone, "America/Lima");
  assert_false(checkpoints->timetable.manual);
  assert_string_equal(checkpoints->holders[0].webhook.token, "env:T");
  assert_string_equal(checkpoints->holders[1].mail, "e@f");
  snprintf(path, sizeof path, "%s/kept", config->folder);
  assert_string_equal(checkpoints->holders[2].folder, path);
  snprintf(path, sizeof path, "%s/ca.pem", config->folder);
  assert_string_equal(checkpoints->stamp_ca, path);
  config_free(config);
}

#define C "checkpoints: {holders: ["
static const struct {
  const char *text, *place, *message, *hint;
} mistakes[] = {
    {"checkpoints: {holder: x}\n", "1:15", "unknown key 'holder'", "did you mean 'holders'?"},
    {"checkpoints: {schedule: manual}\n", "1:14", "holders: a list of 1 to 16 is expected here",
     "for example [{name: auditor, folder: /media/usb}]"},
    {C "]}\n", "1:24", "holders: a list of 1 to 16 is expected here",
     "for example [{name: auditor, folder: /media/usb}]"},
    {C "{folder: x}]}\n", "1:25", "holders: 'name' is missing",
     "a short name, for messages and receipts: {name: auditor, folder: /media/usb}"},
    {C "{name: La Notaria, folder: x}]}\n", "1:32", "name: only lower-case letters, digits, '_' and '-' fit here",
     "for example auditor"},
    {C "{name: timestamp, folder: x}]}\n", "1:32", "name: receipts of the time-stamp have this name",
     "choose another one"},
    {C "{name: a, folder: x}, {name: a, folder: y}]}\n", "1:54", "name: another holder has this name",
     "choose another one"},
    {C "{name: a}]}\n", "1:25", "holders: one of webhook, mail and folder is expected", NULL},
    {C "{name: a, folder: x, mail: b@c}]}\n", "1:25", "holders: one of webhook, mail and folder is expected", NULL},
    {C "{name: a, folder: x, token: env:T}]}\n", "1:53", "token: only a webhook takes one", "remove it"},
    {C "{name: a, webhook: \"https://a\", token: secret}]}\n", "1:64",
     "token: a secret does not stand in a configuration file", NULL},
    {C "{name: a, webhook: \"http://a.example/\"}]}\n", "1:44", "webhook: a webhook is told by https alone", NULL},
    {C "{name: a, mail: b@c}]}\n", "1:41", "mail: no mail server is configured",
     "`mail:` of `notify:` names it, and who sends"},
    {"notify: {mail: {from: a@b, to: c@d, server: \"smtps://m\"}}\n" C "{name: a, mail: \"x <b@c>\"}]}\n", "2:41",
     "mail: this is no mail address", NULL},
    {C "{name: a, folder: x}], timestamp: {url: \"http://t\"}}\n", "1:59", "timestamp: 'ca_file' is missing", NULL},
    {C "{name: a, folder: x}], timestamp: {url: \"ldap://t\", ca_file: c}}\n", "1:65",
     "url: this is no address of a time-stamp authority", "https://HOST/PATH"},
    {C "{name: a, folder: x}], schedule: \"61 * * * *\"}\n", "1:58", NULL, NULL},
};

static void test_mistakes(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
    struct config *config = NULL;
    struct error error;
    assert_int_equal(load(mistakes[i].text, &config, &error), ERR_CONFIG);
    const char *place = strstr(error.place, "puente.yaml:");
    assert_non_null(place);
    if (mistakes[i].message != NULL) {
      assert_string_equal(error.message, mistakes[i].message);
    }
    assert_string_equal(place + strlen("puente.yaml:"), mistakes[i].place);
    if (mistakes[i].hint != NULL) {
      assert_string_equal(error.hint, mistakes[i].hint);
    }
    assert_int_not_equal(error.hint[0], '\0');
  }
}

static int make(void **state) {
  (void)state;
  folder = temp_make();
  return 0;
}

static int clean(void **state) {
  (void)state;
  temp_remove(folder);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_defaults), cmocka_unit_test(test_full),
                                     cmocka_unit_test(test_mistakes)};
  return cmocka_run_group_tests_name("checkpoints in the configuration", tests, make, clean);
}
