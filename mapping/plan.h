/* HOW A RECORD BECOMES THE COMMON MODEL: a mapping file compiled to a plan, and the plan applied to parsed records.
 *
 * A plan is immutable and may be used by several threads, each with its own batch. Mapping is deterministic: the same
 * bytes and the same plan digest give the same rows and issues. The language is documented in mapping/README.md, and
 * every example there is a case in tests/mapping/cases that runs. */
#ifndef PUENTE_MAPPING_PLAN_H
#define PUENTE_MAPPING_PLAN_H

#include "core/base/node.h"
#include "core/base/texts.h"
#include "core/model/model.h"
#include "mapping/codelist.h"
#include "mapping/format/format.h"

struct plan;

/* Compiles a mapping file. Several mistakes are reported together through `mistakes` (one "file:line:col: message\n
 * hint" each, NULL allowed); the first is also in `error`. `model` and `lists` must outlive the plan. */
enum status plan_load(const char *path, const struct model *model, const struct codelists *lists, struct plan **plan,
                      struct buffer *mistakes, struct error *error) MUST_CHECK;
/* The same where `texts` (NULL: files) tell which text of the file counts. */
enum status plan_load_approved(const char *path, const struct approved_texts *texts, const struct model *model,
                               const struct codelists *lists, struct plan **plan, struct buffer *mistakes,
                               struct error *error) MUST_CHECK;
/* The same from text, named `name` in messages. */
enum status plan_parse(const char *name, struct slice text, const struct model *model, const struct codelists *lists,
                       struct plan **plan, struct buffer *mistakes, struct error *error) MUST_CHECK;
void plan_free(struct plan *plan);
const char *plan_source(const struct plan *plan);   /* the `source:` it is written for */
struct sha256 plan_digest(const struct plan *plan); /* file, code lists used, model, engine version */
struct slice plan_text(const struct plan *plan);    /* the file as read, kept with its digest in the store */
const struct format *plan_format(const struct plan *plan);
const struct format_options *plan_format_options(const struct plan *plan);
/* Input paths that the mapping reads, for schema drift (NULL-terminated, owned by the plan). */
const char *const *plan_paths(const struct plan *plan);
/* A path from which a key and an identifying field are both read, with the field and the line of the key; NULL: none.
 * Keys are not sealed: they must not tell who somebody is. */
const char *plan_telling_key(const struct plan *plan, const char **field, int *line);
/* Told of each path, as seen from the record's root, that an identifying field is read from; codes of names are none.
 * True ends the visit, and is returned. */
typedef bool plan_identifier_visitor(void *context, const char *path, const char *field, int line);
bool plan_visit_identifiers(const struct plan *plan, plan_identifier_visitor *visit, void *context);

enum outcome {
  OUTCOME_MAPPED,
  OUTCOME_QUARANTINED, /* at least one issue of level error; none of its rows stay */
  OUTCOME_WITHHELD,    /* `withhold:` applies (no consent): counted, not staged */
  OUTCOME_REFUSED      /* `refuse:` applies (the accused's side of the defence): not even landed */
};

enum issue_level { ISSUE_WARNING, ISSUE_ERROR };

/* What a reason by itself asks for, untranslated; "" where the hint depends on the value. */
const char *plan_hint(const char *reason);

struct issue {
  uint32_t record; /* position in the batch */
  enum issue_level level;
  const char *field;  /* "person.birth_date", or "" for the record */
  const char *reason; /* stable code: "date_unreadable", "code_unknown", "key_missing", "dni_check", … */
  const char *path;   /* input path that was read */
  struct slice shape; /* of the value, never the value */
  const char *hint;   /* translated, may name the nearest valid code; in the batch's arena */
  int line;           /* of the rule in the mapping file */
};

/* What one batch of records became. Made once, reset per batch; owns its arena and rows. Serves one plan between two
 * resets. Some hundred records at a time stay in a core's cache, and are mapped a third faster than some thousand. */
struct batch {
  struct arena *arena;
  struct rows rows[MODEL_ENTITIES_MOST]; /* by entity->index */
  struct issue *issues;
  size_t issue_count, issue_capacity;
  struct plan_scratch *scratch; /* the plan's own: position hints, caches of value pairs */
  /* Told of the rows of a quarantined record before they are taken back, the last ones of the batch; `whole`: no block
   * was given up. NULL: nobody asks. Stays over a reset. */
  void (*losing)(void *context, const struct batch *batch, uint32_t record, bool whole);
  void *losing_context;
};

enum status batch_init(struct batch *batch, const struct model *model, struct error *error) MUST_CHECK;
void batch_reset(struct batch *batch);
void batch_free(struct batch *batch);

/* The record's own key, as text in the batch's arena (parts joined by '/'); ERR_INPUT where a part is missing. */
enum status plan_key(const struct plan *plan, struct batch *batch, const struct node *record, struct slice *key,
                     struct error *error) MUST_CHECK;
/* Whether `refuse:` applies; called before landing. */
bool plan_refuses(const struct plan *plan, struct batch *batch, const struct node *record);
/* Whether the mapping's top-level `deleted:` condition applies: the record says that the one of its key is deleted at
 * the source. False where the mapping has none; asked after plan_refuses and before plan_apply. */
bool plan_deletes(const struct plan *plan, struct batch *batch, const struct node *record);
/* Applies the plan: appends rows and issues under position `record`. OK whatever the outcome; an error is the
 * program's (memory, limit), never the record's. Each row that a quarantined or withheld record made is taken back. */
enum status plan_apply(const struct plan *plan, struct batch *batch, const struct node *root, uint32_t record,
                       enum outcome *outcome, struct error *error) MUST_CHECK;

/* One step per value for `puente explain`: field, input path, shape or value, transforms, result, line. */
struct trace_step {
  const char *entity, *field, *path, *transforms;
  struct slice key;   /* of the row */
  struct slice input; /* the raw value; callers mask it unless revealed */
  struct slice output;
  int line;
};
enum status plan_trace(const struct plan *plan, struct batch *batch, const struct node *root,
                       enum status (*step)(void *context, const struct trace_step *step), void *context,
                       struct error *error) MUST_CHECK;

#endif
