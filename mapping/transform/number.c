/* Numbers with either decimal sign, and yes and no. */
#include "mapping/transform/transform.h"

#include "core/base/text.h"

struct decimal_settings {
  char decimal, thousands;
};

const void *transform_decimal_compile(struct compiler *compiler, const struct yaml *node, const struct yaml *rule,
                                      const struct entity *entity, const struct field *field) {
  (void)rule;
  (void)entity;
  (void)field;
  struct decimal_settings *settings = compile_alloc(compiler, 1, sizeof *settings);
  node = node == NULL ? compiler->defaults.decimal : node;
  const char *text = node == NULL ? "." : compile_scalar(compiler, node);
  if (settings == NULL || text == NULL) {
    return settings;
  }
  if (strcmp(text, ".") != 0 && strcmp(text, ",") != 0) {
    compile_mistake(compiler, node, NULL, _("decimal takes \".\" or \",\""));
  }
  settings->decimal = *text;
  settings->thousands = *text == ',' ? '.' : ',';
  return settings;
}

/* Groups of three after a thousands sign. */
static bool group_fits(struct slice text, size_t at) {
  size_t digits = 0;
  while (at + 1 + digits < text.len && text.data[at + 1 + digits] >= '0' && text.data[at + 1 + digits] <= '9') {
    digits++;
  }
  return digits == 3 && at > 0;
}

static bool is_plain_integer(struct slice text) {
  size_t at = text.len > 0 && text.data[0] == '-';
  bool plain = text.len > at && text.len < 18 && (text.data[at] != '0' || text.len == at + 1);
  for (; plain && at < text.len; at++) {
    plain = text.data[at] >= '0' && text.data[at] <= '9';
  }
  return plain;
}

/* Digits and the decimal point, without thousands signs; `*point` is where the fraction begins, 0: none. */
static bool take_digits(const struct decimal_settings *signs, struct slice text, char *out, size_t *length,
                        size_t *point) {
  size_t len = 0;
  for (size_t at = 0; at < text.len; at++) {
    char c = text.data[at];
    if (c >= '0' && c <= '9') {
      out[len++] = c;
    } else if (c == signs->decimal && *point == 0 && len > 0) {
      out[len++] = '.';
      *point = len;
    } else if (c != signs->thousands || *point != 0 || !group_fits(text, at)) {
      return false;
    }
  }
  *length = len;
  return len > 0;
}

/* Canonical: no thousands, no zeros before the number or after its fraction, no sign but a needed minus. */
static bool canonical(const struct decimal_settings *signs, struct slice text, char *out, size_t *length) {
  bool negative = text.len > 0 && text.data[0] == '-';
  size_t skip = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+'), len = 0, point = 0, zeros = 0;
  if (!take_digits(signs, slice_make(text.data + skip, text.len - skip), out + 1, &len, &point)) {
    return false;
  }
  char *digits = out + 1;
  while (point != 0 && digits[len - 1] == '0') {
    len--;
  }
  len -= point != 0 && digits[len - 1] == '.';
  size_t whole = point == 0 ? len : point - 1;
  while (zeros + 1 < whole && digits[zeros] == '0') {
    zeros++;
  }
  negative = negative && !(len - zeros == 1 && digits[zeros] == '0');
  memmove(out + negative, digits + zeros, len - zeros);
  out[0] = negative ? '-' : out[0];
  *length = len - zeros + negative;
  return true;
}

bool transform_decimal(const void *settings, const struct transform_context *context, struct value *value) {
  if (is_plain_integer(value->text)) {
    return true;
  }
  if (value->text.len > 64) {
    return value_fault(value, "number_unreadable");
  }
  char *out = arena_bytes(context->arena, value->text.len + 2);
  size_t length = 0;
  if (out == NULL) {
    return false;
  }
  if (!canonical(settings, value->text, out, &length)) {
    return value_fault(value, "number_unreadable");
  }
  value->text = slice_make(out, length);
  return true;
}

bool transform_boolean(const void *settings, const struct transform_context *context, struct value *value) {
  static const char *const yes[] = {"SI", "S", "TRUE", "VERDADERO", "V", "1", "X", "YES", "T"};
  static const char *const no[] = {"NO", "N", "FALSE", "FALSO", "F", "0"};
  (void)settings;
  if (value->text.len > 12) {
    return value_fault(value, "boolean_unreadable");
  }
  struct slice folded = text_fold(context->arena, value->text, true);
  for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
    if (slice_is(folded, yes[i])) {
      value->text = slice_of("true");
      return true;
    }
  }
  for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
    if (slice_is(folded, no[i])) {
      value->text = slice_of("false");
      return true;
    }
  }
  return folded.data != NULL && value_fault(value, "boolean_unreadable");
}
