/* What a notice says: subject and text of a message, in a language. Codes of sources, states, counts, paths of fields,
 * hints and contacts; nothing of a person, and no place, which may name a record. Private to the notices. */
#ifndef PUENTE_SERVICE_NOTICE_TEXT_H
#define PUENTE_SERVICE_NOTICE_TEXT_H

#include "core/notify/notify.h"
#include "core/service/matter.h"
#include "core/service/tongue.h"

struct notice_text {
  const struct tongue *tongue;
  const struct workspace *workspace;
  const struct overview *overview;
  int64_t now;
  struct buffer subject, text;
};
void notice_text_init(struct notice_text *made);
void notice_text_free(struct notice_text *made);
void notice_text_reset(struct notice_text *made);

/* A moment as the clock of the digest's zone shows it, else of this machine: "2026-11-21 14:03". */
enum { NOTICE_MOMENT_SIZE = 64 };
const char *notice_moment(const struct notice_text *made, int64_t micros, char text[NOTICE_MOMENT_SIZE]);
const char *notice_state(const struct tongue *tongue, enum standing standing); /* "cannot be reached" */
/* One line: what stands, without a line end. */
void notice_line(const struct notice_text *made, const struct matter *matter, struct buffer *out);
enum status notice_write(struct notice_text *made, const struct matter *matter, struct error *error) MUST_CHECK;
/* What stood and is over; `source` NULL: of the whole. */
enum status notice_write_over(struct notice_text *made, enum matter_kind kind, const struct source_overview *source,
                              const char *name, int64_t since, struct error *error) MUST_CHECK;
enum notify_kind notice_kind(enum matter_kind kind);

#endif
