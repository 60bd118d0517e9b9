#include "tests/torture/workplace.h"

#include "core/audit/audit.h"
#include "core/base/file.h"
#include "tests/support/postgres.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <ftw.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const files[][2] = {
    {"base/sources/hojas.yaml", "source: hojas\ntitle: Hojas\ninstitution: PE/MP\ncontact: help desk 1234\n"
                                "unit: denuncia\nconnector: file\noptions: {path: incoming/hojas, settle: 0s}\n"},
    {"base/sources/fichas.yaml", "source: fichas\ntitle: Fichas\ninstitution: PE/PNP\ncontact: help desk 5678\n"
                                 "unit: denuncia\nconnector: file\noptions: {path: incoming/fichas, settle: 0s}\n"},
    {"base/sources/actas.yaml", "source: actas\ntitle: Actas\ninstitution: PE/PJ\ncontact: help desk 9012\n"
                                "unit: denuncia\nconnector: file\noptions: {path: incoming/actas, settle: 0s}\n"},
    {"base/mappings/hojas.yaml", "source: hojas\nformat: csv\ndelimiter: \";\"\n"
                                 "case:\n  key: id\n  denuncia_number: id\n"
                                 "  reported_on: {from: date, date: \"%d/%m/%Y\", else: quarantine}\n"
                                 "person:\n  key: [id, victim]\n  role: victim\n"
                                 "  paternal_surname: {from: surname, clean: name}\n"
                                 "  given_names: {from: name, clean: name}\n  document_number: document\n"},
    {"base/mappings/fichas.yaml",
     "source: fichas\nformat: json\nrecord: data/items\n"
     "case:\n  key: id\n  denuncia_number: id\n"
     "person:\n  each: victims\n  key: [../id, number]\n  role: victim\n"
     "  paternal_surname: {from: surname, clean: name}\n"
     "  given_names: {from: name, clean: name}\n  document_number: document\n"
     "  sex: {from: sex, lookup: sex, values: {M: male, F: female, \"\": not_recorded}}\n"},
    {"base/mappings/actas.yaml", "source: actas\nformat: xml\nrecord: /Actas/Acta\n"
                                 "case:\n  key: Numero\n  denuncia_number: Numero\n"
                                 "  reported_on: {from: Fecha, date: \"%d/%m/%Y\"}\n"
                                 "person:\n  each: Persona\n  key: [../Numero, Orden]\n  role: victim\n"
                                 "  paternal_surname: {from: Apellido, clean: name}\n"
                                 "  given_names: {from: Nombre, clean: name}\n  document_number: Dni\n"},
    {"base/incoming/hojas/one.csv", "id;victim;date;surname;name;document\n"
                                    "D-1;a;01/02/2024;Quispe;Rosa;45678901\n"
                                    "D-2;a;02/02/2024;Mamani;\"Luz \"\"Lucha\"\"\";45678902\n"
                                    "D-3;a;32/13/2024;Huaman;Ana;45678903\n"},
    {"base/incoming/fichas/one.json",
     "{\"data\": {\"items\": [{\"id\": \"D-1\", \"victims\": [{\"number\": 1, \"surname\": \"QUISPE\", \"name\": "
     "\"ROSA\", \"document\": \"45678901\", \"sex\": \"F\"}]},\n"
     "{\"id\": \"F-2\", \"victims\": [{\"number\": 1, \"surname\": \"Condori\\u00f1\", \"name\": \"Eva\", "
     "\"document\": \"45678904\", \"sex\": \"\"}, {\"number\": 2, \"surname\": \"Huaman\", \"name\": \"Ana\", "
     "\"document\": \"45678903\", \"sex\": \"F\"}]}]}}\n"},
    {"base/incoming/actas/one.xml",
     "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<Actas>"
     "<Acta><Numero>A-1</Numero><Fecha>03/02/2024</Fecha><Persona><Orden>1</Orden>"
     "<Apellido>Mamani</Apellido><Nombre><![CDATA[Luz]]></Nombre><Dni>45678902</Dni>"
     "</Persona></Acta>\n<Acta><Numero>A-2</Numero><Fecha>04/02/2024</Fecha>"
     "<Persona><Orden>1</Orden><Apellido>Pe\361a</Apellido><Nombre>Sol &amp; Mar</Nombre>"
     "<Dni>45678905</Dni></Persona></Acta></Actas>\n"},
};

static const char *const statements[] = {
    "SELECT source, state, count(*) FROM records GROUP BY source, state ORDER BY source, state",
    "SELECT source, field, reason, shape, count(*) FROM quarantine GROUP BY source, field, reason, shape "
    "ORDER BY source, field, reason, shape",
    "SELECT row_id, record_id, source, place, offence, offence_own, reported_on FROM case_records ORDER BY row_id",
    "SELECT row_id, source, sex, birth_date, nationality, missing FROM person_records ORDER BY row_id",
    "SELECT row_id, source, role, age, protected FROM involvements ORDER BY row_id",
    "SELECT kind, row_id, id FROM members ORDER BY kind, row_id",
    "SELECT person_id, records, sources, sex, birth_date FROM persons ORDER BY person_id",
    "SELECT case_id, records, sources, place, offence FROM cases ORDER BY case_id",
    "SELECT kind, id, field, row_id, rule FROM origins ORDER BY kind, id, field, row_id",
};
enum { STATEMENTS = sizeof statements / sizeof *statements };
static const char DATABASE[] = "torture";

