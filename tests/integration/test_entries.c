/* What each command leaves in the audit log: exactly these entries, by whom and why. A command that is new, or that
 * stops telling what it did, changes a row of a table here. */
#include "core/base/file.h"
#include "tests/support/postgres.h"
#include "tests/support/program.h"
#include "tests/support/reviewing.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct leaves {
  const char *actor;   /* on PostgreSQL "o_…" is a login of its own, and everybody else the service */
  const char *command; /* @0 and @1 are two rows of persons; "! …" is the shell's, in the folder; "= …" is SQL */
  int code;
  const char *entries; /* "event actor purpose", one after the other, each ended by ';' */
};

#define MAPPING                                                                                                        \
  "source: demo\nformat: csv\ndelimiter: \";\"\n"                                                                      \
  "case:\n  key: id\n  denuncia_number: id\n"                                                                          \
  "  reported_on: {from: date, date: \"%d/%m/%Y\", required: true}\n"                                                  \
  "person:\n  key: [id, victim]\n  role: victim\n"                                                                     \
  "  paternal_surname: {from: surname, clean: name}\n"                                                                 \
  "  given_names: {from: name, clean: name}\n  document_number: document\n"
static const char ROWS[] = "id;victim;surname;name;document;date;extra\n"
                           "D-1;a;Quispe;Rosa;45678901;01/02/2024;1\nD-2;a;Mamani;Luz;45678902;02/02/2024;2\n"
                           "D-3;a;Huaman;Ana;;03/02/2024;3\nD-4;a;Condori;Eva;45678904;04/02/2024;4\n"
                           "D-5;a;Condori;Eva;45678904;44/02/2024;5\nD-6;a;Rojas;Eva;45678906;05/02/2024;6\n";

static struct reviewing place;
static char *folder; /* the service's; those of logins with a role stand in it by their names */

