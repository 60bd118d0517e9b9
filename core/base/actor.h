/* WHO ACTS, as a word that may stand in the log: the name or login of a person. */
#ifndef PUENTE_BASE_ACTOR_H
#define PUENTE_BASE_ACTOR_H

#include "core/base/error.h"
#include "core/base/slice.h"

enum { ACTOR_MOST = 128 /* bytes */ };

/* Of the process, valid until its end: $PUENTE_ACTOR where it is set, whatever it holds; else who called sudo
 * ($SUDO_USER); else the login name of its user, "?" where that has none. */
const char *actor_read(void);
/* NULL where `name` may stand for a person; else what is wrong with it, in words. Good is UTF-8 of 1 to ACTOR_MOST
 * bytes with a letter or a digit, no space around it, no control or invisible character, no space but U+0020. */
const char *actor_fault(const char *name);
/* Case and accents apart, one account. */
bool actor_same(const char *one, const char *other);

#endif
