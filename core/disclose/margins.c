#include "core/disclose/disclose.h"

enum status disclose_margins(const struct disclose_table *table, struct disclose_table *tables, size_t *count,
                             struct error *error) {
  size_t all = (size_t)1 << table->level_count;
  for (size_t chosen = 0; chosen + 1 < all; chosen++) {
    struct disclose_table margin = {.name = table->name, .tier = table->tier};
    bool filtered = true;
    for (size_t i = 0; i < table->level_count; i++) {
      bool kept = (chosen >> i & 1) != 0;
      filtered = filtered && (kept || table->levels[i].groups > 1);
      if (kept) {
        margin.levels[margin.level_count++] = table->levels[i];
      }
    }
    if (!filtered) {
      continue;
    }
    if (*count == DISCLOSE_TABLES_MOST) {
      return error_set(error, ERR_LIMIT, _("disclosure control: more than %d tables, or too many rows"),
                       DISCLOSE_TABLES_MOST);
    }
    tables[(*count)++] = margin;
  }
  return OK;
}
