/* A mapping file and a record that it is applied to, parted by a zero byte. A mapping that is refused says where and
 * why; one that is accepted gives the same rows twice. */
#include "mapping/plan.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

static struct model *model;
static struct codelists *lists;

static void load(void) {
  static const char *const folders[] = {"config/codelists"};
  struct error error;
  if (model == NULL) {
    promise(model_load("config/model", &model, &error) == OK, "the model is read");
    promise(codelists_load(folders, 1, &lists, &error) == OK, "the code lists are read");
  }
}

static size_t rows_of(const struct batch *batch) {
  size_t count = batch->issue_count;
  for (size_t i = 0; i < MODEL_ENTITIES_MOST; i++) {
    count += batch->rows[i].count;
  }
  return count;
}

/* Rows and issues that came of it. */
static size_t apply(const struct plan *plan, const struct node *root, enum outcome *outcome) {
  struct batch batch;
  struct error error = {.code = OK};
  struct slice key;
  promise(batch_init(&batch, model, &error) == OK, "a batch is made");
  enum status status = plan_key(plan, &batch, root, &key, &error);
  promise(status == OK || status == ERR_INPUT, "a record has a key or is told why not");
  plan_refuses(plan, &batch, root);
  plan_deletes(plan, &batch, root);
  promise(plan_apply(plan, &batch, root, 0, outcome, &error) == OK, "a record never stops the program");
  size_t rows = rows_of(&batch);
  batch_free(&batch);
  return rows;
}

static void try_record(const struct plan *plan, struct slice record) {
  const struct format *format = plan_format(plan);
  bool json = strcmp(format->name, "json") == 0;
  struct slice context = slice_of(json || strcmp(format->name, "xml") == 0
                                      ? "{}"
                                      : "{\"header\":[\"id\",\"a\",\"b\",\"c\"],\"delimiter\":\",\",\"quote\":\"\\\"\","
                                        "\"encoding\":\"utf-8\"}");
  struct decoder *decoder = NULL;
  struct node *root = NULL;
  struct error error = {.code = OK};
  enum outcome first = OUTCOME_MAPPED, second = OUTCOME_MAPPED;
  if (format->decoder_new(context, &decoder, &error) != OK) {
    return;
  }
  if (format->parse(decoder, record, fuzz_arena(), &root, &error) == OK) {
    size_t rows = apply(plan, root, &first);
    promise(apply(plan, root, &second) == rows && first == second, "mapping is deterministic");
  }
  format->decoder_free(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct slice input = slice_make((const char *)data, size);
  struct slice text = fuzz_part(&input);
  struct error error = {.code = OK};
  struct plan *plan = NULL;
  struct buffer mistakes;
  load();
  buffer_init(&mistakes, 1 << 20);
  enum status status = plan_parse("fuzz.yaml", text, model, lists, &plan, &mistakes, &error);
  if (status == OK) {
    promise(plan_source(plan) != NULL && plan_format(plan) != NULL, "a plan is whole");
    try_record(plan, input);
    plan_free(plan);
  } else {
    promise_error(status, &error);
    promise(plan == NULL, "no plan where it is refused");
  }
  buffer_free(&mistakes);
  return 0;
}
