#include "core/service/access.h"
#include "core/service/approved_log.h"
#include "core/service/provenance.h"
#include "core/service/textdiff.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAPPING_LIMIT = 4 << 20 };

/* ---- the log ---- */

struct reading {
  const char *source;
  json_t *versions;
};

static json_t *version_of(const struct reading *reading, const char *digest) {
  size_t i;
  json_t *version;
  json_array_foreach(reading->versions, i, version) {
    if (strcmp(json_string_value(json_object_get(version, "digest")), digest) == 0) {
      return version;
    }
  }
  return NULL;
}

static json_t *text_or_null(const char *text) {
  return text == NULL || text[0] == '\0' ? json_null() : json_string(text);
}

static void note_bringer(json_t *version, const struct audit_row *row) {
  json_object_set_new(version, "actor", text_or_null(row->actor));
  json_object_set_new(version, "purpose", text_or_null(row->purpose));
  json_object_set_new(version, "at", json_integer(row->at));
}

static void note_touched(json_t *version, const struct audit_row *row, const json_t *body) {
  int64_t records =
      json_integer_value(json_object_get(body, "new")) + json_integer_value(json_object_get(body, "changed"));
  if (json_is_null(json_object_get(version, "at"))) {
    note_bringer(version, row); /* of before plans had entries of their own */
  }
  if (records == 0) {
    return;
  }
  json_t *one =
      json_pack("{sI ss sI sI sO sO sO}", "run", (json_int_t)row->run, "event", row->event, "entry",
                (json_int_t)row->sequence, "records", (json_int_t)records, "mapped", json_object_get(body, "mapped"),
                "quarantined", json_object_get(body, "quarantined"), "withheld", json_object_get(body, "withheld"));
  json_array_append_new(json_object_get(version, "touched"), one);
}

static enum status take_entry(void *context, const struct audit_row *row, struct error *error) {
  static const char *const events[] = {"plan", "land", "remap", "retry"};
  const struct reading *reading = context;
  size_t event = 0;
  (void)error;
  while (event < sizeof events / sizeof *events && strcmp(events[event], row->event) != 0) {
    event++;
  }
  if (event == sizeof events / sizeof *events || row->source == NULL || strcmp(row->source, reading->source) != 0) {
    return OK;
  }
  json_t *body = json_loads(row->body, 0, NULL);
  const char *plan = json_string_value(json_object_get(body, "plan"));
  json_t *version = plan == NULL ? NULL : version_of(reading, plan);
  if (version != NULL && event == 0) {
    note_bringer(version, row);
    json_object_set_new(version, "entry", json_integer(row->sequence));
  } else if (version != NULL) {
    note_touched(version, row, body);
  }
  json_decref(body);
  return OK;
}

/* ---- versions ---- */

static enum status read_versions(struct workspace *workspace, const struct reading *reading, struct error *error) {
  static const char *const columns[] = {"plan_id", "digest", "run"};
  const struct filter filter = {.column = "source", .text = reading->source};
  const struct selection selection = {.view = "plans",
                                      .columns = columns,
                                      .column_count = 3,
                                      .filters = &filter,
                                      .filter_count = 1,
                                      .order = "plan_id"};
  struct result *result = NULL;
  enum status status = store_select(workspace->store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    struct slice digest = result_text(result, 1);
    json_t *one = json_pack("{sI ss% sI sn sn sn sn so so}", "plan_id", (json_int_t)result_integer(result, 0), "digest",
                            digest.data, digest.len, "run", (json_int_t)result_integer(result, 2), "at", "actor",
                            "purpose", "entry", "lines", json_array(), "touched", json_array());
    if (json_array_append_new(reading->versions, one) != 0) {
      status = error_memory(error);
    }
  }
  result_free(result);
  return status == END ? OK : status;
}

