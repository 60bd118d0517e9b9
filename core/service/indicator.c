#include "core/service/indicator.h"

#include "core/base/folder.h"
#include "core/base/text.h"
#include "core/base/yaml.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum status indicator_names(const char *const folders[2], struct arena *arena, const char ***names, size_t *count,
                            struct error *error) {
  const char *const *paths[2] = {NULL, NULL};
  size_t counts[2] = {0, 0}, kept = 0;
  for (int i = 0; i < 2; i++) {
    enum status status =
        folders[i] == NULL ? OK : folder_list(folders[i], ".yaml", arena, &paths[i], &counts[i], error);
    if (status != OK) {
      return status;
    }
  }
  const char **found = arena_array(arena, counts[0] + counts[1] + 1, sizeof *found);
  if (found == NULL) {
    return error_memory(error);
  }
  for (int i = 0; i < 2; i++) {
    for (size_t k = 0; k < counts[i]; k++) {
      found[kept] = folder_stem(arena, paths[i][k]);
      if (found[kept++] == NULL) {
        return error_memory(error);
      }
    }
  }
  qsort(found, kept, sizeof *found, by_name);
  *names = found;
  *count = 0;
  for (size_t i = 0; i < kept; i++) {
    if (*count == 0 || strcmp(found[i], found[*count - 1]) != 0) {
      found[(*count)++] = found[i];
    }
  }
  return OK;
}

bool indicator_band(const char *text, struct age_band *band) {
  size_t digits = strspn(text, "0123456789");
  int64_t least, most = INT_MAX;
  if (!text_to_int64(slice_make(text, digits), &least) || least > 150) {
    return false;
  }
  if (text[digits] == '-') {
    if (!text_to_int64(slice_of(text + digits + 1), &most) || most < least || most > 150) {
      return false;
    }
  } else if (strcmp(text + digits, "+") != 0) {
    return false;
  }
  *band = (struct age_band){.name = text, .least = (int)least, .most = (int)most};
  return true;
}

enum status indicator_bands(const struct yaml *root, struct arena *arena, struct indicator *indicator,
                            struct error *error) {
  const char **items;
  size_t count;
  enum status status = yaml_get(root, "bands") == NULL ? END : yaml_texts(root, "bands", arena, &items, &count, error);
  if (status != OK) {
    return status == END ? OK : status;
  }
  indicator->band_count = 0;
  for (size_t i = 0; i < count; i++) {
    struct age_band *band = &indicator->bands[indicator->band_count];
    bool fits = indicator->band_count < INDICATOR_BANDS_MOST && indicator_band(items[i], band);
    if (!fits || (i > 0 && band->least <= indicator->bands[i - 1].most)) {
      yaml_error(yaml_get(root, "bands"), error, _("bands: '%s' is no age band here"), items[i]);
      error_hint(error, "%s", _("bands go up and do not overlap: [0-17, 18-29, 30+]"));
      return ERR_CONFIG;
    }
    indicator->band_count++;
  }
  return OK;
}

bool indicator_period(struct slice year, int years, char room[INDICATOR_PERIOD_TEXT]) {
  int64_t number;
  if (year.len < 4 || years < 1 || !text_to_int64(slice_make(year.data, 4), &number) || number < 1) {
    return false;
  }
  int64_t first = (number - 1) / years * years + 1;
  snprintf(room, INDICATOR_PERIOD_TEXT, "%04d-%04d", (int)first, (int)first + years - 1);
  return true;
}

static enum status read_period(const struct yaml *root, struct indicator *indicator, struct error *error) {
  const struct yaml *node = yaml_get(root, "period");
  int64_t years = INDICATOR_PERIOD;
  if (node != NULL
      && (node->kind != YAML_SCALAR || !text_to_int64(slice_of(node->text), &years) || years < 2
          || years > INDICATOR_PERIOD_MOST)) {
    yaml_error(node, error, _("period: a number of years from 2 to %d is expected here"), INDICATOR_PERIOD_MOST);
    error_hint(error, "%s", _("period: 3 puts 2020, 2021 and 2022 together"));
    return ERR_CONFIG;
  }
  indicator->period = (int)years;
  return OK;
}

