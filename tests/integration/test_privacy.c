/* Nobody of the simulated registries is found in what the program says, tells, exports or keeps: a whole run with
 * injected failures, then every command that operators, analysts and auditors have, messages, figures, copies, and the
 * store itself. The search is tried on each kind of output with somebody put into it. */
#include "core/base/buffer.h"
#include "core/base/file.h"
#include "tests/support/http_server.h"
#include "tests/support/peru.h"
#include "tests/support/postgres.h"
#include "tests/support/program.h"
#include "tests/support/secrets.h"
#include "tests/support/smtp_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

enum { OUTPUTS = 512, FILE_LIMIT = 1 << 28 };

/* What came out: of which kind, of what, and whether it is no text. */
struct output {
  const char *kind;
  char *name, *text;
  size_t length;
  int binary;
};

static struct peru peru;
static char *folder, *program;
static struct secrets *secrets;
static struct http_server *web, *registry;
static struct smtp_server *mail;
static struct output outputs[OUTPUTS];
static size_t output_count;
static int port; /* of the console */

static void keep(const char *kind, const char *name, char *text, size_t length, int binary) {
  assert_true(output_count < OUTPUTS);
  outputs[output_count++] = (struct output){kind, strdup(name), text, length, binary};
}

static char *read_whole(const char *path, size_t *length) {
  struct buffer bytes;
  struct error error;
  if (file_read(path, FILE_LIMIT, &bytes, &error) != OK) {
    fail_msg("%s: %s", path, error.message);
  }
  *length = bytes.len;
  char *text = malloc(bytes.len + 1);
  assert_non_null(text);
  memcpy(text, bytes.data == NULL ? "" : bytes.data, bytes.len);
  text[bytes.len] = '\0';
  buffer_free(&bytes);
  return text;
}

static void keep_file(const char *kind, const char *path, int binary) {
  size_t length;
  char *text = read_whole(path, &length);
  keep(kind, strrchr(path, '/') + 1, text, length, binary);
}

/* Every file below a folder of the workspace. */
static void keep_files(const char *kind, const char *below, int binary) {
  char *list = shell_output(&(int){0}, "find %s/%s -type f | sort", folder, below), *rest = list;
  for (char *path; (path = strsep(&rest, "\n")) != NULL && path[0] != '\0';) {
    keep_file(kind, path, binary);
  }
  free(list);
}

/* ---- who must not be found ---- */

static void learn(const char *path, void (*learns)(struct secrets *, const char *, size_t)) {
  size_t length;
  char *text = read_whole(path, &length);
  learns(secrets, text, length);
  free(text);
}

/* People of a source of the test's own, with all that identifies somebody; of no other source and of no list. */
static const char *const people[] = {
    "{\"id\":\"A-1\",\"doc\":\"48151623\",\"given\":\"Zoraidamaría\",\"paternal\":\"Ñaupahuamaní\",\"maternal\":"
    "\"Qquehuarucho\",\"alias\":\"Chaskañawi\",\"mother\":\"Hermelinda Sonccoñahui\",\"father\":\"Odilón Ccapatinta\","
    "\"phone\":\"987601234\",\"email\":\"zoraida.nh@correodeprueba.example\",\"address\":\"Jirón Huiracochapampa "
    "7421\",\"at\":\"Caserío Pachamachayniyoq\",\"shelter\":\"Hogar Wasichaysumaq\",\"in\":\"20240110\"}",
    "{\"id\":\"A-2\",\"doc\":\"71829304\",\"given\":\"Ludgarda\",\"paternal\":\"Incahuasipuma\",\"maternal\":"
    "\"Tturpocallo\",\"in\":\"20240231\",\"address\":\"Pasaje Yanamayuchayoq 90210\",\"phone\":\"912345670\"}",
    "{\"id\":\"A-3\",\"doc\":\"7182x304\",\"given\":\"Quintiliana\",\"paternal\":\"Sapallanampi\",\"in\":"
    "\"Quintiliana Sapallanampi\",\"address\":{\"calle\":\"Wiñaypaqkawsay\"}}",
    "{\"doc\":\"65432187\",\"given\":\"Sinforosa\",\"paternal\":\"Huaranccallqui\",\"in\":\"20240101\"}",
};
/* Bytes that no parser takes, or that a registry answers instead of records. */
static const char broken_line[] = "{\"id\":\"A-9\",\"given\":\"Trinidadluz\",\"paternal\":\"Maquerhuañahui\"";
static const char refusal[] = "{\"error\":\"la persona Kuntisuyuwaman, DNI 59382716, no existe\",\"resultado\":"
                              "\"Kuntisuyuwaman\"}";
