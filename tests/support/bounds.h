/* Bounds by a solver that the program does not use (GLPK), for attacks from outside. */
#ifndef PUENTE_TEST_BOUNDS_H
#define PUENTE_TEST_BOUNDS_H

#include <glpk.h>

/* The least (GLP_MIN) or most (GLP_MAX) that a row's sum of columns can be; 1e9: any. Columns have coefficient 1. */
double row_bound(glp_prob *problem, int row, int direction);

#endif
