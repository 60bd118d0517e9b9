/* Records and persons are taken out on request, or when their time is over. One transaction each, with its run and its
 * entry of the log; what went does not come back (core/store/erase.h). */
#ifndef PUENTE_SERVICE_ERASE_H
#define PUENTE_SERVICE_ERASE_H

#include "core/service/workspace.h"
#include "core/store/erase.h"

struct erase_request {
  const char *record;   /* "source:key" or the number of a record; NULL: a person */
  int64_t person;       /* consolidated */
  const char *reason;   /* why; no value of a person */
  const char *document; /* number of the request, order, resolution */
  bool dry_run;         /* all is done, counted, and undone */
};
struct erase_done {
  struct erased erased;
  int64_t run;    /* 0 in a dry run */
  int64_t partly; /* records in which others stay */
  bool lingers;   /* it was taken out, and a reader still holds a former state of the files; `why` tells */
  struct error why;
};
/* ERR_AUTH for who may not, ERR_USAGE without reason or document, ERR_NOT_FOUND. */
enum status service_erase(struct workspace *workspace, const struct erase_request *request, struct erase_done *done,
                          struct error *error) MUST_CHECK;

/* What is over its retention, of one source or (NULL) of all that declare one; `visit` is told each source that has
 * some. In a dry run nothing goes. */
struct erase_expired {
  const char *source;
  bool dry_run;
  const atomic_bool *stop;
  void (*tell)(void *context, const struct source_config *source, int64_t records);
  void *context;
};
enum status service_erase_expired(struct workspace *workspace, const struct erase_expired *job, struct erase_done *done,
                                  struct error *error) MUST_CHECK;

#endif
