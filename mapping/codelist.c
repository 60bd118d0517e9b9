#include "mapping/codelist.h"

#include "core/base/folder.h"
#include "core/base/text.h"
#include "mapping/codelist_build.h"

#include <stdlib.h>

enum { LISTS_MOST = 256 };

struct codelists {
  struct arena *arena;
  struct codelist *lists[LISTS_MOST];
  size_t count;
};

/* ---- loading ---- */

static struct codelist *find(const struct codelists *lists, const char *name) {
  for (size_t i = 0; i < lists->count; i++) {
    if (strcmp(lists->lists[i]->name, name) == 0) {
      return lists->lists[i];
    }
  }
  return NULL;
}

/* A list of a later folder takes the place of an earlier one. */
static enum status keep(struct codelists *lists, struct codelist *list, struct error *error) {
  for (size_t i = 0; i < lists->count; i++) {
    if (strcmp(lists->lists[i]->name, list->name) == 0) {
      codelist_free(lists->lists[i]);
      lists->lists[i] = list;
      return OK;
    }
  }
  if (lists->count == LISTS_MOST) {
    codelist_free(list);
    return error_set(error, ERR_LIMIT, _("more than %d code lists"), LISTS_MOST);
  }
  lists->lists[lists->count++] = list;
  return OK;
}

static enum status load_folder(struct codelists *lists, const char *folder, struct error *error) {
  const char *const *paths;
  size_t count;
  enum status status = folder_list(folder, ".yaml", lists->arena, &paths, &count, error);
  for (size_t i = 0; i < count && status == OK; i++) {
    struct codelist *list = NULL;
    status = codelist_read(paths[i], lists->arena, &list, error);
    if (status == OK) {
      status = keep(lists, list, error);
    }
  }
  return status;
}

/* Copies the meanings of one system; what the list has already stays as it is. */
static enum status include_system(struct codelist *list, const struct codelist *other, size_t from, size_t into,
                                  const uint32_t *positions, struct error *error) {
  const struct map *exact = other->systems[from].exact;
  for (uint32_t i = 0; i < map_count(exact); i++) {
    struct slice text = map_key(exact, i);
    char room[FOLD_MOST];
    if (text.len >= sizeof room) {
      continue;
    }
    memcpy(room, text.data, text.len);
    room[text.len] = '\0';
    for (uint32_t at = map_get(exact, text); at != MAP_NONE; at = other->meanings[at].next) {
      struct meaning meaning = other->meanings[at];
      meaning.code = positions[meaning.code];
      enum status status = codelist_add_meaning(list, into, room, &meaning, CLASH_FIRST_WINS, error);
      if (status != OK) {
        return status;
      }
    }
  }
  return OK;
}

static enum status include_list(struct codelist *list, const struct codelist *other, struct arena *arena,
                                struct error *error) {
  uint32_t *positions = arena_array(arena, other->count + 1, sizeof *positions);
  if (positions == NULL) {
    return error_memory(error);
  }
  enum status status = OK;
  for (size_t i = 0; i < other->count && status == OK; i++) {
    positions[i] = map_get(list->by_code, slice_of(other->codes[i].code));
    if (positions[i] == MAP_NONE) {
      status = codelist_add_code(list, &other->codes[i], &positions[i], error);
    }
  }
  for (size_t i = 0; i < other->system_count && status == OK; i++) {
    size_t into = i == 0 ? 0 : codelist_add_system(list, other->systems[i].name);
    if (i > 0 && into == 0) {
      return error_set(error, ERR_LIMIT, _("code list '%s' has more than %d systems"), list->name,
                       CODELIST_SYSTEMS_MOST);
    }
    status = include_system(list, other, i, into, positions, error);
  }
  list->digest = sha256_pair(1, &list->digest, &other->digest);
  return status;
}

/* A list that includes others may name ones that a workspace has not imported: they are left out. */
static enum status resolve(struct codelists *lists, struct codelist *list, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < list->included_count && status == OK; i++) {
    const struct codelist *other = find(lists, list->included[i]);
    if (other != NULL && other->included_count > 0) {
      error_set(error, ERR_CONFIG, _("code list '%s' includes '%s', which includes others"), list->name, other->name);
      error_place(error, "%s:%d", list->file, list->line);
      return ERR_CONFIG;
    }
    status = other == NULL ? OK : include_list(list, other, lists->arena, error);
    if (status != OK && error->place[0] == '\0') {
      error_place(error, "%s:%d", list->file, list->line);
    }
  }
  return status;
}

/* ---- groups ---- */

