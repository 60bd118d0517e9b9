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
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_STEP = 64 * 1024 };

struct key {
  uint8_t file[KEY_SIZE], root[KEY_SIZE];
  char path[];
};

struct sha256 sha256_of(struct slice bytes) {
  struct sha256 digest;
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, bytes.data, bytes.len);
  SHA256_Final(digest.bytes, &state);
  return digest;
}

enum status sha256_file(const char *path, struct sha256 *digest, struct error *error) {
  uint8_t chunk[FILE_STEP];
  SHA256_CTX state;
  ssize_t got = 0;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  SHA256_Init(&state);
  while (file >= 0 && ((got = read(file, chunk, sizeof chunk)) > 0 || (got < 0 && errno == EINTR))) {
    SHA256_Update(&state, chunk, got > 0 ? (size_t)got : 0);
  }
  int cause = errno;
  if (file >= 0) {
    close(file);
  }
  if (file < 0 || got < 0) {
    error_set(error, cause == ENOENT ? ERR_NOT_FOUND : ERR_IO, _("cannot read the file: %s"), strerror(cause));
    error_place(error, "%s", path);
    return error->code;
  }
  SHA256_Final(digest->bytes, &state);
  return OK;
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

static bool put_key(int file, const unsigned char bytes[KEY_SIZE]) {
  for (size_t had = 0; had < KEY_SIZE;) {
    ssize_t put = write(file, bytes + had, KEY_SIZE - had);
    if (put <= 0 && errno != EINTR) {
      return false;
    }
    had += put > 0 ? (size_t)put : 0;
  }
  return true;
}

static enum status start_sodium(struct error *error) {
  return sodium_init() < 0 ? error_set(error, ERR_INTERNAL, "%s", _("the random number generator does not start")) : OK;
}

enum status key_create(const char *path, struct error *error) {
  uint8_t bytes[KEY_SIZE];
  enum status status = start_sodium(error);
  if (status == OK) {
    randombytes_buf(bytes, sizeof bytes);
    status = key_write(path, bytes, error);
    sodium_memzero(bytes, sizeof bytes);
  }
  return status;
}

enum status key_write(const char *path, const uint8_t bytes[KEY_SIZE], struct error *error) {
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) {
    error_set(error, errno == ENOSPC ? ERR_FULL : ERR_IO, _("cannot make the key file: %s"), strerror(errno));
    error_place(error, "%s", path);
    if (errno == EEXIST) {
      error_hint(error, "%s", _("a key is never overwritten: without it the digests in the store match nothing"));
    }
    return error->code;
  }
  bool written = put_key(file, bytes) && fsync(file) == 0;
  int cause = errno;
  if (close(file) != 0 || !written) {
    unlink(path);
    error_set(error, cause == ENOSPC ? ERR_FULL : ERR_IO, _("cannot write the key file: %s"), strerror(cause));
    error_place(error, "%s", path);
    return error->code;
  }
  return OK;
}

/* How many bytes there are; -1: they cannot be read. */
static ssize_t get_key(int file, unsigned char bytes[KEY_SIZE]) {
  ssize_t have = 0;
  while (have < KEY_SIZE) {
    ssize_t got = read(file, bytes + have, (size_t)(KEY_SIZE - have));
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
  ssize_t got = info.st_size == KEY_SIZE ? get_key(file, key->file) : 0;
  if (got < 0) {
    return error_set(error, ERR_IO, _("cannot read the key file: %s"), strerror(errno));
  }
  if (got != KEY_SIZE) {
    error_set(error, ERR_CONFIG, _("the key file does not hold %d bytes"), KEY_SIZE);
    error_hint(error, "%s", _("put its copy there, or `puente key join SHARE SHARE FILE` of two holders' shares"));
    return ERR_CONFIG;
  }
  return OK;
}

/* In memory that is not swapped out, as far as the system lets it be locked. */
static enum status new_key(const char *path, struct key **key, struct error *error) {
  *key = NULL;
  enum status status = start_sodium(error);
  if (status != OK) {
    return status;
  }
  size_t len = strlen(path) + 1;
  struct key *made = sodium_malloc(sizeof *made + len);
  if (made == NULL) {
    return error_memory(error);
  }
  memset(made, 0, sizeof *made);
  memcpy(made->path, path, len);
  *key = made;
  return OK;
}

enum status key_load(const char *path, struct key **key, struct error *error) {
  enum status status = new_key(path, key, error);
  if (status != OK) {
    return status;
  }
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    status = error_set(error, ERR_CONFIG, _("cannot read the key file: %s"), strerror(errno));
    error_hint(error, "%s",
               _("put the copy of the key there, mode 0600, or join two shares: `puente key join`; only a workspace "
                 "without a store gets a new one: `puente init`"));
  } else {
    status = key_take(file, *key, error);
    close(file);
  }
  if (status != OK) {
    key_free(*key);
    *key = NULL;
    error_place(error, "%s", path);
    return status;
  }
  memcpy((*key)->root, (*key)->file, KEY_SIZE);
  return OK;
}

enum status key_make(const uint8_t bytes[KEY_SIZE], struct key **key, struct error *error) {
  enum status status = new_key("", key, error);
  if (status == OK) {
    memcpy((*key)->file, bytes, KEY_SIZE);
    memcpy((*key)->root, bytes, KEY_SIZE);
  }
  return status;
}

enum status key_again(struct key *key, bool *changed, struct error *error) {
  struct key *now = NULL;
  *changed = false;
  if (key->path[0] == '\0') {
    return OK;
  }
  enum status status = key_load(key->path, &now, error);
  if (status == OK && memcmp(now->file, key->file, KEY_SIZE) != 0) {
    memcpy(key->file, now->file, KEY_SIZE);
    memcpy(key->root, now->file, KEY_SIZE);
    *changed = true;
  }
  key_free(now);
  return status;
}

void key_free(struct key *key) {
  sodium_free(key); /* wipes it */
}

const char *key_path(const struct key *key) {
  return key->path;
}

const uint8_t *key_bytes(const struct key *key) {
  return key->file;
}

const uint8_t *key_root(const struct key *key) {
  return key->root;
}

void key_set_root(struct key *key, const uint8_t root[KEY_SIZE]) {
  memmove(key->root, root, KEY_SIZE);
}

static struct subkey derive(const uint8_t bytes[KEY_SIZE], const char *purpose) {
  struct subkey subkey;
  crypto_generichash_blake2b(subkey.bytes, sizeof subkey.bytes, (const unsigned char *)purpose, strlen(purpose), bytes,
                             KEY_SIZE);
  return subkey;
}

struct subkey key_subkey(const struct key *key, const char *purpose) {
  return derive(key->root, purpose);
}

void encoding_key(const struct key *key, uint8_t bytes[KEY_SIZE]) {
  struct subkey subkey = key_subkey(key, "encoding");
  memcpy(bytes, subkey.bytes, KEY_SIZE);
  sodium_memzero(&subkey, sizeof subkey);
}

struct subkey key_wrapping(const struct key *key) {
  return derive(key->file, "seal/wrap");
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
