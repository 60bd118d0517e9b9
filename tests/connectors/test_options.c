#include "connectors/connector.h"

#include "core/base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct example {
  const char *url, *path;
  int64_t pages, wait, size;
  bool verify;
  int method;
  char *token;
  struct option_list columns;
  struct option_map headers;
};

static const char *const methods[] = {"get", "post", NULL};
#define AT(member) offsetof(struct example, member)
static const struct option table[] = {
    {.name = "url",
     .type = OPTION_TEXT,
     .required = true,
     .description = "where the registry answers",
     .offset = AT(url)},
    {.name = "path", .type = OPTION_PATH, .description = "a file", .offset = AT(path)},
    {.name = "pages",
     .type = OPTION_INTEGER,
     .otherwise = "10",
     .least = 1,
     .most = 100,
     .description = "how many",
     .offset = AT(pages)},
    {.name = "wait", .type = OPTION_DURATION, .otherwise = "30s", .description = "how long", .offset = AT(wait)},
    {.name = "size", .type = OPTION_SIZE, .otherwise = "64MiB", .description = "how much", .offset = AT(size)},
    {.name = "verify", .type = OPTION_BOOLEAN, .otherwise = "true", .description = "whether", .offset = AT(verify)},
    {.name = "method",
     .type = OPTION_CHOICE,
     .otherwise = "get",
     .choices = methods,
     .description = "how",
     .offset = AT(method)},
    {.name = "token", .type = OPTION_SECRET, .description = "who", .offset = AT(token)},
    {.name = "columns", .type = OPTION_LIST, .description = "which", .offset = AT(columns)},
    {.name = "headers", .type = OPTION_MAP, .description = "what else", .offset = AT(headers)},
    {.name = NULL},
};

static enum status parse(const char *text, struct arena *arena, struct example *example, struct error *error) {
  struct yaml *root = NULL;
  *example = (struct example){0};
  *error = (struct error){0};
  assert_int_equal(yaml_parse("s.yaml", slice_of(text), arena, &root, error), OK);
  return options_parse(table, root, "/base", arena, example, error);
}

static void test_every_type_is_read(void **state) {
  (void)state;
  struct arena *arena = arena_new(0);
  struct example example;
  struct error error;
  setenv("PUENTE_TEST_TOKEN", "s3cret", 1);
  assert_int_equal(parse("url: http://h/\npath: in/a.csv\npages: 7\nwait: 2h\nsize: 1 GiB\nverify: no\nmethod: post\n"
                         "token: env:PUENTE_TEST_TOKEN\ncolumns: [a, b]\nheaders: {X-One: 1, X-Two: '2'}\n",
                         arena, &example, &error),
                   OK);
  assert_string_equal(example.url, "http://h/");
  assert_string_equal(example.path, "/base/in/a.csv");
  assert_int_equal(example.pages, 7);
  assert_int_equal(example.wait, INT64_C(7200) * 1000000);
  assert_int_equal(example.size, 1 << 30);
  assert_false(example.verify);
  assert_int_equal(example.method, 1);
  assert_string_equal(example.token, "s3cret");
  assert_int_equal(example.columns.count, 2);
  assert_string_equal(example.columns.items[1], "b");
  assert_int_equal(example.headers.count, 2);
  assert_string_equal(example.headers.names[1], "X-Two");
  assert_string_equal(example.headers.values[1], "2");
  options_wipe(table, &example);
  assert_null(example.token);
  arena_free(arena);
}

static void test_defaults_fill_what_is_absent(void **state) {
  (void)state;
  struct arena *arena = arena_new(0);
  struct example example;
  struct error error;
  assert_int_equal(parse("url: x\ncolumns: one\n", arena, &example, &error), OK);
  assert_int_equal(example.pages, 10);
  assert_int_equal(example.wait, 30000000);
  assert_int_equal(example.size, 64 << 20);
  assert_true(example.verify);
  assert_int_equal(example.method, 0);
  assert_null(example.path);
  assert_null(example.token);
  assert_int_equal(example.columns.count, 1);
  arena_free(arena);
}

