/* A YAML document as a tree that remembers where each node stood (libyaml underneath). Nodes live in the arena that
 * the caller gives and owns. Anchors, tags and duplicate keys are refused with their place. */
#ifndef PUENTE_BASE_YAML_H
#define PUENTE_BASE_YAML_H

#include "core/base/arena.h"
#include "core/base/error.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml {
  enum yaml_kind kind;
  bool quoted;           /* a scalar written in quotes: "" and "no" are text then */
  const char *text;      /* scalar: its text, terminated; map entry: see key */
  const char *key;       /* the key under which this node stands in its map; NULL in a list */
  struct yaml *children; /* `count` nodes, in file order */
  size_t count;
  int line, column; /* of the node, from 1 */
  int key_line, key_column;
  const char *file;
};

/* At most 4 MiB and 64 levels. An empty file is an empty map. */
enum status yaml_load(const char *path, struct arena *arena, struct yaml **root, struct error *error) MUST_CHECK;
enum status yaml_parse(const char *name, struct slice text, struct arena *arena, struct yaml **root,
                       struct error *error) MUST_CHECK;

const struct yaml *yaml_get(const struct yaml *map, const char *key); /* NULL if absent or map is NULL */
const char *yaml_text(const struct yaml *map, const char *key, const char *otherwise);
/* Typed readers: OK and `*value` untouched where the key is absent; ERR_CONFIG with file:line:col where it is wrong. */
enum status yaml_bool(const struct yaml *map, const char *key, bool *value, struct error *error) MUST_CHECK;
enum status yaml_int(const struct yaml *map, const char *key, int64_t least, int64_t most, int64_t *value,
                     struct error *error) MUST_CHECK;
/* Microseconds: "30s", "10m". */
enum status yaml_duration(const struct yaml *map, const char *key, int64_t least, int64_t most, int64_t *value,
                          struct error *error) MUST_CHECK;
/* From 0 to 1. */
enum status yaml_share(const struct yaml *map, const char *key, double *value, struct error *error) MUST_CHECK;
/* One of `choices` (NULL-terminated): its position. */
enum status yaml_choice(const struct yaml *map, const char *key, const char *const *choices, int *value,
                        struct error *error) MUST_CHECK;
/* A list of texts, or one text alone; `*items` and their text live in the arena. */
enum status yaml_texts(const struct yaml *map, const char *key, struct arena *arena, const char ***items, size_t *count,
                       struct error *error) MUST_CHECK;
/* ERR_CONFIG at the first key that is not in `known` (NULL-terminated), with the nearest valid name as the hint. */
enum status yaml_check_keys(const struct yaml *map, const char *const *known, struct error *error) MUST_CHECK;
/* ERR_CONFIG at this node: message as given, place file:line:col. */
enum status yaml_error(const struct yaml *node, struct error *error, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
