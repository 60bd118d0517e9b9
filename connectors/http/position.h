/* Where a pass over pages stands, as text that the store keeps between runs; and the watch for pages that never end. */
#ifndef PUENTE_CONNECTORS_HTTP_POSITION_H
#define PUENTE_CONNECTORS_HTTP_POSITION_H

#include "connectors/connector.h"
#include "core/base/arena.h"
#include "core/base/digest.h"
#include "core/base/map.h"

struct range_settings {
  const char *format; /* strftime, of since and until in a request; NULL: as they are */
  const char *zone;   /* whose wall clock they are, "-05:00"; NULL: as the mark's */
  const char *since;  /* of a first pass, or NULL */
  const char *until;  /* where none is asked for, or NULL; "now" */
};

#define RANGE_OPTION_ROWS(owner, of_format, of_since, of_until)                                                        \
  {.name = "since_format", .type = OPTION_TEXT, .description = of_format, .offset = offsetof(owner, range.format)},    \
      {.name = "since_zone",                                                                                           \
       .type = OPTION_TEXT,                                                                                            \
       .description = N_("zone of since and until, as \"-05:00\", where the marks are in another"),                    \
       .offset = offsetof(owner, range.zone)},                                                                         \
      {.name = "since_default", .type = OPTION_TEXT, .description = of_since, .offset = offsetof(owner, range.since)}, \
  {                                                                                                                    \
    .name = "until_default", .type = OPTION_TEXT, .description = of_until, .offset = offsetof(owner, range.until)      \
  }

struct pages_settings {
  int64_t most;     /* of one pass */
  int64_t repeated; /* how often the same page may come in a row */
};

#define PAGES_OPTION_ROWS(owner)                                                                                       \
  {.name = "max_pages",                                                                                                \
   .type = OPTION_INTEGER,                                                                                             \
   .otherwise = "100000",                                                                                              \
   .least = 1,                                                                                                         \
   .most = INT32_MAX,                                                                                                  \
   .description = N_("most pages of one pass"),                                                                        \
   .offset = offsetof(owner, pages.most)},                                                                             \
  {                                                                                                                    \
    .name = "repeated_pages", .type = OPTION_INTEGER, .otherwise = "2", .least = 1, .most = 1000,                      \
    .description = N_("how often the same page may come in a row"), .offset = offsetof(owner, pages.repeated)          \
  }

struct position {
  struct buffer at;    /* cursor, or path and query of the next page */
  struct buffer mark;  /* highest mark of change so far */
  struct buffer since; /* in force for the whole pass, as the source writes it */
  struct buffer until;
  int64_t page;   /* number of the next page, from 1 */
  int64_t offset; /* records seen so far */
  int64_t total;  /* the source's own count; -1 */
  bool done;
};
/* The beginning of a pass. position_free is to be called also after an error. */
enum status position_init(struct position *position, const struct pull *pull, const struct range_settings *range,
                          struct error *error) MUST_CHECK;
void position_free(struct position *position);
enum status position_write(const struct position *position, const char *paging, struct buffer *out,
                           struct error *error) MUST_CHECK;
/* Goes on from the cursor of the pull, if it has one, and says so in `*resumed`. One of another paging, or of an older
 * program, is warned of and the pass begins anew, which repeats nothing. */
enum status position_resume(struct position *position, const struct pull *pull, const char *paging,
                            const struct range_settings *range, bool *resumed, struct error *error) MUST_CHECK;
/* ERR_LIMIT where the next page is one more than a pass may have. */
enum status position_check(const struct position *position, const struct pages_settings *settings,
                           struct error *error) MUST_CHECK;
/* What a page tells besides its bytes: the source's count, the mark, its number; the cursor with its last piece. */
enum status position_describe(const struct position *position, int64_t number, const char *paging, struct page *page,
                              struct error *error) MUST_CHECK;
/* False where the text is not a position of this paging. */
bool position_read(struct position *position, const char *paging, struct slice text, struct arena *arena);

/* Notices pages that come again. */
struct repeats {
  struct map *seen;   /* cursors and links of this pass */
  struct sha256 last; /* of the page before */
  int64_t count;      /* how often it came in a row */
};
enum status repeats_init(struct repeats *repeats, struct error *error) MUST_CHECK;
void repeats_free(struct repeats *repeats);
/* ERR_REMOTE where the same bytes came more than `most` times in a row, or `at` was met before. */
enum status repeats_check(struct repeats *repeats, struct slice bytes, struct slice at, int64_t most,
                          struct error *error) MUST_CHECK;

#endif
