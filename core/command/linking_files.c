#include "core/command/linking_files.h"

#include "core/command/commands.h"
#include "core/command/meter.h"
#include "core/command/stop.h"
#include "core/command/table.h"
#include "core/service/dedupe.h"
#include "core/service/suggest.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS_MOST = 256 };

void linking_files_init(struct linking_files *files) {
  *files = (struct linking_files){.csv = {.most = LINKING_FILES_MOST}};
  files->csv.items = files->paths;
}

bool linking_files_wanted(const struct linking_files *files) {
  return files->csv.count > 0 || files->plan != NULL || files->out != NULL || files->pairs_out != NULL
         || files->model != NULL || files->train_out != NULL || files->among != NULL || files->encoding != NULL
         || files->suggest != NULL;
}

static bool on_progress(void *context, const char *step, double done) {
  meter_share(context, step, done);
  return !atomic_load(stop_flag());
}

/* NAN is no number of JSON. */
static json_t *number(double value) {
  return isnan(value) ? json_null() : json_real(value);
}

static json_t *score_object(const struct link_score *score) {
  return json_pack("{sI sI sI s{so so so} s{so so so}}", "true_pairs", (json_int_t)score->true_pairs, "found_pairs",
                   (json_int_t)score->found_pairs, "right_pairs", (json_int_t)score->right_pairs, "pairwise",
                   "precision", number(score->precision), "recall", number(score->recall), "f1", number(score->f1),
                   "b3", "precision", number(score->b3_precision), "recall", number(score->b3_recall), "f1",
                   number(score->b3_f1));
}

static json_t *blocks_array(const struct dedupe_result *result) {
  json_t *blocks = json_array();
  for (size_t i = 0; i < result->block_count; i++) {
    const struct link_block_counts *counts = &result->blocks[i].counts;
    json_array_append_new(blocks, json_pack("{ss sI sI sI sI sI}", "name", result->blocks[i].name, "proposed",
                                            (json_int_t)counts->proposed, "marginal", (json_int_t)counts->marginal,
                                            "kept", (json_int_t)counts->kept, "dropped", (json_int_t)counts->dropped,
                                            "capped", (json_int_t)counts->capped));
  }
  return blocks;
}

static void print_json(const struct dedupe_result *result) {
  json_t *root = json_pack(
      "{sI sI sI sI sI sI s{sI sI sI sI} s{sf sf sb} sb so s{sf sf sf sf} sI}", "records", (json_int_t)result->records,
      "unread", (json_int_t)result->unread, "repeated", (json_int_t)result->repeated, "clusters",
      (json_int_t)result->clusters, "clusters_if_accepted", (json_int_t)result->clusters_accepted, "unlinkable",
      (json_int_t)result->unlinkable, "pairs", "compared", (json_int_t)result->compared, "kept",
      (json_int_t)result->kept, "joined", (json_int_t)result->joined, "waiting", (json_int_t)result->waiting, "band",
      "from", result->band.from, "to", result->band.to, "hold", (int)result->band.hold, "trained", (int)result->trained,
      "blocks", blocks_array(result), "seconds", "read", result->read_seconds, "link", result->link_seconds, "write",
      result->write_seconds, "total", result->read_seconds + result->link_seconds + result->write_seconds, "peak_mib",
      (json_int_t)result->peak_mib);
  if (result->has_truth) {
    json_t *truth = score_object(&result->score);
    json_object_set_new(truth, "ceiling", number(result->score.ceiling));
    json_object_set_new(truth, "ceiling_pairs", json_integer((json_int_t)result->ceiling_pairs));
    json_object_set_new(root, "truth", truth);
  }
  if (result->has_among) {
    json_object_set_new(root, "among", score_object(&result->among));
  }
  json_dumpf(root, stdout, JSON_INDENT(2));
  puts("");
  json_decref(root);
}

static void end_table(struct table *table) {
  struct error error;
  if ((table == NULL ? error_memory(&error) : table_print(table, stdout, TABLE_TEXT, &error)) != OK) {
    command_fail(&error);
  }
  table_free(table);
}

static void print_blocks(const struct dedupe_result *result) {
  const struct table_column columns[] = {
      {.name = "rule", .title = _("blocking rule")},
      {.name = "proposed", .title = _("proposed"), .align = ALIGN_RIGHT},
      {.name = "marginal", .title = _("by it first"), .align = ALIGN_RIGHT},
      {.name = "kept", .title = _("kept"), .align = ALIGN_RIGHT},
      {.name = "dropped", .title = _("dropped"), .align = ALIGN_RIGHT},
      {.name = "capped", .title = _("over the cap"), .align = ALIGN_RIGHT},
  };
  struct table *table = table_new(columns, sizeof columns / sizeof *columns);
  for (size_t i = 0; table != NULL && i < result->block_count; i++) {
    const struct link_block_counts *counts = &result->blocks[i].counts;
    table_text(table, result->blocks[i].name);
    table_integer(table, (int64_t)counts->proposed);
    table_integer(table, (int64_t)counts->marginal);
    table_integer(table, (int64_t)counts->kept);
    table_integer(table, (int64_t)counts->dropped);
    table_integer(table, (int64_t)counts->capped);
  }
  end_table(table);
}

