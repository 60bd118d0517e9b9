/* Splits an XML document into records as libxml2's push parser goes through it. Only the record being read is a tree;
 * what lies outside is passed over. Memory is one record whatever the size of the document.
 *
 * The record path is made of local names; prefixes do not matter. It begins at the document's root, and inside a SOAP
 * 1.1 or 1.2 Body at any element, so that "/Denuncias/Denuncia" is found whatever a service wraps around it. A document
 * type declaration is refused, and with it every entity but the five of XML. */
#include "mapping/format/xml.h"

#include <inttypes.h>
#include <libxml/SAX2.h>
#include <libxml/parserInternals.h>
#include <stdlib.h>

enum { STEPS_MOST = 32, SCOPE_MOST = 256, PIECE = 4096, NODE_COST = 120 };
/* libxml2 gives up a document whose single text passes 10 MB. */
#define TEXT_MOST ((size_t)9 << 20)

struct scope {
  const xmlChar *prefix, *uri; /* owned by the parser's dictionary */
  int depth;
};
struct ready {
  size_t begin, len;
  uint64_t line;
  bool too_large;
};

struct xml_splitter {
  struct splitter head;
  struct arena *arena;
  char *path;
  struct slice steps[STEPS_MOST];
  size_t step_count;
  size_t record_limit;
  struct stream stream;
  xmlParserCtxtPtr parser;
  xmlSAXHandler sax;
  struct error failure;
  bool failed, started, ended;
  uint64_t lines_before;           /* line breaks before the document's first byte */
  struct scope scopes[SCOPE_MOST]; /* namespaces declared outside the record */
  size_t scope_count;
  int depth;
  unsigned char matched[XML_DEPTH + 1]; /* steps of the path that end at the open element of that depth */
  size_t deepest;                       /* most steps matched so far */
  bool soap;
  int body;       /* depth of the SOAP Body; 0: not in it */
  size_t in_body; /* elements seen in it */
  int record;     /* depth of the record element; 0: outside */
  bool skipping;
  size_t size, text, cost; /* of the record so far; of the text being read; of the tree */
  uint64_t line;
  struct buffer bytes; /* records ready to be taken */
  struct ready ready[PIECE];
  size_t ready_count, ready_next;
};

static inline struct xml_splitter *xml_of(struct splitter *splitter) {
  return (struct xml_splitter *)splitter;
}

/* From inside a callback: the parser stops at once. */
static void stop(struct xml_splitter *xml, enum status status, const char *message) {
  if (xml->failed)
    return;
  xml->failed = true;
  error_set(&xml->failure, status, "%s", message);
  error_place(&xml->failure, _("line %" PRIu64 ", column %d"),
              (uint64_t)xmlSAX2GetLineNumber(xml->parser) + xml->lines_before, xmlSAX2GetColumnNumber(xml->parser));
  xmlStopParser(xml->parser);
}

/* ---- the walk ---- */

static size_t match_steps(struct xml_splitter *xml, struct slice name) {
  size_t parent = xml->matched[xml->depth - 1];
  if (parent > 0 && parent < xml->step_count && slice_equal(name, xml->steps[parent]))
    return parent + 1;
  bool anchor = xml->depth == 1 || xml->body > 0;
  return anchor && slice_equal(name, xml->steps[0]) ? 1 : 0;
}

static void note_soap(struct xml_splitter *xml, struct slice name, const xmlChar *uri) {
  if (xml->depth == 1)
    xml->soap = slice_is(name, "Envelope") && uri != NULL
                && (strcmp((const char *)uri, "http://schemas.xmlsoap.org/soap/envelope/") == 0
                    || strcmp((const char *)uri, "http://www.w3.org/2003/05/soap-envelope") == 0);
  else if (xml->body > 0)
    xml->in_body++;
  else if (xml->depth == 2 && xml->soap && slice_is(name, "Body"))
    xml->body = 2;
}

static void declare(struct xml_splitter *xml, int count, const xmlChar **namespaces) {
  for (int i = 0; i < count; i++) {
    if (xml->scope_count == SCOPE_MOST) {
      stop(xml, ERR_INPUT, _("too many XML namespaces"));
      return;
    }
    xml->scopes[xml->scope_count++] =
        (struct scope){.prefix = namespaces[2 * i], .uri = namespaces[2 * i + 1], .depth = xml->depth};
  }
}

