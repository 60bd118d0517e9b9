/* The `rest` connector: pages of one HTTP service, asked for one after the other. */
#include "connectors/rest/rest.h"
#include "connectors/http/probe.h"
#include "connectors/http/template.h"
#include "core/base/date.h"
#include "core/base/log.h"

#include <stdio.h>
#include <stdlib.h>

enum { MEMORY_OF_ANSWER = 1 << 20 };

struct connection {
  const struct pull *pull;
  const struct rest_options *options;
  struct http *http;
  struct credentials credentials;
  struct position position;
  struct arena *arena; /* one answer read as JSON */
  struct repeats repeats;
  struct http_response response; /* of the page that is being given */
  bool giving;                   /* it has further pieces */
  size_t given;                  /* bytes of it */
  int64_t number;                /* of that page */
  bool resumed;                  /* the first request goes on from a cursor of a former run */
  char shown[URL_SHOWN_SIZE];
};

static void rest_close(struct connection *connection) {
  if (connection == NULL) {
    return;
  }
  http_response_free(&connection->response);
  credentials_close(&connection->credentials);
  position_free(&connection->position);
  http_close(connection->http);
  arena_free(connection->arena);
  repeats_free(&connection->repeats);
  free(connection);
}

/* Options, and a first request made and thrown away. */
static enum status rest_check(const void *target, struct error *error) {
  const struct rest_options *options = target;
  const struct pull nothing = {0};
  struct credentials credentials = {0};
  struct position position;
  struct prepared prepared;
  enum status status = rest_check_options(options, error);
  if (status != OK) {
    return status;
  }
  status = position_init(&position, &nothing, &options->range, error);
  if (status == OK) {
    status = credentials_open(&credentials, options, NULL, error);
    buffer_text(&credentials.token, "token");
  }
  if (status == OK) {
    status = request_prepare(options, &credentials, &position, 0, &prepared, error);
    request_free(&prepared);
  }
  credentials_close(&credentials);
  position_free(&position);
  return status;
}

static enum status rest_open(const struct pull *pull, struct connection **connection, struct error *error) {
  const struct rest_options *options = pull->options;
  *connection = NULL;
  enum status status = rest_check_options(options, error);
  if (status != OK) {
    return status;
  }
  struct connection *made = calloc(1, sizeof *made);
  if (made == NULL) {
    return error_memory(error);
  }
  made->pull = pull;
  made->options = options;
  url_show(options->url, made->shown);
  http_response_init(&made->response, (size_t)options->http.page_limit);
  made->response.memory = envelope_is_read(options) ? 0 : MEMORY_OF_ANSWER;
  made->arena = arena_new(0);
  status = made->arena == NULL ? error_memory(error) : OK;
  status = status == OK ? repeats_init(&made->repeats, error) : status;
  status = status == OK ? http_open(&options->http, pull->stop, &made->http, error) : status;
  status = status == OK ? credentials_open(&made->credentials, options, made->http, error) : status;
  status = status == OK ? position_init(&made->position, pull, &options->range, error) : status;
  status = status == OK ? position_resume(&made->position, pull, rest_pagings[options->paging], &options->range,
                                          &made->resumed, error)
                        : status;
  if (status != OK) {
    rest_close(made);
    return status;
  }
  *connection = made;
  return OK;
}

/* ---- one page ---- */

static enum status ask_once(struct connection *connection, int64_t page_size, bool anew, struct http_response *response,
                            struct error *error) {
  struct prepared prepared;
  enum status status = credentials_renew(&connection->credentials, anew, error);
  if (status != OK) {
    return status;
  }
  status = request_prepare(connection->options, &connection->credentials, &connection->position, page_size, &prepared,
                           error);
  status = status == OK ? http_send(connection->http, &prepared.request, response, error) : status;
  request_free(&prepared);
  return status;
}

