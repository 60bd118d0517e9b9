#include "core/resolve/history.h"

#include <stdlib.h>

/* How many rows of a cluster were called `id` before. */
struct share {
  int64_t id;
  int64_t first_row; /* lowest row id of the cluster: breaks ties without looking at positions */
  uint32_t cluster;
  uint32_t rows;
};

struct decision {
  struct store *store;
  enum cluster_kind kind;
  const struct staged_rows *rows;
  const uint32_t *cluster;
  struct history *history;
  struct resolve_counts *counts;
  struct error *error;
  struct member *members; /* as they stand, by row id */
  size_t member_count, member_capacity;
  bool *current;      /* by member: its row is a current one */
  int64_t *former;    /* by row: the id that it, or its former version, had; 0: none */
  int64_t *first_row; /* by cluster (position of its first row) */
  int64_t *decided;   /* by cluster: its id; 0: not yet */
  struct share *shares;
  size_t share_count;
};

static enum status take_member(void *context, const struct member *member, struct error *error) {
  struct decision *d = context;
  if (d->member_count == d->member_capacity) {
    size_t capacity = d->member_capacity == 0 ? 1024 : d->member_capacity * 2;
    struct member *members = realloc(d->members, capacity * sizeof *members);
    if (members == NULL) {
      return error_memory(error);
    }
    d->members = members;
    d->member_capacity = capacity;
  }
  d->members[d->member_count++] = *member;
  return OK;
}

static int by_row(const void *a, const void *b) {
  int64_t x = ((const struct member *)a)->row_id;
  int64_t y = ((const struct member *)b)->row_id;
  return (x > y) - (x < y);
}

static const struct member *find_member(const struct decision *d, int64_t row_id) {
  struct member wanted = {.row_id = row_id};
  return d->member_count == 0 ? NULL : bsearch(&wanted, d->members, d->member_count, sizeof *d->members, by_row);
}

/* A row that is no more: its id passes on to the version that took its place. */
static enum status take_former(void *context, const struct row *row, struct error *error) {
  struct decision *d = context;
  (void)error;
  const struct member *member = find_member(d, row->row_id);
  if (member == NULL || d->current[member - d->members]) {
    return OK;
  }
  uint32_t position = staged_find(d->rows, record_of(row->row_id), row->key);
  if (position != LINK_MISSING && d->former[position] == 0) {
    d->former[position] = member->id;
  }
  return OK;
}

static enum status read_former(struct decision *d, size_t count) {
  int64_t *ids = malloc(count * sizeof *ids);
  size_t at = 0;
  if (ids == NULL) {
    return error_memory(d->error);
  }
  for (size_t i = 0; i < d->member_count; i++) {
    if (!d->current[i]) {
      ids[at++] = d->members[i].row_id;
    }
  }
  struct row_filter filter = {.history = true, .rows = ids, .count = at};
  enum status status = store_visit_rows(d->store, d->rows->entity, &filter, take_former, d, d->error);
  free(ids);
  return status;
}

static enum status find_former(struct decision *d) {
  size_t found = 0;
  if (d->member_count == 0) {
    return OK;
  }
  qsort(d->members, d->member_count, sizeof *d->members, by_row);
  d->current = calloc(d->member_count, sizeof *d->current);
  if (d->current == NULL) {
    return error_memory(d->error);
  }
  for (size_t i = 0; i < d->rows->count; i++) {
    const struct member *member = find_member(d, d->rows->row_id[i]);
    if (member != NULL) {
      d->current[member - d->members] = true;
      d->former[i] = member->id;
      found++;
    }
  }
  return found == d->member_count ? OK : read_former(d, d->member_count - found);
}

static int by_id_and_cluster(const void *a, const void *b) {
  const struct share *x = a;
  const struct share *y = b;
  if (x->id != y->id) {
    return x->id < y->id ? -1 : 1;
  }
  return (x->cluster > y->cluster) - (x->cluster < y->cluster);
}

/* Largest part first; of equal parts the one with the oldest row. */
static int by_id_and_size(const void *a, const void *b) {
  const struct share *x = a;
  const struct share *y = b;
  if (x->id != y->id) {
    return x->id < y->id ? -1 : 1;
  }
  if (x->rows != y->rows) {
    return x->rows > y->rows ? -1 : 1;
  }
  return (x->first_row > y->first_row) - (x->first_row < y->first_row);
}

/* Most members first; of equal ids the oldest, which is the lowest. */
static int by_cluster_and_size(const void *a, const void *b) {
  const struct share *x = a;
  const struct share *y = b;
  if (x->cluster != y->cluster) {
    return x->cluster < y->cluster ? -1 : 1;
  }
  if (x->rows != y->rows) {
    return x->rows > y->rows ? -1 : 1;
  }
  return (x->id > y->id) - (x->id < y->id);
}

