/* Weights that `puente link` learns, where linkage is under approval, on both stores: they wait, what acts goes on
 * acting, and a second person makes them act. */
#include "core/base/digest.h"
#include "tests/support/office.h"
#include "tests/support/postgres.h"
#include "tests/support/says.h"
#include "tests/support/workspace.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HEX = 2 * SHA256_SIZE, LINK_FILES = 6 };
static const char MAPPING[] = "source: demo\nformat: csv\ndelimiter: \";\"\n"
                              "case:\n  key: id\n  denuncia_number: id\n"
                              "person:\n  key: [id, victim]\n  role: victim\n"
                              "  given_names: {from: name, clean: name}\n";
/* Frequent enough to be listed in a model. */
static const char ROWS[] = "id;victim;name\nD-1;a;Rosaura\nD-2;a;Rosaura\nD-3;a;Rosaura\nD-4;a;Rosaura\nD-5;a;Rosaura\n"
                           "D-6;a;Rosaura\nD-7;a;Luz\n";
static const char APPROVAL[] = "approval: {required: [link]}\nlink: link/rules.yaml\n";

static struct office office;

#define done(actor, ...) office_done(&office, actor, __VA_ARGS__)
#define refused(actor, words, message) assert_refused(program_run_as(office.folder, actor, words), message, __LINE__)

static void assert_refused(struct said said, const char *message, int line) {
  if (said.code == 0 || strstr(said.err, message) == NULL) {
    fail_msg("line %d: exit %d, not \"%s\":\n%s%s", line, said.code, message, said.out, said.err);
  }
}

static void copy_rules(void) {
  static const char *const parts[LINK_FILES] = {"default.yaml",      "persons.yaml",       "cases.yaml",
                                                "survivorship.yaml", "persons.model.json", "cases.model.json"};
  office_folder(&office, "link");
  for (size_t i = 0; i < LINK_FILES; i++) {
    char from[64], to[64];
    snprintf(from, sizeof from, "config/link/%s", parts[i]);
    snprintf(to, sizeof to, "link/%s", i == 0 ? "rules.yaml" : parts[i]);
    char *text = program_read(".", from);
    program_write(office.folder, to, text);
    free(text);
  }
}

static int setup(void **state) {
  (void)state;
  office_open(&office, office.dsn, APPROVAL);
  program_write(office.folder, "sources/demo.yaml", OFFICE_SOURCE("demo", "incoming"));
  program_write(office.folder, "mappings/demo.yaml", MAPPING);
  program_write(office.folder, "incoming/one.csv", ROWS);
  copy_rules();
  return 0;
}

static int setup_postgres(void **state) {
  office.dsn = postgres_start();
  return setup(state);
}

static int teardown(void **state) {
  (void)state;
  office_close(&office);
  return 0;
}

/* Approves the files of linkage; they are the first `count` proposals. */
static void approve_rules(int count) {
  done("ana", "approve propose link --reason first --document RM-1");
  for (int i = 1; i <= count; i++) {
    char line[64];
    snprintf(line, sizeof line, "approve accept %d --reason checked", i);
    done("luis", line);
  }
}

/* SHA-256 of the model of persons that the last linking used, as the log has it. */
static void last_model(char hex[HEX + 1]) {
  static const char HEAD[] = "\\\"models\\\":[\\\"";
  const char *last = NULL;
  const char *text = done("tester", "--json audit list --event link").out;
  for (const char *at = text; (at = strstr(at, HEAD)) != NULL; at++) {
    last = at + sizeof HEAD - 1;
  }
  assert_non_null(last);
  assert_true(strlen(last) > HEX);
  memcpy(hex, last, HEX);
  hex[HEX] = '\0';
}

/* The same of the proposal, from its entry. */
static void proposed_model(char hex[HEX + 1]) {
  static const char HEAD[] = "\\\"persons\\\":\\\"";
  const char *text = done("tester", "--json audit list --event approval").out;
  const char *at = strstr(text, HEAD);
  assert_non_null(at);
  memcpy(hex, at + sizeof HEAD - 1, HEX);
  hex[HEX] = '\0';
}

static void start_model(char hex[HEX + 1]) {
  char *text = program_read(".", "config/link/persons.model.json");
  struct sha256 digest = sha256_of(slice_of(text));
  hex_format(digest.bytes, SHA256_SIZE, hex);
  free(text);
}

static void assert_uses(const char *wanted) {
  char used[HEX + 1];
  last_model(used);
  assert_string_equal(used, wanted);
}

