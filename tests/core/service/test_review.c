/* The review queue as a service: what waits, what is shown of it, who may decide, and what the log keeps. */
#include "core/service/review.h"
#include "core/service/weights.h"
#include "tests/support/contract.h"
#include "tests/support/reviewing.h"

#include <stdio.h>

static struct reviewing place;
static struct workspace workspace;

static int open_with(int approvals) {
  struct error error;
  reviewing_open(&place, approvals);
  MUST(workspace_open(place.config, WORKSPACE_WRITE, &workspace, &error));
  workspace.actor = "ana";
  return 0;
}

static int open_plain(void **state) {
  (void)state;
  return open_with(0);
}

static int open_two(void **state) {
  (void)state;
  return open_with(2);
}

static int close_all(void **state) {
  (void)state;
  workspace_close(&workspace);
  reviewing_close(&place);
  return 0;
}

/* "a b weight;…" by source and key, then how many wait and are decided. */
static char *list_text(int kind, size_t most) {
  struct review_list list;
  struct error error;
  struct buffer text;
  buffer_init(&text, 1 << 16);
  MUST(review_read(&workspace, kind, most, &list, &error));
  for (size_t i = 0; i < list.count; i++) {
    const struct review_item *item = &list.items[i];
    buffer_printf(&text, "%s %s+%s %s %g %.3f %s/%s%s;", item->a.source, item->a.key, item->b.source, item->b.key,
                  item->weight, item->probability, item->reason, item->verdict, item->proposed ? " proposed" : "");
    assert_true(item->since > 0);
  }
  buffer_printf(&text, " %lld waiting, %lld decided", (long long)list.waiting, (long long)list.decided);
  review_free(&list);
  return text.data;
}

/* "" or the message of the refusal. */
static const char *decide(const char *actor, int64_t a, int64_t b, bool same) {
  static struct error error;
  struct review_decided decided;
  workspace.actor = actor;
  return review_decide(&workspace, a, b, same, "the same mother", &decided, &error) == OK ? "" : error.message;
}

static char *audit_text(void) {
  struct stand stand = {.store = workspace.store};
  return query_text(&stand, "SELECT actor, purpose, body FROM audit WHERE event = 'review' ORDER BY sequence");
}

static void the_queue_is_by_weight(void **state) {
  (void)state;
  TEXT_IS(list_text(-1, 10), "demo D-1/a+demo D-2/a 6.5 0.989 weight/;demo D-1+demo D-2 4 0.941 weight/;"
                             "demo D-1/a+demo D-3/a 2 0.800 rule/documents conflict; 3 waiting, 0 decided");
  TEXT_IS(list_text(CLUSTER_CASE, 10), "demo D-1+demo D-2 4 0.941 weight/; 1 waiting, 0 decided");
  TEXT_IS(list_text(-1, 1), "demo D-1/a+demo D-2/a 6.5 0.989 weight/; 3 waiting, 0 decided");
}

static void a_decision_leaves_the_queue_and_is_logged(void **state) {
  (void)state;
  const int64_t *p = place.persons;
  assert_string_equal(decide("ana", p[1], p[0], true), "");
  TEXT_IS(list_text(CLUSTER_PERSON, 10), "demo D-1/a+demo D-3/a 2 0.800 rule/documents conflict; 1 waiting, 1 decided");
  assert_string_equal(decide("luis", p[0], p[1], true), "it is decided already that the two are one");
  assert_string_equal(decide("luis", p[0], p[1], false), "");
  char wanted[512], *bodies = audit_text();
  snprintf(wanted, sizeof wanted,
           "\"before\":[],\"decision\":1,\"kind\":\"person\",\"rows\":[%lld,%lld],\"same\":true,"
           "\"state\":\"standing\"};luis|the same mother|{\"after\":[[1,\"",
           (long long)p[1], (long long)p[0]);
  assert_non_null(strstr(bodies, wanted));
  assert_memory_equal(bodies, "ana|the same mother|{\"after\":[[1,\"", 34);
  snprintf(wanted, sizeof wanted,
           "\"]],\"decision\":2,\"kind\":\"person\",\"rows\":[%lld,%lld],\"same\":false,\"state\":\"standing\"}",
           (long long)p[0], (long long)p[1]);
  assert_non_null(strstr(bodies, wanted));
  free(bodies);
  struct stand stand = {.store = workspace.store};
  TEXT_IS(query_text(&stand, "SELECT kind, state FROM runs WHERE kind = 'review'"), "review|done;review|done");
  /* Any two rows of a kind can be decided about, and no others. */
  assert_string_equal(decide("ana", p[2], p[3], false), "");
  assert_string_equal(decide("ana", place.cases[0], place.cases[1], true), "");
  snprintf(wanted, sizeof wanted, "rows %lld and %lld are no two current persons, and no two current cases",
           (long long)p[0], (long long)place.cases[0]);
  assert_string_equal(decide("ana", p[0], place.cases[0], true), wanted);
}

