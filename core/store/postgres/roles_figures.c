/* What auditors count figures by: the documented views that figures are made of, as they are and as they were after a
 * run. Numbers, sources and open fields stand there always; codes, numbers and dates of persons and cases for a quarter
 * of an hour after an entry of the log that says of which figure; names, documents, texts and present places never. */
#include "core/store/postgres/roles.h"

#include <string.h>

static const struct {
  const char *view, *entity; /* NULL: no value of a person is in it */
} VIEWS[] = {
    {"persons", "person"},         {"cases", "case"},   {"case_records", "case"}, {"involvements", "involvement"},
    {"proceedings", "proceeding"}, {"events", "event"}, {"members", NULL},        {"origins", NULL}};

enum sight { SIGHT_ALWAYS, SIGHT_COUNTING, SIGHT_NEVER };

/* As figures may be broken down by it (core/service/cube_fields.c), and dates, of which years and ages are made. */
static enum sight sight_of(const struct entity *entity, const char *name) {
  for (size_t i = 0; entity != NULL && i < entity->column_count; i++) {
    const struct column *column = &entity->columns[i];
    const struct field *field = column->field;
    if (strcmp(column->name, name) != 0) {
      continue;
    }
    if (field->local || field->sensitivity == SENSITIVITY_IDENTIFIER) {
      return SIGHT_NEVER;
    }
    if (field->sensitivity == SENSITIVITY_OPEN && !column->own) {
      return SIGHT_ALWAYS;
    }
    return column->own || field->type == FIELD_TEXT ? SIGHT_NEVER : SIGHT_COUNTING;
  }
  return SIGHT_ALWAYS; /* numbers of rows, sources, runs */
}

static void put_select(const struct roles *roles, const struct view *view, const struct entity *entity,
                       const char *from) {
  for (size_t i = 0; i < view->column_count; i++) {
    const char *name = view->columns[i].name;
    enum sight sight = sight_of(entity, name);
    buffer_text(roles->sql, i == 0 ? "SELECT " : ", ");
    if (sight == SIGHT_ALWAYS) {
      buffer_printf(roles->sql, "v.\"%s\"", name);
      continue;
    }
    buffer_text(roles->sql, "CASE WHEN ");
    roles_text(roles, sight == SIGHT_NEVER ? "false" : "(SELECT \"@_guard\".counting())");
    buffer_printf(roles->sql, " THEN v.\"%s\" END AS \"%s\"", name, name);
  }
  buffer_printf(roles->sql, " FROM (%s) v", from);
}

static void put_past(const struct roles *roles, const struct view *view, const struct entity *entity,
                     const struct view_text *text) {
  struct buffer past;
  buffer_init(&past, 1 << 18);
  if (views_dated(text, "$1", &past) != OK) {
    roles->sql->failed = past.failed == OK ? ERR_INTERNAL : past.failed;
  } else {
    roles_text(roles, "CREATE FUNCTION \"@_auditor\".");
    buffer_printf(roles->sql, "\"%s_at\"(bigint) RETURNS SETOF ", view->name);
    roles_text(roles, "\"@_auditor\".");
    buffer_printf(roles->sql, "\"%s\" LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ", view->name);
    roles_text(roles, "\"@\", pg_catalog, pg_temp AS $f$ ");
    put_select(roles, view, entity, past.data);
    buffer_text(roles->sql, " $f$; REVOKE ALL ON FUNCTION ");
    roles_text(roles, "\"@_auditor\".");
    buffer_printf(roles->sql, "\"%s_at\"(bigint) FROM PUBLIC; GRANT EXECUTE ON FUNCTION ", view->name);
    roles_text(roles, "\"@_auditor\".");
    buffer_printf(roles->sql, "\"%s_at\"(bigint) TO ", view->name);
    roles_text(roles, "\"@_auditor\";");
  }
  buffer_free(&past);
}

void roles_figures(const struct roles *roles) {
  const struct store *store = roles->store;
  for (size_t i = 0; i < sizeof VIEWS / sizeof *VIEWS; i++) {
    const struct entity *entity = VIEWS[i].entity == NULL ? NULL : model_entity(store->model, VIEWS[i].entity);
    for (size_t v = 0; v < store->view_count; v++) {
      const struct view *view = &store->views[v];
      if (strcmp(view->name, VIEWS[i].view) != 0) {
        continue;
      }
      if (entity != NULL) { /* the others stand among the views of the role */
        roles_text(roles, "CREATE VIEW \"@_auditor\".");
        buffer_printf(roles->sql, "\"%s\" WITH (security_barrier) AS ", view->name);
        put_select(roles, view, entity, store->view_texts[v].select);
        buffer_text(roles->sql, ";");
      }
      put_past(roles, view, entity, &store->view_texts[v]);
    }
  }
}
