/* Ingestion as a user runs it: `puente sync` of a CSV file of 30 columns (case, person, involvement) into SQLite and
 * into PostgreSQL, landing and audit entries included, and beside it what the machine can do at most: `.import` by the
 * sqlite3 shell and COPY into PostgreSQL of the same file. Prints a JSON line for each. The PostgreSQL server writes
 * all through to the disk and has what is recommended for a store: shared_buffers of 512 MB, max_wal_size of 2 GB.
 *
 * usage: bench_ingest [RECORDS] [sqlite|postgres]; BENCH_RECORDS does as well; default one million, both. */
#include "core/base/date.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "tests/support/postgres.h"
#include "tests/support/temp.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_SIZE = 512, COPY_BYTES = 1 << 20 };

static char *folder;
static long long records = 1000000;

static void die(const char *what) {
  fprintf(stderr, "bench_ingest: %s\n", what);
  temp_remove(folder);
  exit(1);
}

static void path_of(char path[PATH_SIZE], const char *name) {
  snprintf(path, PATH_SIZE, "%s/%s", folder, name);
}

/* ---- the file ---- */

static const char HEADER[] =
    "denuncia;carpeta;fecha_denuncia;fecha_registro;fecha_hechos;departamento;delito;tipo;comisaria;fiscalia;victimas;"
    "imputados;victima;nombres;paterno;materno;tipo_documento;documento;nacimiento;sexo;nacionalidad;telefono;"
    "ocupacion;"
    "estado_civil;madre;edad;relacion;captacion;finalidad;meses\n";

static const char *pick(const char *const *words, size_t count, unsigned long long *seed) {
  *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
  return words[(*seed >> 33) % count];
}

static const char *const SURNAMES[] = {"QUISPE", "MAMANI", "HUAMAN", "FLORES",  "ROJAS",      "CONDORI",
                                       "TORRES", "DIAZ",   "SILVA",  "CHAVEZ",  "DE LA CRUZ", "VILCA",
                                       "RAMOS",  "LOPEZ",  "CCAMA",  "ESPINOZA"};
static const char *const NAMES[] = {"MARIA ELENA", "ROSA",  "LUZ MARINA", "ANA",
                                    "JUANA",       "KELLY", "YESENIA",    "JOSE LUIS"};
static const char *const DEPARTMENTS[] = {"08", "16", "17", "15", "04", "21"};
static const char *const OFFENCES[] = {"129-A", "129-B", "129-C", "129-A"};
static const char *const JOBS[] = {"ESTUDIANTE", "AMA DE CASA", "COMERCIANTE", ""};
static const char *const RELATIONS[] = {"CONOCIDO", "FAMILIAR", "OTRO", "CONYUGE"};
static const char *const RECRUITMENTS[] = {"OFERTA DE TRABAJO", "SEDUCCION", "INTERNET"};
static const char *const PURPOSES[] = {"EXPLOTACION SEXUAL", "EXPLOTACION LABORAL", "MENDICIDAD"};
static const char *const STATES[] = {"SOLTERO", "CASADO", "CONVIVIENTE"};
#define PICK(words) pick(words, sizeof(words) / sizeof *(words), &seed)

static void write_file(const char *path) {
  FILE *file = fopen(path, "w");
  if (file == NULL) {
    die("the file cannot be written");
  }
  unsigned long long seed = 20240331;
  fputs(HEADER, file);
  for (long long i = 0; i < records; i++) {
    int day = (int)(i % 28) + 1, month = (int)(i / 28 % 12) + 1, year = 2017 + (int)(i / 336 % 8);
    const char *surname = PICK(SURNAMES), *second = PICK(SURNAMES), *mother = PICK(NAMES);
    fprintf(file, "D-%lld;CF-%lld;%02d/%02d/%d;%02d/%02d/%d;%02d/%02d/%d;%s;%s;NACIONAL;COMISARIA %lld;FISCALIA %lld;",
            i, i, day, month, year, day, month, year, day, month, year, PICK(DEPARTMENTS), PICK(OFFENCES), i % 97,
            i % 61);
    fprintf(file, "1;2;V1;%s;%s;%s;DNI;%08lld;%02d/%02d/%d;%s;PERUANA;9%08lld;%s;%s;%s %s;%lld;%s;%s;%s;%lld\n",
            PICK(NAMES), surname, second, 10000000 + i % 80000000, day, month, 1970 + (int)(i % 40),
            i % 4 == 0 ? "M" : "F", i % 100000000, PICK(JOBS), PICK(STATES), mother, second, 10 + i % 50,
            PICK(RELATIONS), PICK(RECRUITMENTS), PICK(PURPOSES), i % 24);
  }
  if (fclose(file) != 0) {
    die("the file cannot be written");
  }
}

