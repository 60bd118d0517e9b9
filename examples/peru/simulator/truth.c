/* Who is who, for the evaluation and for nobody else. */
#include "examples/peru/simulator/persons.h"
#include "examples/peru/simulator/views.h"

#include <stdlib.h>

static void write_row(FILE *out, const struct simulation *simulation, enum source source, const char *record,
                      const char *person, uint32_t position, const uint8_t *kin) {
  const struct involvement *involvement = &simulation->world.involvements[position];
  fprintf(out, "%s,%s,%s,%s,%u,%u,%s,%s\n", source_names[source], record, person,
          involvement->role == VICTIM ? "victim" : "accused", involvement->person + 1, involvement->incident + 1,
          (involvement->claims & CLAIM_PROTECTED) != 0 ? "yes" : "no", kin_text(kin[involvement->person]));
}

static void write_incident(FILE *out, const struct simulation *simulation, enum source source, uint32_t item,
                           const uint8_t *kin) {
  const struct incident *incident = &simulation->world.incidents[item];
  char record[40], person[64];
  if (source == SISTRA) {
    sistra_key(item, record);
  } else {
    char number[32];
    denuncia_number(&simulation->world, item, number);
    snprintf(record, sizeof record, "%s", number);
  }
  for (uint32_t i = 0; i < incident->count; i++) {
    const struct involvement *involvement = &simulation->world.involvements[incident->first + i];
    if ((involvement->sources >> source & 1) == 0) {
      continue;
    }
    if (source == SISTRA) {
      snprintf(person, sizeof person, "%s/%c%u", record, involvement->role == VICTIM ? 'A' : 'D', i + 1);
    } else {
      snprintf(person, sizeof person, "%s/%u", record, i + 1);
    }
    write_row(out, simulation, source, record, person, incident->first + i, kin);
  }
}

static void write_involvement(FILE *out, const struct simulation *simulation, enum source source, uint32_t item,
                              const uint8_t *kin) {
  char record[40];
  if (source == MIMP) {
    mimp_key(&simulation->world, item, record);
  } else if (source == SISCALP) {
    siscalp_key(item, record);
  } else {
    snprintf(record, sizeof record, "%u", item + 1);
  }
  write_row(out, simulation, source, record, record, item, kin);
}

bool truth_write(const char *path, const struct simulation *simulation) {
  uint8_t *kin = kin_find(&simulation->world);
  FILE *out = kin == NULL ? NULL : fopen(path, "wb");
  if (out == NULL) {
    free(kin);
    return false;
  }
  fputs("source,record_key,person_key,role,true_person,true_case,protected,kin\n", out);
  bool written = true;
  for (int source = 0; source < SOURCES && written; source++) {
    struct listing listing;
    written = listing_make(simulation, (enum source)source, false, &listing);
    for (uint32_t i = 0; written && i < listing.count; i++) {
      if (source <= RETA) {
        write_incident(out, simulation, (enum source)source, listing.entries[i].item, kin);
      } else {
        write_involvement(out, simulation, (enum source)source, listing.entries[i].item, kin);
      }
    }
    listing_free(&listing);
  }
  free(kin);
  written = written && ferror(out) == 0;
  return fclose(out) == 0 && written;
}
