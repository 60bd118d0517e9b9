/* The `soap` connector: one request a page, the whole envelope as the page's bytes. */
#include "connectors/soap/soap.h"
#include "connectors/http/mark.h"
#include "connectors/http/probe.h"
#include "connectors/http/template.h"
#include "core/base/file.h"
#include "core/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { REQUEST_BYTES_MOST = 2 << 20, HEADERS_MOST = 24, HEADER_MOST = 4096, MEMORY_OF_ANSWER = 1 << 20 };

struct connection {
  const struct pull *pull;
  const struct soap_options *options;
  struct http *http;
  struct secrets secrets;
  struct position position;
  struct repeats repeats;
  struct buffer request; /* wiped: it may hold the password */
  struct buffer headers[HEADERS_MOST];
  const char *lines[HEADERS_MOST];
  size_t header_count;
  int64_t page_size;             /* of a probe; 0: as configured */
  struct http_response response; /* of the page that is being given */
  char declaration[64];          /* goes before it */
  bool giving;                   /* it has further pieces */
  size_t given;                  /* bytes of it */
  int64_t number;                /* of that page */
  char shown[URL_SHOWN_SIZE];
};

static void soap_close(struct connection *connection) {
  if (connection == NULL) {
    return;
  }
  for (size_t i = 0; i < connection->header_count; i++) {
    buffer_wipe(&connection->headers[i]);
  }
  http_response_free(&connection->response);
  buffer_wipe(&connection->request);
  secrets_close(&connection->secrets);
  position_free(&connection->position);
  repeats_free(&connection->repeats);
  http_close(connection->http);
  free(connection);
}

static enum status add_header(struct connection *connection, const char *name, const char *value, struct error *error) {
  if (connection->header_count == HEADERS_MOST || strpbrk(name, "\r\n:") != NULL || strpbrk(value, "\r\n") != NULL) {
    return error_set(error, ERR_CONFIG, "%s", _("`headers` are too many, or one holds a line end"));
  }
  struct buffer *line = &connection->headers[connection->header_count];
  buffer_init(line, HEADER_MOST);
  buffer_printf(line, "%s: %s", name, value);
  connection->lines[connection->header_count++] = line->data;
  return buffer_check(line, "header", error);
}

/* SOAP 1.1 names the action in a header of its own, in quotes; 1.2 in the content type. */
static enum status make_headers(struct connection *connection, struct error *error) {
  const struct soap_options *options = connection->options;
  const char *action = options->action != NULL ? options->action : "";
  char text[HEADER_MOST / 2];
  enum status status = add_header(connection, "Accept", "text/xml, application/soap+xml, multipart/related", error);
  if (status == OK && options->version == VERSION_11) {
    snprintf(text, sizeof text, "\"%s\"", action);
    status = add_header(connection, "SOAPAction", text, error);
    status = status == OK ? add_header(connection, "Content-Type", "text/xml; charset=utf-8", error) : status;
  } else if (status == OK) {
    snprintf(text, sizeof text, "application/soap+xml; charset=utf-8%s%s%s", action[0] != '\0' ? "; action=\"" : "",
             action, action[0] != '\0' ? "\"" : "");
    status = add_header(connection, "Content-Type", text, error);
  }
  for (size_t i = 0; status == OK && i < options->headers.count; i++) {
    status = add_header(connection, options->headers.names[i], options->headers.values[i], error);
  }
  return status;
}

/* Options, and a first request made and thrown away. */
static enum status soap_check(const void *target, struct error *error) {
  const struct soap_options *options = target;
  const struct pull nothing = {0};
  struct secrets secrets = {0};
  struct position position;
  struct buffer request;
  enum status status = soap_check_options(options, error);
  if (status != OK) {
    return status;
  }
  buffer_init(&request, REQUEST_BYTES_MOST);
  status = position_init(&position, &nothing, &options->range, error);
  status = status == OK ? secrets_open(&secrets, &options->secrets, error) : status;
  status = status == OK ? soap_write_request(options, &secrets, &position, 0, &request, error) : status;
  secrets_close(&secrets);
  position_free(&position);
  buffer_wipe(&request);
  return status;
}

static enum status soap_open(const struct pull *pull, struct connection **connection, struct error *error) {
  const struct soap_options *options = pull->options;
  *connection = NULL;
  enum status status = soap_check_options(options, error);
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
  buffer_init(&made->request, REQUEST_BYTES_MOST);
  http_response_init(&made->response, (size_t)options->http.page_limit);
  made->response.memory = MEMORY_OF_ANSWER;
  status = http_open(&options->http, pull->stop, &made->http, error);
  status = status == OK ? repeats_init(&made->repeats, error) : status;
  status = status == OK ? secrets_open(&made->secrets, &options->secrets, error) : status;
  status = status == OK ? make_headers(made, error) : status;
  status = status == OK ? position_init(&made->position, pull, &options->range, error) : status;
  bool resumed;
  status = status == OK
               ? position_resume(&made->position, pull, soap_pagings[options->paging], &options->range, &resumed, error)
               : status;
  if (status != OK) {
    soap_close(made);
    return status;
  }
  *connection = made;
  return OK;
}

