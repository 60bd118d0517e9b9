/* Names into tokens: words, and what belongs together of them. */
#include "core/link/letters.h"
#include "core/link/standard_parts.h"

enum { NAME_BYTES_MOST = 1024, WORDS_MOST = 32, WRITTEN_BYTES_MOST = 200 };

/* The words of one name, in scratch memory. */
struct words {
  struct slice word[WORDS_MOST];
  size_t count;
};

/* A name on its way from words to tokens. */
struct reading {
  struct standard *standard;
  struct name *name;
  char particles[WRITTEN_BYTES_MOST]; /* with a space after each, waiting for their word */
  size_t particles_length;
  bool dropping; /* the next word is the name of a late husband */
};

static bool is_one_of(struct slice word, const char *const *list) {
  for (; *list != NULL; list++) {
    if (slice_is(word, *list)) {
      return true;
    }
  }
  return false;
}

/* "E" stands for "y" before the sound of i only: everywhere else it is an initial. */
static bool is_particle(struct slice word, struct slice next) {
  static const char *const particles[] = {"DE", "DEL", "LA",  "LAS", "LOS", "EL",  "DA",
                                          "DO", "DOS", "DAS", "DI",  "VAN", "VON", NULL};
  if (next.len == 0) {
    return word.len > 1 && is_one_of(word, particles);
  }
  if (slice_is(word, "Y")) {
    return true;
  }
  if (slice_is(word, "E")) {
    return next.len > 1 && (next.data[0] == 'I' || (next.data[0] == 'H' && next.data[1] == 'I'));
  }
  return is_one_of(word, particles);
}

static bool is_widow(struct slice word) {
  static const char *const widows[] = {"VDA", "VDO", "VIUDA", "VIUDO", NULL};
  return is_one_of(word, widows);
}

/* A lost letter or a digit counts as a letter between two of them: "MU?OZ", "R0SA" are one slip from the name. */
static bool is_between(struct slice text, size_t at, size_t after, size_t written) {
  return written > 0 && after < text.len && letter_at(text, after).kind == LETTER && at > 0;
}

/* Appends one character of a word; false where the word ends before it. */
static bool word_takes(struct slice text, size_t at, struct letter letter, char *room, size_t *length) {
  switch (letter.kind) {
  case LETTER:
    if (text.data[at] == '\xC2') { /* Mª, Nº */
      room[(*length)++] = text.data[at + 1] == '\xAA' ? 'A' : 'O';
      return true;
    }
    memcpy(room + *length, text.data + at, letter.length);
    *length += letter.length;
    return true;
  case LETTER_JOINT:
    return true;
  case LETTER_DIGIT:
  case LETTER_UNKNOWN:
    if (!is_between(text, at, at + letter.length, *length)) {
      return false;
    }
    room[(*length)++] = letter.kind == LETTER_DIGIT ? text.data[at] : '?';
    return true;
  default:
    return false;
  }
}

/* Parts folded text into words, copied to `room`, which is as long as the text. */
static void words_make(struct slice text, char *room, struct words *words) {
  words->count = 0;
  for (size_t at = 0; at < text.len && words->count < WORDS_MOST;) {
    size_t length = 0;
    while (at < text.len) {
      struct letter letter = letter_at(text, at);
      if (!word_takes(text, at, letter, room, &length)) {
        break;
      }
      at += letter.length;
    }
    if (length > 0) {
      words->word[words->count++] = slice_make(room, length);
      room += length;
    } else {
      at += at < text.len ? letter_at(text, at).length : 0;
    }
  }
}

/* What is written where there is no name to write. */
static const char *const no_names[] = {
    "NN",
    "N N",
    "SN",
    "S N",
    "S D",
    "N A",
    "NULL",
    "NO TIENE",
    "NO REGISTRA",
    "NO REGISTRADO",
    "NO REGISTRADA",
    "NO PRECISA",
    "NO INDICA",
    "NO REFIERE",
    "NO CONSIGNA",
    "NO CONSIGNADO",
    "NO IDENTIFICADO",
    "NO IDENTIFICADA",
    "NO DETERMINADO",
    "NO DETERMINADA",
    "NO ESPECIFICA",
    "NO ESPECIFICADO",
    "SIN NOMBRE",
    "SIN NOMBRES",
    "SIN APELLIDO",
    "SIN APELLIDOS",
    "SIN DATO",
    "SIN DATOS",
    "SIN INFORMACION",
    "SIN IDENTIFICAR",
    "DESCONOCIDO",
    "DESCONOCIDA",
    "DESCONOCIDOS",
    "SE DESCONOCE",
    "IGNORADO",
    "IGNORADA",
    "SE IGNORA",
    "RESERVADO",
    "RESERVADA",
    "IDENTIDAD RESERVADA",
    "RESERVA DE IDENTIDAD",
    "POR DETERMINAR",
    "POR IDENTIFICAR",
    NULL,
};

