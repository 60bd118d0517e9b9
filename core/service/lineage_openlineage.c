#include "core/service/lineage.h"
#include "core/audit/checkpoint.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define SPECIFICATION "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
#define STATISTICS                                                                                                     \
  "https://openlineage.io/spec/facets/1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/"                           \
  "OutputStatisticsOutputDatasetFacet"
static const char PRODUCER[] = "urn:puente:program:" PUENTE_VERSION;

enum { SPACE_SIZE = CHECKPOINT_NAME + 32, UUID_SIZE = 37 };

/* What a kind of run reads and writes, among the store's views. */
static const struct flow {
  const char *kind, *inputs[2], *outputs[3];
} FLOWS[] = {{"sync", {NULL}, {"records", "rows", NULL}},      {"remap", {"records", NULL}, {"rows", NULL}},
             {"retry", {"records", NULL}, {"rows", NULL}},     {"link", {"rows", NULL}, {"persons", "cases", NULL}},
             {"review", {"pairs", NULL}, {"decisions", NULL}}, {"dismiss", {"quarantine", NULL}, {"quarantine", NULL}}};

static const struct flow *flow_of(const char *kind) {
  static const struct flow none = {.kind = ""};
  for (size_t i = 0; i < sizeof FLOWS / sizeof *FLOWS; i++) {
    if (strcmp(FLOWS[i].kind, kind) == 0) {
      return &FLOWS[i];
    }
  }
  return &none;
}

/* A UUID of version 8 (RFC 9562, 5.8) out of SHA-256: the same run of the same workspace has the same. */
static void write_uuid(const char *workspace, int64_t run, char uuid[UUID_SIZE]) {
  char name[CHECKPOINT_NAME + 64], hex[2 * SHA256_SIZE + 1];
  snprintf(name, sizeof name, "puente/run/1\n%s\n%lld", workspace, (long long)run);
  struct sha256 digest = sha256_of(slice_of(name));
  digest.bytes[6] = (uint8_t)((digest.bytes[6] & 0x0f) | 0x80);
  digest.bytes[8] = (uint8_t)((digest.bytes[8] & 0x3f) | 0x80);
  hex_format(digest.bytes, SHA256_SIZE, hex);
  snprintf(uuid, UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static json_t *dataset(const char *workspace, const char *part, const char *name) {
  char space[SPACE_SIZE];
  snprintf(space, sizeof space, "puente://%s/%s", workspace, part);
  return json_pack("{s:s,s:s}", "namespace", space, "name", name);
}

static json_t *inputs_of(const char *workspace, const struct lineage_run *run) {
  const struct flow *flow = flow_of(run->kind);
  json_t *inputs = json_array();
  bool pulls = strcmp(run->kind, "sync") == 0 && run->source[0] != '\0';
  if (pulls && json_array_append_new(inputs, dataset(workspace, "sources", run->source)) != 0) {
    json_decref(inputs);
    return NULL;
  }
  for (size_t i = 0; flow->inputs[i] != NULL; i++) {
    if (json_array_append_new(inputs, dataset(workspace, "store", flow->inputs[i])) != 0) {
      json_decref(inputs);
      return NULL;
    }
  }
  return inputs;
}

/* How many rows an output got; below 0: not counted. */
static int64_t rows_of(const struct lineage_run *run, const char *output) {
  bool pulls = strcmp(run->kind, "sync") == 0;
  return pulls && strcmp(output, "records") == 0 ? run->fresh + run->changed
         : strcmp(output, "rows") == 0           ? run->mapped
                                                 : -1;
}

static json_t *outputs_of(const char *workspace, const struct lineage_run *run, bool ended) {
  const struct flow *flow = flow_of(run->kind);
  json_t *outputs = json_array();
  for (size_t i = 0; flow->outputs[i] != NULL; i++) {
    json_t *output = dataset(workspace, "store", flow->outputs[i]);
    int64_t rows = rows_of(run, flow->outputs[i]);
    if (ended && rows >= 0) {
      json_object_set_new(output, "outputFacets",
                          json_pack("{s:{s:s,s:s,s:I}}", "outputStatistics", "_producer", PRODUCER, "_schemaURL",
                                    STATISTICS, "rowCount", (json_int_t)rows));
    }
    if (json_array_append_new(outputs, output) != 0) {
      json_decref(outputs);
      return NULL;
    }
  }
  return outputs;
}

static json_t *facets_of(const struct lineage_run *run, bool ended) {
  char hash[2 * SHA256_SIZE + 1];
  json_t *facets = json_object();
  if (!ended) {
    return facets;
  }
  hex_format(run->hash.bytes, SHA256_SIZE, hash);
  json_object_set_new(facets, "puente_counts",
                      json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:s}", "_producer", PRODUCER, "_schemaURL",
                                "urn:puente:facet:counts:1", "pulled", (json_int_t)run->pulled, "new",
                                (json_int_t)run->fresh, "changed", (json_int_t)run->changed, "mapped",
                                (json_int_t)run->mapped, "quarantined", (json_int_t)run->quarantined, "deleted",
                                (json_int_t)run->deleted, "state", run->state));
  if (run->sequence > 0) {
    json_object_set_new(facets, "puente_audit",
                        json_pack("{s:s,s:s,s:I,s:s}", "_producer", PRODUCER, "_schemaURL", "urn:puente:facet:audit:1",
                                  "sequence", (json_int_t)run->sequence, "hash", hash));
  }
  if (run->plan[0] != '\0') {
    json_object_set_new(facets, "puente_plan",
                        json_pack("{s:s,s:s,s:s}", "_producer", PRODUCER, "_schemaURL", "urn:puente:facet:plan:1",
                                  "sha256", run->plan));
  }
  return facets;
}

