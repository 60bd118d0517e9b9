/* Functions by which an officer's login sees all that its institution has at once: the sight first, in a transaction
 * of its own, with the list of whom it shows; then, while it stands, the crosswalk or the rows. */
#include "core/store/crosswalk_text.h"
#include "core/store/postgres/roles.h"

#include <stdio.h>

/* 0: the login is no officer of that institution; that is in the log, too. The entry is as
 * core/service/outbound_sight.c makes it. */
static const char BEGIN_SIGHT[] =
    "CREATE FUNCTION \"@_guard\".sight_all(form text, institution text, purpose text) RETURNS bigint LANGUAGE plpgsql "
    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ DECLARE "
    "theirs bigint[]; ids bigint[]; digest text; number bigint; BEGIN "
    "IF purpose IS NULL OR btrim(purpose) = '' OR length(purpose) > 500 THEN "
    "RAISE EXCEPTION 'no purpose' USING ERRCODE = '22023'; END IF; "
    "IF form IS NULL OR form NOT IN ('crosswalk', 'htcds') OR institution IS NULL "
    "OR regexp_match(institution, '^[A-Za-z0-9/_-]{1,64}$') IS NULL THEN "
    "RAISE EXCEPTION 'no form' USING ERRCODE = '22023'; END IF; "
    "IF NOT EXISTS (SELECT 1 FROM \"@\".granted g WHERE g.login = session_user::text AND g.role = 'officer' "
    "AND g.ended = 0 AND (g.institution IS NULL OR g.institution = sight_all.institution)) THEN "
    "PERFORM \"@_guard\".entry('refuse', purpose, '{\"' || form || '\":\"' || institution || "
    "'\",\"right\":\"sight\"}'); RETURN 0; END IF; ";

static const char IDS[] =
    "IF form = '%s' THEN SELECT array_agg(DISTINCT m.%s_id ORDER BY m.%s_id), array_agg(DISTINCT m.row_id / 1048576) "
    "INTO ids, theirs FROM \"@\".%s_member m JOIN \"@\".st_%s s ON s.row_id = m.row_id AND s.to_run IS NULL "
    "WHERE m.to_run IS NULL AND s.institution = sight_all.institution "
    "AND \"@_guard\".own(m.row_id / 1048576); END IF; ";

static const char END_SIGHT[] =
    "IF form = 'crosswalk' THEN "
    "SELECT encode(sha256(convert_to(COALESCE(string_agg(i::text || E'\\n', '' ORDER BY i), ''), 'UTF8')), 'hex') "
    "INTO digest FROM unnest(ids) AS i; "
    "number := \"@_guard\".entry('reveal', purpose, '{\"cases\":' || COALESCE(cardinality(ids), 0) || "
    "',\"crosswalk\":\"' || institution || '\",\"digest\":\"' || digest || '\"' || "
    "\"@_guard\".shown(\"@_guard\".involved(ids)) || '}'); "
    "ELSE number := \"@_guard\".entry('reveal', purpose, '{\"htcds\":\"' || institution || '\"' || "
    "\"@_guard\".shown(ids) || '}'); END IF; "
    "INSERT INTO \"@\".sight (sight_id, login, purpose, scope, at, until, written_in) VALUES (number, "
    "session_user::text, purpose, form || ' ' || institution, \"@_guard\".micros(), \"@_guard\".micros() + 900000000, "
    "pg_current_xact_id()::text::bigint); "
    /* The crosswalk shows numbers alone: rows stay closed. */
    "IF form <> 'crosswalk' THEN INSERT INTO \"@\".sight_record (sight_id, record_id) "
    "SELECT number, f FROM unnest(theirs) AS f; END IF; "
    "RETURN number; END $f$;";

static const char STANDS[] =
    "CREATE FUNCTION \"@_guard\".stands(scope text) RETURNS boolean LANGUAGE sql STABLE "
    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ "
    "SELECT EXISTS (SELECT 1 FROM \"@\".sight s WHERE s.login = session_user::text AND s.scope = stands.scope "
    "AND s.until > \"@_guard\".micros() "
    "AND s.written_in <> COALESCE(pg_current_xact_id_if_assigned()::text::bigint, 0) "
    "AND EXISTS (SELECT 1 FROM \"@\".granted g WHERE g.login = s.login AND g.role = 'officer' AND g.ended = 0)) $f$;";

