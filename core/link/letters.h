/* What the bytes of folded text are, for those that part it into words. Private to core/link. */
#ifndef PUENTE_LINK_LETTERS_H
#define PUENTE_LINK_LETTERS_H

#include "core/base/slice.h"

enum letter_kind {
  LETTER,
  LETTER_DIGIT,
  LETTER_JOINT,   /* stands within a word and is not part of it: apostrophe, soft hyphen, what has no width */
  LETTER_UNKNOWN, /* a letter that was lost on the way: '?' or U+FFFD */
  LETTER_SIGN     /* all else */
};

struct letter {
  enum letter_kind kind;
  size_t length; /* bytes */
};

/* The character at `at` < len. */
struct letter letter_at(struct slice text, size_t at);

#endif
