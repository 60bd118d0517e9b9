#include "core/service/cube_cells.h"

#include "core/service/cube_fields.h"
#include "core/service/doubt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int cube_number(struct slice text) {
  int number = 0;
  for (size_t i = 0; i < text.len && i < 3 && text.data[i] >= '0' && text.data[i] <= '9'; i++) {
    number = number * 10 + (text.data[i] - '0');
  }
  return number;
}

static int by_cell(const void *a, const void *b) {
  const struct tuple *left = a, *right = b;
  for (size_t i = 0; i < CUBE_FIELDS_MOST; i++) {
    if (left->values[i] != right->values[i]) {
      return left->values[i] < right->values[i] ? -1 : 1;
    }
  }
  return left->unit < right->unit ? -1 : left->unit > right->unit;
}

static int by_unit(const void *a, const void *b) {
  const struct tuple *left = a, *right = b;
  return left->unit < right->unit ? -1 : left->unit > right->unit;
}

static bool same_cell(const struct tuple *a, const struct tuple *b) {
  return memcmp(a->values, b->values, sizeof a->values) == 0;
}

/* ---- what waiting pairs and unlinkable records say of the units ---- */

/* By unit: what it would be part of, and its records that cannot be linked. */
struct settling {
  struct doubt doubt;
  uint32_t *root;
  int64_t *unlinkable;
  size_t known;
};

static uint32_t unit_of(const struct cube *cube, int64_t id) {
  char text[24];
  int len = snprintf(text, sizeof text, "%" PRId64, id);
  return map_get(cube->dictionary, slice_make(text, (size_t)len));
}

static enum status settling_read(const struct cube_request *request, const struct cube *cube, struct settling *settling,
                                 struct error *error) {
  enum cluster_kind kind = request->indicator->unit == UNIT_PERSON ? CLUSTER_PERSON : CLUSTER_CASE;
  enum status status = request->source != NULL /* its own records, as it would count them */
                           ? OK
                           : doubt_read(request->workspace->store, kind, &settling->doubt, error);
  settling->known = map_count(cube->dictionary);
  settling->root = malloc((settling->known + 1) * sizeof *settling->root);
  settling->unlinkable = calloc(settling->known + 1, sizeof *settling->unlinkable);
  if (status == OK && (settling->root == NULL || settling->unlinkable == NULL)) {
    status = error_memory(error);
  }
  for (uint32_t i = 0; status == OK && i <= settling->known; i++) {
    settling->root[i] = i;
  }
  for (size_t i = 0; status == OK && i < settling->doubt.count; i++) {
    const struct doubt_id *id = &settling->doubt.ids[i];
    uint32_t unit = unit_of(cube, id->id), root = unit_of(cube, id->root);
    if (unit != MAP_NONE && root != MAP_NONE) {
      settling->root[unit] = root;
      settling->unlinkable[unit] = id->unlinkable;
    }
  }
  return status;
}

static void settling_free(struct settling *settling) {
  doubt_free(&settling->doubt);
  free(settling->root);
  free(settling->unlinkable);
}

/* Waiting pairs of which both sides are counted; tuples are by unit. */
static int64_t count_waiting(const struct settling *settling, const struct tuple *tuples, size_t count,
                             const struct cube *cube) {
  int64_t waiting = 0;
  for (size_t i = 0; i < settling->doubt.pair_count; i++) {
    const struct tuple a = {.unit = unit_of(cube, settling->doubt.pairs[i].a)};
    const struct tuple b = {.unit = unit_of(cube, settling->doubt.pairs[i].b)};
    waiting += bsearch(&a, tuples, count, sizeof *tuples, by_unit) != NULL
               && bsearch(&b, tuples, count, sizeof *tuples, by_unit) != NULL;
  }
  return waiting;
}

/* ---- cells ---- */

static int by_root(const void *a, const void *b) {
  const struct tuple *left = a, *right = b;
  return left->root < right->root ? -1 : left->root > right->root;
}

static void fill_cells(struct tuple *tuples, size_t count, const struct settling *settling, struct cube *cube) {
  qsort(tuples, count, sizeof *tuples, by_cell);
  for (size_t i = 0; i < count; i++) {
    if (i == 0 || !same_cell(&tuples[i], &tuples[i - 1])) {
      memcpy(cube->cells[cube->count++].values, tuples[i].values, sizeof cube->cells->values);
    }
    struct extent *extent = &cube->cells[cube->count - 1].extent;
    bool first = i == 0 || by_cell(&tuples[i], &tuples[i - 1]) != 0;
    extent->records += tuples[i].records;
    extent->figure += first;
    extent->unlinkable += first ? settling->unlinkable[tuples[i].unit] : 0;
  }
  /* In the same order of cells: only units move within each. */
  for (size_t from = 0, to, cell = 0; from < count; from = to, cell++) {
    for (to = from + 1; to < count && same_cell(&tuples[from], &tuples[to]);) {
      to++;
    }
    qsort(tuples + from, to - from, sizeof *tuples, by_root);
    for (size_t i = from; i < to; i++) {
      cube->cells[cell].extent.least += i == from || tuples[i].root != tuples[i - 1].root;
    }
  }
}

