/* Reading a link model back: everything that a hand could have spoilt is refused with its line. */
#include "core/link/model.h"

#include "core/base/digest.h"
#include "core/base/node.h"
#include "core/base/text.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIELDS_MOST = 8 };

struct reading {
  const char *name;
  struct slice text;
  struct arena *nodes;
  struct link_model *model;
  struct error *error;
};

struct field {
  const char *name;
  uint8_t kind; /* enum node_kind; NODE_TRUE: either truth value */
  bool optional;
};

static const char *const kind_names[] = {
    [NODE_TEXT] = N_("a text"),         [NODE_NUMBER] = N_("a number"), [NODE_TRUE] = N_("true or false"),
    [NODE_OBJECT] = N_("an object {}"), [NODE_LIST] = N_("a list []"),
};

static enum status fail_at(const struct reading *r, const struct node *node, const char *format, ...) PRINTF_LIKE(3, 4);

static enum status fail_at(const struct reading *r, const struct node *node, const char *format, ...) {
  char what[sizeof r->error->message];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  size_t line = 1;
  for (size_t i = 0; i < node->begin; i++) {
    line += r->text.data[i] == '\n';
  }
  error_set(r->error, ERR_CONFIG, "%s", what);
  error_place(r->error, "%s:%zu", r->name, line);
  error_hint(r->error, "%s", _("mend the line, or train again: puente link --train"));
  return ERR_CONFIG;
}

/* ---- values ---- */

static bool kind_is(const struct node *node, uint8_t kind) {
  return node->kind == kind || (kind == NODE_TRUE && node->kind == NODE_FALSE);
}

static enum status check_kind(const struct reading *r, const struct node *node, const char *name, uint8_t kind) {
  return kind_is(node, kind) ? OK : fail_at(r, node, _("'%s' has to be %s"), name, _(kind_names[kind]));
}

static enum status read_share(const struct reading *r, const struct node *node, const char *name, double *value) {
  char text[64];
  snprintf(text, sizeof text, "%.*s", SLICE_ARG(node->text));
  *value = strtod(text, NULL);
  if (node->text.len >= sizeof text || !(*value > 0) || *value > 1) {
    return fail_at(r, node, _("'%s' has to be above 0 and at most 1"), name);
  }
  return OK;
}

/* The chance that two records agree is 0 where no record has a value. */
static enum status read_mean(const struct reading *r, const struct node *node, double *value) {
  *value = 0;
  return slice_is(node->text, "0") ? OK : read_share(r, node, "mean", value);
}

static enum status read_count(const struct reading *r, const struct node *node, const char *name, uint64_t most,
                              uint64_t *value) {
  char text[24];
  char *end;
  snprintf(text, sizeof text, "%.*s", SLICE_ARG(node->text));
  errno = 0;
  *value = strtoull(text, &end, 10);
  if (node->text.len >= sizeof text || text[0] == '-' || *end != '\0' || errno != 0 || *value > most) {
    return fail_at(r, node, _("'%s' has to be a whole number from 0 on"), name);
  }
  return OK;
}

static char *copy_text(const struct reading *r, const struct node *node) {
  return arena_text(r->model->arena, node->text);
}

/* ---- objects ---- */

static enum status unknown_field(const struct reading *r, const struct node *node, const struct field *fields,
                                 size_t count) {
  const char *names[FIELDS_MOST];
  for (size_t i = 0; i < count; i++) {
    names[i] = fields[i].name;
  }
  enum status status = fail_at(r, node, _("unknown field '%.*s'"), SLICE_ARG(node->name));
  const char *near = text_nearest(node->name, names, count);
  if (near != NULL) {
    error_hint(r->error, _("did you mean '%s'?"), near);
  }
  return status;
}

