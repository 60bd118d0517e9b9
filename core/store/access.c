#include "core/store/access.h"

#include "core/base/date.h"
#include "core/base/text.h"
#include "core/store/postgres/roles.h"

#include <stdio.h>

enum { SCRIPT_LIMIT = 1 << 20 };

static const char *const NAMES[ROLE_COUNT] = {[ROLE_OPERATOR] = "operator",
                                              [ROLE_ANALYST] = "analyst",
                                              [ROLE_OFFICER] = "officer",
                                              [ROLE_AUDITOR] = "auditor",
                                              [ROLE_KEYS] = "keys"};

const char *role_name(enum store_role role) {
  return NAMES[role];
}

enum status role_parse(const char *name, enum store_role *role, struct error *error) {
  for (int i = 0; i < ROLE_COUNT; i++) {
    if (strcmp(name, NAMES[i]) == 0) {
      *role = (enum store_role)i;
      return OK;
    }
  }
  error_set(error, ERR_USAGE, _("there is no role \"%s\""), name);
  const char *nearest = text_nearest(slice_of(name), NAMES, ROLE_COUNT);
  if (nearest != NULL) {
    error_hint(error, _("did you mean \"%s\"?"), nearest);
  } else {
    error_hint(error, "%s", _("operator, analyst, officer, auditor or keys"));
  }
  return ERR_USAGE;
}

unsigned store_roles(const struct store *store) {
  return store->dialect.schema == NULL ? ROLES_SERVICE : store->dialect.roles;
}

/* ---- setup ---- */

static enum status need_roles(const struct store *store, struct error *error) {
  if (store->dialect.schema != NULL) {
    return OK;
  }
  error_set(error, ERR_CONFIG, "%s", _("this store is an SQLite file, which is for one trusted user: it has no roles"));
  error_hint(error, "%s", _("`store: {postgres: …}` in puente.yaml keeps it in PostgreSQL, which has them"));
  return ERR_CONFIG;
}

