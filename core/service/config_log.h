/* WHAT THE CONFIGURATION WAS: each change of a file that steers what is done is in the log, by whoever first works with
 * it. Files are named by their path in the workspace, contents by SHA-256; a secret is a reference there, never a
 * value. */
#ifndef PUENTE_SERVICE_CONFIG_LOG_H
#define PUENTE_SERVICE_CONFIG_LOG_H

#include "core/service/workspace.h"

/* Compares puente.yaml, sources, mappings, code lists, indicators, model, link files and the program's version with
 * what the store last knew; where they differ, writes an entry `config` and what it knows now, in a transaction of its
 * own. A configuration whose files cannot be read through is left to whoever reads them. */
enum status config_log(struct workspace *workspace, struct error *error) MUST_CHECK;

#endif