static void test_learned_weights_wait(void **state) {
  char start[HEX + 1], learned[HEX + 1];
  (void)state;
  start_model(start);
  done("tester", "sync");
  approve_rules(LINK_FILES);
  done("tester", "link");
  assert_uses(start);
  struct said said = done("ana", "link --train");
  assert_says(said.out, "weights were learned from the records");
  assert_says(said.out, "learned weights wait for approval and do not act yet: proposal 7\n");
  proposed_model(learned);
  assert_string_not_equal(learned, start);
  assert_uses(start);
  said = done("tester", "status");
  assert_says(said.out, "- weights that linking learned wait for approval since ");
  assert_says(said.out, "; until then those to start with are used\n");
  assert_says(said.out, "`puente approve accept 7 --reason TEXT --document NUMBER`");
  assert_says(done("tester", "approve list").out, " 7  weights  learned  never approved  ");
  said = done("tester", "link");
  assert_says(said.out, "learned weights wait for approval and do not act yet: proposal 7\n");
  assert_says(said.out, "nothing new to link");
  assert_says(done("tester", "--json link --full").out, "\"proposal\": 7");
  assert_uses(start);
  /* What it would change, and no value of anybody. */
  said = done("luis", "approve show 7");
  assert_says(said.out, "proposal 7: weights learned, by ana at ");
  assert_says(said.out, "persons  given        same_set                +8.26");
  assert_says(said.out, "`puente link` has to be run: records that it places anew: 14\n");
  assert_silent(said.out, "ROSAURA");
  said = done("luis", "--json approve show 7");
  assert_says(said.out, "\"comparison\": \"given\"");
  assert_silent(said.out, "ROSAURA");
  assert_silent(done("luis", "--json audit list --event approval").out, "ROSAURA");
  /* Another person, with a document. */
  refused("ana", "approve accept 7 --reason fine --document RM-9", "another person has to approve it");
  refused("MIMP\\ANA", "approve accept 7 --reason fine --document RM-9", "another person has to approve it");
  refused("luis", "approve accept 7 --reason fine", "weights are approved with the number of a document");
  refused("ana", "approve propose weights --reason x --document y", "there is no kind \"weights\" of files to approve");
  done("tester", "link --full");
  assert_uses(start);
  done("luis", "approve accept 7 --reason checked --document RM-9");
  said = done("tester", "link");
  assert_says(said.out, "the link models are others than in the last linking");
  assert_silent(said.out, "wait for approval");
  assert_uses(learned);
  assert_says(done("tester", "link").out, "nothing new to link");
  said = done("tester", "--json audit list --event approval");
  assert_says(said.out, "\\\"document\\\":\\\"RM-9\\\"");
  assert_says(done("tester", "approve list").out, "every file is the one that was approved");
  assert_says(done("tester", "approve show 7").out, "approved by luis at ");
  assert_says(done("tester", "audit verify --records").out, "records ok: ");
}

static void test_rejected_weights(void **state) {
  char start[HEX + 1];
  (void)state;
  start_model(start);
  done("tester", "sync");
  approve_rules(LINK_FILES);
  done("ana", "link --train");
  office_tamper(&office, "UPDATE approval SET body = '{}' WHERE approval_id = 7");
  refused("luis", "approve accept 7 --reason fine --document RM-9", "proposal 7 in the store was changed");
  done("luis", "approve reject 7 --reason 'too few records'");
  refused("eva", "approve accept 7 --reason fine --document RM-9", "does not wait any more");
  struct said said = done("tester", "link --full");
  assert_silent(said.out, "weights");
  assert_uses(start);
  assert_says(done("eva", "link --train --purpose 'asked by RM-10'").out, "do not act yet: proposal 8\n");
  assert_says(done("ana", "link --train").out,
              "do not act yet: proposal 8\n"); /* the same weights: the same proposal */
  assert_says(done("luis", "approve show 8").out, "reason: asked by RM-10\n");
  refused("eva", "approve accept 8 --reason fine --document RM-9", "proposal 8 is by 'eva'");
  done("ana", "approve accept 8 --reason fine --document RM-9");
  said = done("tester", "link --train");
  assert_says(said.out, "they are the approved ones: nothing waits\n");
  assert_says(done("tester", "audit verify --records").out, "records ok: ");
}

