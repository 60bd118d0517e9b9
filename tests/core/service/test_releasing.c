/* Releases as a user makes them, over the simulated registries on both stores. */
#include "core/store/store.h"
#include "tests/support/postgres.h"
#include "tests/support/program.h"
#include "tests/support/publishing.h"

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

static struct peru peru;
static char *workspaces[STORE_POSTGRES + 1];

static const struct publishing RELEASES[] = {
    {"yearly", "release: yearly\ntables:\n"
               "  sex: {indicator: victims, by: [year, sex]}\n"
               "  confirmed: {indicator: victims, by: [year], where: {sex: female}}\n"},
    {"wide", "release: wide\ntables:\n  wide: {indicator: victims, by: [year, department, purposes, sex]}\n"},
    {"coarse", "release: coarse\ntables:\n  region: {indicator: victims, by: [period, region]}\n"
               "  group: {indicator: victims, by: [year, purpose_group], where: {region: sur}}\n"
               "  fine: {indicator: victims, by: [year, department, purposes]}\n"},
    {.name = NULL}};

static char *make(const char *name, const char *store) {
  return publishing_workspace(&peru, name, store, "codelists: codelists\ndisclosure: {k: 4}\n", RELEASES);
}

static int set_up(void **state) {
  char store[512];
  (void)state;
  snprintf(store, sizeof store, "{postgres: \"%s\", schema: yearly}", postgres_start());
  peru_start(&peru, 60, 7, NULL);
  workspaces[STORE_SQLITE] = make("lite", "{sqlite: puente.db}");
  workspaces[STORE_POSTGRES] = make("post", store);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  free(workspaces[STORE_SQLITE]);
  free(workspaces[STORE_POSTGRES]);
  peru_stop(&peru);
  return 0;
}

/* ---- the same bytes ---- */

static void create(const char *folder) {
  publishing_says(folder, 0, "release create yearly --purpose test", "of yearly is published");
}

static void check_twice(const char *folder) {
  create(folder);
  create(folder);
  char *digests = workspace_rows(folder, "SELECT count(DISTINCT digest), count(*) FROM released_tables "
                                         "WHERE name IN ('sex', 'confirmed', 'coverage', 'dictionary')");
  assert_string_equal(digests, "4|8\n");
  free(digests);
  publishing_says(folder, 0, "release verify 1", "release ok: number=1 made_again=");
  publishing_says(folder, 0, "release verify yearly", "release ok: number=2 made_again=");
  publishing_says(folder, 0, "release show yearly restatements --csv", "table,cell,earlier,now,cause\n");
  assert_int_equal(workspace_number(folder, "SELECT count(*) FROM audit WHERE event = 'release'"), 2);
}

static void twice_gives_the_same_bytes(void **state) {
  (void)state;
  check_twice(workspaces[STORE_SQLITE]);
  check_twice(workspaces[STORE_POSTGRES]);
  /* and so do both stores */
  char *lite = workspace_rows(workspaces[STORE_SQLITE], "SELECT name, digest FROM released_tables ORDER BY 1, 2");
  char *post = workspace_rows(workspaces[STORE_POSTGRES], "SELECT name, digest FROM released_tables ORDER BY 1, 2");
  assert_string_equal(lite, post);
  free(lite);
  free(post);
}

/* ---- what a reader has to know: below a table, and in the dictionary that leaves the house with it ---- */

