/* The envelope that is sent: the configured body, wrapped where it is not whole, and WS-Security. */
#include "connectors/soap/soap.h"
#include "core/base/date.h"
#include "core/base/file.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>

enum { REQUEST_MOST = SOAP_REQUEST_MOST, SECURITY_MOST = 16384, NONCE_SIZE = 16, PLACEHOLDERS_MOST = 40 };
static const int64_t timestamp_life = INT64_C(300000000);

#define WSS "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"

enum status security_digest(struct slice nonce, const char *created, const char *password, char digest[32],
                            struct error *error) {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool good = context != NULL && EVP_DigestInit_ex(context, EVP_sha1(), NULL) == 1
              && EVP_DigestUpdate(context, nonce.data, nonce.len) == 1
              && EVP_DigestUpdate(context, created, strlen(created)) == 1
              && EVP_DigestUpdate(context, password, strlen(password)) == 1
              && EVP_DigestFinal_ex(context, hash, &size) == 1;
  EVP_MD_CTX_free(context);
  if (!good) {
    return error_set(error, ERR_INTERNAL, "%s", _("SHA-1 is not available, which a WS-Security digest needs"));
  }
  sodium_bin2base64(digest, 32, hash, size, sodium_base64_VARIANT_ORIGINAL);
  return OK;
}

static enum status write_xml(struct buffer *out, const char *text, struct error *error) {
  const struct placeholder one = {.name = "text", .value = text};
  return template_render("`security`", "{{text}}", &one, 1, ESCAPE_XML, out, error);
}

/* "2026-03-31T12:00:00.000Z": milliseconds, as common servers parse. */
static void stamp(int64_t micros, char text[TIMESTAMP_TEXT_SIZE]) {
  clock_format(micros, text);
  memcpy(text + 23, "Z", 2);
}

static enum status write_password(const struct soap_options *options, struct buffer *out, const char *created,
                                  struct error *error) {
  unsigned char nonce[NONCE_SIZE];
  char nonce_text[32], digest[32];
  if (options->security == SECURITY_TEXT) {
    buffer_text(out, "<wsse:Password Type=\"" WSS "username-token-profile-1.0#PasswordText\">");
    enum status status = write_xml(out, options->password, error);
    buffer_text(out, "</wsse:Password>");
    return status;
  }
  randombytes_buf(nonce, sizeof nonce);
  sodium_bin2base64(nonce_text, sizeof nonce_text, nonce, sizeof nonce, sodium_base64_VARIANT_ORIGINAL);
  enum status status =
      security_digest(slice_make((const char *)nonce, sizeof nonce), created, options->password, digest, error);
  buffer_printf(out,
                "<wsse:Password Type=\"" WSS "username-token-profile-1.0#PasswordDigest\">%s</wsse:Password>"
                "<wsse:Nonce EncodingType=\"" WSS "soap-message-security-1.0#Base64Binary\">%s</wsse:Nonce>"
                "<wsu:Created>%s</wsu:Created>",
                digest, nonce_text, created);
  return status;
}

enum status security_write(const struct soap_options *options, struct buffer *out, struct error *error) {
  char created[TIMESTAMP_TEXT_SIZE], ends[TIMESTAMP_TEXT_SIZE];
  int64_t now = clock_now();
  stamp(now, created);
  stamp(now + timestamp_life, ends);
  buffer_printf(out,
                "<wsse:Security xmlns:wsse=\"" WSS "wssecurity-secext-1.0.xsd\" xmlns:wsu=\"" WSS
                "wssecurity-utility-1.0.xsd\" xmlns:soapsec=\"%s\" soapsec:mustUnderstand=\"1\">",
                options->version == VERSION_11 ? SOAP_11 : SOAP_12);
  if (options->timestamp) {
    buffer_printf(out, "<wsu:Timestamp><wsu:Created>%s</wsu:Created><wsu:Expires>%s</wsu:Expires></wsu:Timestamp>",
                  created, ends);
  }
  buffer_text(out, "<wsse:UsernameToken><wsse:Username>");
  enum status status = write_xml(out, options->username, error);
  buffer_text(out, "</wsse:Username>");
  status = status == OK ? write_password(options, out, created, error) : status;
  buffer_text(out, "</wsse:UsernameToken></wsse:Security>");
  return status == OK ? buffer_check(out, "security", error) : status;
}

static bool is_whole(const char *text) {
  const char *at = strstr(text, "Envelope");
  return at != NULL && strchr(text, '<') < at;
}

/* What stands around the body, and whether there is a place for the security header. */
static enum status wrap(const struct soap_options *options, struct buffer *text, struct error *error) {
  if (is_whole(text->data)) {
    if (options->security != SECURITY_NONE && !template_has(text->data, "security")) {
      error_set(error, ERR_CONFIG, "%s", _("the request's envelope has no {{security}}"));
      error_hint(error, "%s", _("write it inside soap:Header, or give the content of soap:Body alone"));
      return ERR_CONFIG;
    }
    return OK;
  }
  struct buffer whole;
  buffer_init(&whole, REQUEST_MOST);
  buffer_printf(&whole,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soap:Envelope xmlns:soap=\"%s\">"
                "<soap:Header>{{security}}</soap:Header><soap:Body>%s</soap:Body></soap:Envelope>",
                options->version == VERSION_11 ? SOAP_11 : SOAP_12, text->data);
  enum status status = buffer_check(&whole, "request", error);
  buffer_free(text);
  *text = whole;
  return status;
}

static const char *text_or_null(const struct buffer *buffer) {
  return buffer->len > 0 ? buffer->data : NULL;
}

static enum status render(const struct soap_options *options, const struct secrets *secrets,
                          const struct position *position, int64_t page_size, const char *text, const char *security,
                          struct buffer *out, struct error *error) {
  char page[24], offset[24], size[24];
  struct placeholder list[PLACEHOLDERS_MOST] = {
      {.name = "since", .value = text_or_null(&position->since)},
      {.name = "until", .value = text_or_null(&position->until)},
      {.name = "page", .value = page},
      {.name = "offset", .value = offset},
      {.name = "page_size", .value = size},
      {.name = "username", .value = options->username},
      {.name = "password", .value = options->password},
      {.name = "security", .value = security, .raw = true},
  };
  size_t count = 8;
  snprintf(page, sizeof page, "%" PRId64, position->page - 1 + options->page_start);
  snprintf(offset, sizeof offset, "%" PRId64, position->offset);
  snprintf(size, sizeof size, "%" PRId64, page_size > 0 ? page_size : options->page_size);
  enum status status = secrets_name(secrets, list, &count, PLACEHOLDERS_MOST, error);
  return status == OK ? template_render("`request`", text, list, count, ESCAPE_XML, out, error) : status;
}

enum status soap_write_request(const struct soap_options *options, const struct secrets *secrets,
                               const struct position *position, int64_t page_size, struct buffer *out,
                               struct error *error) {
  struct buffer text, security;
  buffer_init(&text, REQUEST_MOST);
  buffer_init(&security, SECURITY_MOST);
  enum status status = OK;
  if (options->request_file != NULL) {
    status = file_read(options->request_file, REQUEST_MOST, &text, error);
  } else {
    buffer_text(&text, options->request);
  }
  status = status == OK ? buffer_check(&text, "request", error) : status;
  status = status == OK ? wrap(options, &text, error) : status;
  if (status == OK && options->security != SECURITY_NONE) {
    status = security_write(options, &security, error);
  }
  status = status == OK ? render(options, secrets, position, page_size, text.data, text_or_null(&security), out, error)
                        : status;
  buffer_free(&text);
  buffer_wipe(&security);
  return status;
}
