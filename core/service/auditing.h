/* The auditor's questions to the log: is it whole, who did what and when, and the log itself to take away. */
#ifndef PUENTE_SERVICE_AUDITING_H
#define PUENTE_SERVICE_AUDITING_H

#include "core/audit/verify.h"
#include "core/service/workspace.h"

enum { CHECKPOINTS_MOST = 64 };

/* Reads checkpoints from files; `workspace` (NULL: any) is the one whose key has to have signed them. */
enum status auditing_checkpoints(const struct workspace *workspace, const char *const *paths, size_t count,
                                 struct checkpoint *checkpoints, struct error *error) MUST_CHECK;

/* Entries that fit all that is set. Times are microseconds; 0: no bound. */
struct auditing_filter {
  int64_t since, until; /* since <= at < until */
  const char *actor, *source, *event;
  int64_t person; /* who was shown or decided about: the person, its records, its rows; 0: any */
};
/* How an entry is about the person of a filter: its body names her, a record or row of hers; she stands in its list of
 * whom it shows; or it shows what was asked of all, and nobody knows of whom. Without a person: NAMED. */
enum auditing_about { ABOUT_NOBODY, ABOUT_NAMED, ABOUT_LISTED, ABOUT_ANYBODY };
typedef enum status auditing_visitor(void *context, const struct audit_row *row, enum auditing_about about,
                                     struct error *error);
/* In the order of the log. */
enum status auditing_visit(struct workspace *workspace, const struct auditing_filter *filter, auditing_visitor *visit,
                           void *context, struct error *error) MUST_CHECK;

/* The log itself as JSON lines, which verifiers read; or what made what, as lineage.h writes it. */
enum auditing_form { AUDITING_JSONL, AUDITING_OPENLINEAGE, AUDITING_PROV };
extern const char *const auditing_forms[]; /* their names, NULL-terminated */
/* Writes to `path` ("-": standard output), whole or not at all; `entries` counts entries, events, or activities. */
enum status auditing_export(struct workspace *workspace, enum auditing_form form, const char *path, int64_t *entries,
                            struct error *error) MUST_CHECK;

/* Signs the head of a log that is whole, after checking it (ERR_STORE where it is not), and appends the text. */
enum status auditing_checkpoint(struct workspace *workspace, struct checkpoint *checkpoint, struct buffer *text,
                                struct error *error) MUST_CHECK;

#endif
