#include "core/sync/spool.h"

#include "core/base/file.h"
#include "core/base/map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PARTS = 5, PART_LIMIT = 1 << 30 };

struct spool {
  FILE *file;
  char *folder;
  struct map *memories; /* contents taken in this pass */
  int64_t pages;
};

/* Before the parts of a page: bytes, cursor, watermark, memory, origin. */
struct head {
  uint64_t lengths[PARTS];
  int64_t source_count;
  uint32_t begins, ends;
};

static void page_parts(struct page *page, struct buffer *parts[PARTS]) {
  parts[0] = &page->bytes;
  parts[1] = &page->cursor;
  parts[2] = &page->watermark;
  parts[3] = &page->memory;
  parts[4] = &page->origin;
}

/* ---- the file ---- */

static enum status spool_folder(const struct config *config, struct spool *spool, struct error *error) {
  const char *wanted = getenv("TMPDIR");
  if (wanted == NULL || wanted[0] == '\0') {
    wanted = config->store == STORE_SQLITE ? config->store_path : "/var/tmp/";
    const char *slash = wanted == NULL ? NULL : strrchr(wanted, '/');
    spool->folder = slash == NULL ? strdup(".") : strndup(wanted, (size_t)(slash - wanted));
  } else {
    spool->folder = strdup(wanted);
  }
  return spool->folder == NULL ? error_memory(error) : OK;
}

static enum status spool_failed(const struct spool *spool, int cause, struct error *error) {
  bool full = cause == ENOSPC || cause == EDQUOT || cause == EFBIG;
  error_set(error, full ? ERR_FULL : ERR_IO, _("what is pulled cannot be kept until the swap: %s"), strerror(cause));
  error_place(error, "%s", spool->folder);
  error_hint(error, _("free space there, or set TMPDIR to a folder of a larger disk; the store is as it was"));
  return error->code;
}

enum status spool_new(const struct config *config, struct spool **spool, struct error *error) {
  *spool = NULL;
  struct spool *made = calloc(1, sizeof *made);
  if (made == NULL) {
    return error_memory(error);
  }
  made->memories = map_new();
  enum status status = made->memories == NULL ? error_memory(error) : spool_folder(config, made, error);
  if (status == OK) {
    int file = file_unnamed(made->folder);
    made->file = file < 0 ? NULL : fdopen(file, "w+");
    status = made->file == NULL ? spool_failed(made, errno, error) : OK;
    if (status != OK && file >= 0) {
      close(file);
    }
  }
  if (status != OK) {
    spool_free(made);
    return status;
  }
  *spool = made;
  return OK;
}

void spool_free(struct spool *spool) {
  if (spool != NULL) {
    if (spool->file != NULL) {
      fclose(spool->file);
    }
    map_free(spool->memories);
    free(spool->folder);
    free(spool);
  }
}

static enum status spool_write(struct spool *spool, struct page *page, struct error *error) {
  struct buffer *parts[PARTS];
  struct head head = {.source_count = page->source_count, .begins = page->begins, .ends = page->ends};
  page_parts(page, parts);
  for (size_t i = 0; i < PARTS; i++) {
    head.lengths[i] = parts[i]->len;
  }
  errno = 0;
  bool written = fwrite(&head, sizeof head, 1, spool->file) == 1;
  for (size_t i = 0; written && i < PARTS; i++) {
    written = parts[i]->len == 0 || fwrite(parts[i]->data, parts[i]->len, 1, spool->file) == 1;
  }
  if (!written) {
    return spool_failed(spool, errno, error);
  }
  spool->pages++;
  bool kept = page->memory.len == 0 || map_intern(spool->memories, buffer_view(&page->memory)) != MAP_NONE;
  return kept ? OK : error_memory(error);
}

/* ---- filling ---- */

static enum status spool_remembers(void *core, const char *memory, bool *known, struct error *error) {
  const struct spool *spool = core;
  (void)error;
  *known = map_get(spool->memories, slice_of(memory)) != MAP_NONE;
  return OK;
}