static void fill_total(struct tuple *tuples, size_t count, const struct settling *settling, struct cube *cube) {
  qsort(tuples, count, sizeof *tuples, by_root);
  for (size_t i = 0; i < count; i++) {
    cube->total.least += i == 0 || tuples[i].root != tuples[i - 1].root;
  }
  qsort(tuples, count, sizeof *tuples, by_unit);
  for (size_t i = 0; i < count; i++) {
    bool first = i == 0 || tuples[i].unit != tuples[i - 1].unit;
    cube->total.figure += first;
    cube->total.unlinkable += first ? settling->unlinkable[tuples[i].unit] : 0;
  }
  cube->waiting = count_waiting(settling, tuples, count, cube);
}

/* ---- their order ---- */

/* For the order of cells: codes by their place in the list, other values by text, what is not recorded last. */
struct sorting {
  const struct cube *cube;
  const struct codelist *lists[CUBE_FIELDS_MOST];
};

int cube_compare(const struct map *dictionary, const struct cube_field *field, const struct codelist *list, uint32_t a,
                 uint32_t b) {
  if (a == b) {
    return 0;
  }
  if (a == MAP_NONE || b == MAP_NONE) {
    return a == MAP_NONE ? 1 : -1;
  }
  struct slice left = map_key(dictionary, a), right = map_key(dictionary, b);
  if (list != NULL) {
    const struct code *x = codelist_code(list, left), *y = codelist_code(list, right);
    if (x != NULL && y != NULL) { /* codes of one list lie in one array, in file order */
      return x < y ? -1 : x > y;
    }
  }
  if (field->kind == CUBE_AGE || field->kind == CUBE_AGE_BAND) {
    int x = cube_number(left), y = cube_number(right);
    return x < y ? -1 : x > y;
  }
  return slice_compare(left, right);
}

static int by_label(const void *a, const void *b, void *context) {
  const struct sorting *sorting = context;
  const struct cube_cell *left = a, *right = b;
  for (size_t i = 0; i < sorting->cube->field_count; i++) {
    int order = cube_compare(sorting->cube->dictionary, &sorting->cube->fields[i], sorting->lists[i], left->values[i],
                             right->values[i]);
    if (order != 0) {
      return order;
    }
  }
  return 0;
}

static void sort_cells(const struct cube_request *request, struct cube *cube) {
  struct sorting sorting = {.cube = cube};
  for (size_t i = 0; i < cube->field_count; i++) {
    const char *name = cube->fields[i].codelist;
    sorting.lists[i] = name == NULL ? NULL : codelists_find(request->workspace->lists, name);
  }
  qsort_r(cube->cells, cube->count, sizeof *cube->cells, by_label, &sorting);
}

enum status cube_cells_make(const struct cube_request *request, struct tuple *tuples, size_t count, struct cube *cube,
                            struct error *error) {
  struct settling settling = {.known = 0};
  cube->cells = calloc(count + 1, sizeof *cube->cells);
  enum status status = cube->cells == NULL ? error_memory(error) : settling_read(request, cube, &settling, error);
  if (status == OK && count > 0) {
    for (size_t i = 0; i < count; i++) {
      tuples[i].root = settling.root[tuples[i].unit];
    }
    fill_cells(tuples, count, &settling, cube);
    fill_total(tuples, count, &settling, cube);
    sort_cells(request, cube);
  }
  for (size_t i = 0; status == OK && settling.doubt.unlinkable_unknown && i < cube->count; i++) {
    cube->cells[i].extent.unlinkable = -1;
  }
  cube->total.unlinkable = settling.doubt.unlinkable_unknown ? -1 : cube->total.unlinkable;
  settling_free(&settling);
  return status;
}

const char *cube_label(const struct cube *cube, const struct codelists *lists, size_t field, uint32_t value,
                       bool spanish, char room[128]) {
  if (value == MAP_NONE) {
    return _("not recorded");
  }
  struct slice text = map_key(cube->dictionary, value);
  const struct field *of = cube->fields[field].field;
  if (of != NULL && of->type == FIELD_BOOLEAN) {
    return slice_is(text, "1") ? _("yes") : _("no");
  }
  const struct codelist *list =
      cube->fields[field].codelist == NULL ? NULL : codelists_find(lists, cube->fields[field].codelist);
  const struct code *code = list == NULL ? NULL : codelist_code(list, text);
  if (code != NULL) {
    return spanish ? code->label_es : code->label_en;
  }
  snprintf(room, 128, "%.*s", SLICE_ARG(text));
  return room;
}

void cube_free(struct cube *cube) {
  map_free(cube->dictionary);
  free(cube->cells);
  *cube = (struct cube){0};
}
