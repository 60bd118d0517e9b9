/* A scripted HTTP or HTTPS server on 127.0.0.1 and a free port, in threads of the test program. The test starts and
 * stops it; what it saw belongs to it until then. Any failure of its own ends the test program. */
#ifndef PUENTE_TESTS_SUPPORT_HTTP_SERVER_H
#define PUENTE_TESTS_SUPPORT_HTTP_SERVER_H

#include <stddef.h>
#include <stdint.h>

enum http_fault {
  FAULT_NONE,
  FAULT_CLOSE,    /* closes without an answer */
  FAULT_RESET,    /* resets the connection */
  FAULT_TRUNCATE, /* ends in the middle of the body */
  FAULT_STALL,    /* sends half of the body, then nothing more */
  FAULT_LARGE,    /* a body of `size` blanks, with its length told */
  FAULT_UNSIZED,  /* the same without a length */
  FAULT_BOMB      /* `size` blanks, compressed */
};

struct http_answer {
  int status;             /* 0: 200 */
  const char *headers[6]; /* "Name: value"; NULL ends. Date is sent only where it stands here */
  const char *body;       /* NULL: empty */
  size_t length;          /* of a body with zero bytes; 0: strlen */
  int delay;              /* milliseconds before the answer */
  enum http_fault fault;
  size_t size;
  const char *path; /* only for requests whose path and query begin so, or with '$' behind are so; NULL: any */
};

struct http_seen {
  char method[8];
  char target[2048];  /* path and query as sent */
  char headers[8192]; /* "Name: value" lines */
  char *body;
  size_t length;
};

struct http_server_options {
  const char *certificate, *key; /* PEM files; NULL: no TLS */
  const char *client_ca;         /* PEM file: clients must show a certificate */
};

struct http_server;
struct http_server *http_server_start(const struct http_server_options *options); /* NULL: plain */
void http_server_stop(struct http_server *server);
int http_server_port(const struct http_server *server);
/* Answers in turn, each once but the last one that fits best, which is repeated. Borrowed. Forgets what was seen. */
void http_server_script(struct http_server *server, const struct http_answer *answers, size_t count);
size_t http_server_requests(struct http_server *server);
const struct http_seen *http_server_seen(struct http_server *server, size_t number);

#endif
