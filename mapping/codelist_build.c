#include "mapping/codelist_build.h"

#include "core/base/text.h"

#include <ctype.h>
#include <stdlib.h>

/* The base letter of 0xC3 0x80 … 0xBF (À … ÿ); ' ' where the slow way has to see to it, and for Ñ itself. */
static const char LATIN[] = "AAAAAA CEEEEIIII  OOOOO  UUUUY  AAAAAA CEEEEIIII  OOOOO  UUUUY Y";

/* ASCII and the Latin letters of Spanish; false for anything else. */
static bool fold_latin(struct slice text, char room[FOLD_MOST], struct slice *folded) {
  size_t len = 0;
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.data[i];
    if (c == 0xC3 && i + 1 < text.len) {
      unsigned char tail = (unsigned char)text.data[++i];
      if (tail == 0x91 || tail == 0xB1) {
        room[len++] = (char)0xC3;
        room[len++] = (char)0x91;
        continue;
      }
      c = (tail & 0xC0) == 0x80 ? (unsigned char)LATIN[tail & 0x3F] : ' ';
      if (c == ' ') {
        return false;
      }
    } else if (c >= 0x80) {
      return false;
    }
    bool space = isspace(c) != 0;
    if (!space || (len > 0 && room[len - 1] != ' ')) {
      room[len++] = space ? ' ' : (char)toupper(c);
    }
  }
  while (len > 0 && room[len - 1] == ' ') {
    len--;
  }
  *folded = slice_make(room, len);
  return true;
}

bool codelist_fold(struct slice text, char room[FOLD_MOST], struct slice *folded) {
  if (text.len > FOLD_MOST / 2) {
    return false;
  }
  if (fold_latin(text, room, folded)) {
    return true;
  }
  struct arena *arena = arena_new(64 << 10);
  bool done = false;
  if (arena != NULL) {
    struct slice whole = text_squeeze(arena, text_fold(arena, text, true));
    done = whole.data != NULL && whole.len <= FOLD_MOST;
    if (done) {
      memcpy(room, whole.data, whole.len);
      *folded = slice_make(room, whole.len);
    }
  }
  arena_free(arena);
  return done;
}

struct codelist *codelist_new(const char *name, const char *file) {
  struct codelist *list = calloc(1, sizeof *list);
  if (list == NULL) {
    return NULL;
  }
  list->name = name;
  list->file = file;
  list->by_code = map_new();
  list->systems[0] = (struct code_system){.exact = map_new(), .folded = map_new()};
  list->system_count = 1;
  if (list->by_code == NULL || list->systems[0].exact == NULL || list->systems[0].folded == NULL) {
    codelist_free(list);
    return NULL;
  }
  return list;
}

void codelist_free(struct codelist *list) {
  if (list == NULL) {
    return;
  }
  for (size_t i = 0; i < list->system_count; i++) {
    map_free(list->systems[i].exact);
    map_free(list->systems[i].folded);
  }
  map_free(list->by_code);
  free(list->codes);
  free(list->meanings);
  free(list);
}

size_t codelist_add_system(struct codelist *list, const char *name) {
  for (size_t i = 1; i < list->system_count; i++) {
    if (strcmp(list->systems[i].name, name) == 0) {
      return i;
    }
  }
  if (list->system_count > CODELIST_SYSTEMS_MOST) {
    return 0;
  }
  struct code_system system = {.name = name, .exact = map_new(), .folded = map_new()};
  if (system.exact == NULL || system.folded == NULL) {
    map_free(system.exact);
    map_free(system.folded);
    return 0;
  }
  list->systems[list->system_count] = system;
  list->system_names[list->system_count - 1] = name;
  return list->system_count++;
}

/* Room for one more item of `size` bytes; false when out of memory or past the limit. */
static bool grow(void **items, size_t count, size_t *capacity, size_t size) {
  if (count < *capacity) {
    return true;
  }
  size_t more = *capacity == 0 ? 64 : *capacity * 2;
  void *moved = more > 8 * (size_t)CODELIST_CODES_MOST ? NULL : realloc(*items, more * size);
  if (moved == NULL) {
    return false;
  }
  *items = moved;
  *capacity = more;
  return true;
}

