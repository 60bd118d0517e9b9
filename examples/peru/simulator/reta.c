/* RETA, the police register: denuncias by SOAP 1.1 in Latin-1, capitals without accents, dates dd/mm/yyyy, places by
 * RENIEC's codes, documents by SUNAT's catalogue 06. */
#include "examples/peru/simulator/views.h"

static void write_person(FILE *out, const struct simulation *simulation, uint32_t position, uint32_t nth) {
  static const char *const documents[] = {"", "1", "4", "7", "F"};
  const struct involvement *involvement = &simulation->world.involvements[position];
  const struct person *person = &simulation->world.persons[involvement->person];
  struct sighting seen;
  sighting_make(simulation, RETA, position, &seen);
  text_raise(seen.paternal, true);
  text_raise(seen.maternal, true);
  text_raise(seen.given, true);
  text_raise(seen.alias, true);
  char birth[40], age[16] = "", key[16];
  date_text(seen.birth, 'd', birth);
  snprintf(key, sizeof key, "%u", nth);
  if (seen.age >= 0) {
    snprintf(age, sizeof age, "%d", seen.age);
  }
  const char *element = involvement->role == VICTIM ? "Victima" : "Denunciado";
  fprintf(out, "<%s>", element);
  xml_element(out, "Codigo", key);
  xml_element(out, "ApePaterno", seen.paternal);
  xml_element(out, "ApeMaterno", seen.maternal);
  xml_element(out, "Nombres", seen.nameless ? "IDENTIDAD RESERVADA" : seen.given);
  xml_element(out, "Alias", seen.alias);
  xml_element(out, "TipDoc", documents[seen.kind]);
  xml_element(out, "NumDoc", seen.document);
  xml_element(out, "FecNacimiento", birth);
  xml_element(out, "Edad", age);
  char sex[2] = {person->sex, '\0'};
  xml_element(out, "Sexo", sex);
  xml_element(out, "Nacionalidad", countries[person->country].name);
  fprintf(out, "</%s>", element);
}

static void write_people(FILE *out, const struct simulation *simulation, uint32_t item, uint8_t role) {
  const struct incident *incident = &simulation->world.incidents[item];
  const char *list = role == VICTIM ? "Victimas" : "Denunciados";
  fprintf(out, "<%s>", list);
  for (uint32_t i = 0; i < incident->count; i++) {
    const struct involvement *involvement = &simulation->world.involvements[incident->first + i];
    if (involvement->role == role && (involvement->sources >> RETA & 1) != 0) {
      write_person(out, simulation, incident->first + i, i + 1);
    }
  }
  fprintf(out, "</%s>", list);
}

static void write_circumstances(FILE *out, const struct incident *incident) {
  static const char *const venues[] = {"PROSTIBULO",         "NIGHT CLUB",
                                       "DISCOTECA",          "CENTRO DE MASAJES",
                                       "MINERIA ARTESANAL",  "TALA ILEGAL DE LA MADERA",
                                       "SERVICIO DOMESTICO", "MENDICIDAD/ VIA PUBLICA"};
  static const char *const recruitment[] = {"OFERTA DE TRABAJO", "OFERTA DE ESTUDIO", "SEDUCCION",
                                            "INTERNET",          "PADRINAZGO",        "OTRO"};
  static const char *const means[] = {"AMENAZA", "VIOLENCIA",      "PRIVACION DE LA LIBERTAD",      "FRAUDE",
                                      "ENGAÑO",  "ABUSO DE PODER", "CONCESION O RECEPCION DE PAGOS"};
  xml_element(out, "Lugar", venues[incident->venue]);
  xml_element(out, "Captacion", recruitment[incident->recruitment]);
  fputs("<Medios>", out);
  for (unsigned i = 0; i < sizeof means / sizeof *means; i++) {
    if ((incident->means >> i & 1) != 0) {
      xml_element(out, "Medio", means[i]);
    }
  }
  fputs("</Medios>", out);
}

