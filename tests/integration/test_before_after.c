/* Before and after in the log: what a person's act changed, as keyed digests that are made again here by other code,
 * that hold no value, and that a changed, removed or slipped-in decision does not fit; on both stores. */
#include "core/audit/audit.h"
#include "core/service/review.h"
#include "core/store/internal.h"
#include "tests/support/program.h"
#include "tests/support/terms.h"
#include "tests/support/workspace.h"

#include <jansson.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char NGO[] =
    "{\"key\":\"K1\",\"date\":\"2024-01-02\",\"doc\":\"45671234\",\"given\":\"YOVANITA\","
    "\"paternal\":\"ZUBIAURRE\",\"maternal\":\"QUISPE\",\"born\":\"2004-05-06\",\"sex\":\"F\"}\n"
    "{\"key\":\"K2\",\"date\":\"2024-02-02\",\"doc\":\"41112222\",\"given\":\"MARIA\","
    "\"paternal\":\"CCORIMANYA\",\"maternal\":\"HUILLCA\",\"born\":\"1999-08-07\",\"sex\":\"F\"}\n"
    "{\"key\":\"K3\",\"date\":\"2024-13-45\",\"doc\":\"41112223\",\"given\":\"ZOILA\","
    "\"paternal\":\"HANCCO\",\"maternal\":\"MAMANI\",\"born\":\"1999-08-07\",\"sex\":\"F\"}\n";

static void begin(struct terms_ground *ground, const char *schema) {
  terms_begin(ground, schema, NULL);
  char *mapping = program_read(ground->folder, "mappings/ngo.yaml"), text[4096];
  char *date = strstr(mapping, "reported_on: date\n");
  assert_non_null(date);
  snprintf(text, sizeof text, "%.*sreported_on: {from: date, date: \"%%Y-%%m-%%d\", else: quarantine}\n%s",
           (int)(date - mapping), mapping, date + strlen("reported_on: date\n"));
  program_write(ground->folder, "mappings/ngo.yaml", text);
  free(mapping);
  terms_page(ground, "ngo", "1", NGO);
  terms_run(ground, 0, "--quiet run");
}

static void open_store(const struct terms_ground *ground, struct workspace *workspace) {
  char path[512];
  struct error error;
  snprintf(path, sizeof path, "%s/puente.yaml", ground->folder);
  assert_int_equal(workspace_open(path, WORKSPACE_WRITE, workspace, &error), OK);
}

/* One statement by whoever can write to the store. */
static void change(const struct terms_ground *ground, const char *sql) {
  struct workspace workspace;
  struct error error;
  open_store(ground, &workspace);
  assert_int_equal(store_begin(workspace.store, &error), OK);
  assert_int_equal(db_execute(workspace.store, &error, sql, NULL, 0), OK);
  assert_int_equal(store_commit(workspace.store, &error), OK);
  workspace_close(&workspace);
}

static void rows_of(const struct terms_ground *ground, long long rows[2]) {
  char *text = workspace_rows(ground->folder, "SELECT row_id FROM members WHERE kind = 'person' ORDER BY row_id");
  assert_int_equal(sscanf(text, "%lld\n%lld\n", &rows[0], &rows[1]), 2);
  free(text);
}

static void decide(const struct terms_ground *ground, const char *verb, const char *reason) {
  long long rows[2];
  char line[256];
  rows_of(ground, rows);
  snprintf(line, sizeof line, "review %s %lld %lld --reason '%s'", verb, rows[0], rows[1], reason);
  terms_run(ground, 0, line);
}

