/* Workspaces of tests: the program is run on them as a user does, the store is read through the library. A failure of
 * the harness ends the test program. Programs are those of $BUILD (default build/sanitized). */
#ifndef PUENTE_TESTS_SUPPORT_WORKSPACE_H
#define PUENTE_TESTS_SUPPORT_WORKSPACE_H

#include <stdint.h>
#include <sys/types.h>

const char *build_folder(void);

/* Runs a shell command, formatted as printf does; a failure of it ends the test program. */
void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Standard output of a shell command, allocated. */
char *shell_output(int *code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Starts a shell command that dies with the test; standard output is dropped where `quiet`. */
pid_t shell_start(int quiet, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A key of fixed bytes, so that two workspaces of one key can be compared. */
void workspace_key(const char *folder);
/* `puente --config FOLDER/puente.yaml ARGUMENTS`: the exit code; standard output in `*output` (allocated, NULL: not
 * wanted), standard error goes on. */
int workspace_run(const char *folder, const char *arguments, char **output);
/* The same without waiting, for a test that kills it. */
pid_t workspace_start(const char *folder, const char *arguments);
/* Rows of a statement over the documented views, fields by '|', each row with a line end; allocated. */
char *workspace_rows(const char *folder, const char *sql);
int64_t workspace_number(const char *folder, const char *sql);

#endif
