/* What linkage keeps in a store: pairs, decisions, blocking keys, models, and rows by list; on SQLite and PostgreSQL.
 */
#include "core/store/approval.h"
#include "tests/support/contract.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PERSONS = 4 };

/* Four records of alpha with a person each; `rows` are the persons' staged rows. */
static void fill(struct stand *stand, const char *version, int64_t rows[PERSONS]) {
  struct sheet sheet;
  struct staged staged;
  const struct entity *person = model_entity(stand->model, "person");
  contract_sources(stand);
  sheet_open(&sheet, stand);
  for (int i = 0; i < PERSONS; i++) {
    char key[16];
    snprintf(key, sizeof key, "k%d", i + 1);
    uint32_t at = sheet_record(&sheet, stand, key, version, RECORD_MAPPED);
    struct cell *cells = batch_row(&sheet.batch, stand->model, "person", at, key, key, "");
    set_text(stand->model, "person", cells, "given_names", version);
    set_text(stand->model, "person", cells, "sex", "female");
  }
  sheet_store(&sheet, stand, 1, contract_run(stand, "sync", 1), &staged);
  assert_int_equal(staged.opened, PERSONS);
  for (int i = 0; i < PERSONS; i++) {
    /* Row ids by the arithmetic of the head of store.h; the version of a row is the last part. */
    rows[i] = (sheet.records[i].record_id << 20) + ((int64_t)person->index << 16) + (sheet.records[i].raw_id & 0xfffff);
  }
  sheet_close(&sheet);
}

static void replace(struct stand *stand, int64_t run, const int64_t *rows, size_t row_count,
                    const struct link_pair_row *pairs, size_t count) {
  struct error error;
  struct some_pairs given = {pairs, count};
  MUST(store_begin(stand->store, &error));
  MUST(store_replace_pairs(stand->store, CLUSTER_PERSON, run, rows, row_count, contract_pair, &given, &error));
  MUST(store_commit(stand->store, &error));
}

static struct link_pair_row waiting(int64_t a, int64_t b, double weight) {
  return (struct link_pair_row){
      .row_a = a, .row_b = b, .weight = weight, .rule = "surname", .outcome = PAIR_WAITING, .reason = "weight"};
}

/* ---- pairs ---- */

static enum status see_pair(void *context, const struct link_pair_row *pair, struct error *error) {
  struct buffer *text = context;
  (void)error;
  buffer_printf(text, "%" PRId64 "-%" PRId64 " %g %s/%s/%s %d since %" PRId64 "\n", record_of(pair->row_a) & 0xff,
                record_of(pair->row_b) & 0xff, pair->weight, pair->rule == NULL ? "-" : pair->rule,
                pair->verdict == NULL ? "-" : pair->verdict, pair->reason, pair->outcome, pair->since);
  return OK;
}

static char *pairs_text(struct stand *stand, const int64_t *rows, size_t count) {
  struct error error;
  struct buffer text;
  buffer_init(&text, 1 << 16);
  buffer_text(&text, "");
  MUST(store_visit_pairs(stand->store, CLUSTER_PERSON, rows, count, see_pair, &text, &error));
  return text.data;
}

static void test_pairs(void **state) {
  struct stand *stand = *state;
  int64_t rows[PERSONS];
  fill(stand, "a", rows);
  int64_t first = contract_run(stand, "link", 0);
  const struct link_pair_row all[] = {
      {rows[0], rows[1], 12.5, "surname", "documents agree", PAIR_JOINED, "rule", 0},
      waiting(rows[0], rows[2], 4.25),
      {rows[1], rows[3], 7, NULL, NULL, PAIR_APART, "group", 0},
      waiting(rows[2], rows[3], 3.5),
  };
  replace(stand, first, NULL, 0, all, 4);
  TEXT_IS(pairs_text(stand, NULL, 0), "1-2 12.5 surname/documents agree/rule 0 since 0\n"
                                      "1-3 4.25 surname/-/weight 1 since 2\n"
                                      "2-4 7 -/-/group 2 since 0\n"
                                      "3-4 3.5 surname/-/weight 1 since 2\n");
  /* From either side, and once where both sides are asked for. */
  const int64_t asked[] = {rows[3], rows[2]};
  char *found = pairs_text(stand, asked, 2);
  assert_non_null(strstr(found, "1-3 4.25"));
  assert_non_null(strstr(found, "2-4 7"));
  assert_non_null(strstr(found, "3-4 3.5"));
  assert_int_equal(strlen(found), strlen("1-3 4.25 surname/-/weight 1 since 2\n2-4 7 -/-/group 2 since 0\n"
                                         "3-4 3.5 surname/-/weight 1 since 2\n"));
  free(found);
  TEXT_IS(query_text(stand, "SELECT kind, weight, rule, outcome, reason FROM pairs WHERE verdict IS NOT NULL"),
          "person|12.5|surname|joined|rule");
}

