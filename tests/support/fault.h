/* A workspace with one source of four records on three pages, into which faults are put: what the program says of them,
 * and whether the store went through them unharmed. Any failure of the harness ends the test program. */
#ifndef PUENTE_TESTS_SUPPORT_FAULT_H
#define PUENTE_TESTS_SUPPORT_FAULT_H

#include "tests/support/http_server.h"
#include "tests/support/proxy.h"

#include <stdbool.h>

#define FAULT_RECORD(id, day, name)                                                                                    \
  "{\"id\":\"" id "\",\"date\":\"2024-01-0" day "\",\"name\":\"" name "\",\"at\":\"2024-02-0" day "T10:00:00Z\"}"
#define FAULT_FIRST                                                                                                    \
  "{\"d\":[" FAULT_RECORD("1", "1", "QUISPE") "," FAULT_RECORD("2", "2", "HUAMAN") "],\"total\":4,\"next\":\"b\"}"
#define FAULT_SECOND "{\"d\":[" FAULT_RECORD("3", "3", "CONDORI") "],\"total\":4,\"next\":\"c\"}"
#define FAULT_THIRD "{\"d\":[" FAULT_RECORD("4", "4", "ROJAS") "],\"total\":4,\"next\":null}"
#define FAULT_RECORDS 4

struct site {
  char *folder;
  struct http_server *server; /* plain HTTP */
  struct proxy *proxy;        /* before it: the source's address */
  struct proxy *store;        /* before PostgreSQL; NULL: none. The caller's */
};

/* Certificates (certificates.h) lie in the folder. */
void site_open(struct site *site);
void site_close(struct site *site);
/* The server gives the three pages, and tokens at /token. */
void site_heal(struct site *site);
/* Writes puente.yaml with that store block ("{sqlite: puente.db}"). */
void site_store(const struct site *site, const char *store);
/* Writes the source; `options` are more of the connector's, indented by two; with a `url:` among them it stands for
 * the proxy's plain one. "%d" in it is the proxy's port, '@' the folder. */
void site_source(const struct site *site, const char *options);

/* `text` with the proxies' ports as PORT and STORE and the folder as FOLDER; valid until the next call. */
const char *site_words(const struct site *site, const char *text);
/* Compares a run of the program with what is expected; prints what differs. */
bool site_says(const struct site *site, const char *name, const char *arguments, int code, const char *says);
/* The audit chain verifies and `landed` records are there, -1: any; prints what is wrong. */
bool site_sound(const struct site *site, const char *name, int landed);
/* The health of the source as the store keeps it for `puente status`; prints what differs. */
bool site_state(const struct site *site, const char *name, const char *state);

#endif
