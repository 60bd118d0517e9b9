#include "core/store/postgres/roles.h"

#include <stdio.h>

void roles_text(const struct roles *roles, const char *text) {
  for (; *text != '\0'; text++) {
    if (*text == '@') {
      buffer_text(roles->sql, roles->store->dialect.schema);
    } else if (*text == '~') {
      buffer_text(roles->sql, roles->owner);
    } else {
      buffer_char(roles->sql, *text);
    }
  }
}

/* ---- which tables ---- */

static const char OF_ROW[] = "row_id / 1048576", OF_RAW[] = "raw_id / 1048576";

size_t roles_guarded(struct store *store, struct guarded *guarded) {
  static const struct guarded FIXED[] = {
      {"raw_chunk", NULL, NULL, false},  {"raw_record", OF_RAW, NULL, true},    {"issue", OF_RAW, NULL, true},
      {"encoding", NULL, NULL, false},   {"person_member", OF_ROW, NULL, true}, {"case_member", OF_ROW, NULL, true},
      {"identity", OF_ROW, NULL, false},
  };
  size_t count = sizeof FIXED / sizeof *FIXED;
  memcpy(guarded, FIXED, sizeof FIXED);
  for (size_t e = 0; e < store->model->entity_count; e++) {
    guarded[count++] = (struct guarded){store->shelves[e].table.name, OF_ROW, NULL, true};
  }
  for (int kind = CLUSTER_PERSON; kind <= CLUSTER_CASE; kind++) {
    const struct whole *whole = &store->wholes[kind];
    if (whole->shelf != NULL) {
      guarded[count++] = (struct guarded){whole->table.name, NULL, whole->shelf->entity->name, true};
      guarded[count++] = (struct guarded){whole->identity.name, NULL, NULL, false};
    }
  }
  return count;
}

/* ---- policies ---- */

/* All policies name users, not roles: a view or function of the service's has its rights and yet sees nothing for a
 * session that is not the service's own. */
static void protect(const struct roles *roles, const struct guarded *guarded) {
  struct buffer *sql = roles->sql;
  char table[160];
  snprintf(table, sizeof table, "\"@\".\"%s\"", guarded->table);
  static const char *const POLICIES[] = {"a_service", "b_guard", "c_lineage", "d_officer"};
  for (size_t i = 0; i < sizeof POLICIES / sizeof *POLICIES; i++) {
    buffer_printf(sql, "DROP POLICY IF EXISTS %s ON ", POLICIES[i]);
    roles_text(roles, table);
    buffer_text(sql, ";");
  }
  buffer_text(sql, "ALTER TABLE ");
  roles_text(roles, table);
  buffer_text(sql, " ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY a_service ON ");
  roles_text(roles, table);
  roles_text(roles, " USING (session_user = ~) WITH CHECK (session_user = ~);");
  buffer_text(sql, "CREATE POLICY b_guard ON ");
  roles_text(roles, table);
  roles_text(roles, " FOR SELECT USING (current_user = '@_guard');");
  if (guarded->lineage) {
    buffer_text(sql, "CREATE POLICY c_lineage ON ");
    roles_text(roles, table);
    roles_text(roles, " FOR SELECT USING ((SELECT pg_catalog.pg_has_role(session_user, '@_auditor', 'USAGE') "
                      "OR pg_catalog.pg_has_role(session_user, '@_operator', 'USAGE')));");
  }
  if (guarded->record != NULL || guarded->whole != NULL) {
    buffer_text(sql, "CREATE POLICY d_officer ON ");
    roles_text(roles, table);
    buffer_printf(sql, " FOR SELECT USING (%s%s", guarded->record != NULL ? guarded->record : guarded->whole,
                  guarded->record != NULL ? " IN (SELECT r FROM " : "_id IN (SELECT r FROM ");
    roles_text(roles, "\"@_guard\".");
    buffer_printf(sql, "%s%s() r));", guarded->record != NULL ? "record" : guarded->whole, "s");
  }
}

/* ---- roles and schemas ---- */

static const char MAKE_ROLE[] =
    "DO $do$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = '@_%s') "
    "THEN CREATE ROLE \"@_%s\" NOLOGIN; END IF; END $do$;";

static void make_roles(const struct roles *roles) {
  char text[320];
  for (int role = 0; role <= ROLE_COUNT; role++) {
    const char *name = role == ROLE_COUNT ? "guard" : role_name((enum store_role)role);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* a constant of this file */
    snprintf(text, sizeof text, MAKE_ROLE, name, name);
#pragma GCC diagnostic pop
    roles_text(roles, text);
    snprintf(text, sizeof text, "DROP SCHEMA IF EXISTS \"@_%s\" CASCADE;", name);
    roles_text(roles, text);
    if (role < ROLE_COUNT) {
      snprintf(text, sizeof text, "CREATE SCHEMA \"@_%s\";", name);
      roles_text(roles, text);
    }
  }
  /* A right that stands on a table from elsewhere is taken back; nothing new is everybody's. */
  roles_text(roles, "REVOKE ALL ON SCHEMA \"@\", \"@_views\" FROM PUBLIC;"
                    "REVOKE ALL ON ALL TABLES IN SCHEMA \"@\" FROM PUBLIC;"
                    "REVOKE ALL ON ALL TABLES IN SCHEMA \"@_views\" FROM PUBLIC;"
                    "ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM PUBLIC;"
                    "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;");
}

enum status roles_script(const struct roles *roles, struct error *error) {
  struct guarded guarded[GUARDED_MOST];
  size_t count = roles_guarded(roles->store, guarded);
  make_roles(roles);
  roles_guard(roles);
  for (size_t i = 0; i < count; i++) {
    protect(roles, &guarded[i]);
  }
  roles_views(roles);
  return buffer_check(roles->sql, "statement", error);
}
