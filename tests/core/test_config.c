#include "core/config.h"

#include "core/base/file.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

struct workspace_folder {
  char *folder;
  char path[256];
};

static void write_text(const char *folder, const char *name, const char *text) {
  char path[256];
  struct error error;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  assert_int_equal(file_write(path, slice_of(text), 0600, &error), OK);
}

static int make(void **state) {
  struct workspace_folder *workspace = calloc(1, sizeof *workspace);
  char sources[300];
  workspace->folder = temp_make();
  snprintf(workspace->path, sizeof workspace->path, "%s/puente.yaml", workspace->folder);
  snprintf(sources, sizeof sources, "%s/sources", workspace->folder);
  assert_int_equal(mkdir(sources, 0700), 0);
  *state = workspace;
  return 0;
}

static int clean(void **state) {
  struct workspace_folder *workspace = *state;
  temp_remove(workspace->folder);
  free(workspace);
  return 0;
}

#define SOURCE "source: reta\ninstitution: PE/MININTER\nunit: denuncia\nconnector: file\noptions: {path: in.csv}\n"

static void test_a_workspace_with_one_source(void **state) {
  const struct workspace_folder *workspace = *state;
  struct config *config = NULL;
  struct error error = {0};
  write_text(workspace->folder, "puente.yaml",
             "name: prueba\nlang: es\nstore: {sqlite: data/p.db}\npage_limit: 1MiB\n");
  write_text(workspace->folder, "sources/reta.yaml",
             SOURCE "title: RETA\ncontact: Mesa de ayuda\ndeletes: sweep\nmax_drop: 0.05\noverlap: 10m\n"
                    "cut: [Domicilio]\nlinked: false\nprecedence: 7\nduplicate_free: true\nstate: paused\n");
  if (config_load(workspace->path, &config, &error) != OK) {
    fail_msg("%s (%s; %s)", error.message, error.place, error.hint);
  }
  char expected[300];
  snprintf(expected, sizeof expected, "%s/data/p.db", config->folder);
  assert_string_equal(config->store_path, expected);
  assert_string_equal(config->name, "prueba");
  assert_string_equal(config->lang, "es");
  assert_int_equal(config->page_limit, 1 << 20);
  assert_int_equal(config->source_count, 1);
  const struct source_config *source = config_source(config, "reta");
  assert_non_null(source);
  assert_null(config_source(config, "sistra"));
  snprintf(expected, sizeof expected, "%s/mappings/reta.yaml", config->folder);
  assert_string_equal(source->mapping, expected);
  assert_string_equal(source->connector->name, "file");
  assert_int_equal(source->deletes, DELETES_SWEEP);
  assert_int_equal(source->state, SOURCE_PAUSED);
  assert_true(source->max_drop > 0.049 && source->max_drop < 0.051);
  assert_int_equal(source->overlap, INT64_C(600) * 1000000);
  assert_int_equal(source->cut_count, 1);
  assert_string_equal(source->cut[0], "Domicilio");
  assert_false(source->linked);
  assert_true(source->duplicate_free);
  assert_int_equal(source->precedence, 7);
  void *options = NULL;
  assert_int_equal(config_options(config, source, &options, &error), OK);
  assert_non_null(options);
  config_options_free(source, options);
  config_free(config);
}

static void test_defaults(void **state) {
  const struct workspace_folder *workspace = *state;
  struct config *config = NULL;
  struct error error = {0};
  char expected[300];
  write_text(workspace->folder, "puente.yaml", "");
  assert_int_equal(config_load(workspace->path, &config, &error), OK);
  snprintf(expected, sizeof expected, "%s/puente.db", config->folder);
  assert_string_equal(config->store_path, expected);
  assert_int_equal(config->store, STORE_SQLITE);
  assert_int_equal(config->page_limit, 64 << 20);
  assert_int_equal(config->source_count, 0);
  assert_null(config->lang);
  assert_null(config->codelist_folders[1]);
  snprintf(expected, sizeof expected, "%s/config/model", path_data());
  assert_string_equal(config->model_folder, expected);
  config_free(config);
}

static void test_postgres(void **state) {
  const struct workspace_folder *workspace = *state;
  struct config *config = NULL;
  struct error error = {0};
  write_text(workspace->folder, "puente.yaml",
             "store: {postgres: \"host=/run dbname=p\", password: env:PW, schema: trata}\n");
  assert_int_equal(config_load(workspace->path, &config, &error), OK);
  assert_int_equal(config->store, STORE_POSTGRES);
  assert_string_equal(config->store_dsn, "host=/run dbname=p");
  assert_string_equal(config->store_password, "env:PW");
  assert_string_equal(config->store_schema, "trata");
  config_free(config);
}

/* The commented examples are what a new workspace starts from: they have to be right as they stand, and what they say
 * is the default has to be it. */
static void test_the_commented_examples_are_right(void **state) {
  const struct workspace_folder *workspace = *state;
  struct config *config = NULL;
  struct error error = {0};
  struct buffer text;
  buffer_init(&text, 1 << 20);
  assert_int_equal(file_read("config/puente.yaml", 1 << 20, &text, &error), OK);
  write_text(workspace->folder, "puente.yaml", text.data);
  buffer_free(&text);
  assert_int_equal(file_read("config/sources/example.yaml", 1 << 20, &text, &error), OK);
  write_text(workspace->folder, "sources/example.yaml", text.data);
  buffer_free(&text);
  if (config_load(workspace->path, &config, &error) != OK) {
    fail_msg("%s (%s; %s)", error.message, error.place, error.hint);
  }
  assert_string_equal(config->sources[0].code, "example");
  assert_int_equal(config->sources[0].deletes, DELETES_NONE);
  config_free(config);
}

