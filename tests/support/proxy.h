/* A TCP proxy on 127.0.0.1 and a free port, in threads of the test program, that does harm on its way: between Puente
 * and a source, or between Puente and its store. Its mode may change at any time and holds for what passes from then
 * on. The test starts and stops it; any failure of its own ends the test program. */
#ifndef PUENTE_TESTS_SUPPORT_PROXY_H
#define PUENTE_TESTS_SUPPORT_PROXY_H

#include <stddef.h>

enum proxy_fault {
  PROXY_PASS,
  PROXY_REFUSE,   /* nobody listens */
  PROXY_CLOSE,    /* accepts, and hangs up */
  PROXY_RESET,    /* resets the connection after `at` bytes of answers */
  PROXY_STALL,    /* passes `at` bytes of answers, then nothing, and stays connected */
  PROXY_TRUNCATE, /* passes `at` bytes of answers, then hangs up */
  PROXY_CORRUPT,  /* turns over the bits of the byte at `at` of the answers */
  PROXY_DRIP,     /* one byte of answers each `at` milliseconds */
  PROXY_CUT,      /* hangs up when the client sends `match`, before it reaches the server */
  PROXY_CUT_AFTER /* the same once the server has answered to it; the answer is lost */
};

/* Bytes are counted for each connection. */
struct proxy_mode {
  enum proxy_fault fault;
  size_t at;
  int connection;    /* only the N-th connection from then on does harm; 0: each */
  const char *match; /* of PROXY_CUT: bytes, which come in one piece */
  size_t length;
  int occurrence; /* the N-th time that `match` is met from then on; 0: the first */
};

struct proxy;
/* To a port of 127.0.0.1, or, where `path` is not NULL, to that Unix socket. */
struct proxy *proxy_start(const char *path, int port);
void proxy_stop(struct proxy *proxy);
int proxy_port(const struct proxy *proxy);
/* New connections lead to another port from now on. */
void proxy_aim(struct proxy *proxy, int port);
/* Ends the connections that stall. */
void proxy_set(struct proxy *proxy, const struct proxy_mode *mode);
/* How often harm was done since the mode was set. */
int proxy_harm(struct proxy *proxy);

#endif