/* The bodies of the entries of an event, oldest first. */
static json_t *bodies(const struct terms_ground *ground, const char *event) {
  char sql[160];
  snprintf(sql, sizeof sql, "SELECT body FROM audit WHERE event = '%s' ORDER BY sequence", event);
  char *text = workspace_rows(ground->folder, sql);
  json_t *list = json_array();
  for (char *at = text, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
    json_t *body = json_loadb(at, (size_t)(end - at), 0, NULL);
    assert_non_null(body);
    json_array_append_new(list, body);
  }
  static const char *const NEVER[] = {"YOVANITA", "ZUBIAURRE", "45671234", "K1", "K3", "HANCCO", NULL};
  for (size_t i = 0; NEVER[i] != NULL; i++) {
    assert_null(strstr(text, NEVER[i]));
  }
  free(text);
  return list;
}

/* ---- the digest, by docs/audit-log.md alone ---- */

struct form {
  unsigned char bytes[1024];
  size_t len;
};

static void add(struct form *form, const void *bytes, size_t len) {
  memcpy(form->bytes + form->len, bytes, len);
  form->len += len;
}

static void add_number(struct form *form, long long number, int bytes) {
  for (int i = bytes - 1; i >= 0; i--) {
    unsigned char byte = (unsigned char)((unsigned long long)number >> (8 * i));
    add(form, &byte, 1);
  }
}

static void add_text(struct form *form, const char *text) {
  add_number(form, (long long)strlen(text), 4);
  add(form, text, strlen(text));
}

static const char *digest(const struct form *form) {
  static char text[2][33];
  static int turn;
  static const char key[] = "0123456789abcdefghijklmnopqrstuv"; /* workspace_key */
  unsigned char subkey[32], out[16];
  turn = 1 - turn;
  crypto_generichash_blake2b(subkey, sizeof subkey, (const unsigned char *)"audit/state", 11,
                             (const unsigned char *)key, 32);
  crypto_generichash_blake2b(out, sizeof out, form->bytes, form->len, subkey, sizeof subkey);
  sodium_bin2hex(text[turn], 33, out, sizeof out);
  return text[turn];
}

/* Decision `id` as the store has it, in the form of the log. */
static const char *decision_digest(const struct terms_ground *ground, int id, const char *reason) {
  struct form form = {.len = 0};
  char sql[256];
  long long of[10];
  snprintf(sql, sizeof sql,
           "SELECT decision_id, kind, record_a, record_b, same, state, at, run, approved_at, revoked_at "
           "FROM link_decision WHERE decision_id = %d",
           id);
  struct workspace workspace;
  struct cursor *cursor;
  struct error error;
  open_store(ground, &workspace);
  assert_int_equal(db_query(workspace.store, &error, &cursor, sql, NULL, 0), OK);
  assert_int_equal(workspace.store->ops->next(cursor, &error), OK);
  add(&form, "puente/state/1\n", 15);
  for (int i = 0; i < 10; i++) {
    of[i] = int_of_value(workspace.store->ops->value(cursor, i));
    add_number(&form, of[i], 8);
  }
  workspace.store->ops->finish(cursor);
  workspace_close(&workspace);
  add_text(&form, "tester");
  add_text(&form, reason);
  add_number(&form, 0xffffffff, 4);
  return digest(&form);
}

static const char *told(const json_t *list, size_t entry, const char *side, size_t at, int id) {
  const json_t *pair = json_array_get(json_object_get(json_array_get(list, entry), side), at);
  assert_int_equal(json_integer_value(json_array_get(pair, 0)), id);
  return json_string_value(json_array_get(pair, 1));
}

/* The first thing that `audit verify --records` finds; NULL: nothing. */
static void verify(const struct terms_ground *ground, const char *what, const char *place) {
  struct said said = program_run(ground->folder, "audit verify --records");
  bool found = what != NULL && strstr(said.err, what) != NULL && strstr(said.err, place) != NULL;
  if (what == NULL ? said.code != 0 : said.code != 1 || !found) {
    fail_msg("%d\n%s%s", said.code, said.out, said.err);
  }
}

/* ---- decisions ---- */

