#include "core/service/telling.h"

#include "core/service/access.h"
#include "core/service/explain.h"

#include <stdlib.h>

enum { UNKNOWN, HARMLESS, TELLING, DIGITS = 16 };

/* A mapping that cannot be read says nothing of its keys: they are not shown. */
static char look(const struct workspace *workspace, const struct source_config *source) {
  struct plan *plan = NULL;
  struct error ignored;
  const char *field = NULL;
  int line = 0;
  if (plan_load_approved(source->mapping, workspace->texts, workspace->model, workspace->lists, &plan, NULL, &ignored)
      != OK) {
    return TELLING;
  }
  char found = plan_telling_key(plan, &field, &line) == NULL ? HARMLESS : TELLING;
  plan_free(plan);
  return found;
}

static bool is_telling(struct workspace *workspace, const char *code) {
  const struct config *config = workspace->config;
  for (size_t i = 0; i < config->source_count; i++) {
    if (strcmp(config->sources[i].code, code) != 0) {
      continue;
    }
    if (workspace->telling == NULL) {
      workspace->telling = calloc(config->source_count, 1);
    }
    if (workspace->telling == NULL) {
      return true;
    }
    if (workspace->telling[i] == UNKNOWN) {
      workspace->telling[i] = look(workspace, &config->sources[i]);
    }
    return workspace->telling[i] == TELLING;
  }
  return true;
}

struct slice telling_text(struct workspace *workspace, struct arena *arena, bool reveal, const char *source,
                          struct slice key) {
  char hex[2 * KEYED_SIZE + 1];
  if (reveal || access_restricted(workspace) || !is_telling(workspace, source)) {
    return key;
  }
  if (workspace->key == NULL) {
    return slice_of("keyed");
  }
  struct keyed_digest digest = key_digest(workspace->key, "shown-key", key);
  hex_format(digest.bytes, KEYED_SIZE, hex);
  const char *text = arena_printf(arena, "keyed:%.*s", DIGITS, hex);
  return slice_of(text == NULL ? "keyed" : text);
}

json_t *telling_key(struct workspace *workspace, struct arena *arena, bool reveal, const char *source,
                    struct slice key) {
  return explain_slice(arena, true, telling_text(workspace, arena, reveal, source, key));
}