/* Only pairs of the rows given make way; one that goes on waiting keeps the run since which it does. */
static void test_pairs_of_some_rows(void **state) {
  struct stand *stand = *state;
  int64_t rows[PERSONS];
  fill(stand, "a", rows);
  int64_t first = contract_run(stand, "link", 0);
  const struct link_pair_row all[] = {waiting(rows[0], rows[1], 5), waiting(rows[0], rows[2], 4),
                                      waiting(rows[1], rows[2], 3), waiting(rows[2], rows[3], 2)};
  replace(stand, first, NULL, 0, all, 4);
  int64_t second = contract_run(stand, "link", 0);
  assert_int_equal(second, first + 1);
  const struct link_pair_row some[] = {waiting(rows[0], rows[2], 4.5), waiting(rows[1], rows[3], 6),
                                       waiting(rows[2], rows[3], 2)};
  const int64_t touched[] = {rows[3], rows[2]};
  replace(stand, second, touched, 2, some, 3);
  TEXT_IS(pairs_text(stand, NULL, 0), "1-2 5 surname/-/weight 1 since 2\n"
                                      "1-3 4.5 surname/-/weight 1 since 2\n"
                                      "2-4 6 surname/-/weight 1 since 3\n"
                                      "3-4 2 surname/-/weight 1 since 2\n");
  TEXT_IS(query_text(stand, "SELECT DISTINCT run FROM pairs ORDER BY run"), "2;3");
  replace(stand, second, rows, PERSONS, NULL, 0);
  TEXT_IS(pairs_text(stand, NULL, 0), "");
}

/* ---- decisions ---- */

static enum status see_decision(void *context, const struct review_decision *decision, struct error *error) {
  static const char *const states[] = {"proposed", "standing", "revoked"};
  struct buffer *text = context;
  (void)error;
  assert_true(decision->at > 0);
  assert_int_equal(decision->revoked_at > 0, decision->state == DECISION_REVOKED);
  assert_int_equal(decision->approved_at > 0, decision->approved_by != NULL);
  buffer_printf(text, "%" PRId64 " %.*s %.*s %s %s by %s: %s, approved by %s\n", decision->id,
                SLICE_ARG(decision->key_a), SLICE_ARG(decision->key_b), decision->same ? "same" : "different",
                states[decision->state], decision->actor, decision->reason,
                decision->approved_by == NULL ? "-" : decision->approved_by);
  return OK;
}

static char *decisions_text(struct stand *stand, int64_t row_a, int64_t row_b) {
  struct error error;
  struct buffer text;
  buffer_init(&text, 1 << 16);
  buffer_text(&text, "");
  if (row_a == 0) {
    MUST(store_visit_decisions(stand->store, CLUSTER_PERSON, see_decision, &text, &error));
  } else {
    MUST(store_pair_decisions(stand->store, CLUSTER_PERSON, row_a, row_b, see_decision, &text, &error));
  }
  return text.data;
}

/* "" or the message of the refusal. */
static const char *decide(struct stand *stand, int64_t row_a, int64_t row_b, bool same, const char *actor,
                          int approvals) {
  static struct error error;
  struct review_decision made;
  struct decide decide = {
      .row_a = row_a, .row_b = row_b, .same = same, .approvals = approvals, .run = 3, .actor = actor, .reason = "seen"};
  MUST(store_begin(stand->store, &error));
  enum status status = store_decide(stand->store, CLUSTER_PERSON, &decide, &made, &error);
  if (status != OK) {
    store_rollback(stand->store);
    assert_true(error.hint[0] != '\0');
    return error.message;
  }
  MUST(store_commit(stand->store, &error));
  return "";
}