static void write_denuncia(FILE *out, const struct simulation *simulation, const struct entry *entry) {
  uint32_t item = entry->item;
  const struct incident *incident = &simulation->world.incidents[item];
  const struct district *place = &simulation->world.tables->districts.items[incident->place];
  enum fault fault = record_fault(simulation, RETA, item);
  struct filing filing;
  filing_make(simulation, RETA, item, item, &filing);
  char reported[40], facts[40], unit[128], updated[64], day[40], offence[160], encoded[160];
  date_text_days(incident->reported, 'd', reported);
  date_text_days(incident->facts, 'd', facts);
  date_text_days((int32_t)(entry->updated / 86400), 'd', day);
  int64_t second = entry->updated % 86400;
  snprintf(updated, sizeof updated, "%s %02d:%02d:%02d", day, (int)(second / 3600), (int)(second / 60 % 60),
           (int)(second % 60));
  snprintf(unit, sizeof unit, "COMISARIA PNP %s", place->name);
  snprintf(offence, sizeof offence, "%s", filing.offence->text);
  if (record_chance(simulation, RETA, item, WHAT_ENCODED, simulation->rates.double_encoded)) {
    text_encode_again(offence, encoded, sizeof encoded);
    snprintf(offence, sizeof offence, "%s", encoded);
  }
  fputs("<Denuncia>", out);
  xml_element(out, "NumDenuncia", fault == FAULT_KEY ? "" : filing.denuncia);
  xml_element(out, "NumCarpeta", filing.carpeta);
  xml_element(out, "FecDenuncia", fault == FAULT_DATE ? "31/02/2021" : reported);
  xml_element(out, "FecHecho", facts);
  xml_element(out, "Comisaria", unit);
  xml_element(out, "Ubigeo", place->reniec);
  xml_element(out, "CodDelito", fault == FAULT_OFFENCE ? "XX-1" : filing.code);
  xml_element(out, "Norma", filing.former_system ? "ANTERIOR" : "VIGENTE");
  xml_element(out, "Delito", offence);
  xml_element(out, "Ambito", incident->abroad ? "INTERNACIONAL" : "NACIONAL");
  write_circumstances(out, incident);
  write_people(out, simulation, item, VICTIM);
  write_people(out, simulation, item, ACCUSED);
  xml_element(out, "FecModificacion", updated);
  fputs("</Denuncia>\n", out);
}

/* RETA counts the rows that it sends, repeated ones included. */
static uint32_t count_rows(const struct simulation *simulation, const struct listing *listing, uint32_t first) {
  uint32_t rows = listing->count - first;
  for (uint32_t i = first; i < listing->count; i++) {
    rows += record_chance(simulation, RETA, listing->entries[i].item, WHAT_REPEATED, simulation->rates.repeated);
  }
  return rows;
}

void reta_page(FILE *out, const struct simulation *simulation, const struct listing *listing, int64_t since,
               uint32_t page, uint32_t size) {
  uint32_t first = listing_find(listing, since, 0), total = listing->count - first;
  uint64_t from = first + (uint64_t)(page - 1) * size;
  fprintf(out,
          "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n"
          "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>"
          "<ConsultarDenunciasResponse xmlns=\"urn:pe:gob:mininter:reta\">"
          "<Codigo>0</Codigo><Total>%u</Total><Pagina>%u</Pagina><Paginas>%u</Paginas><Denuncias>\n",
          count_rows(simulation, listing, first), page, (total + size - 1) / size);
  for (uint64_t i = from; i < from + size && i < listing->count; i++) {
    write_denuncia(out, simulation, &listing->entries[i]);
    if (record_chance(simulation, RETA, listing->entries[i].item, WHAT_REPEATED, simulation->rates.repeated)) {
      write_denuncia(out, simulation, &listing->entries[i]);
    }
  }
  fputs("</Denuncias></ConsultarDenunciasResponse></soap:Body></soap:Envelope>\n", out);
}
