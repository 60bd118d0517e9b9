#include "core/config_terms.h"

#include "core/base/date.h"
#include "core/base/text.h"
#include "core/config_parts.h"

#include <ctype.h>

enum { MONTHS_MOST = 1200, LIST_MOST = 1000 };
#define DAY_MICROSECONDS (INT64_C(86400) * 1000000)

const char *const config_terms_keys[] = {"legal_basis", "agreement",      "fields",    "purposes", "shown_to",
                                         "consent",     "linked_by_name", "retention", NULL};
const char *const config_agreement_keys[] = {"document", "date", "until", NULL};
const char *const config_retention_keys[] = {"keep", "then", NULL};
static const char *const CONSENTS[] = {"not_required", "required", NULL};
static const char *const ENDS[] = {"erase", NULL};

static enum status read_day(const struct yaml *map, const char *key, int64_t *at, struct error *error) {
  const struct yaml *node = yaml_get(map, key);
  struct date date;
  if (node == NULL) {
    return OK;
  }
  if (node->kind != YAML_SCALAR || strlen(node->text) != 10 || !date_parse_iso(slice_of(node->text), &date)) {
    yaml_error(node, error, _("%s: a day is expected here"), key);
    error_hint(error, "%s", _("written as 2027-01-31"));
    return ERR_CONFIG;
  }
  *at = date_to_days(date) * DAY_MICROSECONDS;
  return OK;
}

static enum status read_agreement(const struct yaml *block, struct terms_config *terms, struct error *error) {
  const struct yaml *node = yaml_get(block, "agreement");
  if (node == NULL) {
    return OK;
  }
  if (node->kind != YAML_MAP) {
    yaml_error(node, error, "%s", _("agreement: a map (key: value) was expected"));
    error_hint(error, "%s", _("for example {document: \"Convenio 012-2026\", date: 2026-01-15, until: 2028-01-14}"));
    return ERR_CONFIG;
  }
  enum status status = yaml_check_keys(node, config_agreement_keys, error);
  status = status == OK ? config_text(node, "document", &terms->agreement, error) : status;
  status = status == OK ? read_day(node, "date", &terms->agreed_on, error) : status;
  status = status == OK ? read_day(node, "until", &terms->until, error) : status;
  if (status == OK && terms->until != 0 && terms->until < terms->agreed_on) {
    yaml_error(yaml_get(node, "until"), error, "%s", _("until: the agreement would end before its date"));
    error_hint(error, "%s", _("`until` is its last day"));
    return ERR_CONFIG;
  }
  return status;
}

/* A list, or one text; an empty list allows nothing. */
static enum status read_list(const struct yaml *block, const char *key, struct arena *arena, const char *const **items,
                             size_t *count, bool *given, struct error *error) {
  const char **texts = NULL;
  const struct yaml *node = yaml_get(block, key);
  *given = node != NULL;
  if (node == NULL) {
    return OK;
  }
  if (node->kind == YAML_MAP || node->count > LIST_MOST) {
    yaml_error(node, error, _("%s: a list of at most %d is expected here"), key, LIST_MOST);
    error_hint(error, "%s", _("[] allows nothing"));
    return ERR_CONFIG;
  }
  enum status status = yaml_texts(block, key, arena, &texts, count, error);
  *items = texts;
  return status;
}

static bool is_institution(const char *text) {
  return isupper((unsigned char)text[0]) && isupper((unsigned char)text[1]) && text[2] == '/' && text[3] != '\0';
}

static enum status read_shown_to(const struct yaml *block, struct arena *arena, struct terms_config *terms,
                                 struct error *error) {
  const struct yaml *node = yaml_get(block, "shown_to");
  bool given = false;
  if (node != NULL && node->kind == YAML_SCALAR && strcmp(node->text, "all") == 0) {
    terms->shown_to_all = true;
    return OK;
  }
  enum status status = read_list(block, "shown_to", arena, &terms->shown_to, &terms->shown_count, &given, error);
  for (size_t i = 0; i < terms->shown_count && status == OK; i++) {
    if (!is_institution(terms->shown_to[i])) {
      yaml_error(node, error, _("'%s' is no institution"), terms->shown_to[i]);
      error_hint(error, "%s", _("institutions as PE/MP, `all`, or [] for none but its own"));
      status = ERR_CONFIG;
    }
  }
  return status;
}

/* "10y", "18m": whole years or months, which a calendar counts. */
static bool months_of(const char *text, int64_t *months) {
  size_t digits = strspn(text, "0123456789");
  int64_t number = 0;
  if (digits == 0 || digits > 4 || !text_to_int64(slice_make(text, digits), &number) || number == 0) {
    return false;
  }
  const char *unit = text + digits;
  *months = strcmp(unit, "y") == 0 ? 12 * number : strcmp(unit, "m") == 0 ? number : 0;
  return *months > 0 && *months <= MONTHS_MOST;
}