static const struct leaves ON_SQLITE[] = {
    {"ana", "status", 0, ""},
    {"ana", "review accept @0-@1 --reason seen", 0, "config ana ;review ana seen;"},
    {"ana", "review reject @0-@2 --reason seen", 0, "review ana seen;"},
    {"ana", "review show @0-@1 --reveal --purpose hearing", 0, "reveal ana hearing;"},
    {"ana", "explain person 1 --reveal --purpose hearing", 0, "reveal ana hearing;"},
    {"ana", "explain case 1 --reveal --purpose hearing", 0, "reveal ana hearing;"},
    {"ana", "explain record demo:D-1 --reveal --purpose hearing", 0, "reveal ana hearing;"},
    {"ana", "explain pair @0 @1 --reveal --purpose hearing", 0, "reveal ana hearing;"},
    {"ana", "explain person 1", 0, ""},
    {"ana", "explain figure victims --by year=2024 --exact --purpose hearing", 0, "reveal ana hearing;"},
    {"ana", "sync", 0, "plan ana ;land ana ;run ana ;"},
    {"ana", "sync", 0, "run ana ;"},
    {"ana", "link", 0, "link ana ;"},
    {"ana", "drift accept demo --reason letter", 0, "drift ana letter;"},
    {"ana", "quarantine show demo:D-5", 0, ""},
    {"ana", "quarantine show demo:D-5 --reveal --purpose hearing", 0, "reveal ana hearing;"},
    {"ana", "quarantine retry", 0, "retry ana ;run ana ;"},
    {"ana", "quarantine dismiss demo:D-5 --reason seen", 0, "dismiss ana seen;"},
    {"ana", "remap demo", 0, "run ana ;"},
    {"ana", "! echo '  mother_name: extra' >>mappings/demo.yaml", 0, ""},
    {"ana", "remap demo", 0, "config ana ;plan ana ;remap ana ;run ana ;"},
    {"ana", "! mv incoming away", 0, ""},
    {"ana", "sync", 1, "run ana ;"},
    {"ana", "! mv away incoming && cp puente.yaml kept && echo 'approval: {required: [link]}' >>puente.yaml", 0, ""},
    {"ana", "link", 2, "config ana ;run ana ;"},
    {"ana", "! mv kept puente.yaml", 0, ""},
    {"ana", "query --purpose look 'SELECT 1'", 0, "config ana ;query ana look;"},
    {"ana", "report crosstab --by year", 0, ""},
    {"ana", "report crosstab --by year --exact --purpose yearbook", 0, "exact ana yearbook;"},
    {"ana", "report completeness", 0, "count ana which identifiers are recorded;"},
    {"ana", "report linkage", 0, "count ana which identifiers are recorded;"},
    {"ana", "audit sample victims --n 1 --seed 7 --exact --purpose check", 0, "sample ana check;reveal ana check;"},
    {"ana", "audit checkpoint head.checkpoint", 0, ""},
    {"ana", "audit checkpoint --send", 0, "checkpoint ana ;"},
    {"ana", "audit verify --records", 0, ""},
    {"ana", "release create victims --purpose yearbook", 0, "release ana yearbook;"},
    {"ana", "release show victims", 0, ""},
    {"ana", "release export victims given", 0, ""},
    {"ana", "explain figure --release victims sex --by year=2024 --exact --purpose check", 0, "reveal ana check;"},
    {"ana", "export csv --purpose study --out out", 0, "export ana study;exported ana study;"},
    {"ana", "export json --purpose study --out out", 0, "export ana study;exported ana study;"},
    {"ana", "export htcds --purpose study --out out", 0, "export ana study;exported ana study;"},
    {"ana", "export htcds --reveal --for PE/MP --purpose study --out out", 0, "reveal ana study;exported ana study;"},
    {"ana", "export crosswalk --for PE/MP --purpose study --out out", 0, "reveal ana study;exported ana study;"},
    {"ana", "export ctdc --purpose study --out out", 0, "export ana study;exported ana study;"},
    {"ana", "export aggregate victims --out aggregate", 0, ""},
    {"ana", "key list", 0, ""},
    {"ana", "key rotate", 0, "key ana ;key ana ;"},
    {"ana", "key split shares", 0, "key ana ;"},
    {"ana", "key check shares/share-1-of-3.txt shares/share-2-of-3.txt", 0, ""},
    {"ana", "key join shares/share-1-of-3.txt shares/share-2-of-3.txt again.key", 0, ""},
    {"ana", "key linkage linkage.key --for PE/CHS --reason agreement", 0, "key ana agreement;"},
    {"ana", "handover --out handover.md", 0, ""},
    {"ana", "store backup copy.db", 0, "backup ana ;"},
    {"ana", "store verify", 0, ""},
    {"ana", "store verify copy.db", 0, "restore_tried ana ;"},
    {"ana", "erase demo:D-6 --reason asked --document 12-2026 --dry-run", 0, ""},
    {"ana", "erase demo:D-6 --reason asked --document 12-2026", 0, "erase ana asked;"},
    {"ana", "erase person 1 --reason asked --document 13-2026", 0, "erase ana asked;"},
    {"ana", "erase list", 0, ""},
    {"ana", "erase purge", 0, ""},
    {"ana", "erase expired", 0, ""},
    {"ana", "sync demo --reload", 0, "reload ana ;run ana ;"},
    {"eva", "store restore copy.db", 0, "restore eva ;erase eva taken out again after a restore;"},
    /* Nothing that is sealed can be read any more: who was about to stands in the log all the same. */
    {"", "= UPDATE identity SET body = substr(body, 1, length(body) - 1)", 0, ""},
    {"", "= UPDATE person_identity SET body = substr(body, 1, length(body) - 1)", 0, ""},
    {"", "= UPDATE raw_chunk SET body = substr(body, 1, length(body) - 1)", 0, ""},
    {"ana", "explain person 3 --reveal --purpose hearing", 1, "reveal ana hearing;"},
    {"ana", "explain record demo:D-1 --reveal --purpose hearing", 1, "reveal ana hearing;"},
    {"ana", "explain pair @0 @1 --reveal --purpose hearing", 1, "reveal ana hearing;"},
    {"ana", "review show @0-@2 --reveal --purpose hearing", 1, "reveal ana hearing;"},
    {"ana", "quarantine show demo:D-5 --reveal --purpose hearing", 1, "reveal ana hearing;"},
    {"ana", "export htcds --reveal --for PE/MP --purpose study --out broken", 1, "reveal ana study;"},
    {"", "= ALTER TABLE st_case RENAME denuncia_number TO gone", 0, ""},
    {"ana", "export crosswalk --for PE/MP --purpose study --out broken", 1, "reveal ana study;"},
    {"ana", "report completeness", 1, "count ana which identifiers are recorded;"},
    {"ana", "query --purpose look 'SELECT nothing'", 2, "query ana look;"},
};

