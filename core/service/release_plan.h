/* What a release is to hold: files of config/releases, one each, and the same as it is frozen with the release, with
 * the whole definition of each indicator and of each grouping, so that tables can be made again, and later ones be
 * protected with them, when those files and the code lists have changed. */
#ifndef PUENTE_SERVICE_RELEASE_PLAN_H
#define PUENTE_SERVICE_RELEASE_PLAN_H

#include "core/base/buffer.h"
#include "core/base/node.h"
#include "core/service/indicator.h"
#include "core/service/workspace.h"

enum { RELEASE_FIELDS_MOST = 4, RELEASE_TABLES_MOST = 24, RELEASE_GROUPINGS_MOST = 2 };

/* What a coarse field puts together: codes of the finer one, in groups, in the order of their list. */
struct release_group {
  const char *code;
  const char **members;
  size_t count;
};
struct release_grouping {
  const char *field; /* region, purpose_group */
  struct release_group *groups;
  size_t count;
};
struct release_table_plan {
  const char *name, *label_en, *label_es;
  struct indicator indicator; /* with the table's own conditions after the indicator's, and its own bands */
  const char *by[RELEASE_FIELDS_MOST];
  size_t by_count;
  struct release_grouping groupings[RELEASE_GROUPINGS_MOST]; /* of its fields and conditions */
  size_t grouping_count;
};
struct release_plan {
  const char *name, *label_en, *label_es;
  struct release_table_plan tables[RELEASE_TABLES_MOST];
  size_t count;
};

/* The release of that name, the workspace's own before the program's, with the groupings of today's code lists; text
 * lives in the arena. ERR_USAGE with the nearest name where there is none, ERR_CONFIG with file:line:col where it is
 * wrong, or where a code list groups nothing. */
enum status release_plan_load(const struct workspace *workspace, const char *name, struct arena *arena,
                              struct release_plan *plan, struct error *error) MUST_CHECK;
/* Names of all, sorted, each once. */
enum status release_plan_names(const struct config *config, struct arena *arena, const char ***names, size_t *count,
                               struct error *error) MUST_CHECK;

/* A table as canonical JSON, appended; and back. `name` is not part of it. ERR_STORE where the text is no such table.
 */
void release_table_write(const struct release_table_plan *table, struct buffer *out);
enum status release_table_read(struct slice text, struct arena *arena, struct release_table_plan *table,
                               struct error *error) MUST_CHECK;

/* ---- groupings (release_grouping.c) ---- */

/* Whether a table has the field, or a condition on it. */
bool release_table_uses(const struct release_table_plan *table, const char *field);
/* The groupings of the table's fields and conditions from today's code lists. */
enum status release_grouping_take(const struct workspace *workspace, struct arena *arena,
                                  struct release_table_plan *table, struct error *error) MUST_CHECK;
/* The group of a code in the table's grouping of that field; NULL: it has none. */
const char *release_group_of(const struct release_table_plan *table, const char *field, const char *code);
/* NULL: the field is not a grouping of codes. */
const struct release_grouping *release_grouping_of(const struct release_table_plan *table, const char *field);
/* `,"groups":[…]`, nothing where there are none; and back, false where it cannot be read. */
void release_grouping_write(const struct release_table_plan *table, struct buffer *out);
bool release_grouping_read(const struct node *root, struct arena *arena, struct release_table_plan *table);

#endif
