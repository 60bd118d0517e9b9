#include "examples/peru/simulator/persons.h"
#include "examples/peru/simulator/write.h"

#include <stdlib.h>
#include <string.h>

static void mark_pair(const struct world *world, uint32_t a, uint32_t b, uint8_t *kin) {
  const struct person *one = &world->persons[a], *other = &world->persons[b];
  if (one->paternal != other->paternal || one->maternal != other->maternal || one->birthplace != other->birthplace) {
    return;
  }
  uint8_t mark = one->birth == other->birth ? KIN_TWIN : KIN_SIBLING;
  kin[a] |= mark;
  kin[b] |= mark;
}

uint8_t *kin_find(const struct world *world) {
  uint8_t *kin = calloc((size_t)world->person_count + 1, sizeof *kin);
  for (uint32_t i = 0; kin != NULL && i < world->person_count; i++) {
    if (world->persons[i].borrowed != NO_PERSON) {
      kin[i] |= KIN_DOCUMENT;
      kin[world->persons[i].borrowed] |= KIN_DOCUMENT;
    }
  }
  for (uint32_t i = 0; kin != NULL && i < world->incident_count; i++) {
    const struct incident *incident = &world->incidents[i];
    const struct involvement *involvements = &world->involvements[incident->first];
    for (uint32_t a = 0; a < incident->count; a++) {
      for (uint32_t b = a + 1; b < incident->count; b++) {
        mark_pair(world, involvements[a].person, involvements[b].person, kin);
      }
    }
  }
  return kin;
}

const char *kin_text(uint8_t kin) {
  static const char *const texts[] = {"",         "sibling",          "twin",          "twin",
                                      "document", "sibling document", "twin document", "twin document"};
  return texts[kin & (KIN_SIBLING | KIN_TWIN | KIN_DOCUMENT)];
}

static void write_field(FILE *out, const char *text, char end) {
  if (strpbrk(text, ",\"\n") == NULL) {
    fputs(text, out);
  } else {
    putc('"', out);
    for (; *text != '\0'; text++) {
      if (*text == '"') {
        putc('"', out);
      }
      putc(*text, out);
    }
    putc('"', out);
  }
  putc(end, out);
}

/* As the source writes names: RETA and MIMP in capitals, SISCALP in one field. */
static void write_names(FILE *out, enum source source, struct sighting *seen) {
  char whole[6 * NAME_SIZE] = "";
  if (source == RETA || source == MIMP) {
    text_raise(seen->paternal, source == RETA);
    text_raise(seen->maternal, source == RETA);
    text_raise(seen->given, source == RETA);
  }
  if (source == SISCALP && !seen->nameless) {
    snprintf(whole, sizeof whole, "%s %s%s%s", seen->given, seen->paternal, seen->maternal[0] != '\0' ? " " : "",
             seen->maternal);
    seen->paternal[0] = seen->maternal[0] = seen->given[0] = '\0';
  }
  write_field(out, seen->paternal, ',');
  write_field(out, seen->maternal, ',');
  write_field(out, seen->given, ',');
  write_field(out, whole, ',');
}

static void write_person(FILE *out, const struct simulation *simulation, enum source source, uint32_t position,
                         uint8_t kin) {
  static const char *const documents[] = {"", "DNI", "CE", "PASAPORTE", "PTP"};
  const struct world *world = &simulation->world;
  const struct involvement *involvement = &world->involvements[position];
  const struct person *person = &world->persons[involvement->person];
  struct sighting seen;
  struct filing filing;
  char birth[40];
  sighting_make(simulation, source, position, &seen);
  filing_make(simulation, source, source <= RETA ? involvement->incident : position, involvement->incident, &filing);
  date_text(seen.birth, 'i', birth);
  fprintf(out, "%s-%u,%s,%s,%s,", source_names[source], position + 1, source_names[source], documents[seen.kind],
          seen.document);
  write_names(out, source, &seen);
  fprintf(out, "%s,%c,%s,%s,%s,%s,%u\n", birth, person->sex, countries[person->country].code, filing.denuncia,
          filing.carpeta, kin_text(kin), involvement->person + 1);
}

bool persons_write(const char *path, const struct simulation *simulation) {
  const struct world *world = &simulation->world;
  uint8_t *kin = kin_find(world);
  FILE *out = kin == NULL ? NULL : fopen(path, "wb");
  if (out == NULL) {
    free(kin);
    return false;
  }
  fputs(
      "id,source,document_type,document_number,paternal_surname,maternal_surname,given_names,full_name,birth_date,sex,"
      "nationality,denuncia,carpeta,kin,true_person\n",
      out);
  for (int source = 0; source < SOURCES; source++) {
    for (uint32_t i = 0; i < world->involvement_count; i++) {
      if ((world->involvements[i].sources >> source & 1) != 0) {
        write_person(out, simulation, (enum source)source, i, kin[world->involvements[i].person]);
      }
    }
  }
  free(kin);
  bool written = ferror(out) == 0;
  return fclose(out) == 0 && written;
}
