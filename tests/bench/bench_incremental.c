/* How long linking takes when 1,000 new records have come into a store that was linked before: made-up persons, one in
 * four of them seen before with slips, each with a case and a part in it. The store is staged directly and linked once
 * in full, which also learns the models; rules, models and keys are read anew within the time that counts.
 *
 *   bench_incremental [records [new]]     prints one JSON line; PUENTE_BENCH_RECORDS does as the first argument */
#include "core/base/date.h"
#include "core/resolve/resolve.h"
#include "tests/support/stores.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { PAGE = 8192, RECORDS = 200000, NEW = 1000, SYLLABLES = 16 };
#define SECONDS_FLOOR 1.0

static struct source_config source = {
    .code = "bench", .title = "bench", .institution = "PE/PNP", .unit = "denuncia", .linked = true};
static struct config config = {.sources = &source, .source_count = 1, .link_file = "config/link/default.yaml"};

struct load {
  struct stand stand;
  struct batch batch;
  struct landed *records;
  struct buffer body;
  struct subkey subkey;
  uint64_t random;
  int64_t identities; /* persons met so far */
  int source_id;
};

static uint32_t roll(uint64_t *random, uint32_t sides) {
  *random ^= *random << 13;
  *random ^= *random >> 7;
  *random ^= *random << 17;
  return (uint32_t)(*random >> 33) % sides;
}

/* ---- made-up rows ---- */

static const char *const GIVEN[] = {"MARIA",  "JUANA",  "ROSA",   "PEDRO", "LUZ",    "YESICA", "JOSE",   "LUIS",
                                    "CARMEN", "ANA",    "JORGE",  "ELENA", "CESAR",  "FLOR",   "RAUL",   "NELLY",
                                    "DAVID",  "GLADYS", "WALTER", "EDITH", "EDGAR",  "SONIA",  "VICTOR", "MARTHA",
                                    "HUGO",   "OLGA",   "PERCY",  "JULIA", "SAMUEL", "IRMA",   "FELIX",  "NOEMI"};
static const char *const PARTS[SYLLABLES] = {"QUIS", "MA",  "RO",  "HUA", "CON", "TI",  "YU",  "PAL",
                                             "CHA",  "LLI", "SAN", "PE",  "VAR", "GUE", "MEN", "DO"};
static const char *const PLACES[] = {"150101", "080101", "160101", "140101", "040101", "230101", "130101", "200101"};

/* Some surnames are those of many. */
static char *surname(struct arena *arena, uint64_t *random) {
  uint32_t many = roll(random, 4096);
  uint32_t at = many * roll(random, 4096) / 4096;
  return arena_printf(arena, "%s%s%s", PARTS[at % 16], PARTS[at / 16 % 16], PARTS[at / 256]);
}

/* The person of a number: the same whenever it is met. */
static void make_person(struct load *load, struct cell *cells, int64_t identity, bool slips) {
  const struct model *model = load->stand.model;
  struct arena *arena = load->batch.arena;
  uint64_t own = 0x9e3779b97f4a7c15ULL * (uint64_t)(identity + 1);
  for (int i = 0; i < 4; i++) {
    roll(&own, 2);
  }
  const char *first = GIVEN[roll(&own, 32)];
  const char *second = GIVEN[roll(&own, 32)];
  set_text(model, "person", cells, "given_names", arena_printf(arena, "%s %s", first, second));
  set_text(model, "person", cells, "paternal_surname", surname(arena, &own));
  set_text(model, "person", cells, "maternal_surname", surname(arena, &own));
  uint32_t year = 1955 + roll(&own, 55);
  uint32_t month = 1 + roll(&own, 12);
  uint32_t day = 1 + roll(&own, 28);
  if (slips && roll(&load->random, 6) == 0) {
    day = 1 + roll(&load->random, 28);
  }
  set_text(model, "person", cells, "birth_date", arena_printf(arena, "%u-%02u-%02u", year, month, day));
  uint32_t document = 10000001 + roll(&own, 80000000);
  if (!slips || roll(&load->random, 3) != 0) {
    set_text(model, "person", cells, "document_type", "dni");
    set_text(model, "person", cells, "document_number", arena_printf(arena, "%08u", document));
  }
  set_text(model, "person", cells, "sex", roll(&own, 2) == 0 ? "female" : "male");
  set_text(model, "person", cells, "birthplace", PLACES[roll(&own, 8)]);
  set_text(model, "person", cells, "nationality", "PE");
}

static void make_rows(struct load *load, uint32_t at, int64_t number, const char *key) {
  const struct model *model = load->stand.model;
  struct arena *arena = load->batch.arena;
  char *case_key = arena_printf(arena, "C-%lld", (long long)number);
  bool again = load->identities > 0 && roll(&load->random, 4) == 0;
  int64_t identity = again ? (int64_t)roll(&load->random, (uint32_t)load->identities) : load->identities++;
  /* One filing in five speaks of a denuncia that another one speaks of, too. */
  bool refiled = number > 0 && roll(&load->random, 5) == 0;
  long long denuncia = (long long)(refiled ? (int64_t)roll(&load->random, (uint32_t)number) : number);
  struct cell *cells = batch_row(&load->batch, model, "case", at, case_key, "", "");
  set_text(model, "case", cells, "denuncia_number", arena_printf(arena, "%lld-2019", denuncia + 1));
  uint64_t own = 0xd1342543de82ef95ULL * (uint64_t)(denuncia + 1); /* what is said of it each time */
  roll(&own, 2);
  set_text(model, "case", cells, "reported_on",
           arena_printf(arena, "20%02u-%02u-%02u", 10 + roll(&own, 10), 1 + roll(&own, 12), 1 + roll(&own, 28)));
  set_text(model, "case", cells, "place",
           arena_printf(arena, "%02u%02u%02u", 1 + roll(&own, 25), 1 + roll(&own, 4), 1 + roll(&own, 8)));
  set_text(model, "case", cells, "offence", "trafficking");
  make_person(load, batch_row(&load->batch, model, "person", at, key, case_key, ""), identity, again);
  cells = batch_row(&load->batch, model, "involvement", at, key, case_key, key);
  set_text(model, "involvement", cells, "role", "victim");
}

