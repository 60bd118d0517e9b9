#include "examples/peru/simulator/evaluate.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MOST = 4096 };

struct record {
  char *key; /* "source,person key" */
  long long truth, found;
  bool held; /* by the store */
  bool accused, sealed, kin;
};

struct records {
  struct record *items;
  size_t count, capacity;
};

static int compare_keys(const void *a, const void *b) {
  return strcmp(((const struct record *)a)->key, ((const struct record *)b)->key);
}
static int compare_number(long long left, long long right) {
  return left < right ? -1 : left > right;
}
static int compare_truth(const void *a, const void *b) {
  return compare_number(((const struct record *)a)->truth, ((const struct record *)b)->truth);
}
static int compare_found(const void *a, const void *b) {
  return compare_number(((const struct record *)a)->found, ((const struct record *)b)->found);
}
static int compare_both(const void *a, const void *b) {
  int order = compare_truth(a, b);
  return order != 0 ? order : compare_found(a, b);
}

/* Fields of truth.csv. */
enum { SOURCE, RECORD_KEY, PERSON_KEY, ROLE, TRUE_PERSON, TRUE_CASE, PROTECTED, KIN, FIELDS };

static bool add(struct records *records, char *const fields[FIELDS], int key, int truth) {
  if (records->count == records->capacity) {
    size_t capacity = records->capacity == 0 ? 4096 : records->capacity * 2;
    struct record *grown = realloc(records->items, capacity * sizeof *grown);
    if (grown == NULL) {
      return false;
    }
    records->items = grown;
    records->capacity = capacity;
  }
  struct record *record = &records->items[records->count];
  *record = (struct record){.truth = strtoll(fields[truth], NULL, 10),
                            .accused = strcmp(fields[ROLE], "accused") == 0,
                            .sealed = strcmp(fields[PROTECTED], "yes") == 0,
                            .kin = fields[KIN][0] != '\0'};
  if (asprintf(&record->key, "%s,%s", fields[SOURCE], fields[key]) < 0) {
    return false;
  }
  records->count++;
  return true;
}

/* Neither file quotes anything: keys hold letters, digits, '-' and '/'. */
static int split(char *line, char *fields[FIELDS]) {
  int count = 0;
  line[strcspn(line, "\r\n")] = '\0';
  for (char *rest = line; rest != NULL && count < FIELDS;) {
    fields[count++] = strsep(&rest, ",");
  }
  return count;
}

/* What is compared with the truth: fields of truth.csv, and where the store joined the same records. Views tell no key
 * of a source, so the evaluation alone reads the tables. What was not linked is one of its own: minus its number. */
struct kind {
  const char *name;
  int key, truth; /* fields of truth.csv */
  const char *members;
};
static const struct kind persons = {
    .name = "persons",
    .key = PERSON_KEY,
    .truth = TRUE_PERSON,
    .members = "SELECT s.code, p.key, coalesce(m.person_id, -p.row_id) FROM st_person p"
               " JOIN source s ON s.source_id = p.row_id >> 52"
               " LEFT JOIN person_member m ON m.row_id = p.row_id AND m.to_run IS NULL WHERE p.to_run IS NULL"};
static const struct kind cases = {
    .name = "cases",
    .key = RECORD_KEY,
    .truth = TRUE_CASE,
    .members = "SELECT s.code, r.source_key, coalesce(m.case_id, -c.row_id) FROM raw_record r"
               " JOIN st_case c ON c.row_id BETWEEN r.raw_id >> 20 << 20 AND (r.raw_id >> 20 << 20) + 1048575"
               " JOIN source s ON s.source_id = c.row_id >> 52"
               " LEFT JOIN case_member m ON m.row_id = c.row_id AND m.to_run IS NULL"
               " WHERE c.to_run IS NULL AND r.to_run IS NULL"};

static bool read_truth(const char *path, const struct kind *kind, struct records *records) {
  FILE *in = fopen(path, "rb");
  char line[LINE_MOST], *fields[FIELDS];
  bool good = in != NULL && fgets(line, sizeof line, in) != NULL;
  while (good && fgets(line, sizeof line, in) != NULL) {
    good = split(line, fields) == FIELDS && add(records, fields, kind->key, kind->truth);
  }
  if (in != NULL) {
    fclose(in);
  }
  if (good) {
    qsort(records->items, records->count, sizeof *records->items, compare_keys);
  }
  return good;
}

