/* Comparing alone, on one core: pairs of rows of seven comparisons to levels. Names, dates and documents are drawn from
 * a fixed seed, names by frequency and one in five with a slip; pairs are those of blocks that share a surname or a
 * year, as linkage walks them, and pairs at random. One JSON line for each. */
#include "core/base/date.h"
#include "core/link/prepare.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { COLUMNS = 8, BLOCK = 300, SYLLABLES_MOST = 4, TEXT_MOST = 64 };
static const double seconds_most = 2;

static const char plan_text[] = "compare:\n"
                                "  surnames: {kind: surnames, from: [paternal, maternal]}\n"
                                "  given: {kind: given_names, from: [given, paternal]}\n"
                                "  birth: {kind: date, from: birth, spikes: [\"01-01\"]}\n"
                                "  document: {kind: document, from: [type, number]}\n"
                                "  sex: {kind: code, from: sex}\n"
                                "  birthplace: {kind: code, from: birthplace}\n"
                                "  street: {kind: text, from: given}\n"
                                "block: [document]\n"
                                "train: {deterministic: document}\n";

static uint64_t random_state = 42;

static uint32_t draw(uint32_t below) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)(random_state >> 33) % below;
}

/* The i-th word of a made-up language: the same for the same i. */
static size_t word(char *text, uint32_t i) {
  static const char *const syllables[] = {"qui", "ma",  "con", "flo", "hua",  "ro",  "cas", "ti",  "llo", "pe",
                                          "cha", "vez", "gu",  "tie", "rrez", "san", "do",  "val", "ya",  "nez"};
  size_t length = 0;
  i = i * 2654435761U;
  for (unsigned k = 0; k < 2 + i % 3; k++) {
    i = i * 1103515245U + 12345U;
    length += (size_t)snprintf(text + length, TEXT_MOST - length, "%s", syllables[(i >> 16) % 20]);
  }
  return length;
}

/* Low numbers are frequent; one name in five has a slip. */
static size_t name(char *text, uint32_t distinct) {
  size_t length = word(text, draw(1 + draw(1 + draw(distinct))));
  if (draw(5) == 0) {
    text[draw((uint32_t)length)] = (char)('a' + draw(26));
  }
  return length;
}

static size_t value_of(size_t column, char *text) {
  size_t length;
  switch (column) {
  case 0:
  case 1:
    return draw(12) == 0 ? 0 : name(text, 20000);
  case 2:
    length = name(text, 3000);
    if (draw(2) == 0) {
      text[length++] = ' ';
      length += name(text + length, 3000);
    }
    return length;
  case 3:
    return (size_t)snprintf(text, TEXT_MOST, "%u-%02u-%02u", 1950 + draw(60), draw(12) + 1, draw(28) + 1);
  case 4:
    return draw(3) == 0 ? 0 : (size_t)snprintf(text, TEXT_MOST, "%s", draw(10) == 0 ? "CE" : "DNI");
  case 5:
    return draw(3) == 0 ? 0 : (size_t)snprintf(text, TEXT_MOST, "%08u", 10000000 + draw(80000000));
  case 6:
    return draw(20) == 0 ? 0 : (size_t)snprintf(text, TEXT_MOST, "%s", draw(2) == 0 ? "F" : "M");
  default:
    return draw(4) == 0 ? 0 : (size_t)snprintf(text, TEXT_MOST, "%06u", draw(1800));
  }
}

static double core_seconds(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) {
    return 0;
  }
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
         + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static long peak_mib(void) {
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss / 1024 : -1;
}

static enum status fill(struct link_column *columns, size_t count, struct error *error) {
  static const char *const names[COLUMNS] = {"paternal", "maternal", "given", "birth",
                                             "type",     "number",   "sex",   "birthplace"};
  char text[TEXT_MOST * 2];
  for (size_t i = 0; i < COLUMNS; i++) {
    columns[i] =
        (struct link_column){.name = names[i], .values = malloc(count * sizeof(uint32_t)), .dictionary = map_new()};
    if (columns[i].values == NULL || columns[i].dictionary == NULL) {
      return error_memory(error);
    }
  }
  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j < COLUMNS; j++) {
      size_t length = value_of(j, text);
      columns[j].values[i] = length == 0 ? LINK_MISSING : map_intern(columns[j].dictionary, slice_make(text, length));
    }
  }
  return OK;
}

/* Records in the order of their paternal surname, so that neighbours share it. */
static int by_surname(const void *a, const void *b, void *context) {
  const struct prepared *prepared = context;
  uint32_t x = prepared->rows[*(const uint32_t *)a * prepared->width];
  uint32_t y = prepared->rows[*(const uint32_t *)b * prepared->width];
  return (x > y) - (x < y);
}

