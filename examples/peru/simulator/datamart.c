/* DATAMART, the public defence: a star schema with updated_at. It serves the accused, too: those rows are not asked
 * for, and a mapping has to refuse them. */
#include "examples/peru/simulator/views.h"

#include <sqlite3.h>
#include <string.h>

static const char *const schema =
    "CREATE TABLE dim_caso (id_caso BIGINT PRIMARY KEY, carpeta_fiscal TEXT, nro_denuncia TEXT, articulo TEXT,"
    " norma TEXT, delito TEXT, ubigeo TEXT);\n"
    "CREATE TABLE dim_persona (id_persona BIGINT PRIMARY KEY, ap_paterno TEXT, ap_materno TEXT, nombres TEXT,"
    " tipo_doc TEXT, nro_doc TEXT, fec_nac TEXT, sexo TEXT, nacionalidad TEXT);\n"
    "CREATE TABLE fact_defensa (id_defensa BIGINT PRIMARY KEY, id_persona BIGINT NOT NULL, id_caso BIGINT NOT NULL,"
    " parte TEXT NOT NULL, tipo_defensa TEXT, estado TEXT, fec_inicio TEXT, fec_fin TEXT, updated_at TEXT NOT NULL);\n";

enum { CASE_COLUMNS = 7, PERSON_COLUMNS = 9, FACT_COLUMNS = 9, TEXT_SIZE = 200 };

/* The rows that one defence makes, as text; "" is NULL. A case repeats for each of its defences. */
struct rows {
  char facts[FACT_COLUMNS][TEXT_SIZE], person[PERSON_COLUMNS][TEXT_SIZE], lawsuit[CASE_COLUMNS][TEXT_SIZE];
};

static void set(char target[TEXT_SIZE], const char *text) {
  snprintf(target, TEXT_SIZE, "%s", text);
}

static void make_case(const struct simulation *simulation, uint32_t incident, struct rows *rows) {
  const struct world *world = &simulation->world;
  struct filing filing;
  filing_make(simulation, DATAMART, incident, incident, &filing);
  snprintf(rows->lawsuit[0], TEXT_SIZE, "%u", incident + 1);
  set(rows->lawsuit[1], filing.carpeta);
  set(rows->lawsuit[2], filing.denuncia);
  bool unknown = record_fault(simulation, DATAMART, world->incidents[incident].first) == FAULT_OFFENCE;
  set(rows->lawsuit[3], unknown ? "ART-0" : filing.code);
  set(rows->lawsuit[4], filing.former_system ? "CP-2017" : "CP-2021");
  set(rows->lawsuit[5], filing.offence->text);
  set(rows->lawsuit[6], world->tables->districts.items[world->incidents[incident].place].inei);
}

static void make_person(const struct simulation *simulation, uint32_t position, struct rows *rows) {
  static const char *const documents[] = {"", "DNI", "CARNE DE EXTRANJERIA", "PASAPORTE", "PTP"};
  const struct world *world = &simulation->world;
  const struct person *person = &world->persons[world->involvements[position].person];
  struct sighting seen;
  sighting_make(simulation, DATAMART, position, &seen);
  char birth[40];
  date_text(seen.birth, 'i', birth);
  snprintf(rows->person[0], TEXT_SIZE, "%u", position + 1);
  set(rows->person[1], seen.paternal);
  set(rows->person[2], seen.maternal);
  set(rows->person[3], seen.nameless ? "RESERVADO" : seen.given);
  set(rows->person[4], documents[seen.kind]);
  set(rows->person[5], seen.document);
  set(rows->person[6], birth);
  set(rows->person[7], person->sex == 'F' ? "F" : "M");
  set(rows->person[8], countries[person->country].code);
}

static void make_rows(const struct simulation *simulation, const struct entry *entry, struct rows *rows) {
  static const char *const states[] = {"ASIGNADO", "EN TRAMITE", "CONCLUIDO"};
  const struct world *world = &simulation->world;
  const struct involvement *involvement = &world->involvements[entry->item];
  const struct incident *incident = &world->incidents[involvement->incident];
  enum fault fault = record_fault(simulation, DATAMART, entry->item);
  memset(rows, 0, sizeof *rows);
  make_case(simulation, involvement->incident, rows);
  make_person(simulation, entry->item, rows);
  unsigned state =
      (unsigned)(random_mix(entry->item) % 2) + (record_state(simulation, DATAMART, entry->item).version > 0 ? 1U : 0U);
  char begun[40], updated[32];
  date_text_days(incident->reported + 5, 'i', begun);
  timestamp_text(entry->updated, updated);
  snprintf(rows->facts[0], TEXT_SIZE, "%u", entry->item + 1);
  snprintf(rows->facts[1], TEXT_SIZE, "%u", entry->item + 1);
  snprintf(rows->facts[2], TEXT_SIZE, "%u", involvement->incident + 1);
  set(rows->facts[3], involvement->role == VICTIM ? "AGRAVIADA" : "IMPUTADO");
  set(rows->facts[4], involvement->role == VICTIM ? "DEFENSA DE VICTIMAS" : "DEFENSA PENAL");
  set(rows->facts[5], states[state]);
  set(rows->facts[6], fault == FAULT_DATE || fault == FAULT_KEY ? "2021-02-31" : begun);
  if (state == 2 && incident->reported + 200 < FIRST_ROUND) {
    date_text_days(incident->reported + 200, 'i', begun);
    set(rows->facts[7], begun);
  }
  set(rows->facts[8], updated);
}