static const char MAPPING[] =
    "source: bench\nformat: csv\ndelimiter: \";\"\n"
    "defaults: {date: \"%d/%m/%Y\", system: {offence: cp-2021}}\n"
    "case:\n  key: denuncia\n  denuncia_number: denuncia\n  carpeta_number: carpeta\n  reported_on: fecha_denuncia\n"
    "  registered_on: fecha_registro\n  facts_on: fecha_hechos\n  place: {from: departamento, ubigeo: inei}\n"
    "  offence: delito\n  kind: tipo\n  police_unit: comisaria\n  prosecutor_office: fiscalia\n"
    "  victims_stated: victimas\n  accused_stated: imputados\n"
    "person:\n  key: [denuncia, victima]\n  role: victim\n  given_names: {from: nombres, clean: name}\n"
    "  paternal_surname: {from: paterno, clean: name}\n  maternal_surname: {from: materno, clean: name}\n"
    "  document_type: tipo_documento\n  document_number: {from: documento, dni: warn}\n  birth_date: nacimiento\n"
    "  sex: {from: sexo, values: {M: male, F: female}}\n  nationality: nacionalidad\n  phone: {from: telefono, phone: "
    "\"+51\"}\n"
    "  occupation: ocupacion\n  marital_status: estado_civil\n  mother_name: {from: madre, clean: name}\n"
    "  involvement:\n    age: edad\n    relation: relacion\n    recruitment: captacion\n    purposes: finalidad\n"
    "    trafficked_months: meses\n";

static void write_text(const char *name, const char *text) {
  char path[PATH_SIZE];
  struct error error;
  path_of(path, name);
  if (file_write(path, slice_of(text), 0600, &error) != OK) {
    die(error.message);
  }
}

/* ---- measuring ---- */

static void print_line(const char *name, double seconds, double peak) {
  printf("{\"case\":\"%s\",\"records\":%lld,\"seconds\":%.2f,\"records_per_second\":%.0f", name, records, seconds,
         (double)records / seconds);
  if (peak > 0) {
    printf(",\"peak_mib\":%.0f", peak);
  }
  puts("}");
  fflush(stdout);
}

/* Runs a program to its end; seconds, and its peak memory. */
static double run_program(char *const *argv, double *peak) {
  struct rusage usage;
  int status = 0;
  int64_t began = clock_monotonic();
  pid_t child = fork();
  if (child == 0) {
    int nothing = open("/dev/null", O_WRONLY);
    dup2(nothing, STDOUT_FILENO);
    execvp(argv[0], argv);
    _exit(127);
  }
  if (child < 0 || wait4(child, &status, 0, &usage) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    die(argv[0]);
  }
  *peak = (double)usage.ru_maxrss / 1024;
  return (double)(clock_monotonic() - began) / 1e6;
}

static void program_path(char path[PATH_SIZE]) {
  ssize_t length = readlink("/proc/self/exe", path, PATH_SIZE - 32);
  if (length <= 0) {
    die("where this program is cannot be told");
  }
  path[length] = '\0';
  for (int up = 0; up < 3; up++) { /* BUILD/tests/bench/bench_ingest */
    *strrchr(path, '/') = '\0';
  }
  memcpy(path + strlen(path), "/puente", sizeof "/puente");
}

static void ingest(const char *name, const char *store) {
  char program[PATH_SIZE], config[PATH_SIZE], yaml[2 * PATH_SIZE];
  double peak = 0;
  program_path(program);
  path_of(config, "puente.yaml");
  snprintf(yaml, sizeof yaml, "name: bench\nstore: {%s}\n", store);
  write_text("puente.yaml", yaml);
  char *argv[] = {program, (char[]){"--quiet"}, (char[]){"--config"}, config, (char[]){"sync"}, NULL};
  double seconds = run_program(argv, &peak);
  print_line(name, seconds, peak);
}

