/* Named transforms: what a field rule may do with a value. transform.c holds the one table that lists them; each family
 * has a file. A transform is pure: the same value and settings give the same result, so that results may be kept. */
#ifndef PUENTE_MAPPING_TRANSFORM_TRANSFORM_H
#define PUENTE_MAPPING_TRANSFORM_TRANSFORM_H

#include "mapping/compile.h"

/* One value on its way to a cell. Text is borrowed: from the record, the plan, or the arena. */
struct value {
  struct slice text;
  bool absent;       /* nothing is there; `missing` says why */
  uint8_t missing;   /* enum missing */
  bool settled;      /* decided: no further transform */
  bool mild;         /* the fault is a remark: the value stays, the issue is a warning whatever `else` says */
  bool grave;        /* the fault is an error whatever `else` says */
  const char *fault; /* reason of an issue, NULL: none */
  const char *hint;  /* of the fault, translated; NULL: the reason's own */
};

struct transform_context {
  struct arena *arena;
  const struct cell *cells; /* fields of the row mapped so far; NULL for a `let` */
};

enum transform_use {
  TRANSFORM_CLEAN,  /* a name in `clean:` */
  TRANSFORM_PART,   /* a part of a field rule, at most one of them in a rule */
  TRANSFORM_IMPLIED /* by the field's type */
};

struct transform {
  const char *name;
  enum transform_use use;
  unsigned types;          /* of fields that it fits: bits 1 << enum field_type */
  bool kept;               /* dear enough to keep its results by value */
  const char *arguments;   /* for the documentation */
  const char *description; /* N_() */
  /* Settings from the part's node; `rule` is the whole rule, for the part's companions. NULL: takes none. Mistakes go
   * to the compiler. */
  const void *(*compile)(struct compiler *compiler, const struct yaml *node, const struct yaml *rule,
                         const struct entity *entity, const struct field *field);
  /* False: out of memory. Called with a value that is there and not settled. */
  bool (*apply)(const void *settings, const struct transform_context *context, struct value *value);
};

const struct transform *transform_find(const char *name, enum transform_use use); /* NULL if unknown */
const struct transform *transform_table(size_t *count);

static inline bool value_fault(struct value *value, const char *reason) {
  value->fault = reason;
  value->settled = true;
  return true;
}
static inline bool value_missing(struct value *value, enum missing missing) {
  value->absent = true;
  value->missing = (uint8_t)missing;
  value->settled = true;
  return true;
}

/* Families. */
bool transform_trim(const void *settings, const struct transform_context *context, struct value *value);
bool transform_squeeze(const void *settings, const struct transform_context *context, struct value *value);
bool transform_upper(const void *settings, const struct transform_context *context, struct value *value);
bool transform_lower(const void *settings, const struct transform_context *context, struct value *value);
bool transform_fold(const void *settings, const struct transform_context *context, struct value *value);
bool transform_digits(const void *settings, const struct transform_context *context, struct value *value);
bool transform_alnum(const void *settings, const struct transform_context *context, struct value *value);
bool transform_double_encoding(const void *settings, const struct transform_context *context, struct value *value);
bool transform_name(const void *settings, const struct transform_context *context, struct value *value);

const void *transform_split_name_compile(struct compiler *compiler, const struct yaml *node, const struct yaml *rule,
                                         const struct entity *entity, const struct field *field);
bool transform_split_name(const void *settings, const struct transform_context *context, struct value *value);
const void *transform_date_compile(struct compiler *compiler, const struct yaml *node, const struct yaml *rule,
                                   const struct entity *entity, const struct field *field);
bool transform_date(const void *settings, const struct transform_context *context, struct value *value);
const void *transform_decimal_compile(struct compiler *compiler, const struct yaml *node, const struct yaml *rule,
                                      const struct entity *entity, const struct field *field);
bool transform_decimal(const void *settings, const struct transform_context *context, struct value *value);
bool transform_boolean(const void *settings, const struct transform_context *context, struct value *value);
const void *transform_phone_compile(struct compiler *compiler, const struct yaml *node, const struct yaml *rule,
                                    const struct entity *entity, const struct field *field);
bool transform_phone(const void *settings, const struct transform_context *context, struct value *value);
const void *transform_document_compile(struct compiler *compiler, const struct yaml *node, const struct yaml *rule,
                                       const struct entity *entity, const struct field *field);
bool transform_dni(const void *settings, const struct transform_context *context, struct value *value);
bool transform_document(const void *settings, const struct transform_context *context, struct value *value);
const void *transform_lookup_compile(struct compiler *compiler, const struct yaml *node, const struct yaml *rule,
                                     const struct entity *entity, const struct field *field);
bool transform_lookup(const void *settings, const struct transform_context *context, struct value *value);
const void *transform_ubigeo_compile(struct compiler *compiler, const struct yaml *node, const struct yaml *rule,
                                     const struct entity *entity, const struct field *field);
bool transform_ubigeo(const void *settings, const struct transform_context *context, struct value *value);

#endif
