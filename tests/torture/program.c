#include "tests/torture/program.h"

#define main puente_main
#include "core/main.c"
