#include "core/service/release_text.h"

#include "core/service/cube.h"
#include "core/service/releasing.h"

#include <stdio.h>
#include <string.h>

void release_text_put(struct buffer *out, const char *text) {
  const char *value = text == NULL ? "" : text;
  if (strpbrk(value, ",\"\r\n") == NULL) {
    buffer_text(out, value);
    return;
  }
  buffer_char(out, '"');
  for (const char *at = value; *at != '\0'; at++) {
    buffer_text(out, *at == '"' ? "\"" : "");
    buffer_char(out, *at);
  }
  buffer_char(out, '"');
}

static void put_line(struct buffer *out, const char *const *fields, size_t count) {
  for (size_t i = 0; i < count; i++) {
    buffer_text(out, i == 0 ? "" : ",");
    release_text_put(out, fields[i]);
  }
  buffer_char(out, '\n');
}
#define LINE(out, ...)                                                                                                 \
  put_line(out, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

enum status release_text_finish(struct buffer *body, const char *name, struct arena *arena, struct ledger_table *table,
                                struct error *error) {
  enum status status = buffer_check(body, "table", error);
  if (status == OK) {
    table->name = name;
    table->body = arena_copy(arena, buffer_view(body));
    table->digest = sha256_of(table->body);
    status = table->body.data == NULL ? error_memory(error) : OK;
  }
  buffer_free(body);
  return status;
}

/* ---- cells ---- */

struct walk {
  const struct release_table_plan *plan;
  const struct release_counted *counted;
  struct ledger_cell *cells;
  size_t count, capacity;
  struct arena *arena;
  struct buffer body;
};

static enum status add_cell(struct walk *walk, const struct ledger_cell *cell, struct error *error) {
  if (walk->count == walk->capacity) {
    size_t capacity = walk->capacity == 0 ? 256 : walk->capacity * 2;
    struct ledger_cell *moved = arena_array(walk->arena, capacity, sizeof *moved);
    if (moved == NULL) {
      return error_memory(error);
    }
    if (walk->count > 0) {
      memcpy(moved, walk->cells, walk->count * sizeof *moved);
    }
    walk->cells = moved;
    walk->capacity = capacity;
  }
  walk->cells[walk->count++] = *cell;
  for (size_t f = 0; f < walk->plan->by_count; f++) {
    release_text_put(&walk->body, cell->values[f]);
    buffer_char(&walk->body, ',');
  }
  if (cell->hidden) {
    buffer_text(&walk->body, ",hidden\n");
  } else {
    buffer_printf(&walk->body, "%lld,shown\n", (long long)cell->figure);
  }
  return OK; /* release_text_finish checks the whole body */
}

/* Values from field `at` on, the total after the others; a cell that counts nobody is left out. */
static enum status walk_cells(struct walk *walk, size_t at, unsigned left_out, size_t *values, struct error *error) {
  const struct release_counted *counted = walk->counted;
  if (at < walk->plan->by_count) {
    enum status status = OK;
    for (values[at] = 0; values[at] < counted->sizes[at] && status == OK; values[at]++) {
      status = walk_cells(walk, at + 1, left_out, values, error);
    }
    return status == OK ? walk_cells(walk, at + 1, left_out | 1U << at, values, error) : status;
  }
  const struct release_figures *figures = &counted->subsets[left_out];
  struct ledger_cell cell = {.hidden = false};
  size_t place = 0;
  for (size_t f = 0; f < walk->plan->by_count; f++) {
    bool total = (left_out >> f & 1) != 0;
    cell.values[f] = total ? RELEASE_TOTAL : counted->values[f][values[f]];
    place += total ? 0 : values[f] * figures->strides[f];
  }
  cell.hidden = !disclose_is_shown(figures->status[place]);
  cell.figure = cell.hidden ? 0 : figures->counts[place];
  return figures->counts[place] == 0 && !cell.hidden ? OK : add_cell(walk, &cell, error);
}

enum status release_text_cells(const struct release_table_plan *plan, const struct release_counted *counted,
                               struct arena *arena, struct ledger_table *table, struct error *error) {
  struct walk walk = {.plan = plan, .counted = counted, .arena = arena};
  struct buffer fields, settings;
  size_t values[RELEASE_FIELDS_MOST] = {0};
  buffer_init(&walk.body, RELEASE_TEXT_LIMIT);
  buffer_init(&fields, 1024);
  buffer_init(&settings, 1 << 16);
  for (size_t f = 0; f < plan->by_count; f++) {
    buffer_printf(&fields, "%s%s", f == 0 ? "" : ",", plan->by[f]);
  }
  buffer_printf(&walk.body, "%s,figure,status\n", fields.failed == OK ? fields.data : "");
  release_table_write(plan, &settings);
  enum status status = walk_cells(&walk, 0, 0, values, error);
  status = status == OK ? buffer_check(&fields, "fields", error) : status;
  status = status == OK ? buffer_check(&settings, "settings", error) : status;
  if (status == OK) {
    *table = (struct ledger_table){.fields = arena_text(arena, buffer_view(&fields)),
                                   .settings = arena_text(arena, buffer_view(&settings)),
                                   .cells = walk.cells,
                                   .cell_count = walk.count};
    status = table->fields == NULL || table->settings == NULL ? error_memory(error) : OK;
  }
  buffer_free(&fields);
  buffer_free(&settings);
  if (status != OK) {
    buffer_free(&walk.body);
    return status;
  }
  return release_text_finish(&walk.body, plan->name, arena, table, error);
}

/* ---- dictionary ---- */

/* What a choice of an indicator means, in both languages: a released text is not translated by who reads it. */
static const char *const UNITS[][3] = {{"person", "person, counted once whatever the records and sources",
                                        "persona, contada una vez sean cuales sean los registros y las fuentes"},
                                       {"case", "case, counted once whatever the records and sources",
                                        "caso, contado una vez sean cuales sean los registros y las fuentes"}};
static const char *const DATES[][3] = {{"facts", "date of the facts", "fecha de los hechos"},
                                       {"filing", "date of the complaint", "fecha de la denuncia"},
                                       {"registration", "date of registration", "fecha de registro"}};
static const char *const PLACES[][3] = {{"facts", "place of the facts", "lugar de los hechos"},
                                        {"residence", "usual residence", "residencia habitual"}};

static void put_definition(struct buffer *out, const struct release_table_plan *table) {
  const struct indicator *indicator = &table->indicator;
  const char *const *unit = UNITS[indicator->unit], *const *date = DATES[indicator->date];
  const char *const *place = PLACES[indicator->place], *const *age = DATES[indicator->age];
  LINE(out, table->name, "label", "", table->label_en, table->label_es);
  LINE(out, table->name, "indicator", indicator->name, indicator->label_en, indicator->label_es);
  LINE(out, table->name, "unit", unit[0], unit[1], unit[2]);
  if (indicator->role != NULL) {
    LINE(out, table->name, "role", indicator->role, "", "");
  }
  LINE(out, table->name, "date_axis", date[0], date[1], date[2]);
  LINE(out, table->name, "place_axis", place[0], place[1], place[2]);
  if (indicator->unit == UNIT_PERSON) {
    LINE(out, table->name, "age_reference", age[0], age[1], age[2]);
  }
  for (size_t i = 0; i < indicator->condition_count; i++) {
    char text[256];
    snprintf(text, sizeof text, "%s=%s", indicator->conditions[i].field, indicator->conditions[i].value);
    LINE(out, table->name, "condition", text, "", "");
  }
}

/* What a rounded table does not list is not named either: a code would tell that there is somebody. */
static bool is_listed(const struct release_facts *facts, size_t at, size_t field, const char *value) {
  const struct ledger_table *table = &facts->tables[at];
  bool listed = facts->base == 0;
  for (size_t i = 0; !listed && i < table->cell_count; i++) {
    listed = strcmp(table->cells[i].values[field], value) == 0;
  }
  return listed;
}

static void put_columns(struct buffer *out, const struct release_facts *facts, size_t at) {
  const struct release_table_plan *table = &facts->plan->tables[at];
  const struct release_counted *counted = &facts->counted[at];
  for (size_t f = 0; f < table->by_count; f++) {
    const struct codelist *list =
        counted->codelists[f] == NULL ? NULL : codelists_find(facts->workspace->lists, counted->codelists[f]);
    LINE(out, table->name, "column", table->by[f], list == NULL ? "" : codelist_label_en(list),
         list == NULL ? "" : codelist_label_es(list));
    for (size_t v = 0; list != NULL && v + 1 < counted->sizes[f]; v++) {
      const struct code *code = codelist_code(list, slice_of(counted->values[f][v]));
      if (code != NULL && is_listed(facts, at, f, code->code)) {
        LINE(out, table->name, table->by[f], code->code, code->label_en, code->label_es);
      }
    }
  }
}

/* How figures are protected. */
static void put_protection(struct buffer *out, const struct release_facts *facts) {
  char number[24], en[256], es[256];
  if (facts->base > 0) {
    snprintf(number, sizeof number, "%d", facts->base);
    snprintf(en, sizeof en,
             "rounded to base %d: each figure by itself, less than %d away from the count; parts need not add up",
             facts->base, facts->base);
    snprintf(es, sizeof es,
             "redondeadas a base %d: cada cifra por sí sola, a menos de %d de lo contado; las partes pueden no sumar "
             "el total",
             facts->base, facts->base);
    LINE(out, "", "rounding_base", number, en, es);
    LINE(out, "", "status", "shown", "the figure is rounded", "la cifra está redondeada");
    return;
  }
  snprintf(number, sizeof number, "%d", facts->k);
  snprintf(en, sizeof en,
           "figures below k = %d, and others for their sake; what is hidden counts some, never none, and may be "
           "more than %d",
           facts->k, facts->k);
  snprintf(es, sizeof es,
           "las cifras menores de k = %d, y otras para protegerlas; lo oculto cuenta a alguien, nunca a nadie, y "
           "puede ser más de %d",
           facts->k, facts->k);
  LINE(out, "", "smallest_figure", number, facts->k > 1 ? en : "nothing (k = 1)", facts->k > 1 ? es : "nada (k = 1)");
  LINE(out, "", "status", "shown", "the figure is as counted", "la cifra es la contada");
  if (facts->k > 1) {
    LINE(out, "", "status", "hidden", "some, never none: hidden so that nobody is found out",
         "cuenta a alguien, nunca a nadie: se oculta para que no se identifique a ninguna persona");
  }
}

/* Whoever adds cells up, or subtracts them, has to know. */
static void put_overlap(struct buffer *out) {
  LINE(out, "", "overlap", "",
       "one unit may lie in several cells, for example a person in two cases or of two purposes: cells overlap and "
       "need not add up to their total",
       "una unidad puede estar en varias celdas, por ejemplo una persona en dos casos o con dos finalidades: las "
       "celdas se solapan y pueden no sumar su total");
}

static void put_absent(struct buffer *out, const struct release_facts *facts) {
  if (facts->base > 0) {
    LINE(out, "", "absent", "", "a combination that is not listed counts nobody, or few who round to zero",
         "una combinación que no figura no cuenta a nadie, o a pocos, que se redondean a cero");
    return;
  }
  LINE(out, "", "absent", "",
       "a combination that is not listed counts nobody; see the text coverage for years and "
       "departments without any source",
       "una combinación que no figura no cuenta a nadie; véase el texto coverage "
       "para los años y departamentos sin ninguna fuente");
}

static bool is_in(const struct released_rows *rows, size_t column, const char *value) {
  for (size_t i = 0; i < rows->count; i++) {
    if (strcmp(rows->fields[i * rows->columns + column], value) == 0) {
      return true;
    }
  }
  return false;
}

/* What the codes of the text coverage stand for, those that it lists. */
static enum status put_coverage(struct buffer *out, const struct release_facts *facts, struct arena *arena,
                                struct error *error) {
  enum { SOURCE, DEPARTMENT, FROM, TO, RECORDS };
  const char *const words[][3] = {{"enough", "k records or more", "k registros o más"},
                                  {"few", facts->base > 0 ? "few records, or none" : "few records, at least one",
                                   facts->base > 0 ? "pocos registros, o ninguno" : "pocos registros, al menos uno"},
                                  {"none", "no record", "ningún registro"}};
  const struct codelist *places = codelists_find(facts->workspace->lists, "place");
  const struct config *config = facts->workspace->config;
  struct released_rows rows;
  enum status status = released_rows_read(facts->coverage->body, arena, &rows, error);
  if (status != OK || rows.columns != RECORDS + 1) {
    return status;
  }
  for (size_t i = 0; i < config->source_count; i++) {
    if (is_in(&rows, SOURCE, config->sources[i].code) && config->sources[i].title != NULL) {
      LINE(out, "coverage", "source", config->sources[i].code, config->sources[i].title, config->sources[i].title);
    }
  }
  if (is_in(&rows, SOURCE, "no_source")) {
    LINE(out, "coverage", "source", "no_source", "all sources together", "todas las fuentes juntas");
  }
  for (size_t i = 0; places != NULL && i < codelist_size(places); i++) {
    const struct code *code = codelist_at(places, i);
    if (code->parent == NULL && is_in(&rows, DEPARTMENT, code->code)) {
      LINE(out, "coverage", "department", code->code, code->label_en, code->label_es);
    }
  }
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (is_in(&rows, RECORDS, words[i][0])) {
      LINE(out, "coverage", "records", words[i][0], words[i][1], words[i][2]);
    }
  }
  return OK;
}

