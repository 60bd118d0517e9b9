/* How a code list is held and filled. Internal to mapping/codelist*.c. */
#ifndef PUENTE_MAPPING_CODELIST_BUILD_H
#define PUENTE_MAPPING_CODELIST_BUILD_H

#include "core/base/arena.h"
#include "core/base/map.h"
#include "core/base/yaml.h"
#include "mapping/codelist.h"

enum { CODELIST_SYSTEMS_MOST = 16, CODELIST_CODES_MOST = 200000 };

/* What one text of a system means, at which time; several meanings of one text form a chain. */
struct meaning {
  uint32_t code; /* position in codes */
  uint32_t next; /* of the same text, or MAP_NONE */
  struct date from, to;
};

struct code_system {
  const char *name;   /* NULL: the list's own codes, labels and aliases */
  struct map *exact;  /* text as written → first meaning */
  struct map *folded; /* text folded → first meaning */
};

struct codelist {
  const char *name, *file, *label_en, *label_es;
  struct sha256 digest;
  struct code *codes; /* grows by doubling; freed with the list */
  size_t count, capacity;
  struct map *by_code;
  struct code_system systems[CODELIST_SYSTEMS_MOST + 1]; /* the first is the list's own */
  size_t system_count;
  const char *system_names[CODELIST_SYSTEMS_MOST + 1]; /* of the others, NULL-terminated */
  struct meaning *meanings;
  size_t meaning_count, meaning_capacity;
  const char **included; /* lists whose codes are added after loading */
  size_t included_count;
  int line;                          /* of include:, for messages */
  const struct yaml *groups, *nodes; /* groups: and codes: of the file; groups are looked up after loading */
};

enum { FOLD_MOST = 512 };

/* Text as aliases are compared: upper case, no accents but ñ, one space between words. `room` is used where that is
 * enough; false where the text is longer than that, or memory is out. */
bool codelist_fold(struct slice text, char room[FOLD_MOST], struct slice *folded);

struct codelist *codelist_new(const char *name, const char *file);
void codelist_free(struct codelist *list);
/* The system's position; adds it where it is new. 0 where there is no more room or memory. */
size_t codelist_add_system(struct codelist *list, const char *name);
/* Adds a code; `*position` is where it stands. ERR_CONFIG where it is there already. */
enum status codelist_add_code(struct codelist *list, const struct code *code, uint32_t *position,
                              struct error *error) MUST_CHECK;
/* How a text that means something else already is treated. */
enum clash { CLASH_REFUSED, CLASH_FIRST_WINS };
enum status codelist_add_meaning(struct codelist *list, size_t system, const char *text, const struct meaning *meaning,
                                 enum clash clash, struct error *error) MUST_CHECK;
/* Own code, then the labels, where nothing has them yet. */
enum status codelist_add_labels(struct codelist *list, uint32_t position, struct error *error) MUST_CHECK;

/* Fills a list from its file; everything that it points to lives in the arena. */
enum status codelist_read(const char *path, struct arena *arena, struct codelist **list,
                          struct error *error) MUST_CHECK;
/* The same from the text that the file of that path had when it was approved. */
enum status codelist_parse(const char *path, struct slice text, struct arena *arena, struct codelist **list,
                           struct error *error) MUST_CHECK;
/* Adds what `from:` declares: a table of Debian's iso-codes, with Spanish names from ICU. */
enum status codelist_read_iso(const struct yaml *from, struct arena *arena, struct codelist *list,
                              struct error *error) MUST_CHECK;

#endif
