#include "tests/support/population.h"

#include "core/base/file.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

enum { VALUE_MOST = 96, SYLLABLES = 16 };
enum { GIVEN, PATERNAL, MATERNAL, BIRTH, CITY, DOCUMENT };

static const char *const names[POPULATION_COLUMNS] = {
    "given_names", "paternal_surname", "maternal_surname", "birth_date", "city", "document"};

struct person {
  char values[POPULATION_COLUMNS][VALUE_MOST];
};

struct chance {
  uint64_t state;
};

static uint32_t draw(struct chance *chance, uint32_t bound) {
  uint64_t z = chance->state += UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return (uint32_t)((z ^ (z >> 31)) >> 33) % bound;
}

/* A word of syllables; small numbers are drawn more often, so that some names are common. */
static void draw_name(struct chance *chance, uint32_t different, char *text, size_t size) {
  static const char *const syllables[SYLLABLES] = {"ma", "ri", "lo", "cen", "tu", "qui", "pa", "ber",
                                                   "so", "na", "vi", "fer", "do", "gal", "he", "zu"};
  uint32_t number = draw(chance, draw(chance, different) + 1);
  size_t at = 0;
  for (int i = 0; i < 3; i++, number /= SYLLABLES) {
    at += (size_t)snprintf(text + at, size - at, "%s", syllables[(number * 7 + 3U * (unsigned)i) % SYLLABLES]);
  }
}

static void make_person(struct chance *chance, struct person *person) {
  char second[VALUE_MOST / 2];
  char first[VALUE_MOST / 2];
  draw_name(chance, 400, first, sizeof first);
  draw_name(chance, 400, second, sizeof second);
  snprintf(person->values[GIVEN], VALUE_MOST, "%s %s", first, second);
  draw_name(chance, 1500, person->values[PATERNAL], VALUE_MOST);
  draw_name(chance, 1500, person->values[MATERNAL], VALUE_MOST);
  snprintf(person->values[BIRTH], VALUE_MOST, "%04u-%02u-%02u", 1950 + draw(chance, 60), 1 + draw(chance, 12),
           2 + draw(chance, 27));
  snprintf(person->values[CITY], VALUE_MOST, "city %u", draw(chance, 30));
  snprintf(person->values[DOCUMENT], VALUE_MOST, "%u%06u", 10 + draw(chance, 90), draw(chance, 1000000));
}

/* One letter or digit is another one. */
static void slip(struct chance *chance, char *text) {
  size_t len = strlen(text);
  size_t at = len == 0 ? 0 : draw(chance, (uint32_t)len);
  if (len > 0 && text[at] >= 'a' && text[at] <= 'z') {
    text[at] = (char)('a' + draw(chance, 26));
  } else if (len > 0 && text[at] >= '0' && text[at] <= '9') {
    text[at] = (char)('0' + draw(chance, 10));
  }
}

static struct person write_record(struct chance *chance, const struct person *person) {
  struct person record = *person;
  for (size_t i = 0; i < POPULATION_COLUMNS; i++) {
    uint32_t event = draw(chance, 100);
    if (event < 8) {
      slip(chance, record.values[i]);
    } else if (event < (i == DOCUMENT ? 50 : 14)) {
      record.values[i][0] = '\0';
    }
  }
  return record;
}

static void *make(size_t count, size_t size) {
  void *memory = calloc(count + 1, size);
  assert_non_null(memory);
  return memory;
}

struct population *population_make(size_t count, uint64_t seed, uint64_t shuffle) {
  struct population *population = make(1, sizeof *population);
  struct person *people = make(count, sizeof *people);
  uint32_t *persons = make(count, sizeof *persons);
  struct chance chance = {seed};
  struct chance order = {shuffle};
  struct person person = {0};
  for (uint32_t i = 0, number = 0; i < count; i++) {
    if (i == 0 || draw(&chance, 2) == 0) {
      make_person(&chance, &person);
      number++;
    }
    people[i] = write_record(&chance, &person);
    persons[i] = number;
  }
  population->truth = make(count, sizeof *population->truth);
  population->order = make(count, sizeof *population->order);
  for (uint32_t i = 0; i < count; i++) {
    uint32_t other = shuffle == 0 ? i : draw(&order, i + 1);
    population->order[i] = population->order[other];
    population->order[other] = i;
  }
  for (size_t i = 0; i < POPULATION_COLUMNS; i++) {
    population->columns[i] = (struct link_column){
        .name = names[i], .values = make(count, sizeof *population->columns[i].values), .dictionary = map_new()};
    assert_non_null(population->columns[i].dictionary);
    for (size_t j = 0; j < count; j++) {
      const char *text = people[population->order[j]].values[i];
      population->columns[i].values[j] =
          text[0] == '\0' ? LINK_MISSING : map_intern(population->columns[i].dictionary, slice_of(text));
      population->truth[j] = persons[population->order[j]];
    }
  }
  population->records =
      (struct link_records){.count = count, .columns = population->columns, .column_count = POPULATION_COLUMNS};
  free(people);
  free(persons);
  return population;
}

void population_free(struct population *population) {
  for (size_t i = 0; i < POPULATION_COLUMNS; i++) {
    free(population->columns[i].values);
    map_free(population->columns[i].dictionary);
  }
  free(population->truth);
  free(population->order);
  free(population);
}

void population_set(struct population *population, size_t record, const char *column, const char *value) {
  for (size_t i = 0; i < POPULATION_COLUMNS; i++) {
    if (strcmp(names[i], column) == 0) {
      population->columns[i].values[record] =
          value == NULL ? LINK_MISSING : map_intern(population->columns[i].dictionary, slice_of(value));
      return;
    }
  }
  fail_msg("no column %s", column);
}

struct link_plan *population_plan_of(const char *text) {
  char *folder = temp_make();
  char path[512];
  struct error error = {0};
  struct link_plan *plan = NULL;
  snprintf(path, sizeof path, "%s/plan.yaml", folder);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
  if (link_plan_load(path, &plan, &error) != OK) {
    fail_msg("%s (%s)", error.message, error.place);
  }
  temp_remove(folder);
  return plan;
}

struct link_plan *population_plan(const char *more) {
  static const char head[] = "compare:\n"
                             "  document: {kind: document, from: document}\n"
                             "  surnames: {kind: surnames, from: [paternal_surname, maternal_surname]}\n"
                             "  given: {kind: given_names, from: given_names, frequency: true}\n"
                             "  birth: {kind: date, from: birth_date}\n"
                             "  city: {kind: code, from: city, frequency: true}\n"
                             "block:\n"
                             "  - document\n"
                             "  - {name: whole, keys: [surnames, given.first]}\n"
                             "  - {name: birth and token, keys: [birth, surnames.any]}\n"
                             "  - {name: year and tokens, keys: [birth.year, surnames.any, given.any]}\n"
                             "  - {name: sounds, keys: [surnames.sound, given.sound]}\n";
  char text[8192];
  int length = snprintf(text, sizeof text, "%s%s", head, more);
  assert_true(length > 0 && (size_t)length < sizeof text);
  return population_plan_of(text);
}

struct population_score population_score(const struct population *population, const uint32_t *cluster) {
  struct population_score score = {0};
  for (size_t i = 0; i < population->records.count; i++) {
    for (size_t j = i + 1; j < population->records.count; j++) {
      bool same = population->truth[i] == population->truth[j];
      bool found = cluster[i] == cluster[j];
      score.there += same;
      score.found += found;
      score.right += same && found;
    }
  }
  return score;
}
