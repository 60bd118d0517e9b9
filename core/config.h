/* The workspace's configuration: puente.yaml and one file a source in sources/ beside it. Read once, immutable, owns
 * what it points to. Secrets are references here (env:NAME, file:PATH) and are read only when a connection is opened.
 */
#ifndef PUENTE_CONFIG_H
#define PUENTE_CONFIG_H

#include "connectors/connector.h"
#include "core/base/yaml.h"

enum store_kind { STORE_SQLITE, STORE_POSTGRES };
enum deletes { DELETES_NONE, DELETES_TOMBSTONE, DELETES_SWEEP };
enum source_state { SOURCE_ACTIVE, SOURCE_PAUSED, SOURCE_RETIRED };

struct source_config {
  const char *code; /* "sistra"; lower case, digits, '_' ; unique */
  const char *title;
  const char *institution; /* "PE/MP": country and acronym */
  const char *contact;     /* whom to call when it fails */
  const char *unit;        /* counting unit of its main record: "denuncia", "victim", … */
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
  bool linked;         /* false for aggregates and for sources kept apart */
  int precedence;      /* survivorship: lower wins; default its position */
  bool duplicate_free; /* certified: one record is one person */
  const char *file;    /* where it is declared, for messages */
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
  const char *codelist_folders[2]; /* the program's, then the workspace's; either may be NULL */
  const char *indicator_folders[2];
  const char *link_file;
  const char *lang; /* "es", "en" or NULL: by locale */
  struct source_config *sources;
  size_t source_count;
  int64_t page_limit; /* bytes of one page; default 64 MiB */
};

enum status config_load(const char *path, struct config **config, struct error *error) MUST_CHECK;
void config_free(struct config *config);
const struct source_config *config_source(const struct config *config, const char *code); /* NULL */
/* Parses the connector's options of one source with its secrets read; the caller frees by config_options_free. */
enum status config_options(const struct config *config, const struct source_config *source, void **options,
                           struct error *error) MUST_CHECK;
void config_options_free(const struct source_config *source, void *options);

/* Names that puente.yaml, its `store:` and a file of a source may hold (NULL-terminated). */
extern const char *const config_keys[];
extern const char *const config_store_keys[];
extern const char *const config_source_keys[];

#endif
