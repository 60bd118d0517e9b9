#include "core/command/answer.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>

static atomic_bool refused;

static void *take(size_t size) {
  void *memory = malloc(size);
  if (memory == NULL) {
    atomic_store(&refused, true);
  }
  return memory;
}

void answer_watch(void) {
  json_set_alloc_funcs(take, free);
}

bool answer_whole(void) {
  return !atomic_load(&refused);
}
