/* Secrets by name, and OAuth2 client credentials (RFC 6749, 4.4) with renewal. */
#include "connectors/rest/rest.h"
#include "core/base/date.h"
#include "core/base/text.h"

#include <curl/curl.h>
#include <sodium.h>

enum { TOKEN_MOST = 16384, TOKEN_ANSWER_MOST = 65536 };
static const int64_t token_life_unstated = INT64_C(300000000); /* microseconds, where the server tells none */

enum status credentials_open(struct credentials *credentials, const struct rest_options *options, struct http *http,
                             struct error *error) {
  *credentials = (struct credentials){.options = options, .http = http};
  buffer_init(&credentials->token, TOKEN_MOST);
  return secrets_open(&credentials->secrets, &options->secrets, error);
}

void credentials_close(struct credentials *credentials) {
  buffer_wipe(&credentials->token);
  secrets_close(&credentials->secrets);
}

/* The error codes of RFC 6749 5.2: a fixed vocabulary, so that they can be shown. */
static const char *known_oauth_error(struct slice code) {
  static const char *const known[] = {"invalid_request",     "invalid_client",         "invalid_grant",
                                      "unauthorized_client", "unsupported_grant_type", "invalid_scope"};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (slice_is(code, known[i])) {
      return known[i];
    }
  }
  return NULL;
}

static void append_form(struct buffer *form, const char *name, const char *value) {
  char *escaped = curl_easy_escape(NULL, value, (int)strlen(value));
  if (escaped == NULL) {
    form->failed = ERR_MEMORY;
    return;
  }
  buffer_printf(form, "%s%s=%s", form->len > 0 ? "&" : "", name, escaped);
  sodium_memzero(escaped, strlen(escaped));
  curl_free(escaped);
}

static enum status refuse_token(const struct http_response *response, const struct node *root, struct error *error) {
  const struct node *code = root != NULL ? node_at(root, "error") : NULL;
  const char *known = code != NULL ? known_oauth_error(code->text) : NULL;
  if (response->status == 400 || response->status == 401 || response->status == 403) {
    error_set(error, ERR_AUTH, _("the token server refused the client (%d%s%s)"), response->status,
              known != NULL ? ", " : "", known != NULL ? known : "");
    error_hint(error, "%s", _("check client_id, client_secret, scope and client_auth, and whether the secret expired"));
    return ERR_AUTH;
  }
  return http_check_status(response, error);
}

static enum status take_token(struct credentials *credentials, const struct http_response *response,
                              struct arena *arena, struct error *error) {
  struct node *root = NULL;
  struct error ignored;
  bool readable = json_read(buffer_view(&response->body), arena, &root, &ignored) == OK;
  if (response->status < 200 || response->status >= 300) {
    return refuse_token(response, readable ? root : NULL, error);
  }
  const struct node *token = readable ? node_at(root, "access_token") : NULL;
  if (token == NULL || token->kind != NODE_TEXT || token->text.len == 0) {
    error_set(error, ERR_REMOTE, "%s", _("the token server answered without an access_token"));
    error_hint(error, "%s", _("check token_url"));
    return ERR_REMOTE;
  }
  const struct node *life = node_at(root, "expires_in");
  int64_t seconds = 0;
  bool stated = life != NULL && text_to_int64(life->text, &seconds) && seconds > 0 && seconds < INT32_MAX;
  int64_t lasts = stated ? seconds * 1000000 : token_life_unstated;
  /* A token that lives shorter than the margin would be asked for before every page. */
  int64_t margin = credentials->options->token_renewal < lasts / 2 ? credentials->options->token_renewal : lasts / 2;
  credentials->ends = clock_monotonic() + lasts - margin;
  buffer_reset(&credentials->token);
  buffer_slice(&credentials->token, token->text);
  return buffer_check(&credentials->token, "token", error);
}

static enum status ask_token(struct credentials *credentials, struct error *error) {
  const struct rest_options *options = credentials->options;
  static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded", "Accept: application/json"};
  bool basic = options->client_auth == CLIENT_BASIC;
  struct buffer form;
  struct http_response response;
  struct arena *arena = arena_new(1 << 20);
  buffer_init(&form, TOKEN_MOST);
  http_response_init(&response, TOKEN_ANSWER_MOST);
  append_form(&form, "grant_type", "client_credentials");
  if (options->scope != NULL) {
    append_form(&form, "scope", options->scope);
  }
  if (!basic) {
    append_form(&form, "client_id", options->client_id);
    append_form(&form, "client_secret", options->client_secret);
  }
  enum status status = arena == NULL ? error_memory(error) : buffer_check(&form, "token request", error);
  if (status == OK) {
    struct http_request request = {.url = options->token_url,
                                   .headers = headers,
                                   .header_count = 2,
                                   .post = true,
                                   .body = buffer_view(&form),
                                   .username = basic ? options->client_id : NULL,
                                   .password = basic ? options->client_secret : NULL};
    status = http_send(credentials->http, &request, &response, error);
  }
  status = status == OK ? take_token(credentials, &response, arena, error) : status;
  if (status != OK) {
    char shown[URL_SHOWN_SIZE];
    url_show(options->token_url, shown);
    error_place(error, "%s", shown);
  }
  buffer_wipe(&form);
  http_response_free(&response);
  arena_free(arena);
  return status;
}

enum status credentials_renew(struct credentials *credentials, bool anew, struct error *error) {
  if (credentials->options->auth != AUTH_OAUTH2) {
    return OK;
  }
  if (!anew && credentials->token.len > 0 && clock_monotonic() < credentials->ends) {
    return OK;
  }
  return ask_token(credentials, error);
}
