#include "core/service/access.h"
#include "core/service/provenance.h"
#include "core/store/access.h"

#include <stdio.h>
#include <stdlib.h>

enum { BODY_LIMIT = 1 << 16, SAMPLE_MOST = 1000 };

struct drawn {
  int64_t id;
  struct sha256 hash;
};

static int by_hash(const void *a, const void *b) {
  const struct drawn *left = a, *right = b;
  return memcmp(left->hash.bytes, right->hash.bytes, SHA256_SIZE);
}

/* What tells that the units are those that were drawn of. */
static enum status digest_of(const int64_t *ids, size_t count, char hex[2 * SHA256_SIZE + 1], struct error *error) {
  struct buffer all;
  buffer_init(&all, (size_t)1 << 28);
  for (size_t i = 0; i < count; i++) {
    buffer_printf(&all, "%lld\n", (long long)ids[i]);
  }
  enum status status = buffer_check(&all, _("a sample"), error);
  if (status == OK) {
    struct sha256 digest = sha256_of(buffer_view(&all));
    hex_format(digest.bytes, SHA256_SIZE, hex);
  }
  buffer_free(&all);
  return status;
}

/* The n with the least hashes, least first. */
static enum status draw(struct figure *figure, int64_t n, int64_t seed, struct drawn **drawn, json_t **of,
                        struct error *error) {
  int64_t *ids;
  size_t count = 0;
  char text[96], hex[2 * SHA256_SIZE + 1] = "";
  enum status status = figure_ids(figure, &ids, &count, error);
  status = status == OK ? digest_of(ids, count, hex, error) : status;
  *of = status == OK ? json_pack("{sI ss}", "units", (json_int_t)count, "digest", hex) : NULL;
  *drawn = status == OK ? arena_array(figure->arena, count + 1, sizeof **drawn) : NULL;
  if (status == OK && (*drawn == NULL || *of == NULL)) {
    status = error_memory(error);
  }
  if (status == OK && (n < 1 || (uint64_t)n > count || n > SAMPLE_MOST)) {
    error_set(error, ERR_USAGE, _("%lld units cannot be drawn of a figure of %zu"), (long long)n, count);
    error_hint(error, _("ask for 1 to %d of them, and for no more than the figure has"), SAMPLE_MOST);
    return ERR_USAGE;
  }
  for (size_t i = 0; i < count && status == OK; i++) {
    int len = snprintf(text, sizeof text, "puente/sample/1\n%lld\n%lld", (long long)seed, (long long)ids[i]);
    (*drawn)[i] = (struct drawn){.id = ids[i], .hash = sha256_of(slice_make(text, (size_t)len))};
  }
  if (status == OK && count > 0) {
    qsort(*drawn, count, sizeof **drawn, by_hash);
  }
  return status;
}

static enum status log_draw(struct workspace *workspace, const struct figure_request *request, int64_t n, int64_t seed,
                            struct error *error) {
  struct buffer body;
  buffer_init(&body, BODY_LIMIT);
  buffer_text(&body, "{\"figure\":");
  buffer_json(&body, slice_of(request->indicator));
  buffer_printf(&body, ",\"n\":%lld,\"run\":%lld,\"seed\":%lld,\"where\":", (long long)n, (long long)request->as_of_run,
                (long long)seed);
  figure_where(workspace, request, &body);
  buffer_char(&body, '}');
  const struct audit_event event = {
      .event = "sample", .actor = workspace->actor, .purpose = request->sight.purpose, .body = body.data};
  enum status status = buffer_check(&body, _("an audit entry"), error);
  if (status == OK && access_restricted(workspace)) {
    status = store_sight_figure(workspace->store, event.event, event.purpose, event.body, error);
    buffer_free(&body);
    return status;
  }
  status = status == OK ? store_begin(workspace->store, error) : status;
  if (status == OK) {
    status = audit_append(workspace->store, &event, error);
    status = status == OK ? store_commit(workspace->store, error) : status;
    if (status != OK) {
      store_rollback(workspace->store);
    }
  }
  buffer_free(&body);
  return status;
}

/* Each record behind a person or a case, once: members of explain_cluster's answer. */
static enum status add_records(struct workspace *workspace, const json_t *whole, json_t *records, struct error *error) {
  static const struct explain_request masked = {.reveal = false};
  enum status status = OK;
  size_t i;
  int64_t last = 0;
  const json_t *member;
  json_array_foreach(json_object_get(whole, "members"), i, member) {
    char reference[24];
    json_t *record = NULL;
    int64_t record_id = json_integer_value(json_object_get(member, "record_id"));
    if (status != OK || record_id == last) {
      continue;
    }
    last = record_id;
    snprintf(reference, sizeof reference, "%lld", (long long)record_id);
    status = explain_record(workspace, reference, &masked, &record, error);
    if (status == OK) {
      json_array_append_new(records, record);
    }
  }
  return status;
}

