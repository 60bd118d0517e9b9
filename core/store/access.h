/* WHO MAY SEE WHAT, kept by PostgreSQL itself: a group role for each kind of work, views of their own for each, forced
 * row-level security on the tables with rows of persons, and functions that write sights and refusals into the audit
 * log. docs/roles.md is the matrix. The login that owns the store's schema is the service: it alone reads and writes
 * the tables. SQLite has none of this: it is for one trusted user.
 *
 * Texts are borrowed. Writing functions are called between store_begin and store_commit. */
#ifndef PUENTE_STORE_ACCESS_H
#define PUENTE_STORE_ACCESS_H

#include "core/store/store.h"

enum store_role { ROLE_OPERATOR, ROLE_ANALYST, ROLE_OFFICER, ROLE_AUDITOR, ROLE_KEYS, ROLE_COUNT };
enum { ROLES_SERVICE = 1 << ROLE_COUNT };

const char *role_name(enum store_role role); /* "operator", "analyst", "officer", "auditor", "keys" */
/* ERR_USAGE with the nearest name. */
enum status role_parse(const char *name, enum store_role *role, struct error *error) MUST_CHECK;

/* Roles of the session by bit, ROLES_SERVICE for the owner; an SQLite store gives ROLES_SERVICE. A session without
 * ROLES_SERVICE reads the views of its roles under the names of the tables, and writes by the functions below alone. */
unsigned store_roles(const struct store *store);

/* Makes roles, schemas, views, policies and functions anew, as the model says; what was granted stays. ERR_CONFIG on
 * SQLite; ERR_AUTH where the owner may not make roles. */
enum status store_roles_setup(struct store *store, struct error *error) MUST_CHECK;
enum roles_state { ROLES_NONE, ROLES_OLD, ROLES_STAND };
/* ROLES_OLD: the model, the program or the store changed since, or a table lacks its forced row security. */
enum status store_roles_state(struct store *store, enum roles_state *state, struct error *error) MUST_CHECK;

struct granted {
  const char *login;
  enum store_role role;
  const char *institution, *region; /* of officers; NULL: any. A region is the beginning of a place's code: "15" */
  const char *granted_by;
  int64_t since, ended; /* microseconds; ended 0: still */
};
/* ERR_NOT_FOUND where the database has no such login, ERR_USAGE where it has the role so already, ERR_CONFIG where it
 * could see all whatever its role: a superuser, the owner. A grant of other institution or region ends the former. */
enum status store_grant(struct store *store, const struct granted *granted, struct error *error) MUST_CHECK;
enum status store_revoke(struct store *store, const char *login, enum store_role role, struct error *error) MUST_CHECK;
typedef enum status granted_visitor(void *context, const struct granted *granted, struct error *error);
/* By login, role, since; ended ones too. */
enum status store_visit_granted(struct store *store, granted_visitor *visit, void *context,
                                struct error *error) MUST_CHECK;

/* Of a session of officers: the entry of the log and the sight of what is theirs of a person, case or record, committed
 * when this returns; reads of later transactions see it until it ends (15 minutes). ERR_AUTH, logged too, where nothing
 * of it is theirs. `kind`: "person", "case", "record". Outside a transaction. */
enum status store_sight(struct store *store, const char *kind, int64_t id, const char *purpose,
                        struct error *error) MUST_CHECK;
/* The same for all that an institution has, by the grants of the session: "crosswalk": its cases, for
 * store_visit_crosswalk alone; "htcds": its records. The entry `reveal` tells whom it shows, as
 * the service's does. ERR_AUTH, logged too, where the login is no officer of that institution. */
enum status store_sight_all(struct store *store, const char *form, const char *institution, const char *purpose,
                            int64_t *sight, struct error *error) MUST_CHECK;
/* The entry `exported` of such a sight: how many rows left in a file with that SHA-256. */
enum status store_sight_taken(struct store *store, int64_t sight, int64_t rows, const struct sha256 *digest,
                              struct error *error) MUST_CHECK;
/* Of a session of auditors: the entry "figure" or "sample" (`event`) of a figure that is about to be counted, committed
 * when this returns; what figures are made of can be read until it ends (15 minutes). `body` is canonical JSON. Outside
 * a transaction; a store that is open for reading does, too. */
enum status store_sight_figure(struct store *store, const char *event, const char *purpose, const char *body,
                               struct error *error) MUST_CHECK;
/* Of a session of administrators of keys: the entry "key" of a step "split" or "linkage", which `body` (canonical JSON)
 * names; committed when this returns. Outside a transaction. */
enum status store_key_entry(struct store *store, const char *purpose, const char *body, struct error *error) MUST_CHECK;
/* Of a session without ROLES_SERVICE: an entry of the log that a right was refused, committed when this returns.
 * `right` is a word of lower-case letters. Outside a transaction; a store that is open for reading does, too. */
enum status store_refused(struct store *store, const char *right, struct error *error) MUST_CHECK;

/* What a source's institution lets others see of a consolidated value: `recipient` an institution or "*", `field`
 * "person.sex" or "*". The source's former lines are dropped. Without any, other institutions see nothing. */
struct share {
  const char *recipient, *field;
};
enum status store_write_shares(struct store *store, int source_id, const struct share *shares, size_t count,
                               struct error *error) MUST_CHECK;

#endif
