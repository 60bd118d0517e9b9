/* Failed transfers and refusing answers in words: what happened, and what the operator can do. */
#include "connectors/http/http_private.h"
#include "connectors/http/url.h"
#include "core/base/date.h"

#include <errno.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct transfer_fault {
  CURLcode curl;
  enum status status;
  bool transient;
  const char *message, *hint;
} transfer_faults[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERR_NETWORK, true, N_("the source's host name cannot be resolved"),
     N_("check the host in `url`, and the name server of this machine")},
    {CURLE_COULDNT_RESOLVE_PROXY, ERR_NETWORK, true, N_("the proxy's host name cannot be resolved"),
     N_("check https_proxy in the environment")},
    {CURLE_COULDNT_CONNECT, ERR_NETWORK, true, N_("the source refuses the connection or cannot be reached"),
     N_("the service may be down, or a firewall admits only registered addresses: call the source's contact")},
    {CURLE_OPERATION_TIMEDOUT, ERR_NETWORK, true, N_("the source did not answer in time"),
     N_("raise `timeout` or `stall_timeout`, or ask for smaller pages")},
    {CURLE_PARTIAL_FILE, ERR_NETWORK, true, N_("the answer was cut off before its end"),
     N_("nothing of it was taken; a later run asks again")},
    {CURLE_GOT_NOTHING, ERR_NETWORK, true, N_("the source closed the connection without an answer"), ""},
    {CURLE_SEND_ERROR, ERR_NETWORK, true, N_("the connection broke while the request was sent"), ""},
    {CURLE_RECV_ERROR, ERR_NETWORK, true, N_("the connection broke while the answer was read"),
     N_("nothing of it was taken; a later run asks again")},
    {CURLE_HTTP2, ERR_NETWORK, true, N_("the connection broke while the answer was read"), ""},
    {CURLE_HTTP2_STREAM, ERR_NETWORK, true, N_("the connection broke while the answer was read"), ""},
    {CURLE_SSL_CONNECT_ERROR, ERR_NETWORK, true, N_("the TLS handshake with the source failed"),
     N_("the source may speak only TLS older than 1.2, which is refused, or the port may not be a TLS port")},
    {CURLE_SSL_CERTPROBLEM, ERR_CONFIG, false, N_("the own certificate or its key cannot be used"),
     N_("check client_certificate, client_key and client_key_password")},
    {CURLE_SSL_CACERT_BADFILE, ERR_CONFIG, false, N_("the file of trusted certificates cannot be read"),
     N_("check ca_file: it must be PEM and readable")},
    {CURLE_FILESIZE_EXCEEDED, ERR_LIMIT, false, NULL, NULL},
    {CURLE_BAD_CONTENT_ENCODING, ERR_INPUT, true, N_("the answer's compression is broken"), ""},
    {CURLE_WEIRD_SERVER_REPLY, ERR_INPUT, false, N_("what answered does not speak HTTP"),
     N_("check the port in `url`")},
    {CURLE_UNSUPPORTED_PROTOCOL, ERR_INPUT, false, N_("what answered does not speak HTTP"),
     N_("check the port in `url`")},
    {CURLE_ABORTED_BY_CALLBACK, ERR_INTERRUPTED, false, N_("interrupted while talking to the source"), ""},
    {CURLE_OUT_OF_MEMORY, ERR_MEMORY, false, N_("out of memory"), ""},
};

static enum status explain_size(const struct http *http, struct error *error) {
  if (http->response->body.failed == ERR_MEMORY) {
    return error_memory(error);
  }
  if (http->response->file_error != 0) {
    int code = http->response->file_error;
    error_set(error, code == ENOSPC || code == EDQUOT ? ERR_FULL : ERR_IO,
              _("the answer cannot be kept in a temporary file: %s"), strerror(code));
    error_hint(error, "%s", _("see that the folder of TMPDIR, or /tmp, has room and can be written to"));
    return error->code;
  }
  if (http->response->link.failed != OK) {
    return error_set(error, ERR_LIMIT, "%s", _("the answer's `Link` header is too long"));
  }
  error_set(error, ERR_LIMIT, _("the answer is larger than %zu KiB"), http->response->body.limit / 1024);
  error_hint(error, "%s", _("ask for smaller pages, or raise `page_limit`"));
  return ERR_LIMIT;
}

