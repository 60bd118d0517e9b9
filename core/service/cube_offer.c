#include "core/service/cube_offer.h"

#include "core/service/cube_fields.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS_MOST = 4, WAYS_MOST = 256 }; /* STEPS_MOST to the power of CUBE_FIELDS_MOST */

/* For each field how coarse it is: 0 as it was asked for; one more than its last step: left out. */
struct way {
  uint8_t depth[CUBE_FIELDS_MOST];
  uint8_t left_out, steps;
};

/* NULL: it is left out. */
static const char *field_at(const char *field, int depth) {
  while (depth-- > 0 && field != NULL) {
    field = cube_coarser_field(field);
  }
  return field;
}

static int depth_of(const char *field) {
  int depth = 0;
  while (field_at(field, depth) != NULL) {
    depth++;
  }
  return depth;
}

static bool has_twice(const char *const *by, size_t count) {
  for (size_t i = 0; i < count; i++) {
    for (size_t k = i + 1; k < count; k++) {
      if (by[i] != NULL && by[k] != NULL && strcmp(by[i], by[k]) == 0) {
        return true;
      }
    }
  }
  return false;
}

static int by_coarseness(const void *a, const void *b) {
  const struct way *left = a, *right = b;
  if (left->left_out != right->left_out) {
    return left->left_out < right->left_out ? -1 : 1;
  }
  if (left->steps != right->steps) {
    return left->steps < right->steps ? -1 : 1;
  }
  return -memcmp(left->depth, right->depth, sizeof left->depth); /* the first fields first */
}

/* Every way but the table itself, and its total, which is printed with it. */
static size_t list_ways(const struct cube_request *request, struct way *ways) {
  size_t count = 0, all = 1, depths[CUBE_FIELDS_MOST];
  for (size_t i = 0; i < request->by_count; i++) {
    depths[i] = (size_t)depth_of(request->by[i]) + 1;
    all *= depths[i];
  }
  for (size_t number = 1; number < all; number++) {
    struct way way = {.left_out = 0};
    const char *by[CUBE_FIELDS_MOST] = {NULL};
    size_t rest = number;
    for (size_t i = 0; i < request->by_count; i++) {
      way.depth[i] = (uint8_t)(rest % depths[i]);
      rest /= depths[i];
      by[i] = field_at(request->by[i], way.depth[i]);
      way.left_out += by[i] == NULL;
      way.steps += way.depth[i];
    }
    if (way.left_out < request->by_count && !has_twice(by, request->by_count)) {
      ways[count++] = way;
    }
  }
  qsort(ways, count, sizeof *ways, by_coarseness);
  return count;
}

static enum status try_way(const struct cube_request *request, const struct way *way, struct cube_offer *offer,
                           struct error *error) {
  struct cube_request asked = *request;
  const char *by[CUBE_FIELDS_MOST];
  *offer = (struct cube_offer){.by = {NULL}};
  asked.by = by;
  asked.by_count = 0;
  for (size_t i = 0; i < request->by_count; i++) {
    offer->by[i] = field_at(request->by[i], way->depth[i]);
    if (offer->by[i] != NULL) {
      by[asked.by_count++] = offer->by[i];
    }
  }
  return cube_show(&asked, &offer->shown, error);
}

/* More of the units; where that is not told, or the same, a larger part of the cells. */
static bool shows_more(const struct cube_shown *a, const struct cube_shown *b) {
  if (a->share != b->share) {
    return a->share > b->share;
  }
  return a->kept * b->filled > b->kept * a->filled;
}

enum status cube_offer(const struct cube_request *request, const struct cube_shown *shown, struct cube_offers *offers,
                       struct error *error) {
  struct way ways[WAYS_MOST] = {{.steps = 0}};
  bool whole = false;
  *offers = (struct cube_offers){.count = 0};
  size_t count = list_ways(request, ways);
  for (size_t i = 0; i < count && !whole; i++) {
    struct cube_offer offer;
    enum status status = try_way(request, &ways[i], &offer, error);
    if (status != OK) {
      return status;
    }
    whole = offer.shown.valued && !offer.shown.withheld && offer.shown.kept == offer.shown.filled;
    if (whole) {
      offers->offers[offers->count++] = offer;
    } else if (offer.shown.valued && shows_more(&offer.shown, offers->count == 0 ? shown : &offers->offers[0].shown)) {
      offers->offers[0] = offer;
      offers->count = 1;
    }
  }
  return OK;
}
