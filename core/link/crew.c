#include "core/link/crew.h"

#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

struct member {
  void (*work)(void *context, unsigned thread);
  void *context;
  unsigned thread;
};

unsigned crew_size(unsigned asked) {
  if (asked == 0) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    asked = processors < 1 ? 1 : (unsigned)processors;
  }
  return asked > CREW_MOST ? CREW_MOST : asked;
}

static void *begin(void *argument) {
  const struct member *member = argument;
  member->work(member->context, member->thread);
  return NULL;
}

void crew_run(unsigned threads, void (*work)(void *context, unsigned thread), void *context) {
  struct member members[CREW_MOST];
  pthread_t handles[CREW_MOST];
  bool started[CREW_MOST] = {false};
  for (unsigned i = 1; i < threads && i < CREW_MOST; i++) {
    members[i] = (struct member){.work = work, .context = context, .thread = i};
    started[i] = pthread_create(&handles[i], NULL, begin, &members[i]) == 0;
  }
  work(context, 0);
  for (unsigned i = 1; i < CREW_MOST; i++) {
    if (started[i]) {
      (void)pthread_join(handles[i], NULL);
    }
  }
}
