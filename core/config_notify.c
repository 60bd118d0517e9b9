#include "connectors/http/url.h"
#include "core/base/file.h"
#include "core/config_parts.h"

#include <ctype.h>
#include <strings.h>

enum { RECIPIENTS_MOST = 50, WEBHOOKS_MOST = 16 };

const char *const config_notify_keys[] = {"lang", "mail", "webhooks", "digest", "quarantine", NULL};
const char *const config_mail_keys[] = {"server", "from", "to", "username", "password", "ca_file", NULL};
const char *const config_webhook_keys[] = {"url", "token", NULL};
const char *const config_quarantine_keys[] = {"share", "records", NULL};
static const char *const LANGUAGES[] = {"es", "en", NULL};

/* One '@' with something on both sides, and nothing that could begin another header of a mail. */
static bool is_mail_address(const char *text) {
  const char *at = strchr(text, '@');
  for (const char *c = text; *c != '\0'; c++) {
    if (isspace((unsigned char)*c) || iscntrl((unsigned char)*c) || strchr("<>,;\"", *c) != NULL) {
      return false;
    }
  }
  return at != NULL && at > text && at[1] != '\0' && strchr(at + 1, '@') == NULL;
}

enum status config_mail_address(const struct yaml *node, const char *key, const char *text, struct error *error) {
  if (is_mail_address(text)) {
    return OK;
  }
  yaml_error(node, error, _("%s: this is no mail address"), key);
  error_hint(error, "%s", _("written as name@institution.example, without a display name"));
  return ERR_CONFIG;
}

static enum status read_recipients(const struct yaml *mail, struct notify_config *notify, struct arena *arena,
                                   struct error *error) {
  const struct yaml *node = yaml_get(mail, "to");
  const char **to = NULL;
  enum status status = yaml_texts(mail, "to", arena, &to, &notify->to_count, error);
  for (size_t i = 0; status == OK && i < notify->to_count; i++) {
    status = config_mail_address(node->kind == YAML_LIST ? &node->children[i] : node, "to", to[i], error);
  }
  notify->to = to;
  if (status == OK && notify->to_count > RECIPIENTS_MOST) {
    status = yaml_error(node, error, _("to: more than %d recipients"), RECIPIENTS_MOST);
  }
  return status;
}

static enum status check_server(const struct yaml *node, const char *server, struct error *error) {
  struct url_parts parts;
  bool readable = url_split(server, &parts);
  if (!readable || (strcasecmp(parts.scheme, "smtp") != 0 && strcasecmp(parts.scheme, "smtps") != 0)) {
    yaml_error(node, error, "%s", _("server: this is no address of a mail server"));
    error_hint(error, "%s", _("smtps://HOST:465, or smtp://HOST:587 with STARTTLS"));
    return ERR_CONFIG;
  }
  if (parts.holds_user) {
    yaml_error(node, error, "%s", _("server: the address holds a user or a password"));
    error_hint(error, "%s", _("write username: and password: env:NAME, or file:PATH, on lines of their own"));
    return ERR_CONFIG;
  }
  return OK;
}

/* What mail cannot do without. */
static enum status require_mail(const struct yaml *mail, const struct notify_config *notify, struct error *error) {
  const char *missing = notify->server == NULL                                 ? "server"
                        : notify->from == NULL                                 ? "from"
                        : notify->to_count == 0                                ? "to"
                        : notify->username != NULL && notify->password == NULL ? "password"
                                                                               : NULL;
  if (missing == NULL) {
    return OK;
  }
  yaml_error(mail, error, _("mail: '%s' is missing"), missing);
  error_hint(error, "%s", _("server, from and to are needed; username and password go together"));
  return ERR_CONFIG;
}

static enum status read_mail(const struct yaml *block, struct config *config, struct arena *arena,
                             struct error *error) {
  const struct yaml *mail = yaml_get(block, "mail");
  struct notify_config *notify = &config->notify;
  const char *ca_file = NULL;
  if (mail == NULL) {
    return OK;
  }
  enum status status = yaml_check_keys(mail, config_mail_keys, error);
  status = status == OK ? config_text(mail, "server", &notify->server, error) : status;
  status = status == OK ? config_text(mail, "from", &notify->from, error) : status;
  status = status == OK ? config_text(mail, "username", &notify->username, error) : status;
  status = status == OK ? config_reference(mail, "password", &notify->password, error) : status;
  status = status == OK ? config_text(mail, "ca_file", &ca_file, error) : status;
  status = status == OK ? read_recipients(mail, notify, arena, error) : status;
  status = status == OK ? require_mail(mail, notify, error) : status;
  status = status == OK ? check_server(yaml_get(mail, "server"), notify->server, error) : status;
  status = status == OK ? config_mail_address(yaml_get(mail, "from"), "from", notify->from, error) : status;
  if (status == OK && ca_file != NULL) {
    notify->ca_file = path_join(arena, config->folder, ca_file);
    status = notify->ca_file == NULL ? error_memory(error) : OK;
  }
  return status;
}

