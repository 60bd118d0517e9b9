#include "core/notify/transfer.h"

#include "connectors/http/http.h"

#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <strings.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode ready = CURLE_OK;

static void prepare(void) {
  ready = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t take_body(char *data, size_t size, size_t count, void *context) {
  const struct transfer *transfer = context;
  if (transfer->answer != NULL) {
    (void)buffer_append(&transfer->answer->body, data, size * count);
  }
  return size * count;
}

/* Nothing that a server says may write to a terminal by itself. */
static void take_printable(char *out, size_t size, const char *text, size_t len) {
  size_t used = 0;
  for (size_t i = 0; i < len && used + 1 < size; i++) {
    if (text[i] >= ' ' && text[i] <= '~') {
      out[used++] = text[i];
    }
  }
  out[used] = '\0';
}

/* Headers of HTTP; replies of a mail server. */
static size_t take_line(char *data, size_t size, size_t count, void *context) {
  static const char etag[] = "etag: ";
  const struct transfer *transfer = context;
  struct transfer_answer *answer = transfer->answer;
  size_t len = size * count;
  if (answer != NULL && transfer->mail && len > 4 && strncmp(data, "250 ", 4) == 0) {
    take_printable(answer->line, sizeof answer->line, data, len);
  } else if (answer != NULL && !transfer->mail && len > strlen(etag) && strncasecmp(data, etag, strlen(etag)) == 0) {
    take_printable(answer->etag, sizeof answer->etag, data + strlen(etag), len - strlen(etag));
  }
  return len;
}

static int look_at_stop(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
  const struct transfer *transfer = context;
  (void)a, (void)b, (void)c, (void)d;
  return transfer->stop != NULL && atomic_load(transfer->stop) ? 1 : 0;
}

enum status transfer_open(struct transfer *transfer, const struct notify_limits *limits, const char *ca_file,
                          const atomic_bool *stop, struct error *error) {
  pthread_once(&once, prepare);
  *transfer = (struct transfer){.limits = limits, .stop = stop};
  transfer->curl = ready == CURLE_OK ? curl_easy_init() : NULL;
  CURL *curl = transfer->curl;
  if (curl == NULL) {
    return error_memory(error);
  }
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->detail);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(limits->connect / 1000));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(limits->whole / 1000));
  curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)(limits->whole / 1000000 + 1));
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_line);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_at_stop);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  if (ca_file != NULL) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
  }
  return OK;
}

void transfer_close(struct transfer *transfer) {
  curl_easy_cleanup(transfer->curl);
  sodium_memzero(transfer->detail, sizeof transfer->detail);
}

/* ---- what went wrong ---- */

static enum status fail(struct error *error, enum status status, const char *message, const char *hint) {
  error_set(error, status, "%s", message);
  error_hint(error, "%s", hint);
  return status;
}

static enum status explain_certificate(const struct transfer *transfer, struct error *error) {
  long verified = 0;
  curl_easy_getinfo(transfer->curl, CURLINFO_SSL_VERIFYRESULT, &verified);
  if (verified == X509_V_ERR_CERT_HAS_EXPIRED) {
    return fail(error, ERR_AUTH, _("the server's certificate has expired"),
                _("who runs the server must renew it; also check this machine's clock"));
  }
  if (strstr(transfer->detail, "match") != NULL) {
    return fail(error, ERR_AUTH, _("the server's certificate is for another host name"),
                _("write the host as its certificate names it"));
  }
  return fail(error, ERR_AUTH, _("the server's certificate is signed by an authority that is not trusted here"),
              transfer->mail ? _("put the authority's certificate (PEM) in `ca_file` of `mail`")
                             : _("add the authority to those that this machine trusts (update-ca-certificates)"));
}

static enum status explain_mail(const struct transfer *transfer, CURLcode code, long answer, bool *transient,
                                struct error *error) {
  if (code == CURLE_LOGIN_DENIED) {
    *transient = answer >= 400 && answer < 500;
    return fail(error, ERR_AUTH, _("the mail server refused user or password"),
                _("check `username` and `password` of `mail`, and whether the password has expired"));
  }
  if (code == CURLE_USE_SSL_FAILED) {
    return fail(error, ERR_AUTH, _("the mail server offers no encryption (STARTTLS)"),
                _("use its port for smtps, or a server that encrypts: nothing is sent in clear to another machine"));
  }
  (void)transfer;
  *transient = answer >= 400 && answer < 500;
  error_set(error, ERR_REMOTE,
            *transient ? _("the mail server refused the message for now (%ld)")
                       : _("the mail server refused the message (%ld)"),
            answer);
  error_hint(error, "%s",
             *transient ? _("it is tried again; if it lasts, ask who runs the mail server")
                        : _("check `from` and `to` of `mail`: the server must take mail from and for them"));
  return ERR_REMOTE;
}

