/* The log finds what was changed, removed, reordered or cut; the tree is RFC 6962's. */
#include "core/audit/audit.h"

#include "tests/support/contract.h"

#include <stdio.h>
#include <stdlib.h>

static void write_entries(struct stand *stand, int count) {
  struct error error;
  for (int i = 0; i < count; i++) {
    struct audit_event event = {.event = "land", .source = i % 2 == 0 ? "alpha" : NULL, .actor = "tester", .run = i};
    MUST(store_begin(stand->store, &error));
    MUST(audit_append(stand->store, &event, &error));
    MUST(store_commit(stand->store, &error));
  }
}

static struct audit_check verify(struct stand *stand) {
  struct audit_check check;
  struct error error;
  MUST(audit_verify(stand->store, &check, &error));
  return check;
}

static void test_chain(void **state) {
  struct stand *stand = *state;
  struct audit_check check = verify(stand);
  assert_int_equal(check.entries, 0);
  assert_int_equal(check.first_wrong, 0);
  write_entries(stand, 5);
  check = verify(stand);
  assert_int_equal(check.entries, 5);
  assert_int_equal(check.first_wrong, 0);
  assert_int_equal(view_count(stand, "audit", "event", "land"), 5);
}

static void test_tampering(void **state) {
  struct stand *stand = *state;
  static const struct {
    const char *sql, *what;
    int64_t first;
  } cases[] = {
      {"UPDATE audit_log SET actor = 'other' WHERE sequence = 3", "the entry was changed after it was written", 3},
      {"UPDATE audit_log SET actor = 'tester' WHERE sequence = 3", "", 0},
      {"UPDATE audit_log SET purpose = '' WHERE sequence = 2", "the entry was changed after it was written", 2},
      {"UPDATE audit_log SET purpose = NULL WHERE sequence = 2", "", 0},
      {"UPDATE audit_log SET sequence = 0 WHERE sequence = 4; UPDATE audit_log SET sequence = 4 WHERE sequence = 5; "
       "UPDATE audit_log SET sequence = 5 WHERE sequence = 0",
       "the entry does not follow the one before it", 4},
      {"UPDATE audit_log SET sequence = 0 WHERE sequence = 4; UPDATE audit_log SET sequence = 4 WHERE sequence = 5; "
       "UPDATE audit_log SET sequence = 5 WHERE sequence = 0",
       "", 0},
      {"DELETE FROM audit_log WHERE sequence = 6", "the entry is missing: the log ends before its head", 6},
      {"DELETE FROM audit_log WHERE sequence = 2", "the entry is missing", 2},
      {"DELETE FROM audit_log WHERE sequence = 1", "the entry is missing", 1},
  };
  write_entries(stand, 6);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    contract_sql(stand, cases[i].sql);
    struct audit_check check = verify(stand);
    assert_int_equal(check.first_wrong, cases[i].first);
    assert_string_equal(check.what, cases[i].what);
  }
}

static void test_actor_must_be_text(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct audit_event event = {.event = "land", .actor = "\xff"};
  MUST(store_begin(stand->store, &error));
  assert_int_equal(audit_append(stand->store, &event, &error), ERR_USAGE);
  assert_string_equal(error.message, "actor and purpose of an audit entry must be UTF-8 text");
  store_rollback(stand->store);
}

/* The canonical form, byte by byte, hashed by itself: docs/audit-log.md has the same entry. */
static enum status see_entry(void *context, const struct audit_row *row, struct error *error) {
  (void)error;
  *(struct sha256 *)context = row->hash;
  assert_int_equal(row->at, INT64_C(1577836800000000));
  return OK;
}

