/* One pass over an answer by libxml2's streaming reader: faults, counts and marks; no tree is built. */
#include "connectors/http/mark.h"
#include "connectors/soap/soap.h"
#include "core/base/text.h"

#include <libxml/xmlreader.h>
#include <stdio.h>

enum { PATH_MOST = 4096, MARK_TEXT_MOST = 256 };

void soap_answer_init(struct soap_answer *answer) {
  *answer = (struct soap_answer){0};
  buffer_init(&answer->mark, MARK_TEXT_MOST);
}

void soap_answer_free(struct soap_answer *answer) {
  buffer_free(&answer->mark);
}

struct reading {
  const struct http_response *response;
  char declaration[64]; /* read before the body from `offset` on */
  size_t declared, offset;
  enum status failed; /* of reading the body back */
  struct error *error;
  const struct soap_options *options;
  struct soap_answer *answer;
  xmlTextReaderPtr reader;
  char path[PATH_MOST]; /* local names: "/Envelope/Body/…" */
  size_t length;
  struct buffer text; /* of the element that is being read */
  int line;           /* of the first syntax error */
  bool broken, bomb;
};

/* The whole path, or its end at a name's start. */
static bool at(const struct reading *reading, const char *pattern) {
  if (pattern == NULL || pattern[0] == '\0') {
    return false;
  }
  size_t size = strlen(pattern);
  bool rooted = pattern[0] == '/';
  return size <= reading->length && memcmp(reading->path + reading->length - size, pattern, size) == 0
         && (rooted ? size == reading->length : reading->path[reading->length - size - 1] == '/');
}

static void take_error(void *context, xmlErrorPtr fault) {
  struct reading *reading = context;
  if (!reading->broken && fault->level >= XML_ERR_ERROR) {
    reading->broken = true;
    reading->line = fault->line;
    reading->bomb = fault->code == XML_ERR_ENTITY_LOOP || fault->code == XML_ERR_NAME_TOO_LONG
                    || fault->code == XML_ERR_INTERNAL_ERROR;
  }
}

static bool in_soap(xmlTextReaderPtr reader) {
  const char *space = (const char *)xmlTextReaderConstNamespaceUri(reader);
  return space != NULL && (strcmp(space, SOAP_11) == 0 || strcmp(space, SOAP_12) == 0);
}

static enum status enter(struct reading *reading, struct error *error) {
  struct soap_answer *answer = reading->answer;
  const char *name = (const char *)xmlTextReaderConstLocalName(reading->reader);
  size_t size = strlen(name);
  if (reading->length + size + 2 > PATH_MOST) {
    return error_set(error, ERR_LIMIT, "%s", _("the answer's elements are nested too deep"));
  }
  reading->path[reading->length] = '/';
  memcpy(reading->path + reading->length + 1, name, size + 1);
  reading->length += size + 1;
  buffer_reset(&reading->text);
  answer->envelope = answer->envelope || (at(reading, "/Envelope") && in_soap(reading->reader));
  answer->body = answer->body || at(reading, "/Envelope/Body");
  answer->fault = answer->fault || (at(reading, "/Envelope/Body/Fault") && in_soap(reading->reader));
  answer->records += at(reading, reading->options->record);
  return OK;
}

/* The first text of an element is kept, later ones do not replace it. */
static void keep(const struct reading *reading, const char *pattern, char text[SOAP_TEXT_MOST]) {
  if (text[0] == '\0' && at(reading, pattern)) {
    struct slice value = slice_trim(buffer_view(&reading->text));
    size_t size = value.len < SOAP_TEXT_MOST - 1 ? value.len : SOAP_TEXT_MOST - 1;
    memcpy(text, value.data != NULL ? value.data : "", size);
    text[size] = '\0';
  }
}

static enum status leave(struct reading *reading, struct error *error) {
  struct soap_answer *answer = reading->answer;
  const struct soap_options *options = reading->options;
  enum status status = OK;
  keep(reading, "/Envelope/Body/Fault/faultcode", answer->fault_code);
  keep(reading, "/Envelope/Body/Fault/faultstring", answer->fault_text);
  keep(reading, "/Envelope/Body/Fault/Code/Value", answer->fault_code);
  keep(reading, "/Envelope/Body/Fault/Code/Subcode/Value", answer->fault_subcode);
  keep(reading, "/Envelope/Body/Fault/Reason/Text", answer->fault_text);
  keep(reading, options->result.path, answer->result);
  keep(reading, options->total_element, answer->total);
  keep(reading, options->page_count_element, answer->pages);
  keep(reading, options->more_element, answer->more);
  if (at(reading, options->watermark_element)) {
    status = mark_raise(&answer->mark, buffer_view(&reading->text), options->watermark_format, error);
    status = status == ERR_INPUT ? OK : status; /* one record without a date is the mapping's matter */
  }
  while (reading->length > 0 && reading->path[reading->length - 1] != '/') {
    reading->length--;
  }
  reading->length -= reading->length > 0;
  reading->path[reading->length] = '\0';
  buffer_reset(&reading->text);
  return status;
}

