/* Every allocation, read, write and libpq call of Puente's own fails in turn, over small fixed scenarios; see
 * torture.h. The quick run takes a few of each; `make check-long` all of them. By hand:
 * TORTURE=paths|all|N TORTURE_ONLY='part of a name,another' TORTURE_PASS=fails TORTURE_AT=17 TORTURE_JOBS=2. */
#include "tests/torture/torture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A file of the source hojas without a column that its mapping reads. */
#define FEWER_COLUMNS "$ printf 'id;victim;date;surname;name\\nD-4;a;03/02/2024;Rojas;Ana\\n' >incoming/hojas/two.csv"

/* An institution's own file, and the key to encode it with. */
#define HOUSE                                                                                                          \
  "$ printf 'id,given,surname,born,dni\\nN-1,Rosa,Quispe Mamani,1999-08-07,41112222\\nN-2,Luz,,1990,\\n"               \
  "N-3,Rosa,Quispe Mamani,1999-08-07,41112222\\n' >house.csv"
#define LINKAGE_KEY "key linkage linkage.key --for PE/MP --reason test"
#define SHARES "sync", "$ mkdir shares", "key split shares"
#define TWO_SHARES "shares/share-1-of-3.txt shares/share-3-of-3.txt"
/* Linkage under approval, its six files approved: what it learns is proposal 7. */
#define BY_OTHER(id) "other: approve accept " #id " --reason test"
#define APPROVED_RULES                                                                                                 \
  "sync", "$ echo 'approval: {required: [link]}' >>puente.yaml",                                                       \
      "approve propose link --reason test --document 'Carta 1'", BY_OTHER(1), BY_OTHER(2), BY_OTHER(3), BY_OTHER(4),   \
      BY_OTHER(5), BY_OTHER(6)
#define PROPOSED_MAPPING                                                                                               \
  "sync", "$ echo 'approval: {required: [mapping]}' >>puente.yaml",                                                    \
      "approve propose mapping hojas --reason test --document 'Carta 1'"
#define HOLDERS "$ mkdir held && echo 'checkpoints: {holders: [{name: notary, folder: held}]}' >>puente.yaml"
#define RELEASED "sync", "link", "release create victims --purpose test"
/* A source on another machine (remote.h), and what its answers mean; its options stand in double quotes of the shell.
 */
#define SOURCE(connector, options)                                                                                     \
  "$ echo \"{source: far, title: Far, institution: PE/MP, contact: help desk 7, unit: denuncia, connector: " connector \
  ", options: {" options "}}\" >sources/far.yaml"
#define MAPPING(format, record, id, each, number, surname, name, document)                                             \
  "$ printf 'source: far\nformat: " format "\n" record "case:\n  key: " id "\n  denuncia_number: " id                  \
  "\nperson:\n" each "  role: victim\n  paternal_surname: {from: " surname                                             \
  ", clean: name}\n  given_names: {from: " name ", clean: name}\n  document_number: " document                         \
  "\n' >mappings/far.yaml"
#define WEB                                                                                                            \
  SOURCE("rest", "url: 'http://127.0.0.1:$TORTURE_HTTP/cases', auth: oauth2, client_id: puente, "                      \
                 "token_url: 'http://127.0.0.1:$TORTURE_HTTP/token', client_secret: 'env:TORTURE_SECRET', "            \
                 "records: data, paging: next_link, next_path: next, total_path: total, retries: 1, "                  \
                 "since_parameter: since, until_parameter: until, watermark_field: changed"),                          \
      MAPPING("json", "record: data\n", "id", "  each: victims\n  key: [../id, n]\n", "n", "surname", "name",          \
              "document")
#define SOAP                                                                                                           \
  SOURCE("soap", "url: 'http://127.0.0.1:$TORTURE_HTTP/soap', action: Casos, security: digest, username: puente, "     \
                 "password: 'env:TORTURE_SECRET', paging: page, page_count_element: Paginas, record: Casos/Caso, "     \
                 "request: '<Casos><Pagina>{{page}}</Pagina></Casos>'"),                                               \
      MAPPING("xml", "record: Casos/Caso\n", "Numero", "  each: Persona\n  key: [../Numero, Orden]\n", "Orden",        \
              "Apellido", "Nombre", "Dni")