static void a_table_says_how_to_read_it(void **state) {
  static const char *const en[] = {
      "\nHidden: figures below k = 4, and others for their sake; what is hidden counts some, "
      "never none, and may be more than 4\n",
      "\nCells: one unit may lie in several cells, for example a person in two cases or of "
      "two purposes: cells overlap and need not add up to their total\n"};
  static const char *const es[] = {
      "\nOcultas: las cifras menores de k = 4, y otras para protegerlas; lo oculto cuenta a "
      "alguien, nunca a nadie, y puede ser más de 4\n",
      "\nCeldas: una unidad puede estar en varias celdas, por ejemplo una persona en dos "
      "casos o con dos finalidades: las celdas se solapan y pueden no sumar su total\n"};
  const char *folder = workspaces[STORE_SQLITE];
  (void)state;
  for (int i = 0; i < 2; i++) {
    publishing_says(folder, 0, "release show yearly sex", en[i]);
    publishing_says(folder, 0, "--lang es release show yearly sex", es[i]);
  }
  publishing_says(folder, 0, "release show yearly dictionary --csv", "\n,smallest_figure,4,\"figures below k = 4, ");
  publishing_says(folder, 0, "release show yearly dictionary --csv",
                  "\n,overlap,,\"one unit may lie in several cells, ");
  publishing_says(folder, 0, "release show yearly dictionary --csv", "\n,status,hidden,\"some, never none: ");
}

/* The text coverage by names, its bytes by codes. */
static void codes_of_coverage_have_labels(void **state) {
  const char *folder = workspaces[STORE_SQLITE];
  int code = 0;
  (void)state;
  char *named = publishing_say(folder, &code, "release show yearly coverage --where department=cusco");
  assert_non_null(strstr(named, "Cusco"));
  assert_null(strstr(named, "  08  "));
  assert_non_null(strstr(named, "few records, at least one"));
  free(named);
  char *plain = publishing_say(folder, &code, "release show yearly coverage --csv");
  assert_non_null(strstr(plain, ",08,"));
  assert_null(strstr(plain, "Cusco"));
  free(plain);
  publishing_says(folder, 0, "--lang es release show yearly coverage", "todas las fuentes juntas");
  publishing_says(folder, 0, "release show yearly dictionary --csv", "\ncoverage,department,08,Cusco,Cusco\n");
  char *title = workspace_rows(folder, "SELECT max(title) FROM sources WHERE code = 'reta'");
  title[strlen("RETA, registro")] = '\0'; /* the column is narrow */
  publishing_says(folder, 0, "release show yearly coverage --where department=cusco", title);
  free(title);
}

/* ---- what an export holds ---- */

static void check_export(const char *folder) {
  int code = 0;
  char *path = NULL, *said;
  if (asprintf(&path, "release export yearly %s/out", folder) < 0) {
    abort();
  }
  publishing_says(folder, 0, path, "files of release 2 are in");
  said = program_read(folder, "out/sex.csv");
  char *shown = publishing_say(folder, &code, "release show yearly sex --csv");
  assert_string_equal(said, shown);
  free(said);
  free(shown);
  said = shell_output(&code,
                      "cd %s/out && python3 -c 'import json, hashlib\nr = json.load(open(\"release.json\"))\n"
                      "for t in r[\"files\"]: assert hashlib.sha256(open(t[\"file\"], \"rb\").read())"
                      ".hexdigest() == t[\"sha256\"]\nprint(len(r[\"files\"]))' 2>&1",
                      folder);
  assert_string_equal(said, "6\n");
  free(said);
  publishing_says(folder, 0, "--json release list", "\"release\": \"yearly\"");
  publishing_says(folder, 0, "--json release show yearly sex --where year=total,sex=total", "\"status\": \"shown\"");
  publishing_says(folder, 0, "--json release verify yearly", "\"findings\":0");
  publishing_says(folder, 2, "release show yearly sxe", "did you mean 'sex'?");
  publishing_says(folder, 2, "release create yearli --purpose x", "did you mean 'yearly'?");
  publishing_says(folder, 2, "release create yearly", "the purpose is missing");
  free(path);
}

static void exports_read(void **state) {
  (void)state;
  check_export(workspaces[STORE_SQLITE]);
  check_export(workspaces[STORE_POSTGRES]);
}

/* ---- the analyst ---- */

