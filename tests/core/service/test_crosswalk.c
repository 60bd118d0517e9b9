/* `export crosswalk`: to an institution its own case numbers with those that others let it have, on both stores; what
 * terms, purposes and consent forbid is a count; who may ask; and that each sight is in the log before the read. */
#include "core/base/buffer.h"
#include "core/base/digest.h"
#include "tests/support/postgres.h"
#include "tests/support/program.h"
#include "tests/support/terms.h"
#include "tests/support/workspace.h"

#include <inttypes.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char MP[] = "source: mp\ninstitution: PE/MP\nunit: case\nconnector: file\n"
                         "options: {path: incoming/mp, settle: 0s}\nprecedence: 3\n";
static const char RETA[] = "source: reta\ninstitution: PE/PNP\nunit: denuncia\nconnector: file\n"
                           "options: {path: incoming/reta, settle: 0s}\nprecedence: 2\n";
static const char RETA_TERMS[] = "terms:\n  shown_to: [PE/MP]\n  purposes: [follow_up, quality]\n";
static const char MAPPING[] =
    "source: %s\nformat: json\n"
    "case:\n  key: key\n  denuncia_number: den\n  carpeta_number: car\n  reported_on: date\n"
    "person:\n  key: [key, doc]\n  role: victim\n  given_names: given\n  paternal_surname: paternal\n"
    "  maternal_surname: maternal\n  document_type: {value: dni, when: {path: doc, present: true}}\n"
    "  document_number: doc\n  birth_date: born\n  sex: sex\n  involvement:\n    consent: consent\n";
#define ROSA                                                                                                           \
  "\"date\":\"2022-05-01\",\"given\":\"ROSA\",\"paternal\":\"QUISPE\",\"maternal\":\"MAMANI\",\"doc\":\"45678901\","   \
  "\"born\":\"2004-02-03\",\"sex\":\"female\""
#define LUZ                                                                                                            \
  "\"date\":\"2022-06-07\",\"given\":\"LUZ\",\"paternal\":\"HUAMAN\",\"maternal\":\"CONDORI\",\"doc\":\"45678902\","   \
  "\"born\":\"1990-07-08\",\"sex\":\"female\""
static const char MP_ROWS[] = "{\"key\":\"M-1\",\"car\":\"506-2022-1\",\"den\":\"D-1\"," ROSA "}\n"
                              "{\"key\":\"M-2\",\"car\":\"506-2022-2\",\"den\":\"D-2\"," LUZ "}\n"
                              "{\"key\":\"M-3\",\"car\":\"506-2022-3\",\"date\":\"2021-01-02\",\"doc\":\"45678903\","
                              "\"given\":\"ANA\",\"paternal\":\"ROJAS\"}\n";
static const char RETA_ROWS[] =
    "{\"key\":\"D-1\",\"den\":\"D-1\",\"car\":\"506-2022-1\"," ROSA "}\n"
    "{\"key\":\"D-2\",\"den\":\"D-2\",\"car\":\"506-2022-2\",\"consent\":\"count\"," LUZ "}\n"
    "{\"key\":\"D-4\",\"den\":\"D-4\",\"date\":\"2020-01-02\",\"doc\":\"45678904\",\"given\":\"EVA\",\"paternal\":"
    "\"SOTO\"}\n";
static const char NGO_ROWS[] = "{\"key\":\"N-SECRET\",\"den\":\"D-1\",\"car\":\"506-2022-1\"," ROSA "}\n";

static struct terms_ground grounds[2];

static void write_reta(const struct terms_ground *ground, const char *terms) {
  char text[1024];
  snprintf(text, sizeof text, "%s%s", RETA, terms);
  program_write(ground->folder, "sources/reta.yaml", text);
}

static void write_mapping(const struct terms_ground *ground, const char *source) {
  char name[64], text[2048];
  snprintf(name, sizeof name, "mappings/%s.yaml", source);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* a constant of this file */
  snprintf(text, sizeof text, MAPPING, source);
#pragma GCC diagnostic pop
  program_write(ground->folder, name, text);
}

