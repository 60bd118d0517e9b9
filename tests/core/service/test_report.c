/* Reports over a store that was filled by sync and link, SQLite and PostgreSQL; the cases are text beside this file. */
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/resolve/resolve.h"
#include "core/service/report.h"
#include "tests/support/postgres.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#define CASES "tests/core/service/report"

static char *folder;
static struct workspace workspace;

static void stop(const struct error *error) {
  fail_msg("%s (%s; %s)", error->message, error->place, error->hint);
}

static void copy(const char *name) {
  struct buffer text;
  struct error error = {0};
  char from[256], to[512];
  snprintf(from, sizeof from, CASES "/%s", name);
  snprintf(to, sizeof to, "%s/%s", folder, name);
  buffer_init(&text, 1 << 20);
  if (file_read(from, 1 << 20, &text, &error) != OK || file_write(to, buffer_view(&text), 0600, &error) != OK) {
    stop(&error);
  }
  buffer_free(&text);
}

static void make_folder(const char *name) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  assert_int_equal(mkdir(path, 0700), 0);
}

static void sync_all(void) {
  struct error error = {0};
  const struct workbench bench = workspace_bench(&workspace);
  for (size_t i = 0; i < workspace.config->source_count; i++) {
    const struct sync_options options = {.actor = "test"};
    struct sync_result result;
    if (sync_source(&bench, &workspace.config->sources[i], workspace.source_ids[i], &options, &result, &error) != OK) {
      stop(&error);
    }
    assert_int_equal(result.counts.quarantined, 0);
  }
}

static void write_config(char path[512], bool postgres) {
  struct buffer text;
  struct error error = {0};
  buffer_init(&text, 4096);
  buffer_text(&text, "name: test\ndisclosure: {k: 1}\n"); /* five persons: nothing could be shown of them */
  if (postgres) {
    buffer_printf(&text, "store: {postgres: \"%s\"}\n", postgres_start());
  }
  snprintf(path, 512, "%s/puente.yaml", folder);
  assert_int_equal(file_write(path, buffer_view(&text), 0600, &error), OK);
  buffer_free(&text);
}

/* ---- what linking leaves undone ---- */

struct seeking {
  const char *source, *key;
  int64_t row_id;
};

static enum status seek(void *context, const struct row *row, struct error *error) {
  struct seeking *seeking = context;
  const struct source_config *source = config_source(workspace.config, seeking->source);
  (void)error;
  if (row->source_id == workspace.source_ids[source - workspace.config->sources] && slice_is(row->key, seeking->key)) {
    seeking->row_id = row->row_id;
  }
  return OK;
}

static int64_t row_of(const char *entity, const char *source, const char *key) {
  struct error error = {0};
  struct seeking seeking = {.source = source, .key = key};
  const struct row_filter filter = {.identity = false};
  if (store_visit_rows(workspace.store, model_entity(workspace.model, entity), &filter, seek, &seeking, &error) != OK) {
    stop(&error);
  }
  assert_int_not_equal(seeking.row_id, 0);
  return seeking.row_id;
}

struct giving {
  const struct link_pair_row *pairs;
  size_t left;
};

static bool give(void *context, struct link_pair_row *pair) {
  struct giving *giving = context;
  if (giving->left == 0) {
    return false;
  }
  *pair = *giving->pairs++;
  giving->left--;
  if (pair->row_a > pair->row_b) {
    int64_t row = pair->row_a;
    pair->row_a = pair->row_b;
    pair->row_b = row;
  }
  return true;
}

static void write_pairs(enum cluster_kind kind, const struct link_pair_row *pairs, size_t count, int64_t unlinkable) {
  struct error error = {0};
  struct giving giving = {pairs, count};
  if (store_begin(workspace.store, &error) != OK
      || store_replace_pairs(workspace.store, kind, 3, NULL, 0, give, &giving, &error) != OK
      || store_replace_unlinkable(workspace.store, kind, NULL, 0, &unlinkable, unlinkable == 0 ? 0 : 1, &error) != OK
      || store_commit(workspace.store, &error) != OK) {
    stop(&error);
  }
}

/* Ana is one by two pairs; Luz may be Ana, and Eva may be Luz; Juan and Leo were looked at and are two. Leo cannot be
 * linked. Denuncia D3 and carpeta C4 may be one case. */