static const char fault[] = "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">"
                            "<s:Body><s:Fault><faultcode>s:Server</faultcode><faultstring>Hatunpampachaw 59382716"
                            "</faultstring></s:Fault></s:Body></s:Envelope>";

static void learn_everybody(void) {
  char path[512];
  secrets = secrets_new();
  /* Words that the program, its lists of codes and places, and the configuration say of themselves. */
  char *list = shell_output(&(int){0}, "find config examples/peru/config po/es.po -type f ! -path 'config/link/*'"),
       *rest = list;
  for (char *file; (file = strsep(&rest, "\n")) != NULL && file[0] != '\0';) {
    learn(file, secrets_ordinary);
  }
  free(list);
  learn("examples/peru/data/districts.csv", secrets_ordinary);
  snprintf(path, sizeof path, "%s/words", peru.folder);
  shell("%s/puente-simulator --persons-csv %s.csv --data examples/peru/data --population 300 --seed 7 --errors 2 && "
        "sqlite3 :memory: '.import --csv %s.csv p' 'SELECT document_number, paternal_surname, maternal_surname, "
        "given_names, full_name FROM p' >%s",
        build_folder(), path, path, path);
  learn(path, secrets_add);
  /* What the sources gave: with the slips of their pens. */
  shell("sqlite3 %s/datamart.db 'SELECT ap_paterno, ap_materno, nombres, nro_doc FROM dim_persona' >%s", peru.folder,
        path);
  learn(path, secrets_add);
  for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
    secrets_add(secrets, people[i], strlen(people[i]));
  }
  static const char more[] = "Trinidadluz Maquerhuañahui Kuntisuyuwaman 59382716 Hatunpampachaw";
  secrets_add(secrets, more, sizeof more - 1);
  if (secrets_count(secrets) < 400) {
    fail_msg("only %zu words tell anybody", secrets_count(secrets));
  }
}

/* ---- the workspace ---- */

static void write_people(void) {
  char text[4096] = "";
  for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s\n", people[i]);
  }
  shell("mkdir %s/albergue", folder);
  program_write(folder, "albergue/1.json", text);
  program_write(folder, "sources/albergue.yaml",
                "source: albergue\ntitle: Albergue\ninstitution: PE/CHS\ncontact: \"mesa, 01-5550100\"\nunit: victim\n"
                "connector: file\noptions: {path: albergue, settle: 0s}\n");
  program_write(folder, "mappings/albergue.yaml",
                "source: albergue\nformat: json\nkey: id\n"
                "case:\n  key: id\n  registered_on: {from: in, date: \"%Y%m%d\", else: quarantine, required: true}\n"
                "person:\n  key: id\n  role: victim\n  given_names: given\n  paternal_surname: paternal\n"
                "  maternal_surname: maternal\n  aliases: alias\n  mother_name: mother\n  father_name: father\n"
                "  document_type: {value: dni}\n  document_number: {from: doc, document: quarantine, type: "
                "document_type}\n  phone: phone\n  email: email\n  address: address\n"
                "measure:\n  key: id\n  type: {value: shelter}\n  starts_on: {from: in, date: \"%Y%m%d\"}\n"
                "  location: at\n  shelter: shelter\n");
}

