/* A landed XML record read again, and the record without some of its elements. */
#include "mapping/format/xml.h"

#include <libxml/c14n.h>
#include <libxml/encoding.h>
#include <libxml/parser.h>
#include <pthread.h>
#include <stdlib.h>

static const char xsi[] = "http://www.w3.org/2001/XMLSchema-instance";

/* UTF-8 of the bytes from 128 on. */
static unsigned char wide[128][4];
static unsigned char wide_len[128];

/* libxml2's contract: consumed and written lengths come back through the pointers. */
static int decode_1252(unsigned char *out, int *out_len, const unsigned char *in, int *in_len) {
  int read = 0, written = 0;
  while (read < *in_len) {
    unsigned char c = in[read];
    int len = c < 128 ? 1 : wide_len[c - 128];
    if (written + len > *out_len)
      break;
    if (c < 128)
      out[written] = c;
    else
      memcpy(out + written, wide[c - 128], (size_t)len);
    written += len;
    read++;
  }
  *in_len = read;
  *out_len = written;
  return written;
}

static void prepare(void) {
  xmlInitParser();
  struct arena *arena = arena_new(0);
  for (int c = 128; c < 256 && arena != NULL; c++) {
    char byte = (char)c;
    struct slice text = text_to_utf8(arena, slice_make(&byte, 1), ENCODING_WINDOWS_1252);
    if (text.data == NULL || text.len > sizeof wide[0])
      break;
    memcpy(wide[c - 128], text.data, text.len);
    wide_len[c - 128] = (unsigned char)text.len;
  }
  arena_free(arena);
  if (wide_len[127] == 0)
    return;
  static const char *const names[] = {"WINDOWS-1252", "CP1252", "CP-1252", "X-CP1252"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    xmlNewCharEncodingHandler(names[i], decode_1252, NULL);
}

void xml_prepare(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, prepare);
}

static void stay_silent(void *context, XML_FAULT *error) {
  struct xml_silence *silence = context;
  if (error->code == XML_ERR_NO_MEMORY)
    silence->memory_failed = true;
}

void xml_silence_begin(struct xml_silence *silence) {
  *silence = (struct xml_silence){.handler = xmlStructuredError, .context = xmlStructuredErrorContext};
  xmlSetStructuredErrorFunc(silence, stay_silent);
}

bool xml_silence_end(const struct xml_silence *silence) {
  xmlSetStructuredErrorFunc(silence->context, silence->handler);
  return !silence->memory_failed;
}

/* The standard refuses relative namespace names, which sources do use: libxml2's own way of writing serves for them. */
static bool dump_plainly(xmlDocPtr doc, struct buffer *out) {
  xmlBufferPtr plain = xmlBufferCreate();
  if (plain == NULL)
    return false;
  bool done = xmlNodeDump(plain, doc, xmlDocGetRootElement(doc), 0, 0) >= 0;
  if (done)
    buffer_append(out, xmlBufferContent(plain), (size_t)xmlBufferLength(plain));
  xmlBufferFree(plain);
  return done;
}

static bool has_relative_names(const xmlNode *node) {
  for (; node != NULL; node = node->next) {
    for (const xmlNs *ns = node->type == XML_ELEMENT_NODE ? node->nsDef : NULL; ns != NULL; ns = ns->next)
      if (ns->href != NULL && *ns->href != '\0' && strchr((const char *)ns->href, ':') == NULL)
        return true;
    if (node->type == XML_ELEMENT_NODE && has_relative_names(node->children))
      return true;
  }
  return false;
}

enum status xml_canonical(xmlDocPtr doc, struct buffer *out, struct error *error) {
  struct xml_silence silence;
  xml_silence_begin(&silence);
  xmlChar *text = NULL;
  bool relative = has_relative_names(xmlDocGetRootElement(doc));
  int len = relative ? -1 : xmlC14NDocDumpMemory(doc, NULL, XML_C14N_1_0, NULL, 0, &text);
  if (len >= 0)
    buffer_append(out, text, (size_t)len);
  bool done = len >= 0 || (relative && dump_plainly(doc, out));
  xmlFree(text);
  done = xml_silence_end(&silence) && done;
  return done ? buffer_check(out, _("record"), error) : error_memory(error);
}

enum status xml_decoder_new(struct slice context, struct decoder **decoder, struct error *error) {
  (void)context; /* nothing to know: the landed form is always UTF-8 with its namespaces */
  xml_prepare();
  *decoder = calloc(1, 1);
  return *decoder == NULL ? error_memory(error) : OK;
}

void xml_decoder_free(struct decoder *decoder) {
  free(decoder);
}

static enum status read_document(struct slice bytes, xmlDocPtr *doc, struct error *error) {
  const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA | XML_PARSE_COMPACT;
  struct xml_silence silence;
  xml_silence_begin(&silence);
  *doc = bytes.len > INT32_MAX ? NULL : xmlReadMemory(bytes.data, (int)bytes.len, NULL, "UTF-8", options);
  bool sufficed = xml_silence_end(&silence);
  if (sufficed && *doc != NULL && xmlGetIntSubset(*doc) == NULL && xmlDocGetRootElement(*doc) != NULL)
    return OK;
  xmlFreeDoc(*doc);
  if (!sufficed)
    return error_memory(error);
  return error_set(error, ERR_INPUT, _("the record is not well-formed XML"));
}

