#include "core/simple/standard.h"

#include "core/base/text.h"
#include "core/simple/link.h"

#include <stdlib.h>

enum { DISTANCE_LENGTH_MOST = 31, NAME_BYTES_MOST = 400 };

enum status simple_standard_init(struct standard *standard, struct error *error) {
  *standard = (struct standard){.arena = arena_new(0), .tokens = map_new(), .sounds = map_new(), .texts = map_new()};
  bool made = standard->arena != NULL && standard->tokens != NULL && standard->sounds != NULL;
  return made && standard->texts != NULL ? OK : error_memory(error);
}

void simple_standard_free(struct standard *standard) {
  arena_free(standard->arena);
  map_free(standard->tokens);
  map_free(standard->sounds);
  map_free(standard->texts);
  free(standard->token_sound);
  *standard = (struct standard){0};
}

/* One letter, or pair of letters, of a sound key: what is written at `at`, and how many letters it takes. */
struct sound {
  char key;
  int taken;
};

static bool soft(char next) {
  return next == 'E' || next == 'I';
}

static bool vowel(char c) {
  return c == 'A' || c == 'E' || c == 'I' || c == 'O' || c == 'U';
}

static struct sound sound_of_g(char next, char after) {
  if (next == 'U' && soft(after)) {
    return (struct sound){'G', 2};
  }
  if (next == 'U' && vowel(after)) {
    return (struct sound){'W', 2};
  }
  return (struct sound){soft(next) ? 'J' : 'G', 1};
}

static struct sound sound_of_c(char next) {
  if (next == 'H') {
    return (struct sound){'X', 2};
  }
  return (struct sound){soft(next) ? 'S' : 'K', next == 'C' ? 2 : 1};
}

static struct sound sound_at(const char *at, size_t left) {
  char next = '\0';
  char after = '\0';
  if (left > 1) {
    next = at[1];
  }
  if (left > 2) {
    after = at[2];
  }
  switch (at[0]) {
  case 'H':
    return next == 'U' && vowel(after) ? (struct sound){'W', 2} : (struct sound){'\0', 1};
  case 'G':
    return sound_of_g(next, after);
  case 'C':
    return sound_of_c(next);
  case 'Q':
    return (struct sound){'K', next == 'U' ? 2 : 1};
  case 'Z':
    return (struct sound){'S', 1};
  case 'V':
    return (struct sound){'B', 1};
  case 'L':
    return next == 'L' ? (struct sound){'Y', 2} : (struct sound){'L', 1};
  case 'E':
    return (struct sound){'I', 1};
  case 'O':
    return (struct sound){'U', 1};
  default:
    return (struct sound){at[0], 1};
  }
}

size_t simple_standard_sound(struct slice token, char *key) {
  size_t length = 0;
  for (size_t i = 0; i < token.len;) {
    struct sound sound = sound_at(token.data + i, token.len - i);
    i += (size_t)sound.taken;
    if (sound.key != '\0' && (length == 0 || key[length - 1] != sound.key)) {
      key[length++] = sound.key;
    }
  }
  return length;
}

static bool is_particle(struct slice token) {
  static const char *const particles[] = {"DE", "DEL", "LA", "LAS", "LOS", "EL",
                                          "Y",  "DA",  "DO", "DOS", "VDA", "VIUDA"};
  for (size_t i = 0; i < sizeof particles / sizeof particles[0]; i++) {
    if (slice_is(token, particles[i])) {
      return true;
    }
  }
  return false;
}