/* A source at the scripted registry. */
static void write_registry(const char *code, const char *options) {
  char name[64], text[1024];
  snprintf(name, sizeof name, "sources/%s.yaml", code);
  snprintf(text, sizeof text,
           "source: %s\ntitle: Eco\ninstitution: PE/PNP\ncontact: \"mesa, 01-5550100\"\nunit: victim\n"
           "options: {url: \"http://127.0.0.1:%d/%s\", retries: 0%s\n",
           code, http_server_port(registry), code, options);
  program_write(folder, name, text);
  snprintf(name, sizeof name, "mappings/%s.yaml", code);
  snprintf(text, sizeof text, "source: %s\nformat: %s\n%scase:\n  key: id\n  denuncia_number: id\n", code,
           strstr(options, "soap") != NULL ? "xml" : "json", strstr(options, "soap") != NULL ? "record: Caso\n" : "");
  program_write(folder, name, text);
}

static void make_workspace(void) {
  static const struct http_answer takes = {.status = 200};
  static const struct http_answer answers[] = {
      {.path = "/eco1", .status = 400, .body = refusal, .headers = {"Content-Type: application/json"}},
      {.path = "/eco2", .status = 200, .body = broken_line, .headers = {"Content-Type: application/json"}},
      {.path = "/eco3", .status = 500, .body = fault, .headers = {"Content-Type: text/xml"}},
      {.path = "/eco4", .status = 302, .headers = {"Location: http://127.0.0.2/Kuntisuyuwaman?dni=59382716"}},
      {.path = "/eco5", .status = 200, .body = refusal, .headers = {"Content-Type: application/json"}},
      {.path = "/", .status = 404, .body = refusal},
  };
  struct http_server *taken = http_server_start(NULL); /* a port that nobody has now */
  port = http_server_port(taken);
  http_server_stop(taken);
  web = http_server_start(NULL);
  registry = http_server_start(NULL);
  mail = smtp_server_start(NULL);
  http_server_script(web, &takes, 1);
  http_server_script(registry, answers, sizeof answers / sizeof *answers);
  folder = peru_workspace(&peru, "silence", "{sqlite: puente.db}");
  shell("cat >>%s/puente.yaml <<'END'\n"
        "lang: en\n"
        "serve: {timezone: UTC, schedule: '@hourly', status: '127.0.0.1:%d', backup: {schedule: '@hourly'}}\n"
        "notify: {webhooks: [{url: 'http://127.0.0.1:%d/hook'}], digest: '* * * * *', quarantine: {share: 0.0001, "
        "records: 1}, mail: {server: 'smtp://127.0.0.1:%d', from: p@example.org, to: [o@example.org]}}\n"
        "checkpoints: {schedule: '@hourly', holders: [{name: other, webhook: 'http://127.0.0.1:%d/keep'}, {name: "
        "notary, folder: kept}]}\n"
        "disclosure: {k: 3}\nEND\nmkdir %s/kept %s/out %s/backups",
        folder, port, http_server_port(web), smtp_server_port(mail), http_server_port(web), folder, folder, folder);
  write_people();
  write_registry("eco1", ", records: data}\nconnector: rest");
  write_registry("eco2", ", records: data}\nconnector: rest");
  write_registry("eco3", ", record: Caso, request: \"<a/>\", action: a}\nconnector: soap");
  write_registry("eco4", ", records: data}\nconnector: rest");
  write_registry("eco5", ", records: data, result_path: resultado, result_ok: [\"0000\"]}\nconnector: rest");
}

/* ---- commands ---- */