static void put(const struct workplace *place, const char *name, const char *text) {
  struct error error;
  char path[512];
  snprintf(path, sizeof path, "%s/%s", place->folder, name);
  if (file_write(path, slice_of(text), 0600, &error) != OK) {
    fprintf(stderr, "torture: %s: %s\n", path, error.message);
    abort();
  }
}

/* The same server, another database. */
static void conninfo(char text[512], const char *database) {
  snprintf(text, 512, "%s", postgres_start());
  char *name = strstr(text, "dbname=");
  snprintf(name, 512 - (size_t)(name - text), "dbname=%s", database);
}

static void say_databases(const char *first, const char *second) {
  char text[256];
  snprintf(text, sizeof text, "DROP DATABASE IF EXISTS %s WITH (FORCE)", first);
  postgres_run(text);
  snprintf(text, sizeof text, "CREATE DATABASE %s OWNER puente TEMPLATE %s STRATEGY FILE_COPY", first, second);
  postgres_run(text);
}

void workplace_open(struct workplace *place, bool postgres) {
  *place = (struct workplace){.folder = temp_make(), .postgres = postgres};
  snprintf(place->base, sizeof place->base, "%s/base", place->folder);
  snprintf(place->work, sizeof place->work, "%s/work", place->folder);
  shell("mkdir -p %s/incoming/hojas %s/incoming/fichas %s/incoming/actas %s/sources %s/mappings", place->base,
        place->base, place->base, place->base, place->base);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    put(place, files[i][0], files[i][1]);
  }
  char text[700] = "name: torture\n", dsn[512];
  if (postgres) {
    conninfo(dsn, DATABASE);
    snprintf(text, sizeof text, "name: torture\nstore: {postgres: \"%s\"}\n", dsn);
    say_databases(DATABASE, "template0");
    postgres_run("DROP ROLE IF EXISTS torture_login; CREATE ROLE torture_login LOGIN");
  }
  put(place, "base/puente.yaml", text);
  workspace_key(place->base);
}

/* ---- what was written ---- */

static uint64_t looks; /* of the files below the folder walked over */
static size_t folder_length;

/* One file: its name, size and time. Of a folder only the name, for SQLite's passing files move its time. */
static int look_at(const char *path, const struct stat *about, int kind, struct FTW *where) {
  char line[600];
  uint64_t hash = 14695981039346656037U;
  long long size = kind == FTW_D ? 0 : (long long)about->st_size;
  long long seconds = kind == FTW_D ? 0 : (long long)about->st_mtim.tv_sec;
  (void)where;
  snprintf(line, sizeof line, "%s %lld %lld %ld %o", path + folder_length, size, seconds,
           kind == FTW_D ? 0 : about->st_mtim.tv_nsec, about->st_mode);
  for (const char *c = line; *c != '\0'; c++) {
    hash = (hash ^ (unsigned char)*c) * 1099511628211U;
  }
  looks += hash; /* in whatever order */
  return 0;
}

static uint64_t look(const char *folder) {
  looks = 0;
  folder_length = strlen(folder);
  return nftw(folder, look_at, 16, FTW_PHYS) == 0 ? looks : 0;
}

/* Everything that a database keeps goes through the server's log. */
static void read_written(char text[32]) {
  PGconn *connection = PQconnectdb(postgres_admin());
  PGresult *result = PQexec(connection, "SELECT pg_current_wal_insert_lsn()");
  snprintf(text, 32, "%s", PQresultStatus(result) == PGRES_TUPLES_OK ? PQgetvalue(result, 0, 0) : "");
  PQclear(result);
  PQfinish(connection);
}

void workplace_keep(struct workplace *place) {
  if (place->postgres) {
    say_databases("torture_base", DATABASE);
  }
  place->kept = look(place->base);
}

bool workplace_untouched(const struct workplace *place) {
  char written[32];
  if (look(place->work) != place->kept) {
    return false;
  }
  if (!place->postgres) {
    return true;
  }
  read_written(written);
  return written[0] != '\0' && strcmp(written, place->written) == 0;
}

void workplace_renew(struct workplace *place) {
  if (workplace_untouched(place)) {
    return;
  }
  shell("rm -rf %s && cp -a %s %s", place->work, place->base, place->work);
  if (place->postgres) {
    say_databases(DATABASE, "torture_base");
    read_written(place->written);
  }
}

void workplace_close(struct workplace *place) {
  temp_remove(place->folder);
}

/* ---- content ---- */