static enum status explain_failure(const struct transfer *transfer, CURLcode code, bool *transient,
                                   struct error *error) {
  long answer = 0;
  *transient = true;
  curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &answer);
  switch (code) {
  case CURLE_COULDNT_RESOLVE_HOST:
    return fail(error, ERR_NETWORK, _("the server's host name cannot be resolved"),
                _("check the host, and the name server of this machine"));
  case CURLE_COULDNT_CONNECT:
    return fail(error, ERR_NETWORK, _("the server refuses the connection or cannot be reached"),
                _("check host and port, and whether a firewall stands between"));
  case CURLE_OPERATION_TIMEDOUT:
    return fail(error, ERR_NETWORK, _("the server did not answer in time"), _("ask who runs it whether it is well"));
  case CURLE_PEER_FAILED_VERIFICATION:
    *transient = false;
    return explain_certificate(transfer, error);
  case CURLE_SSL_CACERT_BADFILE:
    *transient = false;
    return fail(error, ERR_CONFIG, _("the file of trusted certificates cannot be read"),
                _("check `ca_file` of `mail`: it must be PEM and readable"));
  case CURLE_SSL_CONNECT_ERROR:
    return fail(error, ERR_NETWORK, _("the TLS handshake with the server failed"),
                _("check whether the port speaks TLS: smtps on 465, smtp with STARTTLS on 587"));
  case CURLE_ABORTED_BY_CALLBACK:
    *transient = false;
    return error_set(error, ERR_INTERRUPTED, "%s", _("interrupted while a message was sent"));
  case CURLE_OUT_OF_MEMORY:
    *transient = false;
    return error_memory(error);
  default:
    break;
  }
  *transient = false;
  if (transfer->mail && (answer >= 400 || code == CURLE_LOGIN_DENIED || code == CURLE_USE_SSL_FAILED)) {
    return explain_mail(transfer, code, answer, transient, error);
  }
  *transient = true;
  return fail(error, ERR_NETWORK, _("the connection broke while the message was sent"), "");
}

/* The answer of a webhook that was reached. */
static enum status explain_answer(const struct transfer *transfer, bool *transient, struct error *error) {
  long answer = 0;
  curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &answer);
  *transient = answer == 408 || answer == 429 || answer >= 500;
  if (answer >= 200 && answer < 300) {
    return OK;
  }
  if (answer == 401 || answer == 403) {
    error_set(error, ERR_AUTH, _("the server refused the token (%ld)"), answer);
    error_hint(error, "%s", _("check `token` of the webhook, and whether it has expired"));
  } else if (answer >= 300 && answer < 400) {
    error_set(error, ERR_REMOTE, _("the server redirects (%ld), which is not followed"), answer);
    error_hint(error, "%s", _("put the address that it redirects to in `url` of the webhook"));
  } else {
    error_set(error, ERR_REMOTE, _("the server answered %ld"), answer);
    error_hint(error, "%s",
               *transient ? _("it is tried again; if it lasts, ask who runs the server")
                          : _("check `url` of the webhook, and what its server expects"));
  }
  return error->code;
}

static enum status run_once(struct transfer *transfer, bool *transient, struct error *error) {
  transfer->detail[0] = '\0';
  if (transfer->answer != NULL) {
    transfer->answer->line[0] = transfer->answer->etag[0] = '\0';
    buffer_reset(&transfer->answer->body);
  }
  CURLcode code = curl_easy_perform(transfer->curl);
  if (transfer->answer != NULL) {
    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &transfer->answer->status);
  }
  if (code != CURLE_OK) {
    return explain_failure(transfer, code, transient, error);
  }
  return transfer->mail ? OK : explain_answer(transfer, transient, error);
}

enum status transfer_run(struct transfer *transfer, struct error *error) {
  int64_t pause = transfer->limits->pause;
  for (int tries = 1;; tries++, pause *= 2) {
    bool transient = false;
    enum status status = run_once(transfer, &transient, error);
    error->code = status; /* a try that succeeds leaves nothing of those before */
    if (status == OK || !transient || tries >= transfer->limits->tries) {
      return status;
    }
    if (http_wait(pause, transfer->stop, error) != OK) {
      return error_set(error, ERR_INTERRUPTED, "%s", _("interrupted while a message was sent"));
    }
  }
}
