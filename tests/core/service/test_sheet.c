#include "core/service/sheet.h"
#include "tests/support/program.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *folder;
static char paths[2][256];
static const char *const files[] = {paths[0], paths[1]};
static struct sheet sheet;
static struct error error;

static int make_folder(void **state) {
  (void)state;
  folder = temp_make();
  snprintf(paths[0], sizeof paths[0], "%s/one.csv", folder);
  snprintf(paths[1], sizeof paths[1], "%s/two.csv", folder);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  temp_remove(folder);
  return 0;
}

static enum status read_text(const char *text, struct sheet_options options) {
  program_write(folder, "one.csv", text);
  options.files = files;
  options.file_count = 1;
  return sheet_read(&options, &sheet, &error);
}

static struct slice value(size_t column, size_t record) {
  uint32_t number = sheet.columns[column].values[record];
  return number == LINK_MISSING ? slice_none() : map_key(sheet.columns[column].dictionary, number);
}

static void assert_slice(struct slice text, const char *expected) {
  assert_int_equal(text.len, strlen(expected));
  assert_memory_equal(text.data == NULL ? "" : text.data, expected, text.len);
}

static void test_columns_are_encoded(void **state) {
  (void)state;
  static const char *const wanted[] = {"surname", "truth", "name"};
  const struct sheet_options options = {.columns = wanted,
                                        .column_count = 3,
                                        .id = "id",
                                        .truth = "truth",
                                        .truth_pattern = "^x-([0-9]+)",
                                        .among = "kin"};
  assert_int_equal(read_text("\xef\xbb\xbfid, surname ,name,truth,kin\n"
                             "a, Peña,\"Ana \"\"Ani\"\", R\",x-7-1,yes\r\n"
                             "b,,Rosa,x-7-2,\n"
                             "c,Peña,Rosa,none, \n",
                             options),
                   OK);
  assert_int_equal(sheet.count, 3);
  assert_slice(value(0, 0), "Peña");
  assert_slice(value(0, 1), "");
  assert_int_equal(sheet.columns[0].values[0], sheet.columns[0].values[2]);
  assert_slice(value(2, 0), "Ana \"Ani\", R");
  assert_int_equal(sheet.missing[0], 1);
  assert_slice(texts_at(&sheet.ids, 2), "c");
  /* The truth is known, and no column of the method has it. */
  assert_int_equal(sheet.truth[0], sheet.truth[1]);
  assert_int_equal(sheet.truth[2], LINK_MISSING);
  assert_int_equal(sheet.columns[1].values[0], LINK_MISSING);
  assert_int_equal(map_count(sheet.columns[1].dictionary), 0);
  assert_int_equal(sheet.among[0], 1);
  assert_int_equal(sheet.among[2], 0);
  assert_string_equal(sheet.files[0].name, "one");
  sheet_free(&sheet);
}

static void test_files_are_sources(void **state) {
  (void)state;
  program_write(folder, "one.csv", "name;id\nAna;1\nAna;1\n");
  program_write(folder, "two.csv", "id\tname\n1\tAna\n");
  static const char *const wanted[] = {"name"};
  const struct sheet_options options = {
      .files = files, .file_count = 2, .columns = wanted, .column_count = 1, .id = "id"};
  assert_int_equal(sheet_read(&options, &sheet, &error), OK);
  assert_int_equal(sheet.count, 3);
  assert_int_equal(sheet.source[1], 0);
  assert_int_equal(sheet.source[2], 1);
  assert_int_equal(sheet.columns[0].values[0], sheet.columns[0].values[2]);
  assert_int_equal(sheet.files[0].repeated, 1);
  assert_int_equal(sheet.files[1].repeated, 0);
  sheet_free(&sheet);
}

static void test_many_records_keep_their_order(void **state) {
  (void)state;
  enum { COUNT = 20000 };
  struct buffer text;
  buffer_init(&text, 1 << 22);
  buffer_text(&text, "n,half\n");
  for (int i = 0; i < COUNT; i++) {
    buffer_printf(&text, "%d,%d\n", i, i / 2);
  }
  assert_int_equal(read_text(text.data, (struct sheet_options){.encoding = ENCODING_UTF8}), OK);
  buffer_free(&text);
  assert_int_equal(sheet.count, COUNT);
  assert_int_equal(sheet.column_count, 2);
  assert_int_equal(map_count(sheet.columns[0].dictionary), COUNT);
  for (size_t i = 0; i < COUNT; i++) {
    assert_int_equal(sheet.columns[0].values[i], i);
    assert_int_equal(sheet.columns[1].values[i], i / 2);
  }
  assert_slice(texts_at(&sheet.ids, 9), "11"); /* the line, where no column names records */
  sheet_free(&sheet);
}

