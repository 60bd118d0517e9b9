/* WHICH TEXT COUNTS of a file that acts only once a second person has agreed (`approval: required:`): the one that was
 * approved last, so that work goes on while a changed file waits. Readers of mappings, code lists and link files ask
 * here. Owns what it points to; immutable once it is filled. */
#ifndef PUENTE_BASE_TEXTS_H
#define PUENTE_BASE_TEXTS_H

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/digest.h"

/* TEXT_WEIGHTS are no file: link models that were learned from the store, under approval where TEXT_LINK is. */
enum text_kind { TEXT_MAPPING, TEXT_CODELIST, TEXT_LINK, TEXT_KINDS, TEXT_WEIGHTS = TEXT_KINDS };
enum { APPROVED_TEXTS_MOST = 4096 };

extern const char *const text_kind_names[TEXT_KINDS + 1]; /* "mapping", …, "weights" */

struct approved_text {
  enum text_kind kind;
  const char *path, *name; /* name: as `puente approve` takes it */
  const char *fault;       /* why it must not be used; NULL: none */
  struct slice body;
};
struct approved_texts {
  struct arena *arena;
  bool required[TEXT_KINDS];
  struct approved_text *items;
  size_t count;
  bool weighed;             /* learned link models were approved: */
  struct sha256 weights[2]; /* of their texts, by enum cluster_kind */
  char *weights_fault;      /* why they must not be used; NULL: none */
};

/* All required kinds are without an approved text to begin with. */
enum status approved_texts_new(const bool required[TEXT_KINDS], struct approved_texts **texts,
                               struct error *error) MUST_CHECK;
void approved_texts_free(struct approved_texts *texts);
/* Copies; takes the place of a text of the same kind and path. */
enum status approved_texts_add(struct approved_texts *texts, const struct approved_text *text,
                               struct error *error) MUST_CHECK;
bool approved_texts_govern(const struct approved_texts *texts, enum text_kind kind); /* `texts` may be NULL */
/* The approved text of a path; NULL: none. */
const struct approved_text *approved_texts_find(const struct approved_texts *texts, enum text_kind kind,
                                                const char *path);
/* A line in the log where the file is not the approved text any more: whoever reads of a nightly run has to see that it
 * worked with the former version. */
void approved_texts_tell(const struct approved_text *text, size_t most);
/* As file_read where the kind needs no approval, or `texts` is NULL; else the approved text, with a line in the log
 * where the file is another one by now. ERR_CONFIG where nothing was approved of that path, or what is kept as approved
 * was changed. */
enum status approved_texts_read(const struct approved_texts *texts, enum text_kind kind, const char *path, size_t most,
                                struct buffer *text, struct error *error) MUST_CHECK;
/* The error for a text that has a fault. */
enum status approved_texts_refuse(const struct approved_text *text, struct error *error) MUST_CHECK;

#endif
