/* Holds: advisory locks of the session, by the hashes of the schema and the name. They outlive transactions and end
 * with the session. The server counts how often a session took one; here it is taken once. */
#include "core/store/postgres/postgres.h"

#define OURS                                                                                                           \
  "FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 "                                 \
  "AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) "                        \
  "AND classid::bigint = (hashtext($1)::bigint & 4294967295) AND objid::bigint = (hashtext($2)::bigint & 4294967295) "
static const char HOLD[] = "SELECT CASE WHEN EXISTS (SELECT 1 " OURS "AND pid = pg_backend_pid()) THEN true "
                           "ELSE pg_try_advisory_lock(hashtext($1), hashtext($2)) END";
static const char UNHOLD[] = "SELECT pg_advisory_unlock(hashtext($1), hashtext($2))";
static const char HELD[] = "SELECT EXISTS (SELECT 1 " OURS "AND pid <> pg_backend_pid())";

static enum status ask(struct postgres *self, const char *sql, const char *name, bool *answer, struct error *error) {
  enum status status = postgres_settle(self, error);
  *answer = false;
  if (status != OK) {
    return status;
  }
  const char *values[] = {self->schema, name};
  PGresult *result = PQexecParams(self->connection, sql, 2, NULL, values, NULL, NULL, 0);
  if (PQresultStatus(result) == PGRES_TUPLES_OK) {
    *answer = PQgetvalue(result, 0, 0)[0] == 't';
  } else {
    status = postgres_fail(self->connection, result, error);
  }
  PQclear(result);
  return status;
}

enum status postgres_hold(struct driver *driver, const char *name, bool *taken, struct error *error) {
  return ask((struct postgres *)driver, HOLD, name, taken, error);
}

void postgres_unhold(struct driver *driver, const char *name) {
  struct error ignored; /* a session that is lost holds nothing */
  bool held;
  (void)!ask((struct postgres *)driver, UNHOLD, name, &held, &ignored);
}

enum status postgres_held(struct driver *driver, const char *name, bool *held, struct error *error) {
  return ask((struct postgres *)driver, HELD, name, held, error);
}
