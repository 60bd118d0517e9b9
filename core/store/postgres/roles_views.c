/* What each role reads: views of its own schema, by the names under which the program knows tables and documented
 * views. They belong to the service's login, so that a role needs no right on any table; row-level security asks who
 * the session's user is. Values of persons are masked to their shapes for auditors, and are not there for others. */
#include "core/store/postgres/roles.h"

#include <stdio.h>

enum { OPERATOR = 1 << ROLE_OPERATOR, ANALYST = 1 << ROLE_ANALYST, OFFICER = 1 << ROLE_OFFICER };
enum { AUDITOR = 1 << ROLE_AUDITOR, KEYS = 1 << ROLE_KEYS, EVERY = (1 << ROLE_COUNT) - 1 };

static const struct {
  unsigned roles;
  const char *name, *select; /* select NULL: the documented view of the name */
} VIEWS[] = {
    {EVERY, "meta", "SELECT name, value FROM meta WHERE name IN ('version', 'model', 'key', 'roles')"},
    {EVERY, "counter",
     "SELECT name, value FROM counter WHERE name LIKE 'entity:%' OR name LIKE 'identifier:%' "
     "OR name IN ('entities')"},
    {EVERY, "sources", NULL},
    {OPERATOR | AUDITOR | OFFICER, "source",
     "SELECT source_id, code, title, institution, contact, unit, state, connector, deletes, linked, precedence, "
     "lease_token, lease_holder, lease_until, NULL::text AS cursor, watermark, NULL::text AS mark, first_run, "
     "complete_run, NULL::text AS looks FROM source"},
    {OPERATOR | AUDITOR, "runs", NULL},
    {OPERATOR | AUDITOR, "run", "SELECT * FROM run"},
    {OPERATOR | AUDITOR, "source_health", NULL},
    {OPERATOR, "source_fields", NULL},
    {OPERATOR, "source_drift", NULL},
    {OPERATOR | AUDITOR, "quarantine", NULL},
    {OPERATOR | AUDITOR | OFFICER, "issues", NULL},
    {OPERATOR, "duty", "SELECT * FROM duty"},
    {OPERATOR, "health", "SELECT * FROM health"},
    {OPERATOR, "field", "SELECT * FROM field"},
    {OPERATOR, "drift", "SELECT * FROM drift"},
    {OPERATOR, "expiry", "SELECT * FROM expiry"},
    {OPERATOR, "notice", "SELECT * FROM notice"},
    {OPERATOR, "memory", "SELECT * FROM memory"},
    {OPERATOR | AUDITOR, "receipt", "SELECT * FROM receipt"},
    {OPERATOR | AUDITOR, "raw_record",
     "SELECT raw_id, chunk_id, NULL::bigint AS chunk_offset, chunk_length, NULL::bigint AS key_prefix, "
     "NULL::bytea AS key_digest, NULL::text AS source_key, NULL::bytea AS digest, state, plan_id, from_run, to_run "
     "FROM raw_record"},
    {OFFICER, "raw_record", "SELECT * FROM raw_record"},
    {OPERATOR | AUDITOR, "person_member",
     "SELECT row_id, from_run, to_run, person_id, source_id, NULL::text AS row_key FROM person_member"},
    {OPERATOR | AUDITOR, "case_member",
     "SELECT row_id, from_run, to_run, case_id, source_id, NULL::text AS row_key FROM case_member"},
    {OFFICER, "person_member", "SELECT * FROM person_member"},
    {OFFICER, "case_member", "SELECT * FROM case_member"},
    {OPERATOR | AUDITOR, "link_pair", "SELECT * FROM link_pair"},
    {OFFICER, "link_pair",
     "SELECT * FROM link_pair WHERE row_a / 1048576 IN (SELECT r FROM \"@_guard\".records() r) "
     "AND row_b / 1048576 IN (SELECT r FROM \"@_guard\".records() r)"},
    {OPERATOR | AUDITOR, "link_decision",
     "SELECT decision_id, kind, record_a, NULL::text AS key_a, record_b, NULL::text AS key_b, same, state, actor, at, "
     "run, NULL::text AS reason, approved_by, approved_at, revoked_at FROM link_decision"},
    {AUDITOR, "audit_log", "SELECT * FROM audit_log"},
    {AUDITOR, "audit_head", "SELECT * FROM audit_head"},
    {AUDITOR, "shown", "SELECT * FROM shown"},
    {AUDITOR, "audit", NULL},
    {OPERATOR, "audit", NULL}, /* of links alone: what the last linking counted */
    {AUDITOR | OFFICER, "plan", "SELECT * FROM plan"},
    {AUDITOR | OFFICER, "plans", NULL},
    {AUDITOR | OFFICER, "records", NULL},
    {AUDITOR | OFFICER, "members", NULL},
    {AUDITOR | OFFICER, "member_history", NULL},
    {AUDITOR | OFFICER, "redirects", NULL},
    {AUDITOR | OFFICER, "origins", NULL},
    {AUDITOR, "pairs", NULL},
    {AUDITOR, "unlinkable", NULL},
    {AUDITOR, "outcome", "SELECT * FROM outcome"},
    {AUDITOR, "link_unlinkable", "SELECT * FROM link_unlinkable"},
    {AUDITOR, "decisions", NULL},
    {AUDITOR, "approval", "SELECT * FROM approval"},
    {AUDITOR, "erasure",
     "SELECT source_id, NULL::bytea AS key_digest, kind, record_id, run, at, cause, final, epoch, actor, reason, "
     "document FROM erasure"},
    {AUDITOR, "granted", "SELECT * FROM granted"},
    {AUDITOR, "sight", "SELECT * FROM sight"},
    {AUDITOR, "sight_record", "SELECT * FROM sight_record"},
    {AUDITOR, "share", "SELECT * FROM share"},
    {ANALYST | AUDITOR, "release", "SELECT * FROM release"},
    {ANALYST | AUDITOR, "release_table", "SELECT * FROM release_table"},
    {ANALYST | AUDITOR, "release_cell", "SELECT * FROM release_cell"},
    {AUDITOR, "told", "SELECT * FROM told"},
    /* An officer opens what is sealed with the key file; the others see that keys exist, and after the file was
     * replaced find the root of digests by it. */
    {OFFICER, "data_key", "SELECT key_id, wrapper, purpose, wrapped, made, retired FROM data_key"},
    {OPERATOR | ANALYST | AUDITOR | KEYS, "data_key",
     "SELECT key_id, wrapper, purpose, CASE WHEN purpose = 'digest' THEN wrapped END AS wrapped, made, retired "
     "FROM data_key"},
};

