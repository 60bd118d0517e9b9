/* Text as the sources write it. All text comes in as UTF-8. */
#ifndef PUENTE_EXAMPLES_WRITE_H
#define PUENTE_EXAMPLES_WRITE_H

#include "examples/peru/simulator/errors.h"

#include <stdio.h>

enum charset { CHARSET_UTF8, CHARSET_LATIN1, CHARSET_WINDOWS_1252 };

/* Upper case; without accents (ñ stays) when `plain`. In place: no letter grows. */
void text_raise(char *text, bool plain);
/* UTF-8 taken for Latin-1 and encoded again. */
void text_encode_again(const char *text, char *out, size_t size);
/* What has no letter in the character set becomes '?'. */
void write_charset(FILE *out, const char *text, enum charset charset);

/* "name":"text", with a comma before unless `first`; an empty text is null. */
void json_member(FILE *out, bool first, const char *name, const char *text);
/* <name>text</name> in Latin-1; an empty text is <name/>. */
void xml_element(FILE *out, const char *name, const char *text);
/* A field of a `;` CSV in Windows-1252, quoted where it has to be, with the sign that ends it. */
void csv_field(FILE *out, const char *text, char end);

/* yyyy-mm-dd and the like by `order`: 'i' 2021-03-05 (also 2021), 'd' 05/03/2021 (also 2021), 'c' 20210305, 'm'
 * 05-03-2021, 't' 5 de marzo de 2021. */
void date_text(struct calendar date, char order, char text[40]);
void date_text_days(int32_t days, char order, char text[40]);
void timestamp_text(int64_t seconds, char text[32]);
int64_t timestamp_read(const char *text); /* 2024-06-30T12:00:00Z, a fraction is ignored; -1: unreadable */

/* Records of a source in the order (updated, item), as of the simulation's round. */
struct entry {
  int64_t updated;
  uint32_t item;
};
struct listing {
  struct entry *entries;
  uint32_t count;
};
/* `vanish`: without the deleted ones. False: out of memory. */
bool listing_make(const struct simulation *simulation, enum source source, bool vanish, struct listing *listing);
void listing_free(struct listing *listing);
/* Position of the first entry at or after (updated, item). */
uint32_t listing_find(const struct listing *listing, int64_t updated, uint32_t item);

#endif
