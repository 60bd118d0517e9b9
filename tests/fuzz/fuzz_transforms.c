/* Values of any bytes through every transform: one record whose fields are the parts of the input (zero bytes between
 * them) under a mapping that uses them all. */
#include "core/base/text.h"
#include "mapping/plan.h"
#include "tests/fuzz/fuzz.h"

static const char MAPPING[] =
    "source: fuzz\nformat: row\nkey: id\n"
    "case:\n  key: id\n"
    "  denuncia_number: {from: a, clean: [trim, squeeze, upper]}\n"
    "  reported_on: {from: b, date: [\"%d/%m/%Y\", \"%Y-%m-%d\", \"%d de %B de %Y\"], else: unknown}\n"
    "  place: {from: c, ubigeo: inei, else: unknown}\n"
    "  offence: {from: a, lookup: offence, system: cp-2017, else: unknown}\n"
    "person:\n  key: [id, a]\n  role: victim\n"
    "  paternal_surname: {from: a, clean: [double_encoding, name]}\n"
    "  maternal_surname: {from: b, clean: [fold, alnum]}\n"
    "  given_names: {from: c, clean: [lower, digits]}\n"
    "  document_number: {from: b, dni: warn}\n"
    "  nationality: {from: a, lookup: country, else: unknown}\n"
    "  sex: {from: b, lookup: sex, values: {M: male, F: female, \"\": not_recorded}, else: unknown}\n"
    "  birth_date: {from: c, date: [\"%d/%m/%Y\", \"%Y\"], else: unknown}\n";

static struct model *model;
static struct codelists *lists;
static struct plan *plan;

static void load(void) {
  static const char *const folders[] = {"config/codelists"};
  struct error error = {.code = OK};
  if (plan == NULL) {
    promise(model_load("config/model", &model, &error) == OK, "the model is read");
    promise(codelists_load(folders, 1, &lists, &error) == OK, "the code lists are read");
    enum status status = plan_parse("fuzz.yaml", slice_of(MAPPING), model, lists, &plan, NULL, &error);
    promise(status == OK, error.message);
  }
}

static void check_rows(const struct batch *batch, const struct entity *entity) {
  const struct rows *rows = &batch->rows[entity->index];
  for (size_t row = 0; row < rows->count; row++) {
    for (size_t column = 0; column < entity->column_count; column++) {
      const struct cell *cell = &rows->cells[row * entity->column_count + column];
      promise(cell->kind != CELL_TEXT || utf8_valid(slice_make(cell->text, cell->len)), "a value is UTF-8");
    }
  }
}

/* What text makes of bytes by itself. */
static void try_text(struct slice bytes) {
  struct arena *arena = fuzz_arena();
  struct slice text = text_to_utf8(arena, bytes, ENCODING_WINDOWS_1252);
  promise(utf8_valid(text), "every byte has a meaning");
  promise(utf8_valid(text_repair_double(arena, text)), "repaired text is UTF-8");
  struct slice folded = text_fold(arena, text, true);
  promise(utf8_valid(folded), "folded text is UTF-8");
  promise(slice_equal(text_fold(arena, folded, true), folded), "what is folded stays");
  struct slice squeezed = text_squeeze(arena, text);
  promise(slice_equal(text_squeeze(arena, squeezed), squeezed), "what is squeezed stays");
  promise(utf8_valid(text_shape(arena, text, 40)), "a shape is UTF-8");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct slice input = slice_make((const char *)data, size);
  struct batch batch;
  struct error error = {.code = OK};
  enum outcome outcome = OUTCOME_MAPPED;
  static const char *const names[] = {"id", "a", "b", "c"};
  struct node fields[4], root = {.kind = NODE_OBJECT, .children = fields, .count = 4};
  load();
  try_text(input);
  struct arena *arena = fuzz_arena();
  for (size_t i = 0; i < 4; i++) {
    struct slice text = i == 0 ? slice_of("1") : text_to_utf8(arena, fuzz_part(&input), ENCODING_UTF8);
    fields[i] = (struct node){.name = slice_of(names[i]), .text = text, .kind = NODE_TEXT, .parent = &root};
    if (!utf8_valid(text)) {
      return 0; /* formats give UTF-8 only */
    }
  }
  promise(batch_init(&batch, model, &error) == OK, "a batch is made");
  promise(plan_apply(plan, &batch, &root, 0, &outcome, &error) == OK, "a value never stops the program");
  for (size_t i = 0; i < model->entity_count; i++) {
    check_rows(&batch, &model->entities[i]);
  }
  batch_free(&batch);
  return 0;
}
