/* The built program as a user runs it: `puente` beside the test's own build folder. */
#ifndef PUENTE_TESTS_SUPPORT_PROGRAM_H
#define PUENTE_TESTS_SUPPORT_PROGRAM_H

struct said {
  int code;  /* exit code */
  char *out; /* standard output, owned by the last call */
  char *err;
};

/* Runs `puente` in `folder` with the arguments, split at spaces; "'…'" keeps spaces. The environment holds no
 * PUENTE_CONFIG, and the language is English unless the arguments say otherwise. */
struct said program_run(const char *folder, const char *arguments);
/* The same with another $PUENTE_ACTOR than "tester"; "sudo:NAME" stands for $SUDO_USER alone, NULL for neither. */
struct said program_run_as(const char *folder, const char *actor, const char *arguments);
/* Frees what the last call said. */
void program_forget(void);
/* Writes a file of the folder, making no folder. */
void program_write(const char *folder, const char *name, const char *text);

/* A whole file of the folder, terminated; the caller frees it. */
char *program_read(const char *folder, const char *name);

#endif