static bool is_no_name(const struct words *words) {
  char text[WRITTEN_BYTES_MOST];
  size_t length = 0;
  bool crosses = words->count > 0;
  for (size_t i = 0; i < words->count; i++) {
    struct slice word = words->word[i];
    if (word.len + 1 > sizeof text - length) {
      return false;
    }
    for (size_t k = 0; k < word.len; k++) {
      crosses = crosses && word.data[k] == 'X';
    }
    memcpy(text + length, word.data, word.len);
    length += word.len;
    text[length++] = ' ';
  }
  return crosses || (length > 0 && is_one_of(slice_make(text, length - 1), no_names));
}

/* Particle and word of a surname written in one; `word` unchanged where it is none that is known. */
static void part_glued(struct slice *particle, struct slice *word) {
  static const char *const known[] = {"DE LA CRUZ",
                                      "DE LA TORRE",
                                      "DE LA ROSA",
                                      "DE LA VEGA",
                                      "DE LA FUENTE",
                                      "DE LA PUENTE",
                                      "DE LA PENA",
                                      "DE LA PE\xC3\x91"
                                      "A",
                                      "DE LA SOTA",
                                      "DE LA FLOR",
                                      "DE LA BARRA",
                                      "DE LA CALLE",
                                      "DE LA RIVA",
                                      "DE LOS SANTOS",
                                      "DE LOS RIOS",
                                      "DE LOS REYES",
                                      "DE LOS ANGELES",
                                      "DEL AGUILA",
                                      "DEL CASTILLO",
                                      "DEL CARPIO",
                                      "DEL VALLE",
                                      "DEL RIO",
                                      "DEL PINO",
                                      "DEL SOLAR",
                                      "DEL POZO",
                                      "DEL CAMPO",
                                      "DEL ROSARIO",
                                      "DEL BUSTO",
                                      "DEL MONTE",
                                      "DE LEON",
                                      "DE DIOS",
                                      NULL};
  for (const char *const *name = known; word->len >= 6 && word->data[0] == 'D' && *name != NULL; name++) {
    size_t at = 0;
    const char *from = *name;
    for (; *from != '\0' && at < word->len; from++) {
      if (*from != ' ') {
        if (*from != word->data[at]) {
          break;
        }
        at++;
      }
    }
    if (at == word->len && *from == '\0') {
      const char *last = strrchr(*name, ' ') + 1;
      *particle = slice_make(*name, (size_t)(last - *name) - 1);
      *word = slice_of(last);
      return;
    }
  }
}

static void particles_add(struct reading *reading, struct slice word) {
  if (word.len + 1 <= sizeof reading->particles - NAME_TOKEN_BYTES_MOST - reading->particles_length) {
    memcpy(reading->particles + reading->particles_length, word.data, word.len);
    reading->particles_length += word.len;
    reading->particles[reading->particles_length++] = ' ';
  }
}

/* `written` without spaces, and ñ as N; returns the length. */
static size_t fold_written(struct slice written, char *folded) {
  size_t length = 0;
  for (size_t i = 0; i < written.len; i++) {
    if (written.data[i] == '\xC3' && i + 1 < written.len && written.data[i + 1] == '\x91') {
      folded[length++] = 'N';
      i++;
    } else if (written.data[i] != ' ') {
      folded[length++] = written.data[i];
    }
  }
  return length;
}

