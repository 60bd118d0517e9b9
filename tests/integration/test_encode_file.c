/* `puente encode`: an institution encodes its own file, sends that, and what Puente has of the same persons is found by
 * codes alone: a question for a person, never a merge. */
#include "core/link/clk.h"
#include "tests/support/program.h"
#include "tests/support/temp.h"
#include "tests/support/terms.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* In windows-1252; the first is known to the police by name, the second to the shelter by a code that Puente made. */
#define HEAD "id;fecha;nombres;apellidos;nacimiento;sexo;dni;obs\n"
static const char FILE_1252[] = HEAD "N1;2024-02-02;MAR\xCD"
                                     "A ELENA;CCORIMANYA HUILLCA;07/08/1999;F;41112222;\"llam\xF3; \"\"sola\"\"\n"
                                     "volver a llamar\"\n"
                                     "N2;2024-03-02;DELIA;APAZA TTITO;17-01-1987;F;43334444;\n"
                                     "N3;2024-03-03;NILDA;;1990;F;;\n"
                                     "N4;2024-03-03;NILDA;CUSI;99;F;;\n";
static const char MAPPING[] = "source: ngo\nformat: csv\ndelimiter: \";\"\n"
                              "case:\n  key: id\n  denuncia_number: id\n  reported_on: fecha\n"
                              "person:\n  key: id\n  role: victim\n  name_encoding: name_encoding\n  sex: sexo\n";
static const char POLICE[] =
    "{\"num\":\"D8\",\"date\":\"2024-01-01\",\"victims\":[{\"doc\":\"2\",\"given\":\"Maria Elena\","
    "\"paternal\":\"Ccorimanya\",\"maternal\":\"Huillca\",\"born\":\"1999-08-07\",\"sex\":\"F\"}]}\n";
static const char SHELTER_SOURCE[] = "source: shelter\ninstitution: PE/MIMP\nunit: denuncia\nconnector: file\n"
                                     "options: {path: incoming/shelter, settle: 0s}\nprecedence: 3\n"
                                     "terms:\n  linked_by_name: encoded\n  fields: [key, date]\n";
static const char SHELTER_MAPPING[] = "source: shelter\nformat: json\n"
                                      "case:\n  key: key\n  denuncia_number: key\n  reported_on: date\n"
                                      "person:\n  key: key\n  role: victim\n  full_name: name\n  birth_date: born\n";
static const char SHELTER[] =
    "{\"key\":\"S1\",\"date\":\"2024-03-01\",\"name\":\"Apaza Ttito, Delia\",\"born\":\"1987-01-17\"}\n";

#define OPTIONS                                                                                                        \
  "--key linkage.key --name nombres --name apellidos --birth-date nacimiento --drop dni --delimiter ; "                \
  "--encoding windows-1252"

static void begin(struct terms_ground *ground, const char *schema) {
  terms_begin(ground, schema, NULL);
  shell("mkdir -p %s/incoming/shelter", ground->folder);
  program_write(ground->folder, "sources/shelter.yaml", SHELTER_SOURCE);
  program_write(ground->folder, "mappings/shelter.yaml", SHELTER_MAPPING);
  program_write(ground->folder, "mappings/ngo.yaml", MAPPING);
  program_write(ground->folder, "house.csv", FILE_1252);
  terms_page(ground, "reta", "1", POLICE);
  terms_page(ground, "shelter", "1", SHELTER);
  terms_run(ground, 0, "store init");
  terms_run(ground, 0, "key linkage linkage.key --for PE/CHS --reason 'agreement 12'");
}

static int64_t number(const struct terms_ground *ground, const char *sql) {
  return workspace_number(ground->folder, sql);
}

static void refused(const struct terms_ground *ground, const char *arguments, int code, const char *wanted) {
  struct said said = program_run(ground->folder, arguments);
  if (said.code != code || strcmp(said.err, wanted) != 0) {
    fail_msg("%s: %d\n%s%s", arguments, said.code, said.out, said.err);
  }
}

static const char TOLD[] = "warning: house.csv:5: fewer than two words of a name: no code\n"
                           "warning: house.csv:6: the birth date cannot be read: the code has none\n";