static enum status compare_versions(struct workspace *workspace, json_t *versions, struct error *error) {
  struct buffer texts[2];
  enum status status = OK;
  buffer_init(&texts[0], MAPPING_LIMIT);
  buffer_init(&texts[1], MAPPING_LIMIT);
  for (size_t i = 0; i < json_array_size(versions) && status == OK; i++) {
    json_t *version = json_array_get(versions, i);
    struct buffer *was = &texts[(i + 1) % 2], *is = &texts[i % 2];
    buffer_reset(is);
    status = store_plan_text(workspace->store, json_integer_value(json_object_get(version, "plan_id")), is, error);
    bool same = slice_equal(buffer_view(was), buffer_view(is));
    json_object_set_new(version, "changed", json_string(i == 0 ? "first" : same ? "lists" : "text"));
    if (status == OK && i > 0 && !same) {
      status = textdiff(buffer_view(was), buffer_view(is), json_object_get(version, "lines"), error);
    }
  }
  buffer_free(&texts[0]);
  buffer_free(&texts[1]);
  return status;
}

/* Approvals are of texts, by the SHA-256 of the file, and who approved is what the log says: a row of the table may
 * have been changed. */
static void put_approval(json_t *version, const struct approval_log *log, const char *source,
                         const struct sha256 *digest) {
  char hex[2 * SHA256_SIZE + 1];
  hex_format(digest->bytes, SHA256_SIZE, hex);
  const struct approval_entry *approved =
      approval_log_find(log, "approved", text_kind_names[TEXT_MAPPING], source, hex);
  const struct approval_entry *proposed = approved == NULL ? NULL : approval_log_of(log, approved->id, "proposed");
  json_object_set_new(version, "approved_by", text_or_null(approved == NULL ? NULL : approved->actor));
  json_object_set_new(version, "approved_at", approved == NULL ? json_null() : json_integer(approved->at));
  json_object_set_new(version, "remark", text_or_null(approved == NULL ? NULL : approved->reason));
  json_object_set_new(version, "document", text_or_null(approved == NULL ? NULL : approved->document));
  json_object_set_new(version, "proposed_by", text_or_null(proposed == NULL ? NULL : proposed->actor));
  json_object_set_new(version, "reason", text_or_null(proposed == NULL ? NULL : proposed->reason));
}

static enum status add_approvals(struct workspace *workspace, const char *source, json_t *versions,
                                 struct error *error) {
  struct arena *arena = arena_new(0);
  struct approval_log *log = NULL;
  enum status status = arena == NULL ? error_memory(error) : approval_log_read(workspace->store, arena, &log, error);
  for (size_t i = 0; i < json_array_size(versions) && status == OK; i++) {
    json_t *version = json_array_get(versions, i);
    struct buffer text;
    buffer_init(&text, MAPPING_LIMIT);
    status = store_plan_text(workspace->store, json_integer_value(json_object_get(version, "plan_id")), &text, error);
    struct sha256 digest = sha256_of(buffer_view(&text));
    if (status == OK) {
      put_approval(version, log, source, &digest);
    }
    buffer_free(&text);
  }
  arena_free(arena);
  return status;
}

enum status audit_mapping(struct workspace *workspace, const char *source, json_t **answer, struct error *error) {
  struct reading reading = {.source = source, .versions = json_array()};
  *answer = NULL;
  enum status status = reading.versions == NULL ? error_memory(error) : access_require(workspace, RIGHT_LOG, error);
  status = status == OK ? read_versions(workspace, &reading, error) : status;
  if (status == OK && json_array_size(reading.versions) == 0) {
    error_set(error, ERR_NOT_FOUND, _("no mapping of source '%s' was ever used"), source);
    error_hint(error, "%s", _("`puente report sources` lists them"));
    status = ERR_NOT_FOUND;
  }
  status = status == OK ? store_visit_audit(workspace->store, 1, take_entry, &reading, error) : status;
  status = status == OK ? compare_versions(workspace, reading.versions, error) : status;
  status = status == OK ? add_approvals(workspace, source, reading.versions, error) : status;
  if (status != OK) {
    json_decref(reading.versions);
    return status;
  }
  *answer = json_pack("{ss so}", "source", source, "versions", reading.versions);
  return *answer == NULL ? error_memory(error) : OK;
}