/* The namespaces in scope at the record element: the innermost of each prefix. Returns their number. */
static int in_scope(const struct xml_splitter *xml, const xmlChar *all[2 * SCOPE_MOST]) {
  int count = 0;
  for (size_t i = xml->scope_count; i-- > 0;) {
    const struct scope *scope = &xml->scopes[i];
    bool hidden = scope->uri == NULL || *scope->uri == '\0';
    for (size_t k = i + 1; k < xml->scope_count && !hidden; k++)
      hidden = xmlStrEqual(xml->scopes[k].prefix, scope->prefix);
    if (hidden)
      continue;
    all[2 * count] = scope->prefix;
    all[2 * count++ + 1] = scope->uri;
  }
  return count;
}

static void clear_tree(struct xml_splitter *xml) {
  xmlParserCtxtPtr parser = xml->parser;
  while (parser->nodeNr > 0)
    nodePop(parser);
  while (parser->myDoc != NULL && parser->myDoc->children != NULL) {
    xmlNodePtr node = parser->myDoc->children;
    xmlUnlinkNode(node);
    xmlFreeNode(node);
  }
}

/* Accounts for what the record grows by; past the limit its tree is given up. */
static void grow(struct xml_splitter *xml, size_t bytes, size_t nodes) {
  xml->size += bytes;
  xml->cost += bytes + nodes * NODE_COST;
  if (xml->size <= xml->record_limit && xml->cost <= 6 * xml->record_limit + PIECE && xml->text <= TEXT_MOST)
    return;
  xml->skipping = true;
  clear_tree(xml);
}

static void begin_record(struct xml_splitter *xml) {
  xml->record = xml->depth;
  xml->skipping = false;
  xml->size = xml->text = xml->cost = 0;
  xml->line = (uint64_t)xmlSAX2GetLineNumber(xml->parser) + xml->lines_before;
}

static void on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespace_count,
                     const xmlChar **namespaces, int attribute_count, int defaulted, const xmlChar **attributes) {
  xmlParserCtxtPtr parser = context;
  struct xml_splitter *xml = parser->_private;
  if (xml->depth == XML_DEPTH) {
    stop(xml, ERR_INPUT, _("the XML is nested more than 250 levels deep"));
    return;
  }
  xml->depth++;
  const xmlChar *all[2 * SCOPE_MOST];
  if (xml->record == 0) {
    struct slice local = slice_of((const char *)name);
    declare(xml, namespace_count, namespaces);
    note_soap(xml, local, uri);
    size_t matched = match_steps(xml, local);
    xml->matched[xml->depth] = (unsigned char)matched;
    xml->deepest = matched > xml->deepest ? matched : xml->deepest;
    if (matched < xml->step_count || xml->failed)
      return;
    begin_record(xml);
    namespace_count = in_scope(xml, all);
    namespaces = all;
  }
  size_t bytes = 2 * strlen((const char *)name) + 5;
  for (int i = 0; i < attribute_count; i++)
    bytes += strlen((const char *)attributes[5 * i]) + (size_t)(attributes[5 * i + 4] - attributes[5 * i + 3]) + 4;
  xml->text = 0;
  if (!xml->skipping)
    grow(xml, bytes, 1 + 2 * (size_t)attribute_count);
  if (!xml->skipping)
    xmlSAX2StartElementNs(parser, name, prefix, uri, namespace_count, namespaces, attribute_count, defaulted,
                          attributes);
}

static void end_record(struct xml_splitter *xml) {
  struct ready *ready = &xml->ready[xml->ready_count];
  *ready = (struct ready){.begin = xml->bytes.len, .line = xml->line, .too_large = xml->skipping};
  xml->record = 0;
  if (!xml->skipping && xml_canonical(xml->parser->myDoc, &xml->bytes, &xml->failure) != OK) {
    xml->failed = true;
    xmlStopParser(xml->parser);
    return;
  }
  clear_tree(xml);
  ready->len = xml->bytes.len - ready->begin;
  if (ready->len > xml->record_limit)
    ready->too_large = true;
  xml->ready_count++;
}

