/* How many records a second the store takes: made-up records of 30 columns become a case, a person and an involvement
 * each, and go through landing, staging, the audit entry and a commit for every 8,192 of them.
 *
 *   bench_store [records] [sqlite|postgres]     prints one JSON line a store */
#include "core/audit/audit.h"
#include "core/base/date.h"
#include "tests/support/postgres.h"
#include "tests/support/stores.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { PAGE = 8192 };

struct load {
  struct stand stand;
  struct batch batch;
  struct landed *records;
  struct keyed_digest *keys;
  struct record_state_found *found;
  struct buffer body;
  struct subkey subkey;
  int source_id;
  int64_t run;
};

static const char *const CITIES[] = {"150101", "080101", "160101", "140101", "040101", "230101"};
static const char *const NAMES[] = {"JUANA", "MARÍA", "ROSA", "PEDRO", "LUZ", "YÉSICA"};
static const char *const SURNAMES[] = {"QUISPE", "HUAMÁN", "CONDORI", "RÍOS", "PEÑA", "TORRES", "ÑAUPARI"};

static void make_rows(struct load *load, uint32_t at, int64_t number, const char *key) {
  const struct model *model = load->stand.model;
  struct batch *batch = &load->batch;
  char *case_key = arena_printf(batch->arena, "D-%lld", (long long)number);
  char *document = arena_printf(batch->arena, "%08lld", (long long)(number * 7919 % 100000000));
  struct cell *cells = batch_row(batch, model, "case", at, case_key, "", "");
  set_text(model, "case", cells, "denuncia_number", case_key);
  set_text(model, "case", cells, "reported_on", "2019-03-14");
  set_text(model, "case", cells, "place", CITIES[number % 6]);
  set_text(model, "case", cells, "place_own", CITIES[number % 6]);
  set_text(model, "case", cells, "offence", "trafficking");
  set_text(model, "case", cells, "offence_own", "129-A|TRATA DE PERSONAS");
  set_text(model, "case", cells, "status", "open");
  set_text(model, "case", cells, "status_own", "EN INVESTIGACION");
  set_text(model, "case", cells, "kind", "national");
  set_text(model, "case", cells, "kind_own", "NACIONAL");
  set_text(model, "case", cells, "police_unit", "DEPINTRAP");
  set_integer(model, "case", cells, "victims_stated", number % 4);
  cells = batch_row(batch, model, "person", at, key, case_key, "");
  set_text(model, "person", cells, "given_names", NAMES[number % 6]);
  set_text(model, "person", cells, "paternal_surname", SURNAMES[number % 7]);
  set_text(model, "person", cells, "maternal_surname", SURNAMES[number / 7 % 7]);
  set_text(model, "person", cells, "document_type", "dni");
  set_text(model, "person", cells, "document_type_own", "DNI");
  set_text(model, "person", cells, "document_number", document);
  set_text(model, "person", cells, "birth_date", "2003-07-21");
  set_text(model, "person", cells, "sex", "female");
  set_text(model, "person", cells, "sex_own", "F");
  set_text(model, "person", cells, "nationality", "PE");
  set_text(model, "person", cells, "nationality_own", "PERUANA");
  set_text(model, "person", cells, "education", "secondary");
  set_text(model, "person", cells, "education_own", "SECUNDARIA");
  set_missing(model, "person", cells, "phone", MISSING_NOT_RECORDED);
  cells = batch_row(batch, model, "involvement", at, key, case_key, key);
  set_text(model, "involvement", cells, "role", "victim");
  set_integer(model, "involvement", cells, "age", 15 + number % 30);
  set_integer(model, "involvement", cells, "minor", number % 2);
  set_text(model, "involvement", cells, "relation", "acquaintance");
  set_text(model, "involvement", cells, "relation_own", "CONOCIDO");
  set_text(model, "involvement", cells, "recruitment", "job_offer");
  set_text(model, "involvement", cells, "recruitment_own", "OFERTA DE TRABAJO");
  set_text(model, "involvement", cells, "purposes", "sexual_exploitation");
  set_text(model, "involvement", cells, "purposes_own", "EXPLOTACION SEXUAL");
}

/* A line of a CSV file of 30 columns. */
static void make_line(struct load *load, int64_t number) {
  buffer_printf(&load->body,
                "%lld,D-%lld,2019-03-14,%s,129-A,TRATA DE PERSONAS,EN INVESTIGACION,NACIONAL,DEPINTRAP,%lld,%s,%s,%s,"
                "DNI,%08lld,2003-07-21,F,PERUANA,SECUNDARIA,,victima,%lld,CONOCIDO,OFERTA DE TRABAJO,"
                "EXPLOTACION SEXUAL,,,,SI,NO\n",
                (long long)number, (long long)number, CITIES[number % 6], (long long)number % 4, NAMES[number % 6],
                SURNAMES[number % 7], SURNAMES[number / 7 % 7], (long long)(number * 7919 % 100000000),
                (long long)(15 + number % 30));
}

