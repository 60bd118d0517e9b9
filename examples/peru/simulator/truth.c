/* Who is who, for the evaluation and for nobody else. */
#include "examples/peru/simulator/views.h"

#include <stdlib.h>

static void write_row(FILE *out, const struct simulation *simulation, enum source source, const char *record,
                      const char *person, uint32_t position) {
  const struct involvement *involvement = &simulation->world.involvements[position];
  fprintf(out, "%s,%s,%s,%s,%u,%u\n", source_names[source], record, person,
          involvement->role == VICTIM ? "victim" : "accused", involvement->person + 1, involvement->incident + 1);
}

static void write_incident(FILE *out, const struct simulation *simulation, enum source source, uint32_t item) {
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
    write_row(out, simulation, source, record, person, incident->first + i);
  }
}

static void write_involvement(FILE *out, const struct simulation *simulation, enum source source, uint32_t item) {
  char record[40];
  if (source == MIMP) {
    mimp_key(&simulation->world, item, record);
  } else if (source == SISCALP) {
    siscalp_key(item, record);
  } else {
    snprintf(record, sizeof record, "%u", item + 1);
  }
  write_row(out, simulation, source, record, record, item);
}

bool truth_write(const char *path, const struct simulation *simulation) {
  FILE *out = fopen(path, "wb");
  if (out == NULL) {
    return false;
  }
  fputs("source,record_key,person_key,role,true_person,true_case\n", out);
  bool written = true;
  for (int source = 0; source < SOURCES && written; source++) {
    struct listing listing;
    written = listing_make(simulation, (enum source)source, false, &listing);
    for (uint32_t i = 0; written && i < listing.count; i++) {
      if (source <= RETA) {
        write_incident(out, simulation, (enum source)source, listing.entries[i].item);
      } else {
        write_involvement(out, simulation, (enum source)source, listing.entries[i].item);
      }
    }
    listing_free(&listing);
  }
  written = written && ferror(out) == 0;
  return fclose(out) == 0 && written;
}
