#include "core/service/dedupe.h"

#include "core/base/date.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/link/model.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define MODEL_LIMIT ((size_t)256 << 20)

static double seconds_since(int64_t began) {
  return (double)(clock_monotonic() - began) / 1e6;
}

static uint64_t peak_mib(void) {
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss / 1024 : 0;
}

static enum status read_files(const struct dedupe_options *options, const struct link_plan *plan, struct sheet *sheet,
                              struct error *error) {
  struct sheet_options wanted = {.files = options->files,
                                 .file_count = options->file_count,
                                 .id = link_plan_id(plan),
                                 .among = options->among,
                                 .encoding = options->encoding,
                                 .threads = options->threads,
                                 .progress = options->progress,
                                 .context = options->context};
  wanted.column_count = link_plan_columns(plan, &wanted.columns);
  bool truth = link_plan_truth(plan, &wanted.truth, &wanted.truth_pattern);
  if (!truth && options->among != NULL) {
    return error_set(error, ERR_USAGE, _("--among needs a \"truth\" in the configuration"));
  }
  return sheet_read(&wanted, sheet, error);
}

/* What a reader of the result has to know of the files. */
static void tell_files(const struct sheet *sheet, struct dedupe_result *result) {
  for (size_t i = 0; i < sheet->file_count; i++) {
    const struct sheet_file *file = &sheet->files[i];
    struct error warning;
    result->unread += file->unread;
    result->repeated += file->repeated;
    if (file->unread > 0) {
      error_set(&warning, OK, _("%" PRIu64 " lines are no record and were left out, the first because: %s"),
                file->unread, file->reason);
      error_place(&warning, _("line %" PRIu64), file->first_wrong);
      error_place(&warning, "%s", file->path);
      log_error(LEVEL_WARNING, &warning);
    }
    if (file->repeated > 0) {
      error_set(&warning, OK, _("%" PRIu64 " records have an id that an earlier record has"), file->repeated);
      error_place(&warning, "%s", file->path);
      error_hint(&warning, _("each is linked by itself; the output cannot tell them apart"));
      log_error(LEVEL_WARNING, &warning);
    }
  }
}

