/* JSON inside this folder: the walk through a document to its records (json.c, json_scan.c), and a landed record read
 * again (json_decode.c). */
#ifndef PUENTE_MAPPING_FORMAT_JSON_H
#define PUENTE_MAPPING_FORMAT_JSON_H

#include "mapping/format/splitter.h"

/* The value being passed over: how far it was looked at and what is open in it. It can stop at any byte. */
struct json_scan {
  size_t at;                           /* bytes looked at, from the value's first */
  uint32_t depth;                      /* of open containers */
  uint64_t objects[FORMAT_DEPTH / 64]; /* bit n: the container at depth n is an object */
  bool started, in_string, scalar;
  bool broken; /* what follows, up to the end of the line, belongs to a broken line */
};

/* What ends a scan before its value does. */
enum json_stop {
  JSON_DONE,     /* the value ends before `at` */
  JSON_MORE,     /* more bytes are needed */
  JSON_NEWLINE,  /* at a line break that `lines` forbids, or that stands in a string */
  JSON_MISMATCH, /* at a bracket that closes nothing, or the wrong thing */
  JSON_DEEP      /* at a bracket that opens one level too many */
};

/* Passes over one value. `lines`: a line break outside strings stops too. `last`: no bytes follow. */
enum json_stop json_scan_value(struct json_scan *scan, struct slice bytes, bool lines, bool last);

enum status json_decoder_new(struct slice context, struct decoder **decoder, struct error *error);
enum status json_parse(const struct decoder *decoder, struct slice bytes, struct arena *arena, struct node **root,
                       struct error *error);
void json_decoder_free(struct decoder *decoder);
enum status json_cut(const struct decoder *decoder, struct slice bytes, const char *const *paths, size_t count,
                     struct arena *arena, struct buffer *out, size_t *cut, struct error *error);

/* The next step of a path that is joined by '/', and what follows it; false at the end of the path. */
bool path_step(struct slice *path, struct slice *step);

#endif