static void on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri) {
  xmlParserCtxtPtr parser = context;
  struct xml_splitter *xml = parser->_private;
  if (xml->failed)
    return;
  if (xml->record > 0 && !xml->skipping)
    xmlSAX2EndElementNs(parser, name, prefix, uri);
  xml->text = 0;
  if (xml->record == xml->depth)
    end_record(xml);
  if (xml->body == xml->depth)
    xml->body = 0;
  if (xml->record == 0)
    while (xml->scope_count > 0 && xml->scopes[xml->scope_count - 1].depth == xml->depth)
      xml->scope_count--;
  xml->depth--;
}

static void on_text(void *context, const xmlChar *text, int len) {
  xmlParserCtxtPtr parser = context;
  struct xml_splitter *xml = parser->_private;
  if (xml->record == 0 || xml->skipping || xml->failed)
    return;
  bool first = xml->text == 0;
  xml->text += (size_t)len;
  grow(xml, (size_t)len, first ? 1 : 0);
  if (!xml->skipping)
    xmlSAX2Characters(parser, text, len);
}

static void on_document_type(void *context, const xmlChar *name, const xmlChar *external, const xmlChar *system) {
  xmlParserCtxtPtr parser = context;
  struct xml_splitter *xml = parser->_private;
  (void)external;
  (void)system;
  if (name != NULL && xmlStrcasecmp(name, (const xmlChar *)"html") == 0) {
    stop(xml, ERR_INPUT, "");
    char place[sizeof xml->failure.place];
    memcpy(place, xml->failure.place, sizeof place);
    error_html(&xml->failure, "XML");
    error_place(&xml->failure, "%s", place);
    return;
  }
  stop(xml, ERR_INPUT, _("the document declares a document type (DTD), which is refused: it could expand or fetch"));
}

/* ---- life ---- */

static enum status read_path(struct xml_splitter *xml, const char *path, struct error *error) {
  xml->path = arena_text(xml->arena, slice_of(path));
  if (xml->path == NULL)
    return error_memory(error);
  struct slice rest = slice_of(xml->path), step;
  while (path_step(&rest, &step)) {
    if (xml->step_count == STEPS_MOST)
      return error_set(error, ERR_CONFIG, _("the record path has more than %d steps"), STEPS_MOST);
    xml->steps[xml->step_count++] = step;
  }
  return xml->step_count > 0
             ? OK
             : error_set(error, ERR_CONFIG, _("format xml needs \"record\", the path of its record element"));
}

static void free_parser(struct xml_splitter *xml) {
  if (xml->parser == NULL)
    return;
  if (xml->parser->myDoc != NULL)
    xmlFreeDoc(xml->parser->myDoc);
  xml->parser->myDoc = NULL;
  xmlFreeParserCtxt(xml->parser);
  xml->parser = NULL;
}

static void xml_splitter_free(struct splitter *splitter) {
  if (splitter == NULL)
    return;
  struct xml_splitter *xml = xml_of(splitter);
  free_parser(xml);
  stream_free(&xml->stream);
  buffer_free(&xml->bytes);
  arena_free(xml->arena);
  free(xml);
}

static void xml_begin(struct splitter *splitter) {
  struct xml_splitter *xml = xml_of(splitter);
  free_parser(xml);
  stream_reset(&xml->stream);
  buffer_reset(&xml->bytes);
  xml->failed = xml->started = xml->ended = xml->soap = xml->skipping = false;
  xml->lines_before = 0;
  xml->scope_count = xml->deepest = xml->in_body = 0;
  xml->depth = xml->body = xml->record = 0;
  xml->matched[0] = 0;
  xml->ready_count = xml->ready_next = 0;
}

