#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena *arena;

static int open_arena(void **state) {
  (void)state;
  arena = arena_new(0);
  return arena == NULL;
}
static int close_arena(void **state) {
  (void)state;
  arena_free(arena);
  return 0;
}

static void assert_text(struct slice found, const char *wanted) {
  assert_string_equal(arena_text(arena, found), wanted);
}

static void encodings_have_names(void **state) {
  (void)state;
  enum encoding encoding;
  assert_true(encoding_parse(slice_of("Windows-1252"), &encoding));
  assert_int_equal(encoding, ENCODING_WINDOWS_1252);
  assert_true(encoding_parse(slice_of(" ISO-8859-1"), &encoding));
  assert_string_equal(encoding_name(encoding), "iso-8859-1");
  assert_false(encoding_parse(slice_of("utf-16"), &encoding));
}

static void every_byte_of_windows_1252_means_something(void **state) {
  (void)state;
  char bytes[128];
  for (int i = 0; i < 128; i++) {
    bytes[i] = (char)(128 + i);
  }
  struct slice text = text_to_utf8(arena, slice_make(bytes, 128), ENCODING_WINDOWS_1252);
  assert_true(utf8_valid(text));
  assert_memory_equal(text.data, "\xE2\x82\xAC\xC2\x81\xE2\x80\x9A", 8);
  text = text_to_utf8(arena, slice_make(bytes, 128), ENCODING_LATIN1);
  assert_memory_equal(text.data, "\xC2\x80\xC2\x81\xC2\x82", 6);
  struct slice plain = slice_of("plain");
  assert_ptr_equal(text_to_utf8(arena, plain, ENCODING_LATIN1).data, plain.data);
}

static void utf8_is_checked(void **state) {
  (void)state;
  assert_true(utf8_valid(slice_of("Ñandú €😀, and a longer tail of ASCII")));
  static const char *const wrong[] = {"\xC3", "a\x80", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    assert_false(utf8_valid(slice_of(wrong[i])));
  }
}

/* UTF-8 read as windows-1252 and written as UTF-8 again, as an extract does it. */
static struct slice doubled(struct slice text) {
  return text_to_utf8(arena, text, ENCODING_WINDOWS_1252);
}

static void doubled_text_is_repaired(void **state) {
  (void)state;
  assert_text(text_repair_double(arena, slice_of("129-Ã‘")), "129-Ñ");
  static const char *const texts[] = {"Á", "Í", "Ï", "Ð", "Ý", "ÁÉÍÓÚÑ áéíóúñ ü", "Ñuñoa — “x”", "€"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    struct slice once = doubled(slice_of(texts[i]));
    assert_text(text_repair_double(arena, once), texts[i]);
    assert_text(text_repair_double(arena, doubled(once)), texts[i]);
  }
}

static void sound_text_stays(void **state) {
  (void)state;
  static const char *const texts[] = {"", "ASCII", "Ñ", "Núñez", "ÁÉ", "Ã", "Â", "日本", "Ñ and Ã‘", "\xFF\xFE"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    assert_text(text_repair_double(arena, slice_of(texts[i])), texts[i]);
  }
}

static void folding_keeps_enye_where_asked(void **state) {
  (void)state;
  assert_text(text_fold(arena, slice_of("Núñez del Águila"), true), "NUÑEZ DEL AGUILA");
  assert_text(text_fold(arena, slice_of("Núñez del Águila"), false), "NUNEZ DEL AGUILA");
  assert_text(text_fold(arena,
                        slice_of("Nu\xCC\x81n\xCC\x83"
                                 "ez"),
                        true),
              "NUÑEZ");
  assert_text(text_fold(arena,
                        slice_of("Nu\xCC\x81n\xCC\x83"
                                 "ez"),
                        false),
              "NUNEZ");
  assert_text(text_fold(arena, slice_of("straße æther þ"), true), "STRASSE AETHER TH");
  assert_text(text_fold(arena, slice_of("Šimůnek"), true), "SIMUNEK");
  assert_text(text_fold(arena, slice_of("Šimůnek Þór Æsir Ørsted Ñañez"), true), "SIMUNEK THOR AESIR ORSTED ÑAÑEZ");
  assert_text(text_fold(arena, slice_of(""), true), "");
  assert_text(text_fold(arena, slice_of("สมชาย"), true), "สมชาย");
}

