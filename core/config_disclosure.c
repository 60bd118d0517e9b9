#include "core/base/text.h"
#include "core/config_parts.h"
#include "core/disclose/disclose.h"

const char *const config_disclosure_keys[] = {"k", "width", "method", "base", "reports", NULL};

static enum status read_whole(const struct yaml *block, const char *key, int least, int *value, struct error *error) {
  const struct yaml *node = yaml_get(block, key);
  const char *text = NULL;
  int64_t number;
  enum status status = config_text(block, key, &text, error);
  if (status != OK || text == NULL) {
    return status;
  }
  if (!text_to_int64(slice_of(text), &number) || number < least || number > DISCLOSE_K_MOST) {
    yaml_error(node, error, _("%s: a whole number from %d to %d is expected here"), key, least, DISCLOSE_K_MOST);
    error_hint(error, "%s", _("for example 11; 1 hides nothing"));
    return ERR_CONFIG;
  }
  *value = (int)number;
  return OK;
}

/* `method: round` and `base:` go together. */
static enum status read_method(const struct yaml *block, int *base, struct error *error) {
  const struct yaml *node = yaml_get(block, "method");
  const char *method = NULL, *text = NULL;
  enum status status = config_text(block, "method", &method, error);
  status = status == OK ? config_text(block, "base", &text, error) : status;
  if (status != OK) {
    return status;
  }
  bool round = method != NULL && strcmp(method, "round") == 0;
  if (method != NULL && !round && strcmp(method, "suppress") != 0) {
    yaml_error(node, error, _("method: '%s' is neither suppress nor round"), method);
    error_hint(error, "%s", _("suppress hides small figures; round, with base: 3 or 5, rounds all"));
    return ERR_CONFIG;
  }
  if (round == (text == NULL)) {
    yaml_error(round ? node : yaml_get(block, "base"), error, "%s",
               round ? _("method: round needs a base") : _("base: only method: round has one"));
    error_hint(error, "%s", _("disclosure: {method: round, base: 3}, or base: 5"));
    return ERR_CONFIG;
  }
  if (round && strcmp(text, "3") != 0 && strcmp(text, "5") != 0) {
    yaml_error(yaml_get(block, "base"), error, _("base: '%s' is neither 3 nor 5"), text);
    error_hint(error, "%s",
               _("a figure is shown as a multiple of the base, less than the base away from the true one"));
    return ERR_CONFIG;
  }
  *base = round ? text[0] - '0' : 0;
  return OK;
}

static enum status read_reports(const struct yaml *block, bool *ledger, struct error *error) {
  const char *text = NULL;
  enum status status = config_text(block, "reports", &text, error);
  if (status == OK && text != NULL && strcmp(text, "ledger") != 0 && strcmp(text, "single") != 0) {
    yaml_error(yaml_get(block, "reports"), error, _("reports: '%s' is neither ledger nor single"), text);
    error_hint(error, "%s", _("ledger protects each report with those told before it; single by itself"));
    return ERR_CONFIG;
  }
  *ledger = text != NULL && strcmp(text, "ledger") == 0;
  return status;
}

enum status config_disclosure_read(const struct yaml *block, struct config *config, struct error *error) {
  struct disclosure_config *disclosure = &config->disclosure;
  disclosure->k = DISCLOSE_K;
  if (block == NULL) {
    return OK;
  }
  enum status status = yaml_check_keys(block, config_disclosure_keys, error);
  status = status == OK ? read_whole(block, "k", 1, &disclosure->k, error) : status;
  status = status == OK ? read_whole(block, "width", 0, &disclosure->width, error) : status;
  status = status == OK ? read_reports(block, &disclosure->ledger, error) : status;
  return status == OK ? read_method(block, &disclosure->base, error) : status;
}