/* One text in the scratch arena. */
static enum status ask_text(struct store *store, const char *sql, const struct value *values, size_t count,
                            const char **text, struct error *error) {
  struct cursor *cursor;
  *text = NULL;
  enum status status = db_query(store, error, &cursor, sql, values, count);
  if (status != OK) {
    return status;
  }
  status = store->ops->next(cursor, error);
  if (status == OK) {
    struct value value = store->ops->value(cursor, 0);
    *text = text_of_value(store->scratch, value);
    status = *text == NULL && value.kind != VALUE_NULL ? error_memory(error) : OK;
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

static enum status compose(struct store *store, struct buffer *sql, char digest[2 * SHA256_SIZE + 1],
                           struct error *error) {
  struct roles roles = {.store = store, .sql = sql};
  enum status status = ask_text(store, "SELECT quote_literal(session_user)", NULL, 0, &roles.owner, error);
  buffer_reset(sql);
  status = status == OK ? roles_script(&roles, error) : status;
  if (status == OK) {
    struct sha256 hash = sha256_of(buffer_view(sql));
    hex_format(hash.bytes, SHA256_SIZE, digest);
  }
  return status;
}

enum status store_roles_setup(struct store *store, struct error *error) {
  char digest[2 * SHA256_SIZE + 1];
  struct buffer sql;
  enum status status = need_roles(store, error);
  status = status == OK ? db_writing(store, error) : status;
  if (status != OK) {
    return status;
  }
  buffer_init(&sql, SCRIPT_LIMIT);
  status = store->ops->lock_schema(store->driver, error);
  status = status == OK ? compose(store, &sql, digest, error) : status;
  status = status == OK ? store->ops->script(store->driver, sql.data, error) : status;
  buffer_free(&sql);
  if (status == ERR_AUTH) {
    error_set(error, ERR_AUTH, "%s", _("the store's user may not make roles"));
    error_hint(error, "%s",
               _("an administrator of the database runs: ALTER ROLE the store's user CREATEROLE; then run it again"));
  }
  return status == OK ? db_execute(store, error,
                                   "INSERT INTO meta (name, value) VALUES ('roles', $1) "
                                   "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                                   VALUES(text_value(digest)))
                      : status;
}

/* Tables of persons that other roles could be given by mistake. */
static enum status count_open(struct store *store, int64_t *open, struct error *error) {
  struct guarded guarded[GUARDED_MOST];
  size_t count = roles_guarded(store, guarded);
  *open = 0;
  enum status status = OK;
  for (size_t i = 0; i < count && status == OK; i++) {
    int64_t one = 0;
    status = db_integer(store, error, &one, NULL,
                        "SELECT count(*) FROM pg_catalog.pg_class c WHERE c.relname::text = $1 "
                        "AND c.relnamespace::regnamespace::text = quote_ident($2) "
                        "AND NOT (c.relrowsecurity AND c.relforcerowsecurity)",
                        VALUES(text_value(guarded[i].table), text_value(store->dialect.schema)));
    *open += one;
  }
  return status;
}

enum status store_roles_state(struct store *store, enum roles_state *state, struct error *error) {
  char digest[2 * SHA256_SIZE + 1];
  const char *kept = NULL;
  struct buffer sql;
  *state = ROLES_NONE;
  if (store->dialect.schema == NULL) {
    return OK;
  }
  enum status status = ask_text(store, "SELECT value FROM meta WHERE name = 'roles'", NULL, 0, &kept, error);
  if (status != OK || kept == NULL || store_roles(store) != ROLES_SERVICE) {
    *state = kept == NULL ? ROLES_NONE : ROLES_STAND;
    return status;
  }
  int64_t open = 0;
  buffer_init(&sql, SCRIPT_LIMIT);
  status = compose(store, &sql, digest, error);
  buffer_free(&sql);
  status = status == OK ? count_open(store, &open, error) : status;
  *state = open == 0 && strcmp(digest, kept) == 0 ? ROLES_STAND : ROLES_OLD;
  return status;
}

/* ---- granting ---- */

/* The login as an identifier; refuses those that no role binds. */
static enum status find_login(struct store *store, const char *login, const char **quoted, struct error *error) {
  const char *kind = NULL;
  enum status status =
      ask_text(store,
               "SELECT CASE WHEN rolsuper OR rolbypassrls THEN 'super' WHEN pg_has_role(oid, session_user, 'USAGE') "
               "THEN 'owner' WHEN NOT rolcanlogin THEN NULL ELSE 'login' END FROM pg_catalog.pg_roles "
               "WHERE rolname::text = $1",
               VALUES(text_value(login)), &kind, error);
  if (status != OK) {
    return status;
  }
  if (kind == NULL) {
    error_set(error, ERR_NOT_FOUND, _("the database has no login '%s'"), login);
    error_hint(error, "%s", _("an administrator of the database makes it: CREATE ROLE name LOGIN PASSWORD '…'"));
    return ERR_NOT_FOUND;
  }
  if (strcmp(kind, "login") != 0) {
    error_set(error, ERR_CONFIG, _("'%s' sees everything whatever its role"), login);
    error_hint(error, "%s", _("roles are for logins that are no superuser and not the store's owner"));
    return ERR_CONFIG;
  }
  return ask_text(store, "SELECT quote_ident($1)", VALUES(text_value(login)), quoted, error);
}

static enum status run_on_role(struct store *store, const char *form, const char *quoted, enum store_role role,
                               struct error *error) {
  const char *schema = store->dialect.schema, *name = role_name(role);
  bool give = strcmp(form, "GRANT") == 0;
  char *sql = arena_printf(store->scratch, "%s \"%s_%s\" %s %s", form, schema, name, give ? "TO" : "FROM", quoted);
  return sql == NULL ? error_memory(error) : store->ops->script(store->driver, sql, error);
}

static enum status end_grant(struct store *store, const char *login, enum store_role role, int64_t *changed,
                             struct error *error) {
  return db_change(store, error, changed, "UPDATE granted SET ended = $3 WHERE login = $1 AND role = $2 AND ended = 0",
                   VALUES(text_value(login), text_value(role_name(role)), int_value(clock_now())));
}

static enum status need_setup(struct store *store, struct error *error) {
  const char *kept = NULL;
  enum status status = need_roles(store, error);
  status = status == OK ? db_writing(store, error) : status;
  status =
      status == OK ? ask_text(store, "SELECT value FROM meta WHERE name = 'roles'", NULL, 0, &kept, error) : status;
  if (status == OK && kept == NULL) {
    error_set(error, ERR_CONFIG, "%s", _("the store has no roles yet"));
    error_hint(error, "%s", _("run `puente access setup`"));
    return ERR_CONFIG;
  }
  return status;
}

enum status store_grant(struct store *store, const struct granted *granted, struct error *error) {
  const char *quoted = NULL, *role = role_name(granted->role);
  bool same = false;
  int64_t one = 0;
  enum status status = need_setup(store, error);
  status = status == OK ? find_login(store, granted->login, &quoted, error) : status;
  if (status == OK) {
    status = db_integer(store, error, &one, &same,
                        "SELECT 1::bigint FROM granted WHERE login = $1 AND role = $2 AND ended = 0 "
                        "AND institution IS NOT DISTINCT FROM $3 AND region IS NOT DISTINCT FROM $4",
                        VALUES(text_value(granted->login), text_value(role), text_value(granted->institution),
                               text_value(granted->region)));
  }
  if (status == OK && same) {
    return error_set(error, ERR_USAGE, _("'%s' has the role %s so already"), granted->login, role);
  }
  status = status == OK ? end_grant(store, granted->login, granted->role, NULL, error) : status;
  status = status == OK ? run_on_role(store, "GRANT", quoted, granted->role, error) : status;
  return status == OK ? db_execute(store, error,
                                   "INSERT INTO granted (login, role, since, institution, region, granted_by, ended) "
                                   "VALUES ($1, $2, $3, $4, $5, $6, 0)",
                                   VALUES(text_value(granted->login), text_value(role), int_value(clock_now()),
                                          text_value(granted->institution), text_value(granted->region),
                                          text_value(granted->granted_by)))
                      : status;
}

enum status store_revoke(struct store *store, const char *login, enum store_role role, struct error *error) {
  const char *quoted = NULL;
  int64_t ended = 0, one = 0;
  bool there = false;
  enum status status = need_setup(store, error);
  status = status == OK ? end_grant(store, login, role, &ended, error) : status;
  if (status == OK && ended == 0) {
    return error_set(error, ERR_NOT_FOUND, _("'%s' does not have the role %s"), login, role_name(role));
  }
  status = status == OK ? ask_text(store, "SELECT quote_ident($1)", VALUES(text_value(login)), &quoted, error) : status;
  /* The login may have been dropped since. */
  if (status == OK) {
    status =
        db_integer(store, error, &one, &there, "SELECT 1::bigint FROM pg_catalog.pg_roles WHERE rolname::text = $1",
                   VALUES(text_value(login)));
  }
  return status == OK && there ? run_on_role(store, "REVOKE", quoted, role, error) : status;
}

enum status store_visit_granted(struct store *store, granted_visitor *visit, void *context, struct error *error) {
  struct cursor *cursor;
  arena_reset(store->scratch);
  enum status status = db_query(store, error, &cursor,
                                "SELECT login, role, institution, region, granted_by, since, ended FROM granted "
                                "ORDER BY login, role, since",
                                NULL, 0);
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    const char *texts[5];
    for (size_t i = 0; i < 5; i++) {
      texts[i] = text_of_value(store->scratch, store->ops->value(cursor, i));
    }
    struct granted granted = {.login = texts[0],
                              .institution = texts[2],
                              .region = texts[3],
                              .granted_by = texts[4],
                              .since = int_of_value(store->ops->value(cursor, 5)),
                              .ended = int_of_value(store->ops->value(cursor, 6))};
    if (texts[0] == NULL || texts[1] == NULL || arena_failed(store->scratch)) {
      status = error_memory(error);
    }
    status = status == OK ? role_parse(texts[1], &granted.role, error) : status;
    status = status == OK ? visit(context, &granted, error) : status;
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

/* ---- sights and refusals of restricted sessions ---- */

/* A function of the guard's, in a transaction of its own. */
static enum status ask_guard(struct store *store, const char *call, const struct value *values, size_t count,
                             int64_t *answer, struct error *error) {
  enum status status = store_begin(store, error);
  if (status == OK) {
    char *sql = arena_printf(store->scratch, "SELECT \"%s_guard\".%s", store->dialect.schema, call);
    status = sql == NULL ? error_memory(error) : db_integer(store, error, answer, NULL, sql, values, count);
  }
  status = status == OK ? store_commit(store, error) : status;
  if (status != OK) {
    store_rollback(store);
  }
  return status;
}

enum status store_sight(struct store *store, const char *kind, int64_t id, const char *purpose, struct error *error) {
  int64_t sight = 0;
  enum status status = ask_guard(store, "sight($1, $2, $3)",
                                 VALUES(text_value(kind), int_value(id), text_value(purpose)), &sight, error);
  if (status == OK && sight == 0) {
    error_set(error, ERR_AUTH, "%s", _("nothing of this is of your institution and region"));
    error_hint(error, "%s", _("the refusal is in the audit log; `puente access list` shows what was granted to whom"));
    return ERR_AUTH;
  }
  return status;
}

enum status store_sight_all(struct store *store, const char *form, const char *institution, const char *purpose,
                            int64_t *sight, struct error *error) {
  *sight = 0;
  enum status status = ask_guard(store, "sight_all($1, $2, $3)",
                                 VALUES(text_value(form), text_value(institution), text_value(purpose)), sight, error);
  if (status == OK && *sight == 0) {
    error_set(error, ERR_AUTH, _("you are no officer of %s: its data are its own"), institution);
    error_hint(error, "%s", _("the refusal is in the audit log; `puente access list` shows what was granted to whom"));
    return ERR_AUTH;
  }
  return status;
}

enum status store_sight_taken(struct store *store, int64_t sight, int64_t rows, const struct sha256 *digest,
                              struct error *error) {
  char hex[2 * SHA256_SIZE + 1];
  int64_t entry = 0;
  hex_format(digest->bytes, SHA256_SIZE, hex);
  return ask_guard(store, "taken($1, $2, $3)", VALUES(int_value(sight), int_value(rows), text_value(hex)), &entry,
                   error);
}

enum status store_key_entry(struct store *store, const char *purpose, const char *body, struct error *error) {
  int64_t entry = 0;
  return ask_guard(store, "key($1, $2)", VALUES(text_value(purpose), text_value(body)), &entry, error);
}

static void put_literal(struct buffer *sql, const char *text) {
  if (text == NULL) {
    buffer_text(sql, "NULL");
    return;
  }
  buffer_char(sql, '\'');
  for (const char *at = text; *at != '\0'; at++) {
    buffer_text(sql, *at == '\'' ? "'" : "");
    buffer_char(sql, *at);
  }
  buffer_char(sql, '\'');
}

enum status store_sight_figure(struct store *store, const char *event, const char *purpose, const char *body,
                               struct error *error) {
  struct buffer sql;
  buffer_init(&sql, 1 << 18);
  buffer_printf(&sql, "BEGIN READ WRITE; SELECT \"%s_guard\".figure(", store->dialect.schema);
  put_literal(&sql, event);
  buffer_text(&sql, ", ");
  put_literal(&sql, purpose);
  buffer_text(&sql, ", ");
  put_literal(&sql, body);
  buffer_text(&sql, "); COMMIT");
  enum status status = buffer_check(&sql, "statement", error);
  if (status == OK && (status = store->ops->script(store->driver, sql.data, error)) != OK) {
    store->ops->rollback(store->driver);
  }
  buffer_free(&sql);
  return status;
}

enum status store_refused(struct store *store, const char *right, struct error *error) {
  for (const char *at = right; *at != '\0'; at++) {
    if (*at < 'a' || *at > 'z') {
      return error_set(error, ERR_INTERNAL, "%s", _("a right is a word of lower-case letters"));
    }
  }
  char *sql = arena_printf(store->scratch, "BEGIN READ WRITE; SELECT \"%s_guard\".refuse('%s'); COMMIT",
                           store->dialect.schema, right);
  enum status status = sql == NULL ? error_memory(error) : store->ops->script(store->driver, sql, error);
  if (status != OK) {
    store->ops->rollback(store->driver);
  }
  return status;
}

/* ---- sharing ---- */

enum status store_write_shares(struct store *store, int source_id, const struct share *shares, size_t count,
                               struct error *error) {
  enum status status = db_writing(store, error);
  status = status == OK
               ? db_execute(store, error, "DELETE FROM share WHERE source_id = $1", VALUES(int_value(source_id)))
               : status;
  for (size_t i = 0; i < count && status == OK; i++) {
    status = db_execute(store, error, "INSERT INTO share (source_id, recipient, field) VALUES ($1, $2, $3)",
                        VALUES(int_value(source_id), text_value(shares[i].recipient), text_value(shares[i].field)));
  }
  return status;
}