enum status release_text_dictionary(const struct release_facts *facts, struct arena *arena, struct ledger_table *table,
                                    struct error *error) {
  struct buffer body;
  char number[24];
  buffer_init(&body, RELEASE_TEXT_LIMIT);
  LINE(&body, "table", "item", "value", "en", "es");
  snprintf(number, sizeof number, "%lld", (long long)facts->run);
  LINE(&body, "", "snapshot_run", number, "the store as it stood after this run",
       "el almacén tal como estaba después de esta ejecución");
  put_protection(&body, facts);
  LINE(&body, "", "value", RELEASE_NOT_RECORDED, "no source recorded it: not zero and not 'no'",
       "ninguna fuente lo registró: no es cero ni «no»");
  LINE(&body, "", "value", RELEASE_TOTAL, "all values together, each unit counted once",
       "todos los valores juntos, cada unidad contada una vez");
  put_overlap(&body);
  put_absent(&body, facts);
  for (size_t i = 0; i < facts->plan->count; i++) {
    put_definition(&body, &facts->plan->tables[i]);
    put_columns(&body, facts, i);
  }
  enum status status = put_coverage(&body, facts, arena, error);
  if (status != OK) {
    buffer_free(&body);
    return status;
  }
  return release_text_finish(&body, "dictionary", arena, table, error);
}

