/* What `puente audit` says of lineage. */
#ifndef PUENTE_COMMAND_LINEAGE_H
#define PUENTE_COMMAND_LINEAGE_H

#include "core/command/command.h"
#include "core/service/proof.h"

/* Compares the store with the log and says so; ERR_STORE with the first that is wrong. `source` NULL: all. */
enum status lineage_tell_records(const struct globals *globals, struct workspace *workspace, const char *source,
                                 struct error *error) MUST_CHECK;
/* The versions of a source's mapping. */
enum status lineage_tell_mapping(const struct globals *globals, const char *source, struct error *error) MUST_CHECK;

/* What was typed of a sample. */
struct typed_sample {
  const char *by, *where, *n, *seed, *run, *purpose;
  bool exact;
};
/* `words`: the indicator, and perhaps a row of its report. */
enum status lineage_tell_sample(const struct globals *globals, char **words, int count,
                                const struct typed_sample *typed, struct error *error) MUST_CHECK;

#endif
