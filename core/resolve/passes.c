#include "core/resolve/passes.h"

#include "core/base/map.h"

#include <stdlib.h>

struct ending {
  int source_id;
  int64_t run;
};

struct passes {
  struct ending *endings; /* by source, then by run */
  size_t count, capacity;
};

static int compare_endings(const void *a, const void *b) {
  const struct ending *left = a, *right = b;
  if (left->source_id != right->source_id) {
    return left->source_id < right->source_id ? -1 : 1;
  }
  return (left->run > right->run) - (left->run < right->run);
}

static enum status read_sources(struct store *store, struct map *ids, struct error *error) {
  static const char *const columns[] = {"code", "source_id"};
  const struct selection selection = {.view = "sources", .columns = columns, .column_count = 2};
  struct result *result = NULL;
  enum status status = store_select(store, &selection, &result, error);
  if (status != OK) {
    return status;
  }
  while ((status = result_next(result, error)) == OK) {
    status = map_put(ids, result_text(result, 0), (uint32_t)result_integer(result, 1));
    if (status != OK) {
      error_memory(error);
      break;
    }
  }
  result_free(result);
  return status == END ? OK : status;
}

static bool add(struct passes *passes, int source_id, int64_t run) {
  if (passes->count == passes->capacity) {
    size_t capacity = passes->capacity == 0 ? 64 : passes->capacity * 2;
    struct ending *grown = reallocarray(passes->endings, capacity, sizeof *grown);
    if (grown == NULL) {
      return false;
    }
    passes->endings = grown;
    passes->capacity = capacity;
  }
  passes->endings[passes->count++] = (struct ending){source_id, run};
  return true;
}

static enum status read_runs(struct store *store, const struct map *ids, struct passes *passes, struct error *error) {
  static const char *const columns[] = {"source", "run_id"};
  static const struct filter done[] = {{.column = "state", .text = "done"}};
  const struct selection selection = {
      .view = "runs", .columns = columns, .column_count = 2, .filters = done, .filter_count = 1};
  struct result *result = NULL;
  enum status status = store_select(store, &selection, &result, error);
  if (status != OK) {
    return status;
  }
  while ((status = result_next(result, error)) == OK) {
    uint32_t id = result_null(result, 0) ? MAP_NONE : map_get(ids, result_text(result, 0));
    if (id != MAP_NONE && !add(passes, (int)id, result_integer(result, 1))) {
      status = error_memory(error);
      break;
    }
  }
  result_free(result);
  return status == END ? OK : status;
}

enum status passes_read(struct store *store, struct passes **passes, struct error *error) {
  *passes = NULL;
  struct map *ids = map_new();
  struct passes *made = calloc(1, sizeof *made);
  enum status status = ids == NULL || made == NULL ? error_memory(error) : read_sources(store, ids, error);
  status = status == OK ? read_runs(store, ids, made, error) : status;
  map_free(ids);
  if (status != OK) {
    passes_free(made);
    return status;
  }
  if (made->count > 0) {
    qsort(made->endings, made->count, sizeof *made->endings, compare_endings);
  }
  *passes = made;
  return OK;
}

void passes_free(struct passes *passes) {
  if (passes != NULL) {
    free(passes->endings);
    free(passes);
  }
}

int64_t passes_settled(const struct passes *passes, int source_id, int64_t run) {
  const struct ending wanted = {source_id, run};
  size_t low = 0, high = passes->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (compare_endings(&passes->endings[middle], &wanted) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  bool found = low < passes->count && passes->endings[low].source_id == source_id;
  return found ? passes->endings[low].run : INT64_MAX;
}