static void score_row(struct table *table, const char *what, double precision, double recall, double f1) {
  char text[3][32];
  const double values[] = {precision, recall, f1};
  table_text(table, what);
  for (size_t i = 0; i < 3; i++) {
    snprintf(text[i], sizeof text[i], "%.4f", values[i]);
    table_text(table, isnan(values[i]) ? NULL : text[i]);
  }
}

static void print_scores(const struct dedupe_result *result) {
  const struct table_column columns[] = {
      {.name = "measure", .title = _("measure")},
      {.name = "precision", .title = _("precision"), .align = ALIGN_RIGHT},
      {.name = "recall", .title = _("recall"), .align = ALIGN_RIGHT},
      {.name = "f1", .title = "F1", .align = ALIGN_RIGHT},
  };
  struct table *table = table_new(columns, sizeof columns / sizeof *columns);
  const struct link_score *score = &result->score;
  if (table != NULL) {
    score_row(table, _("pairs"), score->precision, score->recall, score->f1);
    score_row(table, _("B³, by record"), score->b3_precision, score->b3_recall, score->b3_f1);
    if (result->has_among) {
      score_row(table, _("pairs of marked records"), result->among.precision, result->among.recall, result->among.f1);
    }
    if (!isnan(score->ceiling)) {
      table_note(table,
                 _("blocking proposes %.4f of the true pairs (%" PRIu64
                   " looked at); others can only be joined through a third"),
                 score->ceiling, result->ceiling_pairs);
    }
  }
  end_table(table);
}

static void print_line(const char *label, uint64_t value) {
  char grouped[32];
  printf("%12s  %s\n", number_group((int64_t)value, grouped), label);
}

static void print_text(const struct dedupe_result *result) {
  print_line(_("records"), result->records);
  print_line(_("clusters"), result->clusters);
  print_line(_("clusters if every waiting pair were accepted"), result->clusters_accepted);
  print_line(_("records that nothing could be compared with"), result->unlinkable);
  print_line(_("pairs compared"), result->compared);
  print_line(_("pairs joined"), result->joined);
  print_line(_("pairs waiting for a person"), result->waiting);
  puts("");
  print_blocks(result);
  if (result->has_truth) {
    puts("");
    print_scores(result);
  }
  printf(_("\n%.2f seconds (read %.2f, link %.2f, write %.2f), %" PRIu64 " MiB at most\n"),
         result->read_seconds + result->link_seconds + result->write_seconds, result->read_seconds,
         result->link_seconds, result->write_seconds, result->peak_mib);
}

static enum status read_numbers(const struct linking_files *files, struct dedupe_options *options,
                                struct error *error) {
  int64_t threads = 0;
  if (files->threads != NULL
      && (!text_to_int64(slice_of(files->threads), &threads) || threads < 1 || threads > THREADS_MOST)) {
    return error_set(error, ERR_USAGE, _("--threads: a number between 1 and %d is expected"), THREADS_MOST);
  }
  options->threads = (unsigned)threads;
  if (files->encoding != NULL && !encoding_parse(slice_of(files->encoding), &options->encoding)) {
    error_set(error, ERR_USAGE, _("--encoding: \"%s\" is not known"), files->encoding);
    error_hint(error, _("utf-8, windows-1252 or latin-1"));
    return ERR_USAGE;
  }
  return OK;
}

static int suggest(const struct linking_files *files, enum encoding encoding) {
  struct buffer text;
  struct error error;
  buffer_init(&text, 1 << 20);
  enum status status = suggest_plan(files->suggest, encoding, &text, &error);
  if (status == OK) {
    fwrite(text.data, 1, text.len, stdout);
  }
  buffer_free(&text);
  return status == OK ? 0 : command_fail(&error);
}

static int link_files(const struct globals *globals, struct dedupe_options options) {
  struct dedupe_result *result = calloc(1, sizeof *result);
  struct error error;
  struct meter meter;
  if (result == NULL) {
    error_memory(&error);
    return command_fail(&error);
  }
  meter_init(&meter, globals);
  options.progress = on_progress;
  options.context = &meter;
  enum status status = dedupe_run(&options, result, &error);
  meter_clear(&meter);
  if (status == OK && globals->json) {
    print_json(result);
  } else if (status == OK && !globals->quiet) {
    print_text(result);
  }
  int code = status != OK ? command_fail(&error) : result->unread > 0 ? 3 : 0;
  free(result);
  return code;
}

int command_linking_files(const struct globals *globals, const struct linking_files *files) {
  struct dedupe_options options = {.files = files->paths,
                                   .file_count = files->csv.count,
                                   .plan = files->plan,
                                   .out = files->out,
                                   .pairs_out = files->pairs_out,
                                   .model = files->model,
                                   .train_out = files->train_out,
                                   .among = files->among};
  struct error error;
  if (read_numbers(files, &options, &error) != OK) {
    return command_fail(&error);
  }
  if (files->suggest != NULL) {
    return suggest(files, options.encoding);
  }
  if (files->csv.count == 0 || files->plan == NULL || files->out == NULL) {
    return command_misused(&command_link, _("%s is missing"),
                           files->csv.count == 0 ? "--csv FILE"
                           : files->plan == NULL ? "--link CONFIG.yaml"
                                                 : "--out CLUSTERS.csv");
  }
  return link_files(globals, options);
}
