#include "core/base/node.h"
#include "core/service/access.h"
#include "core/service/release_make.h"
#include "core/store/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether a release is what was published, and whether the store still makes it. */

struct verifying {
  struct workspace *workspace;
  const struct released *released;
  struct arena *arena;
  struct releasing_check *check;
  struct release_plan plan;
  struct disclosure_config settings;
};

static void find(const struct verifying *v, enum releasing_finding_kind kind, const char *table, const char *cell) {
  if (v->check->count < FINDINGS_MOST) {
    v->check->findings[v->check->count++] = (struct releasing_finding){.kind = kind, .table = table, .cell = cell};
  }
}

static const char *figure_text(const struct ledger_cell *cell, struct arena *arena) {
  if (cell == NULL) {
    return "";
  }
  return cell->hidden ? "hidden" : arena_printf(arena, "%lld", (long long)cell->figure);
}

static void find_cell(const struct verifying *v, enum releasing_finding_kind kind,
                      const struct release_table_plan *plan, const struct ledger_cell *frozen,
                      const struct ledger_cell *now) {
  if (v->check->count < FINDINGS_MOST) {
    v->check->findings[v->check->count++] =
        (struct releasing_finding){.kind = kind,
                                   .table = plan->name,
                                   .cell = release_cell_name(plan, frozen != NULL ? frozen : now, v->arena),
                                   .frozen = figure_text(frozen, v->arena),
                                   .now = figure_text(now, v->arena)};
  }
}

/* ---- what is frozen, by itself ---- */

static enum status check_digests(const struct verifying *v, struct error *error) {
  struct ledger_table tables[RELEASED_TABLES_MOST];
  char hex[2 * SHA256_SIZE + 1];
  for (size_t i = 0; i < v->released->count; i++) {
    const struct released_table *table = &v->released->tables[i];
    struct sha256 digest = sha256_of(table->body);
    hex_format(digest.bytes, SHA256_SIZE, hex);
    if (strcmp(hex, table->digest) != 0) {
      find(v, FINDING_BODY, table->name, NULL);
    }
    tables[i] = (struct ledger_table){.name = table->name};
    if (!hex_parse(slice_of(table->digest), tables[i].digest.bytes, SHA256_SIZE)) {
      find(v, FINDING_BODY, table->name, NULL);
    }
  }
  struct sha256 whole;
  enum status status = release_digest(v->released->settings, tables, v->released->count, &whole, error);
  if (status == OK) {
    hex_format(whole.bytes, SHA256_SIZE, hex);
    if (strcmp(hex, v->released->digest) != 0) {
      find(v, FINDING_RELEASE, NULL, NULL);
    }
  }
  return status;
}

/* The entry of its publication has its digest. */
static enum status check_log(const struct verifying *v, struct error *error) {
  static const char *const columns[] = {"body"};
  static const struct filter releases = {.column = "event", .text = "release"};
  const struct selection selection = {
      .view = "audit", .columns = columns, .column_count = 1, .filters = &releases, .filter_count = 1};
  struct result *result = NULL;
  bool found = false;
  char wanted[160];
  snprintf(wanted, sizeof wanted, "{\"digest\":\"%s\",\"id\":%lld,", v->released->digest, (long long)v->released->id);
  enum status status = store_select(v->workspace->store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    struct slice body = result_text(result, 0);
    found = found || (body.len > strlen(wanted) && memcmp(body.data, wanted, strlen(wanted)) == 0);
  }
  result_free(result);
  if (status == END && !found) {
    find(v, FINDING_LOG, NULL, NULL);
  }
  return status == END ? OK : status;
}

/* ---- what the store makes of it ---- */

/* 0 where it is not there. */
static int number_of(const struct verifying *v, const struct node *node) {
  const char *text = node == NULL ? NULL : arena_text(v->arena, node->text);
  return text == NULL ? 0 : (int)strtol(text, NULL, 10);
}

static enum status read_plan(struct verifying *v, struct error *error) {
  struct node *root = NULL;
  enum status status = json_read(slice_of(v->released->settings), v->arena, &root, error);
  const struct node *k = status == OK ? node_at(root, "k") : NULL;
  const struct node *width = status == OK ? node_at(root, "width") : NULL;
  const struct node *en = status == OK ? node_at(root, "label.en") : NULL;
  const struct node *es = status == OK ? node_at(root, "label.es") : NULL;
  if (status == OK && (k == NULL || en == NULL || es == NULL)) {
    return error_set(error, ERR_STORE, _("the settings of release %lld cannot be read"), (long long)v->released->id);
  }
  v->plan.name = v->released->name;
  if (status == OK) {
    v->settings = (struct disclosure_config){.k = number_of(v, k), .width = number_of(v, width)};
    status = release_base_read(v->released->settings, v->arena, &v->settings.base, error);
    v->plan.label_en = arena_text(v->arena, en->text);
    v->plan.label_es = arena_text(v->arena, es->text);
  }
  for (size_t i = 0; i < v->released->count && status == OK; i++) {
    const struct released_table *table = &v->released->tables[i];
    if (table->settings != NULL && v->plan.count < RELEASE_TABLES_MOST) {
      struct release_table_plan *plan = &v->plan.tables[v->plan.count++];
      plan->name = table->name;
      status = release_table_read(slice_of(table->settings), v->arena, plan, error);
    }
  }
  return status;
}

