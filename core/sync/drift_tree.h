/* The tree of fields that drift is found in. Internal to drift.c and drift_settle.c. */
#ifndef PUENTE_SYNC_DRIFT_TREE_H
#define PUENTE_SYNC_DRIFT_TREE_H

#include "core/sync/drift.h"

/* A field, or the record itself at the root. */
struct seen {
  struct slice name;
  struct seen *parent, *children, *last, *next;
  uint64_t stamp;    /* of the object that was counted last */
  int64_t instances; /* objects of it that were looked at */
  int64_t had;       /* of its parent's instances, those that had it */
  int kinds;
  bool mapped; /* the mapping reads it, or something in it */

  /* as the store knows it */
  bool known;
  struct field_seen former; /* without path */
  int64_t former_instances; /* of its children: objects looked at lately */
  bool was_missing, was_retyped;
  struct drift open_missing, open_retyped;
};

struct drift_watch {
  struct arena *arena;
  struct seen root;
  bool flat; /* names of columns, which may hold a '/' */
  size_t count;
  uint64_t stamp;
  int64_t records; /* of this document */
};

/* The child of that name, made at need; NULL where there are too many fields, or no memory (`*error` tells). */
struct seen *drift_child(struct drift_watch *watch, struct seen *parent, struct slice name, struct seen *hint);
/* The field of a path as the store keeps it; NULL likewise. */
struct seen *drift_at(struct drift_watch *watch, struct slice path);
/* In the arena; NULL: out of memory. */
struct slice drift_path(struct drift_watch *watch, const struct seen *field);

/* The next one in the order of the tree, which starts and ends with the root; NULL after the last. */
const struct seen *drift_following(const struct seen *root, const struct seen *at);

#endif
