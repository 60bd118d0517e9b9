#include "core/config_checkpoints.h"

#include "connectors/http/url.h"
#include "core/base/file.h"
#include "core/config_parts.h"

#include <strings.h>

enum { HOLDERS_MOST = 16, HOLDER_NAME_MOST = 40 };

const char *const config_checkpoints_keys[] = {"schedule", "holders", "timestamp", NULL};
const char *const config_holder_keys[] = {"name", "webhook", "token", "mail", "folder", NULL};
const char *const config_timestamp_keys[] = {"url", "ca_file", NULL};

static enum status refuse(const struct yaml *node, struct error *error, const char *message, const char *hint) {
  yaml_error(node, error, "%s", message);
  error_hint(error, "%s", hint);
  return ERR_CONFIG;
}

static enum status check_name(const struct yaml *node, const struct checkpoints_config *checkpoints, const char *name,
                              size_t before, struct error *error) {
  const struct yaml *at = yaml_get(node, "name");
  if (name == NULL) {
    return refuse(node, error, _("holders: 'name' is missing"),
                  _("a short name, for messages and receipts: {name: auditor, folder: /media/usb}"));
  }
  size_t len = strlen(name);
  if (len > HOLDER_NAME_MOST || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != len) {
    return refuse(at, error, _("name: only lower-case letters, digits, '_' and '-' fit here"),
                  _("for example auditor"));
  }
  if (strcmp(name, HOLDER_TIMESTAMP) == 0) {
    return refuse(at, error, _("name: receipts of the time-stamp have this name"), _("choose another one"));
  }
  for (size_t i = 0; i < before; i++) {
    if (strcmp(checkpoints->holders[i].name, name) == 0) {
      return refuse(at, error, _("name: another holder has this name"), _("choose another one"));
    }
  }
  return OK;
}

static enum status check_way(const struct yaml *node, const struct config *config, const struct holder_config *holder,
                             struct error *error) {
  int ways = (holder->webhook.url != NULL) + (holder->mail != NULL) + (holder->folder != NULL);
  if (ways != 1) {
    return refuse(node, error, _("holders: one of webhook, mail and folder is expected"),
                  _("{name: …, webhook: \"https://HOST/PATH\"}, {name: …, mail: ADDRESS} or {name: …, folder: PATH}"));
  }
  if (holder->webhook.token != NULL && holder->webhook.url == NULL) {
    return refuse(yaml_get(node, "token"), error, _("token: only a webhook takes one"), _("remove it"));
  }
  if (holder->webhook.url != NULL) {
    return config_webhook_url(yaml_get(node, "webhook"), "webhook", holder->webhook.url, error);
  }
  if (holder->mail == NULL) {
    return OK;
  }
  if (config->notify.server == NULL) {
    return refuse(yaml_get(node, "mail"), error, _("mail: no mail server is configured"),
                  _("`mail:` of `notify:` names it, and who sends"));
  }
  return config_mail_address(yaml_get(node, "mail"), "mail", holder->mail, error);
}

static enum status read_holder(const struct yaml *node, struct config *config, struct arena *arena,
                               struct holder_config *holder, size_t before, struct error *error) {
  const char *folder = NULL;
  enum status status = yaml_check_keys(node, config_holder_keys, error);
  status = status == OK ? config_text(node, "name", &holder->name, error) : status;
  status = status == OK ? check_name(node, &config->checkpoints, holder->name, before, error) : status;
  status = status == OK ? config_text(node, "webhook", &holder->webhook.url, error) : status;
  status = status == OK ? config_reference(node, "token", &holder->webhook.token, error) : status;
  status = status == OK ? config_text(node, "mail", &holder->mail, error) : status;
  status = status == OK ? config_text(node, "folder", &folder, error) : status;
  if (status == OK && folder != NULL) {
    holder->folder = path_join(arena, config->folder, folder);
    status = holder->folder == NULL ? error_memory(error) : OK;
  }
  return status == OK ? check_way(node, config, holder, error) : status;
}

static enum status read_holders(const struct yaml *block, struct config *config, struct arena *arena,
                                struct error *error) {
  const struct yaml *node = yaml_get(block, "holders");
  if (node == NULL || node->kind != YAML_LIST || node->count == 0 || node->count > HOLDERS_MOST) {
    yaml_error(node == NULL ? block : node, error, _("holders: a list of 1 to %d is expected here"), HOLDERS_MOST);
    error_hint(error, "%s", _("for example [{name: auditor, folder: /media/usb}]"));
    return ERR_CONFIG;
  }
  struct holder_config *holders = arena_array(arena, node->count, sizeof *holders);
  if (holders == NULL) {
    return error_memory(error);
  }
  config->checkpoints.holders = holders;
  enum status status = OK;
  for (size_t i = 0; i < node->count && status == OK; i++) {
    status = read_holder(&node->children[i], config, arena, &holders[i], i, error);
  }
  config->checkpoints.holder_count = node->count;
  return status;
}

/* http will do: only a digest travels there, and the token proves itself. */
static enum status check_stamp_url(const struct yaml *node, const char *url, struct error *error) {
  struct url_parts parts;
  bool readable = url_split(url, &parts);
  if (!readable || (strcasecmp(parts.scheme, "http") != 0 && strcasecmp(parts.scheme, "https") != 0)
      || parts.holds_user) {
    return refuse(node, error, _("url: this is no address of a time-stamp authority"), _("https://HOST/PATH"));
  }
  return OK;
}

static enum status read_timestamp(const struct yaml *block, struct config *config, struct arena *arena,
                                  struct error *error) {
  const struct yaml *node = yaml_get(block, "timestamp");
  struct checkpoints_config *checkpoints = &config->checkpoints;
  const char *ca_file = NULL;
  if (node == NULL) {
    return OK;
  }
  enum status status = yaml_check_keys(node, config_timestamp_keys, error);
  status = status == OK ? config_text(node, "url", &checkpoints->stamp_url, error) : status;
  status = status == OK ? config_text(node, "ca_file", &ca_file, error) : status;
  if (status == OK && (checkpoints->stamp_url == NULL || ca_file == NULL)) {
    yaml_error(node, error, _("timestamp: '%s' is missing"), checkpoints->stamp_url == NULL ? "url" : "ca_file");
    error_hint(error, "%s",
               _("url is the authority's (RFC 3161); ca_file has the certificates (PEM) that sign its own"));
    return ERR_CONFIG;
  }
  status = status == OK ? check_stamp_url(yaml_get(node, "url"), checkpoints->stamp_url, error) : status;
  if (status == OK) {
    checkpoints->stamp_ca = path_join(arena, config->folder, ca_file);
    status = checkpoints->stamp_ca == NULL ? error_memory(error) : OK;
  }
  return status;
}

enum status config_checkpoints_read(const struct yaml *block, struct config *config, struct arena *arena,
                                    struct error *error) {
  struct timetable *timetable = &config->checkpoints.timetable;
  *timetable = (struct timetable){.manual = block == NULL, .text = "@daily", .zone = config->serve.zone};
  if (block == NULL) {
    return OK;
  }
  enum status status = yaml_check_keys(block, config_checkpoints_keys, error);
  status = status == OK ? cron_parse(slice_of(timetable->text), &timetable->cron, error) : status;
  status = status == OK ? config_timetable(yaml_get(block, "schedule"), timetable, error) : status;
  status = status == OK ? read_holders(block, config, arena, error) : status;
  return status == OK ? read_timestamp(block, config, arena, error) : status;
}
