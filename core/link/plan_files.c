/* What a plan says of records that come from files alone. */
#include "core/link/plan.h"

const char *link_plan_id(const struct link_plan *plan) {
  return plan->id;
}

bool link_plan_truth(const struct link_plan *plan, const char **column, const char **pattern) {
  if (!plan->has_truth) {
    return false;
  }
  *column = plan->columns[plan->truth.column];
  *pattern = plan->truth.pattern;
  return true;
}
