/* Mappings tried out: what a mapping makes of an input, as text, and cases of input, mapping and expected record.
 *
 * A file of cases holds sections that begin with a line `--- NAME`:
 *   === title        optional, begins a case
 *   --- mapping      kept for the following cases of the file until replaced
 *   --- input        the bytes that the source would send
 *   --- expect       what must come of it, in the form of mapping_show; or
 *   --- mistakes     what the compiler must say of the mapping
 * Lines that begin with `#` before the first section are comments. In a Markdown file each fenced block ```case is such
 * a file. Reports are of the caller, who made the buffer. */
#ifndef PUENTE_SERVICE_MAPTEST_H
#define PUENTE_SERVICE_MAPTEST_H

#include "mapping/plan.h"

struct mapping_bench {
  struct model *model;
  struct codelists *lists;
};
/* Model and code lists of a workspace; `config` NULL: the program's own. */
enum status mapping_bench_open(const char *path, struct mapping_bench *bench, struct error *error) MUST_CHECK;
void mapping_bench_close(struct mapping_bench *bench);

/* Rows and issues of each record as text: one line a row, one a field, one an issue. Values of fields that are not open
 * are shown as shapes unless `reveal`. */
enum status mapping_show(const struct plan *plan, const struct model *model, struct slice input, bool reveal,
                         struct buffer *out, struct error *error) MUST_CHECK;

struct maptest_counts {
  size_t cases, failed;
};
/* Runs the cases of a file, adds to `counts`, and writes to `report` a difference for each that fails. An error is the
 * file's (unreadable, no case in it), not a case's. */
enum status maptest_file(const struct mapping_bench *bench, const char *path, struct maptest_counts *counts,
                         struct buffer *report, struct error *error) MUST_CHECK;

/* Lines of `expected` and `got` that differ, with '-' and '+' before them. */
enum status text_difference(struct slice expected, struct slice got, struct buffer *out,
                            struct error *error) MUST_CHECK;

#endif
