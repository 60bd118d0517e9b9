#include "core/resolve/encoded.h"

#include "core/link/clk.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>

/* Share of the band that codes use: even equal ones stay below its end. */
#define BAND_SHARE 0.99
#define PROBABILITY_LEAST 1e-6

/* Two rows that are alike, and their clusters, the smaller one first. */
struct hit {
  uint32_t a, b, low, high;
  double dice;
};

struct encoded {
  const struct staged_rows *rows;
  struct twopass_side *side; /* NULL: nothing is added */
  struct clk *codes;
  uint32_t *row;         /* of each code */
  bool *coded;           /* by row */
  struct member *by_row; /* positions by row id */
  size_t count, stored;  /* codes; those that the store has come first */
  struct buffer hits;    /* of struct hit */
  struct clk_maker *maker;
  struct error *error;
};

enum { HITS_LIMIT = 1 << 30 };

/* ---- codes ---- */

static int by_id(const void *a, const void *b) {
  int64_t x = ((const struct member *)a)->row_id;
  int64_t y = ((const struct member *)b)->row_id;
  return (x > y) - (x < y);
}

static enum status take_code(void *context, int64_t row_id, struct slice text, struct error *error) {
  struct encoded *e = context;
  const struct member wanted = {.row_id = row_id};
  const struct member *found = bsearch(&wanted, e->by_row, e->rows->count, sizeof wanted, by_id);
  (void)error;
  if (found != NULL && !e->coded[found->id] && clk_parse(text, &e->codes[e->count])) {
    e->coded[found->id] = true;
    e->row[e->count++] = (uint32_t)found->id;
  }
  return OK;
}

static enum status make_code(struct encoded *e, uint32_t row, bool *made) {
  const struct entity *entity = e->rows->entity;
  struct clk_person person = {.name_count = 0};
  for (size_t i = 0; i < entity->encoding->of_count; i++) {
    const struct field *of = entity_field(entity, slice_of(entity->encoding->of[i]));
    struct slice text = staged_text(e->rows, of->column, row);
    if (of->type == FIELD_DATE) {
      person.birth_date = text;
    } else if (person.name_count < CLK_NAMES_MOST) {
      person.names[person.name_count++] = text;
    }
  }
  enum status status = clk_make(e->maker, &person, &e->codes[e->count], made, e->error);
  if (status == OK && *made) {
    e->row[e->count++] = row;
  }
  return status;
}

static enum status make_maker(struct store *store, struct encoded *e) {
  uint8_t key[KEY_SIZE];
  enum status status = store_encoding_key(store, key, e->error);
  status = status == OK ? clk_maker_new(key, &e->maker, e->error) : status;
  sodium_memzero(key, sizeof key);
  return status;
}

/* Those of the store, then those of rows with a name. */
static enum status gather(struct store *store, struct encoded *e) {
  size_t count = e->rows->count;
  e->codes = malloc((count + 1) * sizeof *e->codes);
  e->row = malloc((count + 1) * sizeof *e->row);
  e->coded = calloc(count + 1, sizeof *e->coded);
  e->by_row = malloc((count + 1) * sizeof *e->by_row);
  if (e->codes == NULL || e->row == NULL || e->coded == NULL || e->by_row == NULL) {
    return error_memory(e->error);
  }
  for (size_t i = 0; i < count; i++) {
    e->by_row[i] = (struct member){.row_id = e->rows->row_id[i], .id = (int64_t)i};
  }
  qsort(e->by_row, count, sizeof *e->by_row, by_id);
  enum status status = store_visit_encodings(store, e->rows->row_id, count, take_code, e, e->error);
  e->stored = e->count;
  if (status != OK || e->stored == 0) {
    return status;
  }
  status = make_maker(store, e);
  for (uint32_t i = 0; i < count && status == OK; i++) {
    bool made = false;
    status = e->coded[i] ? OK : make_code(e, i, &made);
  }
  return status;
}

static void release(struct encoded *e) {
  free(e->codes);
  free(e->row);
  free(e->coded);
  free(e->by_row);
  buffer_free(&e->hits);
  clk_maker_free(e->maker);
}

