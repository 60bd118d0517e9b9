/* What stands that a person should know of: one entry a thing, from an overview alone. Private to the notices. */
#ifndef PUENTE_SERVICE_MATTER_H
#define PUENTE_SERVICE_MATTER_H

#include "core/service/overview.h"

enum matter_kind {
  MATTER_FAILURE,    /* a source that needs a person */
  MATTER_DRIFT,      /* its fields */
  MATTER_QUARANTINE, /* its records */
  MATTER_EXPIRY,
  MATTER_LINKING,
  MATTER_BACKUP,
  MATTER_HOLDERS, /* no checkpoint outside for long */
  MATTER_RELOAD,  /* only as a notice: notices_reload opens and closes it */
  MATTER_KINDS
};
extern const char *const matter_names[]; /* "failure", "drift", …: first part of a notice's name */

struct matter {
  enum matter_kind kind;
  const char *name;                     /* of its notice: "failure:reta", "expiry:reta:password", "backup" */
  const struct source_overview *source; /* NULL: of the whole */
  const struct expiry *expiry;
  int64_t since; /* 0: unknown */
  /* What it is told at: the state, findings, records in quarantine, days of the warning. */
  int64_t level;
  bool ripe; /* to be told where it was not; a first failure may mend itself within minutes */
};
/* In the arena: sources in their order, then the whole. `growth` of config->notify says what quarantine is worth. */
enum status matters_read(const struct workspace *workspace, const struct overview *overview, struct arena *arena,
                         int64_t now, struct matter **matters, size_t *count, struct error *error) MUST_CHECK;
/* Whether what was told of at a level has become something else to be told of. */
bool matter_worse(const struct config *config, const struct matter *matter, int64_t level);

#endif
