/* Tables of a mapping from what a source writes to what it means: `values` and `missing`. */
#include "mapping/plan_internal.h"

#include "core/base/text.h"

static struct map *words_map(struct compiler *compiler) {
  struct plan *plan = compiler->plan;
  void *items = plan->maps;
  if (!compile_grow(compiler, &items, plan->map_count, &plan->map_capacity, sizeof *plan->maps)) {
    return NULL;
  }
  plan->maps = items;
  struct map *map = map_new();
  if (map == NULL) {
    compiler->out_of_memory = true;
    return NULL;
  }
  plan->maps[plan->map_count++] = map;
  return map;
}

static bool missing_word(const char *text, struct word *word) {
  enum missing missing;
  if (!missing_parse(slice_of(text), &missing)) {
    return false;
  }
  *word = (struct word){.absent = true, .missing = (uint8_t)missing};
  return true;
}

static void reason_mistake(struct compiler *compiler, const struct yaml *at, const char *text) {
  const char *names[MISSING_COUNT];
  for (int i = 0; i < MISSING_COUNT; i++) {
    names[i] = missing_name((enum missing)i);
  }
  compile_mistake(compiler, at, compile_nearest(compiler, text, names, MISSING_COUNT),
                  _("'%.64s' is no reason for a missing value"), text);
}

/* What one entry means: a code of the list, a missing reason, or a text of the field's type. */
static bool word_compile(struct compiler *compiler, const struct yaml *entry, const struct field *field,
                         const struct codelist *list, bool reasons_only, struct word *word) {
  const char *text = compile_scalar(compiler, entry);
  if (text == NULL) {
    return false;
  }
  if (reasons_only) {
    if (!missing_word(text, word)) {
      reason_mistake(compiler, entry, text);
      return false;
    }
    return true;
  }
  if (list != NULL) {
    const struct code *code = codelist_code(list, slice_of(text));
    if (code == NULL && missing_word(text, word)) {
      return true;
    }
    code = code == NULL ? compile_code(compiler, entry, list, true) : code;
    *word = (struct word){.text = slice_of(code == NULL ? "" : code->code)};
    return code != NULL;
  }
  if (missing_word(text, word)) {
    return true;
  }
  const char *own = compile_text(compiler, text);
  if (field != NULL && field->type == FIELD_BOOLEAN && strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
    compile_mistake(compiler, entry, NULL, _("'%s' takes true, false, or a missing reason"), field->name);
    return false;
  }
  *word = (struct word){.text = slice_of(own)};
  return own != NULL;
}

static void note_first(struct words *words, struct slice text) {
  unsigned char first = (unsigned char)text.data[0];
  unsigned char both[2] = {first, first};
  if (first >= 'a' && first <= 'z') {
    both[1] = (unsigned char)(first - 'a' + 'A');
  } else if (first >= 'A' && first <= 'Z') {
    both[1] = (unsigned char)(first - 'A' + 'a');
  }
  for (int i = 0; i < 2; i++) {
    words->first[both[i] / 8] |= (unsigned char)(1U << (both[i] % 8));
  }
  words->longest = text.len > words->longest ? text.len : words->longest;
}

static bool word_put(struct compiler *compiler, struct words *words, struct slice key, uint32_t position) {
  struct slice folded = text_fold(compiler->arena, key, true);
  bool put = folded.data != NULL && map_put(words->exact, key, position) == OK
             && (map_get(words->folded, folded) != MAP_NONE || map_put(words->folded, folded, position) == OK);
  compiler->out_of_memory |= !put;
  note_first(words, key);
  if (put) {
    note_first(words, folded);
  }
  return put;
}

static void words_add(struct compiler *compiler, const struct yaml *map, const struct field *field,
                      const struct codelist *list, bool reasons_only, struct words *words, uint32_t *count) {
  for (size_t i = 0; map != NULL && i < map->count; i++) {
    const struct yaml *entry = &map->children[i];
    struct slice key = slice_trim(slice_of(entry->key));
    struct word word = {0};
    if (!word_compile(compiler, entry, field, list, reasons_only, &word)) {
      continue;
    }
    if (key.len == 0) {
      words->blank = words->has_blank ? words->blank : word;
      words->has_blank = true;
    } else if (map_get(words->exact, key) == MAP_NONE) {
      words->words[*count] = word;
      if (!word_put(compiler, words, key, *count)) {
        return;
      }
      *count += 1;
    }
  }
}

const struct words *words_compile(struct compiler *compiler, const struct yaml *map, const struct yaml *more,
                                  const struct field *field, const struct codelist *list, bool reasons_only) {
  if (map == NULL && more == NULL) {
    return NULL;
  }
  const struct yaml *both[] = {map, more};
  size_t most = 0;
  for (int i = 0; i < 2; i++) {
    if (both[i] != NULL && both[i]->kind != YAML_MAP) {
      compile_mistake(compiler, both[i], NULL, _("a map from what the source writes to what it means is expected"));
      return NULL;
    }
    most += both[i] == NULL ? 0 : both[i]->count;
  }
  struct words *words = compile_alloc(compiler, 1, sizeof *words);
  if (words == NULL) {
    return NULL;
  }
  words->words = compile_alloc(compiler, most + 1, sizeof *words->words);
  words->exact = words_map(compiler);
  words->folded = words->exact == NULL ? NULL : words_map(compiler);
  if (words->words == NULL || words->folded == NULL) {
    return NULL;
  }
  uint32_t count = 0;
  words_add(compiler, map, field, list, reasons_only, words, &count);
  words_add(compiler, more, field, list, reasons_only, words, &count);
  return words;
}

bool words_find(const struct words *words, struct arena *arena, struct slice text, const struct word **word) {
  *word = NULL;
  unsigned char first = text.len == 0 ? 0 : (unsigned char)text.data[0];
  /* Folding may shorten or lengthen what is not ASCII, but never beyond twice. */
  bool possible = text.len > 0 && text.len <= words->longest * 2 + 8
                  && (first >= 0x80 || (words->first[first / 8] & (1U << (first % 8))) != 0);
  if (!possible) {
    return true;
  }
  uint32_t position = map_get(words->exact, text);
  if (position == MAP_NONE) {
    struct slice folded = text_fold(arena, text, true);
    if (folded.data == NULL) {
      return false;
    }
    position = map_get(words->folded, folded);
  }
  *word = position == MAP_NONE ? NULL : &words->words[position];
  return true;
}
