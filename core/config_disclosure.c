#include "core/base/text.h"
#include "core/config_parts.h"
#include "core/disclose/disclose.h"

const char *const config_disclosure_keys[] = {"k", "width", NULL};

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

enum status config_disclosure_read(const struct yaml *block, struct config *config, struct error *error) {
  struct disclosure_config *disclosure = &config->disclosure;
  disclosure->k = DISCLOSE_K;
  if (block == NULL) {
    return OK;
  }
  enum status status = yaml_check_keys(block, config_disclosure_keys, error);
  status = status == OK ? read_whole(block, "k", 1, &disclosure->k, error) : status;
  return status == OK ? read_whole(block, "width", 0, &disclosure->width, error) : status;
}