#define ROWS "SELECT * FROM (VALUES ('R-1', 'QUISPE', 'ROSA', '45678901', 1), ('R-2', 'MAMANI', 'LUZ', '45678902', 2)) "
#define ROW_MAPPING MAPPING("row", "", "id", "  key: [id]\n", "id", "surname", "name", "document")
#define TELLING                                                                                                        \
  "$ echo \"notify: {mail: {server: 'smtp://127.0.0.1:$TORTURE_SMTP', from: p@example.org, to: [o@example.org]}, "     \
  "webhooks: [{url: 'http://127.0.0.1:$TORTURE_HTTP/hook', token: 'env:TORTURE_SECRET'}]}\" >>puente.yaml"
#define STAMPED                                                                                                        \
  "$ mkdir held && echo \"checkpoints: {holders: [{name: notary, folder: held}, {name: office, webhook: "              \
  "'http://127.0.0.1:$TORTURE_HTTP/hook'}], timestamp: {url: 'http://127.0.0.1:$TORTURE_STAMP/tsr', "                  \
  "ca_file: '$TORTURE_CA'}}\" >>puente.yaml"
#define DSN "$(sed -n 's/.*postgres: .\\(.*\\).}$/\\1/p' puente.yaml)"
/* A model with a field more than the store. */
#define GROWN                                                                                                          \
  "$ mkdir model && cp $OLDPWD/config/model/*.yaml model && echo 'model: model' >>puente.yaml && "                     \
  "sed -i 's/^  given_names:/  clan: {type: text, en: Clan, es: Clan}\\n&/' model/*.yaml"
#define SHRUNK "$ sed -i '/^model:/d' puente.yaml"
#define LEDGER "$ echo 'disclosure: {k: 2, reports: ledger}' >>puente.yaml"
#define CROSSTAB "report crosstab --indicator victims --by sex"
#define PAIR_A "9007199256182785"
#define PAIR_B "13510798883553281"