static enum status unknown_list(const struct codelists *lists, const struct yaml *node, struct error *error) {
  const char *names[LISTS_MOST];
  for (size_t i = 0; i < lists->count; i++) {
    names[i] = lists->lists[i]->name;
  }
  const char *nearest = text_nearest(slice_of(node->text), names, lists->count);
  yaml_error(node, error, _("groups: there is no code list '%s'"), node->text);
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  }
  return ERR_CONFIG;
}

static enum status unknown_group(const struct codelist *groups, const struct yaml *node, struct arena *arena,
                                 struct error *error) {
  const char **names = arena_array(arena, groups->count + 1, sizeof *names);
  if (names == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < groups->count; i++) {
    names[i] = groups->codes[i].code;
  }
  const char *nearest = text_nearest(slice_of(node->text), names, groups->count);
  yaml_error(node, error, _("group: code list '%s' has no code '%s'"), groups->name, node->text);
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  } else {
    error_hint(error, _("`puente codelist list %s` shows them all"), groups->name);
  }
  return ERR_CONFIG;
}

/* Every group: is a code of the list that groups: names. */
static enum status check_groups(const struct codelists *lists, const struct codelist *list, struct error *error) {
  const struct codelist *groups = NULL;
  if (list->groups != NULL) {
    if (list->groups->kind != YAML_SCALAR) {
      return yaml_error(list->groups, error, "%s", _("groups: the name of a code list is expected here"));
    }
    groups = find(lists, list->groups->text);
    if (groups == NULL) {
      return unknown_list(lists, list->groups, error);
    }
  }
  for (size_t i = 0; list->nodes != NULL && i < list->nodes->count; i++) {
    const struct yaml *node = yaml_get(&list->nodes->children[i], "group");
    if (node == NULL) {
      continue;
    }
    if (groups == NULL) {
      yaml_error(node, error, _("code list '%s' does not say which list its groups are of"), list->name);
      error_hint(error, "%s", _("write groups: LIST above codes:, for example groups: region"));
      return ERR_CONFIG;
    }
    if (node->kind != YAML_SCALAR || codelist_code(groups, slice_of(node->text)) == NULL) {
      return node->kind == YAML_SCALAR ? unknown_group(groups, node, lists->arena, error)
                                       : yaml_error(node, error, "%s", _("a text is expected here"));
    }
  }
  return OK;
}

static enum status begin(struct codelists **lists, struct error *error) {
  struct codelists *made = calloc(1, sizeof *made);
  if (made == NULL || (made->arena = arena_new(256 << 20)) == NULL) {
    free(made);
    made = NULL;
  }
  *lists = made;
  return made == NULL ? error_memory(error) : OK;
}

/* What lists say of each other; frees them where they do not fit, or could not be read. */
static enum status finish(struct codelists **lists, enum status status, struct error *error) {
  struct codelists *made = *lists;
  for (size_t i = 0; made != NULL && i < made->count && status == OK; i++) {
    status = check_groups(made, made->lists[i], error);
    status = status == OK ? resolve(made, made->lists[i], error) : status;
  }
  if (status != OK) {
    codelists_free(made);
    *lists = NULL;
  }
  return status;
}

enum status codelists_load(const char *const *folders, size_t count, struct codelists **lists, struct error *error) {
  enum status status = begin(lists, error);
  for (size_t i = 0; i < count && status == OK; i++) {
    status = folders[i] == NULL ? OK : load_folder(*lists, folders[i], error);
  }
  return finish(lists, status, error);
}

static int by_path(const void *a, const void *b) {
  const struct approved_text *const *one = a, *const *other = b;
  return strcmp((*one)->path, (*other)->path);
}

/* In the order in which files of a folder are read. */
static enum status load_texts(struct codelists *lists, const struct approved_texts *texts, struct error *error) {
  const struct approved_text **own = arena_array(lists->arena, texts->count + 1, sizeof *own);
  size_t count = 0;
  if (own == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < texts->count; i++) {
    if (texts->items[i].kind == TEXT_CODELIST) {
      own[count++] = &texts->items[i];
    }
  }
  qsort(own, count, sizeof(const struct approved_text *), by_path);
  enum status status = OK;
  for (size_t i = 0; i < count && status == OK; i++) {
    struct codelist *list = NULL;
    status = own[i]->fault != NULL ? approved_texts_refuse(own[i], error)
                                   : codelist_parse(own[i]->path, own[i]->body, lists->arena, &list, error);
    status = status == OK ? keep(lists, list, error) : status;
  }
  return status;
}

enum status codelists_load_approved(const char *const folders[2], const struct approved_texts *texts,
                                    struct codelists **lists, struct error *error) {
  if (!approved_texts_govern(texts, TEXT_CODELIST)) {
    return codelists_load(folders, 2, lists, error);
  }
  enum status status = begin(lists, error);
  status = status == OK && folders[0] != NULL ? load_folder(*lists, folders[0], error) : status;
  status = status == OK ? load_texts(*lists, texts, error) : status;
  return finish(lists, status, error);
}