static void read_sqlite(const struct workplace *place, struct buffer *text) {
  char path[512];
  sqlite3 *database = NULL;
  snprintf(path, sizeof path, "%s/puente.db", place->work);
  if (access(path, F_OK) != 0) {
    buffer_text(text, "no store\n");
    return;
  }
  if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
    buffer_printf(text, "the store cannot be opened: %s\n", sqlite3_errmsg(database));
  }
  for (size_t i = 0; i < STATEMENTS; i++) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database, statements[i], -1, &statement, NULL) != SQLITE_OK) {
      buffer_printf(text, "%s\n", sqlite3_errmsg(database));
    }
    while (statement != NULL && sqlite3_step(statement) == SQLITE_ROW) {
      for (int column = 0; column < sqlite3_column_count(statement); column++) {
        const unsigned char *value = sqlite3_column_text(statement, column);
        buffer_printf(text, "%s|", value == NULL ? "" : (const char *)value);
      }
      buffer_char(text, '\n');
    }
    sqlite3_finalize(statement);
    buffer_text(text, "--\n");
  }
  sqlite3_close(database);
}

static void read_postgres(struct buffer *text) {
  char dsn[512];
  conninfo(dsn, DATABASE);
  PGconn *connection = PQconnectdb(dsn);
  PQclear(PQexec(connection, "SET search_path TO puente"));
  for (size_t i = 0; i < STATEMENTS; i++) {
    PGresult *result = PQexec(connection, statements[i]);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
      buffer_text(text, PQerrorMessage(connection));
    }
    for (int row = 0; row < PQntuples(result); row++) {
      for (int column = 0; column < PQnfields(result); column++) {
        buffer_printf(text, "%s|", PQgetvalue(result, row, column));
      }
      buffer_char(text, '\n');
    }
    PQclear(result);
    buffer_text(text, "--\n");
  }
  PQfinish(connection);
}

static void add_file(const struct workplace *place, const char *file, struct buffer *text) {
  char path[512];
  struct buffer bytes;
  struct error error;
  snprintf(path, sizeof path, "%s/%s", place->work, file);
  if (file_read(path, 1 << 20, &bytes, &error) == OK) {
    buffer_text(text, bytes.data);
    buffer_free(&bytes);
  } else {
    buffer_printf(text, "%s\n", error.message);
  }
}

char *workplace_content(const struct workplace *place, const char *file) {
  struct buffer text;
  buffer_init(&text, 16 << 20);
  buffer_text(&text, "");
  if (place->postgres) {
    read_postgres(&text);
  } else {
    read_sqlite(place, &text);
  }
  if (file != NULL) {
    add_file(place, file, &text);
  }
  return text.data;
}

/* ---- damage ---- */

static const char *pages_broken(const char *path) {
  static char said[256];
  sqlite3 *database = NULL;
  sqlite3_stmt *statement = NULL;
  said[0] = '\0';
  if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK
      || sqlite3_prepare_v2(database, "PRAGMA integrity_check", -1, &statement, NULL) != SQLITE_OK
      || sqlite3_step(statement) != SQLITE_ROW) {
    snprintf(said, sizeof said, "integrity_check: %s", sqlite3_errmsg(database));
  } else if (strcmp((const char *)sqlite3_column_text(statement, 0), "ok") != 0) {
    snprintf(said, sizeof said, "integrity_check: %s", (const char *)sqlite3_column_text(statement, 0));
  }
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return said;
}

/* A store that was not made yet has no chain. */
static const char *chain_broken(const struct workplace *place, const char *path) {
  static struct model *model;
  static char said[700];
  struct key *key = NULL; /* of work/, which may have another than the base by now */
  struct error error;
  char key_path[512], dsn[512] = "";
  snprintf(key_path, sizeof key_path, "%s/puente.key", place->work);
  if (place->postgres) {
    conninfo(dsn, DATABASE);
  }
  if ((model == NULL && model_load("config/model", &model, &error) != OK) || key_load(key_path, &key, &error) != OK) {
    fprintf(stderr, "torture: %s\n", error.message);
    abort();
  }
  const struct store_options options = {.kind = place->postgres ? STORE_POSTGRES : STORE_SQLITE,
                                        .path = path,
                                        .dsn = dsn,
                                        .schema = "puente",
                                        .model = model,
                                        .key = key};
  struct store *store = NULL;
  struct audit_check check = {.entries = 0};
  enum status status = store_open(&options, &store, &error);
  said[0] = '\0';
  if (status == OK) {
    status = audit_verify(store, &check, &error);
  } else if (status == ERR_NOT_FOUND || status == ERR_CONFIG) { /* or of an older version, as it was before */
    status = OK;
  }
  store_close(store);
  key_free(key);
  if (status != OK) {
    snprintf(said, sizeof said, "the chain cannot be read: %s", error.message);
  } else if (check.first_wrong != 0) {
    snprintf(said, sizeof said, "the chain breaks at %lld: %s", (long long)check.first_wrong, check.what);
  }
  return said;
}

const char *workplace_broken(const struct workplace *place) {
  char path[512];
  snprintf(path, sizeof path, "%s/puente.db", place->work);
  if (!place->postgres) {
    if (access(path, F_OK) != 0) {
      return "";
    }
    const char *pages = pages_broken(path);
    if (pages[0] != '\0') {
      return pages;
    }
  }
  return chain_broken(place, path);
}