/* A mapping acts when a second person agrees; who may see what is the database's own matter. */
static const struct leaves ON_POSTGRES[] = {
    {"ana", "approve propose mapping demo --reason new --document 1-2026", 0, "config ana ;approval ana new;"},
    {"ana", "approve accept 1 --reason fits", 1, ""},
    {"luis", "approve accept 1 --reason fits", 0, "approval luis fits;"},
    {"ana", "sync", 0, "plan ana ;land ana ;run ana ;"},
    {"ana", "link", 0, "link ana ;"},
    {"ana", "! echo '  sex: sex' >>mappings/demo.yaml", 0, ""},
    {"ana", "approve propose mapping demo --reason again --document 2-2026", 0, "config ana ;approval ana again;"},
    {"luis", "approve reject 2 --reason unfit", 0, "approval luis unfit;"},
    {"ana", "access setup", 0, "roles ana ;"},
    {"ana", "access grant o_officer officer --institution PE/MP", 0, "grant ana ;"},
    {"ana", "access grant o_other auditor", 0, "grant ana ;"},
    {"ana", "access grant o_other officer --institution PE/MP", 0, "grant ana ;"},
    {"o_other", "audit list", 0, ""},
    {"o_other", "explain person 1 --reveal --purpose hearing", 0, "reveal o_other hearing;"},
    {"o_other", "audit checkpoint head.checkpoint", 1, "refuse o_other ;"},
    {"ana", "access revoke o_other auditor", 0, "revoke ana ;"},
    {"o_other", "audit list", 1, "refuse o_other ;"},
    {"o_other", "explain person 1 --reveal --purpose hearing", 0, "reveal o_other hearing;"},
    {"ana", "access list", 0, ""},
    {"ana", "explain person 1 --reveal --purpose hearing", 0, "reveal ana hearing;"},
    {"ana", "explain record demo:D-1 --reveal --purpose hearing", 0, "reveal ana hearing;"},
    {"ana", "quarantine show demo:D-5 --reveal --purpose hearing", 0, "reveal ana hearing;"},
    {"ana", "quarantine dismiss demo:D-5 --reason seen", 0, "dismiss ana seen;"},
    {"ana", "query --purpose look 'SELECT 1'", 0, "query ana look;"},
    {"ana", "report crosstab --by year --exact --purpose yearbook", 0, "exact ana yearbook;"},
    {"ana", "audit sample victims --n 1 --seed 7 --exact --purpose check", 0, "sample ana check;reveal ana check;"},
    {"ana", "export csv --purpose study --out out", 0, "export ana study;exported ana study;"},
    {"ana", "export crosswalk --for PE/MP --purpose study --out out", 0, "reveal ana study;exported ana study;"},
    {"o_officer", "explain person 1 --reveal --purpose hearing", 0, "reveal o_officer hearing;"},
    {"o_officer", "explain person 1", 0, ""},
    {"o_officer", "export htcds --reveal --for PE/MP --purpose study --out out", 0,
     "reveal o_officer study;exported o_officer study;"},
    {"o_officer", "export crosswalk --for PE/MP --purpose study --out out", 0,
     "reveal o_officer study;exported o_officer study;"},
    {"o_officer", "export crosswalk --for PE/PNP --purpose study --out out", 1, "refuse o_officer study;"},
    {"o_officer", "report crosstab --by year", 1, "refuse o_officer ;"},
    {"o_officer", "quarantine dismiss demo:D-5 --reason seen", 1, "refuse o_officer ;"},
    {"o_officer", "audit list", 1, "refuse o_officer ;"},
    {"ana", "release create victims --purpose yearbook", 0, "release ana yearbook;"},
    {"ana", "audit checkpoint --send", 0, "checkpoint ana ;"},
    {"ana", "key rotate", 0, "key ana ;key ana ;"},
    {"ana", "key split shares", 0, "key ana ;"},
    {"ana", "store backup copy.dump", 0, "backup ana ;"},
    {"ana", "store verify copy.dump", 0, "restore_tried ana ;"},
    {"ana", "erase demo:D-6 --reason asked --document 12-2026", 0, "erase ana asked;"},
    {"ana", "erase person 1 --reason asked --document 13-2026", 0, "erase ana asked;"},
    {"", "= UPDATE entries.identity SET body = substr(body, 1, length(body) - 1)", 0, ""},
    {"", "= UPDATE entries.person_identity SET body = substr(body, 1, length(body) - 1)", 0, ""},
    {"o_officer", "explain person 2 --reveal --purpose hearing", 1, "reveal o_officer hearing;"},
    {"o_officer", "export htcds --reveal --for PE/MP --purpose study --out broken", 1, "reveal o_officer study;"},
    {"", "= ALTER TABLE entries.st_case RENAME denuncia_number TO gone", 0, ""},
    {"o_officer", "export crosswalk --for PE/MP --purpose study --out broken", 1, "reveal o_officer study;"},
    {"ana", "access revoke o_officer officer", 0, "revoke ana ;"},
};

