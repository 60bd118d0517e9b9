/* The files that linking leaves. Each is written under another name until it is complete. */
#include "core/base/file.h"
#include "core/link/model.h"
#include "core/service/dedupe.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHUNK = 1 << 20 };

struct leaving {
  const char *path;
  char part[PATH_MAX];
  FILE *out;
  struct buffer text; /* not yet written */
};

static enum status io_error(const char *path, int cause, struct error *error) {
  error_set(error, cause == ENOSPC || cause == EDQUOT ? ERR_FULL : ERR_IO, _("cannot write the file: %s"),
            strerror(cause));
  error_place(error, "%s", path);
  file_hint(cause, error);
  return error->code;
}

static enum status leaving_begin(struct leaving *leaving, const char *path, struct error *error) {
  leaving->path = path;
  int length = snprintf(leaving->part, sizeof leaving->part, "%s.%ld.part", path, (long)getpid());
  if (length < 0 || (size_t)length >= sizeof leaving->part) {
    return io_error(path, ENAMETOOLONG, error);
  }
  leaving->out = fopen(leaving->part, "wb");
  buffer_init(&leaving->text, (size_t)1 << 30);
  return leaving->out == NULL ? io_error(path, errno, error) : OK;
}

enum status dedupe_try_path(const char *path, struct error *error) {
  struct leaving leaving;
  if (path == NULL) {
    return OK;
  }
  enum status status = file_replaceable(path, error);
  status = status == OK ? leaving_begin(&leaving, path, error) : status;
  if (status == OK) {
    fclose(leaving.out);
    unlink(leaving.part);
  }
  return status;
}

static enum status leaving_flush(struct leaving *leaving, size_t least, struct error *error) {
  if (leaving->text.failed != OK) {
    return buffer_check(&leaving->text, _("a row"), error);
  }
  if (leaving->text.len < least) {
    return OK;
  }
  if (fwrite(leaving->text.data, 1, leaving->text.len, leaving->out) != leaving->text.len) {
    return io_error(leaving->path, errno, error);
  }
  buffer_reset(&leaving->text);
  return OK;
}

static enum status leaving_end(struct leaving *leaving, enum status status, struct error *error) {
  if (status == OK) {
    status = leaving_flush(leaving, 1, error);
  }
  if (status == OK && (fflush(leaving->out) != 0 || fsync(fileno(leaving->out)) != 0)) {
    status = io_error(leaving->path, errno, error);
  }
  if (leaving->out != NULL && fclose(leaving->out) != 0 && status == OK) {
    status = io_error(leaving->path, errno, error);
  }
  if (status == OK && rename(leaving->part, leaving->path) != 0) {
    status = io_error(leaving->path, errno, error);
  }
  if (status != OK && leaving->out != NULL) {
    unlink(leaving->part);
  }
  buffer_free(&leaving->text);
  return status;
}

static void put_cell(struct buffer *text, struct slice cell) {
  bool quoted = false;
  for (size_t i = 0; i < cell.len && !quoted; i++) {
    char c = cell.data[i];
    quoted = c == ',' || c == '"' || c == '\n' || c == '\r';
  }
  if (!quoted) {
    buffer_slice(text, cell);
    return;
  }
  buffer_char(text, '"');
  for (size_t i = 0; i < cell.len; i++) {
    if (cell.data[i] == '"') {
      buffer_char(text, '"');
    }
    buffer_char(text, cell.data[i]);
  }
  buffer_char(text, '"');
}

static void put_record(struct buffer *text, const struct sheet *sheet, size_t record) {
  put_cell(text, slice_of(sheet->files[sheet->source[record]].name));
  buffer_char(text, ',');
  put_cell(text, texts_at(&sheet->ids, record));
}

/* By hand: a line a record, millions of them. */
static void put_number(struct buffer *text, uint64_t number) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  buffer_append(text, digits + at, sizeof digits - at);
}

/* Clusters are numbered from 1 in the order of their first records. */
static uint32_t *number_clusters(const struct link_result *linked, size_t count) {
  uint32_t *numbers = calloc(count + 1, sizeof *numbers), last = 0;
  for (size_t i = 0; numbers != NULL && i < count; i++) {
    numbers[i] = linked->cluster[i] == i ? ++last : numbers[linked->cluster[i]];
  }
  return numbers;
}

enum status dedupe_write_clusters(const char *path, const struct sheet *sheet, const struct link_result *linked,
                                  struct error *error) {
  struct leaving leaving = {.path = path};
  uint32_t *numbers = number_clusters(linked, sheet->count);
  if (numbers == NULL) {
    return error_memory(error);
  }
  enum status status = leaving_begin(&leaving, path, error);
  buffer_text(&leaving.text, "source,record,cluster_id\n");
  for (size_t i = 0; status == OK && i < sheet->count; i++) {
    put_record(&leaving.text, sheet, i);
    buffer_char(&leaving.text, ',');
    put_number(&leaving.text, numbers[i]);
    buffer_char(&leaving.text, '\n');
    status = leaving_flush(&leaving, CHUNK, error);
  }
  free(numbers);
  return leaving_end(&leaving, status, error);
}

static void put_pair(struct buffer *text, const struct sheet *sheet, const struct link_plan *plan,
                     const struct link_pair *pair) {
  static const char *const outcomes[] = {[LINK_JOINED] = "joined", [LINK_WAITING] = "waiting", [LINK_APART] = "apart"};
  put_record(text, sheet, pair->a);
  buffer_char(text, ',');
  put_record(text, sheet, pair->b);
  buffer_printf(text, ",%.4f,%.6f,%s,%s,", (double)pair->weight, link_probability((double)pair->weight),
                outcomes[pair->outcome], link_reason_name((enum link_reason)pair->reason));
  if (pair->block != LINK_NO_RULE) {
    put_cell(text, slice_of(link_plan_block(plan, pair->block)));
  }
  buffer_char(text, ',');
  if (pair->verdict != LINK_NO_RULE) {
    put_cell(text, slice_of(link_plan_rule(plan, pair->verdict)));
  }
  buffer_char(text, '\n');
}

enum status dedupe_write_pairs(const char *path, const struct sheet *sheet, const struct link_plan *plan,
                               const struct link_result *linked, struct error *error) {
  struct leaving leaving = {.path = path};
  enum status status = leaving_begin(&leaving, path, error);
  buffer_text(&leaving.text,
              "source_a,record_a,source_b,record_b,weight,probability,outcome,reason,blocking_rule,rule\n");
  for (size_t i = 0; status == OK && i < linked->pair_count; i++) {
    put_pair(&leaving.text, sheet, plan, &linked->pairs[i]);
    status = leaving_flush(&leaving, CHUNK, error);
  }
  return leaving_end(&leaving, status, error);
}