static void begin(size_t at) {
  struct terms_ground *ground = &grounds[at];
  terms_begin(ground, at == 0 ? NULL : "crosswalk", NULL);
  shell("mkdir -p %s/incoming/mp", ground->folder);
  program_write(ground->folder, "sources/mp.yaml", MP);
  write_reta(ground, RETA_TERMS);
  write_mapping(ground, "mp");
  write_mapping(ground, "reta");
  write_mapping(ground, "ngo");
  terms_page(ground, "mp", "one", MP_ROWS);
  terms_page(ground, "reta", "one", RETA_ROWS);
  terms_page(ground, "ngo", "one", NGO_ROWS);
  terms_run(ground, 0, "run");
  if (at == 1) {
    terms_run(ground, 0, "access setup");
    postgres_run("CREATE ROLE w_mp LOGIN; CREATE ROLE w_pnp LOGIN; CREATE ROLE w_auditor LOGIN");
    terms_run(ground, 0, "access grant w_mp officer --institution PE/MP");
    terms_run(ground, 0, "access grant w_pnp officer --institution PE/PNP");
    terms_run(ground, 0, "access grant w_auditor auditor");
  }
}

static const struct terms_ground *ground_of(void **state) {
  return &grounds[*(int *)*state];
}

static int64_t entries(const struct terms_ground *ground, const char *where) {
  char sql[256];
  snprintf(sql, sizeof sql, "SELECT count(*) FROM audit WHERE %s", where);
  return workspace_number(ground->folder, sql);
}

/* The rows after the head, without the pseudonyms before the first comma. Allocated. */
static char *rows_of(const struct terms_ground *ground, const char *file) {
  char *text = program_read(ground->folder, file), *rest = text, *line;
  struct buffer rows;
  buffer_init(&rows, 1 << 20);
  for (size_t i = 0; (line = strsep(&rest, "\n")) != NULL && line[0] != '\0'; i++) {
    buffer_printf(&rows, "%s\n", i == 0 ? "" : strchr(line, ',') + 1);
  }
  free(text);
  return rows.data;
}

static const char FOR_MP[] = "\nmp,M-1,D-1,506-2022-1,,,shared,PE/PNP,reta,D-1,D-1,506-2022-1,,,";

/* ---- what it holds ---- */

static void holds_what_is_allowed(void **state) {
  const struct terms_ground *ground = ground_of(state);
  const char *said = terms_run(ground, 0, "export crosswalk --for PE/MP --purpose follow_up --out a");
  assert_non_null(strstr(said, "3 numbers of 3 cases, with 1 of others; 2 are not shared  a/crosswalk.csv"));
  char *rows = rows_of(ground, "a/crosswalk.csv");
  assert_non_null(strstr(rows, FOR_MP));
  assert_non_null(strstr(rows, "\nmp,M-1,D-1,506-2022-1,,,not_shared,,,,,,,,,,1\r\n"));
  assert_non_null(strstr(rows, "\nmp,M-2,D-2,506-2022-2,,,not_shared,,,,,,,,,,1\r\n"));
  assert_non_null(strstr(rows, "\nmp,M-3,,506-2022-3,,,none,,,,,,,,,,\r\n"));
  assert_null(strstr(rows, "SECRET"));
  assert_null(strstr(rows, "D-4"));
  assert_null(strstr(rows, "QUISPE"));
  assert_null(strstr(rows, "45678901"));
  free(rows);
  char path[600];
  struct stat status;
  snprintf(path, sizeof path, "%s/a/crosswalk.csv", ground->folder);
  assert_int_equal(stat(path, &status), 0);
  assert_int_equal(status.st_mode & 0777, 0600);
}