/* Both streams of a command; exit codes 0, 1 and 3 are answers, 2 is a mistake of this test. */
static void run(const char *kind, const char *settings, const char *arguments) {
  int code = 0;
  char *text =
      shell_output(&code, "cd %s && %s PUENTE_ACTOR='Ana Prueba' %s %s 2>&1", folder, settings, program, arguments);
  if (code == 2 || code > 3 || text[0] == '\0') {
    fail_msg("%s: exit code %d\n%s", arguments, code, text);
  }
  keep(kind, arguments, text, strlen(text), 0);
}

/* What is not said on demand: runs with all that goes wrong in them, logged in every form. */
static void do_the_work(void) {
  static const char *const runs[] = {"check", "sync", "link", "sync", "remap", "check --live eco1", "quarantine retry"};
  char text[256];
  for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
    if (i == 3) { /* the second round, a line that no parser takes, a registry that refuses us */
      peru_advance(&peru);
      program_write(folder, "albergue/2.json", broken_line);
      shell("printf 'CHS-9;\"Maquerhuañahui' >%s/siscalp/zz.csv; echo wrong >%s/secrets/reta", peru.folder,
            peru.folder);
    }
    snprintf(text, sizeof text, "--log %s --verbose %s", i % 2 == 0 ? "text" : "json", runs[i]);
    run(i % 2 == 0 ? "text log" : "JSON log", i == 4 ? "JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/1)" : "", text);
  }
  assert_true(workspace_number(folder, "SELECT count(*) FROM records WHERE source = 'albergue' AND state = "
                                       "'quarantined'")
              >= 2);
  assert_true(workspace_number(folder, "SELECT count(*) FROM runs WHERE state = 'failed'") >= 5);
}

/* Numbers that commands are asked about: of somebody with records of several sources, of the test's own source. */
struct ids {
  char *person, *case_id, *record, *own, *broken, *pair, *other;
};

static char *first(const char *sql) {
  char *text = workspace_rows(folder, sql);
  text[strcspn(text, "\n")] = '\0';
  assert_true(text[0] != '\0');
  return text;
}

static const char *const asked[] = {"status",
                                    "status --json",
                                    "--verbose status",
                                    "quarantine list",
                                    "quarantine list --json",
                                    "quarantine show BROKEN",
                                    "quarantine show BROKEN --json",
                                    "review list --n 100",
                                    "review list --json",
                                    "review show PAIR",
                                    "review show PAIR --json",
                                    "drift list",
                                    "approve list",
                                    "explain person PERSON",
                                    "explain person PERSON --json",
                                    "explain person OWN",
                                    "explain case CASE",
                                    "explain record RECORD",
                                    "explain record RECORD --json",
                                    "explain record BROKEN",
                                    "explain pair OTHER",
                                    "explain figure victims --by year=2022,sex=female",
                                    "report sources",
                                    "report balance",
                                    "report completeness",
                                    "report stages",
                                    "report discrepancy",
                                    "report crosstab --by year,sex",
                                    "report crosstab --by department --json",
                                    "report totals",
                                    "report linkage",
                                    "report linkage --by reason",
                                    "report indicators",
                                    "query --purpose test \"SELECT * FROM persons\"",
                                    "query --purpose test --json \"SELECT * FROM person_records\"",
                                    "query --purpose test \"SELECT * FROM records\"",
                                    "query --purpose test \"SELECT * FROM quarantine\"",
                                    "query --purpose test \"SELECT * FROM issues\"",
                                    "query --purpose test \"SELECT * FROM case_records\"",
                                    "query --purpose test \"SELECT * FROM audit\"",
                                    "query --purpose test \"SELECT * FROM measures\"",
                                    "query --purpose test \"SELECT * FROM runs\"",
                                    "query --purpose test \"SELECT * FROM source_health\"",
                                    "query --purpose test \"SELECT * FROM source_fields\"",
                                    "query --purpose test \"SELECT * FROM source_drift\"",
                                    "release create victims --purpose yearbook",
                                    "release list",
                                    "release show victims",
                                    "release show victims coverage",
                                    "release show victims linkage --csv",
                                    "release verify victims",
                                    "release export victims out/release",
                                    "export aggregate victims --out out/aggregate",
                                    "export csv --purpose study --out out/csv",
                                    "export json --purpose study --out out/json",
                                    "export htcds --purpose study --out out/htcds",
                                    "export htcds --format json --purpose study --for PE/MP --out out/given",
                                    "audit list",
                                    "audit list --json",
                                    "audit list --person PERSON",
                                    "audit verify --records",
                                    "audit mapping sistra",
                                    "audit export out/log.jsonl",
                                    "audit export out/openlineage.json --format openlineage",
                                    "audit receipts",
                                    "audit export out/prov.json --format prov",
                                    "audit sample victims --n 20 --seed 3 --exact --purpose audit",
                                    "audit checkpoint out/head.checkpoint",
                                    "audit checkpoint --send",
                                    "notify test",
                                    "key list",
                                    "key check out/shares/share-1-of-3.txt",
                                    "store verify --full",
                                    "store backup out/copy.db",
                                    "store verify out/copy.db",
                                    "handover --out out/handover.md",
                                    "erase person OWN --reason r --document d --dry-run",
                                    "erase list",
                                    "map check mappings/albergue.yaml",
                                    "map run mappings/albergue.yaml albergue/2.json",
                                    "map run mappings/albergue.yaml albergue/1.json"};

