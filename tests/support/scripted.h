/* A connector whose pages are written in the test: what a source gives, and where it fails. */
#ifndef PUENTE_TESTS_SUPPORT_SCRIPTED_H
#define PUENTE_TESTS_SUPPORT_SCRIPTED_H

#include "connectors/connector.h"

struct scripted_page {
  const char *bytes;
  bool continues;        /* the document goes on in the next page */
  const char *watermark; /* NULL: none */
  const char *memory;    /* landed before: the page is left out */
  enum status fails;     /* instead of giving the page */
  int64_t source_count;  /* 0: none */
};

/* The pages of the pass, in order; the cursor is the number of the next page. `opened` and
 * `given` count what was asked of it; `watermark`, `cursor` and `until` keep what the core gave last. */
struct script {
  const struct scripted_page *pages;
  size_t count;
  bool gives_all; /* a pass cannot be limited by dates */
  bool no_cursor; /* a pass can only begin anew */
  size_t opened, given;
  char watermark[64], cursor[64], until[64];
};

extern struct script scripted; /* the one script of the test program */
extern const struct connector scripted_connector;

#endif
