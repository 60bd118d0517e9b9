/* `puente link` on CSV files alone, without a workspace. */
#ifndef PUENTE_COMMAND_LINKING_FILES_H
#define PUENTE_COMMAND_LINKING_FILES_H

#include "core/command/arguments.h"

enum { LINKING_FILES_MOST = 64 };

struct linking_files {
  const char *paths[LINKING_FILES_MOST];
  struct argument_list csv;
  const char *plan, *out, *pairs_out, *model, *train_out, *among, *encoding, *threads, *suggest;
};

/* Rows for the command's table of arguments. */
#define LINKING_FILES_ARGUMENTS(files)                                                                                 \
  {.name = "csv", .list = &(files).csv}, {.name = "link", .text = &(files).plan},                                      \
      {.name = "out", .text = &(files).out}, {.name = "pairs-out", .text = &(files).pairs_out},                        \
      {.name = "model", .text = &(files).model}, {.name = "train-out", .text = &(files).train_out},                    \
      {.name = "among", .text = &(files).among}, {.name = "encoding", .text = &(files).encoding},                      \
      {.name = "threads", .text = &(files).threads}, {                                                                 \
    .name = "suggest", .text = &(files).suggest                                                                        \
  }

void linking_files_init(struct linking_files *files);
/* Whether any of them was given: then no store is linked. */
bool linking_files_wanted(const struct linking_files *files);
/* Links, or suggests a configuration, and prints what came of it; gives the exit code. */
int command_linking_files(const struct globals *globals, const struct linking_files *files);

#endif
