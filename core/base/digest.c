#include "core/base/digest.h"

#include "core/base/buffer.h"
#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
/* The one-shot SHA256() of OpenSSL 3 looks its algorithm up under a lock each time, which costs more than the digest of
 * a record; these three do not. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_BYTES 32

struct key {
  uint8_t bytes[KEY_BYTES];
};

struct sha256 sha256_of(struct slice bytes) {
  struct sha256 digest;
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, bytes.data, bytes.len);
  SHA256_Final(digest.bytes, &state);
  return digest;
}

struct sha256 sha256_marked(uint8_t domain, struct slice bytes) {
  struct sha256 digest;
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, &domain, 1);
  SHA256_Update(&state, bytes.data, bytes.len);
  SHA256_Final(digest.bytes, &state);
  return digest;
}

struct sha256 sha256_pair(uint8_t domain, const struct sha256 *left, const struct sha256 *right) {
  uint8_t joined[2 * SHA256_SIZE];
  memcpy(joined, left->bytes, SHA256_SIZE);
  memcpy(joined + SHA256_SIZE, right->bytes, SHA256_SIZE);
  return sha256_marked(domain, slice_make((const char *)joined, sizeof joined));
}

void hex_format(const uint8_t *bytes, size_t len, char *text) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < len; i++) {
    text[2 * i] = digits[bytes[i] >> 4];
    text[2 * i + 1] = digits[bytes[i] & 15];
  }
  text[2 * len] = '\0';
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hex_parse(struct slice text, uint8_t *bytes, size_t len) {
  if (text.len != 2 * len) {
    return false;
  }
  for (size_t i = 0; i < len; i++) {
    int high = hex_digit(text.data[2 * i]);
    int low = hex_digit(text.data[2 * i + 1]);
    if (high < 0 || low < 0) {
      return false;
    }
    bytes[i] = (uint8_t)(high * 16 + low);
  }
  return true;
}

static bool put_key(int file, const unsigned char bytes[KEY_BYTES]) {
  for (size_t had = 0; had < KEY_BYTES;) {
    ssize_t put = write(file, bytes + had, KEY_BYTES - had);
    if (put <= 0 && errno != EINTR) {
      return false;
    }
    had += put > 0 ? (size_t)put : 0;
  }
  return true;
}

enum status key_create(const char *path, struct error *error) {
  uint8_t bytes[KEY_BYTES];
  if (sodium_init() < 0) {
    return error_set(error, ERR_INTERNAL, "%s", _("the random number generator does not start"));
  }
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) {
    error_set(error, errno == ENOSPC ? ERR_FULL : ERR_IO, _("cannot make the key file: %s"), strerror(errno));
    error_place(error, "%s", path);
    if (errno == EEXIST) {
      error_hint(error, "%s", _("a key is never overwritten: without it the digests in the store match nothing"));
    }
    return error->code;
  }
  randombytes_buf(bytes, sizeof bytes);
  bool written = put_key(file, bytes) && fsync(file) == 0;
  int cause = errno;
  sodium_memzero(bytes, sizeof bytes);
  if (close(file) != 0 || !written) {
    unlink(path);
    error_set(error, cause == ENOSPC ? ERR_FULL : ERR_IO, _("cannot write the key file: %s"), strerror(cause));
    error_place(error, "%s", path);
    return error->code;
  }
  return OK;
}

/* How many bytes there are; -1: they cannot be read. */
static ssize_t get_key(int file, unsigned char bytes[KEY_BYTES]) {
  ssize_t have = 0;
  while (have < KEY_BYTES) {
    ssize_t got = read(file, bytes + have, (size_t)(KEY_BYTES - have));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return got < 0 ? -1 : have;
    }
    have += got;
  }
  return have;
}

/* Reads the key's bytes from an open file; the file must be private and of exactly the right size. */
static enum status key_take(int file, struct key *key, struct error *error) {
  struct stat info;
  if (fstat(file, &info) != 0) {
    return error_set(error, ERR_IO, _("cannot read the key file: %s"), strerror(errno));
  }
  if ((info.st_mode & 077) != 0) {
    error_set(error, ERR_CONFIG, _("the key file can be read by others (mode %04o)"), (unsigned)info.st_mode & 07777);
    error_hint(error, "%s", _("chmod 600 the file"));
    return ERR_CONFIG;
  }
  ssize_t got = info.st_size == KEY_BYTES ? get_key(file, key->bytes) : 0;
  if (got < 0) {
    return error_set(error, ERR_IO, _("cannot read the key file: %s"), strerror(errno));
  }
  return got == KEY_BYTES ? OK : error_set(error, ERR_CONFIG, _("the key file does not hold %d bytes"), KEY_BYTES);
}

enum status key_load(const char *path, struct key **key, struct error *error) {
  *key = NULL;
  if (sodium_init() < 0) {
    return error_set(error, ERR_INTERNAL, "%s", _("the random number generator does not start"));
  }
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    error_set(error, ERR_CONFIG, _("cannot read the key file: %s"), strerror(errno));
    error_place(error, "%s", path);
    error_hint(
        error, "%s",
        _("put the copy of the key there, mode 0600; only a workspace without a store gets a new one: `puente init`"));
    return ERR_CONFIG;
  }
  struct key *made = calloc(1, sizeof *made);
  enum status status = made == NULL ? error_memory(error) : key_take(file, made, error);
  close(file);
  if (status != OK) {
    key_free(made);
    error_place(error, "%s", path);
    return status;
  }
  *key = made;
  return OK;
}

void key_free(struct key *key) {
  if (key != NULL) {
    sodium_memzero(key, sizeof *key);
    free(key);
  }
}

struct subkey key_subkey(const struct key *key, const char *purpose) {
  struct subkey subkey;
  crypto_generichash_blake2b(subkey.bytes, sizeof subkey.bytes, (const unsigned char *)purpose, strlen(purpose),
                             key->bytes, sizeof key->bytes);
  return subkey;
}

struct keyed_digest subkey_digest(const struct subkey *subkey, struct slice text) {
  struct keyed_digest digest;
  crypto_generichash_blake2b(digest.bytes, sizeof digest.bytes, (const unsigned char *)text.data, text.len,
                             subkey->bytes, sizeof subkey->bytes);
  return digest;
}

struct keyed_digest key_digest(const struct key *key, const char *purpose, struct slice text) {
  struct subkey subkey = key_subkey(key, purpose);
  struct keyed_digest digest = subkey_digest(&subkey, text);
  sodium_memzero(&subkey, sizeof subkey);
  return digest;
}