static enum status read_retention(const struct yaml *block, struct terms_config *terms, struct error *error) {
  const struct yaml *node = yaml_get(block, "retention");
  const char *keep = NULL;
  int end = 0;
  if (node == NULL) {
    return OK;
  }
  enum status status = OK;
  if (node->kind == YAML_MAP) {
    status = yaml_check_keys(node, config_retention_keys, error);
    status = status == OK ? config_text(node, "keep", &keep, error) : status;
    status = status == OK ? yaml_choice(node, "then", ENDS, &end, error) : status;
  } else if (node->kind == YAML_SCALAR) {
    keep = node->text;
  }
  if (status == OK && (keep == NULL || !months_of(keep, &terms->retention_months))) {
    yaml_error(node, error, "%s", _("retention: how long a record is kept after its last change is expected here"));
    error_hint(error, "%s", _("years or months, 10y or 18m, at most 100y; or {keep: 10y, then: erase}"));
    return ERR_CONFIG;
  }
  return status;
}

/* Where names are encoded, what else may be kept is named: a field that nobody thought of could hold the name. */
static enum status read_linked(const struct yaml *block, struct terms_config *terms, struct error *error) {
  const struct yaml *node = yaml_get(block, "linked_by_name");
  bool linked = true;
  if (node != NULL && node->kind == YAML_SCALAR && strcmp(node->text, "encoded") == 0) {
    terms->encoded = true;
    if (!terms->fields_limited) {
      yaml_error(node, error, "%s", _("linked_by_name: encoded needs fields: what may be kept beside the code"));
      error_hint(error, "%s", _("fields: [case.number, person.birth_date, …], without names and other identifiers"));
      return ERR_CONFIG;
    }
    return OK;
  }
  enum status status = yaml_bool(block, "linked_by_name", &linked, error);
  if (status == OK && !linked) {
    yaml_error(node, error, "%s", _("linked_by_name: false cannot be kept: names that are kept are linked"));
    error_hint(error, "%s",
               _("`encoded` keeps a code instead of the name; `linked: false` beside `terms:` keeps the source out of "
                 "all linking"));
    return ERR_CONFIG;
  }
  return status;
}

static enum status read_consent(const struct yaml *block, struct terms_config *terms, struct error *error) {
  int consent = 0;
  enum status status = yaml_choice(block, "consent", CONSENTS, &consent, error);
  terms->consent_required = consent != 0;
  return status;
}

static enum status read_block(const struct yaml *block, struct arena *arena, struct terms_config *terms,
                              struct error *error) {
  enum status status = yaml_check_keys(block, config_terms_keys, error);
  status = status == OK ? config_text(block, "legal_basis", &terms->legal_basis, error) : status;
  status = status == OK ? read_agreement(block, terms, error) : status;
  status = status == OK
               ? read_list(block, "fields", arena, &terms->fields, &terms->field_count, &terms->fields_limited, error)
               : status;
  status = status == OK ? read_list(block, "purposes", arena, &terms->purposes, &terms->purpose_count,
                                    &terms->purposes_limited, error)
                        : status;
  status = status == OK ? read_shown_to(block, arena, terms, error) : status;
  status = status == OK ? read_consent(block, terms, error) : status;
  status = status == OK ? read_linked(block, terms, error) : status;
  status = status == OK ? read_retention(block, terms, error) : status;
  return status;
}

enum status config_terms_read(const struct yaml *root, struct arena *arena, struct terms_config *terms,
                              struct error *error) {
  const struct yaml *block = yaml_get(root, "terms");
  *terms = (struct terms_config){.declared = false};
  if (block == NULL) {
    return OK;
  }
  terms->declared = true;
  if (block->kind != YAML_MAP) {
    yaml_error(block, error, "%s", _("terms: a map (key: value) was expected"));
    error_hint(error, "%s", _("for example {legal_basis: \"Ley 28950, art. 4\", shown_to: [PE/MP]}"));
    return ERR_CONFIG;
  }
  return read_block(block, arena, terms, error);
}

bool terms_allow_purpose(const struct terms_config *terms, const char *purpose) {
  if (!terms->purposes_limited) {
    return true;
  }
  size_t len = purpose == NULL ? 0 : strcspn(purpose, ": ");
  for (size_t i = 0; i < terms->purpose_count; i++) {
    if (len == strlen(terms->purposes[i]) && strncmp(purpose, terms->purposes[i], len) == 0) {
      return true;
    }
  }
  return false;
}

int64_t terms_keep_from(const struct terms_config *terms, int64_t now) {
  if (terms->retention_months == 0) {
    return INT64_MIN;
  }
  struct date date = date_from_days(now / DAY_MICROSECONDS);
  int64_t months = (int64_t)date.year * 12 + date.month - 1 - terms->retention_months;
  if (months < 12) {
    return INT64_MIN;
  }
  date.year = (int16_t)(months / 12);
  date.month = (uint8_t)(months % 12 + 1);
  while (!date_valid(date)) {
    date.day--; /* 31 January and a month is the last of February */
  }
  return date_to_days(date) * DAY_MICROSECONDS;
}
