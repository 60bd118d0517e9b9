/* A compiled plan, and what applying one needs. Only files of mapping/ include this. The plan's arena owns everything
 * that hangs from a plan; a batch's scratch belongs to the batch and is bound to one plan at a time. */
#ifndef PUENTE_MAPPING_PLAN_INTERNAL_H
#define PUENTE_MAPPING_PLAN_INTERNAL_H

#include "core/base/map.h"
#include "mapping/compile.h"
#include "mapping/language.h"
#include "mapping/plan.h"
#include "mapping/transform/transform.h"

enum {
  PATH_STEPS_MOST = 32,
  LISTS_NESTED_MOST = 128,
  RULE_PATHS_MOST = 16,
  RULE_STEPS_MOST = 16,
  CONDITION_DEPTH_MOST = 16,
  RECORD_ROWS_MOST = 100000,
  VALUE_BYTES_MOST = 65536,
  KEPT_VALUE_MOST = 96,
  RECORD_ISSUES_MOST = 1000,
  KEY_BYTES_MOST = 512
};
#define VALUE_SEPARATOR '\x1f' /* between the values of one field while they travel together */

/* ---- paths ---- */

enum step_kind { STEP_NAME, STEP_UP, STEP_SELF, STEP_ROOT };
struct path_step {
  struct slice name;
  uint32_t hint; /* position in scratch->hints */
  int32_t index; /* the name as a list position, or -1 */
  uint8_t kind;
};
struct path {
  const struct path_step *steps;
  size_t count;
  int let;           /* slot of a `let` value, or -1 */
  const char *text;  /* as written */
  const char *whole; /* as seen from the record's root; NULL: of a `let`, or the root itself */
};

/* ---- conditions ---- */

enum condition_kind { CONDITION_ALL, CONDITION_ANY, CONDITION_NOT, CONDITION_IN, CONDITION_MATCHES, CONDITION_PRESENT };
struct condition {
  enum condition_kind kind;
  const struct path *path;
  const struct slice *values; /* folded */
  size_t count;
  const struct condition *const *parts;
  bool wanted; /* of CONDITION_PRESENT */
};

/* ---- field rules ---- */

struct word { /* result of a table of values */
  struct slice text;
  bool absent;
  uint8_t missing;
};
struct words {
  struct map *exact, *folded; /* source text → position in words */
  struct word *words;
  bool has_blank; /* "" stands in the table */
  struct word blank;
  size_t longest;          /* bytes of the longest key: anything much longer cannot match */
  unsigned char first[32]; /* bit set: first bytes, letters in both cases, that a key may begin with */
};

enum otherwise { OTHERWISE_NULL, OTHERWISE_QUARANTINE, OTHERWISE_CODE, OTHERWISE_MISSING };

struct rule_step {
  const struct transform *transform;
  const void *settings;
};

struct rule {
  const char *name;          /* "person.birth_date" */
  const struct field *field; /* NULL: a `let` */
  int target;                /* column, or slot of the `let` */
  int line;
  uint16_t number; /* of the rule in its plan */
  bool kept;       /* results are kept by value */
  bool single;     /* one path, one value: the short way */
  bool joined;     /* `join` */
  bool late;       /* looks at other fields of its row: applied after them, results never kept */
  bool many;
  bool required;
  bool has_constant;
  bool has_fallback;
  char separator[8];
  uint8_t separator_len;
  uint8_t otherwise;
  uint8_t else_missing;
  struct slice join;
  const struct condition *when;
  const struct path *const *paths;
  size_t path_count;
  const char *path_text; /* of all paths, for issues and traces */
  const char *transforms_text;
  const struct words *missing;
  struct rule_step *cleaning; /* repair first, then clean */
  size_t cleaning_count;
  bool repairs; /* cleaning[0] is the repair, which comes before `missing` */
  const struct words *values;
  struct rule_step part; /* transform NULL: none */
  const struct path *text;
  struct cell constant, fallback, else_cell;
};
struct rules {
  struct rule *items;
  size_t count, capacity;
};

/* ---- blocks ---- */

struct key_rule {
  const struct path *const *paths;
  size_t count; /* 0: none */
  const char *text;
  int line;
};
struct block {
  const struct entity *entity;
  const struct path *each; /* NULL: the record itself */
  const struct condition *when;
  struct key_rule key, case_key, person_key;
  struct rules lets, fields;
  const struct entity *involvement; /* made with each person, or NULL */
  struct rules involvement_fields;
  int number;       /* among the blocks of its entity, from 1; 0: the only one */
  const char *name; /* the entity's */
  int role_column;  /* of involvement, or -1 */
  int line;
  bool needs_reference; /* rows must belong to a case or a person */
};

struct plan {
  struct arena *arena;
  const struct model *model;
  const struct codelists *lists;
  const struct entity *case_entity, *person_entity;
  const char *source, *file;
  struct buffer text;
  struct sha256 digest;
  const struct format *format;
  struct format_options options;
  struct key_rule key;
  const struct condition *refuse, *withhold, *deleted;
  struct rules lets;
  struct block **blocks; /* cases, persons, then the others, each in file order */
  size_t block_count;
  const char **paths; /* NULL-terminated */
  uint32_t hint_count;
  int let_count;
  uint16_t rule_count;
  struct map **maps; /* of words: freed with the plan */
  size_t map_count, map_capacity;
};

