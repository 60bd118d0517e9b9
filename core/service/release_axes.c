#include "core/service/release_axes.h"

#include "core/base/text.h"
#include "core/service/cube_fields.h"

#include <stdlib.h>
#include <string.h>

/* Fields that are one axis: the finer, the greater `fineness`. `axis` is what the axis has to be at least: bands meet
 * in the exact age, and groups of codes in the codes, since another release may group them otherwise. */
enum family { FAMILY_OWN, FAMILY_DATE, FAMILY_PLACE, FAMILY_AGE, FAMILY_PURPOSE };
struct axis_field {
  const char *name;
  enum family family;
  int fineness;
  const char *axis;
};
static const struct axis_field AXIS_FIELDS[] = {{"period", FAMILY_DATE, 0, "year"},
                                                {"year", FAMILY_DATE, 0, "year"},
                                                {"month", FAMILY_DATE, 1, "month"},
                                                {"region", FAMILY_PLACE, 0, "department"},
                                                {"department", FAMILY_PLACE, 0, "department"},
                                                {"province", FAMILY_PLACE, 1, "province"},
                                                {"age_band", FAMILY_AGE, 0, "age"},
                                                {"age", FAMILY_AGE, 0, "age"},
                                                {"purpose_group", FAMILY_PURPOSE, 0, "purposes"},
                                                {"purposes", FAMILY_PURPOSE, 0, "purposes"}};

/* NULL: a field that is an axis of its own. */
static const struct axis_field *axis_field_of(const char *field) {
  for (size_t i = 0; i < sizeof AXIS_FIELDS / sizeof *AXIS_FIELDS; i++) {
    if (strcmp(AXIS_FIELDS[i].name, field) == 0) {
      return &AXIS_FIELDS[i];
    }
  }
  return NULL;
}

static enum family family_of(const char *field) {
  const struct axis_field *known = axis_field_of(field);
  return known == NULL ? FAMILY_OWN : known->family;
}

static bool same_axis(const struct release_axis *axis, const char *field, const struct indicator *indicator) {
  enum family left = family_of(axis->field), right = family_of(field);
  if (left != right) {
    return false;
  }
  switch (left) {
  case FAMILY_DATE:
    return axis->indicator->date == indicator->date;
  case FAMILY_PLACE:
    return axis->indicator->place == indicator->place;
  case FAMILY_AGE:
    return axis->indicator->age == indicator->age;
  case FAMILY_PURPOSE:
    return true;
  default:
    return strcmp(axis->field, field) == 0;
  }
}

static uint32_t find(const struct release_axes *axes, const char *field, const struct indicator *indicator) {
  uint32_t at = 0;
  while (at < axes->count && !same_axis(&axes->axes[at], field, indicator)) {
    at++;
  }
  return at;
}

enum status release_axes_add(struct release_axes *axes, const char *field, const struct indicator *indicator,
                             struct error *error) {
  const struct axis_field *known = axis_field_of(field);
  uint32_t at = find(axes, field, indicator);
  if (at == DISCLOSE_AXES_MOST) {
    error_set(error, ERR_LIMIT, _("tables that are published use more than %d fields together"), DISCLOSE_AXES_MOST);
    error_hint(error, "%s", _("conditions and the tables of earlier releases count too; leave a field out"));
    return ERR_LIMIT;
  }
  if (at == axes->count) {
    axes->axes[axes->count++] =
        (struct release_axis){.field = known == NULL ? field : known->axis, .indicator = indicator};
    return OK;
  }
  if (known != NULL && known->fineness > axis_field_of(axes->axes[at].field)->fineness) {
    axes->axes[at].field = known->axis;
  }
  return OK;
}

static int by_meaning(const void *a, const void *b) {
  const struct release_axis *left = a, *right = b;
  const struct indicator *x = left->indicator, *y = right->indicator;
  int order = strcmp(left->field, right->field);
  order = order == 0 ? (x->date > y->date) - (x->date < y->date) : order;
  order = order == 0 ? (x->place > y->place) - (x->place < y->place) : order;
  return order == 0 ? (x->age > y->age) - (x->age < y->age) : order;
}

void release_axes_sort(struct release_axes *axes) {
  qsort(axes->axes, axes->count, sizeof *axes->axes, by_meaning);
}

/* ---- atoms ---- */

struct sorting {
  const struct map *dictionary;
  const struct cube_field *field;
  const struct codelist *list;
};

static int by_value(const void *a, const void *b, void *context) {
  const struct sorting *sorting = context;
  return cube_compare(sorting->dictionary, sorting->field, sorting->list, *(const uint32_t *)a, *(const uint32_t *)b);
}

