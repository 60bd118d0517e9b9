#include "core/link/walk.h"

#include "core/link/crew.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { TASK_PAIRS = 1 << 16, FEW_LANES = 4 };
/* So many entries ahead a member's row and the place of its keys are called for, then its keys and values. */
enum { CALL_ROWS = 48, CALL_VALUES = 16 };

/* Entries of whole blocks, or some records of one large block against those after them. */
struct task {
  size_t from, to;
  size_t first, last; /* of a large block: records taken as `a`; last 0: whole blocks */
};

/* Keys of one rule as columns of a block's members. */
struct slot_group {
  uint16_t rule;
  uint16_t first, count; /* columns */
  uint16_t used;         /* by any member of the block */
  bool own;              /* the rule's own: an earlier key of it makes the pair one seen before */
};

struct walker {
  const struct walk *walk;
  struct block_index index;
  struct task *tasks;
  size_t task_count, task_capacity;
  size_t longest; /* block */
  atomic_size_t next;
  atomic_bool stop, interrupted, out_of_memory;
  atomic_uint_fast64_t proposed, wanted;
};

/* A block's members, gathered so that the inner loop runs in cache. */
struct bench {
  struct walker *walker;
  uint32_t *records, *rows;
  uint32_t *keys; /* by slot, `stride` members */
  size_t stride;
  struct slot_group groups[LINK_RULES_MOST];
  size_t group_count;
  size_t called, called_to; /* entries */
  uint64_t proposed, wanted;
  unsigned thread;
};

/* ---- tasks ---- */

static enum status add_task(struct walker *walker, const struct task *task, struct error *error) {
  if (walker->task_count == walker->task_capacity) {
    size_t capacity = walker->task_capacity == 0 ? 256 : walker->task_capacity * 2;
    struct task *tasks = realloc(walker->tasks, capacity * sizeof *tasks);
    if (tasks == NULL) {
      return error_memory(error);
    }
    walker->tasks = tasks;
    walker->task_capacity = capacity;
  }
  walker->tasks[walker->task_count++] = *task;
  return OK;
}

static enum status split_block(struct walker *walker, size_t from, size_t length, struct error *error) {
  enum status status = OK;
  for (size_t first = 0, last; status == OK && first + 1 < length; first = last) {
    uint64_t pairs = 0;
    for (last = first; last + 1 < length && pairs < TASK_PAIRS; last++) {
      pairs += length - 1 - last;
    }
    struct task task = {.from = from, .to = from + length, .first = first, .last = last};
    status = add_task(walker, &task, error);
  }
  return status;
}

/* The greatest key whose block is walked. Keys are hashes, so that a prefix of them is a fair choice, the same in any
 * order of the records. */
static uint32_t key_most(const struct walker *walker) {
  uint64_t total = 0;
  for (size_t at = 0, length; at < walker->index.count; at += length) {
    length = block_index_length(&walker->index, at);
    total += (uint64_t)length * (length - 1) / 2;
  }
  uint64_t most = walker->walk->pairs_most;
  return most == 0 || total <= most ? UINT32_MAX : (uint32_t)((double)UINT32_MAX * ((double)most / (double)total));
}

/* The block at `at` is one to walk: a record alone in its block makes no pair. */
static bool is_walked(const struct block_index *index, size_t at, size_t length, uint32_t most) {
  return length > 1 && index->entries[at].key <= most;
}

enum { STRETCHES = 1 << 16 };

/* Records that follow each other are a stretch: that of a block's first one. */
static size_t stretch_of(const struct walker *walker, size_t at) {
  return (size_t)((uint64_t)walker->index.entries[at].record * STRETCHES
                  / walker->walk->blocks->prepared->records->count);
}

/* Leaves the blocks to walk, in the order of their first records, nearly: by their keys they stand in no order, and
 * each record would be fetched from afar as often as it has keys. */
