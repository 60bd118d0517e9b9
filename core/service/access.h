/* WHO ACTS, AND WHAT THEY MAY: every service that shows, decides or publishes asks here first. On PostgreSQL the roles
 * are the database's own (core/store/postgres): this is the same question asked early, for a refusal in words and its
 * entry in the log; the database refuses by itself. SQLite is for one trusted user, who has every right. */
#ifndef PUENTE_SERVICE_ACCESS_H
#define PUENTE_SERVICE_ACCESS_H

#include "core/service/workspace.h"

enum access_right {
  RIGHT_RUN,     /* pull, map, link, back up; sees no value of a person */
  RIGHT_FIGURES, /* releases and suppressed tables */
  RIGHT_EXACT,   /* figures before suppression */
  RIGHT_SIGHT,   /* identified data, with a purpose */
  RIGHT_DECIDE,  /* about pairs, quarantine, findings */
  RIGHT_APPROVE, /* mappings, code lists, link models of another */
  RIGHT_LOG,     /* the log and lineage, values masked */
  RIGHT_PUBLISH, /* releases and exports */
  RIGHT_KEYS,    /* make, rotate, split, restore keys */
  RIGHT_ACCESS   /* grant roles */
};

/* ERR_AUTH where the actor's role does not have it; the refusal is in the log before this returns. */
enum status access_require(struct workspace *workspace, enum access_right right, struct error *error) MUST_CHECK;

/* Interactive actions are a named person's: ERR_AUTH for an account that several use (root, puente, …; more in
 * `access: shared:`), with the hint to set PUENTE_ACTOR, and for one that `access: people:` does not list. */
enum status access_person(const struct workspace *workspace, struct error *error) MUST_CHECK;

#endif