static enum status count_shares(struct decision *d) {
  size_t kept = 0;
  d->shares = malloc((d->rows->count + 1) * sizeof *d->shares);
  if (d->shares == NULL) {
    return error_memory(d->error);
  }
  for (size_t i = 0; i < d->rows->count; i++) {
    uint32_t cluster = d->cluster[i];
    if (d->first_row[cluster] == 0 || d->rows->row_id[i] < d->first_row[cluster]) {
      d->first_row[cluster] = d->rows->row_id[i];
    }
    if (d->former[i] != 0) {
      d->shares[d->share_count++] = (struct share){.id = d->former[i], .cluster = cluster, .rows = 1};
    }
  }
  if (d->share_count == 0) {
    return OK;
  }
  qsort(d->shares, d->share_count, sizeof *d->shares, by_id_and_cluster);
  for (size_t i = 0; i < d->share_count; i++) {
    if (i > 0 && by_id_and_cluster(&d->shares[kept - 1], &d->shares[i]) == 0) {
      d->shares[kept - 1].rows++;
    } else {
      d->shares[kept] = d->shares[i];
      d->shares[kept++].first_row = d->first_row[d->shares[i].cluster];
    }
  }
  d->share_count = kept;
  return OK;
}

static void redirect(struct decision *d, int64_t id, int64_t into) {
  d->history->redirects[d->history->redirect_count++] = (struct redirect){.id = id, .into = into};
}

static int by_id(const void *a, const void *b) {
  int64_t x = ((const struct member *)a)->id;
  int64_t y = ((const struct member *)b)->id;
  return (x > y) - (x < y);
}

/* Redirects to nothing the ids whose rows are all gone. Shares stand sorted by id. */
static enum status dissolve(struct decision *d) {
  size_t share = 0;
  struct member *ids = malloc((d->member_count + 1) * sizeof *ids);
  if (ids == NULL) {
    return error_memory(d->error);
  }
  if (d->member_count > 0) {
    memcpy(ids, d->members, d->member_count * sizeof *ids);
    qsort(ids, d->member_count, sizeof *ids, by_id);
  }
  for (size_t i = 0; i < d->member_count; i++) {
    while (share < d->share_count && d->shares[share].id < ids[i].id) {
      share++;
    }
    bool living = share < d->share_count && d->shares[share].id == ids[i].id;
    if (!living && (i == 0 || ids[i].id != ids[i - 1].id)) {
      redirect(d, ids[i].id, 0);
      d->counts->dissolved++;
    }
  }
  free(ids);
  return OK;
}

/* Each id goes to the cluster with its largest part; each cluster takes the one that most of its rows had, and the
 * others that came to it are redirected there. */
static enum status assign_former(struct decision *d) {
  size_t claims = 0;
  d->history->redirects = malloc((d->member_count + 1) * sizeof *d->history->redirects);
  if (d->history->redirects == NULL) {
    return error_memory(d->error);
  }
  if (d->share_count > 0) {
    qsort(d->shares, d->share_count, sizeof *d->shares, by_id_and_size);
  }
  enum status status = dissolve(d);
  if (status != OK || d->share_count == 0) {
    return status;
  }
  for (size_t i = 0; i < d->share_count; i++) {
    if (i == 0 || d->shares[i].id != d->shares[i - 1].id) {
      d->shares[claims++] = d->shares[i];
    }
  }
  qsort(d->shares, claims, sizeof *d->shares, by_cluster_and_size);
  for (size_t i = 0; i < claims; i++) {
    int64_t *decided = &d->decided[d->shares[i].cluster];
    if (*decided == 0) {
      *decided = d->shares[i].id;
    } else {
      redirect(d, d->shares[i].id, *decided);
      d->counts->merged++;
    }
  }
  return OK;
}

struct fresh {
  int64_t first_row;
  uint32_t cluster;
};

static int by_first_row(const void *a, const void *b) {
  int64_t x = ((const struct fresh *)a)->first_row;
  int64_t y = ((const struct fresh *)b)->first_row;
  return (x > y) - (x < y);
}

