/* Linking what changed gives what linking all gives: made-up batches of new, changed and deleted records, of decisions
 * and of marks go into two stores alike; one is linked incrementally after each, the other in full. */
#include "core/audit/audit.h"
#include "core/resolve/resolve.h"
#include "tests/support/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

enum { SOURCES = 2, BATCH_MOST = 64, KEYS = 70, ROUNDS = 10, PEOPLE = 160 };

static enum store_kind kinds[2] = {STORE_SQLITE, STORE_POSTGRES};

static struct source_config sources[SOURCES] = {
    {.code = "alpha", .title = "Alpha", .institution = "PE/MP", .unit = "denuncia", .linked = true, .precedence = 1},
    {.code = "beta",
     .title = "Beta",
     .institution = "PE/PNP",
     .unit = "denuncia",
     .linked = true,
     .duplicate_free = true,
     .precedence = 2}};
static struct config config = {.sources = sources, .source_count = SOURCES, .link_file = "config/link/default.yaml"};

struct pairing {
  struct stand stands[2]; /* linked incrementally; linked in full */
  uint64_t random;
  bool versions; /* beta is a newer version of alpha: both name records alike */
  bool known[SOURCES][KEYS];
};

static uint32_t roll(struct pairing *p, uint32_t sides) {
  p->random ^= p->random << 13;
  p->random ^= p->random >> 7;
  p->random ^= p->random << 17;
  return (uint32_t)(p->random >> 33) % sides;
}

static int setup(void **state) {
  enum store_kind kind = *(enum store_kind *)*state;
  struct pairing *p = calloc(1, sizeof *p);
  struct error error;
  int ids[SOURCES];
  for (int i = 0; i < 2; i++) {
    stand_open(&p->stands[i], kind);
    MUST(store_begin(p->stands[i].store, &error));
    MUST(store_sources(p->stands[i].store, sources, SOURCES, ids, &error));
    MUST(store_commit(p->stands[i].store, &error));
  }
  *state = p;
  return 0;
}

static int teardown(void **state) {
  struct pairing *p = *state;
  stand_close(&p->stands[0]);
  stand_close(&p->stands[1]);
  free(p);
  sources[1].succeeds = NULL;
  return 0;
}

/* ---- made-up records: the same text for both stores ---- */

static const char *const GIVEN[] = {"ROSA", "JUAN", "LUZ MARINA", "PEDRO", "ANA", "JOSE LUIS"};
static const char *const SYLLABLES[] = {"QUIS", "MA", "RO", "HUA", "CON", "TI", "YU", "PAL"};
static const char *const PLACES[] = {"150101", "080101"};
static const char *const ROLES[] = {"victim", "accused", "complainant"};

struct made_person {
  char key[24], given[24], paternal[24], maternal[24], birth[16], document[16];
  const char *role, *consent;
  bool protected, present, part; /* part: it has its involvement in this record */
};
struct made_record {
  int source;
  char key[24], denuncia[24], place[8];
  struct made_person persons[3];
  size_t person_count;
  char mentioned[24]; /* a person of another record who has a part in this case; empty: none */
};

static void make_surname(uint32_t who, char *surname, size_t size) {
  snprintf(surname, size, "%s%s%s", SYLLABLES[who % 8], SYLLABLES[who / 8 % 8], SYLLABLES[who * 5 / 3 % 8]);
}

static void make_person(struct pairing *p, const struct made_record *record, size_t at, struct made_person *person) {
  uint32_t who = roll(p, PEOPLE); /* one of few people, written down with slips */
  *person = (struct made_person){.present = true, .part = roll(p, 8) != 0};
  if (roll(p, 5) == 0) {
    snprintf(person->key, sizeof person->key, "P-%u", who); /* the source's own number of a person */
  } else {
    snprintf(person->key, sizeof person->key, "%s/%zu", record->key, at);
  }
  snprintf(person->given, sizeof person->given, "%s", GIVEN[who % 6]);
  make_surname(who, person->paternal, sizeof person->paternal);
  if (roll(p, 4) != 0) {
    make_surname(who * 3 + roll(p, 12) / 11, person->maternal, sizeof person->maternal);
  }
  if (roll(p, 3) != 0) {
    snprintf(person->birth, sizeof person->birth, "%u-%02u-%02u", 1960 + who % 41, 1 + who % 12,
             1 + (who + roll(p, 9) / 8) % 28);
  }
  if (roll(p, 3) == 0) {
    snprintf(person->document, sizeof person->document, "%08u", 20117410 + who * 7919 + roll(p, 12) / 11);
  }
  person->role = ROLES[roll(p, 5) < 3 ? 0 : roll(p, 3)];
  person->consent = roll(p, 15) == 0 ? "withdrawn" : NULL;
  person->protected = roll(p, 25) == 0;
}

