/* What stands beside exported rows: of each file what a row is, of each column what it holds and by which code list,
 * and which snapshot it is of. CSV of the columns item, value, en, es, as in docs/exports.md. */
#ifndef PUENTE_SERVICE_OUTBOUND_DICTIONARY_H
#define PUENTE_SERVICE_OUTBOUND_DICTIONARY_H

#include "core/service/workspace.h"

/* The lines about the export itself. */
enum status dictionary_begin(struct workspace *workspace, const char *form, struct buffer *out,
                             struct error *error) MUST_CHECK;
/* A file of rows of `entity`; its columns follow. Errors of the buffer stick. */
void dictionary_file(struct buffer *out, const struct entity *entity, const char *file, int64_t rows);
/* A column by its name in the file; `field` NULL: a column of the store's own, of the view's name. */
void dictionary_column(struct buffer *out, const char *name, const char *column, const struct field *field);

#endif
