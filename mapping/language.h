/* The words of the mapping language in one table: the compiler accepts these and no others, mistakes name the nearest
 * of these, and config/schema/mapping.schema.json is written from these. */
#ifndef PUENTE_MAPPING_LANGUAGE_H
#define PUENTE_MAPPING_LANGUAGE_H

#include "core/base/buffer.h"
#include "core/model/model.h"

struct language_word {
  const char *where; /* "head", "defaults", "block", "rule", "condition" */
  const char *name;
  const char *shape;       /* what may stand there: a definition of the schema */
  const char *description; /* N_() */
};
const struct language_word *language_table(size_t *count);
/* Names of one place, NULL-terminated; NULL for a place that is none. */
const char *const *language_keys(const char *where);

/* The language as a JSON Schema (draft 2020-12), with the entities and fields of the model. */
enum status language_schema(const struct model *model, struct buffer *out, struct error *error) MUST_CHECK;

#endif
