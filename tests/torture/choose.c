#include "tests/torture/choose.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { QUICK = 2, SEEN = 1 << 18 };

static _Atomic uint64_t *seen; /* an open hash table that processes share */

void choose_begin(void) {
  seen = mmap(NULL, SEEN * sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (seen == MAP_FAILED) {
    perror("torture: mmap");
    abort();
  }
}

bool choose_new(const struct call *call, uint64_t pass) {
  uint64_t mark = (call->path ^ pass * 0x9e3779b97f4a7c15U) | 1;
  for (size_t at = mark % SEEN; call->path != 0; at = (at + 1) % SEEN) {
    uint64_t there = 0;
    if (atomic_compare_exchange_strong(&seen[at], &there, mark)) {
      return true;
    }
    if (there == mark) {
      return false;
    }
  }
  return true;
}

static int by_path(const void *a, const void *b) {
  const struct call *left = a, *right = b;
  return left->path != right->path ? (left->path < right->path ? -1 : 1) : left->nth < right->nth ? -1 : 1;
}

static int by_number(const void *a, const void *b) {
  unsigned left = ((const struct call *)a)->nth, right = ((const struct call *)b)->nth;
  return left < right ? -1 : left > right;
}

/* Keeps the first call of each path, in the order of calls. */
static unsigned keep_paths(struct call *calls, unsigned count) {
  unsigned kept = 0;
  qsort(calls, count, sizeof *calls, by_path);
  for (unsigned i = 0; i < count; i++) {
    if (i == 0 || calls[i].path != calls[i - 1].path) {
      calls[kept++] = calls[i];
    }
  }
  qsort(calls, kept, sizeof *calls, by_number);
  return kept;
}

struct call *choose(const uint64_t *paths, unsigned count, unsigned *chosen, unsigned *distinct) {
  const char *asked = getenv("TORTURE");
  bool all = asked != NULL && strcmp(asked, "all") == 0;
  struct call *calls = calloc(count + 1, sizeof *calls);
  if (calls == NULL) {
    abort();
  }
  for (unsigned i = 0; i < count; i++) {
    calls[i] = (struct call){.path = all ? 0 : paths[i], .nth = i + 1};
  }
  *distinct = *chosen = all ? count : keep_paths(calls, count);
  unsigned most = asked == NULL ? QUICK : (unsigned)strtoul(asked, NULL, 10);
  if (most > 0 && *chosen > most) {
    for (unsigned i = 0; i < most; i++) {
      calls[i] = calls[(2 * (size_t)i + 1) * *chosen / (2 * (size_t)most)];
    }
    *chosen = most;
  }
  return calls;
}
