/* Document numbers: the Peruvian DNI with its check character, other kinds, and placeholders that identify nobody. */
#include "core/base/text.h"
#include "mapping/transform/transform.h"

enum { DNI_DIGITS = 8, CARD_DIGITS = 9, DOCUMENT_MOST = 32 };

struct document_settings {
  bool quarantine;
  int type_column; /* -1: the kind is not known */
};

static int type_column(struct compiler *compiler, const struct yaml *type, const struct entity *entity) {
  const char *name = type == NULL ? NULL : compile_scalar(compiler, type);
  if (name == NULL || entity == NULL) {
    return -1;
  }
  const struct field *field = entity_field(entity, slice_of(name));
  if (field == NULL || field->type != FIELD_CODE) {
    compile_mistake(compiler, type, NULL, _("type names a coded field of %s"), entity->name);
    return -1;
  }
  return field->column;
}

const void *transform_document_compile(struct compiler *compiler, const struct yaml *node, const struct yaml *rule,
                                       const struct entity *entity, const struct field *field) {
  (void)field;
  struct document_settings *settings = compile_alloc(compiler, 1, sizeof *settings);
  const char *text = compile_scalar(compiler, node);
  if (settings == NULL || text == NULL) {
    return settings;
  }
  settings->quarantine = strcmp(text, "quarantine") == 0;
  if (!settings->quarantine && strcmp(text, "warn") != 0) {
    compile_mistake(compiler, node, NULL, _("%s takes warn or quarantine"), node->key);
  }
  settings->type_column = type_column(compiler, yaml_get(rule, "type"), entity);
  return settings;
}

/* Capital letters and digits alone. */
static size_t compact(struct slice folded, char out[DOCUMENT_MOST]) {
  size_t len = 0;
  for (size_t i = 0; i < folded.len && len < DOCUMENT_MOST; i++) {
    char c = folded.data[i];
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')) {
      out[len++] = c;
    }
  }
  return len;
}

static bool is_placeholder(const char *text, size_t len) {
  static const char *const words[] = {"NN",
                                      "SD",
                                      "SN",
                                      "ND",
                                      "NA",
                                      "SINDOCUMENTO",
                                      "SINDOC",
                                      "SINDNI",
                                      "NOTIENE",
                                      "NOPORTA",
                                      "NOPRESENTA",
                                      "NOREGISTRA",
                                      "NOCONSIGNA",
                                      "NINGUNO",
                                      "DESCONOCIDO",
                                      "INDOCUMENTADO",
                                      "INDOCUMENTADA",
                                      "NOPRECISA",
                                      "12345678",
                                      "123456789",
                                      "1234567",
                                      "87654321",
                                      "01234567",
                                      "SINDATOS",
                                      "ENTRAMITE",
                                      "SINDATO"};
  struct slice whole = slice_make(text, len);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (slice_is(whole, words[i])) {
      return true;
    }
  }
  size_t same = 1;
  while (same < len && text[same] == text[0]) {
    same++;
  }
  return same == len && (text[0] == '0' || text[0] == 'X' || len >= 6);
}

static bool all_digits(const char *text, size_t len) {
  for (size_t i = 0; i < len; i++) {
    if (text[i] < '0' || text[i] > '9') {
      return false;
    }
  }
  return len > 0;
}

/* Registro Nacional de Identificación y Estado Civil: weighted sum modulo 11; a digit or a letter of the table. */
static bool check_fits(const char *digits, char check) {
  static const int weights[DNI_DIGITS] = {3, 2, 7, 6, 5, 4, 3, 2};
  int sum = 0;
  for (int i = 0; i < DNI_DIGITS; i++) {
    sum += weights[i] * (digits[i] - '0');
  }
  return check == "65432110987"[sum % 11] || check == "KJIHGFEDCBA"[sum % 11];
}

static void remark(struct value *value, const char *reason, bool grave) {
  value->fault = reason;
  value->mild = true;
  value->grave = grave;
}

/* Eight digits are kept; a zero that a spreadsheet ate is put back; a check character is tested and dropped. */
static size_t settle_dni(const struct document_settings *settings, char *text, size_t len, struct value *value) {
  if (len == DNI_DIGITS + 1 && all_digits(text, DNI_DIGITS)) {
    if (!check_fits(text, text[DNI_DIGITS])) {
      remark(value, "dni_check", false);
    }
    return DNI_DIGITS;
  }
  if (len == DNI_DIGITS && all_digits(text, len)) {
    return len;
  }
  remark(value, "document_length", settings->quarantine);
  if (len == DNI_DIGITS - 1 && all_digits(text, len)) {
    memmove(text + 1, text, len);
    text[0] = '0';
    return DNI_DIGITS;
  }
  return len;
}

enum document_kind { KIND_UNKNOWN, KIND_DNI, KIND_CARD };

static bool settle(const struct document_settings *settings, enum document_kind kind,
                   const struct transform_context *context, struct value *value) {
  char text[DOCUMENT_MOST + 1];
  struct slice folded = value->text;
  bool plain = value->text.len <= DOCUMENT_MOST && all_digits(value->text.data, value->text.len);
  if (!plain) {
    folded = text_fold(context->arena, value->text, false);
    if (folded.data == NULL) {
      return false;
    }
  }
  size_t len = compact(folded, text);
  if (len == 0 || is_placeholder(text, len)) {
    return value_missing(value, MISSING_NOT_RECORDED);
  }
  if (len == DOCUMENT_MOST) {
    return value_fault(value, "document_length");
  }
  if (kind == KIND_DNI) {
    len = settle_dni(settings, text, len, value);
  } else if (kind == KIND_CARD && (len != CARD_DIGITS || !all_digits(text, len))) {
    remark(value, "document_length", settings->quarantine);
  }
  if (plain && len == value->text.len && memcmp(text, value->text.data, len) == 0) {
    return true;
  }
  value->text = arena_copy(context->arena, slice_make(text, len));
  return value->text.data != NULL;
}

bool transform_dni(const void *settings, const struct transform_context *context, struct value *value) {
  return settle(settings, KIND_DNI, context, value);
}

bool transform_document(const void *settings, const struct transform_context *context, struct value *value) {
  const struct document_settings *document = settings;
  enum document_kind kind = KIND_UNKNOWN;
  if (document->type_column >= 0 && context->cells != NULL) {
    const struct cell *cell = &context->cells[document->type_column];
    struct slice type = cell->kind == CELL_TEXT ? slice_make(cell->text, cell->len) : slice_of("");
    kind = slice_is(type, "dni") ? KIND_DNI : slice_is(type, "foreigner_card") ? KIND_CARD : KIND_UNKNOWN;
  }
  return settle(settings, kind, context, value);
}
