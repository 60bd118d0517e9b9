/* The store's contract, on SQLite and PostgreSQL: sources, landing, staging, versions, deletions, quarantine. */
#include "core/base/file.h"
#include "tests/support/contract.h"

#include <stdio.h>
#include <stdlib.h>

/* A case and a person of it, as the mapping would make them. */
static void add_rows(struct sheet *sheet, const struct stand *stand, uint32_t at, const char *key, const char *sex,
                     const char *name) {
  struct cell *cells = batch_row(&sheet->batch, stand->model, "case", at, key, "", "");
  set_text(stand->model, "case", cells, "denuncia_number", "D-1");
  set_text(stand->model, "case", cells, "reported_on", "2019-03");
  set_text(stand->model, "case", cells, "place", "160101");
  set_integer(stand->model, "case", cells, "victims_stated", -3);
  cells = batch_row(&sheet->batch, stand->model, "person", at, key, key, "");
  set_text(stand->model, "person", cells, "sex", sex);
  set_text(stand->model, "person", cells, "given_names", name);
  set_text(stand->model, "person", cells, "document_type", "dni");
  set_text(stand->model, "person", cells, "document_number", "10117410");
  set_missing(stand->model, "person", cells, "phone", MISSING_REFUSED);
  set_missing(stand->model, "person", cells, "birth_date", MISSING_PROTECTED);
}

struct seen_row {
  int count;
  int64_t row_id, from_run, to_run;
  char sex[32], name[64], key[32], case_key[32];
  int phone_missing, birth_missing, source_id;
};

static enum status see_row(void *context, const struct row *row, struct error *error) {
  struct seen_row *seen = context;
  (void)error;
  seen->count++;
  seen->row_id = row->row_id;
  seen->from_run = row->from_run;
  seen->to_run = row->to_run;
  seen->source_id = row->source_id;
  snprintf(seen->key, sizeof seen->key, "%.*s", SLICE_ARG(row->key));
  snprintf(seen->case_key, sizeof seen->case_key, "%.*s", SLICE_ARG(row->case_key));
  return OK;
}

static const struct model *seen_model;
static enum status see_person(void *context, const struct row *row, struct error *error) {
  struct seen_row *seen = context;
  const struct entity *person = model_entity(seen_model, "person");
  seen->name[0] = '\0';
  for (size_t i = 0; i < person->column_count; i++) {
    const struct cell *cell = &row->cells[i];
    if (strcmp(person->columns[i].name, "sex") == 0) {
      snprintf(seen->sex, sizeof seen->sex, "%.*s", (int)cell->len, cell->text);
    }
    if (strcmp(person->columns[i].name, "given_names") == 0 && cell->kind == CELL_TEXT) {
      snprintf(seen->name, sizeof seen->name, "%.*s", (int)cell->len, cell->text);
    }
    if (strcmp(person->columns[i].name, "phone") == 0) {
      seen->phone_missing = cell->kind == CELL_NULL ? cell->missing : -1;
    }
    if (strcmp(person->columns[i].name, "birth_date") == 0) {
      seen->birth_missing = cell->missing;
    }
  }
  return see_row(context, row, error);
}

static struct seen_row persons(struct stand *stand, struct row_filter filter) {
  struct seen_row seen = {0};
  struct error error;
  seen_model = stand->model;
  MUST(store_visit_rows(stand->store, model_entity(stand->model, "person"), &filter, see_person, &seen, &error));
  return seen;
}

static void test_sources(void **state) {
  struct stand *stand = *state;
  contract_sources(stand);
  contract_sources(stand);
  TEXT_IS(view_text(stand, "sources", "code", NULL, NULL), "alpha,beta");
  TEXT_IS(view_text(stand, "sources", "deletes", "code", "beta"), "sweep");
  TEXT_IS(view_text(stand, "sources", "precedence", "source_id", "2"), "1");
}

