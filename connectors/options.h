/* Options of a connector as a table: the core parses, checks, documents (`puente connectors rest`), redacts and frees
 * them. A connector declares a struct of its own and one row for each member. */
#ifndef PUENTE_CONNECTORS_OPTIONS_H
#define PUENTE_CONNECTORS_OPTIONS_H

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/yaml.h"

#include <stddef.h>

enum option_type {
  OPTION_TEXT,     /* const char * */
  OPTION_INTEGER,  /* int64_t; `least` and `most` bound it */
  OPTION_BOOLEAN,  /* bool */
  OPTION_DURATION, /* int64_t microseconds: "30s", "10m" */
  OPTION_SIZE,     /* int64_t bytes: "64MiB" */
  OPTION_CHOICE,   /* int: position in `choices` */
  OPTION_PATH,     /* const char *: relative to the configuration's folder, made absolute */
  OPTION_SECRET,   /* char *: env:NAME or file:PATH, read at open, wiped at free, never printed */
  OPTION_LIST,     /* struct option_list */
  OPTION_MAP       /* struct option_map: names and values, for headers and parameters */
};

struct option_list {
  const char **items;
  size_t count;
};
struct option_map {
  const char **names, **values;
  size_t count;
};

struct option {
  const char *name; /* "token_url" */
  enum option_type type;
  bool required;
  const char *otherwise;      /* the default as text, NULL: none */
  const char *const *choices; /* NULL-terminated */
  int64_t least, most;
  const char *description; /* one sentence, N_() */
  size_t offset;
};

/* Fills `target` (zeroed, `size` bytes) from the map. Unknown names get the nearest valid one as a hint. Text lives in
 * the arena; secrets are allocated by themselves and freed by options_wipe. `base` is the configuration's folder. */
enum status options_parse(const struct option *table, const struct yaml *map, const char *base, struct arena *arena,
                          void *target, struct error *error) MUST_CHECK;
/* The same without reading secrets, whose members stay NULL: only the form of their references is checked. */
enum status options_check(const struct option *table, const struct yaml *map, const char *base, struct arena *arena,
                          void *target, struct error *error) MUST_CHECK;
/* ERR_CONFIG for an option without which `because` ("`auth: basic`") cannot be. */
enum status options_missing(const char *name, const char *because, struct error *error);
void options_wipe(const struct option *table, void *target);

#endif