void codelists_free(struct codelists *lists) {
  if (lists == NULL) {
    return;
  }
  for (size_t i = 0; i < lists->count; i++) {
    codelist_free(lists->lists[i]);
  }
  arena_free(lists->arena);
  free(lists);
}

/* ---- reading ---- */

const struct codelist *codelists_find(const struct codelists *lists, const char *name) {
  return find(lists, name);
}

size_t codelists_count(const struct codelists *lists) {
  return lists->count;
}

const struct codelist *codelists_at(const struct codelists *lists, size_t position) {
  return position < lists->count ? lists->lists[position] : NULL;
}

const char *codelist_name(const struct codelist *list) {
  return list->name;
}

const char *codelist_label_en(const struct codelist *list) {
  return list->label_en;
}

const char *codelist_label_es(const struct codelist *list) {
  return list->label_es;
}

struct sha256 codelist_digest(const struct codelist *list) {
  return list->digest;
}

size_t codelist_size(const struct codelist *list) {
  return list->count;
}

const struct code *codelist_at(const struct codelist *list, size_t position) {
  return position < list->count ? &list->codes[position] : NULL;
}

const struct code *codelist_code(const struct codelist *list, struct slice code) {
  uint32_t position = map_get(list->by_code, code);
  return position == MAP_NONE ? NULL : &list->codes[position];
}

static const struct code_system *find_system(const struct codelist *list, const char *name) {
  if (name == NULL) {
    return &list->systems[0];
  }
  for (size_t i = 1; i < list->system_count; i++) {
    if (strcmp(list->systems[i].name, name) == 0) {
      return &list->systems[i];
    }
  }
  return NULL;
}

bool codelist_has_system(const struct codelist *list, const char *system) {
  return find_system(list, system) != NULL;
}

const char *const *codelist_systems(const struct codelist *list, size_t *count) {
  *count = list->system_count - 1;
  return list->system_names;
}

/* ---- looking up ---- */

/* The last day that a date of this precision may be. */
static int64_t last_day(struct date date) {
  struct date last = date;
  if (date.precision == DATE_DAY) {
    return date_to_days(date);
  }
  if (date.precision == DATE_MONTH && date.month < 12) {
    last.month++;
  } else {
    last.year++;
    last.month = 1;
  }
  last.day = 1;
  last.precision = DATE_DAY;
  return date_to_days(last) - 1;
}

static bool valid_at(const struct meaning *meaning, struct date at) {
  if (at.precision == DATE_NONE) {
    return true;
  }
  return (meaning->from.precision == DATE_NONE || date_to_days(meaning->from) <= last_day(at))
         && (meaning->to.precision == DATE_NONE || last_day(meaning->to) >= date_to_days(at));
}

static const struct code *follow(const struct codelist *list, const struct map *map, struct slice text,
                                 struct date at) {
  for (uint32_t i = map_get(map, text); i != MAP_NONE; i = list->meanings[i].next) {
    if (valid_at(&list->meanings[i], at)) {
      return &list->codes[list->meanings[i].code];
    }
  }
  return NULL;
}

const struct code *codelist_lookup(const struct codelist *list, const char *system, struct slice text, struct date at) {
  const struct code_system *used = find_system(list, system);
  if (used == NULL) {
    return NULL;
  }
  const struct code *code = follow(list, used->exact, text, at);
  char room[FOLD_MOST];
  struct slice folded;
  if (code == NULL && codelist_fold(text, room, &folded)) {
    code = follow(list, used->folded, folded, at);
  }
  return code;
}

static struct slice text_meaning(const struct codelist *list, const struct code_system *system, uint32_t position) {
  for (uint32_t i = 0; i < map_count(system->exact); i++) {
    struct slice text = map_key(system->exact, i);
    for (uint32_t at = map_get(system->exact, text); at != MAP_NONE; at = list->meanings[at].next) {
      if (list->meanings[at].code == position) {
        return text;
      }
    }
  }
  return slice_make(NULL, 0);
}

struct slice codelist_text_in(const struct codelist *list, const char *system, const struct code *code) {
  const struct code_system *used = find_system(list, system);
  const char *const tried[] = {code->code, code->parent, "other"};
  struct slice found = slice_make(NULL, 0);
  for (size_t i = 0; used != NULL && found.len == 0 && i < sizeof tried / sizeof *tried; i++) {
    uint32_t position = tried[i] == NULL ? MAP_NONE : map_get(list->by_code, slice_of(tried[i]));
    if (position != MAP_NONE) {
      found = text_meaning(list, used, position);
    }
  }
  return found;
}
