#include "connectors/http/url.h"
#include "connectors/http/http_private.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static CURLU *parse(const char *url) {
  CURLU *parsed = url == NULL ? NULL : curl_url();
  if (parsed != NULL && curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK) {
    curl_url_cleanup(parsed);
    parsed = NULL;
  }
  return parsed;
}

static bool part(CURLU *url, CURLUPart which, unsigned flags, char *text, size_t size) {
  char *got = NULL;
  bool fits = false;
  if (curl_url_get(url, which, &got, flags) == CURLUE_OK && strlen(got) < size) {
    memcpy(text, got, strlen(got) + 1);
    fits = true;
  }
  curl_free(got);
  return fits;
}

void url_show(const char *url, char shown[URL_SHOWN_SIZE]) {
  shown[0] = '\0';
  CURLU *parsed = parse(url);
  if (parsed == NULL) {
    return;
  }
  curl_url_set(parsed, CURLUPART_USER, NULL, 0);
  curl_url_set(parsed, CURLUPART_PASSWORD, NULL, 0);
  curl_url_set(parsed, CURLUPART_QUERY, NULL, 0);
  curl_url_set(parsed, CURLUPART_FRAGMENT, NULL, 0);
  part(parsed, CURLUPART_URL, 0, shown, URL_SHOWN_SIZE);
  curl_url_cleanup(parsed);
}

bool url_host(const char *url, char host[256], char port[8]) {
  CURLU *parsed = parse(url);
  if (parsed == NULL) {
    return false;
  }
  bool found = part(parsed, CURLUPART_HOST, 0, host, 256) && part(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, 8);
  curl_url_cleanup(parsed);
  size_t length = found ? strlen(host) : 0;
  if (length > 2 && host[0] == '[') {
    memmove(host, host + 1, length - 2);
    host[length - 2] = '\0';
  }
  return found;
}

bool url_same_origin(const char *one, const char *other) {
  char hosts[2][256], ports[2][8], schemes[2][16];
  const char *urls[] = {one, other};
  for (int i = 0; i < 2; i++) {
    CURLU *parsed = parse(urls[i]);
    bool good = parsed != NULL && part(parsed, CURLUPART_SCHEME, 0, schemes[i], sizeof schemes[i]);
    curl_url_cleanup(parsed);
    if (!good || !url_host(urls[i], hosts[i], ports[i])) {
      return false;
    }
  }
  return strcasecmp(hosts[0], hosts[1]) == 0 && strcmp(ports[0], ports[1]) == 0
         && strcasecmp(schemes[0], schemes[1]) == 0;
}

enum status url_resolve(const char *base, const char *reference, struct buffer *out, struct error *error) {
  CURLU *parsed = parse(base);
  char *whole = NULL;
  enum status status = OK;
  /* On a parsed URL, setting a relative one resolves it. */
  if (parsed == NULL || curl_url_set(parsed, CURLUPART_URL, reference, 0) != CURLUE_OK
      || curl_url_get(parsed, CURLUPART_URL, &whole, 0) != CURLUE_OK) {
    status = error_set(error, ERR_INPUT, "%s", _("the link to the next page is no address"));
  } else {
    buffer_reset(out);
    buffer_text(out, whole);
    status = buffer_check(out, "url", error);
  }
  curl_free(whole);
  curl_url_cleanup(parsed);
  return status;
}

enum status url_path_query(const char *url, struct buffer *out, struct error *error) {
  CURLU *parsed = parse(url);
  char *path = NULL, *query = NULL;
  buffer_reset(out);
  if (parsed != NULL && curl_url_get(parsed, CURLUPART_PATH, &path, 0) == CURLUE_OK) {
    buffer_text(out, path);
    if (curl_url_get(parsed, CURLUPART_QUERY, &query, 0) == CURLUE_OK) {
      buffer_text(out, "?");
      buffer_text(out, query);
    }
  }
  curl_free(path);
  curl_free(query);
  curl_url_cleanup(parsed);
  return buffer_check(out, "url", error);
}

/* Copies a query without the parameters of that name. */
static void copy_query(const char *query, const char *name, struct buffer *out) {
  size_t length = strlen(name);
  for (const char *at = query; at != NULL && *at != '\0';) {
    const char *end = strchr(at, '&');
    size_t size = end != NULL ? (size_t)(end - at) : strlen(at);
    bool same = size >= length && memcmp(at, name, length) == 0 && (size == length || at[length] == '=');
    if (!same && size > 0) {
      if (out->len > 0) {
        buffer_char(out, '&');
      }
      buffer_append(out, at, size);
    }
    at = end != NULL ? end + 1 : NULL;
  }
}

static bool append_parameter(struct buffer *query, const char *name, const char *value) {
  char *safe_name = curl_easy_escape(NULL, name, 0);
  char *safe_value = curl_easy_escape(NULL, value, (int)strlen(value));
  if (safe_name != NULL && safe_value != NULL) {
    buffer_printf(query, "%s%s=%s", query->len > 0 ? "&" : "", safe_name, safe_value);
  }
  bool done = safe_name != NULL && safe_value != NULL && query->failed == OK;
  curl_free(safe_name);
  curl_free(safe_value);
  return done;
}

