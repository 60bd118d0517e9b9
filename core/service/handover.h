/* Handing a workspace over: one Markdown document with its configuration, where each secret lives, and how it stands;
 * and a workspace made from such a document. No secret and no value of a record is in it. */
#ifndef PUENTE_SERVICE_HANDOVER_H
#define PUENTE_SERVICE_HANDOVER_H

#include "core/service/workspace.h"

enum { HANDOVER_LIMIT = 64 << 20 };

/* A secret that the configuration names: never its value. */
struct secret_place {
  const char *what;      /* "store: password", "sistra: client_secret", "key" */
  const char *reference; /* "env:NAME", "file:PATH" */
  const char *file;      /* of file: references; NULL */
  bool there;            /* set in this environment, or a file that is there */
  unsigned mode;         /* of the file; 0: none */
};
/* All of them, in the arena. */
enum status secrets_list(const struct config *config, struct arena *arena, struct secret_place **found, size_t *count,
                         struct error *error) MUST_CHECK;

/* Appends the document, in the program's language. Reads the store where there is one. */
enum status service_handover(const char *config_path, struct buffer *document, struct error *error) MUST_CHECK;

/* Makes `folder` (new, or without a workspace) from a document: every file that it holds, after the digests of all were
 * checked. Paths that are absolute, leave the folder, or go through a link are refused, before anything is written.
 * `files` counts. The key is not in it. */
enum status handover_found(const char *folder, const char *document, int *files, struct error *error) MUST_CHECK;

#endif
