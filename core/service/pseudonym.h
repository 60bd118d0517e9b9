/* PSEUDONYMS: what stands for an id in files for one institution. Keyed BLAKE2b under a subkey of the workspace's root
 * key for that institution ("pseudonym/PE/MP"; "pseudonym-named/PE/MP" in files that name people): the same id has the
 * same pseudonym in every file of that kind for it. Two institutions cannot tell by pseudonyms which of their rows are
 * the same, nor can one put the names of its own records to what others supplied. Who has the root key can. Pure. */
#ifndef PUENTE_SERVICE_PSEUDONYM_H
#define PUENTE_SERVICE_PSEUDONYM_H

#include "core/base/digest.h"

enum { PSEUDONYM_SIZE = 2 * KEYED_SIZE + 1 };

enum pseudonym_files {
  PSEUDONYM_ANONYMOUS,
  PSEUDONYM_NAMED /* names, or an institution's own numbers, stand beside */
};
struct subkey pseudonym_key(const struct key *key, const char *institution, enum pseudonym_files files);
/* `kind` keeps ids of different things apart: "person", "case", "record", "row". */
void pseudonym_write(const struct subkey *subkey, const char *kind, int64_t id, char text[PSEUDONYM_SIZE]);

#endif