static void test_lease_is_fenced(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct lease first, second;
  struct pass pass = {.first_run = 5};
  char cursor[] = "page=2", mark[] = "2020-01-01";
  contract_sources(stand);
  MUST(store_lease(stand->store, 1, "one", &first, &error));
  assert_int_equal(store_leased(stand->store, 1, &error), ERR_BUSY);
  assert_string_equal(error.message, "the source is being worked on by one");
  assert_string_equal(error.place, "source alpha");
  /* The holder stalls and loses its hold; another takes over; the first may no longer write. */
  MUST(store_lease(stand->store, 1, "two", &second, &error));
  assert_true(second.token > first.token);
  pass.cursor = cursor;
  pass.mark = mark;
  MUST(store_begin(stand->store, &error));
  assert_int_equal(store_pass_save(stand->store, &first, &pass, &error), ERR_BUSY);
  assert_string_equal(error.message, "the source was taken over by two");
  store_rollback(stand->store);
  MUST(store_begin(stand->store, &error));
  MUST(store_pass_save(stand->store, &second, &pass, &error));
  MUST(store_commit(stand->store, &error));
  MUST(store_pass(stand->store, 1, &pass, &error));
  assert_string_equal(pass.cursor, "page=2");
  assert_null(pass.watermark);
  assert_string_equal(pass.mark, "2020-01-01");
  assert_int_equal(pass.first_run, 5);
  pass_free(&pass);
  MUST(store_release(stand->store, &second, &error));
  MUST(store_lease(stand->store, 1, "three", &first, &error));
  assert_int_equal(store_pass(stand->store, 77, &pass, &error), ERR_NOT_FOUND);
}

static void test_memory(void **state) {
  struct stand *stand = *state;
  struct error error;
  bool known = true;
  contract_sources(stand);
  MUST(store_remembers(stand->store, 1, "sha256:ab", &known, &error));
  assert_false(known);
  MUST(store_begin(stand->store, &error));
  MUST(store_remember(stand->store, 1, "sha256:ab", 1, &error));
  MUST(store_remember(stand->store, 1, "sha256:ab", 2, &error));
  MUST(store_commit(stand->store, &error));
  MUST(store_remembers(stand->store, 1, "sha256:ab", &known, &error));
  assert_true(known);
  MUST(store_remembers(stand->store, 2, "sha256:ab", &known, &error));
  assert_false(known);
  MUST(store_remembers_last(stand->store, 1, "sha256:ab", &known, &error));
  assert_true(known);
  MUST(store_begin(stand->store, &error));
  MUST(store_remember(stand->store, 1, "sha256:cd", 3, &error));
  MUST(store_commit(stand->store, &error));
  MUST(store_remembers_last(stand->store, 1, "sha256:ab", &known, &error));
  assert_false(known);
  MUST(store_begin(stand->store, &error));
  MUST(store_remember(stand->store, 1, "sha256:ab", 4, &error));
  MUST(store_commit(stand->store, &error));
  MUST(store_remembers_last(stand->store, 1, "sha256:ab", &known, &error));
  assert_true(known);
  MUST(store_remembers_last(stand->store, 1, "sha256:cd", &known, &error));
  assert_false(known);
}

static void test_writing_needs_a_transaction(void **state) {
  struct stand *stand = *state;
  struct error error;
  int64_t run;
  assert_int_equal(store_run_begin(stand->store, "sync", 0, "a", NULL, &run, &error), ERR_INTERNAL);
  assert_string_equal(error.message, "the store is written outside a transaction");
  MUST(store_begin(stand->store, &error));
  assert_int_equal(store_begin(stand->store, &error), ERR_INTERNAL);
  store_rollback(stand->store);
}

