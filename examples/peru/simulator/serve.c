#include "examples/peru/simulator/serve.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BODY_MOST = 1 << 20 };

struct request {
  char *body;
  size_t len;
};

struct answer {
  char *text;
  size_t len;
  unsigned status;
  const char *type;
};

static void begin(struct answer *answer, FILE **out, unsigned status, const char *type) {
  answer->status = status;
  answer->type = type;
  *out = open_memstream(&answer->text, &answer->len);
}

static void fail(struct answer *answer, unsigned status, const char *type, const char *text) {
  answer->status = status;
  answer->type = type;
  answer->text = strdup(text);
  answer->len = answer->text == NULL ? 0 : strlen(answer->text);
}

/* ---- SISTRA: OAuth2 client credentials (RFC 6749, 4.4), then cases ---- */

static bool form_value(const struct request *request, const char *name, char *value, size_t size) {
  char pattern[64];
  int len = snprintf(pattern, sizeof pattern, "%s=", name);
  for (const char *at = request->body; at != NULL && *at != '\0';) {
    const char *end = at + strcspn(at, "&");
    if (strncmp(at, pattern, (size_t)len) == 0) {
      snprintf(value, size, "%.*s", (int)(end - at - len), at + len);
      MHD_http_unescape(value);
      return true;
    }
    at = *end == '\0' ? end : end + 1;
  }
  return false;
}

static bool client_is_known(const struct service *service, struct MHD_Connection *connection,
                            const struct request *request) {
  char user[64] = "", secret[SECRET_SIZE] = "";
  char *password = NULL, *name = MHD_basic_auth_get_username_password(connection, &password);
  if (name != NULL && password != NULL) {
    snprintf(user, sizeof user, "%s", name);
    snprintf(secret, sizeof secret, "%s", password);
  } else {
    form_value(request, "client_id", user, sizeof user);
    form_value(request, "client_secret", secret, sizeof secret);
  }
  MHD_free(name);
  MHD_free(password);
  return strcmp(user, "puente") == 0 && strcmp(secret, service->sistra) == 0;
}

static void give_token(struct service *service, struct MHD_Connection *connection, const struct request *request,
                       struct answer *answer) {
  char grant[64] = "";
  form_value(request, "grant_type", grant, sizeof grant);
  if (strcmp(grant, "client_credentials") != 0) {
    fail(answer, MHD_HTTP_BAD_REQUEST, "application/json", "{\"error\":\"unsupported_grant_type\"}\n");
    return;
  }
  if (!client_is_known(service, connection, request)) {
    fail(answer, MHD_HTTP_UNAUTHORIZED, "application/json", "{\"error\":\"invalid_client\"}\n");
    return;
  }
  unsigned nth = service->issued++ % TOKENS;
  service->tokens[nth].value = random_mix(service->simulation.world.seed + service->issued + (uint64_t)time(NULL));
  service->tokens[nth].until = time(NULL) + service->token_life;
  FILE *out = NULL;
  begin(answer, &out, MHD_HTTP_OK, "application/json");
  if (out != NULL) {
    fprintf(out, "{\"access_token\":\"%016" PRIx64 "\",\"token_type\":\"Bearer\",\"expires_in\":%d}\n",
            service->tokens[nth].value, service->token_life);
    fclose(out);
  }
}

static bool bearer_is_good(const struct service *service, struct MHD_Connection *connection) {
  const char *header = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
  uint64_t value = 0;
  if (header == NULL || sscanf(header, "Bearer %16" SCNx64, &value) != 1) {
    return false;
  }
  for (unsigned i = 0; i < TOKENS; i++) {
    if (service->tokens[i].value == value && service->tokens[i].until > time(NULL)) {
      return true;
    }
  }
  return false;
}

static const char *argument(struct MHD_Connection *connection, const char *name, const char *otherwise) {
  const char *value = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
  return value == NULL || *value == '\0' ? otherwise : value;
}

static void give_cases(struct service *service, struct MHD_Connection *connection, struct answer *answer) {
  if (!bearer_is_good(service, connection)) {
    fail(answer, MHD_HTTP_UNAUTHORIZED, "application/json", "{\"error\":\"invalid_token\"}\n");
    return;
  }
  const char *since = argument(connection, "actualizado_desde", "1970-01-01T00:00:00Z");
  unsigned long limit = strtoul(argument(connection, "limite", "100"), NULL, 10);
  int64_t from = timestamp_read(since);
  if (from < 0 || limit < 1 || limit > 1000) {
    fail(answer, MHD_HTTP_BAD_REQUEST, "application/json", "{\"error\":\"invalid_parameter\"}\n");
    return;
  }
  FILE *out = NULL;
  begin(answer, &out, MHD_HTTP_OK, "application/json; charset=utf-8");
  if (out != NULL) {
    sistra_page(out, &service->simulation, &service->listings[SISTRA], from, argument(connection, "cursor", ""),
                (uint32_t)limit);
    fclose(out);
  }
}