/* The words in capitals as numbers. */
static void with_ids(const struct ids *ids, const char *command, char *text, size_t size) {
  const struct {
    const char *word, *id;
  } words[] = {{"PERSON", ids->person}, {"CASE", ids->case_id}, {"RECORD", ids->record}, {"OWN", ids->own},
               {"BROKEN", ids->broken}, {"PAIR", ids->pair},    {"OTHER", ids->other}};
  snprintf(text, size, "%s", command);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    char *at = strstr(text, words[i].word);
    if (at != NULL) {
      char rest[256];
      snprintf(rest, sizeof rest, "%s", at + strlen(words[i].word));
      snprintf(at, size - (size_t)(at - text), "%s%s", words[i].id, rest);
    }
  }
}

static void ask_everything(void) {
  struct ids ids = {
      .person = first("SELECT person_id FROM persons WHERE records > 2 ORDER BY person_id LIMIT 1"),
      .case_id = first("SELECT case_id FROM cases WHERE records > 2 ORDER BY case_id LIMIT 1"),
      .record = first("SELECT max(raw_id) FROM records WHERE source = 'reta'"),
      .own = first("SELECT id FROM members WHERE kind = 'person' AND source = "
                   "'albergue'"),
      .broken = first("SELECT max(raw_id) FROM quarantine WHERE source = 'albergue'"),
      .pair = first("SELECT row_a || '-' || row_b FROM pairs WHERE outcome = 'waiting' AND kind = 'person' LIMIT 1"),
      .other = first("SELECT row_a || ' ' || row_b FROM pairs WHERE outcome = 'joined' AND kind = 'person' LIMIT 1"),
  };
  char text[512];
  run("command", "", "key split out/shares");
  for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
    with_ids(&ids, asked[i], text, sizeof text);
    run("command", "LANGUAGE=en", text);
  }
  run("command", "LANGUAGE=es", "status");
  char **each = &ids.person;
  for (size_t i = 0; i < sizeof ids / sizeof *each; i++) {
    free(each[i]);
  }
}

/* What an answer of the console is, once it is there. */
static char *answered(const char *path) {
  for (int tries = 0; tries < 400; tries++) {
    int code = 0;
    char *text = shell_output(&code, "curl -s -m 2 http://127.0.0.1:%d%s", port, path);
    if (code == 0 && text[0] != '\0' && strstr(text, "not yet") == NULL) {
      return text;
    }
    free(text);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
  }
  fail_msg("the console does not answer %s", path);
  return NULL;
}