static void test_rollback_leaves_nothing(void **state) {
  struct stand *stand = *state;
  struct error error;
  int64_t run, again;
  MUST(store_begin(stand->store, &error));
  MUST(store_run_begin(stand->store, "sync", 0, "a", NULL, &run, &error));
  store_rollback(stand->store);
  assert_int_equal(view_count(stand, "runs", NULL, NULL), 0);
  MUST(store_begin(stand->store, &error));
  MUST(store_run_begin(stand->store, "sync", 0, "a", NULL, &again, &error));
  MUST(store_commit(stand->store, &error));
  assert_int_equal(run, again); /* ids are part of the transaction */
}

static void test_run_counts(void **state) {
  struct stand *stand = *state;
  struct error error;
  contract_sources(stand);
  int64_t run = contract_run(stand, "sync", 1);
  struct counts counts = {.pulled = 10,
                          .fresh = 4,
                          .changed = 3,
                          .unchanged = 2,
                          .repeated = 1,
                          .mapped = 7,
                          .bytes = INT64_C(5000000000),
                          .source_count = -1};
  MUST(store_begin(stand->store, &error));
  MUST(store_run_end(stand->store, run, RUN_FAILED, &counts, "boom", &error));
  MUST(store_commit(stand->store, &error));
  TEXT_IS(view_text(stand, "runs", "state", NULL, NULL), "failed");
  TEXT_IS(view_text(stand, "runs", "bytes", "state", "failed"), "5000000000");
  TEXT_IS(view_text(stand, "runs", "source_count", NULL, NULL), "-1");
  TEXT_IS(view_text(stand, "runs", "source", NULL, NULL), "alpha");
}

static enum status see_raw(void *context, const struct raw_version *version, struct error *error) {
  struct buffer *text = context;
  (void)error;
  buffer_printf(text, "%s=%.*s/%s/%.*s;", version->source_key, SLICE_ARG(version->bytes), version->format,
                SLICE_ARG(version->context));
  return OK;
}

static void test_landing_keeps_the_bytes(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct sheet sheet;
  struct staged staged;
  struct buffer text;
  contract_sources(stand);
  int64_t run = contract_run(stand, "sync", 1), record = 0;
  sheet_open(&sheet, stand);
  sheet_record(&sheet, stand, "k1", "a", RECORD_MAPPED);
  sheet_record(&sheet, stand, "k2", "a", RECORD_WITHHELD);
  sheet_store(&sheet, stand, 1, run, &staged);
  assert_int_equal(sheet.records[0].raw_id, ((INT64_C(1) << 32) + 1) * 1048576 + 1);
  assert_int_equal(sheet.records[1].raw_id, ((INT64_C(1) << 32) + 2) * 1048576 + 1);
  buffer_init(&text, 4096);
  MUST(store_visit_raw(stand->store, 1, -1, 0, 0, see_raw, &text, &error));
  assert_string_equal(text.data, "k1={k1 a}/csv/{\"header\":1};k2={k2 a}/csv/{\"header\":1};");
  buffer_reset(&text);
  MUST(store_visit_raw(stand->store, 1, RECORD_WITHHELD, 0, 0, see_raw, &text, &error));
  assert_string_equal(text.data, "k2={k2 a}/csv/{\"header\":1};");
  buffer_reset(&text);
  MUST(store_visit_raw(stand->store, 1, -1, sheet.records[0].raw_id, 1, see_raw, &text, &error));
  assert_string_equal(text.data, "k2={k2 a}/csv/{\"header\":1};");
  buffer_free(&text);
  MUST(store_record_id(stand->store, "alpha:k2", &record, &error));
  assert_int_equal(record, sheet.records[1].raw_id >> 20);
  MUST(store_record_id(stand->store, "4294967297", &record, &error));
  assert_int_equal(store_record_id(stand->store, "alpha:k9", &record, &error), ERR_NOT_FOUND);
  assert_int_equal(store_record_id(stand->store, "gamma:k1", &record, &error), ERR_NOT_FOUND);
  assert_int_equal(store_record_id(stand->store, "77", &record, &error), ERR_NOT_FOUND);
  sheet_close(&sheet);
}