/* What stands behind the last entry that was there; a restored log is shorter, and has what was done since by one actor
 * alone. */
static char *entries_after(const struct leaves *one, int64_t before) {
  char sql[192];
  bool shorter = workspace_number(folder, "SELECT max(sequence) FROM audit") < before;
  snprintf(sql, sizeof sql,
           "SELECT event, actor, purpose FROM audit WHERE sequence > %lld AND '%s' IN ('', actor) "
           "ORDER BY sequence",
           shorter ? 0LL : (long long)before, shorter ? one->actor : "");
  char *rows = workspace_rows(folder, sql);
  for (char *at = rows; *at != '\0'; at++) {
    *at = *at == '\n' ? ';' : *at == '|' ? ' ' : *at;
  }
  return rows;
}

static void fill_in(const char *command, char *line, size_t size) {
  size_t len = 0;
  for (const char *at = command; *at != '\0' && len + 32 < size; at++) {
    if (*at == '@') {
      len += (size_t)snprintf(line + len, size - len, "%lld", (long long)place.persons[*++at - '0']);
    } else {
      line[len++] = *at;
    }
  }
  line[len] = '\0';
}

static bool prepares(const char *command) {
  if (command[0] == '!') {
    shell("cd %s && %s", folder, command + 1);
  } else if (command[0] == '=' && strstr(command, "entries.") != NULL) {
    postgres_run(command + 1);
  } else if (command[0] == '=') {
    shell("sqlite3 %s/puente.db \"%s\"", folder, command + 1);
  }
  return command[0] == '!' || command[0] == '=';
}

static bool leaves_it(const struct leaves *one) {
  char line[256];
  if (prepares(one->command)) {
    return true;
  }
  fill_in(one->command, line, sizeof line);
  int64_t before = workspace_number(folder, "SELECT max(sequence) FROM audit");
  char where[512];
  snprintf(where, sizeof where, "%s/%s", folder, one->actor[1] == '_' ? one->actor : ".");
  struct said said = program_run_as(where, one->actor, line);
  char *found = entries_after(one, before);
  bool same = said.code == one->code && strcmp(found, one->entries) == 0;
  if (!same) {
    print_error("    {\"%s\", \"%s\", %d, \"%s\"},\n%s", one->actor, one->command, said.code, found,
                said.code == 0 ? "" : said.err);
  }
  free(found);
  return same;
}

