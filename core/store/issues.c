#include "core/store/stage.h"

#include <stdlib.h>

/* Issues that a raw version already has: how many ever, and a digest of those that are open. */
struct known {
  int64_t raw_id, last;
  struct sha256 open;
  bool same; /* just what was found now: nothing to write */
};

static int compare_known(const void *a, const void *b) {
  int64_t left = ((const struct known *)a)->raw_id, right = ((const struct known *)b)->raw_id;
  return left < right ? -1 : left > right;
}

enum { ISSUE_VALUES = 12, ISSUE_LEVEL = 2, ISSUE_LINE = 8 };

static void issue_values(struct store *store, const struct staging *staging, const struct issue *issue,
                         struct value *values) {
  values[0] = int_value(staging->records[issue->record].raw_id);
  values[1] = null_value();
  values[ISSUE_LEVEL] = int_value(issue->level);
  values[3] = text_value(issue->field);
  values[4] = text_value(issue->reason);
  values[5] = slice_value(db_text(store, slice_of(issue->path)));
  values[6] = slice_value(db_text(store, issue->shape));
  values[7] = slice_value(db_text(store, slice_of(issue->hint)));
  values[ISSUE_LINE] = int_value(issue->line);
  values[9] = int_value(staging->run);
  values[10] = null_value();
  values[11] = null_value();
}

/* A running digest over level … line of one issue after another. */
static struct sha256 digest_add(struct sha256 before, const struct value *values) {
  struct buffer text;
  buffer_init(&text, 1 << 20);
  buffer_append(&text, before.bytes, SHA256_SIZE);
  for (int i = ISSUE_LEVEL; i <= ISSUE_LINE; i++) {
    if (values[i].kind == VALUE_INTEGER) {
      buffer_printf(&text, "%lld", (long long)values[i].integer);
    } else if (values[i].kind == VALUE_TEXT) {
      buffer_printf(&text, "%u:", (unsigned)values[i].len);
      buffer_append(&text, values[i].text, values[i].len);
    }
    buffer_char(&text, ';');
  }
  struct sha256 after = sha256_of(buffer_view(&text));
  buffer_free(&text);
  return after;
}

static enum status read_known(struct store *store, const struct staging *staging, struct known *known,
                              struct error *error) {
  int64_t *raw_ids = arena_array(store->scratch, staging->count, sizeof *raw_ids);
  if (raw_ids == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < staging->count; i++) {
    raw_ids[i] = known[i].raw_id;
  }
  struct cursor *cursor;
  enum status status =
      db_query(store, error, &cursor,
               "SELECT s.raw_id, s.number, s.level, s.field, s.reason, s.path, s.shape, s.hint, s.line, s.closed_run "
               "FROM LIST(1) CROSS JOIN issue s WHERE s.raw_id = k.value ORDER BY s.raw_id, s.number",
               VALUES(list_value(raw_ids, staging->count)));
  if (status != OK) {
    return status;
  }
  while (status == OK && (status = store->ops->next(cursor, error)) == OK) {
    struct value values[10];
    for (size_t i = 0; i < 10; i++) {
      values[i] = store->ops->value(cursor, i);
    }
    struct known wanted = {.raw_id = values[0].integer};
    struct known *one = bsearch(&wanted, known, staging->count, sizeof *known, compare_known);
    if (one != NULL) {
      one->last = values[1].integer;
      if (values[9].kind == VALUE_NULL) {
        one->open = digest_add(one->open, values);
      }
    }
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

/* Versions whose open issues are no longer the ones just found: closed, to be written anew. */
static enum status close_changed(struct store *store, const struct staging *staging, struct known *known,
                                 struct error *error) {
  const struct batch *batch = staging->batch;
  struct sha256 *now = arena_array(store->scratch, staging->count, sizeof *now);
  int64_t *changed = arena_array(store->scratch, staging->count, sizeof *changed);
  if (now == NULL || changed == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < batch->issue_count; i++) {
    struct value values[ISSUE_VALUES];
    issue_values(store, staging, &batch->issues[i], values);
    now[batch->issues[i].record] = digest_add(now[batch->issues[i].record], values);
  }
  size_t count = 0;
  for (size_t i = 0; i < staging->count; i++) {
    struct known wanted = {.raw_id = staging->records[i].raw_id};
    struct known *one = bsearch(&wanted, known, staging->count, sizeof *known, compare_known);
    if (one != NULL) {
      one->same = memcmp(&one->open, &now[i], sizeof now[i]) == 0;
      if (!one->same) {
        changed[count++] = one->raw_id;
      }
    }
  }
  return db_execute(store, error,
                    "UPDATE issue SET closed_run = $2, closed_reason = 'mapped again' "
                    "WHERE raw_id IN (SELECT k.value FROM LIST(1)) AND closed_run IS NULL",
                    VALUES(list_value(changed, count), int_value(staging->run)));
}

enum status stage_issues(struct store *store, const struct staging *staging, struct error *error) {
  const struct batch *batch = staging->batch;
  if (batch->issue_count == 0 && staging->all_new) {
    return OK;
  }
  struct known *known = arena_array(store->scratch, staging->count, sizeof *known);
  if (known == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < staging->count; i++) {
    known[i] = (struct known){.raw_id = staging->records[i].raw_id};
  }
  qsort(known, staging->count, sizeof *known, compare_known);
  enum status status = staging->all_new ? OK : read_known(store, staging, known, error);
  if (status == OK && !staging->all_new) {
    status = close_changed(store, staging, known, error);
  }
  if (status != OK || batch->issue_count == 0) {
    return status;
  }
  status = store->ops->append_begin(store->driver, &TABLE_ISSUE, error);
  for (size_t i = 0; i < batch->issue_count && status == OK; i++) {
    struct value values[ISSUE_VALUES];
    issue_values(store, staging, &batch->issues[i], values);
    struct known wanted = {.raw_id = values[0].integer};
    struct known *one = bsearch(&wanted, known, staging->count, sizeof *known, compare_known);
    if (one == NULL || one->same) {
      continue;
    }
    values[1] = int_value(++one->last);
    status = store->ops->append_row(store->driver, values, error);
  }
  return status == OK ? store->ops->append_end(store->driver, error) : status;
}
