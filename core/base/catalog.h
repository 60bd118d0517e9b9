/* Messages in another language than the program's: gettext has one language for all threads of a process, and mail of a
 * ministry is Spanish whoever started the daemon. The owner frees a catalog. */
#ifndef PUENTE_BASE_CATALOG_H
#define PUENTE_BASE_CATALOG_H

#include "core/base/error.h"

struct catalog;
/* Of a language, where the program's own are (bindtextdomain). NULL in `*catalog`, which catalog_text takes: there is
 * none of that language, whose messages are the program's own words ("en"). ERR_CONFIG: the file is broken. */
enum status catalog_open(const char *lang, struct catalog **catalog, struct error *error) MUST_CHECK;
void catalog_close(struct catalog *catalog); /* NULL allowed */
/* The translation, or `text` itself. */
const char *catalog_text(const struct catalog *catalog, const char *text) __attribute__((format_arg(2)));

#endif
