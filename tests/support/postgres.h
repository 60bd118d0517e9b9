/* A PostgreSQL server of the test program's own: made on first use, stopped and removed when the program ends, however
 * it ends. Text returned is owned here and lives until the server stops. Any failure ends the test program. */
#ifndef PUENTE_TESTS_SUPPORT_POSTGRES_H
#define PUENTE_TESTS_SUPPORT_POSTGRES_H

/* The conninfo of the owner role "puente" on database "puente": may create roles, no superuser, as in a ministry.
 * Unix socket only, no password. */
const char *postgres_start(void);
/* The same as the superuser "postgres". */
const char *postgres_admin(void);
/* Listens on 127.0.0.1 too, on a free port; must be the first call. Gives the port. */
const char *postgres_start_tcp(int *port);
/* Durable as by default (fsync, full page writes), for measurements; must be the first call. */
const char *postgres_start_durable(void);
/* Ends the server now; `immediate`: as a crash does, the data stay and postgres_again starts it on them. */
void postgres_stop(int immediate);
void postgres_again(void);
/* Runs statements as the superuser on database "puente"; a failure ends the test program. */
void postgres_run(const char *sql);

#endif