static bool read_members(const char *path, const struct kind *kind, struct records *records, size_t *unknown) {
  sqlite3 *store = NULL;
  sqlite3_stmt *rows = NULL;
  bool good = sqlite3_open_v2(path, &store, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK
              && sqlite3_prepare_v2(store, kind->members, -1, &rows, NULL) == SQLITE_OK;
  int step = SQLITE_DONE;
  while (good && (step = sqlite3_step(rows)) == SQLITE_ROW) {
    char key[LINE_MOST];
    snprintf(key, sizeof key, "%s,%s", (const char *)sqlite3_column_text(rows, 0),
             (const char *)sqlite3_column_text(rows, 1));
    struct record wanted = {.key = key};
    struct record *record = bsearch(&wanted, records->items, records->count, sizeof *records->items, compare_keys);
    if (record == NULL) {
      (*unknown)++;
    } else {
      record->found = sqlite3_column_int64(rows, 2);
      record->held = true;
    }
  }
  if (!good || step != SQLITE_DONE) {
    fprintf(stderr, "evaluate: %s\n", sqlite3_errmsg(store));
  }
  sqlite3_finalize(rows);
  sqlite3_close(store);
  return good && step == SQLITE_DONE;
}

static double count_pairs(struct record *items, size_t count, int (*compare)(const void *, const void *)) {
  qsort(items, count, sizeof *items, compare);
  double pairs = 0;
  for (size_t begin = 0, end; begin < count; begin = end) {
    for (end = begin + 1; end < count && compare(&items[begin], &items[end]) == 0; end++) {
    }
    double size = (double)(end - begin);
    pairs += size * (size - 1) / 2;
  }
  return pairs;
}

static bool is_held(const struct record *record) {
  return record->held;
}
static bool is_open(const struct record *record) {
  return !record->sealed;
}
static bool is_kin(const struct record *record) {
  return record->kin;
}

/* Those that pass, moved to the front. */
static size_t keep(struct record *items, size_t count, bool (*passes)(const struct record *)) {
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    if (passes(&items[i])) {
      struct record moved = items[kept];
      items[kept++] = items[i];
      items[i] = moved;
    }
  }
  return kept;
}

struct share {
  double precision, recall;
};

static struct share tell(const char *name, struct record *items, size_t count, size_t unknown) {
  double real = count_pairs(items, count, compare_truth);
  double joined = count_pairs(items, count, compare_found);
  double both = count_pairs(items, count, compare_both);
  struct share share = {joined > 0 ? both / joined : 1, real > 0 ? both / real : 1};
  double sum = share.precision + share.recall;
  printf("%-8s records=%zu unknown=%zu pairs=%.0f joined=%.0f right=%.0f precision=%.3f recall=%.3f f1=%.3f\n", name,
         count, unknown, real, joined, both, share.precision, share.recall,
         sum > 0 ? 2 * share.precision * share.recall / sum : 0);
  return share;
}

/* Of persons: what a program may join at all, and of that the kin alone. */
static void tell_persons(struct record *items, size_t count) {
  count = keep(items, count, is_open);
  for (size_t i = 0; i < count; i++) {
    items[i].truth = items[i].truth * 2 + items[i].accused;
  }
  tell("joinable", items, count, 0);
  tell("kin", items, keep(items, count, is_kin), 0);
}

static bool evaluate_kind(const struct kind *kind, const char *truth, const char *store, struct share *share) {
  struct records records = {0};
  size_t unknown = 0;
  bool good = read_truth(truth, kind, &records) && read_members(store, kind, &records, &unknown);
  if (good) {
    size_t kept = keep(records.items, records.count, is_held);
    *share = tell(kind->name, records.items, kept, unknown);
    if (kind == &persons) {
      tell_persons(records.items, kept);
    }
    good = kept > 0;
  } else {
    fprintf(stderr, "evaluate: cannot read %s or %s\n", truth, store);
  }
  for (size_t i = 0; i < records.count; i++) {
    free(records.items[i].key);
  }
  free(records.items);
  return good;
}

int evaluate_run(const char *truth, const char *store, double precision_floor, double recall_floor) {
  struct share found, lawsuits;
  if (!evaluate_kind(&persons, truth, store, &found) || !evaluate_kind(&cases, truth, store, &lawsuits)) {
    return 2;
  }
  return found.precision >= precision_floor && found.recall >= recall_floor ? 0 : 1;
}
