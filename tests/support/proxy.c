#include "tests/support/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 1 << 16, LOOK_MILLISECONDS = 5, PORT_TRIES = 200 };

struct proxy {
  char path[108];
  int target, port;
  int listener; /* the thread's; -1: nobody listens */
  pthread_t thread;
  pthread_mutex_t lock; /* of what follows */
  struct proxy_mode mode;
  unsigned epoch; /* of the mode */
  unsigned held;  /* the epoch that the listening thread has taken up */
  int connections, met, harm, alive;
  bool over;
};

/* One connection: client's and server's descriptor, and what it has passed. */
struct link {
  struct proxy *proxy;
  int client, server;
  int number;     /* among those since the mode was set */
  unsigned epoch; /* the mode that `answered` counts for */
  size_t answered;
  bool awaits; /* PROXY_CUT_AFTER: the match has gone to the server */
};

static void require(bool good, const char *what) {
  if (!good) {
    fprintf(stderr, "proxy of the tests: %s: %s\n", what, strerror(errno));
    abort();
  }
}

static void pause_ms(long milliseconds) {
  nanosleep(&(struct timespec){.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000}, NULL);
}

/* ---- the mode ---- */

static struct proxy_mode mode_of(struct link *link) {
  struct proxy *proxy = link->proxy;
  pthread_mutex_lock(&proxy->lock);
  struct proxy_mode mode = proxy->mode;
  if (link->epoch != proxy->epoch) {
    link->epoch = proxy->epoch;
    link->number = ++proxy->connections;
    link->answered = 0;
    link->awaits = false;
  }
  if (mode.connection != 0 && mode.connection != link->number) {
    mode.fault = PROXY_PASS;
  }
  if (proxy->over) {
    mode.fault = PROXY_CLOSE;
  }
  pthread_mutex_unlock(&proxy->lock);
  return mode;
}

static void count_harm(struct proxy *proxy) {
  pthread_mutex_lock(&proxy->lock);
  proxy->harm++;
  pthread_mutex_unlock(&proxy->lock);
}

/* Whether this is the occurrence that the mode names. */
static bool meets(struct proxy *proxy, const struct proxy_mode *mode) {
  pthread_mutex_lock(&proxy->lock);
  bool due = ++proxy->met == (mode->occurrence == 0 ? 1 : mode->occurrence);
  pthread_mutex_unlock(&proxy->lock);
  return due;
}

/* ---- passing bytes; false: the connection ends ---- */

static bool give(int to, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t sent = send(to, bytes, count, MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes += sent;
    count -= (size_t)sent;
  }
  return true;
}

