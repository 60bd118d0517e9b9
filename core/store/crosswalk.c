#include "core/store/crosswalk.h"

#include "core/store/access.h"
#include "core/store/crosswalk_text.h"

enum { TEXT_LIMIT = 1 << 16, OWN_AT = 2, SIDE_HEAD = 4 };

size_t crosswalk_numbers(const struct model *model, const struct field *numbers[CROSSWALK_NUMBERS_MOST]) {
  const struct entity *entity = model_entity(model, "case");
  size_t count = 0;
  for (size_t i = 0; entity != NULL && i < entity->field_count && count < CROSSWALK_NUMBERS_MOST; i++) {
    const struct field *field = &entity->fields[i];
    bool sealed = field->sensitivity == SENSITIVITY_IDENTIFIER || field->sensitivity == SENSITIVITY_OPEN;
    if (field->type == FIELD_TEXT && !field->many && !field->local && !sealed) {
      numbers[count++] = field;
    }
  }
  return count;
}

/* ---- the SELECT ---- */

static void put(struct buffer *sql, const char *prefix, const char *text) {
  for (; *text != '\0'; text++) {
    if (*text == '@') {
      buffer_text(sql, prefix);
    } else {
      buffer_char(sql, *text);
    }
  }
}

/* Cases of which a person limited the consent: not even a number leaves, in either direction. */
static void put_held(struct buffer *sql, const char *prefix, const struct model *model) {
  const struct entity *entity = model_entity(model, "involvement");
  bool scoped = entity != NULL && entity_field(entity, slice_of("consent")) != NULL;
  bool dated = entity != NULL && entity_field(entity, slice_of("consent_withdrawn_on")) != NULL;
  put(sql, prefix, "WITH held AS (");
  if (!scoped && !dated) {
    buffer_text(sql, "SELECT CAST(0 AS BIGINT) AS source_id, NULL AS case_key WHERE 1 = 0), ");
    return;
  }
  put(sql, prefix,
      "SELECT DISTINCT i.row_id >> 52 AS source_id, i.case_key FROM @st_involvement i WHERE i.to_run IS NULL AND (");
  buffer_printf(sql, "%s%s%s), ", scoped ? "i.consent IN ('link', 'count', 'none', 'withdrawn')" : "",
                scoped && dated ? " OR " : "", dated ? "i.consent_withdrawn_on IS NOT NULL)" : ")");
}

static void put_rows(struct buffer *sql, const char *prefix, const struct model *model) {
  const struct field *numbers[CROSSWALK_NUMBERS_MOST];
  size_t count = crosswalk_numbers(model, numbers);
  buffer_text(sql, "SELECT m.case_id, m.row_id, m.source_id, s.institution, s.key");
  for (size_t i = 0; i < count; i++) {
    buffer_printf(sql, ", s.\"%s\" AS n%zu", numbers[i]->name, i);
  }
  put(sql, prefix,
      ", CASE WHEN h.source_id IS NULL THEN 0 ELSE 1 END AS held FROM @case_member m JOIN @st_case s "
      "ON s.row_id = m.row_id AND s.to_run IS NULL LEFT JOIN held h ON h.source_id = m.source_id "
      "AND h.case_key = s.key WHERE m.to_run IS NULL AND s.institution ");
}

static void put_side(struct buffer *sql, size_t numbers, const char *alias, const char *source, const char *when) {
  const char *columns[] = {"source_id", "code", "institution", "key"};
  const char *then = when[0] == '\0' ? "" : " END";
  for (size_t i = 0; i < SIDE_HEAD; i++) {
    buffer_printf(sql, ", %s%s.%s%s", when, i == 1 ? source : alias, columns[i], then);
  }
  for (size_t i = 0; i < numbers; i++) {
    buffer_printf(sql, ", %s%s.n%zu%s", when, alias, i, then);
  }
}

#define SHARED "t.open = 1 AND f.held = 0 AND t.held = 0"

