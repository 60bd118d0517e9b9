#include "core/link/model.h"

#include "core/base/digest.h"
#include "core/link/plan.h"
#include "core/link/train.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct link_model *link_model_new(void) {
  struct link_model *model = calloc(1, sizeof *model);
  if (model == NULL) {
    return NULL;
  }
  model->arena = arena_new(0);
  if (model->arena == NULL) {
    free(model);
    return NULL;
  }
  return model;
}

void link_model_free(struct link_model *model) {
  if (model == NULL) {
    return;
  }
  for (size_t i = 0; i < model->comparison_count; i++) {
    if (model->comparisons[i].joint != NULL) {
      map_free(model->comparisons[i].joint->values);
    }
    if (model->comparisons[i].frequency != NULL) {
      map_free(model->comparisons[i].frequency->values);
    }
  }
  arena_free(model->arena);
  free(model);
}

static bool shape_comparison(struct link_model *model, const struct comparison *from) {
  struct link_model_comparison *to = &model->comparisons[model->comparison_count++];
  to->name = arena_text(model->arena, slice_of(from->name));
  to->level_count = from->level_count;
  for (size_t level = 0; level < to->level_count; level++) {
    to->levels[level] = arena_text(model->arena, slice_of(from->levels[level]));
    if (to->levels[level] == NULL) {
      return false;
    }
  }
  return to->name != NULL;
}

/* What a file fixes of m or u has to leave something to the levels that it does not fix, and to be 1 where it fixes all
 * of them. */
static bool leaves_shares(const double *fixed, size_t level_count) {
  double sum = 0;
  bool all = true;
  for (size_t level = 1; level < level_count; level++) {
    sum += fixed[level];
    all = all && fixed[level] > 0;
  }
  return all ? fabs(sum - 1) <= LINK_SHARES_SLACK : sum < 1 - LINK_SHARES_SLACK;
}

static enum status check_fixed(const struct link_plan *plan, struct error *error) {
  for (size_t i = 0; i < plan->comparison_count; i++) {
    const struct comparison *c = &plan->comparisons[i];
    bool m = leaves_shares(c->m, c->level_count);
    if (!m || !leaves_shares(c->u, c->level_count)) {
      error_set(error, ERR_CONFIG, _("the levels' '%s' cannot add up to 1"), m ? "u" : "m");
      error_place(error, _("comparison '%s'"), c->name);
      error_hint(error, "%s", _("leave a part of 1 to the levels that are learned, or fix all of them"));
      return ERR_CONFIG;
    }
  }
  return OK;
}

enum status link_model_for(const struct link_plan *plan, struct link_model **model, struct error *error) {
  *model = NULL;
  enum status status = check_fixed(plan, error);
  if (status != OK) {
    return status;
  }
  struct link_model *made = link_model_new();
  if (made == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < plan->comparison_count; i++) {
    if (!shape_comparison(made, &plan->comparisons[i])) {
      link_model_free(made);
      return error_memory(error);
    }
  }
  made->lambda = 0.5;
  train_defaults(made, plan->comparisons);
  *model = made;
  return OK;
}

static struct link_frequency *make_frequency(struct link_model *model, size_t most) {
  struct link_frequency *frequency = arena_alloc(model->arena, sizeof *frequency);
  if (frequency == NULL) {
    return NULL;
  }
  frequency->share = arena_array(model->arena, most > 0 ? most : 1, sizeof *frequency->share);
  frequency->values = frequency->share == NULL ? NULL : map_new();
  if (frequency->values == NULL) {
    return NULL;
  }
  return frequency;
}

struct link_frequency *link_model_frequency(struct link_model *model, size_t comparison, size_t most) {
  model->comparisons[comparison].frequency = make_frequency(model, most);
  return model->comparisons[comparison].frequency;
}

struct link_frequency *link_model_joint(struct link_model *model, size_t comparison, size_t most) {
  model->comparisons[comparison].joint = make_frequency(model, most);
  return model->comparisons[comparison].joint;
}

struct slice link_model_joint_text(struct arena *arena, struct slice surname, struct slice given) {
  const char *text = arena_printf(arena, "%.*s, %.*s", SLICE_ARG(surname), SLICE_ARG(given));
  return slice_of(text);
}

/* ---- weights ---- */

double link_model_weight(const struct link_model *model, size_t comparison, size_t level) {
  const struct link_model_comparison *c = &model->comparisons[comparison];
  return level > 0 && level < c->level_count ? log2(c->m[level]) - log2(c->u[level]) : 0;
}

double link_model_prior(const struct link_model *model) {
  return log2(model->lambda) - log1p(-model->lambda) / M_LN2;
}

double link_probability(double weight) {
  return 1 / (1 + exp2(-weight));
}

/* ---- against a plan ---- */

static enum status other(struct error *error, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);

static enum status other(struct error *error, const char *name, const char *format, ...) {
  char what[sizeof error->message];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  error_set(error, ERR_CONFIG, "%s", what);
  if (name != NULL) {
    error_place(error, _("comparison '%s'"), name);
  }
  error_hint(error, "%s", _("train again: puente link --train"));
  return ERR_CONFIG;
}