static bool is_one_file(const char *a, const char *b) {
  struct stat x, y;
  if (a == NULL || b == NULL) {
    return false;
  }
  return strcmp(a, b) == 0 || (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

static enum status refuse_path(const char *path, const char *what, struct error *error) {
  error_set(error, ERR_USAGE, "%s", what);
  error_place(error, "%s", path);
  error_hint(error, "%s", _("give each file that is written a name of its own"));
  return ERR_USAGE;
}

/* Nothing is written over what is read, nor two results into one file. */
static enum status try_paths(const struct dedupe_options *options, struct error *error) {
  const char *const paths[] = {options->out, options->pairs_out, options->train_out};
  const char *const inputs[] = {options->plan, options->model};
  enum status status = OK;
  for (size_t i = 0; status == OK && i < sizeof paths / sizeof *paths; i++) {
    bool taken = is_one_file(paths[i], inputs[0]) || is_one_file(paths[i], inputs[1]);
    for (size_t k = 0; k < options->file_count; k++) {
      taken = taken || is_one_file(paths[i], options->files[k]);
    }
    bool twice = i > 0 && (is_one_file(paths[i], paths[0]) || (i > 1 && is_one_file(paths[i], paths[1])));
    if (taken || twice) {
      return refuse_path(paths[i],
                         taken ? _("this file is read: the result would take its place")
                               : _("two results would be written into this file"),
                         error);
    }
    status = dedupe_try_path(paths[i], error);
  }
  return status;
}

static enum status read_model(const char *path, struct link_model **model, struct error *error) {
  struct buffer text;
  if (path == NULL) {
    return OK;
  }
  if (file_read(path, MODEL_LIMIT, &text, error) != OK) {
    return error->code;
  }
  enum status status = link_model_read(path, buffer_view(&text), model, error);
  buffer_free(&text);
  return status;
}

static enum status write_model(const char *path, const struct link_model *model, struct error *error) {
  struct buffer text;
  if (path == NULL) {
    return OK;
  }
  buffer_init(&text, MODEL_LIMIT);
  enum status status = link_model_write(model, &text, error);
  if (status == OK) {
    status = file_write(path, buffer_view(&text), 0640, error);
  }
  buffer_free(&text);
  return status;
}

static void count_result(const struct link_plan *plan, const struct link_result *linked, struct dedupe_result *result) {
  result->clusters = linked->cluster_count;
  result->clusters_accepted = linked->cluster_count_accepted;
  result->unlinkable = linked->unlinkable;
  result->compared = linked->compared;
  result->kept = linked->pair_count;
  result->waiting = linked->waiting;
  result->trained = linked->trained;
  for (size_t i = 0; i < linked->pair_count; i++) {
    result->joined += linked->pairs[i].outcome == LINK_JOINED;
  }
  result->band = link_plan_band(plan);
  result->block_count = link_plan_block_count(plan);
  for (size_t i = 0; i < result->block_count; i++) {
    snprintf(result->blocks[i].name, sizeof result->blocks[i].name, "%.95s", link_plan_block(plan, (uint16_t)i));
    result->blocks[i].counts = linked->blocks[i];
  }
}

static enum status write_files(const struct dedupe_options *options, const struct link_plan *plan,
                               const struct sheet *sheet, const struct link_result *linked, struct error *error) {
  enum status status = write_model(options->train_out, linked->model, error);
  if (status == OK && options->pairs_out != NULL) {
    status = dedupe_write_pairs(options->pairs_out, sheet, plan, linked, error);
  }
  if (status == OK && options->out != NULL) {
    status = dedupe_write_clusters(options->out, sheet, linked, error);
  }
  return status;
}

/* Among the marked records alone: all others have no known truth. Changes the sheet's truth. */
static enum status measure_among(struct sheet *sheet, const struct link_result *linked, struct dedupe_result *result,
                                 struct error *error) {
  for (size_t i = 0; i < sheet->count; i++) {
    sheet->truth[i] = sheet->among[i] != 0 ? sheet->truth[i] : LINK_MISSING;
  }
  result->has_among = true;
  return link_evaluate(sheet->truth, linked->cluster, sheet->count, &result->among, error);
}

static enum status measure(const struct link_plan *plan, struct sheet *sheet, const struct link_result *linked,
                           struct dedupe_result *result, struct error *error) {
  if (sheet->truth == NULL) {
    return OK;
  }
  result->has_truth = true;
  enum status status = link_evaluate(sheet->truth, linked->cluster, sheet->count, &result->score, error);
  if (status == OK) {
    status = dedupe_ceiling(plan, sheet, linked->model, &result->score.ceiling, &result->ceiling_pairs, error);
  }
  return status == OK && sheet->among != NULL ? measure_among(sheet, linked, result, error) : status;
}

static enum status link_sheet(const struct dedupe_options *options, const struct link_plan *plan,
                              const struct link_model *model, struct sheet *sheet, struct dedupe_result *result,
                              struct error *error) {
  const struct link_records records = {.count = sheet->count,
                                       .columns = sheet->columns,
                                       .column_count = sheet->column_count,
                                       .source = sheet->file_count > 1 ? sheet->source : NULL};
  const struct link_options how = {
      .threads = options->threads, .model = model, .progress = options->progress, .context = options->context};
  struct link_result linked;
  int64_t began = clock_monotonic();
  if (link_run(plan, &records, &how, &linked, error) != OK) {
    return error->code;
  }
  result->link_seconds = seconds_since(began);
  count_result(plan, &linked, result);
  began = clock_monotonic();
  enum status status = write_files(options, plan, sheet, &linked, error);
  result->write_seconds = seconds_since(began);
  result->peak_mib = peak_mib();
  if (status == OK) {
    status = measure(plan, sheet, &linked, result, error);
  }
  link_result_free(&linked);
  return status;
}

enum status dedupe_run(const struct dedupe_options *options, struct dedupe_result *result, struct error *error) {
  struct link_plan *plan = NULL;
  struct link_model *model = NULL;
  struct sheet sheet;
  int64_t began = clock_monotonic();
  *result = (struct dedupe_result){.records = 0};
  enum status status = link_plan_load(options->plan, &plan, error);
  if (status == OK) {
    status = try_paths(options, error);
  }
  if (status == OK) {
    status = read_model(options->model, &model, error);
  }
  if (status == OK) {
    status = read_files(options, plan, &sheet, error);
  }
  if (status == OK) {
    result->records = sheet.count;
    result->read_seconds = seconds_since(began);
    tell_files(&sheet, result);
    status = link_sheet(options, plan, model, &sheet, result, error);
    sheet_free(&sheet);
  }
  link_model_free(model);
  link_plan_free(plan);
  return status;
}
