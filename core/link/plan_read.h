/* Reading a file of config/link: what its parts share. Every function gives ERR_CONFIG at the place of the mistake.
 * Private to core/link/plan*.c. */
#ifndef PUENTE_LINK_PLAN_READ_H
#define PUENTE_LINK_PLAN_READ_H

#include "core/link/plan.h"

/* Keys of each map of the language, NULL-terminated; core/link/plan_schema.c writes its schema from them. */
extern const char *const plan_keys[];
extern const char *const plan_compare_keys[];
extern const char *const plan_level_keys[];
extern const char *const plan_block_keys[];
extern const char *const plan_rule_keys[];
extern const char *const plan_train_keys[];
extern const char *const plan_cluster_keys[];
extern const char *const plan_band_keys[];
extern const char *const plan_truth_keys[];
extern const char *const plan_verdicts[];

size_t plan_list_length(const char *const *names);
/* Position of the name, or -1. */
int plan_list_find(const char *const *names, size_t count, struct slice name);
/* unknown WHAT 'NAME', with the nearest of the names, or all of them, as the hint. */
enum status plan_unknown(const struct yaml *at, const char *what, struct slice name, const char *const *names,
                         size_t count, struct error *error);
/* A list of words, or one word; at least one. They live as long as the plan. */
enum status plan_words(struct link_plan *plan, const struct yaml *node, const char *const **words, size_t *count,
                       struct error *error) MUST_CHECK;
/* The node of the i-th of such words. */
const struct yaml *plan_word(const struct yaml *node, size_t i);
/* A number within bounds, both allowed. */
enum status plan_number(const struct yaml *node, double least, double most, double *number,
                        struct error *error) MUST_CHECK;
/* The same under a key, which may be absent. */
enum status plan_number_of(const struct yaml *map, const char *key, double least, double most, double *number,
                           struct error *error) MUST_CHECK;
/* The position of a column, which is added where it is new. */
enum status plan_column(struct link_plan *plan, const struct yaml *at, const char *name, unsigned *position,
                        struct error *error) MUST_CHECK;
enum status plan_find_comparison(const struct link_plan *plan, const struct yaml *at, struct slice name,
                                 unsigned *position, struct error *error) MUST_CHECK;

/* One comparison of `compare`; plan_compare.c, plan_levels.c. */
enum status plan_read_comparison(struct link_plan *plan, const struct yaml *node, struct error *error) MUST_CHECK;
/* Its levels: those of `levels`, NULL for the kind's usual ones. */
enum status plan_read_levels(struct link_plan *plan, const struct yaml *levels, struct comparison *comparison,
                             struct error *error) MUST_CHECK;
/* plan_block.c */
enum status plan_read_blocks(struct link_plan *plan, const struct yaml *node, struct error *error) MUST_CHECK;
/* plan_rules.c */
enum status plan_read_rules(struct link_plan *plan, const struct yaml *node, struct error *error) MUST_CHECK;
/* plan_train.c; the nodes may be NULL. */
enum status plan_read_train(struct link_plan *plan, const struct yaml *node, struct error *error) MUST_CHECK;
enum status plan_read_cluster(struct link_plan *plan, const struct yaml *node, struct error *error) MUST_CHECK;
enum status plan_read_band(struct link_plan *plan, const struct yaml *node, struct error *error) MUST_CHECK;
enum status plan_read_truth(struct link_plan *plan, const struct yaml *node, struct error *error) MUST_CHECK;

#endif
