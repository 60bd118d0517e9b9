/* SISCALP, an NGO's follow-up of its clients: CSV files with `;` in Windows-1252, whole names in one field, written by
 * hand. A client may have refused that the record be shared. */
#include "examples/peru/simulator/views.h"

void siscalp_key(uint32_t involvement, char text[40]) {
  snprintf(text, 40, "CHS-%06u", involvement + 1);
}

static void whole_name(const struct sighting *seen, bool comma, char *text, size_t size) {
  const char *gap = seen->maternal[0] != '\0' && seen->paternal[0] != '\0' ? " " : "";
  if (seen->nameless) {
    snprintf(text, size, "RESERVADO");
  } else if (comma) {
    snprintf(text, size, "%s%s%s, %s", seen->paternal, gap, seen->maternal, seen->given);
  } else {
    snprintf(text, size, "%s %s%s%s", seen->given, seen->paternal, gap, seen->maternal);
  }
}

static void write_line(FILE *out, const struct simulation *simulation, const struct entry *entry) {
  static const char *const documents[] = {"", "DNI", "CE", "Pasaporte", "PTP"};
  static const char *const plans[] = {"En elaboración", "En ejecución", "Concluido", "Abandonado"};
  uint32_t position = entry->item;
  const struct world *world = &simulation->world;
  const struct involvement *involvement = &world->involvements[position];
  const struct incident *incident = &world->incidents[involvement->incident];
  const struct person *person = &world->persons[involvement->person];
  enum fault fault = record_fault(simulation, SISCALP, position);
  struct random random = random_start(world->seed, 9, position);
  struct sighting seen;
  struct filing filing;
  sighting_make(simulation, SISCALP, position, &seen);
  filing_make(simulation, SISCALP, position, involvement->incident, &filing);
  bool comma = random_chance(&random, 0.75) || seen.maternal[0] == '\0', words = random_chance(&random, 0.3);
  bool consent = !record_chance(simulation, SISCALP, position, WHAT_CONSENT, simulation->rates.no_consent);
  char key[40], attended[40], birth[40], age[16] = "", name[6 * NAME_SIZE], updated[32], encoded[6 * NAME_SIZE];
  siscalp_key(position, key);
  date_text_days(incident->reported + (int32_t)(random_next(&random) % 60), words ? 't' : 'd', attended);
  date_text(seen.birth, 'd', birth);
  if (seen.age >= 0) {
    snprintf(age, sizeof age, "%d", seen.age);
  }
  whole_name(&seen, comma, name, sizeof name);
  if (record_chance(simulation, SISCALP, position, WHAT_ENCODED, simulation->rates.double_encoded)) {
    text_encode_again(name, encoded, sizeof encoded);
    snprintf(name, sizeof name, "%s", encoded);
  }
  timestamp_text(entry->updated, updated);
  uint32_t plan = (random_below(&random, 3) + (uint32_t)record_state(simulation, SISCALP, position).version) % 4;
  const char *fields[] = {fault == FAULT_KEY ? "" : key,
                          fault == FAULT_NONE || fault == FAULT_KEY ? attended : "31/02/2021",
                          name,
                          seen.alias,
                          documents[seen.kind],
                          seen.document,
                          birth,
                          age,
                          person->sex == 'F' ? "Femenino" : "Masculino",
                          countries[person->country].name,
                          world->tables->districts.items[incident->place].department,
                          filing.carpeta,
                          filing.denuncia,
                          plans[plan],
                          consent ? "SÍ" : "NO",
                          updated};
  enum { FIELDS = sizeof fields / sizeof *fields };
  for (int i = 0; i < FIELDS; i++) {
    csv_field(out, fields[i], i + 1 < FIELDS ? ';' : '\n');
  }
}

bool siscalp_write(const char *folder, const struct simulation *simulation) {
  struct listing now = {0};
  if (!listing_make(simulation, SISCALP, true, &now)) {
    return false;
  }
  int64_t first = (int64_t)FIRST_ROUND * 86400 + 23 * 3600;
  int64_t since = simulation->round == 1 ? INT64_MIN : first + (simulation->round - 2) * 86400 - 3600;
  char path[4096], hidden[4096];
  snprintf(path, sizeof path, "%s/siscalp_%d.csv", folder, simulation->round);
  snprintf(hidden, sizeof hidden, "%s/.siscalp.part", folder);
  FILE *out = fopen(hidden, "wb");
  if (out == NULL) {
    listing_free(&now);
    return false;
  }
  write_charset(out,
                "CÓDIGO;FECHA ATENCIÓN;NOMBRE COMPLETO;ALIAS;TIPO DOC;DOCUMENTO;FECHA NACIMIENTO;EDAD;SEXO;"
                "NACIONALIDAD;DEPARTAMENTO;CARPETA FISCAL;DENUNCIA;PLAN;CONSENTIMIENTO;ACTUALIZADO\n",
                CHARSET_WINDOWS_1252);
  for (uint32_t i = listing_find(&now, since, 0); i < now.count; i++) {
    write_line(out, simulation, &now.entries[i]);
    if (record_chance(simulation, SISCALP, now.entries[i].item, WHAT_REPEATED, simulation->rates.repeated)) {
      write_line(out, simulation, &now.entries[i]);
    }
  }
  listing_free(&now);
  bool written = ferror(out) == 0;
  return fclose(out) == 0 && written && rename(hidden, path) == 0;
}