static void test_decisions(void **state) {
  struct stand *stand = *state;
  int64_t rows[PERSONS], later[PERSONS];
  fill(stand, "a", rows);
  assert_string_equal(decide(stand, rows[1], rows[0], false, "ana", 1), "");
  TEXT_IS(decisions_text(stand, 0, 0), "1 k1 k2 different standing by ana: seen, approved by -\n");
  assert_string_equal(decide(stand, rows[0], rows[1], false, "luis", 1),
                      "it is decided already that the two are different");
  /* It outlives the versions of its rows, and a newer one revokes it. */
  fill(stand, "b", later);
  assert_int_not_equal(rows[0], later[0]);
  TEXT_IS(decisions_text(stand, later[0], later[1]), "1 k1 k2 different standing by ana: seen, approved by -\n");
  assert_string_equal(decide(stand, later[0], later[1], true, "luis", 1), "");
  TEXT_IS(decisions_text(stand, 0, 0), "2 k1 k2 same standing by luis: seen, approved by -\n");
  TEXT_IS(decisions_text(stand, rows[0], later[1]), "1 k1 k2 different revoked by ana: seen, approved by -\n"
                                                    "2 k1 k2 same standing by luis: seen, approved by -\n");
  assert_string_equal(decide(stand, later[0], later[1], true, "ana", 1), "it is decided already that the two are one");
  TEXT_IS(decisions_text(stand, rows[0], rows[2]), "");
  assert_string_equal(decide(stand, rows[0], later[0], true, "ana", 1), "these two rows are one record of the source");
  assert_string_equal(decide(stand, rows[0], 77, true, "ana", 1), "there is no row 77 of a person");
  TEXT_IS(query_text(stand, "SELECT decision, state, actor, approved_by FROM decisions ORDER BY decision_id"),
          "different|revoked|ana|null;same|standing|luis|null");
}

/* Where two have to agree, the former decision stands until they do. */
static void test_second_person(void **state) {
  struct stand *stand = *state;
  int64_t rows[PERSONS];
  fill(stand, "a", rows);
  assert_string_equal(decide(stand, rows[0], rows[1], false, "ana", 1), "");
  assert_string_equal(decide(stand, rows[0], rows[1], true, "ana", 2), "");
  TEXT_IS(decisions_text(stand, 0, 0), "1 k1 k2 different standing by ana: seen, approved by -\n");
  assert_string_equal(decide(stand, rows[0], rows[1], true, "ana", 2),
                      "you proposed this yourself: a second person has to approve it");
  assert_string_equal(decide(stand, rows[0], rows[1], true, "luis", 2), "");
  TEXT_IS(decisions_text(stand, rows[0], rows[1]), "1 k1 k2 different revoked by ana: seen, approved by -\n"
                                                   "2 k1 k2 same standing by ana: seen, approved by luis\n");
  /* A rejection ends a proposal, of whatever stands before it. */
  assert_string_equal(decide(stand, rows[2], rows[3], true, "ana", 2), "");
  assert_string_equal(decide(stand, rows[2], rows[3], false, "eva", 1), "");
  assert_string_equal(decide(stand, rows[2], rows[3], true, "ana", 2), "");
  assert_string_equal(decide(stand, rows[2], rows[3], false, "eva", 1), "");
  TEXT_IS(decisions_text(stand, rows[2], rows[3]), "3 k3 k4 same revoked by ana: seen, approved by -\n"
                                                   "4 k3 k4 different revoked by eva: seen, approved by -\n"
                                                   "5 k3 k4 same revoked by ana: seen, approved by -\n"
                                                   "6 k3 k4 different standing by eva: seen, approved by -\n");
}

static enum status see_waiting(void *context, const struct waiting_pair *pair, struct error *error) {
  struct buffer *text = context;
  (void)error;
  assert_true(pair->since > 0);
  assert_string_equal(pair->pair.rule, "surname");
  buffer_printf(text, "%.*s %.*s %g%s\n", SLICE_ARG(pair->key_a), SLICE_ARG(pair->key_b), pair->pair.weight,
                pair->proposed ? " proposed" : "");
  return OK;
}