static const struct mistake {
  const char *config, *source, *place, *message, *hint;
} mistakes[] = {
    {"nam: x\n", SOURCE, "puente.yaml:1:1", "unknown key 'nam'", "did you mean 'name'?"},
    {"lang: qu\n", SOURCE, "puente.yaml:1:7", "lang: unknown value 'qu'", "one of: es, en"},
    {"store: {sqlite: a, postgres: b}\n", SOURCE, "puente.yaml:1:8", "store: sqlite and postgres are both named",
     "a workspace has one store: remove one of them"},
    {"store: {postgres: \"dbname=p password=x\"}\n", SOURCE, "puente.yaml:1:19",
     "postgres: a connection string of name=value pairs without a password is expected here",
     "write password: env:NAME, or password: file:PATH, on a line of its own"},
    {"store: {postgres: \"dbname=p password = 'x'\"}\n", SOURCE, "puente.yaml:1:19",
     "postgres: a connection string of name=value pairs without a password is expected here",
     "write password: env:NAME, or password: file:PATH, on a line of its own"},
    {"store: {postgres: \"dbname=p\", password: hunter2}\n", SOURCE, "puente.yaml:1:41",
     "password: a secret does not stand in a configuration file",
     "write env:NAME, or file:PATH with a file of mode 0600"},
    {"disclosure: {method: round, base: 4}\n", SOURCE, "puente.yaml:1:35", "base: '4' is neither 3 nor 5",
     "a figure is shown as a multiple of the base, less than the base away from the true one"},
    {"disclosure: {method: round}\n", SOURCE, "puente.yaml:1:22", "method: round needs a base",
     "disclosure: {method: round, base: 3}, or base: 5"},
    {"disclosure: {base: 3}\n", SOURCE, "puente.yaml:1:20", "base: only method: round has one",
     "disclosure: {method: round, base: 3}, or base: 5"},
    {"disclosure: {reports: all}\n", SOURCE, "puente.yaml:1:23", "reports: 'all' is neither ledger nor single",
     "ledger protects each report with those told before it; single by itself"},
    {"disclosure: {method: hide}\n", SOURCE, "puente.yaml:1:22", "method: 'hide' is neither suppress nor round",
     "suppress hides small figures; round, with base: 3 or 5, rounds all"},
    {"page_limit: 1KiB\n", SOURCE, "puente.yaml:1:13", "page_limit: the value is out of bounds",
     "from 65536 to 4294967296"},
    {"", "source: reta2\ninstitution: PE/X\nunit: x\nconnector: file\n", "sources/reta.yaml:1:9",
     "source 'reta2' stands in the file of 'reta'", "write source: reta, or rename the file"},
    {"", "source: RETA\n", "sources/reta.yaml:1:9", "'RETA' is no code of a source",
     "lower-case letters, digits and '_', at most 32"},
    {"", "source: reta\ninstitution: MININTER\nunit: x\nconnector: file\n", "sources/reta.yaml:2:14",
     "'MININTER' is no institution",
     "its country's two letters, a slash, its acronym: PE/MP; acronyms of countries collide"},
    {"", "source: reta\ninstitution: PE/X\nconnector: file\n", "sources/reta.yaml:1:1", "the source has no unit",
     "add unit: what one of its records counts, for example denuncia"},
    {"", "source: reta\ninstitution: PE/X\nunit: x\nconnector: fiel\n", "sources/reta.yaml:4:12",
     "there is no connector 'fiel'", "did you mean 'file'?"},
    {"", "source: reta\ninstitution: PE/X\nunit: x\nconnector: file\noptions: {paht: x}\n", "sources/reta.yaml:5:11",
     "unknown key 'paht'", "did you mean 'path'?"},
    {"", SOURCE "max_drop: 20\n", "sources/reta.yaml:6:11", "max_drop: a share from 0 to 1 is expected here", ""},
    {"", SOURCE "overlap: ten\n", "sources/reta.yaml:6:10", "overlap: a duration is expected here",
     "for example 30s, 10m, 2h, 7d"},
    {"", SOURCE "deletes: swep\n", "sources/reta.yaml:6:10", "deletes: unknown value 'swep'", "did you mean 'sweep'?"},
};

static void test_mistakes_have_place_and_hint(void **state) {
  const struct workspace_folder *workspace = *state;
  for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
    struct config *config = NULL;
    struct error error = {0};
    write_text(workspace->folder, "puente.yaml", mistakes[i].config);
    write_text(workspace->folder, "sources/reta.yaml", mistakes[i].source);
    assert_int_equal(config_load(workspace->path, &config, &error), ERR_CONFIG);
    assert_null(config);
    assert_string_equal(error.message, mistakes[i].message);
    assert_string_equal(error.hint, mistakes[i].hint);
    size_t len = strlen(error.place), tail = strlen(mistakes[i].place);
    assert_true(len > tail);
    assert_string_equal(error.place + len - tail, mistakes[i].place);
    assert_null(strstr(error.message, "hunter2"));
  }
}

static void test_no_configuration_says_how_to_make_one(void **state) {
  const struct workspace_folder *workspace = *state;
  struct config *config = NULL;
  struct error error = {0};
  assert_int_equal(config_load(workspace->path, &config, &error), ERR_CONFIG);
  assert_string_equal(error.message, "there is no configuration");
  assert_string_equal(error.place, workspace->path);
  assert_string_equal(error.hint, "`puente init FOLDER` makes one; --config FILE or PUENTE_CONFIG names another");
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, make, clean)

int main(void) {
  const struct CMUnitTest tests[] = {
      EACH(test_a_workspace_with_one_source),
      EACH(test_defaults),
      EACH(test_postgres),
      EACH(test_the_commented_examples_are_right),
      EACH(test_mistakes_have_place_and_hint),
      EACH(test_no_configuration_says_how_to_make_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
