/* A second verifier of Puente's audit log, for whoever does not want to take Puente's word for it. It shares no code
 * with the program, follows docs/audit-log.md, and needs libcrypto alone:
 *   cc -o audit-verify verify.c -lcrypto && ./audit-verify log.jsonl [CHECKPOINT]
 * Prints "audit ok: entries=N head=HASH", or the first entry that is wrong and ends with 1. */
#include <locale.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HASH = 32 };
static const char DIGITS[] = "0123456789abcdef";
static const char *const NAME[8] = {"event", "source", "actor", "purpose", "body", "outcomes", "previous", "hash"};
static EVP_MD_CTX *sha;

static void wrong(long long entry, const char *what) {
  printf("audit wrong: entry %lld %s\n", entry, what), exit(1);
}

static void put_number(long long number, int bytes) {
  for (unsigned char byte; bytes-- > 0; EVP_DigestUpdate(sha, &byte, 1)) {
    byte = (unsigned char)((uint64_t)number >> (8 * bytes));
  }
}

static bool get_hex(const char *text, unsigned char *out, size_t len) {
  return strspn(text, DIGITS) == 2 * len && OPENSSL_hexstr2buf_ex(out, len, NULL, text, '\0') == 1;
}

/* Decodes the JSON string at `at` in place, terminated; gives what follows it, or NULL. Only as it is written: each
 * entry has one line. */
static char *decode(char *at, char **text, size_t *len) {
  static const char from[] = "\"\\bfnrt", to[] = "\"\\\b\f\n\r\t"; /* escapes */
  char *out = *text = ++at;
  long code; /* of "\u001f": a control character that has no letter */
  while (*at != '"' && (unsigned char)*at >= 0x20 && *at != 0x7f) {
    if (*at != '\\') {
      *out++ = *at++;
    } else if (strncmp(at, "\\u00", 4) == 0 && strspn(at + 4, DIGITS) > 1
               && (code = strtol((char[]){at[4], at[5], '\0'}, NULL, 16)) > 0 && (code < 0x20 || code == 0x7f)
               && strchr(to, (int)code) == NULL) {
      *out++ = (char)code;
      at += 6;
    } else if (at[1] != '\0' && strchr(from, at[1]) != NULL) {
      *out++ = to[strchr(from, at[1]) - from];
      at += 2;
    } else {
      return NULL;
    }
  }
  *len = (size_t)(out - *text);
  at = *at == '"' ? at + 1 : NULL;
  *out = '\0';
  return at;
}

/* A text or hash of the line: into the digest, and for a hash to `written`. Gives what follows it. */
static char *take(char *rest, int i, long long entry, unsigned char written[HASH]) {
  char member[32], *text = NULL;
  size_t len = 0, name = (size_t)snprintf(member, sizeof member, ",\"%s\":", NAME[i]);
  bool named = strncmp(rest, member, name) == 0, null = named && strncmp(rest + name, "null", 4) == 0;
  null = null && i > 0 && i < 4;
  rest = null ? rest + name + 4 : named && rest[name] == '"' ? decode(rest + name, &text, &len) : NULL;
  if (rest == NULL || (i > 4 && !get_hex(text, written, HASH))) {
    wrong(entry, "is not written as an entry");
  }
  i < 5 ? put_number(null ? UINT32_MAX : (long long)len, 4) : (void)0;
  i < 7 ? EVP_DigestUpdate(sha, i < 5 ? (const void *)text : written, i < 5 ? len : HASH) : 0;
  return rest;
}