/* What left, told by who took it: counts and a digest of the file. */
static const char TAKEN[] =
    "CREATE FUNCTION \"@_guard\".taken(number bigint, amount bigint, digest text) RETURNS bigint LANGUAGE plpgsql "
    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ DECLARE seen record; BEGIN "
    "SELECT s.scope, s.purpose INTO seen FROM \"@\".sight s WHERE s.sight_id = number "
    "AND s.login = session_user::text AND \"@_guard\".stands(s.scope); "
    "IF seen.scope IS NULL OR amount IS NULL OR digest IS NULL OR regexp_match(digest, '^[0-9a-f]{64}$') IS NULL THEN "
    "RAISE EXCEPTION 'no sight' USING ERRCODE = '22023'; END IF; "
    "RETURN \"@_guard\".entry('exported', seen.purpose, '{\"digest\":\"' || digest || '\",\"for\":\"' || "
    "split_part(seen.scope, ' ', 2) || '\",\"form\":\"' || split_part(seen.scope, ' ', 1) || '\",\"rows\":' || amount "
    "|| '}'); END $f$;";

static void ids(const struct roles *roles, const char *form, const char *kind) {
  char text[640];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* a constant of this file */
  snprintf(text, sizeof text, IDS, form, kind, kind, kind, kind);
#pragma GCC diagnostic pop
  roles_text(roles, text);
}

static void crosswalk(const struct roles *roles) {
  const struct field *numbers[CROSSWALK_NUMBERS_MOST];
  size_t count = crosswalk_numbers(roles->store->model, numbers);
  char prefix[80], own[200];
  snprintf(prefix, sizeof prefix, "\"%s\".", roles->store->dialect.schema);
  snprintf(own, sizeof own, " AND \"%s_guard\".own(m.row_id / 1048576) AND \"%s_guard\".stands('crosswalk ' || $1)",
           roles->store->dialect.schema, roles->store->dialect.schema);
  roles_text(roles, "GRANT SELECT ON \"@\".link_pair TO \"@_guard\";"
                    "GRANT SELECT (source_id, code) ON \"@\".source TO \"@_guard\"; GRANT SELECT (key");
  for (size_t i = 0; i < count; i++) {
    buffer_printf(roles->sql, ", \"%s\"", numbers[i]->name);
  }
  roles_text(roles, ") ON \"@\".st_case TO \"@_guard\";");
  const struct entity *involvement = model_entity(roles->store->model, "involvement");
  static const char *const CONSENT[] = {"consent", "consent_withdrawn_on"};
  for (size_t i = 0; involvement != NULL && i < 2; i++) {
    if (entity_field(involvement, slice_of(CONSENT[i])) != NULL) {
      buffer_printf(roles->sql, "GRANT SELECT (%s) ON ", CONSENT[i]);
      roles_text(roles, "\"@\".st_involvement TO \"@_guard\";");
    }
  }
  roles_text(roles, "CREATE FUNCTION \"@_guard\".crosswalk(institution text) RETURNS TABLE (");
  crosswalk_columns(roles->store->model, roles->sql);
  roles_text(roles, ") LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ ");
  crosswalk_text(roles->store->model, prefix, own, roles->sql);
  roles_text(roles, " $f$;");
}

void roles_bulk(const struct roles *roles) {
  bool cases = roles->store->wholes[CLUSTER_CASE].shelf != NULL;
  roles_text(roles, STANDS);
  roles_text(roles, BEGIN_SIGHT);
  if (cases) {
    ids(roles, "crosswalk", "case");
  }
  if (roles->store->wholes[CLUSTER_PERSON].shelf != NULL) {
    ids(roles, "htcds", "person");
  }
  roles_text(roles, END_SIGHT);
  roles_text(roles, TAKEN);
  if (cases) {
    crosswalk(roles);
  }
}
