/* Status codes and the one error structure of the program.
 *
 * Every function that can fail returns `enum status` and takes a `struct error *` as its last argument, which it fills
 * when it returns anything but OK or END. The caller owns the structure; it holds no pointers. Messages are lower case,
 * translated by the callee with _(), and never contain a name, a document, a value of a record, or a secret. */
#ifndef PUENTE_BASE_ERROR_H
#define PUENTE_BASE_ERROR_H

#include <libintl.h>
#include <stdbool.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#define _(text) gettext(text)
#define N_(text) text

enum status {
  OK = 0,
  END,         /* no more input; returned only where a contract names it */
  ERR_USAGE,   /* command line */
  ERR_CONFIG,  /* configuration, model, mapping, code list */
  ERR_INPUT,   /* bytes of a source: syntax, encoding, schema */
  ERR_LIMIT,   /* a size or count bound was passed */
  ERR_NETWORK, /* unreachable, broken, timed out: worth another try */
  ERR_AUTH,    /* credentials, certificate or permission refused */
  ERR_REMOTE,  /* the source answered with an error of its own */
  ERR_IO,      /* file system */
  ERR_FULL,    /* disk full */
  ERR_STORE,   /* the store failed */
  ERR_BUSY,    /* somebody else holds the lease or the lock */
  ERR_VERSION, /* the store is of a newer version than the program */
  ERR_BALANCE, /* the counts of a run do not add up */
  ERR_NOT_FOUND,
  ERR_MEMORY,
  ERR_INTERRUPTED, /* a signal asked to stop */
  ERR_INTERNAL,
  STATUS_COUNT
};

struct error {
  enum status code;
  char message[512]; /* what failed */
  char place[320];   /* where: source, record key, field, file:line:col; "" if nowhere */
  char hint[320];    /* what to do; "" if nothing helps */
};

/* Sets code and message, clears place and hint; returns `code` so that a callee can `return error_set(...)`. */
enum status error_set(struct error *error, enum status code, const char *format, ...) PRINTF_LIKE(3, 4);
/* Sets the place; a caller further out prepends its own part ("source reta" before "page 3"). */
void error_place(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);
void error_hint(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);
/* ERR_MEMORY with the fixed message; returns ERR_MEMORY. */
enum status error_memory(struct error *error);

/* The one table behind exit codes and the documentation. */
const char *status_name(enum status status);  /* "config", "network", … */
int status_exit_code(enum status status);     /* 0 done, 1 failed, 2 usage or configuration, 3 partly done */
bool status_is_transient(enum status status); /* worth a retry of the same request */

#endif