enum status config_webhook_url(const struct yaml *node, const char *key, const char *url, struct error *error) {
  struct url_parts parts;
  bool readable = url_split(url, &parts);
  bool secure = readable && strcasecmp(parts.scheme, "https") == 0;
  if (readable && parts.holds_user) {
    yaml_error(node, error, _("%s: the address holds a user or a password"), key);
    error_hint(error, "%s", _("write token: env:NAME, or file:PATH, beside it"));
    return ERR_CONFIG;
  }
  if (secure || (readable && strcasecmp(parts.scheme, "http") == 0 && url_host_is_local(parts.host))) {
    return OK;
  }
  yaml_error(node, error, _("%s: a webhook is told by https alone"), key);
  error_hint(error, "%s", _("https://HOST/PATH; http:// only to this machine, http://127.0.0.1:PORT/PATH"));
  return ERR_CONFIG;
}

static enum status read_webhook(const struct yaml *node, struct webhook_config *webhook, struct error *error) {
  enum status status = yaml_check_keys(node, config_webhook_keys, error);
  status = status == OK ? config_text(node, "url", &webhook->url, error) : status;
  status = status == OK ? config_reference(node, "token", &webhook->token, error) : status;
  if (status == OK && webhook->url == NULL) {
    yaml_error(node, error, "%s", _("webhooks: 'url' is missing"));
    error_hint(error, "%s", _("https://HOST/PATH; http:// only to this machine, http://127.0.0.1:PORT/PATH"));
    status = ERR_CONFIG;
  }
  return status == OK ? config_webhook_url(yaml_get(node, "url"), "url", webhook->url, error) : status;
}

static enum status read_webhooks(const struct yaml *block, struct notify_config *notify, struct arena *arena,
                                 struct error *error) {
  const struct yaml *node = yaml_get(block, "webhooks");
  if (node == NULL) {
    return OK;
  }
  if (node->kind != YAML_LIST || node->count > WEBHOOKS_MOST) {
    yaml_error(node, error, _("webhooks: a list of at most %d is expected here"), WEBHOOKS_MOST);
    error_hint(error, "%s", _("for example [{url: \"https://HOST/PATH\", token: env:NAME}]"));
    return ERR_CONFIG;
  }
  struct webhook_config *webhooks = arena_array(arena, node->count + 1, sizeof *webhooks);
  if (webhooks == NULL) {
    return error_memory(error);
  }
  enum status status = OK;
  for (size_t i = 0; i < node->count && status == OK; i++) {
    status = read_webhook(&node->children[i], &webhooks[i], error);
  }
  notify->webhooks = webhooks;
  notify->webhook_count = node->count;
  return status;
}

static enum status read_quarantine(const struct yaml *block, struct notify_config *notify, struct error *error) {
  const struct yaml *node = yaml_get(block, "quarantine");
  notify->quarantine_share = 0.05;
  notify->quarantine_records = 100;
  enum status status = node == NULL ? OK : yaml_check_keys(node, config_quarantine_keys, error);
  status = status == OK ? yaml_share(node, "share", &notify->quarantine_share, error) : status;
  return status == OK ? yaml_int(node, "records", 1, INT64_C(1) << 40, &notify->quarantine_records, error) : status;
}

enum status config_notify_read(const struct yaml *block, struct config *config, struct arena *arena,
                               struct error *error) {
  struct notify_config *notify = &config->notify;
  int language = -1;
  notify->digest = (struct timetable){.manual = true, .zone = config->serve.zone};
  enum status status = block == NULL ? OK : yaml_check_keys(block, config_notify_keys, error);
  status = status == OK ? yaml_choice(block, "lang", LANGUAGES, &language, error) : status;
  notify->lang = language < 0 ? NULL : LANGUAGES[language];
  status = status == OK ? read_mail(block, config, arena, error) : status;
  status = status == OK ? read_webhooks(block, notify, arena, error) : status;
  status = status == OK ? config_timetable(yaml_get(block, "digest"), &notify->digest, error) : status;
  return status == OK ? read_quarantine(block, notify, error) : status;
}