static enum status arrange_blocks(struct walker *walker, struct error *error) {
  struct block_index *index = &walker->index;
  uint32_t most = key_most(walker);
  size_t *starts = calloc(STRETCHES + 1, sizeof *starts);
  for (size_t at = 0, length; starts != NULL && at < index->count; at += length) {
    length = block_index_length(index, at);
    if (is_walked(index, at, length, most)) {
      starts[stretch_of(walker, at) + 1] += length;
    }
  }
  for (size_t i = 0; starts != NULL && i < STRETCHES; i++) {
    starts[i + 1] += starts[i];
  }
  size_t count = starts == NULL ? 0 : starts[STRETCHES];
  struct block_entry *arranged = malloc((count + 1) * sizeof *arranged);
  if (starts == NULL || arranged == NULL) {
    free(starts);
    free(arranged);
    return error_memory(error);
  }
  for (size_t at = 0, length; at < index->count; at += length) {
    length = block_index_length(index, at);
    if (is_walked(index, at, length, most)) {
      size_t *start = &starts[stretch_of(walker, at)];
      memcpy(arranged + *start, index->entries + at, length * sizeof *arranged);
      *start += length;
    }
  }
  free(starts);
  free(index->entries);
  *index = (struct block_index){.entries = arranged, .count = count};
  return OK;
}

static enum status make_tasks(struct walker *walker, struct error *error) {
  struct task task = {0};
  uint64_t pairs = 0;
  enum status status = OK;
  size_t length;
  for (size_t at = 0; status == OK && at < walker->index.count; at += length) {
    length = block_index_length(&walker->index, at);
    uint64_t here = (uint64_t)length * (length - 1) / 2;
    walker->longest = length > walker->longest ? length : walker->longest;
    if (here > 2 * (uint64_t)TASK_PAIRS || pairs + here > 2 * (uint64_t)TASK_PAIRS) {
      status = pairs > 0 ? add_task(walker, &task, error) : OK;
      pairs = 0;
    }
    if (status == OK && here > 2 * (uint64_t)TASK_PAIRS) {
      status = split_block(walker, at, length, error);
    } else if (here > 0) {
      task.from = pairs == 0 ? at : task.from;
      task.to = at + length;
      pairs += here;
    }
  }
  return status == OK && pairs > 0 ? add_task(walker, &task, error) : status;
}

/* ---- calling ahead: rows, keys and values are far away in memory, and in no order ---- */

static void call_rows(const struct bench *bench, size_t at) {
  const struct blocks *blocks = bench->walker->walk->blocks;
  size_t width = blocks->prepared->width;
  const uint32_t *row = blocks->prepared->rows + bench->walker->index.entries[at].record * width;
  __builtin_prefetch(row);
  __builtin_prefetch(row + width - 1);
  if (bench->group_count > 0) {
    __builtin_prefetch(&blocks->slots[bench->walker->index.entries[at].record * blocks->stride]);
  }
}

static void call_values(const struct bench *bench, size_t at) {
  const struct walk *walk = bench->walker->walk;
  const struct prepared *prepared = walk->blocks->prepared;
  uint32_t record = bench->walker->index.entries[at].record;
  if (bench->group_count > 0) {
    size_t slots;
    const uint32_t *keys = blocks_keys(walk->blocks, bench->groups[0].rule, record, &slots);
    __builtin_prefetch(keys);
    keys = blocks_keys(walk->blocks, bench->groups[bench->group_count - 1].rule, record, &slots);
    __builtin_prefetch(keys + slots);
  }
  if (walk->calls != 0) {
    compare_call(prepared, prepared->rows + record * prepared->width, walk->calls);
  }
}

/* Entries up to `to` are gathered next. */
static void call_ahead(struct bench *bench, size_t to) {
  for (; bench->called < to; bench->called++) {
    if (bench->called + CALL_ROWS < bench->called_to) {
      call_rows(bench, bench->called + CALL_ROWS);
    }
    if (bench->called + CALL_VALUES < bench->called_to) {
      call_values(bench, bench->called + CALL_VALUES);
    }
  }
}

/* ---- blocks ---- */

static void gather_keys(struct bench *bench, struct slot_group *group, const struct block_entry *entries,
                        size_t length) {
  const struct blocks *blocks = bench->walker->walk->blocks;
  uint32_t *columns = bench->keys + group->first * bench->stride;
  group->used = 0;
  for (size_t i = 0; i < length; i++) {
    size_t slots;
    const uint32_t *keys = blocks_keys(blocks, group->rule, entries[i].record, &slots);
    size_t known = 0;
    while (known < slots && keys[known] != 0) {
      known++;
    }
    for (; group->used < known; group->used++) {
      memset(columns + group->used * bench->stride, 0, i * sizeof *columns);
    }
    for (size_t j = 0; j < group->used; j++) {
      columns[j * bench->stride + i] = j < known ? keys[j] : 0;
    }
  }
}

