#include "tests/support/bounds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

double row_bound(glp_prob *problem, int row, int direction) {
  int columns = glp_get_num_cols(problem), *index = calloc((size_t)columns + 2, sizeof *index);
  double *value = calloc((size_t)columns + 2, sizeof *value), found;
  int used = glp_get_mat_row(problem, row, index, value);
  glp_smcp simplex;
  glp_init_smcp(&simplex);
  simplex.msg_lev = GLP_MSG_OFF;
  for (int i = 1; i <= columns; i++) {
    glp_set_obj_coef(problem, i, 0);
  }
  for (int i = 1; i <= used; i++) {
    glp_set_obj_coef(problem, index[i], 1);
  }
  glp_set_obj_dir(problem, direction);
  assert_int_equal(glp_simplex(problem, &simplex), 0);
  assert_true(glp_get_status(problem) == GLP_UNBND || glp_get_status(problem) == GLP_OPT);
  found = glp_get_status(problem) == GLP_UNBND ? 1e9 : glp_get_obj_val(problem);
  free(index);
  free(value);
  return found;
}