/* ---- pairs ---- */

static bool shared(const uint32_t *classes, uint32_t a, uint32_t b) {
  return classes[a] != LINK_MISSING && classes[a] == classes[b];
}

static enum status take_pair(void *context, uint32_t one, uint32_t other, double dice, struct error *error) {
  struct encoded *e = context;
  const uint32_t *cluster = e->side->result.cluster;
  const uint8_t *unique = e->side->unique;
  uint32_t a = e->row[one], b = e->row[other];
  bool two = shared(e->rows->fellows, a, b)
             || (unique != NULL && unique[a] != 0 && unique[b] != 0 && shared(e->rows->family, a, b));
  if (cluster[a] == cluster[b] || e->rows->sealed[a] != 0 || e->rows->sealed[b] != 0 || two) {
    return OK;
  }
  const struct hit hit = {.a = a < b ? a : b,
                          .b = a < b ? b : a,
                          .low = cluster[a] < cluster[b] ? cluster[a] : cluster[b],
                          .high = cluster[a] < cluster[b] ? cluster[b] : cluster[a],
                          .dice = dice};
  buffer_append(&e->hits, &hit, sizeof hit);
  return buffer_check(&e->hits, _("pairs of codes"), error);
}

/* Of two clusters the most alike pair first. */
static int by_cluster(const void *left, const void *right) {
  const struct hit *x = left, *y = right;
  if (x->low != y->low || x->high != y->high) {
    return x->low != y->low ? (x->low < y->low ? -1 : 1) : (x->high < y->high ? -1 : 1);
  }
  if (x->dice != y->dice) {
    return x->dice > y->dice ? -1 : 1;
  }
  return x->a != y->a ? (x->a < y->a ? -1 : 1) : (x->b > y->b) - (x->b < y->b);
}

static int by_position(const void *left, const void *right) {
  const struct link_pair *x = left, *y = right;
  return x->a != y->a ? (x->a < y->a ? -1 : 1) : (x->b > y->b) - (x->b < y->b);
}

/* Clusters about which linking has said something that codes do not add to: a pair waits, or must not be. */
static enum status mark_settled(struct encoded *e, struct map *settled) {
  const struct link_result *result = &e->side->result;
  for (size_t i = 0; i < result->pair_count; i++) {
    const struct link_pair *pair = &result->pairs[i];
    uint32_t a = result->cluster[pair->a], b = result->cluster[pair->b];
    const uint32_t name[2] = {a < b ? a : b, a < b ? b : a};
    bool open = pair->outcome == LINK_APART && pair->reason == REASON_WEIGHT;
    if (!open && a != b && map_intern(settled, slice_make((const char *)name, sizeof name)) == MAP_NONE) {
      return error_memory(e->error);
    }
  }
  return OK;
}

static float weight_of(const struct encoded *e, double dice) {
  struct link_band band = link_plan_band(e->side->plan);
  double share = BAND_SHARE * (dice - CLK_LEAST) / (1 - CLK_LEAST);
  double probability = band.from + (band.to > band.from ? (band.to - band.from) * share : 0);
  probability = fmin(fmax(probability, PROBABILITY_LEAST), 1 - PROBABILITY_LEAST);
  return (float)log2(probability / (1 - probability));
}

/* A pair that linking kept apart by its weight becomes one that waits; others are added at the end. */
static void put_pair(struct encoded *e, const struct hit *hit, size_t known) {
  struct link_result *result = &e->side->result;
  const struct link_pair pair = {.a = hit->a,
                                 .b = hit->b,
                                 .weight = weight_of(e, hit->dice),
                                 .block = LINK_NO_RULE,
                                 .verdict = LINK_NO_RULE,
                                 .outcome = LINK_WAITING,
                                 .reason = REASON_ENCODING};
  struct link_pair *stands =
      known == 0 ? NULL : bsearch(&pair, result->pairs, known, sizeof *result->pairs, by_position);
  *(stands == NULL ? &result->pairs[result->pair_count++] : stands) = pair;
  result->waiting++;
}

