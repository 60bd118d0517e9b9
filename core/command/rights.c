#include "core/command/rights.h"

#include <string.h>

#define RIGHT(name) (1U << RIGHT_##name)

/* verb NULL: the command without one of those above it. */
static const struct {
  const char *command, *verb;
  unsigned rights;
} TABLE[] = {
    {"check", NULL, (1U << RIGHT_COUNT) - 1},
    {"status", NULL, RIGHT(WATCH)},
    {"quarantine", "show", RIGHT(RUN)},
    {"quarantine", "retry", RIGHT(DECIDE)},
    {"quarantine", "dismiss", RIGHT(DECIDE)},
    {"quarantine", NULL, RIGHT(WATCH)},
    {"drift", "accept", RIGHT(DECIDE)},
    {"drift", NULL, RIGHT(WATCH)},
    {"review", "accept", RIGHT(DECIDE)},
    {"review", "reject", RIGHT(DECIDE)},
    {"explain", "figure", RIGHT(LOG)},
    {"explain", NULL, RIGHT(LOG) | RIGHT(SIGHT)},
    {"audit", "checkpoint", RIGHT(RUN)},
    {"audit", NULL, RIGHT(LOG)},
    {"report", NULL, RIGHT(EXACT)},
    {"query", NULL, RIGHT(EXACT)},
    {"export", "aggregate", RIGHT(FIGURES)},
    {"export", "crosswalk", RIGHT(SIGHT)},
    {"export", "htcds", RIGHT(PUBLISH) | RIGHT(SIGHT)},
    {"export", NULL, RIGHT(PUBLISH)},
    {"release", "create", RIGHT(PUBLISH)},
    {"release", NULL, RIGHT(FIGURES)},
    {"approve", NULL, RIGHT(APPROVE)},
    {"key", NULL, RIGHT(KEYS)},
    {"access", NULL, RIGHT(ACCESS)},
    {"erase", "expired", RIGHT(RUN)},
    {"erase", "purge", RIGHT(RUN)},
    {"erase", "list", RIGHT(LOG) | RIGHT(DECIDE)},
    {"erase", NULL, RIGHT(DECIDE)},
};

static bool has_word(const char *word, int argc, char *const *argv) {
  for (int i = 0; i < argc; i++) {
    if (strcmp(argv[i], word) == 0) {
      return true;
    }
  }
  return false;
}

unsigned rights_of_command(const char *command, int argc, char *const *argv) {
  unsigned rights = RIGHT(RUN);
  bool known = false, verb = false;
  for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
    if (strcmp(TABLE[i].command, command) != 0) {
      continue;
    }
    bool first = TABLE[i].verb != NULL && argc > 0 && strcmp(argv[0], TABLE[i].verb) == 0;
    if (TABLE[i].verb == NULL ? verb : !has_word(TABLE[i].verb, argc, argv)) {
      continue;
    }
    rights = known ? rights & TABLE[i].rights : TABLE[i].rights;
    known = true;
    verb = verb || first;
  }
  return rights;
}
