/* Result codes inside an answer of status 200, as Peru's State platform gives them: 0000 done, 1001 bad credentials. */
#ifndef PUENTE_CONNECTORS_HTTP_RESULT_H
#define PUENTE_CONNECTORS_HTTP_RESULT_H

#include "connectors/options.h"

struct result_settings {
  const char *path; /* of the code in the answer; NULL: it has none */
  struct option_list ok, empty, credentials;
  struct option_map meanings;
};

/* OK for a code of `ok` and of `empty` (then `*empty`: there is nothing to read); ERR_AUTH for one of `credentials`,
 * ERR_REMOTE for any other, with its meaning where the configuration tells it. */
enum status result_check(const struct result_settings *settings, struct slice code, bool *empty,
                         struct error *error) MUST_CHECK;

/* The code as it may be shown: letters, digits, '.', '-', '_', ':'; at most 40 of them. */
void result_show(struct slice code, char shown[48]);

#define RESULT_OPTION_ROWS(owner)                                                                                      \
  {.name = "result_path",                                                                                              \
   .type = OPTION_TEXT,                                                                                                \
   .description = N_("where an answer holds its own result code"),                                                     \
   .offset = offsetof(owner, result.path)},                                                                            \
      {.name = "result_ok",                                                                                            \
       .type = OPTION_LIST,                                                                                            \
       .otherwise = "0000",                                                                                            \
       .description = N_("result codes that mean done"),                                                               \
       .offset = offsetof(owner, result.ok)},                                                                          \
      {.name = "result_empty",                                                                                         \
       .type = OPTION_LIST,                                                                                            \
       .description = N_("result codes that mean done, with no records"),                                              \
       .offset = offsetof(owner, result.empty)},                                                                       \
      {.name = "result_credentials",                                                                                   \
       .type = OPTION_LIST,                                                                                            \
       .description = N_("result codes that refuse or no longer accept the credentials (PIDE: 1001, 1002)"),           \
       .offset = offsetof(owner, result.credentials)},                                                                 \
  {                                                                                                                    \
    .name = "result_meanings", .type = OPTION_MAP, .description = N_("what further result codes mean, for messages"),  \
    .offset = offsetof(owner, result.meanings)                                                                         \
  }

#endif