static void refuses(const char *folder, const char *arguments) {
  int code = 0;
  char *said = publishing_say(folder, &code, arguments);
  bool told = strstr(said, "your role may not do this") != NULL
              || strstr(said, "your role does not see what this needs") != NULL;
  if (code == 0 || !told) {
    fail_msg("%s: %d: %s", arguments, code, said);
  }
  free(said);
}

static void an_analyst_reads_releases_alone(void **state) {
  static const char *const others[] = {"persons", "person_records", "raw_record", "records", "audit", "pairs", "runs"};
  int code = 0;
  char line[256], *said, *folder = NULL, *service = workspaces[STORE_POSTGRES];
  (void)state;
  publishing_says(service, 0, "access setup", "");
  postgres_run("CREATE ROLE a_reader LOGIN");
  publishing_says(service, 0, "access grant a_reader analyst", "");
  if (asprintf(&folder, "%s/reader", peru.folder) < 0) {
    abort();
  }
  shell("cp -r %s %s && sed -i 's/user=puente/user=a_reader/' %s/puente.yaml && rm -f %s/puente.key", service, folder,
        folder, folder);
  publishing_says(folder, 0, "release list", "yearly");
  publishing_says(folder, 0, "release show yearly sex", "total");
  publishing_says(folder, 0, "release show yearly coverage --csv", "sistra");
  shell("cp %s/puente.key %s", service, folder);
  refuses(folder, "release create yearly --purpose x");
  refuses(folder, "release verify yearly");
  refuses(folder, "report crosstab --by year");
  /* Whatever it asks the database for: what it may select is the release views and what names sources. */
  snprintf(line, sizeof line, "%s", postgres_start());
  char *at = strstr(line, "user=puente");
  assert_non_null(at);
  said = shell_output(&code,
                      "psql -At \"$(echo '%s' | sed 's/user=puente/user=a_reader/')\" -c \"SELECT "
                      "string_agg(DISTINCT c.relname, ' ' ORDER BY c.relname) FROM pg_class c JOIN pg_namespace n "
                      "ON n.oid = c.relnamespace WHERE c.relkind IN ('r','v','m','f','p') AND n.nspname NOT IN "
                      "('pg_catalog','information_schema') AND has_schema_privilege(n.oid, 'USAGE') AND "
                      "(has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'))\"",
                      line);
  assert_string_equal(
      said, "counter data_key meta release release_cell release_table released_cells released_tables sources\n");
  free(said);
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    said = shell_output(&code,
                        "psql -At \"$(echo '%s' | sed 's/user=puente/user=a_reader/')\" -c 'SELECT * FROM "
                        "yearly.%s' 2>&1",
                        line, others[i]);
    assert_int_not_equal(code, 0);
    assert_non_null(strstr(said, "permission denied"));
    free(said);
  }
  free(folder);
}

/* ---- a kill ---- */

static void check_kill(const char *folder) {
  int64_t before = workspace_number(folder, "SELECT count(*) FROM released_cells");
  int64_t entries = workspace_number(folder, "SELECT count(*) FROM audit WHERE event = 'release'");
  for (int64_t delay = 20; delay <= 260; delay += 60) {
    pid_t pid = workspace_start(folder, "release create yearly --purpose killed");
    nanosleep(&(struct timespec){.tv_nsec = delay * 1000000}, NULL);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    int64_t cells = workspace_number(folder, "SELECT count(*) FROM released_cells");
    int64_t now = workspace_number(folder, "SELECT count(*) FROM audit WHERE event = 'release'");
    if (cells == before) {
      assert_int_equal(now, entries);
    } else { /* it was faster: then all of it is there */
      publishing_says(folder, 0, "release verify yearly", "release ok:");
      assert_int_equal(now, entries + 1);
    }
    before = cells;
    entries = now;
  }
  publishing_says(folder, 0, "audit verify", "audit ok: entries=");
  create(folder);
}