static char letter_of(const struct pairing *p, int source) {
  return (char)('a' + (p->versions ? 0 : source));
}

static void make_record(struct pairing *p, int source, uint32_t number, struct made_record *record) {
  *record = (struct made_record){.source = source, .person_count = 1 + roll(p, 3)};
  snprintf(record->key, sizeof record->key, "%c-%u", letter_of(p, source), number);
  if (roll(p, 3) != 0) {
    snprintf(record->denuncia, sizeof record->denuncia, "2020-%u", 100 + roll(p, 300));
  }
  snprintf(record->place, sizeof record->place, "%s", PLACES[roll(p, 2)]);
  for (size_t i = 0; i < record->person_count; i++) {
    make_person(p, record, i, &record->persons[i]);
    for (size_t j = 0; j < i; j++) {
      /* One record names a person once. */
      record->persons[i].present &= strcmp(record->persons[j].key, record->persons[i].key) != 0;
    }
  }
  if (roll(p, 6) == 0) {
    snprintf(record->mentioned, sizeof record->mentioned, "P-%u", roll(p, PEOPLE));
  }
}

static void add_part(const struct model *model, struct batch *batch, uint32_t at, const struct made_record *record,
                     const char *person, const char *role, const char *consent) {
  char *key = arena_printf(batch->arena, "%s+%s", record->key, person);
  struct cell *part = batch_row(batch, model, "involvement", at, key, record->key, person);
  set_text(model, "involvement", part, "role", role);
  if (consent != NULL) {
    set_text(model, "involvement", part, "consent", consent);
  }
}

static void add_rows(const struct model *model, struct batch *batch, uint32_t at, const struct made_record *record) {
  struct cell *one_case = batch_row(batch, model, "case", at, record->key, "", "");
  set_text(model, "case", one_case, "place", record->place);
  set_text(model, "case", one_case, "reported_on", "2020-05-06");
  if (record->denuncia[0] != '\0') {
    set_text(model, "case", one_case, "denuncia_number", record->denuncia);
  }
  for (size_t i = 0; i < record->person_count; i++) {
    const struct made_person *person = &record->persons[i];
    if (!person->present) {
      continue;
    }
    struct cell *one = batch_row(batch, model, "person", at, person->key, record->key, "");
    const char *const fields[] = {"given_names", "paternal_surname", "maternal_surname", "birth_date",
                                  "document_number"};
    const char *const values[] = {person->given, person->paternal, person->maternal, person->birth, person->document};
    for (size_t j = 0; j < sizeof fields / sizeof *fields; j++) {
      if (values[j][0] != '\0') {
        set_text(model, "person", one, fields[j], values[j]);
      }
    }
    if (person->protected) {
      set_text(model, "person", one, "protection_key", "CLAVE-1");
    }
    if (person->part) {
      add_part(model, batch, at, record, person->key, person->role, person->consent);
    }
  }
  if (record->mentioned[0] != '\0') {
    add_part(model, batch, at, record, record->mentioned, "accused", NULL);
  }
}

