/* Files that leave: consolidated persons and cases, and what sources reported of them, without names, documents or
 * places where somebody is now. Each export is in the audit log before a row is read, and after, with what left.
 *
 * For a recipient, ids are its pseudonyms (pseudonym.h), and texts that are not open (numbers of cases, occupations)
 * stay here: they would tell two recipients which of their rows are the same. */
#ifndef PUENTE_SERVICE_OUTBOUND_H
#define PUENTE_SERVICE_OUTBOUND_H

#include "core/audit/shown.h"
#include "core/service/workspace.h"

enum export_form {
  EXPORT_CSV,  /* RFC 4180, one file an entity */
  EXPORT_JSON, /* JSON lines */
  EXPORT_HTCDS /* fields of the Human Trafficking Case Data Standard 2.0, under its names and with its values */
};
struct export_request {
  enum export_form form;
  bool json;             /* HTCDS as JSON lines */
  const char *folder;    /* made at need, mode 0700 */
  const char *purpose;   /* needed */
  const char *recipient; /* code of an institution; NULL: nobody's pseudonyms, the ids themselves */
};
struct export_file {
  const char *entity;
  char path[512];
  int64_t rows;
};
typedef void export_report(void *context, const struct export_file *file);

/* Writes `folder`/ENTITY.csv (or .jsonl). Aggregates are left out of HTCDS. Needs RIGHT_PUBLISH and a named person. */
enum status service_export(struct workspace *workspace, const struct export_request *request, export_report *report,
                           void *context, struct error *error) MUST_CHECK;

/* ---- shared by all exports ---- */

/* RIGHT_PUBLISH, a named person, a purpose, and a recipient that the code list of institutions has; makes the folder.
 */
enum status outbound_enter(struct workspace *workspace, const struct export_request *request,
                           struct error *error) MUST_CHECK;
/* ERR_USAGE with the nearest code where the code list of institutions has it not. */
enum status outbound_recipient(const struct workspace *workspace, const char *recipient,
                               struct error *error) MUST_CHECK;
/* Made at need, mode 0700. */
enum status outbound_folder(const char *folder, struct error *error) MUST_CHECK;
/* Commits an entry; `body` is canonical JSON, which has the digest of `shown` (NULL: of no list). */
enum status outbound_log(struct workspace *workspace, const char *event, const char *purpose, const char *body,
                         const struct shown *shown, struct error *error) MUST_CHECK;

#endif
