/* A code list's file, a table of districts to import, and a text that is looked up, parted by zero bytes. */
#include "mapping/codelist.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>

static void look(const struct codelists *lists, struct slice text) {
  const struct date any = {.precision = DATE_NONE};
  const struct codelist *list = codelists_find(lists, "fuzz");
  if (list == NULL) {
    return;
  }
  for (size_t i = 0; i < codelist_size(list); i++) {
    const struct code *code = codelist_at(list, i);
    promise(codelist_code(list, slice_of(code->code)) == code, "a code is found by itself");
  }
  size_t count = 0;
  const char *const *systems = codelist_systems(list, &count);
  for (size_t i = 0; i < count; i++) {
    promise(codelist_has_system(list, systems[i]), "a system is found by its name");
    codelist_lookup(list, systems[i], text, any);
  }
  codelist_lookup(list, NULL, text, any);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct slice input = slice_make((const char *)data, size);
  struct error error = {.code = OK};
  struct codelists *lists = NULL;
  struct codelist_import result = {.rows = 0};
  fuzz_file("lists/fuzz.yaml", fuzz_part(&input));
  char folder[128];
  snprintf(folder, sizeof folder, "%s/lists", fuzz_folder());
  const char *folders[] = {folder};
  enum status status = codelists_load(folders, 1, &lists, &error);
  const char *csv = fuzz_file("districts.csv", fuzz_part(&input));
  if (status == OK) {
    look(lists, input);
    codelists_free(lists);
  } else {
    promise_error(status, &error);
  }
  error = (struct error){.code = OK};
  char target[160];
  snprintf(target, sizeof target, "%s/place.yaml", fuzz_folder());
  status = codelist_import_ubigeo(csv, target, &result, &error);
  promise(status != OK || result.accepted + result.rejected == result.rows, "every row is counted once");
  if (status != OK) {
    promise_error(status, &error);
  }
  return 0;
}