/* Lands and stages records of one source in one store, changed ones as such. */
static void stage(struct stand *stand, const struct made_record *made, size_t count, bool done) {
  struct landed records[BATCH_MOST] = {0};
  struct keyed_digest keys[BATCH_MOST];
  struct record_state_found found[BATCH_MOST];
  struct batch batch;
  struct buffer body;
  struct error error;
  struct staged staged;
  int64_t run;
  int source_id = made[0].source + 1;
  bool all_new = true;
  buffer_init(&body, 1 << 20);
  batch_open(&batch, stand->model);
  for (size_t i = 0; i < count; i++) {
    size_t offset = body.len;
    buffer_append(&body, &made[i], sizeof made[i]);
    struct slice bytes = slice_make(body.data + offset, body.len - offset);
    records[i] = (struct landed){.source_key = slice_of(made[i].key),
                                 .key_digest = key_digest(stand->key, "record", slice_of(made[i].key)),
                                 .digest = key_digest(stand->key, "bytes", bytes),
                                 .offset = (uint32_t)offset,
                                 .len = (uint32_t)bytes.len,
                                 .state = RECORD_MAPPED};
    keys[i] = records[i].key_digest;
    add_rows(stand->model, &batch, (uint32_t)i, &made[i]);
  }
  MUST(store_begin(stand->store, &error));
  MUST(store_run_begin(stand->store, "sync", source_id, "tester", NULL, &run, &error));
  MUST(store_find_records(stand->store, source_id, keys, count, found, &error));
  for (size_t i = 0; i < count; i++) {
    records[i].record_id = found[i].record_id;
    all_new = all_new && found[i].record_id == 0;
  }
  struct landing landing = {.source_id = source_id,
                            .run = run,
                            .plan_id = 1,
                            .origin = "page",
                            .format = "csv",
                            .context = slice_of("{}"),
                            .body = buffer_view(&body),
                            .records = records,
                            .count = count};
  MUST(store_land(stand->store, &landing, &error));
  struct staging staging = {.source_id = source_id,
                            .run = run,
                            .plan_id = 1,
                            .institution = sources[made[0].source].institution,
                            .records = records,
                            .count = count,
                            .batch = &batch,
                            .all_new = all_new};
  MUST(store_stage(stand->store, &staging, &staged, &error));
  MUST(store_run_end(stand->store, run, done ? RUN_DONE : RUN_FAILED, NULL, NULL, &error));
  MUST(store_commit(stand->store, &error));
  buffer_free(&body);
  batch_close(&batch);
}

static void delete_one(struct stand *stand, int source, const char *key) {
  struct error error;
  struct keyed_digest digest = key_digest(stand->key, "record", slice_of(key));
  struct record_state_found found;
  int64_t run;
  MUST(store_begin(stand->store, &error));
  MUST(store_run_begin(stand->store, "sync", source + 1, "tester", NULL, &run, &error));
  MUST(store_find_records(stand->store, source + 1, &digest, 1, &found, &error));
  MUST(store_delete_records(stand->store, run, &found.record_id, 1, &error));
  MUST(store_run_end(stand->store, run, RUN_DONE, NULL, NULL, &error));
  MUST(store_commit(stand->store, &error));
}

/* ---- what the store says ---- */

struct dump {
  struct member *members;
  size_t count, capacity;
  struct buffer text;
};

static enum status see_member(void *context, const struct member *member, struct error *error) {
  struct dump *dump = context;
  (void)error;
  if (dump->count == dump->capacity) {
    dump->capacity = dump->capacity == 0 ? 256 : dump->capacity * 2;
    dump->members = realloc(dump->members, dump->capacity * sizeof *dump->members);
    assert_non_null(dump->members);
  }
  dump->members[dump->count++] = *member;
  return OK;
}

static enum status see_pair(void *context, const struct link_pair_row *pair, struct error *error) {
  struct dump *dump = context;
  (void)error;
  buffer_printf(&dump->text, "%lld %lld %.6f %s %s %d %s\n", (long long)pair->row_a, (long long)pair->row_b,
                pair->weight, pair->rule == NULL ? "-" : pair->rule, pair->verdict == NULL ? "-" : pair->verdict,
                pair->outcome, pair->reason);
  return OK;
}

static enum status see_unlinkable(void *context, int64_t row_id, struct error *error) {
  struct dump *dump = context;
  (void)error;
  buffer_printf(&dump->text, "alone %lld\n", (long long)row_id);
  return OK;
}

/* Each row with the first row of its cluster, then pairs, then rows that stand alone. */
static char *dump_store(struct stand *stand) {
  struct dump dump = {.members = NULL};
  struct error error;
  buffer_init(&dump.text, 1 << 24);
  for (int kind = 0; kind < 2; kind++) {
    dump.count = 0;
    MUST(store_visit_members(stand->store, (enum cluster_kind)kind, see_member, &dump, &error));
    for (size_t i = 0; i < dump.count; i++) {
      size_t first = 0;
      while (dump.members[first].id != dump.members[i].id) {
        first++;
      }
      buffer_printf(&dump.text, "%d: %lld in %lld\n", kind, (long long)dump.members[i].row_id,
                    (long long)dump.members[first].row_id);
    }
    MUST(store_visit_pairs(stand->store, (enum cluster_kind)kind, NULL, 0, see_pair, &dump, &error));
    MUST(store_visit_unlinkable(stand->store, (enum cluster_kind)kind, see_unlinkable, &dump, &error));
  }
  assert_int_equal(dump.text.failed, OK);
  buffer_char(&dump.text, '\0');
  free(dump.members);
  return dump.text.data;
}

