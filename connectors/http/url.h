/* Addresses: taken apart and built by libcurl's own parser, so that what is checked is what is asked. */
#ifndef PUENTE_CONNECTORS_HTTP_URL_H
#define PUENTE_CONNECTORS_HTTP_URL_H

#include "core/base/buffer.h"

#define URL_SHOWN_SIZE 256

/* Scheme, host, port and path, for messages: no user, no query, no fragment. "" where it cannot be read. */
void url_show(const char *url, char shown[URL_SHOWN_SIZE]);
/* The same scheme, host and port. */
bool url_same_origin(const char *one, const char *other);
/* Host (without brackets) and port, as numbers or names; false where it cannot be read. */
bool url_host(const char *url, char host[256], char port[8]);
/* Whether a host, without brackets, is this machine by its very name: "localhost", 127.0.0.0/8, ::1. */
bool url_host_is_local(const char *host);
struct url_parts {
  char scheme[16], host[256], port[8]; /* host without brackets */
  bool holds_user;                     /* a user or a password */
};
bool url_split(const char *url, struct url_parts *parts); /* false where it is no address */
/* `reference`, absolute or relative to `base`, into `out`. ERR_INPUT where it is no address. */
enum status url_resolve(const char *base, const char *reference, struct buffer *out, struct error *error) MUST_CHECK;
/* Path and query alone, to be resolved against the base again. */
enum status url_path_query(const char *url, struct buffer *out, struct error *error) MUST_CHECK;
/* Sets the query parameter of that name, encoded, in place of any that is there; value NULL: only removes it. */
enum status url_set_parameter(struct buffer *url, const char *name, const char *value, struct error *error) MUST_CHECK;
/* The target of rel="next" in a `Link` header (RFC 8288): a run within `header`, empty where there is none. */
struct slice link_next(struct slice header);

#endif
