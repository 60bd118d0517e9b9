/* Functions of role SCHEMA_guard, which has no login and whose rights are: to append to the log and to sights, to lock
 * the log's head, and to look up whose a row is. They fix their search_path and qualify every name, so that nobody's
 * object takes the place of another; nobody but the roles named may call them. */
#include "core/store/postgres/roles.h"

/* The entry as docs/audit-log.md specifies it, the actor being the session's login. */
static const char LOG[] =
    "CREATE FUNCTION \"@_guard\".put(word text) RETURNS bytea LANGUAGE sql IMMUTABLE "
    "SET search_path = pg_catalog, pg_temp AS $f$ SELECT CASE WHEN word IS NULL THEN '\\xffffffff'::bytea "
    "ELSE int4send(octet_length(convert_to(word, 'UTF8'))) || convert_to(word, 'UTF8') END $f$;"
    "CREATE FUNCTION \"@_guard\".micros() RETURNS bigint LANGUAGE sql VOLATILE "
    "SET search_path = pg_catalog, pg_temp AS $f$ "
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint $f$;"
    "CREATE FUNCTION \"@_guard\".entry(event text, purpose text, body text) RETURNS bigint LANGUAGE plpgsql "
    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ DECLARE "
    "before record; number bigint; moment bigint; form bytea; zeros bytea := decode(repeat('00', 32), 'hex'); BEGIN "
    "UPDATE \"@\".audit_head SET sequence = sequence WHERE id = 1 RETURNING sequence, hash INTO STRICT before; "
    "number := before.sequence + 1; moment := \"@_guard\".micros(); "
    "form := convert_to(E'puente/audit/1\\n', 'UTF8') || int8send(number) || int8send(moment) || int8send(0) || "
    "\"@_guard\".put(event) || \"@_guard\".put(NULL) || \"@_guard\".put(session_user::text) || "
    "\"@_guard\".put(purpose) || \"@_guard\".put(body) || zeros || before.hash; "
    "INSERT INTO \"@\".audit_log (sequence, at, run, event, source, actor, purpose, body, outcomes, previous, hash) "
    "VALUES (number, moment, 0, event, NULL, session_user::text, purpose, body, zeros, before.hash, sha256(form)); "
    "UPDATE \"@\".audit_head SET sequence = number, hash = sha256(form) WHERE id = 1; "
    "RETURN number; END $f$;"
    "CREATE FUNCTION \"@_guard\".refuse(word text) RETURNS bigint LANGUAGE plpgsql "
    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ BEGIN "
    "IF word IS NULL OR regexp_match(word, '^[a-z]{1,20}$') IS NULL THEN RAISE EXCEPTION 'no right' USING ERRCODE = "
    "'22023'; END IF; "
    "RETURN \"@_guard\".entry('refuse', NULL, '{\"right\":\"' || word || '\"}'); END $f$;";

/* The list of a sight of many, as core/audit/shown.h has it, and the members by which the entry's body names it. */
static const char SHOWN[] =
    "CREATE FUNCTION \"@_guard\".shown(ids bigint[]) RETURNS text LANGUAGE plpgsql "
    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ DECLARE list text; amount bigint; BEGIN "
    "WITH numbers AS (SELECT DISTINCT i FROM unnest(ids) AS i), "
    "runs AS (SELECT min(i) AS first, max(i) AS last FROM (SELECT i, i - row_number() OVER (ORDER BY i) AS run "
    "FROM numbers) n GROUP BY run), "
    "gaps AS (SELECT first, last, first - COALESCE(lag(last) OVER (ORDER BY first), 0) AS gap FROM runs) "
    "SELECT COALESCE(string_agg(gap || CASE WHEN last > first THEN '+' || (last - first) ELSE '' END, ' ' "
    "ORDER BY first), ''), COALESCE(sum(last - first + 1), 0) INTO list, amount FROM gaps; "
    "INSERT INTO \"@\".shown (digest, persons, ids) VALUES (sha256(convert_to(list, 'UTF8')), amount, list) "
    "ON CONFLICT DO NOTHING; "
    "RETURN ',\"persons\":' || amount || ',\"shown\":\"' || encode(sha256(convert_to(list, 'UTF8')), 'hex') || '\"'; "
    "END $f$;";

