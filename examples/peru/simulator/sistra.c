/* SISTRA, the prosecutor's system: cases with victims, accused, facts and stages, as JSON. Places are INEI codes. */
#include "examples/peru/simulator/views.h"

#include <inttypes.h>
#include <string.h>

static const char *const stages[] = {"DENUNCIA",
                                     "DILIGENCIAS PRELIMINARES",
                                     "INVESTIGACION PREPARATORIA",
                                     "ACUSACION",
                                     "JUICIO ORAL",
                                     "SENTENCIA CONDENATORIA",
                                     "ARCHIVO",
                                     "SENTENCIA ABSOLUTORIA"};
static const char *const documents[] = {"", "DNI", "CE", "PASAPORTE", "PTP"};

void sistra_key(uint32_t incident, char text[40]) {
  snprintf(text, 40, "SIS-%06u", incident + 1);
}

static void write_person(FILE *out, const struct simulation *simulation, uint32_t position, const char *key) {
  const struct involvement *involvement = &simulation->world.involvements[position];
  const struct person *person = &simulation->world.persons[involvement->person];
  struct sighting seen;
  sighting_make(simulation, SISTRA, position, &seen);
  char birth[40], document[40], encoded[NAME_SIZE];
  date_text(seen.birth, 'i', birth);
  snprintf(document, sizeof document, "%s", seen.document);
  if (seen.kind == DOCUMENT_DNI && record_chance(simulation, SISTRA, position, WHAT_CHECK_DIGIT, 0.3)) {
    /* The document's own check digit, so that a mistyped number does not fit it. */
    const struct person *shown = person->borrowed == NO_PERSON ? person : &simulation->world.persons[person->borrowed];
    size_t len = strlen(document);
    snprintf(document + len, sizeof document - len, "-%c", dni_check(shown->number));
  }
  if (record_chance(simulation, SISTRA, position, WHAT_ENCODED, simulation->rates.double_encoded)) {
    text_encode_again(seen.paternal, encoded, sizeof encoded);
    snprintf(seen.paternal, sizeof seen.paternal, "%s", encoded);
  }
  putc('{', out);
  json_member(out, true, "id", key);
  json_member(out, false, "ap_paterno", seen.paternal);
  json_member(out, false, "ap_materno", seen.maternal);
  json_member(out, false, "nombres", seen.nameless ? "RESERVADO" : seen.given);
  json_member(out, false, "alias", seen.alias);
  json_member(out, false, "tipo_doc", documents[seen.kind]);
  json_member(out, false, "nro_doc", document);
  json_member(out, false, "fec_nacimiento", birth);
  if (seen.age >= 0) {
    fprintf(out, ",\"edad\":%d", seen.age);
  } else {
    fputs(",\"edad\":null", out);
  }
  json_member(out, false, "sexo", person->sex == 'F' ? "MUJER" : "HOMBRE");
  json_member(out, false, "nacionalidad", countries[person->country].code);
  fprintf(out, ",\"reservado\":%s}", seen.nameless ? "true" : "false");
}

static void write_people(FILE *out, const struct simulation *simulation, uint32_t item, uint8_t role) {
  const struct incident *incident = &simulation->world.incidents[item];
  const char *separator = "";
  fprintf(out, ",\"%s\":[", role == VICTIM ? "agraviados" : "denunciados");
  for (uint32_t i = 0; i < incident->count; i++) {
    const struct involvement *involvement = &simulation->world.involvements[incident->first + i];
    if (involvement->role == role && (involvement->sources >> SISTRA & 1) != 0) {
      char key[16];
      snprintf(key, sizeof key, "%c%u", role == VICTIM ? 'A' : 'D', i + 1);
      fputs(separator, out);
      write_person(out, simulation, incident->first + i, key);
      separator = ",";
    }
  }
  putc(']', out);
}

static void write_facts(FILE *out, const struct simulation *simulation, const struct incident *incident) {
  static const char *const kinds[] = {"CAPTACION", "EXPLOTACION", "RESCATE"};
  static const char *const purposes[][2] = {{"SEX", "EXPLOTACION SEXUAL"},
                                            {"LAB", "EXPLOTACION LABORAL"},
                                            {"BEG", "MENDICIDAD"},
                                            {"FOR", "TRABAJOS Y SERVICIOS FORZADOS"},
                                            {"ORG", "TRAFICO DE ORGANOS TEJIDO HUMANO"}};
  const struct tables *tables = simulation->world.tables;
  const char *purpose = tables->offences.items[incident->offence].purpose, *text = "NO IDENTIFICADO";
  for (size_t i = 0; i < sizeof purposes / sizeof *purposes; i++) {
    text = strcmp(purposes[i][0], purpose) == 0 ? purposes[i][1] : text;
  }
  json_member(out, false, "finalidad", text);
  fputs(",\"hechos\":[", out);
  for (int i = 0; i < 3; i++) {
    char date[40];
    date_text_days(incident->facts + (i - 1) * 20, 'i', date);
    fprintf(out, "%s{\"orden\":%d", i == 0 ? "" : ",", i + 1);
    json_member(out, false, "tipo", kinds[i]);
    json_member(out, false, "fecha", i == 2 ? "" : date);
    json_member(out, false, "ubigeo", tables->districts.items[i == 0 ? incident->origin : incident->place].inei);
    putc('}', out);
  }
  putc(']', out);
}

