/* Tables that leave: consolidated persons and cases, and what sources reported of them, without names, documents or
 * places where somebody is now. Each export is recorded in the audit log. */
#ifndef PUENTE_SERVICE_OUTBOUND_H
#define PUENTE_SERVICE_OUTBOUND_H

#include "core/service/workspace.h"

enum export_form {
  EXPORT_CSV,  /* RFC 4180, one file an entity */
  EXPORT_JSON, /* JSON lines */
  EXPORT_HTCDS /* CSV of the fields that the Human Trafficking Case Data Standard names, under its names */
};
struct export_file {
  const char *entity;
  char path[512];
  int64_t rows;
};
typedef void export_report(void *context, const struct export_file *file);

/* Writes `folder`/ENTITY.csv (or .jsonl), the folder made at need. Aggregates are left out of HTCDS. */
enum status service_export(struct workspace *workspace, enum export_form form, const char *folder, const char *purpose,
                           export_report *report, void *context, struct error *error) MUST_CHECK;

#endif