/* ---- one page ---- */

static enum status write_request(void *context, struct slice *body, struct error *error) {
  struct connection *connection = context;
  buffer_reset(&connection->request);
  enum status status = soap_write_request(connection->options, &connection->secrets, &connection->position,
                                          connection->page_size, &connection->request, error);
  *body = buffer_view(&connection->request);
  return status;
}

static enum status check_kind(const struct http_response *response, struct error *error) {
  if (http_is_html(response)) {
    error_set(error, ERR_INPUT, "%s", _("the source answered with a web page (HTML) instead of XML"));
    error_hint(error, "%s", _("check the path in `url`; a gateway or a login page may stand before the service"));
    return ERR_INPUT;
  }
  if (strncasecmp(response->content_type, "multipart/", 10) == 0) {
    error_set(error, ERR_INPUT, "%s", _("the source answered in several parts (MTOM), which is not understood"));
    error_hint(error, "%s", _("ask the source's contact for plain SOAP answers"));
    return ERR_INPUT;
  }
  return OK;
}

/* Asks for the page and reads what the answer says about itself. A fault comes before the status that carries it. */
static enum status ask(struct connection *connection, struct http_response *response, struct soap_answer *answer,
                       struct error *error) {
  struct http_request request = {.url = connection->options->url,
                                 .headers = connection->lines,
                                 .header_count = connection->header_count,
                                 .post = true,
                                 .final = soap_is_fault,
                                 .refresh = write_request,
                                 .context = connection};
  enum status status = write_request(connection, &request.body, error);
  status = status == OK ? http_send(connection->http, &request, response, error) : status;
  if (status != OK) {
    return status;
  }
  if (response->status != 200 && !soap_is_fault(response)) {
    status = http_check_status(response, error);
  }
  status = status == OK ? check_kind(response, error) : status;
  return status == OK ? soap_answer_read(connection->options, response, answer, error) : status;
}

static enum status absent(const char *option, const char *element, struct error *error) {
  error_set(error, ERR_INPUT, _("the answer has no '%s'"), element);
  error_hint(error, _("its shape may have changed: check `%s`"), option);
  return ERR_INPUT;
}

static enum status read_count(const char *option, const char *element, const char *text, int64_t *value,
                              struct error *error) {
  if (element == NULL) {
    return OK;
  }
  return text_to_int64(slice_of(text), value) && *value >= 0 ? OK : absent(option, element, error);
}

/* Pages end where the source says so, or at an empty page; a short page alone is no end. */
static enum status move_on(const struct soap_options *options, const struct soap_answer *answer,
                           struct position *position, struct error *error) {
  int64_t pages = -1;
  enum status status = read_count("total_element", options->total_element, answer->total, &position->total, error);
  status = status == OK ? read_count("page_count_element", options->page_count_element, answer->pages, &pages, error)
                        : status;
  if (status != OK) {
    return status;
  }
  position->offset += answer->records;
  if (options->paging == SOAP_PAGING_NONE) {
    position->done = true;
  } else if (options->more_element != NULL) {
    bool yes = strcasecmp(answer->more, "true") == 0 || strcmp(answer->more, "1") == 0;
    if (!yes && strcasecmp(answer->more, "false") != 0 && strcmp(answer->more, "0") != 0) {
      return absent("more_element", options->more_element, error);
    }
    position->done = !yes;
  } else if (pages >= 0) {
    position->done = position->page >= pages;
  } else {
    position->done = answer->records == 0 || (position->total >= 0 && position->offset >= position->total);
  }
  position->page++;
  return answer->mark.len > 0 ? mark_raise(&position->mark, buffer_view(&answer->mark), NULL, error) : OK;
}

static enum status take_answer(struct connection *connection, const struct soap_answer *answer, bool *empty,
                               struct error *error) {
  const struct soap_options *options = connection->options;
  *empty = false;
  if (options->result.path != NULL) {
    if (answer->result[0] == '\0') {
      return absent("result_path", options->result.path, error);
    }
    enum status status = result_check(&options->result, slice_of(answer->result), empty, error);
    if (status != OK || *empty) {
      connection->position.done = *empty;
      return status;
    }
  }
  return move_on(options, answer, &connection->position, error);
}

