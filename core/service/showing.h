/* Whom a sight of many is about to show, as the store is now: lists for its entry of the log (core/audit/shown.h). Not
 * for sessions with a role. Each fills and finishes a list of the caller's. */
#ifndef PUENTE_SERVICE_SHOWING_H
#define PUENTE_SERVICE_SHOWING_H

#include "core/audit/shown.h"
#include "core/service/workspace.h"

/* Every person, as the store stood after a run; 0: now. */
enum status showing_all(struct workspace *workspace, int64_t run, struct shown *shown, struct error *error) MUST_CHECK;
/* Persons of whom an institution has rows. */
enum status showing_own(struct workspace *workspace, const char *institution, struct shown *shown,
                        struct error *error) MUST_CHECK;
/* Persons who are involved in cases. */
enum status showing_involved(struct workspace *workspace, const int64_t *cases, size_t count, struct shown *shown,
                             struct error *error) MUST_CHECK;

#endif
