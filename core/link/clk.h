/* CLK: names that an institution may not share, as bits that two institutions can compare and nobody can read back
 * without the key: a cryptographic longterm key (Schnell, Bachteler and Reiher, "A Novel Error-Tolerant Anonymous
 * Linking Code", German Record Linkage Center WP 2011-02), one Bloom filter of all fields of a person.
 *
 * From a person to the code, all under one key of 32 bytes that the encoding institutions share and no analyst has:
 *   1. Words of all names as standard.h folds them, in bigrams with a blank at either end (ANA: _A AN NA A_), whatever
 *      part of the name they stand in; of the birth date one feature each for day, month, decade, last digit of the
 *      year, which count for several bigrams each (CLK_WEIGHTS in clk.c).
 *   2. A feature sets up to 23 of 2,048 bits, each 11 bits of HMAC-SHA-256 of the feature: independent positions
 *      ("random hashing") instead of the double hashing of 2011, whose few patterns a feature can have are what
 *      Niedermeyer, Steinmetzer, Kroll and Schnell (J. Privacy and Confidentiality 6(2), 2014) found names by.
 *   3. XOR-folding: one half over the other, 1,024 bits (Schnell and Borgs, "XOR-Folding for hardening Bloom
 *      Filter-based Encryptions", GRLC WP 2016-04): no bit stands for a feature any more.
 *   4. BLIP, flips at random (Alaggan, Gambs, Kermarrec, SSS 2012; Schnell and Borgs, ICDMW 2016): each bit is turned
 *      with probability 1/32, drawn by HMAC of the whole unfolded filter. The same person is flipped alike wherever
 *      she is encoded, so that who collects codes of her cannot average the noise away.
 *
 * What it answers: a dictionary without the key (2), patterns of single features (2, 3), the frequency of bits aligned
 * with the frequency of bigrams (3, 4; Christen et al., PAKDD 2017). What it does not: who has the key encodes a
 * dictionary and compares; equal persons have equal codes and similar ones similar codes, so that who has many codes
 * sees how often one comes and who resembles whom (families), and may align that with a population that they know.
 * A salt of each birth year would answer more of the latter; it is left out because it loses all pairs whose years
 * differ by a slip or are not known, more than a sixth of the simulated population.
 *
 * Codes go to review, never to a merge: what is alike is a question, not an answer. */
#ifndef PUENTE_LINK_CLK_H
#define PUENTE_LINK_CLK_H

#include "core/base/buffer.h"
#include "core/base/error.h"
#include "core/base/slice.h"

#include <stdint.h>

enum {
  CLK_BITS = 1024,
  CLK_WORDS = CLK_BITS / 64,
  CLK_KEY_SIZE = 32,
  CLK_NAMES_MOST = 8,
  CLK_TEXT_SIZE = 5 + CLK_BITS / 4 /* "clk1:" and hexadecimal */
};
#define CLK_VERSION "clk1" /* changes with anything above: codes of two versions are never compared */
#define CLK_LEAST 0.70     /* Dice from which a pair is looked at by a person; see tests/core/link/test_clk.c */

struct clk {
  uint64_t words[CLK_WORDS];
};

/* Of one person; slices are borrowed for the call. */
struct clk_person {
  struct slice names[CLK_NAMES_MOST]; /* given names, surnames, the whole name: in any order, len 0: missing */
  size_t name_count;
  struct slice birth_date; /* any form that standard_date reads; len 0: missing */
};

/* Holds the key (in locked memory), what features became, and words seen; used by one thread. */
struct clk_maker;
enum status clk_maker_new(const uint8_t key[CLK_KEY_SIZE], struct clk_maker **made, struct error *error) MUST_CHECK;
void clk_maker_free(struct clk_maker *maker); /* wipes it; NULL allowed */
/* `made` false: the names have fewer than two different words, too little to know a person by. */
enum status clk_make(struct clk_maker *maker, const struct clk_person *person, struct clk *code, bool *made,
                     struct error *error) MUST_CHECK;

void clk_write(const struct clk *code, char text[CLK_TEXT_SIZE + 1]); /* ends with a zero */
bool clk_parse(struct slice text, struct clk *code);                  /* false: no code, or of another version */

/* Dice coefficient, 0..1: twice the common bits by the bits of both. */
double clk_dice(const struct clk *a, const struct clk *b);

/* Pairs of Dice `least` and more of which one is among the first `first` codes, a < b, each once, in no order; whatever
 * the order of the codes, the same pairs. Not all are compared, but those that agree in one of 50 samples of 20 bits
 * (Hamming LSH; Karapiperis and Verykios, TKDE 27(4), 2015): of simulated pairs of Dice CLK_LEAST and more 0.995 are
 * found. `compared` (may be NULL) counts what was compared, a pair once for each sample that it shares. */
typedef enum status clk_visitor(void *context, uint32_t a, uint32_t b, double dice, struct error *error);
enum status clk_pairs(const struct clk *codes, size_t count, size_t first, double least, clk_visitor *visit,
                      void *context, uint64_t *compared, struct error *error) MUST_CHECK;

#endif
