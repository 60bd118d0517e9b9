/* XML inside this folder: the document's walk to its records (xml.c), and a landed record read again (xml_decode.c). */
#ifndef PUENTE_MAPPING_FORMAT_XML_H
#define PUENTE_MAPPING_FORMAT_XML_H

#include "mapping/format/json.h"

#include <libxml/tree.h>

enum { XML_DEPTH = 250 };

/* The error that libxml2 hands to a callback is const from its version 2.12 on. */
#if LIBXML_VERSION >= 21200
#define XML_FAULT const xmlError
#else
#define XML_FAULT xmlError
#endif

/* Once per process: libxml2 itself, and Windows-1252 by the WHATWG table, since iconv refuses five of its bytes. */
void xml_prepare(void);
/* Between the two nothing of libxml2 goes to standard error, since its messages may quote a record. The second says
 * whether memory sufficed: where it ran out libxml2 may go on with half of a tree. */
struct xml_silence {
  xmlStructuredErrorFunc handler;
  void *context;
  bool memory_failed;
};
void xml_silence_begin(struct xml_silence *silence);
bool xml_silence_end(const struct xml_silence *silence) MUST_CHECK;
/* The first element of `doc` as Canonical XML without comments, appended to `out`. */
enum status xml_canonical(xmlDocPtr doc, struct buffer *out, struct error *error);

enum status xml_decoder_new(struct slice context, struct decoder **decoder, struct error *error);
enum status xml_parse(const struct decoder *decoder, struct slice bytes, struct arena *arena, struct node **root,
                      struct error *error);
void xml_decoder_free(struct decoder *decoder);
enum status xml_cut(const struct decoder *decoder, struct slice bytes, const char *const *paths, size_t count,
                    struct arena *arena, struct buffer *out, size_t *cut, struct error *error);

#endif