static void make_page(struct load *load, int64_t from, size_t count) {
  batch_clear(&load->batch);
  buffer_reset(&load->body);
  for (size_t i = 0; i < count; i++) {
    int64_t number = from + (int64_t)i;
    char *key = arena_printf(load->batch.arena, "V-%lld", (long long)number);
    size_t offset = load->body.len;
    make_line(load, number);
    struct slice bytes = slice_make(load->body.data + offset, load->body.len - offset);
    load->records[i] = (struct landed){.key_digest = subkey_digest(&load->subkey, slice_of(key)),
                                       .source_key = slice_of(key),
                                       .digest = subkey_digest(&load->subkey, bytes),
                                       .offset = (uint32_t)offset,
                                       .len = (uint32_t)bytes.len,
                                       .state = RECORD_MAPPED};
    load->keys[i] = load->records[i].key_digest;
    make_rows(load, (uint32_t)i, number, key);
  }
}

static void store_page(struct load *load, size_t count) {
  struct error error;
  struct store *store = load->stand.store;
  struct landing landing = {.source_id = load->source_id,
                            .run = load->run,
                            .plan_id = 1,
                            .origin = "bench.csv",
                            .format = "csv",
                            .context = slice_of("{}"),
                            .body = buffer_view(&load->body),
                            .records = load->records,
                            .count = count};
  struct staging staging = {.source_id = load->source_id,
                            .run = load->run,
                            .plan_id = 1,
                            .institution = "PE/PNP",
                            .records = load->records,
                            .count = count,
                            .batch = &load->batch,
                            .all_new = true};
  struct staged staged;
  struct merkle merkle;
  struct sha256 plan = {0};
  MUST(store_begin(store, &error));
  MUST(store_find_records(store, load->source_id, load->keys, count, load->found, &error));
  MUST(store_land(store, &landing, &error));
  MUST(store_stage(store, &staging, &staged, &error));
  merkle_init(&merkle);
  for (size_t i = 0; i < count; i++) {
    const struct landed *record = &load->records[i];
    merkle_add_record(&merkle, record->raw_id, &record->key_digest, &record->digest, record->state, &plan);
  }
  struct audit_event event = {
      .event = "land", .source = "bench", .actor = "bench", .run = load->run, .outcomes = merkle_root(&merkle)};
  MUST(audit_append(store, &event, &error));
  MUST(store_commit(store, &error));
}

static void measure(enum store_kind kind, int64_t records) {
  struct load load = {.records = calloc(PAGE, sizeof(struct landed)),
                      .keys = calloc(PAGE, sizeof(struct keyed_digest)),
                      .found = calloc(PAGE, sizeof(struct record_state_found))};
  struct error error;
  stand_open(&load.stand, kind);
  batch_open(&load.batch, load.stand.model);
  buffer_init(&load.body, 64 << 20);
  load.subkey = key_subkey(load.stand.key, "record");
  struct source_config source = {.code = "bench", .title = "bench", .institution = "PE/PNP"};
  MUST(store_begin(load.stand.store, &error));
  MUST(store_sources(load.stand.store, &source, 1, &load.source_id, &error));
  MUST(store_run_begin(load.stand.store, "sync", load.source_id, "bench", NULL, &load.run, &error));
  MUST(store_commit(load.stand.store, &error));
  int64_t making = 0, storing = 0;
  for (int64_t from = 0; from < records; from += PAGE) {
    size_t count = records - from < PAGE ? (size_t)(records - from) : PAGE;
    int64_t start = clock_monotonic();
    make_page(&load, from, count);
    int64_t made = clock_monotonic();
    store_page(&load, count);
    making += made - start;
    storing += clock_monotonic() - made;
  }
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"case\":\"store_%s\",\"records\":%lld,\"seconds\":%.3f,\"records_per_second\":%.0f,\"peak_mib\":%ld,"
         "\"making_seconds\":%.3f}\n",
         kind == STORE_SQLITE ? "sqlite" : "postgres", (long long)records, (double)storing / 1e6,
         (double)records * 1e6 / (double)storing, usage.ru_maxrss / 1024, (double)making / 1e6);
  buffer_free(&load.body);
  batch_close(&load.batch);
  stand_close(&load.stand);
  free(load.records);
  free(load.keys);
  free(load.found);
}

int main(int argc, char **argv) {
  int64_t records = argc > 1 ? strtoll(argv[1], NULL, 10) : 1000000;
  if (argc < 3 || strcmp(argv[2], "sqlite") == 0) {
    measure(STORE_SQLITE, records);
  }
  if (argc < 3 || strcmp(argv[2], "postgres") == 0) {
    postgres_start_durable();
    measure(STORE_POSTGRES, records);
  }
  return 0;
}
