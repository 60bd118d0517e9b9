/* MIMP, the women's ministry: assistances of its centres and shelters in the style of PIDE. One record a person. */
#include "examples/peru/simulator/views.h"

#include <string.h>

const char *mimp_service(uint32_t involvement) {
  static const char *const services[] = {"UPE", "CEM", "CAR", "CARE"};
  return services[random_mix(involvement) % 4];
}

void mimp_key(const struct world *world, uint32_t involvement, char text[40]) {
  const struct incident *incident = &world->incidents[world->involvements[involvement].incident];
  snprintf(text, 40, "%s-%d-%06u", mimp_service(involvement), calendar_of(incident->reported).year, involvement + 1);
}

static void write_assistance(FILE *out, const struct simulation *simulation, const struct entry *entry) {
  static const char *const measures[] = {"ACOGIMIENTO RESIDENCIAL", "PATROCINIO LEGAL", "ATENCION PSICOLOGICA",
                                         "REINSERCION FAMILIAR"};
  static const char *const documents[] = {"", "DNI", "CE", "PAS", "PTP"};
  uint32_t position = entry->item;
  const struct world *world = &simulation->world;
  const struct involvement *involvement = &world->involvements[position];
  const struct incident *incident = &world->incidents[involvement->incident];
  const struct person *person = &world->persons[involvement->person];
  enum fault fault = record_fault(simulation, MIMP, position);
  struct sighting seen;
  struct filing filing;
  sighting_make(simulation, MIMP, position, &seen);
  filing_make(simulation, MIMP, position, involvement->incident, &filing);
  text_raise(seen.paternal, false);
  text_raise(seen.maternal, false);
  text_raise(seen.given, false);
  char key[40], birth[40], admitted[40], left[40] = "", updated[32], centre[96];
  mimp_key(world, position, key);
  date_text(seen.birth, 'c', birth);
  date_text_days(incident->reported + (int32_t)(random_mix(position) % 40), 'c', admitted);
  if (random_mix(position + 7U) % 3 == 0 && incident->reported + 120 < FIRST_ROUND) {
    date_text_days(incident->reported + 120, 'c', left);
  }
  timestamp_text(entry->updated, updated);
  snprintf(centre, sizeof centre, "%s %s", mimp_service(position),
           world->tables->districts.items[incident->place].name);
  const char *sex = person->sex == 'F' ? "2" : "1";
  const struct {
    const char *name, *text;
  } members[] = {
      {"nuDenuncia", filing.denuncia},
      {"nuCarpeta", filing.carpeta},
      {"apPaterno", seen.paternal},
      {"apMaterno", seen.maternal},
      {"prenombres", seen.nameless ? "RESERVADO" : seen.given},
      {"tiDocumento", documents[seen.kind]},
      {"nuDocumento", seen.document},
      {"feNacimiento", birth},
      {"sexo", sex},
      {"paNacionalidad", countries[person->country].code},
      {"ubigeo", world->tables->districts.items[incident->place].inei},
      {"tiServicio", mimp_service(position)},
      {"noCentro", centre},
      {"feIngreso", fault == FAULT_NONE || fault == FAULT_KEY ? admitted : "20210231"},
      {"feEgreso", left},
      {"tiMedida",
       measures[(random_mix(position + 3U) + (uint64_t)record_state(simulation, MIMP, position).version) % 4]},
      {"feActualizacion", updated},
  };
  putc('{', out);
  json_member(out, true, "coAtencion", fault == FAULT_KEY ? "" : key);
  for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
    json_member(out, false, members[i].name, members[i].text);
  }
  putc('}', out);
}

void mimp_page(FILE *out, const struct simulation *simulation, const struct listing *listing, int64_t since,
               uint32_t first, uint32_t count) {
  uint32_t begin = listing_find(listing, since, 0);
  fprintf(out,
          "{\"consultarResponse\":{\"return\":{\"coResultado\":\"0000\",\"deResultado\":\"CONSULTA REALIZADA "
          "CORRECTAMENTE\",\"nuTotal\":%u,\"datos\":[",
          listing->count - begin);
  for (uint64_t i = (uint64_t)begin + first; i < (uint64_t)begin + first + count && i < listing->count; i++) {
    fputs(i == (uint64_t)begin + first ? "\n" : ",\n", out);
    write_assistance(out, simulation, &listing->entries[i]);
  }
  fputs("\n]}}}\n", out);
}

void mimp_failure(FILE *out, const char *code, const char *text) {
  fprintf(out, "{\"consultarResponse\":{\"return\":{\"coResultado\":\"%s\",\"deResultado\":\"%s\",\"datos\":[]}}}\n",
          code, text);
}
