#include "core/resolve/succession.h"

static bool is_known(int id) {
  return id > 0 && id < SUCCESSION_SOURCES_MOST;
}

/* The id of the nearest older version that the store has; 0: none. Chains have an end: config_load sees to it. */
static int id_before(const struct config *config, const int *ids, const struct source_config *source) {
  while (source->succeeds != NULL) {
    source = config_source(config, source->succeeds);
    if (source == NULL) {
      return 0;
    }
    int id = ids[source - config->sources];
    if (is_known(id)) {
      return id;
    }
  }
  return 0;
}

void succession_make(const struct config *config, const int *ids, struct succession *succession) {
  *succession = (struct succession){0};
  for (int id = 0; id < SUCCESSION_SOURCES_MOST; id++) {
    succession->family[id] = id;
  }
  for (size_t i = 0; i < config->source_count; i++) {
    if (is_known(ids[i])) {
      succession->before[ids[i]] = id_before(config, ids, &config->sources[i]);
    }
  }
  for (int id = 0; id < SUCCESSION_SOURCES_MOST; id++) {
    int oldest = id;
    while (succession->before[oldest] != 0) {
      oldest = succession->before[oldest];
    }
    succession->family[id] = oldest;
    succession->shared[id] = succession->shared[id] || oldest != id;
    succession->shared[oldest] = succession->shared[oldest] || oldest != id;
  }
}

bool succession_replaces(const struct succession *succession, uint32_t newer, uint32_t older) {
  int at = succession->before[newer];
  while (at != 0 && at != (int)older) {
    at = succession->before[at];
  }
  return at != 0;
}
