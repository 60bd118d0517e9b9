#include "core/audit/checkpoint.h"

#include "core/base/date.h"

#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

static const char TITLE[] = "puente/checkpoint/1\n";

void checkpoint_name(const char *workspace, char name[CHECKPOINT_NAME]) {
  size_t len = 0;
  for (; workspace[len] != '\0' && len + 1 < CHECKPOINT_NAME; len++) {
    unsigned char c = (unsigned char)workspace[len];
    name[len] = c < 128 && (isalnum(c) || strchr("-_.", c) != NULL) ? (char)c : '-';
  }
  name[len] = '\0';
}

static void key_pair(const struct key *key, uint8_t public[SIGNING_PUBLIC_SIZE],
                     uint8_t secret[crypto_sign_SECRETKEYBYTES]) {
  struct subkey seed = key_subkey(key, "audit/checkpoint");
  crypto_sign_seed_keypair(public, secret, seed.bytes);
  sodium_memzero(&seed, sizeof seed);
}

void checkpoint_public(const struct key *key, uint8_t public[SIGNING_PUBLIC_SIZE]) {
  uint8_t secret[crypto_sign_SECRETKEYBYTES];
  key_pair(key, public, secret);
  sodium_memzero(secret, sizeof secret);
}

enum status checkpoint_sign(const struct key *key, struct checkpoint *checkpoint, struct buffer *out,
                            struct error *error) {
  uint8_t secret[crypto_sign_SECRETKEYBYTES], signature[SIGNATURE_SIZE];
  char at[TIMESTAMP_TEXT_SIZE], hash[2 * SHA256_SIZE + 1], public[2 * SIGNING_PUBLIC_SIZE + 1];
  char signed_text[2 * SIGNATURE_SIZE + 1];
  size_t from = out->len;
  key_pair(key, checkpoint->key, secret);
  clock_format(checkpoint->at, at);
  hex_format(checkpoint->hash.bytes, SHA256_SIZE, hash);
  hex_format(checkpoint->key, SIGNING_PUBLIC_SIZE, public);
  buffer_printf(out, "%sworkspace %s\nsequence %lld\nhash %s\nat %s\nkey %s\n", TITLE, checkpoint->workspace,
                (long long)checkpoint->sequence, hash, at, public);
  enum status status = buffer_check(out, _("a checkpoint"), error);
  if (status == OK) {
    crypto_sign_detached(signature, NULL, (const unsigned char *)out->data + from, out->len - from, secret);
    hex_format(signature, SIGNATURE_SIZE, signed_text);
    buffer_printf(out, "signature %s\n", signed_text);
    status = buffer_check(out, _("a checkpoint"), error);
  }
  sodium_memzero(secret, sizeof secret);
  return status;
}

/* The value of the line "NAME VALUE" at the front of `rest`, which is moved behind it. */
static bool take_line(struct slice *rest, const char *name, struct slice *value) {
  const char *end = rest->len == 0 ? NULL : memchr(rest->data, '\n', rest->len);
  size_t len = strlen(name);
  if (end == NULL || (size_t)(end - rest->data) < len + 2 || memcmp(rest->data, name, len) != 0
      || rest->data[len] != ' ') {
    return false;
  }
  *value = slice_make(rest->data + len + 1, (size_t)(end - rest->data) - len - 1);
  *rest = slice_make(end + 1, rest->len - (size_t)(end + 1 - rest->data));
  return true;
}

static bool take_number(struct slice text, int64_t *number) {
  char digits[24];
  if (text.len == 0 || text.len >= sizeof digits || !isdigit((unsigned char)text.data[0])) {
    return false;
  }
  memcpy(digits, text.data, text.len);
  digits[text.len] = '\0';
  char *end;
  errno = 0;
  *number = strtoll(digits, &end, 10);
  return errno == 0 && *end == '\0';
}

static bool take_all(struct slice text, struct checkpoint *checkpoint, uint8_t signature[SIGNATURE_SIZE],
                     size_t *signed_len) {
  struct slice rest = text, name, sequence, hash, at, key, sign;
  size_t title = sizeof TITLE - 1;
  if (text.len < title || memcmp(text.data, TITLE, title) != 0) {
    return false;
  }
  rest = slice_make(text.data + title, text.len - title);
  if (!take_line(&rest, "workspace", &name) || !take_line(&rest, "sequence", &sequence)
      || !take_line(&rest, "hash", &hash) || !take_line(&rest, "at", &at) || !take_line(&rest, "key", &key)) {
    return false;
  }
  *signed_len = text.len - rest.len;
  if (!take_line(&rest, "signature", &sign) || rest.len != 0 || name.len >= CHECKPOINT_NAME) {
    return false;
  }
  memcpy(checkpoint->workspace, name.data, name.len);
  checkpoint->workspace[name.len] = '\0';
  return take_number(sequence, &checkpoint->sequence) && hex_parse(hash, checkpoint->hash.bytes, SHA256_SIZE)
         && clock_parse(at, &checkpoint->at) && hex_parse(key, checkpoint->key, SIGNING_PUBLIC_SIZE)
         && hex_parse(sign, signature, SIGNATURE_SIZE);
}

enum status checkpoint_read(struct slice text, const uint8_t *trusted, struct checkpoint *checkpoint,
                            struct error *error) {
  uint8_t signature[SIGNATURE_SIZE];
  size_t signed_len = 0;
  *checkpoint = (struct checkpoint){.sequence = 0};
  if (!take_all(text, checkpoint, signature, &signed_len)) {
    error_set(error, ERR_INPUT, "%s", _("this is no checkpoint of an audit log"));
    error_hint(error, "%s", _("take the file as `puente audit checkpoint` wrote it, with all of its seven lines"));
    return ERR_INPUT;
  }
  if (crypto_sign_verify_detached(signature, (const unsigned char *)text.data, signed_len, checkpoint->key) != 0) {
    error_set(error, ERR_AUTH, "%s", _("the checkpoint was changed after it was signed"));
    error_hint(error, "%s", _("ask its holder for the file as they received it"));
    return ERR_AUTH;
  }
  if (trusted != NULL && memcmp(trusted, checkpoint->key, SIGNING_PUBLIC_SIZE) != 0) {
    error_set(error, ERR_AUTH, "%s", _("the checkpoint was signed with another key than this workspace's"));
    error_hint(error, "%s", _("it belongs to another workspace, or somebody made it up"));
    return ERR_AUTH;
  }
  return OK;
}