static void write_stages(FILE *out, const struct incident *incident, int reached) {
  const char *separator = "";
  fputs(",\"etapas\":[", out);
  for (int i = 0; i <= reached && i < 8; i++) {
    /* Archive ends a case without the judgement before it, and an acquittal has no conviction. */
    if (i != reached && i >= 5) {
      continue;
    }
    char date[40];
    date_text_days(incident->reported + i * 75, 'i', date);
    fprintf(out, "%s{\"orden\":%d", separator, i + 1);
    json_member(out, false, "etapa", stages[i]);
    json_member(out, false, "fecha", date);
    putc('}', out);
    separator = ",";
  }
  putc(']', out);
}

static void write_case(FILE *out, const struct simulation *simulation, uint32_t item, const char *updated) {
  const struct incident *incident = &simulation->world.incidents[item];
  const struct tables *tables = simulation->world.tables;
  const struct district *place = &tables->districts.items[incident->place];
  enum fault fault = record_fault(simulation, SISTRA, item);
  struct filing filing;
  filing_make(simulation, SISTRA, item, item, &filing);
  char key[40], reported[40], code[40];
  sistra_key(item, key);
  date_text_days(incident->reported, 'i', reported);
  snprintf(code, sizeof code, "%s", filing.code);
  if (record_chance(simulation, SISTRA, item, WHAT_ENCODED, simulation->rates.double_encoded)) {
    text_encode_again(filing.code, code, sizeof code);
  }
  putc('{', out);
  json_member(out, true, "id_caso", fault == FAULT_KEY ? "" : key);
  json_member(out, false, "nro_carpeta", filing.carpeta);
  json_member(out, false, "nro_denuncia", filing.denuncia);
  json_member(out, false, "fec_denuncia", fault == FAULT_DATE ? "2021-02-31" : reported);
  json_member(out, false, "articulo", fault == FAULT_OFFENCE ? "999-Z" : code);
  json_member(out, false, "norma", filing.former_system ? "CP-2017" : "CP-2021");
  json_member(out, false, "delito", filing.offence->text);
  json_member(out, false, "distrito_fiscal", place->department);
  json_member(out, false, "ubigeo", place->inei);
  json_member(out, false, "ambito", incident->abroad ? "INTERNACIONAL" : "NACIONAL");
  write_facts(out, simulation, incident);
  write_people(out, simulation, item, VICTIM);
  write_people(out, simulation, item, ACCUSED);
  write_stages(out, incident, filing.stage);
  fprintf(out, ",\"actualizado\":\"%s\",\"eliminado\":false}", updated);
}

void sistra_page(FILE *out, const struct simulation *simulation, const struct listing *listing, int64_t since,
                 const char *cursor, uint32_t limit) {
  uint32_t first = listing_find(listing, since, 0), at = first;
  int64_t updated = 0;
  uint32_t item = 0;
  if (sscanf(cursor, "%" SCNx64 "-%" SCNx32, &updated, &item) == 2) {
    at = listing_find(listing, updated, item + 1);
  }
  uint32_t end = listing->count - at < limit ? listing->count : at + limit;
  fprintf(out, "{\"total\":%u,\"datos\":[", listing->count - first);
  for (uint32_t i = at; i < end; i++) {
    char text[32], key[40];
    timestamp_text(listing->entries[i].updated, text);
    fputs(i == at ? "\n" : ",\n", out);
    if (record_state(simulation, SISTRA, listing->entries[i].item).deleted) {
      sistra_key(listing->entries[i].item, key);
      fprintf(out, "{\"id_caso\":\"%s\",\"actualizado\":\"%s\",\"eliminado\":true}", key, text);
    } else {
      write_case(out, simulation, listing->entries[i].item, text);
    }
  }
  fputs("\n],\"siguiente\":", out);
  if (end < listing->count) {
    const struct entry *last = &listing->entries[end - 1];
    fprintf(out, "\"%" PRIx64 "-%" PRIx32 "\"}\n", last->updated, last->item);
  } else {
    fputs("null}\n", out);
  }
}
