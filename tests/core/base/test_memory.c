/* Slices, arenas, buffers and maps: what everything else is made of. */
#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

static void slices_compare_by_bytes(void **state) {
  (void)state;
  assert_true(slice_compare(slice_of("a"), slice_of("b")) < 0);
  assert_true(slice_compare(slice_of("a"), slice_of("ab")) < 0);
  assert_true(slice_compare(slice_of("Z"), slice_of("a")) < 0);
  assert_true(slice_compare(slice_of("\xC3\x91"), slice_of("z")) > 0);
  assert_int_equal(slice_compare(slice_of(""), (struct slice){0}), 0);
  assert_true(slice_equal(slice_of(""), (struct slice){0}));
  assert_false(slice_is(slice_of("ab"), "a"));
}

static void slices_trim_wide_spaces(void **state) {
  (void)state;
  assert_true(slice_is(slice_trim(slice_of("\xEF\xBB\xBF \t\xC2\xA0x y\xC2\xA0\r\n")), "x y"));
  assert_int_equal(slice_trim(slice_of(" \xC2\xA0 ")).len, 0);
  assert_true(slice_is(slice_trim(slice_of("\xC2x")), "\xC2x"));
}

static void arenas_zero_align_and_limit(void **state) {
  (void)state;
  struct arena *arena = arena_new(100000);
  arena_bytes(arena, 3);
  for (int round = 0; round < 2; round++) {
    unsigned char *memory = arena_alloc(arena, 1000);
    assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
    for (int i = 0; i < 1000; i++) {
      assert_int_equal(memory[i], 0);
      memory[i] = 0xAA;
    }
    assert_non_null(arena_bytes(arena, 90000)); /* past the first block */
    assert_false(arena_failed(arena));
    assert_null(arena_alloc(arena, 9500));
    assert_non_null(arena_bytes(arena, 1));
    assert_true(arena_failed(arena));
    assert_true(arena_used(arena) >= 91000);
    arena_reset(arena);
    assert_int_equal(arena_used(arena), 0);
  }
  assert_false(arena_failed(arena));
  assert_null(arena_array(arena, SIZE_MAX / 2, 3));
  assert_true(arena_failed(arena));
  assert_string_equal(arena_printf(arena, "%s-%d", "a", 7), "a-7");
  assert_string_equal(arena_text(arena, slice_make("abc", 2)), "ab");
  assert_non_null(arena_copy(arena, (struct slice){0}).data);
  arena_free(arena);
  arena_free(NULL);
}

static void buffers_stop_at_their_limit(void **state) {
  (void)state;
  struct buffer buffer;
  struct error error = {0};
  buffer_init(&buffer, 10);
  assert_int_equal(buffer_text(&buffer, "12345"), OK);
  assert_int_equal(buffer_printf(&buffer, "%d", 67890), OK);
  assert_string_equal(buffer.data, "1234567890");
  assert_int_equal(buffer_char(&buffer, 'x'), ERR_LIMIT);
  assert_int_equal(buffer_text(&buffer, ""), ERR_LIMIT);
  assert_int_equal(buffer_check(&buffer, "page", &error), ERR_LIMIT);
  assert_string_equal(error.message, "page is larger than its limit of 10 bytes");
  buffer_reset(&buffer);
  assert_int_equal(buffer_check(&buffer, "page", &error), OK);
  assert_int_equal(buffer_text(&buffer, "abcdef"), OK);
  buffer_drop_front(&buffer, 4);
  assert_string_equal(buffer.data, "ef");
  buffer_drop_front(&buffer, 40);
  assert_int_equal(buffer.len, 0);
  buffer_free(&buffer);
}

static void buffers_write_json_strings(void **state) {
  (void)state;
  struct buffer buffer;
  buffer_init(&buffer, 1000);
  buffer_json(&buffer, slice_of("a\"b\\\n\x01/\xC3\x91\xE2\x82\xAC\xF0\x9F\x98\x80\xFF\xC3"));
  assert_string_equal(buffer.data, "\"a\\\"b\\\\\\n\\u0001/\xC3\x91\xE2\x82\xAC\xF0\x9F\x98\x80"
                                   "\xEF\xBF\xBD\xEF\xBF\xBD\"");
  buffer_reset(&buffer);
  buffer_json(&buffer, (struct slice){0});
  assert_string_equal(buffer.data, "\"\"");
  buffer_free(&buffer);
}

static void maps_number_keys_in_order(void **state) {
  (void)state;
  struct map *map = map_new();
  char key[32];
  assert_int_equal(map_get(map, slice_of("k")), MAP_NONE);
  for (int round = 0; round < 2; round++) {
    for (uint32_t i = 0; i < 10000; i++) {
      int length = snprintf(key, sizeof key, "key-%u", i * 7919);
      assert_int_equal(map_intern(map, slice_make(key, (size_t)length)), i);
    }
  }
  assert_int_equal(map_count(map), 10000);
  assert_true(slice_is(map_key(map, 2), "key-15838"));
  assert_null(map_key(map, 10000).data);
  assert_int_equal(map_get(map, slice_of("key-15838")), 2);
  assert_int_equal(map_put(map, slice_of("key-15838"), 77), OK);
  assert_int_equal(map_get(map, slice_of("key-15838")), 77);
  assert_int_equal(map_count(map), 10000);
  map_clear(map);
  assert_int_equal(map_get(map, slice_of("key-15838")), MAP_NONE);
  assert_int_equal(map_intern(map, slice_of("")), 0);
  assert_int_equal(map_intern(map, slice_of("x")), 1);
  map_free(map);
  map_free(NULL);
}

static void many_keys_are_interned_as_one_by_one(void **state) {
  (void)state;
  enum { COUNT = 30000 };
  static char texts[COUNT][12];
  static struct slice keys[COUNT];
  static uint32_t values[COUNT];
  struct map *one = map_new(), *all = map_new();
  for (int i = 0; i < COUNT; i++) {
    snprintf(texts[i], sizeof texts[i], "%d", i * 7919 % 20011);
    keys[i] = i % 100 == 0 ? slice_none() : slice_of(texts[i]);
  }
  assert_int_equal(map_intern_all(all, keys, COUNT, values), OK);
  for (int i = 0; i < COUNT; i++) {
    assert_int_equal(values[i], i % 100 == 0 ? MAP_NONE : map_intern(one, keys[i]));
  }
  assert_int_equal(map_count(all), map_count(one));
  assert_int_equal(map_get(all, slice_none()), MAP_NONE);
  map_free(one);
  map_free(all);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(slices_compare_by_bytes),
      cmocka_unit_test(slices_trim_wide_spaces),
      cmocka_unit_test(arenas_zero_align_and_limit),
      cmocka_unit_test(buffers_stop_at_their_limit),
      cmocka_unit_test(buffers_write_json_strings),
      cmocka_unit_test(maps_number_keys_in_order),
      cmocka_unit_test(many_keys_are_interned_as_one_by_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
