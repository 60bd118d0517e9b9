#include "connectors/sql/postgres.h"
#include "core/base/date.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

enum { PARAMETERS_MOST = 24, LOOK_MS = 200 };

enum status postgres_wait(const struct sql *sql, PGconn *connection, bool write, int64_t deadline,
                          struct error *error) {
  for (;;) {
    struct pollfd wanted = {.fd = PQsocket(connection), .events = write ? POLLOUT : POLLIN};
    int ready = poll(&wanted, 1, LOOK_MS);
    if (ready > 0)
      return OK;
    if (ready < 0 && errno != EINTR)
      return error_set(error, ERR_NETWORK, _("the connection to the database failed: %s"), strerror(errno));
    if (sql_stopped(sql))
      return error_set(error, ERR_INTERRUPTED, _("stopped while the database was waited for"));
    if (clock_monotonic() > deadline)
      return error_set(error, ERR_NETWORK, _("the database did not answer in time"));
  }
}

struct parameters {
  const char *names[PARAMETERS_MOST], *values[PARAMETERS_MOST];
  size_t count;
};

static void add(struct parameters *parameters, const char *name, const char *value) {
  if (value == NULL || parameters->count + 1 == PARAMETERS_MOST)
    return;
  parameters->names[parameters->count] = name;
  parameters->values[parameters->count++] = value;
}

/* libpq's words about a broken connection string may quote a password in it, so they are not repeated. */
static enum status check_dsn(const char *dsn, bool *tls_given, struct error *error) {
  PQconninfoOption *parsed = PQconninfoParse(dsn, NULL);
  if (parsed == NULL) {
    error_set(error, ERR_CONFIG, _("\"dsn\" is no connection string"));
    error_hint(error, _("write host=… dbname=… user=…, or postgresql://user@host/dbname"));
    return ERR_CONFIG;
  }
  bool password = false;
  for (const PQconninfoOption *option = parsed; option->keyword != NULL; option++) {
    bool given = option->val != NULL && *option->val != '\0';
    password = password || (given && strcmp(option->keyword, "password") == 0);
    *tls_given = *tls_given || (given && strcmp(option->keyword, "sslmode") == 0);
  }
  PQconninfoFree(parsed);
  if (!password)
    return OK;
  error_set(error, ERR_CONFIG, _("\"dsn\" holds a password"));
  error_hint(error, _("take it out and set \"password: env:NAME\" or \"password: file:PATH\""));
  return ERR_CONFIG;
}

static enum status collect(const struct sql_options *options, struct parameters *parameters, char port[12],
                           struct error *error) {
  static const char *const tls_modes[] = {"disable", "prefer", "require", "verify-ca", "verify-full"};
  bool tls_given = false;
  snprintf(port, 12, "%lld", (long long)options->port);
  if (options->dsn != NULL) {
    enum status status = check_dsn(options->dsn, &tls_given, error);
    if (status != OK)
      return status;
  } else {
    add(parameters, "port", port);
  }
  add(parameters, "dbname", options->dsn);
  add(parameters, "host", options->host);
  add(parameters, "dbname", options->dbname);
  add(parameters, "user", options->user);
  add(parameters, "password", options->password);
  add(parameters, "sslmode", tls_given ? NULL : tls_modes[options->sslmode]);
  add(parameters, "sslrootcert", options->sslrootcert);
  add(parameters, "sslcert", options->sslcert);
  add(parameters, "sslkey", options->sslkey);
  add(parameters, "application_name", "puente");
  add(parameters, "client_encoding", "UTF8");
  return OK;
}

/* The first line of libpq's message, without what follows. */
static void first_line(PGconn *connection, char line[200]) {
  snprintf(line, 200, "%.*s", (int)strcspn(PQerrorMessage(connection), "\n"), PQerrorMessage(connection));
}

/* The SQLSTATE that the message ends with, since this connection reports errors by their code alone. */
static const char *state_of(const char *message, char state[6]) {
  const char *mark = strstr(message, "FATAL:  ");
  state[0] = '\0';
  if (mark != NULL)
    snprintf(state, 6, "%s", mark + strlen("FATAL:  "));
  return state;
}

static enum status refused(const char *state, struct error *error) {
  if (strncmp(state, "28", 2) == 0) {
    error_set(error, ERR_AUTH, _("the database refused the login (SQLSTATE %s)"), state);
    error_hint(error, _("check \"user\" and \"password\", and that pg_hba.conf lets this machine in"));
  } else if (strcmp(state, "3D000") == 0) {
    error_set(error, ERR_CONFIG, _("the server has no such database"));
    error_hint(error, _("check \"dbname\""));
  } else if (strcmp(state, "42501") == 0) {
    error_set(error, ERR_AUTH, _("the user may not connect to the database"));
    error_hint(error, _("ask for GRANT CONNECT ON DATABASE"));
  } else {
    error_set(error, ERR_NETWORK, _("the server takes no connection now (SQLSTATE %s)"), state);
    error_hint(error, _("it may be starting, or have too many connections: try again later"));
  }
  return error->code;
}