/* The number of a token; its sound key is made when it is new. */
static uint32_t intern_token(struct standard *standard, struct slice token) {
  char key[NAME_BYTES_MOST + 1];
  uint32_t known = map_count(standard->tokens);
  uint32_t number = map_intern(standard->tokens, token);
  if (number != known || number == MAP_NONE) {
    return number;
  }
  if (number >= standard->token_capacity) {
    size_t capacity = standard->token_capacity == 0 ? 1024 : standard->token_capacity * 2;
    uint32_t *sounds = realloc(standard->token_sound, capacity * sizeof *sounds);
    if (sounds == NULL) {
      return MAP_NONE;
    }
    standard->token_sound = sounds;
    standard->token_capacity = capacity;
  }
  size_t length = simple_standard_sound(token, key);
  standard->token_sound[number] = map_intern(standard->sounds, slice_make(key, length));
  return standard->token_sound[number] == MAP_NONE ? MAP_NONE : number;
}

static bool is_letter(unsigned char c) {
  return (c >= 'A' && c <= 'Z') || c >= 0x80;
}

/* The next run of letters from `*at` on, an apostrophe within it left out; empty at the end. */
static struct slice next_token(struct slice text, size_t *at, char *room) {
  size_t length = 0;
  while (*at < text.len && !is_letter((unsigned char)text.data[*at])) {
    (*at)++;
  }
  for (; *at < text.len; (*at)++) {
    char c = text.data[*at];
    if (is_letter((unsigned char)c)) {
      room[length++] = c;
    } else if (c != '\'' && c != '`') {
      break;
    }
  }
  return slice_make(room, length);
}

enum status simple_standard_name(struct standard *standard, struct slice text, struct name *name, struct error *error) {
  char room[NAME_BYTES_MOST];
  *name = (struct name){0};
  text.len = text.len > NAME_BYTES_MOST ? NAME_BYTES_MOST : text.len;
  struct slice folded = text_fold(standard->arena, text, false);
  if (folded.data == NULL) {
    return error_memory(error);
  }
  folded.len = folded.len > NAME_BYTES_MOST ? NAME_BYTES_MOST : folded.len;
  struct slice lone = {0};
  for (size_t at = 0; name->count < NAME_TOKENS_MOST;) {
    struct slice token = next_token(folded, &at, room);
    if (token.len == 0) {
      break;
    }
    if (is_particle(token)) {
      lone = lone.len > 0 ? lone : arena_copy(standard->arena, token);
      continue;
    }
    name->tokens[name->count++] = intern_token(standard, token);
  }
  /* A name of nothing but particles is still a name. */
  if (name->count == 0 && lone.len > 0) {
    name->tokens[name->count++] = intern_token(standard, lone);
  }
  for (uint32_t i = 0; i < name->count; i++) {
    if (name->tokens[i] == MAP_NONE) {
      return error_memory(error);
    }
  }
  return OK;
}

enum status simple_standard_sorted(struct standard *standard, const struct name *name, uint32_t *text,
                                   struct error *error) {
  char room[NAME_TOKENS_MOST * (NAME_BYTES_MOST + 1)];
  struct slice sorted[NAME_TOKENS_MOST];
  size_t length = 0;
  *text = LINK_MISSING;
  for (uint32_t i = 0; i < name->count; i++) {
    struct slice token = map_key(standard->tokens, name->tokens[i]);
    uint32_t at = i;
    for (; at > 0 && slice_compare(sorted[at - 1], token) > 0; at--) {
      sorted[at] = sorted[at - 1];
    }
    sorted[at] = token;
  }
  for (uint32_t i = 0; i < name->count; i++) {
    memcpy(room + length, sorted[i].data, sorted[i].len);
    length += sorted[i].len;
    room[length++] = ' ';
  }
  if (length == 0) {
    return OK;
  }
  *text = map_intern(standard->texts, slice_make(room, length - 1));
  return *text == MAP_NONE ? error_memory(error) : OK;
}

/* All digits equal, or each one more, or one less, than the one before. */
static bool is_placeholder(struct slice number) {
  bool equal = true;
  bool up = true;
  bool down = true;
  for (size_t i = 0; i < number.len; i++) {
    char c = number.data[i];
    if (c < '0' || c > '9') {
      return false;
    }
    int step = i == 0 ? 0 : c - number.data[i - 1];
    equal = equal && step == 0;
    up = up && (i == 0 || step == 1 || step == -9);
    down = down && (i == 0 || step == -1 || step == 9);
  }
  return equal || up || down;
}

