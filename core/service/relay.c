#include "core/service/relay.h"

#include <pthread.h>
#include <stdlib.h>

struct relay {
  relay_work *work;
  void *context;
  bool alone;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  void *piece; /* under way; NULL: none */
  bool ended;
  enum status status; /* the first that was not OK */
};

static void *go_on(void *argument) {
  struct relay *relay = argument;
  pthread_mutex_lock(&relay->lock);
  for (;;) {
    while (relay->piece == NULL && !relay->ended) {
      pthread_cond_wait(&relay->changed, &relay->lock);
    }
    if (relay->piece == NULL) {
      break;
    }
    pthread_mutex_unlock(&relay->lock);
    enum status status = relay->work(relay->context, relay->piece);
    pthread_mutex_lock(&relay->lock);
    relay->status = relay->status == OK ? status : relay->status;
    relay->piece = NULL;
    pthread_cond_signal(&relay->changed);
  }
  pthread_mutex_unlock(&relay->lock);
  return NULL;
}

struct relay *relay_new(relay_work *work, void *context, bool alone) {
  struct relay *relay = calloc(1, sizeof *relay);
  if (relay == NULL) {
    return NULL;
  }
  relay->work = work;
  relay->context = context;
  relay->status = OK;
  pthread_mutex_init(&relay->lock, NULL);
  pthread_cond_init(&relay->changed, NULL);
  relay->alone = alone || pthread_create(&relay->thread, NULL, go_on, relay) != 0;
  return relay;
}

enum status relay_wait(struct relay *relay) {
  pthread_mutex_lock(&relay->lock);
  while (relay->piece != NULL) {
    pthread_cond_wait(&relay->changed, &relay->lock);
  }
  enum status status = relay->status;
  pthread_mutex_unlock(&relay->lock);
  return status;
}

enum status relay_hand(struct relay *relay, void *piece) {
  enum status status = relay_wait(relay);
  if (status != OK) {
    return status;
  }
  if (relay->alone) {
    relay->status = relay->work(relay->context, piece);
    return relay->status;
  }
  pthread_mutex_lock(&relay->lock);
  relay->piece = piece;
  pthread_cond_signal(&relay->changed);
  pthread_mutex_unlock(&relay->lock);
  return OK;
}

void relay_free(struct relay *relay) {
  if (relay == NULL) {
    return;
  }
  if (!relay->alone) {
    pthread_mutex_lock(&relay->lock);
    relay->ended = true;
    pthread_cond_signal(&relay->changed);
    pthread_mutex_unlock(&relay->lock);
    (void)pthread_join(relay->thread, NULL);
  }
  pthread_mutex_destroy(&relay->lock);
  pthread_cond_destroy(&relay->changed);
  free(relay);
}