/* Compilers. `base` is the path from the record's root to where the relative one starts (NULL: the root). */
const struct path *path_compile(struct compiler *compiler, const struct yaml *at, const char *text,
                                const struct path *base);
const struct condition *condition_compile(struct compiler *compiler, const struct yaml *node, const struct path *base,
                                          int depth);
const struct words *words_compile(struct compiler *compiler, const struct yaml *map, const struct yaml *more,
                                  const struct field *field, const struct codelist *list, bool reasons_only);
void rule_compile(struct compiler *compiler, const struct yaml *node, const struct entity *entity,
                  const struct field *field, const struct path *base, struct rules *rules);
void lets_compile(struct compiler *compiler, const struct yaml *node, const struct path *base, struct rules *rules);
void key_compile(struct compiler *compiler, const struct yaml *node, const struct path *base, struct key_rule *key);
void blocks_compile(struct compiler *compiler, const struct yaml *root);

/* ---- applying ---- */

struct kept { /* one result by value */
  uint32_t hash;
  uint16_t rule;
  uint16_t len;
  const char *text;
  struct value value;
};
struct let_value {
  struct slice text;
  bool absent;
  uint8_t missing;
};
struct anchor { /* a case or a person of the record at hand */
  const struct node *node;
  struct slice key;
  bool shared; /* another row stands at the same node */
};
struct index_slot {
  uint32_t hash, value, stamp;
};
struct index { /* values by hash; emptied by a new stamp */
  struct index_slot *slots;
  uint32_t size; /* a power of two, or 0 */
  uint32_t count, stamp;
};
struct anchors {
  struct anchor *items;
  size_t count, capacity;
  struct index index; /* once there are many */
};

struct plan_scratch {
  const struct plan *plan; /* bound to */
  struct sha256 digest;    /* of that plan: an address may be used again */
  uint32_t *hints;
  struct let_value *lets;
  const struct node **nodes; /* found by `each` and paths of many values; used as a stack */
  size_t node_count, node_capacity;
  struct anchors cases, persons;
  struct index keys;                     /* of the record's rows, once an entity has many */
  size_t first_row[MODEL_ENTITIES_MOST]; /* of the record at hand */
  size_t first_issue, record_rows;
  struct kept *kept; /* KEPT_SLOTS of them */
  size_t kept_count;
  bool kept_full;
  struct arena *kept_arena;
  enum status (*trace)(void *context, const struct trace_step *step);
  void *trace_context;
  enum status trace_status;
};

/* One record on its way. */
struct run {
  const struct plan *plan;
  struct batch *batch;
  struct plan_scratch *scratch;
  const struct node *root;
  uint32_t record;
  struct slice key;     /* the record's */
  struct slice row_key; /* of the row at hand, for traces */
  bool key_known, quarantined;
  enum status failed; /* of the program: ERR_MEMORY, ERR_LIMIT */
};

bool scratch_bind(struct plan_scratch *scratch, const struct plan *plan);
struct plan_scratch *scratch_new(void);
void scratch_free(struct plan_scratch *scratch);
void scratch_reset(struct plan_scratch *scratch);

/* The first node that the path finds, lists entered; `*several` where it is not the only one. */
const struct node *path_first(struct run *run, const struct path *path, const struct node *from, bool *several);
/* Pushes every node found to scratch->nodes; false: out of memory or too many. */
bool path_all(struct run *run, const struct path *path, const struct node *from);
/* Text of a scalar node, trimmed; false where it has none (null, blank). */
bool node_value(const struct node *node, struct slice *text);
bool condition_holds(struct run *run, const struct condition *condition, const struct node *node);
bool words_find(const struct words *words, struct arena *arena, struct slice text, const struct word **word);

/* Reads, converts and sets the rule's cells; false stops the record (run->failed). */
bool rule_apply(struct run *run, const struct rule *rule, const struct node *node, struct cell *cells);
bool rules_apply(struct run *run, const struct rules *rules, const struct node *node, struct cell *cells);
bool key_read(struct run *run, const struct key_rule *rule, const struct node *node, struct slice *key);
bool issue_add(struct run *run, enum issue_level level, const char *field, const char *reason, const char *path,
               struct slice value, const char *hint, int line);
const char *issue_hint(const char *reason); /* translated; "" */

/* Results kept by rule and value. What is kept lives until the batch is reset, at least. */
const struct kept *kept_find(struct plan_scratch *scratch, uint16_t rule, struct slice text, uint32_t *hash);
void kept_add(struct plan_scratch *scratch, uint16_t rule, struct slice text, uint32_t hash, const struct value *value);

#define INDEX_NONE UINT32_MAX
uint32_t index_hash(const void *data, size_t len, uint32_t seed);
void index_clear(struct index *index);
/* The value under `hash` for which `same` holds, or INDEX_NONE. */
uint32_t index_find(const struct index *index, uint32_t hash, bool (*same)(const void *context, uint32_t value),
                    const void *context);
bool index_add(struct index *index, uint32_t hash, uint32_t value); /* false: out of memory */

/* Default references: the enclosing row, else the only one of the record. Empty: none. */
bool anchors_add(struct anchors *anchors, const struct node *node, struct slice key);
struct slice anchors_enclosing(const struct anchors *anchors, const struct node *node);
void anchors_clear(struct anchors *anchors);

#endif
