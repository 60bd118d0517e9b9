#include "core/command/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static atomic_bool asked, reload;
static atomic_int wake = -1;

static void wake_up(void) {
  const uint64_t one = 1;
  int file = atomic_load(&wake);
  int cause = errno;
  if (file >= 0) {
    (void)!write(file, &one, sizeof one);
  }
  errno = cause;
}

static void on_signal(int number) {
  atomic_store(&asked, true);
  signal(number, SIG_DFL);
  wake_up();
}

static void on_reload(int number) {
  (void)number;
  atomic_store(&reload, true);
  wake_up();
}

static void watch(int number, void (*handler)(int)) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, NULL);
}

void stop_watch(void) {
  watch(SIGINT, on_signal);
  watch(SIGTERM, on_signal);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN); /* a limit of a file's size is told as a full disk */
}

const atomic_bool *stop_flag(void) {
  return &asked;
}

int stop_watch_reload(void) {
  atomic_store(&wake, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  watch(SIGHUP, on_reload);
  return atomic_load(&wake);
}

atomic_bool *stop_reload_flag(void) {
  return &reload;
}
