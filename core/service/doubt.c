#include "core/service/doubt.h"

#include "core/base/buffer.h"
#include "core/service/linked.h"

#include <stdlib.h>

/* Staged rows first: waiting pairs and unlinkable rows name them; then the ids that they belong to. */
struct gathering {
  struct doubt *doubt;
  struct buffer waiting;    /* struct doubt_pair, of rows */
  struct buffer unlinkable; /* int64_t, rows */
  struct member *rows;      /* by row, each once; id 0: of none */
  size_t count;
};

#define ROWS_LIMIT ((size_t)1 << 34)

static enum status take_waiting(void *context, const struct waiting_pair *waiting, struct error *error) {
  struct gathering *gathering = context;
  const struct doubt_pair rows = {waiting->pair.row_a, waiting->pair.row_b};
  buffer_append(&gathering->waiting, &rows, sizeof rows);
  return buffer_check(&gathering->waiting, "pairs", error);
}

static enum status take_unlinkable(void *context, int64_t row_id, struct error *error) {
  struct gathering *gathering = context;
  buffer_append(&gathering->unlinkable, &row_id, sizeof row_id);
  return buffer_check(&gathering->unlinkable, "rows", error);
}

/* ---- rows ---- */

static int by_row(const void *a, const void *b) {
  int64_t x = ((const struct member *)a)->row_id, y = ((const struct member *)b)->row_id;
  return (x > y) - (x < y);
}

static enum status list_rows(struct gathering *gathering, struct error *error) {
  size_t waiting = 2 * (gathering->waiting.len / sizeof(struct doubt_pair));
  size_t unlinkable = gathering->unlinkable.len / sizeof(int64_t);
  gathering->rows = calloc(waiting + unlinkable + 1, sizeof *gathering->rows);
  if (gathering->rows == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < waiting + unlinkable; i++) {
    const char *from = i < waiting ? gathering->waiting.data + i * sizeof(int64_t)
                                   : gathering->unlinkable.data + (i - waiting) * sizeof(int64_t);
    memcpy(&gathering->rows[i].row_id, from, sizeof(int64_t));
  }
  qsort(gathering->rows, waiting + unlinkable, sizeof *gathering->rows, by_row);
  for (size_t i = 0; i < waiting + unlinkable; i++) {
    if (i == 0 || gathering->rows[i].row_id != gathering->rows[i - 1].row_id) {
      gathering->rows[gathering->count++] = gathering->rows[i];
    }
  }
  return OK;
}

static enum status take_member(void *context, const struct member *member, struct error *error) {
  const struct gathering *gathering = context;
  struct member *row = bsearch(member, gathering->rows, gathering->count, sizeof *row, by_row);
  (void)error;
  if (row != NULL) {
    row->id = member->id;
  }
  return OK;
}

static int64_t id_of(const struct gathering *gathering, int64_t row_id) {
  const struct member wanted = {.row_id = row_id};
  const struct member *row = bsearch(&wanted, gathering->rows, gathering->count, sizeof *row, by_row);
  return row == NULL ? 0 : row->id;
}

/* ---- ids ---- */

static int by_id(const void *a, const void *b) {
  int64_t x = ((const struct doubt_id *)a)->id, y = ((const struct doubt_id *)b)->id;
  return (x > y) - (x < y);
}

static struct doubt_id *find(const struct doubt *doubt, int64_t id) {
  const struct doubt_id wanted = {.id = id};
  return bsearch(&wanted, doubt->ids, doubt->count, sizeof wanted, by_id);
}

static int64_t root_of(const struct doubt *doubt, int64_t id) {
  struct doubt_id *at = find(doubt, id);
  while (at->root != at->id) {
    struct doubt_id *above = find(doubt, at->root);
    at->root = above->root;
    at = above;
  }
  return at->id;
}

