/* Reports whose fields cannot be compared, attacked together from outside: by sex and age band, by sex and purposes, by
 * age band and purposes. Single ones give hidden figures away; with the ledger of reports (core/service/cube_told.h)
 * they do not: neither what the library gives, nor what the program prints of both stores, two of it at once. The
 * attacker has a solver that the program does not use (GLPK), and knows everything of the persons who have several
 * places. */
#include "core/service/cube.h"
#include "tests/support/bounds.h"
#include "tests/support/peru.h"
#include "tests/support/postgres.h"
#include "tests/support/program.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
  K = 4,
  WIDTH = K - 1,
  FIELDS = 3,
  VALUES_MOST = 64,
  TABLES_MOST = 8,
  CELLS_MOST = 4096,
  ROWS_MOST = 20000,
  SQLITE_SECONDS = 3
};

static struct peru peru;
static struct workspace workspace;
static struct arena *arena;
static char *folder;

/* ---- persons ---- */

static const char *fields[FIELDS];
static const struct indicator *meant[FIELDS]; /* whose each is */
static char *values[FIELDS][VALUES_MOST];     /* "" is not recorded */
static uint32_t value_count[FIELDS];
static struct person_row { uint32_t unit, at[FIELDS]; } rows[ROWS_MOST];
static size_t row_count;

static uint32_t value_at(size_t field, struct slice text) {
  uint32_t at = 0;
  while (at < value_count[field] && !slice_is(text, values[field][at])) {
    at++;
  }
  if (at == value_count[field]) {
    assert_true(at < VALUES_MOST);
    values[field][value_count[field]++] = arena_text(arena, text.data == NULL ? slice_of("") : text);
  }
  return at;
}

static int by_unit(const void *a, const void *b) {
  const struct person_row *left = a, *right = b;
  return left->unit < right->unit ? -1 : left->unit > right->unit;
}

static void read_persons(void) {
  struct error error;
  struct cube_rows read;
  const struct cube_request request = {
      .workspace = &workspace, .indicator = meant[0], .by = fields, .by_count = FIELDS, .axes = meant};
  assert_int_equal(cube_rows_read(&request, &read, &error), OK);
  assert_true(read.count <= ROWS_MOST);
  memset(value_count, 0, sizeof value_count);
  for (row_count = 0; row_count < read.count; row_count++) {
    rows[row_count].unit = read.rows[row_count].unit;
    for (size_t f = 0; f < FIELDS; f++) {
      uint32_t value = read.rows[row_count].values[f];
      rows[row_count].at[f] = value_at(f, value == MAP_NONE ? slice_of("") : map_key(read.dictionary, value));
    }
  }
  cube_rows_free(&read);
  qsort(rows, row_count, sizeof *rows, by_unit);
}

/* ---- what is printed ---- */

struct table {
  unsigned by;         /* fields, by bit */
  bool quiet, listing; /* quiet: it lists what it shows; listing: anything at all */
  size_t size;
  struct {
    int64_t count, known; /* the truth; of it, persons with several places */
    enum { UNLISTED, HIDDEN, SHOWN } told;
  } cells[CELLS_MOST];
};
static struct table tables[TABLES_MOST];
static size_t table_count, shown;

static size_t cell_of(const struct table *table, const uint32_t *at) {
  size_t cell = 0;
  for (size_t f = 0; f < FIELDS; f++) {
    cell = (table->by >> f & 1) == 0 ? cell : cell * value_count[f] + at[f];
  }
  return cell;
}

static void count_table(struct table *table) {
  table->size = 1;
  for (size_t f = 0; f < FIELDS; f++) {
    table->size *= (table->by >> f & 1) == 0 ? 1 : value_count[f];
  }
  assert_true(table->size <= CELLS_MOST);
  for (size_t from = 0, to; from < row_count; from = to) {
    bool several = false;
    for (to = from; to < row_count && rows[to].unit == rows[from].unit; to++) {
      several = several || memcmp(rows[to].at, rows[from].at, sizeof rows[to].at) != 0;
    }
    for (size_t i = from; i < to; i++) {
      bool again = false;
      for (size_t before = from; before < i; before++) {
        again = again || cell_of(table, rows[before].at) == cell_of(table, rows[i].at);
      }
      table->cells[cell_of(table, rows[i].at)].count += !again;
      table->cells[cell_of(table, rows[i].at)].known += !again && several;
    }
  }
}