static void gather(struct bench *bench, size_t from, size_t length) {
  const struct blocks *blocks = bench->walker->walk->blocks;
  const struct block_entry *entries = bench->walker->index.entries + from;
  size_t width = blocks->prepared->width;
  for (size_t i = 0; i < length; i++) {
    call_ahead(bench, from + i + 1);
    bench->records[i] = entries[i].record;
    memcpy(bench->rows + i * width, blocks->prepared->rows + entries[i].record * width, width * sizeof(uint32_t));
  }
  for (size_t i = 0; i < bench->group_count; i++) {
    gather_keys(bench, &bench->groups[i], entries, length);
  }
}

/* A bit for each of `lanes` members from `at` on that shares a key of the group with member `a`; of the rule's own keys
 * those below `key` alone. */
static inline uint32_t sharing_lanes(const struct bench *bench, const struct slot_group *group, size_t a, size_t at,
                                     uint32_t key, size_t lanes) {
  static const uint32_t bit[WALK_TILE] = {1,      1 << 1, 1 << 2,  1 << 3,  1 << 4,  1 << 5,  1 << 6,  1 << 7,
                                          1 << 8, 1 << 9, 1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15};
  uint32_t hit[WALK_TILE] = {0};
  uint32_t bits = 0;
  for (uint16_t i = 0; i < group->used; i++) {
    uint32_t mine = bench->keys[(group->first + (size_t)i) * bench->stride + a];
    if (mine == 0 || (group->own && mine >= key)) {
      break;
    }
    for (uint16_t j = 0; j < group->used; j++) {
      const uint32_t *theirs = bench->keys + (group->first + (size_t)j) * bench->stride + at;
      for (size_t k = 0; k < lanes; k++) {
        hit[k] |= theirs[k] == mine ? bit[k] : 0;
      }
    }
  }
  for (size_t k = 0; k < lanes; k++) {
    bits |= hit[k];
  }
  return bits;
}

/* Most blocks are small: a few lanes do for them. */
static uint32_t sharing(const struct bench *bench, const struct slot_group *group, size_t a, size_t at, uint32_t key,
                        size_t members) {
  return members <= FEW_LANES ? sharing_lanes(bench, group, a, at, key, FEW_LANES)
                              : sharing_lanes(bench, group, a, at, key, WALK_TILE);
}

static bool walk_tile(struct bench *bench, size_t a, size_t at, size_t length, uint32_t key) {
  const struct walk *walk = bench->walker->walk;
  size_t width = walk->blocks->prepared->width;
  uint32_t wanted = length - at >= WALK_TILE ? (UINT32_C(1) << WALK_TILE) - 1 : (UINT32_C(1) << (length - at)) - 1;
  uint32_t earlier = 0;
  for (size_t i = 0; i < bench->group_count; i++) {
    if (bench->groups[i].own) {
      wanted &= ~sharing(bench, &bench->groups[i], a, at, key, length - at);
    } else {
      earlier |= sharing(bench, &bench->groups[i], a, at, key, length - at);
    }
  }
  bench->proposed += (unsigned)__builtin_popcount(wanted);
  wanted &= ~earlier;
  if (wanted == 0) {
    return true;
  }
  bench->wanted += (unsigned)__builtin_popcount(wanted);
  struct walk_tile tile = {.a = bench->records[a],
                           .a_row = bench->rows + a * width,
                           .b = bench->records + at,
                           .b_rows = bench->rows + at * width,
                           .wanted = wanted};
  return walk->visit(walk->context, bench->thread, &tile);
}

