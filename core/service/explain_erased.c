/* What an answer tells of taking out: when, by whom, why. */
#include "core/base/date.h"
#include "core/service/access.h"
#include "core/service/explain.h"
#include "core/store/erase.h"

enum { LISTED_MOST = 1000 };

static json_t *text_or_null(const char *text) {
  return text == NULL || text[0] == '\0' ? json_null() : json_string(text);
}

/* OK also where nothing of the record was taken out. */
static enum status tell(struct workspace *workspace, int64_t record_id, json_t *list, struct error *error) {
  struct erasure erasure;
  char at[TIMESTAMP_TEXT_SIZE];
  struct arena *arena = arena_new(0);
  if (arena == NULL) {
    return error_memory(error);
  }
  enum status status = store_erasure_of(workspace->store, record_id, arena, &erasure, error);
  if (status == OK) {
    clock_format(erasure.at, at);
    json_t *one = json_pack("{sI ss ss ss so so so sI}", "record_id", (json_int_t)record_id, "what",
                            erasure_kind_names[erasure.kind], "at", at, "cause", erase_cause_names[erasure.cause], "by",
                            text_or_null(erasure.actor), "reason", text_or_null(erasure.reason), "document",
                            text_or_null(erasure.document), "run", (json_int_t)erasure.run);
    status = json_array_append_new(list, one) == 0 ? OK : error_memory(error);
  }
  arena_free(arena);
  return status == ERR_NOT_FOUND ? OK : status;
}

enum status explain_erased(struct workspace *workspace, const int64_t *records, size_t count, json_t *answer,
                           struct error *error) {
  json_t *list = json_array();
  enum status status = list == NULL ? error_memory(error) : OK;
  json_object_set_new(answer, "erased", list);
  if (access_restricted(workspace)) {
    return status; /* who may not see the table of what was taken out */
  }
  for (size_t i = 0; i < count && i < LISTED_MOST && status == OK; i++) {
    bool known = false;
    for (size_t k = 0; k < i && !known; k++) {
      known = records[k] == records[i];
    }
    status = known ? OK : tell(workspace, records[i], list, error);
  }
  return status;
}
