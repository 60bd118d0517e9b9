/* Calls of libpq: the connection is cut before, or after the server has done it, or nothing is asked. */
#include "tests/torture/inject.h"

#include <libpq-fe.h>
#include <sys/socket.h>

static void cut(PGconn *connection) {
  int socket = PQsocket(connection);
  if (socket >= 0) {
    shutdown(socket, SHUT_RDWR);
  }
}

/* `failure` is what it returns where memory is short. */
#define LIBPQ(type, name, parameters, arguments, connection, failure, forget)                                          \
  type __real_##name parameters;                                                                                       \
  type __wrap_##name parameters;                                                                                       \
  type __wrap_##name parameters {                                                                                      \
    if (!inject_here(INJECT_POSTGRES, #name)) {                                                                        \
      return __real_##name arguments;                                                                                  \
    }                                                                                                                  \
    if (inject_mode() == INJECT_EMPTY) {                                                                               \
      return failure;                                                                                                  \
    }                                                                                                                  \
    if (inject_mode() == INJECT_LOST) {                                                                                \
      type lost = __real_##name arguments;                                                                             \
      cut(connection);                                                                                                 \
      forget(lost);                                                                                                    \
      return failure;                                                                                                  \
    }                                                                                                                  \
    cut(connection);                                                                                                   \
    return __real_##name arguments;                                                                                    \
  }
#define NOTHING(result) (void)(result)
#define FAILED(connection) PQmakeEmptyPGresult(connection, PGRES_FATAL_ERROR)

LIBPQ(PGresult *, PQexec, (PGconn * c, const char *sql), (c, sql), c, FAILED(c), PQclear)
LIBPQ(PGresult *, PQexecParams,
      (PGconn * c, const char *sql, int count, const Oid *types, const char *const *values, const int *lengths,
       const int *formats, int format),
      (c, sql, count, types, values, lengths, formats, format), c, FAILED(c), PQclear)
LIBPQ(PGresult *, PQexecPrepared,
      (PGconn * c, const char *name, int count, const char *const *values, const int *lengths, const int *formats,
       int format),
      (c, name, count, values, lengths, formats, format), c, FAILED(c), PQclear)
LIBPQ(PGresult *, PQprepare, (PGconn * c, const char *name, const char *sql, int count, const Oid *types),
      (c, name, sql, count, types), c, FAILED(c), PQclear)
LIBPQ(PGresult *, PQdescribePrepared, (PGconn * c, const char *name), (c, name), c, FAILED(c), PQclear)
LIBPQ(PGresult *, PQgetResult, (PGconn * c), (c), c, FAILED(c), PQclear)
LIBPQ(int, PQsendQueryParams,
      (PGconn * c, const char *sql, int count, const Oid *types, const char *const *values, const int *lengths,
       const int *formats, int format),
      (c, sql, count, types, values, lengths, formats, format), c, 0, NOTHING)
LIBPQ(int, PQsetSingleRowMode, (PGconn * c), (c), c, 0, NOTHING)
LIBPQ(int, PQputCopyData, (PGconn * c, const char *bytes, int size), (c, bytes, size), c, -1, NOTHING)
LIBPQ(int, PQputCopyEnd, (PGconn * c, const char *message), (c, message), c, -1, NOTHING)
LIBPQ(int, PQconsumeInput, (PGconn * c), (c), c, 0, NOTHING)

PGconn *__real_PQconnectdbParams(const char *const *keys, const char *const *values, int expand);
PGconn *__wrap_PQconnectdbParams(const char *const *keys, const char *const *values, int expand);
PGconn *__wrap_PQconnectdbParams(const char *const *keys, const char *const *values, int expand) {
  if (!inject_here(INJECT_POSTGRES, "PQconnectdbParams")) {
    return __real_PQconnectdbParams(keys, values, expand);
  }
  if (inject_mode() == INJECT_EMPTY) {
    return NULL;
  }
  PGconn *connection = __real_PQconnectdbParams(keys, values, expand);
  cut(connection);
  return connection;
}

PQconninfoOption *__real_PQconninfoParse(const char *text, char **message);
PQconninfoOption *__wrap_PQconninfoParse(const char *text, char **message);
PQconninfoOption *__wrap_PQconninfoParse(const char *text, char **message) {
  if (inject_here(INJECT_POSTGRES | INJECT_MEMORY, "PQconninfoParse")) {
    if (message != NULL) {
      *message = NULL;
    }
    return NULL;
  }
  return __real_PQconninfoParse(text, message);
}