/* A large answer comes in pieces, so that memory stays that of a piece; the cursor goes with the last. */
static enum status give_piece(struct connection *connection, struct page *page, struct error *error) {
  bool begins = connection->given == 0;
  if (begins) {
    soap_declare(&connection->response, connection->declaration, &connection->given);
    buffer_text(&page->bytes, connection->declaration);
  }
  enum status status = http_give_piece(&connection->response, &connection->given, page, error);
  connection->giving = status == OK && !page->ends;
  page->begins = begins;
  status = status == OK ? buffer_check(&page->bytes, "page", error) : status;
  return status == OK ? position_describe(&connection->position, connection->number,
                                          soap_pagings[connection->options->paging], page, error)
                      : status;
}

/* Asks for a page; END where a result code says that there is nothing. */
static enum status fetch(struct connection *connection, struct error *error) {
  const struct soap_options *options = connection->options;
  struct position *position = &connection->position;
  struct soap_answer answer;
  bool empty = false;
  connection->number = position->page;
  connection->given = 0;
  soap_answer_init(&answer);
  enum status status = ask(connection, &connection->response, &answer, error);
  status = status == OK ? take_answer(connection, &answer, &empty, error) : status;
  soap_answer_free(&answer);
  if (status == OK && options->paging != SOAP_PAGING_NONE && !position->done) {
    status = repeats_check(&connection->repeats, buffer_view(&connection->response.body), slice_none(),
                           options->pages.repeated, error);
  }
  return status == OK && empty ? END : status;
}

static enum status soap_next(struct connection *connection, struct page *page, struct error *error) {
  const struct soap_options *options = connection->options;
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
  const struct http_response *response = &connection->response;
  struct soap_answer answer;
  bool empty = false;
  connection->page_size = 1;
  connection->number = 1;
  soap_answer_init(&answer);
  enum status status = ask(connection, &connection->response, &answer, error);
  status = status == OK ? take_answer(connection, &answer, &empty, error) : status;
  soap_answer_free(&answer);
  if (status == ERR_AUTH) {
    return http_probe_failed(response->status == 403 ? "permission" : "login", report, context, error);
  }
  if (status != OK) {
    return http_probe_failed("record", report, context, error);
  }
  report(context, "login", OK,
         connection->options->security == SECURITY_NONE ? _("no token is asked for") : _("the token was accepted"));
  report(context, "permission", OK, _("the source permits the request"));
  status = empty ? OK : give_piece(connection, first, error);
  report(context, "record", status,
         empty ? _("the source answers, with no record now") : _("the source gives a first answer"));
  return status;
}

static enum status soap_probe(const struct pull *pull, probe_report *report, void *context, struct page *first,
                              struct error *error) {
  struct connection *connection = NULL;
  struct pull fresh = *pull;
  struct soap_options once = *(const struct soap_options *)pull->options; /* secrets stay the caller's */
  once.http.retries = 0;
  fresh.options = &once;
  fresh.cursor = NULL;
  enum status status = soap_open(&fresh, &connection, error);
  if (status != OK) {
    return http_probe_failed("options", report, context, error);
  }
  status = http_probe(connection->http, connection->options->url, report, context, error);
  status = status == OK ? probe_first(connection, report, context, first, error) : status;
  if (status != OK) {
    error_place(error, "%s", connection->shown);
  }
  soap_close(connection);
  return status;
}

/* A file that cannot be read now is told of when it is needed. */
static bool soap_narrows(const void *chosen, bool until) {
  const struct soap_options *options = chosen;
  const char *placeholder = until ? "until" : "since";
  if (options->request_file == NULL) {
    return options->request != NULL && template_has(options->request, placeholder);
  }
  struct buffer text;
  struct error ignored;
  if (file_read(options->request_file, SOAP_REQUEST_MOST, &text, &ignored) != OK) {
    return true;
  }
  bool narrows = text.data != NULL && template_has(text.data, placeholder);
  buffer_free(&text);
  return narrows;
}

static enum status soap_certificate(const struct pull *pull, struct certificates *ends, struct error *error) {
  struct connection *connection = NULL;
  enum status status = soap_open(pull, &connection, error);
  if (status == OK) {
    status = http_certificate(connection->http, connection->options->url, &ends->server, error);
  }
  soap_close(connection);
  return status;
}

const struct connector connector_soap = {
    .name = "soap",
    .description = N_("pages of a SOAP 1.1 or 1.2 service, with WS-Security and faults as errors"),
    .options = soap_option_table,
    .options_size = sizeof(struct soap_options),
    .check = soap_check,
    .narrows = soap_narrows,
    .open = soap_open,
    .next = soap_next,
    .close = soap_close,
    .probe = soap_probe,
    .certificate = soap_certificate,
};
