/* Transforms of any text. */
#include "mapping/transform/transform.h"

#include "core/base/text.h"

static bool set(struct value *value, struct slice text) {
  value->text = text;
  return text.data != NULL || text.len == 0;
}

bool transform_trim(const void *settings, const struct transform_context *context, struct value *value) {
  (void)settings;
  (void)context;
  value->text = slice_trim(value->text);
  return true;
}

bool transform_squeeze(const void *settings, const struct transform_context *context, struct value *value) {
  (void)settings;
  return set(value, text_squeeze(context->arena, value->text));
}

bool transform_upper(const void *settings, const struct transform_context *context, struct value *value) {
  (void)settings;
  return set(value, text_upper(context->arena, value->text));
}

bool transform_lower(const void *settings, const struct transform_context *context, struct value *value) {
  (void)settings;
  return set(value, text_lower(context->arena, value->text));
}

bool transform_fold(const void *settings, const struct transform_context *context, struct value *value) {
  (void)settings;
  return set(value, text_fold(context->arena, value->text, true));
}

bool transform_double_encoding(const void *settings, const struct transform_context *context, struct value *value) {
  (void)settings;
  bool plain = true;
  for (size_t i = 0; plain && i < value->text.len; i++) {
    plain = (unsigned char)value->text.data[i] < 0x80;
  }
  return plain || set(value, text_repair_double(context->arena, value->text));
}

/* The bytes that `keep` keeps. */
static bool filter(const struct transform_context *context, struct value *value, bool (*keep)(unsigned char c)) {
  char *bytes = arena_bytes(context->arena, value->text.len + 1);
  size_t len = 0;
  for (size_t i = 0; bytes != NULL && i < value->text.len; i++) {
    if (keep((unsigned char)value->text.data[i])) {
      bytes[len++] = value->text.data[i];
    }
  }
  value->text = slice_make(bytes, len);
  return bytes != NULL;
}

static bool is_digit(unsigned char c) {
  return c >= '0' && c <= '9';
}

/* Letters beyond ASCII are kept whole. */
static bool is_letter_or_digit(unsigned char c) {
  return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80;
}

bool transform_digits(const void *settings, const struct transform_context *context, struct value *value) {
  (void)settings;
  return filter(context, value, is_digit);
}

bool transform_alnum(const void *settings, const struct transform_context *context, struct value *value) {
  (void)settings;
  return filter(context, value, is_letter_or_digit) && set(value, text_upper(context->arena, value->text));
}
