#include "core/service/suggest_guess.h"

#include <ctype.h>
#include <strings.h>

enum { LOOKED_AT_MOST = 2000, CODES_MOST = 50, LENGTH_MOST = 80, WORDS_MOST = 12 };

/* The first row whose words all stand in the header's name decides; a star stands for any ending. */
static const struct {
  enum guess guess;
  const char *words[3];
} header_words[] = {
    {GUESS_TRUTH, {"TRUE*", NULL}},
    {GUESS_TRUTH, {"TRUTH", NULL}},
    {GUESS_TRUTH, {"CLUSTER", NULL}},
    {GUESS_DOCUMENT_TYPE, {"TIPO", "DOC*", NULL}},
    {GUESS_DOCUMENT_TYPE, {"DOC*", "TYPE", NULL}},
    {GUESS_DOCUMENT, {"DOC*", NULL}},
    {GUESS_DOCUMENT, {"DNI", NULL}},
    {GUESS_DOCUMENT, {"CEDULA", NULL}},
    {GUESS_DOCUMENT, {"CURP", NULL}},
    {GUESS_DOCUMENT, {"RUT", NULL}},
    {GUESS_DOCUMENT, {"PASAPORTE", NULL}},
    {GUESS_DOCUMENT, {"PASSPORT", NULL}},
    {GUESS_DOCUMENT, {"SSN", NULL}},
    {GUESS_DOCUMENT, {"SOC", "SEC", NULL}},
    {GUESS_DOCUMENT, {"NATIONAL", "ID", NULL}},
    {GUESS_WHOLE_NAME, {"NOMBRE*", "COMPLETO*", NULL}},
    {GUESS_WHOLE_NAME, {"NOMBRE*", "APELLIDO*", NULL}},
    {GUESS_WHOLE_NAME, {"FULL", "NAME", NULL}},
    {GUESS_WHOLE_NAME, {"FULLNAME", NULL}},
    {GUESS_BIRTH, {"BIRTH", "DATE", NULL}},
    {GUESS_BIRTH, {"DATE", "BIRTH", NULL}},
    {GUESS_BIRTH, {"BIRTH", NULL}},
    {GUESS_BIRTH, {"DOB", NULL}},
    {GUESS_BIRTH, {"BIRTHDATE", NULL}},
    {GUESS_BIRTH, {"FEC*", "NAC*", NULL}},
    {GUESS_BIRTH, {"NACIMIENTO", NULL}},
    {GUESS_MATERNAL, {"MATERN*", NULL}},
    {GUESS_MATERNAL, {"SEGUNDO", "APELLIDO", NULL}},
    {GUESS_MATERNAL, {"SECOND", "SURNAME", NULL}},
    {GUESS_PATERNAL, {"PATERN*", NULL}},
    {GUESS_PATERNAL, {"APELLIDO*", NULL}},
    {GUESS_PATERNAL, {"SURNAME*", NULL}},
    {GUESS_PATERNAL, {"LASTNAME", NULL}},
    {GUESS_PATERNAL, {"LAST", "NAME", NULL}},
    {GUESS_PATERNAL, {"FAMILY", "NAME", NULL}},
    {GUESS_GIVEN, {"GIVEN", NULL}},
    {GUESS_GIVEN, {"FIRST", "NAME", NULL}},
    {GUESS_GIVEN, {"FIRSTNAME", NULL}},
    {GUESS_GIVEN, {"FORENAME*", NULL}},
    {GUESS_GIVEN, {"NOMBRE*", NULL}},
    {GUESS_GIVEN, {"PRENOMBRE*", NULL}},
    {GUESS_EMAIL, {"EMAIL*", NULL}},
    {GUESS_EMAIL, {"MAIL", NULL}},
    {GUESS_EMAIL, {"CORREO*", NULL}},
    {GUESS_PHONE, {"PHONE*", NULL}},
    {GUESS_PHONE, {"TEL*", NULL}},
    {GUESS_PHONE, {"CELULAR", NULL}},
    {GUESS_PHONE, {"MOVIL", NULL}},
    {GUESS_PHONE, {"MOBILE", NULL}},
    {GUESS_POSTCODE, {"POSTCODE", NULL}},
    {GUESS_POSTCODE, {"POSTAL", NULL}},
    {GUESS_POSTCODE, {"ZIP*", NULL}},
    {GUESS_SEX, {"SEX*", NULL}},
    {GUESS_SEX, {"GENDER", NULL}},
    {GUESS_SEX, {"GENERO", NULL}},
    {GUESS_WHOLE_NAME, {"NAME", NULL}},
    {GUESS_NUMBER, {"DENUNCIA", NULL}},
    {GUESS_NUMBER, {"CARPETA", NULL}},
    {GUESS_NUMBER, {"EXPEDIENTE", NULL}},
    {GUESS_NUMBER, {"CASE", NULL}},
    {GUESS_NUMBER, {"CASO", NULL}},
    {GUESS_SOURCE, {"SOURCE", NULL}},
    {GUESS_SOURCE, {"FUENTE", NULL}},
    {GUESS_ID, {"ID", NULL}},
    {GUESS_ID, {"KEY", NULL}},
    {GUESS_ID, {"CLAVE", NULL}},
    {GUESS_ID, {"CODIGO", NULL}},
};