static enum status refuse_type(struct error *error) {
  error_set(error, ERR_LIMIT, "%s", _("the answer declares a document type, which SOAP forbids"));
  error_hint(error, "%s", _("entities can make a small answer endless: it is refused; tell the source's contact"));
  return ERR_LIMIT;
}

static enum status take_node(struct reading *reading, struct error *error) {
  const char *value;
  enum status status = OK;
  switch (xmlTextReaderNodeType(reading->reader)) {
  case XML_READER_TYPE_DOCUMENT_TYPE:
    return refuse_type(error);
  case XML_READER_TYPE_ELEMENT:
    status = enter(reading, error);
    return status == OK && xmlTextReaderIsEmptyElement(reading->reader) ? leave(reading, error) : status;
  case XML_READER_TYPE_END_ELEMENT:
    return leave(reading, error);
  case XML_READER_TYPE_TEXT:
  case XML_READER_TYPE_CDATA:
    value = (const char *)xmlTextReaderConstValue(reading->reader);
    /* Only short texts are looked at; a long one is a record's, not the envelope's. */
    if (value != NULL && strlen(value) < SOAP_TEXT_MOST) {
      buffer_text(&reading->text, value);
    }
    return OK;
  default:
    return OK;
  }
}

static enum status explain_broken(const struct reading *reading, struct slice bytes, struct error *error) {
  struct slice body = slice_trim(bytes);
  if (reading->bomb) {
    error_set(error, ERR_LIMIT, "%s", _("the answer's XML passes the parser's limits"));
    error_hint(error, "%s", _("it is refused; tell the source's contact"));
  } else if (body.len == 0) {
    error_set(error, ERR_INPUT, "%s", _("the source answered with nothing instead of XML"));
    error_hint(error, "%s", _("an empty answer is not taken for the end; tell the source's contact"));
  } else {
    error_set(error, ERR_INPUT, "%s", _("the answer is not well-formed XML"));
    error_hint(error, "%s",
               _("it may have been cut off on its way, or its encoding is not the one that it declares; "
                 "nothing of it was taken"));
    error_place(error, _("line %d"), reading->line);
  }
  return error->code;
}

static enum status read_all(struct reading *reading, struct slice bytes, struct error *error) {
  int step = 1;
  enum status status = OK;
  while (status == OK && (step = xmlTextReaderRead(reading->reader)) == 1) {
    status = take_node(reading, error);
  }
  if (status == OK && (step < 0 || reading->broken)) {
    status = explain_broken(reading, bytes, error);
  }
  return status;
}

/* ---- faults ---- */

