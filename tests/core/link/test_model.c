#include "core/link/model.h"

#include "core/link/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

/* As link_model_write has it; line numbers of the refusals below count here. */
static const char *const whole = "{\n"
                                 "  \"link_model\": 1,\n"
                                 "  \"learned_from\": {\"records\": 5000, \"seed\": 18446744073709551615, "
                                 "\"rounds\": 2, \"iterations\": 17, \"converged\": true},\n"
                                 "  \"lambda\": 0.25,\n"
                                 "  \"comparisons\": [\n"
                                 "    {\"name\": \"surnames\",\n"
                                 "      \"levels\": [\n"
                                 "        {\"name\": \"missing\"},\n"
                                 "        {\"name\": \"exact\", \"m\": 0.8, \"u\": 0.1, \"weight\": 3.000},\n"
                                 "        {\"name\": \"else\", \"m\": 0.2, \"u\": 0.9, \"weight\": -2.170}\n"
                                 "      ],\n"
                                 "      \"frequency\": {\"floor\": 0.0002, \"mean\": 0.001, \"values\": [\n"
                                 "        [\"MAMANI\", 0.04],\n"
                                 "        [\"QUISPE\", 0.0333333333333333]\n"
                                 "      ]}},\n"
                                 "    {\"name\": \"sex\",\n"
                                 "      \"levels\": [\n"
                                 "        {\"name\": \"missing\"},\n"
                                 "        {\"name\": \"equal\", \"m\": 0.99, \"u\": 0.5, \"weight\": 0.986},\n"
                                 "        {\"name\": \"else\", \"m\": 0.01, \"u\": 0.5, \"weight\": -5.644}\n"
                                 "      ]}\n"
                                 "  ],\n"
                                 "  \"secret\": \"000102030405060708090a0b0c0d0e0f\",\n"
                                 "  \"capped\": [\n"
                                 "    \"00000000000000ff\",\n"
                                 "    \"fedcba9876543210\"\n"
                                 "  ]\n"
                                 "}\n";

static struct link_model *read_model(const char *text) {
  struct link_model *model = NULL;
  struct error error;
  if (link_model_read("m.json", slice_of(text), &model, &error) != OK) {
    fail_msg("%s at %s", error.message, error.place);
  }
  return model;
}

static void assert_writes(const struct link_model *model, const char *text) {
  struct buffer out;
  struct error error;
  buffer_init(&out, 1 << 20);
  assert_int_equal(link_model_write(model, &out, &error), OK);
  assert_string_equal(out.data, text);
  buffer_free(&out);
}

static void what_is_read_is_written_byte_by_byte(void **state) {
  (void)state;
  struct link_model *model = read_model(whole);
  assert_int_equal(model->records, 5000);
  assert_true(model->seed == UINT64_MAX);
  assert_int_equal(model->rounds, 2);
  assert_int_equal(model->iterations, 17);
  assert_true(model->converged);
  assert_int_equal(model->comparison_count, 2);
  assert_string_equal(model->comparisons[1].levels[1], "equal");
  assert_true(model->comparisons[1].m[1] == 0.99);
  assert_null(model->comparisons[1].frequency);
  const struct link_frequency *frequency = model->comparisons[0].frequency;
  assert_int_equal(map_get(frequency->values, slice_of("QUISPE")), 1);
  assert_true(frequency->share[1] == 0.0333333333333333);
  assert_int_equal(model->capped_count, 2);
  assert_true(model->capped[1] == UINT64_C(0xfedcba9876543210));
  assert_int_equal(model->secret[15], 15);
  assert_writes(model, whole);
  link_model_free(model);
}

static void numbers_are_exact_and_values_sorted(void **state) {
  (void)state;
  struct link_model *model = read_model(whole);
  struct error error;
  struct buffer out;
  struct link_model *again;
  model->lambda = 1.0 / 3;
  model->comparisons[0].m[1] = 0x1.999999999999bp-1;
  struct link_frequency *frequency = link_model_frequency(model, 1, 2);
  assert_non_null(frequency);
  frequency->floor = 0x1p-1060; /* a denormal, which takes all its digits */
  frequency->mean = 1;
  frequency->share[map_intern(frequency->values, slice_of("M"))] = 0.4;
  frequency->share[map_intern(frequency->values, slice_of("F\"\n"))] = 0.6;
  buffer_init(&out, 1 << 20);
  assert_int_equal(link_model_write(model, &out, &error), OK);
  assert_int_equal(link_model_read("m.json", buffer_view(&out), &again, &error), OK);
  assert_true(again->lambda == model->lambda);
  assert_true(again->comparisons[0].m[1] == model->comparisons[0].m[1]);
  assert_true(again->comparisons[1].frequency->floor == 0x1p-1060);
  assert_int_equal(map_get(again->comparisons[1].frequency->values, slice_of("F\"\n")), 0);
  assert_true(again->comparisons[1].frequency->share[0] == 0.6);
  assert_writes(again, out.data);
  buffer_free(&out);
  link_model_free(again);
  link_model_free(model);
}

