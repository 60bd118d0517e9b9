/* One request of a pass: address with its parameters, headers, body, credentials. */
#include "connectors/rest/rest.h"
#include "core/base/file.h"

#include <inttypes.h>
#include <stdio.h>

enum { URL_MOST = 16384, HEADER_MOST = 32768, BODY_MOST = 1 << 20, VALUE_MOST = 16384 };

void request_free(struct prepared *prepared) {
  buffer_wipe(&prepared->url);
  buffer_wipe(&prepared->body);
  for (size_t i = 0; i < prepared->header_count; i++) {
    buffer_wipe(&prepared->headers[i]);
  }
}

/* What the templates of one request may name. */
struct names {
  struct placeholder list[PLACEHOLDERS_MOST];
  size_t count;
  char page[24], offset[24], page_size[24];
};

static const char *text_or_null(const struct buffer *buffer) {
  return buffer->len > 0 ? buffer->data : NULL;
}

static enum status fill_names(const struct rest_options *options, const struct credentials *credentials,
                              const struct position *position, int64_t page_size, struct names *names,
                              struct error *error) {
  snprintf(names->page, sizeof names->page, "%" PRId64, position->page - 1 + options->page_start);
  snprintf(names->offset, sizeof names->offset, "%" PRId64, position->offset);
  snprintf(names->page_size, sizeof names->page_size, "%" PRId64, page_size > 0 ? page_size : options->page_size);
  const struct placeholder own[] = {
      {.name = "since", .value = text_or_null(&position->since)},
      {.name = "until", .value = text_or_null(&position->until)},
      {.name = "cursor", .value = options->paging == PAGING_CURSOR ? text_or_null(&position->at) : NULL},
      {.name = "page", .value = names->page},
      {.name = "offset", .value = names->offset},
      {.name = "page_size", .value = names->page_size},
      {.name = "username", .value = options->username},
      {.name = "password", .value = options->password},
  };
  names->count = sizeof own / sizeof own[0];
  memcpy(names->list, own, sizeof own);
  return secrets_name(&credentials->secrets, names->list, &names->count, PLACEHOLDERS_MOST, error);
}

/* A parameter whose only placeholder has no value now is left out. */
static bool is_unset(const char *text, const struct names *names) {
  for (size_t i = 0; i < names->count; i++) {
    if (names->list[i].value == NULL && template_has(text, names->list[i].name)) {
      return true;
    }
  }
  return false;
}

static enum status add_configured(const struct rest_options *options, const struct names *names, struct buffer *url,
                                  struct error *error) {
  enum status status = OK;
  struct buffer value;
  buffer_init(&value, VALUE_MOST);
  for (size_t i = 0; status == OK && i < options->parameters.count; i++) {
    const char *text = options->parameters.values[i];
    if (is_unset(text, names)) {
      continue;
    }
    buffer_reset(&value);
    status = template_render("`parameters`", text, names->list, names->count, ESCAPE_NONE, &value, error);
    if (status == OK) {
      status = url_set_parameter(url, options->parameters.names[i], value.data != NULL ? value.data : "", error);
    }
  }
  buffer_wipe(&value);
  return status;
}

/* A value goes into the query unless the body names it. */
static enum status add_parameter(struct buffer *url, const char *name, const char *placeholder, const char *value,
                                 const char *body, struct error *error) {
  if (name == NULL || value == NULL || (body != NULL && template_has(body, placeholder))) {
    return OK;
  }
  return url_set_parameter(url, name, value, error);
}

static enum status first_url(const struct rest_options *options, const struct position *position,
                             const struct names *names, const char *body, struct buffer *url, struct error *error) {
  buffer_text(url, options->url);
  enum status status = buffer_check(url, "url", error);
  status = status == OK ? add_configured(options, names, url, error) : status;
  status = status == OK
               ? add_parameter(url, options->since_parameter, "since", text_or_null(&position->since), body, error)
               : status;
  status = status == OK
               ? add_parameter(url, options->until_parameter, "until", text_or_null(&position->until), body, error)
               : status;
  status = status == OK ? add_parameter(url, options->page_size_parameter, "page_size", names->page_size, body, error)
                        : status;
  if (status == OK && options->paging == PAGING_CURSOR) {
    status = add_parameter(url, options->cursor_parameter, "cursor", text_or_null(&position->at), body, error);
  } else if (status == OK && options->paging == PAGING_PAGE) {
    status = add_parameter(url, options->page_parameter, "page", names->page, body, error);
  } else if (status == OK && options->paging == PAGING_OFFSET) {
    status = add_parameter(url, options->offset_parameter, "offset", names->offset, body, error);
  }
  return status;
}

static enum status make_url(const struct rest_options *options, const struct position *position,
                            const struct names *names, const char *body, struct buffer *url, struct error *error) {
  bool linked = options->paging == PAGING_NEXT_LINK || options->paging == PAGING_LINK_HEADER;
  enum status status = linked && position->at.len > 0 ? url_resolve(options->url, position->at.data, url, error)
                                                      : first_url(options, position, names, body, url, error);
  if (status == OK && options->auth == AUTH_API_KEY && options->api_key_in == KEY_IN_QUERY) {
    status = url_set_parameter(url, options->api_key_name, options->api_key, error);
  }
  return status;
}

