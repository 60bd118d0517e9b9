#include "core/command/stop.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static atomic_bool asked;

static void on_signal(int number) {
  atomic_store(&asked, true);
  signal(number, SIG_DFL);
}

void stop_watch(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  signal(SIGPIPE, SIG_IGN);
}

const atomic_bool *stop_flag(void) {
  return &asked;
}