/* `whole` with the first `from` replaced by `to`. */
static char *changed(const char *from, const char *to) {
  const char *at = strstr(whole, from);
  assert_non_null(at);
  size_t size = strlen(whole) + strlen(to) + 1;
  char *text = malloc(size);
  assert_non_null(text);
  snprintf(text, size, "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
  return text;
}

#define MEND "mend the line, or train again: puente link --train"

static void what_a_hand_spoilt_is_refused_with_its_line(void **state) {
  (void)state;
  static const struct {
    const char *from, *to, *message, *place, *hint;
  } cases[] = {
      {"{\n", "[\n", "not JSON: a comma or a closing bracket was expected", "m.json, byte 16",
       "train again: puente link --train"},
      {"\"link_model\": 1", "\"link_model\": 2", "a link model of format 2; this program reads format 1", "m.json:2",
       "train again: puente link --train"},
      {"\"link_model\": 1,", "", "this is not a link model: the field 'link_model' is missing", "m.json:1", MEND},
      {"\"link_model\": 1", "\"link_model\": -1", "'link_model' has to be a whole number from 0 on", "m.json:2", MEND},
      {"5000", "5e3", "'records' has to be a whole number from 0 on", "m.json:3", MEND},
      {"5000", "\"5000\"", "'records' has to be a number", "m.json:3", MEND},
      {"17,", "4294967296,", "'iterations' has to be a whole number from 0 on", "m.json:3", MEND},
      {"18446744073709551615", "18446744073709551616", "'seed' has to be a whole number from 0 on", "m.json:3", MEND},
      {"true", "1", "'converged' has to be true or false", "m.json:3", MEND},
      {"\"lambda\": 0.25", "\"lambda\": 0", "'lambda' has to be above 0 and at most 1", "m.json:4", MEND},
      {"\"lambda\": 0.25", "\"lambda\": 1", "'lambda' has to be below 1", "m.json:4", MEND},
      {"\"lambda\"", "\"lamda\"", "unknown field 'lamda'", "m.json:4", "did you mean 'lambda'?"},
      {"  \"lambda\": 0.25,\n", "", "the field 'lambda' is missing", "m.json:1", MEND},
      {"\"lambda\": 0.25", "\"lambda\": 0.25, \"lambda\": 0.5", "the field 'lambda' stands twice", "m.json:4", MEND},
      {"\"m\": 0.8", "\"m\": 1.01", "'m' has to be above 0 and at most 1", "m.json:9", MEND},
      {"\"m\": 0.8", "\"m\": -0.8", "'m' has to be above 0 and at most 1", "m.json:9", MEND},
      {"\"m\": 0.8", "\"m\": \"0.8\"", "'m' has to be a number", "m.json:9", MEND},
      {"\"u\": 0.9", "\"u\": 0", "'u' has to be above 0 and at most 1", "m.json:10", MEND},
      {"\"u\": 0.9", "\"u\": 0.90001", "'u' adds up to 1.00001 over the levels, not 1", "m.json:7", MEND},
      {"\"m\": 0.8", "\"m\": 0.7", "'m' adds up to 0.9 over the levels, not 1", "m.json:7", MEND},
      {"\"u\": 0.1, ", "", "the field 'u' is missing", "m.json:9", MEND},
      {"{\"name\": \"missing\"}", "{\"name\": \"missing\", \"m\": 1}", "unknown field 'm'", "m.json:8", MEND},
      {"{\"name\": \"missing\"}", "3", "an object {} was expected", "m.json:8", MEND},
      {"\"exact\"", "\"else\"", "the level 'else' stands twice", "m.json:10", MEND},
      {"\"name\": \"sex\"", "\"name\": \"surnames\"", "the comparison 'surnames' stands twice", "m.json:16", MEND},
      {"0.04]", "0]", "'share' has to be above 0 and at most 1", "m.json:13", MEND},
      {"0.04]", "0.97]", "the shares of the values add up to 1.003333, more than 1", "m.json:12", MEND},
      {"[\"MAMANI\", 0.04]", "{}", "a value is a list of a text and its share", "m.json:13", MEND},
      {"MAMANI", "QUISPE", "values have to stand in the order of their bytes, each once", "m.json:14", MEND},
      {"MAMANI", "ZAPANA", "values have to stand in the order of their bytes, each once", "m.json:14", MEND},
      {"\"floor\": 0.0002, ", "", "the field 'floor' is missing", "m.json:12", MEND},
      {"\"mean\": 0.001", "\"mean\": 2", "'mean' has to be above 0 and at most 1", "m.json:12", MEND},
      {"0e0f", "0e0", "the secret is a text of 32 hexadecimal digits", "m.json:23", MEND},
      {"00ff", "00fg", "a capped key is a text of 16 hexadecimal digits", "m.json:25", MEND},
      {"00000000000000ff", "ff000000000000ff", "capped keys have to stand in ascending order, each once", "m.json:26",
       MEND},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct link_model *model;
    struct error error;
    char *text = changed(cases[i].from, cases[i].to);
    enum status status = link_model_read("m.json", slice_of(text), &model, &error);
    assert_int_equal(status, strstr(cases[i].message, "of format") != NULL ? ERR_VERSION : ERR_CONFIG);
    assert_int_equal(error.code, status);
    assert_null(model);
    assert_string_equal(error.message, cases[i].message);
    assert_string_equal(error.place, cases[i].place);
    assert_string_equal(error.hint, cases[i].hint);
    free(text);
  }
}

static void counts_out_of_bounds_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *begin, *message;
  } cases[] = {
      {"\"comparisons\": []", "a link model has from 1 to 24 comparisons"},
      {"\"comparisons\": [{\"name\": \"a\", \"levels\": [{\"name\": \"missing\"}]}]",
       "a comparison has from 2 to 16 levels"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[1024];
    struct link_model *model;
    struct error error;
    snprintf(text, sizeof text,
             "{\"link_model\": 1, \"learned_from\": {\"records\": 1, \"seed\": 1, \"rounds\": 1, \"iterations\": 1, "
             "\"converged\": false}, \"lambda\": 0.1, %s, \"secret\": \"\", \"capped\": []}",
             cases[i].begin);
    assert_int_equal(link_model_read("m.json", slice_of(text), &model, &error), ERR_CONFIG);
    assert_string_equal(error.message, cases[i].message);
    assert_string_equal(error.place, "m.json:1");
  }
}

