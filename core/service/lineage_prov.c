#include "core/audit/checkpoint.h"
#include "core/base/date.h"
#include "core/service/lineage.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { ID_SIZE = 3 * LINEAGE_NAME + 64 };
static const char PROGRAM[] = "puente:program-" PUENTE_VERSION;

struct prov {
  json_t *entity, *activity, *agent, *used, *generated, *associated, *derived;
  size_t relations;
  bool failed;         /* out of memory */
  int64_t *fresh_rows; /* runs that staged since the last linking */
  size_t fresh_count;
  int64_t linked; /* the last linking; 0: none */
};

/* A qualified name of our namespace: what a local part may not hold is percent-encoded. */
static void name_id(char id[ID_SIZE], const char *kind, const char *name) {
  size_t len = (size_t)snprintf(id, ID_SIZE, "puente:%s-", kind);
  for (const char *at = name; *at != '\0' && len + 4 < ID_SIZE; at++) {
    unsigned char c = (unsigned char)*at;
    bool plain = c < 128 && (isalnum(c) || c == '_' || c == '-');
    len += (size_t)snprintf(id + len, ID_SIZE - len, plain ? "%c" : "%%%02X", c);
  }
}

static void number_id(char id[ID_SIZE], const char *kind, int64_t number) {
  snprintf(id, ID_SIZE, "puente:%s-%lld", kind, (long long)number);
}

static void put(struct prov *prov, json_t *section, const char *id, json_t *value) {
  prov->failed = json_object_set_new(section, id, value) != 0 || prov->failed;
}

static json_t *type(const char *name) {
  return json_pack("{s:s,s:s}", "$", name, "type", "xsd:QName");
}

static void relate(struct prov *prov, json_t *section, const char *from, const char *from_id, const char *to,
                   const char *to_id) {
  char id[32];
  snprintf(id, sizeof id, "_:r%zu", ++prov->relations);
  put(prov, section, id, json_pack("{s:s,s:s}", from, from_id, to, to_id));
}

static void uses(struct prov *prov, const char *activity, const char *entity) {
  relate(prov, prov->used, "prov:activity", activity, "prov:entity", entity);
}

static void makes(struct prov *prov, const char *activity, const char *entity, const char *kind) {
  put(prov, prov->entity, entity, json_pack("{s:s}", "prov:label", kind));
  relate(prov, prov->generated, "prov:entity", entity, "prov:activity", activity);
}

static void derives(struct prov *prov, const char *made, const char *from) {
  relate(prov, prov->derived, "prov:generatedEntity", made, "prov:usedEntity", from);
}

/* Who acted, with the program. */
static void associate(struct prov *prov, const char *activity, const char *actor) {
  char id[ID_SIZE];
  relate(prov, prov->associated, "prov:activity", activity, "prov:agent", PROGRAM);
  if (actor == NULL || actor[0] == '\0') {
    return;
  }
  name_id(id, "actor", actor);
  put(prov, prov->agent, id, json_pack("{s:o,s:s}", "prov:type", type("prov:Person"), "prov:label", actor));
  relate(prov, prov->associated, "prov:activity", activity, "prov:agent", id);
}

static void put_run(struct prov *prov, const struct lineage_run *run, const char *activity) {
  json_t *value =
      json_pack("{s:s,s:s,s:s}", "prov:startTime", run->started, "puente:kind", run->kind, "puente:state", run->state);
  if (run->ended[0] != '\0') {
    json_object_set_new(value, "prov:endTime", json_string(run->ended));
  }
  if (run->sequence > 0) {
    char hash[2 * SHA256_SIZE + 1];
    hex_format(run->hash.bytes, SHA256_SIZE, hash);
    json_object_set_new(value, "puente:entry", json_integer(run->sequence));
    json_object_set_new(value, "puente:entryHash", json_string(hash));
  }
  put(prov, prov->activity, activity, value);
}

static void put_plan(struct prov *prov, const struct lineage_run *run, const char *activity) {
  char plan[ID_SIZE];
  if (run->plan[0] != '\0') {
    name_id(plan, "plan", run->plan);
    put(prov, prov->entity, plan, json_pack("{s:o,s:s}", "prov:type", type("prov:Plan"), "puente:sha256", run->plan));
    uses(prov, activity, plan);
  }
}

/* Sync, remap, retry: from the source or what is landed to staged rows. */
static void put_staging(struct prov *prov, const struct lineage_run *run, const char *activity) {
  char rows[ID_SIZE], records[ID_SIZE], source[ID_SIZE];
  number_id(rows, "rows", run->id);
  name_id(source, "source", run->source);
  makes(prov, activity, rows, "rows");
  if (strcmp(run->kind, "sync") == 0) {
    number_id(records, "records", run->id);
    put(prov, prov->entity, source, json_pack("{s:s}", "prov:label", run->source));
    uses(prov, activity, source);
    makes(prov, activity, records, "records");
    derives(prov, records, source);
  } else {
    name_id(records, "records-of", run->source);
    put(prov, prov->entity, records, json_pack("{s:s}", "prov:label", run->source));
    uses(prov, activity, records);
  }
  derives(prov, rows, records);
  prov->fresh_rows[prov->fresh_count++] = run->id;
}

