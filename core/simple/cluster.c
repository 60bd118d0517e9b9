#include "core/simple/cluster.h"

#include <stdlib.h>

/* A record that belongs to a group, while a union is checked. */
struct member_fact {
  uint32_t group, record, root;
};

/* Clusters that the edges of one class connect, while they are tried. */
struct part {
  uint32_t root; /* of a present cluster */
  uint32_t to;   /* position of a part, union-find */
};

enum status simple_clusters_init(struct clusters *c, const struct prepared *prepared, struct error *error) {
  size_t count = prepared->records->count;
  *c = (struct clusters){.prepared = prepared};
  c->parent = malloc((count + 1) * sizeof *c->parent);
  c->next = malloc((count + 1) * sizeof *c->next);
  c->size = malloc((count + 1) * sizeof *c->size);
  c->role = malloc(count + 1);
  if (c->parent == NULL || c->next == NULL || c->size == NULL || c->role == NULL) {
    return error_memory(error);
  }
  for (uint32_t i = 0; i < count; i++) {
    c->parent[i] = c->next[i] = i;
    c->size[i] = 1;
    c->role[i] = prepared->records->role == NULL ? 0 : prepared->records->role[i];
  }
  return OK;
}

void simple_clusters_free(struct clusters *c) {
  free(c->parent);
  free(c->next);
  free(c->size);
  free(c->role);
  free(c->facts);
  *c = (struct clusters){0};
}

uint32_t simple_clusters_find(struct clusters *c, uint32_t record) {
  while (c->parent[record] != record) {
    c->parent[record] = c->parent[c->parent[record]];
    record = c->parent[record];
  }
  return record;
}

static void unite(struct clusters *c, uint32_t a, uint32_t b) {
  a = simple_clusters_find(c, a);
  b = simple_clusters_find(c, b);
  if (a == b) {
    return;
  }
  uint32_t large = c->size[a] >= c->size[b] ? a : b;
  uint32_t small = large == a ? b : a;
  uint32_t after = c->next[large];
  c->next[large] = c->next[small];
  c->next[small] = after;
  c->parent[small] = large;
  c->size[large] += c->size[small];
  c->role[large] = c->role[large] != 0 ? c->role[large] : c->role[small];
}

static bool same_person_by_source(const struct link_records *records, uint32_t a, uint32_t b) {
  return records->same != NULL && records->same[a] != LINK_MISSING && records->same[a] == records->same[b];
}

static enum status add_facts(struct clusters *c, uint32_t root, size_t *count, struct error *error) {
  const uint32_t *groups = c->prepared->records->group;
  uint32_t record = root;
  do {
    if (*count == c->fact_capacity) {
      size_t capacity = c->fact_capacity == 0 ? 256 : c->fact_capacity * 2;
      struct member_fact *facts = realloc(c->facts, capacity * sizeof *facts);
      if (facts == NULL) {
        return error_memory(error);
      }
      c->facts = facts;
      c->fact_capacity = capacity;
    }
    if (groups[record] != LINK_MISSING) {
      c->facts[(*count)++] = (struct member_fact){.group = groups[record], .record = record, .root = root};
    }
    record = c->next[record];
  } while (record != root);
  return OK;
}

static int by_group(const void *a, const void *b) {
  const struct member_fact *x = a;
  const struct member_fact *y = b;
  return (x->group > y->group) - (x->group < y->group);
}

/* Whether the gathered records may be one person: those of one group that come from different clusters need agreeing
 * documents. */
static bool facts_allow(const struct clusters *c, size_t count) {
  if (count == 0) {
    return true;
  }
  qsort(c->facts, count, sizeof *c->facts, by_group);
  for (size_t i = 0; i < count; i++) {
    for (size_t j = i + 1; j < count && c->facts[j].group == c->facts[i].group; j++) {
      const struct member_fact *x = &c->facts[i];
      const struct member_fact *y = &c->facts[j];
      if (x->root != y->root && !same_person_by_source(c->prepared->records, x->record, y->record)
          && !simple_compare_documents_agree(c->prepared, x->record, y->record)) {
        return false;
      }
    }
  }
  return true;
}

static int by_root(const void *a, const void *b) {
  const struct part *x = a;
  const struct part *y = b;
  return (x->root > y->root) - (x->root < y->root);
}

static size_t part_find(struct part *parts, size_t position) {
  while (parts[position].to != position) {
    position = parts[position].to;
  }
  return position;
}

static size_t part_of(struct part *parts, size_t count, uint32_t root) {
  struct part wanted = {.root = root};
  const struct part *found = bsearch(&wanted, parts, count, sizeof *parts, by_root);
  return (size_t)(found - parts);
}

/* Joins the clusters of the part at `head` if they may be one. */
static enum status join_part(struct clusters *c, struct part *parts, size_t count, size_t head, struct error *error) {
  size_t facts = 0;
  uint8_t role = 0;
  bool allowed = true;
  enum status status = OK;
  for (size_t i = 0; status == OK && i < count; i++) {
    if (part_find(parts, i) != head) {
      continue;
    }
    uint8_t own = c->role[parts[i].root];
    allowed = allowed && (role == 0 || own == 0 || own == role);
    role = role != 0 ? role : own;
    if (c->prepared->records->group != NULL) {
      status = add_facts(c, parts[i].root, &facts, error);
    }
  }
  if (status != OK || !allowed || !facts_allow(c, facts)) {
    return status;
  }
  for (size_t i = 0; i < count; i++) {
    if (part_find(parts, i) == head) {
      unite(c, parts[head].root, parts[i].root);
    }
  }
  return OK;
}

enum status simple_clusters_join(struct clusters *c, const struct edge *edges, size_t count, struct error *error) {
  struct part few[8];
  size_t found = 0;
  size_t kept = 0;
  struct part *parts = count <= 4 ? few : malloc(2 * count * sizeof *parts);
  if (parts == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < count; i++) {
    parts[found++].root = simple_clusters_find(c, edges[i].a);
    parts[found++].root = simple_clusters_find(c, edges[i].b);
  }
  qsort(parts, found, sizeof *parts, by_root);
  for (size_t i = 0; i < found; i++) {
    if (i == 0 || parts[i].root != parts[kept - 1].root) {
      parts[kept++].root = parts[i].root;
    }
  }
  for (size_t i = 0; i < kept; i++) {
    parts[i].to = (uint32_t)i;
  }
  for (size_t i = 0; i < count; i++) {
    size_t a = part_find(parts, part_of(parts, kept, simple_clusters_find(c, edges[i].a)));
    size_t b = part_find(parts, part_of(parts, kept, simple_clusters_find(c, edges[i].b)));
    parts[a].to = (uint32_t)b;
  }
  enum status status = OK;
  for (size_t i = 0; status == OK && i < kept; i++) {
    if (parts[i].to == i) {
      status = join_part(c, parts, kept, i, error);
    }
  }
  if (parts != few) {
    free(parts);
  }
  return status;
}