static void test_versions(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct sheet sheet;
  struct staged staged;
  struct record_state_found found;
  contract_sources(stand);
  int64_t first = contract_run(stand, "sync", 1);
  sheet_open(&sheet, stand);
  add_rows(&sheet, stand, sheet_record(&sheet, stand, "k1", "a", RECORD_MAPPED), "k1", "female", "ROSA ÑAÑA");
  add_rows(&sheet, stand, sheet_record(&sheet, stand, "k2", "a", RECORD_MAPPED), "k2", "male", "JOSÉ");
  sheet_store(&sheet, stand, 1, first, &staged);
  assert_int_equal(staged.opened, 4);
  sheet_close(&sheet);
  /* The next pass: one changed, one as it was in all but its bytes. */
  int64_t second = contract_run(stand, "sync", 1);
  sheet_open(&sheet, stand);
  add_rows(&sheet, stand, sheet_record(&sheet, stand, "k1", "b", RECORD_MAPPED), "k1", "male", "ROSA ÑAÑA");
  add_rows(&sheet, stand, sheet_record(&sheet, stand, "k2", "b", RECORD_MAPPED), "k2", "male", "JOSÉ");
  sheet_store(&sheet, stand, 1, second, &staged);
  assert_int_equal(staged.opened, 1);
  assert_int_equal(staged.closed, 1);
  assert_int_equal(staged.same, 3);
  assert_int_equal(sheet.records[0].raw_id & 0xfffff, 2);
  MUST(store_find_records(stand->store, 1, &sheet.records[0].key_digest, 1, &found, &error));
  assert_int_equal(found.raw_id, sheet.records[0].raw_id);
  assert_memory_equal(&found.digest, &sheet.records[0].digest, sizeof found.digest);
  MUST(store_find_records(stand->store, 2, &sheet.records[0].key_digest, 1, &found, &error));
  assert_int_equal(found.record_id, 0);
  int64_t record = sheet.records[0].raw_id >> 20;
  sheet_close(&sheet);
  struct seen_row seen = persons(stand, (struct row_filter){.record_id = record, .identity = true});
  assert_int_equal(seen.count, 1);
  assert_string_equal(seen.sex, "male");
  assert_string_equal(seen.name, "ROSA ÑAÑA");
  assert_string_equal(seen.case_key, "k1");
  assert_int_equal(seen.source_id, 1);
  assert_int_equal(seen.from_run, second);
  assert_int_equal(seen.phone_missing, MISSING_REFUSED);
  assert_int_equal(seen.birth_missing, MISSING_PROTECTED);
  seen = persons(stand, (struct row_filter){.record_id = record, .as_of_run = first});
  assert_int_equal(seen.count, 1);
  assert_string_equal(seen.sex, "female");
  assert_string_equal(seen.name, ""); /* no identity unless asked for */
  assert_int_equal(persons(stand, (struct row_filter){.record_id = record, .history = true}).count, 2);
  assert_int_equal(persons(stand, (struct row_filter){0}).count, 2);
}

static void test_changed_identity_is_a_new_row(void **state) {
  struct stand *stand = *state;
  struct sheet sheet;
  struct staged staged;
  contract_sources(stand);
  const char *const names[] = {"ROSA", "ROSA MARÍA", "ROSA MARÍA"};
  const int64_t opened[] = {2, 1, 0};
  for (int i = 0; i < 3; i++) {
    int64_t run = contract_run(stand, "sync", 1);
    sheet_open(&sheet, stand);
    add_rows(&sheet, stand, sheet_record(&sheet, stand, "k1", names[i], RECORD_MAPPED), "k1", "female", names[i]);
    sheet_store(&sheet, stand, 1, run, &staged);
    assert_int_equal(staged.opened, opened[i]);
    sheet_close(&sheet);
  }
}

