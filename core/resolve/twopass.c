#include "core/resolve/twopass.h"

#include "core/resolve/columns.h"

#include <stdlib.h>

enum status twopass_records(const struct twopass_side *side, const struct staged_rows *cases,
                            const struct evidence *evidence, struct link_records *records, struct error *error) {
  const struct staged_rows *rows = side->rows;
  *records = (struct link_records){.count = rows->count,
                                   .source = rows->family,
                                   .same = rows->same,
                                   .unique = side->unique,
                                   .decisions = side->decisions,
                                   .decision_count = side->decision_count};
  if (rows != cases) {
    records->group = rows->fellows;
    records->role = rows->role;
    records->sealed = rows->sealed;
  }
  return columns_make(side->plan, rows, cases, evidence, &records->columns, &records->column_count, error);
}

static bool tell_step(void *context, const char *step, double done) {
  const struct twopass_side *side = context;
  (void)step;
  int64_t count = (int64_t)side->rows->count;
  progress_step(side->progress, side->what, (int64_t)(done * (double)count), done > 0 ? count : -1);
  return true;
}

/* One linking of a side; its model is kept by the side where it was trained. */
static enum status link_side(struct twopass *t, struct twopass_side *side, const struct evidence *evidence,
                             struct link_result *result, struct error *error) {
  const struct link_options options = {
      .model = side->model, .progress = tell_step, .context = side, .quiet = side->passing, .sparse = true};
  struct link_records records;
  enum status status = twopass_records(side, t->cases.rows, evidence, &records, error);
  status = status == OK ? link_run(side->plan, &records, &options, result, error) : status;
  columns_free(records.columns, records.column_count);
  if (status == OK && result->trained) {
    side->model = result->model;
    result->trained = false;
  }
  return status;
}

static enum status link_alone(struct twopass *t, struct twopass_side *side, struct link_result *result,
                              struct error *error) {
  struct evidence none;
  enum status status = evidence_none(side->rows->count, &none, error);
  status = status == OK ? link_side(t, side, &none, result, error) : status;
  evidence_free(&none);
  return status;
}

static enum status link_cases(struct twopass *t, const uint32_t *person_cluster, struct link_result *result,
                              struct error *error) {
  struct evidence people;
  enum status status = evidence_of_people(t->persons.rows, t->cases.rows, person_cluster, &people, error);
  status = status == OK ? link_side(t, &t->cases, &people, result, error) : status;
  evidence_free(&people);
  return status;
}

static enum status link_persons(struct twopass *t, const uint32_t *case_cluster, struct link_result *result,
                                struct error *error) {
  struct evidence own;
  enum status status = evidence_of_cases(t->persons.rows, t->cases.rows, case_cluster, &own, error);
  status = status == OK ? link_side(t, &t->persons, &own, result, error) : status;
  evidence_free(&own);
  return status;
}

static enum status cluster_alone(struct twopass *t, struct twopass_side *side, uint32_t **cluster,
                                 struct error *error) {
  struct link_result alone = {0};
  enum status status = link_alone(t, side, &alone, error);
  *cluster = alone.cluster;
  alone.cluster = NULL;
  link_result_free(&alone);
  return status;
}

enum status twopass_cases_alone(struct twopass *t, uint32_t **cluster, struct error *error) {
  return cluster_alone(t, &t->cases, cluster, error);
}

enum status twopass_persons_alone(struct twopass *t, uint32_t **cluster, struct error *error) {
  return cluster_alone(t, &t->persons, cluster, error);
}

/* Models of both kinds, each learned with all the evidence that it will see. */
enum status twopass_train(struct twopass *t, struct error *error) {
  struct link_result first = {0};
  struct link_result cases = {0};
  struct link_result persons = {0};
  uint32_t *alone = NULL;
  link_model_free(t->persons.model);
  link_model_free(t->cases.model);
  t->persons.model = NULL;
  t->cases.model = NULL;
  t->persons.passing = true;
  enum status status = link_alone(t, &t->persons, &first, error);
  t->persons.passing = false;
  link_model_free(t->persons.model);
  t->persons.model = NULL;
  status = status == OK ? link_cases(t, first.cluster, &cases, error) : status;
  status = status == OK ? twopass_cases_alone(t, &alone, error) : status;
  status = status == OK ? link_persons(t, alone, &persons, error) : status;
  free(alone);
  link_result_free(&first);
  link_result_free(&cases);
  link_result_free(&persons);
  t->trained = true;
  return status;
}

enum status twopass_run(struct twopass *t, struct error *error) {
  struct link_result *people = &t->persons.early;
  struct link_result *alone = &t->cases.early;
  enum status status = t->persons.model == NULL || t->cases.model == NULL ? twopass_train(t, error) : OK;
  status = status == OK ? link_alone(t, &t->persons, people, error) : status;
  status = status == OK ? link_cases(t, people->cluster, &t->cases.result, error) : status;
  status = status == OK ? link_alone(t, &t->cases, alone, error) : status;
  return status == OK ? link_persons(t, alone->cluster, &t->persons.result, error) : status;
}

static void free_side(struct twopass_side *side) {
  link_result_free(&side->result);
  link_result_free(&side->early);
  link_model_free(side->model);
  free(side->decisions);
  side->model = NULL;
  side->decisions = NULL;
}

void twopass_free(struct twopass *t) {
  free_side(&t->persons);
  free_side(&t->cases);
}
