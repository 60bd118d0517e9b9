/* A source that answers pages of JSON (or XML, CSV) over HTTP. Shared by the files of connectors/rest; from outside
 * only `connector_rest` is seen. */
#ifndef PUENTE_CONNECTORS_REST_REST_H
#define PUENTE_CONNECTORS_REST_REST_H

#include "connectors/http/http.h"
#include "connectors/http/position.h"
#include "connectors/http/result.h"
#include "connectors/http/secrets.h"
#include "connectors/http/url.h"
#include "core/base/arena.h"
#include "core/base/node.h"

enum rest_method { METHOD_GET, METHOD_POST };
enum rest_answer { ANSWER_JSON, ANSWER_XML, ANSWER_CSV, ANSWER_ANY };
enum rest_auth { AUTH_NONE, AUTH_BASIC, AUTH_BEARER, AUTH_API_KEY, AUTH_OAUTH2 };
enum rest_key_place { KEY_IN_HEADER, KEY_IN_QUERY };
enum rest_client_auth { CLIENT_BASIC, CLIENT_BODY };
enum rest_paging { PAGING_NONE, PAGING_CURSOR, PAGING_NEXT_LINK, PAGING_LINK_HEADER, PAGING_PAGE, PAGING_OFFSET };

struct rest_options {
  struct http_settings http;
  struct result_settings result;
  const char *url;
  int method;
  struct option_map headers, parameters, secrets;
  const char *body, *body_file;
  int answer;

  int auth;
  const char *username, *api_key_name;
  char *password, *token, *api_key, *client_secret;
  int api_key_in;
  const char *token_url, *client_id, *scope;
  int client_auth;
  int64_t token_renewal; /* microseconds before its end */

  int paging;
  const char *records, *cursor_path, *cursor_parameter, *next_path, *page_parameter, *page_size_parameter;
  const char *offset_parameter, *more_path, *total_path, *page_count_path;
  int64_t page_start, page_size;
  struct pages_settings pages;

  const char *since_parameter, *until_parameter;
  struct range_settings range;
  const char *watermark_field, *watermark_path, *watermark_format;
  bool watermark_date;
};

extern const struct option rest_option_table[];
extern const char *const rest_pagings[];
/* What no single row of the table can check: options that need or exclude each other, the body as JSON. */
enum status rest_check_options(const struct rest_options *options, struct error *error) MUST_CHECK;

/* Credentials, and the OAuth2 token while it lives. */
struct credentials {
  const struct rest_options *options;
  struct http *http;
  struct buffer token;
  int64_t ends; /* clock_monotonic */
  struct secrets secrets;
};
enum status credentials_open(struct credentials *credentials, const struct rest_options *options, struct http *http,
                             struct error *error) MUST_CHECK;
void credentials_close(struct credentials *credentials);
/* A token that lives long enough, fetched where there is none, or where `anew`. Nothing to do but for OAuth2. */
enum status credentials_renew(struct credentials *credentials, bool anew, struct error *error) MUST_CHECK;

enum { REQUEST_HEADERS_MOST = 32, PLACEHOLDERS_MOST = 40 };

/* One request with its own memory, wiped at free. */
struct prepared {
  struct buffer url, body;
  struct buffer headers[REQUEST_HEADERS_MOST];
  const char *lines[REQUEST_HEADERS_MOST];
  size_t header_count;
  struct http_request request;
};
/* `page_size` instead of the configured one where > 0. */
enum status request_prepare(const struct rest_options *options, const struct credentials *credentials,
                            const struct position *position, int64_t page_size, struct prepared *prepared,
                            struct error *error) MUST_CHECK;
void request_free(struct prepared *prepared);

/* Whether something is read from the answer itself, which then must be JSON and fit in memory. */
bool envelope_is_read(const struct rest_options *options);
/* Reads an answer's envelope, if any is to be read, and moves the position on to the next page. */
struct envelope {
  int64_t records; /* on this page; -1: not counted */
  bool empty;      /* a result code said that there is nothing */
};
enum status envelope_read(const struct rest_options *options, const struct http_response *response,
                          struct position *position, struct arena *arena, struct envelope *envelope,
                          struct error *error) MUST_CHECK;

#endif
