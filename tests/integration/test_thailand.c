/* Totals of another country that count different things, by configuration alone: examples/thailand. */
#include "tests/support/program.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static char *folder;

static int start(void **state) {
  (void)state;
  folder = temp_make();
  shell("cp -r examples/thailand/config/. %s && cp -r examples/thailand/data %s/incoming", folder, folder);
  workspace_key(folder);
  assert_int_equal(workspace_run(folder, "--quiet sync", NULL), 0);
  return 0;
}

static int end(void **state) {
  (void)state;
  program_forget();
  temp_remove(folder);
  return 0;
}

static void test_totals_stand_side_by_side(void **state) {
  (void)state;
  struct said said = program_run(folder, "report discrepancy");
  assert_int_equal(said.code, 0);
  assert_string_equal(said.out, "Victims\n"
                                "\n"
                                "                  TH/GOV TOTAL\n"
                                "Year  Department    assistance  TH/GOV\n"
                                "────  ──────────  ────────────  ──────\n"
                                "2019  (all)                610     868\n"
                                "2020  (all)                148     230\n"
                                "\n"
                                "consolidated: no record of this\n"
                                "Columns differ in:\n"
                                "  unit: Assistance given (TH/GOV TOTAL assistance)\n"
                                "  unit: Victim (TH/GOV)\n"
                                "  definition: victims who were given assistance: a victim may be identified and not "
                                "assisted (TH/GOV TOTAL assistance)\n"
                                "  definition: victims whom the authorities identified (TH/GOV)\n"
                                "Not stated for any column: date of the period, coverage (`counts:` of the source)\n"
                                "Columns are never added up. Blank: no record there, or nothing published.\n");
}

static void test_in_spanish(void **state) {
  (void)state;
  struct said said = program_run(folder, "--lang es report discrepancy");
  assert_int_equal(said.code, 0);
  assert_string_equal(said.out,
                      "Víctimas\n"
                      "\n"
                      "                    TH/GOV TOTAL\n"
                      "Año   Departamento    assistance  TH/GOV\n"
                      "────  ────────────  ────────────  ──────\n"
                      "2019  (todos)                610     868\n"
                      "2020  (todos)                148     230\n"
                      "\n"
                      "consolidado: sin registros de esto\n"
                      "Las columnas difieren en:\n"
                      "  unidad: Atención (TH/GOV TOTAL assistance)\n"
                      "  unidad: Víctima (TH/GOV)\n"
                      "  definición: victims who were given assistance: a victim may be identified and not assisted "
                      "(TH/GOV TOTAL assistance)\n"
                      "  definición: victims whom the authorities identified (TH/GOV)\n"
                      "No indicado para ninguna columna: fecha del periodo, cobertura (`counts:` de la fuente)\n"
                      "Las columnas nunca se suman. En blanco: no hay registro, o no se publicó nada.\n");
}

/* 170 + 440 = 610; 78 + 70 = 77 + 71 = 57 + 91 = 148. */
static void test_breakdowns_make_their_total(void **state) {
  (void)state;
  struct said said = program_run(folder, "report totals --csv");
  assert_int_equal(said.code, 0);
  assert_string_equal(said.out, "source,check,compared,wrong,skipped\r\n"
                                "assisted,purpose,2,0,0\r\n"
                                "assisted,nationality,1,0,1\r\n"
                                "assisted,sex,1,0,1\r\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_totals_stand_side_by_side),
                                     cmocka_unit_test(test_in_spanish),
                                     cmocka_unit_test(test_breakdowns_make_their_total)};
  return cmocka_run_group_tests(tests, start, end);
}