static void test_changed_weights(void **state) {
  static const char CHANGED[] = "link model 1 in the store was changed: its text is not the one that was kept";
  char start[HEX + 1];
  (void)state;
  start_model(start);
  done("tester", "sync");
  approve_rules(LINK_FILES);
  done("ana", "link --train");
  /* By hand nothing becomes active, nor approved. */
  office_tamper(&office, "UPDATE link_model SET active = 1");
  done("tester", "link --full");
  assert_uses(start);
  office_tamper(
      &office,
      "UPDATE approval SET state = 'approved', approved_by = 'luis', remark = 'fine', approved_at = 5, document = "
      "'RM-9' WHERE approval_id = 7");
  refused("tester", "link --full", "approval 7 in the store is not in the log");
  office_tamper(
      &office,
      "UPDATE approval SET state = 'waiting', approved_by = NULL, remark = NULL, approved_at = 0, document = '' "
      "WHERE approval_id = 7");
  /* Another text than the one proposed. */
  office_tamper(&office, "CREATE TABLE kept AS SELECT model_id, sealed FROM link_model; "
                         "UPDATE link_model SET sealed = NULL, body = '{}' WHERE model_id = 1");
  refused("luis", "approve accept 7 --reason fine --document RM-9", CHANGED);
  refused("luis", "approve show 7", CHANGED);
  office_tamper(&office, "UPDATE link_model SET body = NULL, sealed = (SELECT k.sealed FROM kept k WHERE k.model_id = "
                         "link_model.model_id)");
  done("luis", "approve accept 7 --reason fine --document RM-9");
  done("tester", "link");
  /* Nor than the one approved: nothing acts until other weights are approved. */
  office_tamper(&office, "UPDATE link_model SET sealed = NULL, body = '{}' WHERE model_id = 1");
  refused("tester", "link --full", CHANGED);
  assert_says(done("tester", "link --train").out, "nothing was linked: there were no weights that may act\n");
  assert_says(done("tester", "link --full").out, "persons             7"); /* learned again, the same */
  office_tamper(&office, "UPDATE approval SET document = 'RM-10' WHERE approval_id = 7");
  refused("tester", "link --full", "approval 7 in the store is not what entry ");
}

static void write_many(const char *name, int from, int count) {
  static const char *const NAMES[] = {"Rosaura", "Luz", "Ana Maria", "Eva", "Carmen", "Flor de Maria", "Juana"};
  size_t room = 64 + (size_t)count * 64, len = 0;
  char *text = malloc(room);
  assert_non_null(text);
  len += (size_t)snprintf(text, room, "id;victim;name\n");
  for (int i = from; i < from + count; i++) {
    len += (size_t)snprintf(text + len, room - len, "D-%d;a;%s\n", i, NAMES[i % 7]);
  }
  program_write(office.folder, name, text);
  free(text);
}

/* Once there are enough records; and not again at each linking while they wait. */
static void test_learned_by_itself(void **state) {
  char start[HEX + 1], learned[HEX + 1];
  (void)state;
  start_model(start);
  write_many("incoming/one.csv", 1, 1100);
  done("tester", "sync");
  approve_rules(LINK_FILES);
  struct said said = done("ana", "link");
  assert_says(said.out, "weights were learned from the records: no link model has been approved yet\n");
  assert_says(said.out, "learned weights wait for approval and do not act yet: proposal 7\n");
  assert_uses(start);
  proposed_model(learned);
  write_many("incoming/two.csv", 1101, 3);
  done("tester", "sync");
  said = done("tester", "link");
  assert_silent(said.out, "were learned");
  assert_says(said.out, "linked again: ");
  assert_says(said.out, "do not act yet: proposal 7\n");
  assert_uses(start);
  done("luis", "approve accept 7 --reason fine --document RM-9");
  assert_says(done("tester", "link").out, "all rows were linked: the link models are others than in the last linking");
  assert_uses(learned);
  write_many("incoming/three.csv", 1104, 3);
  done("tester", "sync");
  assert_says(done("tester", "link").out, "linked again: ");
  assert_uses(learned);
  assert_says(done("tester", "audit verify --records").out, "records ok: ");
}

/* Without weights to start with, nothing is linked by weights that nobody approved; those that were learned before
 * approval was asked for are proposed as they are. */
static void test_no_weights_to_start_with(void **state) {
  char learned[HEX + 1], used[HEX + 1];
  (void)state;
  char *text = program_read(office.folder, "link/rules.yaml");
  char *start = strstr(text, "\nstart:");
  assert_non_null(start);
  start[1] = '\0';
  program_write(office.folder, "link/rules.yaml", text);
  free(text);
  office_configure(&office, "link: link/rules.yaml\n");
  done("tester", "sync");
  struct said said = done("tester", "link");
  assert_says(said.out, "weights were learned from the records");
  assert_silent(said.out, "approval");
  last_model(learned);
  office_configure(&office, APPROVAL);
  approve_rules(LINK_FILES - 2);
  said = done("eva", "link");
  assert_silent(said.out, "weights were learned");
  assert_says(said.out, "learned weights wait for approval and do not act yet: proposal 5\n");
  assert_says(said.out, "nothing was linked: there were no weights that may act\n");
  refused("eva", "link", "no weights may act: those that were learned are not approved");
  proposed_model(used);
  assert_string_equal(used, learned);
  done("luis", "approve accept 5 --reason fine --document RM-9");
  done("tester", "link --full");
  assert_uses(learned);
  assert_says(done("tester", "audit verify --records").out, "records ok: ");
}