static void leave_all(const struct leaves *table, size_t count) {
  size_t wrong = 0;
  for (size_t i = 0; i < count; i++) {
    wrong += !leaves_it(&table[i]);
  }
  assert_int_equal(wrong, 0);
  program_forget();
}

static const char HOLDERS[] = "checkpoints: {holders: [{name: notary, folder: held}]}\n";

static void test_sqlite(void **state) {
  (void)state;
  char text[512];
  reviewing_open(&place, 0);
  folder = place.folder;
  snprintf(text, sizeof text, "name: test\nlink: link.yaml\n%s", HOLDERS);
  program_write(folder, "puente.yaml", text);
  program_write(folder, "mappings/demo.yaml", MAPPING);
  program_write(folder, "incoming/one.csv", ROWS);
  shell("mkdir %s/held %s/shares", folder, folder);
  leave_all(ON_SQLITE, sizeof ON_SQLITE / sizeof *ON_SQLITE);
  reviewing_close(&place);
}

static void write_config(const char *where, const char *user) {
  char text[1024];
  const char *dsn = postgres_start(), *login = strstr(dsn, "user=puente");
  assert_non_null(login);
  snprintf(text, sizeof text,
           "name: test\n%sapproval: {required: [mapping]}\nstore:\n  postgres: \"%.*suser=%s%s\"\n  schema: entries\n",
           HOLDERS, (int)(login - dsn), dsn, user, login + strlen("user=puente"));
  program_write(where, "puente.yaml", text);
}

static void make_login(const char *login) {
  char where[512], line[64];
  snprintf(where, sizeof where, "%s/%s", folder, login);
  snprintf(line, sizeof line, "CREATE ROLE %s LOGIN", login);
  postgres_run(line);
  shell("mkdir %s && cp -r %s/sources %s/mappings %s/puente.key %s/", where, folder, folder, folder, where);
  write_config(where, login);
}

static void test_postgres(void **state) {
  (void)state;
  folder = temp_make();
  assert_int_equal(program_run(folder, "--quiet init .").code, 0);
  program_write(folder, "sources/demo.yaml",
                "source: demo\ninstitution: PE/MP\ncontact: help desk 1234\nunit: denuncia\nconnector: file\n"
                "options: {path: incoming, settle: 0s}\n");
  program_write(folder, "mappings/demo.yaml", MAPPING);
  program_write(folder, "incoming/one.csv", ROWS);
  write_config(folder, "puente");
  shell("mkdir %s/held %s/shares", folder, folder);
  make_login("o_officer");
  make_login("o_other");
  assert_int_equal(program_run(folder, "store init").code, 0);
  leave_all(ON_POSTGRES, sizeof ON_POSTGRES / sizeof *ON_POSTGRES);
  temp_remove(folder);
}

/* Each event of the tables is told of in the documentation. */
static void check_documented(const struct leaves *table, size_t count, const char *text) {
  char word[64];
  for (size_t i = 0; i < count; i++) {
    for (const char *at = table[i].entries; *at != '\0'; at = strchr(at, ';') + 1) {
      snprintf(word, sizeof word, "`%.*s`", (int)strcspn(at, " "), at);
      if (strstr(text, word) == NULL) {
        fail_msg("docs/audit-log.md does not tell what %s is", word);
      }
    }
  }
}

static void test_events_are_documented(void **state) {
  (void)state;
  struct buffer text;
  struct error error;
  assert_int_equal(file_read("docs/audit-log.md", 1 << 20, &text, &error), OK);
  char *from = strstr(text.data, "## Events"), *to = strstr(text.data, "## Checking");
  assert_true(from != NULL && to != NULL);
  *to = '\0';
  check_documented(ON_SQLITE, sizeof ON_SQLITE / sizeof *ON_SQLITE, from);
  check_documented(ON_POSTGRES, sizeof ON_POSTGRES / sizeof *ON_POSTGRES, from);
  buffer_free(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sqlite), cmocka_unit_test(test_postgres),
                                     cmocka_unit_test(test_events_are_documented)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