static void limit_sqlite(const char *csv) {
  char database[PATH_SIZE], import[2 * PATH_SIZE];
  double peak = 0;
  path_of(database, "limit.db");
  snprintf(import, sizeof import, ".import %s t", csv);
  char *argv[] = {(char[]){"sqlite3"}, database, (char[]){".mode csv"}, (char[]){".separator ;"}, import, NULL};
  double seconds = run_program(argv, &peak);
  print_line("limit_sqlite_import", seconds, 0);
  unlink(database);
}

static void limit_postgres(const char *conninfo, const char *csv) {
  PGconn *connection = PQconnectdb(conninfo);
  char *chunk = malloc(COPY_BYTES);
  FILE *file = fopen(csv, "r");
  if (PQstatus(connection) != CONNECTION_OK || chunk == NULL || file == NULL) {
    die("PostgreSQL cannot be reached");
  }
  struct buffer sql;
  buffer_init(&sql, COPY_BYTES);
  buffer_text(&sql, "CREATE TABLE bench_limit (");
  for (int i = 0; i < 30; i++) {
    buffer_printf(&sql, "%sc%d text", i == 0 ? "" : ", ", i);
  }
  buffer_text(&sql, ")");
  PQclear(PQexec(connection, sql.data));
  buffer_free(&sql);
  int64_t began = clock_monotonic();
  PQclear(PQexec(connection, "COPY bench_limit FROM STDIN WITH (FORMAT csv, DELIMITER ';', HEADER)"));
  size_t got = 0;
  while ((got = fread(chunk, 1, COPY_BYTES, file)) > 0) {
    if (PQputCopyData(connection, chunk, (int)got) != 1) {
      die("COPY failed");
    }
  }
  PQputCopyEnd(connection, NULL);
  PGresult *result = PQgetResult(connection);
  if (PQresultStatus(result) != PGRES_COMMAND_OK) {
    die(PQresultErrorMessage(result));
  }
  print_line("limit_postgres_copy", (double)(clock_monotonic() - began) / 1e6, 0);
  PQclear(result);
  PQclear(PQexec(connection, "DROP TABLE bench_limit"));
  PQfinish(connection);
  fclose(file);
  free(chunk);
}

static void make_workspace(char csv[PATH_SIZE]) {
  char key[PATH_SIZE], sub[PATH_SIZE], source[2 * PATH_SIZE];
  struct error error;
  static const char *const folders[] = {"sources", "mappings"};
  for (size_t i = 0; i < 2; i++) {
    path_of(sub, folders[i]);
    if (mkdir(sub, 0700) != 0) {
      die("no folder could be made");
    }
  }
  path_of(key, "puente.key");
  if (key_create(key, &error) != OK) {
    die(error.message);
  }
  path_of(csv, "bench.csv");
  write_file(csv);
  snprintf(
      source, sizeof source,
      "source: bench\ninstitution: PE/PNP\nunit: denuncia\nconnector: file\noptions: {path: bench.csv, settle: 0s}\n");
  write_text("sources/bench.yaml", source);
  write_text("mappings/bench.yaml", MAPPING);
}

int main(int argc, char **argv) {
  const char *wanted = argc > 1 ? argv[1] : getenv("BENCH_RECORDS");
  const char *only = argc > 2 ? argv[2] : "";
  char csv[PATH_SIZE], store[2 * PATH_SIZE];
  if (wanted != NULL) {
    records = strtoll(wanted, NULL, 10);
  }
  if (records <= 0) {
    die("a number of records is expected");
  }
  folder = temp_make();
  make_workspace(csv);
  if (strcmp(only, "postgres") != 0) {
    limit_sqlite(csv);
    ingest("ingest_sqlite", "sqlite: puente.db");
  }
  if (strcmp(only, "sqlite") != 0) {
    const char *conninfo = postgres_start_durable();
    limit_postgres(conninfo, csv);
    snprintf(store, sizeof store, "postgres: \"%s\"", conninfo);
    ingest("ingest_postgres", store);
  }
  temp_remove(folder);
  return 0;
}
