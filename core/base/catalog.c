/* The file is gettext's MO format: two sorted tables of (length, offset), of messages and of their translations. */
#include "core/base/catalog.h"

#include "core/base/file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CATALOG_LIMIT = 16 << 20 };

static const uint32_t magic = 0x950412DE;

struct catalog {
  struct buffer bytes;
  uint32_t count, messages, translations; /* offsets of the tables */
};

static uint32_t word_at(const struct catalog *catalog, size_t offset) {
  uint32_t word = 0;
  memcpy(&word, catalog->bytes.data + offset, sizeof word);
  return word;
}

/* Whether the tables and all texts, with the zero byte that ends them, lie within the file. */
static bool is_sound(const struct catalog *catalog) {
  size_t size = catalog->bytes.len;
  const uint32_t tables[] = {catalog->messages, catalog->translations};
  for (size_t t = 0; t < 2; t++) {
    if (tables[t] > size || catalog->count > (size - tables[t]) / 8) {
      return false;
    }
    for (uint32_t i = 0; i < catalog->count; i++) {
      size_t length = word_at(catalog, tables[t] + 8 * (size_t)i);
      size_t offset = word_at(catalog, tables[t] + 8 * (size_t)i + 4);
      if (offset >= size || length >= size - offset || catalog->bytes.data[offset + length] != '\0') {
        return false;
      }
    }
  }
  return true;
}

static enum status read_tables(struct catalog *catalog, const char *path, struct error *error) {
  bool good = catalog->bytes.len >= 20 && word_at(catalog, 0) == magic;
  if (good) {
    catalog->count = word_at(catalog, 8);
    catalog->messages = word_at(catalog, 12);
    catalog->translations = word_at(catalog, 16);
  }
  if (!good || !is_sound(catalog)) {
    error_set(error, ERR_CONFIG, "%s", _("the file of translated messages is broken"));
    error_place(error, "%s", path);
    return ERR_CONFIG;
  }
  return OK;
}

enum status catalog_open(const char *lang, struct catalog **catalog, struct error *error) {
  char path[PATH_MAX];
  const char *folder = bindtextdomain("puente", NULL);
  *catalog = NULL;
  snprintf(path, sizeof path, "%s/%s/LC_MESSAGES/puente.mo", folder != NULL ? folder : "", lang);
  if (access(path, R_OK) != 0) {
    return OK;
  }
  struct catalog *made = calloc(1, sizeof *made);
  if (made == NULL) {
    return error_memory(error);
  }
  enum status status = file_read(path, CATALOG_LIMIT, &made->bytes, error);
  status = status == OK ? read_tables(made, path, error) : status;
  if (status != OK) {
    catalog_close(made);
    return status;
  }
  *catalog = made;
  return OK;
}

void catalog_close(struct catalog *catalog) {
  if (catalog != NULL) {
    buffer_free(&catalog->bytes);
    free(catalog);
  }
}

const char *catalog_text(const struct catalog *catalog, const char *text) {
  uint32_t low = 0;
  uint32_t high = catalog != NULL ? catalog->count : 0;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    const char *message = catalog->bytes.data + word_at(catalog, catalog->messages + 8 * (size_t)middle + 4);
    int order = strcmp(text, message);
    if (order == 0) {
      return catalog->bytes.data + word_at(catalog, catalog->translations + 8 * (size_t)middle + 4);
    }
    low = order > 0 ? middle + 1 : low;
    high = order > 0 ? high : middle;
  }
  return text;
}
