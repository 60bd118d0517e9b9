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

static bool add(struct records *records, const char *source, const char *key, long long truth) {
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
  *record = (struct record){.truth = truth};
  if (asprintf(&record->key, "%s,%s", source, key) < 0) {
    return false;
  }
  records->count++;
  return true;
}

/* Neither file quotes anything: keys hold letters, digits, '-' and '/'. */
static int split(char *line, char *fields[8]) {
  int count = 0;
  line[strcspn(line, "\r\n")] = '\0';
  for (char *rest = line; rest != NULL && count < 8;) {
    fields[count++] = strsep(&rest, ",");
  }
  return count;
}

/* What is compared with the truth: fields of truth.csv, and where the store joined the same records. Views tell no key
 * of a source, so the evaluation alone reads the tables. What was not linked is one of its own: minus its number. */
struct kind {
  const char *name;
  int key, truth; /* fields of truth.csv after the source */
  const char *members;
};
static const struct kind persons = {
    .name = "persons",
    .key = 2,
    .truth = 4,
    .members = "SELECT s.code, p.key, coalesce(m.person_id, -p.row_id) FROM st_person p"
               " JOIN source s ON s.source_id = p.row_id >> 52"
               " LEFT JOIN person_member m ON m.row_id = p.row_id AND m.to_run IS NULL WHERE p.to_run IS NULL"};
static const struct kind cases = {
    .name = "cases",
    .key = 1,
    .truth = 5,
    .members = "SELECT s.code, r.source_key, coalesce(m.case_id, -c.row_id) FROM raw_record r"
               " JOIN st_case c ON c.row_id BETWEEN r.raw_id >> 20 << 20 AND (r.raw_id >> 20 << 20) + 1048575"
               " JOIN source s ON s.source_id = c.row_id >> 52"
               " LEFT JOIN case_member m ON m.row_id = c.row_id AND m.to_run IS NULL"
               " WHERE c.to_run IS NULL AND r.to_run IS NULL"};

static bool read_truth(const char *path, const struct kind *kind, struct records *records) {
  FILE *in = fopen(path, "rb");
  char line[LINE_MOST], *fields[8];
  bool good = in != NULL && fgets(line, sizeof line, in) != NULL;
  while (good && fgets(line, sizeof line, in) != NULL) {
    good =
        split(line, fields) == 6 && add(records, fields[0], fields[kind->key], strtoll(fields[kind->truth], NULL, 10));
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

/* The records that the store holds, moved to the front. */
static size_t keep_found(struct records *records) {
  size_t kept = 0;
  for (size_t i = 0; i < records->count; i++) {
    if (records->items[i].held) {
      struct record moved = records->items[kept];
      records->items[kept++] = records->items[i];
      records->items[i] = moved;
    }
  }
  return kept;
}

static bool evaluate_kind(const struct kind *kind, const char *truth, const char *store, double *precision,
                          double *recall) {
  struct records records = {0};
  size_t unknown = 0;
  bool good = read_truth(truth, kind, &records) && read_members(store, kind, &records, &unknown);
  if (good) {
    size_t kept = keep_found(&records);
    double real = count_pairs(records.items, kept, compare_truth);
    double joined = count_pairs(records.items, kept, compare_found);
    double both = count_pairs(records.items, kept, compare_both);
    *precision = joined > 0 ? both / joined : 1;
    *recall = real > 0 ? both / real : 1;
    double sum = *precision + *recall;
    printf("%-7s records=%zu unknown=%zu pairs=%.0f joined=%.0f right=%.0f precision=%.3f recall=%.3f f1=%.3f\n",
           kind->name, kept, unknown, real, joined, both, *precision, *recall,
           sum > 0 ? 2 * *precision * *recall / sum : 0);
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
  double precision, recall, case_precision, case_recall;
  if (!evaluate_kind(&persons, truth, store, &precision, &recall)
      || !evaluate_kind(&cases, truth, store, &case_precision, &case_recall)) {
    return 2;
  }
  return precision >= precision_floor && recall >= recall_floor ? 0 : 1;
}