static enum status trace(struct workspace *workspace, const struct figure *figure, const struct drawn *drawn,
                         json_t *units, struct error *error) {
  static const struct explain_request masked = {.reveal = false};
  enum cluster_kind kind = figure->indicator.unit == UNIT_PERSON ? CLUSTER_PERSON : CLUSTER_CASE;
  char hash[2 * SHA256_SIZE + 1];
  json_t *whole = NULL, *told = json_array(), *records = json_array();
  hex_format(drawn->hash.bytes, SHA256_SIZE, hash);
  enum status status = explain_cluster(workspace, kind, drawn->id, &masked, &whole, error);
  for (size_t i = 0; i < figure->count && status == OK; i++) {
    json_t *one = NULL;
    if (figure->units[i].id == drawn->id) {
      status = figure_unit_json(workspace, figure, &figure->units[i], &masked, figure->arena, &one, error);
      json_array_append_new(told, one);
    }
  }
  status = status == OK ? add_records(workspace, whole, records, error) : status;
  json_t *unit = json_pack("{sI ss so so so}", "id", (json_int_t)drawn->id, "draw", hash, "told", told, "whole",
                           whole == NULL ? json_null() : whole, "records", records);
  json_array_append_new(units, unit);
  return status;
}

/* A run that goes on may still change what it and later ones wrote. */
static enum status settle_run(const struct workspace *workspace, struct figure_request *request, struct error *error) {
  int64_t last = 0;
  enum status status = releasing_run(workspace, &last, error);
  if (status == OK && request->as_of_run > last) {
    error_set(error, ERR_USAGE, _("run %lld has not ended"), (long long)request->as_of_run);
    error_hint(error, _("the last that has is %lld"), (long long)last);
    return ERR_USAGE;
  }
  request->as_of_run = request->as_of_run == 0 ? last : request->as_of_run;
  return status;
}

static enum status answer_with(struct workspace *workspace, const struct figure_request *request,
                               const struct figure *figure, const struct drawn *drawn, int64_t n, int64_t seed,
                               json_t *of, json_t **answer, struct error *error) {
  json_t *where = json_object(), *asked = json_object(), *units = json_array();
  for (size_t i = 0; i < request->condition_count; i++) {
    json_object_set_new(asked, request->conditions[i].field, json_string(request->conditions[i].value));
  }
  for (size_t i = 0; i < figure->condition_count; i++) {
    json_object_set_new(where, figure->fields[i], json_string(figure->wanted[i]));
  }
  *answer = json_pack("{ss ss so sI sI sI sI so sb sO so}", "kind", "sample", "indicator", figure->indicator.name,
                      "where", where, "figure", (json_int_t)figure->extent.figure, "seed", (json_int_t)seed, "n",
                      (json_int_t)n, "run", (json_int_t)figure->as_of_run, "asked", asked, "exact", (int)request->exact,
                      "drawn_of", of, "units", units);
  enum status status = *answer == NULL ? error_memory(error) : OK;
  for (int64_t i = 0; i < n && status == OK; i++) {
    status = trace(workspace, figure, &drawn[i], units, error);
  }
  return status;
}

enum status audit_sample(struct workspace *workspace, const struct figure_request *request, int64_t n, int64_t seed,
                         json_t **answer, struct error *error) {
  struct figure_request settled = *request;
  struct figure figure;
  struct drawn *drawn = NULL;
  json_t *of = NULL;
  *answer = NULL;
  enum status status = access_require(workspace, RIGHT_LOG, error);
  status = status == OK ? settle_run(workspace, &settled, error) : status;
  status = status == OK ? log_draw(workspace, &settled, n, seed, error) : status;
  if (status != OK) {
    return status;
  }
  status = figure_find(workspace, &settled, &figure, error);
  status = status == OK ? draw(&figure, n, seed, &drawn, &of, error) : status;
  status = status == OK ? answer_with(workspace, &settled, &figure, drawn, n, seed, of, answer, error) : status;
  json_decref(of);
  if (status != OK) {
    json_decref(*answer);
    *answer = NULL;
  }
  figure_free(&figure);
  return status;
}
