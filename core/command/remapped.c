#include "core/command/remapped.h"

#include "core/command/table.h"
#include "core/service/remapped.h"

#include <stdio.h>

static void print_plans(const struct remap_report *report) {
  for (size_t i = 0; i < report->former_count; i++) {
    const struct remap_plan *former = &report->former[i];
    const char *digest = former->digest[0] == '\0' ? _("several") : former->digest;
    if (strcmp(digest, report->plan) == 0) {
      printf(_("  plan %s as before: %lld records\n"), digest, (long long)former->records);
    } else {
      printf(_("  plan %s -> %s: %lld records\n"), digest, report->plan, (long long)former->records);
    }
  }
  if (report->rekeyed > 0) {
    printf(_("  records that have another key now: %lld\n"), (long long)report->rekeyed);
  }
}

static void print_quarantine(const struct remap_report *report) {
  if (report->reason_count == 0) {
    return;
  }
  printf(_("  quarantine: %lld -> %lld records\n"), (long long)report->quarantined_before,
         (long long)report->quarantined_after);
  for (size_t i = 0; i < report->reason_count; i++) {
    const struct remap_reason *reason = &report->reasons[i];
    printf("    %s: %lld -> %lld\n", reason->code, (long long)reason->before, (long long)reason->after);
  }
}

static void add_value(struct table *table, const struct remap_value *value) {
  char text[REMAP_SHOWN + 4];
  if (value->empty) {
    snprintf(text, sizeof text, "(%s)", value->text[0] == '\0' ? "-" : value->text);
  } else {
    snprintf(text, sizeof text, "%s", value->text);
  }
  table_text(table, text);
}

static void add_field(struct table *table, const struct remap_entity *entity, const struct remap_field *field) {
  for (size_t i = 0; i < field->transition_count && i < REMAP_TOP; i++) {
    table_text(table, i == 0 ? entity->entity->name : "");
    table_text(table, i == 0 ? field->column->name : "");
    if (i == 0) {
      table_integer(table, field->changed);
      table_integer(table, field->appeared);
      table_integer(table, field->vanished);
    } else {
      table_null(table);
      table_null(table);
      table_null(table);
    }
    table_integer(table, field->transitions[i].rows);
    add_value(table, &field->transitions[i].from);
    add_value(table, &field->transitions[i].to);
  }
}

static void add_entity(struct table *table, const struct remap_entity *entity) {
  table_text(table, entity->entity->name);
  table_text(table, _("(rows)"));
  table_integer(table, entity->changed);
  table_integer(table, entity->appeared);
  table_integer(table, entity->vanished);
  table_null(table);
  table_null(table);
  table_null(table);
  for (size_t i = 0; i < entity->entity->column_count; i++) {
    add_field(table, entity, &entity->fields[i]);
  }
}

static enum status print_rows(const struct remap_report *report, struct error *error) {
  const struct table_column columns[] = {{.name = "entity", .title = _("entity")},
                                         {.name = "field", .title = _("field")},
                                         {.name = "changed", .title = _("changed"), .align = ALIGN_RIGHT},
                                         {.name = "appeared", .title = _("appeared"), .align = ALIGN_RIGHT},
                                         {.name = "vanished", .title = _("vanished"), .align = ALIGN_RIGHT},
                                         {.name = "times", .title = _("times"), .align = ALIGN_RIGHT},
                                         {.name = "from", .title = _("from"), .most = 30},
                                         {.name = "to", .title = _("to"), .most = 30}};
  struct table *table = table_new(columns, sizeof columns / sizeof *columns);
  if (table == NULL) {
    return error_memory(error);
  }
  bool any = false; /* a table that memory ended for has no rows either, which table_print tells */
  for (size_t e = 0; e < report->entity_count; e++) {
    if (remapped_entity_differs(&report->entities[e])) {
      add_entity(table, &report->entities[e]);
      any = true;
    }
  }
  enum status status = OK;
  if (any) {
    status = table_print(table, stdout, TABLE_TEXT, error);
  } else {
    puts(_("  no row changes"));
  }
  table_free(table);
  return status;
}

enum status remapped_print(const struct remap_report *report, bool *shown, struct error *error) {
  *shown = report->former_count > 0;
  if (!*shown) {
    return OK;
  }
  print_plans(report);
  print_quarantine(report);
  enum status status = print_rows(report, error);
  puts("");
  return status;
}
