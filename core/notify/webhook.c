#include "connectors/http/http.h"
#include "core/base/date.h"
#include "core/base/file.h"
#include "core/notify/transfer.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static json_t *file_json(const struct notify_file *file) {
  if (file->text) {
    return json_pack("{ss ss%}", "name", file->name, "text", file->bytes.data, file->bytes.len);
  }
  size_t size = sodium_base64_ENCODED_LEN(file->bytes.len, sodium_base64_VARIANT_ORIGINAL);
  char *encoded = malloc(size);
  if (encoded == NULL) {
    return NULL;
  }
  sodium_bin2base64(encoded, size, (const unsigned char *)file->bytes.data, file->bytes.len,
                    sodium_base64_VARIANT_ORIGINAL);
  json_t *object = json_pack("{ss ss}", "name", file->name, "base64", encoded);
  free(encoded);
  return object;
}

static bool add_files(json_t *root, const struct notify_message *message) {
  json_t *list = message->file_count == 0 ? NULL : json_array();
  bool good = message->file_count == 0 || list != NULL;
  for (size_t i = 0; good && i < message->file_count; i++) {
    good = json_array_append_new(list, file_json(&message->files[i])) == 0;
  }
  return list == NULL ? good : json_object_set_new(root, "files", list) == 0 && good;
}

/* What a webhook gets, allocated; NULL when out of memory. */
static char *body_of(const struct config *config, const struct notify_message *message) {
  char at[TIMESTAMP_TEXT_SIZE];
  clock_format(message->at, at);
  json_t *root = json_pack("{ss ss? ss ss ss ss?}", "kind", notify_names[message->kind], "source", message->source,
                           "subject", message->subject, "text", message->text, "at", at, "workspace", config->name);
  char *text = root == NULL || !add_files(root, message) ? NULL : json_dumps(root, JSON_COMPACT);
  json_decref(root);
  return text;
}

/* The header that holds the token, allocated; NULL where none is configured. */
static enum status read_token(const struct config *config, const struct webhook_config *webhook, struct buffer *header,
                              struct error *error) {
  char *token = NULL;
  if (webhook->token == NULL) {
    return OK;
  }
  enum status status = secret_read(webhook->token, config->folder, &token, error);
  if (status == OK) {
    buffer_printf(header, "Authorization: Bearer %s", token);
    status = strpbrk(token, "\r\n") != NULL
                 ? error_set(error, ERR_CONFIG, "%s", _("the token of a webhook holds a line end"))
                 : buffer_check(header, "token", error);
  }
  secret_free(token);
  return status;
}

static enum status post(struct transfer *transfer, const struct webhook_config *webhook, const char *body,
                        const struct buffer *token, struct error *error) {
  CURL *curl = transfer->curl;
  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
  struct curl_slist *longer = headers == NULL || token->len == 0 ? headers : curl_slist_append(headers, token->data);
  enum status status = OK;
  if (longer == NULL || curl_easy_setopt(curl, CURLOPT_URL, webhook->url) != CURLE_OK) {
    status = error_memory(error);
  } else {
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "puente/" PUENTE_VERSION);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, longer);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    status = transfer_run(transfer, error);
  }
  for (struct curl_slist *one = longer; one != NULL; one = one->next) {
    sodium_memzero(one->data, strlen(one->data));
  }
  curl_slist_free_all(headers);
  return status;
}

static enum status check_url(const char *url, struct error *error) {
  const struct http_settings settings = {.plain_http = false};
  enum status status = http_check_url(&settings, "`url`", url, error);
  if (status == OK || strncasecmp(url, "http://", 7) != 0) {
    return status;
  }
  error_set(error, ERR_CONFIG, "%s", _("the address of a webhook is http: what is told would travel in clear"));
  error_hint(error, "%s", _("use https"));
  return ERR_CONFIG;
}

enum status webhook_send(const struct config *config, const struct webhook_config *webhook,
                         struct transfer_answer *answer, const struct notify_message *message,
                         const struct notify_limits *limits, const atomic_bool *stop, struct error *error) {
  struct transfer transfer = {.curl = NULL};
  struct buffer token;
  buffer_init(&token, 8192);
  char *body = NULL;
  enum status status = check_url(webhook->url, error);
  status = status == OK ? read_token(config, webhook, &token, error) : status;
  if (status == OK && (body = body_of(config, message)) == NULL) {
    status = error_memory(error);
  }
  status = status == OK ? transfer_open(&transfer, limits, NULL, stop, error) : status;
  if (status == OK) {
    transfer.answer = answer;
    status = post(&transfer, webhook, body, &token, error);
  }
  transfer_close(&transfer);
  if (token.data != NULL) {
    sodium_memzero(token.data, token.capacity);
  }
  buffer_free(&token);
  free(body);
  return status;
}

enum status notify_post(const char *url, const char *type, struct slice body, const struct notify_limits *limits,
                        const atomic_bool *stop, struct buffer *out, struct error *error) {
  struct transfer transfer = {.curl = NULL};
  struct transfer_answer answer = {.body = {.limit = out->limit}};
  char header[128];
  snprintf(header, sizeof header, "Content-Type: %s", type);
  struct curl_slist *headers = curl_slist_append(NULL, header);
  enum status status = headers == NULL ? error_memory(error) : OK;
  status =
      status == OK ? transfer_open(&transfer, limits == NULL ? &notify_limits : limits, NULL, stop, error) : status;
  if (status == OK) {
    transfer.answer = &answer;
    curl_easy_setopt(transfer.curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(transfer.curl, CURLOPT_USERAGENT, "puente/" PUENTE_VERSION);
    curl_easy_setopt(transfer.curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(transfer.curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl_easy_setopt(transfer.curl, CURLOPT_POSTFIELDS, body.data);
    status = curl_easy_setopt(transfer.curl, CURLOPT_URL, url) != CURLE_OK ? error_memory(error)
                                                                           : transfer_run(&transfer, error);
  }
  status = status == OK ? buffer_check(&answer.body, _("the answer"), error) : status;
  status = status == OK && buffer_slice(out, buffer_view(&answer.body)) != OK ? error_memory(error) : status;
  transfer_close(&transfer);
  curl_slist_free_all(headers);
  buffer_free(&answer.body);
  return status;
}