/* Values of consolidated rows with the first row of each, whatever they are called. */
static char *dump_values(struct stand *stand) {
  static const char *const columns[] = {"records", "place", "status"};
  static const char *const person[] = {"records", "sources", "sex"};
  struct buffer text;
  struct error error;
  buffer_init(&text, 1 << 24);
  for (int kind = 0; kind < 2; kind++) {
    struct selection selection = {.view = kind == 0 ? "persons" : "cases",
                                  .columns = kind == 0 ? person : columns,
                                  .column_count = 3,
                                  .order = "records"};
    struct result *result;
    int64_t sums[3] = {0};
    MUST(store_select(stand->store, &selection, &result, &error));
    while (result_next(result, &error) == OK) {
      sums[0]++;
      sums[1] += result_integer(result, 0) * result_integer(result, 0);
      sums[2] += (int64_t)result_text(result, 1).len;
    }
    result_free(result);
    buffer_printf(&text, "%lld %lld %lld\n", (long long)sums[0], (long long)sums[1], (long long)sums[2]);
  }
  buffer_char(&text, '\0');
  return text.data;
}

static void assert_same_text(const char *a, const char *b, int round) {
  if (strcmp(a, b) != 0) {
    size_t at = 0;
    while (a[at] == b[at]) {
      at++;
    }
    while (at > 0 && a[at - 1] != '\n') {
      at--;
    }
    fail_msg("round %d: incrementally \"%.160s\", in full \"%.160s\"", round, a + at, b + at);
  }
}

static void assert_same_counts(const struct resolve_counts *a, const struct resolve_counts *b) {
  assert_int_equal(a->rows, b->rows);
  assert_int_equal(a->clusters, b->clusters);
  assert_int_equal(a->accepted, b->accepted);
  assert_int_equal(a->pairs, b->pairs);
  assert_int_equal(a->waiting, b->waiting);
  assert_int_equal(a->unlinkable, b->unlinkable);
}

static struct resolve_result run_link(struct stand *stand, bool full) {
  struct error error;
  struct resolve_result result;
  struct resolve_options options = {.actor = "tester", .purpose = "test", .full = full};
  MUST(resolve_run(stand->store, &config, stand->model, &options, &result, &error));
  return result;
}

/* Links both and compares; what came of the first. */
static struct resolve_result link_both(struct pairing *p, int round) {
  struct resolve_result some = run_link(&p->stands[0], false);
  struct resolve_result all = run_link(&p->stands[1], true);
  char *a = dump_store(&p->stands[0]);
  char *b = dump_store(&p->stands[1]);
  assert_same_text(a, b, round);
  free(a);
  free(b);
  a = dump_values(&p->stands[0]);
  b = dump_values(&p->stands[1]);
  assert_string_equal(a, b);
  free(a);
  free(b);
  assert_false(all.incremental);
  if (!some.nothing_new) {
    assert_same_counts(&some.persons, &all.persons);
    assert_same_counts(&some.cases, &all.cases);
  }
  return some;
}

/* ---- batches ---- */

static void stage_batch(struct pairing *p, int source, uint32_t from, uint32_t count, bool done) {
  struct made_record made[BATCH_MOST];
  for (uint32_t i = 0; i < count; i++) {
    make_record(p, source, (from + i) % KEYS, &made[i]);
    p->known[source][(from + i) % KEYS] = true;
  }
  stage(&p->stands[0], made, count, done);
  stage(&p->stands[1], made, count, done);
}

static void delete_some(struct pairing *p) {
  int source = (int)roll(p, SOURCES);
  uint32_t number = roll(p, KEYS);
  char key[24];
  snprintf(key, sizeof key, "%c-%u", letter_of(p, source), number);
  if (p->known[source][number]) {
    p->known[source][number] = false;
    delete_one(&p->stands[0], source, key);
    delete_one(&p->stands[1], source, key);
  }
}

struct choosing {
  uint32_t left;
  struct link_pair_row chosen;
};

