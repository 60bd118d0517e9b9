/* The names of the language in one place: the compiler accepts these, the schema describes these (a test compares
 * them), and mistakes name the nearest of these. */
#include "mapping/plan_internal.h"

static const char *const head_keys[] = {"source",  "format",   "record",       "encoding", "delimiter", "quote",
                                        "header",  "columns",  "record_limit", "key",      "refuse",    "withhold",
                                        "deleted", "defaults", "let",          NULL};
static const char *const defaults_keys[] = {"date", "missing", "system", "repair", "decimal", NULL};
static const char *const block_keys[] = {"each", "when", "key", "case", "person", "let", "role", "involvement", NULL};
static const char *const rule_keys[] = {"when",  "from",    "join",    "value",    "repair",   "missing", "many",
                                        "clean", "values",  "lookup",  "system",   "at",       "ubigeo",  "text",
                                        "date",  "decimal", "phone",   "dni",      "document", "type",    "split_name",
                                        "part",  "else",    "default", "required", NULL};
static const char *const condition_keys[] = {"path", "equals", "in", "matches", "present", "not", "all", "any", NULL};

const char *const *language_keys(const char *where) {
  static const struct {
    const char *where;
    const char *const *keys;
  } table[] = {{"head", head_keys},
               {"defaults", defaults_keys},
               {"block", block_keys},
               {"rule", rule_keys},
               {"condition", condition_keys}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    if (strcmp(table[i].where, where) == 0) {
      return table[i].keys;
    }
  }
  return NULL;
}
