#include "connectors/http/http.h"
#include "connectors/http/http_private.h"
#include "core/base/date.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

const char *const http_proxies[] = {"none", "environment", NULL};

#define MINUTE INT64_C(60000000)
enum { REDIRECTS_MOST = 5, LINK_MOST = 16384, SLICE_MICROS = 50000 };

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready = CURLE_OK;

static void prepare_curl(void) {
  curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT);
}

void http_response_init(struct http_response *response, size_t limit) {
  *response = (struct http_response){.date = -1, .retry_after = -1, .file = -1};
  buffer_init(&response->body, limit);
  buffer_init(&response->link, LINK_MOST);
}

void http_response_free(struct http_response *response) {
  if (response->body.data != NULL) {
    sodium_memzero(response->body.data, response->body.capacity);
  }
  buffer_free(&response->body);
  buffer_free(&response->link);
  http_body_drop(response);
}

static void response_reset(struct http_response *response) {
  http_body_drop(response);
  buffer_reset(&response->body);
  buffer_reset(&response->link);
  response->status = 0;
  response->content_type[0] = '\0';
  response->date = -1;
  response->retry_after = -1;
}

/* ---- what curl calls back ---- */

static size_t take_body(char *data, size_t size, size_t count, void *context) {
  struct http *http = context;
  return http_take(http->response, data, size * count) ? size * count : 0;
}

/* The value of a header line if it has that name, else false. */
static bool header_is(struct slice line, const char *name, struct slice *value) {
  size_t length = strlen(name);
  if (line.len <= length || line.data[length] != ':' || strncasecmp(line.data, name, length) != 0) {
    return false;
  }
  *value = slice_trim(slice_make(line.data + length + 1, line.len - length - 1));
  return true;
}

static void copy_text(struct slice value, char *text, size_t size) {
  size_t kept = value.len < size - 1 ? value.len : size - 1;
  memcpy(text, value.data, kept);
  text[kept] = '\0';
}

static void take_retry_after(struct http_response *response, struct slice value) {
  char text[64];
  copy_text(value, text, sizeof text);
  char *end = NULL;
  long seconds = strtol(text, &end, 10);
  if (end != text && *end == '\0') {
    response->retry_after = seconds < 0 ? 0 : (seconds > 31536000 ? 31536000 : seconds) * INT64_C(1000000);
    return;
  }
  time_t at = curl_getdate(text, NULL);
  if (at != -1) {
    /* Against the server's own clock where it tells it: ours may be wrong. */
    int64_t now = response->date >= 0 ? response->date : clock_now();
    int64_t wait = (int64_t)at * 1000000 - now;
    response->retry_after = wait < 0 ? 0 : wait;
  }
}

static size_t take_header(char *data, size_t size, size_t count, void *context) {
  struct http *http = context;
  struct http_response *response = http->response;
  struct slice line = slice_trim(slice_make(data, size * count));
  struct slice value;
  if (line.len >= 5 && strncasecmp(line.data, "HTTP/", 5) == 0) {
    response_reset(response); /* an interim answer came before this one */
    http->retry_after[0] = '\0';
  } else if (header_is(line, "Content-Type", &value)) {
    copy_text(value, response->content_type, sizeof response->content_type);
  } else if (header_is(line, "Retry-After", &value)) {
    copy_text(value, http->retry_after, sizeof http->retry_after);
  } else if (header_is(line, "Date", &value)) {
    char text[64];
    copy_text(value, text, sizeof text);
    time_t at = curl_getdate(text, NULL);
    response->date = at == -1 ? -1 : (int64_t)at * 1000000;
  } else if (header_is(line, "Link", &value)) {
    if (response->link.len > 0) {
      buffer_text(&response->link, ", ");
    }
    buffer_slice(&response->link, value);
    if (response->link.failed != OK) {
      return 0; /* a cut link would be taken for the last page */
    }
  }
  return size * count;
}

/* Silence is measured here: libcurl's own low-speed limit averages over five seconds. */
static int look_at_progress(void *context, curl_off_t total, curl_off_t now, curl_off_t sent_total, curl_off_t sent) {
  struct http *http = context;
  (void)total, (void)sent_total;
  int64_t time = clock_monotonic();
  if (now + sent != http->moved) {
    http->moved = now + sent;
    http->moved_at = time;
  }
  http->stalled = time - http->moved_at > http->settings->stall_timeout;
  return http->stalled || (http->stop != NULL && atomic_load(http->stop)) ? 1 : 0;
}