static struct table *new_table(unsigned chosen) {
  struct table *table = &tables[table_count++];
  assert_true(table_count <= TABLES_MOST);
  memset(table, 0, sizeof *table);
  table->by = chosen;
  count_table(table);
  return table;
}

/* `figure` of a shown cell. */
static void tell_cell(struct table *table, const uint32_t *at, bool hidden, int64_t figure) {
  size_t cell = cell_of(table, at);
  assert_true(hidden || figure == table->cells[cell].count);
  table->cells[cell].told = hidden ? HIDDEN : SHOWN;
  table->listing = true;
  shown += !hidden && figure > 0;
}

/* As a report prints it: cells, or the total. The first field says of which indicator. */
static void print_table(unsigned chosen) {
  struct table *table = new_table(chosen);
  struct error error;
  struct cube cube;
  const struct indicator *indicator = meant[0];
  const char *by[FIELDS];
  size_t field[FIELDS], count = 0;
  for (size_t f = 0; f < FIELDS; f++) {
    if ((chosen >> f & 1) != 0) {
      indicator = count == 0 ? meant[f] : indicator;
      field[count] = f;
      by[count++] = fields[f];
    }
  }
  const struct cube_request asked = {
      .workspace = &workspace, .indicator = indicator, .by = by, .by_count = count, .guard = true};
  assert_int_equal(cube_run(&asked, &cube, &error), OK);
  table->quiet = cube.withheld;
  for (size_t i = 0; i < (count == 0 ? 1 : cube.count); i++) {
    const struct extent *extent = count == 0 ? &cube.total : &cube.cells[i].extent;
    uint32_t at[FIELDS] = {0};
    for (size_t f = 0; f < count; f++) {
      uint32_t value = cube.cells[i].values[f];
      at[field[f]] = value_at(field[f], value == MAP_NONE ? slice_of("") : map_key(cube.dictionary, value));
    }
    tell_cell(table, at, extent->hidden, extent->figure);
  }
  cube_free(&cube);
}

/* ---- the attack ---- */

static glp_prob *write_down(void) {
  size_t places = (size_t)value_count[0] * value_count[1] * value_count[2];
  glp_prob *problem = glp_create_prob();
  int *index = calloc(places + 2, sizeof *index), row = 0;
  double *value = calloc(places + 2, sizeof *value);
  glp_add_cols(problem, (int)places);
  for (size_t p = 0; p < places; p++) {
    glp_set_col_bnds(problem, (int)p + 1, GLP_LO, 0, 0);
    value[p + 1] = 1;
  }
  for (size_t t = 0; t < table_count; t++) {
    glp_add_rows(problem, (int)tables[t].size);
    for (size_t cell = 0; cell < tables[t].size; cell++) {
      int used = 0;
      for (uint32_t p = 0; p < places; p++) {
        const uint32_t at[FIELDS] = {p / value_count[2] / value_count[1], p / value_count[2] % value_count[1],
                                     p % value_count[2]};
        if (cell_of(&tables[t], at) == cell) {
          index[++used] = (int)p + 1;
        }
      }
      glp_set_mat_row(problem, ++row, used, index, value);
      int64_t count = tables[t].cells[cell].count, known = tables[t].cells[cell].known;
      bool told = tables[t].cells[cell].told == SHOWN || (tables[t].cells[cell].told == UNLISTED && !tables[t].quiet);
      bool listed = tables[t].cells[cell].told == HIDDEN && known == 0;
      glp_set_row_bnds(problem, row, told ? GLP_FX : GLP_LO,
                       told     ? (double)(count - known)
                       : listed ? 1
                                : 0,
                       (double)(count - known));
    }
  }
  free(index);
  free(value);
  return problem;
}

/* Hidden figures that follow. Of a table that lists only what it shows less is asked: that it is not exactly known; of
 * one that tells nothing, nothing. */
static size_t attack(size_t *hidden) {
  glp_prob *problem = write_down();
  size_t found = 0;
  int row = 0;
  *hidden = 0;
  for (size_t t = 0; t < table_count; t++) {
    for (size_t cell = 0; cell < tables[t].size; cell++) {
      row++;
      bool open = tables[t].cells[cell].told == SHOWN || (tables[t].quiet && !tables[t].listing);
      if (tables[t].cells[cell].count == 0 || open) {
        continue;
      }
      double least = row_bound(problem, row, GLP_MIN), most = row_bound(problem, row, GLP_MAX);
      double known = (double)tables[t].cells[cell].known;
      found += tables[t].quiet ? most - least < 0.5 : most + known < K - 0.5 || most - least < WIDTH - 0.5;
      ++*hidden;
    }
  }
  glp_delete_prob(problem);
  return found;
}