/* Waits until the mode is another one, or the client has hung up. */
static void stall(struct link *link) {
  unsigned epoch = link->epoch;
  char byte;
  while (mode_of(link).fault == PROXY_STALL && link->epoch == epoch
         && recv(link->client, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0) {
    pause_ms(LOOK_MILLISECONDS);
  }
}

static bool drip(struct link *link, const char *bytes, size_t count, long milliseconds) {
  for (size_t i = 0; i < count; i++) {
    if (!give(link->client, bytes + i, 1) || mode_of(link).fault != PROXY_DRIP) {
      return false;
    }
    pause_ms(milliseconds);
  }
  return true;
}

static void reset(struct link *link) {
  const struct linger now = {.l_onoff = 1, .l_linger = 0};
  setsockopt(link->client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static bool pass_answer(struct link *link, char *bytes, size_t count) {
  struct proxy_mode mode = mode_of(link);
  size_t before = link->answered, left = mode.at > before ? mode.at - before : 0;
  bool here = before + count > mode.at;
  link->answered += count;
  if (mode.fault == PROXY_CORRUPT && here && mode.at >= before) {
    bytes[mode.at - before] = (char)~bytes[mode.at - before];
    count_harm(link->proxy);
  } else if (mode.fault == PROXY_DRIP) {
    count_harm(link->proxy);
    return drip(link, bytes, count, (long)mode.at);
  } else if (here && (mode.fault == PROXY_RESET || mode.fault == PROXY_STALL || mode.fault == PROXY_TRUNCATE)) {
    bool sent = give(link->client, bytes, left);
    count_harm(link->proxy);
    if (mode.fault == PROXY_STALL && sent) {
      stall(link);
    } else if (mode.fault == PROXY_RESET) {
      reset(link);
    }
    return false;
  } else if (link->awaits) {
    count_harm(link->proxy);
    return false;
  }
  return mode.fault != PROXY_CLOSE && give(link->client, bytes, count);
}

static bool pass_request(struct link *link, const char *bytes, size_t count) {
  struct proxy_mode mode = mode_of(link);
  bool cuts = mode.fault == PROXY_CUT || mode.fault == PROXY_CUT_AFTER;
  if (cuts && memmem(bytes, count, mode.match, mode.length) != NULL && meets(link->proxy, &mode)) {
    if (mode.fault == PROXY_CUT) {
      count_harm(link->proxy);
      return false;
    }
    link->awaits = true;
  }
  return mode.fault != PROXY_CLOSE && give(link->server, bytes, count);
}

static bool pass(struct link *link, struct pollfd ends[2]) {
  static _Thread_local char bytes[PIECE];
  for (int i = 0; i < 2; i++) {
    if (ends[i].revents == 0) {
      continue;
    }
    ssize_t got = recv(ends[i].fd, bytes, sizeof bytes, 0);
    if (got <= 0) {
      return false;
    }
    if (!(i == 0 ? pass_request(link, bytes, (size_t)got) : pass_answer(link, bytes, (size_t)got))) {
      return false;
    }
  }
  return true;
}

/* ---- connections ---- */

static int reach(struct proxy *proxy) {
  pthread_mutex_lock(&proxy->lock);
  int target = proxy->target;
  pthread_mutex_unlock(&proxy->lock);
  struct sockaddr_un local = {.sun_family = AF_UNIX};
  struct sockaddr_in remote = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)target), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  bool by_path = proxy->path[0] != '\0';
  memcpy(local.sun_path, proxy->path, sizeof local.sun_path);
  int server = socket(by_path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const struct sockaddr *address = by_path ? (const void *)&local : (const void *)&remote;
  if (server >= 0 && connect(server, address, by_path ? sizeof local : sizeof remote) == 0) {
    return server;
  }
  if (server >= 0) {
    close(server);
  }
  return -1;
}

static void *serve(void *context) {
  struct link *link = context;
  struct proxy *proxy = link->proxy;
  struct proxy_mode mode = mode_of(link);
  const int on = 1;
  setsockopt(link->client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (mode.fault == PROXY_CLOSE) {
    char request[PIECE]; /* what is not read would make a reset of it */
    count_harm(proxy);
    recv(link->client, request, sizeof request, 0);
  } else if ((link->server = reach(proxy)) >= 0) {
    struct pollfd ends[2] = {{.fd = link->client, .events = POLLIN}, {.fd = link->server, .events = POLLIN}};
    bool open = true;
    while (open && mode_of(link).fault != PROXY_CLOSE) {
      open = poll(ends, 2, LOOK_MILLISECONDS) <= 0 || pass(link, ends);
    }
    close(link->server);
  }
  close(link->client);
  free(link);
  pthread_mutex_lock(&proxy->lock);
  proxy->alive--;
  pthread_mutex_unlock(&proxy->lock);
  return NULL;
}

/* The same port each time; 0: any free one. */
static int listen_at(struct proxy *proxy) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)proxy->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  const int on = 1;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(listener >= 0 && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0, "socket");
  int bound = -1;
  for (int tries = 0; bound != 0 && tries < PORT_TRIES; tries++) {
    bound = bind(listener, (struct sockaddr *)&address, sizeof address);
    if (bound != 0) {
      pause_ms(LOOK_MILLISECONDS);
    }
  }
  require(bound == 0 && listen(listener, 64) == 0, "listen");
  require(getsockname(listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
  proxy->port = ntohs(address.sin_port);
  return listener;
}

static void take(struct proxy *proxy, int listener) {
  int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  struct link *link = calloc(1, sizeof *link);
  pthread_t thread;
  require(link != NULL, "memory");
  if (client < 0) {
    free(link);
    return;
  }
  *link = (struct link){.proxy = proxy, .client = client};
  pthread_mutex_lock(&proxy->lock);
  proxy->alive++;
  pthread_mutex_unlock(&proxy->lock);
  require(pthread_create(&thread, NULL, serve, link) == 0, "thread");
  pthread_detach(thread);
}

/* Takes up the mode as far as it says whether anybody listens; false: it is over. */
static bool look(struct proxy *proxy) {
  pthread_mutex_lock(&proxy->lock);
  bool over = proxy->over, refuses = proxy->mode.fault == PROXY_REFUSE;
  unsigned epoch = proxy->epoch;
  pthread_mutex_unlock(&proxy->lock);
  if ((refuses || over) && proxy->listener >= 0) {
    close(proxy->listener);
    proxy->listener = -1;
  } else if (!refuses && !over && proxy->listener < 0) {
    proxy->listener = listen_at(proxy);
  }
  pthread_mutex_lock(&proxy->lock);
  proxy->held = epoch;
  pthread_mutex_unlock(&proxy->lock);
  return !over;
}

static void *run(void *context) {
  struct proxy *proxy = context;
  while (look(proxy)) {
    struct pollfd end = {.fd = proxy->listener, .events = POLLIN};
    if (poll(&end, 1, LOOK_MILLISECONDS) > 0) {
      take(proxy, proxy->listener);
    }
  }
  return NULL;
}

/* ---- the test's side ---- */

struct proxy *proxy_start(const char *path, int port) {
  struct proxy *proxy = calloc(1, sizeof *proxy);
  require(proxy != NULL, "memory");
  if (path != NULL) {
    require(snprintf(proxy->path, sizeof proxy->path, "%s", path) < (int)sizeof proxy->path, "a long path");
  }
  proxy->target = port;
  pthread_mutex_init(&proxy->lock, NULL);
  proxy->listener = listen_at(proxy);
  require(pthread_create(&proxy->thread, NULL, run, proxy) == 0, "thread");
  return proxy;
}

void proxy_stop(struct proxy *proxy) {
  pthread_mutex_lock(&proxy->lock);
  proxy->over = true;
  pthread_mutex_unlock(&proxy->lock);
  pthread_join(proxy->thread, NULL);
  for (int alive = 1; alive > 0;) {
    pthread_mutex_lock(&proxy->lock);
    alive = proxy->alive;
    pthread_mutex_unlock(&proxy->lock);
    pause_ms(alive > 0);
  }
  pthread_mutex_destroy(&proxy->lock);
  free(proxy);
}

int proxy_port(const struct proxy *proxy) {
  return proxy->port;
}

void proxy_aim(struct proxy *proxy, int port) {
  pthread_mutex_lock(&proxy->lock);
  proxy->target = port;
  pthread_mutex_unlock(&proxy->lock);
}

void proxy_set(struct proxy *proxy, const struct proxy_mode *mode) {
  pthread_mutex_lock(&proxy->lock);
  proxy->mode = *mode;
  unsigned epoch = ++proxy->epoch;
  proxy->connections = proxy->met = proxy->harm = 0;
  pthread_mutex_unlock(&proxy->lock);
  for (unsigned held = epoch - 1; held != epoch;) {
    pause_ms(1);
    pthread_mutex_lock(&proxy->lock);
    held = proxy->held;
    pthread_mutex_unlock(&proxy->lock);
  }
}

int proxy_harm(struct proxy *proxy) {
  pthread_mutex_lock(&proxy->lock);
  int harm = proxy->harm;
  pthread_mutex_unlock(&proxy->lock);
  return harm;
}
