/* What a column seems to hold. Private to suggest.c and suggest_guess.c. */
#ifndef PUENTE_SERVICE_SUGGEST_GUESS_H
#define PUENTE_SERVICE_SUGGEST_GUESS_H

#include "core/service/sheet.h"

enum guess {
  GUESS_NOTHING, /* empty, of one value, or too long to compare */
  GUESS_ID,
  GUESS_TRUTH,
  GUESS_DOCUMENT_TYPE,
  GUESS_DOCUMENT,
  GUESS_WHOLE_NAME,
  GUESS_MATERNAL,
  GUESS_PATERNAL,
  GUESS_GIVEN,
  GUESS_EMAIL,
  GUESS_PHONE,
  GUESS_POSTCODE,
  GUESS_BIRTH,
  GUESS_SEX,
  GUESS_DATE,
  GUESS_NUMBER, /* of a filing */
  GUESS_SOURCE,
  GUESS_CODE,
  GUESS_TEXT,
  GUESSES
};

struct facts {
  const char *name;
  uint64_t distinct, missing;
  double length;               /* mean of the distinct values, in bytes */
  double dates, mails, digits; /* shares of the distinct values */
  enum guess guess;
};

/* By the header's words first, then by the shapes of at most 2,000 distinct values. */
void guess_columns(const struct sheet *sheet, struct arena *arena, struct facts *facts);
/* What the comment of a column says. */
const char *guess_words(enum guess guess);

#endif