/* It says so, ends at once, and the next one is made as if it had not begun. */
static int check_stop(const char *folder, int number) {
  int64_t before = workspace_number(folder, "SELECT count(*) FROM released_tables");
  int64_t entries = workspace_number(folder, "SELECT count(*) FROM audit WHERE event = 'release'");
  int code = 0, stopped = 0;
  for (int64_t delay = 20; delay <= 500; delay += 60) {
    char *said = shell_output(&code,
                              "(LANGUAGE=en PUENTE_ACTOR=rosa exec %s/puente --config %s/puente.yaml release create "
                              "yearly --purpose stopped) 2>&1 & sleep 0.%03d; kill -%d $!; wait $!",
                              build_folder(), folder, (int)delay, number);
    int64_t now = workspace_number(folder, "SELECT count(*) FROM released_tables");
    bool told = strstr(said, "release yearly was stopped: nothing is published") != NULL;
    stopped += told;
    if (code == 0) { /* it was faster */
      before = now;
      entries++;
    }
    assert_int_equal(now, before);
    assert_int_equal(workspace_number(folder, "SELECT count(*) FROM audit WHERE event = 'release'"), entries);
    assert_false(told && code == 0);
    free(said);
  }
  print_message("signal %d: stopped=%d of 9\n", number, stopped);
  publishing_says(folder, 0, "audit verify", "audit ok: entries=");
  return stopped;
}

static void a_stop_publishes_nothing(void **state) {
  (void)state;
  int stopped = check_stop(workspaces[STORE_SQLITE], SIGTERM) + check_stop(workspaces[STORE_POSTGRES], SIGINT);
  assert_true(stopped > 0);
}

static void a_kill_leaves_nothing(void **state) {
  (void)state;
  check_kill(workspaces[STORE_SQLITE]);
  check_kill(workspaces[STORE_POSTGRES]);
}

/* ---- restatements ---- */

static void restated(const char *folder, const char *cause) {
  int code = 0;
  publishing_says(folder, 0, "release create wide --purpose test", "of wide is published");
  char *said = publishing_say(folder, &code, "release show wide restatements --csv");
  if (code != 0 || strstr(said, cause) == NULL) {
    fail_msg("no '%s' in: %s", cause, said);
  }
  free(said);
  publishing_says(folder, 0, "release verify wide", "release ok:");
}

/* The best pair that the linking joined is parted. */
static void part_two(const char *folder) {
  char *pair = workspace_rows(folder, "SELECT row_a, row_b FROM pairs WHERE kind = 'person' AND outcome = 'joined' "
                                      "ORDER BY weight DESC, row_a, row_b");
  char line[160];
  int64_t a = 0, b = 0;
  if (sscanf(pair, "%" SCNd64 "|%" SCNd64, &a, &b) != 2) {
    fail_msg("no pair: %s", pair);
  }
  free(pair);
  snprintf(line, sizeof line, "review reject %lld-%lld --reason test", (long long)a, (long long)b);
  publishing_says(folder, 0, line, "");
  publishing_says(folder, 0, "link --quiet", "");
}

static void check_restatements(const char *folder) {
  publishing_says(folder, 0, "run --quiet", "");
  restated(folder, "new_records:");
  part_two(folder);
  restated(folder, "linking");
}

static void causes_are_told(void **state) {
  (void)state;
  for (int kind = STORE_SQLITE; kind <= STORE_POSTGRES; kind++) {
    shell("sed -i 's/k: 4/k: 1/' %s/puente.yaml", workspaces[kind]);
    publishing_says(workspaces[kind], 0, "release create wide --purpose test", "of wide is published");
  }
  peru_advance(&peru);
  peru_advance(&peru);
  check_restatements(workspaces[STORE_SQLITE]);
  check_restatements(workspaces[STORE_POSTGRES]);
}

/* ---- the width of what stays possible ---- */

