/* A link configuration and a link model, parted by a zero byte. A plan that is accepted can be given a model of its
 * own, which is written and read again as it was. */
#include "core/link/model.h"
#include "tests/fuzz/fuzz.h"

enum { MODEL_LIMIT = 16 << 20 };

static void write_and_read(const struct link_model *model) {
  struct error error = {.code = OK};
  struct link_model *again = NULL;
  struct buffer first, second;
  buffer_init(&first, MODEL_LIMIT);
  buffer_init(&second, MODEL_LIMIT);
  promise(link_model_write(model, &first, &error) == OK, "a model is written");
  enum status status = link_model_read("model.json", buffer_view(&first), &again, &error);
  promise(status == OK, error.message);
  promise(link_model_write(again, &second, &error) == OK, "and written again");
  promise(slice_equal(buffer_view(&first), buffer_view(&second)), "the same bytes");
  link_model_free(again);
  buffer_free(&first);
  buffer_free(&second);
}

static void try_plan(const struct link_plan *plan) {
  struct error error = {.code = OK};
  struct link_model *model = NULL;
  const char *const *names = NULL;
  size_t columns = link_plan_columns(plan, &names);
  promise(columns > 0 && names != NULL && link_plan_block_count(plan) > 0, "a plan compares and blocks");
  enum status status = link_model_for(plan, &model, &error);
  if (status != OK) {
    promise_error(status, &error);
    return;
  }
  promise(link_model_matches(model, plan, &error) == OK, "a plan's own model fits it");
  write_and_read(model);
  link_model_free(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct slice input = slice_make((const char *)data, size);
  struct error error = {.code = OK};
  struct link_plan *plan = NULL;
  struct link_model *model = NULL;
  enum status status = link_plan_load(fuzz_file("link.yaml", fuzz_part(&input)), &plan, &error);
  if (status == OK) {
    try_plan(plan);
  } else {
    promise_error(status, &error);
    promise(plan == NULL, "no plan where it is refused");
  }
  error = (struct error){.code = OK};
  status = link_model_read("model.json", input, &model, &error);
  if (status == OK) {
    write_and_read(model);
    link_model_free(model);
  } else {
    promise_error(status, &error);
  }
  link_plan_free(plan);
  return 0;
}
