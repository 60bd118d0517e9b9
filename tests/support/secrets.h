/* What identifies people, and a search for it in what a program says or keeps. A word is found in any case, with or
 * without accents, in UTF-8, Latin-1, escapes of JSON, XML and URLs, and inside runs of hexadecimal or base64 digits. A
 * failure of the harness ends the test program. */
#ifndef PUENTE_TESTS_SUPPORT_SECRETS_H
#define PUENTE_TESTS_SUPPORT_SECRETS_H

#include <stddef.h>

struct secrets;
struct secrets *secrets_new(void);
void secrets_free(struct secrets *secrets);
size_t secrets_count(const struct secrets *secrets);

/* Words of this text are the program's own: no later secrets_add takes them. */
void secrets_ordinary(struct secrets *secrets, const char *text, size_t length);
/* Each word of five or more letters or digits is a secret from now on. */
void secrets_add(struct secrets *secrets, const char *text, size_t length);

/* How many secrets stand in it; the first ones are printed with `where`. Encoded ones and, where `binary`, all are
 * looked for from seven letters on: random bytes look like a shorter one now and then. */
size_t secrets_found(const struct secrets *secrets, const char *where, const char *text, size_t length, int binary);
/* The same without a word printed. */
size_t secrets_counted(const struct secrets *secrets, const char *text, size_t length, int binary);

#endif
