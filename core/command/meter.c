#include "core/command/meter.h"

#include "core/base/date.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 30 };
#define BAR_EVERY INT64_C(100000)
#define LINE_EVERY INT64_C(5000000)

static void draw(const struct meter *meter, const char *what, int64_t done, int64_t total, int64_t now) {
  char bar[BAR_WIDTH + 1] = "";
  if (done == 0 && total == 0) {
    fprintf(stderr, _("%s%-12s waiting for the source"), meter->terminal ? "\r\033[K" : "", what);
    fputs(meter->terminal ? "" : "\n", stderr);
    fflush(stderr);
    return;
  }
  double seconds = (double)(now - meter->began) / 1e6;
  double rate = seconds > 0 ? (double)done / seconds : 0;
  if (total > 0) {
    size_t filled = (size_t)(done < total ? done * BAR_WIDTH / total : BAR_WIDTH);
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', filled);
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, _("%s%-12s [%s] %lld of %lld records, %.0f/s"), meter->terminal ? "\r\033[K" : "", what, bar,
            (long long)done, (long long)total, rate);
  } else {
    fprintf(stderr, _("%s%-12s %lld records, %.0f/s"), meter->terminal ? "\r\033[K" : "", what, (long long)done, rate);
  }
  fputs(meter->terminal ? "" : "\n", stderr);
  fflush(stderr);
}

static void step(void *context, const char *what, int64_t done, int64_t total) {
  struct meter *meter = context;
  int64_t now = clock_monotonic();
  if (meter->silent || now - meter->last < (meter->terminal ? BAR_EVERY : LINE_EVERY)) {
    return;
  }
  meter->last = now;
  meter->drawn = true;
  draw(meter, what, done, total, now);
}

void meter_share(struct meter *meter, const char *what, double done) {
  int64_t now = clock_monotonic();
  if (meter->silent || now - meter->last < (meter->terminal ? BAR_EVERY : LINE_EVERY)) {
    return;
  }
  char bar[BAR_WIDTH + 1];
  size_t filled = (size_t)((done < 0 ? 0 : done > 1 ? 1 : done) * BAR_WIDTH);
  memset(bar, '.', BAR_WIDTH);
  memset(bar, '#', filled);
  bar[BAR_WIDTH] = '\0';
  meter->last = now;
  meter->drawn = true;
  fprintf(stderr, "%s%-12s [%s] %3.0f %%%s", meter->terminal ? "\r\033[K" : "", what, bar, done * 100,
          meter->terminal ? "" : "\n");
  fflush(stderr);
}

void meter_init(struct meter *meter, const struct globals *globals) {
  int64_t now = clock_monotonic();
  *meter = (struct meter){.silent = globals->quiet || globals->json,
                          .terminal = isatty(STDERR_FILENO) == 1,
                          .began = now,
                          .last = now,
                          .progress = {.step = step, .context = meter}};
}

void meter_clear(struct meter *meter) {
  if (meter->drawn && meter->terminal) {
    fputs("\r\033[K", stderr);
    fflush(stderr);
  }
  meter->drawn = false;
  meter->began = clock_monotonic();
  meter->last = meter->began;
}
