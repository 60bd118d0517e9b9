#include "core/service/surname.h"

#include "core/base/file.h"
#include "core/link/standard.h"

#include <stdlib.h>

enum { LIST_MOST = 1 << 20 };

/* Names are compared by their Andean key of sound (core/link/standard.h). */
struct surnames {
  struct standard standard;
  struct map *whole, *begins; /* keys of names, and of the beginnings of names */
};

static enum status add_line(struct surnames *surnames, struct slice line, struct error *error) {
  char key[NAME_TOKEN_BYTES_MOST + 1];
  struct name name;
  bool begins = line.len > 0 && line.data[line.len - 1] == '*';
  line.len -= begins;
  enum status status = standard_name(&surnames->standard, line, &name, error);
  if (status != OK || name.count == 0) {
    return status;
  }
  size_t len = standard_andean(standard_token(&surnames->standard, name.tokens[0]), key);
  return map_intern(begins ? surnames->begins : surnames->whole, slice_make(key, len)) == MAP_NONE ? error_memory(error)
                                                                                                   : OK;
}

static enum status read_list(const char *path, struct surnames *surnames, struct error *error) {
  struct buffer text;
  buffer_init(&text, LIST_MOST);
  enum status status = file_read(path, LIST_MOST, &text, error);
  for (size_t at = 0; status == OK && at < text.len;) {
    const char *end = memchr(text.data + at, '\n', text.len - at);
    size_t len = end == NULL ? text.len - at : (size_t)(end - text.data) - at;
    struct slice line = slice_trim(slice_make(text.data + at, len));
    if (line.len > 0 && line.data[0] != '#') {
      status = add_line(surnames, line, error);
    }
    at += len + 1;
  }
  buffer_free(&text);
  return status;
}

enum status surnames_read(const char *path, struct surnames **surnames, struct error *error) {
  struct surnames *made = calloc(1, sizeof *made);
  *surnames = NULL;
  if (made == NULL) {
    return error_memory(error);
  }
  made->whole = map_new();
  made->begins = map_new();
  enum status status =
      made->whole == NULL || made->begins == NULL ? error_memory(error) : standard_init(&made->standard, error);
  status = status == OK ? read_list(path, made, error) : status;
  if (status != OK) {
    surnames_free(made);
    return status;
  }
  *surnames = made;
  return OK;
}

void surnames_free(struct surnames *surnames) {
  if (surnames != NULL) {
    map_free(surnames->whole);
    map_free(surnames->begins);
    standard_free(&surnames->standard);
    free(surnames);
  }
}

static bool is_andean(const struct surnames *surnames, struct slice key) {
  bool found = map_get(surnames->whole, key) != MAP_NONE;
  for (size_t len = 1; len <= key.len && !found; len++) {
    found = map_get(surnames->begins, slice_make(key.data, len)) != MAP_NONE;
  }
  return found;
}

enum status surname_of(struct surnames *surnames, struct slice text, enum surname *kind, struct error *error) {
  struct name name;
  *kind = SURNAME_NONE;
  enum status status = standard_name(&surnames->standard, text, &name, error);
  for (uint32_t i = 0; status == OK && i < name.count && *kind != SURNAME_ANDEAN; i++) {
    char key[NAME_TOKEN_BYTES_MOST + 1];
    size_t len = standard_andean(standard_token(&surnames->standard, name.tokens[i]), key);
    *kind = is_andean(surnames, slice_make(key, len)) ? SURNAME_ANDEAN : SURNAME_OTHER;
  }
  return status;
}
