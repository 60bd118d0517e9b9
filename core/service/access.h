/* WHO ACTS, AND WHAT THEY MAY: every service that shows, decides or publishes asks here first. On PostgreSQL the roles
 * are the database's own (core/store/postgres): this is the same question asked early, for a refusal in words and its
 * entry in the log; the database refuses by itself. SQLite is for one trusted user, who has every right. */
#ifndef PUENTE_SERVICE_ACCESS_H
#define PUENTE_SERVICE_ACCESS_H

#include "core/service/workspace.h"

enum access_right {
  RIGHT_RUN,     /* pull, map, link, back up */
  RIGHT_WATCH,   /* status, runs, quarantine by shapes */
  RIGHT_FIGURES, /* releases and suppressed tables */
  RIGHT_EXACT,   /* figures before suppression */
  RIGHT_SIGHT,   /* identified data, with a purpose */
  RIGHT_DECIDE,  /* about pairs, quarantine, findings */
  RIGHT_APPROVE, /* mappings, code lists, link models of another */
  RIGHT_LOG,     /* the log and lineage, values masked */
  RIGHT_PUBLISH, /* releases and exports */
  RIGHT_KEYS,    /* list, split and join keys, give out the linkage key */
  RIGHT_SEAL,    /* seal all that is kept under another key, or put another key file in place */
  RIGHT_ACCESS,  /* grant roles */
  RIGHT_COUNT
};

/* ERR_AUTH where the actor's role does not have it; the refusal is in the log before this returns. */
enum status access_require(struct workspace *workspace, enum access_right right, struct error *error) MUST_CHECK;

/* The same where any of several rights does, given by bit (1 << RIGHT_…). */
enum status access_require_any(struct workspace *workspace, unsigned rights, struct error *error) MUST_CHECK;
/* Whether the session reads its roles' views, and not the tables. */
bool access_restricted(const struct workspace *workspace);

/* What the command at hand needs, by bit: a workspace with a store that is opened from here on is refused to a role
 * without it. Of the process; before this is called RIGHT_RUN. */
void access_expect(unsigned rights);
enum status access_enter(struct workspace *workspace, struct error *error) MUST_CHECK;

/* Interactive actions are a named person's: ERR_AUTH for an account that several use (root, puente, …; more in
 * `access: shared:`), with the hint to set PUENTE_ACTOR, and for one that `access: people:` does not list. */
enum status access_person(const struct workspace *workspace, struct error *error) MUST_CHECK;

#endif
