/* When a source that failed is asked again: growing, jittered pauses, and a circuit breaker that, after some failures
 * in a row, lets one try through at long intervals until one succeeds. Pure. */
#ifndef PUENTE_SCHEDULE_RETRY_H
#define PUENTE_SCHEDULE_RETRY_H

#include "core/base/error.h"

#include <stdint.h>

struct retry_policy {
  int64_t first, most; /* microseconds: pause after the first failure, and the longest; doubled each time between */
  int breaks;          /* failures in a row that open the circuit; 0: never */
  int64_t open;        /* microseconds: pause while it is open */
};
enum circuit { CIRCUIT_CLOSED, CIRCUIT_OPEN, CIRCUIT_HALF_OPEN };

/* The moment of the next try after `failures` (1 …) in a row, the last at `failed_at`. Equal jitter: between half of
 * the pause and all of it, by `name` and `failures`, so that hosts do not ask at once and a restart changes nothing.
 * Kinds of error that a retry cannot mend (refused credentials, a mistake in the configuration, a changed schema) are
 * left to the next due moment: INT64_MAX. */
int64_t retry_at(const struct retry_policy *policy, const char *name, int failures, enum status failure,
                 int64_t failed_at);
/* Open: no try before retry_at; half open: the one try that may close it is due. */
enum circuit retry_circuit(const struct retry_policy *policy, int failures, int64_t retry_at, int64_t now);

#endif