/* ---- the chain ---- */

static const char SQLITE[] = "{sqlite: puente.db}";

static void open_workspace(const char *name, const char *store, const char *reports) {
  struct error error;
  char *path = NULL, settings[600];
  folder = peru_workspace(&peru, name, store);
  snprintf(settings, sizeof settings, "name: attacked\nstore: %s\ndisclosure: {k: %d, reports: %s}\n", store, K,
           reports);
  program_write(folder, "puente.yaml", settings);
  assert_int_equal(workspace_run(folder, "run --quiet", NULL), 0);
  assert_true(asprintf(&path, "%s/puente.yaml", folder) > 0);
  assert_int_equal(workspace_open(path, WORKSPACE_WRITE, &workspace, &error), OK);
  free(path);
}

static void close_workspace(void) {
  workspace_close(&workspace);
  free(folder);
}

static void load_indicator(const char *name, struct indicator *indicator) {
  struct error error;
  const char *const folders[2] = {workspace.config->indicator_folders[0], workspace.config->indicator_folders[1]};
  assert_int_equal(indicator_load(folders, name, arena, indicator, &error), OK);
}

/* Prints tables one after another, and attacks them together. */
static size_t chain(const char *const *by, const unsigned *tables_by, size_t count, const char *mode) {
  size_t hidden = 0;
  memcpy(fields, by, sizeof fields);
  table_count = shown = 0;
  read_persons();
  for (size_t i = 0; i < count; i++) {
    print_table(tables_by[i]);
  }
  size_t found = attack(&hidden);
  print_message("ledger ok: %s %s,%s,%s shown=%zu hidden=%zu found=%zu\n", mode, by[0], by[1], by[2], shown, hidden,
                found);
  assert_true(hidden > 3);
  return found;
}

static const char *const MODES[] = {"single", "ledger"};

static void reports_that_cannot_be_compared_hide_what_they_hide(void **unused) {
  static const char *const CHAINS[][FIELDS] = {
      {"sex", "age_band", "purposes"}, {"sex", "purpose_group", "region"}, {"sex", "age_band", "nationality"}};
  static const unsigned TABLES[] = {0, 1, 2, 4, 3, 5, 6}; /* by one field before those by two */
  size_t found[2] = {0}, told[2] = {0};
  struct indicator victims;
  (void)unused;
  for (size_t mode = 0; mode < 2; mode++) {
    open_workspace(MODES[mode], SQLITE, MODES[mode]);
    load_indicator("victims", &victims);
    meant[0] = meant[1] = meant[2] = &victims;
    for (size_t i = 0; i < sizeof CHAINS / sizeof *CHAINS; i++) {
      found[mode] += chain(CHAINS[i], TABLES, sizeof TABLES / sizeof *TABLES, MODES[mode]);
      told[mode] += shown;
    }
    close_workspace();
  }
  assert_true(found[0] > 0);
  assert_int_equal(found[1], 0);
  assert_true(told[1] * 3 > told[0] * 2);
}

/* Bands that do not nest meet in the age: the ledger shows less where both are asked for. */
static void indicators_of_other_bands_hide_what_they_hide(void **unused) {
  static const char *const BY[FIELDS] = {"age_band", "age_band", "sex"};
  static const unsigned TABLES[] = {0, 4, 1, 2, 5, 6};
  size_t found[2], told[2];
  struct indicator victims, banded;
  (void)unused;
  for (size_t mode = 0; mode < 2; mode++) {
    open_workspace(mode == 0 ? "bands_single" : "bands_ledger", SQLITE, MODES[mode]);
    load_indicator("victims", &victims);
    banded = victims;
    banded.band_count = 0;
    assert_true(indicator_band("0-14", &banded.bands[banded.band_count++]));
    assert_true(indicator_band("15-29", &banded.bands[banded.band_count++]));
    assert_true(indicator_band("30+", &banded.bands[banded.band_count++]));
    meant[0] = meant[2] = &victims;
    meant[1] = &banded;
    found[mode] = chain(BY, TABLES, sizeof TABLES / sizeof *TABLES, MODES[mode]);
    told[mode] = shown;
    close_workspace();
  }
  assert_int_equal(found[1], 0);
  assert_true(told[1] < told[0] && told[1] * 2 > told[0]);
}

