#include "core/service/suggest.h"

#include "core/service/suggest_guess.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

enum { NAME_SIZE = 40, TEXTS_MOST = 8, COMPARISONS_MOST = 20 };

struct draft {
  const struct sheet *sheet;
  struct facts *facts;
  const char *columns[GUESSES]; /* the first of each guess; NULL: none */
  const char *id;
  struct buffer *out;
  char names[COMPARISONS_MOST][NAME_SIZE]; /* of comparisons so far */
  size_t count;
  const char *texts[TEXTS_MOST]; /* comparisons of text with many values: for blocking */
  size_t text_count;
};

/* A column's name as YAML takes it. */
static void put_name(struct buffer *out, const char *name) {
  bool plain = isalpha((unsigned char)name[0]) != 0;
  for (const char *at = name; *at != '\0'; at++) {
    plain = plain && (isalnum((unsigned char)*at) || *at == '_');
  }
  if (plain) {
    buffer_text(out, name);
    return;
  }
  buffer_char(out, '"');
  for (; *name != '\0'; name++) {
    if (*name == '"' || *name == '\\') {
      buffer_char(out, '\\');
    }
    buffer_char(out, *name);
  }
  buffer_char(out, '"');
}

/* A word for the comparison of a column: "Fecha de Ingreso" → fecha_de_ingreso; never one that stands already. */
static const char *make_name(struct draft *draft, const char *column) {
  char *name = draft->names[draft->count];
  size_t len = 0;
  for (const char *at = column; *at != '\0' && len < NAME_SIZE - 4; at++) {
    bool word = isalnum((unsigned char)*at) && (unsigned char)*at < 0x80;
    if (word) {
      name[len++] = (char)tolower((unsigned char)*at);
    } else if (len > 0 && name[len - 1] != '_') {
      name[len++] = '_';
    }
  }
  name[len] = '\0';
  bool taken = len == 0 || !isalpha((unsigned char)name[0]);
  for (size_t i = 0; i < draft->count; i++) {
    taken = taken || strcmp(draft->names[i], name) == 0;
  }
  if (taken) {
    snprintf(name, NAME_SIZE, "column_%zu", draft->count + 1);
  }
  draft->count++;
  return name;
}

static void put_head(const struct draft *draft, const char *path) {
  const struct sheet *sheet = draft->sheet;
  struct buffer *out = draft->out;
  size_t width = 6;
  for (size_t i = 0; i < sheet->column_count; i++) {
    width = strlen(draft->facts[i].name) > width ? strlen(draft->facts[i].name) : width;
  }
  buffer_text(out, "# ");
  buffer_printf(out, _("A configuration to begin with, made from the columns of %s (%zu records): look through it."),
                sheet->files[0].name, sheet->count);
  buffer_printf(out, "\n#\n#   puente link --csv %s --link THIS.yaml --out clusters.csv\n#\n", path);
  buffer_printf(out, "# %-*s %12s %9s\n", (int)width, _("column"), _("distinct"), _("missing"));
  for (size_t i = 0; i < sheet->column_count; i++) {
    const struct facts *facts = &draft->facts[i];
    buffer_printf(out, "# %-*s %12" PRIu64 " %7.1f %%  %s\n", (int)width, facts->name, facts->distinct,
                  100.0 * (double)facts->missing / (double)sheet->count,
                  facts->name == draft->id ? _("names the records") : guess_words(facts->guess));
  }
  buffer_char(out, '\n');
  if (draft->id != NULL) {
    buffer_text(out, "id: ");
    put_name(out, draft->id);
    buffer_text(out, "\n\n");
  }
}

/* "  given: {kind: given_names, from: [a, b]" — the caller closes it. */
static void put_comparison(struct draft *draft, const char *name, const char *kind, const char *const *columns) {
  size_t count = 0, put = 0;
  for (size_t i = 0; i < LINK_FROM_MOST; i++) {
    count += columns[i] != NULL;
  }
  buffer_printf(draft->out, "  %s: {kind: %s, from: %s", make_name(draft, name), kind, count > 1 ? "[" : "");
  for (size_t i = 0; i < LINK_FROM_MOST; i++) {
    if (columns[i] != NULL) {
      buffer_text(draft->out, put++ > 0 ? ", " : "");
      put_name(draft->out, columns[i]);
    }
  }
  buffer_text(draft->out, count > 1 ? "]" : "");
}

#define FROM(...) ((const char *const[LINK_FROM_MOST]){__VA_ARGS__})