static char *waiting_text(struct stand *stand, int64_t most) {
  struct error error;
  struct buffer text;
  buffer_init(&text, 1 << 16);
  buffer_text(&text, "");
  MUST(store_visit_waiting(stand->store, CLUSTER_PERSON, most, see_waiting, &text, &error));
  return text.data;
}

static void test_waiting(void **state) {
  struct stand *stand = *state;
  struct error error;
  int64_t rows[PERSONS], left = 0, decided = 0;
  fill(stand, "a", rows);
  const struct link_pair_row all[] = {
      waiting(rows[0], rows[1], 3.5),
      waiting(rows[0], rows[2], 6),
      {rows[0], rows[3], 9, "surname", NULL, PAIR_JOINED, "weight", 0},
      waiting(rows[1], rows[3], 5),
  };
  replace(stand, contract_run(stand, "link", 0), NULL, 0, all, 4);
  TEXT_IS(waiting_text(stand, 0), "k1 k3 6\nk2 k4 5\nk1 k2 3.5\n");
  TEXT_IS(waiting_text(stand, 1), "k1 k3 6\n");
  assert_string_equal(decide(stand, rows[0], rows[2], false, "ana", 1), "");
  assert_string_equal(decide(stand, rows[1], rows[3], true, "ana", 2), "");
  TEXT_IS(waiting_text(stand, 0), "k2 k4 5 proposed\nk1 k2 3.5\n");
  MUST(store_count_waiting(stand->store, CLUSTER_PERSON, &left, &decided, &error));
  assert_int_equal(left, 2);
  assert_int_equal(decided, 1);
  MUST(store_count_waiting(stand->store, CLUSTER_CASE, &left, &decided, &error));
  assert_int_equal(left, 0);
}

/* ---- keys ---- */

static enum status see_key(void *context, const struct link_key *key, struct error *error) {
  struct buffer *text = context;
  (void)error;
  buffer_printf(text, "%" PRIx64 ":%" PRId64 " ", key->key, key->row_id);
  return OK;
}

static char *keys_text(struct stand *stand, enum cluster_kind kind, const uint64_t *keys, size_t count) {
  struct error error;
  struct buffer text;
  buffer_init(&text, 1 << 16);
  buffer_text(&text, "");
  MUST(store_visit_keys(stand->store, kind, keys, count, see_key, &text, &error));
  return text.data;
}

static void write_keys(struct stand *stand, const int64_t *rows, size_t row_count, struct link_key *keys,
                       size_t count) {
  struct error error;
  MUST(store_begin(stand->store, &error));
  MUST(store_replace_keys(stand->store, CLUSTER_PERSON, rows, row_count, keys, count, &error));
  MUST(store_commit(stand->store, &error));
}

static void test_keys(void **state) {
  struct stand *stand = *state;
  struct link_key all[] = {{7, 20}, {UINT64_MAX, 10}, {UINT64_C(1) << 63, 10}, {7, 10}, {7, 20}, {9, 30}};
  write_keys(stand, NULL, 0, all, 6);
  const uint64_t one[] = {7}, high[] = {UINT64_C(1) << 63}, last[] = {UINT64_MAX}, none[] = {8, 6, 0};
  char *found = keys_text(stand, CLUSTER_PERSON, one, 1);
  assert_true(strcmp(found, "7:10 7:20 ") == 0 || strcmp(found, "7:20 7:10 ") == 0);
  free(found);
  TEXT_IS(keys_text(stand, CLUSTER_PERSON, high, 1), "8000000000000000:10 ");
  TEXT_IS(keys_text(stand, CLUSTER_PERSON, last, 1), "ffffffffffffffff:10 ");
  TEXT_IS(keys_text(stand, CLUSTER_PERSON, none, 3), "");
  TEXT_IS(keys_text(stand, CLUSTER_CASE, one, 1), "");
  /* Rows that are no more lose their keys, others get new ones. */
  const int64_t rows[] = {10, 30};
  struct link_key some[] = {{8, 30}};
  write_keys(stand, rows, 2, some, 1);
  TEXT_IS(keys_text(stand, CLUSTER_PERSON, one, 1), "7:20 ");
  TEXT_IS(keys_text(stand, CLUSTER_PERSON, none, 3), "8:30 ");
  TEXT_IS(keys_text(stand, CLUSTER_PERSON, last, 1), "");
  write_keys(stand, NULL, 0, some, 1);
  TEXT_IS(keys_text(stand, CLUSTER_PERSON, one, 1), "");
  write_keys(stand, rows, 2, NULL, 0);
  TEXT_IS(keys_text(stand, CLUSTER_PERSON, none, 3), "");
}

