/* CROSSWALK: the numbers of one institution's cases beside the numbers that others have for the same cases, as far as
 * their terms let it see them. The rules stand in one SELECT, which the service runs itself and which is the body of a
 * function for officers (core/store/postgres/roles_bulk.c): the same rows for both.
 *
 * A number of another institution is shown where a line of table share says so (access.h) and no person of either
 * record limited the consent; else the row says only that there is one. */
#ifndef PUENTE_STORE_CROSSWALK_H
#define PUENTE_STORE_CROSSWALK_H

#include "core/store/store.h"

enum { CROSSWALK_NUMBERS_MOST = 8 };

/* Fields of a case by which institutions call it: texts of it that are not open, not of one institution alone and not
 * sealed. At most CROSSWALK_NUMBERS_MOST. */
size_t crosswalk_numbers(const struct model *model, const struct field *numbers[CROSSWALK_NUMBERS_MOST]);

struct crosswalk_side {
  int source_id;
  struct slice source, institution, key; /* key: the source's own of the case */
  struct slice numbers[CROSSWALK_NUMBERS_MOST];
};
enum crosswalk_partner { PARTNER_NONE, PARTNER_HELD, PARTNER_SHARED };
/* Texts live until the next row; empty ones are missing. */
struct crosswalk_row {
  int64_t case_id, row_id; /* of the institution's own row */
  struct crosswalk_side own;
  enum crosswalk_partner partner;
  /* Where it is shared: */
  struct crosswalk_side other;
  struct slice evidence; /* "decision", "rule", "weight"; "indirect": both were joined to a third */
  struct slice weight;   /* match weight as a number; empty: none */
};
typedef enum status crosswalk_visitor(void *context, const struct crosswalk_row *row, struct error *error);
/* By case, own row, other row; an own row without any partner once. A session of officers sees rows only under a sight
 * of all (store_sight_all). The caller has logged the purpose. */
enum status store_visit_crosswalk(struct store *store, const char *institution, crosswalk_visitor *visit, void *context,
                                  struct error *error) MUST_CHECK;

#endif