static void json_says_the_same(void **state) {
  const struct terms_ground *ground = ground_of(state);
  terms_run(ground, 0, "export crosswalk --for PE/MP --purpose follow_up --format json --out j");
  char *text = program_read(ground->folder, "j/crosswalk.jsonl"), *rest = text, *line;
  size_t count = 0, shared = 0;
  json_int_t held = 0;
  while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
    json_t *row = json_loads(line, 0, NULL);
    assert_non_null(row);
    assert_string_equal(json_string_value(json_object_get(row, "source")), "mp");
    shared += json_array_size(json_object_get(row, "partners"));
    held += json_integer_value(json_object_get(row, "not_shared"));
    if (count == 0) {
      const json_t *other = json_array_get(json_object_get(row, "partners"), 0);
      assert_string_equal(json_string_value(json_object_get(other, "denuncia_number")), "D-1");
      assert_true(json_is_null(json_object_get(other, "court_number")));
    }
    json_decref(row);
    count++;
  }
  free(text);
  assert_int_equal(count, 3);
  assert_int_equal(shared, 1);
  assert_int_equal(held, 2);
}

/* Others' terms: a purpose that they do not name, or an institution; and what they became since the last sync. */
static void terms_forbid(void **state) {
  const struct terms_ground *ground = ground_of(state);
  const char *said = terms_run(ground, 0, "export crosswalk --for PE/MP --purpose 'statistics: x' --out t");
  assert_non_null(strstr(said, "with 0 of others; 3 are not shared"));
  char *rows = rows_of(ground, "t/crosswalk.csv");
  assert_null(strstr(rows, "reta"));
  assert_non_null(strstr(rows, "mp,M-1,D-1,506-2022-1,,,not_shared,,,,,,,,,,2\r\n"));
  free(rows);
  said = terms_run(ground, 0, "export crosswalk --for PE/CHS --purpose follow_up --out t");
  assert_non_null(strstr(said, "1 numbers of 1 cases, with 0 of others; 2 are not shared"));
  write_reta(ground, "terms:\n  shown_to: [PE/CHS]\n");
  said = terms_run(ground, 0, "export crosswalk --for PE/MP --purpose follow_up --out t");
  assert_non_null(strstr(said, "with 0 of others; 3 are not shared"));
  write_reta(ground, RETA_TERMS);
  /* Its own terms hold for its own sources. */
  struct said refused = program_run(ground->folder, "export crosswalk --for PE/PNP --purpose hearing --out no");
  assert_int_equal(refused.code, 1);
  assert_non_null(strstr(refused.err, "the terms of source 'reta' do not allow"));
}

/* ---- who may, and what the log has ---- */

static void is_refused(void **state) {
  const struct terms_ground *ground = ground_of(state);
  static const char *const LINES[][2] = {
      {"export crosswalk --for PE/MP --out no", "a purpose is needed to export identified data"},
      {"export crosswalk --purpose follow_up --out no", "an institution gets its own back: --for is needed"},
      {"export crosswalk --for PE/MPP --purpose follow_up --out no", "'PE/MPP' is no institution of the code list"},
  };
  int64_t before = entries(ground, "1 = 1");
  for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
    struct said said = program_run(ground->folder, LINES[i][0]);
    assert_int_equal(said.code, 2);
    assert_non_null(strstr(said.err, LINES[i][1]));
  }
  struct said said =
      program_run_as(ground->folder, "root", "export crosswalk --for PE/MP --purpose follow_up --out no");
  assert_int_equal(said.code, 1);
  assert_non_null(strstr(said.err, "'root' is an account that several persons may use"));
  char path[600];
  snprintf(path, sizeof path, "%s/no", ground->folder);
  assert_int_not_equal(access(path, F_OK), 0);
  assert_int_equal(entries(ground, "1 = 1"), before);
}

