#include "core/service/showing.h"

static enum status take(void *context, int64_t id, struct error *error) {
  return shown_add(context, id, error);
}

enum status showing_all(struct workspace *workspace, int64_t run, struct shown *shown, struct error *error) {
  static const char *const columns[] = {"person_id"};
  const struct selection selection = {
      .view = "persons", .columns = columns, .column_count = 1, .order = "person_id", .as_of_run = run};
  struct result *result = NULL;
  enum status status = store_select(workspace->store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    status = shown_add(shown, result_integer(result, 0), error);
  }
  result_free(result);
  return status == END ? shown_finish(shown, error) : status;
}

enum status showing_own(struct workspace *workspace, const char *institution, struct shown *shown,
                        struct error *error) {
  enum status status = store_visit_own(workspace->store, CLUSTER_PERSON, institution, take, shown, error);
  return status == OK ? shown_finish(shown, error) : status;
}

enum status showing_involved(struct workspace *workspace, const int64_t *cases, size_t count, struct shown *shown,
                             struct error *error) {
  enum status status = store_visit_involved(workspace->store, cases, count, take, shown, error);
  return status == OK ? shown_finish(shown, error) : status;
}