/* The members of an object in the order of `fields`; NULL for an optional one that is absent. */
static enum status read_fields(const struct reading *r, const struct node *object, const struct field *fields,
                               size_t count, const struct node **found) {
  if (object->kind != NODE_OBJECT) {
    return fail_at(r, object, "%s", _("an object {} was expected"));
  }
  memset(found, 0, count * sizeof *found);
  for (uint32_t i = 0; i < object->count; i++) {
    const struct node *child = &object->children[i];
    size_t at = 0;
    while (at < count && !slice_is(child->name, fields[at].name)) {
      at++;
    }
    if (at == count) {
      return unknown_field(r, child, fields, count);
    }
    if (found[at] != NULL) {
      return fail_at(r, child, _("the field '%s' stands twice"), fields[at].name);
    }
    enum status status = check_kind(r, child, fields[at].name, fields[at].kind);
    if (status != OK) {
      return status;
    }
    found[at] = child;
  }
  for (size_t i = 0; i < count; i++) {
    if (found[i] == NULL && !fields[i].optional) {
      return fail_at(r, object, _("the field '%s' is missing"), fields[i].name);
    }
  }
  return OK;
}

static enum status read_level(const struct reading *r, struct link_model_comparison *c, size_t level,
                              const struct node *node) {
  static const struct field missing[] = {{"name", NODE_TEXT, false}};
  static const struct field others[] = {
      {"name", NODE_TEXT, false}, {"m", NODE_NUMBER, false}, {"u", NODE_NUMBER, false}, {"weight", NODE_NUMBER, true}};
  const struct node *found[4];
  enum status status = level == 0 ? read_fields(r, node, missing, 1, found) : read_fields(r, node, others, 4, found);
  if (level > 0) {
    status = status == OK ? read_share(r, found[1], "m", &c->m[level]) : status;
    status = status == OK ? read_share(r, found[2], "u", &c->u[level]) : status;
  }
  if (status != OK) {
    return status;
  }
  for (size_t i = 0; i < level; i++) {
    if (slice_is(found[0]->text, c->levels[i])) {
      return fail_at(r, found[0], _("the level '%s' stands twice"), c->levels[i]);
    }
  }
  c->levels[level] = copy_text(r, found[0]);
  return c->levels[level] == NULL ? error_memory(r->error) : OK;
}

static enum status check_sum(const struct reading *r, const struct node *node, const char *what, const double *shares,
                             size_t count) {
  double sum = 0;
  for (size_t level = 1; level < count; level++) {
    sum += shares[level];
  }
  return fabs(sum - 1) <= LINK_SHARES_SLACK
             ? OK
             : fail_at(r, node, _("'%s' adds up to %.7g over the levels, not 1"), what, sum);
}

static enum status read_levels(const struct reading *r, struct link_model_comparison *c, const struct node *list) {
  if (list->count < 2 || list->count > LINK_LEVELS_MOST) {
    return fail_at(r, list, _("a comparison has from 2 to %d levels"), LINK_LEVELS_MOST);
  }
  c->level_count = list->count;
  enum status status = OK;
  for (size_t level = 0; status == OK && level < c->level_count; level++) {
    status = read_level(r, c, level, &list->children[level]);
  }
  if (status == OK) {
    status = check_sum(r, list, "m", c->m, c->level_count);
  }
  return status == OK ? check_sum(r, list, "u", c->u, c->level_count) : status;
}

/* ---- frequencies ---- */

static enum status read_value(const struct reading *r, struct link_frequency *frequency, const struct node *list,
                              uint32_t position) {
  const struct node *node = &list->children[position];
  if (node->kind != NODE_LIST || node->count != 2 || node->children[0].kind != NODE_TEXT
      || node->children[1].kind != NODE_NUMBER) {
    return fail_at(r, node, "%s", _("a value is a list of a text and its share"));
  }
  struct slice text = node->children[0].text;
  if (position > 0 && slice_compare(list->children[position - 1].children[0].text, text) >= 0) {
    return fail_at(r, node, "%s", _("values have to stand in the order of their bytes, each once"));
  }
  if (map_intern(frequency->values, text) == MAP_NONE) {
    return error_memory(r->error);
  }
  return read_share(r, &node->children[1], "share", &frequency->share[position]);
}