static enum status xml_splitter_new(const struct format_options *options, struct splitter **splitter,
                                    struct error *error) {
  struct xml_splitter *xml = calloc(1, sizeof *xml);
  if (xml == NULL)
    return error_memory(error);
  xml_prepare();
  xml->head.format = &format_xml;
  xml->record_limit = options->record_limit != 0 ? options->record_limit : RECORD_LIMIT;
  stream_init(&xml->stream);
  buffer_init(&xml->bytes, 8 * xml->record_limit + ((size_t)1 << 20)); /* escapes lengthen text */
  xml->arena = arena_new(0);
  xmlSAXVersion(&xml->sax, 2);
  xml->sax.startElementNs = on_start;
  xml->sax.endElementNs = on_end;
  xml->sax.characters = xml->sax.ignorableWhitespace = xml->sax.cdataBlock = on_text;
  xml->sax.internalSubset = on_document_type;
  xml->sax.externalSubset = NULL;
  xml->sax.comment = NULL;
  xml->sax.processingInstruction = NULL;
  enum status status =
      xml->arena == NULL ? error_memory(error) : read_path(xml, options->record != NULL ? options->record : "", error);
  if (status != OK) {
    xml_splitter_free(&xml->head);
    return status;
  }
  xml_begin(&xml->head);
  *splitter = &xml->head;
  return OK;
}

static enum status xml_feed(struct splitter *splitter, struct slice bytes, bool final, struct error *error) {
  return stream_feed(&xml_of(splitter)->stream, bytes, final, error);
}

static struct slice xml_context(struct splitter *splitter) {
  (void)splitter;
  return slice_of("{}");
}

/* ---- reading ---- */

static const char *syntax_message(const xmlError *last, bool at_end) {
  switch (last != NULL ? last->code : 0) {
  case XML_ERR_TAG_NAME_MISMATCH:
    return _("an end tag does not match its start tag");
  case XML_ERR_UNDECLARED_ENTITY:
  case XML_WAR_UNDECLARED_ENTITY:
    return _("an entity that is not one of the five of XML");
  case XML_ERR_INVALID_CHAR:
  case XML_ERR_INVALID_ENCODING:
  case XML_I18N_CONV_FAILED:
    return _("bytes that are no text in the encoding that the document declares");
  case XML_ERR_UNKNOWN_ENCODING:
  case XML_ERR_UNSUPPORTED_ENCODING:
    return _("the document declares an encoding that is not known");
  case XML_ERR_INTERNAL_ERROR:
    return last->message != NULL && strstr(last->message, "Huge") != NULL ? _("a tag or an attribute is too long")
                                                                          : _("the document is not well-formed XML");
  default:
    return at_end ? _("the document ends before it is complete") : _("the document is not well-formed XML");
  }
}

static enum status fail(struct xml_splitter *xml, struct error *error) {
  xml->failed = true;
  *error = xml->failure;
  return error->code;
}

/* The parser gave up: the document is broken, or memory ran out, after which libxml2 ends without a word. */
static bool gave_up(const struct xml_splitter *xml) {
  return xml->started && (!xml->parser->wellFormed || xml->parser->disableSAX != 0);
}

static enum status fail_syntax(struct xml_splitter *xml, struct error *error) {
  const xmlError *last = xmlCtxtGetLastError(xml->parser);
  if (xml->parser->errNo == XML_ERR_NO_MEMORY || (last != NULL && last->code == XML_ERR_NO_MEMORY)) {
    error_memory(&xml->failure);
    return fail(xml, error);
  }
  error_set(&xml->failure, ERR_INPUT, "%s", syntax_message(last, xml->ended));
  error_place(&xml->failure, _("line %" PRIu64 ", column %d"),
              (uint64_t)(last != NULL && last->line > 0 ? last->line : 1) + xml->lines_before,
              last != NULL && last->int2 > 0 ? last->int2 : 1);
  return fail(xml, error);
}

