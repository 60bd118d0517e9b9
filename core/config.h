/* The workspace's configuration: puente.yaml and one file a source in sources/ beside it. Read once, immutable, owns
 * what it points to. Secrets are references here (env:NAME, file:PATH) and are read only when a connection is opened.
 */
#ifndef PUENTE_CONFIG_H
#define PUENTE_CONFIG_H

#include "connectors/connector.h"
#include "core/base/texts.h"
#include "core/base/yaml.h"
#include "core/config_access.h"
#include "core/config_checkpoints.h"
#include "core/config_serve.h"
#include "core/config_terms.h"

enum store_kind { STORE_SQLITE, STORE_POSTGRES };
/* Small cells of published tables: see core/disclose/disclose.h. */
struct disclosure_config {
  int k, width; /* default 11; 0: k-1 */
  int base;     /* 0: small figures are hidden; 3, 5: every figure is rounded to it instead */
  bool ledger;  /* reports are written down, and protected with those that were */
};
enum deletes { DELETES_NONE, DELETES_TOMBSTONE, DELETES_SWEEP };
enum source_state { SOURCE_ACTIVE, SOURCE_PAUSED, SOURCE_RETIRED };

/* What one run may take; 0: no limit. A run that has used it up ends after the page, and the next one goes on. */
struct budget {
  int64_t pages, bytes;
  int64_t time; /* microseconds */
};
/* When a password or a key ends, which nothing but its owner can tell. */
struct expiry_config {
  const char *what; /* "password", "api_key": for messages */
  int64_t at;       /* microseconds since the epoch: the day's begin, UTC */
};

/* What the figures of a source mean, in the words of who keeps it; NULL: not stated. */
enum counts_date { COUNTS_NOT_STATED, COUNTS_FACTS, COUNTS_FILING, COUNTS_REGISTRATION };
struct counts_config {
  const char *definition, *coverage;
  int date; /* enum counts_date: what puts a published figure into its period */
};

struct source_config {
  const char *code; /* "sistra"; lower case, digits, '_' ; unique */
  const char *title;
  const char *institution; /* "PE/MP": country and acronym */
  const char *contact;     /* whom to call when it fails */
  const char *unit;        /* counting unit of its main record: "denuncia", "victim", … */
  struct counts_config counts;
  enum source_state state;
  const struct connector *connector;
  const void *options; /* parsed by the connector's table, secrets NULL: config_options reads them */
  const struct yaml *options_yaml;
  const char *mapping; /* absolute path */
  enum deletes deletes;
  double max_drop;        /* a sweep that would delete more than this share is refused; default 0.2 */
  int64_t overlap;        /* microseconds subtracted from a watermark that is a time; default 0 */
  const char *const *cut; /* input paths that the sharing terms forbid: removed before landing */
  size_t cut_count;
  struct terms_config terms;
  bool linked;         /* false for aggregates and for sources kept apart */
  int precedence;      /* survivorship: lower wins; default its position */
  bool duplicate_free; /* certified: one record is one person */
  struct budget budget;
  const char *gateway;  /* sources that share one are never pulled at the same time; NULL: none */
  const char *succeeds; /* code of the source that this one replaces, in parallel for a time; NULL: none */
  const struct expiry_config *expiries; /* declared by hand; certificates tell their own */
  size_t expiry_count;
  const char *file;        /* where it is declared, for messages */
  const struct yaml *root; /* and as it was read */
};

struct config {
  const char *path; /* of puente.yaml, absolute */
  const char *folder;
  const char *name; /* of the workspace */
  enum store_kind store;
  const char *store_path;     /* sqlite: file */
  const char *store_dsn;      /* postgres: a conninfo string without password, which comes from `password:` */
  const char *store_password; /* reference, or NULL (then .pgpass or a trusted socket) */
  const char *store_schema;   /* postgres: default "puente" */
  const char *key_file;
  const char *model_folder;
  const char *codelist_folders[2];                       /* the program's, then the workspace's; either may be NULL */
  const char *indicator_folders[2], *release_folders[2]; /* likewise */
  const char *link_file;
  const char *lang; /* "es", "en" or NULL: by locale */
  struct source_config *sources;
  size_t source_count;
  int64_t page_limit; /* bytes of one page; default 64 MiB */
  struct serve_config serve;
  struct notify_config notify;
  struct disclosure_config disclosure;
  struct access_config access;
  struct checkpoints_config checkpoints;
  bool approval[TEXT_KINDS]; /* texts that act only once a second person has agreed */
};

enum status config_load(const char *path, struct config **config, struct error *error) MUST_CHECK;
void config_free(struct config *config);
const struct source_config *config_source(const struct config *config, const char *code); /* NULL */
/* Whose word counts first where sources differ, least first: by precedence, and a newer version of a source right
 * before the one that it replaces, whichever of the two has the better precedence. */
int config_turn(const struct config *config, const struct source_config *source);
/* Parses the connector's options of one source with its secrets read; the caller frees by config_options_free. */
enum status config_options(const struct config *config, const struct source_config *source, void **options,
                           struct error *error) MUST_CHECK;
void config_options_free(const struct source_config *source, void *options);

/* Names that puente.yaml, its `store:` and a file of a source may hold (NULL-terminated). */
extern const char *const config_keys[];
extern const char *const config_store_keys[];
extern const char *const config_source_keys[];
extern const struct option config_budget_options[], config_counts_options[];

#endif
