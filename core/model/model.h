/* The common model: entities and fields read once from config/model (one file an entity). From it come the
 * tables of both stores, validation, exports, redaction and documentation; no field has a name in C.
 *
 * The model owns everything it points to and is immutable after model_load. */
#ifndef PUENTE_MODEL_MODEL_H
#define PUENTE_MODEL_MODEL_H

#include "core/base/arena.h"
#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/slice.h"

#include <stddef.h>
#include <stdint.h>

enum field_type {
  FIELD_TEXT,
  FIELD_INTEGER,
  FIELD_DECIMAL, /* canonical decimal text, '.' as sign, stored as text */
  FIELD_DATE,    /* ISO 8601 of reduced precision, see date.h */
  FIELD_BOOLEAN, /* integer 0 or 1 */
  FIELD_CODE,    /* a code of `codelist` */
  FIELD_ENCODING /* what `of` became where it may not be shared (core/link/clk.h): in a table apart, read by linking */
};

enum sensitivity { SENSITIVITY_OPEN, SENSITIVITY_QUASI, SENSITIVITY_SENSITIVE, SENSITIVITY_IDENTIFIER };

struct field {
  const char *name;
  enum field_type type;
  bool many;            /* several values, stored ';'-joined in the order given */
  bool local;           /* shown to the supplying institution alone; never survives into a person (shelter, location) */
  const char *codelist; /* of a FIELD_CODE; else NULL */
  enum sensitivity sensitivity;
  const char *htcds; /* HTCDS 2.0 field name, or NULL */
  const char *label_en, *label_es;
  int64_t least, most;   /* bounds of a FIELD_INTEGER */
  const char *const *of; /* of a FIELD_ENCODING: the names and the date that it encodes; else NULL */
  size_t of_count;
  int column; /* position of its value in a row of the entity; its own code follows at column + 1 if FIELD_CODE */
};

/* One cell of a mapped row. A FIELD_CODE makes two columns: the harmonised code, and `<field>_own`, the source's own
 * code and text as written ("129-A" or "129-A|TRATA DE PERSONAS"). */
struct column {
  const char *name;
  const struct field *field;
  bool own; /* the source's own code of `field` */
};

/* Fields that together identify: stored as a keyed digest beside the sealed identity ("document", "name"). */
struct equality_key {
  const char *name;
  const struct field **fields;
  size_t count;
};

struct entity {
  const char *name; /* "person" */
  const char *label_en, *label_es;
  uint8_t index;   /* in model->entities */
  bool has_case;   /* rows carry the key of a case */
  bool has_person; /* rows carry the key of a person */
  bool aggregate;  /* published figures: never linked */
  const struct field *fields;
  size_t field_count;
  const struct column *columns;
  size_t column_count;
  const struct equality_key *keys;
  size_t key_count;
  const struct field *encoding; /* its FIELD_ENCODING; NULL: it has none */
};

struct model {
  const struct entity *entities;
  size_t entity_count;
  struct sha256 digest; /* of the files, in name order */
};

enum { MODEL_ENTITIES_MOST = 16, ENTITY_COLUMNS_MOST = 96 };

/* Reads every *.yaml of the folder. Mistakes have file, line, column and the nearest valid name. */
enum status model_load(const char *folder, struct model **model, struct error *error) MUST_CHECK;
void model_free(struct model *model);
const struct entity *model_entity(const struct model *model, const char *name); /* NULL if absent */
const struct field *entity_field(const struct entity *entity, struct slice name);

/* What may be shown of a value of a field that is not open (NULL: which field it is of is not known): three stars for a
 * code or a flag, of which even the number of words tells it; else its shape (text.h), at most `most` characters. */
struct slice field_mask(const struct field *field, struct arena *arena, struct slice text, size_t most);

/* ---- rows: what a plan makes and a store stages ---- */

enum cell_kind { CELL_NULL, CELL_TEXT, CELL_INTEGER };

/* Why a cell is CELL_NULL, where the source or the mapping says so; names are the code list "missing". */
enum missing {
  MISSING_UNSTATED, /* nothing is known of why */
  MISSING_NOT_ASKED,
  MISSING_NOT_RECORDED,
  MISSING_REFUSED,
  MISSING_UNKNOWN,
  MISSING_NOT_DISAGGREGATED,
  MISSING_NOT_APPLICABLE,
  MISSING_PROTECTED, /* deliberately nameless (Criminal Procedure Code 95.1.c, 248.2.d) */
  MISSING_INVALID,   /* was there and could not be read: a warning stands beside the record */
  MISSING_COUNT
};
const char *missing_name(enum missing missing);
bool missing_parse(struct slice name, enum missing *missing);

struct cell {
  uint8_t kind;    /* enum cell_kind */
  uint8_t missing; /* enum missing */
  uint32_t len;    /* of text */
  union {
    const char *text; /* borrowed: from the record's bytes, the plan, or the batch's arena */
    int64_t integer;
  };
};

/* Rows of one entity, of one batch. `cells` is row-major, column_count a row. Arrays are the batch's, and are used
 * again after a reset. */
struct row_head {
  uint32_t record;       /* position of the record in the batch */
  struct slice key;      /* of this entity within its source; unique within its record */
  struct slice case_key; /* empty where the entity has none */
  struct slice person_key;
};

struct rows {
  const struct entity *entity;
  size_t count, capacity;
  struct row_head *heads;
  struct cell *cells;
};

static inline struct cell *rows_cells(const struct rows *rows, size_t row) {
  return rows->cells + row * rows->entity->column_count;
}

#endif