/* ---- models ---- */

static void test_models(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct buffer text;
  struct link_model_kept kept;
  buffer_init(&text, 4096);
  assert_int_equal(store_model(stand->store, CLUSTER_PERSON, &text, NULL, &error), ERR_NOT_FOUND);
  assert_string_equal(error.message, "no linking has left a model yet");
  const char *const models[] = {"{\"lambda\":0.5}", "{\"lambda\":0.25}", "{\"lambda\":0.25}"};
  for (int i = 0; i < 3; i++) {
    MUST(store_begin(stand->store, &error));
    MUST(store_write_model(stand->store, CLUSTER_PERSON, i + 1, slice_of(models[i]), &error));
    MUST(store_commit(stand->store, &error));
  }
  MUST(store_model(stand->store, CLUSTER_PERSON, &text, &kept, &error));
  assert_string_equal(text.data, models[1]);
  assert_int_equal(kept.id, 2);
  assert_int_equal(kept.run, 2); /* the same text again is the same model */
  assert_true(kept.trained_at > 0);
  struct sha256 digest = sha256_of(slice_of(models[1]));
  assert_memory_equal(&kept.digest, &digest, sizeof digest);
  assert_int_equal(store_model(stand->store, CLUSTER_CASE, &text, NULL, &error), ERR_NOT_FOUND);
  /* One that is kept aside acts only once it is made to. */
  struct sha256 aside = sha256_of(slice_of("{\"lambda\":0.125}"));
  MUST(store_begin(stand->store, &error));
  MUST(store_keep_model(stand->store, CLUSTER_PERSON, 4, slice_of("{\"lambda\":0.125}"), &error));
  MUST(store_commit(stand->store, &error));
  buffer_reset(&text);
  MUST(store_model(stand->store, CLUSTER_PERSON, &text, &kept, &error));
  assert_int_equal(kept.id, 2);
  buffer_reset(&text);
  MUST(store_model_of(stand->store, CLUSTER_PERSON, NULL, &text, &kept, &error));
  assert_string_equal(text.data, "{\"lambda\":0.125}");
  assert_int_equal(kept.id, 3);
  assert_int_equal(store_model_of(stand->store, CLUSTER_CASE, &aside, &text, NULL, &error), ERR_NOT_FOUND);
  MUST(store_begin(stand->store, &error));
  assert_int_equal(store_activate_model(stand->store, CLUSTER_CASE, &aside, &error), ERR_NOT_FOUND);
  MUST(store_activate_model(stand->store, CLUSTER_PERSON, &aside, &error));
  MUST(store_commit(stand->store, &error));
  MUST(store_model(stand->store, CLUSTER_PERSON, &text, &kept, &error));
  assert_int_equal(kept.id, 3);
  buffer_reset(&text);
  MUST(store_model_of(stand->store, CLUSTER_PERSON, &digest, &text, &kept, &error));
  assert_string_equal(text.data, models[1]);
  buffer_free(&text);
}

/* ---- rows by list ---- */

static enum status see_row(void *context, const struct row *row, struct error *error) {
  struct buffer *text = context;
  (void)error;
  buffer_printf(text, "%.*s ", SLICE_ARG(row->key));
  return OK;
}

static char *rows_text(struct stand *stand, struct row_filter filter) {
  struct error error;
  struct buffer text;
  buffer_init(&text, 1 << 16);
  buffer_text(&text, "");
  MUST(store_visit_rows(stand->store, model_entity(stand->model, "person"), &filter, see_row, &text, &error));
  return text.data;
}