static void leaves_no_dump(pid_t daemon) {
  int code = 0;
  char *limit = shell_output(&code, "awk '/^Max core file size/ {print $5, $6}' /proc/%d/limits", (int)daemon);
  assert_string_equal(limit, "0 0\n");
  free(limit);
}

/* Waits until it made up what it missed: each source, linking, a backup. */
static void works(int lines) {
  for (int tries = 0; tries < 400; tries++) {
    char *told = shell_output(&(int){0}, "wc -l <%s/out/serve.log; ls %s/backups", folder, folder);
    bool done = strtol(told, NULL, 10) >= lines && strstr(told, ".db") != NULL;
    free(told);
    if (done) {
      return;
    }
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
  }
  fail_msg("the daemon does nothing");
}

static void watch_the_daemon(void) {
  static const char *const paths[] = {"/healthz", "/readyz", "/metrics", "/else"};
  size_t length;
  int code = 0;
  pid_t daemon =
      shell_start(1, "cd %s && LANGUAGE=en exec %s --log json --verbose serve 2>>out/serve.log", folder, program);
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    char *text = answered(paths[i]);
    keep("console", paths[i], text, strlen(text), 0);
  }
  leaves_no_dump(daemon);
  works(12);
  kill(daemon, SIGTERM);
  assert_int_equal(waitpid(daemon, &code, 0), daemon);
  assert_int_equal(code, 0);
  char path[512];
  snprintf(path, sizeof path, "%s/out/serve.log", folder);
  char *log = read_whole(path, &length);
  assert_true(length > 100);
  keep("JSON log", "serve", log, length, 0);
}

/* ---- what came out ---- */

static void keep_messages(void) {
  assert_true(http_server_requests(web) > 2 && smtp_server_messages(mail) > 1);
  for (size_t i = 0; i < http_server_requests(web); i++) {
    const struct http_seen *seen = http_server_seen(web, i);
    char *body = malloc(seen->length + 1);
    assert_non_null(body);
    memcpy(body, seen->body, seen->length);
    keep("webhook", seen->target, body, seen->length, 0);
    keep("webhook", "headers", strdup(seen->headers), strlen(seen->headers), 0);
  }
  for (size_t i = 0; i < smtp_server_messages(mail); i++) {
    const char *text = smtp_server_seen(mail, i)->data;
    keep("mail", "message", strdup(text), strlen(text), 0);
  }
}

/* The store as its tables tell it, and as bytes: of the file, of what it writes ahead, of copies. */
static void keep_store(void) {
  int code = 0;
  char *dump = shell_output(&code, "sqlite3 -readonly %s/puente.db .dump", folder);
  assert_int_equal(code, 0);
  assert_true(strlen(dump) > 100000);
  keep("dump of the store", "puente.db", dump, strlen(dump), 0);
  keep_files("bytes of the store", "puente.db*", 1);
  keep_files("copy", "backups", 1);
  keep_files("copy", "out/copy.db", 1);
}

/* The same registries in a store on PostgreSQL, as pg_dump carries it away. */
static void keep_postgres(void) {
  int code = 0;
  const char *dsn = postgres_start();
  shell(
      "cp -r %s %s-pg && rm -rf %s-pg/puente.db* && sed -i 's|^store:.*|store: {postgres: \"%s\"}|' %s-pg/puente.yaml",
      folder, folder, folder, dsn, folder);
  free(shell_output(&code, "cd %s-pg && PUENTE_ACTOR='Ana Prueba' %s --quiet run 2>&1", folder, program));
  char *dump = shell_output(&code, "pg_dump --dbname='%s'", dsn);
  assert_true(code == 0 && strstr(dump, ".st_person (") != NULL && strlen(dump) > 100000);
  keep("dump of the store", "pg_dump", dump, strlen(dump), 0);
}

static void collect(void) {
  keep_messages();
  keep_postgres();
  keep_files("file", "kept", 0);
  keep_files("file", "out", 0);
  keep_store();
}