/* One token: `core` is what is compared of `written` (its end, or all). */
static enum status token_add(struct reading *reading, struct slice written, struct slice core, struct error *error) {
  char folded[WRITTEN_BYTES_MOST];
  struct name *name = reading->name;
  struct slice token = slice_make(folded, fold_written(core, folded));
  reading->particles_length = 0;
  if (token.len == 0 || token.len > NAME_TOKEN_BYTES_MOST || name->count == NAME_TOKENS_MOST) {
    return OK;
  }
  uint32_t number = standard_intern(reading->standard, token, true);
  bool plain = slice_equal(token, written);
  uint32_t form = plain || number == MAP_NONE ? number : standard_intern(reading->standard, written, false);
  if (form == MAP_NONE) {
    return error_memory(error);
  }
  name->tokens[name->count] = number;
  name->written[name->count++] = form;
  return OK;
}

/* A word with the particles before it; `title`: San, Santa, which is part of the token. */
static enum status word_add(struct reading *reading, struct slice title, struct slice word, struct error *error) {
  char written[WRITTEN_BYTES_MOST + NAME_TOKEN_BYTES_MOST];
  struct slice particle = {0};
  if (reading->dropping) {
    reading->dropping = false;
    reading->particles_length = 0;
    return OK;
  }
  part_glued(&particle, &word);
  if (particle.len > 0) {
    particles_add(reading, particle);
  }
  size_t length = reading->particles_length;
  memcpy(written, reading->particles, length);
  bool whole = word.len == 1 && length > 0 && written[0] == 'D'; /* de la O */
  size_t core = whole ? 0 : length;
  if (title.len > 0) {
    memcpy(written + length, title.data, title.len);
    length += title.len;
    written[length++] = ' ';
  }
  memcpy(written + length, word.data, word.len);
  length += word.len;
  return token_add(reading, slice_make(written, length), slice_make(written + core, length - core), error);
}

/* San, Santa, Santo in full where the word is one of them, else "". */
static struct slice title_of(struct slice word) {
  static const char *const titles[][2] = {
      {"SAN", "SAN"}, {"SANTA", "SANTA"}, {"SANTO", "SANTO"}, {"STA", "SANTA"}, {"STO", "SANTO"}};
  for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
    if (slice_is(word, titles[i][0])) {
      return slice_of(titles[i][1]);
    }
  }
  return slice_none();
}

static struct slice word_at(const struct words *words, size_t at) {
  return at < words->count ? words->word[at] : slice_none();
}

static enum status words_read(struct reading *reading, const struct words *words, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < words->count && status == OK; i++) {
    struct slice word = words->word[i];
    struct slice next = word_at(words, i + 1);
    if (is_widow(word)) {
      reading->dropping = next.len > 0;
      reading->particles_length = 0;
    } else if (is_particle(word, next)) {
      particles_add(reading, word);
    } else {
      struct slice title = title_of(word);
      bool joins = title.len > 0 && next.len > 1 && !is_particle(next, word_at(words, i + 2)) && !is_widow(next);
      status = word_add(reading, joins ? title : slice_none(), joins ? next : word, error);
      i += joins;
    }
  }
  return status;
}

/* Nothing but particles: the first of them is the name. */
static enum status lone_particle(struct reading *reading, const struct words *words, struct error *error) {
  if (reading->name->count > 0 || reading->particles_length == 0 || reading->dropping) {
    return OK;
  }
  return token_add(reading, words->word[0], words->word[0], error);
}

enum status standard_name(struct standard *standard, struct slice text, struct name *name, struct error *error) {
  struct words words;
  struct reading reading = {.standard = standard, .name = name};
  *name = (struct name){0};
  arena_reset(standard->scratch);
  if (text.len > NAME_BYTES_MOST) {
    name->overlong = true;
    return OK;
  }
  struct slice folded = standard_fold(standard->scratch, text, true);
  char *room = folded.data == NULL ? NULL : arena_bytes(standard->scratch, folded.len + 1);
  if (room == NULL) {
    return error_memory(error);
  }
  words_make(folded, room, &words);
  for (size_t i = 0; i < words.count; i++) {
    name->overlong = name->overlong || words.word[i].len > NAME_TOKEN_BYTES_MOST;
  }
  if (name->overlong || is_no_name(&words)) {
    return OK;
  }
  enum status status = words_read(&reading, &words, error);
  return status == OK ? lone_particle(&reading, &words, error) : status;
}
