/* The belt between the reading and the writing thread: a fixed number of parcels going round. */
#ifndef PUENTE_SYNC_QUEUE_H
#define PUENTE_SYNC_QUEUE_H

#include "core/sync/parcel.h"

#include <pthread.h>
#include <stdatomic.h>

enum { QUEUE_PARCELS = 3 };

struct queue {
  pthread_mutex_t lock;
  pthread_cond_t moved;
  struct parcel parcels[QUEUE_PARCELS];
  size_t filled; /* parcels sent since the start */
  size_t emptied;
  atomic_bool halt; /* nobody waits any longer */
};

enum status queue_init(struct queue *queue, const struct model *model, struct error *error) MUST_CHECK;
void queue_free(struct queue *queue);

/* Reader: an empty parcel, waiting for one; NULL once halted. */
struct parcel *queue_next_empty(struct queue *queue);
void queue_send(struct queue *queue);
/* Writer: the oldest full parcel; NULL after a fifth of a second without one, so that the caller can look around. */
struct parcel *queue_next_full(struct queue *queue);
void queue_return(struct queue *queue);
void queue_halt(struct queue *queue);

#endif
