/* JSON inside this folder: the walk through a document to its records (json.c), passing over one value (json_pass.c,
 * json_scan.c), and a landed record read again (json_decode.c). */
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

enum json_stage {
  JSON_MARK,
  JSON_TOP,
  JSON_VALUE,
  JSON_FIRST,
  JSON_KEY_FIRST,
  JSON_KEY,
  JSON_AFTER,
  JSON_PASS,
  JSON_FAILED
};
enum json_level { LEVEL_OBJECT, LEVEL_LIST, LEVEL_RECORDS };
enum { SEEN_MOST = 400, PATH_DEPTH = 32, NAME_MOST = 64 << 10 };

struct json_splitter {
  struct splitter head;
  struct arena *arena;
  char *path; /* as given */
  struct slice *steps;
  size_t step_count;
  enum encoding encoding;
  size_t record_limit;
  struct stream stream;
  struct buffer context;
  struct error failure;
  enum json_stage stage;
  uint64_t line, column; /* of the first byte not taken, from 1 */
  struct {
    enum json_level kind;
    size_t step; /* steps of the path that lead to it */
  } levels[PATH_DEPTH];
  size_t depth;
  size_t step;        /* steps that lead to the value that comes */
  bool beside;        /* the value that comes is not on the path */
  bool found;         /* the path led somewhere */
  bool lines;         /* JSON lines, for certain */
  bool by_line;       /* the value that is passed over is one of JSON lines */
  bool maybe;         /* an object at the top, in one line so far: may prove to be the first of JSON lines */
  size_t deepest;     /* step of the object whose names are in `seen` */
  struct buffer seen; /* names found where the path went on, for the hint */
  /* The value being passed over. */
  struct json_scan scan;
  bool record, skipping;
  size_t wrong;   /* where a broken line was found to be broken */
  struct raw raw; /* line and fault of the record so far */
  char kept[RECORD_HEAD];
  size_t kept_len;
};

/* json_pass.c. Takes `len` bytes, keeping count of the place. */
void json_take(struct json_splitter *json, size_t len);
/* The document is broken at the place reached: the error is given again by every later call. */
enum status json_fail(struct json_splitter *json, struct error *error);
enum status json_fail_with(struct json_splitter *json, struct error *error, const char *message);
/* Begins with the value at hand, a record or one to pass over. */
void json_pass_begin(struct json_splitter *json, bool record);
/* OK with a record, END where a value was passed that is none, or where more bytes are needed (`*more`). */
enum status json_pass(struct json_splitter *json, struct raw *raw, bool *more, struct error *error);
/* No more bytes now: END, or what is wrong where the document ends here. */
enum status json_at_end(struct json_splitter *json, struct raw *raw, struct error *error);

enum status json_decoder_new(struct slice context, struct decoder **decoder, struct error *error);
enum status json_parse(const struct decoder *decoder, struct slice bytes, struct arena *arena, struct node **root,
                       struct error *error);
void json_decoder_free(struct decoder *decoder);
enum status json_cut(const struct decoder *decoder, struct slice bytes, const char *const *paths, size_t count,
                     struct arena *arena, struct buffer *out, size_t *cut, struct error *error);

/* The next step of a path that is joined by '/', and what follows it; false at the end of the path. */
bool path_step(struct slice *path, struct slice *step);

#endif