static void a_comparison_without_values_is_read_again(void **state) {
  (void)state;
  struct link_model *model = read_model(whole);
  struct link_frequency *frequency = link_model_frequency(model, 1, 0);
  struct link_model *again;
  struct buffer out;
  struct error error;
  assert_non_null(frequency);
  frequency->floor = 1;
  buffer_init(&out, 1 << 20);
  assert_int_equal(link_model_write(model, &out, &error), OK);
  assert_int_equal(link_model_read("m.json", buffer_view(&out), &again, &error), OK);
  assert_float_equal(again->comparisons[1].frequency->mean, 0, 0);
  assert_int_equal(map_count(again->comparisons[1].frequency->values), 0);
  assert_writes(again, out.data);
  buffer_free(&out);
  link_model_free(again);
  link_model_free(model);
}

static void every_cut_is_refused(void **state) {
  (void)state;
  for (size_t length = 0; length + 1 < strlen(whole); length++) {
    struct link_model *model;
    struct error error;
    assert_int_equal(link_model_read("m.json", slice_make(whole, length), &model, &error), ERR_CONFIG);
    assert_null(model);
  }
}

/* A plan of the two comparisons of `whole`. */
static struct link_plan *make_plan(void) {
  struct link_plan *plan = calloc(1, sizeof *plan);
  assert_non_null(plan);
  plan->comparison_count = 2;
  plan->comparisons[0] =
      (struct comparison){.name = "surnames", .level_count = 3, .levels = {"missing", "exact", "else"}};
  plan->comparisons[1] = (struct comparison){.name = "sex", .level_count = 3, .levels = {"missing", "equal", "else"}};
  return plan;
}

static void assert_differs(const struct link_model *model, const struct link_plan *plan, const char *message,
                           const char *place) {
  struct error error;
  assert_int_equal(link_model_matches(model, plan, &error), ERR_CONFIG);
  assert_string_equal(error.message, message);
  assert_string_equal(error.place, place);
  assert_string_equal(error.hint, "train again: puente link --train");
}

