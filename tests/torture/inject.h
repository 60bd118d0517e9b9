/* Faults in the calls of Puente's own objects: the linker leads each of them through a wrapper (--wrap, see the
 * Makefile), which counts it, and lets the one fail that was asked for. Libraries keep theirs, but for SQLite, whose
 * memory and files are reached through the doors that it has for that. */
#ifndef PUENTE_TESTS_TORTURE_INJECT_H
#define PUENTE_TESTS_TORTURE_INJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum inject_class {
  INJECT_MEMORY = 1,   /* allocations, and things that libraries allocate for Puente */
  INJECT_TRANSFER = 2, /* read, write and their like, which may also be short */
  INJECT_FILE = 4,     /* what else asks the system */
  INJECT_POSTGRES = 8,
  INJECT_SQLITE_MEMORY = 16,
  INJECT_SQLITE_FILE = 32,
  INJECT_ALL = 63
};

enum inject_mode {
  INJECT_COUNT, /* none fails; the path by which each call comes is noted */
  INJECT_ONCE,  /* the n-th; of libpq: the connection is cut before the call */
  INJECT_FROM,  /* the n-th and all that follow */
  INJECT_SHORT, /* the n-th transfer moves half of its bytes, which is no error */
  INJECT_EMPTY, /* the n-th call of libpq fails without asking the server */
  INJECT_LOST   /* the n-th is done by the server, and the connection cut before the answer comes */
};

enum { INJECT_DEPTH = 40, INJECT_CALLS_MOST = 1 << 20 };

/* Shared with the process that fails. */
struct inject_report {
  atomic_uint calls;  /* of the classes asked for */
  atomic_bool failed; /* something did */
  const char *what;   /* the first that failed */
  int depth;
  void *stack[INJECT_DEPTH]; /* and from where */
  uint64_t *paths;           /* counting: by call, a hash of Puente's functions that led to it; room for
                                INJECT_CALLS_MOST */
};

/* Once in a program, before SQLite is used. */
void inject_install(void);
/* From now on in this process; `nth` counts from 1 among calls of `classes`. */
void inject_begin(struct inject_report *report, enum inject_mode mode, unsigned classes, unsigned nth);
void inject_end(void);

/* True where this call is to fail; for the wrappers. */
bool inject_here(enum inject_class class, const char *what);
enum inject_mode inject_mode(void);

#endif
