/* The registries over HTTP, on 127.0.0.1 alone. */
#ifndef PUENTE_EXAMPLES_SERVE_H
#define PUENTE_EXAMPLES_SERVE_H

#include "examples/peru/simulator/views.h"

#include <pthread.h>

enum { SECRET_SIZE = 128, TOKENS = 16 };

struct service {
  struct simulation simulation;
  struct listing listings[MIMP + 1];                              /* of this round: SISTRA, RETA, MIMP */
  pthread_mutex_t lock;                                           /* requests and the change of rounds take turns */
  char sistra[SECRET_SIZE], reta[SECRET_SIZE], mimp[SECRET_SIZE]; /* what "puente" has to show */
  int token_life;                                                 /* seconds */
  struct {
    uint64_t value;
    int64_t until;
  } tokens[TOKENS];
  unsigned issued;
};

struct MHD_Daemon;
/* Port 0: any free one; the one taken is written to `*port`. NULL: could not listen. */
struct MHD_Daemon *serve_start(struct service *service, uint16_t *port);
void serve_stop(struct MHD_Daemon *daemon);

/* What the two bodies ask for; false: not understood. `since` 0: everything. */
struct query {
  char user[64], secret[SECRET_SIZE]; /* PIDE; of RETA the digest is checked while reading */
  bool allowed;
  int64_t since;
  uint32_t first, count;
};
bool reta_request(const char *body, size_t len, const char *secret, struct query *query);
bool mimp_request(const char *body, size_t len, const char *secret, struct query *query);

#endif
