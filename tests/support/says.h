/* What a text says and does not say; for cmocka tests. */
#ifndef PUENTE_TESTS_SUPPORT_SAYS_H
#define PUENTE_TESTS_SUPPORT_SAYS_H

#include <string.h>

#define assert_says(text, part)                                                                                        \
  do {                                                                                                                 \
    if (strstr((text), (part)) == NULL) {                                                                              \
      fail_msg("\"%s\" is missing in:\n%s", (part), (text));                                                           \
    }                                                                                                                  \
  } while (0)
#define assert_silent(text, part)                                                                                      \
  do {                                                                                                                 \
    if (strstr((text), (part)) != NULL) {                                                                              \
      fail_msg("\"%s\" is in:\n%s", (part), (text));                                                                   \
    }                                                                                                                  \
  } while (0)

#endif