static void two_persons_agree_where_asked(void **state) {
  (void)state;
  const int64_t *p = place.persons;
  assert_string_equal(decide("ana", p[0], p[1], true), "");
  TEXT_IS(list_text(CLUSTER_PERSON, 1), "demo D-1/a+demo D-2/a 6.5 0.989 weight/ proposed; 2 waiting, 0 decided");
  assert_string_equal(decide("ana", p[0], p[1], true), "you proposed this yourself: a second person has to approve it");
  TEXT_IS(list_text(CLUSTER_PERSON, 1), "demo D-1/a+demo D-2/a 6.5 0.989 weight/ proposed; 2 waiting, 0 decided");
  assert_string_equal(decide("luis", p[0], p[1], true), "");
  TEXT_IS(list_text(CLUSTER_PERSON, 9), "demo D-1/a+demo D-3/a 2 0.800 rule/documents conflict; 1 waiting, 1 decided");
  assert_string_equal(decide("ana", p[0], p[2], false), ""); /* rejecting needs one */
  TEXT_IS(list_text(CLUSTER_PERSON, 9), " 0 waiting, 2 decided");
}

static const char *text_at(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

static const json_t *field_of(const json_t *answer, const char *name) {
  size_t i;
  json_t *field;
  json_array_foreach(json_object_get(answer, "fields"), i, field) {
    if (strcmp(text_at(field, "field"), name) == 0) {
      return field;
    }
  }
  fail_msg("no field %s", name);
  return NULL;
}

static void both_records_are_shown_masked(void **state) {
  (void)state;
  struct explain_request request = {.reveal = false};
  struct error error;
  json_t *answer = NULL;
  const int64_t *p = place.persons;
  assert_string_equal(decide("ana", p[0], p[2], false), "");
  MUST(review_show(&workspace, p[0], p[2], &request, &answer, &error));
  char *text = json_dumps(answer, 0);
  const char *const secrets[] = {"QUISPE", "HUAMAN", "ROSA", "45678901"};
  for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
    assert_null(strstr(text, secrets[i]));
  }
  free(text);
  assert_string_equal(text_at(field_of(answer, "paternal_surname"), "a"), "AAAA");
  assert_string_equal(text_at(field_of(answer, "document_number"), "a"), "99999999");
  assert_true(json_is_null(json_object_get(field_of(answer, "document_number"), "b")));
  const json_t *pair = json_object_get(answer, "pair");
  assert_string_equal(text_at(pair, "outcome"), "waiting");
  assert_string_equal(text_at(pair, "verdict"), "documents conflict");
  assert_string_equal(text_at(json_array_get(json_object_get(answer, "records"), 1), "key"), "D-3/a");
  const json_t *decision = json_array_get(json_object_get(answer, "decisions"), 0);
  assert_string_equal(text_at(decision, "decision"), "different");
  assert_string_equal(text_at(decision, "state"), "standing");
  assert_string_equal(text_at(decision, "actor"), "ana");
  assert_string_equal(text_at(decision, "reason"), "the same mother");
  json_decref(answer);
}

static void a_reveal_has_a_purpose_and_is_logged(void **state) {
  (void)state;
  struct explain_request request = {.reveal = true};
  struct error error;
  json_t *answer = NULL;
  const int64_t *p = place.persons;
  struct stand stand = {.store = workspace.store};
  assert_int_equal(review_show(&workspace, p[0], p[1], &request, &answer, &error), ERR_USAGE);
  assert_null(answer);
  assert_string_equal(error.message, "a purpose is needed to reveal values");
  TEXT_IS(query_text(&stand, "SELECT count(*) FROM audit WHERE event = 'reveal'"), "0");
  request.purpose = "review of the queue";
  MUST(review_show(&workspace, p[0], p[1], &request, &answer, &error));
  assert_string_equal(text_at(field_of(answer, "paternal_surname"), "a"), "QUISPE");
  assert_string_equal(text_at(field_of(answer, "paternal_surname"), "b"), "MAMANI");
  TEXT_IS(query_text(&stand, "SELECT actor, purpose FROM audit WHERE event = 'reveal'"), "ana|review of the queue");
  json_decref(answer);
}

static void weights_are_an_answer(void **state) {
  (void)state;
  struct link_explanation explanation = {.count = 2, .prior = -10, .weight = 3.5F, .probability = 0.92};
  explanation.comparisons[0] = (struct link_comparison){
      .name = "surnames", .level = "both exact", .weight = 12, .adjustment = 1.5F, .m = 0.8, .u = 0.0002};
  explanation.comparisons[1] = (struct link_comparison){.name = "sex", .level = "missing"};
  json_t *answer = weights_json(&explanation);
  char *text = json_dumps(answer, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(6));
  assert_string_equal(text, "{\"prior\":-10.0,\"probability\":0.92,\"steps\":["
                            "{\"adjustment\":1.5,\"comparison\":\"surnames\",\"level\":\"both exact\",\"m\":0.8,"
                            "\"u\":0.0002,\"weight\":12.0},"
                            "{\"adjustment\":0.0,\"comparison\":\"sex\",\"level\":\"missing\",\"m\":null,\"u\":null,"
                            "\"weight\":0.0}],\"weight\":3.5}");
  free(text);
  json_decref(answer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_queue_is_by_weight, open_plain, close_all),
      cmocka_unit_test_setup_teardown(a_decision_leaves_the_queue_and_is_logged, open_plain, close_all),
      cmocka_unit_test_setup_teardown(two_persons_agree_where_asked, open_two, close_all),
      cmocka_unit_test_setup_teardown(both_records_are_shown_masked, open_plain, close_all),
      cmocka_unit_test_setup_teardown(a_reveal_has_a_purpose_and_is_logged, open_plain, close_all),
      cmocka_unit_test(weights_are_an_answer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
