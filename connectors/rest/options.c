#include "connectors/rest/rest.h"

#include <strings.h>

static const char *const methods[] = {"GET", "POST", NULL};
static const char *const answers[] = {"json", "xml", "csv", "any", NULL};
static const char *const auths[] = {"none", "basic", "bearer", "api_key", "oauth2", NULL};
static const char *const key_places[] = {"header", "query", NULL};
static const char *const client_auths[] = {"basic", "body", NULL};
const char *const rest_pagings[] = {"none", "cursor", "next_link", "link_header", "page", "offset", NULL};

#define AT(member) offsetof(struct rest_options, member)

const struct option rest_option_table[] = {
    {.name = "url",
     .type = OPTION_TEXT,
     .required = true,
     .offset = AT(url),
     .description = N_("address of the first page, https://host/path")},
    {.name = "method",
     .type = OPTION_CHOICE,
     .otherwise = "GET",
     .choices = methods,
     .offset = AT(method),
     .description = N_("how pages are asked for")},
    {.name = "headers",
     .type = OPTION_MAP,
     .offset = AT(headers),
     .description = N_("further request headers; values may hold {{placeholders}}")},
    {.name = "parameters",
     .type = OPTION_MAP,
     .offset = AT(parameters),
     .description = N_("query parameters; values may hold {{placeholders}}, and are left out while those are not set")},
    {.name = "body",
     .type = OPTION_TEXT,
     .offset = AT(body),
     .description =
         N_("JSON body of a POST, with {{since}}, {{until}}, {{cursor}}, {{page}}, {{offset}}, {{page_size}}, "
            "{{username}}, {{password}}, names of `secrets`; {{json:cursor}} writes a string or null")},
    {.name = "body_file",
     .type = OPTION_PATH,
     .offset = AT(body_file),
     .description = N_("the body in a file of its own")},
    {.name = "answer",
     .type = OPTION_CHOICE,
     .otherwise = "json",
     .choices = answers,
     .offset = AT(answer),
     .description = N_("what the source answers with")},
    {.name = "secrets",
     .type = OPTION_MAP,
     .offset = AT(secrets),
     .description = N_("further secrets for placeholders: NAME: env:VARIABLE or file:/absolute/path")},

    {.name = "auth",
     .type = OPTION_CHOICE,
     .otherwise = "none",
     .choices = auths,
     .offset = AT(auth),
     .description = N_("how the source knows us")},
    {.name = "username",
     .type = OPTION_TEXT,
     .offset = AT(username),
     .description = N_("user, for `auth: basic` and {{username}}")},
    {.name = "password",
     .type = OPTION_SECRET,
     .offset = AT(password),
     .description = N_("password, for `auth: basic` and {{password}}")},
    {.name = "token", .type = OPTION_SECRET, .offset = AT(token), .description = N_("token, for `auth: bearer`")},
    {.name = "api_key", .type = OPTION_SECRET, .offset = AT(api_key), .description = N_("key, for `auth: api_key`")},
    {.name = "api_key_name",
     .type = OPTION_TEXT,
     .otherwise = "X-API-Key",
     .offset = AT(api_key_name),
     .description = N_("name of the header or parameter that takes the key")},
    {.name = "api_key_in",
     .type = OPTION_CHOICE,
     .otherwise = "header",
     .choices = key_places,
     .offset = AT(api_key_in),
     .description = N_("where the key goes")},
    {.name = "token_url",
     .type = OPTION_TEXT,
     .offset = AT(token_url),
     .description = N_("where `auth: oauth2` gets its token")},
    {.name = "client_id", .type = OPTION_TEXT, .offset = AT(client_id), .description = N_("OAuth2 client")},
    {.name = "client_secret",
     .type = OPTION_SECRET,
     .offset = AT(client_secret),
     .description = N_("OAuth2 client secret")},
    {.name = "scope", .type = OPTION_TEXT, .offset = AT(scope), .description = N_("OAuth2 scope")},
    {.name = "client_auth",
     .type = OPTION_CHOICE,
     .otherwise = "basic",
     .choices = client_auths,
     .offset = AT(client_auth),
     .description = N_("how client and secret are sent to token_url")},
    {.name = "token_renewal",
     .type = OPTION_DURATION,
     .otherwise = "1m",
     .offset = AT(token_renewal),
     .description = N_("how long before its end a token is renewed")},

    {.name = "paging",
     .type = OPTION_CHOICE,
     .otherwise = "none",
     .choices = rest_pagings,
     .offset = AT(paging),
     .description = N_("how the next page is asked for")},
    {.name = "records",
     .type = OPTION_TEXT,
     .offset = AT(records),
     .description = N_("path of the records in an answer, as data/items; empty: the answer is the list")},
    {.name = "cursor_path",
     .type = OPTION_TEXT,
     .otherwise = "next_cursor",
     .offset = AT(cursor_path),
     .description = N_("`paging: cursor`: where the answer holds the next cursor; null or empty ends")},
    {.name = "cursor_parameter",
     .type = OPTION_TEXT,
     .otherwise = "cursor",
     .offset = AT(cursor_parameter),
     .description = N_("`paging: cursor`: parameter that sends it (GET)")},
    {.name = "next_path",
     .type = OPTION_TEXT,
     .otherwise = "next",
     .offset = AT(next_path),
     .description = N_("`paging: next_link`: where the answer holds the next address; null or empty ends")},
    {.name = "page_parameter",
     .type = OPTION_TEXT,
     .otherwise = "page",
     .offset = AT(page_parameter),
     .description = N_("`paging: page`: parameter of the page number (GET)")},
    {.name = "page_start",
     .type = OPTION_INTEGER,
     .otherwise = "1",
     .least = 0,
     .most = 1,
     .offset = AT(page_start),
     .description = N_("number of the first page")},
    {.name = "offset_parameter",
     .type = OPTION_TEXT,
     .otherwise = "offset",
     .offset = AT(offset_parameter),
     .description = N_("`paging: offset`: parameter of the number of records to skip (GET)")},
    {.name = "page_size_parameter",
     .type = OPTION_TEXT,
     .offset = AT(page_size_parameter),
     .description = N_("parameter of the page size")},
    {.name = "page_size",
     .type = OPTION_INTEGER,
     .otherwise = "500",
     .least = 1,
     .most = 1000000,
     .offset = AT(page_size),
     .description = N_("records asked for in one page; the source may give fewer")},
    {.name = "more_path",
     .type = OPTION_TEXT,
     .offset = AT(more_path),
     .description = N_("where the answer says true or false: there are more pages")},
    {.name = "total_path",
     .type = OPTION_TEXT,
     .offset = AT(total_path),
     .description = N_("where the answer holds the number of all records; checked at the end")},
    {.name = "page_count_path",
     .type = OPTION_TEXT,
     .offset = AT(page_count_path),
     .description = N_("where the answer holds the number of all pages")},
    PAGES_OPTION_ROWS(struct rest_options),

    {.name = "since_parameter",
     .type = OPTION_TEXT,
     .offset = AT(since_parameter),
     .description = N_("parameter that asks for what changed since")},
    {.name = "until_parameter",
     .type = OPTION_TEXT,
     .offset = AT(until_parameter),
     .description = N_("parameter that asks for what changed until")},
    RANGE_OPTION_ROWS(struct rest_options,
                      N_("how since and until are written, as %d/%m/%Y; else RFC 3339, or as the source wrote them"),
                      N_("since of the first pass; else the parameter is left out"),
                      N_("until where none is asked for; `now`: the time at which the pass begins")),
    {.name = "watermark_field",
     .type = OPTION_TEXT,
     .offset = AT(watermark_field),
     .description = N_("field of each record that holds when it changed; the highest is the next since")},
    {.name = "watermark_path",
     .type = OPTION_TEXT,
     .offset = AT(watermark_path),
     .description = N_("or: where the first answer of a pass holds the source's own time")},
    {.name = "watermark_date",
     .type = OPTION_BOOLEAN,
     .otherwise = "false",
     .offset = AT(watermark_date),
     .description = N_("or: the Date header of the first answer of a pass")},
    {.name = "watermark_format",
     .type = OPTION_TEXT,
     .offset = AT(watermark_format),
     .description = N_("how the mark is written, as %d/%m/%Y %H:%M:%S, where it is not RFC 3339 or a number")},

    RESULT_OPTION_ROWS(struct rest_options),
    HTTP_OPTION_ROWS(struct rest_options, "16MiB"),
    {.name = NULL},
};