/* One line: its number, its chain, its hash. */
static void check_line(char *line, long long expected, unsigned char head[HASH]) {
  unsigned char digest[HASH], written[HASH];
  long long n[3] = {INT64_MAX};
  char begins[128];
  sscanf(line, "{\"sequence\":%lld,\"at\":%lld,\"run\":%lld", n, n + 1, n + 2);
  int len = snprintf(begins, sizeof begins, "{\"sequence\":%lld,\"at\":%lld,\"run\":%lld", n[0], n[1], n[2]);
  bool entry = strncmp(line, begins, (size_t)len) == 0 && mbstowcs(NULL, line, 0) != (size_t)-1; /* UTF-8 */
  if (!entry || n[0] != expected) {
    const char *place = n[0] > expected ? "is missing" : "stands here again";
    wrong(n[0] < expected ? n[0] : expected, entry ? place : "is not written as an entry");
  }
  EVP_DigestInit_ex(sha, EVP_sha256(), NULL);
  EVP_DigestUpdate(sha, "puente/audit/1\n", 15);
  put_number(n[0], 8), put_number(n[1], 8), put_number(n[2], 8);
  char *rest = line + len;
  for (int i = 0; i < 8; i++) {
    rest = take(rest, i, expected, written);
    if (i == 6 && memcmp(written, head, HASH) != 0) {
      wrong(expected, "does not follow the one before it");
    }
  }
  EVP_DigestFinal_ex(sha, digest, NULL);
  if (strcmp(rest, "}\n") != 0 || memcmp(digest, written, HASH) != 0) {
    wrong(expected, "was changed after it was written");
  }
  memcpy(head, digest, HASH);
}

static long long read_checkpoint(const char *path, unsigned char kept[HASH]) {
  long long sequence = 0;
  char text[4096], hash[65], key[65], signature[129];
  unsigned char public[HASH], sign[64];
  FILE *file = fopen(path, "r");
  text[file == NULL ? 0 : fread(text, 1, sizeof text - 1, file)] = '\0';
  file == NULL ? 0 : fclose(file);
  const char *last = strstr(text, "\nsignature ");
  int got =
      sscanf(text, "puente/checkpoint/1\nworkspace %*63s\nsequence %lld\nhash %64s\nat %*s\nkey %64s\nsignature %128s",
             &sequence, hash, key, signature);
  bool read = got == 4 && last != NULL && strspn(last + 11, DIGITS) == 128 && strcmp(last + 11 + 128, "\n") == 0
              && get_hex(hash, kept, HASH) && get_hex(key, public, HASH) && get_hex(signature, sign, 64);
  EVP_PKEY *pkey = read ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, HASH) : NULL;
  EVP_MD_CTX *by = EVP_MD_CTX_new();
  if (pkey == NULL || EVP_DigestVerifyInit(by, NULL, NULL, NULL, pkey) != 1
      || EVP_DigestVerify(by, sign, 64, (unsigned char *)text, (size_t)(last + 1 - text)) != 1) {
    printf("audit wrong: %s is no checkpoint, or was changed after it was signed\n", path), exit(1);
  }
  printf("checkpoint of entry %lld, key %s\n", sequence, key);
  return sequence;
}

int main(int argc, char **argv) {
  unsigned char head[HASH] = {0}, kept[HASH];
  long long entries = 0;
  char *line = NULL;
  size_t size = 0;
  FILE *file = argc < 2 ? NULL : fopen(argv[1], "r");
  sha = EVP_MD_CTX_new();
  setlocale(LC_CTYPE, "C.UTF-8");
  if (file == NULL) {
    return fprintf(stderr, "usage: audit-verify LOG.jsonl [CHECKPOINT]\n"), 2;
  }
  long long known = argc > 2 ? read_checkpoint(argv[2], kept) : 0;
  while (getline(&line, &size, file) > 0) {
    check_line(line, ++entries, head);
    if (known == entries && memcmp(kept, head, HASH) != 0) {
      wrong(entries, "is not the one that the checkpoint signs");
    }
  }
  known > entries ? wrong(entries + 1, "is missing: the checkpoint signs a later one") : (void)0;
  printf("audit ok: entries=%lld head=", entries);
  for (int i = 0; i < HASH; printf("%02x", head[i++])) {
  }
  return puts("") < 0;
}