/* ---- what they would change ---- */

enum { MANY = 500, ERRORS = 3 /* of 100 values */, PAIRS_MOST = 50000, OUTCOMES = 3 };
static const char *const KINDS[] = {"person", "case"}, *const OUTCOME[OUTCOMES] = {"joined", "waiting", "apart"};

static uint32_t draw(uint64_t *random, uint32_t below) {
  *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(*random >> 33) % below;
}

/* People several times each, with what registries leave out and mistype. */
static void write_people(void) {
  static const char *const GIVEN[] = {"Rosaura", "Luz", "Ana Maria", "Eva", "Carmen", "Flor", "Juana", "Milagros"};
  static const char *const SURNAMES[] = {"Quispe", "Mamani", "Flores", "Huaman", "Rojas", "Condori", "Sotelo", "Vilca"};
  static const char *const ENDS[] = {"ano", "illo", "eda", "ina", "orte", "uela", "azo", "era", "isco"};
  size_t room = 64 + (size_t)MANY * 96, len = 0;
  char *text = malloc(room);
  uint64_t random = 11;
  assert_non_null(text);
  len += (size_t)snprintf(text, room, "id;victim;name;first;second;born\n");
  for (int i = 0; i < MANY; i++) {
    uint32_t who = draw(&random, MANY / 3), year = 1970 + who % 30, day = 1 + who % 28;
    const char *given = GIVEN[who % 8], *first = SURNAMES[who / 8 % 8], *second = SURNAMES[who / 5 % 8];
    const char *rich = ENDS[who % 9];
    given = draw(&random, 100) < ERRORS ? GIVEN[draw(&random, 8)] : given;
    second = draw(&random, 100) < 2 * ERRORS ? "" : second;
    day = draw(&random, 100) < ERRORS ? 1 + draw(&random, 28) : day;
    len += (size_t)snprintf(text + len, room - len, "D-%d;a;%s;%s%s;%s%s;%u-%02u-%02u\n", i, given, first, rich, second,
                            second[0] == '\0' ? "" : rich, year, 1 + who % 12, day);
  }
  program_write(office.folder, "incoming/one.csv", text);
  program_write(office.folder, "mappings/demo.yaml",
                "source: demo\nformat: csv\ndelimiter: \";\"\ncase:\n  key: id\n  denuncia_number: id\n"
                "person:\n  key: [id, victim]\n  role: victim\n  given_names: {from: name, clean: name}\n"
                "  paternal_surname: {from: first, clean: name}\n  maternal_surname: {from: second, clean: name}\n"
                "  birth_date: born\n");
  free(text);
}

struct kept_pair {
  int kind, outcome;
  long long a, b;
};

static int by_rows(const void *x, const void *y) {
  const struct kept_pair *left = x, *right = y;
  long long order = left->kind != right->kind ? left->kind - right->kind
                    : left->a != right->a     ? left->a - right->a
                                              : left->b - right->b;
  return (order > 0) - (order < 0);
}

/* The pairs that the last linking kept. Allocated. */
static struct kept_pair *kept_pairs(size_t *count) {
  struct kept_pair *pairs = calloc(PAIRS_MOST, sizeof *pairs);
  char *rows = workspace_rows(office.folder, "SELECT kind, row_a, row_b, outcome FROM pairs"), *rest = rows, *line;
  *count = 0;
  while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
    char kind[16], outcome[16];
    struct kept_pair *pair = &pairs[(*count)++];
    assert_true(*count < PAIRS_MOST);
    assert_int_equal(sscanf(line, "%15[a-z]|%lld|%lld|%15[a-z]", kind, &pair->a, &pair->b, outcome), 4);
    pair->kind = strcmp(kind, KINDS[1]) == 0;
    while (strcmp(OUTCOME[pair->outcome], outcome) != 0) {
      pair->outcome++;
      assert_true(pair->outcome < OUTCOMES);
    }
  }
  free(rows);
  qsort(pairs, *count, sizeof *pairs, by_rows);
  return pairs;
}

typedef long long moves[2][OUTCOMES][OUTCOMES];