static bool insert(sqlite3 *database, sqlite3_stmt *statement, char (*columns)[TEXT_SIZE], int count) {
  sqlite3_reset(statement);
  for (int i = 0; i < count; i++) {
    int bound = columns[i][0] == '\0' ? sqlite3_bind_null(statement, i + 1)
                                      : sqlite3_bind_text(statement, i + 1, columns[i], -1, SQLITE_TRANSIENT);
    if (bound != SQLITE_OK) {
      return false;
    }
  }
  if (sqlite3_step(statement) != SQLITE_DONE) {
    fprintf(stderr, "datamart: %s\n", sqlite3_errmsg(database));
    return false;
  }
  return true;
}

static bool fill(sqlite3 *database, const struct simulation *simulation, const struct listing *listing) {
  static const char *const inserts[3] = {"INSERT OR IGNORE INTO dim_caso VALUES (?,?,?,?,?,?,?)",
                                         "INSERT INTO dim_persona VALUES (?,?,?,?,?,?,?,?,?)",
                                         "INSERT INTO fact_defensa VALUES (?,?,?,?,?,?,?,?,?)"};
  sqlite3_stmt *statements[3] = {NULL, NULL, NULL};
  bool filled = true;
  for (int i = 0; i < 3 && filled; i++) {
    filled = sqlite3_prepare_v2(database, inserts[i], -1, &statements[i], NULL) == SQLITE_OK;
  }
  struct rows rows;
  for (uint32_t i = 0; i < listing->count && filled; i++) {
    make_rows(simulation, &listing->entries[i], &rows);
    filled = insert(database, statements[0], rows.lawsuit, CASE_COLUMNS)
             && insert(database, statements[1], rows.person, PERSON_COLUMNS)
             && insert(database, statements[2], rows.facts, FACT_COLUMNS);
  }
  for (int i = 0; i < 3; i++) {
    sqlite3_finalize(statements[i]);
  }
  return filled;
}

bool datamart_write(const char *path, const struct simulation *simulation) {
  struct listing listing = {0};
  sqlite3 *database = NULL;
  bool written = listing_make(simulation, DATAMART, true, &listing) && sqlite3_open(path, &database) == SQLITE_OK;
  written = written
            && sqlite3_exec(database,
                            "BEGIN IMMEDIATE; DROP TABLE IF EXISTS fact_defensa; DROP TABLE IF EXISTS dim_persona;"
                            "DROP TABLE IF EXISTS dim_caso;",
                            NULL, NULL, NULL)
                   == SQLITE_OK
            && sqlite3_exec(database, schema, NULL, NULL, NULL) == SQLITE_OK && fill(database, simulation, &listing)
            && sqlite3_exec(database, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
  sqlite3_close(database);
  listing_free(&listing);
  return written;
}

static void copy_rows(FILE *out, const struct simulation *simulation, const struct listing *listing, int table) {
  static const char *const names[3] = {"dim_caso", "dim_persona", "fact_defensa"};
  static const int counts[3] = {CASE_COLUMNS, PERSON_COLUMNS, FACT_COLUMNS};
  struct rows rows;
  fprintf(out, "COPY %s FROM STDIN;\n", names[table]);
  for (uint32_t i = 0; i < listing->count; i++) {
    make_rows(simulation, &listing->entries[i], &rows);
    char(*columns)[TEXT_SIZE] = table == 0 ? rows.lawsuit : table == 1 ? rows.person : rows.facts;
    uint32_t item = listing->entries[i].item;
    bool first = true;
    /* A case is written with the first of its defences that is listed. */
    const struct incident *incident = &simulation->world.incidents[simulation->world.involvements[item].incident];
    for (uint32_t j = incident->first; table == 0 && j < item; j++) {
      struct state state = record_state(simulation, DATAMART, j);
      bool seen = (simulation->world.involvements[j].sources >> DATAMART & 1) != 0;
      first = first && !(seen && state.present && !state.deleted);
    }
    for (int column = 0; column < counts[table] && first; column++) {
      fprintf(out, "%s%s", column == 0 ? "" : "\t", columns[column][0] == '\0' ? "\\N" : columns[column]);
    }
    fputs(first ? "\n" : "", out);
  }
  fputs("\\.\n", out);
}

bool datamart_write_sql(const char *path, const struct simulation *simulation) {
  struct listing listing = {0};
  FILE *out = fopen(path, "wb");
  if (out == NULL || !listing_make(simulation, DATAMART, true, &listing)) {
    if (out != NULL) {
      fclose(out);
    }
    return false;
  }
  fprintf(out, "DROP TABLE IF EXISTS fact_defensa, dim_persona, dim_caso;\n%s", schema);
  for (int table = 0; table < 3; table++) {
    copy_rows(out, simulation, &listing, table);
  }
  listing_free(&listing);
  bool written = ferror(out) == 0;
  return fclose(out) == 0 && written;
}
