/* SHARES of a key, after Shamir (libgfshare, over GF(2^8)): any `needed` of them give the key back, fewer tell nothing
 * of it. A share is a text file that can be printed and typed in again; docs/keys.md shows one. Lines end with a line
 * feed or both signs; the checksum is the beginning of the SHA-256 of the lines above it.
 * A share is a secret: wiped by shares_wipe. */
#ifndef PUENTE_BASE_SHARE_H
#define PUENTE_BASE_SHARE_H

#include "core/base/digest.h"

enum { SHARES_MOST = 20, SHARE_NAME = 96, SHARE_DATE = 11, SHARE_SPLIT = 8 };

struct share {
  char workspace[SHARE_NAME]; /* cut to what fits, signs of control as '_' */
  char date[SHARE_DATE];      /* "2026-11-22", of the split */
  int number, shares, needed; /* number: from 1 to shares */
  struct keyed_digest mark;   /* tells keys apart, and nothing of them */
  uint8_t split[SHARE_SPLIT]; /* random; tells splits apart */
  uint8_t bytes[KEY_SIZE];
};

/* Fills `shares` rows; ERR_USAGE unless 2 <= needed <= shares <= SHARES_MOST. */
enum status shares_make(const struct key *key, const char *workspace, int shares, int needed, struct share *out,
                        struct error *error) MUST_CHECK;
/* A new file of mode 0600, on the disk when it returns; nothing is overwritten. */
enum status share_write(const struct share *share, const char *path, struct error *error) MUST_CHECK;
/* ERR_INPUT where it is no share, or was damaged. */
enum status share_read(const char *path, struct share *share, struct error *error) MUST_CHECK;
/* ERR_USAGE where one stands twice, or they are of two workspaces or two splits; fewer than needed are fine. */
enum status shares_agree(const struct share *shares, size_t count, struct error *error) MUST_CHECK;
/* The key, in no file yet, of shares that agree: ERR_USAGE where there are too few, ERR_INPUT where what comes out is
 * not the key that they name. */
enum status shares_join(const struct share *shares, size_t count, struct key **key, struct error *error) MUST_CHECK;
void shares_wipe(struct share *shares, size_t count);

/* The mark that shares of this key bear. */
struct keyed_digest share_mark(const struct key *key);

#endif
