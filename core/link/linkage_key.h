/* THE LINKAGE KEY: under which names that may not be shared are encoded (clk.h), alone in a file, for an institution
 * that encodes its own (`puente encode`). It is derived from the workspace's key, by which Puente encodes for others,
 * and tells nothing of it: who has the file opens no store. Who has it can encode a register and compare: it goes from
 * the administrator of keys to the institution, and to nobody else.
 * The file is one of core/base/paper.h, of mode 0600; docs/keys.md shows one. */
#ifndef PUENTE_LINK_LINKAGE_KEY_H
#define PUENTE_LINK_LINKAGE_KEY_H

#include "core/base/digest.h"

enum { LINKAGE_MARK = 2 * KEYED_SIZE, LINKAGE_NAME = 96 };

/* A secret; wiped by the caller. */
struct linkage_key {
  char workspace[LINKAGE_NAME]; /* that it is of */
  uint8_t bytes[KEY_SIZE];
  char mark[LINKAGE_MARK + 1]; /* tells keys apart, and nothing of them */
};

void linkage_key_make(const struct key *key, const char *workspace, struct linkage_key *made);
/* A new file; nothing is overwritten. */
enum status linkage_key_write(const struct linkage_key *key, const char *path, struct error *error) MUST_CHECK;
/* ERR_CONFIG where others can read the file, or it is of another version of the code; ERR_INPUT where it is none or was
 * damaged. */
enum status linkage_key_read(const char *path, struct linkage_key *key, struct error *error) MUST_CHECK;

#endif
