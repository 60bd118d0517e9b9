/* Digests. Values of people are only ever digested under the workspace key (BLAKE2b keyed, libsodium); plans, files
 * and audit entries use SHA-256 (libcrypto). */
#ifndef PUENTE_BASE_DIGEST_H
#define PUENTE_BASE_DIGEST_H

#include "core/base/error.h"
#include "core/base/slice.h"

#include <stdint.h>

#define SHA256_SIZE 32
#define KEYED_SIZE 16

struct sha256 {
  uint8_t bytes[SHA256_SIZE];
};
struct keyed_digest {
  uint8_t bytes[KEYED_SIZE];
};

struct sha256 sha256_of(struct slice bytes);
struct sha256 sha256_marked(uint8_t domain, struct slice bytes); /* of the domain byte and the bytes */
struct sha256 sha256_pair(uint8_t domain, const struct sha256 *left, const struct sha256 *right);
void hex_format(const uint8_t *bytes, size_t len, char *text); /* 2·len characters and a zero */
bool hex_parse(struct slice text, uint8_t *bytes, size_t len);

/* The workspace key: 32 random bytes in a file of mode 0600, made by `puente init`. */
struct key;
enum status key_create(const char *path, struct error *error) MUST_CHECK; /* refuses to overwrite */
enum status key_load(const char *path, struct key **key, struct error *error) MUST_CHECK;
void key_free(struct key *key); /* wipes it */
/* `purpose` separates uses ("record", "document", "name"): equal text under two purposes has unrelated digests. */
struct keyed_digest key_digest(const struct key *key, const char *purpose, struct slice text);
/* For the hot path: a subkey made once for a purpose. */
struct subkey {
  uint8_t bytes[32];
};
struct subkey key_subkey(const struct key *key, const char *purpose);
struct keyed_digest subkey_digest(const struct subkey *subkey, struct slice text);

#endif
