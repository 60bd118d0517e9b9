/* Linking without a store: CSV files in, a CSV of clusters out, and how well that agrees with a truth where the plan
 * names one. The truth is never seen by the method. */
#ifndef PUENTE_SERVICE_DEDUPE_H
#define PUENTE_SERVICE_DEDUPE_H

#include "core/link/evaluate.h"
#include "core/link/link.h"
#include "core/service/sheet.h"

struct dedupe_options {
  const char *const *files;
  size_t file_count;
  const char *plan;      /* a file of the language of config/link */
  const char *out;       /* CLUSTERS.csv: source,record,cluster_id; complete or not there */
  const char *pairs_out; /* the pairs kept, with weights and what became of them; NULL: none */
  const char *model;     /* a frozen model; NULL: train */
  const char *train_out; /* where the model goes; NULL: nowhere */
  const char *among;     /* column: the truth is also measured on records that have a value there; NULL */
  enum encoding encoding;
  unsigned threads;
  link_progress *progress;
  void *context;
};

struct dedupe_block {
  char name[96];
  struct link_block_counts counts;
};

struct dedupe_result {
  uint64_t records, unread, repeated; /* as in struct sheet_file, of all files */
  uint64_t clusters, clusters_accepted, unlinkable;
  uint64_t compared, kept, joined, waiting; /* pairs */
  bool trained;
  struct link_band band;
  struct dedupe_block blocks[LINK_RULES_MOST];
  size_t block_count;
  double read_seconds, link_seconds, write_seconds; /* measuring against the truth is not in them */
  uint64_t peak_mib;                                /* resident, of the process, before that */
  bool has_truth, has_among;
  struct link_score score, among;
  uint64_t ceiling_pairs; /* true pairs that the ceiling was told from: all, or a sample of the entities */
};

/* Lines that are no record and ids that repeat are warnings in the log. On an error no file of the options is touched,
 * except that those complete before it stay. */
enum status dedupe_run(const struct dedupe_options *options, struct dedupe_result *result,
                       struct error *error) MUST_CHECK;

/* ---- the parts, of which each is for dedupe_run ---- */

/* Whether a file can be written there, asked before the work is done for nothing. `path` NULL: OK. */
enum status dedupe_try_path(const char *path, struct error *error) MUST_CHECK;
enum status dedupe_write_clusters(const char *path, const struct sheet *sheet, const struct link_result *linked,
                                  struct error *error) MUST_CHECK;
enum status dedupe_write_pairs(const char *path, const struct sheet *sheet, const struct link_plan *plan,
                               const struct link_result *linked, struct error *error) MUST_CHECK;
/* Share of the true pairs that some blocking rule proposes, looked for in at most about 200,000 records of entities
 * taken as they come; NAN where there is no true pair. `*pairs`: how many were looked at. */
enum status dedupe_ceiling(const struct link_plan *plan, const struct sheet *sheet, const struct link_model *model,
                           double *ceiling, uint64_t *pairs, struct error *error) MUST_CHECK;

#endif