/* What identifies most: documents and names. */
static void put_identity(struct draft *draft) {
  const char *const *columns = draft->columns;
  const char *paternal = columns[GUESS_PATERNAL], *maternal = columns[GUESS_MATERNAL];
  if (columns[GUESS_DOCUMENT] != NULL) {
    put_comparison(draft, "document", "document", FROM(columns[GUESS_DOCUMENT_TYPE], columns[GUESS_DOCUMENT]));
    buffer_text(draft->out, "}\n");
  }
  if (columns[GUESS_WHOLE_NAME] != NULL) {
    put_comparison(draft, "name", "name", FROM(columns[GUESS_GIVEN], paternal, maternal, columns[GUESS_WHOLE_NAME]));
    buffer_text(draft->out, ", frequency: true}\n");
    return;
  }
  if (paternal != NULL && maternal != NULL) {
    put_comparison(draft, "surname", "surnames", FROM(paternal, maternal));
    buffer_text(draft->out, ", frequency: true}\n");
  } else if (paternal != NULL) {
    put_comparison(draft, "surname", "text", FROM(paternal));
    buffer_text(draft->out, ", frequency: true, levels: [exact, {jaro_winkler: 0.92}, {jaro_winkler: 0.80}]}\n");
  }
  if (columns[GUESS_GIVEN] != NULL) {
    put_comparison(draft, "given", "given_names", FROM(columns[GUESS_GIVEN], paternal));
    buffer_text(draft->out, "}\n");
  }
}

static void put_text(struct draft *draft, const struct facts *facts) {
  const char *levels = facts->digits > 0.9 || facts->length < 4 ? ", levels: [exact, {damerau_levenshtein: 1}]}\n"
                                                                : ", levels: [exact, {jaro_winkler: 0.92}, "
                                                                  "{jaro_winkler: 0.80}]}\n";
  put_comparison(draft, facts->name, "text", FROM(facts->name));
  buffer_text(draft->out, levels);
  if (draft->text_count < TEXTS_MOST) {
    draft->texts[draft->text_count++] = draft->names[draft->count - 1];
  }
}

static void put_others(struct draft *draft) {
  for (size_t i = 0; i < draft->sheet->column_count && draft->count < COMPARISONS_MOST; i++) {
    const struct facts *facts = &draft->facts[i];
    switch (facts->guess) {
    case GUESS_BIRTH:
      put_comparison(draft, "birth", "date", FROM(facts->name));
      buffer_text(draft->out, ", spikes: [\"01-01\"]}\n");
      break;
    case GUESS_DATE:
      put_comparison(draft, facts->name, "date", FROM(facts->name));
      buffer_text(draft->out, "}\n");
      break;
    case GUESS_NUMBER:
      put_comparison(draft, facts->name, "number", FROM(facts->name));
      buffer_text(draft->out, "}\n");
      if (draft->text_count < TEXTS_MOST) {
        draft->texts[draft->text_count++] = draft->names[draft->count - 1];
      }
      break;
    case GUESS_EMAIL:
      put_comparison(draft, "email", "text", FROM(facts->name));
      buffer_text(draft->out, ", frequency: true, levels: [exact, {jaro_winkler: 0.92}]}\n");
      break;
    case GUESS_PHONE:
      put_comparison(draft, "phone", "text", FROM(facts->name));
      buffer_text(draft->out, ", levels: [exact, {damerau_levenshtein: 1}]}\n");
      break;
    case GUESS_SEX:
    case GUESS_CODE:
      put_comparison(draft, facts->name, "code", FROM(facts->name));
      buffer_text(draft->out, "}\n");
      break;
    case GUESS_POSTCODE:
    case GUESS_TEXT:
      put_text(draft, facts);
      break;
    default:
      break;
    }
  }
}

static void put_rule(struct draft *draft, const char *a, const char *b) {
  if (b == NULL) {
    buffer_printf(draft->out, "  - %s\n", a);
  } else {
    buffer_printf(draft->out, "  - [%s, %s]\n", a, b);
  }
}

/* Names and dates, and each text with a name: a slip in one value leaves the others. */
static void put_name_rules(struct draft *draft) {
  const char *const *columns = draft->columns;
  bool whole = columns[GUESS_WHOLE_NAME] != NULL;
  const char *surname = whole ? "name.any" : columns[GUESS_MATERNAL] != NULL ? "surname.any" : "surname";
  const char *sound = whole ? "name.sound" : "surname.sound";
  if (columns[GUESS_BIRTH] != NULL) {
    buffer_printf(draft->out, "  - {name: names and birth, keys: [%s%s, birth]}\n", whole ? "name" : surname,
                  whole ? "" : ", given.first");
    put_rule(draft, surname, "birth");
    put_rule(draft, sound, "birth.year");
    put_rule(draft, sound, "birth.day_and_month");
    if (!whole) {
      put_rule(draft, "given.first", "birth");
      put_rule(draft, "given.sound", "birth.year");
    }
  }
  put_rule(draft, whole ? "name.pair" : surname, whole ? NULL : "given.first");
  for (size_t i = 0; i < draft->text_count; i++) {
    put_rule(draft, surname, draft->texts[i]);
    if (!whole) {
      put_rule(draft, "given.first", draft->texts[i]);
    }
  }
}

