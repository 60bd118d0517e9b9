/* CODES INSTEAD OF NAMES, made where the names are: an institution that may not share them reads its own CSV file, and
 * sends another in which a code of each person (core/link/clk.h) stands where name and birth date stood. Needs no
 * workspace: only the linkage key (core/link/linkage_key.h). */
#ifndef PUENTE_SERVICE_ENCODE_FILE_H
#define PUENTE_SERVICE_ENCODE_FILE_H

#include "core/link/clk.h"
#include "core/link/linkage_key.h"
#include "mapping/format/format.h"

enum { ENCODE_PERSONS_MOST = 16, ENCODE_COLUMNS_MOST = 256 };
#define ENCODE_INTO "name_encoding" /* the column of a code, unless another name is given */

/* One person of a line: which columns tell name and birth date, and the new column. All text is borrowed. */
struct encode_person {
  const char *names[CLK_NAMES_MOST];
  size_t name_count;
  const char *birth_date; /* NULL: none */
  const char *into;
};

struct encode_request {
  const char *file, *out; /* `out` NULL: standard output; else a new file of mode 0600, whole or not there */
  const char *key_file;
  struct format_options format;
  struct encode_person persons[ENCODE_PERSONS_MOST];
  size_t person_count;
  const char *drop[ENCODE_COLUMNS_MOST]; /* columns that are left out beside those of persons */
  size_t drop_count;
  const char *keep[ENCODE_COLUMNS_MOST]; /* columns that pass though they may repeat a name */
  size_t keep_count;
};

struct encode_done {
  int64_t lines, codes;
  int64_t nameless; /* persons without a code: fewer than two words of a name */
  int64_t undated;  /* persons whose birth date could not be read: their codes have none */
  char mark[LINKAGE_MARK + 1];
};

/* Adds to the request what a YAML file says: the head of a mapping of format csv, and
 *   persons: [{names: [COLUMN…], birth_date: COLUMN, into: COLUMN}]    drop: [COLUMN…]    keep: [COLUMN…] */
enum status encode_request_read(const char *path, struct arena *arena, struct encode_request *request,
                                struct error *error) MUST_CHECK;

/* Everything else of a line passes as it is, in UTF-8. ERR_INPUT with FILE:LINE, and no `out`, at the first line that
 * cannot be read, or in which another column repeats two words of the name. What a person lacks is a warning with
 * FILE:LINE. */
enum status service_encode_file(const struct encode_request *request, struct encode_done *done,
                                struct error *error) MUST_CHECK;

#endif
