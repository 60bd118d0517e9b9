#include "core/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_BLOCK ((size_t)64 * 1024)
#define LARGEST_BLOCK ((size_t)4 * 1024 * 1024)
#define DEFAULT_LIMIT ((size_t)1 << 30)

struct block {
  struct block *next;
  size_t size;
  size_t used;
  alignas(max_align_t) unsigned char bytes[];
};

struct arena {
  struct block *first;
  struct block *current; /* blocks after it are empty, kept from before the last reset */
  size_t used;
  size_t limit;
  bool failed;
};

struct arena *arena_new(size_t limit) {
  struct arena *arena = calloc(1, sizeof *arena);
  if (arena != NULL) {
    arena->limit = limit == 0 ? DEFAULT_LIMIT : limit;
  }
  return arena;
}

void arena_free(struct arena *arena) {
  if (arena == NULL) {
    return;
  }
  for (struct block *block = arena->first, *next; block != NULL; block = next) {
    next = block->next;
    free(block);
  }
  free(arena);
}

void arena_reset(struct arena *arena) {
  for (struct block *block = arena->first; block != NULL; block = block->next) {
    block->used = 0;
  }
  arena->current = arena->first;
  arena->used = 0;
  arena->failed = false;
}

size_t arena_used(const struct arena *arena) {
  return arena->used;
}

bool arena_failed(const struct arena *arena) {
  return arena->failed;
}

/* Makes a block with room for `size` bytes current: a kept one if the next is large enough, else a new one between. */
static struct block *block_advance(struct arena *arena, size_t size) {
  struct block *current = arena->current;
  struct block *next = current == NULL ? NULL : current->next;
  if (next != NULL && next->size >= size) {
    arena->current = next;
    return next;
  }
  size_t wanted = current == NULL ? FIRST_BLOCK : current->size * 2;
  wanted = wanted > LARGEST_BLOCK ? LARGEST_BLOCK : wanted;
  wanted = wanted < size ? size : wanted;
  struct block *block = malloc(sizeof *block + wanted);
  if (block == NULL) {
    return NULL;
  }
  *block = (struct block){.next = next, .size = wanted};
  if (current == NULL) {
    arena->first = block;
  } else {
    current->next = block;
  }
  arena->current = block;
  return block;
}

static void *take(struct arena *arena, size_t size, size_t align) {
  if (size > arena->limit || arena->used > arena->limit - size) {
    arena->failed = true;
    return NULL;
  }
  struct block *block = arena->current;
  size_t start = block == NULL ? 0 : (block->used + align - 1) & ~(align - 1);
  if (block == NULL || start > block->size || size > block->size - start) {
    block = block_advance(arena, size);
    if (block == NULL) {
      arena->failed = true;
      return NULL;
    }
    start = 0;
  }
  block->used = start + size;
  arena->used += size;
  return block->bytes + start;
}

void *arena_alloc(struct arena *arena, size_t size) {
  void *memory = take(arena, size, alignof(max_align_t));
  if (memory != NULL) {
    memset(memory, 0, size);
  }
  return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total)) {
    arena->failed = true;
    return NULL;
  }
  return arena_alloc(arena, total);
}

char *arena_bytes(struct arena *arena, size_t size) {
  return take(arena, size, 1);
}

char *arena_text(struct arena *arena, struct slice text) {
  if (text.len == SIZE_MAX) {
    return NULL;
  }
  char *copy = arena_bytes(arena, text.len + 1);
  if (copy == NULL) {
    return NULL;
  }
  if (text.len > 0) {
    memcpy(copy, text.data, text.len);
  }
  copy[text.len] = '\0';
  return copy;
}

struct slice arena_copy(struct arena *arena, struct slice text) {
  if (text.len == 0) {
    return (struct slice){.data = ""};
  }
  char *copy = arena_bytes(arena, text.len);
  if (copy != NULL) {
    memcpy(copy, text.data, text.len);
  }
  return (struct slice){.data = copy, .len = text.len};
}

char *arena_printf(struct arena *arena, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  char *text = length < 0 ? NULL : arena_bytes(arena, (size_t)length + 1);
  if (text != NULL) {
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
  }
  return text;
}
