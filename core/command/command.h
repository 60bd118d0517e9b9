/* One command a file, one row in the table of core/main.c. A command parses its arguments, calls a service, prints. */
#ifndef PUENTE_COMMAND_COMMAND_H
#define PUENTE_COMMAND_COMMAND_H

#include "core/base/error.h"

struct globals {
  const char *config; /* --config FILE; default $PUENTE_CONFIG, else ./puente.yaml */
  bool json, quiet;
};

struct command {
  const char *name;     /* "quarantine" */
  const char *synopsis; /* "list|show|retry|dismiss [OPTIONS]" */
  const char *summary;  /* one line, N_() */
  const char *help;     /* options and an example, N_() */
  /* argv[0] is the command's name. Returns the exit code; has printed its error. */
  int (*run)(const struct globals *globals, int argc, char **argv);
};

#endif
