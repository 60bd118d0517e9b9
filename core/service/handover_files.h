/* The files of a handover: which ones the configuration consists of. Private to core/service/handover*.c. */
#ifndef PUENTE_SERVICE_HANDOVER_FILES_H
#define PUENTE_SERVICE_HANDOVER_FILES_H

#include "core/service/handover.h"

enum { HANDOVER_FILES_MOST = 2048, HANDOVER_FILE_LIMIT = 4 << 20 };

struct handover_files {
  struct arena *arena;
  const char *root;             /* the workspace's folder, resolved */
  const char **paths;           /* relative to it; each once */
  const char **outside;         /* configuration that lies elsewhere, or is no text: to be carried by hand */
  const char **missing;         /* named by the configuration, and not there, or not for this user to see */
  struct secret_place *secrets; /* never among them */
  size_t count, outside_count, missing_count, secret_count;
};
/* puente.yaml, sources, mappings, code lists, indicators, model, link files and what they name, request bodies,
 * certificates. Never the key, the store, or data. */
enum status handover_collect(const struct config *config, struct arena *arena, struct handover_files *files,
                             struct error *error) MUST_CHECK;

#endif
