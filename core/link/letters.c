#include "core/link/letters.h"

static struct letter letter(enum letter_kind kind, size_t length) {
  return (struct letter){.kind = kind, .length = length};
}

static struct letter ascii_at(char c) {
  if (c >= 'A' && c <= 'Z') {
    return letter(LETTER, 1);
  }
  if (c >= '0' && c <= '9') {
    return letter(LETTER_DIGIT, 1);
  }
  return letter(c == '\'' || c == '`' ? LETTER_JOINT : c == '?' ? LETTER_UNKNOWN : LETTER_SIGN, 1);
}

/* U+0080 to U+00BF: ª and º are letters, the acute accent is taken for an apostrophe. */
static struct letter latin_sign(unsigned char second) {
  enum letter_kind kind = second == 0xAA || second == 0xBA   ? LETTER
                          : second == 0xB4 || second == 0xAD ? LETTER_JOINT
                                                             : LETTER_SIGN;
  return letter(kind, 2);
}

/* U+2000 to U+203F: quotation marks 2018 and 2019, and 200B to 200F, which have no width. */
static struct letter punctuation(unsigned char third) {
  bool joint = third == 0x98 || third == 0x99 || (third >= 0x8B && third <= 0x8F);
  return letter(joint ? LETTER_JOINT : LETTER_SIGN, 3);
}

/* Further characters that are no letter: general punctuation, U+FFFD, the byte order mark. */
static struct letter three_at(const unsigned char *bytes) {
  if (bytes[0] == 0xE2 && bytes[1] == 0x80) {
    return punctuation(bytes[2]);
  }
  if (bytes[0] == 0xEF && bytes[1] == 0xBF && bytes[2] == 0xBD) {
    return letter(LETTER_UNKNOWN, 3);
  }
  bool mark = bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF;
  return letter(mark ? LETTER_JOINT : LETTER, 3);
}

struct letter letter_at(struct slice text, size_t at) {
  const unsigned char *bytes = (const unsigned char *)text.data + at;
  size_t left = text.len - at;
  if (bytes[0] < 0x80) {
    return ascii_at(text.data[at]);
  }
  size_t length = bytes[0] >= 0xF0 ? 4 : bytes[0] >= 0xE0 ? 3 : bytes[0] >= 0xC0 ? 2 : 1;
  if (length > left) {
    return letter(LETTER_SIGN, left);
  }
  if (length == 3) {
    return three_at(bytes);
  }
  return bytes[0] == 0xC2 ? latin_sign(bytes[1]) : letter(LETTER, length);
}