const char *guess_words(enum guess guess) {
  static const char *const words[GUESSES] = {
      [GUESS_NOTHING] = N_("left out"),
      [GUESS_ID] = N_("a key of records"),
      [GUESS_TRUTH] = N_("who is who, for measuring"),
      [GUESS_DOCUMENT_TYPE] = N_("type of document"),
      [GUESS_DOCUMENT] = N_("document"),
      [GUESS_WHOLE_NAME] = N_("whole name"),
      [GUESS_MATERNAL] = N_("maternal surname"),
      [GUESS_PATERNAL] = N_("surname"),
      [GUESS_GIVEN] = N_("given names"),
      [GUESS_EMAIL] = N_("e-mail"),
      [GUESS_PHONE] = N_("phone"),
      [GUESS_POSTCODE] = N_("postcode"),
      [GUESS_BIRTH] = N_("date of birth"),
      [GUESS_SEX] = N_("sex"),
      [GUESS_DATE] = N_("date"),
      [GUESS_NUMBER] = N_("number of a filing"),
      [GUESS_SOURCE] = N_("where a record comes from: left out"),
      [GUESS_CODE] = N_("code: few values"),
      [GUESS_TEXT] = N_("text"),
  };
  return gettext(words[guess]);
}

/* Words of a header's name, in capitals without accents: "FecNacimiento" and "fec_nacimiento" are FEC, NACIMIENTO. */
static size_t header_split(struct arena *arena, const char *name, struct slice words[WORDS_MOST]) {
  struct slice folded;
  char *spaced = arena_bytes(arena, 2 * strlen(name) + 1);
  size_t len = 0, count = 0;
  for (const char *at = name; spaced != NULL && *at != '\0'; at++) {
    if (at > name && isupper((unsigned char)*at) && islower((unsigned char)at[-1])) {
      spaced[len++] = ' ';
    }
    spaced[len++] = *at;
  }
  folded = text_fold(arena, slice_make(spaced, len), false);
  for (size_t i = 0; i < folded.len && count < WORDS_MOST;) {
    size_t end = i;
    while (end < folded.len && isalpha((unsigned char)folded.data[end])) {
      end++;
    }
    if (end > i) {
      words[count++] = slice_make(folded.data + i, end - i);
    }
    i = end + 1;
  }
  return count;
}

static bool has_word(const struct slice *words, size_t count, const char *wanted) {
  size_t len = strlen(wanted);
  bool open = wanted[len - 1] == '*';
  for (size_t i = 0; i < count; i++) {
    if (open ? words[i].len >= len - 1 && memcmp(words[i].data, wanted, len - 1) == 0 : slice_is(words[i], wanted)) {
      return true;
    }
  }
  return false;
}

static enum guess guess_header(struct arena *arena, const char *name) {
  struct slice words[WORDS_MOST];
  size_t count = header_split(arena, name, words);
  for (size_t row = 0; row < sizeof header_words / sizeof *header_words; row++) {
    const char *const *wanted = header_words[row].words;
    while (*wanted != NULL && has_word(words, count, *wanted)) {
      wanted++;
    }
    if (*wanted == NULL) {
      return header_words[row].guess;
    }
  }
  return GUESS_NOTHING;
}

static bool is_month(const char *digits) {
  int month = (digits[0] - '0') * 10 + digits[1] - '0';
  return month >= 1 && month <= 12;
}