/* Members of the settings that are others now: the run's plans are the same for ever. */
static enum status compare_settings(const struct verifying *v, struct error *error) {
  struct buffer now;
  struct node *then_root = NULL, *now_root = NULL;
  static const char *const members[] = {"codelists", "sources"};
  buffer_init(&now, 1 << 20);
  enum status status = release_settings_write(v->workspace, &v->plan, v->released->run, v->settings, &now, error);
  status = status == OK ? json_read(slice_of(v->released->settings), v->arena, &then_root, error) : status;
  status = status == OK ? json_read(buffer_view(&now), v->arena, &now_root, error) : status;
  for (size_t i = 0; i < sizeof members / sizeof *members && status == OK; i++) {
    const struct node *was = node_at(then_root, members[i]), *is = node_at(now_root, members[i]);
    bool same = was != NULL && is != NULL && slice_equal(was->text, is->text) && was->count == is->count;
    for (uint32_t c = 0; same && c < was->count; c++) {
      same = slice_equal(was->children[c].text, is->children[c].text);
    }
    if (!same) {
      const char *before = v->check->changed;
      v->check->changed =
          arena_printf(v->arena, "%s%s%s", before == NULL ? "" : before, before == NULL ? "" : ",", members[i]);
    }
  }
  buffer_free(&now);
  return status;
}

static const struct ledger_cell *cell_of(const struct ledger_cell *cells, size_t count,
                                         const struct ledger_cell *wanted) {
  for (size_t i = 0; i < count; i++) {
    if (release_cell_same(&cells[i], wanted)) {
      return &cells[i];
    }
  }
  return NULL;
}

static void compare_cells(const struct verifying *v, enum releasing_finding_kind kind,
                          const struct release_table_plan *plan, const struct ledger_cell *frozen, size_t frozen_count,
                          const struct ledger_table *made) {
  for (size_t i = 0; i < made->cell_count; i++) {
    const struct ledger_cell *cell = cell_of(frozen, frozen_count, &made->cells[i]);
    if (cell == NULL || cell->hidden != made->cells[i].hidden || cell->figure != made->cells[i].figure) {
      find_cell(v, kind, plan, cell, &made->cells[i]);
    }
  }
  for (size_t i = 0; i < frozen_count; i++) {
    if (cell_of(made->cells, made->cell_count, &frozen[i]) == NULL) {
      find_cell(v, kind, plan, &frozen[i], NULL);
    }
  }
}

/* Where the text is made again byte for byte, cells that differ are not those of the text. */
static enum status compare_table(const struct verifying *v, const struct released_table *table,
                                 const struct ledger_table *made, struct error *error) {
  bool same = slice_equal(table->body, made->body);
  if (made->settings == NULL) {
    if (!same) {
      find(v, FINDING_STORE, table->name, NULL);
    }
    return OK;
  }
  struct release_table_plan plan = {.name = table->name};
  struct ledger_cell *cells = NULL;
  size_t count = 0, found = v->check->count;
  enum status status = release_table_read(slice_of(table->settings), v->arena, &plan, error);
  status =
      status == OK ? release_cells_read(v->workspace, v->released->id, table, v->arena, &cells, &count, error) : status;
  if (status == OK) {
    compare_cells(v, same ? FINDING_CELL : FINDING_STORE, &plan, cells, count, made);
  }
  if (status == OK && !same && v->check->count == found) {
    find(v, FINDING_STORE, table->name, NULL);
  }
  return status;
}

static enum status make_again(struct verifying *v, struct error *error) {
  const struct release_making making = {
      .workspace = v->workspace,
      .plan = &v->plan,
      .run = v->released->run,
      .settings = v->settings,
      .frozen = v->released->settings,
      .before = v->released->id,
      .replaces = v->released->replaces == 0 ? NULL : arena_printf(v->arena, "%lld", (long long)v->released->replaces)};
  struct release_made made;
  enum status status = release_make(&making, v->arena, &made, error);
  for (size_t i = 0; i < v->released->count && status == OK; i++) {
    const struct released_table *table = &v->released->tables[i];
    for (size_t k = 0; k < made.count && status == OK; k++) {
      if (strcmp(made.tables[k].name, table->name) == 0 && strcmp(table->name, "dictionary") != 0) {
        status = compare_table(v, table, &made.tables[k], error);
        v->check->made_again++;
      }
    }
  }
  return status;
}

enum status releasing_verify(struct workspace *workspace, const struct released *released, struct arena *arena,
                             struct releasing_check *check, struct error *error) {
  *check = (struct releasing_check){.findings = arena_array(arena, FINDINGS_MOST, sizeof *check->findings)};
  struct verifying *v = arena_alloc(arena, sizeof *v);
  if (check->findings == NULL || v == NULL) {
    return error_memory(error);
  }
  *v = (struct verifying){.workspace = workspace, .released = released, .arena = arena, .check = check};
  enum status status = access_require(workspace, RIGHT_LOG, error);
  if (status == OK && access_restricted(workspace)) { /* an auditor's login counts after the entry */
    char body[64];
    snprintf(body, sizeof body, "{\"release\":%lld}", (long long)released->id);
    status = store_sight_figure(workspace->store, "figure", NULL, body, error);
  }
  status = status == OK ? check_digests(v, error) : status;
  status = status == OK ? check_log(v, error) : status;
  status = status == OK ? read_plan(v, error) : status;
  status = status == OK ? compare_settings(v, error) : status;
  return status == OK ? make_again(v, error) : status;
}
