/* What the fuzzers share. A promise that does not hold ends the program, so that libFuzzer keeps the bytes. */
#ifndef PUENTE_TESTS_FUZZ_H
#define PUENTE_TESTS_FUZZ_H

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/node.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program and says what does not hold. */
void promise(bool holds, const char *what);
/* An error must have a code, a message of its own, and no place or hint that was not filled in. */
void promise_error(enum status status, const struct error *error);

/* Takes a byte from the front; 0 where none is left. */
unsigned fuzz_byte(struct slice *input);
/* Takes the text up to a zero byte (left out) from the front. */
struct slice fuzz_part(struct slice *input);

/* Writes a file into a folder of this process (below /dev/shm where that is), whole and anew; returns its path, which
 * stays. Folders of `name` are made. The folder is removed when the process ends by itself. */
const char *fuzz_file(const char *name, struct slice bytes);
const char *fuzz_folder(void);

/* One arena for all runs, reset on each call. */
struct arena *fuzz_arena(void);

#endif
