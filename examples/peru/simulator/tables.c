#include "examples/peru/simulator/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MOST = 8, ROWS_MOST = 1000 };

/* One row: fields point into the file's bytes, which are cut in place. */
struct line {
  char *fields[FIELDS_MOST];
  size_t count;
};
struct sheet {
  struct line *lines;
  size_t count;
};

static char *read_text(const char *folder, const char *file) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, file);
  FILE *stream = fopen(path, "rb");
  char *text = calloc(1, 65536);
  if (stream == NULL || text == NULL) {
    fprintf(stderr, "cannot read %s\n", path);
    free(text);
    text = NULL;
  } else if (fread(text, 1, 65535, stream) == 65535) {
    fprintf(stderr, "%s is too long\n", path);
    free(text);
    text = NULL;
  }
  if (stream != NULL) {
    fclose(stream);
  }
  return text;
}

static void split(char *text, char separator, char **fields, size_t most, size_t *count) {
  *count = 0;
  for (char *next = text; next != NULL && *count < most;) {
    char *end = strchr(next, separator);
    if (end != NULL) {
      *end = '\0';
    }
    fields[(*count)++] = next;
    next = end == NULL ? NULL : end + 1;
  }
}

static bool read_sheet(const char *folder, const char *file, size_t fields, char **text, struct sheet *sheet) {
  *text = read_text(folder, file);
  sheet->count = 0;
  sheet->lines = calloc(ROWS_MOST, sizeof *sheet->lines);
  if (*text == NULL || sheet->lines == NULL) {
    free(sheet->lines);
    return false;
  }
  char *rest = *text;
  while (rest != NULL && *rest != '\0' && sheet->count < ROWS_MOST) {
    char *line = strsep(&rest, "\n");
    if (*line == '\0' || *line == '#') {
      continue;
    }
    struct line *row = &sheet->lines[sheet->count];
    split(line, ';', row->fields, FIELDS_MOST, &row->count);
    if (row->count != fields) {
      fprintf(stderr, "%s/%s: a row has %zu fields instead of %zu\n", folder, file, row->count, fields);
      free(sheet->lines);
      return false;
    }
    sheet->count++;
  }
  return true;
}

static uint32_t weight(const char *text) {
  return (uint32_t)strtoul(text, NULL, 10);
}

static uint8_t kind_of(const char *text) {
  switch (text[0]) {
  case 'a':
    return text[1] == 'n' ? NAME_ANDEAN : NAME_AMAZONIAN;
  case 'f':
    return NAME_FOREIGN;
  default:
    return NAME_HISPANIC;
  }
}

static bool load_surnames(struct tables *tables, const char *folder) {
  struct sheet sheet;
  if (!read_sheet(folder, "surnames.csv", 4, &tables->texts[0], &sheet)) {
    return false;
  }
  tables->surnames.items = calloc(sheet.count + 1, sizeof *tables->surnames.items);
  uint32_t sum = 0;
  for (size_t i = 0; tables->surnames.items != NULL && i < sheet.count; i++) {
    struct name *name = &tables->surnames.items[tables->surnames.count++];
    char **fields = sheet.lines[i].fields;
    sum += weight(fields[1]);
    *name = (struct name){.text = fields[0], .until = sum, .kind = kind_of(fields[2])};
    if (*fields[3] != '\0') {
      size_t count = 0;
      split(fields[3], ',', name->variants, 3, &count);
    }
  }
  free(sheet.lines);
  return tables->surnames.count > 0;
}

static bool load_given(struct tables *tables, const char *folder) {
  struct sheet sheet;
  if (!read_sheet(folder, "given.csv", 3, &tables->texts[1], &sheet)) {
    return false;
  }
  struct names *both[2] = {&tables->female, &tables->male};
  for (int sex = 0; sex < 2; sex++) {
    both[sex]->items = calloc(sheet.count + 1, sizeof *both[sex]->items);
    uint32_t sum = 0;
    for (size_t i = 0; both[sex]->items != NULL && i < sheet.count; i++) {
      char **fields = sheet.lines[i].fields;
      if (fields[2][0] == "FM"[sex]) {
        sum += weight(fields[1]);
        both[sex]->items[both[sex]->count++] = (struct name){.text = fields[0], .until = sum};
      }
    }
  }
  free(sheet.lines);
  return tables->female.count > 0 && tables->male.count > 0;
}

static bool load_districts(struct tables *tables, const char *folder) {
  struct sheet sheet;
  if (!read_sheet(folder, "districts.csv", 7, &tables->texts[2], &sheet)) {
    return false;
  }
  tables->districts.items = calloc(sheet.count + 1, sizeof *tables->districts.items);
  uint32_t sum = 0, origin_sum = 0;
  for (size_t i = 0; tables->districts.items != NULL && i < sheet.count; i++) {
    char **fields = sheet.lines[i].fields;
    sum += weight(fields[5]);
    origin_sum += weight(fields[6]);
    tables->districts.items[tables->districts.count++] = (struct district){.inei = fields[0],
                                                                           .reniec = fields[1],
                                                                           .department = fields[2],
                                                                           .province = fields[3],
                                                                           .name = fields[4],
                                                                           .until = sum,
                                                                           .origin_until = origin_sum};
  }
  free(sheet.lines);
  return tables->districts.count > 0;
}

static bool load_offences(struct tables *tables, const char *folder) {
  struct sheet sheet;
  if (!read_sheet(folder, "offences.csv", 5, &tables->texts[3], &sheet)) {
    return false;
  }
  tables->offences.items = calloc(sheet.count + 1, sizeof *tables->offences.items);
  uint32_t sum = 0;
  for (size_t i = 0; tables->offences.items != NULL && i < sheet.count; i++) {
    char **fields = sheet.lines[i].fields;
    sum += weight(fields[2]);
    struct offence *offence = &tables->offences.items[tables->offences.count++];
    *offence = (struct offence){.now = fields[0], .before = fields[1], .text = fields[4], .until = sum};
    snprintf(offence->purpose, sizeof offence->purpose, "%.3s", fields[3]);
  }
  free(sheet.lines);
  return tables->offences.count > 0;
}

bool tables_load(struct tables *tables, const char *folder) {
  return load_surnames(tables, folder) && load_given(tables, folder) && load_districts(tables, folder)
         && load_offences(tables, folder);
}

void tables_free(struct tables *tables) {
  free(tables->surnames.items);
  free(tables->female.items);
  free(tables->male.items);
  free(tables->districts.items);
  free(tables->offences.items);
  for (size_t i = 0; i < sizeof tables->texts / sizeof *tables->texts; i++) {
    free(tables->texts[i]);
  }
}

uint16_t names_draw(const struct names *names, struct random *random) {
  uint32_t at = random_below(random, names->items[names->count - 1].until), low = 0, high = names->count - 1;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (names->items[middle].until > at) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return (uint16_t)low;
}

uint16_t districts_draw(const struct districts *districts, struct random *random, bool origin) {
  const struct district *last = &districts->items[districts->count - 1];
  uint32_t at = random_below(random, origin ? last->origin_until : last->until), i = 0;
  while (i + 1 < districts->count && (origin ? districts->items[i].origin_until : districts->items[i].until) <= at) {
    i++;
  }
  return (uint16_t)i;
}

uint8_t offences_draw(const struct offences *offences, struct random *random) {
  uint32_t at = random_below(random, offences->items[offences->count - 1].until), i = 0;
  while (i + 1 < offences->count && offences->items[i].until <= at) {
    i++;
  }
  return (uint8_t)i;
}
