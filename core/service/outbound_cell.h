/* One value as it leaves: CSV quoting, and the words of the Human Trafficking Case Data Standard (HTCDS 2.0, IOM). */
#ifndef PUENTE_SERVICE_OUTBOUND_CELL_H
#define PUENTE_SERVICE_OUTBOUND_CELL_H

#include "core/base/buffer.h"
#include "core/model/model.h"
#include "mapping/codelist.h"

void csv_cell(struct buffer *row, struct slice text);

/* Appends a value of the store as HTCDS has it; appends nothing where HTCDS has no such value. Codes: the list's text
 * in system "htcds", or the code itself where the list has no such system (ISO 3166, ISO 639, UBIGEO, institutions);
 * several are joined by ';', each once. Dates: whole days alone. Checkboxes: true or false. */
void htcds_cell(const struct codelists *lists, const struct field *field, struct slice text, struct buffer *out);

#endif