static void make_view(const struct roles *roles, enum store_role role, const char *name, const char *select,
                      const char *where) {
  roles_text(roles, "CREATE VIEW \"@_");
  buffer_printf(roles->sql, "%s\".\"%s\" WITH (security_barrier) AS %s", role_name(role), name,
                where == NULL ? "" : "SELECT * FROM (");
  roles_text(roles, select);
  buffer_printf(roles->sql, "%s%s;", where == NULL ? "" : ") v WHERE ", where == NULL ? "" : where);
}

static const char *documented(const struct store *store, const char *name) {
  for (size_t i = 0; i < store->view_count; i++) {
    if (strcmp(store->view_texts[i].name, name) == 0) {
      return store->view_texts[i].select;
    }
  }
  return NULL; /* the model lacks what it is of */
}

static void fixed(const struct roles *roles) {
  for (size_t i = 0; i < sizeof VIEWS / sizeof *VIEWS; i++) {
    const char *select = VIEWS[i].select != NULL ? VIEWS[i].select : documented(roles->store, VIEWS[i].name);
    bool links = VIEWS[i].roles == OPERATOR && strcmp(VIEWS[i].name, "audit") == 0;
    const char *where = links ? "event = 'link'" : NULL;
    for (int role = 0; role < ROLE_COUNT && select != NULL; role++) {
      if ((VIEWS[i].roles >> role & 1) != 0) {
        make_view(roles, (enum store_role)role, VIEWS[i].name, select, where);
      }
    }
  }
  /* Whatever is released is for analysts. */
  for (size_t i = 0; i < roles->store->view_count; i++) {
    const struct view_text *view = &roles->store->view_texts[i];
    if (strncmp(view->name, "released", 8) == 0) {
      make_view(roles, ROLE_ANALYST, view->name, view->select, NULL);
      make_view(roles, ROLE_AUDITOR, view->name, view->select, NULL);
    }
  }
}

/* ---- of the model ---- */

/* As text_shape and field_mask have them: no length of a word, none of a short code, and nothing of a code or flag. */
static const char SHAPE[] = "CASE WHEN \"%s\" ~ '^[0-9]{1,3}$' THEN '9' ELSE regexp_replace(regexp_replace(\"%s\", "
                            "'[[:alpha:]]+', 'Aaaa', 'g'), '[[:digit:]]', '9', 'g') END AS \"%s\"";

static void masked(const struct roles *roles, const struct table_column *column, const struct field *field, bool open) {
  struct buffer *sql = roles->sql;
  if (!open && field != NULL && field->codelist != NULL) {
    buffer_printf(sql, "CASE WHEN \"%s\" IS NOT NULL THEN '***' END AS \"%s\"", column->name, column->name);
  } else if (open) {
    buffer_printf(sql, "\"%s\"", column->name);
  } else if (column->type == COLUMN_TEXT) {
    buffer_printf(sql, SHAPE, column->name, column->name, column->name);
  } else {
    buffer_printf(sql, "NULL::%s AS \"%s\"", column->type == COLUMN_INTEGER ? "bigint" : "bytea", column->name);
  }
}