static enum status check_auth(const struct rest_options *options, struct error *error) {
  switch (options->auth) {
  case AUTH_BASIC:
    return options->username == NULL   ? options_missing("username", "`auth: basic`", error)
           : options->password == NULL ? options_missing("password", "`auth: basic`", error)
                                       : OK;
  case AUTH_BEARER:
    return options->token == NULL ? options_missing("token", "`auth: bearer`", error) : OK;
  case AUTH_API_KEY:
    return options->api_key == NULL ? options_missing("api_key", "`auth: api_key`", error) : OK;
  case AUTH_OAUTH2:
    return options->token_url == NULL       ? options_missing("token_url", "`auth: oauth2`", error)
           : options->client_id == NULL     ? options_missing("client_id", "`auth: oauth2`", error)
           : options->client_secret == NULL ? options_missing("client_secret", "`auth: oauth2`", error)
                                            : http_check_url(&options->http, "token_url", options->token_url, error);
  default:
    return OK;
  }
}

static enum status check_headers(const struct rest_options *options, struct error *error) {
  for (size_t i = 0; i < options->headers.count; i++) {
    if (strcasecmp(options->headers.names[i], "Authorization") == 0
        && strstr(options->headers.values[i], "{{") == NULL) {
      error_set(error, ERR_CONFIG, "%s", _("`headers` holds Authorization: a secret would stand in the configuration"));
      error_hint(error, "%s", _("use `auth` and its options, or a placeholder of `secrets`"));
      return ERR_CONFIG;
    }
  }
  return OK;
}

static enum status check_paging(const struct rest_options *options, struct error *error) {
  if (envelope_is_read(options) && options->answer != ANSWER_JSON) {
    error_set(error, ERR_CONFIG, "%s", _("this paging, or a path into the answer, needs `answer: json`"));
    error_hint(error, "%s", _("with other answers use `paging: none` or `link_header`"));
    return ERR_CONFIG;
  }
  if ((options->watermark_field != NULL) + (options->watermark_path != NULL) + options->watermark_date > 1) {
    return error_set(error, ERR_CONFIG, "%s",
                     _("only one of watermark_field, watermark_path and watermark_date can be the mark"));
  }
  return OK;
}

enum status rest_check_options(const struct rest_options *options, struct error *error) {
  enum status status = http_check_url(&options->http, "url", options->url, error);
  status = status == OK ? check_auth(options, error) : status;
  status = status == OK ? check_headers(options, error) : status;
  status = status == OK ? check_paging(options, error) : status;
  if (status == OK && options->body != NULL && options->body_file != NULL) {
    status = error_set(error, ERR_CONFIG, "%s", _("`body` and `body_file` exclude each other"));
  }
  if (status == OK && (options->body != NULL || options->body_file != NULL) && options->method != METHOD_POST) {
    status = error_set(error, ERR_CONFIG, "%s", _("a body needs `method: POST`"));
  }
  return status;
}