static void a_model_for_other_columns_is_refused(void **state) {
  (void)state;
  struct link_model *model = read_model(whole);
  struct link_plan *plan = make_plan();
  struct error error;
  assert_int_equal(link_model_matches(model, plan, &error), OK);
  plan->comparison_count = 1;
  assert_differs(model, plan, "the link model has 2 comparisons, the configuration 1", "");
  plan->comparison_count = 2;
  plan->comparisons[1].levels[1] = "same";
  assert_differs(model, plan, "the link model has the level 'equal' where the configuration has 'same'",
                 "comparison 'sex'");
  plan->comparisons[1].levels[1] = "equal";
  plan->comparisons[1].level_count = 4;
  plan->comparisons[1].levels[3] = "other";
  assert_differs(model, plan, "the link model has 3 levels, the configuration 4", "comparison 'sex'");
  plan->comparisons[0].name = "names";
  assert_differs(model, plan, "the link model has the comparison 'surnames' in its place", "comparison 'names'");
  free(plan);
  link_model_free(model);
}

static void a_model_is_made_for_a_plan(void **state) {
  (void)state;
  struct link_plan *plan = make_plan();
  struct link_model *model;
  struct error error;
  plan->comparisons[0].m[1] = 0.6;
  assert_int_equal(link_model_for(plan, &model, &error), OK);
  assert_int_equal(link_model_matches(model, plan, &error), OK);
  free(plan);
  assert_string_equal(model->comparisons[0].name, "surnames");
  assert_float_equal(model->comparisons[0].m[1], 0.6, 1e-15);
  assert_float_equal(model->comparisons[0].m[2], 0.4, 1e-15);
  assert_float_equal(model->comparisons[1].m[1], 0.9, 1e-15);
  assert_float_equal(model->comparisons[1].u[1], 0.5, 1e-15);
  link_model_free(model);
  link_model_free(NULL);
}

static void fixed_shares_leave_something(void **state) {
  (void)state;
  static const struct {
    double m[3], u[3];
    const char *message; /* NULL: fine */
  } cases[] = {
      {{0}, {0}, NULL},
      {{0, 0.9, 0.1}, {0, 0.1, 0}, NULL},
      {{0, 0.9, 0.2}, {0}, "the levels' 'm' cannot add up to 1"},
      {{0, 0.9, 0.05}, {0}, "the levels' 'm' cannot add up to 1"},
      {{0}, {0, 0, 1}, "the levels' 'u' cannot add up to 1"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct link_plan *plan = make_plan();
    struct link_model *model;
    struct error error;
    memcpy(plan->comparisons[1].m, cases[i].m, sizeof cases[i].m);
    memcpy(plan->comparisons[1].u, cases[i].u, sizeof cases[i].u);
    enum status status = link_model_for(plan, &model, &error);
    assert_int_equal(status, cases[i].message == NULL ? OK : ERR_CONFIG);
    if (status != OK) {
      assert_null(model);
      assert_string_equal(error.message, cases[i].message);
      assert_string_equal(error.place, "comparison 'sex'");
      assert_string_equal(error.hint, "leave a part of 1 to the levels that are learned, or fix all of them");
    }
    link_model_free(model);
    free(plan);
  }
}

static void weights_are_bits(void **state) {
  (void)state;
  struct link_model *model = read_model(whole);
  assert_float_equal(link_model_weight(model, 0, 0), 0, 0);
  assert_float_equal(link_model_weight(model, 0, 1), 3, 1e-12);
  assert_float_equal(link_model_weight(model, 1, 2), log2(0.02), 1e-12);
  assert_float_equal(link_model_prior(model), log2(1.0 / 3), 1e-12);
  model->lambda = 1e-18;
  assert_float_equal(link_model_prior(model), log2(1e-18), 1e-9);
  assert_float_equal(link_probability(0), 0.5, 0);
  assert_float_equal(link_probability(3), 8.0 / 9, 1e-15);
  assert_float_equal(link_probability(5000), 1, 0);
  assert_float_equal(link_probability(-5000), 0, 0);
  link_model_free(model);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_read_is_written_byte_by_byte),
      cmocka_unit_test(numbers_are_exact_and_values_sorted),
      cmocka_unit_test(what_a_hand_spoilt_is_refused_with_its_line),
      cmocka_unit_test(counts_out_of_bounds_are_refused),
      cmocka_unit_test(a_comparison_without_values_is_read_again),
      cmocka_unit_test(every_cut_is_refused),
      cmocka_unit_test(a_model_for_other_columns_is_refused),
      cmocka_unit_test(a_model_is_made_for_a_plan),
      cmocka_unit_test(fixed_shares_leave_something),
      cmocka_unit_test(weights_are_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