static enum status list_ids(struct gathering *gathering, struct error *error) {
  struct doubt *doubt = gathering->doubt;
  size_t count = 0;
  doubt->ids = calloc(gathering->count + 1, sizeof *doubt->ids);
  if (doubt->ids == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < gathering->count; i++) {
    int64_t id = gathering->rows[i].id;
    if (id != 0) {
      doubt->ids[count++] = (struct doubt_id){.id = id, .root = id};
    }
  }
  qsort(doubt->ids, count, sizeof *doubt->ids, by_id);
  for (size_t i = 0; i < count; i++) {
    if (i == 0 || doubt->ids[i].id != doubt->ids[i - 1].id) {
      doubt->ids[doubt->count++] = doubt->ids[i];
    }
  }
  return OK;
}

static void count_unlinkable(const struct gathering *gathering) {
  for (size_t i = 0; i < gathering->unlinkable.len / sizeof(int64_t); i++) {
    int64_t row_id;
    memcpy(&row_id, gathering->unlinkable.data + i * sizeof row_id, sizeof row_id);
    int64_t id = id_of(gathering, row_id);
    if (id != 0) {
      find(gathering->doubt, id)->unlinkable++;
    }
  }
}

/* Union by the lesser id, with halved paths. */
static enum status join_ids(const struct gathering *gathering, struct error *error) {
  struct doubt *doubt = gathering->doubt;
  size_t count = gathering->waiting.len / sizeof(struct doubt_pair);
  doubt->pairs = calloc(count + 1, sizeof *doubt->pairs);
  if (doubt->pairs == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < count; i++) {
    struct doubt_pair pair;
    memcpy(&pair, gathering->waiting.data + i * sizeof pair, sizeof pair);
    pair.a = id_of(gathering, pair.a);
    pair.b = id_of(gathering, pair.b);
    if (pair.a == 0 || pair.b == 0 || pair.a == pair.b) {
      continue; /* a row that is no more; two that are one already by others */
    }
    doubt->pairs[doubt->pair_count++] = pair;
    int64_t a = root_of(doubt, pair.a), b = root_of(doubt, pair.b);
    find(doubt, a < b ? b : a)->root = a < b ? a : b;
  }
  for (size_t i = 0; i < doubt->count; i++) {
    doubt->ids[i].root = root_of(doubt, doubt->ids[i].id);
  }
  return OK;
}

/* A linking that counted unlinkable rows and did not name them leaves none to be found. */
static enum status check_unlinkable(struct store *store, enum cluster_kind kind, struct gathering *gathering,
                                    struct error *error) {
  struct arena *arena = arena_new(0);
  struct linked linked;
  enum status status = arena == NULL ? error_memory(error) : linked_read(store, arena, &linked, error);
  if (status == OK) {
    gathering->doubt->unlinkable_unknown = gathering->unlinkable.len == 0 && linked.kinds[kind].unlinkable > 0;
  }
  arena_free(arena);
  return status;
}

enum status doubt_read(struct store *store, enum cluster_kind kind, struct doubt *doubt, struct error *error) {
  struct gathering gathering = {.doubt = doubt};
  *doubt = (struct doubt){.count = 0};
  buffer_init(&gathering.waiting, ROWS_LIMIT);
  buffer_init(&gathering.unlinkable, ROWS_LIMIT);
  enum status status = store_visit_waiting(store, kind, 0, take_waiting, &gathering, error);
  status = status == OK ? store_visit_unlinkable(store, kind, take_unlinkable, &gathering, error) : status;
  status = status == OK ? check_unlinkable(store, kind, &gathering, error) : status;
  status = status == OK ? list_rows(&gathering, error) : status;
  if (status == OK && gathering.count > 0) {
    status = store_visit_members(store, kind, take_member, &gathering, error);
  }
  status = status == OK ? list_ids(&gathering, error) : status;
  status = status == OK ? join_ids(&gathering, error) : status;
  if (status == OK) {
    count_unlinkable(&gathering);
  }
  buffer_free(&gathering.waiting);
  buffer_free(&gathering.unlinkable);
  free(gathering.rows);
  return status;
}

void doubt_free(struct doubt *doubt) {
  free(doubt->ids);
  free(doubt->pairs);
  *doubt = (struct doubt){.count = 0};
}