/* ---- staging ---- */

static void stage_page(struct load *load, int64_t run, int64_t from, size_t count) {
  struct store *store = load->stand.store;
  struct error error;
  struct staged staged;
  batch_clear(&load->batch);
  buffer_reset(&load->body);
  for (size_t i = 0; i < count; i++) {
    char *key = arena_printf(load->batch.arena, "V-%lld", (long long)(from + (int64_t)i));
    size_t offset = load->body.len;
    buffer_text(&load->body, key);
    struct slice bytes = slice_make(load->body.data + offset, load->body.len - offset);
    load->records[i] = (struct landed){.key_digest = subkey_digest(&load->subkey, slice_of(key)),
                                       .source_key = slice_of(key),
                                       .digest = subkey_digest(&load->subkey, bytes),
                                       .offset = (uint32_t)offset,
                                       .len = (uint32_t)bytes.len,
                                       .state = RECORD_MAPPED};
    make_rows(load, (uint32_t)i, from + (int64_t)i, key);
  }
  struct landing landing = {.source_id = load->source_id,
                            .run = run,
                            .plan_id = 1,
                            .origin = "bench.csv",
                            .format = "csv",
                            .context = slice_of("{}"),
                            .body = buffer_view(&load->body),
                            .records = load->records,
                            .count = count};
  struct staging staging = {.source_id = load->source_id,
                            .run = run,
                            .plan_id = 1,
                            .institution = "PE/PNP",
                            .records = load->records,
                            .count = count,
                            .batch = &load->batch,
                            .all_new = true};
  MUST(store_land(store, &landing, &error));
  MUST(store_stage(store, &staging, &staged, &error));
}

static void stage(struct load *load, int64_t from, int64_t to) {
  struct store *store = load->stand.store;
  struct error error;
  int64_t run;
  MUST(store_begin(store, &error));
  MUST(store_run_begin(store, "sync", load->source_id, "bench", NULL, &run, &error));
  for (int64_t at = from; at < to; at += PAGE) {
    stage_page(load, run, at, to - at < PAGE ? (size_t)(to - at) : PAGE);
  }
  MUST(store_run_end(store, run, RUN_DONE, NULL, NULL, &error));
  MUST(store_commit(store, &error));
}

static double link_store(struct load *load, struct resolve_result *result) {
  const struct resolve_options options = {.actor = "bench", .purpose = "bench"};
  struct error error;
  int64_t start = clock_monotonic();
  MUST(resolve_run(load->stand.store, &config, load->stand.model, &options, result, &error));
  return (double)(clock_monotonic() - start) / 1e6;
}

/* Of this process on any core: tells how much of the time others took. */
static double processor_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
         + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static bool measure(int64_t records, int64_t fresh) {
  struct load load = {.records = calloc(PAGE, sizeof(struct landed)), .random = 88172645463325252U};
  struct error error;
  struct resolve_result full;
  struct resolve_result some;
  stand_open(&load.stand, STORE_SQLITE);
  batch_open(&load.batch, load.stand.model);
  buffer_init(&load.body, 64 << 20);
  load.subkey = key_subkey(load.stand.key, "record");
  MUST(store_begin(load.stand.store, &error));
  MUST(store_sources(load.stand.store, &source, 1, &load.source_id, &error));
  MUST(store_commit(load.stand.store, &error));
  int64_t start = clock_monotonic();
  stage(&load, 0, records);
  double staging = (double)(clock_monotonic() - start) / 1e6;
  double full_seconds = link_store(&load, &full);
  stage(&load, records, records + fresh);
  double before = processor_seconds();
  double seconds = link_store(&load, &some);
  double processor = processor_seconds() - before;
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  bool held = some.incremental && seconds <= SECONDS_FLOOR;
  printf("{\"case\":\"link_incremental\",\"records\":%lld,\"new\":%lld,\"seconds\":%.3f,\"processor_seconds\":%.3f,"
         "\"seconds_floor\":%.0f,"
         "\"incremental\":%s,\"touched\":%lld,\"full_seconds\":%.1f,\"staging_seconds\":%.1f,\"persons\":%lld,"
         "\"pairs\":%lld,\"peak_mib\":%ld,\"held\":%s}\n",
         (long long)records, (long long)fresh, seconds, processor, SECONDS_FLOOR, some.incremental ? "true" : "false",
         (long long)some.touched, full_seconds, staging, (long long)some.persons.clusters,
         (long long)some.persons.pairs, usage.ru_maxrss / 1024, held ? "true" : "false");
  buffer_free(&load.body);
  batch_close(&load.batch);
  stand_close(&load.stand);
  free(load.records);
  return held;
}

int main(int argc, char **argv) {
  const char *wanted = argc > 1 ? argv[1] : getenv("PUENTE_BENCH_RECORDS");
  int64_t records = wanted == NULL ? RECORDS : strtoll(wanted, NULL, 10);
  int64_t fresh = argc > 2 ? strtoll(argv[2], NULL, 10) : NEW;
  if (records < 2 || fresh < 1) {
    fputs("usage: bench_incremental [records [new]]\n", stderr);
    return 2;
  }
  measure(records, fresh);
  return 0;
}