struct tally {
  uint64_t pairs, best; /* …, levels that were the best ones: so that the work is used */
  double seconds;
};

static void compare_pair(const struct prepared *p, struct compare_cache *cache, uint32_t a, uint32_t b,
                         struct tally *tally) {
  uint8_t levels[LINK_COMPARISONS_MOST];
  compare_rows(p, cache, p->rows + a * p->width, p->rows + b * p->width, levels);
  for (size_t i = 0; i < p->plan->comparison_count; i++) {
    tally->best += levels[i] == 1;
  }
  tally->pairs++;
}

static struct tally compare_blocks(const struct prepared *p, struct compare_cache *cache, const uint32_t *order) {
  struct tally tally = {0};
  double began = core_seconds();
  for (size_t from = 0; from + BLOCK <= p->records->count; from += BLOCK) {
    for (size_t i = 0; i < BLOCK; i++) {
      for (size_t j = i + 1; j < BLOCK; j++) {
        compare_pair(p, cache, order[from + i], order[from + j], &tally);
      }
    }
    if (core_seconds() - began > seconds_most) {
      break;
    }
  }
  tally.seconds = core_seconds() - began;
  return tally;
}

static struct tally compare_random(const struct prepared *p, struct compare_cache *cache) {
  struct tally tally = {0};
  double began = core_seconds();
  while (core_seconds() - began < seconds_most) {
    for (size_t i = 0; i < 10000; i++) {
      compare_pair(p, cache, draw((uint32_t)p->records->count), draw((uint32_t)p->records->count), &tally);
    }
  }
  tally.seconds = core_seconds() - began;
  return tally;
}

static void print(const char *name_of, const struct tally *tally) {
  printf("{\"case\":\"%s\",\"comparisons\":7,\"pairs\":%llu,\"best_levels\":%llu,\"core_seconds\":%.3f,"
         "\"pairs_per_core_second\":%.0f}\n",
         name_of, (unsigned long long)tally->pairs, (unsigned long long)tally->best, tally->seconds,
         (double)tally->pairs / tally->seconds);
  fflush(stdout);
}

static enum status compare_all(const struct prepared *p, struct error *error) {
  struct compare_cache *cache = compare_cache_new(p);
  uint32_t *order = malloc(p->records->count * sizeof *order);
  enum status status = cache == NULL || order == NULL ? error_memory(error) : OK;
  if (status == OK) {
    for (uint32_t i = 0; i < p->records->count; i++) {
      order[i] = i;
    }
    struct tally tally = compare_blocks(p, cache, order);
    print("compare_strangers", &tally);
    struct prepared sorted_by = *p;
    qsort_r(order, p->records->count, sizeof *order, by_surname, &sorted_by);
    tally = compare_blocks(p, cache, order);
    print("compare_blocks", &tally);
    tally = compare_random(p, cache);
    print("compare_random", &tally);
  }
  compare_cache_free(cache);
  free(order);
  return status;
}

static enum status bench(size_t count, const char *path, struct error *error) {
  struct link_column columns[COLUMNS] = {0};
  struct link_records records = {.count = count, .columns = columns, .column_count = COLUMNS};
  struct link_plan *plan = NULL;
  struct prepared prepared;
  enum status status = link_plan_load(path, &plan, error);
  status = status == OK ? fill(columns, count, error) : status;
  double began = core_seconds();
  long before = peak_mib();
  if (status == OK) {
    status = prepared_init(&prepared, plan, &records, 1, error);
  }
  if (status == OK) {
    printf("{\"case\":\"compare_prepare\",\"records\":%zu,\"core_seconds\":%.3f,\"mib\":%ld}\n", count,
           core_seconds() - began, peak_mib() - before);
    fflush(stdout);
    status = compare_all(&prepared, error);
    prepared_free(&prepared);
  }
  for (size_t i = 0; i < COLUMNS; i++) {
    free(columns[i].values);
    map_free(columns[i].dictionary);
  }
  link_plan_free(plan);
  return status;
}

int main(int argc, char **argv) {
  size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 300000;
  char path[] = "/tmp/bench_compare.XXXXXX";
  struct error error;
  int file = mkstemp(path);
  FILE *plan = file < 0 ? NULL : fdopen(file, "w");
  if (plan == NULL || fputs(plan_text, plan) == EOF || fclose(plan) != 0) {
    fprintf(stderr, "bench_compare: no temporary file\n");
    return EXIT_FAILURE;
  }
  enum status status = bench(count, path, &error);
  remove(path);
  if (status != OK) {
    fprintf(stderr, "bench_compare: %s %s\n", error.message, error.place);
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
