#include "tests/torture/program.h"

#define main puente_main
#include "core/main.c" /* NOLINT(bugprone-suspicious-include): the whole program, under another name */
