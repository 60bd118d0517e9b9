#include "core/service/linked.h"

#include <jansson.h>

static int64_t number(const json_t *object, const char *name) {
  const json_t *value = json_object_get(object, name);
  return json_is_integer(value) ? json_integer_value(value) : -1;
}

static enum status take_blocks(const json_t *blocks, struct arena *arena, struct linked_counts *counts,
                               struct error *error) {
  size_t i;
  const json_t *block;
  counts->blocks = arena_array(arena, json_array_size(blocks) + 1, sizeof *counts->blocks);
  if (counts->blocks == NULL) {
    return error_memory(error);
  }
  json_array_foreach(blocks, i, block) {
    const char *rule = json_string_value(json_object_get(block, "rule"));
    struct linked_block *own = &counts->blocks[counts->block_count++];
    *own = (struct linked_block){.rule = arena_text(arena, slice_of(rule == NULL ? "" : rule)),
                                 .proposed = number(block, "proposed"),
                                 .marginal = number(block, "marginal"),
                                 .kept = number(block, "kept"),
                                 .dropped = number(block, "dropped"),
                                 .capped = number(block, "capped")};
    if (own->rule == NULL) {
      return error_memory(error);
    }
  }
  return OK;
}

static enum status take_counts(const json_t *said, struct arena *arena, struct linked_counts *counts,
                               struct error *error) {
  *counts = (struct linked_counts){.rows = number(said, "rows"),
                                   .clusters = number(said, "clusters"),
                                   .accepted = number(said, "accepted"),
                                   .waiting = number(said, "waiting"),
                                   .unlinkable = number(said, "unlinkable")};
  return take_blocks(json_object_get(said, "blocks"), arena, counts, error);
}

enum status linked_read(struct store *store, struct arena *arena, struct linked *linked, struct error *error) {
  static const char *const columns[] = {"run", "body"};
  const struct filter filter = {.column = "event", .text = "link"};
  const struct selection selection = {.view = "audit",
                                      .columns = columns,
                                      .column_count = 2,
                                      .filters = &filter,
                                      .filter_count = 1,
                                      .order = "-sequence",
                                      .most = 1};
  struct result *result = NULL;
  json_t *body = NULL;
  *linked = (struct linked){.run = 0};
  enum status status = store_select(store, &selection, &result, error);
  status = status == OK ? result_next(result, error) : status;
  if (status == OK) {
    struct slice text = result_text(result, 1);
    linked->run = result_integer(result, 0);
    body = json_loadb(text.data, text.len, 0, NULL);
  }
  result_free(result);
  if (status == OK || status == END) {
    status = take_counts(json_object_get(body, "persons"), arena, &linked->kinds[CLUSTER_PERSON], error);
    status =
        status == OK ? take_counts(json_object_get(body, "cases"), arena, &linked->kinds[CLUSTER_CASE], error) : status;
  }
  json_decref(body);
  return status;
}
