/* A SOAP 1.1 or 1.2 service. Shared by the files of connectors/soap; from outside only `connector_soap` is seen. */
#ifndef PUENTE_CONNECTORS_SOAP_SOAP_H
#define PUENTE_CONNECTORS_SOAP_SOAP_H

#include "connectors/http/http.h"
#include "connectors/http/position.h"
#include "connectors/http/result.h"
#include "connectors/http/secrets.h"
#include "connectors/http/url.h"

#define SOAP_11 "http://schemas.xmlsoap.org/soap/envelope/"
#define SOAP_12 "http://www.w3.org/2003/05/soap-envelope"

enum soap_version { VERSION_11, VERSION_12 };
enum soap_security { SECURITY_NONE, SECURITY_TEXT, SECURITY_DIGEST };
enum soap_paging { SOAP_PAGING_NONE, SOAP_PAGING_PAGE };

enum { SOAP_REQUEST_MOST = 1 << 20 }; /* bytes of a request */

struct soap_options {
  struct http_settings http;
  struct result_settings result;
  const char *url, *action, *request, *request_file;
  int version;
  struct option_map headers, secrets;
  int security;
  const char *username;
  char *password;
  bool timestamp;
  int paging;
  int64_t page_start, page_size;
  struct pages_settings pages;
  const char *record, *total_element, *page_count_element, *more_element;
  struct range_settings range;
  const char *watermark_element, *watermark_format;
};

extern const struct option soap_option_table[];
extern const char *const soap_pagings[];
enum status soap_check_options(const struct soap_options *options, struct error *error) MUST_CHECK;

/* The request's envelope. Written anew for each try: a nonce is good for one request. */
enum status soap_write_request(const struct soap_options *options, const struct secrets *secrets,
                               const struct position *position, int64_t page_size, struct buffer *out,
                               struct error *error) MUST_CHECK;
/* wsse:Security with a UsernameToken (OASIS WSS UsernameToken Profile 1.1), and a Timestamp where asked for.
 * PasswordDigest = Base64(SHA-1(nonce + created + password)). */
enum status security_write(const struct soap_options *options, struct buffer *out, struct error *error) MUST_CHECK;
/* The digest by itself, for a test against a published value. */
enum status security_digest(struct slice nonce, const char *created, const char *password, char digest[32],
                            struct error *error) MUST_CHECK;

enum { SOAP_TEXT_MOST = 512 };

/* What an answer says about itself, read by one pass of libxml2's streaming reader. Texts are cut at their size. */
struct soap_answer {
  bool envelope, body, fault;
  char fault_code[SOAP_TEXT_MOST], fault_subcode[SOAP_TEXT_MOST], fault_text[SOAP_TEXT_MOST];
  char result[SOAP_TEXT_MOST], total[SOAP_TEXT_MOST], pages[SOAP_TEXT_MOST], more[SOAP_TEXT_MOST];
  int64_t records;    /* elements at `record` */
  struct buffer mark; /* highest mark of change on this page */
};
void soap_answer_init(struct soap_answer *answer);
void soap_answer_free(struct soap_answer *answer);
/* ERR_INPUT for what is no XML or no SOAP envelope, ERR_LIMIT for what is made to break a parser, ERR_REMOTE for a
 * fault (ERR_AUTH where it is about credentials). */
enum status soap_answer_read(const struct soap_options *options, const struct http_response *response,
                             struct soap_answer *answer, struct error *error) MUST_CHECK;
/* Where the Content-Type names a charset and the document does not: writes the XML declaration that says so, and how
 * many bytes of the document it stands for. */
void soap_declare(const struct http_response *response, char declaration[64], size_t *replaced);
/* Whether the body holds a fault: then no try again. */
bool soap_is_fault(const struct http_response *response);

#endif