static void test_vanished_rows_close(void **state) {
  struct stand *stand = *state;
  struct sheet sheet;
  struct staged staged;
  contract_sources(stand);
  sheet_open(&sheet, stand);
  uint32_t at = sheet_record(&sheet, stand, "k1", "a", RECORD_MAPPED);
  add_rows(&sheet, stand, at, "p1", "female", "ROSA");
  add_rows(&sheet, stand, at, "p2", "male", "JOSÉ");
  sheet_store(&sheet, stand, 1, contract_run(stand, "sync", 1), &staged);
  assert_int_equal(staged.opened, 4);
  sheet_close(&sheet);
  sheet_open(&sheet, stand);
  add_rows(&sheet, stand, sheet_record(&sheet, stand, "k1", "b", RECORD_MAPPED), "p2", "male", "JOSÉ");
  sheet_store(&sheet, stand, 1, contract_run(stand, "sync", 1), &staged);
  assert_int_equal(staged.opened, 0);
  assert_int_equal(staged.closed, 2);
  assert_int_equal(staged.same, 2);
  sheet_close(&sheet);
}

static void test_deletion_and_return(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct sheet sheet;
  struct staged staged;
  struct record_state_found found;
  contract_sources(stand);
  sheet_open(&sheet, stand);
  add_rows(&sheet, stand, sheet_record(&sheet, stand, "k1", "a", RECORD_MAPPED), "k1", "female", "ROSA");
  sheet_store(&sheet, stand, 1, contract_run(stand, "sync", 1), &staged);
  int64_t record = sheet.records[0].raw_id >> 20, run = contract_run(stand, "sync", 1);
  MUST(store_begin(stand->store, &error));
  MUST(store_delete_records(stand->store, run, &record, 1, &error));
  MUST(store_commit(stand->store, &error));
  assert_int_equal(persons(stand, (struct row_filter){0}).count, 0);
  MUST(store_find_records(stand->store, 1, &sheet.records[0].key_digest, 1, &found, &error));
  assert_int_equal(found.record_id, record);
  assert_int_equal(found.raw_id, 0);
  sheet_store(&sheet, stand, 1, contract_run(stand, "sync", 1), &staged);
  assert_int_equal(sheet.records[0].raw_id, (record << 20) + 2);
  assert_int_equal(persons(stand, (struct row_filter){0}).count, 1);
  assert_int_equal(persons(stand, (struct row_filter){.history = true}).count, 2);
  sheet_close(&sheet);
}

static void test_sweep(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct sheet sheet;
  struct staged staged;
  contract_sources(stand);
  sheet_open(&sheet, stand);
  for (int i = 0; i < 5; i++) {
    char key[16];
    snprintf(key, sizeof key, "k%d", i);
    add_rows(&sheet, stand, sheet_record(&sheet, stand, key, "a", RECORD_MAPPED), key, "female", "ROSA");
  }
  sheet_store(&sheet, stand, 2, contract_run(stand, "sync", 2), &staged);
  int64_t seen[] = {sheet.records[0].record_id, sheet.records[3].record_id}, current = 0, unseen = 0, deleted = 0;
  MUST(store_begin(stand->store, &error));
  MUST(store_seen(stand->store, 2, seen, 2, &error));
  MUST(store_seen(stand->store, 2, seen, 1, &error));
  MUST(store_sweep_count(stand->store, 2, &current, &unseen, &error));
  assert_int_equal(current, 5);
  assert_int_equal(unseen, 3);
  MUST(store_sweep(stand->store, 2, contract_kinds[0] + 9, &deleted, &error));
  assert_int_equal(deleted, 3);
  MUST(store_sweep_count(stand->store, 2, &current, &unseen, &error));
  MUST(store_commit(stand->store, &error));
  assert_int_equal(current, 2);
  assert_int_equal(unseen, 2); /* the next pass has seen nothing yet */
  assert_int_equal(persons(stand, (struct row_filter){0}).count, 2);
  sheet_close(&sheet);
}

