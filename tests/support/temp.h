/* A folder of a test's own. The caller owns the path and gives it back to temp_remove. */
#ifndef PUENTE_TESTS_SUPPORT_TEMP_H
#define PUENTE_TESTS_SUPPORT_TEMP_H

/* A new empty folder of mode 0700 with a short path (a Unix socket fits in it); fails the test where it cannot. */
char *temp_make(void);
/* Removes the folder with everything in it, and frees the path. NULL allowed. */
void temp_remove(char *path);

#endif
