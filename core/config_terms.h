/* SHARING TERMS of a source: what the institution that supplies it allows, and until when. Read from `terms:` of the
 * source's file; part of struct source_config, which owns it. */
#ifndef PUENTE_CONFIG_TERMS_H
#define PUENTE_CONFIG_TERMS_H

#include "core/base/yaml.h"

struct terms_config {
  bool declared;             /* there is a `terms:` */
  const char *legal_basis;   /* NULL: not stated */
  const char *agreement;     /* number of the document; NULL: not stated */
  int64_t agreed_on, until;  /* microseconds: the begin of the day, UTC; `until` is the last day; 0: not stated */
  const char *const *fields; /* input paths that may be kept, with all below them */
  size_t field_count;
  bool fields_limited; /* `fields` is there: everything else is cut before landing */
  bool encoded;        /* `linked_by_name: encoded`: of names a code is kept (core/link/clk.h), and no identifier */
  const char *const *purposes; /* codes of list purpose_of_use for which identified data may be seen */
  size_t purpose_count;
  bool purposes_limited;
  const char *const *shown_to; /* institutions that see its values by name, beside its own */
  size_t shown_count;          /* 0: only its own, which is the default */
  bool shown_to_all;           /* `shown_to: all` */
  bool consent_required;       /* `consent: required`: whoever does not say that they consent is withheld */
  int64_t retention_months;    /* from the last change of a record; 0: no end */
};

/* Names that `terms:`, its `agreement:` and its `retention:` may hold (NULL-terminated). */
extern const char *const config_terms_keys[], *const config_agreement_keys[], *const config_retention_keys[];

/* `root` is the source's file; terms that are not there are the safe ones. Everything lives in the arena. */
enum status config_terms_read(const struct yaml *root, struct arena *arena, struct terms_config *terms,
                              struct error *error) MUST_CHECK;
/* Whether identified data may be seen for `purpose`: a code, or a code and text, "follow_up: case 12". */
bool terms_allow_purpose(const struct terms_config *terms, const char *purpose);
/* Moment before which a record has to have changed to be kept no longer; INT64_MIN: it is kept for ever. */
int64_t terms_keep_from(const struct terms_config *terms, int64_t now);

#endif