/* ---- the handle ---- */

static void set_timeouts(CURL *curl, const struct http_settings *settings) {
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(settings->connect_timeout / 1000));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(settings->timeout / 1000));
}

static void set_trust(CURL *curl, const struct http_settings *settings) {
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  if (settings->ca_file != NULL) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, settings->ca_file);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
  }
  if (settings->client_certificate != NULL) {
    curl_easy_setopt(curl, CURLOPT_SSLCERT, settings->client_certificate);
    curl_easy_setopt(curl, CURLOPT_SSLKEY,
                     settings->client_key != NULL ? settings->client_key : settings->client_certificate);
  }
  if (settings->client_key_password != NULL) {
    curl_easy_setopt(curl, CURLOPT_KEYPASSWD, settings->client_key_password);
  }
  if (settings->proxy == HTTP_PROXY_NONE) {
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
  }
}

static void set_fixed(struct http *http) {
  CURL *curl = http->curl;
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->detail);
  curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "puente/" PUENTE_VERSION);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, http);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_at_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, http);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  set_timeouts(curl, http->settings);
  set_trust(curl, http->settings);
}

enum status http_open(const struct http_settings *settings, const atomic_bool *stop, struct http **http,
                      struct error *error) {
  *http = NULL;
  pthread_once(&curl_once, prepare_curl);
  struct http *made = calloc(1, sizeof *made);
  if (made == NULL || curl_ready != CURLE_OK || (made->curl = curl_easy_init()) == NULL) {
    free(made);
    return error_memory(error);
  }
  made->settings = settings;
  made->stop = stop;
  set_fixed(made);
  *http = made;
  return OK;
}

void http_close(struct http *http) {
  if (http != NULL) {
    curl_easy_cleanup(http->curl);
    sodium_memzero(http->detail, sizeof http->detail);
    free(http);
  }
}

/* ---- one request ---- */

static enum status set_request(struct http *http, const struct http_request *request, const char *url,
                               struct curl_slist **headers, struct error *error) {
  CURL *curl = http->curl;
  for (size_t i = 0; i < request->header_count; i++) {
    struct curl_slist *longer = curl_slist_append(*headers, request->headers[i]);
    if (longer == NULL) {
      return error_memory(error);
    }
    *headers = longer;
  }
  curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 0L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *headers);
  if (request->post) {
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.len > 0 ? request->body.data : "");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
  } else {
    curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(curl, CURLOPT_NOBODY, request->head ? 1L : 0L);
  }
  curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
  if (curl_easy_setopt(curl, CURLOPT_USERNAME, request->username) != CURLE_OK
      || curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password) != CURLE_OK
      || curl_easy_setopt(curl, CURLOPT_URL, url) != CURLE_OK) {
    return error_memory(error);
  }
  curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)http->response->body.limit);
  return OK;
}

static void begin_transfer(struct http *http) {
  http->detail[0] = '\0';
  http->retry_after[0] = '\0';
  http->moved = 0;
  http->moved_at = clock_monotonic();
  http->stalled = false;
}

static enum status send_once(struct http *http, const struct http_request *request, const char *url, bool *transient,
                             struct error *error) {
  struct curl_slist *headers = NULL;
  response_reset(http->response);
  begin_transfer(http);
  enum status status = set_request(http, request, url, &headers, error);
  if (status == OK) {
    CURLcode code = curl_easy_perform(http->curl);
    long answered = 0;
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answered);
    http->response->status = (int)answered;
    take_retry_after(http->response, slice_of(http->retry_after));
    if (code != CURLE_OK) {
      status = http_explain(http, code, transient, error);
    }
  }
  curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
  curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, NULL);
  curl_slist_free_all(headers);
  return status;
}

static bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Waits until the next request may be made; first tries, further ones and redirects are all spaced. */
static enum status keep_rate(struct http *http, struct error *error) {
  if (http->settings->rate <= 0) {
    return OK;
  }
  enum status status = http_wait(http->next_at - clock_monotonic(), http->stop, error);
  http->next_at = clock_monotonic() + MINUTE / http->settings->rate;
  return status;
}