static void test_quarantine(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct sheet sheet;
  struct staged staged;
  contract_sources(stand);
  sheet_open(&sheet, stand);
  uint32_t at = sheet_record(&sheet, stand, "k1", "a", RECORD_QUARANTINED);
  batch_issue(&sheet.batch, at, ISSUE_ERROR, "person.birth_date", "date_unreadable");
  at = sheet_record(&sheet, stand, "k2", "a", RECORD_MAPPED);
  batch_issue(&sheet.batch, at, ISSUE_WARNING, "person.document_number", "dni_check");
  at = sheet_record(&sheet, stand, "k3", "a", RECORD_QUARANTINED);
  batch_issue(&sheet.batch, at, ISSUE_ERROR, "", "key_missing");
  sheet_store(&sheet, stand, 1, contract_run(stand, "sync", 1), &staged);
  TEXT_IS(view_text(stand, "quarantine", "reason", NULL, NULL), "date_unreadable,key_missing");
  TEXT_IS(view_text(stand, "quarantine", "shape", "field", ""), "99/Aa");
  assert_int_equal(view_count(stand, "issues", NULL, NULL), 3);
  int64_t run = contract_run(stand, "dismiss", 0);
  MUST(store_begin(stand->store, &error));
  MUST(store_dismiss(stand->store, sheet.records[2].raw_id, run, "a test of the source", &error));
  assert_int_equal(store_dismiss(stand->store, sheet.records[1].raw_id, run, "no", &error), ERR_NOT_FOUND);
  store_rollback(stand->store);
  MUST(store_begin(stand->store, &error));
  MUST(store_dismiss(stand->store, sheet.records[2].raw_id, run, "a test of the source", &error));
  MUST(store_commit(stand->store, &error));
  TEXT_IS(view_text(stand, "quarantine", "reason", NULL, NULL), "date_unreadable");
  TEXT_IS(view_text(stand, "issues", "closed_reason", "reason", "key_missing"), "a test of the source");
  TEXT_IS(view_text(stand, "records", "state", NULL, NULL), "quarantined,mapped,dismissed");
  sheet_close(&sheet);
}

/* Mapped again: equal issues stay as they are, others are closed and written anew. */
static void test_retry(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct sheet sheet;
  struct staged staged;
  contract_sources(stand);
  sheet_open(&sheet, stand);
  batch_issue(&sheet.batch, sheet_record(&sheet, stand, "k1", "a", RECORD_QUARANTINED), ISSUE_ERROR, "case.place",
              "code");
  sheet_store(&sheet, stand, 1, contract_run(stand, "sync", 1), &staged);
  for (int round = 0; round < 2; round++) {
    int64_t run = contract_run(stand, "retry", 1);
    struct staging staging = {.source_id = 1,
                              .run = run,
                              .plan_id = 2,
                              .institution = "PE/MP",
                              .records = sheet.records,
                              .count = 1,
                              .batch = &sheet.batch};
    if (round == 1) {
      enum record_state mapped = RECORD_MAPPED;
      sheet.batch.issue_count = 0;
      add_rows(&sheet, stand, 0, "k1", "female", "ROSA");
      MUST(store_begin(stand->store, &error));
      MUST(store_record_states(stand->store, run, 2, &sheet.records[0].raw_id, &mapped, 1, &error));
      MUST(store_commit(stand->store, &error));
    }
    MUST(store_begin(stand->store, &error));
    MUST(store_stage(stand->store, &staging, &staged, &error));
    MUST(store_commit(stand->store, &error));
    assert_int_equal(staged.opened, round == 0 ? 0 : 2);
    assert_int_equal(view_count(stand, "issues", NULL, NULL), 1);
    assert_int_equal(view_count(stand, "quarantine", NULL, NULL), round == 0 ? 1 : 0);
  }
  TEXT_IS(view_text(stand, "issues", "closed_reason", NULL, NULL), "mapped again");
  TEXT_IS(view_text(stand, "records", "plan_id", "state", "mapped"), "2");
  sheet_close(&sheet);
}