static void case_changes_beyond_ascii(void **state) {
  (void)state;
  assert_text(text_upper(arena, slice_of("niña x9")), "NIÑA X9");
  assert_text(text_lower(arena, slice_of("NIÑA X9")), "niña x9");
  assert_text(text_lower(arena, slice_of("@[AZ]`{az}")), "@[az]`{az}");
}

static void spaces_are_squeezed(void **state) {
  (void)state;
  struct slice clean = slice_of("a b");
  assert_ptr_equal(text_squeeze(arena, clean).data, clean.data);
  assert_text(text_squeeze(arena, slice_of("  a\t\xC2\xA0 b\nc ")), "a b c");
}

static void shapes_show_no_value(void **state) {
  (void)state;
  assert_text(text_shape(arena, slice_of("31/03/2019"), 20), "99/99/9999");
  assert_text(text_shape(arena, slice_of("Ñuñez-P 4٣"), 20), "Aaaa-AAAA 99");
  assert_text(text_shape(arena, slice_of("Quispe Mamani"), 5), "Aaaa …");
  assert_text(text_shape(arena, slice_of("日本\x01\xFF"), 9), "aaaa??");
  assert_text(text_shape(arena, slice_of("x"), 0), "");
  /* The length of a code is the code: of two that a field may have, neither shape says which it is. */
  static const char *const alike[][2] = {{"female", "male"}, {"F", "M"},    {"SI", "NO"},        {"true", "false"},
                                         {"1", "12"},        {"Sí", "No"},  {"HOMBRE", "MUJER"}, {"hola", "adiós"},
                                         {"9", "17"},        {"ชาย", "หญิง"}};
  for (size_t i = 0; i < sizeof alike / sizeof *alike; i++) {
    struct slice one = text_shape(arena, slice_of(alike[i][0]), 60);
    assert_true(slice_equal(one, text_shape(arena, slice_of(alike[i][1]), 60)));
  }
}

static void nearest_names_are_near(void **state) {
  (void)state;
  static const char *const names[] = {"paternal_surname", "maternal_surname", "sex", "document"};
  assert_string_equal(text_nearest(slice_of("paternal_surnam"), names, 4), "paternal_surname");
  assert_string_equal(text_nearest(slice_of("docuemnt"), names, 4), "document");
  assert_string_equal(text_nearest(slice_of("sez"), names, 4), "sex");
  assert_null(text_nearest(slice_of("offence"), names, 4));
  assert_null(text_nearest(slice_of(""), names, 4));
}

static void numbers_are_whole_texts(void **state) {
  (void)state;
  int64_t value = 0;
  assert_true(text_to_int64(slice_of("-9223372036854775808"), &value));
  assert_true(value == INT64_MIN);
  assert_true(text_to_int64(slice_of("+7"), &value));
  assert_int_equal(value, 7);
  static const char *const wrong[] = {"", "-", "9223372036854775808", "7x", " 7", "0x7", "1e3"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    assert_false(text_to_int64(slice_of(wrong[i]), &value));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(encodings_have_names),      cmocka_unit_test(every_byte_of_windows_1252_means_something),
      cmocka_unit_test(utf8_is_checked),           cmocka_unit_test(doubled_text_is_repaired),
      cmocka_unit_test(sound_text_stays),          cmocka_unit_test(folding_keeps_enye_where_asked),
      cmocka_unit_test(case_changes_beyond_ascii), cmocka_unit_test(spaces_are_squeezed),
      cmocka_unit_test(shapes_show_no_value),      cmocka_unit_test(nearest_names_are_near),
      cmocka_unit_test(numbers_are_whole_texts),
  };
  return cmocka_run_group_tests(tests, open_arena, close_arena);
}