static enum status read_conditions(const struct yaml *map, struct indicator *indicator, struct error *error) {
  if (map != NULL && (map->kind != YAML_MAP || map->count > INDICATOR_CONDITIONS_MOST)) {
    return yaml_error(map, error, _("where: at most %d fields with their values are expected here"),
                      INDICATOR_CONDITIONS_MOST);
  }
  for (size_t i = 0; map != NULL && i < map->count; i++) {
    if (map->children[i].kind != YAML_SCALAR) {
      return yaml_error(&map->children[i], error, "%s", _("where: one value is expected here"));
    }
    indicator->conditions[indicator->condition_count++] =
        (struct condition){.field = map->children[i].key, .value = map->children[i].text};
  }
  return OK;
}

static enum status read_indicator(const struct yaml *root, const char *name, struct arena *arena,
                                  struct indicator *indicator, struct error *error) {
  static const char *const known[] = {"indicator", "label",  "unit",  "role",  "date", "place",
                                      "age",       "period", "bands", "where", NULL};
  static const char *const units[] = {"person", "case", NULL};
  static const char *const dates[] = {"facts", "filing", "registration", NULL};
  static const char *const ages[] = {"facts", "filing", NULL};
  static const char *const places[] = {"facts", "residence", NULL};
  int unit = -1, date = DATE_OF_FILING, age = DATE_OF_FACTS, place = PLACE_OF_FACTS;
  enum status status = yaml_check_keys(root, known, error);
  status = status == OK ? yaml_choice(root, "unit", units, &unit, error) : status;
  status = status == OK ? yaml_choice(root, "date", dates, &date, error) : status;
  status = status == OK ? yaml_choice(root, "age", ages, &age, error) : status;
  status = status == OK ? yaml_choice(root, "place", places, &place, error) : status;
  if (status != OK) {
    return status;
  }
  if (strcmp(yaml_text(root, "indicator", ""), name) != 0) {
    yaml_error(root, error, _("indicator '%s' stands in the file of '%s'"), yaml_text(root, "indicator", ""), name);
    error_hint(error, _("write indicator: %s, or rename the file"), name);
    return ERR_CONFIG;
  }
  *indicator = (struct indicator){.name = name,
                                  .unit = (enum indicator_unit)unit,
                                  .date = (enum indicator_date)date,
                                  .age = (enum indicator_date)age,
                                  .place = (enum indicator_place)place,
                                  .role = yaml_text(root, "role", NULL)};
  indicator->label_en = yaml_text(yaml_get(root, "label"), "en", name);
  indicator->label_es = yaml_text(yaml_get(root, "label"), "es", indicator->label_en);
  if (unit < 0 || (unit == UNIT_CASE && (indicator->role != NULL || place == PLACE_OF_RESIDENCE))) {
    yaml_error(root, error, "%s", _("unit: person, or unit: case without role and residence, is expected"));
    return ERR_CONFIG;
  }
  status = indicator_bands(root, arena, indicator, error);
  status = status == OK ? read_period(root, indicator, error) : status;
  return status == OK ? read_conditions(yaml_get(root, "where"), indicator, error) : status;
}

static enum status unknown(const char *const folders[2], const char *name, struct arena *arena, struct error *error) {
  const char **names;
  size_t count;
  enum status status = indicator_names(folders, arena, &names, &count, error);
  if (status != OK) {
    return status;
  }
  const char *nearest = text_nearest(slice_of(name), names, count);
  error_set(error, ERR_USAGE, _("there is no indicator '%s'"), name);
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  } else {
    error_hint(error, "%s", _("`puente report indicators` lists them"));
  }
  return ERR_USAGE;
}

enum status indicator_load(const char *const folders[2], const char *name, struct arena *arena,
                           struct indicator *indicator, struct error *error) {
  for (int i = 1; i >= 0; i--) {
    const char *path =
        folders[i] == NULL || strchr(name, '/') != NULL ? NULL : arena_printf(arena, "%s/%s.yaml", folders[i], name);
    if (path != NULL && access(path, F_OK) == 0) {
      struct yaml *root = NULL;
      enum status status = yaml_load(path, arena, &root, error);
      return status == OK ? read_indicator(root, name, arena, indicator, error) : status;
    }
  }
  return unknown(folders, name, arena, error);
}