static enum status explain_certificate(struct http *http, struct error *error) {
  long verified = 0;
  curl_easy_getinfo(http->curl, CURLINFO_SSL_VERIFYRESULT, &verified);
  const char *message = _("the source's certificate cannot be trusted");
  const char *hint =
      _("if the source has an own authority, put its certificate in `ca_file`; else somebody may stand in "
        "between");
  if (verified == X509_V_ERR_CERT_HAS_EXPIRED) {
    message = _("the source's certificate has expired");
    hint = _("call the source's contact: it must renew it; also check this machine's clock");
  } else if (verified == X509_V_ERR_CERT_NOT_YET_VALID) {
    message = _("the source's certificate is not valid yet");
    hint = _("check this machine's clock");
  } else if (verified == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
             || verified == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN
             || verified == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT) {
    message = _("the source's certificate is signed by an authority that is not trusted here");
  } else if (strstr(http->detail, "match") != NULL) { /* libcurl compares the name itself, and leaves no code */
    message = _("the source's certificate is for another host name");
    hint = _("check the host in `url`");
  }
  error_set(error, ERR_AUTH, "%s", message);
  error_hint(error, "%s", hint);
  return ERR_AUTH;
}

/* A server that wants a client certificate says so by a TLS alert, with TLS 1.3 only once data is read. */
static bool is_certificate_alert(const char *detail) {
  return strstr(detail, "alert certificate required") != NULL || strstr(detail, "alert bad certificate") != NULL
         || strstr(detail, "alert unknown ca") != NULL || strstr(detail, "alert certificate expired") != NULL
         || strstr(detail, "alert handshake failure") != NULL || strstr(detail, "certificate unknown") != NULL;
}

enum status http_explain(struct http *http, CURLcode code, bool *transient, struct error *error) {
  *transient = false;
  if (code == CURLE_WRITE_ERROR || code == CURLE_FILESIZE_EXCEEDED) {
    return explain_size(http, error);
  }
  if (code == CURLE_ABORTED_BY_CALLBACK && http->stalled) {
    code = CURLE_OPERATION_TIMEDOUT;
  }
  if (code == CURLE_PEER_FAILED_VERIFICATION) {
    return explain_certificate(http, error);
  }
  if (is_certificate_alert(http->detail)) {
    error_set(error, ERR_AUTH, "%s", _("the source refused the TLS handshake"));
    error_hint(error, "%s",
               http->settings->client_certificate == NULL
                   ? _("it may ask for a client certificate: see client_certificate")
                   : _("it may not know the client certificate, or it expired"));
    return ERR_AUTH;
  }
  for (size_t i = 0; i < sizeof transfer_faults / sizeof transfer_faults[0]; i++) {
    const struct transfer_fault *fault = &transfer_faults[i];
    if (fault->curl == code) {
      *transient = fault->transient;
      error_set(error, fault->status, "%s", _(fault->message));
      error_hint(error, "%s", fault->hint[0] == '\0' ? "" : _(fault->hint));
      return fault->status;
    }
  }
  error_set(error, ERR_NETWORK, _("the request failed: %s"), curl_easy_strerror(code));
  return ERR_NETWORK;
}

enum status http_give_up(int64_t attempts, struct error *error) {
  if (attempts > 1) {
    size_t length = strlen(error->message);
    snprintf(error->message + length, sizeof error->message - length, _(" (%lld tries)"), (long long)attempts);
  }
  return error->code;
}

