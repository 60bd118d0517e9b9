/* What `checkpoints:` of puente.yaml says: who keeps signed heads of the audit log outside, and when they get one. Part
 * of struct config, which owns it. */
#ifndef PUENTE_CONFIG_CHECKPOINTS_H
#define PUENTE_CONFIG_CHECKPOINTS_H

#include "core/config_serve.h"

/* The name of the time-stamp among receipts; no holder may be called so. */
#define HOLDER_TIMESTAMP "timestamp"

struct holder_config { /* one of the three */
  const char *name;    /* lower case, digits, '_', '-'; unique */
  struct webhook_config webhook;
  const char *mail;   /* by the mail server of `notify:` */
  const char *folder; /* absolute */
};
struct checkpoints_config {
  struct timetable timetable; /* @daily; manual where there is no holder */
  const struct holder_config *holders;
  size_t holder_count;
  const char *stamp_url, *stamp_ca; /* RFC 3161; both or none */
};

/* Names that `checkpoints:`, one of its holders, and `timestamp:` may hold (NULL-terminated). */
extern const char *const config_checkpoints_keys[], *const config_holder_keys[], *const config_timestamp_keys[];

/* Reads the block into config->checkpoints; config->serve and config->notify are known. */
enum status config_checkpoints_read(const struct yaml *block, struct config *config, struct arena *arena,
                                    struct error *error) MUST_CHECK;

#endif