/* The values that rows have on an axis, in order, then what is not recorded. */
static enum status number_atoms(struct release_axes *axes, size_t at, const struct cube_rows *rows,
                                struct error *error) {
  struct release_axis *axis = &axes->axes[at];
  uint32_t known = map_count(rows->dictionary), count = 0;
  uint32_t *values = arena_array(axes->arena, known + 1, sizeof *values);
  axis->atom = arena_array(axes->arena, known + 1, sizeof *axis->atom);
  if (values == NULL || axis->atom == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < rows->count; i++) {
    uint32_t value = rows->rows[i].values[at];
    if (value != MAP_NONE && axis->atom[value] == 0) {
      axis->atom[value] = 1;
      values[count++] = value;
    }
  }
  axis->codelist = rows->fields[at].codelist;
  axis->boolean = rows->fields[at].field != NULL && rows->fields[at].field->type == FIELD_BOOLEAN;
  struct sorting sorting = {.dictionary = rows->dictionary,
                            .field = &rows->fields[at],
                            .list =
                                axis->codelist == NULL ? NULL : codelists_find(axes->workspace->lists, axis->codelist)};
  qsort_r(values, count, sizeof *values, by_value, &sorting);
  axis->atoms = count + 1;
  axis->texts = arena_array(axes->arena, axis->atoms, sizeof *axis->texts);
  for (uint32_t i = 0; i < count && axis->texts != NULL; i++) {
    axis->atom[values[i]] = i;
    axis->texts[i] = arena_text(axes->arena, map_key(rows->dictionary, values[i]));
    if (axis->texts[i] == NULL) {
      return error_memory(error);
    }
  }
  return axis->texts == NULL ? error_memory(error) : OK;
}

static enum status take_rows(struct release_axes *axes, const struct cube_rows *rows, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < axes->count && status == OK; i++) {
    status = number_atoms(axes, i, rows, error);
  }
  axes->rows = status == OK ? arena_array(axes->arena, rows->count + 1, sizeof *axes->rows) : NULL;
  if (status == OK && axes->rows == NULL) {
    return error_memory(error);
  }
  for (size_t r = 0; r < rows->count && status == OK; r++) {
    axes->rows[r].unit = rows->rows[r].unit;
    for (size_t i = 0; i < axes->count; i++) {
      uint32_t value = rows->rows[r].values[i];
      axes->rows[r].atoms[i] = value == MAP_NONE ? axes->axes[i].atoms - 1 : axes->axes[i].atom[value];
    }
  }
  axes->row_count = rows->count;
  return status;
}

enum status release_axes_count(struct release_axes *axes, const struct indicator *base, int64_t as_of_run,
                               struct error *error) {
  const char *by[DISCLOSE_AXES_MOST];
  const struct indicator *indicators[DISCLOSE_AXES_MOST];
  struct indicator whole = *base;
  struct cube_rows rows;
  whole.condition_count = 0; /* they are axes */
  for (size_t i = 0; i < axes->count; i++) {
    by[i] = axes->axes[i].field;
    indicators[i] = axes->axes[i].indicator;
  }
  const struct cube_request request = {.workspace = axes->workspace,
                                       .indicator = &whole,
                                       .by = by,
                                       .by_count = axes->count,
                                       .as_of_run = as_of_run,
                                       .axes = indicators,
                                       .deepest = true};
  enum status status = cube_rows_read(&request, &rows, error);
  if (status == OK) {
    status = take_rows(axes, &rows, error);
    cube_rows_free(&rows);
  }
  return status;
}

/* ---- levels ---- */

/* Level 0 the department, 1 the province; NULL: the place lies above. */
static const char *place_of(const struct release_axes *axes, const char *place, int level) {
  return cube_ancestor(codelists_find(axes->workspace->lists, "place"), slice_of(place), level);
}

static const char *band_of(const struct indicator *indicator, const char *age) {
  int64_t years = -1;
  if (!text_to_int64(slice_of(age), &years)) {
    return NULL;
  }
  for (size_t i = 0; i < indicator->band_count; i++) {
    if (years >= indicator->bands[i].least && years <= indicator->bands[i].most) {
      return indicator->bands[i].name;
    }
  }
  return NULL;
}