static bool walk_block(struct bench *bench, size_t from, size_t length, size_t first, size_t last) {
  const struct block_entry *entries = bench->walker->index.entries + from;
  uint32_t key = entries->key;
  uint32_t fresh = bench->walker->walk->fresh;
  /* A block's records ascend: those that pairs may begin with stand first. */
  while (fresh > 0 && last > first && entries[last - 1].record >= fresh) {
    last--;
  }
  if (last == first) {
    return true;
  }
  gather(bench, from, length);
  for (size_t a = first; a < last; a++) {
    for (size_t at = a + 1; at < length; at += WALK_TILE) {
      if (!walk_tile(bench, a, at, length, key)) {
        return false;
      }
    }
  }
  return true;
}

static bool walk_task(struct bench *bench, const struct task *task) {
  bench->called = task->from;
  bench->called_to = task->to;
  if (task->last > 0) {
    return walk_block(bench, task->from, task->to - task->from, task->first, task->last);
  }
  size_t length;
  for (size_t at = task->from; at < task->to; at += length) {
    length = block_index_length(&bench->walker->index, at);
    if (!walk_block(bench, at, length, 0, length - 1)) {
      return false;
    }
  }
  return true;
}

/* ---- threads ---- */

static bool bench_make(struct bench *bench) {
  const struct walk *walk = bench->walker->walk;
  const struct blocks *blocks = walk->blocks;
  size_t columns = 0;
  bench->stride = bench->walker->longest + WALK_TILE;
  bench->records = malloc(bench->stride * sizeof *bench->records);
  bench->rows = malloc((bench->stride * blocks->prepared->width + 1) * sizeof *bench->rows);
  for (uint16_t rule = 0; rule <= walk->rule; rule++) {
    uint16_t count = blocks->slots_most[rule];
    bool own = rule == walk->rule;
    if (count > 0 && (own ? count > 1 : (walk->earlier >> rule & 1) != 0)) {
      bench->groups[bench->group_count++] =
          (struct slot_group){.rule = rule, .first = (uint16_t)columns, .count = count, .own = own};
      columns += count;
    }
  }
  bench->keys = calloc(bench->stride * columns + 1, sizeof *bench->keys);
  return bench->records != NULL && bench->rows != NULL && bench->keys != NULL;
}

static void report(struct walker *walker, size_t task) {
  const struct walk *walk = walker->walk;
  const struct link_options *options = walk->options;
  double done = (double)task / (double)walker->task_count;
  if (options != NULL && options->progress != NULL
      && !options->progress(options->context, walk->step, walk->from + done * (walk->to - walk->from))) {
    atomic_store(&walker->interrupted, true);
    atomic_store(&walker->stop, true);
  }
}

static void work(void *context, unsigned thread) {
  struct walker *walker = context;
  struct bench bench = {.walker = walker, .thread = thread};
  bool fine = bench_make(&bench);
  while (fine && !atomic_load(&walker->stop)) {
    size_t task = atomic_fetch_add(&walker->next, 1);
    if (task >= walker->task_count) {
      break;
    }
    fine = walk_task(&bench, &walker->tasks[task]);
    if (thread == 0) {
      report(walker, task);
    }
  }
  if (!fine) {
    atomic_store(&walker->out_of_memory, true);
    atomic_store(&walker->stop, true);
  }
  atomic_fetch_add(&walker->proposed, bench.proposed);
  atomic_fetch_add(&walker->wanted, bench.wanted);
  free(bench.records);
  free(bench.rows);
  free(bench.keys);
}

enum status walk_pairs(const struct walk *walk, struct walk_counts *counts, struct error *error) {
  struct walker walker = {.walk = walk};
  enum status status = block_index_make(walk->blocks, walk->rule, &walker.index, error);
  status = status == OK ? arrange_blocks(&walker, error) : status;
  status = status == OK ? make_tasks(&walker, error) : status;
  if (status == OK && walker.task_count > 0) {
    crew_run(walk->threads, work, &walker);
  }
  if (status == OK && atomic_load(&walker.out_of_memory)) {
    status = error_memory(error);
  }
  if (status == OK && atomic_load(&walker.interrupted)) {
    status = error_set(error, ERR_INTERRUPTED, _("stopped while pairs were compared"));
  }
  *counts = (struct walk_counts){.proposed = atomic_load(&walker.proposed), .wanted = atomic_load(&walker.wanted)};
  free(walker.tasks);
  block_index_free(&walker.index);
  return status;
}