/* Persons who are involved in cases, whoever reported it. */
static void involved(const struct roles *roles) {
  roles_text(roles, "CREATE FUNCTION \"@_guard\".involved(cases bigint[]) RETURNS bigint[] LANGUAGE sql STABLE "
                    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ ");
  roles_text(roles, model_entity(roles->store->model, "involvement") == NULL
                        ? "SELECT ARRAY[]::bigint[]"
                        : "SELECT array_agg(DISTINCT p.person_id) FROM \"@\".st_involvement i "
                          "JOIN \"@\".person_member p ON p.source_id = i.row_id >> 52 AND p.row_key = i.person_key "
                          "AND p.to_run IS NULL WHERE i.to_run IS NULL AND (i.row_id >> 52, i.case_key) IN "
                          "(SELECT c.source_id, c.row_key FROM \"@\".case_member c WHERE c.to_run IS NULL "
                          "AND c.case_id = ANY (cases))");
  roles_text(roles, " $f$;");
}

/* What the session may look at now: a sight that another transaction committed, of a grant that still stands. */
static const char SIGHTS[] =
    "CREATE FUNCTION \"@_guard\".records() RETURNS SETOF bigint LANGUAGE sql STABLE "
    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ "
    "SELECT DISTINCT r.record_id FROM \"@\".sight s JOIN \"@\".sight_record r ON r.sight_id = s.sight_id "
    "WHERE s.login = session_user::text AND s.until > \"@_guard\".micros() "
    "AND s.written_in <> COALESCE(pg_current_xact_id_if_assigned()::text::bigint, 0) "
    "AND EXISTS (SELECT 1 FROM \"@\".granted g WHERE g.login = s.login AND g.role = 'officer' AND g.ended = 0) $f$;"
    "CREATE FUNCTION \"@_guard\".persons() RETURNS SETOF bigint LANGUAGE sql STABLE "
    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ SELECT DISTINCT m.person_id "
    "FROM \"@_guard\".records() AS r(id) JOIN \"@\".person_member m ON m.row_id BETWEEN r.id * 1048576 AND "
    "r.id * 1048576 + 1048575 WHERE m.to_run IS NULL $f$;"
    "CREATE FUNCTION \"@_guard\".cases() RETURNS SETOF bigint LANGUAGE sql STABLE "
    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ SELECT DISTINCT m.case_id "
    "FROM \"@_guard\".records() AS r(id) JOIN \"@\".case_member m ON m.row_id BETWEEN r.id * 1048576 AND "
    "r.id * 1048576 + 1048575 WHERE m.to_run IS NULL $f$;";

/* Whether a record is of the institution and region that the session's grants name. Rows that tell no region are of
 * none: only a grant for all regions has them. */
static void own(const struct roles *roles) {
  const struct store *store = roles->store;
  roles_text(roles, "CREATE FUNCTION \"@_guard\".own(rec bigint) RETURNS boolean LANGUAGE sql STABLE "
                    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ SELECT EXISTS (SELECT 1 FROM (");
  for (size_t e = 0; e < store->model->entity_count; e++) {
    const struct shelf *shelf = &store->shelves[e];
    bool placed = shelf->region >= 0 && !shelf->entity->columns[shelf->region].field->local;
    buffer_printf(roles->sql, "%sSELECT institution, %s AS region FROM ", e == 0 ? "" : " UNION ALL ",
                  placed ? "region" : "NULL::text");
    roles_text(roles, "\"@\".");
    buffer_printf(roles->sql,
                  "\"%s\" WHERE to_run IS NULL AND row_id BETWEEN rec * 1048576 AND rec * 1048576 + 1048575",
                  shelf->table.name);
  }
  roles_text(roles, ") w JOIN \"@\".granted g ON (g.institution IS NULL OR g.institution = w.institution) "
                    "AND (g.region IS NULL OR starts_with(w.region, g.region)) "
                    "WHERE g.login = session_user::text AND g.role = 'officer' AND g.ended = 0) $f$;");
}

/* Whether the row is of a person who did not consent to be shown to others than who asked her. */
static void unshared(const struct roles *roles, const struct entity *involvement) {
  bool told = involvement != NULL && entity_field(involvement, slice_of("consent")) != NULL;
  roles_text(roles, "CREATE FUNCTION \"@_guard\".unshared(person bigint) RETURNS boolean LANGUAGE sql STABLE "
                    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ ");
  roles_text(roles, told
                        ? "SELECT EXISTS (SELECT 1 FROM \"@\".person_member m JOIN \"@\".st_involvement i "
                          "ON i.row_id BETWEEN m.row_id / 1048576 * 1048576 AND m.row_id / 1048576 * 1048576 + 1048575 "
                          "AND i.person_key = m.row_key AND i.to_run IS NULL "
                          "WHERE m.row_id = person AND m.to_run IS NULL AND i.consent NOT IN ('share', 'law'))"
                        : "SELECT false");
  roles_text(roles, " $f$;");
}

/* A consolidated value comes from one staged row. Others' values are seen as their terms allow, and never where the
 * person stands in two roles: that link is not other institutions' to know. */
static void sees(const struct roles *roles) {
  const struct entity *involvement = model_entity(roles->store->model, "involvement");
  bool told = involvement != NULL && entity_field(involvement, slice_of("role")) != NULL;
  roles_text(roles, "CREATE FUNCTION \"@_guard\".mixed(person bigint) RETURNS boolean LANGUAGE sql STABLE "
                    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ ");
  roles_text(roles, told
                        ? "SELECT count(DISTINCT i.role) > 1 FROM \"@\".person_member m JOIN \"@\".st_involvement i "
                          "ON i.row_id BETWEEN m.row_id / 1048576 * 1048576 AND m.row_id / 1048576 * 1048576 + 1048575 "
                          "AND i.person_key = m.row_key AND i.to_run IS NULL "
                          "WHERE m.person_id = person AND m.to_run IS NULL"
                        : "SELECT false");
  roles_text(roles, " $f$;");
  unshared(roles, involvement);
  roles_text(
      roles,
      "CREATE FUNCTION \"@_guard\".sees(kind text, id bigint, origins text, field text) RETURNS boolean "
      "LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ "
      "DECLARE origin bigint := (origins::json -> field ->> 0)::bigint; BEGIN "
      "IF origin IS NULL THEN RETURN false; END IF; "
      "IF origin / 1048576 IN (SELECT r FROM \"@_guard\".records() r) THEN RETURN true; END IF; "
      "IF kind = 'person' AND (\"@_guard\".mixed(id) OR \"@_guard\".unshared(origin)) THEN RETURN false; END IF; "
      "RETURN EXISTS (SELECT 1 FROM \"@\".share h JOIN \"@\".granted g ON h.recipient IN ('*', g.institution) "
      "WHERE h.source_id = origin >> 52 AND h.field IN ('*', kind || '.' || sees.field) "
      "AND g.login = session_user::text AND g.role = 'officer' AND g.ended = 0); END $f$;");
}

/* 0: nothing of it is theirs; that is in the log, too. */
static const char SIGHT[] =
    "CREATE FUNCTION \"@_guard\".sight(kind text, id bigint, purpose text) RETURNS bigint LANGUAGE plpgsql "
    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ DECLARE theirs bigint[]; number bigint; BEGIN "
    "IF purpose IS NULL OR btrim(purpose) = '' OR length(purpose) > 500 OR id IS NULL THEN "
    "RAISE EXCEPTION 'no purpose' USING ERRCODE = '22023'; END IF; "
    "IF kind = 'record' THEN theirs := ARRAY[id]; "
    "ELSIF kind = 'person' THEN SELECT array_agg(DISTINCT m.row_id / 1048576) INTO theirs FROM \"@\".person_member m "
    "WHERE m.person_id = id AND m.to_run IS NULL; "
    "ELSIF kind = 'case' THEN SELECT array_agg(DISTINCT m.row_id / 1048576) INTO theirs FROM \"@\".case_member m "
    "WHERE m.case_id = id AND m.to_run IS NULL; "
    "ELSE RAISE EXCEPTION 'no kind' USING ERRCODE = '22023'; END IF; "
    "SELECT array_agg(f) INTO theirs FROM unnest(theirs) AS f WHERE \"@_guard\".own(f); "
    "IF theirs IS NULL THEN PERFORM \"@_guard\".entry('refuse', purpose, '{\"' || kind || '_id\":' || id || "
    "',\"right\":\"sight\"}'); RETURN 0; END IF; "
    "number := \"@_guard\".entry('reveal', purpose, '{\"' || kind || '_id\":' || id || CASE WHEN kind = 'case' "
    "THEN \"@_guard\".shown(\"@_guard\".involved(ARRAY[id])) ELSE '' END || '}'); "
    "INSERT INTO \"@\".sight (sight_id, login, purpose, scope, at, until, written_in) VALUES (number, "
    "session_user::text, purpose, kind || ' ' || id, \"@_guard\".micros(), \"@_guard\".micros() + 900000000, "
    "pg_current_xact_id()::text::bigint); "
    "INSERT INTO \"@\".sight_record (sight_id, record_id) SELECT number, f FROM unnest(theirs) AS f; "
    "RETURN number; END $f$;";

/* A figure that an auditor is about to count: in the log, and what figures are made of can be read for a quarter of an
 * hour, by other transactions. */
static const char FIGURES[] =
    "CREATE FUNCTION \"@_guard\".figure(word text, purpose text, body text) RETURNS bigint LANGUAGE plpgsql "
    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ DECLARE number bigint; BEGIN "
    "IF word IS NULL OR word NOT IN ('figure', 'sample') OR body IS NULL OR octet_length(body) > 65536 "
    "OR json_typeof(body::json) <> 'object' THEN RAISE EXCEPTION 'no figure' USING ERRCODE = '22023'; END IF; "
    "number := \"@_guard\".entry(word, purpose, body); "
    "INSERT INTO \"@\".sight (sight_id, login, purpose, scope, at, until, written_in) VALUES (number, "
    "session_user::text, COALESCE(purpose, ''), 'figures', \"@_guard\".micros(), \"@_guard\".micros() + 900000000, "
    "pg_current_xact_id()::text::bigint); RETURN number; END $f$;"
    "CREATE FUNCTION \"@_guard\".counting() RETURNS boolean LANGUAGE sql STABLE "
    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ SELECT EXISTS (SELECT 1 FROM \"@\".sight s "
    "WHERE s.login = session_user::text AND s.scope = 'figures' AND s.until > \"@_guard\".micros() "
    "AND s.written_in <> COALESCE(pg_current_xact_id_if_assigned()::text::bigint, 0) "
    "AND EXISTS (SELECT 1 FROM \"@\".granted g WHERE g.login = s.login AND g.role = 'auditor' AND g.ended = 0)) $f$;";

/* What an administrator of keys did with the key file: a share of it or a key that comes of it was written. */
static const char KEYS[] =
    "CREATE FUNCTION \"@_guard\".key(purpose text, body text) RETURNS bigint LANGUAGE plpgsql "
    "SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ BEGIN "
    "IF body IS NULL OR octet_length(body) > 1024 OR length(purpose) > 500 OR json_typeof(body::json) <> 'object' "
    "OR (body::json ->> 'step') IS NULL OR (body::json ->> 'step') NOT IN ('split', 'linkage') THEN "
    "RAISE EXCEPTION 'no step' USING ERRCODE = '22023'; END IF; "
    "RETURN \"@_guard\".entry('key', purpose, body); END $f$;";

/* The owner is a member only while it hands the functions over: never beyond this transaction. */
static const char RIGHTS[] =
    "GRANT USAGE ON SCHEMA \"@\", \"@_guard\" TO \"@_guard\"; GRANT CREATE ON SCHEMA \"@_guard\" TO \"@_guard\";"
    "GRANT SELECT, UPDATE ON \"@\".audit_head TO \"@_guard\";"
    "GRANT INSERT ON \"@\".audit_log, \"@\".shown TO \"@_guard\";"
    "GRANT INSERT, SELECT ON \"@\".sight, \"@\".sight_record TO \"@_guard\";"
    "GRANT SELECT ON \"@\".granted, \"@\".share, \"@\".person_member, \"@\".case_member TO \"@_guard\";"
    "DO $do$ DECLARE f regprocedure; BEGIN EXECUTE 'GRANT \"@_guard\" TO ' || quote_ident(current_user); "
    "FOR f IN SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.pronamespace = '\"@_guard\"'::regnamespace LOOP "
    "EXECUTE 'REVOKE ALL ON FUNCTION ' || f || ' FROM PUBLIC'; "
    "EXECUTE 'ALTER FUNCTION ' || f || ' OWNER TO \"@_guard\"'; "
    "END LOOP; END $do$;"
    "REVOKE CREATE ON SCHEMA \"@_guard\" FROM \"@_guard\";"
    "GRANT USAGE ON SCHEMA \"@_guard\" TO \"@_operator\", \"@_analyst\", \"@_officer\", \"@_auditor\", \"@_keys\";"
    "SET LOCAL ROLE \"@_guard\";"
    "GRANT EXECUTE ON FUNCTION \"@_guard\".refuse(text), \"@_guard\".records(), \"@_guard\".persons(), "
    "\"@_guard\".cases() TO \"@_operator\", \"@_analyst\", \"@_officer\", \"@_auditor\", \"@_keys\";"
    "GRANT EXECUTE ON FUNCTION \"@_guard\".sight(text, bigint, text), "
    "\"@_guard\".sees(text, bigint, text, text), \"@_guard\".sight_all(text, text, text), "
    "\"@_guard\".taken(bigint, bigint, text) TO \"@_officer\";"
    "GRANT EXECUTE ON FUNCTION \"@_guard\".key(text, text) TO \"@_keys\";"
    "GRANT EXECUTE ON FUNCTION \"@_guard\".figure(text, text, text), \"@_guard\".counting() TO \"@_auditor\";"
    "DO $do$ BEGIN IF to_regprocedure('\"@_guard\".crosswalk(text)') IS NOT NULL THEN "
    "GRANT EXECUTE ON FUNCTION \"@_guard\".crosswalk(text) TO \"@_officer\"; END IF; END $do$;"
    /* Policies are evaluated with the rights of whoever asks: the service, and the role by which it queries. */
    "DO $do$ DECLARE asker name; BEGIN FOR asker IN SELECT rolname FROM pg_catalog.pg_roles "
    "WHERE rolname IN (session_user, 'puente_query_@') LOOP EXECUTE 'GRANT EXECUTE ON FUNCTION "
    "\"@_guard\".records(), \"@_guard\".persons(), \"@_guard\".cases(), \"@_guard\".counting() TO ' || "
    "quote_ident(asker); "
    "END LOOP; END $do$;"
    "RESET ROLE;"
    "DO $do$ BEGIN EXECUTE 'REVOKE \"@_guard\" FROM ' || quote_ident(session_user); END $do$;";

void roles_guard(const struct roles *roles) {
  const struct store *store = roles->store;
  roles_text(roles, "CREATE SCHEMA \"@_guard\";");
  roles_text(roles, LOG);
  roles_text(roles, SIGHTS);
  own(roles);
  sees(roles);
  roles_text(roles, SHOWN);
  involved(roles);
  roles_text(roles, SIGHT);
  roles_text(roles, FIGURES);
  roles_text(roles, KEYS);
  roles_bulk(roles);
  for (size_t e = 0; e < store->model->entity_count; e++) {
    const struct shelf *shelf = &store->shelves[e];
    bool roled = strcmp(shelf->entity->name, "involvement") == 0;
    bool consents = roled && entity_field(shelf->entity, slice_of("consent")) != NULL;
    buffer_printf(roles->sql, "GRANT SELECT (row_id, institution, region, to_run%s%s) ON ",
                  roled ? ", case_key, person_key, role" : "", consents ? ", consent" : "");
    roles_text(roles, "\"@\".");
    buffer_printf(roles->sql, "\"%s\" TO ", shelf->table.name);
    roles_text(roles, "\"@_guard\";");
  }
  roles_text(roles, RIGHTS);
}
