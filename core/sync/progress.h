/* How long work tells how far it is. The receiver draws a bar, prints a line, or does nothing. */
#ifndef PUENTE_SYNC_PROGRESS_H
#define PUENTE_SYNC_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

struct progress {
  void (*step)(void *context, const char *what, int64_t done, int64_t total); /* total -1: unknown */
  void *context;
};

static inline void progress_step(const struct progress *progress, const char *what, int64_t done, int64_t total) {
  if (progress != NULL && progress->step != NULL) {
    progress->step(progress->context, what, done, total);
  }
}

#endif
