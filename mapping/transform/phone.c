/* Telephone numbers in the international form +51987654321 (ITU-T E.164: at most 15 digits). */
#include "mapping/transform/transform.h"

enum { PHONE_LEAST = 6, PHONE_MOST = 15, CALLING_CODE_MOST = 4, LOCAL_LEAST = 8 };

struct phone_settings {
  char code[CALLING_CODE_MOST + 1];
  size_t len;
};

const void *transform_phone_compile(struct compiler *compiler, const struct yaml *node, const struct yaml *rule,
                                    const struct entity *entity, const struct field *field) {
  (void)rule;
  (void)entity;
  (void)field;
  struct phone_settings *settings = compile_alloc(compiler, 1, sizeof *settings);
  const char *text = compile_scalar(compiler, node);
  if (settings == NULL || text == NULL) {
    return settings;
  }
  size_t len = strlen(text);
  if (text[0] != '+' || len < 2 || len > CALLING_CODE_MOST || strspn(text + 1, "0123456789") != len - 1) {
    compile_mistake(compiler, node, _("for example phone: \"+51\""), _("phone takes a calling code"));
    return settings;
  }
  settings->len = len - 1;
  memcpy(settings->code, text + 1, settings->len);
  return settings;
}

enum { DIGITS_MOST = PHONE_MOST + 3 };

/* Digits of the text; false where something else than the usual signs stands between them, or too many. */
static bool read_digits(struct slice text, char digits[DIGITS_MOST], size_t *count, bool *international) {
  size_t len = 0;
  for (size_t i = 0; i < text.len; i++) {
    char c = text.data[i];
    if (c == '+' && len == 0) {
      *international = true;
    } else if (c >= '0' && c <= '9') {
      if (len == DIGITS_MOST) {
        return false;
      }
      digits[len++] = c;
    } else if (strchr(" -./()", c) == NULL) {
      return false;
    }
  }
  *count = len;
  return true;
}

bool transform_phone(const void *settings, const struct transform_context *context, struct value *value) {
  const struct phone_settings *phone = settings;
  char digits[DIGITS_MOST];
  size_t len = 0, zeros = 0;
  bool international = false;
  if (!read_digits(value->text, digits, &len, &international)) {
    return value_fault(value, "phone_unreadable");
  }
  while (zeros < len && digits[zeros] == '0') {
    zeros++;
  }
  len -= zeros;
  bool has_code =
      phone->len > 0 && len >= phone->len + LOCAL_LEAST && memcmp(digits + zeros, phone->code, phone->len) == 0;
  size_t code = international || zeros == 2 || has_code ? 0 : phone->len;
  if (len < PHONE_LEAST || len + code > PHONE_MOST) {
    return value_fault(value, "phone_unreadable");
  }
  char *out = arena_bytes(context->arena, len + code + 1);
  if (out == NULL) {
    return false;
  }
  out[0] = '+';
  memcpy(out + 1, phone->code, code);
  memcpy(out + 1 + code, digits + zeros, len);
  value->text = slice_make(out, len + code + 1);
  return true;
}
