#include "core/base/seal.h"

#include <sodium.h>
#include <string.h>

enum { PART_MOST = 64, BOUND_MOST = 160 };

_Static_assert(SEAL_NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(SEAL_EXTRA - SEAL_HEAD == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");
_Static_assert(KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key");

/* What the tag covers beside the text. */
struct bound {
  uint8_t bytes[BOUND_MOST];
  size_t len;
};

static void put(struct bound *bound, const void *bytes, size_t len) {
  memcpy(bound->bytes + bound->len, bytes, len);
  bound->len += len;
}

static void put_number(struct bound *bound, uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) {
    bound->bytes[bound->len++] = (uint8_t)(number >> shift & 255);
  }
}

/* The length of the part is fixed by the zero that ends it, everything else has a fixed width. */
static void bind_place(struct bound *bound, const struct seal_place *place, const char *head) {
  static const char TITLE[] = "puente/seal/1";
  bound->len = 0;
  put(bound, TITLE, sizeof TITLE);
  put(bound, place->part, strnlen(place->part, PART_MOST));
  put(bound, "", 1);
  put_number(bound, (uint64_t)place->id);
  put_number(bound, (uint64_t)place->from);
  put(bound, head, SEAL_NAMED);
}

static void bind_key(struct bound *bound, uint32_t id, const char *purpose) {
  static const char TITLE[] = "puente/wrap/1";
  bound->len = 0;
  put(bound, TITLE, sizeof TITLE);
  put(bound, purpose, strnlen(purpose, PART_MOST));
  put(bound, "", 1);
  put_number(bound, id);
}

void seal_start(struct seal_nonces *nonces) {
  randombytes_buf(nonces->prefix, sizeof nonces->prefix);
  nonces->used = 0;
}

bool seal_is(struct slice body) {
  return body.len >= SEAL_EXTRA && body.data[0] == SEAL_CODEC;
}

uint32_t seal_key_id(struct slice sealed) {
  uint32_t id = 0;
  for (unsigned i = 0; i < 4; i++) {
    id |= (uint32_t)(unsigned char)sealed.data[1 + i] << (8 * i);
  }
  return id;
}

void seal_close(const struct seal_key *key, struct seal_nonces *nonces, const struct seal_place *place,
                struct slice text, char *sealed) {
  struct bound bound;
  unsigned char *out = (unsigned char *)sealed;
  out[0] = SEAL_CODEC;
  for (unsigned i = 0; i < 4; i++) {
    out[1 + i] = (unsigned char)(key->id >> (8 * i) & 255);
  }
  uint64_t number = nonces->used++;
  memcpy(out + SEAL_NAMED, nonces->prefix, sizeof nonces->prefix);
  memcpy(out + SEAL_NAMED + sizeof nonces->prefix, &number, sizeof number);
  bind_place(&bound, place, sealed);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out + SEAL_HEAD, NULL, (const unsigned char *)text.data, text.len,
                                             bound.bytes, bound.len, NULL, out + SEAL_NAMED, key->bytes);
}

bool seal_open(const struct seal_key *key, const struct seal_place *place, struct slice sealed, char *text) {
  struct bound bound;
  const unsigned char *in = (const unsigned char *)sealed.data;
  if (!seal_is(sealed)) {
    return false;
  }
  bind_place(&bound, place, sealed.data);
  return crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)text, NULL, NULL, in + SEAL_HEAD,
                                                    sealed.len - SEAL_HEAD, bound.bytes, bound.len, in + SEAL_NAMED,
                                                    key->bytes)
         == 0;
}

void seal_wrap(const struct subkey *wrapping, uint32_t id, const char *purpose, const uint8_t secret[KEY_SIZE],
               uint8_t wrapped[SEAL_WRAPPED]) {
  struct bound bound;
  bind_key(&bound, id, purpose);
  randombytes_buf(wrapped, SEAL_NONCE);
  crypto_aead_xchacha20poly1305_ietf_encrypt(wrapped + SEAL_NONCE, NULL, secret, KEY_SIZE, bound.bytes, bound.len, NULL,
                                             wrapped, wrapping->bytes);
}

bool seal_unwrap(const struct subkey *wrapping, uint32_t id, const char *purpose, const uint8_t wrapped[SEAL_WRAPPED],
                 uint8_t secret[KEY_SIZE]) {
  struct bound bound;
  bind_key(&bound, id, purpose);
  return crypto_aead_xchacha20poly1305_ietf_decrypt(secret, NULL, NULL, wrapped + SEAL_NONCE, SEAL_WRAPPED - SEAL_NONCE,
                                                    bound.bytes, bound.len, wrapped, wrapping->bytes)
         == 0;
}

struct keyed_digest seal_wrapper(const struct subkey *wrapping) {
  return subkey_digest(wrapping, slice_of("puente/wrapper"));
}
