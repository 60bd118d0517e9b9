/* Workspaces that `puente serve` works on: small sources of files or of a scripted server, and the daemon as a process.
 * A failure of the harness ends the test program. */
#ifndef PUENTE_TESTS_SUPPORT_SERVING_H
#define PUENTE_TESTS_SUPPORT_SERVING_H

#include "tests/support/workspace.h"

#include <stdbool.h>

struct serving {
  char *folder;
  char config[256]; /* puente.yaml */
};

/* A workspace without sources. `store` and `serve` are YAML blocks on one line ("{sqlite: puente.db}"). */
void serving_make(struct serving *serving, const char *store, const char *serve);
void serving_remove(struct serving *serving);
/* Writes puente.yaml anew. */
void serving_configure(struct serving *serving, const char *store, const char *serve);
/* A source of files in in/CODE; `more` are further lines of its YAML, or "". */
void serving_files(struct serving *serving, const char *code, const char *more);
/* A file with one record for it; written under another name first. */
void serving_drop(struct serving *serving, const char *code, int id);
/* A source at http://127.0.0.1:PORT/CODE with pages by cursor, without retries of its own; `options` are further ones
 * (", page_size: 2"), or "". */
void serving_rest(struct serving *serving, const char *code, int port, const char *options, const char *more);

/* `puente serve ARGUMENTS` under an environment ("PUENTE_CLOCK='…' X=1", or ""); its log goes to FOLDER/NAME.log. */
pid_t serving_start(struct serving *serving, const char *name, const char *environment, const char *arguments);
/* Asks it to end and waits; its exit code, 128 + signal where one ended it. */
int serving_end(pid_t daemon, int signal);
int serving_wait(pid_t daemon);
/* How often a text stands in NAME's log; the log whole, allocated. */
int serving_says(const struct serving *serving, const char *name, const char *text);
char *serving_log(const struct serving *serving, const char *name);
/* Waits until it stands there so often; false after `seconds`. */
bool serving_hears(const struct serving *serving, const char *name, const char *text, int times, int seconds);

#endif
