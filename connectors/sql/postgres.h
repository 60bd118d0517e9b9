/* What the two files of the PostgreSQL driver share. */
#ifndef PUENTE_CONNECTORS_SQL_POSTGRES_H
#define PUENTE_CONNECTORS_SQL_POSTGRES_H

#include "connectors/sql/sql.h"

#include <libpq-fe.h>

/* postgres_connect.c: a connection with TLS as the options say; the login's failure is told apart from the way there.
 */
enum status postgres_connect(const struct sql *sql, PGconn **connection, struct error *error) MUST_CHECK;
/* Waits until the socket can be read (or written) or `deadline` (monotonic) passes. */
enum status postgres_wait(const struct sql *sql, PGconn *connection, bool write, int64_t deadline,
                          struct error *error) MUST_CHECK;
/* When the certificate ends that the server shows, in microseconds; 0: no TLS. Where there is TLS it
 * hangs up before it authenticates. */
enum status postgres_certificate(const struct sql *sql, int64_t *ends, struct error *error) MUST_CHECK;
/* The error of a failed statement, by its SQLSTATE. The server's words are kept only where they name tables, columns
 * and words of the statement, never where they may quote a value. */
enum status postgres_failure(const PGresult *result, struct error *error);

#endif