static enum status spool_pages(struct spool *spool, const struct connector *connector, struct connection *connection,
                               const struct pull *pull, struct page *page, const struct progress *progress,
                               struct error *error) {
  for (;;) {
    if (pull->stop != NULL && atomic_load(pull->stop)) {
      return error_set(error, ERR_INTERRUPTED, _("stopped by a signal; nothing was swapped"));
    }
    page_reset(page);
    enum status status = connector->next(connection, page, error);
    status = status == OK ? spool_write(spool, page, error) : status;
    if (status != OK) {
      if (status != END && status != ERR_INTERRUPTED && page->origin.len > 0) {
        error_place(error, "%.*s", SLICE_ARG(buffer_view(&page->origin)));
      }
      return status;
    }
    progress_step(progress, pull->source, spool->pages, -1);
  }
}

enum status spool_fill(struct spool *spool, const struct connector *connector, const struct pull *pull,
                       size_t page_limit, const struct progress *progress, struct error *error) {
  struct pull whole = *pull;
  struct connection *connection = NULL;
  struct page page;
  whole.remembers = whole.remembers_last = spool_remembers;
  whole.core = spool;
  page_init(&page, page_limit);
  enum status status = connector->open(&whole, &connection, error);
  if (status == OK) {
    status = spool_pages(spool, connector, connection, &whole, &page, progress, error);
  }
  if (connection != NULL) {
    connector->close(connection);
  }
  page_free(&page);
  if (status != END) {
    return status;
  }
  errno = 0;
  return fflush(spool->file) == 0 ? OK : spool_failed(spool, errno, error);
}

/* ---- reading back ---- */

struct connection {
  struct spool *spool;
  int64_t left;
};

static enum status spooled_open(const struct pull *pull, struct connection **connection, struct error *error) {
  struct connection *made = calloc(1, sizeof *made);
  if (made == NULL) {
    return error_memory(error);
  }
  /* The reader hands its options on as they are; the spool's position is all that changes. */
  struct spool *const *spool = pull->options;
  made->spool = *spool;
  made->left = made->spool->pages;
  *connection = made;
  rewind(made->spool->file);
  return OK;
}

static enum status read_part(struct spool *spool, size_t length, struct buffer *part, struct error *error) {
  if (length == 0) {
    return OK;
  }
  if (length > PART_LIMIT || buffer_reserve(part, length) != OK) {
    return buffer_check(part, _("page"), error);
  }
  errno = 0;
  if (fread(part->data, length, 1, spool->file) != 1) {
    return spool_failed(spool, errno != 0 ? errno : EIO, error);
  }
  part->len = length;
  part->data[length] = '\0';
  return OK;
}

static enum status spooled_next(struct connection *connection, struct page *page, struct error *error) {
  struct spool *spool = connection->spool;
  struct buffer *parts[PARTS];
  struct head head;
  if (connection->left == 0) {
    return END;
  }
  connection->left--;
  errno = 0;
  if (fread(&head, sizeof head, 1, spool->file) != 1) {
    return spool_failed(spool, errno != 0 ? errno : EIO, error);
  }
  page_parts(page, parts);
  enum status status = OK;
  for (size_t i = 0; status == OK && i < PARTS; i++) {
    status = read_part(spool, (size_t)head.lengths[i], parts[i], error);
  }
  page->source_count = head.source_count;
  page->begins = head.begins != 0;
  page->ends = head.ends != 0;
  return status;
}

static void spooled_close(struct connection *connection) {
  free(connection);
}

static enum status spooled_probe(const struct pull *pull, probe_report *report, void *context, struct page *first,
                                 struct error *error) {
  (void)pull, (void)report, (void)context, (void)first;
  return error_set(error, ERR_INTERNAL, "a spool is not probed");
}

const struct connector connector_spooled = {
    .name = "spool",
    .description = "",
    .open = spooled_open,
    .next = spooled_next,
    .close = spooled_close,
    .probe = spooled_probe,
};
