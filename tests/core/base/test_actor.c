#include "core/base/actor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_names_that_stand_for_a_person(void **state) {
  (void)state;
  static const char *const good[] = {"ana",     "ana.rojas", "ana.rojas@mp.example", "María Ñahui", "40112233",
                                     "PE\\ana", "Ана"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    const char *fault = actor_fault(good[i]);
    if (fault != NULL) {
      fail_msg("%s: %s", good[i], fault);
    }
  }
}

static void test_names_that_do_not(void **state) {
  (void)state;
  static const struct {
    const char *name, *fault;
  } cases[] = {{"", "it is empty"},
               {"ana\nroot", "it holds a control character or an invisible one"},
               {"ana\x1b[2J", "it holds a control character or an invisible one"},
               {"ana\x7f", "it holds a control character or an invisible one"},
               {"ana\xc2\x85", "it holds a control character or an invisible one"},
               {"a\xe2\x80\x8bna", "it holds a control character or an invisible one"}, /* zero width space */
               {"\xe2\x80\xae"
                "ana",
                "it holds a control character or an invisible one"},                     /* right to left */
               {"ana\xc2\xa0rojas", "it holds a control character or an invisible one"}, /* no-break space */
               {"ana\xe2\x80\xa8", "it holds a control character or an invisible one"},  /* line separator */
               {"ana\xff", "it is no UTF-8 text"},
               {" ana", "it begins or ends with a space"},
               {"ana ", "it begins or ends with a space"},
               {"...", "it holds no letter and no digit"},
               {"?", "it holds no letter and no digit"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *fault = actor_fault(cases[i].name);
    assert_string_equal(fault == NULL ? "good" : fault, cases[i].fault);
  }
}

static void test_length(void **state) {
  (void)state;
  char name[ACTOR_MOST + 2];
  memset(name, 'a', sizeof name);
  name[ACTOR_MOST + 1] = '\0';
  assert_string_equal(actor_fault(name), "it is too long");
  name[ACTOR_MOST] = '\0';
  assert_null(actor_fault(name));
}

static void test_one_account_in_other_letters(void **state) {
  (void)state;
  assert_true(actor_same("root", "ROOT"));
  assert_true(actor_same("operación", "Operacion"));
  assert_false(actor_same("root", "roots"));
  assert_false(actor_same("ana", "eva"));
}

static void test_who_acts(void **state) {
  (void)state;
  setenv("SUDO_USER", "eva", 1);
  setenv("PUENTE_ACTOR", "ana", 1);
  assert_string_equal(actor_read(), "ana");
  setenv("PUENTE_ACTOR", "", 1);
  assert_string_equal(actor_read(), ""); /* set to nothing is a mistake to be told, not to be passed over */
  unsetenv("PUENTE_ACTOR");
  assert_string_equal(actor_read(), "eva");
  unsetenv("SUDO_USER");
  assert_string_not_equal(actor_read(), "eva");
  assert_string_not_equal(actor_read(), "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names_that_stand_for_a_person),
      cmocka_unit_test(test_names_that_do_not),
      cmocka_unit_test(test_length),
      cmocka_unit_test(test_one_account_in_other_letters),
      cmocka_unit_test(test_who_acts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
