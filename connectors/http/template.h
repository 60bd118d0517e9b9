/* Request bodies from text with {{placeholders}}. */
#ifndef PUENTE_CONNECTORS_HTTP_TEMPLATE_H
#define PUENTE_CONNECTORS_HTTP_TEMPLATE_H

#include "core/base/buffer.h"

enum escape {
  ESCAPE_NONE,
  ESCAPE_JSON, /* as the inside of a JSON string */
  ESCAPE_XML   /* as text or attribute of XML */
};

struct placeholder {
  const char *name;  /* "since" */
  const char *value; /* NULL: not set now; written as nothing */
  bool raw;          /* ready-made markup: not escaped */
};

/* Writes `text` with each {{name}} replaced by its escaped value; with ESCAPE_JSON, {{json:name}} writes a quoted
 * string, or null where there is no value. `what` names the text in errors: ERR_CONFIG for an unknown placeholder,
 * with the nearest name. */
enum status template_render(const char *what, const char *text, const struct placeholder *placeholders, size_t count,
                            enum escape escape, struct buffer *out, struct error *error) MUST_CHECK;
/* Whether {{name}} stands in the text. */
bool template_has(const char *text, const char *name);

#endif