enum status url_set_parameter(struct buffer *url, const char *name, const char *value, struct error *error) {
  CURLU *parsed = parse(url->data);
  char *query = NULL, *whole = NULL;
  struct buffer made;
  buffer_init(&made, URL_LENGTH_MOST);
  enum status status = OK;
  if (parsed == NULL) {
    status = error_set(error, ERR_CONFIG, "%s", _("`url` is no address"));
  } else {
    if (curl_url_get(parsed, CURLUPART_QUERY, &query, 0) == CURLUE_OK) {
      copy_query(query, name, &made);
    }
    bool good = value == NULL || append_parameter(&made, name, value);
    if (!good || curl_url_set(parsed, CURLUPART_QUERY, made.len > 0 ? made.data : NULL, 0) != CURLUE_OK
        || curl_url_get(parsed, CURLUPART_URL, &whole, 0) != CURLUE_OK) {
      status = made.failed == ERR_LIMIT ? error_set(error, ERR_LIMIT, "%s", _("the request's address is too long"))
                                        : error_memory(error);
    } else {
      buffer_reset(url);
      buffer_text(url, whole);
      status = buffer_check(url, "url", error);
    }
  }
  buffer_free(&made);
  curl_free(query);
  curl_free(whole);
  curl_url_cleanup(parsed);
  return status;
}

/* The value of `rel` among the parameters of one link, without quotes; empty where there is none. */
static struct slice relations(struct slice parameters) {
  for (size_t i = 0; i + 4 <= parameters.len; i++) {
    bool starts = i == 0 || parameters.data[i - 1] == ';' || parameters.data[i - 1] == ' ';
    if (!starts || strncasecmp(parameters.data + i, "rel=", 4) != 0) {
      continue;
    }
    const char *value = parameters.data + i + 4;
    size_t left = parameters.len - i - 4;
    bool quoted = left > 0 && *value == '"';
    value += quoted;
    left -= quoted;
    const char *end = memchr(value, quoted ? '"' : ';', left);
    return slice_trim(slice_make(value, end != NULL ? (size_t)(end - value) : left));
  }
  return slice_none();
}

/* One link may have several relations, parted by blanks. */
static bool is_next(struct slice parameters) {
  struct slice left = relations(parameters);
  while (left.len > 0) {
    const char *blank = memchr(left.data, ' ', left.len);
    size_t size = blank != NULL ? (size_t)(blank - left.data) : left.len;
    if (size == 4 && strncasecmp(left.data, "next", 4) == 0) {
      return true;
    }
    size += blank != NULL;
    left = slice_make(left.data + size, left.len - size);
  }
  return false;
}

struct slice link_next(struct slice header) {
  size_t at = 0;
  while (at < header.len) {
    const char *open = memchr(header.data + at, '<', header.len - at);
    if (open == NULL) {
      break;
    }
    size_t start = (size_t)(open - header.data) + 1;
    const char *close = memchr(header.data + start, '>', header.len - start);
    if (close == NULL) {
      break;
    }
    size_t end = (size_t)(close - header.data);
    size_t stop = end + 1;
    bool quoted = false;
    while (stop < header.len && (quoted || header.data[stop] != ',')) {
      quoted ^= header.data[stop] == '"';
      stop++;
    }
    if (is_next(slice_make(header.data + end + 1, stop - end - 1))) {
      return slice_make(header.data + start, end - start);
    }
    at = stop;
  }
  return slice_none();
}

/* ---- what may be asked at all ---- */

bool url_host_is_local(const char *host) {
  struct in_addr four;
  struct in6_addr six;
  if (inet_pton(AF_INET, host, &four) == 1) {
    return (ntohl(four.s_addr) >> 24) == 127;
  }
  return strcasecmp(host, "localhost") == 0 || (inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six));
}

bool url_split(const char *url, struct url_parts *parts) {
  char ignored[URL_SHOWN_SIZE];
  *parts = (struct url_parts){.scheme = ""};
  CURLU *parsed = parse(url);
  bool readable = parsed != NULL && part(parsed, CURLUPART_SCHEME, 0, parts->scheme, sizeof parts->scheme);
  parts->holds_user = readable
                      && (part(parsed, CURLUPART_USER, 0, ignored, sizeof ignored)
                          || part(parsed, CURLUPART_PASSWORD, 0, ignored, sizeof ignored));
  curl_url_cleanup(parsed);
  return readable && url_host(url, parts->host, parts->port) && parts->host[0] != '\0';
}

enum status http_check_url(const struct http_settings *settings, const char *name, const char *url,
                           struct error *error) {
  struct url_parts parts;
  if (!url_split(url, &parts)) {
    error_set(error, ERR_CONFIG, _("%s is no address"), name);
    error_hint(error, "%s", _("write it as https://host/path"));
    return ERR_CONFIG;
  }
  if (parts.holds_user) {
    error_set(error, ERR_CONFIG, _("%s holds a user or a password"), name);
    error_hint(error, "%s", _("use `auth: basic`, `username`, and `password: env:NAME` or `file:PATH`"));
    return ERR_CONFIG;
  }
  bool plain = strcasecmp(parts.scheme, "http") == 0;
  if (!plain && strcasecmp(parts.scheme, "https") != 0) {
    error_set(error, ERR_CONFIG, _("%s is neither https nor http"), name);
    error_hint(error, "%s", _("write it as https://host/path"));
    return ERR_CONFIG;
  }
  if (plain && !settings->plain_http && !url_host_is_local(parts.host)) {
    error_set(error, ERR_CONFIG, _("%s is http: secrets and records would travel in clear"), name);
    error_hint(error, "%s", _("use https, or set `plain_http: true` for a network that nobody else reads"));
    return ERR_CONFIG;
  }
  return OK;
}