static void encodes(const struct terms_ground *ground, const char *key) {
  static const char *const GONE[] = {"ELENA", "CCORIMANYA", "HUILLCA",    "DELIA",    "APAZA",
                                     "TTITO", "07/08/1999", "17-01-1987", "41112222", NULL};
  char arguments[512], path[512];
  struct stat info;
  snprintf(arguments, sizeof arguments, "encode house.csv --out sent.csv %s --key %s", OPTIONS, key);
  struct said said = program_run(ground->folder, arguments);
  assert_int_equal(said.code, 0);
  assert_string_equal(said.err, TOLD);
  assert_non_null(strstr(said.out, "lines: 4, codes: 3, persons without a code: 1, birth dates not read: 1\n"));
  snprintf(path, sizeof path, "%s/sent.csv", ground->folder);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 07777, 0600);
  char *sent = program_read(ground->folder, "sent.csv");
  for (size_t i = 0; GONE[i] != NULL; i++) {
    assert_null(strstr(sent, GONE[i]));
  }
  /* What is no name passes as it is, now in UTF-8. */
  assert_memory_equal(sent, "id;fecha;name_encoding;sexo;obs\nN1;2024-02-02;clk1:", 51);
  assert_non_null(strstr(sent, ";F;\"llam\xC3\xB3; \"\"sola\"\"\nvolver a llamar\"\nN2;2024-03-02;clk1:"));
  assert_non_null(strstr(sent, "\nN3;2024-03-03;;F;\nN4;"));
  terms_page(ground, "ngo", "1", sent);
  free(sent);
}

/* From the house to a question: the mapping reads the column, linking compares, a person is asked. */
static void comes_to_review(const char *schema) {
  struct terms_ground ground;
  begin(&ground, schema);
  encodes(&ground, "linkage.key");
  terms_run(&ground, 0, "--quiet run");
  assert_int_equal(number(&ground, "SELECT count(*) FROM records WHERE source = 'ngo' AND state = 'mapped'"), 4);
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons"), 6);
  assert_int_equal(number(&ground, "SELECT count(*) FROM pairs WHERE outcome = 'joined'"), 0);
  assert_int_equal(number(&ground,
                          "SELECT count(*) FROM pairs WHERE rule = 'name encoding' AND outcome = 'waiting' AND "
                          "reason = 'encoding'"),
                   2);
  /* The codes are those that Puente makes itself: of a name that it has, and of one that another source encoded. */
  char *rows = workspace_rows(ground.folder, "SELECT row_a, row_b FROM pairs WHERE rule = 'name encoding'");
  char *rest = rows;
  for (int i = 0; i < 2; i++) {
    char line[128];
    long long a = strtoll(rest, &rest, 10), b = strtoll(rest + 1, &rest, 10);
    snprintf(line, sizeof line, "explain pair %lld %lld", a, b);
    assert_non_null(strstr(terms_run(&ground, 0, line), "codes of their names (clk1): Dice 1.000"));
  }
  free(rows);
  assert_null(terms_found(&ground, "TTITO"));
  assert_null(terms_found(&ground, "43334444"));
  /* An entry of the log tells that the key was given, to whom and why. */
  rows = workspace_rows(ground.folder, "SELECT actor, purpose, body FROM audit WHERE event = 'key'");
  assert_non_null(strstr(rows, "tester|agreement 12|{\"for\":\"PE/CHS\",\"key\":\""));
  assert_non_null(strstr(rows, "\",\"step\":\"linkage\"}\n"));
  char *key = program_read(ground.folder, "linkage.key"), *secret = strstr(key, "data: ");
  assert_non_null(secret);
  secret[6 + 64] = '\0';
  assert_null(strstr(rows, secret + 6));
  free(key);
  free(rows);
  terms_run(&ground, 0, "audit verify");
  terms_end(&ground);
}