static const char *type_of(const struct lineage_run *run) {
  return strcmp(run->state, "done") == 0 ? "COMPLETE" : strcmp(run->state, "interrupted") == 0 ? "ABORT" : "FAIL";
}

static json_t *make_event(const char *workspace, const struct lineage_run *run, bool ended) {
  char space[SPACE_SIZE], job[LINEAGE_TEXT + LINEAGE_NAME + 2], uuid[UUID_SIZE];
  snprintf(space, sizeof space, "puente://%s", workspace);
  snprintf(job, sizeof job, "%s%s%s", run->kind, run->source[0] == '\0' ? "" : ".", run->source);
  write_uuid(workspace, run->id, uuid);
  return json_pack("{s:s,s:s,s:s,s:s,s:{s:s,s:o},s:{s:s,s:s},s:o,s:o}", "eventType", ended ? type_of(run) : "START",
                   "eventTime", ended ? run->ended : run->started, "producer", PRODUCER, "schemaURL", SPECIFICATION,
                   "run", "runId", uuid, "facets", facets_of(run, ended), "job", "namespace", space, "name", job,
                   "inputs", inputs_of(workspace, run), "outputs", outputs_of(workspace, run, ended));
}

static enum status give_event(const char *workspace, const struct lineage_run *run, bool ended, lineage_sink *sink,
                              void *context, struct error *error) {
  json_t *event = make_event(workspace, run, ended);
  char *text = event == NULL ? NULL : json_dumps(event, JSON_COMPACT | JSON_SORT_KEYS);
  enum status status = text == NULL ? error_memory(error) : sink(context, slice_of(text), error);
  status = status == OK ? sink(context, slice_of("\n"), error) : status;
  json_decref(event);
  free(text);
  return status;
}

enum status lineage_openlineage(struct workspace *workspace, lineage_sink *sink, void *context, int64_t *written,
                                struct error *error) {
  struct lineage lineage;
  char name[CHECKPOINT_NAME];
  checkpoint_name(workspace->config->name, name);
  *written = 0;
  enum status status = lineage_read(workspace, &lineage, error);
  for (size_t i = 0; i < lineage.count && status == OK; i++) {
    const struct lineage_run *run = &lineage.runs[i];
    bool ended = run->ended[0] != '\0' && strcmp(run->state, "running") != 0;
    status = give_event(name, run, false, sink, context, error);
    status = status == OK && ended ? give_event(name, run, true, sink, context, error) : status;
    *written += status == OK ? 1 + ended : 0;
  }
  lineage_free(&lineage);
  return status;
}