static enum status add_header(struct prepared *prepared, const char *name, const char *value, struct error *error) {
  if (prepared->header_count == REQUEST_HEADERS_MOST) {
    return error_set(error, ERR_CONFIG, "%s", _("too many `headers`"));
  }
  /* A line end in a value would begin a header of somebody else's choice. */
  if (strpbrk(name, "\r\n:") != NULL || strpbrk(value, "\r\n") != NULL) {
    return error_set(error, ERR_CONFIG, "%s", _("a header holds a line end, or its name a colon"));
  }
  struct buffer *line = &prepared->headers[prepared->header_count++];
  buffer_init(line, HEADER_MOST);
  buffer_printf(line, "%s: %s", name, value);
  prepared->lines[prepared->header_count - 1] = line->data;
  return buffer_check(line, "header", error);
}

static enum status add_configured_headers(const struct rest_options *options, const struct names *names,
                                          struct prepared *prepared, struct error *error) {
  enum status status = OK;
  struct buffer value;
  buffer_init(&value, VALUE_MOST);
  for (size_t i = 0; status == OK && i < options->headers.count; i++) {
    buffer_reset(&value);
    status =
        template_render("`headers`", options->headers.values[i], names->list, names->count, ESCAPE_NONE, &value, error);
    status = status == OK ? add_header(prepared, options->headers.names[i], value.data != NULL ? value.data : "", error)
                          : status;
  }
  buffer_wipe(&value);
  return status;
}

static enum status add_bearer(struct prepared *prepared, const char *token, struct error *error) {
  struct buffer value;
  buffer_init(&value, VALUE_MOST + 16);
  buffer_printf(&value, "Bearer %s", token);
  enum status status = buffer_check(&value, "token", error);
  status = status == OK ? add_header(prepared, "Authorization", value.data, error) : status;
  buffer_wipe(&value);
  return status;
}

static enum status add_headers(const struct rest_options *options, const struct credentials *credentials,
                               const struct names *names, struct prepared *prepared, struct error *error) {
  static const char *const accepted[] = {"application/json", "application/xml, text/xml", "text/csv", "*/*"};
  enum status status = add_header(prepared, "Accept", accepted[options->answer], error);
  status = status == OK ? add_configured_headers(options, names, prepared, error) : status;
  if (status == OK && options->method == METHOD_POST) {
    status = add_header(prepared, "Content-Type", "application/json", error);
  }
  if (status != OK) {
    return status;
  }
  switch (options->auth) {
  case AUTH_BASIC:
    prepared->request.username = options->username;
    prepared->request.password = options->password;
    return OK;
  case AUTH_BEARER:
    return add_bearer(prepared, options->token, error);
  case AUTH_OAUTH2:
    return add_bearer(prepared, credentials->token.data, error);
  case AUTH_API_KEY:
    return options->api_key_in == KEY_IN_HEADER ? add_header(prepared, options->api_key_name, options->api_key, error)
                                                : OK;
  default:
    return OK;
  }
}

static enum status read_body(const struct rest_options *options, struct buffer *text, struct error *error) {
  if (options->body_file != NULL) {
    return file_read(options->body_file, BODY_MOST, text, error);
  }
  if (options->body != NULL) {
    buffer_text(text, options->body);
  }
  return buffer_check(text, "body", error);
}

/* What is sent must be JSON: a missing quote is better found here than as the source's 400. */
static enum status check_body(const struct buffer *body, struct error *error) {
  struct arena *arena = arena_new(0);
  struct node *root = NULL;
  enum status status = arena == NULL ? error_memory(error) : json_read(buffer_view(body), arena, &root, error);
  if (status == ERR_INPUT) {
    error_set(error, ERR_CONFIG, "%s", _("`body`, once its placeholders are filled in, is not JSON"));
    error_hint(error, "%s", _("put {{placeholders}} of text in quotes, those of numbers without"));
    status = ERR_CONFIG;
  }
  arena_free(arena);
  return status;
}

enum status request_prepare(const struct rest_options *options, const struct credentials *credentials,
                            const struct position *position, int64_t page_size, struct prepared *prepared,
                            struct error *error) {
  struct names names = {0};
  struct buffer text;
  *prepared = (struct prepared){.request.post = options->method == METHOD_POST};
  buffer_init(&prepared->url, URL_MOST);
  buffer_init(&prepared->body, BODY_MOST);
  buffer_init(&text, BODY_MOST);
  enum status status = fill_names(options, credentials, position, page_size, &names, error);
  status = status == OK ? read_body(options, &text, error) : status;
  status = status == OK ? make_url(options, position, &names, text.data, &prepared->url, error) : status;
  status = status == OK ? add_headers(options, credentials, &names, prepared, error) : status;
  if (status == OK && text.len > 0) {
    status = template_render("`body`", text.data, names.list, names.count, ESCAPE_JSON, &prepared->body, error);
    status = status == OK ? check_body(&prepared->body, error) : status;
  }
  buffer_free(&text);
  prepared->request.url = prepared->url.data;
  prepared->request.headers = prepared->lines;
  prepared->request.header_count = prepared->header_count;
  prepared->request.body = buffer_view(&prepared->body);
  return status;
}