/* ---- RETA and MIMP ---- */

static const char *const soap_fault =
    "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<soap:Envelope "
    "xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body><soap:Fault><faultcode>%s</faultcode>"
    "<faultstring>%s</faultstring></soap:Fault></soap:Body></soap:Envelope>\n";

static void give_denuncias(struct service *service, const struct request *request, struct answer *answer) {
  struct query query = {0};
  bool understood = reta_request(request->body, request->len, service->reta, &query);
  bool good = understood && query.allowed;
  FILE *out = NULL;
  begin(answer, &out, good ? MHD_HTTP_OK : MHD_HTTP_INTERNAL_SERVER_ERROR, "text/xml; charset=ISO-8859-1");
  if (out == NULL) {
    return;
  }
  if (good) {
    reta_page(out, &service->simulation, &service->listings[RETA], query.since, query.first, query.count);
  } else if (understood) {
    fprintf(out, soap_fault, "wsse:FailedAuthentication", "Credenciales no validas");
  } else {
    fprintf(out, soap_fault, "soap:Client", "Solicitud mal formada");
  }
  fclose(out);
}

static void give_assistances(struct service *service, const struct request *request, struct answer *answer) {
  struct query query = {0};
  bool understood = mimp_request(request->body, request->len, service->mimp, &query);
  FILE *out = NULL;
  begin(answer, &out, MHD_HTTP_OK, "application/json; charset=utf-8");
  if (out == NULL) {
    return;
  }
  if (!understood) {
    mimp_failure(out, "1003", "SOLICITUD MAL FORMADA");
  } else if (!query.allowed) {
    mimp_failure(out, "1001", "CREDENCIALES INCORRECTAS");
  } else {
    mimp_page(out, &service->simulation, &service->listings[MIMP], query.since, query.first, query.count);
  }
  fclose(out);
}

/* ---- HTTP ---- */

static enum MHD_Result take(struct request *request, const char *data, size_t *size) {
  if (request->len + *size > BODY_MOST) {
    return MHD_NO;
  }
  char *grown = realloc(request->body, request->len + *size + 1);
  if (grown == NULL) {
    return MHD_NO;
  }
  memcpy(grown + request->len, data, *size);
  request->body = grown;
  request->len += *size;
  grown[request->len] = '\0';
  *size = 0;
  return MHD_YES;
}

static void route(struct service *service, struct MHD_Connection *connection, const char *url, const char *method,
                  const struct request *request, struct answer *answer) {
  bool post = strcmp(method, "POST") == 0;
  if (post && strcmp(url, "/sistra/oauth/token") == 0) {
    give_token(service, connection, request, answer);
  } else if (!post && strcmp(url, "/sistra/api/v1/casos") == 0) {
    give_cases(service, connection, answer);
  } else if (post && strcmp(url, "/reta/servicios/denuncias") == 0) {
    give_denuncias(service, request, answer);
  } else if (post && strcmp(url, "/pide/Rest/MIMP/Consultar") == 0) {
    give_assistances(service, request, answer);
  } else {
    fail(answer, MHD_HTTP_NOT_FOUND, "text/plain", "no such service\n");
  }
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **state) {
  (void)version;
  struct service *service = context;
  struct request *request = *state;
  if (request == NULL) {
    *state = calloc(1, sizeof *request);
    return *state == NULL ? MHD_NO : MHD_YES;
  }
  if (*size > 0) {
    return take(request, data, size);
  }
  struct answer answer = {0};
  pthread_mutex_lock(&service->lock);
  route(service, connection, url, method, request, &answer);
  pthread_mutex_unlock(&service->lock);
  if (answer.text == NULL) {
    return MHD_NO;
  }
  struct MHD_Response *response = MHD_create_response_from_buffer(answer.len, answer.text, MHD_RESPMEM_MUST_FREE);
  if (response == NULL) {
    free(answer.text);
    return MHD_NO;
  }
  MHD_add_response_header(response, "Content-Type", answer.type);
  enum MHD_Result queued = MHD_queue_response(connection, answer.status, response);
  MHD_destroy_response(response);
  return queued;
}

static void finish(void *context, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode how) {
  (void)context;
  (void)connection;
  (void)how;
  struct request *request = *state;
  if (request != NULL) {
    free(request->body);
    free(request);
  }
}

struct MHD_Daemon *serve_start(struct service *service, uint16_t *port) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  struct MHD_Daemon *daemon = MHD_start_daemon(
      MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, *port, NULL, NULL, handle, service, MHD_OPTION_SOCK_ADDR,
      &address, MHD_OPTION_NOTIFY_COMPLETED, finish, NULL, MHD_OPTION_CONNECTION_LIMIT, 32U, MHD_OPTION_END);
  if (daemon == NULL) {
    return NULL;
  }
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
  *port = info == NULL ? 0 : info->port;
  return daemon;
}

void serve_stop(struct MHD_Daemon *daemon) {
  MHD_stop_daemon(daemon);
}
