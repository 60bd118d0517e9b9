#include "core/base/text.h"
#include "core/config_parts.h"

const char *const config_approval_keys[] = {"required", NULL};

/* Kinds of files that `puente approve` knows. */
static enum status read_kind(const struct yaml *node, const char *name, struct config *config, struct error *error) {
  for (int i = 0; i < TEXT_KINDS; i++) {
    if (strcmp(name, text_kind_names[i]) == 0) {
      config->approval[i] = true;
      return OK;
    }
  }
  const char *nearest = text_nearest(slice_of(name), text_kind_names, TEXT_KINDS);
  yaml_error(node, error, _("required: there is no kind '%s'"), name);
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  } else {
    error_hint(error, "%s", _("mapping, codelist or link"));
  }
  return ERR_CONFIG;
}

enum status config_approval_read(const struct yaml *block, struct config *config, struct error *error) {
  const struct yaml *node = yaml_get(block, "required");
  enum status status = block == NULL ? OK : yaml_check_keys(block, config_approval_keys, error);
  if (status != OK || node == NULL) {
    return status;
  }
  if (node->kind != YAML_LIST) {
    yaml_error(node, error, "%s", _("required: a list is expected here"));
    error_hint(error, "%s", _("for example [mapping, codelist, link]"));
    return ERR_CONFIG;
  }
  for (size_t i = 0; i < node->count && status == OK; i++) {
    const struct yaml *item = &node->children[i];
    status = item->kind == YAML_SCALAR ? read_kind(item, item->text, config, error)
                                       : yaml_error(item, error, "%s", _("required: a word is expected here"));
  }
  return status;
}