static struct slice local_name(const xmlChar *name) {
  const char *text = (const char *)name, *colon = strrchr(text, ':');
  return slice_of(colon == NULL ? text : colon + 1);
}

static bool is_text(const xmlNode *node) {
  return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}

/* The text that stands directly in an element or attribute. */
static bool own_text(const xmlNode *first, struct arena *arena, struct slice *text) {
  size_t len = 0;
  for (const xmlNode *node = first; node != NULL; node = node->next)
    len += is_text(node) ? strlen((const char *)node->content) : 0;
  char *copy = arena_bytes(arena, len + 1);
  if (copy == NULL)
    return false;
  *text = slice_make(copy, len);
  for (const xmlNode *node = first; node != NULL; node = node->next) {
    size_t part = is_text(node) ? strlen((const char *)node->content) : 0;
    memcpy(copy, part > 0 ? (const char *)node->content : "", part);
    copy += part;
  }
  return true;
}

static bool in_xsi(const xmlAttr *attribute) {
  return attribute->ns != NULL && attribute->ns->href != NULL && strcmp((const char *)attribute->ns->href, xsi) == 0;
}

static bool is_nil(const xmlNode *element) {
  for (const xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next)
    if (in_xsi(attribute) && slice_is(local_name(attribute->name), "nil") && attribute->children != NULL
        && attribute->children->content != NULL)
      return strcmp((const char *)attribute->children->content, "true") == 0
             || strcmp((const char *)attribute->children->content, "1") == 0;
  return false;
}

static bool put_attributes(const xmlNode *element, struct arena *arena, struct node *node, struct node **child) {
  for (const xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next) {
    if (in_xsi(attribute))
      continue;
    struct slice name = local_name(attribute->name);
    char *marked = arena_bytes(arena, name.len + 1);
    if (marked == NULL || !own_text(attribute->children, arena, &(*child)->text))
      return false;
    *marked = '@';
    memcpy(marked + 1, name.data, name.len);
    (*child)->name = slice_make(marked, name.len + 1);
    (*child)->kind = NODE_TEXT;
    (*child)->parent = node;
    ++*child;
  }
  return true;
}

/* The depth of a landed record is bounded by libxml2's own limit of 256. */
static bool put_element(const xmlNode *element, struct arena *arena, struct node *node) {
  uint32_t count = 0;
  for (const xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next)
    count += !in_xsi(attribute);
  for (const xmlNode *child = element->children; child != NULL; child = child->next)
    count += child->type == XML_ELEMENT_NODE;
  struct slice name = arena_copy(arena, local_name(element->name));
  if (name.data == NULL || !own_text(element->children, arena, &node->text))
    return false;
  node->name = name;
  node->kind = count > 0 ? NODE_OBJECT : is_nil(element) ? NODE_NULL : NODE_TEXT;
  if (count == 0)
    return true;
  if (slice_trim(node->text).len == 0)
    node->text = slice_make("", 0);
  struct node *at = arena_array(arena, count, sizeof *at);
  if (at == NULL)
    return false;
  node->children = at;
  node->count = count;
  if (!put_attributes(element, arena, node, &at))
    return false;
  for (const xmlNode *child = element->children; child != NULL; child = child->next) {
    if (child->type != XML_ELEMENT_NODE)
      continue;
    at->parent = node;
    if (!put_element(child, arena, at++))
      return false;
  }
  return true;
}

enum status xml_parse(const struct decoder *decoder, struct slice bytes, struct arena *arena, struct node **root,
                      struct error *error) {
  (void)decoder;
  xmlDocPtr doc;
  enum status status = read_document(bytes, &doc, error);
  if (status != OK)
    return status;
  struct node *node = arena_alloc(arena, sizeof *node);
  bool done = node != NULL && put_element(xmlDocGetRootElement(doc), arena, node);
  xmlFreeDoc(doc);
  if (!done)
    return error_memory(error);
  node->name = slice_make("", 0);
  *root = node;
  return OK;
}

/* Removes what the path leads to below the element. */
static size_t remove_path(xmlNode *element, struct slice path) {
  struct slice rest = path, step;
  size_t removed = 0;
  if (!path_step(&rest, &step))
    return 0;
  if (*step.data == '@') {
    for (xmlAttr *attribute = element->properties, *next; attribute != NULL; attribute = next) {
      next = attribute->next;
      if (slice_equal(local_name(attribute->name), slice_make(step.data + 1, step.len - 1)))
        removed += xmlRemoveProp(attribute) == 0;
    }
    return removed;
  }
  for (xmlNode *child = element->children, *next; child != NULL; child = next) {
    next = child->next;
    if (child->type != XML_ELEMENT_NODE || !slice_equal(local_name(child->name), step))
      continue;
    if (rest.len > 0) {
      removed += remove_path(child, rest);
      continue;
    }
    xmlUnlinkNode(child);
    xmlFreeNode(child);
    removed++;
  }
  return removed;
}

enum status xml_cut(const struct decoder *decoder, struct slice bytes, const char *const *paths, size_t count,
                    struct arena *arena, struct buffer *out, size_t *cut, struct error *error) {
  (void)decoder;
  (void)arena;
  xmlDocPtr doc;
  enum status status = read_document(bytes, &doc, error);
  if (status != OK)
    return status;
  *cut = 0;
  for (size_t i = 0; i < count; i++)
    *cut += remove_path(xmlDocGetRootElement(doc), slice_of(paths[i]));
  status = xml_canonical(doc, out, error);
  xmlFreeDoc(doc);
  return status;
}