static void decisions(const char *schema) {
  struct terms_ground ground;
  int code = 0;
  begin(&ground, schema);
  decide(&ground, "accept", "the same mother");
  decide(&ground, "reject", "two mothers");
  json_t *list = bodies(&ground, "review");
  assert_int_equal(json_array_size(list), 2);
  assert_int_equal(json_array_size(json_object_get(json_array_get(list, 0), "before")), 0);
  assert_int_equal(json_array_size(json_object_get(json_array_get(list, 1), "before")), 1);
  assert_int_equal(json_array_size(json_object_get(json_array_get(list, 1), "after")), 2);
  /* The first was revoked by the second: what it was is what it had become. */
  assert_string_equal(told(list, 1, "before", 0, 1), told(list, 0, "after", 0, 1));
  assert_string_not_equal(told(list, 1, "after", 0, 1), told(list, 0, "after", 0, 1));
  assert_string_equal(told(list, 1, "after", 0, 1), decision_digest(&ground, 1, "the same mother"));
  assert_string_equal(told(list, 1, "after", 1, 2), decision_digest(&ground, 2, "two mothers"));
  json_decref(list);
  verify(&ground, NULL, NULL);
  terms_run(&ground, 0, "--quiet audit export log.jsonl");
  char *said = shell_output(&code, "%s/audit-verify %s/log.jsonl", build_folder(), ground.folder);
  assert_int_equal(code, 0);
  assert_non_null(strstr(said, "audit ok: entries="));
  free(said);
  /* Whoever writes to the table is found. */
  change(&ground, "UPDATE link_decision SET same = 1 WHERE decision_id = 2");
  verify(&ground, "it is not what entry ", "at: decision 2 about a pair\n");
  change(&ground, "UPDATE link_decision SET same = 0 WHERE decision_id = 2");
  change(&ground, "UPDATE link_decision SET actor = 'luis' WHERE decision_id = 1");
  verify(&ground, "it is not what entry ", "at: decision 1 about a pair\n");
  change(&ground, "UPDATE link_decision SET actor = 'tester' WHERE decision_id = 1");
  verify(&ground, NULL, NULL);
  change(&ground,
         "INSERT INTO link_decision (decision_id, kind, record_a, key_a, record_b, key_b, same, state, actor, "
         "at, run, reason) SELECT 9, kind, record_a, key_a, record_b, key_b, 1, 1, actor, at, run, reason FROM "
         "link_decision WHERE decision_id = 2");
  verify(&ground, "no entry of the log covers it", "at: decision 9 about a pair\n");
  change(&ground, "DELETE FROM link_decision WHERE decision_id = 9");
  /* A decision that was changed in between, and decided about again, is found in the log. */
  change(&ground, "UPDATE link_decision SET reason = 'other' WHERE decision_id = 2");
  decide(&ground, "accept", "again");
  verify(&ground, "it found decision 2 changed since the entry before", "at: entry ");
  terms_end(&ground);
}

/* An entry of before this was told counts as it did; what is gone is noticed all the same. */
static void entries_of_before(void **state) {
  struct terms_ground ground;
  struct workspace workspace;
  struct review_decision made;
  struct error error;
  long long rows[2];
  (void)state;
  begin(&ground, NULL);
  rows_of(&ground, rows);
  open_store(&ground, &workspace);
  struct decide old = {.row_a = rows[0], .row_b = rows[1], .approvals = 1, .actor = "tester", .reason = "seen"};
  const struct audit_event event = {
      .event = "review", .actor = "tester", .purpose = "seen", .body = "{\"decision\":1,\"kind\":\"person\"}"};
  assert_int_equal(store_begin(workspace.store, &error), OK);
  assert_int_equal(store_decide(workspace.store, CLUSTER_PERSON, &old, &made, &error), OK);
  assert_int_equal(made.id, 1);
  assert_int_equal(audit_append(workspace.store, &event, &error), OK);
  assert_int_equal(store_commit(workspace.store, &error), OK);
  workspace_close(&workspace);
  verify(&ground, NULL, NULL);
  change(&ground, "UPDATE link_decision SET reason = 'unseen' WHERE decision_id = 1");
  verify(&ground, NULL, NULL); /* nothing was told of it */
  decide(&ground, "accept", "now");
  verify(&ground, NULL, NULL);
  change(&ground, "UPDATE link_decision SET reason = 'seen' WHERE decision_id = 1");
  verify(&ground, "it is not what entry ", "at: decision 1 about a pair\n");
  change(&ground, "DELETE FROM link_decision WHERE decision_id = 1");
  verify(&ground, "decision 1 is not in the store any more", "at: entry ");
  terms_end(&ground);
}

