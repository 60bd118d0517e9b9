#include "connectors/soap/soap.h"

#include <strings.h>

static const char *const versions[] = {"1.1", "1.2", NULL};
static const char *const securities[] = {"none", "text", "digest", NULL};
const char *const soap_pagings[] = {"none", "page", NULL};

#define AT(member) offsetof(struct soap_options, member)

const struct option soap_option_table[] = {
    {.name = "url",
     .type = OPTION_TEXT,
     .required = true,
     .offset = AT(url),
     .description = N_("address of the service, https://host/path")},
    {.name = "version",
     .type = OPTION_CHOICE,
     .otherwise = "1.1",
     .choices = versions,
     .offset = AT(version),
     .description = N_("SOAP version")},
    {.name = "action",
     .type = OPTION_TEXT,
     .offset = AT(action),
     .description = N_("SOAPAction (1.1), or the action of the content type (1.2)")},
    {.name = "request",
     .type = OPTION_TEXT,
     .offset = AT(request),
     .description =
         N_("content of soap:Body, or a whole envelope with {{security}} in its header; placeholders are "
            "{{since}}, {{until}}, {{page}}, {{page_size}}, {{username}}, {{password}}, names of `secrets`")},
    {.name = "request_file",
     .type = OPTION_PATH,
     .offset = AT(request_file),
     .description = N_("the request in a file of its own")},
    {.name = "headers", .type = OPTION_MAP, .offset = AT(headers), .description = N_("further request headers")},
    {.name = "secrets",
     .type = OPTION_MAP,
     .offset = AT(secrets),
     .description = N_("further secrets for placeholders: NAME: env:VARIABLE or file:/absolute/path")},
    {.name = "security",
     .type = OPTION_CHOICE,
     .otherwise = "none",
     .choices = securities,
     .offset = AT(security),
     .description = N_("WS-Security UsernameToken: password as text, or as digest")},
    {.name = "username", .type = OPTION_TEXT, .offset = AT(username), .description = N_("user of the token")},
    {.name = "password", .type = OPTION_SECRET, .offset = AT(password), .description = N_("password of the token")},
    {.name = "timestamp",
     .type = OPTION_BOOLEAN,
     .otherwise = "false",
     .offset = AT(timestamp),
     .description = N_("also send a wsu:Timestamp, good for five minutes")},
    {.name = "paging",
     .type = OPTION_CHOICE,
     .otherwise = "none",
     .choices = soap_pagings,
     .offset = AT(paging),
     .description = N_("'page': one request a page, with {{page}}")},
    {.name = "page_start",
     .type = OPTION_INTEGER,
     .otherwise = "1",
     .least = 0,
     .most = 1,
     .offset = AT(page_start),
     .description = N_("number of the first page")},
    {.name = "page_size",
     .type = OPTION_INTEGER,
     .otherwise = "500",
     .least = 1,
     .most = 1000000,
     .offset = AT(page_size),
     .description = N_("what {{page_size}} asks for; the source may give fewer")},
    {.name = "record",
     .type = OPTION_TEXT,
     .offset = AT(record),
     .description = N_("path or end of the path of a record's element, as Denuncias/Denuncia; counts records")},
    {.name = "total_element",
     .type = OPTION_TEXT,
     .offset = AT(total_element),
     .description = N_("element with the number of all records; checked at the end")},
    {.name = "page_count_element",
     .type = OPTION_TEXT,
     .offset = AT(page_count_element),
     .description = N_("element with the number of all pages")},
    {.name = "more_element",
     .type = OPTION_TEXT,
     .offset = AT(more_element),
     .description = N_("element that says true or false: there are more pages")},
    PAGES_OPTION_ROWS(struct soap_options),
    RANGE_OPTION_ROWS(struct soap_options, N_("how {{since}} and {{until}} are written, as %d/%m/%Y; else RFC 3339"),
                      N_("{{since}} of the first pass"),
                      N_("{{until}} where none is asked for; `now`: the time at which the pass begins")),
    {.name = "watermark_element",
     .type = OPTION_TEXT,
     .offset = AT(watermark_element),
     .description = N_("element that holds when a record changed; the highest is the next since")},
    {.name = "watermark_format",
     .type = OPTION_TEXT,
     .offset = AT(watermark_format),
     .description = N_("how the mark is written, as %d/%m/%Y %H:%M:%S, where it is not RFC 3339 or a number")},
    RESULT_OPTION_ROWS(struct soap_options),
    HTTP_OPTION_ROWS(struct soap_options, "256MiB"),
    {.name = NULL},
};

static enum status check_paging(const struct soap_options *options, struct error *error) {
  if (options->paging != SOAP_PAGING_PAGE) {
    return OK;
  }
  if (options->request != NULL && !template_has(options->request, "page")) {
    error_set(error, ERR_CONFIG, "%s", _("`paging: page` needs {{page}} in the request"));
    error_hint(error, "%s", _("write it where the service takes the page number"));
    return ERR_CONFIG;
  }
  if (options->record == NULL && options->more_element == NULL && options->page_count_element == NULL) {
    return options_missing("record", "`paging: page`", error);
  }
  return OK;
}

enum status soap_check_options(const struct soap_options *options, struct error *error) {
  enum status status = http_check_url(&options->http, "url", options->url, error);
  if (status != OK) {
    return status;
  }
  if ((options->request == NULL) == (options->request_file == NULL)) {
    return error_set(error, ERR_CONFIG, "%s", _("one of `request` and `request_file` must be there"));
  }
  if (options->security != SECURITY_NONE && options->username == NULL) {
    return options_missing("username", "`security`", error);
  }
  if (options->security != SECURITY_NONE && options->password == NULL) {
    return options_missing("password", "`security`", error);
  }
  for (size_t i = 0; i < options->headers.count; i++) {
    if (strcasecmp(options->headers.names[i], "Authorization") == 0) {
      return error_set(error, ERR_CONFIG, "%s",
                       _("`headers` holds Authorization: a secret would stand in the configuration"));
    }
  }
  return check_paging(options, error);
}