/* Before the first tag: white space that some services send, or what is no XML at all. END: nothing but space yet. */
static enum status start_document(struct xml_splitter *xml, struct error *error) {
  struct slice bytes = stream_view(&xml->stream);
  size_t at = 0;
  for (; at < bytes.len && strchr(" \t\r\n", bytes.data[at]) != NULL && bytes.data[at] != '\0'; at++)
    xml->lines_before += bytes.data[at] == '\n';
  xml->stream.start += at;
  if (at == bytes.len && !xml->stream.final)
    return END;
  if (at == bytes.len) {
    error_set(&xml->failure, ERR_INPUT, _("the document is empty"));
    return fail(xml, error);
  }
  /* Tags begin with '<'; other first bytes belong to a byte order mark or to UTF-16, which libxml2 tells apart. */
  if ((unsigned char)bytes.data[at] < 128 && bytes.data[at] != '<' && bytes.data[at] != '\0') {
    bool json = bytes.data[at] == '{' || bytes.data[at] == '[';
    error_set(&xml->failure, ERR_INPUT, "%s",
              json ? _("the source answered with JSON where XML was expected")
                   : _("the source answered with text that is no XML"));
    error_place(&xml->failure, _("line %" PRIu64 ", column 1"), xml->lines_before + 1);
    return fail(xml, error);
  }
  struct xml_silence silence;
  xml_silence_begin(&silence);
  xml->parser = xmlCreatePushParserCtxt(&xml->sax, NULL, NULL, 0, NULL);
  if (!xml_silence_end(&silence) || xml->parser == NULL)
    return error_memory(error);
  xml->parser->_private = xml;
  xmlCtxtUseOptions(xml->parser, XML_PARSE_NONET | XML_PARSE_COMPACT);
  xml->started = true;
  return OK;
}

/* An answer without records may leave its containers out; one that holds other things has another path. */
static enum status check_path(struct xml_splitter *xml, struct error *error) {
  bool empty_answer = xml->soap && xml->in_body <= 2;
  if (xml->deepest + 1 >= xml->step_count || empty_answer)
    return END;
  struct slice missing = xml->steps[xml->deepest];
  error_set(&xml->failure, ERR_INPUT, _("the document has no \"%s\": no element \"%.*s\" where the path needs it"),
            xml->path, SLICE_ARG(missing));
  error_hint(&xml->failure, _("the path begins at the root, or inside a SOAP Body; names are without prefix"));
  return fail(xml, error);
}

static enum status push(struct xml_splitter *xml, struct error *error) {
  struct slice bytes = stream_view(&xml->stream);
  size_t len = bytes.len < PIECE ? bytes.len : PIECE;
  if (len == 0 && (!xml->stream.final || xml->ended))
    return END;
  buffer_reset(&xml->bytes);
  xml->ready_count = xml->ready_next = 0;
  xml->ended = len == 0;
  struct xml_silence silence;
  xml_silence_begin(&silence);
  xmlParseChunk(xml->parser, bytes.data, (int)len, xml->ended);
  if (!xml_silence_end(&silence)) {
    xml->ready_count = 0; /* they may lack what found no room */
    error_memory(&xml->failure);
    return fail(xml, error);
  }
  xml->stream.start += len;
  if (xml->failed || gave_up(xml))
    return OK; /* records before the fault come first */
  return xml->ended ? check_path(xml, error) : OK;
}

static void yield_record(struct xml_splitter *xml, struct raw *raw) {
  const struct ready *ready = &xml->ready[xml->ready_next++];
  *raw = (struct raw){.line = ready->line};
  if (ready->too_large)
    raw_too_large(raw, slice_make(xml->bytes.data, 0), xml->record_limit);
  else
    raw->bytes = slice_make(xml->bytes.data + ready->begin, ready->len);
}

static enum status xml_next(struct splitter *splitter, struct raw *raw, struct error *error) {
  struct xml_splitter *xml = xml_of(splitter);
  for (;;) {
    if (xml->ready_next < xml->ready_count) {
      yield_record(xml, raw);
      return OK;
    }
    if (xml->failed) {
      *error = xml->failure;
      return error->code;
    }
    if (gave_up(xml))
      return fail_syntax(xml, error);
    enum status status = xml->started ? push(xml, error) : start_document(xml, error);
    if (status != OK && xml->ready_next == xml->ready_count)
      return status;
  }
}

const struct format format_xml = {
    .name = "xml",
    .splitter_new = xml_splitter_new,
    .begin = xml_begin,
    .feed = xml_feed,
    .next = xml_next,
    .context = xml_context,
    .splitter_free = xml_splitter_free,
    .decoder_new = xml_decoder_new,
    .parse = xml_parse,
    .decoder_free = xml_decoder_free,
    .cut = xml_cut,
};