/* Where names are not whole: every two of what there is. */
static bool put_pair_rules(struct draft *draft) {
  const char *parts[TEXTS_MOST + 3];
  size_t count = 0;
  if (draft->columns[GUESS_PATERNAL] != NULL) {
    parts[count++] = draft->columns[GUESS_MATERNAL] != NULL ? "surname.any" : "surname";
  }
  if (draft->columns[GUESS_BIRTH] != NULL) {
    parts[count++] = "birth";
  }
  for (size_t i = 0; i < draft->text_count; i++) {
    parts[count++] = draft->texts[i];
  }
  for (size_t i = 0; i < count; i++) {
    for (size_t k = i + 1; k < count; k++) {
      put_rule(draft, parts[i], parts[k]);
    }
  }
  return count > 1;
}

/* The first rule is also the one that training takes for nearly certain. */
static void put_blocks(struct draft *draft) {
  static const enum guess single[] = {GUESS_DOCUMENT, GUESS_EMAIL, GUESS_PHONE};
  static const char *const rules[] = {"document", "email", "phone"};
  const char *const *columns = draft->columns;
  bool names = columns[GUESS_WHOLE_NAME] != NULL || (columns[GUESS_PATERNAL] != NULL && columns[GUESS_GIVEN] != NULL);
  bool any = names;
  for (size_t i = 0; i < sizeof single / sizeof *single; i++) {
    if (i == 1 && names) {
      put_name_rules(draft);
    } else if (i == 1) {
      any = put_pair_rules(draft) || any;
    }
    if (columns[single[i]] != NULL) {
      put_rule(draft, rules[i], NULL);
      any = true;
    }
  }
  if (!any) {
    put_rule(draft, draft->names[0], NULL);
  }
}

static void put_tail(const struct draft *draft) {
  struct buffer *out = draft->out;
  buffer_printf(out, "\n# %s\nband: {hold: [0.80, 0.99]}\n",
                _("Pairs of these probabilities wait for a person; \"tentative\" merges them until rejected."));
  if (draft->columns[GUESS_TRUTH] != NULL) {
    buffer_printf(out, "\n# %s\n# truth: {column: ",
                  _("If this column says who is who, precision and recall are measured with it:"));
    put_name(out, draft->columns[GUESS_TRUTH]);
    buffer_text(out, "}\n");
  }
}

static void find_columns(struct draft *draft) {
  for (size_t i = 0; i < draft->sheet->column_count; i++) {
    const struct facts *facts = &draft->facts[i];
    if (facts->guess == GUESS_ID && draft->id == NULL && facts->distinct == draft->sheet->count) {
      draft->id = facts->name;
    } else if (draft->columns[facts->guess] == NULL) {
      draft->columns[facts->guess] = facts->name;
    }
  }
}

enum status suggest_plan(const char *path, enum encoding encoding, struct buffer *out, struct error *error) {
  const struct sheet_options options = {.files = &path, .file_count = 1, .encoding = encoding};
  struct sheet sheet;
  if (sheet_read(&options, &sheet, error) != OK) {
    return error->code;
  }
  struct draft draft = {.sheet = &sheet, .out = out};
  draft.facts = arena_array(sheet.arena, sheet.column_count + 1, sizeof *draft.facts);
  enum status status = draft.facts == NULL ? error_memory(error) : OK;
  if (status == OK) {
    guess_columns(&sheet, sheet.arena, draft.facts);
    find_columns(&draft);
    put_head(&draft, path);
    buffer_text(out, "compare:\n");
    put_identity(&draft);
    put_others(&draft);
    buffer_printf(out, "\n# %s\nblock:\n", _("Which pairs are looked at: those that agree on any of these."));
    put_blocks(&draft);
    put_tail(&draft);
    status = buffer_check(out, _("the configuration"), error);
  }
  if (status == OK && draft.count == 0) {
    status = error_set(error, ERR_INPUT, _("no column can be compared: each is empty, of one value, or very long"));
    error_place(error, "%s", path);
  }
  sheet_free(&sheet);
  return status;
}
