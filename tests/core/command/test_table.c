#include "core/command/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct table_column columns[] = {{.name = "source", .title = "Fuente", .most = 8},
                                              {.name = "records", .title = "Registros", .align = ALIGN_RIGHT},
                                              {.name = "share", .title = "%", .align = ALIGN_RIGHT},
                                              {.name = "linked", .title = "Vínculo"}};

static struct table *filled(void) {
  struct table *table = table_new(columns, 4);
  assert_non_null(table);
  table_title(table, "Completitud de %d fuentes", 3);
  table_text(table, "señal");
  table_integer(table, 1234567);
  table_share(table, 0.8744);
  table_boolean(table, true);
  table_text(table, "larguísimo \"x\"");
  table_integer(table, -1000);
  table_null(table);
  table_text(table, "a,b");
  table_rule(table);
  table_text(table, "ผู้เสียหาย");
  table_integer(table, 0);
  table_share(table, 0);
  table_boolean(table, false);
  table_note(table, "Nada se suma.");
  return table;
}

static void assert_printed(enum table_form form, const char *expected) {
  struct table *table = filled();
  struct error error;
  char *text = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&text, &len);
  assert_int_equal(table_print(table, out, form, &error), OK);
  fclose(out);
  assert_string_equal(text, expected);
  free(text);
  table_free(table);
}

static void test_text_is_aligned_by_cells_of_the_terminal(void **state) {
  (void)state;
  assert_printed(TABLE_TEXT, "Completitud de 3 fuentes\n"
                             "Fuente    Registros       %  Vínculo\n"
                             "────────  ─────────  ──────  ───────\n"
                             "señal     1,234,567  87.4 %  yes\n"
                             "larguís…     -1,000          a,b\n"
                             "────────  ─────────  ──────  ───────\n"
                             "ผู้เสียหาย           0   0.0 %  no\n"
                             "Nada se suma.\n");
}

static void test_csv_has_numbers_and_quotes(void **state) {
  (void)state;
  assert_printed(TABLE_CSV, "source,records,share,linked\r\n"
                            "señal,1234567,0.8744,true\r\n"
                            "\"larguísimo \"\"x\"\"\",-1000,,\"a,b\"\r\n"
                            "ผู้เสียหาย,0,0.0000,false\r\n");
}

static void test_json_is_an_array_of_objects(void **state) {
  (void)state;
  assert_printed(TABLE_JSON,
                 "[\n"
                 "  {\"source\": \"señal\", \"records\": 1234567, \"share\": 0.8744, \"linked\": true},\n"
                 "  {\"source\": \"larguísimo \\\"x\\\"\", \"records\": -1000, \"share\": null, \"linked\": \"a,b\"},\n"
                 "  {\"source\": \"ผู้เสียหาย\", \"records\": 0, \"share\": 0.0000, \"linked\": false}\n"
                 "]\n");
}

static void test_long_titles_take_several_lines(void **state) {
  (void)state;
  const struct table_column wide[] = {
      {.name = "year"},
      {.name = "a", .title = "Preparatory investigation, formalised", .align = ALIGN_RIGHT},
      {.name = "b", .title = "no later record"}};
  struct table *table = table_new(wide, 3);
  struct error error;
  char *text = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&text, &len);
  table_text(table, "2019");
  table_integer(table, 7);
  table_null(table);
  assert_int_equal(table_print(table, out, TABLE_TEXT, &error), OK);
  fclose(out);
  assert_string_equal(text, "         Preparatory\n"
                            "      investigation,  no later\n"
                            "year      formalised  record\n"
                            "────  ──────────────  ────────\n"
                            "2019               7\n");
  free(text);
  table_free(table);
}

static void test_an_incomplete_row_is_an_error(void **state) {
  (void)state;
  struct table *table = table_new(columns, 4);
  struct error error;
  table_text(table, "x");
  assert_int_equal(table_print(table, stdout, TABLE_TEXT, &error), ERR_INTERNAL);
  assert_string_equal(error.message, "a table's last row is not complete");
  table_free(table);
}

static void test_width_counts_no_combining_marks(void **state) {
  (void)state;
  assert_int_equal(text_width(slice_of("n\xcc\x83")), 1); /* n and a combining tilde */
  assert_int_equal(text_width(slice_of("日本")), 4);
  assert_int_equal(text_width(slice_of("")), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text_is_aligned_by_cells_of_the_terminal),
      cmocka_unit_test(test_csv_has_numbers_and_quotes),
      cmocka_unit_test(test_json_is_an_array_of_objects),
      cmocka_unit_test(test_long_titles_take_several_lines),
      cmocka_unit_test(test_an_incomplete_row_is_an_error),
      cmocka_unit_test(test_width_counts_no_combining_marks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
