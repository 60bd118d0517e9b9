/* The workspaces of torture: a base that nothing disturbs, and copies of it that things fail in. A failure of the
 * harness ends the test program. */
#ifndef PUENTE_TESTS_TORTURE_WORKPLACE_H
#define PUENTE_TESTS_TORTURE_WORKPLACE_H

#include "core/model/model.h"
#include "core/store/store.h"

struct workplace {
  char *folder; /* holds base/ and work/ */
  char base[256], work[256];
  bool postgres;
  uint64_t kept;    /* what the base looks like */
  char written[32]; /* how far the server had written when the copy was made */
};

/* Three sources (csv, json, xml) of a few records, of which some are bad. */
void workplace_open(struct workplace *place, bool postgres);
void workplace_close(struct workplace *place);
/* The base is as it is to be; copies begin with it. */
void workplace_keep(struct workplace *place);
/* work/ becomes a copy of the base, and its store too. */
void workplace_renew(struct workplace *place);
/* True where nothing was written since to work/ or its store. */
bool workplace_untouched(const struct workplace *place);

/* What is known in the store of work/, without times and runs, and a file there (NULL: none); allocated. */
char *workplace_content(const struct workplace *place, const char *file);
/* "" or what is broken in the store of work/: its pages, its audit chain. */
const char *workplace_broken(const struct workplace *place);

#endif