static enum status connect_failure(PGconn *connection, struct error *error) {
  char state[6], line[200];
  const char *message = PQerrorMessage(connection);
  if (*state_of(message, state) != '\0')
    return refused(state, error);
  if (PQconnectionNeedsPassword(connection)) {
    error_set(error, ERR_AUTH, _("the database asks for a password"));
    error_hint(error, _("set \"password: env:NAME\" or \"password: file:PATH\""));
    return ERR_AUTH;
  }
  first_line(connection, line);
  if (strstr(message, "SSL") != NULL || strstr(message, "root certificate") != NULL) {
    error_set(error, ERR_AUTH, _("no trusted TLS connection to the database: %s"), line);
    error_hint(error, _("set \"sslrootcert\" to the certificate of the authority that signed the server's"));
    return ERR_AUTH;
  }
  error_set(error, ERR_NETWORK, _("the database cannot be reached: %s"), line);
  error_hint(error, _("check \"host\" and \"port\", and that a firewall lets this machine through"));
  return ERR_NETWORK;
}

static bool has_shaken(PGconn *connection) {
  SSL *tls = PQsslStruct(connection, "OpenSSL");
  return tls != NULL && SSL_is_init_finished(tls);
}

/* `shaken`: as far as the handshake of TLS, where there is one. */
static enum status finish(const struct sql *sql, PGconn *connection, bool shaken, struct error *error) {
  int64_t deadline = clock_monotonic() + sql->options->connect_timeout;
  if (PQstatus(connection) == CONNECTION_BAD)
    return connect_failure(connection, error);
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK && !(shaken && has_shaken(connection))) {
    enum status status = postgres_wait(sql, connection, state == PGRES_POLLING_WRITING, deadline, error);
    if (status != OK) {
      error_hint(error, _("check \"host\" and \"port\", and that a firewall lets this machine through"));
      return status;
    }
    state = PQconnectPoll(connection);
    if (state == PGRES_POLLING_FAILED)
      return connect_failure(connection, error);
  }
  return OK;
}

static enum status begin(const struct sql *sql, bool shaken, PGconn **connection, struct error *error) {
  struct parameters parameters = {.count = 0};
  char port[12];
  enum status status = collect(sql->options, &parameters, port, error);
  if (status != OK)
    return status;
  PGconn *made = PQconnectStartParams(parameters.names, parameters.values, 1);
  if (made == NULL)
    return error_memory(error);
  PQsetErrorVerbosity(made, PQERRORS_SQLSTATE);
  status = finish(sql, made, shaken, error);
  if (status != OK) {
    PQfinish(made);
    return status;
  }
  *connection = made;
  return OK;
}

enum status postgres_connect(const struct sql *sql, PGconn **connection, struct error *error) {
  return begin(sql, false, connection, error);
}

enum status postgres_certificate(const struct sql *sql, int64_t *ends, struct error *error) {
  PGconn *connection = NULL;
  struct tm moment;
  *ends = 0;
  if (sql->options->sslmode == TLS_DISABLE)
    return OK;
  enum status status = begin(sql, true, &connection, error);
  if (status != OK)
    return status;
  SSL *tls = PQsslStruct(connection, "OpenSSL");
  X509 *certificate = tls == NULL ? NULL : SSL_get1_peer_certificate(tls);
  if (certificate != NULL && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &moment) == 1)
    *ends = (int64_t)timegm(&moment) * 1000000;
  X509_free(certificate);
  PQfinish(connection);
  return OK;
}

static enum status by_state(const char *state, struct error *error) {
  if (strcmp(state, "57014") == 0) {
    error_set(error, ERR_NETWORK, _("the database took longer than \"timeout\""));
    error_hint(error, _("an index on the watermark and key columns helps; or raise \"timeout\""));
  } else if (strcmp(state, "25006") == 0) {
    error_set(error, ERR_CONFIG, _("the query tries to write, and a source is only read"));
    error_hint(error, _("\"query\" must be a SELECT without functions that write"));
  } else if (strcmp(state, "42501") == 0) {
    error_set(error, ERR_AUTH, _("the user may not read a table of the query"));
    error_hint(error, _("ask for GRANT SELECT on the tables, and USAGE on their schema"));
  } else if (strncmp(state, "22", 2) == 0) {
    error_set(error, ERR_REMOTE, _("the database could not compute or convert a value (SQLSTATE %s)"), state);
    error_hint(error, _("check the casts of \"query\", and that the watermark fits its column"));
  } else if (strncmp(state, "08", 2) == 0 || strncmp(state, "57P", 3) == 0 || strncmp(state, "53", 2) == 0
             || strncmp(state, "40", 2) == 0) {
    error_set(error, ERR_NETWORK, _("the database broke off (SQLSTATE %s)"), state);
    error_hint(error, _("try again later"));
  } else {
    error_set(error, ERR_REMOTE, _("the database answered with an error (SQLSTATE %s)"), state);
  }
  return error->code;
}

enum status postgres_failure(const PGresult *result, struct error *error) {
  const char *state = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (state == NULL) {
    error_set(error, ERR_NETWORK, _("the connection to the database broke"));
    error_hint(error, _("try again later"));
    return ERR_NETWORK;
  }
  bool about_statement = strncmp(state, "42", 2) == 0 && strcmp(state, "42501") != 0;
  if (!about_statement)
    return by_state(state, error);
  const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
  /* A table or column that is not there (any more) is the source's matter as well as the query's. */
  bool shape = strcmp(state, "42P01") == 0 || strcmp(state, "42703") == 0;
  error_set(error, shape ? ERR_INPUT : ERR_CONFIG, _("the query cannot be run: %s"), words != NULL ? words : state);
  error_hint(error, "%s", hint != NULL ? hint : _("check \"query\" against the tables and columns of the database"));
  return error->code;
}