static enum status choose_pair(void *context, const struct link_pair_row *pair, struct error *error) {
  struct choosing *choosing = context;
  (void)error;
  if (choosing->left-- == 0) {
    choosing->chosen = *pair;
  }
  return OK;
}

/* A person decides about a kept pair, the same in both stores. */
static void decide_one(struct pairing *p, enum cluster_kind kind) {
  struct choosing choosing = {.left = roll(p, 20)};
  struct error error;
  bool same = roll(p, 2) == 0;
  MUST(store_visit_pairs(p->stands[0].store, kind, NULL, 0, choose_pair, &choosing, &error));
  if (choosing.chosen.row_a == 0) {
    return;
  }
  for (int i = 0; i < 2; i++) {
    struct store *store = p->stands[i].store;
    struct decide decide = {.row_a = choosing.chosen.row_a,
                            .row_b = choosing.chosen.row_b,
                            .same = same,
                            .approvals = 1,
                            .actor = "reviewer",
                            .reason = "looked at"};
    struct review_decision decision;
    MUST(store_begin(store, &error));
    MUST(store_run_begin(store, "review", 0, "reviewer", NULL, &decide.run, &error));
    enum status status = store_decide(store, kind, &decide, &decision, &error);
    assert_true(status == OK || status == ERR_USAGE); /* decided so already */
    MUST(store_run_end(store, decide.run, RUN_DONE, NULL, NULL, &error));
    MUST(store_commit(store, &error));
  }
}

static void rounds(struct pairing *p, uint64_t seed) {
  int incremental = 0;
  p->random = seed;
  stage_batch(p, 0, 0, 50, true);
  stage_batch(p, 1, 0, 45, true);
  struct resolve_result all = link_both(p, 0);
  assert_false(all.incremental);
  int64_t rows = all.persons.rows + all.cases.rows;
  int64_t touched = 0;
  for (int round = 1; round <= ROUNDS; round++) {
    stage_batch(p, (int)roll(p, SOURCES), roll(p, KEYS), 1 + roll(p, 4), roll(p, 5) != 0);
    if (roll(p, 2) == 0) {
      delete_some(p);
    }
    if (roll(p, 3) == 0) {
      decide_one(p, roll(p, 2) == 0 ? CLUSTER_PERSON : CLUSTER_CASE);
    }
    struct resolve_result some = link_both(p, round);
    incremental += some.incremental;
    touched += some.touched;
  }
  assert_int_equal(incremental, ROUNDS);
  assert_in_range(touched, 1, rows * ROUNDS / 2); /* else it tests little */
}

static void batches_give_what_all_give(void **state) {
  rounds(*state, 88172645463325252U);
}

static void other_batches_do_too(void **state) {
  rounds(*state, 6364136223846793005U);
}

static void versions_of_a_source_do_too(void **state) {
  struct pairing *p = *state;
  sources[1].succeeds = "alpha";
  p->versions = true;
  rounds(p, 2862933555777941757U);
}

static void without_changes_nothing_is_done(void **state) {
  struct pairing *p = *state;
  p->random = 42;
  stage_batch(p, 0, 0, 10, true);
  assert_false(run_link(&p->stands[0], false).nothing_new);
  assert_true(run_link(&p->stands[0], false).nothing_new);
  struct resolve_result forced = run_link(&p->stands[0], true);
  assert_false(forced.nothing_new);
  assert_int_equal(forced.persons.created, 0);
}

static void another_configuration_links_all(void **state) {
  struct pairing *p = *state;
  p->random = 43;
  stage_batch(p, 0, 0, 10, true);
  run_link(&p->stands[0], false);
  sources[1].precedence = 9;
  struct resolve_result result = run_link(&p->stands[0], false);
  sources[1].precedence = 2;
  assert_false(result.incremental);
  assert_string_equal(result.why_full, "the configuration has changed since the last linking");
}

#define EACH(function)                                                                                                 \
  {"sqlite: " #function, function, setup, teardown, &kinds[0]}, {                                                      \
    "postgres: " #function, function, setup, teardown, &kinds[1]                                                       \
  }

int main(void) {
  const struct CMUnitTest tests[] = {
      EACH(batches_give_what_all_give),      EACH(other_batches_do_too),
      EACH(versions_of_a_source_do_too),     EACH(without_changes_nothing_is_done),
      EACH(another_configuration_links_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
