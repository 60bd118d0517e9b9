#include "core/sync/queue.h"

#include <time.h>

enum { LOOK_AROUND_NANOSECONDS = 200000000 };

enum status queue_init(struct queue *queue, const struct model *model, struct error *error) {
  *queue = (struct queue){.filled = 0};
  pthread_mutex_init(&queue->lock, NULL);
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC); /* whatever becomes of the clock on the wall */
  pthread_cond_init(&queue->moved, &attributes);
  pthread_condattr_destroy(&attributes);
  for (size_t i = 0; i < QUEUE_PARCELS; i++) {
    enum status status = parcel_init(&queue->parcels[i], model, error);
    if (status != OK) {
      return status;
    }
  }
  return OK;
}

void queue_free(struct queue *queue) {
  for (size_t i = 0; i < QUEUE_PARCELS; i++) {
    parcel_free(&queue->parcels[i]);
  }
  pthread_cond_destroy(&queue->moved);
  pthread_mutex_destroy(&queue->lock);
}

struct parcel *queue_next_empty(struct queue *queue) {
  pthread_mutex_lock(&queue->lock);
  while (queue->filled - queue->emptied == QUEUE_PARCELS && !atomic_load(&queue->halt)) {
    pthread_cond_wait(&queue->moved, &queue->lock);
  }
  struct parcel *parcel = atomic_load(&queue->halt) ? NULL : &queue->parcels[queue->filled % QUEUE_PARCELS];
  pthread_mutex_unlock(&queue->lock);
  if (parcel != NULL) {
    parcel_reset(parcel);
  }
  return parcel;
}

void queue_send(struct queue *queue) {
  pthread_mutex_lock(&queue->lock);
  queue->filled++;
  pthread_cond_broadcast(&queue->moved);
  pthread_mutex_unlock(&queue->lock);
}

struct parcel *queue_next_full(struct queue *queue) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += LOOK_AROUND_NANOSECONDS;
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000;
  }
  pthread_mutex_lock(&queue->lock);
  while (queue->filled == queue->emptied && pthread_cond_timedwait(&queue->moved, &queue->lock, &until) == 0) {
  }
  struct parcel *parcel = queue->filled == queue->emptied ? NULL : &queue->parcels[queue->emptied % QUEUE_PARCELS];
  pthread_mutex_unlock(&queue->lock);
  return parcel;
}

void queue_return(struct queue *queue) {
  pthread_mutex_lock(&queue->lock);
  queue->emptied++;
  pthread_cond_broadcast(&queue->moved);
  pthread_mutex_unlock(&queue->lock);
}

void queue_halt(struct queue *queue) {
  pthread_mutex_lock(&queue->lock);
  atomic_store(&queue->halt, true);
  pthread_cond_broadcast(&queue->moved);
  pthread_mutex_unlock(&queue->lock);
}