typedef struct link_frequency *frequency_maker(struct link_model *model, size_t comparison, size_t most);

static enum status read_frequency(const struct reading *r, size_t comparison, const struct node *node,
                                  frequency_maker *make) {
  static const struct field fields[] = {
      {"floor", NODE_NUMBER, false}, {"mean", NODE_NUMBER, false}, {"values", NODE_LIST, false}};
  const struct node *found[3];
  enum status status = read_fields(r, node, fields, 3, found);
  if (status != OK) {
    return status;
  }
  struct link_frequency *frequency = make(r->model, comparison, found[2]->count);
  if (frequency == NULL) {
    return error_memory(r->error);
  }
  status = read_share(r, found[0], "floor", &frequency->floor);
  if (status == OK) {
    status = read_mean(r, found[1], &frequency->mean);
  }
  double sum = 0;
  for (uint32_t i = 0; status == OK && i < found[2]->count; i++) {
    status = read_value(r, frequency, found[2], i);
    sum += frequency->share[i];
  }
  if (status == OK && sum > 1 + LINK_SHARES_SLACK) {
    return fail_at(r, found[2], _("the shares of the values add up to %.7g, more than 1"), sum);
  }
  return status;
}

/* ---- the whole ---- */

static enum status read_comparison(const struct reading *r, const struct node *node) {
  static const struct field fields[] = {{"name", NODE_TEXT, false},
                                        {"levels", NODE_LIST, false},
                                        {"frequency", NODE_OBJECT, true},
                                        {"joint", NODE_OBJECT, true}};
  const struct node *found[4];
  enum status status = read_fields(r, node, fields, 4, found);
  if (status != OK) {
    return status;
  }
  for (size_t i = 0; i < r->model->comparison_count; i++) {
    if (slice_is(found[0]->text, r->model->comparisons[i].name)) {
      return fail_at(r, found[0], _("the comparison '%s' stands twice"), r->model->comparisons[i].name);
    }
  }
  size_t position = r->model->comparison_count++;
  struct link_model_comparison *c = &r->model->comparisons[position];
  c->name = copy_text(r, found[0]);
  if (c->name == NULL) {
    return error_memory(r->error);
  }
  status = read_levels(r, c, found[1]);
  if (status == OK && found[2] != NULL) {
    status = read_frequency(r, position, found[2], link_model_frequency);
  }
  return status == OK && found[3] != NULL ? read_frequency(r, position, found[3], link_model_joint) : status;
}

static enum status read_comparisons(const struct reading *r, const struct node *list) {
  if (list->count == 0 || list->count > LINK_COMPARISONS_MOST) {
    return fail_at(r, list, _("a link model has from 1 to %d comparisons"), LINK_COMPARISONS_MOST);
  }
  enum status status = OK;
  for (uint32_t i = 0; status == OK && i < list->count; i++) {
    status = read_comparison(r, &list->children[i]);
  }
  return status;
}

static enum status read_origin(const struct reading *r, const struct node *node) {
  static const struct field fields[] = {{"records", NODE_NUMBER, false},
                                        {"seed", NODE_NUMBER, false},
                                        {"rounds", NODE_NUMBER, false},
                                        {"iterations", NODE_NUMBER, false},
                                        {"converged", NODE_TRUE, false}};
  static const uint64_t most[] = {UINT64_MAX, UINT64_MAX, UINT32_MAX, UINT32_MAX};
  const struct node *found[5];
  uint64_t counts[4] = {0};
  enum status status = read_fields(r, node, fields, 5, found);
  for (size_t i = 0; status == OK && i < 4; i++) {
    status = read_count(r, found[i], fields[i].name, most[i], &counts[i]);
  }
  if (status == OK) {
    r->model->records = counts[0];
    r->model->seed = counts[1];
    r->model->rounds = (unsigned)counts[2];
    r->model->iterations = (unsigned)counts[3];
    r->model->converged = found[4]->kind == NODE_TRUE;
  }
  return status;
}

