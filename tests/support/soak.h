/* THE SOAK: the daemon over a simulated time of many days, with sources of files and of a server, one of which fails at
 * times. A failure of the harness ends the test program. */
#ifndef PUENTE_TESTS_SUPPORT_SOAK_H
#define PUENTE_TESTS_SUPPORT_SOAK_H

struct soak_wanted {
  int days, rate; /* simulated; times as fast as the clock on the wall */
};
struct soak_count {
  int runs, due;       /* that were done; that the cron expressions ask for */
  int failed, retried; /* of the source that fails at times */
  int dropped, kept;   /* records given, and found in the store */
  int links;
  long memory_early, memory_late; /* kilobytes that are resident at rest, after the warm-up and at the end */
  int files_early, files_late;    /* open descriptors at rest */
};
/* Asserts nothing. */
struct soak_count soak_do(const struct soak_wanted *wanted);
/* Asserts what a soak promises, and prints "soak ok: …". */
void soak_check(const struct soak_wanted *wanted);

#endif
