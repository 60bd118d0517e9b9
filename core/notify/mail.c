/* Mail as RFC 5321 and 5322 have it: libcurl speaks SMTP and writes the MIME body, the headers are made here. */
#include "connectors/http/url.h"
#include "core/base/date.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/notify/transfer.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { HEADER_LIMIT = 4096, BODY_LIMIT = 1 << 20, WORD_BYTES = 42 };

/* A mailbox: "Puente <puente@example.org>" or the address alone. */
struct mailbox {
  char name[128], address[256];
};

static bool is_ascii(const char *text) {
  for (; *text != '\0'; text++) {
    if ((unsigned char)*text < ' ' || (unsigned char)*text > '~') {
      return false;
    }
  }
  return true;
}

/* Nothing that would end a line of the dialogue, or begin another address. */
static bool is_sound(const struct mailbox *mailbox) {
  const char *at = strchr(mailbox->address, '@');
  return at != NULL && at != mailbox->address && at[1] != '\0' && is_ascii(mailbox->address)
         && strpbrk(mailbox->address, " <>\",;") == NULL && strpbrk(mailbox->name, "\r\n\"") == NULL;
}

/* false: it is no address. */
static bool split_mailbox(const char *text, struct mailbox *mailbox) {
  const char *open = strchr(text, '<');
  size_t named = open == NULL ? 0 : (size_t)(open - text);
  const char *address = open == NULL ? text : open + 1;
  size_t length = strcspn(address, ">");
  while (named > 0 && (text[named - 1] == ' ' || text[named - 1] == '"')) {
    named--;
  }
  size_t quoted = named > 0 && text[0] == '"';
  if (length >= sizeof mailbox->address || named - quoted >= sizeof mailbox->name
      || (open != NULL && strcmp(address + length, ">") != 0)) {
    return false;
  }
  memcpy(mailbox->name, text + quoted, named - quoted);
  mailbox->name[named - quoted] = '\0';
  memcpy(mailbox->address, address, length);
  mailbox->address[length] = '\0';
  return is_sound(mailbox);
}

/* ---- headers ---- */

/* Text of a header; where it is not ASCII in encoded words (RFC 2047), none of which parts a character. */
static void put_words(struct buffer *out, const char *text) {
  if (is_ascii(text) && strlen(text) < 900) {
    buffer_text(out, text);
    return;
  }
  for (size_t at = 0, left = strlen(text); left > 0;) {
    char encoded[sodium_base64_ENCODED_LEN(WORD_BYTES, sodium_base64_VARIANT_ORIGINAL)];
    size_t size = left < WORD_BYTES ? left : WORD_BYTES;
    while (size > 1 && size < left && ((unsigned char)text[at + size] & 0xC0) == 0x80) {
      size--;
    }
    sodium_bin2base64(encoded, sizeof encoded, (const unsigned char *)text + at, size, sodium_base64_VARIANT_ORIGINAL);
    buffer_printf(out, "%s=?UTF-8?B?%s?=", at > 0 ? "\r\n " : "", encoded);
    at += size;
    left -= size;
  }
}

/* A subject is one line, whatever a workspace is called. */
static void put_subject(struct buffer *out, const char *subject) {
  struct buffer line;
  buffer_init(&line, HEADER_LIMIT);
  for (; *subject != '\0'; subject++) {
    buffer_char(&line, (unsigned char)*subject < ' ' ? ' ' : *subject);
  }
  put_words(out, line.data != NULL ? line.data : "");
  buffer_free(&line);
}

