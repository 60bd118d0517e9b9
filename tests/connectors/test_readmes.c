/* What the connectors' READMEs show: options as `puente connectors NAME` prints them, and examples that parse. */
#include "connectors/connector.h"
#include "core/base/file.h"
#include "core/command/commands.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const documented[] = {"file", "rest", "soap", "sql", "static"};

/* What the command prints. The caller frees it. */
static char *printed_by(const char *name) {
  char program[] = "connectors", copy[32];
  char *arguments[] = {program, copy, NULL};
  char *folder = temp_make(), path[512];
  struct buffer out;
  struct error error;
  snprintf(copy, sizeof copy, "%s", name);
  snprintf(path, sizeof path, "%s/out", folder);
  fflush(stdout);
  int kept = dup(STDOUT_FILENO);
  FILE *file = fopen(path, "w");
  assert_true(kept >= 0 && file != NULL && dup2(fileno(file), STDOUT_FILENO) >= 0);
  int code = command_connectors.run(&(struct globals){0}, 2, arguments);
  fflush(stdout);
  dup2(kept, STDOUT_FILENO);
  close(kept);
  fclose(file);
  assert_int_equal(code, 0);
  buffer_init(&out, 1 << 20);
  assert_int_equal(file_read(path, 1 << 20, &out, &error), OK);
  temp_remove(folder);
  return out.data;
}

static void read_readme(const char *name, struct buffer *text) {
  char path[256];
  struct error error;
  snprintf(path, sizeof path, "connectors/%s/README.md", name);
  buffer_init(text, 1 << 20);
  assert_int_equal(file_read(path, 1 << 20, text, &error), OK);
}

static void show_the_options_that_the_command_prints(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof documented / sizeof documented[0]; i++) {
    struct buffer readme;
    read_readme(documented[i], &readme);
    char *printed = printed_by(documented[i]);
    const char *block = strstr(readme.data, "<!-- puente connectors ");
    assert_non_null(block);
    block = strstr(block, "```\n");
    assert_non_null(block);
    assert_memory_equal(block + 4, printed, strlen(printed));
    assert_memory_equal(block + 4 + strlen(printed), "```\n", 4);
    free(printed);
    buffer_free(&readme);
  }
}

static void check_example(const char *name, struct slice text) {
  const struct connector *connector = connector_find(name);
  struct arena *arena = arena_new(0);
  struct yaml *root = NULL;
  struct error error;
  void *options = calloc(1, connector->options_size);
  assert_int_equal(yaml_parse("README.md", text, arena, &root, &error), OK);
  if (options_check(connector->options, yaml_get(root, "options"), "/", arena, options, &error) != OK) {
    fail_msg("%s README: %s (%s)", name, error.message, error.place);
  }
  free(options);
  arena_free(arena);
}

static void show_examples_that_parse(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof documented / sizeof documented[0]; i++) {
    struct buffer readme;
    size_t examples = 0;
    read_readme(documented[i], &readme);
    for (const char *at = strstr(readme.data, "```yaml\n"); at != NULL; at = strstr(at, "```yaml\n")) {
      at += strlen("```yaml\n");
      const char *end = strstr(at, "```");
      assert_non_null(end);
      check_example(documented[i], slice_make(at, (size_t)(end - at)));
      at = end;
      examples++;
    }
    assert_true(examples > 0);
    buffer_free(&readme);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(show_the_options_that_the_command_prints),
      cmocka_unit_test(show_examples_that_parse),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