/* Under the key of another workspace the codes are codes, and meet nobody. */
static void wrong_key_links_nothing(void **state) {
  struct terms_ground ground;
  (void)state;
  begin(&ground, NULL);
  shell("%s/puente --quiet init %s/other", build_folder(), ground.folder);
  terms_run(&ground, 0, "--config other/puente.yaml store init");
  terms_run(&ground, 0, "--config other/puente.yaml key linkage wrong.key --for PE/CHS --reason slip");
  encodes(&ground, "wrong.key");
  terms_run(&ground, 0, "--quiet run");
  assert_int_equal(number(&ground, "SELECT count(*) FROM records WHERE source = 'ngo' AND state = 'mapped'"), 4);
  assert_int_equal(number(&ground, "SELECT count(*) FROM pairs WHERE rule = 'name encoding'"), 0);
  assert_int_equal(number(&ground, "SELECT count(*) FROM persons"), 6);
  terms_end(&ground);
}

static void assert_nothing_left(const struct terms_ground *ground) {
  int code = 0;
  char *names = shell_output(&code, "ls -A %s | grep -c 'sent.csv'", ground->folder);
  assert_string_equal(names, "0\n");
  free(names);
}

static void test_places(void **state) {
  struct terms_ground ground;
  (void)state;
  begin(&ground, NULL);
  program_write(ground.folder, "house.csv", HEAD "N1;2024-02-02;ROSA;QUISPE;;F;;\"a\nb\"\nN2;x;ROSA;QUISPE;;F\n");
  refused(&ground, "encode house.csv --out sent.csv " OPTIONS, 1, "error: 6 fields instead of 8\n  at: house.csv:4\n");
  assert_nothing_left(&ground);
  program_write(ground.folder, "house.csv",
                HEAD "N1;2024-02-02;Rosa Luz;Quispe;;F;;\nN2;x;Rosa Luz;Quispe;;F;;dice "
                     "ROSA que Qu\xEDspe\n");
  refused(&ground, "encode house.csv --out sent.csv " OPTIONS, 1,
          "error: the column \"obs\" holds words of the person's name\n  at: house.csv:3\n"
          "  hint: leave it out by --drop, or say by --keep that it may pass; nothing was written\n");
  assert_nothing_left(&ground);
  terms_run(&ground, 0, "encode house.csv --out sent.csv " OPTIONS " --keep obs");
  refused(&ground, "encode house.csv --out sent.csv " OPTIONS " --drop obs", 2,
          "error: a file of this name is there already\n  at: sent.csv\n");
  refused(&ground, "encode house.csv " OPTIONS " --drop apelidos", 1,
          "error: there is no column \"apelidos\"\n  at: house.csv\n  hint: did you mean \"apellidos\"?\n");
  refused(&ground, "encode house.csv " OPTIONS " --drop apellidos", 2,
          "error: the column \"apellidos\" is named twice\n");
  refused(&ground, "encode house.csv " OPTIONS " --into id", 2,
          "error: two columns of the new file would be \"id\"\n  hint: --into names the column of the code\n");
  program_write(ground.folder, "house.csv", HEAD "N1;x;\"ROSA;Q;;F;;\n");
  struct said said = program_run(ground.folder, "encode house.csv --key linkage.key --name nombres --delimiter ;");
  assert_int_equal(said.code, 1);
  assert_non_null(strstr(said.err, "  at: house.csv:2\n"));
  said = program_run(ground.folder, "encode house.csv --key linkage.key --name nombres");
  assert_int_equal(said.code, 1);
  assert_non_null(strstr(said.err, "  at: house.csv:1\n"));
  terms_end(&ground);
}

