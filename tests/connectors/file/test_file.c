/* The file connector on real files. */
#include "tests/support/pulling.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

static char *folder;

static int make_folder(void **state) {
  (void)state;
  folder = temp_make();
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  temp_remove(folder);
  return 0;
}

static const char *in_folder(const char *name) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void put(const char *name, const char *text) {
  FILE *file = fopen(in_folder(name), "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

/* One gzip member a text. */
static void put_zipped(const char *name, const char *first, const char *second) {
  for (int i = 0; i < 2; i++) {
    gzFile file = gzopen(in_folder(name), i == 0 ? "wb" : "ab");
    assert_non_null(file);
    gzputs(file, i == 0 ? first : second);
    gzclose(file);
  }
}

static void begin_folder(struct pulling *pulling, const char *more) {
  char yaml[600];
  snprintf(yaml, sizeof yaml, "path: %s\n%s", folder, more);
  pulling_begin(pulling, "file", yaml, "/");
}

static void seen_is(const struct pulling *pulling, const char *wanted) {
  assert_string_equal(pulling->seen.len > 0 ? pulling->seen.data : "", wanted);
}

static void error_is(const struct pulling *pulling, const char *before, const char *name, const char *after) {
  char wanted[1200];
  snprintf(wanted, sizeof wanted, "%s @ %s%s%s%s%s", before, folder, *name != '\0' ? "/" : "", name,
           *after != '\0' ? " ! " : "", after);
  assert_string_equal(pulling_error(pulling), wanted);
}

static void takes_each_file_once_in_order(void **state) {
  (void)state;
  struct pulling pulling;
  put("b.csv", "b1");
  put("a.csv", "a1");
  put("c.txt", "no");
  put(".hidden.csv", "no");
  put("d.csv.part", "no");
  put("e.csv.tmp", "no");
  mkdir(in_folder("f.csv"), 0700);
  begin_folder(&pulling, "pattern: '*.csv*'\nsettle: 0s\n");
  assert_int_equal(pulling_pass(&pulling, -1), END);
  seen_is(&pulling, "[a.csv begins ends]a1\n[b.csv begins ends]b1\n");
  assert_string_equal(pulling.page.cursor.data, "{\"file\":\"b.csv\"}");
  /* SHA-256 of "a1" and of "b1" */
  assert_string_equal(pulling.memory.data, "f55ff16f66f43360266b95db6f8fec01d76031054306ae4a4b380598f6cfd114\n"
                                           "7dc96f776c8423e57a2785489a3f9c43fb6e756876d6ad9a9cac4aa4e72ec193\n");
  assert_int_equal(pulling_pass(&pulling, -1), END);
  seen_is(&pulling, "");
  put("0.csv", "a1"); /* the content is known, whatever its name */
  put("b.csv", "b2"); /* a known name with new content */
  assert_int_equal(pulling_pass(&pulling, -1), END);
  seen_is(&pulling, "[b.csv begins ends]b2\n");
  pulling_end(&pulling);
}

static void reads_one_file_in_pages(void **state) {
  (void)state;
  struct pulling pulling;
  static char text[10001];
  for (size_t i = 0; i < sizeof text - 1; i++)
    text[i] = (char)('a' + i % 26);
  put("x.csv", text);
  pulling_begin(&pulling, "file", "path: x.csv\nsettle: 0s\npage: 4096\n", folder);
  assert_int_equal(pulling_pass(&pulling, 1), OK);
  assert_true(pulling.page.begins && !pulling.page.ends && pulling.memory.len == 0);
  assert_int_equal(pulling.page.bytes.len, 4096);
  assert_memory_equal(pulling.page.bytes.data, text, 4096);
  assert_int_equal(pulling_more(&pulling, 1), OK);
  assert_true(!pulling.page.begins && !pulling.page.ends);
  assert_int_equal(pulling_more(&pulling, 1), OK);
  assert_true(!pulling.page.begins && pulling.page.ends && pulling.memory.len == 65);
  assert_memory_equal(pulling.page.bytes.data, text + 8192, 10000 - 8192);
  assert_int_equal(pulling_more(&pulling, 1), END);
  /* a crash before the last page: the file comes again, from its beginning */
  buffer_reset(&pulling.memory);
  pulling.pull.cursor = "{\"file\":\"x.csv\"}";
  assert_int_equal(pulling_pass(&pulling, -1), END);
  assert_int_equal(pulling.pages, 3);
  pulling_end(&pulling);
}

static void reads_gzip(void **state) {
  (void)state;
  struct pulling pulling;
  put_zipped("x.csv.gz", "one,", "two");
  begin_folder(&pulling, "settle: 0s\n");
  assert_int_equal(pulling_pass(&pulling, -1), END);
  seen_is(&pulling, "[x.csv.gz begins ends]one,two\n");
  pulling_end(&pulling);
}

static void tells_damaged_files_after_the_good_ones(void **state) {
  (void)state;
  struct pulling pulling;
  put_zipped("a.gz", "one two three four five six", "");
  assert_int_equal(truncate(in_folder("a.gz"), 25), 0);
  put("b.csv", "b1");
  begin_folder(&pulling, "settle: 0s\n");
  assert_int_equal(pulling_pass(&pulling, -1), ERR_INPUT);
  seen_is(&pulling, "[b.csv begins ends]b1\n");
  error_is(&pulling, "the gzip file is damaged or cut short", "a.gz",
           "test it with \"gzip -t\" and have it sent again");
  pulling_end(&pulling);
}

static void tells_an_empty_file(void **state) {
  (void)state;
  struct pulling pulling;
  put("a.csv", "");
  put("b.csv", "b1");
  begin_folder(&pulling, "settle: 0s\n");
  assert_int_equal(pulling_pass(&pulling, -1), ERR_INPUT);
  seen_is(&pulling, "[b.csv begins ends]b1\n");
  error_is(&pulling, "the file is empty", "a.csv",
           "an export that failed leaves such a file: have it sent again, or remove it");
  pulling_end(&pulling);
}

static void refuses_archives(void **state) {
  (void)state;
  struct pulling pulling;
  put("a.xlsx", "PK\3\4....");
  pulling_begin(&pulling, "file", "path: a.xlsx\nsettle: 0s\n", folder);
  assert_int_equal(pulling_pass(&pulling, -1), ERR_INPUT);
  error_is(&pulling, "the file is a ZIP archive or a spreadsheet, not text", "a.xlsx",
           "unpack it, or save the sheet as CSV");
  pulling_end(&pulling);
}

static void bounds_what_is_unpacked(void **state) {
  (void)state;
  struct pulling pulling;
  static char zeros[200001];
  memset(zeros, '0', sizeof zeros - 1);
  put_zipped("a.gz", zeros, "");
  pulling_begin(&pulling, "file", "path: a.gz\nsettle: 0s\nlimit: 100000\n", folder);
  assert_int_equal(pulling_pass(&pulling, -1), ERR_LIMIT);
  seen_is(&pulling, "");
  error_is(&pulling, "the file holds more than 100000 bytes unpacked", "a.gz", "raise \"limit\" if that is right");
  pulling_end(&pulling);
}

static void leaves_a_fresh_file_alone(void **state) {
  (void)state;
  struct pulling pulling;
  put("a.csv", "a1");
  begin_folder(&pulling, "settle: 1h\n");
  assert_int_equal(pulling_pass(&pulling, -1), END);
  seen_is(&pulling, "");
  pulling_end(&pulling);
  pulling_begin(&pulling, "file", "path: a.csv\nsettle: 1h\n", folder);
  assert_int_equal(pulling_pass(&pulling, -1), END);
  seen_is(&pulling, "");
  pulling_end(&pulling);
}

static void notices_a_change_under_way(void **state) {
  (void)state;
  struct pulling pulling;
  static char text[300 << 10];
  memset(text, 'x', sizeof text - 1);
  static const char *const changes[] = {"", "xx"};
  for (size_t i = 0; i < 2; i++) {
    put("a.csv", text);
    pulling_begin(&pulling, "file", "path: a.csv\nsettle: 0s\npage: 4096\n", folder);
    assert_int_equal(pulling_pass(&pulling, 1), OK);
    if (i == 0) {
      assert_int_equal(truncate(in_folder("a.csv"), 280 << 10), 0);
    } else {
      FILE *file = fopen(in_folder("a.csv"), "a");
      fputs(changes[i], file);
      fclose(file);
    }
    assert_int_equal(pulling_more(&pulling, -1), ERR_NETWORK);
    assert_int_equal(pulling.memory.len, 0);
    error_is(&pulling, "the file changed while it was read", "a.csv",
             "write it under another name and rename it when it is complete, or raise \"settle\"");
    pulling_end(&pulling);
  }
}

static void tells_what_is_missing(void **state) {
  (void)state;
  struct pulling pulling;
  pulling_begin(&pulling, "file", "path: none\n", folder);
  assert_int_equal(pulling_pass(&pulling, -1), ERR_NOT_FOUND);
  error_is(&pulling, "there is no such file or folder", "none", "check \"path\", and that the folder is mounted");
  assert_int_equal(pulling_probe(&pulling), ERR_NOT_FOUND);
  assert_string_equal(pulling.probed.data, "folder: not_found: there is no such file or folder\n");
  pulling_end(&pulling);
  if (geteuid() == 0)
    return; /* root may read everything */
  put("a.csv", "a1");
  chmod(in_folder("a.csv"), 0);
  pulling_begin(&pulling, "file", "path: a.csv\nsettle: 0s\n", folder);
  assert_int_equal(pulling_pass(&pulling, -1), ERR_AUTH);
  error_is(&pulling, "no permission to read the file", "a.csv", "let the user that runs puente read it (chmod, chown)");
  pulling_end(&pulling);
}

static void probes(void **state) {
  (void)state;
  struct pulling pulling;
  put("a.csv", "a,b\n1,2\n");
  begin_folder(&pulling, "settle: 0s\n");
  assert_int_equal(pulling_probe(&pulling), OK);
  assert_string_equal(pulling.probed.data, "folder: ok: files ready: 1; changed a moment ago: 0\n"
                                           "permission: ok: the first file can be read\n"
                                           "record: ok: the beginning of the first file was read\n");
  assert_string_equal(pulling.page.bytes.data, "a,b\n1,2\n");
  assert_true(pulling.page.begins && pulling.page.ends && pulling.page.memory.len == 0);
  pulling_end(&pulling);
}

static void stops_when_asked(void **state) {
  (void)state;
  struct pulling pulling;
  atomic_bool stop = true;
  put("a.csv", "a1");
  begin_folder(&pulling, "settle: 0s\n");
  pulling.pull.stop = &stop;
  assert_int_equal(pulling_pass(&pulling, -1), ERR_INTERRUPTED);
  pulling_end(&pulling);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      IN_FOLDER(takes_each_file_once_in_order),
      IN_FOLDER(reads_one_file_in_pages),
      IN_FOLDER(reads_gzip),
      IN_FOLDER(tells_damaged_files_after_the_good_ones),
      IN_FOLDER(tells_an_empty_file),
      IN_FOLDER(refuses_archives),
      IN_FOLDER(bounds_what_is_unpacked),
      IN_FOLDER(leaves_a_fresh_file_alone),
      IN_FOLDER(notices_a_change_under_way),
      IN_FOLDER(tells_what_is_missing),
      IN_FOLDER(probes),
      IN_FOLDER(stops_when_asked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
