/* Names of people: cleaned without losing ñ or accents, and whole names taken apart. */
#include "mapping/transform/transform.h"

#include "core/base/text.h"

enum { NAME_WORDS_MOST = 32 };

/* Signs that end a word, so that "QUISPE,ROSA" stays two. */
static bool is_space(unsigned char c) {
  return c <= ' ' || c == '_' || c == '/' || c == ';' || c == ':' || c == '|';
}

static bool is_kept(unsigned char c) {
  return (c >= 'A' && c <= 'Z') || c == '\'' || c == '-' || c == ',' || c >= 0x80;
}

bool transform_name(const void *settings, const struct transform_context *context, struct value *value) {
  (void)settings;
  struct slice upper = text_upper(context->arena, value->text);
  struct slice whole = upper.data == NULL ? upper : text_squeeze(context->arena, upper);
  char *bytes = whole.data == NULL ? NULL : arena_bytes(context->arena, whole.len + 1);
  size_t len = 0;
  bool space = false;
  for (size_t i = 0; bytes != NULL && i < whole.len; i++) {
    unsigned char c = (unsigned char)whole.data[i];
    if (is_space(c)) {
      space = len > 0;
    } else if (is_kept(c)) {
      if (space) {
        bytes[len++] = ' ';
      }
      space = false;
      bytes[len++] = (char)c;
    }
  }
  while (len > 0 && (bytes[len - 1] == '-' || bytes[len - 1] == ',' || bytes[len - 1] == ' ')) {
    len--;
  }
  value->text = slice_make(bytes, len);
  return bytes != NULL;
}

/* ---- whole names ---- */

enum name_part { PART_GIVEN, PART_PATERNAL, PART_MATERNAL };
struct split_settings {
  bool surnames_first;
  enum name_part part;
};

static const char *const part_names[] = {"given", "paternal", "maternal"};

const void *transform_split_name_compile(struct compiler *compiler, const struct yaml *node, const struct yaml *rule,
                                         const struct entity *entity, const struct field *field) {
  (void)entity;
  (void)field;
  struct split_settings *settings = compile_alloc(compiler, 1, sizeof *settings);
  const char *order = compile_scalar(compiler, node);
  const struct yaml *part = yaml_get(rule, "part");
  if (settings == NULL || order == NULL) {
    return NULL;
  }
  settings->surnames_first = strcmp(order, "paternal maternal given") == 0;
  if (!settings->surnames_first && strcmp(order, "given paternal maternal") != 0) {
    compile_mistake(compiler, node, NULL, _("split_name takes 'given paternal maternal' or 'paternal maternal given'"));
    return NULL;
  }
  const char *name = part == NULL ? NULL : compile_scalar(compiler, part);
  for (int i = 0; name != NULL && i < 3; i++) {
    if (strcmp(name, part_names[i]) == 0) {
      settings->part = (enum name_part)i;
      return settings;
    }
  }
  compile_mistake(compiler, part == NULL ? node : part, NULL, _("part is one of given, paternal, maternal"));
  return NULL;
}

static bool is_particle(struct slice word) {
  static const char *const particles[] = {"DE",   "DEL",   "LA",  "LAS", "LOS", "EL",  "Y",     "E",
                                          "DA",   "DAS",   "DO",  "DOS", "DI",  "SAN", "SANTA", "VDA",
                                          "VDA.", "VIUDA", "VON", "VAN", "MC",  "MAC"};
  for (size_t i = 0; i < sizeof particles / sizeof *particles; i++) {
    if (slice_is(word, particles[i])) {
      return true;
    }
  }
  return false;
}

/* Words of the text with particles bound to what follows them: "MARIA", "DEL CARMEN", "DE LA CRUZ". */
static size_t units_of(struct slice text, struct slice units[NAME_WORDS_MOST]) {
  size_t count = 0;
  const char *begin = NULL, *end = text.data + text.len;
  for (const char *at = text.data; at < end;) {
    const char *stop = memchr(at, ' ', (size_t)(end - at));
    stop = stop == NULL ? end : stop;
    struct slice word = slice_make(at, (size_t)(stop - at));
    if (word.len > 0) {
      begin = begin == NULL ? at : begin;
      if ((!is_particle(word) || stop == end) && count < NAME_WORDS_MOST) {
        units[count++] = slice_make(begin, (size_t)(stop - begin));
        begin = NULL;
      }
    }
    at = stop + 1;
  }
  return count;
}

/* Text from the first of the units to the last: they stand side by side. */
static struct slice span(const struct slice *units, size_t from, size_t to) {
  if (from >= to) {
    return slice_of("");
  }
  return slice_make(units[from].data, (size_t)(units[to - 1].data + units[to - 1].len - units[from].data));
}

struct whole_name {
  struct slice parts[3];
};

static void split_surnames(struct slice text, struct whole_name *name) {
  struct slice units[NAME_WORDS_MOST];
  size_t count = units_of(text, units);
  name->parts[PART_PATERNAL] = span(units, 0, count < 2 ? count : 1);
  name->parts[PART_MATERNAL] = span(units, 1, count);
}

/* One word is a given name; two are a name and a surname; of three and more, two are surnames. */
static void split_ordered(struct slice text, bool surnames_first, struct whole_name *name) {
  struct slice units[NAME_WORDS_MOST];
  size_t count = units_of(text, units), surnames = count < 2 ? 0 : count == 2 ? 1 : 2;
  size_t first = surnames_first ? 0 : count - surnames;
  name->parts[PART_GIVEN] = surnames_first ? span(units, surnames, count) : span(units, 0, first);
  name->parts[PART_PATERNAL] = span(units, first, first + (surnames > 0));
  name->parts[PART_MATERNAL] = span(units, first + 1, first + surnames);
}

bool transform_split_name(const void *settings, const struct transform_context *context, struct value *value) {
  (void)context;
  const struct split_settings *split = settings;
  struct whole_name name = {0};
  const char *comma = memchr(value->text.data, ',', value->text.len);
  if (comma != NULL) {
    size_t before = (size_t)(comma - value->text.data);
    split_surnames(slice_trim(slice_make(value->text.data, before)), &name);
    name.parts[PART_GIVEN] = slice_trim(slice_make(comma + 1, value->text.len - before - 1));
  } else {
    split_ordered(value->text, split->surnames_first, &name);
  }
  struct slice part = name.parts[split->part];
  if (part.len == 0) {
    return value_missing(value, MISSING_UNSTATED);
  }
  value->text = part;
  return true;
}
