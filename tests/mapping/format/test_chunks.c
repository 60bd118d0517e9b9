/* Every document of the corpus of pages at every chunk size: fed in pieces of one byte, of two, … of all but one, and
 * cut at random, it gives the records that it gives in one piece. Among them are byte order marks, CRLF, quotes,
 * Latin-1 and UTF-8 of several bytes, CDATA and entities. */
#include "core/base/file.h"
#include "core/base/folder.h"
#include "tests/support/pieces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define CORPUS "tests/fuzz/corpus/pages"
enum { PAGE_LIMIT = 1 << 20, RANDOM_CUTS = 25 };

static struct buffer whole, cut;
static unsigned long documents, runs;

static size_t draw(void *state) {
  uint64_t *seed = state;
  *seed = *seed * 6364136223846793005U + 1442695040888963407U;
  return 1 + (size_t)(*seed >> 33) % 11;
}

static void same(const char *path, const struct format *format, const struct format_options *options, struct slice page,
                 const struct cutter *cutter, size_t size) {
  pieces_run(format, options, page, cutter, &cut);
  runs++;
  if (!slice_equal(buffer_view(&whole), buffer_view(&cut))) {
    fail_msg("%s in pieces of %zu (0: random):\n%.*s\nwhole:\n%.*s", path, size, SLICE_ARG(buffer_view(&cut)),
             SLICE_ARG(buffer_view(&whole)));
  }
}

static void try_document(const char *path, struct slice bytes) {
  const struct format_options *options = NULL;
  const struct format *format = pieces_kind((unsigned char)bytes.data[0], &options);
  /* the second byte is the fuzzer's */
  struct slice page = slice_make(bytes.data + 2, bytes.len - 2);
  const struct cutter one = {pieces_whole, NULL};
  pieces_run(format, options, page, &one, &whole);
  for (size_t size = 1; size < page.len; size++) {
    const struct cutter fixed = {pieces_fixed, &size};
    same(path, format, options, page, &fixed, size);
  }
  for (uint64_t seed = 1; seed <= RANDOM_CUTS; seed++) {
    uint64_t state = seed;
    const struct cutter random = {draw, &state};
    same(path, format, options, page, &random, 0);
  }
  documents++;
}

static void every_chunk_size(void **state) {
  (void)state;
  struct arena *arena = arena_new(0);
  const char *const *paths = NULL;
  size_t count = 0;
  struct error error;
  buffer_init(&whole, 16 << 20);
  buffer_init(&cut, 16 << 20);
  assert_int_equal(folder_list(CORPUS, "", arena, &paths, &count, &error), OK);
  for (size_t i = 0; i < count; i++) {
    struct buffer bytes;
    assert_int_equal(file_read(paths[i], PAGE_LIMIT, &bytes, &error), OK);
    if (bytes.len >= 2) {
      try_document(paths[i], buffer_view(&bytes));
    }
    buffer_free(&bytes);
  }
  assert_true(documents >= 18);
  printf("chunks ok: documents=%lu runs=%lu\n", documents, runs);
  buffer_free(&whole);
  buffer_free(&cut);
  arena_free(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_chunk_size)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