static void test_keys(void **state) {
  struct terms_ground ground;
  (void)state;
  begin(&ground, NULL);
  refused(&ground, "encode house.csv --name nombres", 2,
          "error: --key FILE is needed: the linkage key\n"
          "  hint: ask the centre for the file that its `puente key linkage FILE` writes\n");
  refused(&ground, "encode house.csv --name nombres --key puente.key", 1,
          "error: this is not a linkage key\n  at: puente.key\n"
          "  hint: ask the centre for the file that its `puente key linkage FILE` writes\n");
  shell("cd %s && sed '/^data/s/[0-9]/x/' linkage.key >bad.key && sed '/^code/s/1/2/' linkage.key >other.key && "
        "chmod 600 bad.key other.key && cp linkage.key open.key && chmod 640 open.key",
        ground.folder);
  refused(&ground, "encode house.csv --name nombres --key bad.key", 1,
          "error: this linkage key is damaged\n  at: bad.key\n"
          "  hint: ask the centre for the file that its `puente key linkage FILE` writes\n");
  refused(&ground, "encode house.csv --name nombres --key open.key", 2,
          "error: the key file can be read by others (mode 0640)\n  at: open.key\n  hint: chmod 600 the file\n");
  refused(&ground, "key linkage linkage.key --for PE/CHS --reason again", 2,
          "error: a file of this name is there already\n  at: linkage.key\n");
  refused(&ground, "key linkage new.key --for PE/CHS", 2,
          "error: --for INSTITUTION and --reason TEXT are needed\n"
          "  hint: the log keeps who was given the linkage key, and why\n");
  struct said said = program_run_as(ground.folder, "root", "key linkage new.key --for PE/CHS --reason again");
  assert_int_equal(said.code, 1);
  assert_int_equal(number(&ground, "SELECT count(*) FROM audit WHERE event = 'key'"), 1);
  /* It is derived from the workspace's key, and is not that key. */
  assert_int_equal(program_run(ground.folder, "--quiet sync").code, 0);
  shell("cd %s && cp linkage.key puente.key", ground.folder);
  assert_int_not_equal(program_run(ground.folder, "--quiet sync").code, 0);
  terms_end(&ground);
}

/* Several persons a line, and what the file that tells them refuses. */
static void test_columns_file(void **state) {
  struct terms_ground ground;
  (void)state;
  begin(&ground, NULL);
  program_write(ground.folder, "house.csv",
                "Relacion de casos\ncase|v1|b1|v2|b2|note\nA|Rosa Quispe|2001-01-01|Ana "
                "Paz|2002|\nB|Rosa Quispe|2001-01-01|||x\n");
  program_write(ground.folder, "columns.yaml",
                "format: csv\ndelimiter: \"|\"\nheader: 2\npersons:\n  - {names: v1, birth_date: b1, into: first}\n"
                "  - {names: [v2], birth_date: b2, into: second}\ndrop: note\n");
  terms_run(&ground, 0, "encode house.csv --key linkage.key --columns columns.yaml --out sent.csv");
  char *sent = program_read(ground.folder, "sent.csv");
  assert_memory_equal(sent, "case|first|second\nA|clk1:", 25);
  char *first = strstr(sent, "clk1:"), *second = strstr(first + 1, "clk1:"), *third = strstr(second + 1, "clk1:");
  assert_memory_equal(first, third, CLK_TEXT_SIZE);
  assert_memory_not_equal(first, second, CLK_TEXT_SIZE);
  assert_string_equal(third + CLK_TEXT_SIZE, "|\n");
  free(sent);
  program_write(ground.folder, "columns.yaml", "format: csv\npersons:\n  - {nams: v1}\n");
  refused(&ground, "encode house.csv --key linkage.key --columns columns.yaml", 2,
          "error: unknown key 'nams'\n  at: columns.yaml:3:6\n  hint: did you mean 'names'?\n");
  program_write(ground.folder, "columns.yaml", "format: json\nrecord: a\npersons: [{names: v1}]\n");
  struct said said = program_run(ground.folder, "encode house.csv --key linkage.key --columns columns.yaml");
  assert_int_equal(said.code, 2);
  assert_non_null(strstr(said.err, "only files of format csv are encoded\n  at: columns.yaml:1:"));
  terms_end(&ground);
}

static void comes_to_review_sqlite(void **state) {
  (void)state;
  comes_to_review(NULL);
}

static void comes_to_review_postgres(void **state) {
  (void)state;
  comes_to_review("encode_file");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(comes_to_review_sqlite),
      cmocka_unit_test(comes_to_review_postgres),
      cmocka_unit_test(wrong_key_links_nothing),
      cmocka_unit_test(test_places),
      cmocka_unit_test(test_keys),
      cmocka_unit_test(test_columns_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