/* Auditors see a row as its shapes; officers see rows that are theirs whole, also where the person is now. */
static void staged(const struct roles *roles, const struct shelf *shelf) {
  struct buffer *sql = roles->sql;
  roles_text(roles, "CREATE VIEW \"@_auditor\".");
  buffer_printf(sql, "\"%s\" WITH (security_barrier) AS SELECT ", shelf->table.name);
  for (size_t i = 0; i < shelf->table.column_count; i++) {
    bool head = i == ROW_ID || i == ROW_INSTITUTION || i == ROW_MISSING || i == ROW_FROM || i == ROW_TO;
    const struct field *field = i < ROW_HEAD ? NULL : shelf->entity->columns[shelf->columns[i - ROW_HEAD]].field;
    buffer_text(sql, i == 0 ? "" : ", ");
    masked(roles, &shelf->table.columns[i], field,
           head || (field != NULL && field->sensitivity == SENSITIVITY_OPEN && !field->local));
  }
  buffer_printf(sql, " FROM \"%s\";", shelf->table.name);
  roles_text(roles, "CREATE VIEW \"@_officer\".");
  buffer_printf(sql, "\"%s\" WITH (security_barrier) AS SELECT * FROM \"%s\";", shelf->table.name, shelf->table.name);
}

/* A consolidated person or case as officers see it: each value where `sees` says so. Operators and auditors count. */
static void consolidated(const struct roles *roles, const struct whole *whole) {
  struct buffer *sql = roles->sql;
  const char *kind = whole->shelf->entity->name;
  roles_text(roles, "CREATE VIEW \"@_officer\".");
  buffer_printf(sql, "\"%s\" WITH (security_barrier) AS SELECT %s, from_run, to_run, records, NULL::text AS origins",
                whole->table.name, whole->id);
  for (size_t i = WHOLE_HEAD; i < whole->table.column_count; i++) {
    const struct column *column = &whole->shelf->entity->columns[whole->shelf->columns[i - WHOLE_HEAD]];
    roles_text(roles, ", CASE WHEN \"@_guard\".sees(");
    buffer_printf(sql, "'%s', %s, origins, '%s') THEN \"%s\" END AS \"%s\"", kind, whole->id, column->field->name,
                  column->name, column->name);
  }
  buffer_printf(sql, " FROM \"%s\";", whole->table.name);
  /* Pairs are counted beside the rows that they are of. */
  roles_text(roles, "CREATE VIEW \"@_operator\".");
  buffer_printf(sql, "\"%s\" WITH (security_barrier) AS SELECT row_id, NULL::text AS key FROM \"%s\";",
                whole->shelf->table.name, whole->shelf->table.name);
  for (int role = 0; role < ROLE_COUNT; role++) {
    if (role == ROLE_OPERATOR || role == ROLE_AUDITOR) {
      roles_text(roles, "CREATE VIEW \"@_");
      buffer_printf(sql, "%s\".\"%s\" WITH (security_barrier) AS SELECT %s, from_run, to_run, records FROM \"%s\";",
                    role_name((enum store_role)role), whole->table.name, whole->id, whole->table.name);
    }
  }
}

void roles_views(const struct roles *roles) {
  const struct store *store = roles->store;
  fixed(roles);
  for (size_t e = 0; e < store->model->entity_count; e++) {
    staged(roles, &store->shelves[e]);
  }
  for (int kind = CLUSTER_PERSON; kind <= CLUSTER_CASE; kind++) {
    if (store->wholes[kind].shelf != NULL) {
      consolidated(roles, &store->wholes[kind]);
    }
  }
  roles_figures(roles);
  roles_text(roles, "CREATE VIEW \"@_officer\".identity WITH (security_barrier) AS SELECT * FROM identity;"
                    "CREATE VIEW \"@_auditor\".identity WITH (security_barrier) AS SELECT row_id, NULL::bytea AS body "
                    "FROM identity WHERE false;");
  for (int role = 0; role < ROLE_COUNT; role++) {
    const char *name = role_name((enum store_role)role);
    char text[160];
    snprintf(text, sizeof text, "GRANT USAGE ON SCHEMA \"@_%s\" TO \"@_%s\"; GRANT SELECT ON ALL TABLES IN SCHEMA ",
             name, name);
    roles_text(roles, text);
    snprintf(text, sizeof text, "\"@_%s\" TO \"@_%s\";", name, name);
    roles_text(roles, text);
  }
}
