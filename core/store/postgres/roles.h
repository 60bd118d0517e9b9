/* The statements that make roles, their views and policies in PostgreSQL; run in one transaction by
 * core/store/access.c.
 */
#ifndef PUENTE_STORE_POSTGRES_ROLES_H
#define PUENTE_STORE_POSTGRES_ROLES_H

#include "core/store/access.h"
#include "core/store/internal.h"

struct roles {
  struct store *store;
  const char *owner; /* the service's login as an SQL literal */
  struct buffer *sql;
};
/* Appends `text` with the schema in the place of '@', the owner in that of '~'. */
void roles_text(const struct roles *roles, const char *text);

/* A table whose rows are persons'. */
struct guarded {
  const char *table;
  const char *record; /* expression of the record that a row is of; NULL: rows that only the service reads */
  const char *whole;  /* "person" or "case": rows of consolidated ones instead */
  bool lineage;       /* operators and auditors read it through views that mask its values */
};
enum { GUARDED_MOST = 40 };
/* At most GUARDED_MOST; texts are the store's, or in its scratch arena. 0: out of memory. */
size_t roles_guarded(struct store *store, struct guarded *guarded);

/* Appends everything. */
enum status roles_script(const struct roles *roles, struct error *error) MUST_CHECK;
/* ---- its parts ---- */
/* Schema SCHEMA_guard: functions of a role without login, which alone writes sights and entries for other roles. */
void roles_guard(const struct roles *roles);
/* Functions of that schema for all that an institution has. */
void roles_bulk(const struct roles *roles);
/* Views and functions of auditors for figures. */
void roles_figures(const struct roles *roles);
/* The views of each role's schema. */
void roles_views(const struct roles *roles);

#endif