static void leave_undone(void) {
  int64_t ana = row_of("person", "reta", "D1/1"), luz = row_of("person", "reta", "D1/2");
  int64_t eva = row_of("person", "sistra", "C4/1"), leo = row_of("person", "reta", "D3/1");
  const struct link_pair_row persons[] = {
      {ana, row_of("person", "sistra", "C1/1"), 14.5, "document", "documents agree", PAIR_JOINED, "rule", 0},
      {ana, row_of("person", "reta", "D2/1"), 13, "document", "documents agree", PAIR_JOINED, "rule", 0},
      {luz, ana, 3.25, "birth year and surname", NULL, PAIR_WAITING, "weight", 0},
      {eva, luz, 4.5, "birth year and surname", NULL, PAIR_WAITING, "weight", 0},
      {row_of("person", "reta", "D1/9"), leo, 1, "given name", NULL, PAIR_APART, "roles", 0}};
  const struct link_pair_row cases[] = {
      {row_of("case", "reta", "D3"), row_of("case", "sistra", "C4"), 5, "place", NULL, PAIR_WAITING, "weight", 0}};
  write_pairs(CLUSTER_PERSON, persons, 5, leo);
  write_pairs(CLUSTER_CASE, cases, 1, 0);
}

static int fill(bool postgres) {
  static const char *const folders[] = {"sources", "mappings", "incoming"};
  static const char *const files[] = {"sources/reta.yaml",  "sources/sistra.yaml",  "sources/inei.yaml",
                                      "mappings/reta.yaml", "mappings/sistra.yaml", "mappings/inei.yaml",
                                      "incoming/reta.json", "incoming/sistra.json", "incoming/inei.csv"};
  struct error error = {0};
  struct resolve_result result;
  char path[512];
  folder = temp_make();
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    make_folder(folders[i]);
  }
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    copy(files[i]);
  }
  snprintf(path, sizeof path, "%s/puente.key", folder);
  assert_int_equal(key_create(path, &error), OK);
  write_config(path, postgres);
  if (workspace_open(path, WORKSPACE_WRITE, &workspace, &error) != OK) {
    stop(&error);
  }
  sync_all();
  const struct resolve_options options = {.actor = "test"};
  if (resolve_run(workspace.store, workspace.config, workspace.model, &options, &result, &error) != OK) {
    stop(&error);
  }
  leave_undone();
  return 0;
}

static int fill_sqlite(void **state) {
  (void)state;
  return fill(false);
}

static int fill_postgres(void **state) {
  (void)state;
  return fill(true);
}

static int empty(void **state) {
  (void)state;
  workspace_close(&workspace);
  temp_remove(folder);
  return 0;
}

/* ---- cases ---- */

static bool with_doubt;

static void split(char *list, const char *items[], size_t most, size_t *count) {
  for (char *item; (item = strsep(&list, ",")) != NULL;) {
    assert_true(*count < most);
    items[(*count)++] = item;
  }
}

/* "crosstab by=year,sex where=year=2021 indicator=victims", in place. */
static struct report_request read_request(char *line) {
  struct report_request request = {.name = strsep(&line, " ")};
  for (char *part; (part = strsep(&line, " ")) != NULL;) {
    if (strncmp(part, "by=", 3) == 0) {
      split(part + 3, request.by, REPORT_FIELDS_MOST, &request.by_count);
    } else if (strncmp(part, "where=", 6) == 0) {
      char *value = part + 6, *field = strsep(&value, "=");
      request.filters[request.filter_count++] = (struct report_filter){.field = field, .value = value};
    } else if (strncmp(part, "indicator=", 10) == 0) {
      request.indicator = part + 10;
    } else if (strcmp(part, "doubt") == 0) {
      with_doubt = true;
    } else if (strncmp(part, "across=", 7) == 0) {
      request.across = part + 7;
    } else if (strncmp(part, "source=", 7) == 0) {
      request.source = part + 7;
    } else {
      fail_msg("no such part of a case: %s", part);
    }
  }
  return request;
}

/* With doubt: figure/records/least/unlinkable. */
static void print_extent(struct buffer *out, const struct extent *extent) {
  buffer_printf(out, "%lld/%lld/%lld/%lld", (long long)extent->figure, (long long)extent->records,
                (long long)extent->least, (long long)extent->unlinkable);
}

static void print_cell(struct buffer *out, const struct report_cell *cell, enum report_kind kind, enum bounds bounds) {
  if (with_doubt && bounds != BOUNDS_NONE) {
    print_extent(out, &cell->extent);
  } else if (cell->null) {
    buffer_text(out, "-");
  } else if (kind == REPORT_TEXT) {
    buffer_text(out, cell->text);
  } else if (kind == REPORT_COUNT) {
    buffer_printf(out, "%lld", (long long)cell->count);
  } else {
    buffer_printf(out, "%.2f", cell->share);
  }
}

