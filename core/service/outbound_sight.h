/* Sight of all that an institution has, for files that it gets back: in the log, with how many it is of and a digest of
 * their ids, before anything is read; and again with what left. */
#ifndef PUENTE_SERVICE_OUTBOUND_SIGHT_H
#define PUENTE_SERVICE_OUTBOUND_SIGHT_H

#include "core/service/workspace.h"

struct outbound_sight {
  const char *form; /* "crosswalk": of its cases; "htcds": of its persons */
  const char *institution, *purpose;
  int64_t number; /* out: of an officer's login; 0: the service's */
};

/* Needs RIGHT_SIGHT, a purpose that the terms of the institution's own sources allow, and a named person; an officer's
 * login sees its own institution alone (ERR_AUTH, logged). */
enum status outbound_sight_begin(struct workspace *workspace, struct outbound_sight *sight,
                                 struct error *error) MUST_CHECK;
/* Rows that are about to leave, and the SHA-256 of their file: logged before the file takes its place. */
enum status outbound_sight_taken(struct workspace *workspace, const struct outbound_sight *sight, int64_t rows,
                                 const struct sha256 *digest, struct error *error) MUST_CHECK;

#endif
