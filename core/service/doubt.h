/* What is not settled about consolidated persons or cases: pairs that wait for a person, and records that linking
 * cannot join to anything. A figure that hides it claims more than is known. */
#ifndef PUENTE_SERVICE_DOUBT_H
#define PUENTE_SERVICE_DOUBT_H

#include "core/store/store.h"

/* A count with its uncertainty. */
struct extent {
  bool hidden;        /* may not be shown: the numbers are gone */
  int64_t records;    /* of sources, behind the figure */
  int64_t figure;     /* persons, or cases */
  int64_t least;      /* the figure if every waiting pair were accepted */
  int64_t unlinkable; /* of the records, those that cannot be linked; -1: the last linking did not keep which */
};

struct doubt_id {
  int64_t id;
  int64_t root;       /* least id among those that waiting pairs bring together, directly or through others */
  int64_t unlinkable; /* records of it that cannot be linked */
};
struct doubt_pair {
  int64_t a, b; /* ids */
};
struct doubt {
  struct doubt_id *ids; /* ascending; those alone that a waiting pair or an unlinkable record touches */
  size_t count;
  struct doubt_pair *pairs; /* waiting ones between two ids, without a decision that stands */
  size_t pair_count;
  bool unlinkable_unknown;
};

/* Of all persons, or cases, as they are now. Freed by doubt_free, also after an error. */
enum status doubt_read(struct store *store, enum cluster_kind kind, struct doubt *doubt,
                       struct error *error) MUST_CHECK;
void doubt_free(struct doubt *doubt);

#endif
