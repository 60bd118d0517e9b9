#include "core/service/release_between.h"

#include "core/base/node.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- terms ---- */

static int by_text(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In whatever order they are written. */
static enum status put_paths(const char *name, const char *const *paths, size_t count, struct buffer *out,
                             struct error *error) {
  const char **sorted = calloc(count + 1, sizeof *sorted);
  if (sorted == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < count; i++) {
    sorted[i] = paths[i];
  }
  qsort(sorted, count, sizeof *sorted, by_text);
  buffer_text(out, name);
  for (size_t i = 0; i < count; i++) {
    buffer_char(out, '\0');
    buffer_text(out, sorted[i]);
  }
  buffer_char(out, '\n');
  free(sorted);
  return OK;
}

/* Terms that say what is landed and how long it stays; who sees it by name changes no figure. */
static bool steers(const struct source_config *source) {
  const struct terms_config *terms = &source->terms;
  return source->cut_count > 0 || terms->fields_limited || terms->encoded || terms->consent_required
         || terms->retention_months > 0;
}

static enum status put_terms(const struct source_config *source, struct buffer *out, struct error *error) {
  const struct terms_config *terms = &source->terms;
  char hex[2 * SHA256_SIZE + 1];
  struct buffer text;
  buffer_init(&text, 1 << 20);
  buffer_printf(&text, "encoded %d consent %d retention %lld limited %d\n", terms->encoded, terms->consent_required,
                (long long)terms->retention_months, terms->fields_limited);
  enum status status = put_paths("cut", source->cut, source->cut_count, &text, error);
  status = status == OK ? put_paths("fields", terms->fields, terms->field_count, &text, error) : status;
  status = status == OK ? buffer_check(&text, "terms", error) : status;
  if (status == OK) {
    struct sha256 digest = sha256_of(buffer_view(&text));
    hex_format(digest.bytes, SHA256_SIZE, hex);
    buffer_printf(out, "\"%s\":\"%s\"", source->code, hex);
  }
  buffer_free(&text);
  return status;
}

enum status release_terms_write(const struct config *config, struct buffer *out, struct error *error) {
  enum status status = OK;
  bool first = true;
  buffer_text(out, "\"terms\":{");
  for (size_t i = 0; i < config->source_count && status == OK; i++) {
    if (steers(&config->sources[i])) {
      buffer_text(out, first ? "" : ",");
      status = put_terms(&config->sources[i], out, error);
      first = false;
    }
  }
  buffer_text(out, "}");
  return status;
}

/* Of a release that was made before terms were frozen nothing is known: `*then` is NULL. */
static enum status compare_terms(const struct release_restating *restating, struct arena *arena,
                                 struct release_between *between, struct error *error) {
  const struct config *config = restating->workspace->config;
  struct node *then_root = NULL, *now_root = NULL;
  enum status status = json_read(slice_of(restating->earlier->settings), arena, &then_root, error);
  status = status == OK ? json_read(slice_of(restating->settings), arena, &now_root, error) : status;
  const struct node *then = status == OK ? node_at(then_root, "terms") : NULL;
  const struct node *now = status == OK ? node_at(now_root, "terms") : NULL;
  for (size_t i = 0; i < config->source_count && then != NULL && now != NULL; i++) {
    const struct node *was = node_at(then, config->sources[i].code), *is = node_at(now, config->sources[i].code);
    between->terms[i % RELEASE_SOURCES_MOST] =
        was == NULL || is == NULL ? was != is : !slice_equal(was->text, is->text);
  }
  return status;
}

/* ---- what was taken out ---- */

static void note_taking(struct slice body, struct release_between *between) {
  json_t *entry = json_loadb(body.data, body.len, 0, NULL);
  const char *cause = json_string_value(json_object_get(entry, "cause"));
  for (int i = 0; i < ERASE_CAUSES && cause != NULL; i++) {
    between->taken[i] = between->taken[i] || strcmp(erase_cause_names[i], cause) == 0;
  }
  json_decref(entry);
}

/* The log tells it, and whoever may verify a release reads the log. */
static enum status read_takings(const struct release_restating *restating, struct release_between *between,
                                struct error *error) {
  static const char *const columns[] = {"run", "body"};
  static const struct filter takings = {.column = "event", .text = "erase"};
  const struct selection selection = {
      .view = "audit", .columns = columns, .column_count = 2, .filters = &takings, .filter_count = 1};
  struct result *result = NULL;
  enum status status = store_select(restating->workspace->store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    int64_t run = result_integer(result, 0);
    if (run > restating->earlier->run && run <= restating->run) {
      note_taking(result_text(result, 1), between);
    }
  }
  result_free(result);
  return status == END ? OK : status;
}

/* ---- runs that mapped anew ---- */

static enum status add_remap(struct release_between *between, int64_t run, struct arena *arena, struct error *error) {
  if (between->remap_count == between->remap_capacity) {
    size_t capacity = between->remap_capacity == 0 ? 64 : 2 * between->remap_capacity;
    int64_t *moved = arena_array(arena, capacity, sizeof *moved);
    if (moved == NULL) {
      return error_memory(error);
    }
    if (between->remap_count > 0) {
      memcpy(moved, between->remaps, between->remap_count * sizeof *moved);
    }
    between->remaps = moved;
    between->remap_capacity = capacity;
  }
  between->remaps[between->remap_count++] = run;
  return OK;
}

static enum status read_remaps(const struct release_restating *restating, struct arena *arena,
                               struct release_between *between, struct error *error) {
  static const char *const columns[] = {"run_id", "kind"};
  const struct selection selection = {.view = "runs", .columns = columns, .column_count = 2, .order = "run_id"};
  struct result *result = NULL;
  enum status status = store_select(restating->workspace->store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    if (slice_is(result_text(result, 1), "remap") || slice_is(result_text(result, 1), "retry")) {
      status = add_remap(between, result_integer(result, 0), arena, error);
    }
  }
  result_free(result);
  return status == END ? OK : status;
}

static int by_number(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

bool release_between_mapped(const struct release_between *between, int64_t run) {
  return between->remap_count > 0
         && bsearch(&run, between->remaps, between->remap_count, sizeof run, by_number) != NULL;
}

/* ---- all ---- */

enum status release_between_read(const struct release_restating *restating, struct arena *arena,
                                 struct release_between *between, struct error *error) {
  *between = (struct release_between){.terms = {false}};
  enum status status = compare_terms(restating, arena, between, error);
  status = status == OK ? read_takings(restating, between, error) : status;
  return status == OK ? read_remaps(restating, arena, between, error) : status;
}
