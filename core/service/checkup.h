/* Whether a workspace would work, step by step and without changing anything. */
#ifndef PUENTE_SERVICE_CHECKUP_H
#define PUENTE_SERVICE_CHECKUP_H

#include "core/service/workspace.h"

struct check_step {
  const char *subject; /* "configuration", "key", "source reta", … */
  const char *step;    /* of a live check: "dns", "tls", …; else "" */
  enum status status;
  const char *words; /* what was found, or what is wrong */
  const char *place, *hint;
};
typedef void check_report(void *context, const struct check_step *step);

/* Configuration, model, code lists, key, each source's options and mapping (every mistake of it), linkage rules, store.
 * Goes on after a mistake where it can. Returns the first mistake's code, or OK; all of them have been reported. */
enum status service_check(const char *config_path, check_report *report, void *context) MUST_CHECK;
/* The same without the store: what a new configuration has to pass before it is put in place of an old one. */
enum status service_check_offline(const char *config_path, check_report *report, void *context) MUST_CHECK;
/* The way to one source: name, TLS, clock, login, permission, and one record that is read and mapped, and not landed.
 */
enum status service_check_live(const char *config_path, const char *code, check_report *report,
                               void *context) MUST_CHECK;

#endif