/* A token may be withdrawn before its end: a 401 is answered once with a new one. */
static enum status ask(struct connection *connection, int64_t page_size, struct http_response *response,
                       struct error *error) {
  enum status status = ask_once(connection, page_size, false, response, error);
  if (status == OK && response->status == 401 && connection->options->auth == AUTH_OAUTH2) {
    status = ask_once(connection, page_size, true, response, error);
    if (status == OK && response->status == 401) {
      error_set(error, ERR_AUTH, "%s", _("the source refused the token, and also a new one (401)"));
      error_hint(error, "%s", _("check scope, and whether the source trusts this token server"));
      status = ERR_AUTH;
    }
  }
  return status == OK ? http_check_status(response, error) : status;
}

static bool cursor_is_stale(const struct connection *connection, const struct http_response *response) {
  int status = response->status;
  return connection->resumed && (status == 400 || status == 404 || status == 410 || status == 422);
}

/* A source forgets its cursors after a while. Without this, a pass that was interrupted could never be ended. */
static enum status begin_anew(struct connection *connection, struct error *error) {
  log_message(LEVEL_WARNING,
              _("source %s: it no longer knows the place where the last run stopped; the pass begins anew"),
              connection->pull->source);
  connection->resumed = false;
  position_free(&connection->position);
  return position_init(&connection->position, connection->pull, &connection->options->range, error);
}

static enum status read_answer(struct connection *connection, struct http_response *response, struct envelope *envelope,
                               struct error *error) {
  enum status status =
      connection->options->answer == ANSWER_JSON && response->spilled == 0 ? http_to_utf8(response, error) : OK;
  return status == OK
             ? envelope_read(connection->options, response, &connection->position, connection->arena, envelope, error)
             : status;
}

static enum status check_repeats(struct connection *connection, const struct http_response *response, int64_t records,
                                 struct error *error) {
  const struct position *position = &connection->position;
  if (connection->options->paging == PAGING_NONE || position->done || records == 0) {
    return OK;
  }
  return repeats_check(&connection->repeats, buffer_view(&response->body), buffer_view(&position->at),
                       connection->options->pages.repeated, error);
}

/* A large answer that nothing is read from comes in pieces; the cursor goes with the last. */
static enum status give_piece(struct connection *connection, struct page *page, struct error *error) {
  enum status status = http_give_piece(&connection->response, &connection->given, page, error);
  connection->giving = status == OK && !page->ends;
  return status == OK ? position_describe(&connection->position, connection->number,
                                          rest_pagings[connection->options->paging], page, error)
                      : status;
}

/* Asks for a page and reads its envelope; END where a result code says that there is nothing. */
static enum status fetch(struct connection *connection, struct error *error) {
  struct http_response *response = &connection->response;
  struct envelope envelope = {0};
  connection->number = connection->position.page;
  connection->given = 0;
  arena_reset(connection->arena);
  enum status status = ask(connection, 0, response, error);
  if ((status == ERR_REMOTE || status == ERR_NETWORK) && cursor_is_stale(connection, response)) {
    status = begin_anew(connection, error);
    connection->number = connection->position.page;
    status = status == OK ? ask(connection, 0, response, error) : status;
  }
  status = status == OK ? read_answer(connection, response, &envelope, error) : status;
  status = status == OK ? check_repeats(connection, response, envelope.records, error) : status;
  connection->resumed = connection->resumed && status != OK;
  return status == OK && envelope.empty ? END : status;
}

static enum status rest_next(struct connection *connection, struct page *page, struct error *error) {
  const struct rest_options *options = connection->options;
  if (connection->giving) {
    return give_piece(connection, page, error);
  }
  if (connection->position.done) {
    return END;
  }
  enum status status = position_check(&connection->position, &options->pages, error);
  if (status != OK) {
    error_place(error, "%s", connection->shown);
    return status;
  }
  status = fetch(connection, error);
  status = status == OK ? give_piece(connection, page, error) : status;
  if (status != OK && status != END) {
    error_place(error, _("%s, page %lld"), connection->shown, (long long)connection->number);
  }
  return status;
}

/* ---- puente check --live ---- */