static void put_date(struct buffer *out) {
  static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  time_t now = (time_t)(clock_now() / 1000000);
  struct tm parts = {.tm_mday = 1};
  gmtime_r(&now, &parts);
  buffer_printf(out, "%s, %d %s %04d %02d:%02d:%02d +0000", days[parts.tm_wday], parts.tm_mday, months[parts.tm_mon],
                parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

static void put_id(struct buffer *out, const struct mailbox *from) {
  uint8_t bytes[16];
  char hex[2 * sizeof bytes + 1];
  randombytes_buf(bytes, sizeof bytes);
  hex_format(bytes, sizeof bytes, hex);
  buffer_printf(out, "<%s.puente%s>", hex, strchr(from->address, '@'));
}

static bool add_header(struct curl_slist **list, struct buffer *line) {
  struct curl_slist *longer = line->failed == OK ? curl_slist_append(*list, line->data) : NULL;
  buffer_reset(line);
  *list = longer != NULL ? longer : *list;
  return longer != NULL;
}

static bool make_headers(const struct notify_message *message, const struct mailbox *from, const struct mailbox *to,
                         struct curl_slist **list) {
  struct buffer line;
  buffer_init(&line, HEADER_LIMIT);
  buffer_text(&line, "Date: ");
  put_date(&line);
  bool made = add_header(list, &line);
  buffer_text(&line, "From: ");
  put_words(&line, from->name);
  buffer_printf(&line, "%s<%s>", from->name[0] != '\0' ? " " : "", from->address);
  made = made && add_header(list, &line);
  buffer_printf(&line, "To: <%s>", to->address);
  made = made && add_header(list, &line);
  buffer_text(&line, "Subject: ");
  put_subject(&line, message->subject);
  made = made && add_header(list, &line);
  buffer_text(&line, "Message-ID: ");
  put_id(&line, from);
  made = made && add_header(list, &line);
  buffer_text(&line, "Auto-Submitted: auto-generated");
  made = made && add_header(list, &line);
  buffer_printf(&line, "X-Puente-Kind: %s", notify_names[message->kind]);
  made = made && add_header(list, &line);
  buffer_free(&line);
  return made;
}

/* ---- body ---- */

/* Lines end with CR LF, which quoted-printable keeps as they are. */
static bool make_body(curl_mime *mime, const char *text) {
  struct buffer lines;
  buffer_init(&lines, BODY_LIMIT);
  for (; *text != '\0'; text++) {
    if (*text == '\n') {
      buffer_char(&lines, '\r');
    }
    if (*text != '\r') {
      buffer_char(&lines, *text);
    }
  }
  curl_mimepart *part = curl_mime_addpart(mime);
  bool made = lines.failed == OK && part != NULL
              && curl_mime_data(part, lines.data != NULL ? lines.data : "", lines.len) == CURLE_OK
              && curl_mime_type(part, "text/plain; charset=utf-8") == CURLE_OK
              && curl_mime_encoder(part, "quoted-printable") == CURLE_OK;
  buffer_free(&lines);
  return made;
}

/* ---- the way to the server ---- */

static bool is_loopback(const char *host) {
  return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

/* STARTTLS is demanded of another machine; smtps begins encrypted. */
static enum status set_server(struct transfer *transfer, const struct notify_config *notify, const char *password,
                              struct error *error) {
  CURL *curl = transfer->curl;
  char host[256], port[8];
  bool good = strncmp(notify->server, "smtp://", 7) == 0 || strncmp(notify->server, "smtps://", 8) == 0;
  if (!good || !url_host(notify->server, host, port)) {
    error_set(error, ERR_CONFIG, "%s", _("`server` of `mail` is no address"));
    error_hint(error, "%s", _("write it as smtps://host:465, or as smtp://host:587"));
    return ERR_CONFIG;
  }
  bool plain = is_loopback(host) && notify->ca_file == NULL;
  transfer->mail = true;
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_USE_SSL, plain ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
  if (curl_easy_setopt(curl, CURLOPT_URL, notify->server) != CURLE_OK
      || (password != NULL
          && (curl_easy_setopt(curl, CURLOPT_USERNAME, notify->username) != CURLE_OK
              || curl_easy_setopt(curl, CURLOPT_PASSWORD, password) != CURLE_OK))) {
    return error_memory(error);
  }
  return OK;
}

static bool add_files(curl_mime *mime, const struct notify_message *message) {
  bool made = true;
  for (size_t i = 0; made && i < message->file_count; i++) {
    const struct notify_file *file = &message->files[i];
    curl_mimepart *part = curl_mime_addpart(mime);
    made = part != NULL && curl_mime_data(part, file->bytes.data, file->bytes.len) == CURLE_OK
           && curl_mime_type(part, file->type) == CURLE_OK && curl_mime_filename(part, file->name) == CURLE_OK
           && curl_mime_encoder(part, "base64") == CURLE_OK;
  }
  return made;
}

/* To one recipient: one who is refused does not hold up the others. */
static enum status send_one(struct transfer *transfer, const struct notify_message *message, const struct mailbox *from,
                            const struct mailbox *to, struct error *error) {
  CURL *curl = transfer->curl;
  struct curl_slist *headers = NULL;
  struct curl_slist *recipients = curl_slist_append(NULL, to->address);
  curl_mime *mime = curl_mime_init(curl);
  enum status status = OK;
  if (recipients == NULL || mime == NULL || !make_headers(message, from, to, &headers)
      || !make_body(mime, message->text) || !add_files(mime, message)) {
    status = error_memory(error);
  } else {
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from->address);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_MIMEPOST, mime);
    status = transfer_run(transfer, error);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, NULL);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(curl, CURLOPT_MIMEPOST, NULL);
  }
  curl_mime_free(mime);
  curl_slist_free_all(recipients);
  curl_slist_free_all(headers);
  return status;
}

static enum status no_mailbox(const char *key, struct error *error) {
  error_set(error, ERR_CONFIG, _("`%s` of `mail` is no mail address"), key);
  error_hint(error, "%s", _("write it as name@example.org, or as \"Puente <name@example.org>\""));
  return ERR_CONFIG;
}

/* OK where one recipient got it; `error` tells of those who did not. */
static enum status send_to_all(struct transfer *transfer, const struct notify_config *notify,
                               const struct mail_route *route, const struct notify_message *message,
                               struct error *error) {
  struct mailbox from, to;
  size_t told = 0;
  error->code = OK;
  if (notify->from == NULL || !split_mailbox(notify->from, &from)) {
    return no_mailbox("from", error);
  }
  for (size_t i = 0; i < route->to_count; i++) {
    struct error one;
    enum status status =
        split_mailbox(route->to[i], &to) ? send_one(transfer, message, &from, &to, &one) : no_mailbox("to", &one);
    if (status != OK) {
      error_place(&one, _("recipient %zu of %zu"), i + 1, route->to_count);
      *error = error->code == OK ? one : *error;
    }
    told += status == OK;
    if (status == ERR_NETWORK || status == ERR_AUTH || status == ERR_INTERRUPTED) {
      break; /* it is the server, and the others would wait for it as long */
    }
  }
  return told > 0 ? OK : error->code;
}

enum status mail_send(const struct config *config, const struct mail_route *route, const struct notify_message *message,
                      const struct notify_limits *limits, const atomic_bool *stop, struct error *error) {
  const struct notify_config *notify = &config->notify;
  struct transfer transfer = {.curl = NULL};
  char *password = NULL;
  enum status status = OK;
  if (notify->username != NULL && notify->password != NULL) {
    status = secret_read(notify->password, config->folder, &password, error);
  }
  status = status == OK ? transfer_open(&transfer, limits, notify->ca_file, stop, error) : status;
  status = status == OK ? set_server(&transfer, notify, password, error) : status;
  transfer.answer = route->answer;
  status = status == OK ? send_to_all(&transfer, notify, route, message, error) : status;
  transfer_close(&transfer);
  secret_free(password);
  return status;
}
