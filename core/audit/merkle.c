#include "core/audit/audit.h"

enum { LEAF = 0x00, NODE = 0x01, RECORD_LEAF = 8 + 2 * KEYED_SIZE + 1 + SHA256_SIZE };

void merkle_init(struct merkle *merkle) {
  merkle->count = 0;
}

/* RFC 6962, 2.1, computed as leaves come: peaks[h] is the root of a full subtree of 2^h leaves where bit h of the count
 * is set; a new leaf carries through them like an addition of one. */
static void add_hash(struct merkle *merkle, struct sha256 hash) {
  unsigned height = 0;
  for (uint64_t bits = merkle->count; (bits & 1) != 0; bits >>= 1) {
    hash = sha256_pair(NODE, &merkle->peaks[height++], &hash);
  }
  merkle->peaks[height] = hash;
  merkle->count++;
}

void merkle_add(struct merkle *merkle, struct slice leaf) {
  add_hash(merkle, sha256_marked(LEAF, leaf));
}

struct sha256 merkle_root(const struct merkle *merkle) {
  if (merkle->count == 0) {
    return sha256_of(slice_make("", 0));
  }
  struct sha256 root = {0};
  bool started = false;
  for (unsigned height = 0; height < 64; height++) {
    if ((merkle->count >> height & 1) == 0) {
      continue;
    }
    root = started ? sha256_pair(NODE, &merkle->peaks[height], &root) : merkle->peaks[height];
    started = true;
  }
  return root;
}

void merkle_add_record(struct merkle *merkle, int64_t raw_id, const struct keyed_digest *key,
                       const struct keyed_digest *digest, enum record_state state, const struct sha256 *plan) {
  uint8_t leaf[RECORD_LEAF];
  for (int i = 0; i < 8; i++) {
    leaf[i] = (uint8_t)((uint64_t)raw_id >> (56 - 8 * i));
  }
  memcpy(leaf + 8, key->bytes, KEYED_SIZE);
  memcpy(leaf + 8 + KEYED_SIZE, digest->bytes, KEYED_SIZE);
  leaf[8 + 2 * KEYED_SIZE] = (uint8_t)state;
  memcpy(leaf + 9 + 2 * KEYED_SIZE, plan->bytes, SHA256_SIZE);
  merkle_add(merkle, slice_make((const char *)leaf, sizeof leaf));
}

void merkle_add_membership(struct merkle *merkle, enum cluster_kind kind, int64_t row_id, int64_t id) {
  char leaf[17];
  leaf[0] = (char)kind;
  for (int i = 0; i < 8; i++) {
    leaf[1 + i] = (char)((uint64_t)row_id >> (56 - 8 * i));
    leaf[9 + i] = (char)((uint64_t)id >> (56 - 8 * i));
  }
  merkle_add(merkle, slice_make(leaf, sizeof leaf));
}