/* ---- linkage ---- */

enum status release_text_linkage(const struct release_facts *facts, struct arena *arena, struct ledger_table *table,
                                 struct error *error) {
  struct buffer body;
  enum status status = OK;
  buffer_init(&body, RELEASE_TEXT_LIMIT);
  buffer_text(&body, "table,figure,least,waiting_pairs,records,unlinkable,status\n");
  for (size_t i = 0; i < facts->plan->count && status == OK; i++) {
    const struct release_table_plan *plan = &facts->plan->tables[i];
    const struct release_figures *total = &facts->counted[i].subsets[(1U << plan->by_count) - 1];
    const struct cube_request request = {
        .workspace = facts->workspace, .indicator = &plan->indicator, .as_of_run = facts->run};
    struct cube cube;
    if (facts->base > 0) { /* records add up, where persons do not */
      release_text_put(&body, plan->name);
      buffer_printf(&body, ",%lld,,,,,shown\n", (long long)total->counts[0]);
      continue;
    }
    status = cube_run(&request, &cube, error);
    if (status != OK) {
      break;
    }
    release_text_put(&body, plan->name);
    if (!disclose_is_shown(total->status[0])) {
      buffer_text(&body, ",,,,,,hidden\n");
    } else {
      buffer_printf(&body, ",%lld,%lld,%lld,%lld,", (long long)cube.total.figure, (long long)cube.total.least,
                    (long long)cube.waiting, (long long)cube.total.records);
      if (cube.total.unlinkable >= 0) {
        buffer_printf(&body, "%lld", (long long)cube.total.unlinkable);
      }
      buffer_text(&body, ",shown\n");
    }
    cube_free(&cube);
  }
  if (status != OK) {
    buffer_free(&body);
    return status;
  }
  return release_text_finish(&body, "linkage", arena, table, error);
}