static enum status read_capped(const struct reading *r, const struct node *list) {
  struct link_model *model = r->model;
  model->capped = arena_array(model->arena, list->count > 0 ? list->count : 1, sizeof *model->capped);
  if (model->capped == NULL) {
    return error_memory(r->error);
  }
  for (uint32_t i = 0; i < list->count; i++) {
    const struct node *node = &list->children[i];
    uint8_t bytes[8];
    if (node->kind != NODE_TEXT || !hex_parse(node->text, bytes, sizeof bytes)) {
      return fail_at(r, node, "%s", _("a capped key is a text of 16 hexadecimal digits"));
    }
    for (size_t j = 0; j < sizeof bytes; j++) {
      model->capped[i] = model->capped[i] << 8 | bytes[j];
    }
    if (i > 0 && model->capped[i] <= model->capped[i - 1]) {
      return fail_at(r, node, "%s", _("capped keys have to stand in ascending order, each once"));
    }
  }
  model->capped_count = list->count;
  return OK;
}

/* Before anything else, since another version may have other fields. */
static enum status check_version(const struct reading *r, const struct node *root) {
  uint64_t version = 0;
  const struct node *node = root->kind == NODE_OBJECT ? node_at(root, "link_model") : NULL;
  if (node == NULL || node->kind != NODE_NUMBER) {
    return fail_at(r, root, "%s", _("this is not a link model: the field 'link_model' is missing"));
  }
  enum status status = read_count(r, node, "link_model", UINT32_MAX, &version);
  if (status == OK && version != LINK_MODEL_FORMAT) {
    status = fail_at(r, node, _("a link model of format %u; this program reads format %d"), (unsigned)version,
                     LINK_MODEL_FORMAT);
    status = r->error->code = ERR_VERSION;
    error_hint(r->error, "%s", _("train again: puente link --train"));
  }
  return status;
}

static enum status read_model(const struct reading *r, const struct node *root) {
  static const struct field fields[] = {{"link_model", NODE_NUMBER, false}, {"learned_from", NODE_OBJECT, false},
                                        {"lambda", NODE_NUMBER, false},     {"comparisons", NODE_LIST, false},
                                        {"secret", NODE_TEXT, false},       {"capped", NODE_LIST, false}};
  const struct node *found[6];
  enum status status = check_version(r, root);
  status = status == OK ? read_fields(r, root, fields, 6, found) : status;
  if (status != OK) {
    return status;
  }
  status = read_origin(r, found[1]);
  status = status == OK ? read_share(r, found[2], "lambda", &r->model->lambda) : status;
  if (status == OK && r->model->lambda >= 1) {
    status = fail_at(r, found[2], _("'%s' has to be below 1"), "lambda");
  }
  status = status == OK ? read_comparisons(r, found[3]) : status;
  if (status == OK && !hex_parse(found[4]->text, r->model->secret, sizeof r->model->secret)) {
    status = fail_at(r, found[4], "%s", _("the secret is a text of 32 hexadecimal digits"));
  }
  return status == OK ? read_capped(r, found[5]) : status;
}

enum status link_model_read(const char *name, struct slice text, struct link_model **model, struct error *error) {
  struct reading r = {.name = name, .text = text, .error = error};
  struct node *root = NULL;
  *model = NULL;
  r.nodes = arena_new(0);
  r.model = link_model_new();
  enum status status = r.nodes == NULL || r.model == NULL ? error_memory(error) : OK;
  if (status == OK) {
    status = json_read(text, r.nodes, &root, error);
    if (status != OK) {
      error_place(error, "%s", name);
    }
    if (status == ERR_INPUT) {
      status = error->code = ERR_CONFIG;
      error_hint(error, "%s", _("train again: puente link --train"));
    }
  }
  status = status == OK ? read_model(&r, root) : status;
  arena_free(r.nodes);
  if (status != OK) {
    link_model_free(r.model);
    return status;
  }
  *model = r.model;
  return OK;
}