/* ---- what the program prints ---- */

/* Starts a report in a process of its own; what it says goes to files of the workspace. */
static pid_t ask(unsigned chosen) {
  char by[200] = "";
  for (size_t f = 0; f < FIELDS; f++) {
    if ((chosen >> f & 1) != 0) {
      snprintf(by + strlen(by), sizeof by - strlen(by), "%s%s", by[0] == '\0' ? "" : ",", fields[f]);
    }
  }
  return shell_start(0,
                     "LANGUAGE=en PUENTE_ACTOR=tester exec %s/puente --config %s/puente.yaml report crosstab --by %s "
                     "--csv --metadata %s/%u.json >%s/%u.csv 2>%s/%u.err",
                     build_folder(), folder, by, folder, chosen, folder, chosen, folder, chosen);
}

static char *said_of(unsigned chosen, const char *ending) {
  char name[32];
  snprintf(name, sizeof name, "%u.%s", chosen, ending);
  return program_read(folder, name);
}

/* A line of the table: its values, its figure (nothing: hidden). */
static void read_line(struct table *table, char *line) {
  uint32_t at[FIELDS] = {0};
  for (size_t f = 0; f < FIELDS; f++) {
    if ((table->by >> f & 1) != 0) {
      at[f] = value_at(f, slice_of(strsep(&line, ",")));
    }
  }
  const char *figure = strsep(&line, ",");
  tell_cell(table, at, figure[0] == '\0', atoll(figure));
}

static void read_table(unsigned chosen, char *text) {
  struct table *table = new_table(chosen);
  char *metadata = said_of(chosen, "json");
  table->quiet = strstr(metadata, "What is not listed counts nobody, or is hidden") != NULL;
  free(metadata);
  strsep(&text, "\n"); /* titles */
  for (char *line; (line = strsep(&text, "\n")) != NULL && line[0] != '\0';) {
    read_line(table, line);
  }
}

/* Waits for its end; false: it was refused, and printed nothing. */
static bool answered(unsigned chosen, pid_t process) {
  int status = 0;
  assert_int_equal(waitpid(process, &status, 0), process);
  char *text = said_of(chosen, "csv"), *error = said_of(chosen, "err");
  bool printed = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (printed) {
    read_table(chosen, text);
  } else {
    assert_string_equal(text, "");
    assert_non_null(strstr(error, "another report or release came in between"));
    assert_non_null(strstr(error, "ask again: each is protected with those before it"));
  }
  free(text);
  free(error);
  return printed;
}

/* The total stands below a table for people. */
static void ask_total(void) {
  char *said = NULL, line[64];
  snprintf(line, sizeof line, "report crosstab --by %s", fields[0]);
  assert_int_equal(workspace_run(folder, line, &said), 0);
  const char *total = strstr(said, "Total: ");
  assert_non_null(total);
  tell_cell(new_table(0), (uint32_t[FIELDS]){0}, false, atoll(total + strlen("Total: ")));
  free(said);
}

/* Two reports at once, while nobody can write: both have read what was told before, when the first writes. The one
 * that was refused; 0: none was. */
