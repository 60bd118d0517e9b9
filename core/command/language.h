/* The language of messages. */
#ifndef PUENTE_COMMAND_LANGUAGE_H
#define PUENTE_COMMAND_LANGUAGE_H

/* By the environment's locale. */
void language_start(void);
/* "es" or "en", whatever locales the machine has. */
void language_set(const char *lang);

#endif
