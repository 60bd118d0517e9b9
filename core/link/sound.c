#include "core/link/standard.h"

/* What is written at one place, and what stands around it. */
struct spelling {
  char before, at, next, after; /* '\0' outside of the token */
};

/* A letter of the key ('\0': silent), and how many letters it stands for. */
struct sound {
  char key;
  uint8_t taken;
};

enum { CH = 'C' }; /* in keys, where hard c is K and soft c is S */

static bool soft(char c) {
  return c == 'E' || c == 'I' || c == 'Y';
}

static bool vowel(char c) {
  return c == 'A' || c == 'E' || c == 'I' || c == 'O' || c == 'U';
}

static bool one_of(char c, const char *letters) {
  return c != '\0' && strchr(letters, c) != NULL;
}

static struct sound sound(char key, uint8_t taken) {
  return (struct sound){.key = key, .taken = taken};
}

static struct spelling spelling_at(struct slice token, size_t at) {
  return (struct spelling){.before = at > 0 ? token.data[at - 1] : '\0',
                           .at = token.data[at],
                           .next = at + 1 < token.len ? token.data[at + 1] : '\0',
                           .after = at + 2 < token.len ? token.data[at + 2] : '\0'};
}

/* Y and I are a consonant before a vowel, at the beginning and between vowels. */
static struct sound sound_of_y(const struct spelling *here) {
  bool opens = here->before == '\0' || vowel(here->before);
  bool consonant = vowel(here->next) && (here->at == 'Y' || opens);
  return sound(consonant ? 'Y' : 'I', 1);
}

static struct sound sound_of_c(const struct spelling *here) {
  if (here->next == 'H') {
    return sound(CH, 2);
  }
  return sound(soft(here->next) ? 'S' : 'K', 1);
}

static struct sound sound_of_g(const struct spelling *here) {
  if (here->next == 'U' && soft(here->after)) {
    return sound('G', 2);
  }
  return sound(soft(here->next) ? 'J' : 'G', 1);
}

/* What both keys have in common. */
static struct sound common_sound(const struct spelling *here) {
  switch (here->at) {
  case 'C':
    return sound_of_c(here);
  case 'G':
    return sound_of_g(here);
  case 'H':
    return sound('\0', 1);
  case 'I':
  case 'Y':
    return sound_of_y(here);
  case 'L':
    return here->next == 'L' ? sound('Y', 2) : sound('L', 1);
  case 'N':
    return sound(one_of(here->next, "BVPM") ? 'M' : 'N', 1);
  case 'P':
    return here->next == 'H' ? sound('F', 2) : sound('P', 1);
  case 'Q':
    return sound('K', here->next == 'U' && vowel(here->after) ? 2 : 1);
  case 'V':
  case 'W':
    return sound('B', 1);
  case 'X':
    return sound(vowel(here->next) ? 'J' : 'S', 1);
  case 'Z':
    return sound('S', 1);
  default:
    return sound(here->at, 1);
  }
}

/* H, G, U and W, which write one sound in Quechua and Aymara names. */
static struct sound sound_of_w(const struct spelling *here) {
  if ((here->at == 'H' || here->at == 'G') && here->next == 'U' && vowel(here->after)) {
    return sound('W', 2);
  }
  bool opens = here->before == '\0' || vowel(here->before);
  if (here->at == 'W' || (here->at == 'U' && opens)) {
    return sound(vowel(here->next) ? 'W' : 'U', 1);
  }
  return here->at == 'G' && !soft(here->next) ? sound('K', 1) : common_sound(here);
}

static struct sound andean_sound(const struct spelling *here) {
  switch (here->at) {
  case 'G':
  case 'H':
  case 'U':
  case 'W':
    return sound_of_w(here);
  case 'C':
    if (here->next == 'C') { /* Ccori, but Cchoque */
      return sound(here->after == 'H' ? '\0' : 'K', here->after == 'H' ? 1 : 2);
    }
    return common_sound(here);
  case 'O':
    return sound('U', 1);
  case 'E':
    return sound('I', 1);
  case 'L': /* Huallpa, Hualpa */
    return here->next == 'L' && here->after != '\0' && !vowel(here->after) ? sound('L', 2) : common_sound(here);
  case 'D': /* n and m make what follows voiced: Kunturi, Condori; Tampu, Tambo */
    return sound(here->before == 'N' ? 'T' : 'D', 1);
  case 'B':
    return sound(one_of(here->before, "MN") ? 'P' : 'B', 1);
  case 'J': /* Cjuno: an aspirated k */
    return sound(one_of(here->before, "CKQ") ? '\0' : 'J', 1);
  default:
    return common_sound(here);
  }
}

static size_t key_make(struct slice token, struct sound (*sound_of)(const struct spelling *here), char *key) {
  size_t length = 0;
  if (token.len > 1 && token.data[0] == 'S' && one_of(token.data[1], "CKLMNPQT")
      && !(token.data[1] == 'C' && token.len > 2 && soft(token.data[2]))) {
    key[length++] = sound_of == andean_sound ? 'I' : 'E'; /* Stefany, Estefany */
  }
  for (size_t i = 0; i < token.len;) {
    struct spelling here = spelling_at(token, i);
    struct sound found = sound_of(&here);
    i += found.taken;
    if (found.key != '\0' && (length == 0 || key[length - 1] != found.key)) {
      key[length++] = found.key;
    }
  }
  return length;
}

size_t standard_sound(struct slice token, char *key) {
  return key_make(token, common_sound, key);
}

size_t standard_andean(struct slice token, char *key) {
  return key_make(token, andean_sound, key);
}
