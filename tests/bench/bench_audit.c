/* Reading the log back: `audit verify` over a million entries as a year of use writes them.
 * usage: bench_audit [ENTRIES] [sqlite|postgres] */
#include "core/audit/verify.h"
#include "core/base/date.h"
#include "tests/support/postgres.h"
#include "tests/support/stores.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { AT_ONCE = 10000 };

static void append(struct stand *stand, int64_t number) {
  struct error error;
  char body[256];
  snprintf(body, sizeof body,
           "{\"changed\":%lld,\"cut\":0,\"deleted\":0,\"mapped\":%lld,\"new\":12,\"plan\":\"%064lld\",\"pulled\":500,"
           "\"quarantined\":3,\"rejected\":0,\"repeated\":0,\"unchanged\":480,\"warnings\":1,\"withheld\":0}",
           (long long)(number % 17), (long long)(number % 499), (long long)(number % 7));
  struct audit_event event = {.event = "land", .source = "bench", .actor = "bench", .run = number / 10, .body = body};
  event.outcomes = sha256_of(slice_of(body));
  MUST(audit_append(stand->store, &event, &error));
}

static double cpu_of(const struct rusage *usage) {
  return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec)
         + (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

static void measure(enum store_kind kind, int64_t entries) {
  struct stand stand;
  struct error error;
  struct audit_check check;
  stand_open(&stand, kind);
  int64_t start = clock_monotonic();
  for (int64_t from = 0; from < entries; from += AT_ONCE) {
    MUST(store_begin(stand.store, &error));
    for (int64_t i = from; i < from + AT_ONCE && i < entries; i++) {
      append(&stand, i);
    }
    MUST(store_commit(stand.store, &error));
  }
  struct rusage before, usage;
  getrusage(RUSAGE_SELF, &before);
  int64_t written = clock_monotonic();
  MUST(audit_verify(stand.store, &check, &error));
  int64_t done = clock_monotonic();
  getrusage(RUSAGE_SELF, &usage);
  if (check.first_wrong != 0 || check.entries != entries) {
    fprintf(stderr, "entry %lld: %s\n", (long long)check.first_wrong, check.what);
    abort();
  }
  printf("{\"case\":\"audit_%s\",\"entries\":%lld,\"seconds\":%.3f,\"entries_per_second\":%.0f,\"peak_mib\":%ld,"
         "\"cpu_seconds\":%.3f,\"writing_seconds\":%.3f}\n",
         kind == STORE_SQLITE ? "sqlite" : "postgres", (long long)entries, (double)(done - written) / 1e6,
         (double)entries * 1e6 / (double)(done - written), usage.ru_maxrss / 1024, cpu_of(&usage) - cpu_of(&before),
         (double)(written - start) / 1e6);
  stand_close(&stand);
}

int main(int argc, char **argv) {
  int64_t entries = argc > 1 ? strtoll(argv[1], NULL, 10) : 1000000;
  if (argc < 3 || strcmp(argv[2], "sqlite") == 0) {
    measure(STORE_SQLITE, entries);
  }
  if (argc < 3 || strcmp(argv[2], "postgres") == 0) {
    postgres_start_durable();
    measure(STORE_POSTGRES, entries);
  }
  return 0;
}
