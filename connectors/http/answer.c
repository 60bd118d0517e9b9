/* What kind of text an answer is. */
#include "connectors/http/http.h"
#include "core/base/text.h"

#include <string.h>
#include <strings.h>

struct slice http_charset(const struct http_response *response) {
  const char *at = strcasestr(response->content_type, "charset=");
  if (at == NULL) {
    return slice_none();
  }
  at += strlen("charset=");
  at += *at == '"';
  return slice_make(at, strcspn(at, "\"; "));
}

enum status http_to_utf8(struct http_response *response, struct error *error) {
  enum encoding encoding;
  if (!encoding_parse(http_charset(response), &encoding) || encoding == ENCODING_UTF8) {
    return OK;
  }
  struct arena *arena = arena_new(0);
  struct slice text = arena == NULL ? slice_none() : text_to_utf8(arena, buffer_view(&response->body), encoding);
  enum status status = text.data == NULL && response->body.len > 0 ? error_memory(error) : OK;
  if (status == OK && text.data != response->body.data) {
    response->body.limit *= 3; /* a Windows-1252 byte becomes at most three */
    buffer_reset(&response->body);
    buffer_slice(&response->body, text);
    status = buffer_check(&response->body, "page", error);
  }
  arena_free(arena);
  return status;
}

bool http_is_html(const struct http_response *response) {
  struct slice body = slice_trim(buffer_view(&response->body));
  return strncasecmp(response->content_type, "text/html", 9) == 0
         || (body.len >= 14 && strncasecmp(body.data, "<!doctype html", 14) == 0)
         || (body.len >= 5 && strncasecmp(body.data, "<html", 5) == 0);
}