static void is_logged_before_it_is_read(void **state) {
  const struct terms_ground *ground = ground_of(state);
  terms_run(ground, 0, "export crosswalk --for PE/MP --purpose 'follow_up: carpeta 12' --out l");
  char *rows = workspace_rows(ground->folder,
                              "SELECT event, actor, purpose, body FROM audit WHERE purpose = 'follow_up: carpeta 12' "
                              "ORDER BY sequence");
  char *second = strchr(rows, '\n') + 1, digest[2 * SHA256_SIZE + 1];
  assert_int_equal(
      strncmp(rows, "reveal|tester|follow_up: carpeta 12|{\"cases\":3,\"crosswalk\":\"PE/MP\",\"digest\":\"",
              sizeof "reveal|tester|follow_up: carpeta 12|{\"cases\":3,\"crosswalk\":\"PE/MP\",\"digest\":\"" - 1),
      0);
  char *text = program_read(ground->folder, "l/crosswalk.csv"), expected[400];
  struct sha256 hash = sha256_of(slice_of(text));
  hex_format(hash.bytes, SHA256_SIZE, digest);
  snprintf(
      expected, sizeof expected,
      "exported|tester|follow_up: carpeta 12|{\"digest\":\"%s\",\"for\":\"PE/MP\",\"form\":\"crosswalk\",\"rows\":3}\n",
      digest);
  assert_string_equal(second, expected);
  free(text);
  free(rows);
  /* A file that cannot be written leaves nothing of it, and the sight is in the log. */
  shell("mkdir -p %s/f/crosswalk.csv", ground->folder);
  struct said said = program_run(ground->folder, "export crosswalk --for PE/MP --purpose 'follow_up: failing' --out f");
  assert_int_not_equal(said.code, 0);
  assert_int_equal(entries(ground, "purpose = 'follow_up: failing' AND event = 'reveal'"), 1);
  int code = 0;
  char *left = shell_output(&code, "ls -A %s/f %s/f/crosswalk.csv | grep -v -e : -e '^$' -e '^crosswalk.csv$'",
                            ground->folder, ground->folder);
  assert_string_equal(left, "");
  free(left);
  terms_run(ground, 0, "audit verify");
}

/* ---- officers of a real PostgreSQL ---- */

static char *login_runs(const struct terms_ground *ground, const char *login, int *code, const char *arguments) {
  shell("sed 's/user=puente/user=%s/' %s/puente.yaml > %s/%s.yaml", login, ground->folder, ground->folder, login);
  return shell_output(code, "LANGUAGE=en PUENTE_ACTOR=tester %s/puente --config %s/%s.yaml %s 2>&1 </dev/null",
                      build_folder(), ground->folder, login, arguments);
}

static char *as_login(const struct terms_ground *ground, const char *login, int *code, const char *arguments) {
  char line[512];
  snprintf(line, sizeof line, "%s --out %s/%s", arguments, ground->folder, login);
  return login_runs(ground, login, code, line);
}

static void an_officer_gets_the_same(void **state) {
  const struct terms_ground *ground = ground_of(state);
  int code = 0;
  char *said = as_login(ground, "w_mp", &code, "export crosswalk --for PE/MP --purpose follow_up");
  if (code != 0) {
    fail_msg("%s", said);
  }
  free(said);
  terms_run(ground, 0, "export crosswalk --for PE/MP --purpose follow_up --out s");
  char *officers = program_read(ground->folder, "w_mp/crosswalk.csv"),
       *ours = program_read(ground->folder, "s/crosswalk.csv");
  assert_string_equal(officers, ours);
  free(officers);
  free(ours);
  /* The entries are those of the service, in the login's name. */
  char *rows =
      workspace_rows(ground->folder, "SELECT DISTINCT a.body, b.body FROM audit a, audit b WHERE a.event = 'reveal' "
                                     "AND b.event = 'exported' AND a.actor = 'w_mp' AND b.actor = 'w_mp'");
  char *theirs = workspace_rows(ground->folder,
                                "SELECT (SELECT body FROM audit WHERE event = 'reveal' AND actor = 'tester' ORDER BY "
                                "sequence DESC LIMIT 1), (SELECT body FROM audit WHERE event = 'exported' "
                                "AND actor = 'tester' ORDER BY sequence DESC LIMIT 1)");
  assert_string_equal(rows, theirs);
  free(rows);
  free(theirs);
  terms_run(ground, 0, "audit verify");
}