static void test_canonical_form(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct sha256 hash;
  char hex[65];
  setenv("PUENTE_CLOCK", "2020-01-01T00:00:00Z", 1);
  struct audit_event event = {.event = "land", .source = "sistra", .actor = "ana", .run = 7, .body = "{\"records\":2}"};
  event.outcomes = sha256_of(slice_of(""));
  MUST(store_begin(stand->store, &error));
  MUST(audit_append(stand->store, &event, &error));
  MUST(store_commit(stand->store, &error));
  unsetenv("PUENTE_CLOCK");
  MUST(store_visit_audit(stand->store, 1, see_entry, &hash, &error));
  static const char form[] = "puente/audit/1\n"
                             "\0\0\0\0\0\0\0\1" /* sequence */
                             "\0\5\x9b\x08\x9c\xe9\x80\0"
                             "\0\0\0\0\0\0\0\7"
                             "\0\0\0\4land"
                             "\0\0\0\6sistra"
                             "\0\0\0\3ana"
                             "\xff\xff\xff\xff"
                             "\0\0\0\15{\"records\":2}";
  char bytes[sizeof form - 1 + 64] = {0};
  memcpy(bytes, form, sizeof form - 1);
  int64_t at = INT64_C(1577836800000000);
  for (int i = 0; i < 8; i++) {
    bytes[15 + 8 + i] = (char)(at >> (56 - 8 * i));
  }
  memcpy(bytes + sizeof form - 1, event.outcomes.bytes, 32);
  struct sha256 wanted = sha256_of(slice_make(bytes, sizeof bytes));
  hex_format(wanted.bytes, 32, hex);
  assert_memory_equal(&hash, &wanted, sizeof hash);
  /* `sha256sum` of the same bytes, so that the form cannot drift with its test. */
  assert_string_equal(hex, "a248fa663b80d3c2068740f8b0a1b746b2dac00c44ae1eb47cd5ac8877686c60");
}

static void root_is(const char *const *leaves, size_t count, const char *wanted) {
  struct merkle merkle;
  char hex[65];
  merkle_init(&merkle);
  for (size_t i = 0; i < count; i++) {
    merkle_add(&merkle, slice_of(leaves[i]));
  }
  struct sha256 root = merkle_root(&merkle);
  hex_format(root.bytes, 32, hex);
  assert_string_equal(hex, wanted);
}

/* RFC 6962, 2.1, by its recursive definition. */
static struct sha256 tree_hash(const char *const *leaves, size_t count) {
  char text[64];
  if (count == 0) {
    return sha256_of(slice_make("", 0));
  }
  if (count == 1) {
    text[0] = 0;
    size_t len = strlen(leaves[0]);
    memcpy(text + 1, leaves[0], len);
    return sha256_of(slice_make(text, len + 1));
  }
  size_t left = 1;
  while (left * 2 < count) {
    left *= 2;
  }
  struct sha256 a = tree_hash(leaves, left), b = tree_hash(leaves + left, count - left);
  return sha256_pair(1, &a, &b);
}

static void test_merkle(void **state) {
  (void)state;
  enum { MOST = 70 };
  static char texts[MOST][8];
  const char *leaves[MOST];
  for (int i = 0; i < MOST; i++) {
    snprintf(texts[i], sizeof texts[i], "l%d", i % 100);
    leaves[i] = texts[i];
  }
  for (size_t count = 0; count <= MOST; count++) {
    char hex[65];
    struct sha256 wanted = tree_hash(leaves, count);
    hex_format(wanted.bytes, 32, hex);
    root_is(leaves, count, hex);
  }
  root_is(NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  static const char *const empty[] = {""};
  root_is(empty, 1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"); /* Certificate Transparency */
}

static void test_record_leaf(void **state) {
  (void)state;
  struct merkle a, b;
  struct keyed_digest key = {{1}}, digest = {{2}};
  struct sha256 plan = {{3}};
  merkle_init(&a);
  merkle_init(&b);
  merkle_add_record(&a, 5, &key, &digest, RECORD_MAPPED, &plan);
  merkle_add_record(&b, 5, &key, &digest, RECORD_QUARANTINED, &plan);
  struct sha256 left = merkle_root(&a), right = merkle_root(&b);
  assert_memory_not_equal(&left, &right, sizeof left);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      EACH(test_chain),          EACH(test_tampering),          EACH(test_actor_must_be_text),
      EACH(test_canonical_form), cmocka_unit_test(test_merkle), cmocka_unit_test(test_record_leaf),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