/* New ids in the order of the clusters' oldest rows, so that a replay gives the same. */
static enum status assign_new(struct decision *d) {
  size_t count = 0;
  int64_t first = 0;
  struct fresh *fresh = malloc((d->rows->count + 1) * sizeof *fresh);
  bool *split = calloc(d->rows->count + 1, sizeof *split);
  if (fresh == NULL || split == NULL) {
    free(fresh);
    free(split);
    return error_memory(d->error);
  }
  for (uint32_t i = 0; i < d->rows->count; i++) {
    split[d->cluster[i]] = split[d->cluster[i]] || d->former[i] != 0;
    if (d->cluster[i] == i && d->decided[i] == 0) {
      fresh[count++] = (struct fresh){.first_row = d->first_row[i], .cluster = i};
    }
  }
  enum status status = count == 0 ? OK : store_new_ids(d->store, d->kind, (int64_t)count, &first, d->error);
  if (status == OK && count > 0) {
    qsort(fresh, count, sizeof *fresh, by_first_row);
  }
  for (size_t i = 0; status == OK && i < count; i++) {
    d->decided[fresh[i].cluster] = first + (int64_t)i;
    d->counts->split += split[fresh[i].cluster];
    d->counts->created += !split[fresh[i].cluster];
  }
  free(fresh);
  free(split);
  return status;
}

static int by_number(const void *a, const void *b) {
  int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
  return left < right ? -1 : left > right;
}

static enum status write_changes(struct decision *d) {
  struct history *h = d->history;
  size_t count = d->rows->count;
  h->id = malloc((count + 1) * sizeof *h->id);
  h->opened = malloc((count + 1) * sizeof *h->opened);
  h->closed = malloc((d->member_count + 1) * sizeof *h->closed);
  if (h->id == NULL || h->opened == NULL || h->closed == NULL) {
    return error_memory(d->error);
  }
  for (size_t i = 0; i < count; i++) {
    int64_t id = d->decided[d->cluster[i]];
    const struct member *member = find_member(d, d->rows->row_id[i]);
    h->id[i] = id;
    if (member != NULL && member->id == id) {
      continue;
    }
    if (member != NULL) {
      h->closed[h->closed_count++] = member->row_id;
    }
    h->opened[h->opened_count++] = (struct member){.row_id = d->rows->row_id[i], .id = id};
  }
  for (size_t i = 0; i < d->member_count; i++) {
    if (!d->current[i]) {
      h->closed[h->closed_count++] = d->members[i].row_id;
    }
  }
  /* The order of the log's leaves, so that they can be made again from the store. */
  if (h->closed_count > 0) {
    qsort(h->closed, h->closed_count, sizeof *h->closed, by_number);
  }
  if (h->opened_count > 0) {
    qsort(h->opened, h->opened_count, sizeof *h->opened, by_row);
  }
  return OK;
}

/* Rows that were new and came to an id that was there before. */
static enum status count_absorbed(struct decision *d) {
  bool *kept = calloc(d->rows->count + 1, sizeof *kept);
  if (kept == NULL) {
    return error_memory(d->error);
  }
  for (size_t i = 0; i < d->rows->count; i++) {
    kept[d->cluster[i]] = kept[d->cluster[i]] || d->former[i] != 0;
  }
  for (size_t i = 0; i < d->rows->count; i++) {
    d->counts->absorbed += d->former[i] == 0 && kept[d->cluster[i]];
  }
  free(kept);
  return OK;
}

enum status history_decide(struct store *store, enum cluster_kind kind, const struct staged_rows *rows,
                           const struct row_set *among, const uint32_t *cluster, struct history *history,
                           struct resolve_counts *counts, struct error *error) {
  struct decision d = {.store = store,
                       .kind = kind,
                       .rows = rows,
                       .cluster = cluster,
                       .history = history,
                       .counts = counts,
                       .error = error};
  *history = (struct history){0};
  d.former = calloc(rows->count + 1, sizeof *d.former);
  d.first_row = calloc(rows->count + 1, sizeof *d.first_row);
  d.decided = calloc(rows->count + 1, sizeof *d.decided);
  bool made = d.former != NULL && d.first_row != NULL && d.decided != NULL;
  enum status status = made ? OK : error_memory(error);
  if (status == OK && among == NULL) {
    status = store_visit_members(store, kind, take_member, &d, error);
  } else if (status == OK) {
    status = store_visit_members_of(store, kind, among->ids, among->count, take_member, &d, error);
  }
  status = status == OK ? find_former(&d) : status;
  status = status == OK ? count_shares(&d) : status;
  status = status == OK ? assign_former(&d) : status;
  status = status == OK ? assign_new(&d) : status;
  status = status == OK ? write_changes(&d) : status;
  status = status == OK ? count_absorbed(&d) : status;
  free(d.members);
  free(d.current);
  free(d.former);
  free(d.first_row);
  free(d.decided);
  free(d.shares);
  return status;
}

void history_free(struct history *history) {
  free(history->id);
  free(history->closed);
  free(history->opened);
  free(history->redirects);
  *history = (struct history){0};
}
