/* WHAT REPORTS TOLD: rows of table `told` (core/store/told.h), which are committed with an entry `told`. Its body names
 * them: {"digest":"HEX","from":N,"tables":M} are M rows from number N on, and the SHA-256 over the definition and the
 * cells of each, a zero byte after each. */
#ifndef PUENTE_AUDIT_TOLD_H
#define PUENTE_AUDIT_TOLD_H

#include "core/base/buffer.h"
#include "core/store/told.h"

enum { TOLD_BODY_MOST = 160 };

/* Appends what the digest of a row is over. */
void told_put(struct buffer *text, struct slice definition, struct slice cells);
/* The body of an entry of rows in this order. */
enum status told_body(const struct told_row *rows, size_t count, char body[TOLD_BODY_MOST],
                      struct error *error) MUST_CHECK;

/* ---- verification: begun, given each entry, then the rows are looked at ---- */

struct told_check {
  struct buffer claims; /* of what entries name, in their order */
  int64_t last;         /* the last row of before the entries were read: later ones may have an entry that is later */
};
enum status told_check_begin(struct told_check *check, struct store *store, struct error *error) MUST_CHECK;
enum status told_check_entry(struct told_check *check, const struct audit_row *row, struct error *error) MUST_CHECK;
/* The first entry whose rows are not what it names, 0: there is none; and whether there is a row that none names. */
enum status told_check_rows(const struct told_check *check, struct store *store, int64_t *wrong, bool *unnamed,
                            struct error *error) MUST_CHECK;
void told_check_free(struct told_check *check);

#endif