static enum status add_pairs(struct encoded *e, const struct map *settled) {
  struct link_result *result = &e->side->result;
  struct hit *hits = (struct hit *)(void *)e->hits.data;
  size_t count = e->hits.len / sizeof *hits, known = result->pair_count;
  struct link_pair *grown = realloc(result->pairs, (known + count + 1) * sizeof *grown);
  if (grown == NULL) {
    return error_memory(e->error);
  }
  result->pairs = grown;
  qsort(hits, count, sizeof *hits, by_cluster);
  for (size_t i = 0; i < count; i++) {
    const uint32_t name[2] = {hits[i].low, hits[i].high};
    bool first = i == 0 || hits[i - 1].low != hits[i].low || hits[i - 1].high != hits[i].high;
    if (first && map_get(settled, slice_make((const char *)name, sizeof name)) == MAP_NONE) {
      put_pair(e, &hits[i], known);
    }
  }
  qsort(result->pairs, result->pair_count, sizeof *result->pairs, by_position);
  return OK;
}

/* How many clusters there would be if all that wait were accepted. */
static enum status count_accepted(struct encoded *e) {
  struct link_result *result = &e->side->result;
  size_t count = e->rows->count;
  uint32_t *parent = malloc((count + 1) * sizeof *parent);
  if (parent == NULL) {
    return error_memory(e->error);
  }
  memcpy(parent, result->cluster, count * sizeof *parent);
  result->cluster_count_accepted = result->cluster_count;
  for (size_t i = 0; i < result->pair_count; i++) {
    uint32_t a = result->pairs[i].a, b = result->pairs[i].b;
    if (result->pairs[i].outcome != LINK_WAITING) {
      continue;
    }
    while (parent[a] != a) {
      a = parent[a] = parent[parent[a]];
    }
    while (parent[b] != b) {
      b = parent[b] = parent[parent[b]];
    }
    result->cluster_count_accepted -= a != b;
    parent[a < b ? b : a] = a < b ? a : b;
  }
  free(parent);
  return OK;
}

static enum status compare_all(struct encoded *e) {
  struct map *settled = map_new();
  enum status status = settled == NULL ? error_memory(e->error) : OK;
  if (status == OK) {
    status = clk_pairs(e->codes, e->count, e->stored, CLK_LEAST, take_pair, e, NULL, e->error);
  }
  if (status == OK && e->hits.len > 0) {
    status = mark_settled(e, settled);
    status = status == OK ? add_pairs(e, settled) : status;
    status = status == OK ? count_accepted(e) : status;
  }
  map_free(settled);
  return status;
}

enum status encoded_pairs(struct store *store, struct twopass_side *persons, struct error *error) {
  struct encoded e = {.rows = persons->rows, .side = persons, .error = error};
  bool any = false;
  buffer_init(&e.hits, HITS_LIMIT);
  enum status status = e.rows->entity->encoding == NULL ? OK : store_has_encodings(store, &any, error);
  status = status == OK && any ? gather(store, &e) : status;
  status = status == OK && e.stored > 0 ? compare_all(&e) : status;
  release(&e);
  return status;
}

enum status encoded_pair(struct store *store, const struct staged_rows *persons, const uint32_t rows[2], bool *found,
                         double *dice, struct error *error) {
  struct encoded e = {.rows = persons, .error = error};
  const struct clk *codes[2] = {NULL, NULL};
  bool any = false;
  *found = false;
  buffer_init(&e.hits, HITS_LIMIT);
  enum status status = persons->entity->encoding == NULL ? OK : store_has_encodings(store, &any, error);
  status = status == OK && any ? gather(store, &e) : status;
  for (size_t i = 0; i < e.count && status == OK && e.stored > 0; i++) {
    for (int side = 0; side < 2; side++) {
      codes[side] = e.row[i] == rows[side] ? &e.codes[i] : codes[side];
    }
  }
  *found = codes[0] != NULL && codes[1] != NULL && (e.coded[rows[0]] || e.coded[rows[1]]);
  *dice = *found ? clk_dice(codes[0], codes[1]) : 0;
  release(&e);
  return status;
}