/* ---- versions ---- */

static const char *version_digest(const struct terms_ground *ground, const char *where) {
  struct form form = {.len = 0};
  char sql[256];
  struct workspace workspace;
  struct cursor *cursor;
  struct error error;
  snprintf(sql, sizeof sql,
           "SELECT raw_id, chunk_length, state, plan_id, key_digest, digest FROM raw_record WHERE %s ORDER BY raw_id",
           where);
  open_store(ground, &workspace);
  assert_int_equal(db_query(workspace.store, &error, &cursor, sql, NULL, 0), OK);
  add(&form, "puente/state/1\n", 15);
  while (workspace.store->ops->next(cursor, &error) == OK) {
    for (int i = 0; i < 6; i++) {
      struct value value = workspace.store->ops->value(cursor, i);
      if (i < 4) {
        add_number(&form, int_of_value(value), 8);
      } else {
        struct slice bytes = slice_of_value(value);
        add(&form, bytes.data, bytes.len);
      }
    }
  }
  workspace.store->ops->finish(cursor);
  workspace_close(&workspace);
  return digest(&form);
}

static const char *side(const json_t *list, const char *name) {
  return json_string_value(json_object_get(json_array_get(list, 0), name));
}

static void versions(const char *schema) {
  struct terms_ground ground;
  char where[64], *before;
  begin(&ground, schema);
  before = strdup(version_digest(&ground, "state = 1"));
  terms_run(&ground, 0, "quarantine dismiss ngo:K3 --reason 'typed wrong'");
  json_t *list = bodies(&ground, "dismiss");
  long long raw_id = json_integer_value(json_array_get(json_object_get(json_array_get(list, 0), "raw_ids"), 0));
  snprintf(where, sizeof where, "raw_id = %lld", raw_id);
  assert_string_equal(side(list, "before"), before);
  assert_string_equal(side(list, "after"), version_digest(&ground, where));
  assert_string_not_equal(side(list, "after"), before);
  json_decref(list);
  free(before);
  decide(&ground, "reject", "two mothers");
  terms_run(&ground, 0, "erase ngo:K1 --reason asked --document 7");
  list = bodies(&ground, "erase");
  long long record = json_integer_value(json_array_get(json_object_get(json_array_get(list, 0), "records"), 0));
  snprintf(where, sizeof where, "raw_id / 1048576 = %lld", record);
  assert_string_equal(side(list, "after"), version_digest(&ground, where));
  assert_string_not_equal(side(list, "after"), side(list, "before"));
  json_decref(list);
  verify(&ground, NULL, NULL); /* the decision about it stands, without the key's text */
  terms_end(&ground);
}

static void decisions_sqlite(void **state) {
  (void)state;
  decisions(NULL);
}

static void decisions_postgres(void **state) {
  (void)state;
  decisions("before_after");
}

static void versions_sqlite(void **state) {
  (void)state;
  versions(NULL);
}

static void versions_postgres(void **state) {
  (void)state;
  versions("before_after_versions");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(decisions_sqlite), cmocka_unit_test(decisions_postgres),
                                     cmocka_unit_test(entries_of_before), cmocka_unit_test(versions_sqlite),
                                     cmocka_unit_test(versions_postgres)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
