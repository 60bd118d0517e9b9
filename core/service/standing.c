#include "core/service/standing.h"

const char *const standing_names[] = {"failed", "refused", "changed", "unreachable", "late", "empty",
                                      "never",  "ok",      "paused",  "retired",     NULL};

const char *standing_label(enum standing standing) {
  static const char *const labels[] = {N_("FAILED"), N_("REFUSED"), N_("CHANGED"),      N_("UNREACHABLE"),
                                       N_("LATE"),   N_("empty"),   N_("never pulled"), N_("ok"),
                                       N_("paused"), N_("retired")};
  return gettext(labels[standing]);
}

bool standing_needs_person(enum standing standing) {
  return standing <= STANDING_LATE;
}