enum status http_refuse_wait(const struct http_settings *settings, const struct http_response *response,
                             struct error *error) {
  error_set(error, ERR_NETWORK, _("the source answered %d and asks to wait %lld s, more than the allowed %lld s"),
            response->status, (long long)(response->retry_after / 1000000),
            (long long)(settings->retry_after_limit / 1000000));
  error_hint(error, "%s", _("a later run goes on from here; or raise `retry_after_limit`"));
  return ERR_NETWORK;
}

static const char *hint_for(int status) {
  switch (status) {
  case 400:
  case 422:
    return _("the source does not accept the request: check its parameters and body");
  case 404:
  case 410:
    return _("check the path in `url`: the service may have moved");
  case 405:
    return _("check `method`");
  case 407:
    return _("the proxy wants a login");
  case 408:
  case 504:
    return _("the source is too slow for this request: ask for smaller pages, or run later");
  case 413:
    return _("ask for smaller pages");
  case 415:
    return _("check the content type in `headers`");
  case 429:
    return _("the source limits requests: run less often, or raise `backoff`");
  default:
    return status >= 500 ? _("the fault is at the source: run later, or call its contact") : "";
  }
}

enum status http_check_status(const struct http_response *response, struct error *error) {
  int status = response->status;
  if (status >= 200 && status < 300) {
    return OK;
  }
  if (status == 401) {
    error_set(error, ERR_AUTH, "%s", _("the source refused the credentials (401)"));
    error_hint(error, "%s", _("check user, password, key or token, and whether they have expired"));
    return ERR_AUTH;
  }
  if (status == 403) {
    error_set(error, ERR_AUTH, "%s", _("the source knows the credentials but does not permit this (403)"));
    error_hint(error, "%s", _("ask the source for the permission; it may also admit only registered addresses"));
    return ERR_AUTH;
  }
  bool later = status >= 500 || status == 408 || status == 429; /* another try may do */
  error_set(error, later ? ERR_NETWORK : ERR_REMOTE, _("the source answered %d"), status);
  error_hint(error, "%s", hint_for(status));
  return http_give_up(response->attempts, error);
}

enum status http_check_redirect(const struct http_request *request, const char *target, bool more, int status,
                                struct error *error) {
  if (target == NULL || !url_same_origin(request->url, target)) {
    /* Its path can hold what was asked for: the host tells whom to ask. */
    char host[256], port[8], shown[280] = "?";
    if (target != NULL && url_host(target, host, port)) {
      snprintf(shown, sizeof shown, "%s:%s", host, port);
    }
    error_set(error, ERR_REMOTE, _("the source redirects (%d) to another place, %s"), status, shown);
    error_hint(error, "%s", _("no credentials are sent there; if it is right, put it in `url`"));
    return ERR_REMOTE;
  }
  if (request->post && status != 307 && status != 308) {
    error_set(error, ERR_REMOTE, _("the source redirects a POST (%d)"), status);
    error_hint(error, "%s", _("put the address that it redirects to in `url`"));
    return ERR_REMOTE;
  }
  if (!more) {
    return error_set(error, ERR_REMOTE, "%s", _("the source redirects in circles"));
  }
  return OK;
}

/* "Expire date:Nov 21 22:00:00 2027 GMT" of the first certificate of the chain. */
int64_t http_certificate_ends(struct http *http) {
  struct curl_certinfo *chain = NULL;
  if (curl_easy_getinfo(http->curl, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == NULL
      || chain->num_of_certs < 1) {
    return INT64_MAX;
  }
  for (const struct curl_slist *line = chain->certinfo[0]; line != NULL; line = line->next) {
    if (strncasecmp(line->data, "Expire date:", 12) == 0) {
      time_t at = curl_getdate(line->data + 12, NULL);
      return at == -1 ? INT64_MAX : (int64_t)at * 1000000;
    }
  }
  return INT64_MAX;
}