static void test_lines_that_are_no_record_are_left_out(void **state) {
  (void)state;
  assert_int_equal(read_text("id,name\n1,Ana\n2\n3,Ana,x\n4,An\xe1\n5,Rosa\n", (struct sheet_options){.id = "id"}), OK);
  assert_int_equal(sheet.count, 2);
  assert_int_equal(sheet.files[0].unread, 3);
  assert_int_equal(sheet.files[0].first_wrong, 3);
  assert_string_equal(sheet.files[0].reason, "1 fields instead of 2");
  assert_slice(texts_at(&sheet.ids, 1), "5");
  sheet_free(&sheet);
  assert_int_equal(read_text("id,name\n1,a\n1,\"a\n2,b\n", (struct sheet_options){.id = "id"}), OK);
  assert_int_equal(sheet.count, 2);
  assert_int_equal(sheet.files[0].first_wrong, 3);
  assert_string_equal(sheet.files[0].reason, "a quote is not closed, or text follows a closing quote");
  sheet_free(&sheet);
  assert_int_equal(read_text("id,name\n4,An\xe1\n", (struct sheet_options){.encoding = ENCODING_WINDOWS_1252}), OK);
  assert_slice(value(1, 0), "Aná");
  sheet_free(&sheet);
}

static void assert_refused(enum status status, const char *message, const char *place, const char *hint) {
  char expected[320];
  snprintf(expected, sizeof expected, "%s%s", paths[0], place);
  assert_int_not_equal(status, OK);
  assert_string_equal(error.message, message);
  assert_string_equal(error.place, expected);
  assert_string_equal(error.hint, hint);
}

static void test_what_cannot_be_read_is_refused(void **state) {
  (void)state;
  static const char *const wanted[] = {"surname"};
  const struct sheet_options none = {.encoding = ENCODING_UTF8};
  assert_refused(read_text("", none), "the text ends before its header in line 1", ", line 1", "");
  assert_refused(read_text("id,name\n", none), "the file holds no record", "", "");
  assert_refused(read_text("id,name\n1\n2\n", none), "no line of the file could be read: 1 fields instead of 2",
                 ", line 2", "");
  assert_refused(read_text("id,surnam\n1,a\n", (struct sheet_options){.columns = wanted, .column_count = 1}),
                 "there is no column \"surname\"", "", "did you mean \"surnam\"?");
  assert_refused(read_text("surname,surname\n1,a\n", (struct sheet_options){.columns = wanted, .column_count = 1}),
                 "the header has two columns \"surname\"", "", "");
}

static void test_a_file_must_be_there_and_its_name_its_own(void **state) {
  (void)state;
  const char *const absent[] = {"/nowhere/absent.csv"}, *const twice[] = {paths[0], paths[0]};
  struct sheet_options options = {.files = absent, .file_count = 1};
  assert_int_equal(sheet_read(&options, &sheet, &error), ERR_NOT_FOUND);
  assert_string_equal(error.message, "cannot read the file: No such file or directory");
  assert_string_equal(error.place, "/nowhere/absent.csv");
  options = (struct sheet_options){.files = twice, .file_count = 2};
  assert_int_equal(sheet_read(&options, &sheet, &error), ERR_USAGE);
  assert_string_equal(error.message, "two files have the name \"one\"");
  options = (struct sheet_options){.files = files, .file_count = 1, .truth = "id", .truth_pattern = "("};
  assert_int_equal(sheet_read(&options, &sheet, &error), ERR_CONFIG);
  assert_string_equal(error.message, "the truth's \"match\" is no regular expression: Unmatched ( or \\(");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_columns_are_encoded),
      cmocka_unit_test(test_files_are_sources),
      cmocka_unit_test(test_many_records_keep_their_order),
      cmocka_unit_test(test_lines_that_are_no_record_are_left_out),
      cmocka_unit_test(test_what_cannot_be_read_is_refused),
      cmocka_unit_test(test_a_file_must_be_there_and_its_name_its_own),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
