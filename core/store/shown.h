/* WHOM SIGHTS OF MANY SHOW: lists of numbers of persons beside the audit log, each kept once and called by the SHA-256
 * of its text, which the entry of the sight holds (core/audit/shown.h makes and reads the text). And the questions by
 * which such a list is made, which are not for sessions with a role: the database makes theirs. */
#ifndef PUENTE_STORE_SHOWN_H
#define PUENTE_STORE_SHOWN_H

#include "core/store/store.h"

struct shown_row {
  struct sha256 digest; /* of ids */
  int64_t persons;
  struct slice ids;
};
/* Called between store_begin and store_commit; a list that is there already stays. */
enum status store_write_shown(struct store *store, const struct shown_row *row, struct error *error) MUST_CHECK;
typedef enum status shown_visitor(void *context, struct slice ids, struct error *error);
/* The texts, in no order: each lives until the next. What a text is called, the text itself tells. */
enum status store_visit_shown(struct store *store, shown_visitor *visit, void *context, struct error *error) MUST_CHECK;

typedef enum status id_visitor(void *context, int64_t id, struct error *error);
/* Persons, or cases, that an institution has current rows of: ascending, each once. */
enum status store_visit_own(struct store *store, enum cluster_kind kind, const char *institution, id_visitor *visit,
                            void *context, struct error *error) MUST_CHECK;
/* Persons who are involved in any of the cases, whoever reported it: ascending, each once. */
enum status store_visit_involved(struct store *store, const int64_t *cases, size_t count, id_visitor *visit,
                                 void *context, struct error *error) MUST_CHECK;

#endif
