/* A few threads that share one piece of work. Private to core/link. */
#ifndef PUENTE_LINK_CREW_H
#define PUENTE_LINK_CREW_H

enum { CREW_MOST = 64 };

/* How many threads work: `asked`, or one for each processor where it is 0; 1 to CREW_MOST. */
unsigned crew_size(unsigned asked);
/* Runs work(context, 0), …, work(context, threads - 1) at once, number 0 on the caller's own thread, and returns when
 * all have ended. A thread that cannot be started is done without, so work is to be taken from a shared counter. */
void crew_run(unsigned threads, void (*work)(void *context, unsigned thread), void *context);

#endif
