/* A scripted SMTP server on 127.0.0.1 and a free port, in a thread of the test program, one connection at a time. What
 * it saw belongs to it until it is stopped. Any failure of its own ends the test program. */
#ifndef PUENTE_TESTS_SUPPORT_SMTP_SERVER_H
#define PUENTE_TESTS_SUPPORT_SMTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

enum smtp_tls { SMTP_PLAIN, SMTP_STARTTLS, SMTP_TLS };

struct smtp_script {
  /* Replies without line end; NULL: the good one. */
  const char *greeting, *login, *mail, *recipient, *message;
  const char *refused; /* a recipient whose address holds it gets 550 */
  int times;           /* `recipient` holds for so many of them, then 250; 0: for all */
  bool login_offered;
  bool hangs; /* takes the connection and says nothing */
};
struct smtp_server_options {
  enum smtp_tls tls;
  const char *certificate, *key; /* PEM files */
};
struct smtp_seen {
  char from[256], to[256], login[512]; /* as sent; login: what followed AUTH PLAIN */
  bool encrypted;
  char *data; /* the message as it came, lines with CR LF, dots unstuffed */
};

struct smtp_server;
struct smtp_server *smtp_server_start(const struct smtp_server_options *options); /* NULL: plain */
void smtp_server_stop(struct smtp_server *server);                                /* NULL allowed */
int smtp_server_port(const struct smtp_server *server);
/* Borrowed. Forgets what was seen. */
void smtp_server_script(struct smtp_server *server, const struct smtp_script *script);
size_t smtp_server_messages(struct smtp_server *server);
size_t smtp_server_connections(struct smtp_server *server);
const struct smtp_seen *smtp_server_seen(struct smtp_server *server, size_t number);

#endif
