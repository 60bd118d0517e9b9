/* HOW A PAGE BECOMES RECORDS, AND A RECORD A TREE. One struct a format; the table is in format.c.
 *
 * A splitter is fed the bytes of one document (a response body, a file) in any number of pieces and yields the bytes of
 * one record at a time. What it yields is what lands: verbatim bytes of the document for csv, row and json; for xml the
 * record element in Canonical XML (W3C), since its bytes alone would lose the namespaces in scope. `parse` reads landed
 * bytes again, at any later time, given the splitter's context; sync, remap, retry and explain all go through it. */
#ifndef PUENTE_MAPPING_FORMAT_FORMAT_H
#define PUENTE_MAPPING_FORMAT_FORMAT_H

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/node.h"
#include "core/base/text.h"
#include "core/base/yaml.h"

/* What a mapping's head says about its input. Unset members are zero and mean the default. */
struct format_options {
  const char *record;     /* json: "data/items" or "" for the document or JSON lines; xml: "/Denuncias/Denuncia" */
  enum encoding encoding; /* csv: of the bytes (xml says its own); a BOM wins */
  char delimiter, quote;  /* csv: ',' and '"' */
  int header_row;         /* csv: line of the header from 1 (default), -1: none, then `columns` name them */
  const char *const *columns;
  size_t column_count;
  size_t record_limit; /* bytes; default 16 MiB. A larger record is skipped and reported, the rest go on */
};

struct splitter; /* each format's own; begins with `const struct format *format` */
struct decoder;  /* a parsed context: header names, encoding */

enum record_fault {
  RECORD_FINE,
  RECORD_TOO_LARGE, /* bytes is what was kept of it: nothing, or a head of at most 256 bytes */
  RECORD_BROKEN     /* cannot be parsed; bytes is the broken piece, so that it can be landed and shown */
};

struct raw {
  struct slice bytes; /* valid until the next call on the splitter */
  uint64_t line;      /* of its first byte in the document, from 1; 0 where unknown */
  enum record_fault fault;
  char reason[160]; /* of a fault, without a value of the record */
};

struct format {
  const char *name; /* "csv", "row", "json", "xml" */
  enum status (*splitter_new)(const struct format_options *options, struct splitter **splitter, struct error *error);
  /* A new document begins (next file, next response): forgets everything but options. */
  void (*begin)(struct splitter *splitter);
  /* Takes a copy of `bytes`; `final` says that the document ends with them. */
  enum status (*feed)(struct splitter *splitter, struct slice bytes, bool final, struct error *error);
  /* OK: one record; END: more bytes are needed or the document is done; ERR_INPUT: the document is broken here (no
   * XML, HTML instead of JSON, no such record path), with line and column as the place. */
  enum status (*next)(struct splitter *splitter, struct raw *raw, struct error *error);
  /* The decoding context of the records so far, as JSON text (csv: header, delimiter, encoding; others "{}"). Valid
   * until `begin`; complete once `next` has returned OK. */
  struct slice (*context)(struct splitter *splitter);
  void (*splitter_free)(struct splitter *splitter);

  enum status (*decoder_new)(struct slice context, struct decoder **decoder, struct error *error);
  /* The record as a tree in the arena; text is UTF-8, trimmed of nothing. ERR_INPUT for a broken record. */
  enum status (*parse)(const struct decoder *decoder, struct slice bytes, struct arena *arena, struct node **root,
                       struct error *error);
  void (*decoder_free)(struct decoder *decoder);
  /* The record without the values at `paths` (blank, null, or absent by format), written to `out`; `*cut` counts what
   * was there. The result parses under the same context. */
  enum status (*cut)(const struct decoder *decoder, struct slice bytes, const char *const *paths, size_t count,
                     struct arena *arena, struct buffer *out, size_t *cut, struct error *error);
};

const struct format *format_find(const char *name); /* NULL if unknown */
const char *const *format_names(size_t *count);
/* The options at the head of a mapping: the keys below; other keys of the map are not looked at. A key that the format
 * does not use is ERR_CONFIG. `record_limit` is bytes, or "64KiB", "16MiB" (default), up to 256MiB. */
extern const char *const format_option_keys[]; /* NULL-terminated */
enum status format_options_read(const struct yaml *map, struct arena *arena, const struct format **format,
                                struct format_options *options, struct error *error) MUST_CHECK;

#endif
