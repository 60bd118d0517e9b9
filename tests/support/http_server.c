#include "tests/support/http_server.h"

#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <zlib.h>

enum { SEEN_MOST = 256, BODY_MOST = 1 << 20 };

struct http_server {
  struct MHD_Daemon *daemon;
  char *certificate, *key, *client_ca;
  pthread_mutex_t lock;
  atomic_bool stopping;
  const struct http_answer *answers;
  size_t answer_count;
  bool used[64];
  struct http_seen seen[SEEN_MOST];
  size_t seen_count;
  atomic_size_t script; /* counts scripts: an answer of a former one is not waited for, and not read any more */
};

/* A body that is made while it is sent. */
struct sending {
  struct http_server *server;
  struct http_answer answer;
  size_t length;
  size_t script; /* it belongs to */
};

static void require(bool good, const char *what) {
  if (!good) {
    fprintf(stderr, "http server of the tests: %s\n", what);
    abort();
  }
}

static char *read_whole(const char *path) {
  if (path == NULL) {
    return NULL;
  }
  FILE *file = fopen(path, "r");
  char *text = calloc(1, 65536);
  require(file != NULL && text != NULL, path);
  require(fread(text, 1, 65535, file) > 0, path);
  fclose(file);
  return text;
}

static bool is_over(const struct http_server *server, size_t script) {
  return atomic_load(&server->stopping) || atomic_load(&server->script) != script;
}

static void pause_ms(const struct http_server *server, int milliseconds, size_t script) {
  for (int passed = 0; passed < milliseconds && !is_over(server, script); passed += 5) {
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
  }
}

/* ---- sending ---- */

static ssize_t make_body(void *context, uint64_t position, char *buffer, size_t most) {
  struct sending *sending = context;
  enum http_fault fault = sending->answer.fault;
  size_t left = sending->length - (size_t)position;
  if (fault == FAULT_LARGE || fault == FAULT_UNSIZED) {
    if (left == 0) {
      return MHD_CONTENT_READER_END_OF_STREAM;
    }
    size_t size = left < most ? left : most;
    memset(buffer, ' ', size);
    return (ssize_t)size;
  }
  size_t half = sending->length / 2;
  if (position >= half) {
    if (fault == FAULT_STALL) {
      pause_ms(sending->server, 20000, sending->script);
    }
    return MHD_CONTENT_READER_END_WITH_ERROR;
  }
  if (is_over(sending->server, sending->script)) {
    return MHD_CONTENT_READER_END_WITH_ERROR;
  }
  size_t size = half - (size_t)position < most ? half - (size_t)position : most;
  memcpy(buffer, sending->answer.body + position, size);
  return (ssize_t)size;
}

static struct MHD_Response *make_bomb(size_t size) {
  static unsigned char blanks[65536];
  memset(blanks, ' ', sizeof blanks);
  size_t room = size / 500 + 65536;
  unsigned char *packed = malloc(room);
  z_stream stream = {.next_out = packed, .avail_out = (uInt)room};
  require(packed != NULL && deflateInit2(&stream, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY) == Z_OK, "zlib");
  for (size_t done = 0; done < size; done += sizeof blanks) {
    stream.next_in = blanks;
    stream.avail_in = sizeof blanks;
    require(deflate(&stream, Z_NO_FLUSH) == Z_OK, "zlib");
  }
  require(deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib");
  struct MHD_Response *response =
      MHD_create_response_from_buffer(room - stream.avail_out, packed, MHD_RESPMEM_MUST_FREE);
  deflateEnd(&stream);
  MHD_add_response_header(response, "Content-Encoding", "gzip");
  return response;
}

static struct MHD_Response *make_response(struct http_server *server, const struct http_answer *answer, size_t script) {
  const char *body = answer->body != NULL ? answer->body : "";
  size_t length = answer->length > 0 ? answer->length : strlen(body);
  if (answer->fault == FAULT_BOMB) {
    return make_bomb(answer->size);
  }
  if (answer->fault == FAULT_NONE) {
    char *text = malloc(length + 1);
    require(text != NULL, "memory");
    memcpy(text, body, length);
    return MHD_create_response_from_buffer(length, text, MHD_RESPMEM_MUST_FREE);
  }
  bool large = answer->fault == FAULT_LARGE || answer->fault == FAULT_UNSIZED;
  struct sending *sending = calloc(1, sizeof *sending);
  require(sending != NULL, "memory");
  *sending =
      (struct sending){.server = server, .answer = *answer, .length = large ? answer->size : length, .script = script};
  uint64_t told = answer->fault == FAULT_UNSIZED ? MHD_SIZE_UNKNOWN : sending->length;
  return MHD_create_response_from_callback(told, 65536, make_body, sending, free);
}

static enum MHD_Result refuse(struct MHD_Connection *connection, enum http_fault fault) {
  if (fault == FAULT_RESET) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    require(connect(info->connect_fd, &nobody, sizeof nobody) == 0, "reset"); /* Linux: sends RST */
  }
  return MHD_NO;
}

