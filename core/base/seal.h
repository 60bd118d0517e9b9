/* SEALING: bytes closed under a data key with XChaCha20-Poly1305 (libsodium), bound to their place in the store, so
 * that a sealed body that was changed, or put in another's place, does not open. Pure: no file, no store.
 *
 * A sealed body: codec byte SEAL_CODEC · number of the data key (4 bytes, little-endian) · nonce (24) · ciphertext ·
 * tag (16). The tag also covers the head's first five bytes and the place: "puente/seal/1", the place's part, its two
 * numbers. What is inside is a body as it was before there were seals, its own codec byte first.
 * A wrapped key: nonce (24) · ciphertext (32) · tag (16), under a subkey of the workspace's key; the tag covers the
 * key's number and purpose. */
#ifndef PUENTE_BASE_SEAL_H
#define PUENTE_BASE_SEAL_H

#include "core/base/digest.h"

enum {
  SEAL_CODEC = 2,
  SEAL_NONCE = 24,
  SEAL_NAMED = 5, /* codec and key number */
  SEAL_HEAD = SEAL_NAMED + SEAL_NONCE,
  SEAL_EXTRA = SEAL_HEAD + 16, /* how much longer a sealed body is */
  SEAL_WRAPPED = SEAL_NONCE + KEY_SIZE + 16
};

struct seal_key {
  uint32_t id;
  uint8_t bytes[KEY_SIZE];
};

/* Where a body stands: a column's name ("raw_chunk.body"), at most 64 bytes, and the numbers of its row. */
struct seal_place {
  const char *part;
  int64_t id, from; /* `from` 0 where one number names a row */
};

/* Nonces of one writer: 16 random bytes and a counter. Two writers never share one. */
struct seal_nonces {
  uint8_t prefix[SEAL_NONCE - sizeof(uint64_t)];
  uint64_t used;
};
void seal_start(struct seal_nonces *nonces);

bool seal_is(struct slice body); /* by its codec and length alone */
uint32_t seal_key_id(struct slice sealed);
/* Writes text.len + SEAL_EXTRA bytes; the text may lie at sealed + SEAL_HEAD already. */
void seal_close(const struct seal_key *key, struct seal_nonces *nonces, const struct seal_place *place,
                struct slice text, char *sealed);
/* Writes sealed.len - SEAL_EXTRA bytes; false where the body was changed, or belongs elsewhere. */
bool seal_open(const struct seal_key *key, const struct seal_place *place, struct slice sealed, char *text);

void seal_wrap(const struct subkey *wrapping, uint32_t id, const char *purpose, const uint8_t secret[KEY_SIZE],
               uint8_t wrapped[SEAL_WRAPPED]);
bool seal_unwrap(const struct subkey *wrapping, uint32_t id, const char *purpose, const uint8_t wrapped[SEAL_WRAPPED],
                 uint8_t secret[KEY_SIZE]);
/* Names the wrapping key and tells nothing of it. */
struct keyed_digest seal_wrapper(const struct subkey *wrapping);

#endif