static void others_are_refused(void **state) {
  const struct terms_ground *ground = ground_of(state);
  int code = 0;
  int64_t before = entries(ground, "event = 'refuse'");
  char *said = as_login(ground, "w_pnp", &code, "export crosswalk --for PE/MP --purpose follow_up");
  assert_int_equal(code, 1);
  assert_non_null(strstr(said, "you are no officer of PE/MP: its data are its own"));
  free(said);
  said = as_login(ground, "w_auditor", &code, "export crosswalk --for PE/MP --purpose follow_up");
  assert_int_not_equal(code, 0);
  assert_non_null(strstr(said, "your role may not do this: it needs the role officer"));
  free(said);
  assert_int_equal(entries(ground, "event = 'refuse'"), before + 2);
  /* By hand, too: no sight, no rows; a sight of this transaction, or of crosswalks alone, opens nothing else. */
  said = shell_output(&code,
                      "psql -XAtq '%s user=w_pnp' -c \"SELECT count(*) FROM crosswalk_guard.crosswalk('PE/MP')\" "
                      "-c \"SELECT crosswalk_guard.sight_all('crosswalk', 'PE/MP', 'x')\" "
                      "-c \"SELECT count(*) FROM crosswalk_guard.crosswalk('PE/PNP')\" "
                      "-c \"BEGIN; SELECT 1 FROM crosswalk_guard.sight_all('crosswalk', 'PE/PNP', 'quality'); "
                      "SELECT count(*) FROM crosswalk_guard.crosswalk('PE/PNP'); COMMIT\" "
                      "-c \"SELECT count(*) FROM crosswalk_guard.crosswalk('PE/PNP')\" "
                      "-c \"SELECT count(*) FROM crosswalk_guard.crosswalk('PE/MP')\" "
                      "-c \"SELECT count(*) FROM crosswalk_officer.st_case\" "
                      "-c \"SELECT count(*) FROM crosswalk_officer.identity\" 2>&1",
                      postgres_start());
  assert_string_equal(said, "0\n0\n0\n1\n0\n4\n0\n0\n0\n");
  free(said);
  said =
      shell_output(&code, "psql -XAtq '%s user=w_auditor' -c \"SELECT * FROM crosswalk_guard.crosswalk('PE/MP')\" 2>&1",
                   postgres_start());
  assert_non_null(strstr(said, "permission denied"));
  free(said);
}

/* An officer of one region has that region's cases alone. */
static void a_region_is_kept(void **state) {
  const struct terms_ground *ground = ground_of(state);
  int code = 0;
  postgres_run("CREATE ROLE w_region LOGIN");
  terms_run(ground, 0, "access grant w_region officer --institution PE/MP --region 15");
  char *said = as_login(ground, "w_region", &code, "export crosswalk --for PE/MP --purpose follow_up");
  assert_non_null(strstr(said, "0 numbers of 0 cases"));
  free(said);
  free(as_login(ground, "w_region", &code, "export htcds --reveal --for PE/MP --purpose follow_up --out region"));
  assert_int_equal(code, 0);
  /* The sight itself is of that region: what it opens, and what the log says of it. */
  said = workspace_rows(ground->folder,
                        "SELECT body FROM audit WHERE actor = 'w_region' AND event = 'reveal' ORDER BY sequence");
  assert_non_null(strstr(said, "{\"cases\":0,\"crosswalk\":\"PE/MP\""));
  assert_non_null(strstr(said, "\"htcds\":\"PE/MP\",\"persons\":0,\"shown\":\""));
  free(said);
}

/* ---- whom each sight showed ---- */

#define OF_CASES(where)                                                                                                \
  "SELECT DISTINCT person_id FROM involvements WHERE case_id IN (SELECT case_id FROM case_records WHERE " where ")"