/* Follows redirects within the host that was asked: credentials go nowhere else, and a POST stays a POST. */
static enum status send_following(struct http *http, const struct http_request *request, bool *transient,
                                  struct error *error) {
  struct buffer url;
  buffer_init(&url, URL_LENGTH_MOST);
  buffer_text(&url, request->url);
  enum status status = buffer_check(&url, "url", error);
  for (int hops = 0; status == OK; hops++) {
    status = keep_rate(http, error);
    status = status == OK ? send_once(http, request, url.data, transient, error) : status;
    if (status != OK || !is_redirect(http->response->status)) {
      break;
    }
    char *target = NULL;
    curl_easy_getinfo(http->curl, CURLINFO_REDIRECT_URL, &target);
    status = http_check_redirect(request, target, hops < REDIRECTS_MOST, http->response->status, error);
    if (status == OK) {
      buffer_reset(&url);
      buffer_text(&url, target);
      status = buffer_check(&url, "url", error);
    }
  }
  buffer_free(&url);
  return status;
}

enum status http_wait(int64_t micros, const atomic_bool *stop, struct error *error) {
  int64_t until = clock_monotonic() + micros;
  for (;;) {
    if (stop != NULL && atomic_load(stop)) {
      return error_set(error, ERR_INTERRUPTED, "%s", _("interrupted while waiting for the source"));
    }
    int64_t left = until - clock_monotonic();
    if (left <= 0) {
      return OK;
    }
    left = left < SLICE_MICROS ? left : SLICE_MICROS;
    nanosleep(&(struct timespec){.tv_nsec = (long)left * 1000}, NULL);
  }
}

static bool worth_retrying(const struct http_request *request, const struct http_response *response) {
  int status = response->status;
  bool busy = status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505);
  return busy && (request->final == NULL || !request->final(response));
}

/* Doubling, half of it at random, so that many clients of a source that comes back do not all return at once. */
static int64_t pause_before(const struct http_settings *settings, int64_t attempt) {
  int64_t pause = settings->backoff;
  for (int64_t i = 1; i < attempt && pause < settings->backoff_limit; i++) {
    pause *= 2;
  }
  pause = pause < settings->backoff_limit ? pause : settings->backoff_limit;
  int64_t half = pause / 2;
  return half + (half > 0 ? (int64_t)randombytes_uniform((uint32_t)(half < UINT32_MAX ? half + 1 : UINT32_MAX)) : 0);
}

enum status http_send(struct http *http, const struct http_request *request, struct http_response *response,
                      struct error *error) {
  const struct http_settings *settings = http->settings;
  struct http_request one = *request; /* its body may be made anew */
  http->response = response;
  for (int64_t attempt = 1;; attempt++) {
    bool transient = false;
    enum status status = send_following(http, &one, &transient, error);
    response->attempts = attempt;
    bool again = status == OK ? worth_retrying(&one, response) : transient;
    if (!again) {
      return status;
    }
    int64_t pause = pause_before(settings, attempt);
    if (status == OK && response->retry_after > settings->retry_after_limit) {
      return http_refuse_wait(settings, response, error);
    }
    if (attempt > settings->retries) {
      return status == OK ? OK : http_give_up(attempt, error);
    }
    pause = status == OK && response->retry_after > pause ? response->retry_after : pause;
    status = http_wait(pause, http->stop, error);
    if (status == OK && one.refresh != NULL) {
      status = one.refresh(one.context, &one.body, error);
    }
    if (status != OK) {
      return status;
    }
  }
}

enum status http_handshake(struct http *http, const char *url, int64_t *ends, bool *connected, struct error *error) {
  bool transient = false;
  struct http_response response;
  *ends = INT64_MAX;
  http_response_init(&response, 1);
  http->response = &response;
  begin_transfer(http);
  curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L);
  curl_easy_setopt(http->curl, CURLOPT_URL, url);
  curl_easy_setopt(http->curl, CURLOPT_CERTINFO, 1L);
  curl_easy_setopt(http->curl, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(http->curl, CURLOPT_FRESH_CONNECT, 1L);
  CURLcode code = curl_easy_perform(http->curl);
  *connected = code != CURLE_COULDNT_CONNECT && code != CURLE_COULDNT_RESOLVE_HOST
               && code != CURLE_COULDNT_RESOLVE_PROXY && code != CURLE_OPERATION_TIMEDOUT;
  enum status status = code == CURLE_OK ? OK : http_explain(http, code, &transient, error);
  if (status == OK) {
    *ends = http_certificate_ends(http);
  }
  curl_easy_setopt(http->curl, CURLOPT_CONNECT_ONLY, 0L);
  curl_easy_setopt(http->curl, CURLOPT_CERTINFO, 0L);
  curl_easy_setopt(http->curl, CURLOPT_FRESH_CONNECT, 0L);
  http_response_free(&response);
  http->response = NULL;
  return status;
}
