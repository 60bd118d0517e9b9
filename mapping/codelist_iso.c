#include "mapping/codelist_build.h"

#include "core/base/buffer.h"
#include "core/base/file.h"
#include "core/base/node.h"

#include <stdio.h>
#include <unicode/uldnames.h>
#include <unicode/ustring.h>

enum { FILE_MOST = 16 << 20, NAME_MOST = 256 };

/* from: {iso-codes: 3166-1, code: alpha_2, name: [common_name, name], systems: {alpha-3: alpha_3}, icu: country} */
struct iso {
  const struct yaml *declared;
  const char *table, *code;
  const char **names;
  size_t name_count;
  bool language; /* for ICU: a language's name, else a country's */
  ULocaleDisplayNames *spanish;
};

static const char *member(const struct node *entry, const char *name, struct arena *arena) {
  uint32_t hint = 0;
  const struct node *child = node_child(entry, slice_of(name), &hint);
  return child == NULL || child->kind != NODE_TEXT ? NULL : arena_text(arena, child->text);
}

/* The name in Spanish as ICU has it; NULL where it knows none. Of languages ICU's names go by codes of two letters,
 * where there is one. */
static const char *spanish_name(const struct iso *iso, const struct node *entry, const char *code,
                                struct arena *arena) {
  UChar wide[NAME_MOST];
  char name[NAME_MOST * 3];
  int32_t len = 0;
  UErrorCode status = U_ZERO_ERROR;
  if (iso->language) {
    const char *shorter = member(entry, "alpha_2", arena);
    uldn_languageDisplayName(iso->spanish, shorter == NULL ? code : shorter, wide, NAME_MOST, &status);
  } else {
    uldn_regionDisplayName(iso->spanish, code, wide, NAME_MOST, &status);
  }
  if (U_FAILURE(status) || status == U_STRING_NOT_TERMINATED_WARNING) {
    return NULL;
  }
  u_strToUTF8(name, sizeof name, &len, wide, -1, &status);
  if (U_FAILURE(status) || len >= (int32_t)sizeof name || strcmp(name, code) == 0) {
    return NULL;
  }
  return arena_text(arena, slice_make(name, (size_t)len));
}

static const char *english_name(const struct iso *iso, const struct node *entry, struct arena *arena) {
  for (size_t i = 0; i < iso->name_count; i++) {
    const char *name = member(entry, iso->names[i], arena);
    if (name != NULL) {
      return name;
    }
  }
  return NULL;
}

static enum status add_entry(const struct iso *iso, const struct node *entry, struct arena *arena,
                             struct codelist *list, struct error *error) {
  struct code code = {.code = member(entry, iso->code, arena)};
  if (code.code == NULL) {
    return OK;
  }
  uint32_t position;
  const char *name = english_name(iso, entry, arena);
  const char *spanish = spanish_name(iso, entry, code.code, arena);
  code.label_en = name == NULL ? code.code : name;
  code.label_es = spanish == NULL ? code.label_en : spanish;
  enum status status = codelist_add_code(list, &code, &position, error);
  const struct meaning meaning = {.code = position};
  for (size_t i = 0; i < iso->name_count && status == OK; i++) {
    const char *other = member(entry, iso->names[i], arena);
    status = other == NULL ? OK : codelist_add_meaning(list, 0, other, &meaning, CLASH_FIRST_WINS, error);
  }
  const struct yaml *systems = yaml_get(iso->declared, "systems");
  for (size_t i = 0; systems != NULL && i < systems->count && status == OK; i++) {
    size_t system = codelist_add_system(list, systems->children[i].key);
    const char *text = systems->children[i].text == NULL ? NULL : member(entry, systems->children[i].text, arena);
    if (system == 0) {
      return error_memory(error);
    }
    status = text == NULL ? OK : codelist_add_meaning(list, system, text, &meaning, CLASH_FIRST_WINS, error);
  }
  return status;
}

static enum status add_entries(const struct iso *iso, struct slice text, struct arena *arena, struct codelist *list,
                               struct error *error) {
  struct node *root = NULL;
  enum status status = json_read(text, arena, &root, error);
  const struct node *entries = NULL;
  if (status == OK) {
    uint32_t hint = 0;
    entries = node_child(root, slice_of(iso->table), &hint);
  }
  if (status == OK && (entries == NULL || entries->kind != NODE_LIST)) {
    status = error_set(error, ERR_CONFIG, _("the file has no table '%s'"), iso->table);
  }
  for (uint32_t i = 0; status == OK && i < entries->count; i++) {
    status = add_entry(iso, &entries->children[i], arena, list, error);
  }
  return status;
}

static enum status read_table(struct iso *iso, struct arena *arena, struct codelist *list, struct error *error) {
  const char *path = arena_printf(arena, "/usr/share/iso-codes/json/iso_%s.json", iso->table);
  if (path == NULL) {
    return error_memory(error);
  }
  struct buffer text;
  buffer_init(&text, FILE_MOST);
  enum status status = file_read(path, FILE_MOST, &text, error);
  if (status == ERR_NOT_FOUND || status == ERR_IO) {
    error_set(error, ERR_CONFIG, _("code list '%s' needs Debian's package iso-codes"), list->name);
    error_place(error, "%s", path);
    error_hint(error, "%s", _("apt-get install iso-codes"));
    status = ERR_CONFIG;
  } else if (status == OK) {
    const struct sha256 digest = sha256_of(buffer_view(&text));
    UErrorCode fault = U_ZERO_ERROR;
    list->digest = sha256_pair(1, &list->digest, &digest);
    iso->spanish = uldn_open("es", ULDN_STANDARD_NAMES, &fault);
    status = U_FAILURE(fault) ? error_memory(error) : add_entries(iso, buffer_view(&text), arena, list, error);
    uldn_close(iso->spanish);
    if (status != OK && error->place[0] == '\0') {
      error_place(error, "%s", path);
    }
  }
  buffer_free(&text);
  return status;
}

enum status codelist_read_iso(const struct yaml *from, struct arena *arena, struct codelist *list,
                              struct error *error) {
  static const char *const known[] = {"iso-codes", "code", "names", "systems", "spanish", NULL};
  static const char *const kinds[] = {"country", "language", NULL};
  int kind = 0;
  struct iso iso = {.declared = from};
  enum status status = yaml_check_keys(from, known, error);
  status = status == OK ? yaml_choice(from, "spanish", kinds, &kind, error) : status;
  status = status == OK ? yaml_texts(from, "names", arena, &iso.names, &iso.name_count, error) : status;
  if (status != OK) {
    return status;
  }
  iso.language = kind == 1;
  iso.table = yaml_text(from, "iso-codes", NULL);
  iso.code = yaml_text(from, "code", NULL);
  if (iso.table == NULL || iso.code == NULL) {
    yaml_error(from, error, "%s", _("from: needs iso-codes: TABLE and code: MEMBER"));
    error_hint(error, "%s", _("for example {iso-codes: 3166-1, code: alpha_2, names: [name]}"));
    return ERR_CONFIG;
  }
  return read_table(&iso, arena, list, error);
}