#define EVERYBODY "SELECT person_id FROM persons"
#define LAST_OF_RETA "case_id = (SELECT max(case_id) FROM case_records WHERE source = 'reta')"

/* The persons of each sight, asked of the views; of an officer's login where `login` says so. */
static const struct sight {
  const char *command, *persons, *about, *login;
} SIGHTS[] = {
    {"export htcds --reveal --for PE/MP", "SELECT DISTINCT person_id FROM person_records WHERE institution = 'PE/MP'",
     "listed", NULL},
    {"export htcds --reveal --for PE/PNP", "SELECT DISTINCT person_id FROM person_records WHERE institution = 'PE/PNP'",
     "listed", "w_pnp"},
    {"export crosswalk --for PE/MP", OF_CASES("institution = 'PE/MP'"), "listed", NULL},
    {"export crosswalk --for PE/PNP", OF_CASES("institution = 'PE/PNP'"), "listed", "w_pnp"},
    {"export csv", EVERYBODY, "listed", NULL},
    {"export json", EVERYBODY, "listed", NULL},
    {"export htcds", EVERYBODY, "listed", NULL},
    {"export ctdc", EVERYBODY, "listed", NULL},
    {"explain case @ --reveal", OF_CASES(LAST_OF_RETA), "listed", NULL},
    {"explain case @ --reveal", OF_CASES(LAST_OF_RETA), "listed", "w_pnp"},
    {"explain person 1 --reveal", "SELECT 1", "named", NULL},
    {"query 'SELECT 1'", EVERYBODY, "anybody", NULL},
    {"explain figure victims --by year=2022 --exact", EVERYBODY, "anybody", NULL},
    {"report crosstab --exact", "SELECT person_id FROM persons WHERE 1 = 0", "", NULL},
};
enum { SIGHTS_COUNT = sizeof SIGHTS / sizeof *SIGHTS };

static void take_sight(const struct terms_ground *ground, size_t at) {
  const struct sight *sight = &SIGHTS[at];
  const char *out = strncmp(sight->command, "export", 6) == 0 ? " --out seen" : "",
             *case_at = strchr(sight->command, '@');
  char line[256];
  int code = 0;
  int before = case_at == NULL ? (int)strlen(sight->command) : (int)(case_at - sight->command);
  char *id = workspace_rows(ground->folder, "SELECT DISTINCT case_id FROM case_records WHERE " LAST_OF_RETA);
  snprintf(line, sizeof line, "%.*s%.*s%s --purpose 'follow_up: sight %zu'%s", before, sight->command,
           case_at == NULL ? 0 : (int)strcspn(id, "\n"), id, case_at == NULL ? "" : case_at + 1, at, out);
  free(id);
  if (sight->login == NULL || ground->schema == NULL) {
    terms_run(ground, 0, line);
    return;
  }
  char *said =
      *out != '\0' ? as_login(ground, sight->login, &code, line) : login_runs(ground, sight->login, &code, line);
  if (code != 0) {
    fail_msg("%s: %s", line, said);
  }
  free(said);
}

/* How the list of a person has the sight; "": it is not there. */
static void tell_about(const json_t *list, size_t at, char about[16]) {
  char purpose[64];
  size_t i;
  const json_t *entry;
  snprintf(purpose, sizeof purpose, "follow_up: sight %zu", at);
  about[0] = '\0';
  json_array_foreach(list, i, entry) {
    if (strcmp(json_string_value(json_object_get(entry, "purpose")), purpose) == 0) {
      assert_string_not_equal(json_string_value(json_object_get(entry, "event")), "exported");
      assert_string_equal(about, ""); /* once */
      snprintf(about, 16, "%s", json_string_value(json_object_get(entry, "about")));
    }
  }
}

