#include "core/audit/audit.h"
#include "core/audit/told.h"
#include "core/service/cube_told.h"

#include <stdio.h>

/* Tables that were found are written down. */

enum { TEXT_MOST = 1 << 24 };

struct writing {
  struct cube_lattice *lattice;
  struct told_row rows[LATTICE_TABLES_MOST];
  size_t count;
};

/* The level's field by the table's own order. */
static const struct lattice_step *step_of(const struct cube_lattice *lattice, const struct lattice_steps *steps,
                                          uint32_t axis, const struct lattice_chain **chain) {
  for (size_t c = 0; c < lattice->chain_count; c++) {
    *chain = &lattice->chains[c];
    if (steps->at[c] < (*chain)->count && (*chain)->steps[steps->at[c]].level.axis == axis) {
      return &(*chain)->steps[steps->at[c]];
    }
  }
  return NULL;
}

/* What the table is, and not what it was asked for by: alike ones are written alike. */
static enum status write_definition(struct cube_lattice *lattice, const struct disclose_table *laid,
                                    const struct lattice_steps *steps, struct told_row *row, struct error *error) {
  struct release_table_plan plan = {.indicator = *lattice->indicator};
  bool banded = false;
  plan.name = plan.label_en = plan.label_es = "";
  plan.indicator.name = plan.indicator.label_en = plan.indicator.label_es = "";
  plan.indicator.condition_count = 0;
  for (size_t i = 0; i < laid->level_count; i++) {
    const struct lattice_chain *chain;
    const struct lattice_step *step = step_of(lattice, steps, laid->levels[i].axis, &chain);
    plan.by[i] =
        step->field != NULL ? step->field : arena_printf(lattice->arena, "%c%s", TOLD_ATOMS, chain->steps[1].field);
    if (plan.by[i] == NULL) {
      return error_memory(error);
    }
    banded = banded || strcmp(plan.by[i], "age_band") == 0;
  }
  plan.by_count = laid->level_count;
  plan.indicator.band_count = banded ? plan.indicator.band_count : 0;
  struct error unused;
  enum status status = release_grouping_take(lattice->workspace, lattice->arena, &plan, &unused);
  if (status == ERR_MEMORY) {
    return error_memory(error);
  }
  struct buffer text;
  buffer_init(&text, TEXT_MOST);
  release_table_write(&plan, &text);
  status = buffer_check(&text, "told table", error);
  row->definition = status == OK ? arena_text(lattice->arena, buffer_view(&text)) : NULL;
  buffer_free(&text);
  return status == OK && row->definition == NULL ? error_memory(error) : status;
}

static void put_values(const struct cube_lattice *lattice, const struct disclose_table *laid,
                       const struct lattice_steps *steps, size_t place, struct buffer *text) {
  uint32_t values[DISCLOSE_AXES_MOST] = {0};
  for (size_t i = laid->level_count; i-- > 0;) {
    values[i] = (uint32_t)(place % laid->levels[i].groups);
    place /= laid->levels[i].groups;
  }
  buffer_char(text, '[');
  for (size_t i = 0; i < laid->level_count; i++) {
    const struct lattice_chain *chain;
    const char *value = step_of(lattice, steps, laid->levels[i].axis, &chain)->level.values[values[i]];
    buffer_text(text, i == 0 ? "" : ",");
    buffer_json(text, slice_of(value == NULL ? RELEASE_NOT_RECORDED : value));
  }
  buffer_char(text, ']');
}

/* A figure that is shown; of a hidden one, for which -1 stands, no more than how many times k it has, and the room that
 * a quiet table left it. */
static enum status write_cells(struct cube_lattice *lattice, const struct disclose_table *laid,
                               const struct lattice_steps *steps, const struct lattice_table *table,
                               struct told_row *row, struct error *error) {
  bool first = true, open = !table->quiet;
  struct buffer text;
  for (size_t i = 0; i < table->size; i++) {
    open = open && (table->counts[i] == 0 || disclose_is_shown(table->status[i]));
  }
  buffer_init(&text, TEXT_MOST);
  buffer_text(&text, "{\"cells\":[");
  for (size_t i = 0; i < table->size; i++) {
    if (table->counts[i] == 0) {
      continue;
    }
    buffer_text(&text, first ? "[" : ",[");
    put_values(lattice, laid, steps, i, &text);
    if (disclose_is_shown(table->status[i])) {
      buffer_printf(&text, ",%lld]", (long long)table->counts[i]);
    } else {
      buffer_printf(&text, ",-1,%lld", (long long)(table->counts[i] / lattice->workspace->config->disclosure.k));
      if (table->quiet) {
        buffer_printf(&text, ",%lld,%lld", (long long)table->room[i].most, (long long)table->room[i].width);
      }
      buffer_char(&text, ']');
    }
    first = false;
  }
  buffer_printf(&text, "],\"open\":%d,\"quiet\":%d}", open, table->quiet);
  enum status status = buffer_check(&text, "told table", error);
  row->cells = status == OK ? arena_text(lattice->arena, buffer_view(&text)) : NULL;
  buffer_free(&text);
  return status == OK && row->cells == NULL ? error_memory(error) : status;
}

static enum status list_rows(struct writing *writing, struct error *error) {
  struct cube_lattice *lattice = writing->lattice;
  enum status status = OK;
  for (size_t number = 0; number < lattice->table_count && status == OK; number++) {
    const struct lattice_table *table = &lattice->tables[number];
    if (table->known && table->fresh) {
      const struct lattice_steps steps = cube_lattice_steps(lattice, number);
      const struct disclose_table laid = cube_lattice_laid(lattice, &steps);
      struct told_row *row = &writing->rows[writing->count++];
      status = write_definition(lattice, &laid, &steps, row, error);
      status = status == OK ? write_cells(lattice, &laid, &steps, table, row, error) : status;
    }
  }
  return status;
}

static enum status write_entry(const struct writing *writing, struct error *error) {
  const struct workspace *workspace = writing->lattice->workspace;
  char body[TOLD_BODY_MOST];
  enum status status = told_body(writing->rows, writing->count, body, error);
  const struct audit_event event = {.event = "told", .actor = workspace->actor, .body = body};
  return status == OK ? audit_append(workspace->store, &event, error) : status;
}

static enum status write_all(struct writing *writing, struct error *error) {
  const struct workspace *workspace = writing->lattice->workspace;
  enum status status = store_begin(workspace->store, error);
  if (status != OK) {
    return status;
  }
  status = store_tell(workspace->store, writing->rows, writing->count, workspace->actor, writing->lattice->told->state,
                      error);
  status = status == OK ? write_entry(writing, error) : status;
  status = status == OK ? store_commit(workspace->store, error) : status;
  if (status != OK) {
    store_rollback(workspace->store);
  }
  return status;
}

enum status cube_lattice_tell(struct cube_lattice *lattice, struct error *error) {
  if (lattice->told == NULL) {
    return OK;
  }
  struct writing *writing = arena_alloc(lattice->arena, sizeof *writing);
  if (writing == NULL) {
    return error_memory(error);
  }
  writing->lattice = lattice;
  enum status status = list_rows(writing, error);
  return status == OK && writing->count > 0 ? write_all(writing, error) : status;
}