/* Pairs that one linking does not keep are apart in it. */
static void count_moves(const struct kept_pair *before, size_t before_count, moves found) {
  size_t count = 0, i = 0, j = 0;
  struct kept_pair *after = kept_pairs(&count);
  memset(found, 0, sizeof(moves));
  while (i < before_count || j < count) {
    int order = i == before_count ? 1 : j == count ? -1 : by_rows(&before[i], &after[j]);
    int from = order <= 0 ? before[i].outcome : 2, to = order >= 0 ? after[j].outcome : 2;
    found[order <= 0 ? before[i].kind : after[j].kind][from][to]++;
    i += order <= 0;
    j += order >= 0;
  }
  free(after);
}

static void check_told(const json_t *effect, const moves found) {
  size_t told = 0, made = 0;
  for (int kind = 0; kind < 2; kind++) {
    for (int from = 0; from < OUTCOMES; from++) {
      for (int to = 0; to < OUTCOMES; to++) {
        made += from != to && found[kind][from][to] > 0;
      }
    }
  }
  size_t i;
  const json_t *move;
  json_array_foreach(json_object_get(effect, "pairs"), i, move) {
    int kind = strcmp(json_string_value(json_object_get(move, "of")), "cases") == 0, at[2] = {0, 0};
    for (int side = 0; side < 2; side++) {
      const char *name = json_string_value(json_object_get(move, side == 0 ? "now" : "then"));
      while (strcmp(OUTCOME[at[side]], name) != 0) {
        at[side]++;
      }
    }
    assert_int_equal(json_integer_value(json_object_get(move, "pairs")), found[kind][at[0]][at[1]]);
    printf("note: %s: %s to %s: %lld\n", KINDS[kind], OUTCOME[at[0]], OUTCOME[at[1]], found[kind][at[0]][at[1]]);
    told++;
  }
  assert_int_equal(told, made);
  assert_true(told >= 2);
}

static int64_t told_count(const json_t *effect, const char *of, const char *when) {
  return json_integer_value(json_object_get(json_object_get(effect, of), when));
}

/* What `approve show` says of a proposal is what the next linking does, pair by
 * pair. */
static void check_proposal(int id) {
  moves found;
  char line[96];
  size_t count = 0;
  struct kept_pair *before = kept_pairs(&count);
  int64_t persons = workspace_number(office.folder, "SELECT count(*) FROM persons"),
          cases = workspace_number(office.folder, "SELECT count(*) FROM cases"),
          entries = workspace_number(office.folder, "SELECT count(*) FROM audit");
  snprintf(line, sizeof line, "--json approve show %d", id);
  json_t *shown = json_loads(done("luis", line).out, 0, NULL);
  const json_t *effect = json_object_get(shown, "effect");
  assert_true(json_is_object(effect));
  assert_int_equal(told_count(effect, "persons", "now"), persons);
  assert_int_equal(told_count(effect, "cases", "now"), cases);
  assert_says(done("luis", strchr(line, ' ') + 1).out, "pairs that would change:");
  /* It was a trial: nothing is written. */
  assert_int_equal(workspace_number(office.folder, "SELECT count(*) FROM persons"), persons);
  assert_int_equal(workspace_number(office.folder, "SELECT count(*) FROM audit"), entries);
  assert_says(done("tester", "link").out, "nothing new to link");
  snprintf(line, sizeof line, "approve accept %d --reason checked --document RM-9", id);
  done("luis", line);
  done("tester", "link");
  count_moves(before, count, found);
  check_told(effect, found);
  assert_int_equal(told_count(effect, "persons", "then"),
                   workspace_number(office.folder, "SELECT count(*) FROM persons"));
  assert_int_equal(told_count(effect, "cases", "then"), workspace_number(office.folder, "SELECT count(*) FROM cases"));
  json_decref(shown);
  free(before);
}

static void test_what_they_would_change(void **state) {
  (void)state;
  write_people();
  done("tester", "sync");
  approve_rules(LINK_FILES);
  done("tester", "link");
  done("ana", "link --train");
  check_proposal(7);
}

#define BOTH(test)                                                                                                     \
  cmocka_unit_test_setup_teardown(test, setup, teardown), {                                                            \
#test " (postgres)", test, setup_postgres, teardown, NULL                                                          \
  }

int main(void) {
  const struct CMUnitTest tests[] = {
      BOTH(test_learned_weights_wait),     BOTH(test_rejected_weights),  BOTH(test_changed_weights),
      BOTH(test_no_weights_to_start_with), BOTH(test_learned_by_itself), BOTH(test_what_they_would_change),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