static void test_mistakes_have_place_and_hint(void **state) {
  (void)state;
  static const struct {
    const char *text, *place, *message, *hint;
  } cases[] = {
      {"ulr: x\n", "s.yaml:1:1", "unknown key 'ulr'", "did you mean 'url'?"},
      {"pages: 1\n", "s.yaml:1:1", "option 'url' is missing", "where the registry answers"},
      {"url: x\npages: many\n", "s.yaml:2:8", "pages: a whole number is expected here", ""},
      {"url: x\npages: 101\n", "s.yaml:2:8", "pages: the value is out of bounds", "from 1 to 100"},
      {"url: x\nwait: soon\n", "s.yaml:2:7", "wait: a duration is expected here", "for example 30s, 10m, 2h, 7d"},
      {"url: x\nsize: 9999999999GiB\n", "s.yaml:2:7", "size: a size is expected here",
       "for example 512KiB, 64MiB, 1GiB"},
      {"url: x\nverify: perhaps\n", "s.yaml:2:9", "verify: true or false is expected here", ""},
      {"url: x\nmethod: pst\n", "s.yaml:2:9", "method: unknown value 'pst'", "did you mean 'post'?"},
      {"url: x\nheaders: [a]\n", "s.yaml:2:10", "headers: names and values are expected here",
       "for example {name: value}"},
      {"url: [x]\n", "s.yaml:1:6", "url: one text is expected here", ""},
      {"url: x\ntoken: hunter2\n", "s.yaml:2:8", "token: a secret does not stand in a configuration file",
       "write env:NAME, or file:PATH with a file of mode 0600"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct arena *arena = arena_new(0);
    struct example example;
    struct error error;
    assert_int_equal(parse(cases[i].text, arena, &example, &error), ERR_CONFIG);
    assert_string_equal(error.message, cases[i].message);
    assert_string_equal(error.place, cases[i].place);
    assert_string_equal(error.hint, cases[i].hint);
    assert_null(strstr(error.message, "hunter2"));
    assert_null(example.token);
    arena_free(arena);
  }
}

static void test_a_check_reads_no_secret(void **state) {
  (void)state;
  struct arena *arena = arena_new(0);
  struct example example = {0};
  struct error error = {0};
  struct yaml *root = NULL;
  assert_int_equal(yaml_parse("s.yaml", slice_of("url: x\ntoken: env:PUENTE_TEST_NOT_SET\n"), arena, &root, &error),
                   OK);
  assert_int_equal(options_check(table, root, "/base", arena, &example, &error), OK);
  assert_null(example.token);
  assert_int_not_equal(options_parse(table, root, "/base", arena, &example, &error), OK);
  arena_free(arena);
}

/* ---- the table of connectors ---- */

static enum status open_none(const struct pull *pull, struct connection **connection, struct error *error) {
  (void)pull;
  *connection = NULL;
  return error_set(error, ERR_INTERNAL, "never");
}
static enum status next_none(struct connection *connection, struct page *page, struct error *error) {
  (void)connection;
  (void)page;
  return error_set(error, ERR_INTERNAL, "never");
}
static void close_none(struct connection *connection) {
  (void)connection;
}
static enum status probe_none(const struct pull *pull, probe_report *report, void *context, struct page *first,
                              struct error *error) {
  (void)pull;
  (void)report;
  (void)context;
  (void)first;
  return error_set(error, ERR_INTERNAL, "never");
}

static void test_a_connector_with_a_fault_is_refused(void **state) {
  (void)state;
  static const struct option secret[] = {
      {.name = "token", .type = OPTION_SECRET, .otherwise = "env:X", .description = "d"}, {.name = NULL}};
  static const struct option outside[] = {{.name = "a", .type = OPTION_TEXT, .description = "d", .offset = 8},
                                          {.name = NULL}};
  static const struct option twice[] = {
      {.name = "a", .description = "d"}, {.name = "a", .description = "d"}, {.name = NULL}};
  struct connector good = {.name = "none",
                           .description = "d",
                           .options = table,
                           .options_size = sizeof(struct example),
                           .open = open_none,
                           .next = next_none,
                           .close = close_none,
                           .probe = probe_none};
  struct error error;
  assert_int_equal(connector_check(&good, &error), OK);
  struct connector bad = good;
  bad.probe = NULL;
  assert_int_equal(connector_check(&bad, &error), ERR_INTERNAL);
  assert_string_equal(error.message, "connector 'none' lacks open, next, close or probe");
  bad = good;
  bad.options = secret;
  assert_int_equal(connector_check(&bad, &error), ERR_INTERNAL);
  assert_string_equal(error.message, "connector 'none': option 'token' is a secret with a default");
  bad.options = outside;
  bad.options_size = 8;
  assert_int_equal(connector_check(&bad, &error), ERR_INTERNAL);
  assert_string_equal(error.message, "connector 'none': option 'a' lies outside its structure");
  bad.options = twice;
  assert_int_equal(connector_check(&bad, &error), ERR_INTERNAL);
  assert_string_equal(error.message, "connector 'none' has option 'a' twice");
}

static void test_the_program_s_table_is_sound(void **state) {
  (void)state;
  struct error error = {0};
  if (connector_check_table(&error) != OK) {
    fail_msg("%s", error.message);
  }
  size_t count;
  const struct connector *const *rows = connector_table(&count);
  for (size_t i = 0; i < count; i++) {
    assert_ptr_equal(connector_find(rows[i]->name), rows[i]);
  }
  assert_null(connector_find("telepathy"));
}

static void test_a_page_is_reset_between_reads(void **state) {
  (void)state;
  struct page page;
  page_init(&page, 1024);
  assert_int_equal(buffer_text(&page.bytes, "abc"), OK);
  page.ends = true;
  page.source_count = 7;
  page_reset(&page);
  assert_int_equal(page.bytes.len, 0);
  assert_false(page.ends);
  assert_int_equal(page.source_count, -1);
  page_free(&page);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_type_is_read),
      cmocka_unit_test(test_defaults_fill_what_is_absent),
      cmocka_unit_test(test_mistakes_have_place_and_hint),
      cmocka_unit_test(test_a_check_reads_no_secret),
      cmocka_unit_test(test_a_connector_with_a_fault_is_refused),
      cmocka_unit_test(test_the_program_s_table_is_sound),
      cmocka_unit_test(test_a_page_is_reset_between_reads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
