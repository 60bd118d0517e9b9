/* SIGNED CHECKPOINTS: what the log's head was at a moment, for holders outside the reach of whoever runs the store. A
 * text of seven lines (docs/audit-log.md), signed with Ed25519 (libsodium). The signing key is derived from the
 * workspace's key; its public half everybody may have. */
#ifndef PUENTE_AUDIT_CHECKPOINT_H
#define PUENTE_AUDIT_CHECKPOINT_H

#include "core/base/buffer.h"
#include "core/base/digest.h"

enum { SIGNING_PUBLIC_SIZE = 32, SIGNATURE_SIZE = 64, CHECKPOINT_LIMIT = 4096, CHECKPOINT_NAME = 64 };

struct checkpoint {
  char workspace[CHECKPOINT_NAME]; /* its name; what is no letter, digit, '-', '_' or '.' of it became '-' */
  int64_t sequence, at;            /* microseconds since the epoch */
  struct sha256 hash;              /* of that entry */
  uint8_t key[SIGNING_PUBLIC_SIZE];
};

void checkpoint_name(const char *workspace, char name[CHECKPOINT_NAME]);
void checkpoint_public(const struct key *key, uint8_t public[SIGNING_PUBLIC_SIZE]);
/* Sets checkpoint->key and appends the text with its signature. */
enum status checkpoint_sign(const struct key *key, struct checkpoint *checkpoint, struct buffer *out,
                            struct error *error) MUST_CHECK;
/* ERR_INPUT where the text is no checkpoint; ERR_AUTH where its signature is not that of its key, or its key is not the
 * `trusted` one (NULL: any). */
enum status checkpoint_read(struct slice text, const uint8_t *trusted, struct checkpoint *checkpoint,
                            struct error *error) MUST_CHECK;

#endif