struct slice simple_standard_document(struct standard *standard, struct slice text) {
  struct slice folded = text_fold(standard->arena, text, false);
  char *out = folded.data == NULL ? NULL : arena_bytes(standard->arena, folded.len + 1);
  size_t length = 0;
  if (out == NULL) {
    return (struct slice){0};
  }
  for (size_t i = 0; i < folded.len; i++) {
    char c = folded.data[i];
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')) {
      out[length++] = c;
    }
  }
  struct slice number = slice_make(out, length);
  return is_placeholder(number) ? slice_make(out, 0) : number;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* U+0080 to U+00BF begin with C2: signs such as the ring of "N°". */
static bool is_sign(char c) {
  return c == '\xC2';
}

static bool is_part(char c) {
  return is_digit(c) || (is_letter((unsigned char)c) && !is_sign(c));
}

static bool is_number_word(struct slice part) {
  return slice_is(part, "N") || slice_is(part, "NO") || slice_is(part, "NRO") || slice_is(part, "NUM");
}

struct slice simple_standard_number(struct standard *standard, struct slice text) {
  struct slice folded = text_fold(standard->arena, text, false);
  char *out = folded.data == NULL ? NULL : arena_bytes(standard->arena, folded.len * 2 + 1);
  size_t length = 0;
  if (out == NULL) {
    return (struct slice){0};
  }
  for (size_t i = 0; i < folded.len;) {
    size_t from = i;
    bool number = is_digit(folded.data[i]);
    while (i < folded.len && is_part(folded.data[i]) && is_digit(folded.data[i]) == number) {
      i++;
    }
    if (i == from) {
      i += is_sign(folded.data[i]) ? 2 : 1;
      continue;
    }
    while (number && from + 1 < i && folded.data[from] == '0') {
      from++;
    }
    struct slice part = slice_make(folded.data + from, i - from);
    if (is_number_word(part)) {
      continue;
    }
    if (length > 0) {
      out[length++] = '-';
    }
    memcpy(out + length, part.data, part.len);
    length += part.len;
  }
  return slice_make(out, length);
}

static int least(int a, int b) {
  return a < b ? a : b;
}

int simple_standard_distance(struct slice a, struct slice b, int most) {
  int rows[3][DISTANCE_LENGTH_MOST + 1];
  int difference = (int)a.len - (int)b.len;
  if (a.len > DISTANCE_LENGTH_MOST || b.len > DISTANCE_LENGTH_MOST || abs(difference) > most) {
    return slice_equal(a, b) ? 0 : most + 1;
  }
  int *before = rows[0];
  int *last = rows[1];
  int *row = rows[2];
  for (int j = 0; j <= (int)b.len; j++) {
    before[j] = last[j] = j;
  }
  for (size_t i = 1; i <= a.len; i++) {
    row[0] = (int)i;
    for (size_t j = 1; j <= b.len; j++) {
      int best = last[j - 1] + (a.data[i - 1] != b.data[j - 1]);
      best = least(best, least(last[j], row[j - 1]) + 1);
      if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1]) {
        best = least(best, before[j - 2] + 1);
      }
      row[j] = best;
    }
    int *oldest = before;
    before = last;
    last = row;
    row = oldest;
  }
  return last[b.len] > most ? most + 1 : last[b.len];
}

bool simple_standard_close(const struct standard *standard, uint32_t a, uint32_t b) {
  if (a == b) {
    return true;
  }
  struct slice x = map_key(standard->tokens, a);
  struct slice y = map_key(standard->tokens, b);
  size_t shorter = x.len < y.len ? x.len : y.len;
  if (shorter >= 4 && standard->token_sound[a] == standard->token_sound[b]) {
    return true;
  }
  int most = shorter >= 8 ? 2 : 1;
  return shorter >= 5 && simple_standard_distance(x, y, most) <= most;
}