static void test_rows_by_list(void **state) {
  struct stand *stand = *state;
  int64_t former[PERSONS], rows[PERSONS];
  fill(stand, "a", former);
  fill(stand, "b", rows);
  const int64_t mixed[] = {rows[3], former[1], rows[0], 5};
  const int64_t records[] = {record_of(rows[2]), record_of(rows[1]), 5};
  TEXT_IS(rows_text(stand, (struct row_filter){.rows = mixed, .count = 4}), "k1 k4 ");
  TEXT_IS(rows_text(stand, (struct row_filter){.rows = mixed, .count = 4, .history = true, .identity = true}),
          "k1 k2 k4 ");
  TEXT_IS(rows_text(stand, (struct row_filter){.rows = mixed, .count = 4, .as_of_run = 1}), "k2 ");
  TEXT_IS(rows_text(stand, (struct row_filter){.rows = mixed, .count = 0}), "");
  TEXT_IS(rows_text(stand, (struct row_filter){.records = records, .count = 3}), "k2 k3 ");
  TEXT_IS(rows_text(stand, (struct row_filter){.records = records, .count = 3, .history = true}), "k2 k2 k3 k3 ");
}

/* What a linking has not seen yet: rows that came, and rows that went. */
static void test_rows_after_a_run(void **state) {
  struct stand *stand = *state;
  int64_t rows[PERSONS];
  fill(stand, "a", rows);
  TEXT_IS(rows_text(stand, (struct row_filter){.after_run = 1}), "");
  struct error error;
  const int64_t gone = record_of(rows[1]);
  int64_t run = contract_run(stand, "sync", 1);
  MUST(store_begin(stand->store, &error));
  MUST(store_delete_records(stand->store, run, &gone, 1, &error));
  MUST(store_commit(stand->store, &error));
  TEXT_IS(rows_text(stand, (struct row_filter){.after_run = 1}), "k2 ");
  fill(stand, "b", rows); /* k2 comes back; the others have a former version each */
  TEXT_IS(rows_text(stand, (struct row_filter){.after_run = run}), "k1 k1 k2 k3 k3 k4 k4 ");
  TEXT_IS(rows_text(stand, (struct row_filter){.after_run = run + 1, .identity = true}), "");
}

static enum status see_row_id(void *context, int64_t row_id, struct error *error) {
  struct buffer *text = context;
  (void)error;
  buffer_printf(text, "%" PRId64 " ", record_of(row_id) & 0xff);
  return OK;
}

static void replace_unlinkable(struct stand *stand, const int64_t *rows, size_t row_count, const int64_t *unlinkable,
                               size_t count) {
  struct error error;
  MUST(store_begin(stand->store, &error));
  MUST(store_replace_unlinkable(stand->store, CLUSTER_PERSON, rows, row_count, unlinkable, count, &error));
  MUST(store_commit(stand->store, &error));
}

static char *unlinkable_text(struct stand *stand, enum cluster_kind kind) {
  struct error error;
  struct buffer text;
  buffer_init(&text, 1 << 16);
  buffer_text(&text, "");
  MUST(store_visit_unlinkable(stand->store, kind, see_row_id, &text, &error));
  return text.data;
}

/* Those of some rows make way alone. */
static void test_unlinkable(void **state) {
  struct stand *stand = *state;
  int64_t rows[PERSONS];
  fill(stand, "a", rows);
  const int64_t first[] = {rows[3], rows[0], rows[1]};
  replace_unlinkable(stand, NULL, 0, first, 3);
  TEXT_IS(unlinkable_text(stand, CLUSTER_PERSON), "1 2 4 ");
  TEXT_IS(unlinkable_text(stand, CLUSTER_CASE), "");
  const int64_t touched[] = {rows[0], rows[1], rows[2]};
  replace_unlinkable(stand, touched, 3, &rows[2], 1);
  TEXT_IS(unlinkable_text(stand, CLUSTER_PERSON), "3 4 ");
  TEXT_IS(query_text(stand, "SELECT DISTINCT kind, source FROM unlinkable"), "person|alpha");
  replace_unlinkable(stand, NULL, 0, NULL, 0);
  TEXT_IS(unlinkable_text(stand, CLUSTER_PERSON), "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      EACH(test_pairs),      EACH(test_pairs_of_some_rows),
      EACH(test_decisions),  EACH(test_second_person),
      EACH(test_waiting),    EACH(test_keys),
      EACH(test_models),     EACH(test_rows_by_list),
      EACH(test_unlinkable), EACH(test_rows_after_a_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
