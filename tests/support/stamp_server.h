/* A time-stamp authority (RFC 3161) on 127.0.0.1 and a free port, in a thread of the test program; libcrypto stamps.
 * Any failure of its own ends the test program. */
#ifndef PUENTE_TESTS_SUPPORT_STAMP_SERVER_H
#define PUENTE_TESTS_SUPPORT_STAMP_SERVER_H

enum stamp_fault {
  STAMP_GOOD,
  STAMP_REJECTS,  /* answers that it grants nothing */
  STAMP_REPLAYS,  /* answers what it answered first */
  STAMP_NONSENSE, /* 200, and no time-stamp */
  STAMP_BROKEN    /* 500 */
};

struct stamp_server;
/* Makes tsa_ca.pem, tsa.pem and tsa.key in the folder, and plain_ca.pem, which signed none of them. */
struct stamp_server *stamp_server_start(const char *folder);
void stamp_server_stop(struct stamp_server *server); /* NULL allowed */
int stamp_server_port(const struct stamp_server *server);
void stamp_server_fault(struct stamp_server *server, enum stamp_fault fault);

#endif
