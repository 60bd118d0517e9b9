/* Code lists: YAML and CSV files of config/codelists, each with code systems, validity dates and aliases. A set of
 * lists is loaded once and is immutable; pointers into it live as long as the set.
 *
 * A list file names its codes with labels in two languages, and for each code system ("cp-2017", "ubigeo-reniec",
 * "sistra") the source codes or texts that mean it; alias texts are compared folded (upper case, no accents but ñ). */
#ifndef PUENTE_MAPPING_CODELIST_H
#define PUENTE_MAPPING_CODELIST_H

#include "core/base/date.h"
#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/base/texts.h"

struct codelist;
struct codelists;

struct code {
  const char *code; /* harmonised */
  const char *label_en, *label_es;
  const char *parent;               /* the code above it (a province's department), or NULL */
  const char *group;                /* the coarser code of another list (a department's region), or NULL */
  struct date valid_from, valid_to; /* precision DATE_NONE: open */
};

/* Folders in order of precedence: a list of a later folder replaces the earlier one of the same name. */
enum status codelists_load(const char *const *folders, size_t count, struct codelists **lists,
                           struct error *error) MUST_CHECK;
/* The same where the lists of the second folder act only as they were approved: its files are not read. ERR_CONFIG
 * where what is kept as approved was changed. */
enum status codelists_load_approved(const char *const folders[2], const struct approved_texts *texts,
                                    struct codelists **lists, struct error *error) MUST_CHECK;
void codelists_free(struct codelists *lists);
const struct codelist *codelists_find(const struct codelists *lists, const char *name); /* NULL if absent */
size_t codelists_count(const struct codelists *lists);
const struct codelist *codelists_at(const struct codelists *lists, size_t position);

const char *codelist_name(const struct codelist *list);
const char *codelist_label_en(const struct codelist *list);
const char *codelist_label_es(const struct codelist *list);
struct sha256 codelist_digest(const struct codelist *list);
size_t codelist_size(const struct codelist *list);
const struct code *codelist_at(const struct codelist *list, size_t position);
const struct code *codelist_code(const struct codelist *list, struct slice code); /* by harmonised code; NULL */
bool codelist_has_system(const struct codelist *list, const char *system);
const char *const *codelist_systems(const struct codelist *list, size_t *count); /* for nearest-name hints */

/* The harmonised code that `text` means in `system` (NULL: the list's own codes and aliases), `at` a date (precision
 * DATE_NONE: any). NULL where nothing fits. Exact first, folded next. */
const struct code *codelist_lookup(const struct codelist *list, const char *system, struct slice text, struct date at);

/* The other way: the first text of `system` that means the code, or else what means the code above it, or else what
 * means the list's code "other". An empty slice where there is none. Costs the whole system: for lists of tens. */
struct slice codelist_text_in(const struct codelist *list, const char *system, const struct code *code);

/* Reads a full district list (columns inei, reniec, departamento, provincia, distrito), validates it, counts codes
 * that mean another district in the other system, and writes it as `target`. */
struct codelist_import {
  size_t rows, accepted, rejected;
  size_t without_inei, without_reniec; /* blank codes */
  size_t differing;                    /* districts whose two codes differ */
  size_t collisions;                   /* codes of one system that are another district's in the other */
};
enum status codelist_import_ubigeo(const char *csv, const char *target, struct codelist_import *result,
                                   struct error *error) MUST_CHECK;

#endif
