/* Labels in the language of the messages. */
#ifndef PUENTE_COMMAND_LABEL_H
#define PUENTE_COMMAND_LABEL_H

#include <stdbool.h>

/* Whether messages are in Spanish: as chosen, else the translators' answer, so that labels follow the same locale. */
bool speaks_spanish(void);
const char *label_of(const char *en, const char *es);

#endif
