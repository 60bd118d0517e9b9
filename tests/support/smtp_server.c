#include "tests/support/smtp_server.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SEEN_MOST = 64, LINE_MOST = 4096, DATA_MOST = 1 << 20 };

struct smtp_server {
  int listener, port;
  enum smtp_tls tls;
  gnutls_certificate_credentials_t credentials;
  pthread_t thread;
  pthread_mutex_t lock;
  atomic_bool stopping;
  struct smtp_script script;
  int refused; /* recipients that got the script's reply */
  struct smtp_seen seen[SEEN_MOST];
  size_t seen_count, connections;
};

/* One connection. */
struct talk {
  struct smtp_server *server;
  int file;
  gnutls_session_t session; /* NULL: in clear */
  char read[LINE_MOST];
  size_t filled;
  struct smtp_script script;
  struct smtp_seen mail;
};

static void require(bool good, const char *what) {
  if (!good) {
    fprintf(stderr, "smtp server of the tests: %s\n", what);
    abort();
  }
}

static bool wait_for(const struct talk *talk) {
  struct pollfd input = {.fd = talk->file, .events = POLLIN};
  for (int waited = 0; waited < 10000 && !atomic_load(&talk->server->stopping); waited += 20) {
    if (poll(&input, 1, 20) > 0) {
      return true;
    }
  }
  return false;
}

static ssize_t receive(struct talk *talk, char *out, size_t most) {
  bool pending = talk->session != NULL && gnutls_record_check_pending(talk->session) > 0;
  if (!pending && !wait_for(talk)) {
    return -1;
  }
  return talk->session != NULL ? gnutls_record_recv(talk->session, out, most) : recv(talk->file, out, most, 0);
}

static bool say(struct talk *talk, const char *reply) {
  char line[LINE_MOST];
  size_t length = (size_t)snprintf(line, sizeof line, "%s\r\n", reply);
  ssize_t sent = talk->session != NULL ? gnutls_record_send(talk->session, line, length)
                                       : send(talk->file, line, length, MSG_NOSIGNAL);
  return sent == (ssize_t)length;
}

/* One line without its end. */
static bool hear(struct talk *talk, char line[LINE_MOST]) {
  for (;;) {
    char *end = memmem(talk->read, talk->filled, "\r\n", 2);
    if (end != NULL) {
      size_t length = (size_t)(end - talk->read);
      memcpy(line, talk->read, length);
      line[length] = '\0';
      talk->filled -= length + 2;
      memmove(talk->read, end + 2, talk->filled);
      return true;
    }
    require(talk->filled < sizeof talk->read - 1, "a long line");
    ssize_t got = receive(talk, talk->read + talk->filled, sizeof talk->read - 1 - talk->filled);
    if (got <= 0) {
      return false;
    }
    talk->filled += (size_t)got;
  }
}

static bool start_tls(struct talk *talk) {
  require(gnutls_init(&talk->session, GNUTLS_SERVER) == 0 && gnutls_set_default_priority(talk->session) == 0
              && gnutls_credentials_set(talk->session, GNUTLS_CRD_CERTIFICATE, talk->server->credentials) == 0,
          "tls");
  gnutls_transport_set_int(talk->session, talk->file);
  gnutls_handshake_set_timeout(talk->session, 5000);
  int code = 0;
  do {
    code = gnutls_handshake(talk->session);
  } while (code < 0 && gnutls_error_is_fatal(code) == 0);
  talk->mail.encrypted = code == 0;
  return code == 0;
}

static bool greet_client(struct talk *talk) {
  bool offers = talk->server->tls == SMTP_STARTTLS && talk->session == NULL;
  return say(talk, "250-tests") && (!offers || say(talk, "250-STARTTLS"))
         && (!talk->script.login_offered || say(talk, "250-AUTH PLAIN")) && say(talk, "250 8BITMIME");
}

static bool take_login(struct talk *talk, const char *line) {
  char more[LINE_MOST];
  if (strlen(line) <= 11) { /* "AUTH PLAIN" alone: the response follows */
    if (!say(talk, "334 ") || !hear(talk, more)) {
      return false;
    }
    line = more;
  } else {
    line += 11;
  }
  snprintf(talk->mail.login, sizeof talk->mail.login, "%.511s", line);
  return say(talk, talk->script.login != NULL ? talk->script.login : "235 welcome");
}

static bool take_recipient(struct talk *talk, const char *line) {
  struct smtp_server *server = talk->server;
  snprintf(talk->mail.to, sizeof talk->mail.to, "%.255s", line + 8);
  if (talk->script.refused != NULL && strstr(line, talk->script.refused) != NULL) {
    return say(talk, "550 no such mailbox");
  }
  bool scripted = talk->script.recipient != NULL && (talk->script.times == 0 || server->refused < talk->script.times);
  server->refused += scripted;
  return say(talk, scripted ? talk->script.recipient : "250 ok");
}

static bool take_message(struct talk *talk) {
  char line[LINE_MOST];
  size_t length = 0;
  char *data = calloc(1, DATA_MOST);
  require(data != NULL, "memory");
  bool good = say(talk, "354 go on");
  while (good && (good = hear(talk, line)) && strcmp(line, ".") != 0) {
    require(length + LINE_MOST < DATA_MOST, "a large message");
    length += (size_t)snprintf(data + length, DATA_MOST - length, "%s\r\n", line[0] == '.' ? line + 1 : line);
  }
  if (!good) {
    free(data);
    return false;
  }
  const char *reply = talk->script.message != NULL ? talk->script.message : "250 taken";
  pthread_mutex_lock(&talk->server->lock);
  require(talk->server->seen_count < SEEN_MOST, "too many messages");
  talk->mail.data = data;
  talk->server->seen[talk->server->seen_count++] = talk->mail;
  pthread_mutex_unlock(&talk->server->lock);
  return say(talk, reply);
}

