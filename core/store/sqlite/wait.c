#include "core/base/date.h"
#include "core/store/sqlite/sqlite.h"

enum { BUSY_SECONDS = 30, PATIENT_SECONDS = 900, STOPPED_SECONDS = 2, LOOK_MILLISECONDS = 50 };

int sqlite_wait(void *context, int tries) {
  struct sqlite *self = context;
  int64_t now = clock_monotonic();
  if (tries == 0)
    self->waits_since = now;
  bool stopped = self->stop != NULL && atomic_load(self->stop);
  int64_t most = stopped ? STOPPED_SECONDS : self->stop != NULL ? PATIENT_SECONDS : BUSY_SECONDS;
  if (now - self->waits_since >= most * 1000000)
    return 0;
  sqlite3_sleep(tries < LOOK_MILLISECONDS ? tries + 1 : LOOK_MILLISECONDS);
  return 1;
}
