/* What a release is to hold: files of config/releases, one each, and the same as it is frozen with the release, with
 * the whole definition of each indicator, so that tables can be made again when those files have changed. */
#ifndef PUENTE_SERVICE_RELEASE_PLAN_H
#define PUENTE_SERVICE_RELEASE_PLAN_H

#include "core/base/buffer.h"
#include "core/config.h"
#include "core/service/indicator.h"

enum { RELEASE_FIELDS_MOST = 4, RELEASE_TABLES_MOST = 24 };

struct release_table_plan {
  const char *name, *label_en, *label_es;
  struct indicator indicator; /* with the table's own conditions after the indicator's, and its own bands */
  const char *by[RELEASE_FIELDS_MOST];
  size_t by_count;
};
struct release_plan {
  const char *name, *label_en, *label_es;
  struct release_table_plan tables[RELEASE_TABLES_MOST];
  size_t count;
};

/* The release of that name, the workspace's own before the program's; text lives in the arena. ERR_USAGE with the
 * nearest name where there is none, ERR_CONFIG with file:line:col where it is wrong. */
enum status release_plan_load(const struct config *config, const char *name, struct arena *arena,
                              struct release_plan *plan, struct error *error) MUST_CHECK;
/* Names of all, sorted, each once. */
enum status release_plan_names(const struct config *config, struct arena *arena, const char ***names, size_t *count,
                               struct error *error) MUST_CHECK;

/* A table as canonical JSON, appended; and back. `name` is not part of it. ERR_STORE where the text is no such table.
 */
void release_table_write(const struct release_table_plan *table, struct buffer *out);
enum status release_table_read(struct slice text, struct arena *arena, struct release_table_plan *table,
                               struct error *error) MUST_CHECK;

#endif