static bool is_letter(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

static char shape_of(unsigned char c, bool hidden) {
  if (c >= '0' && c <= '9') {
    return '9';
  }
  if (hidden && is_letter(c)) {
    return c >= 'A' && c <= 'Z' ? 'A' : 'a';
  }
  return c < 0x20 ? ' ' : (char)c;
}

enum { SENTENCE_WORD = 3 }; /* letters of a first word that begins a sentence and is nobody's name: "No", "The" */

static size_t word_length(const char *text) {
  size_t length = 0;
  while (is_letter((unsigned char)text[length])) {
    length++;
  }
  return length;
}

/* Fault texts are free words of the source: what could be a value of a person (digits, capitalised words, quoted parts)
 * is shown by its shape. */
static void clean_text(const char *text, char shown[128]) {
  size_t kept = 0;
  bool quoted = false, inside = false, hidden = false;
  for (size_t i = 0; text[i] != '\0' && kept < 120; i++) {
    unsigned char c = (unsigned char)text[i];
    quoted ^= c == '\'' || c == '"';
    if (is_letter(c) && !inside) {
      hidden = quoted || ((c < 'a' || c > 'z') && (i > 0 || word_length(text) > SENTENCE_WORD));
    }
    inside = is_letter(c);
    shown[kept++] = shape_of(c, hidden);
  }
  shown[kept] = '\0';
  while (kept > 0 && !utf8_valid(slice_make(shown, kept))) {
    shown[--kept] = '\0'; /* cut within a character */
  }
}

/* The fault codes of WS-Security (SOAP Message Security 1.1, 12) that are about who asks. */
static bool is_about_credentials(const char *code) {
  static const char *const words[] = {"FailedAuthentication",     "InvalidSecurity", "MessageExpired", "FailedCheck",
                                      "SecurityTokenUnavailable", "Authentication",  "Unauthorized"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (strstr(code, words[i]) != NULL) {
      return true;
    }
  }
  return false;
}

static enum status explain_fault(const struct soap_answer *answer, struct error *error) {
  char code[48], subcode[48], text[128];
  result_show(slice_of(answer->fault_code), code);
  result_show(slice_of(answer->fault_subcode), subcode);
  clean_text(answer->fault_text, text);
  bool credentials = is_about_credentials(answer->fault_code) || is_about_credentials(answer->fault_subcode);
  bool asked_wrong = strstr(code, "Client") != NULL || strstr(code, "Sender") != NULL;
  enum status status = asked_wrong ? ERR_REMOTE : ERR_NETWORK;
  error_set(error, credentials ? ERR_AUTH : status, _("the source answered with a SOAP fault %s%s%s%s%s"),
            code[0] != '\0' ? code : "?", subcode[0] != '\0' ? "/" : "", subcode, text[0] != '\0' ? ": " : "", text);
  if (credentials) {
    error_hint(error, "%s",
               _("check username, password and `security`, whether they have expired, and this machine's clock"));
  } else if (asked_wrong) {
    error_hint(error, "%s", _("the source does not accept the request: check `request`, `action` and `version`"));
  } else {
    error_hint(error, "%s", _("the fault is at the source: run later, or call its contact"));
  }
  return error->code;
}

static enum status check_shape(const struct soap_answer *answer, struct error *error) {
  if (answer->fault) {
    return explain_fault(answer, error);
  }
  if (!answer->envelope || !answer->body) {
    error_set(error, ERR_INPUT, "%s", _("the answer is XML, but no SOAP envelope with a body"));
    error_hint(error, "%s", _("check the path in `url`; a plain XML service is read by the connector `rest`"));
    return ERR_INPUT;
  }
  return OK;
}

/* Looked for before the parser sees it, which would read the declared entities first. */
static bool declares_type(struct slice bytes) {
  static const struct { const char *begin, *end; } skipped[] = {{"<?", "?>"}, {"<!--", "-->"}};
  struct slice left = slice_trim(bytes);
  for (bool again = true; again;) {
    again = false;
    for (size_t i = 0; i < sizeof skipped / sizeof skipped[0]; i++) {
      size_t size = strlen(skipped[i].begin);
      const char *end = left.len > size && memcmp(left.data, skipped[i].begin, size) == 0
                            ? memmem(left.data, left.len, skipped[i].end, strlen(skipped[i].end))
                            : NULL;
      if (end != NULL) {
        end += strlen(skipped[i].end);
        left = slice_trim(slice_make(end, left.len - (size_t)(end - left.data)));
        again = true;
      }
    }
  }
  return left.len >= 9 && memcmp(left.data, "<!DOCTYPE", 9) == 0;
}

void soap_declare(const struct http_response *response, char declaration[64], size_t *replaced) {
  struct slice bytes = slice_trim(buffer_view(&response->body));
  enum encoding encoding;
  struct slice charset = http_charset(response);
  declaration[0] = '\0';
  *replaced = 0;
  bool declared = bytes.len > 5 && memcmp(bytes.data, "<?xml", 5) == 0;
  const char *end = declared ? memmem(bytes.data, bytes.len, "?>", 2) : NULL;
  if (!encoding_parse(charset, &encoding) || encoding == ENCODING_UTF8
      || (end != NULL && memmem(bytes.data, (size_t)(end - bytes.data), "encoding", 8) != NULL)) {
    return;
  }
  snprintf(declaration, 64, "<?xml version=\"1.0\" encoding=\"%s\"?>",
           encoding == ENCODING_LATIN1 ? "ISO-8859-1" : "windows-1252");
  *replaced = end != NULL ? (size_t)(end + 2 - response->body.data) : 0;
}

static int read_piece(void *context, char *out, int most) {
  struct reading *reading = context;
  size_t size = (size_t)most;
  if (reading->declared < strlen(reading->declaration)) {
    size_t left = strlen(reading->declaration) - reading->declared;
    size = left < size ? left : size;
    memcpy(out, reading->declaration + reading->declared, size);
    reading->declared += size;
    return (int)size;
  }
  reading->failed = http_body_read(reading->response, reading->offset, out, &size, reading->error);
  reading->offset += reading->failed == OK ? size : 0;
  return reading->failed == OK ? (int)size : -1;
}

static int close_nothing(void *context) {
  (void)context;
  return 0;
}

enum status soap_answer_read(const struct soap_options *options, const struct http_response *response,
                             struct soap_answer *answer, struct error *error) {
  struct reading reading = {.options = options, .answer = answer, .response = response, .error = error};
  struct slice head = buffer_view(&response->body);
  if (declares_type(head)) {
    return refuse_type(error);
  }
  if (slice_trim(head).len == 0) {
    return explain_broken(&reading, head, error);
  }
  soap_declare(response, reading.declaration, &reading.offset);
  buffer_init(&reading.text, 4 * SOAP_TEXT_MOST);
  reading.reader = xmlReaderForIO(read_piece, close_nothing, &reading, NULL, NULL, XML_PARSE_NONET | XML_PARSE_COMPACT);
  if (reading.reader == NULL) {
    buffer_free(&reading.text);
    return error_memory(error);
  }
  xmlTextReaderSetStructuredErrorHandler(reading.reader, take_error, &reading);
  enum status status = read_all(&reading, head, error);
  xmlFreeTextReader(reading.reader);
  buffer_free(&reading.text);
  status = reading.failed != OK ? reading.failed : status;
  return status == OK ? check_shape(answer, error) : status;
}

bool soap_is_fault(const struct http_response *response) {
  const struct soap_options nothing = {0};
  struct soap_answer answer;
  struct error ignored;
  soap_answer_init(&answer);
  enum status status = soap_answer_read(&nothing, response, &answer, &ignored);
  bool fault = status != OK && answer.fault;
  soap_answer_free(&answer);
  return fault;
}