static enum status probe_first(struct connection *connection, probe_report *report, void *context, struct page *first,
                               struct error *error) {
  struct http_response *response = &connection->response;
  struct envelope envelope = {0};
  connection->number = 1;
  enum status status = ask(connection, 1, response, error);
  if (status == OK) {
    status = read_answer(connection, response, &envelope, error);
    /* A refusal can also come as a result code in an answer of status 200. */
    if (status == ERR_AUTH) {
      http_probe_failed("login", report, context, error);
    } else {
      report(context, "permission", OK, _("the source permits the request"));
    }
  } else if (status == ERR_AUTH) {
    http_probe_failed(response->status == 403 ? "permission" : "login", report, context, error);
  } else {
    http_probe_failed("record", report, context, error);
  }
  if (status == OK) {
    bool none = envelope.records == 0 || envelope.empty;
    status = envelope.empty ? OK : give_piece(connection, first, error);
    report(context, "record", status,
           none ? _("the source answers, with no record now") : _("the source gives a first record"));
  } else if (response->status >= 200 && response->status < 300 && status != ERR_AUTH) {
    http_probe_failed("record", report, context, error);
  }
  return status;
}

static enum status rest_probe(const struct pull *pull, probe_report *report, void *context, struct page *first,
                              struct error *error) {
  struct connection *connection = NULL;
  struct pull fresh = *pull;
  struct rest_options once = *(const struct rest_options *)pull->options; /* secrets stay the caller's */
  once.http.retries = 0;
  fresh.options = &once;
  fresh.cursor = NULL;
  enum status status = rest_open(&fresh, &connection, error);
  if (status != OK) {
    return http_probe_failed("options", report, context, error);
  }
  status = http_probe(connection->http, connection->options->url, report, context, error);
  if (status == OK) {
    status = credentials_renew(&connection->credentials, true, error);
    if (status != OK) {
      http_probe_failed("login", report, context, error);
    } else if (connection->options->auth == AUTH_OAUTH2) {
      report(context, "login", OK, _("the token server gave a token"));
    } else {
      report(context, "login", OK,
             connection->options->auth == AUTH_NONE && connection->options->password == NULL
                     && connection->options->secrets.count == 0
                 ? _("no credentials are asked for")
                 : _("credentials are sent with each request"));
    }
  }
  status = status == OK ? probe_first(connection, report, context, first, error) : status;
  if (status != OK) {
    error_place(error, "%s", connection->shown);
  }
  rest_close(connection);
  return status;
}

static bool names_mark(const struct rest_options *options, const char *placeholder) {
  bool named = options->body != NULL && template_has(options->body, placeholder);
  for (size_t i = 0; !named && i < options->parameters.count; i++) {
    named = template_has(options->parameters.values[i], placeholder);
  }
  return named;
}

static bool rest_narrows(const void *chosen, bool until) {
  const struct rest_options *options = chosen;
  return until ? options->until_parameter != NULL || names_mark(options, "until")
               : options->since_parameter != NULL || names_mark(options, "since");
}

static enum status rest_certificate(const struct pull *pull, struct certificates *ends, struct error *error) {
  struct connection *connection = NULL;
  enum status status = rest_open(pull, &connection, error);
  if (status == OK) {
    status = http_certificate(connection->http, connection->options->url, &ends->server, error);
    if (status == OK && connection->options->token_url != NULL) {
      status = http_certificate(connection->http, connection->options->token_url, &ends->token_server, error);
    }
  }
  rest_close(connection);
  return status;
}

const struct connector connector_rest = {
    .name = "rest",
    .description =
        N_("pages of JSON (or XML, CSV) from an HTTP service, with its paging, credentials and result codes"),
    .options = rest_option_table,
    .options_size = sizeof(struct rest_options),
    .check = rest_check,
    .narrows = rest_narrows,
    .open = rest_open,
    .next = rest_next,
    .close = rest_close,
    .probe = rest_probe,
    .certificate = rest_certificate,
};