static enum MHD_Result send_answer(struct http_server *server, struct MHD_Connection *connection,
                                   const struct http_answer *answer, size_t script) {
  pause_ms(server, answer->delay, script);
  if (answer->delay > 0 && is_over(server, script)) {
    return MHD_NO;
  }
  if (answer->fault == FAULT_CLOSE || answer->fault == FAULT_RESET) {
    return refuse(connection, answer->fault);
  }
  struct MHD_Response *response = make_response(server, answer, script);
  require(response != NULL, "no response");
  for (size_t i = 0; i < 6 && answer->headers[i] != NULL; i++) {
    char name[128];
    const char *colon = strchr(answer->headers[i], ':');
    require(colon != NULL, "a header without colon");
    snprintf(name, sizeof name, "%.*s", (int)(colon - answer->headers[i]), answer->headers[i]);
    MHD_add_response_header(response, name, colon + 2);
  }
  enum MHD_Result result =
      MHD_queue_response(connection, (unsigned)(answer->status != 0 ? answer->status : 200), response);
  MHD_destroy_response(response);
  return result;
}

/* ---- receiving ---- */

static bool fits(const struct http_answer *answer, const char *target) {
  size_t length = answer->path == NULL ? 0 : strlen(answer->path);
  bool whole = length > 0 && answer->path[length - 1] == '$';
  length -= whole;
  return length == 0 || (strncmp(target, answer->path, length) == 0 && (!whole || target[length] == '\0'));
}

static const struct http_answer *choose(struct http_server *server, const char *target) {
  const struct http_answer *last = NULL;
  for (size_t i = 0; i < server->answer_count; i++) {
    const struct http_answer *answer = &server->answers[i];
    if (!fits(answer, target)) {
      continue;
    }
    if (last == NULL || answer->path == NULL || last->path == NULL || strlen(answer->path) >= strlen(last->path)) {
      last = answer;
    }
    if (!server->used[i]) {
      server->used[i] = true;
      return answer;
    }
  }
  return last;
}

static enum MHD_Result take_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value) {
  struct http_seen *seen = context;
  (void)kind;
  size_t length = strlen(seen->headers);
  snprintf(seen->headers + length, sizeof seen->headers - length, "%s: %s\n", name, value != NULL ? value : "");
  return MHD_YES;
}

static bool shows_certificate(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  unsigned count = 0, faults = 1;
  return info != NULL && gnutls_certificate_get_peers(info->tls_session, &count) != NULL && count > 0
         && gnutls_certificate_verify_peers2(info->tls_session, &faults) == GNUTLS_E_SUCCESS && faults == 0;
}

