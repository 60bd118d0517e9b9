/* The statement of the crosswalk (crosswalk.h), for the service and for the function that officers call. */
#ifndef PUENTE_STORE_CROSSWALK_TEXT_H
#define PUENTE_STORE_CROSSWALK_TEXT_H

#include "core/store/crosswalk.h"
#include "core/store/internal.h"

/* Appends the SELECT; `prefix` stands before each table ("\"puente\"."), `own` after the condition that says whose
 * rows m are. The institution is $1. */
void crosswalk_text(const struct model *model, const char *prefix, const char *own, struct buffer *sql);
/* Appends its columns as a function's result: names and types of PostgreSQL. */
void crosswalk_columns(const struct model *model, struct buffer *sql);

#endif
