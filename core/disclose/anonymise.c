#include "core/disclose/anonymise.h"

#include <stdlib.h>
#include <string.h>

static int by_values(const void *a, const void *b, void *size) {
  return memcmp(a, b, *(const size_t *)size);
}

static void hide(struct anonymise *rows, uint64_t columns) {
  for (size_t row = rows->kept; row < rows->count; row++) {
    for (size_t column = 0; column < rows->columns; column++) {
      if ((columns >> column & 1) != 0) {
        rows->values[row * rows->columns + column] = rows->missing;
      }
    }
  }
}

/* Rows of which there are k alike go to the front, the others stay behind them. `spare` has room for all. */
static void take(struct anonymise *rows, uint32_t *spare, size_t step) {
  size_t width = rows->columns * sizeof *rows->values, left = 0, from = rows->kept;
  const uint32_t *values = rows->values;
  qsort_r(rows->values + from * rows->columns, rows->count - from, width, by_values, &width);
  while (from < rows->count) {
    size_t to = from + 1;
    while (to < rows->count && memcmp(values + from * rows->columns, values + to * rows->columns, width) == 0) {
      to++;
    }
    size_t alike = to - from;
    if (alike >= (size_t)rows->k) {
      memmove(rows->values + rows->kept * rows->columns, values + from * rows->columns, alike * width);
      rows->kept += alike;
      rows->at[step] += alike;
    } else {
      memcpy(spare + left * rows->columns, values + from * rows->columns, alike * width);
      left += alike;
    }
    from = to;
  }
  memcpy(rows->values + rows->kept * rows->columns, spare, left * width);
}

enum status anonymise(struct anonymise *rows, struct error *error) {
  rows->kept = 0;
  memset(rows->at, 0, sizeof rows->at);
  if (rows->columns == 0 || rows->columns > ANONYMISE_COLUMNS_MOST || rows->step_count > ANONYMISE_STEPS_MOST
      || rows->k < 1) {
    return error_set(error, ERR_INTERNAL, "%s", _("these rows cannot be made anonymous"));
  }
  uint32_t *spare = calloc(rows->count + 1, rows->columns * sizeof *spare);
  if (spare == NULL) {
    return error_memory(error);
  }
  take(rows, spare, 0);
  for (size_t step = 0; step < rows->step_count; step++) {
    hide(rows, rows->steps[step]);
    take(rows, spare, step + 1);
  }
  free(spare);
  return OK;
}