/* 19560409, 1956-04-09, 09/04/1956, and with other signs between. */
static bool looks_like_date(struct slice text) {
  char digits[9];
  size_t count = 0, first = 0;
  if (text.len < 8 || text.len > 10) {
    return false;
  }
  for (size_t i = 0; i < text.len; i++) {
    if (isdigit((unsigned char)text.data[i])) {
      if (count == 8) {
        return false;
      }
      digits[count++] = text.data[i];
    } else if (strchr("-/.", text.data[i]) == NULL || (i != 2 && i != 4 && i != 5 && i != 7)) {
      return false;
    } else if (first == 0) {
      first = i;
    }
  }
  return count == 8 && (first == 2 ? is_month(digits + 2) || is_month(digits) : is_month(digits + 4));
}

static bool all_digits(struct slice text) {
  for (size_t i = 0; i < text.len; i++) {
    if (!isdigit((unsigned char)text.data[i])) {
      return false;
    }
  }
  return true;
}

static void look(const struct map *dictionary, struct facts *facts) {
  uint32_t count = map_count(dictionary) < LOOKED_AT_MOST ? map_count(dictionary) : LOOKED_AT_MOST;
  for (uint32_t i = 0; i < count; i++) {
    struct slice text = map_key(dictionary, i);
    facts->length += (double)(text.len < 2 * LENGTH_MOST ? text.len : 2 * LENGTH_MOST) / count; /* one may be huge */
    facts->dates += looks_like_date(text) ? 1.0 / count : 0;
    facts->mails += memchr(text.data, '@', text.len) != NULL ? 1.0 / count : 0;
    facts->digits += all_digits(text) ? 1.0 / count : 0;
  }
}

/* A header that the values belie does not count. */
static enum guess guess_values(const struct facts *facts, uint64_t records, enum guess header) {
  bool few = facts->distinct <= CODES_MOST && facts->distinct * 4 <= records - facts->missing;
  if (facts->distinct <= 1 || facts->length > LENGTH_MOST) {
    return GUESS_NOTHING;
  }
  if (header == GUESS_DOCUMENT && few) {
    return GUESS_CODE;
  }
  if ((header == GUESS_ID && few) || (header == GUESS_BIRTH && facts->dates < 0.3 && facts->digits < 0.5)) {
    header = GUESS_NOTHING; /* a code of something else; a place of birth */
  }
  if (header != GUESS_NOTHING) {
    return header;
  }
  if (facts->dates > 0.7) {
    return GUESS_DATE;
  }
  if (facts->mails > 0.5) {
    return GUESS_EMAIL;
  }
  return few ? GUESS_CODE : GUESS_TEXT;
}

static bool has_guess(const struct facts *facts, size_t count, enum guess guess) {
  for (size_t i = 0; i < count; i++) {
    if (facts[i].guess == guess) {
      return true;
    }
  }
  return false;
}

/* What a name is depends on the names beside it. */
static void settle_names(struct facts *facts, size_t count) {
  bool surnames = has_guess(facts, count, GUESS_PATERNAL), given = has_guess(facts, count, GUESS_GIVEN);
  bool whole = has_guess(facts, count, GUESS_WHOLE_NAME);
  for (size_t i = 0; i < count; i++) {
    if (facts[i].guess == GUESS_GIVEN && !surnames && !whole) {
      facts[i].guess = GUESS_WHOLE_NAME; /* "Nombre" with no surname beside it */
    } else if (facts[i].guess == GUESS_WHOLE_NAME && surnames && !given && strcasecmp(facts[i].name, "name") == 0) {
      facts[i].guess = GUESS_GIVEN;
    } else if (facts[i].guess == GUESS_MATERNAL && !surnames) {
      facts[i].guess = GUESS_TEXT;
    }
  }
}

void guess_columns(const struct sheet *sheet, struct arena *arena, struct facts *facts) {
  for (size_t i = 0; i < sheet->column_count; i++) {
    const struct link_column *column = &sheet->columns[i];
    facts[i] =
        (struct facts){.name = column->name, .distinct = map_count(column->dictionary), .missing = sheet->missing[i]};
    look(column->dictionary, &facts[i]);
    facts[i].guess = guess_values(&facts[i], sheet->count, guess_header(arena, column->name));
    /* Each of these is one column; a second one is compared as what its values are. */
    if (facts[i].guess != GUESS_ID && facts[i].guess != GUESS_NOTHING && facts[i].guess < GUESS_DATE
        && has_guess(facts, i, facts[i].guess)) {
      facts[i].guess = guess_values(&facts[i], sheet->count, GUESS_NOTHING);
    }
  }
  settle_names(facts, sheet->column_count);
}
