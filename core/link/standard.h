/* Standardising: what a name, a document, a date is once spelling habits are taken away. Done once for every distinct
 * value of a dictionary. Slices that come back stand in the arena, which its owner may reset once they are used. */
#ifndef PUENTE_LINK_STANDARD_H
#define PUENTE_LINK_STANDARD_H

#include "core/base/arena.h"
#include "core/base/date.h"
#include "core/base/map.h"

enum { NAME_TOKENS_MOST = 8 };

/* Tokens of names seen so far. A token's number is its position in `tokens`; `sounds` holds for each the number of its
 * sound key. */
struct standard {
  struct arena *arena;   /* scratch */
  struct map *tokens;    /* folded tokens: upper case, no accents, ñ as n */
  struct map *sounds;    /* sound keys */
  uint32_t *token_sound; /* by token */
  size_t token_capacity;
  struct map *texts; /* whole values: documents, numbers, codes, sorted names */
};

struct name {
  uint32_t tokens[NAME_TOKENS_MOST]; /* in the order written, particles left out */
  uint32_t count;
};

enum status standard_init(struct standard *standard, struct error *error) MUST_CHECK;
void standard_free(struct standard *standard);

/* "de la Cruz Núñez" → CRUZ NUNEZ; letters only; further tokens than NAME_TOKENS_MOST are left out. */
enum status standard_name(struct standard *standard, struct slice text, struct name *name,
                          struct error *error) MUST_CHECK;
/* The number in `texts` of the tokens in byte order, joined by spaces; LINK_MISSING where there are none. */
enum status standard_sorted(struct standard *standard, const struct name *name, uint32_t *text,
                            struct error *error) MUST_CHECK;
/* Letters and digits only, upper case. A number of all equal or consecutive digits is a placeholder and gives "". */
struct slice standard_document(struct standard *standard, struct slice text);
/* "N° 2019-000123 / A" → 2019-123-A: parts of letters or digits, zeros in front dropped, the word for "number" left
 * out. */
struct slice standard_number(struct standard *standard, struct slice text);

/* A Spanish and Andean sound key of a folded token: b/v, s/z/soft c, ll/y, silent h, soft g/j, hu/gu/w, c/qu/k, o/u,
 * e/i. Written to `key`, which has room for len + 1 bytes; returns its length. */
size_t standard_sound(struct slice token, char *key);

/* Whether two tokens are one name spelt twice: equal, of one sound (4 letters and more), or one slip of the pen apart
 * (5 letters and more; two slips from 8 letters). */
bool standard_close(const struct standard *standard, uint32_t a, uint32_t b);
/* Optimal string alignment distance of two texts of at most 31 bytes; more than `most` is given as most + 1. */
int standard_distance(struct slice a, struct slice b, int most);

#endif