/* Figures hidden of a release of one table. */
static int64_t hidden_with(const char *folder, const char *disclosure) {
  char line[160];
  shell("sed -i 's/^disclosure: .*/disclosure: {%s}/' %s/puente.yaml", disclosure, folder);
  publishing_says(folder, 0, "release create wide --purpose test", "of wide is published");
  publishing_says(folder, 0, "release verify wide", "release ok:");
  snprintf(line, sizeof line, "SELECT count(*) FROM released_cells WHERE release_id = %d AND status = 'hidden'",
           (int)workspace_number(folder, "SELECT max(release_id) FROM released_tables"));
  return workspace_number(folder, line);
}

/* In a copy, so that no earlier release binds it. */
static void a_width_hides_more(void **state) {
  char *copies[2] = {NULL, NULL};
  int64_t hidden[2];
  (void)state;
  for (int i = 0; i < 2; i++) {
    if (asprintf(&copies[i], "%s/width%d", peru.folder, i) < 0) {
      abort();
    }
    shell("cp -r %s %s", workspaces[STORE_SQLITE], copies[i]);
    shell("sqlite3 %s/puente.db 'DELETE FROM release_cell; DELETE FROM release_table; DELETE FROM release'", copies[i]);
    hidden[i] = hidden_with(copies[i], i == 0 ? "k: 3" : "k: 3, width: 12");
    shell("rm -r %s", copies[i]);
    free(copies[i]);
  }
  print_message("width: hidden=%d of k-1, hidden=%d of 12\n", (int)hidden[0], (int)hidden[1]);
  assert_true(hidden[0] > 0 && hidden[1] > hidden[0]);
}

/* ---- whom a published figure counted ---- */

/* Each cell of a release, after later runs, counts whom it counted then. */
static void check_explained(const char *folder) {
  char line[256], values[4][40], *end = NULL;
  int number, cells = 0, code = 0;
  int64_t first = workspace_number(folder, "SELECT min(release_id) FROM released_tables WHERE name = 'wide'");
  snprintf(line, sizeof line,
           "SELECT figure, value_1, value_2, value_3, value_4 FROM released_cells WHERE release_id = %d AND name = "
           "'wide' AND status = 'shown' AND value_3 = 'total' ORDER BY ordinal LIMIT 60",
           (int)first);
  char *rows = workspace_rows(folder, line);
  for (char *row = strtok_r(rows, "\n", &end); row != NULL; row = strtok_r(NULL, "\n", &end), cells++) {
    char again[80];
    assert_int_equal(
        sscanf(row, "%d|%39[^|]|%39[^|]|%39[^|]|%39[^|]", &number, values[0], values[1], values[2], values[3]), 5);
    snprintf(line, sizeof line, "explain figure --release %d wide --by year=%s,department=%s,sex=%s", (int)first,
             values[0], values[1], values[3]);
    snprintf(again, sizeof again, "\npublished: %d; counted again as of run ", number);
    char *said = publishing_say(folder, &code, line);
    const char *found = strstr(said, again);
    snprintf(again, sizeof again, ": %d\n%d persons of ", number, number);
    if (code != 0 || found == NULL || strstr(found, again) == NULL || strstr(said, "plan \n") != NULL
        || strstr(said, ", by , ") != NULL) {
      fail_msg("%s: %d: wanted %d:\n%s", line, code, number, said);
    }
    free(said);
  }
  free(rows);
  print_message("explained: cells=%d\n", cells);
  assert_true(cells > 30);
}

static void a_published_figure_is_explained(void **state) {
  (void)state;
  check_explained(workspaces[STORE_SQLITE]);
  check_explained(workspaces[STORE_POSTGRES]);
}

