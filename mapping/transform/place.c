/* Ubigeo codes by their declared system, as far down as the workspace's code list goes. */
#include "mapping/transform/transform.h"

enum { DISTRICT_DIGITS = 6 };

struct ubigeo_settings {
  const struct codelist *list;
  const char *system;
  bool has_districts;
};

const void *transform_ubigeo_compile(struct compiler *compiler, const struct yaml *node, const struct yaml *rule,
                                     const struct entity *entity, const struct field *field) {
  (void)rule;
  (void)entity;
  struct ubigeo_settings *settings = compile_alloc(compiler, 1, sizeof *settings);
  const char *system = compile_scalar(compiler, node);
  if (settings == NULL || system == NULL) {
    return settings;
  }
  settings->list = compile_list(compiler, node, field == NULL ? "place" : field->codelist);
  settings->system = compile_text(compiler, system);
  if (settings->list == NULL) {
    return settings;
  }
  if (!codelist_has_system(settings->list, system)) {
    size_t count = 0;
    const char *const *systems = codelist_systems(settings->list, &count);
    compile_mistake(compiler, node, compile_nearest(compiler, system, systems, count),
                    _("code list '%s' has no system '%.64s'"), codelist_name(settings->list), system);
  }
  for (size_t i = 0; i < codelist_size(settings->list) && !settings->has_districts; i++) {
    settings->has_districts = strlen(codelist_at(settings->list, i)->code) == DISTRICT_DIGITS;
  }
  return settings;
}

/* Digits alone, with the leading zero that a spreadsheet ate; 0 where it is no ubigeo. */
static size_t ubigeo_digits(struct slice text, char digits[DISTRICT_DIGITS]) {
  size_t count = 0, len = 0;
  for (size_t i = 0; i < text.len; i++) {
    bool digit = text.data[i] >= '0' && text.data[i] <= '9';
    if (!digit && strchr(" .-", text.data[i]) == NULL) {
      return 0;
    }
    count += digit;
  }
  if (count == 0 || count > DISTRICT_DIGITS) {
    return 0;
  }
  if (count % 2 == 1) {
    digits[len++] = '0';
  }
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] >= '0' && text.data[i] <= '9') {
      digits[len++] = text.data[i];
    }
  }
  return len;
}

static bool only_zeros(const char *text, size_t len) {
  while (len > 0 && text[len - 1] == '0') {
    len--;
  }
  return len == 0;
}

bool transform_ubigeo(const void *settings, const struct transform_context *context, struct value *value) {
  (void)context;
  const struct ubigeo_settings *ubigeo = settings;
  char digits[DISTRICT_DIGITS];
  size_t len = ubigeo_digits(value->text, digits);
  for (size_t known = len; known >= 2; known -= 2) {
    const struct code *code =
        codelist_lookup(ubigeo->list, ubigeo->system, slice_make(digits, known), (struct date){0});
    if (code == NULL) {
      continue;
    }
    /* 150000 is the whole department in some registries. */
    if (known < len && ubigeo->has_districts && !only_zeros(digits + known, len - known)) {
      value->fault = "ubigeo_partial";
      value->mild = true;
    }
    value->text = slice_of(code->code);
    return true;
  }
  return value_fault(value, "ubigeo_unknown");
}
