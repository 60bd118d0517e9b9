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
/* Of a file's bytes. ERR_NOT_FOUND, ERR_IO with the path as the place. */
enum status sha256_file(const char *path, struct sha256 *digest, struct error *error) MUST_CHECK;
struct sha256 sha256_marked(uint8_t domain, struct slice bytes); /* of the domain byte and the bytes */
struct sha256 sha256_pair(uint8_t domain, const struct sha256 *left, const struct sha256 *right);
void hex_format(const uint8_t *bytes, size_t len, char *text); /* 2·len characters and a zero */
bool hex_parse(struct slice text, uint8_t *bytes, size_t len);

/* The workspace key: 32 random bytes in a file of mode 0600, made by `puente init`. It is two things that begin equal:
 * the root, which digests, subkeys and signatures come from, stays for the life of a store; the wrapping key, which is
 * the file's own bytes, wraps the store's data keys and may be replaced (core/store/ring.h keeps the root then, wrapped
 * under the new file). Lies in locked memory. */
enum { KEY_SIZE = 32 };
struct key;
enum status key_create(const char *path, struct error *error) MUST_CHECK; /* refuses to overwrite */
/* The same for bytes that are there; the file is on the disk when it returns. */
enum status key_write(const char *path, const uint8_t bytes[KEY_SIZE], struct error *error) MUST_CHECK;
enum status key_load(const char *path, struct key **key, struct error *error) MUST_CHECK;
/* A key that is in no file: restored from shares. */
enum status key_make(const uint8_t bytes[KEY_SIZE], struct key **key, struct error *error) MUST_CHECK;
/* Reads the key's file once more, where it was read from one: `*changed` where it holds another key now, which `key` is
 * from here on, root included. */
enum status key_again(struct key *key, bool *changed, struct error *error) MUST_CHECK;
void key_free(struct key *key);                  /* wipes it */
const char *key_path(const struct key *key);     /* the file that it was read from; "" for none */
const uint8_t *key_bytes(const struct key *key); /* the file's, KEY_SIZE: for shares */
const uint8_t *key_root(const struct key *key);  /* KEY_SIZE */
void key_set_root(struct key *key, const uint8_t root[KEY_SIZE]);
/* `purpose` separates uses ("record", "document", "name"): equal text under two purposes has unrelated digests. */
struct keyed_digest key_digest(const struct key *key, const char *purpose, struct slice text);
/* For the hot path: a subkey made once for a purpose. */
struct subkey {
  uint8_t bytes[32];
};
struct subkey key_subkey(const struct key *key, const char *purpose);
/* The key under which names that may not be shared are encoded; institutions that encode themselves are given it. */
void encoding_key(const struct key *key, uint8_t bytes[KEY_SIZE]);
struct subkey key_wrapping(const struct key *key); /* of the file's bytes; purpose "seal/wrap" */
struct keyed_digest subkey_digest(const struct subkey *subkey, struct slice text);

#endif