static void print_report(struct buffer *out, const struct report *report) {
  for (size_t i = 0; i < report->count; i++) {
    size_t column = i % report->column_count;
    print_cell(out, &report->cells[i], report->columns[column].kind, report->columns[column].bounds);
    buffer_char(out, column + 1 == report->column_count ? '\n' : ' ');
  }
  if (report->has_total && with_doubt) {
    buffer_text(out, "total ");
    print_extent(out, &report->total);
    buffer_printf(out, " waiting %lld\n", (long long)report->total_waiting);
  } else if (report->has_total) {
    buffer_printf(out, "total %lld\n", (long long)report->total.figure);
  }
}

static bool run_case(const char *head, const char *expected) {
  struct buffer out;
  struct report report;
  struct error error = {0};
  char *line = strdup(head);
  with_doubt = false;
  const struct report_request request = read_request(line);
  buffer_init(&out, 1 << 20);
  buffer_text(&out, "");
  if (report_run(&workspace, &request, &report, &error) == OK) {
    print_report(&out, &report);
    report_free(&report);
  } else {
    buffer_printf(&out, "! %s (%s)\n", error.message, error.hint);
  }
  /* "…" on a line of its own: more may follow, as many as config/link has rules. */
  const char *more = strstr(expected, "…\n");
  bool same =
      more == NULL ? strcmp(out.data, expected) == 0 : strncmp(out.data, expected, (size_t)(more - expected)) == 0;
  if (!same) {
    print_error("--- %s\nexpected:\n%sfound:\n%s", head, expected, out.data);
  }
  buffer_free(&out);
  free(line);
  return same;
}

static void test_cases(void **state) {
  struct buffer text;
  struct error error = {0};
  int count = 0, wrong = 0;
  (void)state;
  buffer_init(&text, 1 << 20);
  assert_int_equal(file_read(CASES "/cases.txt", 1 << 20, &text, &error), OK);
  for (char *at = strstr(text.data, "\n--- "); at != NULL; count++) {
    char *head = at + 5, *body = strchr(head, '\n'), *next = strstr(body, "\n--- ");
    *body++ = '\0';
    if (next != NULL) {
      *next = '\0';
    }
    struct buffer expected;
    buffer_init(&expected, 1 << 16);
    buffer_printf(&expected, "%s%s", body, next == NULL ? "" : "\n");
    wrong += !run_case(head, expected.data);
    buffer_free(&expected);
    at = next == NULL ? NULL : next;
    if (at != NULL) {
      *at = '\n';
    }
  }
  assert_int_equal(wrong, 0);
  assert_true(count > 25);
  buffer_free(&text);
}

static bool notes_have(const struct report *report, const char *text) {
  for (size_t i = 0; i < report->note_count; i++) {
    if (strcmp(report->notes[i], text) == 0) {
      return true;
    }
  }
  return false;
}

/* An empty table says that it is one, and what could be asked for. */
static void test_says_what_there_is(void **state) {
  static const char *const names[] = {"crosstab", "stages"};
  static const char *const nobody[] = {"No person meets what --where asks for.",
                                       "No case meets what --where asks for."};
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    struct report report;
    struct error error = {0};
    struct report_request request = {.name = names[i],
                                     .filters = {{.field = "year", .value = "1999"}, {.field = "means", .value = ""}},
                                     .filter_count = 2};
    assert_int_equal(report_run(&workspace, &request, &report, &error), OK);
    assert_true(notes_have(&report, nobody[i]));
    assert_true(notes_have(&report, "  of year there are: 2021, 2022"));
    assert_true(notes_have(&report, "  of means nothing is recorded"));
    report_free(&report);
    request.filters[0].value = "2021";
    request.filter_count = 1;
    assert_int_equal(report_run(&workspace, &request, &report, &error), OK);
    assert_false(notes_have(&report, nobody[i]));
    report_free(&report);
  }
}

/* Labels for people beside codes for programs. */
static void test_labels_follow_the_language(void **state) {
  (void)state;
  struct error error = {0};
  for (int spanish = 0; spanish < 2; spanish++) {
    struct report report;
    const struct report_request request = {
        .name = "crosstab", .by = {"department", "sex"}, .by_count = 2, .spanish = spanish == 1};
    assert_int_equal(report_run(&workspace, &request, &report, &error), OK);
    assert_string_equal(report.title, spanish ? "Víctimas" : "Victims");
    assert_string_equal(report.columns[1].title, spanish ? "Sexo" : "Sex");
    assert_string_equal(report.cells[1].text, "female");
    assert_string_equal(report.cells[1].label, spanish ? "Mujer" : "Female");
    assert_string_equal(report.cells[0].label, "Callao");
    report_free(&report);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_says_what_there_is),
                                     cmocka_unit_test(test_labels_follow_the_language)};
  int failed = cmocka_run_group_tests_name("sqlite", tests, fill_sqlite, empty);
  return failed + cmocka_run_group_tests_name("postgres", tests, fill_postgres, empty);
}
