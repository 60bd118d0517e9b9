#include "core/service/weights.h"

static json_t *step_json(const struct link_comparison *comparison) {
  bool missing = comparison->m <= 0 || comparison->u <= 0;
  return json_pack("{ss ss so so sf sf}", "comparison", comparison->name, "level", comparison->level, "m",
                   missing ? json_null() : json_real(comparison->m), "u",
                   missing ? json_null() : json_real(comparison->u), "weight", (double)comparison->weight, "adjustment",
                   (double)comparison->adjustment);
}

json_t *weights_json(const struct link_explanation *explanation) {
  json_t *steps = json_array();
  for (size_t i = 0; i < explanation->count; i++) {
    if (json_array_append_new(steps, step_json(&explanation->comparisons[i])) != 0) {
      json_decref(steps);
      return NULL;
    }
  }
  return json_pack("{sf so sf sf}", "prior", (double)explanation->prior, "steps", steps, "weight",
                   (double)explanation->weight, "probability", explanation->probability);
}
