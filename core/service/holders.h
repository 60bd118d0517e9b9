/* CHECKPOINTS THAT OTHERS KEEP: signs the head of the audit log and hands it to the holders of `checkpoints:`, keeps
 * what they answered, and tells how it stands. Each gets NAME-SEQUENCE.checkpoint (core/audit/checkpoint.h), and where
 * a time-stamp was got NAME-SEQUENCE.tsr with it: the authority's answer over the file's bytes. */
#ifndef PUENTE_SERVICE_HOLDERS_H
#define PUENTE_SERVICE_HOLDERS_H

#include "core/notify/notify.h"
#include "core/service/workspace.h"

/* No holder has a checkpoint younger than this: it is to be warned of. Microseconds. */
#define HOLDERS_OLD (7 * INT64_C(86400000000))

struct holders_job {
  bool due;                           /* only those who got none since the schedule's last moment */
  const struct notify_limits *limits; /* NULL: notify_limits */
  const atomic_bool *stop;
};
struct holders_done {
  int64_t sequence; /* 0: nobody was due */
  size_t reached, failed;
};
/* Signs, sends to each, keeps receipts with an entry "checkpoint" of the log. A holder who fails does not stop the
 * others: `error` and the status are the first one's, after all were tried and kept. ERR_CONFIG where there is none,
 * ERR_STORE where the log is not whole: then nothing is signed. Outside a transaction. */
enum status holders_send(struct workspace *workspace, const struct holders_job *job, struct holders_done *done,
                         struct error *error) MUST_CHECK;

/* Whether a holder could be sent to, without sending: its folder takes files, its secrets can be read. */
enum status holders_check(const struct config *config, const struct holder_config *holder,
                          struct error *error) MUST_CHECK;

struct holders_standing {
  size_t holders; /* configured */
  int64_t last;   /* when one of them took a checkpoint last; 0: never */
  int64_t tried;  /* when one was signed for them first; 0: never */
  bool stale;     /* there are holders, and none has one younger than HOLDERS_OLD */
  bool alarming;  /* so for longer than that, and not only because none was sent yet */
};
/* Of a workspace without a store only `holders` is known. */
enum status holders_read(const struct workspace *workspace, int64_t now, struct holders_standing *standing,
                         struct error *error) MUST_CHECK;

#endif