enum status codelist_add_code(struct codelist *list, const struct code *code, uint32_t *position, struct error *error) {
  if (map_get(list->by_code, slice_of(code->code)) != MAP_NONE) {
    return error_set(error, ERR_CONFIG, _("code list '%s' has the code '%s' twice"), list->name, code->code);
  }
  if (list->count == CODELIST_CODES_MOST) {
    return error_set(error, ERR_LIMIT, _("code list '%s' has more than %d codes"), list->name, CODELIST_CODES_MOST);
  }
  void *codes = list->codes;
  if (!grow(&codes, list->count, &list->capacity, sizeof *list->codes)) {
    return error_memory(error);
  }
  list->codes = codes;
  *position = (uint32_t)list->count;
  list->codes[list->count++] = *code;
  if (map_put(list->by_code, slice_of(code->code), *position) != OK) {
    return error_memory(error);
  }
  const struct meaning meaning = {.code = *position, .from = code->valid_from, .to = code->valid_to};
  return codelist_add_meaning(list, 0, code->code, &meaning, CLASH_REFUSED, error);
}

static bool periods_meet(const struct meaning *a, const struct meaning *b) {
  bool a_before =
      a->to.precision != DATE_NONE && b->from.precision != DATE_NONE && date_to_days(a->to) < date_to_days(b->from);
  bool b_before =
      b->to.precision != DATE_NONE && a->from.precision != DATE_NONE && date_to_days(b->to) < date_to_days(a->from);
  return !a_before && !b_before;
}

/* Whether `meaning` says something else than a link of this chain for the same time. */
static bool clashes(const struct codelist *list, uint32_t head, const struct meaning *meaning, bool *known) {
  *known = false;
  for (uint32_t at = head; at != MAP_NONE; at = list->meanings[at].next) {
    if (list->meanings[at].code == meaning->code) {
      *known = true;
    } else if (periods_meet(&list->meanings[at], meaning)) {
      return true;
    }
  }
  return false;
}

static enum status add_to(struct codelist *list, struct map *map, struct slice text, const struct meaning *meaning,
                          enum clash clash, bool *clashed, struct error *error) {
  uint32_t head = map_get(map, text);
  bool known;
  *clashed = clashes(list, head, meaning, &known);
  if (known || (*clashed && clash == CLASH_FIRST_WINS)) {
    return OK;
  }
  if (*clashed) {
    return error_set(error, ERR_CONFIG, _("code list '%s': '%.*s' means two codes"), list->name, SLICE_ARG(text));
  }
  void *meanings = list->meanings;
  if (!grow(&meanings, list->meaning_count, &list->meaning_capacity, sizeof *list->meanings)) {
    return error_memory(error);
  }
  list->meanings = meanings;
  list->meanings[list->meaning_count] = *meaning;
  list->meanings[list->meaning_count].next = head;
  return map_put(map, text, (uint32_t)list->meaning_count++) == OK ? OK : error_memory(error);
}

enum status codelist_add_meaning(struct codelist *list, size_t system, const char *text, const struct meaning *meaning,
                                 enum clash clash, struct error *error) {
  char room[FOLD_MOST];
  struct slice folded;
  bool clashed;
  enum status status = add_to(list, list->systems[system].exact, slice_of(text), meaning, clash, &clashed, error);
  if (status != OK || (clashed && clash == CLASH_FIRST_WINS)) {
    return status;
  }
  if (!codelist_fold(slice_of(text), room, &folded)) {
    return error_set(error, ERR_LIMIT, _("code list '%s': a text has more than %d bytes"), list->name, FOLD_MOST / 2);
  }
  return add_to(list, list->systems[system].folded, folded, meaning, clash, &clashed, error);
}

enum status codelist_add_labels(struct codelist *list, uint32_t position, struct error *error) {
  const struct code *code = &list->codes[position];
  const struct meaning meaning = {.code = position, .from = code->valid_from, .to = code->valid_to};
  enum status status = codelist_add_meaning(list, 0, code->label_en, &meaning, CLASH_FIRST_WINS, error);
  return status == OK ? codelist_add_meaning(list, 0, list->codes[position].label_es, &meaning, CLASH_FIRST_WINS, error)
                      : status;
}
