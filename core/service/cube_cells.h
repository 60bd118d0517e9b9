/* From units in cells to figures, each with its uncertainty. Internal to core/service/cube*.c. */
#ifndef PUENTE_SERVICE_CUBE_CELLS_H
#define PUENTE_SERVICE_CUBE_CELLS_H

#include "core/service/cube.h"

/* One unit in one cell, as one group of rows tells it. */
struct tuple {
  uint32_t values[CUBE_AXES_MOST]; /* of cells the first CUBE_FIELDS_MOST */
  uint32_t unit;                   /* dictionary value of its id, or row */
  uint32_t root;                   /* the unit that it would be part of if every waiting pair were accepted */
  uint32_t records;                /* behind it in this group */
  uint32_t part, part_count;       /* as cube_row has them */
};

/* Fills cells, in their order, and total but for its records; reorders the tuples. */
enum status cube_cells_make(const struct cube_request *request, struct tuple *tuples, size_t count, struct cube *cube,
                            struct error *error) MUST_CHECK;
/* Hides in `cube`, the count of `request`, what may not be shown. */
enum status cube_suppress(const struct cube_request *request, struct cube *cube, struct error *error) MUST_CHECK;
/* Rounds every figure of `cube`; what could tell the true ones beside it is gone. */
enum status cube_round(const struct cube_request *request, struct cube *cube, struct error *error) MUST_CHECK;
/* The number that a text begins with, at most three digits of it. */
int cube_number(struct slice text);

#endif
