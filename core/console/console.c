#include "core/console/console.h"

#include "core/base/date.h"
#include "core/console/metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONNECTIONS_MOST = 32, IDLE_SECONDS = 10, METRICS_LIMIT = 16 << 20, WORDS_SIZE = 512 };
#define SHOWN_EVERY INT64_C(600000000) /* longest silence of the daemon, microseconds */

static const char plain[] = "text/plain; charset=utf-8";

struct console {
  struct MHD_Daemon *daemon;
  int port;
  struct run_tally tally; /* of the thread that shows */
  pthread_mutex_t lock;   /* over what follows */
  char *metrics;          /* of the last snapshot; NULL: none yet */
  bool ready;
  char words[WORDS_SIZE]; /* why it is not ready */
  int64_t shown_at;       /* clock_monotonic */
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type, const char *allow,
                              const char *text, size_t length) {
  const union {
    const char *text;
    void *copied; /* the library asks for it without const, and only reads it */
  } body = {.text = text};
  struct MHD_Response *response = MHD_create_response_from_buffer(length, body.copied, MHD_RESPMEM_MUST_COPY);
  if (response == NULL) {
    return MHD_NO;
  }
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  if (allow != NULL) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
  }
  enum MHD_Result result = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result answer_line(struct MHD_Connection *connection, unsigned status, const char *line) {
  char text[WORDS_SIZE + 2];
  int length = snprintf(text, sizeof text, "%s\n", line);
  return answer(connection, status, plain, NULL, text, (size_t)length);
}

static enum MHD_Result answer_health(struct console *console, struct MHD_Connection *connection) {
  pthread_mutex_lock(&console->lock);
  bool silent = clock_monotonic() - console->shown_at > SHOWN_EVERY;
  pthread_mutex_unlock(&console->lock);
  return silent ? answer_line(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "no sign of the daemon for ten minutes")
                : answer_line(connection, MHD_HTTP_OK, "ok");
}

static enum MHD_Result answer_ready(struct console *console, struct MHD_Connection *connection) {
  char words[WORDS_SIZE];
  pthread_mutex_lock(&console->lock);
  bool ready = console->ready;
  memcpy(words, console->words, sizeof words);
  pthread_mutex_unlock(&console->lock);
  return answer_line(connection, ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, ready ? "ready" : words);
}

static enum MHD_Result answer_metrics(struct console *console, struct MHD_Connection *connection) {
  struct buffer text;
  buffer_init(&text, METRICS_LIMIT);
  pthread_mutex_lock(&console->lock);
  buffer_text(&text, console->metrics != NULL ? console->metrics : "");
  pthread_mutex_unlock(&console->lock);
  metrics_put_process(&text);
  enum MHD_Result result =
      text.failed != OK
          ? answer_line(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory")
          : answer(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", NULL, text.data, text.len);
  buffer_free(&text);
  return result;
}

static const struct page_row {
  const char *path;
  enum MHD_Result (*answer)(struct console *console, struct MHD_Connection *connection);
} pages[] = {{"/healthz", answer_health}, {"/readyz", answer_ready}, {"/metrics", answer_metrics}};

/* A body, which no page takes, is let pass unread before the answer. */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **request) {
  static char begun;
  (void)version, (void)upload;
  if (*request == NULL) {
    *request = &begun;
    return MHD_YES;
  }
  if (*upload_size > 0) {
    *upload_size = 0;
    return MHD_YES;
  }
  for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
    if (strcmp(url, pages[i].path) == 0) {
      bool reads = strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
      static const char refused[] = "GET or HEAD\n";
      return reads ? pages[i].answer(context, connection)
                   : answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, plain, "GET, HEAD", refused, sizeof refused - 1);
    }
  }
  return answer_line(connection, MHD_HTTP_NOT_FOUND, "/healthz, /readyz or /metrics");
}

/* ---- start and end ---- */

union address {
  struct sockaddr any;
  struct sockaddr_in four;
  struct sockaddr_in6 six;
};