static json_t *list_of(const struct terms_ground *ground, const char *person) {
  char line[96];
  snprintf(line, sizeof line, "--json audit list --since 2020-01-01 --actor tester --person %s", person);
  json_t *list = json_loads(terms_run(ground, 0, line), 0, NULL);
  if (ground->schema != NULL) {
    snprintf(line, sizeof line, "--json audit list --actor w_pnp --person %s", person);
    json_t *theirs = json_loads(terms_run(ground, 0, line), 0, NULL);
    json_array_extend(list, theirs);
    json_decref(theirs);
  }
  assert_true(json_is_array(list));
  return list;
}

static bool holds_line(const char *lines, const char *line) {
  char wanted[32], all[1024];
  snprintf(all, sizeof all, "\n%s", lines);
  snprintf(wanted, sizeof wanted, "\n%s\n", line);
  return strstr(all, wanted) != NULL;
}

static void check_persons(const struct terms_ground *ground, size_t *listed) {
  char *persons = workspace_rows(ground->folder, EVERYBODY), *rest = persons, *person;
  while ((person = strsep(&rest, "\n")) != NULL && person[0] != '\0') {
    json_t *list = list_of(ground, person);
    for (size_t i = 0; i < SIGHTS_COUNT; i++) {
      char about[16];
      char *shown = workspace_rows(ground->folder, SIGHTS[i].persons);
      bool hers = holds_line(shown, person);
      tell_about(list, i, about);
      if (strcmp(about, hers ? SIGHTS[i].about : "") != 0) {
        fail_msg("%s: of person %s the log says '%s'", SIGHTS[i].command, person, about);
      }
      *listed += hers && strcmp(SIGHTS[i].about, "listed") == 0;
      free(shown);
    }
    json_decref(list);
  }
  free(persons);
}

static void each_person_is_told_of(void **state) {
  const struct terms_ground *ground = ground_of(state);
  size_t listed = 0;
  for (size_t i = 0; i < SIGHTS_COUNT; i++) {
    take_sight(ground, i);
  }
  check_persons(ground, &listed);
  assert_int_equal(listed, 4 * 5 + 2 * 3 + 2 * 4 + 2);
  terms_run(ground, 0, "audit verify");
  assert_null(strstr(terms_run(ground, 0, "audit list --event export"), "anybody"));
  assert_non_null(strstr(terms_run(ground, 0, "audit list --person 1"),
                         "anybody: it was asked of all, and the log does not know whom it showed"));
}

/* A statement on the store behind the program's back. */
static void meddle(const struct terms_ground *ground, const char *sql) {
  char line[512];
  if (ground->schema == NULL) {
    shell("sqlite3 %s/puente.db \"%s\"", ground->folder, sql);
    return;
  }
  snprintf(line, sizeof line, "SET search_path = %s; %s", ground->schema, sql);
  postgres_run(line);
}

static void a_changed_list_is_found(void **state) {
  const struct terms_ground *ground = ground_of(state);
  static const char *const CHANGES[] = {"DELETE FROM shown WHERE persons = 3", "DELETE FROM shown",
                                        "UPDATE shown SET ids = ids || ' 9' WHERE persons = 4",
                                        "UPDATE shown SET ids = '1' WHERE persons > 1"};
  meddle(ground, "CREATE TABLE kept AS SELECT * FROM shown");
  for (size_t i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++) {
    meddle(ground, CHANGES[i]);
    struct said said = program_run(ground->folder, "audit verify");
    assert_int_equal(said.code, 1);
    assert_non_null(
        strstr(said.err, "the audit log was altered: the list of persons whom it showed was changed or taken out"));
    meddle(ground, "DELETE FROM shown; INSERT INTO shown SELECT * FROM kept");
    terms_run(ground, 0, "audit verify");
  }
  meddle(ground, "DROP TABLE kept");
}

