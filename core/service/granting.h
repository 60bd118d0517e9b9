/* ROLES, GRANTED BY A NAMED PERSON: what `puente access` does. Each change is one transaction with its entry in the log
 * (`roles`, `grant`, `revoke`). */
#ifndef PUENTE_SERVICE_GRANTING_H
#define PUENTE_SERVICE_GRANTING_H

#include "core/service/workspace.h"
#include "core/store/access.h"

enum status granting_setup(struct workspace *workspace, struct error *error) MUST_CHECK;
/* `granted_by` and the times are filled here. An officer has an institution, no other role does: ERR_USAGE. */
enum status granting_grant(struct workspace *workspace, const struct granted *granted, struct error *error) MUST_CHECK;
enum status granting_revoke(struct workspace *workspace, const char *login, enum store_role role,
                            struct error *error) MUST_CHECK;
enum status granting_visit(struct workspace *workspace, granted_visitor *visit, void *context,
                           struct error *error) MUST_CHECK;

#endif