static enum status levels_match(const struct link_model_comparison *learned, const struct comparison *wanted,
                                struct error *error) {
  if (strcmp(learned->name, wanted->name) != 0) {
    return other(error, wanted->name, _("the link model has the comparison '%s' in its place"), learned->name);
  }
  for (size_t level = 0; level < learned->level_count && level < wanted->level_count; level++) {
    if (strcmp(learned->levels[level], wanted->levels[level]) != 0) {
      return other(error, wanted->name, _("the link model has the level '%s' where the configuration has '%s'"),
                   learned->levels[level], wanted->levels[level]);
    }
  }
  if (learned->level_count != wanted->level_count) {
    return other(error, wanted->name, _("the link model has %zu levels, the configuration %u"), learned->level_count,
                 wanted->level_count);
  }
  return OK;
}

enum status link_model_matches(const struct link_model *model, const struct link_plan *plan, struct error *error) {
  for (size_t i = 0; i < model->comparison_count && i < plan->comparison_count; i++) {
    enum status status = levels_match(&model->comparisons[i], &plan->comparisons[i], error);
    if (status != OK) {
      return status;
    }
  }
  if (model->comparison_count != plan->comparison_count) {
    return other(error, NULL, _("the link model has %zu comparisons, the configuration %zu"), model->comparison_count,
                 plan->comparison_count);
  }
  return OK;
}

/* ---- writing ---- */

/* The shortest decimal that reads as the same double. */
static void put_number(struct buffer *out, double value) {
  char text[40];
  for (int digits = 6; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value) {
      break;
    }
  }
  buffer_text(out, text);
}

static void put_member(struct buffer *out, const char *before, const char *name, double value) {
  buffer_printf(out, "%s\"%s\": ", before, name);
  put_number(out, value);
}

struct order {
  struct slice text;
  double share;
};

static int by_text(const void *a, const void *b) {
  const struct order *x = a;
  const struct order *y = b;
  return slice_compare(x->text, y->text);
}

static enum status put_frequency(struct buffer *out, const char *name, const struct link_frequency *frequency,
                                 struct error *error) {
  if (frequency == NULL) {
    return OK;
  }
  uint32_t count = map_count(frequency->values);
  struct order *values = malloc((count > 0 ? count : 1) * sizeof *values);
  if (values == NULL) {
    return error_memory(error);
  }
  for (uint32_t i = 0; i < count; i++) {
    values[i] = (struct order){map_key(frequency->values, i), frequency->share[i]};
  }
  qsort(values, count, sizeof *values, by_text);
  buffer_printf(out, ",\n      \"%s\": ", name);
  put_member(out, "{", "floor", frequency->floor);
  put_member(out, ", ", "mean", frequency->mean);
  buffer_text(out, ", \"values\": [");
  for (uint32_t i = 0; i < count; i++) {
    buffer_text(out, i == 0 ? "\n        [" : ",\n        [");
    buffer_json(out, values[i].text);
    buffer_text(out, ", ");
    put_number(out, values[i].share);
    buffer_char(out, ']');
  }
  buffer_text(out, count == 0 ? "]}" : "\n      ]}");
  free(values);
  return OK;
}

static enum status put_comparison(struct buffer *out, const struct link_model *model, size_t position,
                                  struct error *error) {
  const struct link_model_comparison *c = &model->comparisons[position];
  buffer_text(out, position == 0 ? "\n    {\"name\": " : ",\n    {\"name\": ");
  buffer_json(out, slice_of(c->name));
  buffer_text(out, ",\n      \"levels\": [");
  for (size_t level = 0; level < c->level_count; level++) {
    buffer_text(out, level == 0 ? "\n        {\"name\": " : ",\n        {\"name\": ");
    buffer_json(out, slice_of(c->levels[level]));
    if (level > 0) {
      put_member(out, ", ", "m", c->m[level]);
      put_member(out, ", ", "u", c->u[level]);
      buffer_printf(out, ", \"weight\": %.3f", link_model_weight(model, position, level));
    }
    buffer_char(out, '}');
  }
  buffer_text(out, "\n      ]");
  enum status status = put_frequency(out, "frequency", c->frequency, error);
  status = status == OK ? put_frequency(out, "joint", c->joint, error) : status;
  buffer_char(out, '}');
  return status;
}

enum status link_model_write(const struct link_model *model, struct buffer *out, struct error *error) {
  char secret[2 * sizeof model->secret + 1];
  buffer_printf(out, "{\n  \"link_model\": %d,\n  \"learned_from\": {\"records\": %" PRIu64 ", \"seed\": %" PRIu64,
                LINK_MODEL_FORMAT, model->records, model->seed);
  buffer_printf(out, ", \"rounds\": %u, \"iterations\": %u, \"converged\": %s},\n", model->rounds, model->iterations,
                model->converged ? "true" : "false");
  put_member(out, "  ", "lambda", model->lambda);
  buffer_text(out, ",\n  \"comparisons\": [");
  for (size_t i = 0; i < model->comparison_count; i++) {
    enum status status = put_comparison(out, model, i, error);
    if (status != OK) {
      return status;
    }
  }
  hex_format(model->secret, sizeof model->secret, secret);
  buffer_printf(out, "\n  ],\n  \"secret\": \"%s\",\n  \"capped\": [", secret);
  for (size_t i = 0; i < model->capped_count; i++) {
    buffer_printf(out, "%s\n    \"%016" PRIx64 "\"", i == 0 ? "" : ",", model->capped[i]);
  }
  buffer_text(out, model->capped_count == 0 ? "]\n}\n" : "\n  ]\n}\n");
  return buffer_check(out, _("link model"), error);
}