/* The target as sent, before the server's own decoding. */
static void *note_target(void *context, const char *uri, struct MHD_Connection *connection) {
  (void)context, (void)connection;
  struct http_seen *seen = calloc(1, sizeof *seen);
  require(seen != NULL, "memory");
  snprintf(seen->target, sizeof seen->target, "%s", uri);
  return seen;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **request) {
  struct http_server *server = context;
  struct http_seen *seen = *request;
  (void)url, (void)version;
  if (seen->method[0] == '\0') {
    snprintf(seen->method, sizeof seen->method, "%s", method);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, seen);
    return MHD_YES;
  }
  if (*upload_size > 0) {
    require(seen->length + *upload_size < BODY_MOST, "a large request");
    seen->body = realloc(seen->body, seen->length + *upload_size + 1);
    require(seen->body != NULL, "memory");
    memcpy(seen->body + seen->length, upload, *upload_size);
    seen->length += *upload_size;
    seen->body[seen->length] = '\0';
    *upload_size = 0;
    return MHD_YES;
  }
  if (server->client_ca != NULL && !shows_certificate(connection)) {
    return refuse(connection, FAULT_CLOSE);
  }
  pthread_mutex_lock(&server->lock);
  require(server->seen_count < SEEN_MOST, "too many requests");
  server->seen[server->seen_count++] = *seen;
  const struct http_answer *chosen = choose(server, seen->target);
  require(chosen != NULL, "no answer is scripted for a request");
  struct http_answer answer = *chosen;
  size_t script = atomic_load(&server->script);
  pthread_mutex_unlock(&server->lock);
  seen->body = NULL;
  return send_answer(server, connection, &answer, script);
}

static void forget(void *context, struct MHD_Connection *connection, void **request,
                   enum MHD_RequestTerminationCode code) {
  (void)context, (void)connection, (void)code;
  struct http_seen *seen = *request;
  if (seen != NULL) {
    free(seen->body);
    free(seen);
  }
}

static void clear(struct http_server *server) {
  for (size_t i = 0; i < server->seen_count; i++) {
    free(server->seen[i].body);
  }
  memset(server->seen, 0, sizeof server->seen);
  memset(server->used, 0, sizeof server->used);
  server->seen_count = 0;
}

struct http_server *http_server_start(const struct http_server_options *options) {
  const struct http_server_options plain = {0};
  options = options != NULL ? options : &plain;
  struct http_server *server = calloc(1, sizeof *server);
  require(server != NULL, "memory");
  pthread_mutex_init(&server->lock, NULL);
  server->certificate = read_whole(options->certificate);
  server->key = read_whole(options->key);
  server->client_ca = read_whole(options->client_ca);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_SUPPRESS_DATE_NO_CLOCK
                   | (options->certificate != NULL ? MHD_USE_TLS : 0);
  struct MHD_OptionItem tls[] = {
      {MHD_OPTION_HTTPS_MEM_CERT, 0, server->certificate},
      {MHD_OPTION_HTTPS_MEM_KEY, 0, server->key},
      {server->client_ca != NULL ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0, server->client_ca},
      {MHD_OPTION_END, 0, NULL}};
  struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
  server->daemon = MHD_start_daemon(flags, 0, NULL, NULL, handle, server, MHD_OPTION_SOCK_ADDR, &address,
                                    MHD_OPTION_URI_LOG_CALLBACK, note_target, server, MHD_OPTION_NOTIFY_COMPLETED,
                                    forget, server, MHD_OPTION_CONNECTION_TIMEOUT, 30U, MHD_OPTION_ARRAY,
                                    options->certificate != NULL ? tls : none, MHD_OPTION_END);
  require(server->daemon != NULL, "it does not start");
  return server;
}

void http_server_stop(struct http_server *server) {
  if (server == NULL) {
    return;
  }
  atomic_store(&server->stopping, true);
  MHD_stop_daemon(server->daemon);
  clear(server);
  free(server->certificate);
  free(server->key);
  free(server->client_ca);
  pthread_mutex_destroy(&server->lock);
  free(server);
}

int http_server_port(const struct http_server *server) {
  return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

void http_server_script(struct http_server *server, const struct http_answer *answers, size_t count) {
  pthread_mutex_lock(&server->lock);
  require(count <= sizeof server->used / sizeof server->used[0], "a long script");
  clear(server);
  atomic_fetch_add(&server->script, 1);
  server->answers = answers;
  server->answer_count = count;
  pthread_mutex_unlock(&server->lock);
}

size_t http_server_requests(struct http_server *server) {
  pthread_mutex_lock(&server->lock);
  size_t count = server->seen_count;
  pthread_mutex_unlock(&server->lock);
  return count;
}

const struct http_seen *http_server_seen(struct http_server *server, size_t number) {
  require(number < http_server_requests(server), "fewer requests were seen than asked for");
  return &server->seen[number];
}