void crosswalk_text(const struct model *model, const char *prefix, const char *own, struct buffer *sql) {
  const struct field *numbers[CROSSWALK_NUMBERS_MOST];
  size_t count = crosswalk_numbers(model, numbers);
  put_held(sql, prefix, model);
  put(sql, prefix, "mine AS (");
  put_rows(sql, prefix, model);
  put(sql, prefix, "= $1");
  put(sql, prefix, own);
  put(sql, prefix, "), other AS (");
  put_rows(sql, prefix, model);
  put(sql, prefix,
      "<> $1), theirs AS (SELECT o.*, CASE WHEN EXISTS (SELECT 1 FROM @share g WHERE g.source_id = o.source_id "
      "AND g.recipient IN ('*', $1) AND g.field = '*') THEN 1 ELSE 0 END AS open FROM other o) "
      "SELECT f.case_id, f.row_id");
  put_side(sql, count, "f", "fs", "");
  put(sql, prefix, ", CAST(CASE WHEN t.row_id IS NULL THEN 0 WHEN " SHARED " THEN 2 ELSE 1 END AS BIGINT)");
  put_side(sql, count, "t", "ts", "CASE WHEN " SHARED " THEN ");
  put(sql, prefix,
      ", CASE WHEN " SHARED " THEN COALESCE(p.reason, 'indirect') END, CASE WHEN " SHARED " THEN p.weight END "
      "FROM mine f JOIN @source fs ON fs.source_id = f.source_id LEFT JOIN theirs t ON t.case_id = f.case_id "
      "LEFT JOIN @source ts ON ts.source_id = t.source_id LEFT JOIN @link_pair p ON p.kind = 1 AND p.outcome = 0 "
      "AND p.row_a = CASE WHEN f.row_id < t.row_id THEN f.row_id ELSE t.row_id END "
      "AND p.row_b = CASE WHEN f.row_id < t.row_id THEN t.row_id ELSE f.row_id END "
      "ORDER BY f.case_id, f.row_id, t.row_id");
}

void crosswalk_columns(const struct model *model, struct buffer *sql) {
  const struct field *numbers[CROSSWALK_NUMBERS_MOST];
  size_t count = crosswalk_numbers(model, numbers), at = 0;
  buffer_printf(sql, "c%zu bigint, c%zu bigint", at, at + 1);
  at = OWN_AT;
  for (int side = 0; side < 2; side++) {
    buffer_printf(sql, ", c%zu bigint", at++);
    for (size_t i = 1; i < SIDE_HEAD + count; i++) {
      buffer_printf(sql, ", c%zu text", at++);
    }
    if (side == 0) {
      buffer_printf(sql, ", c%zu bigint", at++);
    }
  }
  buffer_printf(sql, ", c%zu text, c%zu double precision", at, at + 1);
}

/* ---- reading ---- */

/* A number comes as one, or as its text. */
static struct slice text_at(struct store *store, struct cursor *cursor, size_t column) {
  struct value value = store->ops->value(cursor, column);
  if (value.kind == VALUE_NULL || value.kind == VALUE_TEXT) {
    return slice_of_value(value);
  }
  const char *text = arena_printf(store->scratch, "%.15g", real_of_value(value));
  return text == NULL ? slice_make(NULL, 0) : slice_of(text);
}

static size_t take_side(struct store *store, struct cursor *cursor, size_t at, size_t numbers,
                        struct crosswalk_side *side) {
  side->source_id = (int)int_of_value(store->ops->value(cursor, at));
  side->source = text_at(store, cursor, at + 1);
  side->institution = text_at(store, cursor, at + 2);
  side->key = text_at(store, cursor, at + 3);
  for (size_t i = 0; i < numbers; i++) {
    side->numbers[i] = text_at(store, cursor, at + SIDE_HEAD + i);
  }
  return at + SIDE_HEAD + numbers;
}

static void take_row(struct store *store, struct cursor *cursor, size_t numbers, struct crosswalk_row *row) {
  *row = (struct crosswalk_row){.case_id = int_of_value(store->ops->value(cursor, 0)),
                                .row_id = int_of_value(store->ops->value(cursor, 1))};
  size_t at = take_side(store, cursor, OWN_AT, numbers, &row->own);
  row->partner = (enum crosswalk_partner)int_of_value(store->ops->value(cursor, at));
  at = take_side(store, cursor, at + 1, numbers, &row->other);
  row->evidence = text_at(store, cursor, at);
  row->weight = text_at(store, cursor, at + 1);
}

static enum status compose(struct store *store, struct buffer *sql, struct error *error) {
  if (store_roles(store) != ROLES_SERVICE) {
    buffer_printf(sql, "SELECT * FROM \"%s_guard\".crosswalk($1)", store->dialect.schema);
  } else {
    crosswalk_text(store->model, "", "", sql);
  }
  return buffer_check(sql, "statement", error);
}

enum status store_visit_crosswalk(struct store *store, const char *institution, crosswalk_visitor *visit, void *context,
                                  struct error *error) {
  const struct field *numbers[CROSSWALK_NUMBERS_MOST];
  size_t count = crosswalk_numbers(store->model, numbers);
  struct cursor *cursor = NULL;
  struct buffer sql;
  buffer_init(&sql, TEXT_LIMIT);
  enum status status = compose(store, &sql, error);
  status = status == OK ? store->ops->stream(store->driver, sql.data, VALUES(text_value(institution)), &cursor, error)
                        : status;
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    struct crosswalk_row row;
    arena_reset(store->scratch);
    take_row(store, cursor, count, &row);
    status = visit(context, &row, error);
  }
  store->ops->finish(cursor);
  buffer_free(&sql);
  return status == END ? OK : status;
}
