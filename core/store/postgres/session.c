/* Who a session is to the store: the service, which owns the schema, or a login with roles, whose tables are the views
 * of its roles. */
#include "core/store/access.h"
#include "core/store/postgres/postgres.h"

#include <stdio.h>
#include <stdlib.h>

/* Officers' views come first: where two roles see one name, theirs is the one with values. */
static const enum store_role ORDER[ROLE_COUNT] = {ROLE_OFFICER, ROLE_AUDITOR, ROLE_OPERATOR, ROLE_ANALYST, ROLE_KEYS};

static atomic_bool restricted;

bool postgres_restricted(void) {
  return restricted;
}

static void look_in_views(struct postgres *self) {
  size_t used = 0;
  restricted = true;
  self->prefix[0] = '\0';
  for (size_t i = 0; i < ROLE_COUNT; i++) {
    if ((self->roles >> ORDER[i] & 1) != 0) {
      used += (size_t)snprintf(self->path + used, sizeof self->path - used, "%s\"%s_%s\"", used == 0 ? "" : ", ",
                               self->schema, role_name(ORDER[i]));
    }
  }
}

static enum status refuse(const struct postgres *self, struct error *error) {
  error_set(error, ERR_AUTH, _("the login '%s' has no role in this store"), PQuser(self->connection));
  error_hint(error, "%s", _("who administers the store runs `puente access grant LOGIN ROLE`"));
  return ERR_AUTH;
}

enum status postgres_find_roles(struct postgres *self, struct error *error) {
  struct buffer sql;
  buffer_init(&sql, 4096);
  /* Of a schema that is not there yet the session will be the owner. */
  buffer_printf(&sql,
                "SELECT COALESCE((SELECT CASE WHEN pg_has_role(n.nspowner, 'USAGE') OR "
                "has_schema_privilege(n.oid, 'USAGE') THEN %d END FROM pg_catalog.pg_namespace n "
                "WHERE n.nspname = '%s'), (SELECT sum(b.bit)::int FROM (VALUES ",
                ROLES_SERVICE, self->schema);
  for (int role = 0; role < ROLE_COUNT; role++) {
    buffer_printf(&sql, "%s('%s_%s', %d)", role == 0 ? "" : ", ", self->schema, role_name((enum store_role)role),
                  1 << role);
  }
  buffer_printf(&sql,
                ") b(name, bit) JOIN pg_catalog.pg_roles r ON r.rolname = b.name WHERE pg_has_role(r.oid, 'USAGE')), "
                "CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = '%s') THEN 0 ELSE %d END)",
                self->schema, ROLES_SERVICE);
  enum status status = buffer_check(&sql, "statement", error);
  PGresult *result = status == OK ? PQexec(self->connection, sql.data) : NULL;
  buffer_free(&sql);
  if (status != OK) {
    return status;
  }
  if (PQresultStatus(result) != PGRES_TUPLES_OK) {
    status = postgres_fail(self->connection, result, error);
    PQclear(result);
    return status;
  }
  self->roles = (unsigned)strtoul(PQgetvalue(result, 0, 0), NULL, 10);
  PQclear(result);
  if (self->roles == ROLES_SERVICE) {
    return OK;
  }
  if (self->roles == 0) {
    return refuse(self, error);
  }
  look_in_views(self);
  char set[sizeof self->path + 32];
  snprintf(set, sizeof set, "SET search_path = %s", self->path);
  return postgres_run_text(self->connection, set, error);
}
