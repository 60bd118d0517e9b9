#include "tests/support/stamp_server.h"

#include "tests/support/workspace.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASKED_MOST = 65536 };

struct stamp_server {
  struct MHD_Daemon *daemon;
  X509 *certificate;
  EVP_PKEY *key;
  atomic_int fault;
  long serial;
  unsigned char *first; /* its first answer */
  int first_len;
};

struct asked {
  char bytes[ASKED_MOST];
  size_t len;
};

static void need(int good, const char *what) {
  if (!good) {
    fprintf(stderr, "stamp server: %s\n", what);
    exit(1);
  }
}

static ASN1_INTEGER *next_serial(struct TS_resp_ctx *context, void *data) {
  struct stamp_server *server = data;
  ASN1_INTEGER *serial = ASN1_INTEGER_new();
  (void)context;
  need(serial != NULL && ASN1_INTEGER_set(serial, ++server->serial) == 1, "serial");
  return serial;
}

static int stamp(struct stamp_server *server, const struct asked *asked, unsigned char **der) {
  TS_RESP_CTX *context = TS_RESP_CTX_new();
  ASN1_OBJECT *policy = OBJ_txt2obj("1.2.3.4.1", 1);
  need(context != NULL && policy != NULL, "memory");
  need(TS_RESP_CTX_set_signer_cert(context, server->certificate) == 1, "certificate");
  need(TS_RESP_CTX_set_signer_key(context, server->key) == 1, "key");
  need(TS_RESP_CTX_set_def_policy(context, policy) == 1, "policy");
  need(TS_RESP_CTX_set_signer_digest(context, EVP_sha256()) == 1, "signer's digest");
  if (atomic_load(&server->fault) != STAMP_REJECTS) { /* else no digest is accepted */
    need(TS_RESP_CTX_add_md(context, EVP_sha256()) == 1, "digest");
  } else {
    need(TS_RESP_CTX_add_md(context, EVP_sha512()) == 1, "digest");
  }
  TS_RESP_CTX_set_serial_cb(context, next_serial, server);
  BIO *in = BIO_new_mem_buf(asked->bytes, (int)asked->len);
  TS_RESP *answer = TS_RESP_create_response(context, in);
  need(answer != NULL, "no answer");
  int len = i2d_TS_RESP(answer, der);
  TS_RESP_free(answer);
  BIO_free(in);
  ASN1_OBJECT_free(policy);
  TS_RESP_CTX_free(context);
  return len;
}

static enum MHD_Result send_bytes(struct MHD_Connection *connection, unsigned status, const void *bytes, size_t len) {
  char *copy = malloc(len + 1);
  need(copy != NULL, "memory");
  memcpy(copy, bytes, len);
  struct MHD_Response *response = MHD_create_response_from_buffer(len, copy, MHD_RESPMEM_MUST_FREE);
  MHD_add_response_header(response, "Content-Type", "application/timestamp-reply");
  enum MHD_Result result = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result answer(struct stamp_server *server, struct MHD_Connection *connection,
                              const struct asked *asked) {
  int fault = atomic_load(&server->fault);
  if (fault == STAMP_BROKEN || fault == STAMP_NONSENSE) {
    return send_bytes(connection, fault == STAMP_BROKEN ? 500 : 200, "sorry", 5);
  }
  if (fault == STAMP_REPLAYS) {
    return send_bytes(connection, 200, server->first, (size_t)server->first_len);
  }
  unsigned char *der = NULL;
  int len = stamp(server, asked, &der);
  need(len > 0, "encoding");
  if (server->first == NULL) {
    server->first = malloc((size_t)len);
    need(server->first != NULL, "memory");
    memcpy(server->first, der, (size_t)len);
    server->first_len = len;
  }
  enum MHD_Result result = send_bytes(connection, 200, der, (size_t)len);
  OPENSSL_free(der);
  return result;
}

static enum MHD_Result take(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                            const char *version, const char *data, size_t *size, void **state) {
  struct asked *asked = *state;
  (void)url, (void)version;
  if (asked == NULL) {
    need(strcmp(method, "POST") == 0, "not a POST");
    *state = calloc(1, sizeof *asked);
    return *state != NULL ? MHD_YES : MHD_NO;
  }
  if (*size > 0) {
    need(asked->len + *size <= ASKED_MOST, "too long");
    memcpy(asked->bytes + asked->len, data, *size);
    asked->len += *size;
    *size = 0;
    return MHD_YES;
  }
  return answer(context, connection, asked);
}

static void forget(void *context, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code) {
  (void)context, (void)connection, (void)code;
  free(*state);
  *state = NULL;
}

static void make_certificates(const char *folder) {
  shell(
      "cd %s && printf '[v]\\nbasicConstraints=critical,CA:true\\nkeyUsage=critical,keyCertSign\\n[t]\\n"
      "extendedKeyUsage=critical,timeStamping\\nkeyUsage=critical,digitalSignature\\n' >tsa.cnf && "
      "for ca in tsa_ca plain_ca; do openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 "
      "-keyout $ca.key -out $ca.pem -subj /CN=$ca -addext keyUsage=critical,keyCertSign 2>/dev/null || exit 1; done && "
      "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tsa.key -out tsa.csr "
      "-subj /CN=tsa 2>/dev/null && openssl x509 -req -in tsa.csr -CA tsa_ca.pem -CAkey tsa_ca.key -days 9 "
      "-extfile tsa.cnf -extensions t -out tsa.pem 2>/dev/null",
      folder);
}

struct stamp_server *stamp_server_start(const char *folder) {
  struct stamp_server *server = calloc(1, sizeof *server);
  char path[512];
  need(server != NULL, "memory");
  make_certificates(folder);
  snprintf(path, sizeof path, "%s/tsa.pem", folder);
  FILE *file = fopen(path, "r");
  need(file != NULL && (server->certificate = PEM_read_X509(file, NULL, NULL, NULL)) != NULL, path);
  fclose(file);
  snprintf(path, sizeof path, "%s/tsa.key", folder);
  file = fopen(path, "r");
  need(file != NULL && (server->key = PEM_read_PrivateKey(file, NULL, NULL, NULL)) != NULL, path);
  fclose(file);
  const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  server->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, take, server, MHD_OPTION_SOCK_ADDR,
                                    &address, MHD_OPTION_NOTIFY_COMPLETED, forget, NULL, MHD_OPTION_END);
  need(server->daemon != NULL, "cannot listen");
  return server;
}

void stamp_server_stop(struct stamp_server *server) {
  if (server != NULL) {
    MHD_stop_daemon(server->daemon);
    X509_free(server->certificate);
    EVP_PKEY_free(server->key);
    free(server->first);
    free(server);
  }
}

int stamp_server_port(const struct stamp_server *server) {
  return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

void stamp_server_fault(struct stamp_server *server, enum stamp_fault fault) {
  atomic_store(&server->fault, (int)fault);
}
