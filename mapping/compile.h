/* What compiling a mapping file needs everywhere: where it allocates, what it may refer to, and the mistakes so far.
 * Compiling goes on after a mistake, so that an official sees all of them at once; the plan is used only if there is
 * none. Everything made here lives in the plan's arena. */
#ifndef PUENTE_MAPPING_COMPILE_H
#define PUENTE_MAPPING_COMPILE_H

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/yaml.h"
#include "core/model/model.h"
#include "mapping/codelist.h"

enum { MISTAKES_MOST = 64 };

struct defaults {
  const struct yaml *date;    /* formats; NULL: ISO */
  const struct yaml *missing; /* map, or NULL */
  const struct yaml *system;  /* map of code list to systems, or NULL */
  const struct yaml *repair;
  const struct yaml *decimal;
};

struct mistake {
  int line, column;
  const char *place, *message, *hint; /* hint: NULL for none */
};

struct compiler {
  struct arena *arena;
  const struct model *model;
  const struct codelists *lists;
  struct mistake *mistakes; /* MISTAKES_MOST of them */
  size_t mistake_count;
  bool out_of_memory;
  struct plan *plan;
  struct defaults defaults;
  bool flat; /* csv and row: a path is one column name */
  /* Code lists used, for the digest. */
  const struct codelist **used;
  size_t used_count, used_capacity;
  /* Names of `let` in scope. */
  const char **lets;
  size_t let_count, let_capacity;
  size_t path_count, path_capacity; /* of plan->paths */
};

/* Places: the node's value, or its key. `hint` may be NULL. */
void compile_mistake(struct compiler *compiler, const struct yaml *at, const char *hint, const char *format, ...)
    PRINTF_LIKE(4, 5);
void compile_key_mistake(struct compiler *compiler, const struct yaml *at, const char *hint, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* A mistake that another reader found, with its place. */
void compile_take(struct compiler *compiler, const struct error *error);
/* Writes the mistakes in order of their places to `out` (NULL allowed), the first to `error`. */
void compile_report(struct compiler *compiler, struct buffer *out, struct error *error);
/* "did you mean …?" in the arena where a candidate is near, else NULL. */
const char *compile_nearest(struct compiler *compiler, const char *name, const char *const *candidates, size_t count);
/* A mistake for each key of the map that is not in `known` (NULL-terminated). */
void compile_check_keys(struct compiler *compiler, const struct yaml *map, const char *const *known);
/* Zeroed; NULL sets out_of_memory. */
void *compile_alloc(struct compiler *compiler, size_t count, size_t size);
char *compile_text(struct compiler *compiler, const char *text);
/* Room for one more element of an array in the arena. */
bool compile_grow(struct compiler *compiler, void **items, size_t count, size_t *capacity, size_t size);
/* A list of that name, noted for the digest; a mistake at `at` and NULL where there is none. */
const struct codelist *compile_list(struct compiler *compiler, const struct yaml *at, const char *name);
/* The systems that a rule's `system:` or the defaults name for the list, tried in turn; NULL: the list's own. Ends with
 * NULL. */
const char *const *compile_systems(struct compiler *compiler, const struct yaml *rule, const struct codelist *list);
/* A code of the list by its harmonised name; a mistake at `at` and NULL where there is none. `reasons`: a missing
 * reason may stand there too, and may be the nearest name. */
const struct code *compile_code(struct compiler *compiler, const struct yaml *at, const struct codelist *list,
                                bool reasons);
/* A scalar's text; a mistake and NULL where the node is a map or a list. */
const char *compile_scalar(struct compiler *compiler, const struct yaml *node);
/* One scalar, or a list of scalars; a mistake otherwise. At most 64. */
size_t compile_texts(struct compiler *compiler, const struct yaml *node, const char ***texts);

#endif