static bool answer(struct talk *talk, const char *line) {
  if (strncasecmp(line, "EHLO", 4) == 0 || strncasecmp(line, "HELO", 4) == 0) {
    return greet_client(talk);
  }
  if (strcasecmp(line, "STARTTLS") == 0) {
    return say(talk, "220 go on") && start_tls(talk);
  }
  if (strncasecmp(line, "AUTH PLAIN", 10) == 0) {
    return take_login(talk, line);
  }
  if (strncasecmp(line, "MAIL FROM:", 10) == 0) {
    snprintf(talk->mail.from, sizeof talk->mail.from, "%.255s", line + 10);
    return say(talk, talk->script.mail != NULL ? talk->script.mail : "250 ok");
  }
  if (strncasecmp(line, "RCPT TO:", 8) == 0) {
    return take_recipient(talk, line);
  }
  if (strcasecmp(line, "DATA") == 0) {
    return take_message(talk);
  }
  if (strcasecmp(line, "QUIT") == 0) {
    say(talk, "221 bye");
    return false;
  }
  return say(talk, strcasecmp(line, "RSET") == 0 ? "250 ok" : "500 what");
}

static void converse(struct talk *talk) {
  char line[LINE_MOST];
  if (talk->script.hangs) {
    while (wait_for(talk) && recv(talk->file, line, sizeof line, 0) > 0) {
    }
    return;
  }
  bool good = talk->server->tls != SMTP_TLS || start_tls(talk);
  good = good && say(talk, talk->script.greeting != NULL ? talk->script.greeting : "220 tests");
  while (good && hear(talk, line)) {
    good = answer(talk, line);
  }
}

static void *serve(void *context) {
  struct smtp_server *server = context;
  struct pollfd input = {.fd = server->listener, .events = POLLIN};
  while (!atomic_load(&server->stopping)) {
    if (poll(&input, 1, 20) <= 0) {
      continue;
    }
    struct talk talk = {.server = server, .file = accept(server->listener, NULL, NULL)};
    if (talk.file < 0) {
      continue;
    }
    pthread_mutex_lock(&server->lock);
    talk.script = server->script;
    server->connections++;
    pthread_mutex_unlock(&server->lock);
    converse(&talk);
    if (talk.session != NULL) {
      gnutls_deinit(talk.session);
    }
    close(talk.file);
  }
  return NULL;
}

static void listen_somewhere(struct smtp_server *server) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(server->listener >= 0 && bind(server->listener, (struct sockaddr *)&address, size) == 0
              && listen(server->listener, 8) == 0
              && getsockname(server->listener, (struct sockaddr *)&address, &size) == 0,
          "it cannot listen");
  server->port = ntohs(address.sin_port);
}

struct smtp_server *smtp_server_start(const struct smtp_server_options *options) {
  const struct smtp_server_options plain = {.tls = SMTP_PLAIN};
  struct smtp_server *server = calloc(1, sizeof *server);
  require(server != NULL, "memory");
  options = options != NULL ? options : &plain;
  server->tls = options->tls;
  require(gnutls_certificate_allocate_credentials(&server->credentials) == 0, "tls");
  if (options->certificate != NULL) {
    require(gnutls_certificate_set_x509_key_file(server->credentials, options->certificate, options->key,
                                                 GNUTLS_X509_FMT_PEM)
                >= 0,
            "the certificate");
  }
  listen_somewhere(server);
  pthread_mutex_init(&server->lock, NULL);
  require(pthread_create(&server->thread, NULL, serve, server) == 0, "thread");
  return server;
}

static void clear(struct smtp_server *server) {
  for (size_t i = 0; i < server->seen_count; i++) {
    free(server->seen[i].data);
  }
  server->seen_count = 0;
  server->connections = 0;
  server->refused = 0;
}

void smtp_server_stop(struct smtp_server *server) {
  if (server == NULL) {
    return;
  }
  atomic_store(&server->stopping, true);
  pthread_join(server->thread, NULL);
  close(server->listener);
  clear(server);
  gnutls_certificate_free_credentials(server->credentials);
  pthread_mutex_destroy(&server->lock);
  free(server);
}

int smtp_server_port(const struct smtp_server *server) {
  return server->port;
}

void smtp_server_script(struct smtp_server *server, const struct smtp_script *script) {
  pthread_mutex_lock(&server->lock);
  clear(server);
  server->script = *script;
  pthread_mutex_unlock(&server->lock);
}

size_t smtp_server_messages(struct smtp_server *server) {
  pthread_mutex_lock(&server->lock);
  size_t count = server->seen_count;
  pthread_mutex_unlock(&server->lock);
  return count;
}

size_t smtp_server_connections(struct smtp_server *server) {
  pthread_mutex_lock(&server->lock);
  size_t count = server->connections;
  pthread_mutex_unlock(&server->lock);
  return count;
}

const struct smtp_seen *smtp_server_seen(struct smtp_server *server, size_t number) {
  require(number < smtp_server_messages(server), "fewer messages were seen than asked for");
  return &server->seen[number];
}