/* A linking stands on the one before it and on all that was staged since. */
static void put_linking(struct prov *prov, const struct lineage_run *run, const char *activity) {
  static const char *const kinds[] = {"persons", "cases"};
  char made[ID_SIZE], from[ID_SIZE];
  for (size_t k = 0; k < 2; k++) {
    number_id(made, kinds[k], run->id);
    makes(prov, activity, made, kinds[k]);
    for (size_t i = 0; i < prov->fresh_count; i++) {
      number_id(from, "rows", prov->fresh_rows[i]);
      derives(prov, made, from);
    }
    if (prov->linked > 0) {
      number_id(from, kinds[k], prov->linked);
      derives(prov, made, from);
    }
  }
  for (size_t i = 0; i < prov->fresh_count; i++) {
    number_id(from, "rows", prov->fresh_rows[i]);
    uses(prov, activity, from);
  }
  prov->fresh_count = 0;
  prov->linked = run->id;
}

static void take_run(struct prov *prov, const struct lineage_run *run) {
  char activity[ID_SIZE], decision[ID_SIZE];
  number_id(activity, "run", run->id);
  put_run(prov, run, activity);
  put_plan(prov, run, activity);
  associate(prov, activity, run->actor);
  if (strcmp(run->kind, "link") == 0) {
    put_linking(prov, run, activity);
  } else if (strcmp(run->kind, "review") == 0) {
    number_id(decision, "decision", run->id);
    makes(prov, activity, decision, "decision");
  } else if (run->source[0] != '\0' && strcmp(run->kind, "dismiss") != 0) {
    put_staging(prov, run, activity);
  }
}

/* What no run did: sights, exports, changes of the configuration, copies, checkpoints. */
static enum status take_entry(void *context, const struct audit_row *row, struct error *error) {
  struct prov *prov = context;
  char activity[ID_SIZE], hash[2 * SHA256_SIZE + 1], at[TIMESTAMP_TEXT_SIZE];
  if (row->run != 0) {
    return OK;
  }
  number_id(activity, "entry", row->sequence);
  hex_format(row->hash.bytes, SHA256_SIZE, hash);
  clock_format(row->at, at);
  put(prov, prov->activity, activity,
      json_pack("{s:s,s:s,s:s,s:I,s:s}", "prov:startTime", at, "prov:endTime", at, "puente:kind", row->event,
                "puente:entry", (json_int_t)row->sequence, "puente:entryHash", hash));
  associate(prov, activity, row->actor);
  return prov->failed ? error_memory(error) : OK;
}

static json_t *document(const struct prov *prov, const char *workspace) {
  char space[CHECKPOINT_NAME + 32];
  snprintf(space, sizeof space, "puente://%s/", workspace);
  return json_pack("{s:{s:s,s:s},s:O,s:O,s:O,s:O,s:O,s:O,s:O}", "prefix", "puente", space, "xsd",
                   "http://www.w3.org/2001/XMLSchema#", "entity", prov->entity, "activity", prov->activity, "agent",
                   prov->agent, "used", prov->used, "wasGeneratedBy", prov->generated, "wasAssociatedWith",
                   prov->associated, "wasDerivedFrom", prov->derived);
}

static void prov_free(struct prov *prov) {
  json_t *sections[] = {prov->entity,    prov->activity,   prov->agent,  prov->used,
                        prov->generated, prov->associated, prov->derived};
  for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
    json_decref(sections[i]);
  }
  free(prov->fresh_rows);
}

static enum status write_document(const struct prov *prov, const char *workspace, lineage_sink *sink, void *context,
                                  struct error *error) {
  json_t *whole = document(prov, workspace);
  char *text = whole == NULL ? NULL : json_dumps(whole, JSON_INDENT(1) | JSON_SORT_KEYS);
  enum status status = text == NULL ? error_memory(error) : sink(context, slice_of(text), error);
  status = status == OK ? sink(context, slice_of("\n"), error) : status;
  json_decref(whole);
  free(text);
  return status;
}

enum status lineage_prov(struct workspace *workspace, lineage_sink *sink, void *context, int64_t *written,
                         struct error *error) {
  struct lineage lineage;
  char name[CHECKPOINT_NAME];
  struct prov prov = {.entity = json_object(),
                      .activity = json_object(),
                      .agent = json_object(),
                      .used = json_object(),
                      .generated = json_object(),
                      .associated = json_object(),
                      .derived = json_object()};
  checkpoint_name(workspace->config->name, name);
  enum status status = lineage_read(workspace, &lineage, error);
  prov.fresh_rows = calloc(lineage.count + 1, sizeof *prov.fresh_rows);
  put(&prov, prov.agent, PROGRAM, json_pack("{s:o}", "prov:type", type("prov:SoftwareAgent")));
  if (status == OK && prov.fresh_rows == NULL) {
    status = error_memory(error);
  }
  for (size_t i = 0; i < lineage.count && status == OK; i++) {
    take_run(&prov, &lineage.runs[i]);
    status = prov.failed ? error_memory(error) : OK;
  }
  status = status == OK ? store_visit_audit(workspace->store, 1, take_entry, &prov, error) : status;
  status = status == OK ? write_document(&prov, name, sink, context, error) : status;
  *written = (int64_t)json_object_size(prov.activity);
  lineage_free(&lineage);
  prov_free(&prov);
  return status;
}
