/* Standardising: what a name, a document, a date is once spelling habits are taken away. Done once for every distinct
 * value of a dictionary. Slices that come back stand in `arena` (or are static), which its owner may reset once they
 * are used; names leave nothing there. Standardising is for one thread; what is marked "reads" below, and the fields,
 * may afterwards be used by many. Text that is no UTF-8 is read as windows-1252. Private to core/link. */
#ifndef PUENTE_LINK_STANDARD_H
#define PUENTE_LINK_STANDARD_H

#include "core/base/arena.h"
#include "core/base/date.h"
#include "core/base/map.h"

enum {
  NAME_TOKENS_MOST = 8,      /* further ones are left out */
  NAME_TOKEN_BYTES_MOST = 48 /* a longer word is no name */
};

/* What is known of a token: 32 bytes. Texts end with no zero byte. */
struct token {
  const char *text;    /* upper case, no accents, ñ as N; also written forms, see below */
  uint64_t signature;  /* similar_signature of the text */
  uint32_t sound;      /* number in `sounds`; MAP_NONE: it has none (an initial, a written form) */
  uint32_t andean;     /* number in `andeans`; MAP_NONE likewise */
  uint16_t diminutive; /* position + 1 in the table of diminutives; 0: it has no short form and is none */
  uint8_t length;      /* bytes of the text; 1: an initial */
  char first;          /* its first byte, for initials */
  bool suffixed;       /* ends in -ito, -ita, -itos, -itas: may be the diminutive of what stands before */
};

struct standard {
  struct arena *arena;   /* of the slices that come back */
  struct arena *scratch; /* of one call */
  struct map *tokens;    /* a token's number is its position here and in `token` */
  struct token *token;
  size_t token_capacity;
  struct map *sounds;  /* Spanish sound keys */
  struct map *andeans; /* Andean sound keys */
  struct diminutives *diminutives;
};

/* A name. Two are the same at the strictest level where `written` agree, at the next where `tokens` do. */
struct name {
  uint32_t tokens[NAME_TOKENS_MOST];  /* in the order written, folded: "de la Peña" is PENA, "San Martín" SANMARTIN */
  uint32_t written[NAME_TOKENS_MOST]; /* the same with ñ and particles: "DE LA PEÑA", "SAN MARTIN"; the same number as
                                         in `tokens` where nothing was taken away */
  uint32_t count;                     /* 0: no name */
  bool overlong;                      /* no name: the text, or a word of it, is longer than any */
};

enum status standard_init(struct standard *standard, struct error *error) MUST_CHECK;
void standard_free(struct standard *standard);

/* Words are runs of letters; an apostrophe within one is dropped (O'Higgins is OHIGGINS), hyphens part two. Particles
 * (de, del, de la, de los, de las, la, las, los, el, da, do, dos, das, y, e before I, di, van, von) belong to the next
 * word, and are left out of its token; in front of a single letter they stay ("de la O" is DELAO). Known surnames
 * written in one with their particle (DELACRUZ) are parted. San, Santa and Santo are joined with the next word.
 * "Viuda de X", "vda. de X" is dropped together with X: it is another person's name. A word of nothing but particles is
 * a name if there is no other. A text of more than 1,024 bytes, or with a word that is longer than any, is none: what
 * is left of it would be taken for a name with parts missing. What says that there is no name ("NN", "no registra",
 * "desconocido") gives none. */
enum status standard_name(struct standard *standard, struct slice text, struct name *name,
                          struct error *error) MUST_CHECK;

/* Below, what comes back is in `arena`; data is NULL only where memory is short; "" (len 0) is no value. */

/* Letters and digits only, upper case. The word for the kind ("DNI 10117410") is left out. A number of all
 * equal or consecutive digits is a placeholder and gives "", as does a text without digits. */
struct slice standard_document(struct arena *arena, struct slice text);
/* "N° 2019-000123 / A" → 2019-123-A: parts of letters or digits, zeros in front dropped, the word for "number" left
 * out. */
struct slice standard_number(struct arena *arena, struct slice text);
/* Free text: folded (ñ too), letters and digits, all between them one space. */
struct slice standard_text(struct arena *arena, struct slice text);
/* Trimmed, single spaces, folded; signs stay. */
struct slice standard_code(struct arena *arena, struct slice text);
/* ISO 8601 of any precision and timestamps, 19560409, 1956/04/09, 09/04/1956, 9-4-1956, 09.04.1956, 04/1956, 1956, "9
 * de abril de 1956", 09-abr-1956. Day and month zero are unknown: 1956-00-00 is 1956. 04/25/1956 can only be 25 April.
 * What cannot be (month 13, 31 April) is left out. False: none could be read; a year of two digits is none. */
bool standard_date(struct slice text, struct date *date);

/* Keys of sound of a folded token; written to `key`, which has room for len + 1 bytes; they return the length. Bytes
 * that are no A-Z stay as they are.
 * Spanish: b/v; s, z, soft c; ll/y; silent h; soft g, j, x before a vowel; hard c, k, qu; double letters once. */
size_t standard_sound(struct slice token, char *key);
/* Andean, coarser: hu, gu, w before a vowel → W; c, cc, q, qu, k, g → K; o → U; e → I; ch stays, and what the Spanish
 * key does: Huamán, Guamán, Waman; Quispe, Qespi; Condori, Kunturi are of one key each. */
size_t standard_andean(struct slice token, char *key);

/* Reads, by number of folded tokens. */

static inline struct slice standard_token(const struct standard *standard, uint32_t token) {
  return slice_make(standard->token[token].text, standard->token[token].length);
}
/* One is the initial of the other. */
bool standard_initial(const struct standard *standard, uint32_t a, uint32_t b);
/* Of one Spanish key; both of 3 letters and more. */
bool standard_sounds_alike(const struct standard *standard, uint32_t a, uint32_t b);
/* Of one Andean key of 3 letters and more. */
bool standard_andean_alike(const struct standard *standard, uint32_t a, uint32_t b);
/* One is a short form of the other (Pepe, José; Rosita, Rosa), or both are of one name (Pepe, Chepe). Not equality. */
bool standard_diminutive(const struct standard *standard, uint32_t a, uint32_t b);

#endif