static void an_auditor_lists_it(void **state) {
  const struct terms_ground *ground = ground_of(state);
  int code = 0;
  char *said = login_runs(ground, "w_auditor", &code, "--json audit list --person 1");
  assert_int_equal(code, 0);
  assert_non_null(strstr(said, "\"listed\""));
  free(said);
  free(login_runs(ground, "w_auditor", &code, "audit verify"));
  assert_int_equal(code, 0);
  free(login_runs(ground, "w_pnp", &code, "audit list --person 1"));
  assert_int_equal(code, 1);
  said = shell_output(&code, "psql -XAtq '%s user=w_pnp' -c 'SELECT count(*) FROM crosswalk.shown' 2>&1",
                      postgres_start());
  assert_non_null(strstr(said, "permission denied"));
  free(said);
}

/* Who was taken out of a person stays among those who were shown with it, until then; who was erased stays a number. */
static void former_numbers_count(void **state) {
  const struct terms_ground *ground = ground_of(state);
  char line[128], about[16];
  char *rows = workspace_rows(ground->folder, "SELECT row_id FROM person_records WHERE person_id = 1 ORDER BY source");
  int64_t row[3] = {0};
  assert_int_equal(sscanf(rows, "%" SCNd64 "\n%" SCNd64 "\n%" SCNd64, &row[0], &row[1], &row[2]), 3);
  free(rows);
  for (size_t i = 1; i < 3; i++) { /* mp's is another person than ngo's and reta's */
    snprintf(line, sizeof line, "review reject %lld-%lld --reason seen", (long long)row[0], (long long)row[i]);
    terms_run(ground, 0, line);
  }
  terms_run(ground, 0, "link");
  int64_t persons[3];
  for (size_t i = 0; i < 3; i++) {
    snprintf(line, sizeof line, "SELECT person_id FROM person_records WHERE row_id = %lld", (long long)row[i]);
    persons[i] = workspace_number(ground->folder, line);
  }
  assert_true(persons[1] == persons[2] && persons[0] != persons[1]);
  for (size_t i = 0; i < 2; i++) {
    snprintf(line, sizeof line, "%lld", (long long)persons[i]);
    json_t *list = list_of(ground, line);
    tell_about(list, 0, about);
    assert_string_equal(about, "listed");
    json_decref(list);
  }
  terms_run(ground, 0, "explain person 1 --reveal --purpose 'follow_up: sight 99'");
  snprintf(line, sizeof line, "%lld", (long long)(persons[0] == 1 ? persons[1] : persons[0]));
  json_t *list = list_of(ground, line);
  tell_about(list, 99, about);
  assert_string_equal(about, "");
  json_decref(list);
  terms_run(ground, 0, "erase person 1 --reason asked --document 1-2026");
  terms_run(ground, 0, "audit verify");
  list = list_of(ground, "1");
  tell_about(list, 0, about);
  assert_string_equal(about, "listed");
  json_decref(list);
}

/* ---- */

static int kinds[] = {0, 1};
#define BOTH(function)                                                                                                 \
  {"sqlite: " #function, function, NULL, NULL, &kinds[0]}, {                                                           \
    "postgres: " #function, function, NULL, NULL, &kinds[1]                                                            \
  }
#define POSTGRES(function)                                                                                             \
  { "postgres: " #function, function, NULL, NULL, &kinds[1] }

static int setup_all(void **state) {
  (void)state;
  begin(0);
  begin(1);
  return 0;
}

static int teardown_all(void **state) {
  (void)state;
  terms_end(&grounds[0]);
  terms_end(&grounds[1]);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {BOTH(holds_what_is_allowed),
                                     BOTH(json_says_the_same),
                                     BOTH(terms_forbid),
                                     BOTH(is_refused),
                                     BOTH(is_logged_before_it_is_read),
                                     POSTGRES(an_officer_gets_the_same),
                                     POSTGRES(others_are_refused),
                                     POSTGRES(a_region_is_kept),
                                     BOTH(each_person_is_told_of),
                                     BOTH(a_changed_list_is_found),
                                     POSTGRES(an_auditor_lists_it),
                                     BOTH(former_numbers_count)};
  return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