/* The same words for a figure that is small and for one that is hidden for another's sake; and what is not there. */
static void what_is_not_shown_is_refused(void **state) {
  static const char hidden[] = "error: the figure is hidden in its table: who is behind it is a sight of exact data\n"
                               "  hint: --exact --purpose \"why you have to see it\": the log records it\n";
  const char *folder = workspaces[STORE_SQLITE];
  char line[256], value[64], sex[64], *end = NULL;
  int count = 0;
  (void)state;
  char *rows = workspace_rows(folder, "SELECT value_1, value_2 FROM released_cells WHERE release_id = 1 AND name = "
                                      "'sex' AND status = 'hidden' ORDER BY ordinal LIMIT 12");
  for (char *row = strtok_r(rows, "\n", &end); row != NULL; row = strtok_r(NULL, "\n", &end), count++) {
    assert_int_equal(sscanf(row, "%63[^|]|%63[^|]", value, sex), 2);
    snprintf(line, sizeof line, "explain figure --release 1 sex --by year=%s,sex=%s", value, sex);
    int code = 0;
    char *said = publishing_say(folder, &code, line);
    assert_string_equal(said, hidden);
    assert_int_not_equal(code, 0);
    free(said);
  }
  free(rows);
  assert_true(count > 1);
  snprintf(line, sizeof line, "explain figure --release 1 sex --by year=%s,sex=%s --exact", value, sex);
  publishing_says(folder, 2, line,
                  "error: a purpose is needed to see what a table does not show\n"
                  "  hint: --exact --purpose \"why you have to see it\": the log records it\n");
  snprintf(line, sizeof line, "explain figure --release 1 sex --by year=%s,sex=%s --exact --purpose review", value,
           sex);
  publishing_says(folder, 0, line, "\npublished: hidden; as of run ");
  publishing_says(folder, 0, "audit list --event reveal --json",
                  "\\\"release\\\":1,\\\"table\\\":\\\"sex\\\",\\\"where\\\":{");
  publishing_says(folder, 2, "explain figure --release 1 sex --by sex=femele",
                  "error: no row of table 'sex' has sex 'femele'\n  hint: the nearest is female\n");
  publishing_says(folder, 2, "explain figure --release 1 sex --by yaer=2019", "did you mean 'year'?");
  publishing_says(folder, 2, "explain figure --release 1 sxe", "did you mean 'sex'?");
  publishing_says(folder, 2, "explain figure --release 1 coverage", "'coverage' is a text beside the figures");
  publishing_says(folder, 1, "explain figure --release yearli sex", "did you mean 'yearly'?");
}

/* Who was counted and taken out since is told to be missing; in a copy. */
static void who_was_erased_is_missing(void **state) {
  char *copy = NULL, line[160];
  int code = 0;
  (void)state;
  if (asprintf(&copy, "%s/erased", peru.folder) < 0) {
    abort();
  }
  shell("cp -r %s %s", workspaces[STORE_SQLITE], copy);
  publishing_says(copy, 0, "release create yearly --purpose test", "of yearly is published");
  char *said = publishing_say(copy, &code, "explain figure --release yearly sex");
  assert_non_null(strstr(said, "\n  person "));
  snprintf(line, sizeof line, "erase person %lld --reason asked --document C-1",
           atoll(strstr(said, "\n  person ") + 10));
  free(said);
  publishing_says(copy, 0, line, "");
  publishing_says(copy, 0, "explain figure --release yearly sex", "\n  records erased since: ");
  publishing_says(copy, 0, "explain figure --release yearly sex",
                  "`puente release verify` says of year=total;sex=total: published '");
  publishing_says(copy, 0, "--json explain figure --release yearly sex", "\"same\": false");
  shell("rm -r %s", copy);
  free(copy);
}

/* ---- groupings of code lists are frozen ---- */

static char *coarse_digests(const char *folder, int number) {
  char query[160];
  snprintf(query, sizeof query,
           "SELECT name, digest FROM released_tables WHERE release_id = "
           "(SELECT max(release_id) - %d FROM released_tables WHERE release = 'coarse') ORDER BY name",
           number);
  return workspace_rows(folder, query);
}

