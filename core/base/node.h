/* One parsed record, of whatever format, as a small tree: what paths of a mapping are read from. Nodes live in an
 * arena that is reset per batch; text borrows from the record's bytes or from that arena. */
#ifndef PUENTE_BASE_NODE_H
#define PUENTE_BASE_NODE_H

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/slice.h"

#include <stdint.h>

enum node_kind {
  NODE_NULL, /* JSON null, SQL NULL, xsi:nil */
  NODE_TEXT,
  NODE_NUMBER, /* text as written */
  NODE_TRUE,
  NODE_FALSE,
  NODE_OBJECT, /* JSON object, XML element with children, CSV line: children have names, which may repeat */
  NODE_LIST    /* JSON array: children have no name */
};

struct node {
  struct slice name;     /* member name, element's local name, "@attribute", column; empty in a list and at the root */
  struct slice text;     /* decoded UTF-8; of an XML element its own text */
  struct node *children; /* `count` nodes that stand side by side */
  const struct node *parent; /* NULL at the root */
  uint32_t count;
  uint32_t begin, end; /* the value's bytes in the raw record, where the format knows them; else 0, 0 */
  uint8_t kind;        /* enum node_kind */
};

/* The first child of that name; `*hint` is a position to try first and is updated, since records repeat their order. */
const struct node *node_child(const struct node *node, struct slice name, uint32_t *hint);

/* JSON text as a tree (RFC 8259, UTF-8, duplicate names kept, depth 128). The whole of `bytes` must be one value.
 * Errors say the byte offset as the place. Own reader: see mapping/README.md for the measurement that asked for it;
 * checked against jansson by tests/fuzz. */
enum status json_read(struct slice bytes, struct arena *arena, struct node **root, struct error *error) MUST_CHECK;
/* A dotted or slashed path of member names and list positions ("data/items", "/links/next", "data.0.id"): NULL if
 * absent. */
const struct node *node_at(const struct node *root, const char *path);

#endif