/* The text of a plan is kept once for its digest. */
static void test_plans(void **state) {
  struct stand *stand = *state;
  struct error error;
  const char *const folders[] = {"config/codelists"};
  struct codelists *lists = NULL;
  struct plan *plans[2] = {NULL, NULL};
  int64_t ids[3] = {0};
  contract_sources(stand);
  MUST(codelists_load(folders, 1, &lists, &error));
  for (int i = 0; i < 2; i++) {
    char path[300], text[96];
    snprintf(path, sizeof path, "%s/plan%d.yaml", stand->folder, i);
    snprintf(text, sizeof text, "source: alpha\nformat: json\ncase:\n  key: id%d\n", i);
    MUST(file_write(path, slice_of(text), 0600, &error));
    MUST(plan_load(path, stand->model, lists, &plans[i], NULL, &error));
  }
  MUST(store_begin(stand->store, &error));
  MUST(store_plan(stand->store, 1, plans[0], 1, &ids[0], &error));
  MUST(store_plan(stand->store, 1, plans[1], 2, &ids[1], &error));
  MUST(store_plan(stand->store, 1, plans[0], 3, &ids[2], &error));
  MUST(store_commit(stand->store, &error));
  assert_int_equal(ids[0], 1);
  assert_int_equal(ids[1], 2);
  assert_int_equal(ids[2], 1);
  char hex[2 * SHA256_SIZE + 1];
  struct sha256 digest = plan_digest(plans[1]);
  hex_format(digest.bytes, SHA256_SIZE, hex);
  TEXT_IS(view_text(stand, "plans", "digest", "plan_id", "2"), hex);
  TEXT_IS(view_text(stand, "plans", "run", NULL, NULL), "1,2");
  plan_free(plans[0]);
  plan_free(plans[1]);
  codelists_free(lists);
}

static void test_hostile_text(void **state) {
  struct stand *stand = *state;
  struct sheet sheet;
  struct staged staged;
  contract_sources(stand);
  sheet_open(&sheet, stand);
  uint32_t at = sheet_record(&sheet, stand, "k'1\"; --", "a", RECORD_MAPPED);
  struct cell *cells = batch_row(&sheet.batch, stand->model, "case", at, "k\xff", "", "");
  set_text(stand->model, "case", cells, "police_unit", "a\\.\tb\n'\"");
  set_text(stand->model, "case", cells, "prosecutor_office", "");
  *cells = (struct cell){.kind = CELL_TEXT, .len = 3, .text = "a\0b"};
  sheet_store(&sheet, stand, 1, contract_run(stand, "sync", 1), &staged);
  TEXT_IS(view_text(stand, "case_records", "police_unit", NULL, NULL), "a\\.\tb\n'\"");
  TEXT_IS(view_text(stand, "case_records", "prosecutor_office", NULL, NULL), "");
  TEXT_IS(view_text(stand, "case_records",
                    stand->model->entities[model_entity(stand->model, "case")->index].columns[0].name, NULL, NULL),
          "a\xef\xbf\xbd"
          "b");
  sheet_close(&sheet);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      EACH(test_sources),
      EACH(test_lease_is_fenced),
      EACH(test_memory),
      EACH(test_writing_needs_a_transaction),
      EACH(test_rollback_leaves_nothing),
      EACH(test_run_counts),
      EACH(test_landing_keeps_the_bytes),
      EACH(test_versions),
      EACH(test_changed_identity_is_a_new_row),
      EACH(test_vanished_rows_close),
      EACH(test_deletion_and_return),
      EACH(test_sweep),
      EACH(test_quarantine),
      EACH(test_retry),
      EACH(test_plans),
      EACH(test_hostile_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