/* Cusco, a department of many, goes from the south to the north; then nothing is grouped. k is 1 from here on. */
static void check_regrouped(const char *folder) {
  char line[96];
  publishing_says(folder, 0, "release create coarse --purpose test", "of coarse is published");
  int64_t first = workspace_number(folder, "SELECT max(release_id) FROM released_tables");
  snprintf(line, sizeof line, "release verify %d", (int)first);
  publishing_says(folder, 0, line, "release ok:");
  shell("sed '/\"08\"/s/group: sur/group: norte/' config/codelists/department.yaml >%s/codelists/department.yaml",
        folder);
  publishing_says(folder, 0, line, "release ok:");
  publishing_says(folder, 0, "release create coarse --purpose test", "of coarse is published");
  publishing_says(folder, 0, line, "release ok:");
  publishing_says(folder, 0, "release verify coarse", "release ok:");
  snprintf(line, sizeof line, "--json explain figure --release %d region --by region=norte", (int)first);
  publishing_says(folder, 0, line, "\"same\": true");
  snprintf(line, sizeof line, "release verify %d", (int)first);
  char *before = coarse_digests(folder, 1), *now = coarse_digests(folder, 0);
  assert_string_not_equal(before, now);
  free(before);
  free(now);
  int code = 0;
  char *said = publishing_say(folder, &code, "release show coarse restatements --csv");
  const char *line_of = strstr(said, "region,period=total;region=norte,");
  assert_non_null(line_of);
  assert_non_null(strstr(line_of, "definition"));
  free(said);
  shell("sed 's/, group: [a-z_]*//; /^ *group: /d' config/codelists/department.yaml >%s/codelists/department.yaml",
        folder);
  publishing_says(folder, 2, "release create coarse --purpose test", "table 'region': nothing is grouped by region");
  publishing_says(folder, 0, line, "release ok:");
  shell("rm %s/codelists/department.yaml", folder);
}

static void a_regrouping_leaves_what_was_published(void **state) {
  (void)state;
  check_regrouped(workspaces[STORE_SQLITE]);
  check_regrouped(workspaces[STORE_POSTGRES]);
}

/* ---- what was tampered with: last, it leaves the stores so ---- */

static void a_changed_store_is_found(void **state) {
  char *lite = workspaces[STORE_SQLITE];
  (void)state;
  shell("sqlite3 %s/puente.db \"UPDATE st_involvement SET role = 'accused' WHERE role = 'victim'\"", lite);
  publishing_says(lite, 1, "release verify yearly", "the store now makes");
}

static void a_changed_cell_is_found(void **state) {
  (void)state;
  create(workspaces[STORE_POSTGRES]);
  postgres_run("UPDATE yearly.release_cell SET figure = figure + 1 WHERE ctid = (SELECT ctid FROM yearly.release_cell "
               "WHERE figure IS NOT NULL ORDER BY release_id DESC LIMIT 1)");
  publishing_says(workspaces[STORE_POSTGRES], 1, "release verify yearly", "a cell says '");
  postgres_run("UPDATE yearly.release_table SET body = 'x' WHERE name = 'coverage'");
  publishing_says(workspaces[STORE_POSTGRES], 1, "release verify yearly", "the text is not the one that was published");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(twice_gives_the_same_bytes),
                                     cmocka_unit_test(a_table_says_how_to_read_it),
                                     cmocka_unit_test(codes_of_coverage_have_labels),
                                     cmocka_unit_test(exports_read),
                                     cmocka_unit_test(a_width_hides_more),
                                     cmocka_unit_test(an_analyst_reads_releases_alone),
                                     cmocka_unit_test(a_stop_publishes_nothing),
                                     cmocka_unit_test(a_kill_leaves_nothing),
                                     cmocka_unit_test(causes_are_told),
                                     cmocka_unit_test(a_published_figure_is_explained),
                                     cmocka_unit_test(what_is_not_shown_is_refused),
                                     cmocka_unit_test(who_was_erased_is_missing),
                                     cmocka_unit_test(a_regrouping_leaves_what_was_published),
                                     cmocka_unit_test(a_changed_store_is_found),
                                     cmocka_unit_test(a_changed_cell_is_found)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
