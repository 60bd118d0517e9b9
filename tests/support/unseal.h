/* Sealed bodies as tests compare them: opened with the key file, beside the program's own ring. A failure of the
 * harness ends the test program. */
#ifndef PUENTE_TESTS_SUPPORT_UNSEAL_H
#define PUENTE_TESTS_SUPPORT_UNSEAL_H

#include "core/base/seal.h"

#include <stdio.h>

enum { UNSEAL_KEYS = 32 };
struct unsealer {
  struct key *key;
  struct seal_key keys[UNSEAL_KEYS];
  size_t count;
};
void unseal_begin(struct unsealer *unsealer, const char *key_file);
/* One row of table data_key: its number, purpose, and the hexadecimal text of `wrapped`; another file's is left out. */
void unseal_add(struct unsealer *unsealer, uint32_t id, const char *purpose, const char *wrapped);
/* Writes a field: "@PART ID FROM HEX" as what is sealed there, in hexadecimal, anything else as it is. */
void unseal_put(const struct unsealer *unsealer, const char *field, FILE *out);
void unseal_end(struct unsealer *unsealer);

/* The part of a column that is sealed (core/store/ring.h), and the columns of its place; NULL: it is not. `from` may
 * be "0". */
const char *unseal_part(const char *table, const char *column, const char **id, const char **from);

#endif
