/* What is known of finished clusters. Private to partition.c. */
#ifndef PUENTE_LINK_CLUSTER_FACTS_H
#define PUENTE_LINK_CLUSTER_FACTS_H

#include "core/link/partition.h"

/* Fills all of `result` but `cluster`, which it reads. `atom`, by record: the first record of what must-link joined;
 * NULL: each its own. `first`, by record: its first edge as `a`; count + 1 of them. */
enum status cluster_facts(const struct partition *partition, const uint32_t *atom, const size_t *first,
                          struct partition_result *result, struct error *error) MUST_CHECK;

#endif