static bool read_address(const char *text, int port, union address *address) {
  memset(address, 0, sizeof *address);
  if (strcmp(text, "localhost") == 0 || inet_pton(AF_INET, text, &address->four.sin_addr) == 1) {
    if (strcmp(text, "localhost") == 0) {
      address->four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    address->four.sin_family = AF_INET;
    address->four.sin_port = htons((uint16_t)port);
    return ntohl(address->four.sin_addr.s_addr) >> 24 == 127;
  }
  address->six.sin6_family = AF_INET6;
  address->six.sin6_port = htons((uint16_t)port);
  return inet_pton(AF_INET6, text, &address->six.sin6_addr) == 1 && IN6_IS_ADDR_LOOPBACK(&address->six.sin6_addr);
}

static enum status refuse_address(const char *address, struct error *error) {
  error_set(error, ERR_CONFIG, _("the status page may listen on this machine alone, not on %s"), address);
  error_hint(error, "%s", _("use 127.0.0.1; who must read it from elsewhere puts a web server with a login before it"));
  return ERR_CONFIG;
}

static enum status refuse_port(const char *address, int port, int cause, struct error *error) {
  error_set(error, cause == EADDRINUSE ? ERR_BUSY : ERR_IO, _("the status page cannot listen on %s port %d: %s"),
            address, port, strerror(cause));
  error_hint(error, "%s", _("another program may use the port: choose another one under `serve:` of puente.yaml"));
  return error->code;
}

enum status console_start(const char *address, int port, struct console **console, struct error *error) {
  union address where;
  *console = NULL;
  if (!read_address(address, port, &where)) {
    return refuse_address(address, error);
  }
  struct console *made = calloc(1, sizeof *made);
  if (made == NULL) {
    return error_memory(error);
  }
  pthread_mutex_init(&made->lock, NULL);
  made->shown_at = clock_monotonic();
  snprintf(made->words, sizeof made->words, "%s", _("starting"));
  unsigned flags =
      MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO | (where.any.sa_family == AF_INET6 ? MHD_USE_IPv6 : 0);
  errno = 0;
  made->daemon =
      MHD_start_daemon(flags, (uint16_t)port, NULL, NULL, handle, made, MHD_OPTION_SOCK_ADDR, &where.any,
                       MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MOST, MHD_OPTION_CONNECTION_TIMEOUT,
                       (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384, MHD_OPTION_END);
  if (made->daemon == NULL) {
    int cause = errno != 0 ? errno : EADDRINUSE;
    console_stop(made);
    return refuse_port(address, port, cause, error);
  }
  made->port = MHD_get_daemon_info(made->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
  *console = made;
  return OK;
}

void console_stop(struct console *console) {
  if (console == NULL) {
    return;
  }
  if (console->daemon != NULL) {
    MHD_stop_daemon(console->daemon);
  }
  run_tally_free(&console->tally);
  pthread_mutex_destroy(&console->lock);
  free(console->metrics);
  free(console);
}

int console_port(const struct console *console) {
  return console->port;
}

/* ---- what is shown ---- */

enum status console_show(struct console *console, const struct workspace *workspace, const struct overview *overview,
                         bool ready, const char *words, struct error *error) {
  struct buffer text;
  enum status status = OK;
  buffer_init(&text, METRICS_LIMIT);
  if (overview != NULL) {
    status = run_tally_read(&console->tally, workspace, error);
    if (status == OK) {
      metrics_put(&text, workspace, overview, &console->tally, ready);
      status = buffer_check(&text, "metrics", error);
    }
  }
  pthread_mutex_lock(&console->lock);
  if (status == OK && overview != NULL) {
    char *former = console->metrics;
    console->metrics = text.data;
    text.data = former;
  }
  console->ready = ready && overview != NULL && status == OK;
  snprintf(console->words, sizeof console->words, "%s", words != NULL ? words : status != OK ? error->message : "");
  console->shown_at = clock_monotonic();
  pthread_mutex_unlock(&console->lock);
  buffer_free(&text);
  return status;
}