static unsigned ask_both(const unsigned *chosen, bool server) {
  pid_t processes[2];
  PGconn *postgres = server ? PQconnectdb(postgres_admin()) : NULL;
  sqlite3 *sqlite = NULL;
  char path[600];
  unsigned refused = 0;
  snprintf(path, sizeof path, "%s/puente.db", folder);
  if (server) {
    PQclear(PQexec(postgres, "BEGIN; LOCK TABLE told_reports.counter IN EXCLUSIVE MODE"));
  } else {
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_exec(sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
  }
  for (size_t i = 0; i < 2; i++) {
    processes[i] = ask(chosen[i]);
  }
  for (int waiting = 0, tries = 0; server && waiting < 2; tries++) {
    PGresult *result = PQexec(postgres, "SELECT count(*) FROM pg_locks WHERE NOT granted");
    assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    waiting = (int)strtol(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    assert_true(tries < 6000);
    usleep(20000);
  }
  if (!server) {
    sleep(SQLITE_SECONDS); /* that one waits for a file is not to be seen */
  }
  PQfinish(postgres);
  sqlite3_close(sqlite);
  for (size_t i = 0; i < 2; i++) {
    if (!answered(chosen[i], processes[i])) {
      assert_int_equal(refused, 0);
      refused = chosen[i];
    }
  }
  return refused;
}

/* Two fields at a time, of three: the last two tables are asked for at once. */
static void what_is_printed_hides_what_it_hides(const char *name, const char *store, bool server) {
  static const char *const BY[FIELDS] = {"sex", "age_band", "purposes"};
  static const unsigned ONE_BY_ONE[] = {1, 2, 4, 3}, AT_ONCE[] = {5, 6};
  struct indicator victims;
  size_t hidden = 0;
  open_workspace(name, store, "ledger");
  load_indicator("victims", &victims);
  meant[0] = meant[1] = meant[2] = &victims;
  memcpy(fields, BY, sizeof fields);
  table_count = shown = 0;
  read_persons();
  workspace_close(&workspace);
  ask_total();
  for (size_t i = 0; i < sizeof ONE_BY_ONE / sizeof *ONE_BY_ONE; i++) {
    assert_true(answered(ONE_BY_ONE[i], ask(ONE_BY_ONE[i])));
  }
  unsigned refused = ask_both(AT_ONCE, server);
  size_t found = attack(&hidden), first = shown;
  assert_true(refused != 0 || !server);
  if (refused != 0) {
    assert_int_equal(found, 0);
    assert_true(answered(refused, ask(refused)));
    found = attack(&hidden);
  }
  print_message("printed ok: %s at_once=2 refused=%d shown=%zu,%zu hidden=%zu found=%zu\n", name, refused != 0, first,
                shown, hidden, found);
  assert_int_equal(found, 0);
  assert_true(hidden > 3);
  assert_int_equal(workspace_run(folder, "audit verify", NULL), 0);
  free(folder);
}

static void what_a_file_tells_hides_what_it_hides(void **unused) {
  (void)unused;
  what_is_printed_hides_what_it_hides("printed", SQLITE, false);
}

static void what_a_server_tells_hides_what_it_hides(void **unused) {
  char store[512];
  (void)unused;
  snprintf(store, sizeof store, "{postgres: \"%s\", schema: told_reports}", postgres_start());
  what_is_printed_hides_what_it_hides("served", store, true);
}

/* ---- what is written down ---- */

static void a_report_asked_again_is_the_same(void **unused) {
  static const char *const ASKED[] = {"crosstab --by sex,age_band",
                                      "crosstab --by age_band,purposes --csv",
                                      "crosstab --rows sex --columns purposes",
                                      "stages --json",
                                      "discrepancy --csv",
                                      "crosstab --by month --where year=2022"};
  enum { ASKED_COUNT = sizeof ASKED / sizeof *ASKED };
  char *said[ASKED_COUNT] = {NULL}, line[200];
  (void)unused;
  open_workspace("again", SQLITE, "ledger");
  workspace_close(&workspace);
  for (size_t i = 0; i < ASKED_COUNT; i++) {
    snprintf(line, sizeof line, "report %s", ASKED[i]);
    assert_int_equal(workspace_run(folder, line, &said[i]), 0);
  }
  shell("sqlite3 %s/puente.db 'SELECT count(*) FROM told' >%s/rows", folder, folder);
  int64_t entries = workspace_number(folder, "SELECT count(*) FROM audit WHERE event = 'told'");
  assert_true(entries > 3);
  for (size_t i = 0; i < ASKED_COUNT; i++) {
    char *again = NULL;
    snprintf(line, sizeof line, "report %s", ASKED[i]);
    assert_int_equal(workspace_run(folder, line, &again), 0);
    assert_string_equal(again, said[i]);
    free(again);
    free(said[i]);
  }
  assert_int_equal(workspace_number(folder, "SELECT count(*) FROM audit WHERE event = 'told'"), entries);
  shell("sqlite3 %s/puente.db 'SELECT count(*) FROM told' | cmp - %s/rows", folder, folder);
  assert_int_equal(workspace_run(folder, "audit verify", NULL), 0);
  free(folder);
}

static int set_up(void **unused) {
  (void)unused;
  arena = arena_new(0);
  peru_start(&peru, 250, 5, NULL);
  return 0;
}

static int tear_down(void **unused) {
  (void)unused;
  arena_free(arena);
  peru_stop(&peru);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(reports_that_cannot_be_compared_hide_what_they_hide),
                                     cmocka_unit_test(indicators_of_other_bands_hide_what_they_hide),
                                     cmocka_unit_test(what_a_file_tells_hides_what_it_hides),
                                     cmocka_unit_test(what_a_server_tells_hides_what_it_hides),
                                     cmocka_unit_test(a_report_asked_again_is_the_same)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
