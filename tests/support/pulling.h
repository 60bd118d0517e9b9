/* A connector driven as the core drives it: options from YAML text, pages collected, contents remembered. */
#ifndef PUENTE_TESTS_SUPPORT_PULLING_H
#define PUENTE_TESTS_SUPPORT_PULLING_H

#include "connectors/connector.h"

struct pulling {
  const struct connector *connector;
  struct arena *arena;
  void *options;
  struct pull pull;
  struct connection *connection;
  struct page page;
  struct buffer seen;   /* each page as "[origin begins ends]bytes\n" */
  struct buffer memory; /* what was to be remembered, one a line */
  struct buffer probed; /* each step of a probe as "step: status: words\n" */
  struct error error;
  int pages;
};

/* Fails the test where the options are refused. `yaml` is the body of the source's options. */
void pulling_begin(struct pulling *pulling, const char *connector, const char *yaml, const char *folder);
/* A new pass from the cursor and watermark in `pull`: opens, takes at most `most` pages (-1: all), remembers what the
 * pages ask for. Returns what `next` returned last; the cursor and watermark of the last page stay in `page`. */
enum status pulling_pass(struct pulling *pulling, int most);
/* Goes on with the open pass. */
enum status pulling_more(struct pulling *pulling, int most);
enum status pulling_probe(struct pulling *pulling);
/* "message @ place ! hint" of the last error; valid until the next call. */
const char *pulling_error(const struct pulling *pulling);
/* Ticks off the rows "A,B,…", each a number of its own (100·A + B, below `most`), from `line` on to an empty line;
 * fails the test where one comes twice. Returns how many there were. */
int pulling_mark(const char *line, bool *had, long most);
void pulling_end(struct pulling *pulling);

#endif
