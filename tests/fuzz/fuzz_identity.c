/* A stored identity: any bytes are decoded or refused, and nothing is read past their end. */
#include "core/store/internal.h"
#include "tests/fuzz/fuzz.h"

enum { COLUMNS = 6 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const int columns[] = {0, 2, 5};
  static uint8_t numbers[] = {1, 7, 127};
  const struct shelf shelf = {.identifiers = columns, .identifier_count = 3, .identifier_numbers = numbers};
  struct cell cells[COLUMNS] = {{.kind = CELL_NULL}};
  struct slice body = slice_none();
  struct error error = {.code = OK};
  enum status status = identity_decode(&shelf, slice_make((const char *)data, size), cells, &error);
  if (status != OK) {
    promise_error(status, &error);
    return 0;
  }
  struct store store = {.scratch = fuzz_arena()};
  struct cell again[COLUMNS] = {{.kind = CELL_NULL}};
  promise(identity_encode(&store, &shelf, cells, &body, &error) == OK, "what was decoded is encoded");
  promise(identity_decode(&shelf, body, again, &error) == OK, "and decoded again");
  for (size_t i = 0; i < 3; i++) {
    const struct cell *left = &cells[columns[i]], *right = &again[columns[i]];
    promise(left->kind == right->kind, "the same kind");
    promise(left->kind != CELL_TEXT
                || slice_equal(slice_make(left->text, left->len), slice_make(right->text, right->len)),
            "the same text");
    promise(left->kind != CELL_INTEGER || left->integer == right->integer, "the same number");
  }
  return 0;
}
