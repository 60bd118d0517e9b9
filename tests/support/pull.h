/* Pulls a source through a connector, as the core does, from options written as YAML text. */
#ifndef PUENTE_TESTS_SUPPORT_PULL_H
#define PUENTE_TESTS_SUPPORT_PULL_H

#include "connectors/connector.h"
#include "tests/support/http_server.h"

struct pulled {
  enum status status;  /* OK: the pass came to its end */
  char error[2048];    /* "message | place | hint", ports of 127.0.0.1 left out; "" where none */
  char bytes[8192];    /* pages one after the other, each followed by a line end */
  char origins[1024];  /* likewise, parted by commas */
  char shape[256];     /* of each page: '(' begins a document, 'c' has a cursor or '-' has none, ')' ends it */
  char watermark[256]; /* of the last page */
  char cursor[2048];
  int64_t source_count;
  size_t length; /* of all bytes, also of those that `bytes` has no room for */
  int pages;
};

struct pull_case {
  const char *connector;
  const char *options; /* YAML; "%d" of it are replaced by `port` */
  int port;
  const char *cursor, *watermark, *until;
  const atomic_bool *stop;
  int pages_most; /* stops after so many pages, as a run that is killed; 0: no end */
};

/* The options must be good; errors of open and next are results. */
void pull_all(const struct pull_case *one, struct pulled *pulled);
/* Pulls from the server by the connector after the server was given these answers. */
struct pulled pull_answers(struct http_server *server, const char *connector, const char *options,
                           const struct http_answer *answers, size_t count);
/* Options that are refused when the source is opened, with this error, are also found by `check`, which has no place to
 * tell; neither asks the source anything. */
void pull_refused(struct http_server *server, const char *connector, const char *options, const char *error);
/* Runs `check` alone; the result as of pull_all. */
void pull_check(const struct pull_case *one, struct pulled *pulled);
/* Runs `probe`; `steps` gets a line "step status words" for each, ports left out. */
enum status pull_probe(const struct pull_case *one, char *steps, size_t size, struct pulled *pulled);

#endif