static size_t search(const struct output *output) {
  char where[600];
  snprintf(where, sizeof where, "%s: %s", output->kind, output->name);
  return secrets_found(secrets, where, output->text, output->length, output->binary);
}

/* Somebody put into a copy of an output, in the middle. */
static size_t search_planted(const struct output *output, const char *planted) {
  size_t half = output->length / 2, size = strlen(planted);
  char *text = malloc(output->length + size);
  assert_non_null(text);
  memcpy(text, output->text, half);
  memcpy(text + half, planted, size);
  memcpy(text + half + size, output->text + half, output->length - half);
  size_t found = secrets_counted(secrets, text, output->length + size, output->binary);
  free(text);
  return found;
}

/* The same person, as programs write her. */
static void each_kind_can_be_seen_through(void) {
  static const char *const planted[] = {" Incahuasipuma ",
                                        "\nINCAHUASIPUMA;",
                                        "'71829304'",
                                        "\"Tturpocallo\"",
                                        " dni71829304x",
                                        " 496e6361687561736970756d61 ",
                                        " SW5jYWh1YXNpcHVtYQ== ",
                                        "|FUluY2FodWFzaXB1bWE|",
                                        "\xdd"
                                        "aupahuamaní,"};
  static const char *const text_only[] = {"\"\\u00d1aupahuaman\\u00ed\"", " &#209;aupahuaman&#xED; ",
                                          "?q=%C3%91aupahuaman%c3%ad&",
                                          " \xd1"
                                          "aupahuaman\xed ",
                                          " \xc3\x91"
                                          "aupahuamani\xcc\x81 "};
  const char *kind = "";
  size_t kinds = 0;
  for (size_t i = 0; i < output_count; i++) {
    if (strcmp(outputs[i].kind, kind) == 0 || outputs[i].length > 1 << 20) {
      continue;
    }
    kind = outputs[i].kind;
    kinds++;
    for (size_t p = 0; p + 1 < sizeof planted / sizeof *planted; p++) {
      if (search_planted(&outputs[i], planted[p]) == 0) {
        fail_msg("%s: '%s' is not seen", kind, planted[p]);
      }
    }
    for (size_t p = 0; outputs[i].binary == 0 && p < sizeof text_only / sizeof *text_only; p++) {
      if (search_planted(&outputs[i], text_only[p]) == 0) {
        fail_msg("%s: '%s' is not seen", kind, text_only[p]);
      }
    }
  }
  assert_true(kinds >= 7);
}

static void nobody_is_found(void **state) {
  (void)state;
  size_t bytes = 0, found = 0;
  do_the_work();
  watch_the_daemon();
  ask_everything();
  collect();
  for (size_t i = 0; i < output_count; i++) {
    bytes += outputs[i].length;
    found += search(&outputs[i]);
  }
  printf("privacy ok: outputs=%zu bytes=%zu secrets=%zu found=%zu\n", output_count, bytes, secrets_count(secrets),
         found);
  assert_int_equal(found, 0);
  each_kind_can_be_seen_through();
}

static int start(void **state) {
  (void)state;
  char *build = realpath(build_folder(), NULL);
  assert_true(build != NULL && asprintf(&program, "%s/puente", build) > 0);
  free(build);
  peru_start(&peru, 300, 7, "--errors 2");
  make_workspace();
  learn_everybody();
  return 0;
}

static int stop(void **state) {
  (void)state;
  for (size_t i = 0; i < output_count; i++) {
    free(outputs[i].name);
    free(outputs[i].text);
  }
  secrets_free(secrets);
  http_server_stop(web);
  http_server_stop(registry);
  smtp_server_stop(mail);
  free(folder);
  free(program);
  peru_stop(&peru);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(nobody_is_found)};
  return cmocka_run_group_tests(tests, start, stop);
}