/* The longest ones first, so that none is left alone at the end. */
static const struct scenario scenarios[] = {
    {.name = "serve once",
     .prepare = {"store init",
                 "$ echo 'serve: {status: off, sources: {hojas: {schedule: \"@hourly\"}}}' >>puente.yaml"},
     .command = "serve --once",
     .again = "run hojas",
     .stays = 1,
     .slow = true},
    {.name = "postgres grant",
     .prepare = {"store init", "access setup"},
     .command = "access grant torture_login officer --institution PE/MP --region 15",
     .postgres = true,
     .slow = true,
     .once = true},
    {.name = "postgres revoke",
     .prepare = {"store init", "access setup", "access grant torture_login auditor"},
     .command = "access revoke torture_login auditor",
     .postgres = true,
     .slow = true,
     .once = true},
    {.name = "access list",
     .prepare = {"store init", "access setup", "access grant torture_login auditor"},
     .command = "access list",
     .postgres = true,
     .slow = true},
    {.name = "postgres workspace key",
     .prepare = {"sync"},
     .command = "key rotate --workspace-key",
     .postgres = true,
     .slow = true},
    {.name = "postgres release",
     .prepare = {"sync", "link"},
     .command = "release create victims --purpose test",
     .postgres = true,
     .slow = true},
    {.name = "postgres sync", .prepare = {"sync hojas"}, .command = "sync fichas", .postgres = true},
    {.name = "postgres link", .prepare = {"sync"}, .command = "link", .postgres = true},
    {.name = "postgres erase",
     .prepare = {"sync", "link"},
     .command = "erase hojas:D-1 --reason test --document 'Carta 1'",
     .postgres = true,
     .slow = true},
    {.name = "postgres backup",
     .prepare = {"sync"},
     .command = "store backup copy.db",
     .again = "store backup other.db",
     .postgres = true,
     .slow = true},
    {.name = "postgres restore",
     .prepare = {"sync", "store backup copy.db"},
     .command = "store restore copy.db",
     .postgres = true,
     .slow = true},
    {.name = "postgres access", .prepare = {"sync"}, .command = "access setup", .postgres = true, .slow = true},
    {.name = "postgres status", .prepare = {"sync"}, .command = "status", .postgres = true, .slow = true},
    {.name = "check", .command = "check"},
    {.name = "init", .command = "init made", .once = true},
    {.name = "map", .command = "map run mappings/fichas.yaml incoming/fichas/one.json"},
    {.name = "store init", .command = "store init", .once = true, .slow = true},
    {.name = "sync csv", .prepare = {"store init"}, .command = "sync hojas"},
    {.name = "sync json", .prepare = {"sync hojas"}, .command = "sync fichas"},
    {.name = "sync xml", .prepare = {"sync hojas"}, .command = "sync actas"},
    {.name = "sync again", .prepare = {"sync"}, .command = "sync"},
    {.name = "sync full", .prepare = {"sync"}, .command = "sync --full", .slow = true},
    {.name = "sync reload", .prepare = {"sync"}, .command = "sync fichas --reload", .slow = true},
    {.name = "sync drift", .prepare = {"sync", FEWER_COLUMNS}, .command = "sync hojas", .slow = true},
    {.name = "drift list", .prepare = {"sync", FEWER_COLUMNS, "sync hojas"}, .command = "drift list", .slow = true},
    {.name = "drift accept",
     .prepare = {"sync", FEWER_COLUMNS, "sync hojas"},
     .command = "drift accept hojas document --reason test",
     .once = true},
    {.name = "link", .prepare = {"sync"}, .command = "link"},
    {.name = "remap", .prepare = {"sync"}, .command = "remap"},
    {.name = "quarantine list", .prepare = {"sync"}, .command = "quarantine list", .slow = true},
    {.name = "quarantine show", .prepare = {"sync"}, .command = "quarantine show hojas:D-3 --reveal --purpose test"},
    {.name = "quarantine dismiss",
     .prepare = {"sync"},
     .command = "quarantine dismiss hojas:D-3 --reason test",
     .once = true},
    {.name = "dismiss by reason",
     .prepare = {"sync"},
     .command = "quarantine dismiss --source hojas --because date_impossible --reason test",
     .slow = true},
    {.name = "quarantine retry",
     .prepare = {"sync", "$ sed -i 's/else: quarantine/else: null/' mappings/hojas.yaml"},
     .command = "quarantine retry hojas",
     .slow = true},
    {.name = "erase record",
     .prepare = {"sync", "link"},
     .command = "erase hojas:D-1 --reason test --document 'Carta 1'"},
    {.name = "erase person",
     .prepare = {"sync", "link"},
     .command = "erase person 1 --reason test --document 'Carta 1'",
     .slow = true,
     .once = true},
    {.name = "erase list",
     .prepare = {"sync", "erase hojas:D-1 --reason test --document 'Carta 1'"},
     .command = "erase list",
     .slow = true},
    {.name = "erase expired",
     .prepare = {"sync", "$ echo 'terms: {retention: 1y}' >>sources/hojas.yaml"},
     .command = "erase expired",
     .slow = true},
    {.name = "status", .prepare = {"sync", "link"}, .command = "status --json"},
    {.name = "explain", .prepare = {"sync", "link"}, .command = "explain person 1"},
    {.name = "review", .prepare = {"sync", "link"}, .command = "review list", .slow = true},
    {.name = "review accept",
     .prepare = {"sync", "link"},
     .command = "review accept " PAIR_A "-" PAIR_B " --reason test",
     .slow = true,
     .once = true},
    {.name = "report", .prepare = {"sync", "link"}, .command = "report crosstab --indicator victims --by sex"},
    {.name = "export",
     .prepare = {"sync", "link"},
     .command = "export htcds --purpose test --out out",
     .writes = "out/person.csv"},
    {.name = "query",
     .prepare = {"sync", "link"},
     .command = "query --purpose x 'SELECT * FROM persons' --csv",
     .slow = true},
    {.name = "audit list", .prepare = {"sync", "link"}, .command = "audit list --person 1", .slow = true},
    {.name = "audit verify", .prepare = {"sync", "link"}, .command = "audit verify"},
    {.name = "audit export",
     .prepare = {"sync", "link"},
     .command = "audit export log.jsonl",
     .writes = "log.jsonl",
     .slow = true},
    {.name = "audit openlineage",
     .prepare = {"sync", "link"},
     .command = "audit export o --format openlineage",
     .slow = true},
    {.name = "audit prov", .prepare = {"sync", "link"}, .command = "audit export p --format prov", .slow = true},
    {.name = "audit checkpoint", .prepare = {"sync", "link"}, .command = "audit checkpoint point"},
    {.name = "backup",
     .prepare = {"sync"},
     .command = "store backup copy.db",
     .again = "store backup other.db"}, /* the first may be whole, and only its words were lost */
    {.name = "restore", .prepare = {"sync", "store backup copy.db"}, .command = "store restore copy.db"},
    {.name = "verify",
     .prepare = {"sync", "store backup copy.db"},
     .command = "store verify copy.db --full",
     .slow = true},
    {.name = "key rotate", .prepare = {"sync"}, .command = "key rotate", .slow = true},
    {.name = "key split",
     .prepare = {"sync", "$ mkdir shares others"},
     .command = "key split shares",
     .again = "key split others",
     .slow = true},
    {.name = "handover", .prepare = {"sync", "link"}, .command = "handover --out handover.md", .slow = true},
    {.name = "approve propose",
     .prepare = {"sync", "$ echo 'approval: {required: [mapping]}' >>puente.yaml"},
     .command = "approve propose mapping hojas --reason test --document 'Carta 1'",
     .slow = true,
     .once = true},
    {.name = "release", .prepare = {"sync", "link"}, .command = "release create victims --purpose test", .slow = true},
    {.name = "encode",
     .prepare = {"store init", LINKAGE_KEY, HOUSE},
     .command = "encode house.csv --key linkage.key --name given --name surname --birth-date born --drop dni",
     .slow = true},
    {.name = "encode file",
     .prepare = {"store init", LINKAGE_KEY, HOUSE,
                 "$ printf 'format: csv\\npersons:\\n  - {names: [given, surname], birth_date: born, into: code}\\n"
                 "drop: dni\\n' >columns.yaml"},
     .command = "encode house.csv --key linkage.key --columns columns.yaml --out sent.csv",
     .writes = "sent.csv",
     .slow = true,
     .once = true},
    {.name = "key linkage",
     .prepare = {"store init"},
     .command = LINKAGE_KEY,
     .writes = "linkage.key",
     .slow = true,
     .once = true},
    {.name = "key workspace", .prepare = {"sync"}, .command = "key rotate --workspace-key", .slow = true},
    {.name = "key check", .prepare = {SHARES}, .command = "key check " TWO_SHARES, .slow = true},
    {.name = "key join",
     .prepare = {SHARES},
     .command = "key join " TWO_SHARES " again.key",
     .writes = "again.key",
     .slow = true,
     .once = true},
    {.name = "key list", .prepare = {"sync"}, .command = "key list", .slow = true},
    {.name = "weights propose", .prepare = {APPROVED_RULES}, .command = "link --train", .slow = true},
    {.name = "weights show", .prepare = {APPROVED_RULES, "link --train"}, .command = "approve show 7", .slow = true},
    {.name = "weights accept",
     .prepare = {APPROVED_RULES, "link --train"},
     .command = "other: approve accept 7 --reason test --document 'Carta 2'",
     .slow = true,
     .once = true},
    {.name = "weights link",
     .prepare = {APPROVED_RULES, "link --train", "other: approve accept 7 --reason test --document 'Carta 2'"},
     .command = "link",
     .slow = true},
    {.name = "approve show", .prepare = {PROPOSED_MAPPING}, .command = "approve show 1", .slow = true},
    {.name = "approve accept",
     .prepare = {PROPOSED_MAPPING},
     .command = "other: approve accept 1 --reason test",
     .slow = true,
     .once = true},
    {.name = "approve reject",
     .prepare = {PROPOSED_MAPPING},
     .command = "other: approve reject 1 --reason test",
     .slow = true,
     .once = true},
    {.name = "export crosswalk",
     .prepare = {"sync", "link"},
     .command = "export crosswalk --for PE/MP --purpose test --out out",
     .writes = "out/crosswalk.csv",
     .slow = true},
    {.name = "export reveal",
     .prepare = {"sync", "link"},
     .command = "export htcds --reveal --for PE/MP --purpose test --out out",
     .slow = true},
    {.name = "export ctdc",
     .prepare = {"sync", "link"},
     .command = "export ctdc --purpose test --out out",
     .slow = true},
    {.name = "audit sample",
     .prepare = {"sync", "link"},
     .command = "audit sample victims --n 2 --seed 7 --exact --purpose test",
     .slow = true},
    {.name = "audit mapping", .prepare = {"sync"}, .command = "audit mapping hojas", .slow = true},
    {.name = "audit send", .prepare = {"sync", HOLDERS}, .command = "audit checkpoint --send", .slow = true},
    {.name = "audit receipts",
     .prepare = {"sync", HOLDERS, "audit checkpoint --send"},
     .command = "audit receipts",
     .slow = true},
    {.name = "explain figure",
     .prepare = {"sync", "link"},
     .command = "explain figure victims --by sex=female --exact --purpose test",
     .slow = true},
    {.name = "explain released",
     .prepare = {RELEASED},
     .command = "explain figure --release victims sex --by year=2024 --exact --purpose test",
     .slow = true},
    {.name = "explain case", .prepare = {"sync", "link"}, .command = "explain case 1", .slow = true},
    {.name = "explain record", .prepare = {"sync", "link"}, .command = "explain record hojas:D-1", .slow = true},
    {.name = "explain pair",
     .prepare = {"sync", "link"},
     .command = "explain pair " PAIR_A " " PAIR_B " --reveal --purpose test",
     .slow = true},
    {.name = "review show", .prepare = {"sync", "link"}, .command = "review show " PAIR_A "-" PAIR_B, .slow = true},
    {.name = "review reject",
     .prepare = {"sync", "link"},
     .command = "review reject " PAIR_A "-" PAIR_B " --reason test",
     .slow = true,
     .once = true},
    {.name = "release verify", .prepare = {RELEASED}, .command = "release verify victims", .slow = true},
    {.name = "release again", .prepare = {RELEASED}, .command = "release create victims --purpose test", .slow = true},
    {.name = "release show", .prepare = {RELEASED}, .command = "release show victims sex", .slow = true},
    {.name = "release export",
     .prepare = {RELEASED},
     .command = "release export victims given",
     .writes = "given/release.json",
     .slow = true,
     .once = true},
    {.name = "export aggregate",
     .prepare = {RELEASED},
     .command = "export aggregate victims --out given",
     .writes = "given/release.json",
     .slow = true,
     .once = true},
    {.name = "store verify", .prepare = {"sync", "link"}, .command = "store verify --full", .slow = true},
    {.name = "dry sync", .prepare = {"sync hojas"}, .command = "sync fichas --dry-run", .slow = true},
    {.name = "dry remap",
     .prepare = {"sync", "$ echo '  sex: surname' >>mappings/hojas.yaml"},
     .command = "remap --dry-run",
     .slow = true},
    {.name = "check live", .prepare = {"sync"}, .command = "check --live hojas", .slow = true},
    {.name = "codelist import",
     .prepare = {"$ printf 'inei,reniec,departamento,provincia,distrito\\n"
                 "150101,140101,Lima,Lima,Lima\\n150102,140102,Lima,Lima,Ancon\\n' >ubigeo.csv"},
     .command = "codelist import ubigeo ubigeo.csv",
     .writes = "codelists/district.yaml",
     .slow = true},
    {.name = "map test", .command = "map check mappings/hojas.yaml", .slow = true},
    {.name = "report stages", .prepare = {"sync", "link"}, .command = "report stages", .slow = true},
    {.name = "report linkage", .prepare = {"sync", "link"}, .command = "report linkage", .slow = true},
    {.name = "report completeness", .prepare = {"sync", "link"}, .command = "report completeness", .slow = true},
    {.name = "report balance", .prepare = {"sync", "link"}, .command = "report balance", .slow = true},
    {.name = "report discrepancy", .prepare = {"sync", "link"}, .command = "report discrepancy", .slow = true},
    {.name = "link csv",
     .prepare = {HOUSE,
                 "$ printf 'id: id\\ncompare:\\n  document: {kind: document, from: [dni]}\\n"
                 "  name: {kind: name, from: [given, surname]}\\nblock:\\n  - [document]\\n  - [name]\\n' >link.yaml"},
     .command = "link --csv house.csv --link link.yaml --out clusters.csv --pairs-out pairs.csv",
     .writes = "clusters.csv",
     .slow = true},
    {.name = "link suggest", .prepare = {HOUSE}, .command = "link --suggest house.csv", .slow = true},
    {.name = "sync rest", .prepare = {"sync hojas", WEB}, .command = "sync far", .slow = true},
    {.name = "sync soap", .prepare = {"sync hojas", SOAP}, .command = "sync far", .slow = true},
    {.name = "sync rows",
     .prepare = {"sync hojas", "$ sqlite3 far.db \"CREATE TABLE far AS " ROWS "\"",
                 "$ sqlite3 far.db 'ALTER TABLE far RENAME column1 TO id; ALTER TABLE far RENAME column2 TO surname; "
                 "ALTER TABLE far RENAME column3 TO name; ALTER TABLE far RENAME column4 TO document; "
                 "ALTER TABLE far RENAME column5 TO changed'",
                 SOURCE("sql", "sqlite: far.db, query: far, key: id, watermark: changed, page: 4KiB"), ROW_MAPPING},
     .command = "sync far",
     .slow = true},
    {.name = "postgres rows",
     .prepare = {"sync hojas",
                 SOURCE("sql",
                        "dsn: '" DSN "', key: id, "
                        "watermark: changed, query: \\\"" ROWS "AS far (id, surname, name, document, changed)\\\""),
                 ROW_MAPPING},
     .command = "sync far",
     .postgres = true,
     .slow = true},
    {.name = "sync backfill",
     .prepare = {"sync hojas", WEB, "sync far"},
     .command = "sync far --since 2024-05-01 --until 2024-05-31",
     .slow = true},
    {.name = "check live rest", .prepare = {"sync hojas", WEB}, .command = "check --live far", .slow = true},
    {.name = "check live soap", .prepare = {"sync hojas", SOAP}, .command = "check --live far", .slow = true},
    /* Quiet: a message that went is told of without the host where memory ends only then. */
    {.name = "notify test", .prepare = {"sync", TELLING}, .command = "--quiet notify test", .slow = true},
    {.name = "audit stamp", .prepare = {"sync", STAMPED}, .command = "audit checkpoint --send", .slow = true},
    {.name = "erase purge",
     .prepare = {"sync", "erase hojas:D-1 --reason test --document 'Carta 1'"},
     .command = "erase purge",
     .slow = true},
    {.name = "store migrate",
     .prepare = {"sync", "link", "$ sqlite3 puente.db 'PRAGMA user_version = 5'", GROWN},
     .command = "store migrate",
     .slow = true},
    {.name = "store rollback",
     .prepare = {"sync", "link", GROWN, "store migrate", SHRUNK},
     .command = "store rollback",
     .slow = true,
     .once = true},
    {.name = "postgres migrate",
     .prepare = {"sync", "$ psql -qX \"" DSN "\" -c \"UPDATE puente.meta SET value = '5' WHERE name = 'version'\"",
                 GROWN},
     .command = "store migrate",
     .postgres = true,
     .slow = true},
    {.name = "postgres rollback",
     .prepare = {"sync", GROWN, "store migrate", SHRUNK},
     .command = "store rollback",
     .postgres = true,
     .slow = true,
     .once = true},
    {.name = "report told", .prepare = {"sync", "link", LEDGER}, .command = CROSSTAB, .slow = true},
    {.name = "report told again",
     .prepare = {"sync", "link", LEDGER, CROSSTAB},
     .command = "report crosstab --indicator victims --by age_band,sex",
     .slow = true},
    {.name = "audit told", .prepare = {"sync", "link", LEDGER, CROSSTAB}, .command = "audit verify", .slow = true},
    {.name = "postgres told", .prepare = {"sync", "link", LEDGER}, .command = CROSSTAB, .postgres = true, .slow = true},
};

/* Parts of names, parted by commas; NULL: all. */
static bool is_asked_for(const char *name, const char *parts) {
  char part[64];
  while (parts != NULL) {
    size_t length = strcspn(parts, ",");
    snprintf(part, sizeof part, "%.*s", (int)length, parts);
    if (strstr(name, part) != NULL) {
      return true;
    }
    if (parts[length] == '\0') {
      return false;
    }
    parts += length + 1;
  }
  return true;
}

static void test_scenarios(void **state) {
  (void)state;
  const char *only = getenv("TORTURE_ONLY");
  const struct scenario *chosen[sizeof scenarios / sizeof *scenarios];
  unsigned count = 0;
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
    bool left_out = scenarios[i].slow && getenv("TORTURE") == NULL;
    if (!left_out && is_asked_for(scenarios[i].name, only)) {
      chosen[count++] = &scenarios[i];
    }
  }
  assert_int_not_equal(count, 0);
  assert_int_equal(torture_run(chosen, count), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_scenarios)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