/* What an atom is called where the table asks for `field`; NULL: not recorded. */
static const char *text_of(const struct release_axes *axes, const struct release_axis *axis, const char *field,
                           const struct release_table_plan *table, uint32_t atom) {
  const char *text = axis->texts[atom];
  char period[INDICATOR_PERIOD_TEXT];
  if (text == NULL) {
    return NULL;
  }
  switch (family_of(field)) {
  case FAMILY_DATE:
    if (strcmp(field, "month") == 0) {
      return strlen(text) < sizeof "2020-01" - 1 ? NULL : text;
    }
    if (strcmp(field, "year") == 0) {
      return arena_text(axes->arena, slice_make(text, 4));
    }
    return indicator_period(slice_of(text), table->indicator.period, period) ? arena_text(axes->arena, slice_of(period))
                                                                             : NULL;
  case FAMILY_PLACE:
    text = place_of(axes, text, strcmp(field, "province") == 0);
    return text == NULL || strcmp(field, "region") != 0 ? text : release_group_of(table, field, text);
  case FAMILY_AGE:
    return strcmp(field, "age") == 0 ? text : band_of(&table->indicator, text);
  case FAMILY_PURPOSE:
    return strcmp(field, "purposes") == 0 ? text : release_group_of(table, field, text);
  default:
    return text;
  }
}

/* Groups stand in the order of their list, not of what they group. */
static uint32_t order_groups(const struct release_table_plan *table, const char *field, const char **values) {
  const struct release_grouping *grouping = release_grouping_of(table, field);
  uint32_t count = 0;
  while (grouping != NULL && count < grouping->count) {
    values[count] = grouping->groups[count].code;
    count++;
  }
  return count;
}

/* Where the values of a field have their labels. */
static const char *codelist_of(const struct release_axis *axis, const struct release_table_plan *table,
                               const char *field) {
  const struct release_grouping *grouping = release_grouping_of(table, field);
  return grouping == NULL ? axis->codelist : grouping->field;
}

enum status release_level_make(const struct release_axes *axes, const char *field,
                               const struct release_table_plan *table, struct release_level *level,
                               struct error *error) {
  const struct release_grouping *grouping = release_grouping_of(table, field);
  uint32_t at = find(axes, field, &table->indicator);
  const struct release_axis *axis = &axes->axes[at];
  uint32_t *group = arena_array(axes->arena, axis->atoms, sizeof *group);
  const char **values =
      arena_array(axes->arena, axis->atoms + 1 + (grouping == NULL ? 0 : grouping->count), sizeof *values);
  if (group == NULL || values == NULL) {
    return error_memory(error);
  }
  uint32_t count = order_groups(table, field, values);
  for (uint32_t atom = 0; atom < axis->atoms; atom++) {
    const char *text = text_of(axes, axis, field, table, atom);
    uint32_t known = 0;
    while (text != NULL && known < count && strcmp(values[known], text) != 0) {
      known++;
    }
    if (text != NULL && known == count) {
      values[count++] = text;
    }
    group[atom] = text == NULL ? DISCLOSE_NONE : known;
  }
  for (uint32_t atom = 0; atom < axis->atoms; atom++) {
    group[atom] = group[atom] == DISCLOSE_NONE ? count : group[atom];
  }
  values[count] = RELEASE_NOT_RECORDED;
  *level = (struct release_level){
      .axis = at, .group = group, .values = values, .count = count + 1, .codelist = codelist_of(axis, table, field)};
  return OK;
}

/* A condition may be written as any text that the code list knows. */
static const char *wanted_of(const struct release_axes *axes, const struct release_axis *axis,
                             const struct release_table_plan *table, const struct condition *condition) {
  const char *value = condition->value, *name = codelist_of(axis, table, condition->field);
  const struct codelist *list = name == NULL ? NULL : codelists_find(axes->workspace->lists, name);
  const struct code *code =
      list == NULL ? NULL : codelist_lookup(list, NULL, slice_of(value), (struct date){.precision = DATE_NONE});
  if (axis->boolean && (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0)) {
    return value[0] == 'y' ? "1" : "0";
  }
  return code == NULL ? value : code->code;
}

enum status release_filter_make(const struct release_axes *axes, const struct condition *condition,
                                const struct release_table_plan *table, struct release_level *level,
                                struct error *error) {
  uint32_t at = find(axes, condition->field, &table->indicator);
  const struct release_axis *axis = &axes->axes[at];
  const char *wanted = wanted_of(axes, axis, table, condition);
  uint32_t *group = arena_array(axes->arena, axis->atoms, sizeof *group);
  if (group == NULL) {
    return error_memory(error);
  }
  for (uint32_t atom = 0; atom < axis->atoms; atom++) {
    const char *text = text_of(axes, axis, condition->field, table, atom);
    group[atom] = strcmp(text == NULL ? "" : text, wanted) == 0 ? 0 : DISCLOSE_NONE;
  }
  *level = (struct release_level){.axis = at, .group = group, .count = 1};
  return OK;
}
